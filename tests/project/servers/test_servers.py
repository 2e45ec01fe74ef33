"""The lessons under other servers, in every way to start them, and asked by other clients."""

import copy
import os
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import httpx2
import pytest

from learn import Browser, Lesson, LessonError, Provider, digest_answer
from learn.layout import LESSONS
from learn.running.browser import forms_of
from learn.running.lesson import GIVEN

USER1 = ("user1", "pass1")
FOLDERS = sorted(p.name for p in LESSONS.iterdir() if (p / "app.py").is_file())
# What groundwork.py does, one text in all lessons, is tried in two always, elsewhere in the rest.
ALIKE = [
    pytest.param(f, marks=() if f in ("01_hashing", "06_sessions") else pytest.mark.rest)
    for f in FOLDERS
]
posix = pytest.mark.skipif(os.name == "nt", reason="gunicorn does not run on Windows")
needs_curl = pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")


def curl(*arguments):
    """Run curl; return status and body."""
    command = [
        "curl",
        "--silent",
        "--noproxy",
        "*",
        "--max-time",
        "15",
        "--write-out",
        "\n%{http_code}",
    ]
    done = subprocess.run([*command, *arguments], capture_output=True, text=True, check=True)
    body, _, status = done.stdout.rpartition("\n")
    return int(status), body.strip()


@posix
@pytest.mark.rest
def test_hashing_with_four_workers():
    """Who registers in one worker can log in in every worker, and after a restart."""
    with Lesson("01", workers=4) as app:
        new = {"username": "new", "password": "secret"}
        assert app.post("/register", form=new).status == 201
        for _ in range(2):
            with ThreadPoolExecutor(8) as pool:
                answers = list(pool.map(lambda _: app.post("/login", form=new).status, range(16)))
            assert answers == [200] * 16
            app.restart()


@posix
@pytest.mark.rest
def test_basic_with_four_workers():
    """A changed password counts in every worker at once, though the old one was remembered."""
    with Lesson("02", workers=4) as app:
        user2 = ("user2", "pass2")
        assert {app.get("/", basic=user2).status for _ in range(12)} == {200}
        assert app.post("/password", basic=user2, form={"password": "better"}).status == 204
        for _ in range(2):
            assert {app.get("/", basic=user2).status for _ in range(12)} == {401}
            assert {app.get("/", basic=("user2", "better")).status for _ in range(12)} == {200}
            app.restart()


@posix
def test_digest_with_four_workers():
    """Of many copies of one header sent at once, exactly one gets in."""
    with Lesson("03", workers=4) as app:
        for _ in range(3):
            header = digest_answer(app.get("/").challenge(), *USER1)
            with ThreadPoolExecutor(8) as pool:
                answers = list(
                    pool.map(lambda _: app.get("/", authorization=header).status, range(16))
                )  # noqa: B023
            assert sorted(answers) == [200] + [401] * 15
        app.restart()
        assert app.get("/", authorization=header).status == 401


@posix
@pytest.mark.rest
def test_jwt_with_four_workers():
    """A token of one worker is good in all, and after logout in none, not even after a restart."""
    with Lesson("04", workers=4) as app:
        token = app.post("/login", basic=USER1).json()["access_token"]
        assert {app.get("/secured", bearer=token).status for _ in range(24)} == {200}
        assert app.post("/logout", bearer=token).status == 204
        for _ in range(2):
            assert {app.get("/secured", bearer=token).status for _ in range(24)} == {401}
            app.restart()


@posix
@pytest.mark.rest
def test_sessions_with_four_workers():
    """A session of one worker is good in all; after logout a copy of its cookie is so in none."""
    with Lesson("06", workers=4) as app:
        browser, other = Browser(app), Browser(app)
        for one in (browser, other):
            assert one.submit("/login", username="user1", password="pass1").status == 303
        copy = browser.copy()
        assert {copy.get("/").status for _ in range(24)} == {200}
        assert browser.submit("/", to="/logout").status == 303
        for _ in range(2):
            assert {copy.get("/").status for _ in range(24)} == {302}
            assert {other.get("/").status for _ in range(24)} == {200}
            app.restart()


@posix
@pytest.mark.rest
def test_oidc_with_four_workers():
    """A login that one worker began ends in any, once; so does a session, for its provider too."""
    with Provider() as provider, Lesson("08", workers=4, ISSUER=provider.issuer) as app:
        for _ in range(2):
            browser = Browser(app)
            address = browser.get("/login").header("Location")
            targets = [path_of(provider.authorize(address)) for _ in range(8)]
            copies = [copy.deepcopy(browser.cookies) for _ in targets]
            with ThreadPoolExecutor(8) as pool:
                came = list(pool.map(lambda *pair: visit(app, *pair), targets, copies))
            assert sorted(status for status, _ in came) == [303] + [400] * 7
            browser.cookies = dict(came)[303]
            assert {browser.get("/").status for _ in range(16)} == {200}
            app.restart()
            assert {browser.get("/").status for _ in range(16)} == {200}
            form = {"logout_token": provider.logout_token()}
            assert app.post("/backchannel-logout", form=form).status == 200
            assert app.post("/backchannel-logout", form=form).status == 400  # it counts once
            assert {browser.get("/").status for _ in range(16)} == {302}
        assert not any(token in app.log for token in provider.tokens)


def visit(app, target, cookies):
    """Visit a page with these cookies; return the status, and the cookies from then on."""
    browser = Browser(app)
    browser.cookies = cookies
    return browser.get(target).status, browser.cookies


def test_oidc_and_its_own_provider():
    """Login, a no, a restart of the provider with its new key, and logout from either side."""
    with Lesson("08") as app:
        there = Browser(app.provider)
        one, two = log_in_there(app, there), log_in_there(app, there)
        assert "Hello, user1!" in one.get("/").text and "Hello, user1!" in two.get("/").text
        assert log_in_there(app, there, "no").get("/").status == 302
        app.provider.restart()
        three = log_in_there(app, there)
        assert {browser.get("/").status for browser in (one, two, three)} == {200}
        back = three.submit("/", to="/logout").header("Location")
        assert three.get("/").status == 302
        four = log_in_there(app, there)
        away = there.submit(path_of(back))  # yes, log out there as well
        assert path_of(away.header("Location")).startswith("/public")
        assert four.get("/").status == 302 and one.get("/").status == 200
        assert "Log in" in there.get(path_of(one.get("/login").header("Location"))).text
        form = {"redirect_uri": f"http://localhost:{app.port}/callback/x", "client_id": "lesson-08"}
        target = f"/authorize?{urlencode({**form, 'response_type': 'code', 'scope': 'openid'})}"
        assert there.get(target).status == 400  # an address that it does not know to the letter
        assert not {"Traceback", "eyJ"} & set(re.findall("Traceback|eyJ", app.log))


def log_in_there(app, there, decision="yes"):
    """Return a browser of the lesson's after a login at its provider, in another's window."""
    here = Browser(app)
    target = path_of(here.get("/login").header("Location"))
    page = there.get(target)
    if "password" in page.text:
        assert there.submit(target, username="user1", password="wrong").status == 403
        page = there.submit(target, username="user1", password="pass1")
    (form,) = forms_of(page)
    back = there.post(form.action, form={**form.fields, "decision": decision}).header("Location")
    assert here.get(path_of(back)).status == (303 if decision == "yes" else 400)
    return here


def path_of(address):
    """Return what a browser asks a server for that it visits at this address."""
    parts = urlsplit(address)
    return f"{parts.path}?{parts.query}"


@needs_curl
def test_curl_digest():
    """curl --digest gets in without a cookie jar, every time, and not with a wrong password."""
    with Lesson("03") as app:
        address = f"http://127.0.0.1:{app.port}/account?page=1&x=%C3%A9"
        for _ in range(3):
            assert curl("--digest", "--user", "user1:pass1", address) == (200, "Hello, user1!")
        assert curl("--digest", "--user", "user1:wrong", address)[0] == 401
        assert curl("--anyauth", "--user", "user2:pass2", address)[0] == 200


def test_bytes_that_are_no_text_are_no_password():
    """In a multipart form, bytes that are no UTF-8 would all look alike: they are refused."""
    with Lesson("01") as app:
        address = f"http://127.0.0.1:{app.port}/register"
        for password, status in [(b"\xff\xff", 400), ("\u00ff\u00ff".encode(), 201)]:
            parts = {"username": (None, b"odd"), "password": (None, password)}
            assert httpx2.post(address, files=parts).status_code == status


RAW = [
    b"", b" ", b"\t", b"Basic", b"Basic ", b"Basic  ", b"Basic :", b"Basic \xff\xfe", b"Basic =",
    b"Basic ====", b"Basic dXNlcjE6cGFzczE", b"Basic dXNlcjE6cGFzczE=x",
    b"Basic\tdXNlcjE6cGFzczE=", b"Basic:dXNlcjE6cGFzczE=",
    b"Basic dXNlcjE6cGFzczE= dXNlcjE6cGFzczE=", b"Basic " + b"A" * 7000, b"Basic OnBhc3Mx",
    b"Basic dXNlcjE6", b"Digest", b"Digest ", b"Digest =", b"Digest ,,,", b'Digest "',
    b"Digest \\", b"Digest username", b"Digest a=b", b'Digest username="user1"',
    b"Digest username*=UTF-8''user1", b"Digest username*=x'", b"Digest nc=1, nc=2",
    b"Digest " + b'x="\\', b"Digest response=\xe9", b"Digest " + b"a=1," * 1500, b"digest realm",
    b"Digest x x x", b"Bearer", b"Bearer ", b"Bearer x", b"Bearer a.b.c", b"Bearer ...",
    b"Bearer \xff", b"Bearer " + b"a." * 3000, b"Bearer a=b", b'Bearer token="x"',
    b"Bearer eyJhbGciOiJub25lIn0.e30.", b"Bearer bnVsbA.bnVsbA.bnVsbA",
    b"Bearer eyJhbGciOiJIUzI1NiIsImNyaXQiOlsieCJdfQ.e30.x", b"Bearer eyJhbGciOlsxXX0.e30.x",
    b"Bearer e30.e30.e30", b"Foo", b"Foo bar", b"=", b",", b'"', b"\xc3\xa9", b"Negotiate YII=",
    b"NTLM TlRM", b"Basic Basic Basic", b"B\xc3\xa4sic dXNlcjE6cGFzczE=",
    b"Basic-x dXNlcjE6cGFzczE=", b"null", b"undefined", b"Bearer null",
]  # fmt: skip
PROTECTED = {"02_basic": "/", "03_digest": "/", "04_jwt": "/secured", "05_otp": "/"}
# 02 and 05 read Basic alike; 03 has a parser of its own.
READERS = ["03_digest", "04_jwt", "05_otp", pytest.param("02_basic", marks=pytest.mark.rest)]


@pytest.mark.parametrize("workers", [0, pytest.param(2, marks=[posix, pytest.mark.long])])
@pytest.mark.parametrize("folder", READERS)
def test_malformed_authorization_is_401(folder, workers):
    """Every malformed Authorization header is answered with 4xx, and 401 with a challenge."""
    with Lesson(folder, workers=workers) as app:
        for raw in RAW:
            for extra in (b"", b"Authorization: " + raw + b"\r\n"):
                answer = raw_request(
                    app.port, PROTECTED[folder], b"Authorization: " + raw + b"\r\n" + extra
                )
                status = int(answer.split(b" ", 2)[1])
                assert 400 <= status < 500, (raw, answer)
                assert status != 401 or b"www-authenticate:" in answer.lower(), raw


def raw_request(port, target, headers):
    """Send these bytes as they are; return the answer's bytes."""
    with socket.create_connection(("127.0.0.1", port), timeout=15) as connection:
        connection.sendall(
            f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n".encode()
            + headers
            + b"\r\n"
        )
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
    return answer


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answers(address, process):
    for _ in range(400):
        try:
            return httpx2.get(address, timeout=5).status_code
        except httpx2.TransportError:
            assert process.poll() is None, process.stdout.read()
            time.sleep(0.05)
    raise AssertionError("no answer within 20 seconds")


WAYS = ["python", "flask", "flask in the folder"]


def ways_to_start():
    """Return each lesson with each way; the ordinary run takes one way for each lesson."""
    for number, folder in enumerate(FOLDERS):
        for way in WAYS:
            marks = () if way == WAYS[number % 3] else pytest.mark.long
            yield pytest.param(folder, way, marks=marks)


@pytest.mark.parametrize("folder, way", list(ways_to_start()))
def test_ways_to_start(folder, way, tmp_path):
    """A lesson starts with python and with flask, in its folder or from elsewhere, debugger off."""
    shutil.copytree(LESSONS / folder, tmp_path / folder, ignore=shutil.ignore_patterns("instance"))
    path, port, cwd = tmp_path / folder / "app.py", free_port(), tmp_path
    if way == "python":
        port = 5000 + int(folder[:2])
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                pytest.skip(f"port {port} is taken")
        command = [sys.executable, str(path)]
    elif way == "flask":
        command = [sys.executable, "-m", "flask", "--app", str(path), "run", "--port", str(port)]
    else:
        command, cwd = [sys.executable, "-m", "flask", "run", "--port", str(port)], path.parent
    environment = {k: v for k, v in os.environ.items() if not k.startswith("FLASK_")}
    process = subprocess.Popen(
        command,
        cwd=cwd,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert answers(f"http://127.0.0.1:{port}/", process) in (200, 302, 401, 404)
        assert (tmp_path / folder / "instance" / "lesson.db").exists()  # the lesson's own
    finally:
        process.terminate()
        log = process.communicate(timeout=10)[0]
    assert "Debug mode: off" in log


# Imports what an app.py imports first, so that eight processes run the file at the same moment.
AT_ONCE = """
import multiprocessing, os, runpy, sys, time, flask, flask_httpauth, jwt, pyotp, segno
import authlib.integrations.flask_client

sys.path[0] = sys.argv[2]
from passlib.hash import argon2

argon2.using(type="ID", memory_cost=64, rounds=1).hash("loads what the first hash loads")
fork = multiprocessing.get_context("fork")


def run(barrier, number):
    barrier.wait()
    time.sleep(0.0005 * number)
    runpy.run_path(sys.argv[1])


for number in range(40):
    os.environ["FLASK_DATABASE"] = os.path.join(sys.argv[2], f"{number}.db")
    barrier = fork.Barrier(8)
    started = [fork.Process(target=run, args=(barrier, n)) for n in range(8)]
    for process in started:
        process.start()
    for process in started:
        process.join()
    print(number, *(process.exitcode for process in started))
"""


@posix
@pytest.mark.rest
@pytest.mark.parametrize(
    "folder",
    [pytest.param(f, marks=pytest.mark.long if f[:2] in ("06", "07") else ()) for f in FOLDERS],
)
def test_many_start_at_once(folder, tmp_path):
    """Eight processes that start at once, with no database yet, all get to work."""
    given = [LESSONS / folder / name for name in ("app.py", *GIVEN)]
    for path in filter(Path.is_file, given):  # hashing cheaply, or they hardly meet
        text = path.read_text("utf-8")
        (tmp_path / path.name).write_text(
            text.replace("memory_cost=19456", "memory_cost=64"), "utf-8"
        )
    command = [sys.executable, "-c", AT_ONCE, str(tmp_path / "app.py"), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.stderr == ""
    assert done.stdout.split("\n")[:-1] == [f"{number}{' 0' * 8}" for number in range(40)]


@pytest.mark.parametrize("folder", ALIKE)
def test_bad_settings_get_a_sentence(folder, tmp_path, request):
    """A short key or a lifetime that is no number stops the start with a sentence, no traceback."""
    cases = [("SECRET_KEY", "too short"), ("PROXIES", "-1"), ("PROXIES", "one")]
    bad = ["soon", "-5", "0", "9" * 20]
    cases += [("NONCE_LIFETIME", value) for value in bad] if folder == "03_digest" else []
    cases += [("TOKEN_LIFETIME", value) for value in bad] if folder == "04_jwt" else []
    if folder == "06_sessions":
        cases += [(name, v) for name in ("IDLE_TIMEOUT", "ABSOLUTE_TIMEOUT") for v in bad]
        cases += [("SESSION_COOKIE_SECURE", value) for value in ("no", "1", "null")]
    if folder == "05_otp":
        cases += [(name, value) for name in ("PIN_LIFETIME", "LOCKOUT") for value in bad]
        cases += [("MAIL_SERVER", value) for value in ("here", "a b:25", ":25", "here:65536")]
    if folder == "08_oidc":
        names = ("LOGIN_LIFETIME", "IDLE_TIMEOUT", "ABSOLUTE_TIMEOUT")
        cases += [(name, value) for name in names for value in bad]
        insecure = ("localhost:5018", "http://other.example", "https://", "ftp://localhost")
        cases += [("ISSUER", value) for value in insecure]
        cases += [("SESSION_COOKIE_SECURE", "no")]
    if folder == "07_passkeys":
        names = ("CHALLENGE_LIFETIME", "IDLE_TIMEOUT", "ABSOLUTE_TIMEOUT")
        cases += [(name, value) for name in names for value in bad]
        origins = ["http://127.0.0.1:5007", "http://shop.example", "https://shop.example/"]
        origins += ["https://10.0.0.1", "https://Shop.example", "https://shop.example:443"]
        cases += [("ORIGIN", value) for value in origins] + [("SESSION_COOKIE_SECURE", "perhaps")]
    if not request.config.getoption("--long"):
        cases = list({name: (name, value) for name, value in cases}.values())  # one of each
    for name, value in cases:
        command = [sys.executable, str(LESSONS / folder / "app.py")]
        environment = {
            **os.environ,
            "FLASK_DATABASE": str(tmp_path / "x.db"),
            f"FLASK_{name}": value,
        }
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=20)
        assert done.returncode == 1 and f"FLASK_{name}" in done.stderr
        assert "Traceback" not in done.stderr and value not in done.stderr.replace("shorter", "")


def start_with(folder, database):
    """Start a lesson's app.py with a database, and return what became of it; it must not serve."""
    environment = {**os.environ, "FLASK_DATABASE": str(database)}
    command = [sys.executable, str(LESSONS / folder / "app.py")]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=20)


@pytest.mark.parametrize("folder", ALIKE)
def test_a_database_of_something_else_gets_a_sentence(folder, tmp_path):
    """Another lesson's database, another program's, a folder or garbage: a sentence, untouched."""
    other = FOLDERS[FOLDERS.index(folder) - 1]
    with Lesson(other, DATABASE=tmp_path / "other lesson.db"):
        pass
    with closing(sqlite3.connect(tmp_path / "other program.db")) as db:
        db.execute("CREATE TABLE users (id INTEGER)")
    (tmp_path / "garbage.db").write_bytes(b"no database" * 1000)
    (tmp_path / "folder.db").mkdir()
    for path in sorted(tmp_path.glob("*.db")):
        before = path.read_bytes() if path.is_file() else None
        done = start_with(folder, path)
        assert done.returncode == 1 and "FLASK_DATABASE" in done.stderr, (path.name, done.stderr)
        assert "Traceback" not in done.stderr and str(path) in done.stderr
        assert before is None or path.read_bytes() == before


@posix
@pytest.mark.parametrize("folder", ALIKE)
def test_nobody_else_reads_the_database(folder, tmp_path):
    """In a folder that everyone reads, the database and what lies beside it are the owner's."""
    tmp_path.chmod(0o755)
    with Lesson(folder, DATABASE=tmp_path / "lesson.db") as app:
        app.post("/login", form={"username": "user2", "password": "pass2"})
        app.get("/", digest=("user1", "pass1"))
        app.get("/", basic=("user1", "pass1"))
        if folder == "06_sessions":
            Browser(app).submit("/login", username="user1", password="pass1")
        modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    assert "lesson.db" in modes and set(modes.values()) == {0o600}, modes


@pytest.mark.parametrize("folder", ALIKE)
def test_a_large_body_is_refused_unread(folder, tmp_path, monkeypatch):
    """Hundreds of megabytes, plain, as a file or in pieces, are a 4xx, and lie on no disk."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    targets = {
        "01_hashing": "/login",
        "04_jwt": "/login",
        "05_otp": "/pin",
        "06_sessions": "/login",
        "07_passkeys": "/login",
    }
    target = targets.get(folder, "/users")
    head = f"POST {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n".encode()
    start = b'--b\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n'
    size = len(start) + (600 << 20)
    kinds = [
        b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d" % size,
        b"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: %d" % size,
        b"Content-Type: multipart/form-data; boundary=b\r\nTransfer-Encoding: chunked",
    ]
    with Lesson(folder) as app:
        for kind in kinds:
            with socket.create_connection(("127.0.0.1", app.port), timeout=15) as connection:
                connection.sendall(head + kind + b"\r\n\r\n")
                body = start + bytes(1 << 20)
                chunked = b"%x\r\n%s\r\n" % (len(body), body) if b"chunked" in kind else body
                with suppress(ConnectionError):
                    connection.sendall(chunked)
                with suppress(ConnectionError):
                    status = int(connection.recv(100).split(b" ")[1])
                    assert 400 <= status < 500, (kind, status)
            assert app.alive and list(tmp_path.glob("**/*")) == []


def test_groundwork_is_the_same_in_every_lesson():
    """groundwork.py is one text in all lessons; what differs between them is in store.py."""
    texts = {(LESSONS / folder / "groundwork.py").read_text("utf-8") for folder in FOLDERS}
    assert len(texts) == 1
    for folder in FOLDERS:
        own = (LESSONS / folder / "store.py").read_text("utf-8")
        assert "\nTABLES = " in own and "def add_demo_users(" in own, folder


@pytest.mark.parametrize("workers", [0, pytest.param(1, marks=[posix, pytest.mark.rest])])
def test_a_file_from_anywhere_finds_the_templates(tmp_path, workers):
    """A learner's file that lies elsewhere renders its lesson's templates, its own ones first."""
    text = (LESSONS / "06_sessions" / "app.py").read_text("utf-8")
    (tmp_path / "mine.py").write_text(text, "utf-8")
    with Lesson("06", tmp_path / "mine.py", workers=workers) as app:
        assert "<form" in app.get("/login").text
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "login.html").write_text("my own", "utf-8")
    with Lesson("06", tmp_path / "mine.py", workers=workers) as app:
        assert app.get("/login").text.strip() == "my own"


def test_a_file_from_anywhere_may_import_what_is_given(tmp_path):
    """A learner's file that lies elsewhere imports what its lesson gives, and not its app.py."""
    text = (LESSONS / "02_basic" / "app.py").read_text("utf-8")
    (tmp_path / "mine.py").write_text(text, "utf-8")
    with Lesson("02", tmp_path / "mine.py") as app:
        assert app.get("/", basic=USER1).status == 200
    (tmp_path / "mine.py").write_text("from app import app\n", "utf-8")
    with pytest.raises(LessonError, match="no module 'app'"):
        Lesson("02", tmp_path / "mine.py")


@pytest.mark.parametrize("workers", [0, pytest.param(2, marks=[posix, pytest.mark.rest])])
@pytest.mark.parametrize("folder", ALIKE)
def test_a_broken_body_is_refused(folder, workers):
    """Chunks that are none, of a form of either kind, are a 4xx and no error 500."""
    targets = {
        "01_hashing": "/login",
        "04_jwt": "/login",
        "05_otp": "/pin",
        "06_sessions": "/login",
        "07_passkeys": "/login",
    }
    target = targets.get(folder, "/account")
    kinds = ["application/x-www-form-urlencoded", "multipart/form-data; boundary=b"]
    with Lesson(folder, workers=workers) as app:
        for kind in kinds:
            for body in (b"zz\r\n", b"3\r\na=bxx", b"3\r\na=b\r\n0\r\nbad trailer\r\n\r\n"):
                head = f"POST {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                head += f"Content-Type: {kind}\r\nTransfer-Encoding: chunked\r\n\r\n"
                with socket.create_connection(("127.0.0.1", app.port), timeout=15) as connection:
                    connection.sendall(head.encode() + body)
                    connection.shutdown(socket.SHUT_WR)
                    answer = connection.recv(65536)
                assert 400 <= int(answer.split(b" ")[1]) < 500, (kind, body, answer)
        assert "Traceback" not in app.log


def test_a_prefix_that_is_no_path_is_refused():
    """A proxy may pass on a client's X-Forwarded-Prefix: redirects would lead to another host."""
    with Lesson("06", PROXIES=1) as app:
        for prefix in ("//a..b", "//[", "//evil.example", "https://[", "javascript:", "a", "?"):
            answer = app.get("/", headers={"X-Forwarded-Prefix": prefix})
            assert (answer.status, answer.header("Location")) == (400, None), prefix
        for prefix in ("", "/", "/demo", "/demo/", "/a/b", "/\\"):
            answer = app.get("/", headers={"X-Forwarded-Prefix": prefix})
            assert answer.status == 302, prefix
            assert re.match(r"/(?![/\\])", answer.header("Location")), prefix
    with Lesson("06") as app:  # no proxy is counted, so nothing is believed
        assert app.get("/", headers={"X-Forwarded-Prefix": "//a..b"}).status == 302


@pytest.mark.parametrize("folder", ALIKE)
def test_a_scheme_that_is_none_is_refused(folder):
    """A proxy may pass on a client's X-Forwarded-Proto as well; no address begins with that."""
    with Lesson(folder, PROXIES=1) as app:
        for path in ("/", "/public/", "//public", "/login", "/nowhere"):
            for proto in ("//[", "javascript", "[", "http://[", "%", "x:y"):
                status = app.get(path, headers={"X-Forwarded-Proto": proto}).status
                assert status == 400, (path, proto, status)
            for proto in ("http", "https", "HTTPS"):
                status = app.get(path, headers={"X-Forwarded-Proto": proto}).status
                assert status not in (400, 500), (path, proto, status)


@pytest.mark.parametrize(
    "name, value",
    [
        ("SECRET_KEY", "0"),
        ("SECRET_KEY", "[]"),
        ("MAX_CONTENT_LENGTH", "abc"),
        ("MAX_CONTENT_LENGTH", "null"),
    ],
)
def test_odd_settings_get_a_sentence(name, value, tmp_path):
    """What Flask reads as a number, a list or nothing is no key and no size."""
    environment = {**os.environ, "FLASK_DATABASE": str(tmp_path / "x.db"), f"FLASK_{name}": value}
    command = [sys.executable, str(LESSONS / "02_basic" / "app.py")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=20)
    assert done.returncode == 1 and f"FLASK_{name}" in done.stderr
    assert "Traceback" not in done.stderr
