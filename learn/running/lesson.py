"""Start a lesson, and always end it.

A lesson runs as a process of its own on a free port of 127.0.0.1. A scratch folder holds its
database and the file with its port; the end of what it prints is kept in memory. Settings are
handed over as FLASK_… variables and nothing else of the caller's FLASK_ environment gets through,
so runs can't touch each other. The child ends when its standard input closes: even a killed
workbench leaves nothing behind. A file that lies elsewhere may import what the lesson gives, of
which a copy is on its path, and finds the lesson's templates; nothing else of the lesson is there.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import shutil
import signal
import socket
import sqlite3
import struct
import subprocess
import sys
import tempfile
import threading
import time
import weakref
from dataclasses import replace
from pathlib import Path

from ..layout import LessonError, find_file, find_folder
from ..showing.console import printable
from .client import TIMEOUT, Client

# What an exercise may import of its lesson, and what it may show or render.
TEMPLATES = "templates"
GIVEN = ("store.py", "groundwork.py", "sessions.py", "static", TEMPLATES)
PROVIDER = "provider.py"  # of a lesson that has somebody else check the password
LOG_BYTES = 200_000  # of what a lesson prints, the last so many are kept
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
        self.folder = find_folder(name)
        self.path = find_file(name, file)
        self.workers = workers
        self.python = str(python)
        self.port = port
        self.scratch = Path(tempfile.mkdtemp(prefix=f"{self.folder.name}-"))
        self.given = self._give()
        self.modes = [name for name, on in {"script": script, "clock": clock}.items() if on]
        self.set_clock(0)
        self.key = secrets.token_hex(32)
        self.settings = {
            "SECRET_KEY": self.key,
            "DATABASE": str(self.scratch / "lesson.db"),
            **{name: str(value) for name, value in settings.items() if value is not None},
        }
        self.provider = None
        self._log = _Log()
        self._box = {"process": None}
        self._end = weakref.finalize(self, _end, self._box, self.scratch)
        try:
            if "ISSUER" not in settings and self.path != self.folder / PROVIDER:
                self._start_provider()
            self._start()
            super().__init__(self.port, PASSWORDS, [self.settings["SECRET_KEY"]])
            if wait:
                self._wait()
        except BaseException:
            self.stop()
            raise

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

        Each row is a dictionary of its columns. Raises sqlite3.Error when the query is wrong.
        """
        with contextlib.closing(sqlite3.connect(self.settings["DATABASE"])) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(query)]

    def set_clock(self, seconds: float):
        """Let the lesson's time be so many seconds ahead of ours, if it was started with a clock.

        It moves what Python's time and datetime tell; a database's own clock stays as it is.
        """
        file = self.scratch / "clock"
        with open(file, "r+b" if file.exists() else "w+b") as opened:
            opened.write(struct.pack("d", seconds))

    @property
    def would_serve(self) -> dict | None:
        """Where a file that was started as a script would serve: host, port, debug; else None."""
        return json.loads((self.scratch / "script.json").read_text())

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
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("FLASK_", "WERKZEUG_"))}
        ours = {f"FLASK_{name}": value for name, value in self.settings.items()}
        if self.port:  # else child.py finds one, and says so
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
        port = usual if 0 < usual < 65536 and port_is_free(usual) else _free_port()
        self.port = self.port or _free_port()
        self.settings["ISSUER"] = f"http://localhost:{port}"
        both = f"http://localhost:{self.port} http://127.0.0.1:{self.port}"
        told = {"ISSUER": self.settings["ISSUER"], "CLIENT": both}
        where = {"port": port, "python": self.python, "wait": False}
        self.provider = Lesson(self.folder.name, "provider", **where, **told)

    def _start(self):
        """Start the process."""
        port_file = self._port_file
        port_file.unlink(missing_ok=True)
        more = {}
        if self.workers:
            listener = socket.create_server(("127.0.0.1", self.port), backlog=128)
            self.port = listener.getsockname()[1]
            more["pass_fds"] = [listener.fileno()]
            command = [self.python, "-m", "gunicorn", "--workers", str(self.workers)]
            command += ["--bind", f"fd://{listener.fileno()}", "--chdir", str(self.path.parent)]
            command += ["--config", str(Path(__file__).with_name("gunicorn_config.py"))]
            command += ["--no-control-socket", f"{self.path.stem}:app"]
        else:
            script = Path(__file__).with_name("child.py")
            command = [self.python, str(script), str(self.path), str(port_file), str(self.port)]
            command += self.modes
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=self.path.parent,
            env=self.environment,
            **more,
        )
        self._box["process"] = process
        self._log.follow(process.stdout)
        if self.workers:
            listener.close()

    def _wait(self):
        """Wait until the process answers, and learn its port."""
        if self.provider:
            self.provider.wait()
        process = self._box["process"]
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

    @property
    def _port_file(self) -> Path:
        return self.scratch / "port.txt"

    def _answers(self):
        if self.workers:  # the socket listens from the start: ask for an answer
            import httpx2

            try:
                httpx2.get(f"http://127.0.0.1:{self.port}/", timeout=1, trust_env=False)
            except httpx2.HTTPError:
                return False
            return True
        if self._port_file.exists():
            self.port = int(self._port_file.read_text())
            return True
        return False

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        process = self._box.get("process")
        return process is not None and process.poll() is None

    @property
    def pid(self) -> int:
        """The number of the process; with gunicorn that of its master."""
        return self._box["process"].pid

    def restart(self):
        """End the process and start it again, on the same port with the same database."""
        _stop(self._box.pop("process", None))
        self._start()
        self._wait()

    def stop(self):
        """End the process and forget its database. A second call does nothing."""
        self._end()
        if self.provider:
            self.provider.stop()

    def command(self, *arguments: str) -> str:
        """Run one of the app's own Flask commands on its database and return what it prints."""
        done = subprocess.run(
            [self.python, "-m", "flask", "--app", str(self.path), *arguments],
            env=self.environment,
            cwd=self.path.parent,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=TIMEOUT + 20,
            stdin=subprocess.DEVNULL,
        )
        if done.returncode:
            raise LessonError(f"flask {' '.join(arguments)} failed:\n\n{done.stderr.strip()}")
        return done.stdout

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


def port_is_free(port: int) -> bool:
    """Tell whether nobody listens on this port of 127.0.0.1."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _stop(process):
    if process is None:
        return
    if process.poll() is None:
        if os.name == "posix":
            process.send_signal(signal.SIGTERM)
        process.stdin.close()  # child.py takes this as its end
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    if process.stdin and not process.stdin.closed:
        process.stdin.close()


class _Log:
    """The end of what a process prints. It is read all the time, so a flood of it stops nothing."""

    def __init__(self):
        self._kept = bytearray()
        self._write = None
        self._lock = threading.Lock()
        self._thread = None

    @property
    def text(self) -> str:
        with self._lock:
            return self._kept.decode("utf-8", "replace").replace("\r\n", "\n")

    def follow(self, stream):
        self._thread = threading.Thread(target=self._read, args=(stream,), daemon=True)
        self._thread.start()

    def wait(self):
        self._thread.join(1)

    def echo(self, write):
        with self._lock:
            write(self._kept.decode("utf-8", "replace"))
            self._write = write

    def _read(self, stream):
        with stream:
            while piece := stream.read1(65536):
                with self._lock:
                    self._kept += piece
                    del self._kept[:-LOG_BYTES]
                    if self._write:
                        self._write(piece.decode("utf-8", "replace"))


def own_lines(log: str, path: Path) -> str:
    """Return the last traceback in a log, without the lines of anybody else's code; "" for none."""
    _, found, last = log.rpartition("Traceback (most recent call last):\n")
    if not found:
        return ""
    frames = re.findall(r'^  File "(.*?)", line (\d+), in (.*)\n(    .*)?', last, re.M)
    own = [f for f in frames if Path(f[0]).parent == path.parent]
    lines = [f"{Path(f).name}, line {n}, in {where}\n{code}" for f, n, where, code in own]
    error = next((line for line in last.split("\n") if line and not line.startswith(" ")), "")
    return printable("\n".join([*(line.rstrip() for line in lines), error[:300]]))


def _end(box, scratch):
    _stop(box.pop("process", None))
    shutil.rmtree(scratch, ignore_errors=True)
