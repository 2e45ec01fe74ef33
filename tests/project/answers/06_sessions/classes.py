"""A right answer to lesson 06 in classes, with tokens that are signed and timed as Flask-WTF's are.

The login's target travels in a hidden field, and the token in a cookie of its own.
"""

import secrets
import time
from hashlib import sha256
from urllib.parse import quote, unquote

from flask import Flask, abort, g, make_response, redirect, render_template_string, request
from flask.views import MethodView
from itsdangerous import BadData, URLSafeTimedSerializer

import groundwork
import store
from groundwork import db, transaction

LAYOUT = """<!doctype html><html lang="en"><title>Mine</title>{% macro hidden() %}
<input type="hidden" name="token" value="{{ token }}">{% endmacro %}"""
LOGIN = (
    LAYOUT
    + """{{ error }}<form method="post" action="/login">{{ hidden() }}
<input type="hidden" name="next" value="{{ next }}"><label>Name <input name="username"></label>
<label>Password <input name="password" type="password"></label><button>Go</button></form>"""
)
INDEX = (
    LAYOUT
    + """<p>Hello, {{ g.visit.name }}!</p>
<form method="post" action="/logout">{{ hidden() }}<button>Out</button></form>
<form method="post" action="/password">{{ hidden() }}<input name="old"><input name="new">
<button>Change</button></form>"""
)
LIST = (
    LAYOUT
    + """{% for row in rows %}<p>{{ row.browser }} {{ row.begun }} {{ row.used }}
{{ "you" if row.digest == g.visit.digest }}</p>{% endfor %}
<form method="post" action="/sessions/end">{{ hidden() }}<button>End others</button></form>"""
)


class Visits:
    """The table of sessions. What is kept of an id is a keyed hash."""

    def __init__(self, app):
        self.app = app

    def digest(self, id):
        return sha256(self.app.secret_key.encode() + id.encode()).hexdigest()

    def find(self, id):
        both = "SELECT * FROM sessions JOIN users USING (name) WHERE digest = ?"
        row = db().execute(both, [self.digest(id)]).fetchone()
        if row and not self.lives(row):
            db().execute("DELETE FROM sessions WHERE digest = ?", [row["digest"]])
            return None
        if row:
            now = [time.time(), row["digest"]]
            db().execute("UPDATE sessions SET used = ? WHERE digest = ?", now)
        return row

    def lives(self, row):
        limits, now = self.app.config, time.time()
        return (
            abs(now - row["used"]) < limits["IDLE_TIMEOUT"]
            and abs(now - row["begun"]) < limits["ABSOLUTE_TIMEOUT"]
        )

    def begin(self, user):
        """Return the id of a new session if the user's hash is still this one."""
        id, now = secrets.token_urlsafe(32), time.time()
        values = [self.digest(id), now, now, request.user_agent.string[:150]]
        with transaction():
            known = db().execute(
                "SELECT 1 FROM users WHERE name = ? AND hash = ?", [user["name"], user["hash"]]
            )
            if not known.fetchone():
                return None
            db().execute(
                "INSERT INTO sessions (digest, begun, used, browser, name) VALUES (?, ?, ?, ?, ?)",
                [*values, user["name"]],
            )
        return id

    def end(self, rule, *values):
        db().execute(f"DELETE FROM sessions WHERE {rule}", values)


class Page(MethodView):
    """A page for who is logged in."""

    def dispatch_request(self, *args, **kwargs):
        g.visit = visits.find(request.cookies.get(app.config["NAME"], ""))
        if not g.visit:
            return redirect(f"/login?next={quote(request.full_path.rstrip('?'))}")
        return super().dispatch_request(*args, **kwargs)


class Index(Page):
    def get(self):
        return show(INDEX)


class Admin(Page):
    def get(self):
        if not g.visit["admin"]:
            abort(403, "Admins only.")
        return show(LAYOUT + "Hello, admin!")


class Login(MethodView):
    def get(self):
        return show(LOGIN, next=request.args.get("next", ""))

    def post(self):
        name, password = request.form.get("username", ""), request.form.get("password", "")
        user = store.check_password(name, password)
        id = visits.begin(user) if user else None
        if not id:
            return show(LOGIN, 403, error="Name or password is wrong.")
        visits.end("digest = ?", visits.digest(request.cookies.get(app.config["NAME"], "")))
        return with_cookie(redirect(own(request.form.get("next", ""))), id)


class Logout(Page):
    def post(self):
        visits.end("digest = ?", g.visit["digest"])
        return redirect("/login", 303)


class Password(Page):
    def post(self):
        new = store.clean(request.form.get("new", ""), 1024)
        if new is None:
            abort(400, "No such password.")
        user = store.check_password(g.visit["name"], request.form.get("old", ""))
        if not user:
            abort(403, "Wrong.")
        fresh = store.argon2id.hash(new)
        with transaction():
            change = "UPDATE users SET hash = ? WHERE name = ? AND hash = ?"
            if db().execute(change, [fresh, user["name"], user["hash"]]).rowcount != 1:
                abort(403, "Wrong by now.")
            visits.end("name = ? AND digest != ?", user["name"], g.visit["digest"])
        return redirect("/", 303)


class Sessions(Page):
    def get(self):
        rows = db().execute("SELECT * FROM sessions WHERE name = ?", [g.visit["name"]])
        return show(LIST, rows=[row for row in rows if visits.lives(row)])


class EndSessions(Page):
    def post(self):
        visits.end("name = ? AND digest != ?", g.visit["name"], g.visit["digest"])
        return redirect("/sessions")


def show(template, status=200, **values):
    g.raw = request.cookies.get(app.config["NAME"] + "-form") or secrets.token_hex(16)
    token = signer().dumps(g.raw)
    response = make_response(render_template_string(template, token=token, **values), status)
    response.mimetype = "text/html"
    name = app.config["NAME"] + "-form"
    response.set_cookie(name, g.raw, httponly=True, samesite="Strict", secure=secure)
    return response


def with_cookie(response, id):
    name = app.config["NAME"]
    response.set_cookie(name, id, httponly=True, samesite="Lax", secure=secure)
    return response


def signer():
    return URLSafeTimedSerializer(app.secret_key, salt="form")


def own(target):
    once = unquote(target)
    good = target[:1] == "/" and once[:2] not in ("//", "/\\") and once.isprintable()
    return target if good and target[1:2] not in ("/", "\\") else "/"


def check_forms():
    if request.method != "POST":
        return
    try:
        raw = signer().loads(request.form.get("token", ""), max_age=3600)
    except BadData:
        abort(400, "This form is too old.")
    if raw != request.cookies.get(app.config["NAME"] + "-form"):
        abort(400, "This form is not yours.")
    if request.headers.get("Origin", request.url_root[:-1]) != request.url_root[:-1]:
        abort(403, "This form is not ours.")


def add_headers(response):
    response.headers["Cache-Control"] = "no-store, private"
    response.headers["Content-Security-Policy"] = "frame-ancestors 'none'; default-src 'self'"
    return response


app = Flask(__name__)
lifetimes = {"IDLE_TIMEOUT": 1800, "ABSOLUTE_TIMEOUT": 43200}
groundwork.set_up(app, 5006, store.TABLES, store.add_demo_users, **lifetimes)
secure = app.config["SESSION_COOKIE_SECURE"]
app.config["NAME"] = "__Host-my-lesson" if secure else "my-lesson"
visits = Visits(app)
app.before_request(check_forms)
app.after_request(add_headers)
app.add_url_rule("/public", "public", lambda: "Hello!")
for path, view in {
    "/": Index, "/admin": Admin, "/login": Login, "/logout": Logout, "/password": Password,
    "/sessions": Sessions, "/sessions/end": EndSessions,
}.items():  # fmt: skip
    app.add_url_rule(path, view_func=view.as_view(view.__name__.lower()))
