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
        "old": 'refuse_with("Now send a code as well, in a header OTP.", OTP="required")',
        "new": 'refuse_with("Now send a code as well, in a header OTP.")',
    },
    {
        "name": "asks for a code with 403",
        "step": "TestRequired",
        "base": "app",
        "old": 'refuse_with("Now send a code as well, in a header OTP.", OTP="required")',
        "new": 'abort(403, "Now send a code as well, in a header OTP.")',
    },
    {
        "name": "asks for the code whether the password was right or not",
        "step": "TestRequired",
        "base": "by_hand",
        "old": 'raise Refused(401, "Who are you?")\n    return name',
        "new": 'raise Refused(401, "Who are you?", OTP="required")\n    return name',
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
        "new": 'return f"{number} is on its way to your mailbox.\\n", 202',
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
        "old": 'f"{REALM}: {subject}"',
        "new": "text[:18]",
    },
    {
        "name": "a form on any page has a PIN mailed",
        "step": "TestMail",
        "base": "factory",
        "old": 'if request.method == "POST" and (origin',
        "new": 'if request.method == "PUT" and (origin',
    },
    {
        "name": "believes only what browsers say over https",
        "step": "TestMail",
        "base": "app",
        "old": "app.before_request(store.refuse_other_origins)\n",
        "new": (
            "@app.before_request\n"
            "def refuse_other_origins():\n"
            '    site = request.headers.get("Sec-Fetch-Site", "none")\n'
            '    if request.method == "POST" and site not in ("same-origin", "none"):\n'
            '        abort(403, "This form came from a page of another origin.")\n'
            "\n"
            "\n"
        ),
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
        "old": '    try:\n        post(f"{name}@example.com", f"{digits}',
        "new": (
            "    until = time.time() + current_app.config['PIN_LIFETIME']\n"
            "    changed('UPDATE users SET pin = ?, until = ? WHERE name = ?',"
            " argon2id.hash(digits), until, name)\n"
            "    try:\n"
            '        post(f"{name}@example.com", f"{digits}'
        ),
    },
    {
        "name": "without a mail server nobody learns the PIN",
        "step": "TestMail",
        "base": "asynchronous",
        "old": '        print("Mail for", name, "says", text, file=sys.stderr)\n',
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
        "old": 'AND hash = ? AND pin = ?"\n    return changed(use, *me, kept)',
        "new": 'AND hash = ?"\n    return changed(use, *me) or True',
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
        "base": "asynchronous",
        "changes": [
            ("pin = NULL WHERE name = ? AND hash = ? AND pin = ?", "pin = NULL WHERE pin = ?"),
            (
                "query(spend, name, checked, seal(name, pin), now)",
                "query(spend, seal(name, pin), now)",
            ),
            ('f"{name}:{pin}".encode()', "pin.encode()"),
        ],
    },
    {
        "name": "an older PIN, acknowledged late, ends the newer one",
        "step": "TestPinOnce",
        "base": "by_hand",
        "old": 'if number > user.get("sent", 0):',
        "new": "if number:",
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
        "old": "    if old:\n        second_factor(name, checked)\n",
        "new": "",
    },
    {
        "name": "the secret can be seen again until its first code",
        "step": "TestEnrolment",
        "base": "app",
        "old": "def new_secret(user):",
        "new": (
            '@app.get("/enroll.svg")\n'
            "def enroll_svg():\n"
            "    user = password_owner()\n"
            '    if user["secret"]:\n'
            "        second_factor(user)\n"
            '    uri = pyotp.TOTP(user["pending"]).provisioning_uri(name=user["name"])\n'
            "    picture = io.BytesIO()\n"
            '    segno.make(uri).save(picture, kind="svg")\n'
            '    return picture.getvalue(), {"Content-Type": "image/svg+xml",'
            ' "Cache-Control": "no-store"}\n'
            "\n"
            "\n"
            "def new_secret(user):"
        ),
    },
    {
        "name": "a second enrolment shows the same secret",
        "step": "TestEnrolment",
        "base": "asynchronous",
        "old": "    secret = pyotp.random_base32()\n",
        "new": (
            '    secret = query("SELECT new FROM users WHERE name = ?", name)[0] or'
            " pyotp.random_base32()\n"
        ),
    },
    {
        "name": "no picture for a phone to read",
        "step": "TestEnrolment",
        "base": "factory",
        "old": "best_match(kinds, kinds[0]) == kinds[0]:",
        "new": "best_match(kinds, kinds[0]):",
    },
    {
        "name": "the owner hears nothing of a new phone",
        "step": "TestEnrolment",
        "base": "factory",
        "old": "return changed(use, *me) and tell(user)",
        "new": "return changed(use, *me)",
    },
    {
        "name": "enrolment counts before a first code",
        "step": "TestEnrolment",
        "base": "factory",
        "old": '"UPDATE users SET pending = ? WHERE name = ? AND hash = ?',
        "new": '"UPDATE users SET secret = ? WHERE name = ? AND hash = ?',
    },
    {
        "name": "the old phone ends when a new one is begun",
        "step": "TestEnrolment",
        "base": "factory",
        "old": '"UPDATE users SET pending = ? WHERE name = ? AND hash = ?',
        "new": '"UPDATE users SET secret = NULL, pending = ? WHERE name = ? AND hash = ?',
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
        "old": "user, secret = auth.current_user(), pyotp.random_base32()",
        "new": 'user, secret = auth.current_user(), "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"',
    },
    {
        "name": "caches may keep the secret",
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
        "old": "at(step).encode(), code.encode()",
        "new": "at(step), code",
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
            (
                "def by_phone(name, checked, code):",
                "spent = set()\n\n\ndef by_phone(name, checked, code):",
            ),
            (
                (
                    'if not run("INSERT OR IGNORE INTO used VALUES (?, ?, ?)", name, code,'
                    " time.time() + 999):"
                ),
                "if (name, code) in spent or spent.add((name, code)):",
            ),
        ],
    },
    {
        "name": "looks for the code first, then writes it down",
        "step": "TestReplay",
        "base": "asynchronous",
        "changes": [
            (
                "    fresh = False\n",
                (
                    '    look = "SELECT 1 FROM used WHERE name = ? AND code = ?"\n'
                    "    seen = query(look, name, code)\n"
                    "    time.sleep(0.05)  # another query\n"
                    "    fresh = False\n"
                ),
            ),
            (
                (
                    'if not run("INSERT OR IGNORE INTO used VALUES (?, ?, ?)", name, code,'
                    " time.time() + 999):"
                ),
                (
                    'run("INSERT OR IGNORE INTO used VALUES (?, ?, ?)", name, code, time.time() +'
                    " 999)\n"
                    "        if seen:"
                ),
            ),
        ],
    },
    {
        "name": "nobody counts",
        "step": "TestTries",
        "base": "app",
        "old": "    if wait:",
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
        "old": "    store.end_pin(user, turn)\n",
        "new": "    store.end_pin(user, turn)\n    store.forget_tries(user)\n",
    },
    {
        "name": "counts after the look at the code",
        "step": "TestTries",
        "base": "app",
        "changes": [
            (
                'wait = store.take_try(user, TRIES, app.config["LOCKOUT"])',
                'wait = 9 if user["tries"] >= TRIES else 0',
            ),
            (
                '        refuse_with("This code is wrong',
                (
                    "        time.sleep(0.05)  # another query\n"
                    '        store.take_try(user, TRIES, app.config["LOCKOUT"])\n'
                    '        refuse_with("This code is wrong'
                ),
            ),
        ],
    },
    {
        "name": "the count is forgotten at a restart",
        "step": "TestTries",
        "base": "app",
        "old": "\nif __name__",
        "new": (
            "\n"
            "with app.app_context():\n"
            '    store.db().execute("UPDATE users SET tries = 0")\n'
            "    groundwork.close()\n"
            "\n"
            "if __name__"
        ),
    },
    {
        "name": "the enrolment has tries of its own",
        "step": "TestTries",
        "base": "app",
        "changes": [
            ("def second_factor(user):", "def second_factor(user, counted=True):"),
            ("    wait = store.take_try", "    wait = counted and store.take_try"),
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
