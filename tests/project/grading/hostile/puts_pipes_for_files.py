"""Leaves pipes and devices where files are looked for."""

import os
from pathlib import Path

from flask import Flask

app = Flask(__name__)
database = Path(os.environ["FLASK_DATABASE"])
for name in ("port.txt", "port.draft", "script.json", "clock"):
    database.with_name(name).unlink(missing_ok=True)
    database.with_name(name).symlink_to("/dev/zero")
os.mkfifo(database)
