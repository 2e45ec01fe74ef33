"""Find what a class has handed in: a folder of files or of folders, as course systems make them.

GitHub Classroom gives a repository for each learner, Moodle a folder or a file whose name begins
with the learner's (Name_12345_assignsubmission_file_), nbgrader folders user/assignment/. Whatever
else is found gets a row of its own with a sentence. Links are never followed, and nothing is opened
that is not a plain file.
"""

from __future__ import annotations

import hashlib
import re
import stat
from dataclasses import dataclass
from pathlib import Path

from ..layout import LessonError
from ..running.ending import is_plain_file, read_plain
from ..running.lesson import GIVEN
from ..showing.console import printable

FILE_BYTES, FOLDER_BYTES, FOLDER_FILES = 1 << 20, 5 << 20, 200
SKIPPED = {"__pycache__", "__MACOSX", "node_modules", "venv", "instance"}
NO_ANSWERS = {*GIVEN, "naive.py", "beyond.py", "conftest.py", "setup.py", "__init__.py"}
_MOODLE = re.compile(r"(.+?)_\d+_assignsubmission_(?:file|onlinetext)_?")


@dataclass
class Submission:
    """What one learner handed in. path: the file to judge, None if there is a `problem` instead."""

    name: str
    path: Path | None = None
    whole: bool = False  # whether the other files in its folder belong to it
    problem: str = ""

    def read(self) -> dict[str, bytes]:
        """Return its files, by their names. Raises LessonError when they can't be taken."""
        return gather(self.path, self.whole)


def find(place: Path, lesson: Path) -> list[Submission]:
    """Return the submissions in a folder, or the one in a file, in the order of their names.

    Raises LessonError when there is no such place, or nothing in it.
    """
    if place.is_file():
        return [_entry(place, lesson)]
    try:
        entries = sorted(place.iterdir(), key=lambda path: path.name.lower())
    except OSError as error:
        raise LessonError(f"{place} can't be read: {error.strerror}.") from None
    found = [_entry(path, lesson) for path in entries if not _is_skipped(path.name)]
    if not found:
        raise LessonError(
            f"There is nothing in {place}. It should hold a file or a folder for each learner."
        )
    seen: dict[str, int] = {}
    for one in found:
        seen[one.name] = seen.get(one.name, 0) + 1
        if seen[one.name] > 1:
            one.name = f"{one.name} ({seen[one.name]})"
    return found


def of_path(path: Path, lesson: Path) -> Submission:
    """Return the submission that a path names: a file alone, or a folder with all that is in it.

    Raises LessonError when it has none.
    """
    found = _entry(path, lesson)
    if found.problem:
        raise LessonError(f"{path}: {found.problem}")
    return found


def gather(path: Path, whole: bool) -> dict[str, bytes]:
    """Return what is to be judged: the file, and if it is a `whole`, what lies in its folder.

    Raises LessonError for what is no plain file, or is too much.
    """
    files = {path.name: _read(path)}
    if not whole:
        return files
    size, folders = 0, [path.parent]
    while folders:
        for one in sorted(folders.pop().iterdir()):
            kind = one.lstat().st_mode
            if stat.S_ISDIR(kind) and not _is_skipped(one.name):
                folders.append(one)
            elif stat.S_ISREG(kind) and not one.name.startswith(".") and one.suffix != ".pyc":
                size += one.lstat().st_size
                if size > FOLDER_BYTES or len(files) > FOLDER_FILES:
                    most = f"{FOLDER_FILES} files or {FOLDER_BYTES >> 20} MB"
                    raise LessonError(f"Its folder holds more than {most}.")
                files[one.relative_to(path.parent).as_posix()] = _read(one, FOLDER_BYTES)
    return files


def copy_in(path: Path, place: Path, whole: bool, lesson: Path) -> Path:
    """Copy a submission into a new folder; return where the file to judge is.

    The lesson's own solutions don't come along with it: a learner's fork of this repository has
    them beside the exercise. Raises LessonError as `gather` does.
    """
    files = gather(path, whole)
    for name, content in files.items():
        if name != path.name and _is_solution(name, content, lesson):
            continue
        target = place / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    return place / path.name


def digest(files: dict[str, bytes], *more: bytes) -> str:
    """Return a digest of files, and of whatever else decides on a verdict."""
    state = hashlib.sha256()
    for part in [*more, *(p for name in sorted(files) for p in (name.encode(), files[name]))]:
        state.update(b"%d:" % len(part) + part)
    return state.hexdigest()


def _is_solution(name: str, content: bytes, lesson: Path) -> bool:
    own = lesson / name
    solves = own.suffix == ".py" and name not in GIVEN and own.is_file()
    return solves and own.read_bytes() == content


def _read(path: Path, most: int = FILE_BYTES) -> bytes:
    """Return the content of a plain file, without waiting for anybody who would write to it."""
    try:
        content = read_plain(path, most + 1)
    except OSError as error:
        raise LessonError(f"{path.name} can't be read: {error.strerror}.") from None
    if len(content) > most:
        raise LessonError(f"{path.name} is larger than {most >> 20} MB.")
    return content


def _is_skipped(name: str) -> bool:
    return name.startswith(".") or name in SKIPPED


def _name(path: Path) -> str:
    found = _MOODLE.match(path.name)
    name = found[1] if found else path.stem if path.suffix == ".py" else path.name
    return printable(name.replace("\n", " "))[:100]


def _entry(path: Path, lesson: Path) -> Submission:
    """Return what one entry of the folder hands in."""
    name = _name(path)
    try:
        kind = path.lstat().st_mode
        if stat.S_ISLNK(kind):
            return Submission(name, problem="It is a link, which is not followed.")
        if stat.S_ISDIR(kind):
            return Submission(name, main_of(path, lesson), whole=True)
        if not stat.S_ISREG(kind):
            return Submission(name, problem="It is neither a file nor a folder.")
        if path.suffix != ".py":
            return Submission(name, problem=f"It is no Python file.{_packed([path])}")
        return Submission(name, path)
    except LessonError as error:
        return Submission(name, problem=str(error))
    except OSError as error:
        return Submission(name, problem=f"It can't be read: {error.strerror}.")


def main_of(folder: Path, lesson: Path, deep: int = 4) -> Path:
    """Return the file to judge in a learner's folder. Raises LessonError when it isn't clear."""
    for name in ("exercise.py", f"lessons/{lesson.name}/exercise.py"):
        if is_plain_file(folder / name):
            return folder / name
    entries = sorted(folder.iterdir())
    found = [
        p for p in entries if p.suffix == ".py" and is_plain_file(p) and _may_be_answer(p.name)
    ]
    chosen = _meant(found, lesson)
    if chosen:
        return chosen
    if found:
        names = ", ".join(printable(path.name) for path in found[:5])
        more = ", …" if len(found) > 5 else ""
        raise LessonError(
            f"{len(found)} files could be the answer: {names}{more}."
            " Leave one of them, or name it exercise.py."
        )
    below = [p for p in entries if stat.S_ISDIR(p.lstat().st_mode) and not _is_skipped(p.name)]
    if below and deep:
        if chosen := _meant(below, lesson):
            return main_of(chosen, lesson, deep - 1)
        names = ", ".join(printable(path.name) for path in below[:5])
        raise LessonError(f"The answer could be in several folders: {names}. Leave one of them.")
    if not entries:
        raise LessonError("The folder is empty.")
    raise LessonError(f"There is no Python file in it.{_packed(entries)}")


def _meant(found: list[Path], lesson: Path) -> Path | None:
    """Return the only one, or the only one that is named after the lesson; else None."""
    if len(found) == 1:
        return found[0]
    number, _, word = lesson.name.partition("_")
    for pattern in (lesson.name, rf"(?<!\d){number}(?!\d)", word):
        named = [path for path in found if re.search(pattern, path.stem, re.I)]
        if len(named) == 1:
            return named[0]
    return None


def _may_be_answer(name: str) -> bool:
    return name not in NO_ANSWERS and not name.startswith((".", "test_"))


def _packed(entries: list[Path]) -> str:
    kinds = (".zip", ".gz", ".tar", ".7z", ".rar")
    packed = [path.name for path in entries if path.suffix in kinds]
    return f" Unpack {printable(packed[0])} first." if packed else ""
