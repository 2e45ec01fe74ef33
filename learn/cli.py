"""The command `python3 -m learn`. Each of its commands is short; the work is done elsewhere."""

from __future__ import annotations

import difflib
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import click

from .places import LESSONS, ROOT, LessonError, find_folder

NOTEBOOKS = ROOT / "notebooks"


class Commands(click.Group):
    """A group that offers the nearest command for a misspelt one, and has no tracebacks."""

    def resolve_command(self, ctx, args):
        if args and self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            near = difflib.get_close_matches(args[0], self.list_commands(ctx), 1, 0.5)
            hint = f" Did you mean {near[0]}?" if near else ""
            names = ", ".join(self.list_commands(ctx))
            raise click.UsageError(f"There is no command {args[0]!r}.{hint} There are: {names}.")
        return super().resolve_command(ctx, args)

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
    if ctx.invoked_subcommand is None:
        overview()


def overview():
    """Show the lessons and the next thing to do."""
    from rich.table import Table

    from .show import make_console

    table = Table(box=None, pad_edge=False)
    table.add_column("lesson", no_wrap=True)
    table.add_column("what it is about")
    table.add_column("your exercise", no_wrap=True)
    lessons = sorted(p for p in LESSONS.iterdir() if (p / "app.py").is_file())
    for folder in lessons:
        title = (folder / "README.md").read_text("utf-8").split("\n")[0].lstrip("# ")
        started = "started" if (folder / "exercise.py").exists() else "-"
        table.add_row(folder.name, re.sub(r"^Lesson \d+: ", "", title), started)
    console = make_console()
    console.print(table)
    console.print("\nNext: python3 -m learn play 01     (all commands: python3 -m learn --help)")


@main.command()
@click.argument("lesson", required=False)
def play(lesson):
    """Walk through a lesson's notebook here in the terminal, or through all of them."""
    from .play import play_notebook

    for notebook in _notebooks(lesson):
        if not play_notebook(notebook):
            break


@main.command()
@click.argument("lesson", required=False)
def lab(lesson):
    """Open JupyterLab at a lesson's notebook. It listens on 127.0.0.1 and asks for a token."""
    own = ROOT / ".learn" / "jupyter"  # nothing is written outside the repository
    own.mkdir(parents=True, exist_ok=True)
    names = {"JUPYTER_CONFIG_DIR": "config", "JUPYTER_DATA_DIR": "data"}
    names |= {"JUPYTER_RUNTIME_DIR": "runtime", "IPYTHONDIR": "ipython"}
    environment = {**os.environ, **{name: str(own / folder) for name, folder in names.items()}}
    where = _notebooks(lesson)[0] if lesson else NOTEBOOKS
    command = [sys.executable, "-m", "jupyterlab", str(where), "--ServerApp.ip=127.0.0.1"]
    command += [f"--ServerApp.root_dir={ROOT}"]
    _wait(subprocess.Popen(command, env=environment))


@main.command()
@click.argument("lesson")
@click.option("--naive", "file", flag_value="naive", help="Serve naive.py.")
@click.option("--exercise", "file", flag_value="exercise", help="Serve your exercise.py.")
@click.option("--port", type=click.IntRange(0, 65535), help="Instead of the lesson's own.")
def run(lesson, file, port):
    """Serve a lesson and print what to try. Ctrl-C ends it."""
    from .server import Lesson, port_is_free

    folder = find_folder(lesson)
    usual = 5000 + int(folder.name[:2])
    if port is None:
        port = usual if port_is_free(usual) else 0
        if not port:
            click.echo(f"Port {usual} is taken, so this one gets another.")
    elif port and not port_is_free(port):
        raise LessonError(f"Port {port} is taken. Choose another, or 0 for any free one.")
    try:
        with Lesson(folder.name, file or "app", port=port) as server:
            address = f"http://127.0.0.1:{server.port}"
            click.echo(f"{folder.name}/{server.path.name} is at {address}/ with a fresh database.")
            click.echo("Ctrl-C ends it.")
            things = _things_to_try(folder).replace(f"http://127.0.0.1:{usual}", address)
            if things:
                click.echo(f"\nTry in another terminal:\n\n{things}\n")
            server.echo(lambda text: click.echo(text, nl=False))
            while server.alive:
                time.sleep(0.2)
            raise LessonError("The server stopped. What it said stands above.")
    except KeyboardInterrupt:
        click.echo("\nEnded.")


def _things_to_try(folder: Path) -> str:
    """Return the curl commands of the lesson's README, so that they stand in one place only."""
    readme = (folder / "README.md").read_text("utf-8")
    blocks = re.findall(r"^```(?:sh|bash|console|shell)\n(.*?)^```", readme, re.M | re.S)
    lines = [line.removeprefix("$ ") for block in blocks for line in block.split("\n")]
    commands = [line for line in lines if line.startswith("curl ") and not line.endswith("\\")]
    return "\n".join(f"    {line}" for line in dict.fromkeys(commands).keys())


@main.command()
@click.argument("text", nargs=-1, required=True)
@click.option(
    "--password",
    "passwords",
    multiple=True,
    metavar="USER:PASSWORD",
    help="Recompute a Digest response with it.",
)
@click.option(
    "--key", "keys", multiple=True, help="Check a token's or session's signature with it."
)
@click.option("--method", default="GET", show_default=True, help="Of the request (Digest).")
@click.option("--target", help="The request's path and query (Digest).")
def explain(text, passwords, keys, method, target):
    """Read any authentication header: explain "Authorization: Basic dXNlcjE6cGFzczE="."""
    from .explain import Context, explain_line
    from .show import make_console, rich_note

    known = dict(pair.partition(":")[::2] for pair in passwords)
    context = Context(method=method, target=target, passwords=known, keys=keys)
    try:
        notes = explain_line(" ".join(text), context)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    console = make_console()
    for note in notes:
        console.print(rich_note(note))


@main.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def test(arguments):
    """Run all tests, or what you name as you would for pytest: test tests/test_02_basic.py."""
    sys.exit(_wait(subprocess.Popen([sys.executable, "-m", "pytest", *arguments], cwd=ROOT)))


def _wait(process) -> int:
    """Wait for a child that gets the same Ctrl-C as we do; return its exit status."""
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue


def _notebooks(lesson: str | None) -> list[Path]:
    """Return the notebook of a lesson, or those of all."""
    if lesson is None:
        return sorted(p for p in NOTEBOOKS.glob("0*.ipynb"))
    path = NOTEBOOKS / f"{find_folder(lesson).name}.ipynb"
    if not path.is_file():
        raise LessonError(f"There is no notebook {path.name} in {NOTEBOOKS}.")
    return [path]


if __name__ == "__main__":
    main()
