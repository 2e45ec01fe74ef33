"""An exchange, and how it is shown: Markdown in a notebook, colour in a terminal, else plain text.

The three say the same: the message as it went over the wire, then a note for each header that has
to do with authentication. `learn.explain` knows what the notes say; this module only draws them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..explain import Context, Note, explain, is_auth_header
from ..explain.grammar import offers
from .console import printable


@dataclass(frozen=True)
class Exchange:
    """One request and its response. `before` holds the exchanges that led here, oldest first."""

    method: str
    target: str
    request_headers: Sequence[tuple[str, str]]
    request_body: str
    status: int
    reason: str
    response_headers: Sequence[tuple[str, str]]
    text: str
    before: tuple[Exchange, ...] = ()
    passwords: Mapping[str, str] = field(default_factory=dict, repr=False)
    keys: Sequence[str] = field(default=(), repr=False)
    said: str = field(default="", repr=False)  # of an error in the app: where in its own lines

    def header(self, name: str) -> str | None:
        """Return a response header's first value, or None."""
        return next(iter(self.headers(name)), None)

    def headers(self, name: str) -> list[str]:
        """Return all values of a response header, in the order in which they came."""
        return [v for n, v in self.response_headers if n.lower() == name.lower()]

    def sent(self, name: str) -> str | None:
        """Return a request header's value, or None."""
        return next((v for n, v in self.request_headers if n.lower() == name.lower()), None)

    def challenge(self, algorithm: str | None = None, scheme: str | None = None):
        """Return the first challenge (Werkzeug's WWWAuthenticate), or None.

        algorithm, scheme: the first that has these; a scheme in small letters. A header may hold
        several challenges (RFC 9110 11.6.1).
        """
        from werkzeug.datastructures import WWWAuthenticate

        for value in self.headers("WWW-Authenticate"):
            found = [WWWAuthenticate.from_header(value)]
            if len(several := offers(value, many=True)) > 1:
                found = [
                    WWWAuthenticate(one.scheme.lower(), {p.name: p.value for p in one.params})
                    for one in several
                ]
            for parsed in found:
                wrong_kind = scheme is not None and parsed.type != scheme
                if not wrong_kind and algorithm in (None, parsed.get("algorithm")):
                    return parsed
        return None

    def json(self) -> Any:
        """Return the body as JSON; ValueError when it is none."""
        return json.loads(self.text)

    @property
    def all(self) -> tuple[Exchange, ...]:
        """This exchange with those that led to it, oldest first."""
        return (*self.before, self)

    def __repr__(self):
        return f"<{self.method} {self.target} → {self.status} {self.reason}>"

    def __str__(self):
        return as_text(self)

    def _repr_markdown_(self):
        return as_markdown(self)

    def __rich_console__(self, console, options):
        yield as_rich(self)


def notes(exchange: Exchange) -> tuple[list[Note], list[Note]]:
    """Return the notes on the request's headers and those on the response's."""
    context = Context(
        method=exchange.method,
        target=exchange.target,
        passwords=exchange.passwords,
        keys=exchange.keys,
        authorization=exchange.sent("Authorization"),
    )
    request = [
        n for h in exchange.request_headers if is_auth_header(h[0]) for n in explain(*h, context)
    ]
    context = Context(
        method=exchange.method,
        target=exchange.target,
        status=exchange.status,
        passwords=exchange.passwords,
        keys=exchange.keys,
        authorization=exchange.sent("Authorization"),
    )
    response = [
        n for h in exchange.response_headers if is_auth_header(h[0]) for n in explain(*h, context)
    ]
    return request, response


BODY_LINES, BODY_LENGTH = 40, 4000  # of a body, so much is shown


def _message(first: str, headers, body: str) -> list[str]:
    head = [printable(line) for line in (first, *(f"{name}: {value}" for name, value in headers))]
    text = printable(body.rstrip("\n"))
    if not text:
        return head
    lines = text[:BODY_LENGTH].split("\n")[:BODY_LINES]
    if len("\n".join(lines)) < len(text):
        lines.append(f"… ({len(body)} characters in all)")
    return [*head, "", *lines]


def messages(exchange: Exchange) -> tuple[list[str], list[str]]:
    """Return the lines of the request and of the response, as they went over the wire."""
    request = _message(
        f"{exchange.method} {exchange.target} HTTP/1.1",
        exchange.request_headers,
        exchange.request_body,
    )
    response = _message(
        f"HTTP/1.1 {exchange.status} {exchange.reason}", exchange.response_headers, exchange.text
    )
    return request, response


def as_markdown(exchange: Exchange) -> str:
    """Return the exchange, and those before it, as Markdown: `http` blocks and lists of notes."""
    parts = []
    for one in exchange.all:
        for lines, remarks in zip(messages(one), notes(one), strict=True):
            text = "\n".join(lines)
            fence = "```"
            while fence in text:
                fence += "`"
            parts.append(f"{fence}http\n{text}\n{fence}")
            if remarks:
                parts.append("\n".join(_markdown_note(note) for note in remarks))
    return "\n\n".join(parts) + "\n"


def _markdown_note(note: Note) -> str:
    lock = "🔑 " if note.secret else ""
    if note.depth == 0:
        return f"- {lock}**{note.header}**: {note.text}"
    label = f"`{note.part}`: " if note.part else ""
    return f"{'  ' * note.depth}- {lock}{label}{note.text}"


def telling(exchange: Exchange, mark: str) -> set[int]:
    """Return the numbers of the response's lines that tell: "status", "body", a header's name."""
    count = len(exchange.response_headers)
    if mark == "status":
        return {0}
    if mark == "body":
        return set(range(count + 2, len(messages(exchange)[1])))
    names = [name.lower() for name, _ in exchange.response_headers]
    return {number for number, name in enumerate(names, 1) if name == mark.lower()}


def as_text(exchange: Exchange, mark: str = "") -> str:
    """Return the exchange, and those before it, as plain text: > sent, < received, # noted.

    The lines of the last response that `mark` names (see `telling`) begin with an arrow.
    """
    out = []
    for one in exchange.all:
        marked = telling(one, mark) if one is exchange else set()
        for sign, lines, remarks in zip("><", messages(one), notes(one), strict=True):
            for number, line in enumerate(lines):
                arrow = "→" if sign == "<" and number in marked else sign
                out.append(f"{arrow} {line}".rstrip())
            for note in remarks:
                label = note.part if note.depth else note.header
                label += ": " if label else ""
                secret = " (secret)" if note.secret else ""
                out.append(f"#{'  ' * note.depth} {label}{note.text.replace('`', '')}{secret}")
            out.append("")
    return "\n".join(out)


def as_rich(exchange: Exchange, mark: str = ""):
    """Return the exchange, and those before it, for rich: colours mean what the plain text says."""
    from rich.console import Group
    from rich.text import Text

    parts = []
    for one in exchange.all:
        marked = telling(one, mark) if one is exchange else set()
        for sign, lines, remarks in zip("><", messages(one), notes(one), strict=True):
            for number, line in enumerate(lines):
                arrow = "→" if sign == "<" and number in marked else sign
                parts.append(_rich_line(arrow, number, line, one.status))
            parts += [rich_note(note) for note in remarks]
            parts.append(Text(""))
    return Group(*parts)


def _rich_line(sign, number, line, status):
    from rich.table import Table
    from rich.text import Text

    text = Text()
    name, colon, value = line.partition(": ")
    if number == 0:
        colour = "green" if status < 300 else "default" if status < 400 else "red"
        colour = "default" if sign == ">" else colour
        text.append(line, f"bold {colour}")
    elif colon and is_auth_header(name):
        text.append(name, "bold magenta").append(": ").append(value, "bold")
    else:
        text.append(line, "dim" if colon else "")
    grid = Table.grid(padding=(0, 1))
    grid.add_column(width=1, no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_row(Text(sign, "bold red" if sign == "→" else "dim"), text)
    return grid


def add_spans(text, marked: str):
    """Add to a rich Text a text in which backticks mark code, which is bold there.

    Where bold can't be seen, a lone comma would be lost in its sentence: punctuation gets quotes.
    """
    for number, piece in enumerate(marked.split("`")):
        lone = number % 2 and 0 < len(piece) < 4 and not any(map(str.isalnum, piece))
        text.append(f'"{piece}"' if lone else piece, "bold" if number % 2 else "")


def rich_note(note: Note):
    """Return one note for rich, indented under its header."""
    from rich.padding import Padding
    from rich.text import Text

    text = Text()
    label = note.part if note.depth else note.header
    if label:
        text.append(label, "bold red" if note.secret else "bold magenta").append(": ")
    add_spans(text, note.text)
    if note.secret:
        text.append(" (secret)", "bold red")
    return Padding(text, (0, 0, 0, 4 + 2 * note.depth), expand=False)
