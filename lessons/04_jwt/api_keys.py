# /// script
# requires-python = ">=3.11"
# dependencies = ["flask>=3.1", "flask-httpauth>=4.8.1", "libpass[argon2]>=1.9", "pyjwt>=2.10"]
# ///
"""Lesson 04, another step beyond app.py: API keys for programs, beside tokens for people.

A user makes a key for one program. It is shown once, kept as a hash, named, listed, revoked, and
limited to a scope. /report takes either kind (MultiAuth of Flask-HTTPAuth).
"""

import hashlib
import secrets
import time

from flask import abort, g, request
from flask_httpauth import HTTPTokenAuth, MultiAuth

import store
from app import BEARER, REALM, app, credentials, refuse_token, token_required
from groundwork import add_tables, db

SCOPES = ["read", "write"]  # who may write may read
MOST = 20  # keys of one user
NO_STORE = {"Cache-Control": "no-store"}
# The trigger lets no key outlive its owner, or the next user of that name would inherit it.
TABLES = """
CREATE TABLE IF NOT EXISTS keys (digest TEXT PRIMARY KEY, id TEXT UNIQUE, owner TEXT, name TEXT,
    scope TEXT, made INTEGER, used INTEGER);
CREATE INDEX IF NOT EXISTS keys_owner ON keys (owner);
CREATE TRIGGER IF NOT EXISTS keys_end AFTER DELETE ON users
    BEGIN DELETE FROM keys WHERE owner = OLD.name; END
"""


class Scheme(HTTPTokenAuth):
    """A scheme of the Authorization header, found in any case (RFC 9110 11.1) by app.py's code."""

    def get_auth(self):
        return credentials(self.scheme.lower())

    def is_compatible_auth(self, headers):
        return self.get_auth() is not None


tokens, keys = Scheme("Bearer", REALM), Scheme("ApiKey", REALM)
either = MultiAuth(tokens, keys)


@tokens.verify_token
def verify_token(_):
    """Return what a token's user may do: anything. app.py refuses a bad token, and says why."""
    return token_required(lambda: {"owner": g.claims["sub"], "scope": "write"})()


@keys.verify_token
def verify_key(key):
    row = db().execute("SELECT * FROM keys WHERE digest = ?", [digest(key)]).fetchone()
    hour = int(time.time()) // 3600 * 3600
    if row and row["used"] != hour:  # when it was last used, to the hour: not a write each time
        db().execute("UPDATE keys SET used = ? WHERE id = ?", [hour, row["id"]])
    return row


@tokens.get_user_roles
@keys.get_user_roles
def roles(user):
    return SCOPES[: SCOPES.index(user["scope"]) + 1]


@tokens.error_handler
@keys.error_handler
def refused(status):
    if status == 403:
        return "This key is good, but its scope does not allow this.\n", 403
    both = {"WWW-Authenticate": f'{BEARER}, ApiKey realm="{REALM}"'}
    return "Send Authorization: Bearer and a token, or ApiKey and a key that counts.\n", 401, both


@app.get("/report")
@either.login_required(role="read")
def report():
    return f"A report for {either.current_user()['owner']}.\n"


@app.post("/report")
@either.login_required(role="write")
def write_report():
    return "", 204


@app.before_request
def read_form():
    """Read a body before any right is checked: whoever holds it back may lose the right by then."""
    _ = request.form


@app.post("/keys")
@token_required
def make_key():
    """Make a key for a program of the user's and show it, this once."""
    name, scope = request.form.get("name", ""), request.form.get("scope", "read")
    if not (0 < len(name) <= 64 and name.isprintable() and scope in SCOPES):
        abort(400, "Send form fields name, of 1 to 64 characters, and scope: read or write.")
    # The prefix lets tools that look for secrets in code and logs recognise the key.
    key, id = f"lesson04_{secrets.token_urlsafe(32)}", secrets.token_hex(8)
    # One statement: the user is still there and has few keys at the moment when it is written.
    add = (
        "INSERT INTO keys SELECT ?, ?, name, ?, ?, ?, NULL FROM users"
        " WHERE name = ? AND (SELECT count(*) FROM keys WHERE owner = users.name) < ?"
        " AND NOT EXISTS (SELECT 1 FROM revoked WHERE jti = ?)"  # logged out since it was checked
    )
    row = [digest(key), id, name, scope, int(time.time()), g.claims["sub"], MOST]
    if not db().execute(add, [*row, g.claims["jti"]]).rowcount:
        if store.is_revoked(g.claims["jti"]):
            refuse_token("It was logged out. Get a new token from /login.")
        abort(409, f"You have {MOST} keys; remove one that no program uses: DELETE /keys/<id>.")
    return {"id": id, "name": name, "scope": scope, "key": key}, 201, NO_STORE


@app.get("/keys")
@token_required
def list_keys():
    find = "SELECT id, name, scope, made, used FROM keys WHERE owner = ? ORDER BY made, id"
    rows = db().execute(find, [g.claims["sub"]]).fetchall()
    return [dict(row) for row in rows], NO_STORE


@app.delete("/keys/<id>")
@token_required
def revoke_key(id):
    delete = "DELETE FROM keys WHERE id = ? AND owner = ?"
    if not db().execute(delete, [id, g.claims["sub"]]).rowcount:
        abort(404, "You have no key with this id; GET /keys lists yours.")
    return "", 204


def digest(key):
    """Return what is kept of a key. It is random and long, so a quick hash is enough."""
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()


add_tables(app, TABLES)

if __name__ == "__main__":
    app.run(port=5004, debug=False)
