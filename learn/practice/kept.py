"""Look for secrets in what a lesson keeps and prints, as a thief of its files would.

A secret is looked for in every file of the lesson's scratch folder, whatever the format: as text,
in the usual encodings, and as a digest without a key, which a thief guesses at by the billion.
Since the files may be a stranger's, no link is followed, nothing is waited for, and a database is
opened as a copy.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import hmac
import re
import secrets
import sqlite3
import string
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote, quote_plus

from ..explain.hashes import is_enough
from ..running.ending import is_plain_file, read_plain

if TYPE_CHECKING:
    from ..running.lesson import Lesson

DIGESTS = ("md5", "sha1", "sha224", "sha256", "sha384", "sha512", "sha3_256", "blake2b", "blake2s")
MOST = 64 << 20  # bytes of a file that are looked at: a box lets none grow larger
OURS = ("given", "port.txt", "port.draft", "script.json", "clock")  # what the workbench puts there
ARGON2 = re.compile(
    rb"\$argon2(?P<type>id|i|d)(?:\$v=(?P<version>\d+))?\$m=(?P<memory>\d+),t=(?P<rounds>\d+)"
    rb",p=(?P<threads>\d+)\$(?P<salt>[A-Za-z0-9+/]+)\$(?P<digest>[A-Za-z0-9+/]+)"
)


class Argon2(NamedTuple):
    """A stored hash in the form in which all libraries write it: $argon2id$v=19$m=…,t=…,p=…$…$…"""

    text: str
    type: str
    memory: int
    rounds: int
    salt: bytes

    @property
    def is_strong(self) -> bool:
        """Whether it is Argon2id at OWASP's parameters or above, with a salt of 8 bytes or more."""
        return self.type == "id" and is_enough(self.memory, self.rounds) and len(self.salt) >= 8

    @property
    def cost(self) -> str:
        """Its kind and parameters, as they stand in it."""
        return self.text.rsplit("$", 2)[0]


def files(lesson: Lesson) -> dict[str, bytes]:
    """Return what a running lesson has written into its scratch folder, by name of the file."""
    found = {}
    for path in sorted(lesson.scratch.rglob("*")):
        name = path.relative_to(lesson.scratch)
        if name.parts[0] not in OURS and is_plain_file(path):
            with contextlib.suppress(OSError):  # gone by now, or changed into something else
                found[name.as_posix()] = read_plain(path, MOST)
    return found


def values(lesson: Lesson) -> dict[str, bytes]:
    """Return the contents of a lesson's files, of databases what a query would find in them.

    A file of SQLite may still have what was deleted; this leaves it out.
    """
    found, all_files = {}, files(lesson)
    for name, content in all_files.items():
        if content.startswith(b"SQLite format 3\0"):
            tables = _tables(content, all_files.get(f"{name}-wal", b""), name)
            for table, cells in tables.items():  # each of several files may have one of this name
                found[table] = b"\n".join([found[table], cells] if table in found else [cells])
        elif not name.endswith(("-wal", "-shm", "-journal")):
            found[name] = content
    return found


def _tables(content, log, name):
    """Return what the tables of a database hold; log: what its write-ahead log holds."""
    found = {}
    with tempfile.TemporaryDirectory() as place:
        copy = Path(place, "copy")
        copy.write_bytes(content)
        copy.with_name("copy-wal").write_bytes(log)
        with contextlib.closing(sqlite3.connect(copy)) as database:
            database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MOST)
            try:
                tables = "SELECT name FROM sqlite_master WHERE type = 'table'"
                for (table,) in database.execute(tables).fetchall():
                    quoted = table.replace('"', '""')
                    rows = database.execute(f'SELECT * FROM "{quoted}"').fetchall()
                    cells = [cell for row in rows for cell in row if cell is not None]
                    texts = [c if isinstance(c, bytes) else str(c).encode() for c in cells]
                    found[f"the table {table}"] = b"\n".join(texts)
            except sqlite3.Error:  # damaged, or being written just now: looked through as it is
                found[name] = content
    return found


def argon2_hashes(lesson: Lesson) -> dict[str, Argon2]:
    """Return the Argon2 hashes that are in a lesson's files, by their texts."""
    found = {}
    for content in values(lesson).values():  # in a database's file, other bytes follow at once
        for match in ARGON2.finditer(content):
            text, salt = match[0].decode(), match["salt"].decode()
            salt = base64.b64decode(salt + "=" * (-len(salt) % 4))
            kind = match["type"].decode()
            found[text] = Argon2(text, kind, int(match["memory"]), int(match["rounds"]), salt)
    return found


def fits(stored: Argon2, password: str, key: str = "") -> bool:
    """Tell whether it is what it says: Argon2 over this password, or over a usual digest of it."""
    from argon2 import PasswordHasher
    from argon2.exceptions import Argon2Error, InvalidHashError

    secret = password.encode()
    before = [secret]  # some hash it first; with a key, that is a pepper
    for name in ("sha256", "sha512"):
        raw = [hashlib.new(name, secret).digest()]
        raw += [hmac.digest(one.encode(), secret, name) for one in {key, ""}]
        before += [form for one in raw for form in (one, one.hex().encode(), base64.b64encode(one))]
    for candidate in before:
        try:
            return PasswordHasher().verify(stored.text, candidate)
        except (Argon2Error, InvalidHashError):
            continue
    return False


def is_made_of(salt: bytes, name: str) -> bool:
    """Tell whether a salt is a user name, or a digest of it that anybody can compute."""
    raw = name.encode()
    digests = [hashlib.new(kind, raw) for kind in DIGESTS]
    made = [one.digest() for one in digests] + [one.hexdigest().encode() for one in digests]
    return raw in salt or any(one.startswith(salt) for one in made)


def place_of(secret: str, texts: dict[str, bytes], name: str = "") -> str:
    """Return in which of the texts a secret is, and in what form; "" if in none.

    name: whose secret it is, for digests of both. A secret is told apart from other bytes when it
    has six characters or more.
    """
    patterns = [*_encodings(secret), *_digests(secret, name)]
    for where, content in texts.items():
        for form, pattern in patterns:
            if pattern in content:
                return f"{form} in {where}"
    return ""


def printed(lesson: Lesson, target: str) -> dict[str, bytes]:
    """Return what a lesson printed so far, as a text for `place_of`.

    target: a page that may be asked for, to know by its line in the log that the earlier ones came.
    """
    marker = f"{target}?{''.join(secrets.choice(string.ascii_lowercase) for _ in range(20))}"
    lesson.get(marker)
    lesson.printed(re.escape(marker), seconds=0.5)  # a log without such lines is looked at as well
    return {"the log": lesson.log.encode()}


def answered(exchanges) -> dict[str, bytes]:
    """Return what exchanges answered, headers and bodies, as texts for `place_of`."""
    texts = {}
    for one in exchanges:
        lines = [f"{name}: {value}" for name, value in one.response_headers]
        where = f"the answer to {one.method} {one.target}"
        texts[where] = texts.get(where, b"") + "\n".join([*lines, one.text, ""]).encode()
    return texts


def _encodings(secret):
    """Yield the names of usual encodings, each with the secret in it."""
    raw = secret.encode()
    yield "as it is", raw
    yield "as UTF-16", secret.encode("utf-16-le")
    yield "in hex", raw.hex().encode()
    yield "in hex", raw.hex().upper().encode()
    yield "percent-encoded", quote(secret).encode()
    yield "as in a form", quote_plus(secret).encode()
    yield "backwards", raw[::-1]
    for before in range(3):  # base64 looks different at each place in a group of three bytes
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            known = slice((0, 2, 3)[before], 8 * (before + len(raw)) // 6)
            yield "in base64", encode(b"\0" * before + raw)[known]


def _digests(secret, name):
    """Yield the names of digests that take no key, each with one of the secret, and of the pair."""
    pairs = {secret}
    for between in ("", ":", "|", "\0", " ", "$", "/", ",") if name else ():
        pairs |= {f"{name}{between}{secret}", f"{secret}{between}{name}"}
    for kind in DIGESTS:
        for pair in pairs:
            raw = hashlib.new(kind, pair.encode()).digest()
            for encode in (bytes, binascii.hexlify, base64.b64encode, base64.urlsafe_b64encode):
                yield f"as {kind} without a key", encode(raw).rstrip(b"=")
