"""Lesson 06 with the clients that keep cookies in a file: curl, wget and HTTPie.

docs/clients.md says which options that takes. Each fills the form in by hand: it reads the hidden
field out of the page and sends it back with the cookie.
"""

import re
import shutil
import subprocess

import clients
import pytest
from relay import Relay

from learn import Lesson
from learn.layout import ROOT

pytestmark = pytest.mark.rest

OPTIONS = clients.JARS
PROGRAMS = {"curl": "curl", "wget": "wget", "HTTPie": "http"}
QUIET = {
    "curl": "--silent --noproxy * --max-time 20",
    "wget": "--quiet --output-document=- --content-on-error --no-proxy --tries=1 --timeout=20"
    " --max-redirect=0",
    "HTTPie": "--ignore-stdin --body --pretty=none --timeout=20 --form",
}


class Jar:
    """A client with a file of cookies."""

    def __init__(self, name, jar):
        self.name, self.jar = name, jar
        path = shutil.which(PROGRAMS[name], path=clients.OWN) or shutil.which(PROGRAMS[name])
        if not path:
            pytest.skip(f"{name} is not installed; docs/clients.md says how to install it")
        options = f"{QUIET[name]} {OPTIONS[name]}".split(" ")
        self.command = [path, *(option.format(jar=jar) for option in options)]

    def send(self, url, **form):
        """Send a GET, or a form; return the body."""
        pairs = [f"{name}={value}" for name, value in form.items()]
        more = {
            "curl": [url, *(["--data", "&".join(pairs)] if form else [])],
            "wget": [url, *(["--post-data", "&".join(pairs)] if form else [])],
            "HTTPie": ["POST" if form else "GET", url, *pairs],
        }[self.name]
        done = subprocess.run(
            [*self.command, *more],
            capture_output=True,
            text=True,
            timeout=40,
            stdin=subprocess.DEVNULL,
        )
        return done.stdout


def hidden_field(page):
    return re.search(r'name="csrf" value="([^"]+)"', page)[1]


@pytest.mark.parametrize("name", OPTIONS)
def test_log_in_and_out(name, tmp_path):
    """The form lets in, the jar keeps the cookie, and the logout ends a copy of the jar as well."""
    jar, copied = tmp_path / "jar.json", tmp_path / "copy.json"
    if name == "wget":
        jar.touch()  # it complains of a file that isn't there
    client = Jar(name, jar)
    with Lesson("06") as app:
        relay = Relay(app.port)
        url = relay.url
        csrf = hidden_field(client.send(f"{url}/login"))
        wrong = client.send(f"{url}/login", csrf=csrf, username="user1", password="no")
        assert "password is wrong" in wrong
        client.send(f"{url}/login", csrf=csrf, username="user1", password="pass1")
        page = client.send(f"{url}/")
        assert "Hello, user1!" in page
        sent = [one.headers["Cookie"] for one in relay.take()]
        assert sent[0] is None and all(one.startswith("lesson06=") for one in sent[1:])
        assert sent[1] == sent[2] != sent[3]  # a login begins a new session
        shutil.copy(jar, copied)
        thief = Jar(name, copied)
        assert "Hello, user1!" in thief.send(f"{url}/")
        assert "too old" in client.send(f"{url}/logout", csrf=csrf)  # of the form before
        client.send(f"{url}/logout", csrf=hidden_field(page))
        for one in (client, thief):
            assert "Hello, user1!" not in one.send(f"{url}/")
        relay.stop()


@pytest.mark.parametrize("name", OPTIONS)
def test_document(name):
    """docs/clients.md shows the options that are used here."""
    text = (ROOT / "docs" / "clients.md").read_text("utf-8")
    assert f"`{OPTIONS[name].format(jar='jar')}`" in text
