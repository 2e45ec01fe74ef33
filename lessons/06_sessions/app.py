# /// script
# requires-python = ">=3.11"
# dependencies = ["flask>=3.1", "flask-login>=0.6.3", "libpass[argon2]>=1.9"]
# ///
"""Lesson 06, done right: a form, a cookie and a way out (RFC 6265) with Flask-Login.

The password is sent once, in a form. Afterwards a cookie holds the id of a session, a random text
that says nothing; whose session it is, and whether it still counts, is looked up in a table at
each request. So the server can end a session at any time, wherever copies of the cookie are.
"""

import hmac
import re
import secrets
from urllib.parse import unquote

from flask import Flask, abort, g, redirect, render_template, request, url_for
from flask_login import LoginManager, UserMixin, current_user, login_required

import store

app = Flask(__name__)
app.config["REMEMBER_COOKIE_NAME"] = ";"  # no cookie is called so: Flask-Login's own one is off
logins = LoginManager(app)


class User(UserMixin):
    """Who is logged in: the columns of the session and of its user."""

    def __init__(self, row):
        self.__dict__.update(row)


@logins.request_loader
def load_user(request):
    row = store.find_session(g.id) if g.id else None
    return User(row) if row else None


@logins.unauthorized_handler
def ask_to_log_in():
    path = request.script_root + request.full_path.removesuffix("?")
    return redirect(url_for("login_form", next=path if request.method == "GET" else None))


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
    if not current_user.admin:
        abort(403, "You are known, but this is for admins.")
    return f"Hello, admin {current_user.name}!\n"


@app.get("/login")
def login_form():
    g.id = g.id or secrets.token_urlsafe(32)  # names no session; the form's token belongs to it
    return page("login.html")


@app.post("/login")
def login():
    user = store.check_password(request.form.get("username", ""), request.form.get("password", ""))
    if not user or not begin_session(user):
        return page("login.html", 403, error="User name or password is wrong.")
    return redirect(own_path(request.args.get("next", "")), 303)


def begin_session(user):
    """Begin a new session in place of what the browser sent; False if the password has changed."""
    id = store.begin_session(user, request.user_agent.string[:200])
    if id:
        store.end_session(g.id)
        g.id = id
    return id is not None


def own_path(target):
    """Return a target if it is a path of this site, else the start page."""
    # Browsers read \ as /, and skip tabs and line breaks; // begins the name of another host.
    for text in (target, unquote(target)):
        if not re.fullmatch(r"/(?!/)[^\\]*", text) or not text.isprintable():
            return url_for("index")
    return target


@app.post("/logout")
@login_required
def logout():
    store.end_session(g.id)  # copies of the cookie end as well
    g.id = ""
    return redirect(url_for("login_form"), 303)


@app.post("/password")
@login_required
def change_password():
    new = store.clean(request.form.get("new", ""), 1024)
    if new is None:
        return page("index.html", 400, error="A password is 1 to 1024 bytes of text without NUL.")
    user = store.check_password(current_user.name, request.form.get("old", ""))
    changed = store.change_password(user, new) if user else None
    if not changed:
        return page("index.html", 403, error="The old password is wrong.")
    begin_session(changed)  # all have ended, and so have copies of this one's cookie
    return redirect(url_for("index"), 303)


@app.get("/sessions")
@login_required
def sessions():
    return page("sessions.html", sessions=store.sessions_of(current_user.name))


@app.post("/sessions/end")
@login_required
def end_sessions():
    store.end_other_sessions(current_user.name, g.id)
    return redirect(url_for("sessions"), 303)


def page(template, status=200, **values):
    html = render_template(template, csrf=csrf_token(), **values)
    return html, status, {"Content-Type": "text/html; charset=utf-8"}


def csrf_token():
    """Return what our forms send back with the cookie, and no page of another site can know."""
    return hmac.digest(app.secret_key.encode(), g.id.encode("utf-8", "replace"), "sha256").hex()


@app.before_request
def read_cookie():
    g.id = request.cookies.get(app.config["COOKIE"], "")  # what a view changes is sent back


@app.before_request
def refuse_forged_forms():
    """Refuse a form that a page of another origin makes the browser send (CSRF)."""
    if request.method != "POST":
        return
    sent, token = request.form.get("csrf", ""), csrf_token()
    if not g.id or not hmac.compare_digest(sent.encode(), token.encode()):
        abort(400, "This form came without its cookie, or is too old. Reload it and try again.")
    # A page on another port of this host can set the cookie, to one whose token it knows.
    own = f"{request.scheme}://{request.host}"
    if request.headers.get("Origin", own) != own:
        abort(403, "This form came from a page of another origin (scheme, host and port).")


@app.after_request
def add_headers(response):
    if "id" in g and g.id != request.cookies.get(app.config["COOKIE"], ""):
        secure, ends = app.config["SESSION_COOKIE_SECURE"], None if g.id else 0
        how = {"httponly": True, "samesite": "Lax", "secure": secure, "max_age": ends}
        response.set_cookie(app.config["COOKIE"], g.id, **how)
    response.headers["Cache-Control"] = "no-store"  # after logout, the back button shows nothing
    response.headers["Content-Security-Policy"] = POLICY
    return response


POLICY = "default-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
store.set_up(app, IDLE_TIMEOUT=1800, ABSOLUTE_TIMEOUT=43200)
# A browser takes a cookie __Host-… only over https, from this very host, for all paths.
secure = app.config["SESSION_COOKIE_SECURE"]
app.config["COOKIE"] = "__Host-lesson06" if secure else "lesson06"

if __name__ == "__main__":
    app.run(port=5006, debug=False)
