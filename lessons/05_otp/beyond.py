# /// script
# requires-python = ">=3.11"
# dependencies = ["flask>=3.1", "libpass[argon2]>=1.9", "pyotp>=2.9", "segno>=1.6"]
# ///
"""Lesson 05, one step beyond app.py: recovery codes, for the day on which the phone is gone.

Enrolment gives ten of them, to be kept on paper. They count from the first right code of the
phone on, each once, in the header OTP. They are random and long, so a quick hash is enough.
"""

import hashlib
import secrets

import segno

import app as lesson
import store
from app import app, password_owner, second_factor
from groundwork import add_tables, db, transaction

TABLES = """
CREATE TABLE IF NOT EXISTS recovery (name TEXT, secret TEXT, digest TEXT);
CREATE INDEX IF NOT EXISTS recovery_name ON recovery (name)
"""


def enroll():
    """Make a secret for the user's phone, and ten recovery codes: both, or none."""
    user = password_owner()
    if user["secret"]:
        second_factor(user)
    codes = [secrets.token_hex(10) for _ in range(10)]
    with transaction():
        address = lesson.new_secret(user)  # takes everything back if it refuses
        secret = store.find_user(user["name"])["pending"]
        unused = "DELETE FROM recovery WHERE name = ? AND secret IS NOT ?"
        db().execute(unused, [user["name"], user["secret"]])  # of phones that don't count
        new = [(user["name"], secret, digest(code)) for code in codes]
        db().executemany("INSERT INTO recovery VALUES (?, ?, ?)", new)
    # All in one JSON: a picture alone would have no room for the codes.
    picture = segno.make(address, micro=False).svg_data_uri(scale=6, light="white")
    shown = {"otpauth_uri": address, "qr_code": picture, "recovery_codes": codes}
    return shown, 201, {"Cache-Control": "no-store"}


def use_recovery_code(user, code):
    # Only those of the secret that counts now: who begins to enrol has none yet.
    use = """DELETE FROM recovery WHERE name = ? AND digest = ?
        AND secret = (SELECT secret FROM users WHERE name = ? AND hash = ?)"""
    values = [user["name"], digest(code), user["name"], user["hash"]]
    return db().execute(use, values).rowcount == 1


def digest(code):
    return hashlib.sha256(code.encode()).hexdigest()


app.view_functions["enroll"] = enroll
lesson.KINDS_OF_CODE.append(use_recovery_code)
add_tables(app, TABLES)

if __name__ == "__main__":
    app.run(port=5005, debug=False)
