"""An answer to lesson 04 with Flask-HTTPAuth's HTTPTokenAuth, and users in SQLAlchemy.

Answers are JSON. The token auth's callbacks return the user, or leave a sentence for the challenge.
"""

import re
import sys
import time
import uuid

import jwt
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from flask import Flask, Response, g, jsonify, request
from flask_httpauth import HTTPTokenAuth
from sqlalchemy import create_engine, delete, event, select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

app = Flask(__name__)
app.config.from_mapping(DATABASE="token_auth.db", TOKEN_LIFETIME=180)
app.config.from_prefixed_env()
KEY = str(app.config["SECRET_KEY"] or "")
if len(KEY) < 32:
    sys.exit("Set FLASK_SECRET_KEY to 32 characters or more.")
ME = "urn:lesson:04"
hasher = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
DUMMY = hasher.hash(uuid.uuid4().hex)
engine = create_engine(f"sqlite:///{app.config['DATABASE']}", connect_args={"timeout": 20})


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"
    name: Mapped[str] = mapped_column(primary_key=True)
    secret: Mapped[str]
    role: Mapped[str]


class Revoked(Base):
    __tablename__ = "revoked"
    jti: Mapped[str] = mapped_column(primary_key=True)
    until: Mapped[int]


@event.listens_for(engine, "connect")
def wait_for_others(connection, _):
    connection.isolation_level = None


@event.listens_for(engine, "begin")
def begin(connection):
    connection.exec_driver_sql("BEGIN IMMEDIATE")


class Bearer(HTTPTokenAuth):
    def get_auth(self):
        try:
            sent = request.authorization
        except ValueError:
            return None
        return sent if sent and sent.type == "bearer" else None

    def authenticate_header(self):
        problem = g.get("problem")
        more = f', error="invalid_token", error_description="{problem}"' if problem else ""
        return f'Bearer realm="{self.realm}"{more}'


auth = Bearer("Bearer", realm="token auth")


@auth.verify_token
def verify(token):
    if not auth.get_auth():
        return None
    if not re.fullmatch(r"[\w-]+\.[\w-]+\.[\w-]+", token or "", re.ASCII):
        g.problem = "Send the word Bearer, a blank, and your token as you got it"
        return None
    try:
        needed = {"require": ["sub", "iss", "aud", "iat", "exp", "jti"], "verify_iat": False}
        claims = jwt.decode(token, KEY, ["HS256"], needed, audience=ME, issuer=ME)
        f"{claims['sub']}{claims['jti']}".encode()  # the database takes no text but UTF-8
    except jwt.ExpiredSignatureError:
        g.problem = "This token has expired"
        return None
    except (jwt.PyJWTError, ValueError, RecursionError):
        g.problem = "This token was not made here, or was changed"
        return None
    times = claims["iat"], claims["exp"]
    whole = all(type(one) is int for one in times)
    if not whole or times[0] > time.time() + 4 or times[1] > times[0] + lifetime():
        g.problem = "The times in this token are wrong"
        return None
    with Session(engine) as session:
        user = session.get(User, claims["sub"])
        if not user or session.get(Revoked, claims["jti"]):
            g.problem = "This token counts no longer"
            return None
    g.claims = claims
    return {"name": user.name, "role": claims.get("role")}


@auth.get_user_roles
def roles(user):
    return user["role"]


@auth.error_handler
def refuse(status):
    if status == 403:
        why = f'{auth.authenticate_header()}, error="insufficient_scope"'
        return jsonify(error="Only admins may see this."), 403, {"WWW-Authenticate": why}
    return jsonify(error=g.get("problem", "A token is missing.")), status


def lifetime():
    return app.config["TOKEN_LIFETIME"]


@app.get("/insecured")
def insecured():
    return jsonify(message="Hello!")


@app.post("/login")
def login():
    try:
        sent = request.authorization
    except ValueError:
        sent = None
    if sent is None or sent.type != "basic":
        return ask("Where are your name and password? They belong in the header Authorization.")
    with Session(engine) as session:
        user = session.scalar(select(User).where(User.name == sent.username))
    usable = "\0" not in sent.password and len(sent.password.encode()) <= 1024
    try:
        hasher.verify(user.secret if user else DUMMY, sent.password if usable else "")
    except VerifyMismatchError:
        return ask("That is the wrong name or the wrong password.")
    now = int(time.time())
    claims = {"sub": user.name, "iss": ME, "aud": ME, "iat": now, "exp": now + lifetime()}
    claims |= {"jti": str(uuid.uuid4()), "role": user.role}
    token = jwt.encode(claims, KEY, "HS256")
    answer = jsonify(access_token=token, token_type="Bearer", expires_in=lifetime())
    answer.headers["Cache-Control"] = "no-store"
    return answer


def ask(why):
    return Response(f"{why}\n", 401, {"WWW-Authenticate": 'Basic realm="token auth"'})


@app.get("/secured")
@auth.login_required
def secured():
    return jsonify(message=f"Hello, {auth.current_user()['name']}!")


@app.get("/admin")
@auth.login_required(role="admin")
def admin():
    return jsonify(message="Hello, admin!")


@app.post("/logout")
@auth.login_required
def logout():
    with Session(engine) as session, session.begin():
        session.execute(delete(Revoked).where(Revoked.until < time.time() - 600))
        row = insert(Revoked).values(jti=g.claims["jti"], until=g.claims["exp"])
        session.execute(row.on_conflict_do_nothing())
    return "", 204


with engine.begin() as first:  # of several processes one makes the tables, the others find them
    Base.metadata.create_all(first)
    for number, role in [(1, "admin"), (2, "user")]:
        row = insert(User).values(
            name=f"user{number}", secret=hasher.hash(f"pass{number}"), role=role
        )
        first.execute(row.on_conflict_do_nothing())

if __name__ == "__main__":
    app.run("127.0.0.1", 5004)
