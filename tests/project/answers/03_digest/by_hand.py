"""An answer to lesson 03 without Flask-HTTPAuth: one hook before each request, one after it.

A nonce has three parts with points between them: the milliseconds, random hex, and an HMAC.
"""

import hashlib
import hmac
import os
import sqlite3
import string
import sys
import time
from contextlib import closing
from urllib.parse import unquote_to_bytes

from flask import Flask, g, make_response, request
from werkzeug.http import parse_dict_header

app = Flask(__name__, static_folder=None)
app.config.update(DATABASE="lesson03.db", NONCE_LIFETIME=300)
app.config.from_prefixed_env()

REALM = "user area"
KEY = str(app.config["SECRET_KEY"] or "").encode()
if len(KEY) < 32:
    sys.exit("FLASK_SECRET_KEY is missing or shorter than 32 bytes.")
OPAQUE = hmac.new(KEY, b"opaque", "sha256").hexdigest()[:32]
PLAIN = set(string.printable) - set(string.whitespace) - set('"\\')
HASHLIB_NAMES = {"SHA-256": "sha256", "MD5": "md5"}


def digest(algorithm, *parts):
    return hashlib.new(HASHLIB_NAMES[algorithm], ":".join(parts).encode()).hexdigest()


# Who reads this file could read a database beside it as well. In earnest: only HA1 stands here.
HA1 = {
    (name, algorithm): digest(algorithm, name, REALM, password)
    for name, password in [("user1", "pass1"), ("user2", "pass2")]
    for algorithm in HASHLIB_NAMES
}


def sign(text):
    return hmac.new(KEY, b"nonce " + text.encode(), "sha256").hexdigest()


def new_nonce():
    text = f"{int(time.time() * 1000)}.{os.urandom(8).hex()}"
    return f"{text}.{sign(text)}"


def age_of(nonce):
    """Return how many seconds ago we made this nonce, or None if we didn't."""
    text, _, signature = nonce.rpartition(".")
    if not hmac.compare_digest(sign(text).encode(), signature.encode()):
        return None
    return time.time() - int(text.partition(".")[0]) / 1000


def count_is_new(nonce, nc):
    """Write down nonce and count; False if they were there."""
    with closing(sqlite3.connect(app.config["DATABASE"])) as db, db:
        old = "SELECT rowid FROM counts WHERE at < ? LIMIT 20"  # so that nobody waits for long
        limit = time.time() - app.config["NONCE_LIFETIME"] - 10
        db.execute(f"DELETE FROM counts WHERE rowid IN ({old})", (limit,))
        try:
            db.execute("INSERT INTO counts VALUES (?, ?, ?)", (nonce, nc, time.time()))
        except sqlite3.IntegrityError:
            return False
    return True


def is_target(uri):
    """Tell whether this is the address that the request line has.

    Byte for byte where the server hands the line over, and by its meaning where it doesn't.
    """
    environ = request.environ
    line = environ.get("RAW_URI") or environ.get("REQUEST_URI")
    if line:
        return uri == line
    path, _, query = uri.partition("?")
    here = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
    same = unquote_to_bytes(path) == here.encode("latin-1")
    return same and query == environ.get("QUERY_STRING", "")


@app.before_request
def check():
    scheme, _, rest = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "digest":
        return challenge()
    sent = parse_dict_header(rest)
    needed = ["username", "realm", "nonce", "uri", "response", "opaque", "qop", "nc", "cnonce"]
    if not all(sent.get(name) for name in needed):
        return challenge()

    algorithm = sent.get("algorithm", "MD5")  # a client of the older RFC names none
    ha1 = HA1.get((sent["username"], algorithm))
    chosen = {"realm": REALM, "opaque": OPAQUE, "qop": "auth"}
    if (
        ha1 is None
        or not is_target(sent["uri"])
        or any(sent[name] != value for name, value in chosen.items())
    ):
        return challenge()
    if len(sent["nc"]) != 8 or set(sent["nc"]) - set("0123456789abcdef"):
        return challenge()
    if set(sent["cnonce"]) - PLAIN:  # it goes back to the client, in quotes
        return challenge()

    def response(method):
        ha2 = digest(algorithm, method, sent["uri"])
        return digest(algorithm, ha1, sent["nonce"], sent["nc"], sent["cnonce"], "auth", ha2)

    if not hmac.compare_digest(response(request.method).encode(), sent["response"].encode()):
        return challenge()
    age = age_of(sent["nonce"])
    if age is None:
        return challenge()
    if age > app.config["NONCE_LIFETIME"]:
        return challenge(stale=True)
    if not count_is_new(sent["nonce"], sent["nc"]):
        return challenge()

    g.user = sent["username"]
    g.info = f'rspauth="{response("")}", qop=auth, nc={sent["nc"]}, cnonce="{sent["cnonce"]}"'
    return None


@app.after_request
def prove(response):
    if "info" in g:
        response.headers["Authentication-Info"] = g.info
    return response


def challenge(stale=False):
    refusal = make_response("401: this page needs a Digest answer.\n", 401)
    for algorithm in HASHLIB_NAMES:
        value = f'Digest realm="{REALM}", nonce="{new_nonce()}", opaque="{OPAQUE}", '
        value += f'algorithm={algorithm}, qop="auth"' + (", stale=true" if stale else "")
        refusal.headers.add("WWW-Authenticate", value)
    return refusal


@app.route("/")
@app.route("/account")
def hello():
    return f"Hello, {g.user}!"


with closing(sqlite3.connect(app.config["DATABASE"])) as first:
    first.execute("CREATE TABLE IF NOT EXISTS counts (nonce, nc, at, UNIQUE (nonce, nc))")
    first.execute("CREATE INDEX IF NOT EXISTS at ON counts (at)")

if __name__ == "__main__":
    app.run(port=5003)
