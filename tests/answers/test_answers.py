"""The checks are right about every honest answer, and about every believable mistake.

Each folder here holds right answers to a lesson, in clearly different styles, and in `mistakes.py`
wrong ones, each made from a right one by a single change. A right one must pass every check; a
wrong one must be caught at the step where it belongs. One mistake of each step is tried on that
step; with `--long` all are, and no earlier step may fail. LEARN_TABLE=1 and -s print the table.
"""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from learn.places import LESSONS, ROOT

HERE = Path(__file__).parent
FOLDERS = sorted(p.name for p in HERE.iterdir() if (p / "mistakes.py").is_file())
RIGHT = [(f, p.name) for f in FOLDERS for p in HERE.glob(f"{f}/*.py") if p.name != "mistakes.py"]


def mistakes(folder):
    spec = importlib.util.spec_from_file_location(
        f"{folder}_mistakes", HERE / folder / "mistakes.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.MISTAKES


WRONG = [(folder, mistake) for folder in FOLDERS for mistake in mistakes(folder)]


def run(folder, path, *arguments):
    """Run a lesson's checks on a file; return pytest's exit status and the first that failed."""
    command = [sys.executable, "-m", "pytest", f"tests/test_{folder}.py", f"--on={path}", "-q"]
    command += ["--tb=line", "-o", "addopts=", "--disable-plugin-autoload", *arguments]
    command += ["-p", "no:cacheprovider", "-rfE"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    found = re.search(r"^(?:FAILED|ERROR) \S+?::(\w+)::(\w+)", done.stdout, re.M)
    return done.returncode, found.groups() if found else None, done.stdout


def test_there_are_enough_answers():
    """Each lesson has at least four right answers and at least twelve wrong ones."""
    assert FOLDERS == sorted(p.name for p in LESSONS.iterdir() if (p / "app.py").is_file())
    for folder in FOLDERS:
        assert sum(f == folder for f, _ in RIGHT) >= 4
        assert sum(f == folder for f, _ in WRONG) >= 12


@pytest.mark.parametrize("folder, name", RIGHT, ids=lambda value: value)
def test_right_answer_passes_whole(folder, name):
    """A right answer passes every check, whatever its style."""
    status, failed, said = run(folder, HERE / folder / name)
    assert status == 0 and failed is None, said


def pytest_generate_tests(metafunc):
    if "mistake" not in metafunc.fixturenames:
        return
    wrong = WRONG
    if not metafunc.config.getoption("--long"):  # one mistake a step
        steps = [(folder, mistake["step"]) for folder, mistake in WRONG]
        wrong = [one for number, one in enumerate(WRONG) if steps.index(steps[number]) == number]
    names = [f"{folder}-{m['name'].replace('::', ' ')}" for folder, m in wrong]
    metafunc.parametrize("folder, mistake", wrong, ids=names)


def test_mistake_is_caught_at_its_step(folder, mistake, tmp_path, request):
    """A wrong answer is caught at the step that its mistake belongs to."""
    base = HERE / folder / f"{mistake['base']}.py"
    if mistake["base"] == "app":
        base = LESSONS / folder / "app.py"
    text = base.read_text("utf-8")
    for old, new in mistake.get("changes") or [(mistake["old"], mistake["new"])]:
        assert text.count(old) == 1, f"{text.count(old)} times in {base.name}: {old}"
        text = text.replace(old, new)
    path = tmp_path / "exercise.py"
    path.write_text(text, "utf-8")
    only = [] if request.config.getoption("--long") else ["-k", mistake["step"]]
    status, failed, said = run(folder, path, "--maxfail=1", *only)
    assert status == 1 and failed is not None, said
    if os.environ.get("LEARN_TABLE"):
        print(f"\n| {folder} | {mistake['name']} | {failed[0]} | {failed[1]} |")
    assert failed[0] == mistake["step"], said
