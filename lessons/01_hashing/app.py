# /// script
# requires-python = ">=3.11"
# dependencies = ["flask>=3.1", "libpass[argon2]>=1.9"]
# ///
"""Lesson 01, done right: keep a password without keeping the password.

What is stored is an Argon2id hash. It is slow on purpose, and its salt makes it different for
every user, so a thief of the database has to guess each password at that price.
"""

import re
import unicodedata
from secrets import token_hex

from flask import Flask, abort, request
from passlib.context import CryptContext

import store

app = Flask(__name__)

# The first scheme makes every new hash, at OWASP's parameters: 19 MiB, 2 rounds, 1 thread.
# The second is only read, for users who came over from an older system.
passwords = CryptContext(
    schemes=["argon2", "sha512_crypt"],
    deprecated="auto",
    argon2__type="ID",
    argon2__memory_cost=19456,
    argon2__rounds=2,
    argon2__parallelism=1,
)
NOBODY = passwords.hash(token_hex())  # what an unknown user's password is compared with


@app.get("/")
def index():
    return "Register with POST /register, log in with POST /login.\n"


@app.post("/register")
def register():
    username, password = read_form(400)
    if not store.add_user(username, passwords.hash(password)):
        abort(409, "This name is taken; choose another.")
    return "Registered; now log in.\n", 201


@app.post("/login")
def login():
    username, password = read_form(403)
    if not verify(username, password):
        abort(403, "User name or password is wrong.")  # which of the two stays untold
    return f"Hello, {username}!\n"


def verify(username, password):
    """Tell whether the pair is right; an unknown name costs the same hash as a wrong password."""
    stored = store.find_hash(username) or ""
    known = bool(passwords.identify(stored))  # False for "", and for schemes not listed above
    try:
        right, better = passwords.verify_and_update(password, stored if known else NOBODY)
    except ValueError:  # a hash that was cut off fits no password
        right = better = None
    if known and right and better:  # an older kind of hash, and for once we have the password
        store.replace_hash(username, stored, better)
    return known and bool(right)


def read_form(status):
    """Return the form's user name and password; refuse unusable ones with this status."""
    username, password = clean("username", 64), clean("password", 1024)
    if username is None or not username.isprintable():
        abort(status, "Send a form field username: 1 to 64 bytes of printable text.")
    if password is None:
        abort(status, "Send a form field password: 1 to 1024 bytes of text without NUL.")
    return username, password


def clean(field, most):
    """Return a form field as text of 1 to `most` bytes in UTF-8; None if it is unusable."""
    text = request.form.get(field, "")
    if len(text.encode()) > 4 * most:  # NFC never shortens so much, and is slow on long text
        return None
    # However it was typed, a blank is a space and é one character (RFC 8265, section 4.2.2).
    text = re.sub("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]", " ", text)
    text = unicodedata.normalize("NFC", text)
    odd = "\0" in text or "\ufffd" in text  # the latter stands for bytes that were no UTF-8
    return text if 1 <= len(text.encode()) <= most and not odd else None


@app.cli.command("users")
def list_users():
    """List the names and the schemes of their hashes, never a password."""
    for name, stored in store.all_hashes():
        print(f"{name}\t{passwords.identify(stored) or 'unknown'}")


store.set_up(app, passwords.hash)

if __name__ == "__main__":
    app.run(port=5001, debug=False)
