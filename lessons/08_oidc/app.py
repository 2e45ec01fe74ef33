# /// script
# requires-python = ">=3.11"
# dependencies = ["authlib>=1.6.6", "flask>=3.1", "joserfc>=1.0", "requests>=2.32.2"]
# ///
"""Lesson 08, done right: OpenID Connect (OIDC) with Authlib.

A provider checks the password. The browser carries a code from there to here; the server exchanges
it for an ID token, which is signed and says who logged in. Nothing that the browser brings is
believed: it must belong to a login that this browser began here, and count for the first time.
"""

import re

from authlib.integrations.flask_client import OAuth
from authlib.oauth2.claims import JWTClaims
from flask import Flask, abort, redirect, render_template, request, url_for
from joserfc.errors import JoseError
from requests import RequestException

import sessions
import store
from client import DOWN, Provider

app = Flask(__name__)
LEEWAY = 10  # seconds by which the provider's clock may differ from ours
LOGOUT = "http://schemas.openid.net/event/backchannel-logout"


@app.get("/login")
def login():
    """Send the browser to the provider, and note what will show that the answer is for it."""
    # What Authlib makes here: state ties the answer to this login, nonce the ID token, and the code
    # counts only with the verifier of the challenge that the address holds (PKCE, RFC 7636).
    asked = provider.ask(provider.create_authorization_url, url_for("callback", _external=True))
    store.keep_login(asked["state"], sessions.browser(), asked["nonce"], asked["code_verifier"])
    return redirect(asked["url"])


@app.get("/callback")
def callback():
    """Take the code that the browser brings, and log in whom the provider names for it."""
    begun = store.take_login(request.args.get("state"), sessions.browser())
    if not begun:
        abort(400, "This login was not begun in this browser, or it is over. Begin at /login.")
    # Else another provider could have us bring it a code of this one (mix-up, RFC 9207).
    document, issuer = provider.ask(provider.load_server_metadata), app.config["ISSUER"]
    named = document.get("authorization_response_iss_parameter_supported")
    if request.args.get("iss", None if named else issuer) != issuer:
        abort(400, "This answer is not from the provider that was asked. Begin at /login.")
    if request.args.get("error") == "access_denied":
        abort(400, "You said no at the provider, so nobody is logged in.")
    if not request.args.get("code"):
        abort(400, "The provider sent no code, so nobody is logged in.")
    token = provider.ask(redeem, request.args["code"], begun["verifier"])
    claims = claims_of(token["id_token"], begun["nonce"])
    person = claims if "name" in claims else provider.ask(provider.userinfo, token=token)
    if person.get("sub") != claims["sub"]:  # OIDC Core 5.3.2
        abort(400, "The provider tells about somebody else than who logged in.")
    # The pair is the account. Somebody else may have the same name or mail address, now or later.
    name = "".join(filter(str.isprintable, str(person.get("name") or claims["sub"])))[:100]
    sessions.begin(store.account_of(issuer, claims["sub"], name), claims.get("sid"))
    return redirect(url_for("index"), 303)  # the tokens are forgotten here


def redeem(code, verifier):
    """Return what the provider gives for a code: an ID token, and an access token for itself."""
    where = url_for("callback", _external=True)
    token = provider.fetch_access_token(where, code=code, code_verifier=verifier)
    kept = {name: token[name] for name in ("id_token", "access_token")}
    return {**kept, "token_type": "Bearer"}


def claims_of(token, nonce=None, kind=None, needed=(), audience=None):
    """Return what a token of the provider's says, all checked; answer 400 if it does not count."""
    provider.ask(provider.fetch_jwk_set)
    wanted = {name: {"essential": True} for name in ("iat", "exp", *needed)}
    wanted["iss"] = {"essential": True, "value": app.config["ISSUER"]}
    wanted["aud"] = {"essential": True, "value": audience or app.config["CLIENT_ID"]}
    try:
        claims = provider.parse_id_token({"id_token": token}, nonce, wanted, kind, LEEWAY)
        for name in {"sub", "sid", "jti"} & set(claims):  # sub: OIDC Core 2
            if not re.fullmatch(r"[ -~]{1,255}", claims[name]):
                raise ValueError(name)
    except RequestException:
        abort(503, DOWN)
    except Exception as error:  # what is no token raises whatever fits
        reason = str(error) if isinstance(error, JoseError) else "it can't be read"
        reason = reason[:100].encode("ascii", "replace").decode()  # it may quote the token's header
        abort(400, f"The provider's token does not count: {reason}.")
    return claims


@app.get("/public")
def public():
    return "Hello, whoever you are!\n"


@app.get("/")
def index():
    user = sessions.find()
    if not user:
        return redirect(url_for("login"))
    page = render_template("hello.html", user=user, csrf=sessions.csrf_token())
    return page, {"Content-Type": "text/html; charset=utf-8"}


@app.post("/logout")
def logout():
    """End the session here, and have the browser ask the provider to end its own."""
    sessions.refuse_forged_form()
    sessions.end()
    back = url_for("public", _external=True)
    # The provider asks the user, since no id_token_hint comes along: no token has to be kept.
    asked = provider.ask(provider.create_logout_url, back, client_id=app.config["CLIENT_ID"])
    return redirect(asked["url"], 303)


@app.post("/backchannel-logout")
def backchannel_logout():
    """End the sessions that the provider names, in a signed token and without any browser."""
    token = request.form.get("logout_token", "")
    claims = claims_of(token, None, JWTClaims, ["jti", "events"])
    event = claims["events"].get(LOGOUT) if isinstance(claims["events"], dict) else None
    sub, sid = claims.get("sub"), claims.get("sid")
    # An ID token has a nonce and no event, so it does not pass for one (Back-Channel Logout 2.6).
    if not isinstance(event, dict) or "nonce" in claims or not (sub or sid):
        abort(400, "This is no logout token.")
    if not store.first_use(claims["jti"], claims["exp"]):
        abort(400, "This logout token was used before.")
    sessions.end_of(app.config["ISSUER"], sub, sid)
    return ""


store.set_up(app, LOGIN_LIFETIME=600, IDLE_TIMEOUT=1800, ABSOLUTE_TIMEOUT=43200)
provider = OAuth(app).register(
    "provider",
    client_cls=Provider,
    client_id=app.config["CLIENT_ID"],
    client_secret=app.config["CLIENT_SECRET"],
    server_metadata_url=app.config["ISSUER"].rstrip("/") + "/.well-known/openid-configuration",
    client_kwargs={
        "scope": "openid profile email",
        "code_challenge_method": "S256",
        "default_timeout": 3,  # seconds of silence
    },
)

if __name__ == "__main__":
    app.run(port=5008, debug=False)
