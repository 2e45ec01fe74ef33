"""Keys that verify: text, `base64:…`, `hex:…`, or a file with PEM, a JWK or a JWKS.

`cryptography` reads PEM and PyJWT reads JWK.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from pathlib import Path
from typing import Any

from .note import PublicKey

_FILE = re.compile(r".*\.(?:pem|key|crt|cer|pub|jwk|jwks|json)", re.IGNORECASE | re.DOTALL)
_MOST = 1_000_000  # bytes of a file


def read_key(given: str) -> list[str | bytes | PublicKey]:
    """Return the keys that a person named: one, or those of a JWKS.

    A name of a file that is there is read. What is neither that nor `base64:…` or `hex:…` is the
    key itself, as text. Raises ValueError, with a sentence, for what can't be one; the sentence
    never quotes a key.
    """
    for start, decode in (("base64:", _base64), ("hex:", bytes.fromhex)):
        if given.startswith(start):
            try:
                return [decode(given[len(start) :].strip())]
            except ValueError:
                raise ValueError(f"What follows {start} in --key is no {start[:-1]}.") from None
    if given.lstrip().startswith(("-----BEGIN", "{")):
        return _of_text(given, "The text given as --key")
    path = Path(given.removeprefix("@").removeprefix("file:"))
    try:
        if path.is_file():
            if path.stat().st_size > _MOST:
                raise ValueError(f"{path} has more than a megabyte, so it is no key.")
            return _of_file(path.read_bytes(), given, path)
    except OSError as error:
        if isinstance(error, PermissionError):
            raise ValueError(f"{path} can't be read: {error.strerror}.") from None
    if given.startswith(("@", "file:")) or (_FILE.fullmatch(given) and "\n" not in given):
        raise ValueError(
            f"There is no file {path} for --key. A key is a text, base64:…, hex:…, or a file with "
            "PEM, a JWK or a JWKS."
        )
    return [given]


def _base64(text: str) -> bytes:
    padded = text + "=" * (-len(text) % 4)
    return base64.b64decode(padded.translate(str.maketrans("-_", "+/")), validate=True)


def _of_file(octets: bytes, given: str, path: Path) -> list[str | bytes | PublicKey]:
    try:
        text = octets.decode("utf-8-sig")
    except UnicodeDecodeError:
        return [octets]
    if text.lstrip().startswith(("-----BEGIN", "{", "[", "ssh-")):
        return _of_text(text, str(path))
    line = text.rstrip("\r\n")  # a key that was written into a file by `echo`
    kept: list[str | bytes | PublicKey] = [line]
    return kept if given.startswith(("@", "file:")) else [*kept, given]


def _of_text(text: str, where: str) -> list[str | bytes | PublicKey]:
    if "{" in text[:20] or text.lstrip().startswith("["):
        return _of_json(text, where)
    return [_of_pem(text.encode(), where)]


def _of_pem(octets: bytes, where: str) -> PublicKey:
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization

    try:
        if b"CERTIFICATE" in octets:
            return PublicKey(x509.load_pem_x509_certificate(octets).public_key())
        if b"PRIVATE KEY" in octets:
            return PublicKey(serialization.load_pem_private_key(octets, None).public_key())
        if octets.lstrip().startswith(b"ssh-"):
            return PublicKey(serialization.load_ssh_public_key(octets))
        return PublicKey(serialization.load_pem_public_key(octets))
    except TypeError:
        raise ValueError(
            f"{where} holds a private key under a passphrase. The public key is enough:"
            " openssl pkey -in FILE -pubout"
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        raise ValueError(f"{where} begins like PEM and holds no key that can be read.") from None


def _of_json(text: str, where: str) -> list[str | bytes | PublicKey]:
    try:
        found: Any = json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError(f"{where} is neither PEM nor the JSON of a JWK or JWKS.") from None
    members = found if isinstance(found, list) else [found]
    if isinstance(found, dict) and isinstance(found.get("keys"), list):
        members = found["keys"]
    keys = [key for one in members[:100] if (key := _of_jwk(one)) is not None]
    if not keys:
        raise ValueError(f"{where} holds no JWK that can be read.")
    return keys


def _of_jwk(members: Any) -> bytes | PublicKey | None:
    import jwt

    if not isinstance(members, dict):
        return None
    kid = members.get("kid")
    try:
        if members.get("kty") == "oct":
            return _base64(str(members["k"]))
        key = jwt.PyJWK(members, algorithm=None if "alg" in members else _algorithm(members)).key
    except (jwt.PyJWTError, KeyError, TypeError, ValueError, binascii.Error, AttributeError):
        return None
    public = getattr(key, "public_key", None)
    return PublicKey(public() if public else key, kid if isinstance(kid, str) else None)


def _algorithm(members: dict) -> str | None:
    return {"RSA": "RS256", "OKP": "EdDSA"}.get(str(members.get("kty")))
