"""Verify a JWT's signature where a key is known; PyJWT does it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .encoding import unbase64url
from .note import Context, PublicKey, Wrong, wrongs

_BYTES = {"HS256": 32, "HS384": 48, "HS512": 64, "ES256": 64, "ES384": 96, "ES512": 132}
_PUBLIC = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")


def signature(
    parts: list[str], jose: Mapping[str, Any], context: Context, cut: bool
) -> tuple[str, tuple[Wrong, ...]]:
    """Return what can be said of the third part, and what is wrong with it."""
    alg = jose.get("alg")
    if str(alg).lower() == "none":
        if not parts[2]:
            return "the place of the signature, empty as `none` has it (RFC 7519 6.1).", ()
        text = "the place of the signature, which `none` must leave empty; this is not."
        return text, wrongs("`none` must leave the place of the signature empty.")
    if cut:
        return "the signature, of which a part is missing, so it can't be verified.", ()
    octets = unbase64url(parts[2])
    if not octets:
        text = "the signature, but it is empty or no base64url, so it can't be right."
        lost = "empty" if not parts[2] else "no base64url; a letter was lost or changed, probably"
        return text, wrongs(f"The signature is {lost}.")
    size = _BYTES.get(str(alg))
    if size and len(octets) != size:
        text = f"the signature, but it has {len(octets)} bytes where {alg} has {size}"
        return f"{text}, so it can't be right.", wrongs(
            f"The signature has {len(octets)} bytes where {alg} has {size}: some of it is missing "
            "or changed, probably, and it can't be right."
        )
    if alg in ("HS256", "HS384", "HS512"):
        return _hmac(parts, alg, octets, context)
    return _public(parts, jose, octets, context)


def _hmac(parts: list[str], alg: str, octets: bytes, context: Context):
    import jwt

    keys = [key for key in context.keys if not isinstance(key, PublicKey)]
    if not keys:
        if context.keys:
            text = f"the signature; {alg} takes a secret key, and those given are public ones."
            return text, wrongs(f"`alg` is {alg}, and the key given is a public one.")
        return "the signature; to verify it takes the key, which is not known here.", ()
    hmac = jwt.get_algorithm_by_name(alg)
    signed = f"{parts[0]}.{parts[1]}".encode("utf-8", "surrogatepass")
    for key in keys:
        try:
            prepared = hmac.prepare_key(key)
        except (jwt.InvalidKeyError, ValueError):
            continue
        if hmac.verify(signed, prepared, octets):
            size = int(alg[2:]) // 8
            if len(prepared) >= size:
                return _MATCHES, ()
            text = f"which is shorter than the {size} bytes that RFC 7518 3.2 asks for."
            wrong = Wrong(f"The key that signed it is shorter than the {size} bytes that RFC 7518 "
                          "3.2 asks for: a short one can be guessed.", False)  # fmt: skip
            return f"the signature: it matches a known key, {text}", (wrong,)
    return _DIFFERS, wrongs("The signature matches no key that was given.")


_MATCHES = (
    "the signature: it matches a known key, so nobody without that key has changed a claim "
    "(RFC 7515 5.2)."
)
_DIFFERS = "the signature: it does not match any key known here; the token or the key is another."


def _public(parts: list[str], jose: Mapping[str, Any], octets: bytes, context: Context):
    alg = str(jose.get("alg"))
    keys = [key for key in context.keys if isinstance(key, PublicKey)]
    if alg not in _PUBLIC:
        return "the signature, by an algorithm that can't be verified here.", ()
    if not keys:
        if context.keys and context.full:
            text = f"the signature; {alg} takes a public key: give a PEM, JWK or JWKS file."
            return text, ()
        return "the signature; to verify it takes the public key, which is not known here.", ()
    import jwt

    algorithm = jwt.get_algorithm_by_name(alg)
    signed = f"{parts[0]}.{parts[1]}".encode("utf-8", "surrogatepass")
    keys.sort(key=lambda key: key.kid != jose.get("kid"))  # the one that it names first
    fitting = 0
    for key in keys[:100]:
        try:
            prepared = algorithm.prepare_key(key.key)
        except (jwt.PyJWTError, TypeError, ValueError):
            continue
        fitting += 1
        if algorithm.verify(signed, prepared, octets):
            return _MATCHES.replace("that key", "its private half"), ()
    if not fitting:
        return (
            f"the signature; none of the keys given is of the kind that {alg} takes.",
            wrongs(f"None of the keys given is of the kind that {alg} takes."),
        )
    return _DIFFERS, wrongs("The signature matches no key that was given.")
