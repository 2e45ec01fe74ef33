# /// script
# requires-python = ">=3.11"
# dependencies = ["flask>=3.1", "flask-httpauth>=4.8"]
# ///
"""Lesson 03, one step beyond app.py: a server that refuses MD5 (FLASK_REFUSE_MD5=1).

An attacker in the middle can take the SHA-256 challenge away and leave MD5. A server that neither
offers nor takes MD5 can't be talked down. Its command forget-md5 then deletes what is left of it:

    FLASK_REFUSE_MD5=1 flask --app lessons/03_digest/beyond.py forget-md5
"""

import sys

from app import HASHES, app
from groundwork import db

if app.config.get("REFUSE_MD5", 0) not in (0, 1):
    sys.exit("FLASK_REFUSE_MD5 must be 0 or 1.")
if app.config.get("REFUSE_MD5"):
    del HASHES["MD5"]  # what isn't in there is neither offered nor taken


@app.cli.command("forget-md5")
def forget_md5():
    """Delete every user's HA1 in MD5, for good."""
    # A command and no part of the start, since the way back is a new password for everyone.
    if "MD5" in HASHES:
        sys.exit("Set FLASK_REFUSE_MD5=1 first: while MD5 is offered, clients may depend on it.")
    db().execute("PRAGMA secure_delete = ON")  # overwrites in the file what is deleted
    piece = "SELECT name FROM users WHERE name > ? ORDER BY name LIMIT 1000"
    names = [""]
    while names := [row["name"] for row in db().execute(piece, names[-1:])]:
        # Each piece is a transaction of its own, so a server that is running waits for one at most.
        between = [names[0], names[-1]]
        db().execute('UPDATE users SET "MD5" = NULL WHERE name BETWEEN ? AND ?', between)
    # Until then the file holds them still. It fails while somebody reads what was before.
    if db().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
        sys.exit("The file is being read, and still holds them. Run this once more.")
    print("No HA1 in MD5 is left.")


if __name__ == "__main__":
    app.run(port=5003, debug=False)
