"""Lesson 04: JSON Web Tokens (RFC 7519, 6750, 8725).

One class is one step, in the order in which you build it. Its text says why the step matters,
`ask` is the question that leads on, `hints` go from where to look to almost the line, and `pieces`
names what the step is about in app.py.
"""

import base64
import json
import time

import jwt
import pytest

from learn import LessonError
from learn.expect import Unexpected, expect, expect_that, seconds_of

USER1, USER2 = ("user1", "pass1"), ("user2", "pass2")


def token(app, pair=USER1):
    """Log in and return the token."""
    answer = expect(app.post("/login", basic=pair), 200)
    return member(answer, "access_token")


def member(answer, name):
    """Return a member of the answer's JSON object."""
    try:
        return answer.json()[name]
    except (ValueError, TypeError, KeyError):
        came = answer.text.strip()[:80] or "nothing"
        raise Unexpected(f"JSON with a member {name}", came, answer, "body") from None


def read(text, answer):
    """Return a token's claims without checking them."""
    try:
        return jwt.decode(text, options={"verify_signature": False})
    except jwt.InvalidTokenError as error:
        raise Unexpected("a token that can be read", str(error), answer, "body") from None


def claims_of(app):
    """Log in and return the token's claims."""
    return read(token(app), app.exchanges[-1])


def forge(app, claims, **changes):
    """These claims with changes, signed with the app's own key; None leaves one out."""
    claims = {**claims, **changes}
    claims = {name: value for name, value in claims.items() if value is not None}
    return jwt.api_jws.encode(json.dumps(claims).encode(), app.key, "HS256", {"typ": "JWT"})


def expect_refused(answer):
    """A bad token is refused as RFC 6750 3.1 says."""
    return expect(answer, 401, challenge="bearer", realm=..., error="invalid_token")


class TestItWorks:
    """It works

    This holds from the beginning. Keep it so.
    """

    pieces = ["app", "insecured"]
    ask = "What do `GET /insecured` and `POST /login` without credentials answer?"
    hints = [
        "Compare with naive.py, which passes this step.",
        "A challenge is status 401 and a header WWW-Authenticate that names the scheme Basic.",
        'abort, or return, a 401 with WWW-Authenticate: Basic realm="...".',
    ]

    def test_it_works_public_page(self, app):
        """The public page needs no token."""
        expect(app.get("/insecured"), 200)

    def test_it_works_login_needs_credentials(self, app):
        """A login without credentials, or with wrong ones, gets a Basic challenge and no token."""
        for pair in [None, ("user1", "wrong"), ("nobody", "pass1")]:
            expect(app.post("/login", basic=pair), 401, challenge="basic")


class TestLogin:
    """A token is given for a password of one's own

    If any name with one shared password gets a token, then anyone is anyone. And clients that
    know OAuth 2 expect the token in a certain place (RFC 6749 5.1).
    """

    pieces = ["login", "password_owner", "find_user", "argon2id", "refuse_with"]
    ask = "Whose password does your login check, and what would a library for OAuth 2 look for?"
    hints = [
        "Look at what your login compares the password with, and at the JSON that it returns.",
        "Keep users with a hash each, as in lesson 02. The answer has access_token, token_type and"
        " expires_in, and a header that keeps it out of caches.",
        'return {"access_token": …, "token_type": "Bearer", "expires_in": lifetime},'
        ' {"Cache-Control": "no-store"}.',
    ]

    def test_each_user_logs_in_with_their_own_password(self, app):
        """Each user gets a token for their own password and for no other."""
        token(app, USER1)
        token(app, USER2)
        for pair in [
            ("user1", "pass2"),
            ("user2", "pass1"),
            ("user1", "secret"),
            ("anyone", "secret"),
            ("user1", ""),
        ]:
            expect(app.post("/login", basic=pair), 401, challenge="basic")

    def test_login_answers_as_oauth_does(self, app):
        """The answer has access_token, token_type and expires_in, and must not be stored."""
        answer = expect(app.post("/login", basic=USER1), 200)
        for name, wanted in [("token_type", "Bearer"), ("expires_in", 180)]:
            value = member(answer, name)
            expect_that(value == wanted, f"{name} {wanted!r}", f"{value!r}", answer, "body")
        parts = str(member(answer, "access_token")).count(".") + 1
        expect_that(parts == 3, "a token of three parts", f"{parts}", answer, "body")
        expect(answer, headers={"Cache-Control": "no-store"})


class TestHeader:
    """A token travels in a header

    Addresses are kept in logs, histories and Referer headers. A token in one of them opens the
    door for whoever reads it later (RFC 6750 5.3).
    """

    pieces = ["secured", "credentials", "token_claims"]
    ask = "Who else sees the address of a request, and who sees its Authorization header?"
    hints = [
        "Look at where your app takes the token from.",
        "Werkzeug's request.authorization has .type and .token, whatever the scheme's case.",
        'sent = request.authorization; sent.token if sent and sent.type == "bearer". The greeting'
        " takes the name from the claim sub.",
    ]

    def test_token_in_the_header_opens(self, app):
        """With the token in the Authorization header the page opens, whatever the scheme's case."""
        mine = token(app)
        expect(app.get("/secured", bearer=mine), 200, text="Hello, user1!")
        expect(app.get("/secured", bearer=token(app, USER2)), 200, text="Hello, user2!")
        for scheme in ("bearer", "BEARER"):
            expect(app.get("/secured", authorization=f"{scheme} {mine}"), 200)

    def test_token_in_the_address_does_not_count(self, app):
        """A token in the address is not looked at: it would stay in logs and histories."""
        mine = token(app)
        for name in ("token", "access_token"):
            expect(app.get(f"/secured?{name}={mine}"), 401, challenge="bearer")
        expect(app.get("/secured?token=wrong", bearer=mine), 200)


class TestRefusals:
    """A refusal tells a program what to do

    No token: send one. A bad token: get a new one. A program knows which from the challenge, and a
    person from the description (RFC 6750 3.1).
    """

    pieces = ["refuse"]
    ask = "A client has no token; another has a bad one. What should each of them do next?"
    hints = [
        "Look at every way in which your app refuses a token, and at the header it sends then.",
        "Without a token the challenge has only a realm. With a bad one also"
        ' error="invalid_token" and an error_description. Whatever comes, it is never a 500.',
        "except jwt.InvalidTokenError as error: 401 with WWW-Authenticate: Bearer realm=…,"
        ' error="invalid_token", error_description=…',
    ]

    def test_no_token_is_401(self, app):
        """Without a token comes 401 with a Bearer challenge that names no error (RFC 6750 3.1)."""
        expect(app.get("/secured"), 401, challenge="bearer", realm=..., error=None)

    def test_wrong_token_says_what_is_wrong(self, app):
        """A bad token is refused with error="invalid_token" and a description that helps."""
        answer = expect_refused(app.get("/secured", bearer="x.y.z"))
        description = answer.challenge().get("error_description") or ""
        expect_that(
            len(description) > 10,
            "an error_description that a person can act on",
            f"{description!r}",
            answer,
            "WWW-Authenticate",
        )

    def test_malformed_headers_are_401(self, app):
        """Whatever is no token is refused with 401 and a Bearer challenge."""
        mine = token(app)
        deep = base64.urlsafe_b64encode(b'{"a":' * 3000).decode()
        head = mine.split(".")[0]
        for bad in [
            "Bearer", "Bearer .", "Bearer ..", "Bearer ...", "Bearer a.b", "Bearer é.é.é",
            "Bearer =", f"Bearer {mine} {mine}", f"Bearer {mine},", f'Bearer token="{mine}"',
            f"Bearer {mine}.x", mine, f"Basic {mine}", f"Foo {mine}", f"Bearer {deep}.{deep}.x",
            f"Bearer {head}.{deep}.x", "Bearer \x80\xff", f"Bearer {head}.bnVsbA.x",
            f"Bearer {head}.W10.x", "Bearer eyJhbGciOjF9.e30.", "Bearer W10.e30.", "Basic \xe9",
        ]:  # fmt: skip
            expect(app.get("/secured", authorization=bad.encode()), 401, challenge="bearer")


class TestKey:
    """The key is long, ours, and nowhere in the code

    Who knows the key makes tokens for everybody. A word of six letters is found from a list; and
    an algorithm that the token may choose needs no key at all.
    """

    pieces = ["KEY"]
    ask = "Who chooses the algorithm and the key with which your app checks a token?"
    hints = [
        "Look at the call of jwt.decode, and at where the key comes from.",
        "FLASK_SECRET_KEY holds the key, app.config['SECRET_KEY'] after from_prefixed_env(). A key"
        " of less than 32 bytes: end with a sentence (sys.exit). algorithms is your choice alone.",
        'jwt.decode(token, key, algorithms=["HS256"]).',
    ]

    def test_key_comes_from_the_settings(self, app):
        """Tokens are signed with FLASK_SECRET_KEY, not with a key that stands in the code."""
        mine, answer = token(app), app.exchanges[-1]
        try:
            jwt.decode(mine, app.key, ["HS256"], options={"verify_aud": False})
        except jwt.InvalidSignatureError:
            raise Unexpected(
                "a token signed with FLASK_SECRET_KEY", "another signature", answer, "body"
            ) from None

    def test_changed_token_is_refused(self, app):
        """Nobody can change a claim, the header or the signature."""
        mine = token(app, USER2)
        header, claims, signature = mine.split(".")
        raised = read(mine, app.exchanges[-1]) | {"sub": "user1", "scope": "admin"}
        raised = base64.urlsafe_b64encode(json.dumps(raised).encode()).decode().rstrip("=")
        other = signature[:5] + ("A" if signature[5] != "A" else "B") + signature[6:]
        for bad in [
            f"{header}.{raised}.{signature}",
            f"{header}.{claims}.{other}",
            f"{header}.{claims}.",
            f"{header}.{claims}",
        ]:
            expect_refused(app.get("/secured", bearer=bad))
        expect(app.get("/secured", bearer=mine), 200)

    @pytest.mark.parametrize(
        "alg", ["none", "None", "NONE", "nOnE", "HS384", "HS512", "RS256", "hs256", ""]
    )
    def test_only_our_algorithm_counts(self, app, alg):
        """The algorithm is the server's choice; none, or another one than HS256, is refused."""
        claims = claims_of(app)
        head, body = (
            base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")
            for part in ({"alg": alg, "typ": "JWT"}, claims)
        )
        signed = jwt.encode(claims, app.key, "HS512").rpartition(".")[2]
        for signature in ("", signed):
            expect_refused(app.get("/secured", bearer=f"{head}.{body}.{signature}"))
        if alg in ("HS384", "HS512"):
            expect_refused(app.get("/secured", bearer=jwt.encode(claims, app.key, alg)))

    @pytest.mark.filterwarnings("ignore:The HMAC key")
    def test_weak_keys_open_nothing(self, app):
        """A token signed with a guessed key is refused."""
        claims = claims_of(app)
        for key in ("eduCBA", "secret", "secret key here", "dev"):
            expect_refused(app.get("/secured", bearer=jwt.encode(claims, key, "HS256")))

    def test_weak_secret_key_is_refused_at_start(self, start):
        """A key shorter than 32 bytes stops the app at start with a sentence (RFC 7518 3.2)."""
        try:
            app = start(SECRET_KEY="x" * 31)
        except LessonError as error:
            said = str(error)
            expect_that(
                "SECRET_KEY" in said and "Traceback" not in said,
                "a sentence that names FLASK_SECRET_KEY",
                said,
            )
            return
        answer = app.get("/insecured")
        raise Unexpected("no start with a key of 31 bytes", "a running app", answer, "status")


class TestClaims:
    """Every claim is needed and checked

    A right signature says who made the token. Whom it is for, whom it is about and how long it
    lasts stand in the claims, and nobody checks them unless you do (RFC 8725 3.8 to 3.10).
    """

    pieces = ["REALM"]
    ask = "Which questions would you ask of a letter whose seal is genuine?"
    hints = [
        "Look at the options of jwt.decode, and at what it can't know: your users.",
        "Six claims: sub, iss, aud, iat, exp, jti. Require all, check issuer and audience, refuse a"
        " lifetime longer than your own, look the user up.",
        'issuer=…, audience=…, options={"require": [...], "strict_aud": True}; then'
        ' claims["exp"] - claims["iat"] and find_user(claims["sub"]).',
    ]

    def test_token_expires(self, start):
        """After its lifetime a token is refused, and the description says that it expired."""
        app = start(TOKEN_LIFETIME=1)
        mine = token(app)
        time.sleep(1.2)
        answer = expect_refused(app.get("/secured", bearer=mine))
        description = answer.challenge().get("error_description") or ""
        expect_that(
            "expired" in description.lower(),
            'the word "expired" in error_description',
            f"{description!r}",
            answer,
            "WWW-Authenticate",
        )

    @pytest.mark.parametrize("claim", ["sub", "iss", "aud", "iat", "exp", "jti"])
    def test_every_claim_is_needed(self, app, claim):
        """A token without one of the six claims is refused, though its signature is right."""
        claims = claims_of(app)
        expect_that(
            claim in claims, f"the claim {claim} in a token", f"{list(claims)}", app.exchanges[-1]
        )
        expect(app.get("/secured", bearer=forge(app, claims)), 200)
        expect_refused(app.get("/secured", bearer=forge(app, claims, **{claim: None})))

    def test_claims_are_checked(self, app):
        """Issuer, audience, user and times are checked, though the signature is right."""
        now, claims = int(time.time()), claims_of(app)
        expect(app.get("/secured", bearer=forge(app, claims)), 200)
        for changes in [
            {"iss": "another"}, {"iss": ["Lesson 04"]}, {"aud": "another"}, {"aud": ["x", "y"]},
            {"aud": 1}, {"sub": "nobody"}, {"sub": ""}, {"sub": 1}, {"sub": ["user1"]},
            {"sub": "\ud800"}, {"iat": now + 3600}, {"iat": "soon"}, {"iat": [now]},
            {"iat": True}, {"iat": str(now)}, {"exp": now - 1}, {"exp": 0}, {"exp": -1},
            {"exp": "later"}, {"exp": str(now + 60)}, {"exp": now + 10**9},
            {"exp": float("inf")}, {"exp": {}}, {"jti": 5},
        ]:  # fmt: skip
            expect_refused(app.get("/secured", bearer=forge(app, claims, **changes)))
        odd = app.get("/secured", bearer=forge(app, claims, jti="\ud800"))
        expect_that(
            odd.status in (200, 401),
            "status 200 or 401 for a jti that can't be written as UTF-8",
            f"status {odd.status}",
            odd,
            "status",
        )


class TestAdmin:
    """A claim says what its owner may do

    Authorization again: 403 for a good token that may not. The challenge names what it lacks.
    """

    pieces = ["admin"]
    ask = "What does the token of user1 say that the token of user2 doesn't?"
    hints = [
        "Look at what your login writes into the token of an admin.",
        "A claim scope with the value admin. /admin wants it: else 403 with a challenge.",
        'WWW-Authenticate: Bearer realm=…, error="insufficient_scope", scope="admin".',
    ]

    def test_admin_needs_the_claim(self, app):
        """The admin page opens for the admin's token; another good token is 403, none is 401."""
        expect(app.get("/admin", bearer=token(app, USER1)), 200)
        answer = app.get("/admin", bearer=token(app, USER2))
        expect(answer, 403, challenge="bearer", error="insufficient_scope")
        expect(app.get("/admin"), 401, challenge="bearer", error=None)
        expect_refused(app.get("/admin", bearer="x.y.z"))


class TestLogout:
    """Logout takes a token back

    A token is good until it expires, whatever happens to it. To take one back the server must
    keep a list, for as long as the token would have lived.
    """

    pieces = ["logout", "revoked", "local", "db", "prepare"]
    ask = (
        "The token can't be changed any more. Where could the server note that it no longer counts?"
    )
    hints = [
        "You need a view for POST /logout, and a question to ask of every token.",
        "jti names a token. Keep it where every process sees it and a restart does not forget it.",
        "INSERT INTO revoked VALUES (jti, exp), and refuse a token whose jti is in there.",
    ]

    def test_logout_takes_the_token_back(self, start):
        """After logout the token is refused, after a restart too; other tokens still work."""
        app = start()
        mine, other = token(app), token(app)
        expect(app.post("/logout", bearer=mine), 204)
        expect_refused(app.get("/secured", bearer=mine))
        expect(app.get("/secured", bearer=other), 200)
        app.restart()
        expect_refused(app.get("/secured", bearer=mine))
        expect(app.get("/secured", bearer=other), 200)
        expect(app.post("/logout"), 401, challenge="bearer")


class TestNoList:
    """Nobody can find out who has an account

    A login that answers sooner for an unknown name lists your users for whoever has a clock.
    """

    pieces = ["NOBODY"]
    ask = "What does your login not do for an unknown user that takes so long for a known one?"
    hints = [
        "Look at what happens before the hash is checked.",
        "Let an unknown user cost a hash too.",
        'verify(password, user["hash"] if user else NOBODY), where NOBODY is a hash.',
    ]

    def test_unknown_user_takes_the_same_time(self, app):
        """At login, a wrong password and an unknown user take the same time."""
        wrong, unknown = seconds_of(
            lambda: expect(app.post("/login", basic=("user1", "wrong")), 401),
            lambda: expect(app.post("/login", basic=("nobody", "wrong")), 401),
        )
        expect(app.post("/login", basic=USER1), 200)
        expect_that(
            0.5 < unknown / wrong < 2,
            "the same time for an unknown user as for a wrong password",
            f"an answer in {unknown / wrong:.2f} of the time",
            app.exchanges[-2],
        )


class TestRefresh:
    """Beyond app.py: refresh tokens that rotate

    Short tokens are safer, and nobody wants to log in every three minutes. A refresh token gets a
    new pair, once. If it comes a second time, somebody has a copy: then the whole family ends
    (RFC 9700 4.14.2). A logout ends it as well.
    """

    beyond = True
    ask = "A refresh token is used a second time. Who may that be, and can you tell which?"
    hints = [
        "The login's JSON gets a member refresh_token; POST /refresh (form refresh_token) answers"
        " like the login.",
        "Keep a hash of each refresh token, its family and whether it was used. A used one ends its"
        ' family: 400 with JSON {"error": "invalid_grant"} (RFC 6749 5.2).',
        "UPDATE refresh SET used = 1 WHERE hash = ? AND used = 0; if no row changed, put the family"
        " on the list of what was revoked. Let access tokens name it too, in a claim sid.",
    ]

    def test_refresh_token_works_once_and_its_family_ends(self, app):
        """A refresh token gets a new pair once; used again, it ends all that came of it."""
        login = expect(app.post("/login", basic=USER2), 200)
        first = member(login, "refresh_token")
        fresh = expect(app.post("/refresh", form={"refresh_token": first}), 200)
        expect(fresh, headers={"Cache-Control": "no-store"})
        expect(app.get("/secured", bearer=member(fresh, "access_token")), 200, text="Hello, user2!")
        second = member(fresh, "refresh_token")
        for bad in (first, second, "", "made up", first + "x"):
            answer = expect(app.post("/refresh", form={"refresh_token": bad}), 400)
            error = member(answer, "error")
            wanted = "invalid_grant"
            expect_that(error == wanted, f"error {wanted!r}", f"{error!r}", answer, "body")
        again = member(expect(app.post("/login", basic=USER2), 200), "refresh_token")
        expect(app.post("/refresh", form={"refresh_token": again}), 200)

    def test_family_ends_with_its_access_tokens(self, app):
        """A logout, or a refresh token used twice, ends all tokens of a login."""
        other = member(expect(app.post("/login", basic=USER1), 200), "access_token")
        for ending in ("logout", "reuse"):
            login = expect(app.post("/login", basic=USER1), 200)
            access, first = member(login, "access_token"), member(login, "refresh_token")
            if ending == "logout":
                expect(app.post("/logout", bearer=access), 204)
            else:
                fresh = expect(app.post("/refresh", form={"refresh_token": first}), 200)
                expect(app.post("/refresh", form={"refresh_token": first}), 400)
                expect(app.get("/secured", bearer=member(fresh, "access_token")), 401)
            expect(app.post("/refresh", form={"refresh_token": first}), 400)
            expect(app.get("/secured", bearer=access), 401)
        expect(app.get("/secured", bearer=other), 200)

    def test_refresh_tokens_survive_a_restart(self, start):
        """A refresh token is still good after a restart, and a used one still is not."""
        app = start()
        first = member(expect(app.post("/login", basic=USER1), 200), "refresh_token")
        app.restart()
        second = expect(app.post("/refresh", form={"refresh_token": first}), 200)
        app.restart()
        expect(app.post("/refresh", form={"refresh_token": first}), 400)
        bad = member(second, "refresh_token")
        expect(app.post("/refresh", form={"refresh_token": bad}), 400)
