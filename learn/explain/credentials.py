"""Credentials: `Authorization` and `Proxy-Authorization` (RFC 9110, 11.6.2).

What stands wrongly before the credentials is named and passed over, so that the rest is read: the
header's name once more, a colon after the scheme, no scheme at all.
"""

from __future__ import annotations

import base64
import binascii
import difflib
import re
from dataclasses import replace

from . import basic, bearer, digest, schemes
from . import token as tokens
from .grammar import offers
from .note import Context, Note, Wrong, code, shown, wrongs

_NAMES = re.compile(r"(?:proxy-)?(?:authori[sz]ation|authentication)\s*[:=]\s*", re.IGNORECASE)
_COMMON = ("bearer", "basic", "digest")


def credentials(header: str, value: str, context: Context) -> list[Note]:
    """Return the notes for the value of `Authorization`."""
    if tokens.is_masked(value):
        text = "masked by hand or by a program, so there is nothing to read."
        return [
            Note(header, "", "Credentials, not shown."),
            Note(header, shown(value), text, False, 1),
        ]
    found: list[str] = []
    if named := _NAMES.match(value):
        found.append(
            f"`{shown(named[0].strip())}` stands twice: once is right, as the header's name."
        )
        value = value[named.end() :]
    quoted = re.fullmatch(r"(b?)([\"'`“‘])(.*?)[\"'`”’]?", value, re.DOTALL)
    if quoted and re.match(r"[A-Za-z]+ ", quoted[3]):
        found.append(
            "Python's `b'…'` stands around the credentials: decode the bytes to text first."
            if quoted[1]
            else "Quotation marks stand around the credentials, and the server gets them too."
        )
        value = quoted[3]
    scheme, rest, wrong = _split(value, context)
    notes = _of_scheme(header, scheme, rest, context)
    notes[0] = replace(notes[0], wrong=(*wrongs(*found, *wrong), *notes[0].wrong))
    return notes


def _split(value: str, context: Context) -> tuple[str, str, list[str]]:
    """Return scheme and rest as they were probably meant, and what is wrong with how they stand."""
    scheme, _, rest = value.partition(" ")
    if "\t" in scheme:
        scheme, _, rest = value.partition("\t")
    rest = rest.strip()
    low = scheme.lower()
    glued = re.fullmatch(
        r"(bearer|basic|jwt)(%20|\+|[:,;=/]+)(.*)", scheme, re.IGNORECASE | re.DOTALL
    )
    if glued and (rest or glued[3]):
        said = f"{code(glued[2])} follows the word `{shown(glued[1])}`, where a blank must stand."
        return glued[1], f"{glued[3]} {rest}".strip(), [said]
    if glued:
        return glued[1], "", [f"{code(glued[2])} follows the word `{shown(glued[1])}`."]
    run_on = re.fullmatch(r"(bearer)(ey[\w.=-]{8,})|(basic)([A-Za-z0-9+/]{6,}=*)", scheme, re.I)
    if run_on and not rest:
        word, token = run_on[1] or run_on[3], run_on[2] or run_on[4]
        return word, token, [f"A blank is missing between `{shown(word)}` and what follows it."]
    if not rest and low not in _COMMON and low not in schemes.ABOUT:
        return _without_scheme(scheme, context)
    if low not in schemes.ABOUT and low not in _COMMON and rest:
        near = difflib.get_close_matches(low[:20], _COMMON, 1, 0.75)
        if near:
            word = near[0].capitalize()
            return word, rest, [f"`{shown(scheme)}` is misspelt, probably: `{word}` is the scheme."]
        if tokens.is_readable(scheme.rstrip(",;"), context.time()):
            said = "The scheme is missing, and something follows the token: `Bearer` and the token."
            return "Bearer", scheme.rstrip(",;"), [said]
    return scheme, rest, []


def _without_scheme(word: str, context: Context) -> tuple[str, str, list[str]]:
    """A single word is a scheme with nothing after it, or a token whose scheme is missing."""
    token = tokens.cleaned(word).token
    if tokens.is_readable(token, context.time()) or re.match(r"eyJ[\w-]{6}", token):
        said = "The scheme is missing: this is a token, and `Bearer` belongs in front of it."
        return "Bearer", word, [said]
    if tokens.no_token(word):
        return "", word, ["The scheme is missing, and what stands there is no token either."]
    if is_basic(word):
        said = "The scheme is missing: this is a name and a password, with `Basic` left out."
        return "Basic", word, [said]
    if re.fullmatch(r"[A-Za-z-]{1,20}", word):
        return word, "", []
    if re.fullmatch(r"[\w@.+-]{1,40}:[^\s/,=\"]{1,60}", word):
        return "", word, [
            "A user name and a password stand here as they are, probably: they want `Basic` in "
            "front, and to be in base64 (RFC 7617 2)."
        ]  # fmt: skip
    if len(word) > 7 and not re.search(r'[="]', word.rstrip("=")):
        return "", word, [
            "The scheme is missing, probably: a token stands where a server looks for a word such "
            "as `Bearer` and then the token."
        ]  # fmt: skip
    return word, "", []


def is_basic(word: str) -> bool:
    """Tell whether a word is Base64 of a user name, a colon and a password (RFC 7617 2)."""
    try:
        text = base64.b64decode(word, validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        return False
    return len(word) >= 8 and ":" in text and text.isprintable()


def _of_scheme(header: str, scheme: str, rest: str, context: Context) -> list[Note]:
    low = scheme.lower()
    if low == "basic":
        return basic.credentials(header, rest, context)
    if low == "bearer":
        return bearer.credentials(header, rest, context, scheme)
    if not scheme:
        text = "No scheme stands at the start, so no server can tell what this is (RFC 9110 11.4)."
        return [Note(header, "", text), *tokens.notes(header, rest, context, 1)]
    offer = offers(f"{scheme} {rest}".strip(), many=False)[0]
    if low == "digest":
        if not rest:
            text = "Nothing follows the word `Digest`."
            return [Note(header, "", f"Meant as Digest credentials. {text}", wrong=wrongs(text))]
        return digest.credentials(header, offer, context)
    if not offer.scheme:
        text = "No scheme stands at the start, so no server can tell what this is (RFC 9110 11.4)."
        more = "as it stands; treat it as a secret."
        wrong = (Wrong("No scheme stands at the start, so no server can tell what this is."),)
        return [
            Note(header, "", text, wrong=wrong),
            Note(header, shown(f"{scheme} {rest}"), more, True, 1),
        ]
    return schemes.credentials(header, offer, rest, context)
