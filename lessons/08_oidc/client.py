"""The provider as app.py asks it: Authlib's client, with what that leaves to the application.

What comes from a provider may be late, nonsense, or forged. None of that may hang a worker, end in
an error of ours, or be remembered.
"""

import time

from authlib.integrations.flask_client import FlaskOAuth2App, OAuthError
from flask import abort, current_app
from joserfc.errors import BadSignatureError
from joserfc.jwk import KeySet

ALGORITHMS = ["RS256", "PS256", "ES256"]  # with public keys; never "none", never HS256
DOWN = "The provider does not answer as it should. Try again in a moment."
USED = "The provider does not take this code: it is used or old. Begin at /login."


class Provider(FlaskOAuth2App):
    next_look = 0  # by time.monotonic(): from then on, an unknown key may be a new one

    def ask(self, question, *arguments, **more):
        """Return what the provider answers; answer 503 if it is down, slow, or talks nonsense."""
        try:
            return question(*arguments, **more)
        except Exception as error:  # nonsense comes in all shapes
            if isinstance(error, OAuthError) and error.error == "invalid_grant":
                abort(400, USED)
            self.server_metadata = {}  # it may be part of the nonsense
            current_app.logger.error("%s: %s", question.__name__, type(error).__name__)
            abort(503, DOWN)

    def load_server_metadata(self):
        if time.time() - self.server_metadata.get("_loaded_at", 0) > 600:
            self.server_metadata = {}  # with its keys: one that is withdrawn soon counts no more
        metadata = super().load_server_metadata()
        if metadata["issuer"] != current_app.config["ISSUER"]:  # OIDC Discovery 4.3
            raise ValueError("it says that it is another provider")
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
        KeySet.import_key_set(keys)  # raises if these are no keys
        return keys
