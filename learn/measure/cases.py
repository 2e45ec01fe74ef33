"""What is measured: each application, and what it is asked."""

from __future__ import annotations

import json
import sqlite3
import time
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import urlencode

import httpx2

from ..running.authenticator import Authenticator
from ..running.browser import Browser, forms_of
from ..running.client import Client, digest_answer

HERE = Path(__file__).parent
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
COUNTS = 8_000  # so many Digest answers are computed for each second, each with its own nc
PASSKEYS = 1_500  # and so many of a passkey's, each to a challenge of its own
CODES = 150  # and so many codes of lesson 08's provider, each for a login of its own
GROWTH = (10, 1_000, 100_000)


@dataclass(frozen=True)
class Request:
    """One request; `raw` is how it travels."""

    method: str = "GET"
    target: str = "/"
    headers: dict[str, str] | None = None
    body: str = ""

    def raw(self, port: int) -> bytes:
        headers = {"Host": f"127.0.0.1:{port}", **(self.headers or {})}
        if self.body:
            headers["Content-Length"] = str(len(self.body))
        lines = [f"{self.method} {self.target} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return ("\r\n".join([*lines, "", self.body])).encode()


@dataclass(frozen=True)
class Case:
    """One application and what it is asked.

    requests: a function of the running Lesson and of a number of seconds; returns the requests for
    them. expect: the status of each answer. base: the case it is compared with. login: one client
    at a time, and what counts is how much of the time is the hash; the name of that in passlib.
    others: it runs in the environment of tests/project/requirements-others.txt. rows: fills the
    database anew before each load.
    """

    name: str
    lesson: str
    file: str | Path
    requests: Callable[[Client, float], list[Request]]
    expect: int = 200
    quick: bool = False
    base: str = "bare Flask"
    login: str = ""
    others: bool = False
    rows: Callable[[sqlite3.Connection], None] | None = None


def basic(user="user1", password="pass1"):  # noqa: S107
    """Return the header of Basic credentials."""
    return {"Authorization": "Basic " + b64encode(f"{user}:{password}".encode()).decode()}


def same(request: Request):
    """The same request, over and over; sent once before the load, so that it's a later one."""

    def requests(app, seconds):
        httpx2.request(
            request.method,
            f"http://127.0.0.1:{app.port}{request.target}",
            headers=request.headers,
            content=request.body,
            trust_env=False,
            timeout=60,
        )
        return [request]

    return requests


def digest(target: str):
    """Answers to one challenge, each with a new nc, and the cookies that came with it."""

    def requests(app, seconds):
        asked = app.get(target)
        challenge = asked.challenge()
        cookies = SimpleCookie()
        for value in asked.headers("Set-Cookie"):
            cookies.load(value)
        cookie = "; ".join(f"{name}={morsel.value}" for name, morsel in cookies.items())
        answer = partial(digest_answer, challenge, "user1", "pass1", target)
        more = {"Cookie": cookie} if cookie else {}
        return [
            Request("GET", target, {"Authorization": answer(nc=nc), **more})
            for nc in range(1, int(COUNTS * seconds) + 1)
        ]

    return requests


def bearer(how):
    """A token from /login in every request: in a header, or as naive.py takes it."""

    def requests(app, seconds):
        if how == "naive":
            token = app.get("/login", basic=("user1", "secret")).json()["token"]
            return [Request("GET", f"/secured?token={token}")]
        answer = app.post("/login", basic=("user1", "pass1"))
        token = answer.json()["access_token"]
        return [Request("GET", "/secured", {"Authorization": f"Bearer {token}"})]

    return requests


def login_form(user="user1", password="pass1"):  # noqa: S107
    """A login by lesson 01's form."""
    return same(
        Request("POST", "/login", FORM, urlencode({"username": user, "password": password}))
    )


def code(app, seconds):
    """Both factors, as naive.py takes them: the code of now, again and again."""
    import pyotp

    uri = app.post("/enroll", basic=("user1", "pass1")).json()["otpauth_uri"]
    return [Request("GET", "/", {**basic(), "OTP": pyotp.parse_uri(uri).now()})]


def session(app, seconds):
    """The cookie of a session that was begun by the form, in every request."""
    browser = Browser(app)
    browser.submit("/login", username="user1", password="pass1")
    return [Request("GET", "/", cookie_of(browser))]


def session_login(app, seconds):
    """A login by lesson 06's form, with the cookie and the hidden field that belong together."""
    browser = Browser(app)
    (form,) = forms_of(browser.get("/login"))
    body = urlencode(form.fields | {"username": "user1", "password": "pass1"})
    return [Request("POST", "/login", FORM | cookie_of(browser), body)]


def passkey(app) -> tuple[Browser, Authenticator]:
    """Return a browser and a device with a passkey of user1's, whose counter stays 0."""
    browser, phone = Browser(app), Authenticator(app.origin, counts=False)
    options = browser.post("/register/options", basic=("user1", "pass1")).json()
    browser.post("/register", json_body=phone.create(options))
    return browser, phone


def passkey_session(app, seconds):
    """The cookie of a session that was begun with a passkey, in every request."""
    browser, phone = passkey(app)
    browser.post("/login", json_body=phone.get(browser.post("/login/options").json()))
    return [Request("GET", "/secured", cookie_of(browser))]


def passkey_login(app, seconds):
    """Logins with one passkey, each in a browser of its own, which had its challenge before."""
    _, phone = passkey(app)
    requests = []
    with httpx2.Client(base_url=app.origin, trust_env=False, timeout=60) as client:
        for _ in range(int(PASSKEYS * seconds)):
            asked = client.post("/login/options")
            cookies = "; ".join(f"{name}={value}" for name, value in asked.cookies.items())
            client.cookies.clear()
            headers = {"Content-Type": "application/json", "Cookie": cookies}
            body = json.dumps(phone.get(asked.json()))
            requests.append(Request("POST", "/login", headers, body))
    return requests


def at_the_provider(app) -> Browser:
    """Return a browser in which user1 has logged in at lesson 08's provider."""
    browser, there = Browser(app), Browser(app.provider)
    address = browser.get("/login").header("Location")
    there.submit(address, username="user1", password="pass1")
    return there


def allowed(there: Browser, browser: Browser) -> str:
    """Return where the provider sends a browser that begins a login, when its user says yes."""
    address = browser.get("/login").header("Location")
    return there.submit(address, decision="yes").header("Location")


def provider_session(app, seconds):
    """The cookie of a session that was begun at the provider, in every request."""
    browser = Browser(app)
    browser.get(allowed(at_the_provider(app), browser))
    return [Request("GET", "/", cookie_of(browser))]


def provider_login(app, seconds):
    """What the provider sends browsers back with, each with the cookie of its own login."""
    there, requests = at_the_provider(app), []
    for _ in range(int(CODES * seconds)):
        browser = Browser(app)
        back = allowed(there, browser).removeprefix(app.origin)
        headers = {"Host": browser.host, **cookie_of(browser)}
        requests.append(Request("GET", back, headers))
    return requests


def cookie_of(browser: Browser) -> dict[str, str]:
    """Return the header with a browser's cookies."""
    return {"Cookie": "; ".join(f"{name}={value}" for name, value in browser.cookies.items())}


BARE = "bare Flask"
CASES = [
    Case(BARE, "01", HERE / "peers" / "bare.py", same(Request()), quick=True),
    Case("02 naive.py", "02", "naive", same(Request(headers=basic()))),
    Case("02 app.py", "02", "app", same(Request(headers=basic())), quick=True),
    Case(
        "httpbin, Basic", "02", HERE / "peers" / "httpbin_app.py",
        same(Request("GET", "/basic-auth/user1/pass1", basic())), others=True,
    ),
    Case("03 naive.py", "03", "naive", digest("/")),
    Case("03 app.py", "03", "app", digest("/"), quick=True),
    Case(
        "httpbin, Digest", "03", HERE / "peers" / "httpbin_app.py",
        digest("/digest-auth/auth/user1/pass1/SHA-256"), others=True,
    ),
    Case("04 naive.py", "04", "naive", bearer("naive")),
    Case("04 app.py", "04", "app", bearer("app"), quick=True),
    Case(
        "Flask-JWT-Extended", "04", HERE / "peers" / "jwt_extended.py", bearer("app"),
        others=True,
    ),
    Case("05 naive.py", "05", "naive", code),
    Case("06 naive.py", "06", "naive", session),
    Case("06 app.py", "06", "app", session, quick=True),
    Case("07 naive.py", "07", "naive", passkey_session),
    Case("07 app.py", "07", "app", passkey_session, quick=True),
    Case("07 app.py, options", "07", "app", same(Request("POST", "/login/options"))),
    Case("07 app.py, login", "07", "app", passkey_login),
    Case("08 naive.py", "08", "naive", provider_session),
    Case("08 app.py", "08", "app", provider_session, quick=True),
    Case("08 app.py, login", "08", "app", provider_login, expect=303),
    Case("01 naive.py, login", "01", "naive", login_form(), login="custom_app_context"),
    Case("01 app.py, login", "01", "app", login_form(), quick=True, login="argon2"),
    Case(
        "02 app.py, wrong password", "02", "app", same(Request(headers=basic("user1", "no"))),
        expect=401, login="argon2",
    ),
    Case(
        "04 app.py, login", "04", "app", same(Request("POST", "/login", basic())), login="argon2",
    ),
    Case(
        "05 app.py, password alone", "05", "app", same(Request(headers=basic())),
        expect=401, login="argon2",
    ),
    Case("06 app.py, login", "06", "app", session_login, expect=303, login="argon2"),
]  # fmt: skip


def growth_cases() -> list[Case]:
    """Return what should not grow with the number of users, nonces, revoked tokens, sessions."""
    cases = []
    now = time.time()

    def rows(old, new, row):
        """Return a function that puts so many rows: those of before go, as a load adds some."""

        def put(count, connection):
            connection.execute(old)
            connection.executemany(new, map(row, range(count)))

        return put

    users = rows(
        "DELETE FROM users WHERE name LIKE 'someone%'",
        "INSERT INTO users SELECT ?, hash, 0 FROM users WHERE name = 'user2'",
        lambda number: [f"someone{number}"],
    )
    nonces = rows(
        "DELETE FROM counts",
        "INSERT INTO counts VALUES (?, ?, 1)",
        lambda number: [now - number % 300, f"nonce{number}"],
    )
    tokens = rows(
        "DELETE FROM revoked",
        "INSERT INTO revoked VALUES (?, ?)",
        lambda number: [f"token{number}", now + 10_000],
    )
    sessions = rows(
        "DELETE FROM sessions",
        "INSERT INTO sessions VALUES (?, 'user2', ?, ?, 'A browser')",
        lambda number: [f"digest{number}", now, now],
    )

    challenges = rows(
        "DELETE FROM challenges",
        "INSERT INTO challenges VALUES (?, ?, 'login', NULL, ?)",
        lambda number: [f"challenge{number}".encode(), f"digest{number}", now + 10_000],
    )
    accounts = rows(
        "DELETE FROM accounts WHERE issuer = 'https://example.com'",
        "INSERT INTO accounts (issuer, sub, name) VALUES ('https://example.com', ?, 'Ann')",
        lambda number: [f"someone{number}"],
    )

    for count in GROWTH:
        for lesson, what, requests, put in (
            ("02", "users", same(Request(headers=basic())), users),
            ("03", "used nonces", digest("/"), nonces),
            ("04", "revoked tokens", bearer("app"), tokens),
            ("06", "sessions", session, sessions),
            ("07", "challenges", same(Request("POST", "/login/options")), challenges),
            ("08", "accounts", provider_session, accounts),
        ):
            base = f"{lesson} app.py, {GROWTH[0]} {what}"
            name = f"{lesson} app.py, {count} {what}"
            cases.append(Case(name, lesson, "app", requests, base=base, rows=partial(put, count)))
    return cases
