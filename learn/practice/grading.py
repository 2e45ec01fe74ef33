"""Have strangers' files judged: the processes that do it, and what keeps each within bounds.

For each of two at a time (or as many as wanted) there is a worker (judge.py), which runs from a
copy of the checks made before any submission has run. From here its whole tree of processes is
watched: memory, number, files and time. A worker that goes beyond, or is ended by what it judges,
is replaced by a new one, and the verdict is that there is none.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import secrets
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from ..layout import ROOT, LessonError
from ..running import box as boxes
from ..running.forks import imports_of
from . import carried, judge
from .own import end_all, end_tree, hide, tree
from .results import FAILED, Verdict
from .steps import read_steps
from .submissions import copy_in, of_path

PASSED, UNJUDGED = "passed", "not judged"  # beside "failed"
KEPT = ("HOME", "TMPDIR", "TEMP", "TMP", "USERPROFILE", "COMSPEC", "PATHEXT", *boxes.KEPT)
LINE = 4 << 20  # bytes of what a worker says at once


@dataclass(frozen=True)
class Bounds:
    """How much one submission may take, with all of its processes and those that judge it."""

    seconds: float = 300
    memory: int = 2 << 30
    processes: int = 300
    disk: int = 256 << 20
    files: int = 10_000


@dataclass
class Outcome:
    """What came out for a submission: `state` is passed, failed or not judged; `why`, if not so."""

    state: str
    verdict: Verdict
    why: str = ""
    seconds: float = 0.0


class Judges:
    """So many workers for a lesson; used with `with`, and `judge` may be called from threads.

    every: whether to go on after a step that failed; beyond: whether the optional steps count;
    walls: whether to use bubblewrap, which has to be there then. Without it there is one worker: a
    submission could change the checks while those of another are read.
    """

    def __init__(self, folder: Path, jobs=1, *, walls, every=True, beyond=False, bounds=None):
        self.folder, self.walls, self.every, self.beyond = folder, walls, every, beyond
        self.bounds = bounds or Bounds()
        self.imports = imports_of(folder)
        self.steps = read_steps(folder)  # once, as a submission may be able to write there
        if not walls:
            judge.read_all()
        self.place = Path(tempfile.mkdtemp(prefix="learn-judges-"))
        self.place.chmod(0o711)  # who can't list it may pass it
        try:
            self.checks = _copy_of_checks(folder, self.place / "checks")
        except OSError as error:
            shutil.rmtree(self.place, ignore_errors=True)
            raise LessonError(f"The checks can't be copied to {self.place}: {error}") from None
        hide()
        self._others = {child.pid for child in psutil.Process().children()}  # none of ours
        self._free: queue.SimpleQueue = queue.SimpleQueue()
        self._workers: set[_Worker] = set()
        for _ in range(jobs if walls else 1):
            self._free.put(None)

    def judge(self, path: Path, whole: bool = False, on_step=None) -> Outcome:
        """Judge a file; the others in its folder come along if it is a `whole`. Never raises.

        on_step: called with each step's Result.
        """
        begin = time.monotonic()
        worker = self._free.get()
        try:
            worker = worker if worker and worker.alive else self._hire()
            outcome = self._judge(worker, path, whole, on_step)
        except (OSError, LessonError) as error:
            outcome = Outcome(UNJUDGED, self._verdict(path, []), str(error))
        finally:
            self._free.put(worker)
        outcome.seconds = time.monotonic() - begin
        return outcome

    def close(self):
        """End all workers."""
        for worker in list(self._workers):
            worker.end()
        self._end_orphans()
        _remove(self.place)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

    def _hire(self):
        self._workers = {worker for worker in self._workers if worker.alive}
        worker = _Worker(self.place / "checks", self.walls)
        self._workers.add(worker)
        if worker.hear(60) != {"ready": True}:
            worker.end()
            raise LessonError("The process that judges did not start.")
        return worker

    def _judge(self, worker, path, whole, on_step):
        work = Path(tempfile.mkdtemp(prefix="work-", dir=self.place))
        results, said = [], {}
        try:
            file = copy_in(path, work / "submission", whole, self.folder)
            job = {"lesson": self.folder.name, "file": str(file), "work": str(work)}
            job |= {"walls": self.walls, "imports": self.imports}
            _check_checks(self.place / "checks", self.checks)
            worker.tell(**job, every=self.every, beyond=self.beyond)
            watch = _Watch(worker.process.pid, work, self.bounds)
            why = ""
            while "done" not in said:
                heard = worker.hear(0.2)
                if heard is None:
                    why = "What judges it was ended while the file ran."
                elif heard:
                    said |= heard
                    if "step" in heard:
                        results.append(heard["step"])
                        if on_step:
                            on_step(self._verdict(path, results[-1:]).find(results[-1]["step"]))
                why = why or watch.too_much()
                if why:
                    worker.end()
                    self._end_orphans()
                    break
        finally:
            _remove(work)
        why = why or said.get("error", "")
        whole_verdict = "results" in said and not why
        if whole_verdict:
            results = said["results"]
        verdict = self._verdict(path, results, said.get("broken", "") if whole_verdict else "")
        failed = verdict.failed and not verdict.failed.step.beyond
        if whole_verdict:
            return Outcome(PASSED if verdict.passed else FAILED, verdict)
        why = why or "What judges it said nothing."
        return Outcome(FAILED if failed else UNJUDGED, verdict, why)

    def _verdict(self, path, results, broken=""):
        return carried.verdict_from_plain(self.folder, self.steps, path, results, broken)

    def _end_orphans(self):
        """End what a dead worker's submission left to us."""
        alive = {worker.process.pid for worker in self._workers if worker.alive}
        end_all(but=alive | self._others)


def judge_file(folder: Path, place: Path, *, walls, every=True, on_step=None) -> Verdict:
    """Judge one file, or what is in a folder, the optional steps too; return the verdict.

    Raises LessonError when there is nothing to judge there.
    """
    found = of_path(place, folder)
    with Judges(folder, walls=walls, every=every, beyond=True) as judges:
        outcome = judges.judge(found.path, found.whole, on_step)
    if outcome.why and not outcome.verdict.failed:
        outcome.verdict.broken = outcome.why
    return outcome.verdict


class _Worker:
    """A process that judges, and what it says."""

    def __init__(self, checks: Path, walls: bool):
        self.token = secrets.token_hex(16)
        env = {name: os.environ[name] for name in KEPT if name in os.environ}
        env |= {name: value for name, value in os.environ.items() if name.startswith("LEARN_")}
        command = [sys.executable, "-m", "learn.practice.judge"]
        self.process = subprocess.Popen(
            [*boxes.outer(), "--", *command] if walls else command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=checks,
            env={**env, "PYTHONPATH": str(checks), "PYTHONIOENCODING": "utf-8"},
            start_new_session=True,  # Ctrl-C is for us; we end it
        )
        self._heard: queue.SimpleQueue = queue.SimpleQueue()
        threading.Thread(target=self._listen, daemon=True).start()
        self.tell(token=self.token)

    @property
    def alive(self):
        return self.process.poll() is None

    def tell(self, **what):
        with contextlib.suppress(OSError):  # it has ended: `hear` says so
            self.process.stdin.write(json.dumps(what).encode() + b"\n")
            self.process.stdin.flush()

    def hear(self, seconds: float) -> dict | None:
        """Return what it says next, {} if that is nothing for so long, None if it has ended."""
        try:
            return self._heard.get(timeout=seconds)
        except queue.Empty:
            return {}

    def end(self):
        with contextlib.suppress(psutil.Error):
            end_tree(psutil.Process(self.process.pid))
        self.process.kill()
        self.process.wait()

    def _listen(self):
        stream, token = self.process.stdout, f"{self.token} ".encode()
        with contextlib.suppress(OSError, ValueError):
            while (line := stream.readline(LINE)).startswith(token) and line.endswith(b"\n"):
                self._heard.put(json.loads(line[len(token) :]))
        self._heard.put(None)  # its end, or something that others wrote


class _Watch:
    """Tells when a submission takes too much."""

    def __init__(self, pid, work, bounds):
        self.process, self.work, self.bounds = psutil.Process(pid), work, bounds
        self.begin, self.looks = time.monotonic(), 0

    def too_much(self) -> str:
        """Return a sentence about what is too much, "" if nothing is."""
        bounds = self.bounds
        if time.monotonic() - self.begin > bounds.seconds:
            return f"It was not through with the checks after {bounds.seconds:g} seconds."
        processes, memory = tree(self.process), 0
        for one in processes:
            with contextlib.suppress(psutil.Error):
                memory += one.memory_info().rss
        if memory > bounds.memory:
            return f"It took more than {bounds.memory >> 20} MB of memory."
        if len(processes) > bounds.processes:
            return f"It started more than {bounds.processes} processes."
        self.looks += 1
        if self.looks % 5 == 0:
            count, size = _size_of(self.work)
            if count > bounds.files or size > bounds.disk:
                return f"It wrote more than {bounds.files} files, or {bounds.disk >> 20} MB."
        return ""


def _size_of(folder: Path) -> tuple[int, int]:
    """Return how many files are in a folder, and how many bytes they take; stop at many."""
    count = size = 0
    folders = [os.fspath(folder)]
    while folders and count < 50_000:
        with contextlib.suppress(OSError), os.scandir(folders.pop()) as entries:
            for entry in entries:
                count += 1
                with contextlib.suppress(OSError):
                    size += getattr(entry.stat(follow_symlinks=False), "st_blocks", 0) * 512
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
    return count, size


def _remove(folder: Path):
    try:
        shutil.rmtree(folder, ignore_errors=True)
    except RecursionError:  # folders within folders, thousands of them
        if os.name == "posix":
            subprocess.run(["rm", "-rf", "--", folder], check=False)


def _copy_of_checks(folder: Path, place: Path) -> dict[str, bytes]:
    """Copy the workbench, the lesson's checks and what it gives; return what they hold.

    None of its solutions comes along.
    """
    leave = shutil.ignore_patterns("measure", "install")
    shutil.copytree(ROOT / "learn", place / "learn", ignore=leave)
    solutions = ["app.py", "naive.py", "exercise*", "instance", "__pycache__", ".*"]
    solutions += [f"{step.beyond}.py" for step in read_steps(folder) if step.beyond]
    shutil.copytree(
        folder, place / "lessons" / folder.name, ignore=shutil.ignore_patterns(*solutions)
    )
    (place / "tests").mkdir()
    for file in (ROOT / "tests").glob("*.py"):
        shutil.copy2(file, place / "tests")
    for file in ("pyproject.toml",):
        shutil.copy2(ROOT / file, place)
    place.chmod(0o700)
    return {
        str(path.relative_to(place)): path.read_bytes()
        for path in sorted(place.rglob("*"))
        if path.is_file() and path.suffix != ".pyc"
    }


def _check_checks(place: Path, kept: dict[str, bytes]):
    """Put the checks right, should one of them not be what it was at the beginning."""
    for name, content in kept.items():
        path = place / name
        try:
            same = not path.is_symlink() and path.read_bytes() == content
        except OSError:
            same = False
        if not same:
            path.unlink(missing_ok=True)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
