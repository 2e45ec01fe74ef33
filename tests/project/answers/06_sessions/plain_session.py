"""A right answer to lesson 06 with Flask's own `session`: it holds an id, and a token for forms."""

import hmac
import secrets
from functools import wraps
from urllib.parse import unquote

from flask import Flask, abort, g, redirect, render_template, request, session, url_for

import store

app = Flask(__name__)
store.set_up(app, IDLE_TIMEOUT=1800, ABSOLUTE_TIMEOUT=43200)
secure = app.config["SESSION_COOKIE_SECURE"]
app.config["SESSION_COOKIE_NAME"] = ("__Host-" if secure else "") + "mine"
app.config["SESSION_COOKIE_SAMESITE"] = "Lax"


def html(template, status=200, **values):
    session.setdefault("csrf", secrets.token_hex(16))
    page = render_template(template, csrf=session["csrf"], **values)
    return page, status, {"Content-Type": "text/html; charset=utf-8"}


def start_session(id):
    session.clear()
    session["sid"] = id


@app.before_request
def look_up():
    id = session.get("sid")
    g.user = store.find_session(id) if isinstance(id, str) else None


@app.before_request
def check_token():
    if request.method == "POST":
        wanted, sent = str(session.get("csrf", "")), request.form.get("csrf", "")
        if not wanted or not hmac.compare_digest(wanted.encode(), sent.encode()):
            abort(400, "This form is too old, or not ours.")


@app.after_request
def headers(response):
    if request.endpoint != "public":
        response.headers["Cache-Control"] = "private, no-store"
    response.headers["X-Frame-Options"] = "DENY"
    return response


def private(view):
    @wraps(view)
    def wrapper(*args, **kwargs):
        if g.user is None:
            return redirect(url_for("login", next=request.full_path.rstrip("?")))
        return view(*args, **kwargs)

    return wrapper


@app.get("/public")
def public():
    return "Hello, whoever you are!"


@app.get("/")
@private
def index():
    return html("index.html")


@app.get("/admin")
@private
def admin():
    if not g.user["admin"]:
        abort(403)
    return "Hello, admin!"


@app.route("/login", methods=["GET", "POST"])
def login():
    if request.method != "POST":
        return html("login.html")
    user = store.check_password(request.form.get("username", ""), request.form.get("password", ""))
    id = store.begin_session(user) if user else None
    if id is None:
        return html("login.html", 403, error="Wrong.")
    if g.user:
        store.end_session(session["sid"])
    start_session(id)
    return redirect(safe(request.args.get("next")))


def safe(target):
    """Only what looks like one of our paths, however often it is decoded."""
    for text in (target or "", unquote(target or "")):
        if not text.startswith("/") or text[1:2] in ("/", "\\") or not text.isprintable():
            return "/"
    return target


@app.post("/logout")
@private
def logout():
    store.end_session(session["sid"])
    session.clear()
    return redirect(url_for("login"))


@app.post("/password")
@private
def password():
    new = store.clean(request.form.get("new", ""), 1024)
    if new is None:
        abort(400)
    user = store.check_password(g.user["name"], request.form.get("old", ""))
    id = store.change_password(user, new) if user else None
    if id is None:
        abort(403)
    start_session(id)
    return redirect(url_for("index"))


@app.get("/sessions")
@private
def sessions():
    return html("sessions.html", sessions=store.sessions_of(g.user["name"]))


@app.post("/sessions/end")
@private
def end_others():
    store.end_other_sessions(g.user["name"], session["sid"])
    return redirect(url_for("sessions"))
