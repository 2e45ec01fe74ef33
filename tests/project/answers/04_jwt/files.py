"""An answer to lesson 04 with neither a database nor a library for tokens.

A token is made and checked with hmac, json and base64 (RFC 7515). A token that was logged out is an
empty file in a folder, with the token's jti as its name: every process sees it, and it needs no
lock.
"""

import base64
import hmac
import json
import re
import secrets
import sys
import time
from pathlib import Path

from flask import Flask, jsonify, request
from passlib.hash import argon2

app = Flask(__name__)
app.config.from_mapping(DATABASE="lesson04.db", TOKEN_LIFETIME=180)
app.config.from_prefixed_env()
key = str(app.config["SECRET_KEY"] or "").encode()
if len(key) < 32:
    sys.exit("Your FLASK_SECRET_KEY is too short. It needs 32 bytes.")
lifetime = app.config["TOKEN_LIFETIME"]
revoked = Path(str(app.config["DATABASE"])).with_suffix(".revoked")
revoked.mkdir(parents=True, exist_ok=True)

argon2id = argon2.using(type="ID", memory_cost=19456, rounds=2, parallelism=1)
# Only the hashes would stand here in earnest.
users = {"user1": argon2id.hash("pass1"), "user2": argon2id.hash("pass2")}
admins = {"user1"}
nobody = argon2id.hash(secrets.token_hex())
SELF = "lesson-04"
LEEWAY = 2  # seconds that a clock may be ahead
HEADER = {"alg": "HS256", "typ": "JWT"}


class BadToken(Exception):
    """Its text says what is wrong, without quotes or backslashes."""


def encode(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def decode(text):
    """Undo encode(); only what it would make itself is taken."""
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        raise BadToken("The token is not base64") from None
    if encode(data) != text:
        raise BadToken("The token is not base64")
    return data


def decode_object(text):
    try:
        found = json.loads(decode(text))
    except (ValueError, RecursionError):
        raise BadToken("The token is not JSON") from None
    if not isinstance(found, dict):
        raise BadToken("The token is not a JSON object")
    return found


def signature(signed):
    return encode(hmac.digest(key, signed.encode(), "sha256"))


def sign(claims):
    signed = ".".join(encode(json.dumps(part).encode()) for part in (HEADER, claims))
    return f"{signed}.{signature(signed)}"


def verify(token):
    """Return the claims of a token of ours that is good now; raise BadToken if it is not."""
    if not re.fullmatch(r"[\w-]*(\.[\w-]*)*", token, re.ASCII):
        raise BadToken("What came after Bearer has letters that no token has")
    signed, _, sent = token.rpartition(".")
    if not hmac.compare_digest(signature(signed).encode(), sent.encode()):
        raise BadToken("The signature is not ours")
    if signed.count(".") != 1:
        raise BadToken("A token has three parts")
    head, body = (decode_object(part) for part in signed.split("."))
    if head.get("alg") != "HS256" or "crit" in head:
        raise BadToken("The algorithm is not ours")
    if (body.get("iss"), body.get("aud")) != (SELF, SELF):
        raise BadToken("The token was not made here, or not for here")
    issued, ends = body.get("iat"), body.get("exp")
    if type(issued) is not int or type(ends) is not int:
        raise BadToken("The times are missing or no whole numbers")
    if ends <= time.time():
        raise BadToken("The token has expired")
    if body.get("nbf", 0) > time.time():
        raise BadToken("The token counts only later")
    if issued > time.time() + LEEWAY or ends - issued > lifetime:
        raise BadToken("The times are not ours")
    jti, name = body.get("jti"), body.get("sub")
    if not isinstance(jti, str) or not re.fullmatch("[0-9a-f]{32}", jti):  # no ../ in here
        raise BadToken("The name of the token is not ours")
    if (revoked / jti).exists():
        raise BadToken("The token was logged out")
    if not isinstance(name, str) or name not in users:
        raise BadToken("The user is unknown")
    return body


@app.before_request
def look_at_the_token():
    """Answer for the three pages that need a token, unless a good one came along."""
    if request.endpoint not in ("secured", "admin", "logout"):
        return None
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return "Please send a token.\n", 401, {"WWW-Authenticate": f'Bearer realm="{SELF}"'}
    try:
        request.claims = verify(token)
    except BadToken as error:
        challenge = f'Bearer realm="{SELF}", error="invalid_token", error_description="{error}"'
        return f"{error}.\n", 401, {"WWW-Authenticate": challenge}
    return None


@app.get("/insecured")
def insecured():
    return "Hello!\n"


@app.post("/login")
def login():
    try:
        sent = request.authorization
    except ValueError:  # bytes beyond ASCII
        sent = None
    challenge = {"WWW-Authenticate": f'Basic realm="{SELF}"'}
    if not sent or sent.type != "basic":
        return "Send user name and password, by Basic.\n", 401, challenge
    name, password = sent.username, sent.password
    if "\0" in password or len(password.encode()) > 1024:
        return "Wrong.\n", 401, challenge
    if not argon2id.verify(password, users.get(name, nobody)):
        return "Wrong.\n", 401, challenge
    now = int(time.time())
    claims = {"iss": SELF, "aud": SELF, "sub": name, "iat": now, "exp": now + lifetime}
    token = sign({**claims, "jti": secrets.token_hex(16), "admin": name in admins})
    answer = jsonify(access_token=token, token_type="Bearer", expires_in=lifetime)
    answer.headers["Cache-Control"] = "no-store"
    return answer


@app.get("/secured")
def secured():
    return f"Hello, {request.claims['sub']}!\n"


@app.get("/admin")
def admin():
    if request.claims.get("admin") is not True:
        challenge = f'Bearer realm="{SELF}", error="insufficient_scope", scope="admin"'
        return "This page is for admins.\n", 403, {"WWW-Authenticate": challenge}
    return "Hello, admin!\n"


@app.post("/logout")
def logout():
    for old in revoked.iterdir():
        if old.stat().st_mtime < time.time() - lifetime:  # expired anyway
            old.unlink(missing_ok=True)
    (revoked / request.claims["jti"]).touch()
    return "", 204


if __name__ == "__main__":
    app.run(port=5004)
