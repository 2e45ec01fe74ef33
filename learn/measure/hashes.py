"""What one password hash costs: its time, and the memory that it holds meanwhile.

Each is measured in a Python of its own, beside one that does the same without the hash, because the
most memory that a process ever held is all that a system tells about it.
"""

from __future__ import annotations

import functools
import json
import subprocess
import sys
from dataclasses import dataclass

from ..layout import LessonError

# Takes a hash's name in passlib and its parameters; prints its time, the median of some, and the
# most memory that the process held. A first hash, at the least parameters, loads what is loaded
# at the first use only.
MEASURE = """
import json, statistics, sys, time
from passlib import hash as hashes

name, least, parameters = json.loads(sys.argv[1])
getattr(hashes, name).using(**least).hash("pass1")
taken = []
while parameters is not None and len(taken) < 3 and sum(taken) < 0.2:
    hasher = getattr(hashes, name).using(**parameters)
    begin = time.perf_counter()
    hasher.hash("pass1")
    taken.append(time.perf_counter() - begin)
try:
    import resource
except ImportError:  # Windows
    import psutil
    most = psutil.Process().memory_info().peak_wset
else:
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    if sys.platform == "linux":  # there, that is of the process before, too: the one that called
        (line,) = [l for l in open("/proc/self/status") if l.startswith("VmHWM:")]
        most = int(line.split()[1])
    if sys.platform != "darwin":
        most *= 1024
print(json.dumps([statistics.median(taken or [0]), most]))
"""
LEAST = {
    "argon2": {"memory_cost": 8, "rounds": 1, "parallelism": 1},
    "scrypt": {"rounds": 1, "block_size": 1, "parallelism": 1},
    "sha512_crypt": {"rounds": 1000},
    "pbkdf2_sha256": {"rounds": 1},
    "hex_md5": {},
}


@dataclass(frozen=True)
class Cost:
    """One hash: `name` in passlib, its `parameters`, seconds, and memory in bytes."""

    name: str
    parameters: dict
    seconds: float
    memory: int

    @property
    def milliseconds(self) -> float:
        """The time in ms."""
        return self.seconds * 1000

    @property
    def mebibytes(self) -> float:
        """The memory in MiB, 2**20 bytes each."""
        return self.memory / 2**20

    @property
    def strength(self) -> str:
        """The parameters that make it slow or large, as text: "rounds 2, memory_cost 19456"."""
        telling = ("rounds", "memory_cost")
        return ", ".join(f"{k} {v}" for k, v in self.parameters.items() if k in telling)


def cost(name: str, **parameters) -> Cost:
    """Measure a hash of passlib's, one of LEAST, with these parameters.

    The memory is what the process held at most, less what it holds without the hash. Raises
    LessonError, with what was said, when there is no such hash or it doesn't take the parameters.
    """
    if name not in LEAST:
        raise LessonError(f"There is no {name!r} here. There are: {', '.join(LEAST)}.")
    seconds, most = _measure(name, parameters)
    _, without = _without(name)
    return Cost(name, parameters, seconds, max(0, most - without))


@functools.cache
def _without(name: str) -> tuple[float, int]:
    return _measure(name, None)


def _measure(name: str, parameters: dict | None) -> tuple[float, int]:
    """Return the time of a hash (s), and the most memory that its process held (bytes)."""
    argument = json.dumps([name, LEAST[name], parameters])
    command = [sys.executable, "-W", "ignore", "-c", MEASURE, argument]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        last = done.stderr.strip().rpartition("\n")[2]
        raise LessonError(f"{name} does not take {parameters}: {last}")
    return tuple(json.loads(done.stdout))
