"""The pages, built once for all tests of a run: to read, or whole and served; and a browser."""

import json
import shutil
import subprocess
import threading
from pathlib import Path

import pytest

from learn.layout import ROOT
from learn.site import build, npm, serving

HERE = Path(__file__).parent
OTHERS = ROOT / ".others"


@pytest.fixture(scope="session")
def reading(tmp_path_factory):
    """The folder of the pages to read, which need no npm."""
    out = tmp_path_factory.mktemp("reading") / "site"
    build.build(out, run=False, say=lambda _: None)
    return out


@pytest.fixture(scope="session")
def pages(tmp_path_factory):
    """The folder of all pages, with what runs in them."""
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed")
    out = tmp_path_factory.mktemp("pages") / "site"
    build.build(out, say=lambda _: None)
    return out


@pytest.fixture(scope="session")
def address(pages):
    """Where all pages are served, in a folder below the top as on GitHub Pages."""
    server = serving.make(pages.parent, 0)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/{pages.name}/"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def drive(address):
    """drive("scenario", …): what came of a function of reading_driver.py in Chromium."""
    python = shutil.which("python", path=str(OTHERS / "bin")) or shutil.which(
        "python", path=str(OTHERS / "Scripts")
    )
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if not chromium or not python:
        pytest.skip("Chromium or Playwright is not installed; docs/clients.md says how to")

    def drive(scenario, *given, driver="reading_driver.py", at=address):
        command = [python, str(HERE / driver), chromium, at, scenario, json.dumps(given)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr[-3000:]
        return json.loads(done.stdout)

    return drive


@pytest.fixture(scope="session")
def axe():
    """The path of axe-core's script, which looks for what keeps people out."""
    return str(npm.packages(dev=True) / "axe-core" / "axe.min.js")
