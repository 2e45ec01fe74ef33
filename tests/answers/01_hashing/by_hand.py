"""A right answer: without passlib's context. argon2-cffi hashes, a JSON file keeps the users."""

import json
import os
import threading
import unicodedata
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from flask import Flask, abort, request
from passlib.hash import sha512_crypt

app = Flask(__name__)
FILE = Path(os.environ["FLASK_DATABASE"])
hasher = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
DUMMY = hasher.hash("dummy")
lock = threading.Lock()


def load():
    return json.loads(FILE.read_text("utf-8")) if FILE.exists() else {}


def save(users):
    draft = FILE.with_suffix(".new")
    draft.write_text(json.dumps(users), "utf-8")
    draft.replace(FILE)


if not FILE.exists():
    old = sha512_crypt.using(rounds=5000).hash("pass2")
    save({"user1": hasher.hash("pass1"), "user2": old})


def password_of(form, status):
    password = unicodedata.normalize("NFC", form.get("password", ""))
    if password == "" or len(password.encode()) > 1024 or "\x00" in password:
        abort(status)
    return password


@app.route("/")
def home():
    return "<h1>Hi</h1>"


@app.route("/register", methods=["POST"])
def register():
    name, password = request.form.get("username"), password_of(request.form, 400)
    if not name:
        abort(400)
    with lock:
        users = load()
        if name in users:
            abort(409)
        save({**users, name: hasher.hash(password)})
    return "created", 201


@app.route("/login", methods=["POST"])
def login():
    name, password = request.form.get("username", ""), password_of(request.form, 403)
    users = load()
    if name in users and users[name].startswith("$6$"):
        if not sha512_crypt.verify(password, users[name]):
            abort(403)
        with lock:
            save({**load(), name: hasher.hash(password)})
        return f"Hello, {name}!"
    try:
        hasher.verify(users.get(name, DUMMY), password)
    except VerifyMismatchError:
        abort(403)
    if name not in users:
        abort(403)
    return f"Hello, {name}!"


@app.cli.command("users")
def users_command():
    for name, stored in load().items():
        print(name, "argon2" if stored.startswith("$argon2id$") else "sha512_crypt")
