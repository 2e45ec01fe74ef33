"""A provider of OpenID Connect on loopback that does as it is told, what is wrong as well.

Lesson 08 brings a right one. The checks and the notebook need one that lies: that names another
issuer, signs with another key, comes too late, falls silent. Here each answer is made right, then
changed by what `telling` says. The checks bring it in place of the lesson's own, by the setting
ISSUER; whom it logs in is `person`, and it asks nobody.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import json
import secrets
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote_plus, urlencode, urlsplit

from .client import TIMEOUT

EVENT = "http://schemas.openid.net/event/backchannel-logout"
WAIT = 2 * TIMEOUT  # seconds for which it says nothing when it is slow


class Provider:
    """A running provider; `issuer` is its address, as FLASK_ISSUER wants it.

    person: the claims about whoever logs in; client: the id and secret that the client must show;
    asked: the parameters of each authorization request; brought: the code of each request for a
    token, right or wrong; redeemed: the form of each right one; told: the claims of each ID token;
    tokens: every token that it gave away; counts: how often each path was asked for. It ends with
    `stop`, at the end of a `with`, or with the process.
    """

    def __init__(self, client: tuple[str, str] = ("lesson-08", "pass8"), port: int = 0):
        self.client = client
        self.person: dict[str, Any] = {"sub": "1", "name": "Ann", "email": "ann@example.com"}
        self.asked: list[dict[str, str]] = []
        self.brought: list[str | None] = []
        self.redeemed: list[dict[str, str]] = []
        self.told: list[dict[str, Any]] = []
        self.tokens: list[str] = []
        self.counts: dict[str, int] = {}
        self.keys = [_Key()]  # published; the first of them signs
        self._stranger = _Key()
        self._codes: dict[str, dict[str, Any]] = {}
        self._owners: dict[str, dict[str, Any]] = {}
        self._wrong: dict[str, Any] = {}
        self._over = threading.Event()
        self.port = port
        self.start()
        self.issuer = f"http://localhost:{self.port}"

    # What it does wrong.

    @contextlib.contextmanager
    def telling(self, **wrong: Any):
        """Let it do something wrong for the length of a `with`.

        claims, header: changes to the ID token's, None leaves one out; sign: "none", "HS256" (with
        the public key for a secret), "stranger" (with a key that is not published) or "forged"
        (likewise, under the name of one that is); metadata, token, userinfo, back: changes to the
        discovery document, to the answers of the token and userinfo endpoints, and to the
        parameters with which the browser comes back; answers: for a path, a status or a text
        instead of its answer; slow: paths that are not answered.
        """
        before, self._wrong, self._over = self._wrong, {**self._wrong, **wrong}, threading.Event()
        try:
            yield self
        finally:
            self._over.set()  # whoever still waits goes
            self._wrong = before

    def rotate(self, publish_old: bool = False):
        """Sign with a new key from now on."""
        self.keys = [_Key(), *(self.keys if publish_old else [])]

    @contextlib.contextmanager
    def down(self):
        """Let it refuse connections for the length of a `with`."""
        self.stop()
        try:
            yield self
        finally:
            self.start()

    # What it is asked for.

    def authorize(self, address: str) -> str:
        """Return where the browser is sent from the address to which the client has sent it."""
        asked = dict(parse_qsl(urlsplit(address).query))
        self.asked.append(asked)
        code, sid = secrets.token_urlsafe(16), secrets.token_urlsafe(8)
        self._codes[code] = {"asked": asked, "sid": sid, "person": dict(self.person)}
        back = {"code": code, "state": asked.get("state"), "iss": self.issuer}
        back = _changed(back, self._wrong.get("back"))
        return asked.get("redirect_uri", "") + "?" + urlencode(back)

    def logout_token(self, sign: str = "", header: dict | None = None, **changes: Any) -> str:
        """Return a logout token for who was logged in last, with changes to its claims."""
        last = self.told[-1] if self.told else {}
        now, named = int(time.time()), {"jti": secrets.token_urlsafe(8), "events": {EVENT: {}}}
        claims = {"iss": self.issuer, "aud": self.client[0], "iat": now, "exp": now + 120, **named}
        claims |= {"sub": last.get("sub", "1"), "sid": last.get("sid")}
        return self.sign(_changed(claims, changes), {"typ": "logout+jwt", **(header or {})}, sign)

    def access_token(self, audience: str, sign: str = "", header: dict | None = None, **changes):
        """Return an access token for an API (RFC 9068), with changes to its claims."""
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": audience, "iat": now, "exp": now + 300}
        claims |= {"sub": self.person["sub"], "client_id": self.client[0], "scope": "profile"}
        claims |= {"jti": secrets.token_urlsafe(8)}
        return self.sign(_changed(claims, changes), {"typ": "at+jwt", **(header or {})}, sign)

    def sign(self, claims: dict[str, Any], header: dict | None = None, how: str = "") -> str:
        """Return a signed token; how: as `telling` says."""
        key, alg = self.keys[0], "RS256"
        head = {"alg": how if how in ("none", "HS256") else alg, "kid": key.kid, "typ": "JWT"}
        if how == "stranger":
            key = self._stranger
            head["kid"] = key.kid
        elif how == "forged":
            key = self._stranger
        head = _changed(head, header)
        text = f"{_encode(json.dumps(head))}.{_encode(json.dumps(claims))}"
        if how == "none":
            return f"{text}."
        if how == "HS256":
            return f"{text}.{_encode(hmac.digest(key.pem, text.encode(), 'sha256'))}"
        return f"{text}.{_encode(key.sign(text.encode()))}"

    # Its answers: a status and what becomes JSON.

    def _answer(self, path, form, authorization):
        self.counts[path] = self.counts.get(path, 0) + 1
        if path in self._wrong.get("slow", ()):
            self._over.wait(WAIT)
            return 200, {}
        instead = self._wrong.get("answers", {}).get(path)
        if instead is not None:
            return (instead, {}) if isinstance(instead, int) else (200, instead)
        answers = {"/.well-known/openid-configuration": self._metadata, "/jwks": self._jwks}
        if path in answers:
            return 200, answers[path]()
        if path == "/token":
            return self._token(form, authorization)
        if path == "/userinfo":
            return self._userinfo(authorization)
        return (200, {"ended": True}) if path == "/end_session" else (404, {})

    def _metadata(self):
        places = {"token": "token_endpoint", "userinfo": "userinfo_endpoint", "jwks": "jwks_uri"}
        places |= {"authorize": "authorization_endpoint", "end_session": "end_session_endpoint"}
        found = {name: f"{self.issuer}/{place}" for place, name in places.items()}
        lists = {"response_types": "code", "subject_types": "public"}
        lists |= {"id_token_signing_alg_values": "RS256", "scopes": "openid profile email"}
        lists |= {"token_endpoint_auth_methods": "client_secret_basic"}
        lists |= {"code_challenge_methods": "S256"}
        found |= {f"{name}_supported": value.split() for name, value in lists.items()}
        found["authorization_response_iss_parameter_supported"] = True
        found["backchannel_logout_supported"] = found["backchannel_logout_session_supported"] = True
        return _changed({"issuer": self.issuer, **found}, self._wrong.get("metadata"))

    def _jwks(self):
        return {"keys": [key.public for key in self.keys]}

    def _token(self, form, authorization):
        self.brought.append(form.get("code"))
        shown = _basic(authorization) or (form.get("client_id"), form.get("client_secret"))
        if shown != self.client:
            return 401, {"error": "invalid_client"}
        code = self._codes.pop(form.get("code"), None)
        asked = code and code["asked"]
        if not code or form.get("redirect_uri") != asked.get("redirect_uri"):
            return 400, {"error": "invalid_grant"}
        verifier = form.get("code_verifier", "")
        proof = _encode(hashlib.sha256(verifier.encode()).digest())
        if asked.get("code_challenge_method") != "S256":
            proof = verifier  # "plain" (RFC 7636 4.2)
        if asked.get("code_challenge") not in (None, proof):
            return 400, {"error": "invalid_grant"}
        self.redeemed.append(form)
        now, access = int(time.time()), secrets.token_urlsafe(24)
        self._owners[access] = code["person"]
        claims = {"iss": self.issuer, "aud": self.client[0], "iat": now, "exp": now + 300}
        claims |= {"sub": code["person"]["sub"], "sid": code["sid"], "auth_time": now}
        claims |= {"nonce": asked["nonce"]} if "nonce" in asked else {}
        claims = _changed(claims, self._wrong.get("claims"))
        self.told.append(claims)
        token = self.sign(claims, self._wrong.get("header"), self._wrong.get("sign", ""))
        answer = {"access_token": access, "token_type": "Bearer", "expires_in": 300}
        self.tokens += [access, token]
        return 200, _changed({**answer, "id_token": token}, self._wrong.get("token"))

    def _userinfo(self, authorization):
        person = self._owners.get(authorization.partition(" ")[2])
        if person is None:
            return 401, {"error": "invalid_token"}
        return 200, _changed({**person, "email_verified": True}, self._wrong.get("userinfo"))

    # The server itself.

    def start(self):
        """Listen again, on the same port."""
        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), self._handler())
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self):
        """End the server, so that its port refuses connections."""
        self._over.set()
        self._server.shutdown()
        self._server.server_close()

    def _handler(self):
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                if urlsplit(self.path).path == "/authorize":  # a browser's own visit
                    self.send_response(302)
                    self.send_header("Location", provider.authorize(self.path))
                    self.end_headers()
                    return
                self.answer({})

            def do_POST(self):
                length = int(self.headers.get("Content-Length") or 0)
                self.answer(dict(parse_qsl(self.rfile.read(length).decode())))

            def answer(self, form):
                authorization = self.headers.get("Authorization") or ""
                path = urlsplit(self.path).path
                status, content = provider._answer(path, form, authorization)
                body = content if isinstance(content, str) else json.dumps(content)
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body.encode())))
                self.end_headers()
                with contextlib.suppress(OSError):  # whoever asked did not wait for it
                    self.wfile.write(body.encode())

            def log_message(self, *_):
                """Nobody reads it."""

        return Handler

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.stop()


class _Key:
    """A key pair for RS256: it signs, and shows its public half as a JWK and as PEM."""

    def __init__(self):
        from cryptography.hazmat.primitives.asymmetric import rsa
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        self._private = rsa.generate_private_key(65537, 2048)
        self.kid = secrets.token_hex(4)
        public = self._private.public_key()
        self.pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        numbers = {"n": public.public_numbers().n.to_bytes(256, "big"), "e": b"\1\0\1"}
        about = {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.kid}
        self.public = {**about, **{name: _encode(value) for name, value in numbers.items()}}

    def sign(self, text: bytes) -> bytes:
        from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
        from cryptography.hazmat.primitives.hashes import SHA256

        return self._private.sign(text, PKCS1v15(), SHA256())


def _changed(what: dict[str, Any], changes: dict[str, Any] | None) -> dict[str, Any]:
    return {name: value for name, value in {**what, **(changes or {})}.items() if value is not None}


def _encode(what: str | bytes) -> str:
    raw = what.encode() if isinstance(what, str) else what
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _basic(authorization: str) -> tuple[str, str] | None:
    """Return the client's id and secret, which stand there encoded like a form (RFC 6749 2.3.1)."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        id, _, secret = base64.b64decode(encoded).decode().partition(":")
    except ValueError:
        return None
    return unquote_plus(id), unquote_plus(secret)
