# /// script
# requires-python = ">=3.10"
# dependencies = ["flask>=3.1", "flask-httpauth>=4.8", "libpass[argon2]>=1.9"]
# ///
"""Lesson 02, done right: HTTP Basic (RFC 7617) with Flask-HTTPAuth.

The client sends user name and password with every request. So the server must answer fast
without keeping the password, tell an outsider nothing about who has an account, and refuse
forms that another site sends along with the browser's remembered password.
"""

import hmac
import secrets
import sqlite3
import sys
import threading
import time
import unicodedata
from pathlib import Path

from flask import Flask, Response, abort, request
from flask_httpauth import HTTPBasicAuth
from passlib.hash import argon2
from werkzeug.exceptions import HTTPException, ServiceUnavailable

# The instance folder, with the database, lies beside this file, wherever you start it from.
app = Flask(__name__, instance_path=str(Path(__file__).resolve().with_name("instance")))


class BasicAuth(HTTPBasicAuth):
    def get_auth(self):
        # The library's own parser takes any scheme's name and broken base64. Werkzeug's is strict,
        # but fails with ValueError where bytes are not even ASCII.
        try:
            sent = request.authorization
        except ValueError:
            return None
        return sent if sent and sent.type == "basic" else None

    def authenticate_header(self):
        return f'{super().authenticate_header()}, charset="UTF-8"'


auth = BasicAuth(realm="Lesson 02")
# Argon2id at OWASP's parameters: 19 MiB, 2 rounds, 1 thread (lesson 01).
argon2id = argon2.using(type="ID", memory_cost=19456, rounds=2, parallelism=1)
NOBODY = argon2id.hash(secrets.token_hex())  # an unknown user costs a hash as well
remembered = {}  # user name: (keyed hash of the right pair, when it stops counting)


@auth.verify_password
def verify(name, password):
    """Return the user's row if the pair is right, else None."""
    name, password = clean(name, 64), clean(password, 1024)
    if name is None or password is None:
        return None
    user = db().execute("SELECT * FROM users WHERE name = ?", [name]).fetchone()
    stored = user["hash"] if user else NOBODY
    # The stored hash is part of the tag, so a changed password forgets it, in every worker.
    tag = hmac.digest(KEY, f"{stored}\0{password}".encode(), "sha256")
    known, until = remembered.get(name, (b"", 0))
    if user and time.monotonic() < until and hmac.compare_digest(tag, known):
        return user
    if argon2id.verify(password, stored) and user:
        remembered[name] = tag, time.monotonic() + 60
        return user
    return None


@auth.get_user_roles
def roles(user):
    return "admin" if user["admin"] else None


@auth.error_handler
def refused(status):  # the library adds the challenge, WWW-Authenticate
    if status == 403:
        return "You are known, but this is for admins.\n", 403
    return "Send the user name and password of an account.\n", 401


@app.get("/public")
def public():
    return "Hello, whoever you are!\n"


@app.get("/")
@auth.login_required
def index():
    return f"Hello, {auth.current_user()['name']}!\n"


@app.get("/admin")
@auth.login_required(role="admin")
def admin():
    return f"Hello, admin {auth.current_user()['name']}!\n"


@app.post("/users")
@auth.login_required(role="admin")
def add_user():
    name = clean(request.form.get("username", ""), 64)
    if name is None or ":" in name or not name.isprintable():  # ":" ends the name (RFC 7617 2)
        abort(400, "Send a form field username: 1 to 64 bytes of printable text without a colon.")
    try:
        db().execute("INSERT INTO users VALUES (?, ?, 0)", [name, hash_of_new_password()])
    except sqlite3.IntegrityError:
        abort(409, "This name is taken; choose another.")
    return "Added.\n", 201


@app.post("/password")
@auth.login_required
def change_password():
    change = "UPDATE users SET hash = ? WHERE name = ?"
    db().execute(change, [hash_of_new_password(), auth.current_user()["name"]])
    return "", 204


def hash_of_new_password():
    password = clean(request.form.get("password", ""), 1024)
    if password is None:
        abort(400, "Send a form field password: 1 to 1024 bytes of text without NUL.")
    return argon2id.hash(password)


def clean(text, most):
    """Return text in NFC, so that every way to type "é" is the same; None if unusable."""
    text = unicodedata.normalize("NFC", text)
    odd = "\0" in text or "\ufffd" in text  # the latter stands for bytes that were no UTF-8
    return text if 1 <= len(text.encode()) <= most and not odd else None


@app.before_request
def refuse_other_sites():
    """A browser adds the remembered password to another site's form too (CSRF): not here."""
    if request.method == "POST" and "-site" in request.headers.get("Sec-Fetch-Site", ""):
        abort(403, "This form came from another site.")


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
        local.db.row_factory = sqlite3.Row
    return local.db


def prepare():
    """Make the tables and the demo users, unless they are there, and return the secret key."""
    Path(str(app.config["DATABASE"])).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    db().execute("CREATE TABLE IF NOT EXISTS settings (name PRIMARY KEY, value)")
    db().execute("CREATE TABLE IF NOT EXISTS users (name PRIMARY KEY, hash, admin)")
    # Only once, as writing would wait for whoever holds the database.
    if not db().execute("SELECT 1 FROM users").fetchone():
        # A random key for whoever sets none, the same for all workers. One that is kept beside the
        # data is stolen with the data: where it matters, set FLASK_SECRET_KEY.
        db().execute("INSERT OR IGNORE INTO settings VALUES ('key', ?)", [secrets.token_hex(32)])
        demo = [argon2id.hash("pass1"), argon2id.hash("pass2")]
        db().execute("INSERT OR IGNORE INTO users VALUES ('user1', ?, 1), ('user2', ?, 0)", demo)
    key = app.config["SECRET_KEY"] or db().execute("SELECT value FROM settings").fetchone()[0]
    if len(str(key).encode()) < 32:
        sys.exit(
            "FLASK_SECRET_KEY is shorter than 32 bytes. Make one with:"
            ' python -c "import secrets; print(secrets.token_hex(32))"'
        )
    db().close()
    del local.db  # each worker opens its own
    return str(key).encode()


app.config["DATABASE"] = Path(app.instance_path, "users.db")
app.config.from_prefixed_env()  # FLASK_DATABASE, FLASK_SECRET_KEY
KEY = prepare()

if __name__ == "__main__":
    app.run(port=5002, debug=False)
