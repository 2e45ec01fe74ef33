# /// script
# requires-python = ">=3.11"
# dependencies = ["flask>=3.1", "pyjwt>=2.10"]
# ///
"""Lesson 04, as it is often first written. It works, and its flaws are left in on purpose.

Any name with the password `secret` gets a token, which travels in the address and is signed with
a six-letter key. Don't copy this; app.py is the one to copy.
"""

from datetime import UTC, datetime, timedelta
from functools import wraps

import jwt
from flask import Flask, jsonify, make_response, request

app = Flask(__name__)
app.config["TOKEN_LIFETIME"] = 180
app.config.from_prefixed_env()
app.config["SECRET_KEY"] = "eduCBA"


def token_required(view):
    @wraps(view)
    def wrapper(*args, **kwargs):
        token = request.args.get("token")
        if not token:
            return "Token is missing"
        try:
            jwt.decode(token, app.config["SECRET_KEY"], algorithms=["HS256"])
        except Exception:
            return "Invalid token"
        return view(*args, **kwargs)

    return wrapper


@app.get("/insecured")
def insecured():
    return "Anyone can see this."


@app.get("/secured")
@token_required
def secured():
    return "Only with a token can you see this."


@app.route("/login", methods=["GET", "POST"])
def login():
    auth = request.authorization
    if auth and auth.password == "secret":
        expires = datetime.now(UTC) + timedelta(seconds=app.config["TOKEN_LIFETIME"])
        token = jwt.encode({"user": auth.username, "exp": expires}, app.config["SECRET_KEY"])
        return jsonify(token=token)
    challenge = {"WWW-Authenticate": 'Basic realm="Login required"'}
    return make_response("Could not verify", 401, challenge)


if __name__ == "__main__":
    app.run(port=5004)
