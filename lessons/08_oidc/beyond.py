# /// script
# requires-python = ">=3.11"
# dependencies = ["authlib>=1.6.6", "flask>=3.1", "joserfc>=1.0", "requests>=2.32.2"]
# ///
"""Lesson 08, one step beyond app.py: an API that takes the provider's access tokens (RFC 9068).

An ID token tells a client who logged in. An access token is for an API, to which a client brings
it: "its owner lets me". Which API it is for stands in `aud`, since the client had named it to the
provider (`resource`, RFC 8707). An API that takes tokens for others lets each of their receivers
act here as the user. Cookies count for nothing: no browser sends a token unasked.
"""

from authlib.oauth2.claims import JWTClaims
from flask import abort, request, url_for
from joserfc.errors import InvalidClaimError
from werkzeug.exceptions import BadRequest

from app import app, claims_of

app.config.setdefault("RESOURCE", "http://localhost:5008/api")  # FLASK_RESOURCE: our name
SCOPE = "profile"


class AccessToken(JWTClaims):
    def validate(self, now=None, leeway=0):
        kind = str(self.header.get("typ", "")).lower().removeprefix("application/")
        if kind != "at+jwt":  # the same key signs ID tokens and logout tokens (RFC 9068 4)
            raise InvalidClaimError("typ")
        super().validate(now, leeway)


@app.get("/api")
def api():
    """Greet the owner of an access token, by way of the client that brings it."""
    try:
        sent = request.authorization
    except ValueError:  # Werkzeug, when Basic comes with bytes beyond ASCII
        sent = None
    if not sent or sent.type != "bearer":  # no error code (RFC 6750 3.1)
        refuse(401, "", "Send an access token for this API: Authorization: Bearer ...")
    needed = ["sub", "client_id", "jti"]
    try:
        claims = claims_of(sent.token or "", None, AccessToken, needed, app.config["RESOURCE"])
    except BadRequest as error:
        refuse(401, 'error="invalid_token"', error.description)
    if SCOPE not in str(claims.get("scope", "")).split():
        needs = f'error="insufficient_scope", scope="{SCOPE}"'
        refuse(403, needs, f"The owner of this token has not allowed {SCOPE}.")
    # A sub of the provider's, to be looked up like that of an ID token: the pair is the account.
    return {"sub": claims["sub"], "client_id": claims["client_id"]}


def refuse(status, error, sentence):
    """Refuse with a challenge that says where tokens are to be had (RFC 9728 5.1)."""
    where = url_for("metadata", _external=True)
    challenge = ", ".join(filter(None, [f'Bearer resource_metadata="{where}"', error]))
    abort(app.response_class(f"{sentence}\n", status, {"WWW-Authenticate": challenge}))


@app.get("/.well-known/oauth-protected-resource")
def metadata():
    return {
        "resource": app.config["RESOURCE"],
        "authorization_servers": [app.config["ISSUER"]],
        "scopes_supported": [SCOPE],
        "bearer_methods_supported": ["header"],
    }


if __name__ == "__main__":
    app.run(port=5008, debug=False)
