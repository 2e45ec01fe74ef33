"""Yubico's client library for passkeys, python-fido2, as a client of lesson 07: no browser.

    python yubico_client.py ORIGIN

registers and logs in at the lesson, and prints what came of it as JSON. What a browser does is the
library's: it collects the client data, looks whether the page may use the RP ID, speaks CTAP2 with
the device, and writes the JSON. The device is below, in software.
"""

import json
import secrets
import sys

import requests
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2 import cbor
from fido2.client import ClientError, DefaultClientDataCollector, Fido2Client, UserInteraction
from fido2.cose import ES256
from fido2.ctap import CtapDevice, CtapError
from fido2.ctap2 import Ctap2
from fido2.hid import CAPABILITY
from fido2.utils import sha256
from fido2.webauthn import Aaguid, AttestedCredentialData, AuthenticatorData

PRESENT, VERIFIED, ATTESTED = 1, 4, 64


class Device(CtapDevice):
    """An authenticator that makes ES256 keys and keeps them; verifies: by a finger, say."""

    capabilities = CAPABILITY.CBOR

    def __init__(self, verifies=True):
        self.verifies, self.keys, self.count = verifies, {}, 0

    @classmethod
    def list_devices(cls):
        yield cls()

    def call(self, cmd, data=b"", event=None, on_keepalive=None):
        """Answer a command of CTAP2: its number, then its parameters in CBOR."""
        asked = cbor.decode(data[1:]) if data[1:] else {}
        try:
            answer = {
                Ctap2.CMD.GET_INFO: self.info,
                Ctap2.CMD.MAKE_CREDENTIAL: self.make,
                Ctap2.CMD.GET_ASSERTION: self.sign,
            }[data[0]](asked)
        except CtapError as error:
            return bytes([error.code])
        return b"\0" + cbor.encode(answer)

    def info(self, asked):
        options = {"rk": True, "up": True, **({"uv": True} if self.verifies else {})}
        return {1: ["FIDO_2_0"], 3: bytes(16), 4: options, 6: [2]}

    def make(self, asked):
        if {one["id"] for one in asked.get(5, [])} & self.keys.keys():
            raise CtapError(CtapError.ERR.CREDENTIAL_EXCLUDED)
        id, key = secrets.token_bytes(32), ec.generate_private_key(ec.SECP256R1())
        self.keys[id] = key, asked[2]["id"], asked[3]
        public = ES256.from_cryptography_key(key.public_key())
        attested = AttestedCredentialData.create(Aaguid.NONE, id, public)
        data = self.data(asked[2]["id"], asked.get(7, {}), ATTESTED, attested)
        return {1: "none", 2: data, 3: {}}

    def sign(self, asked):
        allowed = {one["id"] for one in asked[3]} if 3 in asked else self.keys.keys()
        fitting = [id for id, (_, rp, _) in self.keys.items() if rp == asked[1] and id in allowed]
        if not fitting:
            raise CtapError(CtapError.ERR.NO_CREDENTIALS)
        key, rp, user = self.keys[fitting[-1]]
        data = self.data(rp, asked.get(5, {}))
        signature = key.sign(data + asked[2], ec.ECDSA(hashes.SHA256()))
        named = {"type": "public-key", "id": fitting[-1]}
        return {1: named, 2: data, 3: signature, 4: {"id": user["id"]}}

    def data(self, rp, options, flags=0, attested=b""):
        self.count += 1
        flags |= (PRESENT if options.get("up", True) else 0) | VERIFIED * options.get("uv", False)
        return AuthenticatorData.create(sha256(rp.encode()), flags, self.count, attested)


class Browser:
    """A browser with a device, on a page of this origin, that speaks to the lesson."""

    def __init__(self, lesson, device=None, origin=None):
        self.lesson, self.web = lesson, requests.Session()
        self.web.trust_env = False
        self.web.headers["Origin"] = lesson
        collector = DefaultClientDataCollector(origin or lesson)
        self.client = Fido2Client(device or Device(), collector, UserInteraction())

    def post(self, path, **how):
        return self.web.post(self.lesson + path, timeout=20, **how)

    def register(self, **how):
        """Return the status of the answer to a new passkey, or what the library said."""
        options = self.post("/register/options", auth=("user1", "pass1"), **how)
        try:
            made = self.client.make_credential(options.json())
        except ClientError as error:
            return error.code.name
        return self.post("/register", json=dict(made)).status_code

    def log_in(self):
        options = self.post("/login/options")
        try:
            signed = self.client.get_assertion(options.json()).get_response(0)
        except ClientError as error:
            return error.code.name
        return self.post("/login", json=dict(signed)).status_code

    def greeted(self):
        return self.web.get(self.lesson + "/secured", timeout=20).text.strip()


def main(lesson):
    device = Device()
    me = Browser(lesson, device)
    found = {"registered": me.register(), "in": [me.log_in(), me.log_in()], "hello": me.greeted()}
    found["keys"] = me.web.get(f"{lesson}/passkeys", timeout=20).json()
    found["second key"] = me.register()
    found["look-alike"] = Browser(lesson, device, "https://1ocalhost").log_in()
    found["other port"] = Browser(lesson, device, "https://localhost:1").log_in()
    found["no verification"] = Browser(lesson, Device(verifies=False)).register()
    found["other device"] = Browser(lesson).log_in()
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
