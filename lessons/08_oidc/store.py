"""What lesson 08 keeps: its tables, and the functions through which app.py uses them.

To use a database of your own, rewrite this file; app.py stays as it is. There is no password here
and no token: the provider has the one, and the other is read once and forgotten.
"""

import re
import sys
import time

from flask import current_app

import groundwork
import sessions
from groundwork import db
from sessions import digest

DEMO = {"ISSUER": "http://localhost:5018", "CLIENT_ID": "lesson-08", "CLIENT_SECRET": "pass8"}
TABLES = f"""
CREATE TABLE accounts (id INTEGER PRIMARY KEY, issuer TEXT, sub TEXT, name TEXT,
    UNIQUE (issuer, sub));
CREATE TABLE logins (digest TEXT PRIMARY KEY, nonce TEXT, verifier TEXT, until REAL);
CREATE TABLE logouts (digest TEXT PRIMARY KEY, until REAL);
CREATE INDEX logins_until ON logins (until);
CREATE INDEX logouts_until ON logouts (until);
{sessions.TABLES}
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
    sessions.set_up(app)


def add_demo_users():
    """There are none: who logs in for the first time gets an account."""


def keep_login(state, browser, nonce, verifier):
    """Note a login that this browser begins."""
    for old in SWEEP:
        db().execute(old, [time.time() - 3600])  # later than need be: the clock may be set back
    until = time.time() + current_app.config["LOGIN_LIFETIME"]
    values = [digest(f"{state} {browser}"), nonce, verifier, until]
    db().execute("INSERT INTO logins VALUES (?, ?, ?, ?)", values)


def take_login(state, browser):
    """Return the row of a login that this browser began, once; None for any other."""
    key = digest(f"{state} {browser}")
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


def first_use(jti, until):
    """Note a logout token's name until it ends; False if it is noted already."""
    use = "INSERT OR IGNORE INTO logouts VALUES (?, ?)"
    # SQLite has no room for a number without end; 2**53 seconds are long enough.
    return db().execute(use, [digest(jti), min(until, 2**53)]).rowcount == 1
