"""A right answer: no Flask-HTTPAuth and no Werkzeug parser; the header taken apart by hand."""

import base64
import binascii
import contextlib
import functools
import hashlib
import hmac
import json
import os
import time
import unicodedata
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from flask import Flask, Response, g, request
from markupsafe import escape

app = Flask(__name__)
app.config["MAX_CONTENT_LENGTH"] = 16_000
FILE = Path(os.environ["FLASK_DATABASE"])
KEY = os.urandom(32)
hasher = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
NOBODY = hasher.hash(os.urandom(8).hex())
seen = {}


@contextlib.contextmanager
def lock():
    """Let one at a time change the file, of all threads and processes."""
    name = f"{FILE}.lock"
    while True:
        try:
            os.close(os.open(name, os.O_CREAT | os.O_EXCL))
            break
        except (FileExistsError, PermissionError):
            time.sleep(0.005)
    try:
        yield
    finally:
        os.unlink(name)


def load():
    return json.loads(FILE.read_text("utf-8"))


def save(users):
    draft = FILE.with_suffix(".new")
    draft.write_text(json.dumps(users), "utf-8")
    os.replace(draft, FILE)


with lock():
    if not FILE.exists():
        save({f"user{n}": [hasher.hash(f"pass{n}"), n == 1] for n in (1, 2)})


def good(text):
    return bool(text) and len(text.encode()) <= 1024 and "\0" not in text


def credentials():
    """Return name and password from the header, or None."""
    header = request.environ.get("HTTP_AUTHORIZATION", "")
    scheme, _, rest = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    if len(rest) > 6000:  # of base64, before the work
        return None
    try:
        text = base64.b64decode(rest.strip(" "), validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        return None
    name, colon, password = unicodedata.normalize("NFC", text).partition(":")
    return (name, password) if colon and good(name) and good(password) else None


def authenticate():
    """Return the user's name if the header is right, else None."""
    pair = credentials()
    if pair is None:
        return None
    name, password = pair
    stored, g.admin = g.row = load().get(name, [NOBODY, False])
    mark = hmac.new(KEY, json.dumps([stored, password]).encode(), hashlib.sha256).hexdigest()
    if seen.get(mark, 0) > time.monotonic():
        return name
    try:
        hasher.verify(stored, password)
    except VerifyMismatchError:
        return None
    if stored == NOBODY:
        return None
    if len(seen) > 5000:
        seen.clear()
    seen[mark] = time.monotonic() + 60
    return name


def protected(view=None, admin=False):
    if view is None:
        return functools.partial(protected, admin=admin)

    @functools.wraps(view)
    def wrapped():
        g.name = authenticate()
        if g.name is None:
            challenge = {"WWW-Authenticate": 'Basic realm="by hand", charset="UTF-8"'}
            return Response("Please log in.", 401, challenge)
        if admin and not g.admin:
            return Response("Not for you.", 403)
        if request.method == "POST" and request.headers.get("Origin", own()) != own():
            return Response("From elsewhere.", 403)
        return view()

    return wrapped


def own():
    return f"{request.scheme}://{request.host}"


def form(key):
    text = request.form.get(key, "")
    return unicodedata.normalize("NFC", text) if len(text) <= 4096 else ""


def outdated(known):
    """Whether who is asking is no longer who they were when the header was checked."""
    return known.get(g.name) != g.row


def ask_again():
    return Response("Changed meanwhile.", 401, {"WWW-Authenticate": 'Basic realm="by hand"'})


@app.route("/")
@protected
def index():
    return f"Hello, {escape(g.name)}!"


@app.route("/public")
def public():
    return "open"


@app.route("/admin")
@protected(admin=True)
def admin():
    return "closed"


@app.route("/users", methods=["POST"])
@protected(admin=True)
def users():
    name, password = form("username"), form("password")
    if not good(name) or ":" in name or not good(password):
        return "bad", 400
    with lock():
        known = load()
        if outdated(known):
            return ask_again()
        if name in known:
            return "taken", 409
        save({**known, name: [hasher.hash(password), False]})
    return "added", 201


@app.route("/password", methods=["POST"])
@protected
def password():
    if not good(form("password")):
        return "bad", 400
    hashed = hasher.hash(form("password"))
    with lock():
        known = load()
        if outdated(known):
            return ask_again()
        known[g.name][0] = hashed
        save(known)
    return "", 204
