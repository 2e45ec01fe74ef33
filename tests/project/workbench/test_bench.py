"""`learn bench`: what it counts, what it says when something is missing, and its tables.

Nothing here says how fast anything must be: machines differ, and are busy. docs/performance.md
shows one run, docs/performance.json holds its numbers; after a new run LEARN_TABLE=1 writes the
tables anew.
"""

import dataclasses
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from contextlib import closing

import psutil
import pytest
from click.testing import CliRunner

from learn import Table
from learn.commands import main
from learn.layout import ROOT, LessonError, find_folder
from learn.measure import bench, cases, hashes, load, turns, waiting

CASES = {case.name: case for case in cases.CASES}
PERFORMANCE = ROOT / "docs" / "performance.md"
pytestmark = [
    pytest.mark.rest,  # it takes long
    pytest.mark.skipif(os.name == "nt", reason="gunicorn does not run on Windows"),
]
needs_wrk = pytest.mark.skipif(not shutil.which("wrk"), reason="wrk is not installed")
needs_others = pytest.mark.skipif(
    not (load.OTHERS / "locust").exists(),
    reason="tests/project/requirements-others.txt is not installed",
)


@needs_wrk
@pytest.mark.long
def test_quick_as_json():
    """`bench --quick --json` measures every quick case with no errors, and prints data alone."""
    done = subprocess.run(
        [sys.executable, "-m", "learn", "bench", "--quick", "--json"],
        cwd=ROOT, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert list(found["requests"]) == [case.name for case in cases.CASES if case.quick]
    assert found["missing"] == [] and found["machine"]["load generator"] == "wrk"
    for name, one in found["requests"].items():
        assert one["errors"] == 0 and one["requests"] > 0, name
        assert 0 < one["median"] <= one["p99"] and one["cpu"] > 0 and one["memory"] > 10
        if name != cases.BARE and not CASES[name].login:
            assert len(one["ratios"]) == 2


def loaded(which, **changes):
    """Load one case for a second, with changes; return what is found."""
    case = dataclasses.replace(CASES[which], **changes)
    return bench.measure([CASES[cases.BARE], case], 1, 1)


@needs_wrk
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(f"0{number} app.py", marks=() if number == 3 else pytest.mark.long)
        for number in (2, 3, 4, 6, 7, 8)
    ],
)
def test_another_answer_is_an_error(name):
    """An answer of another status than expected counts as an error, and the table shows it."""
    found = loaded(name, expect=418)
    one = found[name]
    assert one["errors"] == one["requests"] > 0
    (title, table), *_ = bench.tables({"requests": found})
    assert table.columns[-1] == "errors"
    assert [row[-1] for row in table.rows] == ["0", str(one["errors"])]


@needs_wrk
def test_a_used_count_would_show():
    """Each request to lesson 03 has a count of its own: the same one twice would be an error."""
    once = CASES["03 app.py"].requests

    def twice(app, seconds):
        first, *_ = once(app, seconds)
        return [first]

    found = loaded("03 app.py", requests=twice)["03 app.py"]
    assert found["errors"] == found["requests"] - 1


@needs_wrk
@pytest.mark.parametrize("name", ["07 app.py, login", "08 app.py, login"])
def test_each_login_is_another(name, monkeypatch):
    """Challenges and codes count once, so each login has its own: no error until they end."""
    monkeypatch.setattr(cases, "PASSKEYS", 20)
    monkeypatch.setattr(cases, "CODES", 4)
    found = loaded(name)[name]
    made = cases.PASSKEYS if name.startswith("07") else cases.CODES
    assert found["requests"] > 1  # on a slow machine, fewer than were made
    assert found["requests"] - found["errors"] == min(found["requests"], made)


SLOW = """
import time
import flask

app = flask.Flask(__name__)


@app.get("/slow")
def slow():
    until = time.process_time() + 1.4
    while time.process_time() < until:
        pass
    return "done"
"""


@needs_wrk
@pytest.mark.long
def test_a_slow_answer_is_waited_for(tmp_path, monkeypatch):
    """What answers nothing within the time gets more, and its processor time is that of one."""
    monkeypatch.setattr(load, "CONNECTIONS", 1)
    (tmp_path / "slow.py").write_text(SLOW)
    request = cases.same(cases.Request("GET", "/slow"))
    found = loaded(cases.BARE, name="slow", file=tmp_path / "slow.py", requests=request)["slow"]
    assert found["requests"] >= 1 and found["errors"] == 0
    assert 1000 < found["cpu"] < 1800


@needs_others
def test_locust_stands_in(monkeypatch):
    """Where wrk is missing, locust sends the same requests, each with a count of its own."""
    monkeypatch.setenv("PATH", str(load.OTHERS / "nowhere"))
    assert load.find_generator()[0] == "locust"
    one = loaded("03 app.py")["03 app.py"]
    assert one["errors"] == 0 and one["requests"] > 1 and one["median"] <= one["p99"]


@pytest.mark.parametrize("says", ["echo hello", "echo no >&2; exit 3"])
def test_a_generator_that_fails(monkeypatch, tmp_path, says):
    """A load generator that fails, or is something else, is quoted."""
    (tmp_path / "wrk").write_text(f"#!/bin/sh\n{says}\n")
    (tmp_path / "wrk").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    with pytest.raises(LessonError, match=r"wrk failed:\s+(hello|no)"):
        loaded("02 app.py")


@needs_wrk
@pytest.mark.parametrize("name", ["SIGTERM", "SIGKILL"])
def test_an_end_from_outside_leaves_no_server(name, tmp_path):
    """Ended by another process, it leaves no server behind; asked to end, no file either."""
    run = subprocess.Popen(
        [sys.executable, "-m", "learn", "bench", "02", "--json"],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )  # fmt: skip
    for _ in range(600):
        servers = [p for p in psutil.Process(run.pid).children(True) if "gunicorn" in p.cmdline()]
        if len(servers) >= 6:  # three of the four applications with a worker each
            break
        time.sleep(0.05)
    run.send_signal(getattr(signal, name))
    run.communicate(timeout=30)
    assert run.returncode == (143 if name == "SIGTERM" else -signal.SIGKILL)
    assert len(servers) >= 6 and psutil.wait_procs(servers, 30)[1] == []
    assert name == "SIGKILL" or list(tmp_path.iterdir()) == []


@needs_wrk
@pytest.mark.parametrize(
    "lesson, rows",
    {"03": "counts", "07": "challenges", "08": "accounts WHERE sub LIKE 'someone%'"}.items(),
)
def test_growth_begins_each_load_with_its_rows(monkeypatch, lesson, rows):
    """Each load finds as many rows as its case says, whatever the load before has added."""
    counts, really = [], load.load

    def counted(case, app, *more):
        with closing(sqlite3.connect(app.settings["DATABASE"])) as connection:
            counts.append(connection.execute(f"SELECT count(*) FROM {rows}").fetchone()[0])
        return really(case, app, *more)

    monkeypatch.setattr(cases, "GROWTH", (10, 50))
    monkeypatch.setattr(bench, "load", counted)
    few = [case for case in cases.growth_cases() if case.lesson == lesson]
    assert bench.measure(few, 1, 2)[few[-1].name]["errors"] == 0
    assert counts == [10, 50, 10, 50]


def test_turns_need_no_generator(monkeypatch, tmp_path):
    """In short turns, each application is asked after the bare one, and no request is lost."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(load, "OTHERS", tmp_path)
    found = bench.run(["turns"], quick=True, lesson=find_folder("06"))
    assert list(found["turns"]) == [cases.BARE, "06 app.py"]
    bare, app = found["turns"].values()
    low, median, high = app["ratios"]
    assert bare["ratios"] == [] and 0 < low <= median <= high
    for one in (bare, app):
        assert one["requests"] == 10 * turns.EACH and one["errors"] == 0
        assert one["cpu"] > 0 and one["rate"] > 0
    ((title, table),) = bench.tables(found)
    assert title == "In short turns" and "errors" not in table.columns


def test_turns_show_another_answer(monkeypatch):
    """Digest has a count of its own for each request; another status is an error, and shown."""
    expected = [CASES[cases.BARE], CASES["03 app.py"]]
    expected.append(dataclasses.replace(CASES["06 app.py"], expect=418))
    monkeypatch.setattr(bench, "CASES", expected)
    found = bench.run(["turns"], quick=True)
    errors = [one["errors"] for one in found["turns"].values()]
    assert errors == [0, 0, 10 * turns.EACH]
    ((_, table),) = bench.tables(found)
    assert table.columns[-1] == "errors" and [int(row[-1]) for row in table.rows] == errors


def test_turns_end_with_a_sentence():
    """An application that ends while it is asked is named."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        with pytest.raises(LessonError, match="06 app.py does not answer any more"):
            turns.ask("06 app.py", closed.getsockname()[1], b"")
    with pytest.raises(LessonError, match="No turns are measured for 05_otp"):
        bench.run(["turns"], lesson=find_folder("05"))


def test_no_generator(monkeypatch, tmp_path):
    """Without wrk and locust there is a sentence that says what to install."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(load, "OTHERS", tmp_path)
    monkeypatch.setattr(bench, "OTHERS", tmp_path)
    with pytest.raises(LessonError, match="Install wrk"):
        bench.measure([CASES[cases.BARE]], 1, 1)


def test_waits_need_no_generator(monkeypatch, tmp_path):
    """What loads nothing is measured without a load generator too."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(load, "OTHERS", tmp_path)
    monkeypatch.setattr(bench, "OTHERS", tmp_path)
    monkeypatch.setattr(waiting, "measure", lambda *_: {"learn": 1})
    found = bench.run(["waits"])
    assert found["waits"] == {"learn": 1} and "load generator" not in found["machine"]


def test_a_wait_that_fails_loses_nothing(monkeypatch):
    """What was measured is kept and shown when one of the waits, which come last, fails."""

    def fail(*_):
        raise LessonError("The tests failed.")

    monkeypatch.setattr(waiting, "measure", fail)
    monkeypatch.setattr(bench, "measure", lambda *_: {})
    monkeypatch.setattr(bench, "start_all", lambda *_: {})
    monkeypatch.setattr(turns, "measure", lambda *_: {})
    monkeypatch.setattr(bench, "machine", lambda **_: {"cores": 2})
    done = CliRunner().invoke(main, ["bench", "--all", "--json"])
    assert done.exit_code == 1 and done.stderr.strip() == "The tests failed."
    found = json.loads(done.stdout)
    assert found["growth"] == {} and found["machine"] == {"cores": 2}


def test_missing_peers_are_named(monkeypatch, tmp_path):
    """What needs the other environment is left out by name where there is none."""
    measured = []
    monkeypatch.setattr(load, "OTHERS", tmp_path)
    monkeypatch.setattr(bench, "OTHERS", tmp_path)
    monkeypatch.setattr(bench, "measure", lambda some, *_: measured.extend(some))
    monkeypatch.setattr(bench, "machine", dict)
    missing = bench.run()["missing"]
    assert missing == [case.name for case in cases.CASES if case.others] != []
    assert [case.name for case in measured] == [n for n in CASES if n not in missing]


def test_a_lesson_alone(monkeypatch):
    """With a lesson's number its applications are measured, and what they are compared with."""
    measured = []
    monkeypatch.setattr(bench, "measure", lambda some, *_: measured.extend(c.name for c in some))
    monkeypatch.setattr(bench, "machine", dict)
    monkeypatch.setattr(bench, "has_peers", lambda: True)
    bench.run(lesson=find_folder("02"))
    names = ["02 naive.py", "02 app.py", "httpbin, Basic", "02 app.py, wrong password"]
    assert measured == [cases.BARE, *names]
    measured.clear()
    bench.run(lesson=find_folder("01"))
    assert measured == ["01 naive.py, login", "01 app.py, login"]
    measured.clear()
    bench.run(["growth"], lesson=find_folder("04"))
    assert measured == [f"04 app.py, {count} revoked tokens" for count in cases.GROWTH]
    with pytest.raises(LessonError, match="No growth is measured for 05_otp"):
        bench.run(["growth"], lesson=find_folder("05"))


@pytest.mark.parametrize("arguments", [["02", "--waits"], ["02", "--all"], ["77"], ["nope"]])
def test_a_lesson_that_can_not_be_measured(arguments):
    """A wrong number, or one with the waits, is told in a sentence, and nothing is measured."""
    command = [sys.executable, "-m", "learn", "bench", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode in (1, 2) and not done.stdout
    assert "Traceback" not in done.stderr and ("number" in done.stderr or "lesson" in done.stderr)


@pytest.mark.parametrize(
    ("ratios", "shown"),
    [
        (None, ["1", ""]),
        ([0.8, 1.004, 0.9], ["0.90", "0.80–1.00"]),
        ([0.0041, 0.0048], ["0.004", "0.004–0.005"]),
        ([0.5], ["0.50", "0.50"]),
    ],
)
def test_spread(ratios, shown):
    """What is far below the bare application is still shown as a number."""
    assert bench.spread(ratios) == shown


@pytest.mark.parametrize(
    ("name", "parameters", "mebibytes"),
    [
        ("argon2", {"type": "ID", "memory_cost": 19 * 1024, "rounds": 2, "parallelism": 1}, 19),
        ("argon2", {"type": "ID", "memory_cost": 64 * 1024, "rounds": 1, "parallelism": 1}, 64),
        ("scrypt", {"rounds": 14, "block_size": 8, "parallelism": 1}, 16),
        ("pbkdf2_sha256", {"rounds": 10_000}, 0),
    ],
)
def test_a_hash_holds_its_memory(name, parameters, mebibytes):
    """A hash costs the memory of its parameters: Argon2 as given, scrypt 128 N r (RFC 7914)."""
    one = hashes.cost(name, **parameters)
    assert one.memory / 2**20 == pytest.approx(mebibytes, rel=0.15, abs=1)
    assert one.seconds > 0


def test_more_rounds_take_longer():
    """Ten times the rounds take several times as long."""
    few, many = (hashes.cost("pbkdf2_sha256", rounds=n).seconds for n in (10_000, 200_000))
    assert many > 3 * few


@pytest.mark.parametrize(
    ("name", "parameters", "said"),
    [
        ("sha3", {}, "There is no 'sha3'"),
        ("argon2", {"rounds": 0}, "does not take"),
        ("hex_md5", {"rounds": 3}, "does not take"),
    ],
)
def test_a_hash_that_is_none(name, parameters, said):
    """An unknown hash or parameter is told in a sentence."""
    with pytest.raises(LessonError, match=said):
        hashes.cost(name, **parameters)


def test_a_table_is_the_same_everywhere():
    """A table says the same in a notebook, in a terminal and as text; numbers stand right."""
    table = Table(["what", "ms"], [["a `hash`", 28], ["**MD5**", "0.01"]])
    markdown = table._repr_markdown_()
    assert markdown == "| what | ms |\n|---|--:|\n| a `hash` | 28 |\n| **MD5** | 0.01 |\n"
    assert str(table) == "what; ms\na `hash`; 28\n**MD5**; 0.01"
    told = drawn("`a` b", "ms", ["a `hash`", 28], ["**MD5** 2*3*4 [x]", 3])
    assert told == ["a b ms", "a hash 28", "MD5 2*3*4 [x] 3"]


def drawn(*columns_and_rows):
    """The lines of a table in a terminal, their spaces made one."""
    *columns, one, other = columns_and_rows
    code = f"from learn import Table, show; show(Table({columns!r}, {[one, other]!r}))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    return [" ".join(line.split()) for line in done.stdout.splitlines() if "─" not in line.strip()]


def test_tables_are_current():
    """docs/performance.md shows the numbers of docs/performance.json."""
    found = json.loads((ROOT / "docs" / "performance.json").read_text("utf-8"))
    assert list(found["requests"]) == list(CASES) and not found["missing"]
    for title, table in bench.tables(found):
        text = PERFORMANCE.read_text("utf-8")
        new = table._repr_markdown_().rstrip()
        pattern = re.compile(rf"(?<=^{re.escape('## ' + title)}\n\n)\|.*?(?=\n\n)", re.M | re.S)
        if os.environ.get("LEARN_TABLE"):
            text = pattern.sub(new, text)
            PERFORMANCE.write_text(text, "utf-8")
        assert pattern.findall(text) == [new]
