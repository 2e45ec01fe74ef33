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
import io
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
    *.so *.pyi *.typed *.c *.exe */tests/* */__main__.py
    passlib/ext/* passlib/totp.py passlib/apache.py passlib/crypto/*/_gen_files.py
    werkzeug/debug/shared/* werkzeug/_reloader.py werkzeug/middleware/lint.py
    pygments/lexers/* pygments/styles/* pygments/formatters/* pygments/cmdline.py
    pygments/sphinxext.py rich/_unicode_data/unicode[!1]* rich/_unicode_data/unicode1[!7]*
    rich/_emoji_codes.py rich/progress.py rich/syntax.py rich/traceback.py rich/markdown.py
    rich/layout.py rich/prompt.py rich/_win* rich/_inspect.py rich/logging.py rich/tree.py
    packaging/licenses/* packaging/pylock.py packaging/metadata.py packaging/_musllinux.py
    packaging/_manylinux.py packaging/direct_url.py packaging/dependency_groups.py
    httpx2/websockets/* httpx2/_main.py httpcore2/_*/http2.py httpcore2/_*/socks_proxy.py
    click/shell_completion.py click/_win* idna/uts46data.py idna/cli.py idna/codec.py
    truststore/_macos.py truststore/_windows.py segno/cli.py
    jinja2/ext.py jinja2/sandbox.py *.dist-info/licenses/*
""".split()
USED = """
    pygments/lexers/__init__.py pygments/lexers/_mapping.py pygments/lexers/python.py
    pygments/lexers/diff.py pygments/styles/__init__.py pygments/styles/_mapping.py
    pygments/styles/default.py pygments/formatters/__init__.py pygments/formatters/_mapping.py
    pygments/formatters/terminal.py */METADATA
""".split()
PYODIDE = ("pyodide.mjs", "pyodide.asm.mjs")
WASM, STDLIB = "pyodide.asm.wasm", "python_stdlib.zip"
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
    _pack((pyodide / WASM).read_bytes(), target / "python.bin")
    for name, source in {"argon2-simd.wasm": "simd.wasm", "argon2.wasm": "no-simd.wasm"}.items():
        shutil.copy(packages / "argon2id" / "dist" / source, target / name)
    npm.bundle({"hashes": HERE / "hashes.js"}, target, {})
    for name in ("engine.js", "worker.js"):
        shutil.copy(HERE / name, target / name)
    with tempfile.TemporaryDirectory() as folder:
        libraries = Path(folder) / "libraries"
        _gather_libraries(libraries)
        stdlib = Path(folder) / "stdlib"
        shutil.unpack_archive(pyodide / STDLIB, stdlib)
        _compile(pyodide, stdlib, libraries)
        _compile(pyodide, libraries)
        tutorial = Path(folder) / "tutorial"
        _gather_workbench(tutorial)
        _compile(pyodide, tutorial)
        _gather_lessons(tutorial)
        for place in (stdlib, libraries, tutorial):
            _pack(_archive(place), target / f"{place.name}.bin")
    sizes = {
        path.relative_to(target).as_posix(): path.stat().st_size
        for path in sorted(target.rglob("*"))
        if path.is_file()
    }
    lock = json.loads((pyodide / "pyodide-lock.json").read_text("utf-8"))
    known = {"sizes": sizes, "lock": {"info": lock["info"], "packages": {}}}  # Pyodide's own: none
    lines = [f"export const {name} = {json.dumps(what)};\n" for name, what in known.items()]
    (target / "known.js").write_text("".join(lines), "utf-8")
    return sizes


def _gather_libraries(place: Path) -> None:
    """Copy what a page uses of the installed packages, and what stands in for compiled ones."""
    lock = (ROOT / "requirements.txt").read_text("utf-8")
    locked = dict(re.findall(r"^([\w.-]+)==([^\s;]+)", lock, re.M))
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


def _compile(pyodide: Path, *folders: Path) -> None:
    """Compile what is in the first folder, as compile.mjs says."""
    node = shutil.which("node")
    if node is None:
        raise LessonError("There is no node here: install Node.js 20 or newer.")
    command = [node, str(HERE / "compile.mjs"), str(pyodide), *map(str, folders)]
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise LessonError(f"The libraries could not be compiled. It said:\n\n{done.stderr[-1500:]}")


def _archive(folder: Path) -> bytes:
    """Return a folder as an archive, always the same bytes, not packed, to be read quickly."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                entry = zipfile.ZipInfo(path.relative_to(folder).as_posix())
                archive.writestr(entry, path.read_bytes())
    return out.getvalue()


def _pack(content: bytes, target: Path) -> None:
    target.write_bytes(gzip.compress(content, 9, mtime=0))
