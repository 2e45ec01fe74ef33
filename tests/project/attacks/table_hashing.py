"""What is tried on lesson 01, and what becomes of it."""

import on_hashing
from attack import FAILS, NOT_THERE, WORKS, Attack, StillWorks
from table_http import LIMIT

_WEAK_HASH = (("memory_cost=19456", "memory_cost=1024"),)
_FIELD = 'text = request.form.get(field, "")'
_COMPARED = "right, better = passwords.verify_and_update(password, stored if known else NOBODY)"
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
                "known = store.find_hash(username)\n"
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
                _COMPARED,
                "if not known:\n            return False\n"
                "        right, better = passwords.verify_and_update(password, stored)",
            ),
        ),
        long=True,
    ),
    Attack(
        "01",
        "User enumeration by the password of nobody",
        "CWE-208",
        on_hashing.password_of_nobody,
        NOT_THERE,
        (("passwords.hash(token_hex())", 'passwords.hash("the password of nobody")'),),
        settings=(("PEPPER", "a pepper that is kept outside the database"),),
        file="beyond",
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
        ((_FIELD, f'{_FIELD}.partition("\\0")[0]'),),
    ),
    Attack(
        "01",
        "Password cut off",
        "CWE-222",
        on_hashing.cut_password,
        NOT_THERE,
        ((_FIELD, f"{_FIELD}[:72]"),),
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
        "A byte that passes for text",
        "CWE-176",
        on_hashing.byte_as_text,
        NOT_THERE,
        (("    app.before_request(refuse_broken_request)\n", ""),),
    ),
    Attack(
        "01",
        "Race between two registrations",
        "CWE-362",
        on_hashing.two_at_once,
        NOT_THERE,
        (
            (
                'INSERT INTO users VALUES (?, ?)", [name, hash]',
                'INSERT OR REPLACE INTO users VALUES (?, ?)", [name, hash]',
            ),
        ),
        long=True,
    ),
    Attack(
        "01",
        "A login undoes a change of password",
        "CWE-367",
        on_hashing.old_password_comes_back,
        NOT_THERE,
        ((' AND hash = ?", [new, name, old]', '", [new, name]'),),
    ),
    Attack(
        "01",
        "Taking over a name, by Unicode",
        "CWE-176, RFC 8265",
        on_hashing.take_over_a_name,
        NOT_THERE,
        (('    text = unicodedata.normalize("NFC", text)\n', ""),),
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
        ((_FIELD, "text = request.form.get(field)"),),
    ),
    Attack(
        "01",
        "A hash of another kind",
        "CWE-755",
        on_hashing.hash_of_another_kind,
        NOT_THERE,
        (
            ("stored if known else NOBODY", "stored or NOBODY"),
            ("except ValueError:  #", "except ():  #"),
        ),
    ),
    Attack(
        "01",
        "Accents without end",
        "CWE-407",
        on_hashing.accents_without_end,
        NOT_THERE,
        (("if len(text.encode()) > 4 * most:", "if len(text.encode()) > 16384:"),),
    ),
    Attack(
        "01",
        "An upload that fills the disk",
        "CWE-770, API4:2023",
        on_hashing.upload_without_end,
        WORKS,
        (("=16384, MAX_FORM_MEMORY_SIZE=16384", "=10**9, MAX_FORM_MEMORY_SIZE=10**9"),),
        servers=True,
    ),
]

STILL_WORKS = [
    StillWorks("01", "Credential stuffing", "CWE-307", on_hashing.stuffing, LIMIT, long=True),
    StillWorks(
        "01",
        "Which user has an older hash, by time",
        "CWE-208",
        on_hashing.old_hash_by_time,
        "Put Argon2id over each old hash, once for all users, and check both in a row.",
        long=True,
    ),
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
        "RFC 8265 3, UTS 39, CWE-1007",
        on_hashing.look_alike,
        "Against spaces and capitals, RFC 8265's UsernameCaseMapped; against letters of another"
        " script that look the same, the confusables of Unicode's UTS 39.",
    ),
    StillWorks(
        "01",
        "Registering without end",
        "CWE-770, API4:2023",
        on_hashing.without_end,
        "Limit registrations for each sender, or confirm them by mail.",
    ),
]
