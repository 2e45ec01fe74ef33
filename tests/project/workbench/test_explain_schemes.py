"""`explain` reads the other schemes, and headers that no standard defines."""

import pytest
from explaining import check_said, said

from learn.explain import Context, explain, explain_line, is_auth_header


def test_smaller_headers():
    """OTP, Retry-After and no-store say what they mean; other directives say nothing."""
    assert "second factor" in explain("OTP", "123456")[0].text
    assert "asks for" in explain("OTP", "required")[0].text
    assert "Neither" in explain("OTP", "12")[0].text
    limited = explain("Retry-After", "90", Context(status=429))[0].text
    assert "1 min 30 s" in limited and "tries" in limited
    date = explain("Retry-After", "Thu, 01 Jan 1970 00:01:00 GMT", Context(now=0))[0].text
    assert "in 1 min" in date
    assert explain("Cache-Control", "private, no-store")[0].part == "no-store"
    assert explain("Cache-Control", "max-age=1") == [] == explain("Host", "x")


def test_is_auth_header():
    """Names match in any case, and a header that has no notes is no authentication header."""
    assert is_auth_header("WWW-AUTHENTICATE") and is_auth_header("otp")
    assert not is_auth_header("Host") and not is_auth_header("Location")


AWS = (
    "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20170424/us-east-1/s3/aws4_request, "
    f"SignedHeaders=host;x-amz-date, Signature={'5ebc' * 16}"
)
OAUTH = 'OAuth oauth_callback="x",oauth_consumer_key="k",oauth_signature="NqH5"'
ELASTIC = "ApiKey VnVhQ2ZHY0JDZGJrUW0tZTVhT3g6dWkybHAyYXhUTm1zeWFrdzl0dk5udw=="


@pytest.mark.parametrize(
    ("value", "notes"),
    [
        ("Token 9944b09199c62bcf9418ad846dd0e4bbdfc6ee4b", ["as Django REST framework"]),
        ("Token N2RmYmWmNDY1Nw==", ["opaque"]),
        (ELASTIC, ["the key's id `VuaCfGcBCdbkQm-e5aOx`"]),
        ("ApiKey ada:secret", ["after the colon, the key"]),
        ("SharedKey acct:c2lnbmF0dXJl", ["the account", "`acct`"]),
        ("AWS AKIAIOSFODNN7EXAMPLE:frJIUN8DYpKDtOLCwo//yllqDzg=", ["Signature Version 2"]),
        (AWS, ["`AKIAIOSFODNN7EXAMPLE` on `20170424` for the service `s3`", "headers", "HMAC"]),
        (
            'Hawk id="123abc456", ts="1511972607", nonce="7pWM17", mac="T5Pf"',
            ["2017-11-29 16:23:27 UTC", "the proof"],
        ),
        (OAUTH, ["a signed request of OAuth 1.0", "the proof"]),
        ("OAuth 00Dxx!abc", ["an old name of `Bearer`"]),
        ("Frobnicate abc123def456=", ["not known here"]),
        ('Frobnicate a=1, b="x y"', ["a parameter of this scheme"]),
    ],
)
def test_other_schemes(value, notes):
    """The usual schemes are named, with their name in front or alone; what is secret is marked."""
    pastes = [f"Authorization: {value}"]
    pastes += [] if value.startswith("Frob") else [value]
    for paste in pastes:
        check_said(paste, "", *notes)
        said_of = explain_line(paste)
        assert any(note.secret for note in said_of), said_of
        assert not any("no `name=value`" in note.text for note in said_of)
    twice = f"Authorization: Authorization: {value}"
    assert "`Authorization:` stands twice" in said(twice)[0]
    assert all(note in said(twice)[1] for note in notes)


def test_what_is_no_pair_is_marked():
    """Whatever stands in Authorization is a secret, also where it can't be read."""
    notes = explain_line("Authorization: Frobnicate a=1, hidden value")
    assert [note.secret for note in notes if "hidden" in note.part] == [True]


def test_what_a_signature_lacks():
    """A signature of AWS without its parts is said to lack them."""
    first = said("Authorization: AWS4-HMAC-SHA256 Credential=a/b/c/d/e")[0]
    assert "`SignedHeaders`, `Signature`" in first


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("x-access-token", "No standard defines this header"),
        ("X-API-Key", "a key that names the program"),
        ("X-CSRF-TOKEN", "a page of the site itself"),
        ("Authentication-Token", "Flask-Security"),
        ("X-My-Auth-Token", "probably a token or key, by its name"),
        ("Private-Token", "GitLab"),
    ],
)
def test_names_of_their_own(name, says):
    """A header of an application's own is said to be no standard, and its value is a secret."""
    check_said(f"{name}: abc123def456", "", says)
    assert explain_line(f"{name}: abc123def456")[1].secret


@pytest.mark.parametrize(
    ("name", "right"),
    [
        ("Authentication", "Authorization"),
        ("Authorisation", "Authorization"),
        ("Authorzation", "Authorization"),
        ("Auth", "Authorization"),
        ("WWW-Authentication", "WWW-Authenticate"),
        ("Set-Cookies", "Set-Cookie"),
        ("Cookies", "Cookie"),
    ],
)
def test_misspelt_names(name, right):
    """The right name is said first: under the other, servers find nothing."""
    value = {"WWW-Authenticate": 'Basic realm="x"'}.get(right, "Basic dXNlcjE6cGFzczE=")
    value = "a=b" if "Cookie" in right else value
    first, below = said(f"{name}: {value}")
    assert first.startswith(f"Wrong: The header is named `{right}`")
    assert "Basic" in below or "browser" in below
    assert not is_auth_header(name)


@pytest.mark.parametrize(
    "name", ["Host", "User-Agent", "Content-Type", "X-Forwarded-For", "Accept"]
)
def test_other_names(name):
    """Any other header is none of authentication's."""
    with pytest.raises(ValueError, match="is not an authentication header"):
        explain_line(f"{name}: abc")
