"""A copy of the tutorial that hostile submissions may spoil, and a way to grade in it."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import psutil

from learn.layout import LESSONS, ROOT

SECRET = "SECRET_OF_THE_MARKS"


class Classroom:
    """A copy of the tutorial with a folder of submissions for lesson 02."""

    def __init__(self, place: Path, walls: bool):
        self.root, self.walls, self.place = place / "tutorial", walls, place
        self.submissions = place / "submissions"
        self.submissions.mkdir(parents=True)
        # What is compiled of learn comes along, or each command would compile it anew; files that
        # another process just writes there don't.
        leave = {
            "learn": ["*.pyc.*"],
            "lessons": ["exercise*.py", "instance", "__pycache__"],
            "tests": ["project", "__pycache__"],
        }
        for name, patterns in leave.items():
            skip = shutil.ignore_patterns(*patterns)
            shutil.copytree(ROOT / name, self.root / name, ignore=skip)
        for name in ("pyproject.toml", "requirements.txt"):
            shutil.copy(ROOT / name, self.root / name)

    def hand_in(self, name, text):
        """Put a submission into the folder."""
        path = self.submissions / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    @property
    def environment(self):
        env = {**os.environ, "PYTHONPATH": str(self.root), "LEARN_PATIENCE": "5"}
        env |= {"GITHUB_TOKEN": SECRET, "PYTHONIOENCODING": "utf-8", "TMPDIR": str(self.tmp)}
        if not self.walls:
            env["PATH"] = str(self.place / "nothing")  # no bwrap is found there
        return env

    @property
    def tmp(self):
        place = self.place / "tmp"
        place.mkdir(exist_ok=True)
        place.chmod(0o711)
        return place

    def grade(self, *arguments, timeout=900):
        """Run `learn grade 02`; return what became of it.

        Its `rows` are those of the JSON, by name; `memory` and `processes` the most it has had.
        """
        report = self.place / "report.json"
        report.unlink(missing_ok=True)
        command = [sys.executable, "-m", "learn", "grade", "02", str(self.submissions)]
        running = subprocess.Popen(
            [*command, "--json", str(report), *arguments],
            cwd=self.root,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        done, peak = SimpleNamespace(memory=0, processes=0), threading.Event()
        watch = threading.Thread(target=_watch, args=(running.pid, done, peak), daemon=True)
        watch.start()
        try:
            done.stdout, done.stderr = running.communicate(timeout=timeout)
        finally:
            running.kill()
            peak.set()
        done.returncode = running.returncode
        rows = json.loads(report.read_text("utf-8")) if report.exists() else []
        done.rows = {row["name"]: row for row in rows}
        return done


def _watch(pid, done, over):
    """Note the most memory and processes that a process and its descendants have."""
    while not over.wait(0.2):
        memory = count = 0
        with contextlib.suppress(psutil.Error):
            for one in psutil.Process(pid).children(recursive=True):
                count += 1
                with contextlib.suppress(psutil.Error):
                    memory += one.memory_info().rss
        done.memory, done.processes = max(done.memory, memory), max(done.processes, count)


def lesson_file(name):
    """Return the text of one of lesson 02's files."""
    return (LESSONS / "02_basic" / name).read_text("utf-8")
