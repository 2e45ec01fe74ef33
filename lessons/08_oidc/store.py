"""What lesson 08 keeps: its tables, and the functions through which app.py uses them.

To use a database of your own, rewrite this file; app.py stays as it is. There is no password here
and no token: the provider has the one, and the other is read once and forgotten.
"""

import hashlib
import re
import sys
import time
from secrets import token_urlsafe

from flask import current_app

import groundwork
from groundwork import db

DEMO = {"ISSUER": "http://localhost:5018", "CLIENT_ID": "lesson-08", "CLIENT_SECRET": "pass8"}
TABLES = """
CREATE TABLE accounts (id INTEGER PRIMARY KEY, issuer TEXT, sub TEXT, name TEXT,
    UNIQUE (issuer, sub));
CREATE TABLE sessions (digest TEXT PRIMARY KEY, account INTEGER, sid TEXT, used REAL, until REAL);
CREATE TABLE logins (digest TEXT PRIMARY KEY, nonce TEXT, verifier TEXT, until REAL);
CREATE TABLE logouts (digest TEXT PRIMARY KEY, until REAL);
CREATE INDEX sessions_account ON sessions (account);
CREATE INDEX sessions_until ON sessions (until);
CREATE INDEX logins_until ON logins (until);
CREATE INDEX logouts_until ON logouts (until)
"""
SWEEP = [  # a hundred at a time: few enough that nobody has to wait for it
    "DELETE FROM sessions WHERE rowid IN (SELECT rowid FROM sessions WHERE until < ? LIMIT 100)",
    "DELETE FROM logins WHERE rowid IN (SELECT rowid FROM logins WHERE until < ? LIMIT 100)",
    "DELETE FROM logouts WHERE rowid IN (SELECT rowid FROM logouts WHERE until < ? LIMIT 100)",
]


def set_up(app, **seconds):
    """Read the settings, and make the tables unless they are there. seconds: lifetimes, by name."""
    app.config.from_mapping(DEMO)  # what provider.py beside this file knows
    groundwork.set_up(app, 5008, TABLES, add_demo_users, **seconds)
    app.config.update({name: str(app.config[name]) for name in DEMO})
    there = re.fullmatch(r"(https?)://([^/?#\s]+)(/[^?#\s]*)?", app.config["ISSUER"])
    here = there and re.fullmatch(r"(localhost|127\.0\.0\.1|\[::1\])(:\d+)?", there[2])
    if not there or not (here or there[1] == "https"):
        sys.exit("FLASK_ISSUER must be an https address, or an http address on this machine.")
    if not here and app.config["CLIENT_SECRET"] == DEMO["CLIENT_SECRET"]:
        sys.exit("FLASK_CLIENT_SECRET must be the one that this provider gave you.")
    if type(app.config["SESSION_COOKIE_SECURE"]) is not bool:  # the text "no" would count as yes
        sys.exit("FLASK_SESSION_COOKIE_SECURE must be true or false.")


def add_demo_users():
    """There are none: who logs in for the first time gets an account."""


def keep_login(state, browser, nonce, verifier):
    """Note a login that this browser begins."""
    for old in SWEEP:
        db().execute(old, [time.time() - 3600])  # later than need be: the clock may be set back
    until = time.time() + current_app.config["LOGIN_LIFETIME"]
    values = [digest(state, browser), nonce, verifier, until]
    db().execute("INSERT INTO logins VALUES (?, ?, ?, ?)", values)


def take_login(state, browser):
    """Return the row of a login that this browser began, once; None for any other."""
    key = digest(state, browser)
    find = "SELECT * FROM logins WHERE digest = ? AND until > ?"
    row = db().execute(find, [key, time.time()]).fetchone()
    # Of two requests that come at once, only one deletes it.
    return row if db().execute("DELETE FROM logins WHERE digest = ?", [key]).rowcount else None


def account_of(issuer, sub, name):
    """Return the id of this pair's account, a new one if need be. The name is only for showing."""
    add = """INSERT INTO accounts (issuer, sub, name) VALUES (?, ?, ?)
        ON CONFLICT (issuer, sub) DO UPDATE SET name = excluded.name"""
    db().execute(add, [issuer, sub, name])
    find = "SELECT id FROM accounts WHERE issuer = ? AND sub = ?"
    return db().execute(find, [issuer, sub]).fetchone()["id"]


def begin_session(account, sid):
    """Return the id of a new session; sid: what the provider calls its own, or None."""
    id, now = token_urlsafe(32), time.time()
    values = [digest(id), account, sid, now, now + current_app.config["ABSOLUTE_TIMEOUT"]]
    db().execute("INSERT INTO sessions VALUES (?, ?, ?, ?, ?)", values)
    return id


def find_session(id):
    """Return a session's row with its account's, None if it has ended. This counts as a use."""
    find = "SELECT * FROM sessions JOIN accounts ON account = id WHERE digest = ?"
    row = db().execute(find, [digest(id)]).fetchone()
    now, ends = time.time(), current_app.config
    # A time too far ahead tells of a clock that was set back; no session may live on it for ever.
    if not row or not 0 < row["until"] - now <= ends["ABSOLUTE_TIMEOUT"]:
        return None
    if abs(now - row["used"]) >= ends["IDLE_TIMEOUT"]:
        return None
    if abs(now - row["used"]) >= ends["IDLE_TIMEOUT"] / 30:  # not at each request: writing costs
        db().execute("UPDATE sessions SET used = ? WHERE digest = ?", [now, row["digest"]])
    return row


def end_session(id):
    db().execute("DELETE FROM sessions WHERE digest = ?", [digest(id)])


def end_sessions_of(issuer, sub, sid):
    """End the sessions that came of the provider's session sid or, if that is None, all of sub's.

    sub may be None where sid is not. A session of which no sid is known ends with its sub.
    """
    end = """DELETE FROM sessions WHERE account IN
        (SELECT id FROM accounts WHERE issuer = :issuer AND sub = coalesce(:sub, sub))
        AND (:sid IS NULL OR sid = :sid OR sid IS NULL AND :sub IS NOT NULL)"""
    db().execute(end, {"issuer": issuer, "sub": sub, "sid": sid})


def first_use(jti, until):
    """Note a logout token's name until it ends; False if it is noted already."""
    use = "INSERT OR IGNORE INTO logouts VALUES (?, ?)"
    return db().execute(use, [digest(jti), until]).rowcount == 1


def digest(*texts):
    """Return what is kept of random texts. They are long, so a quick hash is enough."""
    return hashlib.sha256("\0".join(map(str, texts)).encode("utf-8", "replace")).hexdigest()
