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
            ("import contextlib\n", "import contextlib\n\nUSERS = {}\n"),
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
                '    return f"Hello, {escape(name)}!"',
                '    return f"Hello, {escape(name)}!" if right else WRONG',
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
    {
        "name": "a pattern in the user name fits several users",
        "kind": "identity",
        "step": "TestOwnPasswords",
        "base": "hooks",
        "old": '"SELECT hash FROM users WHERE name = ?", (g.name,)',
        "new": '"SELECT hash FROM users WHERE name LIKE ?", (g.name,)',
    },
    {
        "name": "puts the user name into the SQL",
        "kind": "identity",
        "step": "TestOwnPasswords",
        "base": "factory",
        "old": (
            'row = connection().execute("SELECT secret FROM accounts WHERE '
            'login = ?", [name]).fetchone()'
        ),
        "new": (
            'row = connection().execute(f"SELECT secret FROM accounts '
            "WHERE login = '{name}'\").fetchone()"
        ),
    },
    {
        "name": "logs in from the address as well",
        "kind": "identity",
        "step": "TestRefusals",
        "base": "classes",
        "old": 'value = (request.form.get(name) or "")[:4097]',
        "new": 'value = (request.values.get(name) or "")[:4097]',
    },
    {
        "name": "logs in by GET",
        "kind": "identity",
        "step": "TestRefusals",
        "base": "app",
        "changes": [
            ('@app.post("/login")\n', '@app.route("/login", methods=["GET", "POST"])\n'),
            (
                'text = request.form.get(field, "")',
                (
                    'text = request.values.get(field, "") if request.method == '
                    '"GET" else request.form.get(field, "")'
                ),
            ),
        ],
    },
    {
        "name": "a session cookie lets in whoever was let in once",
        "kind": "identity",
        "step": "TestOwnPasswords",
        "base": "factory",
        "changes": [
            (
                "from flask import Blueprint, Flask, abort, current_app, g, request\n",
                ("from flask import Blueprint, Flask, abort, current_app, g, request, session\n"),
            ),
            (
                ("    stored = find(name)\n    if stored is None:"),
                (
                    '    if session.get("name") == name:\n'
                    '        return f"Hello, {escape(name)}!"\n'
                    "    stored = find(name)\n"
                    "    if stored is None:"
                ),
            ),
            (
                ('        connection().commit()\n    return f"Hello, {escape(name)}!"'),
                (
                    "        connection().commit()\n"
                    '    session["name"] = name\n'
                    '    return f"Hello, {escape(name)}!"'
                ),
            ),
        ],
    },
    {
        "name": "compares the first letters only",
        "kind": "identity",
        "step": "TestOwnPasswords",
        "base": "by_hand",
        "changes": [
            ("    return name, password\n", "    return name, password[:4]\n"),
            (
                'old = sha512_crypt.using(rounds=5000).hash("pass2")',
                'old = sha512_crypt.using(rounds=5000).hash("pass")',
            ),
            ('"user1": hasher.hash("pass1")', '"user1": hasher.hash("pass")'),
        ],
    },
    {
        "name": "compares small letters",
        "kind": "identity",
        "step": "TestOwnPasswords",
        "base": "app",
        "old": "    return username, password\n",
        "new": "    return username, password.lower()\n",
    },
    {
        "name": "takes user names in capitals for the same",
        "kind": "identity",
        "step": "TestOwnPasswords",
        "base": "app",
        "old": "    return username, password\n",
        "new": "    return username.lower(), password\n",
    },
    {
        "name": "the table of users ignores case",
        "kind": "identity",
        "step": "TestOwnPasswords",
        "base": "orm",
        "old": "(name VARCHAR PRIMARY KEY, secret",
        "new": "(name VARCHAR PRIMARY KEY COLLATE NOCASE, secret",
    },
    {
        "name": "strips passwords",
        "kind": "identity",
        "step": "TestText",
        "base": "files",
        "old": '    return text if len(text.encode()) <= 1024 else ""',
        "new": '    return text.strip() if len(text.encode()) <= 1024 else ""',
    },
    {
        "name": "NFKC instead of NFC",
        "kind": "identity",
        "step": "TestText",
        "base": "app",
        "old": 'unicodedata.normalize("NFC", text)',
        "new": 'unicodedata.normalize("NFKC" if field == "password" else "NFC", text)',
    },
    {
        "name": "casefolds what it normalises",
        "kind": "identity",
        "step": "TestOwnPasswords",
        "base": "orm",
        "old": 'unicodedata.normalize("NFC", BLANK.sub(" ", text))',
        "new": 'unicodedata.normalize("NFC", BLANK.sub(" ", text)).casefold()',
    },
    {
        "name": "reads latin-1 where UTF-8 fails",
        "kind": "identity",
        "step": "TestText",
        "base": "by_hand",
        "changes": [
            (
                (
                    "        form = parse_qs(request.get_data().decode(), "
                    'errors="strict", max_num_fields=9)\n'
                    "    except ValueError:\n"
                    "        abort(status)\n"
                ),
                (
                    "        form = parse_qs(request.get_data().decode(), "
                    'errors="strict", max_num_fields=9)\n'
                    "    except ValueError:\n"
                    '        form = parse_qs(request.get_data().decode("latin-1"), '
                    'encoding="latin-1")\n'
                ),
            ),
        ],
    },
    {
        "name": "registers from the address",
        "kind": "identity",
        "step": "TestRegister",
        "base": "app",
        "old": '    text = request.form.get(field, "")\n',
        "new": (
            '    text = request.form.get(field, "")\n'
            '    if request.path == "/register":\n'
            '        text = request.values.get(field, "")\n'
        ),
    },
    {
        "name": "keeps the password beside the hash",
        "kind": "storage",
        "step": "TestArgon2",
        "base": "factory",
        "changes": [
            (
                "accounts (login TEXT PRIMARY KEY, secret TEXT)",
                "accounts (login TEXT PRIMARY KEY, secret TEXT, hint TEXT)",
            ),
            (
                'insert = "INSERT OR IGNORE INTO accounts VALUES (?, ?)"',
                'insert = "INSERT OR IGNORE INTO accounts VALUES (?, ?, ?)"',
            ),
            (
                "[name, argon2.hash(password)]).rowcount",
                "[name, argon2.hash(password), password]).rowcount",
            ),
            (
                ('tables.execute("INSERT OR IGNORE INTO accounts VALUES (?, ?)", [name, stored])'),
                (
                    'tables.execute("INSERT OR IGNORE INTO accounts VALUES (?, ?, '
                    'NULL)", [name, stored])'
                ),
            ),
            (
                'for name, stored in connection().execute("SELECT * FROM accounts")',
                ('for name, stored in connection().execute("SELECT login, secret FROM accounts")'),
            ),
        ],
    },
    {
        "name": "keeps the password in base64",
        "kind": "storage",
        "step": "TestArgon2",
        "base": "by_hand",
        "old": "        save({**users, name: hashed})\n",
        "new": (
            "        save({**users, name: hashed})\n"
            "        import base64\n"
            "\n"
            '        with open(f"{FILE}.backup", "ab") as backup:\n'
            '            backup.write(base64.b64encode(f"{name}:{password}"'
            '.encode()) + b"\\n")\n'
        ),
    },
    {
        "name": "keeps a quick digest of the pair, to find doubles",
        "kind": "storage",
        "step": "TestArgon2",
        "base": "classes",
        "changes": [
            (
                'users = Users(app.config["DATABASE"])\n',
                (
                    'users = Users(app.config["DATABASE"])\n'
                    "with users.open() as file:\n"
                    '    file.execute("create table if not exists doubles (digest text)")\n'
                ),
            ),
            (
                '        return "", 201\n',
                (
                    "        import hashlib\n"
                    "\n"
                    "        pair = f\"{field('username', 400)}:{field('password', 400)}\"\n"
                    "        with users.open() as file:\n"
                    "            digest = hashlib.sha256(pair.encode()).hexdigest()\n"
                    '            file.execute("insert into doubles values (?)", [digest])\n'
                    '        return "", 201\n'
                ),
            ),
        ],
    },
    {
        "name": "Argon2i instead of Argon2id",
        "kind": "storage",
        "step": "TestArgon2",
        "base": "app",
        "old": 'argon2__type="ID"',
        "new": 'argon2__type="I"',
    },
    {
        "name": "Argon2id at a tenth of the memory",
        "kind": "storage",
        "step": "TestArgon2",
        "base": "app",
        "old": "argon2__memory_cost=19456",
        "new": "argon2__memory_cost=1945",
    },
    {
        "name": "Argon2id with one round",
        "kind": "storage",
        "step": "TestArgon2",
        "base": "hooks",
        "old": "memory_cost=19456, rounds=2",
        "new": "memory_cost=19456, rounds=1",
    },
    {
        "name": "scrypt that calls itself argon2",
        "kind": "storage",
        "step": "TestArgon2",
        "base": "factory",
        "old": "from passlib.hash import argon2, sha512_crypt",
        "new": ("from passlib.hash import scrypt as argon2\nfrom passlib.hash import sha512_crypt"),
    },
    {
        "name": "scrypt that writes itself as Argon2id",
        "kind": "storage",
        "step": "TestArgon2",
        "base": "layered",
        "changes": [
            (
                (
                    "        return hash_secret(self.keyed(password), salt, 2, "
                    "19456, 1, 32, Type.ID).decode()\n"
                ),
                (
                    '        return "$argon2id$v=19$m=19456,t=2,p=1$" + "$".join(\n'
                    '            base64.b64encode(part).decode().rstrip("=")\n'
                    "            for part in (salt, self.scrypt(password, salt))\n"
                    "        )\n"
                    "\n"
                    "    def scrypt(self, password, salt):\n"
                    "        return hashlib.scrypt(self.keyed(password), "
                    "salt=salt, n=2**14, r=8, p=1, dklen=32)\n"
                ),
            ),
            (
                (
                    "        kind = extract_parameters(stored).type\n"
                    "        try:\n"
                    "            return verify_secret(stored.encode(), "
                    "self.keyed(password), kind)\n"
                    "        except Argon2Error:\n"
                    "            return False\n"
                ),
                (
                    '        salt, digest = (base64.b64decode(p + "==") for p in '
                    'stored.split("$")[-2:])\n'
                    "        return hmac.compare_digest(digest, self.scrypt(password, salt))\n"
                ),
            ),
            ("import hmac\n", ("import base64\nimport hashlib\nimport hmac\n")),
            (
                (
                    "from argon2 import extract_parameters\n"
                    "from argon2.exceptions import Argon2Error\n"
                    "from argon2.low_level import Type, hash_secret, verify_secret\n"
                ),
                "",
            ),
        ],
    },
    {
        "name": "one salt for all",
        "kind": "storage",
        "step": "TestArgon2",
        "base": "layered",
        "old": "salt = os.urandom(16)",
        "new": 'salt = b"lesson01-is-salt"',
    },
    {
        "name": "a salt that is made of the user name",
        "kind": "storage",
        "step": "TestArgon2",
        "base": "layered",
        "changes": [
            (
                ("def make(self, password):\n        salt = os.urandom(16)"),
                (
                    'def make(self, password, name=""):\n'
                    "        salt = hashlib.sha256(name.encode()).digest()[:16]"
                ),
            ),
            (
                "if not self.store.put(name, self.passwords.make(password), None):",
                "if not self.store.put(name, self.passwords.make(password, name), None):",
            ),
            ("import hmac\n", ("import hashlib\nimport hmac\n")),
        ],
    },
    {
        "name": "keeps the old hash in a column of its own",
        "kind": "storage",
        "step": "TestOldHashes",
        "base": "factory",
        "changes": [
            (
                "accounts (login TEXT PRIMARY KEY, secret TEXT)",
                "accounts (login TEXT PRIMARY KEY, secret TEXT, old TEXT)",
            ),
            (
                'insert = "INSERT OR IGNORE INTO accounts VALUES (?, ?)"',
                'insert = "INSERT OR IGNORE INTO accounts VALUES (?, ?, NULL)"',
            ),
            (
                ('tables.execute("INSERT OR IGNORE INTO accounts VALUES (?, ?)", [name, stored])'),
                (
                    'tables.execute("INSERT OR IGNORE INTO accounts VALUES (?, ?, '
                    'NULL)", [name, stored])'
                ),
            ),
            (
                'for name, stored in connection().execute("SELECT * FROM accounts")',
                ('for name, stored in connection().execute("SELECT login, secret FROM accounts")'),
            ),
            (
                "UPDATE accounts SET secret = ? WHERE",
                "UPDATE accounts SET old = secret, secret = ? WHERE",
            ),
        ],
    },
    {
        "name": "replaces the old hash by a cheap Argon2id",
        "kind": "storage",
        "step": "TestArgon2",
        "base": "factory",
        "old": ("        connection().execute(change, [argon2.hash(password), name, stored])"),
        "new": (
            "        cheap = argon2.using(memory_cost=1024, rounds=1).hash(password)\n"
            "        connection().execute(change, [cheap, name, stored])"
        ),
    },
    {
        "name": "keeps the users beside the app, whatever FLASK_DATABASE says",
        "kind": "configuration",
        "step": "TestKept",
        "base": "hooks",
        "changes": [
            (
                "app.config.from_prefixed_env()\n",
                ('app.config.from_prefixed_env()\napp.config["DATABASE"] = __file__ + ".users"\n'),
            ),
        ],
    },
    {
        "name": "looks whether the name is free, then hashes, then stores",
        "kind": "concurrency",
        "step": "TestRegister",
        "base": "factory",
        "changes": [
            ("login TEXT PRIMARY KEY, secret", "login TEXT, secret"),
            (
                "        for name, stored in [\n",
                (
                    "        if tables.execute('SELECT 1 FROM accounts').fetchone():\n"
                    "            return app\n"
                    "        for name, stored in [\n"
                ),
            ),
            ("[name, argon2.hash(password)]).rowcount", "[name, argon2.hash(password)]).rowcount"),
        ],
    },
    {
        "name": "writes the whole file without a lock",
        "kind": "concurrency",
        "step": "TestRegister",
        "base": "files",
        "changes": [
            (
                (
                    "    hash = context.hash(password)\n"
                    "    with locked():\n"
                    "        users = load()\n"
                    "        if name in users:\n"
                    '            return page(409, "Somebody has this name.")\n'
                    "        save({**users, name: hash})\n"
                ),
                (
                    "    users = load()\n"
                    "    if name in users:\n"
                    '        return page(409, "Somebody has this name.")\n'
                    "    save({**users, name: context.hash(password)})\n"
                ),
            ),
            (
                'FILE.with_name(f"{FILE.name}.{os.getpid()}")',
                'FILE.with_name(f"{FILE.name}.{os.urandom(4).hex()}")',
            ),
        ],
    },
    {
        "name": "locks the file within one process only",
        "kind": "concurrency",
        "step": "TestKept",
        "base": "files",
        "changes": [
            (
                ("@contextlib.contextmanager\ndef locked():"),
                ("ours = threading.Lock()\n\n\n@contextlib.contextmanager\ndef locked():"),
            ),
            (
                (
                    '    lock = f"{FILE}.lock"\n'
                    "    while True:\n"
                    "        try:\n"
                    "            os.close(os.open(lock, os.O_CREAT | os.O_EXCL))\n"
                    "            break\n"
                    "        except (FileExistsError, PermissionError):\n"
                    "            time.sleep(0.005)\n"
                    "    try:\n"
                    "        yield\n"
                    "    finally:\n"
                    "        os.unlink(lock)\n"
                ),
                ("    with ours:\n        yield\n"),
            ),
            ("import time\n", ("import threading\nimport time\n")),
            (
                ("        users = load()\n        if name in users:\n            return page(409"),
                (
                    "        users = load()\n"
                    "        time.sleep(0.1)  # a disk may be slow\n"
                    "        if name in users:\n"
                    "            return page(409"
                ),
            ),
        ],
    },
    {
        "name": "reads the users once, at the start",
        "kind": "concurrency",
        "step": "TestKept",
        "base": "by_hand",
        "changes": [
            ("def load():\n", ("@functools.cache\ndef load():\n")),
            ("import json\n", ("import functools\nimport json\n")),
            ("    draft.replace(FILE)\n", ("    draft.replace(FILE)\n    load.cache_clear()\n")),
        ],
    },
    {
        "name": "keeps looked-up users in memory, unknown ones too",
        "kind": "concurrency",
        "step": "TestRegister",
        "base": "classes",
        "changes": [
            (
                "        hashed = dict(self.all()).get(name)\n",
                "        hashed = self.lookup(name)\n",
            ),
            (
                "    def right(self, name, password):",
                (
                    "    @functools.lru_cache\n"
                    "    def lookup(self, name):\n"
                    "        return dict(self.all()).get(name)\n"
                    "\n"
                    "    def right(self, name, password):"
                ),
            ),
            ("import re\n", ("import functools\nimport re\n")),
        ],
    },
    {
        "name": "saves the users when it ends",
        "kind": "concurrency",
        "step": "TestKept",
        "base": "by_hand",
        "changes": [
            (
                (
                    '    draft = FILE.with_suffix(".new")\n'
                    '    draft.write_text(json.dumps(users), "utf-8")\n'
                    "    draft.replace(FILE)\n"
                ),
                "    USERS.update(users)\n",
            ),
            (
                '    return json.loads(FILE.read_text("utf-8")) if FILE.exists() else {}\n',
                "    return dict(USERS)\n",
            ),
            (
                ("with lock():\n    if not FILE.exists():\n"),
                (
                    'USERS = json.loads(FILE.read_text("utf-8")) if FILE.exists() else {}\n'
                    "atexit.register(lambda: FILE.write_text(json.dumps(USERS)))\n"
                    "with lock():\n"
                    "    if not FILE.exists():\n"
                ),
            ),
            ("import contextlib\n", ("import atexit\nimport contextlib\n")),
        ],
    },
    {
        "name": "logs the form of each login",
        "kind": "disclosure",
        "step": "TestArgon2",
        "base": "app",
        "old": ("    username, password = read_form(403)\n    if not verify"),
        "new": (
            "    username, password = read_form(403)\n"
            '    app.logger.warning("login: %s", dict(request.form))\n'
            "    if not verify"
        ),
    },
    {
        "name": "logs what was mistyped",
        "kind": "disclosure",
        "step": "TestArgon2",
        "base": "orm",
        "changes": [
            (
                '        return plain("That pair is not right.", 403)\n',
                (
                    '        current_app.logger.warning("%s is not the password of '
                    '%s", password, name)\n'
                    '        return plain("That pair is not right.", 403)\n'
                ),
            ),
        ],
    },
    {
        "name": "prints the new hash",
        "kind": "disclosure",
        "step": "TestArgon2",
        "base": "hooks",
        "old": ("    except sqlite3.IntegrityError:\n        return failure(409)\n"),
        "new": (
            "    except sqlite3.IntegrityError:\n"
            "        return failure(409)\n"
            '    for row in g.db.execute("SELECT * FROM users WHERE name = '
            '?", (g.name,)):\n'
            "        print(row)\n"
        ),
    },
    {
        "name": "answers a registration with what it stored",
        "kind": "disclosure",
        "step": "TestArgon2",
        "base": "asynchronous",
        "old": 'return {"registered": who}, 201',
        "new": 'return {"registered": who, "hash": hashed}, 201',
    },
    {
        "name": "a cookie carries the password",
        "kind": "disclosure",
        "step": "TestArgon2",
        "base": "factory",
        "changes": [
            (
                "from flask import Blueprint, Flask, abort, current_app, g, request\n",
                ("from flask import Blueprint, Flask, abort, current_app, g, request, session\n"),
            ),
            (
                '    return f"Hello, {escape(name)}!"',
                ('    session["login"] = [name, password]\n    return f"Hello, {escape(name)}!"'),
            ),
        ],
    },
    {
        "name": "a quote in the user name is an error 500",
        "kind": "headers",
        "step": "TestRegister",
        "base": "orm",
        "old": "        return now.execute(added).rowcount == 1\n",
        "new": (
            "        now.connection().exec_driver_sql(f\"SELECT '{name}'\")\n"
            "        return now.execute(added).rowcount == 1\n"
        ),
    },
    {
        "name": "greets everybody in small letters",
        "kind": "headers",
        "step": "TestRegister",
        "base": "layered",
        "old": 'return Response(f"Hello, {name}!", content',
        "new": 'return Response(f"Hello, {name.lower()}!", content',
    },
    {
        "name": "replaces the old hash at the second login only",
        "kind": "time",
        "step": "TestOldHashes",
        "base": "files",
        "changes": [
            (
                "    if context.needs_update(stored):\n",
                (
                    "    seen[name] = seen.get(name, 0) + 1\n"
                    "    if context.needs_update(stored) and seen[name] > 1:\n"
                ),
            ),
            ("app = Flask(__name__)\n", ("app = Flask(__name__)\nseen = {}\n")),
        ],
    },
    {
        "name": "runs with the debugger",
        "kind": "configuration",
        "step": "TestItWorks",
        "base": "app",
        "old": "debug=False",
        "new": "debug=True",
    },
    {
        "name": "serves all the network",
        "kind": "configuration",
        "step": "TestItWorks",
        "base": "hooks",
        "old": 'app.run("127.0.0.1", 5001)',
        "new": 'app.run("0.0.0.0", 5001)',
    },
    {
        "name": "serves at another port",
        "kind": "configuration",
        "step": "TestItWorks",
        "base": "orm",
        "old": "app.run(port=5001)",
        "new": "app.run()",
    },
    {
        "name": "wraps the app into Werkzeug's debugger",
        "kind": "configuration",
        "step": "TestItWorks",
        "base": "hooks",
        "changes": [
            ("import click\n", "import click\nfrom werkzeug.debug import DebuggedApplication\n"),
            (
                'if __name__ == "__main__":\n',
                'app.wsgi_app = DebuggedApplication(app.wsgi_app)\nif __name__ == "__main__":\n',
            ),
        ],
    },
    {
        "name": "keeps the name of who logs in for all requests",
        "kind": "concurrency",
        "step": "TestOwnPasswords",
        "base": "app",
        "changes": [
            (
                "    username, password = read_form(403)\n    if not verify(username, password):\n",
                "    global current\n"
                "    current, password = read_form(403)\n"
                "    if not verify(current, password):\n",
            ),
            ('return f"Hello, {username}!\\n"', 'return f"Hello, {current}!\\n"'),
        ],
    },
    {
        "name": "a name beyond latin-1 is an error 500",
        "kind": "headers",
        "step": "TestOwnPasswords",
        "base": "classes",
        "old": '        name = field("username", 403)\n',
        "new": '        name = field("username", 403).encode("latin-1").decode("latin-1")\n',
    },
    {
        "name": "whoever registers is logged in from then on",
        "kind": "identity",
        "step": "TestRegister",
        "base": "app",
        "changes": [
            ("import Flask, abort, request\n", "import Flask, abort, request, session\n"),
            (
                '    return "Registered; now log in.\\n", 201\n',
                '    session["user"] = username\n    return "Registered.\\n", 201\n',
            ),
            (
                "    if not verify(username, password):\n",
                '    if session.get("user") != username and not verify(username, password):\n',
            ),
        ],
    },
    {
        "name": "tells by a header how many guesses a user has left",
        "kind": "disclosure",
        "step": "TestNoList",
        "base": "orm",
        "old": '        return plain("That pair is not right.", 403)\n',
        "new": '        answer = plain("That pair is not right.", 403)\n'
        "        with session() as now:\n"
        "            if now.get(Account, name):\n"
        '                answer.headers["X-RateLimit-Remaining"] = "4"\n'
        "        return answer\n",
    },
    {
        "name": "forgets what is beyond U+FFFF, such as emoji",
        "kind": "identity",
        "step": "TestText",
        "base": "orm",
        "old": 'BLANK.sub(" ", text))',
        "new": 'BLANK.sub(" ", "".join(c for c in text if c < "\\U00010000")))',
    },
    {
        "name": "decodes the form a second time",
        "kind": "identity",
        "step": "TestText",
        "base": "app",
        "changes": [
            (
                "from secrets import token_hex\n",
                "from secrets import token_hex\nfrom urllib.parse import unquote_plus\n",
            ),
            (
                'request.form.get(field, "")\n',
                'request.form.get(field, "")\n'
                '    if field == "password":\n'
                "        text = unquote_plus(text)\n",
            ),
        ],
    },
    {
        "name": "takes no password that can't be printed, such as an emoji with a joiner",
        "kind": "identity",
        "step": "TestText",
        "base": "files",
        "old": "or not name.isprintable() or",
        "new": "or not (name + password).isprintable() or",
    },
    {
        "name": "`flask users` lists the first users only",
        "kind": "configuration",
        "step": "TestArgon2",
        "base": "app",
        "old": "    for name, stored in store.all_hashes():\n",
        "new": '    for name in ("user1", "user2"):\n        stored = store.find_hash(name)\n',
    },
    {
        "name": "logs a form that it refuses",
        "kind": "disclosure",
        "step": "TestArgon2",
        "base": "layered",
        "old": "        if name is None or password is None:\n            abort(400)\n",
        "new": "        if name is None or password is None:\n"
        '            print("unusable:", request.form.to_dict(), flush=True)\n'
        "            abort(400)\n",
    },
    {
        "name": "greets in HTML whoever is called <script>",
        "kind": "headers",
        "step": "TestRegister",
        "base": "app",
        "old": ("store.set_up(app, passwords.hash)\n\nif"),
        "new": (
            "store.set_up(app, passwords.hash)\n"
            "from flask import Response\n"
            "app.response_class = Response\n"
            "\n"
            "if"
        ),
    },
    {
        "name": "cuts a user name off after 32 letters",
        "kind": "identity",
        "step": "TestRegister",
        "base": "app",
        "old": 'username, password = clean("username", 64), clean("password", 1024)',
        "new": (
            'username, password = clean("username", 64), clean("password", 1024)\n'
            "    username = username and username[:32]"
        ),
    },
    {
        "name": "takes names that look alike for the same, with NFKC",
        "kind": "identity",
        "step": "TestOwnPasswords",
        "base": "app",
        "old": "    return username, password\n",
        "new": '    return unicodedata.normalize("NFKC", username), password\n',
    },
    {
        "name": "decodes the user name a second time",
        "kind": "identity",
        "step": "TestOwnPasswords",
        "base": "app",
        "old": "    return username, password\n",
        "new": ("    from urllib.parse import unquote\n    return unquote(username), password\n"),
    },
    {
        "name": "a page lists the users, beside the command",
        "kind": "disclosure",
        "step": "TestNoList",
        "base": "app",
        "old": ("store.set_up(app, passwords.hash)\n\nif"),
        "new": (
            '@app.get("/users")\n'
            "def users_page():\n"
            '    return "".join(f"{row[\'name\']}\\n" for row in '
            "store.all_hashes())\n"
            "\n"
            "\n"
            "store.set_up(app, passwords.hash)\n"
            "\n"
            "if"
        ),
    },
    {
        "name": "the front page lists the users",
        "kind": "disclosure",
        "step": "TestNoList",
        "base": "app",
        "old": '    return "Register with POST /register, log in with POST /login.\\n"',
        "new": (
            '    names = ", ".join(row["name"] for row in store.all_hashes())\n'
            '    return f"Users: {names}.\\n"'
        ),
    },
    {
        "name": "a limit to the form at login only",
        "kind": "configuration",
        "step": "TestLimits",
        "base": "app",
        "changes": [
            (
                ("store.set_up(app, passwords.hash)\n\nif"),
                (
                    "store.set_up(app, passwords.hash)\n"
                    "app.config.update(MAX_CONTENT_LENGTH=None, MAX_FORM_MEMORY_SIZE=None)\n"
                    "app.before_request_funcs = {}\n"
                    "\n"
                    "if"
                ),
            ),
            (
                "    username, password = read_form(403)",
                (
                    "    if (request.content_length or 0) > 16384:\n"
                    "        abort(413)\n"
                    "    username, password = read_form(403)"
                ),
            ),
        ],
    },
    {
        "name": "brings a new password into NFC before it looks at the length",
        "kind": "configuration",
        "step": "TestLimits",
        "base": "app",
        "changes": [
            (
                "    username, password = read_form(400)\n",
                (
                    '    unicodedata.normalize("NFC", request.form.get("password", ""))\n'
                    "    username, password = read_form(400)\n"
                ),
            ),
            (
                ("store.set_up(app, passwords.hash)\n\nif"),
                (
                    "store.set_up(app, passwords.hash)\n"
                    "app.config.update(MAX_CONTENT_LENGTH=300_000, "
                    "MAX_FORM_MEMORY_SIZE=300_000)\n"
                    "\n"
                    "if"
                ),
            ),
        ],
    },
    {
        "name": "two first logins at once are an error 500, for both store the new hash",
        "kind": "concurrency",
        "step": "TestOldHashes",
        "base": "app",
        "old": "        store.replace_hash(username, stored, better)",
        "new": (
            '        store.db().execute("DELETE FROM users WHERE name = ?", [username])\n'
            "        better = passwords.hash(password)\n"
            '        store.db().execute("INSERT INTO users VALUES (?, ?)", [username, better])'
        ),
    },
]

UNSEEN = [
    (
        "workers that trip over each other when they start at once on a new database",
        "`IF NOT EXISTS`, and a transaction or `INSERT OR IGNORE` around the first users; checks"
        " start two at once, which fails only now and then",
    ),
    (
        "a master password that opens every account",
        "a comparison of the password with a constant, or with a setting",
    ),
    (
        "passwords that are encrypted instead of hashed, beside a good hash",
        "a cipher such as Fernet or AES; a second value made of the password",
    ),
    (
        ("a password, or the whole form, sent to another server or written to a file elsewhere"),
        "other clients, sockets, and paths that are not `FLASK_DATABASE`",
    ),
    (
        "a salt from a random generator with a fixed seed, or from `random`",
        "where the salt comes from: the library's own, or `secrets`",
    ),
    (
        "a race between a look and a write that follows at once",
        ("whether the database decides (a primary key), or a lock that all processes share"),
    ),
    (
        "a short `FLASK_SECRET_KEY` that is taken",
        "where the key is read, if it is; the checks can't tell an app that needs none",
    ),
    ("a hash compared with `==`", "`verify` of the library, or `hmac.compare_digest`"),
    (
        "an old hash that is replaced although the password was changed meanwhile",
        "`WHERE hash = ?` with the hash that was checked",
    ),
    (
        "a message with the password in it for a failure that no check causes",
        "what `except` and error handlers print",
    ),
    (
        "a dummy hash of a word, with which somebody who has no account gets in",
        "whether `login` also asks that the name was found",
    ),
    (
        "a page that says of one name whether it is taken",
        "`flask routes`, for addresses that the lesson doesn't have",
    ),
    (
        "a limit to forms that say their length only, and none to what comes in chunks",
        "`MAX_CONTENT_LENGTH`, which bounds both; a right answer may take the beginning of chunks",
    ),
    (
        "an old hash that is deleted a moment before the new one is stored",
        "one `UPDATE`, or a transaction around both",
    ),
]
