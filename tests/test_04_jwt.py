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
from learn.practice.expect import Unexpected, expect, expect_that, seconds_of

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

    def test_passwords_that_are_none(self, app):
        """A password with NUL in it, an empty or a huge one is wrong like any other, and no 500."""
        token(app)
        for name, password in [
            ("user1", ""), ("user1", "pass1\0"), ("user1", "\0"), ("user1\0", "pass1"),
            ("user1", "x" * 1025), ("user1", "x" * 5000), ("x" * 5000, "pass1"), ("", ""),
        ]:  # fmt: skip
            expect(app.post("/login", basic=(name, password)), 401, challenge="basic")


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

    def test_header_that_holds_no_token(self, app):
        """Bearer sent twice, quotes, or Python's b'' around a token: the description says so.

        It differs from that of a token with a wrong signature, which only a new token mends.
        """
        mine = token(app)
        other = mine[:-5] + ("AAAAA" if mine[-5:] != "AAAAA" else "BBBBB")
        wrong = app.get("/secured", bearer=other).challenge()  # None if it opens: see TestKey
        same = wrong.get("error_description") if wrong else None
        for value in (f"Bearer {mine}", f'"{mine}"', f"b'{mine}'"):
            answer = expect_refused(app.get("/secured", bearer=value))
            description = answer.challenge().get("error_description") or ""
            expect_that(
                description and description != same,
                "an error_description of its own where no token follows Bearer",
                f"{description!r}",
                answer,
                "WWW-Authenticate",
            )

    def test_login_says_what_was_missing(self, app):
        """Without credentials, or with them in a form, the login doesn't call them wrong."""
        wrong = expect(app.post("/login", basic=("user1", "wrong")), 401, challenge="basic")
        form = {"username": "user1", "password": "pass1"}
        for answer in (app.post("/login"), app.post("/login", form=form)):
            expect(answer, 401, challenge="basic")
            came = answer.text.strip()
            expect_that(
                came and came != wrong.text.strip(),
                "another sentence than for a wrong password",
                f"{came[:80]!r}",
                answer,
                "body",
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

    def test_clock_that_is_a_second_ahead(self, app):
        """A token whose iat is a second ahead still opens: the clock that set it may be."""
        claims = claims_of(app)
        ahead = int(time.time()) + 1
        expect(app.get("/secured", bearer=forge(app, claims, iat=ahead)), 200)


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


class TestApiKeys:
    beyond = "api_keys"

    def test_key_opens_what_a_token_opens(self, app):
        """A key is made with a token, and opens /report; so does a token, and nothing else."""
        mine = token(app, USER2)
        made = expect(app.post("/keys", bearer=mine, form={"name": "backup"}), 201)
        expect(made, headers={"Cache-Control": "no-store"})
        key = member(made, "key")
        expect_that(len(str(key)) >= 32, "a long key", f"{key!r}", made, "body")
        for scheme in ("ApiKey", "apikey"):
            expect(app.get("/report", authorization=f"{scheme} {key}"), 200)
        expect(app.get("/report", bearer=mine), 200)
        for bad in [f"ApiKey {key}x", "ApiKey", f"Basic {key}", f"Bearer {key}", f"ApiKey {mine}"]:
            expect(app.get("/report", authorization=bad), 401, challenge="bearer")
        expect(app.get("/report"), 401, challenge="bearer")
        expect(app.get(f"/report?key={key}&api_key={key}"), 401, challenge="bearer")

    def test_key_is_shown_once(self, app):
        """The list has a key's id, name and scope, never the key, and nobody else's."""
        mine, other = token(app, USER1), token(app, USER2)
        made = expect(app.post("/keys", bearer=mine, form={"name": "shown once"}), 201)
        listed = expect(app.get("/keys", bearer=mine), 200)
        for part in (member(made, "id"), "shown once", "read"):
            there = str(part) in listed.text
            expect_that(there, f"{part!r} in the list", listed.text.strip()[:80], listed, "body")
        for answer, part in [
            (listed, member(made, "key")),
            (app.get("/keys", bearer=other), "shown once"),
        ]:
            came = f"{part} in it"
            expect_that(part not in answer.text, "a list without it", came, answer, "body")
        expect(app.get("/keys"), 401, challenge="bearer")

    def test_scope_limits_a_key(self, app):
        """A key to read does not write: 403. A key is no token: it makes no keys and lists none."""
        mine = token(app, USER2)
        for scope, status in [("read", 403), ("write", 204)]:
            form = {"name": scope, "scope": scope}
            made = expect(app.post("/keys", bearer=mine, form=form), 201)
            authorization = f"ApiKey {member(made, 'key')}"
            expect(app.get("/report", authorization=authorization), 200)
            expect(app.post("/report", authorization=authorization), status)
            for path in ("/keys", "/logout"):
                expect(app.post(path, authorization=authorization, form={"name": "more"}), 401)
            expect(app.get("/keys", authorization=authorization), 401)
            expect(app.get("/secured", authorization=authorization), 401)

    def test_key_is_taken_back(self, start):
        """DELETE ends a key, after a restart too; nobody ends another's, and its token may end."""
        app = start()
        mine = token(app, USER1)
        first, second = (
            expect(app.post("/keys", bearer=mine, form={"name": name}), 201)
            for name in ("first", "second")
        )
        path = f"/keys/{member(first, 'id')}"
        expect(app.send("DELETE", path, bearer=token(app, USER2)), 404)
        expect(app.send("DELETE", path), 401, challenge="bearer")
        expect(app.get("/report", authorization=f"ApiKey {member(first, 'key')}"), 200)
        expect(app.send("DELETE", path, bearer=mine), 204)
        expect(app.post("/logout", bearer=mine), 204)
        app.restart()
        expect(app.get("/report", authorization=f"ApiKey {member(first, 'key')}"), 401)
        expect(app.get("/report", authorization=f"ApiKey {member(second, 'key')}"), 200)

    def test_name_scope_and_number_are_checked(self, app):
        """A name of 1 to 64 characters, a scope that exists: else 400. The 21st key is 409."""
        mine = token(app, USER1)
        for form in [
            {}, {"name": ""}, {"name": "x" * 65}, {"name": "a\nb"}, {"name": "x", "scope": "all"},
        ]:  # fmt: skip
            expect(app.post("/keys", bearer=mine, form=form), 400)
        made = [app.post("/keys", bearer=mine, form={"name": f"key {n}"}) for n in range(21)]
        kinds = {answer.status for answer in made}
        expect_that(kinds == {201, 409}, "201, and 409 in the end", f"{kinds}", made[-1], "status")
        expect(made[-1], 409)
