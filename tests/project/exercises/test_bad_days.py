"""Bad days of a learner: each gets a sentence that helps, in seconds, and nothing is lost."""

import pytest

FLASK = "from flask import Flask, request\n\napp = Flask(__name__)\n\n\n"
VIEW = FLASK + '@app.get("/")\ndef index():\n'
WSGI = "def app(environ, start_response):\n"

DAYS = {
    "a syntax error": ("def f(:\n    pass\n", ["exercise.py, line 1: invalid syntax", "def f(:"]),
    "a missing bracket": ("x = (1,\n", ["exercise.py, line 1", "never closed"]),
    "an import that does not exist": (
        "import os\nimport flaskk\n",
        ["exercise.py, line 2", "import flaskk", "no module 'flaskk'"],
    ),
    "a name that does not exist": (FLASK + "ap.config", ["exercise.py, line 6", "NameError"]),
    "no app": ("application = 1\n", ["no `app`", "app = Flask(__name__)"]),
    "a factory instead": (
        "def create_app():\n    pass\n",
        ["create_app", "Add at its end: app = create_app()"],
    ),
    "an endless loop at import": ("while True:\n    pass\n", ["did not answer within 4 seconds"]),
    "a flood at import": ("while True:\n    print('x' * 999)\n", ["did not answer within"]),
    "app.run() at import": (FLASK + "app.run(port=0)\n", ["did not answer", "app.run()"]),
    "an endless loop in a view": (
        VIEW + "    while True:\n        print('flood')\n",
        ["an answer in HTTP to GET /", "none within 4 seconds"],
    ),
    "an exception in a view": (
        VIEW + "    users = {}\n    return users['user1']\n",
        ["status 500", "exercise.py, line 9, in index", "return users['user1']", "KeyError"],
    ),
    "sys.exit in the module": (
        "import sys\nsys.exit()\n",
        ["exercise.py, line 2", "it called sys.exit()"],
    ),
    "os._exit in the module": ("import os\nos._exit(0)\n", ["stopped before it answered"]),
    "a server that dies": (WSGI + "    import os\n    os._exit(1)\n", ["an answer in HTTP"]),
    "a body that is cut off": (
        WSGI + "    start_response('200 OK', [('Content-Length', '99')])\n    return [b'x']\n",
        ["an answer in HTTP", "something else"],
    ),
    "garbage for a body": (
        WSGI + "    start_response('200 OK', [])\n    return [bytes(range(256)) * 9999]\n",
        ["expected  the text 'Hello, user1!'"],
    ),
    "colours in a message": ("raise ValueError('\\x1b[31mred')\n", ["\\x1b[31mred"]),
    "an empty file": ("", ["no `app`"]),
    "no text at all": ("\0\1\2", ["null bytes"]),
}


# What is told about a file that does not start, and about one that does, and then fails.
TELLING = (
    "a missing bracket",
    "an import that does not exist",
    "a factory instead",
    "an exception in a view",
    "a body that is cut off",
)
ALIKE = ("a flood at import", "app.run() at import", "garbage for a body", "no text at all")


def days():
    for day in DAYS:
        mark = () if day in TELLING else pytest.mark.long if day in ALIKE else pytest.mark.rest
        yield pytest.param(day, marks=mark)


@pytest.mark.parametrize("day", list(days()))
def test_bad_day(tutorial, day):
    """A file that can't be right is answered with a sentence, not with a traceback."""
    text, sentences = DAYS[day]
    path = tutorial.exercise("02_basic", text)
    tutorial.more["LEARN_PATIENCE"] = "4"
    done = tutorial.learn("check", "02")
    shown = " ".join(done.stdout.split())
    assert done.returncode == 1 and not done.stderr
    for sentence in sentences:
        assert " ".join(sentence.split()) in shown, done.stdout
    for foreign in ("Traceback", "site-packages", "child.py", "importlib", "\x1b", "Fatal"):
        assert foreign not in done.stdout
    assert len(done.stdout) < 8000
    assert path.read_text("utf-8") == text
