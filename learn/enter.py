"""Go on in `.venv`; have it made first if need be.

Every call passes here first, so next to nothing is imported, not even pathlib: what makes the
environment, in setup.py, only when there is something to make. Only the standard library is used in
both.
"""

import os
import sys

WINDOWS = os.name == "nt"
ROOT = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
VENV = os.path.join(ROOT, ".venv")
STAMP = os.path.join(VENV, "learn-stamp")  # written last: the environment is whole
REQUIREMENTS = os.path.join(ROOT, "requirements.txt")
PYTHON = os.path.join(VENV, *(("Scripts", "python.exe") if WINDOWS else ("bin", "python")))


def enter() -> None:
    """Return if this Python has all that is needed; else go on in `.venv`, made if need be.

    Doesn't return in the second case. Ends with status 1 and a sentence when the set-up fails,
    with 130 after Ctrl-C.
    """
    try:
        if is_whole():
            if is_inside():
                return
        else:
            from .setup import SetupError, set_up

            try:
                if set_up():
                    return
            except SetupError as error:
                sys.stderr.write(f"{error}\n")
                sys.exit(1)
        _go_on_inside()
    except KeyboardInterrupt:
        sys.stderr.write("\nInterrupted. The next call goes on from here.\n")
        sys.exit(130)


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
    parts = [os.fsencode(VENV), _machine().encode(), _read(base) if os.path.exists(base) else b""]
    return b"\n".join([*parts, _read(REQUIREMENTS)])


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def _machine() -> str:
    """The kind of processor. `platform` would tell too, but takes longer to import."""
    return os.environ.get("PROCESSOR_ARCHITECTURE", "") if WINDOWS else os.uname().machine


def _go_on_inside() -> None:
    environment = {
        k: v for k, v in os.environ.items() if k not in ("PYTHONHOME", "__PYVENV_LAUNCHER__")
    }
    paths = [ROOT, environment.get("PYTHONPATH", "")]
    environment["PYTHONPATH"] = os.pathsep.join(p for p in paths if p)
    environment["VIRTUAL_ENV"] = VENV
    environment["PATH"] = os.pathsep.join([os.path.dirname(PYTHON), environment.get("PATH", "")])
    command = [PYTHON, "-m", "learn", *sys.argv[1:]]
    sys.stdout.flush()
    if not WINDOWS:
        os.execve(command[0], command, environment)
    import subprocess

    process = subprocess.Popen(command, env=environment)
    while True:
        try:
            sys.exit(process.wait())
        except KeyboardInterrupt:  # the child got it too and decides
            continue
