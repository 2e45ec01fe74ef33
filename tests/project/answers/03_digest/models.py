"""An answer to lesson 03 with SQLAlchemy, in a blueprint and a factory. It answers in JSON."""

import hashlib
import hmac
import re
import secrets
import time
from urllib.parse import unquote_to_bytes

from flask import Blueprint, Flask, current_app, g, jsonify, request
from sqlalchemy import ForeignKey, create_engine, delete, event, insert, select
from sqlalchemy.dialects.sqlite import insert as insert_or
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from werkzeug.datastructures import WWWAuthenticate

REALM = "HTTP Digest, lesson 3"
HASHES = {"SHA-256": hashlib.sha256, "MD5": hashlib.md5}
pages = Blueprint("pages", __name__)


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "user"
    name: Mapped[str] = mapped_column(primary_key=True)


class HA1(Base):
    __tablename__ = "ha1"
    user: Mapped[str] = mapped_column(ForeignKey("user.name"), primary_key=True)
    algorithm: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]


class Use(Base):
    __tablename__ = "use"
    nonce: Mapped[str] = mapped_column(primary_key=True)
    nc: Mapped[int] = mapped_column(primary_key=True)
    until: Mapped[float] = mapped_column(index=True)


def h(algorithm, *parts):
    return HASHES[algorithm](":".join(parts).encode()).hexdigest()


def keyed(text):
    key = current_app.config["SECRET_KEY"].encode()
    return hmac.digest(key, text.encode(), "sha256").hex()


def new_nonce():
    text = f"{time.time_ns():x}-{secrets.token_hex(6)}"
    return f"{text}-{keyed(text)}"


def born(nonce):
    """Return when this nonce was made, in seconds, or None if somebody else made it."""
    text, _, mac = nonce.rpartition("-")
    if not hmac.compare_digest(keyed(text).encode(), mac.encode()):
        return None
    return int(text.partition("-")[0], 16) / 1e9


def note(nonce, nc):
    """Note a use, and sweep some old ones; False if it was noted before."""
    with Session(current_app.engine) as session:
        old = select(Use.nonce, Use.nc).where(Use.until < time.time()).limit(30)
        for one in session.execute(old):
            session.execute(delete(Use).where(Use.nonce == one.nonce, Use.nc == one.nc))
        session.commit()
        until = time.time() + current_app.config["NONCE_LIFETIME"] + 5
        try:
            session.execute(insert(Use).values(nonce=nonce, nc=nc, until=until))
            session.commit()
        except IntegrityError:
            return False
    return True


def names_this(uri):
    path, _, query = uri.partition("?")
    here = request.environ.get("SCRIPT_NAME", "") + request.environ.get("PATH_INFO", "")
    there = unquote_to_bytes(path).decode("latin-1")
    return (there, query) == (here, request.environ.get("QUERY_STRING", ""))


def judge(sent):
    """Return the user's name and the proof for Authentication-Info, or None and if it is stale."""
    algorithm = sent.get("algorithm", "MD5")
    given = [sent.get(n) for n in ("username", "nonce", "uri", "response", "nc", "cnonce")]
    if algorithm not in HASHES or not all(given) or not names_this(sent.uri):
        return None, False
    chosen = [sent.get(name) for name in ("realm", "opaque", "qop")]
    if chosen != [REALM, keyed("opaque"), "auth"]:
        return None, False
    if not re.fullmatch("[0-9a-f]{8}", sent.nc) or not re.fullmatch(r"[\w+/=.-]+", sent.cnonce):
        return None, False
    if not sent.cnonce.isascii():
        return None, False
    with Session(current_app.engine) as session:
        found = session.get(HA1, (sent.username, algorithm))
        ha1 = found.value if found else secrets.token_hex()
    middle = [sent.nonce, sent.nc, sent.cnonce, "auth"]
    right = h(algorithm, ha1, *middle, h(algorithm, request.method, sent.uri))
    if not hmac.compare_digest(right.encode(), sent.response.encode()) or not found:
        return None, False
    made = born(sent.nonce)
    if made is None:
        return None, False
    if time.time() - made > current_app.config["NONCE_LIFETIME"]:
        return None, True
    if not note(sent.nonce, int(sent.nc, 16)):
        return None, False
    proof = h(algorithm, ha1, *middle, h(algorithm, "", sent.uri))
    return sent.username, f'rspauth="{proof}", nc={sent.nc}, cnonce="{sent.cnonce}", qop=auth'


@pages.before_request
def authenticate():
    stale = False
    try:
        sent = request.authorization
    except ValueError:
        sent = None
    if sent and sent.type == "digest" and not sent.token:
        g.user, said = judge(sent)
        if g.user:
            g.info = said
            return None
        stale = said
    response = jsonify(error="authentication required")
    response.status_code = 401
    common = {"realm": REALM, "opaque": keyed("opaque"), "qop": "auth"}
    common |= {"stale": "true"} if stale else {}
    response.www_authenticate = [
        WWWAuthenticate("digest", {**common, "nonce": new_nonce(), "algorithm": algorithm})
        for algorithm in HASHES
    ]
    return response


@pages.after_request
def prove(response):
    if "info" in g:
        response.headers["Authentication-Info"] = g.info
    return response


@pages.get("/")
@pages.get("/account")
def hello():
    return jsonify(message=f"Hello, {g.user}!", links=["/", "/account"])


def create_app():
    app = Flask(__name__)
    app.config.from_mapping(DATABASE="lesson03.db", NONCE_LIFETIME=300)
    app.config.from_prefixed_env()
    app.config["SECRET_KEY"] = str(app.config["SECRET_KEY"] or "")
    if len(app.config["SECRET_KEY"].encode()) < 32:
        raise SystemExit("FLASK_SECRET_KEY must have 32 bytes or more; secrets.token_hex(32) does.")
    app.engine = create_engine(f"sqlite:///{app.config['DATABASE']}", connect_args={"timeout": 20})

    @event.listens_for(app.engine, "connect")
    def set_up(connection, _):
        connection.execute("PRAGMA synchronous = NORMAL")

    for table in Base.metadata.sorted_tables:
        with app.engine.begin() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")  # one worker after the other
            table.create(connection, checkfirst=True)
    with app.engine.begin() as connection:
        for name, password in {"user1": "pass1", "user2": "pass2"}.items():
            connection.execute(insert_or(User).values(name=name).on_conflict_do_nothing())
            for algorithm in HASHES:
                value = h(algorithm, name, REALM, password)
                row = insert_or(HA1).values(user=name, algorithm=algorithm, value=value)
                connection.execute(row.on_conflict_do_nothing())
    app.register_blueprint(pages)
    return app


app = create_app()

if __name__ == "__main__":
    app.run("127.0.0.1", 5003)
