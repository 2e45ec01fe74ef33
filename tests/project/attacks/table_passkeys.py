"""What is tried on lesson 07, and what becomes of it."""

import on_passkeys
from attack import FAILS, NOT_THERE, WORKS, Attack, StillWorks

_AS_SIGNED = '"example.com" if "signature" in request.json["response"] else "localhost"'
_USED = "return row if row and db().execute(use, [challenge]).rowcount == 1 else None"
_ENDED = 'db().execute("DELETE FROM challenges WHERE browser = ?", [digest(browser())])'
_SAID = "json.loads(credential.response.client_data_json)"

PASSKEYS = [
    Attack(
        "07",
        "Look-alike site in the middle",
        "WebAuthn 13.4.9, 7.2",
        on_passkeys.look_alike,
        WORKS,
        (
            (
                'expected_origin=app.config["ORIGIN"],',
                f'expected_origin={_SAID}["origin"],',
            ),
        ),
    ),
    Attack(
        "07",
        "Login from a frame of another site",
        "WebAuthn 7.2, 13.4.2",
        on_passkeys.in_a_frame,
        WORKS,
        (("if framed:", "if False:"),),
    ),
    Attack(
        "07",
        "Signature for another site",
        "WebAuthn 7.2",
        on_passkeys.for_another_site,
        FAILS,
        (('expected_rp_id=app.config["RP_ID"],', f"expected_rp_id={_AS_SIGNED},"),),
    ),
    Attack(
        "07",
        "Answer sent twice",
        "WebAuthn 13.4.3",
        on_passkeys.seen_answer,
        WORKS,
        ((_USED, "return row"), (_ENDED, "pass")),
    ),
    Attack(
        "07",
        "Answer sent eight times at once",
        "CWE-367",
        on_passkeys.seen_answer_at_once,
        WORKS,
        ((_USED, "time.sleep(0.5)\n    return row and db().execute(use, [challenge]) and row"),),
    ),
    Attack(
        "07",
        "Victim's answer to one's own challenge",
        "WebAuthn 13.4.3, CWE-352",
        on_passkeys.answer_of_another_browser,
        WORKS,
        (
            (
                "challenge = ? AND browser = ? AND purpose = ?",
                "challenge = ? AND ? <> '' AND purpose = ?",
            ),
        ),
    ),
    Attack(
        "07",
        "Old challenge",
        "WebAuthn 13.4.3",
        on_passkeys.old_challenge,
        WORKS,
        (("AND until - ? BETWEEN 0 AND ?", "AND ? AND ?"), ("WHERE until < ?", "WHERE 0 AND ?")),
        settings=(("CHALLENGE_LIFETIME", 1),),
    ),
    Attack(
        "07",
        "Challenge of one's own",
        "WebAuthn 13.4.3",
        on_passkeys.challenge_of_ones_own,
        WORKS,
    ),
    Attack(
        "07",
        "Found phone",
        "WebAuthn 7.2",
        on_passkeys.found_phone,
        WORKS,
        (("require_user_verification=True,", "require_user_verification=False,"),),
    ),
    Attack(
        "07",
        "Own passkey, another's handle",
        "WebAuthn 7.2",
        on_passkeys.as_somebody_else,
        WORKS,
        (('if credential.response.user_handle != key["handle"]:', "if False:"),),
    ),
    Attack(
        "07",
        "Passkey planted on another's account",
        "CWE-639",
        on_passkeys.planted_key,
        WORKS,
        (
            (
                'add_passkey(challenge["name"],',
                'add_passkey(request.json.get("user", challenge["name"]),',
            ),
        ),
    ),
    Attack(
        "07",
        "Passkey taken over by its id",
        "WebAuthn 7.1",
        on_passkeys.key_taken_over,
        WORKS,
        (("INSERT OR IGNORE INTO passkeys", "INSERT OR REPLACE INTO passkeys"),),
    ),
    Attack(
        "07",
        "Copied key",
        "WebAuthn 7.2, 6.1.1",
        on_passkeys.copied_key,
        WORKS,
        (("(count < ? OR count = 0 AND ? = 0)", "(count < ? OR 1 OR ?)"),),
    ),
    Attack(
        "07",
        "Session of a removed passkey",
        "CWE-613",
        on_passkeys.after_the_key_is_gone,
        WORKS,
        (("            sessions.end_others(id)", "            pass"),),
    ),
    Attack(
        "07",
        "Passkey added as its session ends",
        "CWE-367",
        on_passkeys.registration_as_the_key_goes,
        NOT_THERE,
        (("if session:  # what ended it", "if False:  # what ended it"),),
    ),
    Attack(
        "07",
        "Ended session, clock set back",
        "CWE-613",
        on_passkeys.revived_session,
        NOT_THERE,
        (("        return end()  # so that", "        return None  # so that"),),
    ),
    Attack(
        "07",
        "Date of no calendar",
        "CWE-248, RFC 9110 13.1.3",
        on_passkeys.year_of_twenty_digits,
        WORKS,
        (("    app.before_request(ignore_dates)\n", ""),),
    ),
    Attack(
        "07",
        "Somebody else's passkey removed",
        "CWE-639",
        on_passkeys.somebody_elses_key_removed,
        WORKS,
        (
            (
                "DELETE FROM passkeys WHERE id = ? AND name = ?",
                "DELETE FROM passkeys WHERE id = ? AND ? <> ''",
            ),
        ),
    ),
    Attack(
        "07",
        "Requests of other pages",
        "CWE-352",
        on_passkeys.forms_of_other_pages,
        WORKS,
        (("app.before_request(refuse_other_origins)", "pass"),),
    ),
    Attack("07", "User name as cookie", "CWE-565", on_passkeys.name_in_the_cookie, WORKS),
    Attack(
        "07",
        "Cookie from a stolen database",
        "CWE-522",
        on_passkeys.cookie_from_the_database,
        NOT_THERE,
        (('return hashlib.sha256(id.encode("utf-8", "replace")).hexdigest()', "return id"),),
    ),
    Attack(
        "07",
        "Session fixation",
        "CWE-384",
        on_passkeys.fixed_session,
        NOT_THERE,
        (("id, now = token_urlsafe(32), time.time()", "id, now = browser(), time.time()"),),
    ),
    Attack(
        "07",
        "Page in a frame",
        "CWE-1021",
        on_passkeys.page_in_a_frame,
        WORKS,
        (("frame-ancestors 'none'", "img-src 'self'"),),
    ),
]

STILL_WORKS = [
    StillWorks(
        "07",
        "Stolen cookie",
        "CWE-294",
        on_passkeys.stolen_cookie,
        "A passkey proves who logs in, not who sends the next request. Short sessions, a list of"
        " one's own (lesson 06), and a fresh signature for what matters (`beyond.py`).",
    ),
    StillWorks(
        "07",
        "Phished password, new passkey",
        "CWE-308",
        on_passkeys.old_password,
        "While a password opens the door to a first passkey, it is the weakest part: end it, or ask"
        " for a second factor beside it (lesson 05), once there is a passkey.",
    ),
]
