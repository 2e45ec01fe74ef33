"""The provider as app.py asks it: Authlib's client, with what that leaves to the application.

What comes from a provider may be late, endless, nonsense, or forged. None of that may hang a
worker, end in an error of ours, or be remembered.
"""

import logging
import time
from urllib.parse import urlsplit

from authlib.integrations.flask_client import FlaskOAuth2App, OAuthError
from flask import abort, current_app
from joserfc.errors import BadSignatureError
from joserfc.jwk import KeySet
from werkzeug.urls import iri_to_uri

from bounded import Session

ALGORITHMS = ["RS256", "PS256", "ES256"]  # with public keys; never "none", never HS256
DOWN = "The provider does not answer as it should. Try again in a moment."
USED = "The provider does not take this code: it is used or old. Begin at /login."
logging.getLogger("authlib").setLevel(logging.INFO)  # at DEBUG, it logs each login's verifier


class Provider(FlaskOAuth2App):
    client_cls = Session
    next_look = 0  # by time.monotonic(): from then on, an unknown key may be a new one

    def ask(self, question, *arguments, **more):
        """Return what the provider answers; answer 503 if it is down, slow, or talks nonsense."""
        try:
            return question(*arguments, **more)
        except Exception as error:  # nonsense comes in all shapes
            said = error.error if isinstance(error, OAuthError) else None
            if said in ("invalid_grant", "invalid_request"):
                abort(400, USED)
            self.server_metadata = {}  # it may be part of the nonsense
            current_app.logger.error("%s: %s", question.__name__, type(error).__name__)
            abort(503, DOWN)

    def load_server_metadata(self):
        if abs(time.time() - self.server_metadata.get("_loaded_at", 0)) > 600:
            self.server_metadata = {}  # with its keys: one that is withdrawn soon counts no more
        metadata = super().load_server_metadata()
        if metadata["issuer"] != current_app.config["ISSUER"]:  # OIDC Discovery 4.3
            raise ValueError("it says that it is another provider")
        here = urlsplit(current_app.config["ISSUER"])
        for name, place in list(metadata.items()):
            if place and name.endswith(("_endpoint", "jwks_uri")):
                there = urlsplit(iri_to_uri(place))  # raises if it is no address
                if there.scheme != "https" and there[:2] != here[:2]:
                    raise ValueError(f"{name}, where secrets may go, is not under https")
        metadata["id_token_signing_alg_values_supported"] = ALGORITHMS  # Authlib goes by these
        return metadata

    def parse_id_token(self, *token):
        try:
            return super().parse_id_token(*token)
        except BadSignatureError:  # it is forged, or a key without a name was changed
            if self.fetch_jwk_set() == self.fetch_jwk_set(force=True):
                raise
            return super().parse_id_token(*token)

    def fetch_jwk_set(self, force=False):
        # A key that we don't know is a new one, or made up by anybody: look, but not every time.
        if force and time.monotonic() < self.next_look:
            return self.server_metadata["jwks"]
        if force:
            self.next_look = time.monotonic() + 10
        keys = super().fetch_jwk_set(force)
        keys["keys"] = [key for key in keys["keys"] if is_known(key)]
        KeySet.import_key_set(keys)  # raises if these are no keys
        return keys

    def create_logout_url(self, back, **more):
        if self.load_server_metadata().get("end_session_endpoint"):
            return super().create_logout_url(back, **more)
        return {"url": back}  # it has no logout to offer


def is_known(key):
    """Tell whether this is a key of a kind that we know. Others are no harm (RFC 7517 5)."""
    try:
        return KeySet.import_key_set({"keys": [key]})
    except Exception:  # what is no key raises whatever fits
        return None
