"""A passkey authenticator in software: what a phone and the browser before it do, in short.

    phone = Authenticator("http://localhost:5007")
    answer = phone.create(options)      # for POST /register
    answer = phone.get(options)         # for POST /login

Options and answers are dictionaries in the standard's JSON form (WebAuthn Level 3 section 5.1.8 to
5.1.10). Whatever a server must refuse can be asked for: phone.get(options, verified=False).
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

ES256, EDDSA, RS256, ES384 = -7, -8, -257, -35  # as COSE numbers them (RFC 9053, RFC 8812)
PRESENT, VERIFIED, ELIGIBLE, BACKED_UP, WITH_KEY = 1, 4, 8, 16, 64  # flags (section 6.1)


@dataclass
class Passkey:
    """A private key, with what the authenticator keeps beside it. `replace(key)` makes a copy."""

    id: str
    rp_id: str
    user: dict[str, str]  # id (the user handle), name, displayName
    algorithm: int
    private: Any
    count: int = 0


class Authenticator:
    """A device with passkeys. origin: of the page that asks; synced: whether keys are backed up.

    counts: False for one whose signature counter stays 0, as those of most phones do; algorithms:
    what it can do, its favourite first. Its passkeys are in `keys`, the newest last.
    """

    def __init__(self, origin, *, synced=False, counts=True, algorithms=(ES256, EDDSA, RS256)):
        self.origin, self.synced, self.counts = origin, synced, counts
        self.algorithms = algorithms
        self.keys: list[Passkey] = []

    def create(self, options, *, algorithm=None, id=None, **wrong) -> dict:
        """Make a passkey and return what navigator.credentials.create(), as JSON, answers.

        algorithm: one that need not be offered; id: the credential's, base64url; wrong: see _sign.
        Raises PermissionError where a browser would refuse, and LookupError if the device has a
        key that is excluded, or can do none of the algorithms.
        """
        offered = [one["alg"] for one in options["pubKeyCredParams"]]
        if algorithm is None:
            algorithm = next((one for one in self.algorithms if one in offered), None)
        excluded = {one["id"] for one in options.get("excludeCredentials", [])}
        if algorithm is None or (not id and excluded & {key.id for key in self.keys}):
            raise LookupError("no such algorithm, or this device is registered already")
        rp_id = options["rp"].get("id") or urlsplit(self.origin).hostname
        made = {"id": id or encode(secrets.token_bytes(32)), "private": new_key(algorithm)}
        key = Passkey(rp_id=rp_id, user=options["user"], algorithm=algorithm, **made)
        client_data, data, _ = self._sign("webauthn.create", options, key, **wrong)
        self.keys.append(key)
        attestation = cbor({"fmt": "none", "attStmt": {}, "authData": data})
        response = {"clientDataJSON": client_data, "attestationObject": attestation}
        return self._answer(key, {**response, "transports": ["internal"]})

    def get(self, options, key=None, *, user_handle=..., **wrong) -> dict:
        """Sign a challenge and return what navigator.credentials.get(), as JSON, answers.

        key: the newest of the site if None; user_handle: another than the key's; wrong: see _sign.
        Raises LookupError if there is no such key, PermissionError where a browser would refuse.
        """
        allowed = [one["id"] for one in options.get("allowCredentials") or []]
        mine = [k for k in self.keys if k.rp_id == options.get("rpId", k.rp_id)]
        mine = [k for k in mine if not allowed or k.id in allowed]
        if key is None and not mine:
            raise LookupError("this device has no passkey for that")
        key = key or mine[-1]
        key.count += self.counts
        client_data, data, signature = self._sign("webauthn.get", options, key, **wrong)
        handle = key.user["id"] if user_handle is ... else user_handle
        response = {"clientDataJSON": client_data, "authenticatorData": data}
        return self._answer(key, {**response, "signature": signature, "userHandle": handle})

    def _sign(
        self, type_, options, key, *, type=None, challenge=None, origin=None, rp_id=None,
        cross_origin=False, present=True, verified=True, eligible=None, backed_up=None, count=None,
        signature=None, client_data=None,
    ):  # fmt: skip
        """Return client data, authenticator data and their signature; any part can be replaced.

        client_data: more members of it, such as topOrigin; signature: bytes.
        """
        host = urlsplit(self.origin).hostname
        if origin is None and rp_id is None and not f".{host}".endswith(f".{key.rp_id}"):
            raise PermissionError(f"SecurityError: {host} may not ask for {key.rp_id}")
        said = {"type": type or type_, "challenge": challenge or options["challenge"]}
        said |= {"origin": origin or self.origin, "crossOrigin": cross_origin}
        said = json.dumps(said | (client_data or {}), separators=(",", ":")).encode()
        eligible = self.synced if eligible is None else eligible
        backed_up = self.synced if backed_up is None else backed_up
        flags = present * PRESENT | verified * VERIFIED | eligible * ELIGIBLE
        flags |= backed_up * BACKED_UP | (type_ == "webauthn.create") * WITH_KEY
        data = hashlib.sha256((rp_id or key.rp_id).encode()).digest() + bytes([flags])
        data += (key.count if count is None else count).to_bytes(4, "big")
        if type_ == "webauthn.create":
            id = decode(key.id)
            data += bytes(16) + len(id).to_bytes(2, "big") + id + cbor(public_key(key))
        made = signature or sign(key, data + hashlib.sha256(said).digest())
        return said, data, made

    def _answer(self, key, response) -> dict:
        encoded = {n: encode(v) if isinstance(v, bytes) else v for n, v in response.items()}
        answer = {"id": key.id, "rawId": key.id, "type": "public-key", "response": encoded}
        return {**answer, "authenticatorAttachment": "platform", "clientExtensionResults": {}}


def new_key(algorithm):
    """Return a new private key for an algorithm."""
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    if algorithm == RS256:
        return rsa.generate_private_key(65537, 2048)
    if algorithm == EDDSA:
        return ed25519.Ed25519PrivateKey.generate()
    return ec.generate_private_key(ec.SECP256R1() if algorithm == ES256 else ec.SECP384R1())


def public_key(key: Passkey) -> dict[int, Any]:
    """Return a passkey's public half as a COSE key (RFC 9052 section 7)."""
    public = key.private.public_key()
    if key.algorithm == EDDSA:
        return {1: 1, 3: EDDSA, -1: 6, -2: public.public_bytes_raw()}
    numbers = public.public_numbers()
    if key.algorithm == RS256:
        return {1: 3, 3: RS256, -1: numbers.n.to_bytes(256, "big"), -2: b"\1\0\1"}
    size, curve = (32, 1) if key.algorithm == ES256 else (48, 2)
    x, y = (number.to_bytes(size, "big") for number in (numbers.x, numbers.y))
    return {1: 2, 3: key.algorithm, -1: curve, -2: x, -3: y}


def sign(key: Passkey, data: bytes) -> bytes:
    """Sign with a passkey's private half."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, padding

    if key.algorithm == EDDSA:
        return key.private.sign(data)
    if key.algorithm == RS256:
        return key.private.sign(data, padding.PKCS1v15(), hashes.SHA256())
    return key.private.sign(
        data, ec.ECDSA(hashes.SHA256() if key.algorithm == ES256 else hashes.SHA384())
    )


def cbor(value) -> bytes:
    import cbor2

    return cbor2.dumps(value)


def encode(data: bytes) -> str:
    """Return base64url without padding (RFC 7515 section 2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "==")
