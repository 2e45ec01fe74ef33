"""Lesson 02: HTTP Basic (RFC 7617).

One class is one step, in the order in which you build it; what each step says to the learner stands
in lessons/02_basic/steps.toml.
"""

import base64
import socket
import time
from concurrent.futures import ThreadPoolExecutor

from learn.practice.expect import expect, expect_that, seconds_of
from learn.running.client import TIMEOUT

SETTINGS = {"GUESS_PAUSE": 0}  # no limit on guesses: the checks guess a lot
USER1, USER2 = ("user1", "pass1"), ("user2", "pass2")


def basic(text, scheme="Basic"):
    """An Authorization header for these exact bytes."""
    return f"{scheme} {base64.b64encode(text).decode()}"


def at_once(app, pairs):
    """Send GET / with each of these pairs at the same time; return the statuses."""
    with ThreadPoolExecutor(len(pairs)) as pool:
        return [one.status for one in pool.map(lambda pair: app.get("/", basic=pair), pairs)]


def late(app, pair, new, meanwhile, multipart):
    """Send POST /password, hold its body back until `meanwhile` has run; return the status."""
    kind, body = "application/x-www-form-urlencoded", f"password={new}"
    if multipart:
        kind = "multipart/form-data; boundary=x"
        body = f'--x\r\nContent-Disposition: form-data; name="password"\r\n\r\n{new}\r\n--x--\r\n'
    head = [
        "POST /password HTTP/1.1",
        f"Host: 127.0.0.1:{app.port}",
        f"Authorization: {basic(':'.join(pair).encode())}",
        f"Content-Type: {kind}",
        f"Content-Length: {len(body)}",
        "Connection: close",
    ]
    with socket.create_connection(("127.0.0.1", app.port), timeout=TIMEOUT) as connection:
        connection.sendall("\r\n".join([*head, "", ""]).encode())
        time.sleep(0.5)  # by now the app has looked at the header, if it does so before the body
        meanwhile()
        connection.sendall(body.encode())
        return int(connection.makefile("rb").readline().split()[1])


class TestItWorks:
    def test_it_works_right_password(self, app):
        """The right password is answered with a greeting."""
        for name, password in (USER1, USER2):
            expect(app.get("/", basic=(name, password)), 200, text=f"Hello, {name}!")

    def test_it_works_no_credentials(self, app):
        """Without credentials comes 401 with a Basic challenge."""
        expect(app.get("/"), 401, challenge="basic", realm=...)

    def test_it_works_wrong_password(self, app):
        """A wrong password and a missing one are refused with a challenge."""
        for pair in [("user1", "wrong"), ("user1", ""), ("user1", "pass2"), ("nobody", "pass1")]:
            expect(app.get("/", basic=pair), 401, challenge="basic")

    def test_it_works_scheme_in_any_case(self, app):
        """The scheme's name counts in any case (RFC 9110 11.1)."""
        for scheme in ("Basic", "basic", "BASIC", "bAsIc"):
            expect(app.get("/", authorization=basic(b"user1:pass1", scheme)), 200)


class TestCredentials:
    def test_challenge_names_the_charset(self, app):
        """The challenge says that user name and password come in UTF-8 (RFC 7617 2.1)."""
        expect(app.get("/"), 401, challenge="basic", charset="UTF-8")

    def test_only_the_scheme_basic_counts(self, app):
        """Credentials under another scheme's name are refused."""
        for scheme in ("Foo", "Digest", "Bearer", "Basi"):
            answer = app.get("/", authorization=basic(b"user1:pass1", scheme))
            expect(answer, 401, challenge="basic")

    def test_malformed_credentials_are_401(self, app):
        """Whatever is not base64 of name, colon and password in UTF-8 is refused with 401."""
        good = base64.b64encode(b"user1:pass1").decode()
        for bad in [
            "Basic", "Basic !", f"Basic {good[:4]} {good[4:]}", f"Basic *{good}",
            'Basic user="user1", password="pass1"', f"Basic {good}, x", f"Basic {good}, Basic x",
            good, basic(b"user1"), basic(b":"), basic(b"\xff:\xff"), basic(b"user1:pass1\xff"),
            "Basic \u00e9",
        ]:  # fmt: skip
            answer = app.get("/", authorization=bad.encode())
            expect(answer, 401, challenge="basic")
        expect(app.get("/", basic=USER1), 200)


class TestPermissions:
    def test_public_page_is_open(self, app):
        """A public page needs no credentials."""
        expect(app.get("/public"), 200)

    def test_admin_page_tells_401_from_403(self, app):
        """Nobody gets 401, a user who may not gets 403, the admin gets in."""
        expect(app.get("/admin"), 401, challenge="basic")
        expect(app.get("/admin", basic=USER2), 403)
        expect(app.get("/admin", basic=USER1), 200)
        expect(app.get("/admin", basic=("user1", "wrong")), 401, challenge="basic")


class TestNewUsers:
    def test_admin_adds_a_user(self, app):
        """An admin adds a user, who can log in at once."""
        form = {"username": "new", "password": "a password"}
        expect(app.post("/users", basic=USER1, form=form), 201)
        expect(app.get("/", basic=("new", "a password")), 200, text="Hello, new!")
        expect(app.get("/admin", basic=("new", "a password")), 403)

    def test_only_admins_add_users(self, app):
        """Others can't add users."""
        form = {"username": "mine", "password": "a password"}
        expect(app.post("/users", form=form), 401, challenge="basic")
        expect(app.post("/users", basic=USER2, form=form), 403)
        expect(app.get("/", basic=("mine", "a password")), 401)

    def test_bad_new_users_are_refused(self, app):
        """A taken name is 409; a missing field, or a name with a colon, is 400."""
        taken = {"username": "user2", "password": "mine now"}
        expect(app.post("/users", basic=USER1, form=taken), 409)
        expect(app.get("/", basic=USER2), 200)
        for form in [
            {}, {"username": "a"}, {"password": "b"}, {"username": "a:b", "password": "b"},
            {"username": "nul", "password": "a\0b"}, {"username": "long", "password": "x" * 1025},
        ]:  # fmt: skip
            expect(app.post("/users", basic=USER1, form=form), 400)


class TestPasswords:
    def test_new_password_replaces_the_old(self, start):
        """A changed password counts at once and the old one no longer, even if it was just used."""
        app = start()
        expect(app.get("/", basic=USER2), 200)
        expect(app.post("/password", basic=USER2, form={"password": "better"}), 204)
        expect(app.get("/", basic=USER2), 401)
        expect(app.get("/", basic=("user2", "better")), 200)
        expect(app.get("/", basic=USER1), 200)
        expect(app.post("/password", form={"password": "x"}), 401, challenge="basic")
        expect(app.post("/password", basic=USER1, form={}), 400)
        expect(app.get("/", basic=USER1), 200)

    def test_old_password_is_too_late(self, start):
        """A request with the old password, whose body comes after the change, changes nothing."""
        app = start()
        for multipart, old, new in [(False, "pass2", "better"), (True, "better", "best")]:
            form = {"password": new}

            def owner(old=old, form=form):
                expect(app.post("/password", basic=("user2", old), form=form), 204)

            status = late(app, ("user2", old), "thiefs", owner, multipart)
            expect_that(
                400 <= status < 500,
                "a refusal: by the time the body came, the password in the header was the old one",
                f"status {status}",
            )
            expect(app.get("/", basic=("user2", new)), 200)
            expect(app.get("/", basic=("user2", "thiefs")), 401)

    def test_changes_survive_a_restart(self, start):
        """Added users and changed passwords are still there after a restart."""
        app = start()
        expect(app.post("/password", basic=USER2, form={"password": "better"}), 204)
        form = {"username": "kept", "password": "still mine"}
        expect(app.post("/users", basic=USER1, form=form), 201)
        app.restart()
        expect(app.get("/", basic=("user2", "better")), 200)
        expect(app.get("/", basic=USER2), 401)
        expect(app.get("/", basic=("kept", "still mine")), 200)


class TestNoList:
    def test_unknown_user_takes_the_same_time(self, app):
        """A wrong password and an unknown user take the same time, and get the same answer."""
        wrong = expect(app.get("/", basic=("user1", "wrong")), 401)
        unknown = expect(app.get("/", basic=("nobody", "wrong")), 401)
        expect_that(
            wrong.text == unknown.text,
            "the same text for an unknown user as for a wrong password",
            f"{unknown.text.strip()!r}",
            unknown,
            "body",
        )
        one, other = seconds_of(
            lambda: expect(app.get("/", basic=("user1", "wrong")), 401),
            lambda: expect(app.get("/", basic=("nobody", "wrong")), 401),
        )
        expect_that(
            0.5 < other / one < 2,
            "the same time for an unknown user as for a wrong password",
            f"an answer in {other / one:.2f} of the time",
            app.exchanges[-1],
        )


class TestText:
    def test_nul_after_the_password_is_refused(self, app):
        """`pass1` with a NUL behind it is not `pass1`."""
        expect(app.get("/", authorization=basic(b"user1:pass1")), 200)
        expect(app.get("/", authorization=basic(b"user1:pass1\0")), 401)

    def test_accents_typed_two_ways_are_one_password(self, app):
        """An é is the same password whether the keyboard sends one character or two (NFC)."""
        form = {"username": "accent", "password": "caf\u00e9:\u20ac"}
        expect(app.post("/users", basic=USER1, form=form), 201)
        for password in ("caf\u00e9:\u20ac", "cafe\u0301:\u20ac"):
            expect(app.get("/", basic=("accent", password)), 200)
        expect(app.get("/", basic=("accent", "cafe:\u20ac")), 401)

    def test_long_text_is_refused_before_the_work(self, app):
        """A password of 1024 bytes is taken; one of 40,000 is refused before NFC is computed."""
        longest = "\u00e9" * 512
        expect(app.post("/users", basic=USER1, form={"username": "long", "password": longest}), 201)
        expect(app.get("/", basic=("long", longest)), 200)
        # Marks in the wrong order: the time to sort them grows with the square of their number.
        marks = "a" + "\u0301" * 10_000 + "\u0323" * 10_000
        wrong, marked = seconds_of(
            lambda: expect(app.get("/", basic=("long", "wrong")), 401),
            lambda: expect(app.get("/", basic=("long", marks)), 401),
            rounds=3,
        )
        expect_that(
            marked < 3 * wrong,
            "a refusal of 40,000 bytes of accents that takes no longer than a wrong password",
            f"one that took {marked / wrong:.0f} times as long",
        )


class TestRemembered:
    def test_right_pair_is_not_hashed_every_time(self, app):
        """A right pair is remembered for a minute; a wrong password is hashed every time."""
        expect(app.get("/", basic=USER1), 200)
        right, wrong = seconds_of(
            lambda: expect(app.get("/", basic=USER1), 200),
            lambda: expect(app.get("/", basic=("user1", "wrong")), 401),
        )
        expect_that(
            right < wrong / 2,
            "a right pair, sent again, in less than half the time of a wrong one",
            f"an answer in {right / wrong:.2f} of the time",
            app.exchanges[-1],
        )


class TestOtherSites:
    def test_form_from_another_site_is_refused(self, start):
        """A form that another origin's page made the browser send is refused (CSRF)."""
        app = start()
        for headers in [
            # As browsers send them over https and to localhost, then to any other http address.
            {"Sec-Fetch-Site": "cross-site", "Origin": "http://other.example"},
            {"Sec-Fetch-Site": "cross-site", "Origin": "null"},
            {"Sec-Fetch-Site": "same-site", "Origin": "http://127.0.0.1"},
            {"Origin": "http://other.example"},
            {"Origin": "http://127.0.0.1"},
            {"Origin": f"http://127.0.0.1:{app.port}.other.example"},
            {"Origin": "null"},
        ]:
            form = {"password": "theirs"}
            expect(app.post("/password", basic=USER1, form=form, headers=headers), 403)
            form = {"username": "theirs", "password": "theirs"}
            expect(app.post("/users", basic=USER1, form=form, headers=headers), 403)
        expect(app.get("/", basic=USER1), 200)

    def test_own_form_is_taken(self, start):
        """A form of the app's own origin, or of a program that names none, is taken."""
        app = start()
        own = f"http://127.0.0.1:{app.port}"
        for headers in [{"Sec-Fetch-Site": "same-origin", "Origin": own}, {"Origin": own}, {}]:
            form = {"password": "pass1"}
            expect(app.post("/password", basic=USER1, form=form, headers=headers), 204)


class TestGuessing:
    beyond = "beyond"

    def test_five_wrong_passwords_close_a_user(self, start):
        """After five wrong passwords a user gets 429 with Retry-After, for the right one too."""
        app = start(GUESS_PAUSE=None)  # the default
        for name in ("user2", "nobody"):
            for _ in range(5):
                expect(app.get("/", basic=(name, "wrong")), 401, challenge="basic")
            answer = expect(app.get("/", basic=(name, "pass2")), 429, headers={"Retry-After": ""})
            pause = answer.header("Retry-After")
            expect_that(
                pause.isdigit() and 1 <= int(pause) <= 300,
                "Retry-After with the seconds that are left, 1 to 300",
                f"Retry-After: {pause}",
                answer,
                "Retry-After",
            )
        expect(app.get("/", basic=USER1), 200)

    def test_after_the_pause_the_user_gets_in(self, start):
        """After the pause the right password opens again, and the count begins anew."""
        app = start(GUESS_PAUSE=2)
        for _ in range(5):
            expect(app.get("/", basic=("user2", "wrong")), 401)
        answer = expect(app.get("/", basic=USER2), 429, headers={"Retry-After": ""})
        time.sleep(min(float(answer.header("Retry-After")), 3) + 0.2)
        expect(app.get("/", basic=USER2), 200)
        for _ in range(4):
            expect(app.get("/", basic=("user2", "wrong")), 401)
        expect(app.get("/", basic=USER2), 200)

    def test_guesses_sent_at_once_are_counted(self, start):
        """Of twenty wrong guesses sent at once five are looked at; ten right ones all get in."""
        app = start(GUESS_PAUSE=None)
        statuses = at_once(app, [USER2] * 10)
        expect_that(
            statuses == [200] * 10,
            "ten times status 200 for ten right pairs at once",
            f"status {', '.join(map(str, sorted(statuses)))}",
        )
        statuses = at_once(app, [("user2", f"guess {n}") for n in range(20)])
        expect_that(
            statuses.count(401) <= 5 and statuses.count(429) >= 15,
            "at most five times status 401, and 429 for the other guesses",
            f"{statuses.count(401)} times 401 and {statuses.count(429)} times 429",
        )

    def test_nobody_is_told_apart_while_closed(self, start):
        """While a user is closed, the right password is not told from a wrong one."""
        app = start(GUESS_PAUSE=None)
        expect(app.get("/", basic=USER2), 200)  # and may be remembered
        for _ in range(5):
            expect(app.get("/", basic=("user2", "wrong")), 401)
        wrong = expect(app.get("/", basic=("user2", "wrong")), 429)
        right = expect(app.get("/", basic=USER2), 429)
        expect_that(right.text == wrong.text, "the same text", right.text.strip(), right, "body")
