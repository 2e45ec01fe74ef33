"""Lesson 03: HTTP Digest (RFC 7616).

One class is one step, in the order in which you build it; what each step says to the learner stands
in lessons/03_digest/steps.toml.
"""

import base64
import contextlib
import hashlib
import re
import socket
import sqlite3
import subprocess
import time
from pathlib import Path
from urllib.parse import quote

import pytest
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.http import quote_header_value

from learn import Lesson, LessonError, digest_answer
from learn.explain.grammar import pieces
from learn.practice.expect import (
    Unexpected,
    expect,
    expect_same_time,
    expect_that,
    meanwhile,
    steady,
)
from learn.running.client import TIMEOUT

USER1, USER2 = ("user1", "pass1"), ("user2", "pass2")
HASHES = {"SHA-256": hashlib.sha256, "MD5": hashlib.md5}
COPIED = 40  # so many headers are copied in a race between two workers

# Runs a file as a script until it is about to listen; prints where, and whether with debug=True.
LISTENS = """
import os, runpy, sys

def tell(event, arguments):
    if event == "socket.bind" and isinstance(arguments[1], tuple):
        app = getattr(sys.modules["__main__"], "app", None)
        print("listens", *arguments[1][:2], bool(getattr(app, "debug", False)), flush=True)
        os._exit(0)

sys.addaudithook(tell)
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def H(algorithm, *parts):
    return HASHES[algorithm](":".join(parts).encode()).hexdigest()


def challenges_of(asked):
    """Return the challenges of an answer, each in a header of its own or all in one (RFC 9110)."""
    found = []
    for value in asked.headers("WWW-Authenticate"):
        for piece in pieces(value):
            if not found or re.match(r"[\w-]+ +[\w-]+ *=", piece):
                found.append([])
            found[-1].append(piece)
    parsed = (WWWAuthenticate.from_header(", ".join(one)) for one in found)
    return [one for one in parsed if one is not None]


def challenge_of(app, algorithm="SHA-256", target="/"):
    """Ask without credentials and return the challenge of an algorithm, or the first one."""
    asked = app.get(target)
    for found in challenges_of(asked):
        if algorithm in (None, found.get("algorithm")):
            return found
    wanted = f"a challenge with algorithm={algorithm}" if algorithm else "a challenge"
    header = asked.header("WWW-Authenticate") or "no WWW-Authenticate"
    raise Unexpected(wanted, header, asked, "WWW-Authenticate")


def answer(
    app, target="/", algorithm="SHA-256", user="user1", password="pass1", sent_to=None, **changes
):
    """Get a challenge, answer it, and return the exchange."""
    challenge = challenge_of(app, algorithm, target)
    header = digest_answer(challenge, user, password, target, **changes)
    return app.get(sent_to or target, authorization=header)


def meant(challenge, without=(), password="pass1", ha1=None, **said):
    """Return an answer whose response is right for all that it says, even for what it mustn't say.

    said: parameters; without: names of those that are hashed as said, and then left out.
    """
    algorithm = challenge.get("algorithm") or "MD5"
    values = {
        "username": "user1",
        "realm": challenge.realm,
        "nonce": challenge.nonce,
        "uri": "/",
        "algorithm": algorithm,
        "opaque": challenge.opaque,
        "qop": "auth",
        "nc": "00000001",
        "cnonce": "0a4f113b",
        **said,
    }
    username, realm, nonce, uri = [values[n] for n in ("username", "realm", "nonce", "uri")]
    ha1 = H(algorithm, username, realm, password) if ha1 is None else ha1
    middle = [values[name] for name in ("nc", "cnonce", "qop")]
    values.setdefault("response", H(algorithm, ha1, nonce, *middle, H(algorithm, "GET", uri)))
    return "Digest " + ", ".join(
        f"{n}={v if n in ('algorithm', 'qop', 'nc') else quote_header_value(v, allow_token=False)}"
        for n, v in values.items()
        if n not in without
    )


def sent_together(apps, headers, busy=0.0):
    """Send each header to each of the apps; return the statuses, a list for each header.

    All connections are open, and all bytes but the last are sent, before the first may go on. busy:
    for how many seconds somebody else then writes to the database, so that all who look before they
    write have looked when the first of them can write.
    """
    first = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nAuthorization: "
    with contextlib.ExitStack() as stack:
        rows = []
        for header in headers:
            ports = [("127.0.0.1", app.port) for app in apps]
            row = [socket.create_connection(port, timeout=TIMEOUT) for port in ports]
            for connection in row:
                stack.enter_context(connection)
                connection.sendall(f"{first}{header}\r\n\r".encode())
            rows.append(row)
        with written_to(apps[0]) if busy else contextlib.nullcontext():
            for row in rows:
                for connection in row:
                    connection.sendall(b"\n")
            time.sleep(busy)
        return [[_status(connection) for connection in row] for row in rows]


@contextlib.contextmanager
def written_to(app):
    """Begin to write to the database, if it is one of SQLite, and take it back at the end."""
    path = Path(app.settings["DATABASE"])
    with contextlib.ExitStack() as stack:
        if path.is_file() and path.read_bytes()[:6] == b"SQLite":
            db = stack.enter_context(contextlib.closing(sqlite3.connect(path, timeout=TIMEOUT)))
            with contextlib.suppress(sqlite3.OperationalError):  # somebody does so already
                db.execute("BEGIN IMMEDIATE")
        yield


def counted(statuses):
    """Return how often each status came, in words."""
    return ", ".join(f"{statuses.count(one)} with {one}" for one in sorted(set(statuses)))


def _status(connection):
    with contextlib.suppress(OSError):
        found = re.match(rb"HTTP/1.. (\d{3})", connection.makefile("rb").readline())
        return int(found[1]) if found else 0
    return 0


@pytest.fixture(scope="module")
def old(on):
    """Let a nonce that lives for one second grow old while other checks run.

    Returns a function that waits until it is old and returns the lesson, the challenge, the answers
    to one header (the first, and one now and then until then), and those to new ones after that.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "XXX-5")  # the clock on the wall is five hours ahead of UTC
        lesson = Lesson("03", on, wait=False, NONCE_LIFETIME=1)
    with meanwhile(grow_old, lesson) as grown, lesson:
        yield grown


def grow_old(app):
    """Use a nonce, once more its first count, and other nonces, until its second is over."""
    counts = iter(range(2, 1000))
    app.wait()
    for _ in range(5):  # a machine may be busy for a second
        challenge = challenge_of(app)
        begin = time.time()
        header = digest_answer(challenge, *USER1)
        answers = [app.get("/", authorization=header)]
        if answers[0].status == 200:
            break
    while time.time() < int(begin) + 2.1:  # two seconds on, if whole ones are counted
        time.sleep(0.25)
        more = digest_answer(challenge, *USER1, nc=next(counts))
        app.get("/", authorization=more)  # prolongs nothing
        answer(app)
        answers.append(app.get("/", authorization=header))
    late = []
    for algorithm in HASHES:
        challenge["algorithm"] = algorithm
        header = digest_answer(challenge, *USER1, nc=next(counts))
        late.append(app.get("/", authorization=header))
    return app, challenge, answers, late


def is_stale(answer):
    """Tell whether an answer says stale=true, which counts in any case (RFC 7616 3.3)."""
    return answer.challenge().get("stale", "").lower() == "true"


def runs(lesson):
    """Wait until a lesson has started, and tell whether it did."""
    with contextlib.suppress(LessonError):
        return lesson.wait() is lesson
    return False


def expect_hello(answer, name):
    """The page is there, and it greets this user, in plain text or in whatever a page has."""
    expect(answer, 200)
    hello = f"Hello, {name}!"
    said = answer.text.strip()
    came = f"the text {said[:80]!r}"
    expect_that(hello in said, f"the text {hello!r}", came, answer, "body")
    return answer


def expect_untold(app):
    """What opens the door is neither in the files beside the database nor in the log."""
    challenge = challenge_of(app)
    app.get(f"/?{challenge.nonce[:12]}")
    app.printed(re.escape(challenge.nonce[:12]), seconds=0.3)  # what was logged before is there
    kept = [p for p in Path(app.settings["DATABASE"]).parent.iterdir() if p.is_file()]
    kept = b"".join(path.read_bytes() for path in kept)
    kept = kept.replace(b"password=pass1", b"")  # which a check put into an address
    for name, password in (USER1, USER2):
        plain = password.encode()
        words = [plain, base64.b64encode(plain)]
        words += [hashlib.new(kind, plain).hexdigest().encode() for kind in ("sha256", "md5")]
        expect_that(
            not any(word in kept for word in words),
            "HA1 in the database, and of the password itself no trace",
            f"the password of {name}, or a plain hash of it",
        )
        log = app.log.replace("password=pass1", "")  # as above
        secrets = {f"the password of {name}": password, "FLASK_SECRET_KEY": app.key}
        for algorithm in HASHES:
            secrets[f"the HA1 of {name}"] = H(algorithm, name, challenge.realm, password)
            told = next((what for what, secret in secrets.items() if secret in log), "")
            expect_that(not told, "a log without what opens the door", f"{told} in the log")
    sent = "".join(str(one.request_headers) for one in app.exchanges)
    sent = re.findall(r'response="([0-9a-f]{32,})"', sent)
    said = re.search(r"response\W{1,6}[0-9a-f]{32}", app.log) or any(one in app.log for one in sent)
    expect_that(not said, "a log without the answers of clients", "a response in the log")


class TestItWorks:
    def test_it_works_challenge(self, app):
        """Without credentials comes 401 with a Digest challenge: realm, nonce, opaque, qop."""
        every = {"realm": ..., "nonce": ..., "opaque": ..., "qop": "auth"}
        for target in ("/", "/account"):
            expect(app.get(target), 401, challenge="digest", **every)
            expect(app.send("HEAD", target), 401, challenge="digest", **every)

    def test_it_works_browser(self, app):
        """A client that keeps cookies, as a browser does, gets in; each user is greeted by name."""
        for target, pair in [("/", USER1), ("/account", USER2), ("/account", USER1)]:
            expect_hello(app.get(target, digest=pair, cookies=True), pair[0])

    def test_it_works_wrong_password(self, app):
        """A wrong password and an unknown user are refused alike, with a new challenge."""
        asked = []
        for pair in [("user1", "wrong"), ("nobody", "pass1")]:
            refused = app.get("/", digest=pair, cookies=True)
            asked.append(expect(refused, 401, challenge="digest"))
        same = steady(asked[0]) == steady(asked[1])
        wrong, unknown = (repr(each.text.strip()[:80]) for each in asked)
        expect_that(same, f"for both the text {wrong}", unknown, refused, "body")

    def test_it_works_fresh_nonces(self, app):
        """Every challenge has a nonce of its own."""
        nonces = [app.get("/").challenge().nonce for _ in range(5)]
        expect_that(
            len(set(nonces)) == 5,
            "five different nonces in five challenges",
            f"{len(set(nonces))}",
            app.exchanges[-1],
            "WWW-Authenticate",
        )

    def test_it_works_no_other_door(self, app):
        """No other method, address, scheme or parameter leads in, nor a header with a name."""
        named = "?username=user1&user=user1&name=user1&password=pass1&admin=1"
        users = dict.fromkeys(["Remote-User", "X-Remote-User", "X-Forwarded-User"], "user1")
        tried = [app.get(f"/{named}", headers=users), app.get("/", basic=USER1)]
        tried += [app.get(target) for target in ("/account/", "//account", "/ACCOUNT", "/index")]
        form = dict(username="user1", password="pass1")
        tried += [app.post(target, form=form) for target in ("/", "/account")]
        tried += [app.send(method, "/account") for method in ("PUT", "OPTIONS")]
        for one in tried:
            came = f"status {one.status} and {one.text.strip()[:80]!r}"
            closed = one.status != 200 or one.method == "OPTIONS"
            closed = closed and "Hello, user1" not in one.text
            expect_that(closed, "no greeting without an answer to a challenge", came, one, "body")

    def test_it_works_as_a_script(self, app):
        """Run as a script, the file serves 127.0.0.1:5003, where nobody else is, without debug."""
        try:
            done = app.run("-c", LISTENS, str(app.path))
        except subprocess.TimeoutExpired:
            raise Unexpected("a script that serves", "one that runs and does not serve") from None
        found = re.search(r"^listens (\S+) (\d+) (\w+)$", done.stdout, re.M)
        if found:  # a file with nothing for this case is fine: `flask run` serves it
            host, port, debug = found.groups()
            came = f"{host}:{port}" + (" with debug=True" if debug == "True" else "")
            holds = host in ("127.0.0.1", "localhost") and port == "5003" and debug == "False"
            expect_that(holds, "127.0.0.1:5003, and no debug=True", came)
        said = (done.stderr.strip() or "nothing").splitlines()[-1]
        expect_that(done.returncode == 0, "a script that runs", f"one that ended with: {said}")


class TestNoCookies:
    def test_no_cookie_needed(self, app):
        """A client without cookies gets in, as `curl --digest` is one."""
        expect_hello(app.get("/", digest=USER1), "user1")
        expect_hello(app.get("/account", digest=USER2), "user2")
        expect(app.get("/", digest=("user1", "wrong")), 401, challenge="digest")
        expect(app.get("/", digest=("nobody", "pass1")), 401, challenge="digest")

    def test_no_cookie_lets_in(self, app):
        """Who was let in brings an answer next time as well: no cookie or address stands for it."""
        good = expect_hello(app.get("/", digest=USER1), "user1")
        cookies = [v.partition(";")[0] for one in good.all for v in one.headers("Set-Cookie")]
        for headers in ({}, {"Cookie": "; ".join(cookies)} if cookies else {}):
            expect(app.get("/", headers=headers), 401, challenge="digest")

    def test_scheme_in_any_case(self, app):
        """The scheme's name counts in any case (RFC 9110 11.1)."""
        for scheme in ("digest", "DIGEST"):
            header = digest_answer(challenge_of(app, None), *USER1)
            header = scheme + header.removeprefix("Digest")
            expect(app.get("/", authorization=header), 200)


class TestAlgorithms:
    def test_two_challenges_sha256_first(self, app):
        """The server offers SHA-256 first and MD5 second (RFC 7616 3.7), each with all it takes."""
        asked = expect(app.get("/"), 401, challenge="digest")
        found = challenges_of(asked)
        named = [one.get("algorithm") or "no algorithm" for one in found]
        whole = all(
            one.type == "digest" and one.get("qop") == "auth" and one.get("opaque")
            and one.get("nonce") and one.get("realm") == found[0].get("realm")
            for one in found
        )  # fmt: skip
        expect_that(
            named == ["SHA-256", "MD5"] and whole,
            "two challenges, algorithm=SHA-256 and then MD5, each with realm, nonce, opaque and"
            ' qop="auth"',
            f"{len(found)}: {', '.join(named)}",
            asked,
            "WWW-Authenticate",
        )
        said = ", ".join(asked.headers("WWW-Authenticate"))
        said = re.sub(r'"(?:[^"\\]|\\.)*"', '""', said)  # what is in quotes may look like anything
        odd = re.search(r'algorithm\s*=\s*"|\b(realm|nonce|opaque|qop)\s*=\s*[^"\s]', said)
        expect_that(
            not odd,
            "algorithm without quotes; realm, nonce, opaque and qop in quotes (RFC 7616 3.3)",
            f"{odd and odd[0]}…",
            asked,
            "WWW-Authenticate",
        )

    @pytest.mark.parametrize("algorithm", ["SHA-256", "MD5"])
    def test_both_algorithms_get_in(self, app, algorithm):
        """A client of either kind gets in."""
        expect_hello(answer(app, algorithm=algorithm), "user1")
        wrong = answer(app, algorithm=algorithm, password="wrong")
        expect(wrong, 401, challenge="digest")

    @pytest.mark.parametrize("algorithm", ["SHA-256", "MD5"])
    def test_every_letter_counts(self, app, algorithm):
        """A response that is nearly right, or right in its beginning, is wrong."""
        challenge = challenge_of(app, algorithm)
        right = re.search(r'response="(\w+)"', meant(challenge))[1]
        expect(answer(app, algorithm=algorithm), 200)
        near = [right[:at] + ("0" if right[at] != "0" else "1") + right[at + 1 :]
                for at in (0, 7, 8, 16, len(right) - 1)]  # fmt: skip
        near += ["", right[0], right[:8], right[:-1], right[-8:], right + "0", f"0{right}", "%"]
        for response in near:
            header = meant(challenge, response=response)
            expect(app.get("/", authorization=header), 401, challenge="digest")
        right = meant(challenge, nc="00000002")  # a count that nobody tried yet
        expect(app.get("/", authorization=right), 200)

    def test_algorithm_is_the_one_that_is_named(self, app):
        """A response counts in the algorithm that the answer names, and in no other."""
        expect(answer(app), 200)
        for algorithm, other in [("SHA-256", "MD5"), ("MD5", "SHA-256")]:
            expect(answer(app, algorithm=algorithm), 200)
            header = digest_answer(challenge_of(app, algorithm), *USER1, algorithm=other)
            expect(app.get("/", authorization=header), 401)

    def test_no_algorithm_means_md5(self, app):
        """An answer that names no algorithm was computed with MD5 (RFC 7616 3.3)."""
        header = digest_answer(challenge_of(app, "MD5"), *USER1, algorithm=None)
        expect(app.get("/", authorization=header), 200)
        header = digest_answer(challenge_of(app, "SHA-256"), *USER1, algorithm=None)
        expect(app.get("/", authorization=header), 401)

    def test_passwords_and_keys_are_not_told(self, app):
        """Of a password HA1 is kept, nothing else, and the log has neither HA1 nor an answer."""
        expect(answer(app), 200)
        expect(answer(app, "/account", "MD5", *USER2), 200)
        expect(answer(app, user="nobody"), 401)
        challenge = challenge_of(app)
        header = digest_answer(challenge, "user1", "wrong", cnonce="x")
        refused = expect(app.get("/", authorization=header), 401)
        right = digest_answer(challenge, *USER1, cnonce="x")
        right = re.search(r'response="(\w+)"', right)[1]
        expect_untold(app)
        told = f"{refused.response_headers}{refused.text}{app.log}"
        came = "it in the log, or in the refusal"
        expect_that(right not in told, "the right answer told to nobody", came, refused)


class TestReplay:
    def test_replay_is_refused(self, app):
        """The same nonce and count a second time is refused, with whatever else is new."""
        challenge = challenge_of(app)
        header = digest_answer(challenge, *USER1)
        expect(app.get("/", authorization=header), 200)
        expect(app.get("/", authorization=header), 401, challenge="digest")
        other = digest_answer(challenge, *USER1, "/account?again=1")
        expect(app.get("/account?again=1", authorization=other), 401, challenge="digest")
        other = digest_answer(challenge, *USER1, method="HEAD")
        expect(app.send("HEAD", "/", authorization=other), 401, challenge="digest")
        md5 = challenge_of(app, "MD5")
        md5["nonce"] = challenge.nonce
        for other in (digest_answer(challenge, *USER2), digest_answer(md5, *USER1)):
            expect(app.get("/", authorization=other), 401, challenge="digest")

    def test_of_many_at_once_one_gets_in(self, app):
        """The same header many times at once gets in once: looking and noting are one act."""
        for busy in (0, 0.2):
            header = digest_answer(challenge_of(app), *USER1)
            [answers] = sent_together([app] * 20, [header], busy)
            expect_that(
                sorted(answers) == [200] + [401] * 19,
                "of twenty copies of a header, sent at once, one answered with 200",
                counted(answers),
            )

    def test_counts_may_come_out_of_order(self, app):
        """Requests of one client may overtake each other; each count is good once."""
        challenge = challenge_of(app)
        for nc, status in [(3, 200), (1, 200), (2, 200), (1, 401), (3, 401), (0xFFFFFFFF, 200)]:
            header = digest_answer(challenge, *USER1, nc=nc)
            expect(app.get("/", authorization=header), status)
        later = [(nc, 200) for nc in range(4, 114)]
        for nc, status in [*later, (1, 401), (2, 401), (3, 401)]:
            header = digest_answer(challenge, *USER1, nc=nc)
            expect(app.get("/", authorization=header), status)

    @pytest.mark.usefixtures("old")  # for TestNonces: its time passes meanwhile
    def test_all_workers_know_what_was_used(self, app, start):
        """What one worker let in no other one lets in: not at once, not later, nor a new one."""
        challenge = challenge_of(app)
        headers = [digest_answer(challenge, *USER1, nc=nc) for nc in range(1, COPIED + 4)]
        first, second, third, *others = headers
        expect(app.get("/", authorization=first), 200)
        shared = {name: app.settings[name] for name in ("DATABASE", "SECRET_KEY")}
        other = start(**shared)
        expect(other.get("/", authorization=first), 401)
        for one, two, header in [(other, app, second), (app, other, third)]:
            expect(one.get("/", authorization=header), 200)
            expect(two.get("/", authorization=header), 401)
        while others:
            some, others = others[:4], others[4:]
            for answers in sent_together([app, other] * 2, some):
                expect_that(
                    sorted(answers) == [200] + [401] * 3,
                    "of four copies of a header, two to each of two workers, one answered with 200",
                    counted(answers),
                )
        for header in headers[:: len(headers) // 4]:
            for one in (app, other):
                expect(one.get("/", authorization=header), 401)
        nonces = [challenge_of(one).nonce for one in [app, other] * 3]
        expect_that(
            len(set(nonces)) == 6, "another nonce each time, from each worker", ", ".join(nonces)
        )


class TestAddress:
    def test_header_for_one_address_opens_no_other(self, app):
        """`uri` must be the address that is asked for, its query included."""
        expect(answer(app, "/account?a=1"), 200)
        challenge = challenge_of(app)
        for signed, asked in [
            ("/", "/account"),
            ("/account", "/"),
            ("/acc", "/account"),
            ("/account/", "/account"),
            ("//account", "/account"),
            ("/ACCOUNT", "/account"),
            ("/x/../account", "/account"),
            ("account", "/account"),
            ("/account", "/account?a=1"),
            ("/account?a=1", "/account"),
            ("/account?a=1", "/account?a=2"),
            ("/account?a=1", "/account?a=12"),
            ("/account?a=12", "/account?a=1"),
            ("/account?a=1&b=2", "/account?b=2&a=1"),
            ("/account?a=1&a=2", "/account?a=1"),
            ("/account?a=", "/account?a"),
            ("/account?a=1%26b=2", "/account?a=1&b=2"),
            ("/%2561ccount", "/account"),
            ("/account;a=1", "/account"),
            ("/account#a", "/account"),
            ("/account?a=1#a", "/account?a=1"),
            ("http://other.example/account", "/account"),
        ]:
            header = meant(challenge, uri=signed)
            expect(app.get(asked, authorization=header), 401, challenge="digest")
        expect(answer(app, "/account?q=%C3%A9%20+"), 200)
        expect_untold(app)

    def test_an_address_may_be_percent_encoded(self, app):
        """A client that writes the address with percent signs gets in; the request has them too."""
        for target in ("/acc%6Funt", "/acc%6funt?q=%2F", "/account?q=a%26b"):
            expect(answer(app, target), 200)

    def test_header_for_one_method_opens_no_other(self, app):
        """The response covers the method as well: an answer for GET is none for HEAD."""
        for method, status in [("HEAD", 200), ("GET", 401)]:
            header = digest_answer(challenge_of(app), *USER1, method=method)
            expect(app.send("HEAD", "/", authorization=header), status)
        header = digest_answer(challenge_of(app), *USER1, method="HEAD")
        expect(app.get("/", authorization=header), 401)
        named = {"X-HTTP-Method-Override": "HEAD", "X-HTTP-Method": "HEAD"}
        expect(app.get("/", authorization=header, headers=named), 401)

    def test_nobody_moves_the_address(self, app):
        """No header that a client may add moves the address, and no parameter changes the user."""
        target = "/account?username=user2&user=user2&name=user2"
        expect_hello(answer(app, target), "user1")
        header = digest_answer(challenge_of(app), *USER1, "/x/account")
        prefixes = dict.fromkeys(["X-Forwarded-Prefix", "X-Script-Name"], "/x")
        names = ["X-Original-URI", "X-Original-URL", "X-Rewrite-URL", "X-Forwarded-Uri"]
        for name, value in {**prefixes, **dict.fromkeys(names, "/x/account")}.items():
            moved = app.get("/account", authorization=header, headers={name: value})
            expect(moved, 401, challenge="digest")


class TestParameters:
    def test_qop_is_needed(self, app):
        """Without qop, or with another one than was offered, nobody gets in."""
        expect(answer(app), 200)
        expect(answer(app, qop=None), 401)
        for qop in ("auth-int", "foo", ""):
            expect(answer(app, qop=qop), 401)
            header = meant(challenge_of(app), qop=qop)
            expect(app.get("/", authorization=header), 401, challenge="digest")

    def test_other_realm_is_refused(self, app):
        """A response for another realm is refused, though it was computed with the password."""
        challenge = challenge_of(app)
        expect(app.get("/", authorization=digest_answer(challenge, *USER1)), 200)
        challenge["realm"] = "Somewhere else"
        expect(app.get("/", authorization=digest_answer(challenge, *USER1, nc=2)), 401)

    def test_malformed_headers_are_401(self, app):
        """Whatever is not a whole and right answer is refused with 401 and a challenge."""
        challenge = challenge_of(app)
        whole = meant(challenge)
        names = ["username", "realm", "nonce", "uri", "response", "opaque", "qop", "nc", "cnonce"]
        bad = [meant(challenge, [name]) for name in names]
        for value in ("", "\u00e9"):
            bad += [meant(challenge, **{name: value}) for name in names]
            bad += [meant(challenge, [name], **{name: value}) for name in names]
        bad += [
            meant(challenge, nc=nc)
            for nc in ("1", "0x000001", "-0000001", "+0000001", "000000001", "zzzzzzzz")
        ]
        bad += [meant(challenge, uri=uri) for uri in ("//[", "http://[", "http://[::1/", "/%zz%")]
        bad += [meant(challenge, algorithm=a) for a in ("SHA-512", "MD5-sess", "none", "")]
        bad += ["Digest", "Digest x", "Digest ,", 'Digest ="', "Digest " + "a=b," * 500]
        parameters = whole.removeprefix("Digest ")
        bad += [f"Basic {parameters}", f"Foo {parameters}", parameters]
        bad += ["Basic \u00e9", "Bearer \u00e9", "Digest \u00e9"]
        for header in bad:
            expect(app.get("/", authorization=header.encode()), 401, challenge="digest")
        right = meant(challenge, nc="00000002")  # a count that nobody tried yet
        expect(app.get("/", authorization=right), 200)

    def test_username_is_the_users_own(self, app):
        """A response counts under the user's own name, letter for letter, and under no other."""
        challenge = challenge_of(app)
        expect(app.get("/", authorization=meant(challenge)), 200)
        ha1 = H("SHA-256", "user1", challenge.realm, "pass1")
        names = ["user2", "USER1", "user1 ", " user1", "user_", "%", "user1%00", "user1'", "'"]
        names += ["' OR '1'='1", "' OR name='user1' -- ", "x' OR 1=1 LIMIT 1 -- ", "nobody"]
        for number, name in enumerate(names, 2):
            header = meant(challenge, username=name, ha1=ha1, nc=f"{number:08x}")
            expect(app.get("/", authorization=header), 401, challenge="digest")
        for number, nothing in enumerate(["", "None", "0" * 64], 100):  # for no HA1
            header = meant(challenge, username="nobody", ha1=nothing, nc=f"{number:08x}")
            expect(app.get("/", authorization=header), 401, challenge="digest")

    def test_unknown_user_takes_the_same_time(self, app):
        """A wrong password and an unknown user are refused in the same time."""
        challenge = challenge_of(app)
        expect(app.get("/", authorization=digest_answer(challenge, *USER1)), 200)
        wrong, unknown = (digest_answer(challenge, n, "wrong", nc=2) for n in ("user1", "nobody"))
        expect_same_time(
            app,
            lambda: expect(app.get("/", authorization=wrong), 401),
            lambda: expect(app.get("/", authorization=unknown), 401),
        )

    def test_a_cnonce_is_the_clients_own(self, app):
        """cnonce may be in hex or in Base64, as short or as long as curl's and RFC 7616's are."""
        for cnonce in ("x", "0a4f113b", "f2/wE4q74E6zIJEtWaHKaf5wv/H5QTzpXusqGemxURZJ", "YWJj+w=="):
            header = digest_answer(challenge_of(app), *USER1, cnonce=cnonce)
            expect(app.get("/", authorization=header), 200)


class TestNonces:
    def test_nonce_must_be_ours(self, app):
        """A nonce that the server did not make is refused, though the response is right."""
        challenge = challenge_of(app)
        real = challenge.nonce
        forgeries = ["0" * 32, "x" + real, "a.b.c", "", real + "x", real[::-1]]
        if re.search("[g-zG-Z]", real):  # else it may be in hex, which counts in any case
            forgeries.append(real.swapcase())
        for at, old in enumerate(real):
            if not re.match(r"[\w+/-]{2}", real[at:]):
                continue  # the last one before an end or a pad may hold bits that nobody reads
            new = str(9 - int(old)) if old.isdigit() else "g" if old.lower() != "g" else "A"
            forgeries.append(real[:at] + new + real[at + 1 :])
        for forged in forgeries:
            if forged != real:
                header = meant(challenge, nonce=forged)
                expect(app.get("/", authorization=header), 401)
        expect(app.get("/", authorization=meant(challenge)), 200)

    def test_key_is_of_this_place(self, app, start):
        """A nonce that was signed with another key is refused; nothing signs with a short key."""
        expect(answer(app), 200)
        short = start(wait=False, SECRET_KEY="x" * 31)
        one = start(wait=False, SECRET_KEY="")
        two = start(wait=False, SECRET_KEY="", DATABASE=one.settings["DATABASE"])
        other = start(wait=False, SECRET_KEY="")
        if runs(one):
            foreign = [app, one]
            challenge = challenge_of(one)
            header = digest_answer(challenge, *USER1)
            expect(two.wait().get("/", authorization=header), 200)
            other.wait()
        else:
            foreign, other = [app], start()
        for app in foreign:
            challenge = challenge_of(other)
            challenge["nonce"] = challenge_of(app).nonce
            header = digest_answer(challenge, *USER1)
            expect(other.get("/", authorization=header), 401)
        if runs(short):
            weak = start(SECRET_KEY="y" * 31, DATABASE=short.settings["DATABASE"])
            challenge = challenge_of(short)
            header = digest_answer(challenge, *USER1)
            came = weak.get("/", authorization=header)
            expect_that(came.status == 200, "no start with a FLASK_SECRET_KEY of 31 bytes", "one")

    def test_key_is_not_told(self, app):
        """The key is in no answer, nor in what a nonce or an opaque decodes to."""
        good = expect(answer(app), 200)
        for one in (app.get("/"), good):
            said = one.text + "".join(f"\n{name}: {value}" for name, value in one.response_headers)
            coded = re.findall(r"[A-Za-z0-9_+/-]{8,}", said)
            coded = [part.replace("-", "+").replace("_", "/") for part in coded]
            read = [base64.b64decode(part + "A" * (-len(part) % 4)) for part in coded]
            told = any(app.key.encode() in text for text in [said.encode(), *read])
            expect_that(not told, "an answer without FLASK_SECRET_KEY", "the key in it", one)

    def test_old_nonce_is_stale(self, old):
        """After its lifetime a nonce is answered with stale=true, so clients need not ask again."""
        app, challenge, answers, late = old()
        name = "WWW-Authenticate"
        first, *again = answers
        expect(first, 200)
        for one in again:
            expect(one, 401)  # a count is remembered as long as its nonce is good
        for one in late:
            expect(one, 401, challenge="digest")
            expect_that(is_stale(one), "stale=true", one.header(name), one, name)
            every = [found.get("stale", "").lower() == "true" for found in challenges_of(one)]
            came = f"{every.count(True)} of {len(every)}"
            expect_that(all(every), "stale=true in each challenge", came, one, name)
            quoted = 'stale="' in ", ".join(one.headers(name))
            expect_that(not quoted, "stale=true without quotes (RFC 7616 3.3)", "some", one, name)
        for pair in [("user1", "wrong"), ("nobody", "pass1"), None]:
            header = pair and digest_answer(challenge, *pair, nc=0xABC)
            wrong = app.get("/", authorization=header)
            expect(wrong, 401, challenge="digest")
            expect_that(
                not is_stale(wrong),
                "no stale=true for a wrong password: only who knows it may be asked again",
                wrong.header(name),
                wrong,
                name,
            )
        fresh = (answer(app) for _ in range(5))  # the machine may be busy
        expect(next((one for one in fresh if one.status == 200), app.exchanges[-1]), 200)

    def test_nonce_lives_for_five_minutes(self, start):
        """Where FLASK_NONCE_LIFETIME says nothing else, a nonce lives for 300 seconds."""

        def aged(app):
            challenge = challenge_of(app)
            headers = [digest_answer(challenge, *USER1, nc=nc) for nc in (1, 2)]
            app.set_clock(240)
            expect(app.get("/", authorization=headers[0]), 200)
            app.set_clock(360)
            return app.get("/", authorization=headers[1])

        late = aged(start(clock=True))
        if late.status == 200 and aged(start(clock=True, NONCE_LIFETIME=300)).status == 200:
            return  # its clock is another one than Python's, and can't be moved
        expect(late, 401, challenge="digest")


class TestProof:
    def test_server_proves_itself(self, app):
        """On success, rspauth shows that the server knew the secret as well (RFC 7616 3.5)."""
        for algorithm, nc, target in [
            ("SHA-256", 1, "/account?page=1"),
            ("SHA-256", 0xAB, "/"),
            ("MD5", 1, "/acc%6Funt?q=%2F"),
        ]:
            challenge = challenge_of(app, algorithm)
            header = digest_answer(challenge, *USER1, target, nc=nc, cnonce="abc")
            good = expect(app.get(target, authorization=header), 200)
            ha1 = H(algorithm, "user1", challenge.realm, "pass1")
            middle = [challenge.nonce, f"{nc:08x}", "abc", "auth"]
            proof = H(algorithm, ha1, *middle, H(algorithm, "", target))
            for part in (f'rspauth="{proof}"', "qop=", 'cnonce="abc"', f"nc={nc:08x}"):
                expect(good, headers={"Authentication-Info": part})

    def test_nothing_is_proven_to_a_stranger(self, app):
        """A wrong password gets no rspauth, which would be something to try passwords on."""
        expect(answer(app), 200, headers={"Authentication-Info": "rspauth="})
        for pair in [("user1", "wrong"), ("nobody", "pass1"), None]:
            asked = app.get("/", digest=pair)
            said = str(asked.response_headers)
            expect_that("rspauth" not in said, "no rspauth with a refusal", "one", asked)

    def test_next_nonce_is_good(self, app):
        """If Authentication-Info names a nextnonce, it is one that the server takes."""
        good = expect(answer(app), 200, headers={"Authentication-Info": "rspauth="})
        named = re.search(r'nextnonce="([^"]*)"', good.header("Authentication-Info"))
        if named:
            challenge = challenge_of(app)
            challenge["nonce"] = named[1]
            expect(app.get("/", authorization=digest_answer(challenge, *USER1)), 200)

    def test_cnonce_stays_within_its_quotes(self, app):
        """cnonce goes back in Authentication-Info: it must neither end its quotes nor the line."""
        expect(answer(app), 200, headers={"Authentication-Info": "cnonce="})
        for cnonce in ('a", rspauth="b', "a\\", "a\r\nX-Mine: b"):
            header = digest_answer(challenge_of(app), *USER1, cnonce=cnonce)
            encoded = f", cnonce*=UTF-8''{quote(cnonce, safe='')}"  # RFC 8187, for what is no text
            headers = [header.partition(", cnonce=")[0] + encoded]
            headers += [] if "\n" in cnonce else [header]
            for header in headers:
                sent = app.get("/", authorization=header)
                info = sent.header("Authentication-Info") or ""
                outside = re.sub(r'"(\\.|[^"\\])*"', "", info)
                expect_that(
                    sent.status < 500 and outside.count("rspauth") < 2 and '"' not in outside,
                    f"a refusal, or an Authentication-Info with the cnonce {cnonce!r} in quotes",
                    f"status {sent.status}, {info!r}",
                    sent,
                    "Authentication-Info",
                )


class TestOnlySha256:
    beyond = "beyond"

    def test_md5_is_neither_offered_nor_taken(self, start):
        """With FLASK_REFUSE_MD5=1 there is one challenge, SHA-256, and an MD5 answer is refused."""
        app = start(REFUSE_MD5=1)
        asked = expect(app.get("/"), 401, challenge="digest", algorithm="SHA-256")
        found = challenges_of(asked)
        expect_that(len(found) == 1, "one challenge", f"{len(found)}", asked, "WWW-Authenticate")
        expect(app.get("/", digest=USER1), 200)
        for named in ("MD5", None):
            challenge = challenge_of(app)
            challenge["algorithm"] = "MD5"
            header = digest_answer(challenge, *USER1, algorithm=named)
            expect(app.get("/", authorization=header), 401, challenge="digest")
