"""Attacks on lesson 05: a second factor."""

import base64
import hashlib
import re
import socket
import sqlite3
import statistics
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager

import pyotp
from attack import USER1, USER2, basic, first, is_in, pin
from on_hashing import differ, ratio
from wire import NoAnswer, ask, request

from learn import Lesson

QUIT = (b"QUIT", b"quit")


class MailServer:
    """A mail server that has a mail at once, and says so when it is told to.

    `mails`: pairs of a mail, bytes, and the event that it waits for, in the order of their coming.
    """

    def __init__(self):
        self.mails = []
        self.place = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.place.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def wait(self, number, seconds=10):
        """Return the mail of this number when it is there, None if none comes."""
        end = time.monotonic() + seconds
        while len(self.mails) <= number and time.monotonic() < end:
            time.sleep(0.01)
        return self.mails[number] if len(self.mails) > number else None

    def _serve(self):
        while True:
            try:
                connection, _ = self.place.accept()
            except OSError:  # it was closed
                return
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection):
        with connection, connection.makefile("rb") as lines:
            connection.sendall(b"220 here\r\n")
            for line in lines:
                if line.upper().startswith(b"DATA"):
                    connection.sendall(b"354 go on\r\n")
                    told = threading.Event()
                    self.mails.append((b"".join(iter(lines.readline, b".\r\n")), told))
                    told.wait(20)
                connection.sendall(b"221 bye\r\n" if line[:4] in QUIT else b"250 well\r\n")


@contextmanager
def mailing(target):
    """Start the lesson anew, with a mail server; both end with the attack."""
    server = MailServer()
    with server.place, Lesson(target.folder.name, target.path, MAIL_SERVER=server.address) as own:
        yield own, server


def change(target, sql, *values):
    """Change the lesson's database, as its owner may at any time."""
    with closing(sqlite3.connect(target.settings["DATABASE"], timeout=20)) as db, db:
        db.execute(sql, values)


def kept(target, column, user="user1"):
    """Return a column of the user's row."""
    with closing(sqlite3.connect(target.settings["DATABASE"], timeout=20)) as db:
        return db.execute(f"SELECT {column} FROM users WHERE name = ?", [user]).fetchone()[0]


def log_in(target, code, user=USER1, **headers):
    """Ask for the page with both factors; return the exchange."""
    return target.get("/", basic=user, headers={"OTP": code, **headers})


def enroll(target, user=USER1):
    """Enrol a phone and return its secret, not yet confirmed."""
    answer = target.post("/enroll", basic=user)
    return pyotp.parse_uri(answer.json()["otpauth_uri"]).secret


def code_of(secret, steps=0):
    """Return the phone's code, so many steps of 30 seconds from now."""
    return pyotp.TOTP(secret).at(int(time.time()) + 30 * steps)


def steady(seconds=3):
    """Wait until the current 30 seconds last for some more."""
    left = 30 - time.time() % 30
    if left < seconds:
        time.sleep(left + 0.1)


def other_than(*codes):
    """Yield codes of six digits that are not these."""
    return (f"{n:06}" for n in range(10**6) if f"{n:06}" not in codes)


def password_alone(target):
    """Send the password and no code, an empty one, or what programs send for nothing."""
    codes = [
        b"",
        b" ",
        b"null",
        b"None",
        b"undefined",
        b"000000",
        b"0",
        b"true",
        b"required",
        b"[]",
    ]
    lines = [[b"OTP: " + code] for code in codes[:4]] + [[b"X-OTP: 000000"], [b"Otp-: 1"], []]
    who = b"Authorization: " + basic(*USER1).encode()
    return first(target, [request(b"GET", b"/", who, *line) for line in lines])


def code_alone(target):
    """Send a right code with a wrong password, or with none."""
    code = pin(target)
    line = b"OTP: " + code.encode()
    wrong = b"Authorization: " + basic("user1", "wrong").encode()
    return first(target, [request(b"GET", b"/", line), request(b"GET", b"/", wrong, line)])


def pin_in_the_answer(target):
    """Ask for a PIN with the password alone, and look for it in the answer."""
    answer = target.post("/pin", basic=USER1)
    digits = "".join(c if c.isdigit() else " " for c in answer.text).split()
    return next((f"the PIN {d}" for d in digits if len(d) >= 4 and is_in(log_in(target, d))), None)


def pin_guessed(target):
    """Guess the PIN, thirty times; and the right one at last: is anybody still listening?"""
    right = pin(target)
    for _, wrong in zip(range(30), other_than(right), strict=False):
        log_in(target, wrong)
    return "thirty guesses stopped nobody" if is_in(log_in(target, right)) else None


def pin_guessed_at_once(target):
    """Send forty guesses at the same moment, the right one the last: how many are looked at?"""
    right = pin(target)
    codes = [c for _, c in zip(range(39), other_than(right), strict=False)] + [right]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda code: log_in(target, code), codes))
    looked = sum(answer.status in (200, 401) for answer in answers)
    return f"{looked} of 40 were looked at" if looked > 5 else None


def pin_space(target):
    """Look at twelve PINs: are they six digits long, and do they use all of them?"""
    pins = [pin(target, USER2) for _ in range(12)]
    if any(len(one) < 6 for one in pins):
        return f"{pins[0]}: only {10 ** len(pins[0])} are possible"
    if len(set(pins)) < 12:
        return "the same PIN twice in twelve"


def limit_begins_anew(target):
    """Guess four times, ask for another PIN, guess four times, and so on: does the count forget?"""
    answers = []
    for _ in range(4):
        right = pin(target)
        answers += [log_in(target, c) for _, c in zip(range(4), other_than(right), strict=False)]
    looked = sum(answer.status == 401 for answer in answers)
    return f"{looked} of {len(answers)} guesses were looked at" if looked > 5 else None


def limit_by_sender(target):
    """Guess from addresses that a proxy would name: is the limit the sender's or the user's?"""
    right = pin(target)
    for n, code in zip(range(12), other_than(right), strict=False):
        log_in(target, code, **{"X-Forwarded-For": f"10.0.0.{n}"})
    return "no limit" if is_in(log_in(target, right, **{"X-Forwarded-For": "10.9.9.9"})) else None


def pin_twice(target):
    """Use a PIN that was used."""
    code = pin(target)
    log_in(target, code)
    return "it works again" if is_in(log_in(target, code)) else None


def pin_twice_at_once(target):
    """Send a PIN five times at the same moment."""
    code = pin(target)
    with ThreadPoolExecutor(5) as pool:
        let_in = sum(is_in(a) for a in pool.map(lambda _: log_in(target, code), range(5)))
    return f"{let_in} got in with one PIN" if let_in > 1 else None


def pin_of_before(target):
    """Use a PIN after a newer one was asked for."""
    old, new = pin(target), pin(target)
    return "the older one works as well" if old != new and is_in(log_in(target, old)) else None


def pin_acknowledged_late(target):
    """Ask for two PINs, of which the older one's mail is acknowledged last."""
    with mailing(target) as (own, server), ThreadPoolExecutor(2) as pool:
        first = pool.submit(own.post, "/pin", basic=USER1)
        old, acknowledged = server.wait(0)
        second = pool.submit(own.post, "/pin", basic=USER1)
        new, at_once = server.wait(1, 2) or (None, acknowledged)
        at_once.set()
        answer = second.result()
        acknowledged.set()
        first.result()
        if answer.status == 202:
            pins = [re.search(rb"PIN is (\d{6})", mail)[1].decode() for mail in (new, old)]
            if not is_in(log_in(own, pins[0])) and is_in(log_in(own, pins[1])):
                return "the older PIN counts, and ended the newer one"


def workers_held(target):
    """Ask for eight PINs at once while the mail server hangs: how many requests wait for it?"""
    with mailing(target) as (own, server), ThreadPoolExecutor(8) as pool:
        for _ in range(8):
            pool.submit(own.post, "/pin", basic=USER1)
        server.wait(7, 2)
        held = len(server.mails)
        for _, told in server.mails:
            told.set()
    return f"{held} of 8 requests wait for the mail server" if held > 1 else None


def pin_of_the_old_password(target):
    """Ask for a PIN with a password that is changed while the mail is on its way."""
    with mailing(target) as (own, server), ThreadPoolExecutor(1) as pool:
        asked = pool.submit(own.post, "/pin", basic=USER1)
        _, told = server.wait(0)
        change(own, "UPDATE users SET hash = 'changed', pin = NULL WHERE name = 'user1'")
        told.set()
        asked.result()
        return "a PIN was kept for the old password" if kept(own, "pin") else None


def enrolled_with_the_old_password(target):
    """Enrol a phone with a password that is changed while its hash is computed."""
    hashed = kept(target, "hash")
    for milliseconds in (15, 20, 25, 30, 35, 40, 50, 60, 80):
        with ThreadPoolExecutor(1) as pool:
            asked = pool.submit(target.post, "/enroll", basic=USER1)
            time.sleep(milliseconds / 1000)
            new = "UPDATE users SET hash = 'changed', pending = NULL WHERE name = 'user1'"
            change(target, new)
            asked.result()
        late = kept(target, "pending")
        old = "UPDATE users SET hash = ?, pending = NULL WHERE name = 'user1'"
        change(target, old, hashed)
        if late:
            return "a secret was kept for the old password"


def pin_of_another(target):
    """Use a PIN that was mailed to another user."""
    return "user2's PIN opened user1's page" if is_in(log_in(target, pin(target, USER2))) else None


def pin_too_late(target):
    """Use a PIN after its end."""
    code = pin(target)
    time.sleep(1.2)  # its lifetime is one second
    return "it still works" if is_in(log_in(target, code)) else None


def code_twice(target):
    """Use a phone's code again that somebody saw over your shoulder."""
    steady()
    code = code_of(enroll(target))
    log_in(target, code)
    return "the same code worked twice" if is_in(log_in(target, code)) else None


def code_twice_in_another_place(target):
    """Use a phone's code again to enrol another phone with it."""
    steady()
    code = code_of(enroll(target))
    log_in(target, code)
    answer = target.post("/enroll", basic=USER1, headers={"OTP": code})
    return "a code that was used enrolled another phone" if answer.status == 201 else None


def code_out_of_time(target):
    """Use a phone's code of minutes ago, or of minutes to come."""
    steady()
    secret = enroll(target)
    for steps in (-3, 3, -8, 8):
        if is_in(log_in(target, code_of(secret, steps))):
            return f"a code of {abs(steps) // 2} minutes {'ago' if steps < 0 else 'ahead'} works"


def phone_of_the_thief(target):
    """Knowing the password alone, enrol a phone for a user who has one."""
    steady()
    log_in(target, code_of(enroll(target)))
    answer = target.post("/enroll", basic=USER1)
    shown = target.get("/enroll.svg", basic=USER1)
    if answer.status == 201:
        mine = pyotp.parse_uri(answer.json()["otpauth_uri"]).secret
        if is_in(log_in(target, code_of(mine))):
            return "in with the thief's own phone"
    return "the QR code was shown" if shown.status == 200 else None


def secret_seen_again(target):
    """Knowing the password, look at the QR code that the owner has scanned, and copy the phone."""
    enroll(target)
    for path in ("/enroll.svg", "/enroll"):
        answer = target.get(path, basic=USER1)
        if answer.status < 400:
            return f"GET {path} shows the secret again"


def new_phone_unnoticed(target):
    """With a code that the owner was tricked into saying, enrol another phone; who tells them?"""
    steady(5)
    owner = enroll(target)
    log_in(target, code_of(owner, -1))
    answer = target.post("/enroll", basic=USER1, headers={"OTP": code_of(owner)})
    mine = pyotp.parse_uri(answer.json()["otpauth_uri"]).secret
    entered = is_in(log_in(target, code_of(mine, 1)))
    told = target.printed("For user1: .*new phone", 2, seconds=1)  # of the owner's own, and of mine
    return "the owner's phone ends, and nobody tells them" if entered and len(told) < 2 else None


def recovery_codes_vanish(target):
    """Enrol eight times at once, and look whether the secret that counts has its recovery codes."""

    def enrol(_):
        return target.post("/enroll", basic=USER1).json()

    for number in range(25):
        with ThreadPoolExecutor(8) as pool:
            answers = {
                pyotp.parse_uri(one["otpauth_uri"]).secret: one["recovery_codes"]
                for one in pool.map(enrol, range(8))
            }
        secret = kept(target, "pending")
        change(target, "UPDATE users SET secret = pending, tries = 0 WHERE name = 'user1'")
        lost = not is_in(log_in(target, answers[secret][0]))
        change(target, "UPDATE users SET secret = NULL, pending = NULL WHERE name = 'user1'")
        if lost:
            return f"in round {number + 1}, eight at once left a secret without its codes"


def secret_without_password(target):
    """Ask for the secret, and for its QR code, without the password."""
    enroll(target)
    for method, path in [("POST", "/enroll"), ("GET", "/enroll"), ("GET", "/enroll.svg")]:
        answer = target.send(method, path)
        if answer.status < 400:
            return answer.text


def odd_digits(target):
    """Write the right code in other ways: with blanks, a sign, digits of other scripts."""
    enroll(target)  # so that a phone's code would be looked at as well
    for spell in ("{1}", "+{0}", "0{0}", "{0}0", " {0}", "{0},{0}", "{0};"):
        code = pin(target)
        arabic = "".join(chr(0x660 + int(c)) for c in code)
        value = spell.format(code, arabic).encode()
        who = b"Authorization: " + basic(*USER1).encode()
        try:
            answer = ask(target.port, request(b"GET", b"/", who, b"OTP: " + value))
        except NoAnswer:
            return f"no answer to {value!r}"
        if answer.status >= 500 or (is_in(answer) and value.strip() != code.encode()):
            return f"status {answer.status} for {value!r}"


def two_codes(target):
    """Send the header OTP many times, so that one request is many guesses."""
    code = pin(target)
    who = b"Authorization: " + basic(*USER1).encode()
    wrong = [b"OTP: " + c.encode() for _, c in zip(range(30), other_than(code), strict=False)]
    right = b"OTP: " + code.encode()
    for lines in ([*wrong, right], [right, *wrong]):
        if is_in(ask(target.port, request(b"GET", b"/", who, *lines))):
            return "one of 31 codes in one request was right"


def enumeration_by_answer(target):
    """Compare what a wrong password and an unknown user get, with a code and without."""
    found = None
    for headers in ({}, {"OTP": "000000"}):
        pairs = [("user1", "wrong"), ("nobody", "wrong")]
        found = found or differ(*(target.get("/", basic=pair, headers=headers) for pair in pairs))
    return found


def enumeration_by_time(target):
    """Measure a wrong password against an unknown user, in turn."""
    return ratio(
        lambda: target.get("/", basic=("user1", "wrong")),
        lambda: target.get("/", basic=("nobody", "wrong")),
    )


def form_of_another_site(target):
    """Let another site's form send for a PIN, and enrol: the browser adds the password (CSRF)."""
    for path in ("/pin", "/enroll"):
        answer = target.post(path, basic=USER1, headers={"Sec-Fetch-Site": "cross-site"})
        if answer.status < 400:
            return f"{path} answered {answer.status}"


def form_over_plain_http(target):
    """Let another origin's form send for a PIN, as a browser does over http: with Origin alone."""
    for origin in ("http://other.example", "null", f"https://127.0.0.1:{target.port}"):
        for path in ("/pin", "/enroll"):
            answer = target.post(path, basic=USER1, headers={"Origin": origin})
            if answer.status < 400:
                return f"{path} answered {answer.status} to Origin: {origin}"


def password_of_marks(target):
    """Send a password of twenty thousand accents, which take long to be put into one form."""
    marks = "a" + "\u0301\u0316" * 10_000
    pair = base64.b64encode(f"user1:{marks}".encode()).decode()
    slow, usual = [], []
    for _ in range(3):
        for times, how in ((usual, basic("user1", "wrong")), (slow, f"Basic {pair}")):
            begin = time.perf_counter()
            target.get("/", authorization=how)
            times.append(time.perf_counter() - begin)
    times = min(slow) / min(usual)
    return f"it takes {times:.0f} times as long" if times > 3 else None


def whole_table(target):
    """Show a new phone's first code where there are half a million users and used codes."""
    with Lesson(target.folder.name, target.path) as own:
        return with_many_users(own)


def with_many_users(target):
    with closing(sqlite3.connect(target.settings["DATABASE"], timeout=20)) as db, db:
        many = range(500_000)
        db.executemany("INSERT INTO users (name) VALUES (?)", ((f"n{n}",) for n in many))
        step = int(time.time()) // 30
        codes = ((f"n{n}", "000000", step) for n in many)
        db.executemany("INSERT INTO used VALUES (?, ?, ?)", codes)
    first, usual = [], []
    for _ in range(7):
        code = code_of(enroll(target))
        for times, sent in ((usual, "wrong"), (first, code)):
            begin = time.perf_counter()
            answer = log_in(target, sent)
            times.append(time.perf_counter() - begin)
        assert is_in(answer)
        change(target, "UPDATE users SET secret = NULL, tries = 0 WHERE name = 'user1'")
        change(target, "DELETE FROM used WHERE name = 'user1'")
    times = statistics.median(first) / statistics.median(usual)
    return f"it takes {times:.1f} times as long" if times > 1.5 else None


def stolen_table(target):
    """Read the database: the PIN that waits there must be neither plain nor quick to guess."""
    code = pin(target)
    try:
        with closing(sqlite3.connect(target.settings["DATABASE"])) as db:
            kept = db.execute("SELECT * FROM users WHERE name = 'user1'").fetchone()
    except sqlite3.Error:
        return None
    guesses = [code, code.encode()]
    for name in ("md5", "sha1", "sha256"):
        digest = hashlib.new(name, code.encode())
        guesses += [digest.hexdigest(), digest.digest()]
    return "the PIN can be read or guessed" if set(guesses) & set(kept) else None


def locked_out(target):
    """Knowing the password, lock its owner out with five wrong codes."""
    for _, wrong in zip(range(5), other_than(right := pin(target)), strict=False):
        log_in(target, wrong)
    answer = log_in(target, right)
    return f"the owner's right PIN gets {answer.status}" if answer.status == 429 else None


def count_set_back(target):
    """Guess four times whenever the owner has logged in, whose right code sets the count back."""
    looked = 0
    for _ in range(3):
        right = pin(target)
        for _, wrong in zip(range(4), other_than(right), strict=False):
            looked += log_in(target, wrong).status == 401
        log_in(target, right)  # the owner
    return f"{looked} guesses without a pause" if looked > 5 else None


def phone_for_a_code(target):
    """Ask the owner for one code, as a fake page does, and enrol a phone of one's own with it."""
    steady(5)
    owner = enroll(target)
    log_in(target, code_of(owner, -1))
    answer = target.post("/enroll", basic=USER1, headers={"OTP": code_of(owner)})
    mine = pyotp.parse_uri(answer.json()["otpauth_uri"]).secret
    entered = is_in(log_in(target, code_of(mine, 1)))
    ended = not is_in(log_in(target, code_of(owner, 1)))
    return "the account is the thief's" if entered and ended else None


def patient_guesses(target):
    """Knowing the password, guess five times, wait for the end of the pause, guess again."""
    looked = 0
    for _ in range(2):
        right = pin(target)
        for _, wrong in zip(range(5), other_than(right), strict=False):
            looked += log_in(target, wrong).status == 401
        time.sleep(1.2)  # the pause is one second here
    return f"{looked} guesses in two rounds" if looked > 5 else None


def stuffing(target):
    """Try a list of pairs that leaked elsewhere: the first factor has no limit."""
    pairs = [("user1", f"leaked{n}") for n in range(29)] + [USER1]
    for count, pair in enumerate(pairs, 1):
        answer = target.get("/", basic=pair)
        if answer.header("OTP") == "required":
            return f"guess {count} was right; the second factor is still to come"


def read_on_the_phone_line(target):
    """Ask the user for the code, as a fake page does, and use it within its half minute."""
    steady()
    code = code_of(enroll(target))  # what the user types into the fake page
    return "the code counts, whoever sends it first" if is_in(log_in(target, code)) else None


def phone_of_the_thief_first(target):
    """Knowing the password alone, enrol a phone for a user who has none yet, and only gets mail."""
    steady()
    return (
        "in with the thief's own phone" if is_in(log_in(target, code_of(enroll(target)))) else None
    )
