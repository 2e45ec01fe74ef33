"""An answer to lesson 03 as a Flask that answers from wsgi_app on: parameters in an unusual order.

Nonces are digits alone; the realm holds the names of schemes; refusals are problem+json
(RFC 9457); the counts lie in a database of their own.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
import sqlite3
import sys
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote_to_bytes

from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException

REALM = "Digest Basic club, nonce=1"
QUOTED = REALM.replace('"', r"\"")
KINDS = {"SHA-256": hashlib.sha256, "MD5": hashlib.md5}
QUIET = {"Cache-Control": "no-store", "Content-Language": "en", "Vary": "Authorization"}


@dataclass
class Said:
    """What a client answered, its parameters by name."""

    values: dict[str, str] = field(default_factory=dict)

    PAIR = re.compile(
        r'\s*([!#$%&\'*+.^_`|~\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",]+))\s*(?:,|$)',
        re.A | re.S,
    )

    @classmethod
    def read(cls, header: str) -> Said | None:
        scheme, _, rest = header.partition(" ")
        values, at = {}, 0
        if scheme.lower() != "digest":
            return None
        while at < len(rest):
            found = cls.PAIR.match(rest, at)
            if not found or found[1].lower() in values:
                return None
            values[found[1].lower()] = (
                found[3] if found[2] is None else re.sub(r"\\(.)", r"\1", found[2])
            )
            at = found.end()
        return cls(values)

    def __getattr__(self, name: str) -> str:
        return self.values.get(name, "")


class Club(Flask):
    def __init__(self):
        super().__init__(__name__)
        self.config.from_mapping(NONCE_LIFETIME=300, MAX_CONTENT_LENGTH=1 << 14)
        self.config.from_mapping(
            DATABASE=Path(__file__).resolve().parent / "instance" / "lesson.db"
        )
        self.config.from_prefixed_env()
        self.users = Path(self.config["DATABASE"])
        self.users.parent.mkdir(parents=True, exist_ok=True)
        self.counts = self.users.with_name(f"{self.users.name}.counts")
        with closing(self.connect(self.counts)) as db:
            db.execute(
                "CREATE TABLE IF NOT EXISTS seen (what TEXT PRIMARY KEY, till REAL) WITHOUT ROWID"
            )
        with closing(self.connect(self.users)) as db:
            db.execute(
                "CREATE TABLE IF NOT EXISTS ha1"
                " (name TEXT, kind TEXT, ha1 TEXT, PRIMARY KEY (name, kind))"
            )
            db.execute("CREATE TABLE IF NOT EXISTS own (key TEXT)")
            db.execute("BEGIN IMMEDIATE")
            if not db.execute("SELECT 1 FROM own").fetchone():
                db.execute("INSERT INTO own VALUES (?)", [secrets.token_urlsafe(48)])
                for name, password in {"user1": "pass1", "user2": "pass2"}.items():
                    for kind in KINDS:
                        db.execute(
                            "INSERT INTO ha1 VALUES (?, ?, ?)",
                            [name, kind, H(kind, name, REALM, password)],
                        )
            self.secret_key = self.secret_key or db.execute("SELECT key FROM own").fetchone()[0]
            db.execute("COMMIT")
        if len(str(self.secret_key).encode()) < 32:
            sys.exit(
                "FLASK_SECRET_KEY must have 32 bytes or more. This prints one: "
                "python -c 'import secrets; print(secrets.token_hex(32))'"
            )
        self.key = str(self.secret_key).encode()
        self.opaque = str(int.from_bytes(self.sign("opaque")[:9], "big"))

    @staticmethod
    def connect(path) -> sqlite3.Connection:
        return sqlite3.connect(path, timeout=30, isolation_level=None)

    def sign(self, text: str) -> bytes:
        return hmac.digest(self.key, text.encode(), "sha512")

    def new_nonce(self) -> str:
        """Return 13 digits of time, 20 at random and 50 of a signature."""
        begin = f"{int(time.time() * 1000):013d}{secrets.randbelow(10**20):020d}"
        return begin + self.seal(begin)

    def seal(self, begin: str) -> str:
        return f"{int.from_bytes(self.sign('nonce ' + begin)[:20], 'big'):050d}"

    def made_at(self, nonce: str) -> float | None:
        if not re.fullmatch(r"[0-9]{83}", nonce) or not hmac.compare_digest(
            nonce[33:], self.seal(nonce[:33])
        ):
            return None
        return int(nonce[:13]) / 1000

    def first_time(self, nonce: str, nc: str, made: float) -> bool:
        with closing(self.connect(self.counts)) as db:
            db.execute(
                "DELETE FROM seen WHERE what IN (SELECT what FROM seen WHERE till < ? LIMIT 20)",
                [time.time()],
            )
            till = made + self.config["NONCE_LIFETIME"] + 3600
            return (
                db.execute(
                    "INSERT OR IGNORE INTO seen VALUES (?, ?)", [f"{nonce} {nc.lower()}", till]
                ).rowcount
                == 1
            )

    def refused(self, detail: str, stale: bool = False) -> Response:
        response = problem(401, "Unauthorized", detail)
        for kind in KINDS:
            response.headers.add(
                "WWW-Authenticate",
                f'DIGEST algorithm={kind},qop="auth" , nonce="{self.new_nonce()}",\t'
                f"{'stale=TRUE, ' if stale else ''}charset=UTF-8, userhash=false, "
                f'opaque="{self.opaque}",realm="{QUOTED}"',
            )
        return response

    def member(self) -> str | Response:
        headers = request.headers.getlist("Authorization")
        said = Said.read(headers[0]) if len(headers) == 1 else None
        if said is None:
            return self.refused("Log in with Digest.")
        kind = (said.algorithm or "MD5").upper()
        if kind not in KINDS or (said.realm, said.opaque, said.qop) != (REALM, self.opaque, "auth"):
            return self.refused("This answers another challenge.")
        if not re.fullmatch("[0-9a-fA-F]{8}", said.nc) or not re.fullmatch(
            r"[ !#-\[\]-~]+", said.cnonce
        ):
            return self.refused("nc or cnonce is missing or odd.")
        name, uri = in_utf8(said.username), in_utf8(said.uri)
        with closing(self.connect(self.users)) as db:
            row = db.execute(
                "SELECT ha1 FROM ha1 WHERE (name, kind) = (?, ?)", [name, kind]
            ).fetchone()
        ha1 = row[0] if row else H(kind, secrets.token_hex())
        middle = [said.nonce, said.nc, said.cnonce, "auth"]
        due = H(kind, ha1, *middle, H(kind, request.method, uri))
        if not (hmac.compare_digest(due.encode(), said.response.encode()) and row):
            return self.refused("User name or password is wrong.")
        path, mark, query = uri.partition("?")
        here = (request.environ["SCRIPT_NAME"] + request.environ["PATH_INFO"]).encode("latin-1")
        if unquote_to_bytes(path) != here or query != request.environ["QUERY_STRING"]:
            return self.refused(f"This answer is for {uri!r}.")
        made = self.made_at(said.nonce)
        if made is None:
            return self.refused("This nonce is not ours.")
        if not 0 <= time.time() + 1 - made <= self.config["NONCE_LIFETIME"] + 1:
            return self.refused("This nonce is too old.", stale=True)
        if not self.first_time(said.nonce, said.nc, made):
            return self.refused("This was used before.")
        proof = H(kind, ha1, *middle, H(kind, "", uri))
        g.info = f'nc={said.nc},cnonce="{said.cnonce}" , qop=auth,rspauth="{proof}"'
        return name


def H(kind: str, *parts: str) -> str:
    return KINDS[kind](":".join(parts).encode("utf-8", "replace")).hexdigest()


def in_utf8(text: str) -> str:
    """Return what a client meant: WSGI hands bytes over as Latin-1."""
    try:
        return text.encode("latin-1").decode()
    except UnicodeError:
        return text


def problem(status: int, title: str, detail: str) -> Response:
    text = json.dumps({"type": "about:blank", "status": status, "title": title, "detail": detail})
    return Response(text, status, QUIET, content_type="application/problem+json")


app = Club()


@app.before_request
def ask():
    if request.path in ("/", "/account"):
        found = app.member()
        if isinstance(found, Response):
            return found
        g.name = found


@app.after_request
def prove(response):
    if "info" in g:
        response.headers["authentication-info"] = g.info
    return response


@app.errorhandler(HTTPException)
def trouble(error):
    response = error.get_response()
    response.data = problem(error.code, error.name, error.description).data
    response.content_type = "application/problem+json"
    return response


@app.get("/")
@app.get("/account")
def hello():
    return {"greeting": f"Hello, {g.name}!"}, QUIET


if __name__ == "__main__":
    app.run(port=5003)
