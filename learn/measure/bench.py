"""What each technique costs, side by side.

Strategy: every application is served by gunicorn with one worker, all of them started first. Then
rounds: in each, every application is loaded in turn, and right before it the one that it is
compared with, for the same time: A B A C A D, and again. Machines are busy with other work too, by
the second; a ratio of two neighbours suffers least from that. A result is the median of the rounds,
beside the lowest and the highest. An existing load generator sends: wrk, or locust where wrk is
missing. A request whose answer has another status than expected counts as an error, and errors are
shown.
"""

from __future__ import annotations

import json
import os
import platform
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path

from ..layout import ROOT, LessonError
from ..running.lesson import Lesson
from ..showing.tables import Table
from . import turns
from .cases import BARE, CASES, GROWTH, Case, growth_cases
from .load import (
    OTHERS,
    both_factors,
    find_generator,
    hash_time,
    load,
)

SAVED = ROOT / "docs" / "performance.json"  # what `bench --all --json` found


def start(stack: ExitStack, case: Case) -> Lesson:
    """Serve a case's application with one worker of gunicorn; the stack stops it."""
    python = OTHERS / "python" if case.others else sys.executable
    app = Lesson(case.lesson, case.file, workers=1, python=python)
    stack.callback(app.stop)
    return app


def start_all(stack: ExitStack, cases: list[Case]) -> dict[str, Lesson]:
    """Serve all cases, and return them by their names; the stack stops them."""
    if os.name == "nt":
        raise LessonError("gunicorn does not run on Windows. Measure in WSL, or on another system.")
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        apps = pool.map(partial(start, stack), cases)
        return dict(zip([case.name for case in cases], apps, strict=True))


def fill(case: Case, app: Lesson):
    """Put the case's rows, and no others, into an application's database."""
    if case.rows:
        with closing(sqlite3.connect(app.scratch / "lesson.db", timeout=60)) as connection:
            with connection:
                case.rows(connection)
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # not while it is measured


def measure(cases: list[Case], seconds: int, rounds: int, advance=lambda what, share: None):
    """Serve all cases, load them in turn, round by round; return the results by their names.

    seconds: how long each is loaded in each round, and before it the case it is compared with.
    advance: called before each, with the case's name and with the share that is done. Raises
    LessonError when an application doesn't start, or there is no load generator.
    """
    if os.name != "nt":
        find_generator()
    found = {case.name: [] for case in cases}
    with ExitStack() as stack:
        advance("starting all applications", 0)
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="learn-bench-")))
        apps = start_all(stack, cases)
        named = {case.name: case for case in cases}
        for number in range(rounds):
            for place, case in enumerate(cases):
                advance(case.name, (number + place / len(cases)) / rounds)
                if case.base == case.name:
                    continue
                if case.login:
                    before = hash_time(case.login)
                    one = load(case, apps[case.name], seconds, scratch)
                    one["hash"] = (before + hash_time(case.login)) / 2
                    if case.lesson == "05":
                        one["both"] = both_factors(apps[case.name])
                else:
                    fill(named[case.base], apps[case.base])
                    base = load(named[case.base], apps[case.base], seconds, scratch)
                    found[case.base].append(base)
                    fill(case, apps[case.name])
                    one = load(case, apps[case.name], seconds, scratch)
                    one["ratio"] = one["rate"] / base["rate"]
                found[case.name].append(one)
    return {name: sum_up(results) for name, results in found.items()}


def sum_up(rounds: list[dict]) -> dict:
    """Return the median of each value over the rounds, all ratios, and the sum of the errors."""
    done = {
        key: round(statistics.median(one[key] for one in rounds), 3)
        for key in ("rate", "cpu", "median", "p99", "memory", "hash", "both")
        if key in rounds[0]
    }
    done["rates"] = [round(one["rate"], 1) for one in rounds]
    if "ratio" in rounds[0]:
        done["ratios"] = [round(one["ratio"], 3) for one in rounds]
    done["errors"] = sum(one["errors"] for one in rounds)
    done["requests"] = sum(one["requests"] for one in rounds)
    return done


PARTS = ("requests", "turns", "growth", "waits")


def run(parts=PARTS[:1], quick=False, advance=lambda what, share: None, lesson=None) -> dict:
    """Measure the named ones of PARTS; return what was found, as data.

    quick: a few applications and a shorter time. advance: called with what is measured next, and
    with the share of its part that is done. lesson: its folder, to measure all of this one only,
    without the waits. Raises LessonError when something can't be measured; if that is among the
    waits, which come last, the sentence is returned as `failed`, with what was found until then.
    """
    from . import waiting

    found = {"machine": machine(loads={"requests", "growth"} & set(parts))}
    if "requests" in parts:
        cases = of_lesson(lesson, CASES) if lesson else [c for c in CASES if c.quick or not quick]
        missing = [case.name for case in cases if case.others]
        missing = [] if missing and has_peers() else missing
        cases = [c for c in cases if c.name not in missing]
        found["requests"] = measure(cases, 1, 2 if quick else 4, advance)
        found["missing"] = missing
    if "turns" in parts:
        cases = of_lesson(lesson, CASES) if lesson else CASES
        cases = [case for case in cases if case.quick and not case.login]
        if len(cases) < 2:
            raise LessonError(f"No turns are measured for {lesson.name}. Leave its number out.")
        with ExitStack() as stack:
            advance("starting all applications", 0)
            apps = start_all(stack, cases)
            found["turns"] = turns.measure(cases, apps, 10 if quick else 250, advance)
    if "growth" in parts:
        cases = of_lesson(lesson, growth_cases()) if lesson else growth_cases()
        found["growth"] = measure(cases, 1, 1 if quick else 9, advance)
    if "waits" in parts:
        try:
            found["waits"] = waiting.measure(quick, advance)
        except LessonError as error:  # what was measured before it is worth keeping
            found["failed"] = str(error)
    return found


def has_peers() -> bool:
    """Whether the other environment is there, and whole: an interrupted set-up is not."""
    command = [OTHERS / "python", "-c", "import flask_jwt_extended, gunicorn, httpbin"]
    try:
        return not subprocess.run(command, capture_output=True, timeout=60).returncode
    except OSError:
        return False


def of_lesson(folder: Path, cases: list[Case]) -> list[Case]:
    """Return the cases of one lesson, and those that they are compared with."""
    own = [case for case in cases if folder.name.startswith(case.lesson) and case.name != BARE]
    if not own:
        raise LessonError(
            f"No growth is measured for {folder.name}. Try: python3 -m learn bench --growth 02"
        )
    bases = {case.base for case in own if not case.login}
    return [case for case in cases if case in own or case.name in bases]


def machine(loads=True) -> dict:
    """Return what the results depend on; loads: whether a load generator is one of these."""
    from importlib.metadata import version

    generator = {"load generator": find_generator()[0]} if loads and os.name != "nt" else {}
    return {
        "date": time.strftime("%Y-%m-%d"),
        "Python": platform.python_version(),
        "system": platform.system(),
        "cores": os.cpu_count(),
        **generator,
        **{name: version(name) for name in ("flask", "gunicorn", "flask-httpauth", "pyjwt")},
    }


def saved(path: Path = SAVED) -> dict:
    """Return what an earlier `run` found, from the file that `bench --json` wrote.

    Raises LessonError when there is no such file, or it holds something else.
    """
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise LessonError(
            f"{path.name} can't be read: {error}. Make it with:"
            f" python3 -m learn bench --all --json > {path.name}"
        ) from None
    if not isinstance(found, dict) or "machine" not in found:
        raise LessonError(f"{path.name} holds no results of python3 -m learn bench --json.")
    return found


def tables(found: dict) -> list[tuple[str, Table]]:
    """Return what `run` found as tables, each with its title."""
    made = []
    results = found.get("requests", {})
    failed = any(one["errors"] for one in results.values())
    rows, logins = [], []
    for name, one in results.items():
        last = [f"{one['memory']:.0f}", *([one["errors"]] if failed else [])]
        if "hash" in one:
            times = [f"{one[key]:.0f}" for key in ("median", "p99", "hash")]
            share = one["hash"] / one["median"]
            logins.append([name, *times, f"{share:.2f}", *last])
            if "both" in one:
                took, share = one["both"], one["hash"] / one["both"]
                times = [f"{took:.0f}", "", f"{one['hash']:.0f}", f"{share:.2f}"]
                logins.append(["05 app.py, both factors", *times, *last])
        else:
            times = [f"{one['cpu']:.2f}", *(f"{one[key]:.1f}" for key in ("median", "p99"))]
            rows.append([name, f"{one['rate']:,.0f}", *spread(one.get("ratios")), *times, *last])
    columns = ["MB", *(["errors"] if failed else [])]
    if rows:
        names = ["one request", "per s", "of bare", "spread", "CPU ms", "median ms", "99 % ms"]
        made.append(("Requests", Table([*names, *columns], rows)))
    if logins:
        names = ["one login", "median ms", "99 % ms", "hash ms", "hash/login"]
        made.append(("Logins", Table([*names, *columns], logins)))
    rows = []
    for name, one in found.get("turns", {}).items():
        cpu = found["turns"][BARE]["cpu"] / one["cpu"]
        low, median, high = one["ratios"] or [1, 1, 1]
        rows.append([name, f"{one['cpu']:.3f}", f"{cpu:.2f}", f"{one['rate']:,.0f}"])
        rows[-1] += [f"{median:.2f}", f"{low:.2f}–{high:.2f}"] if one["ratios"] else ["1", ""]
        rows[-1] += [one["errors"]] if one["errors"] else []
    if rows:
        wide = max(map(len, rows))
        names = ["one request", "CPU ms", "of bare", "per s", "of bare", "middle half", "errors"]
        rows = [row + ["0"] * (wide - len(row)) for row in rows]
        made.append(("In short turns", Table(names[:wide], rows)))
    rows = []
    for name, one in found.get("growth", {}).items():
        app, _, rest = name.partition(", ")
        count, _, kind = rest.partition(" ")
        rows.append([f"{app}, {kind}", f"{int(count):,}", f"{one['rate']:,.0f}"])
        rows[-1] += spread(one.get("ratios"))
    if rows:
        rows.sort(key=lambda row: row[0])  # keeps the order of the numbers
        first = f"of {GROWTH[0]} rows"
        names = ["one request", "rows", "per s", first, "spread"]
        made.append(("Growth", Table(names, rows)))
    rows = [
        [name, f"{one['seconds']:.2f}", one["floor_name"], f"{one['floor']:.2f}"]
        + [f"{one['seconds'] / one['floor']:.1f}"]
        for name, one in found.get("waits", {}).items()
    ]
    if rows:
        made.append(("Waits", Table(["the wait", "s", "its floor", "s", "times"], rows)))
    return made


def spread(ratios: list[float] | None) -> list[str]:
    """Return the median, and the lowest and highest; 1 for what the others are compared with."""
    if not ratios:
        return ["1", ""]
    median, low, high = (
        f"{ratio:.2f}" if ratio >= 0.05 else f"{ratio:.1g}"
        for ratio in (statistics.median(ratios), min(ratios), max(ratios))
    )
    return [median, f"{low}–{high}" if low != high else low]


def curves(found: dict) -> dict[str, tuple]:
    """Return how rates change with the number of rows, as `run` found it, to draw with error bars.

    For each application: the numbers of rows; for each, the median of the rate's ratios to that
    with the fewest rows; and how far the middle half of the ratios reaches below and above it.
    """
    drawn = {}
    for name, one in found.get("growth", {}).items():
        app, _, rest = name.partition(", ")
        count, _, kind = rest.partition(" ")
        low, median, high = statistics.quantiles(one.get("ratios", [1, 1]), n=4)
        counts, medians, (below, above) = drawn.setdefault(f"{app}, {kind}", ([], [], ([], [])))
        counts.append(int(count))
        medians.append(median)
        below.append(median - low)
        above.append(high - median)
    return drawn
