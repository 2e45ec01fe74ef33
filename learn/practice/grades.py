"""Grade a class: judge each submission once, keep what came out, and say who is like whom."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

from ..layout import ROOT, LessonError
from . import carried
from .alike import fingerprint, likenesses
from .grading import PASSED, UNJUDGED, Judges, Outcome
from .results import FAILED, Result
from .submissions import Submission, digest

STATE = ROOT / ".learn" / "grades"


@dataclass
class Grade:
    """A row of the table. outcome: None if there was nothing to judge, `problem` says why."""

    submission: Submission
    outcome: Outcome | None = None
    problem: str = ""
    alike: str = ""
    kept: bool = False  # from an earlier run

    @property
    def state(self) -> str:
        """passed, failed or not judged."""
        return self.outcome.state if self.outcome else UNJUDGED

    @property
    def steps(self) -> str:
        """How many steps are done, of how many: "5 of 8"."""
        if not self.outcome:
            return ""
        return f"{self.outcome.verdict.done} of {len(self.outcome.verdict.steps)}"

    @property
    def failed(self) -> Result | None:
        """The first step that failed, of those that are needed."""
        results = self.outcome.verdict.results if self.outcome else []
        return next((r for r in results if r.state == FAILED and not r.step.beyond), None)

    @property
    def reason(self) -> str:
        """A line on what fails first, or on why there is no verdict."""
        if not self.outcome:
            return self.problem
        verdict = self.outcome.verdict
        if self.outcome.why and not self.failed:
            return self.outcome.why
        if verdict.broken:
            return " ".join(verdict.broken.split())
        failed = self.failed
        return f"{verdict.name_of(failed.step)}: {failed.step.title}" if failed else ""

    def as_dict(self) -> dict:
        """Return all of it as what JSON can hold."""
        base = {"name": self.submission.name, "state": self.state, "why": self.reason or None}
        path = self.submission.path
        base |= {"file": path and str(path), "alike": self.alike or None}
        if self.outcome:
            base["seconds"] = round(self.outcome.seconds, 1)
            base |= {k: v for k, v in self.outcome.verdict.as_dict().items() if k != "file"}
            base["passed"] = self.state == PASSED
        return base


def grade(
    submissions: Iterable[Submission],
    judges: Judges,
    jobs: int,
    *,
    again: bool = False,
    on_grade: Callable[[Grade], None] = lambda grade: None,
) -> list[Grade]:
    """Judge submissions, so many at a time; return a Grade for each, in their order.

    What was judged before, with the same files and the same checks, is not judged again, unless
    `again`: so a run that was interrupted goes on. on_grade: called with each as it comes.
    """
    grades = [Grade(one, problem=one.problem) for one in submissions]
    prints, keys = {}, {}
    for one in grades:
        if not one.problem:
            try:
                files = one.submission.read()
            except LessonError as error:
                one.problem = str(error)
            except OSError as error:
                one.problem = f"It can't be read: {error.strerror}."
            else:
                prints[one.submission.name] = fingerprint(files[one.submission.path.name])
                keys[one.submission.name] = digest(files, *_decides(judges))
    for name, words in likenesses(prints, judges.folder).items():
        next(one for one in grades if one.submission.name == name).alike = words
    todo = []
    for one in grades:
        key = keys.get(one.submission.name)
        one.outcome = None if again or not key else _kept(judges, one.submission, key)
        one.kept = one.outcome is not None
        if key and not one.kept:
            todo.append(one)
        else:
            on_grade(one)

    def judge(one):
        one.outcome = judges.judge(one.submission.path, one.submission.whole)
        _keep(judges, keys[one.submission.name], one.outcome)
        return one

    with ThreadPoolExecutor(jobs) as pool:
        waiting = {pool.submit(judge, one) for one in todo}
        try:
            while waiting:
                done, waiting = wait(waiting, 0.2, FIRST_COMPLETED)
                for future in done:
                    on_grade(future.result())
        except BaseException:  # Ctrl-C: what is done is kept
            pool.shutdown(wait=False, cancel_futures=True)
            judges.close()
            raise
    return grades


def _decides(judges: Judges) -> list[bytes]:
    """Return what decides on a verdict beside the files: the checks, and how they are used."""
    texts = [name.encode() + b"\0" + judges.checks[name] for name in sorted(judges.checks)]
    return [*texts, f"{judges.beyond} {judges.every}".encode()]


def _place(judges: Judges, key: str) -> Path:
    return STATE / judges.folder.name / f"{key}.json"


def _keep(judges: Judges, key: str, outcome: Outcome) -> None:
    """Keep a verdict for the next run; that there is none is not kept."""
    if outcome.state == UNJUDGED:
        return
    results = [carried.result_to_plain(result) for result in outcome.verdict.results]
    kept = {"state": outcome.state, "why": outcome.why, "seconds": outcome.seconds}
    kept |= {"results": results, "broken": outcome.verdict.broken}
    place = _place(judges, key)
    draft = place.with_suffix(f".{os.getpid()}")
    with contextlib.suppress(OSError):
        place.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(json.dumps(kept), "utf-8")
        draft.replace(place)


def _kept(judges: Judges, submission: Submission, key: str) -> Outcome | None:
    try:
        kept = json.loads(_place(judges, key).read_text("utf-8"))
        verdict = carried.verdict_from_plain(
            judges.folder, judges.steps, submission.path, kept["results"], str(kept["broken"])
        )
        if kept["state"] not in (PASSED, FAILED) or (kept["state"] == PASSED) != verdict.passed:
            return None
        return Outcome(kept["state"], verdict, str(kept["why"]), float(kept["seconds"]))
    except (OSError, ValueError, KeyError, TypeError, LessonError, RecursionError):
        return None
