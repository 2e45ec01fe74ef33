"""An answer to lesson 03 with async views (Flask's extra `flask[async]`).

What would make the others wait, here the database, runs in a thread.
"""

import asyncio
import functools
import hashlib
import re
import secrets
import sqlite3
import time
from urllib.parse import unquote

from flask import Flask, make_response, request
from itsdangerous import BadData, SignatureExpired, TimestampSigner
from werkzeug.datastructures import WWWAuthenticate

HASHES = {"SHA-256": hashlib.sha256, "MD5": hashlib.md5}
REALM = "lesson 3"
app = Flask(__name__)
app.config.from_mapping(DATABASE="lesson03.db", NONCE_LIFETIME=300, SECRET_KEY="")
app.config.from_prefixed_env()
if len(app.secret_key) < 32:
    raise SystemExit("FLASK_SECRET_KEY: 32 bytes or more, please.")
signer = TimestampSigner(app.secret_key, salt="digest nonce")
OPAQUE = signer.get_signature("opaque").decode()


def compute(algorithm, *parts):
    return HASHES[algorithm](":".join(parts).encode()).hexdigest()


def execute(statement, *values):
    """Run one statement in a transaction; return how many rows it changed, and those it found."""
    connection = sqlite3.connect(app.config["DATABASE"])
    try:
        with connection:
            cursor = connection.execute(statement, values)
            return cursor.rowcount, cursor.fetchall()
    finally:
        connection.close()


async def query(statement, *values):
    return await asyncio.to_thread(execute, statement, *values)


async def look_up(name, algorithm):
    column = {"SHA-256": "ha1_sha256", "MD5": "ha1_md5"}[algorithm]
    _, rows = await query(f"SELECT {column} FROM users WHERE name = ?", name)
    return rows[0][0] if rows else None


async def spend(nonce, nc):
    """Use up this count of the nonce; False if somebody did before."""
    now = int(time.time())
    too_old = "SELECT rowid FROM spent WHERE at < ? LIMIT 50"  # never all at once
    limit = now - app.config["NONCE_LIFETIME"] - 5
    await query(f"DELETE FROM spent WHERE rowid IN ({too_old})", limit)
    changed, _ = await query("INSERT OR IGNORE INTO spent VALUES (?, ?, ?)", nonce, nc, now)
    return changed == 1


def asked_for():
    """Return path and query of the request: decoded the one, as it came the other (PEP 3333)."""
    environ = request.environ
    path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
    return path, environ.get("QUERY_STRING", "")


def refuse(stale=False):
    response = make_response("You are not in. See WWW-Authenticate.\n", 401)
    challenges = []
    for algorithm in HASHES:
        challenge = WWWAuthenticate("digest")
        challenge.realm, challenge.opaque = REALM, OPAQUE
        challenge.nonce = signer.sign(secrets.token_hex(6)).decode()
        challenge.algorithm, challenge.qop = algorithm, "auth"
        if stale:
            challenge.stale = "true"
        challenges.append(challenge)
    response.www_authenticate = challenges
    return response


def needs_digest(view):
    """Let the view run, with the user's name, for who answered a challenge."""

    @functools.wraps(view)
    async def wrapper():
        try:
            sent = request.authorization
        except ValueError:
            return refuse()
        if sent is None or sent.type != "digest":
            return refuse()
        algorithm = sent.get("algorithm", "MD5")
        wanted = {"realm": REALM, "opaque": OPAQUE, "qop": "auth"}
        if algorithm not in HASHES or any(sent.get(k) != v for k, v in wanted.items()):
            return refuse()
        path, _, query_string = (sent.uri or "").partition("?")
        if (unquote(path, "latin-1"), query_string) != asked_for():
            return refuse()
        if not (sent.nonce and sent.response and sent.username):
            return refuse()
        if not re.fullmatch("[0-9a-f]{8}", sent.nc or ""):
            return refuse()
        if not re.fullmatch(r"[!#-\[\]-~]+", sent.cnonce or ""):  # as it goes back in quotes
            return refuse()
        ha1 = await look_up(sent.username, algorithm)
        if ha1 is None:
            return refuse()
        middle = [sent.nonce, sent.nc, sent.cnonce, "auth"]
        right = compute(algorithm, ha1, *middle, compute(algorithm, request.method, sent.uri))
        if not secrets.compare_digest(right.encode(), sent.response.encode()):
            return refuse()
        try:
            signer.unsign(sent.nonce, max_age=app.config["NONCE_LIFETIME"])
        except SignatureExpired:
            return refuse(stale=True)
        except BadData:
            return refuse()
        if not await spend(sent.nonce, sent.nc):
            return refuse()
        response = make_response(await view(sent.username))
        proof = compute(algorithm, ha1, *middle, compute(algorithm, "", sent.uri))
        response.headers["Authentication-Info"] = (
            f'qop=auth, rspauth="{proof}", cnonce="{sent.cnonce}", nc={sent.nc}'
        )
        return response

    return wrapper


@app.get("/")
@app.get("/account")
@needs_digest
async def hello(name):
    return f"Hello, {name}!\n"


execute("CREATE TABLE IF NOT EXISTS spent (nonce, nc, at, PRIMARY KEY (nonce, nc))")
execute("CREATE INDEX IF NOT EXISTS by_age ON spent (at)")
execute("CREATE TABLE IF NOT EXISTS users (name PRIMARY KEY, ha1_sha256, ha1_md5)")
for name, password in [("user1", "pass1"), ("user2", "pass2")]:
    ha1s = [compute(algorithm, name, REALM, password) for algorithm in HASHES]
    execute("INSERT OR IGNORE INTO users VALUES (?, ?, ?)", name, *ha1s)

if __name__ == "__main__":
    app.run(port=5003)
