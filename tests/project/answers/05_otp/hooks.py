"""A right answer with hooks: what a page wants stands in a table, and before_request sees to it.

All state is one JSON file. Whoever changes it holds a lock, a second file that only one can make.
Answers are JSON.
"""

import contextlib
import hashlib
import hmac
import io
import json
import os
import secrets
import smtplib
import time
from email.message import EmailMessage
from pathlib import Path

import pyotp
import segno
from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from flask import Flask, g, jsonify, make_response, request

app = Flask(__name__)
app.config.from_mapping(DATABASE="hooks", MAIL_SERVER="", PIN_LIFETIME=300, LOCKOUT=300)
app.config.from_prefixed_env()
FILE = Path(f"{app.config['DATABASE']}.json")
KEY = str(app.config["SECRET_KEY"] or "").encode()
if len(KEY) < 32:
    raise SystemExit("FLASK_SECRET_KEY needs 32 bytes.")
WANTS = {"index": "both", "pin": "password", "enroll": "phone's owner"}
hasher = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
nobody = hasher.hash(secrets.token_hex())


@contextlib.contextmanager
def changing():
    """Hand out the users, and write them back; one at a time, whatever process."""
    lock = FILE.with_suffix(".lock")
    while True:
        try:
            os.close(os.open(lock, os.O_CREAT | os.O_EXCL))
            break
        except (FileExistsError, PermissionError):
            time.sleep(0.002)
    try:
        users = read()
        yield users
        draft = FILE.with_suffix(".draft")
        draft.write_text(json.dumps(users), "utf-8")
        draft.replace(FILE)
    finally:
        lock.unlink()


def read():
    try:
        return json.loads(FILE.read_text("utf-8"))
    except FileNotFoundError:
        return {}


with changing() as users:
    for number in (1, 2):
        if f"user{number}" not in users:
            fresh = {"tries": 0, "until": 0, "used": {}, "sending": 0}
            users[f"user{number}"] = {"hash": hasher.hash(f"pass{number}"), **fresh}


def refuse(status, why, **headers):
    answer = make_response(jsonify(error=why), status)
    if status == 401:
        answer.headers["WWW-Authenticate"] = 'Basic realm="hooks", charset="UTF-8"'
    for name, value in headers.items():
        answer.headers[name.replace("_", "-")] = value
    return answer


@app.before_request
def own_origin():
    if request.method == "POST":
        site = request.headers.get("Sec-Fetch-Site")
        origin = request.headers.get("Origin")
        here = f"{request.scheme}://{request.host}"
        if site not in (None, "same-origin", "none") or (not site and origin not in (None, here)):
            return refuse(403, "Forms of other origins are not welcome.")


@app.before_request
def first_factor():
    if request.endpoint not in WANTS:
        return None
    try:
        sent = request.authorization
    except ValueError:
        sent = None
    if not sent or sent.type != "basic":
        return refuse(401, "Name and password belong in the header Authorization.")
    user = read().get(sent.username)
    try:
        if len(sent.password) > 1000 or "\0" in sent.password:
            raise VerificationError
        hasher.verify(user["hash"] if user else nobody, sent.password)
        if not user:
            raise VerificationError
    except VerificationError:
        return refuse(401, "Name or password is wrong.")
    g.name = sent.username


@app.before_request
def second_factor():
    wants = WANTS.get(request.endpoint)
    if wants == "both" or (wants == "phone's owner" and read()[g.name].get("phone")):
        code, now = request.headers.get("OTP"), time.time()
        if not code:
            return refuse(401, "A code is missing.", OTP="required")
        with changing() as users:
            user = users[g.name]
            if user["tries"] >= 5 and user["until"] <= now:
                user["tries"] = 0
            if user["tries"] >= 5:
                return refuse(429, "Wait.", Retry_After=int(user["until"] - now) + 1)
            user["tries"] += 1
            user["until"] = now + app.config["LOCKOUT"]
            kind = by_mail(user, code, now) or by_phone(user, code, now)
            if kind:
                user["tries"] = 0
        if not kind:
            return refuse(401, "This code does not count.", OTP="required")
        if kind == "new":
            app.logger.warning("A new phone for %s", g.name)
            with contextlib.suppress(OSError):
                mail(g.name, "A new phone opens your account.")


def seal(name, pin):
    return hmac.new(KEY, f"{name}/{pin}".encode(), hashlib.sha3_256).hexdigest()


def by_mail(user, code, now):
    good = user.get("pin") == seal(g.name, code) and now < user["ends"]
    return user.pop("pin") if good else None


def by_phone(user, code, now):
    user["used"] = {one: at for one, at in user["used"].items() if at > now - 900}
    for kind in ("phone", "pending"):
        if kind not in user or not (code.isascii() and len(code) == 6):
            continue
        if pyotp.TOTP(user[kind]).verify(code, valid_window=1):
            if code in user["used"]:
                return None
            user["used"][code] = now
            if kind == "pending":
                user["phone"] = user.pop("pending")
                return "new"
            return "known"
    return None


@app.get("/")
def index():
    return jsonify(greeting=f"Hello, {g.name}!")


@app.get("/public")
def public():
    return jsonify(greeting="Hello!")


@app.post("/pin")
def pin():
    number, now = "".join(secrets.choice("0123456789") for _ in range(6)), time.time()
    with changing() as users:
        if now < users[g.name]["sending"] < now + 100:
            return refuse(429, "A mail is on its way.", Retry_After=3)
        users[g.name]["sending"] = now + 50
    try:
        mail(g.name, f"Your PIN: {number}")
    except OSError:
        with changing() as users:
            users[g.name]["sending"] = 0
        return refuse(503, "No mail can be sent at the moment.")
    with changing() as users:
        ends = time.time() + app.config["PIN_LIFETIME"]
        users[g.name] |= {"sending": 0, "pin": seal(g.name, number), "ends": ends}
    return jsonify(done="Look into your mailbox."), 202


def mail(name, text):
    if not app.config["MAIL_SERVER"]:
        app.logger.warning("for %s: %s", name, text)
        return
    message = EmailMessage()
    message["From"], message["To"] = "hooks@example.com", f"{name}@example.com"
    message["Subject"] = "Your account"
    message.set_content(text)
    host, _, port = app.config["MAIL_SERVER"].rpartition(":")
    with smtplib.SMTP(host, int(port), "localhost", timeout=4) as smtp:
        smtp.send_message(message)


@app.post("/enroll")
def enroll():
    secret = pyotp.random_base32()
    with changing() as users:
        users[g.name]["pending"] = secret
    uri = pyotp.TOTP(secret).provisioning_uri(name=g.name, issuer_name="hooks")
    if request.accept_mimetypes.best == "image/svg+xml":
        out = io.BytesIO()
        segno.make_qr(uri).save(out, kind="svg", svgclass=None, lineclass=None, unit="mm")
        answer = make_response(out.getvalue(), 201, {"Content-Type": "image/svg+xml"})
    else:
        answer = make_response(jsonify(address=uri), 201)
    answer.headers["Cache-Control"] = "no-store"
    return answer


if __name__ == "__main__":
    app.run(port=5005)
