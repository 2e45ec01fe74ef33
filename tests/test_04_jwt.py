"""Lesson 04: JSON Web Tokens (RFC 7519, 6750, 8725).

One class is one step, in the order in which you build it; what each step says to the learner stands
in lessons/04_jwt/steps.toml.
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
    def test_it_works_public_page(self, app):
        """The public page needs no token."""
        expect(app.get("/insecured"), 200)

    def test_it_works_login_needs_credentials(self, app):
        """A login without credentials, or with wrong ones, gets a Basic challenge and no token."""
        for pair in [None, ("user1", "wrong"), ("nobody", "pass1")]:
            expect(app.post("/login", basic=pair), 401, challenge="basic")


class TestLogin:
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
    def test_admin_needs_the_claim(self, app):
        """The admin page opens for the admin's token; another good token is 403, none is 401."""
        expect(app.get("/admin", bearer=token(app, USER1)), 200)
        answer = app.get("/admin", bearer=token(app, USER2))
        expect(answer, 403, challenge="bearer", error="insufficient_scope")
        expect(app.get("/admin"), 401, challenge="bearer", error=None)
        expect_refused(app.get("/admin", bearer="x.y.z"))


class TestLogout:
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
    beyond = "beyond"

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
