"""A right answer: a file with a lock for all processes, and HTTPTokenAuth of the scheme Basic."""

import base64
import binascii
import contextlib
import hmac
import json
import os
import threading
import time
import unicodedata
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from flask import Flask, abort, request
from flask_httpauth import HTTPTokenAuth
from markupsafe import escape
from werkzeug.datastructures import Authorization

FILE = Path(os.environ["FLASK_DATABASE"])
app = Flask(__name__)
app.config["MAX_CONTENT_LENGTH"] = 16_384
app.config.from_prefixed_env()
hasher = PasswordHasher(time_cost=3, memory_cost=12288, parallelism=1)
NOBODY = hasher.hash(os.urandom(9).hex())


class BasicToken(HTTPTokenAuth):
    def get_auth(self):  # Werkzeug would take the token apart
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != self.scheme.lower():
            return None
        return Authorization(scheme, token=token.strip(" "))

    def authenticate_header(self):
        return f'Basic realm="{self.realm}", charset="UTF-8"'


auth = BasicToken("Basic", realm="files")


@contextlib.contextmanager
def users_to_change():
    """Lend the users to one at a time, of all processes, and write what became of them."""
    lock = f"{FILE}.lock"
    while True:
        try:
            os.close(os.open(lock, os.O_CREAT | os.O_EXCL))
            break
        except (FileExistsError, PermissionError):
            time.sleep(0.005)
    try:
        users = load()
        yield users
        draft = FILE.with_name(f"{FILE.name}.{os.getpid()}")
        draft.write_text(json.dumps(users), "utf-8")
        draft.replace(FILE)
    finally:
        os.unlink(lock)


def load():
    return json.loads(FILE.read_text("utf-8")) if FILE.exists() else {}


with users_to_change() as users:
    for number in (1, 2):
        one = {"hash": hasher.hash(f"pass{number}"), "admin": number == 1}
        users.setdefault(f"user{number}", one)


class Minute:
    """Remembers a user's last right password for a minute, as an HMAC under FLASK_SECRET_KEY."""

    def __init__(self):
        self.lock, self.kept = threading.Lock(), {}

    def tag(self, hash, password):
        return hmac.digest(app.secret_key.encode(), f"{hash}\n{password}".encode(), "sha256")

    def knows(self, name, hash, password):
        with self.lock:
            tag, since = self.kept.get(name, (b"", 0.0))
        fresh = time.monotonic() < since + 60
        return fresh and hmac.compare_digest(tag, self.tag(hash, password))

    def keep(self, name, hash, password):
        with self.lock:
            if len(self.kept) > 999:
                self.kept.clear()
            self.kept[name] = self.tag(hash, password), time.monotonic()


minute = Minute()


def usable(text):
    if not text or len(text) > 4096:
        return ""
    text = unicodedata.normalize("NFC", text)
    return "" if "\0" in text or len(text.encode()) > 1024 else text


@auth.verify_token
def verify(token):
    try:
        text = base64.b64decode(token.encode("latin-1"), validate=True).decode()
    except (binascii.Error, UnicodeError):
        return None
    name, _, password = text.partition(":")
    name, password = usable(name), usable(password)
    if not name or not password:
        return None
    user = load().get(name)
    hash = user["hash"] if user else NOBODY
    if user and minute.knows(name, hash, password):
        return {"name": name, **user}
    try:
        hasher.verify(hash, password)
    except VerifyMismatchError:
        return None
    if user is None:
        return None
    minute.keep(name, hash, password)
    return {"name": name, **user}


@auth.get_user_roles
def roles(user):
    return "admin" if user["admin"] else "nobody special"


@auth.error_handler
def page_for(status):
    return page("Not for you" if status == 403 else "Who is there?"), status


def page(text):
    return f"<html><head><title>Files</title></head><body><h1>{escape(text)}</h1></body></html>\n"


def still(users, user):
    """Whether a user is as the header said, now that the body has come."""
    return users.get(user["name"]) == {"hash": user["hash"], "admin": user["admin"]}


@app.before_request
def no_other_origin():
    if request.method == "POST":
        allowed = (None, f"{request.scheme}://{request.host}")
        if request.headers.get("Origin") not in allowed:
            abort(403)


@app.get("/")
@auth.login_required
def index():
    return page(f"Hello, {auth.current_user()['name']}!")


@app.get("/public")
def public():
    return page("Come in")


@app.get("/admin")
@auth.login_required(role="admin")
def admin():
    return page("Everything")


@app.post("/users")
@auth.login_required(role="admin")
def add():
    name, password = (usable(request.form.get(field)) for field in ("username", "password"))
    if not name or ":" in name or not password:
        return page("Name and password, please"), 400
    hash = hasher.hash(password)
    with users_to_change() as users:
        if not still(users, auth.current_user()):
            return auth.auth_error_callback(401)
        if name in users:
            return page("Taken"), 409
        users[name] = {"hash": hash, "admin": False}
    return page("Added"), 201


@app.post("/password")
@auth.login_required
def change():
    password = usable(request.form.get("password"))
    if not password:
        return page("A password, please"), 400
    hash, user = hasher.hash(password), auth.current_user()
    with users_to_change() as users:
        if not still(users, user):
            return auth.auth_error_callback(401)
        users[user["name"]]["hash"] = hash
    return "", 204


if __name__ == "__main__":
    app.run(port=5002)
