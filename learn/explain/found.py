"""A header that was found in a paste, before it is explained, and what a paste adds to a value."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from .encoding import CUT
from .note import Context, Wrong, shown

INVISIBLE = re.compile("[\u200b-\u200f\u2060-\u2064\ufeff\u00ad\u202a-\u202e]")
_EDGES = re.compile(rf"^(?:{INVISIBLE.pattern}|\s)+|(?:{INVISIBLE.pattern}|\s)+$")
_BLANKS = re.compile("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")
PAIRS = ('""', "''", "``", "“”", "‘’", "„“", "«»")


@dataclass(frozen=True)
class Found:
    """One header, or one token, that stands in a paste."""

    name: str
    value: str
    line: int = 1
    kind: str = "header"  # or "token": a member, parameter or value alone; "claims", "alone"
    wrong: tuple[Wrong, ...] = ()
    remark: str = ""  # what was done to read it
    filled: str = ""  # who fills in the template in it: "the shell", "the program"
    method: str | None = None
    target: str | None = None
    status: int | None = None
    content: object = None  # of claims: what they are

    def context(self, given: Context, usual_method: str | None, authorization: str) -> Context:
        """Return what is known about this header: what the reader said goes first."""
        return replace(
            given,
            method=given.method or self.method or usual_method,
            target=given.target or self.target,
            status=given.status or self.status,
            authorization=given.authorization or authorization or None,
            full=True,
        )


def tidy(raw: str) -> tuple[str, tuple[Wrong, ...]]:
    """Return a value without invisible characters and odd blanks, and what is wrong with it."""
    raw = _EDGES.sub("", raw)
    odd = sorted({*INVISIBLE.findall(raw), *_BLANKS.findall(raw)})
    value = _BLANKS.sub(" ", INVISIBLE.sub("", raw)).strip()
    if not odd or CUT.search(value):
        return value, ()
    names = ", ".join(f"U+{ord(c):04X}" for c in odd[:3])
    text = (
        f"An invisible character or an odd blank ({names}) stands in it. It came along in copying, "
        "probably; if it is sent, the server gets it too."
    )
    return value, (Wrong(text),)


def unquoted(raw: str) -> tuple[str, bool]:
    """Take off the quotes of the program or document in which a value stood, and its comma."""
    value = raw.strip()
    without = re.sub(r"(?<=[\"'`”’])\s*[,;)\]}]+$|\s+\\$", "", value).strip()
    for _ in range(2):
        if len(without) > 1 and without[0] + without[-1] in PAIRS:
            inner = without[1:-1]
            if without[0] == '"':
                inner = inner.replace('\\"', '"')
            without = inner.strip()
            value = without
    return value, value != raw.strip()


def clear_name(raw: str) -> str:
    """Return a header's name as HTTP writes it, from any spelling: `HTTP_AUTHORIZATION`."""
    name = INVISIBLE.sub("", raw).strip().strip("\"'`“”‘’").strip()
    wsgi = re.fullmatch(r"(?:REDIRECT_)*HTTP_([A-Z0-9_]+)", name)
    if wsgi:
        return wsgi[1].replace("_", "-").title().replace("Www-", "WWW-")
    return name


def in_line(found: Found) -> str:
    """Return where a header stands, for a message."""
    return f"`{shown(found.name)}` (line {found.line})"
