"""An answer to lesson 03 in classes: a view that asks for Digest, and views that are such views."""

import contextlib
import hashlib
import hmac
import re
import secrets
import sqlite3
import sys
from dataclasses import dataclass
from time import time
from urllib.parse import unquote_to_bytes

from flask import Flask, make_response, request
from flask.views import MethodView
from itsdangerous import BadSignature, SignatureExpired, TimestampSigner
from werkzeug.datastructures import WWWAuthenticate

REALM = "Lesson 03"


@dataclass(frozen=True)
class Hash:
    """One of the algorithms of RFC 7616."""

    name: str
    function: type(hashlib.sha256)

    def __call__(self, *parts):
        return self.function(":".join(parts).encode()).hexdigest()


HASHES = [Hash("SHA-256", hashlib.sha256), Hash("MD5", hashlib.md5)]


class Store:
    """What must outlive a request: each user's HA1s, and the counts that were used."""

    def __init__(self, path):
        self.path = path
        self.run("CREATE TABLE IF NOT EXISTS ha1 (user, hash, value, PRIMARY KEY (user, hash))")
        self.run("CREATE TABLE IF NOT EXISTS used (nonce, nc, until, PRIMARY KEY (nonce, nc))")
        self.run("CREATE INDEX IF NOT EXISTS used_until ON used (until)")

    def run(self, statement, *values):
        with contextlib.closing(sqlite3.connect(self.path, isolation_level=None)) as connection:
            return connection.execute(statement, values).fetchall()

    def add_user(self, name, password):
        for H in HASHES:
            row = [name, H.name, H(name, REALM, password)]
            self.run("INSERT OR IGNORE INTO ha1 VALUES (?, ?, ?)", *row)

    def ha1(self, name, algorithm):
        rows = self.run("SELECT value FROM ha1 WHERE user = ? AND hash = ?", name, algorithm)
        return rows[0][0] if rows else None

    def use(self, nonce, nc, until):
        """Note that this count was used, and tell whether it was for the first time."""
        some = "SELECT rowid FROM used WHERE until < ? LIMIT 32"  # a few each time, not all at once
        self.run(f"DELETE FROM used WHERE rowid IN ({some})", time())
        try:
            self.run("INSERT INTO used VALUES (?, ?, ?)", nonce, nc, until)
        except sqlite3.IntegrityError:
            return False
        return True


class Refused(Exception):
    """The answer to the challenge is no good; `stale` when only its nonce was too old."""

    def __init__(self, stale=False):
        self.stale = stale


class DigestView(MethodView):
    """A view for those who answer a challenge rightly. `self.user` is their name."""

    def dispatch_request(self, **values):
        try:
            proof = self.check()
        except Refused as refused:
            response = make_response("Answer one of the challenges.\n", 401)
            response.www_authenticate = [self.challenge(H, refused.stale) for H in HASHES]
            return response
        response = make_response(super().dispatch_request(**values))
        response.headers["Authentication-Info"] = proof
        return response

    def challenge(self, H, stale):
        nonce = signer.sign(secrets.token_hex(8)).decode()
        parameters = {"realm": REALM, "nonce": nonce, "opaque": opaque, "algorithm": H.name}
        if stale:
            parameters["stale"] = "true"
        return WWWAuthenticate("digest", {**parameters, "qop": "auth"})

    def is_for(self, uri):
        """Tell whether the uri of an answer is what this request asks for, however it is spelt."""
        path, _, query = uri.partition("?")
        here = request.environ.get("SCRIPT_NAME", "") + request.environ.get("PATH_INFO", "")
        return unquote_to_bytes(path) == here.encode("latin-1") and (
            query.encode() == request.query_string
        )

    def check(self):
        """Set self.user and return the proof for Authentication-Info, or raise Refused."""
        try:
            sent = request.authorization
        except ValueError:  # bytes beyond ASCII
            raise Refused from None
        if not sent or sent.type != "digest":
            raise Refused
        H = {H.name: H for H in HASHES}.get(sent.algorithm or "MD5")
        ha1 = H and sent.username and self.store.ha1(sent.username, H.name)
        as_asked = sent.realm == REALM and sent.opaque == opaque and sent.qop == "auth"
        if not ha1 or not as_asked or not self.is_for(sent.uri or ""):
            raise Refused
        if not re.fullmatch("[0-9a-f]{8}", sent.nc or "") or not sent.nonce:
            raise Refused
        if not re.fullmatch(r"[\w.~+/=:-]+", sent.cnonce or "", re.ASCII):
            raise Refused

        def response(method):
            ha2 = H(method, sent.uri)
            return H(ha1, sent.nonce, sent.nc, sent.cnonce, sent.qop, ha2)

        right = response(request.method).encode()
        if not hmac.compare_digest(right, (sent.response or "").encode()):
            raise Refused
        try:
            signer.unsign(sent.nonce, max_age=lifetime)
        except SignatureExpired:
            raise Refused(stale=True) from None
        except BadSignature:
            raise Refused from None
        if not self.store.use(sent.nonce, sent.nc, time() + lifetime + 1):
            raise Refused
        self.user = sent.username
        return f'rspauth="{response("")}", qop=auth, cnonce="{sent.cnonce}", nc={sent.nc}'


class Hello(DigestView):
    def get(self):
        return f"Hello, {self.user}!\n"


app = Flask(__name__)
app.config.from_mapping(DATABASE="lesson03.db", NONCE_LIFETIME=300)
app.config.from_prefixed_env()
if len(str(app.config["SECRET_KEY"] or "").encode()) < 32:
    sys.exit("Set FLASK_SECRET_KEY to 32 bytes or more, for example secrets.token_hex(32).")
signer = TimestampSigner(str(app.config["SECRET_KEY"]), digest_method=hashlib.sha256)
opaque = signer.get_signature("opaque").decode()
lifetime = app.config["NONCE_LIFETIME"]
DigestView.store = Store(app.config["DATABASE"])
DigestView.store.add_user("user1", "pass1")
DigestView.store.add_user("user2", "pass2")
app.add_url_rule("/", view_func=Hello.as_view("home"))
app.add_url_rule("/account", view_func=Hello.as_view("account"))

if __name__ == "__main__":
    app.run(port=5003)
