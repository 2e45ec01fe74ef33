"""Tokens that are neither JWT nor itsdangerous: PASETO, Django's signed values, Flask-Login's.

And the ones that nobody but their server can read, of which the beginning names the maker.
"""

from __future__ import annotations

import hashlib
import hmac
import re

from .encoding import json_value, unbase64url, unpacked
from .note import Context, Note, PublicKey, Wrong, ago, json_code, shown, utc, wrongs

# --- PASETO -----------------------------------------------------------------------------------

_PASETO = re.compile(r"v([1-4])\.(local|public)\.([A-Za-z0-9_-]+)(?:\.([A-Za-z0-9_-]*))?")
_SIGNATURE = {"1": 256, "2": 64, "3": 96, "4": 64}


def is_paseto(token: str) -> bool:
    """Say whether a token has the form of PASETO."""
    return _PASETO.fullmatch(token) is not None


def paseto(header: str, token: str, context: Context, depth: int) -> list[Note]:
    """Return the notes for a token that `is_paseto` accepts."""
    version, purpose, body, footer = _PASETO.fullmatch(token).groups()
    text = f"A PASETO token of version {version}: " + (
        "encrypted with a key that both sides share, so nobody else can read it."
        if purpose == "local"
        else "signed, not encrypted, so anyone can read it."
    )
    notes = [Note(header, shown(token), text, True, depth)]
    octets = unbase64url(body) or b""
    if purpose == "public":
        content = octets[: -_SIGNATURE[version]]
        found = json_value(content.decode("utf-8", "replace")) if content else None
        if found is None:
            text = "the content and its signature, but the content is no JSON."
        else:
            text = f"the content, before its signature: {json_code(found[0], True)}."
        notes.append(Note(header, shown(body), text, False, depth + 1, _expired(found, context)))
    if footer:
        text = (unbase64url(footer) or b"").decode("utf-8", "replace")
        found = json_value(text)
        said = f"the footer, which anyone can read: {json_code(found[0] if found else text, True)}."
        notes.append(Note(header, shown(footer), said, False, depth + 1))
    return notes


def _expired(found: tuple | None, context: Context) -> tuple[Wrong, ...]:
    from datetime import datetime

    exp = found[0].get("exp") if found and isinstance(found[0], dict) else None
    try:
        moment = datetime.fromisoformat(exp).timestamp() if isinstance(exp, str) else None
    except (ValueError, OverflowError):
        moment = None
    if moment is None or moment > context.time():
        return ()
    return wrongs(f"Expired {ago(moment, context.time())}, at {utc(moment)}.")


# --- Django -----------------------------------------------------------------------------------

_DJANGO = re.compile(r"(\.?[A-Za-z0-9_-]+|[^:\s]+):([0-9A-Za-z]{6}):([A-Za-z0-9_-]{27,43})")
_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SALTS = (
    "django.contrib.sessions.backends.signed_cookies",
    "django.core.signing",
    "django.core.signing.TimestampSigner",
)


def _django_time(stamp: str) -> int:
    seconds = 0
    for letter in stamp:
        seconds = seconds * 62 + _BASE62.index(letter)
    return seconds


def is_django(value: str, now: float) -> bool:
    """Say whether a value has the form that Django signs: content, time in base 62, signature."""
    match = _DJANGO.fullmatch(value)
    if match is None or len(unbase64url(match[3]) or b"") not in (20, 32):
        return False
    return 1_200_000_000 < _django_time(match[2]) < now + 86400


def django(header: str, part: str, value: str, context: Context, depth: int) -> list[Note]:
    """Return the notes for a value that `is_django` accepts."""
    data, stamp, signature = _DJANGO.fullmatch(value).groups()
    packed = data.startswith(".")
    octets = unbase64url(data[packed:])
    octets = unpacked(octets) if octets and packed else octets
    found = json_value(octets.decode("utf-8", "replace")) if octets else None
    content = json_code(found[0] if found else data, True)
    moment = _django_time(stamp)
    text = (
        "A value that Django has signed, such as a session that it keeps in the cookie: signed, "
        "not encrypted, so anyone can read it."
    )
    more = " (the leading dot says: compressed)" if packed else ""
    when = f"signed {utc(moment)}, {ago(moment, context.time())}, counted in base 62."
    return [
        Note(header, shown(part), text, True, depth),
        Note(header, shown(data), f"the content{more}: {content}.", False, depth + 1),
        Note(header, shown(stamp), when, False, depth + 1),
        Note(header, shown(signature), _django_verdict(value, context), False, depth + 1),
    ]


def _django_verdict(value: str, context: Context) -> str:
    keys = [key for key in context.keys if not isinstance(key, PublicKey)]
    if not keys:
        return "the signature; to verify it takes the server's `SECRET_KEY`, not known here."
    signed, _, signature = value.rpartition(":")
    expected = unbase64url(signature)
    name = "sha256" if len(expected) == 32 else "sha1"
    for key in keys:
        octets = key.encode("utf-8", "surrogatepass") if isinstance(key, str) else key
        for salt in (*_SALTS, *context.salts):
            derived = hashlib.new(
                name, salt.encode("utf-8", "surrogatepass") + b"signer" + octets
            ).digest()
            if hmac.compare_digest(
                hmac.digest(derived, signed.encode("utf-8", "surrogatepass"), name), expected
            ):
                return f"the signature: it matches a known key (salt `{shown(salt)}`)."
    return "the signature: it does not match any key known here with Django's usual salts."


# --- Flask-Login ------------------------------------------------------------------------------

_REMEMBER = re.compile(r"(.{1,200})\|([0-9a-f]{128}|[0-9a-f]{40})")


def is_remember(value: str) -> bool:
    """Say whether a value has the form of Flask-Login's `remember_token`."""
    return _REMEMBER.fullmatch(value) is not None


def remember(header: str, part: str, value: str, context: Context, depth: int) -> list[Note]:
    """Return the notes for a value that `is_remember` accepts."""
    user, digest = _REMEMBER.fullmatch(value).groups()
    text = (
        "Flask-Login's `remember_token`: the user's id, a bar, and an HMAC of the id. No time is "
        "in it, so a copy works as long as the user exists and the server's `SECRET_KEY` stays, "
        "after a logout and after the 365 days that browsers keep it by default. What it begins is "
        "a session that is not fresh."
    )
    verdict = "an HMAC over the id; to verify it takes the server's `SECRET_KEY`, not known here."
    wrong: tuple[Wrong, ...] = ()
    keys = [key for key in context.keys if not isinstance(key, PublicKey)]
    if keys:
        verdict = "an HMAC over the id: it does not match any key known here."
        wrong = wrongs("The signature matches no key that was given.")
    for key in keys:
        octets = key.encode("utf-8", "surrogatepass") if isinstance(key, str) else key
        name = "sha512" if len(digest) == 128 else "sha1"
        if hmac.digest(octets, user.encode("utf-8", "surrogatepass"), name).hex() == digest:
            verdict = "an HMAC over the id: it matches a known key."
            wrong = ()
    said = f"the id of the user, {json_code(user, True)}; anyone can read it."
    return [
        Note(header, shown(part), text, True, depth),
        Note(header, shown(user), said, False, depth + 1),
        Note(header, shown(digest), verdict, False, depth + 1, wrong),
    ]


# --- opaque tokens with a known beginning -----------------------------------------------------

_MAKERS = {
    r"ghp_\w{20,}": "a personal access token of GitHub",
    r"gh[ousr]_\w{20,}": "a token of GitHub",
    r"github_pat_\w{20,}": "a fine-grained personal access token of GitHub",
    r"glpat-[\w-]{15,}": "a personal access token of GitLab",
    r"xox[abposr]-[\w-]{10,}": "a token of Slack",
    r"ya29\.[\w.-]{10,}": "an access token of Google",
    r"AIza[\w-]{30,}": "an API key of Google",
    r"[sr]k_(?:live|test)_\w{10,}": "a secret key of Stripe",
    r"pypi-\w{20,}": "a token of PyPI",
    r"npm_\w{20,}": "a token of npm",
    r"SG\.[\w-]{15,}\.[\w-]{15,}": "an API key of SendGrid",
    r"hf_\w{20,}": "a token of Hugging Face",
    r"sk-[\w-]{16,}": "an API key; several services begin theirs so",
    r"(?:AKIA|ASIA)[0-9A-Z]{12,}": "an access key id of AWS; the secret key belongs to it",
    r"EAA[A-Za-z0-9]{20,}": "an access token of Facebook",
}


def maker(token: str) -> str:
    """Return who made an opaque token, by its beginning, or an empty text."""
    return next((text for form, text in _MAKERS.items() if re.match(form, token)), "")
