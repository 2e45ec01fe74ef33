"""Lesson 07 with JSON, base64url, CBOR and signed bytes that are broken: a 4xx, nobody let in."""

import copy
import json
import random

import cbor2
import pytest
from on_passkeys import Browser, enrolled

from learn import Authenticator, Lesson
from learn.running.authenticator import decode, encode

ODD = [None, True, 0, -1, 1e400, "", "A", "=", "é", "\0", "A" * 5000, [], {}, [[]], {"a": None}]
DEEP = '{"a":' * 2000 + "1" + "}" * 2000


def places(value, path=()):
    """Return the paths of all members and items in a JSON value."""
    found = [path] if path else []
    if isinstance(value, (dict, list)):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for name, item in items:
            found += places(item, (*path, name))
    return found


def set_at(value, path, new):
    """Replace what stands at a path; `...` takes it out."""
    for name in path[:-1]:
        value = value[name]
    if new is ...:
        del value[path[-1]]
    else:
        value[path[-1]] = new


def flipped(data, chance):
    """Return bytes with one of them changed, or some cut off, added or doubled."""
    at = chance.randrange(len(data))
    kind = chance.randrange(4)
    if kind == 0:
        return data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1 :]
    return [data[:at], data + chance.randbytes(3), data[:at] + data][kind - 1]


def broken(answer, chance):
    """Return an answer of an authenticator with something in it broken: text, or JSON."""
    value = copy.deepcopy(answer)
    kind = chance.randrange(6)
    if kind == 0:
        set_at(value, chance.choice(places(value)), chance.choice([*ODD, ...]))
    elif kind == 1:
        text = json.dumps(value)
        at = chance.randrange(len(text))
        return text[:at] + chance.choice(["", "\\", '"', "}", "\ud800", "\x00"]) + text[at + 1 :]
    elif kind == 2 and "attestationObject" in value["response"]:
        attested = cbor2.loads(decode(value["response"]["attestationObject"]))
        name = chance.choice(["fmt", "attStmt", "authData"])
        odd = [1, "packed", b"", {}, flipped(attested["authData"], chance)]
        attested[name] = chance.choice(odd)
        value["response"]["attestationObject"] = encode(cbor2.dumps(attested))
    elif kind == 3:
        said = json.loads(decode(value["response"]["clientDataJSON"]))
        set_at(said, chance.choice(places(said)), chance.choice([*ODD, ...]))
        value["response"]["clientDataJSON"] = encode(json.dumps(said).encode())
    else:
        names = [n for n, v in value["response"].items() if isinstance(v, str)]
        name = chance.choice(names)
        value["response"][name] = encode(flipped(decode(value["response"][name]), chance))
    return json.dumps(value)


@pytest.mark.long
def test_broken_answers(request):
    """Whatever is broken in an answer: no 500, and nobody is let in by it."""
    rounds = 4000 if request.config.getoption("--long") else 400
    chance = random.Random(request.config.getoption("--long") and random.random() or 7)
    with Lesson("07") as app:
        phone = enrolled(app)
        browser = Browser(app, app.origin)
        for number in range(rounds):
            if number % 2:
                options = browser.post("/login/options").json()
                good, target, refused = phone.get(options), "/login", (400, 403)
            else:
                asked = browser.post("/register/options", basic=("user2", "pass2"))
                other = Authenticator(app.origin)
                good, target, refused = other.create(asked.json()), "/register", (400,)
            sent = broken(good, chance).encode("utf-8", "surrogatepass").decode("utf-8", "replace")
            answer = browser.send("POST", target, headers={"Content-Type": "application/json"},
                                  body=sent)  # fmt: skip
            harmless = answer.status in (200, 201) and same_where_it_counts(sent, good)
            assert answer.status in refused or harmless, (number, sent[:2000], answer.text)
        assert "Traceback" not in app.log


def same_where_it_counts(sent, good):
    """Whether a message still says what its signature covers, and whose key it is.

    A registration is not signed (its attestation is "none"): any key will do, of whoever answers
    this challenge from this origin, present and verified, for this domain.
    """
    try:
        value = json.loads(sent)
        if "attestationObject" in good["response"]:
            return covered(value) == covered(good)
        parts = ["clientDataJSON", "authenticatorData", "signature", "userHandle"]
        both = [[v["id"], *(decode(v["response"][name]) for name in parts)] for v in (value, good)]
    except Exception:  # of any kind: then it is not the same
        return False
    return both[0] == both[1]


def covered(value):
    said = json.loads(decode(value["response"]["clientDataJSON"]))
    data = cbor2.loads(decode(value["response"]["attestationObject"]))["authData"]
    framed = bool(said.get("crossOrigin")) or "topOrigin" in said
    return [said[n] for n in ("type", "challenge", "origin")], framed, data[:32], data[32] & 5


@pytest.mark.parametrize("target", ["/register", "/login"])
def test_what_is_no_answer_at_all(target):
    """Bodies that are no JSON, of another form, or nested without end."""
    bodies = ["", "{", "null", "[]", "1", '"x"', "{}", '{"id": 1}', DEEP, "[" * 5000]
    bodies += ['{"id":"a","rawId":"a","type":"public-key","response":{}}', "\ufeff{}", "\0"]
    with Lesson("07") as app:
        for body in bodies:
            for kind in ("application/json", "text/plain", "application/json; charset=utf-16"):
                answer = app.post(target, headers={"Content-Type": kind}, body=body)
                assert answer.status == 400, (body[:60], kind, answer.text)
                assert answer.text.strip().endswith(".") and "Traceback" not in app.log
