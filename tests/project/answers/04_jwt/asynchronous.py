"""An answer to lesson 04 with async views (Flask's extra `flask[async]`) and PyJWT.

Hashing and the database would make the others wait, so they run in threads.
"""

import asyncio
import os
import re
import sqlite3
import time
from functools import wraps

import jwt
from flask import Flask, abort, make_response, request
from passlib.hash import argon2

argon2id = argon2.using(type="ID", memory_cost=19456, rounds=2, parallelism=1)
app = Flask(__name__)
app.config.from_mapping(DATABASE="lesson04.db", TOKEN_LIFETIME=180)
app.config.from_prefixed_env()
key = str(app.config["SECRET_KEY"] or "")
if len(key) < 32:
    raise SystemExit("FLASK_SECRET_KEY is not set, or shorter than 32 bytes.")
lifetime = app.config["TOKEN_LIFETIME"]
issuer, audience = "lesson04-login", "lesson04-pages"


def execute(statement, *values):
    with sqlite3.connect(app.config["DATABASE"]) as connection:
        rows = connection.execute(statement, values).fetchall()
    connection.close()
    return rows


async def query(statement, *values):
    return await asyncio.to_thread(execute, statement, *values)


async def user_with(name, password):
    """Return the hash and the role of the user whose password this is, else None."""
    if not 1 <= len(password.encode()) <= 1024 or "\0" in name + password:
        return None
    user = "SELECT hash, admin FROM users WHERE name = ?"
    rows = await query(user, name)
    right = await asyncio.to_thread(argon2id.verify, password, rows[0][0] if rows else dummy)
    # Hashing took a while: is it still the user's password?
    return rows[0] if right and rows and await query(user, name) == rows else None


async def claims_of(text):
    """Return the claims of a good token; PyJWT's InvalidTokenError says what is bad."""
    claims = jwt.decode(
        text,
        key,
        algorithms=["HS256"],
        issuer=issuer,
        audience=audience,
        options={
            "require": ["iss", "sub", "aud", "iat", "exp", "jti"],
            "strict_aud": True,
            "verify_iat": False,
        },
    )
    if not {type(claims["iat"]), type(claims["exp"])} <= {int, float}:
        raise jwt.InvalidTokenError("Times must be numbers")
    if claims["iat"] > time.time() + 10:  # clocks differ
        raise jwt.InvalidTokenError("The token is from the future")
    if claims["exp"] - claims["iat"] > lifetime:
        raise jwt.InvalidTokenError("The lifetime is not ours")
    # Two questions, asked at the same time.
    known, gone = await asyncio.gather(
        query("SELECT 1 FROM users WHERE name = ?", claims["sub"]),
        query("SELECT 1 FROM revoked WHERE jti = ?", claims["jti"]),
    )
    if gone or not known:
        raise jwt.InvalidTokenError("Token was logged out" if gone else "User is unknown")
    return claims


def unauthorized(status, sentence, **details):
    pairs = {"realm": "Lesson 04", **details}
    value = "Bearer " + ", ".join(f'{name}="{text}"' for name, text in pairs.items())
    return make_response(sentence + "\n", status, {"WWW-Authenticate": value})


def credentials(scheme):
    try:
        sent = request.authorization
    except ValueError:
        return None
    return sent if sent is not None and sent.type == scheme else None


def needs_token(view):
    @wraps(view)
    async def wrapper():
        sent = credentials("bearer")
        if sent is None:
            return unauthorized(401, "Please send a token.")
        try:
            claims = await claims_of(sent.token or "")
        except (jwt.InvalidTokenError, UnicodeError, RecursionError) as error:
            why = re.sub(r"[^A-Za-z0-9 .,()-]", "'", str(error)) + " - please log in again."
            return unauthorized(401, why, error="invalid_token", error_description=why)
        return await view(claims)

    return wrapper


@app.get("/insecured")
async def insecured():
    return "Anyone may read this.\n"


@app.post("/login")
async def login():
    sent = credentials("basic")
    user = sent and await user_with(sent.username, sent.password)
    if not user:
        sentence = "That is not right.\n" if sent else "Log in with Basic, in the header.\n"
        abort(make_response(sentence, 401, {"WWW-Authenticate": 'Basic realm="login"'}))
    now = time.time()
    claims = dict(iss=issuer, aud=audience, sub=sent.username, iat=now, exp=now + lifetime)
    claims.update(jti=os.urandom(16).hex(), scope="read admin" if user[1] else "read")
    body = {"access_token": jwt.encode(claims, key), "token_type": "Bearer"}
    return {**body, "expires_in": lifetime}, {"Cache-Control": "no-store"}


@app.get("/secured")
@needs_token
async def secured(claims):
    return f"Hello, {claims['sub']}!\n"


@app.get("/admin")
@needs_token
async def admin(claims):
    if "admin" not in claims.get("scope", "").split():
        needed = {"error": "insufficient_scope", "scope": "admin"}
        return unauthorized(403, "Your token does not open this page.", **needed)
    return f"Hello, {claims['sub']}, here are the keys.\n"


@app.post("/logout")
@needs_token
async def logout(claims):
    await query("INSERT OR IGNORE INTO revoked VALUES (?, ?)", claims["jti"], claims["exp"])
    await query("DELETE FROM revoked WHERE exp < ?", time.time() - 60)
    return "", 204


dummy = argon2id.hash("a password that nobody has")
execute("CREATE TABLE IF NOT EXISTS users (name PRIMARY KEY, hash, admin)")
execute("CREATE TABLE IF NOT EXISTS revoked (jti PRIMARY KEY, exp)")
for row in [("user1", argon2id.hash("pass1"), 1), ("user2", argon2id.hash("pass2"), 0)]:
    execute("INSERT OR IGNORE INTO users VALUES (?, ?, ?)", *row)

if __name__ == "__main__":
    app.run(port=5004)
