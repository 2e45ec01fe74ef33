"""The rows of the table that every lesson with a scheme has."""

from dataclasses import replace

import on_http
from attack import FAILS, Attack

LIMIT = "Count wrong passwords for each name, as lesson 02's beyond.py does, and see its price."
TLS = "TLS. Nothing else hides what is sent."


def own_line(lesson, more):
    """Return app.py of a lesson with more lines before its protected page."""
    begin = {
        "02": '@app.get("/")\n@auth.login_required\ndef index():',
        "03": '@app.get("/")\n@app.get("/account")\n@auth.login_required',
        "04": '@app.get("/secured")\n@token_required\ndef secured():',
        "05": '@app.get("/")\ndef index():',
        "06": '@app.get("/")\n@login_required\ndef index():',
    }[lesson]
    return ((begin, f"{more}\n\n\n{begin}"),)


OPEN = 'def {}(any=""):\n    return "Hello, user1!\\n"'
TRUST_HEADER = (
    '@app.before_request\ndef trust():\n    if request.headers.get("X-Remote-User"):\n'
    '        return "Hello, user1!\\n"'
)


def through_http(lesson, twice, one):
    """Return the rows that every lesson with a scheme has; twice, one: naive.py and without."""
    every = '@app.get("/<path:any>")\n' + OPEN.format("other")
    puts = '@app.put("/")\n@app.put("/secured")\n' + OPEN.format("puts")
    rows = [
        Attack(
            lesson,
            "Identity in a header of a proxy",
            "CWE-290",
            on_http.name_in_another_header,
            FAILS,
            own_line(lesson, TRUST_HEADER),
        ),
        Attack(
            lesson,
            "Alternate name of a resource",
            "CWE-289",
            on_http.another_name_of_the_page,
            FAILS,
            own_line(lesson, every),
        ),
        Attack(
            lesson,
            "Verb tampering",
            "WSTG-INPV-03",
            on_http.another_method,
            FAILS,
            own_line(lesson, puts),
        ),
        Attack(
            lesson, "Folded header", "RFC 9112 5.2", on_http.hidden_in_a_fold, FAILS, servers=True
        ),
        Attack(
            lesson,
            "Blank before the colon, and other odd names",
            "RFC 9112 5.1",
            on_http.almost_its_name,
            FAILS,
            servers=True,
        ),
        Attack(
            lesson,
            "Request smuggling",
            "CWE-444, RFC 9112 11.2",
            on_http.smuggled,
            FAILS,
            servers=True,
        ),
    ]
    if twice:
        rows += [
            Attack(
                lesson,
                "Two Authorization headers",
                "RFC 9110 5.3",
                on_http.two_of_them,
                *twice,
                servers=True,
            ),
            Attack(
                lesson, "Two values in one header", "RFC 9110 11.6.2", on_http.in_one_header, *one
            ),
        ]
    return [replace(row, long=lesson != "03") for row in rows]


FIRST_VALUE = (
    (
        "sent = request.authorization\n",
        "from werkzeug.datastructures import Authorization\n\n        sent = request.headers.get("
        '"Authorization", "")\n        sent = Authorization.from_header(sent.split(",")[0])\n',
    ),
)
