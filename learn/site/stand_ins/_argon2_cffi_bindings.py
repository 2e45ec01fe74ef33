"""The lowest layer of argon2-cffi, which is compiled code elsewhere, over two libraries of npm.

argon2-cffi itself, and whatever stands upon it, is the same as on a learner's machine.
"""

import base64
import hmac
import re

import js_hashes  # hashes.js

_ERRORS = {
    0: "OK",
    -4: "Output is too short",
    -6: "Salt is too short",
    -12: "Time cost is too small",
    -14: "Memory cost is too small",
    -26: "There is no such version of Argon2",
    -32: "Decoding failed",
    -35: "The password does not match the supplied hash",
}
_NAMES = {0: "d", 1: "i", 2: "id"}
_ENCODED = re.compile(
    rb"\$argon2(id|i|d)\$v=(\d+)\$m=(\d+),t=(\d+),p=(\d+)\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)"
)


class ffi:
    """Buffers, which are bytearrays here."""

    NULL = None

    @staticmethod
    def new(kind, value):
        return bytearray(value)

    @staticmethod
    def string(buffer):
        return bytes(buffer).partition(b"\0")[0]

    @staticmethod
    def buffer(buffer, length):
        return buffer[:length]


class lib:
    """The functions and numbers of argon2.h that argon2-cffi uses."""

    ARGON2_VERSION_NUMBER = 19
    Argon2_d, Argon2_i, Argon2_id = 0, 1, 2
    ARGON2_OK, ARGON2_VERIFY_MISMATCH = 0, -35

    @staticmethod
    def argon2_encodedlen(rounds, memory, lanes, salt, length, kind):
        return 64 + 4 * (salt + length) // 3

    @staticmethod
    def argon2_error_message(code):
        return _ERRORS.get(code, f"Error {code}").encode()

    @staticmethod
    def argon2_hash(
        rounds, memory, lanes, password, _, salt, __, raw, length, encoded, ___, kind, version
    ):
        wrong = [
            (-4, length < 4), (-6, len(salt) < 8), (-12, rounds < 1), (-14, memory < 8 * lanes),
            (-26, version != 19),
        ]  # fmt: skip
        for code, is_so in wrong:
            if is_so:
                return code
        digest = _digest(kind, password, salt, rounds, memory, lanes, length)
        if raw is not None:
            raw[:length] = digest
        if encoded is not None:
            costs = f"m={memory},t={rounds},p={lanes}"
            text = f"$argon2{_NAMES[kind]}$v=19${costs}${_encode(salt)}${_encode(digest)}"
            encoded[:] = text.encode() + b"\0"
        return 0

    @staticmethod
    def argon2_verify(encoded, password, _, kind):
        found = _ENCODED.fullmatch(ffi.string(encoded))
        if not found or found[1].decode() != _NAMES[kind]:
            return -32
        if int(found[2]) != 19:
            return -26
        memory, rounds, lanes = (int(found[number]) for number in (3, 4, 5))
        try:
            salt, digest = _decode(found[6]), _decode(found[7])
        except ValueError:
            return -32
        if rounds < 1 or lanes < 1 or memory < 8 * lanes or len(salt) < 8 or len(digest) < 4:
            return -32
        computed = _digest(kind, password, salt, rounds, memory, lanes, len(digest))
        return 0 if hmac.compare_digest(computed, digest) else -35


def _digest(kind, password, salt, *costs):
    return js_hashes.argon2(_NAMES[kind], bytes(password), bytes(salt), *costs).to_bytes()


def _decode(text):
    return base64.b64decode(text + b"=" * (-len(text) % 4))


def _encode(data):
    return base64.b64encode(data).rstrip(b"=").decode()
