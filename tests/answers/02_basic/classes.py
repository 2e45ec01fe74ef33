"""A right answer: class-based views and Flask-HTTPAuth, users behind an object of their own."""

import hashlib
import hmac
import secrets
import sqlite3
import time
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error
from flask import Flask, abort, request
from flask.views import MethodView
from flask_httpauth import HTTPBasicAuth

app = Flask(__name__)
app.config.from_prefixed_env()


class Basic(HTTPBasicAuth):
    def get_auth(self):
        try:
            given = request.authorization
        except ValueError:
            given = None
        return given if given is not None and given.type == "basic" else None

    def authenticate_header(self):
        return f'Basic realm="{self.realm}", charset="UTF-8"'


auth = Basic(realm="mine")


class Users:
    MINUTE = 60

    def __init__(self, path):
        self.path, self.hasher = path, PasswordHasher(2, 19456, 1)
        self.dummy, self.seen = self.hasher.hash("dummy"), {}
        self.pepper = secrets.token_bytes()
        self.run("create table if not exists user (name text primary key, hash text, admin int)")
        for name, admin in ("1", 1), ("2", 0):
            self.add(f"user{name}", f"pass{name}", admin)

    def run(self, sql, *values):
        with sqlite3.connect(self.path) as file:
            return file.execute(sql, values)

    def add(self, name, password, admin=0):
        sql = "insert or ignore into user values (?, ?, ?)"
        return self.run(sql, name, self.hasher.hash(password), admin).rowcount

    def change(self, name, password):
        self.run("update user set hash = ? where name = ?", self.hasher.hash(password), name)

    def find(self, name):
        return self.run("select hash, admin from user where name = ?", name).fetchone()

    def right(self, name, password):
        found = self.find(name)
        stored = found[0] if found else self.dummy
        mark = hashlib.blake2b(f"{stored} {password}".encode(), key=self.pepper).digest()
        kept, until = self.seen.get(name, (b"", 0))
        if found and time.time() < until and hmac.compare_digest(kept, mark):
            return True
        try:
            self.hasher.verify(stored, password)
        except Argon2Error:
            return False
        if found:
            self.seen[name] = mark, time.time() + self.MINUTE
        return bool(found)


users = Users(app.config["DATABASE"])


def usable(text):
    text = unicodedata.normalize("NFC", text or "")
    return text if 0 < len(text.encode()) <= 1024 and "\0" not in text else None


@auth.verify_password
def verify(name, password):
    name, password = usable(name), usable(password)
    return name if name and password and users.right(name, password) else None


@auth.get_user_roles
def roles(name):
    return ["admin"] if users.find(name)[1] else []


@app.before_request
def same_site():
    if request.method == "POST" and request.headers.get("Sec-Fetch-Site", "none") not in (
        "none",
        "same-origin",
    ):
        abort(403)


class Index(MethodView):
    @auth.login_required
    def get(self):
        return f"Hello, {auth.current_user()}!"


class Public(MethodView):
    def get(self):
        return "public"


class Admin(MethodView):
    decorators = [auth.login_required(role="admin")]

    def get(self):
        return "admin"


class NewUser(MethodView):
    decorators = [auth.login_required(role="admin")]

    def post(self):
        name, password = (usable(request.form.get(key)) for key in ("username", "password"))
        if not name or not password or ":" in name:
            abort(400)
        return ("", 201) if users.add(name, password) else ("taken", 409)


class Password(MethodView):
    @auth.login_required
    def post(self):
        password = usable(request.form.get("password")) or abort(400)
        users.change(auth.current_user(), password)
        return "", 204


for rule, view in [
    ("/", Index),
    ("/public", Public),
    ("/admin", Admin),
    ("/users", NewUser),
    ("/password", Password),
]:
    app.add_url_rule(rule, view_func=view.as_view(view.__name__))
