"""docs/explain.md shows real-life pastes with the answers that `explain` gives.

To write it anew: LEARN_TABLE=1 python3 -m learn test -k test_document_is_current
"""

import io
import os

import pytest
from explaining import DIGEST_DEVICE, token
from rich.console import Console

from learn.commands.explaining import answer, drawn, status
from learn.explain import Context
from learn.layout import ROOT

NOW = 1_795_000_000  # 2026-11-18 11:06:40 UTC, which is now in the document
EXAMPLES = [
    (
        "The token ran out",
        "A request is answered with 401, although it worked a while ago. The paste is what curl -v"
        " printed.",
        f"""\
> GET /secured HTTP/1.1
> Host: 127.0.0.1:5004
> Authorization: Bearer {token({"sub": "user1", "iat": NOW - 360, "exp": NOW - 180})}
>
< HTTP/1.1 401 UNAUTHORIZED
< WWW-Authenticate: Bearer realm="Lesson 04", error="invalid_token"
""",
        {},
    ),
    (
        "`Subject must be a string`",
        "PyJWT refuses a token that older versions took: the id of the user is a number.",
        token({"sub": 1, "iat": NOW - 10, "exp": NOW + 170}),
        {},
    ),
    (
        "The script had no token",
        "JavaScript writes `undefined` where a variable has no value.",
        "Authorization: Bearer undefined",
        {},
    ),
    (
        "The header has another name",
        "In many languages the word for this is authentication. The header's is not.",
        "Authentication: Basic dXNlcjE6cGFzczE=",
        {},
    ),
    (
        "Bytes went along",
        "`base64.b64encode` returns bytes, and an f-string shows them as Python writes them.",
        "Authorization: Basic b'dXNlcjE6cGFzczE='",
        {},
    ),
    (
        "A device's challenge",
        "A camera asks for Digest and names no algorithm; its `stale` is in quotation marks.",
        DIGEST_DEVICE,
        {},
    ),
    (
        "A comma is missing",
        "Some clients read this challenge and some don't.",
        'WWW-Authenticate: Bearer resource="https://vault.example" scope="https://vault.example/x"',
        {},
    ),
    (
        "A Digest for another address",
        "A proxy took `/demo` off the address, so the hash is about another one. The password"
        " was given with `--password user1:pass1`.",
        """\
GET /account HTTP/1.1
Authorization: Digest username="user1", realm="Lesson 03", nonce="abc", uri="/demo/account", \
algorithm=MD5, qop=auth, nc=00000001, cnonce="c1", response="581e79669da9193e2e8d359a6c4bfc28"
""",
        {"passwords": {"user1": "pass1"}},
    ),
    (
        "What is in the session",
        "Flask's cookie as `document.cookie` shows it, in the time of Flask-Login.",
        "session=.eJyrVopPK0otzlCyKikqTdVRis9MUbJSShxgoAR0SGlxahHENeZKtQAGgzy3.av2FlA.E"
        "np7wJr1IZCAhkxSDboDQdbArqo; theme=dark",
        {},
    ),
    (
        "The cookie that no browser stores",
        "The login works in a test client. In a browser, everybody is asked to log in again.",
        "Set-Cookie: __Host-session=w8Y2sQfVq3pZkD0aXr5LtB; Domain=shop.example; Secure; HttpOnly; "
        "Path=/; SameSite=Lax",
        {},
    ),
    (
        "What a login answered",
        "The JSON of lesson 04, cut off by a terminal.",
        '{"access_token": "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJ1c2VyMSIsImlzcy…", '
        '"token_type": "Bearer", "expires_in": 180}',
        {},
    ),
]
BEGINNING = """\
# What `explain` answers

```
python3 -m learn explain "Authorization: Bearer undefined"
```

reads a header, and whatever else people paste: lines of `curl -v`, of a browser or of a log, a
whole request or response, JSON, HAR, what Python prints, a curl command, or a token or cookie
alone. The text comes from the arguments, from a file (`--file headers.txt` or `@headers.txt`) or
from a pipe (`pbpaste | python3 -m learn explain`). Nothing leaves your machine.

What is wrong comes first: **Wrong** is what a server, or a browser, will most likely refuse, and
**Note** is a risk, or odd. After that comes each header, part by part. Lines that have nothing to
do with authentication are passed over and counted. The exit status is 0 when nothing wrong was
seen, 1 when something is wrong, and 2 when there was nothing to read; `--json` says the same for
a program.

The answer is better if you say what you know: `--password USER:PASSWORD` recomputes a Digest,
`--key` verifies a signature (a text, `base64:…`, `hex:…`, or a file with PEM, a JWK or a JWKS),
`--salt` names the salt of your itsdangerous serializer, and `--words FILE` tries a list of words
as the key of your own token or session.

Here are eleven pastes as they stand in bug reports, with names, hosts and secrets invented. A
test writes this page; for it, the time is always the same.
"""


def answered(paste, known):
    """Return the answer as the command prints it in a pipe, and its exit status."""
    reading = answer(paste, Context(now=NOW, **known))
    out = io.StringIO()
    console = Console(file=out, width=88, highlight=False, emoji=False)
    for piece in drawn(reading):
        console.print(piece)
    lines = [line.rstrip() for line in out.getvalue().split("\n")]
    return "\n".join(lines).strip("\n"), status(reading)


def document():
    """Return the page as Markdown."""
    parts = [BEGINNING]
    for title, why, paste, known in EXAMPLES:
        text, code = answered(paste, known)
        body = (
            f"```\n{paste.strip()}\n```\n\nThe answer, with exit status {code}:\n\n```\n{text}\n```"
        )
        parts.append(f"## {title}\n\n{why}\n\n{body}\n")
    return "\n".join(parts)


def test_document_is_current():
    """docs/explain.md shows what is answered now."""
    path = ROOT / "docs" / "explain.md"
    if os.environ.get("LEARN_TABLE"):
        path.write_text(document(), "utf-8")
    assert path.read_text("utf-8") == document()


@pytest.mark.parametrize("example", EXAMPLES, ids=[example[0] for example in EXAMPLES])
def test_examples_have_an_answer(example):
    """Each example is read, and all but the two without a fault are said to have one."""
    _, _, paste, known = example
    assert answered(paste, known)[1] == (example[0] not in ("What is in the session",)) or (
        example[0] == "What a login answered"
    )
