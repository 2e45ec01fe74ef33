"""What each technique costs, side by side.

Strategy: every application is served by gunicorn with one worker, all of them started first. Then
rounds: in each, every application is loaded in turn for the same time, so that whatever else the
machine does meets all alike; a result is the median of the rounds, beside the lowest and the
highest. Rates are compared with those of a bare Flask application of the same round. An existing
load generator sends: wrk, or locust where wrk is missing. A request whose answer has another status
than expected counts as an error, and errors are shown.
"""

from __future__ import annotations

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
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import urlencode

import httpx2

from .client import Client, digest_answer
from .places import ROOT, LessonError
from .server import Lesson

HERE = Path(__file__).parent
OTHERS = ROOT / ".others" / "bin"  # the environment of requirements-others.txt
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
COUNTS = 12_000  # so many Digest answers are computed for each second, each with its own nc
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
    them. expect: the status of each answer. login: one client at a time, and what counts is how
    much of the time is the hash. others: it runs in the environment of requirements-others.txt.
    rows: fill the database with so many rows first, a function of a connection and of the number.
    """

    name: str
    lesson: str
    file: str | Path
    requests: Callable[[Client, float], list[Request]]
    expect: int = 200
    quick: bool = False
    login: bool = False
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
    Case("02 naive.py, Flask-HTTPAuth's own way", "02", "naive", same(Request(headers=basic()))),
    Case("02 app.py", "02", "app", same(Request(headers=basic())), quick=True),
    Case(
        "httpbin, Basic", "02", HERE / "peers" / "httpbin_app.py",
        same(Request("GET", "/basic-auth/user1/pass1", basic())), others=True,
    ),
    Case("03 naive.py, Flask-HTTPAuth's own way", "03", "naive", digest("/")),
    Case("03 app.py", "03", "app", digest("/"), quick=True),
    Case(
        "httpbin, Digest", "03", HERE / "peers" / "httpbin_app.py",
        digest("/digest-auth/auth/user1/pass1/SHA-256"), others=True,
    ),
    Case("04 naive.py", "04", "naive", bearer("naive")),
    Case("04 app.py", "04", "app", bearer("app"), quick=True),
    Case(
        "Flask-JWT-Extended", "04", HERE / "peers" / "jwt_extended.py", bearer("app"),
        quick=True, others=True,
    ),
    Case("05 naive.py, password and code", "05", "naive", code),
    Case("01 naive.py, log in", "01", "naive", login_form(), login=True),
    Case("01 app.py, log in", "01", "app", login_form(), quick=True, login=True),
    Case(
        "02 app.py, wrong password", "02", "app", same(Request(headers=basic("user1", "no"))),
        expect=401, login=True,
    ),
    Case(
        "04 app.py, log in", "04", "app", same(Request("POST", "/login", basic())), login=True,
    ),
    Case(
        "05 app.py, password alone", "05", "app", same(Request(headers=basic())),
        expect=401, login=True,
    ),
]  # fmt: skip


def load(case: Case, app: Lesson, seconds: float, scratch: Path) -> dict:
    """Load an application; return requests, seconds, median and p99 (ms), errors."""
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
        command = [program, "-t1", f"-c{connections}", f"-d{seconds:g}s", "--timeout", "10s"]
        command += ["-s", str(HERE / "load.lua"), address]
    else:
        command = [program, "-f", str(HERE / "locustfile.py"), "--headless", "--json"]
        command += ["-u", str(connections), "-r", str(connections), "-t", f"{seconds:g}s"]
        command += ["-H", address, "--only-summary", "--loglevel", "ERROR", "--exit-code-on-error"]
        command += ["0", "--stop-timeout", "10"]
    done = subprocess.run(
        command, capture_output=True, text=True, env=environment, timeout=seconds + 60
    )
    if done.returncode:
        raise LessonError(f"{generator} failed:\n\n{(done.stderr or done.stdout).strip()[-800:]}")
    if generator == "wrk":
        return json.loads(done.stdout.strip().rpartition("\n")[2])
    return read_locust(json.loads(done.stdout[done.stdout.index("[") :]))


def read_locust(report: list[dict]) -> dict:
    """Turn locust's report, in which times are counted in ms, into the form that load.lua has."""
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


def hash_time(times: int = 3) -> float:
    """Return how long one verification of Argon2id takes here (ms), at the lessons' parameters."""
    from passlib.hash import argon2

    argon2id = argon2.using(type="ID", memory_cost=19456, rounds=2, parallelism=1)
    stored = argon2id.hash("pass1")
    taken = []
    for _ in range(times):
        begin = time.perf_counter()
        argon2id.verify("pass1", stored)
        taken.append((time.perf_counter() - begin) * 1000)
    return statistics.median(taken)


def both_factors(app: Lesson, times: int = 4) -> float:
    """Return how long lesson 05's app.py takes for password and PIN (ms): each PIN works once."""
    import re

    taken = []
    for _ in range(times):
        app.post("/pin", basic=("user1", "pass1"))
        for _ in range(100):  # the log comes through another channel than the answer
            pins = re.findall(r"Your PIN is (\d{6})", app.log)
            if len(pins) > len(taken):
                break
            time.sleep(0.02)
        begin = time.perf_counter()
        answer = app.get("/", basic=("user1", "pass1"), headers={"OTP": pins[-1]})
        taken.append((time.perf_counter() - begin) * 1000)
        if answer.status != 200:
            raise LessonError(f"A right PIN was answered with {answer.status}.")
    return statistics.median(taken)


def memory(app: Lesson) -> float:
    """Return the resident memory of an application's workers (MB)."""
    import psutil

    workers = psutil.Process(app.pid).children()
    return sum(worker.memory_info().rss for worker in workers) / 1e6


def start(case: Case) -> Lesson:
    """Serve a case's application with one worker of gunicorn."""
    python = OTHERS / "python" if case.others else sys.executable
    app = Lesson(case.lesson, case.file, workers=1, python=python)
    if case.rows:
        with sqlite3.connect(app.scratch / "lesson.db") as connection:
            case.rows(connection)
        connection.close()
    return app


def measure(cases: list[Case], seconds: float, rounds: int, advance=lambda what, share: None):
    """Serve all cases, load them in turn, round by round; return the results by their names.

    seconds: how long each is loaded in each round. advance: called before each load, with the
    case's name and with the share of all loads that is done. Raises LessonError when an
    application doesn't start, or there is no load generator.
    """
    if os.name == "nt":
        raise LessonError("gunicorn does not run on Windows. Measure in WSL, or on another system.")
    find_generator()
    found = {case.name: {"rounds": []} for case in cases}
    with ExitStack() as stack:
        advance("starting all applications", 0)
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="learn-bench-")))
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            apps = list(pool.map(start, cases))
        for app in apps:
            stack.callback(app.stop)
        for number in range(rounds):
            for place, (case, app) in enumerate(zip(cases, apps, strict=True)):
                advance(case.name, (number + place / len(cases)) / rounds)
                one = load(case, app, seconds, scratch)
                one["memory"] = memory(app)
                if case.login:
                    one["hash"] = hash_time()
                    if case.lesson == "05":
                        one["both"] = both_factors(app)
                found[case.name]["rounds"].append(one)
    return {name: sum_up(one["rounds"]) for name, one in found.items()}


def sum_up(rounds: list[dict]) -> dict:
    """Return the median of each value over the rounds, and the rates of all rounds."""
    rates = [one["requests"] / one["seconds"] for one in rounds]
    done = {
        key: round(statistics.median(one[key] for one in rounds), 3)
        for key in ("median", "p99", "memory", "hash", "both")
        if key in rounds[0]
    }
    return {
        "rate": round(statistics.median(rates), 1),
        "rates": [round(rate, 1) for rate in rates],
        **done,
        "errors": sum(one["errors"] for one in rounds),
        "requests": sum(one["requests"] for one in rounds),
    }


def ratios(one: dict, base: dict) -> list[float]:
    """Return the ratio of two results' rates in each round."""
    return [rate / other for rate, other in zip(one["rates"], base["rates"], strict=True)]


def growth_cases() -> list[Case]:
    """Return what should not grow with the number of users, used nonces or revoked tokens."""
    cases = [Case(BARE, "01", HERE / "peers" / "bare.py", same(Request()))]
    later = time.time() + 10_000

    def users(count):
        return lambda connection: connection.executemany(
            "INSERT INTO users SELECT ?, hash, 0 FROM users WHERE name = 'user2'",
            ([f"someone{number}"] for number in range(count)),
        )

    def nonces(count):
        return lambda connection: connection.executemany(
            "INSERT INTO used VALUES (?, 1, ?)",
            ([f"nonce{number}", later] for number in range(count)),
        )

    def tokens(count):
        return lambda connection: connection.executemany(
            "INSERT INTO revoked VALUES (?, ?)",
            ([f"token{number}", later] for number in range(count)),
        )

    for count in GROWTH:
        for lesson, what, requests, rows in (
            ("02", "users", same(Request(headers=basic())), users),
            ("03", "used nonces", digest("/"), nonces),
            ("04", "revoked tokens", bearer("app"), tokens),
        ):
            name = f"{lesson} app.py, {count} {what}"
            cases.append(Case(name, lesson, "app", requests, rows=rows(count)))
    return cases


def run(quick=False, growth=False, waits=False, advance=lambda what, share: None) -> dict:
    """Measure what is asked for, the applications' requests if nothing is; return it as data.

    quick: a few applications and a shorter time.
    """
    from . import waits as waiting

    found = {"machine": machine()}
    if not growth and not waits:
        missing = [] if (OTHERS / "python").exists() else [c.name for c in CASES if c.others]
        cases = [c for c in CASES if (c.quick or not quick) and c.name not in missing]
        found["requests"] = measure(cases, *((1, 2) if quick else (2, 3)), advance)
        found["missing"] = missing
    if growth:
        found["growth"] = measure(growth_cases(), *((1, 1) if quick else (2, 5)), advance)
    if waits:
        found["waits"] = waiting.measure(quick, advance)
    return found


def machine() -> dict:
    """Return what the results depend on."""
    from importlib.metadata import version

    generator = {} if os.name == "nt" else {"load generator": find_generator()[0]}
    return {
        "Python": platform.python_version(),
        "system": platform.system(),
        "cores": os.cpu_count(),
        **generator,
        **{name: version(name) for name in ("flask", "gunicorn", "flask-httpauth", "pyjwt")},
    }


def tables(found: dict) -> list[tuple[str, list[str], list[list[str]]]]:
    """Return what `run` found as tables: a title, the columns' names, and rows of text."""
    made = []
    if "requests" in found:
        results = found["requests"]
        base = results[BARE]
        errors = any(one["errors"] for one in results.values())
        rows, logins = [], []
        for name, one in results.items():
            last = [f"{one['memory']:.0f}", *([str(one["errors"])] if errors else [])]
            if "hash" in one:
                share = one["hash"] / one["median"]
                logins.append(
                    [name, f"{one['rate']:.1f}", f"{one['median']:.0f}", f"{one['p99']:.0f}"]
                    + [f"{one['hash']:.0f}", f"{share:.2f}", *last]
                )
                continue
            times = [f"{one['median']:.1f}", f"{one['p99']:.1f}"]
            rows.append([name, f"{one['rate']:,.0f}", spread(ratios(one, base)), *times, *last])
        columns = ["median ms", "99th %", "memory MB", *(["errors"] if errors else [])]
        title = "Requests, by an application's one worker"
        made.append((title, ["", "requests/s", "of bare Flask", *columns], rows))
        columns = ["", "logins/s", "median ms", "99th %", "of it the hash, ms", "share"]
        columns += ["memory MB", *(["errors"] if errors else [])]
        if logins:
            made.append(("What costs a hash, one at a time", columns, logins))
    if "growth" in found:
        results = dict(found["growth"])
        base = results.pop(BARE)
        rows = []
        for name, one in results.items():
            what, _, rest = name.partition(", ")
            count, _, kind = rest.partition(" ")
            of_bare = spread(ratios(one, base))
            rows.append([f"{what}, {kind}", f"{int(count):,}", f"{one['rate']:,.0f}", of_bare])
        rows.sort(key=lambda row: row[0])
        made.append(("Growth", ["", "rows", "requests/s", "of bare Flask"], rows))
    if "waits" in found:
        rows = [
            [name, f"{one['seconds']:.2f}", one["floor_name"], f"{one['floor']:.2f}"]
            + [f"{one['seconds'] / one['floor']:.1f}"]
            for name, one in found["waits"].items()
        ]
        made.append(("Waits", ["wait", "s", "its floor", "s", "times"], rows))
    return made


def spread(values: list[float]) -> str:
    """Return the median, and the lowest and highest in brackets."""
    middle, low, high = statistics.median(values), min(values), max(values)
    return f"{middle:.2f}" if len(values) == 1 else f"{middle:.2f} ({low:.2f} to {high:.2f})"


def as_markdown(table: tuple[str, list[str], list[list[str]]]) -> str:
    """Return one of the tables as Markdown, without its title."""
    _, columns, rows = table
    lines = [columns, ["---"] + ["--:"] * (len(columns) - 1), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
