# /// script
# requires-python = ">=3.11"
# dependencies = ["flask>=3.1", "flask-login>=0.6.3", "libpass[argon2]>=1.9"]
# ///
"""Lesson 06, done right: a form, a cookie and a way out (RFC 6265) with Flask-Login.

The password is sent once, in a form. Afterwards a cookie names the session, and what the name
stands for is looked up in a table at each request. So the server can end a session at any time,
and nothing that the cookie says about its user is believed.
"""

import hmac
import re
import secrets
from urllib.parse import unquote

from flask import Flask, abort, redirect, render_template, request, session, url_for
from flask_login import LoginManager, UserMixin, current_user, login_required, login_user

import store

app = Flask(__name__)
logins = LoginManager(app)
logins.session_protection = None  # it takes a phone that changes networks for a thief
app.config["REMEMBER_COOKIE_NAME"] = ";"  # no cookie has this name: we don't use Flask-Login's


class User(UserMixin):
    """Who is logged in. The id, all that Flask-Login keeps of it, is the session's."""

    def __init__(self, id, row):
        self.id, self.name, self.hash, self.admin = id, row["name"], row["hash"], row["admin"]


@logins.user_loader
def load_user(id):
    row = store.find_session(id)
    return User(id, row) if row else None


@logins.unauthorized_handler
def ask_to_log_in():
    path = request.script_root + request.full_path.removesuffix("?")
    return redirect(url_for("login_form", next=path if request.method == "GET" else None))


def begin_session(user):
    """Log a user in, in place of whatever the browser sent; False if the password changed."""
    id = store.begin_session(user, request.user_agent.string[:200])
    if not id:
        return False
    if current_user.is_authenticated:
        store.end_session(current_user.id)
    session.clear()
    csrf_token()  # a new one now, so that pages which are opened at once share it
    return login_user(User(id, user))


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
    return page("login.html")


@app.post("/login")
def login():
    user = store.check_password(request.form.get("username", ""), request.form.get("password", ""))
    if not user or not begin_session(user):
        return page("login.html", 403, error="User name or password is wrong.")
    return redirect(own_path(request.args.get("next", "")), 303)


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
    store.end_session(current_user.id)  # a copy of the cookie ends as well
    session.clear()
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
    begin_session(changed)  # all have ended, this one and any copy of its cookie too
    return redirect(url_for("index"), 303)


@app.get("/sessions")
@login_required
def sessions():
    rows, this = store.sessions_of(current_user.name), store.digest(current_user.id)
    return page("sessions.html", sessions=rows, this=this)


@app.post("/sessions/end")
@login_required
def end_sessions():
    store.end_other_sessions(current_user.name, current_user.id)
    return redirect(url_for("sessions"), 303)


def page(template, status=200, **values):
    return render_template(template, **values), status, {"Content-Type": "text/html; charset=utf-8"}


@app.template_global()
def csrf_token():
    """Return what each form of ours sends back, and a page of another site can't know."""
    return session.setdefault("csrf", secrets.token_urlsafe(16))


@app.before_request
def refuse_forged_forms():
    """Refuse a form that a page of another origin makes the browser send (CSRF)."""
    if request.method != "POST":
        return
    kept, sent = str(session.get("csrf", "")), request.form.get("csrf", "")
    if not kept or not hmac.compare_digest(kept.encode(), sent.encode()):
        abort(400, "This form is too old, or it came without its cookie. Reload it and try again.")
    # A page of the same host and another port can set our cookies, to one whose token it knows.
    own = f"{request.scheme}://{request.host}"
    if request.headers.get("Origin", own) != own:
        abort(403, "This form came from a page of another origin (scheme, host and port).")


@app.after_request
def add_headers(response):
    response.headers["Cache-Control"] = "no-store"  # after logout, the back button shows nothing
    policy = "default-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    response.headers["Content-Security-Policy"] = policy
    return response


app.config["SESSION_COOKIE_SAMESITE"] = "Lax"
store.set_up(app, IDLE_TIMEOUT=1800, ABSOLUTE_TIMEOUT=43200)
# A browser takes a cookie __Host-… only over https, from this very host, for all paths.
secure = app.config["SESSION_COOKIE_SECURE"]
app.config["SESSION_COOKIE_NAME"] = "__Host-lesson06" if secure else "lesson06"

if __name__ == "__main__":
    app.run(port=5006, debug=False)
