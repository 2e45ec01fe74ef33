"""Make the tutorial's web pages: site."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from ..layout import ROOT
from .group import WholeNumber, main


@main.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.option("--serve", is_flag=True, help="Then serve them on 127.0.0.1. Ctrl-C ends it.")
@click.option("--port", type=WholeNumber(0, 65535), default=8000, show_default=True)
@click.option("--no-build", is_flag=True, help="Serve the pages that are there.")
@click.option("--no-run", is_flag=True, help="Pages to read only: they need no npm.")
def site(folder, serve, port, no_build, no_run):
    """Make the whole tutorial as web pages, in which the lessons run.

    They go to the folder site, or another that you name, as files for any static server. Python
    runs in the reader's browser. What that takes comes from npm, by the lock in learn/site.
    """
    from ..site import serving
    from ..site.build import build

    out = (folder or ROOT / "site").resolve()
    if no_build and not serve:
        raise click.UsageError("--no-build is for --serve: there is nothing left to do.")
    server = serving.make(out, port) if serve else None  # a port that is taken is said at once
    if not no_build:
        try:
            build(out, run=not no_run, say=click.echo)
        except KeyboardInterrupt:
            click.echo(f"\nInterrupted. The pages in {out} are not whole.", err=True)
            sys.exit(130)
    if server:
        serving.serve(server, click.echo)
    else:
        click.echo("To see them: python3 -m learn site --serve")
