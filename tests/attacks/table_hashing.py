"""What is tried on lesson 01, and what becomes of it."""

import on_hashing
from attack import FAILS, NOT_THERE, WORKS, Attack, StillWorks
from table_http import LIMIT

_WEAK_HASH = (("memory_cost=19456", "memory_cost=1024"),)
HASHING = [
    Attack(
        "01", "One password for all", "CWE-287", on_hashing.one_password_for_all, WORKS, long=True
    ),
    Attack("01", "A refusal that looks like success", "CWE-393", on_hashing.status_says_yes, WORKS),
    Attack(
        "01",
        "User enumeration by the answer",
        "CWE-204, WSTG-IDNT-04",
        on_hashing.enumeration_by_answer,
        NOT_THERE,
        (
            (
                'abort(403, "User name or password is wrong.")',
                'known = db().execute("SELECT 1 FROM users WHERE name = ?", [name]).fetchone()\n'
                '        abort(403, "The password is wrong." if known else "No such user.")',
            ),
        ),
    ),
    Attack(
        "01",
        "User enumeration by time",
        "CWE-208",
        on_hashing.enumeration_by_time,
        NOT_THERE,
        (
            (
                "stored = row[0] if row else NOBODY",
                "if not row:\n        return False\n    stored = row[0]",
            ),
        ),
        long=True,
    ),
    Attack(
        "01",
        "Which user has an older hash, by time",
        "CWE-208",
        on_hashing.old_hash_by_time,
        NOT_THERE,
        (
            (
                '"user2", OLD_HASH]',
                '"user2", passwords.handler("sha512_crypt").using(rounds=1000).hash("pass2")]',
            ),
        ),
        long=True,
    ),
    Attack("01", "Cross-site scripting by the name", "CWE-79", on_hashing.script_as_name, WORKS),
    Attack(
        "01",
        "SQL injection",
        "CWE-89",
        on_hashing.sql_in_form,
        NOT_THERE,
        (
            (
                'db().execute("SELECT hash FROM users WHERE name = ?", [name])',
                "db().execute(f\"SELECT hash FROM users WHERE name = '{name}'\")",
            ),
        ),
        long=True,
    ),
    Attack(
        "01",
        "NUL ends the password",
        "CWE-158",
        on_hashing.nul_in_password,
        FAILS,
        (('request.form.get(field, ""))', 'request.form.get(field, "").partition("\\0")[0])'),),
    ),
    Attack(
        "01",
        "Password cut off",
        "CWE-222",
        on_hashing.cut_password,
        NOT_THERE,
        (('request.form.get(field, ""))', 'request.form.get(field, "")[:72])'),),
    ),
    Attack(
        "01",
        "Bytes that are no text",
        "CWE-176",
        on_hashing.bytes_that_are_no_text,
        NOT_THERE,
        ((' or "\\ufffd" in text', ""),),
    ),
    Attack(
        "01",
        "Race between two registrations",
        "CWE-362",
        on_hashing.two_at_once,
        NOT_THERE,
        (("INSERT INTO users VALUES", "INSERT OR REPLACE INTO users VALUES"),),
        long=True,
    ),
    Attack(
        "01",
        "Taking over a name, by Unicode",
        "CWE-176, RFC 8265",
        on_hashing.take_over_a_name,
        NOT_THERE,
        (
            (
                'unicodedata.normalize("NFC", request.form.get(field, ""))',
                'request.form.get(field, "")',
            ),
        ),
        long=True,
    ),
    Attack(
        "01",
        "Stolen table, quick hash or none",
        "CWE-916",
        on_hashing.stolen_table,
        NOT_THERE,
        _WEAK_HASH,
    ),
    Attack(
        "01",
        "Broken forms",
        "CWE-20",
        on_hashing.broken_form,
        FAILS,
        (('request.form.get(field, ""))', "request.form.get(field))"),),
    ),
]

STILL_WORKS = [
    StillWorks("01", "Credential stuffing", "CWE-307", on_hashing.stuffing, LIMIT, long=True),
    StillWorks(
        "01",
        "User enumeration by registration",
        "CWE-204, WSTG-IDNT-04",
        on_hashing.enumeration_by_registration,
        "Register by mail: always answer the same, and write the owner a letter.",
    ),
    StillWorks(
        "01",
        "Names that look alike",
        "RFC 8265 3, CWE-1007",
        on_hashing.look_alike,
        "Compare names in the form of RFC 8265's UsernameCaseMapped.",
    ),
    StillWorks(
        "01",
        "Registering without end",
        "CWE-770, API4:2023",
        on_hashing.without_end,
        "Limit registrations for each sender, or confirm them by mail.",
    ),
]
