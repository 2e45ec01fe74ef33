"""Attacks on lesson 02: HTTP Basic."""

import base64
import hashlib
import os
import socket
import sqlite3
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

from attack import USER1, USER2, basic, header_in, is_in, log_of
from on_hashing import differ, ratio
from wire import PATIENCE, request

from learn import Lesson
from learn.practice.expect import seconds_of


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


def forged(target, headers):
    """Let the browser of a user send these forms; return which of them changed the password."""
    for number, header in enumerate(headers):
        name = f"victim{number}{len(header)}"
        target.post("/users", basic=USER1, form={"username": name, "password": "old"})
        form = {"password": "mine"}
        target.post("/password", basic=(name, "old"), form=form, headers=header)
        if is_in(target.get("/", basic=(name, "mine"))):
            return f"the password is the attacker's, with {header}"
    return None


def form_of_another_site(target):
    """Let another site's form change the password: the browser adds the credentials (CSRF)."""
    sites = [("cross-site", "http://other.example"), ("same-site", "http://127.0.0.1")]
    return forged(target, [{"Sec-Fetch-Site": s, "Origin": o} for s, o in sites])


def form_over_plain_http(target):
    """The same at an http address that is not localhost, where browsers send Origin alone."""
    own = f"127.0.0.1:{target.port}"
    origins = [
        "http://other.example",
        "null",
        "http://127.0.0.1",
        f"https://{own}",
        f"http://{own}0",
    ]
    return forged(target, [{"Origin": origin} for origin in origins])


def held_back(target, path, pair, fields, meanwhile):
    """Send a form whose body comes only after `meanwhile` has run; return the answer's status."""
    target.get("/", basic=pair)  # the pair is remembered, so the header is looked at in no time
    part = '--x\r\nContent-Disposition: form-data; name="{}"\r\n\r\n{}\r\n'
    body = "".join(part.format(*field) for field in fields.items()) + "--x--\r\n"
    lines = [f"Authorization: {basic(*pair)}", "Content-Type: multipart/form-data; boundary=x"]
    data = request(b"POST", path.encode(), *map(str.encode, lines), body=body.encode())
    with socket.create_connection(("127.0.0.1", target.port), timeout=PATIENCE) as connection:
        connection.sendall(data.removesuffix(body.encode()))
        time.sleep(0.4)
        meanwhile()
        connection.sendall(body.encode())
        return int(connection.makefile("rb").readline().split()[1])


def set_admin(target, name, admin):
    """Give the role to a user or take it away, in the database."""
    with closing(sqlite3.connect(target.settings["DATABASE"], isolation_level=None)) as db:
        db.execute("UPDATE users SET admin = ? WHERE name = ?", [admin, name])


def change_undone(target):
    """Send the old password with a body that is held back until the owner has changed it."""
    target.post("/users", basic=USER1, form={"username": "owner", "password": "old"})
    old, mine = ("owner", "old"), {"password": "mine"}

    def change():
        target.post("/password", basic=old, form={"password": "new"})

    status = held_back(target, "/password", old, mine, change)
    won = is_in(target.get("/", basic=("owner", "mine")))
    return f"status {status}, and the password is the attacker's" if won else None


def added_with_old_password(target):
    """Add a user with an admin's old password, the body held back until it has been changed."""
    target.post("/users", basic=USER1, form={"username": "boss", "password": "old"})
    set_admin(target, "boss", 1)
    old, fields = ("boss", "old"), {"username": "accomplice", "password": "x"}

    def change():
        target.post("/password", basic=old, form={"password": "new"})

    status = held_back(target, "/users", old, fields, change)
    return f"status {status}" if is_in(target.get("/", basic=("accomplice", "x"))) else None


def added_by_former_admin(target):
    """Add a user as an admin, the body held back until the role has been taken away."""
    target.post("/users", basic=USER1, form={"username": "former", "password": "old"})
    set_admin(target, "former", 1)
    old, fields = ("former", "old"), {"username": "friend", "password": "x"}
    status = held_back(target, "/users", old, fields, lambda: set_admin(target, "former", 0))
    return f"status {status}" if is_in(target.get("/", basic=("friend", "x"))) else None


def costly_header(target):
    """Send 40 kB of combining accents: bringing them into NFC takes seconds of the processor."""
    marks = "a" + "\u0301" * 10_000 + "\u0323" * 10_000
    wrong, marked = seconds_of(
        lambda: target.get("/", basic=("user1", "wrong")),
        lambda: target.get("/", basic=("user1", marks)),
        rounds=3,
    )
    return (
        f"{marked / wrong:.0f} times the time of a wrong password" if marked > 3 * wrong else None
    )


def upload_without_end(target):
    """Upload a file where a form is expected: it would lie on the disk before it is looked at."""
    body = b"--x\r\nContent-Disposition: form-data; name=a; filename=a\r\n\r\n" + b"x" * 40_000
    lines = [f"Authorization: {basic(*USER2)}", "Content-Type: multipart/form-data; boundary=x"]
    data = request(b"POST", b"/password", *map(str.encode, lines), body=body + b"\r\n--x--\r\n")
    with socket.create_connection(("127.0.0.1", target.port), timeout=PATIENCE) as connection:
        connection.sendall(data)
        status = int(connection.makefile("rb").readline().split()[1])
    return f"all was read: status {status}" if status != 413 else None


def full_memory(target):
    """Log in as each of eleven thousand users: does a worker remember all of them for ever?

    The hash is taken out of the way, or this would take minutes.
    """
    count = """
import app, groundwork
app.argon2id = type("Quick", (), {"verify": staticmethod(lambda password, stored: True)})
with app.app.app_context():
    with groundwork.transaction() as db:
        rows = [(f"u{n}",) for n in range(11_000)]
        db.executemany("INSERT INTO users VALUES (?, 'hash', 0)", rows)
    for name, in rows:
        assert app.verify_password(name, "x")
print(len(app.remembered))
"""
    with tempfile.TemporaryDirectory() as folder:
        env = {**os.environ, "FLASK_DATABASE": os.path.join(folder, "lesson.db")}
        command = [target.python, "-c", count]
        where = target.path.parent
        done = subprocess.run(command, cwd=where, env=env, capture_output=True, text=True)
    assert not done.returncode, done.stderr
    return f"{done.stdout.strip()} users" if int(done.stdout) > 10_000 else None


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
    with Lesson("02", "beyond") as limited:
        return stuffing(limited)


def guesses_at_once(target):
    """Send forty guesses at the same time, so that none is counted before the others are hashed."""
    with ThreadPoolExecutor(40) as pool:
        pairs = [("someone", f"guess {n}") for n in range(40)]
        statuses = [one.status for one in pool.map(lambda pair: target.get("/", basic=pair), pairs)]
    looked_at = statuses.count(401)
    return f"{looked_at} guesses were looked at" if looked_at > 5 else None


def guesses_at_what_is_remembered(target):
    """Guess on while the name has to wait and its user is remembered: does the right one open?"""
    target.get("/", basic=USER1)
    for count in range(20):
        target.get("/", basic=("user1", f"guess {count}"))
    return "the right one opened" if is_in(target.get("/", basic=USER1)) else None


def new_guesses_with_each_login(target):
    """Guess four times between one login of the owner and the next, who is somewhere else."""
    looked_at = 0
    for round in range(4):
        for count in range(4):
            elsewhere = {"X-Forwarded-For": "203.0.113.9"}
            pair = ("user1", f"guess {round}{count}")
            looked_at += target.get("/", basic=pair, headers=elsewhere).status == 401
        target.get("/", basic=USER1, headers={"X-Forwarded-For": "198.51.100.7"})
    return f"{looked_at} guesses were looked at" if looked_at > 5 else None


def on_the_way(target):
    """Read the request on its way, without TLS, and use what it holds again."""
    read = target.get("/", basic=USER1).sent("Authorization")
    name, _, password = base64.b64decode(read.split()[1]).decode().partition(":")
    again = target.get("/", authorization=read)
    return f"the password is {password}, and the header works again" if is_in(again) else None
