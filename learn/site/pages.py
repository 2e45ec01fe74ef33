"""Which pages there are, and where: from a file of the repository to its page, and links to it."""

from __future__ import annotations

import ast
import posixpath
import re
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from ..layout import LESSONS, ROOT, LessonError, notebooks

FIRST = ["app.py", "naive.py", "store.py", "beyond.py"]  # of a lesson's files, in this order
ALSO = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"]
# What the first page says of each document, in the order in which it names them.
DOCUMENTS = {
    "explain": "What you can paste, and what it answers: a token that ran out, a missing comma, a"
    " cookie that no browser stores.",
    "attacks": "Each attack that the tests carry out, whether it succeeds on naive.py, and what"
    " app.py does not stop.",
    "mistakes": "Wrong answers to the exercises, and the step that catches each.",
    "clients": "How curl, Python, Node, Java and a browser log in, and what each really sends.",
    "performance": "What each technique costs, measured against a Flask app that only says hello.",
    "serving": "Behind nginx and Apache, under uWSGI and waitress, as a service: configurations"
    " that a test runs.",
    "teaching": "Plans for one afternoon and for eight evenings, and what to ask when learners are"
    " stuck.",
    "grading": "Judge the exercises of a whole class with one command, and hand back a page for"
    " each learner.",
    "site": "How these pages are made and published, and what can't run in a page.",
}

# Which can't run in a page, and why. test_running.py holds that all others do.
ELSEWHERE = {
    "07_passkeys": "it needs cryptography, compiled code of which npm and PyPI have no build for a"
    " page",
    "08_oidc": "it needs a provider, and cryptography, compiled code of which npm and PyPI have no"
    " build for a page",
    "99_compare": "it measures, and it runs all lessons, two of which can't run in a page",
}


def lessons() -> list[Path]:
    """Return the folders of all lessons in their order."""
    return sorted(path for path in LESSONS.iterdir() if (path / "app.py").is_file())


def sources(folder: Path) -> list[Path]:
    """Return the files of a lesson that are shown as pages, those first that are read first.

    A learner's own exercises, and what running a lesson leaves behind, are none of them.
    """
    found = [
        path
        for path in folder.rglob("*")
        if path.is_file()
        and path.suffix in (".py", ".toml", ".html", ".css", ".js")
        and not path.name.startswith("exercise")
        and not {"__pycache__", "instance"} & set(path.relative_to(folder).parts)
    ]

    def place(path):
        own = path.relative_to(folder).as_posix()
        return FIRST.index(own) if own in FIRST else len(FIRST), "/" in own, own

    return sorted(found, key=place)


def given(folder: Path) -> list[Path]:
    """Return the files of a lesson that an exercise may use as they are, in the order of `sources`.

    They are all but naive.py, the steps, and the solution: app.py, and what is built upon it.
    """
    return [
        path
        for path in sources(folder)
        if path.relative_to(folder).as_posix() not in ("app.py", "naive.py", "steps.toml")
        and path not in beyond(folder)
    ]


def beyond(folder: Path) -> list[Path]:
    """Return the files of a lesson that are built upon its app.py."""
    return [
        path
        for path in sources(folder)
        if path.suffix == ".py"
        and re.search(r"^(?:from|import) app\b", path.read_text("utf-8"), re.M)
    ]


def about(path: Path) -> str:
    """Return what a file says of itself: its docstring's first paragraph, or its first comment's
    first sentence; "" if it has neither."""
    text = path.read_text("utf-8")
    if path.suffix == ".py":
        said = (ast.get_docstring(ast.parse(text)) or "").split("\n\n")[0]
    else:
        comment = re.match(r"(?:(?:#|//) .*\n)*", text)[0]
        said = re.sub(r"^(?:#|//) ", "", comment, flags=re.M).partition(". ")[0].partition(".\n")[0]
    return " ".join(said.split()).rstrip(".:") + "." if said else ""


@dataclass
class Map:
    """The pages by the files that they are made of, both as paths with slashes.

    `files` are pages of files that something links to, found while pages are made; `copies` are
    files that go along as they are.
    """

    pages: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    copies: set[str] = field(default_factory=set)

    @classmethod
    def of_repository(cls) -> Map:
        """Return the map of this repository's pages."""
        here = cls()
        for name in ALSO:
            here.pages[name] = f"{PurePosixPath(name).stem.lower()}.html"
        for path in sorted((ROOT / "docs").glob("*.md")):
            here.pages[f"docs/{path.name}"] = f"docs/{path.stem}.html"
        for path in notebooks():
            here.pages[f"notebooks/{path.name}"] = f"notebooks/{path.stem}.html"
        for folder in lessons():
            here.pages[f"lessons/{folder.name}/README.md"] = f"lessons/{folder.name}/index.html"
            for path in sources(folder):
                name = path.relative_to(ROOT).as_posix()
                here.pages[name] = f"{name}.html"
        return here

    def page(self, file: str) -> str | None:
        """Return the page of a file of the repository, or None."""
        return self.pages.get(file) or self.files.get(file)

    def link(self, file: str, href: str) -> str:
        """Return how the page of `file` links to what the file itself links to.

        Raises LessonError when that isn't there.
        """
        parts = urlsplit(href)
        if parts.scheme or href.startswith("//"):
            return href
        after = f"#{parts.fragment}" if parts.fragment else ""
        if not parts.path:
            return after
        path = (ROOT / file).parent / unquote(parts.path)
        if not path.exists() or not path.resolve().is_relative_to(ROOT):
            raise LessonError(f"{file} links to {href}, which isn't there.")
        target = path.resolve().relative_to(ROOT).as_posix()
        if path.suffix in (".svg", ".png"):
            self.copies.add(target)
            page = target
        elif path.is_dir():
            page = self.page(f"{target}/README.md") or "index.html"
        else:
            page = self.page(target)
        if page is None:
            page = self.files[target] = f"files/{target}.html"
        return relative(self.page(file) or file, page) + after


def relative(page: str, target: str) -> str:
    """Return the link from a page to another, so that it holds in any folder of any server."""
    return posixpath.relpath(target, posixpath.dirname(page))
