"""Smaller headers: this tutorial's `OTP`, `Retry-After`, `Clear-Site-Data`, `DPoP`, own names.

`X-Access-Token` and its like are no standard; what stands in them is read as a token.
"""

from __future__ import annotations

import re
from dataclasses import replace

from . import jose
from . import token as tokens
from .cookies import http_date
from .note import MOST, Context, Note, Wrong, ago, limited, shown, span, utc, wrongs


def otp(header: str, value: str, context: Context) -> list[Note]:
    """`OTP`, in which this tutorial's lesson 05 has the second factor."""
    wrong: tuple[Wrong, ...] = ()
    if value.lower() == "required":
        text = "The server asks for a second factor: a one-time code."
    elif re.fullmatch(r"[0-9]{6,8}", value):
        text = "The second factor: a one-time code (RFC 4226, RFC 6238), no use without the first."
    else:
        text = "Neither `required` nor a code of six to eight digits."
        wrong = wrongs(f"`{shown(header)}`: {text[0].lower()}{text[1:]}")
    more = "No standard defines this header; it is this tutorial's own."
    return [Note(header, "", f"{text} {more}", wrong=wrong)]


def retry_after(header: str, value: str, context: Context) -> list[Note]:
    """`Retry-After` (RFC 9110, 10.2.3)."""
    why = " after too many tries (RFC 6585 4)" if context.status == 429 else ""
    wrong: tuple[Wrong, ...] = ()
    if re.fullmatch(r"[0-9]{1,10}", value):
        text = f"The client shall wait {span(int(value))} before it tries again{why}"
    elif (moment := http_date(value)) is not None:
        text = f"The client shall wait until {utc(moment)}, {ago(moment, context.time())}{why}"
    else:
        text = "Neither a number of seconds nor a date, so clients can't tell how long to wait"
        wrong = wrongs(f"`Retry-After`: {text[0].lower()}{text[1:]}.")
    return [Note(header, "", f"{text} (RFC 9110 10.2.3).", wrong=wrong)]


def cache_control(header: str, value: str, context: Context) -> list[Note]:
    """`Cache-Control`, of which only `no-store` has to do with authentication."""
    if "no-store" not in [word.strip().lower() for word in value.split(",")]:
        return []
    text = (
        "`no-store`: no cache may keep a copy (RFC 9111 5.2.2.5); OAuth "
        "demands it of a response that carries a token (RFC 6749 5.1). On a page for who is logged "
        "in, it keeps the browser's back button from showing the page after a logout."
    )
    return [Note(header, "no-store", text)]


_CLEARED = {
    "cookies": "all cookies of this host's domain and its subdomains, `HttpOnly` or not, and what "
    "the browser remembers for Basic and Digest",
    "storage": "`localStorage`, `sessionStorage`, IndexedDB and service workers of this origin",
    "cache": "pages, pictures and scripts that the browser has kept of this origin",
    "executioncontexts": "open pages of this origin, which are loaded anew; few browsers do it",
    "clienthints": "what the browser was asked to say of itself in client hints",
    "prefetchcache": "what was fetched ahead of need",
    "prerendercache": "pages that were drawn ahead of need",
    "*": "everything of the above",
}


def clear_site_data(header: str, value: str, context: Context) -> list[Note]:
    """`Clear-Site-Data` (a W3C working draft): what the browser is to forget, say at a logout."""
    head = (
        "The browser is to forget what it keeps of this site (W3C Clear Site Data 3.1), over https "
        "and on localhost only. On the server nothing ends by it: a copy of a cookie still works."
    )
    found = [Note(header, "", head)]
    pieces = [piece.strip() for piece in value.split(",") if piece.strip()]
    for piece in pieces[:MOST]:
        word = piece.strip('"')
        about = _CLEARED.get(word.lower())
        wrong: tuple[Wrong, ...] = ()
        if about is None:
            text = "no kind of data that browsers know, so they ignore it."
            wrong = wrongs(f"`{shown(header)}`: `{shown(piece)}` is {text}")
        elif piece != f'"{word}"':
            text = "must stand in double quotation marks; browsers ignore it without."
            wrong = wrongs(f"`{shown(header)}`: `{shown(piece)}` {text}")
        else:
            text = f"{about}."
        found.append(Note(header, shown(piece), text, False, 1, wrong))
    return limited(header, found, 1, len(pieces))


def dpop(header: str, value: str, context: Context) -> list[Note]:
    """`DPoP`: the proof of a key, for one request (RFC 9449, 4)."""
    head = Note(
        header,
        "",
        "A DPoP proof (RFC 9449 4.2): a JWT, made for one request, that proves the key to which "
        "the token in `Authorization` is bound.",
    )
    notes = tokens.notes(header, value, context, 1)
    if not jose.is_jose(tokens.cleaned(value).token):
        first = wrongs("The header `DPoP` must carry a JWT (RFC 9449 4.2).")
        return [replace(head, wrong=first), *notes]
    members = jose.members_of(tokens.cleaned(value).token)
    alg = str(members.get("alg", ""))
    found = [
        None if members.get("typ") == "dpop+jwt" else "`typ` must be `dpop+jwt` (RFC 9449 4.2).",
        "`alg` must be one with a private key, not HMAC or none (RFC 9449 4.2)."
        if alg.startswith("HS") or alg.lower() == "none"
        else None,
        None
        if "jwk" in members
        else "`jwk`, the public key, must be in its header (RFC 9449 4.2).",
    ]
    if found[0] is None:  # it is meant as a proof, so that its age counts in seconds
        names = {note.part for note in notes}
        lost = [name for name in ("jti", "htm", "htu", "iat") if name not in names]
        said = ", ".join(f"`{name}`" for name in lost)
        found.append(f"Missing, though a proof needs it (RFC 9449 4.2): {said}." if lost else None)
    notes = [replace(n, wrong=tuple(w for w in n.wrong if "`exp`" not in w.text)) for n in notes]
    cut = any("cut off" in note.text for note in notes[:3])
    return [replace(head, wrong=() if cut else wrongs(*found)), *notes]


def dpop_nonce(header: str, value: str, context: Context) -> list[Note]:
    """`DPoP-Nonce` (RFC 9449, 8)."""
    text = "A nonce that the client shall put into its next DPoP proof (RFC 9449 8, 9)."
    return [Note(header, "", text)]


_OWN = {
    "x-api-key": "a key that names the program, not the user, as a rule",
    "x-csrf-token": "what shows that a page of the site itself sent the request; no login",
    "x-csrftoken": "what shows that a page of the site itself sent the request; no login",
    "x-xsrf-token": "what shows that a page of the site itself sent the request; no login",
    "x-access-token": "a token, as many Flask tutorials send it",
    "authentication-token": "a token, as Flask-Security takes it",
    "x-amzn-oidc-data": "what AWS's load balancer knows of the user; the load balancer adds it",
    "x-amzn-oidc-accesstoken": "the access token that AWS's load balancer got for the user",
    "x-amzn-oidc-identity": "the user's `sub`, as AWS's load balancer adds it; unsigned",
    "x-amz-security-token": "the session token that goes with temporary AWS credentials",
    "x-goog-iap-jwt-assertion": "what Google's proxy knows of the user; the proxy adds it",
    "cf-access-jwt-assertion": "what Cloudflare Access knows of the user; its proxy adds it",
    "x-hub-signature-256": "GitHub's HMAC over the body of a webhook",
    "private-token": "a token, as GitLab takes it",
    "job-token": "a token of a job, as GitLab takes it",
    "x-vault-token": "a token, as HashiCorp's Vault takes it",
    "sec-websocket-protocol": "the subprotocols of a WebSocket, in which some scripts send a token",
}
_NO_TOKEN = re.compile(
    r"-(?:user|email|name|groups?|username|method|type|status|mode|time|date|length|required|url|uri"
    r"|host|redirect|count|limit|remaining|reset|expires|expiry|ttl)$"
)
_ADDED = ("x-amzn-oidc", "x-goog-iap", "cf-access")


def own_name(name: str) -> bool:
    """Say whether a header is one of those in which people send tokens without a standard."""
    low = name.strip().lower()
    words = r"token|api-?key|apikey|jwt|auth|credential|secret|session|access-?key|id-?token"
    names = rf"(?:x-|cf-|cosmo-)?(?:[a-z0-9]+-){{0,4}}(?:{words})(?:-[a-z0-9]+){{0,3}}"
    return low in _OWN or (re.fullmatch(names, low) is not None and not _NO_TOKEN.search(low))


def own(header: str, value: str, context: Context) -> list[Note]:
    """A header of an application's own, with a token in it."""
    low = header.strip().lower()
    about = _OWN.get(low, "probably a token or key, by its name")
    if low == "sec-websocket-protocol":
        words = [word.strip() for word in value.split(",")]
        value = next((w for w in words if tokens.is_readable(w, context.time())), "")
        if not value:
            return []
    note = Note(header, "", f"No standard defines this header: {about}.", True)
    if low in ("x-hub-signature-256", "x-amzn-oidc-identity") or "csrf" in low or "xsrf" in low:
        return [note, Note(header, shown(value), "the value as sent.", "csrf" in low, 1)]
    if low.startswith(_ADDED):
        text = f"{note.text[:-1]}. Believe it only if every request comes through that proxy."
        note = replace(note, text=text)
    inner = tokens.cleaned(re.sub(r"^Bearer\s+(?=\S)", "", value, flags=re.IGNORECASE))
    return [note, *tokens.notes(header, inner.token, context, 1)]
