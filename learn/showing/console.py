"""Where things are shown: notebook, terminal or pipe; and what may be written to a terminal."""

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


def printable(text: str) -> str:
    """Return the text with what would steer a terminal written out; its lines stay."""
    return "".join(c if c.isprintable() or c in "\t\n" else f"\\x{ord(c):02x}" for c in text)
