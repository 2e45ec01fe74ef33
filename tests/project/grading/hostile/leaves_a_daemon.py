"""Leaves processes behind that have nothing to do with their parents any more."""

import os
import subprocess
import sys

from flask import Flask

app = Flask(__name__)
for _ in range(3):
    if not os.fork():
        os.setsid()
        if not os.fork():
            script = "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(600)"
            subprocess.Popen([sys.executable, "-c", script, "DAEMON_OF_THE_TEST"], env={})
        os._exit(0)
