"""Wrong answers to lesson 03, each with one mistake that learners make.

name: the mistake; step: the class of the step that must catch it, the steps before it pass; base:
the right answer that it is made from, app or a file in this folder; old and new, or changes: what
is replaced.
"""

MISTAKES = [
    {
        "name": "the same nonce in every challenge",
        "step": "TestItWorks",
        "base": "app",
        "changes": [
            ("    nonce = nonces.sign(secrets.token_urlsafe(12)).decode()\n", ""),
            ('"nonce": nonce, "opaque"', '"nonce": NONCE, "opaque"'),
            ("NOBODY = ", "NONCE = nonces.sign(secrets.token_urlsafe(12)).decode()\nNOBODY = "),
        ],
    },
    {
        "name": "403 for a wrong password",
        "step": "TestItWorks",
        "base": "asynchronous",
        "old": "secrets.compare_digest(right.encode(), sent.response.encode()):\n"
        "            return refuse()",
        "new": "secrets.compare_digest(right.encode(), sent.response.encode()):\n"
        '            return "Wrong password.\\n", 403',
    },
    {
        "name": "a challenge without opaque",
        "step": "TestItWorks",
        "base": "by_hand",
        "changes": [
            (', opaque="{OPAQUE}", ', ", "),
            ('"response", "opaque", "qop"', '"response", "qop"'),
            ('"opaque": OPAQUE, "qop"', '"qop"'),
        ],
    },
    {
        "name": "needs a cookie",
        "step": "TestNoCookies",
        "base": "app",
        "changes": [
            ("after_this_request, g, request", "after_this_request, g, request, session as jar"),
            (
                "        lifetime = app.config",
                "        if jar.get(algorithm) != sent.nonce:"
                "\n            return None\n        lifetime = app.config",
            ),
            ("    parameters = {", "    jar[algorithm] = nonce\n    parameters = {"),
        ],
    },
    {
        "name": "greets everybody by one name",
        "step": "TestNoCookies",
        "base": "classes",
        "old": 'return f"Hello, {self.user}!\\n"',
        "new": 'return "Hello, user1!\\n"',
    },
    {
        "name": "offers MD5 only",
        "step": "TestAlgorithms",
        "base": "app",
        "old": "[challenge(algorithm) for algorithm in HASHES]",
        "new": '[challenge("MD5")]',
    },
    {
        "name": "offers SHA-256 only",
        "step": "TestAlgorithms",
        "base": "table",
        "old": '[challenge("SHA-256"), challenge("MD5")]',
        "new": '[challenge("SHA-256")]',
    },
    {
        "name": "offers MD5 first",
        "step": "TestAlgorithms",
        "base": "app",
        "old": "for algorithm in HASHES]\n    return response",
        "new": "for algorithm in reversed(HASHES)]\n    return response",
    },
    {
        "name": "keeps HA1 for one of the algorithms only",
        "step": "TestAlgorithms",
        "base": "app",
        "old": "(user and user[algorithm])",
        "new": '(user and user["SHA-256"])',
    },
    {
        "name": "never checks the count",
        "step": "TestReplay",
        "base": "app",
        "old": "if not store.first_use(made.timestamp(), random, int(sent.nc, 16), "
        "lifetime + 3600):",
        "new": "if not made:",
    },
    {
        "name": "lets nc repeat but not fall",
        "step": "TestReplay",
        "base": "by_hand",
        "changes": [
            (
                '        try:\n            db.execute("INSERT',
                '        seen = "SELECT max(nc) FROM counts WHERE nonce = ?"\n'
                "        last = db.execute(seen, (nonce,))\n"
                '        if nc < (last.fetchone()[0] or ""):\n'
                "            return False\n"
                '        try:\n            db.execute("INSERT',
            ),
            ('"INSERT INTO counts', '"INSERT OR IGNORE INTO counts'),
        ],
    },
    {
        "name": "nc must rise",
        "step": "TestReplay",
        "base": "app",
        "changes": [
            (
                "        if not store.first_use(",
                "        used = 'SELECT max(nc) FROM counts WHERE nonce = ?'\n"
                "        highest = store.db().execute(used, [random]).fetchone()[0] or 0\n"
                "        if int(sent.nc, 16) <= highest:\n"
                "            return None\n"
                "        if not store.first_use(",
            ),
        ],
    },
    {
        "name": "keeps the used counts in memory",
        "step": "TestReplay",
        "base": "by_hand",
        "changes": [
            ("def count_is_new(nonce, nc):\n", "seen = set()\n\n\ndef count_is_new(nonce, nc):\n"),
            (
                '        try:\n            db.execute("INSERT INTO counts VALUES (?, ?, ?)",'
                " (nonce, nc, time.time()))\n        except sqlite3.IntegrityError:\n",
                "        if (nonce, nc) in seen:\n",
            ),
            (
                "            return False\n    return True",
                "            return False\n        seen.add((nonce, nc))\n    return True",
            ),
        ],
    },
    {
        "name": "a nonce is good for one request only",
        "step": "TestReplay",
        "base": "app",
        "old": "random, int(sent.nc, 16), lifetime",
        "new": "random, 1, lifetime",
    },
    {
        "name": "another key after each start",
        "step": "TestReplay",
        "base": "app",
        "old": "TimestampSigner(app.secret_key, salt",
        "new": "TimestampSigner(app.secret_key + secrets.token_hex(8), salt",
    },
    {
        "name": "empties its table at the start",
        "step": "TestReplay",
        "base": "factory",
        "old": '        db().execute("CREATE TABLE IF NOT EXISTS used',
        "new": '        db().execute("DROP TABLE IF EXISTS used")\n'
        '        db().execute("CREATE TABLE IF NOT EXISTS used',
    },
    {
        "name": "reads nc as a decimal number",
        "step": "TestReplay",
        "base": "factory",
        "old": "int(nc, 16)",
        "new": "int(nc)",
    },
    {
        "name": "uri is not compared",
        "step": "TestAddress",
        "base": "app",
        "old": "        if not is_here(sent.uri):",
        "new": "        if not sent.uri:",
    },
    {
        "name": "compares only the path of uri",
        "step": "TestAddress",
        "base": "app",
        "old": 'return (unquote(path, "latin-1"), query) == (here, asked.get("QUERY_STRING", ""))',
        "new": 'return unquote(path, "latin-1") == here',
    },
    {
        "name": "uri need only begin like the path",
        "step": "TestAddress",
        "base": "classes",
        "old": 'not self.is_for(sent.uri or "")',
        "new": 'not (sent.uri or "").startswith(request.path)',
    },
    {
        "name": "decodes the address before it compares",
        "step": "TestAddress",
        "base": "by_hand",
        "changes": [
            ("unquote_to_bytes\n", "unquote, unquote_to_bytes\n"),
            ("        return uri == line\n", "        return uri == unquote(line)\n"),
        ],
    },
    {
        "name": "decodes the query as well before it compares",
        "step": "TestAddress",
        "base": "table",
        "old": 'query == request.environ.get("QUERY_STRING", "")',
        "new": "unquote(query) == unquote(request.query_string.decode())",
    },
    {
        "name": "compares uri as it was sent with the path that was decoded",
        "step": "TestAddress",
        "base": "factory",
        "old": "(unquote(path), query) == asked",
        "new": "(path, query) == asked",
    },
    {
        "name": "lets qop be missing, as in 1997",
        "step": "TestParameters",
        "base": "table",
        "changes": [
            ('"opaque": opaque(), "qop": "auth"}', '"opaque": opaque()}'),
            (
                "if not (sent.nonce and sent.cnonce and sent.response and sent.nc):",
                'if not (sent.nonce and sent.response) or sent.qop not in (None, "auth"):',
            ),
            (' or not fullmatch("[0-9a-f]{8}", sent.nc)', ""),
            ('if not fullmatch("[A-Za-z0-9+/=._~-]+", sent.cnonce):', 'if sent.qop == "":'),
            (
                "            return hashed(",
                "            if not sent.qop:\n"
                "                return hashed(algorithm, ha1, sent.nonce, ha2)\n"
                "            return hashed(",
            ),
        ],
    },
    {
        "name": "takes a missing qop for auth",
        "step": "TestParameters",
        "base": "app",
        "old": "(sent.realm, sent.qop, sent.opaque) !=",
        "new": '(sent.realm, sent.qop or "auth", sent.opaque) !=',
    },
    {
        "name": "takes auth-int for auth",
        "step": "TestParameters",
        "base": "app",
        "old": '(sent.realm, sent.qop, sent.opaque) != (REALM, "auth", OPAQUE)',
        "new": "(sent.realm, sent.opaque) != (REALM, OPAQUE)\n"
        '            or sent.qop not in ("auth", "auth-int")',
    },
    {
        "name": "realm is not compared",
        "step": "TestParameters",
        "base": "app",
        "old": '(sent.realm, sent.qop, sent.opaque) != (REALM, "auth", OPAQUE)',
        "new": '(sent.qop, sent.opaque) != ("auth", OPAQUE)',
    },
    {
        "name": "keeps passwords and takes the realm that was sent",
        "step": "TestParameters",
        "base": "by_hand",
        "changes": [
            (
                '    ha1 = HA1.get((sent["username"], algorithm))\n',
                '    password = {"user1": "pass1", "user2": "pass2"}.get(sent["username"])\n'
                "    ha1 = None\n"
                "    if password and algorithm in HASHLIB_NAMES:\n"
                '        ha1 = digest(algorithm, sent["username"], sent["realm"], password)\n',
            ),
            ('{"realm": REALM, "opaque": OPAQUE', '{"opaque": OPAQUE'),
        ],
    },
    {
        "name": "opaque is not compared",
        "step": "TestParameters",
        "base": "asynchronous",
        "old": '{"realm": REALM, "opaque": OPAQUE, "qop": "auth"}',
        "new": '{"realm": REALM, "qop": "auth"}',
    },
    {
        "name": "ignores uri and hashes the address that was asked for",
        "step": "TestParameters",
        "base": "app",
        "changes": [
            ("            or not (sent.uri and sent", "            or not (sent"),
            ("        if not is_here(sent.uri):", "        if not sent:"),
            ("request.method, sent.uri))", 'request.method, request.environ["RAW_URI"]))'),
            (
                'H(algorithm, "", sent.uri))',
                'H(algorithm, "", request.environ["RAW_URI"]))',
            ),
        ],
    },
    {
        "name": "a missing nc is a 500",
        "step": "TestParameters",
        "base": "app",
        "old": '            or not re.fullmatch("(?!0{8})[0-9a-f]{8}", sent.nc or "")\n',
        "new": "",
    },
    {
        "name": "a missing cnonce is a 500",
        "step": "TestParameters",
        "base": "factory",
        "old": "(auth.nonce, auth.cnonce, auth.response,",
        "new": "(auth.nonce, auth.response,",
    },
    {
        "name": "a response beyond ASCII is a 500",
        "step": "TestParameters",
        "base": "app",
        "old": "compare_digest(right.encode(), sent.response.encode())",
        "new": "compare_digest(right, sent.response)",
    },
    {
        "name": "an unknown algorithm is a 500",
        "step": "TestParameters",
        "base": "app",
        "old": "            algorithm not in HASHES\n",
        "new": "            not sent\n",
    },
    {
        "name": "does not look at the scheme",
        "step": "TestParameters",
        "base": "by_hand",
        "old": '    if scheme.lower() != "digest":\n',
        "new": "    if not rest:\n",
    },
    {
        "name": "any nonce will do",
        "step": "TestNonces",
        "base": "app",
        "changes": [
            ("import contextlib\n", "import contextlib\nimport datetime\n"),
            (
                "return None  # a nonce of someone else's making",
                'random, made = b"", datetime.datetime.now()',
            ),
        ],
    },
    {
        "name": "a nonce never expires",
        "step": "TestNonces",
        "base": "app",
        "old": "nonces.unsign(sent.nonce, max_age=lifetime, ",
        "new": "nonces.unsign(sent.nonce, ",
    },
    {
        "name": "the lifetime stands in the code",
        "step": "TestNonces",
        "base": "asynchronous",
        "old": 'signer.unsign(sent.nonce, max_age=app.config["NONCE_LIFETIME"])',
        "new": "signer.unsign(sent.nonce, max_age=300)",
    },
    {
        "name": "never says stale",
        "step": "TestNonces",
        "base": "classes",
        "old": "raise Refused(stale=True) from None",
        "new": "raise Refused from None",
    },
    {
        "name": "stale=true in every challenge",
        "step": "TestNonces",
        "base": "app",
        "old": '{"stale": "true"} if g.get("stale") else {}',
        "new": '{"stale": "true"}',
    },
    {
        "name": "stale=true for wrong passwords too",
        "step": "TestNonces",
        "base": "by_hand",
        "old": "    def response(method):\n",
        "new": '    age = age_of(sent["nonce"])\n'
        '    if age is not None and age > app.config["NONCE_LIFETIME"]:\n'
        "        return challenge(stale=True)\n\n"
        "    def response(method):\n",
    },
    {
        "name": "no rspauth",
        "step": "TestProof",
        "base": "factory",
        "old": '        response.headers["Authentication-Info"] = g.info\n',
        "new": "        pass\n",
    },
    {
        "name": "rspauth is computed with the method",
        "step": "TestProof",
        "base": "app",
        "old": 'H(algorithm, "", sent.uri)',
        "new": "H(algorithm, request.method, sent.uri)",
    },
    {
        "name": "rspauth is always SHA-256",
        "step": "TestProof",
        "base": "asynchronous",
        "old": 'proof = compute(algorithm, ha1, *middle, compute(algorithm, "", sent.uri))',
        "new": 'proof = compute("SHA-256", ha1, *middle, compute("SHA-256", "", sent.uri))',
    },
    {
        "name": "hashes GET, whatever the method is",
        "step": "TestAddress",
        "base": "app",
        "old": "request.method, sent.uri))",
        "new": '"GET", sent.uri))',
    },
    {
        "name": "refuses an answer that names no algorithm",
        "step": "TestAlgorithms",
        "base": "app",
        "old": '(sent.algorithm or "MD5") if sent else None',
        "new": "sent.algorithm if sent else None",
    },
    {
        "name": "the scheme's name must be written with a capital",
        "step": "TestNoCookies",
        "base": "by_hand",
        "old": 'if scheme.lower() != "digest":',
        "new": 'if scheme != "Digest":',
    },
    {
        "name": "rspauth is always for the same address",
        "step": "TestProof",
        "base": "app",
        "old": 'H(algorithm, "", sent.uri)',
        "new": 'H(algorithm, "", "/")',
    },
    {
        "name": "Authentication-Info without nc and cnonce",
        "step": "TestProof",
        "base": "app",
        "old": """f'rspauth="{proof}", qop=auth, cnonce="{sent.cnonce}", nc={sent.nc}'""",
        "new": """f'rspauth="{proof}", qop=auth'""",
    },
    {
        "name": "sends cnonce back whatever is in it",
        "step": "TestProof",
        "base": "app",
        "old": '            or not re.fullmatch(r"[ !#-\\[\\]-~]+", sent.cnonce or "")\n',
        "new": "            or not sent.cnonce\n",
    },
    {
        "name": "a line break in cnonce is a 500",
        "step": "TestProof",
        "base": "table",
        "old": 'if not fullmatch("[A-Za-z0-9+/=._~-]+", sent.cnonce):',
        "new": 'if \'"\' in sent.cnonce or "\\\\" in sent.cnonce:',
    },
    {
        "name": "the nonce's time is not signed",
        "step": "TestNonces",
        "base": "by_hand",
        "changes": [
            ('    return f"{text}.{sign(text)}"', '    return f"{text}.{sign(text[14:])}"'),
            ("compare_digest(sign(text).encode()", "compare_digest(sign(text[14:]).encode()"),
            (
                "    return time.time() - int(",
                '    if not nonce[:13].isdigit() or nonce[13] != ".":'
                "\n        return None\n    return time.time() - int(",
            ),
        ],
    },
    # "First looks for the count, then writes it down" is not here: on a server with one process the
    # gap is so small that no check over HTTP meets it each time.
]
