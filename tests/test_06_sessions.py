"""Lesson 06: sessions, with a form, a cookie and a way out (RFC 6265).

One class is one step, in the order in which you build it; what each step says to the learner stands
in lessons/06_sessions/steps.toml. Forms are filled in as a browser does it, with whatever hidden
fields stand in the page. No redirect is followed.
"""

import base64
import html
import re
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from itsdangerous import BadData

from learn import Browser
from learn.practice.expect import Unexpected, expect, expect_same_time, expect_that
from learn.running.browser import forms_of

USER1, USER2 = ("user1", "pass1"), ("user2", "pass2")
REDIRECTS = (302, 303)


def find_form(page, action=""):
    """Return the form of a page that goes to this path, or its first one; None if there is none."""
    forms = [form for form in forms_of(page) if action in ("", urlsplit(form.action).path)]
    return forms[0] if forms else None


def fill(browser, page, action="", **fields):
    """Fill the form of a page in and send it."""
    form = find_form(page, action)
    if form is None or not fields.keys() <= form.fields.keys():
        wanted = f"a form with {', '.join(fields) or 'a button'}"
        came = f"fields {', '.join(form.fields)}" if form else "none"
        raise Unexpected(wanted, came, page, "body")
    return browser.send(form.method, form.action, form=form.fields | fields)


def log_in(app, pair=USER1, target="/login", browser=None, agent="Checks"):
    """Log in with the form; return the browser, logged in."""
    browser = browser or Browser(app, agent=agent)
    answer = try_login(browser, pair, target)
    expect_that(
        answer.status in REDIRECTS,
        "status 302 or 303 for a right password",
        f"status {answer.status}",
        answer,
        "status",
    )
    expect_in(browser, pair[0])
    return browser


def try_login(browser, pair, target="/login"):
    """Fill the login form in; return the answer."""
    page = expect(browser.get(target), 200)
    return fill(browser, page, username=pair[0], password=pair[1])


def expect_in(browser, name):
    """Expect that this user is logged in."""
    answer = expect(browser.get("/"), 200)
    expect_that(
        f"Hello, {name}!" in answer.text,
        f"Hello, {name}! in the page",
        answer.text.strip()[:80],
        answer,
        "body",
    )
    return answer


def expect_out(browser, why):
    """Expect that nobody is logged in: GET / points to the login."""
    answer = browser.get("/")
    expect_that(
        answer.status in REDIRECTS,
        f"a redirect to /login, as {why}",
        f"status {answer.status}",
        answer,
        "status",
    )
    return answer


def press(browser, action, **fields):
    """Send the form whose address this is, wherever it stands; return the answer.

    Where no page has such a form, what is sent are these fields and what other forms hide.
    """
    hidden = {}
    for target in ("/", "/sessions", action):
        page = browser.get(target)
        if page.status == 200 and find_form(page, action):
            return fill(browser, page, action, **fields)
        other = find_form(page) if page.status == 200 else None
        hidden = (other.fields if other else {}) | hidden
    return browser.post(action, form=hidden | fields)


def expect_redirect(answer):
    """Expect 302 or 303."""
    expect_that(
        answer.status in REDIRECTS,
        "status 302 or 303",
        f"status {answer.status} {answer.reason}",
        answer,
        "status",
    )
    return answer


def login_cookie(app, **settings):
    """Log in; return the Set-Cookie header that stands for the session, and its answer."""
    browser = Browser(app)
    answer = expect_redirect(try_login(browser, USER1))
    for value in answer.headers("Set-Cookie"):
        name = value.partition("=")[0]
        alone = Browser(app)
        alone.cookies = {name: value.partition("=")[2].partition(";")[0]}
        if alone.get("/").status == 200:
            return value, answer
    raise Unexpected("a cookie that alone is enough to be logged in", "none", answer, "Set-Cookie")


def attributes(header):
    """Return a cookie's attributes: names in lower case, with their values."""
    parts = [part.strip().partition("=") for part in header.split(";")[1:]]
    return {name.lower(): value for name, _, value in parts}


def flask_cookie(key):
    """What makes and reads the cookie of Flask's `session` with this key."""
    app = Flask("any")
    app.secret_key = key
    return SecureCookieSessionInterface().get_signing_serializer(app)


def changed(data, change):
    """Return what a cookie of Flask's holds, with each text, number and truth value changed."""
    if isinstance(data, dict):
        return {name: changed(value, change) for name, value in data.items()}
    if isinstance(data, (list, tuple)):
        return [changed(value, change) for value in data]
    return change(data)


def forged(browser, keys, change):
    """Return copies of a browser whose cookies were read, changed and signed with one of the keys.

    Only Flask's own cookies can be read so; of any other, nothing comes.
    """
    copies = []
    for name, value in browser.cookies.items():
        for key in keys:
            with suppress(BadData):
                data = flask_cookie(key).loads(value)
                thief = browser.copy()
                thief.cookies[name] = flask_cookie(key).dumps(changed(data, change))
                copies.append(thief)
    return copies


def texts_in(browser, key):
    """Return what the cookies hold that may be an id: as text, and as the bytes it spells."""
    found = []
    for value in browser.cookies.values():
        found.append(value)
        with suppress(BadData):
            changed(flask_cookie(key).loads(value), found.append)
    texts = [text for text in found if isinstance(text, str) and len(text) >= 16]
    spelt = []
    for text in texts:
        with suppress(ValueError):
            spelt.append(bytes.fromhex(text))
        with suppress(ValueError):
            spelt.append(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return [text.encode() for text in texts] + [raw for raw in spelt if len(raw) >= 12]


def seen(answer):
    """Return what a page shows, without hidden fields, numbers and space: to compare two pages."""
    text = re.sub(r"<input[^>]*hidden[^>]*>", "", answer.text)
    return re.sub(r"\d+|\s+", " ", text)


class TestItWorks:
    def test_it_works_public_page(self, app):
        """The public page needs no login."""
        expect(app.get("/public"), 200)

    def test_it_works_login_and_greeting(self, app):
        """Who logs in with the form is greeted; others are sent to the form."""
        answer = expect_out(Browser(app), "nobody is logged in")
        where = answer.header("Location") or ""
        expect_that(
            urlsplit(where).path == "/login" and "next=" in where,
            "Location: /login?next=…",
            f"Location: {where}",
            answer,
            "Location",
        )
        for pair in (USER1, USER2):
            log_in(app, pair)

    def test_it_works_wrong_password(self, app):
        """A wrong password, and an unknown user, are not logged in."""
        for pair in [("user1", "wrong"), ("user1", "pass2"), ("nobody", "pass1")]:
            browser = Browser(app)
            try_login(browser, pair)
            expect_out(browser, "the password was wrong")

    def test_it_works_admins_only(self, app):
        """The admin's page is for the admin: 403 for another user, the login for nobody."""
        expect(log_in(app).get("/admin"), 200)
        expect(log_in(app, USER2).get("/admin"), 403)
        expect_redirect(Browser(app).get("/admin"))


class TestLogin:
    def test_wrong_login_is_403_with_the_form(self, app):
        """A wrong password is answered with 403 and the form again."""
        browser = Browser(app)
        answer = expect(try_login(browser, ("user1", "wrong")), 403)
        expect_redirect(fill(browser, answer, username="user1", password="pass1"))
        expect_in(browser, "user1")

    def test_unknown_user_is_answered_alike(self, app):
        """An unknown user gets the same answer as a wrong password, in the same time."""
        browser = Browser(app)
        page = expect(browser.get("/login"), 200)

        def answer(name):
            return expect(fill(browser, page, username=name, password="wrong"), 403)

        known, unknown = answer("user1"), answer("user9")
        same = seen(known).replace("user1", "user9") == seen(unknown).replace("user1", "user9")
        expect_that(same, "the same page for an unknown user", "another", unknown, "body")
        expect_same_time(app, lambda: answer("user1"), lambda: answer("user9"))

    def test_passwords_that_are_none(self, app):
        """A password with NUL in it, an empty or a huge one is wrong like any other, and no 500."""
        browser = Browser(app)
        for name, password in [
            ("user1", ""), ("user1", "pass1\0"), ("user1\0", "pass1"), ("", ""),
            ("user1", "x" * 1025), ("user1", "x" * 5000), ("x" * 5000, "pass1"),
        ]:  # fmt: skip
            expect(try_login(browser, (name, password)), 403)
        log_in(app)

    def test_names_come_out_as_text(self, app):
        """What stands in a page of the user's or of the browser's own words is text, never HTML."""
        markup = "\"'><b id=mine>x</b>"
        browser = log_in(app, agent=markup)
        answers = [try_login(Browser(app), (markup, "wrong")), browser.get("/sessions")]
        answers.append(Browser(app).get(f"/login?next=/{quote(markup)}"))
        for answer in answers:
            expect_that(
                "<b id=mine>" not in answer.text,
                "&lt; wherever a name holds <",
                "the name as it was sent, which a browser takes for HTML",
                answer,
                "body",
            )


class TestCookie:
    def test_cookie_is_kept_to_this_site(self, app):
        """The cookie is HttpOnly, SameSite=Lax, for all paths, and has no Domain and no end."""
        header, answer = login_cookie(app)
        found = attributes(header)
        for name, wanted in [("httponly", ""), ("samesite", "lax"), ("path", "/")]:
            expect_that(
                found.get(name, "none").lower() == wanted,
                f"{name}{'=' if wanted else ''}{wanted} in the session's cookie",
                header.split(";", 1)[1].strip(),
                answer,
                "Set-Cookie",
            )
        for name in ("expires", "max-age", "domain", "secure"):
            expect_that(name not in found, f"no {name} here", header, answer, "Set-Cookie")

    def test_cookie_has_a_name_of_its_own(self, app):
        """Cookies know no ports: the name is not `session`, which other apps here use as well."""
        header, answer = login_cookie(app)
        name = header.partition("=")[0]
        expect_that(name != "session", "a name of its own", name, answer, "Set-Cookie")

    def test_cookie_behind_tls(self, start):
        """With FLASK_SESSION_COOKIE_SECURE=true it is Secure, and its name begins with __Host-."""
        app = start(SESSION_COOKIE_SECURE="true")
        header, answer = login_cookie(app)
        expect_that(
            header.startswith("__Host-") and "secure" in attributes(header),
            "a cookie __Host-… with Secure",
            header,
            answer,
            "Set-Cookie",
        )


class TestKept:
    def test_key_and_database_make_no_cookie_that_counts(self, app):
        """Whoever has the key and a copy of the database can't write a cookie that logs in."""
        names = ["user", "username", "name", "user_id", "_user_id", "userid", "id", "uid", "login"]
        claims = dict.fromkeys(names, "user1") | {"admin": True, "logged_in": True, "_fresh": True}
        keys = [app.key, "dev", "secret", "changeme"]
        for name in {"session", login_cookie(app)[0].partition("=")[0]}:
            for value in ["user1", "1", *(flask_cookie(key).dumps(claims) for key in keys)]:
                thief = Browser(app)
                thief.cookies[name] = value
                expect_out(thief, "this cookie was made by a thief who knows the key")
        mine = log_in(app, USER2)

        def promote(value):
            if isinstance(value, (bool, int)) and value in (0, 2):
                return True if value is False else 1
            return value.replace("user2", "user1") if isinstance(value, str) else value

        for thief in forged(mine, keys, promote):
            answer = thief.get("/admin")
            expect_that(
                answer.status != 200,
                "that an edited cookie of user2's makes no admin",
                f"status {answer.status}",
                answer,
                "status",
            )
        browser = log_in(app)
        files = [path for path in Path(app.scratch).rglob("*") if path.is_file()]
        kept = b"".join(path.read_bytes() for path in files)
        for text in texts_in(browser, app.key):
            expect_that(
                text not in kept,
                "nothing in the database that stands in the cookie",
                f"{text[:12]!r}… in both: with a copy of the file anybody is logged in",
                browser.app.exchanges[-1],
            )

    def test_login_begins_a_new_session(self, app):
        """What a browser sent before a login is worth nothing after it (session fixation)."""
        attacker = Browser(app)
        attacker.get("/login")
        log_in(app, browser=attacker.copy())
        expect_out(attacker, "this cookie was there before the login")
        name = login_cookie(app)[0].partition("=")[0]
        attacker.cookies = {name: "chosen-by-an-attacker-0123456789abcdef"}
        log_in(app, browser=attacker.copy())
        expect_out(attacker, "an attacker chose this cookie before the login")
        attacker = log_in(app, USER2)
        log_in(app, USER1, browser=attacker.copy())
        expect_out(attacker, "another login came in place of this one, in the same browser")

    def test_ids_cannot_be_guessed(self, app):
        """Each login has an id of its own, too long to guess."""
        values = {login_cookie(app)[0].partition(";")[0] for _ in range(3)}
        expect_that(len(values) == 3, "three ids for three logins", f"{len(values)}")
        for text in values:
            _, _, value = text.partition("=")
            kinds = [("0-9", 3.3), ("0-9a-f", 4), ("0-9a-zA-Z_.-", 6)]
            bits = next((b for kind, b in kinds if re.fullmatch(f"[{kind}]*", value)), 6)
            expect_that(
                bits * len(value) >= 128,
                "an id of 128 random bits or more",
                f"{text}, which has {bits * len(value):.0f} at most",
                app.exchanges[-1],
            )


class TestLogout:
    def test_logout_ends_copies_of_the_cookie(self, start):
        """After a logout a copy of the cookie is refused, even after a restart; others go on."""
        app = start()
        browser, other, stranger = log_in(app), log_in(app), log_in(app, USER2)
        thief = browser.copy()
        expect_in(thief, "user1")
        expect_redirect(press(browser, "/logout"))
        for _ in range(2):
            expect_out(browser, "its user logged out")
            expect_out(thief, "its user logged out: this is a copy of the cookie")
            expect_in(other, "user1")
            expect_in(stranger, "user2")
            app.restart()

    def test_no_link_logs_out(self, app):
        """GET /logout is 405, so no picture or link of another page logs anybody out."""
        browser = log_in(app)
        expect(browser.get("/logout"), 405)
        expect_in(browser, "user1")

    def test_private_pages_are_not_kept(self, app):
        """What is shown to who is logged in is not stored, so the back button shows nothing."""
        browser = log_in(app)
        for target in ("/", "/admin", "/sessions"):
            expect(browser.get(target), 200, headers={"Cache-Control": "no-store"})


class TestPassword:
    def test_change_needs_the_old_password(self, app):
        """With a wrong old password nothing changes: 403."""
        browser = log_in(app, USER2)
        for old in ("wrong", "", "pass1"):
            expect(press(browser, "/password", old=old, new="stolen"), 403)
        expect_in(browser, "user2")
        expect(try_login(Browser(app), ("user2", "stolen")), 403)
        log_in(app, USER2)

    def test_change_ends_all_other_sessions(self, start):
        """A new password counts at once and ends all other sessions of its user."""
        app = start()
        browser, other, stranger = log_in(app, USER2), log_in(app, USER2), log_in(app)
        expect_redirect(press(browser, "/password", old="pass2", new="better"))
        expect_in(browser, "user2")
        expect_out(other, "the password was changed elsewhere")
        expect_in(stranger, "user1")
        expect(try_login(Browser(app), USER2), 403)
        app.restart()
        expect_out(other, "the password was changed elsewhere")
        expect(try_login(Browser(app), USER2), 403)
        log_in(app, ("user2", "better"))

    def test_new_password_must_be_one(self, start):
        """An empty new password, a huge one, or one with NUL in it is 400; accents are one text."""
        app = start()
        browser = log_in(app, USER2)
        for new in ("", "a\0b", "x" * 1025, "\u00e9" * 513):
            expect(press(browser, "/password", old="pass2", new=new), 400)
        expect_redirect(press(browser, "/password", old="pass2", new="caf\u00e9"))
        log_in(app, ("user2", "cafe\u0301"))

    def test_login_with_the_old_password_is_too_late(self, start):
        """Logins with the old password that are under way while it is changed begin no session."""
        app = start()
        owner = log_in(app, USER2)
        others = [Browser(app) for _ in range(8)]
        changed = []

        def keep_trying(browser):
            while not changed:
                try_login(browser, USER2)

        def change():
            time.sleep(0.3)
            try:
                changed.append(press(owner, "/password", old="pass2", new="better"))
            finally:
                changed.append(None)

        with ThreadPoolExecutor(9) as pool:
            for done in [pool.submit(change), *(pool.submit(keep_trying, b) for b in others)]:
                done.result()
        expect_redirect(changed[0])
        for browser in others:
            expect_out(browser, "it logged in with the old password while that was changed")
        expect_in(owner, "user2")


class TestSessions:
    def test_list_shows_ones_own(self, app):
        """The list shows one's own sessions, each with its browser, and marks this one."""
        one, other = log_in(app, USER2, agent="Agent-A"), log_in(app, USER2, agent="Agent-B")
        log_in(app, USER1, agent="Agent-C")
        pages = [expect(browser.get("/sessions"), 200) for browser in (one, other)]
        for page in pages:
            for agent, wanted in [("Agent-A", True), ("Agent-B", True), ("Agent-C", False)]:
                expect_that(
                    (agent in html.unescape(page.text)) == wanted,
                    "one's own sessions, each with its browser, and nobody else's",
                    f"{'no ' if wanted else ''}{agent}",
                    page,
                    "body",
                )
        expect_that(
            seen(pages[0]) != seen(pages[1]),
            "a mark at the session of the browser that asks",
            "the same page for both browsers",
            pages[1],
            "body",
        )
        expect_redirect(Browser(app).get("/sessions"))

    def test_others_can_be_ended(self, app):
        """All others of one's own can be ended; this one, and other users', go on."""
        one, other, stranger = log_in(app, USER2), log_in(app, USER2, agent="Agent-B"), log_in(app)
        expect_redirect(press(one, "/sessions/end"))
        expect_in(one, "user2")
        expect_out(other, "it was ended from elsewhere")
        expect_in(stranger, "user1")
        page = expect(one.get("/sessions"), 200)
        expect_that(
            "Agent-B" not in page.text, "no session that has ended", "Agent-B", page, "body"
        )


class TestEnds:
    def test_idle_session_ends(self, start):
        """A session that is not used for FLASK_IDLE_TIMEOUT seconds ends; one in use goes on."""
        app = start(IDLE_TIMEOUT=3)
        used, idle = log_in(app), log_in(app, agent="Agent-Idle")
        for _ in range(3):
            time.sleep(1.5)
            expect_in(used, "user1")
        page = expect(used.get("/sessions"), 200)
        expect_that("Agent-Idle" not in page.text, "no session that has ended", "one", page, "body")
        expect_out(idle, "it was not used for longer than FLASK_IDLE_TIMEOUT")

    def test_old_session_ends(self, start):
        """A session older than FLASK_ABSOLUTE_TIMEOUT ends however much it is used."""
        app = start(ABSOLUTE_TIMEOUT=3)
        browser, begun = log_in(app), time.monotonic()
        while time.monotonic() < begun + 3.2:
            browser.get("/")
            time.sleep(0.4)
        expect_out(browser, "it is older than FLASK_ABSOLUTE_TIMEOUT")
        young = [value + 3600 for value in (int(time.time()), time.time())]

        def renew(value):
            number = isinstance(value, (int, float)) and not isinstance(value, bool)
            return type(value)(young[1] - 3600) if number and value > 10**9 else value

        for thief in forged(browser, [app.key], renew):
            expect_out(thief, "it is too old, and what time its cookie names is nobody's word")


class TestOtherSites:
    def test_forms_of_other_sites_are_refused(self, app):
        """A form that another origin's page makes the browser send is refused: 400 or 403."""
        browser = log_in(app, USER2)
        login = {"username": "user1", "password": "pass1"}
        forms = {"/password": {"old": "pass2", "new": "theirs"}, "/sessions/end": {}, "/logout": {}}
        for headers in other_origins(app):
            for action, form in {**forms, "/login": login}.items():
                expect_refused(browser.post(action, form=form, headers=headers))
            expect_refused(Browser(app).post("/login", form=login, headers=headers))
            fresh = Browser(app)
            expect(fresh.get("/login"), 200)
            expect_refused(fresh.post("/login", form=login, headers=headers))
        expect_in(browser, "user2")
        expect_redirect(press(browser, "/logout"))

    def test_token_of_somebody_else_is_worth_nothing(self, app):
        """What an attacker's own forms hide is not taken with the victim's cookie, nor nothing."""
        attacker, victim, fresh = log_in(app, USER2), log_in(app), Browser(app)
        expect(fresh.get("/login"), 200)
        stranger = Browser(app)
        theirs = find_form(expect(stranger.get("/login"), 200)).fields
        headers = other_origins(app)[0]
        for hidden in [theirs, dict.fromkeys(theirs, ""), dict.fromkeys(theirs, "None")]:
            form = hidden | {"username": "user2", "password": "pass2"}
            for browser in (victim, fresh, Browser(app)):
                expect_refused(browser.post("/login", form=form, headers=headers))
        for action, form in [("/password", {"old": "pass1", "new": "pass1"}), ("/logout", {})]:
            pages = [attacker.get(target) for target in ("/", "/sessions", "/password")]
            found = [find_form(page, action) for page in pages if page.status == 200]
            hidden = next((one.fields for one in found if one), {})
            for fields in (hidden, dict.fromkeys(hidden, "")):
                expect_refused(victim.post(action, form=fields | form, headers=headers))
        expect_in(victim, "user1")

    def test_pages_cannot_be_framed(self, app):
        """No other site may show the pages in a frame, where clicks could be led astray."""
        browser = log_in(app)
        for target in ("/login", "/", "/sessions"):
            answer = expect(browser.get(target), 200)
            policy = " ".join(answer.headers("Content-Security-Policy"))
            option = (answer.header("X-Frame-Options") or "").upper()
            expect_that(
                re.search(r"frame-ancestors\s+'(none|self)'", policy)
                or option in ("DENY", "SAMEORIGIN"),
                "Content-Security-Policy: frame-ancestors 'none'",
                f"Content-Security-Policy: {policy or 'none'}",
                answer,
                "Content-Security-Policy" if policy else "status",
            )


def other_origins(app):
    """Headers as browsers send them with a form of another origin's page."""
    site = "Sec-Fetch-Site"
    return [
        {site: "cross-site", "Origin": "http://other.example"},
        {site: "same-site", "Origin": f"http://localhost:{app.port + 1}"},
        {site: None, "Origin": f"{app.origin}.other.example"},
        {site: None, "Origin": "null"},
    ]


def expect_refused(answer):
    """Expect 400 or 403."""
    expect_that(
        answer.status in (400, 403),
        "status 400 or 403 for a form of another site",
        f"status {answer.status} {answer.reason}",
        answer,
        "status",
    )


class TestNext:
    def test_next_leads_to_pages_of_this_site_alone(self, app):
        """The login leads back to the page that was asked for, never to another host or scheme."""
        for target in ("/admin", "/sessions", "/admin?x=1&y=caf%C3%A9"):
            browser = Browser(app)
            asked = expect_redirect(browser.get(target))
            answer = expect_redirect(try_login(browser, USER1, asked.header("Location")))
            expect_lands(app, answer, target)
        for target in [
            "//evil.example", "///evil.example", "////evil.example/", "https://evil.example",
            "http:evil.example", "https:/evil.example", "HTTPS:evil.example", "/\\evil.example",
            "\\\\evil.example", "\\/evil.example", "/\t/evil.example", "/\n/evil.example",
            "/\r\nX: y", "\t//evil.example", " //evil.example", "\0//evil.example",
            "javascript:alert(1)", "data:text/html,x", "evil.example", "//evil.example/@localhost",
            f"{app.origin}@evil.example/", f"//localhost:{app.port}.evil.example",
            "/\x85/evil.example", "",
        ]:  # fmt: skip
            answer = try_login(Browser(app), USER1, f"/login?next={quote(target, safe='')}")
            expect_lands(app, expect_redirect(answer), "/")
        for target in ("/%2Fevil.example", "/%5Cevil.example", "/%09/evil.example", "%2F%2Fevil"):
            answer = try_login(Browser(app), USER1, f"/login?next={quote(target, safe='')}")
            expect_lands(app, expect_redirect(answer), None)


def expect_lands(app, answer, target):
    """Expect that a browser follows Location to this target of the lesson; None: to any."""
    where = answer.header("Location") or ""
    read = re.sub(r"[\t\r\n]", "", where.strip()).replace("\\", "/")  # as browsers read it
    read = read.removeprefix(app.origin)
    own = re.match(r"/(?!/)", read)
    expect_that(
        own and (target is None or unquote(read) == unquote(target)),
        f"Location: {target or '/'}",
        f"Location: {where}",
        answer,
        "Location",
    )


class TestRemember:
    beyond = "beyond"

    def test_ticked_box_outlives_the_browser(self, start):
        """With the box ticked, a browser that was closed is logged in again; without it, not."""
        app = start()
        browser, other = remembered(app), log_in(app)
        for _ in range(3):
            browser.close()
            expect_in(browser, "user1")
        other.close()
        expect_out(other, "the browser was closed and its box not ticked")
        app.restart()
        browser.close()
        expect_in(browser, "user1")

    def test_used_token_ends_all_sessions(self, start):
        """A replaced token, used again after five seconds, ends all sessions of its user."""
        app = start()
        owner, other, stranger = remembered(app), log_in(app), remembered(app, USER2)
        owner.close()
        thief = owner.copy()
        expect_in(owner, "user1")
        time.sleep(6)
        expect_out(thief, "its token has been replaced since")
        for browser in (owner, other):
            expect_out(browser, "somebody else has a copy of its user's token")
        owner.close()
        expect_out(owner, "its series has ended")
        expect_in(stranger, "user2")

    def test_two_tabs_at_once_end_nothing(self, start):
        """Two tabs that open at once send the same token, and both get in."""
        browser = remembered(start())
        browser.close()
        second = browser.copy()
        expect_in(browser, "user1")
        expect_in(second, "user1")
        expect_in(browser, "user1")

    def test_logout_and_password_end_it(self, start):
        """A logout ends what this browser remembers; a new password ends that of the others too."""
        app = start()
        browser, other = remembered(app), remembered(app)
        thief = browser.copy()
        thief.close()
        expect_redirect(press(browser, "/logout"))
        for one in (browser, thief):
            expect_out(one, "its user logged out")
        browser = remembered(app)
        for action, fields in [("/sessions/end", {}), ("/password", dict(old="pass1", new="new"))]:
            expect_redirect(press(browser, action, **fields))
            other.close()
            expect_out(other, "its user ended it from elsewhere")
            expect_in(browser, "user1")
            other = remembered(app) if not fields else other

    def test_database_holds_no_token(self, app):
        """What is stored of a token is a hash."""
        browser = remembered(app)
        browser.close()
        kept = b"".join(p.read_bytes() for p in Path(app.scratch).rglob("*") if p.is_file())
        expect_that(browser.cookies, "a cookie that outlives the browser", "none")
        for text in texts_in(browser, app.key):
            parts = [part for part in re.split(rb"[.|:]", text) if len(part) >= 16]
            for part in [text, *parts[1:]]:
                expect_that(part not in kept, "no token in the database", f"{part[:12]!r}… in both")


def remembered(app, pair=USER1):
    """Log in with the box `remember` ticked; return the browser."""
    browser = Browser(app)
    page = expect(browser.get("/login"), 200)
    form = find_form(page).fields | {"username": pair[0], "password": pair[1], "remember": "yes"}
    expect_redirect(browser.post("/login", form=form))
    expect_in(browser, pair[0])
    expect_that(
        browser.lasting,
        "a cookie with Max-Age or Expires for a login with `remember`",
        "none",
        app.exchanges[-2],
    )
    return browser
