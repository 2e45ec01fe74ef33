"""What the set-up promises, from outside: real processes in fresh copies of the repository.

Most of these run a bare Python, which has none of the requirements, and a uv that waits in the
middle of the installation until the test lets it go on. So no test depends on who is faster.
"""

import ast
import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import venv
from pathlib import Path

import pytest

from learn.install import make
from learn.layout import ROOT

WINDOWS = os.name == "nt"
HEADER = "Authorization: Basic dXNlcjE6cGFzczE="
SETTING_UP = "Setting up, once"
NOT_COPIED = (".venv", ".learn", ".git", "instance", "__pycache__", ".*_cache")
NOWHERE = "http://127.0.0.1:9/simple"
posix = pytest.mark.skipif(WINDOWS, reason="Windows has no signals for a group of processes")

# Stands in for uv: it installs, but takes a file away again, as an interrupted installation may
# leave it. Then it waits for the file `go`, deaf to Ctrl-C, and puts things right.
SLOW_UV = """
import os, pathlib, signal, subprocess, sys, time
here, uv = pathlib.Path(__file__).parent, {uv!r}
if sys.argv[1] == "pip" and not (here / "go").exists():
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    subprocess.run([uv, *sys.argv[1:]], check=True)
    python = pathlib.Path(sys.argv[sys.argv.index("--python") + 1])
    (core,) = python.parent.parent.glob("lib/*/site-packages/click/core.py")
    core.rename(here / "core.py")
    (here / "reached").touch()
    while not (here / "go").exists():
        time.sleep(0.05)
    (here / "core.py").rename(core)
os.execv(uv, [uv, *sys.argv[1:]])
"""

pytestmark = pytest.mark.rest  # environments are made again and again


def copy(target):
    """Copy the repository as someone else gets it: what git tracks, or what a zip would hold."""
    try:
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True)
        names = listed.stdout.decode("utf-8").strip("\0").split("\0")
    except OSError:
        names = []
    if "requirements.txt" not in names:
        shutil.copytree(ROOT, target, ignore=shutil.ignore_patterns(*NOT_COPIED))
        return target
    for name in names:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, target / name)
    return target


def environment(*first, **more):
    """This environment with no other one active, and no uv but the one in the folders `first`."""
    leading = {"VIRTUAL_ENV", "CONDA_PREFIX", "PYTHONPATH", "PYTHONHOME", "UV_PROJECT_ENVIRONMENT"}
    kept = {k: v for k, v in os.environ.items() if k not in leading}
    paths = [p for p in os.environ["PATH"].split(os.pathsep) if not shutil.which("uv", path=p)]
    path = os.pathsep.join([*(str(p) for p in first if p), *paths])
    return {**kept, "PATH": path, "PYTHONIOENCODING": "utf-8", **more}


def command(python):
    return [str(python), "-m", "learn", "explain", HEADER]


def learn(python, folder, env, wrap=()):
    return subprocess.run(
        [*wrap, *command(python)],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
        stdin=subprocess.DEVNULL,
    )


def did_its_work(done):
    return done.returncode == 0 and "user name user1 and password pass1" in done.stdout


def refused(done):
    """Whether it ended with sentences and status 1, and printed nothing else."""
    return done.returncode == 1 and not done.stdout and "Traceback" not in done.stderr


def python_of(folder):
    return folder / ".venv" / ("Scripts/python.exe" if WINDOWS else "bin/python")


def installed(folder):
    """The names of what lies in the packages' folder of .venv, in small letters."""
    return {p.name.lower() for p in (folder / ".venv").glob("[Ll]ib/**/site-packages/*")}


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """A Python that has none of the requirements, not even pip."""
    folder = tmp_path_factory.mktemp("bare")
    venv.create(folder, with_pip=False, symlinks=not WINDOWS)
    return folder / ("Scripts/python.exe" if WINDOWS else "bin/python")


@pytest.fixture(scope="module")
def built(bare, tmp_path_factory):
    """A copy in a folder with a difficult name, and what its first call answered."""
    folder = copy(tmp_path_factory.mktemp("built") / "my café in Łódź")
    uv = shutil.which("uv")
    # ascii: as on a console that can't show the folder's name
    env = environment(uv and Path(uv).parent, PYTHONIOENCODING="ascii")
    return folder, learn(bare, folder, env)


@pytest.fixture(scope="module")
def uv(built):
    """A uv that runs: the one on the path, else the one that the set-up fetched."""
    own = python_of(built[0]).parent
    return shutil.which("uv") or shutil.which("uv", path=own)


@pytest.fixture
def with_uv(uv):
    return environment(Path(uv).parent)


@pytest.fixture
def slow(uv, tmp_path):
    """The folder of a uv that waits in the middle."""
    folder = tmp_path / "slow"
    folder.mkdir()
    (folder / "slow_uv.py").write_text(SLOW_UV.format(uv=uv))
    script = folder / "uv"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{folder}/slow_uv.py" "$@"\n')
    script.chmod(0o755)
    yield folder
    (folder / "go").touch()


@pytest.fixture
def start():
    """Start a call in the background; whatever happens, nothing of it outlives the test."""
    calls = []

    def start(*arguments):
        calls.append(Call(*arguments))
        return calls[-1]

    yield start
    for call in calls:
        call.end()


class Call:
    """A call in a group of processes of its own, with what it wrote to stderr so far."""

    def __init__(self, python, folder, env):
        self.process = subprocess.Popen(
            command(python),
            cwd=folder,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            start_new_session=True,
        )
        self.stderr = ""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self.process.stderr:
            self.stderr += line

    def finish(self):
        stdout = self.process.stdout.read()
        self._reader.join(60)
        return subprocess.CompletedProcess([], self.process.wait(60), stdout, self.stderr)

    def send(self, number):
        os.killpg(self.process.pid, number)

    def end(self):
        with contextlib.suppress(ProcessLookupError):
            self.send(signal.SIGKILL)
        self.process.wait()

    @property
    def gone(self):
        """Whether no process of the group is left."""
        try:
            os.killpg(self.process.pid, 0)
        except ProcessLookupError:
            return True
        return False


def until(true, what):
    """Wait until something is true; fail after a minute."""
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.02)


def test_the_first_call_sets_up_and_says_so(built):
    """The first call sets up .venv, says so on stderr, and then does its work."""
    folder, done = built
    assert did_its_work(done), done.stderr
    assert done.stderr.startswith(SETTING_UP) and re.search(r"^Done in \d+ s\.$", done.stderr, re.M)
    assert SETTING_UP not in done.stdout and "Done in" not in done.stdout
    assert python_of(folder).exists()


def test_the_second_call_sets_up_nothing(built, bare, with_uv):
    """A second call says nothing of a set-up, does none, and prints the same."""
    folder, first = built
    stamp = folder / ".venv" / "learn-stamp"
    before, names = stamp.stat().st_mtime_ns, installed(folder)
    done = learn(bare, folder, with_uv)
    assert did_its_work(done) and done.stdout == first.stdout and not done.stderr
    assert stamp.stat().st_mtime_ns == before and installed(folder) == names


def test_changed_requirements_are_installed(built, bare, with_uv):
    """When requirements.txt changes, the next call brings .venv up to date."""
    folder, _ = built
    with open(folder / "requirements.txt", "a") as file:
        file.write("# another line\n")
    done = learn(bare, folder, with_uv)
    assert did_its_work(done) and SETTING_UP in done.stderr
    assert not learn(bare, folder, with_uv).stderr


@posix
@pytest.mark.parametrize("next_python", ["bare", pytest.param("inside", marks=pytest.mark.long)])
def test_a_killed_set_up_is_repaired(tmp_path, start, bare, slow, with_uv, next_python):
    """A set-up killed in the middle of the installation is made whole by the next call."""
    folder = copy(tmp_path / "copy")
    call = start(bare, folder, environment(slow))
    until((slow / "reached").exists, "the installation")
    call.send(signal.SIGKILL)
    assert call.process.wait(60) == -signal.SIGKILL
    assert not (folder / ".venv" / "learn-stamp").exists() and "click" in installed(folder)
    done = learn(bare if next_python == "bare" else python_of(folder), folder, with_uv)
    assert did_its_work(done) and SETTING_UP in done.stderr, done.stderr
    assert (folder / ".venv" / "learn-stamp").exists() and "flask" in installed(folder)


@posix
def test_what_a_killed_call_left_running_is_waited_for(tmp_path, start, bare, slow):
    """When only the call is killed, the next one waits until its installer has ended."""
    folder = copy(tmp_path / "copy")
    first = start(bare, folder, environment(slow))
    until((slow / "reached").exists, "the installation")
    first.process.kill()
    first.process.wait()
    second = start(bare, folder, environment(slow))
    until(lambda: "waiting" in second.stderr, "the sentence")
    assert SETTING_UP not in second.stderr
    (slow / "go").touch()
    assert did_its_work(second.finish()) and SETTING_UP in second.stderr


@posix
def test_two_first_calls_at_once(tmp_path, start, bare, slow):
    """Of two first calls at once, one sets up, the other waits and says so, and both work."""
    folder = copy(tmp_path / "copy")
    first = start(bare, folder, environment(slow))
    until((slow / "reached").exists, "the installation")
    second = start(bare, folder, environment(slow))
    until(lambda: "waiting" in second.stderr, "the sentence")
    (slow / "go").touch()
    assert did_its_work(first.finish()) and did_its_work(second.finish())
    assert SETTING_UP in first.stderr and SETTING_UP not in second.stderr


@posix
def test_ctrl_c_ends_the_set_up(tmp_path, start, bare, slow, with_uv):
    """Ctrl-C ends it with a sentence, status 130 and no process left; the next call goes on."""
    folder = copy(tmp_path / "copy")
    call = start(bare, folder, environment(slow))
    until((slow / "reached").exists, "the installation")
    call.send(signal.SIGINT)
    done = call.finish()
    assert done.returncode == 130 and not done.stdout
    assert "Interrupted. The next call goes on" in done.stderr and "Traceback" not in done.stderr
    until(lambda: call.gone, "the end of its processes")
    assert did_its_work(learn(bare, folder, with_uv))


@pytest.mark.parametrize("kind", ["a folder of anything", "an environment"])
def test_a_foreign_venv_stays_untouched(tmp_path, bare, with_uv, kind):
    """A .venv that the tutorial did not make stays as it is, and a sentence says what to do."""
    folder = copy(tmp_path / "copy")
    foreign = folder / ".venv"
    if kind == "an environment":
        venv.create(foreign, with_pip=False, symlinks=not WINDOWS)
    (foreign / "mine").mkdir(parents=True)
    (foreign / "mine" / "notes.txt").write_bytes(b"keep\0this")
    python = python_of(folder) if kind == "an environment" else bare

    def state():
        files = sorted(p for p in foreign.rglob("*") if p.is_file())
        return [(str(p), p.lstat().st_mtime_ns, p.read_bytes()) for p in files]

    before = state()
    for started_with in {bare, python}:
        done = learn(started_with, folder, with_uv)
        assert refused(done) and "stays untouched" in done.stderr
        assert "rename it" in done.stderr and "pip install -r requirements.txt" in done.stderr
        assert state() == before


@pytest.mark.parametrize("installer", ["uv", pytest.param("pip", marks=pytest.mark.long)])
def test_without_network(tmp_path, bare, with_uv, installer):
    """Without a network it ends soon, with a sentence about the network."""
    folder = copy(tmp_path / "copy")
    nowhere = {k: NOWHERE for k in ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL")}
    caches = {"UV_CACHE_DIR": str(tmp_path / "uv"), "PIP_CACHE_DIR": str(tmp_path / "pip")}
    env = {**(with_uv if installer == "uv" else environment()), **nowhere, **caches}
    env |= {"PIP_CONFIG_FILE": os.devnull, "UV_NO_CONFIG": "1", "UV_HTTP_RETRIES": "0"}
    for name in ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL", "UV_FIND_LINKS", "UV_EXTRA_INDEX_URL"):
        env.pop(name, None)
    done = learn(bare, folder, env)
    assert refused(done) and "Check your network" in done.stderr, done.stderr
    assert done.stderr.count("\n") < 8 and not (folder / ".venv" / "learn-stamp").exists()


@pytest.mark.parametrize(
    ("file", "package"),
    [
        ("requirements.txt", "markupsafe"),
        pytest.param("learn/install/requirements-uv.txt", "uv", marks=pytest.mark.long),
    ],
)
def test_a_wrong_hash(tmp_path, bare, with_uv, file, package):
    """What doesn't match its hash is not installed, and a sentence says so."""
    folder = copy(tmp_path / "copy")
    text = (folder / file).read_text()
    block = re.search(rf"^{package}==.*\n(?:    --hash.*(?:\n|\Z))+", text, re.M).group()
    wrong = re.sub("(?<=sha256:).{4}", "0000", block)
    (folder / file).write_text(text.replace(block, wrong))
    done = learn(bare, folder, with_uv if package != "uv" else environment())
    assert refused(done) and "its hash differs" in done.stderr, done.stderr
    assert not any(re.match(rf"{package}\b", name) for name in installed(folder))
    assert not shutil.which("uv", path=python_of(folder).parent)
    assert not (folder / ".venv" / "learn-stamp").exists()


@pytest.mark.parametrize(
    ("missing", "named"),
    [(["venv"], "no module `venv`"), (["ensurepip", "pip"], "neither `ensurepip` nor pip")],
)
def test_a_python_without_its_modules(tmp_path, bare, missing, named):
    """A Python that can't make environments, with no uv there, is told what to install."""
    folder = copy(tmp_path / "copy")
    (tmp_path / "sitecustomize.py").write_text(
        "from importlib.machinery import PathFinder\n"
        "find = PathFinder.find_spec\n"
        f"without = lambda name, *rest: None if name in {missing} else find(name, *rest)\n"
        "PathFinder.find_spec = staticmethod(without)\n"
    )
    done = learn(bare, folder, environment(PYTHONPATH=str(tmp_path)))
    assert refused(done) and named in done.stderr, done.stderr
    assert "python3-venv" in done.stderr or "Install the rest of Python" in done.stderr


def own_mounts():
    """The start of a command that may mount folders for itself alone; skip where that is denied."""
    wrap = ["unshare", "--user", "--map-root-user", "--mount"]
    probe = [*wrap, "mount", "-t", "tmpfs", "none", "/mnt"]
    if not shutil.which("unshare") or subprocess.run(probe, capture_output=True).returncode:
        pytest.skip("mounting a small disk needs Linux, unshare and user namespaces")
    return wrap


def test_a_full_disk(tmp_path, bare, with_uv):
    """When the disk is full, a sentence says so and how much is needed."""
    folder, disk = copy(tmp_path / "copy"), tmp_path / "disk"
    disk.mkdir()
    script = (
        'mount -t tmpfs -o size=8m none "$1" && cp -r "$2" "$1/copy" && cd "$1/copy" && shift 2'
    )
    wrap = [*own_mounts(), "sh", "-c", f'{script} && exec "$@"', "sh", str(disk), str(folder)]
    done = learn(bare, tmp_path, with_uv, wrap)
    assert refused(done) and "The disk is full. Make room" in done.stderr, done.stderr


def test_a_folder_that_cannot_be_written_to(tmp_path, bare, with_uv):
    """In a folder that can't be written to, a sentence says so and names it."""
    folder, wrap = copy(tmp_path / "copy"), ()
    if WINDOWS:
        pytest.skip("folders on Windows have no read-only mode")
    if os.geteuid() == 0:  # root may write anywhere, except without its powers
        wrap = ["unshare", "--user"]
        if not shutil.which("unshare") or subprocess.run([*wrap, "true"]).returncode:
            pytest.skip("root can't give up its powers here: that needs unshare")
    folder.chmod(0o555)
    done = learn(bare, folder, with_uv, wrap)
    folder.chmod(0o755)
    assert refused(done) and "can't be written to" in done.stderr and str(folder) in done.stderr
    assert not (folder / ".venv").exists()


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        ("cause: failed to copy file: No space left on device (os error 28)", "disk is full"),
        (
            "ERROR: Could not install packages due to an OSError: [Errno 28] No space",
            "disk is full",
        ),
        ("[WinError 112] There is not enough space on the disk: 'C:\\\\x'", "disk is full"),
        ("[Errno 30] Read-only file system: '/x/.learn'", "can't be written to"),
        ("[Errno 13] Permission denied: '/x/.learn'", "can't be written to"),
        ("[WinError 5] Access is denied: 'C:\\\\x\\\\.venv'", "can't be written to"),
        ("cause: Hash mismatch for `flask==3.1.2`" + "\n  sha256:00" * 99, "its hash differs"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.", "its hash"),
        ("cause: dns error\ncause: failed to lookup address information", "Check your network"),
        ("Failed to establish a new connection: [Errno 111] Connection refused", "Check your net"),
        ("Failed to resolve 'pypi.org' ([Errno -2] Name or service not known)", "Check your net"),
        ("Resolved 113 packages in 1s\nerror: Failed to build `x==1`", "The set-up failed."),
        ("Retrying after connection broken" + "\nok" * 99 + "\nerror: no compiler", "no compiler"),
    ],
)
def test_what_installers_say_is_explained(output, sentence):
    """What installers and systems say becomes a sentence about the right thing."""
    assert sentence in make._explain(output)


@pytest.mark.parametrize("version", ["2.7", "3.6", "3.7", "3.8", "3.9"])
def test_an_old_python_is_told_so(tmp_path, version):
    """A Python that is too old says which one it is and which is needed."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    found = [*pyenv.glob(f"versions/{version}.*/bin/python"), shutil.which(f"python{version}")]
    runs = [p for p in found if p and not subprocess.run([p, "-V"], capture_output=True).returncode]
    if not runs:
        pytest.skip(f"there is no Python {version} here")
    done = learn(runs[0], copy(tmp_path / "copy"), environment())
    assert refused(done) and f"this is Python {version}." in done.stderr
    assert "3.11 or newer" in done.stderr


def test_an_old_python_would_be_told_so(tmp_path):
    """What runs before the version is known is plain enough for Python 3.6, and ends there."""
    for name in ("__init__.py", "__main__.py"):
        ast.parse((ROOT / "learn" / name).read_text("utf-8"), feature_version=(3, 6))
    code = "import runpy, sys; sys.version_info = (3, 9, 2); runpy.run_module('learn.__main__')"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=copy(tmp_path / "copy"), capture_output=True, text=True
    )
    assert refused(done) and "3.11 or newer; this is Python 3.9." in done.stderr


def test_an_environment_of_ones_own_is_used(tmp_path):
    """With a Python that has all requirements already, no .venv is made."""
    if not make._has_all_already():
        pytest.skip("this Python doesn't have the versions that requirements.txt names")
    folder = copy(tmp_path / "copy")
    done = learn(sys.executable, folder, environment())
    assert did_its_work(done) and not done.stderr
    assert not (folder / ".venv").exists() and not (folder / ".learn").exists()


def test_uv_run_does_the_same(tmp_path, bare, uv):
    """`uv run -m learn` sets up the same .venv and leaves no lock file of its own."""
    folder = copy(tmp_path / "copy")
    env = environment(Path(uv).parent, UV_PYTHON=str(bare))
    run = [uv, "run", "-m", "learn", "explain", HEADER]
    for first in (True, False):
        done = subprocess.run(
            run, cwd=folder, env=env, capture_output=True, text=True, encoding="utf-8"
        )
        assert did_its_work(done) and (SETTING_UP in done.stderr) == first, done.stderr
    assert (folder / ".venv" / "learn-stamp").exists() and not (folder / "uv.lock").exists()
