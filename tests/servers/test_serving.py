"""docs/serving.md, tried: each server with the configuration shown there, each lesson through it."""

import os
import shutil
import socket
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor, TimeoutError

import httpx2
import pytest
from hosts import (
    BASIC,
    LESSON,
    NAMES,
    OTHERS,
    REPOSITORY,
    TARGET,
    Host,
    block,
    expect,
    log_in,
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
    return pytest.mark.skipif(bool(missing), reason=f"not installed; on Debian: apt install {wanted}")


@pytest.fixture(scope="module")
def debian():
    """A virtual environment of Debian's own Python, which uWSGI and mod_wsgi use."""
    place = tempfile.mkdtemp(prefix="serving-python-")
    os.chmod(place, 0o755)  # Apache's workers are another user
    yield system_python(place)
    shutil.rmtree(place, ignore_errors=True)


each_lesson = pytest.mark.parametrize("lesson", NAMES)


# In the ordinary run: the two servers that need nothing but Python.


@pytest.mark.parametrize("lesson", [n if n == LESSON else pytest.param(n, marks=long) for n in NAMES])
def test_waitress(lesson):
    """waitress, by the command for Windows."""
    with Host(lesson) as host:
        log_in(lesson, f"http://127.0.0.1:{host.waitress()}")


@pytest.mark.parametrize("lesson", [n if n == LESSON else pytest.param(n, marks=long) for n in NAMES])
def test_wsgiref(lesson):
    """The standard library's server, which tells nothing but what PEP 3333 demands."""
    with Host(lesson) as host:
        log_in(lesson, f"http://127.0.0.1:{host.other('wsgiref')}")


@long
@each_lesson
@pytest.mark.parametrize("server", ["cheroot", "uvicorn", "hypercorn"])
def test_other_servers(server, lesson):
    """Servers of the table at the end, from the environment of other packages."""
    if not any(OTHERS.glob(f"[Ll]ib/**/site-packages/{server}")):
        pytest.skip(f"{server} is not in .others; docs/clients.md says how to make that")
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
    """waitress removes some of the headers of proxies that it was not told of: not this one."""
    with Host(lesson) as host:
        port = host.under_demo(host.waitress(PROXIES=1))
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
@needs("uwsgi", "nginx")
@pytest.mark.parametrize("prefix", ["", "/demo"])
@each_lesson
def test_uwsgi(lesson, prefix, debian):
    """uWSGI behind nginx, at the root and mounted below a path."""
    with Host(lesson) as host:
        port = host.uwsgi(debian, prefix)
        log_in(lesson, f"http://127.0.0.1:{port}{prefix}")
