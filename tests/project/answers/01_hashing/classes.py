"""A right answer: class-based views, the users behind an object of their own."""

import re
import secrets
import sqlite3
import unicodedata
from urllib.parse import unquote

from flask import Flask, request
from flask.views import MethodView
from markupsafe import escape
from passlib.context import CryptContext

app = Flask(__name__)
app.config.from_mapping(MAX_CONTENT_LENGTH=16_000, MAX_FORM_MEMORY_SIZE=16_000)
app.config.from_prefixed_env()

context = CryptContext(["argon2", "sha512_crypt"], deprecated=["sha512_crypt"])


class Refused(Exception):
    def __init__(self, status, text):
        self.status, self.text = status, text


@app.errorhandler(Refused)
def refuse(refused):
    return refused.text, refused.status


class Users:
    """The users in a SQLite file; every call opens it anew."""

    def __init__(self, path):
        self.path = path
        self.dummy = context.hash(secrets.token_hex())
        with self.open() as file:
            file.execute("create table if not exists users (name text unique, hash text)")
        self.add("user1", context.hash("pass1"))
        self.add("user2", context.handler("sha512_crypt").using(rounds=5000).hash("pass2"))

    def open(self):
        return sqlite3.connect(self.path)

    def add(self, name, hashed):
        with self.open() as file:
            done = file.execute("insert or ignore into users values (?, ?)", (name, hashed))
            return done.rowcount == 1

    def all(self):
        with self.open() as file:
            return file.execute("select name, hash from users").fetchall()

    def right(self, name, password):
        hashed = dict(self.all()).get(name)
        good, new = context.verify_and_update(password, hashed or self.dummy)
        if good and hashed and new:
            with self.open() as file:
                change = "update users set hash = ? where name = ? and hash = ?"
                file.execute(change, (new, name, hashed))
        return good and hashed is not None


users = Users(app.config["DATABASE"])


BLANKS = re.compile("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")


def field(name, status):
    value = (request.form.get(name) or "")[:4097]
    endless = len(value) == 4097
    value = "" if endless else unicodedata.normalize("NFC", BLANKS.sub(" ", value))
    if not value or "\0" in value or len(value.encode("utf-8")) > 1024:
        raise Refused(status, "Wrong name or password" if status == 403 else f"{name} is unusable")
    return value


@app.before_request
def only_text():
    try:
        unquote(request.get_data().decode(), errors="strict")
    except UnicodeDecodeError:
        raise Refused(400, "The form is not in UTF-8") from None


class Index(MethodView):
    def get(self):
        return "Welcome"


class Register(MethodView):
    def post(self):
        if not users.add(field("username", 400), context.hash(field("password", 400))):
            raise Refused(409, "taken")
        return "", 201


class Login(MethodView):
    def post(self):
        name = field("username", 403)
        if not users.right(name, field("password", 403)):
            raise Refused(403, "Wrong name or password")
        return f"Hello, {escape(name)}!"


app.add_url_rule("/", view_func=Index.as_view("index"))
app.add_url_rule("/register", view_func=Register.as_view("register"))
app.add_url_rule("/login", view_func=Login.as_view("login"))


@app.cli.command("users")
def show_users():
    for name, hashed in users.all():
        print(name, context.identify(hashed))
