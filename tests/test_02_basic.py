"""Lesson 02: HTTP Basic (RFC 7617).

One class is one step, in the order in which you build it. Its text says why the step matters,
`ask` is the question that leads on, `hints` go from where to look to almost the line, and `pieces`
names what the step is about in app.py.
"""

import base64

from learn.expect import expect, expect_that, seconds_of

USER1, USER2 = ("user1", "pass1"), ("user2", "pass2")


def basic(text, scheme="Basic"):
    """An Authorization header for these exact bytes."""
    return f"{scheme} {base64.b64encode(text).decode()}"


class TestItWorks:
    """It works

    This holds from the beginning. Keep it so.
    """

    pieces = ["app", "index"]
    ask = "What do `GET /` without credentials, and with user1 and pass1, answer?"
    hints = [
        "Compare with naive.py, which passes this step.",
        "A challenge is status 401 and a header WWW-Authenticate; Flask-HTTPAuth sends it.",
        "@auth.login_required on the view, and a @auth.verify_password function.",
    ]

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
    """The header is read as the RFC writes it

    What a server reads more kindly than its neighbours, somebody uses to get something past them.
    And a client that isn't told the character set has to guess how to send an é.
    """

    pieces = ["BasicAuth", "auth", "refused", "refuse"]
    ask = "Which part of the header decides what the rest of it means, and who reads that part?"
    hints = [
        "Look at the challenge first, then at how the header Authorization is taken apart.",
        "Flask-HTTPAuth takes any scheme's name. Werkzeug's request.authorization is strict; a"
        " subclass of HTTPBasicAuth can use it in get_auth(), and add to authenticate_header().",
        "In authenticate_header(): return super().authenticate_header() + ', charset=\"UTF-8\"'."
        ' In get_auth(): return sent if sent and sent.type == "basic" else None, with ValueError'
        " caught where request.authorization is read (bytes that are not ASCII).",
    ]

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
    """Who you are is one question, what you may do another

    401 says "tell me who you are", and the browser asks. 403 says "I know you, and you may not":
    asking again would not help.
    """

    pieces = ["roles", "public", "admin"]
    ask = "user2 has shown who they are. What would a second question for the password change?"
    hints = [
        "You need two more views: /public for everybody, /admin for admins.",
        "Flask-HTTPAuth knows roles: get_user_roles tells those of a user, login_required(role=…)"
        " asks for one.",
        '@auth.login_required(role="admin"), and @auth.get_user_roles returning "admin" or None.',
    ]

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
    """Admins add users while the app runs

    A dictionary in the code can't grow without a new start.
    """

    pieces = ["add_user", "hash_of_new_password", "local", "db", "prepare"]
    ask = "What can be wrong with a new user name or password, and which status says so?"
    hints = [
        "You need a view for POST /users, for admins, and a place for users that can grow.",
        "201 when it went well, 409 for a name that is taken, 400 for a field that is missing or"
        " unusable. A colon ends the user name in the header: who has one can't log in.",
        "INSERT INTO users with name as PRIMARY KEY; sqlite3.IntegrityError means 409.",
    ]

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
    """Users change their passwords, and it lasts

    Who fears that a password was seen changes it. From that moment the old one must be worthless,
    in every process and after every restart.
    """

    pieces = ["change_password"]
    ask = "Where does your app still know the old password after the change?"
    hints = [
        "You need a view for POST /password. Who is asking? auth.current_user() knows.",
        "Store the new hash where the old one was: in the file that FLASK_DATABASE names. 204 says"
        " that it is done and that there's nothing to show.",
        'UPDATE users SET hash = ? WHERE name = ?, then return "", 204.',
    ]

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
    """Nobody can find out who has an account

    An answer that comes sooner gives away that no hash was computed, so that there is no such
    user. A clock is all it takes.
    """

    pieces = ["NOBODY", "verify"]
    ask = "What does your app not do for an unknown user that takes so long for a known one?"
    hints = [
        "Look at what happens before the hash is checked.",
        "Let an unknown user cost a hash too.",
        'stored = user["hash"] if user else NOBODY, where NOBODY is a hash made at the start.',
    ]

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
    """A password is text, and text has more than one form

    One keyboard sends é as one character, another as e and an accent. And Werkzeug's own hash
    takes `pass1` with a NUL behind it for `pass1`.
    """

    pieces = ["clean", "argon2id"]
    ask = "What exactly are the bytes that your hash function gets, and does it read all of them?"
    hints = [
        "Look at what you do with the password before it is hashed, and at which hash it is.",
        "NFC makes both forms of é the same. Argon2id reads every byte; refuse a NUL anyway.",
        'unicodedata.normalize("NFC", password), at every place where a password comes in.',
    ]

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
    """A slow hash is not paid at every request

    Basic sends the password each time. A hash that takes a twentieth of a second means twenty
    requests a second at most; a right pair may be remembered for a minute instead.
    """

    pieces = ["remembered"]
    ask = "What could you keep in memory that recognises the same password but is not the password?"
    hints = [
        "Look at what your app computes when the same right pair comes a second time.",
        "Keep a keyed hash (HMAC) of the pair and a time until which it counts. A wrong password"
        " must still be hashed slowly, and a change of password must end what is remembered.",
        'hmac.digest(key, f"{stored_hash}\\0{password}".encode(), "sha256"), compared with'
        " hmac.compare_digest.",
    ]

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
    """A form on another site can't use your password

    Once you typed it, the browser adds the password to every request to this server, also when
    another site's page sends the form. It says so in Sec-Fetch-Site.
    """

    pieces = ["refuse_other_sites"]
    ask = "How could your app see whether a form came from a page of its own?"
    hints = [
        "Look at the request's header Sec-Fetch-Site. Programs such as curl send none.",
        "Refuse what changes something when the header says cross-site or same-site.",
        '@app.before_request, and abort(403) if it is a POST and the header ends in "-site".',
    ]

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
    """Beyond app.py: a limit on guesses

    A slow hash makes each guess dear, but nobody counts them. Five wrong passwords for one user,
    and that user has to wait.
    """

    beyond = True
    ask = "Whose guesses do you count: those of an address, of a user, of everybody?"
    hints = [
        "Look at the place where a password turns out to be wrong.",
        "Keep, per user name, how many were wrong and until when it is closed. FLASK_GUESS_PAUSE"
        " says how many seconds; without it there is no limit. 429 and Retry-After say so, for"
        " unknown names too.",
        "abort(429) with the header Retry-After before any hash is computed; a right one clears.",
    ]

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
