"""Starts what it is asked to, each in a process of its own; see forks.py, and box.py for a box.

Usage: porter.py SOCKET, the number of a Unix socket. The first line that comes is a JSON object:
`limits` (from the names of resource's RLIMIT_… to numbers), `user` (a number to become, or null)
and `imports` (modules). What it imports before any request, its children have already: they are
forks, so that a server starts in a fifth of the time.

Each further line is a request, with the files beside it that the child gets as its numbers 0, 1, 2
and so on:
    {"start": COMMAND, "env": …, "cwd": …, "files": HOW MANY}    answered by {"started": PID}
    {"end": PID, "signal": NUMBER}                               to the child and all of its group
COMMAND is a list of arguments, or {"serve": FILE, "port": PORT}, with "folder" and "modes" if there
are any, which is done as by child.py with the files 3 and 4. When a child has ended, a line says:
{"ended": PID, "status": NUMBER}. The porter ends, and its children with it, when the socket closes.
Nothing of the workbench is imported here.
"""

import contextlib
import datetime
import fcntl
import importlib
import json
import os
import random
import select
import signal
import socket
import sys
import time
import traceback
from pathlib import Path

import child

del sys.modules["child"]  # a learner's file may be called so as well
FILES = 8  # at most so many come with a request


def settle(first):
    """Take on the limits and the user, import what will be needed."""
    import resource

    for name in first["imports"]:
        with contextlib.suppress(Exception):
            importlib.import_module(name)
    for name, limit in first["limits"].items():
        number = getattr(resource, f"RLIMIT_{name}", None)
        if number is not None:
            most = resource.getrlimit(number)[1]
            limit = limit if most == resource.RLIM_INFINITY else min(limit, most)
            with contextlib.suppress(ValueError, OSError):  # some systems know a limit in name only
                resource.setrlimit(number, (limit, limit))
    if first["user"] is not None:
        os.setgroups([])
        os.setgid(first["user"])
        os.setuid(first["user"])


def start(request, files):
    """Fork a child; return its number."""
    pid = os.fork()
    if pid:
        return pid
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setsid()
        high = [fcntl.fcntl(file, fcntl.F_DUPFD, 64) for file in files]
        for number, file in enumerate(high):
            os.dup2(file, number)
        os.closerange(len(files), 64 + 2 * FILES)
        os.chdir(request["cwd"])
        os.environ.clear()
        os.environ.update(request["env"])
        time.tzset()
        command = request["start"]
        if isinstance(command, list):
            os.execvpe(command[0], command, os.environ)
        path, folder = command["serve"], Path(command.get("folder", ""))
        sys.path[1:1] = filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))
        sys.argv = [path]
        random.seed()
        child.set_clock_by = set_clock_by
        child.serve(Path(path), command["port"], 3, 4, folder, command.get("modes", ()))
        status = 0
    except SystemExit as error:
        if isinstance(error.code, str):
            print(error.code, file=sys.stderr)
        status = error.code if isinstance(error.code, int) else error.code is not None
    except BaseException:
        traceback.print_exc()
        status = 1
    with contextlib.suppress(Exception):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(status)


def set_clock_by(file, move=child.set_clock_by):
    """Move the clock as child.py does, also for modules that took a part of it when imported."""
    known = [(home, name, vars(home)[name]) for home in (time, datetime) for name in vars(home)]
    move(file)
    moved = {id(old): new for home, name, old in known if (new := vars(home)[name]) is not old}
    for place, module in list(sys.modules.items()):
        if place.partition(".")[0] not in sys.stdlib_module_names:  # its own waits go on as ever
            for name, value in list(vars(module).items()):
                if id(value) in moved:
                    setattr(module, name, moved[id(value)])


def main():
    """Serve requests until the socket closes."""
    line = socket.socket(fileno=int(sys.argv[1]))
    buffer, files, running = b"", [], set()

    def take():
        nonlocal buffer
        data, came, _, _ = socket.recv_fds(line, 65536, FILES)
        files.extend(came)
        buffer += data
        return data

    def say(**what):
        line.sendall(json.dumps(what).encode() + b"\n")

    def lines():
        nonlocal buffer
        while b"\n" in buffer:
            one, _, buffer = buffer.partition(b"\n")
            yield json.loads(one)

    while b"\n" not in buffer:
        if not take():
            return
    settle(next(lines()))
    say(ready=True)
    woken, wake = os.pipe()  # by the end of a child
    os.set_blocking(woken, False)
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    while True:
        for request in lines():
            if "start" in request:
                mine, files[:] = files[: request["files"]], files[request["files"] :]
                pid = start(request, mine)
                running.add(pid)
                for file in mine:
                    os.close(file)
                say(started=pid)
            elif request["end"] in running:
                with contextlib.suppress(OSError):
                    os.killpg(request["end"], request["signal"])
        while running:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                break
            running.discard(pid)
            say(ended=pid, status=os.waitstatus_to_exitcode(status))
        ready = select.select([line, woken], [], [])[0]
        if woken in ready:
            os.read(woken, 4096)
        if line in ready and not take():
            break
    for pid in running:
        with contextlib.suppress(OSError):
            os.killpg(pid, signal.SIGKILL)


if __name__ == "__main__":
    main()
