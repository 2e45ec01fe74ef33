"""Every attack of the table, on naive.py and on app.py, and on app.py without what stops it.

docs/attacks.md shows the table; LEARN_TABLE=1 writes it anew. The ordinary run tries each attack
on app.py and the quick ones on naive.py; `--long` tries all, under gunicorn as well, and takes
each defence out to see the attack succeed.
"""

import os
import re
from collections import Counter

import pytest
from attack import FAILS, NOT_THERE, WORKS, forget, gets_in, without
from lenient import Lenient
from on_basic import stuffing_against_a_limit
from on_digest import md5_refused_beyond
from on_hashing import log_in
from on_http import almost_its_name, hidden_in_a_fold, smuggled
from table import ATTACKS, STILL_WORKS

from learn import Lesson
from learn.layout import LESSONS, ROOT
from learn.practice.expect import seconds_of

posix = pytest.mark.skipif(os.name == "nt", reason="gunicorn does not run on Windows")
SLOW = {"01", "02"}  # where naive.py takes long: its hash is one
BOTH = [*ATTACKS, *STILL_WORKS]
BEYOND = [md5_refused_beyond, stuffing_against_a_limit]


@pytest.fixture(scope="module")
def servers():
    """Running lessons, by what they were started with: attacks that leave no trace share one."""
    running = {}
    yield running
    for one in running.values():
        one.stop()


def attacked(attack, file, servers, workers=0):
    """Carry an attack out; return what it got hold of, and whether an honest user still gets in."""
    key = (attack.lesson, file, workers)
    if attack.settings:
        with Lesson(attack.lesson, file, workers=workers, **attack.started) as lesson:
            return attack.run(lesson), gets_in(lesson)
    if key not in servers:
        servers[key] = Lesson(attack.lesson, file, workers=workers, **attack.started)
    if attack.lesson == "05" and file != "naive":
        forget(servers[key])
    return attack.run(servers[key]), gets_in(servers[key])


def folder_of(attack):
    return next(LESSONS.glob(f"{attack.lesson}_*"))


def name_of(attack):
    return f"{attack.lesson}-{re.sub(r'[^a-zA-Z0-9]+', '-', attack.name)}"


def pytest_generate_tests(metafunc):
    long = metafunc.config.getoption("--long")
    choices = {
        "row": [a for a in ATTACKS if long or not a.long],
        "tried": [a for a in ATTACKS if a.naive != NOT_THERE and (long or quick(a))],
        "behind": [
            a for a in BOTH if a.servers and (long or a.run == smuggled and a.lesson == "03")
        ],
        "weakened": [a for a in ATTACKS if a.without][: None if long else 1],
        "loss": [a for a in STILL_WORKS if long or not a.long],
        "stopped": BEYOND if long else BEYOND[:1],
    }
    for name, rows in choices.items():
        if name in metafunc.fixturenames:
            ids = None if name == "stopped" else name_of
            metafunc.parametrize(name, rows, ids=ids)


def quick(attack):
    """Whether the ordinary run tries this attack on naive.py as well."""
    return attack.naive == WORKS and attack.lesson not in SLOW and not attack.long


def test_attack_fails_on_app(row, servers):
    """On app.py every attack fails, and an honest user gets in afterwards.

    So do attacks on what goes beyond app.py.
    """
    got, honest = attacked(row, row.file, servers)
    assert not got, got
    assert honest


def test_attack_on_naive(tried, servers):
    """On naive.py the attack ends as the table says."""
    got, _ = attacked(tried, "naive", servers)
    assert (WORKS if got else FAILS) == tried.naive, got


@posix
def test_attack_under_gunicorn(behind, servers):
    """Where the server has a say, the attack ends in the same way under gunicorn."""
    got, honest = attacked(behind, "app", servers, workers=2)
    assert bool(got) is (behind in STILL_WORKS), got
    assert honest


def test_attack_succeeds_without_the_defence(weakened, tmp_path):
    """With its defence taken out of app.py the attack succeeds: that is what stops it."""
    for name, text in without(weakened, folder_of(weakened)).items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    path = tmp_path / f"{weakened.file}.py"
    with Lesson(weakened.lesson, path, **weakened.started) as lesson:
        assert weakened.run(lesson)


def test_every_row_is_proved():
    """Each attack is seen to succeed somewhere, and each defence still stands in app.py."""
    elsewhere = {hidden_in_a_fold, almost_its_name, smuggled}  # on the server below
    for attack in ATTACKS:
        shown = attack.naive == WORKS or attack.without
        assert shown or attack.run in elsewhere, attack.name
        assert without(attack, folder_of(attack))
    assert {attack.lesson for attack in ATTACKS} == {p.name[:2] for p in LESSONS.glob("0*_*")}
    assert max(Counter(map(name_of, ATTACKS)).values()) == 1


@pytest.mark.parametrize("attack", [hidden_in_a_fold, almost_its_name, smuggled])
def test_lenient_server_is_fooled(attack):
    """A server that guesses what was meant falls for what both real ones refuse."""
    with Lenient() as server:
        assert attack(server)


def test_what_still_works(loss, servers):
    """What app.py does not stop is seen, so that the table tells the truth."""
    got, _ = attacked(loss, "app", servers)
    assert got


def test_beyond_stops_it(stopped):
    """What the table says beyond.py stops, it stops."""
    assert not stopped(None)


def test_pepper_takes_one_hash():
    """In lesson 01's beyond.py an account from before the pepper takes no longer to refuse."""
    with Lesson("01", "beyond", PEPPER="a pepper that is kept outside the database") as app:
        old, unknown = seconds_of(
            lambda: log_in(app, "user2", "wrong"),
            lambda: log_in(app, "nobody", "wrong"),
            rounds=9,
            until=lambda old, unknown: old < 1.6 * unknown,
        )
    assert old < 1.6 * unknown  # three hashes, one after the other, took twice as long


def table():
    """Return the table of attacks as Markdown."""
    counts = Counter(attack.naive for attack in ATTACKS)
    lines = ["# Attacks", ""]
    lines += [
        f"Each line is an attack that the tests carry out. Of {len(ATTACKS)}, {counts[WORKS]}"
        f" succeed on `naive.py`,",
        f"{counts[FAILS]} fail there as well, and {counts[NOT_THERE]} find nothing there to attack"
        f" (n/a). On `app.py` all fail, and",
        "an honest user still gets in afterwards. What fails on both is carried out on `app.py`"
        " with its",
        "defence taken out as well, or on a server that forgives too much, and succeeds there: so"
        " its failure",
        "means something. What `app.py` does not stop stands at the end. Everything stays on"
        " 127.0.0.1.",
        "",
        "References: RFC with its section; CWE: MITRE's list of weaknesses; WSTG: OWASP's Web"
        " Security Testing",
        "Guide; API: OWASP's API Security Top 10.",
    ]
    for folder in sorted(p.name for p in LESSONS.glob("0*_*")):
        lines += ["", f"## {folder}", ""]
        lines += ["| attack | reference | what is tried | naive.py | app.py |"]
        lines += ["|---|---|---|---|---|"]
        for row in ATTACKS:
            if row.lesson == folder[:2]:
                name = row.name if row.file == "app" else f"{row.name} (`{row.file}.py`)"
                cells = [name, row.reference, row.tried, row.naive, FAILS]
                lines.append(f"| {' | '.join(cells)} |")
    lines += ["", "## What still works", ""]
    lines += ["Each of these is seen to succeed on `app.py`.", ""]
    lines += ["| lesson | attack | reference | what is tried | what would stop it |"]
    lines += ["|---|---|---|---|---|"]
    for row in STILL_WORKS:
        cells = [row.lesson, row.name, row.reference, row.tried, row.remedy]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def test_table_is_current():
    """docs/attacks.md shows the attacks that are here."""
    path = ROOT / "docs" / "attacks.md"
    if os.environ.get("LEARN_TABLE"):
        path.write_text(table(), "utf-8")
    assert path.read_text("utf-8") == table()
