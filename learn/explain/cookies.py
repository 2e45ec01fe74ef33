"""Cookies (RFC 6265), and what they carry: Flask's session, a JWT, another framework's value.

What browsers do today beyond that is in RFC 6265bis: `SameSite`, prefixes of names, limits.
"""

from __future__ import annotations

import re
from dataclasses import replace
from urllib.parse import unquote

from . import token as tokens
from .note import MOST, Context, Note, Wrong, ago, limited, shown, span, wrongs

_ATTRIBUTES = {
    "httponly": "scripts in the page can't read the cookie (RFC 6265 4.1.2.6).",
    "secure": "the browser sends it over secure channels only (RFC 6265 4.1.2.5).",
    "path": "the browser sends it for this path and below (RFC 6265 4.1.2.4).",
    "domain": "the browser sends it to this host and its subdomains (RFC 6265 4.1.2.3).",
    "partitioned": "kept apart for each site whose pages embed this one (CHIPS): in a frame on one "
    "site, the browser doesn't send what it stored in a frame on another.",
    "priority": "which cookies a browser drops first; Chrome's own.",
}
_SAMESITE = {
    "strict": "never sent with requests that another site starts.",
    "lax": "from another site, sent only when the user follows a link there.",
    "none": "sent with requests from other sites too; browsers then want `Secure`.",
}
_PREFIXES = {
    "__host-": "the prefix promises that this very host set the cookie, over https and for all "
    "paths: browsers refuse to store it otherwise (RFC 6265bis 4.1.3.2).",
    "__secure-": "the prefix promises that the cookie was set over https and with `Secure`: "
    "browsers refuse to store it otherwise. A subdomain can set it as well "
    "(RFC 6265bis 4.1.3.1).",
}
_LONGEST = 400 * 86400  # seconds (RFC 6265bis 5.5)
_LARGEST = 4096  # bytes of name and value (RFC 6265bis 5.7)
_NAMES = {
    "sessionid": "the name of Django's session cookie",
    "csrftoken": "the name of Django's cookie against CSRF",
    "phpsessid": "the name of PHP's session cookie",
    "jsessionid": "the name of Java's session cookie",
    "asp.net_sessionid": "the name of ASP.NET's session cookie",
    ".aspnetcore.cookies": "the name of ASP.NET Core's login cookie",
    "connect.sid": "the name of the session cookie of Express",
    "laravel_session": "the name of Laravel's session cookie",
    "xsrf-token": "what a script sends back in `X-XSRF-TOKEN`, against CSRF",
    "csrf_access_token": "what a script sends back in `X-CSRF-TOKEN`, against CSRF",
    "csrf_refresh_token": "what a script sends back in `X-CSRF-TOKEN`, against CSRF",
    "awsalb": "a load balancer's, and no login",
    "_ga": "Google Analytics', and no login",
}
# Names of cookies that say who somebody is, or what they may do, and values that stand for nothing.
_WHO = re.compile(r"(?i)(user(_?name|_?id)?|uid|name|login|account|e?-?mail|role|(is_?)?admin)")
_PLAIN = re.compile(r"[\w.@+-]{1,20}")
_SWITCHES = ("none", "null", "undefined")


def cookies(header: str, value: str, context: Context) -> list[Note]:
    """Return the notes for the value of `Cookie`."""
    pairs = [pair.strip() for pair in value.split(";") if pair.strip()]
    text = "The browser sends back what the server had it store, with every request (RFC 6265 4.2)."
    notes = [Note(header, "", text)]
    names = [pair.partition("=")[0].strip() for pair in pairs]
    attributes = {"path", "expires", "httponly", "samesite", "max-age", "secure", "domain"}
    lost = sorted({name.lower() for name in names} & attributes) if len(pairs) > 1 else []
    if lost and context.full:
        said = f"`{shown(lost[0])}` belongs into `Set-Cookie`; in `Cookie` it is one more cookie."
        notes[0] = replace(notes[0], wrong=(Wrong(said, False),))
    if context.full and re.search(r",\s*[\w.-]+=", value) and ";" not in value:
        said = "A semicolon parts cookies in `Cookie`; after a comma, no second one begins."
        notes[0] = replace(notes[0], wrong=(*notes[0].wrong, Wrong(said, False)))
    few = names[:200] if context.full else []
    twice = next((name for name in few if few.count(name) > 1), None)
    if twice is not None:
        said = f"`{shown(twice)}` stands twice; which one counts depends on the server."
        notes[0] = replace(notes[0], wrong=(*notes[0].wrong, Wrong(said, False)))
    for pair in pairs[:MOST]:
        notes += _cookie(header, pair, context)
    return limited(header, notes, 1, len(pairs))


def _cookie(header: str, pair: str, context: Context) -> list[Note]:
    from werkzeug.sansio.http import parse_cookie

    name, equals, value = pair.partition("=")
    name = name.strip()
    try:
        value = parse_cookie(f"x={value.strip()}").get("x", value)
    except UnicodeError:
        pass  # octets that are no text: explained as they stand
    if not equals:
        text = "no `name=value` pair, so servers read it differently."
        return [Note(header, shown(pair), text, False, 1)]
    promise = _promise(header, name)
    found = _readable(header, pair, name, value, context)
    if found:
        return found + promise
    name = name[len(prefix_of(name)) :]
    if _WHO.fullmatch(name) and _PLAIN.fullmatch(value) and value.lower() not in _SWITCHES:
        text = (
            "plain text, which anybody can read and write anew. A server that believes it, instead"
            " of looking it up, lets in whoever asks under any name."
        )
        return [Note(header, shown(pair), text, False, 1), *promise]
    if name == "session" and value:
        text = "the name of Flask's session cookie, but in no form that can be opened here."
    elif name.lower() in _NAMES and value:
        text = f"{_NAMES[name.lower()]}; its value means something only to the server."
    else:
        text = "a value that only the server can read a meaning into."
    if not value:
        text = "empty: nothing is stored under this name."
        return [Note(header, shown(pair), text, False, 1), *promise]
    wrong = ()
    said = tokens.no_token(value)
    if said and value.lower() not in ("true", "false", "none") and context.full:
        text, wrong = said, (Wrong(f"Cookie `{shown(name)}`: {said}", False),)
        return [Note(header, shown(pair), text, False, 1, wrong)]
    login = " If it stands for a login, whoever copies it is that user."
    if "against CSRF" in text:
        login = ""
    if "no login" in text:
        return [Note(header, shown(pair), f"{_NAMES[name.lower()]}.", False, 1)]
    telling = re.search(r"(?i)session|token|sid|auth|jwt|csrf|xsrf|remember|login", name)
    secret = context.full and (len(value) > 15 or telling is not None)
    return [Note(header, shown(pair), text + login, secret, 1, wrong), *promise]


def prefix_of(name: str) -> str:
    """Return the prefix of a cookie's name by which browsers go, in lower case, or an empty text.

    They know it in any case of letters (RFC 6265bis 5.7).
    """
    return next((prefix for prefix in _PREFIXES if name.lower().startswith(prefix)), "")


def _promise(header: str, name: str) -> list[Note]:
    prefix = prefix_of(name)
    part = shown(name[: len(prefix)])
    return [Note(header, part, _PREFIXES[prefix], False, 2)] if prefix else []


def _readable(header: str, pair: str, name: str, value: str, context: Context) -> list[Note] | None:
    """Return the notes for a cookie that anyone can read, or None."""
    for text in dict.fromkeys((value, unquote(value))):
        clean = tokens.cleaned(text)
        found = tokens.readable_notes(header, clean.token, context, 1, pair, name)
        if not found:
            continue
        if context.full and found[0].part != shown(pair):
            kind = f"the cookie `{shown(name)}` carries this:"
            inner = [replace(note, depth=min(note.depth + 1, 3)) for note in found]
            found = [Note(header, shown(pair), kind, True, 1), *inner]
        if clean.wrong:
            said = (
                f"In the cookie `{shown(name)}`, something stands around the token: read without."
            )
            found[0] = replace(found[0], wrong=found[0].wrong + (Wrong(said, False),))
        return found
    return None


def set_cookie(header: str, value: str, context: Context) -> list[Note]:
    """Return the notes for the value of `Set-Cookie`."""
    pair, *attributes = [piece.strip() for piece in value.split(";")]
    text = (
        "The server asks the browser to store a cookie and send it back from now on (RFC 6265 4.1)."
    )
    notes = [Note(header, "", text), *_cookie(header, pair, context)]
    attributes = [piece for piece in attributes if piece]
    for piece in attributes[:MOST]:
        notes.append(Note(header, shown(piece), _attribute(piece, context.time()), False, 1))
    names = {piece.partition("=")[0].strip().lower() for piece in attributes}
    absent = [
        text
        for name, text in (
            ("httponly", "`HttpOnly` (scripts in the page can read it)"),
            ("secure", "`Secure` (it goes over plain http too)"),
            ("samesite", "`SameSite` (the browser's default decides for other sites)"),
        )
        if name not in names
    ]
    if absent:
        wrong = _unsafe(pair, attributes, names)
        notes.append(Note(header, "", f"Not set: {', '.join(absent)}.", False, 1, wrong))
    elif wrong := _unsafe(pair, attributes, names):
        notes[0] = replace(notes[0], wrong=wrong)
    return limited(header, notes, 1, len(attributes))


def _unsafe(pair: str, attributes: list[str], names: set[str]) -> tuple[Wrong, ...]:
    """Say for which reasons browsers refuse to store the cookie, or store it otherwise."""
    joined = {re.sub(r"\s", "", piece).lower() for piece in attributes}
    name, equals, value = (part.strip() for part in pair.partition("="))
    secure = "secure" in names
    elsewhere = "samesite=none" in joined
    return wrongs(
        _broken_prefix(name, joined, names),
        f"The cookie has no name, and a value that begins with `{shown(value[:7])}…`: browsers "
        "refuse it (RFC 6265bis 5.7)."
        if equals and not name and prefix_of(value)
        else None,
        "`SameSite=None` without `Secure`: Chrome and others refuse to store the cookie."
        if elsewhere and not secure
        else None,
        "`Partitioned` without `Secure`: browsers refuse to store the cookie."
        if "partitioned" in names and not secure
        else None,
        Wrong("`Partitioned` without `SameSite=None`: in a frame it isn't sent anyway.", False)
        if "partitioned" in names and secure and not elsewhere
        else None,
        f"Name and value have more than {_LARGEST} bytes: browsers refuse it (RFC 6265bis 5.7)."
        if len((name + value).encode("utf-8", "replace")) > _LARGEST
        else None,
    )


def _broken_prefix(name: str, joined: set[str], names: set[str]) -> str | None:
    """Say which rules of its name's prefix a cookie breaks, None if it has none or keeps them."""
    prefix = prefix_of(name)
    if not prefix:
        return None
    broken = [] if "secure" in names else ["`Secure` is missing"]
    rules, section = "`Secure`", "4.1.3.1"
    if prefix == "__host-":
        rules, section = "`Secure` and `Path=/`, and no `Domain`", "4.1.3.2"
        broken += [] if "path=/" in joined else ["`Path=/` is missing"]
        broken += ["`Domain` is set"] if "domain" in names else []
    if not broken:
        return None
    written = shown(name[: len(prefix)])
    return (
        f"A cookie whose name begins with `{written}` needs {rules}, and {' and '.join(broken)}: "
        f"browsers refuse to store it (RFC 6265bis {section})."
    )


def _attribute(piece: str, now: float) -> str:
    name, _, value = (part.strip() for part in piece.partition("="))
    name = name.lower()
    if name == "samesite":
        return _SAMESITE.get(value.lower(), "no value that browsers know; their default holds.")
    if name == "max-age":
        if re.fullmatch(r"-?[0-9]{1,10}", value) is None:
            return "must be a number of seconds (RFC 6265 4.1.2.2)."
        seconds = int(value)
        if seconds <= 0:
            return "the browser deletes the cookie at once (RFC 6265 5.2.2)."
        if seconds > _LONGEST:
            return f"{span(seconds)}, of which browsers keep it for 400 days (RFC 6265bis 5.5)."
        return f"the browser keeps it for {span(seconds)} (RFC 6265 4.1.2.2)."
    if name == "expires":
        moment = http_date(value)
        if moment is None:
            return "not a date as HTTP writes one, so browsers may ignore it (RFC 6265 4.1.2.1)."
        word = "the browser deletes it" if moment <= now else "the browser deletes it then"
        return f"{word}: this is {ago(moment, now)} (RFC 6265 4.1.2.1)."
    return _ATTRIBUTES.get(name, "not known here; browsers ignore what they don't know.")


def http_date(value: str) -> float | None:
    """Return a date as HTTP writes it in POSIX seconds, or None."""
    from werkzeug.http import parse_date

    try:
        moment = parse_date(value[:64])
        return None if moment is None else moment.timestamp()
    except (ValueError, OverflowError, IndexError, TypeError):  # old versions of email.utils
        return None
