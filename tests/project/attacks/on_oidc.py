"""Attacks on lesson 08: OpenID Connect. The provider lies, or another browser takes part."""

import functools
import html
import json
import re
import time
import zlib
from base64 import urlsafe_b64decode
from urllib.parse import parse_qsl, urlencode, urlsplit

from flask import Flask
from flask.sessions import SecureCookieSessionInterface

from learn import Browser, Provider

LOGOUT = "/backchannel-logout"
NO_ADDRESSES = ["http://a..b/x", "http://h:99999/", "http://h/\ud800", f"http://{'a' * 70}/"]
ODD_KEYS = [{"kty": "OKP", "crv": "X999", "x": "AAAA"}, {"kty": "RSA", "kid": "1"}, {"kid": "2"}]
ODD_KEYS += [{"kty": "EC", "crv": "brainpoolP256r1", "x": "AA", "y": "AA"}, {"kty": "new"}]
KNOWN = "http://localhost:5008/callback"  # where the lesson's provider sends a code, and only there
EVIL = "https://evil.example/callback"
ELSEWHERE = {  # a name for each way to write another address, and the address, or several
    "a stranger's": [EVIL],
    "a beginning": ["http://localhost:5008/call"],
    "a longer path": [f"{KNOWN}/../elsewhere"],
    "a longer word": [f"{KNOWN}.evil.example"],
    "another port": ["http://localhost:5009/callback"],
    "no port": ["http://localhost/callback"],
    "another scheme": ["https://localhost:5008/callback"],
    "a script": [f"javascript:fetch('{EVIL}')//{KNOWN}"],
    "a name for the same": ["http://[::1]:5008/callback"],
    "a longer host": ["http://localhost.evil.example:5008/callback"],
    "capitals in the host": ["http://LOCALHOST:5008/callback"],
    "capitals in the path": ["http://localhost:5008/Callback"],
    "userinfo": ["http://localhost:5008@evil.example/callback"],
    "userinfo before the host": ["http://evil.example@localhost:5008/callback"],
    "a backslash": ["http://evil.example\\@localhost:5008/callback"],
    "a letter from another alphabet": ["http://localh\u03bfst:5008/callback"],
    "a query": [f"{KNOWN}?next={EVIL}"],
    "a fragment": [f"{KNOWN}#{EVIL}"],
    "an encoded letter": ["http://localhost:5008/%63allback"],
    "dots in the path": ["http://localhost:5008/x/../callback"],
    "a space before": [f" {KNOWN}"],
    "a line break after": [f"{KNOWN}\n"],
    "two, the right one first": [KNOWN, EVIL],
    "two, the right one last": [EVIL, KNOWN],
    "an empty one": [""],
    "none": [],
}


class Liar(Provider):
    """A provider that `telling` can also give a function to call before it answers, by path.

    before: for a path, a function of the handler; if it returns True, that was the answer.
    """

    def _handler(self):
        liar, usual = self, super()._handler()

        class Handler(usual):
            def answer(self, form):
                before = liar._wrong.get("before", {}).get(urlsplit(self.path).path)
                if not (before and before(self)):
                    super().answer(form)

        return Handler


@functools.cache
def liar():
    """Return the provider that these attacks bring, one for all of them."""
    return Liar()


def settings():
    """Return what the lesson is started with: it trusts that provider."""
    return {"ISSUER": liar().issuer}


def begun(target, browser=None, **wrong):
    """Begin a login; return the address with which the provider sends this browser back."""
    browser = browser or Browser(target)
    with liar().telling(**wrong):
        return liar().authorize(browser.get("/login").header("Location"))


def greeted(browser):
    """Return the name by which a browser is greeted, or None."""
    answer = browser.get("/")
    text = html.unescape(re.sub(r"<[^>]*>", "", answer.text))
    found = re.search(r"Hello, (.*)!", text) if answer.status == 200 else None
    return found[1] if found else None


def logged_in(target, person=None, **wrong):
    """Return a browser that has gone through a login with a provider that does this wrong."""
    browser, before = Browser(target), liar().person
    liar().person = {**before, **(person or {})}
    try:
        with liar().telling(**wrong):
            browser.get(begun(target, browser, **wrong))
    finally:
        liar().person = before
    return browser


def honest(target) -> bool:
    """Tell whether somebody with an account at the provider gets in, or gets a code from it."""
    if target.path.stem == "provider":
        return bool(sent_to(at_provider(target), [KNOWN]))
    return greeted(logged_in(target)) == "Ann"


def parameters(address):
    return dict(parse_qsl(urlsplit(address).query))


def taken(target, **wrong):
    """Return whom a login with this wrong lets in, or None."""
    name = greeted(logged_in(target, **wrong))
    return f"in as {name}" if name else None


def unsigned(target):
    """Have the ID token say that it needs no signature."""
    return taken(target, sign="none")


def signed_with_the_public_key(target):
    """Sign the ID token with HS256, and with the provider's public key for a secret."""
    return taken(target, sign="HS256")


def signed_by_a_stranger(target):
    """Sign the ID token with a key that the provider doesn't publish, by whatever name."""
    return taken(target, sign="stranger") or taken(target, sign="forged")


def for_another_client(target):
    """Bring an ID token that was made for another site, alone or as well."""
    both = ["another-client", "lesson-08"]
    return taken(target, claims={"aud": "another-client"}) or taken(
        target, claims={"aud": both, "azp": "another-client"}
    )


def of_another_login(target):
    """Bring an ID token of another login, with another nonce or none."""
    found = taken(target, claims={"nonce": "of-another-login"})
    return found or taken(target, claims={"nonce": None})


def of_another_issuer(target):
    """Bring an ID token that names another issuer."""
    return taken(target, claims={"iss": "https://other.example"})


def of_another_time(target):
    """Bring an ID token that has expired, or was made in the future."""
    old, late = {"iat": 1_700_000_000, "exp": 1_700_000_300}, {"iat": 4_000_000_000}
    return taken(target, claims=old) or taken(target, claims={**late, "exp": 4_000_000_300})


def answer_of_another_provider(target):
    """Ask one provider and bring the answer of another: is its code carried to the first?"""
    browser = Browser(target)
    with Provider() as other:
        address = other.authorize(browser.get("/login").header("Location"))
        browser.get(address)
    carried = parameters(address)["code"] in liar().brought
    wrong = taken(target, back={"iss": "https://other.example"}) or taken(
        target, back={"iss": None}
    )
    return "the other's code" if carried else wrong


def pushed_login(target):
    """Have a victim's browser end a login that the attacker began (login CSRF)."""
    attacker, victim = Browser(target), Browser(target)
    address = begun(target, attacker)
    begun(target, victim)
    for browser in (victim, Browser(target)):
        browser.get(address)
        if name := greeted(browser):
            return f"in as {name}"
    return None


def stolen_code(target):
    """Put a code that was seen on its way into a login of one's own."""
    thief = Browser(target)
    code, own = parameters(begun(target))["code"], begun(target, thief)
    thief.get(own.replace(parameters(own)["code"], code))
    return f"in as {greeted(thief)}" if greeted(thief) else None


def access_token_of_another_site(target):
    """Hand in an access token that another site got, as proof of who one is."""
    logged_in(target)
    token, thief = liar().tokens[0], Browser(target)
    thief.get(f"/callback?access_token={token}")
    thief.post("/callback", form={"access_token": token})
    return f"in as {greeted(thief)}" if greeted(thief) else None


def same_mail_address(target):
    """Log in with an account of one's own that has another's mail address."""
    assert honest(target)
    other = {"sub": "666", "name": "Somebody else"}
    name = greeted(logged_in(target, other))
    return f"in as {name}" if name == "Ann" else None


def at_provider(target):
    """Return a browser in which user1 is logged in at the lesson's own provider."""
    browser = Browser(target)
    browser.submit(authorization([KNOWN]), username="user1", password="pass1")
    return browser


def authorization(addresses):
    """Return the target at the provider that asks it to send a code to this address."""
    asked = {"response_type": "code", "client_id": "lesson-08", "scope": "openid", "nonce": "n"}
    named = [("redirect_uri", address) for address in addresses]
    return "/authorize?" + urlencode([*asked.items(), *named])


def sent_to(browser, addresses):
    """Say yes to whatever the provider asks; return where it sends the browser, or None."""
    page = authorization(addresses)
    answer = browser.get(page)
    if answer.status == 200:
        answer = browser.submit(page, decision="yes")
    return answer.header("Location")


def code_sent_elsewhere(target):
    """Have the provider send a code to another address, in 26 ways to write one."""
    browser = at_provider(target)
    found = [name for name, addresses in ELSEWHERE.items() if sent_to(browser, addresses)]
    return f"sent to: {', '.join(found)}" if found else None


def forged_cookie(target):
    """Sign a session with the key of the quickstart, for somebody whose mail address is known."""
    assert honest(target)
    app = Flask("attacker")
    app.secret_key = "dev"
    signer = SecureCookieSessionInterface().get_signing_serializer(app)
    value = signer.dumps({"email": "ann@example.com", "id": "1", "user": "1", "_user_id": "1"})
    for name in ("session", "lesson08"):
        browser = Browser(target)
        browser.cookies[name] = value
        if greeted(browser):
            return f"in by a forged cookie {name}"
    return None


def copied_cookie(target):
    """Use a copy of a cookie after its owner has logged out."""
    owner, thief = logged_in(target), Browser(target)
    thief.cookies = dict(owner.cookies)
    try:
        owner.submit("/", to="/logout")
    except LookupError:  # the page has a link in the place of a form
        owner.get("/logout")
    assert not greeted(owner)
    return "in by a copy" if greeted(thief) else None


def logout_by_another_page(target):
    """Log somebody out by a picture or a form in another page."""
    browser = logged_in(target)
    browser.get("/logout", headers={"Sec-Fetch-Site": "cross-site"})
    evil = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    browser.post("/logout", headers=evil)
    return None if greeted(browser) else "logged out"


def leaked_token(target):
    """Look for the provider's tokens in the log, in cookies and in pages."""
    browser = logged_in(target)
    page = browser.get("/")
    target.get("/the-end-of-the-log")
    target.printed("/the-end-of-the-log")
    places = {"log": target.log, "page": page.text}
    places["cookie"] = " ".join(map(opened, browser.cookies.values()))
    for place, text in places.items():
        if any(token in text for token in liar().tokens[-2:]):
            return f"a token in the {place}"
    return None


def opened(cookie):
    """Return what anybody can read in a cookie of Flask's."""
    part = cookie.lstrip(".").split(".")[0]
    try:
        data = urlsafe_b64decode(part + "=" * (-len(part) % 4))
        return (zlib.decompress(data) if cookie.startswith(".") else data).decode("latin-1")
    except (ValueError, zlib.error):
        return cookie


def name_as_markup(target):
    """Have a name at the provider that is a script."""
    browser = logged_in(target, {"sub": "7", "name": "<script>1</script>", "email": "7@x.example"})
    return "a script in the page" if "<script>1" in browser.get("/").text else None


def false_logout(target):
    """Log somebody out by a logout token that doesn't count, or by their ID token."""
    for wrong in ({"sign": "none"}, {"sign": "HS256"}, {"sign": "forged"}, {"aud": "another"}):
        browser = logged_in(target)
        target.post(LOGOUT, form={"logout_token": liar().logout_token(**wrong)})
        if not greeted(browser):
            return f"logged out by {json.dumps(wrong)}"
    return None


def id_token_as_logout_token(target):
    """Send somebody's ID token in the place of a logout token."""
    browser = logged_in(target)
    answer = target.post(LOGOUT, form={"logout_token": liar().tokens[-1]})
    return None if greeted(browser) and answer.status == 400 else "logged out"


def logout_token_again(target):
    """Send a logout token a second time, after its owner has logged in again."""
    logged_in(target)
    token = liar().logout_token(sid=None)
    target.post(LOGOUT, form={"logout_token": token})
    browser = logged_in(target)
    target.post(LOGOUT, form={"logout_token": token})
    return None if greeted(browser) else "logged out again"


def keys_asked_for_without_end(target):
    """Send forty logout tokens with unknown keys: does each cost the provider a request?"""
    logged_in(target)
    before = liar().counts.get("/jwks", 0)
    for _ in range(40):
        target.post(LOGOUT, form={"logout_token": liar().logout_token(sign="stranger")})
    asked = liar().counts["/jwks"] - before
    return f"{asked} requests" if asked > 4 else None


def forget(target):
    """Have the app forget the provider's document and keys, as it does after any nonsense."""
    logged_in(target, answers={"/token": 500})


def drip(handler, start):
    """Begin an answer, then send a byte now and then; tell whether all of them were waited for."""
    try:
        handler.wfile.write(start)
        for _ in range(16):
            time.sleep(0.5)
            handler.wfile.write(b" ")
    except OSError:
        return False
    return True


def answer_byte_by_byte(target):
    """As the provider, send a byte every half second: how long is a worker held by it?"""
    for start in (b"HTTP/1.0 200 OK\r\nX:", b"HTTP/1.0 200 OK\r\nContent-Length: 99\r\n\r\n"):
        held = []

        def before(handler, start=start, held=held):
            held.append(drip(handler, start))
            return True

        forget(target)
        with liar().telling(before={"/.well-known/openid-configuration": before}):
            Browser(target).get("/login")
        if True in held:
            return "for as long as the provider likes"
    return None


def answer_without_end(target):
    """As the provider, send a document of two megabytes: is all of it read?"""
    forget(target)
    with liar().telling(metadata={"x": "x" * 2_000_000}):
        read = Browser(target).get("/login").status == 302
    forget(target)
    return "all of it" if read else None


def carried_elsewhere(target):
    """At the token endpoint, send the app on to another server: does it carry the code there?"""
    with Provider() as other:

        def before(handler):
            handler.send_response(307)
            handler.send_header("Location", f"http://127.0.0.1:{other.port}/token")
            handler.end_headers()
            return True

        logged_in(target, before={"/token": before})
        return "code and verifier" if other.counts else None


def endpoint_elsewhere(target):
    """Have the document name a token endpoint elsewhere, and without TLS: who gets the secret?"""
    with Provider() as other:
        forget(target)
        place = f"http://127.0.0.1:{other.port}/token"
        logged_in(target, metadata={"token_endpoint": place})
        forget(target)
        return "the client's secret" if other.counts else None


def endpoint_that_is_none(target):
    """Have the document name addresses that are none: does that end in an error of the app?"""
    seen = set()
    for place in NO_ADDRESSES:
        forget(target)
        with liar().telling(metadata={"authorization_endpoint": place}):
            seen.add(Browser(target).get("/login").status)
    forget(target)
    return "an error 500" if 500 in seen else None


def key_of_an_unknown_kind(target):
    """Publish keys of kinds that nobody knows beside the right one: who gets in then?"""
    out, keys = [], [key.public for key in liar().keys]
    for key in ODD_KEYS:
        forget(target)
        if not taken(target, answers={"/jwks": json.dumps({"keys": [key, *keys]})}):
            out.append(key)
    forget(target)
    return "nobody" if out else None


def withdrawn_key(target):
    """Use a key that was withdrawn, while the clock was set back by a day."""
    forget(target)
    logged_in(target)
    old, day = liar().keys, 86_400
    liar().rotate()
    new, liar().keys, now = liar().keys, old, int(time.time())
    token = liar().logout_token(iat=now - day, exp=now - day + 120)
    liar().keys = new
    target.set_clock(-day)
    answer = target.post(LOGOUT, form={"logout_token": token})
    target.set_clock(0)
    liar().keys = old  # for the other attacks, whose app knows no other
    return "it counts" if answer.status == 200 else None


def session_after_its_end(target):
    """Use a session that ended, unused, after the clock was set back."""
    browser = logged_in(target)
    target.set_clock(2400)
    assert not greeted(browser)
    target.set_clock(1200)
    name = greeted(browser)
    target.set_clock(0)
    return f"in as {name}" if name else None


def logout_token_for_ever(target):
    """As the provider, log somebody out by a token that ends after the end of time."""
    browser = logged_in(target)
    answer = target.post(LOGOUT, form={"logout_token": liar().logout_token(exp=2**63)})
    return f"status {answer.status}" if answer.status != 200 or greeted(browser) else None


def logout_during_a_login(target):
    """Log out at the provider in the moment in which the app asks it who has logged in."""
    statuses = []

    def before(handler):
        answer = target.post(LOGOUT, form={"logout_token": liar().logout_token()})
        statuses.append(answer.status)

    browser = logged_in(target, before={"/userinfo": before})
    assert statuses == [200]
    return "logged in all the same" if greeted(browser) else None


def page_in_a_frame(target):
    """Show the page in a frame of another site."""
    page = logged_in(target).get("/")
    policy = page.header("Content-Security-Policy") or ""
    framed = "frame-ancestors" not in policy and not page.header("X-Frame-Options")
    return "may be framed" if framed else None


def stolen_cookie(target):
    """Use the cookie that somebody copied from a browser in which a user is logged in."""
    thief = Browser(target)
    thief.cookies = dict(logged_in(target).cookies)
    return "in by a copy" if greeted(thief) else None


def provider_as_anybody(target):
    """As the provider, or whoever has its key, log in as anybody."""
    assert honest(target)
    return taken(target)
