"""Chromium, as a person uses it: its own dialogs for Basic and Digest, a page's script, a QR code.

Where Chromium would show its dialog, Playwright answers instead, so the tests count how often a
person would be asked. The relay writes down what the browser sends.
"""

import json
import shutil
import subprocess
from urllib.parse import parse_qs, urlencode

import clients
import pyotp
import pytest
from relay import Relay
from werkzeug.datastructures import Authorization

from learn import Lesson

pytestmark = pytest.mark.rest  # a browser's start costs more than most tests
# In a page of lesson 01 or 04 or 05: send a request, return what came back, as text.
FETCH = """async (given) => {
    const { path, ...how } = JSON.parse(given);
    const answer = await fetch(path, how);
    return JSON.stringify({ status: answer.status, body: await answer.text() });
}"""
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
BASIC = {"Authorization": "Basic dXNlcjE6cGFzczE="}


class Browser:
    def __init__(self, process):
        self._process = process

    def ask(self, **task):
        self._process.stdin.write(urlencode(task, doseq=True) + "\n")
        self._process.stdin.flush()
        return self.read()

    def read(self):
        said = self._process.stdout.readline().rstrip("\n")
        assert said, "the browser's driver ended without an answer"
        return {name: values[0] for name, values in parse_qs(said, keep_blank_values=True).items()}

    def visit(self, url, *passwords, user="user1", **more):
        """Open a page; answer the dialog with these passwords in turn, then press Cancel."""
        task = {"user": [user] * len(passwords), "password": passwords, **more}
        done = self.ask(do="visit", url=url, **task)
        return int(done["status"]), done["body"].strip(), int(done["asked"])

    def play(self, *steps):
        """Do what people do in windows, step by step; see `play` in browser.py."""
        done = self.ask(do="play", steps=json.dumps(steps))
        assert "error" not in done, done["error"]
        return json.loads(done["results"])

    def fetch(self, url, path, method="GET", headers=None, body=None):
        """Open a page and let its script send a request; return status and body."""
        how = {"path": path, "method": method, "headers": headers or {}, "body": body}
        given = json.dumps({key: value for key, value in how.items() if value is not None})
        done = json.loads(self.ask(do="script", url=url, script=FETCH, argument=given)["result"])
        return done["status"], done["body"]


@pytest.fixture(scope="module")
def browser():
    python = shutil.which("python", path=clients.OWN)
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if not chromium or not python:
        pytest.skip("Chromium or Playwright is not installed; docs/clients.md says how to")
    with subprocess.Popen(
        [python, str(clients.HERE / "browser.py"), chromium],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    ) as process:
        browser = Browser(process)
        browser.version = browser.read()["version"]
        yield browser
        process.stdin.close()
        process.wait(20)


@pytest.fixture
def serve():
    """Start a lesson with a relay before it: serve("02")."""
    running = []

    def serve(number):
        app = Lesson(number)
        relay = Relay(app.port)
        running.extend([relay, app])
        return relay

    yield serve
    for one in running:
        one.stop()


def sent_to(relay, target):
    return [sent.headers.get("Authorization") for sent in relay.take() if sent.target == target]


def test_form(browser, serve):
    """A page's form, sent by its script, logs in; with a wrong password it is refused."""
    relay = serve("01")
    for password, status in (("pass1", 200), ("no", 403)):
        form = urlencode({"username": "user1", "password": password})
        got, body = browser.fetch(f"{relay.url}/", "/login", "POST", FORM, form)
        assert got == status and ("Hello, user1!" in body) == (status == 200)


def test_basic_dialog(browser, serve):
    """The dialog comes; after a wrong password it comes again; Cancel shows the refusal."""
    relay = serve("02")
    assert browser.visit(f"{relay.url}/", "pass1") == (200, "Hello, user1!", 1)
    assert sent_to(relay, "/") == [None, BASIC["Authorization"]]
    assert browser.visit(f"{relay.url}/", "no", "pass1") == (200, "Hello, user1!", 2)
    assert sent_to(relay, "/") == [None, "Basic dXNlcjE6bm8=", BASIC["Authorization"]]
    status, body, asked = browser.visit(f"{relay.url}/", "no", "wrong")
    assert status == 401 and asked == 3 and "user1" not in body
    assert browser.visit(f"{relay.url}/admin", "pass2", user="user2")[0] == 403
    assert browser.visit(f"{relay.url}/public")[2] == 0  # nobody is asked


def test_digest_dialog(browser, serve):
    """The same with Digest: Chromium takes SHA-256, and the password never travels."""
    relay = serve("03")
    assert browser.visit(f"{relay.url}/account?a=1", "no", "pass1") == (200, "Hello, user1!", 2)
    first, *answers = sent_to(relay, "/account?a=1")
    assert first is None and len(answers) == 2
    for answer in answers:
        sent = Authorization.from_header(answer)
        assert sent.type == "digest" and sent.algorithm == "SHA-256" and sent.qop == "auth"
        assert sent.uri == "/account?a=1" and "pass1" not in answer
    status, body, asked = browser.visit(f"{relay.url}/account", "no")
    assert status == 401 and asked == 2 and "user1" not in body


def test_bearer_from_a_page(browser, serve):
    """A page's script fetches a token and sends it; a damaged one is refused."""
    relay = serve("04")
    page = f"{relay.url}/insecured"
    status, body = browser.fetch(page, "/login", "POST", BASIC)
    token = json.loads(body)["access_token"]
    assert status == 200 and relay.take()
    bearer = {"Authorization": f"Bearer {token}"}
    assert browser.fetch(page, "/secured", headers=bearer) == (200, "Hello, user1!\n")
    assert sent_to(relay, "/secured") == [f"Bearer {token}"]
    bearer = {"Authorization": f"Bearer {token[:-9]}"}
    assert browser.fetch(page, "/secured", headers=bearer)[0] == 401
    # A challenge of this kind brings up no dialog: there is no password to ask for.
    assert browser.visit(f"{relay.url}/secured", "pass1")[::2] == (401, 0)


def test_otp_and_its_qr_code(browser, serve, tmp_path):
    """The QR code is drawn, and read from its picture; its code and the password let in."""
    relay = serve("05")
    page = f"{relay.url}/public"
    status, body = browser.fetch(page, "/enroll", "POST", BASIC)
    assert status == 201 and json.loads(body)["otpauth_uri"].startswith("otpauth://totp/")
    status, svg = browser.fetch(page, "/enroll", "POST", {**BASIC, "Accept": "image/svg+xml"})
    assert status == 201
    drawn, picture = tmp_path / "qr.svg", tmp_path / "qr.png"
    drawn.write_text(svg, "utf-8")
    browser.visit(drawn.as_uri(), "", picture=str(picture))
    uri = read_qr(picture)
    code = pyotp.parse_uri(uri).now()
    visit = browser.visit(f"{relay.url}/", "pass1", header=f"OTP: {code}")
    assert visit == (200, "Hello, user1!", 1)
    # The same code again: refused, and the browser asks for the password, which was right.
    status, body, asked = browser.visit(f"{relay.url}/", "pass1", header=f"OTP: {code}")
    assert status == 401 and asked == 2 and "user1" not in body


def read_qr(picture):
    """Return what zbar reads from a picture."""
    if not shutil.which("zbarimg"):
        pytest.skip("zbarimg (package zbar-tools) is not installed")
    command = ["zbarimg", "--quiet", "--raw", str(picture)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout.strip()
