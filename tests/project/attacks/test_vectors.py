"""The vectors of Wycheproof and of two RFCs, through lesson 04's own verification.

None of them is a token of ours, so none gets in. But a valid one must get as far as its claims,
and an invalid one must be refused before: for its form, its header or its signature.
"""

import base64
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from learn.layout import LESSONS

HERE = Path(__file__).parent
GROUPS = json.loads((HERE / "wycheproof_hmac.json").read_text("utf-8"))["testGroups"]
VECTORS = [(group["k"], one) for group in GROUPS for one in group["tests"]]
# What PyJWT says once the signature was right: about a payload that is no JSON, and about claims.
PAST_THE_SIGNATURE = re.compile("Invalid payload string|Token is missing|.* expired")
TWICE = "the same text as vector 357, which is valid (C2SP/wycheproof issue 236)"
UNSIGNED = "holds what is no base64url, and its signature is over another text"
OTHERWISE = {367: TWICE, 370: TWICE, 372: UNSIGNED, 373: UNSIGNED}  # mistakes in the vectors
RFC_7515_A_1 = (
    "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow",
    "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9"
    ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVl"
    "fQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
)
RFC_7520_4_4 = next((k, one["jws"]) for k, one in VECTORS if one["comment"] == "Figure35")


def key_bytes(k):
    return base64.urlsafe_b64decode(k + "=" * (-len(k) % 4))


def changed(token):
    """Return the token with each letter changed in turn, but for those that hold unused bits.

    And with a `=` behind it, which PyJWT takes and RFC 7515, section 2, leaves out.
    """
    ends = {token.index(".") - 1, token.rindex(".") - 1, len(token) - 1}
    places = [at for at in range(len(token)) if token[at] != "." and at not in ends]
    others = [token[:at] + ("B" if token[at] == "A" else "A") + token[at + 1 :] for at in places]
    return [*others, f"{token}="]


EXAMPLES = [(k, one) for k, token in (RFC_7515_A_1, RFC_7520_4_4) for one in changed(token)]


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    """What app.py says of each token: by its key, as base64url, and its text."""
    tokens = [(k, one["jws"]) for k, one in VECTORS] + [RFC_7515_A_1, RFC_7520_4_4, *EXAMPLES]
    app = next(LESSONS.glob("04_*")) / "app.py"
    database = tmp_path_factory.mktemp("vectors") / "lesson.db"
    done = subprocess.run(
        [sys.executable, str(HERE / "verify_driver.py"), str(app)],
        input=json.dumps([[key_bytes(k).hex(), token] for k, token in tokens]),
        env={**os.environ, "FLASK_DATABASE": str(database), "FLASK_SECRET_KEY": "k" * 32},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return dict(zip(tokens, json.loads(done.stdout), strict=True))


def test_wycheproof(said):
    """Each vector is taken or refused as Wycheproof says, but for its own mistakes, named here."""
    otherwise = set()
    for k, one in VECTORS:
        sentence = said[k, one["jws"]]
        assert sentence, one  # nobody gets in
        verdict = "valid" if PAST_THE_SIGNATURE.match(sentence) else "invalid"
        if verdict != one["result"]:
            otherwise.add(one["tcId"])
    assert otherwise == set(OTHERWISE)
    assert len(VECTORS) == 40 and {one["result"] for _, one in VECTORS} == {"valid", "invalid"}


@pytest.mark.parametrize("k, token", [RFC_7515_A_1, RFC_7520_4_4], ids=["RFC 7515", "RFC 7520"])
def test_examples_of_the_rfcs(said, k, token):
    """The RFC's example gets as far as its claims, and with any one letter changed it does not."""
    assert PAST_THE_SIGNATURE.match(said[k, token])
    refusals = [said[k, one] for one in changed(token)]
    assert len(refusals) > 150
    assert not [one for one in refusals if not one or PAST_THE_SIGNATURE.match(one)]
