"""A right answer in classes: a store, a mailer and two kinds of codes, with views as methods."""

import contextlib
import hashlib
import logging
import secrets
import smtplib
import sqlite3
import time
from email.mime.text import MIMEText

import pyotp
import segno
from flask import Flask, abort, make_response, request
from flask.views import MethodView
from passlib.hash import argon2

app = Flask(__name__)
app.config.from_mapping(DATABASE="05.db", MAIL_SERVER=None, PIN_LIFETIME=300, LOCKOUT=300)
app.config.from_prefixed_env()
if 0 < len(str(app.config["SECRET_KEY"] or "")) < 32:
    raise SystemExit("FLASK_SECRET_KEY has less than 32 bytes.")
app.config["MAX_CONTENT_LENGTH"] = 16384
log = logging.getLogger(__name__)


class Store:
    """All state. `change` hands out a connection that nobody else writes with meanwhile."""

    TABLES = """
        CREATE TABLE IF NOT EXISTS account (name TEXT PRIMARY KEY, hash TEXT);
        CREATE TABLE IF NOT EXISTS phone (name TEXT, secret TEXT, counts INTEGER);
        CREATE TABLE IF NOT EXISTS pin (name TEXT PRIMARY KEY, salt TEXT, hash TEXT, ends REAL);
        CREATE TABLE IF NOT EXISTS spent (name TEXT, code TEXT, at REAL);
        CREATE TABLE IF NOT EXISTS miss (name TEXT, at REAL);
        CREATE TABLE IF NOT EXISTS sending (name TEXT PRIMARY KEY, begun REAL);
    """

    @contextlib.contextmanager
    def change(self, user=None):
        """user: (name, hash); whatever is changed for them, their password is still the same."""
        with contextlib.closing(sqlite3.connect(app.config["DATABASE"], timeout=20)) as db:
            db.isolation_level = None
            db.execute("BEGIN IMMEDIATE")
            same = "SELECT 1 FROM account WHERE name = ? AND hash = ?"
            if user and not db.execute(same, user).fetchone():
                ask("Your new password, please.")
            yield db
            db.execute("COMMIT")

    def prepare(self):
        with contextlib.closing(sqlite3.connect(app.config["DATABASE"])) as db:
            db.executescript(self.TABLES)
            for number in "12":
                user = f"user{number}", Password.method.hash(f"pass{number}")
                db.execute("INSERT OR IGNORE INTO account VALUES (?, ?)", user)
            db.commit()


class Password:
    method = argon2.using(type="ID", memory_cost=19456, rounds=2, parallelism=1)
    nobody = method.hash(secrets.token_hex())

    @classmethod
    def owner(cls):
        """Return the user's name and hash, or end the request with a challenge."""
        with contextlib.suppress(ValueError):
            sent = request.authorization
            usable = sent and sent.type == "basic" and "\0" not in sent.password
            if usable and len(sent.password) <= 1024:
                with store.change() as db:
                    found = db.execute("SELECT hash FROM account WHERE name = ?", [sent.username])
                    kept = found.fetchone()
                if cls.method.verify(sent.password, kept[0] if kept else cls.nobody) and kept:
                    return sent.username, kept[0]
        return ask("Your password, please, in the header Authorization.")


def ask(text, **headers):
    answer = make_response(text, 401, headers)
    answer.headers["WWW-Authenticate"] = 'Basic realm="Lesson 05"'
    abort(answer)


class Pin:
    @staticmethod
    def digest(salt, code):
        return hashlib.scrypt(code.encode(), salt=salt.encode(), n=4096, r=8, p=1).hex()

    @classmethod
    def fits(cls, db, name, code):
        row = db.execute("SELECT salt, hash, ends FROM pin WHERE name = ?", [name]).fetchone()
        if not row or row[2] < time.time() or cls.digest(row[0], code) != row[1]:
            return False
        db.execute("DELETE FROM pin WHERE name = ?", [name])
        return True

    @classmethod
    def begin(cls, user):
        """Return when the sending began, None if another PIN is being sent."""
        now = time.time()
        with store.change(user) as db:
            stuck = "DELETE FROM sending WHERE name = ? AND begun NOT BETWEEN ? AND ?"
            db.execute(stuck, [user[0], now - 45, now + 45])
            add = db.execute("INSERT OR IGNORE INTO sending VALUES (?, ?)", [user[0], now])
        return now if add.rowcount == 1 else None

    @classmethod
    def keep(cls, user, begun, code):
        salt = secrets.token_hex(8)
        ends = time.time() + app.config["PIN_LIFETIME"]
        with store.change(user) as db:
            end = "SELECT 1 FROM sending WHERE name = ? AND begun = ?"
            if not db.execute(end, [user[0], begun]).fetchone():
                return False
            values = user[0], salt, cls.digest(salt, code), ends
            db.execute("REPLACE INTO pin VALUES (?, ?, ?, ?)", values)
        return True

    @classmethod
    def end(cls, user, begun):
        with store.change() as db:
            db.execute("DELETE FROM sending WHERE name = ? AND begun = ?", [user[0], begun])


class Phone:
    @staticmethod
    def fits(db, name, code):
        phones = db.execute("SELECT secret, counts FROM phone WHERE name = ?", [name]).fetchall()
        for secret, counts in phones:
            if code.isascii() and pyotp.TOTP(secret).verify(code, valid_window=1):
                right = Phone.spend(db, name, code, secret, counts)
                return right and (True if counts else "new")
        return False

    @staticmethod
    def spend(db, name, code, secret, counts):
        if db.execute("SELECT 1 FROM spent WHERE name = ? AND code = ?", [name, code]).fetchone():
            return False
        db.execute("INSERT INTO spent VALUES (?, ?, ?)", [name, code, time.time()])
        db.execute("DELETE FROM spent WHERE at < ?", [time.time() - 900])
        if not counts:
            db.execute("DELETE FROM phone WHERE name = ? AND secret <> ?", [name, secret])
            db.execute("UPDATE phone SET counts = 1 WHERE name = ?", [name])
        return True

    @staticmethod
    def address(name, secret):
        return pyotp.TOTP(secret, name=name, issuer="Lesson 05").provisioning_uri()


class Codes:
    @staticmethod
    def want(user):
        name = user[0]
        code = request.headers.get("OTP")
        if not code:
            ask("The code, please.", OTP="required")
        pause, now = app.config["LOCKOUT"], time.time()
        right, wait = False, 0
        with store.change(user) as db:
            db.execute("DELETE FROM miss WHERE at < ?", [now - pause])
            misses = db.execute("SELECT at FROM miss WHERE name = ? ORDER BY at", [name]).fetchall()
            if len(misses) >= 5:
                wait = int(misses[-1][0] + pause - now) + 1
            else:
                right = Pin.fits(db, name, code) or Phone.fits(db, name, code)
                if right:
                    db.execute("DELETE FROM miss WHERE name = ?", [name])
                else:
                    db.execute("INSERT INTO miss VALUES (?, ?)", [name, now])
        if wait:
            abort(make_response("Wait.", 429, {"Retry-After": str(wait)}))
        if not right:
            ask("This is not the code.", OTP="required")
        if right == "new":
            log.warning("a new phone for %s", name)
            Mail.send(name, "Your phone", "The codes of a new phone count from now on.")


class Mail:
    @staticmethod
    def send(name, subject, text):
        """Return whether the mail server took it."""
        where = app.config["MAIL_SERVER"]
        if not where:
            log.warning("to %s: %s", name, text)
            return True
        mail = MIMEText(text)
        mail["To"], mail["From"], mail["Subject"] = f"{name}@example.com", "a@example.com", subject
        try:
            with smtplib.SMTP(*where.split(":"), "localhost", timeout=4) as smtp:
                smtp.send_message(mail)
        except OSError:
            return False
        return True


class Home(MethodView):
    def get(self):
        user = Password.owner()
        Codes.want(user)
        return f"Hello, {user[0]}!"


class PinView(MethodView):
    def post(self):
        user = Password.owner()
        code = f"{secrets.randbelow(10**6)}".rjust(6, "0")
        begun = Pin.begin(user)
        if not begun:
            return "One is on its way.", 429, {"Retry-After": "3"}
        try:
            if not Mail.send(user[0], "PIN", f"Log in with {code}.\n"):
                return "The mail server does not answer.", 503
            return ("", 202) if Pin.keep(user, begun, code) else ("That took too long.", 503)
        finally:
            Pin.end(user, begun)


class Enrolment(MethodView):
    init_every_request = False
    COUNTS = "SELECT secret FROM phone WHERE name = ? AND counts"

    def post(self):
        user, secret = Password.owner(), pyotp.random_base32(40)
        name = user[0]
        with store.change() as db:
            has = db.execute(self.COUNTS, [name]).fetchone()
        if has:
            Codes.want(user)
        with store.change(user) as db:
            if db.execute(self.COUNTS, [name]).fetchone() != has:
                abort(409)
            db.execute("DELETE FROM phone WHERE name = ? AND NOT counts", [name])
            db.execute("INSERT INTO phone VALUES (?, ?, 0)", [name, secret])
        address = Phone.address(name, secret)
        both = {"address": address, "qr": segno.make(address).svg_data_uri(scale=5)}
        return both, 201, {"Cache-Control": "private, no-store"}


@app.before_request
def own_pages_only():
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    foreign = origin and origin != f"{request.scheme}://{request.host}"
    if request.method == "POST" and (foreign or site not in (None, "none", "same-origin")):
        abort(403)


store = Store()
store.prepare()
app.add_url_rule("/", view_func=Home.as_view("home"))
app.add_url_rule("/public", view_func=lambda: "Hello!", endpoint="public")
app.add_url_rule("/pin", view_func=PinView.as_view("pin"))
app.add_url_rule("/enroll", view_func=Enrolment.as_view("enroll"), methods=["POST"])
