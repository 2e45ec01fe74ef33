"""Wrong answers to lesson 01: each a right one with one believable mistake in it.

kind: what it is about; step: where it must be caught; base: the right answer that it is made from
("app" is app.py). UNSEEN lists what no check can see, with what to look for in the file instead.
"""

MISTAKES = [
    {
        "name": "says no with status 200",
        "kind": "headers",
        "step": "TestRefusals",
        "base": "factory",
        "old": 'WRONG = "Sorry, that\'s not right.", 403',
        "new": 'WRONG = "Sorry, that\'s not right.", 200',
    },
    {
        "name": "refuses with 401, which would have to name a scheme",
        "kind": "headers",
        "step": "TestRefusals",
        "base": "app",
        "old": 'abort(403, "User name or password is wrong.")',
        "new": 'abort(401, "User name or password is wrong.")',
    },
    {
        "name": "takes a form without a password for a bad request at login",
        "kind": "headers",
        "step": "TestRefusals",
        "base": "by_hand",
        "old": "name, password = read(403)",
        "new": "name, password = read(400)",
    },
    {
        "name": "returns True for an unknown user",
        "kind": "identity",
        "step": "TestOwnPasswords",
        "base": "app",
        "old": "return known and bool(right)",
        "new": "return bool(right) or not known",
    },
    {
        "name": "compares with the first user's hash, whoever it is",
        "kind": "identity",
        "step": "TestOwnPasswords",
        "base": "classes",
        "old": "hashed = dict(self.all()).get(name)",
        "new": "hashed = self.all()[0][1]",
    },
    {
        "name": "takes any user's password for any user",
        "kind": "identity",
        "step": "TestOwnPasswords",
        "base": "by_hand",
        "changes": [
            (
                "    users = load()\n    if name in users and",
                "    users = load()\n"
                "    if name and any(not h.startswith('$6$') and argon2_right(h, password)"
                " for h in users.values()):\n"
                '        return f"Hello, {name}!"\n'
                "    if name in users and",
            ),
            (
                "def read(",
                "def argon2_right(stored, password):\n"
                "    try:\n"
                "        return hasher.verify(stored, password)\n"
                "    except VerifyMismatchError:\n"
                "        return False\n\n\n"
                "def read(",
            ),
        ],
    },
    {
        "name": "a registration overwrites the user who was there",
        "kind": "identity",
        "step": "TestRegister",
        "base": "by_hand",
        "old": "        if name in users:\n            abort(409)\n",
        "new": "",
    },
    {
        "name": "says 409 but has changed the password already",
        "kind": "storage",
        "step": "TestRegister",
        "base": "factory",
        "old": '    if find(name):\n        return "This name is taken.", 409\n',
        "new": "    if find(name):\n"
        '        change = "UPDATE accounts SET secret = ? WHERE login = ?"\n'
        "        connection().execute(change, [argon2.hash(password), name])\n"
        "        connection().commit()\n"
        '        return "This name is taken.", 409\n',
    },
    {
        "name": "registers an empty password",
        "kind": "identity",
        "step": "TestRegister",
        "base": "classes",
        "old": "if not value or",
        "new": 'if (not value and name == "username") or',
    },
    {
        "name": "a missing field is an error 500",
        "kind": "headers",
        "step": "TestRegister",
        "base": "app",
        "old": "    if password is None:\n        abort(status,",
        "new": "    if status == 403 and password is None:\n        abort(status,",
    },
    {
        "name": "keeps the users in a dictionary",
        "kind": "storage",
        "step": "TestKept",
        "base": "by_hand",
        "changes": [
            (
                'return json.loads(FILE.read_text("utf-8")) if FILE.exists() else {}',
                "return dict(USERS)",
            ),
            (
                '    draft = FILE.with_suffix(".new")\n'
                '    draft.write_text(json.dumps(users), "utf-8")\n'
                "    draft.replace(FILE)\n",
                "    USERS.update(users)\n",
            ),
            ("lock = threading.Lock()", "lock = threading.Lock()\nUSERS = {}"),
        ],
    },
    {
        "name": "makes the table anew at each start",
        "kind": "storage",
        "step": "TestKept",
        "base": "classes",
        "old": 'file.execute("create table if not exists users (name text unique, hash text)")',
        "new": 'file.execute("drop table if exists users")\n'
        '            file.execute("create table users (name text unique, hash text)")',
    },
    {
        "name": "forgets to commit",
        "kind": "concurrency",
        "step": "TestRegister",
        "base": "factory",
        "old": "    connection().commit()\n    if not added:",
        "new": "    if not added:",
    },
    {
        "name": "an unknown user is answered at once",
        "kind": "disclosure",
        "step": "TestNoList",
        "base": "factory",
        "old": '        argon2.verify(password, current_app.extensions["nobody"])\n',
        "new": "",
    },
    {
        "name": "tells an unknown user from a wrong password in the text",
        "kind": "disclosure",
        "step": "TestNoList",
        "base": "by_hand",
        "old": "    except VerifyMismatchError:\n        abort(403)\n",
        "new": "    except VerifyMismatchError:\n"
        '        abort(403, "wrong password" if name in users else "no such user")\n',
    },
    {
        "name": "no NFC",
        "kind": "identity",
        "step": "TestText",
        "base": "asynchronous",
        "old": 'unicodedata.normalize("NFC", text.translate(SPACES))',
        "new": "text.translate(SPACES)",
    },
    {
        "name": "NFC at registration only",
        "kind": "identity",
        "step": "TestText",
        "base": "by_hand",
        "old": '    password = unicodedata.normalize("NFC", spaced)',
        "new": '    password = unicodedata.normalize("NFC", spaced) if status == 400 else spaced',
    },
    {
        "name": "counts characters, not bytes",
        "kind": "identity",
        "step": "TestText",
        "base": "factory",
        "old": "0 < len(text.encode()) <= 1024",
        "new": "0 < len(text) <= 1024",
    },
    {
        "name": "cuts a long password off",
        "kind": "identity",
        "step": "TestText",
        "base": "classes",
        "old": '(request.form.get(name) or "")[:4097]',
        "new": '(request.form.get(name) or "")[:72]',
    },
    {
        "name": "normalises, but leaves the no-break space what it is",
        "kind": "identity",
        "step": "TestText",
        "base": "classes",
        "old": 'BLANKS.sub(" ", value)',
        "new": "value",
    },
    {
        "name": "takes away every blank",
        "kind": "identity",
        "step": "TestText",
        "base": "factory",
        "old": 'return " " if category',
        "new": 'return "" if category',
    },
    {
        "name": "lets a NUL through to the hash",
        "kind": "identity",
        "step": "TestText",
        "base": "asynchronous",
        "old": '1 <= len(text.encode()) <= 1024 and "\\0" not in text',
        "new": "1 <= len(text.encode()) <= 1024",
    },
    {
        "name": "no limit to the form",
        "kind": "configuration",
        "step": "TestLimits",
        "base": "by_hand",
        "old": 'app.config["MAX_CONTENT_LENGTH"] = 2**14\n',
        "new": "",
    },
    {
        "name": "a limit to the form at registration only",
        "kind": "configuration",
        "step": "TestLimits",
        "base": "classes",
        "changes": [
            (
                "app.config.from_mapping(MAX_CONTENT_LENGTH=16_000, MAX_FORM_MEMORY_SIZE=16_000)\n",
                "",
            ),
            (
                "        if not users.add(",
                "        if (request.content_length or 0) > 16_000:\n"
                '            raise Refused(413, "too large")\n'
                "        if not users.add(",
            ),
        ],
    },
    {
        "name": "measures the password only when it is normalised",
        "kind": "configuration",
        "step": "TestLimits",
        "base": "asynchronous",
        "changes": [
            ("20_000", "300_000"),
            ("    if len(text) > 4096:\n        return None\n", ""),
        ],
    },
    {
        "name": "still makes sha512_crypt hashes for new users",
        "kind": "storage",
        "step": "TestArgon2",
        "base": "classes",
        "old": 'CryptContext(["argon2", "sha512_crypt"], deprecated=["sha512_crypt"])',
        "new": 'CryptContext(["sha512_crypt", "argon2"], sha512_crypt__default_rounds=20000)',
    },
    {
        "name": "`flask users` prints the hashes",
        "kind": "disclosure",
        "step": "TestArgon2",
        "base": "asynchronous",
        "old": 'print(f"{who:20} {pwd.identify(stored)}")',
        "new": "print(who, stored)",
    },
    {
        "name": "`flask users` is a page, not a command",
        "kind": "configuration",
        "step": "TestArgon2",
        "base": "app",
        "old": '@app.cli.command("users")',
        "new": '@app.get("/users")',
    },
    {
        "name": "never replaces the old hash",
        "kind": "storage",
        "step": "TestOldHashes",
        "base": "factory",
        "old": "    if scheme is sha512_crypt:",
        "new": "    if False and scheme is sha512_crypt:",
    },
    {
        "name": "replaces the old hash whether the password is right or not",
        "kind": "storage",
        "step": "TestOldHashes",
        "base": "factory",
        "changes": [
            (
                "    if not scheme.verify(password, stored):\n        return WRONG\n",
                "    right = scheme.verify(password, stored)\n",
            ),
            (
                '    return f"Hello, {name}!"',
                '    return f"Hello, {name}!" if right else WRONG',
            ),
        ],
    },
    {
        "name": "user2 begins with Argon2id",
        "kind": "storage",
        "step": "TestOldHashes",
        "base": "classes",
        "old": 'context.handler("sha512_crypt").using(rounds=5000).hash("pass2")',
        "new": 'context.hash("pass2")',
    },
]

UNSEEN = []
