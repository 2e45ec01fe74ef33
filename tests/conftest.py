"""Which file the checks test, and how they get it running.

`--on` chooses the file of each lesson: app (the default), naive, exercise, or a path.
"""

import os

import pytest

from learn import Lesson


def pytest_addoption(parser):
    parser.addoption(
        "--on",
        default="app",
        metavar="app|naive|exercise|PATH",
        help="the file of the lesson that the checks test (default: app)",
    )


@pytest.fixture(scope="session")
def on(request):
    """The file that the checks test, as given with --on."""
    name = request.config.getoption("--on")
    return name if name in ("app", "naive", "exercise") else os.path.abspath(name)


@pytest.fixture(scope="module")
def app(request, on):
    """The lesson that a file of checks is named after, running; shared by its checks."""
    with Lesson(_folder(request), on) as running:
        yield running


@pytest.fixture
def start(request, on):
    """Start the lesson for one check alone, with settings: start(TOKEN_LIFETIME=1)."""
    running = []

    def start(**settings):
        running.append(Lesson(_folder(request), on, **settings))
        return running[-1]

    yield start
    for one in running:
        one.stop()


def _folder(request):
    return request.module.__name__.rpartition(".")[2].removeprefix("test_")
