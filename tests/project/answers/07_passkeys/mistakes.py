"""Wrong answers to lesson 07: each a right one with one believable mistake in it.

kind: what it is about; step: where it must be caught; base: the right answer that it is made from
("app" is app.py). UNSEEN lists what no check can see, with what to look for in the file instead.
"""

MISTAKES = [
    {
        "name": "a page for everybody who has any cookie",
        "kind": "identity",
        "step": "TestItWorks",
        "base": "app",
        "old": 'return sessions.find() or abort(403, "Log in first.")',
        "new": 'return sessions.find() or {"name": "user1"}',
    },
    {
        "name": "makes options without a password",
        "kind": "identity",
        "step": "TestItWorks",
        "base": "classes",
        "old": "if argon2id.verify(sent.password[:1024], user",
        "new": "if user or argon2id.verify(sent.password[:1024], user",
    },
    {
        "name": "one challenge for as long as the app runs",
        "kind": "identity",
        "step": "TestChallenge",
        "base": "asynchronous",
        "changes": [
            (
                "class No(Exception):\n",
                "FIXED = secrets.token_bytes(32)\n\n\nclass No(Exception):\n",
            ),
            ("challenge, browser = secrets.token_bytes(32),", "challenge, browser = FIXED,"),
            (
                "await threaded(store.keep_challenge, challenge",
                "await threaded(store.use_challenge, challenge, browser, purpose, lifetime)\n"
                "    await threaded(store.keep_challenge, challenge",
            ),
        ],
    },
    {
        "name": "a challenge of 16 bytes",
        "kind": "identity",
        "step": "TestChallenge",
        "base": "by_hand",
        "old": "b64(secrets.token_bytes(32))\n",
        "new": "b64(secrets.token_bytes(16))\n",
    },
    {
        "name": "keeps the challenge in Flask's session, which can be put back",
        "kind": "storage",
        "step": "TestChallenge",
        "base": "app",
        "changes": [
            (
                "from flask import Flask, abort, request\n",
                "from flask import Flask, abort, request, session\n",
            ),
            (
                "    store.keep_challenge(challenge, browser, purpose, name, lifetime)\n",
                '    session["asked"] = [challenge.hex(), purpose, name, time.time()]\n',
            ),
            ("import secrets\n", "import secrets\nimport time\n"),
            (
                "store.use_challenge(signed, sessions.browser(), purpose, lifetime)\n",
                'None\n    kept = session.pop("asked", ["", "", "", 0])\n'
                "    young = time.time() - kept[3] < lifetime\n"
                "    if young and kept[:2] == [signed.hex(), purpose]:\n"
                '        challenge = {"challenge": signed, "name": kept[2]}\n',
            ),
        ],
    },
    {
        "name": "a challenge counts until it is too old",
        "kind": "time",
        "step": "TestChallenge",
        "base": "classes",
        "old": '            if mine:\n                del data["challenges"][challenge]\n',
        "new": "",
    },
    {
        "name": "looks for a challenge first, and takes it away later",
        "kind": "concurrency",
        "step": "TestChallenge",
        "base": "by_hand",
        "changes": [
            (
                'if not alive or not sql("DELETE FROM asked WHERE challenge = ?", b64(challenge)):',
                "if not alive:",
            ),
            (
                "    return id, response, raw, alive[0]",
                "    time.sleep(0.05)\n"
                '    sql("DELETE FROM asked WHERE challenge = ?", b64(challenge))\n'
                "    return id, response, raw, alive[0]",
            ),
        ],
    },
    {
        "name": "notes used challenges in the memory of one process",
        "kind": "concurrency",
        "step": "TestChallenge",
        "base": "factory",
        "changes": [
            (
                "        g.db.add(Spent(challenge=body, until=end))\n",
                "        good = body not in SPENT\n        SPENT.add(body)\n",
            ),
            ("class Base(", "SPENT = set()\n\n\nclass Base("),
            (
                "current_app.config[name]\n",
                'current_app.config[name] if name != "SECRET_KEY" else STARTED\n',
            ),
            ("NOBODY = argon2id", "STARTED = secrets.token_hex()\nNOBODY = argon2id"),
        ],
    },
    {
        "name": "a challenge counts in any browser",
        "kind": "identity",
        "step": "TestChallenge",
        "base": "by_hand",
        "old": 'if r["browser"] == kept(cookie()) and r["what"] == what]',
        "new": 'if r["what"] == what]',
    },
    {
        "name": "the challenge of a login does for a registration",
        "kind": "identity",
        "step": "TestChallenge",
        "base": "classes",
        "old": ' and note["purpose"] == self.purpose',
        "new": "",
    },
    {
        "name": "a challenge never ends",
        "kind": "time",
        "step": "TestChallenge",
        "base": "factory",
        "old": "seal(body, purpose)) and time.time() < end",
        "new": "seal(body, purpose))",
    },
    {
        "name": "takes any challenge that the answer names",
        "kind": "identity",
        "step": "TestChallenge",
        "base": "asynchronous",
        "changes": [
            (
                "    if asked is None:\n"
                '        raise No("That challenge is none of this browser\'s, or it was used.",'
                " status)\n",
                '    asked = asked or {"challenge": challenge, "name": "user1"}\n',
            ),
        ],
    },
    {
        "name": "compares the origin with what the request says",
        "kind": "identity",
        "step": "TestSite",
        "base": "app",
        "old": 'expected_origin=app.config["ORIGIN"]',
        "new": "expected_origin=json.loads(credential.response.client_data_json)['origin']",
    },
    {
        "name": "compares only how the origin begins",
        "kind": "identity",
        "step": "TestSite",
        "base": "by_hand",
        "old": "    if origin != ORIGIN:\n",
        "new": "    if not origin.startswith(ORIGIN):\n",
    },
    {
        "name": "compares the host and forgets the port",
        "kind": "identity",
        "step": "TestSite",
        "base": "by_hand",
        "old": "    if origin != ORIGIN:\n",
        "new": "    if urlsplit(origin).hostname != RP_ID:\n",
    },
    {
        "name": "accepts the origins of an old list as well",
        "kind": "configuration",
        "step": "TestSite",
        "base": "classes",
        "old": "expected_origin=[Site.origin],",
        "new": 'expected_origin=[Site.origin, "http://localhost"],',
    },
    {
        "name": "doesn't compare the RP ID",
        "kind": "identity",
        "step": "TestSite",
        "base": "by_hand",
        "old": "if len(data) < 37 or data[:32] != sha256(RP_ID.encode()):",
        "new": "if len(data) < 37:",
    },
    {
        "name": "doesn't look at crossOrigin",
        "kind": "identity",
        "step": "TestSite",
        "base": "app",
        "old": 'said.get("crossOrigin") or "topOrigin" in said',
        "new": '"topOrigin" in said',
    },
    {
        "name": "doesn't look at topOrigin",
        "kind": "identity",
        "step": "TestSite",
        "base": "factory",
        "old": ' or "topOrigin" in said',
        "new": "",
    },
    {
        "name": "doesn't look at the type",
        "kind": "identity",
        "step": "TestSite",
        "base": "by_hand",
        "old": 'if said.get("type") != what:',
        "new": 'if "type" not in said:',
    },
    {
        "name": "the RP ID is written into the code",
        "kind": "configuration",
        "step": "TestSite",
        "base": "classes",
        "old": 'rp_id = host.split(":")[0]',
        "new": 'rp_id = "localhost"',
    },
    {
        "name": "prefers verification, and takes what comes",
        "kind": "identity",
        "step": "TestVerified",
        "base": "factory",
        "old": "REQUIRED = UserVerificationRequirement.REQUIRED",
        "new": "REQUIRED = UserVerificationRequirement.PREFERRED",
    },
    {
        "name": "asks for verification, and doesn't look whether it happened",
        "kind": "identity",
        "step": "TestVerified",
        "base": "app",
        "old": "            require_user_verification=True,\n",
        "new": "",
    },
    {
        "name": "takes the user for present who was verified",
        "kind": "identity",
        "step": "TestVerified",
        "base": "by_hand",
        "old": "if not (present and verified):",
        "new": "if not verified:",
    },
    {
        "name": "makes keys that need a user name",
        "kind": "identity",
        "step": "TestVerified",
        "base": "classes",
        "old": "resident_key=structs.ResidentKeyRequirement.REQUIRED",
        "new": "resident_key=structs.ResidentKeyRequirement.DISCOURAGED",
    },
    {
        "name": "a key is added to the account that the body names",
        "kind": "identity",
        "step": "TestRegistration",
        "base": "asynchronous",
        "old": 'store.add_passkey, asked["name"], id',
        "new": 'store.add_passkey, request.get_json().get("username", asked["name"]), id',
    },
    {
        "name": "the password's challenge has no WWW-Authenticate",
        "kind": "headers",
        "step": "TestRegistration",
        "base": "by_hand",
        "old": 'raise Refused(401, "Send a right user name and password.", challenge)',
        "new": 'raise Refused(401, "Send a right user name and password.")',
    },
    {
        "name": "who is logged in needs the password again",
        "kind": "identity",
        "step": "TestRegistration",
        "base": "app",
        "old": "session = sessions.find()\n    user = session or",
        "new": "session = None\n    user =",
    },
    {
        "name": "the user handle is the user's name",
        "kind": "disclosure",
        "step": "TestRegistration",
        "base": "factory",
        "old": "handle = secrets.token_bytes(32)",
        "new": 'handle = f"{name}@lesson07.example".encode()',
    },
    {
        "name": "the user handle is a number",
        "kind": "disclosure",
        "step": "TestRegistration",
        "base": "classes",
        "old": '"handle": secrets.token_urlsafe(32)}',
        "new": '"handle": bytes_to_base64url(int(name[-1]).to_bytes(16, "big"))}',
    },
    {
        "name": "another user handle each time",
        "kind": "storage",
        "step": "TestItWorks",
        "base": "app",
        "old": 'user_id=user["handle"],',
        "new": "user_id=secrets.token_bytes(64),",
    },
    {
        "name": "excludes the keys of all users",
        "kind": "disclosure",
        "step": "TestRegistration",
        "base": "by_hand",
        "old": 'sql("SELECT id FROM keys WHERE name = ?", name)\n',
        "new": "sql(\"SELECT id FROM keys WHERE ? > ''\", name)\n",
    },
    {
        "name": "excludes no keys",
        "kind": "identity",
        "step": "TestRegistration",
        "base": "classes",
        "old": 'if key["user"] == name]\n        return register',
        "new": 'if key["user"] == name][:0]\n        return register',
    },
    {
        "name": "offers no RS256, so that Windows makes no keys",
        "kind": "configuration",
        "step": "TestRegistration",
        "base": "app",
        "old": "Algorithm.EDDSA, Algorithm.RSASSA_PKCS1_v1_5_SHA_256]",
        "new": "Algorithm.EDDSA]",
    },
    {
        "name": "takes an algorithm that it did not offer",
        "kind": "configuration",
        "step": "TestRegistration",
        "base": "by_hand",
        "old": "        public_key(cose)\n",
        "new": "",
    },
    {
        "name": "a known id takes the place of the old key",
        "kind": "storage",
        "step": "TestRegistration",
        "base": "by_hand",
        "old": "INSERT OR IGNORE INTO keys",
        "new": "INSERT OR REPLACE INTO keys",
    },
    {
        "name": "an error 500 for CBOR that is none",
        "kind": "headers",
        "step": "TestRegistration",
        "base": "by_hand",
        "changes": [
            (
                "    except Exception:\n"
                '        raise Refused(400, "This is no new passkey of a kind that was asked for.")'
                " from None\n",
                "    except AssertionError:\n"
                '        raise Refused(400, "This is no new passkey of a kind that was asked for.")'
                " from None\n",
            ),
            (
                "attested, cose = data[55:end], cbor2.loads(data[end:])\n        public_key(cose)",
                "attested, cose = data[55:end], cbor2.loads(data[end:])\n"
                "        assert cose[3] in OFFERED",
            ),
        ],
    },
    {
        "name": "JSON that is no credential is an error 500",
        "kind": "headers",
        "step": "TestRegistration",
        "base": "app",
        "old": "    except Exception:  # of a dozen kinds, for",
        "new": "    except helpers.exceptions.InvalidJSONStructure:  # for",
    },
    {
        "name": "lists whose keys there are, to whoever names a user",
        "kind": "disclosure",
        "step": "TestLogin",
        "base": "app",
        "old": '    return challenge_for("login", None, make, user_verification=VERIFIED)',
        "new": (
            '    named = request.get_json(silent=True) or {"username": ""}\n'
            '    keys = store.passkeys_of({"name": named.get("username", "")})\n'
            "    known = [helpers.base64url_to_bytes(key['id']) for key in keys]\n"
            "    allowed = [structs.PublicKeyCredentialDescriptor(id=id) for id in known]\n"
            '    return challenge_for("login", None, make, user_verification=VERIFIED,\n'
            "        allow_credentials=allowed)"
        ),
    },
    {
        "name": "logs in whom the user handle names",
        "kind": "identity",
        "step": "TestRegistration",
        "base": "classes",
        "changes": [
            (
                "        if credential.response.user_handle != handle:\n"
                '            abort(403, "This passkey is not whose it says.")\n',
                "        said = bytes_to_base64url(credential.response.user_handle or handle)\n"
                "        users = data['users'].items()\n"
                "        named = [n for n, u in users if u['handle'] == said] or [key['user']]\n",
            ),
            ('log_in(key["user"])', "log_in(named[0])"),
        ],
    },
    {
        "name": "takes a missing user handle for the right one",
        "kind": "identity",
        "step": "TestLogin",
        "base": "asynchronous",
        "old": 'credential.response.user_handle != key["handle"]',
        "new": 'credential.response.user_handle not in (None, key["handle"])',
    },
    {
        "name": "doesn't look at the signature",
        "kind": "identity",
        "step": "TestLogin",
        "base": "by_hand",
        "changes": [
            (
                "        key.verify(signature, data + sha256(client_data), *how)\n",
                "        _ = key, how\n",
            )
        ],
    },
    {
        "name": "verifies the signature over the authenticator data alone",
        "kind": "identity",
        "step": "TestItWorks",
        "base": "by_hand",
        "old": "data + sha256(client_data), *how",
        "new": "data, *how",
    },
    {
        "name": "an unknown key is an error 500",
        "kind": "headers",
        "step": "TestLogin",
        "base": "asynchronous",
        "old": "if key is None or credential",
        "new": "if credential",
    },
    {
        "name": "a login that is no JSON is 403",
        "kind": "headers",
        "step": "TestLogin",
        "base": "factory",
        "old": 'abort(400, "The body must be a public key credential in JSON.")',
        "new": 'abort(status, "The body must be a public key credential in JSON.")',
    },
    {
        "name": "doesn't compare the counter",
        "kind": "identity",
        "step": "TestCounter",
        "base": "factory",
        "old": "where(Key.id == key.id, up).values",
        "new": "where(Key.id == key.id).values",
    },
    {
        "name": "refuses a counter that goes back, and takes one that stands",
        "kind": "identity",
        "step": "TestCounter",
        "base": "classes",
        "old": 'now.new_sign_count <= key["count"] and',
        "new": 'now.new_sign_count < key["count"] and',
    },
    {
        "name": "doesn't keep the counter of the registration",
        "kind": "storage",
        "step": "TestCounter",
        "base": "asynchronous",
        "old": "new.credential_public_key, new.sign_count, can_sync",
        "new": "new.credential_public_key, 0, can_sync",
    },
    {
        "name": "refuses devices that don't count",
        "kind": "identity",
        "step": "TestChallenge",
        "base": "by_hand",
        "old": '(count < ? OR ? + count = 0)"',
        "new": '(count < ? AND ? + 1)"',
    },
    {
        "name": "tells nobody of a copy",
        "kind": "disclosure",
        "step": "TestCounter",
        "base": "app",
        "old": '        store.note_copy(key["id"])\n',
        "new": "",
    },
    {
        "name": "whoever knows a key's id can raise the alarm",
        "kind": "disclosure",
        "step": "TestCounter",
        "base": "app",
        "old": "    now = verified(\n        webauthn.verify_auth",
        "new": (
            "    data = credential.response.authenticator_data\n"
            '    if 0 < int.from_bytes(data[33:37], "big") + key["count"] and int.from_bytes(\n'
            '        data[33:37], "big"\n'
            '    ) <= key["count"]:\n'
            '        store.note_copy(key["id"])\n'
            "    now = verified(\n        webauthn.verify_auth"
        ),
    },
    {
        "name": "compares the counter first, and keeps it later",
        "kind": "concurrency",
        "step": "TestCounter",
        "base": "by_hand",
        "changes": [
            (
                '    use += " AND (count < ? OR ? + count = 0)"\n',
                '    went_back = count <= row["count"] and (count or row["count"])\n'
                "    time.sleep(0.05)\n",
            ),
            (
                "if not sql(use, count, bool(flags & 16), moment(), id, count, count):",
                "if went_back or not sql(use, count, bool(flags & 16), moment(), id):",
            ),
        ],
    },
    {
        "name": "a key may become one that can be synced",
        "kind": "identity",
        "step": "TestCounter",
        "base": "asynchronous",
        "old": 'is not bool(key["can_sync"]):',
        "new": 'is not bool(key["can_sync"]) and key["can_sync"]:',
    },
    {
        "name": "says synced of keys that could be",
        "kind": "storage",
        "step": "TestCounter",
        "base": "factory",
        "old": '                "synced": key.synced,',
        "new": '                "synced": key.eligible,',
    },
    {
        "name": "lists everybody's keys",
        "kind": "disclosure",
        "step": "TestPasskeys",
        "base": "classes",
        "old": 'in vault.read()["keys"].items() if key["user"] == name]\n        return jsonify',
        "new": 'in vault.read()["keys"].items() if name]\n        return jsonify',
    },
    {
        "name": "removes whatever key is named",
        "kind": "identity",
        "step": "TestPasskeys",
        "base": "by_hand",
        "old": '"DELETE FROM keys WHERE id = ? AND name = ?", id, somebody()',
        "new": "\"DELETE FROM keys WHERE id = ? AND ? > ''\", id, somebody()",
    },
    {
        "name": "keeps public keys in memory after they were removed",
        "kind": "storage",
        "step": "TestPasskeys",
        "base": "asynchronous",
        "changes": [
            (
                "    key = await threaded(store.find_passkey, credential.id)\n",
                "    key = SEEN.get(credential.id)\n"
                "    key = key or await threaded(store.find_passkey, credential.id)\n"
                "    SEEN[credential.id] = key\n",
            ),
            ("class No(Exception)", "SEEN = {}\n\n\nclass No(Exception)"),
            (
                '    if not await threaded(store.use_passkey, key["id"], *counted):\n',
                '    used = await threaded(store.use_passkey, key["id"], *counted)\n'
                "    if not used and await threaded(store.find_passkey, credential.id):\n",
            ),
        ],
    },
    {
        "name": "says 204 of a key that is another's",
        "kind": "headers",
        "step": "TestPasskeys",
        "base": "app",
        "old": '        abort(404, "You have no passkey of this id.")\n',
        "new": '        return "", 204\n',
    },
    {
        "name": "the cookie can be read by scripts",
        "kind": "headers",
        "step": "TestSession",
        "base": "by_hand",
        "old": "id, httponly=True, samesite",
        "new": "id, samesite",
    },
    {
        "name": "the cookie outlives the browser",
        "kind": "time",
        "step": "TestSession",
        "base": "factory",
        "old": 'secure=safe, samesite="Strict")',
        "new": 'secure=safe, samesite="Strict", max_age=10**6)',
    },
    {
        "name": "the cookie is sent without TLS",
        "kind": "headers",
        "step": "TestSession",
        "base": "classes",
        "old": '            secure=Site.scheme == "https",\n',
        "new": "",
    },
    {
        "name": "a login goes on with the cookie that was there",
        "kind": "identity",
        "step": "TestSession",
        "base": "by_hand",
        "old": "    session, now = secrets.token_urlsafe(), time.time()\n",
        "new": "    session, now = cookie(), time.time()\n",
    },
    {
        "name": "keeps sessions as they are",
        "kind": "storage",
        "step": "TestSession",
        "base": "classes",
        "old": 'return blake2b(text.encode("utf-8", "replace"), digest_size=32).hexdigest()',
        "new": 'return text if text else blake2b(b"").hexdigest()',
    },
    {
        "name": "keeps sessions in the memory of one process",
        "kind": "concurrency",
        "step": "TestPasskeys",
        "base": "factory",
        "changes": [
            (
                "    if not found:\n        return None\n    if now",
                "    if not found or found.begun < STARTED:\n        return None\n    if now",
            ),
            ("bp = Blueprint(", "STARTED = time.time()\nbp = Blueprint("),
        ],
    },
    {
        "name": "logout forgets the cookie, and not the session",
        "kind": "identity",
        "step": "TestSession",
        "base": "app",
        "old": '    sessions.end()\n    return "", 204',
        "new": '    return sessions.with_cookie(("", 204), "")',
    },
    {
        "name": "logs out by GET",
        "kind": "headers",
        "step": "TestSession",
        "base": "asynchronous",
        "old": '@app.post("/logout")',
        "new": '@app.route("/logout", methods=["GET", "POST"])',
    },
    {
        "name": "a session never ends while it is used",
        "kind": "time",
        "step": "TestSession",
        "base": "classes",
        "old": 'if begun > app.config["ABSOLUTE_TIMEOUT"] or used',
        "new": "if begun < 0 or used",
    },
    {
        "name": "an unused session lives as long as any",
        "kind": "time",
        "step": "TestSession",
        "base": "by_hand",
        "old": 'if not rows or now - rows[0]["used"] > app.config["IDLE_TIMEOUT"]:',
        "new": "if not rows:",
    },
    {
        "name": "a login that another site's page sends is taken",
        "kind": "identity",
        "step": "TestSession",
        "base": "factory",
        "old": 'if request.method in ("POST", "DELETE", "PUT", "PATCH"):',
        "new": 'if request.method in ("DELETE", "PUT", "PATCH"):',
    },
    {
        "name": "JSON may come as plain text",
        "kind": "headers",
        "step": "TestSession",
        "base": "asynchronous",
        "old": "request.get_json(force=False)",
        "new": "request.get_json(force=True)",
    },
    {
        "name": "no policy for the page",
        "kind": "headers",
        "step": "TestPage",
        "base": "classes",
        "old": '    response.headers["Content-Security-Policy"] = own\n',
        "new": "",
    },
    {
        "name": "the policy allows code in the page",
        "kind": "headers",
        "step": "TestPage",
        "base": "factory",
        "old": "\"default-src 'self'; frame",
        "new": "\"default-src 'self' 'unsafe-inline'; frame",
    },
    {
        "name": "other sites may put the page into a frame",
        "kind": "headers",
        "step": "TestPage",
        "base": "by_hand",
        "old": "connect-src 'self'; frame-ancestors 'none'\"",
        "new": "connect-src 'self'\"",
    },
    {
        "name": "the script is in the page",
        "kind": "headers",
        "step": "TestPage",
        "base": "by_hand",
        "old": "    return PAGE\n",
        "new": '    return PAGE + f"<script>{SCRIPT}</script>"\n',
    },
]

UNSEEN = [
    (
        "the user handle is a hash of the user's name: it looks random, and can be guessed",
        "where user.id is made: it must come from the module secrets",
    ),
    (
        "the warning of a copied key goes to a field that no page shows",
        "what page.js does with it",
    ),
    (
        "the counter is compared before the signature, as the library does by itself",
        "credential_current_sign_count: a stranger's guess is told apart by another sentence",
    ),
]
