"""What the fuzzing sends: requests built from each scheme's grammar, then damaged.

Hypothesis draws a plan, which is plain data and the same in every run. Only `bytes_of` turns it
into bytes, with what a run has of its own: a fresh nonce, the lesson's key, the time. A plan says
whether it was made with the right secret; if not, nobody may get in by it.
"""

import base64
import hashlib
import hmac
import json
import time

from hypothesis import strategies as st

ODD = [
    b"",
    b"\0",
    b"\xff",
    b"\xc3\xa9",
    b"\xe2\x82\xac",
    b'"',
    b"\\",
    b",",
    b"=",
    b";",
    b"%",
    b"\t",
]
ODD += [
    b" ",
    b":",
    b"'",
    b"<x>",
    b"*",
    b"%0d%0a",
    b"%ff",
    b"%00",
    b"..",
    b"/",
    b"?",
    b"#",
    b"a" * 2000,
]
ODD += [
    b"null",
    b"0",
    b"-1",
    b"1e9",
    b"\x7f",
    b"\x1b[2J",
    b"\xed\xa0\x80",
    b"e\xcc\x81",
    b"=?utf-8?q?a?=",
]
WORDS = [b"user1", b"user2", b"nobody", b"user1\0", b"USER1", b"us\xc3\xa9r"]
SCHEMES = [b"Basic", b"basic", b"BASIC", b"Digest", b"digest", b"Bearer", b"bearer", b"Foo", b""]
WRONG = b"WRONG-by-far"  # no damage makes a right password of this
DIGEST = [
    "username",
    "realm",
    "nonce",
    "uri",
    "response",
    "opaque",
    "qop",
    "nc",
    "cnonce",
    "algorithm",
]

odd = st.sampled_from(ODD) | st.binary(max_size=12)
word = st.sampled_from(WORDS) | odd
gap = st.sampled_from([b" ", b" ", b" ", b" ", b"  ", b"\t", b"", b" \t "])

# Damage is a list of steps: where (a fraction of the length), what, and with which bytes.
damage = st.lists(
    st.tuples(
        st.floats(0, 1),
        st.sampled_from(["insert", "replace", "delete", "cut", "twice", "case"]),
        odd,
    ),
    max_size=3,
)
seldom = st.sampled_from([[], []]) | damage


def damaged(data: bytes, steps) -> bytes:
    """Carry the steps out on the bytes."""
    for place, what, more in steps:
        at = int(place * len(data))
        data = {
            "insert": data[:at] + more + data[at:],
            "replace": data[:at] + more + data[at + len(more) :],
            "delete": data[:at] + data[at + 3 :],
            "cut": data[:at],
            "twice": data[:at] + data[at : at + 20] * 2 + data[at + 20 :],
            "case": data[:at] + data[at:].swapcase(),
        }[what]
    return data


def one_line(data: bytes) -> bytes:
    """Return the bytes without line ends, so that they stay in their header."""
    return data.replace(b"\r", b"").replace(b"\n", b"")


def b64(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


basic = st.fixed_dictionaries(
    {
        "kind": st.just("basic"),
        "scheme": st.just(b"Basic") | st.sampled_from(SCHEMES),
        "gap": gap,
        "name": word,
        "password": st.just(WRONG) | odd.map(lambda more: WRONG + more),
        "style": st.sampled_from(["plain", "plain", "plain", "url", "bare", "twice", "none"]),
        "damage": seldom,
    }
)
digest = st.fixed_dictionaries(
    {
        "kind": st.just("digest"),
        "scheme": st.just(b"Digest") | st.sampled_from(SCHEMES),
        "gap": gap,
        "changes": st.dictionaries(st.sampled_from(DIGEST), st.none() | odd, max_size=2),
        "style": st.sampled_from(["plain", "plain", "quoted", "bare", "star", "single"]),
        "comma": st.sampled_from([b", ", b", ", b",", b",,", b" ", b"; "]),
        "nc": st.integers(1, 2**32 - 1),
        "more": st.lists(st.tuples(st.sampled_from(DIGEST), odd), max_size=2),
        "damage": seldom,
    }
)
leaf = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
anything = st.recursive(leaf, lambda some: st.lists(some, max_size=3), max_leaves=4)
claim_names = ["sub", "iss", "aud", "iat", "exp", "jti", "scope", "nbf", "x"]
header_names = ["alg", "typ", "kid", "crit", "b64", "jwk", "jku", "x5u", "x5c", "cty", "zip"]
bearer = st.fixed_dictionaries(
    {
        "kind": st.just("bearer"),
        "scheme": st.just(b"Bearer") | st.sampled_from(SCHEMES),
        "gap": gap,
        "header": st.dictionaries(st.sampled_from(header_names), anything, max_size=2),
        "claims": st.dictionaries(st.sampled_from(claim_names), anything, max_size=2),
        "parts": st.lists(seldom, min_size=3, max_size=3),
        "damage": seldom,
    }
)
credentials = {
    "01": st.none(),
    "02": st.none() | basic | digest,
    "03": st.none() | digest | digest | basic,
    "04": st.none() | bearer | bearer | basic,
    "05": st.none() | basic | basic | basic | digest,
}
PATHS = {
    "01": [b"/", b"/login", b"/login", b"/register"],
    "02": [b"/", b"/", b"/admin", b"/users", b"/password"],
    "03": [b"/", b"/", b"/account"],
    "04": [b"/secured", b"/secured", b"/admin", b"/login", b"/logout"],
    "05": [b"/", b"/", b"/pin", b"/enroll", b"/enroll.svg"],
}
form = st.fixed_dictionaries(
    {
        "type": st.sampled_from(["urlencoded", "urlencoded", "multipart", "json", "none"]),
        "name": word.map(lambda name: b"REG" + name) | word,
        "password": odd.map(lambda more: WRONG + more) | odd,
        "damage": seldom,
    }
)


def plans(lesson):
    """Return the strategy for a lesson's requests."""
    methods = [b"POST"] if lesson == "01" else [b"GET", b"GET", b"GET", b"POST", b"HEAD", b"PUT"]
    return st.fixed_dictionaries(
        {
            "lesson": st.just(lesson),
            "right": st.booleans(),
            "method": st.sampled_from(methods) | st.just(b"GET"),
            "path": st.sampled_from(PATHS[lesson]),
            "query": st.just(b"") | st.just(b"") | odd.map(lambda q: b"?" + q),
            "twist": st.just([]) | st.just([]) | st.just([]) | damage,
            "credentials": credentials[lesson],
            "otp": st.none() | odd | st.integers(0, 999999).map(lambda n: b"%06d" % n),
            "form": st.none() | form if lesson != "01" else form,
            "extra": st.none() | st.none() | st.tuples(st.sampled_from(EXTRA), odd),
            "whole": st.just([]) | st.just([]) | st.just([]) | damage,
        }
    )


EXTRA = [b"Authorization", b"Host", b"Cookie", b"Content-Type", b"Content-Length", b"OTP"]
EXTRA += [b"Transfer-Encoding", b"Accept-Charset", b"Sec-Fetch-Site", b"X-Forwarded-For", b"Expect"]


def bytes_of(plan, own) -> bytes:
    """Turn a plan into a request; own: what this run has: `challenge` and `key`."""
    target = one_line(damaged(plan["path"] + plan["query"], plan["twist"])) or b"/"
    head = [b"%s %s HTTP/1.1" % (plan["method"], target), b"Host: 127.0.0.1"]
    if plan["credentials"]:
        value = value_of(plan, target, own)
        head.append(b"Authorization: " + one_line(value))
    if plan["otp"] is not None and plan["lesson"] == "05":
        head.append(b"OTP: " + one_line(plan["otp"]))
    body = b""
    if plan["form"]:
        kind, body = form_of(plan)
        head += [b"Content-Type: " + kind] * bool(kind)
    if plan["extra"]:
        head.append(plan["extra"][0] + b": " + one_line(plan["extra"][1]))
    head += [b"Content-Length: %d" % len(body), b"Connection: close"]
    return damaged(b"\r\n".join([*head, b"", body]), plan["whole"])


def value_of(plan, target, own) -> bytes:
    """Return the value of Authorization."""
    by = plan["credentials"]
    make = {"basic": basic_value, "digest": digest_value, "bearer": bearer_value}[by["kind"]]
    return damaged(by["scheme"] + by["gap"] + make(plan, by, target, own), by["damage"])


def basic_value(plan, by, target, own) -> bytes:
    name, password = (b"user1", b"pass1") if plan["right"] else (by["name"], by["password"])
    pair = name + b":" + password
    whole = base64.b64encode(pair)
    return {
        "plain": whole,
        "url": base64.urlsafe_b64encode(pair),
        "bare": whole.rstrip(b"="),
        "twice": whole + b", " + whole,
        "none": pair,
    }[by["style"]]


def digest_value(plan, by, target, own) -> bytes:
    """Return the parameters; the response is computed over what is sent, odd as it may be."""
    challenge = own["challenge"]
    values = {
        "username": b"user1",
        "realm": challenge["realm"].encode(),
        "nonce": challenge["nonce"].encode(),
        "uri": target,
        "opaque": challenge["opaque"].encode(),
        "qop": b"auth",
        "nc": b"%08x" % by["nc"],
        "cnonce": b"c",
        "algorithm": challenge["algorithm"].encode(),
        **by["changes"],
    }

    def h(*parts):
        name = hashlib.md5 if values["algorithm"] == b"MD5" else hashlib.sha256
        return name(b":".join(part or b"" for part in parts)).hexdigest().encode()

    ha1 = h(values["username"], values["realm"], b"pass1" if plan["right"] else WRONG)
    session = [values[name] for name in ("nonce", "nc", "cnonce", "qop")]
    values.setdefault("response", h(ha1, *session, h(plan["method"], values["uri"])))
    pairs = [(name, value) for name, value in values.items() if value is not None]
    return by["comma"].join(parameter(n, v, by["style"]) for n, v in [*pairs, *by["more"]])


def parameter(name, value, style) -> bytes:
    """Write a parameter in one of several styles, right ones and wrong ones."""
    escaped = value.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    if style == "plain":
        style = "bare" if name in ("algorithm", "qop", "nc") else "quoted"
    spelt = {
        "quoted": b'="' + escaped + b'"',
        "bare": b"=" + value,
        "star": b"*=UTF-8''" + b"".join(b"%%%02X" % byte for byte in value),
        "single": b"='" + value + b"'",
    }
    return name.encode() + spelt[style]


def bearer_value(plan, by, target, own) -> bytes:
    now = int(time.time())
    known = {"iss": "Lesson 04", "aud": "Lesson 04", "sub": "user1", "jti": "fuzz"}
    claims = {**known, "iat": now, "exp": now + 60, **by["claims"]}
    parts = [json.dumps(one).encode() for one in ({"alg": "HS256", **by["header"]}, claims)]
    parts = [b64(damaged(one, steps)) for one, steps in zip(parts, by["parts"], strict=False)]
    data = b".".join(parts)
    signature = hmac.digest(own["key"] if plan["right"] else WRONG, data, "sha256")
    return data + b"." + damaged(b64(signature), by["parts"][2])


def form_of(plan):
    """Return a form's type and its bytes."""
    fields, how = plan["form"], plan["form"]["type"]
    name, password = fields["name"], fields["password"]
    if plan["lesson"] == "01" and plan["path"] == b"/login":
        pair = (b"user1", b"pass1") if plan["right"] else (name.removeprefix(b"REG"), WRONG)
        name, password = pair

    def percent(data):
        return b"".join(b"%%%02X" % byte for byte in data)

    kind, body = {
        "urlencoded": (
            b"application/x-www-form-urlencoded",
            b"username=" + percent(name) + b"&password=" + percent(password),
        ),
        "multipart": (
            b"multipart/form-data; boundary=b",
            b'--b\r\nContent-Disposition: form-data; name="username"\r\n\r\n'
            + name
            + b'\r\n--b\r\nContent-Disposition: form-data; name="password"\r\n\r\n'
            + password
            + b"\r\n--b--\r\n",
        ),
        "json": (b"application/json", b'{"username":"user1","password":"pass1"}'),
        "none": (b"", b"username=" + name + b"&password=" + password),
    }[how]
    return kind, damaged(body, fields["damage"])
