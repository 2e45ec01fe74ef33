"""Go on in `.venv`; have it made first if need be.

Every call passes here first, so next to nothing is imported: what makes the environment, in
make.py, only when there is something to make. Only the standard library is used in this room.
"""

import os
import sys

from .environment import PYTHON, ROOT, VENV, WINDOWS, is_inside, is_whole


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
            from .make import SetupError, set_up

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
