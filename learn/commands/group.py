"""The command `python3 -m learn` itself: what it says bare, and how it meets wrong words."""

from __future__ import annotations

import difflib
import os
import re
import signal
import sys
from pathlib import Path

import click

from ..layout import LESSONS, LessonError


class Commands(click.Group):
    """A group that offers the nearest command for a misspelt one, and has no tracebacks."""

    def list_commands(self, ctx):
        return list(self.commands)  # in the order of use, not of the alphabet

    def resolve_command(self, ctx, args):
        if args and self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            near = difflib.get_close_matches(args[0], self.list_commands(ctx), 1, 0.5)
            hint = f" Did you mean {near[0]}?" if near else ""
            names = ", ".join(self.list_commands(ctx))
            raise click.UsageError(f"There is no command {args[0]!r}.{hint} There are: {names}.")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx):
        try:
            return super().invoke(ctx)
        except click.MissingParameter as error:
            if error.param is None or error.param.name != "lesson":
                raise
            which = "\n".join(
                f"  {folder.name[:2]}  {title(folder)}" for folder in lesson_folders()
            )
            command = error.ctx.info_name
            said = f"Say which lesson, for example: python3 -m learn {command} 01\n\n{which}"
            raise click.UsageError(said, error.ctx) from None

    def main(self, *args, **kwargs):
        sys.stdout.reconfigure(errors="replace")  # a console that knows no arrows shows a ?
        try:
            return super().main(*args, **kwargs)
        except LessonError as error:
            click.echo(str(error), err=True)
            sys.exit(1)
        except BrokenPipeError:  # `… | head` is content with what it has
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(0)


@click.group(
    cls=Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.pass_context
def main(ctx):
    """Learn Flask authentication: run a lesson, read its headers, break it, fix it."""
    for name in ("SIGTERM", "SIGHUP"):  # ended or its terminal closed: lessons end, folders go
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda number, _: sys.exit(128 + number))
    if ctx.invoked_subcommand is None:
        overview()


def overview():
    """Show the lessons, how far you are, and the next thing to do."""
    from rich.table import Table

    from ..practice import progress
    from ..showing.console import make_console

    table = Table(box=None, pad_edge=False)
    table.add_column("lesson", no_wrap=True)
    table.add_column("what it is about")
    table.add_column("your exercise", no_wrap=True)
    following = None  # the next thing to do
    for folder in lesson_folders():
        number = folder.name[:2]
        state, step = "-", f"start {number}"
        if (folder / "exercise.py").exists():
            state, step = how_far(folder)
        begun = state != "-" and folder.name == progress.last()
        if step and (following is None or begun):
            following = step
        table.add_row(folder.name, title(folder), state)
    console = make_console()
    console.print(table)
    if following and following.startswith("start"):
        click.echo(f"\nNext: python3 -m learn play {following[6:]}     (walk through the lesson)")
        click.echo(f"then: python3 -m learn {following}    (rebuild it, checked step by step)")
    elif following:
        click.echo(f"\nNext: python3 -m learn {following}")
    else:
        click.echo("\nAll lessons are done. Side by side: python3 -m learn play compare")
    click.echo("All commands: python3 -m learn --help")


def how_far(folder: Path) -> tuple[str, str | None]:
    """Return how far an exercise is, in words, and the command that is next, if any."""
    from ..practice import progress
    from ..practice.steps import read_steps

    kept = progress.of(folder)
    steps = [step.name for step in read_steps(folder) if step.counts]
    done = len([name for name in steps if name in kept["passed"]])
    if kept["current"] and done == len(steps):
        return f"all {done} steps", None
    state = f"{done} of {len(steps)} steps"
    if not kept["current"]:
        state = "changed since its last check" if kept["passed"] else "not checked yet"
    return state, f"check {folder.name[:2]}"


def title(folder: Path) -> str:
    """Return what a lesson is about, in the words that head its README."""
    heading = (folder / "README.md").read_text("utf-8").split("\n")[0].lstrip("# ")
    return re.sub(r"^Lesson \d+: ", "", heading)


def lesson_folders() -> list[Path]:
    """Return the folders of all lessons."""
    return sorted(p for p in LESSONS.iterdir() if (p / "app.py").is_file())


def wait_for(process) -> int:
    """Wait for a child that gets the same Ctrl-C as we do; return its exit status."""
    signal.signal(signal.SIGTERM, lambda *_: process.terminate())  # nobody is left behind
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue
