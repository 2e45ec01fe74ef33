"""Lesson 06 in short: a cookie names a session, which begins, is looked up and ends in a table."""

import hashlib
import time
from secrets import token_urlsafe

from flask import abort, current_app, request

from groundwork import db

TABLES = """
CREATE TABLE sessions (digest TEXT PRIMARY KEY, name TEXT, passkey TEXT, begun REAL, used REAL);
CREATE INDEX sessions_passkey ON sessions (passkey);
CREATE INDEX sessions_used ON sessions (used)
"""


def set_up(app):
    app.before_request(refuse_other_origins)
    app.before_request(ignore_dates)
    app.after_request(add_headers)


def browser():
    """Return the random id that this browser's cookie holds: of a session, or so far of nobody."""
    return request.cookies.get(cookie_name(), "")


def cookie_name():  # browsers take a cookie __Host-… only over https, from this very host
    return "__Host-lesson07" if current_app.config["SESSION_COOKIE_SECURE"] else "lesson07"


def with_cookie(answer, id):
    """Return a response that has the browser keep this id until it is closed."""
    response, secure = (
        current_app.make_response(answer),
        current_app.config["SESSION_COOKIE_SECURE"],
    )
    response.set_cookie(cookie_name(), id, httponly=True, samesite="Lax", secure=secure)
    return response


def begin(name, passkey):
    """Begin a session of this user in place of any other, and return its id; a hash is kept."""
    end()
    id, now = token_urlsafe(32), time.time()
    # From the passkey, which may have been removed since it was looked at.
    begin = "INSERT INTO sessions SELECT ?, name, id, ?, ? FROM passkeys WHERE id = ? AND name = ?"
    db().execute(begin, [digest(id), now, now, passkey, name])
    sweep = """DELETE FROM sessions WHERE digest IN
        (SELECT digest FROM sessions WHERE used < ? LIMIT 100)"""
    db().execute(sweep, [now - current_app.config["IDLE_TIMEOUT"]])
    return id


def find():
    """Return the row of the user who is logged in, None if nobody is. This counts as a use."""
    find = "SELECT users.*, begun, used FROM sessions JOIN users USING (name) WHERE digest = ?"
    row = db().execute(find, [digest(browser())]).fetchone()
    if not row:
        return None
    now, ends = time.time(), current_app.config
    idle, age = abs(now - row["used"]), abs(now - row["begun"])
    if idle >= ends["IDLE_TIMEOUT"] or age >= ends["ABSOLUTE_TIMEOUT"]:
        return end()  # so that it stays ended, even if the clock is set back
    if idle >= ends["IDLE_TIMEOUT"] / 30:  # not each time: writing costs more
        db().execute("UPDATE sessions SET used = ? WHERE digest = ?", [now, digest(browser())])
    return row


def end():
    """End this browser's session, with the challenges that it was given."""
    db().execute("DELETE FROM sessions WHERE digest = ?", [digest(browser())])
    db().execute("DELETE FROM challenges WHERE browser = ?", [digest(browser())])


def end_others(passkey):
    """End the sessions that began with a passkey, but for this browser's."""
    own = digest(browser())
    unasked = """DELETE FROM challenges WHERE browser IN
        (SELECT digest FROM sessions WHERE passkey = ? AND digest <> ?)"""
    db().execute(unasked, [passkey, own])
    db().execute("DELETE FROM sessions WHERE passkey = ? AND digest <> ?", [passkey, own])


def digest(id):
    return hashlib.sha256(id.encode("utf-8", "replace")).hexdigest()


def refuse_other_origins():
    """Refuse what a page of another origin sends along with our cookie or a password (CSRF)."""
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    own = current_app.config["ORIGIN"]
    if request.method in ("GET", "HEAD") or (
        site in (None, "same-origin", "none") and origin in (None, own)
    ):
        return
    abort(403, f"This came from a page of another origin than {own}.")


def ignore_dates():
    """Drop what asks for a part, or whether a copy is still good: nobody keeps one (no-store)."""
    for name in ("IF_MODIFIED_SINCE", "IF_RANGE", "RANGE"):  # Werkzeug fails at years of 20 digits
        request.environ.pop(f"HTTP_{name}", None)


def add_headers(response):
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    response.headers["Cache-Control"] = "no-store"
    return response
