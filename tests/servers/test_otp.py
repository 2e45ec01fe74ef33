"""Lesson 05 from outside: the RFCs' examples, another QR reader, clocks, workers and mail."""

import base64
import os
import re
import shutil
import socket
import sqlite3
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pyotp
import pytest

from learn import Lesson, Mailbox

USER1, USER2 = ("user1", "pass1"), ("user2", "pass2")
SECRET = b"12345678901234567890"  # RFC 4226 appendix D, RFC 6238 appendix B
HOTP = [755224, 287082, 359152, 969429, 338314, 254676, 287922, 162583, 399871, 520489]
TOTP = {  # seconds: eight digits, of which a code of six is the end
    59: 94287082,
    1111111109: 7081804,
    1111111111: 14050471,
    1234567890: 89005924,
    2000000000: 69279037,
}
posix = pytest.mark.skipif(os.name == "nt", reason="gunicorn does not run on Windows")


def log_in(app, code, pair=USER1):
    return app.get("/", basic=pair, headers={"OTP": code})


def enroll(app, pair=USER1):
    return pyotp.parse_uri(app.post("/enroll", basic=pair).json()["otpauth_uri"])


def change(app, sql, *values):
    """Change the running app's database, as somebody who has its file could."""
    db = sqlite3.connect(app.settings["DATABASE"], timeout=10)
    with db:
        assert db.execute(sql, values).rowcount == 1
    db.close()


def pin_of(app, mailbox, pair=USER1):
    number = len(mailbox.messages)
    assert app.post("/pin", basic=pair).status == 202
    return re.search(r"\d{6}", mailbox.message(number).get_content()).group()


def at_step(clock, number, offset=0):
    clock.set_to(30 * number + 10 + offset)


def test_examples_of_rfc_6238(clock):
    """The codes of appendix B open at their times, and the next step's, and later no more."""
    clock.set_to(59)
    with clock.lesson("05") as app:
        change(app, "UPDATE users SET secret = ? WHERE name = 'user1'", base64.b32encode(SECRET))
        for seconds, code in TOTP.items():
            code = f"{code % 10**6:06}"
            for late, status in [(90, 401), (0, 200), (0, 401)]:
                clock.set_to(seconds + late)
                assert log_in(app, code).status == status, (seconds, late)


def test_examples_of_rfc_4226(clock):
    """The codes of appendix D open when the clock has counted so far."""
    clock.set_to(0)
    with clock.lesson("05") as app:
        change(app, "UPDATE users SET secret = ? WHERE name = 'user1'", base64.b32encode(SECRET))
        for counter, code in enumerate(HOTP[2:], 2):
            at_step(clock, counter)
            assert log_in(app, f"{code:06}").status == 200
            assert log_in(app, f"{HOTP[counter - 2]:06}").status == 401


@pytest.mark.parametrize("file", ["app", "naive", "beyond"])
def test_qr_code_is_read_by_another_reader(file, tmp_path):
    """The picture, drawn by librsvg and read by zbar, is the otpauth address of the answer."""
    for tool in ("rsvg-convert", "zbarimg"):
        if not shutil.which(tool):
            pytest.skip(f"{tool} is not installed")
    with Lesson("05", file) as app:
        address = app.post("/enroll", basic=USER1).json()["otpauth_uri"]
        svg, png = tmp_path / "code.svg", tmp_path / "code.png"
        svg.write_text(app.get("/enroll.svg", basic=USER1).text)
        subprocess.run(["rsvg-convert", svg, "-o", png], check=True)
        command = ["zbarimg", "--quiet", "--raw", png]
        read = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert read.strip() == address
    parsed = pyotp.parse_uri(address)
    assert (parsed.name, parsed.issuer, parsed.digits, parsed.interval) == (
        "user1",
        "Lesson 05",
        6,
        30,
    )


def test_drift(clock):
    """Of nine steps around now three count, in any order, and each once."""
    with clock.lesson("05") as app:
        for number, order in enumerate([[-1, 0, 1], [1, 0, -1], [0, 1, -1]]):
            now = 60_000_000 + 200 * number
            at_step(clock, now)
            secret = pyotp.random_base32()
            change(app, "UPDATE users SET secret = ?, tries = 0 WHERE name = 'user1'", secret)
            code = pyotp.HOTP(secret).at
            assert [log_in(app, code(now + step)).status for step in order] == [200] * 3
            for step in (-4, -3, -2, 2):
                assert log_in(app, code(now + step)).status == 401
            change(app, "UPDATE users SET tries = 0 WHERE name = 'user1'")
            for step in (3, 4, *order):
                assert log_in(app, code(now + step)).status == 401


def test_clock_set_forth_and_back(clock):
    """A clock that jumps opens nothing twice and locks nobody out for longer than the pause."""
    with Mailbox() as mailbox, clock.lesson("05", MAIL_SERVER=mailbox.address) as app:
        now, day = 60_000_000, 2880
        at_step(clock, now)
        phone = enroll(app)
        code, pin = phone.generate_otp(now), pin_of(app, mailbox, USER2)
        assert log_in(app, code).status == 200
        at_step(clock, now + day)
        assert log_in(app, code).status == log_in(app, pin, USER2).status == 401
        assert log_in(app, phone.generate_otp(now + day)).status == 200
        future = pin_of(app, mailbox, USER2)
        for number in range(4):  # the fifth: the PIN of a day ago
            assert log_in(app, f"00000{number}", USER2).status == 401
        assert log_in(app, future, USER2).status == 429
        at_step(clock, now)
        assert log_in(app, future, USER2).status == 401  # it would be good for a day
        assert log_in(app, pin_of(app, mailbox, USER2), USER2).status == 200  # no pause of a day
        assert log_in(app, phone.generate_otp(now + 1)).status == 200


def test_code_is_not_good_again_when_the_clock_is_set_back(clock):
    """A used code stays used when the clock is set back by less than an hour."""
    with clock.lesson("05") as app:
        now = 60_000_000
        at_step(clock, now)
        phone = enroll(app)
        assert log_in(app, phone.generate_otp(now)).status == 200
        for minutes in (5, 50):
            at_step(clock, now + 2 * minutes)
            assert log_in(app, phone.generate_otp(now + 2 * minutes)).status == 200
            at_step(clock, now)
            assert log_in(app, phone.generate_otp(now)).status == 401


def test_retry_after_counts_down(clock):
    """Retry-After says how long the pause still lasts; then there are five tries again."""
    with clock.lesson("05", LOCKOUT=60) as app:
        now = 60_000_000
        at_step(clock, now)
        phone = enroll(app)
        for _ in range(5):
            assert log_in(app, "wrong").status == 401
        for later, left in [(0, 60), (20, 40), (40, 20)]:
            at_step(clock, now, later)
            answer = log_in(app, phone.generate_otp(now + (10 + later) // 30))
            assert answer.status == 429
            assert left - 9 < int(answer.header("Retry-After")) <= left + 1
        at_step(clock, now, 65)
        for _ in range(4):
            assert log_in(app, "wrong").status == 401
        assert log_in(app, phone.generate_otp(now + 2)).status == 200


@posix
def test_four_workers():
    """In four workers a PIN and a code count once, and five wrong ones are all there are."""
    with Mailbox() as mailbox, Lesson("05", workers=4, MAIL_SERVER=mailbox.address) as app:
        phone = enroll(app)
        while time.time() % 30 > 22:
            time.sleep(0.5)
        for make in (phone.now, lambda: pin_of(app, mailbox), lambda: pin_of(app, mailbox)):
            with ThreadPoolExecutor(4) as pool:
                answers = list(pool.map(lambda code: log_in(app, code).status, [make()] * 4))
            assert sorted(answers) == [200, 401, 401, 401]
            assert log_in(app, pin_of(app, mailbox)).status == 200  # sets the count back
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: log_in(app, "000000", USER2).status, range(40)))
        assert sorted(answers) == [401] * 5 + [429] * 35
        pin = pin_of(app, mailbox, USER2)
        app.restart()
        for _ in range(8):
            assert log_in(app, pin, USER2).status == 429
        assert log_in(app, pin_of(app, mailbox)).status == 200


def test_many_wrong_codes_at_once_are_told_how_long_to_wait():
    """Who comes too late in a crowd of wrong codes is told the whole pause."""
    with Lesson("05") as app, ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda _: log_in(app, "000000", USER2), range(40)))
    waits = [int(one.header("Retry-After")) for one in answers if one.status == 429]
    assert len(waits) == 35 and min(waits) > 270, waits


def test_mail_address_that_is_none():
    """An address with a line break, or none at all, is a 503 and no mail; the old PIN counts."""
    bad = ["user1@example.com\r\nBcc: user2@example.com", "user1@example.com\nX: y", "", "\ufffd"]
    with Mailbox() as mailbox, Lesson("05", MAIL_SERVER=mailbox.address) as app:
        pin = pin_of(app, mailbox)
        for address in bad:
            change(app, "UPDATE users SET mail = ? WHERE name = 'user1'", address)
            answer = app.post("/pin", basic=USER1)
            assert answer.status == 503 and answer.text.startswith("The PIN could not"), address
        assert len(mailbox.messages) == 1
        assert log_in(app, pin).status == 200


def test_mail_servers_that_misbehave():
    """A mail server that refuses, is silent or speaks nonsense is a 503, and the old PIN counts."""
    refusals = [
        b"554 no\r\n",
        b"220 hi\r\n550 no\r\n550 no\r\n",
        b"220 hi\r\n250 hi\r\n250 ok\r\n550 nobody of that name\r\n",
        b"220 hi\r\n250 hi\r\n250 ok\r\n250 ok\r\n354 go\r\n452 full\r\n",
        b"\xff\xfe\r\n" * 5,
        b"",
        None,  # says nothing and stays
    ]
    with Mailbox() as mailbox, Lesson("05", MAIL_SERVER=mailbox.address) as app:
        port = mailbox.port
        pin = pin_of(app, mailbox)
        mailbox.stop()
        for said in refusals:
            with socket.create_server(("127.0.0.1", port)) as listener:
                threading.Thread(target=say, args=(listener, said), daemon=True).start()
                answer = app.post("/pin", basic=USER1)
            assert (answer.status, answer.said) == (503, ""), said
        app.get("/the-end-of-the-log")
        assert app.printed("/the-end-of-the-log") and "Traceback" not in app.log
        assert log_in(app, pin).status == 200


def say(listener, said):
    with listener.accept()[0] as connection:
        if said is None:
            connection.settimeout(20)
            while connection.recv(1024):
                pass
            return
        connection.sendall(said)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(4096):
            pass


def test_pin_is_nowhere_but_in_the_mail():
    """With a mail server set, the log has no PIN, and the mail is one plain text of our own."""
    with Mailbox() as mailbox, Lesson("05", MAIL_SERVER=mailbox.address) as app:
        pin = pin_of(app, mailbox)
        message = mailbox.message()
        app.get("/the-end-of-the-log")
        assert app.printed("/the-end-of-the-log") and pin not in app.log
        assert message["To"] == "user1@example.com" and message["Auto-Submitted"]
        assert message.get_content_type() == "text/plain" and message["Date"]
        assert message.get_content().count(pin) == 1


def test_of_enrolments_at_once_one_is_left():
    """Of several enrolments at once one counts, and after its first code nobody enrols anew."""
    with Lesson("05") as app:
        for _ in range(2):
            phones = []
            with ThreadPoolExecutor(4) as pool:
                for answer in pool.map(lambda _: app.post("/enroll", basic=USER1), range(4)):
                    phones.append(pyotp.parse_uri(answer.json()["otpauth_uri"]))
            statuses = [log_in(app, phone.now()).status for phone in phones]
            assert statuses.count(200) == 1
            assert app.post("/enroll", basic=USER1).status == 401
            sql = "UPDATE users SET secret = NULL, pending = NULL, tries = 0 WHERE name = 'user1'"
            change(app, sql)


def test_other_sites_can_not_have_mails_sent():
    """A form of another site, sent along with the remembered password, is 403."""
    with Lesson("05") as app:
        for target in ("/pin", "/enroll"):
            for site in ("cross-site", "same-site"):
                answer = app.post(target, basic=USER1, headers={"Sec-Fetch-Site": site})
                assert answer.status == 403
        assert (
            app.post("/pin", basic=USER1, headers={"Sec-Fetch-Site": "same-origin"}).status == 202
        )
