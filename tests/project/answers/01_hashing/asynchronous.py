"""A right answer: async views, the hash computed in a thread so that others go on."""

import asyncio
import contextlib
import sqlite3
import unicodedata
from secrets import token_urlsafe
from urllib.parse import unquote_to_bytes

from flask import Flask, request
from markupsafe import escape
from passlib.context import CryptContext

app = Flask(__name__)
app.config["MAX_CONTENT_LENGTH"] = app.config["MAX_FORM_MEMORY_SIZE"] = 20_000
app.config.from_prefixed_env()
pwd = CryptContext(["argon2", "sha512_crypt"], deprecated="auto", argon2__rounds=2)


def sql(statement, *values):
    with contextlib.closing(sqlite3.connect(app.config["DATABASE"])) as connection, connection:
        return connection.execute(statement, values).fetchall()


sql("CREATE TABLE IF NOT EXISTS people (who TEXT PRIMARY KEY, pw TEXT)")
for who, pw in [
    ("user1", pwd.hash("pass1")),
    ("user2", pwd.hash("pass2", scheme="sha512_crypt", rounds=5000)),
]:
    sql("INSERT OR IGNORE INTO people VALUES (?, ?)", who, pw)
SPACES = {c: " " for c in range(0x3001) if unicodedata.category(chr(c)) == "Zs"}
nobody = pwd.hash(token_urlsafe())


@app.get("/")
async def index():
    return {"hello": "world"}


async def read():
    """Return user name and password, None for what can't be used."""
    if not is_text(request.get_data()):
        return None, None
    return [usable(request.form.get(key, "")) for key in ("username", "password")]


def is_text(body):
    try:
        unquote_to_bytes(body).decode()
    except UnicodeDecodeError:  # %FF: Flask would take it for these three characters
        return False
    return True


def usable(text):
    if len(text) > 4096:
        return None
    text = unicodedata.normalize("NFC", text.translate(SPACES))
    return text if 1 <= len(text.encode()) <= 1024 and "\0" not in text else None


@app.post("/register")
async def register():
    who, pw = await read()
    if not who or not pw:
        return {"error": "username and password are needed"}, 400
    hashed = await asyncio.to_thread(pwd.hash, pw)
    try:
        sql("INSERT INTO people VALUES (?, ?)", who, hashed)
    except sqlite3.IntegrityError:
        return {"error": "taken"}, 409
    return {"registered": who}, 201


@app.post("/login")
async def login():
    who, pw = await read()
    if who is None or pw is None:
        return "No.", 403
    rows = sql("SELECT pw FROM people WHERE who = ?", who)
    stored = rows[0][0] if rows else nobody
    good, better = await asyncio.to_thread(pwd.verify_and_update, pw, stored)
    if not (good and rows):
        return "No.", 403
    if better:
        sql("UPDATE people SET pw = ? WHERE who = ? AND pw = ?", better, who, stored)
    return f"Hello, {escape(who)}!"


@app.cli.command("users")
def users():
    for who, stored in sql("SELECT * FROM people"):
        print(f"{who:20} {pwd.identify(stored)}")
