"""An answer to lesson 04 in classes: users, tokens, and views of Flask's MethodView, with PyJWT."""

import contextlib
import sqlite3
import sys
import time
import uuid

import jwt
from flask import Flask, g, jsonify, request
from flask.views import MethodView
from passlib.hash import argon2

REALM = "Lesson 04"
hasher = argon2.using(type="ID", memory_cost=19456, rounds=2, parallelism=1)


class Problem(Exception):
    """A request that is refused: status, challenge and a sentence."""

    def __init__(self, status, challenge, sentence):
        super().__init__(sentence)
        self.answer = f"{sentence}\n", status, {"WWW-Authenticate": challenge}


class BadToken(Problem):
    def __init__(self, why):
        why = "".join(c if c.isprintable() and c.isascii() and c not in '"\\' else "'" for c in why)
        details = f'error="invalid_token", error_description="{why}"'
        super().__init__(401, f'Bearer realm="{REALM}", {details}', why)


class Database:
    def __init__(self, path):
        self.path = path

    def __call__(self, statement, *values):
        with contextlib.closing(sqlite3.connect(self.path, isolation_level=None)) as connection:
            return connection.execute(statement, values).fetchall()


class Users:
    def __init__(self, db):
        self.db, self.nobody = db, hasher.hash("nobody's password")
        db("CREATE TABLE IF NOT EXISTS users (name PRIMARY KEY, hash, scope)")

    def add(self, name, password, scope=""):
        self.db("INSERT OR IGNORE INTO users VALUES (?, ?, ?)", name, hasher.hash(password), scope)

    def get(self, name):
        rows = self.db("SELECT name, hash, scope FROM users WHERE name = ?", name)
        return rows[0] if rows else None

    def with_password(self, name, password):
        if "\0" in password or len(password.encode()) > 1024:
            return None
        user = self.get(name)
        right = hasher.verify(password, user[1] if user else self.nobody)
        return user if right and user == self.get(name) else None  # still the same


class Tokens:
    claims = ["iss", "sub", "aud", "iat", "exp", "jti"]
    leeway = 5  # seconds between two clocks

    def __init__(self, db, users, key, lifetime):
        self.db, self.users, self.key, self.lifetime = db, users, key, lifetime
        db("CREATE TABLE IF NOT EXISTS revoked (jti PRIMARY KEY, exp)")

    def issue(self, name, scope):
        now = int(time.time())
        claims = {"iss": REALM, "aud": REALM, "sub": name, "iat": now, "exp": now + self.lifetime}
        claims["jti"] = str(uuid.uuid4())
        if scope:
            claims["scope"] = scope
        return jwt.encode(claims, self.key, algorithm="HS256")

    def read(self, text):
        options = {"require": self.claims, "strict_aud": True, "verify_iat": False}
        try:
            claims = jwt.decode(
                text, self.key, ["HS256"], issuer=REALM, audience=REALM, options=options
            )
            if any(type(claims[name]) is not int for name in ("iat", "exp")):
                raise BadToken("The times in this token are no whole numbers")
            if claims["iat"] > time.time() + self.leeway:
                raise BadToken("This token comes from the future")
            if claims["exp"] > claims["iat"] + self.lifetime:
                raise BadToken("This token would live too long")
            if self.db("SELECT * FROM revoked WHERE jti = ?", claims["jti"]):
                raise BadToken("This token was logged out; log in again")
            if not self.users.get(claims["sub"]):
                raise BadToken("This token's user is not known")
        except jwt.ExpiredSignatureError:
            raise BadToken("This token has expired; log in again") from None
        except (jwt.InvalidTokenError, ValueError, RecursionError) as error:
            raise BadToken(f"This is no token of ours: {error}") from None
        return claims

    def revoke(self, claims):
        self.db("DELETE FROM revoked WHERE exp < ?", int(time.time()))
        self.db("INSERT OR IGNORE INTO revoked VALUES (?, ?)", claims["jti"], claims["exp"])


def header(scheme):
    """Return what came in the header Authorization, if it is of this scheme."""
    try:
        sent = request.authorization
    except ValueError:  # bytes beyond ASCII
        return None
    return sent if sent and sent.type == scheme else None


class Login(MethodView):
    def post(self):
        sent = header("basic")
        if not sent:
            raise Problem(401, f'Basic realm="{REALM}"', "Send Basic credentials in the header.")
        user = users.with_password(sent.username, sent.password)
        if not user:
            raise Problem(401, f'Basic realm="{REALM}"', "Wrong user name or password.")
        answer = jsonify(
            access_token=tokens.issue(user[0], user[2]),
            token_type="Bearer",
            expires_in=tokens.lifetime,
        )
        answer.cache_control.no_store = True
        return answer


class WithToken(MethodView):
    """Views below this one run with g.claims, the claims of a token that was checked."""

    scope = None  # what else the token must say

    def dispatch_request(self, **values):
        sent = header("bearer")
        if not sent:
            raise Problem(401, f'Bearer realm="{REALM}"', "Send a token from /login.")
        g.claims = tokens.read(sent.token or "")
        if self.scope and g.claims.get("scope") != self.scope:
            lacks = f'Bearer realm="{REALM}", error="insufficient_scope", scope="{self.scope}"'
            raise Problem(403, lacks, "This is for admins.")
        return super().dispatch_request(**values)


class Secured(WithToken):
    def get(self):
        return f"Hello, {g.claims['sub']}!\n"


class Admin(Secured):
    scope = "admin"


class Logout(WithToken):
    def post(self):
        tokens.revoke(g.claims)
        return "", 204


app = Flask(__name__)
app.config.from_mapping(DATABASE="lesson04.db", TOKEN_LIFETIME=180)
app.config.from_prefixed_env()
if len(str(app.config["SECRET_KEY"] or "")) < 32:
    sys.exit("FLASK_SECRET_KEY has less than 32 bytes.")
db = Database(app.config["DATABASE"])
users = Users(db)
users.add("user1", "pass1", scope="admin")
users.add("user2", "pass2")
tokens = Tokens(db, users, str(app.config["SECRET_KEY"]), app.config["TOKEN_LIFETIME"])
app.register_error_handler(Problem, lambda problem: problem.answer)
app.add_url_rule("/insecured", view_func=lambda: "Hello, everybody!\n", endpoint="insecured")
for view in (Login, Secured, Admin, Logout):
    name = view.__name__.lower()
    app.add_url_rule(f"/{name}", view_func=view.as_view(name))

if __name__ == "__main__":
    app.run(port=5004)
