"""What is tried on lesson 04, and what becomes of it."""

import on_jwt
from attack import FAILS, NOT_THERE, WORKS, Attack, StillWorks
from table_http import FIRST_VALUE, LIMIT, through_http

_RIGHT = "right = argon2id.verify(password, stored or NOBODY)"
_USER_FIRST = ((_RIGHT, "right = bool(stored) and argon2id.verify(password, stored)"),)
_TOLD = ((_RIGHT, f"if not user:\n            abort(404)\n        {_RIGHT}"),)
_STILL = 'return now if stored and right and now and now["hash"] == stored else None'
_KEY = (
    'app.secret_key,\n        algorithms=["HS256"],  # ours, never the one that the token asks for'
)
_HEAD = "jwt.get_unverified_header(token)"
_OPTIONS = '"verify_iat": False}'
_UNSIGNED = ((_OPTIONS, '"verify_iat": False, "verify_signature": False}'),)


def _key_of(expression):
    """Return app.py of lesson 04 with the key and the algorithms that the token asks for."""
    every = '["HS256", "RS256", "PS256", "ES256", "EdDSA"]'
    return ((_KEY, f"{expression},\n        algorithms={every},"),)


_NO_TOKEN = "        if not sent:  # no token at all"
_PASS_CRIT = (("import jwt\n", "import jwt\n\njwt.PyJWS._validate_crit = lambda *a, **k: None\n"),)
_SLOW = (
    "import jwt\n\njwt.algorithms.hmac.compare_digest = lambda a, b: len(a) == len(b) and all(\n"
    "    x == y and not time.sleep(0.001) for x, y in zip(a, b)\n)\n"
)

_BEYOND = [
    Attack(
        "04",
        "Refresh token of a thief",
        "RFC 9700 4.14.2",
        on_jwt.refresh_by_a_thief,
        NOT_THERE,
        (('end_login(row["id"], None)', "pass"),),
        file="beyond",
    ),
    Attack(
        "04",
        "Refresh after another password",
        "CWE-613",
        on_jwt.refresh_after_another_password,
        NOT_THERE,
        (('row and row["password"] == digest(row["hash"])', "row"),),
        file="beyond",
    ),
    Attack(
        "04",
        "After logout everywhere",
        "CWE-613",
        on_jwt.after_logout_everywhere,
        NOT_THERE,
        (("store.is_revoked, store.revoke = is_revoked, end_login", "#"),),
        file="beyond",
    ),
    Attack(
        "04",
        "Logout of somebody else",
        "CWE-645",
        on_jwt.logout_of_another,
        NOT_THERE,
        (
            ('jti = f"{digest(begun)}.', 'jti = f"{begun}.'),
            (
                'return find_login(jti.partition(".")[0]) is None',
                'return find_login(digest(jti.partition(".")[0])) is None',
            ),
        ),
        file="beyond",
    ),
    Attack(
        "04",
        "Upload to fill the disk",
        "CWE-400",
        on_jwt.upload,
        NOT_THERE,
        (("=16384, MAX_FORM_MEMORY_SIZE=16384", "=10**9, MAX_FORM_MEMORY_SIZE=10**9"),),
        file="beyond",
    ),
    Attack(
        "04",
        "A quarter of a million logins",
        "CWE-407",
        on_jwt.many_rows,
        NOT_THERE,
        (("logins (id TEXT PRIMARY KEY", "logins (id TEXT"),),
        long=True,
        file="beyond",
    ),
]
_API_KEYS = [
    Attack(
        "04",
        "Key of a user who is gone",
        "CWE-613",
        on_jwt.key_of_one_who_is_gone,
        NOT_THERE,
        (("WHERE owner = OLD.name", "WHERE owner = 1"),),
        file="api_keys",
    ),
    Attack(
        "04",
        "Revoke another user's key",
        "API1:2023, CWE-639",
        on_jwt.key_of_another,
        NOT_THERE,
        (("keys WHERE id = ? AND owner = ?", "keys WHERE id = ? AND owner != ?"),),
        file="api_keys",
    ),
    Attack(
        "04",
        "Write with a key to read",
        "API5:2023, CWE-285",
        on_jwt.key_beyond_its_scope,
        NOT_THERE,
        (('SCOPES[: SCOPES.index(user["scope"]) + 1]', "SCOPES"),),
        file="api_keys",
    ),
    Attack(
        "04",
        "Key by a token that was logged out",
        "CWE-367",
        on_jwt.key_by_a_token_logged_out,
        NOT_THERE,
        (
            ("    _ = request.form\n", ""),
            ("    app.before_request(refuse_broken_request)\n", ""),
            (" AND NOT EXISTS (SELECT 1 FROM revoked WHERE jti = ?)", " AND ? != ''"),
        ),
        file="api_keys",
    ),
    Attack(
        "04",
        "Keys without end",
        "API4:2023, CWE-770",
        on_jwt.keys_without_end,
        NOT_THERE,
        (("(SELECT count(*) FROM keys WHERE owner = users.name) < ?", "0 < ?"),),
        file="api_keys",
    ),
    Attack(
        "04",
        "Key in a stolen backup",
        "CWE-312",
        on_jwt.key_in_the_database,
        NOT_THERE,
        (("row = [digest(key), id,", "row = [key, id,"),),
        file="api_keys",
    ),
]

JWT = [
    Attack(
        "04",
        "alg none, in every spelling",
        "RFC 8725 3.1, CWE-347",
        on_jwt.alg_none,
        FAILS,
        (
            (
                _OPTIONS,
                f'"verify_iat": False, "verify_signature": {_HEAD}.get("alg") != "none"}}',
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
        _key_of(f'jwt.PyJWK({_HEAD}["jwk"]).key if "jwk" in {_HEAD} else app.secret_key'),
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
        _key_of(
            f'__import__("pathlib").Path(str({_HEAD}["kid"])).read_bytes()'
            f' if "kid" in {_HEAD} else app.secret_key'
        ),
    ),
    Attack(
        "04",
        "jku, x5u: an address",
        "RFC 8725 3.10, CWE-918",
        on_jwt.key_from_an_address,
        FAILS,
        _key_of(
            '__import__("urllib.request").request.urlopen('
            f'{_HEAD}["jku"]).read() if "jku" in {_HEAD} else app.secret_key'
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
        ((_OPTIONS, '"verify_iat": False, "verify_exp": False}'),),
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
        (('g.claims.get("scope") != "admin"', "not g.claims"),),
    ),
    Attack(
        "04",
        "A scope that is nearly the admin's",
        "CWE-863",
        on_jwt.scope_nearly,
        NOT_THERE,
        (('g.claims.get("scope") != "admin"', '"admin" not in str(g.claims.get("scope"))'),),
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
                '        if credentials("basic"):\n            g.claims = {"sub": password_owner()'
                '["name"]}\n            return view()\n' + _NO_TOKEN,
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
        (('re.sub(r"[^ !#-\\[\\]-~]", "\'", sentence[:200])', "sentence"),),
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
    Attack(
        "04",
        "User removed, or password changed, during the login",
        "CWE-367",
        on_jwt.right_that_ends_meanwhile,
        NOT_THERE,
        ((_STILL, "return user if right else None"),),
    ),
    Attack(
        "04",
        "Password of combining marks",
        "CWE-407, UAX 15",
        on_jwt.marks_without_end,
        FAILS,
        (("if len(text.encode()) > 4 * most:", "if False:"),),
    ),
    *_BEYOND,
    *_API_KEYS,
    *through_http("04", (NOT_THERE, FIRST_VALUE), (NOT_THERE, FIRST_VALUE)),
]

STILL_WORKS = [
    StillWorks("04", "Credential stuffing", "CWE-307", on_jwt.stuffing, LIMIT, long=True),
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
]
