"""An answer to lesson 03 with no database: a file for each user, and one for each count.

The system makes a file with O_EXCL once, whoever asks: that is the lock. Nonces are decimal digits,
and pages are HTML.
"""

import functools
import hashlib
import hmac
import json
import os
import secrets
import sys
import time
from pathlib import Path
from urllib.parse import unquote

from flask import Flask, Response, render_template_string, request
from werkzeug.http import parse_dict_header

PAGE = """<!doctype html>
<html lang="en">
  <title>{{ title }}</title>
  <h1>{{ title }}</h1>
  <p>This is {{ request.path }}. <a href="/account">Your account</a></p>
</html>
"""
REALM = "Digest"
KINDS = {"SHA-256": "sha256", "MD5": "md5"}
TIME, RANDOM, MAC = 13, 12, 78  # how many digits each part of a nonce has
SAFE = frozenset(map(chr, range(0x21, 0x7F))) - set('"\\')

app = Flask(__name__)
app.config.update(DATABASE="lesson03.db", NONCE_LIFETIME=300)
app.config.from_prefixed_env()
KEY = str(app.config["SECRET_KEY"] or "").encode()
if len(KEY) < 32:
    sys.exit("Set FLASK_SECRET_KEY, with at least 32 bytes.")
FOLDER = Path(f"{app.config['DATABASE']}.d")
LIFETIME = app.config["NONCE_LIFETIME"]
OPAQUE = hmac.new(KEY, b"opaque", hashlib.md5).hexdigest()


def kd(kind, *parts):
    return hashlib.new(KINDS[kind], ":".join(parts).encode()).hexdigest()


def mac_of(digits):
    return f"{int(hmac.new(KEY, digits.encode(), hashlib.sha256).hexdigest(), 16):0{MAC}}"


def new_nonce():
    digits = f"{time.time_ns() // 10**6:0{TIME}}{secrets.randbelow(10**RANDOM):0{RANDOM}}"
    return digits + mac_of(digits)


def user_file(name):
    return FOLDER / "users" / f"{hashlib.sha256(name.encode()).hexdigest()}.json"


def find_user(name):
    try:
        return json.loads(user_file(name).read_text("utf-8"))
    except FileNotFoundError:
        return None


def use(nonce, nc):
    """Make a file for this use, in a folder for the minute in which the nonce was made."""
    minute = int(nonce[:TIME]) // 60_000
    folder = FOLDER / "used" / str(minute)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        os.close(os.open(folder / f"{nonce[TIME : TIME + RANDOM]}-{nc}", os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return False
    return True


def sweep():
    """Remove some of what no nonce that lives could need."""
    limit = (time.time() - LIFETIME) // 60 - 1
    for folder in (FOLDER / "used").iterdir():
        if int(folder.name) < limit:
            for number, file in enumerate(folder.iterdir()):
                file.unlink(missing_ok=True)
                if number == 50:
                    return
            try:
                folder.rmdir()
            except OSError:
                return


def refuse(stale=""):
    response = Response(render_template_string(PAGE, title="Please log in"), 401)
    for kind in KINDS:
        response.headers.add(
            "WWW-Authenticate",
            f'Digest algorithm={kind}, realm="{REALM}", qop="auth", opaque="{OPAQUE}",'
            f' nonce="{new_nonce()}"{stale}',
        )
    return response


def is_asked_for(uri):
    """Compare with the request line as it came, on servers that tell; else with what it means."""
    asked = request.environ
    line = asked.get("RAW_URI") or asked.get("REQUEST_URI")
    if line:
        return uri == line
    path, _, query = uri.partition("?")
    here = asked.get("SCRIPT_NAME", "") + asked.get("PATH_INFO", "")
    return unquote(path, "latin-1") == here and query == asked.get("QUERY_STRING", "")


def digest_required(view):
    @functools.wraps(view)
    def guarded():
        scheme, _, rest = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "digest":
            return refuse()
        said = parse_dict_header(rest)
        try:
            name, nonce, uri, response = (said[k] for k in ("username", "nonce", "uri", "response"))
            chosen, nc, cnonce = (
                (said["realm"], said["opaque"], said["qop"]),
                said["nc"],
                said["cnonce"],
            )
        except KeyError:
            return refuse()
        kind = said.get("algorithm", "MD5")
        if None in said.values() or chosen != (REALM, OPAQUE, "auth") or kind not in KINDS:
            return refuse()
        if not is_asked_for(uri) or not cnonce or not SAFE.issuperset(cnonce):
            return refuse()
        if len(nc) != 8 or not set("0123456789abcdef").issuperset(nc):
            return refuse()
        user = find_user(name)
        if not user:
            return refuse()
        middle = nonce, nc, cnonce, "auth"
        right = kd(kind, user[kind], *middle, kd(kind, request.method, uri))
        if not hmac.compare_digest(right.encode(), response.encode()):
            return refuse()
        digits, mac = nonce[:-MAC], nonce[-MAC:]
        if not hmac.compare_digest(mac_of(digits).encode(), mac.encode()):
            return refuse()
        if time.time() * 1000 - int(digits[:TIME]) > LIFETIME * 1000:
            return refuse(", stale=true")
        if not use(nonce, nc):
            return refuse()
        sweep()
        answer = view(user["name"])
        rspauth = kd(kind, user[kind], *middle, kd(kind, "", uri))
        answer.headers["Authentication-Info"] = (
            f'qop="auth", rspauth="{rspauth}", cnonce="{cnonce}", nc={nc}'
        )
        return answer

    return guarded


@app.get("/", endpoint="home")
@app.get("/account", endpoint="account")
@digest_required
def hello(name):
    return Response(render_template_string(PAGE, title=f"Hello, {name}!"))


def set_up():
    for folder in ("users", "used"):
        (FOLDER / folder).mkdir(parents=True, exist_ok=True)
    for name, password in (("user1", "pass1"), ("user2", "pass2")):
        user = {"name": name, **{kind: kd(kind, name, REALM, password) for kind in KINDS}}
        draft = FOLDER / f"draft-{os.getpid()}"
        draft.write_text(json.dumps(user), "utf-8")
        draft.replace(user_file(name))  # whoever reads it finds the whole of it


set_up()

if __name__ == "__main__":
    app.run(host="localhost", port=5003)
