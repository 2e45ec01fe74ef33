# /// script
# requires-python = ">=3.11"
# dependencies = ["flask>=3.1", "libpass[argon2]>=1.9", "pyotp>=2.9", "segno>=1.6"]
# ///
"""Lesson 05, done right: a second factor with pyotp (RFC 4226, 6238) and PINs by mail.

A password is something you know, and what you know can be found out. The second factor is
something you have: a mailbox that gets a PIN, or a phone that computes a code. Either travels
in a header of its own, OTP, after the password was right, and counts once.
"""

import contextlib
import hmac
import io
import re
import secrets
import smtplib
import sys
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
        refuse_with(401, "Send user name and password in a header, Authorization: Basic ...")
    user = store.check_password(sent.username, sent.password)
    return user or refuse_with(401, "User name or password is wrong.")


def second_factor(user):
    """Return if the header OTP holds a code that counts; answer the request if not."""
    code = request.headers.get("OTP", "")
    if not code:
        refuse_with(401, "Now send a code as well, in a header OTP.", OTP="required")
    wait = store.take_try(user, TRIES, app.config["LOCKOUT"])
    if wait:
        abort(429, "Too many wrong codes. Wait, then try again.", retry_after=wait)
    if not any(use(user, code) for use in KINDS_OF_CODE):
        sentence = "This code is wrong, too old, or was used before."
        refuse_with(401, sentence, OTP="required")
    store.forget_tries(user)


def refuse_with(status, sentence, **headers):
    abort(app.response_class(f"{sentence}\n", status, {**CHALLENGE, **headers}))


# The second factor, one way: a PIN by mail.


@app.post("/pin")
def pin():
    """Mail the user a PIN: random, good once, for a while, and the end of the one before."""
    user, number = password_owner(), f"{secrets.randbelow(10**6):06}"
    # One at a time: else a slow mail server would let an older PIN end a newer one, and whoever
    # asks again and again would keep every worker waiting for it.
    turn = store.begin_pin(user, seconds=30)
    if not turn:
        abort(429, "A PIN is being sent to you just now. Look into your mailbox.", retry_after=5)
    lifetime, sent = app.config["PIN_LIFETIME"], False
    try:
        mail(user, "your PIN", f"Your PIN is {number}. It works once, for {lifetime} seconds.")
        sent = True
    except (OSError, ValueError) as error:  # no mail server, or no address that it could send to
        app.logger.error("mail: %s", error)
    kept = store.keep_pin(user, turn, tag(user, number) if sent else None, lifetime)
    if not (sent and kept):
        abort(503, "The PIN could not be sent; try again in a moment.")
    return "A PIN is on its way to your mailbox.\n", 202


def mail(user, subject, text):
    """Send a mail. Raises OSError or ValueError if that can't be done."""
    server = app.config["MAIL_SERVER"]
    if not server:
        app.logger.warning("FLASK_MAIL_SERVER is not set. For %s: %s", user["name"], text)
        return
    if not user["mail"]:  # some versions of Python would ask the server to send to ""
        raise ValueError("this user has no address")
    message = EmailMessage()  # refuses a line break in a header with ValueError
    message["From"], message["To"] = "no-reply@example.com", user["mail"]
    message["Subject"], message["Date"] = f"{REALM}: {subject}", formatdate()
    message["Auto-Submitted"] = "auto-generated"  # nobody's holiday notice answers (RFC 3834)
    message.set_content(f"{text}\nThat was not you? Then change your password.\n")
    host, _, port = server.rpartition(":")
    # Our own name is given, since to look it up can take long.
    with smtplib.SMTP(host.strip("[]"), int(port), "localhost", timeout=5) as smtp:
        smtp.send_message(message)


def tag(user, number):
    """Return what is kept of a PIN. All million are soon tried on a plain hash: this has a key."""
    return hmac.digest(app.secret_key.encode(), f"{user['name']}\0{number}".encode(), "sha256")


def use_pin(user, code):
    return store.use_pin(user, tag(user, code), app.config["PIN_LIFETIME"])


# The second factor, another way: an authenticator app.


@app.post("/enroll")
def enroll():
    """Make a secret for the user's phone, shown this once. It counts from its first right code."""
    user = password_owner()
    if user["secret"]:  # else whoever knows the password would enrol a phone of their own
        second_factor(user)
    return shown(new_secret(user))


def new_secret(user):
    """Return the otpauth address that holds a new secret of 160 bits (RFC 4226 section 4, R6)."""
    secret = pyotp.random_base32()
    if not store.keep_pending(user, secret):
        abort(409, "Your account was changed by another request just now; try again.")
    return pyotp.TOTP(secret).provisioning_uri(name=user["name"], issuer_name=REALM)


def shown(address, **more):
    """Answer with the address in JSON or, if the client asks for a picture, as a QR code."""
    kinds, headers = ["application/json", "image/svg+xml"], {"Cache-Control": "no-store"}
    if request.accept_mimetypes.best_match(kinds) == kinds[0]:
        return {"otpauth_uri": address, **more}, 201, headers
    picture = io.BytesIO()
    segno.make(address, micro=False).save(picture, kind="svg", scale=6, light="white")
    return picture.getvalue(), 201, {**headers, "Content-Type": "image/svg+xml"}


def use_totp(user, code):
    now = int(time.time()) // 30
    for secret in filter(None, [user["secret"], user["pending"]]):
        for step in (now, now - 1, now + 1):  # clocks drift (RFC 6238 section 6)
            if hmac.compare_digest(code_at(secret, step).encode(), code.encode()):
                phone = store.use_code(user, secret, code, step)
                if phone == "new":
                    notify(user)
                return phone is not None
    return False


def code_at(secret, step):
    """Return the code of a 30 second step: HOTP, counted by the clock (RFC 6238 section 4.2)."""
    return pyotp.HOTP(secret).at(step)


def notify(user):
    """Tell the owner of a new phone: with a stolen code, somebody else may have enrolled it."""
    app.logger.warning("A new phone was enrolled for %s.", user["name"])
    with contextlib.suppress(OSError, ValueError):  # the login goes on without the mail
        mail(user, "a new phone", "From now on a new phone opens your account, and no other does.")


KINDS_OF_CODE = [use_pin, use_totp]


@app.before_request
def refuse_other_origins():
    """Refuse a form that another origin's page sends along with the password (lesson 02)."""
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    ours = site in ("same-origin", "none") if site else origin in (None, request.host_url[:-1])
    if request.method == "POST" and not ours:
        abort(403, "This form came from a page of another origin (scheme, host and port).")


app.config["MAIL_SERVER"] = ""
store.set_up(app, PIN_LIFETIME=300, LOCKOUT=300)
server = str(app.config["MAIL_SERVER"])
if server and not (re.fullmatch(r"\S+:\d{1,5}", server) and int(server.split(":")[-1]) < 65536):
    sys.exit("FLASK_MAIL_SERVER must be host:port, for example 127.0.0.1:1025.")

if __name__ == "__main__":
    app.run(port=5005, debug=False)
