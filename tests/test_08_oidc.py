"""Lesson 08: let somebody else check the password (OpenID Connect).

One class is one step, in the order in which you build it; what each step says to the learner stands
in lessons/08_oidc/steps.toml. The checks bring a provider of their own, which lies when it is told.
"""

import base64
import hashlib
import html
import json
import re
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import pytest

import learn
from learn import Lesson, Provider
from learn.practice.expect import Unexpected, expect, expect_that

CLIENT = ("checked-client", "secret-of-the-checks")
RESOURCE = "https://api.example/notes"
HOUR = 3600


@pytest.fixture(scope="module")
def provider():
    """A provider of the checks' own, on this machine."""
    with Provider(CLIENT) as one:
        yield one


@pytest.fixture(scope="module")
def settings(provider):
    """What the lesson is started with: it trusts that provider."""
    return {"ISSUER": provider.issuer, "CLIENT_ID": CLIENT[0], "CLIENT_SECRET": CLIENT[1]}


@pytest.fixture(scope="module")
def api(on, settings):
    """The lesson, as an API of this name."""
    with Lesson("08_oidc", on, **settings, RESOURCE=RESOURCE) as one:
        yield one


@pytest.fixture(autouse=True)
def person(provider):
    """Whoever logs in is Ann again at the beginning of each check."""
    provider.person = {"sub": "1", "name": "Ann", "email": "ann@example.com"}
    return provider.person


class Browser(learn.Browser):
    """A user's browser, which also keeps the answers it had, and may begin with copied cookies."""

    def __init__(self, app, cookies=()):
        super().__init__(app)
        self.cookies, self.answers = dict(cookies), []

    def send(self, method, target, **how):
        """Send a request as a browser does."""
        self.answers.append(super().send(method, target, **how))
        return self.answers[-1]


def begin(browser):
    """Begin a login; return the address to which the browser is sent."""
    answer = expect(browser.get("/login"), 302)
    return answer.header("Location") or ""


def parameters(address):
    """Return the parameters of an address, one value each."""
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


def target(address):
    """Return what a browser asks a server for that it visits at this address."""
    parts = urlsplit(address)
    return f"{parts.path}?{parts.query}"


def come_back(browser, provider, **wrong):
    """Log in at the provider, which does this wrong, and return the answer to the callback."""
    with provider.telling(**wrong):
        return browser.get(target(provider.authorize(begin(browser))))


def log_in(app, provider, **changes):
    """Return a browser in which somebody is logged in; changes: to what is told about Ann."""
    provider.person = {**provider.person, **changes}
    browser = Browser(app)
    answer = come_back(browser, provider)
    came = f"status {answer.status} {answer.reason}"
    expect_that(answer.status in (302, 303), "status 302 or 303", came, answer, "status")
    expect_in(browser, provider.person.get("name"))
    return browser


def expect_in(browser, name):
    """Somebody is logged in here, and greeted by this name."""
    answer = expect(browser.get("/"), 200)
    shown = html.unescape(re.sub(r"<[^>]*>", "", answer.text))
    wanted = f"Hello, {name}!" if name else "Hello, "
    expect_that(wanted in shown, f"the text {wanted!r}", shown.strip()[:80], answer, "body")
    return answer


def expect_out(browser):
    """Nobody is logged in here."""
    answer = expect(browser.get("/"), 302)
    where = urlsplit(answer.header("Location") or "").path
    expect_that(where == "/login", "a redirect to /login", where, answer, "Location")


def expect_refused(browser, answer, *statuses):
    """A login has failed with a sentence, and nobody is logged in."""
    statuses = statuses or (400,)
    came, wanted = f"status {answer.status} {answer.reason}", " or ".join(map(str, statuses))
    expect_that(answer.status in statuses, f"status {wanted}", came, answer, "status")
    said = re.sub(r"<[^>]*>", "", answer.text).strip()
    expect_that(" " in said and len(said) > 15, "a sentence", repr(said[:80]), answer, "body")
    expect_out(browser)
    return said


def refuse(app, provider, **wrong):
    """A login at which the provider does this wrong is refused."""
    browser = Browser(app)
    expect_refused(browser, come_back(browser, provider, **wrong))


def log_out(browser):
    """Send the form for logging out that stands on the start page."""
    try:
        return browser.submit("/", to="/logout")
    except LookupError as error:
        wanted = "a form that goes to /logout"
        raise Unexpected(wanted, str(error), browser.answers[-1], "body") from None


class TestItWorks:
    def test_it_works_public_page(self, app):
        """The public page needs nothing."""
        expect(app.get("/public"), 200)

    def test_it_works_nobody_is_sent_to_the_login(self, app, provider):
        """Nobody is sent to /login, and from there to the provider."""
        browser = Browser(app)
        expect_out(browser)
        address = begin(browser)
        expect_that(
            address.startswith(f"{provider.issuer}/authorize?"),
            f"a redirect to {provider.issuer}/authorize",
            address,
            browser.answers[-1],
            "Location",
        )

    def test_it_works_with_the_provider(self, app, provider):
        """Who has logged in at the provider is greeted by name."""
        log_in(app, provider)


class TestRequest:
    def test_request_has_all_that_protects_it(self, app, provider):
        """The code flow is asked for, with state, nonce and a code challenge."""
        browser = Browser(app)
        sent = parameters(begin(browser))
        answer = browser.answers[-1]
        wanted = {"response_type": "code", "client_id": CLIENT[0], "code_challenge_method": "S256"}
        for name, value in wanted.items():
            came = f"{name}={sent.get(name)}"
            expect_that(sent.get(name) == value, f"{name}={value}", came, answer, "Location")
        for name in ("state", "nonce", "code_challenge"):
            came = f"{name}={sent.get(name)}"
            enough = len(sent.get(name, "")) >= 16
            expect_that(enough, f"a {name} nobody can guess", came, answer, "Location")
        scope = sent.get("scope", "").split()
        expect_that(
            {"openid", "profile", "email"} <= set(scope),
            "scope=openid profile email",
            f"scope={' '.join(scope)}",
            answer,
            "Location",
        )
        where = urlsplit(sent.get("redirect_uri", ""))
        expect_that(
            where.path == "/callback" and where.scheme == "http" and where.hostname,
            "a redirect_uri that is a whole address and ends in /callback",
            sent.get("redirect_uri", "none"),
            answer,
            "Location",
        )

    def test_each_login_is_another(self, app):
        """state, nonce and challenge are new for each login, in the same browser as well."""
        browser = Browser(app)
        begun = [parameters(begin(one)) for one in (browser, browser, Browser(app))]
        for name in ("state", "nonce", "code_challenge"):
            values = {one.get(name) for one in begun}
            expect_that(
                None not in values and len(values) == 3,
                f"three different values of {name}",
                ", ".join(map(str, values)),
                app.exchanges[-1],
                "Location",
            )
        values = [set(one[name] for name in ("state", "nonce", "code_challenge")) for one in begun]
        expect_that(
            all(len(three) == 3 for three in values),
            "state, nonce and code_challenge that differ",
            "the same for two of them",
            app.exchanges[-1],
            "Location",
        )

    def test_code_is_redeemed_with_the_verifier(self, app, provider):
        """The code goes to the provider with the verifier of its challenge, which nobody saw."""
        browser = log_in(app, provider)
        form, asked = provider.redeemed[-1], provider.asked[-1]
        verifier = form.get("code_verifier", "")
        proof = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest())
        expect_that(
            asked.get("code_challenge") == proof.decode().rstrip("="),
            "a code_verifier that fits the code_challenge",
            verifier or "none",
        )
        expect_that(len(verifier) >= 43, "43 characters or more (RFC 7636 4.1)", verifier)
        shown = [f"{answer.header('Location')} {answer.text}" for answer in browser.answers]
        seen = any(verifier in text for text in shown)
        expect_that(not seen, "a code_verifier that nobody is shown", "it is in an answer")


class TestState:
    def test_no_state_of_ours(self, app, provider):
        """An answer that belongs to no login is refused: no state, or one made up."""
        for state in (None, "", "made-up-by-somebody-else"):
            browser = Browser(app)
            answer = come_back(browser, provider, back={"state": state})
            expect_refused(browser, answer)
        browser = Browser(app)
        address = provider.authorize(f"{begin(Browser(app))}&state=")
        expect_refused(browser, browser.get(target(address)))

    def test_state_of_another_browser(self, app, provider):
        """A login that an attacker began does not end in somebody else's browser (login CSRF)."""
        attacker, victim = Browser(app), Browser(app)
        address = provider.authorize(begin(attacker))
        expect_refused(victim, victim.get(target(address)))
        begin(victim)
        address = provider.authorize(begin(attacker))
        expect_refused(victim, victim.get(target(address)))

    def test_state_counts_once(self, app, provider):
        """The same state does not count twice, not even with another code and the old cookies."""
        browser = Browser(app)
        address = begin(browser)
        before = dict(browser.cookies)
        first, second, third = (target(provider.authorize(address)) for _ in range(3))
        answer = browser.get(first)
        came = f"status {answer.status}"
        expect_that(answer.status in (302, 303), "status 302 or 303", came, answer, "status")
        again = Browser(app, before)
        expect_refused(again, again.get(second))
        app.restart()
        again = Browser(app, before)
        expect_refused(again, again.get(third))

    def test_state_counts_once_of_many_at_once(self, app, provider):
        """Of four answers with one state, sent at the same time, one logs in."""
        browser = Browser(app)
        address = begin(browser)
        targets = [target(provider.authorize(address)) for _ in range(4)]
        with ThreadPoolExecutor(4) as pool:
            several = [Browser(app, browser.cookies) for _ in targets]
            answers = list(pool.map(lambda one, where: one.get(where), several, targets))
        opened = sum(answer.status in (302, 303) for answer in answers)
        expect_that(opened == 1, "one of four let in", f"{opened}", answers[-1], "status")

    def test_login_goes_on_after_a_restart(self, app, provider):
        """A login that began before a restart ends well after it, and so do two in two tabs."""
        browser = Browser(app)
        addresses = [begin(browser), begin(browser)]
        app.restart()
        expect_refused(Browser(app), Browser(app).get(target(provider.authorize(addresses[0]))))
        answer = browser.get(target(provider.authorize(addresses[0])))
        expect_that(answer.status in (302, 303), "302 or 303", f"{answer.status}", answer, "status")
        expect_in(browser, "Ann")


class TestAnswer:
    def test_answer_of_another_provider(self, app, provider):
        """An answer with another provider's iss is refused, and the code stays here (RFC 9207)."""
        for iss in ("https://other.example", provider.issuer + "/", ""):
            redeemed = len(provider.redeemed)
            refuse(app, provider, back={"iss": iss})
            expect_that(
                len(provider.redeemed) == redeemed,
                "that the code is not sent to any provider",
                "it was redeemed",
                app.exchanges[-2],
            )

    def test_answer_without_iss(self, app, provider):
        """A provider that says that it always sends iss, and doesn't, was not the one to answer."""
        refuse(app, provider, back={"iss": None})

    def test_user_says_no(self, app, provider):
        """Who says no at the provider reads so here; any other error is no login either."""
        browser = Browser(app)
        no = {"code": None, "error": "access_denied", "error_description": "<b>Nein</b>"}
        answer = come_back(browser, provider, back=no)
        said = expect_refused(browser, answer)
        words = r"\b(no|denied|declined|refused|rejected|cancel\w*|not (allow|agree|consent)\w*)\b"
        told = re.search(words, said, re.I)
        expect_that(told, "a sentence that says that the user said no", said, answer, "body")
        kind = answer.header("Content-Type") or ""
        markup = "<b>" in answer.text and "html" in kind
        expect_that(not markup, "no markup from the address", "<b>", answer, "body")
        for error in ("server_error", "made_up"):
            browser = Browser(app)
            answer = come_back(browser, provider, back={"code": None, "error": error})
            expect_refused(browser, answer, 400, 503)

    def test_no_code_or_a_wrong_one(self, app, provider):
        """Without a code, or with one that the provider does not take, comes 400."""
        for code in (None, "", "made-up", "é%00 &"):
            refuse(app, provider, back={"code": code})

    def test_code_counts_once(self, app, provider):
        """A code that the provider has seen before is refused, with a fresh state as well."""
        browser = log_in(app, provider)
        used = provider.redeemed[-1]["code"]
        other = Browser(app)
        expect_refused(other, come_back(other, provider, back={"code": used}))
        expect_in(browser, "Ann")


class TestSignature:
    def test_unsigned(self, app, provider):
        """An ID token with alg none is refused."""
        refuse(app, provider, sign="none")
        refuse(app, provider, sign="none", header={"alg": "None"})

    def test_public_key_as_a_secret(self, app, provider):
        """An ID token with HS256 and the public key for a secret is refused."""
        refuse(app, provider, sign="HS256")

    def test_key_of_somebody_else(self, app, provider):
        """An ID token is refused if its key is not published, whatever name that key has."""
        for sign in ("stranger", "forged"):
            refuse(app, provider, sign=sign)

    def test_changed_after_it_was_signed(self, app, provider):
        """An ID token is refused if a single claim is another than what was signed."""
        answer = come_back(Browser(app), provider)
        expect_that(answer.status in (302, 303), "302 or 303", f"{answer.status}", answer, "status")
        head, body, signature = provider.tokens[-1].split(".")
        padded = base64.urlsafe_b64decode(body + "==")
        body = base64.urlsafe_b64encode(padded.replace(b'"sub"', b'"sub" ')).decode().rstrip("=")
        for token in (f"{head}.{body}.{signature}", f"{head}.{body}.", "a.b.c", "no token"):
            browser = Browser(app)
            answer = come_back(browser, provider, token={"id_token": token})
            expect_refused(browser, answer, 400, 503)

    def test_provider_that_lists_weak_algorithms(self, start, provider):
        """What the provider's document allows is not what you accept: none and HS256 never are."""
        listed = {"id_token_signing_alg_values_supported": ["RS256", "none", "HS256"]}
        with provider.telling(metadata=listed):
            app = start()
            log_in(app, provider)
            for sign in ("none", "HS256"):
                refuse(app, provider, sign=sign)


class TestClaims:
    def test_token_of_another_issuer(self, app, provider):
        """An ID token is refused if its iss is another provider, or missing."""
        for iss in ("https://other.example", provider.issuer + "/", None, [provider.issuer]):
            refuse(app, provider, claims={"iss": iss})

    def test_token_for_another_client(self, app, provider):
        """An ID token is refused if it was made for another client."""
        for aud in ("other", ["other"], None, [], CLIENT[0] + "2"):
            refuse(app, provider, claims={"aud": aud})
        refuse(app, provider, claims={"aud": "other", "azp": CLIENT[0]})
        refuse(app, provider, claims={"aud": [CLIENT[0], "other"], "azp": "other"})

    def test_token_with_another_authorized_party(self, app, provider):
        """An ID token is refused if azp says that another client asked for it."""
        refuse(app, provider, claims={"azp": "other"})

    def test_token_of_another_login(self, app, provider):
        """An ID token is refused if its nonce is not that of this login (code injection)."""
        for nonce in (None, "", "other", parameters(begin(Browser(app)))["nonce"]):
            refuse(app, provider, claims={"nonce": nonce})

    def test_token_out_of_its_time(self, app, provider):
        """An expired token and one from the future are refused; clocks may differ by seconds."""
        now = int(time.time())
        browser = Browser(app)
        answer = come_back(browser, provider, claims={"iat": now + 3, "exp": now + 300})
        expect_that(answer.status in (302, 303), "302 or 303", f"{answer.status}", answer, "status")
        late = [(now - 2 * HOUR, now - HOUR), (now + HOUR, now + 2 * HOUR), (now, None)]
        for iat, exp in [*late, (None, now + 300), (now, "soon"), (now - 900, now - 300)]:
            refuse(app, provider, claims={"iat": iat, "exp": exp})

    def test_token_about_nobody(self, app, provider):
        """An ID token is refused if it names nobody, or in no text."""
        for sub in (None, "", 1, ["1"], {"sub": "1"}, "\ud800"):
            refuse(app, provider, claims={"sub": sub})


class TestAccount:
    def test_mail_address_decides_nothing(self, app, provider):
        """Another user with the same mail address, verified, is another user."""
        ann = log_in(app, provider, sub="ann-1")
        bob = log_in(app, provider, sub="bob-2", name="Bob")
        expect_in(ann, "Ann")
        expect_in(bob, "Bob")

    def test_name_and_mail_may_be_missing(self, app, provider):
        """Who has no name and no mail address, or doesn't tell, logs in all the same."""
        provider.person = {"sub": "shy"}
        browser = Browser(app)
        come_back(browser, provider)
        expect_in(browser, None)
        provider.person = {"sub": "shy too", "name": "", "email": None}
        browser = Browser(app)
        come_back(browser, provider)
        expect_in(browser, None)

    def test_name_is_text(self, app, provider):
        """A name is shown as text and never as markup."""
        name = "<script>alert(1)</script>&amp;"
        provider.person = {"sub": "odd", "name": name, "email": "odd@example.com"}
        browser = Browser(app)
        come_back(browser, provider)
        answer = expect(browser.get("/"), 200)
        markup = "<script>" in answer.text and "html" in (answer.header("Content-Type") or "")
        expect_that(not markup, "&lt;script&gt;", "<script>", answer, "body")

    def test_userinfo_about_somebody_else(self, app, provider):
        """What the provider tells about another sub than the ID token's is not used."""
        browser = Browser(app)
        come_back(browser, provider, userinfo={"sub": "2", "name": "Bob", "email": "bob@x.example"})
        answer = browser.get("/")
        came = "Bob" if "Bob" in answer.text else answer.text[:60]
        expect_that("Bob" not in answer.text, "nothing of Bob", came, answer, "body")

    def test_access_token_proves_nothing(self, app, provider):
        """An access token that the browser brings logs nobody in: any client may have got it."""
        log_in(app, provider)
        token = provider.tokens[-2]
        for place in ("/callback", "/login"):
            browser = Browser(app)
            state = parameters(begin(browser)).get("state", "")
            browser.get(f"{place}?{urlencode({'access_token': token, 'state': state})}")
            expect_out(browser)
            browser.get("/", headers={"Authorization": f"Bearer {token}"})
            expect_out(browser)


class TestSession:
    def test_cookie_is_kept_to_its_place(self, app, provider):
        """The cookie has a name of the lesson's own; no script reads it, no other site sends it."""
        browser = log_in(app, provider)
        lines = [line for one in browser.answers for line in one.headers("Set-Cookie")]
        last = [one for one in browser.answers if one.headers("Set-Cookie")][-1]
        for line in lines:
            if re.search(r"max-age=0\b|expires=thu, 01 jan 1970", line, re.I):
                continue
            for part in ("HttpOnly", "SameSite=Lax", "Path=/"):
                has = re.search(rf";\s*{part}", line, re.I)
                expect_that(has, f"{part} in the cookie", line, last, "Set-Cookie")
            more = re.search(r";\s*(Domain)\b", line, re.I)
            expect_that(not more, "a cookie without Domain", line, last, "Set-Cookie")
            own = not line.startswith("session=")
            expect_that(own, "a name that no other app has", line, last, "Set-Cookie")

    def test_cookie_behind_tls(self, start, provider):
        """Behind TLS the cookies are Secure, and named __Host-."""
        app = start(SESSION_COOKIE_SECURE="true")
        browser = Browser(app)
        come_back(browser, provider)
        answer = expect_in(browser, "Ann")
        for line in [line for one in browser.answers for line in one.headers("Set-Cookie")]:
            right = line.startswith("__Host-") and re.search(r";\s*Secure", line, re.I)
            expect_that(right, "__Host-…; Secure", line, answer)

    def test_session_begins_with_the_login(self, app, provider):
        """What a browser sent before its login is worth nothing after it, nor what was made up."""
        browser = Browser(app)
        address = begin(browser)
        before = dict(browser.cookies)
        expect_that(before, "a cookie that ties the login to the browser", "none")
        expect_that(
            browser.get(target(provider.authorize(address))).status in (302, 303), "302", "another"
        )
        expect_in(browser, "Ann")
        expect_out(Browser(app, before))
        expect_out(Browser(app, {name: f"{value}x" for name, value in browser.cookies.items()}))

    def test_session_outlives_a_restart(self, app, provider):
        """A session goes on after a restart, and answers about it are kept by no cache."""
        browser = log_in(app, provider)
        app.restart()
        expect(expect_in(browser, "Ann"), headers={"Cache-Control": "no-store"})

    def test_tokens_stay_on_the_server(self, app, provider):
        """No token is in a cookie, a page, an address or the log."""
        browser = log_in(app, provider)
        answer = log_out(browser)
        tokens = provider.tokens[-2:]
        for one in browser.answers:
            text = str(one.response_headers) + one.text
            if one is answer:  # what is sent to the provider's own address is its own affair
                text = text.replace(one.header("Location") or "-", "")
            text += read_cookies(text)
            expect_that(not found(tokens, text), "no token in an answer", "one is there", one)
        expect_that(not found(tokens, app.log), "no token in the log", "one is there")

    def test_session_ends_by_itself(self, start, provider):
        """A session ends when it was not used for a while, and when it is too old."""
        app = start(IDLE_TIMEOUT=1)
        browser = log_in(app, provider)
        time.sleep(1.3)
        expect_out(browser)
        app = start(ABSOLUTE_TIMEOUT=2)
        browser = log_in(app, provider)
        for _ in range(3):
            time.sleep(0.8)
            browser.get("/")
        expect_out(browser)

    def test_logout_ends_it_here_and_asks_the_provider(self, app, provider):
        """Logout ends the session on the server, and sends the browser to the provider's."""
        browser = log_in(app, provider)
        copy = Browser(app, browser.cookies)
        answer = log_out(browser)
        came = f"status {answer.status}"
        expect_that(answer.status in (302, 303), "status 302 or 303", came, answer, "status")
        address = answer.header("Location") or ""
        there = address.split("?")[0] == f"{provider.issuer}/end_session"
        wanted = f"a redirect to {provider.issuer}/end_session"
        expect_that(there, wanted, address, answer, "Location")
        expect_out(browser)
        expect_out(copy)
        app.restart()
        expect_out(copy)

    def test_logout_by_a_page_of_another_site(self, app, provider):
        """A link logs nobody out, nor does a form on another site's page."""
        browser = log_in(app, provider)
        expect(browser.get("/logout"), 405)
        other = {"Origin": "https://other.example", "Sec-Fetch-Site": "cross-site"}
        for headers in (other, {"Origin": None, "Sec-Fetch-Site": None}):
            answer = browser.post("/logout", headers=headers, form={"csrf": "made up"})
            came = f"status {answer.status} {answer.reason}"
            expect_that(answer.status in (400, 403), "status 400 or 403", came, answer, "status")
            expect_in(browser, "Ann")

    def test_logout_while_the_provider_is_down(self, start, provider):
        """The session here ends even if the provider does not answer; that is no error 500."""
        app = start()
        browser = log_in(app, provider)
        app.restart()
        with provider.down():
            answer = log_out(browser)
            wanted = "a redirect, or 503 and a sentence"
            right = answer.status in (302, 303, 503)
            expect_that(right, wanted, f"status {answer.status}", answer, "status")
            expect_out(browser)


class TestBackChannel:
    def test_right_token_ends_one_session(self, app, provider):
        """A logout token with a sid ends the session of that sid and no other."""
        one = log_in(app, provider)
        sid = provider.told[-1]["sid"]
        two = log_in(app, provider)
        expect(send_logout(app, provider.logout_token(sid=sid)), 200)
        expect_out(one)
        expect_in(two, "Ann")

    def test_token_without_sid_ends_all_of_a_user(self, app, provider):
        """A logout token with a sub alone ends all sessions of that user, and of nobody else."""
        ann = [log_in(app, provider, sub="ann-9") for _ in range(2)]
        bob = log_in(app, provider, sub="bob-9", name="Bob")  # with the same mail address
        expect(send_logout(app, provider.logout_token(sub="ann-9", sid=None)), 200)
        app.restart()
        for browser in ann:
            expect_out(browser)
        expect_in(bob, "Bob")

    def test_token_with_sid_alone(self, app, provider):
        """A logout token with a sid alone is as good."""
        browser = log_in(app, provider)
        sid = provider.told[-1]["sid"]
        expect(send_logout(app, provider.logout_token(sub=None, sid=sid)), 200)
        expect_out(browser)

    def test_bad_signatures(self, app, provider):
        """A logout token that the provider did not sign is 400 and ends nothing."""
        browser = log_in(app, provider)
        tokens = [provider.logout_token(sign) for sign in ("none", "HS256", "stranger", "forged")]
        deep = base64.urlsafe_b64encode(b'{"a":' * 2000).decode()
        for token in [*tokens, "", "a.b.c", "x", "W10.W10.W10", "é", f"{deep}.e30.x", None]:
            expect(send_logout(app, token), 400)
        expect_in(browser, "Ann")

    def test_bad_claims(self, app, provider):
        """A logout token is 400 if a claim is wrong or missing (Back-Channel Logout 2.6)."""
        browser, now = log_in(app, provider), int(time.time())
        event = "http://schemas.openid.net/event/backchannel-logout"
        wrong = [{"iss": "https://other.example"}, {"aud": "other"}, {"nonce": "any"}]
        wrong += [{"events": None}, {"events": {}}, {"events": {event: "yes"}}, {"events": event}]
        wrong += [{"sub": None, "sid": None}, {"sid": ["x"]}, {"sub": 1}]
        wrong += [{"iat": now - 2 * HOUR, "exp": now - HOUR}, {"iat": now + HOUR}, {"iat": None}]
        wrong += [{"jti": None}, {"iss": None}, {"aud": None}]
        for changes in wrong:
            expect(send_logout(app, provider.logout_token(**changes)), 400)
        expect_in(browser, "Ann")

    def test_id_token_is_no_logout_token(self, app, provider):
        """An ID token, which others may have seen, is 400 and ends nothing."""
        browser = log_in(app, provider)
        expect(send_logout(app, provider.tokens[-1]), 400)
        expect_in(browser, "Ann")


class TestProvider:
    def test_provider_is_down(self, start, provider):
        """While the provider is down comes 503 and a sentence; then the login works again."""
        app = start()
        browser = Browser(app)
        with provider.down():
            expect_refused(browser, browser.get("/login"), 503)
        address = provider.authorize(begin(browser))
        with provider.down():
            expect_refused(browser, browser.get(target(address)), 503)
        log_in(app, provider)

    @pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/token", "/jwks"])
    def test_provider_is_slow(self, start, provider, path):
        """When the provider falls silent, comes 503 within seconds, and the login works later."""
        app = start()
        browser = Browser(app)
        with provider.telling(slow=[path]):
            answer = browser.get("/login")
            if answer.status == 302:
                answer = browser.get(target(provider.authorize(answer.header("Location"))))
        expect_refused(browser, answer, 503)
        log_in(app, provider)

    @pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/token", "/jwks"])
    def test_provider_answers_nonsense(self, start, provider, path):
        """What the provider answers may be an error, no JSON, or JSON of another kind: 503."""
        app, refused = start(), 0
        for nonsense in (500, 404, "<html>Down for maintenance</html>", "[]", "null", '"x"', "{}"):
            browser = Browser(app)
            with provider.telling(answers={path: nonsense}):
                answer = browser.get("/login")
                if answer.status == 302:
                    answer = browser.get(target(provider.authorize(answer.header("Location"))))
            if path != "/token" and answer.status in (302, 303):
                continue  # it has looked before, and needs to no more
            refused += 1
            # An answer without an ID token may as well count as a login that is not confirmed.
            expect_refused(browser, answer, 503, *([400] if nonsense in (404, "{}") else []))
        expect_that(refused, f"a request to {path}", "none")
        log_in(app, provider)

    def test_document_of_another_provider(self, start, provider):
        """A discovery document that names another issuer is not followed (OIDC Discovery 4.3)."""
        app = start()
        with provider.telling(metadata={"issuer": "https://other.example"}):
            browser = Browser(app)
            expect_refused(browser, browser.get("/login"), 400, 503)
        log_in(app, provider)

    def test_key_is_changed(self, start, provider):
        """A new key is fetched when it is first seen; the old one then counts no more."""
        app = start()
        log_in(app, provider)
        old, before = provider.keys, provider.counts.get("/jwks", 0)
        expect_that(before, "that the keys were fetched", "never")
        provider.rotate()
        log_in(app, provider)
        more = provider.counts["/jwks"] - before
        expect_that(more <= 2, "that the keys are fetched anew, once", f"{more} times")
        new, provider.keys = provider.keys, old
        try:
            browser = Browser(app)
            address = begin(browser)
            provider.keys = [*old, *new]  # signs with the old one
            with provider.telling(answers={"/jwks": published(new)}):
                expect_refused(browser, browser.get(target(provider.authorize(address))))
        finally:
            provider.keys = new

    def test_keys_are_not_fetched_for_every_bad_token(self, start, provider):
        """Whoever sends bad tokens does not make you ask the provider for each of them."""
        app = start()
        log_in(app, provider)
        before = provider.counts.get("/jwks", 0)
        expect_that(before, "that the keys were fetched", "never")
        for number in range(8):
            token = provider.logout_token("stranger", {"kid": f"unknown-{number}"})
            expect(send_logout(app, token), 400)
        asked = provider.counts["/jwks"] - before
        expect_that(asked <= 2, "that eight bad tokens cost one look", f"{asked}")


class TestApi:
    beyond = "beyond"

    def test_token_for_this_api(self, api, provider):
        """With an access token for this API comes whose it is, and who brought it."""
        token = provider.access_token(RESOURCE, sub="ann-1", client_id="a-script")
        for scheme in ("Bearer", "bearer"):
            answer = expect(api.get("/api", authorization=f"{scheme} {token}"), 200)
            wanted = {"sub": "ann-1", "client_id": "a-script"}
            came = answer.json()
            right = all(came.get(name) == value for name, value in wanted.items())
            expect_that(right, str(wanted), str(came), answer, "body")
        both = provider.access_token([RESOURCE, "https://other.example"])
        expect(api.get("/api", bearer=both), 200)

    def test_no_token(self, api, provider):
        """Without a token in the header comes 401 and a challenge without an error."""
        token = provider.access_token(RESOURCE)
        browser = log_in(api, provider)
        for answer in (api.get("/api"), browser.get("/api"), api.get(f"/api?access_token={token}")):
            expect(answer, 401, challenge="bearer", error=None)
        for value in ("Basic \xff".encode("latin-1"), b"Basic YTpi", b"Foo"):
            expect(api.get("/api", authorization=value), 401)

    def test_token_for_somebody_else(self, api, provider):
        """A token for another API is refused, and so is one for the client that logs in here."""
        for audience in ("https://other.example", CLIENT[0], provider.issuer, [], None):
            answer = api.get("/api", bearer=provider.access_token(audience))
            expect(answer, 401, challenge="bearer", error="invalid_token")

    def test_other_kinds_of_tokens(self, api, provider):
        """An ID token or a logout token is no access token, even with the right aud."""
        for kind in ("JWT", None, "logout+jwt"):
            token = provider.access_token(RESOURCE, header={"typ": kind})
            expect(api.get("/api", bearer=token), 401, challenge="bearer", error="invalid_token")

    def test_bad_tokens(self, api, provider):
        """A token is refused that the provider did not sign, that is old or lacks a claim."""
        now = int(time.time())
        signs = ("none", "HS256", "stranger", "forged")
        bad = [provider.access_token(RESOURCE, sign) for sign in signs]
        wrong = [{"iss": "https://other.example"}, {"iat": now - 2 * HOUR, "exp": now - HOUR}]
        wrong += [{name: None} for name in ("iss", "sub", "client_id", "exp", "iat", "jti")]
        bad += [provider.access_token(RESOURCE, **changes) for changes in wrong]
        for token in [*bad, "x", "a.b.c", "W10.W10.W10"]:
            expect(api.get("/api", bearer=token), 401, challenge="bearer", error="invalid_token")

    def test_scope_is_missing(self, api, provider):
        """With a good token that lacks the scope comes 403 and insufficient_scope."""
        for scope in (None, "openid email", "profiles"):
            token = provider.access_token(RESOURCE, scope=scope)
            answer = api.get("/api", bearer=token)
            expect(answer, 403, challenge="bearer", error="insufficient_scope", scope="profile")


def published(keys):
    """Return a document that publishes these keys."""
    return json.dumps({"keys": [key.public for key in keys]})


def send_logout(app, token):
    """Send a logout token as a provider does: without any cookie."""
    return app.post("/backchannel-logout", form={} if token is None else {"logout_token": token})


def found(tokens, text):
    """Tell whether a token, or the signed part of one, is in a text."""
    return any(token in text or quote(token) in text for token in tokens)


def read_cookies(text):
    """Return what is written in a text as base64, compressed as well: Flask's cookies are."""
    out = []
    for piece in re.findall(r"\.?[\w-]{20,}", text):
        try:
            raw = base64.urlsafe_b64decode(piece.lstrip(".") + "==")
            out.append(zlib.decompress(raw) if piece.startswith(".") else raw)
        except (ValueError, zlib.error):
            continue
    return " ".join(piece.decode("utf-8", "replace") for piece in out)
