"""An answer to lesson 03 that writes every nonce down instead of signing it.

It needs no key at all. In exchange, whoever asks without credentials makes the table grow, for as
long as a nonce is remembered.
"""

import sqlite3
from hashlib import md5, sha256
from hmac import compare_digest
from re import fullmatch
from secrets import token_hex
from time import time
from urllib.parse import unquote

from flask import Flask, after_this_request, g, request
from flask_httpauth import HTTPDigestAuth

app = Flask(__name__)
app.config.from_mapping(DATABASE="lesson03.db", NONCE_LIFETIME=300)
app.config.from_prefixed_env()
LIFETIME = app.config["NONCE_LIFETIME"]
REMEMBERED = LIFETIME + 60  # so long can a nonce be told from a made-up one
REALM, OPAQUE = "Lesson 03", token_hex(16)


def hashed(algorithm, *parts):
    function = {"SHA-256": sha256, "MD5": md5}[algorithm]
    return function(":".join(parts).encode()).hexdigest()


def db():
    if "db" not in g:
        g.db = sqlite3.connect(app.config["DATABASE"], isolation_level=None)
    return g.db


@app.teardown_appcontext
def close(error):
    if "db" in g:
        g.db.close()


class Digest(HTTPDigestAuth):
    def get_auth(self):
        try:
            return super().get_auth()
        except ValueError:
            return None

    def authenticate(self, sent, user):
        if not sent or not user:
            return None
        algorithm = sent.algorithm or "MD5"
        ha1 = user.get(algorithm)
        settled = {"realm": REALM, "opaque": opaque(), "qop": "auth"}
        if ha1 is None or any(sent.get(name) != value for name, value in settled.items()):
            return None
        if not (sent.nonce and sent.cnonce and sent.response and sent.nc):
            return None
        if not asked(sent.uri or "") or not fullmatch("[0-9a-f]{8}", sent.nc):
            return None
        if not fullmatch("[A-Za-z0-9+/=._~-]+", sent.cnonce):  # goes back in a header
            return None

        def expected(method):
            ha2 = hashed(algorithm, method, sent.uri)
            return hashed(algorithm, ha1, sent.nonce, sent.nc, sent.cnonce, "auth", ha2)

        if not compare_digest(expected(request.method).encode(), sent.response.encode()):
            return None
        born = db().execute("SELECT born FROM nonces WHERE nonce = ?", [sent.nonce]).fetchone()
        if born is None:
            return None  # not ours, or forgotten long ago
        if time() > born[0] + LIFETIME:
            g.stale = True
            return None
        try:
            db().execute("INSERT INTO counts VALUES (?, ?)", [sent.nonce, sent.nc])
        except sqlite3.IntegrityError:
            return None

        @after_this_request
        def prove(response):
            info = f'rspauth="{expected("")}", qop=auth, cnonce="{sent.cnonce}", nc={sent.nc}'
            response.headers["Authentication-Info"] = info
            return response

        return user["name"]


def asked(uri):
    """Tell whether the request asks for this address; spellings of its path may differ."""
    path, _, query = uri.partition("?")
    this = request.environ.get("SCRIPT_NAME", "") + request.environ.get("PATH_INFO", "")
    return unquote(path, "latin-1") == this and query == request.environ.get("QUERY_STRING", "")


auth = Digest(realm=REALM)


@auth.get_password
def user_of(name):
    query = "SELECT algorithm, ha1 FROM users WHERE name = ?"
    ha1s = dict(db().execute(query, [name]).fetchall())
    return {"name": name, **ha1s} if ha1s else None


@auth.error_handler
def unauthorized(status):
    challenges = [challenge("SHA-256"), challenge("MD5")]
    return "Unauthorized\n", status, [("WWW-Authenticate", value) for value in challenges]


def challenge(algorithm):
    nonce = token_hex(16)
    # A few old ones go, first their counts and then they themselves: all at once would take long.
    old = "SELECT nonce FROM nonces WHERE born < ? ORDER BY born LIMIT 10"
    limit = [time() - REMEMBERED]
    some = f"SELECT rowid FROM counts WHERE nonce IN ({old}) LIMIT 100"
    db().execute(f"DELETE FROM counts WHERE rowid IN ({some})", limit)
    counted = "SELECT 1 FROM counts WHERE counts.nonce = nonces.nonce"
    db().execute(f"DELETE FROM nonces WHERE nonce IN ({old}) AND NOT EXISTS ({counted})", limit)
    db().execute("INSERT INTO nonces VALUES (?, ?)", [nonce, time()])
    stale = ", stale=true" if g.get("stale") else ""
    return (
        f'Digest realm="{REALM}", qop="auth", algorithm={algorithm}, nonce="{nonce}",'
        f' opaque="{opaque()}"{stale}'
    )


def opaque():
    return db().execute("SELECT value FROM opaque").fetchone()[0]


@app.get("/")
@app.get("/account")
@auth.login_required
def hello():
    return f"Hello, {auth.current_user()}!\n"


with app.app_context():
    db().executescript("""
        CREATE TABLE IF NOT EXISTS nonces (nonce TEXT PRIMARY KEY, born REAL);
        CREATE INDEX IF NOT EXISTS age ON nonces (born);
        CREATE TABLE IF NOT EXISTS counts (nonce TEXT, nc TEXT, PRIMARY KEY (nonce, nc));
        CREATE TABLE IF NOT EXISTS opaque (one INTEGER PRIMARY KEY CHECK (one = 1), value TEXT);
        CREATE TABLE IF NOT EXISTS users (
            name TEXT, algorithm TEXT, ha1 TEXT, PRIMARY KEY (name, algorithm));
    """)
    db().execute("INSERT OR IGNORE INTO opaque VALUES (1, ?)", [OPAQUE])
    for name, password in [("user1", "pass1"), ("user2", "pass2")]:
        for algorithm in ("SHA-256", "MD5"):
            row = [name, algorithm, hashed(algorithm, name, REALM, password)]
            db().execute("INSERT OR IGNORE INTO users VALUES (?, ?, ?)", row)

if __name__ == "__main__":
    app.run(port=5003)
