"""`explain --key` and `--words`: keys in every form, and a list of words that may have the key."""

import base64
import json
import time
from datetime import UTC, datetime, timedelta

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID
from explaining import said
from flask import Flask
from flask.sessions import SecureCookieSessionInterface

from learn.commands.explaining import answer
from learn.explain import PublicKey
from learn.explain.guess import search, sentence, targets
from learn.explain.keys import read_key
from learn.explain.note import Context

SECRET = "k" * 40
CLAIMS = {"sub": "user1", "exp": int(time.time()) + 600}
PRIVATE = {
    "RS256": rsa.generate_private_key(65537, 2048),
    "ES256": ec.generate_private_key(ec.SECP256R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate(),
}
PRIVATE["PS256"] = PRIVATE["RS256"]


def pem(key) -> bytes:
    """Return the public half as PEM."""
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, form)


def jwk(alg, **more) -> dict:
    """Return the public half as a JWK."""
    algorithm = jwt.get_algorithm_by_name(alg)
    return json.loads(algorithm.to_jwk(PRIVATE[alg].public_key())) | more


def file_of(tmp_path, content, name="key.pem") -> str:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(path)


@pytest.mark.parametrize("alg", PRIVATE)
@pytest.mark.parametrize("form", ["pem", "jwk", "jwks", "private", "certificate", "text"])
def test_public_keys(alg, form, tmp_path):
    """RS256, PS256, ES256 and EdDSA verify with PEM, JWK, JWKS, a private key, a certificate."""
    key = PRIVATE[alg]
    content = {"pem": pem(key), "text": pem(key)}.get(form)
    if form == "jwk":
        content = json.dumps(jwk(alg))
    if form == "jwks":
        others = [jwk(other, kid=other) for other in ("ES256", "EdDSA") if other != alg]
        content = json.dumps({"keys": [*others, jwk(alg, kid="this")]})
    if form == "private":
        shape = serialization.PrivateFormat.PKCS8
        plain = serialization.NoEncryption()
        content = key.private_bytes(serialization.Encoding.PEM, shape, plain)
    if form == "certificate":
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "x")])
        now = datetime.now(UTC)
        made = x509.CertificateBuilder().subject_name(name).issuer_name(name)
        made = made.public_key(key.public_key()).serial_number(1).not_valid_before(now)
        made = made.not_valid_after(now + timedelta(days=1))
        digest = None if alg == "EdDSA" else hashes.SHA256()
        content = made.sign(key, digest).public_bytes(serialization.Encoding.PEM)
    given = content.decode() if form == "text" else file_of(tmp_path, content)
    keys = read_key(given)
    assert all(isinstance(one, PublicKey) for one in keys)
    token = jwt.encode(CLAIMS, key, alg, headers={"kid": "this"})
    first, below = said(token, keys=keys)
    assert "it matches a known key" in below and not first
    head, payload, _ = token.split(".")
    other = jwt.encode(CLAIMS | {"sub": "user2"}, key, alg).split(".")[1]
    assert other != payload
    first, below = said(f"{head}.{other}.{token.split('.')[2]}", keys=keys)
    assert "matches no key" in first and "does not match" in below


@pytest.mark.parametrize(
    "given",
    [
        SECRET,
        "base64:" + base64.b64encode(SECRET.encode()).decode(),
        "base64:" + base64.urlsafe_b64encode(SECRET.encode()).decode().rstrip("="),
        "hex:" + SECRET.encode().hex(),
        json.dumps({"kty": "oct", "k": base64.urlsafe_b64encode(SECRET.encode()).decode()}),
    ],
    ids=["text", "base64", "base64url", "hex", "JWK"],
)
def test_secret_keys(given):
    """A secret is a text, base64, hex or a JWK; it is not shown."""
    token = jwt.encode(CLAIMS, SECRET, "HS256")
    first, below = said(token, keys=read_key(given))
    assert "it matches a known key" in below and not first
    assert SECRET not in below and given not in below


def test_secret_key_in_a_file(tmp_path):
    """A key that stands in a file, with or without a line break at its end."""
    token = jwt.encode(CLAIMS, SECRET, "HS256")
    for content, prefix in ((SECRET, ""), (f"{SECRET}\n", "@"), (f"{SECRET}\r\n", "file:")):
        keys = read_key(prefix + file_of(tmp_path, content, "secret.txt"))
        assert "it matches a known key" in said(token, keys=keys)[1]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("base64:%%%", "no base64"),
        ("hex:xyz", "no hex"),
        ("@nowhere", "There is no file"),
        ("nowhere.pem", "There is no file"),
        ("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", "holds no key"),
        ('{"a": 1}', "holds no JWK"),
        ('{"a', "neither PEM nor"),
    ],
)
def test_keys_that_are_none(given, says):
    """A sentence says what is wrong, and never quotes the key."""
    with pytest.raises(ValueError, match=says):
        read_key(given)


def test_key_under_a_passphrase(tmp_path):
    """A private key under a passphrase is refused with the command that gives the public one."""
    form = serialization.PrivateFormat.PKCS8
    hidden = serialization.BestAvailableEncryption(b"x")
    content = PRIVATE["ES256"].private_bytes(serialization.Encoding.PEM, form, hidden)
    with pytest.raises(ValueError, match="openssl pkey"):
        read_key(file_of(tmp_path, content))


def test_keys_of_another_kind():
    """A key of the wrong kind is said to be one, not to give a wrong signature."""
    public = [PublicKey(PRIVATE["ES256"].public_key())]
    assert "takes a secret key" in said(jwt.encode(CLAIMS, SECRET, "HS256"), keys=public)[1]
    rs256 = jwt.encode(CLAIMS, PRIVATE["RS256"], "RS256")
    assert "none of the keys given is of the kind" in said(rs256, keys=public)[1]
    assert "give a PEM, JWK or JWKS file" in said(rs256, keys=[SECRET])[1]


def test_given_secrets_are_never_whole():
    """What the reader gave with --key and --password doesn't come back whole."""
    pasted = "Authorization: Basic dXNlcjE6c3VwZXJzZWNyZXQ=\nX-API-Key: supersecret\n"
    context = Context(keys=["supersecret"], passwords={"user1": "supersecret"})
    for one in answer(pasted, context).fields:
        assert not any("supersecret" in note.text + note.part for note in one.notes)
    assert "`supersecret`" in said(pasted)[1]


def session_of(key: str) -> str:
    app = Flask(__name__)
    app.secret_key = key
    return SecureCookieSessionInterface().get_signing_serializer(app).dumps({"user": "user1"})


def look(paste: str, path, seconds: float = 30):
    """Search a list for the key of what is in a paste."""
    wanted = targets(answer(paste, Context()), time.time())
    return search(path, wanted, seconds, lambda share, tried: None), wanted


@pytest.mark.filterwarnings("ignore::jwt.InsecureKeyLengthWarning")
@pytest.mark.parametrize("key", ["letmein", "pässwort", "with blank "])
def test_word_list(tmp_path, key):
    """The key of a JWT and of a session is found; it is not shown whole."""
    path = tmp_path / "words.txt"
    path.write_text("\n".join(["123456", "password", key, "later"]), "utf-8")
    for paste in (
        f"Authorization: Bearer {jwt.encode(CLAIMS, key, 'HS256')}",
        f"Authorization: Bearer {jwt.encode(CLAIMS, key, 'HS512')}",
        f"Cookie: theme=dark; session={session_of(key)}",
        session_of(key),
    ):
        found, _ = look(paste, path)
        assert (found.key, found.line) == (key.encode(), 3)
        text = sentence(found, 30)
        assert "on line 3" in text and key not in text and "secrets.token_hex" in text


def test_word_list_without_the_key(tmp_path):
    """No word fits: that is said, and so is what it means; a search ends in time."""
    path = tmp_path / "words.txt"
    path.write_text("a\nb\n\n", "utf-8")
    found, _ = look(jwt.encode(CLAIMS, SECRET, "HS256"), path)
    assert found.key is None and "None of the 3 words" in sentence(found, 30)
    path.write_text("word\n" * 300_000, "utf-8")
    begun = time.monotonic()
    found, _ = look(jwt.encode(CLAIMS, SECRET, "HS256"), path, 0.05)
    assert not found.ended and "seconds are over" in sentence(found, 0.05)
    assert found.tried < 300_000 and time.monotonic() - begun < 20
    assert not look("Authorization: Basic dXNlcjE6cGFzczE=", path)[1]
    assert not look(jwt.encode(CLAIMS, PRIVATE["RS256"], "RS256"), path)[1]
