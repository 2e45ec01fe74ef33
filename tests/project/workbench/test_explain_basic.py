"""`explain` reads Basic (RFC 7617) and the grammar that all challenges share (RFC 9110)."""

import base64

import pytest
from explaining import basic, check_said, everything, part

from learn.explain import explain


def test_basic_example():
    """RFC 7617 2 decodes to Aladdin and open sesame, in three notes that warn of both."""
    notes = explain("Authorization", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==")
    assert len(notes) == 3
    decoded = part(notes, "QWxh")
    assert "user name `Aladdin` and password `open sesame`" in decoded.text
    assert decoded.secret and notes[0].secret and "not encryption" in notes[0].text
    assert "ASCII" in notes[2].text and "UTF-8, as" not in notes[2].text


def test_basic_utf8_example():
    """RFC 7617 2.1 decodes to test and 123£, and the octets are said to be UTF-8."""
    notes = explain("Authorization", "Basic dGVzdDoxMjPCow==")
    assert "user name `test` and password `123£`" in part(notes, "dGVz").text
    assert "octets are UTF-8" in notes[2].text


@pytest.mark.parametrize(
    ("value", "realm", "charset"),
    [
        ('Basic realm="WallyWorld"', "WallyWorld", False),
        ('Basic realm="foo", charset="UTF-8"', "foo", True),
    ],
)
def test_basic_challenges(value, realm, charset):
    """The challenges of RFC 7617 2 and 2.1 have a realm each, and the second a charset."""
    notes = explain("WWW-Authenticate", value)
    assert part(notes, "realm").part == f'realm="{realm}"'
    assert any("encode" in n.text for n in notes if n.part == 'charset="UTF-8"') is charset
    assert not any("Missing" in note.text for note in notes)


def test_two_challenges_in_one_value():
    """RFC 9110 11.6.1 has Basic and Newauth in one value; quoted commas and quotes stay."""
    value = r'Basic realm="simple", Newauth realm="apps", type=1, title="Login, to \"apps\""'
    notes = explain("WWW-Authenticate", value)
    assert notes[0].text.startswith("2 challenges in one header: `Basic`, `Newauth`")
    assert [(n.part, n.depth) for n in notes[1:]] == [
        ("Basic", 1),
        ('realm="simple"', 2),
        ("Newauth", 1),
        ('realm="apps"', 2),
        ("type=1", 2),
        (r'title="Login, to \"apps\""', 2),
    ]
    assert "not known here" in part(notes, "Newauth").text


def test_negotiate_and_an_unknown_scheme():
    """A scheme of IANA's registry is described, another is said to be unknown."""
    assert "Kerberos" in explain("WWW-Authenticate", "Negotiate")[0].text
    assert "not known here" in explain("Authorization", "Frobnicate abc=")[0].text
    assert explain("Authorization", "Negotiate YII=")[1].secret


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("Basic", "nothing follows"),
        ("Basic QWxh*GRpbg==", "`*` is not in its alphabet"),
        ("Basic QWxhZGRpb", "padding"),
        (basic(b"nocolon"), "no colon"),
        (basic(b"test:123\xa3"), "password `123£`"),
        (basic(b"a:b:c"), "user name `a` and password `b:c`"),
        (basic(b":"), "user name the empty string and password the empty string"),
        (basic(b"a:b\0"), r"password `b\x00`"),
    ],
)
def test_basic_malformed_and_odd(value, says):
    """What is odd about Basic credentials is named."""
    assert says in everything(explain("Authorization", value))


def test_basic_latin1_is_named():
    """Octets that are not UTF-8 are read as latin-1, and the note says so."""
    assert "not UTF-8" in everything(explain("Authorization", basic(b"test:123\xa3")))


@pytest.mark.parametrize(
    ("token", "first", "notes"),
    [
        ("dXNlcjpwYXNzxXdvcmQ=", "", ["`passÅword`", "not UTF-8; they are read as latin-1"]),
        ("d2FsdGVyd2hpdGU6cMOkc3N3w7ZyZA==", "", ["`pässwörd`", "octets are UTF-8"]),
        ("***ya3VzOm32Z2xpY2g=", "masked, probably", ["`*` is not in its alphabet"]),
        ("YWRhOnBhOnNzOjE=", "", ["`pa:ss:1`", "first colon ends the user name"]),
        ("dXNlcjE6cGFzczE", "padding at the end is wrong", ["padding"]),
        ("YWRhOsO_w74_", "base64url", ["`_` is not in its alphabet"]),
        ("dXNlcjE6cGFzczEK", "A line break stands at the end", [r"`pass1\n`", "forbidden"]),
        ("user1:pass1", "as they are, probably", ["`:` is not in its alphabet"]),
        ("b'dXNlcjE6cGFzczE='", "Python's `b'…'`", ["`'` is not in its alphabet"]),
        (
            base64.b64encode("user1:pass1".encode("utf-16-le")).decode(),
            "UTF-16",
            [r"`u\x00s\x00e\x00r\x001\x00`"],
        ),
        ("ZFhObGNqRTZjR0Z6Y3pFPQ==", "in base64 twice", ["it decodes to `dXNlcjE6cGFzczE=`"]),
        ("", "nothing follows the word", []),
        ("[REDACTED]", "", ["masked"]),
        ("dXNlcjE6cGFz…", "", ["cut off; so far it decodes to user name `user1`"]),
        ("dXNlcj...", "", ["cut off; so far it decodes to `us"]),
    ],
)
def test_basic_as_reported(token, first, notes):
    """What people asked about: other charsets, line breaks, bytes, base64 of another kind."""
    check_said(f"Authorization: Basic {token}", first, *notes)


def test_basic_in_several_lines():
    """base64 that was broken after 76 characters is read, and said to have to be one line."""
    lines = base64.encodebytes(b"user1:" + b"x" * 90).decode()
    check_said(f"Authorization: Basic {lines}", "must be one", f"password `{'x' * 90}`")


@pytest.mark.parametrize(
    ("value", "first", "notes"),
    [
        ('xBasic realm=""', "", ["`xBasic`", "under another name"]),
        ("Token", "", ["A challenge of the scheme `Token`"]),
        ('Negotiate, NTLM, Basic realm="intranet"', "", ["3 challenges", "Kerberos", "intranet"]),
        ("Basic", "Missing, though the scheme asks for it: `realm`", []),
        ("Basic realm=“x”", "typographic", []),
        ("Basic realm='x'", "apostrophes", []),
        ('realm="x"', "no scheme", []),
        ("Basic dXNlcjE6cGFzczE=", "looks like credentials", []),
        ('Basic realm="a", realm="b"', "`realm` stands twice", ["a second time"]),
        ('Basic realm="a"b', "`b` stands after the closing quotation mark", []),
        ('Basic realm="a', "not in pairs", []),
        ('Basic realm="a", charset="latin-1"', "only `UTF-8` is allowed", []),
    ],
)
def test_challenges_as_reported(value, first, notes):
    """Challenges that devices and servers send, right or wrong."""
    check_said(f"WWW-Authenticate: {value}", first, *notes)


def test_ntlm_messages():
    """The three messages of NTLM are told apart; credentials are secret."""
    for number, word in ((1, "first"), (2, "second"), (3, "third")):
        octets = b"NTLMSSP\0" + number.to_bytes(4, "little") + bytes(20)
        value = base64.b64encode(octets).decode()
        notes = explain("Authorization", f"Negotiate {value}")
        assert f"NTLM's {word} message" in notes[1].text and notes[1].secret
    assert not explain("WWW-Authenticate", f"NTLM {value}")[1].secret
