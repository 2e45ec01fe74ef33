"""What itsdangerous signs: Flask's session, tokens of text and of objects, timed or not.

The forms are `payload.signature` and `payload.time.signature`; the payload is JSON in base64url,
with a leading dot if it was compressed, or plain text. itsdangerous verifies.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any, NamedTuple

from .encoding import SIZES, json_value, signed_time, unbase64url, unpacked
from .note import (
    MOST,
    Context,
    Note,
    PublicKey,
    Wrong,
    ago,
    json_code,
    limited,
    shown,
    utc,
    wrongs,
)

SESSION_SALT = "cookie-session"
USUAL_SALTS = ("itsdangerous", "itsdangerous.Signer")  # of a serializer, of a signer alone
DIGESTS = {20: "sha1", 28: "sha224", 32: "sha256", 48: "sha384", 64: "sha512"}
_SESSION = {
    "_user_id": "Flask-Login's: the user whom the session is for, as `get_id` names it.",
    "user_id": "the user whom the session is for, probably.",
    "_fresh": "Flask-Login's: whether the user entered a password for this session; false after "
    "`remember_token` began it. `fresh_login_required` asks for true.",
    "_id": "Flask-Login's: a hash of the address and browser that the session began with. From "
    "another one, `_fresh` becomes false; with `session_protection` strong, the session ends.",
    "_remember": "Flask-Login's: whether `remember_token` is to be set or cleared.",
    "_remember_seconds": "Flask-Login's: how long `remember_token` is to last.",
    "_permanent": "Flask's: whether the cookie outlives the browser.",
    "_flashes": "Flask's: messages for the next page.",
    "csrf_token": "Flask-WTF's: what each form must send back, as a signed copy.",
    "auth_nonce": "Flask-HTTPAuth's: the Digest nonce that this browser was given.",
    "auth_opaque": "Flask-HTTPAuth's: the `opaque` that this browser was given.",
}


class Signed(NamedTuple):
    """A value that has the form of itsdangerous."""

    data: str  # the payload as it stands
    value: Any  # what it says: any JSON value, or a text
    packed: bool
    plain: bool  # a text that was never JSON
    stamp: str | None  # None: without a time
    signature: str
    at: tuple[int, bool] | None  # the time, and whether it was counted from 2011


def read(value: str, now: float) -> Signed | None:
    """Return what itsdangerous has signed, or None for what hasn't its form."""
    pieces = value.rsplit(".", 2)
    signature = pieces[-1]
    size = len(unbase64url(signature) or b"")
    if len(pieces) < 2 or not size:
        return None
    stamp = pieces[1] if len(pieces) == 3 else ""
    at = signed_time(stamp, now) if stamp else None
    if stamp and pieces[0]:
        found = _payload(pieces[0])
        good = size in SIZES and at and not (at[1] and not found)
        if found and isinstance(found[0], (int, float)) and at and at[1]:
            return None  # a number before a time of long ago: some other maker's token
        if found and (good or (isinstance(found[0], dict) and unbase64url(stamp))):
            return Signed(pieces[0], *found, False, stamp, signature, at)
        if good and re.fullmatch(r"[^.=\s][^=\s\x00-\x1f]*", pieces[0]) and not found:
            return Signed(pieces[0], pieces[0], False, True, stamp, signature, at)
    data = value.rpartition(".")[0]
    found = _payload(data) if size in SIZES else None
    return Signed(data, *found, False, None, signature, None) if found else None


def _payload(data: str) -> tuple[Any, bool] | None:
    """Return the JSON in a payload and whether it was compressed, or None."""
    packed = data.startswith(".")
    octets = unbase64url(data[packed:])
    if octets and packed:
        octets = unpacked(octets)
    try:
        text = octets.decode("utf-8") if octets else "" if packed else data
    except UnicodeDecodeError:
        return None
    found = json_value(text)
    if found is None or (octets is None and not isinstance(found[0], (dict, list))):
        return None  # `123` beside a dot is a number in any text
    return found[0], packed


def is_session(value: str, now: float) -> bool:
    """Say whether a value has the form of Flask's session: a timed object."""
    found = read(value, now)
    return found is not None and isinstance(found.value, dict) and found.stamp is not None


def notes(
    header: str, part: str, value: str, context: Context, depth: int, cookie: str = ""
) -> list[Note]:
    """Return the notes for a value that `read` accepts.

    part: what of the header the first note is about; cookie: its name, if it is one.
    """
    found = read(value, context.time())
    if found is None:
        return []
    flask = isinstance(found.value, dict) and found.stamp is not None and cookie != ""
    kind = (
        "Flask's session cookie, or one made like it: signed, not "
        "encrypted, so anyone can read it. Whoever copies it holds the session."
    )
    verdict, bad, salt = _verdict(value, found, context, flask)
    if not flask or salt not in (None, SESSION_SALT):
        flask = False
        made = "and dated " if found.stamp else ""
        kind = (
            f"A token as itsdangerous makes it, signed {made}but not encrypted, so anyone can read "
            "it. Whoever copies it can use it."
        )
        if found.plain or found.stamp is None or isinstance(found.value, (int, float)):
            kind = kind.replace("A token", "Probably a token")
    what = "the session" if flask else "the content"
    packed = " (the leading dot says: compressed)" if found.packed else ""
    if found.plain:
        content = json_code(found.value, True)
    else:  # as itsdangerous writes JSON: without blanks
        content = json_code(found.value, True) if context.full else _compact(found.value)
    when, old = _when(found, context, flask)
    result = [
        Note(header, shown(part), kind, True, depth, bad),
        Note(header, shown(found.data), f"{what}{packed}: {content}.", False, depth + 1),
    ]
    if context.full and isinstance(found.value, dict):
        result += _members(header, found.value, depth + 2)
        if "_user_id" in found.value:
            text = (
                "Flask-Login keeps nothing on the server: `logout_user` takes these out of this "
                "browser's cookie, and a copy that was made before still works."
            )
            result.append(Note(header, "", text, False, depth + 1))
    if found.stamp is not None:
        text = f"{when}; the server checks the age against this."
        result.append(Note(header, shown(found.stamp), text, False, depth + 1, old))
    elif context.full:
        text = "No time is in it, so it never expires by itself."
        wrong = wrongs(Wrong(text.replace("it,", "the token,"), False))
        result.append(Note(header, "", text, False, depth + 1, wrong))
    return [*result, Note(header, shown(found.signature), verdict, False, depth + 1)]


def _compact(value: Any) -> str:
    import json

    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return f"`{shown(text, 160)}`"


def _members(header: str, content: dict[str, Any], depth: int) -> list[Note]:
    known = [name for name in content if name in _SESSION][:MOST]
    found = [
        Note(
            header, shown(name), f"{json_code(content[name], True)}: {_SESSION[name]}", False, depth
        )
        for name in known
    ]
    return limited(header, found, depth, len(content)) if len(known) == MOST else found


def _when(found: Signed, context: Context, flask: bool) -> tuple[str, tuple[Wrong, ...]]:
    if found.at is None:
        return "no time that could be right", ()
    moment, old = found.at
    now = context.time()
    when = f"signed {utc(moment)}, {ago(moment, now)}"
    if old:
        when += ", if an itsdangerous before version 1.1 made it, which counted from 2011"
    late = now - moment > 31 * 86400 and flask and not old
    return when, wrongs(
        f"Signed {ago(moment, now)}: as a session, Flask takes it for 31 days, unless "
        "`PERMANENT_SESSION_LIFETIME` says otherwise."
        if late
        else None
    )


def _verdict(
    value: str, found: Signed, context: Context, flask: bool
) -> tuple[str, tuple[Wrong, ...], str | None]:
    """Return what the signature says, what is wrong with it, and the salt that fits a key."""
    keys = [key for key in context.keys if not isinstance(key, PublicKey)]
    size = len(unbase64url(found.signature) or b"")
    if size not in SIZES:
        text = f"the signature, but it has {size} bytes, as no HMAC has, so it can't be right."
        said = (
            f"The signature has {size} bytes, as no HMAC has: it was cut off or changed, probably."
        )
        return text, wrongs(said), None
    if not keys:
        text = "the signature; to verify it takes the server's `SECRET_KEY`, not known here."
        return text, (), None
    for key in keys:
        salt = signed_with(value, found, key, context.salts)
        if salt is None:
            continue
        text = "the signature: it matches a known key, so only its holder can have written this."
        more = f"{text[:-1]} (salt `{shown(salt)}`)."
        return text if salt == SESSION_SALT else more, (), salt
    text = "the signature: it does not match any key known here."
    if flask:
        return text, wrongs("The signature matches no key that was given."), None
    text = f"{text[:-1]} with the usual salts; `--salt` names the one of your serializer."
    return text, (), None


def signed_with(value: str, found: Signed, key: str | bytes, salts) -> str | None:
    """Return the salt with which `key` gives the signature, or None."""
    from itsdangerous import BadSignature, Signer

    octets = key.encode("utf-8", "surrogatepass") if isinstance(key, str) else key
    size = len(unbase64url(found.signature) or b"")
    digest = getattr(hashlib, DIGESTS.get(size, "sha1"))
    ways = [(SESSION_SALT, "hmac"), *((salt, "django-concat") for salt in USUAL_SALTS)]
    ways += [(salt, way) for salt in salts for way in ("django-concat", "hmac")]
    for salt, way in ways:  # the first as in flask.sessions.SecureCookieSessionInterface
        signer = Signer(octets, salt=salt, key_derivation=way, digest_method=digest)
        try:
            signer.unsign(value)
        except (BadSignature, UnicodeError):
            continue
        return salt
    return None
