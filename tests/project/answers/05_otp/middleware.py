"""A right answer as WSGI middleware: both factors are dealt with before Flask sees the request.

What happened is a journal, one row an event, and nothing in it is ever changed; whatever holds now
is read out of it. The codes are cryptography's.
"""

import base64
import hashlib
import hmac
import io
import secrets
import smtplib
import sqlite3
import time
from contextlib import closing, contextmanager
from email.message import EmailMessage

import segno
from argon2 import PasswordHasher, Type
from argon2.exceptions import Argon2Error
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from flask import Flask, Response, current_app, request

argon2id = PasswordHasher(2, 19456, 1, type=Type.ID)
STRANGER = argon2id.hash(secrets.token_hex())
NEED_NOTHING, NEED_PASSWORD, NEED_BOTH = range(3)


class Journal:
    def __init__(self, path):
        self.path = path
        with self.open() as add:
            add.sql(
                "CREATE TABLE IF NOT EXISTS journal"
                " (id INTEGER PRIMARY KEY, name TEXT, what TEXT, value TEXT, at REAL)"
            )
            add.sql("CREATE INDEX IF NOT EXISTS of_whom ON journal (name, what, id)")
            for name, password in (("user1", "pass1"), ("user2", "pass2")):
                if not add.last(name, "password"):
                    add(name, "password", argon2id.hash(password))

    @contextmanager
    def open(self):
        """Hand out a page of the journal, on which nobody else writes meanwhile."""
        with closing(sqlite3.connect(self.path, timeout=30, isolation_level=None)) as db:
            db.row_factory = sqlite3.Row
            db.execute("BEGIN IMMEDIATE")
            try:
                yield Page(db)
            except BaseException:
                db.execute("ROLLBACK")
                raise
            db.execute("COMMIT")


class Page:
    def __init__(self, db):
        self.sql = db.execute

    def __call__(self, name, what, value=""):
        row = name, what, value, time.time()
        return self.sql("INSERT INTO journal (name, what, value, at) VALUES (?, ?, ?, ?)", row)

    def last(self, name, *whats):
        marks = ", ".join("?" * len(whats))
        query = f"SELECT * FROM journal WHERE name = ? AND what IN ({marks}) ORDER BY id DESC"
        return self.sql(f"{query} LIMIT 1", (name, *whats)).fetchone()

    def since(self, name, what, number):
        query = "SELECT * FROM journal WHERE name = ? AND what = ? AND id > ? ORDER BY id"
        return self.sql(query, (name, what, number)).fetchall()

    # What the journal says

    def phone(self, name):
        """Return the row of the secret that counts."""
        return self.last(name, "phone")

    def offered(self, name):
        """Return the row of a secret that no right code was seen of yet."""
        row = self.last(name, "offer", "phone")
        return row if row and row["what"] == "offer" else None

    def tries(self, name, pause):
        """Return how many of the tries are used up, and when there are all of them again."""
        good = self.last(name, "let in")
        rows = self.since(name, "try", good["id"] if good else 0)
        used, until = 0, 0
        for row in rows:
            if used >= 5 and row["at"] > until:
                used = 0
            used, until = used + 1, row["at"] + pause
        return (used, until) if until > time.time() else (0, 0)

    def pin(self, name, lifetime):
        row = self.last(name, "pin", "pin used")
        good = row and row["what"] == "pin" and 0 <= time.time() - row["at"] < lifetime
        return row["value"] if good else None

    def code_is_used(self, name, code):
        rows = self.sql(
            "SELECT 1 FROM journal WHERE name = ? AND what = 'code' AND value = ? AND at > ?",
            (name, code, time.time() - 1800),
        )
        return rows.fetchone() is not None


class Gate:
    """Stands before an application and lets nobody through who has not shown what is needed."""

    def __init__(self, app, inside):
        self.app, self.inside, self.needs = app, inside, {}

    def needing(self, need):
        def mark(view):
            self.needs[view.__name__] = need
            return view

        return mark

    def __call__(self, environ, start_response):
        with self.app.request_context(environ):
            answer = self.look(environ)
        return (answer or self.inside)(environ, start_response)

    def look(self, environ):
        """Return an answer for who may not pass, None for who may."""
        if request.method == "POST" and not self.is_own(request.headers):
            return say(403, "Another origin's page sent you here.")
        need = self.needs.get(request.endpoint, NEED_NOTHING)
        if need == NEED_NOTHING:
            return None
        who = self.owner(environ.get("HTTP_AUTHORIZATION", ""))
        if not who:
            return say(401, "Name and password?")
        environ["lesson.who"] = who
        with journal.open() as page:
            has_phone = page.phone(who[0])
        if need == NEED_BOTH or (request.endpoint == "enroll" and has_phone):
            return self.code(*who, environ.get("HTTP_OTP", ""))
        return None

    @staticmethod
    def is_own(headers):
        fetched, origin = headers.get("Sec-Fetch-Site"), headers.get("Origin")
        if fetched:
            return fetched in ("none", "same-origin")
        return origin is None or origin == f"{request.scheme}://{request.host}"

    @staticmethod
    def owner(header):
        """Return name and hash of whose credentials a header has."""
        scheme, _, packed = header.partition(" ")
        if scheme.lower() != "basic":
            return None
        try:
            plain = base64.b64decode(packed.strip(), validate=True).decode()
        except ValueError:
            return None
        name, colon, password = plain.partition(":")
        if not colon or "\0" in plain or len(plain.encode()) > 1100:
            return None
        with journal.open() as page:
            row = page.last(name, "password")
        try:
            argon2id.verify(row["value"] if row else STRANGER, password)
        except Argon2Error:
            return None
        return (name, row["value"]) if row else None

    def code(self, name, checked, code):
        """Look at a code; return an answer if it does not count."""
        pause, lifetime = self.app.config["LOCKOUT"], self.app.config["PIN_LIFETIME"]
        if not code:
            return say(401, "And a code?", OTP="required")
        with journal.open() as page:
            used, until = page.tries(name, pause)
            if used >= 5:
                wait = {"Retry-After": str(int(until - time.time()) + 1)}
                return say(429, "You have guessed enough for now.", **wait)
            page(name, "try")
            how = self.use(page, name, code, lifetime)
            if how and page.last(name, "password")["value"] == checked:
                page(name, "let in")
        if not how:
            return say(401, "That code won't do.", OTP="required")
        if how == "first":
            self.app.logger.warning("New phone: %s", name)
            post(name, "Your phone", "A phone was added to your account.")
        return None

    def use(self, page, name, code, lifetime):
        pin = page.pin(name, lifetime)
        if pin and hmac.compare_digest(pin, sealed(name, code)):
            page(name, "pin used")
            return "pin"
        for row in (page.phone(name), page.offered(name)):
            if row and code in codes_near(row["value"]):
                if page.code_is_used(name, code):
                    return None
                page(name, "code", code)
                if row["what"] == "phone":
                    return "known"
                page(name, "phone", row["value"])
                return "first"
        return None


def totp(secret):
    return TOTP(base64.b32decode(secret), 6, SHA1(), 30, enforce_key_length=True)


def codes_near(secret):
    now = int(time.time())
    return {totp(secret).generate(now + drift).decode() for drift in (-30, 0, 30)}


def sealed(name, pin):
    key = hashlib.sha256(current_app.config["SEAL"].encode()).digest()
    return hashlib.blake2b(f"{name} {pin}".encode(), key=key, digest_size=32).hexdigest()


def say(status, text, **headers):
    if status == 401:
        headers["WWW-Authenticate"] = 'Basic realm="gate", charset="UTF-8"'
    return Response(f"{text}\n", status, headers, mimetype="text/plain")


def post(name, subject, text):
    """Mail a text; return whether that went well."""
    server = current_app.config.get("MAIL_SERVER")
    if not server:
        current_app.logger.warning("no mail server; to %s: %s", name, text)
        return True
    host, _, port = server.rpartition(":")
    letter = EmailMessage()
    letter["From"], letter["To"], letter["Subject"] = "gate@example.com", address(name), subject
    letter.set_content(text)
    try:
        with smtplib.SMTP(host, int(port), "localhost", timeout=4) as smtp:
            smtp.send_message(letter)
    except OSError as error:
        current_app.logger.error("mail fails: %s", error)
        return False
    return True


def address(name):
    return f"{name}@example.com"


app = Flask(__name__)
app.config.update(DATABASE="05.db", LOCKOUT=300, PIN_LIFETIME=300)
app.config.from_prefixed_env()
app.config["SEAL"] = str(app.config["SECRET_KEY"] or "")
if len(app.config["SEAL"]) < 32:
    raise SystemExit("FLASK_SECRET_KEY has to be 32 bytes or longer.")
journal = Journal(app.config["DATABASE"])
app.wsgi_app = gate = Gate(app, app.wsgi_app)


def me():
    return request.environ["lesson.who"]


@app.get("/")
@gate.needing(NEED_BOTH)
def index():
    return say(200, f"Hello, {me()[0]}!")


@app.get("/public")
def public():
    return say(200, "Anybody may read this.")


@app.post("/pin")
@gate.needing(NEED_PASSWORD)
def pin():
    (name, checked), number = me(), f"{secrets.randbelow(1_000_000):06}"
    with journal.open() as page:
        row = page.last(name, "sending", "sent")
        if row and row["what"] == "sending" and 0 <= time.time() - row["at"] < 45:
            return say(429, "One is being sent.", **{"Retry-After": "2"})
        turn = page(name, "sending").lastrowid
    went = post(name, "PIN", f"Type {number} to log in.")
    with journal.open() as page:
        mine = page.last(name, "sending")["id"] == turn
        if mine:
            page(name, "sent")
        kept = went and mine and page.last(name, "password")["value"] == checked
        if kept:
            page(name, "pin", sealed(name, number))
    return say(202, "It was sent.") if kept else say(503, "It could not be sent. Try again later.")


@app.post("/enroll")
@gate.needing(NEED_PASSWORD)
def enroll():
    (name, checked), secret = me(), base64.b32encode(secrets.token_bytes(20)).decode()
    with journal.open() as page:
        if page.last(name, "password")["value"] != checked:
            return say(409, "Your password has been changed.")
        page(name, "offer", secret)
    uri = totp(secret).get_provisioning_uri(name, "gate")
    if request.accept_mimetypes.best_match(["text/plain", "image/svg+xml"]) == "image/svg+xml":
        answer = Response(drawn(uri), 201, mimetype="image/svg+xml")
    else:
        answer = app.json.response(uri=uri)
        answer.status_code = 201
    answer.cache_control.no_store = True
    return answer


def drawn(text):
    """Return a QR code with one rectangle for each dark square."""
    code, out = segno.make_qr(text), io.StringIO()
    size = len(code.matrix) + 8
    out.write(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size} {size}">')
    out.write('<rect width="100%" height="100%" fill="#ffffff"/><g transform="translate(4 4)">')
    for y, row in enumerate(code.matrix):
        for x, dark in enumerate(row):
            if dark:
                out.write(f'<rect x="{x}" y="{y}" width="1" height="1"/>')
    out.write("</g></svg>")
    return out.getvalue()


if __name__ == "__main__":
    app.run("127.0.0.1", 5005)
