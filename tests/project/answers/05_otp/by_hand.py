"""A right answer: no pyotp and no Flask-HTTPAuth; HOTP by hand, all state in one JSON file."""

import base64
import contextlib
import hashlib
import hmac
import io
import json
import os
import secrets
import smtplib
import threading
import time
from collections import Counter
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import quote

import segno
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from flask import Flask, Response, jsonify, request

app = Flask(__name__)
app.config["MAX_CONTENT_LENGTH"] = 16384
FILE = Path(os.environ["FLASK_DATABASE"])
KEY = os.environ.get("FLASK_SECRET_KEY", "").encode()
if len(KEY) < 32:
    raise SystemExit("Set FLASK_SECRET_KEY to 32 bytes or more.")
LIFETIME = int(os.environ.get("FLASK_PIN_LIFETIME", 300))
PAUSE = int(os.environ.get("FLASK_LOCKOUT", 300))
hasher = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
NOBODY = hasher.hash("nobody's")
lock = threading.RLock()
mailing = Counter()  # how many PINs are on their way to each user


def load():
    return json.loads(FILE.read_text("utf-8"))


def save(users):
    draft = FILE.with_suffix(".new")
    draft.write_text(json.dumps(users), "utf-8")
    os.replace(draft, FILE)


if not FILE.exists():
    save({f"user{n}": {"hash": hasher.hash(f"pass{n}")} for n in (1, 2)})


def hotp(secret, counter):
    mac = hmac.new(base64.b32decode(secret), counter.to_bytes(8, "big"), hashlib.sha1).digest()
    at = mac[19] & 15
    return str(int.from_bytes(mac[at : at + 4], "big") % 2**31).zfill(10)[-6:]


def sealed(name, pin):
    return hmac.new(KEY, f"{name} {pin}".encode(), hashlib.sha256).hexdigest()


class Refused(Exception):
    def __init__(self, status, text, **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        if status == 401:
            headers["WWW-Authenticate"] = 'Basic realm="by hand", charset="UTF-8"'
        self.response = Response(f"{text}\n", status, headers, mimetype="text/plain")


@app.errorhandler(Refused)
def refused(error):
    return error.response


@app.before_request
def only_own_pages():
    """A browser says where a form comes from; other programs say nothing."""
    said = request.headers.get("Sec-Fetch-Site") or request.headers.get("Origin") or "none"
    own = {"none", "same-origin", f"{request.scheme}://{request.host}"}
    if request.method == "POST" and said not in own:
        raise Refused(403, "This page is none of ours.")


def first_factor():
    """Return the name of the user whose password came along, and the hash it was checked with."""
    scheme, _, rest = request.headers.get("Authorization", "").partition(" ")
    try:
        name, _, password = base64.b64decode(rest, validate=True).decode().partition(":")
    except ValueError:
        name = password = ""
    if scheme.lower() != "basic" or len(password) > 1024:
        raise Refused(401, "Please send the header Authorization: Basic.")
    user = load().get(name)
    try:
        hasher.verify(user["hash"] if user else NOBODY, password)
    except VerifyMismatchError:
        user = None
    if not user:
        raise Refused(401, "Who are you?")
    return name, user["hash"]


def unchanged(users, name, checked):
    """Return the user, whose password may have been changed since it was looked at."""
    user = users.get(name)
    if not user or user["hash"] != checked:
        raise Refused(401, "Who are you?")
    return user


def second_factor(name, checked):
    code = request.headers.get("OTP")
    if not code:
        raise Refused(401, "And the code?", OTP="required")
    with lock:
        users, now = load(), time.time()
        user, before = unchanged(users, name, checked), users[name].get("secret")
        tries = [moment for moment in user.get("tries", []) if moment > now - PAUSE]
        if len(tries) >= 5:
            raise Refused(429, "Later.", Retry_After=str(int(tries[-1] + PAUSE - now) + 1))
        user["tries"] = [] if fits(name, user, code, now) else [*tries, now]
        save(users)
    if user["tries"]:
        raise Refused(401, "Not this code.", OTP="required")
    if user.get("secret") != before:
        app.logger.warning("%s has enrolled a phone.", name)
        with contextlib.suppress(OSError):
            mail(name, "A phone", "A phone was enrolled for your account.")


def fits(name, user, code, now):
    """Tell whether a code counts, and note in `user` that it does so no more."""
    pin, until = user.get("pin", ("", 0))
    if now < until and hmac.compare_digest(sealed(name, code), pin):
        del user["pin"]
        return True
    used = [pair for pair in user.get("used", []) if pair[1] > now - 600]
    user["used"] = used
    for kind in ("secret", "pending"):
        for step in (-1, 0, 1):
            if kind in user and hotp(user[kind], int(now // 30) + step) == code:
                if any(code == old for old, _ in used):
                    return False
                used.append((code, now))
                if kind == "pending":
                    user["secret"] = user.pop("pending")
                return True
    return False


@app.get("/")
def index():
    name, checked = first_factor()
    second_factor(name, checked)
    return f"Hello, {name}!"


@app.get("/public")
def public():
    return "For everybody."


@app.post("/pin")
def pin():
    name, checked = first_factor()
    digits = "".join(secrets.choice("0123456789") for _ in range(6))
    with lock:
        users = load()
        user = unchanged(users, name, checked)
        number = user["asked"] = user.get("asked", 0) + 1
        save(users)
        if mailing[name] >= 2:
            raise Refused(429, "Two are on their way already.", Retry_After="5")
        mailing[name] += 1
    try:
        mail(name, "Your PIN", digits)
    except OSError:
        raise Refused(503, "The mail could not be sent. Please try again later.") from None
    finally:
        with lock:
            mailing[name] -= 1
    with lock:
        users = load()
        user = unchanged(users, name, checked)
        if number > user.get("sent", 0):  # mails may overtake each other
            user["sent"], user["pin"] = number, (sealed(name, digits), time.time() + LIFETIME)
        save(users)
    return "Look into your mail.", 202


def mail(name, subject, text):
    server = os.environ.get("FLASK_MAIL_SERVER")
    if not server:
        app.logger.warning("%s: %s", subject, text)
        return
    message = EmailMessage()
    message["From"], message["To"] = "shop@example.com", f"{name}@example.com"
    message["Subject"] = subject
    message.set_content(text)
    host, port = server.split(":")
    with smtplib.SMTP(host, int(port), "localhost", timeout=5) as smtp:
        smtp.send_message(message)


def address(name, secret):
    return f"otpauth://totp/{quote('by hand')}:{quote(name)}?secret={secret}&issuer=by%20hand"


@app.post("/enroll")
def enroll():
    (name, checked), secret = first_factor(), base64.b32encode(os.urandom(20)).decode()
    old = load().get(name, {}).get("secret")
    if old:
        second_factor(name, checked)
    with lock:
        users = load()
        if unchanged(users, name, checked).get("secret") != old:
            raise Refused(409, "Another phone was quicker.")
        users[name]["pending"] = secret
        save(users)
    if "image/svg+xml" in request.headers.get("Accept", ""):
        picture = io.BytesIO()
        segno.make(address(name, secret)).save(picture, kind="svg", border=4)
        answer = Response(picture.getvalue(), 201, mimetype="image/svg+xml")
    else:
        answer = jsonify(address=address(name, secret))
        answer.status = 201
    answer.cache_control.no_store = True
    return answer
