"""A verdict as plain data, to be carried from the process that found it to the one that shows it.

What comes in belongs to a stranger's app, so it is cut to a size, and read as nothing but text.
"""

from __future__ import annotations

from pathlib import Path

from ..layout import LessonError
from ..showing.exchange import Exchange
from .results import FAILED, PASSED, UNTRIED, Failure, Result, Verdict
from .steps import Step

MOST = 20_000  # characters of a text
BEFORE = 5  # exchanges of a handshake


def result_to_plain(result: Result) -> dict:
    """Return a step's result as what JSON can hold."""
    failure = result.failure
    return {
        "step": result.step.name,
        "state": result.state,
        "seconds": result.seconds,
        "passed": sorted(result.passed),
        "failure": failure
        and {
            "check": failure.check,
            "expected": _cut(failure.expected),
            "came": _cut(failure.came),
            "mark": failure.mark,
            "said": _cut(failure.said),
            "answer": failure.answer and _exchange_to_plain(failure.answer),
        },
    }


def verdict_from_plain(
    folder: Path, steps: list[Step], path: Path, results: list[dict], broken: str = ""
) -> Verdict:
    """Return the verdict on a file from its results, as `result_to_plain` gave them.

    steps: those of the lesson; one without a result is untried. Raises LessonError when the data is
    none of ours.
    """
    try:
        found = {one["step"]: one for one in results}
        rows = [_result(step, found.get(step.name)) for step in steps]
        return Verdict(folder, path, rows, broken)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise LessonError(f"What was kept of a verdict can't be read: {error!r}.") from None


def _result(step, plain) -> Result:
    if plain is None:
        return Result(step)
    if plain["state"] not in (PASSED, FAILED, UNTRIED):
        raise ValueError(plain["state"])
    failure = plain["failure"]
    if failure is not None:
        answer = failure["answer"] and _exchange(failure["answer"])
        texts = (str(failure[name]) for name in ("check", "expected", "came"))
        failure = Failure(*texts, answer, str(failure["mark"]), str(failure["said"]))
        if failure.check not in step.checks:
            raise ValueError(failure.check)
    passed = set(map(str, plain["passed"]))
    return Result(step, plain["state"], float(plain["seconds"]), passed, failure)


def _exchange_to_plain(exchange: Exchange) -> dict:
    return {
        "method": exchange.method,
        "target": _cut(exchange.target),
        "request_headers": [[_cut(n), _cut(v)] for n, v in exchange.request_headers],
        "request_body": _cut(exchange.request_body),
        "status": exchange.status,
        "reason": _cut(exchange.reason),
        "response_headers": [[_cut(n), _cut(v)] for n, v in exchange.response_headers],
        "text": _cut(exchange.text),
        "before": [_exchange_to_plain(one) for one in exchange.before[-BEFORE:]],
        "passwords": dict(exchange.passwords),
        "keys": list(exchange.keys),
    }


def _exchange(plain) -> Exchange:
    pairs = ("request_headers", "response_headers")
    headers = {name: tuple((str(n), str(v)) for n, v in plain[name]) for name in pairs}
    names = ("method", "target", "request_body", "reason", "text")
    return Exchange(
        **{name: str(plain[name]) for name in names},
        **headers,
        status=int(plain["status"]),
        before=tuple(map(_exchange, plain["before"])),
        passwords=dict(plain["passwords"]),
        keys=tuple(plain["keys"]),
    )


def _cut(text: str) -> str:
    return text if len(text) <= MOST else f"{text[:MOST]}… ({len(text)} characters in all)"
