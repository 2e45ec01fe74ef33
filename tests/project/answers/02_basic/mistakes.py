"""Wrong answers to lesson 02: each a right one with one believable mistake in it.

step: where it must be caught; base: the right answer that it is made from ("app" is app.py).
"""

MISTAKES = [
    {
        "name": "forgets WWW-Authenticate",
        "step": "TestItWorks",
        "base": "by_hand",
        "old": 'return Response("Please log in.", 401, challenge)',
        "new": 'return Response("Please log in.", 401)',
    },
    {
        "name": "compares the scheme's name letter by letter",
        "step": "TestItWorks",
        "base": "by_hand",
        "old": 'scheme.lower() != "basic"',
        "new": 'scheme != "Basic"',
    },
    {
        "name": "doesn't name the character set",
        "step": "TestCredentials",
        "base": "classes",
        "old": ', charset="UTF-8"',
        "new": "",
    },
    {
        "name": "takes any scheme's name",
        "step": "TestCredentials",
        "base": "by_hand",
        "old": '    if scheme.lower() != "basic":\n        return None\n',
        "new": "",
    },
    {
        "name": "skips what is no base64",
        "step": "TestCredentials",
        "base": "by_hand",
        "old": ", validate=True",
        "new": "",
    },
    {
        "name": "a header that is not UTF-8 is an error 500",
        "step": "TestCredentials",
        "base": "by_hand",
        "old": "except (binascii.Error, ValueError):",
        "new": "except binascii.Error:",
    },
    {
        "name": "bytes beyond ASCII in the header are an error 500",
        "step": "TestCredentials",
        "base": "asynchronous",
        "old": "    except ValueError:\n        sent = None",
        "new": "    except KeyError:\n        sent = None",
    },
    {
        "name": "answers a known user who may not with 401",
        "step": "TestPermissions",
        "base": "by_hand",
        "old": 'return Response("Not for you.", 403)',
        "new": "return Response("
        '"Not for you.", 401, {"WWW-Authenticate": "Basic realm=\\"admins\\""})',
    },
    {
        "name": "answers nobody at /admin with 403",
        "step": "TestPermissions",
        "base": "app",
        "old": "    if status == 403:\n",
        "new": '    if status == 403 or request.path == "/admin":\n',
    },
    {
        "name": "every user is an admin",
        "step": "TestPermissions",
        "base": "app",
        "old": 'return "admin" if user["admin"] else None',
        "new": 'return "admin"',
    },
    {
        "name": "new users are admins too",
        "step": "TestNewUsers",
        "base": "asynchronous",
        "old": '"INSERT INTO people SELECT ?, ?, 0 FROM',
        "new": '"INSERT INTO people SELECT ?, ?, 1 FROM',
    },
    {
        "name": "anybody who is logged in adds users",
        "step": "TestNewUsers",
        "base": "asynchronous",
        "changes": [
            ("boss, stored = await who(boss=True)", "boss, stored = await who()"),
            (" AND boss", ""),
        ],
    },
    {
        "name": "adding a user who is there changes their password",
        "step": "TestNewUsers",
        "base": "by_hand",
        "old": '        if name in known:\n            return "taken", 409\n',
        "new": "",
    },
    {
        "name": "lets a colon into a user name",
        "step": "TestNewUsers",
        "base": "factory",
        "old": '    if not name or not password or ":" in name:\n        return "No.", 400',
        "new": '    if not name or not password:\n        return "No.", 400',
    },
    {
        "name": "the new password counts only after a restart",
        "step": "TestPasswords",
        "base": "classes",
        "old": "        found = self.find(name)\n        stored",
        "new": "        self.cache = getattr(self, 'cache', {})\n"
        "        found = self.cache.setdefault(name, self.find(name))\n"
        "        stored",
    },
    {
        "name": "the old password is still remembered",
        "step": "TestPasswords",
        "base": "app",
        "old": "f\"{user['hash']}\\0{password}\".encode()",
        "new": "f\"{user['name']}\\0{password}\".encode()",
    },
    {
        "name": "remembers that a user was right, not with what",
        "step": "TestItWorks",
        "base": "app",
        "old": " and hmac.compare_digest(known, tag(user, password))",
        "new": "",
    },
    {
        "name": "keeps the changed password in memory only",
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
        "step": "TestPasswords",
        "base": "asynchronous",
        "changes": [
            ("SET pw = ? WHERE name = ? AND pw = ?", "SET pw = ?"),
            ("sql(change, hashed, name, stored)", "sql(change, hashed)"),
        ],
    },
    {
        "name": "a request with the old password, begun before the change, still counts",
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
        "step": "TestPasswords",
        "base": "factory",
        "old": "    values = [argon2.hash(password), g.user, g.hash]\n",
        "new": '    find = "SELECT hash FROM users WHERE name = ?"\n'
        "    (now,) = connect().execute(find, [g.user]).fetchone()\n"
        "    values = [argon2.hash(password), g.user, now]\n",
    },
    {
        "name": "an unknown user is answered at once",
        "step": "TestNoList",
        "base": "asynchronous",
        "old": "    stored = rows[0][0] if rows else nobody\n",
        "new": "    if not rows:\n        raise Unauthorized(www_authenticate=ASK)\n"
        "    stored = rows[0][0]\n",
    },
    {
        "name": "tells in the text that there is no such user",
        "step": "TestNoList",
        "base": "asynchronous",
        "old": "or not rows:\n            raise Unauthorized(www_authenticate=ASK)",
        "new": "or not rows:\n"
        '            text = "wrong password" if rows else "no such user"\n'
        "            raise Unauthorized(text, www_authenticate=ASK)",
    },
    {
        "name": "cuts the password off at a NUL",
        "step": "TestText",
        "base": "by_hand",
        "old": '    name, colon, password = unicodedata.normalize("NFC", text).partition(":")\n',
        "new": '    name, colon, password = unicodedata.normalize("NFC", text).partition(":")\n'
        '    password = password.partition("\\0")[0]\n',
    },
    {
        "name": "no NFC where the header is read",
        "step": "TestText",
        "base": "by_hand",
        "old": 'unicodedata.normalize("NFC", text).partition(":")',
        "new": 'text.partition(":")',
    },
    {
        "name": "brings text into NFC before it looks at the length",
        "step": "TestText",
        "base": "asynchronous",
        "old": "    if not text or len(text) > 4 * 1024:",
        "new": "    if not text:",
    },
    {
        "name": "limits a password to five hundred characters",
        "step": "TestText",
        "base": "classes",
        "old": 'if len(text or "") > 4 * 1024:',
        "new": 'if len(text or "") > 500:',
    },
    {
        "name": "hashes at every request",
        "step": "TestRemembered",
        "base": "asynchronous",
        "old": "        remembered[tag] = now + 60\n",
        "new": "",
    },
    {
        "name": "remembers for no time at all",
        "step": "TestRemembered",
        "base": "classes",
        "old": "MINUTE = 60",
        "new": "MINUTE = 0",
    },
    {
        "name": "remembers wrong passwords too",
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
        "step": "TestOtherSites",
        "base": "classes",
        "old": '    if request.method == "POST":',
        "new": '    if request.method == "PUT":',
    },
    {
        "name": "refuses cross-site but not same-site",
        "step": "TestOtherSites",
        "base": "factory",
        "old": 'in ("cross-site", "same-site")',
        "new": 'in ("cross-site",)',
    },
    {
        "name": "looks at Sec-Fetch-Site alone, which plain http lacks",
        "step": "TestOtherSites",
        "base": "app",
        "old": "else origin in (None, own)",
        "new": "else True",
    },
    {
        "name": "takes an Origin that begins like its own",
        "step": "TestOtherSites",
        "base": "by_hand",
        "old": 'request.headers.get("Origin", own()) != own()',
        "new": 'not request.headers.get("Origin", own()).startswith(own())',
    },
    {
        "name": "takes the Origin null",
        "step": "TestOtherSites",
        "base": "asynchronous",
        "changes": [
            ("not in (None, g.own)", 'not in (None, "null", g.own)'),
            ('("cross-site", "same-site")', '("same-site",)'),
        ],
    },
    {
        "name": "compares the host of the Origin without its port",
        "step": "TestOtherSites",
        "base": "by_hand",
        "old": 'request.headers.get("Origin", own()) != own()',
        "new": 'not request.headers.get("Origin", own()).startswith(own().rpartition(":")[0])',
    },
    {
        "name": "refuses its own forms as well",
        "step": "TestOtherSites",
        "base": "by_hand",
        "old": 'request.headers.get("Origin", own()) != own()',
        "new": '"Origin" in request.headers',
    },
    {
        "name": "refuses programs that name no origin",
        "step": "TestNewUsers",
        "base": "by_hand",
        "old": 'request.headers.get("Origin", own()) != own()',
        "new": 'request.headers.get("Origin", "") != own()',
    },
]
