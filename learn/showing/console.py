"""Where things are shown: notebook, terminal or pipe; and what may be written to a terminal.

A terminal may be black or white, and a program can't see which. So text has the terminal's own
colour, and beside it there are only green, red and magenta, which can be read on both.
"""

from __future__ import annotations

import os
import sys


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


# In the place of rich's styles that are made for a black terminal.
STYLES = {
    "markdown.code": "bold",
    "markdown.code_block": "none",
    "markdown.list": "none",
    "markdown.item.number": "bold",
    "markdown.h2": "bold underline",
    "markdown.h3": "bold",
    "markdown.h4": "italic",
    "markdown.block_quote": "italic",
    "markdown.link": "magenta",
    "markdown.link_url": "underline",
    "markdown.table.border": "dim",
    "markdown.table.header": "bold",
    "prompt.default": "bold",
    "bar.back": "dim",
    "bar.complete": "magenta",
    "bar.finished": "green",
    "progress.elapsed": "none",
    "progress.percentage": "none",
    "progress.remaining": "none",
}


def make_console():
    """Return rich's console: colour on a terminal; plain text at 80 columns elsewhere."""
    from rich.console import Console
    from rich.theme import Theme

    how = {"theme": Theme(STYLES), "highlight": False, "emoji": False}
    if not sys.stdout.isatty():
        columns = os.environ.get("COLUMNS", "")
        how["width"] = int(columns) if columns.isdigit() and columns != "0" else 80
        how["file"] = _Trimmed(sys.stdout)
    console = Console(**how)
    console.on_broken_pipe = _raise_again
    return console


def _raise_again():
    """Let the BrokenPipeError pass that rich has caught, and would make an exit with status 1."""
    raise


def make_error_console():
    """Return rich's console on standard error, for a bar that shows how far something is."""
    from rich.console import Console
    from rich.theme import Theme

    return Console(stderr=True, theme=Theme(STYLES))


def code_theme():
    """Return rich's theme for Python code: strings and numbers magenta, keywords bold."""
    from pygments.token import Comment, Keyword, Number, Operator, String
    from rich.style import Style
    from rich.syntax import ANSISyntaxTheme

    bold, colour = Style(bold=True), Style(color="magenta")
    return ANSISyntaxTheme(
        {
            Comment: Style(italic=True),
            Keyword: bold,
            Operator.Word: bold,
            String: colour,
            Number: colour,
        }
    )


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


def printable(text: str) -> str:
    """Return the text with what would steer a terminal written out; its lines stay."""
    return "".join(c if c.isprintable() or c in "\t\n" else f"\\x{ord(c):02x}" for c in text)
