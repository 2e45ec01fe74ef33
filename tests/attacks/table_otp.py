"""What is tried on lesson 05, and what becomes of it."""

import on_otp
from attack import FAILS, NOT_THERE, WORKS, Attack, StillWorks
from table_http import LIMIT, through_http

_VERIFY = 'argon2id.verify(password, user["hash"] if user else NOBODY) and user:'
_USER_FIRST = ((_VERIFY, 'user and argon2id.verify(password, user["hash"]):'),)
_TOLD = ((f"if {_VERIFY}", f"if not user:\n                abort(404)\n            if {_VERIFY}"),)
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
