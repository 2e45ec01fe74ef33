"""Lesson 06 with a password that the browser has stored: it fills in the form by itself.

On Linux without a keyring, Chromium keeps passwords under a key that everybody knows, so a test can
store one. It has to find the fields on its own, by their names, types and `autocomplete`.
"""

import hashlib
import json
import shutil
import subprocess
import sys

import clients
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from learn import Lesson
from learn.layout import LESSONS

pytestmark = [
    pytest.mark.rest,
    pytest.mark.skipif(sys.platform != "linux", reason="elsewhere passwords are in a keyring"),
]


def as_kept(password):
    """Return what Chromium keeps of a password where there is no keyring."""
    key = hashlib.pbkdf2_hmac("sha1", b"peanuts", b"saltysalt", 1, 16)
    padder = PKCS7(128).padder()
    padded = padder.update(password.encode()) + padder.finalize()
    encryptor = Cipher(algorithms.AES(key), modes.CBC(b" " * 16)).encryptor()
    return b"v10" + encryptor.update(padded) + encryptor.finalize()


@pytest.mark.parametrize("is_login_form", [True, False])
def test_stored_password(tmp_path, is_login_form):
    """Chromium fills in user name and password, and pressing the button logs in.

    Without a field of the type that passwords have, it fills in nothing.
    """
    python, chromium = shutil.which("python", path=clients.OWN), shutil.which("chromium")
    if not chromium or not python:
        pytest.skip("Chromium or Playwright is not installed; docs/clients.md says how to")
    shutil.copytree(LESSONS / "06_sessions", tmp_path / "lesson")
    form = tmp_path / "lesson" / "templates" / "login.html"
    text = form.read_text("utf-8")
    assert text.count('type="password" autocomplete="current-password"') == 1
    if not is_login_form:
        text = text.replace('type="password" autocomplete="current-password"', 'type="text"')
        form.write_text(text, "utf-8")
    with Lesson("06", tmp_path / "lesson" / "app.py") as app:
        url = f"http://127.0.0.1:{app.port}/login"
        command = [python, clients.HERE / "stored_password_driver.py", chromium]
        command += [tmp_path / "profile", url, "user1", as_kept("pass1").hex()]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)
        if is_login_form:
            assert found["filled"] == ["user1", "pass1"] and "Hello, user1!" in found["text"]
        else:
            assert "pass1" not in found["filled"]
