"""Start a lesson, and always end it.

A lesson runs as a process of its own on a free port of 127.0.0.1, in a scratch folder that holds
its database, its log and the file with its port. Settings are handed over as FLASK_… variables
and nothing else of the caller's FLASK_ environment gets through, so runs can't touch each other.
The child ends when its standard input closes: even a killed workbench leaves nothing behind.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import weakref
from pathlib import Path

from .client import Client
from .places import LessonError, find_file, find_folder

START_SECONDS = 20
PASSWORDS = {"user1": "pass1", "user2": "pass2"}


class Lesson(Client):
    """A running lesson, to which requests are sent with `get` and `post`.

    name: number or folder of the lesson; file: "app", "naive", "exercise" or a path; port: 0 for
    any free one; workers: 0 for Flask's own server, else that many gunicorn workers; settings:
    what the lesson reads as FLASK_<NAME>, for example TOKEN_LIFETIME=1.
    Raises LessonError when it doesn't start, with what it printed.
    """

    def __init__(self, name, file="app", *, port=0, workers=0, **settings):
        self.folder = find_folder(name)
        self.path = find_file(name, file)
        self.workers = workers
        self.port = port
        self.scratch = Path(tempfile.mkdtemp(prefix=f"{self.folder.name}-"))
        self.key = secrets.token_hex(32)
        self.settings = {
            "SECRET_KEY": self.key,
            "DATABASE": str(self.scratch / "lesson.db"),
            **{name: str(value) for name, value in settings.items() if value is not None},
        }
        self._log = self.scratch / "log.txt"
        self._box = {"process": None}
        self._end = weakref.finalize(self, _end, self._box, self.scratch)
        try:
            self._start()
        except BaseException:
            self._end()
            raise
        super().__init__(self.port, PASSWORDS, [self.settings["SECRET_KEY"]])

    @property
    def log(self) -> str:
        """What the server printed so far."""
        return self._log.read_text("utf-8", "replace") if self._log.exists() else ""

    @property
    def environment(self) -> dict[str, str]:
        """The environment of the lesson's process."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("FLASK_", "WERKZEUG_"))}
        ours = {f"FLASK_{name}": value for name, value in self.settings.items()}
        return {**kept, **ours, "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8"}

    def _start(self):
        port_file = self.scratch / "port.txt"
        port_file.unlink(missing_ok=True)
        more = {}
        if self.workers:
            listener = socket.create_server(("127.0.0.1", self.port), backlog=128)
            self.port = listener.getsockname()[1]
            more["pass_fds"] = [listener.fileno()]
            command = [sys.executable, "-m", "gunicorn", "--workers", str(self.workers)]
            command += ["--bind", f"fd://{listener.fileno()}", "--chdir", str(self.path.parent)]
            command += ["--no-control-socket", f"{self.path.stem}:app"]
        else:
            script = Path(__file__).with_name("serve.py")
            command = [sys.executable, str(script), str(self.path), str(port_file), str(self.port)]
        with open(self._log, "ab") as log:
            process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                cwd=self.path.parent,
                env=self.environment,
                **more,
            )
        self._box["process"] = process
        if self.workers:
            listener.close()
        deadline = time.monotonic() + START_SECONDS
        while not self._answers(port_file):
            if process.poll() is not None:
                said = self.log.strip() or "(it printed nothing)"
                raise LessonError(
                    f"{self.path.name} stopped before it answered. It said:\n\n{said}"
                )
            if time.monotonic() > deadline:
                raise LessonError(
                    f"{self.path.name} did not answer within {START_SECONDS} seconds."
                    " Does it loop or wait for something when it is imported?"
                )
            time.sleep(0.01)

    def _answers(self, port_file):
        if self.workers:  # the socket listens from the start: ask for an answer
            import httpx2

            try:
                httpx2.get(f"http://127.0.0.1:{self.port}/", timeout=1)
            except httpx2.HTTPError:
                return False
            return True
        if port_file.exists():
            self.port = int(port_file.read_text())
            return True
        return False

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        process = self._box.get("process")
        return process is not None and process.poll() is None

    def restart(self):
        """End the process and start it again, on the same port with the same database."""
        _stop(self._box.pop("process", None))
        self._start()

    def stop(self):
        """End the process and forget its database. A second call does nothing."""
        self._end()

    def command(self, *arguments: str) -> str:
        """Run one of the app's own Flask commands on its database and return what it prints."""
        done = subprocess.run(
            [sys.executable, "-m", "flask", "--app", str(self.path), *arguments],
            env=self.environment,
            cwd=self.path.parent,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=START_SECONDS,
            stdin=subprocess.DEVNULL,
        )
        if done.returncode:
            raise LessonError(f"flask {' '.join(arguments)} failed:\n\n{done.stderr.strip()}")
        return done.stdout

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.stop()


def lesson(name, file="app", **settings) -> Lesson:
    """Start a lesson and return it; see Lesson. In a notebook it ends with the kernel."""
    return Lesson(name, file, **settings)


def port_is_free(port: int) -> bool:
    """Tell whether nobody listens on this port of 127.0.0.1."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def _stop(process):
    if process is None:
        return
    if process.poll() is None:
        if os.name == "posix":
            process.send_signal(signal.SIGTERM)
        process.stdin.close()  # serve.py takes this as its end
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    if process.stdin and not process.stdin.closed:
        process.stdin.close()


def _end(box, scratch):
    _stop(box.pop("process", None))
    shutil.rmtree(scratch, ignore_errors=True)
