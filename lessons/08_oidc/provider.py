# /// script
# requires-python = ">=3.11"
# dependencies = ["authlib>=1.6.6", "flask>=3.1", "joserfc>=1.0", "libpass[argon2]>=1.9", "requests>=2.32"]
# ///
"""Lesson 08's provider: it checks the password, so that other sites need not (OpenID Connect).

It is for teaching: small enough to be read, on Authlib's server, and all in memory, so a restart
ends every login and makes a new key. It leaves out what you would want of a real one: a second
factor (lesson 05), a limit on guesses (lesson 02), a memory for what a user has allowed, refresh
tokens, a way for clients to register, `prompt=none`, and TLS.
"""

import hmac
import json
import secrets
import time
from dataclasses import dataclass, field
from pathlib import Path

import requests
from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import ClientMixin
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oauth2.rfc9068 import JWTBearerTokenGenerator
from authlib.oauth2.rfc9207 import IssuerParameter
from authlib.oidc.core import AuthorizationCodeMixin, UserInfo
from authlib.oidc.core.grants import OpenIDCode
from flask import Flask, abort, redirect, render_template, request, session, url_for
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey
from passlib.hash import argon2

app = Flask(__name__)
app.config.from_mapping(ISSUER="http://localhost:5018", KEY_LIFETIME=86400, CLIENTS="")
app.config.update(SESSION_COOKIE_NAME="lesson08-provider", SESSION_COOKIE_SAMESITE="Lax")
app.config.from_prefixed_env()  # FLASK_ISSUER, FLASK_CLIENTS (a JSON file like CLIENTS) and so on
app.secret_key = secrets.token_hex(32)
ISSUER = app.config["ISSUER"]
LOGOUT = "http://schemas.openid.net/event/backchannel-logout"
argon2id = argon2.using(type="ID", memory_cost=19456, rounds=2, parallelism=1)  # lesson 01
NOBODY = argon2id.hash(secrets.token_hex())  # an unknown user costs a hash as well
USERS = {  # `sub` never changes and is never given to anybody else; a name or an address may be
    "user1": {"sub": "6d5e8c1f", "hash": argon2id.hash("pass1"), "email": "user1@example.com"},
    "user2": {"sub": "b90a4e27", "hash": argon2id.hash("pass2"), "email": "user2@example.com"},
}
APP = "http://localhost:5008"
CLIENTS = {  # the sites that may ask; their addresses count to the letter (RFC 9700 2.1)
    "lesson-08": {
        "secret": "pass8",
        "redirect_uris": [f"{APP}/callback"],
        "post_logout_redirect_uris": [f"{APP}/public"],
        "backchannel_logout_uri": f"{APP}/backchannel-logout",
        "resources": [f"{APP}/api"],
    }
}
keys, logins, codes, tokens = [], {}, {}, {}  # keys: the newest first, with when they were made


@dataclass
class Login:
    """Somebody's session here, which goes by `sid` at the clients."""

    name: str
    sid: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    since: int = field(default_factory=lambda: int(time.time()))
    clients: set = field(default_factory=set)  # who gets a logout token when it ends


class Client(dict, ClientMixin):
    """A site that may ask, as it is registered."""

    def get_client_id(self):
        return self["id"]

    def get_default_redirect_uri(self):
        return None  # it always has to be named

    def get_allowed_scope(self, scope):
        return " ".join(s for s in (scope or "").split() if s in ("openid", "profile", "email"))

    def check_redirect_uri(self, uri):
        return uri in self["redirect_uris"]

    def check_client_secret(self, secret):
        return hmac.compare_digest(self["secret"].encode(), secret.encode())

    def check_endpoint_auth_method(self, method, endpoint):
        return method == "client_secret_basic"

    def check_response_type(self, kind):
        return kind == "code"

    def check_grant_type(self, kind):
        return kind == "authorization_code"


@dataclass
class Code(AuthorizationCodeMixin):
    """What a code stands for: who allowed what to whom."""

    login: Login
    client_id: str
    redirect_uri: str
    scope: str
    nonce: str
    resource: str
    code_challenge: str
    code_challenge_method: str
    until: float

    get_redirect_uri = lambda self: self.redirect_uri
    get_scope = lambda self: self.scope
    get_nonce = lambda self: self.nonce
    get_auth_time = lambda self: self.login.since
    get_acr = get_amr = lambda self: None
    get_user_id = lambda self: USERS[self.login.name]["sub"]


class CodeGrant(AuthorizationCodeGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = ["client_secret_basic"]

    def save_authorization_code(self, code, asked):
        values = [asked.payload.data.get(name) for name in ("nonce", "resource")]
        values += [asked.payload.data.get(f"code_challenge{end}") for end in ("", "_method")]
        where = asked.payload.redirect_uri
        codes[code] = Code(
            asked.user, asked.client["id"], where, asked.scope, *values, time.time() + 60
        )

    def query_authorization_code(self, code, client):
        found = codes.pop(code, None)  # a code gets one try, whoever makes it
        ours = found and found.client_id == client["id"] and found.until > time.time()
        return found if ours else None

    def delete_authorization_code(self, code):
        code.login.clients.add(code.client_id)

    def authenticate_user(self, code):
        return code  # who it is, and what was allowed


class S256(CodeChallenge):  # not "plain", which proves nothing to who has seen the request
    SUPPORTED_CODE_CHALLENGE_METHOD = ["S256"]
    DEFAULT_CODE_CHALLENGE_METHOD = "S256"


class OpenID(OpenIDCode):
    def exists_nonce(self, nonce, asked):
        return False  # comparing it is the client's part

    def get_client_claims(self, client):
        return {"iss": ISSUER, "aud": client["id"], "exp": int(time.time()) + 300}

    def get_authorization_code_claims(self, code):
        return {**super().get_authorization_code_claims(code), "sid": code.login.sid}

    def get_encode_header(self, client):
        return {"alg": "RS256", "kid": keys[0][1].kid}

    def resolve_client_private_key(self, client):
        return keys[0][1]

    def generate_user_info(self, code, scope):
        return UserInfo(sub=code.get_user_id())  # all else is at /userinfo (OIDC Core 5.4)


class AccessTokens(JWTBearerTokenGenerator):  # RFC 9068: an API can read them
    def get_jwks(self):
        return KeySet([keys[0][1]])

    def get_audiences(self, client, code, scope):
        return code.resource or ISSUER  # the one place where it counts (RFC 8707)


class Issuer(IssuerParameter):  # so that the client knows whose answer it has (RFC 9207)
    def get_issuer(self):
        return ISSUER


def find_client(id):
    file = app.config["CLIENTS"]
    found = (json.loads(Path(file).read_text("utf-8")) if file else CLIENTS).get(id)
    return Client(found, id=id) if found else None


def save_token(token, asked):
    tokens[token["access_token"]] = asked.user, token["scope"], time.time() + token["expires_in"]


server = AuthorizationServer(app, find_client, save_token)
server.register_token_generator("default", AccessTokens(ISSUER))
server.register_grant(CodeGrant, [S256(required=True), OpenID()])
server.register_extension(Issuer())


@app.get("/.well-known/openid-configuration")
def metadata():
    places = ["authorize", "token", "userinfo", "jwks", "end_session"]
    authorize, token, userinfo, jwks, end_session = (f"{ISSUER}/{place}" for place in places)
    return {
        "issuer": ISSUER,
        "authorization_endpoint": authorize,
        "token_endpoint": token,
        "userinfo_endpoint": userinfo,
        "jwks_uri": jwks,
        "end_session_endpoint": end_session,
        "scopes_supported": ["openid", "profile", "email"],
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
        "backchannel_logout_supported": True,
        "backchannel_logout_session_supported": True,
    }


@app.get("/jwks")
def jwks():
    return KeySet([key for _, key in keys]).as_dict()


@app.before_request
def rotate_keys():
    """Make a new key now and then. The last one stays published: tokens signed with it live on."""
    if not keys or time.time() - keys[0][0] > app.config["KEY_LIFETIME"]:
        new = RSAKey.generate_key(2048, {"use": "sig", "alg": "RS256"}, auto_kid=True)
        keys[:] = [(time.time(), new), *keys[:1]]


@app.route("/authorize", methods=["GET", "POST"])
def authorize():
    """Ask who it is, then whether the client may know, and send the browser back with a code."""
    login = logins.get(session.get("id"))
    try:
        grant = server.get_consent_grant(end_user=login)
        client = grant.client
        resource = request.values.get("resource")
        if resource and resource not in client.get("resources", ()):
            raise OAuth2Error(error="invalid_target", redirect_uri=grant.redirect_uri)
    except OAuth2Error as error:
        answer = server.handle_error_response(request, error)
        Issuer().add_issuer_parameter(server, answer)
        return answer
    if request.method == "POST":
        refuse_forged_form()
    if "username" in request.form:
        login = log_in(request.form["username"], request.form.get("password", ""))
        if not login:
            return page("login.html", 403, error="User name or password is wrong.")
    elif "decision" in request.form and login:
        who = login if request.form["decision"] == "yes" else None
        return server.create_authorization_response(grant_user=who, grant=grant)
    elif not login or grant.prompt == "login":
        return page("login.html")
    return page("consent.html", login=login, client=client["id"], scope=grant.request.scope)


def log_in(name, password):
    """Return a new login if the pair is right, else None."""
    user = USERS.get(name)
    right = argon2id.verify(password[:1024], user["hash"] if user else NOBODY)
    if not (user and right):
        return None
    logins.pop(session.get("id"), None)
    session.clear()
    session["id"] = secrets.token_urlsafe(32)
    return logins.setdefault(session["id"], Login(name))


@app.post("/token")
def token():
    return server.create_token_response()


@app.route("/userinfo", methods=["GET", "POST"])
def userinfo():
    sent = request.authorization
    code, scope, until = tokens.get(sent.token if sent else None, (None, "", 0))
    if until < time.time() or sent.type != "bearer" or code.resource:
        abort(401)
    user = USERS[code.login.name]
    told = UserInfo(user, name=code.login.name, email_verified=True)
    return told.filter(scope)


@app.route("/end_session", methods=["GET", "POST"])
def end_session():
    """Ask whether the login here shall end as well; tell the clients, and go back to one."""
    login, client = logins.get(session.get("id")), find_client(request.values.get("client_id"))
    if login and request.method == "GET":
        return page("logout.html", login=login)
    if login:
        refuse_forged_form()
        logins.pop(session["id"], None)
        session.clear()
        for id in login.clients:
            tell(find_client(id), login)
    back = request.values.get("post_logout_redirect_uri")
    if client and back in client["post_logout_redirect_uris"]:
        return redirect(back)
    return page("logout.html", login=None)


def tell(client, login):
    """Send a client a logout token: server to server, no browser takes part."""
    now, sub = int(time.time()), USERS[login.name]["sub"]
    claims = {"iss": ISSUER, "aud": client["id"], "sub": sub, "sid": login.sid}
    claims |= {
        "iat": now,
        "exp": now + 120,
        "jti": secrets.token_urlsafe(16),
        "events": {LOGOUT: {}},
    }
    header = {"alg": "RS256", "typ": "logout+jwt", "kid": keys[0][1].kid}
    form = {"logout_token": jwt.encode(header, claims, keys[0][1])}
    try:
        requests.post(client["backchannel_logout_uri"], form, timeout=2).raise_for_status()
    except requests.RequestException as error:
        app.logger.error("%s was not told of a logout: %s", client["id"], type(error).__name__)


def page(template, status=200, **values):
    csrf = session.setdefault("csrf", secrets.token_urlsafe(16))
    return render_template(f"provider/{template}", csrf=csrf, **values), status


def refuse_forged_form():
    """Refuse a form that no page of ours has sent (lesson 06)."""
    kept, sent = session.get("csrf", ""), request.form.get("csrf", "")
    if not kept or not hmac.compare_digest(kept.encode(), sent.encode()):
        abort(400, "This form is too old, or it came without its cookie. Reload it and try again.")


@app.after_request
def add_headers(response):
    response.headers["Cache-Control"] = "no-store"
    response.headers["Content-Security-Policy"] = "default-src 'none'; frame-ancestors 'none'"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


if __name__ == "__main__":
    app.run(port=5018, debug=False)
