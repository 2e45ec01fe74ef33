"""Read a value that stands alone: credentials or a challenge without the header's name, a token."""

from __future__ import annotations

import re

from . import hashes, jose, opaque, passkeys, schemes, signed
from . import token as tokens
from .credentials import is_basic
from .encoding import CUT
from .found import Found, tidy, unquoted
from .grammar import offers

_CHALLENGING = {
    "realm", "error", "error_description", "scope", "charset", "resource_metadata", "service",
    "authorization_uri", "authorization", "resource", "resource_id", "algs", "stale", "domain",
    "title", "type",
}  # fmt: skip
_KNOWN = {"basic", "digest", "bearer", *schemes.ABOUT}
_FORM = r"[\w.]+=[^&;\s]*(?:&[\w.]+=[^&;\s]*)+"
_TALKED_OF = {"basic", "digest", "bearer", "oauth", "oauth2", "apikey", "jwt"}
_TALK = r"[a-z]+(?: [a-z.,]+)+|auth\w*|access|scheme|credentials|token|header|[\d.]+"
_MAYBE_WORDS = {
    *_TALKED_OF, "token", "key", "bot", "signature", "mutual", "concealed", "negotiate", "splunk",
    "genie", "discogs",
}  # fmt: skip


def read(text: str, number: int, now: float) -> list[Found]:
    """Return what one line says that has no header's name in front; nothing if it says nothing."""
    value, _ = unquoted(text)
    value, wrong = tidy(value)
    if not value or len(value) > 200_000:
        return []
    if part := passkeys.part_of(value):
        return [Found(part, value, number, "passkey", wrong, content=value)]
    name = _name(value, now)
    return [Found(*name, number, kind, wrong)] if (kind := _kind(name)) else []


def _kind(name: tuple[str, str] | None) -> str:
    if name is None:
        return ""
    return "alone" if name[0] == "token" else "header"


def _name(value: str, now: float) -> tuple[str, str] | None:
    """Return the header in which a value belongs, and the value as it belongs there."""
    word, _, rest = value.partition(" ")
    low = word.lower()
    low = low.rstrip(":,") if low.startswith(("bearer", "basic")) else low
    clean = tokens.cleaned(value).token
    if low in _KNOWN and (low not in _MAYBE_WORDS or _credible(low, rest)):
        return _of_scheme(value, word, rest.strip())
    if re.match(r"(?i)(?:bearer|basic)(?:ey|[:,=]|%20)", value):
        return "Authorization", value
    if re.fullmatch(r"(b?)(['\"])(?:Bearer|Basic|Digest|JWT) .*", value):
        return "Authorization", value
    if re.match(r"[A-Za-z_][\w.-]*=", value):
        if cookie := _cookies(value, now):
            return cookie
        if re.fullmatch(_FORM, value):
            return None  # `addresses` reads it
    if hashes.is_hash(clean):
        return "token", value
    if jose.is_jose(clean):
        return "Authorization", f"Bearer {value}"
    if tokens.is_readable(clean, now):
        found = signed.read(clean, now)
        if signed.is_session(clean, now) and not opaque.is_django(clean, now):
            return "Cookie", f"session={clean}"
        plain = found is None and not opaque.is_django(clean, now) and not opaque.is_remember(clean)
        return ("Authorization", f"Bearer {value}") if plain else ("token", value)
    if re.match(r"eyJ[\w-]{5}", clean) and (CUT.search(clean) or re.fullmatch(r"[\w.=-]+", clean)):
        return "Authorization", f"Bearer {value}"
    if cookie := _cookies(value, now):
        return cookie
    if is_basic(value) or opaque.maker(value) and re.fullmatch(r"\S+", value):
        return ("Authorization", value) if is_basic(value) else ("token", value)
    if re.fullmatch(r"[A-Z][A-Za-z0-9_-]{2,30} [\w.+/~-]{12,}=*", value) and re.search(r"\d", rest):
        return "Authorization", value
    if re.match(r"[A-Z][\w-]{2,30} [\w-]+=\"?[^\s\",]+\"?\s*,\s*[\w-]+=", value):
        return _of_scheme(value, word, rest)
    return None


def _credible(scheme: str, rest: str) -> bool:
    """`token` is a word of English as well: what follows must look like a token."""
    if scheme in _TALKED_OF and re.fullmatch(_TALK, rest):
        return bool(tokens.no_token(rest)) and scheme == "bearer"
    if scheme in _TALKED_OF:
        return True
    if scheme in ("negotiate", "mutual", "concealed", "signature") and not rest:
        return scheme == "negotiate"
    return bool(re.fullmatch(r"\S{6,}|.*\w=.*|[\"'<{$\[]\S+", rest)) or rest in ("null", "None")


def _of_scheme(value: str, word: str, rest: str) -> tuple[str, str]:
    found = offers(value, many=True)
    given = {param.name for offer in found for param in offer.params}
    sent = given & {"response", "username", "username*", "uri", "mac", "signature", "nc", "cnonce"}
    asked = bool(given & _CHALLENGING) or word.lower() == "digest"
    if not rest or not sent and (asked or len(found) > 1 and not found[0].token):
        return "WWW-Authenticate", value
    return "Authorization", value


def _cookies(value: str, now: float) -> tuple[str, str] | None:
    """`session=…; theme=dark`, as `document.cookie` and `curl -b` have it."""
    pairs = [pair.strip() for pair in value.split(";") if pair.strip()]
    if not pairs or not all(re.fullmatch(r"[\w.$!#*|~-]{1,80}=\S*|[\w-]+", p) for p in pairs[:1]):
        return None
    if re.fullmatch(_FORM, value):
        return None
    name, equals, first = pairs[0].partition("=")
    if not equals or not re.fullmatch(r"[A-Za-z_.][\w.-]*", name):
        return None
    attributes = {pair.partition("=")[0].strip().lower() for pair in pairs[1:]}
    if attributes & {"path", "httponly", "expires", "max-age", "samesite"}:
        return "Set-Cookie", value
    known = re.search(r"(?i)session|token|sid\b|auth|jwt|csrf|remember|login|^id$", name)
    readable = any(
        tokens.is_readable(tokens.cleaned(pair.partition("=")[2]).token, now) for pair in pairs[:20]
    )
    if readable or (known and len(first) > 7) or (known and len(pairs) > 1):
        return "Cookie", value
    return None
