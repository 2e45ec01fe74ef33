"""Servers that start as forks behave like those that start by themselves, in a box or not."""

import sys
import time

import pytest

from learn import Lesson
from learn.running.box import Box, has_walls
from learn.running.forks import forks_of

APP = """
import datetime, socket, time
import jwt.api_jwt
from flask import Flask

app = Flask(__name__)
print("printed at the start")


@app.get("/")
def index():
    moments = datetime.datetime.now(), jwt.api_jwt.datetime.now()
    clocks = [time.time(), *(moment.timestamp() for moment in moments)]
    return " ".join(map(str, clocks)) + time.strftime(" %z")


@app.get("/localhost")
def localhost():
    return socket.gethostbyname("localhost")
"""

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="forks are for Linux")


@pytest.fixture(params=["open", "walls"])
def box(request, tmp_path):
    """Each kind of box, with PyJWT imported already."""
    if request.param == "walls" and not has_walls()[0]:
        pytest.skip(f"bubblewrap: {has_walls()[1]}")
    tmp_path.chmod(0o755)
    (tmp_path / "work").mkdir()
    modules = ["flask", "jwt.api_jwt", "werkzeug.serving"]
    made = Box(tmp_path / "work", request.param == "walls", modules)
    (made.work / "exercise.py").write_text(APP, "utf-8")
    yield made
    made.close()
    assert made._forks._porter.returncode == 0, "it had to be killed"


def check(app):
    app.set_clock(7200)
    *clocks, zone = app.get("/").text.split()
    ahead = [float(clock) - time.time() for clock in clocks]
    assert all(7100 < seconds <= 7201 for seconds in ahead), ahead
    assert zone == "+0500"
    assert app.printed("printed at the start")


def test_forks_behave_like_processes_of_their_own(tmp_path, monkeypatch):
    """Moved clocks, time zones and print() work as they do without a fork."""
    (tmp_path / "exercise.py").write_text(APP, "utf-8")
    monkeypatch.setenv("TZ", "XXX-5")
    for preloaded in ("", "nothing"):  # with LD_PRELOAD, a lesson is no fork
        monkeypatch.setenv("LD_PRELOAD", preloaded) if preloaded else None
        with Lesson("04", tmp_path / "exercise.py", clock=True) as app:
            check(app)


def test_boxes_behave_like_processes_of_their_own(box, monkeypatch):
    """The same in a box."""
    monkeypatch.setenv("TZ", "XXX-5")
    with Lesson.within(box), Lesson("04", box.work / "exercise.py", clock=True) as app:
        check(app)


def test_the_name_of_this_machine_is_known_in_a_box(box):
    """app.run("localhost") and mail to localhost:25 work, whoever runs what is in the box."""
    with Lesson.within(box), Lesson("04", box.work / "exercise.py") as app:
        assert app.get("/localhost").text == "127.0.0.1"


def test_what_runs_ends_with_the_box(box):
    """Whoever closes a box ends the servers in it."""
    with Lesson.within(box), Lesson("04", box.work / "exercise.py") as app:
        assert app.alive
        box.close()
        app._running["process"].wait(10)
        assert not app.alive


def test_what_starts_servers_is_started_anew(tmp_path):
    """Whoever kills the process that the servers are forks of ends those only that it started."""
    (tmp_path / "exercise.py").write_text(APP, "utf-8")
    with Lesson("04", tmp_path / "exercise.py") as app:
        forks = forks_of(app.folder)
        forks._porter.kill()
        app._running["process"].wait(10)
        assert not app.alive
    with Lesson("04", tmp_path / "exercise.py") as app:
        assert app.get("/").status == 200 and forks_of(app.folder) is not forks
