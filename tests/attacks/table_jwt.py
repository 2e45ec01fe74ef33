"""What is tried on lesson 04, and what becomes of it."""

import on_jwt
from attack import FAILS, NOT_THERE, WORKS, Attack, StillWorks
from table_http import FIRST_VALUE, LIMIT, through_http

_VERIFY = 'argon2id.verify(password, user["hash"] if user else NOBODY) and user:'
_USER_FIRST = ((_VERIFY, 'user and argon2id.verify(password, user["hash"]):'),)
_TOLD = ((f"if {_VERIFY}", f"if not user:\n                abort(404)\n            if {_VERIFY}"),)
_KEY = 'KEY,\n            algorithms=["HS256"],  # ours, never the one that the token asks for'
_HEAD = "jwt.get_unverified_header(sent.token)"
_UNSIGNED = (('"strict_aud": True}', '"strict_aud": True, "verify_signature": False}'),)


def _key_of(expression):
    """Return app.py of lesson 04 with the key and the algorithms that the token asks for."""
    every = '["HS256", "RS256", "PS256", "ES256", "EdDSA"]'
    return ((_KEY, f"{expression},\n            algorithms={every},"),)


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
