"""A right answer with async views; what blocks runs in threads."""

import asyncio
import hashlib
import hmac
import io
import re
import secrets
import smtplib
import sqlite3
import sys
import time
from email.message import EmailMessage

import pyotp
import segno
from flask import Flask, Response, abort, request
from passlib.hash import argon2

app = Flask(__name__)
app.config.from_mapping(DATABASE="05.db", MAIL_SERVER="", PIN_LIFETIME=300, LOCKOUT=300)
app.config.from_prefixed_env()
argon2id = argon2.using(type="ID", memory_cost=19456, rounds=2, parallelism=1)
NOBODY = argon2id.hash("nobody")
KEY = str(app.config["SECRET_KEY"] or secrets.token_hex()).encode()


def query(sql, *values):
    """Run a statement; return its first row, or how many rows it changed."""
    db = sqlite3.connect(app.config["DATABASE"], timeout=20)
    try:
        with db:
            found = db.execute(sql, values)
            return found.fetchone() if sql.startswith("SELECT") else found.rowcount
    finally:
        db.close()


query(
    "CREATE TABLE IF NOT EXISTS users (name PRIMARY KEY, hash, old TEXT DEFAULT '',"
    " new TEXT DEFAULT '', pin, ends, tries DEFAULT 0, pause DEFAULT 0)"
)
query("CREATE TABLE IF NOT EXISTS used (name, code, ends, UNIQUE (name, code))")
for n in "12":
    entry = f"user{n}", argon2id.hash(f"pass{n}")
    query("INSERT OR IGNORE INTO users (name, hash) VALUES (?, ?)", *entry)


def challenge(text, headers=()):
    first = {"WWW-Authenticate": "Basic realm=codes"}
    abort(Response(text, 401, {**first, **dict(headers)}))


async def known():
    """Return the name that the password belongs to."""
    try:
        sent = request.authorization
    except ValueError:
        sent = None
    if not sent or sent.type != "basic" or "\0" in sent.password:
        challenge("Password?")
    row = query("SELECT hash FROM users WHERE name = ?", sent.username)
    check = argon2id.verify, sent.password, row[0] if row else NOBODY
    if not await asyncio.to_thread(*check) or not row:
        challenge("Password?")
    return sent.username


async def proven(name):
    code, now = request.headers.get("OTP") or "", time.time()
    if not code:
        challenge("Code?", {"OTP": "required"})
    query(
        "UPDATE users SET tries = 0, pause = 0 WHERE name = ? AND pause BETWEEN 1 AND ?", name, now
    )
    if not query("UPDATE users SET tries = tries + 1 WHERE name = ? AND tries < 5", name):
        (pause,) = query("SELECT pause FROM users WHERE name = ?", name)
        left = max(1, int(pause - now) + 1) if pause else app.config["LOCKOUT"]
        abort(Response("Slowly.", 429, {"Retry-After": str(left)}))
    end = now + app.config["LOCKOUT"]
    query("UPDATE users SET pause = ? WHERE name = ? AND tries = 5", end, name)
    if not re.match(r"\d{6}\Z", code, re.A) or not (
        by_mail(name, code, now) or by_phone(name, code)
    ):
        challenge("Code?", {"OTP": "required"})
    query("UPDATE users SET tries = 0, pause = 0 WHERE name = ?", name)


def seal(name, pin):
    return hmac.new(KEY, f"{name}:{pin}".encode(), hashlib.sha512).hexdigest()


def by_mail(name, pin, now):
    spend = "UPDATE users SET pin = NULL WHERE name = ? AND pin = ? AND ends > ?"
    return query(spend, name, seal(name, pin), now)


def by_phone(name, code):
    for secret in query("SELECT old, new FROM users WHERE name = ?", name):
        step = int(time.time() / 30)
        near = [pyotp.HOTP(secret).at(step + drift) for drift in (-1, 0, 1)] if secret else []
        if code in near:
            query("DELETE FROM used WHERE ends < ?", time.time())
            if not query(
                "INSERT OR IGNORE INTO used VALUES (?, ?, ?)", name, code, time.time() + 999
            ):
                return False
            query("UPDATE users SET old = new, new = '' WHERE name = ? AND new = ?", name, secret)
            return True
    return False


@app.get("/")
async def index():
    name = await known()
    await proven(name)
    return f"Hello, {name}!"


@app.get("/public")
async def public():
    return "public"


@app.post("/pin")
async def pin():
    name, digits = await known(), f"{secrets.randbelow(1000000):06}"
    try:
        await asyncio.to_thread(send, name, digits)
    except OSError:
        return "The mail does not work at the moment.", 503
    end = time.time() + app.config["PIN_LIFETIME"]
    query("UPDATE users SET pin = ?, ends = ? WHERE name = ?", seal(name, digits), end, name)
    return "mailed", 202


def send(name, digits):
    if not app.config["MAIL_SERVER"]:
        print("PIN for", name, "is", digits, file=sys.stderr)
        return
    message = EmailMessage()
    message["To"], message["From"], message["Subject"] = (
        f"{name}@example.com",
        "b@example.com",
        "Hi",
    )
    message.set_content(f"PIN {digits}")
    host, port = app.config["MAIL_SERVER"].rsplit(":", 1)
    with smtplib.SMTP(host, port, local_hostname="localhost", timeout=5) as smtp:
        smtp.send_message(message)


async def enrolling():
    name = await known()
    old, new = query("SELECT old, new FROM users WHERE name = ?", name)
    if old:
        await proven(name)
    return name, new


def uri(name, secret):
    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name="codes")


@app.post("/enroll")
async def enroll():
    (name, _), secret = await enrolling(), pyotp.random_base32()
    query("UPDATE users SET new = ? WHERE name = ?", secret, name)
    return {"uri": uri(name, secret)}, 201, {"Cache-Control": "no-store"}


@app.get("/enroll.svg")
async def enroll_svg():
    name, secret = await enrolling()
    if not secret:
        return "Enrol first.", 404
    out = io.BytesIO()
    segno.make(uri(name, secret)).save(out, kind="svg", scale=4)
    return Response(out.getvalue(), mimetype="image/svg+xml", headers={"Cache-Control": "no-store"})
