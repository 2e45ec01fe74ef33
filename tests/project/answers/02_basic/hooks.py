"""A right answer: one hook decides for every view, which names what it asks for."""

import base64
import hashlib
import secrets
import sqlite3
import time
import unicodedata

from flask import Flask, Response, abort, g, request
from markupsafe import escape
from passlib.context import CryptContext
from werkzeug.exceptions import HTTPException

app = Flask(__name__)
app.config.from_prefixed_env()
app.config["MAX_CONTENT_LENGTH"] = 16_000
context = CryptContext(["argon2"], argon2__memory_cost=19456, argon2__parallelism=1)
OPEN, USERS, ADMINS = 0, 1, 2
needs = {}  # endpoint: which of these
CHALLENGE = 'Basic realm="hooks", charset="UTF-8"'


def asks_for(level):
    def note(view):
        needs[view.__name__] = level
        return view

    return note


class Recent(dict):
    """Digests with a random key, each with the moment at which it was found right."""

    key = secrets.token_bytes(64)

    def digest(self, *parts):
        text = "\0".join(parts).encode()
        return hashlib.blake2b(text, key=self.key, digest_size=32).digest()

    def knows(self, digest):
        return 0 <= time.monotonic() - self.get(digest, float("-inf")) < 60

    def learn(self, digest):
        now = time.monotonic()
        for old in [old for old, at in list(self.items()) if now - at >= 60]:
            self.pop(old, None)
        if len(self) < 5000:
            self[digest] = now


recent = Recent()


@app.before_request
def connect():
    g.db = sqlite3.connect(app.config["DATABASE"], timeout=20, isolation_level=None)


@app.teardown_request
def disconnect(error):
    if "db" in g:
        g.db.close()


@app.before_request
def authenticate():
    level = needs.get(request.endpoint, OPEN)
    if level == OPEN:
        return
    g.user = find(*credentials())
    if g.user is None:
        abort(401)
    if level == ADMINS and not g.user["admin"]:
        abort(403)


@app.before_request
def refuse_forms_of_others():
    if request.method not in ("GET", "HEAD", "OPTIONS"):
        site = request.headers.get("Sec-Fetch-Site", "none")
        if site not in ("none", "same-origin"):
            abort(403)
        origin = request.headers.get("Origin")
        if origin is not None and origin.rstrip("/") != request.host_url.rstrip("/"):
            abort(403)


@app.errorhandler(HTTPException)
def explain(error):
    body = f"<!doctype html><title>{error.name}</title><p>{error.description}</p>"
    response = Response(body, error.code, mimetype="text/html")
    if error.code == 401:
        response.headers["WWW-Authenticate"] = CHALLENGE
    return response


def credentials():
    """Return name and password, both None if the header has none."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    token = token.strip(" ")
    if scheme.casefold() != "basic" or not token or len(token) > 8000:
        return None, None
    try:
        raw = base64.b64decode(token.encode("ascii"), validate=True)
        name, colon, password = raw.decode("utf-8").partition(":")
    except ValueError:  # also what base64 and UTF-8 raise
        return None, None
    return (tidy(name), tidy(password)) if colon else (None, None)


def tidy(text):
    if text is None or not 0 < len(text) <= 4096 or "\0" in text:
        return None
    text = unicodedata.normalize("NFC", text)
    return text if len(text.encode()) <= 1024 else None


dummy = context.hash("dummy")


def find(name, password):
    if not name or not password:
        return None
    row = g.db.execute("SELECT name, hash, admin FROM users WHERE name = ?", (name,)).fetchone()
    stored = row[1] if row else dummy
    digest = recent.digest(name, stored, password)
    if not recent.knows(digest):
        if not context.verify(password, stored) or row is None:
            return None
        recent.learn(digest)
    return dict(zip(("name", "hash", "admin"), row, strict=True))


@app.get("/")
@asks_for(USERS)
def index():
    g.title = "Home"
    return f"<!doctype html><title>Home</title><h1>Hello, {escape(g.user['name'])}!</h1>"


@app.get("/public")
def public():
    return "<!doctype html><title>Public</title><p>For everybody."


@app.get("/admin")
@asks_for(ADMINS)
def admin():
    return "<!doctype html><title>Admin</title><p>For admins."


@app.post("/users")
@asks_for(ADMINS)
def users():
    name, password = tidy(request.form.get("username")), tidy(request.form.get("password"))
    if name is None or ":" in name or password is None:
        abort(400)
    values = name, context.hash(password), g.user["name"], g.user["hash"]
    add = "INSERT INTO users SELECT ?, ?, 0 FROM users WHERE name = ? AND hash = ? AND admin = 1"
    try:
        return ("", 201) if g.db.execute(add, values).rowcount else abort(401)
    except sqlite3.IntegrityError:
        abort(409)


@app.post("/password")
@asks_for(USERS)
def password():
    new = tidy(request.form.get("password")) or abort(400)
    values = context.hash(new), g.user["name"], g.user["hash"]
    change = g.db.execute("UPDATE users SET hash = ? WHERE name = ? AND hash = ?", values)
    return ("", 204) if change.rowcount else abort(401)


with app.app_context():
    connect()
    g.db.execute("CREATE TABLE IF NOT EXISTS users (name TEXT PRIMARY KEY, hash TEXT, admin INT)")
    demo = context.hash("pass1"), context.hash("pass2")
    g.db.execute("INSERT OR IGNORE INTO users VALUES ('user1', ?, 1), ('user2', ?, 0)", demo)
    g.db.close()

if __name__ == "__main__":
    app.run(port=5002)
