# /// script
# requires-python = ">=3.11"
# dependencies = ["flask>=3.1", "libpass[argon2]>=1.9", "pyjwt>=2.10"]
# ///
"""Lesson 04, done right: JSON Web Tokens (RFC 7519, 6750, 8725) with PyJWT.

The password is sent once, to /login. What comes back is a signed token that names its user
and its end; the client shows it instead of the password, in a header and nowhere else.
"""

import re
import secrets
import time
from functools import wraps

import jwt
from flask import Flask, abort, g, request

import store

app = Flask(__name__)
REALM = ISSUER = AUDIENCE = "Lesson 04"  # we issue the tokens, and they are meant for us
BASIC, BEARER = f'Basic realm="{REALM}", charset="UTF-8"', f'Bearer realm="{REALM}"'
CLAIMS = ["iss", "sub", "aud", "iat", "exp", "jti"]
LEEWAY = 5  # seconds by which the clock that set `iat` may be ahead of ours
TOKEN = re.compile(r"[\w-]+\.[\w-]+\.[\w-]*", re.ASCII)  # base64url without `=` (RFC 7515 2)


def token_required(view):
    """Let a view be called with a good token only, whose claims are then in g.claims."""

    @wraps(view)
    def wrapper(*args, **kwargs):
        sent = credentials("bearer")
        if not sent:  # no token at all: no error code (RFC 6750 3.1)
            refuse_with(401, BEARER, "Send a token from /login: Authorization: Bearer ...")
        if not TOKEN.fullmatch(sent.token or ""):
            refuse_token("Send Bearer once, a space, and the token alone: no quotes, no b''.")
        try:
            g.claims = claims_of(sent.token)
        except (jwt.InvalidTokenError, RecursionError, UnicodeError) as error:
            refuse_token(f"{error}. Get a new token from /login.")
        return view(*args, **kwargs)

    return wrapper


def claims_of(token):
    """Return a token's claims, all checked. Raises jwt.InvalidTokenError with the reason."""
    claims = jwt.decode(
        token,
        app.secret_key,
        algorithms=["HS256"],  # ours, never the one that the token asks for
        issuer=ISSUER,
        audience=AUDIENCE,
        # aud must be ours alone; iat is checked below, since a leeway here would hold for exp too.
        options={"require": CLAIMS, "strict_aud": True, "verify_iat": False},
    )
    if not type(claims["iat"]) is type(claims["exp"]) is int:
        raise jwt.InvalidTokenError("iat and exp must be whole numbers")
    if claims["iat"] > time.time() + LEEWAY:
        raise jwt.InvalidTokenError("It was issued in the future; compare the clocks")
    if claims["exp"] - claims["iat"] > app.config["TOKEN_LIFETIME"]:
        raise jwt.InvalidTokenError("It lives longer than any token from /login")
    if store.is_revoked(claims["jti"]):
        raise jwt.InvalidTokenError("It was logged out")
    if not store.find_user(claims["sub"]):
        raise jwt.InvalidTokenError("Its user does not exist")
    return claims


def credentials(scheme):
    """Return what the Authorization header holds if it is of this scheme, else None."""
    try:
        sent = request.authorization
    except ValueError:  # Werkzeug, when Basic comes with bytes beyond ASCII
        return None
    return sent if sent and sent.type == scheme else None


def refuse_token(sentence):
    # RFC 6750, section 3, allows so much in a description; proxies want it to be short.
    sentence = re.sub(r"[^ !#-\[\]-~]", "'", sentence[:200])
    details = f'error="invalid_token", error_description="{sentence}"'
    refuse_with(401, f"{BEARER}, {details}", sentence)


def refuse_with(status, challenge, sentence):
    abort(app.response_class(f"{sentence}\n", status, {"WWW-Authenticate": challenge}))


@app.get("/insecured")
def insecured():
    return "Hello, whoever you are!\n"


@app.get("/secured")
@token_required
def secured():
    return f"Hello, {g.claims['sub']}!\n"


@app.get("/admin")
@token_required
def admin():
    if g.claims.get("scope") != "admin":
        needs = f'{BEARER}, error="insufficient_scope", scope="admin"'
        refuse_with(403, needs, "Your token is good, but this is for admins.")
    return f"Hello, admin {g.claims['sub']}!\n"


@app.post("/login")
def login():
    """Exchange a user name and password for a token."""
    # jti is the token's own name, to revoke it by.
    return new_token(password_owner(), jti=secrets.token_hex(16)), {"Cache-Control": "no-store"}


def password_owner():
    """Return the user whose Basic credentials came along, or answer with a challenge."""
    sent = credentials("basic")
    if not sent:
        refuse_with(401, BASIC, "Send name and password in a header: Authorization: Basic ...")
    user = store.check_password(sent.username, sent.password)
    return user or refuse_with(401, BASIC, "User name or password is wrong.")


def new_token(user, jti):
    """Return the members of a login's answer (RFC 6749 5.1)."""
    now, lifetime = int(time.time()), app.config["TOKEN_LIFETIME"]
    claims = {"iss": ISSUER, "sub": user["name"], "aud": AUDIENCE}
    claims |= {"iat": now, "exp": now + lifetime, "jti": jti}
    if user["admin"]:
        claims["scope"] = "admin"
    token = jwt.encode(claims, app.secret_key, algorithm="HS256")
    return {"access_token": token, "token_type": "Bearer", "expires_in": lifetime}


@app.post("/logout")
@token_required
def logout():
    store.revoke(g.claims["jti"], g.claims["exp"])
    return "", 204


store.set_up(app, TOKEN_LIFETIME=180)

if __name__ == "__main__":
    app.run(port=5004, debug=False)
