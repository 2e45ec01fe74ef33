# /// script
# requires-python = ">=3.11"
# dependencies = ["flask>=3.1", "flask-httpauth>=4.8"]
# ///
"""Lesson 03, as it is often first written. It works, and its flaws are left in on purpose.

Flask-HTTPAuth's Digest with all its defaults: the nonce lies in the client's own cookie. Don't
copy this; app.py is the one to copy.
"""

from flask import Flask
from flask_httpauth import HTTPDigestAuth

app = Flask(__name__)
app.config["SECRET_KEY"] = "secret key here"
app.config.from_prefixed_env()
auth = HTTPDigestAuth()

users = {"user1": "pass1", "user2": "pass2"}


@auth.get_password
def get_password(username):
    return users.get(username)


@app.get("/")
@app.get("/account")
@auth.login_required
def index():
    return f"Hello, {auth.username()}!"


if __name__ == "__main__":
    app.run(port=5003)
