"""How a lesson's process ends, and small questions about ports and files."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import socket
import stat
import subprocess


def port_is_free(port: int) -> bool:
    """Tell whether nobody listens on this port of 127.0.0.1."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def free_port() -> int:
    """Return a port of 127.0.0.1 on which nobody listens by now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def is_plain_file(path) -> bool:
    """Tell whether this is a file, and no link, pipe or device."""
    try:
        return stat.S_ISREG(os.lstat(path).st_mode)
    except OSError:
        return False


def read_plain(path, most: int) -> bytes:
    """Return the first `most` bytes of a file, without waiting for anybody who would write to it.

    Raises OSError when it can't be read or is no file: a link, a pipe or a device.
    """
    flags = os.O_RDONLY
    for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY"):
        flags |= getattr(os, name, 0)
    with os.fdopen(os.open(path, flags), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(errno.EINVAL, "It is no plain file")
        return file.read(most)


def stop(running):
    """End the process in `running`, kindly first, and close the pipe by which it said `ready`."""
    if ready := running.pop("ready", None):
        ready.close()
    process = running.pop("process", None)
    if process is None:
        return
    if process.poll() is None:
        if os.name == "posix":
            process.send_signal(signal.SIGTERM)
        process.stdin.close()  # child.py takes this as its end
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    if process.stdin and not process.stdin.closed:
        process.stdin.close()


def end(running, scratch):
    """End the process in `running` and remove its scratch folder."""
    stop(running)
    shutil.rmtree(scratch, ignore_errors=True)
