"""How far a learner is, kept in .learn/progress.json.

The file is a convenience: it holds what the last check of each exercise found, together with a
digest of the exercise. When the digest no longer fits, nothing is claimed. A file that is missing,
broken or written by two at once costs one more `check` and nothing else.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

from ..layout import LESSONS, ROOT
from .steps import read_steps

STATE = ROOT / ".learn" / "progress.json"


def load() -> dict:
    """Return what is kept, or an empty dict if it can't be read."""
    try:
        kept = json.loads(STATE.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return kept if isinstance(kept, dict) else {}


def of(folder: Path) -> dict:
    """Return what is kept of a lesson: passed (names of steps), failed (a name), hints (counts).

    `current` says whether the exercise is still what was checked.
    """
    kept = load().get(folder.name)
    kept = kept if isinstance(kept, dict) else {}
    passed, hints = kept.get("passed"), kept.get("hints")
    return {
        "passed": [p for p in passed if isinstance(p, str)] if isinstance(passed, list) else [],
        "failed": kept.get("failed") if isinstance(kept.get("failed"), str) else None,
        "hints": hints if isinstance(hints, dict) else {},
        "current": kept.get("digest") == digest(folder) is not None,
    }


def digest(folder: Path) -> str | None:
    """Return a digest of the lesson's exercise and its checks, None without an exercise."""
    try:
        exercise = (folder / "exercise.py").read_bytes()
        checks = (ROOT / "tests" / f"test_{folder.name}.py").read_bytes()
    except OSError:
        return None
    return hashlib.sha256(exercise + b"\0" + checks).hexdigest()


def last() -> str | None:
    """Return the name of the lesson last worked on, if it has an exercise."""
    name = load().get("last")
    return name if isinstance(name, str) else None


def is_done(folder: Path) -> bool:
    """Whether every step of a lesson is done by its exercise as it is now."""
    kept = of(folder)
    steps = {step.name for step in read_steps(folder) if step.counts}
    return kept["current"] and steps <= set(kept["passed"])


def next_command(after: Path | None = None) -> str:
    """Return how to go on: `play 07`, or `check 07` where an exercise is begun.

    after: the lesson that is done, if any. First come the lessons after it, then those before it
    that are begun, and at the end `play compare`.
    """
    folders = sorted(p for p in LESSONS.iterdir() if (p / "app.py").is_file())
    begun = [folder for folder in folders if (folder / "exercise.py").is_file()]
    later = [folder for folder in folders if after is None or folder.name > after.name]
    for folder in [*later, *(one for one in begun if one not in later and one != after)]:
        if not is_done(folder):
            return f"{'check' if folder in begun else 'play'} {folder.name[:2]}"
    return "play compare"


def keep(folder: Path, **changes) -> None:
    """Keep changes of a lesson and that it is the one last worked on. Never raises OSError."""
    state = load()
    before = state.get(folder.name)
    state[folder.name] = {**(before if isinstance(before, dict) else {}), **changes}
    state["last"] = folder.name
    draft = STATE.with_name(f"progress-{os.getpid()}.json")
    try:
        STATE.parent.mkdir(exist_ok=True)
        draft.write_text(json.dumps(state, indent=1), "utf-8")
        draft.replace(STATE)
    except OSError:
        draft.unlink(missing_ok=True)
