"""Pastes beyond those of public reports: invented, answered wrongly once, and right since."""

import pytest
from explaining import check_said, packed, said, token

from learn.explain import explain_line

GOOD = token({"sub": "user1", "exp": 4_000_000_000})
SESSION = f"eyJ1c2VyIjoxfQ.awZgpQ.{'A' * 27}"
BASIC = "Basic dXNlcjE6cGFzczE="
USER, PASSWORD = '`"user1"`: subject', "user name `user1` and password `pass1`"

READ = {  # paste: a part of what is said, with nothing wrong
    f"my token is {GOOD}": USER,
    f"Here's my token: {GOOD}, can you help?": USER,
    f"| Authorization | Bearer {GOOD} |": USER,
    f"**Authorization:** Bearer {GOOD}": USER,
    f"* Authorization: Bearer {GOOD}": USER,
    f"Authorization header: Bearer {GOOD}": USER,
    f"Authorization,Bearer {GOOD}": USER,
    f"Authorization Bearer {GOOD}": USER,
    f"Authorization : Bearer {GOOD}": USER,
    f"map[Authorization:[Bearer {GOOD}] Accept:[*/*]]": USER,
    f"{{Authorization=[Bearer {GOOD}], Accept=[*/*]}}": USER,
    f'http.Header{{"Authorization":[]string{{"Bearer {GOOD}"}}}}': USER,
    f'{{:authorization "Bearer {GOOD}"}}': USER,
    f'$headers = @{{ Authorization = "Bearer {GOOD}" }}': USER,
    f'Invoke-WebRequest -Uri "http://x/" -Headers @{{"Authorization"="Bearer {GOOD}"}}': USER,
    f'wscat -c ws://x -H "Authorization: Bearer {GOOD}"': USER,
    f"curl --oauth2-bearer {GOOD} http://x": USER,
    f"X-Forwarded-Authorization: Bearer {GOOD}": "By its name a copy of `Authorization`",
    f"id_token={GOOD}&state=x": "The ID token",
    f"access_token={GOOD}": "the cookie `access_token` carries this",
    f'{{"headers": {{"Authorization": "Bearer {GOOD}", "Host": "x"}}}}': USER,
    f'{{"refresh": "{GOOD}", "access": "{GOOD}"}}': "The refresh token, probably",
    f'<header name="Authorization" value="{BASIC}"/>': PASSWORD,
    f'proxy_set_header Authorization "{BASIC}";': PASSWORD,
    f'RequestHeader set Authorization "{BASIC}"': PASSWORD,
    "add_header WWW-Authenticate 'Basic realm=\"x\"' always;": 'realm="x"',
    f"--header=Authorization: {BASIC}": PASSWORD,
    f"-H Authorization:\\ {BASIC[:5]}\\ {BASIC[6:]}": PASSWORD,
    f"MultiDict([('Authorization', '{BASIC}')])": PASSWORD,
    f"flask session cookie = {SESSION}": '{"user": 1}',
    f"session\t{SESSION}\t127.0.0.1\t/\tSession\t60": '{"user": 1}',
    f"127.0.0.1\tFALSE\t/\tFALSE\t0\tsession\t{SESSION}": '{"user": 1}',
    f"<RequestsCookieJar[<Cookie session={SESSION} for 127.0.0.1/>]>": '{"user": 1}',
    f"{{'session': '{SESSION}'}}": "Flask's session cookie",
    "Set-Cookie: a=b; Path=/, c=d; Path=/": "Several cookies in one field",
    'WWW-Authenticate: Bearer, Basic realm="x"': "2 challenges",
    "otpauth://totp/Lesson:user1?secret=JBSWY3DPEHPK3PXP&issuer=x": "makes the same codes",
    "Authorization: [secure]": "masked",
}
WRONG = {  # paste: what is said first
    f"Authorization: Bearer {GOOD} extra": "Something follows the token",
    f"Authorization: Bearer {GOOD}?x=1": "Something follows the token",
    f"Authorization: Bearer {GOOD} Accept: */*": "Something follows the token",
    f"Authorization: Bearer {GOOD.replace('.', '%2E')}": "percent-encoded",
    f"Authorization: Bearer access_token={GOOD}": "`access_token` stands in front of the token",
    f"Authorization: Bearer {packed({'alg': 'HS256'})}": "the first part of a JWT",
    f"WWW-Authenticate: {GOOD}": "looks like a token",
    f"WWW-Authenticate: Bearer {GOOD}": "looks like credentials",
    f"Authorization: {BASIC}, Bearer abc": "`,` is not in its alphabet",
    "Authorization: None": "no token either",
    "Authorization: Digest dXNlcjE6cGFzczE=": "wants parameters",
    'WWW-Authenticate: Basic realm="a" Digest realm="b", nonce="c"': "comma is missing between two",
    'WWW-Authenticate: Digest realm="a", nonce="n", algorithm=SHA1, qop="auth"': "no algorithm",
    f"Cookie: session={SESSION[:-24]}": "as no HMAC has",
    "Cookie: a=b, c=d": "A semicolon parts cookies",
    "Cookie: session=a; session=b": "`session` stands twice",
    '{"error": "Unauthorized"}': "The answer is an error",
}
NOTHING = [
    "werkzeug.exceptions.Unauthorized: 401 Unauthorized: The server could not verify that.",
    "jwt.exceptions.InvalidSubjectError: Subject must be a string",
    "request.headers.get('Authorization') -> None",
    "Access-Control-Allow-Headers: Authorization, Content-Type",
    "Vary: Cookie, Authorization",
    "Basic auth",
    "Digest access authentication",
    "OAuth 2.0",
    "Token based authentication",
    "session['user_id'] = 1",
    "author: user1",
    "X-Auth-Request-User: user1",
    'SetEnvIf X "(.*)" HTTP_AUTHORIZATION=$1',
    "curl -u user1 http://127.0.0.1:5002/",
    "-----BEGIN PUBLIC KEY-----\nMFkwEwYH\n-----END PUBLIC KEY-----",
]


@pytest.mark.parametrize("paste", READ, ids=lambda paste: paste[:40])
def test_it_is_read(paste):
    """What is right is read, and nothing is said to be wrong with it."""
    first, below = said(paste)
    assert READ[paste] in below and "Wrong" not in first.replace("access_token` stands in an", "")


@pytest.mark.parametrize("paste", WRONG, ids=lambda paste: paste[:40])
def test_what_is_wrong_is_said(paste):
    """What will not do is said first."""
    first, _ = said(paste)
    assert WRONG[paste] in first, first


@pytest.mark.parametrize("paste", NOTHING)
def test_it_is_no_header(paste):
    """Text about authentication is no header."""
    with pytest.raises(ValueError, match="Paste a header"):
        explain_line(paste)


def test_other_makers_tokens():
    """A token that is like itsdangerous's, with a number and a time of long ago, is somebody's."""
    bot = "Authorization: Bot MTk4NjIyNDgzNDcxOTI1MjQ4.Cl2FMQ.ZnCjm1XVW7vRze4b7Cq4se7kKWs"
    check_said(bot, "", "opaque")
    assert "itsdangerous" not in said(bot)[1]
    assert "no header" in str(pytest.raises(ValueError, explain_line, NOTHING[-1]).value)
