# /// script
# requires-python = ">=3.10"
# dependencies = ["flask>=3.1", "libpass[argon2]>=1.9", "pyotp>=2.9", "segno>=1.6"]
# ///
"""Lesson 05, one step beyond app.py: recovery codes, for the day on which the phone is gone.

Enrolment gives ten of them, to be kept on paper. They count from the first right code of the
phone on, each once, in the header OTP. They are random and long, so a quick hash is enough.
"""

import contextlib
import hashlib
import hmac
import io
import math
import re
import secrets
import smtplib
import sqlite3
import sys
import threading
import time
import unicodedata
from email.message import EmailMessage
from email.utils import formatdate
from pathlib import Path

import pyotp
import segno
from flask import Flask, Response, abort, request
from passlib.hash import argon2
from werkzeug.exceptions import HTTPException, ServiceUnavailable

# The instance folder, with the database, lies beside this file, wherever you start it from.
app = Flask(__name__, instance_path=str(Path(__file__).resolve().with_name("instance")))
REALM = "Lesson 05"
TRIES = 5  # wrong codes that a user has, within FLASK_LOCKOUT seconds
CHALLENGE = {"WWW-Authenticate": f'Basic realm="{REALM}", charset="UTF-8"'}
NO_STORE = {"Cache-Control": "no-store"}
# Argon2id at OWASP's parameters: 19 MiB, 2 rounds, 1 thread (lesson 01).
argon2id = argon2.using(type="ID", memory_cost=19456, rounds=2, parallelism=1)
NOBODY = argon2id.hash(secrets.token_hex())  # an unknown user costs a hash as well


@app.get("/")
def index():
    user = password_owner()
    second_factor(user)
    return f"Hello, {user['name']}!\n"


@app.get("/public")
def public():
    return "Hello, whoever you are!\n"


def password_owner():
    """Return the user whose Basic credentials came along, or answer with a challenge."""
    try:
        sent = request.authorization
    except ValueError:  # Werkzeug, when Basic comes with bytes beyond ASCII
        sent = None
    if sent and sent.type == "basic":
        name, password = (unicodedata.normalize("NFC", t) for t in (sent.username, sent.password))
        if 1 <= len(password.encode()) <= 1024 and "\0" not in name + password:
            user = db().execute("SELECT * FROM users WHERE name = ?", [name]).fetchone()
            if argon2id.verify(password, user["hash"] if user else NOBODY) and user:
                return user
    refuse_with(401, "User name or password is wrong.", CHALLENGE)


def second_factor(user):
    """Return if the header OTP holds a PIN or a code that counts; answer the request if not."""
    code = request.headers.get("OTP", "")
    wanted = {**CHALLENGE, "OTP": "required"}
    if not code:
        refuse_with(401, "Now send a code as well, in a header OTP.", wanted)
    if not take_try(user):
        ask = "SELECT tries_until FROM users WHERE name = ?"
        until = db().execute(ask, [user["name"]]).fetchone()[0]  # as it is now
        wait = max(1, math.ceil(until - time.time()))
        refuse_with(429, "Too many wrong codes. Wait, then try again.", {"Retry-After": f"{wait}"})
    short = re.fullmatch("[0-9]{6}", code)
    right = (use_pin(user, code) or use_totp(user, code)) if short else use_recovery(user, code)
    if not right:
        refuse_with(401, "This code is wrong, too old, or was used before.", wanted)
    db().execute("UPDATE users SET tries = 0 WHERE name = ?", [user["name"]])


def take_try(user):
    """Count a try, before its code is looked at: of many sent at once, five are looked at."""
    name, now = user["name"], time.time()
    # Twice the time: clocks of threads and workers differ a little. More: it was set back.
    lapse = "UPDATE users SET tries = 0 WHERE name = ? AND tries_until - ? NOT BETWEEN 0 AND ?"
    db().execute(lapse, [name, now, 2 * LOCKOUT])
    take = "UPDATE users SET tries = tries + 1, tries_until = ? WHERE name = ? AND tries < ?"
    return db().execute(take, [now + LOCKOUT, name, TRIES]).rowcount == 1


# The second factor, one way: a PIN by mail.


@app.post("/pin")
def send_pin():
    """Mail the user a PIN: random, good once, for a while, and the end of the one before."""
    user = password_owner()
    pin = f"{secrets.randbelow(10**6):06}"
    try:
        mail(user, f"Your PIN is {pin}. It works once, for {PIN_LIFETIME} seconds.")
    except (OSError, ValueError) as error:  # no mail server, or no address that it could send to
        app.logger.error("mail: %s", error)
        abort(503, "The PIN could not be sent; try again in a moment.")
    change = "UPDATE users SET pin = ?, pin_until = ? WHERE name = ?"
    db().execute(change, [tag(user, pin), time.time() + PIN_LIFETIME, user["name"]])
    return "A PIN is on its way to your mailbox.\n", 202


def mail(user, text):
    server = app.config["MAIL_SERVER"]
    if not server:
        app.logger.warning("FLASK_MAIL_SERVER is not set. For %s: %s", user["name"], text)
        return
    if not user["mail"]:  # some versions of Python would ask the server to send to ""
        raise ValueError("this user has no address")
    message = EmailMessage()  # refuses a line break in a header with ValueError
    message["From"], message["To"] = "no-reply@example.com", user["mail"]
    message["Subject"], message["Date"] = f"{REALM}: your PIN", formatdate()
    message["Auto-Submitted"] = "auto-generated"  # nobody's holiday notice answers (RFC 3834)
    message.set_content(f"{text}\nYou did not ask for it? Then change your password.\n")
    host, _, port = server.rpartition(":")
    # Our own name is given, since to look it up can take long.
    with smtplib.SMTP(host.strip("[]"), int(port), "localhost", timeout=5) as smtp:
        smtp.send_message(message)


def tag(user, pin):
    """Return what is kept of a PIN. All million are soon tried on a plain hash: this has a key."""
    return hmac.digest(KEY, f"{user['name']}\0{pin}".encode(), "sha256")


def use_pin(user, pin):
    use = """UPDATE users SET pin = NULL
        WHERE name = ? AND pin = ? AND pin_until - ? BETWEEN 0 AND ?"""
    values = [user["name"], tag(user, pin), time.time(), PIN_LIFETIME]
    return db().execute(use, values).rowcount == 1  # of two at once, one wins


# The second factor, another way: an authenticator app.


@app.post("/enroll")
def enroll():
    """Make a secret for the user's phone. It counts once a first code of it was right."""
    user, secret = enrolling_user(), pyotp.random_base32()  # 160 bits (RFC 4226 4, R6)
    # If somebody else has just enrolled this user, the password alone is no longer enough.
    change = "UPDATE users SET pending = ? WHERE name = ? AND secret IS ?"
    if db().execute(change, [secret, user["name"], user["secret"]]).rowcount != 1:
        abort(409, "You have just been enrolled by another request.")
    codes = [secrets.token_hex(10) for _ in range(10)]
    unused = "DELETE FROM recovery WHERE name = ? AND secret IS NOT ?"
    db().execute(unused, [user["name"], user["secret"]])  # of an enrolment that was not finished
    new = [(user["name"], secret, digest(code)) for code in codes]
    db().executemany("INSERT INTO recovery VALUES (?, ?, ?)", new)
    return {"otpauth_uri": otpauth(user, secret), "recovery_codes": codes}, 201, NO_STORE


def digest(code):
    return hashlib.sha256(code.encode("utf-8", "replace")).hexdigest()


def use_recovery(user, code):
    # Only those of the secret that counts: who begins to enrol has none yet.
    use = "DELETE FROM recovery WHERE name = ? AND secret = ? AND digest = ?"
    return db().execute(use, [user["name"], user["secret"], digest(code)]).rowcount == 1


@app.get("/enroll.svg")
def enroll_svg():
    """Show the same address as a QR code."""
    user = enrolling_user()
    if not user["pending"]:
        abort(404, "There is nothing to scan yet: POST /enroll first.")
    picture = io.BytesIO()
    code = segno.make(otpauth(user, user["pending"]), micro=False)
    code.save(picture, kind="svg", scale=6, light="white")
    return picture.getvalue(), {"Content-Type": "image/svg+xml", **NO_STORE}


def enrolling_user():
    user = password_owner()
    if user["secret"]:  # else whoever knows the password would enrol a phone of their own
        second_factor(user)
    return user


def otpauth(user, secret):
    return pyotp.TOTP(secret).provisioning_uri(name=user["name"], issuer_name=REALM)


def use_totp(user, code):
    now = int(time.time()) // 30
    for secret in filter(None, [user["secret"], user["pending"]]):
        for step in (now, now - 1, now + 1):  # clocks drift (RFC 6238 5.2)
            if hmac.compare_digest(code_at(secret, step), code):
                # Used codes are kept for an hour, in case the clock is set back.
                db().execute("DELETE FROM used WHERE step < ?", [now - 120])
                use = "INSERT OR IGNORE INTO used VALUES (?, ?, ?)"
                if db().execute(use, [user["name"], code, step]).rowcount != 1:
                    return False
                confirm = "UPDATE users SET secret = pending, pending = NULL WHERE pending = ?"
                db().execute(confirm, [secret])  # the first code of a new secret
                old = "DELETE FROM recovery WHERE name = ? AND secret NOT IN (?, ?)"
                db().execute(old, [user["name"], secret, user["pending"] or ""])
                return True
    return False


def code_at(secret, step):
    """Return the code of a 30 second step: HOTP, counted by the clock (RFC 6238 4.2)."""
    return pyotp.HOTP(secret).at(step)


def refuse_with(status, sentence, headers):
    abort(app.response_class(f"{sentence}\n", status, headers))


@app.before_request
def refuse_other_sites():
    """A browser adds the remembered password to another site's form too (CSRF): not here."""
    if request.method == "POST" and "-site" in request.headers.get("Sec-Fetch-Site", ""):
        abort(403, "This form came from another site.")


# From here on, what surrounds every lesson: plain text answers, settings, the database.

# Not HTML: a user name with a <script> in it stays text.
app.response_class = type("Text", (Response,), {"default_mimetype": "text/plain"})


@app.errorhandler(HTTPException)
@app.errorhandler(sqlite3.OperationalError)
def refuse(error):
    if isinstance(error, sqlite3.OperationalError):
        app.logger.error("database: %s", error)
        error = ServiceUnavailable("The database does not answer; try again in a moment.")
    response = error.get_response()  # keeps headers such as Allow
    response.data, response.mimetype = f"{error.description}\n", "text/plain"
    return response


local = threading.local()  # a SQLite connection stays with the thread that opened it


def db():
    """Return this thread's connection; each statement is a transaction of its own."""
    if not hasattr(local, "db"):
        local.db = sqlite3.connect(str(app.config["DATABASE"]), isolation_level=None)
        local.db.row_factory = sqlite3.Row
    return local.db


def prepare():
    """Make the tables and the demo users, unless they are there, and return the secret key."""
    for name in ("PIN_LIFETIME", "LOCKOUT"):
        if type(app.config[name]) is not int or not 1 <= app.config[name] <= 10**9:
            sys.exit(f"FLASK_{name} must be a whole number of seconds, 1 or more.")
    server = str(app.config["MAIL_SERVER"])
    if server and not (re.fullmatch(r"\S+:\d+", server) and int(server.split(":")[-1]) < 65536):
        sys.exit("FLASK_MAIL_SERVER must be host:port, for example 127.0.0.1:1025.")
    Path(str(app.config["DATABASE"])).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with contextlib.suppress(sqlite3.OperationalError):  # refused: another worker is setting it
        db().execute("PRAGMA journal_mode = WAL")  # a write waits for the disk once
    db().execute("CREATE TABLE IF NOT EXISTS settings (name PRIMARY KEY, value)")
    db().execute("CREATE TABLE IF NOT EXISTS used (name, code, step, PRIMARY KEY (name, code))")
    db().execute("CREATE TABLE IF NOT EXISTS recovery (name, secret, digest)")
    db().execute("""CREATE TABLE IF NOT EXISTS users (name PRIMARY KEY, hash, mail,
        secret, pending, pin, pin_until, tries DEFAULT 0, tries_until DEFAULT 0)""")
    # Only once, as writing would wait for whoever holds the database.
    if not db().execute("SELECT 1 FROM users").fetchone():
        # A random key for whoever sets none, the same for all workers. One that is kept beside the
        # data is stolen with the data: where it matters, set FLASK_SECRET_KEY.
        db().execute("INSERT OR IGNORE INTO settings VALUES ('key', ?)", [secrets.token_hex(32)])
        add = """INSERT OR IGNORE INTO users (name, hash, mail) VALUES
            ('user1', ?, 'user1@example.com'), ('user2', ?, 'user2@example.com')"""
        db().execute(add, [argon2id.hash("pass1"), argon2id.hash("pass2")])
    key = app.config["SECRET_KEY"] or db().execute("SELECT value FROM settings").fetchone()[0]
    if len(str(key).encode()) < 32:
        sys.exit(
            "FLASK_SECRET_KEY is shorter than 32 bytes. Make one with:"
            ' python -c "import secrets; print(secrets.token_hex(32))"'
        )
    db().close()
    del local.db  # each worker opens its own
    return str(key).encode()


app.config.from_mapping(MAIL_SERVER="", PIN_LIFETIME=300, LOCKOUT=300)
app.config["DATABASE"] = Path(app.instance_path, "beyond.db")
app.config.from_prefixed_env()  # FLASK_MAIL_SERVER, FLASK_SECRET_KEY and so on
KEY, PIN_LIFETIME, LOCKOUT = prepare(), app.config["PIN_LIFETIME"], app.config["LOCKOUT"]

if __name__ == "__main__":
    app.run(port=5005, debug=False)
