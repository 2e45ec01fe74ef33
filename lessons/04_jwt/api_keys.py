# /// script
# requires-python = ">=3.11"
# dependencies = ["flask>=3.1", "flask-httpauth>=4.8", "libpass[argon2]>=1.9", "pyjwt>=2.10"]
# ///
"""Lesson 04, another step beyond app.py: API keys for programs, beside tokens for people.

A key is made by a user for one program: shown once, kept as a hash, named, listed, revoked, and
limited to a scope. /report takes either (MultiAuth of Flask-HTTPAuth).
"""

import hashlib
import secrets
import time

import jwt
from flask import abort, g, request
from flask_httpauth import HTTPTokenAuth, MultiAuth

import store
from app import REALM, app, claims_of, token_required

SCOPES = ("read", "write")
TABLES = """
CREATE TABLE IF NOT EXISTS keys (digest TEXT PRIMARY KEY, id TEXT UNIQUE, owner TEXT, name TEXT,
    scope TEXT, made INTEGER, used INTEGER);
CREATE INDEX IF NOT EXISTS keys_owner ON keys (owner)
"""
tokens = HTTPTokenAuth("Bearer", realm=REALM)
keys = HTTPTokenAuth("Bearer", realm=REALM, header="X-API-Key")
either = MultiAuth(tokens, keys)


@tokens.verify_token
def verify_token(token):
    try:
        return {"owner": claims_of(token)["sub"], "scope": "write"}
    except (jwt.InvalidTokenError, RecursionError, UnicodeError):
        return None


@keys.verify_token
def verify_key(key):
    row = store.db().execute("SELECT * FROM keys WHERE digest = ?", [digest(key)]).fetchone()
    if not row or not store.find_user(row["owner"]):
        return None
    store.db().execute("UPDATE keys SET used = ? WHERE id = ?", [int(time.time()), row["id"]])
    return row


@keys.get_user_roles
@tokens.get_user_roles
def scopes(user):
    return SCOPES[: SCOPES.index(user["scope"]) + 1]  # who may write may read


@either.error_handler
def refused(status):
    if status == 403:
        return "This key is good, but its scope does not allow this.\n", 403
    return "Send a token in Authorization: Bearer ..., or a key in X-API-Key.\n", 401


@app.get("/report")
@either.login_required(role="read")
def report():
    return f"A report for {either.current_user()['owner']}.\n"


@app.post("/report")
@either.login_required(role="write")
def write_report():
    return "", 204


@app.post("/keys")
@token_required
def make_key():
    """Make a key for a program of the user's and show it, this once."""
    name, scope = request.form.get("name", ""), request.form.get("scope", "read")
    if not (0 < len(name) <= 64 and name.isprintable() and scope in SCOPES):
        abort(400, "Send form fields name, of 1 to 64 characters, and scope: read or write.")
    # The prefix lets tools that look for secrets in code and logs recognise the key.
    key, id = f"lesson04_{secrets.token_urlsafe(32)}", secrets.token_hex(4)
    row = [digest(key), id, g.claims["sub"], name, scope, int(time.time())]
    store.db().execute("INSERT INTO keys VALUES (?, ?, ?, ?, ?, ?, NULL)", row)
    answer = {"id": id, "name": name, "scope": scope, "key": key}
    return answer, 201, {"Cache-Control": "no-store"}


@app.get("/keys")
@token_required
def list_keys():
    find = "SELECT id, name, scope, made, used FROM keys WHERE owner = ? ORDER BY made"
    return [dict(row) for row in store.db().execute(find, [g.claims["sub"]])]


@app.delete("/keys/<id>")
@token_required
def revoke_key(id):
    delete = "DELETE FROM keys WHERE id = ? AND owner = ?"
    if not store.db().execute(delete, [id, g.claims["sub"]]).rowcount:
        abort(404, "You have no key with this id.")
    return "", 204


def digest(key):
    """Return what is kept of a key. It is random and long, so a quick hash is enough."""
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()


with app.app_context():
    store.db().executescript(TABLES)
    store.close()

if __name__ == "__main__":
    app.run(port=5004, debug=False)
