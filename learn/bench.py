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

import http.client
import json
import os
import platform
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from base64 import b64encode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import partial
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import urlencode

import httpx2

from .client import Client, digest_answer
from .places import ROOT, LessonError
from .server import Lesson
from .show import Table

HERE = Path(__file__).parent
OTHERS = ROOT / ".others" / "bin"  # the environment of requirements-others.txt
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
COUNTS = 8_000  # so many Digest answers are computed for each second, each with its own nc
CONNECTIONS = 4
GROWTH = (10, 1_000, 100_000)


@dataclass(frozen=True)
class Request:
    """One request; `raw` is how it travels."""

    method: str = "GET"
    target: str = "/"
    headers: dict[str, str] | None = None
    body: str = ""

    def raw(self, port: int) -> bytes:
        headers = {"Host": f"127.0.0.1:{port}", **(self.headers or {})}
        if self.body:
            headers["Content-Length"] = str(len(self.body))
        lines = [f"{self.method} {self.target} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return ("\r\n".join([*lines, "", self.body])).encode()


@dataclass(frozen=True)
class Case:
    """One application and what it is asked.

    requests: a function of the running Lesson and of a number of seconds; returns the requests for
    them. expect: the status of each answer. base: the case it is compared with. login: one client
    at a time, and what counts is how much of the time is the hash; the name of that in passlib.
    others: it runs in the environment of requirements-others.txt. rows: fills the database anew
    before each load.
    """

    name: str
    lesson: str
    file: str | Path
    requests: Callable[[Client, float], list[Request]]
    expect: int = 200
    quick: bool = False
    base: str = "bare Flask"
    login: str = ""
    others: bool = False
    rows: Callable[[sqlite3.Connection], None] | None = None


def basic(user="user1", password="pass1"):  # noqa: S107
    """Return the header of Basic credentials."""
    return {"Authorization": "Basic " + b64encode(f"{user}:{password}".encode()).decode()}


def same(request: Request):
    """The same request, over and over; sent once before the load, so that it's a later one."""

    def requests(app, seconds):
        httpx2.request(
            request.method,
            f"http://127.0.0.1:{app.port}{request.target}",
            headers=request.headers,
            content=request.body,
            trust_env=False,
            timeout=60,
        )
        return [request]

    return requests


def digest(target: str):
    """Answers to one challenge, each with a new nc, and the cookies that came with it."""

    def requests(app, seconds):
        asked = app.get(target)
        challenge = asked.challenge()
        cookies = SimpleCookie()
        for value in asked.headers("Set-Cookie"):
            cookies.load(value)
        cookie = "; ".join(f"{name}={morsel.value}" for name, morsel in cookies.items())
        answer = partial(digest_answer, challenge, "user1", "pass1", target)
        more = {"Cookie": cookie} if cookie else {}
        return [
            Request("GET", target, {"Authorization": answer(nc=nc), **more})
            for nc in range(1, int(COUNTS * seconds) + 1)
        ]

    return requests


def bearer(how):
    """A token from /login in every request: in a header, or as naive.py takes it."""

    def requests(app, seconds):
        if how == "naive":
            token = app.get("/login", basic=("user1", "secret")).json()["token"]
            return [Request("GET", f"/secured?token={token}")]
        answer = app.post("/login", basic=("user1", "pass1"))
        token = answer.json()["access_token"]
        return [Request("GET", "/secured", {"Authorization": f"Bearer {token}"})]

    return requests


def login_form(user="user1", password="pass1"):  # noqa: S107
    return same(
        Request("POST", "/login", FORM, urlencode({"username": user, "password": password}))
    )


def code(app, seconds):
    """Both factors, as naive.py takes them: the code of now, again and again."""
    import pyotp

    uri = app.post("/enroll", basic=("user1", "pass1")).json()["otpauth_uri"]
    return [Request("GET", "/", {**basic(), "OTP": pyotp.parse_uri(uri).now()})]


BARE = "bare Flask"
CASES = [
    Case(BARE, "01", HERE / "peers" / "bare.py", same(Request()), quick=True),
    Case("02 naive.py", "02", "naive", same(Request(headers=basic()))),
    Case("02 app.py", "02", "app", same(Request(headers=basic())), quick=True),
    Case(
        "httpbin, Basic", "02", HERE / "peers" / "httpbin_app.py",
        same(Request("GET", "/basic-auth/user1/pass1", basic())), others=True,
    ),
    Case("03 naive.py", "03", "naive", digest("/")),
    Case("03 app.py", "03", "app", digest("/"), quick=True),
    Case(
        "httpbin, Digest", "03", HERE / "peers" / "httpbin_app.py",
        digest("/digest-auth/auth/user1/pass1/SHA-256"), others=True,
    ),
    Case("04 naive.py", "04", "naive", bearer("naive")),
    Case("04 app.py", "04", "app", bearer("app"), quick=True),
    Case(
        "Flask-JWT-Extended", "04", HERE / "peers" / "jwt_extended.py", bearer("app"),
        others=True,
    ),
    Case("05 naive.py", "05", "naive", code),
    Case("01 naive.py, login", "01", "naive", login_form(), login="custom_app_context"),
    Case("01 app.py, login", "01", "app", login_form(), quick=True, login="argon2"),
    Case(
        "02 app.py, wrong password", "02", "app", same(Request(headers=basic("user1", "no"))),
        expect=401, login="argon2",
    ),
    Case(
        "04 app.py, login", "04", "app", same(Request("POST", "/login", basic())), login="argon2",
    ),
    Case(
        "05 app.py, password alone", "05", "app", same(Request(headers=basic())),
        expect=401, login="argon2",
    ),
]  # fmt: skip


def load(case: Case, app: Lesson, seconds: int, scratch: Path) -> dict:
    """Load an application; return requests, seconds, rate, median, p99 and cpu (ms), errors.

    cpu is the processor time of the application's worker for one request, memory its size (MB).
    """
    path = scratch / "requests"
    requests = case.requests(app, seconds)
    path.write_bytes(b"".join(request.raw(app.port) + b"\0" for request in requests))
    environment = {
        **os.environ,
        "LEARN_REQUESTS": str(path),
        "LEARN_STATUS": str(case.expect),
    }
    generator, program = find_generator()
    address, connections = f"http://127.0.0.1:{app.port}", 1 if case.login else CONNECTIONS
    if generator == "wrk":
        command = [program, "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s"]
        command += ["-s", str(HERE / "load.lua"), address]
    else:
        command = [program, "-f", str(HERE / "locustfile.py"), "--headless", "--json"]
        command += ["-u", str(connections), "-r", str(connections), "-t", f"{seconds}s"]
        command += ["-H", address, "--only-summary", "--loglevel", "ERROR", "--exit-code-on-error"]
        command += ["0", "--stop-timeout", "10"]
    before = processor_time(app)
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, env=environment, timeout=seconds + 60
        )
    except subprocess.TimeoutExpired:
        raise LessonError(f"{program} did not end when its time was up.") from None
    said = f"{generator} failed:\n\n{(done.stderr or done.stdout).strip()[-800:]}"
    if done.returncode:
        raise LessonError(said)
    try:
        if generator == "wrk":
            one = json.loads(done.stdout.strip().rpartition("\n")[2])
        else:
            one = read_locust(json.loads(done.stdout[done.stdout.index("[") :]))
    except ValueError:
        raise LessonError(said) from None
    if not one["requests"]:  # a slow machine, or a slow hash: it gets the time it needs
        if seconds > 60:
            raise LessonError(f"{case.name} answered nothing within {seconds} seconds.")
        wait_until_idle(app)
        return load(case, app, 4 * seconds, scratch)
    # wrk leaves a request open on each connection when its time is up; the worker still answers it
    answered = one["requests"] + (connections if generator == "wrk" else 0)
    cpu = (wait_until_idle(app) - before) / answered * 1000
    return one | {"rate": one["requests"] / one["seconds"], "cpu": cpu, "memory": memory(app)}


def read_locust(report: list[dict]) -> dict:
    """Turn locust's report, in which times are counted in ms, into the form that load.lua has."""
    if not report:  # it got no answer at all
        return {"requests": 0}
    (one,) = report
    times = sorted((float(ms), count) for ms, count in one["response_times"].items())

    def percentile(share):
        left = share * one["num_requests"]
        for ms, count in times:
            left -= count
            if left <= 0:
                return ms
        return times[-1][0]

    return {
        "requests": one["num_requests"],
        "seconds": one["last_request_timestamp"] - one["start_time"],
        "median": percentile(0.5),
        "p99": percentile(0.99),
        "errors": one["num_failures"],
    }


def find_generator() -> tuple[str, str]:
    """Return the load generator's name and path. Raises LessonError when there is none."""
    for name, path in (("wrk", None), ("locust", OTHERS)):
        program = shutil.which(name, path=path)
        if program:
            return name, program
    raise LessonError(
        "There is no load generator here. Install wrk (apt install wrk, brew install wrk), or"
        " locust:\n    python3 -m venv .others\n    .others/bin/python -m pip install"
        " --require-hashes -r requirements-others.txt"
    )


def hash_time(name: str, seconds: float = 0.2) -> float:
    """Return how long one verification takes here (ms), at the lessons' parameters.

    name: "argon2" (Argon2id as in each app.py), or "custom_app_context" (lesson 01's naive.py).
    seconds: after so many no further one is begun; the median of all is returned.
    """
    from passlib.apps import custom_app_context
    from passlib.hash import argon2

    hashes = custom_app_context
    if name == "argon2":
        hashes = argon2.using(type="ID", memory_cost=19456, rounds=2, parallelism=1)
    stored = hashes.hash("pass1")
    taken = []
    while sum(taken) < seconds * 1000:
        begin = time.perf_counter()
        hashes.verify("pass1", stored)
        taken.append((time.perf_counter() - begin) * 1000)
    return statistics.median(taken)


def both_factors(app: Lesson, times: int = 4) -> float:
    """Return how long lesson 05's app.py takes for password and PIN (ms): each PIN works once."""
    taken, said = [], r"Your PIN is (\d{6})"
    for _ in range(times):
        before = len(app.printed(said, 0))
        app.post("/pin", basic=("user1", "pass1"))
        pins = app.printed(said, before + 1)
        if len(pins) == before:
            raise LessonError("Lesson 05 was asked for a PIN and wrote none into its log.")
        connection = http.client.HTTPConnection("127.0.0.1", app.port, timeout=60)
        begin = time.perf_counter()
        connection.request("GET", "/", headers={**basic(), "OTP": pins[-1]})
        answer = connection.getresponse()
        answer.read()
        taken.append((time.perf_counter() - begin) * 1000)
        connection.close()
        if answer.status != 200:
            raise LessonError(f"A right PIN was answered with {answer.status}.")
    return statistics.median(taken)


def workers(app: Lesson) -> list:
    """Return the processes that answer."""
    import psutil

    return psutil.Process(app.pid).children()


def memory(app: Lesson) -> float:
    """Return the resident memory of an application's workers (MB)."""
    return sum(worker.memory_info().rss for worker in workers(app)) / 1e6


def processor_time(app: Lesson) -> float:
    """Return the processor time that an application's workers have taken so far (s)."""
    return sum(sum(worker.cpu_times()[:2]) for worker in workers(app))


def wait_until_idle(app: Lesson) -> float:
    """Wait until an application's worker has done what was left; return its processor time (s).

    It answers in the order of asking, so it's done when it answers one request more.
    """
    httpx2.get(f"http://127.0.0.1:{app.port}/nothing-is-here", trust_env=False, timeout=60)
    return processor_time(app)


def start(stack: ExitStack, case: Case) -> Lesson:
    """Serve a case's application with one worker of gunicorn; the stack stops it."""
    python = OTHERS / "python" if case.others else sys.executable
    app = Lesson(case.lesson, case.file, workers=1, python=python)
    stack.callback(app.stop)
    return app


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
    if os.name == "nt":
        raise LessonError("gunicorn does not run on Windows. Measure in WSL, or on another system.")
    find_generator()
    found = {case.name: [] for case in cases}
    with ExitStack() as stack:
        advance("starting all applications", 0)
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="learn-bench-")))
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            apps = dict(zip(found, pool.map(partial(start, stack), cases), strict=True))
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


def growth_cases() -> list[Case]:
    """Return what should not grow with the number of users, used nonces or revoked tokens."""
    cases = []
    now = time.time()

    def rows(old, new, row):
        """Return a function that puts so many rows: those of before go, as a load adds some."""

        def put(count, connection):
            connection.execute(old)
            connection.executemany(new, map(row, range(count)))

        return put

    users = rows(
        "DELETE FROM users WHERE name LIKE 'someone%'",
        "INSERT INTO users SELECT ?, hash, 0 FROM users WHERE name = 'user2'",
        lambda number: [f"someone{number}"],
    )
    nonces = rows(
        "DELETE FROM counts",
        "INSERT INTO counts VALUES (?, ?, 1)",
        lambda number: [now - number % 300, f"nonce{number}"],
    )
    tokens = rows(
        "DELETE FROM revoked",
        "INSERT INTO revoked VALUES (?, ?)",
        lambda number: [f"token{number}", now + 10_000],
    )

    for count in GROWTH:
        for lesson, what, requests, put in (
            ("02", "users", same(Request(headers=basic())), users),
            ("03", "used nonces", digest("/"), nonces),
            ("04", "revoked tokens", bearer("app"), tokens),
        ):
            base = f"{lesson} app.py, {GROWTH[0]} {what}"
            name = f"{lesson} app.py, {count} {what}"
            cases.append(Case(name, lesson, "app", requests, base=base, rows=partial(put, count)))
    return cases


PARTS = ("requests", "growth", "waits")


def run(parts=PARTS[:1], quick=False, advance=lambda what, share: None, lesson=None) -> dict:
    """Measure the named ones of PARTS; return what was found, as data.

    quick: a few applications and a shorter time. advance: called with what is measured next, and
    with the share of its part that is done. lesson: its folder, to measure all of this one only,
    without the waits. Raises LessonError when something can't be measured.
    """
    from . import waits as waiting

    found = {"machine": machine(loads=any(part != "waits" for part in parts))}
    if "requests" in parts:
        cases = of_lesson(lesson, CASES) if lesson else [c for c in CASES if c.quick or not quick]
        missing = [case.name for case in cases if case.others]
        missing = [] if missing and has_peers() else missing
        cases = [c for c in cases if c.name not in missing]
        found["requests"] = measure(cases, 1, 2 if quick else 4, advance)
        found["missing"] = missing
    if "growth" in parts:
        cases = of_lesson(lesson, growth_cases()) if lesson else growth_cases()
        found["growth"] = measure(cases, 1, 1 if quick else 9, advance)
    if "waits" in parts:
        found["waits"] = waiting.measure(quick, advance)
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
