"""Wrong answers to lesson 02: each a right one with one believable mistake in it.

kind: what it is about; step: where it must be caught; base: the right answer that it is made from
("app" is app.py). UNSEEN lists what no check can see, with what to look for in the file instead.
"""

MISTAKES = [
    {
        "name": "forgets WWW-Authenticate",
        "kind": "headers",
        "step": "TestItWorks",
        "base": "by_hand",
        "old": 'return Response("Please log in.", 401, challenge)',
        "new": 'return Response("Please log in.", 401)',
    },
    {
        "name": "compares the scheme's name letter by letter",
        "kind": "headers",
        "step": "TestItWorks",
        "base": "by_hand",
        "old": 'scheme.lower() != "basic"',
        "new": 'scheme != "Basic"',
    },
    {
        "name": "doesn't name the character set",
        "kind": "headers",
        "step": "TestCredentials",
        "base": "classes",
        "old": ', charset="UTF-8"',
        "new": "",
    },
    {
        "name": "takes any scheme's name",
        "kind": "headers",
        "step": "TestCredentials",
        "base": "by_hand",
        "old": '    if scheme.lower() != "basic":\n        return None\n',
        "new": "",
    },
    {
        "name": "skips what is no base64",
        "kind": "headers",
        "step": "TestCredentials",
        "base": "by_hand",
        "old": ", validate=True",
        "new": "",
    },
    {
        "name": "a header that is not UTF-8 is an error 500",
        "kind": "headers",
        "step": "TestCredentials",
        "base": "by_hand",
        "old": "except (binascii.Error, ValueError):",
        "new": "except binascii.Error:",
    },
    {
        "name": "bytes beyond ASCII in the header are an error 500",
        "kind": "headers",
        "step": "TestCredentials",
        "base": "asynchronous",
        "old": "    except ValueError:\n        sent = None",
        "new": "    except KeyError:\n        sent = None",
    },
    {
        "name": "answers a known user who may not with 401",
        "kind": "headers",
        "step": "TestPermissions",
        "base": "by_hand",
        "old": 'return Response("Not for you.", 403)',
        "new": "return Response("
        '"Not for you.", 401, {"WWW-Authenticate": "Basic realm=\\"admins\\""})',
    },
    {
        "name": "answers nobody at /admin with 403",
        "kind": "headers",
        "step": "TestPermissions",
        "base": "app",
        "old": "    if status == 403:\n",
        "new": '    if status == 403 or request.path == "/admin":\n',
    },
    {
        "name": "every user is an admin",
        "kind": "identity",
        "step": "TestPermissions",
        "base": "app",
        "old": 'return "admin" if user["admin"] else None',
        "new": 'return "admin"',
    },
    {
        "name": "new users are admins too",
        "kind": "identity",
        "step": "TestNewUsers",
        "base": "asynchronous",
        "old": '"INSERT INTO people SELECT ?, ?, 0 FROM',
        "new": '"INSERT INTO people SELECT ?, ?, 1 FROM',
    },
    {
        "name": "anybody who is logged in adds users",
        "kind": "identity",
        "step": "TestNewUsers",
        "base": "asynchronous",
        "changes": [
            ("boss, stored = await who(boss=True)", "boss, stored = await who()"),
            (" AND boss", ""),
        ],
    },
    {
        "name": "adding a user who is there changes their password",
        "kind": "identity",
        "step": "TestNewUsers",
        "base": "by_hand",
        "old": '        if name in known:\n            return "taken", 409\n',
        "new": "",
    },
    {
        "name": "lets a colon into a user name",
        "kind": "identity",
        "step": "TestNewUsers",
        "base": "factory",
        "old": '    if not name or not password or ":" in name:\n        return "No.", 400',
        "new": '    if not name or not password:\n        return "No.", 400',
    },
    {
        "name": "the new password counts only after a restart",
        "kind": "time",
        "step": "TestNewUsers",
        "base": "classes",
        "old": "        found = self.find(name)\n        stored",
        "new": "        self.cache = getattr(self, 'cache', {})\n"
        "        found = self.cache.setdefault(name, self.find(name))\n"
        "        stored",
    },
    {
        "name": "the old password is still remembered",
        "kind": "time",
        "step": "TestPasswords",
        "base": "app",
        "old": "f\"{user['hash']}\\0{password}\".encode()",
        "new": "f\"{user['name']}\\0{password}\".encode()",
    },
    {
        "name": "remembers that a user was right, not with what",
        "kind": "identity",
        "step": "TestItWorks",
        "base": "app",
        "old": " and hmac.compare_digest(known, tag(user, password))",
        "new": "",
    },
    {
        "name": "keeps the changed password in memory only",
        "kind": "storage",
        "step": "TestPasswords",
        "base": "by_hand",
        "changes": [
            (
                "        known[g.name][0] = hashed\n        save(known)",
                "        CHANGED[g.name] = [hashed, g.admin]",
            ),
            ("known.get(g.name) != g.row", "(known | CHANGED).get(g.name) != g.row"),
            ("g.row = load().get(name", "g.row = (load() | CHANGED).get(name"),
            ("seen = {}", "seen = {}\nCHANGED = {}"),
        ],
    },
    {
        "name": "changes everybody's password",
        "kind": "identity",
        "step": "TestPasswords",
        "base": "asynchronous",
        "changes": [
            ("SET pw = ? WHERE name = ? AND pw = ?", "SET pw = ?"),
            ("sql(change, hashed, name, stored)", "sql(change, hashed)"),
        ],
    },
    {
        "name": "a request with the old password, begun before the change, still counts",
        "kind": "concurrency",
        "step": "TestPasswords",
        "base": "classes",
        "changes": [
            ("set hash = ? where name = ? and hash = ?", "set hash = ? where name = ?"),
            (
                "self.hasher.hash(password), user.name, user.hash)",
                "self.hasher.hash(password), user.name)",
            ),
        ],
    },
    {
        "name": "compares with the hash as it is when the body has come",
        "kind": "concurrency",
        "step": "TestPasswords",
        "base": "factory",
        "old": "    values = [argon2.hash(password), g.user, g.hash]\n",
        "new": '    find = "SELECT hash FROM users WHERE name = ?"\n'
        "    (now,) = connect().execute(find, [g.user]).fetchone()\n"
        "    values = [argon2.hash(password), g.user, now]\n",
    },
    {
        "name": "an unknown user is answered at once",
        "kind": "disclosure",
        "step": "TestNoList",
        "base": "asynchronous",
        "old": "    stored = rows[0][0] if rows else nobody\n",
        "new": "    if not rows:\n        raise Unauthorized(www_authenticate=ASK)\n"
        "    stored = rows[0][0]\n",
    },
    {
        "name": "tells in the text that there is no such user",
        "kind": "disclosure",
        "step": "TestNoList",
        "base": "asynchronous",
        "old": "or not rows:\n            raise Unauthorized(www_authenticate=ASK)",
        "new": "or not rows:\n"
        '            text = "wrong password" if rows else "no such user"\n'
        "            raise Unauthorized(text, www_authenticate=ASK)",
    },
    {
        "name": "cuts the password off at a NUL",
        "kind": "identity",
        "step": "TestText",
        "base": "by_hand",
        "old": '    name, colon, password = unicodedata.normalize("NFC", text).partition(":")\n',
        "new": '    name, colon, password = unicodedata.normalize("NFC", text).partition(":")\n'
        '    password = password.partition("\\0")[0]\n',
    },
    {
        "name": "no NFC where the header is read",
        "kind": "identity",
        "step": "TestText",
        "base": "by_hand",
        "old": 'unicodedata.normalize("NFC", text).partition(":")',
        "new": 'text.partition(":")',
    },
    {
        "name": "brings text into NFC before it looks at the length",
        "kind": "configuration",
        "step": "TestText",
        "base": "asynchronous",
        "old": "    if not text or len(text) > 4 * 1024:",
        "new": "    if not text:",
    },
    {
        "name": "limits a password to five hundred characters",
        "kind": "identity",
        "step": "TestText",
        "base": "classes",
        "old": 'if len(text or "") > 4 * 1024:',
        "new": 'if len(text or "") > 500:',
    },
    {
        "name": "hashes at every request",
        "kind": "time",
        "step": "TestRemembered",
        "base": "asynchronous",
        "old": "        remembered[tag] = now + 60\n",
        "new": "",
    },
    {
        "name": "remembers for no time at all",
        "kind": "time",
        "step": "TestRemembered",
        "base": "classes",
        "old": "MINUTE = 60",
        "new": "MINUTE = 0",
    },
    {
        "name": "remembers wrong passwords too",
        "kind": "disclosure",
        "step": "TestRemembered",
        "base": "classes",
        "changes": [
            (
                "        try:\n            self.hasher.verify(stored, password)",
                "        if self.seen.get((name, mark)):\n            return None\n"
                "        try:\n            self.hasher.verify(stored, password)",
            ),
            (
                "        except Argon2Error:\n            return None",
                "        except Argon2Error:\n            self.seen[name, mark] = True\n"
                "            return None",
            ),
        ],
    },
    {
        "name": "lets forms of other sites in",
        "kind": "headers",
        "step": "TestOtherSites",
        "base": "classes",
        "old": '    if request.method == "POST":',
        "new": '    if request.method == "PUT":',
    },
    {
        "name": "refuses cross-site but not same-site",
        "kind": "headers",
        "step": "TestOtherSites",
        "base": "factory",
        "old": 'in ("cross-site", "same-site")',
        "new": 'in ("cross-site",)',
    },
    {
        "name": "looks at Sec-Fetch-Site alone, which plain http lacks",
        "kind": "headers",
        "step": "TestOtherSites",
        "base": "app",
        "old": "else origin in (None, own)",
        "new": "else True",
    },
    {
        "name": "takes an Origin that begins like its own",
        "kind": "headers",
        "step": "TestOtherSites",
        "base": "by_hand",
        "old": 'request.headers.get("Origin", own()) != own()',
        "new": 'not request.headers.get("Origin", own()).startswith(own())',
    },
    {
        "name": "takes the Origin null",
        "kind": "headers",
        "step": "TestOtherSites",
        "base": "asynchronous",
        "changes": [
            ("not in (None, g.own)", 'not in (None, "null", g.own)'),
            ('("cross-site", "same-site")', '("same-site",)'),
        ],
    },
    {
        "name": "compares the host of the Origin without its port",
        "kind": "headers",
        "step": "TestOtherSites",
        "base": "by_hand",
        "old": 'request.headers.get("Origin", own()) != own()',
        "new": 'not request.headers.get("Origin", own()).startswith(own().rpartition(":")[0])',
    },
    {
        "name": "refuses its own forms as well",
        "kind": "headers",
        "step": "TestOtherSites",
        "base": "by_hand",
        "old": 'request.headers.get("Origin", own()) != own()',
        "new": '"Origin" in request.headers',
    },
    {
        "name": "refuses programs that name no origin",
        "kind": "headers",
        "step": "TestNewUsers",
        "base": "by_hand",
        "old": 'request.headers.get("Origin", own()) != own()',
        "new": 'request.headers.get("Origin", "") != own()',
    },
    {
        "name": "takes user name and password from the address too",
        "kind": "identity",
        "step": "TestCredentials",
        "base": "login_manager",
        "changes": [
            (
                (
                    '    if sent is None or sent.type != "basic":\n'
                    "        return None\n"
                    "    name, password = normal(sent.username), normal(sent.password)\n"
                ),
                (
                    '    if sent is None or sent.type != "basic":\n'
                    "        name, password = "
                    'normal(request.args.get("username")), '
                    'normal(request.args.get("password"))\n'
                    "    else:\n"
                    "        name, password = normal(sent.username), normal(sent.password)\n"
                ),
            ),
        ],
    },
    {
        "name": "a session cookie lets in whoever was let in once",
        "kind": "identity",
        "step": "TestCredentials",
        "base": "hooks",
        "changes": [
            (
                "from flask import Flask, Response, abort, g, request\n",
                "from flask import Flask, Response, abort, g, request, session\n",
            ),
            (
                "    g.user = find(*credentials())\n",
                (
                    '    g.user = session.get("user") or find(*credentials())\n'
                    '    session["user"] = g.user\n'
                ),
            ),
        ],
    },
    {
        "name": "believes the header of a proxy that isn't there",
        "kind": "identity",
        "step": "TestCredentials",
        "base": "hooks",
        "old": "    g.user = find(*credentials())\n",
        "new": (
            "    g.user = find(*credentials())\n"
            '    if name := request.headers.get("X-Forwarded-User"):\n'
            '        row = g.db.execute("SELECT name, hash, admin FROM '
            'users WHERE name = ?", (name,)).fetchone()\n'
            '        g.user = dict(zip(("name", "hash", "admin"), row, strict=True))\n'
        ),
    },
    {
        "name": "asks for a password only where the method is GET",
        "kind": "identity",
        "step": "TestCredentials",
        "base": "hooks",
        "old": "    if level == OPEN:\n",
        "new": '    if level == OPEN or request.method == "HEAD":\n',
    },
    {
        "name": "protects addresses by a list, and takes them with a slash as well",
        "kind": "identity",
        "step": "TestPermissions",
        "base": "hooks",
        "changes": [
            (
                "    level = needs.get(request.endpoint, OPEN)\n",
                (
                    "    level = needs.get(request.endpoint, OPEN) if not "
                    'request.path.endswith("n/") else OPEN\n'
                ),
            ),
            (
                '@app.get("/admin")\n',
                ('@app.get("/admin", strict_slashes=False)\n@app.get("/admin/")\n'),
            ),
        ],
    },
    {
        "name": "a parameter makes an admin",
        "kind": "identity",
        "step": "TestPermissions",
        "base": "hooks",
        "old": '    if level == ADMINS and not g.user["admin"]:\n',
        "new": (
            '    if level == ADMINS and not (g.user["admin"] or '
            'request.args.get("role") == "admin"):\n'
        ),
    },
    {
        "name": "looks at the role before the password",
        "kind": "identity",
        "step": "TestPermissions",
        "base": "app",
        "changes": [
            (
                (
                    "    username, password = store.clean(username, 64), "
                    "store.clean(password, 1024)\n"
                ),
                (
                    "    username, password = store.clean(username, 64), "
                    "store.clean(password, 1024)\n"
                    "    known = store.find_user(username) if username else None\n"
                    '    if known and not known["admin"] and request.path == "/admin":\n'
                    "        abort(403)\n"
                ),
            ),
        ],
    },
    {
        "name": "whose name begins with user1 is an admin",
        "kind": "identity",
        "step": "TestNewUsers",
        "base": "classes",
        "old": 'return ["admin"] if user.admin else []',
        "new": 'return ["admin"] if user.name.startswith("user1") else []',
    },
    {
        "name": "whoever is called admin is one",
        "kind": "identity",
        "step": "TestNewUsers",
        "base": "login_manager",
        "old": "return view() if current_user.admin else abort(403)",
        "new": (
            'return view() if current_user.admin or current_user.id == "admin" else abort(403)'
        ),
    },
    {
        "name": "a field of the form makes the new user an admin",
        "kind": "identity",
        "step": "TestNewUsers",
        "base": "files",
        "old": 'users[name] = {"hash": hash, "admin": False}',
        "new": 'users[name] = {"hash": hash, "admin": request.form.get("role") == "admin"}',
    },
    {
        "name": "a field of the form lets anybody add users",
        "kind": "identity",
        "step": "TestNewUsers",
        "base": "hooks",
        "old": '    if level == ADMINS and not g.user["admin"]:\n',
        "new": (
            '    if level == ADMINS and not (g.user["admin"] or '
            'request.form.get("role") == "admin"):\n'
        ),
    },
    {
        "name": "a pattern in the user name fits several users",
        "kind": "identity",
        "step": "TestNewUsers",
        "base": "hooks",
        "old": '"SELECT name, hash, admin FROM users WHERE name = ?"',
        "new": '"SELECT name, hash, admin FROM users WHERE name LIKE ?"',
    },
    {
        "name": "puts the user name into the SQL",
        "kind": "identity",
        "step": "TestNewUsers",
        "base": "login_manager",
        "old": 'sql("select name, hash, admin from users where name = ?", name)',
        "new": "sql(f\"select name, hash, admin from users where name = '{name}'\")",
    },
    {
        "name": "the table of users ignores case",
        "kind": "identity",
        "step": "TestNewUsers",
        "base": "login_manager",
        "old": "(name text primary key, hash",
        "new": "(name text primary key collate nocase, hash",
    },
    {
        "name": "adds users from the address",
        "kind": "identity",
        "step": "TestNewUsers",
        "base": "login_manager",
        "old": (
            '    name, password = normal(request.form.get("username")), '
            'normal(request.form.get("password"))\n'
        ),
        "new": (
            '    name, password = normal(request.values.get("username")), '
            'normal(request.values.get("password"))\n'
        ),
    },
    {
        "name": "a field says whose password changes",
        "kind": "identity",
        "step": "TestPasswords",
        "base": "orm",
        "changes": [
            (
                "    me = auth.current_user()\n",
                (
                    "    me = auth.current_user()\n"
                    "    with make_session() as session:\n"
                    "        whose = select(User).where(User.name == "
                    'request.form.get("username", me.name))\n'
                    "        me = session.scalar(whose) or me\n"
                ),
            ),
        ],
    },
    {
        "name": "a parameter says whose password changes",
        "kind": "identity",
        "step": "TestPasswords",
        "base": "files",
        "changes": [
            (
                (
                    "        if not still(users, user):\n"
                    "            return auth.auth_error_callback(401)\n"
                    '        users[user["name"]]'
                ),
                (
                    "        if not still(users, user):\n"
                    "            return auth.auth_error_callback(401)\n"
                    '        users[request.args.get("user", user["name"])]'
                ),
            ),
        ],
    },
    {
        "name": "takes an empty new password",
        "kind": "identity",
        "step": "TestPasswords",
        "base": "factory",
        "old": ('    if not password:\n        return "No.", 400\n    values'),
        "new": "    values",
    },
    {
        "name": "changes the password from the address",
        "kind": "identity",
        "step": "TestPasswords",
        "base": "login_manager",
        "old": '    new = normal(request.form.get("password")) or abort(400)\n',
        "new": '    new = normal(request.values.get("password")) or abort(400)\n',
    },
    {
        "name": "reads latin-1 where UTF-8 fails",
        "kind": "identity",
        "step": "TestText",
        "base": "hooks",
        "changes": [
            (
                '        name, colon, password = raw.decode("utf-8").partition(":")\n',
                (
                    "        try:\n"
                    '            text = raw.decode("utf-8")\n'
                    "        except UnicodeDecodeError:\n"
                    '            text = raw.decode("latin-1")\n'
                    '        name, colon, password = text.partition(":")\n'
                ),
            ),
        ],
    },
    {
        "name": "strips passwords",
        "kind": "identity",
        "step": "TestText",
        "base": "orm",
        "changes": [
            (
                ("def clean(text):\n    if not text or"),
                ('def clean(text):\n    text = (text or "").strip(" ")\n    if not text or'),
            ),
        ],
    },
    {
        "name": "NFKC instead of NFC",
        "kind": "identity",
        "step": "TestText",
        "base": "app",
        "changes": [
            ("import time\n", "import time\nimport unicodedata\n"),
            (
                "@app.before_request\ndef refuse",
                "exact = store.clean\n\n\n"
                "def clean(text, most):\n"
                "    form = 'NFKC' if most == 1024 else 'NFC'\n"
                "    text = exact(text, most)\n"
                "    return text and unicodedata.normalize(form, text)\n"
                "\n\n"
                "store.clean = clean\n"
                "\n\n"
                "@app.before_request\ndef refuse",
            ),
        ],
    },
    {
        "name": "compares small letters",
        "kind": "identity",
        "step": "TestText",
        "base": "login_manager",
        "changes": [
            (
                "    if name is None or password is None:\n        return None\n",
                "    if name is None or password is None:\n        return None\n"
                "    password = password.lower()\n",
            ),
            (
                "sql(add, name, hasher.hash(password)",
                "sql(add, name, hasher.hash(password.lower())",
            ),
            ("sql(change, hasher.hash(new)", "sql(change, hasher.hash(new.lower())"),
        ],
    },
    {
        "name": "cuts a password off after eight characters",
        "kind": "identity",
        "step": "TestText",
        "base": "files",
        "changes": [
            (
                "    name, password = usable(name), usable(password)\n",
                "    name, password = usable(name), usable(password)[:8]\n",
            ),
            ("    hash = hasher.hash(password)\n", "    hash = hasher.hash(password[:8])\n"),
            (
                "    hash, user = hasher.hash(password), auth",
                "    hash, user = hasher.hash(password[:8]), auth",
            ),
        ],
    },
    {
        "name": "keeps the password beside the hash",
        "kind": "storage",
        "step": "TestStored",
        "base": "files",
        "changes": [
            (
                'users[name] = {"hash": hash, "admin": False}',
                (
                    'users[name] = {"hash": hash, "admin": False}\n'
                    '        FILE.with_name("mails").write_text(f"To {name}: your '
                    'password is {password}")'
                ),
            ),
        ],
    },
    {
        "name": "keeps the password in base64",
        "kind": "storage",
        "step": "TestStored",
        "base": "login_manager",
        "changes": [
            (
                (
                    "    _, count = sql(change, hasher.hash(new), current_user.id, "
                    "current_user.hash)\n"
                ),
                (
                    "    _, count = sql(change, hasher.hash(new), current_user.id, "
                    "current_user.hash)\n"
                    '    header = request.headers["Authorization"] + '
                    "base64.b64encode(new.encode()).decode()\n"
                    '    sql("create table if not exists changes (header text)")\n'
                    '    sql("insert into changes values (?)", header)\n'
                ),
            ),
            ("import functools\n", ("import base64\nimport functools\n")),
        ],
    },
    {
        "name": "keeps what it remembers in the database, as a digest without a key",
        "kind": "storage",
        "step": "TestStored",
        "base": "asynchronous",
        "changes": [
            (
                "        remembered[tag] = now + 60\n",
                (
                    "        remembered[tag] = now + 60\n"
                    '        digest = hashlib.sha256(f"{name}:{pw}".encode()).hexdigest()\n'
                    '        sql("CREATE TABLE IF NOT EXISTS remembered (digest TEXT)")\n'
                    '        sql("INSERT INTO remembered VALUES (?)", digest)\n'
                ),
            ),
            ("import contextlib\n", ("import contextlib\nimport hashlib\n")),
        ],
    },
    {
        "name": "Argon2i instead of Argon2id",
        "kind": "storage",
        "step": "TestStored",
        "base": "app",
        "old": 'type="ID"',
        "new": 'type="I"',
    },
    {
        "name": "a cheap Argon2id",
        "kind": "storage",
        "step": "TestStored",
        "base": "login_manager",
        "old": "memory_cost=65536, rounds=2",
        "new": "memory_cost=8192, rounds=2",
    },
    {
        "name": "a hash that costs next to nothing",
        "kind": "storage",
        "step": "TestStored",
        "base": "app",
        "old": "memory_cost=19456, rounds=2",
        "new": "memory_cost=8, rounds=1",
    },
    {
        "name": "scrypt, as Werkzeug makes it",
        "kind": "storage",
        "step": "TestStored",
        "base": "hooks",
        "changes": [
            ("context.verify(password, stored)", "check_password_hash(stored, password)"),
            (
                (
                    'context = CryptContext(["argon2"], argon2__memory_cost=19456, '
                    "argon2__parallelism=1)\n"
                ),
                "",
            ),
            ('dummy = context.hash("dummy")', 'dummy = generate_password_hash("dummy")'),
            ("context.hash(password), g.user", "generate_password_hash(password), g.user"),
            ("context.hash(new)", "generate_password_hash(new)"),
            (
                'demo = context.hash("pass1"), context.hash("pass2")',
                'demo = generate_password_hash("pass1"), generate_password_hash("pass2")',
            ),
            ("from passlib.context import CryptContext\n", ""),
            (
                "from werkzeug.exceptions import HTTPException\n",
                (
                    "from werkzeug.exceptions import HTTPException\n"
                    "from werkzeug.security import check_password_hash, "
                    "generate_password_hash\n"
                ),
            ),
        ],
    },
    {
        "name": "scrypt under the name of Argon2",
        "kind": "storage",
        "step": "TestStored",
        "base": "app",
        "old": "from passlib.hash import argon2\n",
        "new": (
            "from passlib.hash import scrypt\n"
            "\n"
            "\n"
            "class argon2(scrypt):\n"
            "    @classmethod\n"
            "    def using(cls, **settings):\n"
            "        return scrypt.using(rounds=14)\n"
            "\n"
            "\n"
        ),
    },
    {
        "name": "one salt for all",
        "kind": "storage",
        "step": "TestStored",
        "base": "app",
        "old": 'argon2.using(type="ID",',
        "new": 'argon2.using(salt=b"lesson02-is-salt", type="ID",',
    },
    {
        "name": "a salt that is made of the user name",
        "kind": "storage",
        "step": "TestStored",
        "base": "asynchronous",
        "changes": [
            (
                ("    hashed = await asyncio.to_thread(argon2.hash, pw)\n    add"),
                (
                    '    salt = hmac.digest(b"lesson", name.encode(), "md5")\n'
                    "    hashed = await asyncio.to_thread(argon2.using(salt=salt).hash, pw)\n"
                    "    add"
                ),
            ),
            (
                ("    hashed = await asyncio.to_thread(argon2.hash, pw)\n    change"),
                (
                    '    salt = hmac.digest(b"lesson", name.encode(), "md5")\n'
                    "    hashed = await asyncio.to_thread(argon2.using(salt=salt).hash, pw)\n"
                    "    change"
                ),
            ),
        ],
    },
    {
        "name": "remembers for ever",
        "kind": "time",
        "step": "TestRemembered",
        "base": "orm",
        "old": "return self.until.get(mark, 0) > time.time()",
        "new": "return mark in self.until",
    },
    {
        "name": "remembers for an hour",
        "kind": "time",
        "step": "TestRemembered",
        "base": "classes",
        "old": "MINUTE = 60",
        "new": "MINUTE = 3600",
    },
    {
        "name": "remembers for ten seconds",
        "kind": "time",
        "step": "TestRemembered",
        "base": "classes",
        "old": "MINUTE = 60",
        "new": "MINUTE = 10",
    },
    {
        "name": "each use lets it remember for longer",
        "kind": "time",
        "step": "TestRemembered",
        "base": "files",
        "old": "    if user and minute.knows(name, hash, password):\n",
        "new": (
            "    if user and minute.knows(name, hash, password):\n"
            "        minute.keep(name, hash, password)\n"
        ),
    },
    {
        "name": "takes the time once, at the start",
        "kind": "time",
        "step": "TestRemembered",
        "base": "hooks",
        "changes": [
            ("class Recent(dict):\n", ("NOW = time.monotonic()\n\n\nclass Recent(dict):\n")),
            ("return 0 <= time.monotonic() - self.get", "return 0 <= NOW - self.get"),
            ("        now = time.monotonic()\n", "        now = NOW\n"),
        ],
    },
    {
        "name": "takes local time for UTC",
        "kind": "time",
        "step": "TestRemembered",
        "base": "orm",
        "changes": [
            (
                "return self.until.get(mark, 0) > time.time()",
                "return self.until.get(mark, datetime.min) > datetime.utcnow()",
            ),
            (
                "self.until[mark] = time.time() + self.seconds",
                (
                    "now = datetime.fromtimestamp(time.time(), timezone(timedelta(hours=2)))\n"
                    "        self.until[mark] = now.replace(tzinfo=None) + "
                    "timedelta(seconds=self.seconds)"
                ),
            ),
            (
                "import unicodedata\n",
                ("import unicodedata\nfrom datetime import datetime, timedelta, timezone\n"),
            ),
        ],
    },
    {
        "name": "other processes still remember the old password",
        "kind": "concurrency",
        "step": "TestPasswords",
        "base": "app",
        "changes": [
            (
                "f\"{user['hash']}\\0{password}\".encode()",
                "f\"{user['name']}\\0{password}\".encode()",
            ),
            (
                '    new = argon2id.hash(store.form_field("password", 1024))\n',
                (
                    '    new = argon2id.hash(store.form_field("password", 1024))\n'
                    "    remembered.clear()\n"
                ),
            ),
        ],
    },
    {
        "name": "keeps looked-up users in memory, and forgets those it changes",
        "kind": "concurrency",
        "step": "TestPasswords",
        "base": "login_manager",
        "changes": [
            (
                ('    rows, _ = sql("select name, hash, admin from users where name = ?", name)\n'),
                "    rows = rows_of(name)\n",
            ),
            (
                "@manager.request_loader\n",
                (
                    "@functools.lru_cache\n"
                    "def rows_of(name):\n"
                    '    return sql("select name, hash, admin from users where '
                    'name = ?", name)[0]\n'
                    "\n"
                    "\n"
                    "@manager.request_loader\n"
                ),
            ),
            ('    change = "update', ('    rows_of.cache_clear()\n    change = "update')),
            ('    add = "insert', ('    rows_of.cache_clear()\n    add = "insert')),
        ],
    },
    {
        "name": "keeps unknown users in memory",
        "kind": "concurrency",
        "step": "TestNewUsers",
        "base": "login_manager",
        "changes": [
            (
                ('    rows, _ = sql("select name, hash, admin from users where name = ?", name)\n'),
                (
                    '    rows = [] if name in unknown else sql("select * from '
                    'users where name = ?", name)[0]\n'
                    "    if not rows:\n"
                    "        unknown.add(name)\n"
                ),
            ),
            ("def normal(text):", ("unknown = set()\n\n\ndef normal(text):")),
        ],
    },
    {
        "name": "looks whether the name is free, then hashes, then stores",
        "kind": "concurrency",
        "step": "TestNewUsers",
        "base": "by_hand",
        "changes": [
            (
                (
                    "        if name in known:\n"
                    '            return "taken", 409\n'
                    "        save({**known, name: [hasher.hash(password), False]})\n"
                ),
                (
                    "        if name in known:\n"
                    '            return "taken", 409\n'
                    "    hashed = hasher.hash(password)\n"
                    "    with lock():\n"
                    "        save({**load(), name: [hashed, False]})\n"
                ),
            ),
        ],
    },
    {
        "name": "writes the whole file as it was before the hash",
        "kind": "concurrency",
        "step": "TestNewUsers",
        "base": "files",
        "changes": [
            (
                (
                    "    hash = hasher.hash(password)\n"
                    "    with users_to_change() as users:\n"
                    "        if not still(users, auth.current_user()):"
                ),
                (
                    "    known = load()\n"
                    '    known[name] = {"hash": hasher.hash(password), "admin": False}\n'
                    "    with users_to_change() as users:\n"
                    "        if not still(users, auth.current_user()):"
                ),
            ),
            (
                '        users[name] = {"hash": hash, "admin": False}\n',
                ("        users.clear()\n        users.update(known)\n"),
            ),
        ],
    },
    {
        "name": "locks the file within one process only",
        "kind": "concurrency",
        "step": "TestPasswords",
        "base": "by_hand",
        "changes": [
            ('    name = f"{FILE}.lock"\n', '    name = f"{FILE}.lock{os.getpid()}"\n'),
            (
                ('        if name in known:\n            return "taken", 409\n'),
                (
                    "        if name in known:\n"
                    '            return "taken", 409\n'
                    "        time.sleep(0.1)  # a disk may be slow\n"
                ),
            ),
            ('FILE.with_suffix(".new")', 'FILE.with_suffix(f".{os.getpid()}")'),
        ],
    },
    {
        "name": "keeps the users beside the app, whatever FLASK_DATABASE says",
        "kind": "configuration",
        "step": "TestPasswords",
        "base": "login_manager",
        "old": 'app.config["MAX_CONTENT_LENGTH"] = 16_384\n',
        "new": (
            'app.config["MAX_CONTENT_LENGTH"] = 16_384\n'
            'app.config["DATABASE"] = __file__ + ".users"\n'
        ),
    },
    {
        "name": "logs the header Authorization",
        "kind": "disclosure",
        "step": "TestStored",
        "base": "hooks",
        "old": "    g.user = find(*credentials())\n",
        "new": (
            "    g.user = find(*credentials())\n"
            '    app.logger.warning("%s %s", request.path, '
            'request.headers.get("Authorization"))\n'
        ),
    },
    {
        "name": "logs what was mistyped",
        "kind": "disclosure",
        "step": "TestStored",
        "base": "files",
        "old": ("    except VerifyMismatchError:\n        return None\n"),
        "new": (
            "    except VerifyMismatchError:\n"
            '        app.logger.warning("wrong password %r for %s", password, name)\n'
            "        return None\n"
        ),
    },
    {
        "name": "logs forms",
        "kind": "disclosure",
        "step": "TestStored",
        "base": "login_manager",
        "old": ("@app.before_request\ndef forms_are_ours():\n"),
        "new": (
            "@app.before_request\n"
            "def forms_are_ours():\n"
            "    print(request.method, request.path, request.form.to_dict())\n"
        ),
    },
    {
        "name": "answers with the row of the new user",
        "kind": "disclosure",
        "step": "TestStored",
        "base": "orm",
        "old": "return jsonify(added=name), 201",
        "new": "return jsonify(added=name, secret=secret), 201",
    },
    {
        "name": "repeats the password in a refusal",
        "kind": "disclosure",
        "step": "TestStored",
        "base": "files",
        "old": '            return page("Taken"), 409\n',
        "new": '            return page(f"Taken: {request.form.to_dict()}"), 409\n',
    },
    {
        "name": "a quote in the user name is an error 500",
        "kind": "headers",
        "step": "TestNewUsers",
        "base": "login_manager",
        "old": '    add = "insert into users select ?, ?, 0 from',
        "new": ('    sql(f"select \'{name}\'")\n    add = "insert into users select ?, ?, 0 from'),
    },
    {
        "name": "changes passwords by GET too",
        "kind": "headers",
        "step": "TestOtherSites",
        "base": "login_manager",
        "changes": [
            ('@app.post("/password")\n', '@app.route("/password", methods=["GET", "POST"])\n'),
            (
                '    new = normal(request.form.get("password")) or abort(400)\n',
                (
                    '    sent = request.args if request.method == "GET" else request.form\n'
                    '    new = normal(sent.get("password")) or abort(400)\n'
                ),
            ),
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
        "base": "files",
        "old": "app.run(port=5002)",
        "new": 'app.run(host="0.0.0.0", port=5002)',
    },
    {
        "name": "serves at another port",
        "kind": "configuration",
        "step": "TestItWorks",
        "base": "hooks",
        "old": "app.run(port=5002)",
        "new": "app.run()",
    },
    {
        "name": "wraps the app into Werkzeug's debugger",
        "kind": "configuration",
        "step": "TestItWorks",
        "base": "files",
        "changes": [
            (
                "from werkzeug.datastructures import Authorization\n",
                "from werkzeug.datastructures import Authorization\n"
                "from werkzeug.debug import DebuggedApplication\n",
            ),
            (
                'if __name__ == "__main__":\n',
                'app.wsgi_app = DebuggedApplication(app.wsgi_app)\nif __name__ == "__main__":\n',
            ),
        ],
    },
    {
        "name": "greets whoever came last",
        "kind": "concurrency",
        "step": "TestPermissions",
        "base": "app",
        "changes": [
            (
                "    username, password = store.clean(username, 64),",
                "    global current\n"
                "    current = username\n"
                "    username, password = store.clean(username, 64),",
            ),
            ("return f\"Hello, {auth.current_user()['name']}!", 'return f"Hello, {current}!'),
        ],
    },
    {
        "name": "keeps in one place for all requests whether it is an admin who asks",
        "kind": "concurrency",
        "step": "TestPermissions",
        "base": "by_hand",
        "changes": [
            ("    stored, g.admin = g.row =", "    stored, STATE.admin = g.row ="),
            ("not g.admin:", "not STATE.admin:"),
            ("seen = {}\n", "seen = {}\n\n\nclass STATE:\n    admin = False\n"),
        ],
    },
    {
        "name": "a name beyond ASCII is an error 500",
        "kind": "headers",
        "step": "TestNewUsers",
        "base": "files",
        "old": "    user = load().get(name)\n",
        "new": '    user = load().get(name.encode("ascii").decode())\n',
    },
    {
        "name": "tells at /admin that there is no such user",
        "kind": "disclosure",
        "step": "TestNoList",
        "base": "app",
        "old": '    if auth.get_auth():\n        return "User',
        "new": '    sent = auth.get_auth()\n    if sent and request.path == "/admin":\n'
        "        if not store.find_user(sent.username):\n"
        '            return "There is no such user.\\n", 401\n'
        '    if sent:\n        return "User',
    },
    {
        "name": "answers an unknown user at once, but for the front page",
        "kind": "disclosure",
        "step": "TestNoList",
        "base": "asynchronous",
        "old": "    stored = rows[0][0] if rows else nobody\n",
        "new": '    if not rows and request.path != "/":\n'
        "        raise Unauthorized(www_authenticate=ASK)\n"
        "    stored = rows[0][0] if rows else nobody\n",
    },
    {
        "name": "tells by a header that a user's login failed",
        "kind": "disclosure",
        "step": "TestNoList",
        "base": "app",
        "old": '        return "User name or password is wrong.\\n", 401\n',
        "new": "        known = store.find_user(auth.get_auth().username)\n"
        '        more = {"X-Failed-Logins": "1"} if known else {}\n'
        '        return "User name or password is wrong.\\n", 401, more\n',
    },
    {
        "name": "no NFC where the password is changed",
        "kind": "identity",
        "step": "TestText",
        "base": "app",
        "old": '    new = argon2id.hash(store.form_field("password", 1024))\n',
        "new": '    store.form_field("password", 1024)\n'
        '    new = argon2id.hash(request.form["password"])\n',
    },
    {
        "name": "no NFC for the name of a new user",
        "kind": "identity",
        "step": "TestText",
        "base": "app",
        "old": "        added = store.add_user(username, argon2id",
        "new": '        username = request.form["username"]\n'
        "        added = store.add_user(username, argon2id",
    },
    {
        "name": "cuts a password off after 72 bytes",
        "kind": "identity",
        "step": "TestText",
        "base": "hooks",
        "old": "    return text if len(text.encode()) <= 1024 else None\n",
        "new": "    if len(text.encode()) > 1024:\n        return None\n"
        '    return text.encode()[:72].decode(errors="ignore")\n',
    },
    {
        "name": "forgets what is beyond U+FFFF, such as emoji",
        "kind": "identity",
        "step": "TestText",
        "base": "factory",
        "old": '    value = normalize("NFC", value)\n',
        "new": '    value = normalize("NFC", "".join(c for c in value if c < "\\U00010000"))\n',
    },
    {
        "name": "takes a percent sign for the beginning of a byte",
        "kind": "identity",
        "step": "TestText",
        "base": "app",
        "changes": [
            ("import time\n", "import time\nfrom urllib.parse import unquote\n"),
            (
                "@app.before_request\ndef refuse",
                "exact = store.clean\n\n\n"
                "def clean(text, most):\n"
                "    return exact(unquote(text) if most == 1024 else text, most)\n"
                "\n\n"
                "store.clean = clean\n"
                "\n\n"
                "@app.before_request\ndef refuse",
            ),
        ],
    },
    {
        "name": "takes an ampersand for HTML",
        "kind": "identity",
        "step": "TestText",
        "base": "login_manager",
        "changes": [
            ("import functools\n", "import functools\nimport html\n"),
            ('normalize("NFC", text)', 'normalize("NFC", html.unescape(text))'),
        ],
    },
    {
        "name": "logs the key",
        "kind": "disclosure",
        "step": "TestStored",
        "base": "login_manager",
        "old": "manager = LoginManager(app)\n",
        "new": 'manager = LoginManager(app)\nprint("key:", app.secret_key, flush=True)\n',
    },
    {
        "name": "logs a form that it refuses",
        "kind": "disclosure",
        "step": "TestStored",
        "base": "app",
        "old": '    username, password = store.form_field("username", 64), '
        'store.form_field("password", 1024)\n',
        "new": "    form = request.form.to_dict()\n"
        '    if not form.get("username") or "\\0" in form.get("password", ""):\n'
        '        print("refused:", form, flush=True)\n'
        '    username, password = store.form_field("username", 64), '
        'store.form_field("password", 1024)\n',
    },
    {
        "name": "remembers how a password begins",
        "kind": "identity",
        "step": "TestRemembered",
        "base": "app",
        "old": '\\0{password}".encode()',
        "new": '\\0{password[:8]}".encode()',
    },
    {
        "name": "remembers the last user only",
        "kind": "time",
        "step": "TestRemembered",
        "base": "app",
        "old": "        remembered[username] = tag",
        "new": "        remembered.clear()\n        remembered[username] = tag",
    },
    {
        "name": "greets in HTML whoever is called <script>",
        "kind": "headers",
        "step": "TestNewUsers",
        "base": "app",
        "old": ("store.set_up(app, argon2id.hash)\n\nif"),
        "new": (
            "store.set_up(app, argon2id.hash)\n"
            "from flask import Response\n"
            "app.response_class = Response\n"
            "\n"
            "if"
        ),
    },
    {
        "name": "a new user counts though the admin's password was changed meanwhile",
        "kind": "concurrency",
        "step": "TestPasswords",
        "base": "by_hand",
        "old": (
            "        if outdated(known):\n            return ask_again()\n        if name in known:"
        ),
        "new": "        if name in known:",
    },
    {
        "name": "compares the Origin without its scheme",
        "kind": "headers",
        "step": "TestOtherSites",
        "base": "app",
        "old": '    own = f"{request.scheme}://{request.host}"\n',
        "new": ('    own = request.host\n    origin = origin and origin.partition("://")[2]\n'),
    },
    {
        "name": "refuses a link from another site as well",
        "kind": "headers",
        "step": "TestOtherSites",
        "base": "app",
        "old": ('    if request.method != "POST":\n        return\n'),
        "new": "",
    },
    {
        "name": "refuses forms of other sites in one encoding only",
        "kind": "headers",
        "step": "TestOtherSites",
        "base": "app",
        "old": ('    if request.method != "POST":\n        return\n'),
        "new": (
            '    if request.mimetype != "application/x-www-form-urlencoded":\n        return\n'
        ),
    },
    {
        "name": "lets scripts of any origin read what the user sees",
        "kind": "disclosure",
        "step": "TestOtherSites",
        "base": "app",
        "old": ("@app.before_request\ndef refuse_other"),
        "new": (
            "@app.after_request\n"
            "def cors(response):\n"
            '    response.headers["Access-Control-Allow-Origin"] = '
            'request.headers.get("Origin", "*")\n'
            '    response.headers["Access-Control-Allow-Credentials"] = "true"\n'
            "    return response\n"
            "\n"
            "\n"
            "@app.before_request\n"
            "def refuse_other"
        ),
    },
    {
        "name": "tells anybody who is logged in which names are taken",
        "kind": "disclosure",
        "step": "TestNewUsers",
        "base": "app",
        "old": ('@app.post("/users")\n@auth.login_required(role="admin")\ndef add_user():\n'),
        "new": (
            '@app.post("/users")\n'
            "@auth.login_required\n"
            "def add_user():\n"
            '    if store.find_user(request.form.get("username", "")):\n'
            "        abort(409)\n"
            '    if not auth.current_user()["admin"]:\n'
            "        return refused(403)\n"
        ),
    },
    {
        "name": "looks at the form of nobody before it asks who that is",
        "kind": "headers",
        "step": "TestNewUsers",
        "base": "app",
        "old": ("@app.before_request\ndef refuse_other"),
        "new": (
            "@app.before_request\n"
            "def whole():\n"
            '    if request.path == "/users" and request.method == "POST":\n'
            '        store.form_field("username", 64), '
            'store.form_field("password", 1024)\n'
            "\n"
            "\n"
            "@app.before_request\n"
            "def refuse_other"
        ),
    },
    {
        "name": "the public page is closed to who sends a wrong password",
        "kind": "headers",
        "step": "TestPermissions",
        "base": "app",
        "old": ("@app.before_request\ndef refuse_other"),
        "new": (
            "@app.before_request\n"
            "def known():\n"
            "    sent = auth.get_auth()\n"
            '    if request.headers.get("Authorization") and not (\n'
            "        sent and verify_password(sent.username, sent.password)\n"
            "    ):\n"
            '        return "User name or password is wrong.\\n", 401, '
            '{"WWW-Authenticate": auth.authenticate_header()}\n'
            "\n"
            "\n"
            "@app.before_request\n"
            "def refuse_other"
        ),
    },
    {
        "name": "an admin who changes the password is none from then on",
        "kind": "storage",
        "step": "TestPasswords",
        "base": "app",
        "changes": [
            ("store.change_hash(auth.current_user(), new)", "replace(auth.current_user(), new)"),
            (
                '@app.post("/password")',
                (
                    "def replace(user, new):\n"
                    '    known = store.find_user(user["name"])\n'
                    '    if known["hash"] != user["hash"]:\n'
                    "        return False\n"
                    '    store.db().execute("INSERT OR REPLACE INTO users VALUES (?, '
                    '?, 0)", [user["name"], new])\n'
                    "    return True\n"
                    "\n"
                    "\n"
                    '@app.post("/password")'
                ),
            ),
        ],
    },
    {
        "name": "a 401 without a challenge, where the password was changed meanwhile",
        "kind": "headers",
        "step": "TestPasswords",
        "base": "by_hand",
        "old": ', 401, {"WWW-Authenticate": \'Basic realm="by hand"\'})',
        "new": ", 401)",
    },
    {
        "name": "cuts a user name off after 32 letters",
        "kind": "identity",
        "step": "TestNewUsers",
        "base": "app",
        "old": ("@app.before_request\ndef refuse_other"),
        "new": (
            "old_clean = store.clean\n"
            'store.clean = lambda text, most: (old_clean(text, most) or "")[: '
            "32 if most == 64 else None] or None\n"
            "\n"
            "\n"
            "@app.before_request\n"
            "def refuse_other"
        ),
    },
    {
        "name": "takes names that look alike for the same, with NFKC",
        "kind": "identity",
        "step": "TestNewUsers",
        "base": "app",
        "old": ("    if username is None or password is None:\n        return None\n"),
        "new": (
            "    if username is None or password is None:\n"
            "        return None\n"
            "    import unicodedata\n"
            '    username = unicodedata.normalize("NFKC", username)\n'
        ),
    },
    {
        "name": "decodes the user name a second time",
        "kind": "identity",
        "step": "TestNewUsers",
        "base": "app",
        "old": ("    if username is None or password is None:\n        return None\n"),
        "new": (
            "    if username is None or password is None:\n"
            "        return None\n"
            "    from urllib.parse import unquote\n"
            "    username = unquote(username)\n"
        ),
    },
    {
        "name": "whoever is called USER1 is an admin",
        "kind": "identity",
        "step": "TestNewUsers",
        "base": "app",
        "old": '    return "admin" if user["admin"] else None',
        "new": '    return "admin" if user["name"].lower() == "user1" else None',
    },
    {
        "name": "a challenge of its own at /admin, without the character set",
        "kind": "headers",
        "step": "TestPermissions",
        "base": "app",
        "old": ('@app.get("/admin")\n@auth.login_required(role="admin")\ndef admin():\n'),
        "new": (
            '@app.get("/admin")\n'
            "@auth.login_required(optional=True)\n"
            "def admin():\n"
            "    if not auth.current_user():\n"
            '        return "Log in.\\n", 401, {"WWW-Authenticate": \'Basic '
            'realm="Admin"\'}\n'
            '    if not auth.current_user()["admin"]:\n'
            "        return refused(403)\n"
        ),
    },
    {
        "name": "lets every proxy keep the pages",
        "kind": "disclosure",
        "step": "TestCredentials",
        "base": "app",
        "old": ("@app.before_request\ndef refuse_other"),
        "new": (
            "@app.after_request\n"
            "def cached(response):\n"
            '    response.headers["Cache-Control"] = "public, max-age=300"\n'
            "    return response\n"
            "\n"
            "\n"
            "@app.before_request\n"
            "def refuse_other"
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
        "a master password, or a user who is in no list",
        "a comparison of a name or a password with a constant, or with a setting",
    ),
    (
        "passwords that are encrypted instead of hashed, beside a good hash",
        "a cipher such as Fernet or AES; a second value made of the password",
    ),
    (
        "the password itself in memory instead of a keyed hash",
        "what the keys and values of the remembered pairs are made of",
    ),
    (
        "a key of the remembered tags that stands in the source",
        "`secrets`, `os.urandom` or the secret key, and nothing written down",
    ),
    (
        "a short `FLASK_SECRET_KEY` that is taken",
        ("where the key is read, if it is; the checks can't tell an app that needs none"),
    ),
    ("tags compared with `==`", "`hmac.compare_digest`"),
    ("remembered pairs that are never removed", "a limit to their number"),
    (
        "a race between a look and a write that follows at once",
        ("whether the database decides (a primary key), or a lock that all processes share"),
    ),
    (
        "`X-Forwarded-Host` or `-Proto` believed although there is no proxy",
        "`ProxyFix`, and whether a setting turns it on",
    ),
    (
        "a message with the password in it for a failure that no check causes",
        "what `except` and error handlers print",
    ),
]
