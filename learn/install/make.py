"""Make the environment, once.

Strategy: everything that is installed is named with its hash in requirements.txt and goes into
`.venv`. A stamp, written last, says that `.venv` is whole; it holds all that the environment
depends on, so whatever was interrupted, moved or changed simply no longer matches and is made
again. door.py reads the stamp at each call and comes here when it doesn't match.
uv installs where it can be had, because that takes seconds; else pip does the same more slowly.
A `.venv` that someone else made is never touched. Only the standard library is used here.
"""

from __future__ import annotations

import contextlib
import errno
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

from . import environment
from .environment import WINDOWS, is_inside, is_whole, stamp

ROOT, VENV, STAMP = Path(environment.ROOT), Path(environment.VENV), Path(environment.STAMP)
PYTHON, REQUIREMENTS = Path(environment.PYTHON), Path(environment.REQUIREMENTS)
MARK = VENV / "learn-made-this"  # written first: the environment is ours
UV_REQUIREMENTS = Path(__file__).with_name("requirements-uv.txt")
LOG = ROOT / ".learn" / "setup.log"
# What would lead an installer elsewhere. Proxies, certificates and indexes stay as they are set.
MISLEADING = {"PYTHONHOME", "PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_REQUIRE_VIRTUALENV"}
MISLEADING |= {"VIRTUAL_ENV", "CONDA_PREFIX", "UV_SYSTEM_PYTHON", "UV_PROJECT_ENVIRONMENT"}
# What installers and systems write when that is the matter, in small letters.
DISK_FULL = ("no space left", "errno 28", "os error 28", "not enough space")
NO_WRITING = ("read-only file system", "permission denied", "errno 13", "access is denied")
WRONG_HASH = ("do not match the hashes", "hash mismatch")
NO_NETWORK = ("connection", "failed to resolve", "name resolution", "dns error", "timed out")
NO_NETWORK += ("connect error", "max retries", "network is unreachable", "network connectivity")


class SetupError(Exception):
    """The environment can't be made; the message says why and what to do next."""


def set_up() -> bool:
    """Make `.venv`, unless this Python has all that is needed already; return whether it has.

    Raises SetupError with a sentence when that fails.
    """
    half_made = MARK.exists() and is_inside()  # what it has may look whole and not be
    if not half_made and _has_all_already():
        return True
    make()
    return False


def _has_all_already() -> bool:
    """Whether this Python has the direct requirements in their locked versions already."""
    from importlib import metadata

    locked = set(
        re.findall(r"^([\w.-]+)(?:\[[\w,]+\])?==([^\s;]+)", REQUIREMENTS.read_text(), re.M)
    )
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    dependencies = re.search(r"^dependencies = \[(.*?)^\]", text, re.M | re.S).group(1)
    direct = re.findall(r'"([\w.-]+)', dependencies)
    try:
        return all((name, metadata.version(name)) in locked for name in direct)
    except metadata.PackageNotFoundError:
        return False


def make() -> None:
    """Make `.venv`, or repair it. Raises SetupError with a sentence when that fails."""
    try:
        LOG.parent.mkdir(exist_ok=True)
        with (
            _only_one(LOG.parent / "setup.lock"),
            open(LOG, "w", encoding="utf-8", errors="backslashreplace") as log,
        ):
            if is_whole():  # another call made it while this one waited
                return
            _make(log)
    except OSError as error:
        raise SetupError(_explain(str(error))) from None


def _make(log) -> None:
    begin = time.monotonic()
    if VENV.exists() and not MARK.exists() and any(VENV.iterdir()):
        raise SetupError(
            f"There is a folder {VENV} that this tutorial did not make, so it stays untouched.\n"
            "Either rename it and start again, or activate it, run\n"
            "    pip install -r requirements.txt\n"
            "and start again."
        )
    _say("Setting up, once: what requirements.txt names goes into .venv in this folder.")
    uv = shutil.which("uv")
    if not _works(PYTHON):
        _create(uv, log)
    elif not STAMP.exists():  # interrupted, so a package may look installed and lack a file
        for packages in [*VENV.glob("lib/python*/site-packages"), *VENV.glob("Lib/site-packages")]:
            shutil.rmtree(packages)
    STAMP.unlink(missing_ok=True)
    MARK.touch()
    if not uv:
        uv = _fetch_uv(log)
    wanted = len(re.findall(r"^[\w.-]+(?:\[[\w,]+\])?==", REQUIREMENTS.read_text(), re.M))
    done, said = False, ""
    if uv:
        command = [uv, "pip", "install", "--python", str(PYTHON), "--require-hashes"]
        done = _run([*command, "-r", str(REQUIREMENTS)], log, "Installing", wanted)
    if not done:
        if uv:
            said = _said()
            if _shows(said, DISK_FULL + WRONG_HASH):  # pip would find the same, later
                raise SetupError(_explain(said))
            _say("uv could not install it, so pip tries. That takes longer.")
        pip = _pip(log)
        if not pip:
            raise SetupError(_explain(said or _said()))
        command = [*pip, "install", "--require-hashes", "--retries", "2", "--timeout", "20"]
        if not _run(
            [*command, "--no-warn-script-location", "-r", str(REQUIREMENTS)],
            log,
            "Installing",
            wanted,
        ):
            raise SetupError(_explain(_said()))
    STAMP.write_bytes(stamp())
    _say(f"Done in {time.monotonic() - begin:.0f} s.")


def _create(uv, log) -> None:
    """Make an empty `.venv` of this Python: with pip where ensurepip is there, else without."""
    if VENV.exists():
        shutil.rmtree(VENV)
    VENV.mkdir()
    MARK.touch()
    if uv:
        made = _run([uv, "venv", "--allow-existing", "--python", sys.executable, str(VENV)], log)
        if made and _works(PYTHON):
            return
    if importlib.util.find_spec("venv") is None:
        raise SetupError(
            "This Python has no module `venv`.\n" + _debian_hint() + "Then start again."
        )
    with_pip = importlib.util.find_spec("ensurepip") is not None
    if not with_pip and not (uv or importlib.util.find_spec("pip")):
        raise SetupError(
            "This Python can't install packages: it has neither `ensurepip` nor pip.\n"
            + _debian_hint()
            + "Then start again."
        )
    command = [sys.executable, "-m", "venv", *([] if with_pip else ["--without-pip"]), str(VENV)]
    if not _run(command, log, "Making .venv") or not _works(PYTHON):
        raise SetupError(_explain(_said()))
    MARK.touch()


def _debian_hint() -> str:
    if Path("/etc/debian_version").exists():
        return "On Debian and Ubuntu this helps: sudo apt install python3-venv\n"
    return "Install the rest of Python (its modules venv and ensurepip), or uv.\n"


def _pip(log) -> list[str] | None:
    """Return a command that runs pip for `.venv`, or None."""
    if _run([str(PYTHON), "-m", "pip", "--version"], log):
        return [str(PYTHON), "-m", "pip"]
    if _run([sys.executable, "-m", "pip", "--python", str(PYTHON), "--version"], log):
        return [sys.executable, "-m", "pip", "--python", str(PYTHON)]
    if _run([str(PYTHON), "-m", "ensurepip"], log):
        return [str(PYTHON), "-m", "pip"]
    return None


def _fetch_uv(log) -> str | None:
    """Install uv, by its hash, into `.venv` with pip; return its path, or None if it can't be."""
    pip = _pip(log)
    if not pip:
        return None
    command = [*pip, "install", "--require-hashes", "--no-deps", "--only-binary", ":all:"]
    command += ["--retries", "1", "--timeout", "20", "--no-warn-script-location"]
    if not _run([*command, "-r", str(UV_REQUIREMENTS)], log, "Fetching uv"):
        said = _said()
        if "No matching distribution" in said and not _shows(said, NO_NETWORK):
            return None  # there is no uv for this kind of machine
        raise SetupError(_explain(said))
    uv = PYTHON.with_name("uv.exe" if WINDOWS else "uv")
    return str(uv) if uv.exists() else None


def _works(python: Path) -> bool:
    """Whether this Python starts, in the version that runs now, and takes packages from here."""
    if not python.exists():
        return False
    code = "import sys; print(sys.version_info[:2], ascii(sys.prefix))"
    try:
        done = subprocess.run(
            [str(python), "-c", code],
            capture_output=True,
            text=True,
            env=_environment(),
            timeout=60,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.stdout.strip() == f"{sys.version_info[:2]} {str(VENV)!a}"


def _environment() -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if k not in MISLEADING and k != "PYTHONPATH"}
    return {
        **kept,
        "UV_PYTHON_DOWNLOADS": "never",
        "PIP_NO_INPUT": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }


def _run(command, log, what: str = "", total: int = 0) -> bool:
    """Run a command, its output into the log; show `what` goes on; return whether it went well."""
    log.write(f"$ {' '.join(command)}\n")
    log.flush()
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        env=_environment(),
        close_fds=WINDOWS,  # elsewhere they keep the lock
    )
    stop = threading.Event()
    line = threading.Thread(target=_progress, args=(what, total, stop)) if what else None
    if line:
        line.start()
    try:
        return process.wait() == 0
    except BaseException:
        process.kill()
        process.wait()
        raise
    finally:
        stop.set()
        if line:
            line.join()


def _progress(what: str, total: int, stop) -> None:
    """On a terminal, one line that moves: what is done, how many packages, for how long."""
    if not sys.stderr.isatty():
        _say(f"{what} ...")
        return
    begin = time.monotonic()
    while not stop.wait(0.2):
        count = ""
        if total:
            ready = sum(1 for _ in VENV.glob("[Ll]ib/**/site-packages/*.dist-info"))
            filled = min(20, 20 * ready // total)
            count = f" [{'#' * filled}{'.' * (20 - filled)}]"
        sys.stderr.write(f"\r{what}{count} {time.monotonic() - begin:.0f} s ")
        sys.stderr.flush()
    sys.stderr.write("\r" + " " * 60 + "\r")


def _say(sentence: str) -> None:
    sys.stderr.write(sentence + "\n")
    sys.stderr.flush()


def _said() -> str:
    """What the last command wrote into the log."""
    last = LOG.read_text("utf-8", "replace").rpartition("\n$ ")[2]
    return last.partition("\n")[2].strip()  # without the command, whose paths may say anything


def _shows(output: str, signs: tuple[str, ...]) -> bool:
    return any(sign in output.lower() for sign in signs)


def _explain(output: str) -> str:
    """Turn what an installer, or the system, said into a sentence that says what to do next."""
    again = "Then start again; what is done already is kept."
    last = "\n".join(output.split("\n")[-12:])
    if _shows(output, DISK_FULL):
        return f"The disk is full. Make room, about 600 MB, where this folder lies. {again}"
    if _shows(output, NO_WRITING):
        return f"This folder can't be written to: {ROOT}. Move it to where you may write. {again}"
    if _shows(output, WRONG_HASH):
        return (
            "A package is not the one that requirements.txt names: its hash differs, so it was not"
            " installed. If a proxy or mirror stands between, try without it. " + again
        )
    if _shows(last, NO_NETWORK):  # further up it may have come back
        return (
            "The package index can't be reached. Check your network, and your proxy settings"
            f" if you have any. {again}"
        )
    return (
        f"The set-up failed. The last it said:\n\n{last}\n\nAll of it is in {LOG}.\n"
        "If that doesn't tell you more, remove the folder .venv and start again."
    )


@contextlib.contextmanager
def _only_one(path: Path):
    """Hold a lock that the system gives back even if this process is killed.

    Children hold it too, so that what a killed call started ends before the next call begins.
    """
    with open(path, "a+") as file:
        told = False
        while True:
            try:
                if WINDOWS:
                    import msvcrt

                    msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
                else:
                    import fcntl

                    os.set_inheritable(file.fileno(), True)
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError as error:
                if error.errno not in (errno.EACCES, errno.EAGAIN, errno.EDEADLK):
                    break  # a file system without locks; waiting would never end
                if not told:
                    _say("Another call is setting up; waiting for it.")
                told = True
                time.sleep(0.2)
        yield
