# /// script
# requires-python = ">=3.11"
# dependencies = ["flask>=3.1", "flask-httpauth>=4.8"]
# ///
"""Lesson 03, done right: HTTP Digest (RFC 7616) with Flask-HTTPAuth.

The password never travels. The server sends a nonce, the client answers with a hash over
user name, realm, password, nonce, method and address, and every answer counts once.
"""

import contextlib
import hashlib
import hmac
import re
import secrets
from urllib.parse import unquote

from flask import Flask, after_this_request, g, request
from flask_httpauth import HTTPDigestAuth
from itsdangerous import BadSignature, SignatureExpired, TimestampSigner
from werkzeug.datastructures import WWWAuthenticate

import store

app = Flask(__name__)
REALM = "Lesson 03"
HASHES = {"SHA-256": hashlib.sha256, "MD5": hashlib.md5}  # the preferred one first


def H(algorithm, *parts):
    """Return the hash over the parts joined by colons, as hex (RFC 7616 section 3.4)."""
    return HASHES[algorithm](":".join(parts).encode()).hexdigest()


def ha1s(username, password):
    """Return what is stored of a password: HA1, once for each algorithm."""
    return [H(algorithm, username, REALM, password) for algorithm in HASHES]


class DigestAuth(HTTPDigestAuth):
    """Flask-HTTPAuth's Digest with the checks of RFC 7616 that its own lacks.

    OPAQUE, NOBODY and nonces are made at the end of the file, once there is a key.
    """

    def get_auth(self):
        with contextlib.suppress(ValueError):  # from Werkzeug, for "Basic" with bytes beyond ASCII
            return super().get_auth()

    def authenticate(self, sent, user):
        """Return the user if this answer to one of our challenges is right, else None."""
        algorithm = (sent.algorithm or "MD5") if sent else None  # MD5 if untold (RFC 7616 3.3)
        if (
            algorithm not in HASHES
            or (sent.realm, sent.qop, sent.opaque) != (REALM, "auth", OPAQUE)
            or not (sent.uri and sent.nonce and sent.response)
            # nc counts from 00000001, in eight hexadecimal digits (RFC 7616 3.4).
            or not re.fullmatch("(?!0{8})[0-9a-f]{8}", sent.nc or "")
            # cnonce is sent back in a header: only ASCII that can't end the quotes there.
            or not re.fullmatch(r"[ !#-\[\]-~]+", sent.cnonce or "")
        ):
            return None

        ha1 = (user and user[algorithm]) or NOBODY  # no such user, or no HA1 of this kind
        middle = [sent.nonce, sent.nc, sent.cnonce, "auth"]
        right = H(algorithm, ha1, *middle, H(algorithm, request.method, sent.uri))
        if not hmac.compare_digest(right.encode(), sent.response.encode()) or not user:
            return None
        if not is_here(sent.uri):  # an answer stolen on its way elsewhere, or a proxy's doing
            # Not request.url: that can't be put together for each Host and prefix that may come.
            asked = request.root_path.rstrip("/") + request.full_path.rstrip("?")
            g.why = f"Your answer is for {sent.uri[:200]!r}, not for {asked[:200]!r}."
            app.logger.warning("%s A proxy's doing? See FLASK_PROXIES in docs/serving.md.", g.why)
            return None
        lifetime = app.config["NONCE_LIFETIME"]
        try:
            random, made = nonces.unsign(sent.nonce, max_age=lifetime, return_timestamp=True)
        except SignatureExpired:
            g.stale = True  # the password was right: the client may try again without asking
            return None
        except BadSignature:
            return None  # a nonce of someone else's making
        # Remembered for an hour longer than the nonce lives, in case the clock is set back.
        if not store.first_use(made.timestamp(), random, int(sent.nc, 16), lifetime + 3600):
            return None

        # The server proves that it knows HA1 as well: the same hash, without a method.
        proof = H(algorithm, ha1, *middle, H(algorithm, "", sent.uri))

        @after_this_request
        def add_proof(response):
            info = f'rspauth="{proof}", qop=auth, cnonce="{sent.cnonce}", nc={sent.nc}'
            response.headers["Authentication-Info"] = info
            return response

        return user


def is_here(uri):
    """Tell whether `uri` names what is asked for, in whatever spelling (RFC 7616 3.4.6)."""
    if not uri.startswith("/"):  # a client that goes through a proxy may sign the whole address
        uri = uri.removeprefix(f"{request.scheme}://{request.host}")
    (path, _, query), asked = uri.partition("?"), request.environ
    # A proxy may spell an address another way (%7E for ~), and not every server tells how it came.
    # All of them tell the path decoded, one character a byte, and the query as it is (PEP 3333).
    here = asked.get("SCRIPT_NAME", "").rstrip("/") + asked.get("PATH_INFO", "")
    return (unquote(path, "latin-1"), query) == (here, asked.get("QUERY_STRING", ""))


auth = DigestAuth(realm=REALM)


@auth.get_password
def get_password(username):  # the library hands what this returns to authenticate() above
    return store.find_user(username)


@app.get("/")
@app.get("/account")
@auth.login_required
def index():
    return f"Hello, {auth.current_user()['name']}!\n"


@auth.error_handler
def refused(status):
    why = g.get("why", "Answer one of the challenges in WWW-Authenticate.")
    response = app.response_class(f"{why}\n", status)
    response.www_authenticate = [challenge(algorithm) for algorithm in HASHES]
    return response


def challenge(algorithm):
    """Return a challenge with a fresh nonce; our signature and the time are part of it."""
    nonce = nonces.sign(secrets.token_urlsafe(12)).decode()
    parameters = {"realm": REALM, "nonce": nonce, "opaque": OPAQUE, "algorithm": algorithm}
    stale = {"stale": "true"} if g.get("stale") else {}
    return WWWAuthenticate("digest", {**parameters, "qop": "auth", **stale})


store.set_up(app, ha1s, NONCE_LIFETIME=300)
# The lifetime goes into the signature: raised later, it would revive nonces whose counts are swept.
salt = f"nonce {app.config['NONCE_LIFETIME']}"
nonces = TimestampSigner(app.secret_key, salt=salt, digest_method=hashlib.sha256)
OPAQUE = nonces.get_signature("opaque").decode()  # comes back unchanged, or it was not for us
NOBODY = secrets.token_hex()  # stands in for an HA1 that isn't there, and takes as long to check

if __name__ == "__main__":
    app.run(port=5003, debug=False)
