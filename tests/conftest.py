"""Which file the checks test, and how they get it running.

`--on` chooses the file of each lesson: app (the default), naive, exercise, beyond, or a path.
Each lesson ends with steps beyond app.py, which `--beyond` adds.
"""

import os

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
    parser.addoption("--beyond", action="store_true", help="add the steps beyond app.py")


def pytest_configure(config):
    config.addinivalue_line("markers", "long: runs with --long only")


def pytest_collection_modifyitems(config, items):
    if not config.getoption("--long"):
        long = [item for item in items if item.get_closest_marker("long")]
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if item not in long]
    if not config.getoption("--beyond"):
        beyond = [item for item in items if getattr(item, "cls", None) and is_beyond(item.cls)]
        config.hook.pytest_deselected(items=beyond)
        items[:] = [item for item in items if item not in beyond]


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
