"""Lesson 05: one-time PINs and authenticator apps (RFC 4226, 6238).

One class is one step, in the order in which you build it; what each step says to the learner stands
in lessons/05_otp/steps.toml.
"""

import asyncio
import base64
import functools
import hashlib
import http.client
import json
import re
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from urllib.parse import urlencode

import httpx2
import pyotp
import pytest

from learn import LessonError, Mailbox
from learn.practice import kept, qr
from learn.practice.expect import (
    Unexpected,
    at_once,
    expect,
    expect_hashed,
    expect_not_mixed_up,
    expect_same_answer,
    expect_same_time,
    expect_that,
)

USER1, USER2 = ("user1", "pass1"), ("user2", "pass2")
STEP = 30  # seconds
NUMBER = re.compile(r"(?<!\d)\d{6}(?!\d)")


class Post(Mailbox):
    """A mail server that notes for whom each mail is, and takes none while `refuses` is set."""

    def __init__(self):
        self.recipients, self.refuses = [], False
        super().__init__()

    async def handle_DATA(self, server, session, envelope):
        self.recipients.append(list(envelope.rcpt_tos))
        said = await super().handle_DATA(server, session, envelope)
        return "451 Not now" if self.refuses else said


@pytest.fixture(scope="module")
def mailbox():
    """A mail server of the checks' own, on this machine."""
    with Post() as box:
        yield box


@pytest.fixture(scope="module")
def settings(mailbox):
    """What the lesson is started with: it mails to that server, and its clock can be moved."""
    return {"MAIL_SERVER": mailbox.address, "clock": True}


class SlowMailbox(Mailbox):
    """A mail server that says that it has its first mail once `goes_on` is set, or 1.5 s later."""

    def __init__(self):
        self.goes_on = threading.Event()
        super().__init__()

    async def handle_DATA(self, server, session, envelope):
        said = await super().handle_DATA(server, session, envelope)
        end = time.monotonic() + 1.5
        while len(self.messages) == 1 and not self.goes_on.is_set() and time.monotonic() < end:
            await asyncio.sleep(0.02)
        return said


def log_in(app, code, pair=USER1, target="/"):
    """Ask for a page with both factors; code: text, or None for the password alone."""
    return app.get(target, basic=pair, headers={} if code is None else {"OTP": code})


def expect_required(answer):
    """The password alone, or a wrong code: a challenge, and a header that asks for a code."""
    return expect(answer, 401, challenge="basic", headers={"OTP": "required"})


def phone_of(address, pair, answer):
    """Return the secret in an otpauth address, whose other parts must be what phones take."""
    try:
        phone = pyotp.parse_uri(address)
    except ValueError as error:
        raise Unexpected("an address that phones read", str(error), answer, "body") from None
    good = isinstance(phone, pyotp.TOTP) and (phone.digits, phone.interval) == (6, STEP)
    good = good and phone.digest().name == "sha1"  # many phones read no other
    came = f"{address.partition('?')[0]} {vars(phone)}"
    expect_that(good, "six digits by SHA-1 every 30 s in the otpauth address", came, answer, "body")
    name = str(phone.name).partition("@")[0]
    expect_that(name == pair[0], f"{pair[0]} in the address", f"{phone.name}", answer, "body")
    return phone.secret


def texts_in(value):
    """Yield the texts in a JSON value, however deep they lie."""
    if isinstance(value, str):
        yield value
    for one in value.values() if isinstance(value, dict) else value if type(value) is list else ():
        yield from texts_in(one)


def enroll(app, pair=USER1, code=None):
    """Enrol a phone and return its secret, as the otpauth address in the answer names it."""
    headers = {} if code is None else {"OTP": code}
    return secret_in(expect(app.post("/enroll", basic=pair, headers=headers), 201), pair)


def secret_in(answer, pair):
    """Return the secret in the answer to an enrolment."""
    try:
        address = next(v for v in texts_in(answer.json()) if v.startswith("otpauth://totp/"))
    except (ValueError, StopIteration):
        came = answer.text.strip()[:80] or "nothing"
        wanted = "JSON with an otpauth://totp/ address that phones read"
        raise Unexpected(wanted, came, answer, "body") from None
    return phone_of(address, pair, answer)


def now_of(app):
    """Return what time it is for the app."""
    return time.time() + getattr(app, "ahead", 0)


def forward(app, seconds):
    """Let the app's clock go on by so many seconds; wait for them where it can't be moved."""
    if "clock" in app.modes:
        app.ahead = getattr(app, "ahead", 0) + seconds
        app.set_clock(app.ahead)
    else:
        time.sleep(seconds)


def code_of(app, secret, steps=0):
    """Return the code that a phone shows now, or whose clock is so many steps ahead."""
    return pyotp.TOTP(secret).at(int(now_of(app)) + steps * STEP)


def steady(app, seconds=25):
    """Let the current 30 seconds last for some more, so that a code stays what it is."""
    left = STEP - now_of(app) % STEP
    if left < seconds:
        forward(app, left + 0.1)


def wrong_code(app, secret=None, avoid=()):
    """Return six digits that are no code of this secret anywhere near now, and not among these."""
    near = {code_of(app, secret, steps) for steps in range(-3, 4)} if secret else set()
    return next(c for c in ("000000", "111111", "222222", "333333") if c not in near | set(avoid))


def ask_for_pin(app, mailbox, pair=USER1):
    """Ask for a PIN and return it, read from the mail that came."""
    number = len(mailbox.messages)
    answer = expect(app.post("/pin", basic=pair), 202)
    first = message = mailbox.message(number)
    try:
        while not NUMBER.search(text_of(message)):  # about something else, and late
            number += 1
            message = mailbox.message(number)
    except LessonError:
        message = first  # which has no PIN
    return pin_in(message, answer)


def text_of(message):
    """Return the text of a mail, which may come as HTML too, or as that alone."""
    body = message.get_body(("plain", "html"))
    return body.get_content() if body else ""


def whole(message):
    """Return all that a mail says: its headers, and each of its texts."""
    parts = [part for part in message.walk() if part.get_content_maintype() == "text"]
    return "\n".join([str(message), *(str(part.get_content()) for part in parts)])


def pin_in(message, answer):
    """Return the PIN in a mail."""
    text = text_of(message)
    found = NUMBER.findall(text)
    expect_that(len(found) == 1, "one number of six digits in the mail", repr(text), answer)
    return found[0]


def expect_refused(answer, what):
    """Whatever was tried is refused: with a status of 400 to 499."""
    came = f"status {answer.status} {answer.reason}"
    return expect_that(400 <= answer.status < 500, what, came, answer, "status")


def expect_unknown(answer):
    """Without a right password comes a challenge, and nothing is said about a code."""
    expect(answer, 401, challenge="basic")
    asked = answer.header("OTP")
    return expect_that(asked is None, "no header OTP", f"OTP: {asked}", answer, "OTP")


def two_processes(start):
    """Start the lesson twice, on one database that is not there yet."""
    one = start(wait=False)
    two = start(wait=False, **{name: one.settings[name] for name in ("DATABASE", "SECRET_KEY")})
    return one.wait(), two.wait()


def cookies_of(*answers):
    """Return the header with which a browser would send these answers' cookies back."""
    cookies = [cookie for answer in answers for cookie in answer.headers("Set-Cookie")]
    return {"Cookie": "; ".join(cookie.partition(";")[0] for cookie in cookies)} if cookies else {}


def elsewhere(app, code, number):
    """Send a code from another address, as far as this system has one; return the status."""
    address = ("127.0.0.2", 0) if number % 2 else None
    headers = {"OTP": code, **dict.fromkeys(("X-Forwarded-For", "X-Real-IP"), f"192.0.2.{number}")}
    headers["Authorization"] = "Basic " + base64.b64encode(":".join(USER1).encode()).decode()
    for source in (address, None):
        connection = http.client.HTTPConnection("127.0.0.1", app.port, 30, source)
        with closing(connection):
            try:
                connection.request("GET", "/", headers=headers)
                return connection.getresponse().status
            except OSError:
                if source is None:
                    raise


def expect_untold(secret, texts, what, name="user1"):
    where = kept.place_of(secret, texts, name)
    expect_that(not where, f"{what} that is told nowhere else", f"it {where}")


class TestItWorks:
    def test_it_works_public_page(self, app):
        """The public page needs nothing, and nothing that is sent closes it."""
        for pair in (None, ("user1", "wrong")):
            expect(app.get("/public", basic=pair), 200)

    def test_it_works_nobody_gets_in(self, app):
        """Without credentials, or with a wrong password, comes 401 with a Basic challenge."""
        for pair in [None, ("user1", "wrong"), ("nobody", "pass1"), ("user1", "pass2")]:
            expect(app.get("/", basic=pair), 401, challenge="basic")

    def test_it_works_with_a_phone(self, app):
        """Who has enrolled a phone gets in with the password and the code that it shows."""
        secret = enroll(app, USER2)
        steady(app)
        expect(log_in(app, code_of(app, secret), USER2), 200, says="Hello, user2!")

    def test_it_works_as_a_script(self, start):
        """Run as a script, it serves this machine only, at the lesson's port, without debugger."""
        served = start(script=True).would_serve
        if served:  # a file without app.run() is served by `flask run` alone
            expect_that(
                served == {"host": "127.0.0.1", "port": 5005, "debug": False},
                "127.0.0.1, port 5005 and no debugger from `python exercise.py`",
                "{host}, port {port} and debug={debug}".format(**served),
            )


class TestRequired:
    def test_code_is_asked_for(self, app):
        """A right password without a code, or with a wrong one, is answered with OTP: required."""
        for code in (None, ""):
            expect_required(log_in(app, code))
        expect_required(log_in(app, "000000", USER2))

    def test_wrong_password_asks_for_nothing_more(self, app):
        """A wrong password gets no OTP header, not even with a right code, and no code is used."""
        secret = enroll(app)
        steady(app)
        expect_required(log_in(app, None))
        for pair in [("user1", "wrong"), ("user2", "pass1"), ("nobody", "pass1"), ("", "")]:
            expect_unknown(log_in(app, code_of(app, secret), pair))
        expect(log_in(app, code_of(app, secret)), 200)

    def test_credentials_are_read_as_lesson_02_does(self, app):
        """The scheme has no case; every letter of a name and password counts, and none is cut."""
        pair = base64.b64encode(b"user1:pass1").decode()
        for scheme in ("Basic", "basic", "BASIC"):
            expect_required(app.get("/", authorization=f"{scheme} {pair}"))
        for name, password in [
            ("User1", "pass1"), (" user1", "pass1"), ("user1 ", "pass1"), ("user_", "pass1"),
            ("%", "pass1"), ("user1' --", "pass1"), ("x' OR name='user1", "pass1"),
            ("user\uff11", "pass1"), ("user1", "PASS1"), ("user1", " pass1"), ("user1", "pass1 "),
            ("user1", "pass"), ("user1", "pass1" + "x" * 99), ("user1", "pass\uff11"),
            ("user1", ""), ("user1", "pass1\0"), ("user1", "x" * 5000), ("x" * 5000, "pass1"),
        ]:  # fmt: skip
            expect_unknown(app.get("/", basic=(name, password)))

    def test_malformed_headers_are_401(self, app):
        """Whatever stands in Authorization instead is 401 with a Basic challenge, and no 500."""
        expect_required(log_in(app, None))
        for method, target in [("GET", "/"), ("POST", "/pin"), ("POST", "/enroll")]:
            for bad in [
                b"", b"Basic", b"Basic \xe9", b"Basic =", b"Basic dXNlcjE=", b"Foo", b"Foo bar",
                b"Basic " + base64.b64encode(b"user1:pass\xe9"), b"Bearer a.b.c", b"\xff\xfe",
                b"Basic " + base64.b64encode(b"\xff:\xfe"), b"Digest", b'Digest username="user1"',
                b"Basic " + base64.b64encode("us\u00e9r:p\u00e4ss".encode()), b"Bearer", b",",
            ]:  # fmt: skip
                answer = app.send(method, target, authorization=bad, headers={"OTP": "000000"})
                expect_unknown(answer)

    def test_credentials_come_in_one_place(self, app):
        """No address, form, cookie, other header or spelling stands for Authorization."""
        asked = expect_required(log_in(app, None))
        query = urlencode({"username": "user1", "user": "user1", "password": "pass1"})
        for headers in [
            cookies_of(asked), {"Cookie": "username=user1; password=pass1"},
            {"X-User": "user1", "X-Forwarded-User": "user1"},
        ]:  # fmt: skip
            expect_unknown(app.get(f"/?{query}", headers=headers))
        form = {"username": "user1", "password": "pass1"}
        for target in ("/pin", "/enroll", f"/pin?{query}", f"/enroll?{query}"):
            expect(app.post(target, form=form), 401, challenge="basic")
        body, kind = json.dumps(form), {"Content-Type": "application/json"}
        for method, target in [("GET", "/"), ("POST", "/pin"), ("POST", "/enroll")]:
            answer = app.send(method, target, body=body, headers=kind)
            expect(answer, 401, challenge="basic")
        expect(app.send("HEAD", "/"), 401, challenge="basic")
        expect(app.send("HEAD", "/", basic=USER1), 401, headers={"OTP": "required"})

    def test_unknown_user_gets_the_same_answer_in_the_same_time(self, app):
        """Nobody can tell by an answer, or by when it comes, who has an account."""
        expect_required(log_in(app, None))
        asks = [("GET", "/"), ("POST", "/pin"), ("POST", "/enroll")]
        for ask in asks:
            names = ("user1", "nobody")
            answers = [app.send(*ask, basic=(name, "wrong")) for name in (*names, "user1")]
            expect_same_answer(*answers, names=names)
        wrong, *unknown = [
            lambda ask=ask, name=name: expect(app.send(*ask, basic=(name, "wrong")), 401)
            for ask, name in [(asks[0], "user1"), *((ask, "nobody") for ask in asks)]
        ]
        expect_same_time(app, wrong, *unknown)

    def test_password_is_kept_and_told_nowhere(self, app, start):
        """Neither an answer nor the log nor a file gives a password or its hash away."""
        begin = len(app.exchanges)
        before = kept.printed(app, "/public")["the log"]
        expect_required(log_in(app, None))
        expect(app.get("/", basic=("user1", "mistyped it")), 401)
        seen = kept.answered(app.exchanges[begin:])
        seen["the log"] = kept.printed(app, "/public")["the log"].removeprefix(before)
        for word in ("pass1", "mistyped it", "$argon2"):
            expect_untold(word, seen, "a password, and a hash of it,")
        for name, word in (USER1, USER2):
            where = kept.place_of(word, kept.files(app), name)
            expect_that(not where, "no password in the files", f"one {where}")
        found = kept.argon2_hashes(app).values()
        weak = [one.cost for one in found if not one.is_strong]
        wanted = "passwords kept as Argon2id at 19 MiB and 2 rounds, or more"
        if not found and any(b"user1" in content for content in kept.values(start()).values()):
            weak = ["users in its files, and no hash that begins $argon2id$"]  # before any login
        expect_that(not weak, wanted, ", ".join(weak))
        # Users may stand in the code, so that no file shows how their passwords are kept.
        wrong = functools.partial(log_in, app, None, ("user1", "wrong"))
        expect_hashed(app, lambda: app.get("/public"), wrong)

    def test_only_the_password_owner_gets_one(self, app, mailbox):
        """Nobody gets a PIN or a secret for someone whose password they don't know."""
        expect_required(log_in(app, None))
        before = len(mailbox.messages)
        for pair in [None, ("user1", "wrong"), ("nobody", "pass1"), ("USER1", "pass1 ")]:
            for target in ("/pin", "/enroll"):
                expect(app.post(target, basic=pair), 401, challenge="basic")
        came = len(mailbox.messages) - before
        expect_that(came == 0, "no mail", f"{came} mails", app.exchanges[-1])


class TestMail:
    def test_pin_comes_by_mail(self, app, mailbox):
        """The PIN is mailed to its user and to nobody else, opens the page, and is told nowhere."""
        thief = "thief@other.example"
        form = {n: thief for n in ("mail", "email", "to", "address", "recipient", "cc", "bcc")}
        form |= {"username": "user1", "user": "user1", "name": "user1"}
        for pair, how in [(USER1, {}), (USER2, {}), (USER2, {"form": form})]:
            number, begin = len(mailbox.messages), len(app.exchanges)
            target = f"/pin?{urlencode(how['form'])}" if how else "/pin"
            answer = expect(app.post(target, basic=pair, **how), 202)
            message = mailbox.message(number)
            pin, to = pin_in(message, answer), f"{pair[0]}@example.com"
            said = whole(message)
            expect_that(pair[1] not in said, "a mail without the password", repr(said), answer)
            expect_that(to in str(message["To"]), f"a mail to {to}", f"To: {message['To']}", answer)
            expect_unknown(log_in(app, pin, (pair[0], "wrong")))  # no reason to log the code
            expect(log_in(app, pin, pair), 200, says=f"Hello, {pair[0]}!")
            went = [one for some in mailbox.recipients[number:] for one in some]
            expect_that(went == [to], f"one mail, to {to} alone", ", ".join(went), answer)
            seen = kept.answered(app.exchanges[begin:]) | kept.printed(app, "/public")
            expect_untold(pin, seen, "a PIN", pair[0])

    def test_only_a_post_sends_a_pin(self, app, mailbox):
        """A link, or a look at the address, has no mail sent."""
        ask_for_pin(app, mailbox)
        before = len(mailbox.messages)
        for method in ("GET", "HEAD"):
            app.send(method, "/pin", basic=USER1)
        came = len(mailbox.messages) - before
        expect_that(came == 0, "no mail", f"{came} mails", app.exchanges[-1])

    def test_pin_is_random(self, app, mailbox, start):
        """Each PIN is another one of six digits, may begin with 0, and differs in each process."""
        one, two = start(wait=False), start(wait=False)
        pins = [ask_for_pin(app, mailbox, USER2) for _ in range(12)]
        expect_that(
            len(set(pins)) > 9 and len({pin[0] for pin in pins}) > 2,
            "twelve PINs that look random",
            ", ".join(pins),
        )
        one.wait(), two.wait()
        first, second = ([ask_for_pin(each, mailbox) for _ in range(3)] for each in (one, two))
        expect_that(first != second, "other PINs in another process", f"{first} again")
        while not any(pin[0] == "0" for pin in pins) and len(pins) < 130:
            pins.append(ask_for_pin(app, mailbox, USER2))
        zero = any(pin[0] == "0" for pin in pins)
        expect_that(zero, "a PIN that begins with 0, as every tenth does", f"none of {len(pins)}")

    def test_pin_stays_out_of_the_subject(self, app, mailbox):
        """The mail's headers, which a locked phone shows, don't have the PIN."""
        pin = ask_for_pin(app, mailbox)
        told = [f"{name}: {one}" for name, one in mailbox.messages[-1].items() if pin in str(one)]
        wanted = "the PIN in the mail's text and in no header"
        expect_that(not told, wanted, " ".join(told), app.exchanges[-1])

    def test_forms_of_other_pages_send_nothing(self, app, mailbox):
        """A form on another origin's page has no mail sent; one on a page of your own has."""
        own = f"http://127.0.0.1:{app.port}"
        forged = [
            {"Sec-Fetch-Site": "cross-site", "Origin": "https://other.example"},
            {"Sec-Fetch-Site": "same-site", "Origin": "http://127.0.0.1:1"},
            {"Origin": "http://other.example"},  # all that a browser says over plain http
            {"Origin": "null"}, {"Origin": "http://127.0.0.1:1"}, {"Origin": f"{own}.example"},
            {"Origin": own.replace("http:", "https:")},
        ]  # fmt: skip
        code = {"OTP": ask_for_pin(app, mailbox, USER2)}  # else a phone may be why it is refused
        before = len(mailbox.messages)
        for target, headers in [*(("/pin", one) for one in forged), ("/enroll", forged[2] | code)]:
            answer = app.post(target, basic=USER2, headers=headers)
            expect_refused(answer, "a refusal of another origin's form, such as 403")
        came = len(mailbox.messages) - before
        expect_that(came == 0, "no mail", f"{came} mails", app.exchanges[-1])
        expect(app.post("/pin", basic=USER2, headers={"Origin": own}), 202)
        honest = {"Sec-Fetch-Site": "same-origin", "Origin": own}
        expect(app.post("/pin", basic=USER2, headers=honest), 202)

    def test_mail_server_is_down(self, start):
        """Without the mail server comes 503 and a sentence; the PIN that was sent still counts."""
        with Post() as other, socket.create_server(("127.0.0.1", 0)) as mute:
            hung = start(wait=False, MAIL_SERVER=f"127.0.0.1:{mute.getsockname()[1]}")
            app = start(MAIL_SERVER=other.address)
            hung.wait()
            with ThreadPoolExecutor(1) as pool:  # and another that says nothing
                silent = pool.submit(hung.post, "/pin", basic=USER1)
                pin = ask_for_pin(app, other)
                other.refuses = True
                answer = expect(app.post("/pin", basic=USER1), 503)
                unsent = pin_in(other.message(-1), answer)
                other.stop()
                answers = [expect(app.post("/pin", basic=USER1), 503)]
                seen = kept.answered(app.exchanges) | kept.printed(app, "/public")
                expect_untold(unsent, seen, "a PIN that could not be sent")
                if unsent != pin:
                    expect_required(log_in(app, unsent))
                expect(log_in(app, pin), 200)
                try:
                    answers.append(expect(silent.result(), 503))
                except httpx2.HTTPError as error:
                    raise Unexpected(
                        "503 within ten seconds from a mail server that says nothing", str(error)
                    ) from None
        for answer in answers:
            said = answer.text.strip()
            expect_that(len(said) > 10, "a sentence", repr(said), answer, "body")

    def test_no_mail_server_is_set(self, start):
        """With no mail server set the PIN is written to the app's log."""
        app = start(MAIL_SERVER=None)
        expect(app.post("/pin", basic=USER1), 202)
        found = app.printed(r"(?<![\d.])(?<!\d\d:)\d{6}(?![\d.:]*\d)", seconds=2)  # no time of day
        expect_that(found, "the PIN in the app's log", "no number of six digits")
        expect(log_in(app, found[-1]), 200)


class TestPinOnce:
    def test_pin_counts_once(self, app, mailbox):
        """The same PIN does not open twice, and not for another user."""
        pin = ask_for_pin(app, mailbox)
        expect_required(log_in(app, pin, USER2))
        expect_untold(pin, kept.printed(app, "/public"), "a PIN")  # wrong here, right elsewhere
        expect(log_in(app, pin), 200)
        expect_required(log_in(app, pin))

    def test_two_who_ask_at_once(self, app, mailbox):
        """Who asks for a PIN while another does gets one of their own."""
        number = len(mailbox.messages)
        answers = at_once(lambda pair: app.post("/pin", basic=pair), (USER1, USER2))
        for answer in answers:
            expect(answer, 202)
        mails = [mailbox.message(number), mailbox.message(number + 1)]
        for pair, answer in zip((USER1, USER2), answers, strict=True):
            own = [one for one in mails if f"{pair[0]}@example.com" in str(one["To"])]
            expect_that(len(own) == 1, f"a mail to {pair[0]}@example.com", f"{len(own)}", answer)
            expect(log_in(app, pin_in(own[0], answer), pair), 200, says=f"Hello, {pair[0]}!")

    def test_only_the_whole_pin_counts(self, app, mailbox):
        """A piece of the PIN, more than it, other digits, a list, or a PIN elsewhere won't do."""
        pin = ask_for_pin(app, mailbox)
        for part in (pin[:5], pin[1:], f"{pin}0"):
            expect_required(log_in(app, part))
        expect_other_places(app, pin)
        expect(log_in(app, pin), 200)
        pin = ask_for_pin(app, mailbox)
        for other in other_writings(pin):
            expect_required(log_in(app, other.encode()))
        opened = expect(log_in(app, pin), 200)
        expect_required(app.get("/", basic=USER1, headers=cookies_of(opened)))
        expect(app.get("/", headers=cookies_of(opened)), 401, challenge="basic")

    def test_pin_counts_once_of_many_at_once(self, start, mailbox):
        """Of three requests with the same PIN, sent at the same time, one gets in."""
        app = start()
        for _ in range(2):
            pin = ask_for_pin(app, mailbox)
            with ThreadPoolExecutor(3) as pool:
                answers = list(pool.map(lambda pin: log_in(app, pin), [pin] * 3))
            opened = sum(answer.status == 200 for answer in answers)
            expect_that(opened == 1, "one of three let in", f"{opened}", answers[-1], "status")

    def test_new_pin_ends_the_old(self, start, mailbox):
        """Only the last PIN counts."""
        app = start()
        old, new = ask_for_pin(app, mailbox), ask_for_pin(app, mailbox)
        if old != new:
            expect_required(log_in(app, old))
        expect(log_in(app, new), 200)

    def test_old_pin_does_not_end_the_new(self, start):
        """Of two PINs whose mails overlap, the one that was asked for later counts, if sent."""
        with SlowMailbox() as slow, ThreadPoolExecutor(1) as pool:
            app = start(MAIL_SERVER=slow.address)
            asked = pool.submit(app.post, "/pin", basic=USER1)
            while not (slow.messages or asked.done()):
                time.sleep(0.01)
            if not slow.messages:
                expect(asked.result(), 202)
            slow.message(0)
            second = app.post("/pin", basic=USER1)  # the first mail is not acknowledged yet
            slow.goes_on.set()
            first = asked.result()
            pin = pin_in(slow.message(1 if second.status == 202 else 0), second)
        if second.status != 202:
            expect_that(second.status in (409, 429, 503), "202 or 429", f"{second.status}", second)
            if second.status == 429:
                seconds_in(second)
            expect(first, 202)
        expect(log_in(app, pin), 200)

    def test_pin_ends(self, start, mailbox):
        """A PIN counts for its lifetime, 300 s or as it is set, and after it is worth nothing."""
        app = start()
        pin = ask_for_pin(app, mailbox)
        forward(app, 250)
        expect(log_in(app, pin), 200)
        answers = []
        for seconds in (350, 10**6):
            pin = ask_for_pin(app, mailbox)
            forward(app, seconds)
            answers.append(log_in(app, pin))
        if answers[1].status != 200:  # else its clock is another one than Python's
            expect_required(answers[0])
        app = start(PIN_LIFETIME=1800)
        pin = ask_for_pin(app, mailbox)
        forward(app, 1500)
        expect(log_in(app, pin), 200)
        pin = ask_for_pin(app, mailbox)
        forward(app, 1801)
        answer = log_in(app, pin)
        if answer.status == 200:  # its clock may be another one than Python's: wait for it
            app = start(PIN_LIFETIME=1)
            pin = ask_for_pin(app, mailbox)
            time.sleep(1.2)
            answer = log_in(app, pin)
        expect_required(answer)

    def test_pin_counts_in_every_process_and_is_kept_hashed(self, start, mailbox):
        """A PIN counts once in all processes, after a restart too; no file gives it away."""
        one, two = two_processes(start)
        pin = ask_for_pin(one, mailbox)
        expect_untold(one.key, kept.answered(one.exchanges) | kept.printed(one, "/public"), "a key")
        wanted = "no PIN, nor a digest of it that anybody can compute, in the database"
        where = kept.place_of(pin, kept.files(one), "user1")
        expect_that(not where, wanted, f"it {where}")
        where = salted(pin, kept.values(one))
        expect_that(not where, wanted, f"{where}, over a salt that is beside it")
        one.restart()
        expect(log_in(two, pin), 200)
        expect_required(log_in(one, pin))
        pin = ask_for_pin(two, mailbox)
        expect(log_in(one, pin), 200)
        expect_required(log_in(two, pin))

    def test_weak_secret_key_is_refused_at_start(self, start):
        """A key shorter than 32 bytes stops the app at start with a sentence."""
        try:
            app = start(SECRET_KEY="x" * 31)
        except LessonError as error:
            said = str(error)
            sentence = "SECRET_KEY" in said and "Traceback" not in said
            expect_that(sentence, "a sentence that names FLASK_SECRET_KEY", said)
            return
        answer = app.get("/public")
        raise Unexpected("no start with a key of 31 bytes", "a running app", answer, "status")

    def test_key_of_its_own_is_one_for_all_processes(self, start, mailbox):
        """With no FLASK_SECRET_KEY it doesn't start, or its processes have one key."""
        one = start(wait=False, SECRET_KEY="")
        two = start(wait=False, SECRET_KEY="", DATABASE=one.settings["DATABASE"])
        try:
            one.wait()
            two.wait()
        except LessonError as error:
            expect_that("Traceback" not in str(error), "a sentence about the key", str(error))
            return
        pin = ask_for_pin(one, mailbox)
        expect(log_in(two, pin), 200)


def other_writings(code):
    """Return what int() would take for a code, what looks like it, and a list; fewer than five."""
    arabic = "".join(chr(0x660 + int(digit)) for digit in code)
    return [f"+{code[:3]}_{code[3:]}", arabic, f"0 {code} ,{code}"]


def expect_other_places(app, code, pair=USER1):
    """A right code counts in the header OTP and nowhere else."""
    names = ("otp", "OTP", "code", "pin", "totp", "token")
    target = f"/?{urlencode(dict.fromkeys(names, code))}"
    cookie = "; ".join(f"{name}={code}" for name in names)
    others = {"Cookie": cookie, "X-OTP": code, "PIN": code, "X-PIN": code, "Code": code}
    expect_required(app.get(target, basic=pair, headers=others))
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    body = urlencode(dict.fromkeys(names, code))
    expect_required(app.send("GET", "/", basic=pair, body=body, headers=kind))


def salted(pin, texts):
    """Return how a PIN is kept with a quick digest whose salt is kept as well; "" if it isn't.

    All million PINs are tried in seconds then, so a salt is no key.
    """
    tokens = {token for text in texts.values() for token in re.split(rb"[\s\"',:$|]+", text)}
    tokens = {token for token in tokens if 1 < len(token) <= 64}
    salts = set(tokens)
    for token in tokens:
        for decode in (bytes.fromhex, lambda text: base64.b64decode(text + "=="[: -len(text) % 4])):
            try:
                salts.add(decode(token.decode()))
            except ValueError:
                continue
    kept_as = b"\n".join(texts.values())
    for salt in salts:
        for name in kept.DIGESTS:
            for between in (b"", b":", b"$"):
                for text in (salt + between + pin.encode(), pin.encode() + between + salt):
                    made = hashlib.new(name, text)
                    forms = [made.digest(), made.hexdigest().encode()]
                    forms.append(base64.b64encode(made.digest()).rstrip(b"="))
                    if any(form in kept_as for form in forms):
                        return name
    return ""


class TestDrift:
    def test_one_step_either_way_and_no_more(self, start, monkeypatch):
        """Codes of one step around now count; of two steps, another phone or zone, they don't."""
        monkeypatch.setenv("TZ", "XXX-5")  # the clock on the wall is five hours ahead of UTC
        app = start()
        one, two = enroll(app), enroll(app, USER2)
        steady(app)
        wrong = [(USER1, one, -2), (USER1, one, 2), (USER2, two, 9), (USER2, one, 0)]
        for pair, secret, steps in wrong:  # two each: this step is not about how many tries
            own = one if pair == USER1 else two
            if code_of(app, secret, steps) not in {code_of(app, own, near) for near in (-1, 0, 1)}:
                expect_required(log_in(app, code_of(app, secret, steps), pair))
        for steps in (-1, 0, 1):
            expect(log_in(app, code_of(app, one, steps)), 200)

    def test_only_six_digits_are_a_code(self, start):
        """What is not six digits is refused like a wrong code, and is never an error 500."""
        app = start()
        enroll(app)
        for pair, bad in [(USER1, ["1234567", "\u0661" * 6]), (USER2, ["123456, 234567", "x"])]:
            for code in bad:
                expect_required(log_in(app, code.encode(), pair))

    def test_only_the_whole_code_counts(self, start):
        """A piece of the code, other digits, a list, or a code not in the header is not enough."""
        app = start()
        secret = enroll(app)
        steady(app)
        code = code_of(app, secret)
        for other in [code[:5], *other_writings(code)]:
            expect_required(log_in(app, other.encode()))
        expect(log_in(app, code), 200)
        code = code_of(app, secret, 1)
        expect_other_places(app, code)
        for other in (code[1:], f"{code}0", f"0{code}"):
            expect_required(log_in(app, other))
        opened = expect(log_in(app, code), 200)
        expect_required(app.get("/", basic=USER1, headers=cookies_of(opened)))


class TestReplay:
    def test_code_counts_once(self, start):
        """The same code does not open twice: in no process, nor later, nor after a restart."""
        one, two = two_processes(start)
        secret = enroll(one)
        for app in (one, two):  # to the beginning of the same step
            app.ahead = 0
            forward(app, STEP - time.time() % STEP + 0.1)
        codes = [code_of(one, secret, steps) for steps in (-1, 0, 1)]
        # With the first one, the phone begins to count, in whichever process.
        for code, app, other in [(codes[0], two, one), (codes[1], one, two)]:
            expect(log_in(app, code), 200)
            expect_required(log_in(other, code))
        expect_required(log_in(one, codes[0]))  # not only the last one is remembered
        one.restart()
        expect(log_in(two, codes[2]), 200)
        expect_required(log_in(one, codes[2]))
        for seconds in (31, 22):  # it would still count
            for app in (one, two):
                forward(app, seconds)
            expect_required(log_in(one, codes[2]))
        expect(log_in(one, code_of(one, secret, 1)), 200)

    def test_code_counts_once_of_many_at_once(self, start):
        """Of three requests at once with one code, one gets in; two users get in as themselves."""
        app = start()
        one, two = enroll(app), enroll(app, USER2)
        steady(app)
        for steps in (-1, 0):
            sent = {"user1": (one, USER1), "user2": (two, USER2)}
            sent = {name: (code_of(app, own, steps), pair) for name, (own, pair) in sent.items()}
            expect_not_mixed_up(lambda name, sent=sent: log_in(app, *sent[name]), *sent, times=1)
        forward(app, 3 * STEP)
        steady(app)
        expect(log_in(app, code_of(app, two), USER2), 200)
        for steps in (-1, 0, 1):
            code = code_of(app, one, steps)
            with ThreadPoolExecutor(3) as pool:
                answers = list(pool.map(lambda code: log_in(app, code), [code] * 3))
            opened = sum(answer.status == 200 for answer in answers)
            expect_that(opened == 1, "one of three let in", f"{opened}", answers[-1], "status")


class TestEnrolment:
    def test_password_alone_enrols_once(self, start):
        """After a first right code, though no mail can be sent, the password alone enrols none."""
        with Post() as other:
            other.refuses = True
            self.enrol_once(start(MAIL_SERVER=other.address))

    def enrol_once(self, app):
        secret = enroll(app)
        enroll(app, USER2)
        steady(app)
        expect(log_in(app, code_of(app, secret)), 200)
        for headers in ({}, {"Accept": "image/svg+xml"}):
            expect_required(app.post("/enroll", basic=USER1, headers=headers))
        enroll(app, USER2)  # who has not shown a code yet may begin again
        expect(log_in(app, code_of(app, secret, 1)), 200)

    def test_secret_is_shown_once(self, start):
        """The secret is in the answer to POST /enroll; nothing shows it a second time."""
        app = start()
        secret = enroll(app)
        for target in ("/enroll.svg", "/enroll"):
            answer = app.get(target, basic=USER1)
            kind = (answer.header("Content-Type") or "").lower()
            shown = (secret, "otpauth:", "<svg", "data:image")
            told = next((one for one in shown if one in answer.text), "")
            told = told or (kind if kind.startswith("image/") else "")
            expect_that(not told, "nothing that shows a secret by GET", told, answer, "body")
        steady(app)
        expect(log_in(app, code_of(app, secret)), 200)

    def test_secret_as_a_picture(self, start):
        """With Accept: image/svg+xml the answer is a QR code of a new secret; no cache keeps it."""
        app = start()
        first = enroll(app)
        answer = app.post("/enroll", basic=USER1, headers={"Accept": "image/svg+xml"})
        expect(answer, 201, headers={"Cache-Control": "no-store"})
        picture = picture_in(answer)
        came = f"{answer.header('Content-Type')}: {answer.text[:60]}"
        expect_that(picture, "a picture in SVG", came, answer, "body")
        expect_that(first not in answer.text, "a new secret", "the old one", answer, "body")
        steady(app)
        expect_required(log_in(app, code_of(app, first)))
        try:
            address = qr.read(picture)
        except ValueError as error:
            wanted = "a QR code that phones read: dark on light, with a border of four squares"
            raise Unexpected(wanted, str(error), answer, "body") from None
        except qr.Unknown:
            return  # drawn with other shapes than rectangles: see for yourself
        shown = address.startswith("otpauth://totp/")
        expect_that(shown, "an otpauth address in the QR code", address, answer, "body")
        secret = phone_of(address, USER1, answer)
        expect(log_in(app, code_of(app, secret)), 200, says="Hello, user1!")

    def test_nobody_enrols_for_another(self, start):
        """Whose phone it is, is said by the credentials alone, by no field nor parameter."""
        app = start()
        mine = enroll(app)
        named = {"username": "user1", "user": "user1", "name": "user1"}
        answer = app.post(f"/enroll?{urlencode(named)}", basic=USER2, form=named)
        steady(app)
        if answer.status == 201:  # it may as well be refused
            secret = secret_in(answer, USER2)
            expect_required(log_in(app, code_of(app, secret)))
            expect(log_in(app, code_of(app, secret), USER2), 200, says="Hello, user2!")
        expect(log_in(app, code_of(app, mine)), 200)

    def test_secret_is_told_nowhere_else(self, start, mailbox):
        """Neither the log nor a mail nor a later answer has the secret of a phone."""
        app, before = start(), len(mailbox.messages)
        secret, begin = enroll(app), len(app.exchanges)
        steady(app)
        ask_for_pin(app, mailbox)
        for code in (None, wrong_code(app, secret), code_of(app, secret)):
            log_in(app, code)
        expect_required(app.post("/enroll", basic=USER1))
        expect(log_in(app, ask_for_pin(app, mailbox)), 200)  # the phone counts by now
        seen = kept.answered(app.exchanges[begin:]) | kept.printed(app, "/public")
        seen["a mail"] = "\n".join(map(whole, mailbox.messages[before:])).encode()
        for form in (secret, pyotp.TOTP(secret).byte_secret().hex()):
            expect_untold(form, seen, "a secret")

    def test_new_phone_with_both_factors(self, start, mailbox):
        """With both factors, unused, a new phone is enrolled; the old one counts until its code."""
        app = start()
        first, second = enroll(app), enroll(app, USER2)
        steady(app)
        expect(log_in(app, code_of(app, first, -1)), 200)
        expect(log_in(app, code_of(app, second, -1), USER2), 200)
        used = {"OTP": code_of(app, first, -1)}
        expect_required(app.post("/enroll", basic=USER1, headers=used))
        new = enroll(app, code=code_of(app, first))
        expect_required(log_in(app, code_of(app, first)))
        expect_required(app.post("/enroll", basic=USER1))  # though one is begun
        enroll(app, USER2, code_of(app, second))
        expect(log_in(app, ask_for_pin(app, mailbox, USER2), USER2), 200)  # no code of the new one
        expect_that(new != first, "another secret", "the same", app.exchanges[-2], "body")
        expect(log_in(app, code_of(app, second, 1), USER2), 200)
        expect(log_in(app, code_of(app, new, 1)), 200)
        expect_required(log_in(app, code_of(app, first, 1)))
        pin = ask_for_pin(app, mailbox, USER2)
        answer = app.post("/enroll", basic=USER2, headers={"OTP": pin})
        if answer.status == 201:  # a PIN may do as well, and is then used
            expect_required(log_in(app, pin, USER2))
        forward(app, 3 * STEP)
        expect(log_in(app, code_of(app, second), USER2), 200)  # its successor never showed a code

    def test_owner_is_told_of_a_new_phone(self, start, mailbox):
        """When a new phone takes the old one's place, the owner gets a mail, without secrets."""
        app = start()
        old = enroll(app)
        steady(app)
        expect(log_in(app, code_of(app, old, -1)), 200)
        new = enroll(app, code=code_of(app, old))
        before = len(mailbox.messages)
        answer = expect(log_in(app, code_of(app, new, 1)), 200)
        end = time.monotonic() + 10
        while len(mailbox.messages) == before and time.monotonic() < end:
            time.sleep(0.02)
        told = [m for m in mailbox.messages[before:] if "user1@example.com" in str(m["To"])]
        expect_that(told, "a mail to user1@example.com about the new phone", "none", answer)
        said = whole(told[-1])
        leaked = new in said or NUMBER.search(text_of(told[-1]))
        expect_that(not leaked, "a mail without the secret or a code", said, answer)

    def test_secret_is_long_and_new(self, start):
        """Each secret is new, has 128 bits (RFC 4226 section 4, R6), and no cache may keep it."""
        app = start()
        secrets = [enroll(app), enroll(app), enroll(app, USER2)]
        expect_that(len(set(secrets)) == 3, "three secrets", "the same again", app.exchanges[-1])
        for secret in secrets:
            bits = len(pyotp.TOTP(secret).byte_secret()) * 8
            expect_that(bits >= 128, "128 bits or more", f"{bits}", app.exchanges[-1], "body")
        steady(app)
        expect_required(log_in(app, code_of(app, secrets[0])))
        expect(app.post("/enroll", basic=USER1), headers={"Cache-Control": "no-store"})


def picture_in(answer):
    """Return the SVG picture in an answer, which may be in a JSON's member; "" if there is none."""
    if "image/svg+xml" in (answer.header("Content-Type") or ""):
        return answer.text if "<svg" in answer.text else ""
    try:
        values = list(texts_in(answer.json()))
    except (ValueError, AttributeError):
        return ""
    pictures = (v for v in values if "<svg" in v or v.startswith("data:image/svg+xml"))
    return qr.svg_of(next(pictures, ""))


class TestTries:
    def test_five_wrong_codes_and_then_no_more(self, start, mailbox):
        """After five wrong codes even right ones are 429, with Retry-After, after a restart too."""
        app = start()
        secret, pin = enroll(app), ask_for_pin(app, mailbox)
        steady(app)
        for _ in range(5):
            expect_required(log_in(app, wrong_code(app, secret, [pin])))
        for code in (code_of(app, secret), pin):
            seconds_in(log_in(app, code))
            expect_unknown(log_in(app, code, ("user1", "wrong")))  # a stranger learns nothing
        app.restart()
        expect(log_in(app, code_of(app, secret)), 429)
        app.post("/pin", basic=USER1)  # a new PIN is no way round
        log_in(app, None)  # nor the password
        app.post("/enroll", basic=USER1)  # nor a new secret
        expect(log_in(app, "x"), 429)

    def test_pause_ends_when_it_says(self, start):
        """It is 300 s, whatever is tried meanwhile, and after it there are five tries again."""
        app = start()
        secret, wait = self.closed(app)
        came = f"{wait} s"
        expect_that(200 <= wait <= 400, "a pause of 300 s", came, app.exchanges[-1], "Retry-After")
        try:
            self.opens(app, secret, wait)
        except Unexpected:
            if "clock" not in app.modes:
                raise
            app = start(LOCKOUT=6, clock=None)  # its clock may be another one than Python's
            self.opens(app, *self.closed(app))

    def closed(self, app):
        """Use all tries up; return the secret of a phone, and for how many seconds to wait."""
        steady(app)
        secret = enroll(app)
        for _ in range(5):
            expect_required(log_in(app, wrong_code(app, secret)))
        return secret, seconds_in(log_in(app, "000000"))

    def opens(self, app, secret, wait):
        """Let the pause go by, with tries meanwhile; five tries must be there again."""
        forward(app, wait // 2)
        for _ in range(6):
            left = seconds_in(log_in(app, wrong_code(app, secret)))
            came = f"{left} s, {wait // 2} s after it was {wait} s"
            soon = left <= wait - wait // 2 + min(5, wait // 3)
            expect_that(soon, "a pause that goes by", came, app.exchanges[-1], "Retry-After")
        forward(app, left + 1)
        for _ in range(4):
            expect_required(log_in(app, wrong_code(app, secret)))
        expect(log_in(app, code_of(app, secret)), 200)

    def test_limit_is_the_same_from_every_address(self, start):
        """Whoever sends from several addresses, or names others, has five tries in all."""
        app = start()
        expect_required(log_in(app, None))
        came = [elsewhere(app, "000000", number) for number in range(6)]
        wanted = [401] * 5 + [429]
        expect_that(came == wanted, "five times status 401, then 429", ", ".join(map(str, came)))

    def test_limit_counts_in_every_process(self, start):
        """Tries in one process count in the other."""
        one, two = two_processes(start)
        for number in range(5):
            expect_required(log_in((one, two)[number % 2], "000000"))
        for app in (one, two):
            expect(log_in(app, "000000"), 429)

    def test_limit_belongs_to_the_user(self, start, mailbox):
        """The other user still gets in, and a wrong password does not count as a try."""
        app = start()
        pin = ask_for_pin(app, mailbox)
        for _ in range(7):
            expect(log_in(app, "000000", ("user1", "wrong")), 401)
        expect(log_in(app, pin), 200)
        pin = ask_for_pin(app, mailbox, USER2)
        for _ in range(5):
            expect_required(log_in(app, wrong_code(app, avoid=[pin])))
        expect(log_in(app, "000000"), 429)
        expect(log_in(app, pin, USER2), 200)
        expect(log_in(app, "000000"), 429)

    def test_right_code_sets_the_count_back(self, start, mailbox):
        """Four wrong codes, a right one, and there are five tries again; asking is no try."""
        app = start()
        pin = ask_for_pin(app, mailbox)
        for _ in range(4):
            expect_required(log_in(app, wrong_code(app, avoid=[pin])))
            expect_required(log_in(app, None))
        expect(log_in(app, pin), 200)
        for number in range(5):
            if number == 4:  # nor does what needs no code set the count back
                pin = ask_for_pin(app, mailbox)
                enroll(app)
                expect_required(log_in(app, None))
            expect_required(log_in(app, wrong_code(app, avoid=[pin])))
        expect(log_in(app, pin), 429)

    def test_no_more_than_five_at_once(self, start):
        """Of twelve wrong codes sent at the same time, no more than five are looked at."""
        app = start()
        with ThreadPoolExecutor(12) as pool:
            answers = list(pool.map(lambda code: log_in(app, code), ["000000"] * 12))
        looked = sum(answer.status == 401 for answer in answers)
        expect_that(looked <= 5, "at most five looked at", f"{looked}", answers[-1], "status")
        expect(log_in(app, "000000"), 429)

    def test_other_addresses_are_no_way_round(self, start, mailbox):
        """The limit holds for both kinds of code and for every page that asks for one."""
        app = start(LOCKOUT=60)
        secret = enroll(app)
        steady(app)
        expect(log_in(app, code_of(app, secret)), 200)
        for number in range(5):
            headers = {"OTP": wrong_code(app, secret)}
            page = [app.get, "/"] if number % 2 else [app.post, "/enroll"]
            expect_required(page[0](page[1], basic=USER1, headers=headers))
        right = {"OTP": code_of(app, secret, 1)}
        wait = seconds_in(app.post("/enroll", basic=USER1, headers=right))
        expect(log_in(app, right["OTP"]), 429)
        if wait <= 65:  # the time of the pause is the app's choice; FLASK_LOCKOUT sets it here
            forward(app, wait + 1)
            answer = log_in(app, code_of(app, secret))
            if answer.status == 429:  # its clock may be another one than Python's: wait for it
                time.sleep(wait)
                answer = log_in(app, code_of(app, secret, 1))
            expect(answer, 200)


class TestRecovery:
    beyond = "beyond"

    def test_recovery_codes_count_once_each(self, start):
        """Each recovery code of an enrolled phone opens once; a new enrolment ends the old ones."""
        app = start()
        secret = enroll(app)
        codes = recovery_codes(app.exchanges[-1])
        expect_required(log_in(app, codes[0]))
        steady(app)
        expect(log_in(app, code_of(app, secret)), 200)
        expect(log_in(app, codes[0]), 200)
        expect_required(log_in(app, codes[0]))
        expect_required(log_in(app, codes[1], USER2))
        app.restart()
        expect(log_in(app, codes[1]), 200)
        new = enroll(app, code=codes[2])
        later = recovery_codes(app.exchanges[-1])
        steady(app)
        expect(log_in(app, code_of(app, new, 1)), 200)
        expect_required(log_in(app, codes[3]))
        expect(log_in(app, later[0]), 200)

    def test_recovery_codes_are_random_and_kept_hashed(self, start):
        """There are ten, none short, no two the same, and none in the database."""
        app = start()
        enroll(app)
        codes = recovery_codes(app.exchanges[-1])
        good = len(set(codes)) == 10 and all(len(code) >= 16 for code in codes)
        expect_that(good, "ten codes of 16 characters or more", f"{codes}", app.exchanges[-1])
        files = b"".join(kept.files(app).values())
        found = any(code.encode() in files for code in codes)
        expect_that(not found, "no recovery code in the database", "one is there")

    def test_recovery_codes_can_not_be_tried_for_ever(self, start):
        """Wrong recovery codes are tries like any other."""
        app = start()
        secret = enroll(app)
        codes = recovery_codes(app.exchanges[-1])
        steady(app)
        expect(log_in(app, code_of(app, secret)), 200)
        for _ in range(5):
            expect_required(log_in(app, "x" * len(codes[0])))
        expect(log_in(app, codes[0]), 429)


def seconds_in(answer):
    """Return for how long an answer 429 says to wait."""
    expect(answer, 429, headers={"Retry-After": ""})
    wait = answer.header("Retry-After")
    seconds = wait.isdecimal() and 0 < int(wait) <= 86400
    wanted = "seconds in Retry-After, a day at most"
    expect_that(seconds, wanted, f"Retry-After: {wait}", answer, "Retry-After")
    return int(wait)


def recovery_codes(answer):
    """Return the recovery codes in the answer to an enrolment."""
    try:
        return [str(code) for code in answer.json()["recovery_codes"]]
    except (ValueError, TypeError, KeyError):
        came = answer.text.strip()[:80] or "nothing"
        raise Unexpected("JSON with a list recovery_codes", came, answer, "body") from None
