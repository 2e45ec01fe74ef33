"""Thousands of requests that nobody thought of, to every lesson.

grammar.py says what is sent. Whatever it is: no error 500, no hang, nobody gets in without the
right secret, every 401 has its challenge, and neither memory nor database grow without bound. The
ordinary run sends the same few hundred in every run; `--long` sends ten thousand by a new seed,
which it prints, and LEARN_SEED repeats. The lessons run with a cheap hash, else it would be hashes
that count and not requests: nothing else about them is changed.
"""

import os
import re
import secrets
import socket
import sqlite3
import time
from contextlib import closing

import psutil
import pytest
from attack import USER2, forget, visit
from grammar import bytes_of, is_broken, plans
from hypothesis import HealthCheck, Phase, given, note, seed, settings
from on_otp import code_of, enroll, log_in, steady
from wire import NoAnswer, answers, request

from learn import Lesson
from learn.layout import LESSONS

pytestmark = pytest.mark.rest  # thousands of requests take their time

PROOF = re.compile(rb'rspauth="\w+", qop=auth, cnonce="[^"\\]*", nc=\w{8}')  # RFC 7616 3.5
COOKIE = re.compile(rb"lesson06=[\w-]*; .*HttpOnly; Path=/; SameSite=Lax")
# Lessons 07 and 08 have a fuzz of their own.
FOLDERS = sorted(p.name for p in LESSONS.glob("0[1-6]_*"))
ORDINARY, LONG = 200, 10_000
ENOUGH_TO_FIND = 1_000  # a flaw that was put in, most often far sooner
HOUR = 3600  # what was used is kept for longer, in case the clock is set back
ENOUGH = 1.3  # times the memory of half-way: more is a leak
CHEAP = [("memory_cost=19456", "memory_cost=64"), ("rounds=2,", "rounds=1,")]


def cheap_copy(folder, tmp_path, *changes):
    """Return app.py, copied with what it imports, cheaply hashing and with changes for a proof."""
    names = ["app.py", "store.py", "groundwork.py"]
    names += [f"templates/{file.name}" for file in (LESSONS / folder).glob("templates/*")]
    texts = {name: (LESSONS / folder / name).read_text("utf-8") for name in names}
    cheap = CHEAP if "memory_cost" in "".join(texts.values()) else []
    for old, new in [*cheap, *changes]:
        found = [name for name, text in texts.items() for _ in range(text.count(old))]
        assert len(found) == 1, f"{len(found)} times in {', '.join(texts)}: {old}"
        texts[found[0]] = texts[found[0]].replace(old, new)
    for name, text in texts.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    return tmp_path / "app.py"


def started(folder, path):
    """Start a lesson for fuzzing."""
    more = {"03": {"NONCE_LIFETIME": 3600}, "05": {"LOCKOUT": 1}}.get(folder[:2], {})
    return Lesson(folder, path, **more)


def own_of(lesson):
    """Return what a run has of its own: a challenge to answer, and the key."""
    own = {"key": lesson.settings["SECRET_KEY"].encode(), "challenge": NO_CHALLENGE}
    if lesson.folder.name.startswith("06"):
        own["session"] = only_session(lesson)
    if lesson.folder.name.startswith("03"):
        challenge = lesson.get("/").challenge()
        own["challenge"] = {name: challenge.get(name) or "" for name in NO_CHALLENGE}
    return own


def only_session(lesson):
    """End all sessions of lesson 06, give user1 the first password again, and begin a session."""
    with closing(sqlite3.connect(lesson.settings["DATABASE"], timeout=20)) as db, db:
        kept = "CREATE TABLE IF NOT EXISTS first_users AS SELECT * FROM users"
        db.execute(kept)
        db.execute("DELETE FROM sessions")
        db.execute("INSERT OR REPLACE INTO users SELECT * FROM first_users")
    ((_, value),) = visit(lesson).cookies.items()
    return value.encode()


NO_CHALLENGE = {"realm": "r", "nonce": "n", "opaque": "o", "algorithm": "SHA-256"}


def talk(port, data, patience):
    """Send the bytes, end the sending, return all that comes."""
    received = bytearray()
    with socket.create_connection(("127.0.0.1", port), timeout=patience) as connection:
        try:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            while piece := connection.recv(65536):
                received += piece
        except TimeoutError:
            raise NoAnswer(f"it hung, after {bytes(received)!r}") from None
        except ConnectionError:
            pass
    return bytes(received)


def judge(plan, data, received):
    """Raise AssertionError if this is no fit answer to these bytes."""
    try:
        found = answers(received, data)
    except NoAnswer:
        found = []
    # What is damaged as a whole, or has a blank for its target, may be no HTTP at all, and is then
    # not answered in HTTP.
    broken = is_broken(plan) or len(data.partition(b"\r\n")[0].split()) != 3
    assert found or broken, "the connection was closed without an answer"
    for page in (b"\r\n\r\nHello, user", b">Hello, user", b">Where you are logged in"):
        assert page not in received or plan["right"], "nobody may get in by this"
    assert b"Hello, user2" not in received or plan["lesson"] != "06", "another's session"
    for answer in found:
        assert answer.status < 500 or answer.status in (501, 505), f"status {answer.status}"
        if answer.status == 401:
            assert answer.header(b"www-authenticate"), "401 without a challenge"
        for value in answer.all(b"set-cookie"):
            its_own = plan["lesson"] == "06" and COOKIE.fullmatch(value)
            assert its_own, f"a header that no lesson sends: {value!r}"
        away = answer.header(b"location")
        # Werkzeug itself sends a target without its slash, such as ?/, to the host that was asked.
        own = rb"(?:http://127\.0\.0\.1)?/(?![/\\]).*"
        assert not away or re.fullmatch(own, away), f"a redirect to {away!r}"
        proof = answer.header(b"authentication-info")
        assert not proof or PROOF.fullmatch(proof), f"a broken header: {proof!r}"


class Fuzzer:
    """Send a lesson many requests; `counts` tells what came of them."""

    def __init__(self, lesson, examples, patience=10, shrink=True):
        self.lesson, self.examples, self.patience = lesson, examples, patience
        self.phases = [Phase.generate, Phase.shrink] if shrink else [Phase.generate]
        self.own = own_of(lesson)
        self.process = psutil.Process(lesson._running["process"].pid)
        self.counts, self.memory = {}, []

    def run(self, with_seed=None):
        """Send them all; AssertionError with the bytes that were sent if one is answered badly."""
        fixed = settings(
            max_examples=self.examples,
            derandomize=with_seed is None,
            database=None,
            deadline=None,
            phases=self.phases,
            suppress_health_check=list(HealthCheck),
        )

        def one(plan):
            self.send(plan, with_seed)

        one = fixed(given(plans(self.lesson.folder.name[:2]))(one))
        (one if with_seed is None else seed(with_seed)(one))()

    def send(self, plan, with_seed):
        data = bytes_of(plan, self.own)
        note(f"seed: {with_seed}; sent: {data!r}")
        try:
            received = talk(self.lesson.port, data, self.patience)
            judge(plan, data, received)
            if plan["lesson"] == "06":
                self.look_at_sessions(plan, received)
        except AssertionError as error:
            said = self.lesson.own_lines() if b" 500 " in str(error).encode() else ""
            raise AssertionError(f"{error}; seed {with_seed}; sent: {data!r}\n{said}") from None
        status = received[9:12].decode("latin-1")
        self.counts[status] = self.counts.get(status, 0) + 1
        self.memory.append(self.process.memory_info().rss)

    def look_at_sessions(self, plan, received):
        """A cookie that came without a right password lets nobody in; after a form, begin anew."""
        came = re.search(rb"\r\n[Ss]et-[Cc]ookie: (lesson06=[\w-]+)", received)
        if came and not plan["right"]:
            line = b"Cookie: " + came[1]
            page = talk(self.lesson.port, request(b"GET", b"/", line), self.patience)
            assert b"Hello, user" not in page, "a session without a password"
        if plan["right"] and plan["route"].startswith("POST"):
            self.own["session"] = only_session(self.lesson)

    def growth(self):
        """Return the memory at the end as a multiple of that of half-way."""
        return self.memory[-1] / self.memory[len(self.memory) // 2]


def rows(lesson):
    """Return how many rows each table of the lesson has."""
    with closing(sqlite3.connect(lesson.settings["DATABASE"])) as db:
        tables = [
            name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type='table'")
        ]
        return {t: db.execute(f"SELECT count(*) FROM {t}").fetchone()[0] for t in tables}


@pytest.mark.parametrize("folder", FOLDERS)
def test_fuzz(folder, request, tmp_path, capsys):
    """Whatever is sent is answered, refused with a challenge, and soon forgotten."""
    long = request.config.getoption("--long")
    number = int(os.environ.get("LEARN_SEED") or secrets.randbelow(2**32)) if long else None
    if long:
        with capsys.disabled():
            print(f"\n{folder}: LEARN_SEED={number}")
    with started(folder, cheap_copy(folder, tmp_path)) as lesson:
        whole_run(Fuzzer(lesson, LONG if long else ORDINARY), number)
        if folder[:2] in SWEPT:
            is_swept(lesson, *SWEPT[folder[:2]])


def whole_run(fuzzer, with_seed):
    """Fuzz a lesson, and look at what it left behind."""
    lesson = fuzzer.lesson
    before = rows(lesson)
    fuzzer.run(with_seed)
    assert sum(fuzzer.counts.values()) >= fuzzer.examples, fuzzer.counts
    assert len(fuzzer.counts) > 3, fuzzer.counts  # not all of them went the same way
    assert fuzzer.growth() < ENOUGH, fuzzer.memory[:: fuzzer.examples // 10]
    let_in = sum(n for status, n in fuzzer.counts.items() if status < "400")
    more = sum(rows(lesson).values()) - sum(before.values())
    assert more <= let_in, rows(lesson)  # who was refused left nothing behind
    assert lesson.alive and "Traceback" not in lesson.log, lesson.own_lines()


def is_swept(lesson, table, end, lifetime, use):
    """Look how long rows are to stay; make them older than that; one use then sweeps them all."""
    use(lesson)
    with closing(sqlite3.connect(lesson.settings["DATABASE"], isolation_level=None)) as db:
        db.execute(f"DELETE FROM {table} WHERE {end} > ?", [time.time() + 10**6])  # of odd tokens
        latest = db.execute(f"SELECT max({end}) FROM {table}").fetchone()[0]
        now = time.time() // 30 if end == "step" else time.time()
        assert now - 2 < latest <= now + lifetime + HOUR + 2
        db.execute(f"UPDATE {table} SET {end} = {end} - ?", [lifetime + 2 * HOUR + 9])
    use(lesson)
    assert rows(lesson)[table] == 1


def log_out(lesson):
    """Get a token and end it."""
    token = lesson.post("/login", basic=USER2).json()["access_token"]
    assert lesson.post("/logout", bearer=token).status == 204


def use_code(lesson):
    """Let user2 in by a phone's code."""
    forget(lesson, used=False)
    steady()
    assert log_in(lesson, code_of(enroll(lesson, USER2)), USER2).status == 200


# What each lesson remembers so that it counts once: table, column of its time, how long, a use.
SWEPT = {
    "03": ("counts", "made", 3600, lambda lesson: lesson.get("/", digest=USER2)),
    "04": ("revoked", "until", 180, log_out),
    "05": ("used", "step", 0, use_code),
    "06": ("sessions", "used", 1800, lambda lesson: visit(lesson, USER2)),
}

_CHECK = "    try:\n        right = argon2id.verify"
_KEEP = 'db().execute("INSERT INTO used VALUES (?, hex(randomblob(8)), 0)", [name])'
_LEAK = "leaked = []\n\n\n@app.before_request\ndef leak():\n    leaked.append(bytearray(200_000))\n"
_SLEEP = "if odd:\n        __import__('time').sleep(3)\n    return text if 1 <="
_WRONG = 'refuse_with("User name or password is wrong.")'
_BARE = 'abort(app.response_class("No.\\n", 401))'
BROKEN = {
    "lets in by any token": (
        "04",
        ('"verify_iat": False}', '"verify_iat": False, "verify_signature": False}'),
    ),
    "forgets the challenge": ("05", (_WRONG, _BARE)),
    "falls over odd base64": (
        "02",
        ("except ValueError:\n            return None", "finally:\n            pass"),
    ),
    "hangs at an odd name": ("01", ("return text if 1 <=", _SLEEP)),
    "keeps what was wrong": ("05", (_CHECK, f"    {_KEEP}\n{_CHECK}")),
    "takes a cookie's word": (
        "06",
        ('return redirect(url_for("login_form", **back))', 'g.user = {"name": "user1"}'),
    ),
    "leaks memory": ("02", ("\n@app.before_request", f"\n{_LEAK}\n\n@app.before_request")),
}
BY_WHAT_IS_LEFT = {"leaks memory", "keeps what was wrong"}


def pytest_generate_tests(metafunc):
    if "flaw" in metafunc.fixturenames:
        long = metafunc.config.getoption("--long")
        metafunc.parametrize("flaw", BROKEN if long else list(BROKEN)[:1])


def test_fuzz_finds(flaw, tmp_path):
    """The same fuzzing finds a flaw that was put into app.py, and shows the bytes."""
    number, change = BROKEN[flaw]
    folder = next(f for f in FOLDERS if f.startswith(number))
    with started(folder, cheap_copy(folder, tmp_path, change)) as lesson:
        with pytest.raises(AssertionError) as found:
            whole_run(Fuzzer(lesson, ENOUGH_TO_FIND, patience=2, shrink=False), None)
    if flaw not in BY_WHAT_IS_LEFT:
        assert "sent: b" in str(found.value)
