# /// script
# requires-python = ">=3.11"
# dependencies = ["flask>=3.1", "flask-httpauth>=4.8"]
# ///
"""Lesson 02, as it is often first written. It works, and its flaws are left in on purpose.

Two users in a dictionary, Werkzeug's hash, Flask-HTTPAuth as its first example shows it. Don't
copy this; app.py is the one to copy.
"""

from flask import Flask
from flask_httpauth import HTTPBasicAuth
from werkzeug.security import check_password_hash, generate_password_hash

app = Flask(__name__)
app.config.from_prefixed_env()
auth = HTTPBasicAuth()

users = {
    "user1": generate_password_hash("pass1"),
    "user2": generate_password_hash("pass2"),
}


@auth.verify_password
def verify_password(username, password):
    if username in users and check_password_hash(users[username], password):
        return username


@app.get("/")
@auth.login_required
def index():
    return f"Hello, {auth.current_user()}!"


if __name__ == "__main__":
    app.run(port=5002)
