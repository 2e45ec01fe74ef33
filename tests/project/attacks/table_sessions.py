"""What is tried on lesson 06, and what becomes of it."""

import on_sessions
from attack import FAILS, NOT_THERE, WORKS, Attack, StillWorks
from table_http import LIMIT, through_http

_NO_TOKEN = ("if not g.id or not hmac.compare_digest(sent.encode(), wanted.encode()):", "if False:")
_NO_ORIGIN = ('if request.headers.get("Origin", own) != own:', "if False:")
_ANY_OLD = (
    'user = store.check_password(g.user["name"], request.form.get("old", ""))',
    'find = "SELECT * FROM users WHERE name = ?"\n'
    '    user = store.db().execute(find, [g.user["name"]]).fetchone()',
)
_KEEPS_OTHERS = (
    "DELETE FROM sessions WHERE name = ? AND digest != ?",
    "DELETE FROM sessions WHERE name = ? AND digest != ? AND 0",
)
_KEEPS_ITS_ID = (
    "id, now, browser = token_urlsafe(32)",
    'sent = request.cookies.get(current_app.config["COOKIE"])\n'
    "    id, now, browser = sent or token_urlsafe(32)",
)
_ENDS_NOTHING = ("store.end_session(g.id)  # whatever", "# whatever")
_ADDS = ('"INSERT INTO sessions SELECT', '"INSERT OR REPLACE INTO sessions SELECT')
_FIND = '"SELECT * FROM sessions JOIN users USING (name) WHERE digest = ?"'
_TOLD = (
    'return page("login.html", 403,',
    'known = "SELECT 1 FROM users WHERE name = ?"\n'
    '        given = [request.form.get("username", "")]\n'
    "        status = 403 if store.db().execute(known, given).fetchone() else 404\n"
    '        return page("login.html", status,',
)
_QUICK = ('idle < ends["IDLE_TIMEOUT"] and age', "age")
_ENDLESS = (' and age < ends["ABSOLUTE_TIMEOUT"]', "")


SESSIONS = [
    Attack(
        "06",
        "Cookie forged with a guessed key",
        "CWE-321, CWE-565",
        on_sessions.forged_cookie,
        WORKS,
    ),
    Attack(
        "06",
        "Cookie made up",
        "CWE-565, WSTG-SESS-01",
        on_sessions.cookie_made_up,
        FAILS,
        ((_FIND, _FIND.replace("digest = ?", '? IN (digest, \'" + digest("user1") + "\')')),),
    ),
    Attack(
        "06",
        "Session id in another place than the cookie",
        "CWE-598",
        on_sessions.id_in_another_place,
        FAILS,
        (
            (
                'g.id = request.cookies.get(app.config["COOKIE"], "")',
                'name = app.config["COOKIE"]\n'
                '    g.id = request.cookies.get(name) or request.args.get(name, "")',
            ),
        ),
    ),
    Attack(
        "06",
        "Session id guessed",
        "CWE-330, WSTG-SESS-01",
        on_sessions.guessed_id,
        NOT_THERE,
        (
            (
                "id, now, browser = token_urlsafe(32)",
                "id, now, browser = str(int(time.time() * 1000))",
            ),
        ),
    ),
    Attack(
        "06",
        "Stolen table of sessions",
        "CWE-312",
        on_sessions.stolen_table,
        NOT_THERE,
        (("return hashlib.sha256(id.encode()).hexdigest()", "return id"),),
    ),
    Attack(
        "06",
        "Copied cookie after a logout",
        "CWE-613, WSTG-SESS-06",
        on_sessions.copied_cookie_after_logout,
        WORKS,
        (('store.end_session(g.id)\n    g.id = ""', 'g.id = ""'),),
    ),
    Attack(
        "06",
        "Copied cookie after a new password",
        "CWE-613",
        on_sessions.copied_cookie_after_new_password,
        WORKS,
        (_KEEPS_OTHERS,),
    ),
    Attack(
        "06",
        "Session of a thief after a new password",
        "CWE-613",
        on_sessions.other_session_after_new_password,
        WORKS,
        (_KEEPS_OTHERS,),
        long=True,
    ),
    Attack(
        "06",
        "Copied cookie after the next login",
        "CWE-613",
        on_sessions.copied_cookie_after_next_login,
        WORKS,
        (_ENDS_NOTHING,),
    ),
    Attack(
        "06",
        "Session fixation",
        "CWE-384, WSTG-SESS-03",
        on_sessions.fixation,
        FAILS,
        (_KEEPS_ITS_ID, _ENDS_NOTHING),
    ),
    Attack(
        "06",
        "Session fixation with a session of the attacker",
        "CWE-384",
        on_sessions.fixation_with_a_session,
        FAILS,
        (_KEEPS_ITS_ID, _ENDS_NOTHING, _ADDS),
    ),
    Attack(
        "06",
        "Forged logout",
        "CWE-352",
        on_sessions.log_out_from_elsewhere,
        WORKS,
        (_NO_TOKEN, _NO_ORIGIN),
    ),
    Attack(
        "06",
        "Forged login",
        "CWE-352",
        on_sessions.log_in_from_another_site,
        WORKS,
        (_NO_TOKEN, _NO_ORIGIN),
    ),
    Attack(
        "06",
        "Forged login from another port",
        "CWE-352, RFC 6265 8.5",
        on_sessions.log_in_from_another_port,
        WORKS,
        (_NO_ORIGIN,),
    ),
    Attack(
        "06",
        "Forged change of the password",
        "CWE-352",
        on_sessions.password_from_elsewhere,
        WORKS,
        (_NO_TOKEN, _NO_ORIGIN, _ANY_OLD),
    ),
    Attack(
        "06",
        "Forged end of all sessions",
        "CWE-352",
        on_sessions.sessions_ended_from_elsewhere,
        NOT_THERE,
        (_NO_TOKEN, _NO_ORIGIN),
    ),
    Attack(
        "06",
        "Form token of another session",
        "CWE-352",
        on_sessions.token_of_another_session,
        NOT_THERE,
        (('g.id.encode(), "sha256"', 'b"one for all", "sha256"'),),
    ),
    Attack(
        "06",
        "Change by GET",
        "CWE-650, RFC 9110 9.2.1",
        on_sessions.by_get,
        WORKS,
        (('@app.post("/sessions/end")', '@app.get("/sessions/end")'),),
    ),
    Attack(
        "06",
        "Open redirect",
        "CWE-601",
        on_sessions.open_redirect,
        WORKS,
        (('own_path(request.args.get("next", ""))', 'request.args.get("next", "")'),),
        long=True,
    ),
    Attack(
        "06",
        "Markup in a name",
        "CWE-79",
        on_sessions.markup,
        WORKS,
        (
            (
                "app = Flask(__name__)",
                'app = Flask(__name__)\napp.jinja_options = {"autoescape": False}',
            ),
        ),
    ),
    Attack(
        "06",
        "Clickjacking",
        "CWE-1021",
        on_sessions.framed,
        WORKS,
        (("; frame-ancestors 'none'", ""),),
    ),
    Attack(
        "06",
        "Back button after a logout",
        "CWE-525, WSTG-ATHN-06",
        on_sessions.back_button,
        WORKS,
        (('response.headers["Cache-Control"] = "no-store"', ""),),
    ),
    Attack(
        "06",
        "Session past its idle time",
        "CWE-613, WSTG-SESS-07",
        on_sessions.idle_session,
        WORKS,
        (_QUICK,),
        settings=(("IDLE_TIMEOUT", 2),),
        long=True,
    ),
    Attack(
        "06",
        "Session kept alive past its absolute time",
        "CWE-613, WSTG-SESS-07",
        on_sessions.endless_session,
        WORKS,
        (_ENDLESS,),
        settings=(("ABSOLUTE_TIMEOUT", 2),),
        long=True,
    ),
    Attack(
        "06",
        "Session from the future",
        "CWE-613",
        on_sessions.clock_set_back,
        NOT_THERE,
        (
            (
                'idle, age = abs(now - row["used"]), abs(now - row["begun"])',
                'idle, age = now - row["used"], now - row["begun"]',
            ),
        ),
        long=True,
    ),
    Attack(
        "06",
        "Login while the password is changed",
        "CWE-367",
        on_sessions.login_during_new_password,
        NOT_THERE,
        (("FROM users WHERE name = ? AND hash = ?", "FROM users WHERE name = ? AND ? > ''"),),
        long=True,
    ),
    Attack(
        "06",
        "User enumeration by the answer",
        "CWE-204, WSTG-IDNT-04",
        on_sessions.enumeration_by_answer,
        WORKS,
        (_TOLD,),
    ),
    Attack(
        "06",
        "User enumeration by time",
        "CWE-208",
        on_sessions.enumeration_by_time,
        NOT_THERE,
        (
            (
                "right = argon2id.verify(password, stored or NOBODY)",
                "right = bool(stored) and argon2id.verify(password, stored)",
            ),
        ),
        long=True,
    ),
    Attack(
        "06",
        "Table filled by strangers",
        "CWE-770",
        on_sessions.table_filled,
        NOT_THERE,
        (
            (
                "g.id = g.id or secrets.token_urlsafe(32)",
                'g.id = g.id or store.begin_session(store.check_password("user1", "pass1"))',
            ),
        ),
    ),
    Attack(
        "06",
        "Sessions that pile up",
        "CWE-459",
        on_sessions.sessions_pile_up,
        NOT_THERE,
        (("WHERE used < ? LIMIT 100", "WHERE used < ? LIMIT 0"),),
        long=True,
    ),
    Attack(
        "06",
        "Sessions of another user",
        "CWE-639",
        on_sessions.sessions_of_others,
        NOT_THERE,
        (("FROM sessions WHERE name = ? ORDER BY", "FROM sessions WHERE ? > '' ORDER BY"),),
    ),
    Attack(
        "06",
        "Session that survives the end of all others",
        "CWE-613",
        on_sessions.survivor,
        NOT_THERE,
        (_KEEPS_OTHERS,),
    ),
    Attack(
        "06",
        "Stolen remember token",
        "CWE-294",
        on_sessions.remember_token_used_twice,
        NOT_THERE,
        (('db().execute("DELETE FROM sessions WHERE name = ?", [known["name"]])', "pass"),),
        file="beyond",
    ),
    Attack(
        "06",
        "Stolen remember token after a logout",
        "CWE-613",
        on_sessions.remember_token_after_logout,
        NOT_THERE,
        (("DELETE FROM remembered WHERE series = ?", "DELETE FROM remembered WHERE 0 = ?"),),
        file="beyond",
        long=True,
    ),
    Attack(
        "06",
        "Stolen remember token after a new password",
        "CWE-613",
        on_sessions.remember_token_after_new_password,
        NOT_THERE,
        (('known["password"] != digest(known["hash"])', "False"),),
        file="beyond",
        long=True,
    ),
    Attack(
        "06",
        "Remember token of the user before",
        "CWE-488",
        on_sessions.series_of_the_user_before,
        NOT_THERE,
        (("        forget_series()  # it may be", "        # it may be"),),
        file="beyond",
    ),
    Attack(
        "06",
        "Stolen remember token while all others end",
        "CWE-367",
        on_sessions.token_while_all_others_end,
        NOT_THERE,
        (
            (
                "    db().execute(others, [name, digest(own_series())])\n"
                "    end_other_sessions(name, id)",
                "    end_other_sessions(name, id)\n"
                "    db().execute(others, [name, digest(own_series())])",
            ),
        ),
        file="beyond",
    ),
    *through_http("06", (), ()),
]

STILL_WORKS = [
    StillWorks(
        "06",
        "Cookie used while its session lasts",
        "RFC 6265 8.3, CWE-294",
        on_sessions.stolen_while_it_lasts,
        "TLS on the way, `HttpOnly` in the page; nothing in a browser that somebody else controls."
        " The owner sees the session in the list and ends it.",
    ),
    StillWorks(
        "06",
        "Session planted from another port",
        "RFC 6265 8.5 and 8.6",
        on_sessions.planted_session,
        "A host of the site's own, with TLS and the name `__Host-…`, which no other host can set.",
    ),
    StillWorks(
        "06",
        "Credential stuffing",
        "CWE-307",
        on_sessions.stuffing,
        LIMIT,
        long=True,
    ),
]
