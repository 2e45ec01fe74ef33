"""An answer to lesson 03 as a blueprint and create_app(), on Flask-HTTPAuth."""

import hashlib
import re
import secrets
import sqlite3
from hmac import compare_digest
from urllib.parse import unquote

from flask import Blueprint, Flask, current_app, g, request
from flask_httpauth import HTTPDigestAuth
from itsdangerous import BadSignature, SignatureExpired, URLSafeTimedSerializer
from werkzeug.middleware.proxy_fix import ProxyFix

ALGORITHMS = {"SHA-256": hashlib.sha256, "MD5": hashlib.md5}
REALM = "Lesson 03"
OPAQUE = "lesson-03"


def H(algorithm, *parts):
    return ALGORITHMS[algorithm](":".join(parts).encode()).hexdigest()


def nonces():
    return URLSafeTimedSerializer(current_app.config["SECRET_KEY"], salt="nonce")


def db():
    """Return the connection of this request; it is closed at its end."""
    if "db" not in g:
        g.db = sqlite3.connect(current_app.config["DATABASE"], isolation_level=None)
    return g.db


def close_db(error=None):
    if "db" in g:
        g.pop("db").close()


class DigestAuth(HTTPDigestAuth):
    """The decorator is the library's; what it lacks is in authenticate()."""

    def get_auth(self):
        try:
            return super().get_auth()
        except ValueError:
            return None

    def get_auth_password(self, auth):
        """Return the HA1 of who answers, for the algorithm they chose."""
        if auth is None:
            return None
        query = "SELECT ha1 FROM users WHERE name = ? AND algorithm = ?"
        row = db().execute(query, (auth.username, auth.algorithm or "MD5")).fetchone()
        return row and row[0]

    def authenticate(self, auth, ha1):
        if ha1 is None or not self.has_good_form(auth):
            return False
        algorithm = auth.algorithm or "MD5"
        middle = (auth.nonce, auth.nc, auth.cnonce, auth.qop)
        expected = H(algorithm, ha1, *middle, H(algorithm, request.method, auth.uri))
        if not compare_digest(expected.encode(), auth.response.encode()):
            return False
        try:
            nonces().loads(auth.nonce, max_age=current_app.config["NONCE_LIFETIME"])
        except SignatureExpired:
            g.stale = True
            return False
        except BadSignature:
            return False
        if not self.is_first_use(auth.nonce, auth.nc):
            return False
        rspauth = H(algorithm, ha1, *middle, H(algorithm, "", auth.uri))
        g.info = f'rspauth="{rspauth}", qop=auth, nc={auth.nc}, cnonce="{auth.cnonce}"'
        return auth.username

    def has_good_form(self, auth):
        given = (auth.nonce, auth.cnonce, auth.response, auth.uri, auth.nc)
        return (
            all(given)
            and (auth.realm, auth.opaque, auth.qop) == (REALM, OPAQUE, "auth")
            and self.is_address(*auth.uri.partition("?"))
            and re.fullmatch(r"[0-9a-fA-F]{8}", auth.nc) is not None
            and re.fullmatch(r"[!#-\[\]-~]+", auth.cnonce) is not None
        )

    def is_address(self, path, mark, query):
        """Compare path and query with those of the request, as Flask sees them."""
        asked = request.root_path + request.path, request.query_string.decode("latin-1")
        return (unquote(path), query) == asked

    def is_first_use(self, nonce, nc):
        age = f"-{current_app.config['NONCE_LIFETIME'] + 2} seconds"
        # A part of them, since a client that wants to write has to wait for it.
        old = "SELECT rowid FROM used WHERE at < datetime('now', ?) LIMIT 100"
        db().execute(f"DELETE FROM used WHERE rowid IN ({old})", (age,))
        new = "INSERT INTO used VALUES (?, ?, datetime('now')) ON CONFLICT DO NOTHING"
        return db().execute(new, (nonce, int(nc, 16))).rowcount == 1


auth = DigestAuth(realm=REALM)
pages = Blueprint("pages", __name__)


@auth.error_handler
def challenge(status):
    """Answer 401 with a challenge for each algorithm."""
    stale = ", stale=true" if g.get("stale") else ""
    challenges = []
    for algorithm in ALGORITHMS:
        nonce = nonces().dumps(secrets.token_urlsafe(9))
        challenges.append(
            f'Digest realm="{REALM}", nonce="{nonce}", opaque="{OPAQUE}",'
            f' algorithm={algorithm}, qop="auth"{stale}'
        )
    return "Please log in.\n", status, {"WWW-Authenticate": challenges}


@pages.after_request
def prove(response):
    if "info" in g:
        response.headers["Authentication-Info"] = g.info
    return response


@pages.get("/")
@pages.get("/account")
@auth.login_required
def hello():
    return f"Hello, {auth.current_user()}!\n"


def create_app():
    app = Flask(__name__)
    app.config.from_mapping(DATABASE="lesson03.db", NONCE_LIFETIME=300)
    app.config.from_prefixed_env()
    if len(str(app.config["SECRET_KEY"] or "")) < 32:
        raise SystemExit("FLASK_SECRET_KEY must have 32 bytes or more.")
    if proxies := app.config.get("PROXIES", 0):  # believe what so many of them say
        app.wsgi_app = ProxyFix(app.wsgi_app, proxies, proxies, proxies, proxies, proxies)
    app.teardown_appcontext(close_db)
    app.register_blueprint(pages)
    with app.app_context():
        db().execute("CREATE TABLE IF NOT EXISTS used (nonce, nc, at, PRIMARY KEY (nonce, nc))")
        db().execute("CREATE INDEX IF NOT EXISTS used_at ON used (at)")
        db().execute("CREATE TABLE IF NOT EXISTS users (name, algorithm, ha1)")
        db().execute("CREATE UNIQUE INDEX IF NOT EXISTS one ON users (name, algorithm)")
        for name, password in {"user1": "pass1", "user2": "pass2"}.items():
            rows = [(name, a, H(a, name, REALM, password)) for a in ALGORITHMS]
            db().executemany("INSERT OR IGNORE INTO users VALUES (?, ?, ?)", rows)
    return app


app = create_app()

if __name__ == "__main__":
    app.run(port=5003)
