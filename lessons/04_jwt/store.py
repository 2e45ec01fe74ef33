"""What lesson 04 keeps: its tables, and the functions through which app.py uses them.

To use a database of your own, rewrite this file; app.py stays as it is.
"""

import re
import time
import unicodedata
from secrets import token_hex

from passlib.hash import argon2

import groundwork
from groundwork import db

# Argon2id at OWASP's parameters: 19 MiB, 2 rounds, 1 thread (lesson 01).
argon2id = argon2.using(type="ID", memory_cost=19456, rounds=2, parallelism=1)
NOBODY = argon2id.hash(token_hex())  # an unknown user costs a hash as well
TABLES = """
CREATE TABLE users (name TEXT PRIMARY KEY, hash TEXT, admin INTEGER);
CREATE TABLE revoked (jti TEXT PRIMARY KEY, until REAL);
CREATE INDEX revoked_until ON revoked (until)
"""


def set_up(app, **seconds):
    """Read the settings, and make the tables with the demo users unless they are there.

    seconds: lifetimes, by name.
    """
    groundwork.set_up(app, 5004, TABLES, add_demo_users, **seconds)


def add_demo_users():
    demo = [argon2id.hash("pass1"), argon2id.hash("pass2")]
    db().execute("INSERT INTO users VALUES ('user1', ?, 1), ('user2', ?, 0)", demo)


def find_user(name):
    """Return a user's row (name, hash, admin), None if there is no such user."""
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


def revoke(jti, until):
    """Take the token of this name back; until: when it expires, in POSIX seconds."""
    db().execute("INSERT OR IGNORE INTO revoked VALUES (?, ?)", [jti, until])
    # What expired is kept for another hour, in case the clock is set back.
    sweep = "DELETE FROM revoked WHERE jti IN (SELECT jti FROM revoked WHERE until < ? LIMIT 100)"
    db().execute(sweep, [time.time() - 3600])


def is_revoked(jti):
    """Tell whether the token of this name was taken back."""
    return db().execute("SELECT 1 FROM revoked WHERE jti = ?", [jti]).fetchone() is not None
