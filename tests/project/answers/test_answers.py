"""The checks are right about every honest answer, and about every believable mistake.

Each folder here holds right answers to a lesson, in clearly different styles, and in `mistakes.py`
wrong ones, each made from a right one by a single change. A right one must pass every check; a
wrong one must be caught at the step where it belongs. The ordinary run takes a sample, and tries a
mistake on its step alone; `--long` takes all, and no earlier step may fail, and `--times 10` takes
the right ones ten times. docs/mistakes.md shows them as a table, with how many there are of each
kind, and what the checks can't see; LEARN_TABLE=1 writes it anew.
"""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from learn.layout import LESSONS, ROOT
from learn.practice.steps import number_of, read_steps

HERE = Path(__file__).parent
FOLDERS = sorted(p.name for p in HERE.iterdir() if (p / "mistakes.py").is_file())
RIGHT = [(f, p.name) for f in FOLDERS for p in HERE.glob(f"{f}/*.py") if p.name != "mistakes.py"]
BESIDE = ("app.py", "client.py")  # in which a mistake of app.py may be
KINDS = {  # what a mistake is about
    "identity": "who somebody is, what they may do, which password or code is right",
    "storage": "what is kept, and in what form",
    "time": "how long something counts, and from when",
    "concurrency": "several requests, several workers, a restart",
    "headers": "how a request is read, what an answer's status and headers say",
    "disclosure": "what an outsider, a log or a page is told, and by how long it takes",
    "configuration": "settings, limits, how the file runs",
}


def read(folder):
    """Return a folder's mistakes.py: its MISTAKES, and as UNSEEN what no check can see."""
    spec = importlib.util.spec_from_file_location(
        f"{folder}_mistakes", HERE / folder / "mistakes.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.MISTAKES, getattr(module, "UNSEEN", [])


WRONG = [(folder, mistake) for folder in FOLDERS for mistake in read(folder)[0]]


def run(folder, path, *arguments):
    """Run a lesson's checks on a file; return pytest's exit status and the first that failed."""
    command = [sys.executable, "-m", "pytest", f"tests/test_{folder}.py", f"--on={path}", "-q"]
    command += ["--tb=line", "-o", "addopts=", "--disable-plugin-autoload", *arguments]
    command += ["-p", "no:cacheprovider", "-rfE"]
    patient = {**os.environ, "LEARN_PATIENCE": "40"}  # two of these run at once, on busy machines
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=480, env=patient
    )
    found = re.search(r"^(?:FAILED|ERROR) \S+?::(\w+)::(\w+)", done.stdout, re.M)
    return done.returncode, found.groups() if found else None, done.stdout


def with_mistake(folder, mistake):
    """Return the right answer with the mistake in it: texts by file, the answer's own first.

    What is made from app.py may have it in client.py as well, which then lies beside it.
    """
    files = [HERE / folder / f"{mistake['base']}.py"]
    if mistake["base"] == "app":
        files = [path for path in map((LESSONS / folder).joinpath, BESIDE) if path.is_file()]
    texts = [path.read_text("utf-8") for path in files]
    names = ["exercise.py", *(path.name for path in files[1:])]
    for old, new in mistake.get("changes") or [(mistake["old"], mistake["new"])]:
        found = [number for number, text in enumerate(texts) for _ in range(text.count(old))]
        assert len(found) == 1, f"{len(found)} times in {', '.join(p.name for p in files)}: {old}"
        texts[found[0]] = texts[found[0]].replace(old, new)
    return dict(zip(names, texts, strict=True))


def test_every_mistake_still_fits_its_answer():
    """What each mistake replaces occurs once in the answer that it is made from."""
    for folder, mistake in WRONG:
        assert with_mistake(folder, mistake)


def test_there_are_enough_answers():
    """Each lesson has at least four right answers and at least twelve wrong ones."""
    assert FOLDERS == sorted(p.name for p in LESSONS.iterdir() if (p / "app.py").is_file())
    for folder in FOLDERS:
        assert sum(f == folder for f, _ in RIGHT) >= 4
        assert sum(f == folder for f, _ in WRONG) >= 12


def test_every_mistake_has_a_kind_and_a_name_of_its_own():
    """Each mistake of a lesson names its kind and is called differently from all others."""
    for folder in FOLDERS:
        ours = [mistake for f, mistake in WRONG if f == folder]
        assert len({mistake["name"] for mistake in ours}) == len(ours)
        kinds = [mistake.get("kind") for mistake in ours]
        assert not any(kinds) or set(kinds) <= set(KINDS), folder


@pytest.mark.rest
def test_right_answer_passes_whole(folder, name):
    """A right answer passes every check, whatever its style."""
    status, failed, said = run(folder, HERE / folder / name)
    assert status == 0 and failed is None, said


def pytest_generate_tests(metafunc):
    right, wrong = RIGHT, WRONG
    if not metafunc.config.getoption("--long"):
        right = [("03_digest", "table.py")]
        wrong = WRONG[:: len(WRONG) // 10]
    if "name" in metafunc.fixturenames:
        right = sorted(right) * metafunc.config.getoption("--times")
        metafunc.parametrize("folder, name", right, ids=lambda value: value)
    if "mistake" in metafunc.fixturenames:
        names = [f"{folder}-{mistake['name']}" for folder, mistake in wrong]
        metafunc.parametrize("folder, mistake", wrong, ids=names)


@pytest.mark.rest
def test_mistake_is_caught_at_its_step(folder, mistake, tmp_path, request):
    """A wrong answer is caught at the step that its mistake belongs to."""
    for name, text in with_mistake(folder, mistake).items():
        (tmp_path / name).write_text(text, "utf-8")
    path = tmp_path / "exercise.py"
    only = [] if request.config.getoption("--long") else ["-k", mistake["step"]]
    status, failed, said = run(folder, path, "--maxfail=1", *only)
    assert status == 1 and failed is not None, said
    assert failed[0] == mistake["step"], said


def table():
    """Return which step catches which mistake, as Markdown."""
    lines = ["# Which step catches which mistake", ""]
    lines += [
        "Each line is a wrong answer under `tests/project/answers`: a right one with this mistake",
        "in it, which is caught at this step and passes all steps before it. `test --long` tries",
        "all of them, the shorter runs a sample.",
        "What no check can see from outside stands below each table, with what to look for in the",
        "file instead.",
        "",
        "## How many of each kind",
        "",
    ]
    lines += [f"- {kind}: {what}" for kind, what in KINDS.items()]
    lines += ["", f"| lesson | {' | '.join(KINDS)} | all |", "|---|" + "--:|" * (len(KINDS) + 1)]
    for folder in FOLDERS:
        kinds = [mistake.get("kind") for f, mistake in WRONG if f == folder]
        counts = [*map(kinds.count, KINDS), len(kinds)]
        lines.append(f"| {folder} | {' | '.join(map(str, counts))} |")
    for folder in FOLDERS:
        steps = read_steps(LESSONS / folder)
        right = ", ".join(f"`{name}`" for f, name in sorted(RIGHT) if f == folder)
        lines += ["", f"## {folder}", "", f"Right answers, which pass whole: {right}."]
        lines += ["", "| step | kind | mistake |", "|---|---|---|"]
        for step in steps:
            for _, mistake in (one for one in WRONG if one[0] == folder):
                if mistake["step"] == step.name:
                    where = f"{number_of(step, steps)}: {step.title}"
                    lines.append(f"| {where} | {mistake.get('kind', '')} | {mistake['name']} |")
        unseen = read(folder)[1]
        if unseen:
            lines += ["", "Not seen from outside:", ""]
            lines += ["| mistake | what a teacher could look for |", "|---|---|"]
            lines += [f"| {mistake} | {look} |" for mistake, look in unseen]
    return "\n".join(lines) + "\n"


def test_table_is_current():
    """docs/mistakes.md shows the answers that are here."""
    path = ROOT / "docs" / "mistakes.md"
    if os.environ.get("LEARN_TABLE"):
        path.write_text(table(), "utf-8")
    assert path.read_text("utf-8") == table()
