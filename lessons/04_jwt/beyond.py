# /// script
# requires-python = ">=3.11"
# dependencies = ["flask>=3.1", "libpass[argon2]>=1.9", "pyjwt>=2.10"]
# ///
"""Lesson 04, one step beyond app.py: refresh tokens that rotate (RFC 6749 6, RFC 9700 4.14.2).

A second token, good once, gets the next pair. If an older one comes again, somebody has a copy.
app.py lists the tokens that were taken back. Here is a list of the logins that still count: all
tokens of a login end with it, at a logout, a copy, another password, or after two quiet weeks.
"""

import hashlib
import secrets
import time

from flask import g, request

import store
from app import app, new_token, password_owner, token_required
from groundwork import add_tables, db

REFRESH_LIFETIME = 14 * 24 * 3600  # seconds
NO_STORE = {"Cache-Control": "no-store"}
TABLES = """
CREATE TABLE IF NOT EXISTS logins (id TEXT PRIMARY KEY, name TEXT, password TEXT, newest TEXT,
    until INTEGER);
CREATE INDEX IF NOT EXISTS logins_name ON logins (name);
CREATE INDEX IF NOT EXISTS logins_until ON logins (until)
"""


def login():
    """Exchange a user name and password for a pair of tokens, and note the login."""
    user = password_owner()
    begun, secret = secrets.token_urlsafe(16), secrets.token_urlsafe(32)
    until = int(time.time()) + REFRESH_LIFETIME
    row = [digest(begun), user["name"], digest(user["hash"]), digest(secret), until]
    db().execute("INSERT INTO logins VALUES (?, ?, ?, ?, ?)", row)
    # A few at a time: others wait meanwhile.
    sweep = "DELETE FROM logins WHERE id IN (SELECT id FROM logins WHERE until < ? LIMIT 100)"
    db().execute(sweep, [time.time()])
    return token_pair(user, begun, secret)


def token_pair(user, begun, secret):
    """Return a new access token and the refresh token that these two make up."""
    jti = f"{digest(begun)}.{secrets.token_hex(8)}"  # says which login it is of, see is_revoked
    return {**new_token(user, jti), "refresh_token": f"{begun}.{secret}"}, 200, NO_STORE


@app.post("/refresh")
def refresh():
    """Exchange a refresh token for a new pair, once."""
    begun, _, secret = request.form.get("refresh_token", "").partition(".")
    if row := find_login(digest(begun)):
        fresh, until = secrets.token_urlsafe(32), int(time.time()) + REFRESH_LIFETIME
        # One statement, so of two that come at once only one finds its secret still the newest.
        use = "UPDATE logins SET newest = ?, until = ? WHERE id = ? AND newest = ?"
        values = [digest(fresh), until, row["id"], digest(secret)]
        if db().execute(use, values).rowcount:
            return token_pair(row, begun, fresh)
        end_login(row["id"], None)  # used before: by a thief or by the owner, nobody can tell
    return {"error": "invalid_grant"}, 400, NO_STORE  # RFC 6749 5.2


@app.post("/logout/everywhere")
@token_required
def logout_everywhere():
    """End all logins of the user, on every device."""
    db().execute("DELETE FROM logins WHERE name = ?", [g.claims["sub"]])
    return "", 204


def find_login(id):
    """Return a login's row with its user's (name, hash, admin), None if it no longer counts."""
    find = "SELECT * FROM logins JOIN users USING (name) WHERE id = ? AND until > ?"
    row = db().execute(find, [id, time.time()]).fetchone()
    return row if row and row["password"] == digest(row["hash"]) else None


def is_revoked(jti):
    return find_login(jti.partition(".")[0]) is None


def end_login(jti, _):
    db().execute("DELETE FROM logins WHERE id = ?", [jti.partition(".")[0]])


def digest(text):
    """Return what is kept of a secret. It is random and long, so a quick hash is enough."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


app.view_functions["login"] = login
store.is_revoked, store.revoke = is_revoked, end_login  # app.py asks these two of a token
add_tables(app, TABLES)

if __name__ == "__main__":
    app.run(port=5004, debug=False)
