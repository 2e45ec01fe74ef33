"""Try the words of a list as the key of one's own token or session.

For HS256, HS384 and HS512, Flask's session, itsdangerous's tokens and Flask-Login's cookie. A short
or common key gives itself away in this manner, which is why it is worth trying on one's own.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from . import jose, opaque, signed
from . import token as tokens
from .encoding import unbase64url
from .note import hidden
from .paste import Reading

WHAT_FOLLOWS = (
    "Whoever has this list has the key, and with it writes tokens and sessions for any user, which "
    "the server takes for its own. Take a random key of 32 bytes or more, from `python3 -c "
    "'import secrets; print(secrets.token_hex())'`, and don't keep it in the source; everything "
    "that was signed with the old one ends then, as it must."
)


class Target(NamedTuple):
    """Something signed, and how to try a key on it."""

    name: str  # of the header it stands in
    fits: Callable[[bytes], bool]


class Guess(NamedTuple):
    """How a search went."""

    target: Target | None  # None: no word fits
    key: bytes | None
    line: int  # of the list
    tried: int
    ended: bool  # False: time was up


def targets(reading: Reading, now: float, salts: tuple[str, ...] = ()) -> list[Target]:
    """Return what in a paste was signed with a key that could be a word."""
    found: list[Target] = []
    for one in reading.fields:
        for text in re.split(r"[\s;,]+", one.found.value)[:80]:
            token = tokens.cleaned(text).token
            for value in dict.fromkeys((token, token.partition("=")[2].strip('"'))):
                ways = _ways(value, now, salts) if 20 < len(value) < 100_000 else []
                found += [Target(one.found.name, fits) for fits in ways]
    return found[:8]


def _ways(value: str, now: float, salts: tuple[str, ...]) -> list[Callable[[bytes], bool]]:
    match = re.fullmatch(r"(ey[\w-]+\.[\w-]+)\.([\w-]+)", value)
    name = {32: "sha256", 48: "sha384", 64: "sha512"}
    if match and b'"HS' in (unbase64url(match[1].partition(".")[0]) or b""):
        octets, expected = match[1].encode(), unbase64url(match[2]) or b""
        digest = name.get(len(expected))
        if digest:
            return [lambda key: hmac.digest(key, octets, digest) == expected]
        return []
    if jose.is_jose(value):
        return []  # signed with a private key, or not at all
    if opaque.is_remember(value):
        user, _, hexes = value.rpartition("|")
        kind = "sha512" if len(hexes) == 128 else "sha1"
        wanted, data = bytes.fromhex(hexes), user.encode("utf-8", "surrogatepass")
        return [lambda key: hmac.digest(key, data, kind) == wanted]
    if not signed.read(value, now):
        return []
    data, _, signature = value.rpartition(".")
    expected, octets = unbase64url(signature) or b"", data.encode("utf-8", "surrogatepass")
    digest = signed.DIGESTS.get(len(expected), "sha1")

    def session(key: bytes) -> bool:
        derived = hmac.digest(key, signed.SESSION_SALT.encode(), digest)
        return hmac.digest(derived, octets, digest) == expected

    def usual(salt: bytes) -> Callable[[bytes], bool]:
        def fits(key: bytes) -> bool:
            derived = hashlib.new(digest, salt + b"signer" + key).digest()
            return hmac.digest(derived, octets, digest) == expected

        return fits

    return [session, *(usual(salt.encode()) for salt in (*signed.USUAL_SALTS, *salts))]


def search(
    path: Path, wanted: list[Target], seconds: float, advance: Callable[[float, int], None]
) -> Guess:
    """Try each line of a list as the key, until one fits or the time is up.

    advance: called now and then with the share of the list that is done, and the words tried.
    Raises OSError if the list can't be read.
    """
    end, size, done, tried = time.monotonic() + seconds, max(1, path.stat().st_size), 0, 0
    ended = True
    for tried, line in enumerate(_lines(path), 1):
        done += len(line)
        word = line.rstrip(b"\r\n")
        for target in wanted:
            if target.fits(word):
                return Guess(target, word, tried, tried, True)
        if tried % 4096 == 0:
            advance(done / size, tried)
            if time.monotonic() > end:
                ended = False
                break
    return Guess(None, None, 0, tried, ended)


def _lines(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while line := file.readline(4096):
            yield line


def sentence(guess: Guess, seconds: float) -> str:
    """Say how a search went; a key that was found is never shown whole."""
    if guess.key is not None and guess.target is not None:
        text = guess.key.decode("utf-8", "replace")
        return (
            f"The key is in the list, on line {guess.line}: {hidden(text)}, {len(guess.key)} bytes."
            f" {WHAT_FOLLOWS}"
        )
    if not guess.ended:
        return (
            f"No key among the first {guess.tried:,} words, and the {seconds:g} seconds are over; "
            "--seconds gives more. That no word fits says nothing of words that were not tried."
        )
    return (
        f"None of the {guess.tried:,} words of the list is the key. That says nothing of words "
        "that are not in it."
    )
