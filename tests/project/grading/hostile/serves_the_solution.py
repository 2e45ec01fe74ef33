"""Runs the lesson's own app.py in its place."""

import runpy

app = runpy.run_path("TUTORIAL/lessons/02_basic/app.py")["app"]
