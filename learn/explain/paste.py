"""Read whatever people paste, and explain what of it has to do with authentication.

The text is a container (JSON, HAR, Python), a command (curl), lines with headers, or a value alone;
they are tried in this order, and each is a file of its own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from . import alone, answers, containers, curl, lines
from .fields import explain, is_auth_header, is_copy, meant
from .found import PAIRS, Found
from .note import NOTHING, Context, Note, Wrong, all_wrong, shown
from .small import own, own_name
from .token import is_readable
from .token import notes as token_notes

MOST_TEXT = 8_000_000  # characters of JSON; of other text, so much is read:
MOST_LINES, MOST_CHARACTERS = 5_000, 400_000
MOST_FIELDS = 60
_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")
_HINT = (
    "Paste a header as curl -v or a browser shows it, such as `Authorization: Basic …`, "
    "`WWW-Authenticate: …` or `Cookie: session=…`, or a bare JWT."
)


@dataclass(frozen=True)
class Explained:
    """One header of a paste with its notes."""

    found: Found
    notes: list[Note]


@dataclass
class Reading:
    """What a paste says."""

    fields: list[Explained] = field(default_factory=list)
    passed: int = 0  # lines, or members, that have nothing to do with authentication
    unread: int = 0  # characters at the end that were not looked at
    left: int = 0  # headers that are not explained, since there were too many

    @property
    def wrong(self) -> list[Wrong]:
        """What is wrong, what is refused first; with several headers, each says which."""
        return all_wrong(note for one in self.fields for note in one.notes)


def read(text: str, context: Context = NOTHING, usual_method: str | None = None) -> Reading:
    """Explain whatever somebody pasted.

    usual_method: the request's, where neither the context nor the paste says it. Raises ValueError,
    with a sentence for that person, if there is nothing to explain.
    """
    if len(text) > MOST_TEXT:
        raise ValueError(
            f"That is {len(text) / 1e6:.0f} million characters; explain reads up to "
            f"{MOST_TEXT // 1_000_000}. Paste the part with the headers."
        )
    plain = _ANSI.sub("", text).replace("\r\n", "\n").replace("\r", "\n").strip("\ufeff \t\n")
    if len(plain) > 1 and plain[0] + plain[-1] in PAIRS and plain[0] not in plain[1:-1]:
        plain = plain[1:-1].strip()
    inside = containers.read(plain)
    rest = ""
    if inside is not None and inside.fields:
        found, passed = inside.fields, inside.passed
    else:
        plain, rest = _beginning(plain)
        found, passed = _find(plain, context.time())
    reading = Reading(passed=passed, unread=len(rest))
    seen: set[tuple[str, str, str]] = set()
    authorization = ""
    for one in [piece for whole in found for piece in _cookies_apart(whole)]:
        key = (one.name.lower(), one.value, one.kind + repr(one.content)[:200])
        if key in seen:
            continue
        seen.add(key)
        if len(reading.fields) >= MOST_FIELDS:
            reading.left += 1
            continue
        notes = _explained(one, one.context(context, usual_method, authorization))
        if one.name.lower().endswith("authorization"):
            authorization = one.value
        if notes:
            reading.fields.append(Explained(one, notes))
        else:
            reading.passed += 1
    if not reading.fields:
        only = f" Only the first {len(plain):,} characters were read." if rest else ""
        raise ValueError(_nothing(plain, found) + only)
    return reading


def _beginning(text: str) -> tuple[str, str]:
    """Return as much of a long text as is read, and the rest."""
    lines = text[:MOST_CHARACTERS].split("\n", MOST_LINES)
    end = MOST_CHARACTERS - len(lines[-1]) if len(lines) > MOST_LINES else MOST_CHARACTERS
    return text[:end], text[end:]


def _cookies_apart(one: Found) -> list[Found]:
    """Part the cookies that requests and others join by commas; a date has no name after one."""
    if one.name.lower() != "set-cookie" or one.kind != "header":
        return [one]
    pieces = re.split(r",\s*(?=[\w!#$%&'*.^`|~+-]+=[^,]*;)", one.value)
    if len(pieces) == 1:
        return [one]
    remark = (
        "Several cookies in one field: a program joined them, probably; each has its own field."
    )
    return [replace(one, value=piece, remark=remark) for piece in pieces if piece.strip()]


def _find(text: str, now: float) -> tuple[list[Found], int]:
    """Return what a text holds, and how many lines or members are of no interest."""
    if not text:
        return [], 0
    command = curl.find(text)
    words = curl.words_of(text[command.start(1) :]) if command else None
    if words:
        before = text[: command.start()]
        number = before.count("\n") + 1
        raw = text[command.start(1) : len(text) - len(words[1])]
        found = curl.read(words[0], number, raw)
        around = lines.read(f"{before}\n{words[1]}", now)
        more = [one for one in around.fields if one.value]
        if found or more:
            return found + more, len([1 for _, line in around.passed if line])
    return _in_lines(text, now)


def _in_lines(text: str, now: float) -> tuple[list[Found], int]:
    if "\n" not in text and not lines.starts_field(text):
        found = alone.read(text, 1, now)
        if found:
            return found, 0
    read = lines.read(_steady(text), now)
    if read.fields:
        return read.fields, len(read.passed)
    joined = re.sub(r"\s*\n\s*", "", text)
    if "\n" in text and re.fullmatch(r"[\w.=+/-]+(?:\s*\n\s*[\w.=+/-]+){1,200}", text):
        if found := alone.read(joined, 1, now):
            return [replace(found[0], remark="The line breaks in it were taken out.")], 0
    for whole in (re.sub(r"\n[ \t]*", " ", text), joined):
        found = alone.read(whole, 1, now)
        if found and len(text) < 20_000 and not re.search(r"\n[A-Za-z]+ ", text):
            return found, 0
    found, passed = [], 0
    for number, line in enumerate(text.split("\n")[:2000], 1):
        one = alone.read(line, number, now) if line.strip() else []
        found += one
        passed += bool(line.strip() and not one)
    return found, passed


def _steady(text: str) -> str:
    """Part lines that a program printed as `\\r\\n` in one, as Python's http.client does."""
    if "\\r\\n" not in text:
        return text
    return re.sub(r"(?:\\r)?\\n(?=[A-Za-z-]+:|'|\"|$|\\r|[A-Z]+ )", "\n", text)


def _explained(one: Found, context: Context) -> list[Note]:
    """Return the notes for one header, token or member, with what its place says about it."""
    name = shown(one.name)
    if one.filled:
        text = (
            f"`{shown(one.value, 120)}`: {one.filled} fills it in, so there is nothing to read yet."
        )
        return [Note(name, "", text)]
    right = meant(one.name) if one.kind == "header" else ""
    extra: list[Wrong] = list(one.wrong)
    if one.kind == "alone":
        notes = token_notes("value", one.value, context, 0)
    elif one.kind != "header":
        notes = answers.notes(one, context)
    elif is_auth_header(one.name):
        notes = explain(one.name, one.value, context)
        if notes and not one.value.strip():
            extra.append(Wrong(f"`{name}` is empty."))
    elif right and not _only_own(one):
        said = (
            f"The header is named `{right}`; servers look there, and find nothing under `{name}`."
        )
        extra.insert(0, Wrong(said))
        notes = [replace(note, header=name) for note in explain(right, one.value, context)]
    elif is_copy(one.name):
        notes = [
            replace(note, header=name) for note in explain("Authorization", one.value, context)
        ]
        text = "By its name a copy of `Authorization`, probably, that a proxy or gateway made."
        notes.insert(1, Note(name, "", text, False, 1))
    elif one.name.lower() in ("session", "remember_token") and is_readable(
        one.value, context.time()
    ):
        notes = explain("Cookie", f"{one.name}={one.value}", context)
    elif own_name(one.name) and one.value.strip():
        notes = own(name, one.value.strip(), context)
    else:
        notes = []
    if not notes:
        return []
    notes[0] = replace(notes[0], wrong=(*extra, *notes[0].wrong))
    if one.remark:
        notes.insert(1, Note(notes[0].header, "", one.remark, False, 1))
    return notes


def _only_own(one: Found) -> bool:
    return own_name(one.name) and one.name.lower() not in ("auth", "x-authorization")\
        and "auth" not in one.name.lower()  # fmt: skip


def _nothing(text: str, found: list[Found]) -> str:
    """Say why there was nothing to explain."""
    if not text:
        return f"There is nothing to explain. {_HINT}"
    name, colon, _ = text.partition(":")
    if "-----BEGIN " in text:
        return f"This is a key or certificate, and no header; --key takes it. {_HINT}"
    if curl.find(text):
        return (
            "The command itself has no header that says who asks. Run it with -v, and paste what it"
            f" prints. {_HINT}"
        )
    if found:
        name = shown(found[0].name)
        return f"`{name}` with this value has nothing to do with authentication. {_HINT}"
    if (
        colon
        and "\n" not in text
        and not is_auth_header(name)
        and re.fullmatch(r"[\w!#$%&'*+.^|~-]+", name.strip())
    ):
        return f"`{shown(name.strip())}` is not an authentication header. {_HINT}"
    if "\n" in text:
        return f"Nothing in these lines has to do with authentication. {_HINT}"
    return f"This is no authentication header. {_HINT}"
