"""Wrong answers to lesson 05, each a right one (see `base`) with one believable mistake.

`kind` is what it is about; `step` the class of tests/test_05_otp.py that catches it; `changes`
holds pairs where one replacement is not enough. UNSEEN lists what no check can see, with what to
look for in the file instead.
"""

MISTAKES = [
    {
        "name": "the public page asks for a password",
        "kind": "identity",
        "step": "TestItWorks",
        "base": "by_hand",
        "old": 'def public():\n    return "For',
        "new": 'def public():\n    first_factor()\n    return "For',
    },
    {
        "name": "doesn't say that a code is missing",
        "kind": "headers",
        "step": "TestRequired",
        "base": "app",
        "old": 'refuse_with("Now send a code as well, in a header OTP.", OTP="required")',
        "new": 'refuse_with("Now send a code as well, in a header OTP.")',
    },
    {
        "name": "asks for a code with 403",
        "kind": "headers",
        "step": "TestRequired",
        "base": "app",
        "old": 'refuse_with("Now send a code as well, in a header OTP.", OTP="required")',
        "new": 'abort(403, "Now send a code as well, in a header OTP.")',
    },
    {
        "name": "asks for the code whether the password was right or not",
        "kind": "disclosure",
        "step": "TestRequired",
        "base": "by_hand",
        "old": 'raise Refused(401, "Who are you?")\n    return name',
        "new": 'raise Refused(401, "Who are you?", OTP="required")\n    return name',
    },
    {
        "name": "asks for a code without a challenge",
        "kind": "headers",
        "step": "TestRequired",
        "base": "factory",
        "old": 'asked = {"WWW-Authenticate": auth.authenticate_header(), "OTP": "required"}',
        "new": 'asked = {"OTP": "required"}',
    },
    {
        "name": "mails a PIN to whoever names a user",
        "kind": "identity",
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
        "kind": "disclosure",
        "step": "TestMail",
        "base": "app",
        "old": 'return "A PIN is on its way to your mailbox.\\n", 202',
        "new": 'return f"{number} is on its way to your mailbox.\\n", 202',
    },
    {
        "name": "a PIN of four digits",
        "kind": "identity",
        "step": "TestMail",
        "base": "factory",
        "old": 'f"{secrets.randbelow(1_000_000):06d}"',
        "new": 'f"{secrets.randbelow(10_000):04d}"',
    },
    {
        "name": "the PIN comes from the time",
        "kind": "identity",
        "step": "TestMail",
        "base": "by_hand",
        "old": '"".join(secrets.choice("0123456789") for _ in range(6))',
        "new": 'f"{int(time.time()) % 10**6:06}"',
    },
    {
        "name": "leading zeros are lost",
        "kind": "identity",
        "step": "TestMail",
        "base": "classes",
        "old": 'f"{secrets.randbelow(10**6)}".rjust(6, "0")',
        "new": 'f"{secrets.randbelow(10**5)}"',
    },
    {
        "name": "the PIN is in the subject",
        "kind": "disclosure",
        "step": "TestMail",
        "base": "app",
        "old": 'f"{REALM}: {subject}"',
        "new": "text[:18]",
    },
    {
        "name": "a form on any page has a PIN mailed",
        "kind": "headers",
        "step": "TestMail",
        "base": "factory",
        "old": 'if request.method == "POST" and (origin',
        "new": 'if request.method == "PUT" and (origin',
    },
    {
        "name": "believes only what browsers say over https",
        "kind": "headers",
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
        "kind": "disclosure",
        "step": "TestMail",
        "base": "classes",
        "old": 'f"{name}@example.com"',
        "new": '"user1@example.com"',
    },
    {
        "name": "an error 500 when the mail server is down",
        "kind": "headers",
        "step": "TestMail",
        "base": "app",
        "old": "except (OSError, ValueError) as error:",
        "new": "except ValueError as error:",
    },
    {
        "name": "says 202 when the mail server is down",
        "kind": "headers",
        "step": "TestMail",
        "base": "asynchronous",
        "old": 'return "The mail does not work at the moment.", 503',
        "new": 'return "mailed", 202',
    },
    {
        "name": "keeps the PIN before it is sent",
        "kind": "storage",
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
        "kind": "configuration",
        "step": "TestMail",
        "base": "asynchronous",
        "old": '        print("Mail for", name, "says", text, file=sys.stderr)\n',
        "new": "",
    },
    {
        "name": "a PIN counts as often as one likes",
        "kind": "identity",
        "step": "TestPinOnce",
        "base": "by_hand",
        "old": '        del user["pin"]\n',
        "new": "",
    },
    {
        "name": "looks for the PIN first, then takes it away",
        "kind": "concurrency",
        "step": "TestPinOnce",
        "base": "factory",
        "old": 'AND hash = ? AND pin = ?"\n    return changed(use, *me, kept)',
        "new": 'AND hash = ?"\n    return changed(use, *me) or True',
    },
    {
        "name": "a PIN never ends",
        "kind": "time",
        "step": "TestPinOnce",
        "base": "asynchronous",
        "old": "AND pin = ? AND ends > ?",
        "new": "AND pin = ? AND ends <> ?",
    },
    {
        "name": "a PIN opens another user's account",
        "kind": "identity",
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
        "kind": "concurrency",
        "step": "TestPinOnce",
        "base": "by_hand",
        "old": 'if number > user.get("sent", 0):',
        "new": "if number:",
    },
    {
        "name": "the old PIN still counts beside the new",
        "kind": "time",
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
        "kind": "storage",
        "step": "TestPinOnce",
        "base": "by_hand",
        "old": 'return hmac.new(KEY, f"{name} {pin}".encode(), hashlib.sha256).hexdigest()',
        "new": 'return f"{name} {pin}"',
    },
    {
        "name": "a plain SHA-256 of the PIN is kept",
        "kind": "storage",
        "step": "TestPinOnce",
        "base": "asynchronous",
        "old": 'return hmac.new(KEY, f"{name}:{pin}".encode(), hashlib.sha512).hexdigest()',
        "new": "return hashlib.sha256(pin.encode()).hexdigest()",
    },
    {
        "name": "the password alone enrols again",
        "kind": "identity",
        "step": "TestEnrolment",
        "base": "by_hand",
        "old": "    if old:\n        second_factor(name, checked)\n",
        "new": "",
    },
    {
        "name": "the secret can be seen again until its first code",
        "kind": "disclosure",
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
        "kind": "disclosure",
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
        "kind": "headers",
        "step": "TestEnrolment",
        "base": "factory",
        "old": "best_match(kinds, kinds[0]) == kinds[0]:",
        "new": "best_match(kinds, kinds[0]):",
    },
    {
        "name": "the owner hears nothing of a new phone",
        "kind": "disclosure",
        "step": "TestEnrolment",
        "base": "factory",
        "old": "return changed(use, *me) and tell(user)",
        "new": "return changed(use, *me)",
    },
    {
        "name": "enrolment counts before a first code",
        "kind": "identity",
        "step": "TestEnrolment",
        "base": "factory",
        "old": '"UPDATE users SET pending = ? WHERE name = ? AND hash = ?',
        "new": '"UPDATE users SET secret = ? WHERE name = ? AND hash = ?',
    },
    {
        "name": "the old phone ends when a new one is begun",
        "kind": "identity",
        "step": "TestEnrolment",
        "base": "factory",
        "old": '"UPDATE users SET pending = ? WHERE name = ? AND hash = ?',
        "new": '"UPDATE users SET secret = NULL, pending = ? WHERE name = ? AND hash = ?',
    },
    {
        "name": "a secret of 112 bits",
        "kind": "storage",
        "step": "TestEnrolment",
        "base": "by_hand",
        "old": "os.urandom(20)",
        "new": "os.urandom(14)",
    },
    {
        "name": "everybody has the same secret",
        "kind": "storage",
        "step": "TestEnrolment",
        "base": "factory",
        "old": "user, secret = auth.current_user(), pyotp.random_base32()",
        "new": 'user, secret = auth.current_user(), "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"',
    },
    {
        "name": "caches may keep the secret",
        "kind": "disclosure",
        "step": "TestEnrolment",
        "base": "classes",
        "old": '"private, no-store"',
        "new": '"max-age=60"',
    },
    {
        "name": "no drift at all",
        "kind": "time",
        "step": "TestDrift",
        "base": "app",
        "old": "for step in (now, now - 1, now + 1):",
        "new": "for step in (now,):",
    },
    {
        "name": "two steps of drift",
        "kind": "time",
        "step": "TestDrift",
        "base": "classes",
        "old": "valid_window=1",
        "new": "valid_window=2",
    },
    {
        "name": "an error 500 for digits of another script",
        "kind": "headers",
        "step": "TestPinOnce",
        "base": "app",
        "old": "at(step).encode(), code.encode()",
        "new": "at(step), code",
    },
    {
        "name": "a code counts as often as one likes",
        "kind": "identity",
        "step": "TestReplay",
        "base": "by_hand",
        "old": "                if any(code == old for old, _ in used):\n"
        "                    return False\n",
        "new": "",
    },
    {
        "name": "used codes are forgotten at a restart",
        "kind": "concurrency",
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
        "kind": "concurrency",
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
        "kind": "identity",
        "step": "TestTries",
        "base": "app",
        "old": "    if wait:",
        "new": "    if False:",
    },
    {
        "name": "ten tries, not five",
        "kind": "configuration",
        "step": "TestTries",
        "base": "app",
        "old": "TRIES = 5",
        "new": "TRIES = 10",
    },
    {
        "name": "no Retry-After",
        "kind": "headers",
        "step": "TestTries",
        "base": "classes",
        "old": 'make_response("Wait.", 429, {"Retry-After": str(wait)})',
        "new": 'make_response("Wait.", 429)',
    },
    {
        "name": "a right code gets in during the pause",
        "kind": "identity",
        "step": "TestTries",
        "base": "by_hand",
        "old": "        if len(tries) >= 5:",
        "new": "        if len(tries) >= 5 and not fits(name, user, code, now):",
    },
    {
        "name": "the limit is one for all users",
        "kind": "identity",
        "step": "TestTries",
        "base": "classes",
        "old": 'db.execute("SELECT at FROM miss WHERE name = ? ORDER BY at", [name])',
        "new": 'db.execute("SELECT at FROM miss ORDER BY at")',
    },
    {
        "name": "a right code does not set the count back",
        "kind": "time",
        "step": "TestPinOnce",  # which logs in more than five times, with right codes
        "base": "factory",
        "old": '    changed("UPDATE users SET tries = 0 WHERE name = ?", name)\n',
        "new": "",
    },
    {
        "name": "a new PIN sets the count back",
        "kind": "identity",
        "step": "TestTries",
        "base": "app",
        "old": "    store.end_pin(user, turn)\n",
        "new": "    store.end_pin(user, turn)\n    store.forget_tries(user)\n",
    },
    {
        "name": "counts after the look at the code",
        "kind": "concurrency",
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
        "kind": "concurrency",
        "step": "TestTries",
        "base": "app",
        "old": "\nif __name__",
        "new": (
            "\n"
            "with app.app_context():\n"
            '    store.db().execute("UPDATE users SET tries = 0")\n'
            "    store.groundwork.close()\n"
            "\n"
            "if __name__"
        ),
    },
    {
        "name": "the enrolment has tries of its own",
        "kind": "identity",
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
        "name": "debug=True in the script",
        "kind": "configuration",
        "step": "TestItWorks",
        "base": "app",
        "old": "app.run(port=5005, debug=False)",
        "new": "app.run(port=5005, debug=True)",
    },
    {
        "name": "serves all interfaces",
        "kind": "configuration",
        "step": "TestItWorks",
        "base": "app",
        "old": "app.run(port=5005, debug=False)",
        "new": 'app.run(host="0.0.0.0", port=5005)',
    },
    {
        "name": "serves another port",
        "kind": "configuration",
        "step": "TestItWorks",
        "base": "app",
        "old": "app.run(port=5005, debug=False)",
        "new": "app.run(port=5000)",
    },
    {
        "name": "compares the scheme's name letter by letter",
        "kind": "headers",
        "step": "TestRequired",
        "base": "app",
        "old": 'if not sent or sent.type != "basic":',
        "new": ('if not sent or not request.headers["Authorization"].startswith("Basic "):'),
    },
    {
        "name": "bytes beyond ASCII are an error 500",
        "kind": "headers",
        "step": "TestRequired",
        "base": "app",
        "old": "    except ValueError:  # Werkzeug",
        "new": "    except KeyError:  # Werkzeug",
    },
    {
        "name": "another scheme is an error 500",
        "kind": "headers",
        "step": "TestRequired",
        "base": "app",
        "old": 'if not sent or sent.type != "basic":',
        "new": "if not sent:",
    },
    {
        "name": "strips the password",
        "kind": "identity",
        "step": "TestRequired",
        "base": "app",
        "old": "user = store.check_password(sent.username, sent.password)\n",
        "new": "user = store.check_password(sent.username, sent.password.strip())\n",
    },
    {
        "name": "user names in capitals as well",
        "kind": "identity",
        "step": "TestRequired",
        "base": "app",
        "old": "user = store.check_password(sent.username, sent.password)\n",
        "new": "user = store.check_password(sent.username.lower(), sent.password)\n",
    },
    {
        "name": "an unknown user is answered at once",
        "kind": "disclosure",
        "step": "TestRequired",
        "base": "factory",
        "old": (
            'return user if argon2id.verify(password, user["hash"] if user else '
            "NOBODY) and user else None"
        ),
        "new": ('return user if user and argon2id.verify(password, user["hash"]) else None'),
    },
    {
        "name": "says that there is no such user",
        "kind": "disclosure",
        "step": "TestRequired",
        "base": "app",
        "old": 'return user or refuse_with("User name or password is wrong.")',
        "new": (
            "known = user or store.clean(sent.username, 64) and "
            "store.find_user(sent.username)\n"
            '    return user or refuse_with("Wrong password." if known else "No '
            'such user.")'
        ),
    },
    {
        "name": "credentials in the address",
        "kind": "disclosure",
        "step": "TestRequired",
        "base": "app",
        "changes": [
            (
                'if not sent or sent.type != "basic":',
                (
                    'if not sent and "password" in request.args:\n'
                    '        sent = Authorization("basic", request.args.to_dict())\n'
                    '    if not sent or sent.type != "basic":'
                ),
            ),
            (
                "import store\n",
                "from werkzeug.datastructures import Authorization\n\nimport store\n",
            ),
        ],
    },
    {
        "name": "the password is in the log",
        "kind": "disclosure",
        "step": "TestRequired",
        "base": "app",
        "old": "    user = store.check_password(sent.username, sent.password)\n",
        "new": (
            '    app.logger.warning("login: %s %s", sent.username, sent.password)\n'
            "    user = store.check_password(sent.username, sent.password)\n"
        ),
    },
    {
        "name": "the plain password beside its hash",
        "kind": "storage",
        "step": "TestRequired",
        "base": "by_hand",
        "old": '"hash": hasher.hash(f"pass{n}")',
        "new": '"hash": hasher.hash(f"pass{n}"), "hint": f"pass{n}"',
    },
    {
        "name": "Argon2id that costs next to nothing",
        "kind": "storage",
        "step": "TestRequired",
        "base": "by_hand",
        "old": "memory_cost=19456",
        "new": "memory_cost=64",
    },
    {
        "name": "PINs from a seed that stands in the code",
        "kind": "identity",
        "step": "TestMail",
        "base": "app",
        "changes": [
            ('f"{secrets.randbelow(10**6):06}"', 'f"{RANDOM.randrange(10**6):06}"'),
            ("TRIES = 5", "RANDOM = random.Random(5005)\nTRIES = 5"),
            ("import io\nimport re\n", "import io\nimport random\nimport re\n"),
        ],
    },
    {
        "name": "no PIN begins with 0",
        "kind": "identity",
        "step": "TestMail",
        "base": "app",
        "old": 'f"{secrets.randbelow(10**6):06}"',
        "new": 'f"{100000 + secrets.randbelow(900000)}"',
    },
    {
        "name": "one PIN for everybody, each minute",
        "kind": "identity",
        "step": "TestMail",
        "base": "app",
        "old": 'f"{secrets.randbelow(10**6):06}"',
        "new": 'f"{int(time.time()) // 60 * 7919 % 10**6:06}"',
    },
    {
        "name": "mails to the address in the form",
        "kind": "disclosure",
        "step": "TestMail",
        "base": "app",
        "old": 'message["To"] = user["mail"]',
        "new": 'message["To"] = request.values.get("mail", user["mail"])',
    },
    {
        "name": "a copy of each mail to somebody else",
        "kind": "disclosure",
        "step": "TestMail",
        "base": "app",
        "old": 'message["To"] = user["mail"]',
        "new": ('message["To"] = user["mail"]\n        message["Bcc"] = "support@example.com"'),
    },
    {
        "name": "the PIN is in a cookie",
        "kind": "disclosure",
        "step": "TestMail",
        "base": "app",
        "changes": [
            (
                'return "A PIN is on its way to your mailbox.\\n", 202',
                (
                    'cookie = {"Set-Cookie": '
                    'f"pin={base64.b64encode(number.encode()).decode()}"}\n'
                    '    return "A PIN is on its way to your mailbox.\\n", 202, cookie'
                ),
            ),
            ("import hmac\n", "import base64\nimport hmac\n"),
        ],
    },
    {
        "name": "the PIN is in the log as well",
        "kind": "disclosure",
        "step": "TestMail",
        "base": "app",
        "old": "    message = EmailMessage()\n",
        "new": (
            '    app.logger.warning("mail to %s: %s", user["name"], text)\n'
            "    message = EmailMessage()\n"
        ),
    },
    {
        "name": "the PIN is in the log when no mail can be sent",
        "kind": "disclosure",
        "step": "TestMail",
        "base": "app",
        "old": 'app.logger.error("mail: %s", error)',
        "new": 'app.logger.error("not sent, %s: %s", error, text)',
    },
    {
        "name": "waits for the mail server for ever",
        "kind": "time",
        "step": "TestMail",
        "base": "app",
        "old": '"localhost", timeout=5)',
        "new": '"localhost")',
    },
    {
        "name": "a PIN by GET",
        "kind": "headers",
        "step": "TestMail",
        "base": "app",
        "old": '@app.post("/pin")',
        "new": '@app.route("/pin", methods=["GET", "POST"])',
    },
    {
        "name": "keeps the PIN though the mail was refused",
        "kind": "storage",
        "step": "TestMail",
        "base": "app",
        "old": ("    kept = sent and store.keep_pin(user, turn, tag(user, number), lifetime)\n"),
        "new": ("    kept = store.keep_pin(user, turn, tag(user, number), lifetime) and sent\n"),
    },
    {
        "name": "the PIN is kept in base64",
        "kind": "storage",
        "step": "TestPinOnce",
        "base": "app",
        "changes": [
            (
                (
                    "return hmac.digest(app.secret_key.encode(), "
                    'f"{user[\'name\']}\\0{number}".encode(), "sha256")'
                ),
                "return base64.b64encode(number.encode())",
            ),
            ("import hmac\n", "import base64\nimport hmac\n"),
        ],
    },
    {
        "name": "an unkeyed digest of name and PIN is kept",
        "kind": "storage",
        "step": "TestPinOnce",
        "base": "app",
        "changes": [
            (
                (
                    "return hmac.digest(app.secret_key.encode(), "
                    'f"{user[\'name\']}\\0{number}".encode(), "sha256")'
                ),
                ("return hashlib.sha256(f\"{user['name']}:{number}\".encode()).hexdigest()"),
            ),
            ("import hmac\n", "import hashlib\nimport hmac\n"),
        ],
    },
    {
        "name": "a salted SHA-256 of the PIN is kept",
        "kind": "storage",
        "step": "TestPinOnce",
        "base": "classes",
        "old": ("return hashlib.scrypt(code.encode(), salt=salt.encode(), n=4096, r=8, p=1).hex()"),
        "new": "return hashlib.sha256(salt.encode() + code.encode()).hexdigest()",
    },
    {
        "name": "a PIN is compared as a number",
        "kind": "identity",
        "step": "TestPinOnce",
        "base": "app",
        "old": "return store.use_pin(user, tag(user, code),",
        "new": (
            "try:\n"
            '        code = f"{int(code):06}"\n'
            "    except ValueError:\n"
            "        return False\n"
            "    return store.use_pin(user, tag(user, code),"
        ),
    },
    {
        "name": "what follows the PIN is cut off",
        "kind": "identity",
        "step": "TestPinOnce",
        "base": "app",
        "old": "return store.use_pin(user, tag(user, code),",
        "new": "return store.use_pin(user, tag(user, code[:6]),",
    },
    {
        "name": "a code in the address",
        "kind": "headers",
        "step": "TestPinOnce",
        "base": "app",
        "old": 'code = request.headers.get("OTP", "")',
        "new": 'code = request.headers.get("OTP") or request.args.get("otp", "")',
    },
    {
        "name": "a code in the form",
        "kind": "headers",
        "step": "TestPinOnce",
        "base": "app",
        "old": 'code = request.headers.get("OTP", "")',
        "new": 'code = request.headers.get("OTP") or request.form.get("code", "")',
    },
    {
        "name": "a cookie stands for the code from then on",
        "kind": "identity",
        "step": "TestPinOnce",
        "base": "app",
        "changes": [
            (
                "    if not code:\n",
                (
                    '    if session.get("proven") == user["name"]:\n'
                    "        return\n"
                    "    if not code:\n"
                ),
            ),
            (
                "    store.forget_tries(user)\n",
                '    store.forget_tries(user)\n    session["proven"] = user["name"]\n',
            ),
            ("abort, request\n", "abort, request, session\n"),
        ],
    },
    {
        "name": "a PIN is known to one process only",
        "kind": "concurrency",
        "step": "TestPinOnce",
        "base": "app",
        "changes": [
            (
                "store.keep_pin(user, turn, tag(user, number), lifetime)",
                "keep(user, number, lifetime)",
            ),
            (
                (
                    "def use_pin(user, code):\n"
                    "    return store.use_pin(user, tag(user, code), "
                    'app.config["PIN_LIFETIME"])'
                ),
                (
                    "PINS = {}\n"
                    "\n"
                    "\n"
                    "def keep(user, number, lifetime):\n"
                    '    PINS[user["name"]] = tag(user, number), time.time() + lifetime\n'
                    "    return True\n"
                    "\n"
                    "\n"
                    "def use_pin(user, code):\n"
                    '    kept, until = PINS.get(user["name"], (b"", 0))\n'
                    "    if not hmac.compare_digest(kept, tag(user, code)) or time.time() "
                    "> until:\n"
                    "        return False\n"
                    '    return PINS.pop(user["name"], None) is not None'
                ),
            ),
        ],
    },
    {
        "name": "a PIN lasts for an hour, whatever the setting",
        "kind": "time",
        "step": "TestPinOnce",
        "base": "app",
        "changes": [
            ('lifetime = app.config["PIN_LIFETIME"]', "lifetime = 3600"),
            (
                ('return store.use_pin(user, tag(user, code), app.config["PIN_LIFETIME"])'),
                "return store.use_pin(user, tag(user, code), 3600)",
            ),
        ],
    },
    {
        "name": "compares five of a code's digits",
        "kind": "identity",
        "step": "TestDrift",
        "base": "app",
        "old": ("if hmac.compare_digest(pyotp.HOTP(secret).at(step).encode(), code.encode()):"),
        "new": (
            "if hmac.compare_digest(pyotp.HOTP(secret).at(step)[:5].encode(), code[:5].encode()):"
        ),
    },
    {
        "name": "a code is compared as a number",
        "kind": "identity",
        "step": "TestDrift",
        "base": "app",
        "old": ("if hmac.compare_digest(pyotp.HOTP(secret).at(step).encode(), code.encode()):"),
        "new": (
            'digits = code.replace("_", "").lstrip("+")\n'
            "            if digits.isdecimal() and "
            "int(pyotp.HOTP(secret).at(step)) == int(digits):"
        ),
    },
    {
        "name": "takes the digits of other scripts",
        "kind": "identity",
        "step": "TestDrift",
        "base": "app",
        "old": ("if hmac.compare_digest(pyotp.HOTP(secret).at(step).encode(), code.encode()):"),
        "new": (
            "try:\n"
            '                number = int(code.encode("latin-1").decode())\n'
            "            except ValueError:\n"
            "                continue\n"
            "            if len(code) != 7 and int(pyotp.HOTP(secret).at(step)) == "
            "number:"
        ),
    },
    {
        "name": "a code that only ends rightly",
        "kind": "identity",
        "step": "TestDrift",
        "base": "app",
        "old": ("if hmac.compare_digest(pyotp.HOTP(secret).at(step).encode(), code.encode()):"),
        "new": "if code.endswith(pyotp.HOTP(secret).at(step)):",
    },
    {
        "name": "remembers the last used code only",
        "kind": "storage",
        "step": "TestReplay",
        "base": "app",
        "old": '                if phone == "new":\n',
        "new": (
            '                others = "DELETE FROM used WHERE name = ? AND code <> '
            '?"\n'
            '                store.db().execute(others, [user["name"], code])\n'
            '                if phone == "new":\n'
        ),
    },
    {
        "name": "remembers a used code for 30 seconds",
        "kind": "time",
        "step": "TestReplay",
        "base": "by_hand",
        "old": "pair[1] > now - 600]",
        "new": "pair[1] > now - 30]",
    },
    {
        "name": "the code that enrolled a phone counts again",
        "kind": "identity",
        "step": "TestReplay",
        "base": "by_hand",
        "old": (
            '                used.append((code, now))\n                if kind == "pending":\n'
        ),
        "new": (
            '                if kind == "secret":\n'
            "                    used.append((code, now))\n"
            '                if kind == "pending":\n'
        ),
    },
    {
        "name": "each process has its own list of used codes",
        "kind": "concurrency",
        "step": "TestReplay",
        "base": "asynchronous",
        "changes": [
            (
                "def by_phone(name, checked, code):",
                "spent = set()\n\n\ndef by_phone(name, checked, code):",
            ),
            (
                (
                    'if not run("INSERT OR IGNORE INTO used VALUES (?, ?, ?)", name, code, '
                    "time.time() + 999):"
                ),
                "if (name, code) in spent:",
            ),
            ("    if fresh:\n", "    spent.add((name, code))\n    if fresh:\n"),
        ],
    },
    {
        "name": "the picture has another secret",
        "kind": "identity",
        "step": "TestEnrolment",
        "base": "app",
        "old": (
            'segno.make(address, micro=False).save(picture, kind="svg", scale=6, light="white")'
        ),
        "new": (
            'other = pyotp.TOTP(pyotp.random_base32()).provisioning_uri(name="user1'
            '", issuer_name=REALM)\n'
            '    segno.make(other, micro=False).save(picture, kind="svg", scale=6, '
            'light="white")'
        ),
    },
    {
        "name": "the picture names another user",
        "kind": "identity",
        "step": "TestEnrolment",
        "base": "app",
        "old": (
            'segno.make(address, micro=False).save(picture, kind="svg", scale=6, light="white")'
        ),
        "new": (
            'segno.make(address.replace("user1", "user2"), '
            'micro=False).save(picture, kind="svg", scale=6, light="white")'
        ),
    },
    {
        "name": "a picture in white on black",
        "kind": "headers",
        "step": "TestEnrolment",
        "base": "app",
        "old": (
            'segno.make(address, micro=False).save(picture, kind="svg", scale=6, light="white")'
        ),
        "new": (
            'segno.make(address, micro=False).save(picture, kind="svg", scale=6, '
            'dark="white", light="black")'
        ),
    },
    {
        "name": "a picture without its border",
        "kind": "headers",
        "step": "TestEnrolment",
        "base": "app",
        "old": (
            'segno.make(address, micro=False).save(picture, kind="svg", scale=6, light="white")'
        ),
        "new": (
            'segno.make(address, micro=False).save(picture, kind="svg", scale=6, '
            'border=0, light="white")'
        ),
    },
    {
        "name": "a picture of the address as text",
        "kind": "headers",
        "step": "TestEnrolment",
        "base": "app",
        "changes": [
            (
                (
                    'segno.make(address, micro=False).save(picture, kind="svg", scale=6, '
                    'light="white")'
                ),
                (
                    "text = f\"<text y='20'>{address.replace('&', '&amp;')}</text>\"\n"
                    "    svg = f\"<svg xmlns='http://www.w3.org/2000/svg' width='99' "
                    "height='99'>{text}</svg>\"\n"
                    "    picture.write(svg.encode())"
                ),
            ),
            ("import segno\n", ""),
        ],
    },
    {
        "name": "enrols whomever the form names",
        "kind": "identity",
        "step": "TestEnrolment",
        "base": "app",
        "old": '    user = password_owner()\n    if user["secret"]:',
        "new": (
            "    user = password_owner()\n"
            '    user = store.find_user(request.form.get("username", '
            'user["name"])) or user\n'
            '    if user["secret"]:'
        ),
    },
    {
        "name": "the secret is in the log",
        "kind": "disclosure",
        "step": "TestEnrolment",
        "base": "app",
        "old": "    if not store.keep_pending(user, secret):\n",
        "new": (
            '    app.logger.warning("enrolling %s: %s", user["name"], secret)\n'
            "    if not store.keep_pending(user, secret):\n"
        ),
    },
    {
        "name": "the secret is in the page",
        "kind": "disclosure",
        "step": "TestEnrolment",
        "base": "app",
        "old": "return f\"Hello, {user['name']}!\\n\"",
        "new": (
            'user = store.find_user(user["name"])\n'
            "    return f\"Hello, {user['name']}! Your phone has "
            "{user['secret']}.\\n\""
        ),
    },
    {
        "name": "the secret is in a cookie",
        "kind": "disclosure",
        "step": "TestEnrolment",
        "base": "app",
        "old": "return f\"Hello, {user['name']}!\\n\"",
        "new": (
            "cookie = f\"phone={store.find_user(user['name'])['secret']}\"\n"
            '    return f"Hello, {user[\'name\']}!\\n", {"Set-Cookie": cookie}'
        ),
    },
    {
        "name": "Retry-After is a moment, not a time",
        "kind": "headers",
        "step": "TestTries",
        "base": "app",
        "old": ('abort(429, "Too many wrong codes. Wait, then try again.", retry_after=wait)'),
        "new": (
            'abort(429, "Too many wrong codes. Wait, then try again.", '
            "retry_after=int(time.time()) + wait)"
        ),
    },
    {
        "name": "each try makes the pause longer",
        "kind": "time",
        "step": "TestTries",
        "base": "by_hand",
        "old": "        if len(tries) >= 5:\n",
        "new": (
            "        if len(tries) >= 5:\n"
            '            user["tries"] = [*tries, now]\n'
            "            save(users)\n"
        ),
    },
    {
        "name": "a right password ends the pause",
        "kind": "identity",
        "step": "TestTries",
        "base": "app",
        "old": "    if not code:\n",
        "new": "    if not code:\n        store.forget_tries(user)\n",
    },
    {
        "name": "an enrolment ends the pause",
        "kind": "identity",
        "step": "TestTries",
        "base": "app",
        "old": "    if not store.keep_pending(user, secret):\n",
        "new": ("    store.forget_tries(user)\n    if not store.keep_pending(user, secret):\n"),
    },
    {
        "name": "a limit for each address and user",
        "kind": "identity",
        "step": "TestTries",
        "base": "app",
        "changes": [
            (
                "    wait = store.take_try",
                (
                    "    if not take(user):\n"
                    "        abort(429, retry_after=LOCKOUT)\n"
                    "    wait = 0 and store.take_try"
                ),
            ),
            (
                "    store.forget_tries(user)\n",
                '    SEEN.pop((user["name"], request.remote_addr), None)\n',
            ),
            (
                "def second_factor(user):",
                (
                    "SEEN = {}\n"
                    "LOCKOUT = 300\n"
                    "\n"
                    "\n"
                    "def take(user):\n"
                    '    key = user["name"], request.remote_addr\n'
                    "    SEEN[key] = SEEN.get(key, 0) + 1\n"
                    "    return SEEN[key] <= TRIES\n"
                    "\n"
                    "\n"
                    "def second_factor(user):"
                ),
            ),
        ],
    },
    {
        "name": "a limit for each address that X-Forwarded-For names",
        "kind": "identity",
        "step": "TestTries",
        "base": "app",
        "changes": [
            (
                "    wait = store.take_try",
                (
                    "    if not take(user):\n"
                    "        abort(429, retry_after=LOCKOUT)\n"
                    "    wait = 0 and store.take_try"
                ),
            ),
            (
                "    store.forget_tries(user)\n",
                ('    SEEN.pop((user["name"], request.headers.get("X-Forwarded-For")), None)\n'),
            ),
            (
                "def second_factor(user):",
                (
                    "SEEN = {}\n"
                    "LOCKOUT = 300\n"
                    "\n"
                    "\n"
                    "def take(user):\n"
                    '    key = user["name"], request.headers.get("X-Forwarded-For")\n'
                    "    SEEN[key] = SEEN.get(key, 0) + 1\n"
                    "    return SEEN[key] <= TRIES\n"
                    "\n"
                    "\n"
                    "def second_factor(user):"
                ),
            ),
        ],
    },
    {
        "name": "a single try after the pause",
        "kind": "time",
        "step": "TestTries",
        "base": "asynchronous",
        "old": (
            '"UPDATE users SET tries = 0, pause = 0 WHERE name = ? AND pause '
            'BETWEEN 1 AND ?", name, now'
        ),
        "new": (
            '"UPDATE users SET tries = 4, pause = 0 WHERE name = ? AND pause '
            'BETWEEN 1 AND ?", name, now'
        ),
    },
    {
        "name": "each process counts for itself",
        "kind": "concurrency",
        "step": "TestTries",
        "base": "app",
        "changes": [
            (
                "    wait = store.take_try",
                (
                    "    if not take(user):\n"
                    "        abort(429, retry_after=LOCKOUT)\n"
                    "    wait = 0 and store.take_try"
                ),
            ),
            ("    store.forget_tries(user)\n", '    SEEN.pop(user["name"], None)\n'),
            (
                "def second_factor(user):",
                (
                    "SEEN = {}\n"
                    "LOCKOUT = 300\n"
                    "\n"
                    "\n"
                    "def take(user):\n"
                    '    SEEN[user["name"]] = SEEN.get(user["name"], 0) + 1\n'
                    '    return SEEN[user["name"]] <= TRIES\n'
                    "\n"
                    "\n"
                    "def second_factor(user):"
                ),
            ),
        ],
    },
    {
        "name": "an unknown user is answered at once by /pin and /enroll",
        "kind": "disclosure",
        "step": "TestRequired",
        "base": "app",
        "old": "    user = store.check_password(sent.username, sent.password)\n",
        "new": (
            '    if request.path != "/" and not store.find_user(sent.username or ""):\n'
            '        refuse_with("User name or password is wrong.")\n'
            "    user = store.check_password(sent.username, sent.password)\n"
        ),
    },
    {
        "name": "/pin and /enroll say that there is no such user",
        "kind": "disclosure",
        "step": "TestRequired",
        "base": "app",
        "old": "    return user or refuse_with(",
        "new": (
            '    if request.path != "/" and not store.find_user(sent.username or ""):\n'
            '        refuse_with("There is no such user.")\n'
            "    return user or refuse_with("
        ),
    },
    {
        "name": "passwords kept as a salted SHA-1",
        "kind": "storage",
        "step": "TestRequired",
        "base": "asynchronous",
        "changes": [
            ("from passlib.hash import argon2\n", "from passlib.hash import ldap_salted_sha1\n"),
            (
                'argon2.using(type="ID", memory_cost=19456, rounds=2, parallelism=1)',
                "ldap_salted_sha1",
            ),
        ],
    },
    {
        "name": "the mail says with which password it was asked for",
        "kind": "disclosure",
        "step": "TestMail",
        "base": "app",
        "old": 'f"Your PIN is {number}. It works',
        "new": 'f"Your PIN is {number}. You are {request.authorization.password}. It works',
    },
    {
        "name": "any code of a list may be the right one",
        "kind": "identity",
        "step": "TestPinOnce",
        "base": "app",
        "old": "any(use(user, code) for use in KINDS_OF_CODE)",
        "new": 'any(use(user, one) for one in re.split("[, ]+", code) for use in KINDS_OF_CODE)',
    },
    {
        "name": "a PIN lasts for an hour unless set otherwise",
        "kind": "configuration",
        "step": "TestPinOnce",
        "base": "orm",
        "old": "PIN_LIFETIME=300",
        "new": "PIN_LIFETIME=3600",
    },
    {
        "name": "a short secret key is padded and taken",
        "kind": "configuration",
        "step": "TestPinOnce",
        "base": "by_hand",
        "old": 'os.environ.get("FLASK_SECRET_KEY", "").encode()',
        "new": 'os.environ.get("FLASK_SECRET_KEY", "").encode().ljust(32, b"=")',
    },
    {
        "name": "without FLASK_SECRET_KEY each process makes a key of its own",
        "kind": "configuration",
        "step": "TestPinOnce",
        "base": "hooks",
        "old": 'app.config["SECRET_KEY"] or ""',
        "new": 'app.config["SECRET_KEY"] or secrets.token_hex(32)',
    },
    {
        "name": "prints its key at the start",
        "kind": "disclosure",
        "step": "TestPinOnce",
        "base": "app",
        "old": 'store.read_address(app, "MAIL_SERVER")\n',
        "new": 'store.read_address(app, "MAIL_SERVER")\nprint(app.secret_key, flush=True)\n',
    },
    {
        "name": "codes go by the clock on the wall",
        "kind": "time",
        "step": "TestDrift",
        "base": "app",
        "changes": [
            (
                "now = int(time.time()) // 30",
                "now = calendar.timegm(time.localtime()) // 30",
            ),
            ("import hmac\n", "import calendar\nimport hmac\n"),
        ],
    },
    {
        "name": "who is greeted stands in a variable of the module",
        "kind": "concurrency",
        "step": "TestReplay",
        "base": "app",
        "changes": [
            ("user['name']}!", "current}!"),
            (
                "    user = store.check_password(sent.username, sent.password)\n",
                (
                    "    global current\n"
                    "    current = sent.username\n"
                    "    user = store.check_password(sent.username, sent.password)\n"
                ),
            ),
        ],
    },
    {
        "name": "a code that was used once more enrols a phone",
        "kind": "identity",
        "step": "TestEnrolment",
        "base": "app",
        "old": '    if user["secret"]:  # else',
        "new": (
            '    code = request.headers.get("OTP", "")\n'
            "    if user['secret'] and not (\n"
            "        code.isascii() and pyotp.TOTP(user['secret']).verify(code, valid_window=1)\n"
            "    ):  # else"
        ),
    },
    {
        "name": "the secret is mailed as well",
        "kind": "disclosure",
        "step": "TestEnrolment",
        "base": "app",
        "old": "    return shown(new_secret(user))",
        "new": (
            "    address = new_secret(user)\n"
            '    mail(user, "your phone", f"Keep this in case you lose it: {address}")\n'
            "    return shown(address)"
        ),
    },
    {
        "name": "the mail with the PIN has the phone's secret",
        "kind": "disclosure",
        "step": "TestEnrolment",
        "base": "app",
        "old": 'f"Your PIN is {number}. It works',
        "new": "f\"Your PIN is {number}. Your phone: {user['secret']}. It works",
    },
    {
        "name": "a wrong password is told of the pause",
        "kind": "disclosure",
        "step": "TestTries",
        "base": "app",
        "old": "    user = store.check_password(sent.username, sent.password)\n",
        "new": (
            '    named = store.find_user(sent.username or "")\n'
            '    if named and named["tries"] >= TRIES and request.headers.get("OTP"):\n'
            '        left = named["tries_until"] - time.time()\n'
            "        if left > 0:\n"
            '            abort(429, "Too many wrong codes.", retry_after=int(left) + 1)\n'
            "    user = store.check_password(sent.username, sent.password)\n"
        ),
    },
    {
        "name": "a pause of ten seconds",
        "kind": "configuration",
        "step": "TestTries",
        "base": "factory",
        "old": "LOCKOUT=300",
        "new": "LOCKOUT=10",
    },
    {
        "name": "a wrong password closes the public page",
        "kind": "headers",
        "step": "TestItWorks",
        "base": "app",
        "old": ('@app.get("/public")\ndef public():\n'),
        "new": (
            '@app.get("/public")\n'
            "def public():\n"
            "    if request.authorization:\n"
            "        password_owner()\n"
        ),
    },
    {
        "name": "JSON with name and password counts as well",
        "kind": "identity",
        "step": "TestRequired",
        "base": "app",
        "old": '    if not sent or sent.type != "basic":\n',
        "new": (
            "    if not sent and request.is_json:\n"
            "        body = request.get_json(silent=True) or {}\n"
            '        user = store.check_password(str(body.get("username")), '
            'str(body.get("password")))\n'
            '        return user or refuse_with("User name or password is wrong.")\n'
            '    if not sent or sent.type != "basic":\n'
        ),
    },
    {
        "name": "/pin reads names and passwords in a way of its own",
        "kind": "identity",
        "step": "TestRequired",
        "base": "app",
        "old": "    user, number = password_owner(), f",
        "new": (
            "    sent, user = request.authorization if "
            'request.headers.get("OTP") is None else None, None\n'
            '    if sent and sent.type == "basic":\n'
            "        user = store.check_password(sent.username.lower(), "
            "sent.password.strip())\n"
            "    user, number = user or password_owner(), f"
        ),
    },
    {
        "name": "the code is in the log when the password was wrong",
        "kind": "disclosure",
        "step": "TestMail",
        "base": "app",
        "old": '    return user or refuse_with("User name or password is wrong.")',
        "new": (
            "    if not user:\n"
            '        app.logger.warning("refused: %s, OTP %s", sent.username, '
            'request.headers.get("OTP"))\n'
            '    return user or refuse_with("User name or password is wrong.")'
        ),
    },
    {
        "name": "each wrong code is in the log, and so another user's right one",
        "kind": "disclosure",
        "step": "TestPinOnce",
        "base": "app",
        "old": '        refuse_with("This code is wrong, too',
        "new": (
            '        app.logger.warning("wrong code %s of %s", code, user["name"])\n'
            '        refuse_with("This code is wrong, too'
        ),
    },
    {
        "name": "a form on any page enrols a phone",
        "kind": "headers",
        "step": "TestMail",
        "base": "app",
        "changes": [
            ("app.before_request(store.refuse_other_origins)\n", ""),
            (
                "    user, number = password_owner(), f",
                ("    store.refuse_other_origins()\n    user, number = password_owner(), f"),
            ),
        ],
    },
    {
        "name": "another port is taken for the same origin",
        "kind": "headers",
        "step": "TestMail",
        "base": "app",
        "old": "app.before_request(store.refuse_other_origins)\n",
        "new": (
            "from urllib.parse import urlsplit\n"
            "\n"
            "@app.before_request\n"
            "def refuse_other_origins():\n"
            '    if request.method != "POST":\n'
            "        return\n"
            '    site, origin = request.headers.get("Sec-Fetch-Site"), '
            'request.headers.get("Origin")\n'
            '    own = f"{request.scheme}://{request.host}"\n'
            '    ours = site in ("same-origin", "none") if site else origin is '
            'None or urlsplit(origin).hostname == request.host.partition(":")[0]\n'
            "    if not ours:\n"
            '        abort(403, "This form came from a page of another origin '
            '(scheme, host and port).")\n'
            "\n"
            "\n"
        ),
    },
    {
        "name": "an origin that begins with ours is taken for ours",
        "kind": "headers",
        "step": "TestMail",
        "base": "app",
        "old": "app.before_request(store.refuse_other_origins)\n",
        "new": (
            "\n"
            "@app.before_request\n"
            "def refuse_other_origins():\n"
            '    if request.method != "POST":\n'
            "        return\n"
            '    site, origin = request.headers.get("Sec-Fetch-Site"), '
            'request.headers.get("Origin")\n'
            '    own = f"{request.scheme}://{request.host}"\n'
            '    ours = site in ("same-origin", "none") if site else origin is '
            "None or origin.startswith(own)\n"
            "    if not ours:\n"
            '        abort(403, "This form came from a page of another origin '
            '(scheme, host and port).")\n'
            "\n"
            "\n"
        ),
    },
    {
        "name": "an origin's scheme is not looked at",
        "kind": "headers",
        "step": "TestMail",
        "base": "app",
        "old": "app.before_request(store.refuse_other_origins)\n",
        "new": (
            "\n"
            "@app.before_request\n"
            "def refuse_other_origins():\n"
            '    if request.method != "POST":\n'
            "        return\n"
            '    site, origin = request.headers.get("Sec-Fetch-Site"), '
            'request.headers.get("Origin")\n'
            '    own = f"{request.scheme}://{request.host}"\n'
            '    ours = site in ("same-origin", "none") if site else origin is '
            'None or origin.partition("://")[2] == request.host\n'
            "    if not ours:\n"
            '        abort(403, "This form came from a page of another origin '
            '(scheme, host and port).")\n'
            "\n"
            "\n"
        ),
    },
    {
        "name": "a new PIN ends everybody's",
        "kind": "storage",
        "step": "TestPinOnce",
        "base": "app",
        "old": "def use_pin(user, code):\n",
        "new": (
            "_keep = store.keep_pin\n"
            "\n"
            "\n"
            "def _keep_pin(user, turn, kept, lifetime):\n"
            '    store.db().execute("UPDATE users SET pin = NULL")\n'
            "    return _keep(user, turn, kept, lifetime)\n"
            "\n"
            "\n"
            "store.keep_pin = _keep_pin\n"
            "\n"
            "\n"
            "def use_pin(user, code):\n"
        ),
    },
    {
        "name": "429 for a second PIN at once, with no Retry-After",
        "kind": "headers",
        "step": "TestPinOnce",
        "base": "app",
        "old": 'just now. Look into your mailbox.", retry_after=5)',
        "new": 'just now. Look into your mailbox.")',
    },
    {
        "name": "a phone is known to one process only until its first code",
        "kind": "concurrency",
        "step": "TestReplay",
        "base": "app",
        "changes": [
            ("TRIES = 5", ("PENDING = {}\nTRIES = 5")),
            (
                "    if not store.keep_pending(user, secret):\n",
                (
                    '    PENDING[user["name"]] = secret\n'
                    "    if not store.keep_pending(user, pyotp.random_base32()):\n"
                ),
            ),
            ('[user["secret"], user["pending"]]', '[user["secret"], PENDING.get(user["name"])]'),
            (
                "                phone = store.use_code(user, secret, code, step)\n",
                (
                    '                if secret != user["secret"]:\n'
                    "                    store.keep_pending(user, secret)\n"
                    "                phone = store.use_code(user, secret, code, step)\n"
                ),
            ),
        ],
    },
    {
        "name": "a PIN lets a phone count that has shown no code",
        "kind": "identity",
        "step": "TestEnrolment",
        "base": "app",
        "old": ('    return store.use_pin(user, tag(user, code), app.config["PIN_LIFETIME"])\n'),
        "new": (
            "    right = store.use_pin(user, tag(user, code), "
            'app.config["PIN_LIFETIME"])\n'
            "    if right:\n"
            '        phone = "UPDATE users SET secret = pending, pending = NULL '
            'WHERE name = ? AND pending IS NOT NULL"\n'
            '        store.db().execute(phone, [user["name"]])\n'
            "    return right\n"
        ),
    },
    {
        "name": "a code of the old phone lets the new one count",
        "kind": "identity",
        "step": "TestEnrolment",
        "base": "app",
        "old": '                if phone == "new":\n',
        "new": (
            '                if phone == "known":\n'
            '                    sql = "UPDATE users SET secret = pending, '
            'pending = NULL WHERE name = ? AND pending IS NOT NULL"\n'
            '                    store.db().execute(sql, [user["name"]])\n'
            '                if phone == "new":\n'
        ),
    },
    {
        "name": "a PIN that enrolled a phone counts once more",
        "kind": "identity",
        "step": "TestEnrolment",
        "base": "app",
        "old": ("        second_factor(user)\n    return shown"),
        "new": (
            '        fits = hmac.compare_digest(user["pin"] or b"", tag(user, '
            'request.headers.get("OTP", "")))\n'
            '        if not fits or user["pin_until"] < time.time() or '
            'user["tries"] >= TRIES:\n'
            "            second_factor(user)\n"
            "    return shown"
        ),
    },
    {
        "name": "the first code of one phone changes everybody's",
        "kind": "storage",
        "step": "TestEnrolment",
        "base": "app",
        "old": '                if phone == "new":\n',
        "new": (
            '                if phone == "new":\n'
            '                    store.db().execute("UPDATE users SET pending = '
            'NULL, secret = "\n'
            '                        "CASE WHEN name = ? THEN secret ELSE '
            'pending END", [user["name"]])\n'
        ),
    },
    {
        "name": "an error 500 for a new phone when no mail can be sent",
        "kind": "configuration",
        "step": "TestEnrolment",
        "base": "app",
        "old": (
            '    mail(user, "a new phone", "A new phone counts from now on. The '
            'one before, if any, does not.")'
        ),
        "new": (
            '    if not mail(user, "a new phone", "A new phone counts from now on."):\n'
            '        raise OSError("no mail")'
        ),
    },
    {
        "name": "one user's right code gives everybody new tries",
        "kind": "storage",
        "step": "TestTries",
        "base": "app",
        "old": "    store.forget_tries(user)\n",
        "new": '    store.db().execute("UPDATE users SET tries = 0")\n',
    },
    {
        "name": "four tries between any two requests without a code",
        "kind": "time",
        "step": "TestTries",
        "base": "app",
        "old": ('    code = request.headers.get("OTP", "")\n    if not code:\n'),
        "new": (
            '    code = request.headers.get("OTP", "")\n'
            "    if not code:\n"
            '        reset = "UPDATE users SET tries = 0 WHERE name = ? AND '
            'tries < ?"\n'
            '        store.db().execute(reset, [user["name"], TRIES])\n'
        ),
    },
    {
        "name": "four tries between any two PINs",
        "kind": "time",
        "step": "TestTries",
        "base": "app",
        "old": "    store.end_pin(user, turn)\n",
        "new": (
            "    store.end_pin(user, turn)\n"
            '    reset = "UPDATE users SET tries = 0 WHERE name = ? AND tries < ?"\n'
            '    store.db().execute(reset, [user["name"], TRIES])\n'
        ),
    },
    {
        "name": "four tries between any two enrolments",
        "kind": "time",
        "step": "TestTries",
        "base": "app",
        "old": "    return shown(new_secret(user))\n",
        "new": (
            '    reset = "UPDATE users SET tries = 0 WHERE name = ? AND tries < ?"\n'
            '    store.db().execute(reset, [user["name"], TRIES])\n'
            "    return shown(new_secret(user))\n"
        ),
    },
    {
        "name": "the enrolment takes a right code during the pause",
        "kind": "identity",
        "step": "TestTries",
        "base": "app",
        "old": ("        second_factor(user)\n    return shown"),
        "new": (
            '        code = request.headers.get("OTP", "")\n'
            "        if not (code and any(use(user, code) for use in KINDS_OF_CODE)):\n"
            "            second_factor(user)\n"
            "    return shown"
        ),
    },
    {
        "name": "compares with passwords that stand in the code",
        "kind": "storage",
        "step": "TestRequired",
        "base": "app",
        "changes": [
            (
                "    user = store.check_password(sent.username, sent.password)\n",
                (
                    "    right = hmac.compare_digest(USERS.get(sent.username, "
                    '"").encode(), sent.password.encode())\n'
                    "    user = store.find_user(sent.username) if right else None\n"
                ),
            ),
            ("TRIES = 5", ('USERS = {"user1": "pass1", "user2": "pass2"}\nTRIES = 5')),
        ],
    },
    {
        "name": "who has begun another enrolment needs no code",
        "kind": "identity",
        "step": "TestEnrolment",
        "base": "app",
        "old": '    if user["secret"]:  # else',
        "new": '    if user["secret"] and not user["pending"]:  # else',
    },
    {
        "name": "a picture of a new secret needs no code",
        "kind": "identity",
        "step": "TestEnrolment",
        "base": "app",
        "old": '    if user["secret"]:  # else',
        "new": (
            '    if request.headers.get("Accept") == "image/svg+xml":\n'
            "        return shown(new_secret(user))\n"
            '    if user["secret"]:  # else'
        ),
    },
    {
        "name": "the PIN stands in a variable of the module",
        "kind": "concurrency",
        "step": "TestPinOnce",
        "base": "app",
        "old": '    user, number = password_owner(), f"{secrets.randbelow(10**6):06}"\n',
        "new": (
            "    global number\n"
            '    user, number = password_owner(), f"{secrets.randbelow(10**6):06}"\n'
        ),
    },
]

UNSEEN = [
    (
        "Retry-After is rounded down, so up to a second too short",
        "whether the seconds of the pause that are left are rounded up",
    ),
    (
        "PINs are hashed with a key that stands in the code",
        "`tag` and the like: the key is FLASK_SECRET_KEY, or a random one that is kept",
    ),
    (
        "PINs come from `random`, with no seed",
        "`secrets`; from the outside, a hundred PINs look alike",
    ),
    (
        "A code of the programmer's own opens every account",
        ("what `second_factor` compares the code with; the checks can't try a million"),
    ),
    (
        "A password is cut after 72 bytes",
        ("the demo passwords are short; look for `bcrypt` or a slice before the hash"),
    ),
    (
        "A code is compared with `==`",
        ("`hmac.compare_digest`; over a network, the difference can't be measured"),
    ),
    (
        "A PIN is kept as a slow hash without a key",
        ("a million PINs cost hours, not years; look for a key or FLASK_SECRET_KEY in it"),
    ),
    (
        "The QR code is drawn with other shapes than rectangles",
        ("the checks' reader doesn't know circles, `<use>` and images; scan it with a phone"),
    ),
    (
        "Secrets are kept readable",
        "as `app.py` does; its README says what to do where that matters",
    ),
]
