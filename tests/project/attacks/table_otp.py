"""What is tried on lesson 05, and what becomes of it."""

import on_otp
from attack import FAILS, NOT_THERE, WORKS, Attack, StillWorks
from table_http import LIMIT, through_http

_RIGHT = "right = argon2id.verify(password, stored or NOBODY)"
_USER_FIRST = ((_RIGHT, "right = bool(stored) and argon2id.verify(password, stored)"),)
_TOLD = ((_RIGHT, f"if not user:\n            abort(404)\n        {_RIGHT}"),)
_CODE = "if not any(use(user, code) for use in KINDS_OF_CODE):"
_NAME = "f\"{user['name']}\\0{number}\".encode()"
_TURN = ("AND sending - ? NOT BETWEEN 0 AND ?", "AND (sending - ? NOT BETWEEN 0 AND ? OR 1)")
_ANY_TURN = (
    "pin_until = ? WHERE name = ? AND hash = ? AND sending = ?",
    "pin_until = ? WHERE name = ? AND hash = ? AND ? > 0",
)
_SHOWN_AGAIN = (
    "def new_secret(user):",
    """@app.get("/enroll.svg")
def enroll_svg():
    user = password_owner()
    if user["secret"]:
        second_factor(user)
    return shown(pyotp.TOTP(user["pending"]).provisioning_uri(name=user["name"]))


def new_secret(user):""",
)


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
        ((_RIGHT, "right = True"),),
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
        ((_CODE, 'if not any(use_pin(user, one.strip()) for one in code.split(",")):'),),
    ),
    Attack("05", "PIN replay", "CWE-294", on_otp.pin_twice, WORKS),
    Attack("05", "PIN replay, at once", "CWE-367", on_otp.pin_twice_at_once, WORKS),
    Attack(
        "05",
        "PIN of before",
        "CWE-613",
        on_otp.pin_of_before,
        FAILS,
        (("AND hash = ? AND pin = ? AND", "AND hash = ? AND ? > '' AND"),),
    ),
    Attack(
        "05",
        "PIN of before, acknowledged late",
        "CWE-362",
        on_otp.pin_acknowledged_late,
        NOT_THERE,
        (_TURN, _ANY_TURN),
    ),
    Attack(
        "05",
        "Workers that wait for the mail server",
        "CWE-400",
        on_otp.workers_held,
        NOT_THERE,
        (_TURN,),
    ),
    Attack(
        "05",
        "PIN for a password that was changed",
        "CWE-367",
        on_otp.pin_of_the_old_password,
        NOT_THERE,
        (
            (
                "pin = ?, pin_until = ? WHERE name = ? AND hash = ?",
                "pin = ?, pin_until = ? WHERE name = ? AND ? > ''",
            ),
        ),
    ),
    Attack(
        "05",
        "Enrolment by a password that was changed",
        "CWE-367",
        on_otp.enrolled_with_the_old_password,
        NOT_THERE,
        (
            (
                'return now if stored and right and now and now["hash"] == stored else None',
                "return user if stored and right else None",
            ),
            ("pending = ? WHERE name = ? AND hash = ?", "pending = ? WHERE name = ? AND ? > ''"),
        ),
    ),
    Attack(
        "05",
        "PIN of another user",
        "CWE-287",
        on_otp.pin_of_another,
        FAILS,
        (
            ("name = ? AND hash = ? AND pin = ?", "? > '' AND ? > '' AND pin = ?"),
            (_NAME, "number.encode()"),
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
        "Secret seen a second time",
        "CWE-200",
        on_otp.secret_seen_again,
        WORKS,
        (_SHOWN_AGAIN,),
    ),
    Attack(
        "05",
        "New phone without the owner's notice",
        "CWE-778",
        on_otp.new_phone_unnoticed,
        WORKS,
        (("                    notify(user)", "                    pass"),),
    ),
    Attack(
        "05",
        "Recovery codes that vanish",
        "CWE-362",
        on_otp.recovery_codes_vanish,
        NOT_THERE,
        (("with transaction():\n        address", "if db():\n        address"),),
        long=True,
        file="beyond",
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
                'user = store.find_user("user1")\n    if user["secret"]',
            ),
        ),
    ),
    Attack(
        "05",
        "Code in another spelling",
        "CWE-176",
        on_otp.odd_digits,
        FAILS,
        (
            (
                'code = request.headers.get("OTP", "")',
                'code = re.sub("[^0-9]", "", request.headers.get("OTP", ""))',
            ),
        ),
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
                f'return hmac.digest(app.secret_key.encode(), {_NAME}, "sha256")',
                "return number",
            ),
        ),
    ),
    Attack("05", "Cross-site request forgery", "CWE-352", on_otp.form_of_another_site, WORKS),
    Attack(
        "05",
        "Cross-site request forgery over plain http",
        "CWE-352, RFC 6454 7",
        on_otp.form_over_plain_http,
        WORKS,
        (("if site else origin in (None, own)", "if site else True"),),
    ),
    Attack(
        "05",
        "Password that takes long to normalise",
        "CWE-407, CWE-1333",
        on_otp.password_of_marks,
        FAILS,
        (("if len(text.encode()) > 4 * most:", "if False:"),),
    ),
    Attack(
        "05",
        "Work on the whole table",
        "CWE-407",
        on_otp.whole_table,
        NOT_THERE,
        (
            (
                'pending = NULL WHERE name = ?", [name])',
                'pending = NULL WHERE pending = ?", [secret])',
            ),
            (";\nCREATE INDEX used_step ON used (step)", ""),
        ),
        long=True,
    ),
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
    *through_http("05", (WORKS,), (WORKS,)),
]

STILL_WORKS = [
    StillWorks(
        "05",
        "Credential stuffing of the first factor",
        "CWE-307",
        on_otp.stuffing,
        LIMIT,
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
        "Guessing between the owner's logins",
        "NIST SP 800-63B-4 3.2.2",
        on_otp.count_set_back,
        "A count for each client that a login is known from, beside the user's own.",
        long=True,
    ),
    StillWorks(
        "05",
        "New phone for a code asked for by a fake page",
        "CWE-451",
        on_otp.phone_for_a_code,
        "WebAuthn. A day of waiting before a new phone counts: the owner has the mail by then.",
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
