"""Negotiate and NTLM: which of the two a token is, and which of NTLM's three messages."""

from __future__ import annotations

import base64
import binascii

from .note import Note, shown

_MESSAGES = {
    1: "NTLM's first message, which says what the client can do; it proves nothing yet.",
    2: "NTLM's second message, the server's challenge.",
    3: "NTLM's third message, the proof of the password; whoever has it can guess passwords "
    "offline.",
}


def token(header: str, value: str, depth: int, secret: bool) -> list[Note]:
    """Return the note for the base64 that follows `Negotiate` or `NTLM`."""
    try:
        octets = base64.b64decode(value, validate=True)
    except binascii.Error:
        octets = b""
    text = "data of this scheme's own; treat it as a secret." if secret else (
        "data of this scheme's own, in a form only it defines (RFC 9110 11.2)."
    )  # fmt: skip
    if octets.startswith(b"NTLMSSP\0") and len(octets) >= 12:
        kind = int.from_bytes(octets[8:12], "little")
        text = _MESSAGES.get(kind, text)
    elif octets[:1] == b"\x60" and b"\x2a\x86\x48\x86\xf7\x12\x01\x02\x02" in octets[:64]:
        text = "a token of SPNEGO that offers Kerberos (RFC 4559), probably with a ticket inside."
    elif octets[:1] in (b"\x60", b"\xa1"):
        text = "a token of SPNEGO (RFC 4178), by its first byte."
    return [Note(header, shown(value), text, secret, depth)]
