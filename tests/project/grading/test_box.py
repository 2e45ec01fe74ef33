"""Servers that start as forks behave like those that start by themselves, in a box or not."""

import sys
import time

import pytest

from learn import Lesson
from learn.layout import find_folder
from learn.running.box import Box, has_walls
from learn.running.forks import forks_of

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


@pytest.fixture(params=["no box", "open", "walls"])
def room(request, tmp_path):
    """Where servers start as forks, with PyJWT imported already: a folder, a box, the porter."""
    if request.param == "walls" and not has_walls()[0]:
        pytest.skip(f"bubblewrap: {has_walls()[1]}")
    tmp_path.chmod(0o755)
    work, box = tmp_path / "work", None
    work.mkdir()
    if request.param != "no box":
        box = Box(work, request.param == "walls", ["flask", "jwt.api_jwt", "werkzeug.serving"])
    (work / "exercise.py").write_text(APP, "utf-8")
    forks = box._forks if box else forks_of(find_folder("04"))
    yield work / "exercise.py", box, forks
    forks.close(20)
    assert forks._porter.returncode == 0, "it had to be killed"


def test_forks_behave_like_processes_of_their_own(room, monkeypatch):
    """Moved clocks, time zones and print() work as they do without a fork."""
    file, box, _ = room
    monkeypatch.setenv("TZ", "XXX-5")
    with Lesson.within(box), Lesson("04", file, clock=True) as app:
        app.set_clock(7200)
        *clocks, zone = app.get("/").text.split()
        ahead = [float(clock) - time.time() for clock in clocks]
        assert all(7100 < seconds <= 7201 for seconds in ahead), ahead
        assert zone == "+0500"
        assert app.printed("printed at the start")


def test_script_runs_as_a_fork(room):
    """Where a script would serve is noted, and it is served all the same."""
    file, box, _ = room
    file.write_text(f"{APP}\nif __name__ == '__main__':\n    app.run(port=5004)\n", "utf-8")
    with Lesson.within(box), Lesson("04", file, script=True) as app:
        assert app.would_serve == {"host": "127.0.0.1", "port": 5004, "debug": False}
        assert app.get("/").status == 200


def test_what_runs_ends_with_its_porter(room):
    """Whoever ends the porter ends the servers that it has started."""
    file, box, forks = room
    with Lesson.within(box), Lesson("04", file) as app:
        assert app.alive
        forks.close(20)
        app._running["process"].wait(10)
        assert not app.alive
