"""A token, whatever header, cookie or JSON it stands in: which kind it is, and what went wrong.

The kinds are tried in turn: JWT and JWE, PASETO, Flask-Login's, Django's, itsdangerous's.
"""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import unquote

from . import hashes, jose, opaque, signed
from .encoding import CUT, MASKED, json_object, unbase64url
from .note import Context, Note, Wrong, code, shown, wrongs

_NOTHING = {
    "undefined",
    "null",
    "none",
    "nil",
    "nan",
    "true",
    "false",
    "[object object]",
    '""',
    "''",
}
_TEMPLATE = re.compile(
    r"\$\w{1,60}|\$\{.{0,200}\}|\$\(.{0,200}\)|\{\{.{0,200}\}\}|\{[\w .-]{1,40}\}|<[\w .:/-]{1,28}>"
    r"|%\w{1,40}%|%s|%\(\w{1,40}\)s|\[[\w .-]{1,28}\]|#\{.{0,200}\}|@\{.{0,200}\}"
)
_STAND_IN = re.compile(
    r"(?:your|my|the|some|insert|paste|put|enter|replace|valid|actual)[_ -].*"
    r"|(?:access|auth|api|jwt|bearer|id|refresh|oauth|user|session)[_ -]?(?:token|key)"
    r"|token|apikey|password|secret|here|todo|changeme|string",
    re.IGNORECASE,
)
_QUOTES = re.compile(r"(b?)([\"'`“”‘’])(.*?)[\"'`“”‘’]?", re.DOTALL)
_PREFIX = re.compile(
    r"(?:bearer|jwt|(?:access_|id_)?token)(?:\s*[:,=]\s*|\s+|%20|\+)", re.IGNORECASE
)


class Cleaned(NamedTuple):
    """A token without what went along with it by mistake, and what that was."""

    token: str
    wrong: tuple[Wrong, ...]


def is_readable(token: str, now: float) -> bool:
    """Say whether anyone can read something in the token."""
    return (
        jose.is_jose(token)
        or opaque.is_paseto(token)
        or opaque.is_remember(token)
        or opaque.is_django(token, now)
        or hashes.is_hash(token)
        or signed.read(token, now) is not None
    )


def readable_notes(
    header: str, token: str, context: Context, depth: int, part: str = "", cookie: str = ""
) -> list[Note]:
    """Return the notes for a token that anyone can read, or none if it is not readable.

    part: what the first note is about, if not the token; cookie: its name, if it is in one.
    """
    part = part or token
    if jose.is_jose(token):
        return jose.notes(header, token, context, depth)
    if opaque.is_paseto(token):
        return opaque.paseto(header, token, context, depth)
    if opaque.is_remember(token):
        return opaque.remember(header, part, token, context, depth)
    if opaque.is_django(token, context.time()):
        return opaque.django(header, part, token, context, depth)
    if hashes.is_hash(token):
        return hashes.notes(header, token, depth)
    return signed.notes(header, part, token, context, depth, cookie)


def cleaned(token: str) -> Cleaned:
    """Take off what went along with a token by mistake: quotes, `b''`, a second `Bearer`."""
    found: list[str] = []
    for _ in range(4):
        before = token
        token = token.strip()
        quoted = _QUOTES.fullmatch(token) if len(token) > 2 else None
        if quoted and re.search(r"[\w.+/=-]{3}", quoted[3]):
            token = quoted[3]
            found.append(
                "Python's `b'…'` went along with the token: decode the bytes to text first."
                if quoted[1]
                else "A quotation mark stands at the token, and the server gets it with the token."
            )
        match = _PREFIX.match(token)
        if match and len(token) > match.end():
            word = shown(match[0].strip(" \t:,="))
            again = "once more " if word.lower() == "bearer" else ""
            found.append(f"`{word}` stands {again}in front of the token, where nothing belongs.")
            token = token[match.end() :]
        if re.match(r"[:,=;]\s*\S", token):
            found.append(
                f"{code(token[0])} stands in front of the token and does not belong there."
            )
            token = token[1:]
        angled = re.fullmatch(r"[<\[{(]\s*(ey[\w.=-]+|[\w.-]{30,})\s*[>\]})]", token)
        if angled:
            found.append(
                f"The brackets `{token[0]}{token[-1]}` stand around the token: leave them out."
            )
            token = angled[1]
        if re.search(r"[\w=-][,;]$", token):
            found.append(f"{code(token[-1])} stands after the token and does not belong there.")
            token = token[:-1]
        if token.endswith("\\n") or token.endswith("\\r"):
            found.append("A line break, written `\\n`, stands at the end of the token.")
            token = re.sub(r"(\\[nr])+$", "", token)
        if token == before:
            break
    if "%" in token and re.fullmatch(r"ey[\w.%-]+=*", token):
        found.append("The token is percent-encoded, as addresses want it and headers don't.")
        token = unquote(token)
    whole = re.match(r"(ey[\w-]+\.ey[\w-]+\.[\w-]{43,})[\s;?&]+(\S.*)", token, re.DOTALL)
    if whole and not re.fullmatch(r"[\w-]{12,}", whole[2]):
        found.append(
            f"Something follows the token and does not belong there: {code(whole[2], 40)}."
        )
        token = whole[1]
    inner = re.sub(r"\s+", "", token)
    if inner != token and re.fullmatch(r"[\w.=-]+", inner) and inner.startswith("ey"):
        found.append("A blank or a line break stands in the token, which must be one word.")
        token = inner
    return Cleaned(token, wrongs(*found))


def no_token(token: str) -> str:
    """Say that a word is no token but one that a program, or its author, left there; else ""."""
    bare = token.strip("'\"")
    if is_masked(token):
        return ""
    if bare.lower() in _NOTHING or not bare:
        return f"{code(token)} is what a program sends, probably, when its variable holds no token."
    if _TEMPLATE.fullmatch(bare):
        return f"{code(token, 80)} is a template, probably, that nobody filled in."
    if _STAND_IN.fullmatch(bare):
        return f"{code(token, 80)} is a word that stands for a token, probably, and none itself."
    return ""


def is_masked(token: str) -> bool:
    """Say whether somebody has hidden the token."""
    return MASKED.fullmatch(token) is not None


def opaque_text(token: str, what: str = "Bearer token") -> tuple[str, tuple[Wrong, ...]]:
    """Return what can be said of a token that nobody but its server can read."""
    cut = CUT.search(token)
    if cut:
        return "cut off: only a part of it stands here, and no more than that can be said.", ()
    if token.startswith("ey") and _begins_like_json(token):
        dots = token.count(".")
        inside = json_object(unbase64url(token.rstrip("="))) if dots == 0 else None
        if inside is not None and "alg" in inside[0]:
            said = "the first part of a JWT, its header; the other two are missing."
            return said, wrongs(f"This is {said}")
        if inside is not None:
            return "JSON in base64, and no JWT, which has three parts.", ()
        text = "begins like a JWT, but its first part is no JSON header with `alg`, so it is none"
        said = "It begins like a JWT and is none: it is cut off, probably, or a letter was changed."
        return f"{text}, or not the whole of one.", wrongs(said)
    text = "opaque: no JWT, so it means something only to the server that keeps it."
    who = opaque.maker(token)
    if who:
        text = f"opaque; by its beginning it is probably {who}."
    return text, ()


def _begins_like_json(token: str) -> bool:
    octets = unbase64url(token[:4]) or b""
    return octets[:1] == b"{" and octets[1:2] in (b'"', b" ", b"\n", b"\r", b"\t")


def notes(header: str, token: str, context: Context, depth: int) -> list[Note]:
    """Return the notes for a token of any kind, in a place where only a token can stand."""
    said = no_token(token)
    if said:
        return [Note(header, shown(token), said, False, depth, wrongs(said))]
    if is_masked(token):
        text = "masked by hand or by a program, so there is nothing to read."
        return [Note(header, shown(token), text, False, depth)]
    clean = cleaned(token)
    found = readable_notes(header, clean.token, context, depth)
    if not found:
        text, wrong = opaque_text(clean.token)
        found = [Note(header, shown(clean.token), text, True, depth, wrong)]
    first = found[0]
    found[0] = Note(
        first.header, first.part, first.text, first.secret, first.depth, first.wrong + clean.wrong
    )
    return found
