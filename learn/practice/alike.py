"""Tell which submissions are copies of one another, or of the lesson's own app.py.

Two files are compared by what they do, as far as their text tells: comments, docstrings, layout and
the names that a file gives to its own things don't count. What all have from naive.py, with which
each began, doesn't count either. A likeness is a reason to ask, and no proof: there are not many
ways to write so short a program.
"""

from __future__ import annotations

import ast
import hashlib
from dataclasses import dataclass
from pathlib import Path

PIECE = 6  # nodes in a row that are compared as one
LIKE = 0.9  # share of its own pieces that make a file much like another
LEAST = 40  # pieces of its own; with fewer, nothing is said


@dataclass(frozen=True)
class Print:
    """A file's fingerprint: of its bytes, of what it does as a whole, and of each piece of that."""

    bytes: str
    whole: str
    pieces: frozenset[int]


def fingerprint(source: bytes) -> Print:
    """Return the fingerprint of a file; if it is no Python, that of its bytes alone."""
    raw = hashlib.sha256(source).hexdigest()
    try:
        tree = ast.parse(source)
        words = list(_words(tree))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return Print(raw, raw, frozenset())
    text = "\n".join(words)
    rows = zip(*(words[begin:] for begin in range(PIECE)), strict=False)
    return Print(raw, hashlib.sha256(text.encode()).hexdigest(), frozenset(map(hash, rows)))


def likenesses(prints: dict[str, Print], lesson: Path) -> dict[str, str]:
    """Return for each name whom it is like, in words; nothing for those that are like nobody."""
    app, naive = (fingerprint((lesson / name).read_bytes()) for name in ("app.py", "naive.py"))
    own = {name: print_.pieces - naive.pieces for name, print_ in prints.items()}
    out = {}
    for name, mine in prints.items():
        if mine.whole == naive.whole:
            out[name] = _told("naive.py", mine, naive)
            continue
        if mine.whole == app.whole:
            out[name] = _told("app.py", mine, app)
            continue
        same = [n for n, other in prints.items() if n != name and other.whole == mine.whole]
        if same:
            out[name] = f"the same as {_names(same)}, but for names and comments"
            continue
        if len(own[name]) < LEAST:
            continue
        others = {n: len(own[name] & pieces) for n, pieces in own.items() if n != name}
        others |= {"app.py": len(own[name] & app.pieces)}
        like = {n: count / len(own[name]) for n, count in others.items()}
        like = {n: share for n, share in like.items() if share >= LIKE}
        if like:
            best = max(like, key=lambda n: (like[n], n == "app.py"))
            out[name] = f"{like[best]:.0%} like {best}"
    return out


def _told(name: str, mine: Print, other: Print) -> str:
    return f"{name}, {'unchanged' if mine.bytes == other.bytes else 'but for names and comments'}"


def _names(names: list[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more


def _words(tree: ast.AST):
    """Return a file's nodes as words, in their order, without what doesn't count."""
    given: dict[str, str] = {}

    def called(name):
        return given.setdefault(name, f"name{len(given)}")

    own = {
        getattr(node, "name", None) or getattr(node, "id", None) or getattr(node, "arg", None)
        for node in ast.walk(tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.arg))
        or (isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store))
    }

    def visit(node):
        body = getattr(node, "body", None)
        first = body[0] if isinstance(body, list) and body else None
        is_text = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
        docstring = first if is_text and isinstance(first.value.value, str) else None
        yield type(node).__name__
        for field, value in ast.iter_fields(node):
            if field in ("ctx", "type_comment", "kind", "lineno", "annotation", "returns"):
                continue
            for item in value if isinstance(value, list) else [value]:
                if isinstance(item, ast.AST):
                    if item is not docstring:
                        yield from visit(item)
                elif item is not None:
                    yield called(item) if item in own and isinstance(item, str) else repr(item)

    yield from visit(tree)
