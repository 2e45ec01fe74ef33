"""A right answer to lesson 06 with Flask-Login: what it keeps of a user is the session's id."""

import secrets

from flask import Flask, abort, redirect, render_template, request, session, url_for
from flask_login import (
    LoginManager,
    UserMixin,
    current_user,
    login_required,
    login_user,
    logout_user,
)

import store

app = Flask(__name__)
app.config["REMEMBER_COOKIE_NAME"] = ";"  # no cookie has this name, so it is never read
store.set_up(app, IDLE_TIMEOUT=1800, ABSOLUTE_TIMEOUT=43200)
app.config.update(SESSION_COOKIE_SAMESITE="Lax", SESSION_COOKIE_NAME="lesson-6")
if app.config["SESSION_COOKIE_SECURE"]:
    app.config["SESSION_COOKIE_NAME"] = "__Host-lesson-6"
manager = LoginManager(app)
manager.session_protection = None


class Visit(UserMixin):
    """A session and its user. get_id is what Flask-Login writes into the cookie."""

    def __init__(self, id, row):
        self.id, self.row = id, row


@manager.user_loader
def load(id):
    row = store.find_session(str(id))
    return Visit(id, row) if row else None


@manager.unauthorized_handler
def to_login():
    path = request.full_path.rstrip("?") if request.method in ("GET", "HEAD") else "/"
    return redirect(url_for("login", next=path))


def page(template, status=200, **values):
    token = session.setdefault("csrf", secrets.token_urlsafe(20))
    user = {"user": current_user.row} if current_user.is_authenticated else {}
    text = render_template(template, csrf=token, g=user, **values)
    return app.response_class(text, status, mimetype="text/html")


def enter(id, user):
    session.clear()
    return login_user(Visit(id, user))


@app.before_request
def protect():
    token = session.get("csrf")
    if request.method == "POST" and (not token or request.form.get("csrf") != token):
        abort(400, "Reload the form.")


@app.after_request
def guard(response):
    response.cache_control.no_store = True
    response.content_security_policy.frame_ancestors = "'none'"
    return response


@app.get("/public")
def public():
    return "Everyone may see this."


@app.get("/")
@login_required
def index():
    return page("index.html")


@app.get("/admin")
@login_required
def admin():
    return "Hello, admin!" if current_user.row["admin"] else abort(403)


@app.get("/login")
def login():
    return page("login.html")


@app.post("/login")
def log_in():
    user = store.check_password(request.form.get("username", ""), request.form.get("password", ""))
    id = store.begin_session(user) if user else None
    if not id:
        return page("login.html", 403, error="That was wrong.")
    if current_user.is_authenticated:
        store.end_session(current_user.id)
    enter(id, user)
    target = request.args.get("next", "/")
    good = target[:1] == "/" and target.isprintable() and "\\" not in target and "//" not in target
    return redirect(target if good and "%" not in target.split("?")[0] else "/")


@app.post("/logout")
@login_required
def log_out():
    store.end_session(current_user.id)
    logout_user()
    session.clear()
    return redirect(url_for("login"))


@app.post("/password")
@login_required
def password():
    new, name = store.clean(request.form.get("new", ""), 1024), current_user.row["name"]
    if new is None:
        abort(400)
    user = store.check_password(name, request.form.get("old", ""))
    id = user and store.change_password(user, new)
    if not id:
        abort(403)
    enter(id, user)
    return redirect(url_for("index"))


@app.get("/sessions")
@login_required
def sessions():
    return page("sessions.html", sessions=store.sessions_of(current_user.row["name"]))


@app.post("/sessions/end")
@login_required
def end_sessions():
    store.end_other_sessions(current_user.row["name"], current_user.id)
    return redirect(url_for("sessions"))
