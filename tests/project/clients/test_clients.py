"""Clients that nobody here wrote, against every lesson's app.py over a real socket.

Each gets in with right credentials, is refused with wrong ones, and sends what the notebook shows;
a relay between the two writes down what really travels. docs/clients.md shows what was seen as a
table; LEARN_TABLE=1 writes it anew. A client that is not installed is skipped by its name.
"""

import json
import re
from base64 import b64encode
from urllib.parse import urlencode

import clients
import pytest
from relay import Relay
from werkzeug.datastructures import Authorization

from learn import Lesson
from learn.running.ending import free_port

pytestmark = pytest.mark.rest  # eleven clients take their time

USER1 = {"user": "user1", "password": "pass1"}
WRONG = {"user": "user1", "password": "no"}
BY_HAND = "no Digest: the program would have to compute it"

# What is expected of each client, which is what it does:
# basic: whether it sends credentials at once, or only after it was asked;
# digest: the algorithm that it chooses, or why it can't;
# times: how often it sends a wrong password before it gives up;
# cookies: whether it keeps them, if it is told to, so that it can log in by forms.
EXPECTED = {
    "curl": {"basic": "at once", "digest": "SHA-256", "times": 1, "cookies": True},
    "wget": {"basic": "when asked", "digest": "MD5", "times": 1, "cookies": True},
    "HTTPie": {"basic": "at once", "digest": "SHA-256", "times": 1, "cookies": True},
    "urllib": {
        "basic": "when asked",
        "digest": "stops at the first challenge: Unsupported digest authentication algorithm",
        "times": 1,
        "cookies": True,
    },
    "requests": {"basic": "at once", "digest": "MD5", "times": 1, "cookies": True},
    "httpx2": {"basic": "at once", "digest": "SHA-256", "times": 1, "cookies": True},
    "aiohttp": {"basic": "at once", "digest": "SHA-256", "times": 1, "cookies": True},
    "fetch": {"basic": "at once", "digest": BY_HAND, "times": 1, "cookies": False},
    "undici": {"basic": "at once", "digest": BY_HAND, "times": 1, "cookies": False},
    "HttpClient": {
        "basic": "when asked",
        "digest": "knows Basic only",
        "times": 4,
        "cookies": True,
    },
    "HttpURLConnection": {"basic": "when asked", "digest": "MD5", "times": 19, "cookies": True},
}
OF = {
    "fetch": "Node",
    "undici": "Node",
    "HttpClient": "Java",
    "HttpURLConnection": "Java",
    "urllib": "Python",
    "requests": "Python",
    "httpx2": "Python",
    "aiohttp": "Python",
}


@pytest.fixture(scope="module", params=list(EXPECTED))
def client(request):
    try:
        client = clients.CLIENTS[request.param]()
    except clients.Missing as missing:
        pytest.skip(f"{missing}; docs/clients.md says how to install it")
    yield client
    client.stop()


@pytest.fixture(scope="module")
def lessons():
    """Start each lesson when it is first asked for, with a relay before it."""
    running = {}

    def lesson(number):
        if number not in running:
            app = Lesson(number)
            running[number] = app, Relay(app.port)
        app, relay = running[number]
        relay.take()
        return app, relay

    yield lesson
    for app, relay in running.values():
        relay.stop()
        app.stop()


def basic(pair):
    return "Basic " + b64encode(f"{pair['user']}:{pair['password']}".encode()).decode()


def authorizations(relay):
    return [sent.headers.get("Authorization") for sent in relay.take()]


def expected_of_basic(client, pair, times=1):
    """Return the Authorization headers that a client should send, request by request."""
    first = [None] if EXPECTED[client.name]["basic"] == "when asked" else []
    return [*first, *[basic(pair)] * times]


def refused(client, status):
    """Whether a client's result is a refusal; Java's HttpClient reports it as an exception."""
    return status == 401 or (client.name == "HttpClient" and status == 0)


def test_hashing(client, lessons):
    """A form logs in with the right password, and is refused with a wrong one."""
    _, relay = lessons("01")
    for password, status in (("pass1", 200), ("no", 403)):
        form = urlencode({"username": "user1", "password": password})
        got, body = client.send(method="POST", url=relay.url + "/login", scheme="none", body=form)
        assert got == status and body.strip() == (
            "Hello, user1!" if status == 200 else "User name or password is wrong."
        )
        (sent,) = relay.take()
        assert sent.headers.get_content_type() == "application/x-www-form-urlencoded"
        assert sent.method == "POST" and sent.body.decode() == form


def test_basic(client, lessons):
    """Basic: base64 of name and password travels, at once or after the challenge."""
    _, relay = lessons("02")
    where = {"method": "GET", "url": relay.url + "/", "scheme": "basic"}
    status, body = client.send(**where, **USER1)
    assert (status, body.strip()) == (200, "Hello, user1!")
    assert authorizations(relay) == expected_of_basic(client, USER1)
    status, _ = client.send(**where, **WRONG)
    assert refused(client, status)
    times = EXPECTED[client.name]["times"]
    assert authorizations(relay) == expected_of_basic(client, WRONG, times)


def test_digest(client, lessons):
    """Digest: the challenge is answered, and the password never travels; or the client can't."""
    _, relay = lessons("03")
    expected = EXPECTED[client.name]["digest"]
    where = {"method": "GET", "url": relay.url + "/account?a=1", "scheme": "digest"}
    status, body = client.send(**where, **USER1)
    first, *later = relay.take()
    assert "Authorization" not in first.headers
    if expected not in ("SHA-256", "MD5"):
        assert status in (0, 401) and not later
        assert expected in (BY_HAND, "knows Basic only") or expected.partition(": ")[2] in body
        return
    assert (status, body.strip()) == (200, "Hello, user1!")
    (answer,) = later
    assert "pass1" not in str(answer.headers)
    sent = Authorization.from_header(answer.headers["Authorization"])
    assert sent.type == "digest" and sent.algorithm == expected and sent.qop == "auth"
    assert sent.username == "user1" and sent.uri == "/account?a=1" == answer.target
    assert sent.nc == "00000001" and sent.cnonce and sent.nonce and sent.opaque
    assert len(sent.response) == {"SHA-256": 64, "MD5": 32}[expected]
    status, _ = client.send(**where, **WRONG)
    assert refused(client, status)
    wrong = [one for one in authorizations(relay) if one]
    assert len(wrong) == EXPECTED[client.name]["times"]
    assert all(one.startswith("Digest ") for one in wrong)


def test_jwt(client, lessons):
    """A token is fetched with Basic credentials and sent as Bearer; a damaged one is refused."""
    _, relay = lessons("04")
    url, get = relay.url, {"method": "GET", "scheme": "bearer"}
    status, body = client.send(method="POST", url=f"{url}/login", scheme="basic", **USER1)
    token = json.loads(body)["access_token"]
    assert status == 200 and authorizations(relay) == expected_of_basic(client, USER1)
    status, body = client.send(url=f"{url}/secured", token=token, **get)
    assert (status, body.strip()) == (200, "Hello, user1!")
    assert authorizations(relay) == [f"Bearer {token}"]
    head, _, signature = token.rpartition(".")
    status, _ = client.send(url=f"{url}/secured", token=f"{head}.{signature[::-1]}", **get)
    assert status == 401
    status, _ = client.send(method="POST", url=f"{url}/login", scheme="basic", **WRONG)
    assert refused(client, status)


def test_otp(client):
    """A PIN is asked for, read and sent in the header OTP; a wrong one is refused."""
    with Lesson("05") as app:
        relay = Relay(app.port)
        get = {"method": "GET", "url": relay.url + "/", "scheme": "basic", **USER1}
        status, _ = client.send(**{**get, "method": "POST", "url": relay.url + "/pin"})
        assert status == 202 and authorizations(relay) == expected_of_basic(client, USER1)
        (pin,) = app.printed(r"PIN is (\d{6})")
        status, body = client.send(**get, otp=pin)
        assert (status, body.strip()) == (200, "Hello, user1!")
        sent = relay.take()
        assert {one.headers["OTP"] for one in sent} == {pin}
        assert sent[-1].headers["Authorization"] == basic(USER1)
        status, _ = client.send(**get, otp=pin)  # it works once
        # A client that tries again by itself uses up the five tries, and is told to wait.
        stubborn = EXPECTED[client.name]["times"] > 5
        assert status == 429 if stubborn else refused(client, status)
        relay.stop()


def field(page, name="csrf"):
    return re.search(rf'name="{name}" value="([^"]+)"', page)[1]


def test_sessions(client, lessons):
    """A form lets in whoever keeps the cookie, and logs out; who keeps none is told so."""
    _, relay = lessons("06")
    site = f"http://localhost:{relay.port}"

    def browse(path, **form):
        how = {"method": "POST", "body": urlencode(form)} if form else {"method": "GET"}
        return client.send(url=site + path, scheme="browse", **how)[1]

    token = field(browse("/login"))
    page = browse("/login", csrf=token, username="user1", password="pass1")
    if not EXPECTED[client.name]["cookies"]:
        assert "came without its cookie" in page
        return
    assert "Hello, user1!" in page and "Hello, user1!" in browse("/")
    sent = relay.take()
    assert sent[0].headers["Cookie"] is None and sent[1].headers["Cookie"].count("lesson06=") == 1
    page = browse("/logout", csrf=field(page))
    assert "Hello" not in page and "Hello" not in browse("/")


def test_oidc(client):
    """Who keeps cookies and follows redirects can go to a provider and back, form by form."""
    here, there = free_port(), free_port()
    relay = Relay(there)  # its targets are the addresses at which a browser would be
    issuer = f"http://localhost:{relay.port}"
    app = f"http://localhost:{here}"
    with (
        Lesson("08", "provider", port=there, ISSUER=issuer, CLIENT=app),
        Lesson("08", port=here, ISSUER=issuer),
    ):

        def browse(url, **form):
            how = {"method": "POST", "body": urlencode(form)} if form else {"method": "GET"}
            return client.send(url=url, scheme="browse", **how)[1]

        page = browse(f"{app}/")
        (at, *_) = [one.target for one in relay.take() if one.target.startswith("/authorize?")]
        page = browse(issuer + at, csrf=field(page), username="user1", password="pass1")
        if not EXPECTED[client.name]["cookies"]:
            assert "came without its cookie" in page
            return
        page = browse(issuer + at, csrf=field(page), decision="yes")
        assert "Hello, user1!" in page and "Hello, user1!" in browse(f"{app}/")
    relay.stop()


def row(name):
    expected = EXPECTED[name]
    able = expected["digest"] in ("SHA-256", "MD5")
    digest = expected["digest"] if able else f"no: {expected['digest']}"
    label = f"{OF[name]}: `{name}`" if name in OF else f"`{name}`"
    once = {1: "once"}.get(expected["times"], f"{expected['times']} times")
    cookies = "yes" if expected["cookies"] else "no: keeps no cookies"
    cells = [label, "yes", expected["basic"], digest, "yes", "yes", cookies, cookies, once]
    return f"| {' | '.join(cells)} |"


def table():
    """Return what is expected of each client, as Markdown."""
    lines = ["| client | 01 form | 02 Basic | 03 Digest | 04 Bearer | 05 Basic and OTP | 06 form"]
    lines[0] += " and cookie | 08 provider | a wrong password is sent |"
    lines += ["|" + "---|" * 9, *map(row, EXPECTED)]
    always = "yes | when asked | SHA-256 | yes | yes | yes | yes | asks again each time"
    lines += [f"| Chromium | {always} |"]
    return "\n".join(lines)


def test_every_client_is_expected():
    """No client is left out of the table."""
    assert list(EXPECTED) == list(clients.CLIENTS)


def test_table_is_current():
    """docs/clients.md shows what the tests above expect, and see."""
    clients.hold_table("client", table())
