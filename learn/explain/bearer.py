"""Bearer (RFC 6750): the parameters of its challenge, and what follows the word in a request."""

from __future__ import annotations

import re
from dataclasses import replace

from . import token as tokens
from .basic import REALM
from .grammar import TOKEN68
from .note import Context, Note, code, shown, wrongs

_DOCKER = "no standard, but a registry for containers (Docker's protocol) and its clients know it"
_AZURE = "no standard, but Microsoft's services and their clients know it"
CHALLENGE = {
    "realm": REALM,
    "scope": "what a token must allow to be good here, words separated by spaces (RFC 6750 3).",
    "error_description": "the reason in words, for a developer and not for a user (RFC 6750 3).",
    "error_uri": "a page that explains the error (RFC 6750 3).",
    "resource_metadata": "where a client learns who issues tokens for this server (RFC 9728 5.1).",
    "max_age": "how many seconds ago the user may have logged in at most (RFC 9470 3).",
    "acr_values": "what kind of login the server wants (RFC 9470 3).",
    "service": f"the service that the client names when it asks the address in `realm` for a "
    f"token; {_DOCKER}.",
    "authorization_uri": f"where a client gets a token for this server; {_AZURE}.",
    "authorization": f"where a client gets a token for this server; {_AZURE}.",
    "resource": f"what a client asks a token for; {_AZURE}.",
    "resource_id": f"what a client asks a token for; {_AZURE}.",
    "trusted_issuers": f"who may issue tokens for this server; {_AZURE}.",
    "client_id": f"the client or service that the token is for; {_AZURE}.",
    "claims": f"what a new token must say, in base64; the client hands it on to the login; "
    f"{_AZURE}.",
}
DPOP_CHALLENGE = {"algs": "the algorithms with which the proof may be signed (RFC 9449 5.1)."}
REALM_URL = (
    "an address, so probably where the client gets a token, as registries for containers have it; "
    "by RFC 9110 11.5 it is only a name."
)
_ERRORS = {
    "invalid_request": "the request was malformed, or sent the token in two ways at once; "
    "the status that goes with it is 400",
    "invalid_token": "the token is expired, revoked, malformed or otherwise unusable; "
    "the status that goes with it is 401, and the client may ask for a new one",
    "insufficient_scope": "the token is fine but does not allow this; "
    "the status that goes with it is 403",
}
_OTHER_ERRORS = {
    "insufficient_user_authentication": "the login was too weak or too long ago; the user must "
    "log in anew (RFC 9470 3).",
    "use_dpop_nonce": "the proof must have the nonce from the header `DPoP-Nonce` (RFC 9449 9).",
    "invalid_dpop_proof": "the proof in the header `DPoP` is not right (RFC 9449 7.1).",
    "insufficient_claims": "the token lacks what `claims` names; Microsoft's own code.",
}


def error(value: str) -> tuple[str]:
    """Explain the code in `error`."""
    if value in _OTHER_ERRORS:
        return (_OTHER_ERRORS[value],)
    return (f"{_ERRORS.get(value, 'a code that RFC 6750 does not define')} (RFC 6750 3.1).",)


def credentials(header: str, token: str, context: Context, scheme: str = "Bearer") -> list[Note]:
    """Return the notes for what follows the word `Bearer`."""
    if not token:
        said = f"Nothing follows the word `{shown(scheme)}`: the token is missing."
        text = "Meant as a Bearer token (RFC 6750 2.1), but none follows."
        return [Note(header, "", text, wrong=wrongs(said))]
    head = (
        "A Bearer token (RFC 6750 2.1): whoever holds it can use it, with no "
        "password and no proof of who they are."
    )
    said = tokens.no_token(token)
    if said:
        text = "Meant as a Bearer token (RFC 6750 2.1), but none follows."
        return [Note(header, "", text), Note(header, shown(token), said, False, 1, wrongs(said))]
    if tokens.is_masked(token):
        return [Note(header, "", head), *tokens.notes(header, token, context, 1)]
    clean = tokens.cleaned(token)
    found = tokens.readable_notes(header, clean.token, context, 1)
    if not found:
        text, wrong = tokens.opaque_text(clean.token)
        bad = re.search(r"[^A-Za-z0-9._~+/=-]", clean.token)
        if TOKEN68.fullmatch(clean.token) is None and "cut off" not in text:
            text = "has characters that a Bearer token can't have (RFC 6750 2.1)."
            which = f" Here it has {code(bad[0])}." if bad else " Here `=` is not at the end."
            text, wrong = text[:-1] + "." + which, wrongs(f"The token {text}{which}")
        found = [Note(header, shown(clean.token), text, True, 1, wrong)]
    found[0] = replace(found[0], wrong=found[0].wrong + clean.wrong)
    return [Note(header, "", head, True), *found]
