"""Explain authentication headers, part by part.

Strategy
--------
A header goes in as the name and value that stood on the wire; a flat list of notes comes out, in
the order of the header. Nothing is sent, stored or printed here, and no input raises: a header
that is broken gets a note that says how.

* `_offers` reads the grammar that all schemes share (RFC 9110, 11.2 to 11.4): a scheme, then a
  token or a list of parameters. It is our own because a reader must see what Werkzeug's classes
  rightly drop: the spelling on the wire, a parameter sent twice, a second challenge in one value.
  What a part *means* is left to libraries: Werkzeug unquotes, PyJWT and itsdangerous verify.
* What a parameter or claim is for stands in tables. A function follows only where a note depends
  on the value: a digest is recomputed, a time is compared with now, a signature is verified.
* Every quotation from a header passes through `_shown`. A character that can't be printed, and
  the backtick, come out escaped (`\\x1b`, `\\x60`), and long values end in "…". So no value can
  talk to the terminal or leave its Markdown code span. Known passwords and keys are never quoted;
  HA1, which follows from a password, is quoted and marked as a secret.

Libraries are imported where they are used, since most commands of the workbench never need them.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
import time
import zlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple


@dataclass(frozen=True)
class Note:
    """One remark about one part of one header."""

    header: str  # field name as sent: "Authorization"
    part: str  # the piece explained, as it stands in the header; "" for the header as a whole
    text: str  # one or two sentences; `code` is the only Markdown in it
    secret: bool = False  # whoever sees this piece can act as the user
    depth: int = 0  # 0 the header as a whole, 1 its parts, 2 parts of parts


@dataclass(frozen=True)
class Context:
    """What the reader happens to know beside the header itself."""

    method: str | None = None  # of the request, for Digest's A2
    target: str | None = None  # request target, "/account?x=1"
    status: int | None = None  # of the response, if the header is from one
    passwords: Mapping[str, str] = field(default_factory=dict, repr=False)  # user name -> password
    keys: Sequence[str | bytes] = field(default=(), repr=False)  # HMAC keys that may have signed
    now: float | None = None  # POSIX seconds; None: the clock
    body: bytes | None = None  # of the message the header is from, for qop=auth-int
    authorization: str | None = field(default=None, repr=False)  # the request's, for rspauth

    def time(self) -> float:
        return time.time() if self.now is None else self.now


def explain(name: str, value: str, context: Context = Context()) -> list[Note]:
    """Return the notes for one header field; an empty list if there is nothing to say about it.

    `name` matches in any case; `value` is the field's value, decoded as latin-1 as HTTP libraries
    do, or as the text a person pasted. Never raises.
    """
    explainer = _EXPLAINERS.get(name.strip().lower())
    if explainer is None:
        return []
    name = _shown(name.strip())
    if not value.strip():
        return [Note(name, "", "The header is empty, so it says nothing.")]
    return explainer(name, value.strip(), context)


def is_auth_header(name: str) -> bool:
    """Say whether `explain` knows the header field of this name, in any case."""
    return name.strip().lower() in _EXPLAINERS


def explain_line(line: str, context: Context = Context()) -> list[Note]:
    """Return the notes for a header as a person pastes it.

    Takes a whole field (`authorization: Basic …`), its value alone (`Digest …`), a bare JWT or a
    bare session cookie; around it quotes, spaces, and the `>` or `<` of `curl -v`. A line break
    that is followed by a space continues the line. Raises ValueError, with a sentence for that
    person, if it is none of these.
    """
    text = re.sub(r"\r?\n[ \t]+", " ", line.strip())
    for _ in range(2):  # > "Authorization: …" and "> Authorization: …" alike
        text = re.sub(r"^[<>]\s+", "", text)
        if len(text) > 1 and text[0] + text[-1] in ('""', "''", "``", "“”", "‘’"):
            text = text[1:-1].strip()
    if "\n" in text or "\r" in text:
        raise ValueError("That is more than one line; paste one header at a time.")
    name, colon, value = text.partition(":")
    if colon and is_auth_header(name):
        notes = explain(name, value, context)
        if notes:
            return notes
        raise ValueError(f"`{_shown(name)}` with this value has nothing to do with authentication.")
    word = text.partition(" ")[0].lower()
    if word in {"basic", "digest", "bearer", *_OTHER_SCHEMES}:
        offers = _offers(text, many=True)
        given = {param.name for param in offers[0].params}
        sent = len(offers) == 1 and (offers[0].token or given & {"response", "username", "uri"})
        return explain("Authorization" if sent else "WWW-Authenticate", text, context)
    if _jwt_header(text) is not None:
        return explain("Authorization", f"Bearer {text}", context)
    if _session_payload(text) is not None:
        return explain("Cookie", f"session={text}", context)
    if colon and re.fullmatch(_TOKEN, name.strip()):
        problem = f"`{_shown(name)}` is not an authentication header."
    else:
        problem = "This is no authentication header." if text else "There is nothing to explain."
    raise ValueError(
        f"{problem} Paste one as curl -v or a browser shows it, such as "
        "`Authorization: Basic …`, `WWW-Authenticate: …` or `Cookie: session=…`, or a bare JWT."
    )


# --- quoting ----------------------------------------------------------------------------------

_MOST = 40  # parameters, claims or cookies of one header that get a note


def _shown(text: str, most: int = 60) -> str:
    """Return `text` fit for a terminal and for a Markdown code span, cut to `most` characters."""
    cut = text if len(text) <= most else text[: most - 1] + "…"
    return "".join(
        r"\x60" if c == "`" else c if c.isprintable() else c.encode("unicode_escape").decode()
        for c in cut
    )


def _code(value: object, most: int = 160) -> str:
    return f"`{_shown(str(value), most)}`" if str(value) else "the empty string"


def _text(value: str) -> str:
    """Undo the latin-1 in which HTTP libraries hand over UTF-8 octets, where that is what it is."""
    try:
        return value.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return value


def _span(seconds: float) -> str:
    """Return a duration in its two largest units: "2 min 59 s"."""
    left = int(seconds)
    words: list[str] = []
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min"), (1, "s")):
        count, left = divmod(left, size)
        if count or (unit == "s" and not words):
            words.append(f"{count} {unit}")
    return " ".join(words[:2])


def _utc(seconds: object) -> str | None:
    """Return a NumericDate (RFC 7519, 2) as UTC, or None for what is no number or no such year."""
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)):
        return None
    try:
        moment = datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(seconds=seconds)
    except (OverflowError, ValueError):
        return None
    return moment.replace(tzinfo=None).isoformat(" ", "seconds") + " UTC"


def _ago(seconds: float, now: float) -> str:
    return f"{_span(now - seconds)} ago" if seconds <= now else f"in {_span(seconds - now)}"


def _limited(header: str, notes: list[Note], depth: int, count: int) -> list[Note]:
    if count > _MOST:
        rest = f"…and {count - _MOST} more, not explained here."
        notes.append(Note(header, "", rest, False, depth))
    return notes


# --- the grammar of challenges and credentials (RFC 9110, 11.2 to 11.4) -----------------------

_TOKEN = r"[!#$%&'*+.^_|~0-9A-Za-z\x60-]+"
_TOKEN68 = re.compile(r"[A-Za-z0-9._~+/-]+=*")
_START = re.compile(rf"({_TOKEN})(?:[ \t]+(?![ \t=])|$)")
_PARAM = re.compile(rf"({_TOKEN})[ \t]*=[ \t]*(.*)", re.DOTALL)
_PIECE = re.compile(r'(?:"(?:\\.|[^"\\])*"?|[^,"])+', re.DOTALL)  # commas in quotes don't count


class _Param(NamedTuple):
    name: str  # in lower case; "" if the piece is no parameter at all
    value: str  # unquoted
    sent: str  # as it stands in the header
    problem: str = ""


@dataclass
class _Offer:
    """One challenge or one set of credentials: they share a grammar."""

    scheme: str
    token: str = ""
    params: list[_Param] = field(default_factory=list)

    def get(self, name: str) -> str | None:
        return next((param.value for param in self.params if param.name == name), None)


def _offers(value: str, many: bool) -> list[_Offer]:
    """Split a value into its challenges; with `many` false, a scheme can only stand first."""
    offers: list[_Offer] = []
    for piece in (found.strip(" \t") for found in _PIECE.findall(value)):
        start = _START.match(piece)
        if start and (many or not offers):
            offers.append(_Offer(start[1]))
            piece = piece[start.end() :].strip(" \t")
            if _TOKEN68.fullmatch(piece):
                offers[-1].token = piece
                continue
        if not offers:
            offers.append(_Offer(""))
        if piece:
            offers[-1].params.append(_param(piece))
    return offers or [_Offer("")]


def _param(piece: str) -> _Param:
    from werkzeug.http import parse_dict_header, unquote_header_value

    match = _PARAM.fullmatch(piece)
    if match is None:
        return _Param("", "", piece, "this is no `name=value` pair, so it can't be read.")
    name, raw = match[1].lower(), match[2].strip(" \t")
    if raw.startswith('"') and re.fullmatch(r'"(?:\\.|[^"\\])*"', raw, re.DOTALL) is None:
        return _Param(name, raw.strip('"'), piece, "the quotation marks are not in pairs.")
    if name.endswith("*"):  # RFC 8187, for Digest's username*
        return _Param(name, (parse_dict_header(f"{name}={raw}").get(name[:-1])) or "", piece)
    return _Param(name, unquote_header_value(raw), piece)


def _param_notes(
    header: str, offer: _Offer, depth: int, say: Callable[[_Param], str | list[Note]]
) -> list[Note]:
    """One note per parameter: what `say` knows about it, and whether it was sent twice."""
    notes: list[Note] = []
    seen: set[str] = set()
    for param in offer.params[:_MOST]:
        if param.problem or param.name in seen:
            text = param.problem or (
                f"`{_shown(param.name)}` a second time, which RFC 9110 11.2 forbids. "
                "Which one counts depends on the server, so don't rely on either."
            )
            notes.append(Note(header, _shown(param.sent), text, False, depth))
        else:
            said = say(param)
            if isinstance(said, str):
                said = [Note(header, _shown(param.sent), said, False, depth)]
            notes += said
        seen.add(param.name or param.sent)
    return _limited(header, notes, depth, len(offer.params))


# --- challenges -------------------------------------------------------------------------------

_OTHER_SCHEMES = {
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
}

_REALM = "the name of the part of the server that these credentials open (RFC 9110 11.5)."

_BASIC_CHALLENGE = {"realm": _REALM}

_ERRORS = {
    "invalid_request": "the request was malformed, or sent the token in two ways at once; "
    "the status that goes with it is 400",
    "invalid_token": "the token is expired, revoked, malformed or otherwise unusable; "
    "the status that goes with it is 401, and the client may ask for a new one",
    "insufficient_scope": "the token is fine but does not allow this; "
    "the status that goes with it is 403",
}

_BEARER_CHALLENGE = {
    "realm": _REALM,
    "scope": "what a token must allow to be good here, words separated by spaces (RFC 6750 3).",
    "error_description": "the reason in words, for a developer and not for a user (RFC 6750 3).",
    "error_uri": "a page that explains the error (RFC 6750 3).",
    "resource_metadata": "where a client learns who issues tokens for this server (RFC 9728 5.1).",
}

_DIGEST_CHALLENGE = {
    "realm": "the name of the part of the server that these credentials open; it goes into HA1 "
    "(RFC 7616 3.3).",
    "domain": "the addresses for which the same credentials hold; without it, the whole server "
    "(RFC 7616 3.3).",
    "nonce": "a value the server made for this challenge; the client hashes it in, so a server "
    "that checks its nonces can refuse an old response (RFC 7616 3.3).",
    "opaque": "a string the client sends back unchanged; it means something to the server alone "
    "(RFC 7616 3.3).",
}


def _challenges(header: str, value: str, context: Context) -> list[Note]:
    offers = _offers(value, many=True)
    if len(offers) == 1:
        return _challenge(header, offers[0], 0, context)
    names = ", ".join(f"`{_shown(offer.scheme)}`" for offer in offers[:8])
    notes = [
        Note(
            header,
            "",
            f"{len(offers)} challenges in one header: {names}. "
            "The client answers one that it supports (RFC 9110 11.6.1).",
        )
    ]
    for offer in offers[:_MOST]:
        notes += _challenge(header, offer, 1, context)
    return _limited(header, notes, 1, len(offers))


def _challenge(header: str, offer: _Offer, depth: int, context: Context) -> list[Note]:
    scheme = offer.scheme.lower()
    known = {"basic": _BASIC_CHALLENGE, "digest": _DIGEST_CHALLENGE, "bearer": _BEARER_CHALLENGE}
    head = {
        "": "No scheme stands at the start, so no client can answer (RFC 9110 11.3).",
        "basic": "A challenge: the server asks for a user name and a password, which Basic sends "
        "readable to anyone who sees the request (RFC 7617).",
        "digest": "A challenge: the server asks for a hash over the password and this nonce, so "
        "the password itself is never sent (RFC 7616 3.3).",
        "bearer": "A challenge: the server asks for a token, which whoever holds it can use "
        "(RFC 6750 3).",
    }.get(scheme) or f"A challenge of the scheme {_scheme(offer.scheme)}."
    if depth == 0 and context.status not in (None, 401, 407):
        head += f" With {context.status} it hints that other credentials might change the answer."
    notes = [Note(header, _shown(offer.scheme) if depth else "", head, False, depth)]
    if offer.token:
        notes.append(
            Note(
                header,
                _shown(offer.token),
                "data of this scheme's own, in a form only it defines (RFC 9110 11.2).",
                False,
                depth + 1,
            )
        )

    def say(param: _Param) -> str:
        value = param.value.lower()
        if scheme == "basic" and param.name == "charset":
            return _charset(value, "RFC 7617 2.1")
        if scheme == "bearer" and param.name == "error":
            meaning = _ERRORS.get(param.value, "a code that RFC 6750 does not define")
            return f"{meaning} (RFC 6750 3.1)."
        if scheme == "digest" and param.name in _CHOICES:
            return _digest_choice(param.name, param.value)
        text = known.get(scheme, {"realm": _REALM}).get(param.name)
        if text is None and scheme not in known:
            return "a parameter of this scheme, which is not explained here."
        if text is None:
            return f"no parameter known here for {_code(offer.scheme)}; clients ignore such ones."
        if scheme == "digest" and param.name == "nonce":
            text += _nonce_time(param.value, context)
        return text

    notes += _param_notes(header, offer, depth + 1, say)
    needs = {"basic": ("realm",), "digest": ("realm", "nonce", "qop")}.get(scheme, ())
    return notes + _missing(header, offer, needs, depth + 1)


def _scheme(name: str) -> str:
    about = _OTHER_SCHEMES.get(name.lower())
    return f"{_code(name)}: {about}" if about else f"{_code(name)}, which is not known here"


def _charset(value: str, source: str) -> str:
    if value != "utf-8":
        return f"only `UTF-8` is allowed here ({source})."
    return f"the client shall encode user name and password in UTF-8, normalised to NFC ({source})."


def _missing(header: str, offer: _Offer, names: Sequence[str], depth: int) -> list[Note]:
    lost = [f"`{name}`" for name in names if offer.get(name) is None]
    if not lost or len(offer.params) > _MOST:
        return []
    text = f"Missing, though the scheme asks for it: {', '.join(lost)}."
    if "`qop`" in lost:
        text += " Without `qop` the response is that of RFC 2069, with no cnonce and no nc."
    return [Note(header, "", text, False, depth)]


# --- credentials ------------------------------------------------------------------------------


def _credentials(header: str, value: str, context: Context) -> list[Note]:
    scheme, _, rest = value.partition(" ")
    rest = rest.strip()
    if scheme.lower() == "basic":
        return _basic(header, rest)
    if scheme.lower() == "bearer":
        return _bearer(header, rest, context)
    offer = _offers(value, many=False)[0]
    if scheme.lower() == "digest":
        return _digest(header, offer, context)
    if not offer.scheme:
        return [
            Note(
                header,
                "",
                "No scheme stands at the start, so no server can tell what this "
                "is (RFC 9110 11.4).",
            )
        ]
    notes = [Note(header, "", f"Credentials of the scheme {_scheme(offer.scheme)}.")]
    if offer.token:
        notes.append(
            Note(
                header,
                _shown(offer.token),
                "data of this scheme's own; treat it as a secret.",
                True,
                1,
            )
        )
    return notes + _param_notes(header, offer, 1, lambda param: "a parameter of this scheme.")


def _basic(header: str, token: str) -> list[Note]:
    """RFC 7617: the user name, a colon and the password, in base64."""

    def broken(text: str) -> list[Note]:
        return [
            Note(header, "", "Meant as Basic credentials (RFC 7617 2), but broken."),
            Note(header, _shown(token), text, bool(token), 1),
        ]

    if not token:
        return broken("nothing follows the word `Basic`.")
    wrong = re.search(r"[^A-Za-z0-9+/=]", token)
    if wrong:
        return broken(f"not base64: {_code(wrong[0])} is not in its alphabet (RFC 4648 4).")
    try:
        octets = base64.b64decode(token, validate=True)
    except binascii.Error:
        return broken("not base64: the length or the `=` padding at the end is wrong (RFC 4648 4).")
    try:
        pair, charset = octets.decode("utf-8"), 'UTF-8, as `charset="UTF-8"` in a challenge asks'
    except UnicodeDecodeError:
        pair, charset = octets.decode("latin-1"), "not UTF-8; they are read as latin-1 here"
    if octets.isascii():
        charset = "plain ASCII, which reads alike in UTF-8 and latin-1"
    user, colon, password = pair.partition(":")
    if not colon:
        return broken(
            f"it decodes to {_code(pair)}, but no colon parts a user name from a "
            "password (RFC 7617 2)."
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
            _shown(token),
            f"decodes to user name {_code(user)} and password {_code(password)}.",
            True,
            1,
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


# --- Digest (RFC 7616) ------------------------------------------------------------------------

_DIGEST_CREDENTIALS = {
    "realm": "the realm of the challenge, sent back; it goes into HA1 (RFC 7616 3.4.2).",
    "nonce": "the server's nonce, sent back; a server that checks it refuses one it did not make "
    "or no longer accepts (RFC 7616 3.4).",
    "opaque": "sent back as it came in the challenge (RFC 7616 3.4).",
    "cnonce": "the client's own nonce; with it in the hash, a server can't prepare a table of "
    "answers for one chosen nonce (RFC 7616 5.10).",
}

_HASHES: dict[str, Callable[[bytes], Any]] = {
    "MD5": lambda octets: hashlib.md5(octets, usedforsecurity=False),
    "SHA-256": hashlib.sha256,
    "SHA-512-256": lambda octets: hashlib.new("sha512_256", octets),
}


_CHOICES = ("algorithm", "qop", "charset", "stale", "userhash")


def _digest_choice(name: str, value: str) -> str:
    """Explain the parameters whose value is one of few, in challenges and credentials alike."""
    low = value.lower()
    if name == "algorithm":
        base = low[:-5] if low.endswith("-sess") else low
        if base.upper() not in _HASHES:
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
        return _charset(low, "RFC 7616 4")
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


class _Proof(NamedTuple):
    ha1: str
    ha2: str
    response: str


def _prove(
    given: Mapping[str, str],
    user: str,
    password: str,
    method: str,
    body: bytes | None,
    hashed: Callable[[bytes], str],
    charset: str,
) -> _Proof:
    """Compute what RFC 7616, 3.4.1 to 3.4.3 define; without qop, what RFC 2069 did.

    `given` holds realm, nonce, uri and, where sent, algorithm, qop, nc and cnonce. An empty
    `method` gives rspauth instead of response (3.5). Raises UnicodeEncodeError if `charset` can't
    hold the text.
    """

    def h(*pieces: str) -> str:
        return hashed(":".join(pieces).encode(charset))

    nonce, cnonce, qop = given["nonce"], given.get("cnonce", ""), given.get("qop", "")
    ha1 = h(user, given["realm"], password)
    if given.get("algorithm", "").lower().endswith("-sess"):
        ha1 = h(ha1, nonce, cnonce)
    covered = [method, given["uri"]]
    if qop.lower() == "auth-int":
        covered.append(hashed(body or b""))
    ha2 = h(*covered)
    middle = [nonce, given.get("nc", ""), cnonce, qop] if qop else [nonce]
    return _Proof(ha1, ha2, h(ha1, *middle, ha2))


def _ways(algorithm: str) -> list[tuple[Callable[[bytes], str], str, str]]:
    """The ways clients compute a Digest: hash function, charset, and what is odd about it."""
    name = re.sub("-SESS$", "", algorithm.upper())
    if name not in _HASHES:
        return []

    def plain(octets: bytes) -> str:
        return str(_HASHES[name](octets).hexdigest())

    ways: list[tuple[Callable[[bytes], str], str, str]]
    ways = [(plain, "utf-8", ""), (plain, "latin-1", ", in latin-1 rather than UTF-8")]
    if name == "SHA-512-256":
        ways.append(
            (
                lambda octets: hashlib.sha512(octets).hexdigest()[:64],
                "utf-8",
                ", but with SHA-512 cut to 256 bits as in RFC 7616's own example, where "
                "SHA-512/256 is meant (reported erratum 4897)",
            )
        )
    return ways


def _user(given: Mapping[str, str], context: Context) -> str | None:
    """Return the user name, found among the known ones if it was sent as a hash."""
    sent = given.get("username*", given.get("username"))
    if sent is None or given.get("userhash", "").lower() != "true":
        return sent
    for hashed, charset, _ in _ways(given.get("algorithm", "MD5")):
        for user in context.passwords:
            try:
                if hashed(f"{user}:{given.get('realm', '')}".encode(charset)) == sent.lower():
                    return user
            except ValueError:  # a charset too small, or no such hash in this OpenSSL
                continue
    return None


def _verdict(
    header: str,
    param: _Param,
    given: dict[str, str],
    context: Context,
    method: str | None,
    about: str,
    depth: int,
) -> list[Note]:
    """Recompute `response` or `rspauth` where everything needed is known, and say how it went."""
    user, algorithm = _user(given, context), given.get("algorithm", "MD5")
    password = context.passwords.get(user) if user is not None else None
    qop = given.get("qop", "")

    def note(text: str) -> list[Note]:
        return [Note(header, _shown(param.sent), f"{about} {text}", False, depth)]

    needed = ("realm", "nonce", "uri", "nc", "cnonce")[: 5 if qop else 3]
    lost = [name for name in needed if name not in given]
    if lost:
        return note(f"Not recomputed here: {', '.join(f'`{name}`' for name in lost)} is not known.")
    if password is None:
        return note(
            "Without the password it can't be recomputed here, but whoever sees this "
            "header can try passwords offline until one gives this value (RFC 7616 5.7)."
        )
    if method is None:
        return note("Not recomputed here: the method of the request is not known.")
    if qop.lower() == "auth-int" and context.body is None:
        return note("Not recomputed here: `auth-int` covers the body, which is not known.")
    first: _Proof | None = None
    for hashed, charset, odd in _ways(algorithm):
        try:
            proof = _prove(given, user or "", password, method, context.body, hashed, charset)
        except ValueError:
            continue
        first = first or proof
        if proof.response == param.value.lower():
            if proof.response != param.value:
                odd += ", apart from capital letters where RFC 7616 has small ones"
            return note(f"Recomputed from the password: it matches{odd}.") + _halves(
                header, proof, given, method, depth + 1
            )
    if first is None:
        return note(
            "Not recomputed here: the algorithm, or a character in a value, is out of reach."
        )
    return note(
        f"Recomputed from the password of {_code(user)}: it does not match; "
        f"`{first.response}` would. The password or one of the hashed values differs."
    )


def _halves(
    header: str, proof: _Proof, given: Mapping[str, str], method: str, depth: int
) -> list[Note]:
    h = re.sub("-SESS$", "", given.get("algorithm", "MD5").upper())
    sess = given.get("algorithm", "").lower().endswith("-sess")
    qop = given.get("qop", "")
    inner = f"{h}(username:realm:password)"
    a1 = f"{h}({inner}:nonce:cnonce)" if sess else inner
    a2 = f"{h}({method}:{given['uri']}{f':{h}(body)' if qop.lower() == 'auth-int' else ''})"
    whole = f"{h}(HA1:nonce:{'nc:cnonce:qop:' if qop else ''}HA2)"
    good = (
        "as good as the password while this nonce lives"
        if sess
        else ("as good as the password in this realm")
    )
    return [
        Note(
            header,
            "",
            f"HA1 = {_code(a1)} = `{proof.ha1}`; {good} (RFC 7616 3.4.2, 5.2).",
            True,
            depth,
        ),
        Note(
            header,
            "",
            f"HA2 = {_code(a2)} = `{proof.ha2}`; the value is {_code(whole)} "
            f"(RFC 7616 3.4.1, {'3.4.3' if method else '3.5: a response has no method'}).",
            False,
            depth,
        ),
    ]


def _digest(header: str, offer: _Offer, context: Context) -> list[Note]:
    given = {name: _text(offer.get(name) or "") for name in {p.name for p in offer.params}}
    hidden = given.get("userhash", "").lower() == "true"

    def say(param: _Param) -> str | list[Note]:
        name, value = param.name, _text(param.value)
        if name in _CHOICES and name != "stale":
            return _digest_choice(name, value)
        if name in ("username", "username*"):
            if hidden:
                user = _user(given, context)
                found = f"the one of {_code(user)}" if user else "of none that is known here"
                return f"a hash of user name and realm, {found} (RFC 7616 3.4.4)."
            form = ", as UTF-8 in percent-encoding" if name.endswith("*") else ""
            return f"the user name {_code(value)}{form}; it stands here readable (RFC 7616 3.4)."
        if name == "uri":
            return _digest_uri(value, context)
        if name == "nc":
            if re.fullmatch(r"[0-9a-fA-F]{8}", value) is None:
                return "the count must be eight hex digits; this is not (RFC 7616 3.4)."
            return (
                f"use number {int(value, 16)} of this nonce, counted in hex; a server that "
                "remembers counts refuses one it has seen, which stops replay (RFC 7616 3.4)."
            )
        if name == "response":
            return _verdict(
                header,
                param,
                given,
                context,
                context.method,
                "the proof that the client knows the password, which is not sent.",
                1,
            )
        text = _DIGEST_CREDENTIALS.get(name)
        if text is None:
            return "not a parameter that RFC 7616 knows; a server ignores it."
        return text + (_nonce_time(value, context) if name == "nonce" else "")

    notes = [
        Note(
            header,
            "",
            "Digest credentials (RFC 7616 3.4): a hash takes the place of the "
            "password. Whether a copy of it works again depends on what the server checks.",
        )
    ]
    notes += _param_notes(header, offer, 1, say)
    who = () if "username*" in given else ("username",)
    full = ("nc", "cnonce") if "qop" in given else ("qop",)
    return notes + _missing(header, offer, (*who, "realm", "nonce", "uri", *full, "response"), 1)


def _digest_uri(value: str, context: Context) -> str:
    text = "the address the client asked for, part of the hash"
    if context.target is None:
        return f"{text}; a server must compare it with the request target (RFC 7616 3.4.6)."
    absolute = context.target.startswith("http")
    path = value if absolute else re.sub(r"^https?://[^/?]*", "", value)
    if path == context.target:
        return f"{text}; it is the request target, as it must be (RFC 7616 3.4.6)."
    return (
        f"{text}; but the request target is {_code(context.target)}, and a server that checks "
        "refuses that (RFC 7616 3.4.6)."
    )


def _nonce_time(nonce: str, context: Context) -> str:
    signed = _signed_at(nonce, context)
    return (
        ""
        if signed is None
        else (
            f" It has the form that itsdangerous signs; read so, it was made {_utc(signed)}, "
            f"{_ago(signed, context.time())}."
        )
    )


def _authentication_info(header: str, value: str, context: Context) -> list[Note]:
    """RFC 7616, 3.5: the server's proof, and the next nonce."""
    pieces = [piece.strip(" \t") for piece in _PIECE.findall(value)]
    offer = _Offer("", "", [_param(piece) for piece in pieces if piece])
    sent = _offers(context.authorization or "", many=False)[0]
    given = {p.name: _text(p.value) for p in sent.params if sent.scheme.lower() == "digest"}
    own = ("qop", "nc", "cnonce")
    given.update((p.name, _text(p.value)) for p in offer.params if p.name in own)

    def say(param: _Param) -> str | list[Note]:
        if param.name == "rspauth":
            return _verdict(
                header,
                param,
                given,
                context,
                "",
                "the server's proof that it knows the secret too.",
                1,
            )
        if param.name == "qop":
            return _digest_choice("qop", param.value)
        return {
            "nextnonce": "the nonce the client shall use from now on (RFC 7616 3.5).",
            "cnonce": "the client's nonce, sent back, so this answers that request (RFC 7616 3.5).",
            "nc": "the client's count, sent back, so this answers that request (RFC 7616 3.5).",
        }.get(param.name, "not a parameter that RFC 7616 knows.")

    return [
        Note(
            header,
            "",
            "Sent after a successful login; with Digest, the client can check "
            "who answered (RFC 7616 3.5).",
        ),
        *_param_notes(header, offer, 1, say),
    ]


# --- Bearer tokens and JWTs (RFC 6750, 7519) --------------------------------------------------

_JOSE = {
    "typ": "what kind of token this is (RFC 7519 5.1).",
    "cty": "what the payload is; `JWT` means another JWT inside (RFC 7519 5.2).",
    "kid": "which key signed; chosen by the sender, so look it up and never trust it "
    "(RFC 7515 4.1.4, RFC 8725 3.10).",
    "jku": "an address with keys; a server that follows it lets the sender choose the key "
    "(RFC 7515 4.1.2, RFC 8725 3.10).",
    "x5u": "an address with a certificate; a server that follows it lets the sender choose the "
    "key (RFC 7515 4.1.5, RFC 8725 3.10).",
    "jwk": "a public key; a server that trusts it lets the sender choose the key (RFC 7515 4.1.3).",
    "crit": "extensions; a server that can't handle one must refuse the token (RFC 7515 4.1.11).",
    "enc": "how the content is encrypted (RFC 7516 4.1.2).",
}

_CLAIMS = {
    "iss": "issuer, who made the token (RFC 7519 4.1.1).",
    "sub": "subject, whom the token is about (RFC 7519 4.1.2).",
    "aud": "audience; a server that is not named must refuse the token (RFC 7519 4.1.3).",
    "jti": "the token's own name, by which a server can revoke it or notice a replay "
    "(RFC 7519 4.1.7).",
    "scope": "what the token allows, words separated by spaces (RFC 8693 4.2).",
    "client_id": "the client the token was made for (RFC 8693 4.3).",
}


def _unbase64url(text: str) -> bytes | None:
    """Decode base64url without padding (RFC 7515, 2), or return None."""
    if re.fullmatch(r"[A-Za-z0-9_-]*", text) is None or len(text) % 4 == 1:
        return None
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _json_object(octets: bytes | None) -> tuple[dict[str, Any], list[str]] | None:
    """Return a JSON object and the names that occur twice in it, or None if it is no object."""
    twice: list[str] = []

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        twice[:] = [name for name, count in Counter(n for n, _ in pairs).items() if count > 1]
        return dict(pairs)  # the outermost object comes last, so `twice` ends up being its own

    try:
        found = json.loads((octets or b"").decode("utf-8"), object_pairs_hook=members)
    except (ValueError, RecursionError):
        return None
    return (found, twice) if isinstance(found, dict) else None


def _jwt_header(token: str) -> tuple[dict[str, Any], list[str]] | None:
    """Return the JOSE header if `token` looks like a JWT: dots, and an object with `alg` first."""
    first, dot, _ = token.partition(".")
    found = _json_object(_unbase64url(first)) if dot else None
    return found if found and "alg" in found[0] else None


def _bearer(header: str, token: str, context: Context) -> list[Note]:
    if not token:
        return [Note(header, "", "Meant as a Bearer token (RFC 6750 2.1), but none follows.")]
    notes = [
        Note(
            header,
            "",
            "A Bearer token (RFC 6750 2.1): whoever holds it can use it, with no "
            "password and no proof of who they are.",
            True,
        )
    ]
    if _jwt_header(token) is not None:
        return notes + _jwt(header, token, context, 1)
    if _TOKEN68.fullmatch(token) is None:
        text = "has characters that a Bearer token can't have (RFC 6750 2.1)."
    elif token.startswith("eyJ"):
        text = "begins like a JWT, but its first part is no JSON header with `alg`, so it is none."
    else:
        text = "opaque: no JWT, so it means something only to the server that keeps it."
    return [*notes, Note(header, _shown(token), text, True, 1)]


def _jwt(header: str, token: str, context: Context, depth: int) -> list[Note]:
    """The notes for a token that `_jwt_header` accepts."""
    parts = token.split(".")
    jose, twice = _jwt_header(token) or ({}, [])

    def note(part: str, text: str, deeper: int = 0, secret: bool = False) -> Note:
        return Note(header, _shown(part), text, secret, depth + deeper)

    def listed(
        members: dict[str, Any], twice: list[str], say: Callable[[str, Any], str]
    ) -> list[Note]:
        notes = [
            note(
                n,
                say(n, v)
                + (
                    " It occurs twice; the last one is read here (RFC 7519 4)."
                    if n in twice
                    else ""
                ),
                1,
            )
            for n, v in list(members.items())[:_MOST]
        ]
        return _limited(header, notes, depth + 1, len(members))

    def jose_text(name: str, value: Any) -> str:
        if name == "alg":
            return _alg(value, encrypted=len(parts) == 5)
        known = _JOSE.get(name, "not a member that is known here.")
        return f"{_code(_json(value))}: {known}"

    if len(parts) == 5:
        return [
            note(
                token,
                "An encrypted token (JWE, RFC 7516) in five parts; only the first, the "
                "header, is readable.",
                secret=True,
            ),
            *listed(jose, twice, jose_text),
        ]
    notes = [
        note(
            token,
            "A JWT (RFC 7519): header, payload and signature, parted by dots. It is "
            "signed, not encrypted, so anyone can read it.",
            secret=True,
        )
    ]
    if str(jose["alg"]).lower() == "none":
        notes = [
            note(
                token,
                "A JWT (RFC 7519) that nobody signed: anyone can read it, and anyone "
                "can have written it.",
                secret=True,
            )
        ]
    if len(parts) != 3:
        notes.append(note("", f"It is broken: a JWT has three parts, this has {len(parts)}."))
    notes += [note(parts[0], "the header, JSON in base64url."), *listed(jose, twice, jose_text)]
    claims = _json_object(_unbase64url(parts[1]))
    if claims is None:
        notes.append(
            note(
                parts[1],
                "the payload, but it is no JSON object in base64url, so there "
                "are no claims (RFC 7519 7.2).",
            )
        )
    else:
        notes.append(note(parts[1], "the payload, JSON in base64url: the claims."))
        notes += listed(*claims, lambda name, value: _claim(name, value, context.time()))
    if len(parts) == 3:
        notes.append(note(parts[2], _signature(parts, jose["alg"], context.keys)))
    return notes


def _json(value: Any) -> str:
    try:
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    except RecursionError:
        return "(nested too deeply to show)"


def _alg(value: Any, encrypted: bool) -> str:
    if encrypted:
        return f"{_code(_json(value))}: how the key of the content is protected (RFC 7516 4.1.1)."
    if str(value).lower() == "none":
        return (
            "NO SIGNATURE AT ALL: a server that accepts `none` lets anyone be anyone "
            "(RFC 7519 6, RFC 8725 3.1, 3.2)."
        )
    kind = {
        "HS": "HMAC, where whoever can verify can also sign",
        "RS": "RSA, signed with a private key",
        "PS": "RSA-PSS, signed with a private key",
        "ES": "ECDSA, signed with a private key",
        "Ed": "EdDSA, signed with a private key",
    }.get(str(value)[:2], "not known here")
    return (
        f"{_code(_json(value))}, how it is signed: {kind}. The server must have chosen it "
        "beforehand and not read it from here (RFC 7515 4.1.1, RFC 8725 3.1)."
    )


def _claim(name: str, value: Any, now: float) -> str:
    quoted = _code(_json(value))
    if name not in ("exp", "nbf", "iat"):
        return f"{quoted}: {_CLAIMS.get(name, 'a claim that RFC 7519 does not define.')}"
    source = {"exp": "RFC 7519 4.1.4", "nbf": "RFC 7519 4.1.5", "iat": "RFC 7519 4.1.6"}[name]
    moment = _utc(value)
    if moment is None:
        return f"{quoted}: must be a number of seconds since 1970; this can't be one ({source})."
    when = f"{moment}, {_ago(value, now)}"
    if name == "exp":
        return f"{quoted}: {'expired' if value <= now else 'expires'} {when} ({source})."
    if name == "nbf":
        word = "valid from" if value <= now else "not valid before"
        return f"{quoted}: {word} {when} ({source})."
    odd = "; a time to come is odd" if value > now else ""
    return f"{quoted}: issued {when}{odd} ({source})."


def _signature(parts: list[str], alg: Any, keys: Sequence[str | bytes]) -> str:
    if str(alg).lower() == "none":
        return (
            "the place of the signature, empty as `none` has it (RFC 7519 6.1)."
            if not parts[2]
            else "the place of the signature, which `none` must leave empty; this is not."
        )
    signature = _unbase64url(parts[2])
    if not signature:
        return "the signature, but it is empty or no base64url, so it can't be right."
    if alg not in ("HS256", "HS384", "HS512"):
        return "the signature; to verify it takes a public key, which is not done here."
    if not keys:
        return "the signature; to verify it takes the key, which is not known here."
    import jwt

    hmac = jwt.get_algorithm_by_name(alg)
    signed = f"{parts[0]}.{parts[1]}".encode("utf-8", "surrogatepass")
    for key in keys:
        try:
            prepared = hmac.prepare_key(key)
        except (jwt.InvalidKeyError, ValueError):
            continue
        if hmac.verify(signed, prepared, signature):
            weak = len(prepared) < int(alg[2:]) // 8
            return "the signature: it matches a known key" + (
                f", which is shorter than the {int(alg[2:]) // 8} bytes that RFC 7518 3.2 asks for."
                if weak
                else ", so nobody without that key has changed a claim (RFC 7515 5.2)."
            )
    return "the signature: it does not match any key known here; the token or the key is another."


# --- cookies (RFC 6265), and Flask's session in one -------------------------------------------

_ATTRIBUTES = {
    "httponly": "scripts in the page can't read the cookie (RFC 6265 4.1.2.6).",
    "secure": "the browser sends it over secure channels only (RFC 6265 4.1.2.5).",
    "path": "the browser sends it for this path and below (RFC 6265 4.1.2.4).",
    "domain": "the browser sends it to this host and its subdomains (RFC 6265 4.1.2.3).",
    "partitioned": "kept apart for each site that embeds this one.",
}

_SAMESITE = {
    "strict": "never sent with requests that another site starts.",
    "lax": "from another site, sent only when the user follows a link there.",
    "none": "sent with requests from other sites too; browsers then want `Secure`.",
}


def _session_payload(value: str) -> str | None:
    """Return the JSON that a value of itsdangerous's URLSafeTimedSerializer carries, or None."""
    packed = value.startswith(".")
    parts = value[packed:].split(".")
    octets = _unbase64url(parts[0]) if len(parts) == 3 and parts[0] else None
    if octets is None or not (_unbase64url(parts[1]) and _unbase64url(parts[2])):
        return None
    if packed:
        try:  # at most a megabyte: a small cookie can unpack to a very large one
            octets = zlib.decompressobj().decompress(octets, 1 << 20)
        except zlib.error:
            return None
    return octets.decode("utf-8") if _json_object(octets) is not None else None


def _signed_at(value: str, context: Context) -> int | None:
    """Return the time in "payload.time.signature", or None if it is not one after itsdangerous."""
    parts = value.rsplit(".", 2)
    stamp = _unbase64url(parts[1]) if len(parts) == 3 else None
    signature = _unbase64url(parts[2]) if stamp else None
    if not stamp or len(stamp) > 5 or len(signature or b"") not in (20, 32, 48, 64):
        return None
    seconds = int.from_bytes(stamp, "big")
    return seconds if 1_300_000_000 < seconds < context.time() + 86400 else None


def _cookies(header: str, value: str, context: Context) -> list[Note]:
    pairs = [pair.strip() for pair in value.split(";") if pair.strip()]
    notes = [
        Note(
            header,
            "",
            "The browser sends back what the server had it store, with every "
            "request (RFC 6265 4.2).",
        )
    ]
    for pair in pairs[:_MOST]:
        notes += _cookie(header, pair, context)
    return _limited(header, notes, 1, len(pairs))


def _cookie(header: str, pair: str, context: Context) -> list[Note]:
    from werkzeug.sansio.http import parse_cookie

    name, equals, value = pair.partition("=")
    try:
        value = parse_cookie(f"x={value.strip()}").get("x", value)
    except UnicodeError:
        pass  # octets that are no text: explained as they stand
    if not equals:
        return [
            Note(
                header,
                _shown(pair),
                "no `name=value` pair, so servers read it differently.",
                False,
                1,
            )
        ]
    if _jwt_header(value) is not None:
        return _jwt(header, value, context, 1)
    payload = _session_payload(value)
    if payload is not None:
        return _session(header, pair, value, payload, context)
    if name.strip() == "session" and value:
        text = "the name of Flask's session cookie, but in no form that can be opened here."
    else:
        text = "a value that only the server can read a meaning into."
    return [
        Note(
            header,
            _shown(pair),
            text + " If it stands for a login, whoever copies it is that user."
            if value
            else "empty: nothing is stored under this name.",
            False,
            1,
        )
    ]


def _session(header: str, pair: str, value: str, payload: str, context: Context) -> list[Note]:
    from itsdangerous import BadSignature, TimestampSigner

    verdict = "the signature; to verify it takes the server's `SECRET_KEY`, not known here."
    if context.keys:
        verdict = "the signature: it does not match any key known here."
    for key in context.keys:
        octets = key.encode("utf-8", "surrogatepass") if isinstance(key, str) else key
        # salt and key derivation as in flask.sessions.SecureCookieSessionInterface
        signer = TimestampSigner(
            octets, salt="cookie-session", key_derivation="hmac", digest_method=hashlib.sha1
        )
        try:
            signer.unsign(value)
        except BadSignature:
            continue
        verdict = "the signature: it matches a known key, so only its holder can have written this."
    data, stamp, signature = value.rsplit(".", 2)
    signed = _signed_at(value, context)
    when = (
        "no time that could be right"
        if signed is None
        else (f"signed {_utc(signed)}, {_ago(signed, context.time())}")
    )
    packed = " (the leading dot says: compressed)" if value.startswith(".") else ""
    return [
        Note(
            header,
            _shown(pair),
            "Flask's session cookie, or one made like it: signed, not "
            "encrypted, so anyone can read it. Whoever copies it holds the session.",
            True,
            1,
        ),
        Note(header, _shown(data), f"the session{packed}: {_code(payload)}.", False, 2),
        Note(header, _shown(stamp), f"{when}; the server checks the age against this.", False, 2),
        Note(header, _shown(signature), verdict, False, 2),
    ]


def _set_cookie(header: str, value: str, context: Context) -> list[Note]:
    pair, *attributes = [piece.strip() for piece in value.split(";")]
    notes = [
        Note(
            header,
            "",
            "The server asks the browser to store a cookie and send it back from "
            "now on (RFC 6265 4.1).",
        ),
        *_cookie(header, pair, context),
    ]
    attributes = [piece for piece in attributes if piece]
    for piece in attributes[:_MOST]:
        notes.append(Note(header, _shown(piece), _attribute(piece, context.time()), False, 1))
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
        notes.append(Note(header, "", f"Not set: {', '.join(absent)}.", False, 1))
    return _limited(header, notes, 1, len(attributes))


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
        return f"the browser keeps it for {_span(seconds)} (RFC 6265 4.1.2.2)."
    if name == "expires":
        moment = _http_date(value)
        if moment is None:
            return "not a date as HTTP writes one, so browsers may ignore it (RFC 6265 4.1.2.1)."
        word = "the browser deletes it" if moment <= now else "the browser deletes it then"
        return f"{word}: this is {_ago(moment, now)} (RFC 6265 4.1.2.1)."
    return _ATTRIBUTES.get(name, "not known here; browsers ignore what they don't know.")


def _http_date(value: str) -> float | None:
    from werkzeug.http import parse_date

    try:
        moment = parse_date(value[:64])
        return None if moment is None else moment.timestamp()
    except (ValueError, OverflowError, IndexError, TypeError):  # old versions of email.utils
        return None


# --- smaller headers --------------------------------------------------------------------------


def _otp(header: str, value: str, context: Context) -> list[Note]:
    if value.lower() == "required":
        text = "The server asks for a second factor: a one-time code."
    elif re.fullmatch(r"[0-9]{6,8}", value):
        text = "The second factor: a one-time code (RFC 4226, RFC 6238), no use without the first."
    else:
        text = "Neither `required` nor a code of six to eight digits."
    return [Note(header, "", f"{text} No standard defines this header; it is this tutorial's own.")]


def _retry_after(header: str, value: str, context: Context) -> list[Note]:
    why = " after too many tries (RFC 6585 4)" if context.status == 429 else ""
    if re.fullmatch(r"[0-9]{1,10}", value):
        text = f"The client shall wait {_span(int(value))} before it tries again{why}"
    elif (moment := _http_date(value)) is not None:
        text = f"The client shall wait until {_utc(moment)}, {_ago(moment, context.time())}{why}"
    else:
        text = "Neither a number of seconds nor a date, so clients can't tell how long to wait"
    return [Note(header, "", f"{text} (RFC 9110 10.2.3).")]


def _cache_control(header: str, value: str, context: Context) -> list[Note]:
    if "no-store" not in [word.strip().lower() for word in value.split(",")]:
        return []
    return [
        Note(
            header,
            "no-store",
            "`no-store`: no cache may keep a copy (RFC 9111 5.2.2.5); OAuth "
            "demands it of a response that carries a token (RFC 6749 5.1).",
            False,
            0,
        )
    ]


_EXPLAINERS: dict[str, Callable[[str, str, Context], list[Note]]] = {
    "authorization": _credentials,
    "proxy-authorization": _credentials,
    "www-authenticate": _challenges,
    "proxy-authenticate": _challenges,
    "authentication-info": _authentication_info,
    "proxy-authentication-info": _authentication_info,
    "cookie": _cookies,
    "set-cookie": _set_cookie,
    "otp": _otp,
    "retry-after": _retry_after,
    "cache-control": _cache_control,
}
