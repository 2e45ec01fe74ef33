"""Runs in a process of its own: lesson 04's app.py with another key, asked about tokens.

Usage: verify_driver.py APP.PY. On standard input, JSON: a list of [key as hex, token]. On standard
output, JSON: for each, the error_description that the app answers with, or null if it lets the
token in. Nothing of the app is replaced but its key.
"""

import json
import sys
from pathlib import Path

from werkzeug.exceptions import HTTPException


def main():
    sys.path[0] = str(Path(sys.argv[1]).parent)
    import app

    print(json.dumps([verdict(app, *one) for one in json.load(sys.stdin)]))


def verdict(lesson, key, token):
    """Return what the app says about this token under this key."""
    lesson.app.secret_key = bytes.fromhex(key)
    headers = {"Authorization": f"Bearer {token}"}
    with lesson.app.test_request_context("/secured", headers=headers):
        try:
            lesson.secured()
        except HTTPException as refused:
            return refused.get_response().www_authenticate.get("error_description")


main()
