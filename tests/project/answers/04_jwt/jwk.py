"""An answer to lesson 04 with PyJWT's PyJWK, and views that a table of Werkzeug's rules finds.

Every answer is JSON, a refusal a problem (RFC 9457); what was taken back are empty files by the
name of the token's jti.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import secrets
import sqlite3
import sys
import time
import unicodedata
from binascii import a2b_base64
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import argon2
import jwt
from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule

hasher = argon2.PasswordHasher(time_cost=2, memory_cost=20480, parallelism=1)
NOBODY = hasher.hash(secrets.token_hex())
ISSUER, SERVICE, REALM = "https://club.example", "urn:example:club", "Basic Bearer club"
RULES = Map(
    [
        Rule("/insecured", endpoint="insecured", methods=["GET"]),
        Rule("/secured", endpoint="secured", methods=["GET"]),
        Rule("/admin", endpoint="admin", methods=["GET"]),
        Rule("/login", endpoint="login", methods=["POST"]),
        Rule("/logout", endpoint="logout", methods=["POST"]),
    ]
)


@dataclass
class Problem(Exception):
    status: int
    detail: str
    challenge: str = ""

    def answer(self) -> Response:
        text = json.dumps(
            {"type": "about:blank", "status": self.status, "detail": self.detail}, indent=1
        )
        answer = Response(text, self.status, content_type="application/problem+json")
        if self.challenge:
            answer.headers["www-authenticate"] = self.challenge
        return answer


class Tokens:
    """Make and read tokens with one key, which is a JWK (RFC 7517) with a name."""

    def __init__(self, secret: str, lifetime: int, folder: Path):
        k = base64.urlsafe_b64encode(secret.encode()).decode().rstrip("=")
        self.key = jwt.PyJWK({"kty": "oct", "k": k, "alg": "HS256", "kid": "this year's"})
        self.lifetime, self.folder = lifetime, folder
        self.codec = jwt.PyJWT(
            {"require": ["aud", "exp", "iat", "iss", "jti", "sub"], "strict_aud": True}
        )

    def make(self, name: str, admin: bool) -> str:
        now = datetime.now(UTC).replace(microsecond=0)
        claims = {
            "jti": secrets.token_hex(16),
            "exp": now + timedelta(seconds=self.lifetime),
            "iat": now,
            "nbf": now,
            "aud": SERVICE,
            "iss": ISSUER,
            "sub": name,
            "auth_time": int(now.timestamp()),
            "amr": ["pwd"],
        }
        if admin:
            claims["scope"] = "read admin write"
        return self.codec.encode(
            claims, self.key, headers={"kid": self.key.key_id, "typ": "at+jwt"}
        )

    def read(self, text: str) -> dict:
        if not re.fullmatch(r"[\w-]+\.[\w-]+\.[\w-]+", text, re.A):
            raise bad("This is not a token. Send what /login gave, with nothing around it.")
        try:
            claims = self.codec.decode(
                text,
                self.key,
                algorithms=["HS256"],
                issuer=ISSUER,
                audience=SERVICE,
                options={"verify_iat": False},
            )
            age, lasts = time.time() - claims["iat"], claims["exp"] - claims["iat"]
        except (jwt.PyJWTError, TypeError, ValueError, RecursionError, OverflowError) as error:
            raise bad(f"Get a new token at /login: {type(error).__name__}") from None
        if isinstance(claims["iat"], bool) or age < -5 or lasts > self.lifetime:
            raise bad(
                "Get a new token at /login: this one was not made at a time when we make them"
            )
        if not isinstance(claims["jti"], str) or not re.fullmatch("[0-9a-f]{32}", claims["jti"]):
            raise bad("Get a new token at /login: its jti is none of ours")
        if (self.folder / claims["jti"]).exists():
            raise bad("Get a new token at /login: this one was logged out")
        return claims

    def end(self, claims: dict) -> None:
        (self.folder / claims["jti"]).touch()
        for name in os.listdir(self.folder)[:50]:
            with contextlib.suppress(FileNotFoundError):
                if time.time() - (self.folder / name).stat().st_mtime > self.lifetime + 3600:
                    (self.folder / name).unlink()


def bad(detail: str) -> Problem:
    said = re.sub(r"[^ !#-\[\]-~]", " ", detail)
    return Problem(
        401,
        detail,
        f'Bearer error_description="{said}",error = "invalid_token" , realm="{REALM}"'.replace(
            " = ", "="
        ),
    )


class Users:
    def __init__(self, path: Path):
        self.path = path
        with self.open() as db:
            db.execute("BEGIN IMMEDIATE")
            db.execute(
                "CREATE TABLE IF NOT EXISTS users (name TEXT PRIMARY KEY, hash TEXT, groups TEXT)"
            )
            db.execute("CREATE TABLE IF NOT EXISTS keys (key TEXT)")
            if not db.execute("SELECT 1 FROM keys").fetchone():
                db.execute("INSERT INTO keys VALUES (?)", [secrets.token_urlsafe(40)])
                for name, groups in (("user1", "members,admin"), ("user2", "members")):
                    db.execute(
                        "INSERT INTO users VALUES (?, ?, ?)",
                        [name, hasher.hash(f"pass{name[-1]}"), groups],
                    )
            self.key = db.execute("SELECT key FROM keys").fetchone()[0]
            db.execute("COMMIT")

    @contextlib.contextmanager
    def open(self):
        with contextlib.closing(sqlite3.connect(self.path, timeout=30, isolation_level=None)) as db:
            yield db

    def find(self, name: str):
        with self.open() as db:
            return db.execute(
                "SELECT name, hash, groups FROM users WHERE name = ?", [name]
            ).fetchone()

    def check(self, name: str, password: str):
        name, password = prepared(name, 64), prepared(password, 1024)
        if name is None or password is None:
            return None
        user = self.find(name)
        try:
            hasher.verify(user[1] if user else NOBODY, password)
        except argon2.exceptions.Argon2Error:
            return None
        return user if user and self.find(name) == user else None


def prepared(text: str, most: int) -> str | None:
    if len(text) > 3 * most:
        return None
    text = "".join(" " if unicodedata.category(one) == "Zs" else one for one in text)
    text = unicodedata.normalize("NFC", text)
    return text if 0 < len(text.encode()) <= most and "\0" not in text else None


def sent(scheme: str) -> str | None:
    """Return what follows the scheme in the one header Authorization; None if that is not there."""
    values = request.headers.getlist("Authorization")
    if len(values) > 1:
        raise Problem(400, "One header Authorization is enough.")
    found, _, rest = (values or [""])[0].partition(" ")
    return rest.strip(" ") if found.lower() == scheme else None


def insecured():
    return {"say": "Hello, whoever you are!"}


def secured():
    return {"say": f"Hello, {claims()['sub']}!", "until": g.claims["exp"]}


def admin():
    if "admin" not in claims().get("scope", "").split():
        raise Problem(
            403,
            "Only admins may see this.",
            f'Bearer scope="admin",realm="{REALM}", error="insufficient_scope"',
        )
    return {"say": f"Hello, {g.claims['sub']}!", "members": "many"}


def login():
    challenge = f'Basic charset="UTF-8",realm="{REALM}"'
    pair = sent("basic")
    if pair is None:
        raise Problem(401, "Send a user name and a password, with Basic.", challenge)
    try:
        name, colon, password = a2b_base64(pair.encode(), strict_mode=True).decode().partition(":")
    except ValueError:
        colon = ""
    user = users.check(name, password) if colon else None
    if not user:
        raise Problem(401, "User name or password is wrong.", challenge)
    token = tokens.make(user[0], "admin" in user[2].split(","))
    body = {
        "expires_in": tokens.lifetime,
        "token_type": "Bearer",
        "scope": "",
        "access_token": token,
        "user": {"name": user[0]},
    }
    return body, {
        "Cache-Control": "private, no-store",
        "Pragma": "no-cache",
        "Vary": "Authorization",
    }


def logout():
    tokens.end(claims())
    return "", 204


def known(name: str) -> bool:
    try:
        return users.find(name) is not None
    except UnicodeEncodeError:  # a lone surrogate, which JSON lets through
        return False


def claims() -> dict:
    text = sent("bearer")
    if text is None:
        raise Problem(401, "Send a token from /login.", f'Bearer realm="{REALM}"')
    g.claims = tokens.read(text)
    if not isinstance(g.claims.get("scope", ""), str) or not known(g.claims["sub"]):
        raise bad("Get a new token at /login: there is no such user")
    return g.claims


class Api(Flask):
    """A Flask that has no routes of its own."""

    def dispatch_request(self):
        endpoint, values = RULES.bind_to_environ(request.environ).match()
        return self.make_response(VIEWS[endpoint](**values))

    def raise_routing_exception(self, request):
        pass


VIEWS = {one.__name__: one for one in (insecured, secured, admin, login, logout)}
app = Api(__name__, static_folder=None)
app.config.from_mapping(TOKEN_LIFETIME=180, MAX_CONTENT_LENGTH=1 << 14)
app.config.from_mapping(DATABASE=Path(__file__).resolve().parent / "instance" / "lesson.db")
app.config.from_prefixed_env()
app.register_error_handler(Problem, Problem.answer)
path = Path(str(app.config["DATABASE"]))
revoked = path.with_name(f"{path.name}.revoked")
revoked.mkdir(parents=True, exist_ok=True)
users = Users(path)
app.secret_key = str(app.secret_key or users.key)
if len(app.secret_key.encode()) < 32:
    sys.exit(
        "FLASK_SECRET_KEY needs 32 bytes. This makes them: "
        "python -c 'import secrets; print(secrets.token_hex(32))'"
    )
tokens = Tokens(app.secret_key, app.config["TOKEN_LIFETIME"], revoked)


@app.errorhandler(HTTPException)
def trouble(error):
    answer = Problem(error.code, error.description).answer()
    if getattr(error, "valid_methods", None):
        answer.allow.update(error.valid_methods)
    return answer


if __name__ == "__main__":
    app.run(port=5004)
