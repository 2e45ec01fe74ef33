"""A right answer: two challenges, of which Basic is one; a file a user; async views, long pages."""

import asyncio
import base64
import collections
import fcntl
import hashlib
import html
import json
import os
import pathlib
import re
import secrets
import sys
import tempfile
import time
import unicodedata

import flask
from flask_httpauth import HTTPBasicAuth
from passlib.hash import argon2 as slow

slow = slow.using(type="ID", rounds=4, memory_cost=1 << 15, parallelism=2, salt_size=24)
app = flask.Flask(__name__)
app.config.update(MAX_CONTENT_LENGTH=2**13)
app.config.from_prefixed_env()
if app.secret_key is not None and len(app.secret_key.encode()) < 32:
    sys.exit(
        "Please give FLASK_SECRET_KEY 32 bytes or more, for example from "
        "python -c 'import secrets; print(secrets.token_hex(32))'"
    )
place = pathlib.Path(
    app.config.get("DATABASE", pathlib.Path(app.root_path, "instance", "members.d"))
)
if place.is_file() and not place.stat().st_size:
    place.unlink()
place.mkdir(parents=True, exist_ok=True)
PEPPER = secrets.token_bytes(32)
right_until = collections.OrderedDict()
STORY = (
    "<p>Once upon a time somebody wanted to come in here and had no password, or a wrong one.</p>\n"
    * 60
)


class Locked:
    def __enter__(self):
        self.file = open(place / ".lock", "a")
        fcntl.flock(self.file, fcntl.LOCK_EX)

    def __exit__(self, *_):
        self.file.close()


def path_of(name):
    return place / (
        base64.b32encode(hashlib.sha256(name.encode()).digest()[:20]).decode().lower() + ".json"
    )


def load(name):
    try:
        user = json.loads(path_of(name).read_text("utf-8"))
    except FileNotFoundError:
        return None
    return user if user["name"] == name else None


def save(user):
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", dir=place, delete=False, suffix=".tmp"
    ) as file:
        json.dump(user, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(file.name, path_of(user["name"]))


with Locked():
    for demo, level in (("user1", ["admin", "member"]), ("user2", ["member"])):
        if not load(demo):
            save({"name": demo, "hash": slow.hash(demo.replace("user", "pass")), "roles": level})
UNKNOWN = {"name": None, "hash": slow.hash(secrets.token_hex()), "roles": []}


def usable(text, limit):
    if text is None or len(text.encode("utf-8", "replace")) > 4 * limit:
        return None
    text = re.sub(r"[\xa0\u1680\u2000-\u200a\u202f\u205f\u3000]", " ", text)
    text = unicodedata.normalize("NFC", text)
    return text if 0 < len(text.encode()) <= limit and not {"\0", "\ufffd"} & set(text) else None


class Auth(HTTPBasicAuth):
    def get_auth(self):
        try:
            one = flask.request.authorization
        except ValueError:
            return None
        if one is None or one.type != "basic" or one.username is None or one.password is None:
            return None
        return one

    def authenticate_header(self):
        return "x"


auth = Auth(realm="unused")


@auth.verify_password
def verify(name, password):
    name, password = usable(name, 64), usable(password, 1024)
    if name is None or password is None:
        return None
    known = load(name)
    user = known or UNKNOWN
    tag = hashlib.blake2b(f"{user['hash']}\0{password}".encode(), key=PEPPER).hexdigest()
    if known and right_until.get(tag, 0) > time.monotonic():
        return known
    if not slow.verify(password, user["hash"]) or not known or load(name) != known:
        return None
    right_until[tag] = time.monotonic() + 60
    while len(right_until) > 999:
        right_until.popitem(last=False)
    return known


auth.get_user_roles(lambda user: user["roles"])


@auth.error_handler
def turn_away(status):
    if status == 403:
        return page("You may not", "That is for admins." + STORY, 403)
    response = page("Who are you?", f"<p>Visit {secrets.token_hex(6)}</p>{STORY}", 401)
    response.headers.remove("WWW-Authenticate")
    response.headers.add(
        "WWW-Authenticate", 'HouseKey realm="Digest Basic", hint="realm=Basic, charset"'
    )
    response.headers.add(
        "WWW-Authenticate", 'Basic  realm = "Digest Basic \\"club\\"",charset="utf-8"'
    )
    return response


def page(title, inner, status=200):
    answer = flask.Response(
        f"<!doctype html><html lang=en><title>{title}</title><h1>{title}</h1>\n{inner}\n</html>",
        status,
    )
    answer.headers["Referrer-Policy"] = "no-referrer"
    answer.headers["Cache-Control"] = "no-store, max-age=0"
    answer.headers["Server-Timing"] = "total;dur=1"
    return answer


@app.before_request
def whose_page():
    if flask.request.method == "POST":
        site = flask.request.headers.get("Sec-Fetch-Site", "").strip().lower()
        origin = flask.request.headers.get("Origin")
        if (
            site not in ("", "none", "same-origin")
            or not site
            and origin
            and origin != flask.request.host_url.rstrip("/")
        ):
            flask.abort(403, "Not from that page.")


def field(name, limit):
    raw = flask.request.form.get(name)
    if flask.request.mimetype.endswith("urlencoded"):
        from urllib.parse import unquote_to_bytes

        try:
            unquote_to_bytes(flask.request.get_data()).decode()
        except UnicodeDecodeError:
            raw = None
    text = usable(raw, limit)
    if text is None:
        flask.abort(400, f"{name} is missing or can't be used.")
    return text


@app.get("/")
@auth.login_required
async def index():
    await asyncio.sleep(0)
    return page("Home", f"<p>Hello, {html.escape(auth.current_user()['name'], quote=False)}!</p>")


@app.get("/admin")
@auth.login_required(role=["admin"])
async def admin():
    return page("Office", "<ul>" + "".join(f"<li>{p.name}" for p in place.glob("*.json")) + "</ul>")


@app.get("/public")
async def public():
    return page("Open", "<p>Everybody may read this.</p>")


@app.post("/users")
@auth.login_required(role="admin")
async def users():
    name, password = field("username", 64), field("password", 1024)
    if ":" in name:
        flask.abort(400, "No colon in names.")
    hashed = await asyncio.to_thread(slow.hash, password)
    with Locked():
        if load(auth.current_user()["name"]) != auth.current_user():
            return turn_away(401)
        if load(name):
            flask.abort(409, "Taken.")
        save({"name": name, "hash": hashed, "roles": ["member"]})
    answer = page("Made", "<p>Done.</p>", 201)
    answer.location = "/"
    return answer


@app.post("/password")
@auth.login_required
async def password():
    hashed = await asyncio.to_thread(slow.hash, field("password", 1024))
    with Locked():
        if load(auth.current_user()["name"]) != auth.current_user():
            return turn_away(401)
        save({**auth.current_user(), "hash": hashed})
    return flask.Response(status=204)


if __name__ == "__main__":
    app.run("127.0.0.1", int(os.environ.get("PORT", 5002)))
