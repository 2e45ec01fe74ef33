"""A right answer in nested JSON alone: SQLAlchemy Core, pyotp, and a thread that sends the mails.

What a page asks for stands beside it as a dataclass; refusals are problems (RFC 9457).
"""

from __future__ import annotations

import base64
import dataclasses
import email.message
import hashlib
import hmac
import io
import json
import logging
import math
import queue
import secrets
import smtplib
import sys
import threading
import time
import unicodedata
import uuid
from pathlib import Path

import argon2
import pyotp
import segno
import sqlalchemy as sa
from flask import Flask, Response, g, request
from sqlalchemy.dialects.sqlite import insert
from werkzeug.exceptions import HTTPException

log = logging.getLogger("club")
hasher = argon2.PasswordHasher(time_cost=2, memory_cost=24000, parallelism=1)
NOBODY = hasher.hash(secrets.token_hex())
MOST, REALM = 5, "Basic club (OTP: required)"
meta = sa.MetaData()
people = sa.Table(
    "people",
    meta,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("hash", sa.Text, nullable=False),
    sa.Column("seed", sa.Text),
    sa.Column("seed_to_be", sa.Text),
    sa.Column("tries", sa.Integer, server_default="0"),
    sa.Column("pause_ends", sa.Float, server_default="0"),
)
pins = sa.Table(
    "pins",
    meta,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("tag", sa.Text),
    sa.Column("ends", sa.Float),
    sa.Column("busy", sa.Float, server_default="0"),
)
used = sa.Table(
    "used",
    meta,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("code", sa.Text, primary_key=True),
    sa.Column("at", sa.Float, index=True),
)
own = sa.Table(
    "own", meta, sa.Column("id", sa.Integer, primary_key=True), sa.Column("key", sa.Text)
)


@dataclasses.dataclass
class Problem(Exception):
    status: int
    detail: str
    headers: dict = dataclasses.field(default_factory=dict)

    def answer(self) -> Response:
        problem = {"type": "about:blank", "status": self.status, "detail": self.detail}
        text = json.dumps({**problem, "instance": f"urn:uuid:{uuid.uuid4()}"})
        return Response(text, self.status, self.headers, content_type="application/problem+json")


def not_in(detail: str, **more: str) -> Problem:
    return Problem(
        401, detail, {"WWW-Authenticate": f'Basic charset="UTF-8", realm="{REALM}"', **more}
    )


class Post:
    """Hand mails to a thread, and wait for it for so long."""

    def __init__(self, place: str | None):
        self.host, _, self.port = (place or "").rpartition(":")

    def send(self, name: str, subject: str, text: str) -> None:
        if not self.host:
            return print(f"To {name}@example.com: {subject}\n{text}", file=sys.stderr, flush=True)
        done = queue.SimpleQueue()
        threading.Thread(
            target=self._deliver, args=(done, name, subject, text), daemon=True
        ).start()
        try:
            error = done.get(timeout=7)
        except queue.Empty:
            error = TimeoutError()
        if error:
            log.warning("no mail: %s", type(error).__name__)
            raise Problem(503, "The mail can't be sent now. Try again later.")

    def _deliver(self, done, name, subject, text):
        message = email.message.EmailMessage()
        message["Subject"], message["From"], message["To"] = (
            subject,
            "Club <club@example.com>",
            f"{name}@example.com",
        )
        message.set_content(text)
        try:
            with smtplib.SMTP(
                self.host.strip("[]"), int(self.port), "localhost", timeout=5
            ) as server:
                server.send_message(message)
        except Exception as error:
            return done.put(error)
        done.put(None)


class Club(Flask):
    def __init__(self):
        super().__init__(__name__)
        self.config.from_mapping(PIN_LIFETIME=300, LOCKOUT=300, MAX_CONTENT_LENGTH=1 << 14)
        self.config.from_mapping(
            DATABASE=Path(__file__).resolve().parent / "instance" / "lesson.db"
        )
        self.config.from_prefixed_env()
        path = Path(str(self.config["DATABASE"]))
        path.parent.mkdir(parents=True, exist_ok=True)
        self.engine = sa.create_engine(
            f"sqlite:///{path}", connect_args={"timeout": 30}, poolclass=sa.NullPool
        )
        sa.event.listen(
            self.engine, "connect", lambda raw, _: setattr(raw, "isolation_level", None)
        )
        sa.event.listen(self.engine, "begin", lambda db: db.exec_driver_sql("BEGIN IMMEDIATE"))
        with self.engine.begin() as db:
            meta.create_all(db)
            if not db.scalar(sa.select(own.c.key)):
                db.execute(insert(own).values(id=1, key=secrets.token_hex(40)))
                for name in ("user1", "user2"):
                    db.execute(
                        insert(people).values(name=name, hash=hasher.hash(f"pass{name[-1]}"))
                    )
                    db.execute(insert(pins).values(name=name))
            self.secret_key = str(self.secret_key or db.scalar(sa.select(own.c.key)))
        if len(self.secret_key.encode()) < 32:
            sys.exit(
                "FLASK_SECRET_KEY must have 32 bytes or more. This prints one: "
                "python -c 'import secrets; print(secrets.token_hex(32))'"
            )
        self.mails = Post(self.config.get("MAIL_SERVER"))

    def tag(self, name: str, code: str) -> str:
        return hmac.new(
            self.secret_key.encode(), f"pin {name} {code}".encode(), hashlib.sha3_512
        ).hexdigest()


app = Club()
app.register_error_handler(Problem, Problem.answer)


@app.errorhandler(HTTPException)
def trouble(error):
    answer = Problem(error.code, error.description).answer()
    answer.allow.update(getattr(error, "valid_methods", None) or [])
    return answer


@app.before_request
def whose_page():
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if request.method == "POST" and (
        site not in ("none", "same-origin")
        if site
        else origin not in (None, f"{request.scheme}://{request.host}")
    ):
        raise Problem(403, "This form is of a page of another origin.")


@app.after_request
def dress(answer):
    answer.headers.setdefault("Cache-Control", "no-store")
    answer.headers["Content-Language"] = "en-GB"
    answer.vary.update(["Authorization", "OTP", "Accept"])
    return answer


def prepared(text: str, most: int) -> str | None:
    if len(text) > 3 * most:
        return None
    text = unicodedata.normalize(
        "NFC", "".join(" " if unicodedata.category(c) == "Zs" else c for c in text)
    )
    return text if 0 < len(text.encode()) <= most and "\0" not in text else None


def find(db, name):
    return db.execute(sa.select(people).where(people.c.name == name)).first()


def first_factor():
    sent = request.headers.getlist("Authorization")
    scheme, _, pair = (sent or [""])[0].partition(" ")
    if len(sent) != 1 or scheme.lower() != "basic":
        raise not_in("Send a user name and a password, with Basic.")
    try:
        name, colon, password = (
            base64.b64decode(pair.lstrip(" ").encode("ascii"), validate=True)
            .decode()
            .partition(":")
        )
    except ValueError:
        raise not_in("These credentials are no base64 of UTF-8.") from None
    name, password = prepared(name, 64), prepared(password, 1024)
    user = None
    if colon and name and password:
        with app.engine.connect() as db:
            user = find(db, name)
        try:
            hasher.verify(user.hash if user else NOBODY, password)
        except argon2.exceptions.Argon2Error:
            user = None
    if not user:
        raise not_in("User name or password is wrong.")
    g.user = user
    return user


def second_factor():
    user, code = g.user, request.headers.get("OTP")
    if not code:
        raise not_in("Now the code, in the header OTP.", OTP="required")
    now, pause = time.time(), app.config["LOCKOUT"]
    fresh = {"tries": 0}
    over = sa.or_(people.c.pause_ends <= now, people.c.pause_ends > now + 2 * pause)
    with app.engine.begin() as db:
        db.execute(sa.update(people).where(people.c.name == user.name, over).values(fresh))
        take = sa.update(people).where(people.c.name == user.name, people.c.tries < MOST)
        if not db.execute(take.values(tries=people.c.tries + 1, pause_ends=now + pause)).rowcount:
            wait = max(1, math.ceil(find(db, user.name).pause_ends - now))
            raise Problem(
                429, f"Too many wrong codes. Wait {wait} seconds.", {"Retry-After": str(wait)}
            )
    new = False
    with app.engine.begin() as db:
        user = find(db, user.name)
        right = bool(
            len(code) == 6
            and code.isascii()
            and code.isdigit()
            and user
            and user.hash == g.user.hash
        )
        if right:
            mine = sa.update(pins).where(
                pins.c.name == user.name,
                pins.c.tag == app.tag(user.name, code),
                pins.c.ends > time.time(),
            )
            right = bool(db.execute(mine.values(tag=None)).rowcount)
            if not right:
                right, new = use_phone(db, user, code)
        if right:
            db.execute(sa.update(people).where(people.c.name == user.name).values(fresh))
    if not right:
        raise not_in("This code is not the right one.", OTP="required")
    if new:
        try:
            app.mails.send(
                user.name,
                "A new phone",
                "A new phone counts for your account. Was it you? If not, change your password.",
            )
        except Problem:
            log.warning("%s has a new phone, and the mail that says so was not sent", user.name)


def use_phone(db, user, code) -> tuple[bool, bool]:
    """Tell whether a code is right and new, and whether it made a phone count."""
    now = time.time()
    for seed, new in ((user.seed, False), (user.seed_to_be, True)):
        steps = [
            s
            for s in (-1, 0, 1)
            if seed and hmac.compare_digest(pyotp.TOTP(seed).at(int(now), counter_offset=s), code)
        ]
        if steps:
            db.execute(sa.delete(used).where(used.c.at < now - 3600))
            if not db.execute(
                insert(used).values(name=user.name, code=code, at=now).on_conflict_do_nothing()
            ).rowcount:
                return False, False
            if new:
                db.execute(
                    sa.update(people)
                    .where(people.c.name == user.name)
                    .values(seed=seed, seed_to_be=None)
                )
            return True, new
    return False, False


@app.get("/public")
def public():
    return {"say": "Hello, whoever you are!"}


@app.get("/")
def index():
    first_factor()
    second_factor()
    return {"say": f"Hello, {g.user.name}!", "factors": ["pwd", "otp"]}


@app.post("/pin")
def pin():
    user, code, now = first_factor(), f"{secrets.randbelow(1_000_000):06d}", time.time()
    turn = sa.update(pins).where(pins.c.name == user.name)
    with app.engine.begin() as db:
        free = sa.or_(pins.c.busy <= now, pins.c.busy > now + 60)
        if not db.execute(turn.where(free).values(busy=now + 30)).rowcount:
            raise Problem(429, "One mail after the other, please.", {"Retry-After": "5"})
    mine = turn.where(pins.c.busy == now + 30)
    try:
        app.mails.send(
            user.name,
            "Your PIN",
            f"It is {code}, and counts once, for {app.config['PIN_LIFETIME']} seconds.",
        )
        with app.engine.begin() as db:
            db.execute(
                mine.values(
                    tag=app.tag(user.name, code), ends=time.time() + app.config["PIN_LIFETIME"]
                )
            )
    finally:
        with app.engine.begin() as db:
            db.execute(mine.values(busy=0))
    return {"status": "sent", "to": "your mailbox"}, 202


@app.post("/enroll")
def enroll():
    user = first_factor()
    if user.seed:
        second_factor()
    seed = pyotp.random_base32(40)
    with app.engine.begin() as db:
        same = sa.update(people).where(
            people.c.name == user.name,
            people.c.hash == user.hash,
            people.c.seed.is_(user.seed) if user.seed is None else people.c.seed == user.seed,
        )
        if not db.execute(same.values(seed_to_be=seed)).rowcount:
            raise not_in("Something has changed meanwhile. Begin anew.")
    address = pyotp.TOTP(seed, name=f"{user.name}@club", issuer="Club & Co").provisioning_uri()
    if (
        request.accept_mimetypes.best_match(["application/json", "image/svg+xml"])
        == "image/svg+xml"
    ):
        picture = io.BytesIO()
        segno.make_qr(address, error="m").save(
            picture, kind="svg", border=6, scale=3, dark="#003", light="#ffe"
        )
        return Response(picture.getvalue(), 201, mimetype="image/svg+xml")
    return {
        "enrolment": {"address": address, "digits": 6, "period": 30},
        "otpauth_uri": address,
    }, 201


if __name__ == "__main__":
    app.run(port=5005)
