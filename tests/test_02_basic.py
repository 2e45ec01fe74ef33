"""Lesson 02: HTTP Basic (RFC 7617).

One class is one step, in the order in which you build it; what each step says to the learner stands
in lessons/02_basic/steps.toml.
"""

import base64
import contextlib
import functools
import itertools
import re
import socket
import statistics
import time
from urllib.parse import urlencode

from learn.practice import kept
from learn.practice.expect import (
    at_once,
    expect,
    expect_no_markup,
    expect_same_answer,
    expect_same_time,
    expect_statuses,
    expect_that,
    seconds_of,
    steady,
)
from learn.running.client import TIMEOUT

SETTINGS = {"GUESS_PAUSE": 0}  # no limit on guesses: the checks guess a lot
USER1, USER2 = ("user1", "pass1"), ("user2", "pass2")


def basic(text, scheme="Basic"):
    """An Authorization header for these exact bytes."""
    return f"{scheme} {base64.b64encode(text).decode()}"


def get_at_once(app, pairs):
    """Send GET / with each of these pairs at the same time; return the answers."""
    return at_once(lambda pair: app.get("/", basic=pair), pairs)


def add_at_once(*pairs):
    """Let user1 add each of these (app, user) at the same time; return the answers."""

    def add(one):
        form = dict(zip(("username", "password"), one[1], strict=True))
        return one[0].post("/users", basic=USER1, form=form)

    return at_once(add, pairs)


def expect_refused(answer):
    """A refusal, or an address that leads nowhere: anything but the page itself."""
    expect_that(answer.status >= 300, "no page", f"status {answer.status}", answer, "status")


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


def later(app, groups, wait):
    """Return the median times of a right pair 50 and 65 s after a login, and of a wrong one.

    groups: of pairs, whose times pass together; wait: how to let so many seconds pass.
    """
    times = [], [], []

    def note(kind, pair, status):
        begin = time.perf_counter()
        expect(app.get("/", basic=pair), status)
        times[kind].append(time.perf_counter() - begin)

    for pairs in groups:
        for pair in pairs:
            expect(app.get("/", basic=pair), 200)
        wait(50)
        for pair in pairs:
            note(0, pair, 200)
        wait(15)
        for pair in pairs:
            note(1, pair, 200)
            note(2, (pair[0], "wrong"), 401)
    return [statistics.median(one) for one in times]


def late(app, asked, meanwhile):
    """Send POSTs, hold their bodies back until `meanwhile` has run; return their answers' heads.

    asked: (target, pair, form, whether as multipart/form-data) each.
    """
    with contextlib.ExitStack() as stack:
        held = []
        for target, pair, form, multipart in asked:
            kind, body = "application/x-www-form-urlencoded", urlencode(form)
            if multipart:
                kind, body = "multipart/form-data; boundary=x", multipart_of(form)
            head = [
                f"POST {target} HTTP/1.1",
                f"Host: 127.0.0.1:{app.port}",
                f"Authorization: {basic(':'.join(pair).encode())}",
                f"Content-Type: {kind}",
                f"Content-Length: {len(body)}",
                "Connection: close",
            ]
            connection = socket.create_connection(("127.0.0.1", app.port), timeout=TIMEOUT)
            stack.enter_context(connection)
            connection.sendall("\r\n".join([*head, "", ""]).encode())
            held.append((connection, body.encode()))
        time.sleep(0.5)  # by now the app has looked at the headers, if it does so before the bodies
        meanwhile()
        for connection, body in held:
            with contextlib.suppress(OSError):  # closed by the app: its answer tells more
                connection.sendall(body)
        return [_head(connection) for connection, _ in held]


def _head(connection):
    """Return the head of an answer, or "" where the connection is closed without one."""
    with contextlib.suppress(OSError):
        head = connection.makefile("rb").read().partition(b"\r\n\r\n")[0]
        return head.decode("latin-1")
    return ""


def multipart_of(form):
    """A form as multipart/form-data, with the boundary x."""
    parts = [
        f'--x\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{form[n]}\r\n' for n in form
    ]
    return "".join(parts) + "--x--\r\n"


class TestItWorks:
    def test_it_works_right_password(self, app):
        """The right password is answered with a greeting."""
        for name, password in (USER1, USER2):
            expect(app.get("/", basic=(name, password)), 200, says=f"Hello, {name}!")

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

    def test_it_works_as_a_script(self, app, start):
        """Run as a script, it serves this machine only, at the lesson's port, without debugger."""
        served = start(script=True).would_serve
        if served:  # a file without app.run() is served by `flask run` alone
            expect_that(
                served == {"host": "127.0.0.1", "port": 5002, "debug": False},
                "127.0.0.1, port 5002 and no debugger from `python exercise.py`",
                "{host}, port {port} and debug={debug}".format(**served),
            )
        answer = app.get("/?__debugger__=yes&cmd=resource&f=debugger.js")  # round the app itself
        expect_that("EVALEX" not in answer.text, "no debugger", "a file of it", answer, "body")


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

    def test_credentials_come_in_one_place(self, app):
        """No address, form, cookie or other header stands for the header Authorization."""
        query = urlencode({"username": "user1", "user": "user1", "password": "pass1"})
        pair = base64.b64encode(b"user1:pass1").decode()
        good = app.get("/", basic=USER1)
        kept = (good.header("Cache-Control") or "").lower()
        shared = "public" in kept or "s-maxage" in kept  # RFC 9111 3.5
        expect_that(not shared, "a page that proxies don't keep", kept, good, "Cache-Control")
        cookies = good.headers("Set-Cookie")
        cookies = [cookie.partition(";")[0] for cookie in cookies] or ["user=user1"]
        for target, headers in [
            (f"/?{query}", {}),
            (f"/?Authorization=Basic+{pair}", {}),
            ("/", {"Cookie": "; ".join(cookies)}),
            ("/", {"Cookie": f"username=user1; password=pass1; Authorization=Basic {pair}"}),
            ("/", {"Proxy-Authorization": f"Basic {pair}", "X-Authorization": f"Basic {pair}"}),
            ("/", {"X-Forwarded-User": "user1", "X-Remote-User": "user1", "Remote-User": "user1"}),
        ]:
            answer = app.get(target, headers=headers)
            expect(answer, 401, challenge="basic", charset="UTF-8")
        expect(app.send("HEAD", "/"), 401)


class TestPermissions:
    def test_public_page_is_open(self, app):
        """A public page needs no credentials, and none that are sent along close it."""
        expect(app.get("/public"), 200)
        expect(app.get("/public", basic=("user1", "wrong")), 200)

    def test_admin_page_tells_401_from_403(self, app):
        """Nobody gets 401, a user who may not gets 403, the admin gets in."""
        expect(app.get("/admin"), 401, challenge="basic", charset="UTF-8")
        expect(app.get("/admin", basic=USER2), 403)
        expect(app.get("/admin", basic=USER1), 200)
        for pair in [("user1", "wrong"), ("user2", "wrong"), ("user1", "pass2")]:
            expect(app.get("/admin", basic=pair), 401, challenge="basic")

    def test_admin_page_has_no_side_door(self, app):
        """No other method, spelling, parameter or header makes an admin of user2."""
        expect(app.get("/admin", basic=USER1), 200)
        claims = {"admin": "1", "role": "admin", "is_admin": "true", "username": "user1"}
        expect(app.send("HEAD", "/admin"), 401)
        expect(app.send("HEAD", "/admin", basic=USER2), 403)
        for target in ("/admin/", "//admin", "/Admin", "/admin?", "/admin;", "/public/../admin"):
            expect_refused(app.get(target))
            expect_refused(app.get(target, basic=USER2))
        headers = {"Cookie": "admin=1; role=admin", "X-Role": "admin", "X-Forwarded-User": "user1"}
        expect(app.get(f"/admin?{urlencode(claims)}", basic=USER2, headers=headers), 403)

    def test_users_at_once_are_not_mixed_up(self, start):
        """Of users who come at the same time, each is greeted by name, and user2 is no admin."""
        app = start()  # which remembers nobody yet: each request takes as long as a hash
        asked = [("/admin", USER2, 403), ("/", USER2, 200), ("/", USER1, 200)] * 2
        asked += [("/admin", USER1, 200)] * 2
        answers = at_once(lambda one: app.get(one[0], basic=one[1]), asked)
        for (target, (name, _), status), answer in zip(asked, answers, strict=True):
            expect(answer, status, says=f"Hello, {name}!" if target == "/" else None)


class TestNewUsers:
    def test_admin_adds_a_user(self, app):
        """An admin adds a user, who can log in at once and is no admin, whatever the name."""
        expect(app.get("/", basic=("admin", "a password")), 401)
        for name in ("admin", "user10", "USER1", "O'Neil"):
            form = {"username": name, "password": "a password"}
            expect(app.post("/users", basic=USER1, form=form), 201)
            expect(app.get("/", basic=(name, "a password")), 200, says=f"Hello, {name}!")
            expect(app.get("/admin", basic=(name, "a password")), 403)
        form = {"username": "climber", "password": "a password", "admin": "1", "role": "admin"}
        app.post("/users", basic=USER1, form={**form, "is_admin": "true"})  # added or refused
        answer = app.get("/admin", basic=("climber", "a password"))
        expect_that(answer.status in (401, 403), "no admin", f"status {answer.status}", answer)

    def test_an_unusual_name(self, app):
        """Foreign letters, HTML, a long name: each counts whole and opens, or is refused by 400."""
        for name in ("Ren\u00e9 \u4e2d \U0001f600", "<b>bold</b>", "n" * 60 + "1", "n" * 60 + "2"):
            new = name, "a password"
            expect(app.get("/", basic=new), 401)
            form = {"username": name, "password": "a password"}
            answer = app.post("/users", basic=USER1, form=form)
            came = answer.status
            expect_that(came in (201, 400), "status 201 or 400", f"status {came}", answer, "status")
            greeting = expect(app.get("/", basic=new), 200 if came == 201 else 401)
            expect_no_markup(greeting, "<b>bold")

    def test_a_name_is_no_pattern(self, app):
        """A user name is a text: no pattern, no piece of SQL, and another in capitals."""
        form = {"username": "one more", "password": "pass1"}
        expect(app.post("/users", basic=USER1, form=form), 201)
        for name in (
            "user_", "%", "User1", "user1' --", "x' OR name='user1", 'user1" --',
            "\uff55ser1", "user%31",
        ):  # fmt: skip
            expect(app.get("/", basic=(name, "pass1")), 401)

    def test_additions_at_once(self, app):
        """Of four users added under one name at once a single one counts; four names get in all."""
        raced = [(app, ("raced", f"{n} is mine")) for n in range(4)]
        expect_statuses(add_at_once(*raced), 201, 409, 409, 409, when="for one name, four times")
        came = get_at_once(app, [pair for _, pair in raced])
        expect_statuses(came, 200, 401, 401, 401, when="for the four passwords")
        others = [(app, (f"at once {n}", f"{n} is mine")) for n in range(4)]
        expect_statuses(add_at_once(*others), *[201] * 4, when="for four names")
        came = get_at_once(app, [pair for _, pair in others])
        expect_statuses(came, *[200] * 4, when="for these four")

    def test_only_admins_add_users(self, app):
        """Others can't add users, nor learn here which names are taken."""
        form = {"username": "mine", "password": "a password"}
        taken = {**form, "username": "user1"}
        for any_form in (form, taken, {}):
            expect(app.post("/users", form=any_form), 401, challenge="basic", charset="UTF-8")
        for any_form in (form, taken):
            expect(app.post("/users", basic=USER2, form=any_form), 403)
        expect(app.post("/users", basic=USER2, form={**form, "role": "admin", "admin": "1"}), 403)
        expect(app.post("/users", basic=("user1", "wrong"), form=form), 401, challenge="basic")
        app.get(f"/users?{urlencode(form)}", basic=USER1)  # may show a form, and adds nobody
        expect(app.post(f"/users?{urlencode(form)}", basic=USER1, form={}), 400)
        expect(app.get("/", basic=("mine", "a password")), 401)

    def test_bad_new_users_are_refused(self, app):
        """A taken name is 409; a missing field, a colon in the name, a NUL or 1025 bytes: 400."""
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
        for form in ({"password": "x"}, {}):
            expect(app.post("/password", form=form), 401, challenge="basic", charset="UTF-8")
        for bad in ("", "nul\0", "x" * 1025):
            expect(app.post("/password", basic=USER1, form={"password": bad}), 400)
        expect(app.post("/password", basic=USER1, form={}), 400)
        expect(app.post("/password?password=better", basic=USER1, form={}), 400)
        expect(app.get("/", basic=USER1), 200)

    def test_nobody_changes_another_users_password(self, app):
        """Whose password changes is said by the credentials alone, by no field nor parameter."""
        claims = {"username": "user1", "user": "user1", "name": "user1"}
        form = {"password": "theirs", **claims}
        expect(app.post("/password", basic=("user1", "wrong"), form=form), 401, challenge="basic")
        own = {"username": "changer", "password": "a password"}
        expect(app.post("/users", basic=USER1, form=own), 201)
        target = f"/password?{urlencode(claims)}"
        app.post(target, basic=("changer", "a password"), form=form)  # changes one's own, or none
        expect(app.get("/", basic=("user1", "theirs")), 401)
        expect(app.get("/", basic=USER1), 200)

    def test_old_password_is_too_late(self, start):
        """A request with the old password, whose body comes after the change, changes nothing."""
        app, new = start(), {"user1": "better", "user2": "best"}

        def owners():
            for name, old in (USER1, USER2):
                changed = app.post("/password", basic=(name, old), form={"password": new[name]})
                expect(changed, 204)

        thiefs = {"password": "thiefs"}
        asked = [("/password", USER2, thiefs, False), ("/password", USER2, thiefs, True)]
        asked += [("/users", USER1, {"username": "thief", **thiefs}, False)]
        for head, (target, *_) in zip(late(app, asked, owners), asked, strict=True):
            expect_that(head, f"an answer from {target}", "none")
            status, _, headers = head.partition("\r\n")
            status = int(status.split()[1])
            expect_that(
                400 <= status < 500,
                "a refusal: by the time the body came, the password in the header was the old one",
                f"status {status} from {target}",
            )
            challenged = status != 401 or re.search(
                r"^www-authenticate:(.*,)?[ \t]*basic\b", headers, re.I | re.M
            )
            expect_that(challenged, "WWW-Authenticate with 401", f"none from {target}")
        for name, password in new.items():
            expect(app.get("/", basic=(name, password)), 200)
            expect(app.get("/", basic=(name, "thiefs")), 401)
        expect(app.get("/", basic=("thief", "thiefs")), 401)
        expect(app.get("/admin", basic=("user1", new["user1"])), 200)
        expect(app.get("/admin", basic=("user2", new["user2"])), 403)

    def test_changes_survive_a_restart(self, app, start):
        """Changes in the file of FLASK_DATABASE count in all its processes, after a restart too."""
        one = start(wait=False)
        two = start(wait=False, **{name: one.settings[name] for name in ("DATABASE", "SECRET_KEY")})
        one.wait()  # both start on a database that is not there yet
        two.wait()
        form = {"username": "kept", "password": "still mine"}
        expect(app.post("/users", basic=USER1, form=form), 201)  # in another file
        for each in (one, two):
            expect(each.get("/", basic=USER2), 200)  # and may be remembered
            expect(each.get("/", basic=("kept", "still mine")), 401)
        expect(one.post("/password", basic=USER2, form={"password": "better"}), 204)
        expect(one.post("/users", basic=USER1, form=form), 201)
        for each in (two, one):
            if each is one:
                one.restart()
            expect(each.get("/", basic=USER2), 401)
            expect(each.get("/", basic=("user2", "better")), 200)
            expect(each.get("/", basic=("kept", "still mine")), 200)
        raced = [(each, ("raced", f"{each.port} is mine")) for each in (one, two)]
        expect_statuses(add_at_once(*raced), 201, 409, when="for one name at two processes")


class TestNoList:
    def test_unknown_user_takes_the_same_time(self, app):
        """A wrong password and an unknown user take the same time, and get the same answer."""
        form = {"username": "theirs", "password": "theirs"}

        def ask(method, target, name):
            form_of = form if method == "POST" else None
            return expect(app.send(method, target, basic=(name, "wrong"), form=form_of), 401)

        asked = [("GET", "/"), ("GET", "/admin"), ("POST", "/users"), ("POST", "/password")]
        for one in asked:
            names = ("user1", "nobody")
            expect_same_answer(*(ask(*one, name) for name in names), names=names)
        unknown = [functools.partial(ask, *one, "nobody") for one in asked]
        expect_same_time(app, lambda: ask("GET", "/", "user1"), *unknown, rounds=3)


class TestText:
    def test_nul_after_the_password_is_refused(self, app):
        """`pass1` with a NUL behind it is not `pass1`."""
        expect(app.get("/", authorization=basic(b"user1:pass1")), 200)
        expect(app.get("/", authorization=basic(b"user1:pass1\0")), 401)

    def test_accents_typed_two_ways_are_one_password(self, app):
        """An é is the same password whether the keyboard sends one character or two (NFC)."""
        form = {"username": "accent", "password": "caf\u00e9:\u20ac"}
        expect(app.post("/users", basic=USER1, form=form), 201)
        composed, decomposed = "caf\u00e9:\u20ac", "cafe\u0301:\u20ac"
        for changed in ({"password": decomposed}, None):
            for password in (composed, decomposed):
                expect(app.get("/", basic=("accent", password)), 200)
            expect(app.get("/", basic=("accent", "cafe:\u20ac")), 401)
            if changed:
                expect(app.post("/password", basic=("accent", composed), form=changed), 204)
        name = "Rene\u0301"
        added = app.post("/users", basic=USER1, form={"username": name, "password": composed})
        expect(app.get("/", basic=(name, composed)), 200 if added.status == 201 else 401)

    def test_long_text_is_refused_before_the_work(self, app):
        """A password of 1024 bytes is taken; one of 40,000 is refused before NFC is computed."""
        longest = "\u00e9" * 512
        expect(app.post("/users", basic=USER1, form={"username": "long", "password": longest}), 201)
        expect(app.get("/", basic=("long", longest[:-1] + "e")), 401)
        expect(app.get("/", basic=("long", longest)), 200)
        # Marks in the wrong order: the time to sort them grows with the square of their number.
        marks = "a" + "\u0301" * 10_000 + "\u0323" * 10_000
        wrong, plain, marked = seconds_of(
            lambda: expect(app.get("/", basic=("long", "wrong")), 401),
            lambda: expect(app.get("/", basic=("long", "a" * 40_001)), 401),
            lambda: expect(app.get("/", basic=("long", marks)), 401),
            rounds=3,
            until=lambda wrong, plain, marked: marked < 2 * max(wrong, plain),
        )
        expect_that(
            marked < 2 * max(wrong, plain),
            "a refusal of 40,000 bytes of accents that takes no longer than a wrong password",
            f"one that took {marked / wrong:.0f} times as long",
        )

    def test_every_other_character_counts(self, app):
        """Blanks at the ends, capitals, what only looks alike: each makes another password."""
        right = " \ufb01ve Kettles don\u2019t 50%25 1+1 &amp; \U0001f469\u200d\U0001f467 "
        expect(app.post("/users", basic=USER1, form={"username": "exact", "password": right}), 201)
        for password in [
            right.strip(), right.lstrip(), right.rstrip(), right.lower(), right + "!",
            *(right.replace(*change) for change in [
                ("\ufb01", "fi"), ("\u2019", "'"), ("%25", "%"), ("+", " "),
                ("&amp;", "&"), ("\u200d", ""), ("\U0001f469", ""),
            ]),
        ]:  # fmt: skip
            expect(app.get("/", basic=("exact", password)), 401)
        expect(app.get("/", basic=("exact", right)), 200)

    def test_text_is_utf_8(self, app):
        """An é as another character set writes it is not an é: the challenge has named UTF-8."""
        form = {"username": "utf8", "password": "caf\u00e9"}
        expect(app.post("/users", basic=USER1, form=form), 201)
        expect(app.get("/", authorization=basic("utf8:caf\u00e9".encode())), 200)
        expect(app.get("/", authorization=basic("utf8:caf\u00e9".encode("latin-1"))), 401)


class TestStored:
    def test_each_hash_is_strong_and_has_a_salt_of_its_own(self, app):
        """The file has an Argon2id hash at OWASP's parameters or above, each with a random salt."""
        before = expect_strong(app)
        pairs = [("twin1", "we share this kettle"), ("twin2", "we share this kettle")]
        expect_statuses(add_at_once(*((app, pair) for pair in pairs)), 201, 201, when="for two")
        found = expect_strong(app)
        new = [found[text] for text in found.keys() - before.keys()]
        expect_that(
            len(new) == len({one.salt for one in new}) == 2,
            "two hashes with two salts for two users with the same password",
            f"{len(new)} new Argon2 hashes with {len({one.salt for one in new})} salts",
        )
        expect_that(
            all(kept.fits(one, "we share this kettle", app.key) for one in new),
            "hashes that are Argon2 over the password",
            "others, which only look like it",
        )
        for old, password in [(pairs[0][1], "another kettle"), ("another kettle", pairs[0][1])]:
            changed = app.post("/password", basic=("twin1", old), form={"password": password})
            expect(changed, 204)
        new += [one for text, one in expect_strong(app).items() if text not in before]
        salts = {one.salt for one in new}
        expect_that(
            len(salts) >= 3 and not any(kept.is_made_of(s, n) for s in salts for n, _ in pairs),
            "a random salt, new for each change",
            "one that is made of the user name, or was there before",
        )

    def test_nothing_else_gives_the_password_away(self, app):
        """Neither the database nor the log nor an answer has the password, or a quick digest."""
        seen = len(app.exchanges)
        name, first, second = "discreet", "a kettle nobody knows", "another one of them"
        mistyped = "a kettel nobody knows"
        for status in (201, 409):
            form = {"username": name, "password": first}
            expect(app.post("/users", basic=USER1, form=form), status)
        for unusable in ({"password": first}, {"username": "other", "password": f"{first}\0"}):
            expect(app.post("/users", basic=USER1, form=unusable), 400)
        expect(app.get("/", basic=(name, mistyped)), 401)
        for _ in range(2):
            expect(app.get("/", basic=(name, first)), 200)
        expect(app.get("/admin", basic=(name, first)), 403)
        expect(app.post("/password", basic=(name, first), form={"password": second}), 204)
        told = kept.printed(app, "/public") | kept.answered(app.exchanges[seen:])
        for word in (first, mistyped, second):
            where = kept.place_of(word, kept.files(app) | told, name)
            expect_that(not where, "a password that is kept and told nowhere", f"it {where}")
        for word, what in [("$argon2", "hashes"), (app.key, "the FLASK_SECRET_KEY")]:
            where = kept.place_of(word, told)
            expect_that(not where, f"{what} in no log or answer", f"one {where}")


class TestRemembered:
    def test_right_pair_is_not_hashed_every_time(self, app):
        """A right pair is remembered for a minute; a wrong password is hashed every time."""
        form = {"username": "patient", "password": "a kettle that sings for long"}
        expect(app.post("/users", basic=USER1, form=form), 201)
        for end, status in [("", 200), (" now", 401), ("\0", 401)]:  # all of it is remembered
            expect(app.get("/", basic=("patient", form["password"] + end)), status)
        expect(app.get("/", basic=("patient", form["password"][:-1])), 401)
        for pair in (USER1, USER2):
            expect(app.get("/", basic=pair), 200)
        turns = itertools.cycle([USER1, USER2])
        right, wrong = seconds_of(
            lambda: expect(app.get("/", basic=next(turns)), 200),
            lambda: expect(app.get("/", basic=("user1", "wrong")), 401),
            until=lambda right, wrong: right < wrong / 2,
        )
        expect_that(
            right < wrong / 2,
            "a right pair, sent again, in less than half the time of a wrong one",
            f"an answer in {right / wrong:.2f} of the time",
            app.exchanges[-1],
        )

    def test_a_pair_is_remembered_for_a_minute(self, app, start):
        """A right pair is hashed again a minute after it was, however often it was used since."""
        moved, ahead = start(clock=True), [0]

        def set_forth(seconds):
            ahead.append(ahead[-1] + seconds)
            moved.set_clock(ahead[-1])

        pairs = [USER1, USER2, *[(f"later {n}", "a password") for n in range(3)]]
        for each, (name, password) in itertools.product((moved, app), pairs[2:]):
            form = {"username": name, "password": password}
            expect(each.post("/users", basic=USER1, form=form), 201)
        for _ in range(4):  # on a busy machine, once says little
            set_forth(120)  # what came so far is forgotten
            early, late, wrong = later(moved, [[pair] for pair in pairs], set_forth)
            if early < wrong / 2 < late:
                break
        expect_that(
            early < wrong / 2,
            "a right pair, 50 s after it was verified, in less than half the time of a wrong one",
            f"an answer in {early / wrong:.2f} of the time",
        )
        if late < wrong / 2:  # its clock may be another one, such as a database's: wait for it
            _, late, wrong = later(app, [pairs], time.sleep)
        expect_that(
            late > wrong / 2,
            "that a pair is hashed again, 65 s after it was and 15 s after it was last used",
            f"an answer in {late / wrong:.2f} of the time of a wrong password",
            app.exchanges[-2],
        )


class TestOtherSites:
    def test_form_from_another_site_is_refused(self, app):
        """A form that another origin's page made the browser send is refused (CSRF)."""
        for headers in [
            # As browsers send them over https and to localhost, then to any other http address.
            {"Sec-Fetch-Site": "cross-site", "Origin": "http://other.example"},
            {"Sec-Fetch-Site": "cross-site", "Origin": "null"},
            {"Sec-Fetch-Site": "same-site", "Origin": "http://127.0.0.1"},
            {"Origin": "http://other.example"},
            {"Origin": "http://127.0.0.1"},
            {"Origin": f"https://127.0.0.1:{app.port}"},
            {"Origin": f"http://127.0.0.1:{app.port}.other.example"},
            {"Origin": "null"},
        ]:
            form = {"password": "theirs"}
            expect(app.post("/password", basic=USER1, form=form, headers=headers), 403)
            form = {"username": "theirs", "password": "theirs"}
            expect(app.post("/users", basic=USER1, form=form, headers=headers), 403)
        for target in ("/password?password=theirs", "/users?username=theirs&password=theirs"):
            app.get(target, basic=USER1)  # a link, or a picture's address, which changes nothing
        expect(app.get("/", basic=("theirs", "theirs")), 401)
        expect(app.get("/", basic=("user1", "theirs")), 401)
        headers = {"Origin": "http://other.example"}
        kind = {"Content-Type": "multipart/form-data; boundary=x"}
        body = multipart_of({"password": "theirs"})
        expect(app.post("/password", basic=USER1, body=body, headers={**headers, **kind}), 403)
        read = expect(app.get("/", basic=USER1, headers=headers), 200)
        told = (read.header("Access-Control-Allow-Credentials") or "").lower()
        name = "Access-Control-Allow-Credentials"
        expect_that(
            told != "true", "a page that no script of another origin reads", name, read, name
        )

    def test_own_form_is_taken(self, app):
        """A form of the app's own origin, or of a program that names none, is taken."""
        own = f"http://127.0.0.1:{app.port}"
        for headers in [{"Sec-Fetch-Site": "same-origin", "Origin": own}, {"Origin": own}, {}]:
            form = {"password": "pass1"}
            expect(app.post("/password", basic=USER1, form=form, headers=headers), 204)
        link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
        expect(app.get("/", basic=USER1, headers=link), 200)  # any page may link here


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
        for pause in (2, 8, 30):  # on a busy machine, a short one may be over before the last guess
            app, begin = start(GUESS_PAUSE=pause), time.monotonic()
            wrong = [app.get("/", basic=("user2", "wrong")) for _ in range(5)]
            answer = app.get("/", basic=USER2)
            if time.monotonic() - begin < pause / 2:
                break
        for guess in wrong:
            expect(guess, 401)
        expect(answer, 429, headers={"Retry-After": ""})
        time.sleep(min(float(answer.header("Retry-After")), pause + 1) + 0.2)
        expect(app.get("/", basic=USER2), 200)
        for _ in range(4):
            expect(app.get("/", basic=("user2", "wrong")), 401)
        expect(app.get("/", basic=USER2), 200)

    def test_guesses_sent_at_once_are_counted(self, start):
        """Of twenty wrong guesses sent at once five are looked at; ten right ones all get in."""
        app = start(GUESS_PAUSE=None)
        right = get_at_once(app, [USER2] * 10)
        expect_statuses(right, *[200] * 10, when="for ten right pairs at once")
        guesses = get_at_once(app, [("user2", f"guess {n}") for n in range(20)])
        statuses = [guess.status for guess in guesses]
        expect_that(
            statuses.count(401) <= 5 and statuses.count(429) >= 15,
            "at most five times status 401, and 429 for the other guesses",
            f"{statuses.count(401)} times 401 and {statuses.count(429)} times 429",
            next((guess for guess in guesses if guess.status not in (401, 429)), guesses[-1]),
            "status",
        )

    def test_nobody_is_told_apart_while_closed(self, start):
        """While a user is closed, the right password is not told from a wrong one."""
        app = start(GUESS_PAUSE=None)
        expect(app.get("/", basic=USER2), 200)  # and may be remembered
        for _ in range(5):
            expect(app.get("/", basic=("user2", "wrong")), 401)
        wrong = expect(app.get("/", basic=("user2", "wrong")), 429)
        right = expect(app.get("/", basic=USER2), 429)
        same = steady(right) == steady(wrong)
        expect_that(same, "the same text", right.text.strip(), right, "body")
