"""Where lessons and notebooks lie. The workbench knows that much of them and no more."""

from __future__ import annotations

import difflib
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LESSONS = ROOT / "lessons"
NOTEBOOKS = ROOT / "notebooks"
# Whether lessons are loaded into this process, as a web page has no others (running/inside.py).
INSIDE = sys.platform == "emscripten" or os.environ.get("LEARN_INSIDE") == "1"


class LessonError(Exception):
    """A lesson can't be found or didn't start; the message says why and what to do next."""


class MachineOnly(Exception):
    """A web page can't do this; the message is a sentence that says what and why.

    met, last: how many there were, and what the last said; so one is noticed even if it is caught.
    """

    met, last = 0, ""

    def __init__(self, sentence: str):
        super().__init__(sentence)
        MachineOnly.met += 1
        MachineOnly.last = sentence


def find_folder(name: str | int) -> Path:
    """Return the folder of a lesson.

    `name` is its number ("02", "2" or 2) or its folder's name ("02_basic"). Raises LessonError,
    naming the nearest lesson, when there is none.
    """
    names = sorted(p.name for p in LESSONS.iterdir() if p.is_dir() and p.name[:2].isdigit())
    alone = _choose(name, _notebooks())
    if alone and alone not in names:
        raise LessonError(
            f"There is no lesson {alone}, only a notebook. Walk through it with:"
            f" python3 -m learn play {alone[3:]}"
        )
    return LESSONS / _find("lesson", name, names)


def find_notebook(name: str | int) -> Path:
    """Return the path of a notebook: that of a lesson, or 99_compare, which compares them.

    `name` as for find_folder. Raises LessonError, naming the nearest notebook, when there is none.
    """
    return NOTEBOOKS / f"{_find('notebook', name, _notebooks())}.ipynb"


def notebooks() -> list[Path]:
    """Return the paths of all notebooks in the order in which they are read."""
    return sorted(NOTEBOOKS.glob("[0-9][0-9]_*.ipynb"))


def _notebooks() -> list[str]:
    return [path.stem for path in notebooks()]


def _wanted(name: str | int) -> str:
    return str(name).strip().strip("/").split("/")[-1].removesuffix(".ipynb")


def _choose(name: str | int, names: list[str]) -> str | None:
    """Return the one of the names that is meant: by its number, the whole name, or its end."""
    wanted = _wanted(name)
    for one in names:
        if wanted in (one, one[3:]) or wanted.zfill(2) == one[:2]:
            return one
    return None


def _find(kind: str, name: str | int, names: list[str]) -> str:
    chosen, wanted = _choose(name, names), _wanted(name)
    if chosen:
        return chosen
    near = difflib.get_close_matches(wanted, names + [n[3:] for n in names], 1)
    hint = f" Did you mean {near[0]}?" if near else ""
    raise LessonError(f"There is no {kind} {wanted!r}.{hint} The {kind}s are: {', '.join(names)}.")


def find_file(name: str | int, file: str | Path = "app") -> Path:
    """Return the path of a lesson's file: a name such as "app", or the path of any other file.

    Raises LessonError when it isn't there.
    """
    folder = find_folder(name)
    path = folder / f"{file}.py" if str(file).isidentifier() else Path(file)
    if path.is_dir():
        path = path / "app.py"
    if not path.is_file():
        more = ""
        if str(file) == "exercise":
            more = f" Make one with: python3 -m learn start {folder.name[:2]}"
        raise LessonError(f"There is no file {path}.{more}")
    if path.suffix != ".py":
        raise LessonError(f"{path} is no Python file: its name does not end in .py.")
    return path.resolve()
