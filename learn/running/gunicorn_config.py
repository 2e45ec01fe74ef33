"""gunicorn's settings when the workbench starts it: its end is tied to ours, as in child.py.

It ends when its standard input closes, so it can't outlive the one who started it.
"""

import importlib.util
import os
import signal
import threading
from pathlib import Path

# Not imported by name: a learner's file may be called child.py as well.
spec = importlib.util.spec_from_file_location("of_learn", Path(__file__).with_name("child.py"))
child = importlib.util.module_from_spec(spec)
spec.loader.exec_module(child)

# A worker that is being forked when the end comes misses the signal: it is killed after so long.
graceful_timeout = 3  # seconds


def when_ready(server):  # called by gunicorn, before it forks its workers
    threading.Thread(target=_end_with_parent, daemon=True).start()


def post_worker_init(worker):  # called by gunicorn, once the application is loaded
    child.give_templates(worker.wsgi)


def _end_with_parent():
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
