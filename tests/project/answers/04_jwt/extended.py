"""An answer to lesson 04 with Flask-JWT-Extended, which a factory sets up; pages are HTML.

The library reads the header, checks the claims and asks three callbacks: is it revoked, who is the
user, what to answer when something is wrong.
"""

import re
import sqlite3
import time
from contextlib import closing
from datetime import timedelta

from flask import Blueprint, Flask, current_app, jsonify, request
from flask_jwt_extended import (
    JWTManager,
    create_access_token,
    get_current_user,
    get_jwt,
    jwt_required,
)
from flask_jwt_extended.exceptions import JWTExtendedException
from jwt import PyJWTError
from passlib.hash import argon2

argon2id = argon2.using(type="ID", memory_cost=19456, rounds=2, parallelism=1)
NOBODY = argon2id.hash("nobody")
US = "extended lesson"
jwt = JWTManager()
pages = Blueprint("pages", __name__)


def run(sql, *values):
    with closing(sqlite3.connect(current_app.config["DATABASE"], isolation_level=None)) as db:
        db.row_factory = sqlite3.Row
        return db.execute(sql, values).fetchone()


def page(text, status=200, challenge=None):
    html = f"<!doctype html><html lang=en><title>Lesson</title><body><h1>{text}</h1></body></html>"
    return html, status, {"WWW-Authenticate": challenge} if challenge else {}


def refuse(why):
    parts = f'error="invalid_token", error_description="{why}"'
    return page(why, 401, f'Bearer realm="extended", {parts}')


@jwt.unauthorized_loader
def missing(_):
    scheme, _, rest = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and rest.strip():
        return refuse("After Bearer comes a token and nothing else")
    return page("Show a token", 401, 'Bearer realm="extended"')


@jwt.expired_token_loader
def expired(_header, _claims):
    return refuse("Your token has expired and another one is at /login")


@jwt.revoked_token_loader
def revoked(_header, _claims):
    return refuse("Your token was logged out")


@jwt.invalid_token_loader
def invalid(_):
    return refuse("Your token is not good here")


@jwt.user_lookup_error_loader
def unknown(_header, _claims):
    return refuse("The user of your token is not known")


@jwt.token_in_blocklist_loader
def is_revoked(_header, claims):
    return run("SELECT 1 FROM gone WHERE jti = ?", claims["jti"]) is not None


@jwt.user_lookup_loader
def look_up(_header, claims):
    times = claims.get("iat"), claims.get("exp")
    if any(type(one) is not int for one in times) or times[0] > time.time() + 3:
        return None
    if times[1] - times[0] > current_app.config["TOKEN_LIFETIME"]:
        return None
    if not isinstance(claims["jti"], str) or not isinstance(claims.get("aud"), str):
        return None
    return run("SELECT * FROM person WHERE name = ?", claims["sub"])


@pages.before_request
def one_spelling():
    """The scheme may be written in any case, the token in one way only (RFC 7515 2)."""
    scheme, _, rest = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        rest = rest.strip()
        good = re.fullmatch(r"[\w-]+\.[\w-]+\.[\w-]*", rest, re.ASCII)
        if rest and not good and request.endpoint not in ("pages.login", "pages.insecured"):
            return refuse("After Bearer comes a token and nothing else")
        request.environ["HTTP_AUTHORIZATION"] = f"Bearer {rest}"


@pages.get("/insecured")
def insecured():
    return page("For everybody")


@pages.post("/login")
def login():
    try:
        sent = request.authorization
    except ValueError:
        sent = None
    challenge = 'Basic realm="extended"'
    if not sent or sent.type != "basic":
        return page("Basic credentials, please", 401, challenge)
    usable = "\0" not in sent.password and len(sent.password.encode()) <= 1024
    user = run("SELECT * FROM person WHERE name = ?", sent.username)
    if not usable or not argon2id.verify(sent.password, user["hash"] if user else NOBODY):
        return page("No", 401, challenge)
    more = {"scope": "admin"} if user["admin"] else {}
    token = create_access_token(user["name"], additional_claims=more)
    lifetime = current_app.config["TOKEN_LIFETIME"]
    answer = jsonify(access_token=token, token_type="Bearer", expires_in=lifetime)
    answer.cache_control.no_store = True
    return answer


@pages.get("/secured")
@jwt_required()
def secured():
    return page(f"Hello, {get_current_user()['name']}!")


@pages.get("/admin")
@jwt_required()
def admin():
    if get_jwt().get("scope") != "admin":
        wants = 'error="insufficient_scope", scope="admin"'
        return page("For admins", 403, f'Bearer realm="extended", {wants}')
    return page("Hello, admin!")


@pages.post("/logout")
@jwt_required()
def logout():
    claims = get_jwt()
    run("DELETE FROM gone WHERE until < ?", time.time() - 3600)
    run("INSERT OR IGNORE INTO gone VALUES (?, ?)", claims["jti"], claims["exp"])
    return "", 204


def create_app():
    app = Flask(__name__)
    app.config.from_mapping(DATABASE="extended.db", TOKEN_LIFETIME=180)
    app.config.from_prefixed_env()
    key = str(app.config["SECRET_KEY"] or "")
    if len(key.encode()) < 32:
        raise SystemExit("FLASK_SECRET_KEY is too short: make one of 32 bytes or more.")
    app.config.from_mapping(
        JWT_SECRET_KEY=key,
        JWT_ACCESS_TOKEN_EXPIRES=timedelta(seconds=app.config["TOKEN_LIFETIME"]),
        JWT_ENCODE_ISSUER=US,
        JWT_DECODE_ISSUER=US,
        JWT_ENCODE_AUDIENCE=US,
        JWT_DECODE_AUDIENCE=US,
        JWT_ENCODE_NBF=False,
        JWT_DECODE_LEEWAY=3,  # seconds, for all times
    )
    jwt.init_app(app)
    app.register_blueprint(pages)
    for error in (PyJWTError, JWTExtendedException, UnicodeError, RecursionError, ValueError):
        app.register_error_handler(error, invalid)
    with app.app_context():
        run("CREATE TABLE IF NOT EXISTS gone (jti PRIMARY KEY, until)")
        run("CREATE TABLE IF NOT EXISTS person (name PRIMARY KEY, hash, admin)")
        for name, password, is_admin in [("user1", "pass1", 1), ("user2", "pass2", 0)]:
            values = name, argon2id.hash(password), is_admin
            run("INSERT OR IGNORE INTO person VALUES (?, ?, ?)", *values)
    return app


app = create_app()
