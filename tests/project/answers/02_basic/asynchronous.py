"""A right answer: async views; the slow hash runs in a thread."""

import asyncio
import contextlib
import hmac
import os
import sqlite3
import time
import unicodedata

from flask import Flask, abort, g, request
from markupsafe import escape
from passlib.hash import argon2
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Unauthorized

app = Flask(__name__)
app.config["MAX_CONTENT_LENGTH"] = 16_000
app.config.from_prefixed_env()
ASK = WWWAuthenticate("basic", {"realm": "async", "charset": "UTF-8"})
key, remembered = os.urandom(32), {}
nobody = argon2.hash("nobody")


def sql(statement, *values):
    with contextlib.closing(sqlite3.connect(app.config["DATABASE"])) as connection, connection:
        return connection.execute(statement, values).fetchall()


sql("CREATE TABLE IF NOT EXISTS people (name TEXT PRIMARY KEY, pw TEXT, boss INTEGER)")
for name, pw, boss in [("user1", "pass1", 1), ("user2", "pass2", 0)]:
    sql("INSERT OR IGNORE INTO people VALUES (?, ?, ?)", name, argon2.hash(pw), boss)


def clean(text):
    if not text or len(text) > 4 * 1024:  # before NFC, which is slow; it shortens less
        return None
    text = unicodedata.normalize("NFC", text)
    return text if 1 <= len(text.encode()) <= 1024 and "\0" not in text else None


async def who(boss=False):
    """Return name and hash of who is asking, or end the request with 401 or 403."""
    try:
        sent = request.authorization
    except ValueError:
        sent = None
    if sent is None or sent.type != "basic":
        raise Unauthorized(www_authenticate=ASK)
    name, pw = clean(sent.username), clean(sent.password)
    if name is None or pw is None:
        raise Unauthorized(www_authenticate=ASK)
    rows = sql("SELECT pw, boss FROM people WHERE name = ?", name)
    stored = rows[0][0] if rows else nobody
    tag = hmac.digest(key, f"{stored}\0{pw}".encode(), "sha256")
    if remembered.get(tag, 0) < time.monotonic():
        if not await asyncio.to_thread(argon2.verify, pw, stored) or not rows:
            raise Unauthorized(www_authenticate=ASK)
        now = time.monotonic()
        for old in [tag for tag, until in list(remembered.items()) if until < now]:
            remembered.pop(old, None)
        remembered[tag] = now + 60
    if boss and not rows[0][1]:
        abort(403)
    return name, stored


@app.before_request
async def own_forms_only():
    g.site, g.own = request.headers.get("Sec-Fetch-Site"), f"{request.scheme}://{request.host}"
    other = request.origin not in (None, g.own)
    if request.method != "GET" and (g.site in ("cross-site", "same-site") or other):
        abort(403)


@app.get("/")
async def index():
    return f"Hello, {escape((await who())[0])}!"


@app.get("/public")
async def public():
    return "hi"


@app.get("/admin")
async def admin():
    return f"Hello, {escape((await who(boss=True))[0])}!"


@app.post("/users")
async def users():
    boss, stored = await who(boss=True)
    name, pw = clean(request.form.get("username")), clean(request.form.get("password"))
    if name is None or pw is None or ":" in name:
        abort(400)
    hashed = await asyncio.to_thread(argon2.hash, pw)
    add = "INSERT INTO people SELECT ?, ?, 0 FROM people WHERE name = ? AND pw = ? AND boss"
    try:
        if not sql(f"{add} RETURNING name", name, hashed, boss, stored):
            raise Unauthorized(www_authenticate=ASK)  # no longer who they were when it began
    except sqlite3.IntegrityError:
        abort(409)
    return "added", 201


@app.post("/password")
async def password():
    name, stored = await who()
    pw = clean(request.form.get("password"))
    if pw is None:
        abort(400)
    hashed = await asyncio.to_thread(argon2.hash, pw)
    change = "UPDATE people SET pw = ? WHERE name = ? AND pw = ? RETURNING name"
    if not sql(change, hashed, name, stored):
        raise Unauthorized(www_authenticate=ASK)
    return "", 204
