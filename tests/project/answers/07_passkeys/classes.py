"""A right answer as classes: a ceremony knows its challenge, and each view is a MethodView.

What is kept is one JSON document, which changes as a whole.
"""

import contextlib
import json
import secrets
import sqlite3
import time
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b

import webauthn
from flask import Flask, abort, jsonify, request, send_from_directory
from flask.views import MethodView
from passlib.hash import argon2
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url, options_to_json_dict, structs
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.exceptions import WebAuthnException
from werkzeug.exceptions import HTTPException

import store

app = Flask(__name__, static_folder=store.PAGE)
app.config.from_mapping(ORIGIN="http://localhost:5007", DATABASE="classes.db")
app.config.from_mapping(CHALLENGE_LIFETIME=300, IDLE_TIMEOUT=1800, ABSOLUTE_TIMEOUT=43200)
app.config.from_prefixed_env()
REQUIRED = structs.UserVerificationRequirement.REQUIRED
argon2id = argon2.using(type="ID", memory_cost=19456, rounds=2, parallelism=1)
NOBODY = argon2id.hash("nobody")


class Site:
    """Where this is visited."""

    origin = app.config["ORIGIN"]
    scheme, _, host = origin.partition("://")
    rp_id = host.split(":")[0]
    cookie = "__Host-classes" if scheme == "https" else "classes"


class Vault:
    """What is kept: users, keys, challenges and sessions, in one file that changes as a whole."""

    def __init__(self, path):
        self.path = path
        with contextlib.closing(sqlite3.connect(path)) as db, db:
            db.execute("CREATE TABLE IF NOT EXISTS vault (id INTEGER PRIMARY KEY, document TEXT)")
            db.execute("INSERT OR IGNORE INTO vault VALUES (1, '{}')")
        with self.changing() as data:
            for name in ("users", "keys", "challenges", "sessions"):
                data.setdefault(name, {})
            for name, password in (("user1", "pass1"), ("user2", "pass2")):
                user = {"password": argon2id.hash(password), "handle": secrets.token_urlsafe(32)}
                data["users"].setdefault(name, user)

    @contextlib.contextmanager
    def changing(self):
        connection = sqlite3.connect(self.path, timeout=20, isolation_level=None)
        with contextlib.closing(connection) as db, db:
            db.execute("BEGIN IMMEDIATE")
            data = json.loads(db.execute("SELECT document FROM vault").fetchone()[0])
            yield data
            db.execute("UPDATE vault SET document = ?", [json.dumps(data)])

    def read(self):
        with self.changing() as data:
            return data


vault = Vault(app.config["DATABASE"])


class Visitor:
    """The browser that sent the request: its cookie, and the user behind it, if any."""

    def __init__(self):
        self.id = request.cookies.get(Site.cookie, "")
        self.mark = self.hashed(self.id)

    @staticmethod
    def hashed(text):
        return blake2b(text.encode("utf-8", "replace"), digest_size=32).hexdigest()

    def name(self):
        now = time.time()
        with vault.changing() as data:
            session = data["sessions"].get(self.mark)
            if not session:
                return None
            begun, used = now - session["begun"], now - session["used"]
            if begun > app.config["ABSOLUTE_TIMEOUT"] or used > app.config["IDLE_TIMEOUT"]:
                del data["sessions"][self.mark]
                return None
            session["used"] = now
            return session["user"]

    def required(self):
        return self.name() or abort(403, "That is for who is logged in.")

    def log_in(self, name):
        new, now = secrets.token_urlsafe(32), time.time()
        with vault.changing() as data:
            data["sessions"].pop(self.mark, None)
            data["sessions"][self.hashed(new)] = {"user": name, "begun": now, "used": now}
        return self.with_cookie({"user": name}, new)

    def log_out(self):
        with vault.changing() as data:
            data["sessions"].pop(self.mark, None)

    @staticmethod
    def with_cookie(answer, value):
        response = app.make_response(answer)
        response.set_cookie(
            Site.cookie,
            value,
            httponly=True,
            samesite="Lax",
            secure=Site.scheme == "https",
        )
        return response


def password_user():
    try:
        sent = request.authorization
    except ValueError:
        sent = None
    if sent and sent.type == "basic" and "\0" not in sent.password:
        user = vault.read()["users"].get(sent.username)
        if argon2id.verify(sent.password[:1024], user["password"] if user else NOBODY) and user:
            return sent.username
    challenge = {"WWW-Authenticate": 'Basic realm="Lesson 07", charset="UTF-8"'}
    return abort(app.response_class("A user name and its password, please.\n", 401, challenge))


@dataclass
class Ceremony:
    """One kind of question to a device, and the judgement of its answer."""

    purpose: str
    status: int  # of a refusal
    parse: object

    def question(self, make, user=None, **details):
        visitor, challenge = Visitor(), secrets.token_bytes(32)
        id = visitor.id or secrets.token_urlsafe(32)
        note = {"browser": Visitor.hashed(id), "purpose": self.purpose, "user": user}
        with vault.changing() as data:
            oldest = time.time() - app.config["CHALLENGE_LIFETIME"]
            left = {c: n for c, n in data["challenges"].items() if n["at"] > oldest}
            data["challenges"] = left
            left[bytes_to_base64url(challenge)] = {**note, "at": time.time()}
        options = make(rp_id=Site.rp_id, challenge=challenge, **details)
        return Visitor.with_cookie(options_to_json_dict(options), id)

    def refuse(self, sentence):
        abort(self.status, sentence)

    def answer(self):
        """Return the credential, and the note on its challenge with that."""
        try:
            credential = self.parse(request.get_json())
            said = json.loads(credential.response.client_data_json)
            challenge = bytes_to_base64url(base64url_to_bytes(said["challenge"]))
            framed = said.get("crossOrigin") or said.get("topOrigin")
        except HTTPException:
            abort(400, "The body has to be JSON, and to say so.")
        except Exception:
            abort(400, "The body has to be what toJSON() makes of a credential.")
        with vault.changing() as data:
            note = data["challenges"].get(challenge)
            mine = note and note["browser"] == Visitor().mark and note["purpose"] == self.purpose
            if mine:
                del data["challenges"][challenge]
        if not mine or time.time() - note["at"] > app.config["CHALLENGE_LIFETIME"]:
            self.refuse("This challenge is unknown here, or it was answered.")
        if framed:
            self.refuse("This was asked for by a page around ours.")
        return credential, {**note, "challenge": base64url_to_bytes(challenge)}

    def judge(self, verify, credential, note, **more):
        try:
            return verify(
                credential=credential,
                expected_challenge=note["challenge"],
                expected_origin=[Site.origin],
                expected_rp_id=Site.rp_id,
                require_user_verification=True,
                **more,
            )
        except WebAuthnException as error:
            return self.refuse(f"The passkey is refused: {error}")
        except Exception:
            return self.refuse("The passkey is refused: it makes no sense.")


Algorithms = list(map(COSEAlgorithmIdentifier, (-7, -8, -257)))
register = Ceremony("create", 400, webauthn.helpers.parse_registration_credential_json)
log_in = Ceremony("get", 403, webauthn.helpers.parse_authentication_credential_json)


class RegisterOptions(MethodView):
    def post(self):
        name = Visitor().name() or password_user()
        data = vault.read()
        mine = [id for id, key in data["keys"].items() if key["user"] == name]
        return register.question(
            webauthn.generate_registration_options,
            name,
            rp_name="Lesson 07",
            user_name=name,
            user_id=base64url_to_bytes(data["users"][name]["handle"]),
            supported_pub_key_algs=Algorithms,
            exclude_credentials=[
                structs.PublicKeyCredentialDescriptor(id=base64url_to_bytes(id)) for id in mine
            ],
            authenticator_selection=structs.AuthenticatorSelectionCriteria(
                resident_key=structs.ResidentKeyRequirement.REQUIRED, user_verification=REQUIRED
            ),
        )


class Register(MethodView):
    def post(self):
        credential, note = register.answer()
        verify = partial(webauthn.verify_registration_response, supported_pub_key_algs=Algorithms)
        new = register.judge(verify, credential, note)
        id = bytes_to_base64url(new.credential_id)
        with vault.changing() as data:
            if id in data["keys"] or len(new.credential_id) > 1023:
                abort(400, "This passkey is taken, or has too long an id.")
            data["keys"][id] = {
                "user": note["user"],
                "public": bytes_to_base64url(new.credential_public_key),
                "count": new.sign_count,
                "kind": str(new.credential_device_type.value),
                "synced": new.credential_backed_up,
                "made": int(time.time()),
                "used": None,
            }
        return {"id": id}, 201


class LoginOptions(MethodView):
    def post(self):
        make = webauthn.generate_authentication_options
        return log_in.question(make, user_verification=REQUIRED)


class Login(MethodView):
    def post(self):
        credential, note = log_in.answer()
        data = vault.read()
        key = data["keys"].get(credential.id) or abort(403, "This passkey opens nothing here.")
        handle = base64url_to_bytes(data["users"][key["user"]]["handle"])
        if credential.response.user_handle != handle:
            abort(403, "This passkey is not whose it says.")
        now = log_in.judge(
            webauthn.verify_authentication_response,
            credential,
            note,
            credential_public_key=base64url_to_bytes(key["public"]),
            credential_current_sign_count=0,
        )
        if now.credential_device_type.value != key["kind"]:
            abort(403, "This passkey was of another kind when it was made.")
        went_back = False
        with vault.changing() as data:
            key = data["keys"].get(credential.id) or abort(403, "This passkey was just removed.")
            went_back = now.new_sign_count <= key["count"] and (now.new_sign_count or key["count"])
            if went_back:
                key["warning"] = "There may be a copy of this passkey."
            else:
                key |= {"count": now.new_sign_count, "synced": now.credential_backed_up}
                key["used"] = int(time.time())
        if went_back:
            abort(403, "This passkey seems to be copied.")
        return Visitor().log_in(key["user"])


class Passkeys(MethodView):
    def get(self):
        name = Visitor().required()
        shown = ("made", "used", "synced", "warning")
        found = [(id, key) for id, key in vault.read()["keys"].items() if key["user"] == name]
        return jsonify([{"id": id, **{n: key.get(n) for n in shown}} for id, key in found])


class Passkey(MethodView):
    def delete(self, id):
        name = Visitor().required()
        with vault.changing() as data:
            if data["keys"].get(id, {}).get("user") != name:
                abort(404, "None of your passkeys has this id.")
            del data["keys"][id]
        return "", 204


class Secured(MethodView):
    def get(self):
        return f"Hello, {Visitor().required()}!\n"


class Logout(MethodView):
    def post(self):
        Visitor().log_out()
        return "", 204


class Page(MethodView):
    def get(self):
        return send_from_directory(store.PAGE, "page.html")


@app.before_request
def only_own_pages():
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return
    if request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
        abort(403, "This comes from another site.")
    if request.headers.get("Origin", Site.origin) != Site.origin:
        abort(403, "This comes from another origin.")


@app.after_request
def headers(response):
    own = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'"
    response.headers["Content-Security-Policy"] = own
    response.headers["X-Frame-Options"] = "DENY"
    response.headers["Cache-Control"] = "no-store"
    return response


@app.errorhandler(HTTPException)
def sentence(error):
    response = error.get_response()
    if not error.response:
        response.data, response.mimetype = f"{error.description}\n", "text/plain"
    return response


for path, view in {
    "/": Page,
    "/secured": Secured,
    "/register/options": RegisterOptions,
    "/register": Register,
    "/login/options": LoginOptions,
    "/login": Login,
    "/passkeys": Passkeys,
    "/passkeys/<id>": Passkey,
    "/logout": Logout,
}.items():
    app.add_url_rule(path, view_func=view.as_view(view.__name__))
