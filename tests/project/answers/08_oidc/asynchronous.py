"""An answer to lesson 08 with asynchronous views; httpx2 asks, joserfc reads the tokens."""

import asyncio
import hashlib
import json
import os
import secrets
import time
from base64 import urlsafe_b64encode

import httpx2
from flask import Flask, abort, make_response, redirect, request, session, url_for
from joserfc import jws
from joserfc.jwk import KeySet
from markupsafe import Markup

import store
from groundwork import db
from sessions import begin, csrf_token, digest, end, end_of, find, refuse_forged_form

app = Flask(__name__)
store.set_up(app, LOGIN_LIFETIME=600, IDLE_TIMEOUT=1800, ABSOLUTE_TIMEOUT=43200)
ISSUER, ID = app.config["ISSUER"], app.config["CLIENT_ID"]
SECRET = app.config["CLIENT_SECRET"]
SORRY = "Our provider is out of order. Please come back in a moment."
known = {"document": None, "until": 0, "keys": None, "looked": 0}


async def fetch(address, form=None, token=None):
    """Return the object that the provider answers, within four seconds."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    pair = httpx2.BasicAuth(ID, SECRET) if form else None
    try:
        async with asyncio.timeout(4), httpx2.AsyncClient(trust_env=False) as client:
            method = "POST" if form else "GET"
            answer = await client.request(method, address, data=form, headers=headers, auth=pair)
            content = answer.json()
        if form and content.get("error") == "invalid_grant":
            abort(400, "The provider does not honour this code. Please log in again.")
        if answer.status_code != 200 or not isinstance(content, dict):
            raise ValueError("nonsense")
    except (httpx2.HTTPError, TimeoutError, ValueError, AttributeError):
        app.logger.error("The provider is out of order.")
        abort(503, SORRY)
    return content


async def document():
    if time.time() > known["until"]:
        found = await fetch(f"{ISSUER}/.well-known/openid-configuration")
        places = ["authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri"]
        if found.get("issuer") != ISSUER or not set(places) <= set(found):
            abort(503, SORRY)
        known.update(document=found, until=time.time() + 600, keys=None)
    return known["document"]


async def keys(anew=False):
    where = (await document())["jwks_uri"]
    if anew or not known["keys"]:
        found = await fetch(where)
        try:
            known["keys"] = KeySet.import_key_set(found)
        except Exception:
            abort(503, SORRY)
    return known["keys"]


async def read(token):
    """Return the claims that both kinds of tokens need, checked, or None."""
    published = await keys()
    try:
        head = jws.extract_compact(token.encode()).headers()
        if head.get("kid") not in [key.kid for key in published]:
            if time.time() < known["looked"] + 10:
                return None
            known["looked"] = time.time()
            published = await keys(anew=True)
        claims = json.loads(jws.deserialize_compact(token, published, ["RS256", "ES256"]).payload)
        now = time.time()
        whole = all(type(claims[name]) is int for name in ("iat", "exp"))
        timely = whole and claims["iat"] <= now + 30 and claims["exp"] > now - 30
        meant = claims["aud"] in (ID, [ID]) and claims.get("azp", ID) == ID
        texts = [claims[name] for name in ("sub", "sid", "jti") if name in claims]
        named = all(isinstance(t, str) and t and t.isascii() and t.isprintable() for t in texts)
        return claims if timely and meant and named and claims["iss"] == ISSUER else None
    except Exception as error:
        if getattr(error, "code", None) == 503:
            raise
        return None


@app.get("/public")
async def public():
    return "Come in, whoever you are.\n"


@app.get("/login")
async def login():
    there = (await document())["authorization_endpoint"]
    state, nonce, verifier = (os.urandom(32).hex() for _ in range(3))
    session.setdefault("visitor", secrets.token_hex(16))
    store.keep_login(state, session["visitor"], nonce, verifier)
    challenge = urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode()
    parameters = {
        "client_id": ID,
        "response_type": "code",
        "scope": "openid profile email",
        "redirect_uri": url_for("callback", _external=True),
        "state": state,
        "nonce": nonce,
        "code_challenge": challenge.strip("="),
        "code_challenge_method": "S256",
    }
    return redirect(str(httpx2.URL(there, params=parameters)))


@app.get("/callback")
async def callback():
    row = store.take_login(request.args.get("state", "-"), session.get("visitor", "-"))
    if row is None:
        abort(400, "That was not your login, or it is over. Please begin again.")
    about = await document()
    wanted = about.get("authorization_response_iss_parameter_supported") is True
    if (wanted or "iss" in request.args) and request.args.get("iss") != ISSUER:
        abort(400, "That was another provider than yours. Please begin again.")
    error, code = request.args.get("error"), request.args.get("code")
    if error == "access_denied":
        abort(400, "You have refused, so nobody was logged in. You said no.")
    if error or not code:
        abort(400, "The provider had no code for us. Please begin again.")
    form = {"grant_type": "authorization_code", "code": code, "code_verifier": row["verifier"]}
    form["redirect_uri"] = url_for("callback", _external=True)
    answer = await fetch(about["token_endpoint"], form)
    if "id_token" not in answer or "access_token" not in answer:
        abort(503, SORRY)
    claims = await read(str(answer["id_token"]))
    if not claims or "sub" not in claims or claims.get("nonce") != row["nonce"]:
        abort(400, "The provider's word for it is not good. Please begin again.")
    person = await fetch(about["userinfo_endpoint"], token=answer["access_token"])
    if person.get("sub") != claims["sub"]:
        abort(400, "The provider contradicts itself. Please begin again.")
    name = str(person.get("name") or "you").encode("ascii", "xmlcharrefreplace").decode()
    begin(store.account_of(ISSUER, claims["sub"], name), claims.get("sid"))
    return redirect(url_for("index"))


@app.get("/")
async def index():
    user = find()
    if user is None:
        return redirect(url_for("login"))
    page = Markup(
        "<!doctype html><p>Hello, {}!</p><form method=post action=logout>"
        '<input type="hidden" name="csrf" value="{}"><button>Log out</button></form>'
    )
    response = make_response(page.format(user["name"], csrf_token()))
    response.content_type = "text/html; charset=utf-8"
    return response


@app.post("/logout")
async def logout():
    refuse_forged_form()
    end()
    there = (await document()).get("end_session_endpoint", url_for("public"))
    back = {"post_logout_redirect_uri": url_for("public", _external=True), "client_id": ID}
    return redirect(str(httpx2.URL(there, params=back)))


@app.post("/backchannel-logout")
async def backchannel_logout():
    claims = await read(request.form.get("logout_token", "")) or {}
    events = claims.get("events")
    event = "http://schemas.openid.net/event/backchannel-logout"
    right = isinstance(events, dict) and isinstance(events.get(event), dict) and "jti" in claims
    if not right or "nonce" in claims or not {"sub", "sid"} & set(claims):
        abort(400, "This is not the logout token that it should be.")
    seen = db().execute("SELECT 1 FROM logouts WHERE digest = ?", [digest(claims["jti"])])
    if seen.fetchone():
        abort(400, "This logout token has been used.")
    end_of(ISSUER, claims.get("sub"), claims.get("sid"))
    store.first_use(claims["jti"], claims["exp"])
    return ""
