"""Measure and test: bench, test."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import click

from ..layout import LESSONS, ROOT, find_folder
from .group import main, wait_for

ALONE = ("--long", "--rest", "--beyond", "-x", "-q", "-s", "-v")  # options that take no value


@main.command()
@click.argument("lesson", required=False)
@click.option("--quick", is_flag=True, help="A few applications, about twenty seconds.")
@click.option("--turns", is_flag=True, help="In short turns, for a machine that is busy: a minute.")
@click.option("--growth", is_flag=True, help="With 10 to 100,000 users, nonces, revoked tokens.")
@click.option("--waits", is_flag=True, help="How long the workbench's own commands take.")
@click.option("--all", "everything", is_flag=True, help="All of it, one after the other.")
@click.option("--json", "as_json", is_flag=True, help="The results for a program.")
def bench(lesson, quick, turns, growth, waits, everything, as_json):
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
    asked = {"turns": turns, "growth": growth, "waits": waits}
    wanted = [name for name in asked if asked[name]]
    parts = benchmark.PARTS if everything else wanted or benchmark.PARTS[:1]
    columns = [BarColumn(), TextColumn("{task.percentage:.0f} %"), TimeElapsedColumn()]
    columns.append(TextColumn("{task.description}", markup=False))
    try:
        with Progress(*columns, console=make_error_console(), transient=True) as progress:
            task = progress.add_task("", total=1.0)

            def advance(what, share):
                progress.update(task, description=what, completed=share)

            found = benchmark.run(parts, quick, advance, folder)
    except KeyboardInterrupt:
        click.echo("\nInterrupted. What was measured is not kept.", err=True)
        sys.exit(130)
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


@main.command(context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[WHAT]...")
def test(arguments):
    """Run the tests: what everyone runs, or those that you name.

    \b
      test             all but what takes long and tells little
      test --rest      what that leaves out
      test --long      all of it, and the thorough tests
      test 06          the checks of lesson 06, on its app.py
      test 06 --on=exercise      the same on your exercise.py, or on naive, or a path
      test -k replay   whatever pytest understands: a file, an option

    Tell pytest's own options with: python -m pytest --help, in the environment .venv.
    """
    arguments = [
        as_pytest_takes_it(*pair) for pair in zip(("", *arguments), arguments, strict=False)
    ]
    if set(arguments) <= {"--long", "--rest"}:
        first = [] if arguments else ["--first"]
        # A file's tests stay together: they share a server, or a notebook's kernel. Many wait, so
        # there is one process more than there are processors.
        processes = str(min((os.cpu_count() or 1) + 1, 4))
        together = ["-n", processes, "--dist", "loadfile"]
        arguments = [*arguments, *first, *together]
    sys.exit(wait_for(subprocess.Popen([sys.executable, "-m", "pytest", *arguments], cwd=ROOT)))


def as_pytest_takes_it(before: str, word: str) -> str:
    """Return the file of a lesson's checks if the word names a lesson, else the word.

    before: the word before it, which may be an option of pytest's that takes this one as its
    value. Raises LessonError for a word that is neither a lesson nor looks like a path.
    """
    from ..practice.steps import checks_file

    if word.startswith("-") or (before.startswith("-") and before not in ALONE):
        return word
    path = ROOT / word
    if path.parent != LESSONS and (path.exists() or path.suffix or "/" in word or "::" in word):
        return word
    return str(checks_file(find_folder(word)).relative_to(ROOT))
