"""A right answer: class-based views and Flask-HTTPAuth, users behind an object of their own."""

import hashlib
import hmac
import secrets
import sqlite3
import time
import unicodedata
from typing import NamedTuple

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error
from flask import Flask, abort, request
from flask.views import MethodView
from flask_httpauth import HTTPBasicAuth
from markupsafe import escape

app = Flask(__name__)
app.config.from_mapping(MAX_CONTENT_LENGTH=16_000, MAX_FORM_MEMORY_SIZE=16_000)
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


class User(NamedTuple):
    name: str
    hash: str
    admin: int


class Users:
    MINUTE = 60
    MANY = 1000

    def __init__(self, path):
        self.path, self.hasher = path, PasswordHasher(2, 19456, 1)
        self.dummy, self.seen = self.hasher.hash("dummy"), {}
        self.pepper = secrets.token_bytes()
        self.run("create table if not exists user (name text primary key, hash text, admin int)")
        for name, admin in ("1", 1), ("2", 0):
            values = f"user{name}", self.hasher.hash(f"pass{name}"), admin
            self.run("insert or ignore into user values (?, ?, ?)", *values)

    def run(self, sql, *values):
        with sqlite3.connect(self.path) as file:
            return file.execute(sql, values)

    def add(self, name, password, by):
        """Add a user, if `by` is still an admin with this hash; return whether it went well."""
        sql = "insert into user select ?, ?, 0 from user where name = ? and hash = ? and admin"
        values = name, self.hasher.hash(password), by.name, by.hash
        return self.run(sql, *values).rowcount == 1

    def change(self, user, password):
        """Change the password, if the hash is still this one; return whether it was."""
        sql = "update user set hash = ? where name = ? and hash = ?"
        return self.run(sql, self.hasher.hash(password), user.name, user.hash).rowcount == 1

    def find(self, name):
        row = self.run("select name, hash, admin from user where name = ?", name).fetchone()
        return User(*row) if row else None

    def right(self, name, password):
        """Return the user if the password is right, else None."""
        found = self.find(name)
        stored = found.hash if found else self.dummy
        mark = hashlib.blake2b(f"{stored} {password}".encode(), key=self.pepper).digest()
        kept, until = self.seen.get(name, (b"", 0))
        if found and time.time() < until and hmac.compare_digest(kept, mark):
            return found
        try:
            self.hasher.verify(stored, password)
        except Argon2Error:
            return None
        if found:
            if len(self.seen) >= self.MANY:
                self.seen = {}
            self.seen[name] = mark, time.time() + self.MINUTE
        return found


users = Users(app.config["DATABASE"])


def usable(text):
    if len(text or "") > 4 * 1024:
        return None
    text = unicodedata.normalize("NFC", text or "")
    return text if 0 < len(text.encode()) <= 1024 and "\0" not in text else None


@auth.verify_password
def verify(name, password):
    name, password = usable(name), usable(password)
    return users.right(name, password) if name and password else None


@auth.get_user_roles
def roles(user):
    return ["admin"] if user.admin else []


@app.before_request
def same_site():
    if request.method == "POST":
        site = request.headers.get("Sec-Fetch-Site")
        if site is None:  # plain http: there is Origin alone, or nothing from a program
            own = f"{request.scheme}://{request.host}"
            site = "same-origin" if request.headers.get("Origin", own) == own else "other"
        if site not in ("none", "same-origin"):
            abort(403)


def outdated():
    """Answer a request whose credentials were right when it began, and are no longer."""
    return auth.auth_error_callback(401)


class Index(MethodView):
    @auth.login_required
    def get(self):
        return f"Hello, {escape(auth.current_user().name)}!"


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
        try:
            return ("", 201) if users.add(name, password, auth.current_user()) else outdated()
        except sqlite3.IntegrityError:
            return "taken", 409


class Password(MethodView):
    @auth.login_required
    def post(self):
        password = usable(request.form.get("password")) or abort(400)
        return ("", 204) if users.change(auth.current_user(), password) else outdated()


for rule, view in [
    ("/", Index),
    ("/public", Public),
    ("/admin", Admin),
    ("/users", NewUser),
    ("/password", Password),
]:
    app.add_url_rule(rule, view_func=view.as_view(view.__name__))
