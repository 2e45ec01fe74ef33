# /// script
# requires-python = ">=3.11"
# dependencies = [
#     "authlib>=1.6.6", "flask>=3.1", "joserfc>=1.0", "libpass[argon2]>=1.9", "requests>=2.32"
# ]
# ///
"""Lesson 08's provider: it checks the password, so that other sites need not (OpenID Connect).

It is for teaching: small enough to be read, on Authlib's server, with everything in memory, so a
restart ends every login and makes a new key, and nothing is forgotten before. It leaves out what
you would want of a real one: TLS, a second factor (lesson 05), a limit on guesses (lesson 02), a
memory for what a user has allowed, refresh tokens, `prompt=none`, `id_token_hint`, and a way for
sites to register.
"""

import secrets
import time

import provider_store as store
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
from flask import Flask, redirect, request
from joserfc import jwt
from joserfc.jwk import KeySet
from provider_store import codes, find_client, keys, page

app = Flask(__name__)
store.set_up(app)
ISSUER = app.config["ISSUER"]
LOGOUT = "http://schemas.openid.net/event/backchannel-logout"


class CodeGrant(AuthorizationCodeGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = ["client_secret_basic"]

    def save_authorization_code(self, code, asked):
        names = ["redirect_uri", "nonce", "resource", "code_challenge", "code_challenge_method"]
        kept = {name: asked.payload.data.get(name) for name in names}
        kept |= {"login": asked.user, "client": asked.client, "scope": asked.scope}
        kept |= {"auth_time": asked.user.since, "user_id": asked.user.sub}
        codes[code] = store.Code(**kept, code=code, until=time.time() + 60)

    def query_authorization_code(self, code, client):
        return store.take_code(code, client)

    def delete_authorization_code(self, code):
        """There is nothing left to do: to look for it was to take it."""

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
        return {"alg": "RS256", "kid": keys[1].kid}

    def resolve_client_private_key(self, client):
        return keys[1]

    def generate_user_info(self, code, scope):
        return UserInfo(sub=code.login.sub)  # all else is at /userinfo (OIDC Core 5.4)


class AccessTokens(JWTBearerTokenGenerator):  # RFC 9068: an API can read them
    def get_jwks(self):
        return KeySet(keys[1:2])

    def get_audiences(self, client, code, scope):
        return code.resource or ISSUER  # the one place where it counts (RFC 8707)


class Issuer(IssuerParameter):  # the client sees whose answer it has (RFC 9207)
    def get_issuer(self):
        return ISSUER


server = AuthorizationServer(app, find_client, store.save_token)
lifetime = {"expires_generator": lambda client, grant: 300}  # seconds
server.register_token_generator("default", AccessTokens(ISSUER, **lifetime))
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
        "scopes_supported": store.SCOPES,
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


@app.route("/authorize", methods=["GET", "POST"])
def authorize():
    """Ask who it is, then whether the site may know, and send the browser back with a code."""
    login = store.find_login()
    try:
        grant = server.get_consent_grant(end_user=login)
        resource = request.values.get("resource")  # from where Authlib takes it: a form as well
        if resource and resource not in grant.client.get("resources", []):
            raise OAuth2Error(error="invalid_target", redirect_uri=grant.redirect_uri)
    except OAuth2Error as error:
        error.state = request.args.get("state")
        answer = server.handle_error_response(request, error)
        Issuer().add_issuer_parameter(server, answer)
        return answer
    if request.method == "POST":
        store.refuse_forged_form()
    if "username" in request.form:
        login = store.log_in(request.form["username"], request.form.get("password", ""))
        if not login:
            return page("login.html", 403, error="User name or password is wrong.")
    elif "decision" in request.form and login:
        who = login if request.form["decision"] == "yes" else None
        return server.create_authorization_response(grant_user=who, grant=grant)
    elif not login or grant.prompt == "login":
        return page("login.html")
    return page("consent.html", login=login, client=grant.client["id"], scope=grant.request.scope)


@app.post("/token")
def token():
    return server.create_token_response()


@app.route("/userinfo", methods=["GET", "POST"])
def userinfo():
    """Say who the owner of an access token is, as far as the scope goes."""
    sent = request.authorization
    code, scope = store.find_token(sent.token if sent else None)
    if not code or code.resource:  # some are for an API and not for us
        return "This is no access token for /userinfo.\n", 401, {"WWW-Authenticate": "Bearer"}
    return UserInfo(store.USERS[code.login.name], email_verified=True).filter(scope)


@app.route("/end_session", methods=["GET", "POST"])
def end_session():
    """Ask whether the login here shall end as well; tell the sites, and go back to one of them."""
    login, client = store.find_login(), find_client(request.args.get("client_id"))
    if login and request.method == "GET":
        return page("logout.html", login=login)
    if login:
        store.refuse_forged_form()
        store.log_out()
        for id in list(login.clients):
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
    header = {"alg": "RS256", "kid": keys[1].kid, "typ": "logout+jwt"}
    form = {"logout_token": jwt.encode(header, claims, keys[1])}
    try:
        requests.post(client["backchannel_logout_uri"], form, timeout=2).raise_for_status()
    except (KeyError, requests.RequestException) as error:
        app.logger.error("%s was not told of a logout: %s", client["id"], type(error).__name__)


if __name__ == "__main__":
    app.run(port=5018, debug=False)
