# /// script
# requires-python = ">=3.11"
# dependencies = ["cbor2>=6", "flask>=3.1", "libpass[argon2]>=1.9", "webauthn>=3.0"]
# ///
"""Lesson 07, done right: passkeys (WebAuthn Level 3) with webauthn, also known as py_webauthn.

A passkey is a pair of keys that a device makes for one site. The private key stays there and signs
a challenge of the server's; the server keeps the public key, which opens nothing. What is signed
names the site that the browser was on, so a look-alike site gets nothing that counts here.
"""

import json
import secrets

import webauthn
from flask import Flask, abort, request
from webauthn import helpers
from webauthn.helpers import structs
from webauthn.helpers.cose import COSEAlgorithmIdentifier as Algorithm

import sessions
import store

app = Flask(__name__, static_folder=store.PAGE)
REALM = "Lesson 07"
ALGORITHMS = [Algorithm.ECDSA_SHA_256, Algorithm.EDDSA, Algorithm.RSASSA_PKCS1_v1_5_SHA_256]
VERIFIED = structs.UserVerificationRequirement.REQUIRED  # by a PIN, a finger, a face: on the device


@app.get("/")
def index():
    return app.send_static_file("page.html")


@app.get("/secured")
def secured():
    return f"Hello, {session_owner()['name']}!\n"


def session_owner():
    return sessions.find() or abort(403, "Log in first.")


# A passkey is made: the registration ceremony (section 7.1).


@app.post("/register/options")
def registration_options():
    """Say what passkey is wanted of a user who is logged in, or sends the password."""
    session = sessions.find()
    user = session or store.password_owner(REALM)
    known = [helpers.base64url_to_bytes(key["id"]) for key in store.passkeys_of(user)]
    options = challenge_for(
        "register",
        user["name"],
        webauthn.generate_registration_options,
        rp_name=REALM,
        user_name=user["name"],
        user_id=user["handle"],  # random: whoever has the device can read it
        supported_pub_key_algs=ALGORITHMS,
        # A resident key is found without a name, so that nobody has to say who they are.
        authenticator_selection=structs.AuthenticatorSelectionCriteria(
            resident_key=structs.ResidentKeyRequirement.REQUIRED, user_verification=VERIFIED
        ),
        # A device that has one of these makes no second one.
        exclude_credentials=[structs.PublicKeyCredentialDescriptor(id=id) for id in known],
    )
    if session:  # what ended it meanwhile took its challenges along, but not this one
        session_owner()
    return options


@app.post("/register")
def register():
    """Keep the public key of a new passkey for the user whom its challenge was made for."""
    credential, challenge = answer_to("register", helpers.parse_registration_credential_json, 400)
    verify = webauthn.verify_registration_response
    new = verified(verify, credential, challenge, 400, supported_pub_key_algs=ALGORITHMS)
    id = helpers.bytes_to_base64url(new.credential_id)
    if id != credential.id or len(new.credential_id) > 1023:
        abort(400, "A passkey has one id, of 1 to 1023 bytes.")
    can_sync = new.credential_device_type == "multi_device"
    details = new.credential_public_key, new.sign_count, can_sync, new.credential_backed_up
    if not store.add_passkey(challenge["name"], id, *details):
        abort(400, "A passkey of this id is registered already.")
    return {"id": id}, 201


# A passkey is used: the authentication ceremony (section 7.2).


@app.post("/login/options")
def login_options():
    """Say what is to be signed. Nobody has said who they are, so it is the same for everybody."""
    make = webauthn.generate_authentication_options
    return challenge_for("login", None, make, user_verification=VERIFIED)


@app.post("/login")
def login():
    key = passkey_owner(*answer_to("login", helpers.parse_authentication_credential_json, 403))
    id = sessions.begin(key["name"], key["id"])
    return sessions.with_cookie({"name": key["name"]}, id)


def passkey_owner(credential, challenge):
    """Return the row of the passkey that signed and its user's; answer 403 if it doesn't count."""
    key = store.find_passkey(credential.id)
    if not key:
        abort(403, "This passkey is not registered here, or it was removed.")
    if credential.response.user_handle != key["handle"]:
        abort(403, "This passkey is another user's than it says.")
    now = verified(
        webauthn.verify_authentication_response,
        credential,
        challenge,
        403,
        credential_public_key=key["key"],
        credential_current_sign_count=0,  # below: only who can sign may raise an alarm
    )
    if (now.credential_device_type == "multi_device") != key["can_sync"]:
        abort(403, "Whether a passkey can be synced never changes, and for this one it did.")
    if not store.use_passkey(key["id"], now.new_sign_count, now.credential_backed_up):
        store.note_copy(key["id"])
        app.logger.warning("A passkey of %s went back: it may have been copied.", key["name"])
        abort(403, "The counter of this passkey went back: somebody may have a copy. Remove it.")
    return key


# What both ceremonies share.


def challenge_for(purpose, name, make_options, challenge=b"", **details):
    """Answer with options that hold a new challenge, which belongs to this browser."""
    browser = sessions.browser() or secrets.token_urlsafe(32)
    challenge, lifetime = challenge or secrets.token_bytes(32), app.config["CHALLENGE_LIFETIME"]
    store.keep_challenge(challenge, browser, purpose, name, lifetime)
    rp_id, timeout = app.config["RP_ID"], 1000 * lifetime  # for the browser, in milliseconds
    options = make_options(rp_id=rp_id, challenge=challenge, timeout=timeout, **details)
    return sessions.with_cookie(helpers.options_to_json_dict(options), browser)


def answer_to(purpose, parse, status):
    """Return the credential in the body and the challenge that it answers, which is used up."""
    try:
        credential = parse(request.get_json(silent=True))
        said = json.loads(credential.response.client_data_json)
        signed = helpers.base64url_to_bytes(said["challenge"])
        framed = said.get("crossOrigin") or "topOrigin" in said
        json.dumps([credential.id, said], ensure_ascii=False).encode()  # half a letter is no text
    except Exception:  # of a dozen kinds, for what is no JSON, no base64url or not of this form
        abort(400, "Send JSON, of the form that a PublicKeyCredential's toJSON() gives.")
    lifetime = app.config["CHALLENGE_LIFETIME"]
    challenge = store.use_challenge(signed, sessions.browser(), purpose, lifetime)
    if not challenge:
        abort(status, "This challenge was used, is too old, or is not this browser's. Try again.")
    if framed:  # the library does not look at these
        abort(status, "A page of another site asked for this, with ours in a frame.")
    return credential, challenge


def verified(verify, credential, challenge, status, **expected):
    """Return what the library finds in a credential; answer the request if it does not hold."""
    try:
        store.refuse_tags(credential.response)
        return verify(
            credential=credential,
            expected_challenge=challenge["challenge"],
            expected_origin=app.config["ORIGIN"],
            expected_rp_id=app.config["RP_ID"],
            require_user_verification=True,
            **expected,
        )
    except helpers.exceptions.WebAuthnException as error:
        abort(status, f"{str(error)[:200].rstrip('.')}.")
    except Exception:  # from the parsers that it stands on, for bytes that make no sense
        abort(status, "No authenticator answers like this.")


# What a user sees of their own passkeys, and the way out.


@app.get("/passkeys")
def passkeys():
    return store.passkeys_of(session_owner())


@app.delete("/passkeys/<id>")
def remove_passkey(id):
    if not store.remove_passkey(session_owner(), id):
        abort(404, "You have no passkey of this id.")
    return "", 204


@app.post("/logout")
def logout():
    sessions.end()
    return "", 204


store.set_up(app, CHALLENGE_LIFETIME=300, IDLE_TIMEOUT=1800, ABSOLUTE_TIMEOUT=43200)

if __name__ == "__main__":
    app.run(host="localhost", port=5007, debug=False)
