"""Show an exchange: as Markdown in a notebook, in colour in a terminal, as plain text elsewhere.

The three say the same: the message as it went over the wire, then a note for each header that has
to do with authentication. `learn.explain` knows what the notes say; this module only draws them.
"""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING

from .explain import Context, Note, explain, is_auth_header
from .places import ROOT

if TYPE_CHECKING:
    from .client import Exchange


def show(*things) -> None:
    """Show exchanges, or anything else, where this code runs: notebook, terminal or pipe."""
    if _in_notebook():
        from IPython.display import display

        for thing in things:
            display(thing)
        return
    console = make_console()
    for thing in things:
        console.print(thing)


def make_console():
    """Return rich's console: colour on a terminal; plain text at 80 columns elsewhere."""
    from rich.console import Console

    if sys.stdout.isatty():
        return Console(highlight=False, emoji=False)
    columns = os.environ.get("COLUMNS", "")
    width = int(columns) if columns.isdigit() and columns != "0" else 80
    return Console(file=_Trimmed(sys.stdout), width=width, highlight=False, emoji=False)


class _Trimmed:
    """A text stream without the spaces with which rich fills up its lines."""

    def __init__(self, stream):
        self.stream, self.rest = stream, ""

    def write(self, text):
        *lines, self.rest = (self.rest + text).split("\n")
        self.stream.writelines(f"{line.rstrip()}\n" for line in lines)

    def flush(self):
        self.stream.flush()


def _in_notebook() -> bool:
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return bool(shell) and hasattr(shell, "kernel")


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


def printable(text: str) -> str:
    """Return the text with what would steer a terminal written out; its lines stay."""
    return "".join(c if c.isprintable() or c in "\t\n" else f"\\x{ord(c):02x}" for c in text)


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
        colour = (
            "cyan"
            if sign == ">"
            else "green"
            if status < 300
            else "yellow"
            if status < 500
            else "red"
        )
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


def rich_note(note: Note):
    """Return one note for rich, indented under its header."""
    from rich.padding import Padding
    from rich.text import Text

    text = Text()
    label = note.part if note.depth else note.header
    if label:
        text.append(label, "bold red" if note.secret else "bold blue").append(": ")
    for number, piece in enumerate(note.text.split("`")):
        text.append(piece, "bold" if number % 2 else "")
    if note.secret:
        text.append(" (secret)", "bold red")
    return Padding(text, (0, 0, 0, 4 + 2 * note.depth), expand=False)


class Table:
    """A table: the names of its columns, and rows of texts, in which `code` is Markdown's.

    A column of numbers stands to the right.
    """

    def __init__(self, columns, rows):
        self.columns = [str(name) for name in columns]
        self.rows = [[str(cell) for cell in row] for row in rows]

    def _is_right(self, column: int) -> bool:
        cells = [row[column] for row in self.rows if row[column]]
        return bool(column) and all(cell[:1].isdigit() for cell in cells)

    def _repr_markdown_(self):
        marks = ["--:" if self._is_right(c) else "---" for c in range(len(self.columns))]
        first, *rest = ("| " + " | ".join(line) + " |\n" for line in (self.columns, *self.rows))
        return f"{first}|{'|'.join(marks)}|\n{''.join(rest)}"

    def __str__(self):
        return "\n".join("; ".join(filter(None, row)) for row in [self.columns, *self.rows])

    def __repr__(self):
        return f"<a table of {len(self.rows)} rows>"

    def __rich_console__(self, console, options):
        from rich import box
        from rich.table import Table as Drawn

        table = Drawn(box=box.SIMPLE, pad_edge=False, show_edge=False, collapse_padding=True)
        for number, name in enumerate(self.columns):
            right = self._is_right(number)
            table.add_column(name, justify="right" if right else "left", overflow="fold")
        for row in self.rows:
            table.add_row(*(re.sub(r"[`*]", "", cell) for cell in row))
        yield table


class SideBySide(Table):
    """A table of attacks: what naive.py answered and what app.py answered.

    rows: of a title and two exchanges.
    """

    def __init__(self, rows):
        rows = [(title, _verdict(naive), _verdict(app)) for title, naive, app in rows]
        super().__init__(["the attempt", "`naive.py`", "`app.py`"], rows)

    def __str__(self):
        return "\n".join(f"{title}: naive.py {one}; app.py {two}" for title, one, two in self.rows)

    def __repr__(self):
        return f"<{len(self.rows)} attempts side by side>"


def _verdict(answer: Exchange) -> str:
    line = printable(answer.text.strip().split("\n")[0]).replace("|", "\\|").replace("`", "'")
    line = line if len(line) <= 64 else line[:63].rstrip() + "…"
    body = "" if line.startswith("<") else line
    return f"**{answer.status}** {body}".strip()


class QRCode:
    """A QR code: in a notebook the picture that a lesson served, in a terminal one of characters.

    svg: the picture; address: what a reader of it should read.
    """

    def __init__(self, svg: str, address: str):
        self.svg, self.address = svg, address

    def _repr_svg_(self):
        return self.svg[self.svg.index("<svg") :]

    def __repr__(self):
        return "<QR code>"

    def __rich_console__(self, console, options):
        import io

        import segno
        from rich.text import Text

        out = io.StringIO()
        segno.make(self.address, micro=False).terminal(out, compact=True)
        yield Text.from_ansi(out.getvalue())


class Chart:
    """A chart: `axes` are matplotlib's, to draw on; the terminal says where to see it.

    across, up: what the axes show, with the unit.
    """

    def __init__(self, across: str, up: str, size: tuple[float, float] = (7, 3.5)):
        os.environ.setdefault("MPLCONFIGDIR", str(ROOT / ".learn" / "matplotlib"))
        from matplotlib.figure import Figure  # without pyplot: no window, no state

        self.title = f"{up}, by {across}"
        self.figure = Figure(figsize=size, layout="constrained")
        self.axes = self.figure.subplots()
        self.axes.set(xlabel=across, ylabel=up)
        self.axes.grid(alpha=0.3)

    def _repr_png_(self):
        import io

        out = io.BytesIO()
        self.figure.savefig(out, format="png", dpi=100, metadata={"Software": None})
        return out.getvalue()

    def __repr__(self):
        return f"<chart: {self.title}>"

    def __rich_console__(self, console, options):
        yield f"(A chart, {self.title}: the notebook shows it, python3 -m learn lab.)"


def as_svg(exchange: Exchange, title: str) -> str:
    """Return a picture of the exchange as SVG, as rich draws a terminal; it loads no font."""
    from rich.console import Console

    console = Console(record=True, width=100, file=open(os.devnull, "w"), force_terminal=True)
    console.print(as_rich(exchange))
    svg = console.export_svg(title=title)
    return re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.S)
