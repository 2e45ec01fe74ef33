"""Lesson 08's provider is attacked as well, and what its app does is looked at from beside."""

import base64
import hashlib
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from on_oidc import begun, greeted, liar, logged_in, settings
from wire import request, send

from learn import Browser, Lesson
from learn.layout import LESSONS, find_notebook
from learn.running.browser import forms_of
from learn.site import cells

CLIENT = ("lesson-08", "pass8")
BACK = "http://localhost:5008/callback"
API = "http://localhost:5008/api"
VERIFIER = "v" * 43
PROOF = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
ASKED = {"response_type": "code", "client_id": CLIENT[0], "redirect_uri": BACK, "nonce": "n"}
ASKED |= {"scope": "openid profile", "state": "s", "code_challenge": PROOF}
ASKED |= {"code_challenge_method": "S256"}
THERE = "/authorize?" + urlencode(ASKED)
DEBUG = "import logging\n\nlogging.basicConfig(level=logging.DEBUG)\n"


@pytest.fixture
def provider():
    """The lesson's provider, with a clock that can be moved."""
    with Lesson("08", "provider", ISSUER="http://localhost:5018", clock=True) as one:
        yield one
        assert "Traceback" not in one.log, one.own_lines()


@pytest.fixture
def app():
    """The lesson's app, with a provider that lies."""
    with Lesson("08", **settings()) as one:
        yield one
        assert "Traceback" not in one.log, one.own_lines()


def visitor(provider):
    """Return a browser in which user1 is logged in at the provider."""
    browser = Browser(provider)
    assert browser.submit(THERE, username="user1", password="pass1").status == 200
    return browser


def agreed(browser):
    """Say yes at the provider; return the parameters with which it sends the browser back."""
    return parameters(browser.submit(THERE, decision="yes"))


def parameters(answer):
    """Return the parameters of the address to which an answer sends the browser."""
    query = urlsplit(answer.header("Location") or "").query
    return {name: value for name, (value,) in parse_qs(query).items()}


def redeem(provider, code):
    """Return the provider's answer to a client that brings a code."""
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK}
    return provider.post("/token", basic=CLIENT, form={**form, "code_verifier": VERIFIER})


def userinfo(provider, token):
    """Return the status with which the provider answers an access token."""
    return provider.get("/userinfo", bearer=token).status


def test_provider_rotates_once_for_many(provider):
    """Of many requests when a key is due, one makes it; the key that signs was published before."""
    before = [key["kid"] for key in provider.get("/jwks").json()["keys"]]
    provider.set_clock(86_400 + 60)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: provider.get("/jwks"), range(8)))
    after = [key["kid"] for key in provider.get("/jwks").json()["keys"]]
    assert after[1:] == before


def test_code_ends_with_its_login(provider):
    """Who logs out at the provider before a code is redeemed is logged in nowhere by it."""
    browser = visitor(provider)
    code = agreed(browser)["code"]
    browser.submit("/end_session")
    assert redeem(provider, code).json()["error"] == "invalid_grant"


def test_code_that_comes_again(provider):
    """A code that is used twice may be stolen: the token that it brought ends (RFC 6749 4.1.2)."""
    browser = visitor(provider)
    first, other = (redeem(provider, agreed(browser)["code"]).json() for _ in range(2))
    code = agreed(browser)["code"]
    token = redeem(provider, code).json()["access_token"]
    assert userinfo(provider, token) == 200
    assert redeem(provider, code).status == 400
    assert userinfo(provider, token) == 401
    assert {userinfo(provider, one["access_token"]) for one in (first, other)} == {200}


@pytest.mark.parametrize("where", ["address", "form"])
def test_token_for_an_api_that_the_site_may_not_use(provider, where):
    """A site gets no token for an API that it is not known to use, wherever it names it."""
    browser = visitor(provider)
    for api, error in (API, None), ("http://bank.example/api", "invalid_target"):
        named = {"resource": api}
        query, form = (named, {}) if where == "address" else ({}, named)
        csrf = browser.get(THERE).text.split('name="csrf" value="')[1].split('"')[0]
        answer = browser.post(
            f"{THERE}&{urlencode(query)}", form={"csrf": csrf, "decision": "yes", **form}
        )
        assert parameters(answer).get("error") == error


@pytest.mark.parametrize("page", [THERE, "/end_session"])
def test_form_of_another_origin(provider, page):
    """Its forms count only from its own pages: another port of this machine is another site."""
    browser = visitor(provider)
    csrf = browser.get(page).text.split('name="csrf" value="')[1].split('"')[0]
    form, other = {"csrf": csrf, "decision": "yes"}, {"Origin": "http://localhost:9999"}
    assert browser.post(page, form=form, headers=other).status == 400
    assert browser.post(page, form=form).status in (200, 302)


@pytest.mark.parametrize("who", ["app", "provider"])
def test_log_of_everything(tmp_path, who):
    """At DEBUG, where libraries write what they do, no secret and no token is in the log."""
    shutil.copytree(LESSONS / "08_oidc", tmp_path / "it", ignore=lambda *_: ["instance"])
    file = tmp_path / "it" / f"{who}.py"
    file.write_text(DEBUG + file.read_text("utf-8"), "utf-8")
    if who == "app":
        with Lesson("08", file, **settings()) as app:
            logged_in(app)
            secrets = {CLIENT[1], liar().redeemed[-1]["code_verifier"], *liar().tokens[-2:]}
            log = everything(app)
    else:
        with Lesson("08", file, ISSUER="http://localhost:5018") as provider:
            token = redeem(provider, agreed(visitor(provider))["code"]).json()
            secrets = {"pass1", CLIENT[1], VERIFIER, token["access_token"], token["id_token"]}
            log = everything(provider)
    assert "DEBUG" in log
    assert not [one for one in secrets if one in log]


def everything(target):
    """Return the log, with all that came before this."""
    target.get("/the-end-of-the-log")
    assert target.printed("/the-end-of-the-log")
    return target.log


def test_provider_that_offers_no_logout(app):
    """Where the provider has no address for a logout, the session ends, and the browser stays."""
    with liar().telling(metadata={"end_session_endpoint": None}):
        browser = logged_in(app)
        assert greeted(browser) == "Ann"
        answer = browser.submit("/", to="/logout")
    assert answer.status == 303 and answer.header("Location").endswith("/public")
    assert not greeted(browser)


def test_code_that_breaks_the_request(app):
    """A code that the provider calls an invalid request is the browser's fault, not its own."""
    asked = liar().counts
    logged_in(app)
    before = asked["/.well-known/openid-configuration"]
    with liar().telling(answers={"/token": '{"error": "invalid_request"}'}):
        browser = Browser(app)
        assert browser.get(begun(app, browser)).status == 400
    assert greeted(logged_in(app)) == "Ann"
    assert asked["/.well-known/openid-configuration"] == before


def test_api_under_a_name_beyond_ascii():
    """The API's challenge is right under any name that the server may have."""
    with Lesson("08", "beyond", **settings()) as api:
        asked = request(b"GET", b"/api").replace(b"Host: 127.0.0.1", b"Host: xn--e1afmkfd.xn--p1ai")
        (answer,) = send(api.port, asked)
        assert answer.status == 401
        assert b"//xn--e1afmkfd.xn--p1ai/.well-known/" in answer.header(b"WWW-Authenticate")


class Recorder(Browser):
    """A browser that writes down who asks whom for what, as a diagram of the login has it.

    What the app asks its provider meanwhile stands in the provider's log.
    """

    def __init__(self, app, name, provider, record):
        super().__init__(app)
        self.name, self.provider, self.record = name, provider, record

    def send(self, method, target="/", **how):
        self.since_last()
        self.record.append(("B", self.name, method, urlsplit(target).path))
        answer = super().send(method, target, **how)
        asked = self.since_last()
        if self.name == "A":
            self.record += [("A", "P", *one) for one in asked]
        if place := answer.header("Location"):
            self.record.append((self.name, "B", str(answer.status), urlsplit(place).path))
        return answer

    def since_last(self):
        """Return what the provider was asked for since the last call: method and path."""
        mark = f"/mark-{self.provider.log.count('/mark-')}"
        self.provider.get(mark)
        assert self.provider.printed(f"{mark} HTTP")
        part = self.provider.log.split("/mark-")[-2]
        return re.findall(r"(GET|POST) (/[^ ?]*)\S* HTTP", part)


def arrows(text):
    """Return the arrows of a diagram that are requests or redirects, as Recorder has them."""
    (diagram,) = re.findall(r"```mermaid\n(.*?)```", text, re.S)
    asked = r"(\w)->>(\w): (?:(GET|POST) |(30\d) to [^/\n]*)(/[^?,\s]*)"
    return [(a, b, one or two, path) for a, b, one, two, path in re.findall(asked, diagram)]


def test_diagrams_follow_a_login():
    """The arrows of both diagrams come in the order of what is sent in a login, over HTTP."""
    record = []
    with Lesson("08") as app:
        here = Recorder(app, "A", app.provider, record)
        there = Recorder(app.provider, "P", app.provider, record)
        page = there.get(here.get("/login").header("Location"))
        typed = ({"username": "user1", "password": "pass1"}, {"decision": "yes"})
        for values in typed:
            (form,) = forms_of(page)
            page = there.post(form.action, form={**form.fields, **values})
        here.get(here.get(page.header("Location")).header("Location"))
    notebook = "".join("".join(cell["source"]) for cell in cells.read(find_notebook("08")))
    assert arrows(notebook) == record
    told = [one for one in record if one[2:] != ("POST", "/authorize")]  # in the README a note
    assert arrows((LESSONS / "08_oidc" / "README.md").read_text("utf-8")) == told[:-1]
