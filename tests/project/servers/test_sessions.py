"""Lesson 06 from outside: clocks, cookies and forms that are none, two at once, its pages."""

import re
import socket
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from learn import Browser, Lesson
from learn.running.browser import forms_of

HOUR = 3600


def log_in(app, name="user1", password=None, agent=None):
    """Log in; return the browser."""
    browser = Browser(app, agent=agent)
    answer = browser.submit("/login", username=name, password=password or f"pass{name[-1]}")
    assert answer.status == 303, answer
    return browser


def is_in(browser):
    """Tell whether a browser is logged in."""
    status = browser.get("/").status
    assert status in (200, 302)
    return status == 200


def test_clock_set_forth_and_back(clock):
    """A session that ended while the clock was ahead stays ended when it is set back."""
    with clock.lesson("06") as app:
        browser, other = log_in(app), log_in(app, "user2")
        clock.set(1799)
        assert is_in(browser)
        clock.set(1799 + 1799)
        assert is_in(browser)
        assert not is_in(other)
        clock.set(1799 + 600)
        assert not is_in(other)
        assert is_in(browser)  # its last use lies ahead, by less than the limit
        clock.set(0)
        assert not is_in(browser)  # by more than that: nobody knows how long it was idle


def test_clock_set_back_makes_no_session_endless(clock):
    """With times in the future a session lives no longer than twice its limits."""
    clock.set(24 * HOUR)
    with clock.lesson("06") as app:
        ahead = log_in(app)
        clock.set(0)  # begun a day ahead, which is more than any limit
        assert not is_in(ahead)
        clock.set(24 * HOUR)
        assert not is_in(ahead)


def test_oldest_session_ends_under_use(clock):
    """Used every half an hour less a bit, a session ends twelve hours after its login."""
    with clock.lesson("06") as app:
        browser = log_in(app)
        for number in range(1, 25):
            clock.set(number * 1790)
            assert is_in(browser), number
        clock.set(12 * HOUR + 1)
        assert not is_in(browser)


def test_last_use_is_written_once_a_minute(clock):
    """Requests within a minute write nothing; each further minute writes once."""
    with clock.lesson("06") as app:
        browser, seen = log_in(app), set()
        for seconds in range(0, 181, 20):
            clock.set(seconds)
            assert is_in(browser)
            seen |= {row["used"] for row in app.rows("SELECT used FROM sessions")}
        assert len(seen) == 4, seen


BROKEN = [
    b"lesson06", b"lesson06=", b"=lesson06", b"lesson06=;", b'lesson06="', b'lesson06="\\"',
    b"lesson06=\xff\xfe", b"lesson06=\xc3\xa9", b"lesson06=%00", b"lesson06=\\000", b";;;",
    b"lesson06=" + b"A" * 7000, b"lesson06=a; lesson06=b", b"session=eyJ1c2VyIjoidXNlcjEifQ.x.y",
    b"remember_token=user1|\xc3\xa9", b"lesson06=' OR 1=1 --", b"lesson06=\xed\xa0\x80",
    b"LESSON06=x", b"lesson06=[]; $Path=/", b"\xff=\xff", b"lesson06-remember=a.b",
    b"lesson06-remember={}.{0}", b"lesson06-remember=\xff.\xff",
]  # fmt: skip


def raw(app, method, target, cookie, body=b""):
    """Send these bytes as a cookie; return the status."""
    head = f"{method} {target} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n".encode()
    if body:
        head += b"Content-Type: application/x-www-form-urlencoded\r\n"
        head += b"Content-Length: %d\r\n" % len(body)
    with socket.create_connection(("127.0.0.1", app.port), timeout=20) as connection:
        connection.sendall(head + b"Cookie: " + cookie + b"\r\n\r\n" + body)
        return int(connection.makefile("rb").readline().split()[1])


@pytest.mark.parametrize("file", ["app", "beyond"])
def test_broken_cookies_log_nobody_in(file):
    """No cookie that is none is an error 500, or anybody's session; nor is any form with it."""
    with Lesson("06", file) as app:
        log_in(app)
        for cookie in BROKEN:
            assert raw(app, "GET", "/", cookie) in (302, 400), cookie
            assert raw(app, "GET", "/login", cookie) in (200, 400), cookie
            for body in (b"csrf=", b"csrf=%FF", b"csrf=%00", b"csrf", b"csrf=\xc3\xa9&csrf=x"):
                assert raw(app, "POST", "/login", cookie, body) == 400, (cookie, body)
        assert "Traceback" not in app.log


def test_the_right_cookie_among_others_counts():
    """Other cookies of this host, before and after it, take nothing away."""
    with Lesson("06") as app:
        browser = log_in(app)
        (cookie,) = (f"{n}={v}".encode() for n, v in browser.cookies.items())
        for around in (b"a=b; %s; c=d", b'session="x"; %s', b"%s; lesson06=other", b"\xff=1; %s"):
            assert raw(app, "GET", "/", around % cookie) == 200


def test_of_two_changes_at_once_one_counts():
    """Two sessions that change the password with the same old one: one wins, and ends the other."""
    with Lesson("06", workers=0) as app, ThreadPoolExecutor(2) as pool:
        old = "pass2"
        for number in range(3):
            pair = [log_in(app, "user2", old) for _ in "12"]
            new = [f"new {number} {place}" for place in "12"]
            asked = [
                pool.submit(one.submit, "/sessions", to="/password", old=old, new=word)
                for one, word in zip(pair, new, strict=True)
            ]
            statuses = [one.result().status for one in asked]
            won = [place for place, status in enumerate(statuses) if status == 303]
            assert len(won) <= 1 or statuses == [303, 303], statuses
            works = [word for word in new if password_of(app, word)]
            assert len(works) == 1
            inside = [is_in(browser) for browser in pair]
            assert inside.count(True) == 1 and inside[new.index(works[0])], inside
            old = works[0]


def password_of(app, word):
    """Tell whether this is user2's password now, without a session left behind."""
    browser = Browser(app)
    if browser.submit("/login", username="user2", password=word).status != 303:
        return False
    browser.submit("/", to="/logout")
    return True


def test_session_that_ends_during_its_login_is_not_remembered():
    """Somebody may end all sessions just as one begins: it gets no series, and no error 500."""
    with Lesson("06", "beyond") as app:
        with closing(sqlite3.connect(app.settings["DATABASE"])) as db, db:
            db.execute(
                """CREATE TRIGGER just_then AFTER INSERT ON sessions
                BEGIN DELETE FROM sessions; END"""
            )
        browser = Browser(app)
        form = forms_of(browser.get("/login"))[0].fields
        form |= {"username": "user1", "password": "pass1", "remember": "yes"}
        assert browser.post("/login", form=form).status == 303
        assert not is_in(browser) and not browser.lasting
        assert app.rows("SELECT * FROM remembered") == []


def test_ended_sessions_are_swept():
    """Sessions that nobody used for long leave the table, some at each login."""
    with Lesson("06") as app:
        with closing(sqlite3.connect(app.settings["DATABASE"])) as db:
            rows = [(f"old {number}",) for number in range(250)]
            db.executemany("INSERT INTO sessions VALUES (?, 'user1', 1, 1, '')", rows)
            db.commit()
        for left in (150, 50, 0):
            log_in(app)
            old = app.rows("SELECT COUNT(*) AS n FROM sessions WHERE used = 1")
            assert old[0]["n"] == left


def test_whoever_is_removed_or_no_admin_any_more_is_so_at_once():
    """What a user is, is read at each request."""
    with Lesson("06") as app:
        browser = log_in(app)
        assert browser.get("/admin").status == 200
        for change, status in [("UPDATE users SET admin = 0", 403), ("DELETE FROM users", 302)]:
            with closing(sqlite3.connect(app.settings["DATABASE"])) as db:
                db.execute(f"{change} WHERE name = 'user1'")
                db.commit()
            assert browser.get("/admin").status == status


@pytest.mark.parametrize("file", ["app", "beyond"])
def test_pages_hold_no_script(file):
    """No script gets in; a password manager knows each field. What else: see test_html.py."""
    kinds = ("username", "current-password", "new-password")
    with Lesson("06", file) as app:
        browser = log_in(app, agent="<script>alert(1)</script>")
        wrong = Browser(app).submit("/login", username="<i>", password="x")
        for answer in (wrong, *(browser.get(target) for target in ("/login", "/", "/sessions"))):
            tags = re.findall(r"<[^>]*>", answer.text)
            assert not [t for t in tags if re.match(r"<(script|style|iframe|i)\b", t, re.I)]
            assert not [t for t in tags if re.search(r"\s(on\w+|style)\s*=", t, re.I)]
            for field in (t for t in tags if t.startswith("<input")):
                kind = re.search('autocomplete="([^"]+)"', field)
                assert kind and kind[1] in kinds or re.search('type="(hidden|checkbox)"', field)
            assert all(form.method == "POST" for form in forms_of(answer))
