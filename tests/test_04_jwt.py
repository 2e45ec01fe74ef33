"""Lesson 04: JSON Web Tokens (RFC 7519, 6750, 8725). In the order in which you build it."""

import base64
import json
import statistics
import time

import jwt
import pytest

USER1, USER2 = ("user1", "pass1"), ("user2", "pass2")


def token(app, pair=USER1):
    """Log in and return the token."""
    answer = app.post("/login", basic=pair)
    assert answer.status == 200, answer.text
    return answer.json()["access_token"]


def forge(app, **changes):
    """A real token's claims with changes, signed with the app's own key; None leaves one out."""
    claims = jwt.decode(token(app), options={"verify_signature": False}) | changes
    claims = {name: value for name, value in claims.items() if value is not None}
    return jwt.api_jws.encode(json.dumps(claims).encode(), app.key, "HS256", {"typ": "JWT"})


def refused(answer):
    """Whether the answer refuses a bad token as RFC 6750 3.1 says."""
    challenge = answer.challenge()
    return (
        answer.status == 401
        and challenge.type == "bearer"
        and challenge.get("error") == "invalid_token"
    )


def test_it_works_public_page(app):
    """The public page needs no token."""
    assert app.get("/insecured").status == 200


def test_it_works_login_needs_credentials(app):
    """A login without credentials, or with wrong ones, gets a Basic challenge and no token."""
    for pair in [None, ("user1", "wrong"), ("nobody", "pass1")]:
        answer = app.post("/login", basic=pair)
        assert answer.status == 401 and answer.challenge().type == "basic"


def test_each_user_logs_in_with_their_own_password(app):
    """Each user gets a token for their own password and for no other."""
    assert token(app, USER1) and token(app, USER2)
    for pair in [("user1", "pass2"), ("user2", "pass1"), ("user1", "secret"), ("anyone", "secret")]:
        assert app.post("/login", basic=pair).status == 401


def test_login_answers_as_oauth_does(app):
    """The answer has access_token, token_type and expires_in, and must not be stored."""
    answer = app.post("/login", basic=USER1)
    body = answer.json()
    assert body["token_type"] == "Bearer" and body["expires_in"] == 180
    assert body["access_token"].count(".") == 2
    assert "no-store" in (answer.header("Cache-Control") or "")


def test_token_in_the_header_opens(app):
    """With the token in the Authorization header the page opens, whatever the scheme's case."""
    mine = token(app)
    assert app.get("/secured", bearer=mine).text.strip() == "Hello, user1!"
    assert app.get("/secured", bearer=token(app, USER2)).text.strip() == "Hello, user2!"
    assert app.get("/secured", authorization=f"bearer {mine}").status == 200


def test_no_token_is_401(app):
    """Without a token comes 401 with a Bearer challenge that names no error (RFC 6750 3.1)."""
    answer = app.get("/secured")
    assert answer.status == 401
    assert answer.challenge().type == "bearer" and answer.challenge().realm
    assert answer.challenge().get("error") is None


def test_token_in_the_address_does_not_count(app):
    """A token in the address is not looked at: it would stay in logs and histories."""
    mine = token(app)
    assert app.get(f"/secured?token={mine}").status == 401
    assert app.get("/secured?token=wrong", bearer=mine).status == 200


def test_wrong_token_says_what_is_wrong(app):
    """A bad token is refused with error="invalid_token" and a description that helps."""
    answer = app.get("/secured", bearer="x.y.z")
    assert refused(answer)
    assert len(answer.challenge().get("error_description") or "") > 10


def test_changed_token_is_refused(app):
    """Nobody can change a claim, the header or the signature."""
    mine = token(app, USER2)
    header, claims, signature = mine.split(".")
    raised = jwt.decode(mine, options={"verify_signature": False}) | {
        "sub": "user1",
        "scope": "admin",
    }
    raised = base64.urlsafe_b64encode(json.dumps(raised).encode()).decode().rstrip("=")
    other = signature[:5] + ("A" if signature[5] != "A" else "B") + signature[6:]
    for bad in [
        f"{header}.{raised}.{signature}",
        f"{header}.{claims}.{other}",
        f"{header}.{claims}.",
        f"{header}.{claims}",
    ]:
        assert refused(app.get("/secured", bearer=bad)), bad
    assert app.get("/secured", bearer=mine).status == 200


@pytest.mark.parametrize(
    "alg", ["none", "None", "NONE", "nOnE", "HS384", "HS512", "RS256", "hs256", ""]
)
def test_only_our_algorithm_counts(app, alg):
    """The algorithm is the server's choice; none, or another one than HS256, is refused."""
    claims = jwt.decode(token(app), options={"verify_signature": False})
    head, body = (
        base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")
        for part in ({"alg": alg, "typ": "JWT"}, claims)
    )
    signed = jwt.encode(claims, app.key, "HS512").rpartition(".")[2]
    for signature in ("", signed):
        assert refused(app.get("/secured", bearer=f"{head}.{body}.{signature}"))
    if alg in ("HS384", "HS512"):
        assert refused(app.get("/secured", bearer=jwt.encode(claims, app.key, alg)))


@pytest.mark.filterwarnings("ignore:The HMAC key")
def test_weak_keys_open_nothing(app):
    """A token signed with a guessed key is refused."""
    claims = jwt.decode(token(app), options={"verify_signature": False})
    for key in ("eduCBA", "secret", "secret key here", "dev"):
        assert refused(app.get("/secured", bearer=jwt.encode(claims, key, "HS256"))), key


def test_token_expires(start):
    """After its lifetime a token is refused, and the description says that it expired."""
    app = start(TOKEN_LIFETIME=1)
    mine = token(app)
    time.sleep(1.2)
    answer = app.get("/secured", bearer=mine)
    assert refused(answer) and "expired" in answer.challenge().get("error_description")


@pytest.mark.parametrize("claim", ["sub", "iss", "aud", "iat", "exp", "jti"])
def test_every_claim_is_needed(app, claim):
    """A token without one of the six claims is refused, though its signature is right."""
    assert app.get("/secured", bearer=forge(app)).status == 200
    assert refused(app.get("/secured", bearer=forge(app, **{claim: None})))


def test_claims_are_checked(app):
    """Issuer, audience, user and times are checked, though the signature is right."""
    now = int(time.time())
    assert app.get("/secured", bearer=forge(app)).status == 200
    for changes in [
        {"iss": "another"}, {"iss": ["Lesson 04"]}, {"aud": "another"}, {"aud": ["x", "y"]},
        {"aud": 1}, {"sub": "nobody"}, {"sub": ""}, {"sub": 1}, {"sub": ["user1"]},
        {"sub": "\ud800"},
        {"iat": now + 3600}, {"iat": "soon"}, {"iat": [now]}, {"iat": True}, {"iat": str(now)},
        {"exp": now - 1}, {"exp": 0}, {"exp": -1}, {"exp": "later"}, {"exp": str(now + 60)},
        {"exp": now + 10**9}, {"exp": float("inf")}, {"exp": {}}, {"jti": 5}, {"jti": "\ud800"},
    ]:  # fmt: skip
        assert refused(app.get("/secured", bearer=forge(app, **changes))), changes


def test_malformed_headers_are_401(app):
    """Whatever is no token is refused with 401 and a Bearer challenge."""
    mine = token(app)
    deep = base64.urlsafe_b64encode(b'{"a":' * 3000).decode()
    head = mine.split(".")[0]
    for bad in [
        "Bearer", "Bearer .", "Bearer ..", "Bearer ...", "Bearer a.b", "Bearer é.é.é", "Bearer =",
        f"Bearer {mine} {mine}", f"Bearer {mine},", f'Bearer token="{mine}"', f"Bearer {mine}.x",
        mine, f"Basic {mine}", f"Foo {mine}", f"Bearer {deep}.{deep}.x", f"Bearer {head}.{deep}.x",
        "Bearer \x80\xff", f"Bearer {head}.bnVsbA.x", f"Bearer {head}.W10.x",
        "Bearer eyJhbGciOjF9.e30.", "Bearer W10.e30.",
    ]:  # fmt: skip
        answer = app.get("/secured", authorization=bad.encode("utf-8"))
        assert answer.status == 401 and answer.challenge().type == "bearer", bad[:200]


def test_admin_needs_the_claim(app):
    """The admin page opens for the admin's token; another good token is 403, none is 401."""
    assert app.get("/admin", bearer=token(app, USER1)).status == 200
    answer = app.get("/admin", bearer=token(app, USER2))
    assert answer.status == 403 and answer.challenge().get("error") == "insufficient_scope"
    assert app.get("/admin").status == 401


def test_logout_takes_the_token_back(start):
    """After logout the token is refused, after a restart too; other tokens still work."""
    app = start()
    mine, other = token(app), token(app)
    assert app.post("/logout", bearer=mine).status == 204
    assert refused(app.get("/secured", bearer=mine))
    assert app.get("/secured", bearer=other).status == 200
    app.restart()
    assert refused(app.get("/secured", bearer=mine))
    assert app.get("/secured", bearer=other).status == 200
    assert app.post("/logout").status == 401


def test_unknown_user_takes_the_same_time(app):
    """At login, a wrong password and an unknown user take the same time."""
    times = {"user1": [], "nobody": []}
    assert app.post("/login", basic=USER1).status == 200
    for name in list(times) * 7:
        begin = time.perf_counter()
        assert app.post("/login", basic=(name, "wrong")).status == 401
        times[name].append(time.perf_counter() - begin)
    ratio = statistics.median(times["nobody"]) / statistics.median(times["user1"])
    assert 0.5 < ratio < 2


def test_weak_secret_key_is_refused_at_start(start):
    """A key shorter than 32 bytes stops the app at start with a sentence (RFC 7518 3.2)."""
    from learn import LessonError

    with pytest.raises(LessonError, match="SECRET_KEY"):
        start(SECRET_KEY="eduCBA")
