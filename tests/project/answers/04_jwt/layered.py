"""An answer to lesson 04 in layers: class-based views, a service for tokens, a store; joserfc.

Views know HTTP, the service knows claims, the store knows SQL. Pages are whole HTML documents.
"""

import re
import sqlite3
import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from flask import Flask, jsonify, make_response, render_template_string, request
from flask.views import MethodView
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey
from passlib.hash import argon2

PAGE = (
    "<!doctype html><html><head><title>{{ t }}</title></head>"
    "<body><p>{{ t }}</p><small>Request {{ number }}</small></body></html>"
)
BEARER = 'DPoP algs="ES256 EdDSA", Bearer realm="layers"'
hashes = argon2.using(type="ID", memory_cost=19456, rounds=2, parallelism=1)


class BadToken(Exception):
    pass


@dataclass
class Store:
    path: str

    @contextmanager
    def open(self):
        db = sqlite3.connect(self.path, timeout=30)
        try:
            with db:
                yield db
        finally:
            db.close()

    def set_up(self):
        with self.open() as db:
            db.execute("BEGIN IMMEDIATE")
            db.execute("CREATE TABLE IF NOT EXISTS ended (jti TEXT PRIMARY KEY, expires INTEGER)")
            db.execute("CREATE TABLE IF NOT EXISTS users (name TEXT PRIMARY KEY, hash, boss)")
            for name, password, boss in [("user1", "pass1", True), ("user2", "pass2", False)]:
                row = name, hashes.hash(password), boss
                db.execute("INSERT OR IGNORE INTO users VALUES (?, ?, ?)", row)

    def user(self, name):
        with self.open() as db:
            return db.execute(
                "SELECT name, hash, boss FROM users WHERE name = ?", [name]
            ).fetchone()

    def end(self, jti, expires):
        with self.open() as db:
            db.execute("INSERT OR IGNORE INTO ended VALUES (?, ?)", [jti, expires])

    def has_ended(self, jti):
        with self.open() as db:
            return bool(db.execute("SELECT 1 FROM ended WHERE jti = ?", [jti]).fetchone())


class Tokens:
    def __init__(self, key, store, lifetime):
        self.key, self.store, self.lifetime = OctKey.import_key(key), store, lifetime

    def make(self, name, boss):
        begun = datetime.now(UTC).replace(microsecond=0)
        end = begun + timedelta(seconds=self.lifetime)
        claims = {"iss": "layers", "aud": "layers", "sub": name, "jti": uuid4().hex}
        claims |= {"iat": int(begun.timestamp()), "exp": int(end.timestamp()), "boss": bool(boss)}
        return jwt.encode({"alg": "HS256"}, claims, self.key)

    def read(self, text):
        if not re.fullmatch(r"[\w-]+\.[\w-]+\.[\w-]+", text, re.ASCII):
            raise BadToken("Only the token itself may follow the word Bearer")
        try:
            claims = jwt.decode(text, self.key, algorithms=["HS256"]).claims
        except (JoseError, ValueError, RecursionError):
            raise BadToken("The signature or the form of the token is wrong") from None
        now, whole = time.time(), [claims.get("iat"), claims.get("exp")]
        if any(type(number) is not int for number in whole):
            raise BadToken("The token needs iat and exp")
        if whole[1] <= now:
            raise BadToken("The token expired")
        if claims.get("nbf", 0) > now:
            raise BadToken("The token counts only later")
        if whole[0] > now + 10 or whole[1] - whole[0] > self.lifetime:
            raise BadToken("The token is from another clock")
        if claims.get("iss") != "layers" or claims.get("aud") != "layers":
            raise BadToken("The token is for somebody else")
        names = claims.get("sub"), claims.get("jti")
        if any(not isinstance(name, str) for name in names):
            raise BadToken("The token needs sub and jti")
        try:
            if self.store.has_ended(names[1]) or not self.store.user(names[0]):
                raise BadToken("The token was taken back")
        except UnicodeError:
            raise BadToken("The token holds no text") from None
        return claims


class View(MethodView):
    def __init__(self, store, tokens):
        self.store, self.tokens = store, tokens

    def page(self, text, status=200, challenge=""):
        answer = make_response(render_template_string(PAGE, t=text, number=uuid4()), status)
        if challenge:
            answer.headers["WWW-Authenticate"] = challenge
        return answer


class Public(View):
    def get(self):
        return self.page("Come in")


class Login(View):
    def post(self):
        try:
            sent = request.authorization
        except ValueError:
            sent = None
        if not sent or sent.type != "basic":
            return self.page("Who are you?", 401, 'Basic realm="layers"')
        user = self.store.user(sent.username)
        good = "\0" not in sent.password and 0 < len(sent.password.encode()) <= 1024
        good = hashes.verify(sent.password if good else "-", user[1] if user else NOBODY) and good
        if not good or not user:
            return self.page("Not right", 401, 'Basic realm="layers"')
        answer = jsonify(
            access_token=self.tokens.make(user[0], user[2]),
            token_type="Bearer",
            expires_in=self.tokens.lifetime,
        )
        answer.headers["Cache-Control"] = "no-store, private"
        return answer


class WithToken(View):
    boss = False

    def dispatch_request(self, **parts):
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.casefold() != "bearer":
            return self.page("Where is your token?", 401, BEARER)
        try:
            self.claims = self.tokens.read(token.strip())
        except BadToken as error:
            more = f'error="invalid_token", error_description="{error}"'
            return self.page(f"{error}.", 401, f"{BEARER}, {more}")
        if self.boss and self.claims.get("boss") is not True:
            more = 'error="insufficient_scope", scope="boss"'
            return self.page("For the boss", 403, f"{BEARER}, {more}")
        return super().dispatch_request(**parts)


class Secured(WithToken):
    def get(self):
        return self.page(f"Hello, {self.claims['sub']}!")


class Admin(WithToken):
    boss = True

    def get(self):
        return self.page("Hello, boss!")


class Logout(WithToken):
    def post(self):
        self.store.end(self.claims["jti"], self.claims["exp"])
        return "", 204


NOBODY = hashes.hash(uuid4().hex)


def create_app():
    app = Flask(__name__)
    app.config.from_mapping(DATABASE="layered.db", TOKEN_LIFETIME=180)
    app.config.from_prefixed_env()
    key = str(app.config["SECRET_KEY"] or "")
    if len(key) < 32:
        raise SystemExit("FLASK_SECRET_KEY has to be 32 bytes or longer.")
    store = Store(app.config["DATABASE"])
    store.set_up()
    tokens = Tokens(key, store, app.config["TOKEN_LIFETIME"])
    views = {"/insecured": Public, "/login": Login, "/secured": Secured, "/admin": Admin}
    for path, view in {**views, "/logout": Logout}.items():
        app.add_url_rule(path, view_func=view.as_view(path.strip("/"), store, tokens))
    return app


app = create_app()

if __name__ == "__main__":
    app.run(port=5004)
