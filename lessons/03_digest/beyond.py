# /// script
# requires-python = ">=3.10"
# dependencies = ["flask>=3.1", "flask-httpauth>=4.8"]
# ///
"""Lesson 03, one step beyond app.py: a server that refuses MD5.

The password never travels. The server sends a nonce, the client answers with a hash over
user name, realm, password, nonce, method and address, and every answer counts once. With
FLASK_REFUSE_MD5=1 nobody can talk a client down to MD5: it is neither offered nor taken.
"""

import contextlib
import hashlib
import hmac
import re
import secrets
import sqlite3
import sys
import threading
import time
from pathlib import Path

from flask import Flask, Response, after_this_request, g, request
from flask_httpauth import HTTPDigestAuth
from itsdangerous import BadSignature, SignatureExpired, TimestampSigner
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import HTTPException, ServiceUnavailable

# The instance folder, with the database, lies beside this file, wherever you start it from.
app = Flask(__name__, instance_path=str(Path(__file__).resolve().with_name("instance")))
REALM = "Lesson 03"
HASHES = {"SHA-256": hashlib.sha256, "MD5": hashlib.md5}  # the preferred one first


def H(algorithm, *parts):
    """Return the hash over the parts joined by colons, as hex (RFC 7616 3.4)."""
    return HASHES[algorithm](":".join(parts).encode()).hexdigest()


class DigestAuth(HTTPDigestAuth):
    """Flask-HTTPAuth's Digest with the checks of RFC 7616 that its own lacks."""

    def get_auth(self):
        with contextlib.suppress(ValueError):  # from Werkzeug, for "Basic" with bytes beyond ASCII
            return super().get_auth()

    def authenticate(self, sent, user):
        """Return the user if this answer to one of our challenges is right, else None."""
        algorithm = sent.algorithm or "MD5" if sent else None  # MD5 if untold (RFC 7616 3.3)
        if (
            algorithm not in HASHES
            or (sent.realm, sent.qop, sent.opaque) != (REALM, "auth", OPAQUE)
            # The response covers `uri`, not the request line: they must be the same.
            or sent.uri != request.environ.get("RAW_URI")
            or not re.fullmatch("(?!0{8})[0-9a-f]{8}", sent.nc or "")
            or not (sent.nonce and sent.response)
            # It is sent back in a header: nothing that could end its quotes, or isn't ASCII.
            or not re.fullmatch(r"[ !#-\[\]-~]+", sent.cnonce or "")
        ):
            return None

        ha1 = user[algorithm] if user else NOBODY
        session = [sent.nonce, sent.nc, sent.cnonce, "auth"]
        right = H(algorithm, ha1, *session, H(algorithm, request.method, sent.uri))
        if not hmac.compare_digest(right.encode(), sent.response.encode()) or not user:
            return None
        try:
            lifetime = app.config["NONCE_LIFETIME"]
            _, made = nonces.unsign(sent.nonce, max_age=lifetime, return_timestamp=True)
        except SignatureExpired:
            g.stale = True  # the password was right: the client may try again without asking
            return None
        except BadSignature:
            return None  # a nonce of someone else's making
        if not first_use(made.timestamp(), sent.nonce, sent.nc):
            return None

        # The server proves that it knows HA1 as well: the same hash, without a method.
        proof = H(algorithm, ha1, *session, H(algorithm, "", sent.uri))

        @after_this_request
        def add_proof(response):
            info = f'rspauth="{proof}", qop=auth, cnonce="{sent.cnonce}", nc={sent.nc}'
            response.headers["Authentication-Info"] = info
            return response

        return user


auth = DigestAuth(realm=REALM)


@auth.get_password
def find_user(name):  # what the library hands to authenticate() above
    return db().execute("SELECT * FROM users WHERE name = ?", [name]).fetchone()


@auth.error_handler
def refused(status):
    response = app.response_class("Answer one of the challenges in WWW-Authenticate.\n", status)
    response.www_authenticate = [challenge(algorithm) for algorithm in HASHES]
    return response


def challenge(algorithm):
    """Return a challenge with a fresh nonce; our signature and the time are part of it."""
    nonce = nonces.sign(secrets.token_urlsafe(12)).decode()
    parameters = {"realm": REALM, "nonce": nonce, "opaque": OPAQUE, "algorithm": algorithm}
    stale = {"stale": "true"} if g.get("stale") else {}
    return WWWAuthenticate("digest", {**parameters, "qop": "auth", **stale})


def first_use(made, nonce, nc):
    """Tell whether this nonce comes with this count for the first time, in any worker."""
    if int(nc, 16) == 1:  # with each new nonce, those go that are too old
        # Kept for an hour longer than the nonce lives, in case the clock is set back.
        too_old = time.time() - app.config["NONCE_LIFETIME"] - 3600
        db().execute("DELETE FROM counts WHERE made < ?", [too_old])
    try:
        db().execute("INSERT INTO counts VALUES (?, ?, ?)", [made, nonce, int(nc, 16)])
    except sqlite3.IntegrityError:
        return False
    return True


@app.get("/")
@app.get("/account")
@auth.login_required
def hello():
    return f"Hello, {auth.current_user()['name']}!\n"


# From here on, what surrounds every lesson: plain text answers, settings, the database.

# Not HTML: a user name with a <script> in it stays text.
app.response_class = type("Text", (Response,), {"default_mimetype": "text/plain"})


@app.errorhandler(HTTPException)
@app.errorhandler(sqlite3.OperationalError)
def refuse(error):
    if isinstance(error, sqlite3.OperationalError):
        app.logger.error("database: %s", error)
        error = ServiceUnavailable("The database does not answer; try again in a moment.")
    response = error.get_response()  # keeps headers such as Allow
    response.data, response.mimetype = f"{error.description}\n", "text/plain"
    return response


local = threading.local()  # a SQLite connection stays with the thread that opened it


def db():
    """Return this thread's connection; each statement is a transaction of its own."""
    if not hasattr(local, "db"):
        local.db = sqlite3.connect(str(app.config["DATABASE"]), isolation_level=None)
        local.db.row_factory = sqlite3.Row
        local.db.execute("PRAGMA synchronous = NORMAL")  # with WAL: safe, and fast to write
    return local.db


def prepare():
    """Make the tables and the demo users, unless they are there, and return the secret key."""
    lifetime = app.config["NONCE_LIFETIME"]
    if type(lifetime) is not int or not 1 <= lifetime <= 10**9:
        sys.exit("FLASK_NONCE_LIFETIME must be a whole number of seconds, 1 or more.")
    Path(str(app.config["DATABASE"])).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with contextlib.suppress(sqlite3.OperationalError):  # refused: another worker is setting it
        db().execute("PRAGMA journal_mode = WAL")
    db().execute("CREATE TABLE IF NOT EXISTS settings (name PRIMARY KEY, value)")
    # In the order of their time: what is too old stands first, what is new goes to the end.
    db().execute("""CREATE TABLE IF NOT EXISTS counts (made, nonce, nc,
        PRIMARY KEY (made, nonce, nc)) WITHOUT ROWID""")
    db().execute('CREATE TABLE IF NOT EXISTS users (name PRIMARY KEY, "SHA-256", "MD5")')
    # Only once, as writing would wait for whoever holds the database.
    if not db().execute("SELECT 1 FROM users").fetchone():
        # A random key for whoever sets none, the same for all workers. One that is kept beside the
        # data is stolen with the data: where it matters, set FLASK_SECRET_KEY.
        db().execute("INSERT OR IGNORE INTO settings VALUES ('key', ?)", [secrets.token_hex(32)])
        demo = []
        for n in "12":
            ha1s = [H(algorithm, f"user{n}", REALM, f"pass{n}") for algorithm in HASHES]
            demo += [*ha1s, None][:2]  # without MD5 its column stays empty
        db().execute("INSERT OR IGNORE INTO users VALUES ('user1', ?, ?), ('user2', ?, ?)", demo)
    key = app.config["SECRET_KEY"] or db().execute("SELECT value FROM settings").fetchone()[0]
    if len(str(key).encode()) < 32:
        sys.exit(
            "FLASK_SECRET_KEY is shorter than 32 bytes. Make one with:"
            ' python -c "import secrets; print(secrets.token_hex(32))"'
        )
    db().close()
    del local.db  # each worker opens its own
    return str(key)


app.config.from_mapping(DATABASE=Path(app.instance_path, "beyond.db"), NONCE_LIFETIME=300)
app.config.from_prefixed_env()  # FLASK_DATABASE, FLASK_SECRET_KEY, FLASK_NONCE_LIFETIME
if app.config.get("REFUSE_MD5"):  # FLASK_REFUSE_MD5=1
    del HASHES["MD5"]  # what isn't in there is neither offered nor taken
nonces = TimestampSigner(prepare(), salt="nonce", digest_method=hashlib.sha256)
OPAQUE = nonces.get_signature("opaque").decode()  # comes back unchanged, or it was not for us
NOBODY = secrets.token_hex()  # stands in for the HA1 of an unknown user

if __name__ == "__main__":
    app.run(port=5003, debug=False)
