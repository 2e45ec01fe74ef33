"""Mermaid's sequence diagrams, drawn when the pages are built: as a list that a sheet lays out.

Mermaid itself draws these as pictures of 1,000 to 1,900 pixels, which nobody can read on a
telephone, nor beside text. A list with a line for each message says the same to a screen reader,
wraps on any width, and takes the page's colours.
"""

from __future__ import annotations

import html
import re

from ..layout import LessonError

_WHO = re.compile(r"(?:participant|actor) (\w+)(?: as (.+))?")
_MESSAGE = re.compile(r"(\w+)(--?>>)(\w+): ?(.+)")
_NOTE = re.compile(r"Note over (\w+)(?:,(\w+))?: ?(.+)")
LANES = (2, 4)  # so few and so many the sheet knows


def draw(source: str) -> str:
    """Return a diagram as HTML. Raises LessonError for what it does not know, with the line."""
    lines = [line.strip() for line in source.strip().split("\n") if line.strip()]
    if lines[:1] != ["sequenceDiagram"]:
        raise LessonError(
            f"Only sequence diagrams are drawn, not {lines[:1]}: learn/site/sequence.py"
        )
    who: dict[str, str] = {}
    rows = []
    for line in lines[1:]:
        if found := _WHO.fullmatch(line):
            who[found[1]] = found[2] or found[1]
            continue
        found = _MESSAGE.fullmatch(line) or _NOTE.fullmatch(line)
        if not found:
            raise LessonError(f"A line of a diagram is not understood: {line!r}")
        over = found.re is _NOTE
        one, other = (found[1], found[2] or found[1]) if over else (found[1], found[3])
        if one not in who or other not in who:
            raise LessonError(f"A line of a diagram names no participant: {line!r}")
        rows.append(_row(list(who), who, one, other, found.groups()[-1], over))
    if not LANES[0] <= len(who) <= LANES[1]:
        raise LessonError(f"A diagram has {LANES[0]} to {LANES[1]} participants, not {len(who)}.")
    heads = "".join(f"<span>{_text(name)}</span>" for name in who.values())
    return (
        f'<figure class="sequence lanes-{len(who)}">\n<p class="who" aria-hidden="true">{heads}</p>'
        f"\n<ol>\n{''.join(rows)}</ol>\n</figure>\n"
    )


def _row(order, who, one, other, text, over) -> str:
    begin, end = sorted((order.index(one), order.index(other)))
    lines = [f"<span>{_text(part)}</span>" for part in re.split(r"<br\s*/?>", text)]
    if over:
        kind = "over"
        said = f"At {who[one]}" + (f" and {who[other]}" if one != other else "")
    else:
        kind = "right" if order.index(one) <= order.index(other) else "left"
        said = f"From {who[one]} to {who[other]}"
    return (
        f'<li class="{kind} lane-{begin + 1} to-{end + 1}"><p><b class="unseen">{_text(said)}:</b> '
        f"{' '.join(lines)}</p></li>\n"
    )


def _text(text: str) -> str:
    plain = re.sub(r"#(\d+);", lambda found: chr(int(found[1])), text)  # so Mermaid writes a ;
    return html.escape(plain.strip(), quote=False)
