"""Lesson 01: keep a password without keeping the password.

One class is one step, in the order in which you build it. Its text says why the step matters,
`ask` is the question that leads on, `hints` go from where to look to almost the line, and `pieces`
names what the step is about in app.py.
"""

from learn.expect import expect, expect_that, seconds_of

GOOD = {"username": "user1", "password": "pass1"}


def pair(name, password):
    return {"username": name, "password": password}


class TestItWorks:
    """It works

    This holds from the beginning. Keep it so.
    """

    pieces = ["app", "index"]
    ask = "What does `GET /` answer, and what does the login with user1 and pass1?"
    hints = [
        "Compare with naive.py, which passes this step.",
        "A page for `GET /`; a view for `POST /login` that reads the form.",
        'The login ends with `return f"Hello, {name}!"`.',
    ]

    def test_it_works_front_page(self, app):
        """The front page is open to everybody."""
        expect(app.get("/"), 200)

    def test_it_works_right_password(self, app):
        """The right password is answered with a greeting."""
        expect(app.post("/login", form=GOOD), 200, text="Hello, user1!")


class TestRefusals:
    """A refusal has a status of its own

    You read "Wrong password". A program reads the status, and 200 tells it that all went well.
    """

    pieces = ["login", "refuse"]
    ask = "Which part of an answer does a program look at to know whether the login went well?"
    hints = [
        "Look at what your login returns at its very end, and at how it reads the form.",
        "Flask's abort() ends a request with a status. And a form may lack a field.",
        'abort(403, "User name or password is wrong."), and request.form.get("password", "").',
    ]

    def test_wrong_password_is_403(self, app):
        """A wrong password is refused with status 403, which a program can tell from a success."""
        expect(app.post("/login", form=pair("user1", "wrong")), 403)

    def test_half_a_login_is_403(self, app):
        """A login without a user name or a password is refused like a wrong one."""
        for form in [{}, {"username": "user1"}, {"password": "pass1"}]:
            expect(app.post("/login", form=form), 403)


class TestOwnPasswords:
    """Each user has a password of their own

    One password for everybody is no password: who knows it is whoever they say they are.
    """

    pieces = ["verify"]
    ask = "Where does your app look up which hash belongs to this user name?"
    hints = [
        "Look at what your login compares the password with.",
        "Keep a table from user name to hash, and fetch the row of this user.",
        "SELECT hash FROM users WHERE name = ?, then verify(password, hash) only if there is one.",
    ]

    def test_each_user_has_a_password_of_their_own(self, app):
        """The password of one user opens no other user's account."""
        expect(app.post("/login", form=pair("user2", "pass2")), 200, text="Hello, user2!")
        for name, password in [("user1", "pass2"), ("user2", "pass1"), ("nobody", "pass1")]:
            expect(app.post("/login", form=pair(name, password)), 403)
        expect(app.post("/login", form=GOOD), 200)


class TestRegister:
    """Users register while the app runs

    A list of users in the code needs a programmer for every new one.
    """

    pieces = ["register"]
    ask = "What must happen between a registration and the first login, and what if it can't?"
    hints = [
        "You need a view for POST /register.",
        "It hashes the password and stores the pair: 201. A name that is there: 409. A field that"
        " is missing or empty: 400.",
        "INSERT INTO users VALUES (?, ?) with name as PRIMARY KEY; IntegrityError means 409.",
    ]

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
    """A restart forgets nobody

    Servers are restarted every day, and several processes share the work. A dictionary lives in
    one process and dies with it.
    """

    pieces = ["local", "db", "prepare"]
    ask = "Where are your users when the process has ended?"
    hints = [
        "Look at where your app keeps the users.",
        "FLASK_DATABASE names a file, app.config['DATABASE'] after from_prefixed_env(). SQLite is"
        " in the standard library.",
        "CREATE TABLE IF NOT EXISTS users (name TEXT PRIMARY KEY, hash TEXT), then INSERT OR"
        " IGNORE for user1 and user2, so that a second start leaves them as they are.",
    ]

    def test_users_survive_a_restart(self, start):
        """Who registered is still there after a restart."""
        app = start()
        kept = pair("kept", "still mine")
        expect(app.post("/register", form=kept), 201)
        app.restart()
        expect(app.post("/login", form=kept), 200)
        expect(app.post("/login", form=GOOD), 200)


class TestNoList:
    """Nobody can find out who has an account

    A list of your users is worth something to whoever wants to guess their passwords. Another
    text gives them away, and so does an answer that comes sooner.
    """

    pieces = ["NOBODY"]
    ask = "What does your app do for an unknown user that takes less time than for a known one?"
    hints = [
        "Look at the two ways to be refused: an unknown name, a wrong password.",
        "The hash is what takes the time. Let an unknown user cost one as well, and let both"
        " refusals be the same line.",
        "stored = row[0] if row else NOBODY, where NOBODY is a hash that you made at the start.",
    ]

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
    """A password is text, and text has more than one form

    One keyboard sends é as one character, another as e and an accent. And a NUL or an endless
    text is no password but somebody trying things out.
    """

    pieces = ["clean"]
    ask = "Which bytes does your hash get when two keyboards send the same é in different ways?"
    hints = [
        "Look at what you do to the password before you hash it: at registration and at login.",
        "Unicode has a form in which both are the same: NFC. Measure the length in bytes, not in"
        " characters, and refuse a NUL.",
        'unicodedata.normalize("NFC", password); 1 <= len(password.encode()) <= 1024.',
    ]

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
    """Guessing is made dear, and you can see by which scheme

    Whoever steals the database guesses on hardware of their own. Argon2id makes each guess cost
    time and memory; a command of the app shows who still has another kind of hash.
    """

    pieces = ["passwords", "list_users"]
    ask = "How would you find out, without any password, which kind of hash each user has?"
    hints = [
        "The check runs `flask --app exercise.py users`. Flask lets an app add such commands.",
        "passlib's CryptContext can tell the scheme of a stored hash.",
        '@app.cli.command("users"), and print(f"{name}\\t{passwords.identify(stored)}").',
    ]

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
    """Old hashes are replaced when nobody notices

    You can't rehash a password that you don't have. At a good login you have it for a moment.
    """

    pieces = ["OLD_HASH"]
    ask = "At which moment does your app hold both the password and the knowledge that it is right?"
    hints = [
        "user2 must start with a hash of the older kind, passlib's sha512_crypt; look at your login"
        " from there.",
        "CryptContext(schemes=[new, old], deprecated='auto') reads both kinds, and tells you when"
        " a hash should be replaced.",
        "right, better = passwords.verify_and_update(password, stored), and UPDATE if better.",
    ]

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
    """Beyond app.py: a pepper

    A pepper is a secret that goes into every hash and lies outside the database. Who steals only
    the database can't even begin to guess.
    """

    beyond = True
    ask = "What could go into the hash that a thief of the database does not have?"
    hints = [
        "FLASK_PEPPER arrives as app.config['PEPPER']. Look at every place that hashes.",
        "Key the password with the pepper before it is hashed: HMAC is made for that.",
        "hmac.new(pepper.encode(), password.encode(), 'sha256').hexdigest() is what gets hashed.",
    ]

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
