"""Passkeys in JSON: each part is opened, what servers refuse is told, damage gets a sentence."""

import base64
import hashlib
import json
import random
import re
import secrets

import cbor2
import pytest

from learn.explain import explain_line
from learn.explain.note import all_wrong

KEY = {1: 2, 3: -7, -1: 1, -2: bytes(32), -3: bytes(32)}


def packed(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def client(kind="webauthn.get", **more):
    said = {"type": kind, "challenge": packed(secrets.token_bytes(32))}
    said |= {"origin": "http://localhost:5007", "crossOrigin": False} | more
    return packed(json.dumps(said).encode())


def data(site="localhost", flags=5, count=7, more=b""):
    return hashlib.sha256(site.encode()).digest() + bytes([flags]) + count.to_bytes(4, "big") + more


def login(sent=None, signed=None, **more):
    inner = {"clientDataJSON": sent or client(), "authenticatorData": packed(signed or data())}
    inner |= {"signature": packed(b"\x30" + bytes(70)), "userHandle": packed(b"\xfe" * 32)} | more
    return json.dumps({"id": "a" * 43, "rawId": "a" * 43, "type": "public-key", "response": inner})


def registration(key=KEY, flags=0x45):
    id = bytes(32)
    made = data(flags=flags, more=bytes(16) + b"\0\x20" + id + cbor2.dumps(key))
    attested = packed(cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": made}))
    inner = {"clientDataJSON": client("webauthn.create"), "attestationObject": attested}
    return json.dumps({"id": packed(id), "rawId": packed(id), "response": inner})


def read(text):
    notes = explain_line(text)
    return " ".join(f"{note.part} {note.text}" for note in notes), all_wrong(notes)


def test_a_login_is_opened():
    """Client data, flags, counter and signature of a good login; nothing is wrong with it."""
    said, wrong = read(login())
    for part in ("a passkey is used", "http://localhost:5007", "`localhost`", "UV: the user was"):
        assert part in said
    assert "7 the signature counter" in said and "DER" in said and "32 bytes that" in said
    assert wrong == []


def test_a_registration_is_opened():
    """The CBOR of a registration, down to the public key as COSE."""
    said, wrong = read(registration())
    assert "a passkey is made" in said and "curve P-256" in said and "ES256" in said
    assert wrong == []


@pytest.mark.parametrize(
    "flags, told",
    [
        (0x45, "UP: a user was UV: the user was BE not set: BS not set: AT: a new key follows"),
        (0x5D, "UP: a user was UV: the user was BE: the key may BS: the key is AT: a new key"),
        (0xC0, "UP not set: no user UV not set: BE not set: BS not set: AT: ED: extensions follow"),
    ],
)
def test_flags_are_told_as_they_are(flags, told):
    """What is set stands under its name, and of what is not, the first four say so."""
    said = read(registration(flags=flags))[0]
    at = -1
    for part in re.findall(r"[A-Z]{2}(?: not set)?:(?: [a-z]+)*", told):
        at = said.index(part, at + 1)
    assert ("ED" in told) == ("ED" in said)


def test_a_login_brings_no_key():
    """Of a login, the flags name neither a key nor extensions."""
    said = read(login())[0]
    assert "BE not set: the key stays" in said and "AT" not in said and "ED:" not in said


OPTIONS = {
    "challenge": packed(bytes(range(32))),
    "rp": {"id": "localhost", "name": "x"},
    "user": {"id": packed(b"\xfe" * 32), "name": "user1", "displayName": "user1"},
    "pubKeyCredParams": [{"type": "public-key", "alg": -7}, {"type": "public-key", "alg": -257}],
}


def test_options_are_read():
    """What a server asks for: the algorithms by name, and the account by its random handle."""
    said, wrong = read(json.dumps(OPTIONS))
    assert "to be made" in said and "RS256" in said and not wrong


@pytest.mark.parametrize(
    "text, told, is_refused",
    [
        (login(client(crossOrigin=True)), "in a frame", False),
        (login(client(challenge="YWJj")), "3 bytes; 16", False),
        (login(client(kind="webauthn.other")), "which no ceremony has", True),
        (login(client(origin="http://10.0.0.1")), "another domain", True),
        (login(client(origin="http://example.com"), data("example.com")), "plain http", False),
        (login(client(origin="https://evil.example")), "another domain than `evil.example`", True),
        (login(signed=data(flags=1)), "was not verified", False),
        (login(signed=data(flags=4)), "No user was present", True),
        (login(signed=data(flags=0x15)), "BS is set without BE", True),
        (login(userHandle=packed(b"user1")), "says `user1`", False),
        (login(signed=b"short"), "5 bytes", True),
        (registration({1: 2, 3: -99}), "-99", True),
        (json.dumps({**OPTIONS, "challenge": "YWJj"}), "3 bytes", False),
        (json.dumps({"challenge": "A" * 43, "rpId": "x", "allowCredentials": [{"id": "A"}]}),
         "lists the keys", False),
    ],
    ids=range(14),
)  # fmt: skip
def test_what_is_wrong_is_told(text, told, is_refused):
    """Each has one thing wrong, which is told first: refused by every server, or a risk."""
    wrong = read(text)[1]
    assert any(told in one.text and one.refused == is_refused for one in wrong), wrong


@pytest.mark.parametrize("domain", ["login.example.com", "example.com"])
def test_a_domain_above_the_origin_is_right(domain):
    """The RP ID may be the origin's host or a domain above it."""
    said, wrong = read(login(client(origin="https://login.example.com"), data(domain)))
    assert f"`{domain}`" in said and not wrong


def test_parts_alone_are_known():
    """Client data, authenticator data and attestation object are known without their names."""
    assert "a passkey is used" in read(client())[0]
    assert "a passkey is used" in read(base64.urlsafe_b64decode(client() + "==").decode())[0]
    assert "signature counter" in read(packed(data()))[0]
    attested = json.loads(registration())["response"]["attestationObject"]
    assert "public key as COSE" in read(attested)[0]


def test_damage_brings_nothing_down():
    """Bytes changed, cut and doubled in good messages: notes or a sentence, never another error."""
    chance = random.Random(7)
    good = [login(), registration(), json.dumps(OPTIONS), client(), packed(data())]
    good.append(json.loads(registration())["response"]["attestationObject"])
    for _ in range(1500):
        text = chance.choice(good)
        for _ in range(chance.randint(1, 3)):
            at = chance.randrange(len(text))
            text = (
                text[:at]
                + chance.choice(["", "A", "_", '"', "}", "[1]", "null", "\ud800"])
                + text[at + 1 :]
            )
        try:
            read(text)
        except ValueError as error:
            assert "Paste" in str(error)
    for value in (None, 1, [], {}, "", "x", True):
        for name in ("id", "rawId", "response"):
            for message in (login(), registration()):
                try:
                    read(json.dumps({**json.loads(message), name: value}))
                except ValueError:
                    pass
        for name in ("clientDataJSON", "authenticatorData", "attestationObject", "signature",
                     "userHandle", "transports"):  # fmt: skip
            for message in (login(), registration()):
                whole = json.loads(message)
                whole["response"][name] = value
                try:
                    read(json.dumps(whole))
                except ValueError:
                    pass
        for name in OPTIONS:
            try:
                read(json.dumps({**OPTIONS, name: value}))
            except ValueError:
                pass
