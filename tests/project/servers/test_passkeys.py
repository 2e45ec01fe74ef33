"""Lesson 07 from outside: workers, restarts, CBOR that grows, sessions that end with their key."""

import hashlib
import json
import os
import time
from concurrent.futures import ThreadPoolExecutor

import cbor2
import pytest
from webauthn.helpers import (
    decode_credential_public_key,
    decoded_public_key_to_cryptography,
    verify_signature,
)

from learn import Authenticator, Browser, Lesson
from learn.running.authenticator import WITH_KEY, decode, encode, sign

USER1, USER2 = ("user1", "pass1"), ("user2", "pass2")
posix = pytest.mark.skipif(os.name == "nt", reason="gunicorn does not run on Windows")
WITH_EXTENSIONS = 128


def device(app, pair=USER1):
    """Return a browser and a device that has a passkey of this user."""
    browser, phone = Browser(app), Authenticator(app.origin)
    options = browser.post("/register/options", basic=pair).json()
    assert browser.post("/register", json_body=phone.create(options)).status == 201
    return browser, phone


def log_in(browser, phone):
    options = browser.post("/login/options").json()
    return browser.post("/login", json_body=phone.get(options)).status


@posix
@pytest.mark.rest
def test_four_workers():
    """Challenges, keys and sessions are the same for four workers, and after a restart."""
    with Lesson("07", workers=4) as app:
        for _ in range(2):
            browser, phone = device(app)
            for _ in range(6):
                assert log_in(browser, phone) == 200
            with ThreadPoolExecutor(8) as pool:
                answers = list(pool.map(lambda _: browser.get("/secured").status, range(16)))
            assert answers == [200] * 16
            options = browser.post("/login/options").json()
            answer, cookies = phone.get(options), dict(browser.cookies)
            copies = [Browser(app) for _ in range(8)]
            for copy in copies:
                copy.cookies = dict(cookies)
            with ThreadPoolExecutor(8) as pool:
                got = list(pool.map(lambda one: one.post("/login", json_body=answer), copies))
            assert sorted(one.status for one in got) == [200] + [403] * 7
            assert browser.post("/logout").status == 204
            app.restart()
            assert {browser.get("/secured").status for _ in range(8)} == {403}
            assert browser.post("/login", json_body=answer).status == 403


def growing(levels):
    """Return CBOR of a few bytes a level, each of which names the one before it twice."""
    parts = [b"\xd8\x1c\x82\x01\x01"]
    for level in range(levels - 1):
        parts.append(b"\xd8\x1c\x82" + (b"\xd8\x1d" + cbor2.dumps(level)) * 2)
    return bytes([0x98, levels]) + b"".join(parts)


def test_cbor_does_not_grow():
    """CBOR whose parts name one another is refused at once, wherever it stands."""
    with Lesson("07") as app:
        browser, phone = device(app)
        for place in ("key", "extensions", "statement"):
            options = Browser(app)
            asked = options.post("/register/options", basic=USER2).json()
            answer = Authenticator(app.origin).create(asked)
            attestation = cbor2.loads(decode(answer["response"]["attestationObject"]))
            data = bytearray(attestation["authData"])
            if place == "key":
                del data[55 + 32 :]
                data += growing(40)
            elif place == "extensions":
                data[32] |= WITH_EXTENSIONS
                data += growing(40)
            parts = {"fmt": "none", "attStmt": {}, "authData": bytes(data)}
            raw = cbor2.dumps(parts)
            if place == "statement":
                raw = raw.replace(b"\xa0", b"\xa1" + cbor2.dumps("sig") + growing(40), 1)
            answer["response"]["attestationObject"] = encode(raw)
            assert options.post("/register", json_body=answer).status == 400, place
        for flag, more in [(WITH_EXTENSIONS, b""), (WITH_KEY, bytes(18))]:
            assert log_in_with(browser, phone, flag, more + growing(40)) == 403
        assert log_in_with(browser, phone, WITH_EXTENSIONS, cbor2.dumps({"a": 1})) == 200


def log_in_with(browser, phone, flag, more):
    """Log in with authenticator data that has more at its end, rightly signed."""
    answer = phone.get(browser.post("/login/options").json())
    data = bytearray(decode(answer["response"]["authenticatorData"]) + more)
    data[32] |= flag
    client = hashlib.sha256(decode(answer["response"]["clientDataJSON"])).digest()
    answer["response"]["authenticatorData"] = encode(bytes(data))
    answer["response"]["signature"] = encode(sign(phone.keys[-1], bytes(data) + client))
    return browser.post("/login", json_body=answer).status


def test_devices_may_add_extensions():
    """Chrome has devices add credProtect to a registration, whether it was asked for or not."""
    with Lesson("07") as app:
        browser = Browser(app)
        options = browser.post("/register/options", basic=USER1).json()
        answer = Authenticator(app.origin).create(options)
        attestation = cbor2.loads(decode(answer["response"]["attestationObject"]))
        data = bytearray(attestation["authData"])
        data[32] |= WITH_EXTENSIONS
        attestation["authData"] = bytes(data) + cbor2.dumps({"credProtect": 2})
        answer["response"]["attestationObject"] = encode(cbor2.dumps(attestation))
        assert browser.post("/register", json_body=answer).status == 201


def test_half_a_letter_is_no_text():
    """JSON can hold half of a surrogate pair; it is refused, in the client data and around it."""
    with Lesson("07") as app:
        browser, phone = device(app)
        for _ in range(2):
            answer = phone.get(browser.post("/login/options").json(), client={"origin": "\ud800"})
            assert browser.post("/login", json_body=answer).status == 400
            answer = phone.get(browser.post("/login/options").json())
            assert browser.post("/login", json_body={**answer, "id": "\ud800"}).status == 400


def test_transfer_is_proved_after_its_passkey_was_removed():
    """What is kept of a transfer is enough to verify what its owner signed, and it holds."""
    with Lesson("07", "beyond") as app:
        browser, phone = device(app)
        assert log_in(browser, phone) == 200
        wanted = {"to": "user2", "amount": 25}
        signed = phone.get(browser.post("/transfer/options", json_body=wanted).json())
        made = browser.post("/transfer", json_body={**wanted, "credential": signed})
        assert made.status == 200
        assert browser.send("DELETE", f"/passkeys/{phone.keys[-1].id}").status == 204
        (kept,) = app.rows("SELECT * FROM transfers")
    key = decoded_public_key_to_cryptography(decode_credential_public_key(kept["public_key"]))
    data = kept["authenticator_data"] + hashlib.sha256(kept["client_data"]).digest()
    verify_signature(public_key=key, signature_alg=-7, signature=kept["signature"], data=data)
    what = {"amount": kept["amount"], "to": kept["receiver"]}
    agreed = decode(json.loads(kept["client_data"])["challenge"])[32:]
    assert agreed == hashlib.sha256(json.dumps(what).encode()).digest()


def test_odd_transfers_are_refused():
    """JSON nested as deep as a body can hold, half a letter and what can't be shown are 400."""
    deep = "[" * 16_000
    with Lesson("07", "beyond") as app:
        browser, phone = device(app)
        assert log_in(browser, phone) == 200
        json_type = {"Content-Type": "application/json"}
        for target in ("/transfer/options", "/transfer"):
            for body in (deep, '{"to":' * 2_600, f'{{"to": "x", "amount": 1, "x": {deep[:9000]}'):
                answer = browser.send("POST", target, headers=json_type, body=body)
                assert answer.status == 400, body[:30]
            for to in ("\ud800", "a\0b", "\u202e1resu"):
                answer = browser.post(target, json_body={"to": to, "amount": 1})
                assert answer.status == 400, to
        assert app.rows("SELECT * FROM transfers") == []


def test_removed_passkey_ends_its_sessions():
    """With a passkey the sessions that began with it end, and what they asked for; not this one."""
    with Lesson("07") as app:
        stolen, lost = device(app)
        owner, phone = device(app)
        assert log_in(stolen, lost) == log_in(owner, phone) == 200
        options = stolen.post("/register/options").json()
        gone = lost.keys[-1].id
        assert owner.send("DELETE", f"/passkeys/{gone}").status == 204
        assert stolen.get("/secured").status == 403 and owner.get("/secured").status == 200
        answer = Authenticator(app.origin).create(options)
        assert stolen.post("/register", json_body=answer).status == 400
        mine = phone.keys[-1].id  # one's own last one: the session goes on until it ends
        assert owner.send("DELETE", f"/passkeys/{mine}").status == 204
        assert owner.get("/secured").status == 200 and owner.get("/passkeys").json() == []


def test_logout_ends_what_was_asked_for():
    """A registration that was begun in a session can't be finished after its logout."""
    with Lesson("07") as app:
        browser, phone = device(app)
        assert log_in(browser, phone) == 200
        cookies = dict(browser.cookies)
        answer = Authenticator(app.origin).create(browser.post("/register/options").json())
        assert browser.post("/logout").status == 204
        browser.cookies = cookies
        assert browser.post("/register", json_body=answer).status == 400


def test_two_tabs():
    """A second tab that asks does not end what the first was given."""
    with Lesson("07") as app:
        browser, phone = device(app)
        options = browser.post("/login/options").json()
        browser.post("/login/options")
        assert browser.post("/login", json_body=phone.get(options)).status == 200


def test_old_rows_are_swept():
    """Challenges that are over leave the database with the next ones."""
    with Lesson("07", CHALLENGE_LIFETIME=1) as app:
        for _ in range(5):
            Browser(app).post("/login/options")
        time.sleep(1.2)
        Browser(app).post("/login/options")
        assert app.rows("SELECT count(*) AS number FROM challenges") == [{"number": 1}]


def test_database_opens_nothing():
    """Neither the cookies nor a private key, nor a password, stands in what is kept."""
    with Lesson("07") as app:
        browser, phone = device(app)
        assert log_in(browser, phone) == 200
        kept = json.dumps([app.rows(f"SELECT * FROM {t}") for t in TABLES], default=repr)
        secrets = [
            *browser.cookies.values(),
            "pass1",
            str(phone.keys[-1].private.private_numbers()),
        ]
        assert not [secret for secret in secrets if secret in kept]


TABLES = ("users", "passkeys", "sessions", "challenges")
