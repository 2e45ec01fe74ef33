# /// script
# requires-python = ">=3.11"
# dependencies = ["flask>=3.1"]
# ///
"""Lesson 06, as it is often first written. It works, and its flaws are left in on purpose.

The name of the user stands in Flask's signed cookie, and the key for it in the code; a link logs
out, by forgetting the cookie; `next` is followed wherever it points; and any page of the web may
send these forms. Don't copy this; app.py is the one to copy.
"""

from functools import wraps

from flask import Flask, abort, redirect, request, session, url_for

app = Flask(__name__)
app.config.from_prefixed_env()
app.config["SECRET_KEY"] = "dev"

users = {"user1": "pass1", "user2": "pass2"}

LOGIN = """<form method="post">
{error}
<input name="username" placeholder="User name">
<input name="password" type="password" placeholder="Password">
<input type="submit" value="Log in">
</form>"""
INDEX = """<p>Hello, {user}!</p>
<p><a href="/logout">Log out</a> <a href="/sessions">Sessions</a></p>
<form method="post" action="/password">
<input name="old" type="password" placeholder="Old password">
<input name="new" type="password" placeholder="New password">
<input type="submit" value="Change password">
</form>"""


def login_required(view):
    @wraps(view)
    def wrapper(*args, **kwargs):
        if "user" not in session:
            return redirect(url_for("login_form", next=request.url))
        return view(*args, **kwargs)

    return wrapper


@app.get("/public")
def public():
    return "Hello, whoever you are!"


@app.get("/")
@login_required
def index():
    return INDEX.format(user=session["user"])


@app.get("/admin")
@login_required
def admin():
    if not session["admin"]:
        abort(403)
    return f"Hello, admin {session['user']}!"


@app.get("/login")
def login_form():
    return LOGIN.format(error="")


@app.post("/login")
def login():
    user = request.form["username"]
    if user not in users:
        return LOGIN.format(error=f"There is no user {user}.")
    if users[user] != request.form["password"]:
        return LOGIN.format(error="The password is wrong.")
    session["user"] = user
    session["admin"] = user == "user1"
    return redirect(request.args.get("next", "/"))


@app.get("/logout")
def logout():
    session.clear()
    return redirect(url_for("login_form"))


@app.post("/password")
@login_required
def change_password():
    users[session["user"]] = request.form["new"]
    return redirect(url_for("index"))


@app.get("/sessions")
@login_required
def sessions():
    return f"You are logged in with {request.user_agent}."


if __name__ == "__main__":
    app.run(port=5006)
