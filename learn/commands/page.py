"""The workbench as a web page calls it: cells of a notebook, the practice commands, `explain`.

worker.js (learn/site) calls the functions of one `Page`; answers are what JSON can hold. What is
said is what the terminal says, but for the commands that are buttons in the page.
"""

from __future__ import annotations

import ast
import base64
import builtins
import io
import linecache
import os
import sys
import traceback
import types
from collections.abc import Callable
from contextlib import contextmanager, redirect_stderr, redirect_stdout

from ..layout import NOTEBOOKS, LessonError, MachineOnly, find_folder
from .page_html import drawn, marked, read_as_html, with_buttons

# What is in no page: it is compiled, or large, or needs the system.
ABSENT = {"cryptography", "webauthn", "authlib", "joserfc", "cbor2", "matplotlib", "numpy"}
ABSENT |= {"bcrypt", "sqlalchemy", "requests", "asgiref", "psutil", "aiosmtpd"}
ABSENT |= {"flask_jwt_extended"}
METHODS = {
    "text/markdown": "_repr_markdown_",
    "text/html": "_repr_html_",
    "image/svg+xml": "_repr_svg_",
    "image/png": "_repr_png_",
}
Say = Callable[[dict], None]


class Page:
    """What runs behind one page. `kernel` marks it as a notebook's, for learn.show."""

    kernel = True

    def __init__(self, progress: str = ""):
        self.say: Say = lambda said: None
        self.count = 0
        self.path = sys.path[:]
        self.main = types.ModuleType("__main__")
        if progress:
            from ..practice.progress import STATE

            STATE.parent.mkdir(exist_ok=True)
            STATE.write_text(progress, "utf-8")

    @property
    def progress(self) -> str:
        """What is to be kept until the next visit."""
        from ..practice.progress import STATE

        return STATE.read_text("utf-8") if STATE.is_file() else ""

    # A notebook's cells.

    def open(self, lesson: str, source: str = "") -> None:
        """Forget what the notebook before has defined and started.

        source: the learner's exercise, for the cell that checks it.
        """
        import IPython

        from ..running import lesson as _  # noqa: F401 (so that the first cell has it)
        from ..running import loopback

        IPython.shell = self
        loopback.end_all()
        if source:
            self._write(find_folder(lesson), source)
        sys.path[:] = self.path
        os.chdir(NOTEBOOKS)
        self.main = types.ModuleType("__main__")
        self.main.display = self.display
        sys.modules["__main__"] = self.main

    def run(self, code: str, say: Say) -> bool:
        """Run one cell; tell what it prints and shows. Return whether those after it may go on:

        it came to its end, or does nothing that a page could do.
        """
        self.say, self.count = say, self.count + 1
        name = f"<cell {self.count}>"
        linecache.cache[name] = (len(code), None, code.splitlines(True), name)
        out, err = _Stream("stdout", say), _Stream("stderr", say)
        try:
            with redirect_stdout(out), redirect_stderr(err):
                self._run(code, name)
        except BaseException as error:
            self._flush(out, err)
            said = _error(error, name)
            say(said)
            return said["only"]
        self._flush(out, err)
        return True

    def _run(self, code, name):
        tree = ast.parse(code, name)
        last = None
        if tree.body and isinstance(tree.body[-1], ast.Expr) and not code.rstrip().endswith(";"):
            last = ast.Expression(tree.body.pop().value)
        exec(compile(tree, name, "exec"), self.main.__dict__)
        if last is not None:
            value = eval(compile(last, name, "eval"), self.main.__dict__)
            if value is not None:
                builtins._ = value
                self._flush(sys.stdout)
                self.display(value)

    def _flush(self, *streams):
        for stream in streams:
            stream.flush()

    def display(self, value) -> None:
        """Show a value as a notebook does."""
        self.say({"type": "display", "data": bundle(value)})

    # The practice commands.

    def practice(self, what: str, lesson: str, source: str = "") -> dict:
        """Do what a button says; see engine.js for what comes back."""
        try:
            folder = find_folder(lesson)
            if what not in ("check", "hint", "solution", "diff"):
                return {"text": self._file(folder, what), "html": ""}
            self._write(folder, source)
            if what in ("check", "hint"):
                _expect_runnable(folder)
            if what == "check":
                return self._check(folder)
            return self._command(folder, what)
        except (LessonError, MachineOnly) as error:
            only = isinstance(error, MachineOnly)
            return {**drawn(str(error)), "passed": False, "only": only}

    def _write(self, folder, source):
        (folder / "exercise.py").write_text(source, "utf-8", newline="")

    def _file(self, folder, what):
        from ..practice.exercise import first_text

        if what == "exercise":
            return first_text(folder)
        path = folder / f"{what}.py"
        if not what.isidentifier() or not path.is_file():
            raise LessonError(f"Lesson {folder.name[:2]} has no file {what}.py.")
        return path.read_text("utf-8")

    def _check(self, folder):
        from ..practice.check import run_checks

        verdict = run_checks(folder)
        found = verdict.as_dict()
        steps = [
            {
                "name": result.step.name,
                "title": result.step.title,
                "state": result.state,
                "counts": result.step.counts,
                "optional": bool(result.step.beyond),
                "seconds": round(result.seconds, 3),
                "checks": [
                    {"name": name, "sentence": sentence, "state": one["checks"][name]}
                    for name, sentence in result.step.checks.items()
                ],
            }
            for result, one in zip(verdict.results, found["results"], strict=True)
        ]
        return {
            **drawn(verdict),
            "passed": verdict.passed,
            "done": verdict.done,
            "count": len(verdict.steps),
            "broken": verdict.broken,
            "steps": steps,
            "elsewhere": len(verdict.elsewhere),
        }

    def _command(self, folder, what):
        from . import exercises

        lesson, said = folder.name[:2], io.StringIO()
        commands = {
            "hint": (exercises.hint, [lesson]),
            "solution": (exercises.solution, [lesson, True]),
            "diff": (exercises.diff, [lesson, "naive", "exercise"]),
        }
        command, given = commands[what]
        with redirect_stdout(_Terminal(said)), _environment(COLUMNS="2000", TERM="xterm"):
            command.callback(*given)
        return {**drawn(said.getvalue()), "passed": True}

    # Explain.

    def explain(self, text: str) -> dict:
        """Return what is in a header, token or cookie, as HTML."""
        from ..explain.note import NOTHING
        from .explaining import answer

        try:
            reading = answer(text, NOTHING)
        except ValueError as error:
            return {"html": f"<p>{marked(str(error))}</p>"}
        return {"html": read_as_html(reading)}


def bundle(value) -> dict[str, str]:
    """Return what a notebook keeps of a value that it shows: texts, by their MIME types."""
    from IPython.lib.pretty import pretty

    found = {"text/plain": pretty(value)}
    for mime, method in METHODS.items():
        shown = getattr(value, method, None)
        if callable(shown) and not isinstance(value, type):
            shown = shown()
            if isinstance(shown, bytes):
                shown = base64.b64encode(shown).decode()
            if shown is not None:
                found[mime] = with_buttons(shown) if mime.startswith("text/") else shown
    return found


def _expect_runnable(folder) -> None:
    """Raise MachineOnly if the lesson needs what is in no page."""
    tree = ast.parse((folder / "app.py").read_text("utf-8"))
    names = [a.name for node in ast.walk(tree) if isinstance(node, ast.Import) for a in node.names]
    names += [n.module or "" for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)]
    needed = sorted({name.partition(".")[0] for name in names} & ABSENT)
    if needed:
        raise MachineOnly(
            f"Lesson {folder.name[:2]} needs {needed[0]}, which stands on compiled code that these"
            " pages don't bring. Read it here, and run and check it on your machine:"
            f" python3 -m learn start {folder.name[:2]}"
        )


@contextmanager
def _environment(**more: str):
    before = dict(os.environ)
    os.environ.update(more)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _error(error, cell) -> dict:
    """Return what a cell raised: a sentence where a page can't do it, else a traceback."""
    name = getattr(error, "name", None) if isinstance(error, ModuleNotFoundError) else None
    if isinstance(error, MachineOnly):
        return {"type": "error", "text": str(error), "only": True}
    if name and name.partition(".")[0] in ABSENT:
        said = f"This needs {name}, which these pages don't bring. It runs on your machine."
        return {"type": "error", "text": said, "only": True}
    if isinstance(error, OSError) and error.errno == 138:  # Emscripten's word for it
        said = "A web page can't start programs, such as curl, nor open sockets."
        return {"type": "error", "text": said, "only": True}
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename == cell]
    lines = [f"line {frame.lineno}: {frame.line}" for frame in frames]
    said = "".join(traceback.format_exception_only(error)).strip()
    return {"type": "error", "text": "\n".join([*lines, said]), "only": False}


class _Stream(io.TextIOBase):
    """Standard output or error of a cell, told line by line."""

    def __init__(self, name, say):
        self.name, self.say, self.rest = name, say, ""

    def write(self, text):
        self.rest += text
        if "\n" in text:
            self.flush()
        return len(text)

    def flush(self):
        if self.rest:
            self.say({"type": "stream", "name": self.name, "text": self.rest})
            self.rest = ""

    def isatty(self):
        return False


class _Terminal(io.TextIOBase):
    """A terminal that is as wide as it needs to be, so that the page breaks the lines."""

    def __init__(self, kept):
        self.kept = kept

    def write(self, text):
        return self.kept.write(text)

    def isatty(self):
        return True
