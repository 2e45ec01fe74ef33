"""Load an application, and read what that cost it: rate, times, processor time, memory."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import statistics
import subprocess
import time
from pathlib import Path

import httpx2
import psutil

from ..layout import ROOT, LessonError
from ..running.lesson import Lesson
from .cases import Case, basic

HERE = Path(__file__).parent
OTHERS = ROOT / ".others" / "bin"  # the environment of tests/project/requirements-others.txt
CONNECTIONS = 4


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
        " --require-hashes -r tests/project/requirements-others.txt"
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
