"""The type of an option that names a file to write: refused before any work is done for it."""

from __future__ import annotations

from pathlib import Path

import click


class ReportFile(click.Path):
    """A path of a file that can be made or written over."""

    def __init__(self):
        super().__init__(dir_okay=False, writable=True, path_type=Path)

    def convert(self, value, param, ctx):
        path = super().convert(value, param, ctx)
        if not path.absolute().parent.is_dir():
            self.fail(f"There is no folder {path.parent}, so {path.name} can't be written.")
        return path
