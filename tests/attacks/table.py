"""The table of attacks: what is tried on each lesson, and what becomes of it.

Names are those of OWASP's and MITRE's lists; references are the RFC's section where one speaks of
it. `without` in a row is app.py with its defence taken out: there the attack succeeds, so that a
"fails" in the table means something.
"""

from dataclasses import replace

import on_basic
import on_digest
import on_hashing
import on_http
import on_jwt
import on_otp
from attack import FAILS, NOT_THERE, WORKS, Attack, StillWorks

_VERIFY = 'argon2id.verify(password, user["hash"] if user else NOBODY) and user:'
_USER_FIRST = ((_VERIFY, 'user and argon2id.verify(password, user["hash"]):'),)
_TOLD = ((f"if {_VERIFY}", f"if not user:\n                abort(404)\n            if {_VERIFY}"),)
_KEY = 'KEY,\n            algorithms=["HS256"],  # ours, never the one that the token asks for'
_HEAD = "jwt.get_unverified_header(sent.token)"
_UNSIGNED = (('"strict_aud": True}', '"strict_aud": True, "verify_signature": False}'),)
_WEAK_HASH = (("memory_cost=19456", "memory_cost=1024"),)
_NO_CSRF = (('if request.method == "POST" and "-site"', 'if not "POST" and "-site"'),)


def _key_of(expression):
    """Return app.py of lesson 04 with the key and the algorithms that the token asks for."""
    every = '["HS256", "RS256", "PS256", "ES256", "EdDSA"]'
    return ((_KEY, f"{expression},\n            algorithms={every},"),)


def _own_line(lesson, more):
    """Return app.py of a lesson with more lines before its protected page."""
    begin = {
        "02": '@app.get("/")\n@auth.login_required\ndef index():',
        "03": '@app.get("/")\n@app.get("/account")\n@auth.login_required',
        "04": '@app.get("/secured")\ndef secured():',
        "05": '@app.get("/")\ndef index():',
    }[lesson]
    return ((begin, f"{more}\n\n\n{begin}"),)


_OPEN = 'def {}(any=""):\n    return "Hello, user1!\\n"'
_TRUST_HEADER = (
    '@app.before_request\ndef trust():\n    if request.headers.get("X-Remote-User"):\n'
    '        return "Hello, user1!\\n"'
)


def _through_http(lesson, twice, one):
    """Return the rows that every lesson with a scheme has; twice, one: naive.py and without."""
    every = '@app.get("/<path:any>")\n' + _OPEN.format("other")
    puts = '@app.put("/")\n@app.put("/secured")\n' + _OPEN.format("puts")
    rows = [
        Attack(
            lesson,
            "Identity in a header of a proxy",
            "CWE-290",
            on_http.name_in_another_header,
            FAILS,
            _own_line(lesson, _TRUST_HEADER),
        ),
        Attack(
            lesson,
            "Alternate name of a resource",
            "CWE-289",
            on_http.another_name_of_the_page,
            FAILS,
            _own_line(lesson, every),
        ),
        Attack(
            lesson,
            "Verb tampering",
            "WSTG-INPV-03",
            on_http.another_method,
            FAILS,
            _own_line(lesson, puts),
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


_FIRST_VALUE = (
    (
        "sent = request.authorization\n",
        "from werkzeug.datastructures import Authorization\n\n        sent = request.headers.get("
        '"Authorization", "")\n        sent = Authorization.from_header(sent.split(",")[0])\n',
    ),
)

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
    *_through_http("02", (WORKS,), (WORKS,)),
]

_NO_USER = "ha1 = user[algorithm] if user else NOBODY"
_COMPARE = "hmac.compare_digest(right.encode(), sent.response.encode())"
_REFUSE = "            return None\n\n        ha1 ="

DIGEST = [
    Attack("03", "Replay", "RFC 7616 5.5, CWE-294", on_digest.replay, WORKS),
    Attack("03", "Replay, many at once", "CWE-367", on_digest.replay_at_once, WORKS),
    Attack("03", "Replay of a count", "RFC 7616 3.4", on_digest.replay_of_a_count, WORKS),
    Attack(
        "03", "Replay in another spelling", "CWE-294", on_digest.replay_in_another_spelling, WORKS
    ),
    Attack(
        "03",
        "Nonce forged",
        "RFC 7616 3.3",
        on_digest.nonce_forged,
        FAILS,
        (
            (
                "except BadSignature:\n            return None",
                "except BadSignature:\n            pass",
            ),
        ),
    ),
    Attack(
        "03",
        "Nonce stale",
        "RFC 7616 5.4",
        on_digest.nonce_stale,
        WORKS,
        settings=(("NONCE_LIFETIME", 1),),
        long=True,
    ),
    Attack("03", "Nonce exhausted", "RFC 7616 3.4", on_digest.nonce_exhausted, WORKS),
    Attack("03", "Downgrade: no qop", "RFC 7616 5.8, CWE-757", on_digest.without_qop, WORKS),
    Attack(
        "03",
        "Downgrade: another qop",
        "RFC 7616 3.4",
        on_digest.other_qop,
        FAILS,
        (
            (
                '(sent.realm, sent.qop, sent.opaque) != (REALM, "auth", OPAQUE)',
                "(sent.realm, sent.opaque) != (REALM, OPAQUE)",
            ),
        ),
    ),
    Attack(
        "03",
        "Downgrade: another algorithm",
        "RFC 7616 3.4, CWE-757",
        on_digest.other_algorithm,
        WORKS,
    ),
    Attack("03", "Another realm", "RFC 7616 3.4", on_digest.other_realm, WORKS),
    Attack(
        "03",
        "Another opaque",
        "RFC 7616 3.4",
        on_digest.other_opaque,
        FAILS,
        (
            (
                '(sent.realm, sent.qop, sent.opaque) != (REALM, "auth", OPAQUE)',
                '(sent.realm, sent.qop) != (REALM, "auth")',
            ),
        ),
    ),
    Attack("03", "uri swapped", "RFC 7616 3.4.6", on_digest.uri_swapped, WORKS),
    Attack(
        "03",
        "Method swapped",
        "RFC 7616 3.4.3",
        on_digest.method_swapped,
        FAILS,
        (("H(algorithm, request.method, sent.uri)", 'H(algorithm, "GET", sent.uri)'),),
    ),
    Attack(
        "03",
        "User swapped",
        "CWE-290",
        on_digest.user_swapped,
        FAILS,
        ((_NO_USER, "ha1 = find_user('user2')[algorithm]"),),
    ),
    Attack(
        "03",
        "Parameter twice",
        "RFC 9110 11.2",
        on_digest.parameter_twice,
        WORKS,
    ),
    Attack(
        "03",
        "Response cut off",
        "CWE-347",
        on_digest.cut_response,
        FAILS,
        ((_COMPARE, "right.startswith(sent.response)"),),
    ),
    Attack(
        "03",
        "Basic instead",
        "RFC 7616 5.6",
        on_digest.basic_instead,
        FAILS,
        (
            (
                _REFUSE,
                "            by = request.authorization\n"
                '            return by and by.type == "basic" and find_user(by.username)\n\n'
                "        ha1 =",
            ),
        ),
    ),
    Attack(
        "03",
        "Header injection by cnonce",
        "CWE-113",
        on_digest.header_by_cnonce,
        NOT_THERE,
        (
            (
                '            or not re.fullmatch(r"[ !#-\\[\\]-~]+", sent.cnonce or "")\n',
                "            or not sent.cnonce\n",
            ),
        ),
    ),
    Attack("03", "Server impersonated", "RFC 7616 3.5", on_digest.fake_server, WORKS),
    Attack(
        "03",
        "User enumeration by the answer",
        "CWE-204, WSTG-IDNT-04",
        on_digest.enumeration_by_answer,
        FAILS,
        (
            (
                _NO_USER,
                'if not user:\n            raise ServiceUnavailable("No such user.")\n'
                "        ha1 = user[algorithm]",
            ),
        ),
    ),
    Attack(
        "03",
        "Timing of the comparison",
        "CWE-208",
        on_digest.comparison_by_time,
        FAILS,
        (
            (
                _COMPARE,
                "all(a == b and not time.sleep(0.001) for a, b in zip(right, sent.response))",
            ),
        ),
        long=True,
    ),
    *_through_http("03", None, None),
]

_NO_TOKEN = "    if not sent:  # no token at all"
_PASS_CRIT = (("import jwt\n", "import jwt\n\njwt.PyJWS._validate_crit = lambda *a, **k: None\n"),)
_SLOW = (
    "import jwt\n\njwt.algorithms.hmac.compare_digest = lambda a, b: len(a) == len(b) and all(\n"
    "    x == y and not time.sleep(0.001) for x, y in zip(a, b)\n)\n"
)

JWT = [
    Attack(
        "04",
        "alg none, in every spelling",
        "RFC 8725 3.1, CWE-347",
        on_jwt.alg_none,
        FAILS,
        (
            (
                '"strict_aud": True}',
                f'"strict_aud": True, "verify_signature": {_HEAD}.get("alg") != "none"}}',
            ),
        ),
    ),
    Attack("04", "No signature", "RFC 7515 5.2, CWE-347", on_jwt.no_signature, FAILS, _UNSIGNED),
    Attack("04", "Claims edited", "CWE-345", on_jwt.claims_edited, FAILS, _UNSIGNED),
    Attack(
        "04",
        "Downgrade to another HMAC",
        "RFC 8725 3.1",
        on_jwt.other_hash,
        FAILS,
        (('algorithms=["HS256"],', 'algorithms=["HS256", "HS384", "HS512"],'),),
    ),
    Attack(
        "04",
        "Key in the header (jwk)",
        "RFC 8725 2.9, CVE-2018-0114",
        on_jwt.own_key_in_the_header,
        FAILS,
        _key_of(f'jwt.PyJWK({_HEAD}["jwk"]).key if "jwk" in {_HEAD} else KEY'),
    ),
    Attack(
        "04",
        "Algorithm confusion",
        "RFC 8725 2.1, CVE-2015-9235",
        on_jwt.public_key_as_secret,
        FAILS,
        _key_of("REALM"),
        long=True,
    ),
    Attack(
        "04",
        "kid: a path, SQL",
        "RFC 8725 3.10",
        on_jwt.kid_names_a_file,
        FAILS,
        _key_of(f'Path(str({_HEAD}["kid"])).read_bytes() if "kid" in {_HEAD} else KEY'),
    ),
    Attack(
        "04",
        "jku, x5u: an address",
        "RFC 8725 3.10, CWE-918",
        on_jwt.key_from_an_address,
        FAILS,
        _key_of(
            '__import__("urllib.request").request.urlopen('
            f'{_HEAD}["jku"]).read() if "jku" in {_HEAD} else KEY'
        ),
    ),
    Attack("04", "crit: an unknown extension", "RFC 7515 4.1.11", on_jwt.crit, FAILS, _PASS_CRIT),
    Attack("04", "Claims missing", "RFC 8725 3.8", on_jwt.claims_missing, WORKS, long=True),
    Attack(
        "04",
        "Claims of the wrong type",
        "RFC 7519 4.1",
        on_jwt.claims_of_wrong_type,
        WORKS,
        long=True,
    ),
    Attack(
        "04",
        "Claims far in the future",
        "RFC 7519 4.1.4",
        on_jwt.far_in_the_future,
        WORKS,
        long=True,
    ),
    Attack(
        "04",
        "Expired token",
        "RFC 7519 4.1.4, CWE-613",
        on_jwt.expired,
        FAILS,
        (('"strict_aud": True}', '"strict_aud": True, "verify_exp": False}'),),
    ),
    Attack(
        "04",
        "Token of another lesson",
        "RFC 8725 2.7, 2.8",
        on_jwt.of_another_lesson,
        WORKS,
        long=True,
    ),
    Attack("04", "Token of another key", "CWE-347", on_jwt.of_another_key, FAILS, _UNSIGNED),
    Attack("04", "Key brute force", "RFC 8725 2.2, CWE-521", on_jwt.key_from_a_list, WORKS),
    Attack("04", "Anybody's token", "CWE-798", on_jwt.anybodys_token, WORKS),
    Attack("04", "Token of nobody", "RFC 8725 3.8", on_jwt.user_who_is_gone, WORKS),
    Attack(
        "04",
        "Privilege escalation",
        "CWE-269",
        on_jwt.scope_of_another,
        NOT_THERE,
        (('claims.get("scope") != "admin"', "not claims"),),
    ),
    Attack(
        "04",
        "A scope that is nearly the admin's",
        "CWE-863",
        on_jwt.scope_nearly,
        NOT_THERE,
        (('claims.get("scope") != "admin"', '"admin" not in str(claims.get("scope"))'),),
        long=True,
    ),
    Attack("04", "After logout", "CWE-613", on_jwt.after_logout, WORKS),
    Attack(
        "04",
        "After logout, in another spelling",
        "RFC 4648 3.5",
        on_jwt.after_logout_in_another_spelling,
        WORKS,
    ),
    Attack(
        "04",
        "Token in the address, so in the log",
        "RFC 6750 5.3, CWE-598",
        on_jwt.token_in_the_address,
        WORKS,
        long=True,
    ),
    Attack("04", "Token where none belongs", "RFC 6750 2", on_jwt.in_other_places, WORKS),
    Attack(
        "04",
        "Password for a token",
        "RFC 6750 2.1",
        on_jwt.basic_for_bearer,
        FAILS,
        (
            (
                _NO_TOKEN,
                '    if credentials("basic"):\n        return {"sub": password_owner()["name"]}\n'
                + _NO_TOKEN,
            ),
        ),
    ),
    Attack(
        "04",
        "JSON that is odd or deep",
        "RFC 8725 2.6, CWE-674",
        on_jwt.nested,
        FAILS,
        (("(jwt.InvalidTokenError, RecursionError, UnicodeError)", "jwt.InvalidTokenError"),),
        long=True,
    ),
    Attack(
        "04",
        "Injection into error_description",
        "RFC 6750 3, CWE-113",
        on_jwt.words_in_the_error,
        FAILS,
        (('re.sub(r"[^ !#-\\[\\]-~]", "\'", str(error))', "str(error)"),),
    ),
    Attack(
        "04",
        "User enumeration by the answer",
        "CWE-204, WSTG-IDNT-04",
        on_jwt.enumeration_by_answer,
        NOT_THERE,
        _TOLD,
    ),
    Attack(
        "04",
        "User enumeration by time",
        "CWE-208",
        on_jwt.enumeration_by_time,
        NOT_THERE,
        _USER_FIRST,
        long=True,
    ),
    Attack(
        "04",
        "Timing of the signature's comparison",
        "CWE-208",
        on_jwt.comparison_by_time,
        FAILS,
        (("import jwt\n", _SLOW),),
        long=True,
    ),
    *_through_http("04", (NOT_THERE, _FIRST_VALUE), (NOT_THERE, _FIRST_VALUE)),
]

_CODE = 'not re.fullmatch("[0-9]{6}", code) or not (use_pin(user, code) or use_totp(user, code)):'

OTP = [
    Attack(
        "05",
        "Second factor left out",
        "CWE-308, WSTG-ATHN-11",
        on_otp.password_alone,
        FAILS,
        (
            (
                "    if not code:\n        refuse_with",
                "    if not code:\n        return\n        refuse_with",
            ),
        ),
        long=True,
    ),
    Attack(
        "05",
        "First factor left out",
        "CWE-287",
        on_otp.code_alone,
        FAILS,
        ((f"if {_VERIFY}", "if user:"),),
    ),
    Attack("05", "PIN in the answer", "CWE-200", on_otp.pin_in_the_answer, WORKS),
    Attack("05", "PIN too short", "CWE-334", on_otp.pin_space, WORKS, long=True),
    Attack("05", "PIN guessing", "RFC 4226 7.3, CWE-307", on_otp.pin_guessed, WORKS, long=True),
    Attack(
        "05", "PIN guessing, many at once", "CWE-362", on_otp.pin_guessed_at_once, WORKS, long=True
    ),
    Attack(
        "05",
        "PIN guessing, with a new PIN in between",
        "CWE-307",
        on_otp.limit_begins_anew,
        WORKS,
        long=True,
    ),
    Attack(
        "05",
        "PIN guessing from many addresses",
        "CWE-307, CWE-290",
        on_otp.limit_by_sender,
        WORKS,
        long=True,
    ),
    Attack(
        "05",
        "Many codes in one request",
        "CWE-307",
        on_otp.two_codes,
        FAILS,
        ((_CODE, 'not any(use_pin(user, one.strip()) for one in code.split(",")):'),),
    ),
    Attack("05", "PIN replay", "CWE-294", on_otp.pin_twice, WORKS),
    Attack("05", "PIN replay, at once", "CWE-367", on_otp.pin_twice_at_once, WORKS),
    Attack(
        "05",
        "PIN of before",
        "CWE-613",
        on_otp.pin_of_before,
        FAILS,
        (("WHERE name = ? AND pin = ?", "WHERE name = ? AND ? > ''"),),
    ),
    Attack(
        "05",
        "PIN of another user",
        "CWE-287",
        on_otp.pin_of_another,
        FAILS,
        (
            ("WHERE name = ? AND pin = ?", "WHERE ? > '' AND pin = ?"),
            ("f\"{user['name']}\\0{pin}\"", "pin"),
        ),
    ),
    Attack(
        "05",
        "PIN after its end",
        "CWE-613",
        on_otp.pin_too_late,
        WORKS,
        settings=(("PIN_LIFETIME", 1),),
        long=True,
    ),
    Attack("05", "Code replay", "RFC 6238 5.2", on_otp.code_twice, WORKS),
    Attack(
        "05",
        "Code replay in another place",
        "RFC 6238 5.2",
        on_otp.code_twice_in_another_place,
        WORKS,
    ),
    Attack("05", "Code out of its time", "RFC 6238 5.2", on_otp.code_out_of_time, WORKS),
    Attack(
        "05",
        "Second phone by the password",
        "CWE-308",
        on_otp.phone_of_the_thief,
        WORKS,
    ),
    Attack(
        "05",
        "Secret without the password",
        "CWE-306",
        on_otp.secret_without_password,
        FAILS,
        (
            (
                'user = password_owner()\n    if user["secret"]',
                'user = db().execute("SELECT * FROM users").fetchone()\n    if user["secret"]',
            ),
        ),
    ),
    Attack(
        "05",
        "Code in another spelling",
        "CWE-176",
        on_otp.odd_digits,
        FAILS,
        ((_CODE, "not (use_pin(user, code) or use_totp(user, code)):"),),
        long=True,
    ),
    Attack(
        "05",
        "Stolen table, PIN readable",
        "CWE-916",
        on_otp.stolen_table,
        NOT_THERE,
        (
            (
                'return hmac.digest(KEY, f"{user[\'name\']}\\0{pin}".encode(), "sha256")',
                "return pin",
            ),
        ),
    ),
    Attack("05", "Cross-site request forgery", "CWE-352", on_otp.form_of_another_site, WORKS),
    Attack(
        "05",
        "User enumeration by the answer",
        "CWE-204, WSTG-IDNT-04",
        on_otp.enumeration_by_answer,
        FAILS,
        _TOLD,
    ),
    Attack(
        "05",
        "User enumeration by time",
        "CWE-208",
        on_otp.enumeration_by_time,
        FAILS,
        _USER_FIRST,
        long=True,
    ),
    *_through_http("05", (WORKS,), (WORKS,)),
]

ATTACKS = [*HASHING, *BASIC, *DIGEST, *JWT, *OTP]

_LIMIT = "Count wrong passwords for each name, as lesson 02's beyond.py does, and see its price."
_TLS = "TLS. Nothing else hides what is sent."

STILL_WORKS = [
    StillWorks("01", "Credential stuffing", "CWE-307", on_hashing.stuffing, _LIMIT, long=True),
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
    StillWorks("02", "Credential stuffing", "CWE-307", on_basic.stuffing, _LIMIT, long=True),
    StillWorks(
        "01",
        "Registering without end",
        "CWE-770, API4:2023",
        on_hashing.without_end,
        "Limit registrations for each sender, or confirm them by mail.",
    ),
    StillWorks("02", "Password read on the way", "RFC 7617 4", on_basic.on_the_way, _TLS),
    StillWorks(
        "03",
        "Two Authorization headers",
        "RFC 9110 5.3",
        on_http.two_of_them,
        "A proxy in front that refuses them: WSGI joins the two with a comma, as if they were one.",
        servers=True,
    ),
    StillWorks(
        "03",
        "Dictionary attack on a header that was seen",
        "RFC 7616 5.9, 5.10",
        on_digest.words_offline,
        "TLS, and passwords that are in no list.",
    ),
    StillWorks(
        "03",
        "Stolen HA1",
        "RFC 7616 5.2",
        on_digest.stolen_ha1,
        "Another scheme: what the server keeps for Digest is as good as the password.",
    ),
    StillWorks(
        "03",
        "Downgrade to MD5 by a man in the middle",
        "RFC 7616 5.6, 5.8",
        on_digest.md5_for_sha256,
        "TLS, or FLASK_REFUSE_MD5=1 in beyond.py, which shuts out clients that know only MD5.",
    ),
    StillWorks("04", "Credential stuffing", "CWE-307", on_jwt.stuffing, _LIMIT, long=True),
    StillWorks(
        "04",
        "Stolen token, until logout or its end",
        "RFC 6750 5.1",
        on_jwt.stolen,
        "TLS, short lifetimes, and tokens that are bound to a key of the client (RFC 9449).",
    ),
    StillWorks(
        "04",
        "Scope of yesterday",
        "CWE-613",
        on_jwt.scope_of_yesterday,
        "Short lifetimes, or to look the right up at each request, and then why a token.",
    ),
    StillWorks(
        "05",
        "Credential stuffing of the first factor",
        "CWE-307",
        on_otp.stuffing,
        _LIMIT,
        long=True,
    ),
    StillWorks(
        "05",
        "First phone by the password",
        "CWE-308",
        on_otp.phone_of_the_thief_first,
        "Demand a PIN from the mailbox before the first phone is enrolled.",
    ),
    StillWorks(
        "05",
        "Lock-out by who knows the password",
        "CWE-645",
        on_otp.locked_out,
        "None that keeps the limit. Tell the owner by mail, who then changes the password.",
        long=True,
    ),
    StillWorks(
        "05",
        "Patient guessing of codes",
        "RFC 4226 7.3",
        on_otp.patient_guesses,
        "Pauses that grow, and a letter to the owner.",
        settings=(("LOCKOUT", 1),),
        long=True,
    ),
    StillWorks(
        "05",
        "Code asked for by a fake page",
        "RFC 6238 5.1, CWE-451",
        on_otp.read_on_the_phone_line,
        "A second factor that is bound to the site: WebAuthn.",
    ),
]
