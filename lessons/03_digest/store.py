"""What lesson 03 keeps: its tables, and the functions through which app.py uses them.

To use a database of your own, rewrite this file; app.py stays as it is.
"""

import sqlite3
import time

import groundwork
from groundwork import db

TABLES = """
CREATE TABLE users (name TEXT PRIMARY KEY, "SHA-256" TEXT, "MD5" TEXT);
CREATE TABLE counts (made REAL, nonce BLOB, nc INTEGER, PRIMARY KEY (made, nonce, nc)) WITHOUT ROWID
"""  # counts lie in the order of their time: the oldest come first, a new one goes to the end


def set_up(app, secret_of, **seconds):
    """Read the settings, and make the tables with the demo users unless they are there.

    secret_of: app.py's function that makes name and password into what is stored; seconds:
    lifetimes, by name.
    """
    # NORMAL: a power cut may lose the last few counts; FULL would wait for the disk each time.
    groundwork.set_up(
        app, 5003, TABLES, lambda: add_demo_users(secret_of), synchronous="NORMAL", **seconds
    )


def add_demo_users(secret_of):
    for name, password in [("user1", "pass1"), ("user2", "pass2")]:
        db().execute("INSERT INTO users VALUES (?, ?, ?)", [name, *secret_of(name, password)])


def find_user(name):
    """Return a user's row (name and an HA1 for each algorithm), None if there is no such user."""
    return db().execute("SELECT * FROM users WHERE name = ?", [name]).fetchone()


def first_use(made, nonce, nc, keep):
    """Note the use of a nonce with a count; return False if that pair was used before.

    made: when the nonce was made, in POSIX seconds; keep: for how many seconds it is remembered.
    """
    limit = time.time() - keep
    if db().execute("SELECT 1 FROM counts WHERE made < ?", [limit]).fetchone():
        # A hundred old ones go with each use: more than come, and nobody waits for it.
        sweep = """DELETE FROM counts WHERE (made, nonce, nc) IN
            (SELECT made, nonce, nc FROM counts WHERE made < ? LIMIT 100)"""
        db().execute(sweep, [limit])
    try:  # of two that come at once, in whichever worker, the database lets one through
        db().execute("INSERT INTO counts VALUES (?, ?, ?)", [made, nonce, nc])
    except sqlite3.IntegrityError:
        return False
    return True
