"""Whom lesson 08's provider knows: its users, and the sites that may ask it about them."""

import hmac
from secrets import token_hex

from authlib.oauth2.rfc6749 import ClientMixin
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
