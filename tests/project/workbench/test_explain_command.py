"""`python3 -m learn explain`: arguments, files, pipes, exit status, JSON."""

import json
import os
import subprocess
import sys

import jwt
import pytest
from click.testing import CliRunner

from learn.commands import main
from learn.layout import ROOT

BASIC = "Authorization: Basic dXNlcjE6cGFzczE="


def run(*arguments, text=None):
    """Run the command in this process, with a pipe that holds `text`."""
    return CliRunner().invoke(main, ["explain", *arguments], input=text)


@pytest.mark.parametrize(
    ("paste", "status"),
    [
        (BASIC, 0),
        ("Authorization: Bearer undefined", 1),
        (f"Host: x\n{BASIC}", 0),
        ("Authentication: Basic dXNlcjE6cGFzczE=", 1),
        ("hello", 2),
        ("", 2),
        ("Host: example.org", 2),
    ],
)
def test_exit_status(paste, status):
    """0 read and nothing wrong seen, 1 something wrong, 2 nothing to read."""
    done = run(paste)
    assert done.exit_code == status and "Traceback" not in done.output
    assert run(text=paste).exit_code == status
    assert run("-", text=paste).exit_code == status
    assert run("--json", paste).exit_code == status


def test_what_is_wrong_comes_first():
    """The first line says what a server will most likely refuse."""
    done = run(f"{BASIC}\nCookie: a=b\nAuthorization: Bearer null")
    assert done.output.startswith("Wrong: Authorization, line 3: null is what a program sends")
    done = run("Authorization: Bearer " + jwt.encode({"exp": 1}, "k" * 32))
    assert done.output.startswith("Wrong: Expired ")


def test_files_and_pipes(tmp_path):
    """A file by --file, by @, by its name; UTF-16 as PowerShell writes it; a pipe by nothing."""
    path = tmp_path / "headers.txt"
    for octets in (BASIC.encode(), BASIC.encode("utf-16"), b"\xef\xbb\xbf" + BASIC.encode()):
        path.write_bytes(octets)
        for arguments in (["--file", str(path)], [f"@{path}"], [str(path)]):
            done = run(*arguments)
            assert done.exit_code == 0 and "pass1" in done.output, arguments
        assert "pass1" in run("--file", "-", text=BASIC).output


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["@nowhere.txt"], "can't be read"),
        (["--file", "nowhere.txt"], "can't be read"),
        (["--file", "."], "can't be read"),
        (["--file", "x", BASIC], "leave out the other"),
        (["nowhere.txt"], "This is no authentication header"),
        (["--key", "@nowhere", BASIC], "There is no file"),
        (["--words", "nowhere", BASIC], "does not exist"),
        (["--frobnicate", BASIC], "No such option"),
    ],
)
def test_what_names_nothing(arguments, says):
    """A file that isn't there and an option that isn't one get a sentence and status 2."""
    done = run(*arguments)
    assert done.exit_code == 2 and says in done.output and "Traceback" not in done.output


def test_curl_on_the_command_line():
    """A whole curl command after `explain`, its quotes already taken by the shell."""
    done = run("curl", "-sS", "-X", "POST", "-H", BASIC, "--data", "a=b", "http://127.0.0.1:5002/")
    assert done.exit_code == 0 and "pass1" in done.output
    done = run("-H", BASIC)
    assert done.exit_code == 0 and "pass1" in done.output
    assert "pass1" in run("--header", "Host: x", "--header", BASIC).output
    for options in (["--password", "user1:secret"], ["--json", "--key", "curl"]):
        done = run(*options, "curl", "-H", BASIC, "--key", "k.pem", "http://x/")
        assert done.exit_code == 0 and "pass1" in done.output


def test_a_password_without_its_user():
    """What --password can't take is refused, not passed over."""
    done = run("--password", "pass1", BASIC)
    assert done.exit_code == 2 and "--password wants USER:PASSWORD, and 'pass1'" in done.output


def test_punctuation_is_quoted():
    """A lone comma is seen to be one in a terminal without colours, too."""
    assert '"," follows the word Bearer' in run("Authorization: Bearer, abc").output


def test_json():
    """The same notes for a program, with what is wrong first."""
    found = json.loads(run("--json", f"Host: x\n{BASIC}\nAuthorization: Bearer null").output)
    assert [one["name"] for one in found["headers"]] == ["Authorization", "Authorization"]
    assert [one["line"] for one in found["headers"]] == [2, 3] and found["passed_over"] == 1
    assert found["wrong"] == found["headers"][1]["wrong"] and found["wrong"][0]["refused"]
    note = found["headers"][0]["notes"][1]
    assert note["secret"] and note["part"] == "dXNlcjE6cGFzczE=" and note["depth"] == 1


def test_words(tmp_path):
    """A list of words: the key is found, not shown, and the status is 1."""
    path = tmp_path / "words.txt"
    path.write_text("password\nletmein\n", "utf-8")
    with pytest.warns(jwt.InsecureKeyLengthWarning):
        token = jwt.encode({"sub": "user1", "exp": 2_000_000_000}, "letmein")
    done = run("--words", str(path), token)
    assert done.exit_code == 1 and "on line 2" in done.output and "letmein" not in done.output
    assert "on line 2" in json.loads(run("--json", "--words", str(path), token).stdout)["guess"]
    done = run("--words", str(path), BASIC)
    assert done.exit_code == 0 and "No word was tried" in done.output


def test_a_real_pipe_and_width():
    """In a process of its own: a pipe without arguments, plain text in 80 columns."""
    command = [sys.executable, "-m", "learn", "explain"]
    environment = {**os.environ, "COLUMNS": "80", "PYTHONUTF8": "1"}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, input=BASIC.encode()
    )
    assert done.returncode == 0 and b"\x1b" not in done.stdout and b"pass1" in done.stdout
    assert all(len(line) <= 80 for line in done.stdout.decode().split("\n"))
    done = subprocess.run(command, cwd=ROOT, capture_output=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 2 and b"There is nothing to explain" in done.stderr
