"""Run a lesson's checks on a file and tell, step by step, what holds and what doesn't.

Strategy: the lesson starts first, and pytest is imported meanwhile. It runs the checks in this
process, without a word; a plugin of ours notes what happens to each. What comes out is a `Verdict`.
A stranger's file starts in a box, and not before the checks have been read: see judge.py.
"""

from __future__ import annotations

import contextlib
import functools
import io
import time
from pathlib import Path

from ..layout import ROOT, LessonError, MachineOnly, find_file, find_folder
from ..running.lesson import Lesson
from . import progress
from .results import ELSEWHERE, FAILED, PASSED, Failure, Result, Verdict
from .steps import FIRST, checks_file, read_steps, settings_of


class NoExercise:
    """What `check` returns in a notebook when there is nothing to check yet."""

    def __init__(self, folder: Path):
        self.text = (
            "You have no exercise for this lesson yet. Make one in a terminal with "
            f"`python3 -m learn start {folder.name[:2]}`, then run this cell again."
        )

    def _repr_markdown_(self):
        return self.text

    def __repr__(self):
        return self.text.replace("`", "")


def check(name: str | int) -> Verdict | NoExercise:
    """Run the checks of a lesson on its exercise, for the last cell of a notebook.

    Raises LessonError when there is no such lesson.
    """
    folder = find_folder(name)
    if not (folder / "exercise.py").is_file():
        return NoExercise(folder)
    return run_checks(folder)


def run_checks(
    folder: Path,
    file: str = "exercise",
    *,
    every: bool = False,
    beyond: bool = True,
    on_step=None,
    box=None,
) -> Verdict:
    """Run a lesson's checks on a file, up to the first that fails, or `every` one of them.

    beyond: whether the steps beyond app.py are tried; on_step: called with each Result when its
    step has passed or failed; box: where the file is to run, if it is a stranger's. What came out
    is kept as progress if the file is the exercise. Raises LessonError when there is no such file.
    """
    path = find_file(folder.name, file)
    before = progress.digest(folder)
    verdict = Verdict(folder, path, [Result(step) for step in read_steps(folder)])
    arguments = [str(checks_file(folder)), f"--on={file if file == 'exercise' else path}"]
    arguments += ["-o", "addopts=", "-p", "no:cacheprovider", "-p", "no:terminal"]
    arguments += ["-W", "ignore", f"--rootdir={ROOT}", "--capture=no"]
    arguments += ["--disable-plugin-autoload"]  # nbval alone takes seconds to import
    arguments += ["--beyond"] if beyond else []
    arguments += [] if every else ["--maxfail=1"]
    settings = settings_of(folder)
    with contextlib.ExitStack() as stack:
        stack.enter_context(Lesson.within(box))

        def begin():
            return stack.enter_context(Lesson(folder.name, path, wait=False, **settings))

        if settings is None:  # the checks start it themselves
            begin = None
        elif box is None:
            begin = functools.cache(begin)
            begin()
        import pytest

        notes = _Notes(verdict, on_step, begin)
        stack.enter_context(contextlib.redirect_stdout(io.StringIO()))
        stack.enter_context(contextlib.redirect_stderr(io.StringIO()))
        status = pytest.main(arguments, plugins=[notes])
    if notes.interrupted:
        raise KeyboardInterrupt
    if status not in (0, 1) and not verdict.broken and not verdict.failed:
        raise LessonError(
            f"The checks of {folder.name} can't be run. See why with:"
            f" python3 -m learn test {checks_file(folder).relative_to(ROOT)}"
        )
    if file == "exercise":
        passed = [result.step.name for result in verdict.results if result.state == PASSED]
        failed = FIRST if verdict.broken else verdict.failed and verdict.failed.step.name
        hints = progress.of(folder)["hints"]
        hints = {name: count for name, count in hints.items() if name not in passed}
        digest = None if verdict.broken else before  # nothing was checked: `hint` looks again
        progress.keep(folder, digest=digest, passed=passed, failed=failed, hints=hints)
    return verdict


class _Notes:
    """A plugin for pytest that notes what happens to each check in a verdict."""

    def __init__(self, verdict, on_step, begin):
        self.verdict, self.on_step, self.begin = verdict, on_step, begin
        self.results = {result.step.name: result for result in verdict.results}
        self.interrupted = False
        self.silences = 0
        self.left = {}

    def pytest_configure(self, config):
        self.config = config
        config.option.tbstyle = "no"  # nobody would see pytest's tracebacks

    def pytest_collection_finish(self, session):
        for item in session.items:
            name = item.cls.__name__
            self.left[name] = self.left.get(name, 0) + 1
        # All checks have been read. The lesson is for the fixture `app`, in tests/conftest.py.
        try:
            self.config.lesson = self.begin() if self.begin else None
        except LessonError as error:
            self.verdict.broken = str(error)
            session.shouldstop = "it doesn't start"

    def pytest_keyboard_interrupt(self, excinfo):
        self.interrupted = type(excinfo.value) is KeyboardInterrupt

    def pytest_runtest_logstart(self):
        self.began, self.met = time.perf_counter(), MachineOnly.met

    def pytest_runtest_makereport(self, item, call):
        result = self.results[item.cls.__name__]
        error = call.excinfo.value if call.excinfo else None
        elsewhere = self.elsewhere(error)
        if elsewhere and call.when != "teardown":
            result.elsewhere[item.originalname] = elsewhere
        elif error is not None and not isinstance(error, KeyboardInterrupt):
            cause = error.__cause__ if isinstance(error.__cause__, LessonError) else error
            if call.when == "setup" and isinstance(cause, LessonError):
                self.verdict.broken = str(cause)
                item.session.shouldstop = "it doesn't start"
            elif call.when != "teardown" and result.state != FAILED:
                result.state = FAILED
                result.failure = self.explain(item, cause)
        if self.verdict.broken:  # nothing was checked
            return
        if call.when == "teardown":
            result.seconds += time.perf_counter() - self.began
            self.left[item.cls.__name__] -= 1
            if result.state != FAILED:
                if item.originalname not in result.elsewhere:
                    result.passed.add(item.originalname)
                if not self.left[item.cls.__name__]:
                    result.state = PASSED if result.passed else ELSEWHERE
            if self.on_step and (result.state == FAILED or not self.left[item.cls.__name__]):
                self.on_step(result)
            if self.silences >= 2:
                item.session.shouldstop = "it keeps silent"
        return _as_skipped(item, call) if elsewhere and error else None

    def elsewhere(self, error) -> str:
        """Return why a check can't be made in a web page; "" if it can."""
        if isinstance(error, MachineOnly):
            return str(error)
        return MachineOnly.last if MachineOnly.met > self.met else ""

    def explain(self, item, error) -> Failure:
        """Turn what a check raised into what the learner is told."""
        import httpx2

        from ..running.client import TIMEOUT
        from .expect import Unexpected

        check = item.originalname
        lesson = next((v for v in item.funcargs.values() if hasattr(v, "own_lines")), None)
        if isinstance(error, Unexpected):
            said = getattr(error.answer, "said", "")
            if error.answer is not None and error.answer.status == 404:
                said = _missing_view(error.answer, lesson)
            return Failure(check, error.expected, error.came, error.answer, error.mark, said)
        if isinstance(error, LessonError):
            return Failure(check, "that it goes on", str(error))
        if isinstance(error, httpx2.HTTPError):
            request = getattr(error, "_request", None)
            asked = f" to {request.method} {request.url.path}" if request else ""
            said = lesson.own_lines() if lesson else ""
            if isinstance(error, httpx2.TimeoutException):
                self.silences += 1
                came = f"none within {TIMEOUT:g} seconds. Does it loop, or wait for something?"
            elif isinstance(error, httpx2.ConnectError):
                came = "no connection: the server has ended"
            else:
                came = f"something else: {error}"
            return Failure(check, f"an answer in HTTP{asked}", came, said=said)
        came = f"{type(error).__name__}: {error}"[:500]
        return Failure(check, "what the check's sentence says", came)


def _as_skipped(item, call):
    """Return pytest's report on a check that was not made, which counts as no failure."""
    import pytest

    report = pytest.TestReport.from_item_and_call(item, call)
    report.outcome, report.longrepr = "skipped", (str(item.path), 0, "not in a web page")
    return report


def _missing_view(answer, lesson) -> str:
    """Say whether the app has no view for this address, or one that answers 404.

    Flask answers OPTIONS by itself wherever there is a view.
    """
    import httpx2

    path = answer.target.split("?")[0]
    if path == "/":
        return ""
    try:
        if lesson and lesson.send("OPTIONS", path).status not in (404, 405):
            return f"A view of your app answers at {path}, and what it answers is 404."
    except (httpx2.HTTPError, LessonError):
        pass
    return f"Nothing in your app answers at {path}."
