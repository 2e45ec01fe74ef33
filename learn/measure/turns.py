"""A request's cost in short turns: sixty to one application, sixty to the next, and again.

In a load of a second, a busy machine can slow one application down and not its neighbour. What
disturbs a turn of twenty milliseconds disturbs the next one as well, and among hundreds of turns a
few do not count. What sends is this process, which costs time of its own, the same for every
application: it makes a ratio of two rates a little better than it is. So the processor time of the
workers stands first.
"""

from __future__ import annotations

import socket
import statistics
import time
from itertools import cycle

from ..layout import LessonError
from ..running.lesson import Lesson
from .cases import COUNTS, Case
from .load import processor_time

EACH = 60  # requests in a turn


def measure(cases: list[Case], apps: dict[str, Lesson], turns: int, advance) -> dict:
    """Ask running applications in turn, each after what it is compared with.

    apps: by the names of their cases. advance: as for bench.measure. Returns by those names: cpu,
    the processor time of one request (ms); rate, the median of the turns; ratios, of a turn to the
    one before it, as the three that part all of them into four quarters; the sum of requests and
    errors. Raises LessonError when an application ends.
    """
    named, most = {case.name: case for case in cases}, (turns + 1) * EACH * len(cases)
    asked = {
        name: cycle([one.raw(apps[name].port) for one in case.requests(apps[name], most / COUNTS)])
        for name, case in named.items()
    }
    found = {name: {"rates": [], "ratios": [], "requests": 0, "errors": 0} for name in named}

    def turn(name):
        done, begin = found[name], time.perf_counter()
        statuses = [ask(name, apps[name].port, next(asked[name])) for _ in range(EACH)]
        done["rates"].append(EACH / (time.perf_counter() - begin))
        done["errors"] += sum(status != named[name].expect for status in statuses)
        done["requests"] += EACH
        return done["rates"][-1]

    before = {name: processor_time(app) for name, app in apps.items()}
    for number in range(turns):
        for case in cases:
            advance(f"{case.name}, turn {number + 1}", number / turns)
            if case.name != case.base:
                base = turn(case.base)
                found[case.name]["ratios"].append(turn(case.name) / base)
    for name, done in found.items():
        taken = processor_time(apps[name]) - before[name]
        done["cpu"] = round(taken / done["requests"] * 1000, 4)
        done["rate"] = round(statistics.median(done.pop("rates")), 1)
        if done["ratios"]:
            done["ratios"] = [round(one, 3) for one in statistics.quantiles(done["ratios"], n=4)]
    return found


def ask(name: str, port: int, raw: bytes) -> int:
    """Send one request on a connection of its own; return the status of the answer."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
            connection.sendall(raw)
            answer = b"".join(iter(lambda: connection.recv(65536), b""))
        return int(answer.split(maxsplit=2)[1])
    except (OSError, IndexError, ValueError) as error:
        raise LessonError(f"{name} does not answer any more: {error}.") from None
