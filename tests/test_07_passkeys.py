"""Lesson 07: passkeys (WebAuthn Level 3).

One class is one step, in the order in which you build it; what each step says to the learner stands
in lessons/07_passkeys/steps.toml. The device and the browser are software: learn.Authenticator.
"""

import json
import re
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from learn import Authenticator, Browser
from learn.practice.expect import Unexpected, expect, expect_that
from learn.running.authenticator import (
    CAN_SYNC,
    EDDSA,
    ES256,
    ES384,
    PRESENT,
    RS256,
    SYNCED,
    VERIFIED,
    decode,
    encode,
)

USER1, USER2 = ("user1", "pass1"), ("user2", "pass2")
BOTH = PRESENT | VERIFIED
AS_JSON = {"Content-Type": "application/json"}
OTHER_SITE = {"Sec-Fetch-Site": "cross-site", "Origin": "https://other.example"}


class Visitor(Browser):
    """A browser with a device of its own, which does what the page of the lesson does."""

    def __init__(self, app, origin=None, **device):
        super().__init__(app, origin)
        self.phone = Authenticator(self.origin, **device)

    def options(self, target, **how):
        """Ask for options and return them; they must be of the standard's form."""
        answer = expect(self.post(target, **how), 200)
        try:
            options = answer.json()
            decode(options["challenge"])
            if "register" in target:
                decode(options["user"]["id"])
                assert options["rp"]["id"] and all(o["alg"] for o in options["pubKeyCredParams"])
                assert all(one["id"] for one in options.get("excludeCredentials", []))
            else:
                assert options["rpId"]
        except (ValueError, KeyError, TypeError, AttributeError, AssertionError):
            wanted = "options as parse…OptionsFromJSON reads them (WebAuthn 5.1.8, 5.1.9)"
            raise Unexpected(wanted, repr(answer.text.strip()[:90]), answer, "body") from None
        rp_id = options["rp"]["id"] if "register" in target else options["rpId"]
        host = urlsplit(self.origin).hostname
        if not f".{host}".endswith(f".{rp_id}"):
            wanted = f"the RP ID {host}, or a domain above it: what a browser on that page accepts"
            raise Unexpected(wanted, repr(rp_id), answer, "body")
        return options

    def creation(self, pair=USER1):
        return self.options("/register/options", basic=pair)

    def register(self, pair=USER1, **wrong):
        """Make a passkey, send it, and return the answer; wrong: what the device does wrong."""
        answer = self.post("/register", json_body=self.phone.create(self.creation(pair), **wrong))
        if answer.status != 201:
            self.phone.keys.pop()
        return answer

    def log_in(self, key=None, **wrong):
        """Log in and return the answer; wrong: what the device does wrong."""
        return self.post("/login", json_body=self.signed(key, **wrong))

    def signed(self, key=None, **wrong):
        return self.phone.get(self.options("/login/options"), key, **wrong)

    def passkeys(self):
        """Return the list that GET /passkeys answers, each with id, made, used and synced."""
        answer = expect(self.get("/passkeys"), 200)
        try:
            listed = answer.json()
            assert all({"id", "made", "used", "synced"} <= set(one) for one in listed)
        except (ValueError, TypeError, AssertionError):
            wanted = "a JSON list of objects with id, made, used and synced"
            raise Unexpected(wanted, repr(answer.text.strip()[:90]), answer, "body") from None
        return listed


def with_passkey(app, pair=USER1, **device):
    """Return a browser whose device has a passkey of this user; nobody is logged in."""
    browser = Visitor(app, **device)
    expect(browser.register(pair), 201)
    browser.cookies.clear()
    return browser


def logged_in(app, pair=USER1, **device):
    """Return a browser in which this user has logged in with a passkey."""
    browser = with_passkey(app, pair, **device)
    expect(browser.log_in(), 200)
    expect_in(browser, pair[0])
    return browser


def expect_in(browser, name):
    return expect(browser.get("/secured"), 200, text=f"Hello, {name}!")


def expect_out(browser):
    return expect(browser.get("/secured"), 403)


def expect_refused(answer, *statuses):
    """It is refused with one of these statuses (403 if none is given), and a sentence."""
    wanted = " or ".join(map(str, statuses or (403,)))
    came = f"status {answer.status} {answer.reason}"
    expect_that(answer.status in (statuses or (403,)), f"status {wanted}", came, answer, "status")
    text = re.sub(r"<[^>]*>", " ", answer.text).strip()
    expect_that(len(text.split()) >= 3, "a sentence", repr(text), answer, "body")
    return answer


class TestItWorks:
    def test_it_works_nobody_gets_in(self, app):
        """Without a session comes 403; a wrong password gets no options, but 401."""
        expect_out(Visitor(app))
        for pair in [("user1", "wrong"), ("nobody", "pass1"), ("user1", "pass2")]:
            expect(app.post("/register/options", basic=pair), 401)

    def test_it_works_register_and_log_in(self, app):
        """Who has the password adds a passkey, and logs in with it."""
        browser = with_passkey(app, USER2)
        expect_out(browser)
        expect(browser.log_in(), 200)
        expect_in(browser, "user2")


class TestChallenge:
    def test_challenge_is_random(self, app):
        """Each challenge is another one, of 32 bytes or more, for registration and for login."""
        browser = Visitor(app)
        seen = [browser.creation()["challenge"] for _ in range(4)]
        seen += [browser.options("/login/options")["challenge"] for _ in range(4)]
        raw = [decode(one) for one in seen]
        expect_that(len(set(raw)) == 8, "eight challenges", "the same again", app.exchanges[-1])
        short = min(len(one) for one in raw)
        expect_that(short >= 32, "32 bytes or more", f"{short} bytes", app.exchanges[-1], "body")
        # All that may stay the same is a part beside 32 random bytes.
        same = sum(len({one[i] for one in raw}) == 1 for i in range(short))
        expect_that(short - same >= 32, "32 random bytes", f"{same} stay", app.exchanges[-1])

    def test_login_counts_once(self, start):
        """An assertion opens once, also after a restart; a new one then opens again."""
        app = start()
        browser = with_passkey(app)
        answer = browser.signed()
        before = dict(browser.cookies)
        expect(browser.post("/login", json_body=answer), 200)
        for cookies in (before, browser.cookies):
            copy = Visitor(app)
            copy.cookies = dict(cookies)
            expect_refused(copy.post("/login", json_body=answer))
        later = browser.signed()
        app.restart()
        expect(browser.post("/login", json_body=later), 200)
        expect_refused(browser.post("/login", json_body=later))

    def test_login_counts_once_of_many_at_once(self, start):
        """Of four copies of an assertion, sent at the same time, one opens."""
        app = start()
        browser = with_passkey(app, counts=False)
        for _ in range(3):
            answer, cookies = browser.signed(), dict(browser.cookies)
            copies = [Visitor(app) for _ in range(4)]
            for copy in copies:
                copy.cookies = dict(cookies)
            with ThreadPoolExecutor(4) as pool:
                got = list(pool.map(lambda one: one.post("/login", json_body=answer), copies))
            opened = sum(one.status == 200 for one in got)
            expect_that(opened == 1, "one of four let in", f"{opened}", got[-1], "status")

    def test_registration_counts_once(self, app):
        """The challenge of a registration counts once, and not for a login, nor the reverse."""
        browser, other = Visitor(app), Visitor(app)
        options = browser.creation()
        expect(browser.post("/register", json_body=browser.phone.create(options)), 201)
        expect_refused(browser.post("/register", json_body=other.phone.create(options)), 400)
        browser.cookies.clear()
        options, before = browser.creation(USER1), dict(browser.cookies)
        login = {**options, "rpId": options["rp"]["id"]}
        expect_refused(browser.post("/login", json_body=browser.phone.get(login)))
        expect_out(browser)
        browser.cookies = before
        creation = {**browser.creation(), **browser.options("/login/options")}
        expect_refused(browser.post("/register", json_body=other.phone.create(creation)), 400)

    def test_challenge_belongs_to_one_browser(self, app):
        """What one browser was given does not count in another, nor without cookies."""
        browser, thief = with_passkey(app), Visitor(app)
        thief.options("/login/options")  # it has a challenge and cookies of its own
        for cookies in (thief.cookies, {}):
            answer = browser.signed()
            other = Visitor(app)
            other.cookies = dict(cookies)
            expect_refused(other.post("/login", json_body=answer))
            expect_out(other)
        answer = browser.phone.create({**browser.creation(), "excludeCredentials": []})
        expect_refused(thief.post("/register", json_body=answer), 400)

    def test_made_up_challenges_count_nothing(self, app):
        """A challenge that your app did not make is refused, an empty one as well."""
        browser = with_passkey(app)
        for challenge in (encode(bytes(32)), "", encode(b"lesson 07"), "A" * 5000):
            expect_refused(browser.log_in(client={"challenge": challenge}))
            answer = browser.register(USER2, client={"challenge": challenge}, id=encode(b"x" * 16))
            expect_refused(answer, 400)
        expect(browser.log_in(), 200)

    def test_challenge_ends(self, start):
        """After its lifetime a challenge is worth nothing."""
        app = start(CHALLENGE_LIFETIME=2)
        browser = with_passkey(app)
        again = Visitor(app)
        login, creation = browser.signed(), again.phone.create(again.creation(USER2))
        time.sleep(2.3)
        expect_refused(browser.post("/login", json_body=login))
        expect_refused(again.post("/register", json_body=creation), 400)
        expect(browser.log_in(), 200)


class TestSite:
    def test_login_on_another_origin_is_refused(self, app):
        """What was signed on another origin is refused, be it ever so much alike."""
        browser = with_passkey(app)
        for origin in other_origins(app):
            expect_refused(browser.log_in(client={"origin": origin}))
            expect_out(browser)
        expect(browser.log_in(), 200)

    def test_registration_on_another_origin_is_refused(self, app):
        """The same holds for a passkey that was made on another origin."""
        for origin in other_origins(app):
            browser = Visitor(app)
            expect_refused(browser.register(USER2, client={"origin": origin}), 400)

    def test_passkey_of_another_site_is_refused(self, app):
        """What was made or signed for another RP ID is refused, whatever origin it names."""
        browser = with_passkey(app)
        for rp_id, client in [
            ("other.example", {}),
            ("other.example", {"origin": "https://other.example"}),
            ("127.0.0.1", {"origin": f"http://127.0.0.1:{app.port}"}),
            (app.origin, {}),
        ]:
            expect_refused(browser.log_in(rp_id=rp_id, client=client))
            other = Visitor(app)
            expect_refused(other.register(USER2, rp_id=rp_id, client=client), 400)

    def test_pages_in_a_frame_are_refused(self, app):
        """With crossOrigin, or a topOrigin, another site had the page in a frame: refused."""
        browser = with_passkey(app)
        top = {"crossOrigin": True, "topOrigin": "https://other.example"}
        for client in ({"crossOrigin": True}, top, {"topOrigin": "https://other.example"}):
            expect_refused(browser.log_in(client=client))
            expect_refused(Visitor(app).register(USER2, client=client), 400)

    def test_other_ceremony_is_refused(self, app):
        """What says type webauthn.create is no login, and webauthn.get no registration."""
        browser = with_passkey(app)
        for kind in ("webauthn.create", "payment.get", "", "WEBAUTHN.GET"):
            expect_refused(browser.log_in(client={"type": kind}))
        for kind in ("webauthn.get", "", "WEBAUTHN.CREATE"):
            expect_refused(Visitor(app).register(USER2, client={"type": kind}), 400)

    def test_origin_is_a_setting(self, start):
        """FLASK_ORIGIN names the origin, its host is the RP ID, and no other origin counts then."""
        app = start(ORIGIN="https://login.example.com")
        options = Visitor(app, "https://login.example.com").creation()
        named = options["rp"]["id"]
        expect_that(named == "login.example.com", "rp.id login.example.com", named)
        browser = logged_in(app, origin="https://login.example.com")
        for origin in (app.origin, "https://example.com", "http://login.example.com"):
            expect_refused(browser.log_in(client={"origin": origin}))


def other_origins(app):
    """Return origins that are not the app's, each alike in another way."""
    host = f"localhost:{app.port}"
    return [
        f"http://localhost:{app.port % 60000 + 1}",  # the RP ID is the same
        f"https://{host}",
        f"http://{host}.other.example",
        f"http://other.example/?http://{host}",
        f"http://x{host}",
        f"http://sub.{host}",
        f"http://{host}/",
        f"HTTP://{host}",
        "http://localhost",
        "null",
        "",
    ]


class TestVerified:
    def test_options_ask_for_verification(self, app):
        """Both kinds of options say that user verification is required."""
        creation, request = Visitor(app).creation(), Visitor(app).options("/login/options")
        asked = (creation.get("authenticatorSelection") or {}).get("userVerification")
        for came in (asked, request.get("userVerification")):
            wanted = "userVerification: required"
            expect_that(came == "required", wanted, f"{came}", app.exchanges[-1], "body")

    def test_options_ask_for_a_passkey(self, app):
        """A passkey must be found without a user name: residentKey is required."""
        answer = Visitor(app)
        selection = answer.creation().get("authenticatorSelection") or {}
        came = selection.get("residentKey")
        wanted = "residentKey: required (a key that is found without a name)"
        expect_that(came == "required", wanted, f"{came}", app.exchanges[-1], "body")

    def test_user_must_be_verified(self, app):
        """A finger on the device is not enough: without verification it opens nothing."""
        browser = with_passkey(app)
        expect_refused(browser.log_in(flags=PRESENT))
        expect_out(browser)
        expect_refused(Visitor(app).register(USER2, flags=PRESENT), 400)
        expect(browser.log_in(), 200)

    def test_user_must_be_present(self, app):
        """What was signed without anybody there is refused."""
        browser = with_passkey(app)
        for flags in (VERIFIED, 0):
            expect_refused(browser.log_in(flags=flags))
            expect_refused(Visitor(app).register(USER2, flags=flags), 400)


class TestRegistration:
    def test_needs_the_password_or_a_session(self, app):
        """Nobody adds a passkey without the password or a session, whatever cookie they make up."""
        made_up = {"user": "user1", "username": "user1", "session": "user1", "name": "user1"}
        for how in ({}, {"basic": ("user1", "wrong")}, {"basic": ("nobody", "pass1")}):
            for cookies in ({}, made_up):
                browser = Visitor(app)
                browser.cookies = dict(cookies)
                answer = browser.post("/register/options", **how)
                expect(answer, 401, challenge="basic", realm=...)
        token = app.post("/register/options", bearer="x")
        expect(token, 401, challenge="basic")
        expect(app.post("/register/options", authorization="bAsIc dXNlcjE6cGFzczE="), 200)
        browser = logged_in(app, USER2)
        options = browser.options("/register/options")
        expect_that(options["user"]["name"] == "user2", "user2's", options["user"]["name"])

    def test_belongs_to_whom_the_options_were_made_for(self, app):
        """Who adds a passkey can't put it on another's account, by no cookie and no member."""
        names = ("user", "username", "name", "user_name", "userName", "account")
        claims = dict.fromkeys(names, "user1")
        thief, owner = Visitor(app), Visitor(app)
        owners, options = owner.creation(USER1), thief.creation(USER2)
        made = thief.phone.create(options)
        handle = {"user": owners["user"], "userHandle": owners["user"]["id"]}
        thief.cookies |= claims
        thief.post("/register", json_body={**claims, **made, **handle})
        thief.cookies.clear()
        answer = thief.log_in()
        if answer.status == 200:
            expect_in(thief, "user2")
        for handle in (owners["user"]["id"], encode(b"user1")):
            expect_refused(thief.log_in(user_handle=handle))

    def test_user_handle_is_random(self, app):
        """user.id is random, tells nothing of the user, and is the same each time."""
        found = {}
        for pair in (USER1, USER2, USER1):
            options = Visitor(app).creation(pair)
            handle = decode(options["user"]["id"])
            answer = app.exchanges[-1]
            good = 16 <= len(handle) <= 64
            expect_that(good, "user.id of 16 to 64 bytes", f"{len(handle)}", answer, "body")
            known = found.setdefault(pair, handle)
            expect_that(known == handle, "the same user.id again", "another", answer, "body")
            text = [handle, bytes(c for c in handle if c)]
            named = any(pair[0].encode() in one or pair[0][:4].encode() in one for one in text)
            expect_that(not named, "user.id without the name", repr(handle), answer, "body")
            expect_that(len(set(handle)) > 6, "random bytes", repr(handle), answer, "body")
        expect_that(found[USER1] != found[USER2], "another user.id", "the same")
        alike = sum(a == b for a, b in zip(found[USER1], found[USER2], strict=False))
        expect_that(alike < 8, "two user.id without anything in common", f"{alike} bytes alike")

    def test_own_keys_are_excluded(self, app):
        """A user's keys are in excludeCredentials, so no device makes a second one; no others."""
        one, two = with_passkey(app), with_passkey(app, USER2)
        for browser, pair in ((one, USER1), (two, USER2)):
            listed = {o["id"] for o in Visitor(app).creation(pair).get("excludeCredentials") or []}
            mine, answer = browser.phone.keys[-1].id, app.exchanges[-1]
            expect_that(mine in listed, f"{mine} among them", f"{len(listed)}", answer, "body")
            others = {key.id for other in (one, two) for key in other.phone.keys} - {mine}
            expect_that(not others & listed, "one's own only", "another user's", answer, "body")

    def test_algorithms(self, app):
        """ES256, EdDSA and RS256 are offered, and each works; what was not offered is refused."""
        offered = [one["alg"] for one in Visitor(app).creation()["pubKeyCredParams"]]
        good = sorted(offered) == [RS256, EDDSA, ES256]
        expect_that(good, "-7, -8 and -257", f"{offered}", app.exchanges[-1], "body")
        for algorithm in (ES256, EDDSA, RS256):
            logged_in(app, USER2, algorithms=(algorithm,))
        expect_refused(Visitor(app).register(USER2, algorithm=ES384), 400)

    def test_known_id_is_refused(self, app):
        """A passkey whose id is known is not registered again, by its owner or anybody else."""
        browser, thief = with_passkey(app), Visitor(app)
        known = browser.phone.keys[-1].id
        expect_refused(thief.register(USER2, id=known), 400)
        expect_refused(thief.register(USER1, id=known), 400)
        expect(browser.log_in(), 200)
        expect_in(browser, "user1")

    def test_what_is_no_registration(self, app):
        """Whatever is no JSON of this form, or makes no sense inside, gets 400 and a sentence."""
        browser = Visitor(app)
        for body in broken(lambda: Visitor(app).phone.create(browser.creation())):
            expect_refused(browser.post("/register", body=body, headers=AS_JSON), 400)
        good = browser.phone.create(browser.creation())
        attested = decode(good["response"]["attestationObject"])
        for cut in (b"", b"\xff", attested[:-9], attested[:60], b"\xa0"):
            browser = Visitor(app)
            answer = browser.phone.create(browser.creation())
            answer["response"]["attestationObject"] = encode(cut)
            expect_refused(browser.post("/register", json_body=answer), 400)


def broken(make):
    """Return bodies that are no JSON of the form that a good one has; make: makes a good one."""
    good = make()
    parts = good["response"]
    changed = [{"id": good["id"]}, {**make(), "id": None}, {**make(), "type": "password"}]
    changed += [{**good, "response": odd} for odd in (None, [], {}, "x")]
    inside = [None, 7, [], {}, "\u00e4", "a", "****"]
    inside += [encode(text) for text in (b"", b"{", b"[]", b"{}", b"\xff", b"null", b"[" * 999)]
    inside.append(encode(b'{"type": "webauthn.get", "challenge": 7, "origin": 7}'))
    changed += [{**good, "response": {**parts, "clientDataJSON": odd}} for odd in inside]
    odd = ["", "{", "null", "[]", "7", '"x"', "{}", "[" * 3000, '{"id": ' * 1000]
    return [*odd, *map(json.dumps, changed)]


class TestLogin:
    def test_login_options_name_nobody(self, app):
        """They have no allowCredentials, whoever asks: nobody learns who has an account."""
        with_passkey(app)
        for body in (None, {"username": "user1"}, {"user": "user1"}, {"name": "nobody"}):
            options = Visitor(app).options("/login/options", json_body=body)
            listed = options.get("allowCredentials")
            expect_that(not listed, "no allowCredentials", f"{listed}", app.exchanges[-1], "body")
        unknown, browser = with_passkey(app), with_passkey(app)
        key = replace(unknown.phone.keys[-1], id=encode(b"never registered"))
        expect_refused(browser.log_in(key))

    def test_user_handle_must_be_the_owners(self, app):
        """The userHandle must be that of the key's owner; missing, it is refused too."""
        browser = with_passkey(app)
        other = Visitor(app).creation(USER2)["user"]["id"]
        for handle in (other, encode(b"user2"), encode(b"user1"), "", encode(bytes(64))):
            expect_refused(browser.log_in(user_handle=handle))
            expect_out(browser)
        expect(browser.log_in(), 200)

    def test_signature_must_hold(self, app):
        """What another key signed, or a bit of which was changed, opens nothing."""
        browser, thief = with_passkey(app), with_passkey(app, USER2)
        victim, own = browser.phone.keys[-1], thief.phone.keys[-1]
        expect_refused(thief.log_in(replace(victim, private=own.private)))
        expect_refused(thief.log_in(replace(victim, algorithm=EDDSA), signature=bytes(64)))
        for place in ("signature", "authenticatorData", "clientDataJSON"):
            answer = browser.signed()
            changed = bytearray(decode(answer["response"][place]))
            changed[-2 if place == "clientDataJSON" else -1] ^= 1
            answer["response"][place] = encode(bytes(changed))
            expect_refused(browser.post("/login", json_body=answer), 400, 403)
        expect_out(thief)

    def test_what_is_no_login(self, app):
        """Whatever is no JSON of this form gets 400, and what makes no sense inside 403."""
        browser = with_passkey(app)
        for body in broken(browser.signed):
            expect_refused(browser.post("/login", body=body, headers=AS_JSON), 400)
        for name in ("signature", "authenticatorData"):
            answer = browser.signed()
            answer["response"][name] = 7
            expect_refused(browser.post("/login", json_body=answer), 400)
        for name, value in [("authenticatorData", b""), ("authenticatorData", b"x" * 36)]:
            answer = browser.signed()
            answer["response"][name] = encode(value)
            expect_refused(browser.post("/login", json_body=answer), 400, 403)
        expect(browser.log_in(), 200)


class TestCounter:
    def test_counter_must_go_up(self, start):
        """A signature counter that stands or goes back is refused, after a restart as well."""
        app = start()
        browser = with_passkey(app)
        expect(browser.log_in(count=5), 200)
        for count in (5, 4, 1, 0):
            browser.cookies.clear()
            expect_refused(browser.log_in(count=count))
            expect_out(browser)
        app.restart()
        expect_refused(browser.log_in(count=5))
        expect(browser.log_in(count=6), 200)
        expect(browser.log_in(count=2**32 - 1), 200)
        still = with_passkey(app, USER2, counts=False)  # as most phones do: it stays 0
        for _ in range(3):
            expect(still.log_in(), 200)

    def test_counter_of_the_registration_counts(self, app):
        """The counter begins with what it was when the passkey was made."""
        browser = Visitor(app)
        expect(browser.register(count=7), 201)
        expect_refused(browser.log_in(count=7))
        expect(browser.log_in(count=8), 200)

    def test_owner_is_told_of_a_copy(self, start):
        """After a counter went back, the owner sees it at that passkey in GET /passkeys."""
        app = start()
        browser, other = logged_in(app), with_passkey(app)
        key = browser.phone.keys[-1]
        copy = Visitor(app)
        copy.phone.keys.append(replace(key, count=key.count - 1))
        before = marks(browser)
        forged = replace(key, private=other.phone.keys[-1].private, count=0)
        expect_refused(copy.log_in(forged))  # who can't sign raises no alarm
        same = marks(browser) == before
        expect_that(same, "no alarm without a signature", "one", app.exchanges[-1], "body")
        expect_refused(copy.log_in())
        now = marks(browser)
        told = now[key.id] != before[key.id]
        expect_that(told, "a sign that it may be copied", "none", app.exchanges[-1], "body")
        mine = other.phone.keys[-1].id
        same = now[mine] == before[mine]
        expect_that(same, "a sign at that one alone", "at others too", app.exchanges[-1], "body")

    def test_copies_at_once(self, start):
        """Of four copies that sign with the same counter at the same time, one gets in."""
        app = start()
        owner = with_passkey(app)
        for count in (10, 20, 30):
            browsers = [Visitor(app) for _ in range(4)]
            for browser in browsers:
                browser.phone.keys = list(owner.phone.keys)
            answers = [browser.signed(count=count) for browser in browsers]
            with ThreadPoolExecutor(4) as pool:
                got = list(pool.map(lambda b, a: b.post("/login", json_body=a), browsers, answers))
            opened = sum(one.status == 200 for one in got)
            expect_that(opened == 1, "one of four let in", f"{opened}", got[-1], "status")

    def test_backup_flags_must_fit(self, app):
        """Whether a key is synced is told as it is; whether it can be must never change."""
        bound, synced = logged_in(app, USER2), logged_in(app, flags=BOTH | CAN_SYNC | SYNCED)
        said = [marked(bound)["synced"], marked(synced)["synced"]]
        expect_that(said == [False, True], "synced: false and true", f"{said}", app.exchanges[-1])
        expect_refused(bound.log_in(flags=BOTH | CAN_SYNC))
        expect_refused(bound.log_in(flags=BOTH | SYNCED))
        expect_refused(synced.log_in(flags=BOTH))
        expect_refused(Visitor(app).register(USER2, flags=BOTH | SYNCED), 400)
        expect(synced.log_in(flags=BOTH | CAN_SYNC), 200)
        expect_that(marked(synced)["synced"] is False, "synced: false now", "true")


def marks(browser):
    """Return what GET /passkeys says of each passkey, apart from what changes with every use."""
    plain = ("used", "synced")
    return {o["id"]: {k: v for k, v in o.items() if k not in plain} for o in browser.passkeys()}


def marked(browser):
    """Return what GET /passkeys says of the passkey of this browser's device."""
    mine = browser.phone.keys[-1].id
    found = [one for one in browser.passkeys() if one["id"] == mine]
    expect_that(len(found) == 1, f"{mine} in the list", f"{len(found)}", browser.app.exchanges[-1])
    return found[0]


class TestPasskeys:
    def test_own_passkeys_are_listed(self, app):
        """GET /passkeys lists one's own, when each was made and used; nobody else's."""
        expect(Visitor(app).get("/passkeys"), 403)
        one, two = logged_in(app), with_passkey(app)
        other = logged_in(app, USER2)
        listed = {o["id"]: o for o in one.passkeys()}
        ids = [browser.phone.keys[-1].id for browser in (one, two, other)]
        good = ids[0] in listed and ids[1] in listed and ids[2] not in listed
        expect_that(good, "user1's passkeys and no other", f"{list(listed)}", app.exchanges[-1])
        fresh, used = listed[ids[1]]["used"], listed[ids[0]]["used"]
        good = used and not fresh and listed[ids[0]]["made"]
        expect_that(good, "when it was used last, or null", f"{used!r}, {fresh!r}")
        expect(other.get("/passkeys"), headers={"Cache-Control": "no-store"})

    def test_removed_passkey_opens_nothing(self, start):
        """DELETE /passkeys/<id> is 204; it is refused from then on, after a restart too."""
        app = start()
        browser, lost = logged_in(app), logged_in(app)
        gone = lost.phone.keys[-1].id
        expect(browser.send("DELETE", f"/passkeys/{gone}"), 204)
        expect_refused(lost.log_in())
        app.restart()
        expect_refused(lost.log_in())
        left = [one["id"] for one in browser.passkeys()]
        expect_that(gone not in left, "a list without it", f"{left}", app.exchanges[-1])
        listed = {one["id"] for one in browser.creation().get("excludeCredentials") or []}
        expect_that(gone not in listed, "it is excluded no more", "it is", app.exchanges[-1])
        expect(browser.log_in(), 200)

    def test_only_own_passkeys_are_removed(self, app):
        """Another user's, an unknown and a removed one are 404; without a session it is 403."""
        browser, other = logged_in(app), logged_in(app, USER2)
        mine, theirs = (one.phone.keys[-1].id for one in (browser, other))
        expect(Visitor(app).send("DELETE", f"/passkeys/{theirs}"), 403)
        for id in (theirs, "AAAA", "x", "%C3%A4", "%00"):
            expect(browser.send("DELETE", f"/passkeys/{id}"), 404)
        expect(other.log_in(), 200)
        expect(other.send("DELETE", f"/passkeys/{theirs}"), 204)
        expect(other.send("DELETE", f"/passkeys/{theirs}"), 404)
        expect(browser.send("DELETE", f"/passkeys/{mine}", headers=OTHER_SITE), 403)
        expect(browser.log_in(), 200)


class TestSession:
    def test_cookie(self, app):
        """The cookie is HttpOnly, SameSite, for the whole site, and ends with the browser."""
        browser = with_passkey(app)
        answer = expect(browser.log_in(), 200)
        values = answer.headers("Set-Cookie")
        expect_that(values, "a header Set-Cookie", "none", answer, "status")
        for value in values:
            _, *attributes = [part.strip().lower() for part in value.split(";")]
            for wanted in ("httponly", "samesite=(lax|strict)", "path=/"):
                has = any(re.fullmatch(wanted, one) for one in attributes)
                expect_that(has, wanted, value, answer, "Set-Cookie")
            lasting = [o for o in attributes if re.match("expires=|max-age=|domain=", o)]
            expect_that(not lasting, "no Expires, no Domain", value, answer, "Set-Cookie")

    def test_cookie_over_tls(self, start):
        """Where the origin is https, the cookie is Secure, and its name begins with __Host-."""
        app = start(ORIGIN="https://example.com")
        browser = with_passkey(app, origin="https://example.com")
        answer = expect(browser.log_in(), 200)
        for value in answer.headers("Set-Cookie") or ["nothing"]:
            good = value.startswith("__Host-") and re.search("(?i); *secure", value)
            expect_that(good, "__Host-…; Secure", value, answer, "Set-Cookie")

    def test_session_is_new_and_random(self, start):
        """Each login begins a new session: what the browser sent before is worth nothing."""
        app = start()
        browser, seen = with_passkey(app), []
        for _ in range(3):
            before = dict(browser.cookies)
            expect(browser.log_in(), 200)
            planted = Visitor(app)
            planted.cookies = before
            expect_out(planted)
            changed = {v for n, v in browser.cookies.items() if before.get(n) != v}
            expect_that(changed, "a new cookie", "the same", app.exchanges[-2], "status")
            seen.append("".join(sorted(changed)))
        expect_that(len(set(seen)) == 3, "three sessions", "the same again")
        for made_up in ("user1", "1", encode(b"user1"), "a" * 43):
            forged = Visitor(app)
            forged.cookies = dict.fromkeys([*browser.cookies, "user", "session"], made_up)
            expect_out(forged)

    def test_session_is_kept_hashed(self, start):
        """A session holds after a restart; what the cookie holds is not in the database."""
        app = start()
        browser = logged_in(app)
        kept = b"".join(p.read_bytes() for p in Path(app.scratch).rglob("*.db*") if p.is_file())
        values = [v for v in browser.cookies.values() if len(v) >= 20]
        expect_that(values, "a random value in the cookie", f"{browser.cookies}")
        found = any(value.encode() in kept for value in values)
        expect_that(not found, "no session in the database as it is", "it is there")
        app.restart()
        expect_in(browser, "user1")

    def test_logout_ends_it_on_the_server(self, start):
        """After POST /logout a copy of the cookie is refused, after a restart too."""
        app = start()
        browser, other = logged_in(app), logged_in(app)
        copy = Visitor(app)
        copy.cookies = dict(browser.cookies)
        expect(browser.get("/logout"), 405)
        expect_in(browser, "user1")
        answer = browser.post("/logout")
        came = f"status {answer.status}"
        expect_that(answer.status in (200, 204, 302, 303), "status 204", came, answer, "status")
        expect_out(copy)
        app.restart()
        expect_out(copy)
        expect_in(other, "user1")

    def test_session_ends_by_itself(self, start):
        """It ends unused for FLASK_IDLE_TIMEOUT seconds, or older than FLASK_ABSOLUTE_TIMEOUT."""
        for name in ("IDLE_TIMEOUT", "ABSOLUTE_TIMEOUT"):
            app = start(**{name: 2})
            browser = logged_in(app)
            time.sleep(2.3)
            expect_out(browser)

    def test_pages_of_other_sites_do_nothing(self, app):
        """What a page of another origin has the browser send is refused."""
        browser = logged_in(app)
        answer = browser.signed()
        for headers in (OTHER_SITE, {"Origin": "http://localhost:1"}, {"Origin": "null"}):
            for method, target, body in [
                ("POST", "/login", answer),
                ("POST", "/register/options", None),
                ("POST", "/logout", None),
            ]:
                refused = browser.send(method, target, json_body=body, headers=headers)
                expect_refused(refused, 400, 403)
        expect_in(browser, "user1")
        sent = {"Content-Type": "text/plain"}  # which a form of any site can send
        expect_refused(browser.post("/login", body=json.dumps(answer), headers=sent), 400, 403)
        expect(browser.log_in(), 200)
        expect(browser.post("/login", json_body=browser.signed()), 200)


class Page(HTMLParser):
    """What a page holds: its tags with their attributes, and the text of its scripts and styles."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.inline = [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        if self.tags and self.tags[-1][0] in ("script", "style") and data.strip():
            self.inline += data

    def handle_endtag(self, tag):
        if tag in ("script", "style"):
            self.tags.append(("", {}))


class TestPage:
    def test_no_inline_code_runs(self, app):
        """The policy of the page allows its own files alone, and no site may frame it."""
        answer = expect(app.get("/"), 200, headers={"Content-Security-Policy": ""})
        policy = {}
        for part in answer.header("Content-Security-Policy").split(";"):
            name, *values = part.split()
            policy[name.lower()] = values
        default = policy.get("default-src", ["*"])
        for name in ("script-src", "style-src", "connect-src"):
            own = set(policy.get(name, default)) <= {"'self'", "'none'"}
            expect_that(own, f"{name} 'self'", f"{policy}", answer, "Content-Security-Policy")
        framed = policy.get("frame-ancestors") == ["'none'"] or answer.header("X-Frame-Options")
        expect_that(framed, "frame-ancestors 'none'", f"{policy}", answer, "status")
        other = expect(app.get("/secured"), 403)
        told = other.header("Content-Security-Policy") or other.header("X-Frame-Options")
        expect_that(told, "no frames around other pages either", "nothing", other, "status")

    def test_page_and_its_script(self, app):
        """The page has its script in a file, no code in itself, and labels for fields."""
        answer = expect(app.get("/"), 200, headers={"Content-Type": "text/html"})
        expect(answer, headers={"Content-Security-Policy": "-src"})
        page = Page(answer.text)
        handlers = [a for _, attrs in page.tags for a in attrs if a.startswith("on")]
        styled = [a for _, attrs in page.tags for a in attrs if a == "style"]
        inline = page.inline.strip() or handlers or styled
        expect_that(not inline, "no code in the page", f"{inline}"[:60], answer, "body")
        scripts = [attrs["src"] for tag, attrs in page.tags if tag == "script" and "src" in attrs]
        expect_that(scripts, "a script in a file", "none", answer, "body")
        for src in scripts:
            target = urljoin("/", src)
            good = target.startswith("/") and not target.startswith("//")
            expect_that(good, "a script of one's own", src, answer, "body")
            expect(app.get(target), 200, headers={"Content-Type": "javascript"})
        labels = {attrs.get("for") for tag, attrs in page.tags if tag == "label"}
        for tag, attrs in page.tags:
            if tag == "input" and attrs.get("type") not in ("hidden", "submit"):
                named = attrs.get("id") in labels or attrs.get("aria-label")
                expect_that(named, "a label for each field", f"{attrs}", answer, "body")


class TestTransfer:
    beyond = "beyond"

    def test_transfer_wants_a_fresh_signature(self, app):
        """POST /transfer takes an assertion of its own, once; a session alone is not enough."""
        browser = logged_in(app)
        wanted = {"to": "user2", "amount": 25}
        expect(Visitor(app).post("/transfer/options", json_body=wanted), 403)
        expect_refused(browser.post("/transfer", json_body=wanted), 400, 403)
        expect_refused(browser.post("/transfer", json_body={**wanted, "credential": {}}), 400, 403)
        signed = sign_transfer(browser, wanted)
        expect(browser.post("/transfer", json_body=signed), 200)
        expect_refused(browser.post("/transfer", json_body=signed))
        for wrong in (
            {"flags": PRESENT},
            {"client": {"origin": "http://localhost:1"}},
            {"signature": b"x"},
        ):
            signed = sign_transfer(browser, wanted, **wrong)
            expect_refused(browser.post("/transfer", json_body=signed))

    def test_signature_is_of_this_transfer(self, app):
        """With what was signed for one transfer no other is made: another amount or receiver."""
        browser = logged_in(app)
        wanted = {"to": "user2", "amount": 25}
        for changed in ({"amount": 26}, {"amount": 2500}, {"to": "user3"}, {"to": "user2 "}):
            signed = sign_transfer(browser, wanted)
            expect_refused(browser.post("/transfer", json_body={**signed, **changed}))
        challenges = [
            browser.options("/transfer/options", json_body={**wanted, **changed})["challenge"]
            for changed in ({}, {"amount": 26})
        ]
        expect_that(challenges[0] != challenges[1], "another challenge", "the same")

    def test_login_is_no_transfer(self, app):
        """What was signed to log in makes no transfer, and what was signed for one no login."""
        browser = logged_in(app)
        wanted = {"to": "user2", "amount": 25}
        signed = {**wanted, "credential": browser.signed()}
        expect_refused(browser.post("/transfer", json_body=signed))
        signed = sign_transfer(browser, wanted)
        expect_refused(browser.post("/login", json_body=signed["credential"]))

    def test_transfer_is_signed_by_its_owner(self, app):
        """Another user's passkey does not confirm it; nonsense is 400."""
        browser, other = logged_in(app), logged_in(app, USER2)
        wanted = {"to": "user2", "amount": 25}
        options = browser.options("/transfer/options", json_body=wanted)
        credential = other.phone.get({**options, "allowCredentials": []})
        signed = {**wanted, "credential": credential}
        expect_refused(browser.post("/transfer", json_body=signed))
        odd = [{}, [], {"to": 7, "amount": 1}, {"to": "", "amount": 1}, {"to": "x", "amount": "1"}]
        odd += [{"to": "x", "amount": amount} for amount in (0, -1, 1.5, True, 10**30)]
        for body in odd:
            expect_refused(browser.post("/transfer/options", json_body=body), 400)


def sign_transfer(browser, wanted, **wrong):
    options = browser.options("/transfer/options", json_body=wanted)
    return {**wanted, "credential": browser.phone.get(options, **wrong)}
