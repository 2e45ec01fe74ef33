"""What the tests of `learn explain` share: examples of the RFCs, and how an answer is read.

Every example is typed in from its RFC. What a note must say is computed or taken from the RFC,
and compared by its meaning: a decoded name, a time, "matches" or "does not match".

One example disagrees with itself. In RFC 7616 3.9.2 both the hashed user name and the response
come out only if SHA-512-256 is read as SHA-512 cut to 256 bits; with SHA-512/256 of FIPS 180-4,
which the algorithm's name stands for, they are the values of erratum 4897 (status: reported).
Both pairs were recomputed; the notes accept the second and say of the first what it is.
"""

import base64
import json

from flask import Flask, session

from learn.commands.explaining import answer, headlines
from learn.explain import Context, Note

# RFC 2617 3.5, RFC 7616 3.9.1
MUFASA_2617 = (
    'Digest username="Mufasa", realm="testrealm@host.com", '
    'nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", uri="/dir/index.html", qop=auth, nc=00000001, '
    'cnonce="0a4f113b", response="6629fae49393a05397450978507c4ef1", '
    'opaque="5ccc069c403ebaf9f0171e9517f40e41"'
)
MUFASA_7616 = (
    'Digest username="Mufasa", realm="http-auth@example.org", uri="/dir/index.html", '
    'algorithm={}, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", nc=00000001, '
    'cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", qop=auth, response="{}", '
    'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
)
MD5 = MUFASA_7616.format("MD5", "8ca523f5e9506fed4657c9700eebdbec")
SHA256 = MUFASA_7616.format(
    "SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"
)
LION = Context(method="GET", target="/dir/index.html", passwords={"Mufasa": "Circle of Life"})

# RFC 7616 3.9.2, as printed and as erratum 4897 has it
DOE_TAIL = (
    'realm="api@example.org", uri="/doe.json", algorithm=SHA-512-256, '
    'nonce="5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK", nc=00000001, '
    'cnonce="NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v", qop=auth, response="{}", '
    'opaque="HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS", userhash={}'
)
PRINTED = "ae66e67d6b427bd3f120414a82e4acff38e8ecd9101d6c861229025f607a79dd"
ERRATUM = "3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5"
USER_PRINTED = "488869477bf257147b804c45308cd62ac4e25eb717b12b298c79e62dcea254ec"
USER_ERRATUM = "793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b"
DOE = Context(method="GET", target="/doe.json", passwords={"Jäsøn Doe": "Secret, or not?"})

# RFC 7519 3.1, signed with the key of RFC 7515 A.1; RFC 7519 6.1; RFC 7519 A.1
PAYLOAD = (
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
)
JOE = (
    f"eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.{PAYLOAD}."
    "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
)
UNSECURED = f"eyJhbGciOiJub25lIn0.{PAYLOAD}."
KEY = base64.urlsafe_b64decode(
    "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow=="
)
ENCRYPTED_START = "eyJhbGciOiJSU0ExXzUiLCJlbmMiOiJBMTI4Q0JDLUhTMjU2In0.QR1Owv2ug2WyPBnbQrRA"


def part(notes: list[Note], start: str) -> Note:
    """Return the one note whose part begins like this."""
    found = [note for note in notes if note.part.startswith(start)]
    assert len(found) == 1, [note.part for note in notes]
    return found[0]


def everything(notes: list[Note]) -> str:
    return "\n".join(f"{note.part}: {note.text}" for note in notes)


def basic(pair: bytes) -> str:
    return "Basic " + base64.b64encode(pair).decode()


def flask_cookie(key: str, value: str) -> str:
    """Let a real Flask application set its session cookie."""
    app = Flask(__name__)
    app.secret_key = key

    @app.get("/")
    def index():
        session["user"] = value
        return "ok"

    return app.test_client().get("/").headers["Set-Cookie"]


def check_safe(notes: list[Note]) -> None:
    for note in notes:
        for text in (note.header, note.part, note.text):
            assert text.isprintable(), ascii(text)
        assert "`" not in note.part and note.text.count("`") % 2 == 0
        assert note.depth in (0, 1, 2, 3) and len(note.part) < 700 and len(note.text) < 5000


DIGEST_DEVICE = (
    'WWW-Authenticate: Digest realm="IP Camera(A1234)", nonce="21488f44d6", stale="FALSE"'
)


def token(claims, header=None, signature="A" * 43) -> str:
    """Return a JWT with these claims; its signature is right in length and in nothing else."""
    return f"{packed(header or {'alg': 'HS256', 'typ': 'JWT'})}.{packed(claims)}.{signature}"


def packed(value) -> str:
    """Return JSON in base64url, without padding."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def said(paste: str, **known) -> tuple[str, str]:
    """Return what the command says first of a paste, and all that its notes say."""
    reading = answer(paste, Context(**known))
    first = "\n".join(f"{label}: {text}" for label, text in headlines(reading))
    return first, everything([note for one in reading.fields for note in one.notes])


def check_said(paste: str, first: str, *notes: str, **known) -> None:
    """Compare what is said of a paste: `first` at the top ("" for nothing), `notes` below."""
    top, below = said(paste, **known)
    assert first in top if first else not top, (paste, top)
    for text in notes:
        assert text in below, (paste, text, below)
