"""Walk through a notebook in the terminal. The notebook is the only copy of the story.

The cells run in this process, one after the other in one namespace, and the value of a cell's last
line is shown, as Jupyter does. So no kernel has to start, and an exchange comes as the object that
it is, which knows how to show itself in a terminal.
"""

from __future__ import annotations

import ast
import json
import os
import re
import sys
from pathlib import Path

from ..layout import LessonError
from ..running.lesson import Lesson
from ..showing.console import code_theme, make_console

PREDICT = re.compile(r"\*\*Predict\b")  # how a notebook asks for a prediction


def play_notebook(path: Path) -> bool:
    """Show and run a notebook's cells; wait for Enter between them on a terminal.

    Where the text before a cell asks for a prediction, wait before the answer comes as well.
    Returns False when the reader wants to leave. Raises LessonError when a cell fails.
    """
    from rich.markdown import Markdown
    from rich.syntax import Syntax

    console = make_console()
    plain = not console.is_terminal
    waits = console.is_terminal and sys.stdin.isatty()
    names = {"__name__": "__main__"}
    theme, predicts = code_theme(), False
    before = Path.cwd()
    os.chdir(path.parent)  # as in Jupyter
    try:
        for cell in read_cells(path):
            source = "".join(cell["source"])
            if cell["cell_type"] == "markdown":
                console.print(Markdown(source, code_theme=theme))
                console.print()
                predicts = predicts or bool(PREDICT.search(source))
                continue
            if plain:
                console.print("\n".join(f"    {line}" for line in source.split("\n")), markup=False)
            else:
                console.print(Syntax(source, "python", theme=theme, word_wrap=True))
            console.print()
            if predicts and waits and not _go_on(console, "show the answer"):
                return False
            predicts = False
            value = run_cell(source, names, f"{path.stem}, {cell.get('id', 'cell')}")
            if value is not None:
                console.print(
                    value if hasattr(value, "__rich_console__") else repr(value), markup=False
                )
            console.print()
            if waits and not _go_on(console):
                return False
    finally:
        os.chdir(before)
        for thing in list(names.values()):
            if isinstance(thing, Lesson):
                thing.stop()
    return True


def read_cells(path: Path) -> list[dict]:
    """Return a notebook's cells. Raises LessonError when it is no notebook."""
    try:  # plain JSON; nbformat would take seconds to import, for its validation
        return json.loads(path.read_text("utf-8"))["cells"]
    except (ValueError, KeyError, TypeError) as error:
        raise LessonError(f"{path.name} can't be read as a notebook: {error}") from None


def run_cell(source: str, names: dict, where: str):
    """Run a cell's code in `names`; return what its last expression gives, or None."""
    tree = ast.parse(source)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    try:
        exec(compile(tree, where, "exec"), names)  # noqa: S102 - the notebook's own cells
        if last is not None and not source.rstrip().endswith(";"):
            return eval(compile(ast.Expression(last.value), where, "eval"), names)  # noqa: S307
        if last is not None:
            exec(compile(ast.Module([last], []), where, "exec"), names)  # noqa: S102
    except LessonError:
        raise
    except Exception as error:
        raise LessonError(
            f"The cell {where} failed: {type(error).__name__}: {error}\n"
            "Did you change the notebook or the lesson? `git diff` shows what."
        ) from error
    return None


def _go_on(console, where: str = "go on") -> bool:
    console.print(f"[dim]Enter: {where}   q, Enter: leave[/dim]", end=" ")
    try:
        answer = input()
    except EOFError:
        answer = "q"
    console.print()
    return not answer.strip().lower().startswith("q")
