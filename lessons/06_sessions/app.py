# /// script
# requires-python = ">=3.11"
# dependencies = ["flask>=3.1", "libpass[argon2]>=1.9"]
# ///
"""Lesson 06, done right: sessions, with a form, a cookie and a way out (RFC 6265).

The password is sent once, in a form. Afterwards a cookie holds the id of a session: a random text
that says nothing. Whose session it is, and whether it still counts, is looked up in a table at
each request, so the server can end a session whenever it wants, with all copies of its cookie.
"""

import hmac
import re
import secrets
from functools import wraps
from urllib.parse import unquote

from flask import Flask, abort, g, redirect, render_template, request, url_for
from flask.sessions import SessionInterface

import store

app = Flask(__name__)
# Our pages load nothing, and no page of another site can show them in a frame.
POLICY = "default-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"


class NoSession(SessionInterface):
    def open_session(self, app, request):
        return None  # Flask's own, whose cookie anybody can read, isn't used, so none is opened


app.session_interface = NoSession()


@app.before_request
def read_cookie():
    g.id = request.cookies.get(app.config["COOKIE"], "")  # if a view changes it, so does the cookie


def login_required(view):
    """Keep a view from whoever isn't logged in; it finds session and user, one row, in g.user."""

    @wraps(view)
    def wrapper(*args, **kwargs):
        g.user = store.find_session(g.id)
        if not g.user:
            path = request.script_root + request.full_path.removesuffix("?")
            back = {"next": path} if request.method == "GET" else {}  # a form can't be sent again
            return redirect(url_for("login_form", **back))
        return view(*args, **kwargs)

    return wrapper


@app.get("/public")
def public():
    return "Hello, whoever you are!\n"


@app.get("/")
@login_required
def index():
    return page("index.html")


@app.get("/admin")
@login_required
def admin():
    if not g.user["admin"]:
        abort(403, "You are known, but this is for admins.")
    return f"Hello, admin {g.user['name']}!\n"


@app.get("/login")
def login_form():
    g.id = g.id or secrets.token_urlsafe(32)  # of no session yet, but the form needs its token
    return page("login.html")


@app.post("/login")
def login():
    user = store.check_password(request.form.get("username", ""), request.form.get("password", ""))
    id = user and store.begin_session(user)
    if not id:
        return page("login.html", 403, error="User name or password is wrong.")
    store.end_session(g.id)  # whatever the browser sent is worth nothing from now on
    g.id = id
    return redirect(own_path(request.args.get("next", "")), 303)


def own_path(target):
    """Return a target if it is a path of this site, else the start page."""
    # Browsers read \ as / and skip tabs and line breaks; what follows // is another host.
    for text in (target, unquote(target)):
        if not re.fullmatch(r"/(?!/)[^\\]*", text) or not text.isprintable():
            return url_for("index")
    return target


@app.post("/logout")
@login_required
def logout():
    store.end_session(g.id)
    g.id = ""
    return redirect(url_for("login_form"), 303)


@app.post("/password")
@login_required
def change_password():
    new = store.clean(request.form.get("new", ""), 1024)
    if new is None:
        abort(400, "A password is 1 to 1024 bytes of text without NUL.")
    user = store.check_password(g.user["name"], request.form.get("old", ""))
    id = user and store.change_password(user, new)
    if not id:
        abort(403, "The old password is wrong.")
    g.id = id  # this session has ended as well: somebody may have a copy of its cookie
    return redirect(url_for("sessions"), 303)


@app.get("/sessions")
@login_required
def sessions():
    return page("sessions.html", sessions=store.sessions_of(g.user["name"]))


@app.post("/sessions/end")
@login_required
def end_sessions():
    store.end_other_sessions(g.user["name"], g.id)
    return redirect(url_for("sessions"), 303)


def page(template, status=200, **values):
    html = render_template(template, csrf=csrf_token(), **values)
    return app.response_class(html + "\n", status, mimetype="text/html")


def csrf_token():
    """Return what our forms send back along with the cookie. Pages of other sites don't know it."""
    return hmac.digest(app.secret_key.encode(), g.id.encode(), "sha256").hex()


def refuse_forged_forms():
    """Refuse a form that a page of another origin makes the browser send (CSRF)."""
    if request.method != "POST":
        return
    sent, wanted = request.form.get("csrf", ""), csrf_token()
    if not g.id or not hmac.compare_digest(sent.encode(), wanted.encode()):
        abort(400, "This form is too old, or came without its cookie. Load it anew and try again.")
    # A page on another port of this host can set our cookie, to one whose token it knows.
    own = f"{request.scheme}://{request.host}"
    if request.headers.get("Origin", own) != own:
        abort(403, "This form came from a page of another origin (scheme, host and port).")


@app.after_request
def add_headers(response):
    response.headers["Cache-Control"] = "no-store"  # after logout, the back button shows nothing
    response.headers["Content-Security-Policy"] = POLICY
    if g.id != request.cookies.get(app.config["COOKIE"], ""):
        how = {"httponly": True, "samesite": "Lax", "secure": app.config["SESSION_COOKIE_SECURE"]}
        response.set_cookie(app.config["COOKIE"], g.id, max_age=None if g.id else 0, **how)
    return response


store.set_up(app, IDLE_TIMEOUT=1800, ABSOLUTE_TIMEOUT=43200)
app.before_request(refuse_forged_forms)  # once the body was found whole, which set_up sees to
# A browser takes a cookie __Host-… only over https, from this very host, for all paths.
app.config["COOKIE"] = "__Host-lesson06" if app.config["SESSION_COOKIE_SECURE"] else "lesson06"

if __name__ == "__main__":
    app.run(port=5006, debug=False)
