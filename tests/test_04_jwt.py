"""Lesson 04: JSON Web Tokens (RFC 7519, 6750, 8725).

One class is one step, in the order in which you build it; what each step says to the learner stands
in lessons/04_jwt/steps.toml.
"""

import base64
import functools
import json
import re
import string
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode
from uuid import uuid4

import jwt
import pytest

from learn import LessonError
from learn.explain.grammar import pieces
from learn.practice import kept
from learn.practice.expect import (
    Unexpected,
    at_once,
    expect,
    expect_hashed,
    expect_not_mixed_up,
    expect_same_answer,
    expect_same_time,
    expect_that,
)

USER1, USER2 = ("user1", "pass1"), ("user2", "pass2")
# A challenge as RFC 9110 11.6.1 and 5.6.4 write it; RFC 6750 3 allows no quote or backslash inside
# what it defines, which the realm is not: there they may be escaped.
PARAMETER = (
    r"""(?:[\w-]+=(?:[!#$%&'*+.^`|~\w-]+|"[ !#-\[\]-~]*")|realm="(?:[ !#-\[\]-~]|\\[ -~])*")"""
)
CHALLENGE = re.compile(rf"Bearer(?: +{PARAMETER}(?:\s*,\s*{PARAMETER})*)?", re.ASCII | re.I)
BASE64URL = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"


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


def bad_tokens(app, claims):
    """Return tokens with these claims that are forged, meant for others, or not whole."""
    bad = [jwt.encode(claims, None, "none"), jwt.encode(claims, app.key, "HS512")]
    bad.append(jwt.encode(claims, "another key of more than 32 bytes", "HS256"))
    changes = [{"aud": "another"}, {"iss": "another"}, {"sub": "nobody"}]
    changes += [{name: None} for name in ("aud", "iat", "exp", "jti")]
    changes.append({"exp": claims["exp"] + 3600})
    return bad + [forge(app, claims, **changed) for changed in changes]


def expect_refused(answer):
    """A bad token is refused as RFC 6750 3.1 says."""
    return expect(answer, 401, challenge="bearer", realm=..., error="invalid_token")


def challenges_in(line):
    """Return the challenges in a header's value (RFC 9110 11.6.1), each as it stands there."""
    found = []
    for piece in pieces(line):
        if not found or re.match(r"[\w-]+ +[\w-]+ *=", piece):
            found.append(piece)
        else:
            found[-1] += f", {piece}"
    return found


def description_of(answer):
    """Return why a token was refused, or "" where nothing says so."""
    found = answer.challenge(scheme="bearer")
    return found and found.get("error_description") or ""


def expect_nothing(answer, what):
    """What was tried leads nowhere: a redirect or a refusal, and no token in it."""
    came = f"status {answer.status} {answer.reason}"
    expect_that(300 <= answer.status < 500, what, came, answer, "status")
    expect_that("eyJ" not in answer.text, what, "a token", answer, "body")


def cookies_of(*answers):
    """Return the header with which a browser would send these answers' cookies back."""
    cookies = [cookie for answer in answers for cookie in answer.headers("Set-Cookie")]
    return {"Cookie": "; ".join(cookie.partition(";")[0] for cookie in cookies)} if cookies else {}


def twin_of(text):
    """Return another way to write a token: its last letter has two bits that say nothing."""
    return text[:-1] + BASE64URL[BASE64URL.index(text[-1]) ^ 1]


class TestItWorks:
    def test_it_works_public_page(self, app):
        """The public page needs no token."""
        expect(app.get("/insecured"), 200)

    def test_it_works_login_needs_credentials(self, app):
        """A login without credentials, or with wrong ones, gets a Basic challenge and no token."""
        for pair in [None, ("user1", "wrong"), ("nobody", "pass1")]:
            expect(app.post("/login", basic=pair), 401, challenge="basic")

    def test_it_works_as_a_script(self, start):
        """Run as a script, it serves this machine only, at the lesson's port, without debugger."""
        served = start(script=True).would_serve
        if served:  # a file without app.run() is served by `flask run` alone
            expect_that(
                served == {"host": "127.0.0.1", "port": 5004, "debug": False},
                "127.0.0.1, port 5004 and no debugger from `python exercise.py`",
                "{host}, port {port} and debug={debug}".format(**served),
            )


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
            same = value == wanted or name == "token_type" and str(value).lower() == "bearer"
            expect_that(same, f"{name} {wanted!r}", f"{value!r}", answer, "body")  # RFC 6749 5.1
        parts = str(member(answer, "access_token")).count(".") + 1
        expect_that(parts == 3, "a token of three parts", f"{parts}", answer, "body")
        expect(answer, headers={"Cache-Control": "no-store", "Content-Type": "application/json"})

    def test_credentials_are_read_as_lesson_02_does(self, app):
        """The scheme has no case; every letter of a name and password counts, and none is cut."""
        pair = base64.b64encode(b"user1:pass1").decode()
        for scheme in ("Basic", "basic", "BASIC"):
            expect(app.post("/login", authorization=f"{scheme} {pair}"), 200)
        for name, password in [
            ("User1", "pass1"), (" user1", "pass1"), ("user1 ", "pass1"), ("user_", "pass1"),
            ("%", "pass1"), ("user1' --", "pass1"), ("x' OR name='user1", "pass1"),
            ("user\uff11", "pass1"), ("user1", "PASS1"), ("user1", " pass1"), ("user1", "pass1 "),
            ("user1", "pass"), ("user1", "pass12"), ("user1", "pass1" + "x" * 99),
            ("user1", "pass\uff11"),
        ]:  # fmt: skip
            expect(app.post("/login", basic=(name, password)), 401, challenge="basic")

    def test_login_has_one_door(self, app):
        """Credentials come by POST and in the header Authorization; nothing beside it counts."""
        claims = {"username": "user1", "user": "user1", "sub": "user1", "scope": "admin"}
        query = urlencode({**claims, "password": "pass1"})
        mine = token(app, USER1)
        for answer in [app.get("/login", basic=USER1), app.get(f"/login?{query}")]:
            expect_that("eyJ" not in answer.text, "no token by GET", "a token", answer, "body")
        body = json.dumps({**claims, "password": "pass1"})
        kind = {"Content-Type": "application/json"}
        for how in [{"body": body, "headers": kind}, {"bearer": mine}]:  # a token gets no other one
            expect(app.send("POST", "/login", **how), 401, challenge="basic")
        for headers in [{}, {"Cookie": "username=user1; password=pass1"}, {"X-User": "user1"}]:
            expect(app.post(f"/login?{query}", headers=headers), 401, challenge="basic")

    def test_password_is_kept_and_told_nowhere(self, app, start):
        """Neither the token, nor an answer, the log or a file gives a password or its hash away."""
        begin, before = len(app.exchanges), kept.printed(app, "/insecured")["the log"]
        claims = claims_of(app)
        for pair in [("user1", "mistyped it"), ("nobody", "mistyped it")]:
            expect(app.post("/login", basic=pair), 401)
        expect(app.post("/login", form={"username": "user1", "password": "mistyped it"}), 401)
        pair = base64.b64encode(b"user1:mistyped it").decode()
        expect(app.post("/login", authorization=f"Bsic {pair}"), 401)
        seen = kept.answered(app.exchanges[begin:])
        seen["the log"] = kept.printed(app, "/insecured")["the log"].removeprefix(before)
        seen["the claims"] = json.dumps(claims, ensure_ascii=False).encode()
        for word in ("pass1", "mistyped it", "$argon2"):
            where = kept.place_of(word, seen, "user1")
            expect_that(not where, "no password, nor a hash of it, that is told", f"one {where}")
        for name, word in [USER1, USER2]:
            where = kept.place_of(word, kept.files(app), name)
            expect_that(not where, "no password in the files", f"one {where}")
        found = kept.argon2_hashes(app)
        weak = [one.cost for one in found.values() if not one.is_strong]
        if not found and any(b"user1" in content for content in kept.values(start()).values()):
            weak = ["users in its files, and no hash that begins $argon2id$"]  # before any login
        expect_that(not weak, "Argon2id at 19 MiB and 2 rounds, or more", ", ".join(weak))
        # Users may stand in the code, so that no file shows how their passwords are kept.
        wrong = functools.partial(app.post, "/login", basic=("user1", "wrong"))
        expect_hashed(app, lambda: app.get("/insecured"), wrong)

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
        expect(app.get("/secured", bearer=mine), 200, says="Hello, user1!")
        expect(app.get("/secured", bearer=token(app, USER2)), 200, says="Hello, user2!")
        for scheme in ("bearer", "BEARER"):
            expect(app.get("/secured", authorization=f"{scheme} {mine}"), 200)
        expect(app.get("/insecured", bearer="x.y.z"), 200)  # public, whatever is sent

    def test_token_is_for_whom_the_password_is(self, app):
        """Whom a token is for, is said by the credentials alone, by no field nor parameter."""
        named = {"username": "user1", "user": "user1", "sub": "user1", "password": "pass1"}
        answer = app.post(f"/login?{urlencode(named)}", basic=USER2, form=named)
        if answer.status == 200:  # it may as well be refused
            mine = member(answer, "access_token")
            expect(app.get("/secured", bearer=mine), 200, says="Hello, user2!")
        expect(app.get("/secured", bearer=token(app)), 200, says="Hello, user1!")

    def test_two_who_log_in_at_once(self, app):
        """Who logs in while another does gets a token of their own."""
        pairs = {pair[0]: pair for pair in (USER1, USER2)}

        def greeted(name):
            login = expect(app.post("/login", basic=pairs[name]), 200)
            return app.get("/secured", bearer=member(login, "access_token"))

        expect_not_mixed_up(greeted, *pairs)

    def test_token_in_the_address_does_not_count(self, app):
        """A token in the address is not looked at: it would stay in logs and histories."""
        mine = token(app)
        for name in ("token", "access_token"):
            expect(app.get(f"/secured?{name}={mine}"), 401, challenge="bearer")
        expect(app.get("/secured?token=wrong", bearer=mine), 200)

    def test_token_comes_in_one_place(self, app):
        """No form, cookie, other header or spelling of the address stands for Authorization."""
        mine = token(app)
        names = ("token", "access_token", "access_token_cookie", "jwt", "bearer", "session")
        for name in names:
            for headers in [{"Cookie": f"{name}={mine}"}, {"Cookie": f"{name}=Bearer {mine}"}]:
                expect(app.get("/secured", headers=headers), 401, challenge="bearer")
        everywhere = {name: mine for name in (*names, "authorization", "jwt_token", "auth")}
        expect(app.get(f"/secured?{urlencode(everywhere)}"), 401, challenge="bearer")
        body, kind = json.dumps(everywhere), {"Content-Type": "application/json"}
        expect(app.send("GET", "/secured", body=body, headers=kind), 401, challenge="bearer")
        expect(app.send("GET", "/secured", form=everywhere), 401, challenge="bearer")
        for name in ("X-Access-Token", "X-Auth-Token", "X-Token", "Token", "Proxy-Authorization"):
            for value in (mine, f"Bearer {mine}"):
                expect(app.get("/secured", headers={name: value}), 401, challenge="bearer")
        for scheme in ("Token", "JWT", "Bear", "BearerX", "Basic"):
            expect(app.get("/secured", authorization=f"{scheme} {mine}"), 401, challenge="bearer")
        expect(app.get("/secured", basic=USER1), 401, challenge="bearer")  # that is for /login
        expect(app.send("HEAD", "/secured"), 401, challenge="bearer")
        for target in ("/secured/", "//secured", "/Secured"):
            expect_nothing(app.get(target), "no page without a token")

    def test_no_session_lets_in_later(self, app):
        """Each request needs the token: no cookie of an earlier answer opens a page."""
        login = expect(app.post("/login", basic=USER1), 200)
        mine = member(login, "access_token")
        page = expect(app.get("/secured", bearer=mine), 200)
        for headers in (cookies_of(login, page), {"X-Forwarded-User": "user1"}):
            expect(app.get("/secured", headers=headers), 401, challenge="bearer")

    def test_token_stays_out_of_the_log(self, app):
        """Whoever reads the log finds no token in it that was sent in the header."""
        mine, other = token(app), token(app, USER2)
        expect(app.get("/secured", bearer=mine), 200)
        app.get("/admin", bearer=other)  # which may not
        for bad in (twin_of(mine)[:-9], f"{mine}x", f'"{mine}"', f"Bearer {mine}"):
            app.get("/secured", bearer=bad)
        app.get("/secured", authorization=f"Token {mine}")
        log = kept.printed(app, "/insecured")
        for secret in (mine[:-9], other[:-9]):
            where = kept.place_of(secret, log)
            expect_that(not where, "no token in the log", f"one {where}")


class TestRefusals:
    def test_no_token_is_401(self, app):
        """Without a token comes 401 with a Bearer challenge that names no error (RFC 6750 3.1)."""
        expect(app.get("/secured"), 401, challenge="bearer", realm=..., error=None)

    def test_wrong_token_says_what_is_wrong(self, app):
        """A bad token is refused with error="invalid_token" and a description that helps."""
        answer = expect_refused(app.get("/secured", bearer="x.y.z"))
        description = description_of(answer)
        expect_that(
            len(description) > 10,
            "an error_description that a person can act on, of more than ten characters",
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
        same = description_of(app.get("/secured", bearer=other))  # "" if it opens: see TestKey
        for value in (f"Bearer {mine}", f'"{mine}"', f"b'{mine}'"):
            answer = expect_refused(app.get("/secured", bearer=value))
            description = description_of(answer)
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

    def test_login_with_a_malformed_header(self, app):
        """Whatever else stands in Authorization, a login is 401 with a Basic challenge, no 500."""
        token(app)
        for bad in [
            b"", b"Basic",  b"basic", b"Basic \xe9", b"Basic \xc3\xa9", b"Basic =",
            b"Basic dXNlcjE=", b"Basic " + base64.b64encode(b"user1:pass\xe9"), b"Foo", b"Foo bar",
            b"Basic " + base64.b64encode(b"\xff:\xfe"), b"Bearer", b"Bearer a.b.c", b"\xff\xfe",
            b'Digest username="user1", realm="x"', b"Digest", b"Negotiate YII=", b",", b"Basic ,",
            b"Basic " + base64.b64encode("us\u00e9r:p\u00e4ss".encode()), b"user1:pass1",
        ]:  # fmt: skip
            expect(app.post("/login", authorization=bad), 401, challenge="basic")

    def test_challenge_is_one_that_clients_can_read(self, app):
        """Whatever the token holds, the challenge keeps to the grammar of RFC 9110 and RFC 6750."""
        claims = claims_of(app)
        odd = ['"', "\\", 'a", error="', "\u00e9\u4e2d", "a\r\nX: y", "\0", "'", "<b>"]
        bad = [jwt.encode(claims, app.key, "HS256", {"kid": text, "crit": [text]}) for text in odd]
        bad += [forge(app, claims, **{name: text}) for text in odd for name in ("iss", "sub")]
        bad += [forge(app, claims, exp=text) for text in odd] + odd[:3]
        head = [base64.urlsafe_b64encode(json.dumps({"alg": t}).encode()).decode() for t in odd]
        bad += [f"{one.rstrip('=')}.e30.AAAA" for one in head]
        for value in bad:
            answer = app.get("/secured", authorization=f"Bearer {value}".encode())
            if answer.status == 200:
                continue  # that it should not is said by the steps on the key and the claims
            expect(answer, 401, challenge="bearer")
            for line in answer.headers("WWW-Authenticate"):
                found = (one for one in challenges_in(line) if one.lower().startswith("bearer"))
                well = all(CHALLENGE.fullmatch(one) for one in found)
                wanted = "a challenge with no quote, backslash or letter beyond ASCII in a value"
                expect_that(well, wanted, line, answer, "WWW-Authenticate")

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
            jwt.api_jws.decode(mine, app.key, ["HS256"])
        except jwt.InvalidTokenError as error:
            wanted = "a token signed with HS256 and FLASK_SECRET_KEY"
            raise Unexpected(wanted, str(error), answer, "body") from None

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

    def test_key_is_told_nowhere(self, app):
        """Neither the log nor an answer nor a token has the key."""
        mine = token(app)
        seen = kept.printed(app, "/insecured") | kept.answered(app.exchanges)
        head = base64.urlsafe_b64decode(mine.split(".")[0] + "==")
        seen["the token"] = head + json.dumps(read(mine, app.exchanges[-2])).encode()
        where = kept.place_of(app.key, seen)
        expect_that(not where, "a key that is told nowhere", f"it {where}")

    def test_key_of_its_own_is_one_for_all_processes(self, start):
        """With no FLASK_SECRET_KEY it doesn't start, or its processes have one key."""
        one = start(wait=False, SECRET_KEY="")
        two = start(wait=False, SECRET_KEY="", DATABASE=one.settings["DATABASE"])
        try:
            one.wait()
            two.wait()
        except LessonError as error:
            expect_that("Traceback" not in str(error), "a sentence about the key", str(error))
            token(start())
            return
        mine = token(one)
        expect(two.get("/secured", bearer=mine), 200)
        where = kept.place_of(mine.rpartition(".")[0], kept.printed(one, "/insecured"))
        expect_that(not where, "no token in the log", f"one {where}")


class TestClaims:
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
            {"sub": "\ud800"}, {"iat": now + 3600}, {"iat": now + 120}, {"iat": "soon"},
            {"iat": [now]}, {"iat": True}, {"iat": str(now)}, {"exp": now - 30}, {"exp": 0},
            {"exp": -1}, {"exp": "later"}, {"exp": str(now + 60)}, {"exp": now + 10**9},
            {"exp": float("inf")}, {"exp": {}}, {"jti": 5}, {"sub": "user"}, {"sub": "USER1"},
            {"sub": "user1 "}, {"sub": "user_"}, {"sub": "%"}, {"sub": "x' OR name='user1"},
            {"iat": now - 3600, "exp": now - 3420}, {"iat": now - 3600, "exp": now + 60},
            {"exp": now + 3600},
        ]:  # fmt: skip
            expect_refused(app.get("/secured", bearer=forge(app, claims, **changes)))
        for name in ("iss", "aud"):
            if isinstance(claims[name], str) and len(claims[name]) > 1:
                ours = claims[name]
                for other in (ours[:-1], ours[1:], f"{ours}x", f"x{ours}", "", ours.swapcase()):
                    if other != ours:
                        changed = forge(app, claims, **{name: other})
                        expect_refused(app.get("/secured", bearer=changed))
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

    def test_token_that_counts_later(self, app):
        """A token is not good before its nbf, if it has one (RFC 7519 4.1.5)."""
        now, claims = int(time.time()), claims_of(app)
        expect(app.get("/secured", bearer=forge(app, claims, nbf=now - 60)), 200)
        expect_refused(app.get("/secured", bearer=forge(app, claims, nbf=now + 120)))

    def test_token_expires(self, start, monkeypatch):
        """A token counts for its lifetime from its login on, in UTC, and is then called expired."""
        monkeypatch.setenv("TZ", "XXX-5")  # the clock on the wall is five hours ahead of UTC
        app, before = start(clock=True, TOKEN_LIFETIME=3600), int(time.time())
        mine = token(app)
        claims, answer = read(mine, app.exchanges[-1]), app.exchanges[-1]
        told = member(answer, "expires_in")
        expect_that(told == 3600, "expires_in 3600, as it is set", f"{told!r}", answer, "body")
        issued, ends = claims.get("iat"), claims.get("exp")
        number = isinstance(issued, int | float)  # RFC 7519 2 allows parts of a second
        now = number and before - 2 <= issued <= time.time() + 2
        expect_that(now, "an iat of now, in POSIX seconds", f"{issued} at {before}", answer, "body")
        whole = isinstance(ends, int | float) and abs(ends - issued - 3600) < 1
        expect_that(whole, "exp 3600 s after iat", f"{ends}, iat {issued}", answer, "body")
        for seconds in (0, 3000):  # what was read once must not be taken for good
            app.set_clock(seconds)
            expect(app.get("/secured", bearer=mine), 200)
        app.set_clock(9000)
        expect(app.get("/secured", bearer=token(app)), 200)
        answer = app.get("/secured", bearer=mine)
        if answer.status == 200:  # its clock may be another one than Python's: wait for it
            app = start(TOKEN_LIFETIME=1)
            mine = token(app)
            app.get("/secured", bearer=mine)
            time.sleep(1.2)
            answer = app.get("/secured", bearer=mine)
        description = description_of(expect_refused(answer))
        expect_that(
            "expired" in description.lower(),
            'the word "expired" in error_description',
            f"{description!r}",
            answer,
            "WWW-Authenticate",
        )

    def test_no_two_tokens_have_one_name(self, app):
        """jti is another one in each token, be they made at the same time for the same user."""
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda pair: app.post("/login", basic=pair), [USER1] * 8))
        tokens = [(member(expect(one, 200), "access_token"), one) for one in answers]
        names = {str(read(text, answer).get("jti")) for text, answer in tokens}
        expect_that(len(names) == 8, "eight values of jti", f"{len(names)}", answers[-1])
        short = min(names, key=len)
        unique = len(short) >= 8 or short.isdecimal()  # a count needs fewer
        wanted = "a jti that no other token will have, such as a UUID"
        expect_that(unique, wanted, repr(short), app.exchanges[-1])


class TestAdmin:
    def test_admin_needs_the_claim(self, app):
        """The admin page opens for the admin's token; another good one is 403, a bad one 401."""
        mine = token(app, USER1)
        claims, past = read(mine, app.exchanges[-1]), int(time.time()) - 130
        expect(app.get("/admin", bearer=mine), 200)
        other = token(app, USER2)
        answer = app.get("/admin", bearer=other)
        expect(answer, 403, challenge="bearer", error="insufficient_scope")
        expect(app.get("/admin"), 401, challenge="bearer", error=None)
        ended = forge(app, claims, iat=past, exp=past + 99)
        for bad in ("x.y.z", ended, *bad_tokens(app, claims)):
            expect_refused(app.get("/admin", bearer=bad))
        ended = forge(app, read(other, answer), iat=past, exp=past + 99)
        expect_refused(app.get("/admin", bearer=ended))  # that comes before what it may
        for bad in (b"Bearer", b"Bearer \xe9", b"Basic \xe9", b"Foo", b"Bearer a b"):
            expect(app.get("/admin", authorization=bad), 401, challenge="bearer")

    def test_nothing_but_the_claim_makes_an_admin(self, app):
        """No parameter, form, header, cookie, method or other spelling stands for the claim."""
        mine = token(app, USER2)
        claims = read(mine, app.exchanges[-1])
        query = urlencode({"admin": "1", "scope": "admin", "role": "admin", "is_admin": "true"})
        headers = {"Cookie": "admin=1; role=admin; scope=admin", "X-Role": "admin", "X-Admin": "1"}
        answer = app.get(f"/admin?{query}", bearer=mine, headers=headers)
        expect(answer, 403, challenge="bearer", error="insufficient_scope")
        for form in ({"scope": "admin"}, {"admin": "1", "role": "admin", "username": "user1"}):
            answer = app.post(f"/login?{query}", basic=USER2, form=form, headers=headers)
            if answer.status == 200:  # it may as well be refused
                other = member(answer, "access_token")
                expect(app.get("/admin", bearer=other), 403)
        expect(app.send("HEAD", "/admin", bearer=mine), 403)
        expect(app.send("HEAD", "/admin"), 401)
        for target in ("/admin/", "//admin", "/Admin"):
            expect_nothing(app.get(target, bearer=mine), "no page for user2")
        # The admin's name without the admin's claim: made of user2's token, which has none.
        expect(app.get("/secured", bearer=forge(app, claims, sub="user1")), 200)
        expect(app.get("/admin", bearer=forge(app, claims, sub="user1")), 403)

    def test_admins_claim_is_compared_whole(self, app):
        """A claim that only has the admin's in it, such as the scope no-admin, opens nothing."""
        claims = claims_of(app)
        expect(app.get("/admin", bearer=forge(app, claims)), 200)
        usual = ("iss", "sub", "aud", "iat", "exp", "jti")
        for name in (n for n in claims if n not in usual and isinstance(claims[n], str)):
            if app.get("/admin", bearer=forge(app, claims, **{name: "-"})).status == 200:
                continue  # it says something else
            for near in (r"no-\g<0>", r"\g<0>s"):
                changed = {name: re.sub(r"\w+", near, claims[name])}
                answer = app.get("/admin", bearer=forge(app, claims, **changed))
                came = f"status {answer.status} for {changed}"
                refused = answer.status in (401, 403)
                expect_that(refused, f"403 without {claims[name]!r}", came, answer, "status")


class TestLogout:
    def test_logout_takes_the_token_back(self, app):
        """After logout the token is refused; other tokens of the same user still work."""
        mine, other = token(app), token(app)
        claims = read(other, app.exchanges[-1])
        for target in ("/secured", "/admin"):
            expect(app.get(target, bearer=mine), 200)
        expect(app.post("/logout", bearer=mine), 204)
        for target in ("/secured", "/admin"):
            expect_refused(app.get(target, bearer=mine))
        expect_refused(app.post("/logout", bearer=mine))
        expect(app.post("/logout"), 401, challenge="bearer")
        for bad in ("x.y.z", f'"{other}"', other[:-3], *bad_tokens(app, claims)):
            expect_refused(app.post("/logout", bearer=bad))
        expect(app.get("/secured", bearer=other), 200)
        for bad in (b"Bearer", b"Bearer \xe9", b"Basic \xe9", b"Foo", b"Bearer a b"):
            expect(app.post("/logout", authorization=bad), 401, challenge="bearer")

    def test_logout_counts_everywhere_and_lasts(self, start):
        """A token that was taken back stays so: in each process, for its time, after a restart."""
        long = {"clock": True, "TOKEN_LIFETIME": 3600}
        one = start(wait=False, **long)
        same = {name: one.settings[name] for name in ("DATABASE", "SECRET_KEY")}
        two = start(wait=False, **long, **same)
        one.wait()  # both start on a database that is not there yet
        two.wait()
        other, tokens = token(one), [token(one) for _ in range(12)]
        for app in (two, one):
            expect(app.get("/secured", bearer=tokens[0]), 200)
        for mine in tokens:
            expect(one.post("/logout", bearer=mine), 204)
        expect_refused(two.get("/secured", bearer=mine))
        wanted = "a list that is kept where FLASK_DATABASE says"
        expect_that(kept.files(one), wanted, "nothing in its folder", one.exchanges[-1])
        claims = read(mine, one.exchanges[-1])
        for _ in range(90):  # of others, which no login has to make
            one.post("/logout", bearer=forge(one, claims, jti=uuid4().hex))
        for seconds in (0, 61, 3400):  # what is swept away must have expired before
            for app in (one, two):
                app.set_clock(seconds)
            expect(two.post("/logout", bearer=token(two)), 204)
            for app in (two, one):
                for mine in (tokens[0], tokens[-1]):
                    expect_refused(app.get("/secured", bearer=mine))
        one.restart()
        expect_refused(one.get("/secured", bearer=tokens[0]))
        expect(one.get("/secured", bearer=other), 200)

    def test_logout_sent_twice_at_once(self, app):
        """Of six logouts at once with one token, each is 204 or 401, and the token has ended."""
        mine = token(app)
        for answer in at_once(lambda mine: app.post("/logout", bearer=mine), [mine] * 6):
            expect(answer, 401 if answer.status == 401 else 204)
        expect_refused(app.get("/secured", bearer=mine))

    def test_token_that_is_written_differently(self, app):
        """A token that was taken back stays so when its signature is spelt another way."""
        mine = token(app)
        twins = (twin_of(mine), f"{mine}=", f"{mine}==")
        expect(app.post("/logout", bearer=mine), 204)
        for twin in twins:
            expect_refused(app.get("/secured", bearer=twin))

    def test_only_a_post_logs_out_and_only_this_token(self, app):
        """No GET, and no token or name in a form or an address, takes a token back."""
        mine, other = token(app), token(app, USER2)
        for method in ("GET", "HEAD"):
            answer = app.send(method, "/logout", bearer=other)
            expect_nothing(answer, f"no logout by {method}, such as 405")
        jti = str(read(other, app.exchanges[-1]).get("jti"))
        named = {"token": other, "access_token": other, "jti": jti, "username": "user2"}
        expect(app.post("/logout", form=named), 401, challenge="bearer")
        expect(app.get("/secured", bearer=other), 200)
        app.post(f"/logout?{urlencode(named)}", bearer=mine, form=named)  # its own, or nothing
        expect(app.get("/secured", bearer=other), 200)


class TestNoList:
    def test_unknown_user_takes_the_same_time(self, app):
        """At login, a wrong password and an unknown user get the same answer in the same time."""
        expect_same_time(
            app,
            lambda: expect(app.post("/login", basic=("user1", "wrong")), 401),
            lambda: expect(app.post("/login", basic=("nobody", "wrong")), 401),
        )
        again, _, wrong, unknown = app.exchanges[-4:]
        expect(app.post("/login", basic=USER1), 200)
        expect_same_answer(wrong, unknown, again, ("user1", "nobody"))


class TestRefresh:
    beyond = "beyond"

    def test_refresh_token_works_once_and_its_family_ends(self, app):
        """A refresh token gets a new pair once; used again, it ends all that came of it."""
        login = expect(app.post("/login", basic=USER2), 200)
        first = member(login, "refresh_token")
        fresh = expect(app.post("/refresh", form={"refresh_token": first}), 200)
        expect(fresh, headers={"Cache-Control": "no-store"})
        expect(app.get("/secured", bearer=member(fresh, "access_token")), 200, says="Hello, user2!")
        second = member(fresh, "refresh_token")
        for bad in (first, second, "", "made up", first + "x"):
            answer = expect(app.post("/refresh", form={"refresh_token": bad}), 400)
            error = member(answer, "error")
            # An empty parameter is one that was not sent (RFC 6749 3.2).
            good = error == "invalid_grant" or (not bad and error == "invalid_request")
            expect_that(good, "error 'invalid_grant'", f"{error!r}", answer, "body")
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
            expect(app.get("/report", authorization=bad), 401, headers={"WWW-Authenticate": ""})
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
