"""What tokens and cookies are packed in: base64url, JSON, zlib, a time after itsdangerous.

Nothing here raises on what it can't read: it returns None.
"""

from __future__ import annotations

import base64
import json
import re
import zlib
from collections import Counter
from typing import Any

CUT = re.compile(r"\.{3,}|…")  # where a person, or a program, left the rest out
MASKED = re.compile(
    r"[*•xX]{3,}|[<\[({]*(?:redacted|filtered|masked|secure|hidden|removed|sensitive|omitted)[>\])}]*",
    re.IGNORECASE,
)


def unbase64url(text: str) -> bytes | None:
    """Decode base64url without padding (RFC 7515, 2), or return None."""
    if re.fullmatch(r"[A-Za-z0-9_-]*", text) is None or len(text) % 4 == 1:
        return None
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def json_object(octets: bytes | None) -> tuple[dict[str, Any], list[str]] | None:
    """Return a JSON object and the names that occur twice in it, or None if it is no object."""
    twice: list[str] = []

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        twice[:] = [name for name, count in Counter(n for n, _ in pairs).items() if count > 1]
        return dict(pairs)  # the outermost object comes last, so `twice` ends up being its own

    try:
        found = json.loads((octets or b"").decode("utf-8"), object_pairs_hook=members)
    except (ValueError, RecursionError):
        return None
    return (found, twice) if isinstance(found, dict) else None


def json_value(text: str) -> tuple[Any] | None:
    """Return a JSON value of any kind in a tuple, or None if it is no JSON."""
    try:
        return (json.loads(text),)
    except (ValueError, RecursionError):
        return None


def partial_object(text: str) -> dict[str, Any] | None:
    """Return the members of a JSON object that are there in full, though its end is missing."""
    reader, found = json.JSONDecoder(), {}
    if not text.lstrip().startswith("{"):
        return None
    at = text.index("{") + 1
    try:
        while True:
            at = re.compile(r"[\s,]*").match(text, at).end()
            name, at = reader.raw_decode(text, at)
            at = re.compile(r"\s*:\s*").match(text, at).end()
            value, at = reader.raw_decode(text, at)
            if not re.compile(r"\s*[,}]").match(text, at):  # a number may go on
                break
            found[str(name)] = value
    except (ValueError, AttributeError, RecursionError):
        pass
    return found


def partial_text(start: str) -> str:
    """Return what the beginning of a base64url text decodes to, as far as it goes."""
    good = re.match(r"[A-Za-z0-9_-]*", start)[0]
    good = good[: len(good) - (len(good) % 4 == 1)]
    return (unbase64url(good) or b"").decode("utf-8", "ignore")


def unpacked(octets: bytes) -> bytes | None:
    """Undo zlib, to at most a megabyte: a small cookie can unpack to a very large one."""
    try:
        packed = zlib.decompressobj()
        found = packed.decompress(octets, 1 << 20)
    except zlib.error:
        return None
    return found if packed.eof else None


def signed_time(stamp: str, now: float) -> tuple[int, bool] | None:
    """Return the time in itsdangerous's `stamp`, and whether it was counted from 2011.

    Until its version 1.1, itsdangerous counted from 2011-01-01.
    """
    octets = unbase64url(stamp)
    if not octets or len(octets) > 5:
        return None
    seconds = int.from_bytes(octets, "big")
    if 1_300_000_000 < seconds < now + 86400:
        return seconds, False
    if 10_000_000 < seconds < 300_000_000:
        return seconds + 1_293_840_000, True
    return None


SIZES = (20, 28, 32, 48, 64)  # bytes of an HMAC with the SHA family
