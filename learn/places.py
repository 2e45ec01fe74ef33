"""Where the lessons are. The workbench knows that much of them and no more."""

from __future__ import annotations

import difflib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LESSONS = ROOT / "lessons"
FILES = ("app", "naive", "exercise", "beyond")  # what a lesson's folder may hold


class LessonError(Exception):
    """A lesson can't be found or didn't start; the message says why and what to do next."""


def find_folder(name: str | int) -> Path:
    """Return the folder of a lesson.

    `name` is its number ("02", "2" or 2) or its folder's name ("02_basic"). Raises LessonError,
    naming the nearest lesson, when there is none.
    """
    folders = sorted(p for p in LESSONS.iterdir() if p.is_dir() and p.name[:2].isdigit())
    wanted = str(name).strip().strip("/").split("/")[-1]
    for folder in folders:
        if wanted in (folder.name, folder.name[3:]) or wanted.zfill(2) == folder.name[:2]:
            return folder
    names = [f.name for f in folders]
    near = difflib.get_close_matches(wanted, names + [n[3:] for n in names], 1)
    hint = f" Did you mean {near[0]}?" if near else ""
    raise LessonError(f"There is no lesson {wanted!r}.{hint} The lessons are: {', '.join(names)}.")


def find_file(name: str | int, file: str | Path = "app") -> Path:
    """Return the path of a lesson's file: one of FILES, or the path of any other.

    Raises LessonError when it isn't there.
    """
    folder = find_folder(name)
    path = folder / f"{file}.py" if str(file) in FILES else Path(file)
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
