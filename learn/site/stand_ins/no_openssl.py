"""What hashlib has of OpenSSL, which is not in a web page: scrypt and PBKDF2, from npm."""

import hashlib

import js_hashes  # hashes.js


def begin():
    """Put them where Python has them elsewhere."""
    hashlib.scrypt, hashlib.pbkdf2_hmac = scrypt, pbkdf2_hmac


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
    found = js_hashes.pbkdf2(
        hash_name.lower(), bytes(password), bytes(salt), iterations, dklen or size
    )
    return found.to_bytes()
