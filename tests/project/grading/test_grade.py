"""`learn grade`, as a teacher meets it: the table, the reports, going on, and what can't be judged.

The files that are graded here can't start, which takes no time; what is judged in full is in
test_hostile.py.
"""

import csv
import json
import os
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ET

import pytest
from conftest import Classroom, lesson_file

from learn.layout import LESSONS
from learn.practice import report
from learn.practice.grades import Grade
from learn.practice.grading import Outcome
from learn.practice.results import FAILED, PASSED, Failure, Result, Verdict
from learn.practice.steps import FIRST, read_steps
from learn.practice.submissions import Submission

BROKEN = "raise ValueError('<script>alert(1)</script>')\n"


@pytest.fixture
def room(tmp_path):
    from learn.running.box import has_walls

    return Classroom(tmp_path, has_walls()[0])


def test_table_and_reports(room):
    """Each learner gets a row, in every form; markup stays text, and no cell is a formula."""
    room.hand_in("=1+1.py", BROKEN)
    room.hand_in("empty folder/.keep", "")
    paths = {name: room.place / f"report.{name}" for name in ("csv", "xml", "html")}
    options = ["--csv", paths["csv"], "--junitxml", paths["xml"], "--html", paths["html"]]
    done = room.grade(*map(str, options))
    assert done.returncode == 1, done.stderr  # as there is no verdict on the folder
    assert "1 failed, 1 not judged." in done.stdout and "Traceback" not in done.stderr
    rows = list(csv.reader(paths["csv"].open(encoding="utf-8")))
    assert [row[:3] for row in rows[1:]] == [
        ["'=1+1", "failed", f"0 of {done.rows['=1+1']['steps']}"],
        ["empty folder", "not judged", ""],
    ]
    assert done.rows["=1+1"]["error"] and not done.rows["=1+1"]["passed"]
    suites = ET.parse(paths["xml"]).getroot()
    assert [suite.get("name") for suite in suites] == ["=1+1", "empty folder"]
    assert all(suite.findall("testcase/error") for suite in suites)
    pages = {page.name: page.read_text("utf-8") for page in paths["html"].iterdir()}
    assert set(pages) == {"index.html", "001-1-1.html", "002-empty-folder.html"}
    assert "&lt;script&gt;alert" in pages["001-1-1.html"]
    assert not any("<script" in page for page in pages.values())


def test_words_in_backticks_are_code(tmp_path):
    """In the pages, what a sentence sets apart is set as code, and markup in it stays text."""
    step = next(one for one in read_steps(LESSONS / "01_hashing") if "`" in one.ask)
    failure = Failure(next(iter(step.checks)), "`flask <run>`", "a `pair`", said="`as it came`")
    results = [Result(step, FAILED, failure=failure)]
    for number, broken in enumerate(["exercise.py has no `app`. It has\na ` alone.", ""]):
        verdict = Verdict(LESSONS / "01_hashing", tmp_path / "app.py", results, broken=broken)
        grade = Grade(Submission("anna`s`"), Outcome(FAILED, verdict))
        report.write_pages([grade], tmp_path / str(number), "Lesson 01")
    index = (tmp_path / "0" / "index.html").read_text("utf-8")
    assert "has no <code>app</code>." in index and ">anna`s`</a>" in index
    [broken, page] = [
        (tmp_path / name / "001-anna-s.html").read_text("utf-8") for name in ("0", "1")
    ]
    assert "<pre>exercise.py has no <code>app</code>. It has\na ` alone.</pre>" in broken
    assert "<dd><code>flask &lt;run&gt;</code><dt>came<dd>a `pair`" in page
    assert "<pre>`as it came`</pre>" in page  # a learner's program may have said it
    assert "<code>GET /</code>" in page


@pytest.mark.rest
def test_goes_on_where_it_was(room):
    """What has been judged isn't judged again, until the file or a check changes."""
    for name in ("anna.py", "bert.py"):
        room.hand_in(name, f"{BROKEN}# {name}\n")
    assert "judged before" not in room.grade().stdout
    assert "2 of them judged before" in room.grade().stdout
    room.hand_in("bert.py", BROKEN)
    assert "1 of them judged before" in room.grade().stdout
    assert "judged before" not in room.grade("--again").stdout
    for file in (room.root / ".learn" / "grades" / "02_basic").iterdir():
        file.write_text("[]", "utf-8")  # whatever stands there
    assert "judged before" not in room.grade().stdout


@pytest.mark.rest
@pytest.mark.skipif(os.name == "nt", reason="Ctrl-C is sent as POSIX does")
def test_ctrl_c_keeps_what_is_done(room):
    """Ctrl-C ends everything at once; the same command then goes on."""
    room.hand_in("anna.py", BROKEN)
    room.hand_in("bert.py", "import time\ntime.sleep(600)\n")
    command = [sys.executable, "-m", "learn", "grade", "02", str(room.submissions), "--jobs", "1"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    env = {**room.environment, "LEARN_PATIENCE": "60"}
    running = subprocess.Popen(command, cwd=room.root, env=env, start_new_session=True, **pipes)
    kept = room.root / ".learn" / "grades" / "02_basic"
    deadline = time.monotonic() + 60
    while not (kept.is_dir() and list(kept.glob("*.json"))) and time.monotonic() < deadline:
        time.sleep(0.1)
    time.sleep(1)
    os.killpg(running.pid, signal.SIGINT)
    out, err = running.communicate(timeout=30)
    assert running.returncode == 130 and "the same command goes on" in err, err
    assert "Traceback" not in err and not list(room.tmp.glob("learn-*"))
    (room.submissions / "bert.py").unlink()
    assert "1 of them judged before" in room.grade().stdout


@pytest.mark.rest
def test_failure_is_shown_with_its_exchange(room):
    """The page that is handed back shows the exchange that failed, with its telling line."""
    room.hand_in("anna/exercise.py", lesson_file("naive.py"))
    done = room.grade("--html", str(room.place / "pages"))
    assert done.returncode == 0, done.stderr
    assert done.rows["anna"]["state"] == "failed" and "naive.py" in done.rows["anna"]["alike"]
    page = (room.place / "pages" / "001-anna.html").read_text("utf-8")
    assert "<mark>→ WWW-Authenticate: Basic realm=" in page
    assert "charset=&quot;UTF-8&quot; in the challenge" in page and "A question:" in page
    assert json.loads((room.place / "report.json").read_text("utf-8"))[0]["steps_done"] == 0


def test_wrong_words_get_a_sentence(room):
    """A lesson or a folder that isn't there, and an empty folder, are told."""
    assert "There is nothing in" in room.grade().stderr
    command = [sys.executable, "-m", "learn", "grade"]
    for words, said in [(["02", "nowhere"], "does not exist"), (["77", "."], "no lesson '77'")]:
        done = subprocess.run(
            [*command, *words], cwd=room.root, env=room.environment, capture_output=True, text=True
        )
        assert done.returncode in (1, 2) and said in done.stderr and "Traceback" not in done.stderr


def test_no_step_is_done_while_it_does_not_work():
    """As long as "It works" fails, no step counts as done."""
    folder = LESSONS / "02_basic"
    results = [Result(step, PASSED, passed=set(step.checks)) for step in read_steps(folder)]
    verdict = Verdict(folder, folder / "app.py", results)
    assert verdict.passed and verdict.done == len(verdict.steps)
    first = next(result for result in results if result.step.name == FIRST)
    first.state, first.failure = FAILED, Failure(next(iter(first.step.checks)))
    assert not verdict.passed and verdict.done == 0
