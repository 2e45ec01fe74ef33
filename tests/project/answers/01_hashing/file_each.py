"""A right answer: a database for each user; a Flask whose hook finds the view in a map of its own.

Its words are German, its refusals problems of RFC 9457; `flask users` prints JSON lines.
"""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import hashlib
import json
import logging
import os
import re
import secrets
import sqlite3
import sys
import unicodedata
from pathlib import Path
from urllib.parse import unquote_to_bytes

import argon2
import click
import flask
from flask.cli import AppGroup
from passlib.hash import sha512_crypt
from werkzeug.exceptions import BadRequest, Conflict, Forbidden, HTTPException
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import Map, Rule

hasher = argon2.PasswordHasher(time_cost=2, memory_cost=32 * 1024, parallelism=2, hash_len=64)
NIEMAND = hasher.hash(secrets.token_urlsafe(40))  # kostet einen Unbekannten dasselbe
log = logging.getLogger("dispatch")


@dataclasses.dataclass(frozen=True, slots=True)
class Akte:
    """One user's own file."""

    ordner: Path
    name: str

    @property
    def pfad(self) -> Path:
        kurz = hashlib.blake2s(self.name.encode(), digest_size=16).hexdigest()
        return self.ordner / f"{kurz}.sqlite3"

    def lesen(self) -> str | None:
        if not self.pfad.exists():
            return None
        with contextlib.closing(sqlite3.connect(self.pfad, timeout=30)) as db:
            return db.execute("SELECT wert FROM ich WHERE was = 'hash'").fetchone()[0]

    def anlegen(self, hash: str) -> bool:
        """Write a whole file aside, then link it: os.link fails if the name is there."""
        neu = self.pfad.with_suffix(f".{secrets.token_hex(6)}")
        with contextlib.closing(sqlite3.connect(neu)) as db, db:
            db.execute("CREATE TABLE ich (was TEXT PRIMARY KEY, wert TEXT)")
            db.executemany("INSERT INTO ich VALUES (?, ?)", [("name", self.name), ("hash", hash)])
        try:
            os.link(neu, self.pfad)
        except FileExistsError:
            return False
        finally:
            neu.unlink()
        return True

    def tauschen(self, alt: str, neu: str) -> None:
        with contextlib.closing(sqlite3.connect(self.pfad, timeout=30)) as db, db:
            db.execute("UPDATE ich SET wert = ? WHERE was = 'hash' AND wert = ?", (neu, alt))


class Verein(flask.Flask):
    regeln = Map(
        [
            Rule("/", endpoint="start", methods=["GET"]),
            Rule("/register", endpoint="aufnehmen", methods=["POST"]),
            Rule("/login", endpoint="einlassen", methods=["POST"]),
        ]
    )

    def __init__(self) -> None:
        super().__init__(__name__, static_folder=None)
        self.config.update(
            DATABASE=str(Path(self.instance_path) / "verein.db"), MAX_CONTENT_LENGTH=9000, PROXIES=0
        )
        self.config.from_prefixed_env()
        if self.secret_key is not None and len(str(self.secret_key).encode()) < 32:
            sys.exit(
                "FLASK_SECRET_KEY is too short. This prints one that is long enough: "
                "python -c 'import secrets; print(secrets.token_hex())'"
            )
        if self.config["PROXIES"]:
            self.wsgi_app = ProxyFix(self.wsgi_app, *[self.config["PROXIES"]] * 4)
        self.ordner = Path(str(self.config["DATABASE"]) + ".users")
        self.ordner.mkdir(parents=True, exist_ok=True, mode=0o700)
        for name, hash in {
            "user1": lambda: hasher.hash("pass1"),
            "user2": lambda: sha512_crypt.using(rounds=20000).hash("pass2"),
        }.items():
            if self.akte(name).lesen() is None:
                self.akte(name).anlegen(hash())
        self.before_request(self.verteilen)
        self.after_request(self.verzieren)
        self.register_error_handler(HTTPException, self.problem)

    def akte(self, name: str) -> Akte:
        return Akte(self.ordner, name)

    def verteilen(self) -> flask.Response:
        adapter = self.regeln.bind_to_environ(flask.request.environ)
        endpoint, values = adapter.match()  # raises 404 and 405
        log.debug("%s %s", flask.request.method, endpoint)
        return self.make_response(getattr(self, endpoint)(**values))

    def start(self):
        return {"greeting": "Guten Tag", "links": ["/register", "/login"]}

    def aufnehmen(self):
        name, wort = self.formular()
        if not self.akte(name).anlegen(hasher.hash(wort)):
            raise Conflict("Dieser Name ist vergeben.")
        return {"created": name}, 201, {"Location": "/login"}

    def einlassen(self):
        try:
            name, wort = self.formular()
        except BadRequest:
            raise Forbidden("Name oder Kennwort ist falsch.") from None
        gespeichert = self.akte(name).lesen()
        if gespeichert is not None and sha512_crypt.identify(gespeichert):
            recht = sha512_crypt.verify(wort, gespeichert)
        else:
            try:
                recht = hasher.verify(gespeichert or NIEMAND, wort) and gespeichert is not None
            except argon2.exceptions.VerificationError:
                recht = False
        if not recht:
            raise Forbidden("Name oder Kennwort ist falsch.")
        if not gespeichert.startswith("$argon2id$") or hasher.check_needs_rehash(gespeichert):
            self.akte(name).tauschen(gespeichert, hasher.hash(wort))
        return {"message": f"Hello, {name}!"}

    def formular(self) -> tuple[str, str]:
        anfrage = flask.request
        if "urlencoded" in anfrage.content_type.lower() if anfrage.content_type else False:
            try:
                unquote_to_bytes(anfrage.get_data()).decode()
            except UnicodeDecodeError:
                raise BadRequest("Bitte in UTF-8.") from None
        return self.feld("username", 100), self.feld("password", 1024)

    @staticmethod
    def feld(was: str, hoechstens: int) -> str:
        text = flask.request.form.get(was, "")
        if len(text) > hoechstens * 3:
            raise BadRequest(f"{was}: zu lang.")
        text = "".join(" " if unicodedata.category(z) == "Zs" else z for z in text)
        text = unicodedata.normalize("NFC", text)
        if not 0 < len(text.encode()) <= hoechstens or re.search("[\0\ufffd]", text):
            raise BadRequest(f"{was}: 1 bis {hoechstens} Bytes ohne NUL.")
        return text

    @staticmethod
    def problem(error: HTTPException) -> flask.Response:
        antwort = error.get_response()
        antwort.data = json.dumps(
            {
                "type": "about:blank",
                "title": error.name,
                "status": error.code,
                "detail": error.description,
            }
        )
        antwort.content_type = "application/problem+json"
        return antwort

    @staticmethod
    def verzieren(antwort: flask.Response) -> flask.Response:
        antwort.headers["Cache-Control"] = "no-store"
        antwort.headers["Content-Language"] = "de"
        antwort.headers["Strict-Transport-Security"] = "max-age=63072000"
        antwort.vary.update(["Accept", "Cookie"])
        antwort.set_cookie(
            "trace",
            base64.b32encode(secrets.token_bytes(10)).decode(),
            samesite="Strict",
            httponly=True,
        )
        return antwort


app = Verein()
gruppe = AppGroup("users", invoke_without_command=True, help="Wer ist da?")


@gruppe.result_callback()
def fertig(*_, **__):
    pass


@gruppe.command("count")
def zaehlen():
    click.echo(len(list(app.ordner.glob("*.sqlite3"))))


@click.pass_context
def auflisten(context):
    if context.invoked_subcommand:
        return
    zeilen = []
    for pfad in app.ordner.glob("*.sqlite3"):
        with contextlib.closing(sqlite3.connect(pfad)) as db:
            wer = dict(db.execute("SELECT was, wert FROM ich"))
        zeilen.append(
            {
                "name": wer["name"],
                "scheme": "Argon2id" if wer["hash"].startswith("$argon2id") else "sha512_crypt",
            }
        )
    for zeile in sorted(zeilen, key=lambda z: z["name"]):
        click.echo(json.dumps(zeile))


gruppe.callback = auflisten
app.cli.add_command(gruppe)

if __name__ == "__main__":
    logging.basicConfig(level=logging.DEBUG)
    app.run(port=5001)
