"""An answer to lesson 03 as WSGI middleware around a small app: both challenges in one field.

RFC 9110 (11.6.1) lets several challenges stand in one WWW-Authenticate. A nonce is in Base64, with
its padding: eight bytes of time, twelve of chance, and an HMAC over both.
"""

import base64
import binascii
import hashlib
import hmac
import re
import secrets
import sqlite3
import struct
import time
from contextlib import closing
from urllib.parse import unquote_to_bytes

from flask import Flask, request
from werkzeug.datastructures import Authorization

REALM = "Lesson 03 (Digest)"
HASHES = {"SHA-256": hashlib.sha256, "MD5": hashlib.md5}
FORM = {"nc": "[0-9a-f]{8}", "cnonce": r"[!#-\[\]-~]{1,256}", "response": "[0-9a-f]+"}


def H(algorithm, *parts):
    return HASHES[algorithm](":".join(parts).encode("utf-8", "surrogateescape")).hexdigest()


class Nonces:
    """Make nonces, and read them again."""

    def __init__(self, key):
        self.key = key

    def seal(self, data):
        return hmac.digest(self.key, data, "sha256")

    def new(self):
        data = struct.pack(">d", time.time()) + secrets.token_bytes(12)
        return base64.b64encode(data + self.seal(data)).decode()

    def time_of(self, nonce):
        """Return when we made it; ValueError if we did not."""
        try:
            data = base64.b64decode(nonce, validate=True)
        except binascii.Error:
            raise ValueError("no Base64") from None
        if len(data) != 52 or not hmac.compare_digest(self.seal(data[:20]), data[20:]):
            raise ValueError("not ours")
        return struct.unpack(">d", data[:8])[0]


class Refused(Exception):
    stale = False


class Stale(Refused):
    stale = True


class Digest:
    """Let requests through to a WSGI app that bring a right answer; REMOTE_USER says whose."""

    def __init__(self, inner, config):
        self.inner, self.config = inner, config
        key = str(config["SECRET_KEY"] or "").encode()
        if len(key) < 32:
            raise SystemExit("FLASK_SECRET_KEY: please give one of 32 bytes or more.")
        self.nonces = Nonces(key)
        self.opaque = base64.b64encode(self.nonces.seal(b"opaque")).decode()
        self.execute(
            "CREATE TABLE IF NOT EXISTS seen (at REAL, nonce, nc, PRIMARY KEY (nonce, nc))"
        )
        self.execute("CREATE INDEX IF NOT EXISTS seen_at ON seen (at)")
        self.execute(
            "CREATE TABLE IF NOT EXISTS ha1 (name, algorithm, ha1, UNIQUE (name, algorithm))"
        )
        for name, password in [("user1", "pass1"), ("user2", "pass2")]:
            for algorithm in HASHES:
                row = [name, algorithm, H(algorithm, name, REALM, password)]
                self.execute("INSERT OR IGNORE INTO ha1 VALUES (?, ?, ?)", *row)

    def execute(self, statement, *values):
        with closing(sqlite3.connect(self.config["DATABASE"], timeout=30)) as connection:
            with connection:
                cursor = connection.execute(statement, values)
                return cursor.fetchall(), cursor.rowcount

    def __call__(self, environ, start_response):
        try:
            name, info = self.check(environ)
        except Refused as refused:
            challenges = ", ".join(self.challenge(a, refused.stale) for a in HASHES)
            headers = [("WWW-Authenticate", challenges), ("Content-Type", "text/plain")]
            start_response("401 Unauthorized", headers)
            return [b"" if environ["REQUEST_METHOD"] == "HEAD" else b"No.\n"]

        def begin(status, headers, error=None):
            return start_response(status, [*headers, ("Authentication-Info", info)], error)

        return self.inner({**environ, "REMOTE_USER": name}, begin)

    def challenge(self, algorithm, stale):
        values = {"realm": REALM, "nonce": self.nonces.new(), "opaque": self.opaque, "qop": "auth"}
        quoted = ", ".join(f'{name}="{value}"' for name, value in values.items())
        return f"Digest {quoted}, algorithm={algorithm}" + (", stale=TRUE" if stale else "")

    def check(self, environ):
        header = environ.get("HTTP_AUTHORIZATION", "")
        if not header.lower().startswith("digest "):
            raise Refused
        sent = Authorization.from_header(header).parameters
        algorithm = sent.get("algorithm", "MD5")
        if algorithm not in HASHES or any(not value for value in sent.values()):
            raise Refused
        if [sent.get(n) for n in ("realm", "opaque", "qop")] != [REALM, self.opaque, "auth"]:
            raise Refused
        if any(not re.fullmatch(form, sent.get(name, "")) for name, form in FORM.items()):
            raise Refused
        path, _, query = sent.get("uri", "").partition("?")
        here = (environ.get("SCRIPT_NAME", "") + environ["PATH_INFO"]).encode("latin-1")
        if unquote_to_bytes(path) != here or query != environ.get("QUERY_STRING", ""):
            raise Refused
        name, nonce = sent.get("username", ""), sent.get("nonce", "")
        rows, _ = self.execute(
            "SELECT ha1 FROM ha1 WHERE name = ? AND algorithm = ?", name, algorithm
        )
        ha1 = rows[0][0] if rows else secrets.token_hex()
        middle = [ha1, nonce, sent["nc"], sent["cnonce"], "auth"]
        right = H(algorithm, *middle, H(algorithm, environ["REQUEST_METHOD"], sent["uri"]))
        if not hmac.compare_digest(right, sent["response"]):
            raise Refused
        try:
            age = time.time() - self.nonces.time_of(nonce)
        except ValueError:
            raise Refused from None
        if age > self.config["NONCE_LIFETIME"]:
            raise Stale
        limit = time.time() - self.config["NONCE_LIFETIME"] - 60
        some = "SELECT rowid FROM seen WHERE at < ? LIMIT 50"
        self.execute(f"DELETE FROM seen WHERE rowid IN ({some})", limit)
        new = "INSERT OR IGNORE INTO seen VALUES (?, ?, ?)"
        if not self.execute(new, time.time(), nonce, sent["nc"])[1]:
            raise Refused
        proof = H(algorithm, *middle, H(algorithm, "", sent["uri"]))
        return name, f'rspauth="{proof}", cnonce="{sent["cnonce"]}", nc={sent["nc"]}, qop=auth'


app = Flask(__name__)
app.config.from_mapping(DATABASE="lesson03.db", NONCE_LIFETIME=300)
app.config.from_prefixed_env()
app.wsgi_app = Digest(app.wsgi_app, app.config)


@app.route("/")
@app.route("/account")
def hello():
    return f"Hello, {request.remote_user}!\n", {"Content-Type": "text/plain"}


if __name__ == "__main__":
    app.run(port=5003)
