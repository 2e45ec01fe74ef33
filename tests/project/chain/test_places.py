"""The files that open the tutorial elsewhere name what exists here."""

import json
import re
import tomllib

from learn.layout import LESSONS, NOTEBOOKS, ROOT


def test_devcontainer_names_what_exists():
    """The container for Codespaces opens files that are there and forwards the lessons' ports."""
    found = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text("utf-8"))
    for name in found["customizations"]["codespaces"]["openFiles"]:
        assert (ROOT / name).is_file(), name
    numbers = [int(path.name[:2]) for path in sorted(LESSONS.glob("0*_*"))]
    assert found["forwardPorts"] == [5000 + number for number in numbers]
    assert found["postCreateCommand"] == "python3 -m learn"
    python = re.search(r"python:(\d+)\.(\d+)$", found["image"])
    assert tuple(map(int, python.groups())) >= oldest()


def test_binder_installs_what_is_locked():
    """Binder installs requirements.txt, on a Python that the tutorial supports."""
    folder = ROOT / ".binder"
    (line,) = (folder / "requirements.txt").read_text("utf-8").split("\n")[:-1]
    assert (folder / line.removeprefix("-r ")).resolve() == ROOT / "requirements.txt"
    found = re.fullmatch(r"python-(\d+)\.(\d+)\n", (folder / "runtime.txt").read_text("utf-8"))
    assert tuple(map(int, found.groups())) >= oldest()


def oldest():
    """Return the oldest Python that is supported."""
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    found = re.fullmatch(r">=(\d+)\.(\d+)", tomllib.loads(text)["project"]["requires-python"])
    return tuple(map(int, found.groups()))


def test_contributing_names_what_exists():
    """Every path in CONTRIBUTING.md and every link in README.md leads somewhere."""
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    for name in re.findall(r"`([\w./]+(?:/|\.\w+))`", text):
        if "NN" in name or name in ("store.py", "groundwork.py", "app.py", "beyond.py", "naive.py"):
            continue
        places = [ROOT, ROOT / "lessons" / "02_basic", ROOT / "learn", *ROOT.glob("tests/**/")]
        assert any((place / name).exists() for place in places), name
    for name in re.findall(r"\]\(([\w./-]+)\)", (ROOT / "README.md").read_text("utf-8")):
        assert (ROOT / name).exists(), name
    assert NOTEBOOKS.is_dir()
