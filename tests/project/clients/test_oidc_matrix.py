"""Lesson 08 with providers and clients that nobody here wrote, all on loopback.

app.py logs in at oidc-provider-mock (PyPI) and at oidc-provider (npm, certified); openid-client
(npm, certified) and requests-oauth2client (PyPI) log in at provider.py. What each does stands in
PROVIDERS and CLIENTS, the tests hold it, and docs/clients.md shows it; LEARN_TABLE=1 writes that.
"""

import json
import re
import shutil
import subprocess
import tempfile
import threading
from types import SimpleNamespace
from urllib.parse import parse_qs, urlencode, urlsplit

import clients
import httpx2
import pytest

from learn import Lesson
from learn.running.browser import forms_of
from learn.running.ending import free_port

pytestmark = pytest.mark.rest

NODE = clients.HERE / "node"
YES = "yes"
# What is expected of each, which is what it does.
PROVIDERS = {
    "oidc-provider-mock": {
        "of": "PyPI",
        "no": "comes without `state`, so it is refused as nobody's",
        "out": "yes, though it has no login of its own to end",
        "told": "no: has nothing for it",
        "keys": YES,
    },
    "oidc-provider": {"of": "npm, certified", "no": YES, "out": YES, "told": YES, "keys": YES},
}
CLIENTS = {
    "openid-client": {
        "of": "npm, certified",
        "no": YES,
        "out": YES,
        "keys": YES,
        "wrong": "state, iss, code",
    },
    "requests-oauth2client": {
        "of": "PyPI",
        "no": YES,
        "out": "no: has nothing for it",
        "keys": "one that was published when it began; it looks only once",
        "wrong": "state, iss, code",
    },
}


class Person:
    """Somebody with a browser: it follows redirects, keeps cookies and fills in forms."""

    def __init__(self):
        self.web = httpx2.Client(follow_redirects=True, trust_env=False, timeout=20)

    def visit(self, url, **how):
        self.page = self.web.get(url, **how)
        return self.page

    def press(self, stop=None, **values):
        """Send the form of the page that has these fields, or the first; don't go where `stop` is.

        Returns where the browser is then, or would be.
        """
        url = str(self.page.url)
        forms = forms_of(SimpleNamespace(target=url, text=self.page.text))
        fitting = [f for f in forms if values.keys() <= f.fields.keys() | f.buttons]
        form = (fitting or forms)[0]  # a button may stand outside of its form
        where = httpx2.URL(url).join(form.action)
        self.page = self.web.send(
            self.web.build_request(form.method, where, data={**form.fields, **values}),
            follow_redirects=False,
        )
        while self.page.is_redirect:
            to = str(self.page.next_request.url)
            if stop and to.startswith(stop):
                return to
            self.page = self.web.send(self.page.next_request, follow_redirects=False)
        return str(self.page.url)

    @property
    def at(self):
        return str(self.page.url)


class Process:
    """A program that takes questions on its standard input, or serves."""

    def __init__(self, *command):
        self.command = list(map(str, command))
        self.start()

    def start(self):
        self.said = tempfile.TemporaryFile("w+", encoding="utf-8")
        self.process = subprocess.Popen(
            self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.said,
            text=True, encoding="utf-8",
        )  # fmt: skip

    def ask(self, question, **about):
        self.process.stdin.write(json.dumps({"ask": question, **about}) + "\n")
        self.process.stdin.flush()
        return json.loads(self.read())

    def read(self):
        late = threading.Timer(60, self.process.kill)
        late.start()
        line = self.process.stdout.readline()
        late.cancel()
        self.said.seek(0)
        assert line, f"it ended, or said nothing for a minute: {self.said.read()[-2000:]}"
        return line

    def stop(self):
        self.process.kill()
        self.process.communicate()
        self.said.close()


class Peer(Process):
    """A provider that runs; issuer: its address."""

    def __init__(self, name, port, *command):
        self.name, self.issuer = name, f"http://localhost:{port}"
        super().__init__(*command)

    def start(self):
        super().start()
        assert self.read() == "ready\n"

    def restart(self):
        """Start it anew: with another key, and nobody logged in."""
        self.stop()
        self.start()

    def log_in(self, person):
        """Log in and say yes, from its first page on."""
        if self.name == "oidc-provider":
            person.press(login="user1", password="any will do")
            return person.press(prompt="consent")
        return person.press(sub="user1")

    def say_no(self, person):
        if self.name == "oidc-provider":
            return person.visit(self.issuer + re.search(r'href="[^"]*(/interaction/[^"]*/abort)"',
                                                        person.page.text)[1])  # fmt: skip
        return person.press(action="deny")


def node():
    """Return the program node, if it has the packages that are wanted; else skip."""
    program = shutil.which("node")
    if not program:
        pytest.skip("Node is not installed; docs/clients.md says how to install it")
    version = subprocess.run([program, "--version"], capture_output=True, text=True).stdout
    if int(version.strip("v").partition(".")[0]) < 20:
        pytest.skip(f"Node 20 is not installed, only {version.strip()}")
    if not (NODE / "node_modules").is_dir():
        pytest.skip("oidc-provider and openid-client for Node are not installed (npm ci)")
    return program


def python(package):
    """Return the Python of the environment .others, if it has a package; else skip."""
    program = shutil.which("python", path=clients.OWN)
    asked = [program, "-W", "ignore", "-c", f"import {package}"]
    if not program or subprocess.run(asked, capture_output=True).returncode:
        pytest.skip(f"{package} for Python is not installed; docs/clients.md says how to")
    return program


@pytest.fixture(params=list(PROVIDERS))
def pair(request):
    """The app and a provider of somebody else's."""
    here, there = free_port(), free_port()
    if request.param == "oidc-provider":
        command = node(), NODE / "oidc_provider.mjs", there, f"http://localhost:{here}"
    else:
        command = python("oidc_provider_mock"), "-W", "ignore", clients.HERE / "oidc_mock.py", there
    peer = Peer(request.param, there, *command)
    try:
        with Lesson("08", port=here, ISSUER=peer.issuer) as app:
            yield app, peer
            assert "Traceback" not in app.log and " 500 " not in app.log
    finally:
        peer.stop()


@pytest.fixture(scope="module", params=list(CLIENTS))
def client(request):
    """provider.py and a client of somebody else's."""
    back = "http://localhost:9/callback"  # nobody listens there: the tests look at the address
    site = {"secret": "pass9", "redirect_uris": [back], "post_logout_redirect_uris": [back]}
    about = {"CLIENTS": json.dumps({"peer": site}), "KEY_LIFETIME": 3600, "clock": True}
    about |= {"port": (port := free_port()), "ISSUER": f"http://localhost:{port}"}
    with Lesson("08", "provider", **about) as provider:
        about = provider.origin, "peer", "pass9", back
        if request.param == "openid-client":
            program = Process(node(), NODE / "oidc_client.mjs", *about)
        else:
            own = python("requests_oauth2client")
            program = Process(own, clients.HERE / "oidc_client.py", *about)
        program.name, program.back, program.provider = request.param, back, provider
        assert program.ask("discover") == {}
        yield program
        program.stop()
        assert "Traceback" not in provider.log and " 500 " not in provider.log


def expected(table, peer, what):
    return table[peer.name][what]


# Somebody else's provider.


def test_app_logs_in(pair):
    """The app takes their word, under their name, and keeps the pair of issuer and sub."""
    app, peer = pair
    person = Person()
    assert person.visit(app.origin + "/").url.host == "localhost"
    assert person.at.startswith(peer.issuer)
    assert peer.log_in(person) == f"{app.origin}/"
    assert "Hello, user1 of" in person.page.text
    (account,) = app.rows("SELECT issuer, sub FROM accounts")
    assert account == {"issuer": peer.issuer, "sub": "user1"}
    again = Person()
    again.visit(app.origin + "/")
    peer.log_in(again)
    assert len(app.rows("SELECT * FROM accounts")) == 1
    assert len(app.rows("SELECT * FROM sessions")) == 2


def test_app_hears_a_no(pair):
    """Who says no is not logged in, and is told why."""
    app, peer = pair
    person = Person()
    person.visit(app.origin + "/")
    peer.say_no(person)
    assert person.at.startswith(f"{app.origin}/callback?error=access_denied")
    assert person.page.status_code == 400
    if expected(PROVIDERS, peer, "no") == YES:
        assert "said no" in person.page.text
    else:
        assert "state=" not in person.at and "not begun in this browser" in person.page.text
    assert person.visit(app.origin + "/").url.port == urlsplit(peer.issuer).port


def test_app_logs_out(pair):
    """Logging out ends the session here, asks them to end theirs, and comes back."""
    app, peer = pair
    person = Person()
    person.visit(app.origin + "/")
    peer.log_in(person)
    person.press(csrf=re.search(r'name="csrf" value="([^"]+)"', person.page.text)[1])
    assert person.at.startswith(peer.issuer) and not app.rows("SELECT * FROM sessions")
    logout = {"logout": "yes"} if peer.name == "oidc-provider" else {}
    assert person.press(**logout).split("?")[0] == f"{app.origin}/public"
    person.visit(app.origin + "/")
    assert person.at.startswith(peer.issuer)
    assert "Hello" not in person.page.text  # it asks who it is


def test_app_is_told_of_a_logout(pair):
    """Who logs out there is logged out here as well, if they can tell."""
    app, peer = pair
    document = httpx2.get(f"{peer.issuer}/.well-known/openid-configuration", trust_env=False).json()
    told = expected(PROVIDERS, peer, "told")
    assert document.get("backchannel_logout_supported", False) == (told == YES)
    if told != YES:
        return
    person, other = Person(), Person()
    for one in person, other:
        one.visit(app.origin + "/")
        peer.log_in(one)
    assert len(app.rows("SELECT * FROM sessions")) == 2
    person.visit(document["end_session_endpoint"])
    person.press(logout="yes")
    assert person.visit(app.origin + "/").url.port == urlsplit(peer.issuer).port
    assert "Hello" in other.visit(app.origin + "/").text  # another login of the same user's


def test_app_takes_a_new_key(pair):
    """When they sign with another key, the app looks for it."""
    app, peer = pair
    for _ in range(2):
        person = Person()
        person.visit(app.origin + "/")
        assert peer.log_in(person) == f"{app.origin}/" and "Hello, " in person.page.text
        peer.restart()


# Somebody else's client.


def begin(client, **changes):
    """Log in at our provider for their client; return where the browser is sent with the code."""
    person = Person()
    person.visit(client.ask("begin")["url"])
    person.press(username="user1", password="pass1")
    return person, person.press(stop=client.back, decision="yes")


def changed(url, **values):
    """Return an address with other parameters."""
    parts = urlsplit(url)
    query = {name: value for name, (value,) in parse_qs(parts.query).items()} | values
    return parts._replace(query=urlencode(query)).geturl()


def test_client_logs_in(client):
    """Their client finds ours by its document, and hears who it is, with all checks of its own."""
    _, url = begin(client)
    said = client.ask("finish", url=url)
    assert said["sub"] == said["person"]["sub"] and said["person"]["name"] == "user1"
    assert said["person"]["email"] == "user1@example.com"


def test_client_hears_a_no(client):
    """Who says no is not logged in there."""
    person = Person()
    person.visit(client.ask("begin")["url"])
    person.press(username="user1", password="pass1")
    url = person.press(stop=client.back, decision="no")
    assert "error=access_denied" in url
    said = client.ask("finish", url=url)["error"]
    assert "access_denied" in said


def test_client_refuses(client):
    """What is wrong in an answer is seen by their client, or by our provider behind it."""
    seen = []
    for name, value in ("state", "mine"), ("iss", "http://localhost:1"), ("code", "made-up"):
        _, url = begin(client)
        said = client.ask("finish", url=changed(url, **{name: value}))
        if name.replace("code", "invalid_grant") in said.get("error", "").lower():
            seen.append(name)
    _, url = begin(client)
    client.ask("finish", url=url)
    assert "error" in client.ask("finish", url=url)  # a code counts once
    assert ", ".join(seen) == expected(CLIENTS, client, "wrong")


def test_client_logs_out(client):
    """Their client sends the browser to our provider, which asks, and sends it back."""
    person, url = begin(client)
    client.ask("finish", url=url)
    there = client.ask("logout", back=client.back)
    if expected(CLIENTS, client, "out") != YES:
        assert "nothing" in there["error"]
        return
    person.visit(there["url"])
    assert person.press(stop=client.back, csrf=_csrf(person)).startswith(client.back)
    person.visit(client.ask("begin")["url"])
    assert "Password" in person.page.text


def _csrf(person):
    return re.search(r'name="csrf" value="([^"]+)"', person.page.text)[1]


def test_client_takes_a_new_key(client):
    """Our provider publishes a key before it signs with it; a later one has to be looked for."""
    assert client.ask("discover") == {}
    for hours in 1, 2:
        client.provider.set_clock(hours * 3700)
        client.ask("grow_old")
        _, url = begin(client)
        said = client.ask("finish", url=url)
        assert "sub" in said or (hours == 2 and expected(CLIENTS, client, "keys") != YES), said
    assert ("sub" in said) == (expected(CLIENTS, client, "keys") == YES)
    assert client.ask("discover") == {}
    _, url = begin(client)
    assert "sub" in client.ask("finish", url=url)


def table(kind, peers, columns):
    """Return what is expected of some peers as Markdown; columns: titles, by name."""
    lines = [f"| {kind} of others | log in | {' | '.join(columns.values())} |"]
    lines += ["|" + "---|" * (len(columns) + 2)]
    for name, does in peers.items():
        cells = [f"`{name}` ({does['of']})", YES, *(does[column] for column in columns)]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


@pytest.mark.parametrize("kind", ["provider", "client"])
def test_table_is_current(kind):
    """docs/clients.md shows what the tests above expect, and see."""
    columns = {"no": "a no", "out": "log out"}
    if kind == "provider":
        columns |= {"told": "tells of a logout", "keys": "a new key"}
        clients.hold_table(f"{kind} of others", table(kind, PROVIDERS, columns))
    else:
        columns |= {"keys": "a new key", "wrong": "sees another"}
        clients.hold_table(f"{kind} of others", table(kind, CLIENTS, columns))


def test_node_packages_are_locked():
    """Each of Node's packages has its version and its hash, and no line names a place to get it."""
    packages = json.loads((NODE / "package-lock.json").read_text("utf-8"))["packages"]
    assert {f"node_modules/{name}" for name in ("oidc-provider", "openid-client")} <= set(packages)
    for name, about in packages.items():
        assert not name or (about["version"] and about["integrity"].startswith("sha512-")), name
        assert "resolved" not in about, name
