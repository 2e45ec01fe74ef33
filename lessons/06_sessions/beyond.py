# /// script
# requires-python = ">=3.11"
# dependencies = ["flask>=3.1", "libpass[argon2]>=1.9"]
# ///
"""Lesson 06, one step beyond app.py: "remember me", with a token that changes at each use.

A second cookie outlives the browser's closing. It names a series, and the one token of it that
counts; each use begins a session and replaces the token. If a token comes that was replaced before,
two may have a copy, the owner and a thief, and all sessions of that user end. An answer that was
lost on its way looks the same: the browser then comes back with the token before, and its owner has
to log in again, everywhere.
"""

import time
from secrets import token_urlsafe

from flask import g, request

import store
from app import app
from groundwork import add_tables, db, transaction
from store import digest, end_other_sessions, find_session

REMEMBER = 14 * 24 * 3600  # seconds from the last use
GRACE = 5  # seconds in which the token before still counts: two tabs may open at once
COOKIE = f"{app.config['COOKIE']}-remember"
TABLES = """
CREATE TABLE IF NOT EXISTS remembered (series TEXT PRIMARY KEY, name TEXT, password TEXT,
    token TEXT, before TEXT, at REAL);
CREATE INDEX IF NOT EXISTS remembered_name ON remembered (name);
CREATE INDEX IF NOT EXISTS remembered_at ON remembered (at)
"""
app.jinja_env.globals["remember"] = True  # login.html then shows a checkbox


def find_or_begin_session(id):
    """Return the session's row or, for a token that counts, that of a new session."""
    row, (series, _, token) = find_session(id), request.cookies.get(COOKIE, "").partition(".")
    if row or not token:
        return row
    with transaction():  # else a thief's session might begin just after all were ended
        g.id = use_token(series, token) or g.id
    return find_session(g.id)


def use_token(series, token):
    """Return the id of a new session; None, and end all of the user's, if the token was used."""
    find = "SELECT * FROM remembered JOIN users USING (name) WHERE series = ?"
    known, now, fresh = (
        db().execute(find, [digest(series)]).fetchone(),
        time.time(),
        token_urlsafe(32),
    )
    if not known or known["password"] != digest(known["hash"]) or abs(now - known["at"]) > REMEMBER:
        return None
    if known["token"] == digest(token):
        replace = "UPDATE remembered SET before = token, token = ?, at = ? WHERE series = ?"
        db().execute(replace, [digest(fresh), now, digest(series)])
        g.remember = f"{series}.{fresh}"
    elif known["before"] != digest(token) or abs(now - known["at"]) > GRACE:
        db().execute("DELETE FROM sessions WHERE name = ?", [known["name"]])
        db().execute("DELETE FROM remembered WHERE name = ?", [known["name"]])
        return None
    return store.begin_session(known)


def login():
    """Log in, and begin a series if the checkbox was ticked."""
    before, answer = g.id, views["login"]()
    if g.id != before:
        forget_series()  # it may be somebody else's, who was here before
        if request.form.get("remember"):
            with transaction():  # else somebody might end the session just before its series begins
                begin_series(find_session(g.id))
    return answer


def begin_series(user):
    """Have the browser stay logged in. user: None if the session that just began has ended."""
    if not user:
        return
    series, token, now = token_urlsafe(16), token_urlsafe(32), time.time()
    values = [digest(series), user["name"], digest(user["hash"]), digest(token), now]
    db().execute("INSERT INTO remembered VALUES (?, ?, ?, ?, NULL, ?)", values)
    sweep = """DELETE FROM remembered WHERE series IN
        (SELECT series FROM remembered WHERE at < ? LIMIT 100)"""
    db().execute(sweep, [now - REMEMBER])
    g.remember = f"{series}.{token}"


def logout():
    """Log out, and end this browser's series."""
    forget_series()
    return views["logout"]()


def forget_series():
    if own_series():
        db().execute("DELETE FROM remembered WHERE series = ?", [digest(own_series())])
        g.remember = ""


def end_others(name, id):
    """End all of a user's series but this browser's, and all sessions but this one."""
    # In this order: a token that comes in between begins no session, or one that ends here too.
    others = "DELETE FROM remembered WHERE name = ? AND series != ?"
    db().execute(others, [name, digest(own_series())])
    end_other_sessions(name, id)


def own_series():
    return request.cookies.get(COOKIE, "").partition(".")[0]


@app.after_request
def set_cookie(response):
    if "remember" in g:
        how = {"httponly": True, "samesite": "Lax", "secure": app.config["SESSION_COOKIE_SECURE"]}
        response.set_cookie(COOKIE, g.remember, max_age=REMEMBER if g.remember else 0, **how)
    return response


views = dict(app.view_functions)
app.view_functions |= {"login": login, "logout": logout}
store.find_session, store.end_other_sessions = find_or_begin_session, end_others
add_tables(app, TABLES)

if __name__ == "__main__":
    app.run(port=5006, debug=False)
