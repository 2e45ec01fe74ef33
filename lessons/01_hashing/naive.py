# /// script
# requires-python = ">=3.11"
# dependencies = ["flask>=3.1", "libpass>=1.9"]
# ///
"""Lesson 01, as it is often first written. It works, and its flaws are left in on purpose.

One password for everybody, its hash made when the app starts. Don't copy this; app.py is the
one to copy.
"""

from flask import Flask, request
from passlib.apps import custom_app_context as passwords

app = Flask(__name__)
app.config.from_prefixed_env()

password_hash = passwords.hash("pass1")


@app.get("/")
def index():
    return "Log in with POST /login.\n"


@app.post("/login")
def login():
    username, password = request.form["username"], request.form["password"]
    if not passwords.verify(password, password_hash):
        return "Wrong password\n"
    return f"Hello, {username}!\n"


if __name__ == "__main__":
    app.run(port=5001)
