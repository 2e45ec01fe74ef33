"""Lesson 06 on several machines: its table in PostgreSQL, by what its README says must change.

What changes is in store.py alone; then every check of the lesson holds as before.
"""

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from learn.layout import LESSONS, ROOT

FOLDER = LESSONS / "06_sessions"
pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(sys.platform != "linux", reason="PostgreSQL is tried on Debian only"),
]
# In the place of groundwork's two: one connection a thread, and each lesson's tables by themselves.
DRIVER = """
import contextlib, os, sys, threading
sys.path.append(os.environ["PSYCOPG"])  # after all that is installed here
import psycopg
from psycopg.rows import dict_row

local = threading.local()


def db():
    if not hasattr(local, "db"):
        local.db = psycopg.connect(os.environ["POSTGRES"], autocommit=True, row_factory=dict_row)
        schema = hashlib.sha256(current_app.config["DATABASE"].encode()).hexdigest()[:40]
        with local.db.transaction():
            local.db.execute("SELECT pg_advisory_xact_lock(6)")  # of all who start, one makes them
            local.db.execute(f'CREATE SCHEMA IF NOT EXISTS "s{schema}"')
            local.db.execute(f'SET search_path TO "s{schema}"')
            if not local.db.execute("SELECT to_regclass('users') AS t").fetchone()["t"]:
                local.db.execute(TABLES)
                add_demo_users()
    return local.db


@contextlib.contextmanager
def transaction():
    with db().transaction():
        yield
"""
CHANGES = [
    ("from groundwork import db, transaction\n", DRIVER),
    ("begun REAL, used REAL", "begun DOUBLE PRECISION, used DOUBLE PRECISION"),
    ("datetime(begun, 'unixepoch')", "to_timestamp(begun) AT TIME ZONE 'UTC'"),
    ("datetime(used, 'unixepoch')", "to_timestamp(used) AT TIME ZONE 'UTC'"),
    (" FROM users WHERE name = ? AND hash = ?", " FROM users WHERE name = ? AND hash = ? {share}"),
    ("5006, TABLES, add_demo_users,", '5006, "CREATE TABLE unused (x)", lambda: None,'),
]


def for_postgres(text, share="FOR SHARE"):
    """Return store.py as it is for PostgreSQL."""
    for old, new in CHANGES:
        assert text.count(old) == 1, old
        text = text.replace(old, new.replace("{share}", share))
    return re.sub(r"\?(?=[ ,\]\"]|$)", "%s", text, flags=re.M)


def where_psycopg_is():
    """Return the folder of psycopg in the environment of other people's programs, if there."""
    return next((p.parent for p in ROOT.glob(".others/lib/python*/site-packages/psycopg")), None)


@pytest.fixture(scope="module")
def postgres():
    """A server of PostgreSQL on a free port of 127.0.0.1; how to reach it."""
    if not where_psycopg_is():
        pytest.skip("psycopg is not installed; docs/clients.md says how to")
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not programs:
        pytest.skip("PostgreSQL is not installed; on Debian: apt install postgresql")
    folder = Path(tempfile.mkdtemp(prefix="postgres-"))  # pytest's own folders are for one user
    user = []
    if os.getuid() == 0:  # it refuses to run as root
        shutil.chown(folder, "postgres")
        user = ["runuser", "-u", "postgres", "--"]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    data = str(folder / "data")

    def run(program, *arguments):
        command = [*user, str(programs[-1] / program), *arguments]
        subprocess.run(command, check=True, cwd=folder, timeout=120, stdout=subprocess.DEVNULL)

    run("initdb", "-D", data, "-U", "lesson", "-A", "trust", "--no-sync")
    how = f"-h 127.0.0.1 -p {port} -k '' -F -c max_connections=300"
    run("pg_ctl", "-D", data, "-w", "-l", f"{folder}/log", "-o", how, "start")
    yield f"host=127.0.0.1 port={port} user=lesson dbname=postgres"
    run("pg_ctl", "-D", data, "-m", "immediate", "stop")
    shutil.rmtree(folder, ignore_errors=True)


def checks(folder, postgres, *arguments):
    """Run the lesson's checks on a file that keeps its table in PostgreSQL."""
    command = [sys.executable, "-m", "pytest", "tests/test_06_sessions.py", f"--on={folder}/app.py"]
    command += ["-q", "--tb=short", "-o", "addopts=", "-p", "no:cacheprovider", *arguments]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=400,
        env={**os.environ, "POSTGRES": postgres, "LEARN_PATIENCE": "40",
             "PSYCOPG": str(where_psycopg_is())},
    )  # fmt: skip
    return done.returncode, done.stdout


def test_table_in_postgres(postgres, tmp_path):
    """With its table in PostgreSQL the lesson passes every check, races included."""
    shutil.copy(FOLDER / "app.py", tmp_path)
    shutil.copytree(FOLDER / "templates", tmp_path / "templates")
    text = (FOLDER / "store.py").read_text("utf-8")
    (tmp_path / "store.py").write_text(for_postgres(text), "utf-8")
    status, said = checks(tmp_path, postgres)
    assert status == 0, said


def test_without_the_lock_a_late_login_gets_in(postgres, tmp_path):
    """Without FOR SHARE, a login that checked the old password can begin a session after all."""
    shutil.copy(FOLDER / "app.py", tmp_path)
    shutil.copytree(FOLDER / "templates", tmp_path / "templates")
    text = for_postgres((FOLDER / "store.py").read_text("utf-8"), share="")
    end = '            end_other_sessions(user["name"], id)\n'
    assert text.count(end) == 1
    # Between the end of the other sessions and that of the transaction: held open, it is hit.
    text = text.replace(end, f"{end}            db().execute('SELECT pg_sleep(1)')\n")
    (tmp_path / "store.py").write_text(text, "utf-8")
    status, said = checks(tmp_path, postgres, "-k", "with_the_old_password_is_too_late")
    assert status == 1 and "too_late" in said, said
