"""An answer to lesson 08 without Authlib: requests, joserfc, and cookies of its own."""

import base64
import contextlib
import hashlib
import html
import secrets
import sqlite3
import sys
import time
from urllib.parse import urlencode

import requests
from flask import Flask, Response, redirect, request, url_for
from joserfc import jwt
from joserfc.errors import ExpiredTokenError, InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

app = Flask(__name__)
app.config.update(ISSUER="http://localhost:5018", CLIENT_ID="lesson-08", CLIENT_SECRET="pass8")
app.config.update(IDLE_TIMEOUT=1800, ABSOLUTE_TIMEOUT=43200, DATABASE="lesson08.db")
app.config.from_prefixed_env()
if len(str(app.config["SECRET_KEY"] or "")) < 32:
    sys.exit("FLASK_SECRET_KEY must be 32 bytes long, or longer.")
ISSUER, ID = app.config["ISSUER"], str(app.config["CLIENT_ID"])
TLS = app.config["SESSION_COOKIE_SECURE"]
PREFIX = "__Host-" if TLS else ""
EVENT = "http://schemas.openid.net/event/backchannel-logout"
DOWN = "The provider can't be reached, or says things that make no sense. Come back later."


class Failure(Exception):
    """A sentence for the user, and a status."""


def database(statement, *values):
    connection = sqlite3.connect(app.config["DATABASE"], isolation_level=None, timeout=20)
    with contextlib.closing(connection):
        cursor = connection.execute(statement, values)
        return cursor.fetchone() if cursor.description else cursor.rowcount


database("CREATE TABLE IF NOT EXISTS pending (id TEXT PRIMARY KEY, nonce TEXT, proof TEXT)")
database("""CREATE TABLE IF NOT EXISTS session
    (id TEXT PRIMARY KEY, iss TEXT, sub TEXT, sid TEXT, name TEXT, begun REAL, used REAL)""")


def hashed(*texts):
    return hashlib.sha256("|".join(texts).encode("utf-8", "replace")).hexdigest()


def cookie(name):
    return request.cookies.get(f"{PREFIX}{name}", "")


def give(response, name, value):
    response.set_cookie(f"{PREFIX}{name}", value, httponly=True, samesite="Lax", secure=TLS)


class Provider:
    """What is known of the provider: its document and its keys."""

    def __init__(self):
        self.document, self.keys, self.looked, self.known_until = None, None, 0, 0

    def fetch(self, address, form=None, **how):
        try:
            method = "POST" if form else "GET"
            answer = requests.request(method, address, data=form, timeout=3, **how)
            if form and answer.status_code == 400 and answer.json()["error"] == "invalid_grant":
                raise Failure("The provider knows no such code; begin again at /login.", 400)
            answer.raise_for_status()
            found = answer.json()
            if not isinstance(found, dict):
                raise ValueError("no object")
            return found
        except (requests.RequestException, ValueError, TypeError, KeyError) as error:
            app.logger.warning("provider: %s", type(error).__name__)
            raise Failure(DOWN, 503) from None

    def load(self):
        if self.document and time.time() < self.known_until:
            return self.document
        found = self.fetch(f"{ISSUER.rstrip('/')}/.well-known/openid-configuration")
        needed = ("authorization_endpoint", "token_endpoint", "jwks_uri", "end_session_endpoint")
        if found.get("issuer") != ISSUER or not all(isinstance(found.get(n), str) for n in needed):
            raise Failure(DOWN, 503)
        self.document, self.known_until, self.keys = found, time.time() + 600, None
        return found

    def key_set(self, anew=False):
        address = self.load()["jwks_uri"]
        if not self.keys or anew:
            found = self.fetch(address)
            try:
                self.keys = KeySet.import_key_set(found)
            except Exception:
                raise Failure(DOWN, 503) from None
        return self.keys

    def claims(self, token, nonce=None):
        """Return a token's claims, or raise Failure."""
        try:
            try:
                read = jwt.decode(token, self.key_set(), algorithms=["RS256"])
            except InvalidKeyIdError:
                if time.time() < self.looked + 15:  # strangers may send as many as they like
                    raise
                self.looked = time.time()
                read = jwt.decode(token, self.key_set(anew=True), algorithms=["RS256"])
            claims = read.claims
            registry = jwt.JWTClaimsRegistry(
                leeway=20,
                iss={"essential": True, "value": ISSUER},
                aud={"essential": True, "value": ID},
                iat={"essential": True},
                exp={"essential": True},
                **({"nonce": {"essential": True, "value": nonce}} if nonce else {}),
            )
            registry.validate(claims)
            if claims["aud"] not in (ID, [ID]) or claims.get("azp", ID) != ID:
                raise ValueError("for somebody else")
            for name in ("sub", "sid", "jti"):
                if not claims.get(name, "x").isascii() or claims.get(name) == "":
                    raise ValueError(name)
            return claims
        except Failure:
            raise
        except ExpiredTokenError:
            raise Failure("The provider's token has expired; begin again at /login.", 400) from None
        except (JoseError, Exception):
            raise Failure("The provider's token is not good; begin again at /login.", 400) from None


provider = Provider()


@app.errorhandler(Failure)
def failed(error):
    sentence, status = error.args
    return Response(sentence + "\n", status, mimetype="text/plain")


@app.after_request
def headers(response):
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Frame-Options"] = "DENY"
    return response


@app.get("/public")
def public():
    return Response("Anybody may read this.\n", mimetype="text/plain")


@app.get("/login")
def login():
    document = provider.load()
    state, nonce, proof = (secrets.token_urlsafe(32) for _ in range(3))
    challenge = base64.urlsafe_b64encode(hashlib.sha256(proof.encode()).digest())
    browser = cookie("lesson08-login") or secrets.token_urlsafe(16)
    database("INSERT INTO pending VALUES (?, ?, ?)", hashed(state, browser), nonce, proof)
    asked = {
        "response_type": "code",
        "client_id": ID,
        "redirect_uri": url_for("callback", _external=True),
        "scope": "openid profile email",
        "state": state,
        "nonce": nonce,
        "code_challenge": challenge.decode().rstrip("="),
        "code_challenge_method": "S256",
    }
    response = redirect(f"{document['authorization_endpoint']}?{urlencode(asked)}")
    give(response, "lesson08-login", browser)
    return response


@app.get("/callback")
def callback():
    asked = request.args
    key = hashed(asked.get("state", ""), cookie("lesson08-login"))
    row = database("SELECT nonce, proof FROM pending WHERE id = ?", key)
    if not row or not database("DELETE FROM pending WHERE id = ?", key):
        raise Failure("Nobody began this login here, or it has ended; go to /login.", 400)
    nonce, proof = row
    document = provider.load()
    always = document.get("authorization_response_iss_parameter_supported")
    if asked.get("iss", "" if always else ISSUER) != ISSUER:
        raise Failure("Another provider answered than was asked; go to /login.", 400)
    if asked.get("error") == "access_denied":
        raise Failure("You have said no to the provider, so you are not logged in.", 400)
    if not asked.get("code"):
        raise Failure("The provider has sent no code; go to /login.", 400)
    form = {
        "grant_type": "authorization_code",
        "code": asked["code"],
        "redirect_uri": url_for("callback", _external=True),
        "code_verifier": proof,
    }
    secret = (ID, str(app.config["CLIENT_SECRET"]))
    token = provider.fetch(document["token_endpoint"], form, auth=secret)
    if not isinstance(token.get("id_token"), str) or not token.get("access_token"):
        raise Failure(DOWN, 503)
    claims = provider.claims(token["id_token"], nonce)
    if "sub" not in claims:
        raise Failure("The provider names nobody.", 400)
    bearer = {"Authorization": f"Bearer {token['access_token']}"}
    about = provider.fetch(document["userinfo_endpoint"], headers=bearer)
    if about.get("sub") != claims["sub"]:
        raise Failure("The provider tells about somebody else.", 400)
    database("DELETE FROM session WHERE id = ?", hashed(cookie("lesson08")))
    name = str(about.get("name") or claims["sub"]).encode("utf-8", "replace").decode()
    id, now = secrets.token_urlsafe(32), time.time()
    values = [hashed(id), ISSUER, claims["sub"], claims.get("sid"), name, now, now]
    database("INSERT INTO session VALUES (?, ?, ?, ?, ?, ?, ?)", *values)
    response = redirect(url_for("index"))
    give(response, "lesson08", id)
    return response


def find_session():
    id, now = hashed(cookie("lesson08")), time.time()
    row = database("SELECT name, begun, used FROM session WHERE id = ?", id)
    if not row or now - row[2] >= app.config["IDLE_TIMEOUT"]:
        return None
    if now - row[1] >= app.config["ABSOLUTE_TIMEOUT"]:
        return None
    database("UPDATE session SET used = ? WHERE id = ?", now, id)
    return row[0]


def form_token():
    return hashed("csrf", cookie("lesson08"), str(app.config["SECRET_KEY"]))


@app.get("/")
def index():
    name = find_session()
    if name is None:
        return redirect(url_for("login"))
    return f"""<h1>Hello, {html.escape(name)}!</h1><form action="{url_for("logout")}" method="post">
        <input type="hidden" name="token" value="{form_token()}"><button>Log out</button></form>"""


@app.post("/logout")
def logout():
    if not secrets.compare_digest(request.form.get("token", "").encode(), form_token().encode()):
        raise Failure("This form is not from our page, or it is too old.", 403)
    database("DELETE FROM session WHERE id = ?", hashed(cookie("lesson08")))
    back = {"client_id": ID, "post_logout_redirect_uri": url_for("public", _external=True)}
    return redirect(f"{provider.load()['end_session_endpoint']}?{urlencode(back)}")


@app.post("/backchannel-logout")
def backchannel_logout():
    claims = provider.claims(request.form.get("logout_token", ""))
    events = claims.get("events")
    named = isinstance(events, dict) and isinstance(events.get(EVENT), dict)
    sub, sid = claims.get("sub"), claims.get("sid")
    if not named or "nonce" in claims or "jti" not in claims or not (sub or sid):
        raise Failure("This is not a logout token.", 400)
    if sid:
        database("DELETE FROM session WHERE iss = ? AND sid = ?", ISSUER, sid)
    else:
        database("DELETE FROM session WHERE iss = ? AND sub = ?", ISSUER, sub)
    return ""
