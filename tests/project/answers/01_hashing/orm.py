"""A right answer: SQLAlchemy keeps the users, argon2-cffi makes the hashes, in a factory."""

import re
import secrets
import unicodedata

import click
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from flask import Flask, Response, current_app, request
from passlib.hash import sha512_crypt
from sqlalchemy import String, create_engine, select, update
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

hasher = PasswordHasher(time_cost=3, memory_cost=12288, parallelism=1)
NOBODY = hasher.hash(secrets.token_urlsafe())
BLANK = re.compile("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")


class Base(DeclarativeBase):
    pass


class Account(Base):
    __tablename__ = "account"
    name: Mapped[str] = mapped_column(String, primary_key=True)
    secret: Mapped[str]


def session():
    return Session(current_app.extensions["engine"])


def create(name, secret):
    """Add an account, and tell whether the name was free."""
    with session() as now, now.begin():
        added = insert(Account).values(name=name, secret=secret).on_conflict_do_nothing()
        return now.execute(added).rowcount == 1


def fields():
    """Return user name and password, or None for each that can't be used."""
    for name in ("username", "password"):
        text = request.form.get(name, "")
        usable = None
        if 0 < len(text) <= 4096 and "\0" not in text and "\ufffd" not in text:
            usable = unicodedata.normalize("NFC", BLANK.sub(" ", text))
            usable = usable if len(usable.encode()) <= 1024 else None
        yield usable


def plain(text, status=200):
    return Response(text + "\n", status, content_type="text/plain; charset=utf-8")


def is_right(name, password):
    with session() as now, now.begin():
        stored = now.scalar(select(Account.secret).where(Account.name == name))
    if stored and sha512_crypt.identify(stored):
        if not sha512_crypt.verify(password, stored):
            return False
        better = (
            update(Account)
            .where(Account.name == name, Account.secret == stored)
            .values(secret=hasher.hash(password))
        )
        with session() as now, now.begin():
            now.execute(better)
        return True
    try:
        return hasher.verify(stored or NOBODY, password) and stored is not None
    except VerifyMismatchError:
        return False


def front():
    return plain("An account for everybody.")


def register():
    name, password = fields()
    if name is None or password is None:
        return plain("Send username and password.", 400)
    if not create(name, hasher.hash(password)):
        return plain("This name is taken.", 409)
    return plain("Created.", 201)


def login():
    name, password = fields()
    if name is None or password is None or not is_right(name, password):
        return plain("That pair is not right.", 403)
    return plain(f"Hello, {name}!")


@click.command("users")
def users():
    with session() as now:
        for account in now.scalars(select(Account).order_by(Account.name)):
            old = sha512_crypt.identify(account.secret)
            click.echo(f"{account.name} ({'SHA512_crypt' if old else 'Argon2id'})")


def create_app():
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = 16_384
    app.config.from_prefixed_env()
    app.add_url_rule("/", view_func=front)
    app.add_url_rule("/register", view_func=register, methods=["POST"])
    app.add_url_rule("/login", view_func=login, methods=["POST"])
    app.cli.add_command(users)
    engine = create_engine(f"sqlite:///{app.config['DATABASE']}", connect_args={"timeout": 20})
    app.extensions["engine"] = engine
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "CREATE TABLE IF NOT EXISTS account (name VARCHAR PRIMARY KEY, secret VARCHAR NOT NULL)"
        )
    with app.app_context():
        create("user1", hasher.hash("pass1"))
        create("user2", sha512_crypt.using(rounds=5000).hash("pass2"))
    return app


app = create_app()

if __name__ == "__main__":
    app.run(port=5001)
