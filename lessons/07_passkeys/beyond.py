# /// script
# requires-python = ">=3.11"
# dependencies = ["cbor2>=6", "flask>=3.1", "libpass[argon2]>=1.9", "webauthn>=3.0"]
# ///
"""Lesson 07, one step beyond app.py: step-up. A transfer wants a fresh signature, of this transfer.

A session can be stolen, or used by whoever sits down at the machine. So what matters asks for the
passkey again, and a hash of what is confirmed is part of the challenge. What was signed is kept, so
that anyone can verify later what was agreed to. One gap remains: the authenticator shows no amount.
The user believes the page, and malware in the browser can show one transfer and have another
signed.
"""

import hashlib
import json
import secrets
import time

import webauthn
from flask import abort, request
from webauthn import helpers
from webauthn.helpers.structs import PublicKeyCredentialDescriptor

import app as lesson
import store
from app import app, challenge_for, session_owner
from groundwork import add_tables, db

TABLES = """
CREATE TABLE IF NOT EXISTS transfers (name TEXT, receiver TEXT, amount INTEGER, made REAL,
    public_key BLOB, client_data BLOB, authenticator_data BLOB, signature BLOB)
"""


@app.post("/transfer/options")
def transfer_options():
    """Say what is to be signed for a transfer, by one of the passkeys of who is logged in."""
    user, transfer = session_owner(), wanted_transfer()
    mine = [helpers.base64url_to_bytes(key["id"]) for key in store.passkeys_of(user)]
    return challenge_for(
        "transfer",
        user["name"],
        webauthn.generate_authentication_options,
        challenge=secrets.token_bytes(32) + digest(transfer),
        user_verification=lesson.VERIFIED,
        allow_credentials=[PublicKeyCredentialDescriptor(id=id) for id in mine],
    )


@app.post("/transfer")
def transfer():
    """Make a transfer that its owner has just signed: the amount, the receiver, and no other."""
    user, transfer = session_owner(), wanted_transfer()
    credential, challenge = lesson.answer_to("transfer", signed_transfer, 403)
    key = lesson.passkey_owner(credential, challenge)
    if not key["name"] == challenge["name"] == user["name"]:
        abort(403, "This passkey is another user's.")
    if challenge["challenge"][32:] != digest(transfer):
        abort(403, "Another transfer was signed than this one.")
    said = credential.response
    # With the public key, since the owner may remove the passkey before anybody asks.
    proof = [key["key"], said.client_data_json, said.authenticator_data, said.signature]
    values = [user["name"], transfer["to"], transfer["amount"], time.time(), *proof]
    db().execute("INSERT INTO transfers VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values)
    return transfer


def signed_transfer(body):
    return helpers.parse_authentication_credential_json(body["credential"])


def wanted_transfer():
    """Return the transfer that the body names, and nothing else of it; answer 400 if it doesn't."""
    try:
        body = request.get_json(silent=True)
        to, amount = body["to"], body["amount"]
        fits = 1 <= len(to) <= 64 and to.isprintable() and type(amount) is int
    except Exception:  # of several kinds, for what is no JSON, nested too deep, or of another form
        fits = False
    if not fits:
        abort(400, 'Send JSON with "to", a user name, and "amount", a whole number.')
    if not 0 < amount <= 10**9:
        abort(400, "An amount is between 1 and 1000000000.")
    return {"to": to, "amount": amount}


def digest(transfer):  # of one text, or other parts might make up the same bytes
    return hashlib.sha256(json.dumps(transfer, sort_keys=True).encode()).digest()


add_tables(app, TABLES)

if __name__ == "__main__":
    app.run(host="localhost", port=5007, debug=False)
