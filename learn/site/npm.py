"""What the pages are made with from npm: installed from the lock beside this file, and run.

Nothing is installed into the repository but below .learn, which git ignores. The lock names every
package with its hash, and no package's own scripts are run.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path

from ..layout import ROOT, LessonError

HERE = Path(__file__).resolve().parent
PLACE = ROOT / ".learn" / "site"


def packages(dev: bool = False) -> Path:
    """Return the folder node_modules with the packages of package-lock.json; install it if needed.

    `dev` adds those that draw diagrams and test the pages. Raises LessonError when npm isn't there
    or fails.
    """
    place = PLACE / ("dev" if dev else "npm")
    lock = HERE / "package-lock.json"
    wanted = hashlib.sha256(lock.read_bytes()).hexdigest()
    done = place / "installed"
    if done.is_file() and done.read_text("utf-8") == wanted:
        return place / "node_modules"
    npm = shutil.which("npm")
    if npm is None:
        raise LessonError(
            "Pages in which lessons run are made with packages of npm, and there is no npm here."
            " Install Node.js 20 or newer, which has it (https://nodejs.org, or your system's"
            " package npm), and start again. Pages to read alone need none:"
            " python3 -m learn site --no-run"
        )
    place.mkdir(parents=True, exist_ok=True)
    done.unlink(missing_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, place / name)
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    _run([*command, *([] if dev else ["--omit=dev"])], place, "npm could not install what it needs")
    done.write_text(wanted, "utf-8")
    return place / "node_modules"


def bundle(sources: dict[str, Path], out: Path, known: dict[str, object] | None = None) -> None:
    """Write each JavaScript file of `sources`, with what it imports, as a module into `out`.

    The keys name the results: {"editor": Path("editor.js")} gives editor.js. What several of them
    import, or one only later, becomes a file of its own. `known` has the values of names that the
    files don't define. Raises LessonError when esbuild can't read them.
    """
    modules = packages()
    esbuild = modules / "esbuild" / "bin" / "esbuild"
    node = shutil.which("node")
    if node is None:
        raise LessonError("There is npm but no node: install Node.js 20 or newer.")
    entries = [f"{name}={path}" for name, path in sources.items()]
    options = ["--bundle", "--splitting", "--format=esm", "--minify", "--target=es2022"]
    options += [f"--define:{name}={json.dumps(value)}" for name, value in (known or {}).items()]
    options += ["--charset=utf8"]
    options += [f"--outdir={out}", "--log-level=warning", "--legal-comments=none"]
    _run([node, str(esbuild), *entries, *options], modules.parent, "esbuild failed", modules)


def _run(command: list[str], place: Path, failed: str, modules: Path | None = None) -> None:
    environment = {**os.environ, **({"NODE_PATH": str(modules)} if modules else {})}
    try:
        done = subprocess.run(
            command,
            cwd=place,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            timeout=900,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise LessonError(f"{failed}: {error}") from None
    if done.returncode:
        said = (done.stderr or done.stdout).strip()[-1500:]
        raise LessonError(f"{failed}. It said:\n\n{said}")
