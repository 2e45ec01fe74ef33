"""Schemes other than Basic, Digest and Bearer: what they are, and what their credentials say."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import replace

from . import ntlm
from . import token as tokens
from .grammar import Offer, Param, param_notes
from .note import Context, Note, ago, code, shown, utc, wrongs

ABOUT = {
    "concealed": "a signature that also hides that the server asks for one (RFC 9729)",
    "dpop": "an OAuth token bound to a key; a separate `DPoP` header proves the key (RFC 9449 7.1)",
    "gnap": "an access token of the GNAP protocol (RFC 9635 7.2)",
    "hoba": "a signature with a key that the user's device keeps, no password (RFC 7486 3)",
    "mutual": "a password that is never sent, and the server proves it knows it too (RFC 8120)",
    "negotiate": "Kerberos or NTLM, wrapped in SPNEGO (RFC 4559)",
    "ntlm": "Microsoft's NTLM, a challenge and response that is not in IANA's registry",
    "oauth": "a signed request of OAuth 1.0 (RFC 5849 3.5.1), not the OAuth 2.0 of today",
    "privatetoken": "a Privacy Pass token, which vouches for a client without naming it (RFC 9577)",
    "scram-sha-1": "SCRAM, challenge and response over a salted, iterated hash (RFC 7804)",
    "scram-sha-256": "SCRAM, challenge and response over a salted, iterated hash (RFC 7804)",
    "vapid": "a signed JWT by which a push server recognises the sender (RFC 8292 3)",
    "webpush": "a signed JWT by which a push server recognises the sender, in a draft of RFC 8292",
    "aws4-hmac-sha256": "a request signed for AWS, Signature Version 4",
    "aws4-ecdsa-p256-sha256": "a request signed for AWS, Signature Version 4A",
    "aws": "a request signed for AWS, Signature Version 2, which is no longer in use for most",
    "hawk": "a request signed with a shared key, by the protocol Hawk",
    "sharedkey": "a request signed with an account's key, for Azure's storage",
    "sharedkeylite": "a request signed with an account's key, for Azure's storage",
    "signature": "a signed request, by a draft that RFC 9421 has replaced",
    "token": "a token as Django REST framework and others take it; no standard",
    "jwt": "a token, in older libraries for JWT; no standard, and `Bearer` is the standard one",
    "apikey": "a key, as Elasticsearch and others take it; no standard",
    "api-key": "a key; no standard",
    "key": "a key; no standard",
    "genie": "a key, as Opsgenie takes it",
    "splunk": "a token of Splunk",
    "googlelogin": "a token of Google's old ClientLogin",
    "discogs": "a key or token of Discogs",
    "bot": "a bot's token, as Discord takes it",
    "ssws": "a token of Okta's",
    "wsse": "a hash over a password, a nonce and a time, from web services of old",
    "xbasic": "`Basic` under another name, probably, so that a browser shows no dialog of its own; "
    "no standard",
    "oauth2": "a token under an old name of `Bearer`; no standard",
}
_BEARING = {
    "token", "jwt", "apikey", "api-key", "key", "genie", "splunk", "bot", "ssws", "oauth2", "dpop",
    "gnap",
}  # fmt: skip


def described(name: str) -> str:
    """Return a scheme's name and what it is."""
    about = ABOUT.get(name.lower())
    return f"{code(name)}: {about}" if about else f"{code(name)}, which is not known here"


def credentials(header: str, offer: Offer, rest: str, context: Context) -> list[Note]:
    """Return the notes for credentials of one of these schemes; `rest` follows its name."""
    scheme = offer.scheme.lower()
    if scheme == "oauth" and rest and not any(p.name.startswith("oauth_") for p in offer.params):
        text = (
            "A token under `OAuth`, an old name of `Bearer` in OAuth 2.0; a signed request of "
            "OAuth 1.0 would have parameters that begin with `oauth_`."
        )
        return [Note(header, "", text, True), *tokens.notes(header, rest, context, 1)]
    head = Note(header, "", f"Credentials of the scheme {described(offer.scheme)}.")
    if not rest:
        wrong = wrongs(f"Nothing follows the word `{shown(offer.scheme)}`.")
        return [replace(head, wrong=wrong if scheme in ABOUT else ())]
    if scheme in ("ntlm", "negotiate") and offer.token:
        return [head, *ntlm.token(header, offer.token, 1, secret=True)]
    if scheme in ("aws", "sharedkey", "sharedkeylite", "apikey") and re.fullmatch(
        r"[^\s:,=\"]+:[^\s,\"]+", rest
    ):
        return [head, *_pair(header, scheme, rest)]
    if scheme in ("apikey",) and offer.token and (found := _key_pair(header, offer.token)):
        return [head, *found]
    one = offer.token or (rest if not re.search(r"[=\s]", rest) else "")
    if offer.params and all(param.problem for param in offer.params):
        one = rest  # no parameters at all: whatever it is, it is one thing
    if one:
        bearing = scheme in _BEARING or tokens.is_readable(one, context.time())
        if bearing or tokens.no_token(one) or tokens.cleaned(one).wrong:
            return [head, *tokens.notes(header, one, context, 1)]
        if tokens.is_masked(one):
            return [head, *tokens.notes(header, one, context, 1)]
        text = "data of this scheme's own; treat it as a secret."
        return [head, Note(header, shown(one), text, True, 1)]
    explain = _SAY.get(scheme) or _plain

    def say(param: Param) -> list[Note]:
        text, secret = explain(param, context)
        part = shown(param.sent, 200 if context.full and not secret else 60)
        notes = [Note(header, part, text, secret, 1)]
        if tokens.is_readable(param.value, context.time()):
            notes += tokens.readable_notes(header, param.value, context, 2)
        return notes

    return [
        head,
        *param_notes(header, offer, 1, say, False, secret=True, strict=()),
        *_needed(header, offer),
    ]


def _needed(header: str, offer: Offer) -> list[Note]:
    names = _NEEDED.get(offer.scheme.lower(), ())
    lost = [name for name in names if offer.get(name.lower()) is None]
    if not lost:
        return []
    text = f"Missing, though the scheme asks for it: {', '.join(f'`{name}`' for name in lost)}."
    return [Note(header, "", text, False, 1, wrongs(text))]


_NEEDED = {
    "aws4-hmac-sha256": ("Credential", "SignedHeaders", "Signature"),
    "hawk": ("id", "ts", "nonce", "mac"),
}


def _pair(header: str, scheme: str, rest: str) -> list[Note]:
    name, _, proof = rest.partition(":")
    what = {
        "apikey": "the user's name and, after the colon, the key",
        "aws": "the access key's id and, after the colon, the signature",
    }.get(scheme, "the account and, after the colon, the signature")
    if scheme == "apikey":
        return [Note(header, shown(rest), f"{what}, as some libraries have it.", True, 1)]
    text = f"{what}; name {code(name)}. The secret key itself is not sent."
    return [Note(header, shown(rest), text, True, 1)]


def _key_pair(header: str, token: str) -> list[Note]:
    try:
        text = base64.b64decode(token, validate=True).decode("ascii")
    except (binascii.Error, UnicodeDecodeError):
        return []
    name, colon, key = text.partition(":")
    if not colon or not text.isprintable() or not key:
        return []
    said = (
        f"in base64, the key's id {code(name)} and, after a colon, the key: anyone can decode it."
    )
    return [Note(header, shown(token), said, True, 1)]


def _plain(param: Param, context: Context) -> tuple[str, bool]:
    return "a parameter of this scheme.", True


def _aws(param: Param, context: Context) -> tuple[str, bool]:
    if param.name == "credential":
        pieces = param.value.split("/")
        if len(pieces) < 5:
            return "whose key signed, and for what; it should have five parts.", False
        key, day, region, service = pieces[-5], pieces[-4], pieces[-3], pieces[-2]
        return (
            f"signed with the access key {code(key)} on {code(day)} for the service "
            f"{code(service)} in {code(region)}; the secret key is not sent."
        ), False
    if param.name == "signedheaders":
        return (
            "the headers that the signature covers; if one is changed, it no longer holds.",
            False,
        )
    if param.name == "signature":
        return (
            "the proof, an HMAC over the request; it is good for this request alone, for some "
            "minutes around the time in `X-Amz-Date`."
        ), True
    return _plain(param, context)


def _hawk(param: Param, context: Context) -> tuple[str, bool]:
    if param.name == "ts":
        moment = utc(int(param.value)) if re.fullmatch(r"[0-9]{1,12}", param.value) else None
        when = f"{moment}, {ago(int(param.value), context.time())}" if moment else "no number"
        return (
            f"when the request was made: {when}. Servers refuse one whose clock is too far from "
            "theirs, by default a minute."
        ), False
    text = {
        "id": "which key signed.",
        "nonce": "a value of the client's; with `ts`, it lets a server notice a replay.",
        "hash": "a hash of the body.",
        "ext": "whatever the application adds.",
        "app": "the application's id.",
        "dlg": "on whose behalf the application acts.",
        "mac": "the proof, an HMAC over the request; it is good for this request alone.",
    }.get(param.name)
    return (text, param.name == "mac") if text else _plain(param, context)


def _oauth(param: Param, context: Context) -> tuple[str, bool]:
    text = {
        "oauth_consumer_key": "which client signed.",
        "oauth_token": "the token, of which the secret part is not sent.",
        "oauth_signature": "the proof, over method, address and parameters (RFC 5849 3.4).",
        "oauth_signature_method": "how it is signed (RFC 5849 3.4).",
        "oauth_timestamp": "when it was signed.",
        "oauth_nonce": "a value that is used once.",
        "oauth_callback": "where the user is sent afterwards.",
        "oauth_verifier": "the code that came back with the user.",
    }.get(param.name, "a parameter of this scheme.")
    return text, param.name in ("oauth_signature", "oauth_token", "oauth_verifier")


_SAY = {
    "aws4-hmac-sha256": _aws,
    "aws4-ecdsa-p256-sha256": _aws,
    "hawk": _hawk,
    "oauth": _oauth,
}
