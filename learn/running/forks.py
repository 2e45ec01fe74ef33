"""Start processes as forks of one that has imported what they need: a fifth of the time of a start.

That one is porter.py, which runs in a process of its own and is told by a socket what to start.
A box (box.py) has one inside its walls. Where there is no box, each lesson has one of its own,
which is started with the first server of that lesson and ends with the workbench. It is used on
Linux only: on macOS, a fork that goes on without exec can be ended by the system's own libraries.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

from ..layout import LessonError
from .client import TIMEOUT

HERE = Path(__file__).parent
PATIENCE = max(TIMEOUT, 60)  # seconds: before the first start come the imports, on a busy machine


class Forks:
    """A porter, and what it has started.

    command: the command that runs porter.py, without the number of the socket; first: the first
    line that it gets; more: for subprocess.Popen, such as `env` and `cwd`; ended: the sentence that
    says that it is no longer there. Raises OSError when it can't be started.
    """

    def __init__(self, command: list[str], first: dict, more: dict, ended: str):
        self._gone = ended
        self._lock = threading.Condition()
        self._ended: dict[int, int] | None = {}
        self._started: list[int] = []
        self._socket, theirs = socket.socketpair()
        with theirs:
            quiet = dict.fromkeys(["stdin", "stdout", "stderr"], subprocess.DEVNULL)
            number = theirs.fileno()
            command = [*command, str(number)]
            self._porter = subprocess.Popen(command, pass_fds=[number], **quiet, **more)
        self._send(first, [])
        threading.Thread(target=self._listen, daemon=True).start()

    @property
    def alive(self) -> bool:
        """Whether it can start anything."""
        return self._ended is not None and self._porter.poll() is None

    def start(self, command, env: dict, cwd: Path, more=(), errors=subprocess.STDOUT) -> Fork:
        """Start a command and return it as something like subprocess.Popen.

        command: a list, or what porter.py serves; more: files that it gets as numbers 3 and so on;
        errors: as Popen's `stderr`. Raises LessonError when the porter has ended.
        """
        (theirs, in_), (out, into), (err, wrong) = os.pipe(), os.pipe(), os.pipe()
        if errors == subprocess.STDOUT:
            os.dup2(into, wrong)
        files = [theirs, into, wrong, *more]
        request = {"start": command, "env": env, "cwd": str(cwd), "files": len(files)}
        try:
            with self._lock:
                self._started.clear()
                self._send(request, files)
                self._lock.wait_for(lambda: self._started or self._ended is None, PATIENCE)
                if not self._started:
                    raise LessonError(self._gone)
                pid = self._started.pop()
        except BaseException:
            for file in (in_, out, err):
                os.close(file)
            raise
        finally:
            for file in (theirs, into, wrong):
                os.close(file)
        return Fork(self, pid, in_, out, err)

    def close(self, seconds: float):
        """End the porter, and with it whatever it has started, within so many seconds."""
        with contextlib.suppress(OSError):  # closing alone would wait for who reads from it
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        try:
            self._porter.wait(seconds)
        except subprocess.TimeoutExpired:
            self._porter.kill()
            self._porter.wait()

    def _send(self, what, files):
        line = json.dumps(what).encode() + b"\n"
        try:
            sent = socket.send_fds(self._socket, [line], files)
            self._socket.sendall(line[sent:])
        except OSError:
            raise LessonError(self._gone) from None

    def _listen(self):
        """Note what the porter says."""
        with self._socket.makefile("rb") as lines:
            for line in iter(lambda: lines.readline(1000), b""):
                try:
                    said = json.loads(line)
                except ValueError:
                    break
                with self._lock:
                    if "started" in said:
                        self._started.append(said["started"])
                    elif "ended" in said:
                        self._ended[said["ended"]] = said["status"]
                    self._lock.notify_all()
        with self._lock:
            self._ended = None  # and all that it started has
            self._lock.notify_all()


class Fork:
    """A process that a porter started, with as much of subprocess.Popen as a lesson needs."""

    def __init__(self, forks, pid, in_, out, err):
        self.forks, self.pid = forks, pid  # in a box, a number that counts there only
        self.stdin, self.stdout, self.stderr = (
            os.fdopen(in_, "wb", 0),
            os.fdopen(out, "rb"),
            os.fdopen(err, "rb"),
        )

    def poll(self):
        ended = self.forks._ended
        return -signal.SIGKILL if ended is None else ended.get(self.pid)

    def wait(self, timeout=None):
        with self.forks._lock:
            if not self.forks._lock.wait_for(lambda: self.poll() is not None, timeout):
                raise subprocess.TimeoutExpired("what was started", timeout)
        return self.poll()

    def send_signal(self, number):
        if self.poll() is None:
            self.forks._send({"end": self.pid, "signal": int(number)}, [])

    def kill(self):
        self.send_signal(signal.SIGKILL)


_of_folder: dict[tuple[int, Path], Forks] = {}
_making = threading.Lock()


def forks_of(folder: Path) -> Forks | None:
    """Return what starts a lesson's servers outside of any box; None where nothing does."""
    if sys.platform != "linux":
        return None
    with _making:
        key = os.getpid(), folder  # a fork of ours makes its own
        forks = _of_folder.get(key)
        if forks is None or not forks.alive:
            command = [sys.executable, "-u", str(HERE / "porter.py")]
            first = {"limits": {}, "user": None, "imports": imports_of(folder)}
            env = {k: v for k, v in os.environ.items() if not k.startswith(("FLASK_", "WERKZEUG_"))}
            more = {"env": {**env, "PYTHONIOENCODING": "utf-8"}, "start_new_session": True}
            forks = _of_folder[key] = Forks(command, first, more, "The server was ended.")
        return forks


@functools.cache
def imports_of(folder: Path) -> list[str]:
    """Return the modules that a lesson's files import, which any file of it will likely want."""
    names = {"werkzeug.serving", "flask.json.provider", "encodings.idna", "wsgiref.util"}
    for path in folder.glob("*.py"):
        if path.stem in ("app", "store", "groundwork", "sessions", "client", "bounded"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                    names.add(node.module)
                elif isinstance(node, ast.Import):
                    names |= {alias.name for alias in node.names}
    if "passlib.hash" in names:  # what it brings when it is asked for
        names |= {"passlib.handlers.argon2", "argon2"}
    own = {path.stem for path in folder.glob("*.py")}
    return sorted(name for name in names if name not in own)
