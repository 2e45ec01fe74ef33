# /// script
# requires-python = ">=3.11"
# dependencies = ["flask>=3.1", "webauthn>=3.0"]
# ///
"""Lesson 07, as it is often first written. It works, and its flaws are left in on purpose.

The challenge never changes, the origin is what the client says it is, the user is whoever the
answer names, and the cookie is a user name. Nobody asks whether the user was verified, whose a key
is, or whether it was copied. Don't copy this; app.py is the one to copy.
"""

import json
import secrets
from datetime import datetime
from urllib.parse import urlsplit

from flask import Flask, Response, jsonify, request
from webauthn import (
    base64url_to_bytes,
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)

app = Flask(__name__)
REALM = "Lesson 07"
CHALLENGE = secrets.token_bytes(32)
users = {"user1": "pass1", "user2": "pass2"}
keys = {}


@app.get("/")
def index():
    return app.send_static_file("page.html")


@app.get("/secured")
def secured():
    if "user" not in request.cookies:
        return "Log in first", 403
    return f"Hello, {request.cookies['user']}!"


@app.post("/register/options")
def registration_options():
    auth = request.authorization
    user = auth.username if auth else request.cookies.get("user")
    if user not in users or (auth and auth.password != users[user]):
        return "Could not verify", 401
    options = generate_registration_options(
        rp_id="localhost",
        rp_name=REALM,
        challenge=CHALLENGE,
        user_name=user,
        user_id=user.encode(),
    )
    return with_cookie(options_to_json(options), user)


@app.post("/register")
def register():
    answer = request.get_json()
    new = verify_registration_response(credential=answer, **expected(answer))
    keys[answer["id"]] = {
        "user": request.cookies["user"],
        "key": new.credential_public_key,
        "made": datetime.now(),
        "used": None,
        "synced": new.credential_backed_up,
    }
    return "Registered", 201


@app.post("/login/options")
def login_options():
    options = generate_authentication_options(rp_id="localhost", challenge=CHALLENGE)
    return Response(options_to_json(options), mimetype="application/json")


@app.post("/login")
def login():
    answer = request.get_json()
    key = keys[answer["id"]]
    verify_authentication_response(
        credential=answer,
        credential_public_key=key["key"],
        credential_current_sign_count=0,
        **expected(answer),
    )
    key["used"] = datetime.now()
    user = base64url_to_bytes(answer["response"]["userHandle"]).decode()
    return with_cookie(json.dumps({"name": user}), user)


def expected(answer):
    said = json.loads(base64url_to_bytes(answer["response"]["clientDataJSON"]))
    return {
        "expected_challenge": CHALLENGE,
        "expected_origin": said["origin"],
        "expected_rp_id": urlsplit(said["origin"]).hostname,
    }


def with_cookie(text, user):
    response = Response(text, mimetype="application/json")
    response.set_cookie("user", user)
    return response


@app.get("/logout")
@app.post("/logout")
def logout():
    response = Response("Bye")
    response.delete_cookie("user")
    return response


@app.get("/passkeys")
def passkeys():
    shown = ("made", "used", "synced")
    return jsonify([{"id": id, **{name: key[name] for name in shown}} for id, key in keys.items()])


@app.delete("/passkeys/<id>")
def remove_passkey(id):
    keys.pop(id, None)
    return "", 204


if __name__ == "__main__":
    app.run(host="localhost", port=5007)
