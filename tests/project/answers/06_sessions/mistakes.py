"""Wrong answers to lesson 06: each a right one with one believable mistake in it.

step: where it must be caught; kind: what sort of mistake it is; base: the right answer that it is
made from ("app" is app.py).
"""

MISTAKES = [
    {
        "name": "answers nobody with 401 instead of the form",
        "kind": "identity",
        "step": "TestItWorks",
        "base": "flask_login_way",
        "old": '    return redirect(url_for("login", next=path))',
        "new": '    return "Log in first.", 401',
    },
    {
        "name": "shows the admin's page to everyone",
        "kind": "identity",
        "step": "TestItWorks",
        "base": "app",
        "old": '    if not g.user["admin"]:\n',
        "new": '    if not g.user["name"]:\n',
    },
    {
        "name": "answers a wrong password with 200",
        "kind": "headers",
        "step": "TestLogin",
        "base": "flask_login_way",
        "old": 'page("login.html", 403, error="That was wrong.")',
        "new": 'page("login.html", error="That was wrong.")',
    },
    {
        "name": "says whether the name exists",
        "kind": "disclosure",
        "step": "TestLogin",
        "base": "by_hand",
        "old": ('    if not stored:\n        return page(FORM.format("Wrong."), 403)\n    where'),
        "new": (
            "    if not stored:\n"
            '        known = query("SELECT 1 FROM people WHERE name = ?", name)\n'
            '        return page(FORM.format("Wrong." if known else "No such '
            'user."), 403)\n'
            "    where"
        ),
    },
    {
        "name": "answers an unknown name at once",
        "kind": "disclosure",
        "step": "TestLogin",
        "base": "by_hand",
        "old": "    stored = found[0][0] if found else SOMEBODY\n",
        "new": "    if not found:\n        return None\n    stored = found[0][0]\n",
    },
    {
        "name": "writes the name that was typed into the page as HTML",
        "kind": "disclosure",
        "step": "TestLogin",
        "base": "by_hand",
        "old": ('    if not stored:\n        return page(FORM.format("Wrong."), 403)\n    where'),
        "new": (
            "    if not stored:\n"
            '        return page(FORM.format(f"Wrong, {name}."), 403)\n'
            "    where"
        ),
    },
    {
        "name": "writes the browser's name into the list as HTML",
        "kind": "disclosure",
        "step": "TestLogin",
        "base": "classes",
        "old": "{{ row.browser }}",
        "new": "{{ row.browser | safe }}",
    },
    {
        "name": "takes a password with NUL behind it",
        "kind": "identity",
        "step": "TestLogin",
        "base": "by_hand",
        "old": ' or "\\0" in text:',
        "new": ":",
    },
    {
        "name": "a login without a password is an error 500",
        "kind": "headers",
        "step": "TestLogin",
        "base": "by_hand",
        "old": 'right = fits(word or b"-", stored)',
        "new": "right = fits(word, stored)",
    },
    {
        "name": "lets scripts read the cookie",
        "kind": "headers",
        "step": "TestCookie",
        "base": "app",
        "old": '"httponly": True',
        "new": '"httponly": False',
    },
    {
        "name": "leaves SameSite to the browser",
        "kind": "headers",
        "step": "TestCookie",
        "base": "plain_session",
        "old": 'app.config["SESSION_COOKIE_SAMESITE"] = "Lax"\n',
        "new": "",
    },
    {
        "name": "SameSite=None, so that it works everywhere",
        "kind": "headers",
        "step": "TestCookie",
        "base": "classes",
        "old": 'set_cookie(name, id, httponly=True, samesite="Lax"',
        "new": 'set_cookie(name, id, httponly=True, samesite="None"',
    },
    {
        "name": "the cookie stays for a month",
        "kind": "time",
        "step": "TestCookie",
        "base": "plain_session",
        "old": '    session["sid"] = id\n',
        "new": '    session["sid"] = id\n    session.permanent = True\n',
    },
    {
        "name": "the cookie has no path of its own",
        "kind": "headers",
        "step": "TestCookie",
        "base": "by_hand",
        "old": "={id}; Path=/; HttpOnly",
        "new": "={id}; HttpOnly",
    },
    {
        "name": "the cookie is for all hosts below the domain",
        "kind": "headers",
        "step": "TestCookie",
        "base": "by_hand",
        "old": "={id}; Path=/; HttpOnly",
        "new": "={id}; Path=/; Domain=127.0.0.1; HttpOnly",
    },
    {
        "name": "the cookie is called session",
        "kind": "configuration",
        "step": "TestCookie",
        "base": "plain_session",
        "old": '("__Host-" if secure else "") + "mine"',
        "new": '("__Host-" if secure else "") + "session"',
    },
    {
        "name": "behind TLS the cookie still goes over plain http",
        "kind": "configuration",
        "step": "TestCookie",
        "base": "by_hand",
        "old": '    end = "; Secure" if SECURE else ""',
        "new": '    end = ""',
    },
    {
        "name": "behind TLS another subdomain can set the cookie",
        "kind": "configuration",
        "step": "TestCookie",
        "base": "classes",
        "old": '"__Host-my-lesson" if secure else "my-lesson"',
        "new": '"my-lesson"',
    },
    {
        "name": "believes the cookie about who is an admin",
        "kind": "identity",
        "step": "TestKept",
        "base": "plain_session",
        "changes": [
            (
                '    session["sid"] = id\n',
                (
                    '    session["sid"] = id\n'
                    '    session["admin"] = bool(store.find_session(id)["admin"])\n'
                ),
            ),
            ('if not g.user["admin"]', 'if not session["admin"]'),
        ],
    },
    {
        "name": "believes the name in the cookie",
        "kind": "identity",
        "step": "TestKept",
        "base": "plain_session",
        "changes": [
            (
                '    session["sid"] = id\n',
                ('    session["sid"] = id\n    session["name"] = store.find_session(id)["name"]\n'),
            ),
            (
                "    g.user = store.find_session(id) if isinstance(id, str) else None\n",
                (
                    "    g.user = store.find_session(id) if isinstance(id, str) else None\n"
                    "    if g.user:\n"
                    '        g.user = {**g.user, "name": session["name"]}\n'
                    '        g.user["admin"] = session["name"] == "user1"\n'
                ),
            ),
        ],
    },
    {
        "name": "the cookie of Flask-Login names the user, not the session",
        "kind": "identity",
        "step": "TestKept",
        "base": "flask_login_way",
        "changes": [
            (
                "        self.id, self.row = id, row\n",
                '        self.id, self.row = row["name"], row\n',
            ),
            (
                (
                    "    row = store.find_session(str(id))\n"
                    "    return Visit(id, row) if row else None"
                ),
                (
                    '    row = store.find_session(session.get("sid", ""))\n'
                    '    user = store.db().execute("SELECT * FROM users WHERE name = '
                    '?", [id]).fetchone()\n'
                    "    return Visit(id, {**row, **user}) if row and user else None"
                ),
            ),
            (
                "    return login_user(Visit(id, user))",
                ('    session["sid"] = id\n    return login_user(Visit(id, user))'),
            ),
        ],
    },
    {
        "name": "keeps the id itself in the table",
        "kind": "storage",
        "step": "TestKept",
        "base": "classes",
        "old": "return sha256(self.app.secret_key.encode() + id.encode()).hexdigest()",
        "new": "return id",
    },
    {
        "name": "keeps the bytes that the id spells",
        "kind": "storage",
        "step": "TestKept",
        "base": "by_hand",
        "old": (
            '    return hashlib.blake2b(id.encode("utf-8", "replace"), digest_size=32).digest()'
        ),
        "new": (
            '    try:\n        return bytes.fromhex(id)\n    except ValueError:\n        return b""'
        ),
    },
    {
        "name": "goes on with the id that the browser sent",
        "kind": "identity",
        "step": "TestKept",
        "base": "by_hand",
        "changes": [
            (
                "    id, now, agent = secrets.token_hex(32), time.time()",
                (
                    "    sent = request.cookies.get(COOKIE)\n"
                    "    id, now, agent = sent or secrets.token_hex(32), time.time()"
                ),
            ),
            ('"INSERT INTO visits SELECT ?', '"INSERT OR REPLACE INTO visits SELECT ?'),
            (
                (
                    '    query("DELETE FROM visits WHERE tag = ?", '
                    'tag(request.cookies.get(COOKIE, "")))\n'
                ),
                "",
            ),
        ],
    },
    {
        "name": "the session that the browser had before a login goes on",
        "kind": "identity",
        "step": "TestKept",
        "base": "app",
        "old": (
            "    store.end_session(g.id)  # whatever the browser sent is worth "
            "nothing from now on\n"
        ),
        "new": "",
    },
    {
        "name": "ids of 32 bits",
        "kind": "identity",
        "step": "TestKept",
        "base": "classes",
        "old": "id, now = secrets.token_urlsafe(32)",
        "new": "id, now = secrets.token_urlsafe(4)",
    },
    {
        "name": "the time is the id",
        "kind": "identity",
        "step": "TestKept",
        "base": "by_hand",
        "old": "    id, now, agent = secrets.token_hex(32)",
        "new": "    id, now, agent = str(time.time_ns())",
    },
    {
        "name": "one id for each user, computed from the name",
        "kind": "identity",
        "step": "TestKept",
        "base": "by_hand",
        "changes": [
            (
                "    id, now, agent = secrets.token_hex(32)",
                "    id, now, agent = tag(FILE + name).hex()",
            ),
            ('"INSERT INTO visits SELECT ?', '"INSERT OR REPLACE INTO visits SELECT ?'),
            (
                (
                    '    query("DELETE FROM visits WHERE tag = ?", '
                    'tag(request.cookies.get(COOKIE, "")))\n'
                ),
                "",
            ),
        ],
    },
    {
        "name": "a logout forgets the cookie and leaves the session",
        "kind": "identity",
        "step": "TestLogout",
        "base": "app",
        "old": '    store.end_session(g.id)\n    g.id = ""',
        "new": '    g.id = ""',
    },
    {
        "name": "notes logouts in memory, so a restart brings sessions back",
        "kind": "storage",
        "step": "TestLogout",
        "base": "by_hand",
        "changes": [
            (
                ('    if found:\n        query("DELETE FROM visits WHERE tag = ?", found[0])\n'),
                "    if found:\n        ENDED.add(found[0])\n",
            ),
            (
                "    if not found:\n        return None\n    name, boss",
                ("    if not found or mine in ENDED:\n        return None\n    name, boss"),
            ),
            ("def tag(id):", "ENDED = set()\n\n\ndef tag(id):"),
        ],
    },
    {
        "name": "a logout ends all sessions of the user",
        "kind": "identity",
        "step": "TestLogout",
        "base": "by_hand",
        "old": '        query("DELETE FROM visits WHERE tag = ?", found[0])\n',
        "new": '        query("DELETE FROM visits WHERE name = ?", found[1])\n',
    },
    {
        "name": "a link logs out as well",
        "kind": "headers",
        "step": "TestLogout",
        "base": "plain_session",
        "old": '@app.post("/logout")',
        "new": '@app.route("/logout", methods=["GET", "POST"])',
    },
    {
        "name": "no-cache, which lets the browser keep the page",
        "kind": "headers",
        "step": "TestLogout",
        "base": "app",
        "old": '"no-store"  #',
        "new": '"no-cache"  #',
    },
    {
        "name": "the list of sessions may be stored",
        "kind": "headers",
        "step": "TestLogout",
        "base": "plain_session",
        "old": 'if request.endpoint != "public":',
        "new": 'if request.path in ("/", "/admin"):',
    },
    {
        "name": "changes the password without the old one",
        "kind": "identity",
        "step": "TestPassword",
        "base": "by_hand",
        "old": (
            '    stored = check(name, request.form.get("old", ""))\n'
            "    if not stored:\n"
            '        return Response("Wrong.", 403)\n'
        ),
        "new": '    stored = query("SELECT hash FROM people WHERE name = ?", name)[0][0]\n',
    },
    {
        "name": "takes the password of any user for the old one",
        "kind": "identity",
        "step": "TestPassword",
        "base": "classes",
        "old": (
            '        user = store.check_password(g.visit["name"], '
            'request.form.get("old", ""))\n'
            "        if not user:\n"
        ),
        "new": (
            '        old, names = request.form.get("old", ""), ("user1", "user2")\n'
            "        user = next(filter(None, (store.check_password(name, old) for "
            "name in names)), None)\n"
            "        if not user:\n"
        ),
    },
    {
        "name": "other sessions outlive a change of password",
        "kind": "identity",
        "step": "TestPassword",
        "base": "classes",
        "old": (
            '            visits.end("name = ? AND digest != ?", user["name"], '
            'g.visit["digest"])\n'
            '        return redirect("/", 303)'
        ),
        "new": '        return redirect("/", 303)',
    },
    {
        "name": "a change of password ends everybody's sessions",
        "kind": "identity",
        "step": "TestPassword",
        "base": "by_hand",
        "old": '    query("DELETE FROM visits WHERE name = ? AND tag != ?", name, mine)\n',
        "new": '    query("DELETE FROM visits WHERE tag != ?", mine)\n',
    },
    {
        "name": "a change of password ends this session too",
        "kind": "identity",
        "step": "TestPassword",
        "base": "app",
        "old": "    g.id = id  # this session has ended",
        "new": "    # this session has ended",
    },
    {
        "name": "a wrong old password is 400",
        "kind": "headers",
        "step": "TestPassword",
        "base": "app",
        "old": 'abort(403, "The old password is wrong.")',
        "new": 'abort(400, "The old password is wrong.")',
    },
    {
        "name": "takes an empty new password",
        "kind": "identity",
        "step": "TestPassword",
        "base": "by_hand",
        "old": '    if not new:\n        return Response("No password.", 400)\n',
        "new": '    new = new or b""\n',
    },
    {
        "name": "compares what keyboards send, not what they mean (NFC)",
        "kind": "identity",
        "step": "TestPassword",
        "base": "by_hand",
        "old": 'unicodedata.normalize("NFC", text).encode()',
        "new": "text.encode()",
    },
    {
        "name": "a login that checked the old password begins a session after the change",
        "kind": "concurrency",
        "step": "TestPassword",
        "base": "classes",
        "old": "            if not known.fetchone():\n                return None\n",
        "new": "",
    },
    {
        "name": "ends the sessions first and changes the password then",
        "kind": "concurrency",
        "step": "TestPassword",
        "base": "by_hand",
        "changes": [
            (
                (
                    '    query("DELETE FROM visits WHERE name = ? AND tag != ?", '
                    "name, mine)\n"
                    '    return redirect("/", 303)'
                ),
                '    return redirect("/", 303)',
            ),
            (
                "    fresh = hashed(new)\n",
                (
                    '    query("DELETE FROM visits WHERE name = ? AND tag != ?", '
                    "name, mine)\n"
                    "    fresh = hashed(new)\n"
                ),
            ),
        ],
    },
    {
        "name": "lists everybody's sessions",
        "kind": "disclosure",
        "step": "TestSessions",
        "base": "classes",
        "old": 'db().execute("SELECT * FROM sessions WHERE name = ?", [g.visit["name"]])',
        "new": 'db().execute("SELECT * FROM sessions")',
    },
    {
        "name": "shows the browser of who asks at every session",
        "kind": "disclosure",
        "step": "TestSessions",
        "base": "classes",
        "old": "{{ row.browser }}",
        "new": "{{ request.user_agent }}",
    },
    {
        "name": "doesn't say which session is this one",
        "kind": "disclosure",
        "step": "TestSessions",
        "base": "by_hand",
        "old": '" aria-current=true" if tag_ == found[0] else ""',
        "new": '""',
    },
    {
        "name": "ends the sessions of other users as well",
        "kind": "identity",
        "step": "TestSessions",
        "base": "by_hand",
        "old": (
            '    query("DELETE FROM visits WHERE name = ? AND tag != ?", found[1], found[0])\n'
        ),
        "new": '    query("DELETE FROM visits WHERE tag != ?", found[0])\n',
    },
    {
        "name": "ends this session with the others",
        "kind": "identity",
        "step": "TestSessions",
        "base": "classes",
        "old": (
            '        visits.end("name = ? AND digest != ?", g.visit["name"], '
            'g.visit["digest"])\n'
            '        return redirect("/sessions")'
        ),
        "new": (
            '        visits.end("name = ?", g.visit["name"])\n        return redirect("/sessions")'
        ),
    },
    {
        "name": "no session ends for being idle",
        "kind": "time",
        "step": "TestEnds",
        "base": "by_hand",
        "old": "not now - idle < last < now + idle or ",
        "new": "",
    },
    {
        "name": "no session ends for being old",
        "kind": "time",
        "step": "TestEnds",
        "base": "by_hand",
        "old": " or not now - age < first < now + age",
        "new": "",
    },
    {
        "name": "use doesn't keep a session alive",
        "kind": "time",
        "step": "TestEnds",
        "base": "by_hand",
        "old": '    query("UPDATE visits SET last = ? WHERE tag = ?", now, mine)\n',
        "new": "",
    },
    {
        "name": "each use makes a session young again",
        "kind": "time",
        "step": "TestEnds",
        "base": "by_hand",
        "old": '    query("UPDATE visits SET last = ? WHERE tag = ?", now, mine)\n',
        "new": (
            '    query("UPDATE visits SET first = ?, last = ? WHERE tag = ?", now, now, mine)\n'
        ),
    },
    {
        "name": "notes the last use once a minute, whatever the limit",
        "kind": "time",
        "step": "TestEnds",
        "base": "by_hand",
        "old": '    query("UPDATE visits SET last = ? WHERE tag = ?", now, mine)\n',
        "new": (
            "    if now - last > 60:\n"
            '        query("UPDATE visits SET last = ? WHERE tag = ?", now, mine)\n'
        ),
    },
    {
        "name": "lists sessions that have ended",
        "kind": "disclosure",
        "step": "TestEnds",
        "base": "classes",
        "old": "[row for row in rows if visits.lives(row)]",
        "new": "list(rows)",
    },
    {
        "name": "the cookie says when its session began",
        "kind": "time",
        "step": "TestEnds",
        "base": "plain_session",
        "changes": [
            ("import secrets\n", "import secrets\nimport time\n"),
            (
                'secure = app.config["SESSION_COOKIE_SECURE"]\n',
                (
                    'secure = app.config["SESSION_COOKIE_SECURE"]\n'
                    'OLDEST, app.config["ABSOLUTE_TIMEOUT"] = '
                    'app.config["ABSOLUTE_TIMEOUT"], 10**9\n'
                ),
            ),
            (
                '    session["sid"] = id\n',
                '    session["sid"], session["begun"] = id, time.time()\n',
            ),
            (
                "    g.user = store.find_session(id) if isinstance(id, str) else None\n",
                (
                    "    g.user = store.find_session(id) if isinstance(id, str) else None\n"
                    '    if time.time() - session.get("begun", 0) > OLDEST:\n'
                    "        g.user = None\n"
                ),
            ),
        ],
    },
    {
        "name": "the limits stand in the code, whatever the settings say",
        "kind": "configuration",
        "step": "TestEnds",
        "base": "by_hand",
        "old": 'idle, age = app.config["IDLE_TIMEOUT"], app.config["ABSOLUTE_TIMEOUT"]',
        "new": "idle, age = 1800, 43200",
    },
    {
        "name": "an empty token fits a cookie that is missing",
        "kind": "identity",
        "step": "TestOtherSites",
        "base": "plain_session",
        "old": "if not wanted or not hmac",
        "new": "if not hmac",
    },
    {
        "name": "checks the token only where one came",
        "kind": "identity",
        "step": "TestOtherSites",
        "base": "plain_session",
        "old": 'if request.method == "POST":',
        "new": 'if request.method == "POST" and "csrf" in request.form:',
    },
    {
        "name": "the login needs no token",
        "kind": "identity",
        "step": "TestOtherSites",
        "base": "plain_session",
        "old": 'if request.method == "POST":',
        "new": 'if request.method == "POST" and request.path != "/login":',
    },
    {
        "name": "the logout needs no token",
        "kind": "identity",
        "step": "TestOtherSites",
        "base": "plain_session",
        "old": 'if request.method == "POST":',
        "new": 'if request.method == "POST" and request.path != "/logout":',
    },
    {
        "name": "one token for all browsers",
        "kind": "identity",
        "step": "TestOtherSites",
        "base": "flask_login_way",
        "old": 'session.setdefault("csrf", secrets.token_urlsafe(20))',
        "new": 'session.setdefault("csrf", app.secret_key[:16])',
    },
    {
        "name": "compares only how the origin begins",
        "kind": "headers",
        "step": "TestOtherSites",
        "base": "by_hand",
        "old": (
            'if site not in (None, "same-origin", "none") or origin not in (None, '
            "request.host_url[:-1]):"
        ),
        "new": "if not (origin or request.host_url).startswith(request.host_url[:-1]):",
    },
    {
        "name": "takes Origin: null for its own",
        "kind": "headers",
        "step": "TestOtherSites",
        "base": "by_hand",
        "old": "or origin not in (None, request.host_url[:-1]):",
        "new": 'or origin not in (None, "null", request.host_url[:-1]):',
    },
    {
        "name": "takes another port of this host for its own",
        "kind": "headers",
        "step": "TestOtherSites",
        "base": "by_hand",
        "old": (
            'if site not in (None, "same-origin", "none") or origin not in (None, '
            "request.host_url[:-1]):"
        ),
        "new": (
            'if site == "cross-site" or not site and origin not in (None, request.host_url[:-1]):'
        ),
    },
    {
        "name": "trusts SameSite alone",
        "kind": "headers",
        "step": "TestOtherSites",
        "base": "plain_session",
        "old": 'if request.method == "POST":',
        "new": 'if request.method == "POST" and not request.cookies:',
    },
    {
        "name": "its pages can be framed",
        "kind": "headers",
        "step": "TestOtherSites",
        "base": "plain_session",
        "old": '    response.headers["X-Frame-Options"] = "DENY"\n',
        "new": "",
    },
    {
        "name": "follows next wherever it points",
        "kind": "headers",
        "step": "TestNext",
        "base": "app",
        "old": 'own_path(request.args.get("next", ""))',
        "new": 'request.args.get("next") or "/"',
    },
    {
        "name": "next need only begin with a slash",
        "kind": "headers",
        "step": "TestNext",
        "base": "plain_session",
        "old": (
            'if not text.startswith("/") or text[1:2] in ("/", "\\\\") or not text.isprintable():'
        ),
        "new": 'if not text.startswith("/") or not text.isprintable():',
    },
    {
        "name": "forgets that browsers read \\ as /",
        "kind": "headers",
        "step": "TestNext",
        "base": "plain_session",
        "old": 'text[1:2] in ("/", "\\\\")',
        "new": 'text[1:2] == "/"',
    },
    {
        "name": "forgets that browsers skip tabs",
        "kind": "headers",
        "step": "TestNext",
        "base": "plain_session",
        "old": ' or not text.isprintable():\n            return "/"',
        "new": ':\n            return "/"',
    },
    {
        "name": "asks urlsplit whether next names a host",
        "kind": "headers",
        "step": "TestNext",
        "base": "app",
        "changes": [
            ("from urllib.parse import unquote", "from urllib.parse import urlsplit"),
            (
                (
                    "    for text in (target, unquote(target)):\n"
                    '        if not re.fullmatch(r"/(?!/)[^\\\\]*", text) or not '
                    "text.isprintable():\n"
                    '            return url_for("index")\n'
                    "    return target"
                ),
                '    return target if target and not urlsplit(target).netloc else "/"',
            ),
        ],
    },
    {
        "name": "compares how next begins with its own address",
        "kind": "headers",
        "step": "TestNext",
        "base": "by_hand",
        "old": 'redirect(where if plain else "/", 303)',
        "new": (
            'redirect(where if plain or where.startswith(request.host_url[:-1]) else "/", 303)'
        ),
    },
    {
        "name": "forgets where the user wanted to go",
        "kind": "identity",
        "step": "TestNext",
        "base": "by_hand",
        "old": 'redirect(where if plain else "/", 303)',
        "new": 'redirect("/", 303)',
    },
]
