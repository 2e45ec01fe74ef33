"""The steps of a lesson, as its file of checks names them.

One class in tests/test_02_basic.py is one step. What it says about itself (docstring, `ask`,
`hints`, `pieces`, `beyond`) is read from the source, not imported: that takes milliseconds, and the
bare command shows all lessons.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from pathlib import Path

from .places import ROOT, LessonError

FIRST = "TestItWorks"  # what holds from the beginning and is no step to take


@dataclass(frozen=True)
class Step:
    """One step. `checks` maps the names of its checks to their sentences, in their order."""

    name: str
    title: str
    why: str
    checks: dict[str, str]
    ask: str = ""
    hints: list[str] = field(default_factory=list)  # from where to look to almost the line
    pieces: list[str] = field(default_factory=list)  # names in app.py that the step is about
    beyond: bool = False  # optional, and not in app.py

    @property
    def counts(self) -> bool:
        """Whether it is one of the steps that are counted."""
        return self.name != FIRST and not self.beyond


def checks_file(folder: Path) -> Path:
    """Return the file of a lesson's checks."""
    return ROOT / "tests" / f"test_{folder.name}.py"


def have_settings(folder: Path) -> bool:
    """Whether a lesson's checks start it with settings of their own, in a fixture `settings`."""
    return "\ndef settings(" in checks_file(folder).read_text("utf-8")


def read_steps(folder: Path) -> list[Step]:
    """Return the steps of a lesson in their order. Raises LessonError without a file of checks."""
    path = checks_file(folder)
    if not path.is_file():
        raise LessonError(f"There are no checks for {folder.name}: {path} is missing.")
    tree = ast.parse(path.read_text("utf-8"))
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    return [_read(node) for node in classes if node.name.startswith("Test")]


def _read(node: ast.ClassDef) -> Step:
    title, _, why = (ast.get_docstring(node) or node.name).partition("\n")
    said = {
        item.targets[0].id: ast.literal_eval(item.value)
        for item in node.body
        if isinstance(item, ast.Assign) and isinstance(item.targets[0], ast.Name)
    }
    checks = {
        item.name: (ast.get_docstring(item) or item.name).split("\n")[0]
        for item in node.body
        if isinstance(item, ast.FunctionDef) and item.name.startswith("test_")
    }
    return Step(node.name, title.rstrip("."), why.strip(), checks, **said)
