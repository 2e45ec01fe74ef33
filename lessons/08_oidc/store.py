"""What lesson 08 keeps: its tables, and the functions through which app.py uses them.

To use a database of your own, rewrite this file; app.py stays as it is. There is no password here,
nor any token: the provider has the one, and the other is read once and forgotten.
"""

import hashlib
import re
import sys
import time
from secrets import token_urlsafe

from flask import current_app

import groundwork
from groundwork import db

TABLES = """
CREATE TABLE accounts (id INTEGER PRIMARY KEY, issuer TEXT, sub TEXT, name TEXT,
    UNIQUE (issuer, sub));
CREATE TABLE sessions (digest TEXT PRIMARY KEY, account INTEGER, sid TEXT, begun REAL, used REAL);
CREATE INDEX sessions_account ON sessions (account);
CREATE INDEX sessions_used ON sessions (used);
CREATE TABLE logins (digest TEXT PRIMARY KEY, nonce TEXT, verifier TEXT, until REAL);
CREATE INDEX logins_until ON logins (until);
CREATE TABLE logouts (jti TEXT PRIMARY KEY, until REAL)
"""


def set_up(app, **seconds):
    """Read the settings, and make the tables unless they are there. seconds: lifetimes, by name."""
    demo = {"ISSUER": "http://localhost:5018", "CLIENT_ID": "lesson-08", "CLIENT_SECRET": "pass8"}
    app.config.from_mapping(demo)  # what provider.py beside this file knows
    groundwork.set_up(app, 5008, TABLES, lambda: None, **seconds)
    for name in demo:
        app.config[name] = str(app.config[name])
    issuer = re.fullmatch(r"(https?)://([^/?#\s]+)[^?#\s]*", app.config["ISSUER"])
    here = issuer and re.fullmatch(r"(localhost|127\.0\.0\.1|\[::1\])(:\d+)?", issuer[2])
    if not issuer or (issuer[1] == "http" and not here):
        sys.exit("FLASK_ISSUER must be an https address, or an http one on this machine.")
    if app.config["CLIENT_SECRET"] == demo["CLIENT_SECRET"] and not here:
        sys.exit("FLASK_CLIENT_SECRET must be what this provider gave you: the demo's is public.")
    if type(app.config["SESSION_COOKIE_SECURE"]) is not bool:  # the text "no" would count as yes
        sys.exit("FLASK_SESSION_COOKIE_SECURE must be true or false.")


def keep_login(state, browser, nonce, verifier):
    """Note a login that this browser begins; all that names it is kept as a hash."""
    sweep("logins", "until", time.time())
    until = time.time() + current_app.config["LOGIN_LIFETIME"]
    values = [digest(state, browser), nonce, verifier, until]
    db().execute("INSERT INTO logins VALUES (?, ?, ?, ?)", values)


def take_login(state, browser):
    """Return the row of a login that this browser began, once; else None."""
    find = "SELECT * FROM logins WHERE digest = ? AND until > ?"
    row = db().execute(find, [digest(state, browser), time.time()]).fetchone()
    # Of two requests that come at once, one deletes it.
    gone = db().execute("DELETE FROM logins WHERE digest = ?", [digest(state, browser)]).rowcount
    return row if gone else None


def account_of(issuer, sub, name):
    """Return the id of an account, which is new if this pair is; the name is for showing only."""
    add = """INSERT INTO accounts (issuer, sub, name) VALUES (?, ?, ?)
        ON CONFLICT (issuer, sub) DO UPDATE SET name = excluded.name"""
    db().execute(add, [issuer, sub, name])
    find = "SELECT id FROM accounts WHERE issuer = ? AND sub = ?"
    return db().execute(find, [issuer, sub]).fetchone()["id"]


def begin_session(account, sid):
    """Return the id of a new session; sid: what the provider calls its own, or None."""
    id, now = token_urlsafe(32), time.time()
    sweep("sessions", "used", now - current_app.config["IDLE_TIMEOUT"])
    values = [digest(id), account, sid, now, now]
    db().execute("INSERT INTO sessions VALUES (?, ?, ?, ?, ?)", values)
    return id


def find_session(id):
    """Return a session's row with its account's, None if it has ended. This counts as a use."""
    find = "SELECT * FROM sessions JOIN accounts ON account = id WHERE digest = ?"
    row = db().execute(find, [digest(id)]).fetchone()
    now, ends = time.time(), current_app.config
    # A time in the future tells of a clock that was set back; no session may live on it for ever.
    if not row or abs(now - row["begun"]) >= ends["ABSOLUTE_TIMEOUT"]:
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
    """Tell whether a logout token of this name is seen for the first time; until: when it ends."""
    sweep("logouts", "until", time.time() - 3600)  # in case the clock is set back
    use = "INSERT OR IGNORE INTO logouts VALUES (?, ?)"
    return db().execute(use, [digest(jti), until]).rowcount == 1


def sweep(table, column, before):
    """Delete up to a hundred old rows: few enough that nobody has to wait for it."""
    old = f"SELECT rowid FROM {table} WHERE {column} < ? LIMIT 100"
    db().execute(f"DELETE FROM {table} WHERE rowid IN ({old})", [before])


def digest(*secrets):
    """Return what is kept of random texts. They are long, so a quick hash is enough."""
    return hashlib.sha256("\0".join(secrets).encode("utf-8", "replace")).hexdigest()
