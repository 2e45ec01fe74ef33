"""The command `python3 -m learn`. Each of its commands is short; the work is done elsewhere."""

from __future__ import annotations

import contextlib
import difflib
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import click

from .places import LESSONS, NOTEBOOKS, ROOT, LessonError, find_folder, find_notebook


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

    from . import progress
    from .show import make_console

    table = Table(box=None, pad_edge=False)
    table.add_column("lesson", no_wrap=True)
    table.add_column("what it is about")
    table.add_column("your exercise", no_wrap=True)
    following = None  # the next thing to do
    for folder in lesson_folders():
        title = (folder / "README.md").read_text("utf-8").split("\n")[0].lstrip("# ")
        number = folder.name[:2]
        state, step = "-", f"start {number}"
        if (folder / "exercise.py").exists():
            state, step = how_far(folder)
        begun = state != "-" and folder.name == progress.last()
        if step and (following is None or begun):
            following = step
        table.add_row(folder.name, re.sub(r"^Lesson \d+: ", "", title), state)
    console = make_console()
    console.print(table)
    if following and following.startswith("start"):
        click.echo(f"\nNext: python3 -m learn play {following[6:]}     (walk through the lesson)")
        click.echo(f"then: python3 -m learn {following}    (rebuild it, checked step by step)")
    elif following:
        click.echo(f"\nNext: python3 -m learn {following}")
    else:
        click.echo("\nAll lessons are done. The five side by side: python3 -m learn play 06")
    click.echo("All commands: python3 -m learn --help")


def how_far(folder: Path) -> tuple[str, str | None]:
    """Return how far an exercise is, in words, and the command that is next, if any."""
    from . import progress
    from .steps import read_steps

    kept = progress.of(folder)
    steps = [step.name for step in read_steps(folder) if step.counts]
    done = len([name for name in steps if name in kept["passed"]])
    if kept["current"] and done == len(steps):
        return f"all {done} steps", None
    state = f"{done} of {len(steps)} steps"
    if not kept["current"]:
        state = "changed since its last check" if kept["passed"] else "not checked yet"
    return state, f"check {folder.name[:2]}"


def lesson_folders() -> list[Path]:
    """Return the folders of all lessons."""
    return sorted(p for p in LESSONS.iterdir() if (p / "app.py").is_file())


@main.command()
@click.argument("lesson", required=False)
def play(lesson):
    """Walk through a lesson's notebook in the terminal.

    06 compares the five. Without a number they come one after the other.
    """
    from .play import play_notebook

    notebooks = [find_notebook(lesson)] if lesson else sorted(NOTEBOOKS.glob("0*.ipynb"))
    for notebook in notebooks:
        if not play_notebook(notebook):
            break


@main.command(context_settings={"ignore_unknown_options": True})
@click.argument("lesson", required=False)
@click.argument("more", nargs=-1, type=click.UNPROCESSED)
def lab(lesson, more):
    """Open a lesson's notebook, or 06, in JupyterLab.

    It serves 127.0.0.1 only, to whoever has the token that it prints. Whatever comes after the
    lesson is for JupyterLab: lab 02 --no-browser.
    """
    own = ROOT / ".learn" / "jupyter"  # nothing is written outside the repository
    own.mkdir(parents=True, exist_ok=True)
    names = {"JUPYTER_CONFIG_DIR": "config", "JUPYTER_DATA_DIR": "data"}
    names |= {"JUPYTER_RUNTIME_DIR": "runtime", "IPYTHONDIR": "ipython"}
    environment = {**os.environ, **{name: str(own / folder) for name, folder in names.items()}}
    where = find_notebook(lesson) if lesson else NOTEBOOKS
    command = [sys.executable, "-m", "jupyterlab", str(where), "--ServerApp.ip=127.0.0.1"]
    command += [f"--ServerApp.root_dir={ROOT}", "--LabApp.extension_manager=readonly"]
    command += ["--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    command += ["--LabApp.news_url=None"]  # it asks nobody on the network, and npm nothing
    command += ["--ServerApp.jpserver_extensions={'jupyter_lsp': False}"]
    if getattr(os, "geteuid", lambda: 1)() == 0:
        command.append("--allow-root")  # as in a container; it listens on 127.0.0.1 only
    if lesson:  # the printed address leads to the notebook too
        command.append(f"--LabApp.default_url=/lab/tree/notebooks/{where.name}")
    sys.exit(_wait(subprocess.Popen([*command, *more], env=environment)))


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


class Explain(click.Command):
    """A command after which a whole curl command may follow, with options of its own."""

    def parse_args(self, ctx, args):
        options = [one for one in self.params if isinstance(one, click.Option)]
        takes = {name for one in options if not one.is_flag for name in one.opts}
        before = [None, *args]
        for at, word in enumerate(args):
            if word in ("curl", "http", "https", "wget") and before[at] not in takes:
                args = [*args[:at], "--", *args[at:]]
                break
        return super().parse_args(ctx, args)


@main.command(cls=Explain)
@click.argument("text", nargs=-1)
@click.option(
    "-H", "--header", "headers", multiple=True, metavar="HEADER", help="A header, as curl takes it."
)
@click.option("--file", metavar="PATH", help="Read a file instead; - is standard input.")
@click.option(
    "--password",
    "passwords",
    multiple=True,
    metavar="USER:PASSWORD",
    help="Recompute a Digest response with it.",
)
@click.option(
    "--key",
    "keys",
    multiple=True,
    help="Check a signature with it: a text, base64:…, hex:…, or a file with PEM, a JWK or a JWKS.",
)
@click.option(
    "--salt", "salts", multiple=True, help="Of your itsdangerous serializer, or Django's."
)
@click.option(
    "--method", help="Of the request (Digest). The default is what the text says, or GET."
)
@click.option("--target", help="The request's path and query (Digest).")
@click.option(
    "--words",
    type=click.Path(exists=True, dir_okay=False),
    help="Try each line of this list as the key of your own token or session.",
)
@click.option(
    "--seconds", type=click.FloatRange(1, 86400), default=60, show_default=True, help="For --words."
)
@click.option("--json", "as_json", is_flag=True, help="The same notes, for a program.")
def explain(text, headers, file, passwords, keys, salts, method, target, words, seconds, as_json):
    """Read any paste that has to do with authentication, and say what is wrong with it.

    A header, many lines of curl -v, a token, a cookie, JSON, HAR, a curl command; from the
    arguments, a file (@FILE) or a pipe. Nothing leaves this machine. Exit status 0: nothing wrong
    was seen; 1: something is wrong; 2: nothing to read.

    For example: explain "Authorization: Basic dXNlcjE6cGFzczE="
    """
    from .explain import Context, command

    try:
        known = dict(pair.partition(":")[::2] for pair in passwords)
        context = Context(
            method=method,
            target=target,
            passwords=known,
            keys=command.known_keys(keys),
            salts=salts,
        )
        reading = command.answer(command.source(text, headers, file), context)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    sys.exit(command.show(reading, context, as_json, words, seconds))


@main.command()
@click.argument("lesson")
def start(lesson):
    """Make your exercise.py; say what the first step is."""
    from . import exercise
    from .steps import read_steps

    folder = find_folder(lesson)
    path, new = exercise.start(folder)
    where = path.relative_to(ROOT)
    if new:
        click.echo(
            f"{where} is yours: a copy of naive.py, which git ignores. Open it in an editor."
        )
    else:
        click.echo(f"{where} was there already and stays as it is.")
    steps = [step for step in read_steps(folder) if step.counts]
    if new:
        click.echo(f"\nThe first of {len(steps)} steps: {steps[0].title}\n\n{steps[0].why}")
    click.echo(f"\nThen: python3 -m learn check {folder.name[:2]} --watch")


@main.command()
@click.argument("lesson")
def reset(lesson):
    """Begin an exercise anew. Your old file is kept beside it."""
    from . import exercise

    folder = find_folder(lesson)
    kept = exercise.reset(folder)
    click.echo(f"Your old file is {kept.relative_to(ROOT)}.")
    click.echo(f"{folder.relative_to(ROOT) / 'exercise.py'} is a copy of naive.py again.")


@main.command()
@click.argument("lesson", required=False)
@click.option("--watch", is_flag=True, help="Run again whenever the file is saved.")
@click.option("--all", "every", is_flag=True, help="Every lesson, in a table.")
@click.option("--file", type=click.Path(), help="Instead of the lesson's exercise.py.")
@click.option("--json", "as_json", is_flag=True, help="Every step's result, for a program.")
@click.option("--junitxml", type=click.Path(), help="Every step's result, into this file.")
def check(lesson, watch, every, file, as_json, junitxml):
    """Check your exercise, step by step.

    Without a number: the one you last worked on. Exit status 0 if all steps hold, else 1.
    """
    from . import exercise
    from .check import run_checks, write_junit

    if every and (lesson or file or watch):
        raise click.UsageError("--all checks every exercise: leave out the lesson and --file.")
    if file and not lesson:
        raise click.UsageError("Say which lesson the file is for: check 02 --file PATH.")
    if watch and (as_json or junitxml):
        raise click.UsageError(
            "--watch shows what it finds; --json and --junitxml are for one run."
        )
    if every:
        folders = [folder for folder in lesson_folders() if (folder / "exercise.py").is_file()]
        if not folders:
            raise LessonError("You have no exercise yet. Begin with: python3 -m learn start 01")
    else:
        folders = [find_folder(lesson) if lesson else exercise.last_lesson()]
    if watch:
        with contextlib.suppress(KeyboardInterrupt):
            _watch(folders[0], file)
        return
    machine = bool(as_json or junitxml)
    verdicts = []
    for folder in folders:
        with _progress(folder, quiet=as_json) as on_step:
            verdicts.append(
                run_checks(folder, file or "exercise", every=machine or every, on_step=on_step)
            )
    if junitxml:
        write_junit(verdicts, Path(junitxml))
    if as_json:
        found = [verdict.as_dict() for verdict in verdicts]
        click.echo(json.dumps(found if every else found[0], indent=2))
    elif every:
        _print_all(verdicts)
    else:
        from .show import make_console

        make_console().print(verdicts[0])
    sys.exit(0 if all(verdict.passed for verdict in verdicts) else 1)


@contextlib.contextmanager
def _progress(folder: Path, quiet: bool = False):
    """On a terminal, a line that shows the steps as they are checked."""
    from .steps import read_steps
    from .verdict import bar

    if quiet or not sys.stdout.isatty():
        yield None
        return
    steps = [step.name for step in read_steps(folder) if step.counts]
    done = 0

    def on_step(result):
        nonlocal done
        done += result.step.counts and result.state == "passed"
        click.echo(f"\r{bar(done, len(steps))} ", nl=False)

    click.echo(f"\r{bar(0, len(steps))} ", nl=False)
    try:
        yield on_step
    finally:
        click.echo("\r\x1b[2K", nl=False)


def _print_all(verdicts):
    """Print a table of all lessons, those without an exercise too."""
    from rich.table import Table

    from .show import make_console
    from .verdict import overview_row

    table = Table(box=None, pad_edge=False)
    for title in ("lesson", "steps", "", "the first that fails"):
        table.add_column(title, no_wrap=title != "the first that fails")
    found = {verdict.folder: verdict for verdict in verdicts}
    for folder in lesson_folders():
        verdict = found.get(folder)
        if verdict is None:
            table.add_row(folder.name, "-", "", f"not begun: start {folder.name[:2]}")
            continue
        failed = verdict.failed.step.title if verdict.failed else "-"
        if verdict.broken:
            failed = verdict.broken.split("\n")[0]
        done = f"{verdict.done} of {len(verdict.steps)}"
        table.add_row(verdict.folder.name, done, overview_row(verdict.steps), failed)
    make_console().print(table)


def _watch(folder: Path, file):
    """Check again whenever the file is saved; h, s, n and q do what the last line says."""
    from . import exercise
    from .check import run_checks
    from .places import find_file
    from .show import make_console
    from .watch import watch

    path = find_file(folder.name, file or "exercise")
    console = make_console()
    verdict = None

    def on_key(key):
        if key in "qQ\x03\x04":
            raise StopIteration
        if key in "hH" and verdict and verdict.failed:
            number, hint = exercise.next_hint(folder, verdict.failed.step)
            console.print(f"\nHint {number}: {hint}", markup=False)
        elif key in "hH":
            console.print("\nThere is nothing to hint at.")
        elif key in "sS":
            half = verdict is not None and 2 * verdict.done >= len(verdict.steps)
            if half:
                _print_solution(folder, path)
            else:
                console.print(
                    f"\nLess than half of the steps are done. If you want to see it all the same:"
                    f" python3 -m learn solution {folder.name[:2]}"
                )
        elif key in "nN":
            from .verdict import next_lesson

            following = next_lesson(folder)
            if following is None:
                console.print("\nThis is the last lesson.")
            elif verdict is None or not verdict.passed:
                console.print("\nFirst the steps of this lesson. q leaves.")
            else:
                exercise.start(find_folder(following))
                switch.append(find_folder(following))
                raise StopIteration

    while True:
        switch: list[Path] = []
        for there in watch(path, on_key):
            console.clear()
            if not there:
                console.print(f"{path.name} is gone. Save it again and it is checked again.")
            else:
                try:
                    with _progress(folder) as on_step:
                        verdict = run_checks(folder, file or "exercise", on_step=on_step)
                except LessonError as error:
                    console.print(str(error), markup=False)
                else:
                    console.print(verdict)
            keys = "h hint   s solution   n next lesson   q leave"
            console.print(f"\n{keys}     watching {path.name} for the next save", style="dim")
        if not switch:
            return
        folder, file, verdict = switch[0], None, None
        path = find_file(folder.name, "exercise")


@main.command()
@click.argument("lesson", required=False)
def hint(lesson):
    """Give a hint for the step that fails, one more each time."""
    from . import exercise, progress
    from .check import run_checks
    from .show import make_console
    from .steps import read_steps
    from .verdict import number_of

    folder = find_folder(lesson) if lesson else exercise.last_lesson()
    kept = progress.of(folder)
    if not kept["current"]:
        verdict = run_checks(folder)
        if verdict.broken:
            raise LessonError(f"It can't be checked yet.\n\n{verdict.broken}")
        kept = progress.of(folder)
    steps = read_steps(folder)
    step = next((step for step in steps if step.name == kept["failed"]), None)
    if step is None:
        click.echo("No step fails: there is nothing to hint at.")
        return
    number, text = exercise.next_hint(folder, step)
    console = make_console()
    console.print(f"{number_of(step, steps)}: {step.title}", style="bold", markup=False)
    console.print(f"\nHint {number} of {len(step.hints)}: {text}", markup=False)
    if number < len(step.hints):
        console.print(f"\nOne more: python3 -m learn hint {folder.name[:2]}", style="dim")
    else:
        line = f"\nThat was the last. All of it: python3 -m learn solution {folder.name[:2]}"
        console.print(line, style="dim")


@main.command()
@click.argument("lesson", required=False)
@click.option("--yes", is_flag=True, help="Don't ask, however few steps are done.")
def solution(lesson, yes):
    """Show, step by step, how app.py differs from yours."""
    from . import exercise, progress
    from .places import find_file
    from .steps import read_steps

    folder = find_folder(lesson) if lesson else exercise.last_lesson()
    path = find_file(folder.name, "exercise")
    steps = [step.name for step in read_steps(folder) if step.counts]
    kept = progress.of(folder)
    done = len([name for name in kept["passed"] if name in steps])
    if not yes and 2 * done < len(steps):
        said = f"{done} of {len(steps)} steps are done."
        if not kept["passed"]:
            said = f"Nothing of it was checked yet (python3 -m learn check {folder.name[:2]})."
        if not sys.stdin.isatty():
            raise LessonError(f"{said} To see the solution all the same, add --yes.")
        if not click.confirm(f"{said} See the solution now?"):
            return
    _print_solution(folder, path)


def _print_solution(folder, path):
    from rich.text import Text

    from . import exercise
    from .show import make_console

    console = make_console()
    colours = {"+": "green", "-": "red", "@": "dim"}
    for title, lines in exercise.solution(folder, path.read_text("utf-8", "replace")):
        if lines:
            console.print(Text(f"\n{title}\n", "bold"))
        for line in lines:
            console.print(Text(line, colours.get(line[:1], "")), soft_wrap=True)
    console.print(Text("\n+ stands in app.py, - in yours.", "dim"))


@main.command()
@click.argument("lesson", required=False)
@click.option("--quick", is_flag=True, help="A few applications, about twenty seconds.")
@click.option("--growth", is_flag=True, help="With 10 to 100,000 users, nonces, revoked tokens.")
@click.option("--waits", is_flag=True, help="How long the workbench's own commands take.")
@click.option("--all", "everything", is_flag=True, help="All three, one after the other.")
@click.option("--json", "as_json", is_flag=True, help="The results for a program.")
def bench(lesson, quick, growth, waits, everything, as_json):
    """Measure what each technique costs, side by side.

    It takes two to three minutes. Each application is served by gunicorn with one worker and
    loaded by wrk, in turn. With a lesson's number, only what belongs to it. docs/performance.md
    explains the tables.
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from . import bench as benchmark
    from .show import make_console

    if lesson and (waits or everything):
        raise click.UsageError("The waits belong to no single lesson. Leave its number out.")
    folder = find_folder(lesson) if lesson else None
    wanted = [name for name, asked in (("growth", growth), ("waits", waits)) if asked]
    parts = benchmark.PARTS if everything else wanted or benchmark.PARTS[:1]
    columns = [BarColumn(), TextColumn("{task.percentage:.0f} %"), TimeElapsedColumn()]
    columns.append(TextColumn("{task.description}", markup=False))
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=1.0)

        def advance(what, share):
            progress.update(task, description=what, completed=share)

        found = benchmark.run(parts, quick, advance, folder)
    if as_json:
        click.echo(json.dumps(found, indent=1))
        return
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


@main.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def test(arguments):
    """Run all tests, or those you name as for pytest.

    `test --long` is the thorough run.
    """
    if set(arguments) <= {
        "--long"
    }:  # a file's tests stay together: they share a server, or a notebook's kernel
        arguments = [*arguments, "-n", "auto", "--maxprocesses", "4", "--dist", "loadfile"]
    sys.exit(_wait(subprocess.Popen([sys.executable, "-m", "pytest", *arguments], cwd=ROOT)))


def _wait(process) -> int:
    """Wait for a child that gets the same Ctrl-C as we do; return its exit status."""
    signal.signal(signal.SIGTERM, lambda *_: process.terminate())  # nobody is left behind
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue


if __name__ == "__main__":
    main()
