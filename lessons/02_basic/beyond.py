# /// script
# requires-python = ">=3.11"
# dependencies = ["flask>=3.1", "flask-httpauth>=4.8", "libpass[argon2]>=1.9"]
# ///
"""Lesson 02, one step beyond app.py: a limit on guesses.

After five wrong passwords for one user name within FLASK_GUESS_PAUSE seconds (300; 0 sets no
limit) that name has to wait, even with the right one. So anyone can lock a user out by guessing.
A limit on the sender's address could not do that, but guesses come from many addresses.
"""

import math
import sys
import threading
import time

from flask import abort, request

import store
from app import app, auth, is_remembered, remembered, verify_password
from groundwork import add_tables, db, transaction

GUESSES = 5  # wrong passwords for one name, until it has to wait
HASHING = 10  # seconds in which a guess is decided; after that its worker has died
TABLES = """
CREATE TABLE IF NOT EXISTS guesses
    (id INTEGER PRIMARY KEY, name TEXT, address TEXT, at REAL, wrong INTEGER);
CREATE INDEX IF NOT EXISTS guesses_name ON guesses (name);
CREATE INDEX IF NOT EXISTS guesses_at ON guesses (at)
"""
SWEEP = "DELETE FROM guesses WHERE id IN (SELECT id FROM guesses WHERE at < ? LIMIT 100)"
looking = threading.Lock()  # of guesses that come at once, one is compared with what is remembered


@auth.verify_password
def verify_within_limit(username, password):
    """Return the user's row if the pair is right, else None; answer 429 while the name waits."""
    name, cleaned = store.clean(username, 64), store.clean(password, 1024)
    if name is None or cleaned is None or not PAUSE:
        return verify_password(username, password)
    count_guesses(name)
    user = store.find_user(name)
    with looking:
        if user and is_remembered(user, cleaned):
            return user
        remembered.pop(name, None)  # it would answer every further guess, uncounted
    guess = begin_guess(name)
    user = verify_password(username, password)
    if user:  # forgives what the user mistyped, not what others guess from elsewhere
        forget = "DELETE FROM guesses WHERE id = ? OR name = ? AND address = ? AND wrong"
        db().execute(forget, [guess, name, request.remote_addr])
    else:
        db().execute("UPDATE guesses SET wrong = 1 WHERE id = ?", [guess])
    return user


def count_guesses(name):
    """Return how many guesses of a name are wrong or undecided; answer 429 if five are wrong."""
    now = time.time()
    find = """SELECT at, wrong OR at < ? AS wrong FROM guesses
        WHERE name = ? AND at BETWEEN ? AND ? ORDER BY at"""
    # Further ahead than a minute: the clock was set back.
    rows = db().execute(find, [now - HASHING, name, now - PAUSE, now + 60]).fetchall()
    if sum(row["wrong"] for row in rows) >= GUESSES:
        wait = math.ceil(rows[0]["at"] + PAUSE - now)
        abort(429, "Too many wrong passwords; wait.", retry_after=max(1, wait))
    return len(rows)


def begin_guess(name):
    """Write a guess down before it is looked at, and return its number.

    Of a hundred guesses sent at once, five are looked at. A browser that asks for ten files at
    once has ten right ones under way: five go first, and the others wait until those are decided.
    """
    while True:
        if count_guesses(name) < GUESSES:  # asked without the lock first: reading waits for nobody
            with transaction():
                now = time.time()
                if count_guesses(name) < GUESSES:
                    db().execute(SWEEP, [now - PAUSE])
                    add = "INSERT INTO guesses (name, address, at, wrong) VALUES (?, ?, ?, 0)"
                    return db().execute(add, [name, request.remote_addr, now]).lastrowid
        time.sleep(0.02)


add_tables(app, TABLES)
PAUSE = app.config.get("GUESS_PAUSE", 300)
if type(PAUSE) is not int or PAUSE < 0:
    sys.exit("FLASK_GUESS_PAUSE must be a whole number of seconds; 0 sets no limit.")

if __name__ == "__main__":
    app.run(port=5002, debug=False)
