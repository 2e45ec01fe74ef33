"""Lesson 01: keep a password without keeping the password.

One class is one step, in the order in which you build it; what each step says to the learner stands
in lessons/01_hashing/steps.toml.
"""

from learn.expect import expect, expect_that, seconds_of

GOOD = {"username": "user1", "password": "pass1"}


def pair(name, password):
    return {"username": name, "password": password}


class TestItWorks:
    def test_it_works_front_page(self, app):
        """The front page is open to everybody."""
        expect(app.get("/"), 200)

    def test_it_works_right_password(self, app):
        """The right password is answered with a greeting."""
        expect(app.post("/login", form=GOOD), 200, text="Hello, user1!")


class TestRefusals:
    def test_wrong_password_is_403(self, app):
        """A wrong password is refused with status 403, which a program can tell from a success."""
        expect(app.post("/login", form=pair("user1", "wrong")), 403)

    def test_half_a_login_is_403(self, app):
        """A login without a user name or a password is refused like a wrong one."""
        for form in [{}, {"username": "user1"}, {"password": "pass1"}]:
            expect(app.post("/login", form=form), 403)


class TestOwnPasswords:
    def test_each_user_has_a_password_of_their_own(self, app):
        """The password of one user opens no other user's account."""
        expect(app.post("/login", form=pair("user2", "pass2")), 200, text="Hello, user2!")
        for name, password in [("user1", "pass2"), ("user2", "pass1"), ("nobody", "pass1")]:
            expect(app.post("/login", form=pair(name, password)), 403)
        expect(app.post("/login", form=GOOD), 200)


class TestRegister:
    def test_register_then_login(self, app):
        """A new user registers while the app runs and can log in at once."""
        new = pair("new", "a password")
        expect(app.post("/register", form=new), 201)
        expect(app.post("/login", form=new), 200, text="Hello, new!")
        expect(app.post("/login", form=pair("new", "another")), 403)

    def test_taken_name_is_409(self, app):
        """A name that is taken can't be registered again, and its password stays what it was."""
        expect(app.post("/register", form=pair("user1", "mine now")), 409)
        expect(app.post("/login", form=GOOD), 200)
        expect(app.post("/login", form=pair("user1", "mine now")), 403)

    def test_missing_field_is_400(self, app):
        """A registration without a user name or a password is refused with status 400."""
        for form in [{}, {"username": "a"}, {"password": "b"}, pair("", ""), pair("a", "")]:
            expect(app.post("/register", form=form), 400)


class TestKept:
    def test_users_survive_a_restart(self, start):
        """Who registered is still there after a restart."""
        app = start()
        kept = pair("kept", "still mine")
        expect(app.post("/register", form=kept), 201)
        app.restart()
        expect(app.post("/login", form=kept), 200)
        expect(app.post("/login", form=GOOD), 200)


class TestNoList:
    def test_unknown_user_gets_the_same_answer(self, app):
        """A wrong password and an unknown user get the same answer."""
        wrong = expect(app.post("/login", form=pair("user1", "wrong")), 403)
        unknown = expect(app.post("/login", form=pair("nobody", "wrong")), 403)
        expect_that(
            wrong.text == unknown.text,
            f"for an unknown user the text of a wrong password, {wrong.text.strip()!r}",
            f"the text {unknown.text.strip()!r}",
            unknown,
            "body",
        )

    def test_unknown_user_takes_the_same_time(self, app):
        """A wrong password and an unknown user take the same time."""
        wrong, unknown = seconds_of(
            lambda: expect(app.post("/login", form=pair("user1", "wrong")), 403),
            lambda: expect(app.post("/login", form=pair("nobody", "wrong")), 403),
        )
        expect_that(
            0.5 < unknown / wrong < 2,
            "the same time for an unknown user as for a wrong password",
            f"an answer in {unknown / wrong:.2f} of the time",
            app.exchanges[-1],
        )


class TestText:
    def test_accents_typed_two_ways_are_one_password(self, app):
        """An é is the same password whether the keyboard sends one character or two (NFC)."""
        expect(app.post("/register", form=pair("accent", "caf\u00e9")), 201)
        expect(app.post("/login", form=pair("accent", "cafe\u0301")), 200)
        expect(app.post("/login", form=pair("accent", "caf\u00e9")), 200)
        expect(app.post("/login", form=pair("accent", "cafe")), 403)

    def test_nul_and_endless_passwords_are_refused(self, app):
        """A password with a NUL, or of more than 1024 bytes, is refused; 1024 bytes are fine."""
        for password in ["a\0b", "x" * 1025, "é" * 513]:
            expect(app.post("/register", form=pair("odd", password)), 400)
        expect(app.post("/login", form=pair("user1", "pass1\0")), 403)
        expect(app.post("/register", form=pair("long", "x" * 1024)), 201)
        expect(app.post("/login", form=pair("long", "x" * 1023 + "y")), 403)
        expect(app.post("/login", form=pair("long", "x" * 1024)), 200)


class TestArgon2:
    def test_stored_with_argon2(self, app):
        """The command `users` lists names with the schemes of their hashes, never a password."""
        listed = app.command("users")
        lines = [line for line in listed.splitlines() if "user1" in line]
        expect_that(
            len(lines) == 1 and "argon2" in lines[0].lower(),
            "a line with user1 and argon2 from `flask users`",
            repr(lines[0]) if lines else "no such line",
        )
        expect_that(
            "pass1" not in listed and "$" not in listed,
            "neither a password nor a hash from `flask users`",
            repr(listed),
        )


class TestOldHashes:
    def test_old_hash_is_replaced_at_login(self, start):
        """user2 comes with a hash of the older kind; the first good login replaces it."""
        app = start()

        def expect_scheme(scheme, when):
            line = next((s for s in app.command("users").splitlines() if "user2" in s), "no line")
            expect_that(scheme in line, f"{scheme} for user2 {when}", f"{line!r}")

        expect_scheme("sha512_crypt", "at the start")
        expect(app.post("/login", form=pair("user2", "wrong")), 403)
        expect_scheme("sha512_crypt", "after a wrong password")
        for _ in range(2):
            expect(app.post("/login", form=pair("user2", "pass2")), 200)
            expect_scheme("argon2", "after a good login")
        expect(app.post("/login", form=pair("user2", "pass1")), 403)


class TestPepper:
    beyond = "beyond"

    def test_without_the_pepper_no_hash_fits(self, start):
        """With another FLASK_PEPPER no password is right; with the first one all are again."""
        app = start(PEPPER="a pepper that is kept outside the database")
        new = pair("new", "a password")
        expect(app.post("/register", form=new), 201)
        expect(app.post("/login", form=new), 200)
        first, app.settings["PEPPER"] = app.settings["PEPPER"], "quite another pepper than before"
        app.restart()
        expect(app.post("/login", form=new), 403)
        expect(app.post("/login", form=GOOD), 403)
        app.settings["PEPPER"] = first
        app.restart()
        expect(app.post("/login", form=new), 200)
        expect(app.post("/login", form=GOOD), 200)
