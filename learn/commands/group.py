"""The command `python3 -m learn` itself: what it says bare, and how it meets wrong words."""

from __future__ import annotations

import difflib
import os
import re
import signal
import sys
from pathlib import Path

import click

from ..layout import LESSONS, LessonError, find_notebook


class Commands(click.Group):
    """A group that offers the nearest command for a misspelt one, and has no tracebacks."""

    def list_commands(self, ctx):
        return list(self.commands)  # in the order of use, not of the alphabet

    def resolve_command(self, ctx, args):
        if args and self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            near = self._meant(ctx, args[0])
            hint = f" Did you mean {near}?" if near else ""
            names = ", ".join(self.list_commands(ctx))
            raise click.UsageError(f"There is no command {args[0]!r}.{hint} There are: {names}.")
        return super().resolve_command(ctx, args)

    def _meant(self, ctx, word: str) -> str:
        """Return what somebody may have wanted who wrote this word for a command."""
        if word == "help":
            return "--help"
        try:
            name = find_notebook(word).stem
        except LessonError:
            return next(iter(difflib.get_close_matches(word, self.list_commands(ctx), 1, 0.5)), "")
        return f"play {name[:2] if (LESSONS / name).is_dir() else name[3:]}"

    def invoke(self, ctx):
        try:
            return super().invoke(ctx)
        except BrokenPipeError:  # `… | head` is content with what it has
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(0)
        except (KeyboardInterrupt, click.Abort):  # click would say "Aborted!"
            click.echo(err=True)
            sys.exit(130)
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


class _Said:
    """A range that says what fits when something else was written."""

    def convert(self, value, param, ctx):
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter:
            said = f"{value!r} is not {self.what} from {self.min} to {self.max}."
            self.fail(said, param, ctx)


class WholeNumber(_Said, click.IntRange):
    """The type of an option that takes a whole number in a range."""

    what = "a whole number"


class Number(_Said, click.FloatRange):
    """The type of an option that takes a number in a range."""

    what = "a number"


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
    folders = lesson_folders()
    for folder in folders:
        begun = (folder / "exercise.py").exists()
        table.add_row(folder.name, title(folder), how_far(folder) if begun else "-")
    make_console().print(table)
    last = next((folder for folder in folders if folder.name == progress.last()), None)
    if last and (last / "exercise.py").exists() and not progress.is_done(last):
        following = f"check {last.name[:2]}"
    else:
        following = progress.next_command(last)
    command, _, which = following.partition(" ")
    if command == "check":
        click.echo(f"\nNext: python3 -m learn {following}")
    elif which == "compare":
        click.echo(f"\nNext: python3 -m learn {following}     (the lessons side by side)")
    else:
        click.echo(f"\nNext: python3 -m learn {following}     (walk through the lesson)")
        click.echo(f"then: python3 -m learn start {which}    (rebuild it, checked step by step)")
    click.echo("All commands: python3 -m learn --help")


def how_far(folder: Path) -> str:
    """Return how far an exercise is, in words."""
    from ..practice import progress
    from ..practice.steps import read_steps

    kept = progress.of(folder)
    steps = [step.name for step in read_steps(folder) if step.counts]
    done = len([name for name in steps if name in kept["passed"]])
    if progress.is_done(folder):
        return f"all {done} steps"
    if kept["current"]:
        return f"{done} of {len(steps)} steps"
    return "changed since its last check" if kept["passed"] else "not checked yet"


def title(folder: Path) -> str:
    """Return what a lesson is about, in the words that head its README."""
    heading = (folder / "README.md").read_text("utf-8").split("\n")[0].lstrip("# ")
    return re.sub(r"^Lesson \d+: ", "", heading)


def lesson_folders() -> list[Path]:
    """Return the folders of all lessons."""
    return sorted(p for p in LESSONS.iterdir() if (p / "app.py").is_file())


def wait_for(process) -> int:
    """Wait for a child that gets the same Ctrl-C as we do; return its exit status.

    That is 130 if it came to no good end after a Ctrl-C.
    """
    signal.signal(signal.SIGTERM, lambda *_: process.terminate())  # nobody is left behind
    interrupted = False
    while True:
        try:
            status = process.wait()
            return 130 if status and interrupted else status
        except KeyboardInterrupt:
            interrupted = True
