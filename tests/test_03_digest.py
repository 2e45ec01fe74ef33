"""Lesson 03: HTTP Digest (RFC 7616). In the order in which you build it."""

import hashlib
import re
import time

import pytest

from learn import digest_answer

USER1 = ("user1", "pass1")


def answer(
    app, target="/", algorithm="SHA-256", user="user1", password="pass1", sent_to=None, **changes
):
    """Get a challenge, answer it, and return the exchange."""
    challenge = app.get(target).challenge(algorithm)
    assert challenge, f"no challenge with algorithm={algorithm}"
    header = digest_answer(challenge, user, password, target, **changes)
    return app.get(sent_to or target, authorization=header)


def test_it_works_browser(app):
    """A client that keeps cookies, as a browser does, gets in."""
    answer = app.get("/", digest=USER1, cookies=True)
    assert (answer.status, answer.text.strip()) == (200, "Hello, user1!")


def test_it_works_challenge(app):
    """Without credentials comes 401 with a Digest challenge that has realm, nonce and opaque."""
    first = app.get("/")
    challenge = first.challenge()
    assert first.status == 401 and challenge.type == "digest"
    assert challenge.realm and challenge.nonce and challenge.opaque and challenge.qop == "auth"


def test_it_works_wrong_password(app):
    """A wrong password and an unknown user are refused with a new challenge."""
    for pair in [("user1", "wrong"), ("nobody", "pass1")]:
        refused = app.get("/", digest=pair, cookies=True)
        assert refused.status == 401 and refused.challenge()


def test_it_works_fresh_nonces(app):
    """Every challenge has a nonce of its own."""
    assert len({app.get("/").challenge().nonce for _ in range(5)}) == 5


def test_no_cookie_needed(app):
    """A client without cookies gets in, as `curl --digest` is one."""
    assert app.get("/", digest=USER1).status == 200
    assert app.get("/account", digest=("user2", "pass2")).text.strip() == "Hello, user2!"


def test_two_challenges_sha256_first(app):
    """The server offers SHA-256 first and MD5 second (RFC 7616 3.7)."""
    values = app.get("/").headers("WWW-Authenticate")
    assert len(values) == 2
    assert "SHA-256" in values[0] and "MD5" in values[1]


@pytest.mark.parametrize("algorithm", ["SHA-256", "MD5"])
def test_both_algorithms_get_in(app, algorithm):
    """A client of either kind gets in."""
    assert answer(app, algorithm=algorithm).status == 200
    assert answer(app, algorithm=algorithm, password="wrong").status == 401


def test_replay_is_refused(app):
    """The same nonce and count a second time is refused, so a copied header is worthless."""
    header = digest_answer(app.get("/").challenge(), *USER1)
    assert app.get("/", authorization=header).status == 200
    assert app.get("/", authorization=header).status == 401


def test_replay_is_refused_after_a_restart(start):
    """A restart does not make the server forget which counts were used."""
    app = start()
    challenge = app.get("/").challenge()
    header = digest_answer(challenge, *USER1)
    assert app.get("/", authorization=header).status == 200
    app.restart()
    assert app.get("/", authorization=header).status == 401
    assert app.get("/", authorization=digest_answer(challenge, *USER1, nc=2)).status == 200


def test_counts_may_come_out_of_order(app):
    """Requests of one client may overtake each other; each count is good once."""
    challenge = app.get("/").challenge()
    for nc, status in [(3, 200), (1, 200), (2, 200), (1, 401), (3, 401), (0xFFFFFFFF, 200)]:
        header = digest_answer(challenge, *USER1, nc=nc)
        assert app.get("/", authorization=header).status == status, nc


def test_header_for_one_address_opens_no_other(app):
    """`uri` must be the address that is asked for, its query included."""
    assert answer(app, "/account?a=1").status == 200
    assert answer(app, "/", sent_to="/account").status == 401
    assert answer(app, "/account", sent_to="/account?a=1").status == 401
    assert answer(app, "/account?a=1", sent_to="/account?a=2").status == 401


def test_qop_is_needed(app):
    """Without qop, or with another one than was offered, nobody gets in."""
    assert answer(app).status == 200
    assert answer(app, qop=None).status == 401
    for qop in ("auth-int", "foo", ""):
        assert answer(app, qop=qop).status == 401, qop


def test_other_realm_is_refused(app):
    """A response for another realm is refused, though it was computed with the password."""
    challenge = app.get("/").challenge("SHA-256")
    assert app.get("/", authorization=digest_answer(challenge, *USER1)).status == 200
    challenge["realm"] = "Somewhere else"
    assert app.get("/", authorization=digest_answer(challenge, *USER1, nc=2)).status == 401


def test_nonce_must_be_ours(app):
    """A nonce that the server did not make is refused, though the response is right."""
    challenge = app.get("/").challenge("SHA-256")
    real = challenge.nonce
    for forged in ("0" * 32, real[:-2] + "AA", "x" + real, real.swapcase(), "a.b.c"):
        challenge["nonce"] = forged
        assert app.get("/", authorization=digest_answer(challenge, *USER1)).status == 401, forged
    challenge["nonce"] = real
    assert app.get("/", authorization=digest_answer(challenge, *USER1)).status == 200


def test_old_nonce_is_stale(start):
    """After its lifetime a nonce is answered with stale=true, so clients need not ask again."""
    app = start(NONCE_LIFETIME=1)
    challenge = app.get("/").challenge()
    assert app.get("/", authorization=digest_answer(challenge, *USER1)).status == 200
    time.sleep(2.1)
    late = app.get("/", authorization=digest_answer(challenge, *USER1, nc=2))
    assert late.status == 401 and late.challenge().get("stale") == "true"
    wrong = app.get("/", authorization=digest_answer(challenge, "user1", "wrong", nc=3))
    assert wrong.status == 401 and wrong.challenge().get("stale") != "true"


def test_malformed_headers_are_401(app):
    """Whatever is not a whole and right answer is refused with 401 and a challenge."""
    challenge = app.get("/").challenge("SHA-256")
    whole = digest_answer(challenge, *USER1)
    names = ["username", "realm", "nonce", "uri", "response", "opaque", "qop", "nc", "cnonce"]
    bad = [re.sub(rf',? ?\b{name}="?[^",]*"?', "", whole) for name in names]
    bad += [
        re.sub(rf'\b{name}="?[^",]*"?', f'{name}="{x}"', whole)
        for name in names
        for x in ("", "\u00e9")
    ]
    bad += [
        digest_answer(challenge, *USER1).replace("nc=00000001", f"nc={nc}")
        for nc in ("1", "0x000001", "-0000001", "000000001", "zzzzzzzz")
    ]
    bad += [
        digest_answer(challenge, *USER1, algorithm=a) for a in ("SHA-512", "MD5-sess", "none", "")
    ]
    bad += ["Digest", "Digest x", "Digest ,", 'Digest ="', "Digest " + "a=b," * 500]
    bad += [whole.replace("Digest", "Basic"), whole.replace("Digest", "Foo"), whole[7:]]
    for header in bad:
        refused = app.get("/", authorization=header.encode("utf-8"))
        assert refused.status == 401 and refused.challenge(), header
    assert app.get("/", authorization=whole).status == 200


def test_server_proves_itself(app):
    """On success, rspauth shows that the server knew the secret as well (RFC 7616 3.5)."""
    for algorithm, H in [("SHA-256", hashlib.sha256), ("MD5", hashlib.md5)]:
        challenge = app.get("/").challenge(algorithm)
        good = app.get("/", authorization=digest_answer(challenge, *USER1, cnonce="abc"))
        h = lambda *parts: H(":".join(parts).encode()).hexdigest()  # noqa: B023, E731
        ha1, ha2 = h("user1", challenge.realm, "pass1"), h("", "/")
        proof = h(ha1, challenge.nonce, "00000001", "abc", "auth", ha2)
        assert f'rspauth="{proof}"' in (good.header("Authentication-Info") or "")
