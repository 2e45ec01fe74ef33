"""Start a lesson, and always end it.

A lesson runs as a process of its own on a free port of 127.0.0.1, whose socket is made here and
handed over. A scratch folder holds its database; the end of what it prints is kept in memory.
Settings are handed over as FLASK_… variables and nothing else of the caller's FLASK_ environment
gets through, so runs can't touch each other. The child ends when its standard input closes: even a
killed workbench leaves nothing behind. A file that lies elsewhere may import what the lesson gives,
of which a copy is on its path, and finds the lesson's templates; nothing else of the lesson is
there. Within `Lesson.within(box)`, all of that runs in a box (box.py).
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import re
import secrets
import select
import shutil
import socket
import sqlite3
import struct
import subprocess
import sys
import tempfile
import time
import weakref
from dataclasses import replace
from pathlib import Path

from ..layout import LessonError, find_file, find_folder
from ..showing.console import printable
from .bounded import BoundedTransport
from .client import AGENTS, TIMEOUT, Client
from .ending import end, free_port, is_plain_file, port_is_free, stop
from .log import Log, own_lines

# What an exercise may import of its lesson, and what it may show or render.
TEMPLATES = "templates"
GIVEN = ("store.py", "groundwork.py", "sessions.py", "static", TEMPLATES)
PROVIDER = "provider.py"  # of a lesson that has somebody else check the password
PASSWORDS = {"user1": "pass1", "user2": "pass2"}


class Lesson(Client):
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

    def set_clock(self, seconds: float):
        """Let the lesson's time be so many seconds ahead of ours, if it was started with a clock.

        It moves what Python's time and datetime tell; a database's own clock stays as it is.
        """
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
        with os.fdopen(os.open(self.scratch / "clock", flags, 0o600), "r+b") as opened:
            opened.write(struct.pack("d", seconds))

    @property
    def would_serve(self) -> dict | None:
        """Where a file that was started as a script would serve: host, port, debug; else None."""
        file = self.scratch / "script.json"
        if not is_plain_file(file):
            raise LessonError("It is not known where it would serve.")
        return json.loads(file.read_text())

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
        usual = self.port + 10 if self.port else 0  # 5018 for 5008
        port = usual if 0 < usual < 65536 and port_is_free(usual) else free_port()
        self.port = self.port or free_port()
        self.settings["ISSUER"] = f"http://localhost:{port}"
        both = f"http://localhost:{self.port} http://127.0.0.1:{self.port}"
        told = {"ISSUER": self.settings["ISSUER"], "CLIENT": both}
        where = {"port": port, "python": self.python, "wait": False}
        with Lesson.within(None):
            self.provider = Lesson(self.folder.name, "provider", **where, **told)

    def _start(self):
        """Start the process on a socket that listens already, and a pipe by which it says so."""
        if os.name == "nt":  # sockets can't be handed over there: it makes its own
            self.port = self.port or free_port()
            self._follow(self._spawn(self._command("-", "-")))
            return
        listener = socket.create_server(("127.0.0.1", self.port), backlog=128)
        self.port = listener.getsockname()[1]
        said, ready = os.pipe()
        self._running["ready"] = os.fdopen(said, "rb", 0)
        numbers = [3, 4] if self.box else [listener.fileno(), ready]
        try:
            self._follow(self._spawn(self._command(*numbers), [listener.fileno(), ready]))
        finally:
            listener.close()
            os.close(ready)

    def _command(self, listener, ready):
        """Return the command that serves the lesson on the socket of this number."""
        door = self.box.work / "door" if self.box else Path(__file__).parent
        if self.workers:
            command = [self.python, "-m", "gunicorn", "--workers", str(self.workers)]
            command += ["--bind", f"fd://{listener}", "--chdir", str(self.path.parent)]
            command += ["--config", str(door / "gunicorn_config.py")]
            return [*command, "--no-control-socket", f"{self.path.stem}:app"]
        if self.box and self.python == sys.executable and not self.modes:
            return {"serve": str(self.path), "port": self.port}
        how = map(str, (self.path, self.port, listener, ready, self.scratch))
        return [self.python, str(door / "child.py"), *how, *self.modes]

    def _spawn(self, command, more=(), errors=subprocess.STDOUT):
        """Start a command in the lesson's environment, and in its box if it has one."""
        if self.box:
            return self.box.start(command, self.environment, self.path.parent, more, errors)
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            cwd=self.path.parent,
            env=self.environment,
            pass_fds=more,
        )

    def _follow(self, process):
        self._running["process"] = process
        self._log.follow(process.stdout)

    def _wait(self):
        """Wait until the process answers, and learn its port."""
        if self.provider:
            self.provider.wait()
        process = self._running["process"]
        deadline = time.monotonic() + TIMEOUT
        while not self._answers():
            if process.poll() is not None:
                self._log.wait()
                said = printable(self.log.strip()) or "(it printed nothing)"
                raise LessonError(
                    f"{self.path.name} stopped before it answered. It said:\n\n{said}"
                )
            if time.monotonic() > deadline:
                raise LessonError(
                    f"{self.path.name} did not answer within {TIMEOUT:g} seconds."
                    " Does it loop or wait for something when it is imported? Does it call"
                    ' app.run() outside of `if __name__ == "__main__":`?'
                )
            time.sleep(0.01)

    def _answers(self):
        if os.name == "nt":
            return not port_is_free(self.port)
        if self.workers:  # gunicorn says nothing: ask for an answer
            import httpx2

            try:
                with httpx2.Client(transport=BoundedTransport(1), timeout=1) as client:
                    client.get(f"http://127.0.0.1:{self.port}/")
            except httpx2.HTTPError:
                return False
            return True
        ready = self._running["ready"]
        return bool(select.select([ready], [], [], 0)[0]) and ready.read(1) != b""

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        process = self._running.get("process")
        return process is not None and process.poll() is None

    @property
    def pid(self) -> int:
        """The number of the process; with gunicorn that of its master."""
        return self._running["process"].pid

    def restart(self):
        """End the process and start it again, on the same port with the same database."""
        stop(self._running)
        self._start()
        self._wait()

    def stop(self):
        """End the process and forget its database. A second call does nothing."""
        self._end()
        if self.provider:
            self.provider.stop()

    def command(self, *arguments: str) -> str:
        """Run one of the app's own Flask commands on its database and return what it prints.

        Raises LessonError when it fails, and subprocess.TimeoutExpired when it has no end.
        """
        done = self.run("-m", "flask", "--app", str(self.path), *arguments)
        if done.returncode:
            raise LessonError(f"flask {' '.join(arguments)} failed:\n\n{done.stderr.strip()}")
        return done.stdout

    def run(self, *arguments: str) -> subprocess.CompletedProcess:
        """Run Python with these arguments beside the app: in its environment, folder and box.

        Raises subprocess.TimeoutExpired when it has no end.
        """
        process = self._spawn([self.python, *arguments], errors=subprocess.PIPE)
        said, wrong = Log(), Log()
        said.follow(process.stdout)
        wrong.follow(process.stderr)
        try:
            process.stdin.close()
            status = process.wait(TIMEOUT + 20)
        finally:
            process.kill()
        said.wait()
        wrong.wait()
        return subprocess.CompletedProcess(arguments, status, said.text, wrong.text)

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
