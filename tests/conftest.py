"""Which file the checks test, and how they get it running.

`--on` chooses the file of each lesson: app (the default), naive, exercise, beyond, or a path.
Each lesson ends with steps beyond app.py, which `--beyond` adds.
"""

import os
from collections import Counter

import pytest

from learn import Lesson, LessonError


def pytest_addoption(parser):
    parser.addoption(
        "--on",
        default="app",
        metavar="app|naive|exercise|beyond|PATH",
        help="the file of the lesson that the checks test (default: app)",
    )
    parser.addoption("--long", action="store_true", help="the thorough run, which takes longer")
    parser.addoption("--first", action="store_true", help="leave out what is marked as the rest")
    parser.addoption("--rest", action="store_true", help="only what --first leaves out")
    parser.addoption("--times", type=int, default=1, metavar="N", help="try right answers N times")
    parser.addoption("--beyond", action="store_true", help="add the steps beyond app.py")


def pytest_configure(config):
    config.addinivalue_line("markers", "long: runs with --long only")
    config.addinivalue_line("markers", "rest: not in the first run, `python3 -m learn test`")


def pytest_collection_modifyitems(config, items):
    long, first, rest = (config.getoption(name) for name in ("--long", "--first", "--rest"))
    beyond = config.getoption("--beyond")

    def is_wanted(item):
        if item.get_closest_marker("long") and not long:
            return False
        if item.get_closest_marker("rest"):
            return not first
        if getattr(item, "cls", None) and is_beyond(item.cls) and not beyond:
            return False
        return not rest

    config.hook.pytest_deselected(items=[item for item in items if not is_wanted(item)])
    items[:] = [item for item in items if is_wanted(item)]


def pytest_terminal_summary(terminalreporter):
    """Sum up what was skipped, in one line for each reason."""
    reasons = Counter(
        report.longrepr[2].removeprefix("Skipped: ")
        for report in terminalreporter.stats.get("skipped", [])
        if isinstance(report.longrepr, tuple)
    )
    for reason, count in reasons.most_common():
        terminalreporter.write_line(f"skipped {count}: {reason}", yellow=True)


def is_beyond(step):
    """Whether a step goes beyond app.py."""
    return getattr(step, "beyond", False)


@pytest.fixture(scope="session")
def on(request):
    """The file that the checks test, as given with --on."""
    name = request.config.getoption("--on")
    return name if name.isidentifier() else os.path.abspath(name)


@pytest.fixture(scope="module")
def settings(request):
    """The settings with which a file of checks starts its lesson: its own SETTINGS, if any."""
    return getattr(request.module, "SETTINGS", {})


@pytest.fixture(scope="module")
def app(request, on, settings):
    """The lesson that a file of checks is named after, running; shared by its checks."""
    begun = getattr(request.config, "lesson", None)  # `learn check` has started it already
    with _start(begun.wait if begun else lambda: Lesson(_folder(request), on, **settings)) as app:
        yield app


@pytest.fixture
def start(request, on, settings):
    """Start the lesson for one check alone, with settings: start(TOKEN_LIFETIME=1)."""
    running = []

    def start(**more):
        running.append(Lesson(_folder(request), on, **{**settings, **more}))
        return running[-1]

    yield start
    for one in running:
        one.stop()


def _start(start):
    try:
        return start()
    except LessonError as error:  # pytest shows the sentence, and no traceback of the workbench
        raise pytest.fail.Exception(str(error), pytrace=False) from error


def _folder(request):
    return request.module.__name__.rpartition(".")[2].removeprefix("test_")
