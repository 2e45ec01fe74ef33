"""A lesson as a process of its own: how it is started, waited for and ended.

It runs on a free port of 127.0.0.1, whose socket is made here and handed over. Settings are handed
over as FLASK_… variables and nothing else of the caller's FLASK_ environment gets through, so runs
can't touch each other. The child ends when its standard input closes: even a killed workbench
leaves nothing behind. Where there are no processes, inside.py takes this file's place.
"""

from __future__ import annotations

import json
import os
import select
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

from ..layout import LessonError
from ..showing.console import printable
from .bounded import BoundedTransport
from .client import TIMEOUT
from .ending import free_port, is_plain_file, port_is_free, stop
from .forks import forks_of
from .log import Log


class OnProcess:
    """What of a lesson is about its process; the rest is in lesson.py."""

    def _place(self) -> tuple[int, int]:
        """Return a port for the lesson, and one for its provider."""
        usual = self.port + 10 if self.port else 0  # 5018 for 5008
        port = usual if 0 < usual < 65536 and port_is_free(usual) else free_port()
        return self.port or free_port(), port

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
        if self._is_forked():
            how = {"folder": str(self.scratch), "modes": self.modes}
            return {"serve": str(self.path), "port": self.port, **how}
        how = map(str, (self.path, self.port, listener, ready, self.scratch))
        return [self.python, str(door / "child.py"), *how, *self.modes]

    def _is_forked(self):
        """Tell whether the server is a fork of a process that has imported what it needs."""
        if self.python != sys.executable or "LD_PRELOAD" in os.environ:
            return False
        return bool(self.box or forks_of(self.folder))

    def _spawn(self, command, more=(), errors=subprocess.STDOUT):
        """Start a command in the lesson's environment, and in its box if it has one."""
        maker = self.box or (forks_of(self.folder) if isinstance(command, dict) else None)
        if maker:
            return maker.start(command, self.environment, self.path.parent, more, errors)
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
        self._halt()
        self._start()
        self._wait()

    def _halt(self):
        stop(self._running)

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
