"""Lesson 03: HTTP Digest (RFC 7616).

One class is one step, in the order in which you build it; what each step says to the learner stands
in lessons/03_digest/steps.toml.
"""

import hashlib
import re
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import pytest

from learn import digest_answer
from learn.practice.expect import Unexpected, expect, expect_that

USER1 = ("user1", "pass1")


def challenge_of(app, algorithm="SHA-256", target="/"):
    """Ask without credentials and return the challenge of an algorithm."""
    asked = app.get(target)
    found = asked.challenge(algorithm)
    if not found:
        header = asked.header("WWW-Authenticate") or "no WWW-Authenticate"
        raise Unexpected(
            f"a challenge with algorithm={algorithm}", header, asked, "WWW-Authenticate"
        )
    return found


def answer(
    app, target="/", algorithm="SHA-256", user="user1", password="pass1", sent_to=None, **changes
):
    """Get a challenge, answer it, and return the exchange."""
    challenge = challenge_of(app, algorithm, target)
    header = digest_answer(challenge, user, password, target, **changes)
    return app.get(sent_to or target, authorization=header)


class TestItWorks:
    def test_it_works_browser(self, app):
        """A client that keeps cookies, as a browser does, gets in."""
        expect(app.get("/", digest=USER1, cookies=True), 200, text="Hello, user1!")

    def test_it_works_challenge(self, app):
        """Without credentials comes 401 with a Digest challenge: realm, nonce, opaque, qop."""
        every = {"realm": ..., "nonce": ..., "opaque": ..., "qop": "auth"}
        expect(app.get("/"), 401, challenge="digest", **every)

    def test_it_works_wrong_password(self, app):
        """A wrong password and an unknown user are refused with a new challenge."""
        for pair in [("user1", "wrong"), ("nobody", "pass1")]:
            expect(app.get("/", digest=pair, cookies=True), 401, challenge="digest")

    def test_it_works_fresh_nonces(self, app):
        """Every challenge has a nonce of its own."""
        nonces = [app.get("/").challenge().nonce for _ in range(5)]
        expect_that(
            len(set(nonces)) == 5,
            "five different nonces in five challenges",
            f"{len(set(nonces))}",
            app.exchanges[-1],
            "WWW-Authenticate",
        )


class TestNoCookies:
    def test_no_cookie_needed(self, app):
        """A client without cookies gets in, as `curl --digest` is one."""
        expect(app.get("/", digest=USER1), 200, text="Hello, user1!")
        expect(app.get("/account", digest=("user2", "pass2")), 200, text="Hello, user2!")
        expect(app.get("/", digest=("user1", "wrong")), 401, challenge="digest")
        expect(app.get("/", digest=("nobody", "pass1")), 401, challenge="digest")

    def test_scheme_in_any_case(self, app):
        """The scheme's name counts in any case (RFC 9110 11.1)."""
        for scheme in ("digest", "DIGEST"):
            header = digest_answer(challenge_of(app, None), *USER1)
            expect(app.get("/", authorization=header.replace("Digest", scheme)), 200)


class TestAlgorithms:
    def test_two_challenges_sha256_first(self, app):
        """The server offers SHA-256 first and MD5 second (RFC 7616 3.7)."""
        asked = expect(app.get("/"), 401, challenge="digest", algorithm="SHA-256")
        values = asked.headers("WWW-Authenticate")
        expect_that(
            len(values) == 2 and re.search(r'algorithm="?MD5"?', values[1]),
            "two headers WWW-Authenticate, the second with algorithm=MD5",
            f"{len(values)}",
            asked,
            "WWW-Authenticate",
        )

    @pytest.mark.parametrize("algorithm", ["SHA-256", "MD5"])
    def test_both_algorithms_get_in(self, app, algorithm):
        """A client of either kind gets in."""
        expect(answer(app, algorithm=algorithm), 200, text="Hello, user1!")
        wrong = answer(app, algorithm=algorithm, password="wrong")
        expect(wrong, 401, challenge="digest")

    def test_no_algorithm_means_md5(self, app):
        """An answer that names no algorithm was computed with MD5 (RFC 7616 3.3)."""
        header = digest_answer(challenge_of(app, "MD5"), *USER1, algorithm=None)
        expect(app.get("/", authorization=header), 200)
        header = digest_answer(challenge_of(app, "SHA-256"), *USER1, algorithm=None)
        expect(app.get("/", authorization=header), 401)


class TestReplay:
    def test_replay_is_refused(self, app):
        """The same nonce and count a second time is refused."""
        header = digest_answer(challenge_of(app), *USER1)
        expect(app.get("/", authorization=header), 200)
        expect(app.get("/", authorization=header), 401, challenge="digest")

    def test_of_many_at_once_one_gets_in(self, app):
        """The same header many times at once gets in once: looking and noting are one act."""
        for _ in range(3):
            header = digest_answer(challenge_of(app), *USER1)
            with ThreadPoolExecutor(10) as pool:
                sent = pool.map(lambda h: app.get("/", authorization=h).status, [header] * 20)
            answers = sorted(sent)
            expect_that(
                answers == [200] + [401] * 19,
                "of twenty copies of a header, sent at once, one answered with 200",
                f"{answers.count(200)} with 200, {answers.count(401)} with 401",
            )

    def test_counts_may_come_out_of_order(self, app):
        """Requests of one client may overtake each other; each count is good once."""
        challenge = challenge_of(app)
        for nc, status in [(3, 200), (1, 200), (2, 200), (1, 401), (3, 401), (0xFFFFFFFF, 200)]:
            header = digest_answer(challenge, *USER1, nc=nc)
            expect(app.get("/", authorization=header), status)

    def test_replay_is_refused_after_a_restart(self, start):
        """A restart does not make the server forget which counts were used."""
        app = start()
        challenge = challenge_of(app)
        header = digest_answer(challenge, *USER1)
        expect(app.get("/", authorization=header), 200)
        app.restart()
        expect(app.get("/", authorization=header), 401)
        expect(app.get("/", authorization=digest_answer(challenge, *USER1, nc=2)), 200)


class TestAddress:
    def test_header_for_one_address_opens_no_other(self, app):
        """`uri` must be the address that is asked for, its query included."""
        expect(answer(app, "/account?a=1"), 200)
        expect(answer(app, "/", sent_to="/account"), 401)
        expect(answer(app, "/account", sent_to="/account?a=1"), 401)
        expect(answer(app, "/account?a=1", sent_to="/account"), 401)
        expect(answer(app, "/account?a=1", sent_to="/account?a=2"), 401)
        expect(answer(app, "/account?a=1%26b=2", sent_to="/account?a=1&b=2"), 401)
        expect(answer(app, "/account?q=%C3%A9%20+"), 200)

    def test_an_address_may_be_percent_encoded(self, app):
        """A client that writes the address with percent signs gets in; the request has them too."""
        for target in ("/acc%6Funt", "/acc%6funt?q=%2F", "/account?q=a%26b"):
            expect(answer(app, target), 200)

    def test_header_for_one_method_opens_no_other(self, app):
        """The response covers the method as well: an answer for GET is none for HEAD."""
        for method, status in [("HEAD", 200), ("GET", 401)]:
            header = digest_answer(challenge_of(app), *USER1, method=method)
            expect(app.send("HEAD", "/", authorization=header), status)


class TestParameters:
    def test_qop_is_needed(self, app):
        """Without qop, or with another one than was offered, nobody gets in."""
        expect(answer(app), 200)
        expect(answer(app, qop=None), 401)
        for qop in ("auth-int", "foo", ""):
            expect(answer(app, qop=qop), 401)

    def test_other_realm_is_refused(self, app):
        """A response for another realm is refused, though it was computed with the password."""
        challenge = challenge_of(app)
        expect(app.get("/", authorization=digest_answer(challenge, *USER1)), 200)
        challenge["realm"] = "Somewhere else"
        expect(app.get("/", authorization=digest_answer(challenge, *USER1, nc=2)), 401)

    def test_malformed_headers_are_401(self, app):
        """Whatever is not a whole and right answer is refused with 401 and a challenge."""
        challenge = challenge_of(app)
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
            digest_answer(challenge, *USER1, algorithm=a)
            for a in ("SHA-512", "MD5-sess", "none", "")
        ]
        bad += ["Digest", "Digest x", "Digest ,", 'Digest ="', "Digest " + "a=b," * 500]
        bad += [whole.replace("Digest", "Basic"), whole.replace("Digest", "Foo"), whole[7:]]
        for header in bad:
            expect(app.get("/", authorization=header.encode()), 401, challenge="digest")
        expect(app.get("/", authorization=whole), 200)


class TestNonces:
    def test_nonce_must_be_ours(self, app):
        """A nonce that the server did not make is refused, though the response is right."""
        challenge = challenge_of(app)
        real = challenge.nonce
        forgeries = ["0" * 32, "x" + real, real.swapcase(), "a.b.c"]
        for at, old in enumerate(real[:-1]):  # the last one may hold bits that nobody reads
            new = str(9 - int(old)) if old.isdigit() else "g" if old.lower() != "g" else "A"
            forgeries.append(real[:at] + new + real[at + 1 :])
        for forged in forgeries:
            challenge["nonce"] = forged
            expect(app.get("/", authorization=digest_answer(challenge, *USER1)), 401)
        challenge["nonce"] = real
        expect(app.get("/", authorization=digest_answer(challenge, *USER1)), 200)

    def test_old_nonce_is_stale(self, start):
        """After its lifetime a nonce is answered with stale=true, so clients need not ask again."""
        app = start(NONCE_LIFETIME=1)
        challenge = challenge_of(app)
        expect(app.get("/", authorization=digest_answer(challenge, *USER1)), 200)
        time.sleep(2.1 - time.time() % 1)  # until two seconds on, if whole ones are counted
        late = app.get("/", authorization=digest_answer(challenge, *USER1, nc=2))
        expect(late, 401, challenge="digest", stale="true")
        wrong = app.get("/", authorization=digest_answer(challenge, "user1", "wrong", nc=3))
        expect(wrong, 401, challenge="digest")
        expect_that(
            wrong.challenge().get("stale") != "true",
            "no stale=true for a wrong password: only who knows it may be asked again",
            wrong.header("WWW-Authenticate"),
            wrong,
            "WWW-Authenticate",
        )


class TestProof:
    def test_server_proves_itself(self, app):
        """On success, rspauth shows that the server knew the secret as well (RFC 7616 3.5)."""
        target = "/account?page=1"
        for algorithm, hash_function in [("SHA-256", hashlib.sha256), ("MD5", hashlib.md5)]:

            def h(*parts, hash_function=hash_function):
                return hash_function(":".join(parts).encode()).hexdigest()

            challenge = challenge_of(app, algorithm)
            header = digest_answer(challenge, *USER1, target, cnonce="abc")
            good = expect(app.get(target, authorization=header), 200)
            ha1, ha2 = h("user1", challenge.realm, "pass1"), h("", target)
            proof = h(ha1, challenge.nonce, "00000001", "abc", "auth", ha2)
            for part in (f'rspauth="{proof}"', "qop=", 'cnonce="abc"', "nc=00000001"):
                expect(good, headers={"Authentication-Info": part})

    def test_cnonce_stays_within_its_quotes(self, app):
        """cnonce goes back in Authentication-Info: it must neither end its quotes nor the line."""
        expect(answer(app), 200, headers={"Authentication-Info": "cnonce="})
        for cnonce in ('a", rspauth="b', "a\\", "a\r\nX-Mine: b"):
            header = digest_answer(challenge_of(app), *USER1, cnonce=cnonce)
            encoded = f", cnonce*=UTF-8''{quote(cnonce, safe='')}"  # RFC 8187, for what is no text
            sent = app.get("/", authorization=header.partition(", cnonce=")[0] + encoded)
            info = sent.header("Authentication-Info") or ""
            outside = re.sub(r'"(\\.|[^"\\])*"', "", info)
            expect_that(
                sent.status < 500 and outside.count("rspauth") < 2 and '"' not in outside,
                f"a refusal, or an Authentication-Info in which the cnonce {cnonce!r} is quoted",
                f"status {sent.status}, {info!r}",
                sent,
                "Authentication-Info",
            )


class TestOnlySha256:
    beyond = "beyond"

    def test_md5_is_neither_offered_nor_taken(self, start):
        """With FLASK_REFUSE_MD5=1 there is one challenge, SHA-256, and an MD5 answer is refused."""
        app = start(REFUSE_MD5=1)
        asked = expect(app.get("/"), 401, challenge="digest", algorithm="SHA-256")
        expect_that(
            len(asked.headers("WWW-Authenticate")) == 1,
            "one challenge",
            f"{len(asked.headers('WWW-Authenticate'))}",
            asked,
            "WWW-Authenticate",
        )
        expect(app.get("/", digest=USER1), 200)
        for named in ("MD5", None):
            challenge = challenge_of(app)
            challenge["algorithm"] = "MD5"
            header = digest_answer(challenge, *USER1, algorithm=named)
            expect(app.get("/", authorization=header), 401, challenge="digest")
