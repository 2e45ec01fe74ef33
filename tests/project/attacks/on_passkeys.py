"""Attacks on lesson 07: passkeys. Devices and browsers are software, and some of them lie."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from attack import USER1, USER2
from on_otp import change

from learn import Authenticator, Browser
from learn.running.authenticator import PRESENT, encode

LURE = "http://localhost:6666"  # the same domain, another origin


def enrolled(target, pair=USER1, **device):
    """Return a new device with a passkey of this user's."""
    browser, phone = Browser(target, target.origin), Authenticator(target.origin, **device)
    options = browser.post("/register/options", basic=pair).json()
    made = browser.post("/register", json_body=phone.create(options))
    assert made.status == 201, made
    return phone


def log_in(target, phone, *key, browser=None, **wrong):
    """Log in with a device, in a browser of its own unless one is given; return the answer."""
    browser = browser or Browser(target, target.origin)
    options = browser.post("/login/options").json()
    return browser.post("/login", json_body=phone.get(options, *key, **wrong))


def with_passkey(target, pair=USER1):
    """Return a browser in which this user has logged in, and the device."""
    browser, phone = Browser(target, target.origin), enrolled(target, pair)
    assert log_in(target, phone, browser=browser).status == 200
    return browser, phone


def honest(target) -> bool:
    """Tell whether a user with a new passkey gets in."""
    return with_passkey(target, USER2)[0].get("/secured").status == 200


def got(answer):
    """Return what a login was let in as, or None."""
    return f"in as {answer.json()['name']}" if answer.status == 200 else None


def look_alike(target):
    """Relay the login from a page on another port, which the device signs for as such."""
    return got(log_in(target, enrolled(target), client={"origin": LURE}))


def in_a_frame(target):
    """Have a page of another site ask for the login, with this site in a frame."""
    phone = enrolled(target)
    wrong = ({"crossOrigin": True}, {"crossOrigin": True, "topOrigin": "https://evil.example"})
    return next((g for client in wrong if (g := got(log_in(target, phone, client=client)))), None)


def for_another_site(target):
    """Send a signature that a device made for another site."""
    return got(log_in(target, enrolled(target), rp_id="example.com"))


def seen_answer(target):
    """Send an answer once more that was seen on its way, in the browser that it was made for."""
    browser, phone = Browser(target, target.origin), enrolled(target, counts=False)
    answer = phone.get(browser.post("/login/options").json())
    cookies = dict(browser.cookies)
    assert browser.post("/login", json_body=answer).status == 200
    browser.cookies = cookies
    return got(browser.post("/login", json_body=answer))


def seen_answer_at_once(target):
    """Send one answer from eight connections at the same time: is it taken more than once?"""
    phone = enrolled(target, counts=False)
    for _ in range(3):
        browser = Browser(target, target.origin)
        answer = phone.get(browser.post("/login/options").json())
        cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())

        def send(_, cookie=cookie, answer=answer):
            headers = {"Cookie": cookie, "Content-Type": "application/json"}
            body = json.dumps(answer)
            return target.post("/login", headers=headers, body=body).status

        with ThreadPoolExecutor(8) as pool:
            count = list(pool.map(send, range(8))).count(200)
        if count > 1:
            return f"taken {count} times"
    return None


def answer_of_another_browser(target):
    """Have a victim sign a challenge that was given to one's own browser (login CSRF)."""
    mine, victims = Browser(target, target.origin), Browser(target, target.origin)
    answer = enrolled(target).get(mine.post("/login/options").json())
    return got(victims.post("/login", json_body=answer))


def old_challenge(target):
    """Answer a challenge after its lifetime, which is a second here."""
    browser, phone = Browser(target, target.origin), enrolled(target)
    answer = phone.get(browser.post("/login/options").json())
    time.sleep(1.2)
    return got(browser.post("/login", json_body=answer))


def challenge_of_ones_own(target):
    """Answer a challenge that the server never made, or made for somebody else before."""
    browser, phone = Browser(target, target.origin), enrolled(target)
    options = browser.post("/login/options").json()
    again = Browser(target, target.origin).post("/login/options").json()["challenge"]
    for challenge in (encode(bytes(32)), again):
        answer = phone.get({**options, "challenge": challenge})
        if found := got(browser.post("/login", json_body=answer)):
            return found
    return None


def found_phone(target):
    """Log in with somebody's device, without their PIN, finger or face."""
    return got(log_in(target, enrolled(target), flags=PRESENT))


def as_somebody_else(target):
    """Log in with one's own passkey, and say that it is another's."""
    victim = enrolled(target).keys[0].user["id"]
    answer = log_in(target, enrolled(target, USER2), user_handle=victim)
    return got(answer)


def planted_key(target):
    """Add a passkey of one's own to somebody else's account."""
    victim = enrolled(target).keys[0].user["id"]
    thief, device = Browser(target, target.origin), Authenticator(target.origin)
    options = thief.post("/register/options", basic=USER2).json()
    options["user"]["id"] = victim
    thief.cookies["user"] = "user1"
    thief.post("/register", json_body={**device.create(options), "user": "user1"})
    answer = log_in(target, device)
    return got(answer) if "user1" in answer.text else None


def key_taken_over(target):
    """Register a key of one's own under the id of somebody else's, which then no longer works."""
    phone = enrolled(target)
    thief, device = Browser(target, target.origin), Authenticator(target.origin)
    options = thief.post("/register/options", basic=USER2).json()
    made = thief.post("/register", json_body=device.create(options, id=phone.keys[0].id))
    return "taken over" if made.status == 201 else None


def copied_key(target):
    """Use a copy of a key that counts, after the original has been used."""
    phone = enrolled(target)
    copy = replace(phone.keys[0])
    assert log_in(target, phone).status == log_in(target, phone).status == 200
    return got(log_in(target, phone, copy))


def after_the_key_is_gone(target):
    """Go on in a session that began with a passkey which its owner has removed meanwhile."""
    thief, phone = with_passkey(target)
    owner = with_passkey(target)[0]
    gone = owner.send("DELETE", f"/passkeys/{phone.keys[0].id}")
    assert gone.status == 204, gone
    return "still in" if thief.get("/secured").status == 200 else None


def registration_as_the_key_goes(target):
    """Begin to add a passkey in the moment in which the session ends with its own passkey."""
    thief, _ = with_passkey(target)
    # The removal can't be timed so well. What it would delete is deleted for it.
    change(
        target,
        """CREATE TRIGGER just_then BEFORE INSERT ON challenges
        BEGIN DELETE FROM sessions; DELETE FROM challenges; END""",
    )
    answer = thief.post("/register/options")
    change(target, "DROP TRIGGER just_then")
    if answer.status != 200:
        return None
    made = thief.post("/register", json_body=Authenticator(target.origin).create(answer.json()))
    return "a new passkey of the account" if made.status == 201 else None


def revived_session(target):
    """Use a session that was found to have ended, once the clock is set back."""
    thief, phone = with_passkey(target)
    (session,) = target.rows("SELECT max(begun), digest FROM sessions")
    move = "UPDATE sessions SET used = used + ? WHERE digest = ?"  # as good as moving the clock
    change(target, move, -2400, session["digest"])
    if thief.get("/secured").status == 200:
        return "it does not end"
    change(target, move, 1200, session["digest"])
    return "it lives again" if thief.get("/secured").status == 200 else None


def year_of_twenty_digits(target):
    """Ask for a page unless it was changed since a year that no calendar has."""
    date = f"Sun, 06 Nov {10**20} 08:49:37 GMT"
    for headers in ({"If-Modified-Since": date}, {"If-Range": date, "Range": "bytes=0-9"}):
        answer = target.get("/", headers=headers)
        if answer.status >= 500:
            return f"{headers} get {answer.status}"
    return None


def somebody_elses_key_removed(target):
    """Remove another user's passkey."""
    phone = enrolled(target)
    other = with_passkey(target, USER2)[0]
    other.send("DELETE", f"/passkeys/{phone.keys[0].id}")
    try:
        left = log_in(target, phone).status == 200
    except LookupError:
        left = False
    return None if left else "removed"


def forms_of_other_pages(target):
    """Log a user out, and remove a passkey, by requests that other pages make a browser send."""
    for origin, site in ((LURE, "same-site"), ("https://evil.example", "cross-site")):
        for headers in ({"Origin": origin, "Sec-Fetch-Site": site}, {"Origin": origin}):
            browser, phone = with_passkey(target)
            headers.setdefault("Sec-Fetch-Site", None)
            browser.post("/logout", headers=headers)
            browser.send("DELETE", f"/passkeys/{phone.keys[0].id}", headers=headers)
            if browser.get("/secured").status != 200:
                return f"logged out by a page of {origin}"
    return None


def name_in_the_cookie(target):
    """Write a user's name into the cookie."""
    for name in ("user", "lesson07", "session"):
        browser = Browser(target)
        browser.cookies[name] = "user1"
        if "user1" in browser.get("/secured").text:
            return f"in by {name}=user1"
    return None


def cookie_from_the_database(target):
    """Use what the database holds of sessions, as a thief of it would."""
    with_passkey(target)
    for row in target.rows("SELECT * FROM sessions"):
        for value in row.values():
            browser = Browser(target)
            browser.cookies["lesson07"] = str(value)
            if browser.get("/secured").status == 200:
                return "in by a copy of the database"
    return None


def fixed_session(target):
    """Plant a cookie in a victim's browser, and use it once the victim has logged in."""
    victim, planted = Browser(target, target.origin), Browser(target, target.origin)
    planted.post("/login/options")
    victim.cookies = dict(planted.cookies)
    assert log_in(target, enrolled(target), browser=victim).status == 200
    return "in by the planted cookie" if planted.get("/secured").status == 200 else None


def page_in_a_frame(target):
    """Show the page in a frame of another site, below something that one wants to click."""
    page = Browser(target).get("/")
    policy = page.header("Content-Security-Policy") or ""
    framed = "frame-ancestors" not in policy and not page.header("X-Frame-Options")
    return "may be framed" if framed else None


def stolen_cookie(target):
    """Use the cookie that somebody copied from a browser in which a user is logged in."""
    thief = Browser(target)
    thief.cookies = dict(with_passkey(target)[0].cookies)
    return "in by a copy" if thief.get("/secured").status == 200 else None


def old_password(target):
    """Add a passkey with nothing but a password that was phished."""
    return got(log_in(target, enrolled(target)))
