"""Basic (RFC 7617): the user name, a colon and the password, in base64."""

from __future__ import annotations

import base64
import binascii
import re

from .encoding import CUT, MASKED
from .note import Context, Note, Wrong, code, shown, wrongs

REALM = "the name of the part of the server that these credentials open (RFC 9110 11.5)."
CHALLENGE = {"realm": REALM}


def charset_text(value: str, source: str) -> str:
    """Explain `charset`, which Basic and Digest share."""
    if value.lower() != "utf-8":
        return f"only `UTF-8` is allowed here ({source})."
    return f"the client shall encode user name and password in UTF-8, normalised to NFC ({source})."


def credentials(header: str, token: str, context: Context) -> list[Note]:
    """Return the notes for what follows the word `Basic`."""

    def broken(text: str, *wrong: str | Wrong) -> list[Note]:
        first = wrongs(*wrong or (f"These Basic credentials can't be read: {text}",))
        return [
            Note(header, "", "Meant as Basic credentials (RFC 7617 2), but broken."),
            Note(header, shown(token), text, bool(token), 1, first),
        ]

    if not token:
        return broken("nothing follows the word `Basic`.")
    if MASKED.fullmatch(token):
        text = "masked by hand or by a program, so there is nothing to read."
        return [
            Note(header, "", "Basic credentials (RFC 7617 2), not shown."),
            Note(header, shown(token), text, False, 1),
        ]
    cut = CUT.search(token)
    if cut and not token[cut.end() :] and re.fullmatch(r"[A-Za-z0-9+/]*", token[: cut.start()]):
        return _cut_short(header, token, token[: cut.start()])
    wrong = re.search(r"[^A-Za-z0-9+/=]", token)
    if wrong:
        text = f"not base64: {code(wrong[0])} is not in its alphabet (RFC 4648 4)."
        return broken(text, _not_base64(token, wrong[0]) or f"What follows `Basic` is {text}")
    try:
        octets = base64.b64decode(token, validate=True)
    except binascii.Error:
        return broken("not base64: the length or the `=` padding at the end is wrong (RFC 4648 4).")
    pair, charset = _text(octets)
    user, colon, password = pair.partition(":")
    if not colon:
        twice = _decoded_again(pair)
        return broken(
            f"it decodes to {code(pair)}, but no colon parts a user name from a "
            "password (RFC 7617 2).",
            "The credentials are in base64 twice; once is right." if twice else None,
            None if twice else "No colon parts a user name from a password (RFC 7617 2).",
        )
    control = re.search(r"[\x00-\x1f\x7f]", pair)
    more = " Control characters in it are forbidden (RFC 7617 2)." if control else ""
    return [
        Note(
            header,
            "",
            "Basic credentials (RFC 7617 2): base64 is an encoding, not encryption, "
            "so anyone who sees this header has the password.",
            True,
        ),
        Note(
            header,
            shown(token),
            f"decodes to user name {code(user)} and password {code(password)}.",
            True,
            1,
            wrongs(_control(pair)),
        ),
        Note(
            header,
            "",
            "The first colon ends the user name, so only the password can contain "
            f"one. The octets are {charset} (RFC 7617 2.1).{more}",
            False,
            2,
        ),
    ]


def _text(octets: bytes) -> tuple[str, str]:
    if octets.isascii():
        return octets.decode(), "plain ASCII, which reads alike in UTF-8 and latin-1"
    try:
        return octets.decode("utf-8"), 'UTF-8, as `charset="UTF-8"` in a challenge asks'
    except UnicodeDecodeError:
        return octets.decode("latin-1"), "not UTF-8; they are read as latin-1 here"


def _control(pair: str) -> str | None:
    if pair.endswith(("\n", "\r")):
        return (
            "A line break stands at the end of the password: `echo` adds one, and "
            "`printf %s` or `echo -n` does not."
        )
    if pair[1:2] == "\0" and pair.count("\0") * 2 >= len(pair) - 1:
        return "The credentials were encoded as UTF-16; UTF-8 is right (RFC 7617 2.1)."
    if re.search(r"[\x00-\x1f\x7f]", pair):
        return "A control character stands in the credentials, which RFC 7617 2 forbids."
    return None


def _not_base64(token: str, first: str) -> str | None:
    quoted = re.fullmatch(r"(b?)(['\"])(.*)\2", token)
    if quoted and quoted[1]:
        return "Python's `b'…'` went along: decode the bytes to text before they are sent."
    if quoted:
        return "Quotation marks went along; the credentials stand without them."
    if first.isspace():
        return "The base64 has a blank or a line break in it; it must be one line (RFC 7617 2)."
    if first in ":@" or re.fullmatch(r"[^:]+:.+", token):
        return (
            "User name and password stand here as they are, probably; Basic wants them joined by "
            "a colon and in base64 (RFC 7617 2)."
        )
    if re.fullmatch(r"[A-Za-z0-9_-]+=*", token):
        return (
            "This is base64url, with `-` and `_`; Basic wants plain base64, with `+` and `/` "
            "(RFC 4648 4)."
        )
    if token.startswith("*"):
        return "The beginning is masked, probably by whoever showed it; the rest is no whole."
    return None


def _decoded_again(pair: str) -> bool:
    try:
        return b":" in base64.b64decode(pair.strip(), validate=True)
    except (binascii.Error, ValueError):
        return False


def _cut_short(header: str, token: str, start: str) -> list[Note]:
    octets = base64.b64decode(start[: len(start) // 4 * 4])
    user, colon, _ = octets.decode("utf-8", "ignore").partition(":")
    text = f"cut off; so far it decodes to {'user name ' if colon else ''}{code(user)}"
    return [
        Note(header, "", "Basic credentials (RFC 7617 2), of which the end is missing.", True),
        Note(header, shown(token), f"{text}.", True, 1),
    ]
