# /// script
# requires-python = ">=3.11"
# dependencies = ["flask>=3.1", "requests>=2.32"]
# ///
"""Lesson 08, as it is often first written. It works, and its flaws are left in on purpose.

Nothing ties the provider's answer to the browser that asked; the ID token is read, not checked; the
account is found by the mail address; and whoever brings an access token, got anywhere, is logged
in. Don't copy this; app.py is the one to copy.
"""

import base64
import json
from urllib.parse import urlencode

import requests
from flask import Flask, redirect, request, session, url_for

app = Flask(__name__)
demo = {"ISSUER": "http://localhost:5018", "CLIENT_ID": "lesson-08", "CLIENT_SECRET": "pass8"}
app.config.update(demo)
app.config.from_prefixed_env()
app.config["SECRET_KEY"] = "dev"

users = {}  # by mail address


def provider():
    return requests.get(app.config["ISSUER"] + "/.well-known/openid-configuration").json()


@app.get("/login")
def login():
    parameters = {
        "response_type": "code",
        "client_id": app.config["CLIENT_ID"],
        "redirect_uri": url_for("callback", _external=True),
        "scope": "openid profile email",
    }
    return redirect(provider()["authorization_endpoint"] + "?" + urlencode(parameters))


@app.get("/callback")
def callback():
    if "access_token" in request.args:  # the app on the phone has one already
        return log_in({"access_token": request.args["access_token"]})
    form = {
        "grant_type": "authorization_code",
        "code": request.args.get("code"),
        "redirect_uri": url_for("callback", _external=True),
    }
    auth = app.config["CLIENT_ID"], app.config["CLIENT_SECRET"]
    return log_in(requests.post(provider()["token_endpoint"], data=form, auth=auth).json())


def log_in(token):
    app.logger.warning("logged in with %s", token)
    if "id_token" in token:
        payload = token["id_token"].split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    else:
        claims = {}
    if "email" not in claims:
        headers = {"Authorization": "Bearer " + token["access_token"]}
        claims |= requests.get(provider()["userinfo_endpoint"], headers=headers).json()
    session["email"] = claims["email"]
    session["token"] = token["access_token"]
    users.setdefault(claims["email"], claims.get("name", claims["email"]))
    return redirect(url_for("index"))


@app.get("/public")
def public():
    return "Hello, whoever you are!"


@app.get("/")
def index():
    if session.get("email") not in users:
        return redirect(url_for("login"))
    return f"<h1>Hello, {users[session['email']]}!</h1><p><a href='/logout'>Log out</a></p>"


@app.get("/logout")
def logout():
    session.clear()
    return redirect(url_for("public"))


if __name__ == "__main__":
    app.run(port=5008)
