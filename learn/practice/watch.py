"""check --watch: run again when the file is saved, and listen to single keys meanwhile."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import watchfiles


def watch(path: Path, keys: Callable[[str], None]) -> Iterator[bool]:
    """Yield at once and whenever the file was saved: whether it is there.

    keys: called with each key that is pressed meanwhile; it ends the watch with StopIteration.
    Looks at the folder, since many editors replace the file.
    """
    changes = watchfiles.watch(
        path.parent,
        watch_filter=lambda _, changed: Path(changed).name == path.name,
        debounce=80,  # milliseconds: one save is often several events
        step=20,
        rust_timeout=60,
        yield_on_timeout=True,
        raise_interrupt=True,
        recursive=False,
    )
    next(changes)  # from here on no save is missed
    with contextlib.suppress(StopIteration), _single_keys() as pressed:
        yield path.is_file()
        for change in changes:
            for key in pressed():
                keys(key)
            if change:
                yield path.is_file()


@contextlib.contextmanager
def _single_keys():
    """Give a function that returns the keys pressed since its last call, on a terminal."""
    if not sys.stdin.isatty():
        yield lambda: ""
    elif os.name == "nt":
        import msvcrt

        def pressed():
            keys = ""
            while msvcrt.kbhit():
                keys += msvcrt.getwch()
            return keys

        yield pressed
    else:
        import select
        import termios
        import tty

        before = termios.tcgetattr(sys.stdin)

        def pressed():
            if not select.select([sys.stdin], [], [], 0)[0]:
                return ""
            return os.read(sys.stdin.fileno(), 64).decode("utf-8", "replace")

        try:
            # Keys come at once, also those pressed before; Ctrl-C is still Ctrl-C.
            tty.setcbreak(sys.stdin, termios.TCSANOW)
            yield pressed
        finally:
            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)
