# /// script
# requires-python = ">=3.11"
# dependencies = ["flask>=3.1", "libpass[argon2]>=1.9", "zxcvbn>=4.5"]
# ///
"""Lesson 01, two steps beyond app.py: a pepper, and no password that is easily guessed.

A pepper is a secret that goes into every hash and is not in the database (FLASK_PEPPER). With the
database alone, a thief can't even begin to guess.
"""

import hmac
import sys

from flask import abort, request
from passlib.utils.handlers import PrefixWrapper
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from app import app, clean, passwords

LEAKED = frozenset(FREQUENCY_LISTS["passwords"])  # the 30,000 most frequent, in small letters


class Peppered(PrefixWrapper):
    """A hash over an HMAC, which is a hash with a key; the key is the pepper.

    The prefix before the stored hash tells that there is a pepper in it.
    """

    def hash(self, secret, **settings):
        return super().hash(peppered(secret), **settings)

    def verify(self, secret, hash, **settings):
        return super().verify(peppered(secret), hash, **settings)

    def using(self, **settings):  # CryptContext calls it; PrefixWrapper's own forgets this class
        return Peppered(self.name, self.wrapped.using(**settings), self.prefix)


def peppered(password):
    return hmac.digest(PEPPER, password.encode(), "sha256").hex()


PEPPER = str(app.config.get("PEPPER", "")).encode("utf-8", "surrogateescape")
if not PEPPER:
    app.logger.warning("FLASK_PEPPER is not set. New hashes get none, and those with one fail.")
elif len(PEPPER) < 32:
    how = 'python -c "import secrets; print(secrets.token_hex(32))"'
    sys.exit(f"FLASK_PEPPER is shorter than 32 bytes. Make one with: {how}")
else:  # the schemes of app.py are older ones now, and are replaced at the next good login
    first = Peppered("peppered_argon2", passwords.handler("argon2"), "{peppered}")
    passwords.update(schemes=[first, *passwords.schemes()])


@app.before_request
def refuse_guessable_passwords():
    """Ask for what NIST SP 800-63B-4, section 3.1.1.2, asks where there is no second factor."""
    password = clean("password", 1024) if request.endpoint == "register" else None
    if password is None:
        return  # app.py says what is wrong
    if len(password) < 15:
        abort(400, "Choose a password of 15 characters or more. Several words are good.")
    if password.lower() in LEAKED:
        abort(400, "Choose another password: this one is on lists of leaked ones.")


if __name__ == "__main__":
    app.run(port=5001, debug=False)
