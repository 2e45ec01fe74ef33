# /// script
# requires-python = ">=3.11"
# dependencies = [
#     "authlib>=1.6.6", "flask>=3.1", "joserfc>=1.0", "libpass[argon2]>=1.9", "requests>=2.32"
# ]
# ///
"""Lesson 08's provider: it checks the password, so that other sites need not (OpenID Connect).

It is for teaching: small enough to be read, on Authlib's server, with everything in memory, so a
restart ends every login and makes a new key. It leaves out what you would want of a real one: TLS,
a second factor (lesson 05), a limit on guesses (lesson 02), a memory for what a user has allowed,
refresh tokens, `prompt=none`, `id_token_hint`, and a way for sites to register.
"""

import hmac
import secrets
import time
from types import SimpleNamespace

import requests
from authlib.common.urls import add_params_to_uri
from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oauth2.rfc9068 import JWTBearerTokenGenerator
from authlib.oauth2.rfc9207 import IssuerParameter
from authlib.oidc.core import UserInfo
from authlib.oidc.core.grants import OpenIDCode
from flask import Flask, abort, redirect, render_template, request, session
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey
from provider_store import SCOPES, USERS, check_password, find_client, register

app = Flask(__name__)
app.config.update(ISSUER="http://localhost:5018", CLIENT="http://localhost:5008", CLIENTS={})
app.config.update(SESSION_COOKIE_NAME="lesson08-provider", SESSION_COOKIE_SAMESITE="Lax")
app.config.update(SECRET_KEY=secrets.token_hex(32), KEY_LIFETIME=86400, MAX_CONTENT_LENGTH=16384)
app.config.from_prefixed_env()  # FLASK_ISSUER, FLASK_CLIENT, FLASK_KEY_LIFETIME and so on
register(app)
ISSUER = app.config["ISSUER"]
LOGOUT = "http://schemas.openid.net/event/backchannel-logout"
keys, logins, codes, tokens = [], {}, {}, {}  # the newest key comes first


class Code(SimpleNamespace):
    """What a code stands for: who allowed what to whom."""

    def __getattr__(self, name):  # Authlib asks get_nonce(), get_scope() and so on
        return lambda: self.__dict__.get(name.removeprefix("get_"))


class CodeGrant(AuthorizationCodeGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = ["client_secret_basic"]

    def save_authorization_code(self, code, asked):
        names = ["redirect_uri", "nonce", "resource", "code_challenge", "code_challenge_method"]
        kept = {name: asked.payload.data.get(name) for name in names}
        kept |= {"login": asked.user, "client": asked.client, "scope": asked.scope}
        kept |= {"auth_time": asked.user.since, "user_id": asked.user.sub}
        codes[code] = Code(**kept, until=time.time() + 60)

    def query_authorization_code(self, code, client):
        found = codes.pop(code, None)  # a code gets one try, whoever makes it
        return found if found and found.client == client and found.until > time.time() else None

    def delete_authorization_code(self, code):
        code.login.clients.add(code.client["id"])  # they hear of it when this login ends

    def authenticate_user(self, code):
        return code


class S256(CodeChallenge):  # not "plain", which is no secret to whoever has seen the request
    SUPPORTED_CODE_CHALLENGE_METHOD = ["S256"]
    DEFAULT_CODE_CHALLENGE_METHOD = "S256"


class IDTokens(OpenIDCode):
    def exists_nonce(self, nonce, asked):
        return False  # it is the client that compares it

    def get_client_claims(self, client):
        return {"iss": ISSUER, "aud": client["id"], "exp": int(time.time()) + 300}

    def get_authorization_code_claims(self, code):
        return {**super().get_authorization_code_claims(code), "sid": code.login.sid}

    def get_encode_header(self, client):
        return {"alg": "RS256", "kid": keys[0].kid}

    def resolve_client_private_key(self, client):
        return keys[0]

    def generate_user_info(self, code, scope):
        return UserInfo(sub=code.login.sub)  # all else is at /userinfo (OIDC Core 5.4)


class AccessTokens(JWTBearerTokenGenerator):  # RFC 9068: an API can read them
    def get_jwks(self):
        return KeySet(keys[:1])

    def get_audiences(self, client, code, scope):
        return code.resource or ISSUER  # the one place where it counts (RFC 8707)


class Issuer(IssuerParameter):  # the client sees whose answer it has (RFC 9207)
    def get_issuer(self):
        return ISSUER


def save_token(token, asked):
    tokens[token["access_token"]] = asked.user, token["scope"], time.time() + token["expires_in"]


server = AuthorizationServer(app, find_client, save_token)
server.register_token_generator("default", AccessTokens(ISSUER))
server.register_grant(CodeGrant, [S256(), IDTokens()])
server.register_extension(Issuer())


@app.get("/.well-known/openid-configuration")
def metadata():
    """Say where everything is and what is understood here (OIDC Discovery 3)."""
    return {
        "issuer": ISSUER,
        "authorization_endpoint": f"{ISSUER}/authorize",
        "token_endpoint": f"{ISSUER}/token",
        "userinfo_endpoint": f"{ISSUER}/userinfo",
        "jwks_uri": f"{ISSUER}/jwks",
        "end_session_endpoint": f"{ISSUER}/end_session",
        "scopes_supported": SCOPES,
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
    return KeySet(keys).as_dict()


@app.before_request
def rotate_keys():
    """Make a new key now and then. The last one stays published: what it signed lives on."""
    if not keys or time.time() - keys[0]["iat"] > app.config["KEY_LIFETIME"]:
        about = {"use": "sig", "alg": "RS256", "iat": int(time.time())}
        keys[:] = [RSAKey.generate_key(2048, about, auto_kid=True), *keys[:1]]


@app.route("/authorize", methods=["GET", "POST"])
def authorize():
    """Ask who it is, then whether the site may know, and send the browser back with a code."""
    login = logins.get(session.get("id"))
    try:
        grant = server.get_consent_grant(end_user=login)
        resource = request.args.get("resource")
        if resource and resource not in grant.client.get("resources", []):
            raise OAuth2Error(error="invalid_target", redirect_uri=request.args["redirect_uri"])
    except OAuth2Error as error:
        error.state = request.args.get("state")
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
    return page("consent.html", login=login, client=grant.client["id"], scope=grant.request.scope)


def log_in(name, password):
    """Return a new login if the pair is right, else None."""
    user = check_password(name, password)
    if not user:
        return None
    logins.pop(session.get("id"), None)
    session.clear()
    session["id"], now = secrets.token_urlsafe(32), int(time.time())
    new = {"sid": secrets.token_urlsafe(16), "since": now, "clients": set()}
    return logins.setdefault(session["id"], SimpleNamespace(**user, **new))


@app.post("/token")
def token():
    return server.create_token_response()


@app.route("/userinfo", methods=["GET", "POST"])
def userinfo():
    """Say who the owner of an access token is, as far as the scope goes."""
    sent = request.authorization
    code, scope, until = tokens.get(sent.token if sent else None, (None, "", 0))
    if until < time.time() or code.resource:  # some are for an API and not for us
        return "This is no access token for /userinfo.\n", 401, {"WWW-Authenticate": "Bearer"}
    return UserInfo(USERS[code.login.name], email_verified=True).filter(scope)


@app.route("/end_session", methods=["GET", "POST"])
def end_session():
    """Ask whether the login here shall end as well; tell the sites, and go back to one of them."""
    login, client = logins.get(session.get("id")), find_client(request.args.get("client_id"))
    if login and request.method == "GET":
        return page("logout.html", login=login)
    if login:
        refuse_forged_form()
        logins.pop(session["id"], None)
        session.clear()
        for id in login.clients:
            tell(find_client(id), login)
    back, state = (request.args.get(name) for name in ("post_logout_redirect_uri", "state"))
    if client and back in client.get("post_logout_redirect_uris", []):
        return redirect(add_params_to_uri(back, {"state": state}) if state else back)
    return page("logout.html", login=None)


def tell(client, login):
    """Send a site a logout token, from server to server (Back-Channel Logout 2.5)."""
    claims = {"iss": ISSUER, "aud": client["id"], "sub": login.sub, "sid": login.sid}
    claims |= {"iat": int(time.time()), "exp": int(time.time()) + 120, "events": {LOGOUT: {}}}
    claims["jti"] = secrets.token_urlsafe(16)
    header = {"alg": "RS256", "kid": keys[0].kid, "typ": "logout+jwt"}
    form = {"logout_token": jwt.encode(header, claims, keys[0])}
    try:
        requests.post(client["backchannel_logout_uri"], form, timeout=2).raise_for_status()
    except (KeyError, requests.RequestException) as error:
        app.logger.error("%s was not told of a logout: %s", client["id"], type(error).__name__)


def page(template, status=200, **values):
    csrf = session.setdefault("csrf", secrets.token_urlsafe(16))
    return render_template(template, csrf=csrf, **values), status


def refuse_forged_form():
    """Refuse a form that no page of ours has sent (lesson 06)."""
    kept, sent = session.get("csrf", ""), request.form.get("csrf", "")
    if not kept or not hmac.compare_digest(kept.encode(), sent.encode()):
        abort(400, "This form is too old, or it came without its cookie. Reload it and try again.")


@app.errorhandler(ValueError)
def refuse(_):  # Authlib wants to repeat what was sent, and finds that it may not
    return "A parameter has characters that it may not have (RFC 6749, appendix A).\n", 400


@app.after_request
def add_headers(response):
    response.headers["Cache-Control"] = "no-store"
    response.headers["Content-Security-Policy"] = "default-src 'none'; frame-ancestors 'none'"
    return response


if __name__ == "__main__":
    app.run(port=5018, debug=False)
