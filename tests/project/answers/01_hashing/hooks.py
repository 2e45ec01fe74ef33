"""A right answer: hooks read the form and open the database, the answers are JSON."""

import sqlite3
import unicodedata
from http import HTTPStatus

import click
from flask import Flask, g, jsonify, request
from passlib.hash import argon2, sha512_crypt
from werkzeug.exceptions import HTTPException

app = Flask(__name__)
app.config.from_prefixed_env()
app.config.update(MAX_CONTENT_LENGTH=15_000, MAX_FORM_MEMORY_SIZE=15_000)
argon2id = argon2.using(type="ID", memory_cost=19456, rounds=2, parallelism=1)
dummy = argon2id.hash("nobody knows this one")
BAD = {"register": 400, "login": 403}


@app.before_request
def open_database():
    g.db = sqlite3.connect(app.config["DATABASE"], timeout=20, isolation_level=None)


@app.teardown_request
def close_database(error):
    if hasattr(g, "db"):
        g.db.close()


@app.before_request
def read_form():
    if request.endpoint not in BAD:
        return None
    g.name, g.password = map(tidy, map(request.form.get, ("username", "password")))
    if not g.name or not g.password:
        return failure(BAD[request.endpoint])
    return None


def tidy(text):
    if not text or len(text) > 4096 or "\0" in text:
        return None
    spaced = "".join(" " if unicodedata.category(c) == "Zs" else c for c in text)
    text = unicodedata.normalize("NFC", spaced)
    return text if len(text.encode()) <= 1024 else None


def failure(status):
    return jsonify(ok=False, why=HTTPStatus(status).phrase), status


@app.errorhandler(HTTPException)
def as_json(error):
    return failure(error.code)


@app.get("/")
def front():
    return jsonify(ok=True)


@app.post("/register")
def register():
    try:
        g.db.execute("INSERT INTO users VALUES (?, ?)", (g.name, argon2id.hash(g.password)))
    except sqlite3.IntegrityError:
        return failure(409)
    return jsonify(ok=True), 201


@app.post("/login")
def login():
    row = g.db.execute("SELECT hash FROM users WHERE name = ?", (g.name,)).fetchone()
    old = row and sha512_crypt.identify(row[0])
    right = (sha512_crypt if old else argon2id).verify(g.password, row[0] if row else dummy)
    if not (row and right):
        return failure(403)
    if old:
        change = "UPDATE users SET hash = ? WHERE name = ? AND hash = ?"
        g.db.execute(change, (argon2id.hash(g.password), g.name, row[0]))
    return jsonify(ok=True, message=f"Hello, {g.name}!")


@app.cli.command("users")
def list_users():
    open_database()
    for name, hash in g.db.execute("SELECT name, hash FROM users"):
        click.echo(f"{'sha512_crypt' if hash.startswith('$6$') else 'ARGON2ID':<13} {name}")


with app.app_context():
    open_database()
    g.db.execute("CREATE TABLE IF NOT EXISTS users (name TEXT PRIMARY KEY, hash TEXT NOT NULL)")
    g.db.execute(
        "INSERT OR IGNORE INTO users VALUES ('user1', ?), ('user2', ?)",
        (argon2id.hash("pass1"), sha512_crypt.using(rounds=5000).hash("pass2")),
    )
    g.db.close()

if __name__ == "__main__":
    app.run("127.0.0.1", 5001)
