"""Attacks on lesson 01: a form with user name and password."""

import itertools
import socket
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

from attack import USER1, is_in
from passlib.hash import argon2, sha512_crypt
from wire import PATIENCE, NoAnswer, answers, ask, request

from learn.practice.expect import seconds_of

FORM = b"Content-Type: application/x-www-form-urlencoded"
MANY = 3  # times as long: what a clock across a network would notice


def log_in(target, name, password):
    """Send the form; return the exchange."""
    return target.post("/login", form={"username": name, "password": password})


def raw_form(target, path, body, kind=FORM):
    """Send a form's bytes as they are; return the answer."""
    return ask(target.port, request(b"POST", path, kind, body=body))


def one_password_for_all(target):
    """Log in under a name that nobody has, with the password of somebody else."""
    for name, password in [("nobody", "pass1"), ("user2", "pass1"), ("admin", "pass1")]:
        if is_in(log_in(target, name, password)):
            return f"{name} got in with {password}"


def status_says_yes(target):
    """Send a wrong password and let a program go by the status."""
    answer = log_in(target, "user1", "wrong")
    return f"status {answer.status}" if answer.status < 400 else None


def enumeration_by_answer(target):
    """Compare all that is answered to a wrong password and to an unknown user."""
    return differ(log_in(target, "user1", "wrong"), log_in(target, "nobody", "wrong"))


def differ(*both):
    """Return in what two answers differ, their date apart, or None."""
    seen = [
        (a.status, a.text, [h for h in a.response_headers if h[0].lower() != "date"]) for a in both
    ]
    return f"{seen[0]} and {seen[1]}" if seen[0] != seen[1] else None


def ratio(slow, quick, many=MANY):
    """Return by how much the medians differ, in words, or None if it is not that much."""
    times = seconds_of(slow, quick, until=lambda *both: max(both) <= many * min(both))
    factor = max(times) / min(times)
    return f"a factor of {factor:.1f}" if factor > many else None


def enumeration_by_time(target):
    """Measure a wrong password against an unknown user, in turn."""
    return ratio(
        lambda: log_in(target, "user1", "wrong"), lambda: log_in(target, "nobody", "wrong")
    )


def old_hash_by_time(target):
    """Measure a user whose hash is of the older kind against an unknown one, with 1024 bytes."""
    long = "x" * 1024  # Argon2id takes no longer for it, sha512_crypt does
    return ratio(lambda: log_in(target, "user2", long), lambda: log_in(target, "nobody", long), 2)


def password_of_nobody(target):
    """Send the password, read in the code, whose hash stands in for an unknown user's.

    If it is right, the hash may be renewed, and an unknown user takes twice as long as a known one.
    """
    word = "the password of nobody"
    known, unknown = seconds_of(
        lambda: log_in(target, "user1", word),
        lambda: log_in(target, "nobody", word),
        rounds=9,
        until=lambda known, unknown: unknown <= 1.5 * known,
    )
    return f"a factor of {unknown / known:.1f}" if unknown > 1.5 * known else None


def script_as_name(target):
    """Log in under a name that is a script, and look whether a browser would run it."""
    name = "<script>alert(1)</script>"
    target.post("/register", form={"username": name, "password": "pass1"})
    answer = log_in(target, name, "pass1")
    if name in answer.text and "html" in (answer.header("Content-Type") or ""):
        return answer.text


def sql_in_form(target):
    """Put SQL where the name and the password go."""
    words = ["' OR '1'='1", "user1' --", "user1'/*", "' UNION SELECT hash FROM users --", "'; --"]
    words += ['" OR ""="', "\\' OR 1=1 --", "') OR ('1'='1"]
    for word in words:
        for pair in [(word, "pass1"), ("user1", word), (word, word)]:
            answer = log_in(target, *pair)
            if is_in(answer) or answer.status >= 500:
                return f"{pair}: {answer.status}"


def nul_in_password(target):
    """Log in with the right password, a NUL and anything: a C string ends at the NUL."""
    for tail in ("\0", "\0x", "\0" * 20):
        if is_in(log_in(target, "user1", "pass1" + tail)):
            return repr("pass1" + tail)


def cut_password(target):
    """Register a password of 100 characters, and log in with its first 72, or with more."""
    long = "0123456789" * 10
    target.post("/register", form={"username": "long", "password": long})
    for word in (long[:72], long[:64], long[:8], long + "x"):
        if is_in(log_in(target, "long", word)):
            return f"{len(word)} characters"


def bytes_that_are_no_text(target):
    """Register bytes that are no UTF-8, and log in with other bytes that are none."""
    kind = b"Content-Type: multipart/form-data; boundary=b"

    def form(password):
        parts = [(b"username", b"odd"), (b"password", password)]
        body = b"".join(
            b'--b\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % part
            for part in parts
        )
        return body + b"--b--\r\n"

    raw_form(target, b"/register", form(b"\xff\xfe"), kind)
    if is_in(raw_form(target, b"/login", form(b"\xfc\xfd"), kind)):
        return "any bytes that are no text are the same password"


def byte_as_text(target):
    """Register the three letters %FF as a password, and log in with the byte FF."""
    target.post("/register", form={"username": "percent", "password": "%FF"})
    if is_in(raw_form(target, b"/login", b"username=percent&password=%FF")):
        return "a byte that is no text is the password %FF"


def accents_without_end(target):
    """Send a password of nothing but accents: sorting them for NFC takes quadratic time."""
    begin = b"username=user1&password="
    long, short = seconds_of(
        lambda: raw_form(target, b"/login", begin + "\u0316\u0301".encode() * 4080),
        lambda: raw_form(target, b"/login", begin + b"%00"),
    )
    if long > MANY * short:
        return f"{long / short:.0f} times as long as another form that is refused"


def upload_without_end(target):
    """Upload 8 MB in a form, with their length and in chunks: are they kept somewhere?"""
    head = b"".join(
        b'--b\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % part
        for part in [(b"username", b"user1"), (b"password", b"pass1")]
    )
    head += b'--b\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n'
    body = head + b"x" * 8_000_000 + b"\r\n--b--\r\n"
    kind = b"Content-Type: multipart/form-data; boundary=b"
    chunks = request(b"POST", b"/login", kind, b"Transfer-Encoding: chunked")
    chunks += b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    for data in (request(b"POST", b"/login", kind, body=body), chunks):
        with socket.create_connection(("127.0.0.1", target.port), timeout=PATIENCE) as connection:
            try:
                connection.sendall(data)
                connection.shutdown(socket.SHUT_WR)  # the end: nothing waits for more
                answer = answers(connection.makefile("rb").read())[0]
            except (OSError, NoAnswer, IndexError):  # closed while it was still coming
                continue
        if answer.status != 413:
            return f"taken in whole, then status {answer.status}"


def old_password_comes_back(target):
    """Log in with the old password while it is being changed: what wins in the end?

    Its hash is of the older kind, so the login replaces it, and has many rounds, so there is time.
    """
    old = sha512_crypt.using(rounds=300_000).hash("the old one")
    new = argon2.using(memory_cost=19456, rounds=2, parallelism=1).hash("the new one")
    with closing(sqlite3.connect(target.settings["DATABASE"], isolation_level=None)) as db:
        db.execute("INSERT OR IGNORE INTO users VALUES ('owner', '')")
        for _ in range(2):
            db.execute("UPDATE users SET hash = ? WHERE name = 'owner'", [old])
            with ThreadPoolExecutor(1) as pool:
                login = pool.submit(log_in, target, "owner", "the old one")
                time.sleep(0.05)  # the old hash has been read by now, and is being computed
                db.execute("UPDATE users SET hash = ? WHERE name = 'owner'", [new])
                login.result()
            if is_in(log_in(target, "owner", "the old one")):
                return "the old password is right again"


def hash_of_another_kind(target):
    """Log in as a user whose hash is none that the app can read: does the server fall over?"""
    with closing(sqlite3.connect(target.settings["DATABASE"], isolation_level=None)) as db:
        for kind in ("!", "", "{peppered}$argon2id$v=19$m=19456,t=2,p=1$YWFhYWFhYWE$YWFhYQ"):
            db.execute("INSERT OR REPLACE INTO users VALUES ('locked', ?)", [kind])
            answer = log_in(target, "locked", kind or "x")
            if is_in(answer) or answer.status >= 500:
                return f"{answer.status} for {kind!r}"


def two_at_once(target):
    """Register one name eight times at once, each with a password of its own."""
    forms = [{"username": "twin", "password": f"twin{n}"} for n in range(8)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda form: target.post("/register", form=form), forms))
    won = [answer.status for answer in answers].count(201)
    ways = sum(is_in(log_in(target, "twin", form["password"])) for form in forms)
    if won > 1 or ways > 1:
        return f"{won} registrations, {ways} passwords"


def take_over_a_name(target):
    """Register the name of somebody who is there, in the same and in another Unicode form."""
    for name, same in [("user1", "user1"), ("\u00e9", "e\u0301"), ("\u212b", "\u00c5")]:
        target.post("/register", form={"username": name, "password": "theirs"})
        answer = target.post("/register", form={"username": same, "password": "mine"})
        if answer.status == 201 or is_in(log_in(target, name, "mine")):
            return f"{same!r} was registered beside {name!r}"


def stolen_table(target):
    """Read the database and guess: the same password must not look the same, nor be quick."""
    for name in ("one", "two"):
        target.post("/register", form={"username": name, "password": "secret"})
    path = target.settings["DATABASE"]
    try:
        with closing(sqlite3.connect(path)) as db:
            rows = dict(db.execute("SELECT name, hash FROM users"))
    except sqlite3.Error:
        return None
    slow = all(h.startswith(("$argon2id$v=19$m=19456,t=2", "$6$rounds=")) for h in rows.values())
    if rows["one"] == rows["two"] or not slow or "secret" in str(rows):
        return str(rows)


def broken_form(target):
    """Leave a field out, send none, send another type: does the server fall over?"""
    bodies = [b"", b"username=user1", b"password=pass1", b"&&&", b"=", b"username", b"%", b"\0"]
    for body, kind in itertools.product(bodies, (FORM, b"Content-Type: application/json")):
        try:
            answer = raw_form(target, b"/login", body, kind)
        except NoAnswer:
            return f"no answer to {body!r}"
        if answer.status >= 500:
            return f"{answer.status} for {body!r}"


def stuffing(target):
    """Try a list of pairs that leaked elsewhere, the right one being the last of thirty."""
    pairs = [("user1", f"leaked{n}") for n in range(29)] + [USER1]
    for count, pair in enumerate(pairs, 1):
        if is_in(log_in(target, *pair)):
            return f"guess {count} was right, and the 28 before had stopped nobody"


def enumeration_by_registration(target):
    """Try to register a name: 409 says that somebody has it."""
    answers = [
        target.post("/register", form={"username": name, "password": "x"}).status
        for name in ("user1", "nobody-yet")
    ]
    if answers[0] != answers[1]:
        return f"{answers[0]} for a name that is there, {answers[1]} for another"


def look_alike(target):
    """Register names that look like user1: with a space, a capital, a Cyrillic letter."""
    names = ["user1 ", "User1", "us\u0435r1"]
    got = [
        n
        for n in names
        if target.post("/register", form={"username": n, "password": "x"}).status == 201
    ]
    return f"registered: {', '.join(map(repr, got))}" if got else None


def without_end(target):
    """Register name after name: every one stays in the database."""
    forms = [{"username": f"crowd{n}", "password": "x"} for n in range(8)]
    added = [target.post("/register", form=form).status for form in forms].count(201)
    return "eight of eight were added" if added == 8 else None
