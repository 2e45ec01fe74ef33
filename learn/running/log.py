"""What a process prints: its end is kept, and the lesson's own lines are found in it."""

from __future__ import annotations

import re
import threading
from pathlib import Path

from ..showing.console import printable

LOG_BYTES = 200_000  # of what a lesson prints, the last so many are kept


class Log:
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

    def write(self, text: str) -> int:
        """Keep what is said in this process (inside.py), as if it were a file."""
        self._keep(text.encode("utf-8", "replace"))
        return len(text)

    def flush(self):
        """Nothing is held back."""

    def _read(self, stream):
        with stream:
            while piece := stream.read1(65536):
                self._keep(piece)

    def _keep(self, piece: bytes):
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
