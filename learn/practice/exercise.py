"""The learner's own file, exercise.py: make it, put it aside, give hints, show what differs.

Nothing here ever overwrites or removes a learner's work.
"""

from __future__ import annotations

import ast
import difflib
from pathlib import Path

from ..layout import LESSONS, LessonError, find_folder
from . import progress
from .steps import Step, number_of, read_steps


def start(folder: Path) -> tuple[Path, bool]:
    """Make exercise.py from naive.py; return its path, and whether it is new."""
    path = folder / "exercise.py"
    try:
        with open(path, "x", encoding="utf-8") as file:  # fails if it is there
            file.write(first_text(folder))
    except FileExistsError:
        progress.keep(folder)
        return path, False
    progress.keep(folder)
    return path, True


def reset(folder: Path) -> Path:
    """Keep exercise.py under a numbered name, make a new one, and return where the old one is.

    Raises LessonError when there is none.
    """
    path = folder / "exercise.py"
    try:
        old = path.read_bytes()
    except FileNotFoundError:
        raise LessonError(
            f"{folder.name} has no exercise.py yet. Make one with:"
            f" python3 -m learn start {folder.name[:2]}"
        ) from None
    number = 1
    while True:
        kept = folder / f"exercise_{number}.py"
        try:
            with open(kept, "xb") as file:
                file.write(old)
            break
        except FileExistsError:
            number += 1
    draft = folder / "exercise_draft.py"
    draft.write_text(first_text(folder), "utf-8")
    draft.replace(path)
    progress.keep(folder, passed=[], failed=None, hints={}, digest=None)
    return kept


def first_text(folder: Path) -> str:
    """Return what a new exercise holds: naive.py, with a docstring of its own."""
    text = (folder / "naive.py").read_text("utf-8")
    docstring = ast.get_docstring(ast.parse(text), clean=False)
    own = (
        f"Lesson {folder.name[:2]}, my own. It began as naive.py; each check closes one hole.\n\n"
        f"Check it with: python3 -m learn check {folder.name[:2]}\n"
    )
    return text.replace(docstring, own, 1) if docstring else text


def last_lesson() -> Path:
    """Return the lesson last worked on. Raises LessonError when no exercise has been started."""
    folders = [p for p in sorted(LESSONS.iterdir()) if (p / "exercise.py").is_file()]
    if not folders:
        raise LessonError("You have no exercise yet. Begin with: python3 -m learn start 01")
    name = progress.last()
    if name in [folder.name for folder in folders]:
        return find_folder(name)
    return max(folders, key=lambda folder: (folder / "exercise.py").stat().st_mtime)


def next_hint(folder: Path, step: Step) -> tuple[int, str]:
    """Return the number (from 1) and the text of the next hint; the last one comes again."""
    counts = progress.of(folder)["hints"]
    given = counts.get(step.name, 0)
    given = given if isinstance(given, int) and 0 <= given else 0
    number = min(given + 1, len(step.hints))
    progress.keep(folder, hints={**counts, step.name: number})
    return number, step.hints[number - 1]


def pieces(source: str) -> dict[str, str]:
    """Cut a file into its top-level pieces: from the name that each defines to its text.

    What defines no name (imports, calls) comes together under "". A comment goes with what follows.
    Raises SyntaxError when the source is no Python.
    """
    lines = source.split("\n")
    found: dict[str, str] = {}
    end = 0
    for node in ast.parse(source).body:
        begin = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
        while begin - 1 > end and lines[begin - 2].startswith("#"):
            begin -= 1
        text = "\n".join(lines[begin - 1 : node.end_lineno])
        name = _name(node)
        found[name] = f"{found[name]}\n{text}" if name in found else text
        end = node.end_lineno
    return found


def _name(node: ast.stmt) -> str:
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return node.name
    target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
    if isinstance(target, ast.Tuple):
        target = target.elts[0]
    return target.id if isinstance(target, ast.Name) else ""


def differences(folder: Path, old: str, new: str) -> list[tuple[Step | None, str, list[str]]]:
    """Return how one text of a lesson's file becomes another, step by step.

    Each entry is a step (None around the steps), a title, and the lines of the difference, which
    begin with "+", "-" or " ". Steps in which nothing differs have no lines.
    """
    steps = [step for step in read_steps(folder) if not step.beyond]
    theirs = pieces(new)
    try:
        mine = pieces(old)
    except SyntaxError:
        return [(None, "The whole file (it is no Python yet)", _difference(old, new))]
    shown, out = set(), []
    for step in steps:
        shown |= set(step.pieces)
        lines = [_difference(mine.get(name, ""), theirs.get(name, "")) for name in step.pieces]
        title = f"{number_of(step, steps)}: {step.title}"
        out.append((step, title, [line for piece in lines for line in piece]))
    rest = [_difference(mine.get(n, ""), theirs[n]) for n in theirs if n not in shown]
    title = "Around the steps: imports, settings, the start"
    out.append((None, title, [line for piece in rest for line in piece]))
    gone = [_difference(mine[n], "") for n in mine if n not in theirs and n not in shown]
    out.append((None, "Only in the first", [line for piece in gone for line in piece]))
    return out


def solution(folder: Path, exercise: str) -> list[tuple[Step | None, str, list[str]]]:
    """Return what is missing in an exercise: its differences from app.py, and the steps beyond."""
    out = differences(folder, exercise, (folder / "app.py").read_text("utf-8"))
    for step in read_steps(folder):
        if step.beyond:
            text = (folder / f"{step.beyond}.py").read_text("utf-8")
            title = f"Optional: {step.title} ({step.beyond}.py)"
            out.append((step, title, _difference("", text)))
    return out


def _difference(old: str, new: str) -> list[str]:
    """Return the lines of a difference with two lines around each change; none if there is none."""
    if old.rstrip() == new.rstrip():
        return []
    lines = difflib.unified_diff(old.rstrip().split("\n"), new.rstrip().split("\n"), n=2)
    kept = [line for line in list(lines)[2:] if line not in ("-", "+")]
    return [" ..." if line.startswith("@@") else line for line in kept][1:] + [""]
