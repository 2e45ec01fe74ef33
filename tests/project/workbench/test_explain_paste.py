"""`explain` reads whatever people paste: lines of any program, JSON, HAR, Python, curl commands."""

import json

import pytest
from explaining import JOE, SHA256, check_said, everything, flask_cookie, said, token

from learn.explain import explain_line
from learn.explain.paste import read


@pytest.mark.parametrize(
    "line",
    [
        "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
        "authorization:Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
        "> Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n",
        "  '> Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=='  ",
        "basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
        '"Authorization: Basic\n   QWxhZGRpbjpvcGVuIHNlc2FtZQ=="',
    ],
)
def test_line_however_it_was_pasted(line):
    """A pasted header is understood with or without name, quotes and curl's arrows."""
    assert "`Aladdin`" in everything(explain_line(line))


def test_line_values_go_to_the_right_header():
    """A bare value is taken for credentials or for a challenge by what is in it."""
    for line, name in [
        (SHA256, "Authorization"),
        ("Bearer " + JOE, "Authorization"),
        (JOE, "Authorization"),
        ('Digest realm="r", nonce="n", qop="auth"', "WWW-Authenticate"),
        ('Basic realm="r"', "WWW-Authenticate"),
        ("Negotiate", "WWW-Authenticate"),
        ("session=x", None),
        ("Cookie: session=x", "Cookie"),
        ("< Set-Cookie: a=b", "Set-Cookie"),
        (flask_cookie("k" * 32, "u")[len("session=") :].partition(";")[0], "Cookie"),
    ]:
        if name is None:
            with pytest.raises(ValueError, match="Paste a header"):
                explain_line(line)
        else:
            assert {note.header for note in explain_line(line)} == {name}, line


@pytest.mark.parametrize("line", ["", "hello", "Host: example.org", "a: b\nc: d", "\x1b[31m: x"])
def test_line_that_is_no_header(line):
    """Anything else is a ValueError with a printable sentence."""
    with pytest.raises(ValueError, match="[Pp]aste a header") as refused:
        explain_line(line)
    assert str(refused.value).isprintable()


BASIC = "Basic dXNlcjE6cGFzczE="
TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.AAAA"
DECODED = "user name `user1` and password `pass1`"

CURL = f"""\
*   Trying 127.0.0.1:5002...
* Server auth using Basic with user 'user1'
> GET / HTTP/1.1
> Host: 127.0.0.1:5002
> Authorization: {BASIC}
> User-Agent: curl/8.5.0
>
< HTTP/1.1 401 UNAUTHORIZED
< WWW-Authenticate: Basic realm="Lesson 02", charset="UTF-8"
< Set-Cookie: a=b; HttpOnly
<
Who are you?
"""
HTTP2 = f"* [HTTP/2] [1] [authorization: {BASIC}]\n> GET / HTTP/2\n> authorization: {BASIC}\n"
WIRESHARK = (
    "Hypertext Transfer Protocol\n    GET / HTTP/1.1\\r\\n\n    Host: x\\r\\n\n"
    f"    Authorization: {BASIC}\\r\\n\n        Credentials: user1:pass1\n    \\r\\n"
)
DEBUG = (
    r"send: b'GET / HTTP/1.1\r\nHost: x\r\nAuthorization: "
    + BASIC
    + r"\r\nAccept: */*\r\n\r\n'"
    + "\nreply: 'HTTP/1.1 401 UNAUTHORIZED\\r\\n'\n"
    + 'header: WWW-Authenticate: Basic realm="Lesson 02"\n'
)
HTTPIE = f"""\
GET / HTTP/1.1
Accept: */*
Authorization: {BASIC}

HTTP/1.1 403 FORBIDDEN
Content-Type: application/json

{{
    "error": "insufficient_scope"
}}
"""
FETCH = f"""\
fetch("https://example.org/api", {{
  "headers": {{
    "accept": "application/json",
    "authorization": "{BASIC}",
    "sec-ch-ua": "x"
  }},
  "body": null
}});"""
HAR = json.dumps(
    {
        "log": {
            "entries": [
                {
                    "request": {
                        "method": "GET",
                        "url": "http://127.0.0.1:5002/?x=1",
                        "headers": [
                            {"name": "Host", "value": "127.0.0.1:5002"},
                            {"name": "Authorization", "value": BASIC},
                        ],
                        "cookies": [],
                    },
                    "response": {"status": 200, "headers": []},
                }
            ]
        }
    }
)
POSTMAN = json.dumps(
    {"item": [{"request": {"header": [{"key": "Authorization", "value": BASIC}]}}]}
)

FORMS = {
    "curl -v": CURL,
    "curl -v with HTTP/2": HTTP2,
    "Wireshark": WIRESHARK,
    "http.client's debugging": DEBUG,
    "HTTPie": HTTPIE,
    "DevTools, copy as fetch": FETCH,
    "HAR": HAR,
    "Postman's collection": POSTMAN,
    "Postman's table": f"Authorization →{BASIC}",
    "a tab": f"Authorization\t{BASIC}",
    "blanks": f"Authorization    {BASIC}",
    "a browser's two lines": f"authorization:\n{BASIC}\naccept:\n*/*",
    "a browser's two lines without colon": f"accept\n*/*\nauthorization\n{BASIC}",
    "a fold": f"Authorization: Basic\n {BASIC[6:]}",
    "a no-break space": f"Authorization:\u00a0{BASIC}",
    "ticks": f"`Authorization: {BASIC}`",
    "smart quotes": f"“Authorization: {BASIC}”",
    "a Python dict": f"{{'Authorization': '{BASIC}'}}",
    "print(r.headers)": f"{{'Server': 'x', 'authorization': '{BASIC}', 'Date': 'Wed'}}",
    "a list of pairs": f"[('Host', 'x'), ('Authorization', '{BASIC}')]",
    "a pair": f"('Authorization', '{BASIC}')",
    "bytes": f"[(b'host', b'x'), (b'authorization', b'{BASIC}')]",
    "httpx": f"Headers([('host', 'x'), ('authorization', '{BASIC}')])",
    "werkzeug": f"EnvironHeaders([('Host', 'x'), ('Authorization', '{BASIC}')])",
    "WSGI": f"HTTP_AUTHORIZATION={BASIC}",
    "WSGI, a dict": f"{{'HTTP_HOST': 'x', 'HTTP_AUTHORIZATION': '{BASIC}'}}",
    "WSGI, no literal": f"{{'wsgi.input': <_io.Reader>, 'HTTP_AUTHORIZATION': '{BASIC}'}}",
    "a line of JSON": f'"Authorization": "{BASIC}",',
    "name and value": json.dumps({"name": "Authorization", "value": BASIC}),
    "JSON": json.dumps({"headers": {"Authorization": BASIC}}),
    "JavaScript": f"headers: {{ Authorization: '{BASIC}' }}",
    "JavaScript's quotes": f"Authorization: '{BASIC}',",
    "double quotes": f'Authorization: "{BASIC}"',
    "PHP": f"'Authorization' => '{BASIC}',",
    "requests": f'requests.get(url, headers={{"Authorization": "{BASIC}"}})',
    "XMLHttpRequest": f"xhr.setRequestHeader('Authorization', '{BASIC}');",
    "curl's option": f"-H 'Authorization: {BASIC}'",
    "curl's long option": f"--header 'Authorization: {BASIC}' \\",
    "curl": f"curl -sSi -X GET -H 'Accept: */*' -H 'Authorization: {BASIC}' 'http://127.0.0.1/'",
    "curl in lines": f"curl 'http://x/' \\\n  -H 'a: b' \\\n  -H 'authorization: {BASIC}' \\\n  -s",
    "curl on Windows": f'curl.exe "http://x/" ^\n  -H "authorization: {BASIC}"',
    "curl with its answer": f"$ curl -i -H 'authorization: {BASIC}' http://x/\nHTTP/1.1 200 OK\n",
    "curl -u": "curl -u user1:pass1 http://127.0.0.1:5002/",
    "HTTPie's command": f"http GET http://127.0.0.1:5002/ 'Authorization:{BASIC}'",
    "HTTPie -a": "http -a user1:pass1 http://127.0.0.1:5002/",
    "wget": f"wget --header='Authorization: {BASIC}' http://x/",
    "a log": f"2026-11-25 12:00:00,123 DEBUG app: Authorization: {BASIC}",
    "a log in JSON": f'[2026] INFO headers={{"authorization":"{BASIC}","x":"y"}}',
    "a log's key": f"authorization={BASIC}",
    "YAML": f"  Authorization: {BASIC}\n  other: 1",
    "the value alone": BASIC,
    "base64 alone": BASIC[6:],
    "colours": f"\x1b[1mAuthorization\x1b[0m: {BASIC}",
    "Windows' line ends": f"Host: x\r\nAuthorization: {BASIC}\r\n",
    "a mark of the byte order": f"\ufeffAuthorization: {BASIC}",
    "a quotation of mail": f"> > Authorization: {BASIC}",
    "a bullet": f"- Authorization: {BASIC}",
}


@pytest.mark.parametrize("paste", FORMS.values(), ids=FORMS)
def test_forms_of_paste(paste):
    """Whatever shows a header, the header is found in it."""
    assert DECODED in said(paste)[1]


def test_what_is_passed_over_is_counted():
    """Headers that have nothing to do with authentication are passed over, with their number."""
    reading = read(CURL)
    assert [one.found.name for one in reading.fields] == [
        "Authorization",
        "WWW-Authenticate",
        "Set-Cookie",
    ]
    assert reading.passed == 5
    assert read(HAR).passed == 1
    assert len(read(HTTP2).fields) == 1  # the same header twice is explained once


def test_several_fields():
    """Two challenges in two fields, as they arrive; a scheme each."""
    lines = 'WWW-Authenticate: Digest realm="s", nonce="4f3b"\nWWW-Authenticate: Basic realm="s"'
    first, below = said(lines)
    assert not first and "a hash over the password" in below and "a user name and a" in below
    below = said("< WWW-Authenticate: Negotiate\n< WWW-Authenticate: NTLM\n< X-Powered-By: x")[1]
    assert "SPNEGO" in below and "Microsoft's NTLM" in below


def test_a_line_break_in_a_value():
    """Lines that are no field of their own belong to the one before."""
    lines = 'www-authenticate: Bearer realm="https://auth.example\n/token",service="x"'
    check_said(lines, "", 'realm="https://auth.example/token"', "A line break in it was taken out")
    whole = token({"sub": "user1", "exp": 2_000_000_000})
    for at in (30, 50, 60):
        broken = f"Authorization: Bearer {whole[:at]}\n{whole[at:]}\nHost: x"
        check_said(broken, "", '`"user1"`: subject', now=0)
        check_said(f"{whole[:at]}\n{whole[at:]}", "", '`"user1"`: subject', now=0)


def test_login_answer():
    """The line that lesson 04 prints: the token is read, the rest explained."""
    answer = {"access_token": TOKEN, "token_type": "Bearer", "expires_in": 180}
    below = said(json.dumps(answer))[1]
    assert '`"1"`: subject' in below and "seconds, so 3 min" in below and "`Bearer`" in below
    body = f"HTTP/1.1 200 OK\nCache-Control: no-store\n\n{json.dumps(answer)}"
    assert "seconds, so 3 min" in said(body)[1] and "no cache may keep" in said(body)[1]
    refused = {"error": "invalid_grant", "error_description": "Code not valid"}
    check_said(json.dumps(refused), "The answer is an error: `invalid_grant`", "Code not valid")
    assert "must be a number" in said(json.dumps(answer | {"expires_in": "soon"}))[1]


def test_claims_alone():
    """Decoded claims are read as claims, and keys as keys."""
    check_said(
        '{"sub": 1, "exp": 2000000000}', "`sub` is a number", "nobody can tell who wrote", now=0
    )
    check_said('{"keys": [{"kty": "RSA", "kid": "a", "n": "x"}]}', "", "a key for RSA")
    check_said('{"kty": "oct", "k": "c2VjcmV0"}', "A secret or private key", "a key for HMAC")


@pytest.mark.parametrize(
    ("paste", "first", "note"),
    [
        (f"https://app.example/#access_token={TOKEN}&x=1", "stands in an address", '`"1"`: subj'),
        (f'"GET /secured?token={TOKEN} HTTP/1.1" 401 -', "stands in an address", '`"1"`: subj'),
        ("http://user1:pass1@127.0.0.1:5002/", "A password stands in an address", "`user1`"),
        ("https://app.example/cb?code=abc123456&state=x", "", "`code`: the code that"),
        (f"grant_type=refresh_token&refresh_token={TOKEN}", "signature", "to the issuer only"),
    ],
)
def test_addresses_and_forms(paste, first, note):
    """Tokens and passwords in addresses are found, and said to be in the wrong place."""
    check_said(paste, first, note)


@pytest.mark.parametrize(
    "paste",
    [
        'requests.get(url, headers={"Authorization": f"Bearer {token}"})',
        "headers = {'Authorization': 'Bearer ' + token}",
        "axios.get('/x', { headers: { Authorization: `Bearer ${token}` } })",
        'curl -H "Authorization: Bearer $TOKEN" http://127.0.0.1:5004/',
        "curl -H Authorization:$TOKEN http://127.0.0.1:5004/",
    ],
)
def test_what_a_program_fills_in(paste):
    """A template in a program is no mistake: there is nothing to read yet."""
    check_said(paste, "", "fills it in")


def test_what_nobody_fills_in():
    """A shell fills nothing in within single quotes, and Python nothing without the f."""
    single = "curl -H 'Authorization: Bearer $TOKEN' http://127.0.0.1:5004/"
    assert "stands in single quotes" in said(single)[0]
    assert "nobody filled in" in said('{"Authorization": "Bearer {token}"}')[0]


@pytest.mark.parametrize(
    "paste",
    ["hello world", "Token", "Basic training is hard", "the key is lost", "Bearer of bad news",
     "x=1",
     "{}", "[]", '{"a": 1}', "import flask", "GET / HTTP/1.1\nHost: x", "a\n\nb", "....", "\x00",
     "theme=dark", "https://example.org/", "key value", "curl http://example.org/", "'", "(1, 2)",
     "Cookie: the browser sends it back with every request.", "1700000000", "user1"],
)  # fmt: skip
def test_what_has_nothing_to_do_with_it(paste):
    """Other text gets the sentence that says what to paste, or is known not to be credentials."""
    try:
        notes = explain_line(paste)
    except ValueError as refused:
        assert "Paste a header" in str(refused) and str(refused).isprintable()
    else:
        assert paste.split()[0] in ("Token", "Basic", "Bearer")
        assert notes


def test_an_invisible_character():
    """What came along in copying is named, and read without."""
    first, below = said("Authorization: Basic dXNl\u200bcjE6cGFzczE=")
    assert "U+200B" in first and DECODED in below
    assert said(f"Authorization: {BASIC}\u200b")[0] == ""
