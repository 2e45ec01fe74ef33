"""Lesson 06 in short: a cookie names a session, which begins, is looked up and ends in a table."""

import hashlib
import hmac
import sys
import time
from secrets import token_urlsafe

from flask import abort, current_app, request, session

from groundwork import db

TABLES = """
CREATE TABLE sessions (digest TEXT PRIMARY KEY, account INTEGER, sid TEXT, used REAL, until REAL);
CREATE INDEX sessions_account ON sessions (account);
CREATE INDEX sessions_until ON sessions (until)
"""


def set_up(app):
    secure = app.config["SESSION_COOKIE_SECURE"]
    if type(secure) is not bool:  # the text "no" would count as yes
        sys.exit("FLASK_SESSION_COOKIE_SECURE must be true or false.")
    # A browser takes a cookie __Host-… only over https, from this very host, for all paths.
    app.config["SESSION_COOKIE_NAME"] = "__Host-lesson08" if secure else "lesson08"
    # A Strict one would not come along when another site, the provider, sends the browser back.
    app.config["SESSION_COOKIE_SAMESITE"] = "Lax"
    app.after_request(add_headers)


def browser():
    """Return a random text that this browser and no other has in its cookie from now on."""
    return session.setdefault("browser", token_urlsafe(16))


def begin(account, sid):
    """Begin a session, in place of whatever the browser sent; sid: the provider's name for it.

    Answer 400 if the provider has just ended that: its logout token may overtake a login.
    """
    end()
    session["id"], now = token_urlsafe(32), time.time()
    values = [
        digest(session["id"]),
        account,
        sid,
        now,
        now + current_app.config["ABSOLUTE_TIMEOUT"],
        digest(f"sid {sid!r}"),
        now,
    ]
    begin = """INSERT INTO sessions SELECT ?, ?, ?, ?, ?
        WHERE NOT EXISTS (SELECT 1 FROM logouts WHERE digest = ? AND until > ?)"""
    if not db().execute(begin, values).rowcount:
        abort(400, "The provider has ended this login meanwhile. Begin at /login.")


def find():
    """Return the account of who is logged in, None if nobody is. This counts as a use."""
    find = "SELECT * FROM sessions JOIN accounts ON account = id WHERE digest = ?"
    row = db().execute(find, [digest(session.get("id"))]).fetchone()
    now, ends = time.time(), current_app.config
    if not row:
        return None
    # A time too far ahead tells of a clock that was set back; no session may live on it for ever.
    lives = 0 < row["until"] - now <= ends["ABSOLUTE_TIMEOUT"]
    if not lives or abs(now - row["used"]) >= ends["IDLE_TIMEOUT"]:
        db().execute("DELETE FROM sessions WHERE digest = ?", [row["digest"]])  # for good
        return None
    if abs(now - row["used"]) >= ends["IDLE_TIMEOUT"] / 30:  # not at each request: writing costs
        db().execute("UPDATE sessions SET used = ? WHERE digest = ?", [now, row["digest"]])
    return row


def end():
    """End this browser's session, for every copy of its cookie as well."""
    db().execute("DELETE FROM sessions WHERE digest = ?", [digest(session.get("id"))])
    session.clear()


def end_of(issuer, sub, sid):
    """End the sessions that came of the provider's session sid or, if that is None, all of sub's.

    sub may be None where sid is not. A session of which no sid is known ends with its sub.
    """
    if sid:  # noted for a minute, for a login that is still under way: see begin
        note = "INSERT OR REPLACE INTO logouts VALUES (?, ?)"
        db().execute(note, [digest(f"sid {sid!r}"), time.time() + 60])
    end = """DELETE FROM sessions WHERE account IN
        (SELECT id FROM accounts WHERE issuer = :issuer AND sub = coalesce(:sub, sub))
        AND (:sid IS NULL OR sid = :sid OR sid IS NULL AND :sub IS NOT NULL)"""
    db().execute(end, {"issuer": issuer, "sub": sub, "sid": sid})


def csrf_token():
    """Return what each form of ours sends back, and a page of another site can't know."""
    return session.setdefault("csrf", token_urlsafe(16))


def refuse_forged_form():
    kept, sent = str(session.get("csrf", "")), request.form.get("csrf", "")
    ours = kept and hmac.compare_digest(kept.encode(), sent.encode())
    own = f"{request.scheme}://{request.host}"
    if not ours or request.headers.get("Origin", own) != own:
        abort(400, "This form is too old, or it came without its cookie. Reload it and try again.")


def add_headers(response):
    response.headers["Cache-Control"] = "no-store"  # after logout, the back button shows nothing
    # No form-action: it would hold for where a form's answer sends the browser, the provider too.
    policy = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'"
    response.headers["Content-Security-Policy"] = policy
    return response


def digest(id):
    """Return what is kept of an id. It is random and long, so a quick hash is enough."""
    return hashlib.sha256(str(id).encode("utf-8", "replace")).hexdigest()
