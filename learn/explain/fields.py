"""Which header fields have to do with authentication, and which file explains each."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable

from . import small
from .challenges import challenges
from .cookies import cookies, set_cookie
from .credentials import credentials
from .digest import authentication_info
from .note import NOTHING, Context, Note, shown

_EXPLAINERS: dict[str, Callable[[str, str, Context], list[Note]]] = {
    "authorization": credentials,
    "proxy-authorization": credentials,
    "www-authenticate": challenges,
    "proxy-authenticate": challenges,
    "authentication-info": authentication_info,
    "proxy-authentication-info": authentication_info,
    "cookie": cookies,
    "set-cookie": set_cookie,
    "otp": small.otp,
    "dpop": small.dpop,
    "dpop-nonce": small.dpop_nonce,
    "retry-after": small.retry_after,
    "cache-control": small.cache_control,
    "clear-site-data": small.clear_site_data,
}
_OFTEN_MISSPELT = {
    "authentication": "Authorization",
    "authenticate": "WWW-Authenticate",
    "authorisation": "Authorization",
    "auth": "Authorization",
    "x-authorization": "Authorization",
    "http-authorization": "Authorization",
    "www-authentication": "WWW-Authenticate",
    "www-authorization": "WWW-Authenticate",
    "proxy-authentication": "Proxy-Authorization",
    "proxy-authorisation": "Proxy-Authorization",
    "cookies": "Cookie",
    "set-cookies": "Set-Cookie",
}
_NEAR = ["authorization", "www-authenticate", "proxy-authorization", "set-cookie"]


def explain(name: str, value: str, context: Context = NOTHING) -> list[Note]:
    """Return the notes for one header field; an empty list if there is nothing to say about it.

    `name` matches in any case; `value` is the field's value, decoded as latin-1 as HTTP libraries
    do, or as the text a person pasted. Never raises.
    """
    explainer = _EXPLAINERS.get(name.strip().lower())
    if explainer is None:
        return []
    name = shown(name.strip())
    if not value.strip():
        return [Note(name, "", "The header is empty, so it says nothing.")]
    return explainer(name, value.strip(), context)


def is_auth_header(name: str) -> bool:
    """Say whether `explain` knows the header field of this name, in any case."""
    return name.strip().lower() in _EXPLAINERS


def known() -> list[str]:
    """Return the names of all header fields that `explain` knows, in small letters."""
    return list(_EXPLAINERS)


def meant(name: str) -> str:
    """Return the header that a misspelt name stands for, probably, or an empty text."""
    low = name.strip().lower()
    if is_auth_header(low):
        return ""
    if low in _OFTEN_MISSPELT:
        return _OFTEN_MISSPELT[low]
    if not re.fullmatch(r"[a-z-]{6,24}", low):
        return ""
    near = difflib.get_close_matches(low, _NEAR, 1, 0.86)
    return {"www-authenticate": "WWW-Authenticate"}.get(near[0], near[0].title()) if near else ""


def is_of_interest(name: str) -> bool:
    """Say whether a field may have to do with authentication, its name misspelt or home-made."""
    if len(name) > 64:
        return False
    copied = is_copy(name) or small.own_name(name)
    return is_auth_header(name) or bool(meant(name)) or copied


def is_copy(name: str) -> bool:
    """Say whether a header is a proxy's copy of `Authorization`: `X-Forwarded-Authorization`."""
    low = name.strip().lower()
    return low.endswith("-authorization") and not is_auth_header(low) and not meant(low)
