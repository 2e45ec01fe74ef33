"""The steps of a lesson: its checks, and what each step says to the learner.

A step is a class in tests/test_02_basic.py. Its texts (title, why, question, hints) are in
lessons/02_basic/steps.toml, so that they can be edited or translated without touching a test: with
LEARN_LANGUAGE=de, lessons/02_basic/de/steps.toml is read instead, where it exists. The checks and
their sentences are read from the tests' source, not imported: that takes milliseconds, and the bare
command shows all lessons.
"""

from __future__ import annotations

import ast
import os
import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from ..layout import ROOT, LessonError

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
    beyond: str = ""  # the file that holds an optional step's solution, "" for any other step

    @property
    def counts(self) -> bool:
        """Whether it is one of the steps that are counted."""
        return self.name != FIRST and not self.beyond


def checks_file(folder: Path) -> Path:
    """Return the file of a lesson's checks."""
    return ROOT / "tests" / f"test_{folder.name}.py"


def texts_file(folder: Path) -> Path:
    """Return the file of a lesson's texts, in the language of LEARN_LANGUAGE if there is one."""
    language = os.environ.get("LEARN_LANGUAGE", "")
    if re.fullmatch(r"[a-z]{2,3}(-[A-Za-z]+)?", language):
        translated = folder / language / "steps.toml"
        if translated.is_file():
            return translated
    return folder / "steps.toml"


def settings_of(folder: Path) -> dict | None:
    """Return the settings with which the checks start a lesson: what SETTINGS in their file says.

    None if only the running checks know, in a fixture `settings`.
    """
    tree = ast.parse(checks_file(folder).read_text("utf-8"))
    if any(getattr(node, "name", "") == "settings" for node in tree.body):
        return None
    for node in tree.body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "SETTINGS":
            return ast.literal_eval(node.value)
    return {}


def read_steps(folder: Path) -> list[Step]:
    """Return the steps of a lesson in their order.

    Raises LessonError without a file of checks or of texts, and when the two don't fit together.
    """
    path, texts = checks_file(folder), texts_file(folder)
    for needed in (path, texts):
        if not needed.is_file():
            raise LessonError(f"There are no checks for {folder.name}: {needed} is missing.")
    try:
        said = {step.pop("name"): step for step in tomllib.loads(texts.read_text("utf-8"))["step"]}
    except (tomllib.TOMLDecodeError, KeyError) as error:
        raise LessonError(f"{texts} can't be read: {error}") from None
    tree = ast.parse(path.read_text("utf-8"))
    classes = [n for n in tree.body if isinstance(n, ast.ClassDef) and n.name.startswith("Test")]
    if [node.name for node in classes] != list(said):
        raise LessonError(f"The steps in {texts} are not those in {path}, in the same order.")
    return [_step(node, said[node.name]) for node in classes]


def _step(node: ast.ClassDef, said: dict) -> Step:
    checks = {
        item.name: (ast.get_docstring(item) or item.name).split("\n")[0]
        for item in node.body
        if isinstance(item, ast.FunctionDef) and item.name.startswith("test_")
    }
    beyond = [
        ast.literal_eval(item.value)
        for item in node.body
        if isinstance(item, ast.Assign) and item.targets[0].id == "beyond"
    ]
    try:
        return Step(name=node.name, checks=checks, beyond="".join(beyond), **said)
    except TypeError as error:
        raise LessonError(f"The step {node.name} in steps.toml: {error}.") from None


def number_of(step: Step, steps: list[Step]) -> str:
    """Return how a step is called: "Step 3", or its place outside the counting."""
    counted = [one.name for one in steps if one.counts]
    if step.name in counted:
        return f"Step {counted.index(step.name) + 1}"
    return "Optional" if step.beyond else "First of all"
