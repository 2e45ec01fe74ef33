"""How long a learner waits for the workbench, beside the least that each wait could be.

Strategy: each wait and its floor are timed in turn, round by round, as a learner would start them:
with the Python that called, from nothing. The floor does what can't be left out, with nothing of
ours. What needs an exercise or an environment happens in copies of the tutorial in a scratch
folder; nothing of the learner's is touched.
"""

from __future__ import annotations

import json
import os
import select
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..layout import ROOT, LessonError

BASIC = "Authorization: Basic dXNlcjE6cGFzczE="
FLASK_TEST = """
import flask

def test_index():
    app = flask.Flask("app")
    app.add_url_rule("/", view_func=lambda: "Hello")
    assert app.test_client().get("/").text == "Hello"
"""
NOTEBOOK = {
    "cells": [],
    "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3"}},
    "nbformat": 4,
    "nbformat_minor": 5,
}


@dataclass(frozen=True)
class Wait:
    """Something a learner waits for, and its floor: two functions that return seconds."""

    name: str
    floor_name: str
    wait: Callable[[], float]
    floor: Callable[[], float]
    rounds: int = 7


def waits(scratch: Path) -> list[Wait]:
    """Return the waits, prepared in a scratch folder."""
    base = getattr(sys, "_base_executable", sys.executable)  # the Python outside of .venv
    learn = [base, "-m", "learn"]
    app = ["--file", "lessons/03_digest/app.py"]
    naive = ["--file", "lessons/03_digest/naive.py"]
    (scratch / "test_one.py").write_text(FLASK_TEST)
    (scratch / "empty.ipynb").write_text(json.dumps(NOTEBOOK))
    bare = ["-q", "-p", "no:cacheprovider", "--disable-plugin-autoload", "test_one.py"]
    pytest = [sys.executable, "-m", "pytest", *bare]
    empty = [sys.executable, "-m", "jupyter", "execute", "empty.ipynb"]

    def pytest_alone():
        return timed(pytest, scratch)

    def imports_of(*arguments):
        command = [sys.executable, "-c", "import " + ", ".join(imported(*arguments))]
        return lambda: timed(command, scratch)

    same, one = "Python with the same imports", "pytest on a one-line Flask test"
    found = [
        Wait("learn", same, lambda: timed(learn), imports_of()),
        Wait(
            "explain", same,
            lambda: timed([*learn, "explain", BASIC]), imports_of("explain", BASIC),
        ),
        Wait(
            "check 03, first step not done", one,
            lambda: timed([*learn, "check", "03", *naive], status=1), pytest_alone,
        ),
        Wait(
            "check 03, all of it", one,
            lambda: timed([*learn, "check", "03", *app]), pytest_alone,
        ),
        Wait("check 03 --watch, from save to verdict", one, Watch(scratch).save, pytest_alone),
        Wait(
            "play 02", "an empty notebook, executed",
            lambda: timed([*learn, "play", "02"]), lambda: timed(empty, scratch), 3,
        ),
    ]  # fmt: skip
    uv = shutil.which("uv", path=path_of(with_uv=True)["PATH"])
    if uv:
        found.append(
            Wait(
                "set-up from nothing, with uv",
                "uv pip install of the same lock",
                lambda: set_up(scratch, base, with_uv=True),
                lambda: uv_alone(scratch, uv, base),
                2,
            )  # fmt: skip
        )
    found.append(
        Wait(
            "set-up from nothing, without uv",
            "pip install of the same lock",
            lambda: set_up(scratch, base, with_uv=False),
            lambda: pip_alone(scratch, base),
            1,
        )  # fmt: skip
    )
    suite = Suite([*learn, "test"])
    return [*found, Wait("test", "its processor time, on all cores", suite.run, suite.floor, 1)]


def measure(quick: bool = False, advance=lambda what, share: None) -> dict:
    """Time all waits; return for each the medians (s) of wait and floor, and all times.

    quick: one round each, without the set-ups and the tests. advance: called before each round,
    with what is timed and with the share of all rounds that is done.
    """
    if os.name == "nt":
        raise LessonError("The waits are measured on Linux and macOS only: Windows has no pty.")
    found, done = {}, 0
    with tempfile.TemporaryDirectory(prefix="learn-waits-") as folder:
        chosen = [w for w in waits(Path(folder)) if not quick or w.rounds > 2]
        rounds = [1 if quick else wait.rounds for wait in chosen]
        for wait, count in zip(chosen, rounds, strict=True):
            times, floors = [], []
            for _ in range(count):
                advance(wait.name, done / sum(rounds))
                done += 1
                times.append(wait.wait())
                floors.append(wait.floor())
            found[wait.name] = {
                "floor_name": wait.floor_name,
                "seconds": round(statistics.median(times), 3),
                "floor": round(statistics.median(floors), 3),
                "times": [round(one, 3) for one in times],
                "floors": [round(one, 3) for one in floors],
            }
    return found


def timed(command, cwd=ROOT, status: int = 0, **more) -> float:
    """Run a command; return how long it took (s). Raises LessonError if it ends otherwise."""
    begin = time.perf_counter()
    done = subprocess.run(
        command,
        cwd=cwd,
        env=environment() | more,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    seconds = time.perf_counter() - begin
    if done.returncode != status:
        said = (done.stderr or done.stdout).strip()[-600:]
        raise LessonError(f"{' '.join(map(str, command))} ended with {done.returncode}:\n\n{said}")
    return seconds


def environment() -> dict[str, str]:
    """Return a learner's environment: no trace of .venv, and imports are compiled but once."""
    leave = ("VIRTUAL_ENV", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE")
    kept = {k: v for k, v in os.environ.items() if k not in leave}
    own = str(Path(sys.executable).parent)
    paths = [p for p in kept.get("PATH", "").split(os.pathsep) if p != own]
    return kept | {"PATH": os.pathsep.join(paths), "JUPYTER_PREFER_ENV_PATH": "1"}


def imported(*arguments) -> list[str]:
    """Return the modules that a command of ours imports, without our own."""
    code = (
        "import atexit, runpy, sys\n"
        "atexit.register(lambda: print('MODULES', *sys.modules, file=sys.stderr))\n"
        f"sys.argv[1:] = {list(arguments)!r}\n"
        "runpy.run_module('learn', run_name='__main__', alter_sys=True)\n"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    names = done.stderr.rpartition("MODULES ")[2].split()
    return [n for n in names if n.partition(".")[0] not in ("learn", "__main__", "__mp_main__")]


class Watch:
    """`check --watch` in a copy of the tutorial, on a pseudo-terminal."""

    def __init__(self, scratch: Path):
        self.root = copy(scratch / "watched", "tests")
        folder = self.root / "lessons" / "03_digest"
        self.exercise, self.naive = folder / "exercise.py", folder / "naive.py"
        self.number = 0

    def save(self) -> float:
        """Start it, wait for its verdict, save the file; return the time to the next verdict."""
        import pty

        shutil.copy(self.naive, self.exercise)
        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            [sys.executable, "-m", "learn", "check", "03", "--watch"],
            cwd=self.root,
            env={**environment(), "PYTHONPATH": str(self.root), "TERM": "xterm", "COLUMNS": "100"},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        try:
            self._verdict(ours)
            self.number += 1
            begin = time.perf_counter()
            self.exercise.write_text(self.naive.read_text("utf-8") + f"# {self.number}\n", "utf-8")
            self._verdict(ours)
            return time.perf_counter() - begin
        finally:
            process.kill()
            process.wait()
            os.close(ours)

    def _verdict(self, ours):
        seen, end = "", time.monotonic() + 60
        while "q leave" not in seen:
            if time.monotonic() > end:
                raise LessonError(f"No verdict within 60 seconds. It said:\n\n{seen}")
            if select.select([ours], [], [], 0.05)[0]:
                seen += os.read(ours, 65536).decode("utf-8", "replace")


class Suite:
    """All tests, once. Only what the processors can't be spared is their floor."""

    def __init__(self, command):
        self.command, self.used = command, 0.0

    def run(self) -> float:
        before = children_time()
        seconds = timed(self.command)
        self.used = children_time() - before
        return seconds

    def floor(self) -> float:
        """Return the processor time of the run before, as if it had been shared evenly (s)."""
        return self.used / os.cpu_count()


def children_time() -> float:
    """Return the processor time of all processes that ended below this one (s)."""
    import resource

    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def copy(root: Path, *more: str) -> Path:
    """Copy what the workbench is made of, without environment and exercises."""
    shutil.rmtree(root, ignore_errors=True)
    for name in ("learn", "lessons", *more):
        leave = ["exercise*.py", "instance"] if name == "lessons" else ["project"]
        skip = shutil.ignore_patterns("__pycache__", *leave)
        shutil.copytree(ROOT / name, root / name, ignore=skip)
    for path in [ROOT / "pyproject.toml", *ROOT.glob("requirements*.txt")]:
        shutil.copy(path, root)
    return root


def set_up(scratch: Path, base: str, with_uv: bool) -> float:
    """The first command in a fresh copy: it sets up, and then explains a header."""
    root = copy(scratch / "fresh")
    return timed([base, "-m", "learn", "explain", BASIC], root, **path_of(with_uv))


def path_of(with_uv: bool) -> dict[str, str]:
    """Return a PATH as it is, or without the folders that have uv."""
    paths = os.environ.get("PATH", "").split(os.pathsep)
    own = str(Path(sys.executable).parent)
    keep = [p for p in paths if p != own and (with_uv or not shutil.which("uv", path=p))]
    return {"PATH": os.pathsep.join(keep)}


def uv_alone(scratch: Path, uv: str, base: str) -> float:
    """What the set-up can't do without: an environment, and uv's installation of the lock."""
    venv = scratch / "uv-alone"
    shutil.rmtree(venv, ignore_errors=True)
    python = venv / "bin" / "python"
    install = [uv, "pip", "install", "--python", str(python), "--require-hashes", "-r"]
    return timed([uv, "venv", "--python", base, str(venv)]) + timed([*install, "requirements.txt"])


def pip_alone(scratch: Path, base: str) -> float:
    """The same with pip."""
    venv = scratch / "pip-alone"
    shutil.rmtree(venv, ignore_errors=True)
    install = [str(venv / "bin" / "python"), "-m", "pip", "install", "--require-hashes", "-q", "-r"]
    return timed([base, "-m", "venv", str(venv)]) + timed([*install, "requirements.txt"])
