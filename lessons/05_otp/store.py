"""What lesson 05 keeps: its tables, and the functions through which app.py uses them.

To use a database of your own, rewrite this file; app.py stays as it is.
"""

import math
import re
import sys
import time
import unicodedata
from secrets import token_hex

from flask import abort, request
from passlib.hash import argon2

import groundwork
from groundwork import db, transaction

# Argon2id at OWASP's parameters: 19 MiB, 2 rounds, 1 thread (lesson 01).
argon2id = argon2.using(type="ID", memory_cost=19456, rounds=2, parallelism=1)
NOBODY = argon2id.hash(token_hex())  # an unknown user costs a hash as well
TABLES = """
CREATE TABLE users (name TEXT PRIMARY KEY, hash TEXT, mail TEXT, secret TEXT, pending TEXT,
    pin BLOB, pin_until REAL, sending REAL DEFAULT 0, tries INTEGER DEFAULT 0,
    tries_until REAL DEFAULT 0);
CREATE TABLE used (name TEXT, code TEXT, step INTEGER, PRIMARY KEY (name, code));
CREATE INDEX used_step ON used (step)
"""


def set_up(app, **seconds):
    """Read the settings, and make the tables with the demo users unless they are there.

    seconds: lifetimes, by name.
    """
    groundwork.set_up(app, 5005, TABLES, add_demo_users, **seconds)


def add_demo_users():
    add = "INSERT INTO users (name, hash, mail) VALUES (?, ?, ?)"
    for name, password in [("user1", "pass1"), ("user2", "pass2")]:
        db().execute(add, [name, argon2id.hash(password), f"{name}@example.com"])


def read_address(app, name):
    """Turn a setting host:port into a pair, None if it is not set; refuse to start with another."""
    value = str(app.config.setdefault(name, ""))
    found = re.fullmatch(r"(\S+):(\d{1,5})", value)
    if value and not (found and int(found[2]) < 65536):
        sys.exit(f"FLASK_{name} must be host:port, for example 127.0.0.1:1025.")
    app.config[name] = (found[1].strip("[]"), int(found[2])) if found else None


def refuse_other_origins():
    """Refuse a form that another origin's page sends along with the password (lesson 02)."""
    if request.method != "POST":
        return
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    own = f"{request.scheme}://{request.host}"
    ours = site in ("same-origin", "none") if site else origin in (None, own)
    if not ours:
        abort(403, "This form came from a page of another origin (scheme, host and port).")


def find_user(name):
    """Return a user's row, None if there is no such user."""
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


def take_try(user, most, pause):
    """Count a try, and return 0; if none is left, return how many seconds there are to wait.

    It is counted before its code is looked at: of a hundred sent at once, `most` are looked at.
    """
    name, now = user["name"], time.time()
    # Twice the time: clocks of threads and workers differ a little. More: it was set back.
    lapse = "UPDATE users SET tries = 0 WHERE name = ? AND tries_until - ? NOT BETWEEN 0 AND ?"
    db().execute(lapse, [name, now, 2 * pause])
    take = "UPDATE users SET tries = tries + 1, tries_until = ? WHERE name = ? AND tries < ?"
    if db().execute(take, [now + pause, name, most]).rowcount == 1:
        return 0
    return max(1, math.ceil((find_user(name) or user)["tries_until"] - now))


def forget_tries(user):
    """Let a user have all tries again."""
    db().execute("UPDATE users SET tries = 0 WHERE name = ?", [user["name"]])


def begin_pin(user, seconds):
    """Take the user's turn to send a PIN, for so many seconds; None while another request has it.

    Returns what keep_pin and end_pin want.
    """
    now = time.time()  # compared as in take_try
    begin = """UPDATE users SET sending = ?
        WHERE name = ? AND hash = ? AND sending - ? NOT BETWEEN 0 AND ?"""
    values = [now + seconds, user["name"], user["hash"], now, 2 * seconds]
    return now + seconds if db().execute(begin, values).rowcount == 1 else None


def keep_pin(user, turn, tag, lifetime):
    """Let a PIN count from now on; False if the turn is over, or the password another by now."""
    keep = "UPDATE users SET pin = ?, pin_until = ? WHERE name = ? AND hash = ? AND sending = ?"
    values = [tag, time.time() + lifetime, user["name"], user["hash"], turn]
    return db().execute(keep, values).rowcount == 1


def end_pin(user, turn):
    """Let the next PIN be sent."""
    end = "UPDATE users SET sending = 0 WHERE name = ? AND sending = ?"
    db().execute(end, [user["name"], turn])


def use_pin(user, tag, lifetime):
    """Take a PIN away and return True; False if it is not the one that counts."""
    use = """UPDATE users SET pin = NULL
        WHERE name = ? AND hash = ? AND pin = ? AND pin_until - ? BETWEEN 0 AND ?"""
    values = [user["name"], user["hash"], tag, time.time(), lifetime]
    return db().execute(use, values).rowcount == 1  # of two at once, one wins


def keep_pending(user, secret):
    """Keep a secret that has yet to show a right code; False if the user is not what was read."""
    keep = "UPDATE users SET pending = ? WHERE name = ? AND hash = ? AND secret IS ?"
    values = [secret, user["name"], user["hash"], user["secret"]]
    return db().execute(keep, values).rowcount == 1


def use_code(user, secret, code, step):
    """Note a right code as used, and let a pending secret count from now on.

    Returns "new" for the first code of a pending secret, "known" for that of one that counts, and
    None if the code was used before, or the user's password or secret is another by now.
    """
    name = user["name"]
    with transaction():
        now = find_user(name)
        if not now or now["hash"] != user["hash"] or secret not in (now["secret"], now["pending"]):
            return None
        # Used codes are kept for an hour, in case the clock is set back.
        sweep = """DELETE FROM used WHERE (name, code) IN
            (SELECT name, code FROM used WHERE step < ? LIMIT 100)"""
        db().execute(sweep, [time.time() // 30 - 120])
        use = "INSERT OR IGNORE INTO used VALUES (?, ?, ?)"
        if db().execute(use, [name, code, step]).rowcount != 1:
            return None
        if secret == now["secret"]:
            return "known"
        db().execute("UPDATE users SET secret = pending, pending = NULL WHERE name = ?", [name])
        return "new"
