"""Wrong answers to lesson 05, each a right one (see `base`) with one believable mistake.

`step` is the class of tests/test_05_otp.py that catches it; `changes` holds pairs where one
replacement is not enough.
"""

MISTAKES = [
    {
        "name": "the public page asks for a password",
        "step": "TestItWorks",
        "base": "by_hand",
        "old": 'def public():\n    return "For',
        "new": 'def public():\n    first_factor()\n    return "For',
    },
    {
        "name": "doesn't say that a code is missing",
        "step": "TestRequired",
        "base": "app",
        "old": 'wanted = {**CHALLENGE, "OTP": "required"}',
        "new": "wanted = CHALLENGE",
    },
    {
        "name": "asks for a code with 403",
        "step": "TestRequired",
        "base": "app",
        "old": 'refuse_with(401, "Now send a code as well, in a header OTP.", wanted)',
        "new": 'refuse_with(403, "Now send a code as well, in a header OTP.", wanted)',
    },
    {
        "name": "asks for the code whether the password was right or not",
        "step": "TestRequired",
        "base": "by_hand",
        "old": 'raise Refused(401, "Who are you?")',
        "new": 'raise Refused(401, "Who are you?", OTP="required")',
    },
    {
        "name": "asks for a code without a challenge",
        "step": "TestRequired",
        "base": "factory",
        "old": 'asked = {"WWW-Authenticate": auth.authenticate_header(), "OTP": "required"}',
        "new": 'asked = {"OTP": "required"}',
    },
    {
        "name": "mails a PIN to whoever names a user",
        "step": "TestRequired",
        "base": "factory",
        "changes": [
            (
                '@bp.post("/pin")\n@auth.login_required\ndef pin():\n'
                '    name, digits = auth.current_user()["name"],',
                '@bp.post("/pin")\ndef pin():\n'
                "    name, digits = (request.authorization or {}).get('username') or 'user1',",
            )
        ],
    },
    {
        "name": "the PIN is in the answer",
        "step": "TestMail",
        "base": "app",
        "old": 'return "A PIN is on its way to your mailbox.\\n", 202',
        "new": 'return f"{pin} is on its way to your mailbox.\\n", 202',
    },
    {
        "name": "a PIN of four digits",
        "step": "TestMail",
        "base": "factory",
        "old": 'f"{secrets.randbelow(1_000_000):06d}"',
        "new": 'f"{secrets.randbelow(10_000):04d}"',
    },
    {
        "name": "the PIN comes from the time",
        "step": "TestMail",
        "base": "by_hand",
        "old": '"".join(secrets.choice("0123456789") for _ in range(6))',
        "new": 'f"{int(time.time()) % 10**6:06}"',
    },
    {
        "name": "leading zeros are lost",
        "step": "TestMail",
        "base": "classes",
        "old": 'f"{secrets.randbelow(10**6)}".rjust(6, "0")',
        "new": 'f"{secrets.randbelow(10**5)}"',
    },
    {
        "name": "the PIN is in the subject",
        "step": "TestMail",
        "base": "app",
        "old": 'f"{REALM}: your PIN"',
        "new": "text[:18]",
    },
    {
        "name": "every mail goes to user1",
        "step": "TestMail",
        "base": "classes",
        "old": 'f"{name}@example.com"',
        "new": '"user1@example.com"',
    },
    {
        "name": "an error 500 when the mail server is down",
        "step": "TestMail",
        "base": "app",
        "old": "except (OSError, ValueError) as error:",
        "new": "except ValueError as error:",
    },
    {
        "name": "says 202 when the mail server is down",
        "step": "TestMail",
        "base": "asynchronous",
        "old": 'return "The mail does not work at the moment.", 503',
        "new": 'return "mailed", 202',
    },
    {
        "name": "keeps the PIN before it is sent",
        "step": "TestMail",
        "base": "factory",
        "changes": [
            (
                "    try:\n        post(",
                "    until = time.time() + current_app.config['PIN_LIFETIME']\n"
                "    changed('UPDATE users SET pin = ?, until = ? WHERE name = ?',"
                " argon2id.hash(digits), until, name)\n    try:\n        post(",
            )
        ],
    },
    {
        "name": "without a mail server nobody learns the PIN",
        "step": "TestMail",
        "base": "asynchronous",
        "old": '        print("PIN for", name, "is", digits, file=sys.stderr)\n',
        "new": "",
    },
    {
        "name": "a PIN counts as often as one likes",
        "step": "TestPinOnce",
        "base": "by_hand",
        "old": '        del user["pin"]\n',
        "new": "",
    },
    {
        "name": "looks for the PIN first, then takes it away",
        "step": "TestPinOnce",
        "base": "factory",
        "old": 'SET pin = NULL WHERE name = ? AND pin = ?", name, kept)',
        "new": 'SET pin = NULL WHERE name = ?", name) or True',
    },
    {
        "name": "a PIN never ends",
        "step": "TestPinOnce",
        "base": "asynchronous",
        "old": "AND pin = ? AND ends > ?",
        "new": "AND pin = ? AND ends <> ?",
    },
    {
        "name": "a PIN opens another user's account",
        "step": "TestPinOnce",
        "base": "app",
        "changes": [
            ("WHERE name = ? AND pin = ? AND pin_until", "WHERE pin = ? AND pin_until"),
            ('values = [user["name"], tag(user, pin), time', "values = [tag(user, pin), time"),
            ("f\"{user['name']}\\0{pin}\"", "pin"),
        ],
    },
    {
        "name": "the old PIN still counts beside the new",
        "step": "TestPinOnce",
        "base": "classes",
        "changes": [
            ("pin (name TEXT PRIMARY KEY, salt", "pin (name TEXT, salt"),
            (
                "[name]).fetchone()\n        if not row or row[2] < time.time() or"
                " cls.digest(row[0], code) != row[1]:\n",
                "[name]).fetchall()\n"
                "        good = [cls.digest(r[0], code) == r[1] for r in row]\n"
                "        if not any(good):\n",
            ),
        ],
    },
    {
        "name": "the PIN is kept as it is",
        "step": "TestPinOnce",
        "base": "by_hand",
        "old": 'return hmac.new(KEY, f"{name} {pin}".encode(), hashlib.sha256).hexdigest()',
        "new": 'return f"{name} {pin}"',
    },
    {
        "name": "a plain SHA-256 of the PIN is kept",
        "step": "TestPinOnce",
        "base": "asynchronous",
        "old": 'return hmac.new(KEY, f"{name}:{pin}".encode(), hashlib.sha512).hexdigest()',
        "new": "return hashlib.sha256(pin.encode()).hexdigest()",
    },
    {
        "name": "the password alone enrols again",
        "step": "TestEnrolment",
        "base": "by_hand",
        "old": '    if "secret" in load()[name]:\n        second_factor(name)\n',
        "new": "",
    },
    {
        "name": "the picture shows the secret that counts",
        "step": "TestEnrolment",
        "base": "app",
        "changes": [
            (
                '    user = enrolling_user()\n    if not user["pending"]:',
                '    user = password_owner()\n    if not (user["pending"] or user["secret"]):',
            ),
            (
                'otpauth(user, user["pending"]), micro',
                'otpauth(user, user["pending"] or user["secret"]), micro',
            ),
        ],
    },
    {
        "name": "enrolment counts before a first code",
        "step": "TestEnrolment",
        "base": "factory",
        "old": 'changed("UPDATE users SET pending = ? WHERE name = ?", secret, user["name"])',
        "new": 'changed("UPDATE users SET secret = ? WHERE name = ?", secret, user["name"])',
    },
    {
        "name": "the old phone ends when a new one is begun",
        "step": "TestEnrolment",
        "base": "factory",
        "old": 'changed("UPDATE users SET pending = ? WHERE name = ?", secret, user["name"])',
        "new": 'changed("UPDATE users SET secret = NULL, pending = ? WHERE name = ?", secret,'
        ' user["name"])',
    },
    {
        "name": "a secret of 112 bits",
        "step": "TestEnrolment",
        "base": "by_hand",
        "old": "os.urandom(20)",
        "new": "os.urandom(14)",
    },
    {
        "name": "everybody has the same secret",
        "step": "TestEnrolment",
        "base": "factory",
        "old": "user, secret = enrolling(), pyotp.random_base32()",
        "new": 'user, secret = enrolling(), "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"',
    },
    {
        "name": "caches may keep the picture",
        "step": "TestEnrolment",
        "base": "classes",
        "old": '"private, no-store"',
        "new": '"max-age=60"',
    },
    {
        "name": "no drift at all",
        "step": "TestDrift",
        "base": "app",
        "old": "for step in (now, now - 1, now + 1):",
        "new": "for step in (now,):",
    },
    {
        "name": "two steps of drift",
        "step": "TestDrift",
        "base": "classes",
        "old": "valid_window=1",
        "new": "valid_window=2",
    },
    {
        "name": "an error 500 for digits of another script",
        "step": "TestDrift",
        "base": "app",
        "old": 're.fullmatch("[0-9]{6}", code)',
        "new": "re.fullmatch(r'\\S{6,16}', code)",
    },
    {
        "name": "a code counts as often as one likes",
        "step": "TestReplay",
        "base": "by_hand",
        "old": "                if any(code == old for old, _ in used):\n"
        "                    return False\n",
        "new": "",
    },
    {
        "name": "used codes are forgotten at a restart",
        "step": "TestReplay",
        "base": "asynchronous",
        "changes": [
            ("def by_phone(name, code):", "spent = set()\n\n\ndef by_phone(name, code):"),
            (
                "            if not query(\n"
                '                "INSERT OR IGNORE INTO used VALUES (?, ?, ?)",'
                " name, code, time.time() + 999\n            ):\n",
                "            if (name, code) in spent or spent.add((name, code)):\n",
            ),
        ],
    },
    {
        "name": "looks for the code first, then writes it down",
        "step": "TestReplay",
        "base": "app",
        "changes": [
            (
                'use = "INSERT OR IGNORE INTO used VALUES (?, ?, ?)"',
                'look = "SELECT 1 FROM used WHERE name = ? AND code = ?"\n'
                '                seen = db().execute(look, [user["name"], code]).fetchone()\n'
                "                time.sleep(0.05)  # another query\n"
                '                use = "INSERT OR IGNORE INTO used VALUES (?, ?, ?)"',
            ),
            (
                'if db().execute(use, [user["name"], code, step]).rowcount != 1:',
                'db().execute(use, [user["name"], code, step])\n                if seen:',
            ),
        ],
    },
    {
        "name": "nobody counts",
        "step": "TestTries",
        "base": "app",
        "old": "    if not take_try(user):",
        "new": "    if False:",
    },
    {
        "name": "ten tries, not five",
        "step": "TestTries",
        "base": "app",
        "old": "TRIES = 5",
        "new": "TRIES = 10",
    },
    {
        "name": "no Retry-After",
        "step": "TestTries",
        "base": "classes",
        "old": 'make_response("Wait.", 429, {"Retry-After": str(wait)})',
        "new": 'make_response("Wait.", 429)',
    },
    {
        "name": "a right code gets in during the pause",
        "step": "TestTries",
        "base": "by_hand",
        "old": "        if len(tries) >= 5:",
        "new": "        if len(tries) >= 5 and not fits(name, user, code, now):",
    },
    {
        "name": "the limit is one for all users",
        "step": "TestTries",
        "base": "classes",
        "old": 'db.execute("SELECT at FROM miss WHERE name = ? ORDER BY at", [name])',
        "new": 'db.execute("SELECT at FROM miss ORDER BY at")',
    },
    {
        "name": "a right code does not set the count back",
        "step": "TestReplay",  # which logs in more than five times, with right codes
        "base": "factory",
        "old": '    changed("UPDATE users SET tries = 0 WHERE name = ?", name)\n',
        "new": "",
    },
    {
        "name": "a new PIN sets the count back",
        "step": "TestTries",
        "base": "app",
        "old": 'change = "UPDATE users SET pin = ?, pin_until = ? WHERE name = ?"',
        "new": 'change = "UPDATE users SET tries = 0, pin = ?, pin_until = ? WHERE name = ?"',
    },
    {
        "name": "counts after the look at the code",
        "step": "TestTries",
        "base": "app",
        "changes": [
            ("    if not take_try(user):", '    if user["tries"] >= TRIES:'),
            (
                '        refuse_with(401, "This code is wrong',
                '        take_try(user)\n        refuse_with(401, "This code is wrong',
            ),
        ],
    },
    {
        "name": "the count is forgotten at a restart",
        "step": "TestTries",
        "base": "app",
        "old": "    db().close()\n    del local.db",
        "new": '    db().execute("UPDATE users SET tries = 0")\n    db().close()\n    del local.db',
    },
    {
        "name": "the enrolment has tries of its own",
        "step": "TestTries",
        "base": "app",
        "changes": [
            ("def second_factor(user):", "def second_factor(user, counted=True):"),
            ("    if not take_try(user):", "    if counted and not take_try(user):"),
            (
                "a phone of their own\n        second_factor(user)",
                "a phone of their own\n        second_factor(user, counted=False)",
            ),
        ],
    },
    {
        "name": "Retry-After is rounded down",
        "step": "TestTries",
        "base": "asynchronous",
        "old": "max(1, int(pause - now) + 1)",
        "new": "max(1, int(pause - now))",
    },
]
