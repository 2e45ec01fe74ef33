"""What is tried on lesson 02, and what becomes of it."""

import on_basic
from attack import FAILS, NOT_THERE, WORKS, Attack, StillWorks
from table_http import LIMIT, TLS, through_http

_WEAK_HASH = (("memory_cost=19456", "memory_cost=1024"),)
_NO_CSRF = (('if request.method == "POST" and "-site"', 'if not "POST" and "-site"'),)
BASIC = [
    Attack(
        "02",
        "User enumeration by the answer",
        "CWE-204, WSTG-IDNT-04",
        on_basic.enumeration_by_answer,
        FAILS,
        (
            (
                'stored = user["hash"] if user else NOBODY',
                'if not user:\n        abort(404)\n    stored = user["hash"]',
            ),
        ),
        long=True,
    ),
    Attack(
        "02", "User enumeration by time", "CWE-208", on_basic.enumeration_by_time, WORKS, long=True
    ),
    Attack(
        "02",
        "Who was here lately, by time",
        "CWE-208",
        on_basic.who_was_here_by_time,
        FAILS,
        (
            (
                "if argon2id.verify(password, stored) and user:",
                "if name not in remembered and argon2id.verify(password, stored) and user:",
            ),
        ),
        long=True,
    ),
    Attack("02", "Another scheme's name", "RFC 9110 11.4", on_basic.other_scheme, WORKS),
    Attack("02", "Broken base64", "RFC 4648 3.3", on_basic.broken_base64, WORKS),
    Attack("02", "NUL ends the password", "CWE-158", on_basic.nul_in_password, WORKS),
    Attack(
        "02",
        "Empty and default credentials",
        "CWE-1392, WSTG-ATHN-02",
        on_basic.nobody_at_all,
        FAILS,
        (
            (
                "if name is None or password is None:\n        return None",
                "if name is None or password is None:\n"
                '        return db().execute("SELECT * FROM users").fetchone()',
            ),
        ),
        long=True,
    ),
    Attack(
        "02",
        "SQL injection",
        "CWE-89",
        on_basic.sql_in_credentials,
        NOT_THERE,
        (
            (
                'db().execute("SELECT * FROM users WHERE name = ?", [name])',
                "db().execute(f\"SELECT * FROM users WHERE name = '{name}'\")",
            ),
        ),
        long=True,
    ),
    Attack(
        "02",
        "Privilege escalation",
        "CWE-269, WSTG-ATHZ-03",
        on_basic.role_of_another,
        NOT_THERE,
        (('return "admin" if user["admin"] else None', 'return "admin"'),),
    ),
    Attack(
        "02",
        "Cross-site request forgery",
        "CWE-352",
        on_basic.form_of_another_site,
        NOT_THERE,
        _NO_CSRF,
    ),
    Attack(
        "02",
        "Old password still remembered",
        "CWE-613",
        on_basic.old_password,
        NOT_THERE,
        (('f"{stored}\\0{password}"', "password"),),
    ),
    Attack(
        "02",
        "Colon in a user name",
        "RFC 7617 2",
        on_basic.colon_in_name,
        NOT_THERE,
        ((' or ":" in name', ""),),
    ),
    Attack(
        "02",
        "Stolen table, quick hash or none",
        "CWE-916",
        on_basic.stolen_table,
        NOT_THERE,
        _WEAK_HASH,
    ),
    Attack(
        "02",
        "Password in the log",
        "CWE-532",
        on_basic.from_the_log,
        FAILS,
        (
            (
                "    if name is None or password is None:",
                '    app.logger.warning("%s %s", name, password)\n'
                "    if name is None or password is None:",
            ),
        ),
    ),
    *through_http("02", (WORKS,), (WORKS,)),
]

STILL_WORKS = [
    StillWorks("02", "Credential stuffing", "CWE-307", on_basic.stuffing, LIMIT, long=True),
    StillWorks("02", "Password read on the way", "RFC 7617 4", on_basic.on_the_way, TLS),
]
