# /// script
# requires-python = ">=3.11"
# dependencies = ["flask>=3.1", "flask-httpauth>=4.8"]
# ///
"""Lesson 03, one step beyond app.py: a server that refuses MD5 (FLASK_REFUSE_MD5=1).

An attacker in the middle can take the SHA-256 challenge away and leave MD5. A server that neither
offers nor takes MD5 can't be talked down, and has no MD5 of anybody's HA1 to lose.
"""

from app import HASHES, app
from store import transaction

if app.config.get("REFUSE_MD5"):
    del HASHES["MD5"]  # what isn't in there is neither offered nor taken
    with app.app_context(), transaction() as db:
        db.execute('UPDATE users SET "MD5" = NULL WHERE "MD5" IS NOT NULL')

if __name__ == "__main__":
    app.run(port=5003, debug=False)
