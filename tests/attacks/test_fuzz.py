"""Thousands of requests that nobody thought of, to every lesson.

grammar.py says what is sent. Whatever it is: no error 500, no hang, nobody gets in without the
right secret, every 401 has its challenge, and neither memory nor database grow without bound. The
ordinary run sends the same few hundred in every run; `--long` sends ten thousand by a new seed,
which it prints, and LEARN_SEED repeats. The lessons run with a cheap hash, else it would be hashes
that count and not requests: nothing else about them is changed.
"""

import os
import secrets
import socket
import sqlite3

from contextlib import closing

import psutil
import pytest
from attack import USER1
from grammar import bytes_of, is_broken, plans
from hypothesis import HealthCheck, Phase, given, note, seed, settings
from on_otp import code_of, enroll, log_in, steady
from wire import NoAnswer, answers

from learn import Lesson, digest_answer
from learn.places import LESSONS

FOLDERS = sorted(p.name for p in LESSONS.glob("0*_*"))
ORDINARY, LONG = 250, 10_000
ENOUGH = 1.3  # times the memory of half-way: more is a leak
CHEAP = [("memory_cost=19456", "memory_cost=64"), ("rounds=2", "rounds=1")]


def cheap_copy(folder, tmp_path, *changes):
    """Return a copy of app.py with a cheap hash, and with other changes for a proof."""
    text = (LESSONS / folder / "app.py").read_text("utf-8")
    for old, new in [*(CHEAP if "memory_cost" in text else []), *changes]:
        assert text.count(old) == 1, f"{text.count(old)} times in app.py: {old}"
        text = text.replace(old, new)
    path = tmp_path / "app.py"
    path.write_text(text, "utf-8")
    return path


def started(folder, path):
    """Start a lesson for fuzzing."""
    more = {"NONCE_LIFETIME": 3600, "LOCKOUT": 1}
    return Lesson(
        folder,
        path,
        **{k: v for k, v in more.items() if k[0] == {"03": "N", "05": "L"}.get(folder[:2])},
    )


def own_of(lesson):
    """Return what a run has of its own: a challenge to answer, and the key."""
    own = {"key": lesson.settings["SECRET_KEY"].encode(), "challenge": NO_CHALLENGE}
    if lesson.folder.name.startswith("03"):
        challenge = lesson.get("/").challenge()
        own["challenge"] = {name: challenge.get(name) or "" for name in NO_CHALLENGE}
    return own


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
    # What is damaged as a whole may be no HTTP at all, and is then not answered in HTTP.
    assert found or is_broken(plan), "the connection was closed without an answer"
    assert b"\r\n\r\nHello, user" not in received or plan["right"], "nobody may get in by this"
    for answer in found:
        assert answer.status < 500 or answer.status in (501, 505), f"status {answer.status}"
        if answer.status == 401:
            assert answer.header(b"www-authenticate"), "401 without a challenge"
        signs = [n for n, _ in answer.headers if n.lower() == b"set-cookie"]
        assert not signs, "a header that no lesson sends"


class Fuzzer:
    """Send a lesson many requests; `counts` tells what came of them."""

    def __init__(self, lesson, examples, patience=10):
        self.lesson, self.examples, self.patience = lesson, examples, patience
        self.own = own_of(lesson)
        self.process = psutil.Process(lesson._box["process"].pid)
        self.counts, self.memory = {}, []

    def run(self, with_seed=None):
        """Send them all; AssertionError with the bytes that were sent if one is answered badly."""
        fixed = settings(
            max_examples=self.examples,
            derandomize=with_seed is None,
            database=None,
            deadline=None,
            phases=[Phase.generate, Phase.shrink],
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
        except AssertionError as error:
            said = self.lesson.own_lines() if b" 500 " in str(error).encode() else ""
            raise AssertionError(f"{error}; seed {with_seed}; sent: {data!r}\n{said}") from None
        status = received[9:12].decode("latin-1")
        self.counts[status] = self.counts.get(status, 0) + 1
        self.memory.append(self.process.memory_info().rss)

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
        before = rows(lesson)
        fuzzer = Fuzzer(lesson, LONG if long else ORDINARY)
        fuzzer.run(number)
        assert sum(fuzzer.counts.values()) >= fuzzer.examples * 0.9, fuzzer.counts
        assert len(fuzzer.counts) > 2, fuzzer.counts  # not all of them went the same way
        assert fuzzer.growth() < ENOUGH, fuzzer.memory[:: fuzzer.examples // 10]
        let_in = sum(n for status, n in fuzzer.counts.items() if status < "300")
        more = sum(rows(lesson).values()) - sum(before.values())
        assert more <= let_in  # who was refused left nothing behind
        assert lesson.alive and "Traceback" not in lesson.log
