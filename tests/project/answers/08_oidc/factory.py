"""An answer to lesson 08 with a factory, and Authlib's redirect and callback as in its manual.

Authlib keeps what it needs for the callback in Flask's session; here a table keeps it instead.
"""

import json
import time

from authlib.integrations.flask_client import FlaskIntegration, FlaskOAuth2App, OAuth, OAuthError
from authlib.oauth2.claims import JWTClaims
from flask import Blueprint, Flask, abort, current_app, redirect, request, url_for
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from markupsafe import escape
from werkzeug.exceptions import HTTPException

import sessions
import store
from groundwork import add_tables, db

TABLE = "CREATE TABLE IF NOT EXISTS states (id TEXT PRIMARY KEY, data TEXT, until REAL)"
EVENT = "http://schemas.openid.net/event/backchannel-logout"
site = Blueprint("site", __name__)


class States(FlaskIntegration):
    """Authlib's temporary data, each once, for the browser that began."""

    def key(self, session, state):
        return sessions.digest(f"{state}/{session.setdefault('browser', sessions.token_urlsafe())}")

    def set_state_data(self, session, state, data):
        row = [self.key(session, state), json.dumps(data), time.time() + 600]
        db().execute("INSERT INTO states VALUES (?, ?, ?)", row)

    def get_state_data(self, session, state):
        key = [self.key(session, state)]
        row = db().execute("SELECT data, until FROM states WHERE id = ?", key).fetchone()
        taken = db().execute("DELETE FROM states WHERE id = ?", key).rowcount
        return json.loads(row["data"]) if taken and row["until"] > time.time() else None

    def clear_state_data(self, session, state):
        """It is gone already."""


class Client(FlaskOAuth2App):
    asked_for_keys = 0

    def load_server_metadata(self):
        if self.server_metadata.get("_loaded_at", 0) < time.time() - 300:
            self.server_metadata = {}
        try:
            found = super().load_server_metadata()
            if found["issuer"] != current_app.config["ISSUER"]:
                raise ValueError("another issuer")
        except Exception:
            self.server_metadata = {}
            raise
        found["id_token_signing_alg_values_supported"] = ["RS256"]
        return found

    def fetch_jwk_set(self, force=False):
        if force:
            if time.time() - self.asked_for_keys < 20:
                return self.server_metadata["jwks"]
            self.asked_for_keys = time.time()
        try:
            keys = super().fetch_jwk_set(force)
            KeySet.import_key_set(keys)
            return keys
        except Exception as error:
            self.server_metadata.pop("jwks", None)
            raise LookupError("no keys") from error


class Registry(OAuth):
    framework_integration_cls = States


oauth = Registry()


def client():
    return oauth.create_client("provider")


def exact():
    return {
        "iss": {"essential": True, "value": current_app.config["ISSUER"]},
        "aud": {"essential": True, "value": current_app.config["CLIENT_ID"]},
        "sub": {"essential": True, "validate": lambda _, sub: sub.isascii()},
        "exp": {"essential": True},
        "iat": {"essential": True},
    }


def unavailable(error):
    current_app.logger.warning("%s", type(error).__name__)
    abort(503, "The provider gives no answer, or none that makes sense. Please try again.")


@site.get("/public")
def public():
    return "This is for everyone.\n"


@site.get("/login")
def login():
    try:
        return client().authorize_redirect(url_for("site.callback", _external=True))
    except Exception as error:
        return unavailable(error)


@site.get("/callback")
def callback():
    try:
        promised = client().load_server_metadata()
        promised = promised.get("authorization_response_iss_parameter_supported", False)
        iss = request.args.get("iss")
        if iss != current_app.config["ISSUER"] and (promised or iss is not None):
            abort(400, "It was another provider that answered. Log in again.")
        token = client().authorize_access_token(claims_options=exact(), leeway=15)
        person = token["userinfo"]
        if "name" not in person:
            person = client().userinfo(token=token)
    except HTTPException:
        raise
    except OAuthError as error:
        known = {
            "access_denied": "You told the provider no, so you are not logged in.",
            "invalid_grant": "The code is used up. Please log in again.",
            "mismatching_state": "This browser has not begun this login. Please log in again.",
        }
        if error.error in known or "error" in request.args:
            abort(400, known.get(error.error, "The provider refused. Please log in again."))
        unavailable(error)
    except JoseError as error:
        abort(400, f"The ID token is not accepted ({error.error}).")
    except AttributeError:  # a sub that is no text
        abort(400, "The ID token names nobody.")
    except Exception as error:
        if not request.args.get("code"):
            abort(400, "There is no code. Please log in again.")
        if token_was_bad(error):
            abort(400, "The ID token can't be read.")
        unavailable(error)
    sub = token["userinfo"]["sub"]
    if person["sub"] != sub:
        abort(400, "The provider mixes up two users.")
    name = "".join(c for c in str(person.get("name") or sub) if c.isprintable())
    account = store.account_of(current_app.config["ISSUER"], sub, name)
    sessions.begin(account, token["userinfo"].get("sid"))
    return redirect("/")


def token_was_bad(error):
    return isinstance(error, (ValueError, TypeError)) and "Token endpoint" not in str(error)


@site.get("/")
def index():
    user = sessions.find()
    if not user:
        return redirect(url_for("site.login"))
    form = f'<input type="hidden" name="csrf" value="{sessions.csrf_token()}"><button>Bye</button>'
    page = (
        f"<p>Hello, {escape(user['name'])}!</p><form method='post' action='/logout'>{form}</form>"
    )
    return page, {"Content-Type": "text/html; charset=utf-8"}


@site.post("/logout")
def logout():
    sessions.refuse_forged_form()
    sessions.end()
    try:
        back = url_for("site.public", _external=True)
        id = current_app.config["CLIENT_ID"]
        return client().logout_redirect(post_logout_redirect_uri=back, client_id=id)
    except Exception as error:
        return unavailable(error)


@site.post("/backchannel-logout")
def backchannel_logout():
    try:
        client().fetch_jwk_set()
    except Exception as error:
        unavailable(error)
    wanted = exact() | {"sub": {}, "jti": {"essential": True}, "events": {"essential": True}}
    try:
        token = {"id_token": request.form["logout_token"]}
        claims = client().parse_id_token(token, None, wanted, JWTClaims, 15)
        named = isinstance(claims["events"][EVENT], dict)
        sub, sid = claims.get("sub"), claims.get("sid")
        fits = all(isinstance(text, (str, type(None))) for text in (sub, sid))
    except Exception:
        abort(400, "This is no token of the provider's.")
    if not named or not fits or "nonce" in claims or not (sub or sid):
        abort(400, "This token is for something else.")
    sessions.end_of(current_app.config["ISSUER"], sub, sid)
    return ""


def create_app():
    app = Flask(__name__)
    store.set_up(app, LOGIN_LIFETIME=600, IDLE_TIMEOUT=1800, ABSOLUTE_TIMEOUT=43200)
    add_tables(app, TABLE)
    session_of_authlib = {"scope": "openid profile email", "code_challenge_method": "S256"}
    oauth.init_app(app)
    oauth.register(
        "provider",
        client_cls=Client,
        client_id=app.config["CLIENT_ID"],
        client_secret=app.config["CLIENT_SECRET"],
        server_metadata_url=f"{app.config['ISSUER']}/.well-known/openid-configuration",
        client_kwargs={**session_of_authlib, "default_timeout": 3, "leeway": 0},
    )
    app.register_blueprint(site)
    return app


app = create_app()
