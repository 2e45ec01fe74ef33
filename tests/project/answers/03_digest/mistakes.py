"""Wrong answers to lesson 03, each with one mistake that learners make.

name: the mistake; kind: what it is about, see KINDS in test_answers.py; step: the class of the step
that must catch it, the steps before it pass; base: the right answer that it is made from, app or a
file in this folder; old and new, or changes: what is replaced. UNSEEN lists what no check can see,
with what to look for in the file instead.
"""

MISTAKES = [
    {
        "name": "the same nonce in every challenge",
        "kind": "headers",
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
        "kind": "headers",
        "step": "TestItWorks",
        "base": "asynchronous",
        "old": "secrets.compare_digest(right.encode(), sent.response.encode()):\n"
        "            return refuse()",
        "new": "secrets.compare_digest(right.encode(), sent.response.encode()):\n"
        '            return "Wrong password.\\n", 403',
    },
    {
        "name": "a challenge without opaque",
        "kind": "headers",
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
        "kind": "identity",
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
        "kind": "identity",
        "step": "TestItWorks",
        "base": "classes",
        "old": 'return f"Hello, {self.user}!\\n"',
        "new": 'return "Hello, user1!\\n"',
    },
    {
        "name": "offers MD5 only",
        "kind": "headers",
        "step": "TestAlgorithms",
        "base": "app",
        "old": "[challenge(algorithm) for algorithm in HASHES]",
        "new": '[challenge("MD5")]',
    },
    {
        "name": "offers SHA-256 only",
        "kind": "headers",
        "step": "TestAlgorithms",
        "base": "table",
        "old": '[challenge("SHA-256"), challenge("MD5")]',
        "new": '[challenge("SHA-256")]',
    },
    {
        "name": "offers MD5 first",
        "kind": "headers",
        "step": "TestAlgorithms",
        "base": "app",
        "old": "for algorithm in HASHES]\n    return response",
        "new": "for algorithm in reversed(HASHES)]\n    return response",
    },
    {
        "name": "keeps HA1 for one of the algorithms only",
        "kind": "storage",
        "step": "TestAlgorithms",
        "base": "app",
        "old": "(user and user[algorithm])",
        "new": '(user and user["SHA-256"])',
    },
    {
        "name": "never checks the count",
        "kind": "storage",
        "step": "TestReplay",
        "base": "app",
        "old": "if not store.first_use(made.timestamp(), random, int(sent.nc, 16), "
        "lifetime + 3600):",
        "new": "if not made:",
    },
    {
        "name": "lets nc repeat but not fall",
        "kind": "storage",
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
        "kind": "time",
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
        "kind": "storage",
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
        "kind": "time",
        "step": "TestReplay",
        "base": "app",
        "old": "random, int(sent.nc, 16), lifetime",
        "new": "random, 1, lifetime",
    },
    {
        "name": "another key after each start",
        "kind": "configuration",
        "step": "TestReplay",
        "base": "app",
        "old": "TimestampSigner(app.secret_key, salt",
        "new": "TimestampSigner(app.secret_key + secrets.token_hex(8), salt",
    },
    {
        "name": "empties its table at the start",
        "kind": "storage",
        "step": "TestReplay",
        "base": "factory",
        "old": '        db().execute("CREATE TABLE IF NOT EXISTS used',
        "new": '        db().execute("DROP TABLE IF EXISTS used")\n'
        '        db().execute("CREATE TABLE IF NOT EXISTS used',
    },
    {
        "name": "reads nc as a decimal number",
        "kind": "headers",
        "step": "TestReplay",
        "base": "factory",
        "old": "int(nc, 16)",
        "new": "int(nc)",
    },
    {
        "name": "uri is not compared",
        "kind": "headers",
        "step": "TestAddress",
        "base": "app",
        "old": "        if not is_here(sent.uri):",
        "new": "        if not sent.uri:",
    },
    {
        "name": "compares only the path of uri",
        "kind": "headers",
        "step": "TestAddress",
        "base": "app",
        "old": 'return (unquote(path, "latin-1"), query) == (here, asked.get("QUERY_STRING", ""))',
        "new": 'return unquote(path, "latin-1") == here',
    },
    {
        "name": "uri need only begin like the path",
        "kind": "headers",
        "step": "TestAddress",
        "base": "classes",
        "old": 'not self.is_for(sent.uri or "")',
        "new": 'not (sent.uri or "").startswith(request.path)',
    },
    {
        "name": "decodes the address before it compares",
        "kind": "headers",
        "step": "TestAddress",
        "base": "by_hand",
        "changes": [
            ("unquote_to_bytes\n", "unquote, unquote_to_bytes\n"),
            ("        return uri == line\n", "        return uri == unquote(line)\n"),
        ],
    },
    {
        "name": "decodes the query as well before it compares",
        "kind": "headers",
        "step": "TestAddress",
        "base": "table",
        "old": 'query == request.environ.get("QUERY_STRING", "")',
        "new": "unquote(query) == unquote(request.query_string.decode())",
    },
    {
        "name": "compares uri as it was sent with the path that was decoded",
        "kind": "headers",
        "step": "TestAddress",
        "base": "factory",
        "old": "(unquote(path), query) == asked",
        "new": "(path, query) == asked",
    },
    {
        "name": "lets qop be missing, as in 1997",
        "kind": "headers",
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
        "kind": "headers",
        "step": "TestParameters",
        "base": "app",
        "old": "(sent.realm, sent.qop, sent.opaque) !=",
        "new": '(sent.realm, sent.qop or "auth", sent.opaque) !=',
    },
    {
        "name": "takes auth-int for auth",
        "kind": "headers",
        "step": "TestParameters",
        "base": "app",
        "old": '(sent.realm, sent.qop, sent.opaque) != (REALM, "auth", OPAQUE)',
        "new": "(sent.realm, sent.opaque) != (REALM, OPAQUE)\n"
        '            or sent.qop not in ("auth", "auth-int")',
    },
    {
        "name": "realm is not compared",
        "kind": "headers",
        "step": "TestParameters",
        "base": "app",
        "old": '(sent.realm, sent.qop, sent.opaque) != (REALM, "auth", OPAQUE)',
        "new": '(sent.qop, sent.opaque) != ("auth", OPAQUE)',
    },
    {
        "name": "keeps passwords and takes the realm that was sent",
        "kind": "identity",
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
        "kind": "headers",
        "step": "TestParameters",
        "base": "asynchronous",
        "old": '{"realm": REALM, "opaque": OPAQUE, "qop": "auth"}',
        "new": '{"realm": REALM, "qop": "auth"}',
    },
    {
        "name": "ignores uri and hashes the address that was asked for",
        "kind": "headers",
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
        "kind": "headers",
        "step": "TestParameters",
        "base": "app",
        "old": '            or not re.fullmatch("(?!0{8})[0-9a-f]{8}", sent.nc or "")\n',
        "new": "",
    },
    {
        "name": "a missing cnonce is a 500",
        "kind": "headers",
        "step": "TestParameters",
        "base": "factory",
        "old": "(auth.nonce, auth.cnonce, auth.response,",
        "new": "(auth.nonce, auth.response,",
    },
    {
        "name": "a response beyond ASCII is a 500",
        "kind": "headers",
        "step": "TestParameters",
        "base": "app",
        "old": "compare_digest(right.encode(), sent.response.encode())",
        "new": "compare_digest(right, sent.response)",
    },
    {
        "name": "an unknown algorithm is a 500",
        "kind": "headers",
        "step": "TestParameters",
        "base": "app",
        "old": "            algorithm not in HASHES\n",
        "new": "            not sent\n",
    },
    {
        "name": "does not look at the scheme",
        "kind": "headers",
        "step": "TestParameters",
        "base": "by_hand",
        "old": '    if scheme.lower() != "digest":\n',
        "new": "    if not rest:\n",
    },
    {
        "name": "any nonce will do",
        "kind": "identity",
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
        "kind": "time",
        "step": "TestNonces",
        "base": "app",
        "old": "nonces.unsign(sent.nonce, max_age=lifetime, ",
        "new": "nonces.unsign(sent.nonce, ",
    },
    {
        "name": "the lifetime stands in the code",
        "kind": "configuration",
        "step": "TestNonces",
        "base": "asynchronous",
        "old": 'signer.unsign(sent.nonce, max_age=app.config["NONCE_LIFETIME"])',
        "new": "signer.unsign(sent.nonce, max_age=300)",
    },
    {
        "name": "never says stale",
        "kind": "headers",
        "step": "TestNonces",
        "base": "classes",
        "old": "raise Refused(stale=True) from None",
        "new": "raise Refused from None",
    },
    {
        "name": "stale=true in every challenge",
        "kind": "headers",
        "step": "TestNonces",
        "base": "app",
        "old": '{"stale": "true"} if g.get("stale") else {}',
        "new": '{"stale": "true"}',
    },
    {
        "name": "stale=true for wrong passwords too",
        "kind": "disclosure",
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
        "kind": "headers",
        "step": "TestProof",
        "base": "factory",
        "old": '        response.headers["Authentication-Info"] = g.info\n',
        "new": "        pass\n",
    },
    {
        "name": "rspauth is computed with the method",
        "kind": "headers",
        "step": "TestProof",
        "base": "app",
        "old": 'H(algorithm, "", sent.uri)',
        "new": "H(algorithm, request.method, sent.uri)",
    },
    {
        "name": "rspauth is always SHA-256",
        "kind": "headers",
        "step": "TestProof",
        "base": "asynchronous",
        "old": 'proof = compute(algorithm, ha1, *middle, compute(algorithm, "", sent.uri))',
        "new": 'proof = compute("SHA-256", ha1, *middle, compute("SHA-256", "", sent.uri))',
    },
    {
        "name": "hashes GET, whatever the method is",
        "kind": "headers",
        "step": "TestAddress",
        "base": "app",
        "old": "request.method, sent.uri))",
        "new": '"GET", sent.uri))',
    },
    {
        "name": "refuses an answer that names no algorithm",
        "kind": "headers",
        "step": "TestAlgorithms",
        "base": "app",
        "old": '(sent.algorithm or "MD5") if sent else None',
        "new": "sent.algorithm if sent else None",
    },
    {
        "name": "the scheme's name must be written with a capital",
        "kind": "headers",
        "step": "TestNoCookies",
        "base": "by_hand",
        "old": 'if scheme.lower() != "digest":',
        "new": 'if scheme != "Digest":',
    },
    {
        "name": "rspauth is always for the same address",
        "kind": "headers",
        "step": "TestProof",
        "base": "app",
        "old": 'H(algorithm, "", sent.uri)',
        "new": 'H(algorithm, "", "/")',
    },
    {
        "name": "Authentication-Info without nc and cnonce",
        "kind": "headers",
        "step": "TestProof",
        "base": "app",
        "old": """f'rspauth="{proof}", qop=auth, cnonce="{sent.cnonce}", nc={sent.nc}'""",
        "new": """f'rspauth="{proof}", qop=auth'""",
    },
    {
        "name": "sends cnonce back whatever is in it",
        "kind": "headers",
        "step": "TestProof",
        "base": "app",
        "old": '            or not re.fullmatch(r"[ !#-\\[\\]-~]+", sent.cnonce or "")\n',
        "new": "            or not sent.cnonce\n",
    },
    {
        "name": "a line break in cnonce is a 500",
        "kind": "headers",
        "step": "TestProof",
        "base": "table",
        "old": 'if not fullmatch("[A-Za-z0-9+/=._~-]+", sent.cnonce):',
        "new": 'if \'"\' in sent.cnonce or "\\\\" in sent.cnonce:',
    },
    {
        "name": "the nonce's time is not signed",
        "kind": "time",
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
    {
        "name": "asks for credentials with GET only",
        "kind": "identity",
        "step": "TestItWorks",
        "base": "by_hand",
        "old": ('    scheme, _, rest = request.headers.get("Authorization", "").partition(" ")\n'),
        "new": (
            '    if request.method != "GET":\n'
            '        g.user = "guest"\n'
            "        return None\n"
            '    scheme, _, rest = request.headers.get("Authorization", '
            '"").partition(" ")\n'
        ),
    },
    {
        "name": "only one of the two pages is protected",
        "kind": "identity",
        "step": "TestItWorks",
        "base": "factory",
        "old": ('@pages.get("/")\n@pages.get("/account")\n@auth.login_required\n'),
        "new": (
            '@pages.get("/account")\n'
            "def account():\n"
            '    return "Hello, user1!\\n"\n'
            "\n"
            "\n"
            '@pages.get("/")\n'
            "@auth.login_required\n"
        ),
    },
    {
        "name": "an address with a slash at its end is open",
        "kind": "identity",
        "step": "TestItWorks",
        "base": "by_hand",
        "changes": [
            (
                ('    scheme, _, rest = request.headers.get("Authorization", "").partition(" ")\n'),
                (
                    '    if request.path not in ("/", "/account"):\n'
                    '        g.user = "user1"\n'
                    "        return None\n"
                    '    scheme, _, rest = request.headers.get("Authorization", '
                    '"").partition(" ")\n'
                ),
            ),
            (
                '@app.route("/account")\n',
                ('@app.route("/account")\n@app.route("/account/")\n'),
            ),
        ],
    },
    {
        "name": "debug=True",
        "kind": "configuration",
        "step": "TestItWorks",
        "base": "app",
        "old": "debug=False",
        "new": "debug=True",
    },
    {
        "name": "listens on all interfaces",
        "kind": "configuration",
        "step": "TestItWorks",
        "base": "classes",
        "old": "app.run(port=5003)",
        "new": 'app.run(host="0.0.0.0", port=5003)',
    },
    {
        "name": "listens on another port",
        "kind": "configuration",
        "step": "TestItWorks",
        "base": "table",
        "old": "app.run(port=5003)",
        "new": "app.run(port=5000)",
    },
    {
        "name": "says that there is no such user",
        "kind": "disclosure",
        "step": "TestItWorks",
        "base": "app",
        "old": "        middle = [sent.nonce, sent.nc",
        "new": (
            "        if not user:\n"
            '            g.why = "There is no such user."\n'
            "        middle = [sent.nonce, sent.nc"
        ),
    },
    {
        "name": "believes a header that names the user",
        "kind": "identity",
        "step": "TestItWorks",
        "base": "by_hand",
        "old": ('    scheme, _, rest = request.headers.get("Authorization", "").partition(" ")\n'),
        "new": (
            '    if "X-Remote-User" in request.headers:\n'
            '        g.user = request.headers["X-Remote-User"]\n'
            "        return None\n"
            '    scheme, _, rest = request.headers.get("Authorization", '
            '"").partition(" ")\n'
        ),
    },
    {
        "name": "takes a name and a password from the query",
        "kind": "identity",
        "step": "TestItWorks",
        "base": "by_hand",
        "old": ('    scheme, _, rest = request.headers.get("Authorization", "").partition(" ")\n'),
        "new": (
            '    name, password = request.args.get("username"), '
            'request.args.get("password", "")\n'
            '    if name and HA1.get((name, "MD5")) == digest("MD5", name, '
            "REALM, password):\n"
            "        g.user = name\n"
            "        return None\n"
            '    scheme, _, rest = request.headers.get("Authorization", '
            '"").partition(" ")\n'
        ),
    },
    {
        "name": "takes Basic as well",
        "kind": "identity",
        "step": "TestItWorks",
        "base": "by_hand",
        "old": ('    scheme, _, rest = request.headers.get("Authorization", "").partition(" ")\n'),
        "new": (
            "    if request.authorization and request.authorization.type == "
            '"basic":\n'
            "        name, password = request.authorization.username, "
            "request.authorization.password\n"
            '        if HA1.get((name, "MD5")) == digest("MD5", name, REALM, '
            "password):\n"
            "            g.user = name\n"
            "            return None\n"
            '    scheme, _, rest = request.headers.get("Authorization", '
            '"").partition(" ")\n'
        ),
    },
    {
        "name": "remembers from which address somebody was let in",
        "kind": "identity",
        "step": "TestItWorks",
        "base": "by_hand",
        "changes": [
            (
                ('    scheme, _, rest = request.headers.get("Authorization", "").partition(" ")\n'),
                (
                    "    if request.remote_addr in KNOWN:\n"
                    "        g.user = KNOWN[request.remote_addr]\n"
                    "        return None\n"
                    '    scheme, _, rest = request.headers.get("Authorization", '
                    '"").partition(" ")\n'
                ),
            ),
            (
                '    g.user = sent["username"]\n',
                '    g.user = KNOWN[request.remote_addr] = sent["username"]\n',
            ),
            (
                "PLAIN = ",
                ("KNOWN = {}\nPLAIN = "),
            ),
        ],
    },
    {
        "name": "a session cookie lets in from then on",
        "kind": "identity",
        "step": "TestNoCookies",
        "base": "by_hand",
        "changes": [
            (
                ('    scheme, _, rest = request.headers.get("Authorization", "").partition(" ")\n'),
                (
                    '    if "user" in session:\n'
                    '        g.user = session["user"]\n'
                    "        return None\n"
                    '    scheme, _, rest = request.headers.get("Authorization", '
                    '"").partition(" ")\n'
                ),
            ),
            (
                '    g.user = sent["username"]\n',
                '    g.user = session["user"] = sent["username"]\n',
            ),
            (
                "make_response, request",
                "make_response, request, session",
            ),
        ],
    },
    {
        "name": "compares the first eight letters of the response",
        "kind": "identity",
        "step": "TestAlgorithms",
        "base": "app",
        "old": "hmac.compare_digest(right.encode(), sent.response.encode())",
        "new": "hmac.compare_digest(right.encode()[:8], sent.response.encode()[:8])",
    },
    {
        "name": "a beginning of the response is enough",
        "kind": "identity",
        "step": "TestAlgorithms",
        "base": "factory",
        "old": "if not compare_digest(expected.encode(), auth.response.encode()):",
        "new": "if not expected.startswith(auth.response):",
    },
    {
        "name": "what begins with the response is one",
        "kind": "identity",
        "step": "TestAlgorithms",
        "base": "table",
        "old": (
            "if not compare_digest(expected(request.method).encode(), sent.response.encode()):"
        ),
        "new": "if not sent.response.startswith(expected(request.method)):",
    },
    {
        "name": "tells the algorithm by the length of the response",
        "kind": "headers",
        "step": "TestAlgorithms",
        "base": "by_hand",
        "old": ('algorithm = sent.get("algorithm", "MD5")  # a client of the older RFC names none'),
        "new": 'algorithm = "MD5" if len(sent["response"]) == 32 else "SHA-256"',
    },
    {
        "name": "offers auth-int with MD5",
        "kind": "headers",
        "step": "TestAlgorithms",
        "base": "by_hand",
        "old": 'algorithm={algorithm}, qop="auth"\'',
        "new": (
            "algorithm={algorithm}, qop=\"auth'\n"
            '        value += "" if algorithm == "SHA-256" else ",auth-int"\n'
            "        value += '\"'"
        ),
    },
    {
        "name": "the challenge for MD5 has another realm",
        "kind": "headers",
        "step": "TestAlgorithms",
        "base": "by_hand",
        "changes": [
            (
                '        value = f\'Digest realm="{REALM}",',
                (
                    '        realm = REALM if algorithm == "SHA-256" else f"{REALM} '
                    '(MD5)"\n'
                    '        value = f\'Digest realm="{realm}",'
                ),
            ),
            (
                '    chosen = {"realm": REALM,',
                ('    chosen = {"realm": REALM if algorithm == "SHA-256" else f"{REALM} (MD5)",'),
            ),
            (
                "digest(algorithm, name, REALM, password)",
                (
                    'digest(algorithm, name, REALM + (" (MD5)" if algorithm == "MD5" '
                    'else ""), password)'
                ),
            ),
        ],
    },
    {
        "name": "keeps the password beside HA1",
        "kind": "storage",
        "step": "TestAlgorithms",
        "base": "factory",
        "changes": [
            (
                (
                    '        db().execute("CREATE TABLE IF NOT EXISTS users (name, '
                    'algorithm, ha1)")\n'
                ),
                (
                    '        db().execute("CREATE TABLE IF NOT EXISTS users (name, '
                    'algorithm, ha1, password)")\n'
                ),
            ),
            (
                (
                    "            rows = [(name, a, H(a, name, REALM, password)) for "
                    "a in ALGORITHMS]\n"
                    '            db().executemany("INSERT OR IGNORE INTO users '
                    'VALUES (?, ?, ?)", rows)\n'
                ),
                (
                    "            rows = [(name, a, H(a, name, REALM, password), "
                    "password) for a in ALGORITHMS]\n"
                    '            db().executemany("INSERT OR IGNORE INTO users '
                    'VALUES (?, ?, ?, ?)", rows)\n'
                ),
            ),
        ],
    },
    {
        "name": "keeps the password in Base64, to compute HA1 with it",
        "kind": "storage",
        "step": "TestAlgorithms",
        "base": "asynchronous",
        "changes": [
            (
                "import asyncio\n",
                ("import asyncio\nimport base64\n"),
            ),
            (
                "(name PRIMARY KEY, ha1_sha256, ha1_md5)",
                "(name PRIMARY KEY, password)",
            ),
            (
                (
                    '    column = {"SHA-256": "ha1_sha256", "MD5": "ha1_md5"}[algorithm]\n'
                    '    _, rows = await query(f"SELECT {column} FROM users WHERE '
                    'name = ?", name)\n'
                    "    return rows[0][0] if rows else None\n"
                ),
                (
                    '    _, rows = await query("SELECT password FROM users WHERE '
                    'name = ?", name)\n'
                    "    password = rows and base64.b64decode(rows[0][0]).decode()\n"
                    "    return compute(algorithm, name, REALM, password) if rows "
                    "else None\n"
                ),
            ),
            (
                (
                    "    ha1s = [compute(algorithm, name, REALM, password) for "
                    "algorithm in HASHES]\n"
                    '    execute("INSERT OR IGNORE INTO users VALUES (?, ?, ?)", '
                    "name, *ha1s)\n"
                ),
                (
                    "    kept = base64.b64encode(password.encode()).decode()\n"
                    '    execute("INSERT OR IGNORE INTO users VALUES (?, ?)", name, kept)\n'
                ),
            ),
        ],
    },
    {
        "name": "keeps a plain hash of the password beside HA1",
        "kind": "storage",
        "step": "TestAlgorithms",
        "base": "factory",
        "changes": [
            (
                (
                    '        db().execute("CREATE TABLE IF NOT EXISTS users (name, '
                    'algorithm, ha1)")\n'
                ),
                (
                    '        db().execute("CREATE TABLE IF NOT EXISTS users (name, '
                    'algorithm, ha1, password)")\n'
                ),
            ),
            (
                (
                    "            rows = [(name, a, H(a, name, REALM, password)) for "
                    "a in ALGORITHMS]\n"
                    '            db().executemany("INSERT OR IGNORE INTO users '
                    'VALUES (?, ?, ?)", rows)\n'
                ),
                (
                    "            plain = hashlib.sha256(password.encode()).hexdigest()\n"
                    "            rows = [(name, a, H(a, name, REALM, password), "
                    "plain) for a in ALGORITHMS]\n"
                    '            db().executemany("INSERT OR IGNORE INTO users '
                    'VALUES (?, ?, ?, ?)", rows)\n'
                ),
            ),
        ],
    },
    {
        "name": "prints the passwords of the demo users",
        "kind": "disclosure",
        "step": "TestAlgorithms",
        "base": "classes",
        "old": ("        for H in HASHES:\n            row = ["),
        "new": (
            '        print(f"added {name} with the password {password}")\n'
            "        for H in HASHES:\n"
            "            row = ["
        ),
    },
    {
        "name": "writes HA1 to the log",
        "kind": "disclosure",
        "step": "TestAlgorithms",
        "base": "app",
        "old": "        middle = [sent.nonce, sent.nc",
        "new": (
            '        app.logger.warning("HA1 of %s: %s", sent.username, ha1)\n'
            "        middle = [sent.nonce, sent.nc"
        ),
    },
    {
        "name": "writes the header to the log when it is refused",
        "kind": "disclosure",
        "step": "TestAlgorithms",
        "base": "by_hand",
        "old": "    if not hmac.compare_digest(response(request.method)",
        "new": (
            '    app.logger.warning("Authorization: %s", rest)\n'
            "    if not hmac.compare_digest(response(request.method)"
        ),
    },
    {
        "name": "prints the key at the start",
        "kind": "disclosure",
        "step": "TestAlgorithms",
        "base": "by_hand",
        "old": "OPAQUE = hmac",
        "new": ('print("signing nonces with", KEY)\nOPAQUE = hmac'),
    },
    {
        "name": "looks for the count, then writes it down",
        "kind": "concurrency",
        "step": "TestReplay",
        "base": "app",
        "old": (
            "        if not store.first_use(made.timestamp(), random, "
            "int(sent.nc, 16), lifetime + 3600):\n"
        ),
        "new": (
            "        count = [random, int(sent.nc, 16)]\n"
            '        seen = "SELECT 1 FROM counts WHERE nonce = ? AND nc = ?"\n'
            "        if store.db().execute(seen, count).fetchone():\n"
            "            return None\n"
            '        new = "INSERT OR IGNORE INTO counts VALUES (?, ?, ?)"\n'
            "        store.db().execute(new, [made.timestamp(), *count])\n"
            "        if not made:\n"
        ),
    },
    {
        "name": "keeps the counts in a file, behind a lock of one process",
        "kind": "concurrency",
        "step": "TestReplay",
        "base": "app",
        "changes": [
            (
                "import contextlib\n",
                ("import contextlib\nimport json\nimport os\nimport threading\n"),
            ),
            (
                (
                    "        if not store.first_use(made.timestamp(), random, "
                    "int(sent.nc, 16), lifetime + 3600):\n"
                ),
                "        if not first_use(sent.nonce, sent.nc):\n",
            ),
            (
                "def is_here(uri):\n",
                (
                    "LOCK = threading.Lock()\n"
                    "\n"
                    "\n"
                    "def first_use(nonce, nc):\n"
                    '    path = app.config["DATABASE"] + ".json"\n'
                    "    with LOCK:\n"
                    "        used = []\n"
                    "        with contextlib.suppress(FileNotFoundError), open(path) "
                    "as file:\n"
                    "            used = json.load(file)\n"
                    "        if [nonce, nc] in used:\n"
                    "            return False\n"
                    '        draft = f"{path}.{os.getpid()}"\n'
                    '        with open(draft, "w") as file:\n'
                    "            json.dump([*used, [nonce, nc]], file)\n"
                    "        os.replace(draft, path)\n"
                    "        return True\n"
                    "\n"
                    "\n"
                    "def is_here(uri):\n"
                ),
            ),
        ],
    },
    {
        "name": "reads the used counts once, at the start",
        "kind": "concurrency",
        "step": "TestReplay",
        "base": "by_hand",
        "changes": [
            (
                "def count_is_new(nonce, nc):\n",
                (
                    "def count_is_new(nonce, nc):\n"
                    "    with LOCK:\n"
                    "        if (nonce, nc) in SEEN:\n"
                    "            return False\n"
                    "        SEEN.add((nonce, nc))\n"
                ),
            ),
            (
                (
                    "        try:\n"
                    '            db.execute("INSERT INTO counts VALUES (?, ?, ?)", '
                    "(nonce, nc, time.time()))\n"
                    "        except sqlite3.IntegrityError:\n"
                    "            return False\n"
                ),
                (
                    '        db.execute("INSERT OR IGNORE INTO counts VALUES (?, ?, '
                    '?)", (nonce, nc, time.time()))\n'
                ),
            ),
            (
                '    first.execute("CREATE INDEX IF NOT EXISTS at ON counts (at)")\n',
                (
                    '    first.execute("CREATE INDEX IF NOT EXISTS at ON counts (at)")\n'
                    '    SEEN = set(first.execute("SELECT nonce, nc FROM counts"))\n'
                ),
            ),
            (
                "PLAIN = ",
                ("LOCK = threading.Lock()\nPLAIN = "),
            ),
            (
                "import sys\n",
                ("import sys\nimport threading\n"),
            ),
        ],
    },
    {
        "name": "saves the used counts at its end",
        "kind": "concurrency",
        "step": "TestReplay",
        "base": "by_hand",
        "changes": [
            (
                "def count_is_new(nonce, nc):\n",
                (
                    "def count_is_new(nonce, nc):\n"
                    "    with LOCK:\n"
                    "        if (nonce, nc) in SEEN:\n"
                    "            return False\n"
                    "        SEEN.add((nonce, nc))\n"
                ),
            ),
            (
                (
                    '    with closing(sqlite3.connect(app.config["DATABASE"])) as db, db:\n'
                    '        old = "SELECT rowid FROM counts WHERE at < ? LIMIT 20"  '
                    "# so that nobody waits for long\n"
                    '        limit = time.time() - app.config["NONCE_LIFETIME"] - 10\n'
                    '        db.execute(f"DELETE FROM counts WHERE rowid IN '
                    '({old})", (limit,))\n'
                    "        try:\n"
                    '            db.execute("INSERT INTO counts VALUES (?, ?, ?)", '
                    "(nonce, nc, time.time()))\n"
                    "        except sqlite3.IntegrityError:\n"
                    "            return False\n"
                ),
                "",
            ),
            (
                '    first.execute("CREATE INDEX IF NOT EXISTS at ON counts (at)")\n',
                (
                    '    first.execute("CREATE INDEX IF NOT EXISTS at ON counts (at)")\n'
                    '    SEEN = set(first.execute("SELECT nonce, nc FROM counts"))\n'
                    "\n"
                    "\n"
                    "@atexit.register\n"
                    "def save():\n"
                    '    with closing(sqlite3.connect(app.config["DATABASE"])) as db, db:\n'
                    "        rows = [(nonce, nc, time.time()) for nonce, nc in SEEN]\n"
                    '        db.executemany("INSERT OR IGNORE INTO counts VALUES (?, '
                    '?, ?)", rows)\n'
                    "\n"
                    "\n"
                    "signal.signal(signal.SIGTERM, lambda *_: sys.exit())\n"
                ),
            ),
            (
                "PLAIN = ",
                ("LOCK = threading.Lock()\nPLAIN = "),
            ),
            (
                "import sys\n",
                ("import sys\nimport threading\n"),
            ),
            (
                "import hashlib\n",
                ("import atexit\nimport hashlib\n"),
            ),
            (
                "import sqlite3\n",
                ("import signal\nimport sqlite3\n"),
            ),
        ],
    },
    {
        "name": "nonces are known to the process that made them",
        "kind": "concurrency",
        "step": "TestReplay",
        "base": "table",
        "changes": [
            (
                (
                    '        born = db().execute("SELECT born FROM nonces WHERE '
                    'nonce = ?", [sent.nonce]).fetchone()\n'
                ),
                "        born = sent.nonce in MADE and [MADE[sent.nonce]]\n",
            ),
            (
                "        if born is None:\n",
                "        if not born:\n",
            ),
            (
                ('    db().execute("INSERT INTO nonces VALUES (?, ?)", [nonce, time()])\n'),
                "    MADE[nonce] = time()\n",
            ),
            (
                "REALM, OPAQUE =",
                ("MADE = {}\nREALM, OPAQUE ="),
            ),
        ],
    },
    {
        "name": "opaque is another one in each process",
        "kind": "concurrency",
        "step": "TestReplay",
        "base": "app",
        "old": 'OPAQUE = nonces.get_signature("opaque").decode()',
        "new": "OPAQUE = secrets.token_hex(16)",
    },
    {
        "name": "does not wait for another worker that writes",
        "kind": "concurrency",
        "step": "TestReplay",
        "base": "by_hand",
        "old": '    with closing(sqlite3.connect(app.config["DATABASE"])) as db, db:',
        "new": ('    with closing(sqlite3.connect(app.config["DATABASE"], timeout=0)) as db, db:'),
    },
    {
        "name": "remembers the last twenty counts only",
        "kind": "storage",
        "step": "TestReplay",
        "base": "by_hand",
        "old": (
            '        old = "SELECT rowid FROM counts WHERE at < ? LIMIT 20"  '
            "# so that nobody waits for long\n"
            '        limit = time.time() - app.config["NONCE_LIFETIME"] - 10\n'
            '        db.execute(f"DELETE FROM counts WHERE rowid IN '
            '({old})", (limit,))\n'
        ),
        "new": (
            '        last = "SELECT rowid FROM counts ORDER BY at DESC LIMIT 20"\n'
            '        db.execute(f"DELETE FROM counts WHERE rowid NOT IN '
            '({last})")\n'
        ),
    },
    {
        "name": "sweeps the counts at the next use",
        "kind": "time",
        "step": "TestReplay",
        "base": "by_hand",
        "old": 'limit = time.time() - app.config["NONCE_LIFETIME"] - 10',
        "new": "limit = time.time()",
    },
    {
        "name": "remembers a count together with its cnonce",
        "kind": "storage",
        "step": "TestReplay",
        "base": "by_hand",
        "old": 'count_is_new(sent["nonce"], sent["nc"])',
        "new": 'count_is_new(sent["nonce"], sent["nc"] + sent["cnonce"])',
    },
    {
        "name": "remembers a count together with its address",
        "kind": "storage",
        "step": "TestReplay",
        "base": "factory",
        "old": "self.is_first_use(auth.nonce, auth.nc)",
        "new": "self.is_first_use(auth.nonce + auth.uri, auth.nc)",
    },
    {
        "name": "a slash at the end of uri makes no difference",
        "kind": "headers",
        "step": "TestAddress",
        "base": "factory",
        "old": "return (unquote(path), query) == asked",
        "new": ('return (unquote(path).rstrip("/"), query) == (asked[0].rstrip("/"), asked[1])'),
    },
    {
        "name": "capitals in uri make no difference",
        "kind": "headers",
        "step": "TestAddress",
        "base": "factory",
        "old": "return (unquote(path), query) == asked",
        "new": "return (unquote(path).lower(), query) == (asked[0].lower(), asked[1])",
    },
    {
        "name": "compares the query parameter by parameter",
        "kind": "headers",
        "step": "TestAddress",
        "base": "factory",
        "changes": [
            (
                "return (unquote(path), query) == asked",
                (
                    "return (unquote(path), dict(parse_qsl(query))) == (asked[0], "
                    "request.args.to_dict())"
                ),
            ),
            (
                "from urllib.parse import unquote",
                "from urllib.parse import parse_qsl, unquote",
            ),
        ],
    },
    {
        "name": "the query of uri need only begin like the query",
        "kind": "headers",
        "step": "TestAddress",
        "base": "by_hand",
        "old": "        return uri == line\n",
        "new": (
            '        return line.startswith(uri) and uri.partition("?")[0] '
            '== line.partition("?")[0]\n'
        ),
    },
    {
        "name": "tidies uri before it compares",
        "kind": "headers",
        "step": "TestAddress",
        "base": "factory",
        "changes": [
            (
                "return (unquote(path), query) == asked",
                "return (normpath(unquote(path)), query) == asked",
            ),
            (
                "from hmac import compare_digest\n",
                ("from hmac import compare_digest\nfrom posixpath import normpath\n"),
            ),
        ],
    },
    {
        "name": "believes a prefix from anybody",
        "kind": "configuration",
        "step": "TestAddress",
        "base": "factory",
        "old": 'app.config.get("PROXIES", 0)',
        "new": 'app.config.get("PROXIES", 1)',
    },
    {
        "name": "a parameter names the user",
        "kind": "identity",
        "step": "TestAddress",
        "base": "factory",
        "old": 'return f"Hello, {auth.current_user()}!\\n"',
        "new": "return f\"Hello, {request.args.get('user', auth.current_user())}!\\n\"",
    },
    {
        "name": "writes HA1 to the log when the address differs",
        "kind": "disclosure",
        "step": "TestAddress",
        "base": "app",
        "old": '            app.logger.warning("%s A',
        "new": (
            '            app.logger.warning("%s should have been %s", '
            "sent.response, right)\n"
            '            app.logger.warning("with the HA1 %s", ha1)\n'
            '            app.logger.warning("%s A'
        ),
    },
    {
        "name": "qop is hashed, and not compared",
        "kind": "headers",
        "step": "TestParameters",
        "base": "app",
        "changes": [
            (
                '(sent.realm, sent.qop, sent.opaque) != (REALM, "auth", OPAQUE)',
                "(sent.realm, sent.opaque) != (REALM, OPAQUE)",
            ),
            (
                'middle = [sent.nonce, sent.nc, sent.cnonce, "auth"]',
                'middle = [sent.nonce, sent.nc, sent.cnonce, sent.qop or ""]',
            ),
        ],
    },
    {
        "name": "cnonce may be missing",
        "kind": "headers",
        "step": "TestParameters",
        "base": "app",
        "changes": [
            (
                're.fullmatch(r"[ !#-\\[\\]-~]+", sent.cnonce or "")',
                're.fullmatch(r"[ !#-\\[\\]-~]*", sent.cnonce or "")',
            ),
            (
                'middle = [sent.nonce, sent.nc, sent.cnonce, "auth"]',
                'middle = [sent.nonce, sent.nc, sent.cnonce or "", "auth"]',
            ),
        ],
    },
    {
        "name": "cnonce must be in hex",
        "kind": "headers",
        "step": "TestParameters",
        "base": "classes",
        "old": 're.fullmatch(r"[\\w.~+/=:-]+", sent.cnonce or "", re.ASCII)',
        "new": 're.fullmatch("[0-9a-f]+", sent.cnonce or "")',
    },
    {
        "name": "nc may have any length",
        "kind": "headers",
        "step": "TestParameters",
        "base": "table",
        "old": 'fullmatch("[0-9a-f]{8}", sent.nc)',
        "new": 'fullmatch("[0-9a-f]+", sent.nc)',
    },
    {
        "name": "nc is whatever int() reads",
        "kind": "headers",
        "step": "TestParameters",
        "base": "factory",
        "changes": [
            (
                '            and re.fullmatch(r"[0-9a-fA-F]{8}", auth.nc) is not None\n',
                "",
            ),
            (
                (
                    "        if ha1 is None or not self.has_good_form(auth):\n"
                    "            return False\n"
                ),
                (
                    "        if ha1 is None or not self.has_good_form(auth):\n"
                    "            return False\n"
                    "        try:\n"
                    "            int(auth.nc, 16)\n"
                    "        except ValueError:\n"
                    "            return False\n"
                ),
            ),
        ],
    },
    {
        "name": "looks users up with LIKE",
        "kind": "identity",
        "step": "TestParameters",
        "base": "factory",
        "old": "WHERE name = ? AND",
        "new": "WHERE name LIKE ? AND",
    },
    {
        "name": "puts the name into the SQL",
        "kind": "identity",
        "step": "TestParameters",
        "base": "factory",
        "changes": [
            (
                (
                    '        query = "SELECT ha1 FROM users WHERE name = ? AND '
                    'algorithm = ?"\n'
                    "        row = db().execute(query, (auth.username, "
                    'auth.algorithm or "MD5")).fetchone()\n'
                ),
                (
                    '        algorithm = "SHA-256" if auth.algorithm == "SHA-256" '
                    'else "MD5"\n'
                    '        query = f"SELECT ha1 FROM users WHERE algorithm = '
                    "'{algorithm}' AND name = \"\n"
                    "        try:\n"
                    "            row = db().execute(f\"{query}'{auth.username}'\")."
                    "fetchone()\n"
                    "        except sqlite3.Error:\n"
                    "            return None\n"
                ),
            ),
            (
                ('        algorithm = auth.algorithm or "MD5"\n        middle'),
                (
                    '        algorithm = auth.algorithm or "MD5"\n'
                    "        if algorithm not in ALGORITHMS:\n"
                    "            return False\n"
                    "        middle"
                ),
            ),
        ],
    },
    {
        "name": "a quotation mark in the name is a 500",
        "kind": "headers",
        "step": "TestParameters",
        "base": "factory",
        "old": (
            '        query = "SELECT ha1 FROM users WHERE name = ? AND '
            'algorithm = ?"\n'
            "        row = db().execute(query, (auth.username, "
            'auth.algorithm or "MD5")).fetchone()\n'
        ),
        "new": (
            '        query = f"SELECT ha1 FROM users WHERE name = '
            "'{auth.username}' AND algorithm = ?\"\n"
            "        row = db().execute(query, (auth.algorithm or "
            '"MD5",)).fetchone()\n'
        ),
    },
    {
        "name": "capitals in the name make no difference",
        "kind": "identity",
        "step": "TestParameters",
        "base": "by_hand",
        "old": 'HA1.get((sent["username"], algorithm))',
        "new": 'HA1.get((sent["username"].lower(), algorithm))',
    },
    {
        "name": "blanks around the name make no difference",
        "kind": "identity",
        "step": "TestParameters",
        "base": "by_hand",
        "old": 'HA1.get((sent["username"], algorithm))',
        "new": 'HA1.get((sent["username"].strip(), algorithm))',
    },
    {
        "name": "whoever is unknown has an empty HA1",
        "kind": "identity",
        "step": "TestParameters",
        "base": "by_hand",
        "changes": [
            (
                'HA1.get((sent["username"], algorithm))',
                'HA1.get((sent["username"], algorithm), "")',
            ),
            (
                "        ha1 is None\n",
                "        algorithm not in HASHLIB_NAMES\n",
            ),
        ],
    },
    {
        "name": "a scheme that Werkzeug can't read is a 500",
        "kind": "headers",
        "step": "TestParameters",
        "base": "app",
        "old": "        with contextlib.suppress(ValueError):  # from",
        "new": "        with contextlib.suppress(KeyError):  # from",
    },
    {
        "name": "the key stands in the source",
        "kind": "configuration",
        "step": "TestNonces",
        "base": "app",
        "old": "TimestampSigner(app.secret_key, salt",
        "new": 'TimestampSigner("a key of thirty-two bytes or more", salt',
    },
    {
        "name": "without a key each process makes one of its own",
        "kind": "configuration",
        "step": "TestNonces",
        "base": "factory",
        "old": (
            '    if len(str(app.config["SECRET_KEY"] or "")) < 32:\n'
            '        raise SystemExit("FLASK_SECRET_KEY must have 32 bytes '
            'or more.")\n'
        ),
        "new": (
            '    app.config["SECRET_KEY"] = app.config["SECRET_KEY"] or '
            "secrets.token_hex(32)\n"
            '    if len(str(app.config["SECRET_KEY"] or "")) < 32:\n'
            '        raise SystemExit("FLASK_SECRET_KEY must have 32 bytes '
            'or more.")\n'
        ),
    },
    {
        "name": "without a key one from the source does",
        "kind": "configuration",
        "step": "TestNonces",
        "base": "factory",
        "old": (
            '    if len(str(app.config["SECRET_KEY"] or "")) < 32:\n'
            '        raise SystemExit("FLASK_SECRET_KEY must have 32 bytes '
            'or more.")\n'
        ),
        "new": (
            '    app.config["SECRET_KEY"] = app.config["SECRET_KEY"] or '
            '"change this before you go live, please"\n'
            '    if len(str(app.config["SECRET_KEY"] or "")) < 32:\n'
            '        raise SystemExit("FLASK_SECRET_KEY must have 32 bytes '
            'or more.")\n'
        ),
    },
    {
        "name": "takes a short key",
        "kind": "configuration",
        "step": "TestNonces",
        "base": "by_hand",
        "old": "if len(KEY) < 32:",
        "new": "if len(KEY) < 8:",
    },
    {
        "name": "nonces carry a hash that anybody can compute",
        "kind": "identity",
        "step": "TestNonces",
        "base": "by_hand",
        "old": 'return hmac.new(KEY, b"nonce " + text.encode(), "sha256").hexdigest()',
        "new": 'return hashlib.sha256(b"nonce " + text.encode()).hexdigest()',
    },
    {
        "name": "the opaque is the key",
        "kind": "disclosure",
        "step": "TestNonces",
        "base": "by_hand",
        "old": 'OPAQUE = hmac.new(KEY, b"opaque", "sha256").hexdigest()[:32]',
        "new": "OPAQUE = KEY.decode()",
    },
    {
        "name": "the nonce has the key in it, in Base64",
        "kind": "disclosure",
        "step": "TestNonces",
        "base": "by_hand",
        "changes": [
            (
                '{os.urandom(8).hex()}"',
                "{base64.b64encode(os.urandom(9) + KEY).decode().rstrip('=')}\"",
            ),
            (
                "import hashlib\n",
                ("import base64\nimport hashlib\n"),
            ),
        ],
    },
    {
        "name": "takes the time once, at the start",
        "kind": "time",
        "step": "TestNonces",
        "base": "by_hand",
        "changes": [
            (
                "return time.time() - int(",
                "return STARTED - int(",
            ),
            (
                "def sign(",
                ("STARTED = time.time()\n\n\ndef sign("),
            ),
        ],
    },
    {
        "name": "signs local time and compares it with UTC",
        "kind": "time",
        "step": "TestNonces",
        "base": "by_hand",
        "changes": [
            (
                "{int(time.time() * 1000)}",
                "{calendar.timegm(time.localtime()) * 1000}",
            ),
            (
                "import hashlib\n",
                ("import calendar\nimport hashlib\n"),
            ),
        ],
    },
    {
        "name": "signs UTC and compares it with local time",
        "kind": "time",
        "step": "TestNonces",
        "base": "by_hand",
        "changes": [
            (
                "return time.time() - int(",
                "return calendar.timegm(time.localtime()) - int(",
            ),
            (
                "import hashlib\n",
                ("import calendar\nimport hashlib\n"),
            ),
        ],
    },
    {
        "name": "each use renews the nonce",
        "kind": "time",
        "step": "TestNonces",
        "base": "by_hand",
        "old": ('    age = age_of(sent["nonce"])\n    if age'),
        "new": (
            '    age = age_of(sent["nonce"])\n'
            '    with closing(sqlite3.connect(app.config["DATABASE"])) as db:\n'
            '        last = "SELECT max(at) FROM counts WHERE nonce = ?"\n'
            '        used = db.execute(last, (sent["nonce"],)).fetchone()[0]\n'
            "    if age and used:\n"
            "        age = min(age, time.time() - used)\n"
            "    if age"
        ),
    },
    {
        "name": "forgets the counts after half of the lifetime",
        "kind": "time",
        "step": "TestNonces",
        "base": "by_hand",
        "old": 'app.config["NONCE_LIFETIME"] - 10',
        "new": 'app.config["NONCE_LIFETIME"] / 2',
    },
    {
        "name": "after one stale nonce all are called stale",
        "kind": "headers",
        "step": "TestNonces",
        "base": "by_hand",
        "changes": [
            (
                "        return challenge(stale=True)\n",
                ('        STALE.append(sent["nonce"])\n        return challenge()\n'),
            ),
            (
                '(", stale=true" if stale else "")',
                '(", stale=true" if STALE else "")',
            ),
            (
                "PLAIN = ",
                ("STALE = []\nPLAIN = "),
            ),
        ],
    },
    {
        "name": "the lifetime is in minutes",
        "kind": "time",
        "step": "TestNonces",
        "base": "classes",
        "old": "max_age=lifetime)",
        "new": "max_age=lifetime * 60)",
    },
    {
        "name": "rspauth comes with a refusal as well",
        "kind": "disclosure",
        "step": "TestProof",
        "base": "by_hand",
        "old": "    if not hmac.compare_digest(response(request.method)",
        "new": (
            '    g.info = f\'rspauth="{response("")}", qop=auth, '
            'nc={sent["nc"]}, cnonce="{sent["cnonce"]}"\'\n'
            "    if not hmac.compare_digest(response(request.method)"
        ),
    },
    {
        "name": "rspauth is always for the first count",
        "kind": "headers",
        "step": "TestProof",
        "base": "by_hand",
        "old": ('        ha2 = digest(algorithm, method, sent["uri"])\n        return'),
        "new": (
            '        ha2 = digest(algorithm, method, sent["uri"])\n'
            "        if not method:\n"
            '            first = [sent["nonce"], "00000001", sent["cnonce"], '
            '"auth"]\n'
            "            return digest(algorithm, ha1, *first, ha2)\n"
            "        return"
        ),
    },
    {
        "name": "names a nextnonce that it doesn't take",
        "kind": "headers",
        "step": "TestProof",
        "base": "factory",
        "old": 'cnonce="{auth.cnonce}"\'',
        "new": (
            'cnonce="{auth.cnonce}"\'\n        g.info += f\', nextnonce="{secrets.token_hex(16)}"\''
        ),
    },
    {
        "name": "cnonce goes back without its backslashes",
        "kind": "headers",
        "step": "TestProof",
        "base": "app",
        "old": ('            or not re.fullmatch(r"[ !#-\\[\\]-~]+", sent.cnonce or "")\n'),
        "new": '            or not re.fullmatch("[ -~]+", sent.cnonce or "")\n',
    },
    {
        "name": "a count is good once for each user",
        "kind": "identity",
        "step": "TestReplay",
        "base": "app",
        "old": "first_use(made.timestamp(), random, int(sent.nc, 16)",
        "new": 'first_use(made.timestamp(), random + user["name"].encode(), int(sent.nc, 16)',
    },
    {
        "name": "a count is good once for each algorithm",
        "kind": "identity",
        "step": "TestReplay",
        "base": "app",
        "old": "first_use(made.timestamp(), random, int(sent.nc, 16)",
        "new": "first_use(made.timestamp(), random + algorithm.encode(), int(sent.nc, 16)",
    },
    {
        "name": "a count is good once for each method",
        "kind": "identity",
        "step": "TestReplay",
        "base": "app",
        "old": "first_use(made.timestamp(), random, int(sent.nc, 16)",
        "new": "first_use(made.timestamp(), random + request.method.encode(), int(sent.nc, 16)",
    },
    {
        "name": "remembers the last hundred counts",
        "kind": "storage",
        "step": "TestReplay",
        "base": "app",
        "old": "        # The server proves that",
        "new": (
            '        old = "SELECT made, nonce, nc FROM counts "\n'
            '        old += "ORDER BY made DESC, nc DESC LIMIT -1 OFFSET 100"\n'
            '        store.db().execute(f"DELETE FROM counts WHERE (made, nonce, nc) IN ({old})")\n'
            "        # The server proves that"
        ),
    },
    {
        "name": "takes an address at any host",
        "kind": "identity",
        "step": "TestAddress",
        "base": "app",
        "old": 'uri = uri.removeprefix(f"{request.scheme}://{request.host}")',
        "new": 'uri = re.sub("^https?://[^/]+", "", uri)',
    },
    {
        "name": "a wrong password of a known user is slowed down",
        "kind": "disclosure",
        "step": "TestParameters",
        "base": "app",
        "changes": [
            (
                "sent.response.encode()) or not user:\n",
                (
                    "sent.response.encode()) or not user:\n"
                    "            time.sleep(0.2 if user else 0)  # slows guesses down\n"
                ),
            ),
            ("import secrets\n", ("import secrets\nimport time\n")),
        ],
    },
    {
        "name": "a nonce lives for a day",
        "kind": "configuration",
        "step": "TestNonces",
        "base": "app",
        "old": "NONCE_LIFETIME=300",
        "new": "NONCE_LIFETIME=86400",
    },
    {
        "name": "rspauth is for full_path, which ends in a question mark",
        "kind": "headers",
        "step": "TestProof",
        "base": "app",
        "old": 'H(algorithm, "", sent.uri))\n',
        "new": 'H(algorithm, "", request.full_path))\n',
    },
    {
        "name": "rspauth is for the address as Flask has decoded it",
        "kind": "headers",
        "step": "TestProof",
        "base": "app",
        "old": 'H(algorithm, "", sent.uri))\n',
        "new": 'H(algorithm, "", request.full_path.rstrip("?")))\n',
    },
    {
        "name": "stale=true in the first challenge only",
        "kind": "headers",
        "step": "TestNonces",
        "base": "app",
        "old": 'if g.get("stale") else {}',
        "new": 'if g.get("stale") and algorithm == "SHA-256" else {}',
    },
    {
        "name": "stale in quotes",
        "kind": "headers",
        "step": "TestNonces",
        "base": "app",
        "old": ("    response.www_authenticate = [challenge(algorithm) for algorithm in HASHES]"),
        "new": (
            "    for algorithm in HASHES:\n"
            "        value = "
            'challenge(algorithm).to_header().replace("stale=true", '
            "'stale=\"true\"')\n"
            '        response.headers.add("WWW-Authenticate", value)'
        ),
    },
    {
        "name": "algorithm in quotes",
        "kind": "headers",
        "step": "TestAlgorithms",
        "base": "app",
        "old": ("    response.www_authenticate = [challenge(algorithm) for algorithm in HASHES]"),
        "new": (
            "    for algorithm in HASHES:\n"
            "        value = "
            'challenge(algorithm).to_header().replace(f"algorithm={algorithm}", '
            "f'algorithm=\"{algorithm}\"')\n"
            '        response.headers.add("WWW-Authenticate", value)'
        ),
    },
    {
        "name": "qop without quotes",
        "kind": "headers",
        "step": "TestAlgorithms",
        "base": "app",
        "old": ("    response.www_authenticate = [challenge(algorithm) for algorithm in HASHES]"),
        "new": (
            "    for algorithm in HASHES:\n"
            "        value = "
            'challenge(algorithm).to_header().replace(\'qop="auth"\', "qop=auth")\n'
            '        response.headers.add("WWW-Authenticate", value)'
        ),
    },
    {
        "name": "logs which response would have been right",
        "kind": "disclosure",
        "step": "TestAlgorithms",
        "base": "app",
        "old": "        if not hmac.compare_digest(right",
        "new": (
            "        if right != sent.response:\n"
            '            app.logger.warning("wanted %s, got %s", right, '
            "sent.response)\n"
            "        if not hmac.compare_digest(right"
        ),
    },
    {
        "name": "decodes the path of uri twice",
        "kind": "identity",
        "step": "TestAddress",
        "base": "app",
        "old": 'unquote(path, "latin-1"), query',
        "new": 'unquote(unquote(path, "latin-1"), "latin-1"), query',
    },
    {
        "name": "forgets what stands behind a semicolon in uri",
        "kind": "identity",
        "step": "TestAddress",
        "base": "app",
        "old": '(unquote(path, "latin-1"), query) ==',
        "new": '(unquote(path, "latin-1").partition(";")[0], query) ==',
    },
    {
        "name": "forgets what stands behind a # in uri",
        "kind": "identity",
        "step": "TestAddress",
        "base": "app",
        "old": '(unquote(path, "latin-1"), query) ==',
        "new": '(unquote(path, "latin-1"), query.partition("#")[0]) ==',
    },
    {
        "name": "believes anybody's X-Original-URI",
        "kind": "identity",
        "step": "TestAddress",
        "base": "app",
        "old": '    (path, _, query), asked = uri.partition("?"), request.environ\n',
        "new": (
            '    if uri == request.headers.get("X-Original-URI"):\n'
            "        return True\n"
            '    (path, _, query), asked = uri.partition("?"), request.environ\n'
        ),
    },
    {
        "name": "believes anybody's X-Forwarded-Uri",
        "kind": "identity",
        "step": "TestAddress",
        "base": "app",
        "old": '    (path, _, query), asked = uri.partition("?"), request.environ\n',
        "new": (
            '    if uri == request.headers.get("X-Forwarded-Uri"):\n'
            "        return True\n"
            '    (path, _, query), asked = uri.partition("?"), request.environ\n'
        ),
    },
    {
        "name": "believes anybody's X-HTTP-Method-Override",
        "kind": "identity",
        "step": "TestAddress",
        "base": "app",
        "old": "H(algorithm, request.method, sent.uri))",
        "new": (
            'H(algorithm, request.headers.get("X-HTTP-Method-Override", request.method), sent.uri))'
        ),
    },
    {
        "name": "a uri that urlsplit can't read is a 500",
        "kind": "headers",
        "step": "TestParameters",
        "base": "app",
        "old": '    if not uri.startswith("/"):',
        "new": (
            "    from urllib.parse import urlsplit\n"
            "    urlsplit(uri)\n"
            '    if not uri.startswith("/"):'
        ),
    },
]

UNSEEN = [
    (
        "keeps only the last thousand counts",
        "what is swept: a count goes when its nonce is too old, not when there are many",
    ),
    (
        ("sweeps the counts by a time of its own, such as a minute, while a nonce lives for five"),
        ("what the sweep is computed from: `NONCE_LIFETIME`, and more rather than less"),
    ),
    (
        "compares the response with `==`",
        "`hmac.compare_digest`",
    ),
    (
        (
            "looks for a count and then writes it down, after a sweep that "
            "waits for the other workers"
        ),
        (
            "one statement that both looks and notes: an `INSERT` under a "
            "primary key, or a transaction that begins with `BEGIN "
            "IMMEDIATE`. The checks see it in most runs"
        ),
    ),
    (
        "several workers that start at the same moment on an empty database",
        (
            "`CREATE TABLE IF NOT EXISTS`, `INSERT OR IGNORE`, or a "
            "transaction around both. Start gunicorn with eight workers a few times"
        ),
    ),
    (
        ("keeps passwords in the source, or in a file elsewhere, and computes HA1 from them"),
        "where `pass1` stands beside the line that makes the demo users",
    ),
    (
        "a signature of the nonce that is cut to a few letters",
        "its length: 32 hexadecimal digits or more",
    ),
    (
        "sweeps all old counts at once, or never",
        "a `LIMIT` in the statement that deletes, and that there is one",
    ),
    (
        "forgets a count only when the clock is set back",
        "how long counts outlive their nonces",
    ),
    (
        "the log has a secret that only another error would put there",
        "what is handed to `print` and to the logger",
    ),
]
