"""JSON Web Tokens (RFC 7519), signed (JWS, RFC 7515) or encrypted (JWE, RFC 7516).

PyJWT verifies. A token that was cut off is read as far as it goes.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from .claims import claim, of_all
from .encoding import CUT, json_object, partial_object, partial_text, unbase64url
from .jose_signature import signature
from .note import MOST, Context, Note, Wrong, json_code, limited, shown, wrongs

_MEMBERS = {
    "typ": "what kind of token this is (RFC 7519 5.1).",
    "cty": "what the payload is; `JWT` means another JWT inside (RFC 7519 5.2).",
    "kid": "which key signed; chosen by the sender, so look it up and never trust it "
    "(RFC 7515 4.1.4, RFC 8725 3.10).",
    "jku": "an address with keys; a server that follows it lets the sender choose the key "
    "(RFC 7515 4.1.2, RFC 8725 3.10).",
    "x5u": "an address with a certificate; a server that follows it lets the sender choose the "
    "key (RFC 7515 4.1.5, RFC 8725 3.10).",
    "jwk": "a public key; a server that trusts it lets the sender choose the key (RFC 7515 4.1.3).",
    "x5c": "the signer's certificates; a server that trusts any lets the sender choose the key "
    "(RFC 7515 4.1.6).",
    "x5t": "which certificate signed, by its SHA-1 hash (RFC 7515 4.1.7).",
    "x5t#S256": "which certificate signed, by its SHA-256 hash (RFC 7515 4.1.8).",
    "crit": "extensions; a server that can't handle one must refuse the token (RFC 7515 4.1.11).",
    "b64": "whether the payload is in base64url (RFC 7797 3).",
    "enc": "how the content is encrypted (RFC 7516 4.1.2).",
    "zip": "how the content was compressed before it was encrypted (RFC 7516 4.1.3).",
    "epk": "a public key, made for this token alone, to agree on its key (RFC 7518 4.6.1.1).",
    "apu": "who made the token, in the agreement on its key (RFC 7518 4.6.1.2).",
    "apv": "whom the token is for, in the agreement on its key (RFC 7518 4.6.1.3).",
    "iv": "a value that goes with the encryption of the key (RFC 7518 4.7.1.1).",
    "tag": "a value that proves the encrypted key to be unchanged (RFC 7518 4.7.1.2).",
    "p2s": "the salt by which a password became the key (RFC 7518 4.8.1.1).",
    "p2c": "how often a password was hashed to become the key (RFC 7518 4.8.1.2).",
}
_PROVEN = (
    "the public key that this proof proves; the token's `cnf.jkt` must be its thumbprint, else "
    "anybody could bring a key of their own (RFC 9449 4.2, 6.1)."
)
_SIGNED = "A JWT (RFC 7519): header, payload and signature, parted by dots. It is "


class _Token(NamedTuple):
    parts: list[str]  # without padding
    jose: dict[str, Any]
    twice: list[str]
    cut: bool  # a mark says that something was left out
    padded: bool


def _read(token: str) -> _Token | None:
    found = CUT.search(token)
    start = token[: found.start()] if found else token
    parts = [part.rstrip("=") for part in start.split(".")]
    padded = any(part.endswith("=") for part in start.split("."))
    if found and len(parts) > 1 and not parts[-1]:
        parts.pop()
    if not found and len(parts) < 2:
        return None
    jose = json_object(unbase64url(parts[0]))
    if jose is None and found and len(parts) == 1 and parts[0].startswith("ey"):
        members = partial_object(partial_text(parts[0]))
        return None if members is None else _Token(parts, members, [], True, padded)
    if jose is None or not ({"alg", "enc"} & set(jose[0])):
        return None
    return _Token(parts, *jose, bool(found), padded)


def is_jose(token: str) -> bool:
    """Say whether `token` begins with a JOSE header: an object with `alg` or `enc`."""
    return _read(token) is not None


def members_of(token: str) -> dict[str, Any]:
    """Return the JOSE header of a token for which `is_jose` is true."""
    found = _read(token)
    return dict(found.jose) if found else {}


def notes(header: str, token: str, context: Context, depth: int) -> list[Note]:
    """Return the notes for a token that `is_jose` accepts."""
    read = _read(token)
    if read is None:
        return []
    writer = _Writer(header, token, read, context, depth)
    return writer.encrypted() if "enc" in read.jose else writer.signed()


class _Writer:
    """Writes the notes of one token."""

    def __init__(self, header: str, token: str, read: _Token, context: Context, depth: int):
        self.header, self.token, self.read = header, token, read
        self.context, self.depth = context, depth

    def note(
        self, part: str, text: str, deeper: int = 0, secret: bool = False, wrong: Any = ()
    ) -> Note:
        return Note(self.header, shown(part), text, secret, self.depth + deeper, tuple(wrong))

    def listed(self, members: dict[str, Any], twice: list[str], say: Callable) -> list[Note]:
        found = []
        for name, value in list(members.items())[:MOST]:
            text, wrong = say(name, value)
            if name in twice:
                text += " It occurs twice; the last one is read here (RFC 7519 4)."
                wrong = (*wrong, Wrong(f"`{shown(name)}` occurs twice (RFC 7519 4)."))
            found.append(self.note(name, text, 1, wrong=wrong))
        return limited(self.header, found, self.depth + 1, len(members))

    def member(self, name: str, value: Any) -> tuple[str, tuple[Wrong, ...]]:
        quoted = json_code(value, self.context.full)
        if name == "alg":
            return _alg(value, "enc" in self.read.jose, quoted)
        if name in ("exp", "iat") and "enc" not in self.read.jose:
            text, wrong = claim(name, value, self.context.time(), self.context.full)
            return f"{text} In the header, old versions of itsdangerous have it.", wrong
        if name == "jwk" and self.read.jose.get("typ") == "dpop+jwt":
            return f"{quoted}: {_PROVEN}", ()
        if name == "crit":
            wrong = "`crit` names an extension; a server that can't handle it must refuse it "
            wrong += "(RFC 7515 4.1.11)."
            return f"{quoted}: {_MEMBERS[name]}", (Wrong(wrong, False),)
        return f"{quoted}: {_MEMBERS.get(name, 'not a member that is known here.')}", ()

    def _form(self) -> list[Wrong]:
        """What is wrong with the token's form, whatever it says."""
        found = []
        if self.read.padded:
            found.append(
                Wrong(
                    "The token has `=` in it, which RFC 7515 2 leaves out: some libraries, such as "
                    "PyJWT, take it, others refuse it."
                )
            )
        return found

    def encrypted(self) -> list[Note]:
        read, wrong = self.read, self._form()
        text = (
            "An encrypted token (JWE, RFC 7516) in five parts; only the first, the "
            "header, is readable."
        )
        if len(read.parts) != 5:
            text = "An encrypted token (JWE, RFC 7516); only its first part is readable."
        if read.cut:
            text += " It was cut off: only a part of it stands here."
        elif len(read.parts) != 5:
            text += f" It is broken: a JWE has five parts, this has {len(read.parts)}."
            wrong.append(Wrong(f"A JWE has five parts, this has {len(read.parts)}."))
        return [
            self.note(self.token, text, secret=True, wrong=wrong),
            *self.listed(read.jose, read.twice, self.member),
        ]

    def signed(self) -> list[Note]:
        read, wrong = self.read, self._form()
        parts, alg = read.parts, str(read.jose.get("alg", ""))
        text = f"{_SIGNED}signed, not encrypted, so anyone can read it."
        if alg.lower() == "none":
            text = (
                "A JWT (RFC 7519) that nobody signed: anyone can read it, and anyone "
                "can have written it."
            )
            wrong.append(
                Wrong(
                    "`alg` is `none`, so nobody signed it and no server should take it "
                    "(RFC 8725 3.2)."
                )
            )
        elif len(parts) < 3 and not read.cut:
            text = f"{_SIGNED}not encrypted, so anyone can read it."
        notes = [self.note(self.token, text, secret=True, wrong=wrong)]
        if read.cut:
            missing = "only a part of it stands here, which is read as far as it goes."
            notes.append(self.note("", f"It was cut off: {missing}"))
        elif len(parts) != 3:
            said = f"a JWT has three parts, this has {len(parts)}"
            lost = " The signature is missing." if len(parts) == 2 else ""
            first = Wrong(f"A JWT has three parts, this has {len(parts)}.{lost}")
            notes.append(self.note("", f"It is broken: {said}.", wrong=[first]))
        whole = json_object(unbase64url(parts[0])) is not None
        notes.append(self.note(parts[0], "the header, JSON in base64url." if whole else (
            "the beginning of the header, JSON in base64url."
        )))  # fmt: skip
        notes += self.listed(read.jose, read.twice, self.member)
        if len(parts) > 1:
            notes += self._payload(parts[1])
        if len(parts) == 3 or (len(parts) > 3 and not read.cut):
            cut = read.cut
            text, found = signature(parts, read.jose, self.context, cut)
            notes.append(self.note(parts[2], text, wrong=found))
        return notes

    def _payload(self, part: str) -> list[Note]:
        read = self.read
        claims = json_object(unbase64url(part))
        if claims is None and read.cut and len(read.parts) == 2:
            found = partial_object(partial_text(part))
            if found is not None:
                text = "the beginning of the payload, JSON in base64url: the claims."
                return [self.note(part, text), *self.listed(found, [], self._claim)]
        if claims is None:
            text = (
                "the payload, but it is no JSON object in base64url, so there "
                "are no claims (RFC 7519 7.2)."
            )
            if read.jose.get("b64") is False or read.jose.get("zip"):
                return [self.note(part, "the payload, in another form than JSON in base64url.")]
            wrong = "The payload is no JSON object in base64url, so there are no claims."
            cut = " Something was lost or changed in copying, probably."
            return [self.note(part, text, wrong=[] if read.cut else [Wrong(wrong + cut)])]
        wrong = of_all(claims[0], read.jose, not read.cut or len(read.parts) == 3)
        text = "the payload, JSON in base64url: the claims."
        return [self.note(part, text, wrong=wrong), *self.listed(*claims, self._claim)]

    def _claim(self, name: str, value: Any) -> tuple[str, tuple[Wrong, ...]]:
        return claim(name, value, self.context.time(), self.context.full)


def _alg(value: Any, encrypted: bool, quoted: str) -> tuple[str, tuple[Wrong, ...]]:
    if encrypted:
        how = "how the key of the content is protected"
        if value == "dir":
            how = "no key of its own: sender and receiver share the content's key"
        return f"{quoted}: {how} (RFC 7516 4.1.1, RFC 7518 4.1).", ()
    if str(value).lower() == "none":
        return (
            "NO SIGNATURE AT ALL: a server that accepts `none` lets anyone be anyone "
            "(RFC 7519 6, RFC 8725 3.1, 3.2)."
        ), ()
    kinds = {
        r"HS(256|384|512)": "HMAC, where whoever can verify can also sign",
        r"RS(256|384|512)": "RSA, signed with a private key",
        r"PS(256|384|512)": "RSA-PSS, signed with a private key",
        r"ES(256|384|512|256K)": "ECDSA, signed with a private key",
        r"EdDSA|Ed25519|Ed448": "EdDSA, signed with a private key",
    }
    kind = next((text for form, text in kinds.items() if re.fullmatch(form, str(value))), "")
    wrong = None
    if not kind:
        kind = "not known here"
        wrong = f"`alg` is {quoted}, which is no algorithm of RFC 7518 or 8037."
    return (
        f"{quoted}, how it is signed: {kind}. The server must have chosen it "
        "beforehand and not read it from here (RFC 7515 4.1.1, RFC 8725 3.1)."
    ), wrongs(wrong)
