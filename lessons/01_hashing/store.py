"""What lesson 01 keeps: its tables, and the functions through which app.py uses them.

To use a database of your own, rewrite this file; app.py stays as it is.
"""

import sqlite3

import groundwork
from groundwork import db

TABLES = """
CREATE TABLE users (name TEXT PRIMARY KEY, hash TEXT)
"""
# "pass2" as an older system stored it; user2's first good login replaces it.
OLD_HASH = (
    "$6$rounds=30000$lesson01hashing"
    "$WIc.qA6OaCsMx1bOPN./XImd8xMhKrOGkPcLoblvWut6GWiyY/QFEfbWsFCGYZLLT2XCE.wT0ihMV0FDsaluk1"
)


def set_up(app, secret_of):
    """Read the settings, and make the tables with the demo users unless they are there.

    secret_of: app.py's function that makes a password into what is stored.
    """
    groundwork.set_up(app, 5001, TABLES, lambda: add_demo_users(secret_of))


def add_demo_users(secret_of):
    demo = ["user1", secret_of("pass1"), "user2", OLD_HASH]
    db().execute("INSERT INTO users VALUES (?, ?), (?, ?)", demo)


def find_hash(name):
    """Return the hash of a user, None if there is no such user."""
    row = db().execute("SELECT hash FROM users WHERE name = ?", [name]).fetchone()
    return row["hash"] if row else None


def add_user(name, hash):
    """Add a user; return False if the name is taken."""
    try:  # the database decides: asking first would leave a gap for a second request
        db().execute("INSERT INTO users VALUES (?, ?)", [name, hash])
    except sqlite3.IntegrityError:
        return False
    return True


def replace_hash(name, old, new):
    """Put a new hash in the place of the old one, unless that has changed meanwhile."""
    db().execute("UPDATE users SET hash = ? WHERE name = ? AND hash = ?", [new, name, old])


def all_hashes():
    """Return all users' names and hashes, in the order of the names."""
    return db().execute("SELECT name, hash FROM users ORDER BY name").fetchall()
