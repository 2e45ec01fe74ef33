"""The command, from outside: what it prints, and what it says to bad input."""

import io
import os
import re
import signal
import subprocess
import sys
import time

import httpx2
import pytest

from learn import Exchange, Lesson, LessonError, SideBySide, show
from learn.commands.tools import as_pytest_takes_it
from learn.commands.walk import things_to_try
from learn.layout import LESSONS, NOTEBOOKS, ROOT, find_notebook, notebooks

NUMBERS = [p.name[:2] for p in sorted(LESSONS.iterdir()) if (p / "app.py").is_file()]


def learn(*arguments, timeout=120, **more):
    return subprocess.run(
        [sys.executable, "-m", "learn", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=timeout,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
        **more,
    )


def test_bare_lists_lessons_and_the_next_step():
    """Without a command it shows the lessons and what to do next."""
    done = learn()
    assert done.returncode == 0
    assert all(p.name in done.stdout for p in LESSONS.iterdir() if (p / "app.py").is_file())
    assert "\nNext: python3 -m learn " in done.stdout  # which command depends on your exercises


def test_misspelt_command_gets_the_nearest():
    """A misspelt command is answered with the nearest one and status 2."""
    done = learn("paly")
    assert done.returncode == 2 and "Did you mean play?" in done.stderr


@pytest.mark.parametrize(
    "word, meant", [("help", "--help"), ("06", "play 06"), ("compare", "play compare")]
)
def test_no_command_but_its_meaning_is_plain(word, meant):
    """A lesson's number without a command, or help, is answered with what may be meant."""
    done = learn(word)
    assert done.returncode == 2 and f"Did you mean {meant}?" in done.stderr


@pytest.mark.parametrize("port", ["abc", "70000"])
def test_a_port_that_is_none(port):
    """A number that doesn't fit is answered with those that do."""
    done = learn("run", "06", "--port", port)
    assert done.returncode == 2 and "not a whole number from 0 to 65535." in done.stderr


def test_tests_of_one_lesson():
    """`test` takes a lesson's number as other commands do, and leaves all else to pytest."""
    checks = os.path.join("tests", "test_06_sessions.py")
    assert all(as_pytest_takes_it("--long", w) == checks for w in ("06", "6", "sessions"))
    for word in ("tests/test_02_basic.py", "no/such.py", "-k", "--on=naive", "learn"):
        assert as_pytest_takes_it("", word) == word
    assert as_pytest_takes_it("-k", "06") == "06"  # the value of an option
    with pytest.raises(LessonError, match="Did you mean sessions?"):
        as_pytest_takes_it("", "sesions")
    shown = learn("test", "--help").stdout
    assert "test 06 --on=exercise" in shown and len(shown.splitlines()) < 30


@pytest.mark.skipif(os.name == "nt", reason="Windows has no pipe that breaks like this")
@pytest.mark.parametrize("command", [["diff", "06"], ["play", "01"]])
def test_a_pipe_that_ends_is_no_error(command):
    """What reads the first lines and leaves, as head does, gets no complaint and status 0."""
    process = subprocess.Popen(
        [sys.executable, "-m", "learn", *command],
        cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    process.stdout.readline()
    process.stdout.close()
    with process.stderr as said:
        assert said.read() == b"" and process.wait(60) == 0


@pytest.mark.parametrize("command", ["play", "run", "lab"])
def test_unknown_lesson_is_named(command):
    """A lesson that doesn't exist is answered with those that do."""
    done = learn(command, "77")
    assert done.returncode == 1 and "02_basic" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["start", "run", "reset", "diff"])
def test_no_lesson_lists_the_lessons(command):
    """A command that needs a lesson, and gets none, says which there are and how to name one."""
    done = learn(command)
    assert done.returncode == 2 and f"learn {command} 01" in done.stderr
    assert all(f"  {number}  " in done.stderr for number in NUMBERS)


def test_explain_reads_a_header():
    """`explain` reads a header given on the command line."""
    done = learn("explain", "Authorization: Basic dXNlcjE6cGFzczE=")
    assert done.returncode == 0 and "user1" in done.stdout and "pass1" in done.stdout
    assert all(len(line) <= 80 and line == line.rstrip() for line in done.stdout.split("\n"))


def test_explain_says_what_it_needs():
    """What is no header gets a sentence and status 2."""
    done = learn("explain", "hello")
    assert done.returncode == 2 and "Traceback" not in done.stderr and len(done.stderr) > 20


@pytest.mark.parametrize(
    "number", [pytest.param(n, marks=() if n == "03" else pytest.mark.long) for n in NUMBERS]
)
def test_play_shows_the_notebook(number):
    """`play` runs a notebook in the terminal: prose, code, headers; plain when piped."""
    done = learn("play", number)
    assert done.returncode == 0, done.stderr
    assert (
        "HTTP/1.1" in done.stdout and "\x1b" not in done.stdout and "Traceback" not in done.stdout
    )
    assert not re.search(r"\*\*\d{3}\*\*", done.stdout)  # Markdown is drawn, not shown
    if "02" <= number <= "05":
        assert "WWW-Authenticate" in done.stdout and "Authorization" in done.stdout
    elif number > "05":
        assert "Set-Cookie" in done.stdout


def test_colours_can_be_read_on_black_and_on_white(monkeypatch):
    """What play shows has the terminal's colour for text, green, red or magenta; no background."""
    from rich.markdown import Markdown
    from rich.syntax import Syntax

    from learn.showing import console

    monkeypatch.setattr(sys, "stdout", Terminal())
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor")
    drawn, theme = console.make_console(), console.code_theme()
    text = (
        "# One\n## Two\n### Three\n`x` [y](http://z)\n> q\n\n1. a\n- b\n\n"
        "|a|b|\n|-|-|\n|c|d|\n\n```python\nx = 'y'\n```"
    )
    drawn.print(Markdown(text, code_theme=theme))
    drawn.print(Syntax("@a\nclass A(B):\n    x = f'{1}' and None  # no", "python", theme=theme))
    for status in (200, 302, 401, 500):
        headers = [("Set-Cookie", "a=b"), ("Location", "/")]
        drawn.print(Exchange("GET", "/", [("Cookie", "a=b")], "", status, "", headers, "text"))
    found = set(";".join(re.findall(r"\x1b\[([\d;]*)m", sys.stdout.getvalue())).split(";"))
    looks = {"0", "1", "2", "3", "4"}  # bold, faint, italic, underlined
    assert {"31", "32", "35"} <= found <= {"31", "32", "35", "39", *looks}, found


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_an_answer_is_cut_in_a_notebook_and_wraps_in_a_terminal(capsys):
    """Two attempts side by side: the end of a long answer, and marks in it, are seen in play."""
    said = "The token does not count, for a reason that stands at the end: *aud* is `other`"
    answer = Exchange("GET", "/", [], "", 400, "BAD REQUEST", [], said)
    table = SideBySide([("`aud`", answer, answer)])
    assert table.rows[0][1].endswith("…") and "other" not in table._repr_markdown_()
    show(table)
    words = capsys.readouterr().out.split()
    assert words.count("*aud*") == 2 and words.count("`other`") == 2 and "aud" in words


@pytest.mark.parametrize("name", ["compare", "99", 99, "99_compare", "notebooks/99_compare.ipynb"])
def test_the_comparison_is_found(name):
    """The notebook that compares the lessons has several names, and comes after all of them."""
    assert find_notebook(name) == notebooks()[-1] == NOTEBOOKS / "99_compare.ipynb"


def test_the_comparison_is_no_lesson():
    """What wants a lesson says how the notebook is opened instead."""
    done = learn("run", "compare")
    assert done.returncode == 1 and "python3 -m learn play compare" in done.stderr


@pytest.mark.long
def test_play_shows_the_comparison():
    """`play compare` shows the notebook's tables in the terminal, and says where its charts are."""
    done = learn("play", "compare")
    assert done.returncode == 0, done.stderr
    assert "once inside" in done.stdout and "memory held, MiB" in done.stdout
    assert "Traceback" not in done.stdout and "\x1b" not in done.stdout


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for one process")
@pytest.mark.parametrize("file", ["app", "naive"])
def test_run_serves_until_ctrl_c(file):
    """`run` serves a lesson, says where, and leaves no process behind after Ctrl-C."""
    more = ["--naive"] if file == "naive" else []
    process = subprocess.Popen(
        [sys.executable, "-m", "learn", "run", "02", "--port", "0", *more],
        cwd=ROOT, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    line = process.stdout.readline()
    address = next(word for word in line.split() if word.startswith("http"))
    assert httpx2.get(address, auth=("user1", "pass1")).text.strip() == "Hello, user1!"
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 0
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(address)


def test_things_to_try_fit_the_file():
    """What `run` prints sets the variables that it uses, and asks for what the file answers."""
    tried = {
        (number, file): things_to_try(folder, folder / f"{file}.py").splitlines()
        for folder in sorted(LESSONS.glob("0*"))
        for number in [folder.name[:2]]
        for file in ("app", "naive")
    }
    for lines in tried.values():
        known = set()
        for line in lines:
            assert known.issuperset(re.findall(r"\$(\w+)", line)), line
            known |= set(re.findall(r"^    (\w+)=", line))
    assert not [line for line in tried["04", "app"] if re.search("/keys|/report|KEY", line)]
    assert tried["06", "app"].count("    curl -i -b jar http://127.0.0.1:5006/") == 2
    assert all("/register" in line for line in set(tried["01", "app"]) - set(tried["01", "naive"]))


def test_a_broken_file_shows_its_log(tmp_path):
    """A file that doesn't start is reported with what it printed, in seconds."""
    (tmp_path / "app.py").write_text("import flask\nthis is no Python\n")
    begin = time.monotonic()
    with pytest.raises(LessonError, match="this is no Python"):
        Lesson("02", tmp_path / "app.py")
    assert time.monotonic() - begin < 15


def test_a_file_without_app_says_so(tmp_path):
    """A file without `app` is reported with a sentence."""
    (tmp_path / "app.py").write_text("x = 1\n")
    with pytest.raises(LessonError, match="no `app`"):
        Lesson("02", tmp_path / "app.py")


def test_runs_do_not_leak_into_each_other():
    """Each start has a database of its own."""
    with Lesson("01") as one, Lesson("01") as two:
        new = {"username": "new", "password": "secret"}
        assert one.post("/register", form=new).status == 201
        assert one.post("/login", form=new).status == 200
        assert two.post("/login", form=new).status == 403
    assert not one.scratch.exists() and not (LESSONS / "01_hashing" / "instance").exists()
