"""Lesson 06 in Chromium, as people use it: typing, clicking, going back, two windows, a stranger.

The stranger's pages are on a server of their own. As 127.0.0.1 it is another port of the lesson's
host: the same site, for which cookies are sent, and another origin. As localhost, another site.
"""

import http.server
import json
import os
import re
import socket
import ssl
import subprocess
import sys
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from html import escape
from ipaddress import ip_address
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from relay import Relay
from test_browser import browser  # noqa: F401 (a fixture)

from learn import Lesson
from learn.explain import explain_line
from learn.explain.note import all_wrong
from learn.layout import LESSONS

pytestmark = pytest.mark.rest  # a browser takes its time

SITE, PORT = "localhost", "127.0.0.1"


@pytest.fixture
def start():
    """Start lesson 06: start("naive", IDLE_TIMEOUT=1); returns its address, without a slash."""
    running = []

    def start(file="app", **settings):
        running.append(Lesson("06", file, **settings))
        return f"http://127.0.0.1:{running[-1].port}"

    yield start
    for one in running:
        one.stop()


class Stranger(http.server.BaseHTTPRequestHandler):
    """/form?to=…&name=value: a page with a button that sends a form; /link?to=…: with a link;
    /frame?to=…: with a frame; /set?a cookie: sets it."""

    def do_GET(self):
        parts = urlsplit(self.path)
        given = dict(parse_qsl(parts.query, keep_blank_values=True))
        to = escape(given.pop("to", ""))
        fields = [f'<input name="{escape(n)}" value="{escape(v)}">' for n, v in given.items()]
        form = "".join(fields) + "<button>Win</button>"
        body = {
            "/form": f'<form method="post" action="{to}">{form}</form>',
            "/link": f'<a href="{to}">Look</a>',
            "/frame": f'<iframe src="{to}"></iframe>',
        }.get(parts.path, "Nothing.")
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        if parts.path == "/set":
            self.send_header("Set-Cookie", dict(parse_qsl(parts.query))["cookie"])
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def stranger():
    """A server of somebody else's; what it returns makes an address of a page: (host, path, …)."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Stranger) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        port = server.server_port
        yield lambda host, path, **given: f"http://{host}:{port}{path}?{urlencode(given)}"
        server.shutdown()


def log_in(url, user="user1", window="user"):
    """Return the steps in which a user types name and password, and presses Enter."""
    password = user.replace("user", "pass")
    return [
        [window, "open", f"{url}/login"],
        [window, "type", "[name=username]", user],
        [window, "type", "[name=password]", password],
        [window, "enter"],
        [window, "text"],
    ]


def test_log_in_and_out(browser, start):  # noqa: F811
    """A page is asked for; the form comes, and leads there; a button logs out."""
    url = start()
    *_, status, page, address, _, text, out = browser.play(
        ["user", "open", f"{url}/sessions"],
        ["user", "address"],
        ["user", "type", "[name=username]", "user1"],
        ["user", "type", "[name=password]", "pass1"],
        ["user", "enter"],
        ["user", "text"],
        ["user", "address"],
        ["user", "open", f"{url}/"],
        ["user", "text"],
        ["user", "click", "text=Log out"],
    )
    assert status == 200 and address == f"{url}/sessions" and "(this one)" in page
    assert "Hello, user1!" in text and out == 200


@pytest.mark.long  # on a busy machine, Chromium now and then misses a key
def test_keyboard_alone(browser, start):  # noqa: F811
    """The cursor stands in the first field; Tab and Enter do the rest, the logout included."""
    url = start()
    *_, text, _, _, address = browser.play(
        ["user", "open", f"{url}/"],
        ["user", "keys", *"user2", "Tab", *"pass2"],
        ["user", "enter"],
        ["user", "text"],
        ["user", "keys", "Tab", "Tab"],  # past the link, to the button
        ["user", "enter"],
        ["user", "address"],
    )
    assert "Hello, user2!" in text and address == f"{url}/login"


def test_a_wrong_password(browser, start):  # noqa: F811
    """The form comes again, says why, and keeps the name; the password is typed in anew."""
    *_, status, text, name, _, _, again = browser.play(
        ["user", "open", f"{(url := start())}/login"],
        ["user", "type", "[name=username]", "user1"],
        ["user", "type", "[name=password]", "no"],
        ["user", "enter"],
        ["user", "text"],
        ["user", "run", "() => document.querySelector('[name=username]').value"],
        ["user", "type", "[name=password]", "pass1"],
        ["user", "enter"],
        ["user", "text"],
    )
    assert status == 403 and "is wrong" in text and name == "user1" and url
    assert "Hello, user1!" in again


@pytest.mark.parametrize(("file", "is_seen"), [("app", False), ("naive", True)])
def test_back_button(browser, start, file, is_seen):  # noqa: F811
    """After the logout the back button shows nothing of who was there; on naive.py it does."""
    url = start(file)
    *_, text, _, login, _, back, address = browser.play(
        *log_in(url),
        ["user", "click", "text=Log out"],
        ["user", "text"],
        ["user", "back"],
        ["user", "text"],
        ["user", "address"],
    )
    assert "Hello, user1!" in text and "Hello" not in login
    assert address == f"{url}/" if is_seen else address.startswith(f"{url}/login?next=")
    assert ("Hello, user1!" in back) is is_seen


def test_time_out(browser, start):  # noqa: F811
    """After two seconds without a request, the next click leads to the form, and back again."""
    url = start(IDLE_TIMEOUT=2)
    *_, text, _, status, address = browser.play(
        *log_in(url),
        ["user", "wait", 2.3],
        ["user", "click", "text=Sessions and password"],
        ["user", "address"],
    )
    assert "Hello, user1!" in text
    assert status == 200 and address.startswith(f"{url}/login?next=") and "sessions" in address


def test_two_users(browser, start):  # noqa: F811
    """Two people's browsers know nothing of each other; two windows of one are the same login."""
    url = start()
    *_, also, out, _, gone, _, still = browser.play(
        *log_in(url, "user1", "one"),
        *log_in(url, "user2", "two"),
        ["two again", "open", f"{url}/"],
        ["two again", "text"],
        ["two again", "click", "text=Log out"],
        ["two", "open", f"{url}/"],
        ["two", "address"],
        ["one", "open", f"{url}/"],
        ["one", "text"],
    )
    assert "Hello, user2!" in also and out == 200
    assert gone.startswith(f"{url}/login") and "Hello, user1!" in still


FORMS = {
    "/logout": {},
    "/login": {"username": "user2", "password": "pass2"},
    "/password": {"old": "pass1", "new": "mine"},
    "/sessions/end": {},
}


@pytest.mark.parametrize("path", FORMS)
@pytest.mark.parametrize("host", [SITE, PORT], ids=["another site", "another port"])
def test_a_form_of_a_stranger(browser, start, stranger, host, path):  # noqa: F811
    """Clicked on a stranger's page, no form does anything: user1 stays logged in, everywhere."""
    url = start()
    results = browser.play(
        *log_in(url, window="elsewhere"),
        *log_in(url),
        ["user", "open", stranger(host, "/form", to=url + path, **FORMS[path])],
        ["user", "click", "button"],
        ["user", "open", f"{url}/"],
        ["user", "text"],
        ["elsewhere", "open", f"{url}/"],
        ["elsewhere", "text"],
        *log_in(url, window="later"),
    )
    _, clicked, _, text, _, elsewhere = results[10:16]
    assert clicked in (400, 403)
    assert (
        "Hello, user1!" in text and "Hello, user1!" in elsewhere and "Hello, user1!" in results[-1]
    )


@pytest.mark.parametrize("host", [SITE, PORT], ids=["another site", "another port"])
def test_the_same_on_naive(browser, start, stranger, host):  # noqa: F811
    """On naive.py the same clicks log user1 out and in as user2, and change the password."""
    url = start("naive")
    results = browser.play(
        *log_in(url),
        ["user", "open", stranger(host, "/form", to=f"{url}/password", new="mine")],
        ["user", "click", "button"],
        ["user", "open", stranger(host, "/link", to=f"{url}/logout")],
        ["user", "click", "a"],
        ["user", "open", stranger(host, "/form", to=f"{url}/login", **FORMS["/login"])],
        ["user", "click", "button"],
        ["user", "text"],
        ["later", "open", f"{url}/login"],
        ["later", "type", "[name=username]", "user1"],
        ["later", "type", "[name=password]", "mine"],
        ["later", "enter"],
        ["later", "text"],
    )
    assert "Hello, user2!" in results[11] and "Hello, user1!" in results[-1]


def test_planted_cookie(browser, start, stranger):  # noqa: F811
    """A page on another port plants a cookie and knows its hidden field: Origin gives it away."""
    url = start()
    page = browser.play(
        ["thief", "open", f"{url}/login"],
        ["thief", "cookies"],
        ["thief", "run", "() => document.querySelector('[name=csrf]').value"],
    )
    (cookie,), csrf = page[1], page[2]
    planted = f"{cookie['name']}={cookie['value']}; Path=/"
    form = {"csrf": csrf, "username": "user2", "password": "pass2"}
    _, _, clicked, _, text = browser.play(
        ["user", "open", stranger(PORT, "/set", cookie=planted)],
        ["user", "open", stranger(PORT, "/form", to=f"{url}/login", **form)],
        ["user", "click", "button"],
        ["user", "open", f"{url}/"],
        ["user", "text"],
    )
    assert clicked == 403 and "Hello" not in text


def test_link_of_a_stranger(browser, start, stranger):  # noqa: F811
    """SameSite=Lax: who follows a link from another site is still logged in."""
    url = start()
    results = browser.play(
        *log_in(url),
        ["user", "open", stranger(SITE, "/link", to=f"{url}/")],
        ["user", "click", "a"],
        ["user", "text"],
    )
    assert "Hello, user1!" in results[-1]


@pytest.mark.parametrize(("file", "is_seen"), [("app", False), ("naive", True)])
def test_frame(browser, start, stranger, file, is_seen):  # noqa: F811
    """No page of another origin can show app.py's pages in a frame; naive.py's it can."""
    url = start(file)
    results = browser.play(
        *log_in(url),
        ["user", "open", stranger(PORT, "/frame", to=f"{url}/")],
        ["user", "frames"],
    )
    assert any("Hello, user1!" in text for text in results[-1]) is is_seen


def test_scripts_read_no_cookie(browser, start):  # noqa: F811
    """HttpOnly: the browser has the cookie, and a script of the page itself doesn't see it."""
    url = start()
    *_, cookies, seen = browser.play(
        *log_in(url),
        ["user", "cookies"],
        ["user", "run", "() => document.cookie"],
    )
    (one,) = cookies
    assert one["httpOnly"] and one["sameSite"] == "Lax" and one["expires"] == -1 and seen == ""


# --- https -----------------------------------------------------------------------------------


def certificate(folder):
    """Make a key and a certificate for this machine, for an hour; return their files."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    names = [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    files = folder / "key.pem", folder / "certificate.pem"
    form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    files[0].write_bytes(key.private_bytes(serialization.Encoding.PEM, *form))
    files[1].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    return files


@pytest.fixture
def https(tmp_path):
    """Lesson 06 behind TLS, which gunicorn ends; returns its address, without a slash."""
    key, made = certificate(tmp_path)
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    kept = {n: v for n, v in os.environ.items() if not n.startswith("FLASK_")}
    settings = {
        "FLASK_DATABASE": str(tmp_path / "lesson.db"),
        "FLASK_SESSION_COOKIE_SECURE": "true",
    }
    command = [sys.executable, "-m", "gunicorn", "--workers", "2", "--no-control-socket"]
    command += [
        "--bind",
        f"fd://{listener.fileno()}",
        "--keyfile",
        key,
        "--certfile",
        made,
        "app:app",
    ]
    with subprocess.Popen(
        command,
        cwd=next(LESSONS.glob("06_*")),
        env=kept | settings,
        pass_fds=[listener.fileno()],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        listener.close()
        try:
            answers(port)
            yield f"https://lesson.test:{port}"
        finally:
            process.terminate()


def answers(port):
    """Wait until a server ends TLS there."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    end = time.monotonic() + 20
    while time.monotonic() < end:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 5) as plain:
            with context.wrap_socket(plain) as shaken:
                shaken.sendall(b"GET /public HTTP/1.0\r\nHost: localhost\r\n\r\n")
                if shaken.recv(100).startswith(b"HTTP/1."):
                    return
        time.sleep(0.1)
    raise AssertionError("no answer over TLS")


@pytest.mark.skipif(os.name == "nt", reason="gunicorn does not run on Windows")
def test_https(browser, https, start):  # noqa: F811
    """Behind TLS the cookie is Secure and has the name __Host-…: it works, and only over https."""
    plain = Relay(int(start().rpartition(":")[2]))
    *_, text, cookies, _, _ = browser.play(
        *log_in(https),
        ["user", "cookies"],
        ["user", "open", f"http://lesson.test:{plain.port}/public"],
        ["user", "text"],
    )
    (one,) = cookies
    assert "Hello, user1!" in text
    assert one["name"] == "__Host-lesson06" and one["secure"] and one["path"] == "/"
    assert one["domain"] == "lesson.test"  # and no dot before it: not for subdomains
    sent = [request.headers.get("Cookie") for request in plain.take()]
    plain.stop()
    assert sent and not any(sent)


SET = [
    "a=b; Secure; Path=/; SameSite=Lax",
    "__Host-a=b; Secure; Path=/",
    "__Host-a=b; Path=/",
    "__Host-a=b; Secure; Path=/login",
    "__Host-a=b; Secure; Path=/; Domain=localhost",
    "__hOST-a=b; Path=/",
    "__Secure-a=b; Secure",
    "__Secure-a=b",
    "=__Host-a; Secure; Path=/",
    "a=b; SameSite=None",
    "a=b; SameSite=None; Secure",
    "a=b; Partitioned",
    "a=b; Partitioned; Secure; SameSite=None; Path=/",
    f"a={'b' * 4095}; Path=/",
    f"a={'b' * 4096}; Path=/",
]


@pytest.mark.parametrize("cookie", SET, ids=lambda text: re.sub("b{9,}", "many", text))
def test_explain_knows_what_is_refused(browser, stranger, cookie):  # noqa: F811
    """`explain` says of a cookie that browsers refuse it if, and only if, Chromium does."""
    kept = browser.play(
        ["user", "open", stranger(SITE, "/set", cookie=cookie)],
        ["user", "cookies"],
    )[-1]
    wrong = [one.text for one in all_wrong(explain_line(f"Set-Cookie: {cookie}")) if one.refused]
    assert bool(kept) is not bool(wrong), (json.dumps(kept), wrong)
