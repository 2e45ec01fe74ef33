"""What a server keeps of a password, as lesson 01 prints it: which scheme, and what a guess costs.

Such a hash is no header and never travels. It begins with the name of its scheme: in the form of
crypt, `$argon2id$v=19$m=19456,t=2,p=1$salt$hash`, or in that of Werkzeug and Django. passlib reads
the former. What is weak is measured against OWASP's Password Storage Cheat Sheet.
"""

from __future__ import annotations

import re

from .note import Note, Wrong, shown

_CRYPT = re.compile(
    r"\$(argon2id|argon2i|argon2d|scrypt|2[abxy]|1|5|6|apr1|md5|pbkdf2-sha(?:1|256|512)|y|gy|7)\$\S+"
)
_WERKZEUG = re.compile(r"scrypt:(\d+):(\d+):(\d+)\$([^$\s]+)\$[0-9a-f]{32,}")
_ITERATED = re.compile(  # Werkzeug's form, then Django's
    r"pbkdf2:(sha\d+|md5):(\d+)\$[^$\s]+\$[0-9a-f]+|pbkdf2_(sha\d+)\$(\d+)\$[^$\s]+\$[\w+/=]+"
)
_ABOUT = {
    "2": "bcrypt. It reads the first 72 bytes of a password and ignores the rest.",
    "1": "MD5-crypt of 1994: a graphics card tries millions a second.",
    "apr1": "Apache's MD5-crypt: a graphics card tries millions a second.",
    "md5": "Sun's MD5-crypt.",
    "5": "SHA-256-crypt, which needs no memory, so a graphics card tries many at once.",
    "6": "SHA-512-crypt, which needs no memory, so a graphics card tries many at once.",
    "y": "yescrypt, which Linux uses for its own accounts.",
    "gy": "gost-yescrypt.",
    "7": "scrypt, as crypt writes it.",
    "scrypt": "scrypt, as passlib writes it.",
}
_ROUNDS = {"sha1": 1_300_000, "sha256": 600_000, "sha512": 210_000}  # OWASP's least, for PBKDF2


def is_hash(text: str) -> bool:
    """Say whether a text is what a server keeps of a password, by its form."""
    return any(form.fullmatch(text) for form in (_CRYPT, _WERKZEUG, _ITERATED))


def notes(header: str, text: str, depth: int) -> list[Note]:
    """Return the notes for a text that `is_hash` accepts."""
    if match := _WERKZEUG.fullmatch(text):
        n, r, p = (int(number[:12]) for number in match.groups()[:3])
        parts = [(f"{n}:{r}:{p}", _memory(128 * n * r // 1024) + ", with scrypt's N, r and p.")]
        about, weak = "scrypt, as Werkzeug's `generate_password_hash` writes it.", ""
        if n * r * p < 2**17 * 8:
            weak = "This is below OWASP's least for scrypt: N=131072, r=8, p=1 or their equals."
    elif match := _ITERATED.fullmatch(text):
        digest, count = (match[1] or match[3]), int((match[2] or match[4])[:12])
        parts = [(f"{count}", "rounds: so many times the digest is computed for one guess.")]
        about = f"PBKDF2 with {digest}, as {'Werkzeug' if match[1] else 'Django'} writes it."
        weak = _few(digest, count)
    else:
        scheme = _CRYPT.fullmatch(text)[1]
        if scheme.startswith("argon2"):
            about, parts, weak = _argon2(text, scheme)
        else:
            about, parts, weak = _crypt(text, scheme)
    first = f"What a server keeps of a password: {about} It is no header, and never travels."
    wrong = (Wrong(weak, False),) if weak else ()
    found = [Note(header, shown(text), first, True, depth, wrong)]
    found += [Note(header, shown(part), said, False, depth + 1) for part, said in parts]
    end = "Whoever has this can try passwords, each at that price, and can't log in with it."
    return [*found, Note(header, "", end, False, depth + 1)]


def _argon2(text: str, scheme: str) -> tuple[str, list[tuple[str, str]], str]:
    from passlib.hash import argon2

    try:
        read = argon2.from_string(text)
    except ValueError:
        return f"{scheme}, damaged or cut off: no password fits it.", [], ""
    parts = [
        (f"m={read.memory_cost}", f"{_memory(read.memory_cost)} for one guess."),
        (f"t={read.rounds}", "how many times that memory is gone through."),
        (f"p={read.parallelism}", "how many threads share the work."),
    ]
    if read.salt:
        count = len(read.salt)
        parts.append(("salt", f"{count} random bytes: equal passwords have different hashes."))
    weak = ""
    if scheme != "argon2id":
        weak = "OWASP and RFC 9106 recommend argon2id, which withstands both kinds of attack."
    elif not is_enough(read.memory_cost, read.rounds):
        weak = "This is below OWASP's least for Argon2id: 19 MiB and 2 rounds, or an equal of it."
    return f"{scheme} (RFC 9106).", parts, weak


def is_enough(memory: int, rounds: int) -> bool:
    """Say whether Argon2id with this memory, in KiB, and these rounds reaches OWASP's least.

    OWASP names five pairs that it calls equal.
    """
    least = [(47104, 1), (19456, 2), (12288, 3), (9216, 4), (7168, 5)]
    return any(memory >= kib and rounds >= count for kib, count in least)


def _crypt(text: str, scheme: str) -> tuple[str, list[tuple[str, str]], str]:
    if digest := scheme.partition("pbkdf2-")[2]:
        count = re.match(r"\$[\w-]+\$(\d{1,12})\$", text)
        rounds = int(count[1]) if count else 0
        said = "rounds: so many times the digest is computed for one guess."
        return f"PBKDF2 with {digest}.", [(str(rounds), said)], _few(digest, rounds)
    weak = ""
    parts = []
    if scheme.startswith("2") and (cost := re.match(r"\$2.\$(\d\d)\$", text)):
        parts.append((cost[1], f"2 to the power of {int(cost[1])} rounds for one guess."))
        weak = "OWASP's least for bcrypt is a cost of 10." if int(cost[1]) < 10 else ""
    elif scheme in ("5", "6"):
        rounds = re.match(r"\$\d\$rounds=(\d{1,9})\$", text)
        parts.append((f"rounds={rounds[1] if rounds else 5000}", "rounds for one guess."))
    if scheme in ("1", "apr1", "md5", "5", "6"):
        weak = "An older scheme: replace it at the next login, as lesson 01 does (Argon2id)."
    return _ABOUT[scheme[0] if scheme.startswith("2") else scheme], parts, weak


def _few(digest: str, rounds: int) -> str:
    least = _ROUNDS.get(digest, 600_000)
    return f"OWASP's least for PBKDF2 with {digest} is {least:,} rounds." if rounds < least else ""


def _memory(kib: int) -> str:
    return f"{kib / 1024:.0f} MiB of memory" if kib >= 1024 else f"{kib} KiB of memory"
