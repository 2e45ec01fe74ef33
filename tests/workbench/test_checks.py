"""The checks are worth something: each one can fail, and on naive.py the right ones do."""

import difflib
import re
import subprocess
import sys

import pytest

from learn.layout import LESSONS, ROOT
from learn.practice.steps import FIRST, read_steps

FOLDERS = sorted(p.name for p in LESSONS.iterdir() if (p / "app.py").is_file())
# The optional steps of all lessons are tried with --long, and of this one always.
ONE = [pytest.param(f, marks=() if f == "03_digest" else pytest.mark.long) for f in FOLDERS]


def run_pytest(folder, *arguments):
    """Run a lesson's checks with pytest; return the names of those that passed and that failed."""
    command = [sys.executable, "-m", "pytest", f"tests/test_{folder}.py", *arguments, "-rA", "-q"]
    command += ["--tb=no", "-o", "addopts=", "--disable-plugin-autoload", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    found = re.findall(r"^(PASSED|FAILED|ERROR) (\S+?)(?: - .*)?$", done.stdout, re.M)
    names = [(word, name.rpartition("::")[2].partition("[")[0]) for word, name in found]
    passed = {name for word, name in names if word == "PASSED"}
    return passed, {name for word, name in names if word != "PASSED"}


@pytest.mark.parametrize("folder", FOLDERS)
def test_naive_passes_it_works_and_no_other_check(folder):
    """On naive.py the checks called "it works" pass, and every single other one fails."""
    passed, failed = run_pytest(folder, "--on=naive")
    steps = {step.name: set(step.checks) for step in read_steps(LESSONS / folder)[:-1]}
    assert passed == steps.pop(FIRST) and all(n.startswith("test_it_works") for n in passed)
    assert failed == set.union(*steps.values())


@pytest.mark.parametrize("folder", ONE)
def test_beyond_passes_all(folder, request):
    """beyond.py, the worked solution of the optional step, passes it; with --long all steps."""
    steps = read_steps(LESSONS / folder)
    steps = steps if request.config.getoption("--long") else steps[-1:]
    names = " or ".join(step.name for step in steps)
    passed, failed = run_pytest(folder, "--on=beyond", "--beyond", "-k", names)
    assert not failed and passed == {name for step in steps for name in step.checks}


@pytest.mark.parametrize("folder", ONE)
def test_app_fails_the_optional_step(folder):
    """The checks of the optional step fail on app.py, so they can fail."""
    step = read_steps(LESSONS / folder)[-1]
    passed, failed = run_pytest(folder, "--beyond", "-k", step.name)
    assert not passed and failed == set(step.checks)


@pytest.mark.parametrize("folder", FOLDERS)
def test_steps_say_what_a_learner_needs(folder):
    """Each lesson has five to nine steps; each says why, asks, hints, and names its pieces."""
    import learn.practice.exercise

    steps = read_steps(LESSONS / folder)
    assert 5 <= sum(step.counts for step in steps) <= 9 and steps[0].name == FIRST
    assert [step.beyond for step in steps].count(True) == 1 and steps[-1].beyond
    for step in steps:
        assert step.checks and len(step.why) > 30 and step.ask.endswith("?"), step.name
        assert len(step.hints) == 3 and len(set(step.hints)) == 3, step.name
    pieces = learn.practice.exercise.pieces((LESSONS / folder / "app.py").read_text("utf-8"))
    named = [name for step in steps for name in step.pieces]
    assert len(named) == len(set(named)), "a piece belongs to one step"
    assert set(named) <= set(pieces), set(named) - set(pieces)


@pytest.mark.parametrize("folder", FOLDERS)
def test_beyond_is_app_and_one_step_more(folder):
    """beyond.py keeps app.py's lines but for a few: what changes in one changes in the other."""
    app, beyond = ((LESSONS / folder / f"{n}.py").read_text("utf-8") for n in ("app", "beyond"))
    diff = list(difflib.ndiff(app.split("\n"), beyond.split("\n")))
    assert sum(line.startswith("- ") for line in diff) <= 20
    assert sum(line.startswith("+ ") for line in diff) <= 70
