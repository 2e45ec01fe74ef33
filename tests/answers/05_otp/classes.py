"""A right answer in classes: a store, a mailer and two kinds of codes, with views as methods."""

import contextlib
import hashlib
import io
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


class Store:
    """All state. `change` hands out a connection that nobody else writes with meanwhile."""

    TABLES = """
        CREATE TABLE IF NOT EXISTS account (name TEXT PRIMARY KEY, hash TEXT);
        CREATE TABLE IF NOT EXISTS phone (name TEXT, secret TEXT, counts INTEGER);
        CREATE TABLE IF NOT EXISTS pin (name TEXT PRIMARY KEY, salt TEXT, hash TEXT, ends REAL);
        CREATE TABLE IF NOT EXISTS spent (name TEXT, code TEXT, at REAL);
        CREATE TABLE IF NOT EXISTS miss (name TEXT, at REAL);
    """

    @contextlib.contextmanager
    def change(self):
        with contextlib.closing(sqlite3.connect(app.config["DATABASE"], timeout=20)) as db:
            db.isolation_level = None
            db.execute("BEGIN IMMEDIATE")
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
        """Return the user's name, or end the request with a challenge."""
        with contextlib.suppress(ValueError):
            sent = request.authorization
            if sent and sent.type == "basic" and "\0" not in sent.password:
                with store.change() as db:
                    found = db.execute("SELECT hash FROM account WHERE name = ?", [sent.username])
                    kept = found.fetchone()
                if cls.method.verify(sent.password, kept[0] if kept else cls.nobody) and kept:
                    return sent.username
        return ask("Your password, please.")


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
    def keep(cls, name, code):
        salt = secrets.token_hex(8)
        ends = time.time() + app.config["PIN_LIFETIME"]
        with store.change() as db:
            values = name, salt, cls.digest(salt, code), ends
            db.execute("REPLACE INTO pin VALUES (?, ?, ?, ?)", values)


class Phone:
    @staticmethod
    def fits(db, name, code):
        phones = db.execute("SELECT secret, counts FROM phone WHERE name = ?", [name]).fetchall()
        for secret, counts in phones:
            if code.isascii() and pyotp.TOTP(secret).verify(code, valid_window=1):
                return Phone.spend(db, name, code, secret, counts)
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
    def want(name):
        code = request.headers.get("OTP")
        if not code:
            ask("The code, please.", OTP="required")
        pause, now = app.config["LOCKOUT"], time.time()
        right, wait = False, 0
        with store.change() as db:
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


class Home(MethodView):
    def get(self):
        name = Password.owner()
        Codes.want(name)
        return f"Hello, {name}!"


class PinView(MethodView):
    def post(self):
        name = Password.owner()
        code = f"{secrets.randbelow(10**6)}".rjust(6, "0")
        where = app.config["MAIL_SERVER"]
        if where:
            mail = MIMEText(f"Log in with {code}.\n")
            mail["To"], mail["From"], mail["Subject"] = (
                f"{name}@example.com",
                "a@example.com",
                "PIN",
            )
            try:
                with smtplib.SMTP(*where.split(":"), "localhost", timeout=4) as smtp:
                    smtp.send_message(mail)
            except OSError:
                return "The mail server does not answer.", 503
        else:
            logging.getLogger(__name__).warning("%s has the PIN %s", name, code)
        Pin.keep(name, code)
        return "", 202


class Enrolment(MethodView):
    init_every_request = False

    def name(self):
        name = Password.owner()
        with store.change() as db:
            has = db.execute("SELECT 1 FROM phone WHERE name = ? AND counts", [name]).fetchone()
        if has:
            Codes.want(name)
        return name

    def post(self):
        name, secret = self.name(), pyotp.random_base32(40)
        with store.change() as db:
            db.execute("DELETE FROM phone WHERE name = ? AND NOT counts", [name])
            db.execute("INSERT INTO phone VALUES (?, ?, 0)", [name, secret])
        return {"qr": Phone.address(name, secret)}, 201, {"Cache-Control": "no-store"}


class Picture(Enrolment):
    def get(self):
        name = self.name()
        with store.change() as db:
            found = db.execute("SELECT secret FROM phone WHERE name = ? AND NOT counts", [name])
            row = found.fetchone()
        if not row:
            abort(404)
        out = io.BytesIO()
        segno.make(Phone.address(name, row[0])).save(out, kind="svg")
        headers = {"Content-Type": "image/svg+xml", "Cache-Control": "private, no-store"}
        return out.getvalue(), 200, headers


store = Store()
store.prepare()
app.add_url_rule("/", view_func=Home.as_view("home"))
app.add_url_rule("/public", view_func=lambda: "Hello!", endpoint="public")
app.add_url_rule("/pin", view_func=PinView.as_view("pin"))
app.add_url_rule("/enroll", view_func=Enrolment.as_view("enroll"), methods=["POST"])
app.add_url_rule("/enroll.svg", view_func=Picture.as_view("picture"), methods=["GET"])
