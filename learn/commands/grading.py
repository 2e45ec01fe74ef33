"""Grade a class: judge each submission in a folder, and make a table of it."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

import click

from ..layout import find_folder
from .group import Number, WholeNumber, main, title
from .report_file import ReportFile


@main.command()
@click.argument("lesson")
@click.argument("submissions", type=click.Path(exists=True, path_type=Path))
@click.option("--csv", "csv_file", type=ReportFile(), help="The table, into a file.")
@click.option("--json", "json_file", type=ReportFile(), help="Every check's result.")
@click.option("--junitxml", type=ReportFile(), help="One suite for each learner.")
@click.option(
    "--html", "pages", type=click.Path(path_type=Path), help="A page for each learner, in a folder."
)
@click.option("--jobs", type=WholeNumber(1, 64), default=2, show_default=True, metavar="N")
@click.option("--beyond", is_flag=True, help="Try the optional steps too.")
@click.option("--again", is_flag=True, help="Judge again what was judged before.")
@click.option(
    "--seconds",
    type=Number(10, 3600),
    default=300,
    show_default=True,
    help="The longest that one submission may take.",
)
def grade(lesson, submissions, csv_file, json_file, junitxml, pages, jobs, beyond, again, seconds):
    """Grade a folder of submissions: a file or a folder for each learner.

    What has been judged is kept, so that after an interruption the same command goes on. Exit
    status 0 when there is a verdict on every submission, be it passed or failed, else 1.
    """
    from ..practice import report
    from ..practice.grades import grade as grade_all
    from ..practice.grading import UNJUDGED, Bounds, Judges
    from ..practice.submissions import find
    from ..running.box import has_walls, no_box

    folder = find_folder(lesson)
    found = find(submissions, folder)
    walls, why_not = has_walls()
    if not walls:
        click.echo(no_box(why_not), err=True)
        if jobs > 1:
            click.echo("One is judged at a time, lest it change another's checks.", err=True)
            jobs = 1
    bounds = Bounds(seconds=seconds)
    try:
        with (
            Judges(folder, jobs, walls=walls, beyond=beyond, bounds=bounds) as judges,
            _bar(len(found)) as on_grade,
        ):
            grades = grade_all(found, judges, jobs, again=again, on_grade=on_grade)
    except KeyboardInterrupt:
        click.echo(
            "\nInterrupted. What has been judged is kept: the same command goes on.", err=True
        )
        sys.exit(130)
    for path, make in [
        (csv_file, report.as_csv),
        (json_file, report.as_json),
        (junitxml, report.as_junit),
    ]:
        if path:
            report.write(path, make(grades))
    heading = f"Lesson {folder.name[:2]}: {title(folder)}"
    if pages:
        report.write_pages(grades, pages, heading)
    _print_table(grades)
    sys.exit(1 if any(one.state == UNJUDGED for one in grades) else 0)


@contextlib.contextmanager
def _bar(count: int):
    """Give a function to call with each grade; on a terminal, it moves a progress bar."""
    if not sys.stderr.isatty():
        yield lambda grade: None
        return
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    from ..showing.console import make_error_console

    columns = [BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("left:")]
    columns += [TimeRemainingColumn(), TextColumn("{task.description}", markup=False)]
    with Progress(*columns, console=make_error_console(), transient=True) as progress:
        task = progress.add_task("", total=count)
        yield lambda grade: progress.update(
            task, advance=1, description=f"{grade.submission.name}: {grade.state}"
        )


def _print_table(grades):
    """Print the table and, under it, how many passed."""
    from rich.table import Table
    from rich.text import Text

    from ..practice.report import COLUMNS, row
    from ..showing.console import make_console, printable

    colours = {"passed": "green", "failed": "red"}
    table = Table(box=None, pad_edge=False)
    for column in COLUMNS:
        kept = column in ("state", "steps")
        table.add_column(
            column,
            no_wrap=kept,
            overflow="fold",
            justify="right" if column == "seconds" else "left",
        )
    for one in grades:
        cells = [Text(printable(" ".join(cell.split())[:300])) for cell in row(one)]
        cells[1].stylize(colours.get(one.state, "magenta"))
        table.add_row(*cells)
    console = make_console()
    console.print(table)
    states = [one.state for one in grades]
    counts = {state: states.count(state) for state in ("passed", "failed", "not judged")}
    line = ", ".join(f"{count} {state}" for state, count in counts.items() if count)
    kept = sum(one.kept for one in grades)
    line += f"; {kept} of them judged before (--again judges anew)" if kept else ""
    console.print(f"\n{line}.", markup=False)
