# /// script
# requires-python = ">=3.10"
# dependencies = ["flask>=3.1", "libpass[argon2]>=1.9", "pyjwt>=2.10"]
# ///
"""Lesson 04, done right: JSON Web Tokens (RFC 7519, 6750, 8725) with PyJWT.

The password is sent once, to /login. What comes back is a signed token that names its user
and its end; the client shows it instead of the password, in a header and nowhere else.
"""

import contextlib
import re
import secrets
import sqlite3
import sys
import threading
import time
import unicodedata
from pathlib import Path

import jwt
from flask import Flask, Response, abort, request
from passlib.hash import argon2
from werkzeug.exceptions import HTTPException, ServiceUnavailable

# The instance folder, with the database, lies beside this file, wherever you start it from.
app = Flask(__name__, instance_path=str(Path(__file__).resolve().with_name("instance")))
REALM = ISSUER = AUDIENCE = "Lesson 04"  # we issue the tokens, and they are meant for us
# Argon2id at OWASP's parameters: 19 MiB, 2 rounds, 1 thread (lesson 01).
argon2id = argon2.using(type="ID", memory_cost=19456, rounds=2, parallelism=1)
NOBODY = argon2id.hash(secrets.token_hex())  # an unknown user costs a hash as well


@app.post("/login")
def login():
    """Exchange a user name and password for a token."""
    user = password_owner()
    now = int(time.time())
    claims = {
        "iss": ISSUER,
        "sub": user["name"],
        "aud": AUDIENCE,
        "iat": now,
        "exp": now + TOKEN_LIFETIME,
        "jti": secrets.token_hex(16),  # the token's own name, to revoke it by
    }
    if user["admin"]:
        claims["scope"] = "admin"
    answer = {
        "access_token": jwt.encode(claims, KEY, algorithm="HS256"),
        "token_type": "Bearer",
        "expires_in": TOKEN_LIFETIME,
    }
    return answer, {"Cache-Control": "no-store"}


def password_owner():
    """Return the user whose Basic credentials came along, or answer with a challenge."""
    sent = credentials("basic")
    if sent:
        name, password = (unicodedata.normalize("NFC", t) for t in (sent.username, sent.password))
        if 1 <= len(password.encode()) <= 1024 and "\0" not in name + password:
            user = find_user(name)
            if argon2id.verify(password, user["hash"] if user else NOBODY) and user:
                return user
    refuse_with(401, f'Basic realm="{REALM}", charset="UTF-8"', "User name or password is wrong.")


def token_claims():
    """Return the claims of the token that came along, all checked, or answer with a challenge."""
    sent = credentials("bearer")
    challenge = f'Bearer realm="{REALM}"'
    if not sent:  # no token at all: no error code (RFC 6750 3.1)
        refuse_with(401, challenge, "Send a token from /login: Authorization: Bearer ...")
    try:
        claims = jwt.decode(
            sent.token or "",
            KEY,
            algorithms=["HS256"],  # ours, never the one that the token asks for
            issuer=ISSUER,
            audience=AUDIENCE,
            options={"require": ["iss", "sub", "aud", "iat", "exp", "jti"], "strict_aud": True},
        )
        if not type(claims["iat"]) is type(claims["exp"]) is int:
            raise jwt.InvalidTokenError("iat and exp must be whole numbers")
        if claims["exp"] - claims["iat"] > TOKEN_LIFETIME:
            raise jwt.InvalidTokenError("It lives longer than any token from /login")
        if revoked(claims["jti"]):
            raise jwt.InvalidTokenError("It was logged out")
        if not find_user(claims["sub"]):
            raise jwt.InvalidTokenError("Its user does not exist")
    except (jwt.InvalidTokenError, RecursionError, UnicodeError) as error:
        reason = re.sub(r"[^ !#-\[\]-~]", "'", str(error))  # what RFC 6750 3 allows in a header
        sentence = f"{reason}. Get a new token from /login."
        details = f'error="invalid_token", error_description="{sentence}"'
        refuse_with(401, f"{challenge}, {details}", sentence)
    return claims


def credentials(scheme):
    """Return what the Authorization header holds if it is of this scheme, else None."""
    try:
        sent = request.authorization
    except ValueError:  # Werkzeug, when Basic comes with bytes beyond ASCII
        return None
    return sent if sent and sent.type == scheme else None


def refuse_with(status, challenge, sentence):
    abort(app.response_class(f"{sentence}\n", status, {"WWW-Authenticate": challenge}))


@app.get("/insecured")
def insecured():
    return "Hello, whoever you are!\n"


@app.get("/secured")
def secured():
    return f"Hello, {token_claims()['sub']}!\n"


@app.get("/admin")
def admin():
    claims = token_claims()
    if claims.get("scope") != "admin":
        needs = f'Bearer realm="{REALM}", error="insufficient_scope", scope="admin"'
        refuse_with(403, needs, "Your token is good, but this is for admins.")
    return f"Hello, admin {claims['sub']}!\n"


@app.post("/logout")
def logout():
    claims = token_claims()
    # What expired is kept for another hour, in case the clock is set back.
    db().execute("DELETE FROM revoked WHERE until < ?", [time.time() - 3600])
    db().execute("INSERT OR IGNORE INTO revoked VALUES (?, ?)", [claims["jti"], claims["exp"]])
    return "", 204


def revoked(jti):
    return db().execute("SELECT 1 FROM revoked WHERE jti = ?", [jti]).fetchone() is not None


def find_user(name):
    return db().execute("SELECT * FROM users WHERE name = ?", [name]).fetchone()


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
    lifetime = app.config["TOKEN_LIFETIME"]
    if type(lifetime) is not int or not 1 <= lifetime <= 10**9:
        sys.exit("FLASK_TOKEN_LIFETIME must be a whole number of seconds, 1 or more.")
    Path(str(app.config["DATABASE"])).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with contextlib.suppress(sqlite3.OperationalError):  # refused: another worker is setting it
        db().execute("PRAGMA journal_mode = WAL")  # reading is quicker, and waits for no writer
    db().execute("CREATE TABLE IF NOT EXISTS settings (name PRIMARY KEY, value)")
    db().execute("CREATE TABLE IF NOT EXISTS revoked (jti PRIMARY KEY, until)")
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
    return str(key)


app.config.from_mapping(DATABASE=Path(app.instance_path, "users.db"), TOKEN_LIFETIME=180)
app.config.from_prefixed_env()  # FLASK_DATABASE, FLASK_SECRET_KEY, FLASK_TOKEN_LIFETIME
KEY, TOKEN_LIFETIME = prepare(), app.config["TOKEN_LIFETIME"]

if __name__ == "__main__":
    app.run(port=5004, debug=False)
