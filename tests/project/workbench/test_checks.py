"""The checks are worth something: each one can fail, and on naive.py the right ones do."""

import re
import subprocess
import sys

import pytest

from learn.layout import LESSONS, ROOT, LessonError
from learn.practice.steps import FIRST, read_steps

FOLDERS = sorted(p.name for p in LESSONS.iterdir() if (p / "app.py").is_file())
# Whether each check fails on naive.py is tried for two lessons always, for the others in the rest.
QUICK = ("03_digest", "04_jwt")
EACH = [pytest.param(f, marks=() if f in QUICK else pytest.mark.rest) for f in FOLDERS]
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


@pytest.mark.parametrize("folder", EACH)
def test_naive_passes_it_works_and_no_other_check(folder):
    """On naive.py the checks called "it works" pass, and every single other one fails."""
    passed, failed = run_pytest(folder, "--on=naive")
    steps = read_steps(LESSONS / folder)
    steps = {step.name: set(step.checks) for step in steps if not step.beyond}
    assert passed == steps.pop(FIRST) and all(n.startswith("test_it_works") for n in passed)
    assert failed == set.union(*steps.values())


@pytest.mark.parametrize("folder", ONE)
def test_beyond_passes_all(folder, request):
    """Each file beyond app.py passes the optional steps that it solves; with --long all others."""
    steps = read_steps(LESSONS / folder)
    for file in dict.fromkeys(step.beyond for step in steps if step.beyond):
        wanted = [step for step in steps if step.beyond == file]
        if request.config.getoption("--long"):
            wanted += [step for step in steps if not step.beyond]
        names = " or ".join(step.name for step in wanted)
        passed, failed = run_pytest(folder, f"--on={file}", "--beyond", "-k", names)
        assert not failed and passed == {name for step in wanted for name in step.checks}, file


@pytest.mark.parametrize("folder", ONE)
def test_app_fails_the_optional_steps(folder):
    """The checks of the optional steps fail on app.py, so they can fail."""
    beyond = [step for step in read_steps(LESSONS / folder) if step.beyond]
    names = " or ".join(step.name for step in beyond)
    passed, failed = run_pytest(folder, "--beyond", "-k", names)
    assert not passed and failed == {name for step in beyond for name in step.checks}


@pytest.mark.parametrize("folder", FOLDERS)
def test_steps_say_what_a_learner_needs(folder):
    """Each lesson has five to nine steps; each says why, asks, hints, and names its pieces."""
    import learn.practice.exercise

    steps = read_steps(LESSONS / folder)
    assert 5 <= sum(step.counts for step in steps) <= 9 and steps[0].name == FIRST
    beyond = [step.beyond for step in steps]
    assert beyond[-1] and all(beyond[len(steps) - sum(map(bool, beyond)) :])  # they come last
    for step in steps:
        assert step.checks and len(step.why) > 30 and step.ask.endswith("?"), step.name
        assert len(step.hints) == 3 and len(set(step.hints)) == 3, step.name
    pieces = learn.practice.exercise.pieces((LESSONS / folder / "app.py").read_text("utf-8"))
    named = [name for step in steps for name in step.pieces]
    assert len(named) == len(set(named)), "a piece belongs to one step"
    assert set(named) <= set(pieces), set(named) - set(pieces)


@pytest.mark.parametrize("folder", FOLDERS)
def test_beyond_imports_app_and_adds_to_it(folder):
    """What goes beyond app.py imports it, and repeats next to nothing of it."""
    app = (LESSONS / folder / "app.py").read_text("utf-8")
    for file in {step.beyond for step in read_steps(LESSONS / folder) if step.beyond}:
        text = (LESSONS / folder / f"{file}.py").read_text("utf-8")
        assert re.search(r"^(from app import|import app)", text, re.M), file
        own = [line for line in text.split("\n") if len(line) > 30]
        again = [line for line in own if line in app.split("\n")]
        assert len(again) <= 6, again


def test_texts_may_be_translated(monkeypatch, tmp_path):
    """With LEARN_LANGUAGE the steps' texts come from a folder beside the lesson's own, if any."""
    folder = LESSONS / "02_basic"
    (tmp_path / "02_basic" / "xx").mkdir(parents=True)
    text = (folder / "steps.toml").read_text("utf-8")
    (tmp_path / "02_basic" / "steps.toml").write_text(text, "utf-8")
    text = text.replace('title = "It works"', 'title = "Es läuft"')
    (tmp_path / "02_basic" / "xx" / "steps.toml").write_text(text, "utf-8")
    titles = {}
    for language in ("", "xx", "yy", "../xx"):
        monkeypatch.setenv("LEARN_LANGUAGE", language)
        titles[language] = read_steps(tmp_path / "02_basic")[0].title
    assert titles == {"": "It works", "xx": "Es läuft", "yy": "It works", "../xx": "It works"}


@pytest.mark.parametrize(
    "old, new",
    [
        ('name = "TestItWorks"', 'name = "TestOther"'),  # a text without its step
        (
            "[[step]]",
            "",
        ),  # no TOML any more that has steps
        ('title = "It works"', 'titel = "It works"'),  # a misspelt word
    ],
)
def test_texts_that_do_not_fit_are_refused(old, new, tmp_path):
    """A step without text, a text without step, or a misspelt key is told in a sentence."""
    (tmp_path / "02_basic").mkdir()
    text = (LESSONS / "02_basic" / "steps.toml").read_text("utf-8")
    (tmp_path / "02_basic" / "steps.toml").write_text(text.replace(old, new), "utf-8")
    with pytest.raises(LessonError, match="steps.toml"):
        read_steps(tmp_path / "02_basic")
