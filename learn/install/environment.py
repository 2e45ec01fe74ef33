"""Where the environment `.venv` is, and whether it is whole.

Every call of the command asks this first, so next to nothing is imported here, not even pathlib.
"""

import os
import sys

WINDOWS = os.name == "nt"
ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
VENV = os.path.join(ROOT, ".venv")
STAMP = os.path.join(VENV, "learn-stamp")  # written last: the environment is whole
REQUIREMENTS = os.path.join(ROOT, "requirements.txt")
PYTHON = os.path.join(VENV, *(("Scripts", "python.exe") if WINDOWS else ("bin", "python")))


def is_inside() -> bool:
    """Whether this process already runs in `.venv`."""
    return os.path.exists(VENV) and os.path.samefile(sys.prefix, VENV)


def is_whole() -> bool:
    """Whether `.venv` is there, with all that it should have."""
    try:
        return _read(STAMP) == stamp() and os.path.exists(PYTHON)
    except OSError:
        return False


def stamp() -> bytes:
    """What `.venv` depends on: where it lies, the processor, which Python, the requirements."""
    base = os.path.join(VENV, "pyvenv.cfg")
    parts = [
        os.fsencode(os.path.realpath(VENV)),
        _machine().encode(),
        _read(base) if os.path.exists(base) else b"",
    ]
    return b"\n".join([*parts, _read(REQUIREMENTS)])


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def _machine() -> str:
    """The kind of processor. `platform` would tell too, but takes longer to import."""
    return os.environ.get("PROCESSOR_ARCHITECTURE", "") if WINDOWS else os.uname().machine
