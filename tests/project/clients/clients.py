"""The clients, each behind the same call: a request as fields goes in, status and body come out.

What is started by a command (curl, wget, HTTPie) is run once for each request. The rest are
programs beside this file, which stay and take request after request on their standard input.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

from learn.layout import ROOT

HERE = Path(__file__).parent
# Debian puts Node's packages here, where only its own Node looks.
NODE = {**os.environ, "NODE_PATH": "/usr/share/nodejs"}
OWN = ROOT / ".others" / ("Scripts" if sys.platform == "win32" else "bin")  # their environment


def hold_table(first, table):
    """Hold that the table of docs/clients.md with this first cell is this one, or write it anew."""
    path = ROOT / "docs" / "clients.md"
    text = path.read_text("utf-8")
    old = re.search(rf"^\| {re.escape(first)} \|.*?(?=\n\n)", text, re.M | re.S)[0]
    if os.environ.get("LEARN_TABLE"):
        path.write_text(text.replace(old, table), "utf-8")
        old = table
    assert old == table


class Missing(Exception):
    """A client that is not installed here."""


class Command:
    """A client that is a command of its own."""

    def __init__(self, name, program, arguments):
        self.name, self.arguments = name, arguments
        self.jar = Path(tempfile.mkdtemp()) / "jar.json"  # of the cookies, when it browses
        if name == "wget":
            self.jar.touch()  # it complains of a file that isn't there
        self.program = shutil.which(program, path=OWN) or shutil.which(program)
        if not self.program:
            raise Missing(f"{name} is not installed")

    @property
    def version(self):
        said = subprocess.run([self.program, "--version"], capture_output=True, text=True).stdout
        return re.search(r"\d+(\.\d+)+", said)[0]

    def send(self, **fields):
        if fields["scheme"] == "browse":
            fields["jar"] = self.jar
        command = [self.program, *self.arguments(**fields)]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=30, stdin=subprocess.DEVNULL
        )
        if fields["scheme"] == "browse":
            return 0, done.stdout  # without headers, so the status isn't known
        found = re.findall(r"^ *HTTP/1.\d (\d{3})", done.stdout + done.stderr, re.M)
        return int(found[-1]) if found else 0, done.stdout.rpartition("\n\n")[2] or done.stderr

    def stop(self):
        shutil.rmtree(self.jar.parent)


class Program:
    """A client in a program beside this file, which takes one request a line."""

    def __init__(self, name, command, version):
        self.name, self.version = name, version
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env=NODE,
        )

    def send(self, **fields):
        self._process.stdin.write(urlencode(fields) + "\n")
        self._process.stdin.flush()
        said = self._process.stdout.readline().rstrip("\n")
        assert said, f"{self.name} ended without an answer"
        said = dict(parse_qsl(said, keep_blank_values=True))
        return int(said["status"]), said["body"]

    def stop(self):
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()


# How each keeps its cookies; {jar} is the file. What stands here is in docs/clients.md.
JARS = {
    "curl": "--cookie {jar} --cookie-jar {jar}",
    "wget": "--load-cookies {jar} --save-cookies {jar} --keep-session-cookies",
    "HTTPie": "--session {jar}",
}


def browsing(name, options, jar):
    """Return the options with which a command keeps cookies, and these."""
    return [*options.split(" "), *JARS[name].format(jar=jar).split(" ")]


def curl(method, url, scheme, user="", password="", token="", otp=None, body=None, jar=None):
    if scheme == "browse":
        given = browsing("curl", "--silent --location --noproxy * --max-time 15", jar)
        return [*given, *(["--data", body] if body is not None else []), url]
    given = ["--silent", "--show-error", "--include", "--noproxy", "*", "--max-time", "15"]
    given += {
        "basic": ["--basic", "--user", f"{user}:{password}"],
        "digest": ["--digest", "--user", f"{user}:{password}"],
        "bearer": ["--oauth2-bearer", token],
        "none": [],
    }[scheme]
    given += ["--header", f"OTP: {otp}"] if otp else []
    given += ["--data", body] if body is not None else ["--request", method]
    return [*given, url]


def wget(method, url, scheme, user="", password="", token="", otp=None, body=None, jar=None):
    if scheme == "browse":
        options = "--quiet --output-document=- --content-on-error --no-proxy --tries=1 --timeout=15"
        given = browsing("wget", options, jar)
        return [*given, *([f"--post-data={body}"] if body is not None else []), url]
    given = ["--quiet", "--server-response", "--content-on-error", "--output-document=-"]
    given += ["--no-proxy", "--tries=1", "--timeout=15", "--no-hsts", f"--method={method}"]
    if scheme in ("basic", "digest"):
        given += [f"--user={user}", f"--password={password}"]
    given += [f"--header=Authorization: Bearer {token}"] if scheme == "bearer" else []
    given += [f"--header=OTP: {otp}"] if otp else []
    if body is not None:
        given += [f"--body-data={body}", "--header=Content-Type: application/x-www-form-urlencoded"]
    return [*given, url]


def httpie(method, url, scheme, user="", password="", token="", otp=None, body=None, jar=None):
    fields = [f"{name}={value}" for name, value in parse_qsl(body or "")]
    if scheme == "browse":
        options = "--ignore-stdin --body --pretty=none --timeout=15 --form --follow"
        return [*browsing("HTTPie", options, jar), method, url, *fields]
    given = ["--ignore-stdin", "--print=hb", "--pretty=none", "--timeout=15", "--form"]
    given += {
        "basic": ["--auth-type=basic", f"--auth={user}:{password}"],
        "digest": ["--auth-type=digest", f"--auth={user}:{password}"],
        "bearer": ["--auth-type=bearer", f"--auth={token}"],
        "none": [],
    }[scheme]
    return [*given, method, url, *([f"OTP:{otp}"] if otp else []), *fields]


def python(library):
    def start():
        program = shutil.which("python", path=OWN)
        if not program:
            raise Missing(f"{library} for Python is not installed")
        command = [program, str(HERE / "python_client.py"), library]
        version = subprocess.run([*command, "--version"], capture_output=True, text=True)
        return Program(library, command, version.stdout.strip())

    return start


def node(library):
    def start():
        program = shutil.which("node")
        if not program:
            raise Missing(f"{library} of Node is not installed")
        said = "process.version"
        if library == "undici":
            said = "require('undici/package.json').version"
        done = subprocess.run([program, "-p", said], capture_output=True, text=True, env=NODE)
        if done.returncode:
            raise Missing(f"{library} for Node is not installed")
        command = [program, str(HERE / "node_client.mjs"), library]
        return Program(library, command, done.stdout.strip().removeprefix("v"))

    return start


def java(api):
    def start():
        compiler, program = shutil.which("javac"), shutil.which("java")
        if not compiler:
            raise Missing(f"{api} of Java is not installed (javac)")
        said = subprocess.run([compiler, "--version"], capture_output=True, text=True).stdout
        command = [program, str(HERE / "JavaClient.java"), api]
        return Program(api, command, said.split()[-1])

    return start


CLIENTS = {
    "curl": lambda: Command("curl", "curl", curl),
    "wget": lambda: Command("wget", "wget", wget),
    "HTTPie": lambda: Command("HTTPie", "http", httpie),
    "urllib": python("urllib"),
    "requests": python("requests"),
    "httpx2": python("httpx2"),
    "aiohttp": python("aiohttp"),
    "fetch": node("fetch"),
    "undici": node("undici"),
    "HttpClient": java("HttpClient"),
    "HttpURLConnection": java("HttpURLConnection"),
}
