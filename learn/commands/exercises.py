"""Rebuild a lesson: start, reset, check, hint, solution, diff."""

from __future__ import annotations

import contextlib
import json
import sys
from pathlib import Path

import click

from ..layout import ROOT, LessonError, find_folder
from .group import lesson_folders, main
from .report_file import ReportFile


@main.command()
@click.argument("lesson")
def start(lesson):
    """Make your exercise.py; say what the first step is."""
    from ..practice import exercise
    from ..practice.steps import read_steps

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
    from ..practice import exercise

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
@click.option("--junitxml", type=ReportFile(), help="Every step's result, into this file.")
def check(lesson, watch, every, file, as_json, junitxml):
    """Check your exercise, step by step.

    Without a number: the one you last worked on. Exit status 0 if all steps hold, else 1.
    """
    from ..practice import exercise
    from ..practice.check import run_checks
    from ..practice.results import write_junit

    if every and (lesson or file):
        raise click.UsageError("--all checks every exercise: leave out the lesson and --file.")
    if every and watch:
        raise click.UsageError(
            "--watch is for one exercise, --all checks each of them once: leave one of them out."
        )
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
            if file:
                verdicts.append(_judge(folder, file, machine, on_step))
            else:
                verdicts.append(run_checks(folder, every=machine or every, on_step=on_step))
    if junitxml:
        write_junit(verdicts, junitxml)
    if as_json:
        found = [verdict.as_dict() for verdict in verdicts]
        click.echo(json.dumps(found if every else found[0], indent=2))
    elif every:
        _print_all(verdicts)
    else:
        from ..showing.console import make_console

        make_console().print(verdicts[0])
    sys.exit(0 if all(verdict.passed for verdict in verdicts) else 1)


def _judge(folder: Path, file: str, every: bool, on_step):
    """Return the verdict on a file of somebody else, which runs in a box where there is one."""
    from ..layout import find_file
    from ..practice.grading import judge_file
    from ..running.box import has_walls, no_box

    place = Path(file) if Path(file).is_dir() else find_file(folder.name, file)
    walls, why_not = has_walls()
    if not walls:
        click.echo(no_box(why_not), err=True)
    return judge_file(folder, place.resolve(), walls=walls, every=every, on_step=on_step)


@contextlib.contextmanager
def _progress(folder: Path, quiet: bool = False):
    """On a terminal, a line that shows the steps as they are checked."""
    from ..practice.steps import read_steps
    from ..showing.results import bar

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

    from ..showing.console import make_console
    from ..showing.results import overview_row

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
    from ..layout import find_file
    from ..practice import exercise
    from ..practice.check import run_checks
    from ..practice.watch import watch
    from ..showing.console import make_console

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
            from ..showing.results import next_lesson

            following = next_lesson(folder)
            if following is None:
                console.print(
                    "\nThis is the last lesson. Then comes: python3 -m learn play compare"
                )
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
    from ..practice import exercise, progress
    from ..practice.check import run_checks
    from ..practice.steps import number_of, read_steps
    from ..showing.console import make_console

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
    from ..layout import find_file
    from ..practice import exercise, progress
    from ..practice.steps import read_steps

    folder = find_folder(lesson) if lesson else exercise.last_lesson()
    path = find_file(folder.name, "exercise")
    steps = [step.name for step in read_steps(folder) if step.counts]
    kept = progress.of(folder)
    done = len([name for name in kept["passed"] if name in steps])
    if not yes and 2 * done < len(steps):
        said = f"{done} of {len(steps)} steps are done."
        if not kept["current"]:
            said = f"It was not checked as it is now (python3 -m learn check {folder.name[:2]})."
        if not sys.stdin.isatty():
            raise LessonError(f"{said} To see the solution all the same, add --yes.")
        if not click.confirm(f"{said} See the solution now?"):
            return
    _print_solution(folder, path)


def _print_solution(folder, path):
    from ..practice import exercise

    text = path.read_text("utf-8", "replace")
    _print_differences(exercise.solution(folder, text), path.name, "app.py")


@main.command()
@click.argument("lesson")
@click.argument("old", default="naive", type=click.Choice(["naive", "exercise"]))
@click.argument("new", default="app", type=click.Choice(["app", "exercise"]))
def diff(lesson, old, new):
    """Show, step by step, how naive.py becomes app.py.

    Or your exercise instead of either: diff 02 exercise, diff 02 naive exercise.
    """
    from ..layout import find_file
    from ..practice import exercise

    if old == new:
        raise click.UsageError("That is the same file twice.")
    folder = find_folder(lesson)
    one, other = find_file(folder.name, old), find_file(folder.name, new)
    texts = [path.read_text("utf-8", "replace") for path in (one, other)]
    try:
        found = exercise.differences(folder, *texts)
    except SyntaxError as error:
        raise LessonError(f"{other.name}, line {error.lineno}: {error.msg}.") from None
    _print_differences(found, one.name, other.name)


def _print_differences(found, old: str, new: str):
    """Print what differs, with the step's title and reason above each piece."""
    from rich.text import Text

    from ..showing.console import make_console

    console = make_console()
    # What goes beyond app.py is shown whole, and compared with nothing.
    same = not any(lines for step, _, lines in found if not (step and step.beyond))
    if same:
        console.print(f"{old} and {new} don't differ.")
    else:
        console.print(
            "Pieces of the finished file, sorted by the step that they belong to. Some use names"
            " that a later step, or what is around the steps, brings."
        )
    colours = {"+": "green", "-": "red"}
    for step, title, lines in found:
        if not lines:
            continue
        console.print(Text(f"\n{title}", "bold"))
        if step:
            console.print(Text(" ".join(step.why.split())))
        console.print()
        for line in lines:
            console.print(Text(line, colours.get(line[:1], "")), soft_wrap=True)
    if not same:
        console.print(Text(f"\n- stands in {old}, + in {new}.", "dim"))
