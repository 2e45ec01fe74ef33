"""A right answer with async views; what blocks runs in threads."""

import asyncio
import contextlib
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
app.config["MAX_CONTENT_LENGTH"] = 16384
app.config.from_prefixed_env()
argon2id = argon2.using(type="ID", memory_cost=19456, rounds=2, parallelism=1)
NOBODY = argon2id.hash("nobody")
KEY = str(app.config["SECRET_KEY"] or "").encode()
if len(KEY) < 32:
    raise SystemExit("FLASK_SECRET_KEY is not set, or shorter than 32 bytes.")


@contextlib.contextmanager
def transaction():
    """Hand out a function that runs statements, which all hold or none does."""

    def query(sql, *values):
        found = db.execute(sql, values)
        return found.fetchone() if sql.startswith("SELECT") else found.rowcount

    db = sqlite3.connect(app.config["DATABASE"], timeout=20, isolation_level=None)
    with contextlib.closing(db), db:
        db.execute("BEGIN IMMEDIATE")
        yield query


def query(sql, *values):
    """Run a statement; return its first row, or how many rows it changed."""
    with transaction() as run:
        return run(sql, *values)


query(
    "CREATE TABLE IF NOT EXISTS users (name PRIMARY KEY, hash, old TEXT DEFAULT '',"
    " new TEXT DEFAULT '', pin, ends, mailing DEFAULT 0, tries DEFAULT 0, pause DEFAULT 0)"
)
query("CREATE TABLE IF NOT EXISTS used (name, code, ends, UNIQUE (name, code))")
for n in "12":
    entry = f"user{n}", argon2id.hash(f"pass{n}")
    query("INSERT OR IGNORE INTO users (name, hash) VALUES (?, ?)", *entry)


def challenge(text, headers=()):
    first = {"WWW-Authenticate": "Basic realm=codes"}
    abort(Response(text, 401, {**first, **dict(headers)}))


@app.before_request
def other_origins():
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    own = f"{request.scheme}://{request.host}"
    if request.method == "POST" and not (
        site in ("same-origin", "none") if site else origin in (None, own)
    ):
        return "Not from another page.", 403


async def known():
    """Return the name that the password belongs to, and the hash it was checked against."""
    try:
        sent = request.authorization
    except ValueError:
        sent = None
    if not sent or sent.type != "basic":
        challenge("Where is the password? In a header, Authorization, please.")
    if "\0" in sent.password or len(sent.password.encode()) > 1024:
        challenge("Password?")
    row = query("SELECT hash FROM users WHERE name = ?", sent.username)
    check = argon2id.verify, sent.password, row[0] if row else NOBODY
    if not await asyncio.to_thread(*check) or not row:
        challenge("Password?")
    return sent.username, row[0]


async def proven(name, checked):
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
        by_mail(name, checked, code, now) or by_phone(name, checked, code)
    ):
        challenge("Code?", {"OTP": "required"})
    query("UPDATE users SET tries = 0, pause = 0 WHERE name = ?", name)


def seal(name, pin):
    return hmac.new(KEY, f"{name}:{pin}".encode(), hashlib.sha512).hexdigest()


def by_mail(name, checked, pin, now):
    spend = "UPDATE users SET pin = NULL WHERE name = ? AND hash = ? AND pin = ? AND ends > ?"
    return query(spend, name, checked, seal(name, pin), now)


def by_phone(name, checked, code):
    fresh = False
    with transaction() as run:
        kept = run("SELECT old, new FROM users WHERE name = ? AND hash = ?", name, checked)
        secret = next((one for one in kept or [] if one and code in near(one)), None)
        if not secret:
            return False
        run("DELETE FROM used WHERE ends < ?", time.time())
        if not run("INSERT OR IGNORE INTO used VALUES (?, ?, ?)", name, code, time.time() + 999):
            return False
        confirm = "UPDATE users SET old = new, new = '' WHERE name = ? AND new = ?"
        fresh = run(confirm, name, secret)
    if fresh:
        app.logger.warning("%s has a new phone", name)
        with contextlib.suppress(OSError):
            send(name, "Your account", "A new phone opens your account now. Was that you?")
    return True


def near(secret):
    step = int(time.time() / 30)
    return [pyotp.HOTP(secret).at(step + drift) for drift in (-1, 0, 1)]


@app.get("/")
async def index():
    name, checked = await known()
    await proven(name, checked)
    return f"Hello, {name}!"


@app.get("/public")
async def public():
    return "public"


@app.post("/pin")
async def pin():
    (name, checked), digits = await known(), f"{secrets.randbelow(1000000):06}"
    now = time.time()
    turn = "UPDATE users SET mailing = ? WHERE name = ? AND mailing NOT BETWEEN ? AND ?"
    if not query(turn, now + 50, name, now, now + 100):
        return "One at a time.", 429, {"Retry-After": "5"}
    try:
        await asyncio.to_thread(send, name, "Hi", f"PIN {digits}")
    except OSError:
        return "The mail does not work at the moment.", 503
    else:
        mine, end = (name, checked, now + 50), time.time() + app.config["PIN_LIFETIME"]
        keep = "UPDATE users SET pin = ?, ends = ? WHERE name = ? AND hash = ? AND mailing = ?"
        if not query(keep, seal(name, digits), end, *mine):
            return "Too late.", 409
    finally:
        query("UPDATE users SET mailing = 0 WHERE name = ? AND mailing = ?", name, now + 50)
    return "mailed", 202


def send(name, subject, text):
    if not app.config["MAIL_SERVER"]:
        print("Mail for", name, "says", text, file=sys.stderr)
        return
    message = EmailMessage()
    message["To"], message["From"] = f"{name}@example.com", "b@example.com"
    message["Subject"] = subject
    message.set_content(text)
    host, port = app.config["MAIL_SERVER"].rsplit(":", 1)
    with smtplib.SMTP(host, port, local_hostname="localhost", timeout=5) as smtp:
        smtp.send_message(message)


@app.post("/enroll")
async def enroll():
    name, checked = await known()
    (old,) = query("SELECT old FROM users WHERE name = ?", name) or ("",)
    if old:
        await proven(name, checked)
    secret = pyotp.random_base32()
    change = "UPDATE users SET new = ? WHERE name = ? AND hash = ? AND old = ?"
    if not query(change, secret, name, checked, old):
        return "Something has changed; again, please.", 409
    uri = pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name="codes")
    if request.accept_mimetypes.best != "image/svg+xml":
        return {"uri": uri}, 201, {"Cache-Control": "no-store"}
    out, more = io.BytesIO(), {"Cache-Control": "no-store"}
    segno.make(uri).save(out, kind="svg", scale=4)
    return Response(out.getvalue(), 201, more, mimetype="image/svg+xml")
