"""What lesson 08's provider stands on: settings, users, sites, what it keeps, forms and headers."""

import hmac
import logging
import threading
import time
from secrets import token_hex, token_urlsafe
from types import SimpleNamespace

from authlib.oauth2.rfc6749 import ClientMixin
from flask import abort, current_app, render_template, request, session
from joserfc.jwk import RSAKey
from passlib.hash import argon2

SCOPES = ["openid", "profile", "email"]
argon2id = argon2.using(type="ID", memory_cost=19456, rounds=2, parallelism=1)  # lesson 01
NOBODY = argon2id.hash(token_hex())  # an unknown user costs a hash as well
USERS = {  # `sub` never changes and is never given to anybody else; a name or an address may be
    "user1": {"sub": "6d5e8c1f", "name": "user1", "email": "user1@example.com"},
    "user2": {"sub": "b90a4e27", "name": "user2", "email": "user2@example.com"},
}
PASSWORDS = {"user1": argon2id.hash("pass1"), "user2": argon2id.hash("pass2")}
CLIENTS = {}
# All in memory. The first key is the next, the second signs. The rest goes by id, code or token.
keys, logins, codes, tokens = [], {}, {}, {}
rotating = threading.Lock()
logging.getLogger("authlib").setLevel(logging.INFO)  # at DEBUG, it would log secrets and tokens


def set_up(app):
    """Read the settings: FLASK_ISSUER, FLASK_CLIENT, FLASK_KEY_LIFETIME and so on."""
    app.config.update(ISSUER="http://localhost:5018", CLIENT="http://localhost:5008", CLIENTS={})
    app.config.update(SESSION_COOKIE_NAME="lesson08-provider", SESSION_COOKIE_SAMESITE="Lax")
    app.config.update(SECRET_KEY=token_hex(32), KEY_LIFETIME=86400, MAX_CONTENT_LENGTH=16384)
    app.config.from_prefixed_env()
    register(app)
    app.before_request(rotate_keys)
    app.after_request(add_headers)
    app.register_error_handler(ValueError, refuse)


def check_password(name, password):
    """Return the user of this name if the password is right, else None (lesson 01)."""
    if len(password) > 1024 or "\0" in password:
        return None
    return USERS.get(name) if argon2id.verify(password, PASSWORDS.get(name, NOBODY)) else None


def register(app):
    """Note the sites: this lesson's, by all its addresses, and more from FLASK_CLIENTS, as JSON."""
    sites = app.config["CLIENT"].split()
    CLIENTS["lesson-08"] = {
        "secret": "pass8",
        "redirect_uris": [f"{site}/callback" for site in sites],
        "post_logout_redirect_uris": [f"{site}/public" for site in sites],
        "backchannel_logout_uri": f"{sites[0]}/backchannel-logout",
        "resources": [f"{sites[0]}/api"],
    }
    CLIENTS.update(app.config["CLIENTS"])


def find_client(id):
    return Client(CLIENTS[id], id=id) if id in CLIENTS else None


class Client(dict, ClientMixin):
    """A site that may ask. Authlib puts these questions about it."""

    def get_client_id(self):
        return self["id"]

    def get_allowed_scope(self, scope):
        return " ".join(one for one in (scope or "").split() if one in SCOPES)

    def get_default_redirect_uri(self):
        return None  # it has to be named, always

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


def rotate_keys():
    """Make a new key now and then, and sign with the one before.

    Clients look for keys that they don't know, but not every time: so the next one is published
    before it signs. The last one stays, since what it signed lives on.
    """
    with rotating:  # two requests at once would rotate twice
        while len(keys) < 2 or time.time() - keys[0]["iat"] > current_app.config["KEY_LIFETIME"]:
            about = {"use": "sig", "alg": "RS256", "iat": int(time.time())}
            keys[:] = [RSAKey.generate_key(2048, about, auto_kid=True), *keys[:2]]


def log_in(name, password):
    """Return a new login if the pair is right, else None."""
    user = check_password(name, password)
    if not user:
        return None
    log_out()
    session["id"], now = token_urlsafe(32), int(time.time())
    new = {"sid": token_urlsafe(16), "since": now, "clients": set()}
    return logins.setdefault(session["id"], SimpleNamespace(**user, **new))


def find_login():
    """Return who has logged in with this browser, or None."""
    return logins.get(session.get("id"))


def log_out():
    logins.pop(session.get("id"), None)
    session.clear()


class Code(SimpleNamespace):
    """What a code stands for: who allowed what to whom."""

    def __getattr__(self, name):  # Authlib asks get_nonce(), get_scope() and so on
        return lambda: self.__dict__.get(name.removeprefix("get_"))


def take_code(code, client):
    """Return what a code stands for, once, if it was made for this client; None if not."""
    found = codes.pop(code, None)  # a code gets one try, whoever makes it
    if not found:  # one that comes again may be stolen, and so what it brought (RFC 6749 4.1.2)
        for token in [token for token, (made, *_) in list(tokens.items()) if made.code == code]:
            tokens.pop(token, None)
        return None
    found.login.clients.add(found.client["id"])  # they hear of it when this login ends
    good = found.client == client and found.until > time.time()
    return found if good and found.login in list(logins.values()) else None


def save_token(token, asked):
    tokens[token["access_token"]] = asked.user, token["scope"], time.time() + token["expires_in"]


def find_token(token):
    """Return what a token's code stood for and its scope; None and "" if it doesn't count."""
    code, scope, until = tokens.get(token, (None, "", 0))
    return (code, scope) if until > time.time() else (None, "")


def page(template, status=200, **values):
    csrf = session.setdefault("csrf", token_urlsafe(16))
    return render_template(template, csrf=csrf, **values), status


def refuse_forged_form():
    """Refuse a form that no page of ours has sent (lesson 06)."""
    kept, sent = session.get("csrf", ""), request.form.get("csrf", "")
    ours = kept and hmac.compare_digest(kept.encode(), sent.encode())
    own = f"{request.scheme}://{request.host}"
    if not ours or request.headers.get("Origin", own) != own:
        abort(400, "This form is too old, or it came without its cookie. Reload it and try again.")


def refuse(_):  # Authlib wants to repeat what was sent, and finds that it may not
    return "A parameter has characters that it may not have (RFC 6749, appendix A).\n", 400


def add_headers(response):
    response.headers["Cache-Control"] = "no-store"
    response.headers["Content-Security-Policy"] = "default-src 'none'; frame-ancestors 'none'"
    return response
