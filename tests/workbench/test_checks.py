"""The checks are worth something: each one can fail, and on naive.py the right ones do."""

import subprocess
import sys
import xml.etree.ElementTree as ET

import pytest

from learn.places import LESSONS, ROOT

CHECKS = sorted(p.name for p in (ROOT / "tests").glob("test_0*.py"))


def run_checks(name, on, tmp_path):
    """Run one lesson's checks on a file; return the names that passed and those that failed."""
    report = tmp_path / "report.xml"
    command = [
        sys.executable,
        "-m",
        "pytest",
        f"tests/{name}",
        f"--on={on}",
        f"--junitxml={report}",
    ]
    subprocess.run([*command, "-q", "--tb=no"], cwd=ROOT, capture_output=True, timeout=300)
    passed, failed = set(), set()
    for case in ET.parse(report).getroot().iter("testcase"):
        bad = case.find("failure") is not None or case.find("error") is not None
        (failed if bad else passed).add(case.get("name"))
    return passed, failed


def test_every_lesson_has_checks():
    """Each lesson has a file of checks named like it."""
    lessons = {f"test_{p.name}.py" for p in LESSONS.iterdir() if (p / "app.py").is_file()}
    assert set(CHECKS) == lessons


@pytest.mark.parametrize("name", CHECKS)
def test_naive_fails_all_but_it_works(name, tmp_path):
    """On naive.py the checks called "it works" pass and every other check fails."""
    passed, failed = run_checks(name, "naive", tmp_path)
    assert passed and failed
    assert {n for n in passed | failed if n.startswith("test_it_works")} == passed


def test_any_file_can_be_checked(tmp_path):
    """`--on PATH` checks a file anywhere, such as a learner's."""
    (tmp_path / "mine.py").write_text((LESSONS / "02_basic" / "app.py").read_text("utf-8"), "utf-8")
    passed, failed = run_checks("test_02_basic.py", tmp_path / "mine.py", tmp_path)
    assert passed and not failed
