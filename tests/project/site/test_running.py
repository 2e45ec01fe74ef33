"""Lessons, notebooks and checks in a web page: Pyodide in Chromium, and the same in this Python.

The page is served on 127.0.0.1 below a folder, as GitHub Pages serves a project's, with the
strictest Content-Security-Policy that it can do with.
"""

import configparser
import gzip
import hashlib
import http.server
import io
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path

import pytest
from rich.console import Console

from learn.layout import LESSONS, NOTEBOOKS, ROOT
from learn.practice.check import run_checks
from learn.practice.steps import FIRST

POLICY = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'"
POLICY += "; connect-src 'self'; img-src data:"
PAGE = '<!doctype html><meta charset="utf-8"><title>A page</title>'
PAGE += '<link rel="icon" href="data:,"><script type="module" src="page.js"></script>'
SCRIPT = 'import { Engine } from "./run/engine.js"; Object.assign(window, { Engine }); '
SCRIPT += "window.engine = new Engine();"
RUNS = ["01", "02", "03", "04", "05", "06"]  # 07 and 08 need compiled code
# Cells that a page can't run, by what they say instead.
CELLS_ELSEWHERE = {"05": {35: "matplotlib"}}
# Checks that need several threads or processes, or a socket.
CHECKS_ELSEWHERE = {
    "01": {
        "test_users_at_once_are_not_mixed_up",
        "test_registrations_at_once",
        "test_processes_agree_on_a_name",
        "test_old_hash_is_replaced_for_one_of_three",
    },
    "02": {
        "test_users_at_once_are_not_mixed_up",
        "test_additions_at_once",
        "test_old_password_is_too_late",
        "test_changes_survive_a_restart",
        "test_each_hash_is_strong_and_has_a_salt_of_its_own",
    },
    "03": {
        "test_it_works_as_a_script",
        "test_of_many_at_once_one_gets_in",
        "test_all_workers_know_what_was_used",
    },
    "04": {
        "test_no_two_tokens_have_one_name",
        "test_two_who_log_in_at_once",
        "test_logout_sent_twice_at_once",
    },
    "05": {
        "test_two_who_ask_at_once",
        "test_mail_server_is_down",
        "test_pin_counts_once_of_many_at_once",
        "test_old_pin_does_not_end_the_new",
        "test_code_counts_once_of_many_at_once",
        "test_no_more_than_five_at_once",
    },
    "06": {"test_login_with_the_old_password_is_too_late"},
}
WIRE = 12_000_000  # bytes that a page may load in order to run


class Handler(http.server.SimpleHTTPRequestHandler):
    extensions_map = {
        **http.server.SimpleHTTPRequestHandler.extensions_map,
        ".mjs": "text/javascript",
        ".js": "text/javascript",
        ".wasm": "application/wasm",
    }

    def end_headers(self):
        self.send_header("Content-Security-Policy", POLICY)
        super().end_headers()

    def log_message(self, *_):
        pass


class Engine:
    """An engine in a page in Chromium; each method is one of engine.js's."""

    def __init__(self, process):
        self._process = process
        self.version = self._read()["answer"]

    def _read(self):
        line = self._process.stdout.readline()
        assert line, "the browser's driver ended without an answer"
        return json.loads(line)

    def call(self, *task):
        self._process.stdin.write(json.dumps(task) + "\n")
        self._process.stdin.flush()
        return self._read()

    def __getattr__(self, name):
        def method(*given):
            done = self.call(name, *given)
            assert "error" not in done, done["error"]
            return done["outputs"] if name == "run" else done.get("answer")

        return method


@pytest.fixture(scope="module")
def runtime(pages, tmp_path_factory):
    """A folder as GitHub Pages has it: a project's folder with a page, and what runs in it."""
    folder = tmp_path_factory.mktemp("running")
    shutil.copytree(pages / "run", folder / "repo" / "run")
    (folder / "repo" / "index.html").write_text(PAGE)
    (folder / "repo" / "page.js").write_text(SCRIPT)
    return folder


@pytest.fixture(scope="module")
def engine(runtime):
    own = ROOT / ".others" / ("Scripts" if sys.platform == "win32" else "bin")
    python = shutil.which("python", path=own)
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if not chromium or not python:
        pytest.skip("Chromium or Playwright is not installed; docs/clients.md says how to")
    handler = partial(Handler, directory=str(runtime))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/repo/index.html"
        driver = Path(__file__).with_name("running_driver.py")
        with subprocess.Popen(
            [python, str(driver), chromium, address],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        ) as process:
            yield Engine(process)
            process.stdin.close()
        server.shutdown()


def sanitized(text):
    """Return a text in which what differs from run to run is masked, as nbval masks it."""
    rules = configparser.RawConfigParser()
    rules.read(NOTEBOOKS / "sanitize.cfg", "utf-8")
    for name in rules.sections():
        text = re.sub(rules[name]["regex"], rules[name]["replace"], text)
    return text.strip()


def shown(outputs):
    """Return what outputs show, by stream or MIME type; pictures of matplotlib apart."""
    found = {}
    for one in outputs:
        kind = one.get("output_type") or one["type"]
        if kind == "stream":
            texts = {one["name"]: one["text"]}
        elif kind == "error":
            texts = {"error": one.get("text") or one["ename"]}
        else:
            texts = one["data"]
        for name, text in texts.items():
            found[name] = found.get(name, "") + "".join(text)
    return {name: sanitized(text) for name, text in found.items()}


def lesson_folder(number):
    return next(LESSONS.glob(f"{number}_*"))


def source(number, name):
    return (lesson_folder(number) / f"{name}.py").read_text("utf-8")


def states_of(steps):
    """Return the state of each check that was made, by the names of its step and of itself."""
    return {
        (step["name"], check["name"]): check["state"] for step in steps for check in step["checks"]
    }


def in_state(states, state):
    return {check for (_, check), one in states.items() if one == state}


def most(numbers, but):
    """Return the numbers, all of which are for the thorough run, but those."""
    marks = [pytest.mark.rest if number in but else pytest.mark.long for number in numbers]
    return [pytest.param(n, marks=mark) for n, mark in zip(numbers, marks, strict=True)]


# In this Python: what a page has for processes and a network.

JUDGE = """
import json, sys
from learn.layout import find_folder
from learn.practice.check import run_checks
verdict = run_checks(find_folder(sys.argv[1]), sys.argv[2], every=True)
needed = [result for result in verdict.results if not result.step.beyond]
elsewhere = [name for result in needed for name in result.elsewhere]
print(json.dumps({**verdict.as_dict(), "elsewhere": elsewhere}))
"""


def judged(number, file):
    """Return the verdict on a file that is loaded into the process that checks it."""
    done = subprocess.run(
        [sys.executable, "-c", JUDGE, number, file],
        cwd=ROOT,
        env={**os.environ, "LEARN_INSIDE": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


IN_PROCESS = ["03", *most([n for n in RUNS if n != "03"], but=["04"])]


@pytest.mark.parametrize("number", IN_PROCESS)
def test_app_passes_in_one_process(number):
    """app.py passes all checks that can be made without other processes, threads and sockets."""
    verdict = judged(number, "app")
    failed = [r["failure"] for r in verdict["results"] if r["failure"] and not r["optional"]]
    assert failed == [] and verdict["passed"]
    assert set(verdict["elsewhere"]) == CHECKS_ELSEWHERE[number]


@pytest.mark.parametrize("number", IN_PROCESS)
def test_naive_fails_in_one_process(number):
    """naive.py fails in every step, as it does elsewhere, but in what holds from the beginning."""
    states = {r["step"]: r["result"] for r in judged(number, "naive")["results"]}
    assert states.pop(FIRST) == "passed"
    assert set(states.values()) == {"failed"}


# In the page.


@pytest.mark.parametrize("number", most(RUNS, but=["02"]))
def test_notebook(engine, number):
    """Every cell of a notebook, from top to bottom, gives the outputs that are kept in it."""
    path = next(NOTEBOOKS.glob(f"{number}_*.ipynb"))
    cells = json.loads(path.read_text("utf-8"))["cells"]
    elsewhere = CELLS_ELSEWHERE.get(number, {})
    engine.open(number)
    for place, cell in enumerate(cells):
        if cell["cell_type"] != "code":
            continue
        came = shown(engine.run("".join(cell["source"])))
        if place in elsewhere:
            assert elsewhere[place] in came["error"]
        elif "nbval-ignore-output" not in cell["metadata"].get("tags", []):
            assert came == shown(cell["outputs"]), f"cell {place}"


@pytest.mark.parametrize("number", most(RUNS, but=["03"]))
def test_app_passes_in_the_page(engine, number):
    """app.py passes all checks that a page can make; it names the others, and counts none."""
    verdict = engine.practice("check", number, source(number, "app"))
    states = states_of(step for step in verdict["steps"] if not step["optional"])
    assert set(states.values()) == {"passed", "elsewhere"}
    assert in_state(states, "elsewhere") == CHECKS_ELSEWHERE[number]
    assert verdict["elsewhere"] == len(CHECKS_ELSEWHERE[number])
    assert verdict["passed"] and verdict["done"] == verdict["count"]
    assert "Checked on your machine only" in verdict["text"]


@pytest.mark.parametrize("number", most(RUNS, but=["03"]))
def test_naive_fails_in_the_page_as_in_the_terminal(engine, number, tmp_path):
    """The same step fails with the same sentences, and the exchange is the same."""
    there = tmp_path / "exercise.py"
    there.write_text(source(number, "naive"), "utf-8")
    terminal = Console(file=io.StringIO(), width=2000, highlight=False, emoji=False)
    terminal.print(run_checks(lesson_folder(number), str(there)))
    said = terminal.file.getvalue().replace(f"python3 -m learn hint {number}", "the button Hint.")
    came = engine.practice("check", number, source(number, "naive"))
    assert not came["passed"] and came["done"] == 0

    def words(text):
        text = re.sub(r"Python/\S+", "Python/3", text).split("Checked on your machine only")[0]
        text = re.sub(r"[\w-]+: signed", "SECONDS: signed", sanitized(" ".join(text.split())))
        return re.sub(r"\b\d+\b|[0-9a-f]{32}", "N", text)

    assert words(came["text"]) == words(said)


@pytest.mark.rest
def test_practice(engine):
    """The commands say what they say in the terminal, with buttons for commands."""
    exercise = engine.practice("exercise", "02")["text"]
    assert '"""Lesson 02, my own.' in exercise
    checked = engine.practice("check", "02", exercise)
    assert checked["done"] == 0 and "A hint: the button Hint." in checked["text"]
    assert '<span class="b red">✗' in checked["html"] and "style=" not in checked["html"]
    hints = [engine.practice("hint", "02", exercise)["text"] for _ in range(2)]
    assert "Hint 1 of 3" in hints[0] and "Hint 2 of 3" in hints[1]
    assert json.loads(engine.progress())["02_basic"]["hints"] == {"TestCredentials": 2}
    shown = engine.practice("solution", "02", exercise)["html"]
    assert '<span class="green">+class BasicAuth(HTTPBasicAuth):' in shown
    assert "stands in naive.py, + in exercise.py" in engine.practice("diff", "02", exercise)["text"]
    assert engine.practice("store", "02")["text"] == source("02", "store")


@pytest.mark.rest
def test_bad_days(engine):
    """Whatever goes wrong gets a sentence, and the next call works."""

    def said(*given):
        answer = engine.practice(*given)
        assert answer["passed"] is False
        return answer.get("broken") or answer["text"]

    assert "exercise.py, line 1: " in said("check", "02", "def f(:")
    assert "has no `app`" in said("check", "02", "")
    assert "there is no module 'flaks'" in said("check", "02", "import flaks")
    assert "compiled code that these pages don't bring" in said("check", "01", "import bcrypt")
    assert "it called sys.exit()" in said("check", "02", "import sys; sys.exit()")
    assert "There is no lesson '12'" in said("check", "12", "")
    assert "has no file nothing.py" in said("nothing", "02")
    for number, package in [("07", "webauthn"), ("08", "authlib")]:
        for what in ("check", "hint"):
            text = said(what, number, source(number, "naive"))
            assert f"needs {package}" in text and "on your machine" in text
    engine.open("02")
    assert engine.run("1 / 0")[0]["text"] == ("line 1: 1 / 0\nZeroDivisionError: division by zero")
    assert "SyntaxError" in engine.run("def f(:")[0]["text"]
    assert engine.run("print('a'); 1 + 1") == [
        {"type": "stream", "name": "stdout", "text": "a\n"},
        {"type": "display", "data": {"text/plain": "2"}},
    ]


@pytest.mark.rest
@pytest.mark.parametrize(
    "number, cell",
    [
        ("03", 'from learn import lesson\nlesson("03", workers=2)'),
        ("03", 'from learn import lesson\nlesson("03").run("-c", "1")'),
        ("03", "import subprocess\nsubprocess.run(['curl', 'http://127.0.0.1'])"),
        ("03", "import socket\nsocket.create_server(('127.0.0.1', 0))"),
        ("03", "import threading\nthreading.Thread(target=print).start()"),
        ("07", "from learn import Authenticator, Browser, SideBySide, lesson"),
        ("08", 'from learn import lesson\napp = lesson("08")'),
    ],
)
def test_what_a_page_can_not_do_is_said(engine, number, cell):
    """It is no mistake of the reader's, and the output says so: a sentence, and no traceback."""
    engine.open(number)
    [output] = engine.run(cell)
    assert output["type"] == "error" and output["only"]
    assert re.fullmatch(r"[^\n]+\.", output["text"])


@pytest.mark.rest
def test_notebooks_are_apart(engine):
    """What a notebook defined and started is gone when the next is opened."""
    engine.open("02")
    engine.run('from learn import lesson\napp = lesson("02")\nport = app.port')
    engine.open("03")
    assert "NameError" in engine.run("port")[0]["text"]
    assert [one["data"]["text/plain"] for one in engine.run("'app' in dir()")] == ["False"]


@pytest.mark.rest
def test_explain_needs_little(engine):
    """It answers before Flask and the lessons are loaded; what is pasted can't be markup."""
    engine.stop()
    html = engine.explain("Authorization: Basic dXNlcjE6cGFzczE=")["html"]
    assert "<code>user1</code>" in html and '<span class="secret">' in html
    assert "<img" not in engine.explain("WWW-Authenticate: <img src=x onerror=alert(1)>")["html"]
    assert engine.explain("")["html"].startswith("<p>")
    [output] = engine.run(
        "import sys; [n for n in ('flask', 'httpx2', 'pytest') if n in sys.modules]"
    )
    assert output["data"]["text/plain"] == "[]"


@pytest.mark.rest
def test_loop_is_stopped(engine):
    """A cell that never ends is ended, and the next one runs."""
    assert engine.loop() is True
    engine.open("02")
    assert engine.run("6 * 7")[0]["data"]["text/plain"] == "42"


@pytest.mark.rest
def test_slow_hashes_are_the_same(engine):
    """Argon2, scrypt and PBKDF2 give in the page what they give here, and read what these made."""
    from argon2 import PasswordHasher, Type
    from argon2.low_level import hash_secret

    kinds = [Type.D, Type.I, Type.ID]
    salt = b"a salt of sixteen"
    made = [hash_secret(b"pass1", salt, 2, 64, 2, 24, kind).decode() for kind in kinds]
    made += [hashlib.scrypt(b"pass1", salt=salt, n=1024, r=8, p=1).hex()]
    made += [hashlib.pbkdf2_hmac(name, b"pass1", salt, 1000).hex() for name in ("sha1", "sha512")]
    engine.open("01")
    [output] = engine.run(f"""
import hashlib
from argon2 import PasswordHasher, Type
from argon2.low_level import hash_secret
from argon2.exceptions import VerifyMismatchError
salt, stored = {salt!r}, {PasswordHasher(2, 19456, 1).hash("pass1")!r}
kinds = [Type.D, Type.I, Type.ID]
made = [hash_secret(b"pass1", salt, 2, 64, 2, 24, kind).decode() for kind in kinds]
made += [hashlib.scrypt(b"pass1", salt=salt, n=1024, r=8, p=1).hex()]
made += [hashlib.pbkdf2_hmac(name, b"pass1", salt, 1000).hex() for name in ("sha1", "sha512")]
try:
    PasswordHasher().verify(stored, "pass2")
except VerifyMismatchError:
    made.append(PasswordHasher().verify(stored, "pass1"))
print(made)
""")
    assert output["text"].strip() == str([*made, True])


@pytest.mark.rest
def test_deep_json_is_no_end_of_python(engine):
    """Brackets in brackets, which a page's stack is too small for, are an error as elsewhere."""
    engine.open("04")
    cell = "import json\ntry:\n    json.loads('[' * 5000)\nexcept {}:\n    print('ended')"
    assert engine.run(cell.format("RecursionError"))[0]["text"] == "ended\n"


@pytest.mark.rest
def test_a_server_without_the_files(engine):
    """The page says what could not be loaded."""
    said = engine.call("at", "nowhere/")["error"]
    assert said == "Python can't be started in this page: its worker did not load."


@pytest.mark.rest
def test_nothing_leaves_the_machine(engine):
    """All that was asked for came from the page's own folder, and the policy was never broken."""
    engine.start()
    done = engine.call("asked")
    origin = done["answer"][0].removesuffix("index.html")
    assert origin.startswith("http://127.0.0.1:")
    assert any(address.endswith("/run/python.bin") for address in done["answer"])
    others = [one for one in done["answer"] if not one.startswith((origin, "data:"))]
    assert others == []
    assert [one for one in done["wrong"] if "nowhere/" not in one] == []


@pytest.mark.rest
def test_what_is_loaded_is_small(runtime):
    """What a page loads in order to run comes to less than 12 MB on the wire."""
    folder = runtime / "repo" / "run"
    packed = [len(gzip.compress(path.read_bytes())) for path in folder.rglob("*") if path.is_file()]
    assert sum(packed) < WIRE
