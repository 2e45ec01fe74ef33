"""Lesson 07 in Chromium, with a virtual authenticator: what a person sees and does."""

import json
import shutil
import subprocess

import clients
import pytest

from learn import Lesson

pytestmark = pytest.mark.rest  # a browser takes its time

ADDED, IN, NO = "The passkey was added.", "You are logged in.", "Nothing was done"


@pytest.fixture
def play(tmp_path):
    """play("scenario"): what came of it, against app.py."""
    python = shutil.which("python", path=clients.OWN)
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if not chromium or not python:
        pytest.skip("Chromium or Playwright is not installed; docs/clients.md says how to")

    def run(scenario, **settings):
        with Lesson("07", **settings) as app:
            driver = clients.HERE / "passkeys_driver.py"
            command = [python, str(driver), chromium, app.origin, scenario, str(tmp_path)]
            done = subprocess.run(command, capture_output=True, text=True, timeout=120)
            assert done.returncode == 0, done.stderr[-2000:]
            assert "Traceback" not in app.log
            return json.loads(done.stdout)

    return run


def test_from_first_to_last(play):
    """A passkey is added, logs in without a name, gets a second beside it, and one is removed."""
    found = play("from_first_to_last")
    added, logged_in, second, removed, out, back = found["said"]
    assert added == second == ADDED and logged_in == back == IN
    assert "Hello, user1!" in found["hello"] and "not used yet" not in found["hello"]
    assert "already" in found["again"]  # excludeCredentials: one passkey a device
    assert (found["count"], found["left"]) == (2, 1)
    assert "opens nothing" in removed and "logged out" in out
    (cookie,) = found["cookies"]
    assert cookie["httpOnly"] and cookie["sameSite"] == "Lax" and cookie["expires"] == -1
    assert not [said for said in found["faults"] if "Content Security Policy" in said]


def test_only_the_keyboard(play):
    """Tab reaches button, name and password in this order; Enter does the rest."""
    found = play("only_the_keyboard")
    assert found["reached"] == ["login", "name", "password"]
    assert found["said"] == [ADDED] and "Hello, user1!" in found["sees"]


def test_somebody_says_no(play):
    """Who isn't verified gets a sentence and no passkey; nor are they let in later."""
    found = play("says_no")
    first, second, login = found["said"]
    assert NO in first and second == ADDED and NO in login
    assert "Hello" not in found["sees"]


@pytest.mark.parametrize("scenario", ["without_verification", "wrong_password"])
def test_no_passkey_is_made(play, scenario):
    """A device that can't verify, or a wrong password: a sentence, and no key on the device."""
    found = play(scenario)
    assert found["keys"] == 0 and found["said"] and ADDED not in found["said"]


def test_two_people(play):
    """Two people with a browser and a device each are in as who they are."""
    assert [n in said for n, said in zip("12", play("two_people")["hello"], strict=True)] == [1, 1]


def test_other_origins(play):
    """A page on another port gets a signature and is refused; one at 127.0.0.1 gets none."""
    found = play("other_origins")
    assert found["said"] == ADDED and found["honest"] == 200
    port, address = found["results"]
    assert port[0] == 403 and "origin" in port[1]
    assert address == "SecurityError"
