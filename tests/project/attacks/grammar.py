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
SCHEMES = [b"Basic", b"basic", b"Digest", b"DIGEST", b"Bearer", b"bearer", b"Foo", b""]
WRONG = b"WRONG-by-far"  # no damage makes a right password of this
DIGEST = ["username", "realm", "nonce", "uri", "response", "opaque", "qop", "nc", "cnonce"]
DIGEST += ["algorithm"]
EXTRA = [b"Authorization", b"Host", b"Cookie", b"Content-Type", b"Content-Length", b"OTP"]
EXTRA += [b"Transfer-Encoding", b"Accept-Charset", b"Sec-Fetch-Site", b"X-Forwarded-For", b"Expect"]
CLAIMS = ["sub", "iss", "aud", "iat", "exp", "jti", "scope", "nbf", "x"]
HEADER = ["alg", "typ", "kid", "crit", "b64", "jwk", "jku", "x5u", "x5c", "cty", "zip"]
METHODS = [b"GET", b"POST", b"HEAD", b"PUT", b"OPTIONS", b"get"]

odd = st.sampled_from(ODD) | st.binary(max_size=12)
word = st.sampled_from(WORDS) | odd
leaf = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
anything = leaf | st.lists(leaf, max_size=2)
# Damage: where (in hundredths of the length), what, and with which bytes.
ways = st.sampled_from(["insert", "replace", "delete", "cut", "twice", "case"])
damage = st.tuples(st.integers(0, 100), ways, odd)


def an(aspect, strategy):
    """Return the strategy for an oddity in this aspect."""
    return strategy.map(lambda value: (aspect, value))


REQUEST = [
    an("method", st.sampled_from(METHODS)),
    an("query", odd),
    an("twist", damage),
    an("extra", st.tuples(st.sampled_from(EXTRA), odd)),
    an("whole", damage),
]
FORM = [
    an("type", st.sampled_from(["multipart", "json", "none"])),
    an("form name", word),
    an("form password", odd),
    an("form damage", damage),
]
VALUE = [
    an("scheme", st.sampled_from(SCHEMES)),
    an("gap", st.sampled_from([b"  ", b"\t", b"", b" \t "])),
    an("damage", damage),
]
BASIC = [
    an("name", word),
    an("password", odd),
    an("style", st.sampled_from(["url", "bare", "twice", "none"])),
]
STYLES = st.sampled_from(["quoted", "bare", "star", "single"])
PARAMETERS = [
    an("change", st.tuples(st.sampled_from(DIGEST), st.none() | odd, STYLES)),
    an("change", st.tuples(st.just("cnonce"), odd, STYLES)),  # it comes back in the answer
    an("more", st.tuples(st.sampled_from(DIGEST), odd, STYLES)),
    an("comma", st.sampled_from([b",", b",,", b" ", b"; "])),
]
TOKEN = [
    an("header", st.tuples(st.sampled_from(HEADER), anything)),
    an("claim", st.tuples(st.sampled_from(CLAIMS), anything)),
    an("part", st.tuples(st.integers(0, 2), damage)),
]
CODE = [an("otp", odd | st.integers(0, 999999).map(lambda n: b"%06d" % n))]
SESSION = [
    an("cookie", odd),
    an("damage", damage),
    an("csrf", odd),
    an("query", odd.map(lambda value: b"next=" + value)),
    an("query", odd.map(lambda value: b"next=/" + value)),
    an("agent", odd),
    an("origin", odd | st.sampled_from([b"null", b"http://127.0.0.1", b"http://other.example"])),
]
# For each lesson: its requests, the kinds of credentials, and what may be odd about them.
LESSONS = {
    "01": (["POST /login", "POST /register", "POST /login", "GET /"], [""], [*FORM, *FORM]),
    "02": (
        ["GET /", "GET /", "GET /admin", "POST /users", "POST /password"],
        ["basic", "basic", "basic", "", "digest"],
        [*VALUE, *BASIC, *FORM],
    ),
    "03": (
        ["GET /", "GET /account"],
        ["digest", "digest", "digest", "digest", "basic", ""],
        [*VALUE, *PARAMETERS, *PARAMETERS],
    ),
    "04": (
        ["GET /secured", "GET /secured", "GET /admin", "POST /logout", "POST /login"],
        ["bearer", "bearer", "bearer", "", "basic"],
        [*VALUE, *TOKEN, *TOKEN, *BASIC],
    ),
    "05": (
        ["GET /", "GET /", "POST /pin", "POST /enroll", "GET /enroll.svg"],
        ["basic", "basic", "basic", "", "digest"],
        [*VALUE, *BASIC, *CODE, *CODE],
    ),
    "06": (
        ["GET /", "GET /", "GET /login", "GET /admin", "GET /sessions", "POST /login"]
        + ["POST /login", "POST /logout", "POST /password", "POST /sessions/end"],
        ["cookie", "cookie", "cookie", ""],
        [*FORM, *FORM, *SESSION, *SESSION],
    ),
}


def plans(lesson):
    """Return the strategy for a lesson's requests."""
    routes, kinds, oddities = LESSONS[lesson]
    return st.fixed_dictionaries(
        {
            "lesson": st.just(lesson),
            "right": st.booleans(),
            "route": st.sampled_from(routes),
            "kind": st.sampled_from(kinds),
            "count": st.integers(1, 2**32 - 1),
            "oddities": st.lists(st.one_of(*REQUEST, *oddities), max_size=3),
        }
    )


def damaged(data: bytes, step) -> bytes:
    """Do to the bytes what the step says, if there is one."""
    if step is None:
        return data
    place, what, more = step
    at = place * len(data) // 100
    return {
        "insert": data[:at] + more + data[at:],
        "replace": data[:at] + more + data[at + len(more) :],
        "delete": data[:at] + data[at + 3 :],
        "cut": data[:at],
        "twice": data[:at] + data[at : at + 20] * 2 + data[at + 20 :],
        "case": data[:at] + data[at:].swapcase(),
    }[what]


def one_line(data: bytes) -> bytes:
    """Return the bytes without line ends, so that they stay in their header."""
    return data.replace(b"\r", b"").replace(b"\n", b"")


def b64(data: bytes) -> bytes:
    """Return base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def bytes_of(plan, own) -> bytes:
    """Turn a plan into a request; own: what this run has: `challenge` and `key`."""
    its = dict(plan["oddities"])
    method, _, path = plan["route"].encode().partition(b" ")
    method = its.get("method", method)
    target = path + (b"?" + its["query"] if "query" in its else b"")
    target = one_line(damaged(target, its.get("twist"))) or b"/"
    head = [b"%s %s HTTP/1.1" % (method, target), b"Host: 127.0.0.1"]
    if plan["kind"] == "cookie":
        head += session_lines(plan, its, own)
    elif plan["kind"]:
        make = {"basic": basic_value, "digest": digest_value, "bearer": bearer_value}[plan["kind"]]
        value = make(plan, its, method, target, own)
        value = its.get("scheme", plan["kind"].title().encode()) + its.get("gap", b" ") + value
        head.append(b"Authorization: " + one_line(damaged(value, its.get("damage"))))
    if plan["lesson"] == "05":
        head.append(b"OTP: " + one_line(its.get("otp", b"000000")))
    body = b""
    if plan["route"].startswith("POST") and plan["lesson"] in ("01", "02", "06"):
        fields = form_fields(plan, its, own)
        kind, body = form_of(fields, its)
        head += [b"Content-Type: " + kind] if kind else []
    if "extra" in its:
        head.append(its["extra"][0] + b": " + one_line(its["extra"][1]))
    head += [b"Content-Length: %d" % len(body), b"Connection: close"]
    return damaged(b"\r\n".join([*head, b"", body]), its.get("whole"))


def is_broken(plan) -> bool:
    """Tell whether the request may be no HTTP at all."""
    return "whole" in dict(plan["oddities"])


def basic_value(plan, its, method, target, own) -> bytes:
    """Return base64 of name and password, in one of several styles."""
    right = its.get("password", b"pass1") if plan["right"] else WRONG + its.get("password", b"")
    pair = its.get("name", b"user1") + b":" + right
    whole = base64.b64encode(pair)
    return {
        "plain": whole,
        "url": base64.urlsafe_b64encode(pair),
        "bare": whole.rstrip(b"="),
        "twice": whole + b", " + whole,
        "none": pair,
    }[its.get("style", "plain")]


def digest_value(plan, its, method, target, own) -> bytes:
    """Return the parameters; the response is computed over what is sent, odd as it may be."""
    challenge = own["challenge"]
    values = {
        "username": b"user1",
        "realm": challenge["realm"].encode(),
        "nonce": challenge["nonce"].encode(),
        "uri": target,
        "opaque": challenge["opaque"].encode(),
        "qop": b"auth",
        "nc": b"%08x" % plan["count"],
        "cnonce": b"c",
        "algorithm": challenge["algorithm"].encode(),
    }
    name, value, style = its.get("change", (None, None, None))
    if name:
        values[name] = value

    def h(*parts):
        kind = hashlib.md5 if values["algorithm"] == b"MD5" else hashlib.sha256
        return kind(b":".join(part or b"" for part in parts)).hexdigest().encode()

    ha1 = h(values["username"], values["realm"], b"pass1" if plan["right"] else WRONG)
    session = [values[one] for one in ("nonce", "nc", "cnonce", "qop")]
    values.setdefault("response", h(ha1, *session, h(method, values["uri"])))
    pairs = [(n, v, style if n == name else "") for n, v in values.items() if v is not None]
    pairs += [its["more"]] if "more" in its else []
    return its.get("comma", b", ").join(parameter(*one) for one in pairs)


def parameter(name, value, style) -> bytes:
    """Write a parameter in one of several styles, right ones and wrong ones."""
    escaped = value.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    usual = "bare" if name in ("algorithm", "qop", "nc") else "quoted"
    spelt = {
        "quoted": b'="' + escaped + b'"',
        "bare": b"=" + value,
        "star": b"*=UTF-8''" + b"".join(b"%%%02X" % byte for byte in value),
        "single": b"='" + value + b"'",
    }
    return name.encode() + spelt[style or usual]


def bearer_value(plan, its, method, target, own) -> bytes:
    """Return a token; it is signed over what is sent, odd as it may be."""
    now = int(time.time())
    claims = {"iss": "Lesson 04", "aud": "Lesson 04", "sub": "user1", "jti": f"{plan['count']}"}
    claims = {
        **claims,
        "iat": now,
        "exp": now + 60,
        **dict([its["claim"]] if "claim" in its else []),
    }
    header = {"alg": "HS256", **dict([its["header"]] if "header" in its else [])}
    which, step = its.get("part", (None, None))
    parts = [json.dumps(one).encode() for one in (header, claims)]
    parts = [b64(damaged(one, step if n == which else None)) for n, one in enumerate(parts)]
    data = b".".join(parts)
    signature = b64(hmac.digest(own["key"] if plan["right"] else WRONG, data, "sha256"))
    return data + b"." + damaged(signature, step if which == 2 else None)


def session_of(plan, its, own) -> bytes:
    """Return the value of lesson 06's cookie: of user1's session, or of none."""
    return its.get("cookie", own["session"] if plan["right"] else WRONG)


def session_lines(plan, its, own) -> list[bytes]:
    """Return the headers that a browser sends in lesson 06."""
    lines = [
        b"Cookie: lesson06=" + one_line(damaged(session_of(plan, its, own), its.get("damage")))
    ]
    lines += [b"User-Agent: " + one_line(its["agent"])] if "agent" in its else []
    return lines + ([b"Origin: " + one_line(its["origin"])] if "origin" in its else [])


def form_fields(plan, its, own) -> list[tuple[bytes, bytes]]:
    """Return a form's fields. What registers and what logs in never are the same."""
    name, password = its.get("form name", b"user1"), its.get("form password", b"pass1")
    if plan["route"] == "POST /register":
        name = b"REG" + name
    elif not plan["right"]:
        password = WRONG + password
    if plan["lesson"] != "06":
        return [(b"username", name), (b"password", password)]
    right = hmac.digest(own["key"], session_of(plan, its, own), "sha256").hex().encode()
    fields = {
        "POST /login": [(b"username", name), (b"password", password)],
        "POST /password": [(b"old", b"pass1"), (b"new", password)],
    }.get(plan["route"], [])
    return [(b"csrf", its.get("csrf", right)), *fields]


def form_of(fields, its):
    """Return a form's type and its bytes."""

    def percent(data):
        return b"".join(b"%%%02X" % byte for byte in data)

    def part(key, value):
        return b'--b\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (key, value)

    many = b"".join(part(*field) for field in fields) + b"--b--\r\n"
    pairs = b"&".join(key + b"=" + percent(value) for key, value in fields)
    kind, body = {
        "": (b"application/x-www-form-urlencoded", pairs),
        "multipart": (b"multipart/form-data; boundary=b", many),
        "json": (b"application/json", b'{"username":"user1","password":"pass1"}'),
        "none": (b"", pairs),
    }[its.get("type", "")]
    return kind, damaged(body, its.get("form damage"))
