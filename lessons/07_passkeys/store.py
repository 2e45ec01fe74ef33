"""What lesson 07 keeps: its tables, and the functions through which app.py uses them.

To use a database of your own, rewrite this file; app.py stays as it is.
"""

import hashlib
import re
import sys
import time
import unicodedata
from pathlib import Path
from secrets import token_bytes, token_hex, token_urlsafe

from passlib.hash import argon2

import groundwork
from groundwork import db, transaction

STATIC = Path(__file__).with_name("static")  # the page and its script
# Argon2id at OWASP's parameters: 19 MiB, 2 rounds, 1 thread (lesson 01).
argon2id = argon2.using(type="ID", memory_cost=19456, rounds=2, parallelism=1)
NOBODY = argon2id.hash(token_hex())  # an unknown user costs a hash as well
TABLES = """
CREATE TABLE users (name TEXT PRIMARY KEY, hash TEXT, handle BLOB);
CREATE TABLE passkeys (id TEXT PRIMARY KEY, name TEXT, key BLOB, count INTEGER, synced INTEGER,
    can_sync INTEGER, made REAL, used REAL, went_back REAL);
CREATE INDEX passkeys_name ON passkeys (name);
CREATE TABLE challenges (challenge BLOB PRIMARY KEY, browser BLOB, purpose TEXT, name TEXT,
    until REAL);
CREATE INDEX challenges_until ON challenges (until);
CREATE TABLE sessions (tag BLOB PRIMARY KEY, name TEXT, passkey TEXT, begun REAL, used REAL);
CREATE INDEX sessions_used ON sessions (used)
"""


def set_up(app, **seconds):
    """Read the settings, and make the tables with the demo users unless they are there.

    seconds: lifetimes, by name. The origin's host becomes the setting RP_ID.
    """
    app.config.from_mapping(ORIGIN="http://localhost:5007")
    groundwork.set_up(app, 5007, TABLES, add_demo_users, **seconds)
    host = r"((?:[a-z0-9-]+\.)*[a-z][a-z0-9-]*)"
    found = re.fullmatch(rf"(https?)://{host}(:\d+)?", str(app.config["ORIGIN"]))
    if not found or (found[1] == "http" and found[2].rpartition(".")[2] != "localhost"):
        sys.exit(
            "FLASK_ORIGIN must be the origin as browsers show it, such as https://example.com: "
            "https (or http://localhost), a domain in small letters, no path, no IP address."
        )
    app.config["RP_ID"], app.config["SECURE"] = found[2], found[1] == "https"


def add_demo_users():
    add = "INSERT INTO users VALUES (?, ?, ?)"
    for name, password in [("user1", "pass1"), ("user2", "pass2")]:
        db().execute(add, [name, argon2id.hash(password), token_bytes(64)])


def find_user(name):
    """Return a user's row (name, hash, handle), None if there is no such user."""
    return db().execute("SELECT * FROM users WHERE name = ?", [name]).fetchone()


def check_password(name, password):
    """Return the user's row if the pair is right, else None: lessons 01 and 02 in short."""
    name, password = clean(name, 64), clean(password, 1024)
    if name is None or password is None:
        return None
    user = find_user(name)
    stored = user["hash"] if user else None
    try:
        right = argon2id.verify(password, stored or NOBODY)
    except ValueError:  # a hash that can't be read fits no password
        right = False
    now = find_user(name)  # the password may have been changed while it was hashed
    return now if stored and right and now and now["hash"] == stored else None


def clean(text, most):
    """Return text in one form, of 1 to `most` bytes in UTF-8; None if unusable (lesson 01)."""
    if len(text.encode()) > 4 * most:  # NFC never shortens so much, and is slow on long text
        return None
    text = re.sub("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]", " ", text)
    text = unicodedata.normalize("NFC", text)
    odd = "\0" in text or "\ufffd" in text  # the latter stands for bytes that were no UTF-8
    return text if 1 <= len(text.encode()) <= most and not odd else None


def keep_challenge(challenge, browser, purpose, name, lifetime):
    """Keep a challenge of one browser, for one purpose; name: the user it was made for, or None."""
    keep, now = "INSERT INTO challenges VALUES (?, ?, ?, ?, ?)", time.time()
    db().execute(keep, [challenge, tag(browser), purpose, name, now + lifetime])
    sweep = """DELETE FROM challenges WHERE challenge IN
        (SELECT challenge FROM challenges WHERE until < ? LIMIT 100)"""
    db().execute(sweep, [now])


def use_challenge(challenge, browser, purpose, lifetime):
    """Take a challenge away and return its row; None if it does not count, or no more."""
    find = """SELECT * FROM challenges WHERE challenge = ? AND browser = ? AND purpose = ?
        AND until - ? BETWEEN 0 AND ?"""
    values = [challenge, tag(browser), purpose, time.time(), lifetime]
    row = db().execute(find, values).fetchone()
    use = "DELETE FROM challenges WHERE challenge = ?"  # of two at once, one wins
    return row if row and db().execute(use, [challenge]).rowcount == 1 else None


def begin_session(name, passkey):
    """Begin a session and return its id, of which only a hash is kept (lesson 06)."""
    id, now = token_urlsafe(32), time.time()
    db().execute("INSERT INTO sessions VALUES (?, ?, ?, ?, ?)", [tag(id), name, passkey, now, now])
    sweep = "DELETE FROM sessions WHERE tag IN (SELECT tag FROM sessions WHERE used < ? LIMIT 100)"
    db().execute(sweep, [now - 7 * 24 * 3600])
    return id


def find_session(id, idle, absolute):
    """Return the row of the user whose session it is, None if it is none, or ended."""
    find = """SELECT users.*, used FROM sessions JOIN users USING (name)
        WHERE tag = ? AND ? - begun BETWEEN 0 AND ? AND ? - used BETWEEN -1 AND ?"""
    now = time.time()
    row = db().execute(find, [tag(id), now, absolute, now, idle]).fetchone()
    if row and now - row["used"] > idle / 10:  # not each time: writing is slow
        db().execute("UPDATE sessions SET used = ? WHERE tag = ?", [now, tag(id)])
    return row


def end_session(id):
    """End a session, with the challenges that were made in it."""
    db().execute("DELETE FROM sessions WHERE tag = ?", [tag(id)])
    db().execute("DELETE FROM challenges WHERE browser = ?", [tag(id)])


def tag(id):
    return hashlib.sha256(id.encode("utf-8", "replace")).digest()


def add_passkey(name, id, key, count, can_sync, synced):
    """Keep a user's new passkey; return False if one of this id is there, whosever it is."""
    add = "INSERT OR IGNORE INTO passkeys VALUES (?, ?, ?, ?, ?, ?, ?, NULL, NULL)"
    values = [id, name, key, count, synced, can_sync, time.time()]
    return db().execute(add, values).rowcount == 1


def passkeys_of(user):
    """Return the rows of a user's passkeys, the oldest first."""
    find = "SELECT * FROM passkeys WHERE name = ? ORDER BY made"
    return db().execute(find, [user["name"]]).fetchall()


def find_passkey(id):
    """Return a passkey's row with its user's, None if there is none."""
    find = "SELECT * FROM passkeys JOIN users USING (name) WHERE id = ?"
    return db().execute(find, [id]).fetchone()


def use_passkey(id, count, synced):
    """Note that a passkey was used; return False if it is gone, or its counter did not go up."""
    use = """UPDATE passkeys SET count = ?, synced = ?, used = ?
        WHERE id = ? AND (count < ? OR count = 0 AND ? = 0)"""  # 0 is for those that don't count
    return db().execute(use, [count, synced, time.time(), id, count, count]).rowcount == 1


def note_copy(id):
    """Note that a passkey's counter went back, for its owner to see."""
    db().execute("UPDATE passkeys SET went_back = ? WHERE id = ?", [time.time(), id])


def remove_passkey(user, id, session):
    """Remove a user's passkey with the sessions that began with it, but for this one.

    Returns False if the user has no such passkey.
    """
    begun = "SELECT tag FROM sessions WHERE passkey = ? AND tag <> ?"
    with transaction():
        remove = "DELETE FROM passkeys WHERE id = ? AND name = ?"
        if db().execute(remove, [id, user["name"]]).rowcount != 1:
            return False
        db().execute(f"DELETE FROM challenges WHERE browser IN ({begun})", [id, tag(session)])
        db().execute(f"DELETE FROM sessions WHERE tag IN ({begun})", [id, tag(session)])
    return True
