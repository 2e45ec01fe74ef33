"""What a note is, what the reader may know beside the header, and how a value is quoted.

Every quotation from a paste passes through `shown`. A character that can't be printed, and the
backtick, come out escaped (`\\x1b`, `\\x60`), and long values end in "…". So no value can talk to
the terminal or leave its Markdown code span.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

MOST = 40  # parameters, claims, cookies or members of one value that are shown


class Wrong(NamedTuple):
    """Something about a header that will not do, in a sentence that stands on its own."""

    text: str
    refused: bool = True  # whoever gets it will most likely refuse it; False: a risk, or odd


@dataclass(frozen=True)
class Note:
    """One remark about one part of one header."""

    header: str  # field name as sent: "Authorization"
    part: str  # the piece explained, as it stands in the header; "" for the header as a whole
    text: str  # one or two sentences; `code` is the only Markdown in it
    secret: bool = False  # whoever sees this piece can act as the user
    depth: int = 0  # 0 the header as a whole, 1 its parts, 2 and 3 parts of parts
    wrong: tuple[Wrong, ...] = ()  # what is wrong with this part; `explain` in cli.py says it first


@dataclass(frozen=True)
class PublicKey:
    """A key that can verify and not sign."""

    key: Any  # of cryptography
    kid: str | None = None  # its name in a JWKS


@dataclass(frozen=True)
class Context:
    """What the reader happens to know beside the header itself."""

    method: str | None = None  # of the request, for Digest's A2
    target: str | None = None  # request target, "/account?x=1"
    status: int | None = None  # of the response, if the header is from one
    passwords: Mapping[str, str] = field(default_factory=dict, repr=False)  # user name -> password
    keys: Sequence[str | bytes | PublicKey] = field(default=(), repr=False)  # that may have signed
    now: float | None = None  # POSIX seconds; None: the clock
    body: bytes | None = None  # of the message the header is from, for qop=auth-int
    authorization: str | None = field(default=None, repr=False)  # the request's, for rspauth
    full: bool = False  # long values in full and JSON as JSON; a notebook has them short
    salts: Sequence[str] = ()  # of itsdangerous serializers, beside the usual ones

    def time(self) -> float:
        return time.time() if self.now is None else self.now


NOTHING = Context()  # nothing is known


def wrongs(*found: str | Wrong | None) -> tuple[Wrong, ...]:
    """Return what is wrong, of sentences that may be absent; a plain one means "refused"."""
    return tuple(w if isinstance(w, Wrong) else Wrong(w) for w in found if w)


# --- quoting ----------------------------------------------------------------------------------


def shown(text: str, most: int = 60) -> str:
    """Return `text` fit for a terminal and for a Markdown code span, cut to `most` characters."""
    cut = text if len(text) <= most else text[: most - 1] + "…"
    return "".join(
        r"\x60" if c == "`" else c if c.isprintable() else c.encode("unicode_escape").decode()
        for c in cut
    )


def code(value: object, most: int = 160) -> str:
    """Return a value as a Markdown code span, or words for the empty one."""
    return f"`{shown(str(value), most)}`" if str(value) else "the empty string"


def hidden(secret: str) -> str:
    """Return a secret so that its owner recognises it and nobody else learns it."""
    kept = max(0, min(3, len(secret) - 3))
    return f"`{shown(secret[:kept])}…`"


def decoded(value: str) -> str:
    """Undo the latin-1 in which HTTP libraries hand over UTF-8 octets, where that is what it is."""
    try:
        return value.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return value


# --- JSON -------------------------------------------------------------------------------------

_INSIDE, _WHOLE = 96, 4000  # characters of one text in a value, and of the value as a whole


def json_code(value: Any, full: bool) -> str:
    """Return a JSON value as a code span.

    With `full` as JSON writes it, long texts in it shortened. Without, a text stands bare where
    nobody could take it for another kind of value, and the whole is cut.
    """
    if full:
        return code(shortened(value), _WHOLE)
    if isinstance(value, str):
        return code(_written(value) if _ambiguous(value) else value)
    return code(_written(value))


def shortened(value: Any) -> str:
    """Return JSON in which long texts are shortened inside, and long lists after `MOST` items."""
    try:
        return _written(_shorter(value))
    except RecursionError:
        return "(nested too deeply to show)"


def _shorter(value: Any) -> Any:
    if isinstance(value, str) and len(value) > _INSIDE:
        return f"{value[: _INSIDE // 2]}…{value[-8:]} ({len(value)} characters)"
    if isinstance(value, list):
        more = [f"… {len(value) - MOST} more"] if len(value) > MOST else []
        return [_shorter(item) for item in value[:MOST]] + more
    if isinstance(value, dict):
        some = {_shorter(name): _shorter(item) for name, item in list(value.items())[:MOST]}
        return some | ({"…": f"{len(value) - MOST} more"} if len(value) > MOST else {})
    return value


def _written(value: Any) -> str:
    try:
        return json.dumps(value, ensure_ascii=False)
    except (RecursionError, ValueError):
        return "(nested too deeply, or too long a number, to show)"


def _ambiguous(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


# --- time -------------------------------------------------------------------------------------


def span(seconds: float) -> str:
    """Return a duration in its two largest units: "2 min 59 s"."""
    left = int(seconds)
    words: list[str] = []
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min"), (1, "s")):
        count, left = divmod(left, size)
        if count or (unit == "s" and not words):
            words.append(f"{count} {unit}")
    return " ".join(words[:2])


def utc(seconds: object) -> str | None:
    """Return a NumericDate (RFC 7519, 2) as UTC, or None for what is no number or no such year."""
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)):
        return None
    try:
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    except (OverflowError, ValueError):
        return None
    return moment.replace(tzinfo=None).isoformat(" ", "seconds") + " UTC"


def ago(seconds: float, now: float) -> str:
    """Return how far a moment is from now: "12 s ago", "in 2 min 59 s"."""
    return f"{span(now - seconds)} ago" if seconds <= now else f"in {span(seconds - now)}"


# --- lists of notes ---------------------------------------------------------------------------


def limited(header: str, notes: list[Note], depth: int, count: int) -> list[Note]:
    """Say, at the end of the notes, how many pieces got none."""
    if count > MOST:
        rest = f"…and {count - MOST} more, not explained here."
        notes.append(Note(header, "", rest, False, depth))
    return notes


def all_wrong(notes: Iterable[Note]) -> list[Wrong]:
    """Return what is wrong, each once, what is refused first."""
    found = dict.fromkeys(wrong for note in notes for wrong in note.wrong)
    return sorted(found, key=lambda wrong: not wrong.refused)
