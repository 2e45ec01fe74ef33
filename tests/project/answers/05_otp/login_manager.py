"""A right answer: Flask-Login finds the user by the header; decorators ask for the code.

Statements are SQLAlchemy's without its ORM. A phone's secret is kept encrypted, and each of
its codes counts once.
"""

import base64
import functools
import hashlib
import io
import math
import secrets
import smtplib
import time
from datetime import UTC, datetime, timedelta
from email.mime.text import MIMEText

import pyotp
import segno
import sqlalchemy as sa
from cryptography.fernet import Fernet
from flask import Flask, abort, jsonify, make_response, render_template_string, request
from flask_login import LoginManager, UserMixin, current_user, login_required
from passlib.hash import argon2

app = Flask(__name__)
app.config.update(DATABASE="login.db", MAIL_SERVER=None, PIN_LIFETIME=300, LOCKOUT=300)
app.config.from_prefixed_env()
app.config.update(MAX_CONTENT_LENGTH=16_384, SESSION_PROTECTION=None)
app.secret_key = str(app.config["SECRET_KEY"] or "")
if len(app.secret_key) < 32:
    raise SystemExit("FLASK_SECRET_KEY must have 32 characters, or more.")
manager = LoginManager(app)
safe = Fernet(base64.urlsafe_b64encode(hashlib.sha256(b"safe" + app.secret_key.encode()).digest()))
hasher = argon2.using(type="ID", memory_cost=19456, rounds=2, parallelism=1)
somebody = hasher.hash(secrets.token_hex())
PAGE = "<!doctype html><html lang=en><title>{{ title }}</title><p>{{ text }}</p></html>"

engine = sa.create_engine(f"sqlite:///{app.config['DATABASE']}", connect_args={"timeout": 30})
tables = sa.MetaData()
people = sa.Table(
    "people",
    tables,
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("hash", sa.String, nullable=False),
    sa.Column("mail", sa.String, nullable=False),
    sa.Column("phone", sa.LargeBinary),
    sa.Column("waiting", sa.LargeBinary),
    sa.Column("pin", sa.LargeBinary),
    sa.Column("pin_made", sa.DateTime),
    sa.Column("busy", sa.DateTime),
    sa.Column("missed", sa.Integer, server_default="0", nullable=False),
    sa.Column("locked", sa.DateTime),
)
steps = sa.Table(
    "steps",
    tables,
    sa.Column("name", sa.ForeignKey("people.name"), primary_key=True),
    sa.Column("code", sa.String, primary_key=True),
    sa.Column("at", sa.DateTime, nullable=False),
)


@sa.event.listens_for(engine, "connect")
def no_begin(connection, record):
    connection.isolation_level = None


@sa.event.listens_for(engine, "begin")
def begin(connection):
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def utc():
    return datetime.now(UTC).replace(tzinfo=None)


with engine.begin() as connection:
    tables.create_all(connection)
    for number in (1, 2):
        name = f"user{number}"
        if not connection.scalar(sa.select(people.c.name).where(people.c.name == name)):
            row = {
                "name": name,
                "hash": hasher.hash(f"pass{number}"),
                "mail": f"{name}@example.com",
            }
            connection.execute(people.insert().values(row))


class Account(UserMixin):
    def __init__(self, row):
        self.id, self.hash, self.mail, self.phone = row.name, row.hash, row.mail, row.phone

    def same(self):
        """What a statement asks: that the password is still the one that was checked."""
        return sa.and_(people.c.name == self.id, people.c.hash == self.hash)


@manager.request_loader
def account_of(request):
    try:
        sent = request.authorization
    except ValueError:
        return None
    if not sent or sent.type != "basic":
        return None
    name, password = sent.username, sent.password
    if not name or "\0" in name + password or len(password.encode()) > 1024:
        return None
    with engine.begin() as connection:
        row = connection.execute(people.select().where(people.c.name == name)).first()
    right = hasher.verify(password, row.hash if row else somebody)
    return Account(row) if right and row else None


@manager.unauthorized_handler
def unauthorized(text="Who are you?", headers=()):
    answer = make_response(render_template_string(PAGE, title="No entry", text=text), 401)
    answer.headers["WWW-Authenticate"] = 'Basic realm="Flask-Login", charset="UTF-8"'
    answer.headers.update(headers)
    return answer


def code_required(when=lambda account: True):
    """Let a view be seen with a code only, for accounts of which `when` says so."""

    def decorate(view):
        @functools.wraps(view)
        @login_required
        def checked():
            return (refusal(current_user) if when(current_user) else None) or view()

        return checked

    return decorate


def refusal(account):
    """Return what to answer if the request's code does not count, else None."""
    code = request.headers.get("OTP") or ""
    if not code:
        return unauthorized("Your code?", {"OTP": "required"})
    now, pause = utc(), timedelta(seconds=app.config["LOCKOUT"])
    kind = None
    with engine.begin() as connection:
        row = connection.execute(people.select().where(account.same())).first()
        if row is None:
            return unauthorized()
        missed = row.missed if row.locked and now < row.locked <= now + 2 * pause else 0
        if missed >= 5:
            wait = math.ceil((row.locked - now).total_seconds())
            return "Too often.\n", 429, {"Retry-After": str(max(wait, 1))}
        if len(code) == 6 and code.isascii() and code.isdigit():
            kind = spend_pin(connection, row, code, now) or spend_code(connection, row, code, now)
        left = {"missed": 0} if kind else {"missed": missed + 1, "locked": now + pause}
        connection.execute(people.update().where(account.same()).values(left))
    if not kind:
        return unauthorized("Not with this code.", {"OTP": "required"})
    if kind == "begins":
        app.logger.warning("another phone for %s", account.id)
        send(account, "Another phone", "From now on another phone has your codes.")
    return None


def digest(name, pin):
    return hashlib.scrypt(pin.encode(), salt=f"{name}{app.secret_key}".encode(), n=1024, r=8, p=1)


def spend_pin(connection, row, code, now):
    lifetime = timedelta(seconds=app.config["PIN_LIFETIME"])
    if not row.pin or not now - lifetime < row.pin_made <= now + timedelta(seconds=1):
        return None
    if not secrets.compare_digest(row.pin, digest(row.name, code)):
        return None
    connection.execute(people.update().where(people.c.name == row.name).values(pin=None))
    return "mailed"


def spend_code(connection, row, code, now):
    for kept in (row.phone, row.waiting):
        if not kept or not pyotp.TOTP(safe.decrypt(kept).decode()).verify(code, valid_window=1):
            continue
        connection.execute(steps.delete().where(steps.c.at < now - timedelta(hours=1)))
        before = sa.select(steps.c.at).where(steps.c.name == row.name, steps.c.code == code)
        if connection.scalar(before):
            return None
        connection.execute(steps.insert().values(name=row.name, code=code, at=now))
        if kept == row.phone:
            return "known"
        swap = people.update().where(people.c.name == row.name)
        connection.execute(swap.values(phone=people.c.waiting, waiting=None))
        return "begins"
    return None


def send(account, subject, text):
    """Return whether a mail could be sent."""
    if not app.config["MAIL_SERVER"]:
        app.logger.warning("%s for %s: %s", subject, account.id, text)
        return True
    mail = MIMEText(text, "plain", "utf-8")
    mail["From"], mail["To"], mail["Subject"] = "login@example.com", account.mail, subject
    host, port = app.config["MAIL_SERVER"].rsplit(":", 1)
    try:
        with smtplib.SMTP(host, int(port), local_hostname="localhost", timeout=5) as server:
            server.sendmail("login@example.com", [account.mail], mail.as_string())
    except (smtplib.SMTPException, OSError):
        return False
    return True


@app.before_request
def other_pages():
    site = request.headers.get("Sec-Fetch-Site", "")
    mine = {None, f"{request.scheme}://{request.host}"}
    if request.method == "POST":
        foreign = site not in ("same-origin", "none") if site else request.origin not in mine
        if foreign:
            abort(403)


@app.get("/")
@code_required()
def index():
    return render_template_string(PAGE, title="Home", text=f"Hello, {current_user.id}!")


@app.get("/public")
def public():
    return render_template_string(PAGE, title="Public", text="Hello to all!")


@app.post("/pin")
@login_required
def pin():
    account, now = current_user, utc()
    number = str(secrets.randbelow(10**6)).zfill(6)
    free = sa.or_(people.c.busy.is_(None), people.c.busy < now, people.c.busy > now + timedelta(1))
    turn = now + timedelta(seconds=60)
    with engine.begin() as connection:
        take = people.update().where(account.same(), free).values(busy=turn)
        if connection.execute(take).rowcount == 0:
            return "The last one is not sent yet.\n", 429, {"Retry-After": "3"}
    sent = send(account, "Log in", f"{number} is your PIN.")
    values = {"busy": None}
    if sent:
        values |= {"pin": digest(account.id, number), "pin_made": utc()}
    with engine.begin() as connection:
        mine = sa.and_(account.same(), people.c.busy == turn)
        done = connection.execute(people.update().where(mine).values(values)).rowcount
    if not (sent and done):
        return "The mail could not be sent. Please try again in a minute.\n", 503
    return jsonify(status="sent"), 202


@app.post("/enroll")
@code_required(lambda account: account.phone)
def enroll():
    account, secret = current_user, pyotp.random_base32(52)
    with engine.begin() as connection:
        same = sa.and_(account.same(), people.c.phone.is_not_distinct_from(account.phone))
        keep = people.update().where(same).values(waiting=safe.encrypt(secret.encode()))
        if connection.execute(keep).rowcount == 0:
            abort(409)
    uri = pyotp.TOTP(secret).provisioning_uri(name=account.id, issuer_name="Login")
    best = request.accept_mimetypes.best_match(["application/json", "image/svg+xml"])
    if best == "image/svg+xml":
        picture = io.BytesIO()
        segno.make(uri, error="m").save(picture, kind="svg", scale=3, light="#fff", border=6)
        answer = make_response(picture.getvalue(), 201)
        answer.mimetype = best
    else:
        answer = make_response(jsonify(uri=uri, made=int(time.time())), 201)
    answer.headers["Cache-Control"] = "no-store, max-age=0"
    return answer


if __name__ == "__main__":
    app.run(port=5005)
