"""A right answer: lines in a file, with a lock that all processes share, and pages in HTML."""

import contextlib
import os
import re
import time
import unicodedata
from pathlib import Path

from flask import Flask, render_template_string, request
from passlib.context import CryptContext

FILE = Path(os.environ["FLASK_DATABASE"])
PAGE = """<!doctype html>
<html lang="en"><title>Lesson 01</title>
<body><main>{% if name %}<h1>Hello, {{ name }}!</h1>{% else %}<p>{{ text }}</p>{% endif %}</main>
</body></html>
"""
app = Flask(__name__)
app.config["MAX_CONTENT_LENGTH"] = 16_384
context = CryptContext(
    ["argon2", "sha512_crypt"], deprecated=["sha512_crypt"], argon2__memory_cost=47104
)
NOBODY = context.hash(os.urandom(16).hex())


@contextlib.contextmanager
def locked():
    """Let nobody else write meanwhile, whatever process it is in."""
    lock = f"{FILE}.lock"
    while True:
        try:
            os.close(os.open(lock, os.O_CREAT | os.O_EXCL))
            break
        except (FileExistsError, PermissionError):
            time.sleep(0.005)
    try:
        yield
    finally:
        os.unlink(lock)


def load():
    lines = FILE.read_text("utf-8").split("\n") if FILE.exists() else []
    return dict(line.split("\t") for line in lines if line)


def save(users):
    draft = FILE.with_name(f"{FILE.name}.{os.getpid()}")
    draft.write_text("".join(f"{name}\t{hash}\n" for name, hash in users.items()), "utf-8")
    draft.replace(FILE)


with locked():
    if not FILE.exists():
        old = context.handler("sha512_crypt").using(rounds=5000).hash("pass2")
        save({"user1": context.hash("pass1"), "user2": old})


def page(status, text="", name=None):
    return render_template_string(PAGE, text=text, name=name), status


def field(name):
    text = request.form.get(name, "")
    if len(text) > 4096 or "\0" in text:
        return ""
    text = unicodedata.normalize("NFC", re.sub(r"[^\S\t\n\r\v\f]", " ", text))
    return text if len(text.encode()) <= 1024 else ""


@app.route("/")
def front():
    return page(200, "Log in, please.")


@app.route("/register", methods=["POST"])
def register():
    name, password = field("username"), field("password")
    if not name or not name.isprintable() or not password:
        return page(400, "Something is missing.")
    hash = context.hash(password)
    with locked():
        users = load()
        if name in users:
            return page(409, "Somebody has this name.")
        save({**users, name: hash})
    return page(201, "You have an account now.")


@app.route("/login", methods=["POST"])
def login():
    name, password = field("username"), field("password")
    stored = load().get(name)
    if not password or not context.verify(password, stored or NOBODY) or not stored:
        return page(403, "Wrong.")
    if context.needs_update(stored):
        better = context.hash(password)
        with locked():
            users = load()
            if users.get(name) == stored:
                save({**users, name: better})
    return page(200, name=name)


@app.cli.command("users")
def users():
    for name, hash in sorted(load().items()):
        print(name, context.identify(hash), sep=" - ")
