"""A right answer: SQLAlchemy keeps the users, a factory builds the app, pages are JSON."""

import hashlib
import hmac
import secrets
import time
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from flask import Blueprint, Flask, abort, current_app, g, jsonify, request
from flask_httpauth import HTTPBasicAuth
from sqlalchemy import create_engine, event, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, sessionmaker

hasher = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
make_session = sessionmaker(expire_on_commit=False)


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    secret: Mapped[str]
    is_admin: Mapped[bool] = mapped_column(default=False)


class Auth(HTTPBasicAuth):
    def get_auth(self):
        try:
            sent = request.authorization
        except ValueError:
            return None
        return sent if sent and sent.type == "basic" else None

    def authenticate_header(self):
        return f'Basic realm="{self.realm}", charset="UTF-8"'


auth = Auth(realm="orm")
bp = Blueprint("site", __name__)


class Memory:
    """Which pairs were right within the last minute, as keyed digests."""

    def __init__(self, seconds=60, most=1000):
        self.key, self.seconds, self.most = secrets.token_bytes(32), seconds, most
        self.until = {}

    def mark(self, user, password):
        pair = f"{user.id} {user.secret} {password}".encode()
        return hmac.new(self.key, pair, hashlib.sha512).digest()

    def has(self, mark):
        return self.until.get(mark, 0) > time.time()

    def add(self, mark):
        if len(self.until) >= self.most:
            self.until = {}
        self.until[mark] = time.time() + self.seconds


memory = Memory()
NOBODY = hasher.hash(secrets.token_hex())


def clean(text):
    if not text or len(text) > 4096:
        return None
    text = unicodedata.normalize("NFC", text)
    return text if len(text.encode()) <= 1024 and "\0" not in text else None


@auth.verify_password
def verify(name, password):
    name, password = clean(name), clean(password)
    if name is None or password is None:
        return None
    with make_session() as session:
        user = session.scalar(select(User).where(User.name == name))
    if user and memory.has(memory.mark(user, password)):
        return user
    try:
        hasher.verify(user.secret if user else NOBODY, password)
    except VerifyMismatchError:
        return None
    if user:
        memory.add(memory.mark(user, password))
    return user


@auth.get_user_roles
def roles(user):
    return ["admin"] if user.is_admin else ["user"]


@auth.error_handler
def refuse(status):
    return jsonify(error="forbidden" if status == 403 else "unauthorized"), status


@bp.before_request
def only_own_forms():
    if request.method == "POST" and (sender := request.headers.get("Origin")):
        if sender != f"{request.scheme}://{request.host}":
            abort(403)


@bp.get("/")
@auth.login_required
def index():
    return jsonify(greeting=f"Hello, {auth.current_user().name}!")


@bp.get("/public")
def public():
    return jsonify(greeting="Hello!")


@bp.get("/admin")
@auth.login_required(role="admin")
def admin():
    return jsonify(users="all yours")


@bp.post("/users")
@auth.login_required(role="admin")
def users():
    name, password = clean(request.form.get("username")), clean(request.form.get("password"))
    if not name or ":" in name or not password:
        abort(400)
    boss, secret = auth.current_user(), hasher.hash(password)
    try:
        with make_session.begin() as session:
            if session.get(User, boss.id).secret != boss.secret:
                g.flask_httpauth_user = None
                return refuse_again()
            session.execute(insert(User).values(name=name, secret=secret, is_admin=False))
    except IntegrityError:
        abort(409)
    return jsonify(added=name), 201


@bp.post("/password")
@auth.login_required
def password():
    new = clean(request.form.get("password"))
    if not new:
        abort(400)
    me = auth.current_user()
    change = update(User).where(User.id == me.id, User.secret == me.secret)
    with make_session.begin() as session:
        done = session.execute(change.values(secret=hasher.hash(new))).rowcount
    return ("", 204) if done else refuse_again()


def refuse_again():
    response = current_app.make_response(refuse(401))
    response.headers["WWW-Authenticate"] = auth.authenticate_header()
    return response


def create_app():
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = 16_384
    app.config.from_prefixed_env()
    app.register_blueprint(bp)
    engine = create_engine(f"sqlite:///{app.config['DATABASE']}", connect_args={"timeout": 20})

    @event.listens_for(engine, "connect")
    def no_own_begin(connection, record):
        connection.isolation_level = None

    @event.listens_for(engine, "begin")
    def begin(connection):  # what is read in a transaction stays true until it ends
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    make_session.configure(bind=engine)
    with make_session.begin() as session:
        Base.metadata.create_all(session.connection())
        if session.scalar(select(User)) is None:
            for number in (1, 2):
                secret = hasher.hash(f"pass{number}")
                session.add(User(name=f"user{number}", secret=secret, is_admin=number == 1))
    return app


app = create_app()
