"""An answer to lesson 04 as a blueprint and create_app(), with PyJWT and Flask-HTTPAuth.

The library's decorators ask for the password at /login and for the token everywhere else.
"""

import re
import sqlite3
import time
from secrets import token_urlsafe

import jwt
from flask import Blueprint, Flask, current_app, g, jsonify
from flask_httpauth import HTTPBasicAuth, HTTPTokenAuth
from passlib.hash import argon2

US = "https://lesson04.example"  # issuer and audience
argon2id = argon2.using(type="ID", memory_cost=19456, rounds=2, parallelism=1)
NOBODY = argon2id.hash(token_urlsafe())
bp = Blueprint("tokens", __name__)
basic = HTTPBasicAuth(realm="Lesson 04")


class BearerAuth(HTTPTokenAuth):
    def get_auth(self):
        try:
            return super().get_auth()
        except ValueError:  # from Werkzeug, for Basic with bytes beyond ASCII
            return None


bearer = BearerAuth("Bearer", realm="Lesson 04")


def db():
    if "db" not in g:
        g.db = sqlite3.connect(current_app.config["DATABASE"], isolation_level=None)
        g.db.row_factory = sqlite3.Row
    return g.db


def user_named(name):
    return db().execute("SELECT * FROM users WHERE name = ?", (name,)).fetchone()


@basic.verify_password
def verify_password(name, password):
    if not password:
        g.problem = "Send user name and password in the Authorization header, by Basic."
    if "\0" in password or len(password) > 1024:
        return None
    user = user_named(name)
    right = argon2id.verify(password, user["hash"] if user else NOBODY)
    return user if right and user and user == user_named(name) else None  # not changed meanwhile


@bearer.verify_token
def verify_token(text):
    """Return the claims of a good token; else note the problem for the challenge."""
    if not bearer.get_auth():
        return None  # nothing was sent, so nothing is wrong with it
    if not re.fullmatch(r"[\w-]+(\.[\w-]*){2}", text or "", re.ASCII):
        g.problem = "What follows Bearer is not a token. Did your program put quotes around it?"
        return None
    try:
        return checked_claims(text)
    except jwt.ExpiredSignatureError:
        g.problem = "The token expired. Get another at /login."
    except jwt.InvalidTokenError:
        g.problem = "This is not a token that counts here. Get one at /login."
    except (RecursionError, UnicodeError):
        g.problem = "This can't be read."
    return None


def checked_claims(text):
    claims = jwt.decode(
        text or "",
        current_app.config["SECRET_KEY"],
        algorithms=["HS256"],
        issuer=US,
        audience=US,
        options={
            "require": ["sub", "iss", "aud", "iat", "exp", "jti"],
            "strict_aud": True,
            "verify_iat": False,
        },
    )
    issued, ends = claims["iat"], claims["exp"]
    if type(issued) is not int or type(ends) is not int:
        raise jwt.InvalidTokenError("times are whole numbers here")
    if issued > time.time() + 5:
        raise jwt.InvalidTokenError("not issued yet, even by a clock that is ahead")
    if not 0 < ends - issued <= current_app.config["TOKEN_LIFETIME"]:
        raise jwt.InvalidTokenError("no token lives that long")
    if not user_named(claims["sub"]):
        raise jwt.InvalidTokenError("no such user")
    if db().execute("SELECT 1 FROM logged_out WHERE jti = ?", (claims["jti"],)).fetchone():
        raise jwt.InvalidTokenError("logged out")
    return claims


@bearer.get_user_roles
def roles(claims):
    return claims.get("roles")


@basic.error_handler
def wrong_password(status):
    return g.get("problem", "User name or password is wrong.") + "\n", status


@bearer.error_handler
def wrong_token(status):
    challenge = bearer.authenticate_header()
    if status == 403:
        challenge += ', error="insufficient_scope", scope="admin"'
    elif "problem" in g:
        challenge += f', error="invalid_token", error_description="{g.problem}"'
    return g.get("problem", "Not with this token.") + "\n", status, {"WWW-Authenticate": challenge}


@bp.get("/insecured")
def insecured():
    return "Hello, stranger!\n"


@bp.post("/login")
@basic.login_required
def login():
    user, now = basic.current_user(), int(time.time())
    lifetime = current_app.config["TOKEN_LIFETIME"]
    claims = {"iss": US, "aud": US, "sub": user["name"], "iat": now, "exp": now + lifetime}
    claims |= {"jti": token_urlsafe(16), "roles": ["admin"] if user["admin"] else []}
    token = jwt.encode(claims, current_app.config["SECRET_KEY"], "HS256")
    answer = jsonify(access_token=token, token_type="Bearer", expires_in=lifetime)
    answer.headers["Cache-Control"] = "no-store"
    return answer


@bp.get("/secured")
@bearer.login_required
def secured():
    return f"Hello, {bearer.current_user()['sub']}!\n"


@bp.get("/admin")
@bearer.login_required(role="admin")
def admin():
    return "Hello, admin!\n"


@bp.post("/logout")
@bearer.login_required
def logout():
    claims = bearer.current_user()
    db().execute("DELETE FROM logged_out WHERE exp < ?", (time.time(),))
    row = (claims["jti"], claims["exp"])
    db().execute("INSERT INTO logged_out VALUES (?, ?) ON CONFLICT DO NOTHING", row)
    return "", 204


def create_app():
    app = Flask(__name__)
    app.config.from_mapping(DATABASE="lesson04.db", TOKEN_LIFETIME=180)
    app.config.from_prefixed_env()
    if len(app.config["SECRET_KEY"] or "") < 32:
        raise SystemExit("The FLASK_SECRET_KEY is too short: 32 bytes at least.")
    app.register_blueprint(bp)
    app.teardown_appcontext(lambda error: g.pop("db").close() if "db" in g else None)
    with app.app_context():
        db().execute("CREATE TABLE IF NOT EXISTS users (name PRIMARY KEY, hash, admin)")
        db().execute("CREATE TABLE IF NOT EXISTS logged_out (jti PRIMARY KEY, exp)")
        for name, password, is_admin in [("user1", "pass1", 1), ("user2", "pass2", 0)]:
            row = (name, argon2id.hash(password), is_admin)
            db().execute("INSERT OR IGNORE INTO users VALUES (?, ?, ?)", row)
    return app


app = create_app()

if __name__ == "__main__":
    app.run(port=5004)
