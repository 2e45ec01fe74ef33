"""Digest (RFC 7616): challenges' and credentials' parameters, and `Authentication-Info`.

What is recomputed stands in digest_proof.
"""

from __future__ import annotations

import re

from .basic import charset_text
from .digest_proof import HASHES, user_of, verdict
from .encoding import SIZES, signed_time, unbase64url
from .grammar import Offer, Param, missing, offers, param_notes, pieces, read_param
from .note import Context, Note, ago, code, decoded, shown, utc, wrongs

CHALLENGE = {
    "realm": "the name of the part of the server that these credentials open; it goes into HA1 "
    "(RFC 7616 3.3).",
    "domain": "the addresses for which the same credentials hold; without it, the whole server "
    "(RFC 7616 3.3).",
    "nonce": "a value the server made for this challenge; the client hashes it in, so a server "
    "that checks its nonces can refuse an old response (RFC 7616 3.3).",
    "opaque": "a string the client sends back unchanged; it means something to the server alone "
    "(RFC 7616 3.3).",
}
_CREDENTIALS = {
    "realm": "the realm of the challenge, sent back; it goes into HA1 (RFC 7616 3.4.2).",
    "nonce": "the server's nonce, sent back; a server that checks it refuses one it did not make "
    "or no longer accepts (RFC 7616 3.4).",
    "opaque": "sent back as it came in the challenge (RFC 7616 3.4).",
    "cnonce": "the client's own nonce; with it in the hash, a server can't prepare a table of "
    "answers for one chosen nonce (RFC 7616 5.10).",
}
CHOICES = ("algorithm", "qop", "charset", "stale", "userhash")
_BARE = ("algorithm", "qop", "nc")  # stand without quotation marks in credentials


def choice(name: str, value: str) -> str:
    """Explain the parameters whose value is one of few, in challenges and credentials alike."""
    low = value.lower()
    if not value and name in ("stale", "userhash", "charset", "algorithm"):
        return f"without a value, and an empty `{name}` means nothing (RFC 7616 3.3, 3.4)."
    if name == "algorithm":
        base = low[:-5] if low.endswith("-sess") else low
        if base.upper() not in HASHES:
            return "no algorithm that RFC 7616 defines; a client ignores a challenge with it (3.3)."
        text = {
            "md5": "MD5 is kept for older clients only",
            "sha-256": "SHA-256 is the one every client and server must know",
        }.get(base, "SHA-512/256 is the backup for SHA-256")
        if low.endswith("-sess"):
            text += "; `-sess` mixes nonce and cnonce into HA1"
        return f"the hash function; {text} (RFC 7616 3.3, 3.7)."
    if name == "qop":
        words = [word.strip() for word in low.split(",")]
        text = "`auth` covers method and address" if "auth" in words else ""
        if "auth-int" in words:
            text += ("; " if text else "") + "`auth-int` covers method, address and body"
        return f"quality of protection: {text or 'no kind that RFC 7616 knows'} (RFC 7616 3.3)."
    if name == "charset":
        return charset_text(low, "RFC 7616 4")
    if name == "stale":
        return (
            "only the nonce was too old; the client can try again with this one and need not "
            "ask the user (RFC 7616 3.3)."
            if low == "true"
            else "the refusal was not about an old nonce; only `true` would say so (RFC 7616 3.3)."
        )
    return (
        "the user name can be, or is, sent as a hash (RFC 7616 3.4.4)."
        if low == "true"
        else "the user name is not hashed (RFC 7616 3.4.4)."
    )


def quote_wrong(param: Param, bare: tuple[str, ...], section: str) -> str | None:
    """Say that a value stands in quotation marks which RFC 7616 forbids there."""
    if not param.quoted or param.name not in bare:
        return None
    return (
        f"`{param.name}` stands in quotation marks, which RFC 7616 {section} forbids here; "
        "some programs refuse it for that."
    )


def credentials(header: str, offer: Offer, context: Context) -> list[Note]:
    """Return the notes for `Authorization: Digest …`."""
    given = {name: decoded(offer.get(name) or "") for name in {p.name for p in offer.params}}
    text = (
        "Digest credentials (RFC 7616 3.4): a hash takes the place of the "
        "password. Whether a copy of it works again depends on what the server checks."
    )
    notes = [Note(header, "", text)]
    if offer.token:
        wrong = wrongs("Digest wants parameters, `name=value`, and no token (RFC 7616 3.4).")
        text = "stands alone, where parameters belong."
        notes.append(Note(header, shown(offer.token), text, True, 1, wrong))
    if context.full and offer.params and "algorithm" not in given:
        text = "No `algorithm` is named, and then it is MD5 (RFC 7616 3.3)."
        notes.append(Note(header, "", text, False, 1))
    notes += param_notes(
        header, offer, 1, lambda param: _say(header, param, given, context), context.full
    )
    who = () if "username*" in given else ("username",)
    full = ("nc", "cnonce") if "qop" in given else ("qop",)
    return notes + missing(header, offer, (*who, "realm", "nonce", "uri", *full, "response"), 1)


def _say(header: str, param: Param, given: dict[str, str], context: Context) -> list[Note]:
    name, value = param.name, decoded(param.value)
    wrong = [quote_wrong(param, _BARE, "3.4")]
    if name == "response":
        about = "the proof that the client knows the password, which is not sent."
        return verdict(header, param, given, context, context.method, about, 1)
    if name in CHOICES and name != "stale":
        text = choice(name, value)
        if name == "qop" and ("no kind" in text or "," in value):
            wrong.append("`qop` must name one of the kinds that the challenge offers.")
        if name == "algorithm" and "no algorithm" in text:
            text = "no algorithm that RFC 7616 defines (3.3)."
            wrong.append(f"{code(value, 40)} is no algorithm that RFC 7616 3.3 defines.")
    elif name in ("username", "username*"):
        text = _username(name, value, given, context)
        if re.fullmatch(r"b(['\"]).*\1", value):
            wrong.append("The user name is Python's `b'…'`: decode the bytes to text first.")
    elif name == "uri":
        text = _uri(value, context)
        if "but the request target" in text:
            wrong.append(
                f"`uri` is {code(value, 80)}, and the request target {code(context.target, 80)}."
            )
    elif name == "nc":
        text = "the count must be eight hex digits; this is not (RFC 7616 3.4)."
        if re.fullmatch(r"[0-9a-fA-F]{8}", value):
            text = (
                f"use number {int(value, 16)} of this nonce, counted in hex; a server that "
                "remembers counts refuses one it has seen, which stops replay (RFC 7616 3.4)."
            )
        else:
            wrong.append(f"`nc` must be eight hex digits, and {code(value, 40)} is not (3.4).")
    else:
        text = _CREDENTIALS.get(name, "not a parameter that RFC 7616 knows; a server ignores it.")
        text += nonce_time(value, context) if name == "nonce" else ""
    part = shown(param.sent, 400 if context.full else 60)
    return [Note(header, part, text, False, 1, wrongs(*wrong))]


def _username(name: str, value: str, given: dict[str, str], context: Context) -> str:
    if given.get("userhash", "").lower() == "true":
        user = user_of(given, context)
        found = f"the one of {code(user)}" if user else "of none that is known here"
        return f"a hash of user name and realm, {found} (RFC 7616 3.4.4)."
    form = ", as UTF-8 in percent-encoding" if name.endswith("*") else ""
    return f"the user name {code(value)}{form}; it stands here readable (RFC 7616 3.4)."


def _uri(value: str, context: Context) -> str:
    text = "the address the client asked for, part of the hash"
    if context.target is None:
        return f"{text}; a server must compare it with the request target (RFC 7616 3.4.6)."
    absolute = context.target.startswith("http")
    path = value if absolute else re.sub(r"^https?://[^/?]*", "", value)
    if path == context.target:
        return f"{text}; it is the request target, as it must be (RFC 7616 3.4.6)."
    return (
        f"{text}; but the request target is {code(context.target)}, and a server that checks "
        "refuses that (RFC 7616 3.4.6)."
    )


def nonce_time(nonce: str, context: Context) -> str:
    """Say when a nonce was made, if it has the form that itsdangerous signs."""
    pieces = nonce.rsplit(".", 2)
    signature = unbase64url(pieces[2]) if len(pieces) == 3 else None
    signed = signed_time(pieces[1], context.time()) if len(signature or b"") in SIZES else None
    if signed is None or signed[1]:
        return ""
    return (
        f" It has the form that itsdangerous signs; read so, it was made {utc(signed[0])}, "
        f"{ago(signed[0], context.time())}."
    )


def authentication_info(header: str, value: str, context: Context) -> list[Note]:
    """RFC 7616, 3.5: the server's proof, and the next nonce."""
    offer = Offer("", "", [read_param(piece) for piece in pieces(value)])
    sent = offers(context.authorization or "", many=False)[0]
    given = {p.name: decoded(p.value) for p in sent.params if sent.scheme.lower() == "digest"}
    own = ("qop", "nc", "cnonce")
    given.update((p.name, decoded(p.value)) for p in offer.params if p.name in own)

    def say(param: Param) -> str | list[Note]:
        if param.name == "rspauth":
            about = "the server's proof that it knows the secret too."
            return verdict(header, param, given, context, "", about, 1)
        if param.name == "qop":
            return choice("qop", param.value)
        return {
            "nextnonce": "the nonce the client shall use from now on (RFC 7616 3.5).",
            "cnonce": "the client's nonce, sent back, so this answers that request (RFC 7616 3.5).",
            "nc": "the client's count, sent back, so this answers that request (RFC 7616 3.5).",
        }.get(param.name, "not a parameter that RFC 7616 knows.")

    text = (
        "Sent after a successful login; with Digest, the client can check "
        "who answered (RFC 7616 3.5)."
    )
    return [Note(header, "", text), *param_notes(header, offer, 1, say, context.full)]
