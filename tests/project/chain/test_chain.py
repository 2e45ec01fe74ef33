"""The chain that a learner relies on: locked packages, static checks, JupyterLab, a clean home."""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import httpx2
import pytest

from learn.layout import LESSONS, ROOT

# What each naive.py is guilty of in the eyes of ruff's security rules, on purpose.
GUILTY = {
    "03_digest/naive.py": {"S105"},  # a key that stands in the code
    "04_jwt/naive.py": {"S105"},  # likewise, and a password
    "05_otp/naive.py": {"S311"},  # random instead of secrets
    "06_sessions/naive.py": {"S105"},  # a key that stands in the code
    "08_oidc/naive.py": {"S105", "S113"},  # a key that stands in the code; no time-out
}


LOCKS = [
    "requirements.txt",
    "learn/install/requirements-uv.txt",
    "tests/project/requirements-others.txt",
]


def security_findings(*paths):
    """Return what ruff's security rules find, by file: a set of codes each."""
    command = [sys.executable, "-m", "ruff", "check", "--isolated", "--no-cache", "--select", "S"]
    command += ["--output-format", "json", *map(str, paths)]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", cwd=ROOT)
    assert done.returncode in (0, 1), done.stderr
    found = {}
    for finding in json.loads(done.stdout):
        found.setdefault(Path(finding["filename"]), set()).add(finding["code"])
    return found


def test_lessons_pass_the_security_rules():
    """app.py and beyond.py have no finding; each naive.py has exactly the ones it is known for."""
    found = security_findings(LESSONS)
    assert {path.relative_to(LESSONS).as_posix(): codes for path, codes in found.items()} == GUILTY


KNOWN = {  # of the workbench, beside starting processes without a shell (S603, S606)
    "commands/page.py": {"S102", "S307"},  # it runs a notebook's cells, in the reader's own page
    "explain/grammar.py": {"S105"},  # the names of tokens
    "measure/cases.py": {"S106"},  # a demo user's password
    "practice/grading.py": {"S607"},  # rm, for folders that are too deep for Python
    "practice/kept.py": {"S608"},  # tables by the names that the database itself tells
    "practice/qr.py": {"S314"},  # a learner's SVG; expat bounds what entities grow to
    "running/box.py": {"S108"},  # mounts inside the box
    "running/lesson.py": {"S311"},  # which User-Agent a stranger's file is asked by
    "site/build.py": {"S704"},  # HTML that our own Markdown was made into
}


def test_workbench_passes_the_security_rules():
    """The workbench starts processes without a shell, and has the findings that are known."""
    found = security_findings(ROOT / "learn")
    left = {path: codes - {"S603", "S606"} for path, codes in found.items()}
    folder = ROOT / "learn"
    named = {path.relative_to(folder).as_posix(): codes for path, codes in left.items() if codes}
    assert named == KNOWN


def test_style():
    """The project's own ruff rules hold, and everything is formatted."""
    for command in (["check"], ["format", "--check"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--no-cache", "."],
            cwd=ROOT,
            capture_output=True,
            text=True,
            encoding="utf-8",
        )
        assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", LOCKS)
def test_every_requirement_is_locked_with_hashes(name):
    """Each package has its versions and their hashes, and no line names a place to get it from."""
    text = (ROOT / name).read_text("utf-8")
    packages = re.split(r"\n(?=[a-z0-9])", re.sub(r"^#.*\n", "", text, flags=re.M))
    assert len(packages) == len(re.findall(r"^[a-z0-9]", text, re.M)) > 0
    for package in packages:
        assert re.match(r"[a-z0-9._-]+(\[[a-z,]+\])?==[^\s;]+", package), package
        assert "--hash=sha256:" in package, package
    assert not re.search(r"https?://|file:|--index|--find-links|--extra|@ ", text)


def test_nothing_is_installed_unhashed():
    """Each command of the set-up that installs says --require-hashes."""
    text = (ROOT / "learn" / "install" / "make.py").read_text("utf-8")
    installs = re.findall(r'"install"[^\n]*', text)
    assert len(installs) == 3
    assert all("--require-hashes" in line for line in installs), installs


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty home of one's own."""
    folder = tmp_path / "home"
    folder.mkdir()
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(folder))
    for name in [n for n in os.environ if n.startswith(("XDG_", "JUPYTER", "IPYTHON", "MPL"))]:
        monkeypatch.delenv(name)
    return folder


def learn(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "learn", *arguments],
        cwd=ROOT,
        capture_output=True,
        stdin=subprocess.DEVNULL,
        timeout=120,
    )


@pytest.mark.rest
def test_nothing_is_written_to_the_home(home, request):
    """Commands that show, explain, check and play leave the home as it was."""
    file = LESSONS / "03_digest" / "app.py"
    for arguments in (
        [],
        ["explain", "Authorization: Basic dXNlcjE6cGFzczE="],
        ["check", "03", "--file", str(file)],
        ["play", "05" if request.config.getoption("--long") else "04"],
    ):
        assert learn(*arguments).returncode == 0, arguments
    assert list(home.iterdir()) == []


@pytest.mark.rest
def test_lab_wants_its_token_and_stays_on_this_machine(home):
    """JupyterLab listens on 127.0.0.1 only, wants its token, and leaves the home as it was."""
    command = [sys.executable, "-m", "learn", "lab", "05", "--no-browser", "--port=0"]
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        said, address = "", None
        while address is None:
            line = process.stdout.readline()
            assert line, said
            said += line
            address = re.search(r"http://127\.0\.0\.1:(\d+)/lab/\S*\?token=(\w+)", line)
        port, token = address.groups()
        base = f"http://127.0.0.1:{port}"
        for _ in range(100):
            try:
                status = httpx2.get(f"{base}/api/contents", timeout=5).status_code
                break
            except httpx2.TransportError:
                time.sleep(0.1)
        assert status == 403
        assert httpx2.get(f"{base}/api/contents?token={token}", timeout=5).status_code == 200
        assert len(token) >= 32
        settings = "lab/api/settings/@jupyterlab/apputils-extension:notification"
        said = httpx2.get(f"{base}/{settings}?token={token}", timeout=5).json()
        assert '"fetchNews": "false"' in said["raw"]  # answered, so it asks nobody at its start
        if Path("/proc/net/tcp").exists():
            listening = [
                line.split()[1]
                for name in ("tcp", "tcp6")
                for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]
                if line.split()[3] == "0A" and line.split()[1].endswith(f":{int(port):04X}")
            ]
            assert listening == [f"0100007F:{int(port):04X}"]
    finally:
        process.terminate()
        process.wait(30)
    assert list(home.iterdir()) == []
