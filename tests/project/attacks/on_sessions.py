"""Attacks on lesson 06: sessions, with a form and a cookie."""

import os
import re
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from urllib.parse import quote

from attack import USER2, is_in, is_naive, visit
from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from itsdangerous import BadSignature
from on_hashing import differ, ratio
from on_otp import change

from learn import Browser, Lesson
from learn.running.browser import forms_of

OTHER_SITE = "http://other.example"
WORDS = [
    "secret",
    "changeme",
    "123456",
    "flask",
    "development",
    "dev",
    "key",
    "session",
    "mysecret",
]
HOST = "localhost"  # where `Browser` visits a lesson


def with_cookie(target, name, value):
    """Return a browser that sends this cookie alone."""
    browser = Browser(target)
    browser.cookies = {name: value}
    return browser


def in_with(browser):
    """Tell whether this browser is logged in."""
    return is_in(browser.get("/"))


def afresh(target):
    """Start the same file anew, for an attack that leaves something behind."""
    return Lesson(target.folder.name, target.path)


def signer(key):
    """Return what signs Flask's sessions with this key."""
    app = Flask(__name__)
    app.secret_key = key
    return SecureCookieSessionInterface().get_signing_serializer(app)


def key_of(cookie):
    """Return the word that is the key of a signed cookie, or None."""
    for word in WORDS:
        try:
            signer(word).loads(cookie)
        except BadSignature:
            continue
        return word


def forged_cookie(target):
    """Find the key of one's own cookie in a list of words, and sign one for an admin with it."""
    ((name, value),) = visit(target, USER2).cookies.items()
    found = [key_of(value)] if key_of(value) else WORDS
    admin = {"user": "user1", "admin": True, "_user_id": "user1", "_fresh": True}
    for key in found:
        forged = with_cookie(target, name, signer(key).dumps(admin))
        if in_with(forged):
            return f"the key is {key!r}, and /admin answers {forged.get('/admin').status}"


def cookie_made_up(target):
    """Send cookies that name a user, a role or a number, and nothing else."""
    ((name, value),) = visit(target, USER2).cookies.items()
    for made in ("user1", "1", "admin", "true", "user1|admin", "", "0", value[:-1], f"{value}x"):
        if in_with(with_cookie(target, name, made)):
            return f"in as {made!r}"


def id_in_another_place(target):
    """Send a good session's id in the address, in a form and in headers: those get logged."""
    ((name, value),) = visit(target).cookies.items()
    query = f"/?{name}={quote(value)}&session={quote(value)}&id={quote(value)}"
    headers = {"X-Session": value, "Authorization": f"Bearer {value}"}
    tries = [target.get(query), target.get("/", headers=headers)]
    return "in without a cookie" if any(map(is_in, tries)) else None


def copied_cookie_after_logout(target):
    """Copy a cookie; its owner logs out; use the copy."""
    owner = visit(target)
    copy = owner.copy()
    assert in_with(copy)
    log_out(owner)
    return "the copy still works" if in_with(copy) else None


def log_out(browser):
    """Log out as a user does: by the page's button, or its link."""
    if is_naive(browser.app):
        return browser.get("/logout")
    return browser.submit("/", to="/logout")


def copied_cookie_after_new_password(target):
    """Copy a cookie; its owner, warned, changes the password; use the copy."""
    with afresh(target) as own:
        owner = visit(own)
        copy = owner.copy()
        page = "/" if is_naive(own) else "/sessions"
        owner.submit(page, to="/password", old="pass1", new="a new one")
        assert is_in(visit(own, ("user1", "a new one")).get("/"))
        return "the copy still works" if in_with(copy) else None


def other_session_after_new_password(target):
    """Be logged in with a stolen password, in a session of one's own, when it is changed."""
    with afresh(target) as own:
        thief, owner = visit(own), visit(own)
        page = "/" if is_naive(own) else "/sessions"
        owner.submit(page, to="/password", old="pass1", new="a new one")
        return "the thief stays logged in" if in_with(thief) else None


def copied_cookie_after_next_login(target):
    """Copy a cookie; its owner logs in anew in the same browser; use the copy."""
    owner = visit(target)
    copy = owner.copy()
    owner.submit("/login", username="user1", password="pass1")
    return "the copy still works" if in_with(copy) else None


def fixation(target):
    """Plant one's own cookie in a browser before its owner logs in, and use it afterwards."""
    mine = Browser(target)
    mine.get("/login")
    victim = mine.copy()
    victim.submit("/login", username="user1", password="pass1")
    assert in_with(victim)
    return "the planted cookie is logged in" if in_with(mine) else None


def fixation_with_a_session(target):
    """Plant the cookie of one's own session; its owner's login must not be added to it."""
    mine = visit(target, USER2)
    victim = mine.copy()
    victim.submit("/login", username="user1", password="pass1")
    page = mine.get("/")
    return "the planted session is user1's" if "Hello, user1!" in page.text else None


def sends_along(browser, origin):
    """Tell whether a form of another origin's page is sent with this browser's cookies.

    Another port is the same site, and gets them all. Another site gets those that don't say
    SameSite: in Firefox and Safari, and in Chromium for two minutes.
    """
    same_site = origin.startswith(f"http://{HOST}:")
    set_by = [c for e in browser.app.exchanges for c in e.headers("Set-Cookie")]
    lax = any(re.search("(?i)samesite=(lax|strict)", cookie) for cookie in set_by)
    return same_site or not lax


def forge(browser, method, path, origin, **form):
    """Send what this browser sends when a page of another origin makes it; return the answer."""
    site = "same-site" if origin.startswith(f"http://{HOST}:") else "cross-site"
    headers = {"Origin": origin if method == "POST" else None, "Sec-Fetch-Site": site}
    if method == "POST" and not sends_along(browser, origin):
        headers["Cookie"] = None
    return browser.send(method, path, headers=headers, form=form or None)


def another_port(target):
    return f"http://{HOST}:{target.port % 60_000 + 1}"


def log_out_from_elsewhere(target):
    """Let another site, and another port, log the user out: by a link, a picture, or a form."""
    for origin in (OTHER_SITE, another_port(target)):
        for method in ("GET", "POST"):
            victim = visit(target)
            forge(victim, method, "/logout", origin)
            if not in_with(victim):
                return f"logged out by {method} from {origin.partition(':')[2]}"


def log_in_from_another_site(target):
    """Log the user in as oneself, so that what they then enter is in one's own account."""
    victim = Browser(target)
    own = {"username": "user2", "password": "pass2"}
    forge(victim, "POST", "/login", OTHER_SITE, **own)
    return "the victim works as user2" if in_with(victim) else None


def log_in_from_another_port(target):
    """The same from another port of the host: its page can set the cookie that the form needs."""
    mine = Browser(target)
    page = mine.get("/login")
    victim = mine.copy()
    own = {**forms_of(page)[0].fields, "username": "user2", "password": "pass2"}
    forge(victim, "POST", "/login", another_port(target), **own)
    return "the victim works as user2" if in_with(victim) else None


def password_from_elsewhere(target):
    """Let another site, and another port, change the password by a form."""
    with afresh(target) as own:
        for origin in (OTHER_SITE, another_port(own)):
            forge(visit(own), "POST", "/password", origin, old="", new="mine")
            if is_in(try_password(own, "mine")):
                return f"changed from {origin}"


def try_password(target, password):
    """Return the start page as user1 sees it after a try to log in with this password."""
    browser = Browser(target)
    browser.submit("/login", username="user1", password=password)
    return browser.get("/")


def sessions_ended_from_elsewhere(target):
    """Let another site, and another port, end the user's other sessions."""
    for origin in (OTHER_SITE, another_port(target)):
        first, second = visit(target), visit(target)
        forge(second, "POST", "/sessions/end", origin)
        if not in_with(first):
            return f"ended from {origin}"


def token_of_another_session(target):
    """Send a form with the hidden field of one's own session."""
    victim, mine = visit(target), visit(target, USER2)
    fields = [field for form in forms_of(mine.get("/")) for field in form.fields.items()]
    forge(victim, "POST", "/logout", another_port(target), **dict(fields))
    victim.post("/logout", form=dict(fields))  # should a page be able to send it without Origin
    return "user2's form logged user1 out" if not in_with(victim) else None


SPELLINGS = [
    "http://evil.example/", "https://evil.example", "//evil.example", "///evil.example",
    "////evil.example", "https:evil.example", "https:/evil.example", "http:///evil.example",
    "\\\\evil.example", "/\\evil.example", "/\\/evil.example", "\\/evil.example",
    "/\t/evil.example", "/\n/evil.example", "/\r/evil.example", "\t//evil.example",
    " //evil.example", "\x00//evil.example", "/%09/evil.example", "/%0a/evil.example",
    "/%2fevil.example", "/%5cevil.example", "%2f%2fevil.example", "//evil.example\\@127.0.0.1",
    "http://127.0.0.1@evil.example/", "//127.0.0.1:80@evil.example/", "http:\\\\evil.example",
    "hTTps://evil.example", "//evil%E3%80%82example", "/\u2028/evil.example", "//\0evil.example",
    "javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\tscript:alert(1)", "data:text/html,<p>",
    "view-source:http://evil.example", "http:evil.example", ".//evil.example", "/.//evil.example",
    "/..//evil.example", "\u3000//evil.example", "\ufeff//evil.example", "／／evil.example",
]  # fmt: skip


def leads_away(location, port):
    """Tell whether a browser that follows this leaves the site, by the URL standard in short."""
    text = re.sub(r"[\t\n\r]", "", location.strip("".join(map(chr, range(33)))))
    text = text.replace("\\", "/")
    if re.match(r"(?i)[a-z][a-z0-9+.-]*:", text):
        return not text.startswith(f"http://{HOST}:{port}/")
    return text.startswith("//")


def open_redirect(target):
    """Give the login a `next` that leads to another site, in forty spellings."""
    for spelling in SPELLINGS:
        for sent in {quote(spelling, safe=""), quote(quote(spelling, safe=""), safe="")}:
            answer = Browser(target).submit(
                f"/login?next={sent}", username="user2", password="pass2"
            )
            if answer.status < 400 and leads_away(answer.header("Location") or "", target.port):
                return f"next={spelling!r} leads to {answer.header('Location')!r}"
            if answer.status >= 500:
                return f"next={spelling!r} gets {answer.status}"


def guessed_id(target):
    """Log in before and after somebody else, and try the ids that lie between one's own."""
    before, victim, after = visit(target, USER2), visit(target), visit(target, USER2)
    ((name, first),), ((_, its),), ((_, last),) = (
        browser.cookies.items() for browser in (before, victim, after)
    )
    if first.isdecimal() and last.isdecimal() and 0 < int(last) - int(first) < 9000:
        for number in range(int(first) + 1, int(last)):
            page = with_cookie(target, name, str(number)).get("/")
            if "Hello, user1!" in page.text:
                return f"{number} is user1's session"
    alike = len(os.path.commonprefix([first, its, last]))
    rest = len(its) - alike
    return f"only {rest} characters to guess" if rest * 6 < 128 and its.isalnum() else None


def stolen_table(target):
    """Read the sessions in a stolen database, and send whatever stands there as the cookie."""
    ((name, _),) = visit(target).cookies.items()
    try:
        rows = target.rows("SELECT * FROM sessions")
    except sqlite3.Error:
        return None
    for value in {str(value) for row in rows for value in row.values()}:
        if in_with(with_cookie(target, name, value)):
            return "a row of the table is as good as the cookie"


PAYLOAD = "<script>alert(1)</script>"


def markup(target):
    """Bring markup into a page: a user name, mistyped or registered, and a browser's own name."""
    pages = [Browser(target).submit("/login", username=PAYLOAD, password="x")]
    if not is_naive(target):
        copied = "INSERT OR REPLACE INTO users SELECT ?, hash, 0 FROM users WHERE name = 'user1'"
        change(target, copied, PAYLOAD)
        odd = Browser(target)
        headers = {"User-Agent": PAYLOAD}
        form = forms_of(odd.get("/login"))[0].fields
        form |= {"username": PAYLOAD, "password": "pass1"}
        odd.post("/login", form=form, headers=headers)
        pages += [odd.get("/"), odd.get("/sessions")]
        assert in_with(odd)
    for page in pages:
        html = "html" in (page.header("Content-Type") or "")
        if html and PAYLOAD in page.text:
            return f"a script runs in the answer to {page.method} {page.target}"


def framed(target):
    """Show the page in a frame, under what the user believes to click."""
    answer = visit(target).get("/")
    policy = answer.header("Content-Security-Policy") or ""
    shut = re.search(r"frame-ancestors 'none'", policy)
    return None if shut or answer.header("X-Frame-Options") else "any site can frame it"


def back_button(target):
    """After a logout, look at the pages that the browser has kept."""
    answer = visit(target).get("/")
    return (
        "the page may be kept" if "no-store" not in (answer.header("Cache-Control") or "") else None
    )


def idle_session(target):
    """Use a session again after its idle time (here two seconds)."""
    browser = visit(target)
    time.sleep(2.2)
    return "it still works" if in_with(browser) else None


def endless_session(target):
    """Keep a session alive by using it, past its absolute time (here two seconds)."""
    browser = visit(target)
    end = time.monotonic() + 2.3
    while time.monotonic() < end:
        browser.get("/")
        time.sleep(0.1)
    return "it still works" if in_with(browser) else None


def clock_set_back(target):
    """Use a session for ever that began while the clock was wrong, in the future."""
    with afresh(target) as own:
        browser = visit(own)
        change(own, "UPDATE sessions SET begun = begun + 1e7, used = used + 1e7")
        return "it lives for months" if in_with(browser) else None


def login_during_new_password(target):
    """Log in with the old password in the moment in which it is changed."""
    with afresh(target) as own, ThreadPoolExecutor(1) as pool:
        thief = Browser(own)
        thief.get("/login")
        database = sqlite3.connect(own.settings["DATABASE"], isolation_level=None, timeout=20)
        with closing(database) as db:
            db.execute("BEGIN IMMEDIATE")  # a change that is not yet seen, for the others wait
            login = pool.submit(thief.submit, "/login", username="user1", password="pass1")
            time.sleep(1.5)  # the old password has been found right meanwhile
            db.execute("UPDATE users SET hash = 'changed' WHERE name = 'user1'")
            db.execute("DELETE FROM sessions")
            db.execute("COMMIT")
        login.result()
        return "logged in with the old password, for hours" if in_with(thief) else None


def enumeration_by_answer(target):
    """Compare what a wrong password and an unknown user get."""
    browser = Browser(target)
    both = []
    for name in ("user1", "nobody"):
        answer = browser.submit("/login", username=name, password="wrong")
        both.append(type(answer)(**{**answer.__dict__, "text": answer.text.replace(name, "?")}))
    lengths = [[h for h in a.response_headers if h[0].lower() != "content-length"] for a in both]
    both = [
        type(a)(**{**a.__dict__, "response_headers": h}) for a, h in zip(both, lengths, strict=True)
    ]
    return differ(*both)


def enumeration_by_time(target):
    """Measure a wrong password against an unknown user, in turn."""
    browser = Browser(target)
    form = forms_of(browser.get("/login"))[0].fields | {"password": "wrong"}
    return ratio(
        lambda: browser.post("/login", form={**form, "username": "user1"}),
        lambda: browser.post("/login", form={**form, "username": "nobody"}),
    )


def table_filled(target):
    """Fill the table of sessions without a password, by asking for pages and the form."""
    count = "SELECT count(*) AS n FROM sessions"
    before = target.rows(count)[0]["n"]
    for _ in range(30):
        Browser(target).get("/login")
        Browser(target).get("/")
    Browser(target).submit("/login", username="user1", password="wrong")
    more = target.rows(count)[0]["n"] - before
    return f"{more} rows more" if more > 0 else None


def sessions_pile_up(target):
    """Log in and never out, and leave: are sessions that ended by themselves ever removed?"""
    with afresh(target) as own:
        visit(own)
        old = """INSERT INTO sessions SELECT 'x' || value, 'user1', 0, 0, '' FROM
            (WITH RECURSIVE many(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM many LIMIT 150)
            SELECT value FROM many)"""
        change(own, old)
        visit(own)
        visit(own)
        left = own.rows("SELECT count(*) AS n FROM sessions WHERE digest LIKE 'x%'")[0]["n"]
    return f"{left} of 150 are left" if left else None


def sessions_of_others(target):
    """As user2, read the list of sessions for user1's, and end "all others"."""
    victim, thief = visit(target, agent="victim's own browser"), visit(target, USER2)
    listed = thief.get("/sessions").text
    if "victim's own browser" in listed or "victim&#39;s own browser" in listed:
        return "user1's session is in user2's list"
    thief.submit("/sessions", to="/sessions/end")
    return "user2 ended user1's session" if not in_with(victim) else None


def survivor(target):
    """Stay logged in with a copied cookie's session when its owner ends all others."""
    thief, owner = visit(target), visit(target)
    owner.submit("/sessions", to="/sessions/end")
    assert in_with(owner)
    return "the thief stays logged in" if in_with(thief) else None


def by_get(target):
    """Change something with a GET, as a link or a picture does."""
    for path in ("/logout", "/sessions/end", "/password?old=pass1&new=pass1", "/password"):
        victim, other = visit(target), visit(target)
        answer = victim.get(path)
        if answer.status < 400 or not in_with(victim) or not in_with(other):
            return f"GET {path} is answered {answer.status}"
    login = Browser(target)
    login.get("/login?username=user1&password=pass1")
    return "GET /login logs in, and the log has the password" if in_with(login) else None


def stolen_while_it_lasts(target):
    """Copy the cookie out of an open browser, or off the wire, and use it at once."""
    return "in as user1" if in_with(visit(target).copy()) else None


def planted_session(target):
    """From another port of the host, replace the user's cookie by that of one's own session."""
    victim, mine = visit(target), visit(target, USER2)
    victim.cookies.update(mine.cookies)  # cookies know no ports (RFC 6265 8.5)
    return "the victim works as user2" if "Hello, user2!" in victim.get("/").text else None


def stuffing(target):
    """Try a list of pairs that leaked elsewhere: nothing counts the guesses."""
    for count, password in enumerate([f"leaked{n}" for n in range(29)] + ["pass1"], 1):
        if is_in(try_password(target, password)):
            return f"guess {count} was right"


def remembered(target):
    """Log in with the box "stay logged in" ticked; return the browser."""
    browser = Browser(target)
    form = forms_of(browser.get("/login"))[0].fields
    form |= {"username": "user1", "password": "pass1", "remember": "yes"}
    browser.post("/login", form=form)
    return browser


def later(target, seconds=60):
    """Let time pass for the tokens."""
    change(target, "UPDATE remembered SET at = at - ?", seconds)


def remember_token_used_twice(target):
    """Copy a remember token and use it; its owner comes back later; is the thief still in?"""
    with afresh(target) as own:
        owner = remembered(own)
        owner.close()
        thief = owner.copy()
        assert in_with(thief)
        later(own)
        owner.get("/")
        return "the thief stays logged in" if in_with(thief) else None


def remember_token_after(target, what):
    """Return whether a copied remember token lets in after its owner has done something."""
    with afresh(target) as own:
        owner = remembered(own)
        thief = owner.copy()
        thief.close()
        what(owner)
        return "the copied token lets in" if in_with(thief) else None


def remember_token_after_logout(target):
    """Copy a remember token; its owner logs out; use the copy."""
    return remember_token_after(target, log_out)


def remember_token_after_new_password(target):
    """Copy a remember token; its owner changes the password; use the copy."""
    form = {"old": "pass1", "new": "a new one"}
    return remember_token_after(
        target, lambda owner: owner.submit("/sessions", to="/password", **form)
    )


def series_of_the_user_before(target):
    """Stay logged in; somebody else logs in there without it, and closes the browser: who is in?"""
    browser = remembered(target)
    browser.close()
    browser.submit("/login", username="user2", password="pass2")
    assert "Hello, user2!" in browser.get("/").text
    browser.close()
    return "in as user1" if "Hello, user1!" in browser.get("/").text else None


def token_while_all_others_end(target):
    """Use a copied remember token in the moment in which its owner ends all other sessions."""
    with afresh(target) as own:
        thief, owner = remembered(own), visit(own)
        # The thief's request can't be timed so well. What it would write is written for it.
        change(
            own,
            """CREATE TRIGGER just_then AFTER DELETE ON sessions
            WHEN (SELECT count(*) FROM remembered)
            BEGIN INSERT INTO sessions VALUES (OLD.digest, OLD.name, OLD.begun, OLD.used, '');
            END""",
        )
        owner.submit("/sessions", to="/sessions/end")
        assert in_with(owner)
        return "the thief has a new session" if in_with(thief) else None
