"""Attacks on lesson 02: HTTP Basic."""

import base64
import hashlib
import sqlite3
from contextlib import closing

from attack import USER1, USER2, basic, header_in, is_in, log_of
from on_hashing import differ, ratio

from learn import Lesson


def enumeration_by_answer(target):
    """Compare all that is answered to a wrong password and to an unknown user."""
    return differ(
        target.get("/", basic=("user1", "wrong")), target.get("/", basic=("nobody", "wrong"))
    )


def enumeration_by_time(target):
    """Measure a wrong password against an unknown user, in turn."""
    return ratio(
        lambda: target.get("/", basic=("user1", "wrong")),
        lambda: target.get("/", basic=("nobody", "wrong")),
    )


def who_was_here_by_time(target):
    """Measure a wrong password of a user who was just let in against one who was not."""
    target.get("/", basic=USER1)
    return ratio(
        lambda: target.get("/", basic=("user1", "wrong")),
        lambda: target.get("/", basic=("user2", "wrong")),
    )


def other_scheme(target):
    """Name another scheme, past a filter that looks for Basic, or none."""
    word = base64.b64encode(b"user1:pass1").decode()
    schemes = ["Foo", "Digest", "Bearer", "Basic-x", "", "BasicBasic", "Negotiate"]
    return header_in(target, *(f"{scheme} {word}" for scheme in schemes))


def broken_base64(target):
    """Put into the base64 what is none, past a filter that decodes strictly."""
    word = base64.b64encode(b"user1:pass1")
    broken = [word[:4] + odd + word[4:] for odd in (b"*", b"-", b".", b"!!!!", b"\xe9", b" ", b"%")]
    broken += [word + odd for odd in (b"*", b"$$", b"=*", b" x", b"\xc3\xa9")]
    return header_in(target, *(b"Basic " + value for value in broken))


def nul_in_password(target):
    """Append a NUL to the right password: HMAC pads its key with zeros, C strings end there."""
    pairs = [
        ("user1", "pass1\0"),
        ("user1", "pass1\0x"),
        ("user1\0", "pass1"),
        ("user1", "\0pass1"),
    ]
    return header_in(target, *(basic(*pair) for pair in pairs))


def nobody_at_all(target):
    """Send empty names and passwords, and what programs send for nothing."""
    words = ["", " ", "null", "None", "undefined", "NULL", "nobody", "admin", "*", "%"]
    pairs = [(name, word) for name in ("", "user1", "admin", "null", "*") for word in words]
    values = [basic(*pair) for pair in pairs]
    return header_in(target, *values, "Basic", "Basic ", "Basic Og==", "Basic dXNlcjE=", "")


def sql_in_credentials(target):
    """Put SQL where the name and the password go."""
    words = ["' OR '1'='1", "user1' --", "user1'/*", "' UNION SELECT 1,2,3 --", "'; --", "user_"]
    values = [
        basic(*pair) for word in words for pair in [(word, "pass1"), ("user1", word), (word, word)]
    ]
    return header_in(target, *values)


def role_of_another(target):
    """Ask for the admin's pages as user2, or as nobody."""
    asked = [target.get("/admin", basic=USER2), target.get("/admin")]
    asked.append(target.post("/users", basic=USER2, form={"username": "mine", "password": "x"}))
    asked.append(target.get("/", basic=("mine", "x")))
    won = [answer for answer in asked if answer.status < 400]
    return repr(won) if won else None


def form_of_another_site(target):
    """Let another site's form change the password: the browser adds the credentials (CSRF)."""
    mine = ("victim", "mine")
    target.post("/users", basic=USER1, form={"username": "victim", "password": "old"})
    for site in ("cross-site", "same-site"):
        target.post(
            "/password",
            basic=("victim", "old"),
            form={"password": "mine"},
            headers={"Sec-Fetch-Site": site},
        )
    return "the password is the attacker's" if is_in(target.get("/", basic=mine)) else None


def old_password(target):
    """Use the old password just after the user has changed it: is it still remembered?"""
    target.post("/users", basic=USER1, form={"username": "changed", "password": "old"})
    old = ("changed", "old")
    target.get("/", basic=old)
    target.post("/password", basic=old, form={"password": "new"})
    return "the old one still opens" if is_in(target.get("/", basic=old)) else None


def colon_in_name(target):
    """Add a user whose name has a colon: its end would count as part of the password."""
    added = target.post("/users", basic=USER1, form={"username": "user1:x", "password": "y"})
    return "added" if added.status == 201 else None


def stolen_table(target):
    """Read the database: the passwords must be neither there nor quick to guess."""
    try:
        with closing(sqlite3.connect(target.settings["DATABASE"])) as db:
            rows = list(db.execute("SELECT name, hash FROM users"))
    except sqlite3.Error:
        return None
    bad = [row for row in rows if not row[1].startswith("$argon2id$v=19$m=19456,t=2,p=1$")]
    return str(bad) if bad else None


def from_the_log(target):
    """Read the server's log for the credentials of those who logged in, or guessed nearly."""
    for pair in [USER1, ("user1", "pass1x")]:
        target.get("/", basic=pair)
    words = ["pass1", basic(*USER1), base64.b64encode(b"pass1").decode().rstrip("=")]
    words.append(hashlib.sha256(b"pass1").hexdigest())
    log = log_of(target)
    return next((f"{word} in the log" for word in words if word in log), None)


def stuffing(target):
    """Try a list of pairs that leaked elsewhere, the right one being the last of thirty."""
    pairs = [("user1", f"leaked{n}") for n in range(29)] + [USER1]
    for count, pair in enumerate(pairs, 1):
        if is_in(target.get("/", basic=pair)):
            return f"guess {count} was right, and the 28 before had stopped nobody"


def stuffing_against_a_limit(target):
    """Try the same list on beyond.py, which counts: the right one is refused as well."""
    with Lesson("02", "beyond", GUESS_PAUSE=60) as limited:
        return stuffing(limited)


def on_the_way(target):
    """Read the request on its way, without TLS, and use what it holds again."""
    read = target.get("/", basic=USER1).sent("Authorization")
    name, _, password = base64.b64decode(read.split()[1]).decode().partition(":")
    again = target.get("/", authorization=read)
    return f"the password is {password}, and the header works again" if is_in(again) else None
