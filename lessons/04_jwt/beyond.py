# /// script
# requires-python = ">=3.11"
# dependencies = ["flask>=3.1", "libpass[argon2]>=1.9", "pyjwt>=2.10"]
# ///
"""Lesson 04, one step beyond app.py: refresh tokens that rotate (RFC 6749 6, RFC 9700 4.14.2).

A second token, good once, gets the next pair. If it comes twice, somebody has a copy: all that
came of the same login ends, as it does with a logout or another password.
"""

import hashlib
import secrets
import time

from flask import g, request

import store
from app import app, new_token, password_owner, token_required

REFRESH_LIFETIME = 14 * 24 * 3600  # seconds
NO_STORE = {"Cache-Control": "no-store"}
TABLES = """
CREATE TABLE IF NOT EXISTS refresh (digest TEXT PRIMARY KEY, family TEXT, name TEXT, password TEXT,
    jti TEXT UNIQUE, used INTEGER, until REAL);
CREATE INDEX IF NOT EXISTS refresh_family ON refresh (family);
CREATE INDEX IF NOT EXISTS refresh_until ON refresh (until)
"""


def login():
    """Exchange a user name and password for a pair of tokens."""
    user = password_owner()
    with store.transaction():
        return token_pair(user, family=secrets.token_hex(16))


@token_required
def logout():
    jti, exp = g.claims["jti"], g.claims["exp"]
    with store.transaction() as db:
        row = db.execute("SELECT family FROM refresh WHERE jti = ?", [jti]).fetchone()
        end(row["family"]) if row else store.revoke(jti, exp)
    return "", 204


app.view_functions.update(login=login, logout=logout)


@app.post("/refresh")
def refresh():
    """Exchange a refresh token for a new pair, once."""
    sent = digest(request.form.get("refresh_token", ""))
    with store.transaction() as db:  # of two at once, one comes second
        row = db.execute("SELECT * FROM refresh WHERE digest = ?", [sent]).fetchone()
        user = store.find_user(row["name"]) if row else None
        good = user and row["password"] == digest(user["hash"]) and row["until"] > time.time()
        if good and not row["used"]:
            db.execute("UPDATE refresh SET used = 1 WHERE digest = ?", [sent])
            return token_pair(user, row["family"])
        if row:  # used before: by a thief or by the owner, nobody can tell
            end(row["family"])
    return {"error": "invalid_grant"}, 400, NO_STORE  # RFC 6749 section 5.2


def token_pair(user, family):
    """Return the answer with a new access token and a new refresh token of a login's family."""
    token, jti = secrets.token_urlsafe(32), secrets.token_hex(16)
    row = [digest(token), family, user["name"], digest(user["hash"]), jti]
    add = (
        "INSERT INTO refresh (digest, family, name, password, jti, until) VALUES (?, ?, ?, ?, ?, ?)"
    )
    store.db().execute(add, [*row, time.time() + REFRESH_LIFETIME])
    old = "SELECT digest FROM refresh WHERE until < ? LIMIT 100"
    store.db().execute(f"DELETE FROM refresh WHERE digest IN ({old})", [time.time()])
    return {**new_token(user, jti), "refresh_token": token}, 200, NO_STORE


def end(family):
    """Take back every token that came of a login."""
    for row in store.db().execute("SELECT jti FROM refresh WHERE family = ?", [family]).fetchall():
        store.revoke(row["jti"], time.time() + app.config["TOKEN_LIFETIME"])
    store.db().execute("DELETE FROM refresh WHERE family = ?", [family])


def digest(text):
    """Return what is kept of a refresh token. It is random and long, so a quick hash is enough."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


with app.app_context():
    store.db().executescript(TABLES)
    store.close()

if __name__ == "__main__":
    app.run(port=5004, debug=False)
