"""What every lesson stands on and none is about: settings, a database file, answers in plain text.

This file is the same in each lesson, so that you read it once, or not at all. What differs, the
tables and the functions on them, is in store.py beside it.
"""

import contextlib
import os
import sqlite3
import sys
import threading
from pathlib import Path
from secrets import token_hex
from urllib.parse import unquote_to_bytes

from flask import Response, abort, current_app, request
from werkzeug.exceptions import HTTPException, ServiceUnavailable
from werkzeug.middleware.proxy_fix import ProxyFix

# Not Flask's g, which would open the file anew for each request. SQLite wants one for each thread.
local = threading.local()


class Text(Response):
    default_mimetype = "text/plain"  # in HTML, a user name such as <script> would run


def set_up(app, lesson, tables, add_demo_users, *, synchronous="FULL", **seconds):
    """Read the settings, and make the database with the demo users unless it exists.

    lesson: a number that stands in the file's header, so that no other lesson takes the file for
    its own; tables: the SQL that makes them; add_demo_users: a function that fills them;
    synchronous: FULL if what was answered must have reached the disk, NORMAL if a power cut may
    lose the last of it; seconds: lifetimes, by name.
    """
    app.config.from_mapping(MAX_CONTENT_LENGTH=16384, MAX_FORM_MEMORY_SIZE=16384, PROXIES=0)
    app.config.from_mapping(DATABASE=Path(__file__).with_name("instance") / "lesson.db", **seconds)
    app.config.from_prefixed_env()  # FLASK_DATABASE, FLASK_SECRET_KEY, FLASK_PROXIES and so on
    sizes = {"MAX_CONTENT_LENGTH": 1, "MAX_FORM_MEMORY_SIZE": 1}
    for name, least in {"PROXIES": 0, **sizes, **dict.fromkeys(seconds, 1)}.items():
        if type(app.config[name]) is not int or not least <= app.config[name] <= 10**9:
            sys.exit(f"FLASK_{name} must be a whole number, {least} or more.")
    if hops := app.config["PROXIES"]:  # the X-Forwarded headers of so many proxies are believed
        told = dict.fromkeys(["x_for", "x_proto", "x_host", "x_port", "x_prefix"], hops)
        app.wsgi_app = ProxyFix(app.wsgi_app, **told)
    app.config["DATABASE"] = os.path.abspath(str(app.config["DATABASE"]))  # ":memory:" as well
    app.extensions["synchronous"] = synchronous
    app.response_class = Text
    app.register_error_handler(HTTPException, refuse)
    app.register_error_handler(sqlite3.DatabaseError, refuse)
    app.before_request(refuse_broken_request)
    if "mod_wsgi" in sys.modules:
        app.after_request(explain_apache)
    with app.app_context():
        try:
            make_database(app.config["DATABASE"], lesson, tables, add_demo_users)
            stored = db().execute("SELECT value FROM settings WHERE name = 'key'").fetchone()[0]
        except (OSError, sqlite3.DatabaseError) as error:
            sys.exit(f"FLASK_DATABASE: {app.config['DATABASE']} can't be used: {error}.")
        close()  # each worker opens its own
    # The stored key is stolen along with the data. Where that matters, set FLASK_SECRET_KEY.
    app.secret_key = str(stored if app.secret_key in (None, "") else app.secret_key)
    if not app.secret_key.isprintable() or len(app.secret_key.encode()) < 32:
        how = 'python -c "import secrets; print(secrets.token_hex(32))"'
        sys.exit(f"FLASK_SECRET_KEY must be a text of 32 bytes or more. Make one with: {how}")


def refuse(error):
    if isinstance(error, sqlite3.DatabaseError):
        current_app.logger.error("database: %s", error)
        error = ServiceUnavailable("The database does not answer; try again in a moment.")
    response = error.get_response()  # with its headers, such as Allow
    response.data, response.mimetype = f"{error.description}\n", "text/plain"
    return response


def refuse_broken_request():
    asked, prefix = request.environ, request.root_path
    if prefix[:1] not in ("", "/") or prefix[:2] == "//":  # our redirects would lead elsewhere
        abort(400, "X-Forwarded-Prefix must be a path, such as /demo.")
    if request.scheme.lower() not in ("http", "https"):
        abort(400, "X-Forwarded-Proto must be http or https.")
    if not (asked.get("CONTENT_LENGTH") or asked.get("HTTP_TRANSFER_ENCODING")):
        return
    try:
        body = request.get_data()  # kept, so that views find their forms in it
    except HTTPException:
        raise
    except Exception:  # for chunks that are none, each server has exceptions of its own
        abort(400, "The body of the request is broken.")
    if len(body) >= request.max_content_length:  # in chunks, no more than this is read
        abort(413)
    if "urlencoded" in asked.get("CONTENT_TYPE", "").lower():
        try:
            unquote_to_bytes(body).decode()
        except UnicodeDecodeError:  # a byte FF would become the three characters %FF
            abort(400, "Send the form in UTF-8.")


def explain_apache(response):
    if response.status_code == 401 and "Authorization" not in request.headers:
        response.data += b"mod_wsgi hands credentials over only with WSGIPassAuthorization On.\n"
    return response


def db():
    """Return this thread's connection; each statement is a transaction unless one was begun."""
    if not hasattr(local, "db"):
        local.db = sqlite3.connect(str(current_app.config["DATABASE"]), isolation_level=None)
        local.db.row_factory = sqlite3.Row
        local.db.execute(f"PRAGMA synchronous = {current_app.extensions['synchronous']}")
    return local.db


def close():
    db().close()
    del local.db


@contextlib.contextmanager
def transaction():
    """Let statements hold together: all of them or none, and nobody else's in between."""
    with db() as connection:  # commits, or takes everything back when an exception comes
        connection.execute("BEGIN IMMEDIATE")
        yield connection


def make_database(name, lesson, tables, add_demo_users):
    path = Path(name)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))  # nobody else may read it
    if not path.stat().st_size:  # it may have been there, empty, for others to read
        path.chmod(0o600)
    if is_ours(lesson):
        return  # writing would wait for whoever holds the database
    with contextlib.suppress(sqlite3.OperationalError):  # refused: another worker is doing it
        db().execute("PRAGMA journal_mode = WAL")  # reading then waits for no writer
    with transaction():
        if not is_ours(lesson):  # another worker may have been quicker
            for statement in tables.split(";"):
                db().execute(statement)
            db().execute("CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT)")
            db().execute("INSERT INTO settings VALUES ('key', ?)", [token_hex(32)])
            add_demo_users()
            db().execute(f"PRAGMA application_id = {lesson}")


def add_tables(app, script):
    """Add to the database what a step beyond app.py needs, unless it is there."""
    with app.app_context():
        try:
            db().executescript(script)
        except sqlite3.DatabaseError as error:
            sys.exit(f"FLASK_DATABASE: {app.config['DATABASE']} can't be used: {error}.")
        close()


def is_ours(lesson):
    """Tell whether the tables are there. Raises sqlite3.DatabaseError if others are."""
    tables = db().execute("SELECT 1 FROM sqlite_master").fetchone()
    # Read after the tables: another worker may be making both now, and commits them together.
    number = db().execute("PRAGMA application_id").fetchone()[0]
    if tables and number != lesson:
        raise sqlite3.DatabaseError("it holds the data of another lesson or program")
    return number == lesson
