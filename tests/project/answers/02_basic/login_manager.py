"""A right answer: Flask-Login finds the user in each request's header, and keeps no session."""

import functools
import secrets
import sqlite3
import unicodedata

from flask import Flask, Response, abort, request
from flask_login import LoginManager, UserMixin, current_user, login_required
from itsdangerous import BadData, URLSafeTimedSerializer
from passlib.hash import argon2

app = Flask(__name__)
app.config.from_prefixed_env()
app.config["MAX_CONTENT_LENGTH"] = 16_384
app.config["SESSION_PROTECTION"] = None
manager = LoginManager(app)
hasher = argon2.using(type="ID", memory_cost=65536, rounds=2, parallelism=2)
nobody = hasher.hash(secrets.token_hex())
seals = {}  # user name: a signature over hash and password, with its moment
signer = URLSafeTimedSerializer(app.secret_key, salt="remembered")


class User(UserMixin):
    def __init__(self, name, hash, admin):
        self.id, self.hash, self.admin = name, hash, admin


def sql(statement, *values):
    connection = sqlite3.connect(app.config["DATABASE"], timeout=20)
    try:
        with connection:
            cursor = connection.execute(statement, values)
            return cursor.fetchall(), cursor.rowcount
    finally:
        connection.close()


sql("create table if not exists users (name text primary key, hash text, admin integer)")
for name, password, is_admin in [("user1", "pass1", 1), ("user2", "pass2", 0)]:
    sql("insert or ignore into users values (?, ?, ?)", name, hasher.hash(password), is_admin)


def normal(text):
    if not text or len(text) > 4096 or "\0" in text:
        return None
    text = unicodedata.normalize("NFC", text)
    return text if len(text.encode()) <= 1024 else None


@manager.request_loader
def load_user(request):
    try:
        sent = request.authorization
    except ValueError:
        return None
    if sent is None or sent.type != "basic":
        return None
    name, password = normal(sent.username), normal(sent.password)
    if name is None or password is None:
        return None
    rows, _ = sql("select name, hash, admin from users where name = ?", name)
    user = User(*rows[0]) if rows else None
    if user and is_sealed(user, password):
        return user
    if not hasher.verify(password, user.hash if user else nobody) or user is None:
        return None
    if len(seals) > 1000:
        seals.clear()
    seals[name] = sealed(user, password)
    return user


def sealed(user, password):
    whole = signer.dumps(digestible(user, password))
    return whole.partition(".")[2]


def digestible(user, password):
    return f"{user.id} {user.hash} {password}"


def is_sealed(user, password):
    payload = signer.dump_payload(digestible(user, password)).decode()
    try:
        signer.loads(f"{payload}.{seals.get(user.id, '')}", max_age=59)
    except BadData:
        return False
    return True


@manager.unauthorized_handler
def ask():
    return Response(
        "Name and password, please.\n",
        401,
        {"WWW-Authenticate": 'Basic realm="flask-login", charset="UTF-8"'},
    )


def admins(view):
    @functools.wraps(view)
    @login_required
    def checked():
        return view() if current_user.admin else abort(403)

    return checked


@app.before_request
def forms_are_ours():
    site = request.headers.get("Sec-Fetch-Site")
    ours = (None, f"{request.scheme}://{request.host}")
    if request.method == "POST" and (
        site in ("cross-site", "same-site") or request.headers.get("Origin") not in ours
    ):
        abort(403)


@app.get("/")
@login_required
def index():
    return f"Hello, {current_user.id}!\n", {"Content-Type": "text/plain; charset=utf-8"}


@app.get("/public")
def public():
    return "Hello!\n"


@app.get("/admin")
@admins
def admin():
    return "Hello, admin!\n"


@app.post("/users")
@admins
def users():
    name, password = normal(request.form.get("username")), normal(request.form.get("password"))
    if name is None or ":" in name or password is None:
        abort(400)
    add = "insert into users select ?, ?, 0 from users where name = ? and hash = ? and admin"
    try:
        _, count = sql(add, name, hasher.hash(password), current_user.id, current_user.hash)
    except sqlite3.IntegrityError:
        abort(409)
    return ("Added.\n", 201) if count else ask()


@app.post("/password")
@login_required
def password():
    new = normal(request.form.get("password")) or abort(400)
    change = "update users set hash = ? where name = ? and hash = ?"
    _, count = sql(change, hasher.hash(new), current_user.id, current_user.hash)
    return ("", 204) if count else ask()


if __name__ == "__main__":
    app.run(port=5002)
