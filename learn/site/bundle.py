"""What runs Python in a page: engine.js and its worker, Pyodide, the libraries, the tutorial.

The libraries are those of this environment, which its set-up took from PyPI by the hashes in
requirements.txt; each file is compared with what its package says of it. What a page can't use is
left out. They are compiled here, by the Python that will run them, so that the page starts sooner.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import importlib.metadata
import json
import re
import shutil
import subprocess
import tempfile
import zipfile
from fnmatch import fnmatch
from pathlib import Path

from ..layout import LESSONS, ROOT, LessonError, notebooks
from . import npm

HERE = Path(__file__).resolve().parent
DISTRIBUTIONS = """
    flask werkzeug jinja2 markupsafe itsdangerous click blinker flask-login flask-httpauth
    libpass argon2-cffi pyjwt pyotp segno zxcvbn httpx2 httpcore2 h11 idna truststore
    typing-extensions rich pygments pytest iniconfig pluggy packaging
""".split()
PRETTY = ("ipython", "IPython/lib/pretty.py")  # how notebooks print a value
# Of these, nothing here is ever imported.
UNUSED = """
    *.so *.pyi *.typed *.c *.exe */tests/* passlib/ext/* werkzeug/debug/shared/*
    pygments/lexers/[a-z]* pygments/styles/[a-z]* pygments/formatters/[a-z]*
    rich/_emoji_codes.py zxcvbn/scripts/* _pytest/_py/path.py *.dist-info/licenses/*
""".split()
USED = """
    pygments/lexers/python.py pygments/lexers/diff.py pygments/styles/default.py
    pygments/formatters/terminal.py pygments/lexers/_mapping.py pygments/styles/_mapping.py
    pygments/formatters/_mapping.py */METADATA
""".split()
PYODIDE = ("pyodide.mjs", "pyodide.asm.mjs", "python_stdlib.zip")
ROOMS = ("explain", "showing", "running", "practice", "commands")
NOT_OURS = ("exercise*", "instance", "__pycache__", ".*")  # of a lesson's folder


def make_runtime(target: Path, packages: Path) -> dict[str, int]:
    """Write into the folder `target` all that engine.js needs; return its files' sizes in bytes.

    packages: the folder node_modules with the packages of package-lock.json. Raises LessonError,
    with a sentence, when the environment is not the locked one or node fails.
    """
    pyodide = packages / "pyodide"
    (target / "pyodide").mkdir(parents=True, exist_ok=True)
    for name in PYODIDE:
        shutil.copy(pyodide / name, target / "pyodide" / name)
    packed = gzip.compress((pyodide / "pyodide.asm.wasm").read_bytes(), 9, mtime=0)
    (target / "pyodide" / "python.bin").write_bytes(packed)
    for name, source in {"argon2-simd.wasm": "simd.wasm", "argon2.wasm": "no-simd.wasm"}.items():
        shutil.copy(packages / "argon2id" / "dist" / source, target / name)
    npm.bundle({"hashes": HERE / "hashes.js"}, target)
    for name in ("engine.js", "worker.js"):
        shutil.copy(HERE / name, target / name)
    with tempfile.TemporaryDirectory() as folder:
        libraries = Path(folder) / "libraries"
        _gather_libraries(libraries)
        _compile(libraries, pyodide)
        _zip(libraries, target / "libraries.zip")
        tutorial = Path(folder) / "tutorial"
        _gather_workbench(tutorial)
        _compile(tutorial, pyodide)
        _gather_lessons(tutorial)
        _zip(tutorial, target / "tutorial.zip")
    sizes = {
        path.relative_to(target).as_posix(): path.stat().st_size
        for path in sorted(target.rglob("*"))
        if path.is_file()
    }
    (target / "sizes.js").write_text(f"export const sizes = {json.dumps(sizes)};\n", "utf-8")
    return sizes


def _gather_libraries(place: Path) -> None:
    """Copy what a page uses of the installed packages, and what stands in for compiled ones."""
    locked = dict(
        re.findall(r"^([\w.-]+)==([^\s;]+)", (ROOT / "requirements.txt").read_text(), re.M)
    )
    for name in DISTRIBUTIONS:
        for path in _files(name, locked):
            wanted = any(fnmatch(str(path), one) for one in USED)
            unused = any(fnmatch(str(path), one) for one in UNUSED)
            about = ".dist-info/" in str(path) and path.name != "METADATA"
            if wanted or not (unused or about or path.suffix in ("", ".md", ".rst", ".txt")):
                _copy(name, path, place)
    name, only = PRETTY
    for path in _files(name, locked):
        if str(path) == only:
            _copy(name, path, place)
    for metadata in place.glob("*/METADATA"):  # the name and the version are enough
        lines = metadata.read_text("utf-8").split("\n\n")[0].split("\n")
        kept = [one for one in lines if one.startswith(("Metadata-Version:", "Name:", "Version:"))]
        metadata.write_text("\n".join(kept) + "\n", "utf-8")
    shutil.copytree(HERE / "stand_ins", place, dirs_exist_ok=True, ignore=_caches)
    (place / "IPython" / "lib" / "__init__.py").touch()


def _files(name, locked):
    """Return the files of an installed package. Raises LessonError if it is not the locked one."""
    again = "Set the environment up anew: remove .venv, then run python3 -m learn."
    try:
        found = importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        raise LessonError(f"{name} is not installed here. {again}") from None
    if found.version != locked.get(name):
        raise LessonError(
            f"{name} {found.version} is installed here, and requirements.txt names"
            f" {locked.get(name, 'none')}. {again}"
        )
    return [path for path in found.files or () if ".." not in path.parts]


def _copy(name, path, place):
    data = path.locate().read_bytes()
    if path.hash:
        digest = hashlib.new(path.hash.mode, data).digest()
        if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != path.hash.value:
            raise LessonError(f"{path} of the package {name} was changed after it was installed.")
    elif path.suffix == ".pyc":
        return
    (place / path).parent.mkdir(parents=True, exist_ok=True)
    (place / path).write_bytes(data)


def _gather_workbench(place: Path) -> None:
    for room in ROOMS:
        shutil.copytree(ROOT / "learn" / room, place / "learn" / room, ignore=_caches)
    for name in ("__init__.py", "layout.py"):
        shutil.copy(ROOT / "learn" / name, place / "learn" / name)


def _gather_lessons(place: Path) -> None:
    """Copy lessons and checks; of notebooks, their names are enough."""
    ignore = shutil.ignore_patterns(*NOT_OURS)
    shutil.copytree(LESSONS, place / "lessons", ignore=ignore)
    for folder in (place / "tests", place / "notebooks"):
        folder.mkdir()
    for path in [ROOT / "tests" / "conftest.py", *(ROOT / "tests").glob("test_[0-9][0-9]_*.py")]:
        shutil.copy(path, place / "tests")
    for path in notebooks():
        (place / "notebooks" / path.name).touch()


_caches = shutil.ignore_patterns("__pycache__", "*.pyc")


def _compile(folder: Path, pyodide: Path) -> None:
    node = shutil.which("node")
    if node is None:
        raise LessonError("There is no node here: install Node.js 20 or newer.")
    command = [node, str(HERE / "compile.mjs"), str(pyodide), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise LessonError(f"The libraries could not be compiled. It said:\n\n{done.stderr[-1500:]}")


def _zip(folder: Path, target: Path) -> None:
    """Pack a folder, always to the same bytes."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as out:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                entry = zipfile.ZipInfo(path.relative_to(folder).as_posix())
                entry.compress_type = zipfile.ZIP_DEFLATED
                out.writestr(entry, path.read_bytes(), compresslevel=9)
