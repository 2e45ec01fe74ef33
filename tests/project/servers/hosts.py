"""Run lessons with the configurations that docs/serving.md shows, and log in through them.

What a reader copies is what is tested here: each configuration is cut out of the document, and
nothing but paths, ports and names is changed.
"""

import configparser
import contextlib
import os
import re
import secrets
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC
from importlib import metadata
from pathlib import Path

import httpx2
import pyotp
from werkzeug.datastructures import WWWAuthenticate

from learn import Authenticator, Provider, digest_answer
from learn.layout import LESSONS, ROOT

DOCUMENT = ROOT / "docs" / "serving.md"
OTHERS = ROOT / ".others"
REPOSITORY, LESSON = "/srv/learn", "03_digest"  # what the document takes as its example
NAMES = sorted(p.name for p in LESSONS.iterdir() if (p / "app.py").is_file())

# Beside app.py, in the copy that is served: what the app believes of its own address.
WHERE = """
from flask import request
from app import app

@app.get("/where")
def where():
    return {"url": request.url_root, "secure": request.is_secure, "client": request.remote_addr}
"""
# Other servers than the document's, each in a few lines.
SERVE = """
import importlib
import sys

name, port, packages, module = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
sys.path.append(packages)  # for the servers alone: the lessons' own packages come first
sys.path.insert(0, "")
app = importlib.import_module(module).app
if name == "wsgiref":
    from wsgiref.simple_server import make_server

    make_server("127.0.0.1", port, app).serve_forever()
elif name == "cheroot":
    from cheroot.wsgi import Server

    Server(("127.0.0.1", port), app).start()
elif name == "uvicorn":
    import uvicorn
    from a2wsgi import WSGIMiddleware

    uvicorn.run(WSGIMiddleware(app), host="127.0.0.1", port=port)
elif name == "hypercorn":
    import asyncio

    from a2wsgi import WSGIMiddleware
    from hypercorn.asyncio import serve
    from hypercorn.config import Config

    config = Config()
    config.bind = [f"127.0.0.1:{port}"]
    asyncio.run(serve(WSGIMiddleware(app), config, mode="asgi"))
"""


def block(name):
    """Return the document's block of code whose first line is `# name`."""
    blocks = re.findall(r"^```\w+\n(# .*?\n)(.*?)^```", DOCUMENT.read_text("utf-8"), re.M | re.S)
    found = [rest for first, rest in blocks if first.strip() == f"# {name}"]
    assert len(found) == 1, f"docs/serving.md has {len(found)} blocks that begin with # {name}"
    return found[0]


def replaced(text, changes):
    """Return a text with each key replaced by its value; every key must occur."""
    for old, new in changes.items():
        assert old in text, f"{old!r} is not in:\n{text}"
        text = text.replace(old, str(new))
    return text


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Host:
    """A folder that stands for /srv/learn, with a copy of one lesson, and what runs in it.

    Apache's workers are another user, so the folder can be read by everyone.
    """

    def __init__(self, lesson):
        self.lesson = lesson
        self.root = Path(tempfile.mkdtemp(prefix="serving-"))
        self.root.chmod(0o755)
        self.folder = self.root / "lessons" / lesson
        shutil.copytree(
            LESSONS / lesson,
            self.folder,
            ignore=shutil.ignore_patterns("instance", "__pycache__", "exercise*"),
        )
        (self.folder / "where.py").write_text(WHERE)
        self.state = self.root / "state"  # for databases
        self.state.mkdir()
        self.state.chmod(0o777)
        self.key = secrets.token_hex(32)
        self.running = []

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        for process in reversed(self.running):
            _stop(process)
        shutil.rmtree(self.root, ignore_errors=True)

    def environment(self, **settings):
        """Return an environment with these settings as FLASK_… and no others."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith("FLASK_")}
        ours = {"DATABASE": self.state / "lesson.db", "SECRET_KEY": self.key, **settings}
        return {**kept, **{f"FLASK_{name}": str(value) for name, value in ours.items()}}

    def write(self, name, text):
        path = self.root / name
        path.write_text(text)
        path.chmod(0o644)
        return path

    def run(self, command, port, **how):
        """Start a server and wait until it listens; what it prints goes to a file."""
        log = self.root / f"{port}.log"
        with open(log, "wb") as out:
            process = subprocess.Popen(
                [str(word) for word in command],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=os.name == "posix",
                **{"cwd": self.folder, "env": self.environment(), **how},
            )
        self.running.append(process)
        deadline = time.monotonic() + 60
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return process
            said = log.read_text("utf-8", "replace")
            assert process.poll() is None, f"{command[0]} stopped. It said:\n{said}"
            assert time.monotonic() < deadline, f"{command[0]} does not listen. It said:\n{said}"
            time.sleep(0.02)

    def systemd(self, module="app:app", more=(), **settings):
        """Start what the document's unit starts, as the unit says; return the port."""
        port = free_port()
        unit = configparser.RawConfigParser(delimiters="=", strict=False)
        unit.optionxform = str
        unit.read_string(block("/etc/systemd/system/lesson.service"))
        service = unit["Service"]
        words = replaced(
            service["ExecStart"],
            {
                f"{REPOSITORY}/.venv/bin/gunicorn": f"{sys.executable} -m gunicorn",
                ":5003": f":{port}",
                "app:app": module,
            },
        ).split()
        given = dict(pair.split("=", 1) for pair in service["Environment"].split())
        given = {name.removeprefix("FLASK_"): value for name, value in given.items()}
        given["DATABASE"] = replaced(given["DATABASE"], {"%S/lesson": self.state})
        folder = replaced(service["WorkingDirectory"], {REPOSITORY: self.root})
        folder = replaced(folder, {LESSON: self.lesson})
        environment = self.environment(**{**given, **settings})
        self.run([*words, *more], port, cwd=folder, env=environment)
        return port

    def nginx(self, site):
        """Start nginx with the text of one site, in an otherwise empty configuration."""
        path = self.write("site.conf", site)
        port = int(re.findall(r"listen 127\.0\.0\.1:(\d+)", site)[-1])
        folders = "client_body proxy fastcgi uwsgi scgi".split()
        temporary = "".join(f"    {name}_temp_path {self.root}/{name};\n" for name in folders)
        main = f"""
daemon off;
pid {self.root}/nginx.pid;
error_log {self.root}/nginx.log;
events {{}}
http {{
    access_log off;
{temporary}    include {path};
}}
"""
        command = [nginx(), "-e", self.root / "nginx.log", "-c", self.write("nginx.conf", main)]
        self.run(command, port)
        return port

    def tls(self, backend):
        """Start nginx with the document's site for TLS; return its port and a client's context."""
        port, plain = free_port(), free_port()
        certificate, key = make_certificate(self.root)
        site = replaced(
            block("/etc/nginx/sites-available/lesson"),
            {
                "listen 80;": f"listen 127.0.0.1:{plain};",
                "listen 443 ssl;": f"listen 127.0.0.1:{port} ssl;",
                "lesson.example": "127.0.0.1",
                "/etc/ssl/lesson/cert.pem": certificate,
                "/etc/ssl/lesson/key.pem": key,
                "127.0.0.1:5003": f"127.0.0.1:{backend}",
            },
        )
        self.nginx(site)
        return port, ssl.create_default_context(cafile=str(certificate))

    def under_demo(self, backend):
        """Start nginx with the document's location /demo/; return the port."""
        port = free_port()
        location = replaced(
            block("/etc/nginx/snippets/lesson-demo.conf"),
            {"127.0.0.1:5003": f"127.0.0.1:{backend}"},
        )
        return self.nginx(f"server {{\n    listen 127.0.0.1:{port};\n{location}\n}}\n")

    def apache(self, python, alias="/", passing="On", tls=False, module="app"):
        """Start Debian's Apache with the document's site; return the port."""
        port, etc = free_port(), self.root / "apache2"
        script = replaced(
            block("/srv/learn/lesson.wsgi"),
            {
                "/var/lib/lesson": self.state,
                "/etc/lesson.key": self.write("key", self.key),
                "from app import": f"from {module} import",
            },
        )
        self.write("lesson.wsgi", script)
        site = replaced(
            block("/etc/apache2/sites-available/lesson.conf"),
            {
                "*:80": f"127.0.0.1:{port}",
                f"{REPOSITORY}/.venv": python,
                REPOSITORY: self.root,
                LESSON: self.lesson,
                "WSGIScriptAlias / ": f"WSGIScriptAlias {alias} ",
                "WSGIPassAuthorization On": f"WSGIPassAuthorization {passing}",
            },
        )
        shutil.copytree("/etc/apache2", etc, symlinks=True)
        if tls:
            certificate, key = make_certificate(self.root)
            enable(etc, "socache_shmcb")
            enable(etc, "ssl")
            lines = f"SSLEngine on\nSSLCertificateFile {certificate}\nSSLCertificateKeyFile {key}\n"
            site = replaced(site, {"</VirtualHost>": f"{lines}</VirtualHost>"})
        (etc / "ports.conf").write_text(f"Listen 127.0.0.1:{port}\n")
        for enabled in (etc / "sites-enabled").iterdir():
            enabled.unlink()
        (etc / "sites-enabled" / "lesson.conf").write_text(site)
        enable(etc, "wsgi")
        run, log = self.root / "run", self.root / "log"
        run.mkdir()
        log.mkdir()
        run.chmod(0o755)
        own = {"RUN_DIR": run, "LOG_DIR": log, "LOCK_DIR": run, "PID_FILE": run / "apache2.pid"}
        # Only root can become somebody else; for others Apache leaves these two alone.
        own |= {"RUN_USER": "www-data", "RUN_GROUP": "www-data"}
        environment = {**os.environ, **{f"APACHE_{k}": str(v) for k, v in own.items()}}
        more = ["-C", "ServerName 127.0.0.1", "-c", f"WSGISocketPrefix {run}/wsgi"]
        command = [program("apache2"), "-d", etc, *more, "-D", "FOREGROUND"]
        self.run(command, port, env=environment)
        return port

    def uwsgi(self, python, prefix="", module="app:app", tls=False):
        """Start uWSGI and nginx with the document's blocks; return nginx's port."""
        inner, port = free_port(), free_port()
        mount = f"mount = {prefix}=app:app\nmanage-script-name = true"
        ini = replaced(
            block("/etc/uwsgi/apps-available/lesson.ini"),
            {
                f"{REPOSITORY}/.venv": python,
                REPOSITORY: self.root,
                LESSON: self.lesson,
                "/var/lib/lesson": self.state,
                "127.0.0.1:5003": f"127.0.0.1:{inner}",
                "module = app:app": mount if prefix else f"module = {module}",
            },
        )
        environment = {k: v for k, v in self.environment().items() if k != "FLASK_DATABASE"}
        command = [program("uwsgi"), "--ini", self.write("lesson.ini", ini)]
        self.run(command, inner, env=environment)
        location = replaced(
            block("/etc/nginx/snippets/lesson-uwsgi.conf"), {"127.0.0.1:5003": f"127.0.0.1:{inner}"}
        )
        listen = f"listen 127.0.0.1:{port};"
        if tls:
            certificate, key = make_certificate(self.root)
            listen = f"listen 127.0.0.1:{port} ssl;\n"
            listen += f"ssl_certificate {certificate};\nssl_certificate_key {key};"
        return self.nginx(f"server {{\n{listen}\n{location}\n}}\n")

    def waitress(self, module="app:app", name="waitress, in PowerShell", **settings):
        """Start waitress with the last line of a block of the document; return the port."""
        port = free_port()
        line = replaced(
            block(name).splitlines()[-1],
            {r"..\..\.venv\Scripts\waitress-serve": "waitress", "5003": port, "app:app": module},
        )
        command = [sys.executable, "-m", *line.split()]
        self.run(command, port, env=self.environment(**settings))
        return port

    def other(self, name, module="app"):
        """Start one of the servers in SERVE; return the port."""
        port, packages = free_port(), next(OTHERS.glob("[Ll]ib/**/site-packages"), "")
        script = self.write("serve.py", SERVE)
        self.run([sys.executable, script, name, port, packages, module], port)
        return port

    def log(self):
        """Return everything that was printed or logged."""
        files = [*self.root.glob("*.log"), *self.root.glob("log/*.log")]
        return "\n".join(path.read_text("utf-8", "replace") for path in sorted(files))


def _stop(process):
    """End a server with its workers, which are in a group of their own."""
    if os.name != "posix":
        process.kill()
    else:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            pass
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    process.wait(10)


def program(name):
    """Return the path of a server's program; None if it isn't installed."""
    return shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")


def nginx():
    return program("nginx")


def enable(etc, module):
    """Do what a2enmod does."""
    for path in (etc / "mods-available").glob(f"{module}.*"):
        link = etc / "mods-enabled" / path.name
        if not link.exists():
            link.symlink_to(Path("..", "mods-available", path.name))


def make_certificate(folder):
    """Make a certificate for 127.0.0.1, signed by itself; return its path and that of its key."""
    from datetime import datetime, timedelta
    from ipaddress import ip_address

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    address = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(address, critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "cert.pem").write_bytes(certificate.public_bytes(pem))
    (folder / "key.pem").touch(mode=0o600)
    (folder / "key.pem").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return folder / "cert.pem", folder / "key.pem"


def system_python(folder):
    """Make a virtual environment of Debian's own Python with what the lessons import.

    uWSGI and mod_wsgi bring that Python with them. The packages come from requirements.txt, by
    their hashes.
    """
    subprocess.run(["/usr/bin/python3", "-m", "venv", folder], check=True, capture_output=True)
    wanted = set()
    for name in NAMES:
        lines = (LESSONS / name / "app.py").read_text("utf-8").splitlines()
        header = lines[1 : lines.index("# ///", 1)]  # inline script metadata (PEP 723)
        given = tomllib.loads("\n".join(line.removeprefix("#").strip() for line in header))
        for spec in given["dependencies"]:
            wanted |= with_dependencies(spec)
    pinned = re.findall(
        r"^([\w.-]+)(?:\[[\w,]+\])?(==(?:.*\\\n)*.*\n)",
        (ROOT / "requirements.txt").read_text(),
        re.M,
    )
    chosen = [f"{name}{rest}" for name, rest in pinned if canonical(name) in wanted]
    path = Path(folder, "requirements.txt")
    path.write_text("".join(chosen))
    pip = [Path(folder, "bin", "python"), "-m", "pip", "install", "--quiet", "--no-deps"]
    pip += ["--disable-pip-version-check", "--require-hashes", "-r", path]
    done = subprocess.run(pip, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder


def canonical(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def with_dependencies(spec):
    """Return the names of a package and of all that it needs."""
    from packaging.requirements import Requirement

    found, open_ones = set(), [Requirement(spec)]
    while open_ones:
        one = open_ones.pop()
        if canonical(one.name) in found and not one.extras:
            continue
        found.add(canonical(one.name))
        for line in metadata.requires(one.name) or []:
            need = Requirement(line)
            if any(
                need.marker is None or need.marker.evaluate({"extra": extra})
                for extra in one.extras or {""}
            ):
                open_ones.append(need)
    return found


BASIC = ("user1", "pass1")
WRONG = ("user1", "wrong")
NEW = "another password, and a long one"
TARGET = "/account?x=%C3%A9&y=a%2Fb"  # percent signs in the query, to be compared as they were sent


def log_in(lesson, base, verify=True):
    """Log in the right way and the wrong way at a lesson that is served at `base`.

    Raises AssertionError when a right one is refused, or a wrong one gets in.
    """
    with httpx2.Client(base_url=base, verify=verify, trust_env=False, timeout=30) as client:
        {
            "01_hashing": log_in_hashing,
            "02_basic": log_in_basic,
            "03_digest": log_in_digest,
            "04_jwt": log_in_jwt,
            "05_otp": log_in_otp,
            "06_sessions": log_in_sessions,
            "07_passkeys": log_in_passkeys,
            "08_oidc": log_in_oidc,
        }[lesson](client)


def log_in_hashing(client):
    def send(password):
        return client.post("/login", data={"username": "user1", "password": password})

    expect(send("pass1"), 200)
    expect(send("wrong"), 403)
    # A body that is refused unread must not cost the answer: some servers then reset.
    for size in [10_000, 100_000] * 10:
        expect(client.post("/login", content=b"x" * size), 400, 403, 413)


def log_in_basic(client):
    expect(client.get("/", auth=BASIC), 200)
    expect(client.get("/", auth=WRONG), 401)
    expect(client.get("/"), 401)
    expect(client.get("/public"), 200)
    # The password is changed by a page of the same origin, as a browser would send it.
    url = client.base_url
    origin = f"{url.scheme}://{url.netloc.decode()}"
    headers = {"Origin": origin}
    expect(client.post("/password", auth=BASIC, data={"password": NEW}, headers=headers), 204)
    for _ in range(12):  # in each of the processes
        expect(client.get("/", auth=BASIC), 401)
        expect(client.get("/", auth=("user1", NEW)), 200)
    headers = {"Origin": "http://elsewhere.example"}
    again = {"password": "pass1"}
    expect(client.post("/password", auth=("user1", NEW), data=again, headers=headers), 400, 403)


def log_in_digest(client):
    expect(client.get(TARGET), 401)
    expect(client.get(TARGET, auth=Digest(*BASIC)), 200)
    expect(client.get(TARGET, auth=Digest(*WRONG)), 401)
    for target in ("/account?", "/acc%6Funt", "/"):  # some proxies write these another way
        expect(client.get(target, auth=Digest(*BASIC)), 200)
    copies_of_one(client)
    # What was computed for one address opens no other one.
    here = client.base_url.raw_path.decode().rstrip("/")
    for other in (f"{here}/account", f"{here}{TARGET}&z=1", f"{here}/", f"/other{TARGET}"):
        expect(client.get(TARGET, auth=Digest(*BASIC, other)), 401)


def copies_of_one(client):
    """Of many copies of one right header, sent at once, one gets in, in whichever process."""
    url = client.base_url.copy_with(raw_path=client.base_url.raw_path.rstrip(b"/") + b"/account")
    challenge = WWWAuthenticate.from_header(
        expect(client.get(url), 401).headers.get_list("WWW-Authenticate")[0]
    )
    header = {"Authorization": digest_answer(challenge, *BASIC, url.raw_path.decode())}
    with ThreadPoolExecutor(8) as pool:
        came = list(pool.map(lambda _: client.get(url, headers=header).status_code, range(16)))
    assert sorted(came) == [200] + [401] * 15, came


class Digest(httpx2.Auth):
    """Answer the first challenge, for another target than the request's if one is given."""

    def __init__(self, username, password, target=None):
        self.credentials, self.target = (username, password), target

    def auth_flow(self, request):
        answer = yield request
        challenge = WWWAuthenticate.from_header(answer.headers.get_list("WWW-Authenticate")[0])
        target = self.target or request.url.raw_path.decode()
        request.headers["Authorization"] = digest_answer(challenge, *self.credentials, target)
        yield request


def log_in_jwt(client):
    expect(client.get("/insecured"), 200)
    expect(client.post("/login", auth=WRONG), 401)
    token = expect(client.post("/login", auth=BASIC), 200).json()["access_token"]
    bearer = {"Authorization": f"Bearer {token}"}
    expect(client.get("/secured", headers=bearer), 200)
    expect(client.get("/secured", headers={"Authorization": f"Bearer {token[:-6]}AAAAAA"}), 401)
    expect(client.post("/logout", headers=bearer), 204)
    for _ in range(12):  # in each of the processes
        expect(client.get("/secured", headers=bearer), 401)


def log_in_otp(client):
    expect(client.post("/enroll", auth=WRONG), 401)
    enrolled = expect(client.post("/enroll", auth=BASIC), 201).json()
    code = pyotp.parse_uri(enrolled["otpauth_uri"]).now()
    wrong = f"{(int(code) + 1) % 10**6:06}"
    expect(client.get("/", auth=BASIC), 401)
    expect(client.get("/", auth=BASIC, headers={"OTP": wrong}), 401)
    expect(client.get("/", auth=BASIC, headers={"OTP": code}), 200)
    expect(client.get("/", auth=BASIC, headers={"OTP": code}), 401)


def log_in_passkeys(client, origin="http://localhost:5007"):
    phone = Authenticator(origin)  # what FLASK_ORIGIN is; unless it is set, as above

    def options(target, **how):
        answer = expect(client.post(target, **how), 200)
        return answer.json(), {"Cookie": answer.headers["Set-Cookie"].partition(";")[0]}

    expect(client.get("/secured"), 403)
    expect(client.post("/register/options", auth=WRONG), 401)
    asked, cookie = options("/register/options", auth=BASIC)
    expect(client.post("/register", json=phone.create(asked), headers=cookie), 201)
    asked, cookie = options("/login/options")
    signed = phone.get(asked)
    answer = expect(client.post("/login", json=signed, headers=cookie), 200)
    expect(client.post("/login", json=signed, headers=cookie), 403)
    cookie = {"Cookie": answer.headers["Set-Cookie"].partition(";")[0]}
    expect(client.get("/secured", headers=cookie), 200)


def log_in_sessions(client):
    url = client.base_url
    start, headers = url.path, {"Origin": f"{url.scheme}://{url.netloc.decode()}"}

    def send(target, page, **fields):
        token = re.search('name="csrf" value="([^"]+)"', expect(client.get(page), 200).text)[1]
        return client.post(target, data={"csrf": token, **fields}, headers=headers)

    where = expect(client.get("/"), 302).headers["Location"]
    assert where.startswith(f"{start}login?next="), where
    expect(send("/login", "/login", username="user1", password="wrong"), 403)
    page = f"/login?{where.partition('?')[2]}"
    answer = expect(send(page, page, username="user1", password="pass1"), 303)
    assert answer.headers["Location"] == start, answer.headers
    cookie = {"Cookie": answer.headers["Set-Cookie"].partition(";")[0]}
    for _ in range(12):  # in each of the processes
        expect(client.get("/"), 200)
    expect(send("/sessions/end", "/sessions"), 303)
    other = {"csrf": "x", "old": "pass1", "new": "theirs"}
    expect(client.post("/password", data=other, headers=headers), 400)
    expect(send("/logout", "/"), 303)
    for _ in range(12):
        expect(client.get("/", headers=cookie), 302)


def expect(answer, *statuses):
    """Return the answer if its status is one of these."""
    request = answer.request
    assert answer.status_code in statuses, (
        f"{request.method} {request.url}: {answer.status_code} instead of"
        f" {' or '.join(map(str, statuses))}\n{dict(request.headers)}\n{answer.text[:500]}"
    )
    return answer


def log_in_oidc(client):
    with Provider(port=5018) as provider:  # where the lesson looks for it, unless told otherwise
        back = provider.authorize(expect(client.get("/login"), 302).headers["Location"])
        assert back.startswith(str(client.base_url)), back  # its own address, as a browser sees it
        expect(client.get(back), 303)
        assert "Hello, Ann!" in expect(client.get("/"), 200).text
        expect(client.get(back), 400)
