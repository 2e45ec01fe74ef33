"""Whatever is pasted: no traceback, no control character, no second of waiting, no untruth."""

import base64
import random
import subprocess
import sys
import time
from pathlib import Path

import jwt
import pytest
from explaining import JOE, KEY, LION, MD5, check_safe
from hypothesis import given, settings
from hypothesis import strategies as st
from test_explain_paste import FORMS

from learn.commands.explaining import answer, as_json, headlines
from learn.explain import Context, explain
from learn.explain.paste import MOST_TEXT, read


@pytest.mark.parametrize(
    "evil", ["\x1b[2J", "a`b", "`` `<b>", "\u202eabc", "\x9b31m", "\\`", "\r\nX: y"]
)
def test_a_value_can_not_reach_the_terminal_or_the_markdown(evil):
    """Control characters and backticks come out escaped wherever a value is quoted."""
    pair = base64.b64encode(f"{evil}:{evil}".encode()).decode()
    token = jwt.encode({"sub": evil, evil: evil}, "k" * 32, headers={"kid": evil})
    for name, value in [
        ("Authorization", f"Basic {pair}"),
        ("Authorization", f"Basic {evil}"),
        ("Authorization", f"{evil} x"),
        ("Authorization", f"Bearer {token}"),
        ("Authorization", f"Bearer {evil}"),
        ("Cookie", f"{evil}={evil}; session={evil}"),
        ("WWW-Authenticate", f'Digest realm="{evil}", {evil}=1, {evil} realm=x'),
        ("Authorization", MD5.replace("Mufasa", evil)),
        ("Set-Cookie", f"a=b; {evil}"),
    ]:
        check_safe(explain(name, value, Context(passwords={evil: evil}, method=evil, target=evil)))


NAMES = [
    "Authorization",
    "WWW-Authenticate",
    "Authentication-Info",
    "Cookie",
    "Set-Cookie",
    "OTP",
    "Retry-After",
    "Cache-Control",
    "Clear-Site-Data",
    "Proxy-Authorization",
    "Proxy-Authenticate",
]
SEEDS = [
    "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
    MD5,
    f"Bearer {JOE}",
    f'session={JOE}; a="b\\0',
    "120",
    'Basic realm="x", Digest realm="y", nonce="z", qop="auth, auth-int", stale=TRUE, Negotiate ab=',
    "session=eyJ1c2VyIjoidXNlcjEifQ.awRpGA.EA2wIhmbZjkagDSxr9_C6oMIAUM; Max-Age=1",
    "a=b; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
]


def test_random_input_never_raises():
    """Four thousand damaged headers, always the same ones: no exception, nothing unsafe."""
    dice = random.Random(7616)
    context = Context(
        method="GET",
        target="/",
        passwords=LION.passwords,
        keys=["k" * 32, KEY, ""],
        body=b"",
        authorization=MD5,
    )
    for _ in range(4000):
        value = list(dice.choice(SEEDS))
        for _ in range(dice.randrange(1, 12)):
            at = dice.randrange(len(value) + 1)
            value[at : at + dice.choice((0, 0, 1, 5))] = dice.choice(
                [*'",=.\\ `;\t{', chr(dice.randrange(256)), "\ud800"]
            )
        check_safe(explain(dice.choice(NAMES), "".join(value), context))


UNITS = [*'",a;\\.[= \x1b', "a=1,", "a=b;"]
MORE = [pytest.param(unit, marks=pytest.mark.rest) for unit in UNITS]


@pytest.mark.parametrize("unit", [*MORE, 'a="', "a ", '"\\'])
def test_huge_values_are_quick(unit):
    """A hundred thousand characters of anything are explained at once, in few notes."""
    deep = base64.urlsafe_b64encode(b'{"alg":' + b"[" * 70000).decode().rstrip("=")
    for name in NAMES:
        for start in ("", "Basic ", "Digest ", 'Digest a="', "Bearer ", f"Bearer {deep}.", "s="):
            begun = time.process_time()
            notes = explain(name, start + unit * (100_000 // len(unit)), Context(keys=["k"]))
            assert time.process_time() - begun < 3, (name, start)
            assert len(notes) < 100
            check_safe(notes)


def test_import_is_cheap():
    """Importing the module loads none of the libraries that only some headers need."""
    code = (
        "import sys, learn.explain; "
        "print([m for m in ('flask', 'jwt', 'werkzeug', 'itsdangerous') if m in sys.modules])"
    )
    root = Path(__file__).resolve().parents[3]
    ran = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True)
    assert ran.stdout.strip() == "[]", ran.stderr


KNOWN = Context(
    keys=["k" * 32, KEY, ""], passwords={"user1": "pass1", "Mufasa": "Circle of Life"}, salts=["s"]
)
BITS = st.sampled_from(
    [*"'\",=.\\ `;\t{}[]()<>:\n$|/+*&?#-", "\x1b[31m", "\u202e", "\ud800", "…", "...", "eyJ",
     "\r\n", "Bearer ", "Authorization: ", "WWW-Authenticate: Digest ", "b'", "==", " -H ",
     "curl ", "\x00",
     '{"a":', "&access_token=", "Cookie: session=", "HTTP_", "\u200b", "\\r\\n", "%20", "$TOKEN"]
)  # fmt: skip
PIECES = st.one_of(BITS, st.text(max_size=12), st.sampled_from([*FORMS.values(), *SEEDS, JOE]))


def check_reading(text: str) -> None:
    """Explain a text as the command does; whatever comes must be safe to print, and in time."""
    begun = time.process_time()
    try:
        reading = answer(text, KNOWN)
    except ValueError as refused:
        assert str(refused).isprintable() and "aste" in str(refused)
        assert time.process_time() - begun < 1
        return
    for one in reading.fields:
        check_safe(one.notes)
    for _, line in headlines(reading):
        assert line.isprintable() and line.count("`") % 2 == 0
    as_json(reading).encode("utf-8", "strict")
    assert time.process_time() - begun < 1


@settings(max_examples=400, deadline=None, print_blob=True)
@given(st.lists(PIECES, max_size=12).map("".join))
def test_any_paste(text):
    """Pieces of headers, quotes and control characters in any order."""
    check_reading(text)


@settings(max_examples=300, deadline=None, print_blob=True)
@given(st.sampled_from([*FORMS.values()]), st.data())
def test_damaged_pastes(text, data):
    """Real pastes with something cut out and something put in."""
    at = data.draw(st.integers(0, len(text)))
    to = data.draw(st.integers(at, min(len(text), at + 40)))
    check_reading(text[:at] + data.draw(st.one_of(BITS, st.text(max_size=5))) + text[to:])


@pytest.mark.rest
@settings(max_examples=30, deadline=None, print_blob=True)
@given(
    st.sampled_from(["", "Authorization: ", "Cookie: s=", '{"a": "', 'curl -H "', "(", "eyJ"]),
    PIECES,
)
def test_long_pastes(start, unit):
    """A hundred thousand characters of one thing after another."""
    check_reading((start + unit * (100_000 // max(1, len(unit))))[:100_000])


def test_too_long_a_paste():
    """Beyond some millions of characters nothing is read, and the sentence says so."""
    with pytest.raises(ValueError, match="million characters"):
        read("Authorization: Basic dXNlcjE6cGFzczE=\n" * (MOST_TEXT // 30))


def test_a_long_log():
    """Of a long log the first lines are read, and the rest is said to be unread."""
    reading = read("Authorization: Basic dXNlcjE6cGFzczE=\n" + "a: b\n" * 100_000)
    assert reading.unread == 5 * 95_001 - 1 and reading.passed == 4999
    assert not read("Authorization: Basic dXNlcjE6cGFzczE=\n" + "a: b\n" * 4000).unread


def test_many_headers():
    """A log with thousands of headers is explained in part, and the rest is counted."""
    text = "".join(f"Authorization: Bearer token-{n:06}\n" for n in range(3000))
    reading = read(text)
    assert len(reading.fields) == 60 and reading.left == 2940
