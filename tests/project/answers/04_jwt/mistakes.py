"""Wrong answers to lesson 04: each a right one with one believable mistake in it.

step: where it must be caught; base: the right answer that it is made from ("app" is app.py).
"""

FORGET = 'INSERT OR IGNORE INTO revoked VALUES (?, ?)", claims["sub"]'

MISTAKES = [
    {
        "name": "forgets WWW-Authenticate at login",
        "step": "TestItWorks",
        "base": "by_hand",
        "old": ', {"WWW-Authenticate": f\'Basic realm="{WE}"\'}',
        "new": "",
    },
    {
        "name": "one password for every user",
        "step": "TestLogin",
        "base": "classes",
        "old": "return user if right and",
        "new": 'return user if (right or password == "secret") and user and',
    },
    {
        "name": "user2's password opens user1",
        "step": "TestLogin",
        "base": "by_hand",
        "old": "hasher.hash(secret), job)",
        "new": 'hasher.hash("pass1"), job)',
    },
    {
        "name": "calls the member token, not access_token",
        "step": "TestLogin",
        "base": "by_hand",
        "old": '{"access_token": token,',
        "new": '{"token": token,',
    },
    {
        "name": "lets caches keep the token",
        "step": "TestLogin",
        "base": "classes",
        "old": "        answer.cache_control.no_store = True\n",
        "new": "",
    },
    {
        "name": "says that the token lasts for another time",
        "step": "TestLogin",
        "base": "factory",
        "old": 'token_type="Bearer", expires_in=lifetime',
        "new": 'token_type="Bearer", expires_in=3600',
    },
    {
        "name": "a password of 5000 letters is an error 500",
        "step": "TestLogin",
        "base": "classes",
        "old": " or len(password.encode()) > 1024:",
        "new": ":",
    },
    {
        "name": "still looks at ?token=",
        "step": "TestHeader",
        "base": "by_hand",
        "old": "            scheme, token = authorization()\n",
        "new": "            scheme, token = authorization()\n"
        '            if request.args.get("token"):\n'
        '                scheme, token = "bearer", request.args["token"]\n',
    },
    {
        "name": "compares the scheme's name letter by letter",
        "step": "TestHeader",
        "base": "by_hand",
        "changes": [
            ("    return scheme.lower(), rest.strip()", "    return scheme, rest.strip()"),
            ('if scheme != "bearer":', 'if scheme != "Bearer":'),
            ('authorization()[0] == "basic"', 'authorization()[0] == "Basic"'),
        ],
    },
    {
        "name": "greets everybody by one name",
        "step": "TestHeader",
        "base": "classes",
        "old": "return f\"Hello, {g.claims['sub']}!\\n\"",
        "new": 'return "Hello, user1!\\n"',
    },
    {
        "name": "calls no token an invalid token",
        "step": "TestRefusals",
        "base": "by_hand",
        "old": 'return challenge(401, "You need a token from /login.")',
        "new": 'return bad_token("You need a token from /login.")',
    },
    {
        "name": "refuses a bad token with 403",
        "step": "TestRefusals",
        "base": "by_hand",
        "old": 'return challenge(401, why, error="invalid_token"',
        "new": 'return challenge(403, why, error="invalid_token"',
    },
    {
        "name": "says no more than invalid_token",
        "step": "TestRefusals",
        "base": "by_hand",
        "old": ', error="invalid_token", error_description=why)',
        "new": ', error="invalid_token")',
    },
    {
        "name": "calls credentials wrong that nobody sent",
        "step": "TestRefusals",
        "base": "by_hand",
        "old": 'if sent else "Send a name and a password by Basic."',
        "new": "",
    },
    {
        "name": "sends a good token in quotes to get a new one",
        "step": "TestRefusals",
        "base": "by_hand",
        "old": "This is no token: send Bearer, a space and the token, with nothing else.",
        "new": "The token is not one of ours, so log in.",
    },
    {
        "name": "bytes beyond ASCII in the header are an error 500",
        "step": "TestRefusals",
        "base": "factory",
        "old": "        except ValueError:  # from Werkzeug",
        "new": "        except KeyError:  # from Werkzeug",
    },
    {
        "name": "the key stands in the code",
        "step": "TestKey",
        "base": "by_hand",
        "old": 'KEY = OctKey.import_key(str(app.config["SECRET_KEY"]))',
        "new": 'KEY = OctKey.import_key("a key of more than 32 bytes in the code")',
    },
    {
        "name": "does not verify the signature",
        "step": "TestKey",
        "base": "app",
        "old": '"verify_iat": False},',
        "new": '"verify_iat": False, "verify_signature": False,'
        ' "verify_exp": True, "verify_aud": True, "verify_iss": True},',
    },
    {
        "name": "takes the algorithm that the token names",
        "step": "TestKey",
        "base": "app",
        "old": 'algorithms=["HS256"],  # ours, never the one that the token asks for',
        "new": 'algorithms=[jwt.get_unverified_header(token)["alg"]],',
    },
    {
        "name": "takes every HMAC that there is",
        "step": "TestKey",
        "base": "classes",
        "old": '["HS256"], issuer',
        "new": '["HS256", "HS384", "HS512"], issuer',
    },
    {
        "name": "starts with a short key",
        "step": "TestKey",
        "base": "factory",
        "old": 'if len(app.config["SECRET_KEY"] or "") < 32:',
        "new": 'if len(app.config["SECRET_KEY"] or "") < 6:',
    },
    {
        "name": "tries an old key as well",
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
        "step": "TestClaims",
        "base": "app",
        "changes": [
            ("        audience=AUDIENCE,\n", ""),
            ('"strict_aud": True', '"verify_aud": False'),
        ],
    },
    {
        "name": "does not look at the issuer",
        "step": "TestClaims",
        "base": "factory",
        "old": "        issuer=US,\n",
        "new": "",
    },
    {
        "name": "checks exp by hand, and wrongly",
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
        "step": "TestClaims",
        "base": "factory",
        "old": '            "strict_aud": True,\n',
        "new": '            "strict_aud": True,\n            "verify_exp": False,\n',
    },
    {
        "name": "requires no claim",
        "step": "TestClaims",
        "base": "by_hand",
        "old": 'jti={"essential": True},',
        "new": 'jti={"essential": False},',
    },
    {
        "name": "a user who is gone gets in",
        "step": "TestClaims",
        "base": "by_hand",
        "old": '    if not database("SELECT 1 FROM users WHERE name = ?", claims["sub"]):\n'
        '        raise ValueError("The user of this token is gone.")\n',
        "new": "",
    },
    {
        "name": "no clock may be ahead",
        "step": "TestClaims",
        "base": "files",
        "old": "LEEWAY = 2  # seconds that a clock may be ahead",
        "new": "LEEWAY = 0",
    },
    {
        "name": "a token may live for years",
        "step": "TestClaims",
        "base": "by_hand",
        "old": '    if claims["exp"] - claims["iat"] > LIFETIME:\n'
        '        raise ValueError("The token lasts longer than ours do.")\n',
        "new": "",
    },
    {
        "name": "tokens last for ever",
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
        "step": "TestAdmin",
        "base": "by_hand",
        "old": '@token_required(role="admin")',
        "new": "@token_required()",
    },
    {
        "name": "401 for a good token that may not",
        "step": "TestAdmin",
        "base": "by_hand",
        "old": 'return challenge(403, "Not for you."',
        "new": 'return challenge(401, "Not for you."',
    },
    {
        "name": "403 without a challenge",
        "step": "TestAdmin",
        "base": "classes",
        "old": '            raise Problem(403, lacks, "This is for admins.")',
        "new": '            return "This is for admins.", 403',
    },
    {
        "name": "nobody at /admin gets 403",
        "step": "TestAdmin",
        "base": "by_hand",
        "old": '            if scheme != "bearer":\n',
        "new": '            if scheme != "bearer" and role:\n'
        '                return challenge(403, "Not for you.", error="insufficient_scope")\n'
        '            if scheme != "bearer":\n',
    },
    {
        "name": "logout only says goodbye",
        "step": "TestLogout",
        "base": "classes",
        "old": "        tokens.revoke(g.claims)\n",
        "new": "",
    },
    {
        "name": "the list of revoked tokens is lost at a restart",
        "step": "TestLogout",
        "base": "by_hand",
        "old": 'database("CREATE TABLE IF NOT EXISTS revoked',
        "new": 'database("DROP TABLE IF EXISTS revoked")\n'
        'database("CREATE TABLE IF NOT EXISTS revoked',
    },
    {
        "name": "logout takes back every token of the user",
        "step": "TestLogout",
        "base": "by_hand",
        "changes": [
            ('INSERT OR IGNORE INTO revoked VALUES (?, ?)", claims["jti"]', FORGET),
            ('revoked WHERE jti = ?", claims["jti"]', 'revoked WHERE jti = ?", claims["sub"]'),
        ],
    },
    {
        "name": "logout without a token is welcome",
        "step": "TestLogout",
        "base": "classes",
        "old": "        if not sent:\n            raise Problem(401, f'Bearer",
        "new": '        if not sent and request.method == "POST":\n            return "", 204\n'
        "        if not sent:\n            raise Problem(401, f'Bearer",
    },
    {
        "name": "an unknown user is answered at once",
        "step": "TestNoList",
        "base": "by_hand",
        "old": "    try:\n        hasher.verify(row[0] if row else NOBODY, password)",
        "new": "    if not row:\n        return None\n"
        "    try:\n        hasher.verify(row[0], password)",
    },
]
