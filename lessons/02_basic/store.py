"""What lesson 02 keeps: its tables, and the functions through which app.py uses them.

To use a database of your own, rewrite this file; app.py stays as it is.
"""

import re
import sqlite3
import unicodedata

from flask import abort, request

import groundwork
from groundwork import db

TABLES = """
CREATE TABLE users (name TEXT PRIMARY KEY, hash TEXT, admin INTEGER)
"""


def set_up(app, secret_of):
    """Read the settings, and make the tables with the demo users unless they are there.

    secret_of: app.py's function that makes a password into what is stored.
    """
    groundwork.set_up(app, 5002, TABLES, lambda: add_demo_users(secret_of))


def add_demo_users(secret_of):
    demo = [secret_of("pass1"), secret_of("pass2")]
    db().execute("INSERT INTO users VALUES ('user1', ?, 1), ('user2', ?, 0)", demo)


def find_user(name):
    """Return a user's row (name, hash, admin), None if there is no such user."""
    return db().execute("SELECT * FROM users WHERE name = ?", [name]).fetchone()


def add_user(name, hash, by):
    """Add a user on behalf of `by`; return False if that is no admin, or has another hash, by now.

    Raises KeyError if the name is taken.
    """
    add = """INSERT INTO users SELECT ?, ?, 0 FROM users WHERE name = ? AND hash = ? AND admin"""
    try:
        return db().execute(add, [name, hash, by["name"], by["hash"]]).rowcount == 1
    except sqlite3.IntegrityError:
        raise KeyError(name) from None


def change_hash(user, new):
    """Replace a user's hash; return False if it is no longer the one that was checked."""
    change = "UPDATE users SET hash = ? WHERE name = ? AND hash = ?"
    return db().execute(change, [new, user["name"], user["hash"]]).rowcount == 1


def form_field(name, most):
    """Return a field of the form, cleaned; answer 400 if it is missing or unusable."""
    text = clean(request.form.get(name, ""), most)
    if text is None:
        abort(400, f"Send a form field {name}: 1 to {most} bytes of text without NUL.")
    return text


def clean(text, most):
    """Return text in one form, of 1 to `most` bytes in UTF-8; None if unusable (lesson 01)."""
    if len(text.encode()) > 4 * most:  # NFC never shortens so much, and is slow on long text
        return None
    text = re.sub("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]", " ", text)
    text = unicodedata.normalize("NFC", text)
    odd = "\0" in text or "\ufffd" in text  # the latter stands for bytes that were no UTF-8
    return text if 1 <= len(text.encode()) <= most and not odd else None
