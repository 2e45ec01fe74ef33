"""What lesson 06 keeps: its tables, and the functions through which app.py uses them.

To use a database of your own, rewrite this file; app.py stays as it is.
"""

import hashlib
import re
import sys
import time
import unicodedata
from secrets import token_hex, token_urlsafe

from flask import current_app, request
from passlib.hash import argon2

import groundwork
from groundwork import db, transaction

# Argon2id at OWASP's parameters: 19 MiB, 2 rounds, 1 thread (lesson 01).
argon2id = argon2.using(type="ID", memory_cost=19456, rounds=2, parallelism=1)
NOBODY = argon2id.hash(token_hex())  # an unknown user costs a hash as well
TABLES = """
CREATE TABLE users (name TEXT PRIMARY KEY, hash TEXT, admin INTEGER);
CREATE TABLE sessions (digest TEXT PRIMARY KEY, name TEXT, begun REAL, used REAL, browser TEXT);
CREATE INDEX sessions_name ON sessions (name);
CREATE INDEX sessions_used ON sessions (used)
"""


def set_up(app, **seconds):
    """Read the settings, and make the tables with the demo users unless they are there."""
    groundwork.set_up(app, 5006, TABLES, add_demo_users, **seconds)
    if type(app.config["SESSION_COOKIE_SECURE"]) is not bool:  # the text "no" would count as yes
        sys.exit("FLASK_SESSION_COOKIE_SECURE must be true or false.")


def add_demo_users():
    demo = [argon2id.hash("pass1"), argon2id.hash("pass2")]
    db().execute("INSERT INTO users VALUES ('user1', ?, 1), ('user2', ?, 0)", demo)


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


def clean(text, most):
    """Return text in one form, of 1 to `most` bytes in UTF-8; None if unusable (lesson 01)."""
    if len(text.encode()) > 4 * most:  # NFC never shortens so much, and is slow on long text
        return None
    text = re.sub("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]", " ", text)
    text = unicodedata.normalize("NFC", text)
    odd = "\0" in text or "\ufffd" in text  # the latter stands for bytes that were no UTF-8
    return text if 1 <= len(text.encode()) <= most and not odd else None


def change_password(user, new):
    """Keep a new password, end all of the user's sessions and return a new one's id; else None."""
    hash, change = argon2id.hash(new), "UPDATE users SET hash = ? WHERE name = ? AND hash = ?"
    with transaction():
        db().execute(change, [hash, user["name"], user["hash"]])
        id = begin_session({**user, "hash": hash})  # None if the hash was another by now
        if id:
            end_other_sessions(user["name"], id)
    return id


def begin_session(user):
    """Return the id of a new session; None if the password is another now than when checked."""
    id, now, browser = token_urlsafe(32), time.time(), request.user_agent.string[:200]
    begin = "INSERT INTO sessions SELECT ?, name, ?, ?, ? FROM users WHERE name = ? AND hash = ?"
    values = [digest(id), now, now, browser, user["name"], user["hash"]]
    sweep = """DELETE FROM sessions WHERE digest IN
        (SELECT digest FROM sessions WHERE used < ? LIMIT 100)"""
    db().execute(sweep, [now - current_app.config["IDLE_TIMEOUT"]])
    return id if db().execute(begin, values).rowcount == 1 else None


def find_session(id):
    """Return a session's row and its user's in one, None if it has ended. This counts as a use."""
    find = "SELECT * FROM sessions JOIN users USING (name) WHERE digest = ?"
    row = db().execute(find, [digest(id)]).fetchone()
    if row and not lives(row):
        return end_session(id)
    now, minute = time.time(), current_app.config["IDLE_TIMEOUT"] / 30
    if row and abs(now - row["used"]) >= minute:  # not each time: writing costs more than reading
        db().execute("UPDATE sessions SET used = ? WHERE digest = ?", [now, row["digest"]])
    return row


def lives(row):
    """Tell whether a session has neither been idle for too long nor grown too old."""
    now, ends = time.time(), current_app.config
    # A time in the future tells of a clock that was set back; no session may live on it for ever.
    idle, age = abs(now - row["used"]), abs(now - row["begun"])
    return idle < ends["IDLE_TIMEOUT"] and age < ends["ABSOLUTE_TIMEOUT"]


def sessions_of(name):
    """Return the rows of a user's sessions, the newest first, and their times as text in UTC."""
    find = """SELECT *, datetime(begun, 'unixepoch') AS since, datetime(used, 'unixepoch') AS last
        FROM sessions WHERE name = ? ORDER BY begun DESC"""
    return [row for row in db().execute(find, [name]) if lives(row)]


def end_session(id):
    db().execute("DELETE FROM sessions WHERE digest = ?", [digest(id)])


def end_other_sessions(name, id):
    """End all sessions of a user but this one."""
    db().execute("DELETE FROM sessions WHERE name = ? AND digest != ?", [name, digest(id)])


def digest(id):
    """Return what is kept of a session's id. It is random and long, so a quick hash is enough."""
    return hashlib.sha256(id.encode()).hexdigest()
