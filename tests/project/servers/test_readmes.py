"""What a lesson's README tells its reader to type works as typed, after what stands above it.

The lines of its `sh` blocks go into one shell, in a fresh copy of the repository. A line that
serves runs until the next one that does. Words in capitals are what a reader fills in. The answers'
statuses are those that the paragraph below the block names.
"""

import os
import re
import shutil
import socket
import subprocess
import sys
import time

import pyotp
import pytest

from learn.layout import LESSONS, ROOT

FOLDERS = sorted(p.name for p in LESSONS.iterdir() if (p / "app.py").is_file())
SERVES = re.compile(r"(python lessons/|flask .*\brun\b|gunicorn |uv run |python3 -m learn run)")
pytestmark = [
    pytest.mark.rest,  # it takes long
    pytest.mark.skipif(
        os.name == "nt" or not shutil.which("curl"), reason="bash or curl is not installed"
    ),
]


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """A copy of what git tracks, without any environment."""
    target = tmp_path_factory.mktemp("readmes") / "copy"
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    for name in listed.stdout.decode().strip("\0").split("\0"):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target / name)
    return target


class Shell:
    """A reader's shell: it runs a line and says what it printed; what serves goes on meanwhile."""

    def __init__(self, folder, port):
        self.folder, self.port, self.server, self.log = folder, port, None, folder / "server.log"
        leave = {"VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME"}
        self.environment = {
            name: value
            for name, value in os.environ.items()
            if name not in leave and not name.startswith("FLASK_")
        }
        own = os.path.dirname(sys.executable)
        paths = [p for p in os.environ["PATH"].split(os.pathsep) if p != own]
        self.environment |= {"PATH": os.pathsep.join(paths), "PYTHONUNBUFFERED": "1"}
        self.activated = ""
        self.bash = subprocess.Popen(
            ["bash"], cwd=folder, env=self.environment, text=True, encoding="utf-8",
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def type(self, line):
        """Run a line; return what it printed. What serves answers when this returns."""
        if "/activate" in line:
            self.activated = line
        if SERVES.match(line):
            self.serve(line)
            return ""
        self.bash.stdin.write(f"{line}\necho; echo @@ended $?\n")
        self.bash.stdin.flush()
        said = ""
        for out in self.bash.stdout:
            if out.startswith("@@ended"):
                assert out.split()[1] == "0", f"{line}\n{said}"
                return said
            said += out
        raise AssertionError(f"the shell ended at: {line}\n{said}")

    def serve(self, line):
        self.stop()
        wait_until(lambda: not listens(self.port), f"port {self.port} is taken")
        with open(self.log, "w") as log:
            self.server = subprocess.Popen(
                ["bash", "-c", f"{self.activated}\nexec {line}"], cwd=self.folder,
                env=self.environment, stdout=log, stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
            )  # fmt: skip
        wait_until(lambda: listens(self.port), f"{line}: no answer", self.server, self.log)

    def stop(self):
        if self.server:
            self.server.terminate()
            self.server.wait(20)
            self.server = None

    def end(self):
        self.stop()
        self.bash.stdin.close()
        self.bash.wait(20)


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_until(holds, otherwise, server=None, log=None):
    end = time.monotonic() + 60
    while not holds():
        assert server is None or server.poll() is None, log.read_text()
        assert time.monotonic() < end, otherwise
        time.sleep(0.05)


def blocks(text):
    """Return the lines of each `sh` block, and the paragraph below it."""
    found = re.findall(r"^```sh\n(.*?)^```\n\n(.*?)(?:\n\n|\Z)", text, re.M | re.S)
    strip = [[re.sub(r"\s+# .*", "", line) for line in lines.splitlines()] for lines, _ in found]
    return list(zip(strip, [below for _, below in found], strict=True))


def fill_in(line, said, log):
    """Put in what a reader would: the PIN from the log, the code of the secret just shown."""
    if "THE-PIN" in line:
        line = line.replace("THE-PIN", re.findall(r"Your PIN is (\d{6})", log.read_text())[-1])
    if "THE-CODE" in line:
        secret = re.findall(r"secret=([A-Z2-7]{16,})", said)[-1]
        line = line.replace("THE-CODE", pyotp.TOTP(secret).now())
    return line


def status_of(line, said):
    """Return the status that a line showed, or None if it shows none."""
    if line.startswith("curl") and (" -i" in line or " -v" in line):
        return re.findall(r"^(?:< )?HTTP/1\.1 (\d{3})", said, re.M)[-1]
    return None


@pytest.mark.parametrize("folder", FOLDERS)
def test_lines_work_as_typed(folder, copy):
    """Every line of a README's `sh` blocks works, and answers what the README says.

    What `run` prints of them answers the same, in a shell in which nothing was typed before.
    """
    text = (copy / "lessons" / folder / "README.md").read_text("utf-8")
    shell, said, answered = Shell(copy, 5000 + int(folder[:2])), "", []
    try:
        for lines, below in blocks(text):
            statuses = set()
            for line in lines:
                if line.startswith(f"python3 -m learn check {folder[:2]} --watch"):
                    continue  # it stays until q is pressed
                said += shell.type(fill_in(line, said, shell.log))
                if status := status_of(line, said):
                    statuses.add(status)
                    answered.append((line, status))
            named = set(re.findall(r"\b[1-5]\d\d\b", below))
            assert statuses <= (named or {"200"}), (lines, below)
    finally:
        shell.end()
    printed = what_run_prints(folder, copy)
    assert len(printed) > 2 and printed == answered[: len(printed)]


def what_run_prints(folder, copy):
    """Type what `run` prints into a fresh shell; return the lines that show a status, with it."""
    (copy / "jar").unlink(missing_ok=True)
    shell, said, answered = Shell(copy, 5000 + int(folder[:2])), "", []
    try:
        shell.serve(f"python3 -m learn run {folder[:2]}")
        printed = re.compile(r"terminal:\n\n((?:    .+\n)+)\n")
        wait_until(lambda: printed.search(shell.log.read_text("utf-8")), "nothing to try")
        lines = printed.search(shell.log.read_text("utf-8"))[1].splitlines()
        for line in map(str.strip, lines):
            said += shell.type(fill_in(line, said, shell.log))
            if status := status_of(line, said):
                answered.append((line, status))
    finally:
        shell.end()
    return answered


@pytest.mark.long
@pytest.mark.parametrize("folder", FOLDERS)
def test_each_way_to_serve_works_as_typed(folder, copy):
    """Each way to serve that the README lists serves the lesson on its port."""
    text = (copy / "lessons" / folder / "README.md").read_text("utf-8")
    ways = [way for way in re.findall(r"`([^`\n]+)`", text) if SERVES.match(way)]
    assert len(ways) >= 4, ways
    shell = Shell(copy, 5000 + int(folder[:2]))
    try:
        shell.type("python3 -m learn")
        shell.type(". .venv/bin/activate")
        for way in ways:
            shell.serve(way)
    finally:
        shell.end()
