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

app = Flask(__name__)


class BasicAuth(HTTPBasicAuth):
    def get_auth(self):  # Werkzeug's parser: the library's takes any scheme and broken base64
        try:
            sent = request.authorization
        except ValueError:  # bytes that are not even ASCII
            return None
        return sent if sent and sent.type == "basic" else None

    def authenticate_header(self):
        return f'{super().authenticate_header()}, charset="UTF-8"'


auth = BasicAuth(realm="Lesson 02")
# Argon2id at OWASP's parameters: 19 MiB, 2 rounds, 1 thread (lesson 01).
argon2id = argon2.using(type="ID", memory_cost=19456, rounds=2, parallelism=1)
NOBODY = argon2id.hash(secrets.token_hex())  # an unknown user costs a hash as well
remembered = {}  # user name: (tag of the right pair, when it stops counting)


@auth.verify_password
def verify_password(username, password):
    """Return the user's row if the pair is right, else None."""
    username, password = store.clean(username, 64), store.clean(password, 1024)
    if username is None or password is None:
        return None
    user = store.find_user(username)
    if user and is_remembered(user, password):
        return user
    stored = user["hash"] if user else None
    try:
        right = argon2id.verify(password, stored or NOBODY)
    except ValueError:  # a hash that can't be read fits no password
        right = False
    if right and stored:
        if len(remembered) >= 10_000:  # so many logins take minutes, so most have ended
            remembered.clear()
        remembered[username] = tag(user, password), time.monotonic() + 60
        return user
    return None


def is_remembered(user, password):
    known, until = remembered.get(user["name"], (b"", 0))
    return time.monotonic() < until and hmac.compare_digest(known, tag(user, password))


def tag(user, password):  # a keyed hash of both: when the stored hash changes, it no longer fits
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
def refused(status):  # the decorator adds WWW-Authenticate, also when a view calls this
    if status == 403:
        return "You are known, but this is for admins.\n", 403
    if auth.get_auth():
        return "User name or password is wrong.\n", 401
    return "Send the user name and password of an account.\n", 401


@app.get("/admin")
@auth.login_required(role="admin")
def admin():
    return f"Hello, admin {auth.current_user()['name']}!\n"


@app.post("/users")
@auth.login_required(role="admin")
def add_user():
    username, password = store.form_field("username", 64), store.form_field("password", 1024)
    # In the header, the first colon ends the name (RFC 7617 section 2).
    if ":" in username or not username.isprintable():
        abort(400, "A user name is printable text without a colon.")
    try:
        added = store.add_user(username, argon2id.hash(password), by=auth.current_user())
    except KeyError:
        abort(409, "This name is taken; choose another.")
    return ("Added.\n", 201) if added else refused(401)


@app.post("/password")
@auth.login_required
def change_password():
    new = argon2id.hash(store.form_field("password", 1024))
    # The body may come long after the header was checked. So what is written, here and in add_user,
    # is written only if the password that was right then is still the user's.
    return ("", 204) if store.change_hash(auth.current_user(), new) else refused(401)


@app.before_request
def refuse_other_origins():
    """Refuse a form that another origin's page sends along with the remembered password (CSRF).

    Browsers say where a form comes from: in Sec-Fetch-Site over https and on localhost, else in
    Origin. Programs such as curl send neither, and no page can send a form through them.
    """
    if request.method != "POST":
        return
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    own = f"{request.scheme}://{request.host}"
    ours = site in ("same-origin", "none") if site else origin in (None, own)
    if not ours:
        abort(403, "This form came from a page of another origin (scheme, host and port).")


store.set_up(app, argon2id.hash)

if __name__ == "__main__":
    app.run(port=5002, debug=False)
