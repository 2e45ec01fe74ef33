"""Recompute what a Digest proves (RFC 7616, 3.4 and 3.5): `response` and `rspauth`.

Known passwords are never quoted; HA1, which follows from a password, is quoted and marked as a
secret.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from .grammar import Param
from .note import Context, Note, Wrong, code, shown

HASHES: dict[str, Callable[[bytes], Any]] = {
    "MD5": lambda octets: hashlib.md5(octets, usedforsecurity=False),
    "SHA-256": hashlib.sha256,
    "SHA-512-256": lambda octets: hashlib.new("sha512_256", octets),
}


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
    if name not in HASHES:
        return []

    def plain(octets: bytes) -> str:
        return str(HASHES[name](octets).hexdigest())

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


def user_of(given: Mapping[str, str], context: Context) -> str | None:
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


def verdict(
    header: str,
    param: Param,
    given: dict[str, str],
    context: Context,
    method: str | None,
    about: str,
    depth: int,
) -> list[Note]:
    """Recompute `response` or `rspauth` where everything needed is known, and say how it went."""
    user, algorithm = user_of(given, context), given.get("algorithm", "MD5")
    password = context.passwords.get(user) if user is not None else None
    qop = given.get("qop", "")

    def note(text: str, wrong: str = "") -> list[Note]:
        said = (Wrong(wrong),) if wrong else ()
        return [Note(header, shown(param.sent), f"{about} {text}", False, depth, said)]

    needed = ("realm", "nonce", "uri", "nc", "cnonce")[: 5 if qop else 3]
    lost = [name for name in needed if name not in given]
    if lost:
        return note(
            f"Not recomputed here: {', '.join(f'`{name}`' for name in lost)} "
            f"{'is' if len(lost) == 1 else 'are'} not known."
        )
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
        f"Recomputed from the password of {code(user)}: it does not match; "
        f"`{first.response}` would. The password or one of the hashed values differs.",
        f"`{shown(param.name)}` does not follow from the password given: the password, the method "
        "or a hashed value is another.",
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
            f"HA1 = {code(a1)} = `{proof.ha1}`; {good} (RFC 7616 3.4.2, 5.2).",
            True,
            depth,
        ),
        Note(
            header,
            "",
            f"HA2 = {code(a2)} = `{proof.ha2}`; the value is {code(whole)} "
            f"(RFC 7616 3.4.1, {'3.4.3' if method else '3.5: a response has no method'}).",
            False,
            depth,
        ),
    ]
