"""A right answer: blueprints, a factory, its own decorator for roles, itsdangerous for memory."""

import functools
import secrets
import sqlite3
from unicodedata import normalize

from flask import Blueprint, Flask, abort, current_app, g, request
from flask_httpauth import HTTPBasicAuth
from itsdangerous import BadSignature, TimestampSigner
from markupsafe import escape
from passlib.hash import argon2

pages = Blueprint("pages", __name__)
account = Blueprint("account", __name__)
auth = HTTPBasicAuth(scheme="Basic", realm="factory")
signer = TimestampSigner(secrets.token_bytes(32))
NOBODY = argon2.hash("nobody")
memory = {}


@auth.error_handler
def ask(status):
    header = {"WWW-Authenticate": 'Basic realm="factory", charset="UTF-8"'}
    return "Who are you?", 401, header


def connect():
    if not hasattr(g, "db"):
        g.db = sqlite3.connect(current_app.config["DATABASE"], timeout=20)
    return g.db


def text_of(value):
    value = (value or "").encode()[: 4 * 1024 + 1].decode(errors="replace")  # NFC is slow
    value = normalize("NFC", value)
    return value if 1 <= len(value.encode()) <= 1024 and "\x00" not in value else ""


@auth.verify_password
def check(name, password):
    try:
        sent = request.authorization
    except ValueError:
        return False
    if sent is None or sent.type != "basic":
        return False
    name, password = text_of(sent.username), text_of(sent.password)
    if not name or not password:
        return False
    row = connect().execute("SELECT hash, admin FROM users WHERE name = ?", [name]).fetchone()
    stored = row[0] if row else NOBODY
    g.user, g.hash, g.admin = name, stored, bool(row and row[1])
    pair = f"{stored}|{password}"
    try:
        if row and signer.validate(f"{pair}.{memory.get(name, '')}", max_age=60):
            return True
    except BadSignature:
        pass
    if argon2.verify(password, stored) and row:
        while len(memory) > 2000:
            memory.popitem()
        memory[name] = signer.sign(pair).decode()[len(pair) + 1 :]
        return True
    return False


def admins_only(view):
    @functools.wraps(view)
    @auth.login_required
    def wrapped(*args, **kwargs):
        return view(*args, **kwargs) if g.admin else ("Admins only.", 403)

    return wrapped


@pages.get("/")
@auth.login_required
def index():
    return f"Hello, {escape(g.user)}!"


@pages.get("/admin")
@admins_only
def admin():
    return "Secrets"


@pages.get("/public")
def public():
    return "No secrets"


@account.before_request
def no_forgery():
    if request.headers.get("Sec-Fetch-Site") in ("cross-site", "same-site"):
        abort(403)
    if "Sec-Fetch-Site" not in request.headers and "Origin" in request.headers:
        if request.origin != f"{request.scheme}://{request.host}":
            abort(403)


@account.post("/users")
@admins_only
def add():
    name, password = text_of(request.form.get("username")), text_of(request.form.get("password"))
    if not name or not password or ":" in name:
        return "No.", 400
    hashed = argon2.hash(password)
    with connect() as db:
        db.execute("BEGIN IMMEDIATE")
        row = db.execute("SELECT hash, admin FROM users WHERE name = ?", [g.user]).fetchone()
        if row != (g.hash, 1):  # changed while the body was on its way
            return ask(401)
        if db.execute("SELECT 1 FROM users WHERE name = ?", [name]).fetchone():
            return "Taken.", 409
        db.execute("INSERT INTO users VALUES (?, ?, 0)", [name, hashed])
    return "Done.", 201


@account.post("/password")
@auth.login_required
def change():
    password = text_of(request.form.get("password"))
    if not password:
        return "No.", 400
    values = [argon2.hash(password), g.user, g.hash]
    change = connect().execute("UPDATE users SET hash = ? WHERE name = ? AND hash = ?", values)
    connect().commit()
    return ("", 204) if change.rowcount else ask(401)


def create_app():
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = 16 * 1024
    app.config.from_prefixed_env()
    app.register_blueprint(pages)
    app.register_blueprint(account)

    @app.teardown_appcontext
    def close(error):
        if hasattr(g, "db"):
            g.db.close()

    with app.app_context():
        connect().execute("CREATE TABLE IF NOT EXISTS users (name PRIMARY KEY, hash, admin)")
        for number in (1, 2):
            values = [f"user{number}", argon2.hash(f"pass{number}"), number == 1]
            connect().execute("INSERT OR IGNORE INTO users VALUES (?, ?, ?)", values)
        connect().commit()
    return app


app = create_app()
