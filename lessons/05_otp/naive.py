# /// script
# requires-python = ">=3.11"
# dependencies = ["flask>=3.1", "flask-httpauth>=4.8", "pyotp>=2.9", "segno>=1.6"]
# ///
"""Lesson 05, as it is often first written. It works, and its flaws are left in on purpose.

The PIN has four digits, comes back in the answer, never ends and can be tried for ever; a phone's
code counts for ten minutes, as often as you like. With the password alone anybody enrols another
phone, or looks at the owner's QR code again. Don't copy this; app.py is the one to copy.
"""

import io
import random

import pyotp
import segno
from flask import Flask, Response, jsonify, request
from flask_httpauth import HTTPBasicAuth

app = Flask(__name__)
REALM = "Lesson 05"
auth = HTTPBasicAuth()
users = {"user1": "pass1", "user2": "pass2"}
pins = {}
secrets = {}


@app.get("/")
@auth.login_required
def index():
    user = auth.current_user()
    if not second_factor(user):
        return "Code is missing or wrong", 401
    return f"Hello, {user}!"


@app.get("/public")
def public():
    return "Hello, whoever you are!"


@auth.verify_password
def password_owner(username, password):
    if username in users and users[username] == password:
        return username


def second_factor(user):
    code = request.headers.get("OTP", "")
    return code == pins.get(user) or use_totp(user, code)


@app.route("/pin", methods=["GET", "POST"])
@auth.login_required
def pin():
    number = str(random.randint(1000, 9999))
    pins[auth.current_user()] = number
    return jsonify(pin=number)  # for convenience


@app.route("/enroll", methods=["GET", "POST"])
@auth.login_required
def enroll():
    secrets[auth.current_user()] = pyotp.random_base32()
    return jsonify(otpauth_uri=address()), 201


def address():
    user = auth.current_user()
    return pyotp.TOTP(secrets[user]).provisioning_uri(name=user, issuer_name=REALM)


@app.get("/enroll.svg")
@auth.login_required
def shown():
    picture = io.BytesIO()
    segno.make(address(), micro=False).save(picture, kind="svg", scale=6, light="white")
    return Response(picture.getvalue(), mimetype="image/svg+xml")


def use_totp(user, code):
    return user in secrets and pyotp.TOTP(secrets[user]).verify(code, valid_window=10)


if __name__ == "__main__":
    app.run(port=5005)
