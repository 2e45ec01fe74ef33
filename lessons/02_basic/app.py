# /// script
# requires-python = ">=3.11"
# dependencies = ["flask>=3.1", "flask-httpauth>=4.8", "libpass[argon2]>=1.9"]
# ///
"""Lesson 02, done right: HTTP Basic (RFC 7617) with Flask-HTTPAuth.

The client sends user name and password with every request. So the server must answer fast
without keeping the password, tell an outsider nothing about who has an account, and refuse
forms that another site sends along with the browser's remembered password.
"""

import hmac
import secrets
import time

from flask import Flask, abort, request
from flask_httpauth import HTTPBasicAuth
from passlib.hash import argon2

import store
from store import clean

app = Flask(__name__)


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
def verify_password(username, password):
    """Return the user's row if the pair is right, else None."""
    username, password = clean(username, 64), clean(password, 1024)
    if username is None or password is None:
        return None
    user = store.find_user(username)
    if user and is_remembered(user, password):
        return user
    if argon2id.verify(password, user["hash"] if user else NOBODY) and user:
        if len(remembered) >= 10_000:  # users, not requests: wrong pairs are never remembered
            remembered.clear()
        remembered[username] = tag(user, password), time.monotonic() + 60
        return user
    return None


def is_remembered(user, password):
    known, until = remembered.get(user["name"], (b"", 0))
    return time.monotonic() < until and hmac.compare_digest(known, tag(user, password))


def tag(user, password):
    """Return what is remembered of a right pair: a keyed hash, not the password.

    The stored hash is part of it, so a changed password forgets it, in every worker.
    """
    return hmac.digest(app.secret_key.encode(), f"{user['hash']}\0{password}".encode(), "sha256")


@app.get("/")
@auth.login_required
def index():
    return f"Hello, {auth.current_user()['name']}!\n"


@app.get("/public")
def public():
    return "Hello, whoever you are!\n"


@auth.get_user_roles
def roles(user):
    return "admin" if user["admin"] else None


@auth.error_handler
def refused(status):  # the library adds the challenge, WWW-Authenticate
    if status == 403:
        return "You are known, but this is for admins.\n", 403
    return "Send the user name and password of an account.\n", 401


@app.get("/admin")
@auth.login_required(role="admin")
def admin():
    return f"Hello, admin {auth.current_user()['name']}!\n"


@app.post("/users")
@auth.login_required(role="admin")
def add_user():
    username = clean(request.form.get("username", ""), 64)
    # A colon ends the name in the header (RFC 7617 section 2): who has one could not log in.
    if username is None or ":" in username or not username.isprintable():
        abort(400, "Send a form field username: 1 to 64 bytes of printable text without a colon.")
    try:
        added = store.add_user(username, hash_of_new_password(), by=auth.current_user())
    except KeyError:
        abort(409, "This name is taken; choose another.")
    # The body may come long after the header: by now the admin's password may be another.
    return ("Added.\n", 201) if added else refused(401)


@app.post("/password")
@auth.login_required
def change_password():
    new = hash_of_new_password()
    return ("", 204) if store.change_hash(auth.current_user(), new) else refused(401)


def hash_of_new_password():
    password = clean(request.form.get("password", ""), 1024)
    if password is None:
        abort(400, "Send a form field password: 1 to 1024 bytes of text without NUL.")
    return argon2id.hash(password)


@app.before_request
def refuse_other_origins():
    """Refuse a form that another origin's page sends along with the remembered password (CSRF).

    Browsers say where a form comes from: in Sec-Fetch-Site over https and on localhost, else in
    Origin. Programs such as curl send neither, and nobody can send a form through them unseen.
    """
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    ours = site in ("same-origin", "none") if site else origin in (None, request.host_url[:-1])
    if request.method == "POST" and not ours:
        abort(403, "This form came from a page of another origin (scheme, host and port).")


store.set_up(app, argon2id.hash)

if __name__ == "__main__":
    app.run(port=5002, debug=False)
