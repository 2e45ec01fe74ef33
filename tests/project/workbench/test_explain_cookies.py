"""`explain` reads cookies (RFC 6265), Flask's session and what other frameworks sign."""

import base64
import hashlib
import hmac
import time
import zlib

import pytest
from explaining import check_said, everything, flask_cookie, part, said, token
from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from flask_login import LoginManager, UserMixin, login_user
from itsdangerous import Serializer, TimestampSigner, URLSafeSerializer, URLSafeTimedSerializer

from learn.explain import Context, explain, explain_line


@pytest.mark.parametrize("value", ["user1", "x" * 500], ids=["plain", "compressed"])
def test_flask_session_cookie(value):
    """The session of a real Flask app is opened, dated and verified with its key alone."""
    pair = flask_cookie("k" * 32, value).partition(";")[0]
    assert pair.startswith("session=.") is (len(value) > 100)
    now = int(time.time()) + 3600
    notes = explain("Cookie", f"theme=dark; {pair}", Context(keys=["k" * 32], now=now))
    text = everything(notes)
    assert f'{{"user":"{value[:100]}' in text and "signed, not encrypted" in text
    assert "1 h" in text and "it matches a known key" in text
    assert ("compressed" in text) is (len(value) > 100)
    assert "k" * 32 not in text and part(notes, "session=").secret
    assert "only the server" in part(notes, "theme").text
    assert "does not match" in everything(explain("Cookie", pair, Context(keys=["j" * 32])))
    assert "not known here" in everything(explain("Cookie", pair))


def test_set_cookie_attributes():
    """Each attribute gets a few words, and those that protect but are missing are named."""
    notes = explain("Set-Cookie", flask_cookie("k" * 32, "user1"))
    assert "scripts" in part(notes, "HttpOnly").text and "path" in part(notes, "Path=/").text
    assert "`Secure`" in notes[-1].text and "`SameSite`" in notes[-1].text
    assert "`HttpOnly`" not in notes[-1].text
    date = "Expires=Thu, 01 Jan 1970 00:00:00 GMT"
    notes = explain("Set-Cookie", f"a=b; Secure; HttpOnly; SameSite=Lax; Max-Age=3600; {date}")
    assert "1 h" in part(notes, "Max-Age").text and "follows a link" in part(notes, "SameSite").text
    assert "deletes it:" in part(notes, "Expires").text and "ago" in part(notes, "Expires").text
    assert "Not set" not in everything(notes)


def test_a_cookie_that_unpacks_to_a_lot_is_not_unpacked():
    """A compressed cookie of 50 MB content is explained at once, and not in full."""
    packed = base64.urlsafe_b64encode(zlib.compress(b'{"a":"' + b"x" * 50_000_000 + b'"}'))
    value = f"session=.{packed.decode().rstrip('=')}.awRpGA.EA2wIhmbZjkagDSxr9_C6oMIAUM"
    start = time.process_time()
    notes = explain("Cookie", value)
    assert time.process_time() - start < 3
    assert "in no form that can be opened" in everything(notes)


KEY = "k" * 32


def session_of(content) -> str:
    """Return a value as Flask signs a session, with KEY."""
    app = Flask(__name__)
    app.secret_key = KEY
    return SecureCookieSessionInterface().get_signing_serializer(app).dumps(content)


LOGIN = session_of({"_fresh": True, "_id": "a" * 128, "_user_id": "7"})
REMEMBER = f"7|{hmac.digest(KEY.encode(), b'7', 'sha512').hex()}"
# made by Django 5.2 with the key below, on 2026-11-18
DJANGO_KEY = "django-demo-key-" + "k" * 30
DJANGO = "eyJ1c2VyIjo3fQ:1xTdUu:AdCY5n1aLi_3Z1SLvGAsxGa1h-ApAklFtJxKyEeUdWU"
DJANGO_SESSION = (
    ".eJyrVopPLC3JiC8tTi2Kz0xRslIyV9JBFktKTM5OzQNJpGQl5qXn6yXn55UUZSbpgZToQWWL9XzzU1JznKBqUQzISCzOAOpO"
    "TKIMKtUCANF7PrM:1xTdUu:PkCFrgov9lpNQso379M6BcLweZAAozBTvp6B2XdrRtk"
)  # fmt: skip


@pytest.mark.parametrize(
    "paste",
    [
        f"session={LOGIN}",
        f"session={LOGIN}; theme=dark",
        f"theme=dark; session={LOGIN}",
        f"Set-Cookie: session={LOGIN}; HttpOnly; Path=/",
        f"Cookie: session={LOGIN}",
        LOGIN,
        f"curl -b 'session={LOGIN}' http://127.0.0.1:5006/",
        f'document.cookie = "session={LOGIN}"'.partition('"')[2].strip('"'),
    ],
    ids=["pair", "pairs", "last", "Set-Cookie", "Cookie", "value", "curl", "script"],
)
def test_flask_login_session(paste):
    """Whom the session is for is shown, however long the identifier before it is."""
    check_said(paste, "", '"_user_id": "7"', "(128 characters)", "Flask-Login's: the user whom")
    assert "it matches a known key" in said(paste, keys=[KEY])[1]
    assert "matches no key" in said(paste, keys=["other"])[0]
    assert any(note.secret and LOGIN[:20] in note.part for note in explain_line(paste))


def test_session_of_old():
    """One signed before 2011's epoch was given up is dated; one of last year is too old."""
    below = said("eyJhZG1pbiI6dHJ1ZX0.C4bwfQ." + "A" * 27)[1]
    assert "2017-02-16" in below and "counted from 2011" in below
    signed = LOGIN.rsplit(".", 2)
    first = said(f"session={LOGIN}", now=time.time() + 40 * 86400)[0]
    assert len(signed) == 3 and "31 days" in first


@pytest.mark.parametrize(
    ("paste", "says"),
    [
        ("Set-Cookie: session=; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "empty: nothing is stored"),
        ("session=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/", "deletes it"),
        ("Set-Cookie: session=3f2504e0-4f89-11d3-9a0c-0305e82c3301", "in no form that can be op"),
        ("Cookie: sessionid=abc123def; csrftoken=x", "Django's session cookie"),
        ("Cookie: _ga=GA1.2; a=b", "no login"),
        ("Cookie: user=user1", "plain text, which anybody can read and write anew"),
        ("Set-Cookie: is_admin=true; HttpOnly", "plain text, which anybody can read"),
    ],
)
def test_cookies_that_can_not_be_opened(paste, says):
    """A cleared session, one that is kept on the server, other frameworks' names."""
    check_said(paste, "", says)


def test_what_flask_login_keeps(monkeypatch):
    """All that a real Flask-Login puts into the session and beside it is explained."""
    app = Flask(__name__)
    app.secret_key = KEY
    manager = LoginManager(app)

    class User(UserMixin):
        id = "7"

    manager.user_loader(lambda name: User())
    app.add_url_rule("/", view_func=lambda: str(login_user(User(), remember=True)), endpoint="in")
    set_by_login = app.test_client().get("/").headers.getlist("Set-Cookie")
    below = "\n".join(said(f"Set-Cookie: {value}", keys=[KEY])[1] for value in set_by_login)
    for name in ("_user_id", "_fresh", "_id"):
        assert f"{name}: `" in below, below
    assert "Flask-Login's: the user whom" in below and "`fresh_login_required` asks" in below
    assert "`session_protection` strong" in below and "keeps nothing on the server" in below
    assert "Flask-Login's `remember_token`" in below and "not fresh" in below
    assert below.count("it matches a known key") == 2


def test_remember_token():
    """Flask-Login's cookie: the id is readable, the rest an HMAC, and no time is in it."""
    for paste in (f"Cookie: remember_token={REMEMBER}", REMEMBER, f"remember_token={REMEMBER}"):
        check_said(paste, "", 'the id of the user, `"7"`', "No time is in it", "HMAC")
        assert "it matches a known key" in said(paste, keys=[KEY])[1]
        assert "matches no key" in said(paste, keys=["k"])[0]
    encoded = REMEMBER.replace("|", "%7C")
    assert "the id of the user" in said(f"Cookie: remember_token={encoded}")[1]


def test_jwt_in_a_cookie_has_its_name():
    """The cookie's own name is shown beside what it carries."""
    below = said(f"Set-Cookie: access_token_cookie={token({'sub': 1})}; HttpOnly; Path=/")
    assert "the cookie `access_token_cookie` carries this" in below[1] and "`sub`" in below[0]


@pytest.mark.parametrize(
    ("made", "content", "sure"),
    [
        (URLSafeTimedSerializer("k").dumps({"user_id": 7}), '{"user_id": 7}', True),
        (URLSafeTimedSerializer("k").dumps("user1@example.org"), '"user1@example.org"', True),
        (URLSafeTimedSerializer("k").dumps([1, "a"]), '[1, "a"]', True),
        (TimestampSigner("k").sign("user1").decode(), '"user1"', False),
        (URLSafeSerializer("k").dumps({"id": 1}), '{"id": 1}', False),
        (Serializer("k").dumps({"id": 1}), '{"id": 1}', False),
    ],
    ids=["object", "text", "list", "signed text", "untimed", "JSON"],
)
def test_tokens_of_itsdangerous(made, content, sure):
    """Text and objects, timed or not: read, verified with the usual salt, alone and as Bearer."""
    for paste in (made, f"Authorization: Bearer {made}"):
        if paste is not made and "{" in made:
            continue  # JSON as it stands is no Bearer token
        below = said(paste)[1]
        assert f"`{content}`" in below and "itsdangerous" in below or "made like it" in below
        assert "begins like a JWT" not in below
        assert "(salt `itsdangerous" in said(paste, keys=["k"])[1]
        assert sure or "robably" in below
    timed = made.count(".") > 1
    assert timed or "never expires" in said(made)[0]


def test_salts():
    """A serializer's own salt is tried where it is named."""
    made = URLSafeTimedSerializer("k", salt="activate").dumps("user1")
    assert "`--salt`" in said(made, keys=["k"])[1]
    assert "(salt `activate`)" in said(made, keys=["k"], salts=["activate"])[1]


def test_old_jws_of_itsdangerous():
    """Before version 2.1, itsdangerous made JWTs with the times in the header."""
    header = {"alg": "HS512", "iat": 1795000000, "exp": 1795000060}
    made = token({"id": 1}, header, "A" * 86)
    first, below = said(made, now=1795000100)
    assert "Expired 40 s ago" in first and "No `exp`" not in first and "old versions" in below


def test_django():
    """Django's signed values: content, time in base 62, signature."""
    assert '`{"user": 7}`' in said(DJANGO)[1] and "2026-11-18" in said(DJANGO)[1]
    below = said(f"Cookie: sessionid={DJANGO_SESSION}", keys=[DJANGO_KEY])[1]
    assert '"_auth_user_id": "7"' in below and "compressed" in below and "matches a known" in below
    assert "matches a known key" in said(DJANGO, keys=[DJANGO_KEY])[1]
    assert "does not match" in said(DJANGO, keys=["x"])[1]
    derived = hashlib.sha256(b"mine" + b"signer" + b"x").digest()
    value = DJANGO.rpartition(":")[0]
    mac = base64.urlsafe_b64encode(hmac.digest(derived, value.encode(), "sha256")).decode()
    own = f"{value}:{mac.rstrip('=')}"
    assert "(salt `mine`)" in said(own, keys=["x"], salts=["mine"])[1]


def test_paseto():
    """PASETO: a public token is read, a local one is not, its footer is."""
    public = (
        "v4.public.eyJzdWIiOiAidXNlcjEiLCAiZXhwIjogIjIwMjYtMTEtMjVUMDg6MDA6MDArMDA6MDAifb22R734wt0Hmpc"
        "TyRRFBhvSBp5EdrduOpggr0JLL1BD-SZIBw-LFmsEtZ_jjgtdANRAmUoxgwcb1oQ2wqyvCw4"
    )
    first, below = said(public, now=1_800_000_000)
    assert '"sub": "user1"' in below and "signed, not encrypted" in below and "Expired" in first
    check_said(f"Authorization: Bearer {public}", "", '"user1"', now=1_700_000_000)
    local = "v4.local." + "A" * 90 + ".eyJraWQiOiIxIn0"
    check_said(local, "", "nobody else can read it", '`{"kid": "1"}`')


@pytest.mark.parametrize(
    ("value", "first"),
    [
        ("a=b; SameSite=None; HttpOnly", "`SameSite=None` without `Secure`"),
        ("__Host-a=b; Path=/", "`Secure` is missing: browsers refuse"),
        (
            "__host-a=b; Secure",
            "`__host-` needs `Secure` and `Path=/`, and no `Domain`, and `Path=/`",
        ),
        ("__Host-a=b; Secure; Path=/login; HttpOnly; SameSite=Lax", "`Path=/` is missing"),
        ("__Host-a=b; Domain=x", "`Secure` is missing and `Path=/` is missing and `Domain` is set"),
        ("=__Host-a; Secure; HttpOnly; SameSite=Lax", "has no name"),
        ("a=b; Partitioned; HttpOnly; SameSite=Lax", "`Partitioned` without `Secure`"),
        (
            "a=b; Partitioned; Secure; HttpOnly; SameSite=Lax",
            "Note: `Partitioned` without `SameSite",
        ),
        ("a=b; Partitioned; Secure; HttpOnly; SameSite=None", ""),
        (f"a={'b' * 4096}; Secure; HttpOnly; SameSite=Lax", "more than 4096 bytes"),
        (f"a={'b' * 4095}; Secure; HttpOnly; SameSite=Lax", ""),
        ("__Host-a=b; Secure; Path=/; Domain=example.org", "`__Host-`"),
        ("__Secure-a=b", "`__Secure-`"),
        ("__Host-a=b; Secure; Path=/; HttpOnly; SameSite=Lax", ""),
        ("a=b; SameSite=None; Secure; HttpOnly", ""),
    ],
)
def test_cookies_that_browsers_refuse(value, first):
    """What browsers will not store is said first."""
    check_said(f"Set-Cookie: {value}", first)


def test_prefixes_and_partitioned():
    """What a prefix promises is said of the cookie both ways; limits and partitions as well."""
    for header in ("Cookie: ", "Set-Cookie: "):
        text = said(f"{header}__Host-id=w8Y2sQfVq3pZkD0aXr5LtB; Secure; Path=/")[1]
        assert "__Host-: the prefix promises that this very host" in text
        text = said(f"{header}__Secure-id=w8Y2sQfVq3pZkD0aXr5LtB; Secure; Path=/")[1]
        assert "A subdomain can set it as well" in text and "very host" not in text
        assert "prefix promises" not in said(f"{header}Host-id=w8Y2sQfVq3pZkD0aXr5LtB; Secure")[1]
    assert "Flask's session" in said(f"Cookie: __Host-session={LOGIN}")[1]
    assert "of Flask's session cookie" in said("Cookie: __Host-session=w8Y2sQfVq3pZkD0aXr5L")[1]
    notes = explain("Set-Cookie", "a=b; Secure; SameSite=None; HttpOnly; Partitioned")
    assert "CHIPS" in part(notes, "Partitioned").text
    assert "browsers keep it for 400 days" in said("Set-Cookie: a=b; Max-Age=63072000")[1]


@pytest.mark.parametrize(
    ("value", "first", "note"),
    [
        ('"cookies"', "", "all cookies of this host's domain"),
        ('"cookies", "storage","cache"', "", "service workers"),
        ('"*"', "", "everything"),
        ("cookies", "double quotation marks", "ignore it without"),
        ('"cookie"', "no kind of data", "no kind of data"),
        ('"cookies" "storage"', "no kind of data", "no kind of data"),
    ],
)
def test_clear_site_data(value, first, note):
    """What the browser is to forget, what it takes, and what it does not do."""
    check_said(f"Clear-Site-Data: {value}", first, note, "a copy of a cookie still works")
