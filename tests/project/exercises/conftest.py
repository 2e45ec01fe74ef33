"""A copy of the tutorial in which the tests may start, break and reset exercises."""

import os
import shutil
import subprocess
import sys

import pytest

from learn.layout import ROOT


class Copy:
    """A copy of the tutorial in a folder of its own."""

    def __init__(self, root):
        self.root, self.more = root, {}

    def learn(self, *arguments, timeout=120):
        """Run `python -m learn` in the copy; return what became of it."""
        return subprocess.run(
            self.command(*arguments),
            cwd=self.root,
            env=self.environment,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=timeout,
            stdin=subprocess.DEVNULL,
        )

    def command(self, *arguments):
        return [sys.executable, "-m", "learn", *arguments]

    @property
    def environment(self):
        return {
            **os.environ,
            "PYTHONIOENCODING": "utf-8",
            "PYTHONPATH": str(self.root),
            **self.more,
        }

    def exercise(self, folder, text=None):
        """Return the path of a lesson's exercise; write it first if there is a text."""
        path = self.root / "lessons" / folder / "exercise.py"
        if text is not None:
            path.write_text(text, "utf-8")
        return path

    def file(self, folder, name):
        """Return the text of a lesson's file."""
        return (self.root / "lessons" / folder / name).read_text("utf-8")


@pytest.fixture
def tutorial(tmp_path):
    """A fresh copy of the tutorial, without any exercise."""
    # What is compiled of learn comes along, or each command would compile it anew; files that
    # another process just writes there don't.
    leave = {
        "learn": ["*.pyc.*"],
        "lessons": ["exercise*.py", "instance", "__pycache__"],
        "tests": ["project", "__pycache__"],
    }
    for name, patterns in leave.items():
        skip = shutil.ignore_patterns(*patterns)
        shutil.copytree(ROOT / name, tmp_path / "copy" / name, ignore=skip)
    for name in ("pyproject.toml", "requirements.txt"):
        shutil.copy(ROOT / name, tmp_path / "copy" / name)
    return Copy(tmp_path / "copy")
