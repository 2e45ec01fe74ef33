"""An authenticator in software: what a phone and the browser before it do with passkeys, in short.

    phone = Authenticator("http://localhost:5007")
    answer = phone.create(options)                  # for POST /register
    answer = phone.get(options)                     # for POST /login
    answer = phone.get(options, flags=PRESENT)      # nobody asked for a PIN or a finger

Options and answers are dictionaries in the standard's JSON form (WebAuthn Level 3, 5.1.8 to
5.1.10). Each part of an answer can be made to be wrong, for a server to refuse.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256, SHA384

ES256, EDDSA, RS256, ES384 = -7, -8, -257, -35  # as COSE numbers them (RFC 9053, RFC 8812)
PRESENT, VERIFIED, CAN_SYNC, SYNCED, WITH_KEY = 1, 4, 8, 16, 64  # flags (section 6.1)


@dataclass
class Passkey:
    """A private key, and what is kept beside it. `dataclasses.replace(key)` makes a copy."""

    id: str
    rp_id: str
    user: dict[str, str]  # id, which is the user handle; name; displayName
    algorithm: int
    private: Any
    count: int = 0


class Authenticator:
    """A device that makes and keeps passkeys, the newest last in `keys`.

    origin: of the page that asks it; flags: what it says of each answer; counts: False for a
    signature counter that stays 0, as on most phones; algorithms: which it can, the best first.
    """

    def __init__(self, origin, *, flags=PRESENT | VERIFIED, counts=True, algorithms=(ES256, EDDSA)):
        self.origin, self.flags, self.counts = origin, flags, counts
        self.algorithms = algorithms
        self.keys: list[Passkey] = []

    def create(self, options, *, algorithm=None, id=None, **wrong) -> dict:
        """Make a passkey; return what the promise of navigator.credentials.create() holds, as JSON.

        algorithm: whether it is offered or not; id: as text; wrong: rp_id, count, flags, and
        client, a dictionary of members of the client data. Raises PermissionError where a browser
        would, and LookupError if no algorithm fits or a key of this device is excluded.
        """
        fitting = [one["alg"] for one in options["pubKeyCredParams"]]
        fitting = [algorithm] if algorithm else [a for a in self.algorithms if a in fitting]
        excluded = {one["id"] for one in options.get("excludeCredentials", [])}
        if not fitting or (not id and excluded & {key.id for key in self.keys}):
            raise LookupError("no algorithm fits, or this device is registered already")
        id = id or encode(secrets.token_bytes(32))
        key = Passkey(id, options["rp"]["id"], options["user"], fitting[0], new_key(fitting[0]))
        raw, public = decode(id), cbor2.dumps(public_key(key))
        attested = bytes(16) + len(raw).to_bytes(2, "big") + raw + public  # after its model: none
        client, data = self._parts("webauthn.create", options, key, attested, **wrong)
        self.keys.append(key)
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        return _answer(key, clientDataJSON=client, attestationObject=attestation)

    def get(self, options, key=None, *, user_handle=None, signature=None, **wrong) -> dict:
        """Sign; return what the promise of navigator.credentials.get() holds, as JSON.

        key: the newest that fits if None; user_handle: text, "" for none; signature: bytes; wrong:
        as for create. Raises PermissionError where a browser would, LookupError if no key fits.
        """
        allowed = [one["id"] for one in options.get("allowCredentials") or []]
        fitting = [k for k in self.keys if k.rp_id == options["rpId"]]
        fitting = [key] if key else [k for k in fitting if not allowed or k.id in allowed]
        if not fitting:
            raise LookupError("this device has no passkey for that")
        key = fitting[-1]
        key.count += self.counts
        client, data = self._parts("webauthn.get", options, key, b"", **wrong)
        signature = signature or sign(key, data + hashlib.sha256(client).digest())
        handle = key.user["id"] if user_handle is None else user_handle or None
        parts = {"clientDataJSON": client, "authenticatorData": data, "signature": signature}
        return _answer(key, **parts, userHandle=handle)

    def _parts(
        self, type, options, key, attested, *, client=None, rp_id=None, flags=None, count=None
    ):
        """Return the two parts that are signed: the browser's (5.8.1) and the device's (6.1)."""
        host = urlsplit(self.origin).hostname
        if not f".{host}".endswith(f".{key.rp_id}"):
            raise PermissionError(f"SecurityError: {host} may not use passkeys of {key.rp_id}")
        said = {"type": type, "challenge": options["challenge"], "origin": self.origin}
        said |= {"crossOrigin": False, **(client or {})}
        flags = (self.flags if flags is None else flags) | (WITH_KEY if attested else 0)
        count = key.count if count is None else count
        data = hashlib.sha256((rp_id or key.rp_id).encode()).digest() + bytes([flags])
        data += count.to_bytes(4, "big") + attested
        return json.dumps(said, separators=(",", ":")).encode(), data


def _answer(key: Passkey, **parts) -> dict:
    parts = {name: encode(v) if isinstance(v, bytes) else v for name, v in parts.items()}
    return {"id": key.id, "rawId": key.id, "type": "public-key", "response": parts}


def new_key(algorithm: int):
    """Return a new private key."""
    if algorithm == EDDSA:
        return ed25519.Ed25519PrivateKey.generate()
    if algorithm == RS256:
        return rsa.generate_private_key(65537, 2048)
    return ec.generate_private_key(ec.SECP256R1() if algorithm == ES256 else ec.SECP384R1())


def public_key(key: Passkey) -> dict[int, Any]:
    """Return the public half in the form of COSE (RFC 9053, section 7; RFC 8230, section 4)."""
    public = key.private.public_key()
    if key.algorithm == EDDSA:
        return {1: 1, 3: EDDSA, -1: 6, -2: public.public_bytes_raw()}
    numbers = public.public_numbers()
    if key.algorithm == RS256:
        return {1: 3, 3: RS256, -1: numbers.n.to_bytes(256, "big"), -2: b"\1\0\1"}
    curve, size = (1, 32) if key.algorithm == ES256 else (2, 48)
    x, y = (number.to_bytes(size, "big") for number in (numbers.x, numbers.y))
    return {1: 2, 3: key.algorithm, -1: curve, -2: x, -3: y}


def sign(key: Passkey, data: bytes) -> bytes:
    """Sign with the private half."""
    if key.algorithm == EDDSA:
        return key.private.sign(data)
    if key.algorithm == RS256:
        return key.private.sign(data, padding.PKCS1v15(), SHA256())
    return key.private.sign(data, ec.ECDSA(SHA256() if key.algorithm == ES256 else SHA384()))


def encode(data: bytes) -> str:
    """Return base64url without padding (RFC 7515, section 2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "==")
