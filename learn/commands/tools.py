"""Measure and test: bench, test."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import click

from ..layout import ROOT, find_folder
from .group import main, wait_for


@main.command()
@click.argument("lesson", required=False)
@click.option("--quick", is_flag=True, help="A few applications, about twenty seconds.")
@click.option("--growth", is_flag=True, help="With 10 to 100,000 users, nonces, revoked tokens.")
@click.option("--waits", is_flag=True, help="How long the workbench's own commands take.")
@click.option("--all", "everything", is_flag=True, help="All three, one after the other.")
@click.option("--json", "as_json", is_flag=True, help="The results for a program.")
def bench(lesson, quick, growth, waits, everything, as_json):
    """Measure what each technique costs, side by side.

    It takes four to five minutes. Each application is served by gunicorn with one worker and
    loaded by wrk, in turn. With a lesson's number, only what belongs to it. docs/performance.md
    explains the tables.
    """
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from ..measure import bench as benchmark
    from ..showing.console import make_console, make_error_console

    if lesson and (waits or everything):
        raise click.UsageError("The waits belong to no single lesson. Leave its number out.")
    folder = find_folder(lesson) if lesson else None
    wanted = [name for name, asked in (("growth", growth), ("waits", waits)) if asked]
    parts = benchmark.PARTS if everything else wanted or benchmark.PARTS[:1]
    columns = [BarColumn(), TextColumn("{task.percentage:.0f} %"), TimeElapsedColumn()]
    columns.append(TextColumn("{task.description}", markup=False))
    with Progress(*columns, console=make_error_console(), transient=True) as progress:
        task = progress.add_task("", total=1.0)

        def advance(what, share):
            progress.update(task, description=what, completed=share)

        found = benchmark.run(parts, quick, advance, folder)
    if found.get("failed"):
        click.echo(found["failed"], err=True)
    status = 1 if found.get("failed") else 0
    if as_json:
        click.echo(json.dumps(found, indent=1))
        sys.exit(status)
    console = make_console()
    for title, table in benchmark.tables(found):
        console.print(f"{title}\n", table, "", sep="\n")
    console.print(", ".join(f"{name} {value}" for name, value in found["machine"].items()))
    console.print("What the columns mean: docs/performance.md")
    if found["machine"].get("load generator") == "locust":
        console.print(
            "\nlocust is slower than most of what it loads here, so the rates are too near each"
            " other. Go by the processor time, or install wrk."
        )
    if found.get("missing"):
        console.print(
            f"\nNot measured: {', '.join(found['missing'])}. They have an environment of their"
            " own; docs/performance.md says how to make it."
        )
    sys.exit(status)


@main.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def test(arguments):
    """Run the tests, or those you name as for pytest.

    `test --rest` runs what this leaves out to be quick, `test --long` is the thorough run.
    """
    if set(arguments) <= {"--long", "--rest"}:
        first = [] if arguments else ["--first"]
        # A file's tests stay together: they share a server, or a notebook's kernel. Many wait, so
        # there is one process more than there are processors.
        processes = str(min((os.cpu_count() or 1) + 1, 4))
        together = ["-n", processes, "--dist", "loadfile"]
        arguments = [*arguments, *first, *together]
    sys.exit(wait_for(subprocess.Popen([sys.executable, "-m", "pytest", *arguments], cwd=ROOT)))
