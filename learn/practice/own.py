"""What a process does to stay its own master beside strangers' processes."""

from __future__ import annotations

import os
import sys
import time

import psutil

PR_SET_DUMPABLE, PR_SET_CHILD_SUBREAPER = 4, 36  # linux/prctl.h


def hide() -> None:
    """Keep other processes of the same user out of this one, and inherit their orphans; on Linux.

    Its memory, its open files and its environment under /proc are then root's. A process that one
    of our children leaves behind becomes ours, so that `end_all` finds it.
    """
    if not sys.platform.startswith("linux"):
        return
    import ctypes

    libc = ctypes.CDLL(None)
    libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def end_all(but=(), seconds: float = 5) -> None:
    """End all children of this process and theirs, those whose numbers are in `but` excepted."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = [child for child in psutil.Process().children() if child.pid not in but]
        if not found:
            return
        for child in found:
            end_tree(child)
        for child in found:
            try:
                os.waitpid(child.pid, 0 if child.status() == psutil.STATUS_ZOMBIE else os.WNOHANG)
            except (OSError, psutil.Error):
                pass
        time.sleep(0.01)


def end_tree(process: psutil.Process) -> None:
    """Kill a process and all that descends from it."""
    for one in [process, *tree(process)]:
        try:
            one.kill()
        except psutil.Error:
            pass


def tree(process: psutil.Process) -> list[psutil.Process]:
    """Return what descends from a process."""
    try:
        return process.children(recursive=True)
    except psutil.Error:
        return []
