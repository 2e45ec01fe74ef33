"""start, check, hint, solution, reset and the progress, as a learner meets them."""

import json
import os
import subprocess
import xml.etree.ElementTree as ET

import pytest

from learn.practice import progress
from learn.practice.steps import read_steps

CLOSED = """
class WithCharset(HTTPBasicAuth):
    def authenticate_header(self):
        return super().authenticate_header() + ', charset="UTF-8"'


auth = WithCharset()
"""


def test_start_makes_an_exercise_and_names_the_first_step(tutorial):
    """`start` makes exercise.py, which runs like naive.py, and says what the first step is."""
    done = tutorial.learn("start", "02")
    assert done.returncode == 0 and "exercise.py is yours" in done.stdout
    assert "first of 9 steps: The header is read" in done.stdout and "check 02" in done.stdout
    code = tutorial.exercise("02_basic").read_text("utf-8").partition('"""\n\n')[2]
    assert code and code in tutorial.file("02_basic", "naive.py")


def test_start_never_touches_an_exercise(tutorial):
    """A second `start` leaves the exercise as it is, byte for byte."""
    path = tutorial.exercise("02_basic", "mine = 'é'\n")
    done = tutorial.learn("start", "02")
    assert done.returncode == 0 and "stays as it is" in done.stdout
    assert path.read_text("utf-8") == "mine = 'é'\n"


def test_reset_keeps_the_old_files(tutorial):
    """`reset` keeps each old exercise under a number of its own and says where."""
    for number in (1, 2):
        tutorial.exercise("02_basic", f"attempt = {number}\n")
        done = tutorial.learn("reset", "02")
        assert done.returncode == 0 and f"exercise_{number}.py" in done.stdout
    folder = tutorial.exercise("02_basic").parent
    assert (folder / "exercise_1.py").read_text() == "attempt = 1\n"
    assert (folder / "exercise_2.py").read_text() == "attempt = 2\n"
    assert "HTTPBasicAuth" in tutorial.exercise("02_basic").read_text("utf-8")


def test_what_needs_an_exercise_says_so(tutorial):
    """Without an exercise the commands say how to make one, with status 1."""
    for command in (["check"], ["check", "02"], ["check", "--all"], ["hint"], ["hint", "02"],
                    ["solution", "02"], ["reset", "02"], ["check", "02", "--watch"]):  # fmt: skip
        done = tutorial.learn(*command)
        assert done.returncode == 1 and "python3 -m learn start 0" in done.stderr, command


def test_check_stops_at_the_first_step_that_fails(tutorial):
    """`check` shows the sentence, what was expected, what came and where, and asks a question."""
    tutorial.learn("start", "02")
    done = tutorial.learn("check", "02")
    assert done.returncode == 1
    out = done.stdout
    assert "0 of 9 steps" in out and "Step 1: The header is read" in out
    assert 'expected  charset="UTF-8" in the challenge' in out
    assert 'came      Basic realm="Authentication Required"' in out
    assert '→ WWW-Authenticate: Basic realm="Authentication Required"' in out
    assert "A question: Which part" in out and "learn hint 02" in out
    assert "Step 2" not in out and "get_auth" not in out  # no answer, and nothing beyond
    assert "\x1b" not in out and all(len(line) <= 80 for line in out.split("\n"))


def test_check_goes_on_when_a_step_is_closed(tutorial):
    """A check that passes lets the next one show; without a number the last lesson is checked."""
    tutorial.learn("start", "01")
    tutorial.learn("start", "02")
    naive = tutorial.exercise("02_basic").read_text("utf-8")
    tutorial.exercise("02_basic", naive.replace("auth = HTTPBasicAuth()\n", CLOSED))
    done = tutorial.learn("check")
    assert done.returncode == 1 and "02_basic, exercise.py" in done.stdout
    assert "Credentials under another scheme's name are refused." in done.stdout


def test_all_steps_passed(tutorial):
    """With all steps passed `check` says what the learner can do now and what comes next."""
    tutorial.exercise("03_digest", tutorial.file("03_digest", "app.py"))
    done = tutorial.learn("check", "03")
    assert done.returncode == 0 and "All 7 steps are done." in done.stdout
    assert "You can now" in done.stdout and "learn play 04" in done.stdout
    assert "Optional: Beyond app.py: a server that refuses MD5" in done.stdout
    bare = tutorial.learn().stdout
    assert "all 7 steps" in bare and "\nNext: python3 -m learn play 04 " in bare
    tutorial.exercise("03_digest", tutorial.file("03_digest", "naive.py"))
    assert "changed since its last check" in tutorial.learn().stdout


@pytest.mark.long
def test_going_beyond(tutorial):
    """Whoever takes the optional step as well is told so."""
    tutorial.exercise("03_digest", tutorial.file("03_digest", "beyond.py"))
    done = tutorial.learn("check", "03")
    assert done.returncode == 0 and "You went beyond app.py as well." in done.stdout


def test_progress_is_right_after_a_change(tutorial):
    """Bare `learn` shows the steps done; after a change it claims nothing until the next check."""
    assert "play 01" in tutorial.learn().stdout
    tutorial.exercise("03_digest", tutorial.file("03_digest", "naive.py"))
    assert "not checked yet" in tutorial.learn().stdout
    tutorial.learn("check", "03")
    out = tutorial.learn().stdout
    assert "0 of 7 steps" in out and "Next: python3 -m learn check 03" in out
    tutorial.exercise("03_digest", tutorial.file("03_digest", "app.py"))
    assert "0 of 7 steps" not in tutorial.learn().stdout


def test_what_comes_next(tutorial, monkeypatch):
    """The next thing to do is after the lesson that is done; at the end all are compared."""
    lessons = tutorial.root / "lessons"
    monkeypatch.setattr(progress, "LESSONS", lessons)
    monkeypatch.setattr(progress, "STATE", tutorial.root / ".learn" / "progress.json")

    def after(name):
        passed = [step.name for step in read_steps(lessons / name)]
        progress.keep(lessons / name, passed=passed, digest=progress.digest(lessons / name))
        return progress.next_command(lessons / name)

    for folder in ("03_digest", "06_sessions", "08_oidc"):
        tutorial.exercise(folder, tutorial.file(folder, "naive.py"))
    assert progress.next_command() == "play 01"
    assert after("06_sessions") == "play 07"
    assert "\nNext: python3 -m learn play 07 " in tutorial.learn().stdout
    assert after("08_oidc") == "check 03"  # begun, and not done
    assert after("03_digest") == "play 04"
    assert after("08_oidc") == "play compare"
    assert "\nNext: python3 -m learn play compare " in tutorial.learn().stdout


@pytest.mark.rest
def test_broken_state_costs_nothing(tutorial, request):
    """Whatever stands in the state file, the commands work."""
    tutorial.learn("start", "03")
    state = tutorial.root / ".learn" / "progress.json"
    states = ["[1", '{"03_digest": {"passed": 7}}', '{"03_digest": 5, "last": {}}', "[]", "\0"]
    for broken in states if request.config.getoption("--long") else states[:2]:
        state.write_text(broken)
        assert tutorial.learn().returncode == 0, broken
        done = tutorial.learn("hint", "03")
        assert done.returncode == 0 and "Hint 1 of 3" in done.stdout, (broken, done.stderr)
    state.unlink()
    state.mkdir()  # it can't even be written
    assert tutorial.learn("check", "03").returncode == 1
    assert tutorial.learn().returncode == 0


def test_hints_are_graded(tutorial):
    """Each call gives one hint more, from where to look to almost the line; then the last again."""
    tutorial.learn("start", "03")
    given = [tutorial.learn("hint", "03").stdout for _ in range(4)]
    assert "Hint 1 of 3: Look at" in given[0] and "Hint 2 of 3" in given[1]
    assert "Hint 3 of 3" in given[2] and given[2] == given[3]


def test_solution_asks_first(tutorial):
    """`solution` before half of the steps asks; --yes shows it, piece by piece with its step."""
    tutorial.learn("start", "04")
    done = tutorial.learn("solution", "04")
    assert done.returncode == 1 and "--yes" in done.stderr and not done.stdout
    shown = tutorial.learn("solution", "04", "--yes").stdout
    titles = [line for line in shown.split("\n") if line.startswith("Step ")]
    assert titles[0].startswith("Step 1: A token is given") and len(titles) >= 5
    assert "+def logout():" in shown and "-        token = request.args.get" in shown


def test_no_difference_is_said(tutorial):
    """`diff` and `solution` say so when nothing differs; what goes beyond is shown all the same."""
    tutorial.exercise("02_basic", tutorial.file("02_basic", "app.py"))
    said = "exercise.py and app.py don't differ."
    assert tutorial.learn("diff", "02", "exercise").stdout.strip() == said
    shown = tutorial.learn("solution", "02", "--yes").stdout
    assert shown.startswith(f"{said}\n\nOptional: ") and "stands in" not in shown


@pytest.mark.long
def test_solution_when_all_is_done(tutorial):
    """With all steps done nobody is asked, and what is left is the step beyond."""
    tutorial.exercise("04_jwt", tutorial.file("04_jwt", "app.py"))
    assert tutorial.learn("check", "04").returncode == 0
    same = tutorial.learn("solution", "04").stdout
    assert "Step " not in same and "+def refresh():" in same


def test_solution_of_what_is_no_python(tutorial):
    """`solution` shows the whole difference when the exercise is no Python."""
    tutorial.exercise("02_basic", "def broken(:\n")
    done = tutorial.learn("solution", "02", "--yes")
    assert done.returncode == 0 and "-def broken(:" in done.stdout and "+app = Flask" in done.stdout


def test_json_and_junit_hold_every_step(tutorial, tmp_path):
    """--json and --junitxml give each step a result of its own, also after one that failed."""
    tutorial.learn("start", "03")
    report = tmp_path / "report.xml"
    done = tutorial.learn("check", "03", "--json", "--junitxml", str(report))
    found = json.loads(done.stdout)
    assert done.returncode == 1 and not found["passed"] and found["steps"] == 7
    results = {step["step"]: step["result"] for step in found["results"]}
    assert results["TestItWorks"] == "passed" and len(results) == 9
    assert {r for name, r in results.items() if name != "TestItWorks"} == {"failed"}
    one = found["results"][1]["failure"]
    assert one["expected"] and one["came"] and "HTTP/1.1 401" in one["exchange"]
    suite = ET.parse(report).getroot().find("testsuite")
    assert suite.get("tests") == "9" and suite.get("failures") == "7"
    assert len(suite.findall("testcase")) == 9 and len(suite.findall(".//failure")) == 7


def test_json_of_a_file_that_does_not_start(tutorial, tmp_path):
    """A grader learns why a submission doesn't start, in JSON and in JUnit's XML."""
    (tmp_path / "submission.py").write_text("import nothing_of_that_name\n")
    report = tmp_path / "report.xml"
    done = tutorial.learn(
        "check",
        "02",
        "--file",
        str(tmp_path / "submission.py"),
        "--json",
        "--junitxml",
        str(report),
    )
    found = json.loads(done.stdout)
    assert done.returncode == 1 and "nothing_of_that_name" in found["error"]
    assert ET.parse(report).getroot().find(".//error") is not None
    assert not (tutorial.root / ".learn" / "progress.json").exists()  # it is nobody's exercise


def test_all_lessons_in_a_table(tutorial):
    """`check --all` reports every lesson in a table."""
    tutorial.learn("start", "03")
    tutorial.exercise("04_jwt", "x = (\n")
    done = tutorial.learn("check", "--all")
    assert done.returncode == 1
    assert "03_digest" in done.stdout and "0 of 7" in done.stdout and "04_jwt" in done.stdout
    assert "not begun: start 02" in done.stdout


def test_two_checks_at_once(tutorial):
    """Two checks at once don't disturb each other."""
    tutorial.learn("start", "03")
    runs = [
        subprocess.Popen(
            tutorial.command("check", "03"),
            cwd=tutorial.root,
            env=tutorial.environment,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        for _ in range(2)
    ]
    for run in runs:
        out = run.communicate(timeout=120)[0]
        assert run.returncode == 1 and "0 of 7 steps" in out
    kept = json.loads((tutorial.root / ".learn" / "progress.json").read_text("utf-8"))
    assert kept["03_digest"]["failed"] == "TestNoCookies"


def test_verdict_in_a_notebook(tutorial):
    """The last cell of a notebook shows the same verdict, as Markdown."""
    code = "from learn import check; print(check('02')._repr_markdown_())"
    python = [tutorial.command()[0], "-c", code]
    more = {"cwd": tutorial.root, "env": tutorial.environment, "encoding": "utf-8"}
    before = subprocess.run(python, capture_output=True, text=True, **more)
    assert "`python3 -m learn start 02`" in before.stdout, before.stderr
    tutorial.learn("start", "02")
    after = subprocess.run(python, capture_output=True, text=True, **more).stdout
    assert "### Step 1: The header is read" in after and "```http" in after
    assert 'expected charset="UTF-8" in the challenge' in after


def test_wrong_ways_to_call_check(tutorial):
    """What can't go together is refused with a sentence and status 2."""
    tutorial.learn("start", "02")
    for arguments in (["--all", "02"], ["--file", "x.py"], ["02", "--watch", "--json"]):
        done = tutorial.learn("check", *arguments)
        assert done.returncode == 2 and "Error:" in done.stderr, arguments
    done = tutorial.learn("check", "--all", "--watch")
    assert done.returncode == 2 and "Error: --watch is for one" in done.stderr
    done = tutorial.learn("check", "02", "--file", os.path.join("no", "such.py"))
    assert done.returncode == 1 and "such.py" in done.stderr
    done = tutorial.learn("chek")
    assert done.returncode == 2 and "Did you mean check?" in done.stderr
