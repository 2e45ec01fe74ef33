"""Start a lesson, and always end it.

A lesson runs as a process of its own (process.py); in a web page, where there are no processes, it
is loaded into this one (inside.py), and whoever asks it can't tell. A scratch folder holds its
database; the end of what it prints is kept in memory. A file that lies elsewhere may import what
the lesson gives, of which a copy is on its path, and finds the lesson's templates; nothing else of
the lesson is there. Within `Lesson.within(box)`, all of that runs in a box (box.py).
"""

from __future__ import annotations

import contextlib
import os
import random
import re
import secrets
import shutil
import sqlite3
import sys
import tempfile
import time
import weakref
from dataclasses import replace
from pathlib import Path

from ..layout import INSIDE, LessonError, find_file, find_folder
from .client import AGENTS, TIMEOUT, Client
from .ending import end, is_plain_file
from .log import Log, own_lines

if INSIDE:
    from .inside import Inside as Place
    from .inside import begin

    begin()
else:
    from .process import OnProcess as Place

# What an exercise may import of its lesson, and what it may show or render.
TEMPLATES = "templates"
GIVEN = ("store.py", "groundwork.py", "sessions.py", "client.py", "bounded.py", "static", TEMPLATES)
PROVIDER = "provider.py"  # of a lesson that has somebody else check the password
PASSWORDS = {"user1": "pass1", "user2": "pass2"}


class Lesson(Place, Client):
    """A running lesson, to which requests are sent with `get` and `post`.

    name: number or folder of the lesson; file: "app", "naive", "exercise" or a path; port: 0 for
    any free one; workers: 0 for Flask's own server, else that many gunicorn workers; python: the
    interpreter that runs it, this one if not given; wait: False to go on while it starts, and call
    `wait` before the first request; script: True to run it as `python app.py` does (`would_serve`);
    clock: True for a clock that `set_clock` moves, not with workers; settings: what the lesson
    reads as FLASK_<NAME>, for example TOKEN_LIFETIME=1. A lesson that has a provider is started
    together with it, which is then its `provider`, a Lesson as well, unless a setting ISSUER names
    another one.
    Raises LessonError when it doesn't start, with what it printed.
    """

    box = None  # in which lessons run, if any

    def __init__(
        self,
        name,
        file="app",
        *,
        port=0,
        workers=0,
        python=sys.executable,
        wait=True,
        script=False,
        clock=False,
        **settings,
    ):
        self.box = type(self).box  # in which it stays
        self.folder = find_folder(name)
        self.path = find_file(name, file)
        self.workers = workers
        self.python = str(python)
        self.port = port
        self.scratch = self._make_scratch()
        self.given = self._give()
        self.modes = [name for name, on in {"script": script, "clock": clock}.items() if on]
        self.set_clock(0)
        if self.box:
            self.box.hand_over(self.scratch)
        self.key = secrets.token_hex(32)
        self.settings = {
            "SECRET_KEY": self.key,
            "DATABASE": str(self.scratch / "lesson.db"),
            **{name: str(value) for name, value in settings.items() if value is not None},
        }
        self.provider = None
        self._log = Log()
        self._running = {"process": None}
        self._end = weakref.finalize(self, end, self._running, self.scratch)
        try:
            if "ISSUER" not in settings and self.path != self.folder / PROVIDER:
                self._start_provider()
            self._start()
            agent = random.choice(AGENTS) if self.box else "learn"
            super().__init__(self.port, PASSWORDS, [self.settings["SECRET_KEY"]], agent)
            if wait:
                self._wait()
        except BaseException:
            self.stop()
            raise

    @classmethod
    @contextlib.contextmanager
    def within(cls, box):
        """Let every lesson that is started meanwhile run in this box; with None, in none."""
        before, cls.box = cls.box, box
        try:
            yield
        finally:
            cls.box = before

    @property
    def origin(self) -> str:
        """Where a browser visits it: by name, since a passkey belongs to a domain."""
        return f"http://localhost:{self.port}"

    @property
    def log(self) -> str:
        """The end of what the server printed so far."""
        return self._log.text

    def printed(self, pattern: str, least: int = 1, seconds: float = TIMEOUT) -> list[str]:
        """Return what `re.findall` finds of a pattern in the log, as soon as there are `least`.

        The log comes through another channel than the answers, so it may come after them. When
        the seconds are over, whatever was found is returned.
        """
        end = time.monotonic() + seconds
        while True:
            found = re.findall(pattern, self.log)
            if len(found) >= least or time.monotonic() > end:
                return found
            time.sleep(0.01)

    def echo(self, write):
        """Hand what the server printed, and from now on prints, to `write`, a function of a str."""
        self._log.echo(write)

    def rows(self, query: str) -> list[dict]:
        """Return what an SQL query finds in the lesson's database, as a thief with a copy would.

        Each row is a dictionary of its columns. Raises sqlite3.Error when the query is wrong, and
        LessonError when the database is no file of its own.
        """
        if self.box and not is_plain_file(self.settings["DATABASE"]):
            raise LessonError("FLASK_DATABASE is no file.")
        with contextlib.closing(sqlite3.connect(self.settings["DATABASE"])) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(query)]

    def own_lines(self) -> str:
        """Return the last traceback in the log, cut down to the lesson's own lines."""
        return own_lines(self.log, self.path)

    def send(self, method, target="/", **how):
        """Send one request; see Client.send. A status 500 keeps what the server said about it."""
        answer = super().send(method, target, **how)
        if answer.status == 500:
            for _ in range(20):  # the log comes through another channel than the answer
                said = self.own_lines()
                if said:
                    return replace(answer, said=said)
                time.sleep(0.01)
        return answer

    @property
    def environment(self) -> dict[str, str]:
        """The environment of the lesson's process."""
        whole = self.box.environment if self.box else os.environ
        kept = {k: v for k, v in whole.items() if not k.startswith(("FLASK_", "WERKZEUG_"))}
        ours = {f"FLASK_{name}": value for name, value in self.settings.items()}
        ours.setdefault("FLASK_ORIGIN", self.origin)
        if self.given:
            paths = [kept.get("PYTHONPATH", ""), str(self.given)]
            ours["PYTHONPATH"] = os.pathsep.join(path for path in paths if path)
            ours["LEARN_TEMPLATES"] = str(self.given / TEMPLATES)  # see give_templates in child.py
        return {**kept, **ours, "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8"}

    def wait(self):
        """Wait until it answers; return it. Raises LessonError, after its end, if it doesn't."""
        try:
            self._wait()
        except BaseException:
            self.stop()
            raise
        return self

    def _make_scratch(self) -> Path:
        """Make a folder for this run alone, which the lesson's user may write."""
        parent = self.box.work / "scratch" if self.box else None
        return Path(tempfile.mkdtemp(prefix=f"{self.folder.name}-", dir=parent))

    def _give(self) -> Path | None:
        """Return a folder with what a file that lies elsewhere may import of the lesson."""
        files = [self.folder / name for name in GIVEN if (self.folder / name).exists()]
        if self.path.parent == self.folder or not files:
            return None
        given = self.scratch / "given"
        given.mkdir()
        for file in files:
            if file.is_dir():
                shutil.copytree(file, given / file.name)
            else:
                shutil.copy(file, given)
        return given

    def _start_provider(self):
        """Start the lesson's provider, if it has one, and tell each where the other is."""
        if not (self.folder / PROVIDER).is_file():
            return
        self.port, port = self._place()
        self.settings["ISSUER"] = f"http://localhost:{port}"
        both = f"http://localhost:{self.port} http://127.0.0.1:{self.port}"
        told = {"ISSUER": self.settings["ISSUER"], "CLIENT": both}
        where = {"port": port, "python": self.python, "wait": False}
        with Lesson.within(None):
            self.provider = Lesson(self.folder.name, "provider", **where, **told)

    def stop(self):
        """End the process and forget its database. A second call does nothing."""
        self._halt()
        self._end()
        if self.provider:
            self.provider.stop()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.stop()


def lesson(name, *files, **settings) -> Lesson | list[Lesson]:
    """Start a lesson's app.py, or the files named, and return it or them; see Lesson.

    Several are started at the same time. In a notebook they end with the kernel.
    """
    if len(files) < 2:
        return Lesson(name, *files, **settings)
    begun = [Lesson(name, file, wait=False, **settings) for file in files]
    return [one.wait() for one in begun]
