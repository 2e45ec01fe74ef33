"""Wrong answers to lesson 04: each a right one with one believable mistake in it.

kind: what it is about; step: where it must be caught; base: the right answer that it is made from
("app" is app.py). UNSEEN lists what no check can see, with what to look for in the file instead.
"""

FORGET = 'INSERT OR IGNORE INTO revoked VALUES (?, ?)", claims["sub"]'

MISTAKES = [
    {
        "name": "forgets WWW-Authenticate at login",
        "kind": "headers",
        "step": "TestItWorks",
        "base": "by_hand",
        "old": ', {"WWW-Authenticate": f\'Basic realm="{WE}"\'}',
        "new": "",
    },
    {
        "name": "one password for every user",
        "kind": "identity",
        "step": "TestLogin",
        "base": "classes",
        "old": "return user if right and",
        "new": 'return user if (right or password == "secret") and user and',
    },
    {
        "name": "user2's password opens user1",
        "kind": "identity",
        "step": "TestLogin",
        "base": "by_hand",
        "old": "hasher.hash(secret), job)",
        "new": 'hasher.hash("pass1"), job)',
    },
    {
        "name": "calls the member token, not access_token",
        "kind": "headers",
        "step": "TestLogin",
        "base": "by_hand",
        "old": '{"access_token": token,',
        "new": '{"token": token,',
    },
    {
        "name": "lets caches keep the token",
        "kind": "disclosure",
        "step": "TestLogin",
        "base": "classes",
        "old": "        answer.cache_control.no_store = True\n",
        "new": "",
    },
    {
        "name": "says that the token lasts for another time",
        "kind": "time",
        "step": "TestLogin",
        "base": "factory",
        "old": 'token_type="Bearer", expires_in=lifetime',
        "new": 'token_type="Bearer", expires_in=3600',
    },
    {
        "name": "a password of 5000 letters is an error 500",
        "kind": "headers",
        "step": "TestLogin",
        "base": "classes",
        "old": " or len(password.encode()) > 1024:",
        "new": ":",
    },
    {
        "name": "still looks at ?token=",
        "kind": "disclosure",
        "step": "TestHeader",
        "base": "by_hand",
        "old": "            scheme, token = authorization()\n",
        "new": "            scheme, token = authorization()\n"
        '            if request.args.get("token"):\n'
        '                scheme, token = "bearer", request.args["token"]\n',
    },
    {
        "name": "compares the scheme's name letter by letter",
        "kind": "headers",
        "step": "TestLogin",
        "base": "by_hand",
        "changes": [
            ("    return scheme.lower(), rest.strip()", "    return scheme, rest.strip()"),
            ('if scheme != "bearer":', 'if scheme != "Bearer":'),
        ],
    },
    {
        "name": "greets everybody by one name",
        "kind": "identity",
        "step": "TestHeader",
        "base": "classes",
        "old": "return f\"Hello, {g.claims['sub']}!\\n\"",
        "new": 'return "Hello, user1!\\n"',
    },
    {
        "name": "calls no token an invalid token",
        "kind": "headers",
        "step": "TestRefusals",
        "base": "by_hand",
        "old": 'return challenge(401, "You need a token from /login.")',
        "new": 'return bad_token("You need a token from /login.")',
    },
    {
        "name": "refuses a bad token with 403",
        "kind": "headers",
        "step": "TestRefusals",
        "base": "by_hand",
        "old": 'return challenge(401, why, error="invalid_token"',
        "new": 'return challenge(403, why, error="invalid_token"',
    },
    {
        "name": "says no more than invalid_token",
        "kind": "headers",
        "step": "TestRefusals",
        "base": "by_hand",
        "old": ', error="invalid_token", error_description=why)',
        "new": ', error="invalid_token")',
    },
    {
        "name": "calls credentials wrong that nobody sent",
        "kind": "headers",
        "step": "TestRefusals",
        "base": "by_hand",
        "old": 'if sent else "Send a name and a password by Basic."',
        "new": "",
    },
    {
        "name": "sends a good token in quotes to get a new one",
        "kind": "headers",
        "step": "TestRefusals",
        "base": "by_hand",
        "old": "This is no token: send Bearer, a space and the token, with nothing else.",
        "new": "The token is not one of ours, so log in.",
    },
    {
        "name": "bytes beyond ASCII in the header are an error 500",
        "kind": "headers",
        "step": "TestRefusals",
        "base": "factory",
        "old": "        except ValueError:  # from Werkzeug",
        "new": "        except KeyError:  # from Werkzeug",
    },
    {
        "name": "the key stands in the code",
        "kind": "configuration",
        "step": "TestKey",
        "base": "by_hand",
        "old": 'KEY = OctKey.import_key(str(app.config["SECRET_KEY"]))',
        "new": 'KEY = OctKey.import_key("a key of more than 32 bytes in the code")',
    },
    {
        "name": "does not verify the signature",
        "kind": "identity",
        "step": "TestKey",
        "base": "app",
        "old": '"verify_iat": False},',
        "new": '"verify_iat": False, "verify_signature": False,'
        ' "verify_exp": True, "verify_aud": True, "verify_iss": True},',
    },
    {
        "name": "takes the algorithm that the token names",
        "kind": "identity",
        "step": "TestKey",
        "base": "app",
        "old": 'algorithms=["HS256"],  # ours, never the one that the token asks for',
        "new": 'algorithms=[jwt.get_unverified_header(token)["alg"]],',
    },
    {
        "name": "takes every HMAC that there is",
        "kind": "identity",
        "step": "TestKey",
        "base": "classes",
        "old": '["HS256"], issuer',
        "new": '["HS256", "HS384", "HS512"], issuer',
    },
    {
        "name": "starts with a short key",
        "kind": "configuration",
        "step": "TestKey",
        "base": "factory",
        "old": 'if len(app.config["SECRET_KEY"] or "") < 32:',
        "new": 'if len(app.config["SECRET_KEY"] or "") < 6:',
    },
    {
        "name": "tries an old key as well",
        "kind": "configuration",
        "step": "TestKey",
        "base": "classes",
        "old": '            claims = jwt.decode(\n                text, self.key, ["HS256"]',
        "new": "            try:\n"
        '                jwt.decode(text, "secret", ["HS256"], audience=REALM)\n'
        '                key = "secret"\n'
        "            except jwt.InvalidTokenError:\n"
        "                key = self.key\n"
        '            claims = jwt.decode(\n                text, key, ["HS256"]',
    },
    {
        "name": "accepts any audience",
        "kind": "identity",
        "step": "TestClaims",
        "base": "app",
        "changes": [
            ("        audience=AUDIENCE,\n", ""),
            ('"strict_aud": True', '"verify_aud": False'),
        ],
    },
    {
        "name": "does not look at the issuer",
        "kind": "identity",
        "step": "TestClaims",
        "base": "factory",
        "old": "        issuer=US,\n",
        "new": "",
    },
    {
        "name": "checks exp by hand, and wrongly",
        "kind": "time",
        "step": "TestClaims",
        "base": "classes",
        "changes": [
            (
                '"verify_iat": False}',
                '"verify_iat": False, "verify_exp": False}',
            ),
            (
                '            if claims["exp"] > claims["iat"] + self.lifetime:',
                '            if time.time() > claims["exp"] + 3600:\n'
                "                raise jwt.ExpiredSignatureError()\n"
                '            if claims["exp"] > claims["iat"] + self.lifetime:',
            ),
        ],
    },
    {
        "name": "never looks at exp",
        "kind": "time",
        "step": "TestClaims",
        "base": "factory",
        "old": '            "strict_aud": True,\n',
        "new": '            "strict_aud": True,\n            "verify_exp": False,\n',
    },
    {
        "name": "requires no claim",
        "kind": "identity",
        "step": "TestClaims",
        "base": "by_hand",
        "old": 'jti={"essential": True},',
        "new": 'jti={"essential": False},',
    },
    {
        "name": "a user who is gone gets in",
        "kind": "identity",
        "step": "TestClaims",
        "base": "by_hand",
        "old": '    if not database("SELECT 1 FROM users WHERE name = ?", claims["sub"]):\n'
        '        raise ValueError("The user of this token is gone.")\n',
        "new": "",
    },
    {
        "name": "no clock may be ahead",
        "kind": "time",
        "step": "TestClaims",
        "base": "files",
        "old": "LEEWAY = 2  # seconds that a clock may be ahead",
        "new": "LEEWAY = 0",
    },
    {
        "name": "a token may live for years",
        "kind": "time",
        "step": "TestClaims",
        "base": "by_hand",
        "old": '    if claims["exp"] - claims["iat"] > LIFETIME:\n'
        '        raise ValueError("The token lasts longer than ours do.")\n',
        "new": "",
    },
    {
        "name": "tokens last for ever",
        "kind": "time",
        "step": "TestClaims",
        "base": "classes",
        "changes": [
            (
                '"iat": now, "exp": now + self.lifetime}',
                '"iat": now, "exp": now + 10**9}',
            ),
            ('claims["exp"] > claims["iat"] + self.lifetime', 'claims["exp"] < claims["iat"]'),
        ],
    },
    {
        "name": "the admin's page is open to every token",
        "kind": "identity",
        "step": "TestAdmin",
        "base": "by_hand",
        "old": '@token_required(role="admin")',
        "new": "@token_required()",
    },
    {
        "name": "401 for a good token that may not",
        "kind": "headers",
        "step": "TestAdmin",
        "base": "by_hand",
        "old": 'return challenge(403, "Not for you."',
        "new": 'return challenge(401, "Not for you."',
    },
    {
        "name": "403 without a challenge",
        "kind": "headers",
        "step": "TestAdmin",
        "base": "classes",
        "old": '            raise Problem(403, lacks, "This is for admins.")',
        "new": '            return "This is for admins.", 403',
    },
    {
        "name": "nobody at /admin gets 403",
        "kind": "headers",
        "step": "TestAdmin",
        "base": "by_hand",
        "old": '            if scheme != "bearer":\n',
        "new": '            if scheme != "bearer" and role:\n'
        '                return challenge(403, "Not for you.", error="insufficient_scope")\n'
        '            if scheme != "bearer":\n',
    },
    {
        "name": "logout only says goodbye",
        "kind": "identity",
        "step": "TestLogout",
        "base": "classes",
        "old": "        tokens.revoke(g.claims)\n",
        "new": "",
    },
    {
        "name": "the list of revoked tokens is lost at a restart",
        "kind": "concurrency",
        "step": "TestLogout",
        "base": "by_hand",
        "old": 'database("CREATE TABLE IF NOT EXISTS revoked',
        "new": 'database("DROP TABLE IF EXISTS revoked")\n'
        'database("CREATE TABLE IF NOT EXISTS revoked',
    },
    {
        "name": "logout takes back every token of the user",
        "kind": "identity",
        "step": "TestLogout",
        "base": "by_hand",
        "changes": [
            ('INSERT OR IGNORE INTO revoked VALUES (?, ?)", claims["jti"]', FORGET),
            ('revoked WHERE jti = ?", claims["jti"]', 'revoked WHERE jti = ?", claims["sub"]'),
        ],
    },
    {
        "name": "logout without a token is welcome",
        "kind": "headers",
        "step": "TestLogout",
        "base": "classes",
        "old": "        if not sent:\n            raise Problem(401, f'Bearer",
        "new": '        if not sent and request.method == "POST":\n            return "", 204\n'
        "        if not sent:\n            raise Problem(401, f'Bearer",
    },
    {
        "name": "an unknown user is answered at once",
        "kind": "disclosure",
        "step": "TestNoList",
        "base": "by_hand",
        "old": "    try:\n        hasher.verify(row[0] if row else NOBODY, password)",
        "new": "    if not row:\n        return None\n"
        "    try:\n        hasher.verify(row[0], password)",
    },
    {
        "name": "debug=True in the script",
        "kind": "configuration",
        "step": "TestItWorks",
        "base": "app",
        "old": "app.run(port=5004, debug=False)",
        "new": "app.run(port=5004, debug=True)",
    },
    {
        "name": "serves all interfaces",
        "kind": "configuration",
        "step": "TestItWorks",
        "base": "app",
        "old": "app.run(port=5004, debug=False)",
        "new": 'app.run(host="0.0.0.0", port=5004)',
    },
    {
        "name": "serves another port",
        "kind": "configuration",
        "step": "TestItWorks",
        "base": "app",
        "old": "app.run(port=5004, debug=False)",
        "new": "app.run(port=5000)",
    },
    {
        "name": "a login by GET",
        "kind": "headers",
        "step": "TestLogin",
        "base": "app",
        "old": '@app.post("/login")',
        "new": '@app.route("/login", methods=["GET", "POST"])',
    },
    {
        "name": "strips the password",
        "kind": "identity",
        "step": "TestLogin",
        "base": "app",
        "old": "user = store.check_password(sent.username, sent.password)",
        "new": "user = store.check_password(sent.username, sent.password.strip())",
    },
    {
        "name": "user names in capitals as well",
        "kind": "identity",
        "step": "TestLogin",
        "base": "app",
        "old": "user = store.check_password(sent.username, sent.password)",
        "new": "user = store.check_password(sent.username.lower(), sent.password)",
    },
    {
        "name": "takes what only looks like the password",
        "kind": "identity",
        "step": "TestLogin",
        "base": "app",
        "changes": [
            (
                "user = store.check_password(sent.username, sent.password)",
                (
                    "user = store.check_password(sent.username, "
                    'unicodedata.normalize("NFKC", sent.password))'
                ),
            ),
            ("import time\nfrom functools", "import time\nimport unicodedata\nfrom functools"),
        ],
    },
    {
        "name": "the password's hash is a claim",
        "kind": "disclosure",
        "step": "TestLogin",
        "base": "app",
        "old": 'claims |= {"iat": now,',
        "new": 'claims |= {"password": user["hash"], "iat": now,',
    },
    {
        "name": "the password is in the log",
        "kind": "disclosure",
        "step": "TestLogin",
        "base": "app",
        "old": "    user = store.check_password(sent.username, sent.password)",
        "new": (
            '    app.logger.warning("login: %s", sent)\n'
            '    app.logger.warning("%s %s", sent.username, sent.password)\n'
            "    user = store.check_password(sent.username, sent.password)"
        ),
    },
    {
        "name": "JSON that calls itself a text",
        "kind": "headers",
        "step": "TestLogin",
        "base": "app",
        "changes": [
            (
                ('return new_token(password_owner(), jti=secrets.token_hex(16)), {"Cache'),
                ('return json.dumps(new_token(password_owner(), secrets.token_hex(16))), {"Cache'),
            ),
            ("import re\n", "import json\nimport re\n"),
        ],
    },
    {
        "name": "credentials in the address",
        "kind": "disclosure",
        "step": "TestLogin",
        "base": "app",
        "changes": [
            (
                '    sent = credentials("basic")\n',
                (
                    '    sent = credentials("basic")\n'
                    '    if not sent and "password" in request.args:\n'
                    '        sent = Authorization("basic", request.args.to_dict())\n'
                ),
            ),
            (
                "import store\n",
                "from werkzeug.datastructures import Authorization\n\nimport store\n",
            ),
        ],
    },
    {
        "name": "a second column with the plain password",
        "kind": "storage",
        "step": "TestLogin",
        "base": "by_hand",
        "changes": [
            (
                "hasher.hash(secret), job)\n",
                (
                    "hasher.hash(secret), job)\n"
                    '    database("INSERT OR REPLACE INTO support VALUES (?, ?)", person, '
                    "secret)\n"
                ),
            ),
            (
                'database("CREATE TABLE IF NOT EXISTS users',
                (
                    'database("CREATE TABLE IF NOT EXISTS support (name PRIMARY KEY, '
                    'password)")\n'
                    'database("CREATE TABLE IF NOT EXISTS users'
                ),
            ),
        ],
    },
    {
        "name": "Argon2id that costs next to nothing",
        "kind": "storage",
        "step": "TestLogin",
        "base": "by_hand",
        "old": "memory_cost=19456",
        "new": "memory_cost=64",
    },
    {
        "name": "a token for the user whom the form names",
        "kind": "identity",
        "step": "TestHeader",
        "base": "app",
        "old": '"sub": user["name"]',
        "new": '"sub": request.form.get("username", user["name"])',
    },
    {
        "name": "a token in a cookie",
        "kind": "headers",
        "step": "TestHeader",
        "base": "app",
        "changes": [
            (
                "    return sent if sent and sent.type == scheme else None",
                (
                    '    if scheme == "bearer" and not sent and '
                    'request.cookies.get("access_token"):\n'
                    '        sent = Authorization("bearer", '
                    'token=request.cookies.get("access_token"))\n'
                    "    return sent if sent and sent.type == scheme else None"
                ),
            ),
            (
                "import store\n",
                "from werkzeug.datastructures import Authorization\n\nimport store\n",
            ),
        ],
    },
    {
        "name": "a token in the form",
        "kind": "headers",
        "step": "TestHeader",
        "base": "app",
        "changes": [
            (
                "    return sent if sent and sent.type == scheme else None",
                (
                    '    if scheme == "bearer" and not sent and '
                    'request.form.get("access_token"):\n'
                    '        sent = Authorization("bearer", '
                    'token=request.form.get("access_token"))\n'
                    "    return sent if sent and sent.type == scheme else None"
                ),
            ),
            (
                "import store\n",
                "from werkzeug.datastructures import Authorization\n\nimport store\n",
            ),
        ],
    },
    {
        "name": "a token in a header of its own",
        "kind": "headers",
        "step": "TestHeader",
        "base": "app",
        "changes": [
            (
                "    return sent if sent and sent.type == scheme else None",
                (
                    '    if scheme == "bearer" and not sent and '
                    'request.headers.get("X-Access-Token"):\n'
                    '        sent = Authorization("bearer", '
                    'token=request.headers.get("X-Access-Token"))\n'
                    "    return sent if sent and sent.type == scheme else None"
                ),
            ),
            (
                "import store\n",
                "from werkzeug.datastructures import Authorization\n\nimport store\n",
            ),
        ],
    },
    {
        "name": "takes the scheme Token as well",
        "kind": "headers",
        "step": "TestHeader",
        "base": "app",
        "old": "sent.type == scheme else",
        "new": 'sent.type in (scheme, "token") else',
    },
    {
        "name": "a session lets in without the token",
        "kind": "identity",
        "step": "TestHeader",
        "base": "app",
        "changes": [
            (
                "        if not sent:  # no token",
                (
                    '        if not sent and "claims" in session:\n'
                    '            g.claims = session["claims"]\n'
                    "            return view(*args, **kwargs)\n"
                    "        if not sent:  # no token"
                ),
            ),
            (
                "        return view(*args, **kwargs)\n\n    return wrapper",
                (
                    '        session["claims"] = g.claims\n'
                    "        return view(*args, **kwargs)\n"
                    "\n"
                    "    return wrapper"
                ),
            ),
            ("abort, g, request", "abort, g, request, session"),
        ],
    },
    {
        "name": "the token is in the log",
        "kind": "disclosure",
        "step": "TestHeader",
        "base": "app",
        "old": "            g.claims = claims_of(sent.token)\n",
        "new": (
            '            app.logger.warning("token %s", sent.token)\n'
            "            g.claims = claims_of(sent.token)\n"
        ),
    },
    {
        "name": "only bad tokens are in the log",
        "kind": "disclosure",
        "step": "TestHeader",
        "base": "app",
        "old": '            refuse_token(f"{error}. Get',
        "new": (
            '            app.logger.warning("%s: %s", error, sent.token)\n'
            '            refuse_token(f"{error}. Get'
        ),
    },
    {
        "name": "quotes in the description",
        "kind": "headers",
        "step": "TestRefusals",
        "base": "app",
        "old": '    sentence = re.sub(r"[^ !#-\\[\\]-~]", "\'", sentence[:200])\n',
        "new": (
            '    sentence = " ".join(sentence[:200].encode("ascii", "replace").decode().split())\n'
        ),
    },
    {
        "name": "a login with another scheme is an error 500",
        "kind": "headers",
        "step": "TestLogin",
        "base": "app",
        "old": '    sent = credentials("basic")\n',
        "new": "    sent = request.authorization\n",
    },
    {
        "name": "a login with bytes beyond ASCII is an error 500",
        "kind": "headers",
        "step": "TestRefusals",
        "base": "app",
        "old": '    sent = credentials("basic")\n',
        "new": (
            '    sent = request.authorization if credentials("bearer") is None '
            "else None\n"
            '    sent = sent if sent and sent.type == "basic" else None\n'
        ),
    },
    {
        "name": "each process makes a key of its own",
        "kind": "concurrency",
        "step": "TestKey",
        "base": "app",
        "changes": [
            (
                "store.set_up(app, TOKEN_LIFETIME=180)\n",
                (
                    "store.set_up(app, TOKEN_LIFETIME=180)\n"
                    'app.secret_key = app.config.get("SECRET_KEY_SET") or app.secret_key\n'
                    'if not os.environ.get("FLASK_SECRET_KEY"):\n'
                    "    app.secret_key = secrets.token_hex(32)\n"
                ),
            ),
            ("import re\n", "import os\nimport re\n"),
        ],
    },
    {
        "name": "the key is in the log",
        "kind": "disclosure",
        "step": "TestKey",
        "base": "app",
        "old": "store.set_up(app, TOKEN_LIFETIME=180)\n",
        "new": (
            "store.set_up(app, TOKEN_LIFETIME=180)\n"
            'app.logger.warning("starting with %s", app.secret_key)\n'
        ),
    },
    {
        "name": "a piece of the audience is enough",
        "kind": "identity",
        "step": "TestClaims",
        "base": "app",
        "changes": [
            ("        audience=AUDIENCE,\n", ""),
            ('"strict_aud": True', '"verify_aud": False'),
            (
                "    if store.is_revoked(",
                (
                    '    if str(claims["aud"]) not in AUDIENCE:\n'
                    '        raise jwt.InvalidTokenError("Audience")\n'
                    "    if store.is_revoked("
                ),
            ),
        ],
    },
    {
        "name": "an audience that begins with ours",
        "kind": "identity",
        "step": "TestClaims",
        "base": "app",
        "changes": [
            ("        audience=AUDIENCE,\n", ""),
            ('"strict_aud": True', '"verify_aud": False'),
            (
                "    if store.is_revoked(",
                (
                    '    if not str(claims["aud"]).startswith(AUDIENCE):\n'
                    '        raise jwt.InvalidTokenError("Audience")\n'
                    "    if store.is_revoked("
                ),
            ),
        ],
    },
    {
        "name": "an issuer that begins with ours",
        "kind": "identity",
        "step": "TestClaims",
        "base": "app",
        "changes": [
            ("        issuer=ISSUER,\n", ""),
            (
                "    if store.is_revoked(",
                (
                    '    if not str(claims["iss"]).startswith(ISSUER):\n'
                    '        raise jwt.InvalidTokenError("Issuer")\n'
                    "    if store.is_revoked("
                ),
            ),
        ],
    },
    {
        "name": "a checked token is remembered for good",
        "kind": "time",
        "step": "TestClaims",
        "base": "app",
        "changes": [
            ("def claims_of(token):", "@cache\ndef claims_of(token):"),
            ("from functools import wraps", "from functools import cache, wraps"),
        ],
    },
    {
        "name": "reads the clock once, at the start",
        "kind": "time",
        "step": "TestClaims",
        "base": "app",
        "changes": [
            ("now, lifetime = int(time.time()), app", "now, lifetime = NOW, app"),
            ("LEEWAY = 5", "NOW = int(time.time())\nLEEWAY = 5"),
        ],
    },
    {
        "name": "takes local time for UTC",
        "kind": "time",
        "step": "TestClaims",
        "base": "app",
        "changes": [
            (
                "now, lifetime = int(time.time()), app",
                "now, lifetime = calendar.timegm(time.localtime()), app",
            ),
            ("import re\n", "import calendar\nimport re\n"),
        ],
    },
    {
        "name": "tokens outlive what expires_in says",
        "kind": "time",
        "step": "TestClaims",
        "base": "by_hand",
        "changes": [
            ('"exp": now + LIFETIME,', '"exp": now + LIFETIME + 60,'),
            (
                'if claims["exp"] - claims["iat"] > LIFETIME:',
                'if claims["exp"] - claims["iat"] > LIFETIME + 60:',
            ),
        ],
    },
    {
        "name": "looks for the user with LIKE",
        "kind": "identity",
        "step": "TestClaims",
        "base": "by_hand",
        "old": '"SELECT 1 FROM users WHERE name = ?"',
        "new": '"SELECT 1 FROM users WHERE name LIKE ?"',
    },
    {
        "name": "the second is a token's name",
        "kind": "identity",
        "step": "TestClaims",
        "base": "app",
        "old": "jti=secrets.token_hex(16)",
        "new": 'jti=f"{time.time():.0f}"',
    },
    {
        "name": "the address makes an admin",
        "kind": "identity",
        "step": "TestAdmin",
        "base": "app",
        "old": 'if g.claims.get("scope") != "admin":',
        "new": 'if "admin" not in (g.claims.get("scope"), request.args.get("scope")):',
    },
    {
        "name": "the admin is known by name",
        "kind": "identity",
        "step": "TestAdmin",
        "base": "app",
        "old": 'if g.claims.get("scope") != "admin":',
        "new": 'if g.claims["sub"] != "user1":',
    },
    {
        "name": "gives every scope that a login asks for",
        "kind": "identity",
        "step": "TestAdmin",
        "base": "app",
        "old": '    if user["admin"]:\n',
        "new": '    if user["admin"] or request.values.get("scope"):\n',
    },
    {
        "name": "a list of revoked tokens in each process, saved at exit",
        "kind": "concurrency",
        "step": "TestLogout",
        "base": "app",
        "changes": [
            ('store.revoke(g.claims["jti"], g.claims["exp"])', 'GONE.add(g.claims["jti"])'),
            ('    if store.is_revoked(claims["jti"])', '    if claims["jti"] in GONE'),
            ("LEEWAY = 5", "GONE = set()\nLEEWAY = 5"),
            (
                "\nif __name__",
                (
                    "\n"
                    'FILE = Path(app.config["DATABASE"] + ".gone")\n'
                    "GONE |= set(FILE.read_text().split()) if FILE.exists() else set()\n"
                    "\n"
                    "\n"
                    "def save(*_):\n"
                    '    FILE.write_text(" ".join(GONE))\n'
                    "    os._exit(0)\n"
                    "\n"
                    "\n"
                    "if threading.current_thread() is threading.main_thread():\n"
                    "    signal.signal(signal.SIGTERM, save)\n"
                    "\n"
                    "if __name__"
                ),
            ),
            (
                "import re\nimport secrets\nimport time\nfrom functools import wraps\n",
                (
                    "import os\n"
                    "import re\n"
                    "import secrets\n"
                    "import signal\n"
                    "import threading\n"
                    "import time\n"
                    "from functools import wraps\n"
                    "from pathlib import Path\n"
                ),
            ),
        ],
    },
    {
        "name": "asks only once whether a token was revoked",
        "kind": "concurrency",
        "step": "TestLogout",
        "base": "app",
        "changes": [
            ('    if store.is_revoked(claims["jti"])', '    if is_revoked(claims["jti"])'),
            (
                "def claims_of(token):",
                (
                    "@cache\n"
                    "def is_revoked(jti):\n"
                    "    return store.is_revoked(jti)\n"
                    "\n"
                    "\n"
                    "def claims_of(token):"
                ),
            ),
            ("from functools import wraps", "from functools import cache, wraps"),
        ],
    },
    {
        "name": "revokes a token by its text",
        "kind": "identity",
        "step": "TestLogout",
        "base": "files",
        "changes": [
            (
                "    if encode(data) != text:\n"
                '        raise BadToken("The token is not base64")\n'
                "    return data",
                "    return data",
            ),
            (
                "hmac.compare_digest(signature(signed).encode(), sent.encode())",
                "hmac.compare_digest(decode(signature(signed)), decode(sent))",
            ),
            ("(revoked / jti).exists()", "(revoked / sent).exists()"),
            (
                '(revoked / request.claims["jti"]).touch()',
                '(revoked / request.headers["Authorization"].rpartition(".")[2]).touch()',
            ),
        ],
    },
    {
        "name": "sweeps revoked tokens away too early",
        "kind": "time",
        "step": "TestLogout",
        "base": "app",
        "old": 'store.revoke(g.claims["jti"], g.claims["exp"])',
        "new": (
            'store.revoke(g.claims["jti"], g.claims["exp"])\n'
            '    store.db().execute("DELETE FROM revoked WHERE until < ?", '
            "[time.time() + 600])"
        ),
    },
    {
        "name": "keeps the last ten revoked tokens",
        "kind": "storage",
        "step": "TestLogout",
        "base": "app",
        "old": 'store.revoke(g.claims["jti"], g.claims["exp"])',
        "new": (
            'store.revoke(g.claims["jti"], g.claims["exp"])\n'
            '    last = "SELECT rowid FROM revoked ORDER BY rowid DESC LIMIT 10"\n'
            '    store.db().execute(f"DELETE FROM revoked WHERE rowid NOT IN '
            '({last})")'
        ),
    },
    {
        "name": "a logout by GET",
        "kind": "headers",
        "step": "TestLogout",
        "base": "app",
        "old": '@app.post("/logout")',
        "new": '@app.route("/logout", methods=["GET", "POST"])',
    },
    {
        "name": "logs out the token that the form names",
        "kind": "identity",
        "step": "TestLogout",
        "base": "app",
        "old": 'store.revoke(g.claims["jti"], g.claims["exp"])',
        "new": (
            'named = request.values.get("jti", g.claims["jti"])\n'
            '    store.revoke(named, g.claims["exp"])'
        ),
    },
    {
        "name": "says that there is no such user",
        "kind": "disclosure",
        "step": "TestNoList",
        "base": "app",
        "old": ('return user or refuse_with(401, BASIC, "User name or password is wrong.")'),
        "new": (
            "known = user or store.clean(sent.username, 64) and "
            "store.find_user(sent.username)\n"
            '    return user or refuse_with(401, BASIC, "Wrong password." if known '
            'else "No such user.")'
        ),
    },
    {
        "name": "salted SHA-1 instead of Argon2id",
        "kind": "storage",
        "step": "TestLogin",
        "base": "factory",
        "changes": [
            (
                "from passlib.hash import argon2\n",
                "from passlib.hash import ldap_salted_sha1 as argon2id\n",
            ),
            (
                'argon2id = argon2.using(type="ID", memory_cost=19456, rounds=2, parallelism=1)\n',
                "",
            ),
        ],
    },
    {
        "name": "keeps who logs in in a variable of the module",
        "kind": "concurrency",
        "step": "TestHeader",
        "base": "app",
        "old": "    user = store.check_password(sent.username, sent.password)\n",
        "new": (
            "    global who\n"
            "    who = sent.username\n"
            "    right = store.check_password(sent.username, sent.password)\n"
            "    user = right and store.find_user(who)\n"
        ),
    },
    {
        "name": "iat may be ten minutes ahead",
        "kind": "time",
        "step": "TestClaims",
        "base": "app",
        "old": "LEEWAY = 5 ",
        "new": "LEEWAY = 600 ",
    },
    {
        "name": "does not look at nbf",
        "kind": "time",
        "step": "TestClaims",
        "base": "app",
        "old": '"verify_iat": False}',
        "new": '"verify_iat": False, "verify_nbf": False}',
    },
    {
        "name": "the admin page reads claims without their signature",
        "kind": "identity",
        "step": "TestAdmin",
        "base": "app",
        "old": ("@token_required\ndef admin():\n"),
        "new": (
            "def admin():\n"
            '    sent = credentials("bearer")\n'
            "    if not sent:\n"
            '        refuse_with(401, BEARER, "Send a token.")\n'
            "    try:\n"
            '        g.claims = jwt.decode(sent.token or "", options={"verify_signature": False})\n'
            "    except (jwt.InvalidTokenError, UnicodeError) as error:\n"
            '        refuse_token(f"{error}.")\n'
        ),
    },
    {
        "name": "the admin page takes an expired token",
        "kind": "time",
        "step": "TestAdmin",
        "base": "app",
        "old": '"verify_iat": False}',
        "new": '"verify_iat": False, "verify_exp": request.path != "/admin"}',
    },
    {
        "name": "any scope with admin in it opens the admin page",
        "kind": "identity",
        "step": "TestAdmin",
        "base": "app",
        "old": 'if g.claims.get("scope") != "admin":',
        "new": 'if "admin" not in g.claims.get("scope", ""):',
    },
    {
        "name": "the admin page takes a token that was logged out",
        "kind": "identity",
        "step": "TestLogout",
        "base": "app",
        "old": '    if store.is_revoked(claims["jti"])',
        "new": '    if request.path != "/admin" and store.is_revoked(claims["jti"])',
    },
    {
        "name": "a token for another audience logs out",
        "kind": "identity",
        "step": "TestLogout",
        "base": "app",
        "old": '"verify_iat": False}',
        "new": '"verify_iat": False, "verify_aud": request.path != "/logout"}',
    },
    {
        "name": "keeps the last hundred revoked tokens",
        "kind": "storage",
        "step": "TestLogout",
        "base": "app",
        "old": 'store.revoke(g.claims["jti"], g.claims["exp"])',
        "new": (
            'store.revoke(g.claims["jti"], g.claims["exp"])\n'
            '    last = "SELECT rowid FROM revoked ORDER BY rowid DESC LIMIT 100"\n'
            '    store.db().execute(f"DELETE FROM revoked WHERE rowid NOT IN ({last})")'
        ),
    },
    {
        "name": "JSON with name and password gets a token as well",
        "kind": "identity",
        "step": "TestLogin",
        "base": "app",
        "old": ('    sent = credentials("basic")\n    if not sent:\n'),
        "new": (
            '    sent = credentials("basic")\n'
            "    if not sent and request.is_json:\n"
            "        body = request.get_json(silent=True) or {}\n"
            '        user = store.check_password(str(body.get("username")), '
            'str(body.get("password")))\n'
            '        return user or refuse_with(401, BASIC, "User name or '
            'password is wrong.")\n'
            "    if not sent:\n"
        ),
    },
    {
        "name": "a token gets the next token, for ever",
        "kind": "time",
        "step": "TestLogin",
        "base": "app",
        "old": ('    sent = credentials("basic")\n    if not sent:\n'),
        "new": (
            '    sent = credentials("basic")\n'
            '    if token := credentials("bearer"):\n'
            "        try:\n"
            '            return store.find_user(claims_of(token.token)["sub"])\n'
            "        except (jwt.InvalidTokenError, RecursionError, UnicodeError):\n"
            '            refuse_with(401, BASIC, "This token is no good; send '
            'name and password.")\n'
            "    if not sent:\n"
        ),
    },
    {
        "name": "a password under a scheme misspelt is in the log",
        "kind": "disclosure",
        "step": "TestLogin",
        "base": "app",
        "old": '        refuse_with(401, BASIC, "Send name and password in a header',
        "new": (
            '        app.logger.warning("unusable header: %s", '
            'request.headers.get("Authorization"))\n'
            '        refuse_with(401, BASIC, "Send name and password in a header'
        ),
    },
    {
        "name": "a bad token closes the public page",
        "kind": "headers",
        "step": "TestHeader",
        "base": "app",
        "old": '@app.get("/insecured")\n',
        "new": (
            "@app.before_request\n"
            "def look_at_token():\n"
            '    if request.path != "/login" and credentials("bearer"):\n'
            "        token_required(lambda: None)()\n"
            "\n"
            "\n"
            '@app.get("/insecured")\n'
        ),
    },
    {
        "name": "a password opens the page without a token",
        "kind": "identity",
        "step": "TestHeader",
        "base": "app",
        "old": '        sent = credentials("bearer")\n',
        "new": (
            '        sent = credentials("bearer")\n'
            '        pair = credentials("basic")\n'
            "        if pair and (user := store.check_password(pair.username, "
            "pair.password)):\n"
            '            g.claims = {"sub": user["name"], "scope": "admin" if '
            'user["admin"] else ""}\n'
            "            return view(*args, **kwargs)\n"
        ),
    },
    {
        "name": "the token of who may not is in the log",
        "kind": "disclosure",
        "step": "TestHeader",
        "base": "app",
        "old": "        needs = f",
        "new": (
            '        app.logger.warning("not an admin: %s", dict(request.headers))\n'
            "        needs = f"
        ),
    },
    {
        "name": "a token in quotes is in the log",
        "kind": "disclosure",
        "step": "TestHeader",
        "base": "app",
        "old": '        if not TOKEN.fullmatch(sent.token or ""):\n',
        "new": (
            '        if not TOKEN.fullmatch(sent.token or ""):\n'
            '            app.logger.warning("unusable header: %s", '
            'request.headers.get("Authorization"))\n'
        ),
    },
    {
        "name": "a token under another scheme is in the log",
        "kind": "disclosure",
        "step": "TestHeader",
        "base": "app",
        "old": "        if not sent:  # no token",
        "new": (
            '        if not sent and "Authorization" in request.headers:\n'
            '            app.logger.warning("no Bearer: %s", '
            'request.headers["Authorization"])\n'
            "        if not sent:  # no token"
        ),
    },
    {
        "name": "expires_in is 180, whatever is set",
        "kind": "configuration",
        "step": "TestClaims",
        "base": "app",
        "old": '"expires_in": lifetime}',
        "new": '"expires_in": 180}',
    },
    {
        "name": "a token may live for a day, whatever is set",
        "kind": "time",
        "step": "TestClaims",
        "base": "app",
        "old": '> app.config["TOKEN_LIFETIME"]:',
        "new": "> 86400:",
    },
    {
        "name": "bounds what is left of a token's life, not the whole",
        "kind": "time",
        "step": "TestClaims",
        "base": "app",
        "old": 'claims["exp"] - claims["iat"] > app.config["TOKEN_LIFETIME"]',
        "new": 'claims["exp"] - time.time() > app.config["TOKEN_LIFETIME"]',
    },
    {
        "name": "the admin page takes a token without an end",
        "kind": "time",
        "step": "TestAdmin",
        "base": "app",
        "old": ("@token_required\ndef admin():\n"),
        "new": (
            "def admin():\n"
            '    sent = credentials("bearer")\n'
            "    if not sent:\n"
            '        refuse_with(401, BEARER, "Send a token.")\n'
            '    how = {"algorithms": ["HS256"], "issuer": ISSUER, "audience": '
            "AUDIENCE}\n"
            "    try:\n"
            '        g.claims = jwt.decode(sent.token or "", app.secret_key, **how)\n'
            "    except (jwt.InvalidTokenError, UnicodeError) as error:\n"
            '        refuse_token(f"{error}.")\n'
            '    if store.is_revoked(g.claims.get("jti")) or not '
            'store.find_user(g.claims.get("sub")):\n'
            '        refuse_token("It was logged out.")\n'
        ),
    },
    {
        "name": "the admin page looks at the scope before the signature",
        "kind": "headers",
        "step": "TestAdmin",
        "base": "app",
        "old": ('@app.get("/admin")\n@token_required\n'),
        "new": (
            "def admin_required(view):\n"
            "    def first():\n"
            '        sent = credentials("bearer")\n'
            "        try:\n"
            '            claims = jwt.decode(sent.token or "", '
            'options={"verify_signature": False})\n'
            "        except (AttributeError, jwt.InvalidTokenError, UnicodeError):\n"
            "            return view()\n"
            '        if claims.get("scope") != "admin":\n'
            "            refuse_with(403, f'{BEARER}, "
            'error="insufficient_scope"\', "For admins.")\n'
            "        return view()\n"
            "\n"
            "    return first\n"
            "\n"
            "\n"
            '@app.get("/admin")\n'
            "@admin_required\n"
            "@token_required\n"
        ),
    },
    {
        "name": "each process reads the revoked tokens at its own logouts",
        "kind": "concurrency",
        "step": "TestLogout",
        "base": "app",
        "changes": [
            (
                '    store.revoke(g.claims["jti"], g.claims["exp"])\n',
                ('    store.revoke(g.claims["jti"], g.claims["exp"])\n    read_revoked()\n'),
            ),
            ('    if store.is_revoked(claims["jti"]):\n', '    if claims["jti"] in REVOKED:\n'),
            (
                "store.set_up(app, TOKEN_LIFETIME=180)\n",
                (
                    "store.set_up(app, TOKEN_LIFETIME=180)\n"
                    "REVOKED = set()\n"
                    "\n"
                    "\n"
                    "def read_revoked():\n"
                    '    REVOKED.update(row["jti"] for row in store.db().execute("SELECT '
                    'jti FROM revoked"))\n'
                    "\n"
                    "\n"
                    "with app.app_context():\n"
                    "    read_revoked()\n"
                    "    store.groundwork.close()\n"
                ),
            ),
        ],
    },
    {
        "name": "a logout sent twice at once is an error",
        "kind": "concurrency",
        "step": "TestLogout",
        "base": "app",
        "old": '    store.revoke(g.claims["jti"], g.claims["exp"])\n',
        "new": (
            '    values = [g.claims["jti"], g.claims["exp"]]\n'
            '    store.db().execute("INSERT INTO revoked VALUES (?, ?)", values)\n'
        ),
    },
    {
        "name": "compares with passwords that stand in the code",
        "kind": "storage",
        "step": "TestLogin",
        "base": "app",
        "changes": [
            (
                "    user = store.check_password(sent.username, sent.password)\n",
                (
                    "    right = secrets.compare_digest(USERS.get(sent.username, "
                    '"").encode(), sent.password.encode())\n'
                    "    user = store.find_user(sent.username) if right else None\n"
                ),
            ),
            ("CLAIMS = [", ('USERS = {"user1": "pass1", "user2": "pass2"}\nCLAIMS = [')),
        ],
    },
    {
        "name": "keeps its database beside the file, wherever FLASK_DATABASE says",
        "kind": "configuration",
        "step": "TestLogout",
        "base": "app",
        "old": "store.set_up(app, TOKEN_LIFETIME=180)\n",
        "new": (
            "HERE = store.groundwork.Path(__file__).parent\n"
            'store.groundwork.os.environ["FLASK_DATABASE"] = str(HERE / "tokens.db")\n'
            "store.set_up(app, TOKEN_LIFETIME=180)\n"
        ),
    },
]

UNSEEN = [
    (
        "keeps only the last thousand revoked tokens",
        "what is swept: a row goes when its token has expired, not when there are many",
    ),
    (
        "takes a token from up to two minutes ahead",
        "`leeway` of `jwt.decode`: a few seconds, since `iat` is of the server's own clock",
    ),
    (
        "Users are read once, at the start",
        (
            "`find_user` asks the database at each request; nothing here changes a "
            "user, so no check can tell"
        ),
    ),
    (
        "A password is cut after 72 bytes",
        ("the demo passwords are short; look for `bcrypt` or a slice before the hash"),
    ),
    (
        "Another key counts beside FLASK_SECRET_KEY",
        ("one call of `jwt.decode`, with `app.secret_key`; the checks try a few guessed keys"),
    ),
    (
        "A signature is compared with `==`",
        ("`hmac.compare_digest`, or a library; over a network, the difference can't be measured"),
    ),
    ("`jti` comes from `random`", "`secrets` or `uuid4`"),
    (
        "What can't be read from the list of revoked tokens counts as not revoked",
        "an `except` round the look into the list: it should end in a refusal or in 503",
    ),
    (
        "Users in the code, hashed at the start with something else than Argon2id",
        "the checks see hashes in files, and that a login takes its time; look at the hasher",
    ),
]
