"""Challenges: `WWW-Authenticate` and `Proxy-Authenticate` (RFC 9110, 11.6.1).

What the parameters of each scheme are for stands in a table beside that scheme.
"""

from __future__ import annotations

import re

from . import basic, bearer, digest, ntlm
from .grammar import Offer, Param, missing, offers, param_notes
from .note import MOST, Context, Note, Wrong, code, limited, shown, wrongs
from .schemes import described

_HEADS = {
    "": "No scheme stands at the start, so no client can answer (RFC 9110 11.3).",
    "basic": "A challenge: the server asks for a user name and a password, which Basic sends "
    "readable to anyone who sees the request (RFC 7617).",
    "digest": "A challenge: the server asks for a hash over the password and this nonce, so "
    "the password itself is never sent (RFC 7616 3.3).",
    "bearer": "A challenge: the server asks for a token, which whoever holds it can use "
    "(RFC 6750 3).",
    "dpop": "A challenge: the server asks for a token that is bound to a key, and for a proof of "
    "that key in a header `DPoP` (RFC 9449 7.1).",
}
_PARAMS = {
    "basic": basic.CHALLENGE,
    "digest": digest.CHALLENGE,
    "bearer": bearer.CHALLENGE,
    "dpop": bearer.CHALLENGE | bearer.DPOP_CHALLENGE,
}
_OTHERS = {
    "basic": "no parameter that RFC 7617 knows; it is to be ignored (RFC 7617 2).",
    "digest": "no parameter that RFC 7616 knows; it is to be ignored (RFC 7616 3.3).",
}
_NEEDED = {"basic": ("realm",), "digest": ("realm", "nonce", "qop")}


def challenges(header: str, value: str, context: Context) -> list[Note]:
    """Return the notes for the value of `WWW-Authenticate`."""
    found = offers(value, many=True)
    if len(found) == 1:
        return _challenge(header, found[0], 0, context)
    names = ", ".join(f"`{shown(offer.scheme)}`" for offer in found[:8])
    names += ", …" if len(found) > 8 else ""
    notes = [
        Note(
            header,
            "",
            f"{len(found)} challenges in one header: {names}. "
            "The client answers one that it supports (RFC 9110 11.6.1).",
        )
    ]
    for offer in found[:MOST]:
        notes += _challenge(header, offer, 1, context)
    return limited(header, notes, 1, len(found))


def _challenge(header: str, offer: Offer, depth: int, context: Context) -> list[Note]:
    scheme = offer.scheme.lower()
    head = _HEADS.get(scheme) or f"A challenge of the scheme {described(offer.scheme)}."
    if depth == 0 and context.status not in (None, 401, 407):
        head += f" With {context.status} it hints that other credentials might change the answer."
    if re.match(r"ey[\w-]{8,}\.|[\w-]{40}", offer.scheme):
        text = "looks like a token, which goes into `Authorization`, in a request."
        wrong = wrongs(
            "This looks like a token and not like a challenge, which begins with a scheme."
        )
        return [
            Note(header, "", "No challenge (RFC 9110 11.6.1).", False, depth, wrong),
            Note(header, shown(offer.scheme), text, True, depth + 1),
        ]
    wrong = wrongs(None if scheme else "The challenge has no scheme, so no client can answer it.")
    notes = [Note(header, shown(offer.scheme) if depth else "", head, False, depth, wrong)]
    notes += _token(header, offer, depth + 1)
    if context.full and scheme == "digest" and offer.params:
        notes += _no_algorithm(header, offer, depth + 1)
    strict = () if scheme not in _PARAMS else None
    notes += param_notes(
        header, offer, depth + 1, lambda p: _text(header, offer, p, depth, context), context.full,
        strict=strict,
    )  # fmt: skip
    return notes + missing(header, offer, _NEEDED.get(scheme, ()), depth + 1)


def _token(header: str, offer: Offer, depth: int) -> list[Note]:
    if not offer.token:
        return []
    scheme = offer.scheme.lower()
    if scheme in ("ntlm", "negotiate"):
        return ntlm.token(header, offer.token, depth, secret=False)
    text = "data of this scheme's own, in a form only it defines (RFC 9110 11.2)."
    wrong = ()
    if scheme in _PARAMS:
        text = 'stands alone, where parameters such as `realm="…"` belong.'
        wrong = wrongs(f"{code(offer.token, 60)} {text}")
        if re.fullmatch(r"eyJ[\w.-]+|[A-Za-z0-9+/]{8,}=*", offer.token):
            text = "looks like credentials, which go into `Authorization`, in a request."
            wrong = wrongs("What follows the scheme looks like credentials, not like a challenge.")
    return [Note(header, shown(offer.token), text, bool("credentials" in text), depth, wrong)]


def _no_algorithm(header: str, offer: Offer, depth: int) -> list[Note]:
    if offer.get("algorithm") is not None or len(offer.params) > MOST:
        return []
    text = "No `algorithm` is named, and then it is MD5 (RFC 7616 3.3)."
    return [Note(header, "", text, False, depth)]


def _text(
    header: str, offer: Offer, param: Param, depth: int, context: Context
) -> str | list[Note]:
    """Explain one parameter of a challenge."""
    scheme, value = offer.scheme.lower(), param.value
    most = 400 if context.full else 60

    def noted(text: str, *wrong: str | Wrong | None) -> list[Note]:
        part = shown(param.sent, most)
        return [Note(header, part, text, False, depth + 1, wrongs(*wrong))]

    if scheme == "basic" and param.name == "charset":
        text = basic.charset_text(value, "RFC 7617 2.1")
        return noted(text, text.startswith("only") and f"`charset`: {text}" or None)
    if scheme in ("bearer", "dpop"):
        if param.name == "error":
            return noted(*bearer.error(value), _refusal(offer, value) if context.full else None)
        if param.name == "realm" and re.match(r"https?://", value):
            return bearer.REALM_URL
        if param.name == "error_description" and context.full:
            return f"the reason, in the server's words: {code(value, 400)} (RFC 6750 3)."
    if scheme == "digest" and param.name in digest.CHOICES:
        wrong = digest.quote_wrong(param, ("algorithm", "stale"), "3.3")
        text = digest.choice(param.name, value)
        none = text.startswith("no algorithm") and f"`algorithm`: {code(value, 40)} is {text}"
        return noted(text, wrong, none or None)
    if scheme not in _PARAMS:
        known = {"realm": basic.REALM} | (bearer.CHALLENGE if scheme == "" else {})
        return known.get(param.name, "a parameter of this scheme, which is not explained here.")
    text = _PARAMS[scheme].get(param.name)
    if text is None:
        return _OTHERS.get(scheme) or (
            "none of the parameters that RFC 6750, 9449 and 9728 define; clients made for this "
            "server may use it, others don't."
        )
    if scheme == "digest" and param.name == "nonce":
        text += digest.nonce_time(value, context)
    return text


def _refusal(offer: Offer, error: str) -> Wrong:
    """The server's own word on what was wrong with the request."""
    why = offer.get("error_description")
    said = f": {code(why, 400)}" if why else f" ({code(error, 40)})."
    return Wrong(f"The server says that it refused the request{said}")
