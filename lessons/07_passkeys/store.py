"""What lesson 07 keeps: its tables, and the functions through which app.py uses them.

To use a database of your own, rewrite this file; app.py stays as it is.
"""

import io
import re
import sys
import time
import unicodedata
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_bytes, token_hex

import cbor2
from flask import Response, abort, request
from passlib.hash import argon2

import groundwork
import sessions
from groundwork import db, transaction

PAGE = Path(__file__).with_name("static")  # the folder of the page and its script
# Argon2id at OWASP's parameters: 19 MiB, 2 rounds, 1 thread (lesson 01).
argon2id = argon2.using(type="ID", memory_cost=19456, rounds=2, parallelism=1)
NOBODY = argon2id.hash(token_hex())  # an unknown user costs a hash as well
TABLES = f"""
CREATE TABLE users (name TEXT PRIMARY KEY, hash TEXT, handle BLOB);
CREATE TABLE passkeys (id TEXT PRIMARY KEY, name TEXT, key BLOB, count INTEGER, can_sync INTEGER,
    synced INTEGER, made REAL, used REAL, went_back REAL);
CREATE INDEX passkeys_name ON passkeys (name);
CREATE TABLE challenges (challenge BLOB PRIMARY KEY, browser TEXT, purpose TEXT, name TEXT,
    until REAL);
CREATE INDEX challenges_browser ON challenges (browser);
CREATE INDEX challenges_until ON challenges (until);
{sessions.TABLES}"""


def set_up(app, **seconds):
    """Read the settings, and make the tables with the demo users unless they are there.

    seconds: lifetimes, by name. The host of FLASK_ORIGIN becomes the setting RP_ID.
    """
    app.config.from_mapping(ORIGIN="http://localhost:5007")
    groundwork.set_up(app, 5007, TABLES, add_demo_users, **seconds)
    domain = r"(?:[a-z0-9-]+\.)*[a-z][a-z0-9-]*"  # no address of numbers: passkeys have none
    form = rf"https://({domain})(:(?!443$)\d+)?|http://((?:{domain}\.)?localhost)(:(?!80$)\d+)?"
    if not (found := re.fullmatch(form, str(app.config["ORIGIN"]))):
        sys.exit(
            "FLASK_ORIGIN must be as browsers show it, such as https://example.com: https (or "
            "http and localhost), a domain in small letters, the port unless the usual, no path."
        )
    if type(app.config["SESSION_COOKIE_SECURE"]) is not bool:  # the text "no" would count as yes
        sys.exit("FLASK_SESSION_COOKIE_SECURE must be true or false.")
    app.config["RP_ID"] = found[1] or found[3]
    app.config["SESSION_COOKIE_SECURE"] |= bool(found[1])
    sessions.set_up(app)


def add_demo_users():
    add = "INSERT INTO users VALUES (?, ?, ?)"
    for name, password in [("user1", "pass1"), ("user2", "pass2")]:
        db().execute(add, [name, argon2id.hash(password), token_bytes(64)])


def check_password(name, password):
    """Return the user's row if the pair is right, else None: lessons 01 and 02 in short."""
    name, password = clean(name, 64), clean(password, 1024)
    if name is None or password is None:
        return None
    user = db().execute("SELECT * FROM users WHERE name = ?", [name]).fetchone()
    stored = user["hash"] if user else None
    try:
        right = argon2id.verify(password, stored or NOBODY)
    except ValueError:  # a hash that can't be read fits no password
        right = False
    return user if stored and right else None


def password_owner(realm):
    """Return the user whose Basic credentials came along, or answer with a challenge: lesson 02."""
    try:
        sent = request.authorization
    except ValueError:  # Werkzeug, when Basic comes with bytes beyond ASCII
        sent = None
    basic = sent and sent.type == "basic"
    user = check_password(sent.username, sent.password) if basic else None
    said = "User name or password is wrong." if basic else "Log in, or send name and password."
    challenge = {"WWW-Authenticate": f'Basic realm="{realm}", charset="UTF-8"'}
    return user or abort(Response(f"{said}\n", 401, challenge, mimetype="text/plain"))


def clean(text, most):
    """Return text in one form, of 1 to `most` bytes in UTF-8; None if unusable (lesson 01)."""
    if len(text.encode()) > 4 * most:  # NFC never shortens so much, and is slow on long text
        return None
    text = re.sub("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]", " ", text)
    text = unicodedata.normalize("NFC", text)
    odd = "\0" in text or "\ufffd" in text  # the latter stands for bytes that were no UTF-8
    return text if 1 <= len(text.encode()) <= most and not odd else None


def keep_challenge(challenge, browser, purpose, name, lifetime):
    """Keep a challenge for one browser and purpose; name: the user it was made for, or None."""
    keep, now = "INSERT INTO challenges VALUES (?, ?, ?, ?, ?)", time.time()
    values = [challenge, sessions.digest(browser), purpose, name, now + lifetime]
    db().execute(keep, values)
    sweep = """DELETE FROM challenges WHERE challenge IN
        (SELECT challenge FROM challenges WHERE until < ? LIMIT 100)"""
    db().execute(sweep, [now])


def use_challenge(challenge, browser, purpose, lifetime):
    """Take a challenge away and return its row; None if it does not count, or no more."""
    find = """SELECT * FROM challenges WHERE challenge = ? AND browser = ? AND purpose = ?
        AND until - ? BETWEEN 0 AND ?"""
    values = [challenge, sessions.digest(browser), purpose, time.time(), lifetime]
    row = db().execute(find, values).fetchone()
    use = "DELETE FROM challenges WHERE challenge = ?"  # of two at once, one deletes it
    return row if row and db().execute(use, [challenge]).rowcount == 1 else None


def add_passkey(name, id, key, count, can_sync, synced):
    """Keep a user's new passkey; return False if this id is known, whosever it is."""
    add = "INSERT OR IGNORE INTO passkeys VALUES (?, ?, ?, ?, ?, ?, ?, NULL, NULL)"
    values = [id, name, key, count, can_sync, synced, time.time()]
    return db().execute(add, values).rowcount == 1


def passkeys_of(user):
    """Return what a user is shown of each of their passkeys, as JSON knows it, the oldest first.

    went_back: when its counter did, since somebody has a copy.
    """

    def when(seconds):
        return seconds and f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"

    find = "SELECT * FROM passkeys WHERE name = ? ORDER BY made"
    return [
        {
            "id": key["id"],
            "synced": bool(key["synced"]),
            **{name: when(key[name]) for name in ("made", "used", "went_back")},
        }
        for key in db().execute(find, [user["name"]])
    ]


def find_passkey(id):
    """Return a passkey's row and its user's in one, None if there is none."""
    find = "SELECT * FROM passkeys JOIN users USING (name) WHERE id = ?"
    return db().execute(find, [id]).fetchone()


def use_passkey(id, count, synced):
    """Note that a passkey was used; return False if it is gone, or its counter did not go up."""
    use = """UPDATE passkeys SET count = ?, synced = ?, used = ?
        WHERE id = ? AND (count < ? OR count = 0 AND ? = 0)"""  # 0: it does not count
    return db().execute(use, [count, synced, time.time(), id, count, count]).rowcount == 1


def note_copy(id):
    """Note that a passkey's counter went back, for its owner to see."""
    db().execute("UPDATE passkeys SET went_back = ? WHERE id = ?", [time.time(), id])


def remove_passkey(user, id):
    """Remove a user's passkey and end what began with it; return False if they have none such."""
    remove = "DELETE FROM passkeys WHERE id = ? AND name = ?"
    with transaction():
        found = db().execute(remove, [id, user["name"]]).rowcount == 1
        if found:
            sessions.end_others(id)
    return found


def refuse_tags(response):
    """Raise an error if a device's CBOR has tags, which CTAP2 (section 8) forbids.

    With tags a part can name another part twice, which names another twice, and so on. The library
    writes anew what it has read, and from 260 bytes that would make gigabytes.
    """
    no_tags = defaultdict(lambda: None)  # to call None is an error
    data = getattr(response, "authenticator_data", None)
    if data is None:
        attestation = cbor2.loads(response.attestation_object, semantic_decoders=no_tags)
        data = attestation["authData"]
    # Before the CBOR are 37 bytes and, with a new key, 18 more and the id (section 6.1).
    rest = data[55 + int.from_bytes(data[53:55], "big") if data[32] & 64 else 37 :]
    decoder = cbor2.CBORDecoder(io.BytesIO(rest), semantic_decoders=no_tags)
    while decoder.fp.tell() < len(rest):
        decoder.decode()
