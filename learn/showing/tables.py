"""Tables, for notebooks and for terminals."""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from .console import printable

if TYPE_CHECKING:
    from .exchange import Exchange


class Table:
    """A table: the names of its columns, and rows of texts, in which `code` is Markdown's.

    A column of numbers stands to the right.
    """

    def __init__(self, columns, rows):
        self.columns = [str(name) for name in columns]
        self.rows = [[str(cell) for cell in row] for row in rows]

    def only(self, *columns: str) -> Table:
        """Return a table of these columns alone. Raises ValueError for one that isn't there."""
        places = [self.columns.index(name) for name in columns]
        return Table(columns, [[row[place] for place in places] for row in self.rows])

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

    def _plain_rows(self):
        """Return the rows as a terminal shows them."""
        return [[_without_marks(cell) for cell in row] for row in self.rows]

    def __rich_console__(self, console, options):
        from rich import box
        from rich.table import Table as Drawn
        from rich.text import Text

        table = Drawn(box=box.SIMPLE, pad_edge=False, show_edge=False, collapse_padding=True)
        for number, name in enumerate(self.columns):
            right = self._is_right(number)
            heading = Text(_without_marks(name))
            table.add_column(heading, justify="right" if right else "left", overflow="fold")
        for row in self._plain_rows():
            table.add_row(*map(Text, row))
        yield table


class SideBySide(Table):
    """A table of attacks: what naive.py answered and what app.py answered.

    rows: of a title and two exchanges. A terminal shows more of an answer, since its cells wrap.
    """

    def __init__(self, rows):
        self.tried = list(rows)
        rows = [(title, _verdict(naive), _verdict(app)) for title, naive, app in self.tried]
        super().__init__(["the attempt", "`naive.py`", "`app.py`"], rows)

    def _plain_rows(self):
        return [
            [
                _without_marks(title),
                *(f"{one.status} {_cut(_said(one), 200)}".strip() for one in answers),
            ]
            for title, *answers in self.tried
        ]

    def __str__(self):
        return "\n".join(f"{title}: naive.py {one}; app.py {two}" for title, one, two in self.rows)

    def __repr__(self):
        return f"<{len(self.rows)} attempts side by side>"


def _verdict(answer: Exchange) -> str:
    line = _said(answer).replace("|", "\\|").replace("`", "'")
    return f"**{answer.status}** {_cut(line, 64)}".strip()


def _cut(line: str, length: int) -> str:
    return line if len(line) <= length else line[: length - 1].rstrip() + "…"


def _without_marks(cell: str) -> str:
    """Return a cell without the marks of Markdown that tables use: `code`, **strong**, \\|."""
    cell = re.sub(r"`([^`]*)`|\*\*(.+?)\*\*", r"\1\2", cell)
    return cell.replace("\\|", "|")


def _said(answer: Exchange) -> str:
    """Return the first line of an answer, a page's heading, or where a redirect leads."""
    if 300 <= answer.status < 400 and (where := answer.header("Location")):
        parts = urlsplit(where)
        here = parts.netloc in ("", answer.sent("Host"))
        return printable(f"to {parts.path}" if here else f"to {where}")
    text = answer.text.strip()
    if text.startswith("<"):
        heading = re.search(r"<h1\b[^>]*>(.*?)</h1>", text, re.DOTALL | re.IGNORECASE)
        text = unescape(re.sub(r"<[^>]*>", "", heading[1])).strip() if heading else ""
    return printable(text.split("\n")[0])
