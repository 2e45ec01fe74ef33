"""Pictures: a QR code and a chart for notebooks, an exchange as SVG for the README."""

from __future__ import annotations

import os
import re

from ..layout import ROOT
from .exchange import Exchange, as_rich


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
