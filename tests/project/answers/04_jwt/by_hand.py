"""An answer to lesson 04 with another JWT library, joserfc, and decorators of its own."""

import functools
import sqlite3
import sys
import time
import uuid

import argon2
from flask import Flask, request
from joserfc import jwt
from joserfc.errors import ExpiredTokenError, InvalidClaimError, JoseError
from joserfc.jwk import OctKey

app = Flask(__name__)
app.config.update(DATABASE="lesson04.db", TOKEN_LIFETIME=180)
app.config.from_prefixed_env()
if len(str(app.config["SECRET_KEY"] or "")) < 32:
    sys.exit("FLASK_SECRET_KEY must be 32 bytes long, or longer.")
KEY = OctKey.import_key(str(app.config["SECRET_KEY"]))
LIFETIME = app.config["TOKEN_LIFETIME"]
WE = "lesson 4"
hasher = argon2.PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)  # Argon2id


def database(statement, *values):
    connection = sqlite3.connect(app.config["DATABASE"], isolation_level=None)
    try:
        return connection.execute(statement, values).fetchone()
    finally:
        connection.close()


def make_token(name, role):
    now = int(time.time())
    claims = {
        "iss": WE,
        "aud": WE,
        "sub": name,
        "iat": now,
        "exp": now + LIFETIME,
        "jti": uuid.uuid4().hex,
        "role": role,
    }
    return jwt.encode({"alg": "HS256"}, claims, KEY)


class Claims(jwt.JWTClaimsRegistry):
    def validate_iat(self, value):
        """Let the clock that made a token be a little ahead; exp gets no such leeway."""
        if type(value) is not int or value > time.time() + 3:
            raise InvalidClaimError("iat")


def read_token(text):
    """Return a token's claims, or raise ValueError with what is wrong."""
    if text.count(".") != 2 or set(text) & set(" \"'"):
        raise ValueError("This is no token: send Bearer, a space and the token, with nothing else.")
    registry = Claims(
        iss={"essential": True, "value": WE},
        aud={"essential": True, "value": WE},
        sub={"essential": True},
        iat={"essential": True},
        exp={"essential": True},
        jti={"essential": True},
    )
    try:
        claims = jwt.decode(text, KEY, algorithms=["HS256"]).claims
        registry.validate(claims)
    except ExpiredTokenError:
        raise ValueError("The token has expired, so log in again.") from None
    except (JoseError, ValueError, RecursionError):
        raise ValueError("The token is not one of ours, so log in.") from None
    if claims["exp"] - claims["iat"] > LIFETIME:
        raise ValueError("The token lasts longer than ours do.")
    if database("SELECT 1 FROM revoked WHERE jti = ?", claims["jti"]):
        raise ValueError("The token was taken back, so log in again.")
    if not database("SELECT 1 FROM users WHERE name = ?", claims["sub"]):
        raise ValueError("The user of this token is gone.")
    return claims


def authorization():
    """Return the scheme, in small letters, and what follows it."""
    scheme, _, rest = request.headers.get("Authorization", "").partition(" ")
    return scheme.lower(), rest.strip()


def challenge(status, sentence, **parameters):
    parameters = {"realm": WE, **parameters}
    text = ", ".join(f'{name}="{value}"' for name, value in parameters.items())
    return f"{sentence}\n", status, {"WWW-Authenticate": f"Bearer {text}"}


def bad_token(why):
    return challenge(401, why, error="invalid_token", error_description=why)


def token_required(role=None):
    def decorate(view):
        @functools.wraps(view)
        def wrapper():
            scheme, token = authorization()
            if scheme != "bearer":
                return challenge(401, "You need a token from /login.")
            try:
                claims = read_token(token)
            except UnicodeError:
                return bad_token("The token can't be read.")
            except ValueError as error:
                return bad_token(str(error))
            if role and claims.get("role") != role:
                return challenge(403, "Not for you.", error="insufficient_scope", scope=role)
            return view(claims)

        return wrapper

    return decorate


def right_password(name, password):
    if len(password.encode()) > 1024 or "\0" in password:
        return None
    find = "SELECT hash, role FROM users WHERE name = ?"
    row = database(find, name)
    try:
        hasher.verify(row[0] if row else NOBODY, password)
    except argon2.exceptions.VerificationError:
        return None
    # Somebody may have changed it during the hash.
    return row if row == database(find, name) else None


@app.route("/insecured")
def insecured():
    return "This page is for all."


@app.route("/login", methods=["POST"])
def login():
    try:
        sent = request.authorization if authorization()[0] == "basic" else None
    except ValueError:  # bytes beyond ASCII
        sent = None
    row = right_password(sent.username, sent.password) if sent else None
    if not row:
        why = "That is not your password." if sent else "Send a name and a password by Basic."
        return f"{why}\n", 401, {"WWW-Authenticate": f'Basic realm="{WE}"'}
    token = make_token(sent.username, row[1])
    answer = {"access_token": token, "token_type": "Bearer", "expires_in": LIFETIME}
    return answer, 200, {"Cache-Control": "no-store", "Pragma": "no-cache"}


@app.route("/secured")
@token_required()
def secured(claims):
    return f"Hello, {claims['sub']}!"


@app.route("/admin")
@token_required(role="admin")
def admin(claims):
    return f"Hello, {claims['sub']}, you run this place."


@app.route("/logout", methods=["POST"])
@token_required()
def logout(claims):
    database("DELETE FROM revoked WHERE exp < ?", time.time())
    database("INSERT OR IGNORE INTO revoked VALUES (?, ?)", claims["jti"], claims["exp"])
    return "", 204


NOBODY = hasher.hash(uuid.uuid4().hex)
database("CREATE TABLE IF NOT EXISTS revoked (jti PRIMARY KEY, exp)")
database("CREATE TABLE IF NOT EXISTS users (name PRIMARY KEY, hash, role)")
for person, secret, job in [("user1", "pass1", "admin"), ("user2", "pass2", "user")]:
    database("INSERT OR IGNORE INTO users VALUES (?, ?, ?)", person, hasher.hash(secret), job)

if __name__ == "__main__":
    app.run(port=5004)
