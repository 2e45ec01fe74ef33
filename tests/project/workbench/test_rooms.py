"""The workbench's rooms: imports run one way, every import finds its name, no file is too long."""

import ast
import importlib

import pytest

from learn.layout import ROOT

# From the first to the last: a room imports from those before it and from itself.
ORDER = [
    "install",
    "layout",
    "explain",
    "showing",
    "running",
    "practice",
    "measure",
    "site",
    "commands",
]
FILES = sorted((ROOT / "learn").rglob("*.py"))
# What runs in a process of its own, outside of the package.
APART = {"child", "gunicorn_config", "porter", "locustfile", "bare", "httpbin_app", "jwt_extended"}


def module_of(path):
    """Return the dotted name of a file's module."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path):
    """Return what a file imports from the workbench, at the top or inside: (module, name) each."""
    package = path.relative_to(ROOT).parent.parts
    found = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.level or (node.module or "") == "learn"):
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join([*base, *filter(None, [node.module])])
            found += [(module, alias.name) for alias in node.names]
    return found


def room(module):
    return (module.split(".") + [""])[1]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_run_one_way(path):
    """A file imports names that exist, from its own room and from those before it."""
    if path.stem in APART:
        assert imports(path) == []
        return
    own = room(module_of(path))
    for module, name in imports(path):
        target = importlib.import_module(module)
        if not hasattr(target, name):
            importlib.import_module(f"{module}.{name}")
        if own and own != "__main__":
            before = ORDER[: ORDER.index(own) + 1]
            assert room(module) in before or room(f"{module}.{name}") in before, (module, name)


def test_no_two_files_import_each_other():
    """There is no circle of imports, not even of those inside of functions."""
    names = {module_of(path): path for path in FILES}
    graph = {}
    for name, path in names.items():
        found = {f"{m}.{n}" if f"{m}.{n}" in names else m for m, n in imports(path)}
        graph[name] = found - {name, "learn"}

    def reach(name, seen):
        for other in graph.get(name, ()):
            if other not in seen:
                seen.add(other)
                reach(other, seen)
        return seen

    circles = sorted(name for name in graph if name in reach(name, set()))
    assert circles == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_are_short_and_say_what_they_are(path):
    """No file has more than 400 lines; each begins with what it is, each public name as well."""
    text = path.read_text("utf-8")
    tree = ast.parse(text)
    assert text.count("\n") <= (350 if "explain" in path.parts else 400)
    assert ast.get_docstring(tree) or path.parent.name == "peers"
    if path.parent.name == "peers" or path.stem in APART:
        return
    bare = [
        node.name
        for node in tree.body
        if isinstance(node, (ast.FunctionDef, ast.ClassDef))
        and not node.name.startswith("_")
        and not ast.get_docstring(node)
    ]
    assert bare == []
