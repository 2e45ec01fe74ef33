"""What a server keeps of a password, pasted alone: hashes that real libraries make, and damaged."""

import pytest
from passlib.hash import argon2, pbkdf2_sha256, sha512_crypt
from werkzeug.security import generate_password_hash

from learn.explain import explain_line
from learn.explain.note import all_wrong


def read(hash):
    notes = explain_line(hash)
    return " ".join(f"{note.part} {note.text}" for note in notes), all_wrong(notes)


def test_argon2id_at_the_lessons_parameters():
    """The parameters are named, and nothing is wrong with them; what is shown is a secret."""
    made = argon2.using(type="ID", memory_cost=19456, rounds=2, parallelism=1, salt_size=16)
    text = made.hash("pass1")
    said, wrong = read(text)
    assert "argon2id (RFC 9106)" in said and "19 MiB of memory" in said and "16 random" in said
    assert not wrong and explain_line(text)[0].secret


@pytest.mark.parametrize(
    "made, named, weak",
    [
        (argon2.using(type="ID", memory_cost=64, rounds=1).hash("x"), "64 KiB", "below OWASP's"),
        (argon2.using(type="I", memory_cost=19456, rounds=2).hash("x"), "argon2i ", "argon2id"),
        (argon2.using(type="ID", memory_cost=47104, rounds=1).hash("x"), "46 MiB", ""),
        (sha512_crypt.using(rounds=5000).hash("x"), "SHA-512-crypt", "lesson 01"),
        (pbkdf2_sha256.using(rounds=29000).hash("x"), "29000", "600,000"),
        (pbkdf2_sha256.using(rounds=600_000).hash("x"), "600000", ""),
        (generate_password_hash("x"), "32 MiB", "below OWASP's"),
        (generate_password_hash("x", "pbkdf2:sha256:1000000"), "Werkzeug", ""),
        ("pbkdf2_sha256$870000$salt$Zm9vYmFy", "Django", ""),
        ("$2b$12$" + "a" * 53, "power of 12", ""),
        ("$2y$05$" + "a" * 53, "power of 5", "cost of 10"),
        ("$1$salt$" + "a" * 22, "MD5-crypt", "lesson 01"),
    ],
    ids=range(12),
)
def test_other_schemes(made, named, weak):
    """Each scheme is named with its price; one that is too cheap is a risk, not refused."""
    said, wrong = read(made)
    assert named in said
    assert [weak in one.text and not one.refused for one in wrong] == ([True] if weak else [])


@pytest.mark.parametrize(
    "damaged", ["$argon2id$v=19$m=x$", "$argon2id$cut", "$argon2id$" + "9" * 9999]
)
def test_damaged_ones_are_told(damaged):
    """A hash that was cut off or damaged gets a sentence."""
    assert "no password fits it" in read(damaged)[0]


@pytest.mark.parametrize("hash", ["$pbkdf2-sha256$x", "$5$rounds=x$", "$6$a", "$2b$x", "$7$"])
def test_no_form_brings_it_down(hash):
    """Other broken forms are read as far as they go, or are told to be nothing."""
    try:
        assert explain_line(hash)
    except ValueError as error:
        assert "no authentication header" in str(error)
