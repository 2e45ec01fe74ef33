"""Tokens by the name of a member: in a login's JSON answer, in a form, in an address."""

from __future__ import annotations

import re
from typing import Any

from . import bearer, oidc, passkeys
from . import token as tokens
from .claims import claim, of_all
from .found import Found
from .note import MOST, Context, Note, limited, shown, span, wrongs

_KNOWN = {
    "access_token": "The access token, which a request carries as `Authorization: Bearer …`",
    "refresh_token": "The refresh token, good for new access tokens; it goes to the issuer only",
    "id_token": "The ID token, which tells the client who logged in; no API should take it",
    "logout_token": "The logout token, by which a provider ends sessions",
    "client_secret": "The client's password at the issuer",
    "password": "A password",
    "code": "A code of OAuth 2.0, probably: good once and for a short time",
    "secret": "The secret that an authenticator app keeps: whoever has it makes the same codes",
    "access": "The access token, probably",
    "refresh": "The refresh token, probably, good for new access tokens",
    "csrf_token": "What a form or script sends back, against CSRF",
    "api_key": "A key that names the program, not the user, as a rule",
}
_AS_SENT = ("secret", "client_secret", "password", "code", "csrf_token", "state")


def notes(one: Found, context: Context) -> list[Note]:
    """Return the notes for a member, a parameter, or a set of claims."""
    name = shown(one.name)
    if one.kind == "claims" and isinstance(one.content, dict):
        return _claims(one.content, context)
    if one.kind == "oidc" and isinstance(one.content, dict):
        return oidc.notes(one.name, one.content)
    if one.kind == "passkey":
        return passkeys.notes(one.content)
    if one.kind == "keys" and isinstance(one.content, list):
        return _jwks(one.content)
    if one.kind == "userinfo":
        user = one.value.partition(":")[0]
        text = f"The address names the user `{shown(user)}` and a password."
        return [Note(name, "", text, True)]
    if one.kind == "answer":
        return _member(name, one.content)
    low = re.sub(r"(?<=[a-z])(?=token|key)", "_", one.name.lower()).replace("__", "_")
    about = _KNOWN.get(low, "A token, by its name")
    head = Note(name, "", f"{about}.", True)
    if low in _AS_SENT:
        said = tokens.no_token(one.value)
        if said:
            return [head, Note(name, shown(one.value), said, False, 1, wrongs(said))]
        return [head, Note(name, shown(one.value, 12), "as it stands.", True, 1)]
    return [head, *tokens.notes(name, one.value, context, 1)]


def _jwks(members: list) -> list[Note]:
    """A JWK or JWKS (RFC 7517): keys, of which only the public ones may be shown."""
    private = [one for one in members if one.get("kty") == "oct" or "d" in one]
    text = (
        "Keys as JSON (RFC 7517), no header. Save them in a file and give it to `--key` to verify "
        "a token."
    )
    wrong = wrongs("A secret or private key is among them." if private else None)
    found = [Note("keys", "", text, bool(private), wrong=wrong)]
    for one in members[:MOST]:
        kind = {"RSA": "RSA", "EC": "ECDSA", "OKP": "EdDSA or X25519", "oct": "HMAC"}
        about = f"a key for {kind.get(str(one.get('kty')), 'something unknown here')}"
        about += "; with its private half" if "d" in one else ""
        said = f"{about}; the `kid` of a token names it so."
        kid = str(one.get("kid", ""))
        found.append(Note("keys", shown(kid), said if kid else f"{about}.", one in private, 1))
    return limited("keys", found, 1, len(members))


def _member(name: str, value: Any) -> list[Note]:
    quoted = f"`{shown(str(value), 300)}`"
    if name == "token_type":
        text = f"{quoted}: how the token is sent; `Bearer` in any case of letters (RFC 6749 5.1)."
    elif name == "expires_in" and str(value).isascii() and re.fullmatch(r"\d{1,12}", str(value)):
        text = f"{quoted}: seconds, so {span(int(value))} from the answer on (RFC 6749 5.1)."
    elif name == "expires_in":
        text = f"{quoted}: must be a number of seconds (RFC 6749 5.1)."
        return [Note(name, "", text, wrong=wrongs(f"`expires_in` is {quoted}, and no seconds."))]
    elif name == "scope":
        text = f"{quoted}: what the token allows, words separated by spaces (RFC 6749 3.3)."
    elif name == "error":
        said = bearer.error(str(value))[0]
        known = "does not define" not in said
        text = (
            f"{quoted}: {said}"
            if known
            else f"{quoted}: {_OAUTH.get(str(value), 'no code of OAuth.')}"
        )
        return [Note(name, "", text, wrong=wrongs(f"The answer is an error: {quoted}."))]
    else:
        text = f"{quoted}: the answer in words."
    return [Note(name, "", text)]


_OAUTH = {
    "invalid_grant": "the code, password or refresh token is wrong, used up, expired or another "
    "client's (RFC 6749 5.2).",
    "invalid_client": "the client's name or secret is wrong (RFC 6749 5.2).",
    "unauthorized_client": "this client may not use this way to a token (RFC 6749 5.2).",
    "unsupported_grant_type": "the server doesn't know this way to a token (RFC 6749 5.2).",
    "invalid_scope": "the scope is unknown, malformed or more than is allowed (RFC 6749 5.2).",
    "access_denied": "the user or the server said no (RFC 6749 4.1.2.1).",
}


def _claims(members: dict[str, Any], context: Context) -> list[Note]:
    text = (
        "The claims of a JWT, decoded: without header and signature nobody can tell who wrote them."
    )
    found = [Note("claims", "", text, wrong=of_all(members, {}, True))]
    for name, value in list(members.items())[:MOST]:
        said, wrong = claim(str(name), value, context.time(), True)
        found.append(Note("claims", shown(str(name)), said, False, 1, wrong))
    return limited("claims", found, 1, len(members))
