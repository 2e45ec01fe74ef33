"""OpenID Connect's addresses and documents: each parameter is named, and what is risky is told."""

import json
import random
from urllib.parse import urlencode

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from learn.explain import explain_line
from learn.explain.note import all_wrong

GOOD = {
    "response_type": "code",
    "client_id": "lesson08",
    "redirect_uri": "http://localhost:5008/callback",
    "scope": "openid profile email",
    "state": "af0ifjsldkj",
    "nonce": "n-0S6_WzA2Mj",
    "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",  # RFC 7636, appendix B
    "code_challenge_method": "S256",
}
CALLBACK = {"code": "SplxlOBeZQQYbYS6WxSbIA", "state": "af0ifjsldkj"}
DISCOVERY = {
    "issuer": "http://localhost:5018",
    "authorization_endpoint": "http://localhost:5018/authorize",
    "token_endpoint": "http://localhost:5018/token",
    "jwks_uri": "http://localhost:5018/jwks",
    "code_challenge_methods_supported": ["S256"],
    "id_token_signing_alg_values_supported": ["RS256"],
}


def request(**changes):
    members = {name: value for name, value in {**GOOD, **changes}.items() if value is not None}
    return f"http://localhost:5018/authorize?{urlencode(members)}"


def callback(**members):
    return f"http://localhost:5008/callback?{urlencode(members)}"


def read(text):
    notes = explain_line(text)
    return " ".join(f"{note.part} {note.text}" for note in notes), all_wrong(notes)


def test_a_good_request_is_explained_in_its_order():
    """Each parameter of a good request is named where it stands, and nothing is wrong."""
    said, wrong = read(request())
    at = [said.index(f"`{name}`:") for name in GOOD]
    assert at == sorted(at) and not wrong


@pytest.mark.parametrize(
    "changes, told, is_refused",
    [
        ({"state": None}, "`state` is missing", False),
        ({"code_challenge": None}, "`code_challenge` is missing", False),
        ({"code_challenge": "short"}, "5 characters; with S256 it has 43", True),
        ({"code_challenge_method": "plain"}, "the secret itself", False),
        ({"response_type": "id_token", "nonce": None}, "`nonce` is missing", True),
        ({"response_type": "code token"}, "ask for `code` instead", False),
        ({"redirect_uri": "http://example.com/callback"}, "is plain http", False),
    ],
)
def test_what_is_risky_in_a_request_is_told(changes, told, is_refused):
    """Each request has one flaw, which is told first."""
    wrong = read(request(**changes))[1]
    assert [told in one.text and one.refused == is_refused for one in wrong] == [True]


def test_a_request_found_in_a_redirect():
    """The address is found in a response's Location, and in a line of a log."""
    for text in (
        f"HTTP/1.1 302 FOUND\nLocation: {request()}\n",
        f'127.0.0.1 - - "GET {request().removeprefix("http://localhost:5018")} HTTP/1.1" 302',
    ):
        assert "`code_challenge`:" in read(text)[0]


def test_a_callback_is_explained():
    """Code, state and issuer; the code is a secret. Without a state it is wrong."""
    notes = explain_line(callback(**CALLBACK, iss="http://localhost:5018"))
    assert [note.secret for note in notes] == [False, True, False, False]
    assert not all_wrong(notes)
    assert "`state` is missing" in read(callback(code="x", iss="http://localhost:5018"))[1][0].text


def test_an_error_in_a_callback():
    """The user's no is told as that."""
    said, wrong = read(callback(error="access_denied", state="x"))
    assert "said no" in said and "access_denied" in wrong[0].text and wrong[0].refused


def test_discovery_is_explained():
    """A provider's document: what each address is for; plain http and `none` are told."""
    said, wrong = read(json.dumps(DISCOVERY))
    assert "letter by letter" in said and not wrong
    bad = {**DISCOVERY, "issuer": "http://example.com?x", "jwks_uri": "http://example.com/jwks"}
    bad |= {"id_token_signing_alg_values_supported": ["RS256", "none"]}
    told = " ".join(one.text for one in read(json.dumps(bad))[1])
    for part in ("`issuer` is plain", "`jwks_uri` is plain", "query or a fragment", "`none`"):
        assert part in told


def test_a_dpop_proof_is_explained():
    """The proof's own claims and the key in its header."""
    key = ECKey.generate_key("P-256")
    head = {"typ": "dpop+jwt", "alg": "ES256", "jwk": key.as_dict(private=False)}
    proof = jwt.encode(head, {"jti": "a", "htm": "GET", "htu": "http://localhost/"}, key)
    said, _ = read(f"DPoP: {proof}")
    assert "RFC 9449" in said and "the one request that the proof is for" in said


def test_damage_brings_nothing_down():
    """Addresses and documents with bytes changed: notes or a sentence, never another error."""
    chance = random.Random(8)
    good = [request(), callback(**CALLBACK), json.dumps(DISCOVERY)]
    for _ in range(1500):
        text = chance.choice(good)
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(len(text))
            text = text[:at] + chance.choice(["", "%", "[", "]", "&", "=", "#", "\n"]) + text[at:]
        try:
            read(text)
        except ValueError as error:
            assert "Paste" in str(error)
    for name in DISCOVERY:
        for value in (None, 1, [], {}, [None], "", "http://["):
            try:
                read(json.dumps({**DISCOVERY, name: value}))
            except ValueError:
                pass
