"""The terminal's answers as a web page shows them: what rich draws, and the notes of `explain`."""

from __future__ import annotations

import html
import io
import re

BUTTONS = [
    (r"A hint: `?python3 -m learn hint \d\d`?", "A hint: the button Hint."),
    (r"One more: python3 -m learn hint \d\d", "One more: the button Hint."),
    (r"All of it: python3 -m learn solution \d\d", "All of it: the button Solution."),
    (r"Make one in a terminal with `.*?`, then", "Make one where you practise, then"),
    (r"Next: python3 -m learn (?:play|check) (\d\d)", r"Next: lesson \1."),
    (r"Next: python3 -m learn play compare", "Next: all lessons side by side."),
]

COLOURS = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"]


def with_buttons(text: str) -> str:
    """Return a text of the terminal's with a page's buttons for commands."""
    for pattern, instead in BUTTONS:
        text = re.sub(pattern, instead, text)
    return text


def read_as_html(reading) -> str:
    """Return what `explain` found: what is wrong first, then a list for each header."""
    from .explaining import headlines

    parts = [
        f'<p class="{label.lower()}"><b>{label}:</b> {marked(sentence)}</p>'
        for label, sentence in headlines(reading)
    ]
    for one in reading.fields:
        lines = [_note(note) for note in one.notes]
        parts.append(f"<ul>{''.join(lines)}</ul>")
    if reading.left:
        parts.append(f"<p>{reading.left} more headers were left out.</p>")
    if reading.unread:
        parts.append(f"<p>The last {reading.unread:,} characters were not read: paste less.</p>")
    if reading.passed:
        what = "line or member has" if reading.passed == 1 else "lines or members have"
        parts.append(
            f'<p class="dim">{reading.passed} {what} nothing to do with authentication.</p>'
        )
    return "".join(parts)


def drawn(what) -> dict[str, str]:
    """Return what rich can draw, or a text with a terminal's colours, as text and as HTML."""
    from rich.console import Console
    from rich.text import Text

    console = Console(
        file=io.StringIO(), width=2000, force_terminal=True, color_system="standard",
        highlight=False, emoji=False, legacy_windows=False, _environ={},
    )  # fmt: skip
    shown = Text.from_ansi(what) if isinstance(what, str) else what
    pieces = []
    for segment in console.render(shown):
        style, text = segment.style, segment.text
        names = [name for name in ("bold", "dim") if style and getattr(style, name)]
        names = ["b" if name == "bold" else name for name in names]
        if style and style.color and style.color.number is not None:
            names.append(COLOURS[style.color.number % 8])
        pieces.append((" ".join(names), text))
    text = "".join(text for _, text in pieces)
    page = "".join(
        f'<span class="{names}">{html.escape(text)}</span>' if names else html.escape(text)
        for names, text in pieces
    )
    text, page = with_buttons(text), with_buttons(page)
    text = "\n".join(line.rstrip() for line in text.split("\n")).strip("\n")
    page = re.sub(r" +((?:</span>)?)(?=\n|$)", r"\1", page).strip("\n")
    return {"text": text, "html": f"<pre>{page}</pre>"}


def _note(note) -> str:
    label = note.part if note.depth else note.header
    label = f"<b>{html.escape(label)}</b>: " if label else ""
    secret = ' <span class="secret">(secret)</span>' if note.secret else ""
    return f'<li class="depth-{note.depth}">{label}{marked(note.text)}{secret}</li>'


def marked(text: str) -> str:
    """Return a text as HTML, in which `code` is the only Markdown."""
    pieces = [html.escape(piece) for piece in text.split("`")]
    return "".join(f"<code>{one}</code>" if n % 2 else one for n, one in enumerate(pieces))
