"""OpenID Connect's way through the browser: the authorization request, the callback, discovery.

The first two are addresses with parameters (RFC 6749 section 4.1, OpenID Connect Core section 3.1);
the third is a provider's JSON about itself (OpenID Connect Discovery section 3, RFC 8414).
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from .note import MOST, Note, Wrong, code, json_code, limited, shown, wrongs

_ADDRESS = re.compile(r"(?:https?://[^\s\"'<>]+|(?<![\w:/])/[^\s\"'<>?]*)[?#][^\s\"'<>]+")
_REQUEST = {
    "response_type": "what is to come back; `code` is the one to take (RFC 9700 2.1.2).",
    "client_id": "who asks: the name that the provider gave to this client. It is no secret.",
    "redirect_uri": "where the provider sends the browser back to. It must be one that was "
    "registered, compared letter by letter (RFC 9700 2.1).",
    "scope": "what is asked for; `openid` makes it OpenID Connect (OpenID Connect Core 3.1.2.1).",
    "state": "comes back in the callback, where it must be the one that this browser was given: "
    "so nobody else's login is taken for its own (RFC 9700 4.7).",
    "nonce": "comes back inside the ID token, which is so tied to this login "
    "(OpenID Connect Core 3.1.2.1).",
    "code_challenge": "the hash of a secret that the client shows later, with the code: a code "
    "that was stolen is worth nothing without it (PKCE, RFC 7636 4.2).",
    "code_challenge_method": "how the challenge is made of the secret (RFC 7636 4.3).",
    "response_mode": "how the answer comes back: in the query, the fragment, or a form's body.",
    "prompt": "whether the provider asks for the password or consent anew, or for nothing.",
    "max_age": "for how many seconds an earlier login of the user counts.",
    "login_hint": "who is to log in, probably; anyone can read it in the address.",
    "id_token_hint": "an ID token of before, which says who is to log in, or out.",
    "post_logout_redirect_uri": "where the browser goes after the logout; it must be registered.",
    "acr_values": "which class of login is wanted, for instance one with two factors.",
    "ui_locales": "in which languages the pages may be.",
    "claims": "single claims that are asked for (OpenID Connect Core 5.5).",
    "resource": "for which API the access token is to be (RFC 8707).",
    "audience": "for which API the access token is to be; no standard, but common.",
    "request_uri": "a name for parameters that were handed over directly (RFC 9126).",
    "request": "the parameters once more, signed by the client (RFC 9101).",
    "dpop_jkt": "the key to which the code is bound (RFC 9449 10).",
}
_CALLBACK = {
    "code": "the code that the client exchanges for tokens, once and soon (RFC 6749 4.1.2).",
    "state": "must be the one that this browser was given (RFC 6749 10.12).",
    "iss": "which provider answers; the client compares it with the one it asked (RFC 9207 2.4).",
    "session_state": "for scripts that watch the session at the provider "
    "(OpenID Connect Session Management 2).",
    "error_description": "the reason in words, for developers (RFC 6749 4.1.2.1).",
    "error_uri": "a page about the error (RFC 6749 4.1.2.1).",
    "scope": "what was granted.",
}
_ERRORS = {
    "access_denied": "the user, or the provider, said no (RFC 6749 4.1.2.1).",
    "invalid_request": "a parameter is missing, wrong or doubled (RFC 6749 4.1.2.1).",
    "unauthorized_client": "this client may not ask in this way (RFC 6749 4.1.2.1).",
    "unsupported_response_type": "the provider has no such response type (RFC 6749 4.1.2.1).",
    "invalid_scope": "the scope is unknown or malformed (RFC 6749 4.1.2.1).",
    "server_error": "something broke at the provider (RFC 6749 4.1.2.1).",
    "temporarily_unavailable": "the provider has too much to do (RFC 6749 4.1.2.1).",
    "login_required": "`prompt=none`, and nobody is logged in (OpenID Connect Core 3.1.2.6).",
    "consent_required": "`prompt=none`, and the user has not agreed (OpenID Connect Core 3.1.2.6).",
    "interaction_required": "`prompt=none`, and a page is needed (OpenID Connect Core 3.1.2.6).",
}
_DISCOVERY = {
    "issuer": "the provider's name. The document lies under it, and each ID token's `iss` must "
    "be the same, letter by letter.",
    "authorization_endpoint": "where the browser is sent to log in.",
    "token_endpoint": "where the client exchanges the code for tokens.",
    "userinfo_endpoint": "where an access token gets claims about the user.",
    "jwks_uri": "the public keys that verify ID tokens.",
    "end_session_endpoint": "where the browser is sent to log out.",
    "introspection_endpoint": "where a server asks whether a token is good (RFC 7662).",
    "revocation_endpoint": "where a client takes a token back (RFC 7009).",
    "registration_endpoint": "where clients register by themselves (RFC 7591).",
    "response_types_supported": "what may come back from the browser's way.",
    "grant_types_supported": "ways to a token.",
    "scopes_supported": "what can be asked for.",
    "claims_supported": "what can be said of a user.",
    "subject_types_supported": "`public`: each client sees the same `sub`; `pairwise`: another.",
    "id_token_signing_alg_values_supported": "how ID tokens are signed.",
    "token_endpoint_auth_methods_supported": "how a client proves who it is.",
    "code_challenge_methods_supported": "PKCE: how the challenge may be made (RFC 8414 2).",
    "authorization_response_iss_parameter_supported": "whether callbacks carry `iss` (RFC 9207 3).",
    "backchannel_logout_supported": "whether the provider tells clients of a logout directly.",
    "backchannel_logout_session_supported": "whether it then names the session, `sid`.",
}


def addresses_in(line: str) -> list[tuple[str, str, dict[str, str]]]:
    """Return what belongs to OpenID Connect or OAuth in a line.

    Each is the address, "request" or "callback", and its parameters.
    """
    found = []
    for match in _ADDRESS.finditer(line[:20_000]):
        try:
            parts = urlsplit(match[0].rstrip(".,;)"))
            pairs = parse_qsl(parts.query or parts.fragment, True, max_num_fields=100)
        except ValueError:
            continue
        names: dict[str, str] = {}
        for name, value in pairs:
            names.setdefault(name, value)
        if "client_id" in names and {"response_type", "request_uri"} & set(names):
            found.append((match[0], "request", names))
        elif ("code" in names or names.get("error") in _ERRORS) and {"state", "iss"} & set(names):
            found.append((match[0], "callback", names))
    return found


def is_discovery(value: dict) -> bool:
    """Say whether a JSON object is what a provider says of itself."""
    ends = {"authorization_endpoint", "token_endpoint", "jwks_uri"} & set(value)
    return isinstance(value.get("issuer"), str) and bool(ends)


def notes(kind: str, members: dict[str, Any]) -> list[Note]:
    """Return the notes for an address's parameters ("request", "callback") or a "discovery"."""
    if kind == "discovery":
        return _discovery(members)
    request = kind == "request"
    about = _REQUEST if request else {**_CALLBACK, "error": "the answer is an error"}
    text = "An authorization request: with it the browser goes to the provider."
    if not request:
        text = "A callback: with it the browser comes back from the provider."
    wrong = _request_wrong(members) if request else _callback_wrong(members)
    header = "request" if request else "callback"
    found = [Note(header, "", text, wrong=wrong)]
    for name, value in list(members.items())[:MOST]:
        said = about.get(name, "not explained here.")
        if name == "error":
            said = _ERRORS.get(value, "no code of OAuth or OpenID Connect.")
        secret = not request and name == "code"
        part = shown(value, 12 if secret else 120)
        found.append(Note(header, part, f"`{shown(name)}`: {said}", secret, 1))
    return limited(header, found, 1, len(members))


def _request_wrong(members: dict[str, str]) -> tuple[Wrong, ...]:
    kinds = members.get("response_type", "code").split()
    challenge = members.get("code_challenge", "")
    method = members.get("code_challenge_method", "plain")
    bad: list[str | Wrong | None] = []
    if method == "S256" and challenge and not re.fullmatch(r"[\w-]{43}", challenge):
        bad.append(f"`code_challenge` has {len(challenge)} characters; with S256 it has 43.")
    if "id_token" in kinds and not members.get("nonce"):
        bad.append("`nonce` is missing, which an ID token through the browser must have.")
    if "token" in kinds:
        risk = "An access token comes back through the address, where histories and scripts find it"
        bad.append(Wrong(f"{risk}: ask for `code` instead (RFC 9700 2.1.2).", False))
    if "request" in members or "request_uri" in members:
        return wrongs(*bad)  # the parameters are elsewhere
    if not members.get("state"):
        risk = "`state` is missing: unless PKCE or a nonce does its work, another's login can be"
        bad.append(Wrong(f"{risk} pushed on this browser (RFC 9700 4.7).", False))
    if "code" in kinds and not challenge:
        risk = "`code_challenge` is missing: a stolen code is good for whoever has it"
        bad.append(Wrong(f"{risk} (PKCE, RFC 9700 2.1.1).", False))
    elif challenge and method == "plain":
        bad.append(
            Wrong("The challenge is the secret itself; S256 hides it (RFC 7636 4.2).", False)
        )
    back = members.get("redirect_uri", "")
    if back and not _is_safe(back):
        risk = "`redirect_uri` is plain http: the code can be read on its way (RFC 9700 2.6)."
        bad.append(Wrong(risk, False))
    return wrongs(*bad)


def _callback_wrong(members: dict[str, str]) -> tuple[Wrong, ...]:
    bad: list[str | Wrong | None] = []
    if members.get("error"):
        bad.append(f"The answer is an error: {code(members['error'])}.")
    if not members.get("state"):
        bad.append("`state` is missing, so the client can't tell whose login this is.")
    return wrongs(*bad)


def _is_safe(address: str) -> bool:
    """Say whether an address is https, of this machine, or an app's own scheme."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return parts.scheme != "http" or parts.hostname in ("localhost", "127.0.0.1", "::1")


def _discovery(value: dict[str, Any]) -> list[Note]:
    header, bad = "discovery", []
    for name in ("issuer", "authorization_endpoint", "token_endpoint", "jwks_uri"):
        if isinstance(value.get(name), str) and not _is_safe(value[name]):
            bad.append(f"`{name}` is plain http: anyone on the way can put another in its place.")
    if {"?", "#"} & set(str(value["issuer"])):
        bad.append("`issuer` has a query or a fragment, which it must not (Discovery 3).")
    algorithms = value.get("id_token_signing_alg_values_supported")
    if isinstance(algorithms, list) and "none" in algorithms:
        bad.append(Wrong("ID tokens without a signature (`none`) are offered.", False))
    methods = value.get("code_challenge_methods_supported")
    if isinstance(methods, list) and "S256" not in methods:
        bad.append(Wrong("PKCE with S256 is not offered (RFC 9700 2.1.1).", False))
    text = "What a provider says of itself, under `/.well-known/openid-configuration`."
    found = [Note(header, "", text, wrong=wrongs(*bad))]
    for name, item in list(value.items())[:MOST]:
        said = _DISCOVERY.get(str(name), "not explained here.")
        text = f"{json_code(item, True)}: {said}"
        found.append(Note(header, shown(str(name)), text, False, 1))
    return limited(header, found, 1, len(value))
