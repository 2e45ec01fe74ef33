"""gunicorn's settings when the workbench starts it: its end is tied to ours, as in child.py.

It ends when its standard input closes, so it can't outlive the one who started it.
"""

import os
import signal
import threading


def when_ready(server):  # called by gunicorn, before it forks its workers
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent():
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
