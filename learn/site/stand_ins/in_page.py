"""What is otherwise in a web page: scrypt and PBKDF2, and how JSON is read.

hashlib has the two from OpenSSL, which is not here; hashes.js has them from npm. JSON is read by
Python's own Python instead of its C, for which a page's stack is too small: brackets in brackets,
a thousand deep, would end the page instead of being a RecursionError.
"""

import hashlib
import json

import js_hashes  # hashes.js


def begin():
    """Put all of it where Python has it elsewhere."""
    hashlib.scrypt, hashlib.pbkdf2_hmac = scrypt, pbkdf2_hmac
    json.decoder.scanner.make_scanner = json.decoder.scanner.py_make_scanner
    json._default_decoder = json.JSONDecoder()


def scrypt(password, *, salt, n, r, p, maxmem=0, dklen=64):
    """See hashlib.scrypt."""
    if n < 2 or n & (n - 1) or r < 1 or p < 1:
        raise ValueError("n must be a power of 2.")
    if 128 * n * r + 128 * r * p > (maxmem or 32 * 1024 * 1024) + 128 * r * (p + 2):
        raise ValueError("memory limit exceeded")
    return js_hashes.scrypt(bytes(password), bytes(salt), n, r, p, dklen).to_bytes()


def pbkdf2_hmac(hash_name, password, salt, iterations, dklen=None):
    """See hashlib.pbkdf2_hmac."""
    size = hashlib.new(hash_name).digest_size
    if hash_name.lower() not in ("sha1", "sha256", "sha512"):
        raise ValueError(f"unsupported hash type {hash_name}")
    given = (hash_name.lower(), bytes(password), bytes(salt), iterations, dklen or size)
    return js_hashes.pbkdf2(*given).to_bytes()
