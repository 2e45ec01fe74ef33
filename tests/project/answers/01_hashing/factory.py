"""A right answer: a blueprint and a factory, the connection kept in g."""

import secrets
import sqlite3
from unicodedata import category, normalize
from urllib.parse import unquote_to_bytes

import click
from flask import Blueprint, Flask, abort, current_app, g, request
from markupsafe import escape
from passlib.hash import argon2, sha512_crypt

pages = Blueprint("pages", __name__, cli_group=None)
WRONG = "Sorry, that's not right.", 403


def connection():
    if "connection" not in g:
        g.connection = sqlite3.connect(current_app.config["DATABASE"], timeout=10)
    return g.connection


def usable(text):
    return 0 < len(text.encode()) <= 1024 and "\0" not in text


def form():
    unquote_to_bytes(request.get_data()).decode()  # else %FF would be text
    texts = [request.form.get(key, "") for key in ("username", "password")]
    if max(map(len, texts)) > 4096:
        return "", ""
    return [normalize("NFC", "".join(map(spaced, text))) for text in texts]


def spaced(character):
    return " " if category(character) == "Zs" else character


@pages.app_errorhandler(UnicodeDecodeError)
def no_text(error):
    return "Please send UTF-8.", 400


@pages.get("/")
def index():
    return "hello"


@pages.post("/register")
def register():
    name, password = form()
    if not (usable(name) and usable(password)):
        return "A name and a password, please.", 400
    if find(name):
        return "This name is taken.", 409
    insert = "INSERT OR IGNORE INTO accounts VALUES (?, ?)"
    added = connection().execute(insert, [name, argon2.hash(password)]).rowcount
    connection().commit()
    if not added:  # somebody was quicker
        abort(409)
    return "Welcome!", 201


@pages.post("/login")
def login():
    name, password = form()
    if not usable(password):
        return WRONG
    stored = find(name)
    if stored is None:
        argon2.verify(password, current_app.extensions["nobody"])
        return WRONG
    scheme = sha512_crypt if sha512_crypt.identify(stored) else argon2
    if not scheme.verify(password, stored):
        return WRONG
    if scheme is sha512_crypt:
        change = "UPDATE accounts SET secret = ? WHERE login = ? AND secret = ?"
        connection().execute(change, [argon2.hash(password), name, stored])
        connection().commit()
    return f"Hello, {escape(name)}!"


def find(name):
    row = connection().execute("SELECT secret FROM accounts WHERE login = ?", [name]).fetchone()
    return row and row[0]


@pages.cli.command("users")
def users():
    for name, stored in connection().execute("SELECT * FROM accounts"):
        click.echo(f"{name}: {'sha512_crypt' if sha512_crypt.identify(stored) else 'argon2'}")


def create_app():
    app = Flask(__name__)
    app.config.update(MAX_CONTENT_LENGTH=12_000, MAX_FORM_MEMORY_SIZE=12_000)
    app.config.from_prefixed_env()
    app.extensions["nobody"] = argon2.hash(secrets.token_bytes(32))
    app.register_blueprint(pages)

    @app.teardown_appcontext
    def close(error):
        if "connection" in g:
            g.connection.close()

    with app.app_context():
        tables = connection()
        tables.execute("CREATE TABLE IF NOT EXISTS accounts (login TEXT PRIMARY KEY, secret TEXT)")
        for name, stored in [
            ("user1", argon2.hash("pass1")),
            ("user2", sha512_crypt.using(rounds=5000).hash("pass2")),
        ]:
            tables.execute("INSERT OR IGNORE INTO accounts VALUES (?, ?)", [name, stored])
        tables.commit()
    return app


app = create_app()
