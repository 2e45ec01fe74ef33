"""Four workers under a mixed load of right and wrong credentials, and what can go wrong meanwhile.

Each request knows which answer is right. The ordinary run sends a few hundred a lesson; `--long`
sends a hundred thousand in all, most of them where no slow hash is in the way.
"""

import base64
import contextlib
import http.client
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import jwt
import pyotp
import pytest

from learn import Browser, Lesson, digest_answer
from learn.layout import LESSONS
from learn.running.browser import forms_of

pytestmark = [
    pytest.mark.rest,  # it takes long
    pytest.mark.skipif(os.name == "nt", reason="gunicorn does not run on Windows"),
]
FOLDERS = sorted(p.name for p in LESSONS.iterdir() if (p / "app.py").is_file())


def lessons(*ordinary):
    """Return all lessons, those apart that only the long run takes."""
    long = pytest.mark.long
    return [pytest.param(f, marks=() if f in ordinary else long) for f in FOLDERS]


SHARE = {
    "01_hashing": 600,
    "02_basic": 24_000,
    "03_digest": 35_000,
    "04_jwt": 40_000,
    "05_otp": 400,
    "06_sessions": 24_000,
}
REFUSED = (302, 401, 403)  # to the login, or no further


def basic(name, password):
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


def ask(port, method, target, headers, body=None):
    """Send one request; return its status, or "lost" when no answer came."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(method, target, body, headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status
    except (OSError, http.client.HTTPException):
        return "lost"
    finally:
        connection.close()


def mixed(folder, app, count):
    """Yield (method, target, headers, body) with the right status, in a fixed order of their own.

    Where the same credentials may count once only, they come twice, with the status None and a key:
    of the two, exactly one must get in.
    """
    chance = random.Random(folder)
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    if folder == "01_hashing":
        pairs = [("user1", "pass1", 200), ("user2", "pass2", 200)]
        pairs += [("user1", "pass2", 403), ("user1", "Pass1", 403), ("nobody", "pass1", 403)]
        for _ in range(count):
            name, password, status = chance.choice(pairs)
            yield ("POST", "/login", form, f"username={name}&password={password}"), status, None
    elif folder == "02_basic":
        for _ in range(count):
            if chance.random() < 0.01:  # each costs a hash
                wrong = chance.choice([("user1", "pass2"), ("user2", "x"), ("nobody", "pass1")])
                yield ("GET", "/", basic(*wrong), None), 401, None
            else:
                number = chance.choice("12")
                target, status = chance.choice(
                    [("/", 200), ("/admin", 200 if number == "1" else 403)]
                )
                headers = basic(f"user{number}", f"pass{number}")
                yield ("GET", target, headers, None), status, None
    elif folder == "03_digest":
        for number in range(count // 4):
            if number % 500 == 0:
                challenge = app.get("/").challenge(chance.choice(["MD5", "SHA-256"]))
            name = chance.choice("12")
            right = digest_answer(challenge, f"user{name}", f"pass{name}", nc=number % 500 + 1)
            wrong = digest_answer(challenge, "user1", "pass2", nc=number % 500 + 1)
            moved = right.replace('uri="/"', 'uri="/account"')
            for header, status, key in [
                (right, None, number),
                (wrong, 401, None),
                (moved, 401, None),
                (right, None, number),
            ]:
                yield ("GET", "/", {"Authorization": header}, None), status, key
    elif folder == "04_jwt":
        good, gone = [
            [
                app.post("/login", basic=(f"user{n}", f"pass{n}")).json()["access_token"]
                for n in "1212"
            ]
            for _ in range(2)
        ]
        for token in gone:
            assert app.post("/logout", bearer=token).status == 204
        claims = jwt.decode(good[0], options={"verify_signature": False})
        forged = [token[:-6] + "AAAAAA" for token in good]
        forged.append(jwt.encode(claims, "x" * 32, "HS256"))
        forged.append(jwt.encode({**claims, "exp": claims["iat"] - 1}, app.key, "HS256"))
        for _ in range(count):
            tokens, status = chance.choice([(good, 200), (gone, 401), (forged, 401)])
            headers = {"Authorization": f"Bearer {chance.choice(tokens)}"}
            yield ("GET", "/secured", headers, None), status, None
    elif folder == "06_sessions":
        cookies = [logged_in(app, f"user{n}")[1] for n in "12"]
        gone = logged_in(app, "user1")
        assert gone[0].submit("/", to="/logout").status == 303
        made_up = {"Cookie": f"{cookies[0]['Cookie'][:-6]}AAAAAA"}
        for _ in range(count):
            number = chance.choice([0, 1])
            yield chance.choice(
                [
                    (("GET", "/", cookies[number], None), 200, None),
                    (("GET", "/admin", cookies[number], None), 403 if number else 200, None),
                    (("GET", "/", gone[1], None), 302, None),
                    (("GET", "/", made_up, None), 302, None),
                ]
            )
    else:
        secrets = [
            pyotp.parse_uri(app.post("/enroll", basic=user).json()["otpauth_uri"])
            for user in (("user1", "pass1"), ("user2", "pass2"))
        ]
        for number in range(count // 4):
            user = basic("user1", "pass1")
            for headers in (user, basic("user1", "wrong"), basic("nobody", "pass1")):
                yield ("GET", "/", headers, None), 401, None
            if number == 0:
                code = {"OTP": secrets[0].now()}
                yield ("GET", "/", {**user, **code}, None), None, number
                yield ("GET", "/", {**user, **code}, None), None, number
            else:
                yield ("GET", "/public", user, None), 200, None


def logged_in(app, name):
    """Log a user in to lesson 06; return the browser and the header of its cookie."""
    browser = Browser(app)
    assert browser.submit("/login", username=name, password=f"pass{name[-1]}").status == 303
    return browser, {"Cookie": "; ".join(f"{n}={v}" for n, v in browser.cookies.items())}


def verdicts(app, requests, clients=4):
    """Send all requests from several clients at once; return how many went as they should.

    A Counter of "right", "lost" and, for any other, what was expected and what came.
    """
    count, twice = Counter(), {}
    with ThreadPoolExecutor(clients) as pool:
        sent = [
            (pool.submit(ask, app.port, *request), status, key) for request, status, key in requests
        ]
        for answer, status, key in sent:
            came = answer.result()
            if came == "lost":
                count["lost"] += 1
            elif status is None:
                twice.setdefault(key, []).append(came)
            else:
                count["right" if came == status else f"{status} expected, {came} came"] += 1
    for came in twice.values():
        alright = sorted(came) == [200, 401]
        count["right" if alright else f"200 and 401 expected, {came} came"] += len(came)
    return count


@pytest.mark.parametrize("folder", lessons("02_basic", "03_digest", "04_jwt"))
def test_mixed_load(folder, request):
    """Under a mixed load from four clients at once, not one verdict is wrong."""
    count = SHARE[folder] if request.config.getoption("--long") else 120
    begin = time.monotonic()
    with Lesson(folder, workers=4, NONCE_LIFETIME=3600, TOKEN_LIFETIME=3600) as app:
        requests = list(mixed(folder, app, count))
        result = verdicts(app, requests)
    assert result == Counter(right=len(requests)), result
    seconds = time.monotonic() - begin
    request.node.user_properties.append(("requests a second", round(len(requests) / seconds)))


def right_one(folder, app):
    """Return a request with right credentials that was not sent before."""
    if folder == "03_digest":
        header = digest_answer(app.get("/").challenge(), "user1", "pass1")
        return "GET", "/", {"Authorization": header}, None
    if folder == "04_jwt":
        token = app.post("/login", basic=("user1", "pass1")).json()["access_token"]
        return "GET", "/secured", {"Authorization": f"Bearer {token}"}, None
    if folder == "01_hashing":
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        return "POST", "/login", form, "username=user1&password=pass1"
    if folder == "02_basic":
        return "GET", "/", basic("user1", "pass1"), None
    if folder == "06_sessions":
        return "GET", "/", logged_in(app, "user1")[1], None
    return "POST", "/pin", basic("user1", "pass1"), None


def wrong_one(folder):
    """Return a request with wrong credentials."""
    if folder == "01_hashing":
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        return "POST", "/login", form, "username=user1&password=wrong"
    if folder == "06_sessions":
        return "GET", "/", {"Cookie": "lesson06=made-up"}, None
    target, method = ("/secured", "GET") if folder == "04_jwt" else ("/", "GET")
    return method, target, basic("user1", "wrong"), None


def expect_right_again(folder, app):
    """Right credentials get in and wrong ones don't."""
    assert ask(app.port, *right_one(folder, app)) in (200, 202)
    assert ask(app.port, *wrong_one(folder)) in REFUSED


@pytest.mark.parametrize("folder", lessons("03_digest"))
def test_killed_workers(folder):
    """Workers killed in the middle lose answers at worst; no verdict is wrong, then all is well."""
    with Lesson(folder, workers=4, NONCE_LIFETIME=3600) as app:
        requests = list(mixed(folder, app, 160))
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(verdicts, app, requests)
            for _ in range(6):
                time.sleep(0.1)
                for worker in workers(app)[:2]:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(worker, signal.SIGKILL)
            result = running.result()
        lost = result.pop("lost", 0)
        unfinished = {name for name in result if name.startswith("200 and 401")}
        # Of a pair, the answer that would have been 200 may be the lost one.
        assert all("[401]" in n or "[200]" in n or "[401, 401]" in n for n in unfinished), result
        assert set(result) - unfinished == {"right"}, result
        assert lost < len(requests)
        deadline = time.monotonic() + 20
        while len(workers(app)) < 4 and time.monotonic() < deadline:
            time.sleep(0.1)
        expect_right_again(folder, app)


def workers(app):
    """Return the process ids of gunicorn's workers."""
    main = app._running["process"].pid
    children = subprocess.run(["ps", "-o", "pid=", "--ppid", str(main)], capture_output=True)
    return [int(pid) for pid in children.stdout.split()]


HOLD = """
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("BEGIN " + sys.argv[2])
print("held", flush=True)
sys.stdin.read()
"""


@contextlib.contextmanager
def held(database, how):
    """Another process holds the database; how: IMMEDIATE, to write, or EXCLUSIVE."""
    command = [sys.executable, "-c", HOLD, database, how]
    holder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert holder.stdout.readline() == b"held\n"
        yield
    finally:
        holder.communicate(b"")


@pytest.mark.parametrize("file", ["app", pytest.param("beyond", marks=pytest.mark.long)])
@pytest.mark.parametrize("folder", lessons(*SHARE))
def test_start_while_another_process_writes(folder, file):
    """A worker that starts waits for nobody's write: or gunicorn would give up, and all with it."""
    with Lesson(folder, file) as app:
        database = app.settings["DATABASE"]
        with held(database, "IMMEDIATE"), Lesson(folder, file, DATABASE=database) as another:
            assert ask(another.port, *wrong_one(folder)) in REFUSED
        expect_right_again(folder, app)


def test_refresh_token_used_twice_at_once():
    """Of six uses at once one may win, and what it wins is worth nothing: somebody has a copy."""
    tested = 0
    with Lesson("04", "beyond") as app, ThreadPoolExecutor(6) as pool:
        for _ in range(12):
            first = app.post("/login", basic=("user1", "pass1")).json()["refresh_token"]
            form = {"refresh_token": first}
            uses = [pool.submit(app.post, "/refresh", form=form) for _ in range(6)]
            won = [use.result().json() for use in uses if use.result().status == 200]
            assert len(won) <= 1
            tested += len(won)
            for pair in won:
                assert app.get("/secured", bearer=pair["access_token"]).status == 401
                form = {"refresh_token": pair["refresh_token"]}
                assert app.post("/refresh", form=form).status == 400
    assert tested  # nearly always twelve


@pytest.mark.parametrize("folder", lessons("03_digest", "04_jwt"))
def test_database_locked_by_another_process(folder):
    """While another process holds the database, the answer is 503 and a sentence, never a yes.

    Lessons 04 and 06 only read, which their database allows meanwhile: they go on as ever.
    """
    with Lesson(folder, workers=1) as app:  # one that is ready, for sure
        prepared = right_one(folder, app)
        with held(app.settings["DATABASE"], "EXCLUSIVE"), ThreadPoolExecutor(2) as pool:
            asked = [pool.submit(ask, app.port, *one) for one in (prepared, wrong_one(folder))]
            came = [answer.result() for answer in asked]
        assert came[0] == (200 if folder in ("04_jwt", "06_sessions") else 503), came
        assert came[1] in (503, *REFUSED), came
        assert "Traceback" not in app.log
        expect_right_again(folder, app)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits a running process")
@pytest.mark.parametrize("folder", lessons("03_digest", "05_otp"))
def test_disk_full(folder):
    """When nothing can be written the answer is 503, never a yes that is forgotten at once."""
    import resource

    with Lesson(folder, workers=2) as app:
        change = {
            "01_hashing": {"target": "/register", "form": {"username": "new", "password": "new"}},
            "02_basic": {
                "target": "/password",
                "basic": ("user2", "pass2"),
                "form": {"password": "n"},
            },
            "04_jwt": {"target": "/logout"},
            "05_otp": {"target": "/pin", "basic": ("user2", "pass2")},
        }.get(folder)
        if folder == "04_jwt":
            login = app.post("/login", basic=("user2", "pass2"))
            change["bearer"] = login.json()["access_token"]
        if folder == "06_sessions":
            browser, cookie = logged_in(app, "user2")
            hidden = forms_of(browser.get("/"))[0].fields
            change = {"target": "/logout", "form": hidden, "headers": cookie}
        prepared = right_one(folder, app)
        full = (0, resource.RLIM_INFINITY)
        free = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
        for worker in workers(app):
            resource.prlimit(worker, resource.RLIMIT_FSIZE, full)
        if folder == "03_digest":
            assert ask(app.port, *prepared) == 503  # a count that can't be kept is no yes
        else:
            assert app.post(change.pop("target"), **change).status == 503
        assert ask(app.port, *wrong_one(folder)) in (503, *REFUSED)
        for worker in workers(app):
            resource.prlimit(worker, resource.RLIMIT_FSIZE, free)
        expect_right_again(folder, app)
        check = sqlite3.connect(app.settings["DATABASE"])
        assert check.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        check.close()


def test_clock_set_forth_and_back_digest(clock):
    """A nonce is stale when the clock is ahead, and one from the future opens nothing."""
    with clock.lesson("03") as app:
        now = app.get("/").challenge()
        clock.set(3000)
        late = app.get("/", authorization=digest_answer(now, "user1", "pass1"))
        assert (late.status, late.challenge().get("stale")) == (401, "true")
        ahead = app.get("/").challenge()
        assert app.get("/", authorization=digest_answer(ahead, "user1", "pass1")).status == 200
        clock.set(0)
        again = app.get("/", authorization=digest_answer(ahead, "user1", "pass1"))
        early = app.get("/", authorization=digest_answer(ahead, "user1", "pass1", nc=2))
        assert again.status == early.status == 401
        assert app.get("/", digest=("user1", "pass1")).status == 200


def test_clock_set_forth_and_back_jwt(clock):
    """A token ends when the clock is ahead, and one from the future opens nothing."""
    with clock.lesson("04") as app:
        user = {"basic": ("user1", "pass1")}
        token = app.post("/login", **user).json()["access_token"]
        gone = app.post("/login", **user).json()["access_token"]
        assert app.post("/logout", bearer=gone).status == 204
        clock.set(3000)
        assert app.get("/secured", bearer=token).status == 401
        ahead = app.post("/login", **user).json()["access_token"]
        assert app.get("/secured", bearer=ahead).status == 200
        assert (
            app.post("/logout", bearer=app.post("/login", **user).json()["access_token"]).status
            == 204
        )
        clock.set(0)
        assert app.get("/secured", bearer=ahead).status == 401
        assert app.get("/secured", bearer=token).status == 200
        assert app.get("/secured", bearer=gone).status == 401, "a revoked token works again"
        assert (
            app.get("/secured", bearer=app.post("/login", **user).json()["access_token"]).status
            == 200
        )


def test_clock_set_forth_and_back_basic(clock):
    """What is remembered of a pair is not bound to the clock on the wall."""
    with clock.lesson("02") as app:
        for seconds in (0, 100_000, -100_000, 0):
            clock.set(seconds)
            assert app.get("/", basic=("user1", "pass1")).status == 200
            assert app.get("/", basic=("user1", "pass2")).status == 401
