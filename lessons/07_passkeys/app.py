# /// script
# requires-python = ">=3.11"
# dependencies = ["flask>=3.1", "libpass[argon2]>=1.9", "webauthn>=3.0"]
# ///
"""Lesson 07, done right: passkeys (WebAuthn Level 3) with webauthn, also known as py_webauthn.

A passkey is a pair of keys that a device makes for one site. The private key stays there and signs
a challenge of the server's; the server keeps the public key, which opens nothing. What is signed
names the site that the browser was on, so a look-alike site gets nothing that counts here.
"""

import json
import secrets
from datetime import UTC, datetime

from flask import Flask, abort, request
from webauthn import (
    base64url_to_bytes,
    generate_authentication_options,
    generate_registration_options,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import (
    bytes_to_base64url,
    options_to_json_dict,
    parse_authentication_credential_json,
    parse_registration_credential_json,
)
from webauthn.helpers.cose import COSEAlgorithmIdentifier as Algorithm
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

import store

app = Flask(__name__, static_folder=store.STATIC)
REALM = "Lesson 07"
CHALLENGE = {"WWW-Authenticate": f'Basic realm="{REALM}", charset="UTF-8"'}
ALGORITHMS = [
    Algorithm.ECDSA_SHA_256,
    Algorithm.EDDSA,
    Algorithm.RSASSA_PKCS1_v1_5_SHA_256,
]


@app.get("/")
def index():
    return app.send_static_file("page.html")


@app.get("/secured")
def secured():
    return f"Hello, {session_owner()['name']}!\n"


# A passkey is made: the registration ceremony (WebAuthn section 7.1).


@app.post("/register/options")
def registration_options():
    """Say what passkey is wanted, to a user who is logged in or sends the password."""
    user = find_session() or password_owner()
    return challenge_for(
        "register",
        user["name"],
        generate_registration_options,
        rp_name=REALM,
        user_name=user["name"],
        user_id=user["handle"],  # random: devices keep it, and show it to whoever holds them
        supported_pub_key_algs=ALGORITHMS,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,  # it can then be found without a name
            user_verification=UserVerificationRequirement.REQUIRED,  # a PIN, a finger, a face
        ),
        exclude_credentials=[  # a device that has one of these makes no second one
            PublicKeyCredentialDescriptor(id=base64url_to_bytes(key["id"]))
            for key in store.passkeys_of(user)
        ],
    )


@app.post("/register")
def register():
    """Keep the public key of a new passkey, for the user whom its challenge was made for."""
    credential, challenge = answer_to("register", parse_registration_credential_json, 400)
    new = verified(
        verify_registration_response, credential, challenge, 400, supported_pub_key_algs=ALGORITHMS
    )
    id = bytes_to_base64url(new.credential_id)
    flags = new.credential_device_type == "multi_device", new.credential_backed_up
    added = len(new.credential_id) <= 1023 and store.add_passkey(
        challenge["name"], id, new.credential_public_key, new.sign_count, *flags
    )
    if not added:  # were it kept, its maker could put a known id on another's account
        abort(400, "This passkey is registered already, or its id is too long.")
    return {"id": id}, 201


# A passkey is used: the authentication ceremony (WebAuthn section 7.2).


@app.post("/login/options")
def login_options():
    """Say what is to be signed. It is the same for everybody: nobody has said who they are."""
    required = UserVerificationRequirement.REQUIRED
    return challenge_for("login", None, generate_authentication_options, user_verification=required)


@app.post("/login")
def login():
    credential, challenge = answer_to("login", parse_authentication_credential_json, 403)
    user = passkey_owner(credential, challenge)
    store.end_session(browser())
    return with_cookie({"name": user["name"]}, store.begin_session(user["name"], credential.id))


def passkey_owner(credential, challenge):
    """Return the row of the passkey that signed, with its user; answer 403 if it does not count."""
    key = store.find_passkey(credential.id)
    if not key:
        abort(403, "This passkey is not registered here, or it was removed.")
    if credential.response.user_handle != key["handle"]:
        abort(403, "This passkey belongs to another user than it says.")
    now = verified(
        verify_authentication_response,
        credential,
        challenge,
        403,
        credential_public_key=key["key"],
        # Below, once the signature is known to hold: else a stranger could raise a false alarm.
        credential_current_sign_count=0,
    )
    if (now.credential_device_type == "multi_device") != key["can_sync"]:
        abort(403, "This passkey can be synced, and could not when it was made, or the reverse.")
    if not store.use_passkey(key["id"], now.new_sign_count, now.credential_backed_up):
        store.note_copy(key["id"])
        app.logger.warning("A passkey of %s may have been copied.", key["name"])
        abort(403, "The counter of this passkey went back: there may be a copy. Remove it.")
    return key


# What both ceremonies share.


def challenge_for(purpose, name, generate_options, **details):
    """Answer with options that hold a new challenge, which belongs to this browser."""
    challenge, lifetime = secrets.token_bytes(32), app.config["CHALLENGE_LIFETIME"]
    asks = browser() or secrets.token_urlsafe(32)
    store.keep_challenge(challenge, asks, purpose, name, lifetime)
    options = generate_options(
        rp_id=app.config["RP_ID"], challenge=challenge, timeout=1000 * lifetime, **details
    )
    return with_cookie(options_to_json_dict(options), asks)


def answer_to(purpose, parse, status):
    """Return the credential in the body, and the challenge that it answers, which is used up."""
    try:
        credential = parse(request.get_json(silent=True))
        said = json.loads(credential.response.client_data_json)
        signed, framed = base64url_to_bytes(said["challenge"]), said.get("crossOrigin")
    except Exception:  # a dozen kinds, for JSON and base64url that are none
        abort(400, "Send JSON as the toJSON() of a PublicKeyCredential makes it.")
    lifetime = app.config["CHALLENGE_LIFETIME"]
    challenge = store.use_challenge(signed, browser(), purpose, lifetime)
    if not challenge:
        abort(status, "This challenge is not this browser's, was used, or is too old. Try again.")
    if framed or "topOrigin" in said:  # the library does not look at these
        abort(status, "This passkey was asked for in a frame on another site.")
    return credential, challenge


def verified(verify, credential, challenge, status, **expected):
    """Return what the library makes of a credential; answer the request if it does not hold."""
    try:
        return verify(
            credential=credential,
            expected_challenge=challenge["challenge"],
            expected_origin=app.config["ORIGIN"],
            expected_rp_id=app.config["RP_ID"],
            require_user_verification=True,
            **expected,
        )
    except WebAuthnException as error:
        abort(status, f"{error}.")
    except Exception:  # from the parsers below it, for bytes that make no sense
        abort(status, "No authenticator answers like this.")


def password_owner():
    """Return the user whose Basic credentials came along, or answer with a challenge."""
    try:
        sent = request.authorization
    except ValueError:  # Werkzeug, when Basic comes with bytes beyond ASCII
        sent = None
    basic = sent and sent.type == "basic"
    user = store.check_password(sent.username, sent.password) if basic else None
    said = "User name or password is wrong." if basic else "Log in, or send name and password."
    return user or abort(app.response_class(f"{said}\n", 401, CHALLENGE))


# The session, as in lesson 06, and one's own passkeys.


def browser():
    """Return the random id that this browser was given: of its session, or before it of nobody."""
    return request.cookies.get(cookie_name(), "")


def cookie_name():
    return "__Host-lesson07" if app.config["SECURE"] else "lesson07"


def with_cookie(answer, id):
    response = app.make_response(answer)
    secure = app.config["SECURE"]
    response.set_cookie(cookie_name(), id, secure=secure, httponly=True, samesite="Lax")
    return response


def find_session():
    return store.find_session(browser(), app.config["IDLE_TIMEOUT"], app.config["ABSOLUTE_TIMEOUT"])


def session_owner():
    return find_session() or abort(403, "Log in first.")


@app.post("/logout")
def logout():
    store.end_session(browser())
    return "", 204


@app.get("/passkeys")
def passkeys():
    def when(seconds):
        return seconds and f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"

    return [
        {
            "id": key["id"],
            "made": when(key["made"]),
            "used": when(key["used"]),
            "synced": bool(key["synced"]),
            "counter_went_back": when(key["went_back"]),  # somebody may have a copy
        }
        for key in store.passkeys_of(session_owner())
    ]


@app.delete("/passkeys/<id>")
def remove_passkey(id):
    if not store.remove_passkey(session_owner(), id, browser()):
        abort(404, "You have no passkey of this id.")
    return "", 204


@app.before_request
def refuse_other_origins():
    """Refuse what another origin's page sends along with our cookie or a remembered password."""
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    ours = site in (None, "same-origin", "none") and origin in (None, app.config["ORIGIN"])
    if request.method not in ("GET", "HEAD") and not ours:
        abort(403, f"This came from a page of another origin than {app.config['ORIGIN']}.")


@app.after_request
def protect(response):
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "no-store"
    return response


store.set_up(app, CHALLENGE_LIFETIME=300, IDLE_TIMEOUT=1800, ABSOLUTE_TIMEOUT=43200)

if __name__ == "__main__":
    app.run(host="localhost", port=5007, debug=False)
