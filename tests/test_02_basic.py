"""Lesson 02: HTTP Basic (RFC 7617).

One class is one step, in the order in which you build it; what each step says to the learner stands
in lessons/02_basic/steps.toml.
"""

import base64

from learn.expect import expect, expect_that, seconds_of

USER1, USER2 = ("user1", "pass1"), ("user2", "pass2")


def basic(text, scheme="Basic"):
    """An Authorization header for these exact bytes."""
    return f"{scheme} {base64.b64encode(text).decode()}"


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
        """A form that another site made the browser send is refused (CSRF)."""
        app = start()
        for site in ("cross-site", "same-site"):
            headers = {"Sec-Fetch-Site": site}
            form = {"password": "theirs"}
            expect(app.post("/password", basic=USER1, form=form, headers=headers), 403)
            form = {"username": "theirs", "password": "theirs"}
            expect(app.post("/users", basic=USER1, form=form, headers=headers), 403)
        own = {"Sec-Fetch-Site": "same-origin"}
        expect(app.post("/password", basic=USER1, form={"password": "x"}, headers=own), 204)


class TestGuessing:
    beyond = "beyond"

    def test_five_wrong_passwords_close_a_user(self, start):
        """After five wrong passwords a user gets 429 with Retry-After, for the right one too."""
        app = start(GUESS_PAUSE=3)
        for name in ("user2", "nobody"):
            for _ in range(5):
                expect(app.get("/", basic=(name, "wrong")), 401, challenge="basic")
            answer = expect(app.get("/", basic=(name, "pass2")), 429, headers={"Retry-After": ""})
            pause = answer.header("Retry-After")
            expect_that(
                pause.isdigit() and 1 <= int(pause) <= 3,
                "Retry-After with the seconds that are left, 1 to 3",
                f"Retry-After: {pause}",
                answer,
                "Retry-After",
            )
        expect(app.get("/", basic=USER1), 200)

    def test_after_the_pause_the_user_gets_in(self, start):
        """After the pause the right password opens again, and the count begins anew."""
        import time

        app = start(GUESS_PAUSE=1)
        for _ in range(5):
            expect(app.get("/", basic=("user2", "wrong")), 401)
        expect(app.get("/", basic=USER2), 429)
        time.sleep(1.3)
        expect(app.get("/", basic=USER2), 200)
        for _ in range(4):
            expect(app.get("/", basic=("user2", "wrong")), 401)
        expect(app.get("/", basic=USER2), 200)
