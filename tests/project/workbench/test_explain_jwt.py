"""`explain` reads Bearer tokens (RFC 6750) and JWTs (RFC 7519), whole, cut and mistreated."""

import base64
import json
import time

import jwt
import pytest
from explaining import (
    ENCRYPTED_START,
    JOE,
    KEY,
    UNSECURED,
    check_said,
    everything,
    packed,
    part,
    said,
    token,
)

from learn.explain import Context, explain, explain_line


def test_jwt_example():
    """RFC 7519 3.1: issuer joe, expired 2011-03-22 18:43:00 UTC, signed as in RFC 7515 A.1."""
    notes = explain("Authorization", f"Bearer {JOE}", Context(keys=[KEY], now=1300819392))
    assert "`joe`" in part(notes, "iss").text
    assert "expired 2011-03-22 18:43:00 UTC, 12 s ago" in part(notes, "exp").text
    assert "`true`" in part(notes, "http://example.com/is_root").text
    assert "`HS256`" in part(notes, "alg").text and "`JWT`" in part(notes, "typ").text
    assert "matches a known key" in part(notes, "dBjf").text
    assert "signed, not encrypted" in everything(notes) and notes[0].secret


def test_jwt_time_left():
    """The time left is exact: 179 s before exp it is 2 min 59 s, and at exp it has expired."""

    def text(now):
        return part(explain_line(JOE, Context(now=now)), "exp").text

    assert "expires 2011-03-22 18:43:00 UTC, in 2 min 59 s" in text(1300819380 - 179)
    assert "expired" in text(1300819380) and "expires" not in text(1300819380)


@pytest.mark.parametrize("change", [(".dBjf", ".eBjf"), ("eyJpc3MiOiJq", "eyJpc3MiOiJr")])
def test_jwt_one_letter_changed(change):
    """A letter changed in the signature or the payload: it does not match."""
    notes = explain("Authorization", f"Bearer {JOE.replace(*change)}", Context(keys=[KEY]))
    assert "does not match" in notes[-1].text


def test_jwt_keys():
    """No key: nothing is claimed; a short key that fits is found, called short and not printed."""
    assert "not known here" in part(explain_line(JOE), "dBjf").text
    assert "does not match" in part(explain_line(JOE, Context(keys=["other" * 8])), "dBjf").text
    with pytest.warns(jwt.InsecureKeyLengthWarning):
        token = jwt.encode({"sub": "user1"}, "eduCBA")
    text = everything(explain_line(token, Context(keys=["x", "eduCBA"])))
    assert "matches a known key, which is shorter than the 32 bytes" in text
    assert "eduCBA" not in text


def test_unsecured_jwt():
    """RFC 7519 6.1 has no signature, and the notes say so aloud and never call it signed."""
    notes = explain("Authorization", f"Bearer {UNSECURED}", Context(keys=[KEY]))
    assert "NO SIGNATURE AT ALL" in part(notes, "alg").text
    assert "`joe`" in part(notes, "iss").text
    assert "It is signed" not in everything(notes) and "matches" not in everything(notes)


def test_encrypted_jwt():
    """RFC 7519 A.1 has five parts: encrypted, with only RSA1_5 and A128CBC-HS256 to read."""
    token = f"{ENCRYPTED_START}.AxY8DCtDaGlsbGljb3RoZQ.MKOle7UQ.fiK5"  # shortened
    notes = explain("Authorization", f"Bearer {token}")
    assert "RFC 7516" in notes[1].text and "not encrypted" not in everything(notes)
    assert "`RSA1_5`" in part(notes, "alg").text and "`A128CBC-HS256`" in part(notes, "enc").text


def test_opaque_and_broken_tokens():
    """RFC 6750 2.1's token has two dots but is no JWT; a JWT cut short is called broken."""
    opaque = explain("Authorization", "Bearer mF_9.B5f-4.1JqM")
    assert "opaque" in opaque[1].text and opaque[1].secret
    assert "this has 2" in everything(explain("Authorization", "Bearer " + JOE.rpartition(".")[0]))
    bad_payload = JOE.replace("eyJpc3M", "fyJpc3M")
    assert "no JSON object" in everything(explain("Authorization", f"Bearer {bad_payload}"))
    assert "it is none" in everything(explain("Authorization", "Bearer eyJx.y.z"))
    assert "can't have" in everything(explain("Authorization", "Bearer a,b c"))


def test_jwt_claims_of_the_wrong_kind():
    """A time that is no number or out of reach, and a claim that occurs twice, are pointed out."""

    def token(payload):
        return f"eyJhbGciOiJIUzI1NiJ9.{base64.urlsafe_b64encode(payload).decode().rstrip('=')}.AAAA"

    for value in (b'"soon"', b"1e999", b"true", b"-1e15", b"[]", b"NaN"):
        text = part(explain_line(token(b'{"exp": ' + value + b"}")), "exp").text
        assert "must be a number" in text
    assert "twice" in part(explain_line(token(b'{"sub": "a", "sub": "b"}')), "sub").text
    assert "twice" not in everything(explain_line(token(b'{"a": {"x": 1}, "b": {"x": 1}}')))


def test_bearer_challenges():
    """The two challenges of RFC 6750 3: a realm alone, and an expired token."""
    notes = explain("WWW-Authenticate", 'Bearer realm="example"')
    assert [note.part for note in notes] == ["", 'realm="example"']
    notes = explain(
        "WWW-Authenticate",
        'Bearer realm="example", error="invalid_token", '
        'error_description="The access token expired"',
    )
    assert "expired, revoked" in part(notes, "error=").text and "401" in part(notes, "error=").text
    assert part(notes, "error_d").part == 'error_description="The access token expired"'
    notes = explain(
        "WWW-Authenticate", 'Bearer error="insufficient_scope", scope="a"', Context(status=403)
    )
    assert "403" in part(notes, "error=").text
    notes = explain("WWW-Authenticate", 'Bearer error="teapot"')
    assert "does not define" in part(notes, "error=").text


TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.AAAA"
NOW = 1_795_000_000


@pytest.mark.parametrize(
    ("paste", "first"),
    [
        (f"Authorization: {TOKEN}", "The scheme is missing"),
        (f"Authorization: Bearer b'{TOKEN}'", "Python's `b'…'`"),
        (f'Authorization: Bearer "{TOKEN}"', "A quotation mark stands at the token"),
        ("Authorization: Bearer, abc", "`,` follows the word `Bearer`"),
        (f"Authorization: Bearer: {TOKEN}", "`:` follows the word `Bearer`"),
        (f"Authorization: Bearer Bearer {TOKEN}", "`Bearer` stands once more"),
        (f"Authorization: Bearer{TOKEN}", "A blank is missing between `Bearer`"),
        (f"Authorization: Bearer%20{TOKEN}", "`%20` follows"),
        (f"Authorization: Baerer {TOKEN}", "`Baerer` is misspelt, probably"),
        (f"Authorization: Bearer <{TOKEN}>", "brackets `<>` stand around"),
        (f"Authorization: Bearer {TOKEN},", "`,` stands after the token"),
        (f"Authorization: Bearer {TOKEN}\\n", "A line break"),
        (f"Authorization: Bearer {TOKEN[:25]} {TOKEN[25:]}", "A blank or a line break"),
        (f"Authorization: Authorization: Bearer {TOKEN}", "`Authorization:` stands twice"),
        (f"Authorization: 'Bearer {TOKEN}", "Quotation marks"),
        (f"Authorization: Bearer\u00a0{TOKEN}", "U+00A0"),
        ("Authorization: Bearer", "the token is missing"),
        ("Authorization: dXNlcjE6cGFzczE=", "with `Basic` left out"),
        ("Authorization: user1:pass1", "as they are, probably"),
        ("Authorization: 9944b09199c62bcf9418", "The scheme is missing, probably"),
    ],
)
def test_what_stands_wrongly_around_a_token(paste, first):
    """What went along is named first, and the token is read all the same."""
    top, below = said(paste)
    assert first in top, top
    if TOKEN[-15:] in paste.replace(" ", ""):
        assert '`"1"`: subject' in below
    reading = explain_line(paste)
    assert any(note.secret for note in reading) or "missing" in first
    assert "not known here" not in "".join(note.text for note in reading if "scheme" in note.text)


@pytest.mark.parametrize(
    "word",
    ["undefined", "null", "None", "[object Object]", "$TOKEN", "${TOKEN}", "{{token}}", "<token>",
     "{token}", "YOUR_ACCESS_TOKEN", "your-token-here", "%s", "${{ secrets.TOKEN }}",
     "access_token"],
)  # fmt: skip
def test_a_word_that_is_no_token(word):
    """The script sent the word for nothing, or a template that nobody filled in."""
    first, below = said(f"Authorization: Bearer {word}")
    assert "probably" in first and f"`{word}`" in first
    assert "opaque" not in below
    assert first == said(f"Bearer {word}")[0]


@pytest.mark.parametrize("word", ["***", "[REDACTED]", "<redacted>", "xxxxx", "[secure]"])
def test_a_token_that_was_masked(word):
    """Nothing can be said of it, and nothing is wrong with it."""
    check_said(f"Authorization: Bearer {word}", "", "masked")


@pytest.mark.parametrize(
    ("text", "notes", "never"),
    [
        ("eyJ…​.eyJ…", ["cut off"], ["broken"]),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0...", ['`"1"`: subject', "cut off"], ["JWE"]),
        ("Authorization: Bearer eyJhbGciOiJFUzI1NiIs...", ['`"ES256"`', "cut off"], ["none"]),
        ("Authorization: Bearer eyJ0.....yQ", ["cut off"], ["none", "broken"]),
        (
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIiwiZXhwIjoxNzAwMDAwMDAwLCJpc3…",
            ['`"1"`: su'],
            ["isc"],
        ),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.AA…", ["a part is missing"], ["match"]),
        ("eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..8eNPb...", ["JWE", "cut off"], ["signed"]),
    ],
)
def test_a_token_that_was_cut(text, notes, never):
    """It is read as far as it goes, said to be cut, and nothing is claimed of the rest."""
    first, below = said(text)
    assert all(one in below for one in notes), below
    assert not any(one in below + first for one in never), (first, below)
    assert "three parts" not in first


def test_encrypted_by_its_enc():
    """JWE is known by `enc`, not by its five parts; `dir` has no key of its own."""
    whole = "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..8eNPb3VuYjEy.gv9dabcd.pBt4pBt4pBt4pBt4pBt4pA"
    check_said(
        whole, "", "in five parts", '`"A256GCM"`: how the content', "share the content's key"
    )
    first, below = said(whole.rpartition(".")[0])
    assert "A JWE has five parts, this has 4" in first and "signed" not in below


def test_two_parts():
    """Without marks of a cut, a part is missing."""
    check_said(TOKEN.rpartition(".")[0], "this has 2. The signature is missing", "this has 2")


def test_padding():
    """AWS pads each part: read, and said to be forbidden. PyJWT takes it, as the note says."""
    claims = {"sub": "user1", "exp": NOW + 60}
    right = jwt.encode(claims, "k" * 32)
    assert jwt.decode(right + "=", "k" * 32, ["HS256"], options={"verify_exp": False}) == claims
    first, below = said(right + "=", keys=["k" * 32], now=NOW)
    assert "such as PyJWT, take it" in first and "matches a known key" in below
    padded = ".".join(
        base64.urlsafe_b64encode(part).decode()
        for part in (b'{"alg":"ES256","kid":"12"}', b'{"sub":"user1","exp":1}', b"x" * 64)
    )
    for paste in (padded, f"Bearer {padded}", f"x-amzn-oidc-data: {padded}"):
        first, below = said(paste)
        assert "RFC 7515 2 leaves out" in first and "user1" in below


@pytest.mark.parametrize("paste", [
    f"JWT {TOKEN}", f"Authorization: JWT {TOKEN}", f"Authorization: DPoP {TOKEN}",
    f"Bearer {TOKEN}",
    f"Authorization: Token {TOKEN}", f'Authorization: Token token="{TOKEN}"', f"DPoP: {TOKEN}",
    f"x-access-token: {TOKEN}", f"Cookie: access_token={TOKEN}", f"token: {TOKEN}", TOKEN,
    f'Cookie: access_token="Bearer {TOKEN}"', f"X-Auth-Token: Bearer {TOKEN}",
    f"Set-Cookie: access_token_cookie={TOKEN}; HttpOnly; Path=/", f"bearer {TOKEN}",
    f"Sec-WebSocket-Protocol: bearer, {TOKEN}", f"Authorization: OAuth {TOKEN}",
])  # fmt: skip
def test_whatever_carries_it(paste):
    """The JWT inside is read, and marked as a secret."""
    notes = explain_line(paste)
    assert any('`"1"`: subject' in note.text for note in notes)
    assert any(note.secret and "eyJhbG" in note.part for note in notes)


CLAIMS = [
    ({"sub": 1}, "`sub` is a number, and must be a string (RFC 7519 4.1.2)", "`1`: subject"),
    ({"sub": {"id": 1}}, "`sub` is an object", '`{"id": 1}`: subject'),
    ({"sub": None}, "`sub` is `null`", "`null`: subject"),
    ({"jti": 5}, '"JWT ID must be a string"', "`5`: the token's own name"),
    ({"iss": ["a"]}, "`iss` is a list", '`["a"]`: issuer'),
    ({"aud": ["a", 1]}, "`aud` must be a string or a list of strings", '`["a", 1]`'),
    ({"exp": "1700000900"}, "`exp` is a string", '`"1700000900"`: must be a number'),
    ({"exp": 1700000900000}, "counts milliseconds, probably", "2023-11-14 22:28:20 UTC"),
    ({"exp": NOW - 180}, "Expired 3 min ago", "expired 2026"),
    ({"exp": NOW - 20}, "two clocks differ", "20 s ago"),
    ({"iat": NOW + 3}, "The token is not yet valid (iat)", "a time to come is odd"),
    ({"nbf": NOW + 3}, "Not valid before", "not valid before"),
    ({"exp": NOW + 5, "iat": NOW + 9}, "It expires before it was issued", "in 5 s"),
]


@pytest.mark.parametrize(("claims", "first", "note"), CLAIMS)
def test_claims_that_will_not_do(claims, first, note):
    """Each is said first, with the value as JSON: `1` and `"1"` differ."""
    paste = token({"exp": NOW + 60} | claims)
    top, below = said(paste, now=NOW)
    assert first in top and note in below, (top, below)
    assert "Wrong" in top


@pytest.mark.parametrize("claims", [row[0] for row in CLAIMS if not {"exp", "iss"} & set(row[0])])
def test_pyjwt_refuses_what_is_said_to_be_refused(claims):
    """PyJWT agrees on all that is said to be refused, but for what it looks at on request only."""
    now = int(time.time())
    shifted = {k: v - NOW + now + 60 if k in ("iat", "nbf") else v for k, v in claims.items()}
    made = jwt.api_jws.PyJWS().encode(json.dumps(shifted).encode(), "k" * 32, "HS256")
    with pytest.raises(jwt.InvalidTokenError):
        jwt.decode(made, "k" * 32, ["HS256"], audience="a")


def test_no_exp():
    """A token without exp never expires, whatever other claims are called."""
    first, _ = said(token({"user": "admin", "expiration": "2023-06-05 12:00"}))
    assert first == "Note: No `exp`: by itself, the token never expires."


def test_claims_in_full():
    """The wanted client's roles are shown, however many stand before; long texts are shortened."""
    roles = {f"client-{n}": {"roles": ["manage-account", "view-profile"]} for n in range(3)}
    below = said(token({"exp": NOW, "resource_access": roles}), now=NOW - 9)[1]
    assert '"client-2": {"roles": ["manage-account", "view-profile"]}' in below
    below = said(token({"exp": NOW, "a": "x" * 500, "b": [["y" * 500]]}), now=NOW - 9)[1]
    assert below.count("(500 characters)") == 2
    short = explain(
        "Authorization", f"Bearer {token({'exp': NOW, 'wide': roles})}", Context(now=NOW)
    )
    assert len(part(short, "wide").text) < 260  # a notebook has it short


def test_claims_of_openid_and_microsoft():
    """No claim of OpenID Connect, RFC 9068 or the large issuers is called undefined."""
    claims = dict.fromkeys(
        ["scp", "roles", "azp", "nonce", "acr", "amr", "email", "sid", "groups", "entitlements",
         "name", "tid", "oid", "token_use", "cognito:groups", "realm_access", "client_id",
         "at_hash"],
        "x",
    )  # fmt: skip
    claims |= {"exp": NOW, "auth_time": NOW - 50, "cnf": {"jkt": "x"}}
    below = said(token(claims), now=NOW - 1)[1]
    assert "does not define" not in below and "when the user logged in: 2026" in below
    header = {
        "alg": "RS256",
        "x5t": "a",
        "x5t#S256": "a",
        "x5c": ["a"],
        "cty": "JWT",
        "crit": ["x"],
    }
    below = said(token(claims, header, "A" * 342), now=NOW - 1)[1]
    assert "not a member that is known" not in below and "RFC 7515 4.1.7" in below


def test_signature_of_the_wrong_length():
    """HS256 has 32 bytes: another length can't be right. A lost letter of RS256 is noticed."""
    check_said(TOKEN, "The signature has 3 bytes where HS256 has 32", "3 bytes where HS256")
    header = {"alg": "RS256"}
    check_said(token({"exp": NOW}, header, "A" * 341), "no base64url", "no base64url", now=0)


def test_dpop_proof():
    """A proof is read as one (RFC 9449 4.2); what it lacks is said first."""
    first, below = said(f"DPoP: {TOKEN}")
    assert "`typ` must be `dpop+jwt`" in first and "proves the key" in below
    assert "must be in its header (RFC 9449 4.2)" in first and "`exp`" not in first
    header = {"alg": "ES256", "typ": "dpop+jwt", "jwk": {"kty": "EC"}}
    claims = {"jti": "x", "htm": "GET", "htu": "http://127.0.0.1/", "iat": NOW}
    check_said(f"DPoP: {token(claims, header, 'A' * 86)}", "", "the one request", now=NOW)
    below = said(f"DPoP: {token(claims, header, 'A' * 86)}", now=NOW)[1]
    assert "the token's `cnf.jkt` must be its thumbprint" in below and "choose the key" not in below
    other = token({"exp": NOW}, {**header, "typ": "JWT"}, "A" * 86)
    assert "lets the sender choose the key" in said(other)[1]  # where no standard has it
    claims.pop("htu")
    assert "needs it (RFC 9449 4.2): `htu`" in said(f"DPoP: {token(claims, header, 'A' * 86)}")[0]
    assert packed({"a": 1}) == "eyJhIjogMX0"


@pytest.mark.parametrize(
    ("params", "first", "notes"),
    [
        (
            'authorization="https://login.example/0", resource="https://hsm.example" '
            'scope="https://vault.example/.default"',
            "After `resource` only a blank stands where a comma belongs",
            ["what a client asks a token for", "scope="],
        ),
        (
            "authorization_uri=https://login.example/t resource_id=https://storage.example",
            "After `authorization_uri` only a blank",
            ["where a client gets a token", "resource_id="],
        ),
        (
            "authorization_uri=https://login.example/t, resource_id=x",
            "`authorization_uri` needs quotation marks, since it has `:`",
            [],
        ),
        (
            'realm="https://auth.docker.io/token",service="registry.docker.io",'
            'scope="repository:library/nginx:pull",error="insufficient_scope"',
            "refused the request (`insufficient_scope`)",
            ["where the client gets a token", "the service that the client names"],
        ),
        (
            'error="invalid_token", error_description="The audience '
            "'00000003-0000-0000-c000-000000000000' is invalid, and so is the rest of it\"",
            "refused the request: `The audience '00000003-0000-0000-c000-000000000000' is invalid, "
            "and so is the rest of it`",
            ["and so is the rest of it` (RFC 6750 3)"],
        ),
        ('resource_metadata="https://x.example", scope="files:read"', "", ["RFC 9728"]),
        ('error="insufficient_user_authentication", max_age=5', "refused", ["RFC 9470"]),
        ('realm="x", colour="red"', "", ["none of the parameters that RFC 6750"]),
    ],
)
def test_bearer_challenges_as_reported(params, first, notes):
    """Registries, Microsoft's services, commas that are missing, reasons in full."""
    check_said(f"WWW-Authenticate: Bearer {params}", first, *notes)
    assert "clients ignore" not in said(f"WWW-Authenticate: Bearer {params}")[1]


def test_github_tokens():
    """The beginning of an opaque token names its maker, probably."""
    for paste in ("token ghp_" + "a1" * 18, "Authorization: Bearer ghp_" + "a1" * 18):
        check_said(paste, "", "probably a personal access token of GitHub")
