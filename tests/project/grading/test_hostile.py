"""Hostile submissions: none passes, each is bounded, and the next one is judged rightly.

Each file under hostile/ was written to fool or to starve who judges it. They are graded one after
the other, with a right answer between them, in a box and without one.
"""

import os
import subprocess
from pathlib import Path

import pytest
from conftest import SECRET, Classroom, lesson_file

from learn.practice.grading import Bounds
from learn.running.box import has_walls

HOSTILE = Path(__file__).parent / "hostile"
NAMES = [*sorted(path.stem for path in HOSTILE.glob("*.py")), "good_to_the_checker"]
RIGHT_AFTER = ["leaves_a_daemon", "rewrites_the_checks", "speaks_for_its_judge"]
SAID = {  # what the row must say, where that is no matter of chance
    "does_not_end": "did not answer within",
    "fills_the_disk": f"or {Bounds.disk >> 20} MB",
}

pytestmark = [
    pytest.mark.skipif(os.name == "nt", reason="hostile submissions are written for POSIX"),
    pytest.mark.long,  # three minutes in a box, and five without
]


def hostile(name, room):
    """Return the text of a hostile submission, aimed at a copy of the tutorial."""
    if name == "good_to_the_checker":
        return lesson_file("app.py") + (HOSTILE / f"{name}.tail").read_text("utf-8")
    text = (HOSTILE / f"{name}.py").read_text("utf-8").replace("TUTORIAL", str(room.root))
    return text.replace("JUDGES", str(room.tmp)).replace("ITS_OWN", "no" if room.walls else "yes")


def daemons():
    """The processes that a hostile submission left behind."""
    found = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True).stdout
    return [line for line in found.split("\n") if "DAEMON_OF_THE_TEST" in line]


@pytest.fixture(scope="module", params=["box", "open"])
def graded(request, tmp_path_factory):
    """All of them, graded: the classroom, and the rows of the table."""
    walls = request.param == "box"
    if walls and not has_walls()[0]:
        pytest.skip(f"bubblewrap: {has_walls()[1]}")
    room = Classroom(tmp_path_factory.mktemp("class"), walls)
    for number, name in enumerate(NAMES):
        room.hand_in(f"{number:02d}_{name}.py", hostile(name, room))
        if name in RIGHT_AFTER:
            text = f"{lesson_file('app.py')}\n# after {name}\n"
            room.hand_in(f"{number:02d}_{name}_then_right.py", text)
    done = room.grade("--jobs", "2", "--seconds", "200", "--html", str(room.place / "pages"))
    assert done.rows, done.stderr
    room.rows = {name.partition("_")[2]: row for name, row in done.rows.items()}
    room.done = done
    return room


@pytest.mark.parametrize("name", NAMES)
def test_hostile_submission_never_passes(graded, name):
    """Its verdict is failed, or that there is none."""
    if name == "serves_the_solution" and not graded.walls:
        pytest.skip("without a box, a submission can read the lesson's files")
    row = graded.rows[name]
    assert row["state"] in ("failed", "not judged") and not row["passed"], row
    assert SAID.get(name, "") in row["why"], row["why"]


@pytest.mark.parametrize("name", RIGHT_AFTER)
def test_next_submission_is_judged_rightly(graded, name):
    """Whatever a hostile submission did, a right answer passes after it."""
    row = graded.rows[f"{name}_then_right"]
    assert row["state"] == "passed" and row["steps_done"] == row["steps"] > 0, row


def test_grader_stays_within_bounds(graded):
    """Neither memory nor processes grow far beyond what a submission may take; nor does time."""
    assert graded.done.memory < 2 * Bounds.memory
    assert graded.done.processes < 2 * Bounds.processes
    assert all(row["seconds"] < 230 for row in graded.rows.values())


def test_nothing_is_left_behind(graded):
    """No process runs on, no folder is left, and no secret stands in a report."""
    assert not daemons()
    assert not list(graded.tmp.glob("learn-*"))
    reports = [graded.place / "report.json", *(graded.place / "pages").iterdir()]
    assert not [path for path in reports if SECRET in path.read_text("utf-8")]
    assert SECRET not in graded.done.stdout + graded.done.stderr


def test_a_line_says_that_there_is_no_box(graded):
    """Whoever grades without a box is told so, once."""
    assert graded.done.stderr.count("No box: ") == (0 if graded.walls else 1)
    assert "Traceback" not in graded.done.stdout + graded.done.stderr


def test_box_keeps_the_tutorial_as_it_was(graded):
    """In a box, a submission can't even change the checks that lie here."""
    if not graded.walls:
        pytest.skip("without a box, a submission can write what its user can")
    assert "FORGED" not in (graded.root / "tests" / "test_02_basic.py").read_text("utf-8")
    assert "seconds_of" in (graded.root / "tests" / "test_02_basic.py").read_text("utf-8")
