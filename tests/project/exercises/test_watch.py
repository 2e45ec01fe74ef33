"""play and check --watch on a real terminal (a pseudo-terminal), with keys and Ctrl-C."""

import contextlib
import os
import re
import select
import shutil
import signal
import subprocess
import time

import pytest

from learn.layout import ROOT

pty = pytest.importorskip("pty", reason="Windows has no pseudo-terminal in Python")


class Terminal:
    """A command on a pseudo-terminal."""

    def __init__(self, tutorial, *arguments):
        self.ours, theirs = pty.openpty()
        self.process = subprocess.Popen(
            tutorial.command(*arguments),
            cwd=tutorial.root,
            env={**tutorial.environment, "TERM": "xterm", "COLUMNS": "100"},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        self.seen = ""

    def wait_for(self, *texts, seconds=60):
        """Read until all texts came, in this order; forget what came up to the last."""
        end = time.monotonic() + seconds
        for text in texts:
            while text not in self.plain:
                assert time.monotonic() < end, f"no {text!r} in:\n{self.plain}"
                if select.select([self.ours], [], [], 0.1)[0]:
                    try:
                        self.seen += os.read(self.ours, 65536).decode("utf-8", "replace")
                    except OSError:  # the other end was closed
                        assert text in self.plain, self.plain
            self.seen = self.plain.partition(text)[2]

    @property
    def plain(self):
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self.seen).replace("\r", "")

    def press(self, keys):
        os.write(self.ours, keys.encode())

    def end(self, seconds=20):
        status = self.process.wait(seconds)
        os.close(self.ours)
        return status

    def end_and_rest(self, seconds=20):
        """Wait for the end; return the status, and what came that nobody waited for."""
        status = self.process.wait(seconds)
        with contextlib.suppress(OSError):  # Linux says so at the end
            while select.select([self.ours], [], [], 0)[0] and (more := os.read(self.ours, 65536)):
                self.seen += more.decode("utf-8", "replace")
        os.close(self.ours)
        return status, self.plain


@pytest.fixture
def terminal(tutorial):
    opened = []

    def terminal(*arguments):
        opened.append(Terminal(tutorial, *arguments))
        return opened[-1]

    yield terminal
    for one in opened:
        if one.process.poll() is None:
            one.process.kill()
            one.process.wait()


def servers(tutorial):
    """The lesson servers that run for this copy."""
    found = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True).stdout
    running = str(tutorial.root / "learn" / "running")  # child.py, or porter.py with its forks
    return [line for line in found.split("\n") if running in line]


def test_watch_from_save_to_verdict(tutorial, terminal):
    """Each save is answered with a verdict, a file that is gone with a sentence; q leaves."""
    tutorial.learn("start", "03")
    path = tutorial.exercise("03_digest")
    naive = path.read_text("utf-8")
    watch = terminal("check", "03", "--watch")
    watch.wait_for("Step 1: Digest needs no cookie", "q leave")
    path.write_text("x = (\n", "utf-8")
    watch.wait_for("exercise.py, line 1", "never closed", "q leave")
    path.unlink()
    watch.wait_for("exercise.py is gone", "q leave")
    draft = path.with_suffix(".draft")  # as editors do: another file takes its place
    draft.write_text(naive, "utf-8")
    draft.replace(path)
    watch.wait_for("Step 1: Digest needs no cookie", "q leave")
    watch.press("q")
    assert watch.end() == 0 and not servers(tutorial)
    assert path.read_text("utf-8") == naive


@pytest.mark.rest
def test_keys_of_watch(tutorial, terminal):
    """h gives hints, s is held back before half of the steps, n needs all steps, others nothing."""
    tutorial.learn("start", "03")
    watch = terminal("check", "03", "--watch")
    watch.wait_for("q leave")
    watch.press("hh")
    watch.wait_for("Hint 1:", "Hint 2:")
    watch.press("xs")
    watch.wait_for("Less than half of the steps")
    watch.press("n")
    watch.wait_for("First the steps of this lesson")
    tutorial.exercise("03_digest", tutorial.file("03_digest", "app.py"))
    watch.wait_for("All 7 steps are done.", "q leave")
    watch.press("n")
    watch.wait_for("04_jwt, exercise.py", "Step 1: A token is given", "q leave")
    watch.press("q")
    assert watch.end() == 0
    assert tutorial.exercise("04_jwt").exists() and not servers(tutorial)


def test_play_waits_for_a_prediction(tutorial, terminal):
    """play shows what is to be predicted, waits, then shows the answer; Ctrl-C leaves with 130."""
    shutil.copytree(ROOT / "notebooks", tutorial.root / "notebooks")
    play = terminal("play", "03")
    play.wait_for("Enter: go on")
    play.press("\n")
    play.wait_for("Predict: how many requests", "app.get", "Enter: show the answer", "leave ")
    assert not select.select([play.ours], [], [], 0.5)[0]
    play.press("\n")
    play.wait_for("HTTP/1.1 401", "Enter: go on", "leave ")
    os.killpg(play.process.pid, signal.SIGINT)
    status, said = play.end_and_rest()
    assert status == 130 and not said.strip(" ^C\n") and not servers(tutorial)


@pytest.mark.parametrize(
    "pause", [0.4, 1.6, *(pytest.param(pause, marks=pytest.mark.long) for pause in (0.05, 0.8, 3))]
)
@pytest.mark.rest
@pytest.mark.parametrize("watch", [True, False])
def test_ctrl_c_at_any_moment(tutorial, terminal, watch, pause):
    """Ctrl-C ends a check at any moment; no process and no broken state is left behind."""
    tutorial.learn("start", "02")
    run = terminal("check", "02", *(["--watch"] if watch else []))
    time.sleep(pause)
    os.killpg(run.process.pid, signal.SIGINT)
    status, said = run.end_and_rest()
    # 0 and 1: it had begun to watch, or had ended; a signal: Python itself was beginning or ending.
    assert status in (130, 0 if watch else 1, -signal.SIGINT)
    assert "Traceback" not in said and "Aborted" not in said
    deadline = time.monotonic() + 5
    while servers(tutorial) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not servers(tutorial)
    assert tutorial.learn().returncode == 0
