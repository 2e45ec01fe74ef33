"""Lesson 08 with requests, answers and tokens that nobody thought of: nobody is let in by them.

Hypothesis makes them: of each kind a hundred and fifty, the same in every run; `--long` sends a
thousand others. What a provider says is as odd as what a browser brings, so the workbench's own is
made to say it. provider.py is asked in the same way.
"""

import json
from urllib.parse import quote_from_bytes, urlsplit

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from wire import request, send

from learn import Browser, Lesson, Provider

pytestmark = pytest.mark.rest
EASY, LONG = 150, 1_000
CLIENT = ("fuzzed", "secret-of-the-fuzz")
FORM = b"Content-Type: application/x-www-form-urlencoded"

text = st.text(max_size=12) | st.sampled_from(["", "none", "user1", "A" * 300, "1", "\0", "=", "%"])
plain = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | text
odd = st.recursive(
    plain,
    lambda some: st.lists(some, max_size=3) | st.dictionaries(text, some, max_size=3),
    max_leaves=5,
)
raw = st.binary(max_size=12) | text.map(lambda one: one.encode("utf-8", "surrogatepass"))
header = st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=20)
RIGHT = "what is right there"

CLAIMS = ["iss", "sub", "aud", "azp", "exp", "iat", "nbf", "nonce", "sid", "name", "auth_time", "x"]
HEADER = ["alg", "kid", "typ", "crit", "jku", "jwk", "x5c", "b64", "zip", "enc", "x"]
METADATA = ["issuer", "authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint"]
METADATA += ["end_session_endpoint", "authorization_response_iss_parameter_supported"]
METADATA += ["id_token_signing_alg_values_supported", "token_endpoint_auth_methods_supported"]
TOKEN = ["id_token", "access_token", "token_type", "expires_in", "refresh_token", "error", "scope"]
PLACES = {"claims": CLAIMS, "header": HEADER, "metadata": METADATA, "token": TOKEN}
PLACES |= {"userinfo": ["sub", "name", "email", "email_verified", "x"]}
PATHS = ["/.well-known/openid-configuration", "/token", "/jwks", "/userinfo"]


def fuzz(long, *strategies, **more):
    """Run a function of what the strategies make, many times."""

    def run(one):
        many = settings(
            max_examples=LONG if long else EASY,
            derandomize=not long,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        )
        many(given(*strategies, **more)(one))()

    return run


@pytest.fixture
def long(request):
    return request.config.getoption("--long")


@pytest.fixture
def pair():
    """The app and a provider that says what it is told to."""
    with Provider(CLIENT) as provider:
        about = {"ISSUER": provider.issuer, "CLIENT_ID": CLIENT[0], "CLIENT_SECRET": CLIENT[1]}
        with Lesson("08", **about) as app:
            yield app, provider
            assert app.alive and "Traceback" not in app.log, app.own_lines()


def begin(app, provider):
    """Begin a login; return the browser, and where the provider sends it."""
    browser = Browser(app)
    answer = browser.get("/login")
    assert answer.status in (302, 503), answer.text
    return browser, provider.authorize(answer.header("Location") or "")


def come_back(browser, back):
    parts = urlsplit(back)
    return browser.get(f"{parts.path or '/callback'}?{parts.query}")


def forget(app, provider):
    """Let the app forget the provider's document and keys: it does after any nonsense."""
    with provider.telling(answers={"/token": 500}):
        assert come_back(*begin(app, provider)).status == 503


def is_in(browser):
    return browser.get("/").status == 200


def test_what_a_provider_says(pair, long):
    """Any member of any answer may be anything: 400 or 503, or a login as who is named in it."""
    app, provider = pair
    where = st.sampled_from([(place, name) for place, names in PLACES.items() for name in names])
    seen = set()

    @fuzz(long, where, odd)
    def told(where, value):
        place, name = where
        if place == "metadata":
            forget(app, provider)
        with provider.telling(**{place: {name: value}}):
            browser, back = begin(app, provider)
            answer = come_back(browser, back)
        assert answer.status in (303, 400, 503), (where, value, answer.text)
        seen.add(answer.status)
        if answer.status == 303:
            assert place != "claims" or name not in ("iss", "aud", "nonce") or value == CLIENT[0]
            account = app.rows("SELECT * FROM accounts ORDER BY id DESC")[0]
            assert account["issuer"] == provider.issuer and isinstance(account["sub"], str)
        assert is_in(browser) == (answer.status == 303)

    assert seen == {303, 400, 503}
    assert come_back(*begin(app, provider)).status == 303  # and what was said is forgotten


def test_what_is_no_answer_of_a_provider(pair, long):
    """A provider may answer anything at all, with any status."""
    app, provider = pair
    bodies = text | odd.map(json.dumps) | st.sampled_from(["{" * 2000, "[" * 100_000, "\ufeff{}"])
    said = bodies | st.sampled_from([204, 301, 400, 401, 404, 500, 503])

    @fuzz(long, st.sampled_from(PATHS), said)
    def answered(path, said):
        forget(app, provider)
        with provider.telling(answers={path: said}):
            browser, back = begin(app, provider)
            answer = come_back(browser, back)
        assert answer.status in (400, 503), (path, said, answer.text)
        assert not is_in(browser)

    assert come_back(*begin(app, provider)).status == 303


def test_what_a_browser_brings(pair, long):
    """Whatever comes to /callback, with whatever cookie, lets nobody in who did not log in."""
    app, provider = pair
    names = st.sampled_from(["code", "state", "iss", "error", "error_description", "id_token"])
    pairs = st.tuples(names, st.just(RIGHT) | raw)
    whole = st.just([("code", RIGHT), ("state", RIGHT), ("iss", RIGHT)])
    seen = set()

    @fuzz(long, whole | st.lists(pairs, max_size=6), st.just(RIGHT) | header)
    def brought(pairs, cookie):
        browser, back = begin(app, provider)
        right = dict(one.split("=", 1) for one in urlsplit(back).query.split("&"))
        query = "&".join(
            f"{name}={right.get(name, 'access_denied') if v is RIGHT else quote_from_bytes(v)}"
            for name, v in pairs
        )
        own = f"lesson08={browser.cookies['lesson08']}" if cookie is RIGHT else cookie
        sent = request(
            b"GET", f"/callback?{query}".encode(), b"Cookie: " + own.strip().encode("latin-1")
        )
        sent = sent.replace(b"Host: 127.0.0.1", f"Host: {browser.host}".encode())
        (answer,) = send(app.port, sent)
        seen.add(answer.status)
        first = dict(reversed(pairs))
        denied = first.get("error") in (RIGHT, b"access_denied")
        good = cookie is RIGHT and not denied and {first.get(n) for n, _ in whole_of()} == {RIGHT}
        assert answer.status == (303 if good else 400), (answer, sent)

    assert seen == {303, 400}


def whole_of():
    return [("code", RIGHT), ("state", RIGHT), ("iss", RIGHT)]


def test_what_comes_as_a_logout_token(pair, long):
    """Whatever is sent as a logout token: 400, or 200 and it names who is logged out."""
    app, provider = pair
    person, back = begin(app, provider)
    assert come_back(person, back).status == 303
    claims = st.sampled_from([*CLAIMS, "events", "jti"])
    changed = st.tuples(st.just("claims"), claims, odd)
    headers = st.tuples(st.just("header"), st.sampled_from(HEADER), odd)
    signed = st.tuples(st.just("sign"), st.sampled_from(["none", "HS256", "stranger", "forged"]))
    seen = set()

    @fuzz(long, changed | headers | signed | st.tuples(st.just("raw"), raw))
    @example(("claims", "x", None))
    def logged_out(what):
        nonlocal person
        kind, *more = what
        if kind == "raw":
            token = more[0]
        elif kind == "sign":
            token = provider.logout_token(sign=more[0]).encode()
        elif kind == "header":
            token = provider.logout_token(header={more[0]: more[1]}).encode()
        else:
            token = provider.logout_token(**{more[0]: more[1]}).encode()
        body = b"logout_token=" + quote_from_bytes(token).encode()
        (answer,) = send(app.port, request(b"POST", b"/backchannel-logout", FORM, body=body))
        assert answer.status in (200, 400), (what, answer)
        assert answer.status == 400 or kind in ("claims", "header")
        seen.add(answer.status)
        if answer.status == 400:
            assert is_in(person), what
        elif not is_in(person):
            person, back = begin(app, provider)
            come_back(person, back)

    assert seen == {200, 400}


ASKED = ["response_type", "client_id", "redirect_uri", "scope", "state", "nonce", "prompt"]
ASKED += ["code_challenge", "code_challenge_method", "resource", "response_mode", "max_age"]
ASKED += ["post_logout_redirect_uri", "id_token_hint", "grant_type", "code", "code_verifier"]
FIELDS = ["csrf", "decision", "username", "password"]


def test_what_the_provider_is_asked(long):
    """provider.py answers whatever is asked, and sends nobody to where no client of it is."""
    with Lesson("08", "provider", ISSUER="http://localhost:5018") as provider:
        there = Browser(provider)
        usual = {
            "response_type": "code", "client_id": "lesson-08", "scope": "openid profile",
            "redirect_uri": "http://localhost:5008/callback", "state": "s", "nonce": "n",
            "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
            "code_challenge_method": "S256", "grant_type": "authorization_code",
        }  # fmt: skip
        asked = "/authorize?" + "&".join(
            f"{n}={quote_from_bytes(v.encode())}" for n, v in usual.items()
        )
        assert there.submit(asked, username="user1", password="pass1").status == 200
        cookie = f"Cookie: lesson08-provider={there.cookies['lesson08-provider']}".encode()
        page = there.get(asked).text
        csrf = page.split('name="csrf" value="')[1].split('"')[0]
        paths = ["/authorize", "/authorize", "/token", "/userinfo", "/end_session", "/jwks", *PATHS]
        basic = st.sampled_from(["Basic bGVzc29uLTA4OnBhc3M4", "Bearer x", "Basic !", "Basic w6k="])
        fields = st.tuples(st.sampled_from(FIELDS + ASKED), st.just(RIGHT) | raw)
        agreed = st.just([("csrf", RIGHT), ("decision", RIGHT)])
        seen = set()

        @fuzz(
            long,
            st.sampled_from(paths),
            st.sampled_from(["GET", "POST", "POST", "PUT"]),
            st.dictionaries(st.sampled_from(ASKED), st.none() | raw, max_size=3),
            agreed | st.lists(fields, max_size=4),
            basic | header,
            st.booleans(),
        )
        def is_asked(path, method, changes, form, authorization, logged_in):
            query = {**{n: v.encode() for n, v in usual.items()}, **changes}
            named = "&".join(
                f"{n}={quote_from_bytes(v)}" for n, v in query.items() if v is not None
            )
            rights = {"csrf": csrf.encode(), "decision": b"yes"} | {
                n: v.encode() for n, v in usual.items()
            }
            body = "&".join(
                f"{n}={quote_from_bytes(rights.get(n, b'') if v is RIGHT else v)}" for n, v in form
            )
            lines = [b"Authorization: " + authorization.strip().encode("latin-1"), FORM]
            lines += [cookie] if logged_in else []
            sent = request(
                method.encode(), f"{path}?{named}".encode(), *lines,
                body=None if method == "GET" else body.encode(),
            )  # fmt: skip
            (answer,) = send(provider.port, sent)
            assert answer.status < 500, (sent, answer)
            seen.add(answer.status)
            to = answer.header(b"Location")
            known = (b"http://localhost:5008/callback?", b"http://localhost:5008/public")
            assert not to or to.startswith(known), (sent, to)

        assert {200, 302, 400, 401} <= seen
        assert provider.alive and "Traceback" not in provider.log, provider.own_lines()
