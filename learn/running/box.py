"""A box: where a stranger's file runs, so that it harms neither who judges it nor anybody else.

Whatever a submission does, it does in processes that a porter (porter.py) starts for us. The porter
has taken on limits first: of memory, files, processes and time on the processor. As root it has
become a user of its own. Where bubblewrap works, the porter stands in a box made by it: no network
but the loopback that it shares with the one who judges, no processes but its own, and of the files
only the system's, Python's and a folder for this one judgement. We write no sandbox ourselves.

Without bubblewrap the limits hold all the same; files and network are then those of the user.
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
from pathlib import Path

from .forks import Forks

HERE = Path(__file__).parent
PROCESSES = 256
LIMITS = {
    "AS": 4 << 30,  # addresses, not memory: threads reserve more of them than they use
    "FSIZE": 64 << 20,
    "NOFILE": 1024,
    "CPU": 600,
    "CORE": 0,
}
SYSTEM = ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/nix/store"]
SYSTEM += [f"/etc/{name}" for name in ("ld.so.cache", "ld.so.conf", "ld.so.conf.d", "alternatives")]
SYSTEM += [f"/etc/{name}" for name in ("localtime", "mime.types", "nsswitch.conf", "hosts")]
KEPT = ["PATH", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH", "SYSTEMROOT"]


class Box:
    """A box for one judgement, whose folder is `work`; nothing outside of it can be written.

    walls: whether bubblewrap makes it; imports: modules that its processes will want.
    Raises LessonError when it can't be made.
    """

    def __init__(self, work: Path, walls: bool, imports=()):
        self.work, self.walls = work.resolve(), walls
        for name in ("home", "tmp", "door", "scratch"):
            (self.work / name).mkdir(exist_ok=True)
        for name in ("porter.py", "child.py", "gunicorn_config.py"):
            shutil.copy(HERE / name, self.work / "door")
        self.user = own_user(walls)
        self._forks = self._open(imports) if os.name == "posix" else None

    @property
    def environment(self) -> dict[str, str]:
        """What every process in the box finds in its environment: nothing of its judge's own."""
        kept = {name: os.environ[name] for name in KEPT if name in os.environ}
        places = {"HOME": str(self.work / "home")}
        places |= dict.fromkeys(["TMPDIR", "TEMP", "TMP"], str(self.work / "tmp"))
        return {**kept, **places}

    def start(self, command, env: dict, cwd: Path, more=(), errors=subprocess.STDOUT):
        """Start a command in the box; return it as something like subprocess.Popen.

        command: a list, or what porter.py serves; more: files that it gets as numbers 3 and so on;
        errors: as Popen's `stderr`. Raises LessonError when the box has ended.
        """
        if self._forks is None:
            pipes = dict.fromkeys(["stdin", "stdout"], subprocess.PIPE)
            return subprocess.Popen(command, cwd=cwd, env=env, stderr=errors, **pipes)
        return self._forks.start(command, env, cwd, more, errors)

    def hand_over(self, folder: Path):
        """Give a folder, with all that is in it, to the box's user."""
        if self.user is not None:
            for where, _, files in os.walk(folder):
                for path in (where, *(os.path.join(where, name) for name in files)):
                    os.chown(path, self.user, self.user, follow_symlinks=False)

    def close(self):
        """End whatever runs in the box."""
        if self._forks:
            self._forks.close(2 if self.walls else 5)

    def _open(self, imports) -> Forks:
        """Start the porter."""
        self.hand_over(self.work)
        command = [sys.executable, "-B", "-u", str(self.work / "door" / "porter.py")]
        if self.walls:
            command = [*inner([self.work]), "--chdir", str(self.work), "--", *command]
        limits = {**LIMITS, "NPROC": PROCESSES + (0 if self.walls or self.user else _threads())}
        if self.user is None and os.geteuid() == 0:
            del limits["NPROC"]  # root's are not counted
        first = {"limits": limits, "user": self.user, "imports": list(imports)}
        more = {"env": {**self.environment, "PYTHONIOENCODING": "utf-8"}, "cwd": self.work}
        return Forks(command, first, more, "The box in which it ran has ended.")


@functools.cache
def has_walls() -> tuple[bool, str]:
    """Tell whether bubblewrap works here, and if not, in a sentence why."""
    if not sys.platform.startswith("linux"):
        return False, "it runs on Linux only"
    if not shutil.which("bwrap"):
        return False, "it is not installed (Debian, Ubuntu: apt install bubblewrap)"
    try:
        done = subprocess.run(
            [*outer(), "--", *inner([]), "--", sys.executable, "-c", "pass"],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=20,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return False, f"bwrap does not work here: {error}"
    if done.returncode == 0:
        return True, ""
    said = done.stderr.decode("utf-8", "replace").strip().split("\n")[-1]
    return False, f"bwrap does not work here: {said}"


def no_box(why_not: str) -> str:
    """Return the line that says that there is no box, and why."""
    return (
        f"No box: bubblewrap is not used, as {why_not}."
        " What is judged runs with your rights; see docs/grading.md."
    )


def outer() -> list[str]:
    """Return the command that gives whoever judges a loopback of its own, and no other network."""
    return ["bwrap", "--dev-bind", "/", "/", "--unshare-net", "--die-with-parent"]


def inner(writable: list[Path]) -> list[str]:
    """Return the command of the box itself, in which these folders can be written."""
    command = ["bwrap", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"]
    command += ["--new-session", "--die-with-parent", "--hostname", "box"]
    if os.geteuid():
        command += ["--unshare-user", "--uid", "65534", "--gid", "65534"]
    binds = [*_parents("/etc/hosts")]  # of itself, bwrap makes /etc for root alone
    for path in map(Path, SYSTEM):
        if path.is_symlink() and str(path).count("/") == 1:  # /bin, where it is a part of /usr
            binds += ["--symlink", os.readlink(path), str(path)]
        elif path.exists():
            binds += ["--ro-bind", os.path.realpath(path), str(path)]
    small = ["--perms", "1777", "--size", str(64 << 20), "--tmpfs"]
    binds += ["--proc", "/proc", "--dev", "/dev", *small, "/dev/shm", *small, "/tmp"]
    for place in dict.fromkeys([sys.base_prefix, os.path.realpath(sys.base_prefix), sys.prefix]):
        if not place.startswith("/usr"):
            binds += [*_parents(place), "--ro-bind", os.path.realpath(place), place]
    for folder in writable:
        binds += [*_parents(folder), "--bind", str(folder), str(folder)]
    binds += ["--remount-ro", "/dev", "--remount-ro", "/"]
    return [*command, *binds]


def _parents(path) -> list[str]:
    """Return the options that make the folders above a path, which another user may pass."""
    above = [str(parent) for parent in reversed(Path(path).parents)][1:]
    return [word for one in above if one != "/tmp" for word in ("--perms", "0755", "--dir", one)]


@functools.cache
def own_user(walls: bool) -> int | None:
    """Return the number of a user for what runs in a box; None to stay the one who judges.

    Only root can become another. The numbers are those that systemd gives for the same purpose.
    """
    if not hasattr(os, "geteuid") or os.geteuid():
        return None
    user = 61184 + os.getpid() % 4000
    if not walls:  # is Python itself where others can read it?
        command = [sys.executable, "-c", "import flask"]
        try:
            quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
            subprocess.run(
                command, user=user, group=user, extra_groups=[], check=True, cwd="/", **quiet
            )
        except (OSError, subprocess.SubprocessError):
            return None
    return user


def _threads() -> int:
    """Return how many threads the user has by now, since a limit counts them all."""
    import psutil

    me, count = os.geteuid(), 0
    for process in psutil.process_iter():
        try:
            if process.uids().real == me:
                count += process.num_threads()
        except psutil.Error:
            pass
    return count
