"""Attacks on lesson 03: HTTP Digest."""

import hashlib
import re
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from attack import USER1, basic, is_in, log_of
from on_hashing import differ, ratio
from wire import NoAnswer, ask, request

from learn import Lesson, LessonError, digest_answer

WORDS = ["123456", "password", "letmein", "qwerty", "secret", "admin", "pass", "pass1", "dragon"]


class Session:
    """A challenge, with the cookie that came along, and answers to it."""

    def __init__(self, target, algorithm=None):
        asked = target.get("/")
        self.target = target
        self.challenge = asked.challenge(algorithm) or asked.challenge()
        self.cookie = (asked.header("Set-Cookie") or "").partition(";")[0]

    def header(self, user="user1", password="pass1", path="/", **changes):
        return digest_answer(self.challenge, user, password, path, **changes)

    def send(self, header, path="/", method="GET"):
        """Send this value of Authorization; tell whether it got in."""
        cookie = {"Cookie": self.cookie} if self.cookie else {}
        answer = self.target.send(method, path, authorization=header, headers=cookie)
        return is_in(answer) or (method == "HEAD" and answer.status == 200)

    def answer(self, path="/", **changes):
        """Answer the challenge; tell whether it got in."""
        return self.send(self.header(path=path, **changes), path)


def replay(target):
    """Send a header that was seen on the way once more."""
    session = Session(target)
    header = session.header()
    session.send(header)
    return "the same header got in twice" if session.send(header) else None


def replay_at_once(target):
    """Send eight copies of one header at the same moment: the check must be one step."""
    session = Session(target)
    header = session.header()
    with ThreadPoolExecutor(8) as pool:
        let_in = sum(pool.map(lambda _: session.send(header), range(8)))
    return f"{let_in} of 8 copies got in" if let_in > 1 else None


def replay_of_a_count(target):
    """Answer twice with the same nonce and count, with another cnonce each time."""
    session = Session(target)
    let_in = [session.answer(cnonce=cnonce) for cnonce in ("one", "two")]
    return "the count 1 counted twice" if all(let_in) else None


def replay_in_another_spelling(target):
    """Send the same header again, its hex in capitals, its parameters spelt otherwise."""
    session = Session(target)
    header = session.header(nc=10)
    session.send(header)
    spellings = [
        header.replace("0000000a", "0000000A"),
        header.replace("nc=0000000a", 'nc="0000000a"'),
        header.replace("nc=0000000a", "nc=00000000a"),
        re.sub(r'response="(\w+)"', lambda m: f'response="{m[1].upper()}"', header),
        re.sub(r'nonce="([^"]+)"', r'nonce="\1 "', header),
        header.replace("Digest ", "digest  "),
        header + ", nc=0000000b",
        header + ", nonce=x",
    ]
    return next((repr(one) for one in spellings if session.send(one)), None)


def nonce_forged(target):
    """Answer with nonces of one's own making: any, another's with a change, none."""
    session = Session(target)
    real = session.challenge.nonce
    forged = [
        "0" * 32,
        "",
        " ",
        real[:-2] + "AA",
        "x" + real,
        real.swapcase(),
        real + ".x",
        "a.b.c",
    ]
    for nonce in forged:
        session.challenge["nonce"] = nonce
        if session.answer():
            return f"got in with the nonce {nonce!r}"


def nonce_stale(target):
    """Answer a challenge that is older than it may be."""
    session = Session(target)
    time.sleep(2.1)  # the lifetime is one second
    return "an old nonce still counts" if session.answer() else None


def nonce_exhausted(target):
    """Use a nonce up to its last count, and go on: with 0, with nine digits, with less than 0."""
    session = Session(target)
    session.answer(nc=0xFFFFFFFF)
    over = [0, 0x100000000, 0xFFFFFFFF]
    won = [nc for nc in over if session.answer(nc=nc)]
    won += [text for text in ("-0000001", "+0000002", "0x000003") if count_as(session, text)]
    return f"got in with nc {won[0]!r}" if won else None


def count_as(session, text):
    """Answer with a count that is spelt like this; the response is computed over it."""
    challenge = session.challenge

    def h(*parts):
        name = {"SHA-256": "sha256"}.get(challenge.get("algorithm"), "md5")
        return hashlib.new(name, ":".join(parts).encode()).hexdigest()

    ha1 = h("user1", challenge.realm, "pass1")
    right = h(ha1, challenge.nonce, text, "c", "auth", h("GET", "/"))
    header = session.header(cnonce="c", response=right)
    return session.send(header.replace("nc=00000001", f"nc={text}"))


def without_qop(target):
    """Answer without qop, as in 1997: no count, so nothing against a replay."""
    return "RFC 2069's answer is taken" if Session(target).answer(qop=None) else None


def other_qop(target):
    """Answer with a qop that was not offered, or with an empty one."""
    for qop in ("auth-int", "AUTH", "foo", "", '"auth,auth-int"'):
        if Session(target).answer(qop=qop):
            return f"qop={qop} is taken"


def other_algorithm(target):
    """Name another algorithm than the response was computed with, or one that is not offered."""
    offered = Session(target).challenge.get("algorithm")
    names = ["MD5-sess", "SHA-256-sess", "SHA-512-256", "SHA1", "md4", "none", "", None]
    names += ["MD5"] if offered == "SHA-256" else []
    for name in names:
        if Session(target).answer(algorithm=name):
            return f"algorithm={name} is taken for a response by {offered}"


def other_realm(target):
    """Answer with a response that was computed for another realm, and says so."""
    session = Session(target)
    session.challenge["realm"] = "Elsewhere"
    return "another realm's response is taken" if session.answer() else None


def other_opaque(target):
    """Leave opaque out, or bring one of one's own."""
    for opaque in (None, "", "x" * 32):
        if Session(target).answer(opaque=opaque):
            return f"opaque={opaque!r} is taken"


def uri_swapped(target):
    """Use a header that was made for one address at another one."""
    for made_for, used_at in [("/", "/account"), ("/account", "/"), ("/?a=1", "/"), ("/", "/?a=1")]:
        session = Session(target)
        if session.send(session.header(path=made_for), used_at):
            return f"a header for {made_for} opened {used_at}"


def ask_elsewhere(target, signed, asked, *lines):
    """Sign one address, ask for another, and return the answer; lines: more headers."""
    session = Session(target)
    lines += (b"Authorization: " + session.header(path=signed).encode("latin-1"),)
    lines += (b"Cookie: " + session.cookie.encode(),) if session.cookie else ()
    return ask(target.port, request(b"GET", asked.encode("latin-1"), *lines))


def uri_nearly_the_same(target):
    """Sign an address that is another one, but looks the same to who decodes or tidies too much."""
    pairs = [
        ("/account?a=1%26b=2", "/account?a=1&b=2"),
        ("/account?a=%31", "/account?a=1"),
        ("/account?a=+", "/account?a=%20"),
        ("/account?a=1#b", "/account?a=1"),
        ("/account%3Fa=1", "/account?a=1"),
        ("/account?a=1?", "/account?a=1"),
        ("/acc%256Funt", "/account"),
        ("/account%00", "/account"),
        ("/account;a=1", "/account"),
        ("/account/", "/account"),
        ("//account", "/account"),
        ("/./account", "/account"),
        ("/x/../account", "/account"),
        ("/ACCOUNT", "/account"),
        ("account", "/account"),
        ("http://elsewhere.example/account", "/account"),
        ("http://127.0.0.1.example/account", "/account"),
        ("http://127.0.0.1", "/"),
    ]
    for signed, asked in pairs:
        if is_in(ask_elsewhere(target, signed, asked)):
            return f"a header for {signed} opened {asked}"


def prefix_of_ones_own(target):
    """Sign an address under a prefix, and send the headers with which a proxy would name it."""
    for name in (b"X-Forwarded-Prefix", b"X-Script-Name", b"X-Forwarded-Path", b"X-Original-URI"):
        for prefix in (b"/x", b"/x/"):
            if is_in(ask_elsewhere(target, "/x/account", "/account", name + b": " + prefix)):
                return f"{name.decode()} moved the app"


def shut_out_by_a_spelling(target):
    """Be a proxy that spells the address another way: an honest client is to stay outside."""
    pairs = [
        ("/acc%6Funt", "/account"),
        ("/account", "/acc%6funt"),
        ("/%61ccount?a=%2F", "/account?a=%2F"),
        ("/account", "http://127.0.0.1/account"),
        ("http://127.0.0.1/account?a=1", "/account?a=1"),
    ]
    for signed, asked in pairs:
        if not is_in(ask_elsewhere(target, signed, asked)):
            return f"a client that signed {signed} is kept out of {asked}"


def uri_swapped_unnoticed(target):
    """Use a stolen header elsewhere: does the answer or the log say anything about it?"""
    answer = ask_elsewhere(target, "/account?stolen=1", "/account")
    noticed = b"stolen=1" in answer.body and "'/account?stolen=1'" in log_of(target)
    return None if noticed else f"the answer is {answer.body!r}, and the log says nothing"


def log_forged(target):
    """Put a line break into uri, so that the log gets a line of one's own."""
    session = Session(target)
    header = re.sub(r' uri="[^"]*",', "", session.header(path="/\n[forged] line"))
    session.send(f"{header}, uri*=UTF-8''%2F%0A%5Bforged%5D%20line")
    return "a line of one's own in the log" if "\n[forged] line" in log_of(target) else None


def method_swapped(target):
    """Use a header that was made for one method with another one."""
    session = Session(target)
    if session.send(session.header(method="HEAD")) or session.send(
        session.header(nc=2), method="HEAD"
    ):
        return "the method is not covered"


def user_swapped(target):
    """Put another user's name into one's own header."""
    for name in ("user1", "USER2", "user2 ", ""):
        if Session(target).answer(user="user2", password="pass2", username=name):
            return f"user2's response got in as {name!r}"


def parameter_twice(target):
    """Append a second username, uri, response, nonce: one may be checked and the other used."""
    for more in ('uri="/account"', 'username="user1"', 'response="0"', 'nonce="0"', "nc=00000009"):
        session = Session(target)
        header = session.header("user2", "pass2")
        if more.startswith("username") and session.send(f"{header}, {more}"):
            return f"{more} was read"
        if session.send(f"{session.header(nc=2)}, {more}", "/account"):
            return f"{more} opened another page"


def cut_response(target):
    """Send no response, an empty one, the beginning of the right one, or its first digit only."""
    session = Session(target)
    right = re.search(r'response="(\w+)"', session.header(cnonce="c"))[1]
    for response in ("", right[:8], right[:1], right[:-1], "0" * len(right), None):
        if session.answer(cnonce="c", response=response):
            return f"response={response!r} is taken"


def basic_instead(target):
    """Send the password by Basic, which this server never offered."""
    answer = target.get("/", authorization=basic(*USER1))
    return "Basic is taken" if is_in(answer) else None


def header_by_cnonce(target):
    """Bring a cnonce that would end its place in Authentication-Info and begin another header."""
    ends = ['a", rspauth="x', "a\r\nSet-Cookie: a=b", "a\nX: y", "a\\", "a\tb", "\u00e9", "\u20ac"]
    for cnonce in ends:
        session = Session(target)
        plain = session.header(cnonce=cnonce).replace("cnonce=", "x=")
        encoded = "".join(f"%{byte:02X}" for byte in cnonce.encode())
        header = f"{plain}, cnonce*=UTF-8''{encoded}"
        found = broken_by(target, session, header, cnonce)
        if found:
            return found


def broken_by(target, session, header, cnonce):
    """Send the header over a socket; return what is wrong with the answer's headers, or None."""
    clean = header.encode("latin-1", "replace").replace(b"\r", b"").replace(b"\n", b"")
    lines = [b"Authorization: " + clean]
    lines += [b"Cookie: " + session.cookie.encode()] if session.cookie else []
    try:
        answer = ask(target.port, request(b"GET", b"/", *lines), 3)
    except NoAnswer:
        return f"no answer to the cnonce {cnonce!r}"
    info = answer.header(b"authentication-info")
    names = [name.lower() for name, _ in answer.headers]
    if answer.status >= 500 or b"x" in names or info.count(b"rspauth") > 1:
        return f"status {answer.status}, {info!r} for the cnonce {cnonce!r}"


def fake_server(target):
    """Let another server say 200 to everybody: can the client tell them apart?"""
    header = target.get("/", digest=USER1, cookies=True).header("Authentication-Info")
    return None if "rspauth=" in (header or "") else "the answer proves nothing about the server"


def enumeration_by_answer(target):
    """Compare what is answered to a wrong password and to an unknown user, but for the nonces."""
    pairs = [("user1", "wrong"), ("nobody", "wrong")]
    both = [target.get("/", digest=pair, cookies=True) for pair in pairs]
    return differ(*map(without_nonces, both))


def without_nonces(answer):
    """Return the answer with what differs between any two challenges taken out."""
    kept = [h for h in answer.response_headers if h[0].lower() not in ("set-cookie", "vary")]
    blank = [(n, re.sub(r'(nonce|opaque)="[^"]*"', r"\1", v)) for n, v in kept]
    return replace(answer, response_headers=blank)


def comparison_by_time(target):
    """Measure responses that are right in their first half against those that are wrong at once."""
    session = Session(target)
    right = re.search(r'response="(\w+)"', session.header(cnonce="c"))[1]
    half = right[:48] + "".join("0" if c != "0" else "1" for c in right[48:])
    return ratio(
        lambda: session.answer(cnonce="c", response=half),
        lambda: session.answer(
            cnonce="c", response="".join("0" if c != "0" else "1" for c in right)
        ),
    )


def counts(target, statement, values=()):
    """Run a statement on the table of used counts; return its rows."""
    with closing(sqlite3.connect(target.settings["DATABASE"], isolation_level=None)) as db:
        return db.execute(statement, values).fetchall()


def old_counts(target):
    """Return how many counts there are of nonces that nobody could use any more."""
    return counts(target, "SELECT count(*) FROM counts WHERE made < ?", [time.time() - 1e6])[0][0]


def put_old_counts(target, number):
    series = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)"
    counts(target, f"{series} INSERT OR IGNORE INTO counts SELECT i, 'old', 1 FROM n", [number])


def swept_at_once(target):
    """Let many old counts gather: how many does a single request sweep while all others wait?"""
    put_old_counts(target, 20000)
    before = old_counts(target)
    Session(target).answer()
    swept = before - old_counts(target)
    return f"one request swept {swept} of {before} counts" if swept > 1000 else None


def never_swept(target):
    """Be a client whose counts are never 1: does the table of used ones only ever grow?"""
    put_old_counts(target, 1000)
    before, session = old_counts(target), Session(target)
    used = sum(session.answer(nc=nc) for nc in range(2, 22))
    gone = before - old_counts(target)
    return f"{used} counts were used, {gone} old ones went" if gone < used else None


def ha1_that_is_not_kept(target):
    """Answer with MD5 for a user of whom no HA1 in MD5 is kept."""
    row = 'UPDATE users SET "MD5" = ? WHERE name = ?'
    kept = counts(target, 'SELECT "MD5" FROM users WHERE name = ?', ["user1"])[0][0]
    counts(target, row, [None, "user1"])
    try:
        session = Session(target, "MD5")
        status = target.get("/", authorization=session.header()).status
    finally:
        counts(target, row, [kept, "user1"])
    return f"status {status}" if status != 401 else None


def md5_forgotten(target):
    """Steal the database after `flask forget-md5`, and look for an HA1 in MD5 in its bytes."""
    ha1 = hashlib.md5(f"user1:{Session(target).challenge.realm}:pass1".encode()).hexdigest()
    target.command("forget-md5")
    path = Path(target.settings["DATABASE"])
    files = [
        file for file in path.parent.glob(f"{path.name}*") if ha1.encode() in file.read_bytes()
    ]
    return f"it is still in {files[0].name}" if files else None


def start_kept_waiting(target):
    """Hold the database, as somebody who writes may, while another worker starts."""
    with closing(sqlite3.connect(target.settings["DATABASE"], isolation_level=None)) as db:
        db.execute("BEGIN IMMEDIATE")
        try:
            Lesson("03", target.path, **target.settings).stop()
        except LessonError as error:
            return str(error).strip().splitlines()[-1]


def stolen_ha1(target):
    """Take HA1 from the database and log in with it: no password is needed."""
    with closing(sqlite3.connect(target.settings["DATABASE"])) as db:
        ha1 = db.execute('SELECT "SHA-256" FROM users WHERE name = ?', ["user1"]).fetchone()[0]
    session = Session(target, "SHA-256")
    nonce = session.challenge.nonce

    def h(*parts):
        return hashlib.sha256(":".join(parts).encode()).hexdigest()

    right = h(ha1, nonce, "00000001", "c", "auth", h("GET", "/"))
    won = session.answer(password="unknown", cnonce="c", response=right)
    return "in as user1, with what the database holds" if won else None


def words_offline(target):
    """Guess the password of a header that was seen on the way, at home, with no server asked."""
    session = Session(target)
    seen = session.header(cnonce="c")
    for count, word in enumerate(WORDS, 1):
        if session.header(password=word, cnonce="c") == seen:
            return f"the password is {word}, after {count} guesses that no server saw"


def md5_for_sha256(target):
    """Stand in the middle, take the SHA-256 challenge away, and let the client answer MD5."""
    return "a client talked down to MD5 is let in" if Session(target, "MD5").answer() else None


def md5_refused_beyond(target):
    """Try the same on beyond.py with FLASK_REFUSE_MD5=1."""
    with Lesson("03", "beyond", REFUSE_MD5=1) as strict:
        session = Session(strict)
        session.challenge["algorithm"] = "MD5"
        return "MD5 is taken" if session.answer() else None
