"""A right answer as blueprints and create_app(), with py_webauthn and SQLAlchemy.

Challenges are signed by the app, and their numbers are crossed off when they come back.
"""

import hashlib
import hmac
import json
import secrets
import time
from datetime import UTC, datetime

import sqlalchemy as sa
import webauthn as wa
from flask import Blueprint, Flask, abort, current_app, g, jsonify, request
from passlib.hash import argon2
from sqlalchemy import orm
from webauthn.helpers import (
    base64url_to_bytes,
    bytes_to_base64url,
    options_to_json_dict,
    parse_authentication_credential_json,
    parse_registration_credential_json,
)
from webauthn.helpers.cose import COSEAlgorithmIdentifier as Cose
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    CredentialDeviceType,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)
from werkzeug.exceptions import HTTPException

from store import PAGE

argon2id = argon2.using(type="ID", memory_cost=19456, rounds=2, parallelism=1)
NOBODY = argon2id.hash(secrets.token_urlsafe())
KINDS = [Cose.EDDSA, Cose.ECDSA_SHA_256, Cose.RSASSA_PKCS1_v1_5_SHA_256]
REQUIRED = UserVerificationRequirement.REQUIRED
bp = Blueprint("passkeys", __name__)


class Base(orm.DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"
    name: orm.Mapped[str] = orm.mapped_column(primary_key=True)
    password: orm.Mapped[str]
    handle: orm.Mapped[bytes]
    keys: orm.Mapped[list["Key"]] = orm.relationship(back_populates="user", order_by="Key.made")


class Key(Base):
    __tablename__ = "keys"
    id: orm.Mapped[bytes] = orm.mapped_column(primary_key=True)
    owner: orm.Mapped[str] = orm.mapped_column(sa.ForeignKey("users.name"))
    user: orm.Mapped[User] = orm.relationship(back_populates="keys")
    public: orm.Mapped[bytes]
    counter: orm.Mapped[int]
    eligible: orm.Mapped[bool]
    synced: orm.Mapped[bool]
    made: orm.Mapped[float]
    used: orm.Mapped[float | None]
    warning: orm.Mapped[str] = orm.mapped_column(default="")


class Session(Base):
    __tablename__ = "sessions"
    hash: orm.Mapped[bytes] = orm.mapped_column(primary_key=True)
    owner: orm.Mapped[str] = orm.mapped_column(sa.ForeignKey("users.name"))
    user: orm.Mapped[User] = orm.relationship()
    begun: orm.Mapped[float]
    used: orm.Mapped[float]


class Spent(Base):
    """A challenge that came back."""

    __tablename__ = "spent"
    challenge: orm.Mapped[bytes] = orm.mapped_column(primary_key=True)
    until: orm.Mapped[float]


@bp.before_app_request
def connect():
    g.db = orm.Session(current_app.extensions["engine"])
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if request.method in ("POST", "DELETE", "PUT", "PATCH"):
        if origin not in (None, current_app.config["ORIGIN"]) or site in (
            "cross-site",
            "same-site",
        ):
            abort(403, "A page of another origin sent this request.")


@bp.teardown_app_request
def disconnect(_):
    if "db" in g:
        g.db.close()


def setting(name):
    return current_app.config[name]


def cookie_name():
    return "__Host-factory" if setting("ORIGIN").startswith("https://") else "factory"


def cookie():
    return request.cookies.get(cookie_name(), "")


def hashed(text):
    return hashlib.sha256(text.encode("utf-8", "replace")).digest()


def remember(answer, value):
    response = current_app.make_response(answer)
    safe = setting("ORIGIN").startswith("https://")
    response.set_cookie(cookie_name(), value, httponly=True, secure=safe, samesite="Strict")
    return response


def session():
    found, now = g.db.get(Session, hashed(cookie())), time.time()
    if not found:
        return None
    if now - found.used > setting("IDLE_TIMEOUT") or now - found.begun > setting(
        "ABSOLUTE_TIMEOUT"
    ):
        g.db.delete(found)
        g.db.commit()
        return None
    found.used = now
    g.db.commit()
    return found


def owner():
    found = session() or abort(403, "Please log in first.")
    return found.user


def basic_owner():
    try:
        sent = request.authorization
    except ValueError:
        sent = None
    if sent and sent.type == "basic" and "\0" not in sent.username + sent.password:
        user = g.db.get(User, sent.username)
        right = argon2id.verify(sent.password[:1024], user.password if user else NOBODY)
        if user and right:
            return user
    asked = {"WWW-Authenticate": 'Basic realm="Lesson 07", charset="UTF-8"'}
    return abort(current_app.response_class("Name and password, please.\n", 401, asked))


# A challenge: 32 random bytes, when it ends, and a seal over both, the browser and the purpose.


def seal(body, purpose):
    text = body + f"{purpose}\0{cookie_of_request()}".encode()
    return hmac.digest(setting("SECRET_KEY").encode(), text, "sha256")


def cookie_of_request():
    return g.get("fresh") or cookie()


def new_challenge(purpose):
    if not cookie():
        g.fresh = secrets.token_urlsafe(32)
    ends = int((time.time() + setting("CHALLENGE_LIFETIME")) * 1000)
    body = secrets.token_bytes(32) + ends.to_bytes(8, "big")
    return body + seal(body, purpose)


def spend(challenge, purpose, status):
    body, end = challenge[:40], int.from_bytes(challenge[32:40], "big") / 1000
    good = hmac.compare_digest(challenge[40:], seal(body, purpose)) and time.time() < end
    if good:
        g.db.execute(sa.delete(Spent).where(Spent.until < time.time() - 60))
        g.db.add(Spent(challenge=body, until=end))
        try:
            g.db.commit()
        except sa.exc.IntegrityError:
            g.db.rollback()
            good = False
    if not good or not cookie():
        abort(status, "This challenge was never yours, is over, or came back before.")


def came(parse, purposes, status):
    """Return the credential and what of the purposes its challenge is for."""
    try:
        credential = parse(request.get_json())
        said = json.loads(credential.response.client_data_json)
        challenge = base64url_to_bytes(said["challenge"])
        foreign = bool(said.get("crossOrigin")) or "topOrigin" in said
    except Exception:
        abort(400, "The body must be a public key credential in JSON.")
    fits = [p for p in purposes if hmac.compare_digest(challenge[40:], seal(challenge[:40], p))]
    spend(challenge, fits[0] if fits else "", status)
    if foreign:
        abort(status, "Not in a frame of another site.")
    expected = {
        "credential": credential,
        "expected_challenge": challenge,
        "expected_origin": setting("ORIGIN"),
        "expected_rp_id": setting("ORIGIN").split("/")[2].split(":")[0],
        "require_user_verification": True,
    }
    return credential, fits[0], expected


@bp.post("/register/options")
def creation_options():
    found = session()
    user = found.user if found else basic_owner()
    options = wa.generate_registration_options(
        rp_id=setting("ORIGIN").split("/")[2].split(":")[0],
        rp_name="Lesson 07",
        user_id=user.handle,
        user_name=user.name,
        challenge=new_challenge(f"register {user.name}"),
        supported_pub_key_algs=KINDS,
        exclude_credentials=[PublicKeyCredentialDescriptor(id=key.id) for key in user.keys],
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=REQUIRED
        ),
    )
    return remember(options_to_json_dict(options), cookie_of_request())


@bp.post("/register")
def register():
    names = g.db.scalars(sa.select(User.name)).all()
    purposes = [f"register {name}" for name in names]
    credential, purpose, expected = came(parse_registration_credential_json, purposes, 400)
    try:
        new = wa.verify_registration_response(**expected, supported_pub_key_algs=KINDS)
    except Exception as error:
        abort(400, f"This passkey can't be taken: {error}")
    eligible = new.credential_device_type == CredentialDeviceType.MULTI_DEVICE
    key = Key(
        id=new.credential_id,
        owner=purpose.removeprefix("register "),
        public=new.credential_public_key,
        counter=new.sign_count,
        eligible=eligible,
        synced=new.credential_backed_up,
        made=time.time(),
    )
    try:
        if len(key.id) > 1023:
            abort(400, "The id of this passkey is too long.")
        g.db.add(key)
        g.db.commit()
    except sa.exc.IntegrityError:
        abort(400, "Somebody has this passkey already.")
    return jsonify(registered=bytes_to_base64url(new.credential_id)), 201


@bp.post("/login/options")
def request_options():
    options = options_to_json_dict(
        wa.generate_authentication_options(
            rp_id=setting("ORIGIN").split("/")[2].split(":")[0],
            challenge=new_challenge("login"),
            user_verification=REQUIRED,
        )
    )
    return remember(options, cookie_of_request())


@bp.post("/login")
def login():
    credential, _, expected = came(parse_authentication_credential_json, ["login"], 403)
    key = g.db.get(Key, credential.raw_id)
    if key is None:
        abort(403, "Nobody here has this passkey.")
    said = credential.response.user_handle or b""
    if not hmac.compare_digest(said, key.user.handle):
        abort(403, "This passkey says that it is somebody else's.")
    try:
        now = wa.verify_authentication_response(
            **expected, credential_public_key=key.public, credential_current_sign_count=0
        )
    except Exception as error:
        abort(403, f"This passkey does not open: {error}")
    if (now.credential_device_type == CredentialDeviceType.MULTI_DEVICE) != key.eligible:
        abort(403, "A passkey can't change in this way.")
    up = sa.or_(Key.counter < now.new_sign_count, sa.literal(now.new_sign_count) + Key.counter == 0)
    values = {
        "counter": now.new_sign_count,
        "synced": now.credential_backed_up,
        "used": time.time(),
    }
    done = g.db.execute(sa.update(Key).where(Key.id == key.id, up).values(**values))
    if done.rowcount != 1:
        warning = "Its counter went back."
        g.db.execute(sa.update(Key).where(Key.id == key.id).values(warning=warning))
        g.db.commit()
        abort(403, "The counter of this passkey went back, as if there were two.")
    g.db.execute(sa.delete(Session).where(Session.hash == hashed(cookie())))
    id, at = secrets.token_urlsafe(32), time.time()
    g.db.add(Session(hash=hashed(id), owner=key.owner, begun=at, used=at))
    name = key.owner
    g.db.commit()
    return remember({"welcome": name}, id)


@bp.get("/secured")
def secured():
    return f"Hello, {owner().name}!\n", {"Content-Type": "text/plain; charset=utf-8"}


@bp.get("/passkeys")
def listed():
    def moment(at):
        return at and datetime.fromtimestamp(at, UTC).isoformat()

    return jsonify(
        [
            {
                "id": bytes_to_base64url(key.id),
                "made": moment(key.made),
                "used": moment(key.used),
                "synced": key.synced,
                "warning": key.warning,
            }
            for key in owner().keys
        ]
    )


@bp.delete("/passkeys/<id>")
def removed(id):
    user = owner()
    mine = [key for key in user.keys if bytes_to_base64url(key.id) == id]
    if not mine:
        abort(404, "There is no such passkey of yours.")
    g.db.delete(mine[0])
    g.db.commit()
    return "", 204


@bp.post("/logout")
def logout():
    g.db.execute(sa.delete(Session).where(Session.hash == hashed(cookie())))
    g.db.commit()
    return "", 204


@bp.get("/")
def page():
    return current_app.send_static_file("page.html")


@bp.after_app_request
def protect(response):
    response.headers["Content-Security-Policy"] = "default-src 'self'; frame-ancestors 'none'"
    response.headers.setdefault("Content-Type", "text/plain; charset=utf-8")
    response.cache_control.no_store = True
    return response


@bp.app_errorhandler(HTTPException)
def in_words(error):
    response = error.get_response()
    response.data = f"{error.description}\n"
    response.mimetype = "text/plain"
    return response


def create_app():
    app = Flask(__name__, static_folder=PAGE)
    app.config.from_mapping(DATABASE="factory.db", ORIGIN="http://localhost:5007")
    app.config.from_mapping(CHALLENGE_LIFETIME=300, IDLE_TIMEOUT=1800, ABSOLUTE_TIMEOUT=43200)
    app.config.from_prefixed_env()
    app.config["SECRET_KEY"] = str(app.config["SECRET_KEY"] or secrets.token_hex())
    path = app.config["DATABASE"]
    engine = sa.create_engine(f"sqlite:///{path}", connect_args={"timeout": 20})
    app.extensions["engine"] = engine
    Base.metadata.create_all(engine)
    with orm.Session(engine) as db, db.begin():
        for name, password in (("user1", "pass1"), ("user2", "pass2")):
            if not db.get(User, name):
                handle = secrets.token_bytes(32)
                db.add(User(name=name, password=argon2id.hash(password), handle=handle))
    app.register_blueprint(bp)
    return app


app = create_app()
