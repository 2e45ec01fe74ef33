"""What a JWT's claims mean, and what is wrong with them (RFC 7519, 4.1).

Names come from IANA's registry of JWT claims with the document that defines each, and from a few
large issuers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .note import Wrong, ago, json_code, utc, wrongs

_OIDC = "OpenID Connect Core"
_CLAIMS = {
    "iss": "issuer, who made the token (RFC 7519 4.1.1).",
    "sub": "subject, whom the token is about (RFC 7519 4.1.2).",
    "aud": "audience; a server that is not named must refuse the token (RFC 7519 4.1.3).",
    "jti": "the token's own name, by which a server can revoke it or notice a replay "
    "(RFC 7519 4.1.7).",
    "scope": "what the token allows, words separated by spaces (RFC 8693 4.2).",
    "client_id": "the client the token was made for (RFC 8693 4.3).",
    "act": "the party that acts for the subject (RFC 8693 4.1).",
    "may_act": "the party that may act for the subject (RFC 8693 4.4).",
    "cnf": "the key that whoever sends the token must prove to have (RFC 7800 3.1).",
    "roles": "the subject's roles (RFC 9068 2.2.3.1).",
    "groups": "the subject's groups (RFC 9068 2.2.3.1).",
    "entitlements": "what the subject is entitled to (RFC 9068 2.2.3.1).",
    "authorization_details": "what the token allows, in detail (RFC 9396 9.1).",
    "azp": f"the client that the ID token was made for ({_OIDC} 2).",
    "nonce": f"the value the client sent, so that it knows its own login again ({_OIDC} 2).",
    "acr": f"the class of the login, such as with one factor or two ({_OIDC} 2).",
    "amr": f"how the user was authenticated: `pwd`, `otp` and so on ({_OIDC} 2, RFC 8176).",
    "at_hash": f"a hash of the access token that came with this one ({_OIDC} 3.1.3.6).",
    "c_hash": f"a hash of the code that came with this token ({_OIDC} 3.3.2.11).",
    "sid": "the session at the provider (OpenID Connect Front-Channel Logout 3).",
    "events": "what happened; a logout token has it (RFC 8417 2.2).",
    "name": f"the user's full name ({_OIDC} 5.1).",
    "given_name": f"the user's given name ({_OIDC} 5.1).",
    "family_name": f"the user's family name ({_OIDC} 5.1).",
    "nickname": f"the user's nickname ({_OIDC} 5.1).",
    "preferred_username": f"the name the user goes by; it may change and need not be unique, "
    f"so it must not decide who this is ({_OIDC} 5.1, 5.7).",
    "picture": f"the address of a picture of the user ({_OIDC} 5.1).",
    "profile": f"the address of the user's page ({_OIDC} 5.1).",
    "website": f"the address of the user's website ({_OIDC} 5.1).",
    "email": f"the user's mail address; it may change, so it must not decide who this is "
    f"({_OIDC} 5.1, 5.7).",
    "email_verified": f"whether the issuer has checked the mail address ({_OIDC} 5.1).",
    "phone_number": f"the user's telephone number ({_OIDC} 5.1).",
    "phone_number_verified": f"whether the issuer has checked the number ({_OIDC} 5.1).",
    "address": f"the user's postal address ({_OIDC} 5.1).",
    "locale": f"the user's language and country ({_OIDC} 5.1).",
    "zoneinfo": f"the user's time zone ({_OIDC} 5.1).",
    "htm": "the method of the one request that the proof is for (RFC 9449 4.2).",
    "htu": "the address of the one request that the proof is for (RFC 9449 4.2).",
    "ath": "a hash of the access token that goes with the proof (RFC 9449 4.2).",
    "scp": "what the token allows; no standard, but Microsoft, Okta and others call it so.",
    "token_use": "Amazon Cognito's: `access` or `id`, which of its two kinds this token is.",
    "cognito:groups": "Amazon Cognito's: the groups of the user.",
    "cognito:username": "Amazon Cognito's: the user's name there.",
    "realm_access": "Keycloak's: the roles that the user has in the whole realm.",
    "resource_access": "Keycloak's: the roles that the user has at each client.",
    "tid": "Microsoft's: the tenant.",
    "oid": "Microsoft's: the user or service in that tenant, the same for all clients.",
    "appid": "Microsoft's: the client that the token was made for (`azp` in version 2.0).",
    "upn": "Microsoft's: the name the user logs in with; it may change.",
    "ver": "Microsoft's: the version of the token's form, `1.0` or `2.0`.",
    "permissions": "what the token allows; no standard, but Auth0 calls it so.",
    "fresh": "Flask-JWT-Extended's: whether a password was entered for this token, or since when "
    "it no longer counts as fresh.",
    "type": "Flask-JWT-Extended's, probably: `access` or `refresh`.",
    "csrf": "Flask-JWT-Extended's, probably: what a script must send in `X-CSRF-TOKEN` when the "
    "token is in a cookie.",
}
_TIMES = {
    "exp": "RFC 7519 4.1.4",
    "nbf": "RFC 7519 4.1.5",
    "iat": "RFC 7519 4.1.6",
    "auth_time": f"{_OIDC} 2",
    "updated_at": f"{_OIDC} 5.1",
}
_TEXTS = {
    "iss": "RFC 7519 4.1.1",
    "sub": "RFC 7519 4.1.2",
    "jti": "RFC 7519 4.1.7",
}
_KINDS = {str: "a string", bool: "`true` or `false`", dict: "an object", list: "a list"}


def kind(value: Any) -> str:
    """Return what a JSON value is, as an English noun with its article."""
    return "`null`" if value is None else _KINDS.get(type(value), "a number")


def claim(name: str, value: Any, now: float, full: bool) -> tuple[str, tuple[Wrong, ...]]:
    """Return what one claim says, and what is wrong with it."""
    quoted = json_code(value, full)
    if name in _TIMES:
        return _time(name, value, now, quoted)
    text = f"{quoted}: {_CLAIMS.get(name, 'a claim that RFC 7519 does not define.')}"
    if name in _TEXTS and not isinstance(value, str):
        said = {
            "sub": '; PyJWT since version 2.10 says "Subject must be a string"',
            "jti": '; PyJWT since version 2.10 says "JWT ID must be a string"',
        }.get(name, "")
        wrong = f"`{name}` is {kind(value)}, and must be a string ({_TEXTS[name]}){said}."
        return f"{text} It must be a string, and this is {kind(value)}.", wrongs(wrong)
    if name == "aud" and not _texts(value):
        wrong = "`aud` must be a string or a list of strings (RFC 7519 4.1.3)."
        return f"{text} It must be a string or a list of strings.", wrongs(wrong)
    return text, ()


def _texts(value: Any) -> bool:
    items = value if isinstance(value, list) else [value]
    return all(isinstance(item, str) for item in items)


def _time(name: str, value: Any, now: float, quoted: str) -> tuple[str, tuple[Wrong, ...]]:
    source = _TIMES[name]
    if type(value) in (int, float) and 20_000_000_000 < value < 20_000_000_000_000:
        real = utc(value / 1000)
        text = f"{quoted}: counts milliseconds, probably ({real}), and must count seconds"
        wrong = (
            f"`{name}` counts milliseconds, probably; RFC 7519 2 wants seconds since 1970, and "
            "read so it lies thousands of years ahead."
        )
        return f"{text} since 1970 ({source}).", wrongs(wrong)
    moment = utc(value)
    if moment is None:
        return _no_time(name, value, quoted, source)
    when = f"{moment}, {ago(value, now)}"
    if name == "exp":
        wrong = f"Expired {ago(value, now)}, at {moment}." if value <= now else None
        if wrong and now - value < 60:
            wrong += " If it was made for longer than that, two clocks differ."
        return f"{quoted}: {'expired' if value <= now else 'expires'} {when} ({source}).", wrongs(
            wrong
        )
    clocks = " Two clocks differ, probably; a leeway of some seconds allows for that."
    clocks = clocks if value - now < 600 else ""
    if name == "nbf":
        word = "valid from" if value <= now else "not valid before"
        wrong = f"Not valid before {moment}, which is {ago(value, now)}.{clocks}"
        return f"{quoted}: {word} {when} ({source}).", wrongs(wrong if value > now else None)
    if name == "iat":
        odd = "; a time to come is odd" if value > now else ""
        wrong = (
            f"Issued {ago(value, now)}, at a time to come. PyJWT, unless told otherwise, says "
            f'"The token is not yet valid (iat)".{clocks}'
        )
        wrong = wrong if int(value) > now else None  # PyJWT drops the fraction
        return f"{quoted}: issued {when}{odd} ({source}).", wrongs(wrong)
    word = "when the user logged in" if name == "auth_time" else "when what it says last changed"
    return f"{quoted}: {word}: {when} ({source}).", ()


def _no_time(name: str, value: Any, quoted: str, source: str) -> tuple[str, tuple[Wrong, ...]]:
    if isinstance(value, str):
        text = f"{quoted}: must be a number of seconds since 1970, and this is a string ({source})."
        try:
            moment = utc(float(value)) if value.isascii() and len(value) < 20 else None
        except ValueError:
            moment = None
        if moment:
            text = f"{text[:-1]}; as a number it would be {moment}."
            said = f"`{name}` is a string; RFC 7519 2 wants a number, so some libraries refuse it."
            return text, wrongs(said)
    else:
        text = f"{quoted}: must be a number of seconds since 1970; this can't be one ({source})."
    return text, wrongs(f"`{name}` must be a number of seconds since 1970 ({source}).")


def of_all(claims: Mapping[str, Any], jose: Mapping[str, Any], whole: bool) -> tuple[Wrong, ...]:
    """Return what is wrong with the claims together: one that is missing, times out of order."""
    if not whole:
        return ()
    exp, iat = claims.get("exp"), claims.get("iat")
    typ = str(jose.get("typ", "")).lower()
    found = []
    if "exp" not in claims and "exp" not in jose and typ not in ("dpop+jwt", "secevent+jwt"):
        found.append(Wrong("No `exp`: by itself, the token never expires.", False))
    if utc(exp) and utc(iat) and exp <= iat:
        found.append(
            Wrong("It expires before it was issued, or at once: `exp` is not after `iat`.")
        )
    return tuple(found)
