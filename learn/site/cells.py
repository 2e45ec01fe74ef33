"""A notebook as HTML: its text, its cells of code, and the outputs that are kept with it."""

from __future__ import annotations

import base64
import html
import json
from pathlib import Path

from ..layout import LessonError
from .markup import Markup, code


def read(path: Path) -> list[dict]:
    """Return a notebook's cells. Raises LessonError when it is no notebook."""
    try:
        return json.loads(path.read_text("utf-8"))["cells"]
    except (ValueError, KeyError, TypeError) as error:
        raise LessonError(f"{path.name} can't be read as a notebook: {error}") from None


def as_html(path: Path, markup: Markup, out: Path, run: bool = False) -> str:
    """Return a notebook's cells as HTML, with buttons if they `run` in the page.

    Its pictures are written to `out`, which must exist.
    """
    parts, number = [], 0
    for cell in read(path):
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            parts.append(f'<div class="prose">\n{markup.render(source)}</div>\n')
        elif cell["cell_type"] == "code":
            number += 1
            drawn = "".join(
                output(one, markup, out, f"{path.stem}-{number}") for one in cell["outputs"]
            )
            parts.append(
                f'<section class="cell" id="cell-{number}" aria-label="Cell {number}">\n'
                f"{code(source, 'python')}{_buttons(number) if run else ''}"
                f'<div class="outputs">{drawn}</div>\n</section>\n'
            )
    return "".join(parts)


def _buttons(number: int) -> str:
    made = [
        f'<button type="button" data-do="{do}"{more}>{name}<span class="unseen"> cell {number}'
        "</span></button>"
        for do, name, more in (
            ("run", "Run", ""),
            ("edit", "Edit", ""),
            ("undo", "As it was", " hidden"),
        )
    ]
    return f'<div class="bar">{"".join(made)}<span role="status"></span></div>\n'


def output(one: dict, markup: Markup, out: Path, name: str) -> str:
    """Return one output of a cell as HTML, in the richest form that it has."""
    if one["output_type"] == "stream":
        return plain("".join(one["text"]))
    data = {kind: "".join(value) for kind, value in one.get("data", {}).items()}
    said = data.get("text/plain", "").strip("<>")
    if "text/markdown" in data:
        return f'<div class="output">{markup.render(data["text/markdown"], headings=False)}</div>\n'
    for kind, ending in (("image/svg+xml", "svg"), ("image/png", "png")):
        if kind in data:
            picture = data[kind].encode() if ending == "svg" else base64.b64decode(data[kind])
            (out / f"{name}.{ending}").write_bytes(picture)
            return (
                f'<img class="output" src="{name}.{ending}" alt="{html.escape(said)}"'
                ' loading="lazy">\n'
            )
    return plain(data.get("text/plain", ""))


def plain(text: str) -> str:
    """Return plain output as HTML."""
    shown = html.escape(text.rstrip("\n"), quote=False)
    return (
        f'<pre class="output plain" tabindex="0" role="group" aria-label="Output">{shown}</pre>\n'
    )


def first_exchange(path: Path) -> str:
    """Return a notebook's first output that is Markdown with an HTTP message, or ""."""
    for cell in read(path):
        for one in cell.get("outputs", []):
            text = "".join(one.get("data", {}).get("text/markdown", ""))
            if text.startswith("```http"):
                return text
    return ""
