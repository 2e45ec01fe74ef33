"""Judge strangers' files, one after another, in a process that grading.py starts for that.

Usage: python -m learn.practice.judge, from a copy of the workbench that no submission has seen.
The first line on standard input is a JSON object with a `token`; each further line is a job.
Answers are lines too, each with the token before it, which no submission can know: so one that
finds our standard output can say nothing there that counts.

Each job is done by a fork of this process. The checks are read before anything of the submission
runs; what it has left running is ended before the next job.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import sys
import threading
import time
from pathlib import Path

from ..layout import LessonError, find_folder
from ..running.box import Box
from . import carried
from .check import run_checks
from .own import end_all, hide

LATE = ["pytest", "_pytest.python", "httpx2", "rich.console", "werkzeug.datastructures"]
LATE += ["learn.explain", "learn.showing.exchange", "learn.running.mailbox"]
LATE += ["learn.practice.expect", "learn.practice.report", "learn.showing.results"]
LATE += ["rich.table", "rich.progress", "aiosmtpd.smtp", "unittest.mock"]


def main():
    """Take jobs until standard input closes."""
    channel = os.fdopen(os.dup(1), "wb", 0)
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    hide()
    token = json.loads(sys.stdin.buffer.readline())["token"]

    def say(**what):
        channel.write(f"{token} {json.dumps(what)}\n".encode())

    read_all()
    say(ready=True)
    for line in iter(sys.stdin.buffer.readline, b""):
        if not hasattr(os, "fork"):
            _judge(json.loads(line), say)
            say(done=True)
            return  # a new process is started for the next
        pid = os.fork()
        if not pid:
            try:
                threading.Thread(target=_end_with_parent, daemon=True).start()
                _judge(json.loads(line), say)
            finally:
                os._exit(0)
        os.waitpid(pid, 0)
        end_all()
        say(done=True)


def read_all():
    """Import what is otherwise imported when it is needed, while a submission runs."""
    for name in LATE:
        importlib.import_module(name)


def _judge(job, say):
    """Do one job: a lesson, a file, and the folder `work` in which it may write."""
    box = None
    try:
        folder = find_folder(job["lesson"])
        box = Box(Path(job["work"]), job["walls"], job["imports"])
        begin = time.monotonic()
        verdict = run_checks(
            folder,
            job["file"],
            every=job["every"],
            beyond=job["beyond"],
            on_step=lambda result: say(step=carried.result_to_plain(result)),
            box=box,
        )
        results = [carried.result_to_plain(result) for result in verdict.results]
        say(results=results, broken=verdict.broken, seconds=time.monotonic() - begin)
    except LessonError as error:
        say(error=str(error))
    except Exception as error:
        say(error=f"The judge itself failed: {type(error).__name__}: {error}"[:500])
    finally:
        if box:
            with contextlib.suppress(Exception):
                box.close()


def _end_with_parent():
    while os.read(0, 1024):
        pass
    os._exit(1)


if __name__ == "__main__":
    main()
