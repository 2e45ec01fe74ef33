"""`explain` reads Digest (RFC 7616), and recomputes what it proves where the password is known."""

import hashlib
import re
import time

import pytest
from explaining import (
    DOE,
    DOE_TAIL,
    ERRATUM,
    LION,
    MD5,
    MUFASA_2617,
    PRINTED,
    SHA256,
    USER_ERRATUM,
    USER_PRINTED,
    check_said,
    everything,
    part,
    said,
)
from itsdangerous import TimestampSigner
from werkzeug.datastructures import Authorization, WWWAuthenticate

from learn.explain import Context, explain


@pytest.mark.parametrize(
    ("value", "password"),
    [(MUFASA_2617, "Circle Of Life"), (MD5, "Circle of Life"), (SHA256, "Circle of Life")],
    ids=["RFC 2617 3.5", "RFC 7616 3.9.1 MD5", "RFC 7616 3.9.1 SHA-256"],
)
def test_digest_example_is_recomputed(value, password):
    """The published response follows from the published password, and only from it."""
    context = Context(method="GET", target="/dir/index.html", passwords={"Mufasa": password})
    assert "it matches." in part(explain("Authorization", value, context), "response").text
    for other in (password + "!", password.swapcase()):
        wrong = Context(method="GET", passwords={"Mufasa": other})
        assert "does not match" in part(explain("Authorization", value, wrong), "response").text


def test_digest_halves():
    """HA1 and HA2 are those of the SHA-256 example, and only HA1 is a secret."""
    notes = explain("Authorization", SHA256, LION)
    ha1 = hashlib.sha256(b"Mufasa:http-auth@example.org:Circle of Life").hexdigest()
    ha2 = hashlib.sha256(b"GET:/dir/index.html").hexdigest()
    first, second = (note for note in notes if note.depth == 2)
    assert ha1 in first.text and first.secret
    assert ha2 in second.text and not second.secret
    assert "Circle" not in everything(notes)


def test_digest_names_every_parameter():
    """Each of the ten parameters of the example has one note, in the order of the header."""
    parts = [note.part for note in explain("Authorization", SHA256) if note.depth == 1]
    assert [p.split("=")[0] for p in parts] == [
        "username",
        "realm",
        "uri",
        "algorithm",
        "nonce",
        "nc",
        "cnonce",
        "qop",
        "response",
        "opaque",
    ]
    assert not any("not a parameter" in note.text for note in explain("Authorization", SHA256))


@pytest.mark.parametrize(
    "change",
    [
        ("Mufasa", "Mufase"),
        ("http-auth@", "http-aut@"),
        ("/dir/index.html", "/dir/index.htm"),
        ("7ypf", "7ypg"),
        ("nc=00000001", "nc=00000002"),
        ("f2/wE", "f2/wF"),
        ('"7539', '"7538'),
    ],
)
def test_digest_one_letter_changed(change):
    """A letter changed in any hashed value makes the response fail to match."""
    context = Context(method="GET", passwords=dict.fromkeys(("Mufasa", "Mufase"), "Circle of Life"))
    note = part(explain("Authorization", SHA256.replace(*change), context), "response")
    assert "does not match" in note.text


def test_digest_of_another_method():
    """The method is hashed in: the same header with POST does not match."""
    context = Context(method="POST", passwords=LION.passwords)
    assert "does not match" in part(explain("Authorization", SHA256, context), "response").text


def test_digest_without_the_password():
    """Without password or method nothing is claimed, and offline guessing is pointed out."""
    note = part(explain("Authorization", SHA256), "response")
    assert "offline" in note.text and "matches" not in note.text
    unknown = Context(passwords=LION.passwords)
    assert "method" in part(explain("Authorization", SHA256, unknown), "response").text


@pytest.mark.parametrize(
    ("user", "response", "says"),
    [
        (USER_ERRATUM, ERRATUM, "it matches."),
        (USER_PRINTED, PRINTED, "it matches, but with SHA-512 cut"),
    ],
    ids=["erratum 4897", "as printed"],
)
def test_digest_userhash_example(user, response, says):
    """RFC 7616 3.9.2: the name behind the hash is found and the response recomputed, both ways."""
    value = f'Digest username="{user}", ' + DOE_TAIL.format(response, "true")
    notes = explain("Authorization", value, DOE)
    assert "`Jäsøn Doe`" in part(notes, "username").text
    assert says in part(notes, "response").text
    other = Context(method="GET", passwords={"Jason Doe": "Secret, or not?"})
    notes = explain("Authorization", value, other)
    assert "none that is known" in part(notes, "username").text
    assert "match" not in part(notes, "response").text


def test_digest_percent_encoded_user():
    """RFC 7616 3.9.2, second request: username* decodes to Jäsøn Doe and the response matches."""
    value = "Digest username*=UTF-8''J%C3%A4s%C3%B8n%20Doe, " + DOE_TAIL.format(ERRATUM, "false")
    notes = explain("Authorization", value, DOE)
    assert "`Jäsøn Doe`" in part(notes, "username*").text
    assert "it matches." in part(notes, "response").text


def test_digest_example_challenges():
    """The challenges of RFC 7616 3.9: every parameter explained, none missing or unknown."""
    for value in (
        'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=SHA-256, '
        'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", '
        'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"',
        'Digest realm="api@example.org", qop="auth", algorithm=SHA-512-256, '
        'nonce="5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK", '
        'opaque="HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS", charset=UTF-8, userhash=true',
    ):
        notes = explain("WWW-Authenticate", value)
        known = set(WWWAuthenticate.from_header(value).parameters)
        assert {note.part.split("=")[0] for note in notes[1:]} == known
        assert not re.search("Missing|no parameter|no algorithm|no kind", everything(notes))


def response(h, qop, sess, method="GET", body=b""):
    """RFC 7616 3.4.1 to 3.4.3 once more, written apart from the code under test."""
    a1 = h(b"user1:lab:pass1")
    a1 = h(f"{a1}:abc:xyz".encode()) if sess else a1
    a2 = h(f"{method}:/x?y=1".encode() + (f":{h(body)}".encode() if qop == "auth-int" else b""))
    return h((f"{a1}:abc:00000001:xyz:{qop}:{a2}" if qop else f"{a1}:abc:{a2}").encode())


@pytest.mark.parametrize("qop", ["auth", "auth-int", ""])
@pytest.mark.parametrize(
    "algorithm", ["MD5", "MD5-sess", "SHA-256", "SHA-256-sess", "SHA-512-256", "SHA-512-256-sess"]
)
def test_digest_every_algorithm(algorithm, qop):
    """All six algorithms with auth, auth-int and no qop recompute, and rspauth with them."""
    name = {"M": "md5", "SHA-2": "sha256", "SHA-5": "sha512_256"}[
        "M" if algorithm[0] == "M" else algorithm[:5]
    ]

    def h(octets):
        return hashlib.new(name, octets).hexdigest()

    sess, body = algorithm.endswith("-sess"), b"amount=1"
    tail = f', qop={qop}, nc=00000001, cnonce="xyz"' if qop else ', cnonce="xyz"'
    value = (
        f'Digest username="user1", realm="lab", nonce="abc", uri="/x?y=1", '
        f'algorithm={algorithm}{tail}, response="{response(h, qop, sess, body=body)}"'
    )
    context = Context(
        method="GET", target="/x?y=1", passwords={"user1": "pass1"}, body=body, authorization=value
    )
    assert "it matches." in part(explain("Authorization", value, context), "response").text

    info = f'rspauth="{response(h, qop, sess, method="", body=body)}"{tail}'
    assert "it matches." in part(explain("Authentication-Info", info, context), "rspauth").text
    info = info.replace('rspauth="', 'rspauth="0')
    assert "not match" in part(explain("Authentication-Info", info, context), "rspauth").text


def test_digest_auth_int_without_the_body():
    """auth-int is not recomputed without the body, and the note says what lacks."""
    notes = explain("Authorization", MD5.replace("qop=auth", "qop=auth-int"), LION)
    assert "the body, which is not known" in part(notes, "response").text


def test_digest_request_target():
    """A uri that is not the request target, query included, is pointed out."""
    assert "it is the request target" in part(explain("Authorization", MD5, LION), "uri").text
    other = Context(target="/dir/index.html?x=1")
    note = part(explain("Authorization", MD5, other), "uri")
    assert "but the request target is `/dir/index.html?x=1`" in note.text


def test_digest_duplicates_unknown_and_missing():
    """A parameter sent twice, one that RFC 7616 lacks and one that is missing each get a note."""
    notes = explain("Authorization", MD5.replace("qop=auth, ", 'Realm="other", colour=red, '))
    assert "a second time" in part(notes, "Realm").text
    assert "not a parameter that RFC 7616 knows" in part(notes, "colour").text
    assert "`qop`" in notes[-1].text and "Missing" in notes[-1].text


def test_nonce_of_itsdangerous():
    """A nonce of itsdangerous's form is dated; one that only looks a little like it is not."""
    nonce = TimestampSigner("key").sign(b"random").decode()
    notes = explain("WWW-Authenticate", f'Digest realm="r", nonce="{nonce}", qop="auth"')
    assert time.strftime("%Y-%m-%d", time.gmtime()) in part(notes, "nonce").text
    notes = explain("WWW-Authenticate", 'Digest realm="r", nonce="a.b.c", qop="auth"')
    assert "itsdangerous" not in everything(notes)


@pytest.mark.parametrize("value", [MUFASA_2617, MD5, SHA256])
def test_the_splitter_agrees_with_werkzeug(value):
    """Names and order of the parameters are those that Werkzeug reads."""
    parts = [n.part.split("=")[0] for n in explain("Authorization", value) if n.depth == 1]
    assert parts == list(Authorization.from_header(value).parameters)


CHALLENGES = [
    ('realm="IP Camera(A1234)", nonce="2148…44d6", stale="FALSE"', "`stale` stands in quot"),
    ('realm="Please log in …",nonce="752a",opaque="",stale=FALSE,algorithm=MD5', ""),
    ('qop="auth", realm="DS-2CD0000F-IW", nonce="4d6a", stale="FALSE"', "`stale` stands in quot"),
    ('realm="192.0.2.141",nonce="1659021505:2897",stale=FALSE,algorithm=MD5', ""),
    ('realm="3402000000",qop="auth,auth-int",nonce="779e"', ""),
    ('realm=, qop="auth", nonce="n"', "`realm=` has no value"),
    ("realm", "`realm` stands alone"),
    ('realm="r" nonce="n"', "After `realm` only a blank stands where a comma belongs"),
    ('realm="r"; nonce="n"', "After `realm` a semicolon stands where a comma belongs"),
    ("realm=My Camera, nonce=abc, algorithm=MD5", "`realm` needs quotation marks"),
    ('realm="a", qop=auth,auth-int, nonce="n"', "list in `qop` needs quotation marks"),
    (
        'realm="Authentication Required",nonce="1c06",opaque="c203",algorithm="MD5",qop="auth"',
        "`alg",
    ),
]


@pytest.mark.parametrize(("params", "first"), CHALLENGES)
def test_digest_challenges_as_reported(params, first):
    """Cameras, telephones, servers: every parameter is read, and what is wrong is said first."""
    check_said(f"WWW-Authenticate: Digest {params}", first)
    check_said(f"Digest {params}", first)  # without the header's name
    below = said(f"WWW-Authenticate: Digest {params}")[1]
    assert ("it is MD5 (RFC 7616 3.3)" in below) is ("algorithm" not in params and "=" in params)
    assert "no parameter" not in below
    assert "in pairs" not in below


def test_digest_challenge_missing_parts():
    """Without qop the response is RFC 2069's; without realm and nonce nobody can answer."""
    first, below = said('WWW-Authenticate: Digest realm="r", nonce="n"')
    assert not first and "Missing, though the scheme asks for it: `qop`" in below
    assert "`realm`, `nonce`" in said("WWW-Authenticate: Digest opaque=x")[0]
    assert "empty `stale` means nothing" in said('Digest realm="r", nonce="n", stale=')[1]


SENT = 'Digest username="a", realm="r", nonce="n", uri="/", {}response="' + "0" * 32 + '"'
AXIS = (
    'Digest username="root", realm="AXIS_X", nonce="/Qc=2e", uri="/onvif-cgi/jpg/image.cgi?'
    'resolution=640x480&compression=30", algorithm=MD5, response="a873", qop=auth, nc=00000001, '
    'cnonce="1c8a"'
)
SIP = (
    'Digest username="*1000",realm="sip.example.net",cnonce="6b8b4567",nc=00000001,qop=auth,'
    'uri="sip:*9000@sip.example.net",nonce="n",response="00",algorithm=MD5'
)


@pytest.mark.parametrize(
    ("params", "first", "notes"),
    [
        ('algorithm="MD5", qop=auth, nc=00000001, cnonce="c", ', "`algorithm` stands in quot", []),
        ('algorithm=MD5, qop="auth", nc=00000001, cnonce="c", ', "`qop` stands in quot", []),
        ('algorithm=MD5, qop=auth, nc="00000001", cnonce="c", ', "`nc` stands in quot", []),
        ("algorithm=MD5, qop=auth, nc=1, cnonce=c, ", "eight hex digits, and `1` is not", []),
        ('algorithm=MD5, qop=, nc=00000005, cnonce="xyz", ', "`qop=` has no value", ["no kind"]),
        ('qop=auth, nc=00000001, cnonce="c", userhash=, ', "`userhash=` has no value", ["nothing"]),
        ("algorithm=SHA-1, qop=auth, nc=00000001, cnonce=c, ", "`SHA-1` is no algorithm", []),
        ("qop=auth, nc=00000001, cnonce=c, ", "", ["it is MD5 (RFC 7616 3.3)"]),
    ],
)
def test_digest_credentials_as_reported(params, first, notes):
    """Quotation marks where RFC 7616 forbids them, empty values, a count in decimal."""
    check_said(SENT.format(params), first, *notes)


def test_digest_credentials_of_devices():
    """What cameras and telephones send is read in full."""
    assert said(f"Authorization: {AXIS}")[0] == ""
    first, below = said(f"Proxy-Authorization: {SIP}")
    assert first == "" and "`*1000`" in below and "sip:*9000@sip.example.net" in below
    python = SENT.format("qop=auth, nc=00000001, cnonce=c, ").replace('"a"', "\"b'Ond'\"")
    assert "Python's `b'…'`" in said(python)[0]
    starred = 'Digest username*=UTF-8\'\'Ond%C5%99ej, realm="r", nonce="n", uri="/", '
    starred += 'qop=auth, nc=00000001, cnonce="c", userhash=false, response="00"'
    assert "`Ondřej`" in said(f"Authorization: {starred}")[1]


def test_digest_recomputed_for_other_methods():
    """MD5-sess with POST and RFC 2069's form with REGISTER recompute by the command's options."""

    def h(text):
        return hashlib.md5(text.encode()).hexdigest()

    ha1 = h(f"{h('demo:Office:pw')}:n:c")
    proof = h(f"{ha1}:n:00000001:c:auth:{h('POST:/x')}")
    value = (
        'Digest username="demo",realm="Office",nonce="n",uri="/x",cnonce="c",nc=00000001,qop="auth"'
        f',opaque="661d",algorithm="MD5-sess",response="{proof}"'
    )
    assert "it matches." in said(value, method="POST", passwords={"demo": "pw"})[1]
    proof = h(f"{h('moo:r:pw')}:n:{h('REGISTER:sip:a')}")
    value = f'Digest username="moo",realm="r",nonce="n",uri="sip:a",opaque="",response="{proof}"'
    first, below = said(value, method="REGISTER", passwords={"moo": "pw"})
    assert "it matches." in below and not first
    assert "does not follow" in said(value, method="GET", passwords={"moo": "pw"})[0]


@pytest.mark.parametrize(
    ("uri", "target"), [("/demo/account", "/account"), ("/search", "/search?q=1")]
)
def test_digest_target_is_another(uri, target):
    """Behind a proxy, or from an old browser: the address in the hash is not the request's."""
    value = SENT.format("").replace('uri="/"', f'uri="{uri}"')
    first = f"`uri` is `{uri}`, and the request target `{target}`"
    check_said(value, first, "but the request target is", target=target)
    request = f"> GET {target} HTTP/1.1\n> Host: x\n> Authorization: {value}\n>\n"
    check_said(request, first)  # the paste itself says what was asked for
