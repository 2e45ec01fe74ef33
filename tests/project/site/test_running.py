"""Lessons, notebooks and checks in a web page: Pyodide in Chromium, and the same in this Python.

The page is served on 127.0.0.1 below a folder, as GitHub Pages serves a project's, with the
strictest Content-Security-Policy that it can do with.
"""

import configparser
import http.server
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path

import pytest

from learn.layout import LESSONS, NOTEBOOKS, ROOT
from learn.practice.steps import FIRST

POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'"
)
PAGE = '<!doctype html><meta charset="utf-8"><title>A page</title>'
PAGE += '<link rel="icon" href="data:,"><script type="module" src="page.js"></script>'
SCRIPT = 'import { Engine } from "./run/engine.js"; window.engine = new Engine();'
RUNS = ["01", "02", "03", "04", "05", "06"]  # 07 and 08 need compiled code
# Cells that a page can't run, by what they say instead.
ELSEWHERE = {"05": {35: "matplotlib"}}


class Handler(http.server.SimpleHTTPRequestHandler):
    extensions_map = {
        **http.server.SimpleHTTPRequestHandler.extensions_map,
        ".mjs": "text/javascript",
        ".js": "text/javascript",
        ".wasm": "application/wasm",
    }

    def end_headers(self):
        self.send_header("Content-Security-Policy", POLICY)
        super().end_headers()

    def log_message(self, *_):
        pass


class Engine:
    """An engine in a page in Chromium; each method is one of engine.js's."""

    def __init__(self, process):
        self._process = process
        self.version = self._read()["answer"]

    def _read(self):
        line = self._process.stdout.readline()
        assert line, "the browser's driver ended without an answer"
        return json.loads(line)

    def call(self, *task):
        self._process.stdin.write(json.dumps(task) + "\n")
        self._process.stdin.flush()
        return self._read()

    def __getattr__(self, name):
        def method(*given):
            done = self.call(name, *given)
            assert "error" not in done, done["error"]
            return done["outputs"] if name == "run" else done["answer"]

        return method


@pytest.fixture(scope="module")
def runtime(tmp_path_factory):
    """A folder as GitHub Pages has it: a project's folder with the page, and what runs in it."""
    from learn.site import bundle, npm

    if not shutil.which("npm") or not shutil.which("node"):
        pytest.skip("npm is not installed, from which Pyodide comes")
    folder = tmp_path_factory.mktemp("site")
    (folder / "repo").mkdir()
    bundle.make_runtime(folder / "repo" / "run", npm.packages())
    (folder / "repo" / "index.html").write_text(PAGE)
    (folder / "repo" / "page.js").write_text(SCRIPT)
    return folder


@pytest.fixture(scope="module")
def engine(runtime):
    own = ROOT / ".others" / ("Scripts" if sys.platform == "win32" else "bin")
    python = shutil.which("python", path=own)
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if not chromium or not python:
        pytest.skip("Chromium or Playwright is not installed; docs/clients.md says how to")
    handler = partial(Handler, directory=str(runtime))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/repo/index.html"
        driver = Path(__file__).with_name("running_driver.py")
        with subprocess.Popen(
            [python, str(driver), chromium, address],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        ) as process:
            yield Engine(process)
            process.stdin.close()
        server.shutdown()


def sanitized(text):
    """Return a text in which what differs from run to run is masked, as nbval masks it."""
    rules = configparser.RawConfigParser()
    rules.read(NOTEBOOKS / "sanitize.cfg", "utf-8")
    for name in rules.sections():
        text = re.sub(rules[name]["regex"], rules[name]["replace"], text)
    return text.strip()


def shown(outputs):
    """Return what outputs show, by stream or MIME type; pictures of matplotlib apart."""
    found = {}
    for one in outputs:
        kind = one.get("output_type") or one["type"]
        if kind == "stream":
            texts = {one["name"]: one["text"]}
        elif kind == "error":
            texts = {"error": one.get("text") or one["ename"]}
        else:
            texts = one["data"]
        for name, text in texts.items():
            found[name] = found.get(name, "") + "".join(text)
    return {name: sanitized(text) for name, text in found.items()}


def lesson_folder(number):
    return next(LESSONS.glob(f"{number}_*"))


@pytest.mark.rest
@pytest.mark.parametrize("number", RUNS)
def test_notebook(engine, number):
    """Every cell of a notebook gives the outputs that are kept in it, from the top to the bottom."""
    path = next(NOTEBOOKS.glob(f"{number}_*.ipynb"))
    cells = json.loads(path.read_text("utf-8"))["cells"]
    elsewhere = ELSEWHERE.get(number, {})
    engine.open(number)
    for place, cell in enumerate(cells):
        if cell["cell_type"] != "code":
            continue
        came = shown(engine.run("".join(cell["source"])))
        if place in elsewhere:
            assert elsewhere[place] in came["error"]
        elif "nbval-ignore-output" not in cell["metadata"].get("tags", []):
            assert came == shown(cell["outputs"]), f"cell {place}"
