"""Lesson 08 in Chromium: from the app to its provider and back, and out again."""

import json
import shutil
import subprocess

import clients
import pytest

from learn import Lesson

pytestmark = pytest.mark.rest  # a browser takes its time


@pytest.fixture
def play():
    """play("scenario"): what came of it, against app.py and provider.py."""
    python = shutil.which("python", path=clients.OWN)
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if not chromium or not python:
        pytest.skip("Chromium or Playwright is not installed; docs/clients.md says how to")

    def run(scenario):
        with Lesson("08") as app:
            driver = clients.HERE / "oidc_driver.py"
            command = [python, str(driver), chromium, app.origin, app.provider.origin, scenario]
            done = subprocess.run(command, capture_output=True, text=True, timeout=120)
            assert done.returncode == 0, done.stderr[-2000:]
            assert "Traceback" not in app.log + app.provider.log
            return json.loads(done.stdout), app.origin, app.provider.origin

    return run


def test_in_and_out(play):
    """Somebody logs in at the provider, is greeted here, and logs out here and there."""
    found, origin, issuer = play("in_and_out")
    assert "Hello, user1!" in found["hello"] and found["at"] == f"{origin}/"
    (cookie,) = [cookie for cookie in found["cookies"] if cookie["name"] == "lesson08"]
    assert cookie["httpOnly"] and cookie["sameSite"] == "Lax" and cookie["expires"] == -1
    assert found["there"].startswith(f"{issuer}/end_session?") and "user1" in found["asked"]
    assert found["end"].split("?")[0] == f"{origin}/public"
    assert found["again"].startswith(f"{issuer}/authorize?") and "Password" in found["form"]
    assert not [said for said in found["faults"] if "Content Security Policy" in said]
    passed = [url for method, url in found["sent"] if "pass1" in url or "token" in url]
    assert passed == []


def test_somebody_says_no(play):
    """Who says no is told so here, and is not logged in."""
    found, origin, issuer = play("says_no")
    assert found["at"].startswith(f"{origin}/callback?error=access_denied")
    assert "said no" in found["said"] and found["then"].startswith(f"{issuer}/authorize?")


def test_a_wrong_password(play):
    """The provider says that it was wrong; the right one goes on to where the login began."""
    found, _, _ = play("wrong_password")
    assert "wrong" in found["said"] and "Hello, user2!" in found["hello"]


def test_out_at_the_provider(play):
    """A logout at the provider ends the app's session, too, from server to server."""
    found, _, issuer = play("out_at_the_provider")
    assert "Hello, user1!" in found["hello"] and found["then"].startswith(f"{issuer}/authorize?")


def test_the_back_button(play):
    """After the logout, the back button shows nothing of what was there."""
    found, _, _ = play("back_button")
    assert "Hello, user1!" in found["hello"] and "Hello" not in found["sees"]
