"""What the tests of running servers share: a clock that can be set."""

import time
from pathlib import Path

import pytest


class Clock:
    """The time that lessons started from now on see, moved by seconds while they run."""

    def __init__(self, path):
        self.path = path
        self.set(0)

    def set(self, seconds):
        """Let the lessons' clock differ from the real one by so many seconds."""
        draft = self.path.with_suffix(".new")
        draft.write_text(f"{seconds:+}\n")
        draft.replace(self.path)

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
