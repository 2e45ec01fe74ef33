"""What is tried on lesson 03, and what becomes of it."""

import on_digest
import on_http
from attack import FAILS, NOT_THERE, WORKS, Attack, StillWorks
from table_http import through_http

_NO_USER = "ha1 = (user and user[algorithm]) or NOBODY"
_COMPARE = "hmac.compare_digest(right.encode(), sent.response.encode())"
_REFUSE = "            return None\n\n        ha1 ="
_IS_HERE = 'return (unquote(path, "latin-1"), query) == (here, asked.get("QUERY_STRING", ""))'
_SAY = (
    '            g.why = f"Your answer is for {sent.uri[:200]!r}, not for {asked[:200]!r}."\n'
    '            app.logger.warning("%s A proxy\'s doing? See FLASK_PROXIES in docs/serving.md.", '
    "g.why)\n"
)
_SWEEP = "WHERE made < ? LIMIT 100"

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
                "return None  # a nonce of someone else's making",
                "import datetime\n\n            random, made = b'', datetime.datetime.now()",
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
    Attack("03", "uri swapped", "RFC 7616 3.4.6", on_digest.uri_swapped, WORKS, servers=True),
    Attack(
        "03",
        "uri nearly the same",
        "RFC 7616 3.4.6, RFC 3986 6.2",
        on_digest.uri_nearly_the_same,
        WORKS,
        ((_IS_HERE, "return unquote(uri) == unquote(request.full_path.rstrip('?'))"),),
        servers=True,
    ),
    Attack(
        "03",
        "Prefix of one's own",
        "CWE-348",
        on_digest.prefix_of_ones_own,
        WORKS,
        (('if hops := app.config["PROXIES"]:', "if hops := 1:"),),
        servers=True,
    ),
    Attack(
        "03",
        "Shut out by a proxy's spelling",
        "RFC 7616 3.4.6",
        on_digest.shut_out_by_a_spelling,
        FAILS,
        ((_IS_HERE, 'return uri == request.environ.get("RAW_URI")'),),
        servers=True,
    ),
    Attack(
        "03",
        "uri swapped, unnoticed",
        "RFC 7616 3.4.6, CWE-778",
        on_digest.uri_swapped_unnoticed,
        WORKS,
        ((_SAY, ""),),
    ),
    Attack(
        "03",
        "Log forged by uri",
        "CWE-117",
        on_digest.log_forged,
        FAILS,
        (("{sent.uri[:200]!r}", "{sent.uri[:200]}"),),
    ),
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
        ((_NO_USER, "ha1 = store.find_user('user2')[algorithm]"),),
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
                '            return by and by.type == "basic" and store.find_user(by.username)\n\n'
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
    Attack(
        "03",
        "One request sweeps for all",
        "CWE-407, API4:2023",
        on_digest.swept_at_once,
        NOT_THERE,
        ((_SWEEP, "WHERE made < ?"),),
    ),
    Attack(
        "03",
        "Used counts that are never swept",
        "CWE-400, API4:2023",
        on_digest.never_swept,
        NOT_THERE,
        ((_SWEEP, "WHERE made < ? LIMIT 0"),),
    ),
    Attack(
        "03",
        "HA1 that isn't kept",
        "CWE-754",
        on_digest.ha1_that_is_not_kept,
        NOT_THERE,
        ((_NO_USER, "ha1 = user[algorithm] if user else NOBODY"),),
    ),
    Attack(
        "03",
        "HA1 in MD5 after it was forgotten",
        "CWE-212",
        on_digest.md5_forgotten,
        NOT_THERE,
        (('SET "MD5" = NULL', 'SET "MD5" = "MD5"'),),
        settings=(("REFUSE_MD5", 1),),
        file="beyond",
    ),
    Attack(
        "03",
        "Start kept waiting by a writer",
        "CWE-667",
        on_digest.start_kept_waiting,
        NOT_THERE,
        (
            (
                'del HASHES["MD5"]',
                "with app.app_context():\n        db().execute('UPDATE users SET \"MD5\" = NULL')"
                '\n    del HASHES["MD5"]',
            ),
        ),
        settings=(("REFUSE_MD5", 1),),
        file="beyond",
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
                'if not user:\n            raise BadSignature("No such user.")\n'
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
                "all(a == b and not __import__('time').sleep(0.001)"
                " for a, b in zip(right, sent.response))",
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
        "RFC 7616 5.7",
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
