"""Log in with a password that Chromium has stored: nothing is typed, the button is pressed.

Usage: stored_password_driver.py CHROMIUM PROFILE URL USER PASSWORD, where PROFILE is an empty
folder, URL the address of a page with a form, and PASSWORD what Chromium keeps of it, in hex.
Prints a JSON object: what the page's fields held when it had loaded, and the text of the page that
came.
"""

import json
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import sync_playwright

OPTIONS = [
    "--headless=new",  # the whole browser, password manager included, without a window
    "--password-store=basic",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def main():
    chromium, profile, url, user, password = sys.argv[1:]
    with sync_playwright() as playwright:

        def start():
            return playwright.chromium.launch_persistent_context(
                profile,
                executable_path=chromium,
                headless=False,
                args=OPTIONS,
                # With this, Chromium takes itself for a test and stores and fills nothing.
                ignore_default_args=["--enable-automation"],
            )

        context = start()  # makes the profile's files
        context.pages[0].goto(url, timeout=20_000)
        context.close()
        store(Path(profile, "Default", "Login Data"), url, user, bytes.fromhex(password))
        context = start()
        page = context.pages[0]
        page.goto(url, timeout=20_000)
        fields = ["#username", "#password"]
        filled = [page.input_value(field) for field in fields]
        for _ in range(100):  # the fields are filled a moment after the page has loaded
            if all(filled):
                break
            page.wait_for_timeout(50)
            filled = [page.input_value(field) for field in fields]
        found = {"filled": filled}
        if all(filled):
            with page.expect_navigation(timeout=20_000):
                page.click("button")
            found["text"] = page.inner_text("body")
        context.close()
    print(json.dumps(found))


def store(file, url, user, password):
    """Write a user name and a password into the profile, as Chromium does when it is told to."""
    parts = urlsplit(url)
    values = {
        "origin_url": url,
        "action_url": url,
        "username_element": "username",
        "username_value": user,
        "password_element": "password",
        "password_value": password,
        "signon_realm": f"{parts.scheme}://{parts.netloc}/",
        "times_used": 1,
    }
    with closing(sqlite3.connect(file)) as db, db:
        for _, name, kind, needed, *_ in db.execute("PRAGMA table_info(logins)").fetchall():
            if needed and name != "id":
                values.setdefault(name, "" if kind == "VARCHAR" else 0)
        names, marks = ", ".join(values), ", ".join("?" * len(values))
        db.execute(f"INSERT INTO logins ({names}) VALUES ({marks})", list(values.values()))


if __name__ == "__main__":
    main()
