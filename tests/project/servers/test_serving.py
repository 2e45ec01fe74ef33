"""docs/serving.md, tried: each server as configured there, each lesson through it."""

import contextlib
import os
import shutil
import socket
import ssl
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor, TimeoutError

import httpx2
import pytest
from hosts import (
    BASIC,
    DOCUMENT,
    LESSON,
    NAMES,
    OTHERS,
    REPOSITORY,
    TARGET,
    Host,
    block,
    expect,
    free_port,
    log_in,
    log_in_oidc,
    log_in_passkeys,
    log_in_sessions,
    program,
    replaced,
    system_python,
)

long = pytest.mark.long


def needs(*programs):
    """Skip a test unless these programs are there, and say how to get what is missing."""
    packages = {
        "nginx": "nginx",
        "apache2": "apache2 libapache2-mod-wsgi-py3 python3-venv",
        "uwsgi": "uwsgi uwsgi-plugin-python3 python3-venv",
        "systemd-analyze": "systemd",
        "curl": "curl",
    }
    missing = [name for name in programs if not program(name)]
    if os.name == "nt":
        return pytest.mark.skipif(True, reason="these servers do not run on Windows")
    wanted = " ".join(packages[name] for name in missing)
    return pytest.mark.skipif(
        bool(missing), reason=f"not installed; on Debian: apt install {wanted}"
    )


@pytest.fixture(scope="module")
def debian():
    """A virtual environment of Debian's own Python, which uWSGI and mod_wsgi use."""
    place = tempfile.mkdtemp(prefix="serving-python-")
    os.chmod(place, 0o755)  # Apache's workers are another user
    yield system_python(place)
    shutil.rmtree(place, ignore_errors=True)


CLAIMED = {"X-Forwarded-For": "192.0.2.1", "X-Forwarded-Proto": "https"}
CLAIMED |= {"X-Forwarded-Host": "forged.example", "X-Forwarded-Prefix": "/forged"}
BEHIND = "waitress behind a proxy"  # a block of the document
each_lesson = pytest.mark.parametrize("lesson", NAMES)


# In the ordinary run: the two servers that need nothing but Python.


@pytest.mark.parametrize(
    "lesson", [n if n == LESSON else pytest.param(n, marks=long) for n in NAMES]
)
def test_waitress(lesson):
    """waitress, by the command for Windows."""
    with Host(lesson) as host:
        log_in(lesson, f"http://127.0.0.1:{host.waitress()}")


@pytest.mark.parametrize(
    "lesson", [n if n == LESSON else pytest.param(n, marks=long) for n in NAMES]
)
def test_wsgiref(lesson):
    """The standard library's server, which tells nothing but what PEP 3333 demands."""
    with Host(lesson) as host:
        log_in(lesson, f"http://127.0.0.1:{host.other('wsgiref')}")


def needs_others(server):
    """Skip a test unless this server is in the environment of other packages."""
    ours = server in ("gunicorn", "wsgiref")
    if not ours and not any(OTHERS.glob(f"[Ll]ib/**/site-packages/{server}")):
        pytest.skip(f"{server} is not in .others; docs/clients.md says how to make that")


@long
@each_lesson
@pytest.mark.parametrize("server", ["cheroot", "uvicorn", "hypercorn"])
def test_other_servers(server, lesson):
    """Servers of the table at the end, from the environment of other packages."""
    needs_others(server)
    with Host(lesson) as host:
        log_in(lesson, f"http://127.0.0.1:{host.other(server)}")


@long
@needs("nginx")
@each_lesson
def test_gunicorn_behind_nginx_with_tls(lesson):
    """gunicorn by the unit's command line, nginx with TLS before it."""
    with Host(lesson) as host:
        port, trusted = host.tls(host.systemd())
        log_in(lesson, f"https://127.0.0.1:{port}", trusted)


@long
@needs("nginx")
@pytest.mark.parametrize(
    "lesson, settings",
    [
        ("06_sessions", {"SESSION_COOKIE_SECURE": "true"}),
        ("07_passkeys", {"ORIGIN": "https://lesson.example"}),
        ("08_oidc", {"SESSION_COOKIE_SECURE": "true"}),
    ],
)
def test_cookies_for_tls_alone(lesson, settings):
    """Told that browsers come by https, the app logs in, and its cookie goes nowhere else."""
    with Host(lesson) as host:
        port, trusted = host.tls(host.systemd(**settings))
        with httpx2.Client(
            base_url=f"https://127.0.0.1:{port}", verify=trusted, trust_env=False, timeout=30
        ) as client:
            if lesson == "07_passkeys":
                client.headers["Origin"] = settings["ORIGIN"]  # as browsers do
                log_in_passkeys(client, settings["ORIGIN"])
            elif lesson == "06_sessions":
                log_in_sessions(client)
                expect(client.get("/login"), 200)  # which sets the cookie that a logout took away
            else:
                log_in_oidc(client)
            (cookie,) = client.cookies.jar
        assert cookie.name == f"__Host-lesson{lesson[:2]}" and cookie.secure
        assert cookie.path == "/" and not cookie.domain_specified


@long
@needs("nginx")
def test_lesson_07_without_its_origin():
    """Not told of its origin, lesson 07 refuses browsers with the sentence that the page quotes."""
    with Host("07_passkeys") as host:
        port, trusted = host.tls(host.systemd())
        where, headers = f"https://127.0.0.1:{port}", {"Origin": f"https://127.0.0.1:{port}"}
        with httpx2.Client(verify=trusted, trust_env=False) as client:
            answer = expect(client.post(f"{where}/login/options", headers=headers), 403)
    said = answer.text.strip()
    assert said in DOCUMENT.read_text("utf-8") and "another origin than" in said


@long
@needs("nginx")
@each_lesson
def test_under_a_path(lesson):
    """The same below /demo/, where Digest covers the whole path."""
    with Host(lesson) as host:
        port = host.under_demo(host.systemd())
        log_in(lesson, f"http://127.0.0.1:{port}/demo")


@long
@needs("nginx")
@each_lesson
def test_waitress_behind_nginx_under_a_path(lesson):
    """waitress with the option that leaves the headers of proxies to the app."""
    with Host(lesson) as host:
        port = host.under_demo(host.waitress(name=BEHIND, PROXIES=1))
        log_in(lesson, f"http://127.0.0.1:{port}/demo")


@long
@needs("apache2")
@pytest.mark.parametrize("alias", ["/", "/demo"])
@each_lesson
def test_apache(lesson, alias, debian):
    """Apache with mod_wsgi, at the root and below a path."""
    with Host(lesson) as host:
        port = host.apache(debian, alias)
        log_in(lesson, f"http://127.0.0.1:{port}{alias.rstrip('/')}")


@long
@needs("apache2")
def test_apache_with_tls(debian):
    """With the three lines for TLS the app knows its own origin, as lesson 02 shows."""
    with Host("02_basic") as host:
        port = host.apache(debian, tls=True)
        trusted = ssl.create_default_context(cafile=str(host.root / "cert.pem"))
        log_in("02_basic", f"https://127.0.0.1:{port}", trusted)


@long
@needs("uwsgi", "nginx")
@pytest.mark.parametrize("prefix", ["", "/demo"])
@each_lesson
def test_uwsgi(lesson, prefix, debian):
    """uWSGI behind nginx, at the root and mounted below a path."""
    with Host(lesson) as host:
        port = host.uwsgi(debian, prefix)
        log_in(lesson, f"http://127.0.0.1:{port}{prefix}")
        host.running[0].terminate()
        assert host.running[0].wait(30) == 0


FORGED = {
    "X-Forwarded-For": "192.0.2.1",
    "X-Forwarded-Proto": "gopher",
    "X-Forwarded-Host": "forged.example",
    "X-Forwarded-Port": "99",
    "X-Forwarded-Prefix": "/forged",
}


def where(base, verify=True, headers=None):
    """Return what the app believes of its address and its client, who is 127.0.0.2."""
    transport = httpx2.HTTPTransport(verify=verify, local_address="127.0.0.2")
    with httpx2.Client(transport=transport, trust_env=False) as client:
        return expect(client.get(f"{base}/where", headers=headers), 200).json()


@long
@needs("nginx")
def test_the_app_knows_its_address_behind_tls():
    """With FLASK_PROXIES=1 scheme, host, port and client are right; what a client forges is not."""
    with Host(LESSON) as host:
        port, trusted = host.tls(host.waitress("where:app", BEHIND, PROXIES=1))
        right = {"url": f"https://127.0.0.1:{port}/", "secure": True, "client": "127.0.0.2"}
        for headers in (None, FORGED):
            assert where(f"https://127.0.0.1:{port}", trusted, headers) == right
    with Host(LESSON) as host:
        port, trusted = host.tls(host.waitress("where:app"))
        wrong = {"url": f"http://127.0.0.1:{port}/", "secure": False, "client": "127.0.0.1"}
        assert where(f"https://127.0.0.1:{port}", trusted) == wrong


@long
@needs("nginx")
def test_the_app_knows_its_path_behind_a_proxy():
    """The prefix is part of the address, and a client can't name another one."""
    with Host(LESSON) as host:
        port = host.under_demo(host.systemd("where:app"))
        right = {"url": f"http://127.0.0.1:{port}/demo/", "secure": False, "client": "127.0.0.2"}
        for headers in (None, FORGED):
            assert where(f"http://127.0.0.1:{port}/demo", headers=headers) == right


@long
@needs("uwsgi", "nginx")
def test_the_app_knows_its_address_in_uwsgi(debian):
    """nginx tells uWSGI address, scheme and client, and a client can forge none of them."""
    with Host(LESSON) as host:
        port = host.uwsgi(debian, module="where:app", tls=True)
        trusted = ssl.create_default_context(cafile=str(host.root / "cert.pem"))
        right = {"url": f"https://127.0.0.1:{port}/", "secure": True, "client": "127.0.0.2"}
        for headers in (None, FORGED):
            assert where(f"https://127.0.0.1:{port}", trusted, headers) == right


@long
@needs("nginx")
def test_under_a_path_without_flask_proxies():
    """Digest is refused when the app doesn't know what the proxy took off the path."""
    with Host(LESSON) as host:
        port = host.under_demo(host.systemd(PROXIES=0))
        with pytest.raises(AssertionError, match="401 instead of 200"):
            log_in(LESSON, f"http://127.0.0.1:{port}/demo")


def test_no_proxy_no_belief():
    """Without FLASK_PROXIES the headers of proxies change nothing."""
    with Host(LESSON) as host:
        assert not believed(host.waitress("where:app"))


def believed(port):
    """Return what the app believes of what a client on this machine claims of its address."""
    answer = httpx2.get(f"http://127.0.0.1:{port}/where", headers=CLAIMED, trust_env=False)
    seen = expect(answer, 200).json()
    right = {"url": f"http://127.0.0.1:{port}/", "secure": False, "client": "127.0.0.1"}
    return {name for name in right if seen[name] != right[name]}


@long
@needs("apache2")
def test_no_proxy_no_belief_in_apache(debian):
    """The same in Apache."""
    with Host(LESSON) as host:
        assert not believed(host.apache(debian, module="where"))


@long
@needs()
@pytest.mark.parametrize("server", ["gunicorn", "uvicorn", "hypercorn", "cheroot", "wsgiref"])
def test_who_believes_this_machine(server):
    """As the document says: gunicorn and uvicorn believe a proxy on 127.0.0.1 unasked."""
    needs_others(server)
    with Host(LESSON) as host:
        gunicorn = server == "gunicorn"
        port = host.systemd("where:app", PROXIES=0) if gunicorn else host.other(server, "where")
        trusting = {"gunicorn": {"url", "secure"}, "uvicorn": {"url", "secure", "client"}}
        assert believed(port) == trusting.get(server, set())


@long
@needs("nginx", "curl")
def test_curl_digest_behind_tls_and_under_a_path():
    """curl --digest gets in, with a query, below a path and by TLS; a wrong password doesn't."""
    with Host(LESSON) as host:
        backend = host.systemd()
        under = host.under_demo(backend)
        port, _ = host.tls(backend)
        certificate = host.root / "cert.pem"
        for base in (f"http://127.0.0.1:{under}/demo", f"https://127.0.0.1:{port}"):
            for password, status in (("pass1", "200"), ("wrong", "401")):
                command = ["curl", "--silent", "--noproxy", "*", "--cacert", str(certificate)]
                command += ["--digest", "--user", f"user1:{password}", "--output", os.devnull]
                command += ["--write-out", "%{http_code}", base + TARGET]
                done = subprocess.run(command, capture_output=True, text=True, timeout=30)
                assert done.stdout == status, (command, done.stderr)


@long
@needs("nginx")
def test_plain_http_is_sent_on_to_tls():
    """Port 80 only redirects, to the same address."""
    with Host(LESSON) as host:
        host.tls(host.systemd())
        plain = int(
            (host.root / "site.conf").read_text().split("listen 127.0.0.1:")[1].split(";")[0]
        )
        with httpx2.Client(trust_env=False) as client:
            answer = expect(client.get(f"http://127.0.0.1:{plain}{TARGET}"), 301)
        assert answer.headers["Location"] == f"https://127.0.0.1{TARGET}"


@long
@needs("systemd-analyze")
def test_unit(tmp_path):
    """systemd finds nothing wrong with the unit."""
    unit = replaced(
        block("/etc/systemd/system/lesson.service"),
        {
            f"{REPOSITORY}/.venv/bin/gunicorn": shutil.which("true"),
            f"{REPOSITORY}/": f"{tmp_path}/",
        },
    )
    path = tmp_path / "lesson.service"
    for text, faults in ((unit, False), (unit.replace("WorkingDirectory=", "WorkDir="), True)):
        path.write_text(text)
        command = ["systemd-analyze", "verify", "--man=no", str(path)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        said = [line for line in done.stderr.splitlines() if "lesson.service" in line]
        assert bool(said) == faults, done.stderr


@long
@needs("apache2")
@pytest.mark.parametrize("lesson", [n for n in NAMES if n not in ("01_hashing", "06_sessions")])
def test_apache_that_keeps_the_credentials(lesson, debian):
    """Without WSGIPassAuthorization nobody gets in, and the answer says which line is missing."""
    with Host(lesson) as host:
        port = host.apache(debian, passing="Off")
        paths = {"04_jwt": "/login", "05_otp": "/pin", "07_passkeys": "/register/options"}
        method, path = ("POST", paths[lesson]) if lesson in paths else ("GET", "/")
        auth = httpx2.DigestAuth(*BASIC) if lesson == LESSON else BASIC
        with httpx2.Client(trust_env=False, auth=auth) as client:
            answer = expect(client.request(method, f"http://127.0.0.1:{port}{path}"), 401)
        assert "WSGIPassAuthorization On" in answer.text
        assert "wrong" not in answer.text


def held_back(port, form):
    """Open a connection and send half a request: half the header, or the header and half a form."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=60)
    half = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    if form:
        half = b"POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 99\r\n"
        half += b"Content-Type: application/x-www-form-urlencoded\r\n\r\nusername="
    connection.sendall(half)
    return connection


def waits_for_others(port, count, form):
    """Whether an honest request is answered only once those are gone that hold back their half."""
    url = f"http://127.0.0.1:{port}/"
    held = [held_back(port, form) for _ in range(count)]
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(httpx2.get, url, timeout=60, trust_env=False)
        try:
            asked.result(8)
            return False
        except TimeoutError:
            return True
        finally:
            for connection in held:
                connection.close()
            assert asked.result().status_code == 200


@long
@needs("nginx")
@pytest.mark.parametrize("form", [False, True])
def test_half_a_request(form):
    """Four sync workers are stopped by twelve half requests, behind nginx not even by 200."""
    with Host("01_hashing") as host:
        backend = host.systemd()
        port = free_port()
        location = f"location / {{ proxy_pass http://127.0.0.1:{backend}; }}"
        host.nginx(f"server {{ listen 127.0.0.1:{port}; {location} }}")
        assert not waits_for_others(port, 200, form)
        assert waits_for_others(backend, 12, form)


@long
@pytest.mark.parametrize("form", [False, True])
def test_half_a_request_and_waitress(form):
    """waitress waits for the whole request before it takes up a thread."""
    with Host("01_hashing") as host:
        assert not waits_for_others(host.waitress(), 60, form)


@long
@needs("uwsgi", "nginx")
@pytest.mark.parametrize(
    "fault, said",
    [
        ("key", "FLASK_SECRET_KEY must be a text of 32 bytes or more"),
        ("packages", "No module named 'flask'"),
    ],
)
def test_uwsgi_stops_when_the_app_does_not_start(fault, said, debian, tmp_path):
    """uWSGI does not go on without an app, and its log has the reason."""
    with Host(LESSON) as host:
        if fault == "key":
            host.key = "too short"
        else:
            subprocess.run(
                ["/usr/bin/python3", "-m", "venv", "--without-pip", tmp_path], check=True
            )
        with contextlib.suppress(AssertionError):  # it may have stopped before nginx starts
            host.uwsgi(debian if fault == "key" else tmp_path)
        assert host.running[0].wait(30) != 0
        assert said in host.log()
