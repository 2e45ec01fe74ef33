"""An answer to lesson 04 with hooks and a list of the tokens that count, in a file with a lock.

Which endpoints want a token stands in one table. A login enters its token's jti into the file, a
logout takes it out: what is not in the file does not count. Whoever writes holds a lock, which is a
second file that only one process can make.
"""

import contextlib
import json
import os
import re
import secrets
import sys
import time
from pathlib import Path

import jwt
from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from flask import Flask, g, request
from werkzeug.exceptions import HTTPException

app = Flask(__name__)
app.config.from_mapping(DATABASE="hooks", TOKEN_LIFETIME=180)
app.config.from_prefixed_env()
FILE = Path(f"{app.config['DATABASE']}.json")
NEEDS = {"secured": None, "admin": "admin", "logout": None}  # endpoint: role
NAME = "hooks"
key = str(app.config["SECRET_KEY"] or "")
if len(key) < 32:
    sys.exit("FLASK_SECRET_KEY must have 32 characters, or more.")
hasher = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
nobody = hasher.hash(secrets.token_hex())


class Refused(HTTPException):
    code = 401

    def __init__(self, why, scheme="Bearer", status=401, **parameters):
        super().__init__(why)
        self.code = status
        pairs = {"realm": NAME, **parameters}
        self.challenge = f"{scheme} " + ", ".join(f'{k}="{v}"' for k, v in pairs.items())


@app.errorhandler(Refused)
def show(error):
    return f"{error.description}\n", error.code, {"WWW-Authenticate": error.challenge}


@contextlib.contextmanager
def changing():
    """Hand out what the file holds, and write it back; one at a time, whatever process."""
    lock = FILE.with_suffix(".lock")
    while True:
        try:
            os.close(os.open(lock, os.O_CREAT | os.O_EXCL))
            break
        except (FileExistsError, PermissionError):
            time.sleep(0.002)
    try:
        data = read()
        yield data
        draft = FILE.with_suffix(".draft")
        draft.write_text(json.dumps(data), "utf-8")
        draft.replace(FILE)
    finally:
        lock.unlink()


def read():
    try:
        return json.loads(FILE.read_text("utf-8"))
    except FileNotFoundError:
        return {"users": {}, "tokens": {}}


with changing() as data:
    for number in (1, 2):
        if f"user{number}" not in data["users"]:
            kept = {"hash": hasher.hash(f"pass{number}"), "role": ["admin", "user"][number - 1]}
            data["users"][f"user{number}"] = kept


@app.before_request
def want_a_token():
    if request.endpoint in NEEDS:
        g.claims = checked(token_sent())
        needed = NEEDS[request.endpoint]
        if needed and g.claims.get("role") != needed:
            raise Refused("You may not.", status=403, error="insufficient_scope")


def token_sent():
    header = request.environ.get("HTTP_AUTHORIZATION", "").split(" ", 1)
    if header[0].lower() != "bearer" or len(header) == 1:
        raise Refused("Log in at /login and send the token.")
    if not re.fullmatch(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+){2}", header[1].strip()):
        bad("What is sent is not in the form of a token: take off whatever surrounds it")
    return header[1].strip()


def bad(why):
    raise Refused(why, error="invalid_token", error_description=why)


def checked(token):
    try:
        claims = jwt.decode(
            token,
            key,
            algorithms=["HS256"],
            audience=NAME,
            issuer=NAME,
            options={"require": ["exp", "iat", "sub", "jti", "aud", "iss"], "verify_iat": False},
        )
        now, life = time.time(), app.config["TOKEN_LIFETIME"]
        whole = type(claims["iat"]) is int and type(claims["exp"]) is int
        if not whole or claims["iat"] > now + 3 or claims["exp"] > claims["iat"] + life:
            bad("Its times are not ours")
        data = read()
        if data["tokens"].get(claims["jti"]) is None or claims["sub"] not in data["users"]:
            bad("It was logged out or never given")
        return claims
    except jwt.ExpiredSignatureError:
        bad("It is expired")
    except (jwt.InvalidTokenError, UnicodeError, RecursionError, TypeError):
        bad("It is not a token of ours")


@app.get("/insecured")
def insecured():
    return {"who": "everybody"}


@app.post("/login")
def login():
    try:
        sent = request.authorization
    except ValueError:
        sent = None
    if not sent or sent.type != "basic":
        raise Refused("I need a name and a password, as Basic credentials.", "Basic")
    user = read()["users"].get(sent.username)
    try:
        if len(sent.password) > 1000 or "\0" in sent.password:
            raise VerificationError
        hasher.verify(user["hash"] if user else nobody, sent.password)
    except VerificationError:
        raise Refused("I don't know you.", "Basic") from None
    now, life, jti = int(time.time()), app.config["TOKEN_LIFETIME"], secrets.token_urlsafe(12)
    with changing() as data:
        tokens = data["tokens"]
        data["tokens"] = {k: until for k, until in tokens.items() if until > now - 60}
        data["tokens"][jti] = now + life
    claims = {"sub": sent.username, "iss": NAME, "aud": NAME, "role": user["role"]}
    claims |= {"iat": now, "exp": now + life, "jti": jti}
    answer = {"access_token": jwt.encode(claims, key), "token_type": "Bearer", "expires_in": life}
    return answer, {"Cache-Control": "no-store"}


@app.get("/secured")
def secured():
    return {"greeting": f"Hello, {g.claims['sub']}!"}


@app.get("/admin")
def admin():
    return {"greeting": "Hello, boss!"}


@app.post("/logout")
def logout():
    with changing() as data:
        data["tokens"].pop(g.claims["jti"], None)
    return "", 204


if __name__ == "__main__":
    app.run(host="localhost", port=5004)
