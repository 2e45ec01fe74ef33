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


@auth.error_handler
def unknown(status):
    return "User name and password, please, in the header Authorization.\n", status


@bp.before_request
def own_pages_only():
    here = f"{request.scheme}://{request.host}"
    origin = request.headers.get("Origin", here)
    site = request.headers.get("Sec-Fetch-Site", "none")
    if request.method == "POST" and (origin != here or site not in ("none", "same-origin")):
        abort(403, "A page of another origin sent this.")


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
    me = name, user["hash"]  # whose password may be changed meanwhile
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
    if not digits or not (right_pin(me, code, now) or right_totp(user, code)):
        abort(Response("Wrong code.\n", 401, asked))
    changed("UPDATE users SET tries = 0 WHERE name = ?", name)


def right_pin(me, code, now):
    found = row(me[0])
    kept = found and found["pin"]
    if not kept or found["until"] < now or not argon2id.verify(code, kept):
        return False
    use = "UPDATE users SET pin = NULL WHERE name = ? AND hash = ? AND pin = ?"
    return changed(use, *me, kept)


def right_totp(user, code):
    for kind in ("secret", "pending"):
        if not user[kind]:
            continue
        totp = pyotp.TOTP(user[kind])
        try:
            step = totp.verify_and_get_timecode(code, valid_window=1)
        except Exception:
            continue
        me = step, user["name"], user["hash"], step, user[kind]
        use = f"WHERE name = ? AND hash = ? AND last < ? AND {kind} = ?"
        if kind == "secret":
            return changed(f"UPDATE users SET last = ? {use}", *me)
        use = f"UPDATE users SET last = ?, secret = pending, pending = NULL {use}"
        return changed(use, *me) and tell(user)
    return False


def tell(user):
    current_app.logger.warning("%s has enrolled a new phone", user["name"])
    try:
        post(f"{user['name']}@example.com", "A phone was enrolled for your account.")
    except OSError as error:
        current_app.logger.error("%s", error)
    return True


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
    now = time.time()
    me = name, auth.current_user()["hash"], now + 40
    begin = "UPDATE users SET busy = ? WHERE name = ? AND busy NOT BETWEEN ? AND ?"
    if not changed(begin, now + 40, name, now, now + 80):
        return "One is on its way.", 429, {"Retry-After": "4"}
    try:
        post(f"{name}@example.com", f"{digits} is your PIN.")
    except OSError:
        changed("UPDATE users SET busy = 0 WHERE name = ? AND busy = ?", name, now + 40)
        abort(503, "No mail can be sent at the moment.")
    until = time.time() + current_app.config["PIN_LIFETIME"]
    keep = "UPDATE users SET busy = 0, pin = ?, until = ? WHERE name = ? AND hash = ? AND busy = ?"
    if not changed(keep, argon2id.hash(digits), until, *me):
        abort(503, "Your password was changed, or the mail took too long.")
    return "Sent.", 202


def post(to, text):
    server = current_app.config["MAIL_SERVER"]
    if not server:
        current_app.logger.warning("for %s: %s", to, text)
        return
    host, _, port = server.partition(":")
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "x@example.com", to, "Log in"
    message.set_content(text)
    with smtplib.SMTP(host, int(port), "localhost", timeout=5) as smtp:
        smtp.send_message(message)


@bp.post("/enroll")
@auth.login_required
def enroll():
    user, secret = auth.current_user(), pyotp.random_base32()
    if user["secret"]:
        want_code(user)
    if not changed(
        "UPDATE users SET pending = ? WHERE name = ? AND hash = ? AND secret IS ?",
        *(secret, user["name"], user["hash"], user["secret"]),
    ):
        abort(409, "Your account has just been changed.")
    uri = pyotp.TOTP(secret).provisioning_uri(name=user["name"], issuer_name="Lesson 05")
    kinds = ["application/json", "image/svg+xml"]
    if request.accept_mimetypes.best_match(kinds, kinds[0]) == kinds[0]:
        answer = jsonify(uri=uri)
    else:
        out = io.BytesIO()
        segno.make(uri).save(out, kind="svg")
        answer = Response(out.getvalue(), mimetype=kinds[1])
    answer.cache_control.no_store = True
    return answer, 201


def create_app():
    app = Flask(__name__)
    app.config.from_mapping(DATABASE="05.db", MAIL_SERVER="", PIN_LIFETIME=300, LOCKOUT=300)
    app.config.from_prefixed_env()
    if 0 < len(str(app.config["SECRET_KEY"] or "")) < 32:  # it needs none
        raise SystemExit("The FLASK_SECRET_KEY is too short: 32 bytes at least.")
    app.config["MAX_CONTENT_LENGTH"] = 16384
    app.register_blueprint(bp)
    with app.app_context():
        db().execute(
            "CREATE TABLE IF NOT EXISTS users (name PRIMARY KEY, hash, secret, pending, pin, until,"
            " busy DEFAULT 0, last DEFAULT 0, tries DEFAULT 0, since DEFAULT 0)"
        )
        for number in (1, 2):
            user = f"user{number}", argon2id.hash(f"pass{number}")
            db().execute("INSERT OR IGNORE INTO users (name, hash) VALUES (?, ?)", user)
    return app


app = create_app()
