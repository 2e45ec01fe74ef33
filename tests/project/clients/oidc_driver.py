"""Lesson 08 in a real browser: Playwright and Chromium go from the app to its provider and back.

    python oidc_driver.py CHROMIUM ORIGIN ISSUER SCENARIO

plays one scenario, a function below, and prints what came of it as JSON.
"""

import json
import sys

from browser import QUIET
from playwright.sync_api import sync_playwright


class Person:
    """Somebody with a browser."""

    def __init__(self, browser, origin, issuer):
        self.origin, self.issuer = origin, issuer
        self.context = browser.new_context()
        self.page = self.context.new_page()
        self.page.set_default_timeout(20_000)
        self.faults, self.sent = [], []
        self.page.on("console", lambda said: self.faults.append(said.text))
        self.page.on("request", lambda asked: self.sent.append([asked.method, asked.url]))

    def visit(self, path):
        self.page.goto(f"{self.origin}{path}")

    def press(self, name):
        with self.page.expect_navigation():
            self.page.get_by_role("button", name=name, exact=True).click()

    def log_in(self, user="user1", password="pass1", decision="Yes"):
        self.visit("/")
        self.page.get_by_label("User name").fill(user)
        self.page.get_by_label("Password").fill(password)
        self.press("Log in")
        if decision:
            self.press(decision)

    def sees(self):
        return self.page.locator("body").inner_text().strip()

    def where(self):
        return self.page.url


def in_and_out(browser, origin, issuer):
    """Log in at the provider, be greeted here, log out here and there."""
    me = Person(browser, origin, issuer)
    me.log_in()
    hello, at = me.sees(), me.where()
    cookies = [cookie for cookie in me.context.cookies() if cookie["name"].startswith("lesson08")]
    me.press("Log out")
    asked, there = me.sees(), me.where()
    me.press("Log out")
    end = me.where()
    me.visit("/")
    return {
        "hello": hello, "at": at, "asked": asked, "there": there, "end": end, "sent": me.sent,
        "again": me.where(), "form": me.sees(), "cookies": cookies, "faults": me.faults,
    }  # fmt: skip


def says_no(browser, origin, issuer):
    """Log in at the provider and say that the app may not know."""
    me = Person(browser, origin, issuer)
    me.log_in(decision="No")
    said, at = me.sees(), me.where()
    me.page.goto(f"{origin}/")
    return {"said": said, "at": at, "then": me.where()}


def wrong_password(browser, origin, issuer):
    """Mistype the password; then get it right."""
    me = Person(browser, origin, issuer)
    me.log_in(password="no", decision=None)
    said = me.sees()
    me.page.get_by_label("User name").fill("user2")
    me.page.get_by_label("Password").fill("pass2")
    me.press("Log in")
    me.press("Yes")
    return {"said": said, "hello": me.sees()}


def out_at_the_provider(browser, origin, issuer):
    """Log out at the provider alone: the app is told, and so ends its session."""
    me = Person(browser, origin, issuer)
    me.log_in()
    hello = me.sees()
    me.page.goto(f"{issuer}/end_session")
    me.press("Log out")
    me.visit("/")
    return {"hello": hello, "then": me.where()}


def back_button(browser, origin, issuer):
    """Go back after the logout."""
    me = Person(browser, origin, issuer)
    me.log_in()
    hello = me.sees()
    me.press("Log out")
    me.page.go_back()
    return {"hello": hello, "then": me.where(), "sees": me.sees()}


def main(chromium, origin, issuer, scenario):
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=QUIET)
        print(json.dumps(globals()[scenario](browser, origin, issuer)))
        browser.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
