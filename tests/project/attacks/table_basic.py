"""What is tried on lesson 02, and what becomes of it."""

import on_basic
from attack import FAILS, NOT_THERE, WORKS, Attack, StillWorks
from table_http import LIMIT, TLS, through_http

_WEAK_HASH = (("memory_cost=19456", "memory_cost=1024"),)
# A body is then read when a view asks for its form, after the credentials were checked.
_BODY_LATER = ("    app.before_request(refuse_broken_request)\n", "")
_NO_CSRF = (('ours = site in ("same-origin", "none") if site', "ours = True if site"),)
_LIMITED = (("GUESS_PAUSE", 300),)  # as by default; but with settings an attack has its own server
BASIC = [
    Attack(
        "02",
        "User enumeration by the answer",
        "CWE-204, WSTG-IDNT-04",
        on_basic.enumeration_by_answer,
        FAILS,
        (
            (
                "    user = store.find_user(username)\n",
                "    user = store.find_user(username)\n    if not user:\n        abort(404)\n",
            ),
        ),
        long=True,
    ),
    Attack(
        "02",
        "User enumeration by time",
        "CWE-208",
        on_basic.enumeration_by_time,
        WORKS,
        (
            (
                "right = argon2id.verify(password, stored or NOBODY)",
                "right = bool(stored) and argon2id.verify(password, stored)",
            ),
        ),
        long=True,
    ),
    Attack(
        "02",
        "Who was here lately, by time",
        "CWE-208",
        on_basic.who_was_here_by_time,
        FAILS,
        (
            (
                "right = argon2id.verify(",
                "right = username not in remembered and argon2id.verify(",
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
                "if username is None or password is None:\n        return None",
                'if username is None or password is None:\n        return store.find_user("user1")',
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
        "Cross-site request forgery over plain http",
        "CWE-352",
        on_basic.form_over_plain_http,
        NOT_THERE,
        (("else origin in (None, own)", "else True"),),
    ),
    Attack(
        "02",
        "Password change undone",
        "CWE-367, CWE-613",
        on_basic.change_undone,
        NOT_THERE,
        (
            (
                '"UPDATE users SET hash = ? WHERE name = ? AND hash = ?"',
                "\"UPDATE users SET hash = ? WHERE name = ? AND ? != ''\"",
            ),
            _BODY_LATER,
        ),
    ),
    Attack(
        "02",
        "User added with an old password",
        "CWE-367, CWE-613",
        on_basic.added_with_old_password,
        NOT_THERE,
        (
            ('WHERE name = ? AND hash = ? AND admin"', "WHERE name = ? AND ? != '' AND admin\""),
            _BODY_LATER,
        ),
    ),
    Attack(
        "02",
        "User added by a former admin",
        "CWE-367, CWE-266",
        on_basic.added_by_former_admin,
        NOT_THERE,
        (('AND hash = ? AND admin"', 'AND hash = ?"'), _BODY_LATER),
    ),
    Attack(
        "02",
        "A header that costs seconds",
        "CWE-407",
        on_basic.costly_header,
        FAILS,
        (("if len(text.encode()) > 4 * most:", "if text is None:"),),
    ),
    Attack(
        "02",
        "Upload without end",
        "CWE-770",
        on_basic.upload_without_end,
        NOT_THERE,
        (("=16384, MAX_FORM_MEMORY_SIZE=16384", "=10**9, MAX_FORM_MEMORY_SIZE=10**9"),),
    ),
    Attack(
        "02",
        "Memory filled with who was here",
        "CWE-770",
        on_basic.full_memory,
        NOT_THERE,
        (("if len(remembered) >= 10_000:", "if not remembered:"),),
    ),
    Attack(
        "02",
        "Old password still remembered",
        "CWE-613",
        on_basic.old_password,
        NOT_THERE,
        (("f\"{user['hash']}\\0{password}\"", "password"),),
    ),
    Attack(
        "02",
        "Colon in a user name",
        "RFC 7617 2",
        on_basic.colon_in_name,
        NOT_THERE,
        (('":" in username or ', ""),),
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
                "    if username is None or password is None:",
                '    app.logger.warning("%s %s", username, password)\n'
                "    if username is None or password is None:",
            ),
        ),
    ),
    Attack(
        "02",
        "Credential stuffing against the limit",
        "CWE-307",
        on_basic.stuffing,
        WORKS,
        (('app.config.get("GUESS_PAUSE", 300)', 'app.config.get("GUESS_PAUSE", 0)'),),
        long=True,
        file="beyond",
    ),
    Attack(
        "02",
        "Guesses sent at once",
        "CWE-307, CWE-362",
        on_basic.guesses_at_once,
        WORKS,
        (
            (
                "if count_guesses(name) < GUESSES:\n                    db",
                "if True:\n                    db",
            ),
            ("if count_guesses(name) < GUESSES:  #", "if True:  #"),
        ),
        settings=_LIMITED,
        long=True,
        file="beyond",
    ),
    Attack(
        "02",
        "Guesses at what is remembered",
        "CWE-307, CWE-204",
        on_basic.guesses_at_what_is_remembered,
        NOT_THERE,
        (
            ("    count_guesses(name)\n    user =", "    user ="),
            ("        remembered.pop(name, None)  # it", "        # it"),
        ),
        settings=_LIMITED,
        long=True,
        file="beyond",
    ),
    Attack(
        "02",
        "New guesses with each login of the owner",
        "CWE-307",
        on_basic.new_guesses_with_each_login,
        WORKS,
        (("AND address = ? AND wrong", "AND ? != '' AND wrong"),),
        settings=(*_LIMITED, ("PROXIES", 1)),
        long=True,
        file="beyond",
    ),
    *through_http("02", (WORKS,), (WORKS,)),
]

STILL_WORKS = [
    StillWorks("02", "Credential stuffing", "CWE-307", on_basic.stuffing, LIMIT, long=True),
    StillWorks("02", "Password read on the way", "RFC 7617 4", on_basic.on_the_way, TLS),
]
