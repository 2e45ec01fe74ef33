"""Lesson 07 with a client that nobody here wrote: Yubico's python-fido2, without a browser."""

import json
import shutil
import subprocess

import clients
import pytest

from learn import Lesson

pytestmark = pytest.mark.rest

# What is done, what comes of it, and what the table says about that.
EXPECTED = {
    "registered": ("a new passkey", 201, "yes"),
    "in": ("a login without a name, twice", [200, 200], "yes"),
    "second key": (
        "a second key on the same device",
        "DEVICE_INELIGIBLE",
        "no: the library sees it in `excludeCredentials`",
    ),
    "no verification": (
        "a device that verifies nobody",
        "CONFIGURATION_UNSUPPORTED",
        "no: the library sees that `userVerification` is required",
    ),
    "other device": (
        "a device without keys",
        "DEVICE_INELIGIBLE",
        "no: the device has none for this RP ID",
    ),
    "look-alike": (
        "a page at https://1ocalhost",
        "BAD_REQUEST",
        "no: the library does not let it use the RP ID",
    ),
    "other port": (
        "a page at https://localhost:1",
        403,
        "no: the RP ID is the same, so it is signed, and `app.py` refuses the origin",
    ),
}


@pytest.fixture(scope="module")
def found():
    """What came of it."""
    python = shutil.which("python", path=clients.OWN)
    asked = [python, "-c", "import fido2"]
    if not python or subprocess.run(asked, capture_output=True).returncode:
        pytest.skip("fido2 for Python is not installed; docs/clients.md says how to install it")
    with Lesson("07") as app:
        command = [python, str(clients.HERE / "yubico_client.py"), app.origin]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr[-2000:]
        assert "Traceback" not in app.log and '" 500 ' not in app.log
    return json.loads(done.stdout)


@pytest.mark.parametrize("what", EXPECTED)
def test_yubico(what, found):
    """The library does or refuses what is expected; what it lets through, app.py refuses."""
    assert found[what] == EXPECTED[what][1]


def test_yubico_is_greeted(found):
    """Who logged in is greeted, and sees the one key."""
    assert found["hello"] == "Hello, user1!"
    (key,) = found["keys"]
    assert key["used"] and key["synced"] is False and key["went_back"] is None


def test_table_is_current():
    """docs/clients.md shows what is expected above."""
    lines = ["| what is tried with `fido2` | what becomes of it |", "|---|---|"]
    lines += [f"| {what} | {becomes} |" for what, _, becomes in EXPECTED.values()]
    clients.hold_table("what is tried with `fido2`", "\n".join(lines))
