"""Lesson 01: keep a password without keeping the password.

One class is one step, in the order in which you build it; what each step says to the learner stands
in lessons/01_hashing/steps.toml. The passwords that the checks register have 15 characters or more
and are on no list, because the last step asks for that.
"""

from urllib.parse import urlencode

from learn import LessonError
from learn.practice import kept
from learn.practice.expect import (
    Unexpected,
    at_once,
    expect,
    expect_no_markup,
    expect_not_mixed_up,
    expect_same_answer,
    expect_same_time,
    expect_statuses,
    expect_that,
    seconds_of,
)

GOOD = {"username": "user1", "password": "pass1"}


def pair(name, password):
    return {"username": name, "password": password}


def cookies_of(answer):
    """The header with which a browser sends back the cookies of this answer, if it has any."""
    cookies = [cookie.partition(";")[0] for cookie in answer.headers("Set-Cookie")]
    return {"Cookie": "; ".join(cookies)} if cookies else {}


def register_at_once(*forms):
    """Register each of these (app, form) at the same time; return the answers."""
    return at_once(lambda one: one[0].post("/register", form=one[1]), forms)


def expect_limit(answer):
    """What is too long is refused, with 413 or like any other form that is no good."""
    refused, came = answer.status in (400, 403, 413), f"status {answer.status}"
    expect_that(refused, "status 413, 400 or 403", came, answer, "status")


def two_processes(start):
    """Start the lesson twice, at the same time, on a database that is not there yet."""
    one = start(wait=False)
    two = start(wait=False, **{name: one.settings[name] for name in ("DATABASE", "SECRET_KEY")})
    return one.wait(), two.wait()


def expect_strong(app):
    """Return the Argon2 hashes in the app's files; all must be Argon2id and cost enough."""
    found = kept.argon2_hashes(app)
    costs = {one.cost for one in found.values() if not one.is_strong}
    expect_that(
        found and not costs,
        "hashes that begin $argon2id$v=19$m=19456,t=2,p=1$, or cost more, in the file"
        " of FLASK_DATABASE",
        ", ".join(sorted(costs)) or "none",
    )
    return found


class TestItWorks:
    def test_it_works_front_page(self, app):
        """The front page is open to everybody."""
        expect(app.get("/"), 200)

    def test_it_works_right_password(self, app):
        """The right password is answered with a greeting."""
        expect(app.post("/login", form=GOOD), 200, says="Hello, user1!")

    def test_it_works_as_a_script(self, app, start):
        """Run as a script, it serves this machine only, at the lesson's port, without debugger."""
        served = start(script=True).would_serve
        if served:  # a file without app.run() is served by `flask run` alone
            expect_that(
                served == {"host": "127.0.0.1", "port": 5001, "debug": False},
                "127.0.0.1, port 5001 and no debugger from `python exercise.py`",
                "{host}, port {port} and debug={debug}".format(**served),
            )
        answer = app.get("/?__debugger__=yes&cmd=resource&f=debugger.js")  # round the app itself
        expect_that("EVALEX" not in answer.text, "no debugger", "a file of it", answer, "body")


class TestRefusals:
    def test_wrong_password_is_403(self, app):
        """A wrong password is refused with status 403, which a program can tell from a success."""
        expect(app.post("/login", form=pair("user1", "wrong")), 403)

    def test_half_a_login_is_403(self, app):
        """A login without a user name or a password is refused like a wrong one."""
        for form in [{}, {"username": "user1"}, {"password": "pass1"}]:
            expect(app.post("/login", form=form), 403)

    def test_only_a_form_counts(self, app):
        """What stands in the address is no login: addresses are kept in logs and histories."""
        address = f"/login?{urlencode(GOOD)}"
        expect(app.post(address, form={}), 403)
        answer = app.get(address)  # may show a form
        greeted = "Hello, user1!" in answer.text
        expect_that(not greeted, "no login by GET", "a greeting", answer, "body")


class TestOwnPasswords:
    def test_each_user_has_a_password_of_their_own(self, app):
        """The password of one user opens no other user's account."""
        expect(app.post("/login", form=pair("user2", "pass2")), 200, says="Hello, user2!")
        for name, password in [("user1", "pass2"), ("user2", "pass1"), ("nobody", "pass1")]:
            expect(app.post("/login", form=pair(name, password)), 403)
        expect(app.post("/login", form=GOOD), 200)

    def test_nearly_right_is_wrong(self, app):
        """Neither part of a password opens, nor more than it, nor a wrong one with a cookie."""
        for password in ("pass", "pass11", "PASS1", "ass1"):
            expect(app.post("/login", form=pair("user1", password)), 403)
        if sent := cookies_of(expect(app.post("/login", form=GOOD), 200)):
            expect(app.post("/login", form=pair("user1", "wrong"), headers=sent), 403)

    def test_a_name_is_no_pattern(self, app):
        """A user name is a text: no pattern, no piece of SQL, and another in capitals."""
        for name in (
            "user_", "%", "User1", "user1' --", "x' OR name='user1", 'user1" --',
            "\uff55ser1", "user%31",
        ):  # fmt: skip
            expect(app.post("/login", form=pair(name, "pass1")), 403)

    def test_users_at_once_are_not_mixed_up(self, app):
        """Of users who log in at the same time, each is greeted by their own name."""
        passwords = {"user1": "pass1", "user2": "pass2"}
        expect_not_mixed_up(
            lambda name: app.post("/login", form=pair(name, passwords[name])), *passwords, times=2
        )


class TestRegister:
    def test_register_then_login(self, app):
        """A new user registers while the app runs and can log in at once."""
        for new in (pair("O'Neil", "a kettle of my own"), pair("new", "a kettle on the stove")):
            expect(app.post("/login", form=new), 403)
            sent = cookies_of(expect(app.post("/register", form=new), 201))
            expect(app.post("/login", form=new), 200, says=f"Hello, {new['username']}!")
        form = pair("new", "a kettle on the shelf")
        expect(app.post("/login", form=form, headers=sent), 403)

    def test_an_unusual_name(self, app):
        """Foreign letters, HTML, a long name: each counts whole and opens, or is refused by 400."""
        for name in ("Ren\u00e9 \u4e2d \U0001f600", "<b>bold</b>", "n" * 60 + "1", "n" * 60 + "2"):
            new = pair(name, "a kettle on the stove")
            expect(app.post("/login", form=new), 403)
            answer = app.post("/register", form=new)
            came = answer.status
            expect_that(came in (201, 400), "status 201 or 400", f"status {came}", answer, "status")
            greeting = expect(app.post("/login", form=new), 200 if came == 201 else 403)
            expect_no_markup(greeting, "<b>bold")

    def test_registrations_at_once(self, app):
        """Of four registrations of one name at once a single one counts; four names get in all."""
        raced = [(app, pair("raced", f"a kettle for number {n}")) for n in range(4)]
        came = register_at_once(*raced)
        expect_statuses(came, 201, 409, 409, 409, when="for four registrations of one name")
        came = [app.post("/login", form=form) for _, form in raced]
        expect_statuses(came, 200, 403, 403, 403, when="for their four passwords")
        others = [(app, pair(f"at once {n}", f"a kettle for number {n}")) for n in range(4)]
        expect_statuses(register_at_once(*others), *[201] * 4, when="for four names")
        came = [app.post("/login", form=form) for _, form in others]
        expect_statuses(came, *[200] * 4, when="for the logins of these four")

    def test_taken_name_is_409(self, app):
        """A name that is taken can't be registered again, and its password stays what it was."""
        mine = pair("user1", "from now on it is mine")
        expect(app.post("/register", form=mine), 409)
        expect(app.post("/login", form=GOOD), 200)
        expect(app.post("/login", form=mine), 403)

    def test_missing_field_is_400(self, app):
        """A registration without a user name or a password is refused with status 400."""
        password = "a kettle on the stove"
        for form in [{}, {"username": "a"}, {"password": password}, pair("", ""), pair("a", "")]:
            expect(app.post("/register", form=form), 400)
        expect(app.post(f"/register?{urlencode(pair('a', password))}", form={}), 400)


class TestKept:
    def test_users_survive_a_restart(self, app, start):
        """Who registered in the file of FLASK_DATABASE is known to all its processes, for good."""
        one, two = two_processes(start)
        form = pair("kept", "it is still my own")
        expect(app.post("/register", form=form), 201)  # in another file
        for first, second, name in [(one, two, "kept"), (two, one, "kept too")]:
            form = pair(name, "it is still my own")
            expect(second.post("/login", form=form), 403)
            expect(first.post("/register", form=form), 201)
            expect(second.post("/login", form=form), 200)
        one.restart()
        for old in (pair("kept", "it is still my own"), form, GOOD):
            expect(one.post("/login", form=old), 200)

    def test_processes_agree_on_a_name(self, start):
        """Of two registrations of one name, at two processes at the same time, one counts."""
        raced = [(one, pair("raced", f"a kettle for {one.port}")) for one in two_processes(start)]
        expect_statuses(register_at_once(*raced), 201, 409, when="for one name at two processes")


class TestNoList:
    def test_no_page_lists_the_users(self, app):
        """No page shows who has registered."""
        expect(app.post("/register", form=pair("unlisted", "a kettle on the stove")), 201)
        for target in ("/", "/users", "/register", "/login"):
            answer = app.get(target)
            expect_that("unlisted" not in answer.text, "no user names", "one", answer, "body")

    def test_unknown_user_gets_the_same_answer(self, app):
        """A wrong password and an unknown user get the same answer."""
        wrong = expect(app.post("/login", form=pair("user1", "wrong")), 403)
        unknown = expect(app.post("/login", form=pair("nobody", "wrong")), 403)
        expect_same_answer(wrong, unknown, names=("user1", "nobody"))

    def test_unknown_user_takes_the_same_time(self, app):
        """A wrong password and an unknown user take the same time."""
        expect_same_time(
            app,
            lambda: expect(app.post("/login", form=pair("user1", "wrong")), 403),
            lambda: expect(app.post("/login", form=pair("nobody", "wrong")), 403),
        )


class TestText:
    def test_accents_typed_two_ways_are_one_password(self, app):
        """An é is the same password whether the keyboard sends one character or two (NFC)."""
        expect(app.post("/register", form=pair("accent", "meet me at the caf\u00e9")), 201)
        expect(app.post("/login", form=pair("accent", "meet me at the cafe\u0301")), 200)
        expect(app.post("/login", form=pair("accent", "meet me at the caf\u00e9")), 200)
        expect(app.post("/login", form=pair("accent", "meet me at the cafe")), 403)

    def test_any_blank_is_a_space(self, app):
        """A no-break space or any other blank is the same password as a space (RFC 8265, 4.2.2)."""
        expect(app.post("/register", form=pair("blank", "blue\u00a0kettle\u00a0left")), 201)
        for blank in [" ", "\u3000", "\u2009"]:
            form = pair("blank", f"blue{blank}kettle{blank}left")
            expect(app.post("/login", form=form), 200)
        expect(app.post("/login", form=pair("blank", "bluekettleleft")), 403)

    def test_nul_and_endless_passwords_are_refused(self, app):
        """A password with a NUL, or of more than 1024 bytes, is refused; 1024 bytes are fine."""
        longest = ("kettle on the stove, " * 49)[:1024]
        for password in ["a kettle on\0the stove", f"{longest}x", "é" * 513]:
            expect(app.post("/register", form=pair("odd", password)), 400)
        expect(app.post("/login", form=pair("user1", "pass1\0")), 403)
        expect(app.post("/register", form=pair("long", longest)), 201)
        expect(app.post("/login", form=pair("long", longest[:-1] + "y")), 403)
        expect(app.post("/login", form=pair("long", longest)), 200)

    def test_every_other_character_counts(self, app):
        """Blanks at the ends, capitals, what only looks alike: each makes another password."""
        right = " \ufb01ve Kettles don\u2019t 50%25 1+1 &amp; \U0001f469\u200d\U0001f467 "
        expect(app.post("/register", form=pair("exact", right)), 201)
        for password in [
            right.strip(), right.lstrip(), right.rstrip(), right.lower(),
            *(right.replace(*change) for change in [
                ("\ufb01", "fi"), ("\u2019", "'"), ("%25", "%"), ("+", " "),
                ("&amp;", "&"), ("\u200d", ""), ("\U0001f469", ""),
            ]),
        ]:  # fmt: skip
            expect(app.post("/login", form=pair("exact", password)), 403)
        expect(app.post("/login", form=pair("exact", right)), 200)

    def test_text_is_utf_8(self, app):
        """An é as another character set writes it is not an é: forms come in UTF-8."""
        expect(app.post("/register", form=pair("utf8", "we met at a caf\u00e9 once")), 201)
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        for e, status in [("%C3%A9", 200), ("%E9", None)]:
            body = f"username=utf8&password=we+met+at+a+caf{e}+once"
            answer = app.post("/login", body=body, headers=form)
            refused = answer.status in (400, 403)
            expect_that(
                refused if status is None else answer.status == status,
                "status 400 or 403 for an é in latin-1" if status is None else f"status {status}",
                f"status {answer.status}",
                answer,
                "status",
            )


class TestLimits:
    def test_a_large_form_is_refused(self, app):
        """A form of 400 kB is refused, best with status 413, however right the rest of it is."""
        new = pair("large", "a kettle on the stove")
        for target, form in (("/login", GOOD), ("/register", new)):
            expect_limit(app.post(target, form={**form, "more": "x" * 400_000}))
        expect(app.post("/login", form={**GOOD, "more": "x" * 100}), 200)

    def test_a_limit_comes_before_the_work(self, app):
        """An endless row of accents is refused before NFC sorts them, which would take seconds."""
        endless = pair("user1", "e" + "\u0301" * 20_000 + "\u0316" * 20_000)

        wrong, *long = seconds_of(
            lambda: expect(app.post("/login", form=pair("user1", "wrong")), 403),
            lambda: expect_limit(app.post("/login", form=endless)),
            lambda: expect_limit(app.post("/register", form=endless)),
            rounds=3,
            until=lambda wrong, *long: max(long) < 5 * wrong,
        )
        expect_that(
            max(long) < 5 * wrong,
            "a refusal in about the time of a wrong password, or sooner",
            f"one that took {max(long) / wrong:.0f} times as long",
        )


class TestArgon2:
    def test_stored_with_argon2(self, app):
        """The command `users` lists names with the schemes of their hashes, never a password."""
        expect(app.post("/register", form=pair("a new one", "we like this kettle")), 201)
        listed = app.command("users")
        for name in ("user1", "a new one"):
            lines = [line for line in listed.splitlines() if name in line]
            expect_that(
                len(lines) == 1 and "argon2" in lines[0].lower(),
                f"a line with {name} and argon2 from `flask users`",
                repr(lines[0]) if lines else "no such line",
            )
        expect_that(
            "pass1" not in listed and "kettle" not in listed and "$" not in listed,
            "neither a password nor a hash from `flask users`",
            repr(listed),
        )

    def test_each_hash_is_strong_and_has_a_salt_of_its_own(self, app):
        """The file has an Argon2id hash at OWASP's parameters or above, each with a random salt."""
        expect(app.post("/login", form=pair("user2", "pass2")), 200)  # may be hashed anew
        before = expect_strong(app)
        for name in ("twin1", "twin2"):
            expect(app.post("/register", form=pair(name, "we share this kettle")), 201)
        found = expect_strong(app)
        new = [found[text] for text in found.keys() - before.keys()]
        expect_that(
            len(new) == len({one.salt for one in new}) == 2,
            "two hashes with two salts for two users with the same password",
            f"{len(new)} new Argon2 hashes with {len({one.salt for one in new})} salts",
        )
        made = [n for n in ("twin1", "twin2") for one in new if kept.is_made_of(one.salt, n)]
        expect_that(not made, "a random salt", f"one that is made of the user name {made[:1]}")
        expect_that(
            all(kept.fits(one, "we share this kettle", app.key) for one in new),
            "hashes that are Argon2 over the password",
            "others, which only look like it",
        )

    def test_nothing_else_gives_the_password_away(self, app):
        """Neither the database nor the log nor an answer has the password, or a quick digest."""
        name, secret, mistyped = "discreet", "a kettle nobody knows", "a kettel nobody knows"
        seen = len(app.exchanges)
        expect(app.post("/register", form=pair(name, secret)), 201)
        expect(app.post("/register", form=pair(name, secret)), 409)
        for unusable in (pair("", secret), pair("other", f"{secret}\0")):
            expect(app.post("/register", form=unusable), 400)
            expect(app.post("/login", form=unusable), 403)
        expect(app.post("/login", form=pair(name, secret)), 200)
        expect(app.post("/login", form=pair(name, mistyped)), 403)
        texts = kept.files(app) | kept.printed(app, "/") | kept.answered(app.exchanges[seen:])
        for word, where in [(secret, ""), (mistyped, "")]:
            where = kept.place_of(word, texts, name)
            expect_that(not where, "a password that is kept and told nowhere", f"it {where}")
        texts = kept.printed(app, "/") | kept.answered(app.exchanges[seen:])
        where = kept.place_of("$argon2", texts)
        expect_that(not where, "hashes in the database alone", f"one {where}")


def expect_scheme(app, scheme, when):
    """Raise Unexpected unless the command `users` names this scheme for user2."""
    line = next((s for s in app.command("users").splitlines() if "user2" in s), "no line")
    found = scheme in line.lower().replace("-", "_").replace("sha_512", "sha512")
    expect_that(found, f"{scheme} for user2 {when}", f"{line!r}")


class TestOldHashes:
    def test_old_hash_is_replaced_at_login(self, start):
        """user2 comes with a hash of the older kind; the first good login replaces it."""
        app = start()
        expect(app.post("/login", form=pair("user2", "wrong")), 403)
        expect_scheme(app, "sha512_crypt", "before the first good login")
        expect(app.post("/login", form=pair("user2", "pass2")), 200)
        expect_scheme(app, "argon2", "after it")
        expect(app.post("/login", form=pair("user2", "pass2")), 200)
        expect(app.post("/login", form=pair("user2", "pass1")), 403)
        expect_that(
            any(kept.fits(one, "pass2", app.key) for one in expect_strong(app).values()),
            "an Argon2id hash of user2's password",
            "none that fits it",
        )
        texts = kept.values(app)
        where = kept.place_of("pass2", texts, "user2")
        where = where or next((f"the old hash in {n}" for n in texts if b"$6$" in texts[n]), "")
        expect_that(not where, "nothing of user2's password but the new hash", f"it {where}")

    def test_old_hash_is_replaced_for_one_of_three(self, start):
        """Of three first logins at once, one replaces the old hash, and all are good."""
        app = start()
        at_first = [pair("user2", "pass2")] * 3
        for answer in at_once(lambda form: app.post("/login", form=form), at_first):
            expect(answer, 200)
        expect(app.post("/login", form=pair("user2", "pass2")), 200)
        expect_scheme(app, "argon2", "after them")


class TestPepper:
    beyond = "beyond"

    def test_without_the_pepper_no_hash_fits(self, start):
        """With another FLASK_PEPPER no password is right; with the first one all are again."""
        app = start(PEPPER="a pepper that is kept outside the database")
        new = pair("new", "a kettle on the stove")
        expect(app.post("/register", form=new), 201)
        for form in (new, GOOD):  # user1's hash may get its pepper at this login only
            expect(app.post("/login", form=form), 200)
        first, app.settings["PEPPER"] = app.settings["PEPPER"], "quite another pepper than before"
        app.restart()
        for form in (new, GOOD):
            expect(app.post("/login", form=form), 403)
        app.settings["PEPPER"] = first
        app.restart()
        for form in (new, GOOD):
            expect(app.post("/login", form=form), 200)

    def test_a_weak_pepper_is_refused(self, start):
        """The app doesn't start with a FLASK_PEPPER that has fewer than 32 bytes."""
        try:
            start(PEPPER="x" * 31)
        except LessonError:
            return
        raise Unexpected("a start that fails, as 31 bytes are too few", "an app that runs")


class TestGuessable:
    beyond = "beyond"

    def test_a_short_password_is_400(self, app):
        """A password of fewer than 15 characters is refused with status 400; é counts as one."""
        for password in ["kettle", "K3ttle! on top", "é" * 14]:
            expect(app.post("/register", form=pair("short", password)), 400)
        password = "pâté à la crème"  # 15 characters, and none that is easily guessed
        expect(app.post("/register", form=pair("enough", password)), 201)
        expect(app.post("/login", form=pair("enough", password)), 200)
        expect(app.post("/login", form=GOOD), 200)  # who is there already still gets in

    def test_a_leaked_password_is_400(self, app):
        """A password on a list of leaked ones is refused with status 400, in capitals as well."""
        for password in ["1qaz2wsx3edc4rfv", "1QAZ2wsx3EDC4rfv", "qwertyuiop12345"]:
            expect(app.post("/register", form=pair("leaked", password)), 400)
