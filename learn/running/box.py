"""A box: where a stranger's file runs, so that it harms neither who judges it nor anybody else.

Whatever a submission does, it does in processes that a porter (porter.py) starts for us. The porter
has taken on limits first: of memory, files, processes and time on the processor. As root it has
become a user of its own. Where bubblewrap works, the porter stands in a box made by it: no network
but the loopback that it shares with the one who judges, no processes but its own, and of the files
only the system's, Python's and a folder for this one judgement. We write no sandbox ourselves.

Without bubblewrap the limits hold all the same; files and network are then those of the user.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from ..layout import LessonError
from .client import TIMEOUT

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
        self._lock = threading.Condition()
        self._ended: dict[int, int] = {}
        self._started: list[int] = []
        self._porter = self._socket = None
        self.user = self._own_user()
        if os.name == "posix":
            self._open(imports)

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
        if self._socket is None:
            pipes = dict.fromkeys(["stdin", "stdout"], subprocess.PIPE)
            return subprocess.Popen(command, cwd=cwd, env=env, stderr=errors, **pipes)
        if list(command)[:2] == [sys.executable, str(self.work / "door" / "child.py")]:
            path, port, _, _, folder, *modes = command[2:]
            command = {"serve": path, "port": int(port), "folder": folder, "modes": modes}
        (theirs, in_), (out, into), (err, wrong) = os.pipe(), os.pipe(), os.pipe()
        if errors == subprocess.STDOUT:
            os.dup2(into, wrong)
        files = [theirs, into, wrong, *more]
        request = {"start": command, "env": env, "cwd": str(cwd), "files": len(files)}
        try:
            with self._lock:
                self._started.clear()
                self._send(request, files)
                known = self._lock.wait_for(lambda: self._started or self._ended is None, TIMEOUT)
                if not known or not self._started:
                    raise LessonError("The box in which it ran has ended.")
                pid = self._started.pop()
        except BaseException:
            for file in (in_, out, err):
                os.close(file)
            raise
        finally:
            for file in (theirs, into, wrong):
                os.close(file)
        return _Boxed(self, pid, in_, out, err)

    def hand_over(self, folder: Path):
        """Give a folder, with all that is in it, to the box's user."""
        if self.user is not None:
            for where, _, files in os.walk(folder):
                for path in (where, *(os.path.join(where, name) for name in files)):
                    os.chown(path, self.user, self.user, follow_symlinks=False)

    def close(self):
        """End whatever runs in the box."""
        if self._socket is not None:
            with contextlib.suppress(OSError):  # closing alone would wait for who reads from it
                self._socket.shutdown(socket.SHUT_RDWR)
            self._socket.close()
        if self._porter is not None:
            try:
                self._porter.wait(2 if self.walls else 5)
            except subprocess.TimeoutExpired:
                self._porter.kill()
                self._porter.wait()

    def _open(self, imports):
        """Start the porter."""
        self.hand_over(self.work)
        ours, theirs = socket.socketpair()
        inside = theirs.fileno()
        command = [sys.executable, "-B", str(self.work / "door" / "porter.py"), str(inside)]
        if self.walls:
            command = [*inner([self.work]), "--chdir", str(self.work), "--", *command]
        self._porter = subprocess.Popen(
            command,
            pass_fds=[inside],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**self.environment, "PYTHONIOENCODING": "utf-8", "PYTHONUNBUFFERED": "1"},
            cwd=self.work,
        )
        theirs.close()
        self._socket = ours
        first = {"limits": self._limits(), "user": self.user, "imports": list(imports)}
        self._send(first, [])
        threading.Thread(target=self._listen, daemon=True).start()

    def _own_user(self):
        return own_user(self.walls)

    def _limits(self):
        limits = {**LIMITS, "NPROC": PROCESSES + (0 if self.walls or self.user else _threads())}
        if self.user is None and os.geteuid() == 0:
            del limits["NPROC"]  # root's are not counted
        return limits

    def _send(self, what, files):
        line = json.dumps(what).encode() + b"\n"
        try:
            sent = socket.send_fds(self._socket, [line], files)
            self._socket.sendall(line[sent:])
        except OSError:
            raise LessonError("The box in which it ran has ended.") from None

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
            self._ended = None  # and all that ran there has
            self._lock.notify_all()


class Nursery(Box):
    """No box, but a place of the same make where servers start quickly, as forks of a porter.

    What starts there has its maker's rights, environment and limits. For Linux: elsewhere, what a
    process has loaded may not survive a fork. Use it as a context manager.
    """

    def __init__(self, imports=()):
        self.folder = tempfile.mkdtemp(prefix="nursery-")
        super().__init__(Path(self.folder), walls=False, imports=imports)

    @property
    def environment(self) -> dict[str, str]:
        """What every process finds in its environment: all that is in ours."""
        return dict(os.environ)

    def close(self):
        """End whatever runs there, and remove its files."""
        super().close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

    def _own_user(self):
        return None

    def _limits(self):
        return {}


class _Boxed:
    """A process in a box, with as much of subprocess.Popen as a lesson needs."""

    def __init__(self, box, pid, in_, out, err):
        self.box, self.pid = box, pid  # a number that counts in the box only
        self.stdin, self.stdout, self.stderr = (
            os.fdopen(in_, "wb", 0),
            os.fdopen(out, "rb"),
            os.fdopen(err, "rb"),
        )

    def poll(self):
        ended = self.box._ended
        return -signal.SIGKILL if ended is None else ended.get(self.pid)

    def wait(self, timeout=None):
        with self.box._lock:
            if not self.box._lock.wait_for(lambda: self.poll() is not None, timeout):
                raise subprocess.TimeoutExpired("what runs in the box", timeout)
        return self.poll()

    def send_signal(self, number):
        if self.poll() is None:
            self.box._send({"end": self.pid, "signal": int(number)}, [])

    def kill(self):
        self.send_signal(signal.SIGKILL)


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
    binds = []
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


def imports_of(folder: Path) -> list[str]:
    """Return the modules that a lesson imports, and which other answers will want as well."""
    names = {"werkzeug.serving", "flask.json.provider", "encodings.idna", "wsgiref.util"}
    for path in folder.glob("*.py"):
        if path.stem in ("app", "store", "groundwork"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                    names.add(node.module)
                elif isinstance(node, ast.Import):
                    names |= {alias.name for alias in node.names}
    if "passlib.hash" in names:  # what it brings when it is asked for
        names |= {"passlib.handlers.argon2", "argon2"}
    own = {path.stem for path in folder.glob("*.py")}
    return sorted(name for name in names if name not in own)


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
