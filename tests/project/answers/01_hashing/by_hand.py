"""A right answer: without passlib's context. argon2-cffi hashes, a JSON file keeps the users."""

import contextlib
import json
import os
import secrets
import time
import unicodedata
from pathlib import Path
from urllib.parse import parse_qs

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from flask import Flask, abort, request
from markupsafe import escape
from passlib.hash import sha512_crypt

app = Flask(__name__)
app.config["MAX_CONTENT_LENGTH"] = 2**14
FILE = Path(os.environ["FLASK_DATABASE"])
hasher = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
DUMMY = hasher.hash(secrets.token_hex())


@contextlib.contextmanager
def lock():
    """Let one at a time change the file, of all threads and processes."""
    name = f"{FILE}.lock"
    while True:
        try:
            os.close(os.open(name, os.O_CREAT | os.O_EXCL))
            break
        except (FileExistsError, PermissionError):
            time.sleep(0.005)
    try:
        yield
    finally:
        os.unlink(name)


def load():
    return json.loads(FILE.read_text("utf-8")) if FILE.exists() else {}


def save(users):
    draft = FILE.with_suffix(".new")
    draft.write_text(json.dumps(users), "utf-8")
    draft.replace(FILE)


with lock():
    if not FILE.exists():
        old = sha512_crypt.using(rounds=5000).hash("pass2")
        save({"user1": hasher.hash("pass1"), "user2": old})


def read(status):
    """Return user name and password; Flask's own reading would let %FF pass for text."""
    try:
        form = parse_qs(request.get_data().decode(), errors="strict", max_num_fields=9)
    except ValueError:
        abort(status)
    name, password = (form.get(field, [""])[0] for field in ("username", "password"))
    if len(password) > 4096 or "\x00" in password:
        abort(status)
    spaced = "".join(" " if unicodedata.category(c) == "Zs" else c for c in password)
    password = unicodedata.normalize("NFC", spaced)
    if name == "" or password == "" or len(password.encode()) > 1024:
        abort(status)
    return name, password


@app.route("/")
def home():
    return "<h1>Hi</h1>"


@app.route("/register", methods=["POST"])
def register():
    name, password = read(400)
    hashed = hasher.hash(password)
    with lock():
        users = load()
        if name in users:
            abort(409)
        save({**users, name: hashed})
    return "created", 201


@app.route("/login", methods=["POST"])
def login():
    name, password = read(403)
    users = load()
    if name in users and users[name].startswith("$6$"):
        if not sha512_crypt.verify(password, users[name]):
            abort(403)
        better = hasher.hash(password)
        with lock():
            now = load()
            if now[name] == users[name]:  # else it was changed meanwhile
                save({**now, name: better})
        return f"Hello, {escape(name)}!"
    try:
        hasher.verify(users.get(name, DUMMY), password)
    except VerifyMismatchError:
        abort(403)
    if name not in users:
        abort(403)
    return f"Hello, {escape(name)}!"


@app.cli.command("users")
def users_command():
    for name, stored in load().items():
        print(name, "argon2" if stored.startswith("$argon2id$") else "sha512_crypt")
