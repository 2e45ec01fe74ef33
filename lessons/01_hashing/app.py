# /// script
# requires-python = ">=3.10"
# dependencies = ["flask>=3.1", "libpass[argon2]>=1.9"]
# ///
"""Lesson 01, done right: keep a password without keeping the password.

What is stored is an Argon2id hash: slow on purpose, and different for every user because of
its salt. Whoever steals the database has to guess each password at that price.
"""

import sqlite3
import sys
import threading
import unicodedata
from pathlib import Path

from flask import Flask, Response, abort, request
from passlib.context import CryptContext
from werkzeug.exceptions import HTTPException, ServiceUnavailable

# The instance folder, with the database, lies beside this file, wherever you start it from.
app = Flask(__name__, instance_path=str(Path(__file__).resolve().with_name("instance")))

# The first scheme makes every new hash, at OWASP's parameters: 19 MiB, 2 rounds, 1 thread.
# The others are only read, for users who came over from an older system.
passwords = CryptContext(
    schemes=["argon2", "sha512_crypt"],
    deprecated="auto",
    argon2__type="ID",
    argon2__memory_cost=19456,
    argon2__rounds=2,
    argon2__parallelism=1,
)
NOBODY = passwords.hash("the password of nobody")


@app.get("/")
def index():
    return "Register with POST /register, log in with POST /login.\n"


@app.post("/register")
def register():
    name, password = clean("username", 64), clean("password", 1024)
    if name is None or not name.isprintable():
        abort(400, "Send a form field username: 1 to 64 bytes of printable text.")
    if password is None:
        abort(400, "Send a form field password: 1 to 1024 bytes of text without NUL.")
    try:  # the database decides: asking first would leave a gap for a second request
        db().execute("INSERT INTO users VALUES (?, ?)", [name, passwords.hash(password)])
    except sqlite3.IntegrityError:
        abort(409, "This name is taken; choose another.")
    return "Registered; now log in.\n", 201


@app.post("/login")
def login():
    name, password = clean("username", 64), clean("password", 1024)
    if name is None or password is None or not verify(name, password):
        abort(403, "User name or password is wrong.")  # which of the two stays untold
    return f"Hello, {name}!\n"


def verify(name, password):
    """Tell whether the pair is right; an unknown name costs the same hash as a wrong password."""
    row = db().execute("SELECT hash FROM users WHERE name = ?", [name]).fetchone()
    stored = row[0] if row else NOBODY
    right, better = passwords.verify_and_update(password, stored)
    if row and right and better:  # an older kind of hash: now is the time, the password is here
        change = "UPDATE users SET hash = ? WHERE name = ? AND hash = ?"
        db().execute(change, [better, name, stored])
    return bool(row and right)


def clean(field, most):
    """Return a form field in NFC, so that every way to type "é" is the same; None if unusable."""
    text = unicodedata.normalize("NFC", request.form.get(field, ""))
    odd = "\0" in text or "\ufffd" in text  # the latter stands for bytes that were no UTF-8
    return text if 1 <= len(text.encode()) <= most and not odd else None


@app.cli.command("users")
def list_users():
    """List the names and the schemes of their hashes, never a password."""
    for name, stored in db().execute("SELECT name, hash FROM users ORDER BY name"):
        print(f"{name}\t{passwords.identify(stored)}")


# From here on, what surrounds every lesson: plain text answers, settings, the database.

# Not HTML: a user name with a <script> in it stays text.
app.response_class = type("Text", (Response,), {"default_mimetype": "text/plain"})


@app.errorhandler(HTTPException)
@app.errorhandler(sqlite3.OperationalError)
def refuse(error):
    if isinstance(error, sqlite3.OperationalError):
        app.logger.error("database: %s", error)
        error = ServiceUnavailable("The database does not answer; try again in a moment.")
    response = error.get_response()  # keeps headers such as Allow
    response.data, response.mimetype = f"{error.description}\n", "text/plain"
    return response


local = threading.local()  # a SQLite connection stays with the thread that opened it


def db():
    """Return this thread's connection; each statement is a transaction of its own."""
    if not hasattr(local, "db"):
        local.db = sqlite3.connect(str(app.config["DATABASE"]), isolation_level=None)
    return local.db


def prepare():
    """Check the settings; make the table and the demo users unless they are there."""
    # Nothing is signed in this lesson, so no key is made; a weak one is refused all the same.
    if app.secret_key and len(str(app.secret_key).encode()) < 32:
        sys.exit(
            "FLASK_SECRET_KEY is shorter than 32 bytes. Make one with:"
            ' python -c "import secrets; print(secrets.token_hex(32))"'
        )
    Path(str(app.config["DATABASE"])).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    db().execute("CREATE TABLE IF NOT EXISTS users (name TEXT PRIMARY KEY, hash TEXT)")
    # Only once, as writing would wait for whoever holds the database.
    if not db().execute("SELECT 1 FROM users").fetchone():
        demo = ["user1", passwords.hash("pass1"), "user2", OLD_HASH]
        db().execute("INSERT OR IGNORE INTO users VALUES (?, ?), (?, ?)", demo)
    db().close()
    del local.db  # each worker opens its own


# "pass2" as an older system stored it; the first good login replaces it.
OLD_HASH = (
    "$6$rounds=30000$lesson01hashing"
    "$WIc.qA6OaCsMx1bOPN./XImd8xMhKrOGkPcLoblvWut6GWiyY/QFEfbWsFCGYZLLT2XCE.wT0ihMV0FDsaluk1"
)
app.config["DATABASE"] = Path(app.instance_path, "users.db")
app.config.from_prefixed_env()  # FLASK_DATABASE, FLASK_SECRET_KEY
prepare()

if __name__ == "__main__":
    app.run(port=5001, debug=False)
