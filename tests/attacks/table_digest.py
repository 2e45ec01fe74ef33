"""What is tried on lesson 03, and what becomes of it."""

import on_digest
import on_http
from attack import FAILS, NOT_THERE, WORKS, Attack, StillWorks
from table_http import through_http

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
    *through_http("03", None, None),
]

STILL_WORKS = [
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
]
