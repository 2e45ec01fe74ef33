"""A right answer with async views on the lesson's own store; what blocks runs in threads."""

import asyncio
import functools
import json
import secrets

import webauthn
from flask import Flask, Response, jsonify, request, send_from_directory
from flask import copy_current_request_context as with_request
from webauthn.helpers import (
    base64url_to_bytes,
    bytes_to_base64url,
    options_to_json,
    parse_authentication_credential_json,
    parse_registration_credential_json,
)
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

import sessions
import store

app = Flask(__name__, static_folder=None)
store.set_up(app, CHALLENGE_LIFETIME=300, IDLE_TIMEOUT=1800, ABSOLUTE_TIMEOUT=43200)
ALLOWED = [COSEAlgorithmIdentifier(number) for number in (-8, -7, -257)]
VERIFICATION = UserVerificationRequirement.REQUIRED


class No(Exception):
    """What is wrong, and the status."""


@app.errorhandler(No)
async def no(error):
    sentence, status, *headers = error.args
    return Response(f"{sentence}\n", status, *headers, mimetype="text/plain")


async def threaded(function, *args, **kwargs):
    run = with_request(functools.partial(function, *args, **kwargs))
    return await asyncio.to_thread(run)


async def logged_in():
    user = await threaded(sessions.find)
    if user is None:
        raise No("You are not logged in.", 403)
    return user


async def password():
    try:
        sent = request.authorization
    except ValueError:
        sent = None
    user = None
    if sent and sent.type == "basic":
        user = await threaded(store.check_password, sent.username, sent.password)
    if user is None:
        asked = {"WWW-Authenticate": 'Basic realm="Lesson 07", charset="UTF-8"'}
        raise No("Who are you? User name and password, please.", 401, asked)
    return user


async def options(make, purpose, name, **details):
    challenge, browser = secrets.token_bytes(32), sessions.browser() or secrets.token_hex(32)
    lifetime = app.config["CHALLENGE_LIFETIME"]
    await threaded(store.keep_challenge, challenge, browser, purpose, name, lifetime)
    made = make(rp_id=app.config["RP_ID"], challenge=challenge, **details)
    return sessions.with_cookie(
        Response(options_to_json(made), mimetype="application/json"), browser
    )


@app.post("/register/options")
async def register_options():
    user = await threaded(sessions.find)
    if user is None:
        user = await password()
    mine = await threaded(store.passkeys_of, user)
    return await options(
        webauthn.generate_registration_options,
        "register",
        user["name"],
        rp_name="Lesson 07",
        user_id=user["handle"],
        user_name=user["name"],
        exclude_credentials=[
            PublicKeyCredentialDescriptor(id=base64url_to_bytes(key["id"])) for key in mine
        ],
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=VERIFICATION
        ),
    )


@app.post("/login/options")
async def login_options():
    make = webauthn.generate_authentication_options
    return await options(make, "login", None, user_verification=VERIFICATION)


async def received(parse, purpose, status):
    try:
        credential = parse(request.get_json(force=False))
        said = json.loads(credential.response.client_data_json)
        challenge = base64url_to_bytes(said["challenge"])
        framed = said.get("crossOrigin", False) or said.get("topOrigin") is not None
    except Exception:
        raise No("Send a credential as its toJSON() gives it.", 400) from None
    lifetime, browser = app.config["CHALLENGE_LIFETIME"], sessions.browser()
    asked = await threaded(store.use_challenge, challenge, browser, purpose, lifetime)
    if asked is None:
        raise No("That challenge is none of this browser's, or it was used.", status)
    if framed:
        raise No("That was made inside of another site.", status)
    return credential, asked


def verifying(asked):
    return {
        "expected_challenge": asked["challenge"],
        "expected_origin": app.config["ORIGIN"],
        "expected_rp_id": app.config["RP_ID"],
        "require_user_verification": True,
    }


@app.post("/register")
async def register():
    credential, asked = await received(parse_registration_credential_json, "register", 400)
    try:
        new = webauthn.verify_registration_response(
            credential=credential, supported_pub_key_algs=ALLOWED, **verifying(asked)
        )
        assert len(new.credential_id) <= 1023
    except Exception:
        raise No("That passkey was not made as it was asked for.", 400) from None
    id, can_sync = bytes_to_base64url(new.credential_id), new.credential_device_type.value[0] == "m"
    details = new.credential_public_key, new.sign_count, can_sync, new.credential_backed_up
    if not await threaded(store.add_passkey, asked["name"], id, *details):
        raise No("That passkey is on an account already.", 400)
    return jsonify(id=id), 201


@app.post("/login")
async def login():
    credential, asked = await received(parse_authentication_credential_json, "login", 403)
    key = await threaded(store.find_passkey, credential.id)
    if key is None or credential.response.user_handle != key["handle"]:
        raise No("That passkey is nobody's here.", 403)
    try:
        now = webauthn.verify_authentication_response(
            credential=credential,
            credential_public_key=key["key"],
            credential_current_sign_count=0,
            **verifying(asked),
        )
    except Exception:
        raise No("That passkey did not sign what it was asked to.", 403) from None
    if (now.credential_device_type.value == "multi_device") is not bool(key["can_sync"]):
        raise No("That passkey is not what it was.", 403)
    counted = now.new_sign_count, now.credential_backed_up
    if not await threaded(store.use_passkey, key["id"], *counted):
        await threaded(store.note_copy, key["id"])
        raise No("That passkey was copied, it seems. Remove it.", 403)
    id = await threaded(sessions.begin, key["name"], key["id"])
    return sessions.with_cookie(jsonify(user=key["name"]), id)


@app.get("/secured")
async def secured():
    user = await logged_in()
    return f"Hello, {user['name']}!"


@app.get("/passkeys")
async def passkeys():
    keys = await threaded(store.passkeys_of, await logged_in())
    return jsonify([{**key, "copied": key.pop("went_back")} for key in keys])


@app.delete("/passkeys/<id>")
async def remove(id):
    if not await threaded(store.remove_passkey, await logged_in(), id):
        raise No("You have no such passkey.", 404)
    return Response(status=204)


@app.post("/logout")
async def logout():
    await threaded(sessions.end)
    return Response(status=204)


@app.get("/")
async def page():
    return send_from_directory(store.PAGE, "page.html")


@app.get("/static/<name>")
async def static(name):
    return send_from_directory(store.PAGE, name)
