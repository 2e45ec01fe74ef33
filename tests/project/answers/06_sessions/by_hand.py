"""A right answer to lesson 06 by hand: the standard library and Flask, no token in any form.

Where a form comes from is read in Origin and Sec-Fetch-Site alone.
"""

import hashlib
import hmac
import html
import os
import re
import secrets
import sqlite3
import sys
import time
import unicodedata
from urllib.parse import quote

from flask import Flask, Response, redirect, request

app = Flask(__name__)
app.config.update(IDLE_TIMEOUT=1800, ABSOLUTE_TIMEOUT=43200, MAX_CONTENT_LENGTH=16384)
app.config.from_prefixed_env()
FILE = app.config.get("DATABASE") or os.path.join(app.root_path, "by_hand.db")
for setting in ("IDLE_TIMEOUT", "ABSOLUTE_TIMEOUT"):
    if type(app.config[setting]) is not int or app.config[setting] < 1:
        sys.exit(f"FLASK_{setting} must be a whole number, 1 or more.")
SECURE = app.config["SESSION_COOKIE_SECURE"] is True
COOKIE = "__Host-visit" if SECURE else "visit"


def query(sql, *values):
    db = sqlite3.connect(FILE, timeout=10, isolation_level=None)
    try:
        return db.execute(sql, values).fetchall()
    finally:
        db.close()


def scrypt(password, salt):
    return hashlib.scrypt(password, salt=salt, n=2**14, r=8, p=1).hex()


def hashed(password):
    salt = secrets.token_bytes(16)
    return f"{salt.hex()}${scrypt(password, salt)}"


def fits(password, stored):
    salt, _, wanted = stored.partition("$")
    return hmac.compare_digest(scrypt(password, bytes.fromhex(salt)), wanted)


def clean(text):
    """The password as bytes, or None."""
    if not text or len(text) > 2000 or "\0" in text:
        return None
    raw = unicodedata.normalize("NFC", text).encode()
    return raw if len(raw) <= 1024 else None


query("CREATE TABLE IF NOT EXISTS people (name TEXT PRIMARY KEY, hash TEXT, boss INTEGER)")
query(
    """CREATE TABLE IF NOT EXISTS visits
    (tag BLOB PRIMARY KEY, name TEXT, first REAL, last REAL, agent TEXT)"""
)
for name, word, boss in [("user1", b"pass1", 1), ("user2", b"pass2", 0)]:
    query("INSERT OR IGNORE INTO people VALUES (?, ?, ?)", name, hashed(word), boss)
SOMEBODY = hashed(b"nobody has this password")


def tag(id):
    return hashlib.blake2b(id.encode("utf-8", "replace"), digest_size=32).digest()


def visit():
    """Return (tag, name, boss) of the session that the cookie names, or None."""
    mine, now = tag(request.cookies.get(COOKIE, "")), time.time()
    found = query(
        "SELECT name, boss, first, last FROM visits JOIN people USING (name) WHERE tag = ?", mine
    )
    if not found:
        return None
    name, boss, first, last = found[0]
    idle, age = app.config["IDLE_TIMEOUT"], app.config["ABSOLUTE_TIMEOUT"]
    if not now - idle < last < now + idle or not now - age < first < now + age:
        query("DELETE FROM visits WHERE tag = ?", mine)
        return None
    query("UPDATE visits SET last = ? WHERE tag = ?", now, mine)
    return mine, name, boss


def check(name, password):
    """Return the stored hash if the password is right, else None."""
    found, word = query("SELECT hash FROM people WHERE name = ?", name), clean(password)
    stored = found[0][0] if found else SOMEBODY
    right = fits(word or b"-", stored)
    return stored if right and found and word else None


def begin(name, stored, response):
    """Begin a session unless the hash has changed; the old one of this browser ends."""
    id, now, agent = secrets.token_hex(32), time.time(), request.headers.get("User-Agent", "")[:99]
    query(
        "INSERT INTO visits SELECT ?, name, ?, ?, ? FROM people WHERE name = ? AND hash = ?",
        tag(id), now, now, agent, name, stored,
    )  # fmt: skip
    if not query("SELECT 1 FROM visits WHERE tag = ?", tag(id)):
        return page(FORM.format("Wrong."), 403)
    query("DELETE FROM visits WHERE tag = ?", tag(request.cookies.get(COOKIE, "")))
    end = "; Secure" if SECURE else ""
    response.headers["Set-Cookie"] = f"{COOKIE}={id}; Path=/; HttpOnly; SameSite=Lax{end}"
    return response


FORM = """<form method=post><b>{}</b><input name=username><input name=password type=password>
<button>Log in</button></form>"""


def page(text, status=200):
    return Response(f"<!doctype html><title>Lesson 06</title>{text}", status)


def to_login():
    return redirect("/login?next=" + quote(request.full_path if request.method == "GET" else "/"))


@app.before_request
def refuse_strangers():
    if request.method == "POST":
        site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
        if site not in (None, "same-origin", "none") or origin not in (None, request.host_url[:-1]):
            return Response("This form is not ours.\n", 403)


@app.after_request
def headers(response):
    response.headers["Cache-Control"] = "no-store"
    response.headers["Content-Security-Policy"] = "frame-ancestors 'self'"
    return response


@app.get("/public")
def public():
    return page("Come in.")


@app.get("/")
def index():
    found = visit()
    if not found:
        return to_login()
    return page(f"Hello, {html.escape(found[1])}!<form method=post action=/logout><button></form>")


@app.get("/admin")
def admin():
    found = visit()
    return page("Admins.", 200 if found[2] else 403) if found else to_login()


@app.route("/login", methods=["GET", "POST"])
def login():
    if request.method != "POST":
        return page(FORM.format("Log in:"))
    name = request.form.get("username", "")
    stored = check(name, request.form.get("password", ""))
    if not stored:
        return page(FORM.format("Wrong."), 403)
    where = request.args.get("next", "/")
    plain = re.fullmatch(r"/([\w.-]+(/[\w.-]+)*)?/?(\?[\w=&%.+-]*)?", where)
    return begin(name, stored, redirect(where if plain else "/", 303))


@app.post("/logout")
def logout():
    found = visit()
    if found:
        query("DELETE FROM visits WHERE tag = ?", found[0])
    response = redirect("/login")
    response.delete_cookie(COOKIE, secure=SECURE, httponly=True, samesite="Lax")
    return response


@app.post("/password")
def password():
    found, new = visit(), clean(request.form.get("new", ""))
    if not found:
        return to_login()
    if not new:
        return Response("No password.", 400)
    mine, name, _ = found
    stored = check(name, request.form.get("old", ""))
    if not stored:
        return Response("Wrong.", 403)
    fresh = hashed(new)
    query("UPDATE people SET hash = ? WHERE name = ? AND hash = ?", fresh, name, stored)
    if not query("SELECT 1 FROM people WHERE name = ? AND hash = ?", name, fresh):
        return Response("Wrong by now.", 403)
    query("DELETE FROM visits WHERE name = ? AND tag != ?", name, mine)
    return redirect("/", 303)


@app.get("/sessions")
def sessions():
    found = visit()
    if not found:
        return to_login()
    rows, now = "", time.time()
    for tag_, first, last, agent in query(
        "SELECT tag, first, last, agent FROM visits WHERE name = ?", found[1]
    ):
        if last > now - app.config["IDLE_TIMEOUT"]:
            here = " aria-current=true" if tag_ == found[0] else ""
            rows += f"<li{here}>{html.escape(agent)}, {time.ctime(first)}, {time.ctime(last)}</li>"
    return page(f"<ul>{rows}</ul>")


@app.post("/sessions/end")
def end_sessions():
    found = visit()
    if not found:
        return to_login()
    query("DELETE FROM visits WHERE name = ? AND tag != ?", found[1], found[0])
    return redirect("/sessions", 303)
