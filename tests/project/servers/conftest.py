"""What the tests of running servers share: a clock that can be set."""

import shlex
import sys
import time
from pathlib import Path

import pytest

from learn import Lesson

ONE_BY_ONE = """
import runpy, sys
from werkzeug import serving

threaded = serving.make_server
serving.make_server = lambda *place, **more: threaded(*place, **more | {'threaded': False})
del sys.argv[0]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


class Clock:
    """The time that lessons started from now on see, moved by seconds while they run.

    libfaketime 0.9.10 is wrong at times when two threads of a process ask for the time at once:
    then one of them sees the real clock. So `lesson` starts a server that answers one by one.
    """

    def __init__(self, path):
        self.path = path
        self.set(0)

    def set(self, seconds):
        """Let the lessons' clock differ from the real one by so many seconds."""
        draft = self.path.with_suffix(".new")
        draft.write_text(f"{seconds:+}\n")
        draft.replace(self.path)

    def lesson(self, name, **settings):
        """Start a lesson that sees this clock. Parameters are those of `Lesson`."""
        script, python = self.path.with_name("one_by_one.py"), self.path.with_name("python")
        script.write_text(ONE_BY_ONE)
        python.write_text(f'#!/bin/sh\nexec {shlex.join([sys.executable, str(script)])} "$@"\n')
        python.chmod(0o700)
        return Lesson(name, python=python, **settings)

    def set_to(self, moment):
        """Let the lessons' clock show this POSIX time now."""
        self.set(moment - int(time.time()))


@pytest.fixture
def clock(monkeypatch, tmp_path):
    """A clock that can be set, by libfaketime; without it the test is skipped."""
    library = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)
    if library is None:
        pytest.skip("libfaketime is not installed")
    clock = Clock(tmp_path / "clock")
    for name, value in {
        "LD_PRELOAD": str(library),
        "FAKETIME_TIMESTAMP_FILE": str(clock.path),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }.items():
        monkeypatch.setenv(name, value)
    return clock
