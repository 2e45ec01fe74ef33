"""An answer to lesson 03 that raises Unauthorized, and keeps a key of its own if none is given.

A use of a nonce is a row of its own; the nonce's row says how old it is.
"""

import hashlib
import hmac
import os
import re
import secrets
import sqlite3
import sys
import time
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from urllib.parse import unquote

from flask import Flask, Response, g, request
from flask.views import View
from itsdangerous import BadData, Signer
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Unauthorized
from werkzeug.middleware.proxy_fix import ProxyFix

REALM = "lesson-03.example"
MAKE = {"SHA-256": hashlib.sha256, "MD5": hashlib.md5}


@dataclass(frozen=True)
class Answer:
    """What a client says in Authorization."""

    username: str
    realm: str
    nonce: str
    uri: str
    response: str
    opaque: str
    qop: str
    nc: str
    cnonce: str
    algorithm: str = "MD5"

    @classmethod
    def read(cls):
        """Return the answer in this request, or None."""
        try:
            sent = request.authorization
        except ValueError:
            return None
        if sent is None or sent.type != "digest" or not sent.parameters:
            return None
        known = {f.name: sent.parameters.get(f.name) for f in fields(cls)}
        if known["algorithm"] is None:
            del known["algorithm"]
        return cls(**known) if all(known.values()) else None

    def hash(self, *parts):
        return MAKE[self.algorithm](":".join(parts).encode()).hexdigest()

    def expected(self, ha1, method):
        middle = self.nonce, self.nc, self.cnonce, self.qop
        return self.hash(ha1, *middle, self.hash(method, self.uri))

    @property
    def has_form(self):
        return (
            self.algorithm in MAKE
            and self.qop == "auth"
            and self.realm == REALM
            and re.fullmatch("[0-9a-f]{8}", self.nc)
            and re.fullmatch("[A-Za-z0-9+/=_.:-]+", self.cnonce)
        )

    @property
    def is_here(self):
        path, _, query = self.uri.partition("?")
        here = request.root_path + request.path
        return unquote(path) == here and query == request.query_string.decode("latin-1")


@cache
def signer():
    return Signer(key(), salt="nonces", digest_method=hashlib.sha256)


def key():
    """Return FLASK_SECRET_KEY, or else a key that the first worker makes for all of them."""
    if given := str(app.config["SECRET_KEY"] or ""):
        if len(given.encode()) < 32:
            sys.exit("FLASK_SECRET_KEY is too short: 32 bytes, please.")
        return given
    path = Path(f"{app.config['DATABASE']}.key")
    draft = path.with_suffix(f".{secrets.token_hex(4)}")
    draft.write_text(secrets.token_hex(32))
    draft.chmod(0o600)
    try:
        os.link(draft, path)  # fails if another one is there
    except FileExistsError:
        pass
    draft.unlink()
    return path.read_text()


def db():
    if "db" not in g:
        g.db = sqlite3.connect(app.config["DATABASE"], isolation_level=None)
        g.db.execute("PRAGMA synchronous = NORMAL")
    return g.db


class Page(View):
    """A page for who answers a challenge."""

    init_every_request = False

    def dispatch_request(self):
        answer = Answer.read()
        if not answer or not answer.has_form or not answer.is_here:
            raise self.refusal()
        row = db().execute("SELECT * FROM ha1s WHERE name = ?", [answer.username]).fetchone()
        if not row:
            raise self.refusal()
        ha1 = row[1 + list(MAKE).index(answer.algorithm)]
        right = answer.expected(ha1, request.method)
        if not hmac.compare_digest(right.encode(), answer.response.encode()):
            raise self.refusal()
        try:
            opaque = signer().unsign(answer.opaque)
            made = float(signer().unsign(answer.nonce).partition(b"~")[0])
        except (BadData, ValueError):
            raise self.refusal() from None
        if opaque != b"opaque":
            raise self.refusal()
        if time.time() - made > app.config["NONCE_LIFETIME"]:
            raise self.refusal(stale="true")
        if not self.spend(answer, made):
            raise self.refusal()
        info = f'rspauth="{answer.expected(ha1, "")}", qop=auth'
        info += f', cnonce="{answer.cnonce}", nc={answer.nc}'
        page = f"<title>Lesson 03</title>\n<p>Hello, {answer.username}!</p>\n"
        return Response(page, headers={"Authentication-Info": info})

    def spend(self, answer, made):
        """Note this count for good, or for as long as its nonce lives; False if it was noted."""
        old = time.time() - app.config["NONCE_LIFETIME"] - 1
        few = "SELECT rowid FROM spent WHERE made < ? LIMIT 20"
        db().execute(f"DELETE FROM spent WHERE rowid IN ({few})", [old])
        new = "INSERT INTO spent VALUES (?, ?, ?) ON CONFLICT DO NOTHING RETURNING nc"
        rows = db().execute(new, [made, answer.nonce, answer.nc]).fetchall()
        return bool(rows)

    def refusal(self, **more):
        challenges = []
        for algorithm in MAKE:
            nonce = signer().sign(f"{time.time():.3f}~{secrets.token_urlsafe(9)}").decode()
            values = {"realm": REALM, "nonce": nonce, "algorithm": algorithm, "qop": "auth"}
            values["opaque"] = signer().sign("opaque").decode()
            challenges.append(WWWAuthenticate("digest", {**values, **more}))
        return Unauthorized("Answer a challenge, please.", www_authenticate=challenges)


app = Flask(__name__)
app.config.from_mapping(DATABASE="lesson03.db", NONCE_LIFETIME=300, PROXIES=0)
app.config.from_prefixed_env()
if app.config["PROXIES"]:
    app.wsgi_app = ProxyFix(app.wsgi_app, *[app.config["PROXIES"]] * 5)
app.add_url_rule("/", view_func=Page.as_view("home"))
app.add_url_rule("/account", view_func=Page.as_view("account"))


@app.teardown_appcontext
def close(error):
    if "db" in g:
        g.pop("db").close()


with app.app_context():
    signer()
    db().execute("CREATE TABLE IF NOT EXISTS spent (made, nonce, nc, UNIQUE (nonce, nc))")
    db().execute("CREATE INDEX IF NOT EXISTS by_time ON spent (made)")
    db().execute("CREATE TABLE IF NOT EXISTS ha1s (name PRIMARY KEY, sha256, md5)")
    for name, password in [("user1", "pass1"), ("user2", "pass2")]:
        text = f"{name}:{REALM}:{password}".encode()
        row = [name, *(make(text).hexdigest() for make in MAKE.values())]
        db().execute("INSERT OR IGNORE INTO ha1s VALUES (?, ?, ?)", row)

if __name__ == "__main__":
    app.run(port=5003)
