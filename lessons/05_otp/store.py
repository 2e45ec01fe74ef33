"""What lesson 05 needs and is not about: settings, a database, answers in plain text.

Everything down to the tables is the same in each lesson. The tables, and the functions below them,
are this lesson's own. To use another database, rewrite those; app.py stays as it is.
"""

import contextlib
import math
import os
import re
import sqlite3
import sys
import threading
import time
import unicodedata
from pathlib import Path
from secrets import token_hex
from urllib.parse import unquote_to_bytes

from flask import Response, abort, current_app, request
from passlib.hash import argon2
from werkzeug.exceptions import HTTPException, ServiceUnavailable
from werkzeug.middleware.proxy_fix import ProxyFix

# Not Flask's g, which would open the file anew for each request. SQLite wants one for each thread.
local = threading.local()


class Text(Response):
    default_mimetype = "text/plain"  # in HTML, a user name such as <script> would run


def set_up(app, secret_of=None, **seconds):
    """Read the settings, and make the database with the demo users unless it exists.

    secret_of: turns a demo user's password into what is stored, where app.py decides that;
    seconds: lifetimes, by name.
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
    app.response_class = Text
    app.register_error_handler(HTTPException, refuse)
    app.register_error_handler(sqlite3.DatabaseError, refuse)
    app.before_request(refuse_broken_body)
    if "mod_wsgi" in sys.modules:
        app.after_request(explain_apache)
    with app.app_context():
        try:
            make_database(Path(str(app.config["DATABASE"])), secret_of)
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


def refuse_broken_body():
    asked = request.environ
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
        local.db.execute(f"PRAGMA synchronous = {SYNCHRONOUS}")
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


def make_database(path, secret_of):
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))  # nobody else may read it
    if not path.stat().st_size:  # it may have been there, empty, for others to read
        path.chmod(0o600)
    if is_ours():
        return  # writing would wait for whoever holds the database
    with contextlib.suppress(sqlite3.OperationalError):  # refused: another worker is doing it
        db().execute("PRAGMA journal_mode = WAL")  # reading then waits for no writer
    with transaction():
        if not is_ours():  # another worker may have been quicker
            for statement in TABLES.split(";"):
                db().execute(statement)
            db().execute("INSERT INTO settings VALUES ('key', ?)", [token_hex(32)])
            add_demo_users(secret_of)
            db().execute(f"PRAGMA application_id = {LESSON}")


def add_tables(app, script):
    """Add to the database what a step beyond app.py needs, unless it is there."""
    with app.app_context():
        try:
            db().executescript(script)
        except sqlite3.DatabaseError as error:
            sys.exit(f"FLASK_DATABASE: {app.config['DATABASE']} can't be used: {error}.")
        close()


def is_ours():
    """Tell whether the tables are there. Raises sqlite3.DatabaseError if others are."""
    tables = db().execute("SELECT 1 FROM sqlite_master").fetchone()
    # Read after the tables: another worker may be making both now, and commits them together.
    number = db().execute("PRAGMA application_id").fetchone()[0]
    if tables and number != LESSON:
        raise sqlite3.DatabaseError("it holds the data of another lesson or program")
    return number == LESSON


# This lesson's own part: its tables, and the functions through which app.py uses them.

# Argon2id at OWASP's parameters: 19 MiB, 2 rounds, 1 thread (lesson 01).
argon2id = argon2.using(type="ID", memory_cost=19456, rounds=2, parallelism=1)
NOBODY = argon2id.hash(token_hex())  # an unknown user costs a hash as well
LESSON = 5005  # stands in the file's header, so that no other lesson takes the file for its own
SYNCHRONOUS = "FULL"  # what was answered has reached the disk
TABLES = """
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT);
CREATE TABLE users (name TEXT PRIMARY KEY, hash TEXT, mail TEXT, secret TEXT, pending TEXT,
    pin BLOB, pin_until REAL, sending REAL DEFAULT 0, tries INTEGER DEFAULT 0,
    tries_until REAL DEFAULT 0);
CREATE TABLE used (name TEXT, code TEXT, step INTEGER, PRIMARY KEY (name, code));
CREATE INDEX used_step ON used (step)
"""


def add_demo_users(_):
    add = "INSERT INTO users (name, hash, mail) VALUES (?, ?, ?)"
    for name, password in [("user1", "pass1"), ("user2", "pass2")]:
        db().execute(add, [name, argon2id.hash(password), f"{name}@example.com"])


def read_address(app, name):
    """Turn a setting host:port into a pair, None if it is not set; refuse to start with another."""
    value = str(app.config.setdefault(name, ""))
    found = re.fullmatch(r"(\S+):(\d{1,5})", value)
    if value and not (found and int(found[2]) < 65536):
        sys.exit(f"FLASK_{name} must be host:port, for example 127.0.0.1:1025.")
    app.config[name] = (found[1].strip("[]"), int(found[2])) if found else None


def find_user(name):
    """Return a user's row, None if there is no such user."""
    return db().execute("SELECT * FROM users WHERE name = ?", [name]).fetchone()


def check_password(name, password):
    """Return the user's row if the pair is right, else None: lessons 01 and 02 in short."""
    name, password = clean(name, 64), clean(password, 1024)
    if name is None or password is None:
        return None
    user = find_user(name)
    stored = user["hash"] if user else None
    try:
        right = argon2id.verify(password, stored or NOBODY)
    except ValueError:  # a hash that can't be read fits no password
        right = False
    now = find_user(name)  # the password may have been changed while it was hashed
    return now if stored and right and now and now["hash"] == stored else None


def clean(text, most):
    """Return text in one form, of 1 to `most` bytes in UTF-8; None if unusable (lesson 01)."""
    if len(text.encode()) > 4 * most:  # NFC never shortens so much, and is slow on long text
        return None
    text = re.sub("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]", " ", text)
    text = unicodedata.normalize("NFC", text)
    odd = "\0" in text or "\ufffd" in text  # the latter stands for bytes that were no UTF-8
    return text if 1 <= len(text.encode()) <= most and not odd else None


def take_try(user, most, pause):
    """Count a try, and return 0; if none is left, return how many seconds there are to wait.

    It is counted before its code is looked at: of a hundred sent at once, `most` are looked at.
    """
    name, now = user["name"], time.time()
    # Twice the time: clocks of threads and workers differ a little. More: it was set back.
    lapse = "UPDATE users SET tries = 0 WHERE name = ? AND tries_until - ? NOT BETWEEN 0 AND ?"
    db().execute(lapse, [name, now, 2 * pause])
    take = "UPDATE users SET tries = tries + 1, tries_until = ? WHERE name = ? AND tries < ?"
    if db().execute(take, [now + pause, name, most]).rowcount == 1:
        return 0
    return max(1, math.ceil((find_user(name) or user)["tries_until"] - now))


def forget_tries(user):
    """Let a user have all tries again."""
    db().execute("UPDATE users SET tries = 0 WHERE name = ?", [user["name"]])


def begin_pin(user, seconds):
    """Take the user's turn to send a PIN, for so many seconds; None while another request has it.

    Returns what keep_pin and end_pin want.
    """
    now = time.time()  # compared as in take_try
    begin = """UPDATE users SET sending = ?
        WHERE name = ? AND hash = ? AND sending - ? NOT BETWEEN 0 AND ?"""
    values = [now + seconds, user["name"], user["hash"], now, 2 * seconds]
    return now + seconds if db().execute(begin, values).rowcount == 1 else None


def keep_pin(user, turn, tag, lifetime):
    """Let a PIN count from now on; False if the turn is over, or the password another by now."""
    keep = "UPDATE users SET pin = ?, pin_until = ? WHERE name = ? AND hash = ? AND sending = ?"
    values = [tag, time.time() + lifetime, user["name"], user["hash"], turn]
    return db().execute(keep, values).rowcount == 1


def end_pin(user, turn):
    """Let the next PIN be sent."""
    end = "UPDATE users SET sending = 0 WHERE name = ? AND sending = ?"
    db().execute(end, [user["name"], turn])


def use_pin(user, tag, lifetime):
    """Take a PIN away and return True; False if it is not the one that counts."""
    use = """UPDATE users SET pin = NULL
        WHERE name = ? AND hash = ? AND pin = ? AND pin_until - ? BETWEEN 0 AND ?"""
    values = [user["name"], user["hash"], tag, time.time(), lifetime]
    return db().execute(use, values).rowcount == 1  # of two at once, one wins


def keep_pending(user, secret):
    """Keep a secret that has yet to show a right code; False if the user is not what was read."""
    keep = "UPDATE users SET pending = ? WHERE name = ? AND hash = ? AND secret IS ?"
    values = [secret, user["name"], user["hash"], user["secret"]]
    return db().execute(keep, values).rowcount == 1


def use_code(user, secret, code, step):
    """Note a right code as used, and let a pending secret count from now on.

    Returns "new" for the first code of a pending secret, "known" for that of one that counts, and
    None if the code was used before, or the user's password or secret is another by now.
    """
    name = user["name"]
    with transaction():
        now = find_user(name)
        if not now or now["hash"] != user["hash"] or secret not in (now["secret"], now["pending"]):
            return None
        # Used codes are kept for an hour, in case the clock is set back.
        sweep = """DELETE FROM used WHERE (name, code) IN
            (SELECT name, code FROM used WHERE step < ? LIMIT 100)"""
        db().execute(sweep, [time.time() // 30 - 120])
        use = "INSERT OR IGNORE INTO used VALUES (?, ?, ?)"
        if db().execute(use, [name, code, step]).rowcount != 1:
            return None
        if secret == now["secret"]:
            return "known"
        db().execute("UPDATE users SET secret = pending, pending = NULL WHERE name = ?", [name])
        return "new"
