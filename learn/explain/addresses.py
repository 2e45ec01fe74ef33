"""Find tokens and passwords in addresses and in form bodies: `?access_token=…`, `user:pw@host`."""

from __future__ import annotations

import re
from urllib.parse import unquote, unquote_plus

from . import oidc
from .found import Found
from .note import Wrong, shown

_NAMES = (
    "access_token|refresh_token|id_token|id_token_hint|token|jwt|auth_token|api_key|apikey|"
    "client_secret|password|client_assertion|assertion|code|logout_token|subject_token"
)
_OTPAUTH = re.compile(r"otpauth://[th]otp/\S{0,300}?[?&]secret=([A-Za-z2-7=%]+)")
_QUERY = re.compile(rf"[?&#]({_NAMES})=([^&\s\"'<>#]+)", re.IGNORECASE)
_FORM = re.compile(r"[\w.%\[\]-]+=[^&\s]*(?:&[\w.%\[\]-]+=[^&\s]*)+")
_IN_FORM = re.compile(rf"(?:^|&)({_NAMES})=([^&\s]+)", re.IGNORECASE)
_USER = re.compile(r"\b([a-z][a-z0-9+.-]{1,12})://([^/\s:@\"']{1,200}):([^/\s@\"']{1,200})@", re.I)


def read(line: str, number: int) -> list[Found]:
    """Return the tokens and passwords in the addresses of a line, or in a form's body.

    An address of OpenID Connect comes as a whole.
    """
    found = []
    for address, kind, members in oidc.addresses_in(line):
        found.append(Found(kind, address, number, "oidc", content=members))
        line = line.replace(address, "")
    for match in _OTPAUTH.finditer(line):
        found.append(Found("secret", match[1], number, "token"))
    for match in _USER.finditer(line):
        said = (
            "A password stands in an address, where logs and shells keep it; programs make "
            "`Authorization: Basic` of it, and browsers mostly refuse to."
        )
        value = f"{shown(unquote(match[2]))}:{shown(unquote(match[3]))}"
        found.append(Found("address", value, number, "userinfo", (Wrong(said, False),)))
    if _FORM.fullmatch(line):
        return found + [
            Found(name, unquote_plus(value), number, "token")
            for name, value in _IN_FORM.findall(line)
        ]
    for name, value in _QUERY.findall(line):
        wrong: tuple[Wrong, ...] = ()
        if name.lower() != "code":
            said = (
                f"`{shown(name)}` stands in an address, which histories, logs and `Referer` keep "
                "(RFC 6750 5.3, RFC 9700 4.3.2)."
            )
            wrong = (Wrong(said, False),)
        found.append(Found(name, unquote(value), number, "token", wrong))
    return found
