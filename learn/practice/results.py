"""What comes out of a lesson's checks: plain data, as JSON and as JUnit's XML.

How it looks in a terminal and in a notebook is the business of learn/showing/results.py.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path

from ..layout import LessonError
from ..showing import results as draw
from ..showing.exchange import as_text
from . import progress
from .steps import FIRST, Step, number_of

PASSED, FAILED, UNTRIED = "passed", "failed", "untried"
ELSEWHERE = "elsewhere"  # in a web page: all of it is checked on the learner's own machine only


@dataclass
class Failure:
    """Why a check failed. answer: the exchange that shows it, or None; mark: its telling part."""

    check: str
    expected: str = ""
    came: str = ""
    answer: object = None
    mark: str = ""
    said: str = ""  # what the app itself said: its own lines of a traceback, or why it didn't start


@dataclass
class Result:
    """What came out of one step."""

    step: Step
    state: str = UNTRIED
    seconds: float = 0.0
    passed: set[str] = field(default_factory=set)
    failure: Failure | None = None
    elsewhere: dict[str, str] = field(default_factory=dict)  # checks, and why not in a web page


@dataclass
class Verdict:
    """What came out of a lesson's checks on a file."""

    folder: Path
    path: Path
    results: list[Result]
    broken: str = ""  # why the file can't be checked at all

    @property
    def steps(self) -> list[Result]:
        """The steps that count."""
        return [result for result in self.results if result.step.counts]

    @property
    def done(self) -> int:
        """How many steps passed, one after the other from the first.

        None has, as long as what holds from the beginning doesn't.
        """
        begun = all(r.state == PASSED for r in self.results if r.step.name == FIRST)
        states = [begun and result.state == PASSED for result in self.steps]
        return [*states, False].index(False)

    @property
    def passed(self) -> bool:
        """Whether every step passed by the checks that could be made, those beyond app.py apart."""
        needed = [result for result in self.results if not result.step.beyond]
        return not self.broken and all(result.state == PASSED for result in needed)

    @property
    def following(self) -> str:
        """The command to go on with when all is done."""
        return progress.next_command(self.folder)

    @property
    def elsewhere(self) -> list[str]:
        """The sentences of the checks that are made on the learner's own machine only."""
        return [result.step.checks[name] for result in self.results for name in result.elsewhere]

    @property
    def failed(self) -> Result | None:
        """The first step that failed, or None."""
        return next((result for result in self.results if result.state == FAILED), None)

    def find(self, name: str) -> Result | None:
        """Return the result of the step of this name, or None."""
        return next((result for result in self.results if result.step.name == name), None)

    def name_of(self, step: Step) -> str:
        """Return how a step is called: "Step 3", or its place outside the counting."""
        return number_of(step, [result.step for result in self.results])

    def as_dict(self) -> dict:
        """Return all of it as what JSON can hold."""
        return {
            "lesson": self.folder.name,
            "file": str(self.path),
            "passed": self.passed,
            "steps_done": self.done,
            "steps": len(self.steps),
            "error": self.broken or None,
            "results": [_result_as_dict(result) for result in self.results],
        }

    def as_junit(self):
        """Return an element <testsuite> with one <testcase> a step."""
        import xml.etree.ElementTree as ET

        failures = sum(1 for r in self.results if r.state == FAILED and not r.step.beyond)
        suite = ET.Element(
            "testsuite",
            name=self.folder.name,
            tests=str(len(self.results)),
            failures=str(failures),
            errors="1" if self.broken else "0",
            skipped=str(len(self.results) - failures - len([*filter(_is_passed, self.results)])),
        )
        for result in self.results:
            case = ET.SubElement(
                suite,
                "testcase",
                classname=self.folder.name,
                name=result.step.title,
                time=f"{result.seconds:.3f}",
            )
            if result.state == FAILED and not result.step.beyond:
                text = _failure_text(result.failure)
                ET.SubElement(
                    case, "failure", message=xml_text(text.split("\n")[0])
                ).text = xml_text(text)
            elif result.state != PASSED:
                why = "optional" if result.step.beyond else "an earlier step failed"
                ET.SubElement(case, "skipped", message=why)
        if self.broken:
            case = ET.SubElement(suite, "testcase", classname=self.folder.name, name="It starts")
            ET.SubElement(
                case, "error", message=xml_text(self.broken.split("\n")[0])
            ).text = xml_text(self.broken)
        return suite

    def _repr_markdown_(self):
        return draw.as_markdown(self)

    def __str__(self):
        return draw.as_text(self)

    def __repr__(self):
        return f"<{self.folder.name}: {self.done} of {len(self.steps)} steps>"

    def __rich_console__(self, console, options):
        yield draw.as_rich(self)


def _is_passed(result):
    return result.state == PASSED


def _result_as_dict(result: Result) -> dict:
    failure = result.failure
    return {
        "step": result.step.name,
        "title": result.step.title,
        "optional": bool(result.step.beyond),
        "result": result.state,
        "seconds": round(result.seconds, 3),
        "checks": {
            name: FAILED
            if failure and failure.check == name
            else PASSED
            if name in result.passed
            else ELSEWHERE
            if name in result.elsewhere
            else UNTRIED
            for name in result.step.checks
        },
        "failure": failure
        and {
            "check": failure.check,
            "sentence": result.step.checks.get(failure.check, failure.check),
            "expected": failure.expected,
            "came": failure.came,
            "app_said": failure.said or None,
            "exchange": _exchange_text(failure),
        },
    }


def _exchange_text(failure):
    return as_text(failure.answer, failure.mark) if failure.answer else None


def _failure_text(failure: Failure) -> str:
    parts = [f"expected {failure.expected}, came {failure.came}", failure.said]
    return "\n\n".join(part for part in [*parts, _exchange_text(failure)] if part)


def xml_text(text: str) -> str:
    """Return the text without the characters that XML can't hold."""
    return re.sub(r"[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "?", text)


def write_junit(verdicts: list[Verdict], path: Path) -> None:
    """Write the verdicts as JUnit's XML. Raises LessonError when the file can't be written."""
    import xml.etree.ElementTree as ET

    root = ET.Element("testsuites")
    root.extend(verdict.as_junit() for verdict in verdicts)
    try:
        ET.ElementTree(root).write(os.fspath(path), encoding="utf-8", xml_declaration=True)
    except OSError as error:
        raise LessonError(f"{path} can't be written: {error.strerror}.") from None
