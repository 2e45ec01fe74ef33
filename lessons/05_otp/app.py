# /// script
# requires-python = ">=3.11"
# dependencies = ["flask>=3.1", "libpass[argon2]>=1.9", "pyotp>=2.9", "segno>=1.6"]
# ///
"""Lesson 05, done right: a second factor with pyotp (RFC 4226, 6238) and PINs by mail.

A password is something you know, and what you know can be found out. The second factor is
something you have: a mailbox that gets a PIN, or a phone that computes a code. Either travels
in a header of its own, OTP, after the password was right, and counts once.
"""

import hmac
import io
import re
import secrets
import smtplib
import time
from email.message import EmailMessage
from email.utils import formatdate

import pyotp
import segno
from flask import Flask, abort, request

import store

app = Flask(__name__)
REALM = "Lesson 05"
TRIES = 5  # wrong codes that a user has, within FLASK_LOCKOUT seconds
CHALLENGE = {"WWW-Authenticate": f'Basic realm="{REALM}", charset="UTF-8"'}


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
    if not sent or sent.type != "basic":
        refuse_with("Send name and password in a header, Authorization: Basic ..., not in a body.")
    user = store.check_password(sent.username, sent.password)
    return user or refuse_with("User name or password is wrong.")


def second_factor(user):
    """Return if the header OTP holds a code that counts; answer the request if not."""
    code = request.headers.get("OTP", "")
    if not code:
        refuse_with("Now send a code as well, in a header OTP.", OTP="required")
    wait = store.take_try(user, TRIES, app.config["LOCKOUT"])
    if wait:
        abort(429, "Too many wrong codes. Wait, then try again.", retry_after=wait)
    if not any(use(user, code) for use in KINDS_OF_CODE):
        refuse_with("This code is wrong, too old, or was used before.", OTP="required")
    store.forget_tries(user)


def refuse_with(sentence, **headers):
    abort(app.response_class(f"{sentence}\n", 401, {**CHALLENGE, **headers}))


# The second factor, one way: a PIN by mail.


@app.post("/pin")
def pin():
    """Mail the user a PIN: random, good once, for a while, and the end of the one before."""
    user, number = password_owner(), f"{secrets.randbelow(10**6):06}"
    # One at a time: else a slow mail server would let an older PIN end a newer one, and whoever
    # asks again and again would keep every worker waiting for it.
    turn = store.begin_pin(user, seconds=60)
    if not turn:
        abort(429, "A PIN is being sent to you just now. Look into your mailbox.", retry_after=5)
    lifetime = app.config["PIN_LIFETIME"]
    sent = mail(user, "your PIN", f"Your PIN is {number}. It works once, for {lifetime} seconds.")
    kept = sent and store.keep_pin(user, turn, tag(user, number), lifetime)
    store.end_pin(user, turn)
    if not kept:  # the PIN before still counts
        abort(503, "The PIN could not be sent, or not in time. Try again in a moment.")
    return "A PIN is on its way to your mailbox.\n", 202


def mail(user, subject, text):
    """Mail a text and return whether that worked; with no mail server set, write it to the log."""
    if not app.config["MAIL_SERVER"]:
        app.logger.warning("FLASK_MAIL_SERVER is not set. For %s: %s", user["name"], text)
        return True
    message = EmailMessage()
    message["From"], message["Date"] = "no-reply@example.com", formatdate()
    message["Subject"] = f"{REALM}: {subject}"  # a locked phone shows it: nothing secret here
    message["Auto-Submitted"] = "auto-generated"  # nobody's holiday notice answers (RFC 3834)
    message.set_content(f"{text}\nThat was not you? Then change your password.\n")
    try:
        if not re.fullmatch(r"[\w.+'-]+@[\w.-]+", user["mail"] or ""):  # nor any line break
            raise ValueError("this user has no address that a mail could go to")
        message["To"] = user["mail"]
        # "localhost" is how we introduce ourselves: smtplib would look our name up, at length.
        with smtplib.SMTP(*app.config["MAIL_SERVER"], "localhost", timeout=5) as smtp:
            smtp.send_message(message)
    except (OSError, ValueError) as error:
        app.logger.error("mail: %s", error)
        return False
    return True


def tag(user, number):
    """Return what is kept of a PIN. Of a plain hash all million are soon tried; this has a key."""
    return hmac.digest(app.secret_key.encode(), f"{user['name']}\0{number}".encode(), "sha256")


def use_pin(user, code):
    return store.use_pin(user, tag(user, code), app.config["PIN_LIFETIME"])


# The second factor, another way: an authenticator app.


@app.post("/enroll")
def enroll():
    """Make a secret for the user's phone, shown this once. Its first right code makes it count."""
    user = password_owner()
    if user["secret"]:  # else whoever knows the password would enrol a phone of their own
        second_factor(user)
    return shown(new_secret(user))


def new_secret(user):
    """Return the otpauth address that holds a new secret of 160 bits (RFC 4226 section 4, R6)."""
    secret = pyotp.random_base32()
    if not store.keep_pending(user, secret):
        abort(409, "Your password or your phone has just been changed. Try again.")
    return pyotp.TOTP(secret).provisioning_uri(name=user["name"], issuer_name=REALM)


def shown(address):
    """Answer with the address in JSON or, if the client asks for a picture, as a QR code."""
    kinds, no_store = ["application/json", "image/svg+xml"], {"Cache-Control": "no-store"}
    short = len(request.headers.get("Accept", "")) <= 1000  # Werkzeug is slow on long ones
    if not short or request.accept_mimetypes.best_match(kinds) != "image/svg+xml":
        return {"otpauth_uri": address}, 201, no_store
    picture = io.BytesIO()
    segno.make(address, micro=False).save(picture, kind="svg", scale=6, light="white")
    return picture.getvalue(), 201, {"Content-Type": "image/svg+xml", **no_store}


def use_totp(user, code):
    now = int(time.time()) // 30  # HOTP with the time as its counter (RFC 6238 section 4.2)
    for secret in filter(None, [user["secret"], user["pending"]]):
        # A code may arrive a step late (RFC 6238 section 5.2), and clocks drift (section 6).
        for step in (now, now - 1, now + 1):
            if hmac.compare_digest(pyotp.HOTP(secret).at(step).encode(), code.encode()):
                phone = store.use_code(user, secret, code, step)
                if phone == "new":
                    notify(user)
                return phone is not None
    return False


def notify(user):
    """Tell the owner of a new phone: with a code of theirs, somebody else may have enrolled it."""
    app.logger.warning("A new phone was enrolled for %s.", user["name"])
    mail(user, "a new phone", "A new phone counts from now on. The one before, if any, does not.")


KINDS_OF_CODE = [use_pin, use_totp]


app.before_request(store.refuse_other_origins)
store.set_up(app, PIN_LIFETIME=300, LOCKOUT=300)
store.read_address(app, "MAIL_SERVER")

if __name__ == "__main__":
    app.run(port=5005, debug=False)
