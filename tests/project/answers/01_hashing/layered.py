"""A right answer: the store behind an interface, Argon2 over a keyed digest, views as classes."""

import hmac
import os
import secrets
import sqlite3
import unicodedata
from dataclasses import dataclass
from typing import Protocol

from argon2 import extract_parameters
from argon2.exceptions import Argon2Error
from argon2.low_level import Type, hash_secret, verify_secret
from flask import Blueprint, Flask, Response, abort, request
from flask.views import View
from passlib.hash import sha512_crypt

bp = Blueprint("accounts", __name__)


class Store(Protocol):
    def get(self, name: str) -> str | None: ...
    def put(self, name: str, hash: str, old: str | None) -> bool: ...
    def every(self) -> list[tuple[str, str]]: ...


@dataclass
class SQLiteStore:
    path: str

    def _run(self, sql, *values):
        connection = sqlite3.connect(self.path, timeout=20)
        try:
            with connection:
                cursor = connection.execute(sql, values)
                return cursor.fetchall(), cursor.rowcount
        finally:
            connection.close()

    def prepare(self):
        self._run("CREATE TABLE IF NOT EXISTS secrets (owner TEXT UNIQUE, secret BLOB)")

    def get(self, name):
        rows, _ = self._run("SELECT secret FROM secrets WHERE owner = ?", name)
        return rows[0][0] if rows else None

    def put(self, name, hash, old):
        if old is None:
            sql = "INSERT OR IGNORE INTO secrets VALUES (?, ?)"
            return self._run(sql, name, hash)[1] == 1
        sql = "UPDATE secrets SET secret = ? WHERE owner = ? AND secret = ?"
        return self._run(sql, hash, name, old)[1] == 1

    def every(self):
        return self._run("SELECT owner, secret FROM secrets ORDER BY owner")[0]


class Passwords:
    def __init__(self, key):
        self.key = key
        self.nobody = self.make(secrets.token_hex())

    def keyed(self, password):
        return hmac.digest(self.key, password.encode(), "sha256")

    def make(self, password):
        salt = os.urandom(16)
        return hash_secret(self.keyed(password), salt, 2, 19456, 1, 32, Type.ID).decode()

    def right(self, password, stored):
        if sha512_crypt.identify(stored):
            return sha512_crypt.verify(password, stored)
        kind = extract_parameters(stored).type
        try:
            return verify_secret(stored.encode(), self.keyed(password), kind)
        except Argon2Error:
            return False


def usable(value):
    if not value or len(value) > 4 * 1024:
        return None
    blanks = {ord(c): " " for c in value if unicodedata.category(c) == "Zs"}
    value = unicodedata.normalize("NFC", value.translate(blanks))
    return value if len(value.encode()) <= 1024 and "\0" not in value else None


class Form(View):
    methods = ["POST"]

    def __init__(self, store: Store, passwords: Passwords):
        self.store, self.passwords = store, passwords

    def dispatch_request(self):
        name, password = usable(request.form.get("username")), usable(request.form.get("password"))
        return self.act(name, password)


class Register(Form):
    def act(self, name, password):
        if name is None or password is None:
            abort(400)
        if not self.store.put(name, self.passwords.make(password), None):
            abort(409)
        return Response(status=201)


class Login(Form):
    def act(self, name, password):
        stored = self.store.get(name) if name else None
        if not password or not self.passwords.right(password, stored or self.passwords.nobody):
            abort(403)
        if stored is None:
            abort(403)
        if sha512_crypt.identify(stored):
            self.store.put(name, self.passwords.make(password), stored)
        return Response(f"Hello, {name}!", content_type="text/plain; charset=utf-8")


def make_app():
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = 16 * 1024
    app.config.from_prefixed_env()
    store = SQLiteStore(app.config["DATABASE"])
    passwords = Passwords(str(app.config["SECRET_KEY"]).encode())
    store.prepare()
    store.put("user1", passwords.make("pass1"), None)
    store.put("user2", sha512_crypt.using(rounds=5000).hash("pass2"), None)
    bp.add_url_rule("/", view_func=lambda: "open", endpoint="index")
    bp.add_url_rule("/register", view_func=Register.as_view("register", store, passwords))
    bp.add_url_rule("/login", view_func=Login.as_view("login", store, passwords))
    app.register_blueprint(bp)

    @app.cli.command("users")
    def users():
        for name, stored in store.every():
            print(f"{name}: {'sha512-crypt' if stored.startswith('$6$') else 'Argon2id'}")

    return app


app = make_app()
