"""A right answer as a blueprint and create_app(), with Flask-HTTPAuth and pyotp.

Of a phone's codes only those of later steps than the last count, as pyotp's manual advises.
"""

import io
import secrets
import smtplib
import sqlite3
import time
from email.message import EmailMessage

import pyotp
import segno
from flask import Blueprint, Flask, Response, abort, current_app, g, jsonify, request
from flask_httpauth import HTTPBasicAuth
from passlib.hash import argon2

argon2id = argon2.using(type="ID", memory_cost=19456, rounds=2, parallelism=1)
NOBODY = argon2id.hash(secrets.token_urlsafe())
bp = Blueprint("codes", __name__)


class Basic(HTTPBasicAuth):
    def get_auth(self):
        try:
            sent = request.authorization
        except ValueError:
            return None
        return sent if sent and sent.type == "basic" else None


auth = Basic(realm="Lesson 05")


def db():
    if "db" not in g:
        g.db = sqlite3.connect(current_app.config["DATABASE"], isolation_level=None)
        g.db.row_factory = sqlite3.Row
    return g.db


def changed(sql, *values):
    return db().execute(sql, values).rowcount == 1


def row(name):
    return db().execute("SELECT * FROM users WHERE name = ?", (name,)).fetchone()


@auth.verify_password
def verify_password(name, password):
    user = row(name)
    if "\0" in password or len(password) > 1024:
        return None
    return user if argon2id.verify(password, user["hash"] if user else NOBODY) and user else None


def want_code(user):
    code, name, now = request.headers.get("OTP", ""), user["name"], time.time()
    asked = {"WWW-Authenticate": auth.authenticate_header(), "OTP": "required"}
    if not code:
        abort(Response("A code, please.\n", 401, asked))
    pause = current_app.config["LOCKOUT"]
    changed("UPDATE users SET tries = 0 WHERE name = ? AND since < ?", name, now - pause)
    if not changed(
        "UPDATE users SET tries = tries + 1, since = ? WHERE name = ? AND tries < 5", now, name
    ):
        wait = max(1, round(row(name)["since"] + pause - now))
        abort(Response("Too often.\n", 429, {"Retry-After": str(wait)}))
    digits = len(code) == 6 and code.isascii() and code.isdecimal()
    if not digits or not (right_pin(name, code, now) or right_totp(user, code)):
        abort(Response("Wrong code.\n", 401, asked))
    changed("UPDATE users SET tries = 0 WHERE name = ?", name)


def right_pin(name, code, now):
    kept, until = row(name)["pin"], row(name)["until"]
    if not kept or until < now or not argon2id.verify(code, kept):
        return False
    return changed("UPDATE users SET pin = NULL WHERE name = ? AND pin = ?", name, kept)


def right_totp(user, code):
    for kind in ("secret", "pending"):
        if not user[kind]:
            continue
        totp = pyotp.TOTP(user[kind])
        try:
            step = totp.verify_and_get_timecode(code, valid_window=1)
        except Exception:
            continue
        if not changed(
            "UPDATE users SET last = ? WHERE name = ? AND last < ?", step, user["name"], step
        ):
            return False
        if kind == "pending":
            changed(
                "UPDATE users SET secret = pending, pending = NULL WHERE name = ?", user["name"]
            )
        return True
    return False


@bp.get("/")
@auth.login_required
def index():
    want_code(auth.current_user())
    return f"Hello, {auth.current_user()['name']}!"


@bp.get("/public")
def public():
    return "Hello!"


@bp.post("/pin")
@auth.login_required
def pin():
    name, digits = auth.current_user()["name"], f"{secrets.randbelow(1_000_000):06d}"
    try:
        post(f"{name}@example.com", digits)
    except OSError:
        abort(503, "No mail can be sent at the moment.")
    until = time.time() + current_app.config["PIN_LIFETIME"]
    changed(
        "UPDATE users SET pin = ?, until = ? WHERE name = ?", argon2id.hash(digits), until, name
    )
    return "Sent.", 202


def post(to, digits):
    server = current_app.config["MAIL_SERVER"]
    if not server:
        current_app.logger.warning("for %s: %s", to, digits)
        return
    host, _, port = server.partition(":")
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "x@example.com", to, "Log in"
    message.set_content(f"{digits} is your PIN.")
    with smtplib.SMTP(host, int(port), "localhost", timeout=5) as smtp:
        smtp.send_message(message)


def enrolling():
    if auth.current_user()["secret"]:
        want_code(auth.current_user())
    return auth.current_user()


def uri(name, secret):
    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name="Lesson 05")


@bp.post("/enroll")
@auth.login_required
def enroll():
    user, secret = enrolling(), pyotp.random_base32()
    changed("UPDATE users SET pending = ? WHERE name = ?", secret, user["name"])
    answer = jsonify(uri=uri(user["name"], secret))
    answer.cache_control.no_store = True
    return answer, 201


@bp.get("/enroll.svg")
@auth.login_required
def enroll_svg():
    user = enrolling()
    if not user["pending"]:
        abort(404)
    out = io.BytesIO()
    segno.make(uri(user["name"], user["pending"])).save(out, kind="svg")
    return out.getvalue(), {"Content-Type": "image/svg+xml", "Cache-Control": "no-store"}


def create_app():
    app = Flask(__name__)
    app.config.from_mapping(DATABASE="05.db", MAIL_SERVER="", PIN_LIFETIME=300, LOCKOUT=300)
    app.config.from_prefixed_env()
    app.register_blueprint(bp)
    with app.app_context():
        db().execute(
            "CREATE TABLE IF NOT EXISTS users (name PRIMARY KEY, hash, secret, pending, pin, until,"
            " last DEFAULT 0, tries DEFAULT 0, since DEFAULT 0)"
        )
        for number in (1, 2):
            user = f"user{number}", argon2id.hash(f"pass{number}")
            db().execute("INSERT OR IGNORE INTO users (name, hash) VALUES (?, ?)", user)
    return app


app = create_app()
