"""A right answer with SQLAlchemy, Flask-HTTPAuth and a factory; pages are whole HTML documents."""

import hmac
import io
import secrets
import smtplib
import time
from email.message import EmailMessage

import pyotp
import segno
from flask import Blueprint, Flask, abort, current_app, jsonify, make_response, request
from flask_httpauth import HTTPBasicAuth
from passlib.hash import argon2
from sqlalchemy import create_engine, delete, event
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

argon2id = argon2.using(type="ID", memory_cost=19456, rounds=2, parallelism=1)
DUMMY = argon2id.hash(secrets.token_hex())
site = Blueprint("site", __name__)


class Base(DeclarativeBase):
    pass


class Person(Base):
    __tablename__ = "people"
    name: Mapped[str] = mapped_column(primary_key=True)
    password: Mapped[str]
    address: Mapped[str]
    phone: Mapped[str | None]
    next_phone: Mapped[str | None]
    pin: Mapped[str | None]
    pin_ends: Mapped[float] = mapped_column(default=0)
    mailing: Mapped[float] = mapped_column(default=0)
    wrong: Mapped[int] = mapped_column(default=0)
    locked: Mapped[float] = mapped_column(default=0)


class Used(Base):
    __tablename__ = "used"
    name: Mapped[str] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[float]


class Basic(HTTPBasicAuth):
    def get_auth(self):
        try:
            sent = request.authorization
        except ValueError:
            return None
        return sent if sent and sent.type == "basic" else None


auth = Basic(realm="orm")


def session():
    return Session(current_app.extensions["engine"], expire_on_commit=False)


def page(text, status=200, headers=()):
    html = f"<!doctype html><html lang=en><title>Codes</title><main><h1>{text}</h1></main></html>"
    return make_response(html, status, dict(headers))


@auth.verify_password
def verify(name, password):
    with session() as db:
        person = db.get(Person, name)
    if "\0" in password or not 0 < len(password.encode()) <= 1024:
        return None
    right = argon2id.verify(password, person.password if person else DUMMY)
    return person.name if right and person else None


@auth.error_handler
def who(status):
    return page("Who are you? Say so in the header Authorization.", status)


@site.before_request
def same_origin():
    origin, said = request.headers.get("Origin"), request.headers.get("Sec-Fetch-Site")
    ours = origin in (None, f"{request.scheme}://{request.host}")
    if request.method == "POST" and not (ours and said in (None, "same-origin", "none")):
        abort(403)


def ask(why):
    challenge = {"WWW-Authenticate": auth.authenticate_header(), "OTP": "required"}
    abort(page(why, 401, challenge))


def want_code(name):
    code, now = request.headers.get("OTP", ""), time.time()
    if not code:
        ask("And the code?")
    with session() as db, db.begin():
        person = db.get(Person, name)
        if person.wrong >= 5 and now > person.locked:
            person.wrong = 0
        left = person.locked - now
        open_, kind = person.wrong < 5, None
        if open_:
            kind = right_pin(person, code, now) or right_code(db, person, code, now)
            person.wrong = 0 if kind else person.wrong + 1
            person.locked = now + current_app.config["LOCKOUT"]
    if not open_:
        abort(page("Too often", 429, {"Retry-After": f"{int(left) + 1}"}))
    if not kind:
        ask("Not this code")
    if kind == "enrolled":
        current_app.logger.warning("phone enrolled: %s", name)
        try:
            send(person.address, "A phone was added to your account.")
        except OSError:
            current_app.logger.warning("no mail about it")


def tag(name, pin):
    key = current_app.config["KEY"].encode()
    return hmac.new(key, f"{name}\n{pin}".encode(), "sha256").hexdigest()


def right_pin(person, code, now):
    if not person.pin or now > person.pin_ends or person.pin != tag(person.name, code):
        return None
    person.pin = None
    return "pin"


def right_code(db, person, code, now):
    for secret in filter(None, (person.phone, person.next_phone)):
        totp = pyotp.TOTP(secret)
        if code in [totp.at(now + drift) for drift in (-30, 0, 30)]:
            db.execute(delete(Used).where(Used.at < now - 3600))
            row = insert(Used).values(name=person.name, code=code, at=now)
            if not db.execute(row.on_conflict_do_nothing()).rowcount:
                return None
            if secret == person.phone:
                return "known"
            person.phone, person.next_phone = secret, None
            return "enrolled"
    return None


@site.get("/")
@auth.login_required
def index():
    want_code(auth.current_user())
    return page(f"Hello, {auth.current_user()}!")


@site.get("/public")
def public():
    return page("Welcome")


@site.post("/pin")
@auth.login_required
def pin():
    name, number, now = auth.current_user(), f"{secrets.randbelow(10**6):06d}", time.time()
    with session() as db, db.begin():
        person = db.get(Person, name)
        free = not now < person.mailing < now + 120
        if free:
            person.mailing = now + 60
    if not free:
        return page("One after the other", 429, {"Retry-After": "4"})
    sent = True
    try:
        send(person.address, f"The PIN you asked for is {number}.")
    except OSError:
        sent = False
    with session() as db, db.begin():
        person = db.get(Person, name)
        person.mailing = 0
        if sent:
            person.pin = tag(name, number)
            person.pin_ends = time.time() + current_app.config["PIN_LIFETIME"]
    return page("It was mailed", 202) if sent else page("The mail does not work now", 503)


def send(to, text):
    server = current_app.config["MAIL_SERVER"]
    if not server:
        current_app.logger.warning("%s: %s", to, text)
        return
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "orm@example.com", to, "From the lesson"
    message.set_content(text)
    message.add_alternative(f"<html><p>{text}</p></html>", subtype="html")
    host, port = server.rsplit(":", 1)
    with smtplib.SMTP(host, int(port), local_hostname="localhost", timeout=5) as smtp:
        smtp.send_message(message)


@site.post("/enroll")
@auth.login_required
def enroll():
    name, secret = auth.current_user(), pyotp.random_base32()
    with session() as db:
        before = db.get(Person, name).phone
    if before:
        want_code(name)
    with session() as db, db.begin():
        person = db.get(Person, name)
        if person.phone != before:
            abort(409)
        person.next_phone = secret
    uri = pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name="orm")
    answer = jsonify(otpauth=uri)
    kinds = ["application/json", "image/svg+xml"]
    if request.accept_mimetypes.best_match(kinds) == kinds[1]:
        out = io.BytesIO()
        segno.make(uri, micro=False, error="h").save(out, kind="svg", dark="#123", light="#fff")
        answer = make_response(out.getvalue(), {"Content-Type": "image/svg+xml"})
    answer.status_code = 201
    answer.headers["Cache-Control"] = "no-store"
    return answer


def create_app():
    app = Flask(__name__)
    app.config.from_mapping(DATABASE="orm.db", MAIL_SERVER="", PIN_LIFETIME=300, LOCKOUT=300)
    app.config.from_prefixed_env()
    app.config["KEY"] = str(app.config["SECRET_KEY"] or "")
    if len(app.config["KEY"]) < 32:
        raise SystemExit("FLASK_SECRET_KEY is too short: make one of 32 bytes or more.")
    engine = create_engine(f"sqlite:///{app.config['DATABASE']}", connect_args={"timeout": 30})

    @event.listens_for(engine, "connect")
    def by_hand(connection, _):
        connection.isolation_level = None

    @event.listens_for(engine, "begin")
    def begin(connection):  # before the first look, so that nobody comes between it and the change
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    with engine.begin() as first:
        Base.metadata.create_all(first)
        for name, password in [("user1", "pass1"), ("user2", "pass2")]:
            row = insert(Person).values(
                name=name, password=argon2id.hash(password), address=f"{name}@example.com"
            )
            first.execute(row.on_conflict_do_nothing())
    app.extensions["engine"] = engine
    app.register_blueprint(site)
    return app


app = create_app()
