"""Passkeys: what a browser and a server say to each other in JSON, opened part by part.

Strategy: WebAuthn Level 3 has four messages (section 5.1.8 to 5.1.10, and 5.4, 5.5): the options of
a registration and of a login, and what the browser answers to each. In the answers, base64url wraps
JSON (`clientDataJSON`), bytes at fixed places (`authenticatorData`, section 6.1) and CBOR
(`attestationObject`, section 6.5, with the public key as COSE). cbor2 reads the latter. Each part
can also stand alone.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any
from urllib.parse import urlsplit

from .encoding import unbase64url
from .note import MOST, Note, Wrong, code, limited, shown, wrongs

_ALGORITHMS = {
    -7: "ES256, ECDSA on the curve P-256", -8: "EdDSA, on the curve Ed25519",
    -19: "Ed25519", -35: "ES384", -36: "ES512", -9: "ESP256",
    -37: "PS256", -257: "RS256, RSA with PKCS #1 v1.5", -65535: "RS1, RSA with SHA-1",
}  # fmt: skip
_KEY_TYPES = {1: "OKP, an octet key pair", 2: "EC2, an elliptic curve", 3: "RSA"}
_CURVES = {1: "P-256", 2: "P-384", 3: "P-521", 6: "Ed25519"}
_ABOUT = {
    "registration": "What a browser answers when a passkey was made (WebAuthn section 5.1).",
    "login": "What a browser answers when a passkey was used (WebAuthn section 5.1).",
    "creation": "What a server asks for when a passkey is to be made (WebAuthn section 5.4).",
    "request": "What a server asks for when a passkey is to be used (WebAuthn section 5.5).",
}


def kind_of(value: dict) -> str:
    """Return which message a JSON object is (a key of `_ABOUT`), or ""."""
    inner = value.get("response")
    if isinstance(inner, dict) and isinstance(inner.get("clientDataJSON"), str):
        return "registration" if "attestationObject" in inner else "login"
    if not isinstance(value.get("challenge"), str):
        return ""
    if isinstance(value.get("rp"), dict) and "pubKeyCredParams" in value:
        return "creation"
    return "request" if {"rpId", "allowCredentials", "userVerification"} & set(value) else ""


def part_of(text: str) -> str:
    """Return which part of a message a text is, alone and in base64url or JSON, or ""."""
    if _client_data(text) is not None:
        return "clientDataJSON"
    octets = unbase64url(text.rstrip("=")) if len(text) < 20_000 else None
    if octets and octets[:1] in (b"\xa3", b"\xbf") and b"authData" in octets:
        return "attestationObject"
    if octets and len(octets) == 37:  # 37 other bytes look like this once in forty times
        flags = octets[32]
        odd = flags & 0b11100010 or flags & 16 and not flags & 8
        return "authenticatorData" if flags & 1 and not odd else ""
    return ""


def notes(content: Any) -> list[Note]:
    """Return the notes for an object that `kind_of` knows, or a text that `part_of` knows."""
    if isinstance(content, str):
        part = part_of(content)
        return _part(part, part, content, 0, None)
    kind = kind_of(content)
    found = [Note("passkey", "", _ABOUT[kind])]
    return found + (_options(content) if kind in ("creation", "request") else _answer(content))


def _part(header: str, part: str, text: Any, depth: int, origin: str | None) -> list[Note]:
    text = text if isinstance(text, str) else ""
    if part == "clientDataJSON":
        return _client(header, _client_data(text), depth)
    octets = unbase64url(text.rstrip("="))
    if octets is None:
        said = "is no base64url, so no server can read it."
        return [Note(header, part, said, False, depth, wrongs(f"`{part}` {said}"))]
    if part == "authenticatorData":
        return _authenticator(header, octets, depth, origin)
    return _attestation(header, octets, depth, origin)


def _answer(value: dict) -> list[Note]:
    inner, header = value["response"], "passkey"
    found = []
    id, raw = str(value.get("id", "")), value.get("rawId")
    differ = "`id` and `rawId` differ; they must be the same." if raw not in (None, id) else None
    said = "`id`: the passkey's name, by which the server finds its public key."
    found.append(Note(header, shown(id), said, False, 1, wrongs(differ)))
    client = _client_data(str(inner.get("clientDataJSON")))
    found += _client(header, client, 1)
    origin = str(client.get("origin", "")) if client else None
    for part in ("attestationObject", "authenticatorData"):
        if part in inner and not (part == "authenticatorData" and "attestationObject" in inner):
            found += _part(header, part, inner[part], 1, origin)
    if isinstance(inner.get("signature"), str):
        octets = unbase64url(inner["signature"].rstrip("=")) or b""
        form = {64: "EdDSA's form", 256: "RSA's form"}.get(len(octets), "a form unknown here")
        form = "ECDSA's form, DER" if octets[:1] == b"\x30" else form
        said = (
            f"`signature`: {len(octets)} bytes ({form}), over `authenticatorData` and the SHA-256"
        )
        said += " of `clientDataJSON`. The public key that the server keeps verifies it."
        found.append(Note(header, shown(inner["signature"], 24), said, False, 1))
    if inner.get("userHandle"):
        found.append(_handle(header, str(inner["userHandle"]), "userHandle"))
    if isinstance(inner.get("transports"), list):
        ways = ", ".join(str(way) for way in inner["transports"][:MOST])
        found.append(
            Note(header, shown(ways), "`transports`: how the device is reached.", False, 1)
        )
    return found


def _handle(header: str, text: str, name: str) -> Note:
    octets = unbase64url(text.rstrip("=")) or text.encode("utf-8", "replace")
    try:
        readable = octets.decode("utf-8")
    except UnicodeDecodeError:
        readable = ""
    telling = readable.isprintable() and readable and not re.fullmatch(r"[\w-]{22,}", readable)
    risk = None
    if telling:
        risk = f"`{name}` says {code(readable, 40)}. It must say nothing about a person"
        risk = Wrong(f"{risk}: devices show it to whoever holds them (WebAuthn 14.6.1).", False)
    said = f"`{name}`: the account, as {len(octets)} bytes that the server chose."
    return Note(header, shown(text), said, False, 1, wrongs(risk))


def _client_data(text: str) -> dict | None:
    """Return a clientDataJSON, in base64url or as it is; None for any other text."""
    octets = text if text.startswith("{") else unbase64url(text.rstrip("="))
    try:
        value = json.loads(octets or b"")
    except (ValueError, RecursionError):
        return None
    named = isinstance(value, dict) and str(value.get("type", "")).startswith("webauthn.")
    return value if named and "challenge" in value else None


def _client(header: str, value: dict | None, depth: int) -> list[Note]:
    if value is None:
        said = "`clientDataJSON` is no JSON of a browser's, with a type and a challenge."
        return [Note(header, "clientDataJSON", said, False, depth, wrongs(said))]
    head = "what the browser says of the page that asked. It is signed, and its text is no secret."
    found = [Note(header, "clientDataJSON", head, False, depth)]
    for name, item in list(value.items())[:MOST]:
        said, wrong = _client_member(name, item)
        part = json.dumps(item) if not isinstance(item, str) else item
        found.append(Note(header, shown(part), f"`{shown(name)}`: {said}", False, depth + 1, wrong))
    return limited(header, found, depth + 1, len(value))


def _address(origin: str) -> tuple[str, str]:
    """Return an origin's scheme and host, both "" if it is none."""
    try:
        parts = urlsplit(origin)
    except ValueError:
        return "", ""
    return parts.scheme, parts.hostname or ""


def _client_member(name: str, item: Any) -> tuple[str, tuple[Wrong, ...]]:
    if name == "type":
        what = {"webauthn.create": "a passkey is made", "webauthn.get": "a passkey is used"}
        said = what.get(str(item))
        bad = None if said else f"`type` is {code(item)}, which no ceremony has."
        return f"{said or 'unknown here'}; one may not stand for the other.", wrongs(bad)
    if name == "challenge":
        octets = unbase64url(str(item).rstrip("=")) or b""
        said = f"{len(octets)} bytes that the server made for this once."
        short = f"The challenge has {len(octets)} bytes; 16 are the least (WebAuthn 13.4.3)."
        return said, wrongs(Wrong(short, False)) if len(octets) < 16 else ()
    if name == "origin":
        scheme, host = _address(str(item))
        plain = scheme == "http" and host != "localhost"
        bad = Wrong("The page came over plain http: browsers have no passkeys there.", False)
        said = "the page that asked. A look-alike site can't write another's name here."
        return said, wrongs(bad) if plain else ()
    if name == "crossOrigin":
        bad = Wrong(
            "The page was in a frame on another site: refuse it unless you meant it.", False
        )
        return "whether the page was in a frame of another origin.", wrongs(bad) if item else ()
    if name == "topOrigin":
        return "the site around the frame.", ()
    return "not explained here; servers ignore what they don't know (WebAuthn 5.8.1).", ()


_FLAGS = [  # bit, name, what it says when it is set and when it is not (WebAuthn 6.1)
    (1, "UP", "a user was present", "no user was present"),
    (4, "UV", "the user was verified, by PIN, finger or face", "the user was not verified"),
    (8, "BE", "the key may be synced", "the key stays on its device"),
    (16, "BS", "the key is backed up now", "the key is not backed up now"),
    (64, "AT", "a new key follows", ""),
    (128, "ED", "extensions follow", ""),
]


def _authenticator(header: str, data: bytes, depth: int, origin: str | None) -> list[Note]:
    part = "authenticatorData"
    if len(data) < 37:
        said = f"{len(data)} bytes, and it has 37 at least (WebAuthn 6.1)."
        return [Note(header, part, said, False, depth, wrongs(f"`{part}`: {said}"))]
    found = [Note(header, part, "what the authenticator says, and signs.", False, depth)]
    site, wrong = _site(data[:32], origin)
    found.append(Note(header, f"{data[:4].hex()}…", site, False, depth + 1, wrong))
    flags, said, bad = data[32], [], []
    for bit, name, yes, no in _FLAGS:
        if flags & bit:
            said.append(f"{name}: {yes}")
        elif no:
            said.append(f"{name} not set: {no}")
    if not flags & 1:
        bad.append("No user was present (UP): every server refuses that (WebAuthn 7.2).")
    if not flags & 4:
        bad.append(Wrong("The user was not verified (UV): who has the device is in.", False))
    if flags & 16 and not flags & 8:
        bad.append("BS is set without BE, which WebAuthn 6.1.3 forbids.")
    text = f"flags: {'; '.join(said)}."
    found.append(Note(header, f"0x{flags:02x}", text, False, depth + 1, wrongs(*bad)))
    count = int.from_bytes(data[33:37], "big")
    text = "the signature counter: it goes up with each use, so that a copy is noticed."
    text = text if count else "no use is counted yet, or never is, as with most synced passkeys."
    found.append(Note(header, str(count), text, False, depth + 1))
    if flags & 64:
        found += _credential(header, data[37:], depth + 1)
    return found


def _site(digest: bytes, origin: str | None) -> tuple[str, tuple[Wrong, ...]]:
    """Say which RP ID a hash stands for: one that the origin may ask for, if it is known."""
    said = "the SHA-256 of the RP ID, the domain that the passkey is for"
    host = _address(origin or "")[1]
    labels = (host or "localhost").split(".")
    for start in range(len(labels)):
        name = ".".join(labels[start:])
        if hashlib.sha256(name.encode()).digest() == digest:
            return f"{said}: {code(name)}.", ()
    bad = f"The passkey is for another domain than {code(host)}, the origin's." if host else None
    return f"{said}.", wrongs(bad)


def _credential(header: str, data: bytes, depth: int) -> list[Note]:
    import io

    import cbor2

    size = int.from_bytes(data[16:18], "big")
    aaguid = data[:16].hex()
    said = "the make of the authenticator (AAGUID)" if data[:16].strip(b"\0") else "no make is told"
    found = [Note(header, aaguid, f"{said}.", False, depth)]
    found.append(Note(header, f"{size} bytes", "the passkey's id.", False, depth))
    try:
        key = cbor2.CBORDecoder(io.BytesIO(data[18 + size :])).decode()
        key = dict(key)
    except Exception:  # cbor2 raises a dozen kinds for bytes that are no CBOR
        said = "The public key is no CBOR: it was cut off, probably."
        return [*found, Note(header, "key", said, False, depth, wrongs(said))]
    algorithm = _ALGORITHMS.get(key.get(3) if isinstance(key.get(3), int) else None, "")
    unknown = None if algorithm else f"The algorithm {code(key.get(3))} is unknown here."
    parts = [_KEY_TYPES.get(key.get(1), "of an unknown type"), f"for {algorithm or key.get(3)}"]
    if key.get(1) != 3 and isinstance(key.get(-1), int):
        parts.append(f"curve {_CURVES.get(key[-1], key[-1])}")
    text = f"the public key as COSE (RFC 9052): {', '.join(shown(str(p)) for p in parts)}. "
    text += "It verifies signatures and makes none."
    found.append(Note(header, "key", text, False, depth, wrongs(unknown)))
    return found


def _attestation(header: str, octets: bytes, depth: int, origin: str | None) -> list[Note]:
    import cbor2

    try:
        value = dict(cbor2.loads(octets))
        form, data = str(value["fmt"]), bytes(value["authData"])
    except Exception:  # as above, and members that are missing
        said = "`attestationObject` is no CBOR with fmt, attStmt and authData."
        return [Note(header, "attestationObject", said, False, depth, wrongs(said))]
    said = f"CBOR with the new key; its attestation, which proves the make, is {code(form)}."
    found = [Note(header, "attestationObject", said, False, depth)]
    return found + _authenticator(header, data, depth + 1, origin)


def _options(value: dict) -> list[Note]:
    header, found = "passkey", []
    for name, item in list(value.items())[:MOST]:
        if name == "challenge":
            said, wrong = _client_member("challenge", item)
        elif name == "user" and isinstance(item, dict):
            found.append(_handle(header, str(item.get("id", "")), "user.id"))
            said, wrong = "the name that the device shows.", ()
            item = item.get("name", "")
        else:
            said, wrong = _option(name, item)
        part = item if isinstance(item, str) else json.dumps(item)
        found.append(Note(header, shown(part), f"`{shown(name)}`: {said}", False, 1, wrong))
    if value.get("userVerification", "preferred") == "discouraged":
        risk = Wrong("No verification is asked for: who has the device is in.", False)
        found.append(Note(header, "", "The user need not be verified.", False, 1, wrongs(risk)))
    return limited(header, found, 1, len(value))


def _option(name: str, item: Any) -> tuple[str, tuple[Wrong, ...]]:
    if name == "pubKeyCredParams" and isinstance(item, list):
        numbers = [one.get("alg") if isinstance(one, dict) else one for one in item[:MOST]]
        known = [_ALGORITHMS.get(n, str(n)) for n in numbers if isinstance(n, int)]
        return f"what the server can verify: {'; '.join(known)}.", ()
    if name == "allowCredentials" and item:
        risk = (
            "`allowCredentials` lists the keys of one user: whoever asks learns that there is one."
        )
        return "the passkeys that may be used.", wrongs(Wrong(risk, False))
    known = {
        "rp": "the site: its `id` is the domain that the passkey is for.",
        "rpId": "the domain whose passkeys may be used.",
        "timeout": "how long the browser waits, in milliseconds.",
        "excludeCredentials": "keys of this user: a device that has one makes no second.",
        "allowCredentials": "empty: any passkey for the domain will do, and no name is told.",
        "userVerification": "whether the user must prove it with PIN, finger or face.",
        "authenticatorSelection": "which kind of authenticator, and whether it must verify.",
        "attestation": "whether the device should prove its make; `none` is the usual.",
        "extensions": "more that is asked of the browser.",
        "hints": "which kind of device the page expects.",
    }
    return known.get(name, "not explained here."), ()
