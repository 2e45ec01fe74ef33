"""What is tried on lesson 08, and what becomes of it."""

import on_oidc
from attack import FAILS, NOT_THERE, WORKS, Attack, StillWorks

_UNVERIFIED = (
    '__import__("json").loads(__import__("base64").urlsafe_b64decode(token.split(".")[1] + "=="))'
)
_ELSEWHERE = 'if there.scheme != "https" and there[:2] != here[:2]:'
_NOT_ABS = 'if time.time() - self.server_metadata.get("_loaded_at", 0) > 600:'
_BEGINS = 'return uri.startswith(tuple(one.rsplit("/", 1)[0] for one in self["redirect_uris"]))'
_EVER = "        WHERE ? != ?"
_REVIVES = (
    'db().execute("DELETE FROM sessions WHERE digest = ?", [row["digest"]])  # for good',
    "pass",
)
_CLOCK = (("clock", True),)
_WORKS = [  # name, reference, function
    ("ID token without a signature", "RFC 8725 3.2", on_oidc.unsigned),
    ("ID token signed with the public key", "RFC 8725 2.1", on_oidc.signed_with_the_public_key),
    ("ID token of a stranger's key", "OIDC Core 3.1.3.7", on_oidc.signed_by_a_stranger),
    ("ID token for another client", "OIDC Core 3.1.3.7", on_oidc.for_another_client),
    ("ID token of another login", "OIDC Core 3.1.3.7", on_oidc.of_another_login),
    ("ID token of another issuer", "OIDC Core 3.1.3.7", on_oidc.of_another_issuer),
    ("ID token of another time", "OIDC Core 3.1.3.7", on_oidc.of_another_time),
    ("Code of somebody else's login", "RFC 9700 4.5", on_oidc.stolen_code),
    ("Access token as an identity card", "RFC 9700 4.6", on_oidc.access_token_of_another_site),
    ("Another's mail address", "OIDC Core 5.7", on_oidc.same_mail_address),
    ("Cookie forged with a known key", "CWE-321", on_oidc.forged_cookie),
    ("Copied cookie after logout", "CWE-613", on_oidc.copied_cookie),
    ("Token in log, page or cookie", "RFC 9700 4.2, CWE-532", on_oidc.leaked_token),
]

OIDC = [
    *(Attack("08", name, reference, run, WORKS) for name, reference, run in _WORKS),
    Attack(
        "08",
        "Answer of another provider (mix-up)",
        "RFC 9700 4.4, RFC 9207",
        on_oidc.answer_of_another_provider,
        WORKS,
        (('if request.args.get("iss", None if named else issuer) != issuer:', "if False:"),),
    ),
    Attack(
        "08",
        "Code sent elsewhere",
        "RFC 9700 4.1.1",
        on_oidc.code_sent_elsewhere,
        NOT_THERE,
        (('return uri in self["redirect_uris"]', _BEGINS),),
        file="provider",
    ),
    Attack(
        "08",
        "Login pushed on a victim (login CSRF)",
        "RFC 9700 4.7",
        on_oidc.pushed_login,
        WORKS,
        (('return session.setdefault("browser", token_urlsafe(16))', 'return ""'),),
    ),
    Attack(
        "08",
        "Logout by another page",
        "CWE-352",
        on_oidc.logout_by_another_page,
        WORKS,
        (("    sessions.refuse_forged_form()\n", ""),),
    ),
    Attack(
        "08",
        "Name that is a script",
        "CWE-79",
        on_oidc.name_as_markup,
        WORKS,
        (("{{ user.name }}", "{{ user.name|safe }}"),),
    ),
    Attack(
        "08",
        "False logout token",
        "OIDC Back-Channel Logout 2.6",
        on_oidc.false_logout,
        NOT_THERE,
        (('claims_of(token, None, JWTClaims, ["jti", "events"])', _UNVERIFIED),),
    ),
    Attack(
        "08",
        "ID token as logout token",
        "OIDC Back-Channel Logout 2.6",
        on_oidc.id_token_as_logout_token,
        NOT_THERE,
        (
            ('["jti", "events"]', "[]"),
            ('isinstance(claims["events"], dict)', 'isinstance(claims.get("events"), dict)'),
            (
                'if not isinstance(event, dict) or "nonce" in claims or not (sub or sid):',
                "if False:",
            ),
            ('if not store.first_use(claims["jti"], claims["exp"]):', "if False:"),
        ),
    ),
    Attack(
        "08",
        "Logout token sent again",
        "OIDC Back-Channel Logout 2.6",
        on_oidc.logout_token_again,
        NOT_THERE,
        (('if not store.first_use(claims["jti"], claims["exp"]):', "if False:"),),
    ),
    Attack(
        "08",
        "Unknown keys without end",
        "CWE-770",
        on_oidc.keys_asked_for_without_end,
        NOT_THERE,
        (("if force and time.monotonic() < self.next_look:", "if False:"),),
    ),
    Attack(
        "08",
        "Answer byte by byte",
        "CWE-400",
        on_oidc.answer_byte_by_byte,
        WORKS,
        (("        g.timer.start()\n", ""),),
        long=True,
    ),
    Attack(
        "08",
        "Answer without end",
        "CWE-770",
        on_oidc.answer_without_end,
        WORKS,
        (("BYTES = 2**20", "BYTES = 2**30"),),
    ),
    Attack(
        "08",
        "Code carried to another server",
        "RFC 9700 4.12",
        on_oidc.carried_elsewhere,
        WORKS,
        (("if answer.is_redirect or len(body) > BYTES:", "if len(body) > BYTES:"),),
    ),
    Attack(
        "08",
        "Token endpoint without TLS",
        "RFC 6749 3.2",
        on_oidc.endpoint_elsewhere,
        WORKS,
        ((_ELSEWHERE, "if False:"),),
    ),
    Attack(
        "08",
        "Endpoint that is none",
        "CWE-755",
        on_oidc.endpoint_that_is_none,
        WORKS,
        (
            ("urlsplit(iri_to_uri(place))", 'urlsplit("")'),
            (_ELSEWHERE, "if False:"),
        ),
    ),
    Attack(
        "08",
        "Key of an unknown kind",
        "RFC 7517 5",
        on_oidc.key_of_an_unknown_kind,
        FAILS,
        (('[key for key in keys["keys"] if is_known(key)]', 'keys["keys"]'),),
    ),
    Attack(
        "08",
        "Withdrawn key, clock set back",
        "CWE-324",
        on_oidc.withdrawn_key,
        NOT_THERE,
        (('if abs(time.time() - self.server_metadata.get("_loaded_at", 0)) > 600:', _NOT_ABS),),
        settings=_CLOCK,
    ),
    Attack(
        "08",
        "Ended session, clock set back",
        "CWE-613",
        on_oidc.session_after_its_end,
        NOT_THERE,
        (_REVIVES,),
        settings=_CLOCK,
    ),
    Attack(
        "08",
        "Logout token without end",
        "CWE-190",
        on_oidc.logout_token_for_ever,
        NOT_THERE,
        (("min(until, 2**53)", "until"),),
    ),
    Attack(
        "08",
        "Login that overtakes its logout",
        "CWE-362",
        on_oidc.logout_during_a_login,
        NOT_THERE,
        (
            (
                "        WHERE NOT EXISTS (SELECT 1 FROM logouts WHERE digest = ? AND until > ?)",
                _EVER,
            ),
        ),
    ),
    Attack(
        "08",
        "Page in a frame",
        "CWE-1021",
        on_oidc.page_in_a_frame,
        WORKS,
        (("; frame-ancestors 'none'", ""),),
    ),
]

STILL_WORKS = [
    StillWorks(
        "08",
        "Stolen cookie",
        "CWE-294",
        on_oidc.stolen_cookie,
        "The provider proves who logs in, not who sends the next request: short sessions, and a"
        " list of one's own (lesson 06).",
    ),
    StillWorks(
        "08",
        "Provider that lies",
        "OIDC Core 16",
        on_oidc.provider_as_anybody,
        "Nothing: whom you let check the password can say who anybody is. Choose well, and offer a"
        " second way in.",
    ),
]
