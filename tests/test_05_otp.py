"""Lesson 05: one-time PINs and authenticator apps (RFC 4226, 6238).

One class is one step, in the order in which you build it; what each step says to the learner stands
in lessons/05_otp/steps.toml.
"""

import asyncio
import hashlib
import re
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyotp
import pytest

from learn import Mailbox
from learn.practice.expect import Unexpected, expect, expect_that

USER1, USER2 = ("user1", "pass1"), ("user2", "pass2")
STEP = 30  # seconds
NUMBER = re.compile(r"(?<!\d)\d{6}(?!\d)")


@pytest.fixture(scope="module")
def mailbox():
    """A mail server of the checks' own, on this machine."""
    with Mailbox() as box:
        yield box


@pytest.fixture(scope="module")
def settings(mailbox):
    """What the lesson is started with: it mails to that server."""
    return {"MAIL_SERVER": mailbox.address}


class SlowMailbox(Mailbox):
    """A mail server that has its first mail at once, and says so one and a half seconds later."""

    async def handle_DATA(self, server, session, envelope):
        said = await super().handle_DATA(server, session, envelope)
        if len(self.messages) == 1:
            await asyncio.sleep(1.5)
        return said


def log_in(app, code, pair=USER1, target="/"):
    """Ask for a page with both factors; code: text, or None for the password alone."""
    return app.get(target, basic=pair, headers={} if code is None else {"OTP": code})


def expect_required(answer):
    """The password alone, or a wrong code: a challenge, and a header that asks for a code."""
    return expect(answer, 401, challenge="basic", headers={"OTP": "required"})


def enroll(app, pair=USER1, code=None):
    """Enrol a phone and return its secret, as the otpauth address in the answer names it."""
    headers = {} if code is None else {"OTP": code}
    answer = expect(app.post("/enroll", basic=pair, headers=headers), 201)
    try:
        values = answer.json().values()
        address = next(v for v in values if str(v).startswith("otpauth://totp/"))
        return pyotp.parse_uri(address).secret
    except (ValueError, AttributeError, StopIteration):
        came = answer.text.strip()[:80] or "nothing"
        wanted = "JSON with an otpauth://totp/ address that phones read"
        raise Unexpected(wanted, came, answer, "body") from None


def code_of(secret, steps=0):
    """Return the code that a phone shows now, or whose clock is so many steps ahead."""
    return pyotp.TOTP(secret).at(int(time.time()) + steps * STEP)


def steady(seconds=4):
    """Wait until the current 30 seconds last for some more, so that a code stays what it is."""
    left = STEP - time.time() % STEP
    if left < seconds:
        time.sleep(left + 0.1)


def wrong_code(secret=None, avoid=()):
    """Return six digits that are no code of this secret anywhere near now, and not among these."""
    near = {code_of(secret, steps) for steps in range(-3, 4)} if secret else set()
    return next(c for c in ("000000", "111111", "222222", "333333") if c not in near | set(avoid))


def ask_for_pin(app, mailbox, pair=USER1):
    """Ask for a PIN and return it, read from the mail that came."""
    number = len(mailbox.messages)
    answer = expect(app.post("/pin", basic=pair), 202)
    message = mailbox.message(number)
    while not NUMBER.search(message.get_content()):  # about something else, and late
        number += 1
        message = mailbox.message(number)
    return pin_in(message, answer)


def pin_in(message, answer):
    """Return the PIN in a mail."""
    text = message.get_content()
    found = NUMBER.findall(text)
    expect_that(len(found) == 1, "one number of six digits in the mail", repr(text), answer)
    return found[0]


def expect_refused(answer, what):
    """Whatever was tried is refused: with a status of 400 to 499."""
    came = f"status {answer.status} {answer.reason}"
    return expect_that(400 <= answer.status < 500, what, came, answer, "status")


class TestItWorks:
    def test_it_works_public_page(self, app):
        """The public page needs nothing."""
        expect(app.get("/public"), 200)

    def test_it_works_nobody_gets_in(self, app):
        """Without credentials, or with a wrong password, comes 401 with a Basic challenge."""
        for pair in [None, ("user1", "wrong"), ("nobody", "pass1"), ("user1", "pass2")]:
            expect(app.get("/", basic=pair), 401, challenge="basic")

    def test_it_works_with_a_phone(self, app):
        """Who has enrolled a phone gets in with the password and the code that it shows."""
        secret = enroll(app, USER2)
        steady()
        expect(log_in(app, code_of(secret), USER2), 200, text="Hello, user2!")


class TestRequired:
    def test_code_is_asked_for(self, app):
        """A right password without a code, or with a wrong one, is answered with OTP: required."""
        for code in (None, ""):
            expect_required(log_in(app, code))
        expect_required(log_in(app, "000000", USER2))

    def test_wrong_password_asks_for_nothing_more(self, app):
        """A wrong password gets no OTP header, not even with a right code, and no code is used."""
        secret = enroll(app)
        steady()
        expect_required(log_in(app, None))
        for pair in [("user1", "wrong"), ("user2", "pass1"), ("nobody", "pass1"), ("", "")]:
            answer = expect(log_in(app, code_of(secret), pair), 401, challenge="basic")
            asked = answer.header("OTP")
            expect_that(asked is None, "no header OTP", f"OTP: {asked}", answer, "OTP")
        expect(log_in(app, code_of(secret)), 200)

    def test_only_the_password_owner_gets_one(self, app, mailbox):
        """Nobody gets a PIN or a secret for someone whose password they don't know."""
        expect_required(log_in(app, None))
        before = len(mailbox.messages)
        for pair in [None, ("user1", "wrong"), ("nobody", "pass1")]:
            for target in ("/pin", "/enroll"):
                expect(app.post(target, basic=pair), 401, challenge="basic")
        came = len(mailbox.messages) - before
        expect_that(came == 0, "no mail", f"{came} mails", app.exchanges[-1])


class TestMail:
    def test_pin_comes_by_mail(self, app, mailbox):
        """The PIN is mailed to its user, opens the page, and is nowhere in the answer."""
        for pair in (USER1, USER2):
            pin = ask_for_pin(app, mailbox, pair)
            message, answer = mailbox.messages[-1], app.exchanges[-1]
            expect_that(
                f"{pair[0]}@example.com" in str(message["To"]),
                f"a mail to {pair[0]}@example.com",
                f"To: {message['To']}",
                answer,
            )
            said = answer.text + str(answer.response_headers)
            expect_that(pin not in said, "an answer without the PIN", "the PIN in it", answer)
            expect(log_in(app, pin, pair), 200, text=f"Hello, {pair[0]}!")

    def test_pin_is_random(self, app, mailbox):
        """Each PIN is another one of six digits, and may begin with any of them."""
        pins = [ask_for_pin(app, mailbox, USER2) for _ in range(12)]
        expect_that(
            len(set(pins)) > 9 and len({pin[0] for pin in pins}) > 2,
            "twelve PINs that look random",
            ", ".join(pins),
        )

    def test_pin_stays_out_of_the_subject(self, app, mailbox):
        """The mail's headers, which a locked phone shows, don't have the PIN."""
        pin = ask_for_pin(app, mailbox)
        headers = " ".join(str(value) for value in mailbox.messages[-1].values())
        expect_that(pin not in headers, "headers without the PIN", headers, app.exchanges[-1])

    def test_forms_of_other_pages_send_nothing(self, app, mailbox):
        """A form on another origin's page has no mail sent; one on a page of your own has."""
        own = f"http://127.0.0.1:{app.port}"
        forged = [
            {"Sec-Fetch-Site": "cross-site", "Origin": "https://other.example"},
            {"Sec-Fetch-Site": "same-site", "Origin": "http://127.0.0.1:1"},
            {"Origin": "http://other.example"},  # all that a browser says over plain http
            {"Origin": "null"},
        ]
        before = len(mailbox.messages)
        for headers in forged:
            answer = app.post("/pin", basic=USER2, headers=headers)
            expect_refused(answer, "a refusal of another origin's form, such as 403")
        came = len(mailbox.messages) - before
        expect_that(came == 0, "no mail", f"{came} mails", app.exchanges[-1])
        expect(app.post("/pin", basic=USER2, headers={"Origin": own}), 202)
        honest = {"Sec-Fetch-Site": "same-origin", "Origin": own}
        expect(app.post("/pin", basic=USER2, headers=honest), 202)

    def test_mail_server_is_down(self, start):
        """Without the mail server comes 503 and a sentence; the PIN that was sent still counts."""
        with Mailbox() as other:
            app = start(MAIL_SERVER=other.address)
            pin = ask_for_pin(app, other)
        answer = expect(app.post("/pin", basic=USER1), 503)
        expect_that(len(answer.text.strip()) > 10, "a sentence", repr(answer.text), answer, "body")
        expect(log_in(app, pin), 200)

    def test_no_mail_server_is_set(self, start):
        """With no mail server set the PIN is written to the app's log."""
        app = start(MAIL_SERVER=None)
        expect(app.post("/pin", basic=USER1), 202)
        found = app.printed(r"(?<![\d.:])\d{6}(?![\d.:]*\d)", seconds=2)
        expect_that(found, "the PIN in the app's log", "no number of six digits")
        expect(log_in(app, found[-1]), 200)


class TestPinOnce:
    def test_pin_counts_once(self, app, mailbox):
        """The same PIN does not open twice, and not for another user."""
        pin = ask_for_pin(app, mailbox)
        expect_required(log_in(app, pin, USER2))
        expect(log_in(app, pin), 200)
        expect_required(log_in(app, pin))

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
            first = asked.result()
            pin = pin_in(slow.message(1 if second.status == 202 else 0), second)
        if second.status != 202:
            expect_that(second.status in (409, 429, 503), "202 or 429", f"{second.status}", second)
            expect(first, 202)
        expect(log_in(app, pin), 200)

    def test_pin_ends(self, start, mailbox):
        """After its lifetime a PIN is worth nothing."""
        app = start(PIN_LIFETIME=1)
        pin = ask_for_pin(app, mailbox)
        time.sleep(1.2)
        expect_required(log_in(app, pin))

    def test_pin_survives_a_restart_and_is_kept_hashed(self, start, mailbox):
        """A PIN counts after a restart; the database has neither it nor a plain hash of it."""
        app = start()
        pin = ask_for_pin(app, mailbox)
        kept = b"".join(p.read_bytes() for p in Path(app.scratch).rglob("*") if p.is_file())
        names = ("md5", "sha1", "sha256", "sha512")
        plain = [hashlib.new(name, pin.encode()) for name in names]
        traces = [pin.encode()]
        traces += [t for h in plain for t in (h.digest(), h.hexdigest().encode())]
        found = any(trace in kept for trace in traces)
        expect_that(not found, "no PIN, nor a plain hash of it, in the database", "it is there")
        app.restart()
        expect(log_in(app, pin), 200)
        app.restart()
        expect_required(log_in(app, pin))


class TestDrift:
    def test_one_step_either_way_and_no_more(self, start):
        """Codes of one step around now count; of two steps, or of another phone, they don't."""
        app = start()
        one, two = enroll(app), enroll(app, USER2)
        steady(8)
        wrong = [(USER1, one, -2), (USER1, one, 2), (USER2, two, 9), (USER2, one, 0)]
        for pair, secret, steps in wrong:  # two each: this step is not about how many tries
            own = one if pair == USER1 else two
            if code_of(secret, steps) not in {code_of(own, near) for near in (-1, 0, 1)}:
                expect_required(log_in(app, code_of(secret, steps), pair))
        for steps in (-1, 0, 1):
            expect(log_in(app, code_of(one, steps)), 200)
        expect(log_in(app, code_of(two, 1), USER2), 200)

    def test_only_six_digits_are_a_code(self, start):
        """What is not six digits is refused like a wrong code, and is never an error 500."""
        app = start()
        enroll(app)
        for pair, bad in [(USER1, ["1234567", "\u0661" * 6]), (USER2, ["123456, 234567", "x"])]:
            for code in bad:
                expect_required(log_in(app, code.encode(), pair))


class TestReplay:
    def test_code_counts_once(self, start):
        """The same code does not open twice, after a restart neither."""
        app = start()
        secret = enroll(app)
        steady(6)
        code = code_of(secret)
        expect(log_in(app, code), 200)
        expect_required(log_in(app, code))
        app.restart()
        expect_required(log_in(app, code))
        expect(log_in(app, code_of(secret, 1)), 200)

    def test_code_counts_once_of_many_at_once(self, start):
        """Of three requests with one code, sent at the same time, one gets in."""
        app = start()
        one, two = enroll(app), enroll(app, USER2)
        steady(6)
        expect(log_in(app, code_of(two), USER2), 200)
        for steps in (-1, 0, 1):
            code = code_of(one, steps)
            with ThreadPoolExecutor(3) as pool:
                answers = list(pool.map(lambda code: log_in(app, code), [code] * 3))
            opened = sum(answer.status == 200 for answer in answers)
            expect_that(opened == 1, "one of three let in", f"{opened}", answers[-1], "status")


class TestEnrolment:
    def test_password_alone_enrols_once(self, start):
        """After a first right code, the password alone does not enrol."""
        app = start()
        secret = enroll(app)
        enroll(app, USER2)
        steady()
        expect(log_in(app, code_of(secret)), 200)
        expect_required(app.post("/enroll", basic=USER1))
        enroll(app, USER2)  # who has not shown a code yet may begin again
        expect(log_in(app, code_of(secret, 1)), 200)

    def test_secret_is_shown_once(self, start):
        """The secret is in the answer to POST /enroll; nothing shows it a second time."""
        app = start()
        secret = enroll(app)
        for target in ("/enroll.svg", "/enroll"):
            answer = app.get(target, basic=USER1)
            expect_refused(answer, "a refusal to show the secret again")
        steady()
        expect(log_in(app, code_of(secret)), 200)

    def test_secret_as_a_picture(self, start):
        """With Accept: image/svg+xml the answer is a QR code of a new secret; no cache keeps it."""
        app = start()
        first = enroll(app)
        answer = app.post("/enroll", basic=USER1, headers={"Accept": "image/svg+xml"})
        expect(answer, 201, headers={"Cache-Control": "no-store"})
        came = f"{answer.header('Content-Type')}: {answer.text[:60]}"
        expect_that(has_picture(answer), "a picture in SVG", came, answer, "body")
        expect_that(first not in answer.text, "a new secret", "the old one", answer, "body")
        steady()
        expect_required(log_in(app, code_of(first)))

    def test_new_phone_with_both_factors(self, start):
        """With both factors a new phone is enrolled; the old one counts until its first code."""
        app = start()
        first, second = enroll(app), enroll(app, USER2)
        steady(8)
        expect(log_in(app, code_of(first, -1)), 200)
        expect(log_in(app, code_of(second, -1), USER2), 200)
        new = enroll(app, code=code_of(first))
        enroll(app, USER2, code_of(second))
        expect_that(new != first, "another secret", "the same", app.exchanges[-2], "body")
        expect(log_in(app, code_of(second, 1), USER2), 200)
        expect(log_in(app, code_of(new, 1)), 200)
        expect_required(log_in(app, code_of(first, 1)))

    def test_owner_is_told_of_a_new_phone(self, start, mailbox):
        """When a new phone takes the old one's place, the owner gets a mail, without secrets."""
        app = start()
        old = enroll(app)
        steady(8)
        expect(log_in(app, code_of(old, -1)), 200)
        new = enroll(app, code=code_of(old))
        before = len(mailbox.messages)
        answer = expect(log_in(app, code_of(new, 1)), 200)
        end = time.monotonic() + 2
        while len(mailbox.messages) == before and time.monotonic() < end:
            time.sleep(0.02)
        told = [m for m in mailbox.messages[before:] if "user1@example.com" in str(m["To"])]
        expect_that(told, "a mail to user1@example.com about the new phone", "none", answer)
        said = str(told[-1])
        leaked = new in said or NUMBER.search(told[-1].get_content())
        expect_that(not leaked, "a mail without the secret or a code", said, answer)

    def test_secret_is_long_and_new(self, start):
        """Each secret is new, has 160 bits (RFC 4226 section 4, R6), and no cache may keep it."""
        app = start()
        secrets = [enroll(app), enroll(app), enroll(app, USER2)]
        expect_that(len(set(secrets)) == 3, "three secrets", "the same again", app.exchanges[-1])
        for secret in secrets:
            bits = len(pyotp.TOTP(secret).byte_secret()) * 8
            expect_that(bits >= 160, "160 bits or more", f"{bits}", app.exchanges[-1], "body")
        steady()
        expect_required(log_in(app, code_of(secrets[0])))
        expect(app.post("/enroll", basic=USER1), headers={"Cache-Control": "no-store"})


def has_picture(answer):
    """Tell whether an answer is an SVG picture, or JSON with one in it."""
    if "image/svg+xml" in (answer.header("Content-Type") or ""):
        return "<svg" in answer.text
    try:
        values = [str(value) for value in answer.json().values()]
    except (ValueError, AttributeError):
        return False
    return any("<svg" in v or v.startswith("data:image/svg+xml") for v in values)


class TestTries:
    def test_five_wrong_codes_and_then_no_more(self, start, mailbox):
        """After five wrong codes even right ones are 429, with Retry-After, after a restart too."""
        app = start()
        secret, pin = enroll(app), ask_for_pin(app, mailbox)
        steady(6)
        for _ in range(5):
            expect_required(log_in(app, wrong_code(secret, [pin])))
        for code in (code_of(secret), pin):
            answer = expect(log_in(app, code), 429, headers={"Retry-After": ""})
            wait = answer.header("Retry-After")
            expect_that(
                wait.isdecimal() and int(wait) > 0,
                "seconds in Retry-After",
                f"Retry-After: {wait}",
                answer,
                "Retry-After",
            )
        app.restart()
        expect(log_in(app, code_of(secret)), 429)
        app.post("/pin", basic=USER1)  # a new PIN is no way round
        expect(log_in(app, "x"), 429)

    def test_limit_belongs_to_the_user(self, start, mailbox):
        """The other user still gets in, and a wrong password does not count as a try."""
        app = start()
        pin = ask_for_pin(app, mailbox)
        for _ in range(7):
            expect(log_in(app, "000000", ("user1", "wrong")), 401)
        expect(log_in(app, pin), 200)
        pin = ask_for_pin(app, mailbox, USER2)
        for _ in range(5):
            expect_required(log_in(app, wrong_code(avoid=[pin])))
        expect(log_in(app, "000000"), 429)
        expect(log_in(app, pin, USER2), 200)

    def test_right_code_sets_the_count_back(self, start, mailbox):
        """Four wrong codes, a right one, and there are five tries again; asking is no try."""
        app = start()
        for _ in range(2):
            pin = ask_for_pin(app, mailbox)
            for _ in range(4):
                expect_required(log_in(app, wrong_code(avoid=[pin])))
                expect_required(log_in(app, None))
            expect(log_in(app, pin), 200)
        pin = ask_for_pin(app, mailbox)
        for _ in range(5):
            expect_required(log_in(app, wrong_code(avoid=[pin])))
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
        app = start(LOCKOUT=2)
        secret = enroll(app)
        steady(9)
        expect(log_in(app, code_of(secret)), 200)
        for number in range(5):
            headers = {"OTP": wrong_code(secret)}
            page = [app.get, "/"] if number % 2 else [app.post, "/enroll"]
            expect_required(page[0](page[1], basic=USER1, headers=headers))
        answer = expect(log_in(app, code_of(secret, 1)), 429)
        wait = float(answer.header("Retry-After") or 0)
        if wait <= 5:  # the time of the pause is the app's choice; FLASK_LOCKOUT sets it here
            time.sleep(wait + 0.2)
            expect(log_in(app, code_of(secret, 1)), 200)


class TestRecovery:
    beyond = "beyond"

    def test_recovery_codes_count_once_each(self, start):
        """Each recovery code of an enrolled phone opens once; a new enrolment ends the old ones."""
        app = start()
        secret = enroll(app)
        codes = recovery_codes(app.exchanges[-1])
        expect_required(log_in(app, codes[0]))
        steady()
        expect(log_in(app, code_of(secret)), 200)
        expect(log_in(app, codes[0]), 200)
        expect_required(log_in(app, codes[0]))
        expect_required(log_in(app, codes[1], USER2))
        app.restart()
        expect(log_in(app, codes[1]), 200)
        new = enroll(app, code=codes[2])
        later = recovery_codes(app.exchanges[-1])
        steady()
        expect(log_in(app, code_of(new, 1)), 200)
        expect_required(log_in(app, codes[3]))
        expect(log_in(app, later[0]), 200)

    def test_recovery_codes_are_random_and_kept_hashed(self, start):
        """There are ten, none short, no two the same, and none in the database."""
        app = start()
        enroll(app)
        codes = recovery_codes(app.exchanges[-1])
        good = len(set(codes)) == 10 and all(len(code) >= 16 for code in codes)
        expect_that(good, "ten codes of 16 characters or more", f"{codes}", app.exchanges[-1])
        kept = b"".join(p.read_bytes() for p in Path(app.scratch).rglob("*") if p.is_file())
        found = any(code.encode() in kept for code in codes)
        expect_that(not found, "no recovery code in the database", "one is there")

    def test_recovery_codes_can_not_be_tried_for_ever(self, start):
        """Wrong recovery codes are tries like any other."""
        app = start()
        secret = enroll(app)
        codes = recovery_codes(app.exchanges[-1])
        steady()
        expect(log_in(app, code_of(secret)), 200)
        for _ in range(5):
            expect_required(log_in(app, "x" * len(codes[0])))
        expect(log_in(app, codes[0]), 429)


def recovery_codes(answer):
    """Return the recovery codes in the answer to an enrolment."""
    try:
        return [str(code) for code in answer.json()["recovery_codes"]]
    except (ValueError, TypeError, KeyError):
        came = answer.text.strip()[:80] or "nothing"
        raise Unexpected("JSON with a list recovery_codes", came, answer, "body") from None
