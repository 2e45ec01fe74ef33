"""Servers that start as forks behave like those that start by themselves, in a box or not."""

import sys
import time

import pytest

from learn import Lesson
from learn.running.box import Box, Nursery, has_walls

APP = """
import datetime, time
import jwt.api_jwt
from flask import Flask

app = Flask(__name__)
print("printed at the start")


@app.get("/")
def index():
    moments = datetime.datetime.now(), jwt.api_jwt.datetime.now()
    clocks = [time.time(), *(moment.timestamp() for moment in moments)]
    return " ".join(map(str, clocks)) + time.strftime(" %z")
"""

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="forks are for Linux")


@pytest.fixture(params=["nursery", "open", "walls"])
def place(request, tmp_path):
    """Each kind of place in which servers start as forks, with PyJWT imported already."""
    if request.param == "walls" and not has_walls()[0]:
        pytest.skip(f"bubblewrap: {has_walls()[1]}")
    modules = ["flask", "jwt.api_jwt", "werkzeug.serving"]
    if request.param == "nursery":
        made = Nursery(modules)
    else:
        tmp_path.chmod(0o755)
        (tmp_path / "work").mkdir()
        made = Box(tmp_path / "work", request.param == "walls", modules)
    yield made
    made.close()
    assert made._porter.returncode == 0, "it had to be killed"


def test_forks_behave_like_processes_of_their_own(place, monkeypatch):
    """Moved clocks, time zones and print() work as they do without a fork."""
    (place.work / "exercise.py").write_text(APP, "utf-8")
    monkeypatch.setenv("TZ", "XXX-5")
    with Lesson.within(place), Lesson("04", place.work / "exercise.py", clock=True) as app:
        app.set_clock(7200)
        *clocks, zone = app.get("/").text.split()
        ahead = [float(clock) - time.time() for clock in clocks]
        assert all(7100 < seconds <= 7201 for seconds in ahead), ahead
        assert zone == "+0500"
        assert app.printed("printed at the start")


def test_what_runs_ends_with_the_place(place):
    """Whoever closes the place ends the servers in it."""
    (place.work / "exercise.py").write_text(APP, "utf-8")
    with Lesson.within(place), Lesson("04", place.work / "exercise.py") as app:
        assert app.alive
        place.close()
        app._running["process"].wait(10)
        assert not app.alive
