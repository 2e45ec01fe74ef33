"""Runs in a process of its own: lesson 04's app.py with another key, asked about tokens.

Usage: verify_driver.py APP.PY. On standard input, JSON: a list of [key as hex, token]. On standard
output, JSON: for each, the error_description that the app answers with, or null if it lets the
token in. Nothing of the app is replaced but its key.
"""

import importlib.util
import json
import sys

from werkzeug.exceptions import HTTPException


def main():
    spec = importlib.util.spec_from_file_location("app", sys.argv[1])
    module = importlib.util.module_from_spec(spec)
    sys.modules["app"] = module
    spec.loader.exec_module(module)
    print(json.dumps([verdict(module, *one) for one in json.load(sys.stdin)]))


def verdict(module, key, token):
    """Return what the app says about this token under this key."""
    module.KEY = bytes.fromhex(key)
    headers = {"Authorization": f"Bearer {token}"}
    with module.app.test_request_context("/secured", headers=headers):
        try:
            module.token_claims()
        except HTTPException as refused:
            return refused.get_response().www_authenticate.get("error_description")


main()
