"""Lesson 07 in a real browser: Playwright and Chromium, with a virtual authenticator.

    python passkeys_driver.py CHROMIUM ORIGIN SCENARIO [FOLDER]

plays one scenario, a function below, and prints what came of it as JSON. Pictures go to FOLDER.
"""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from browser import QUIET
from playwright.sync_api import sync_playwright

DEVICE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}
SIGN = """async (options) => {
    const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
    try {
        return (await navigator.credentials.get({ publicKey })).toJSON();
    } catch (error) {
        return error.name;
    }
}"""
SEND = """async ([path, body]) => {
    const headers = { "Content-Type": "application/json" };
    const how = { method: "POST", headers, body: body && JSON.stringify(body) };
    const answer = await fetch(path, how);
    return [answer.status, await answer.text()];
}"""


class Person:
    """Somebody with a browser and a device."""

    def __init__(self, browser, origin, **device):
        self.origin, self.context = origin, browser.new_context()
        self.page = self.context.new_page()
        self.session = self.context.new_cdp_session(self.page)
        self.session.send("WebAuthn.enable")
        self.device = self.add_device(**device)
        self.faults = []
        self.page.on("console", lambda said: self.faults.append(said.text))
        self.page.goto(f"{origin}/")

    def add_device(self, **more):
        options = {"options": {**DEVICE, **more}}
        made = self.session.send("WebAuthn.addVirtualAuthenticator", options)
        return made["authenticatorId"]

    def keys(self):
        about = {"authenticatorId": self.device}
        return self.session.send("WebAuthn.getCredentials", about)["credentials"]

    def enrol(self, user="user1", password="pass1"):
        self.page.get_by_label("User name").fill(user)
        self.page.get_by_label("Password").fill(password)
        self.page.get_by_role("button", name="Add a passkey").click()
        return self.status()

    def press(self, name):
        self.page.get_by_role("button", name=name).first.click()
        return self.status()

    def status(self):
        """Wait until the page says something."""
        self.page.locator("#status:not(:empty)").wait_for(timeout=15_000)
        return self.page.get_by_role("status").inner_text()

    def sees(self):
        return self.page.locator("main").inner_text()


def from_first_to_last(browser, origin, folder):
    """Add a passkey, log in without a name, add a second one, remove one, log out."""
    me = Person(browser, origin)
    picture(me, folder, "outside")
    said = [me.enrol(), me.press("Log in with a passkey")]
    hello = me.sees()
    first_id = me.keys()[0]["credentialId"]
    again = me.press("Add a passkey")  # on the same device
    me.session.send("WebAuthn.removeVirtualAuthenticator", {"authenticatorId": me.device})
    me.device = me.add_device(transport="usb")
    said.append(me.press("Add a passkey"))
    count = me.page.get_by_role("listitem").count()
    picture(me, folder, "inside")
    said.append(me.press("Remove the passkey"))
    left = me.page.get_by_role("listitem").count()
    said += [me.press("Log out"), me.press("Log in with a passkey")]
    return {
        "said": said, "hello": hello, "again": again, "count": count, "left": left,
        "first": first_id, "cookies": me.context.cookies(), "faults": me.faults,
    }  # fmt: skip


def only_the_keyboard(browser, origin, folder):
    """The same with no mouse: Tab, letters and Enter."""
    me = Person(browser, origin)
    me.page.get_by_label("User name").wait_for()
    reached = []
    for _ in range(3):
        me.page.keyboard.press("Tab")
        reached.append(me.page.evaluate("document.activeElement.id"))
        text = {"name": "user1", "password": "pass1"}.get(reached[-1])
        if text:
            me.page.keyboard.type(text)
    me.page.keyboard.press("Enter")
    said = [me.status()]
    me.page.get_by_role("button", name="Log in with a passkey").focus()
    me.page.keyboard.press("Enter")
    me.page.get_by_text("Hello, user1!").wait_for(timeout=15_000)
    return {"reached": reached, "said": said, "sees": me.sees()}


def says_no(browser, origin, folder):
    """Somebody does not prove who they are: at the first passkey, and at a login."""
    me = Person(browser, origin, isUserVerified=False)
    said = [me.enrol()]
    verified = {"authenticatorId": me.device, "isUserVerified": True}
    me.session.send("WebAuthn.setUserVerified", verified)
    said.append(me.enrol())
    me.session.send("WebAuthn.setUserVerified", {**verified, "isUserVerified": False})
    said.append(me.press("Log in with a passkey"))
    picture(me, folder, "no")
    return {"said": said, "sees": me.sees()}


def without_verification(browser, origin, folder):
    """A device that can't verify anybody makes no passkey here."""
    me = Person(browser, origin, hasUserVerification=False)
    return {"said": me.enrol(), "keys": len(me.keys())}


def wrong_password(browser, origin, folder):
    """No passkey without the password. The browser's dialog asks again; then the page says so."""
    me, asked = Person(browser, origin), []

    def cancel(event):
        asked.append(event["request"]["url"].removeprefix(origin))
        answer = {"response": "CancelAuth"}
        given = {"requestId": event["requestId"], "authChallengeResponse": answer}
        me.session.send("Fetch.continueWithAuth", given)

    def go_on(event):
        me.session.send("Fetch.continueRequest", {"requestId": event["requestId"]})

    me.session.on("Fetch.authRequired", cancel)
    me.session.on("Fetch.requestPaused", go_on)
    me.session.send("Fetch.enable", {"handleAuthRequests": True})
    return {"said": me.enrol(password="no"), "keys": len(me.keys()), "asked": asked}


def two_people(browser, origin, folder):
    """Two browsers and devices: each is in as who they are."""
    people = [Person(browser, origin), Person(browser, origin)]
    for me, (user, password) in zip(people, [("user1", "pass1"), ("user2", "pass2")], strict=True):
        me.enrol(user, password)
        me.press("Log in with a passkey")
    return {"hello": [me.sees() for me in people]}


def other_origins(browser, origin, folder):
    """A page on another port asks the device, and hands on what it signs; one at 127.0.0.1 too."""
    me = Person(browser, origin)
    said = me.enrol()
    honest = me.page.evaluate(SEND, ["/login/options", None])
    with_page = serve_page()
    results = []
    for host in ("localhost", "127.0.0.1"):
        status, text = me.page.evaluate(SEND, ["/login/options", None])
        lure = me.context.new_page()
        session = me.context.new_cdp_session(lure)  # the device is the same person's
        session.send("WebAuthn.enable")
        made = {"options": DEVICE}
        device = session.send("WebAuthn.addVirtualAuthenticator", made)["authenticatorId"]
        for key in me.keys():
            session.send("WebAuthn.addCredential", {"authenticatorId": device, "credential": key})
        lure.goto(f"http://{host}:{with_page}/")
        signed = lure.evaluate(SIGN, json.loads(text))
        lure.close()
        sent = signed if isinstance(signed, str) else me.page.evaluate(SEND, ["/login", signed])
        results.append(sent)
    return {"said": said, "honest": honest[0], "results": results}


def serve_page():
    """Serve an empty page on a port of its own, which is returned."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<!doctype html><title>Win a prize</title>")

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    Thread(target=server.serve_forever, daemon=True).start()
    return server.server_port


def picture(me, folder, name):
    if folder:
        # With the caret as it is: hiding it takes a style that the page forbids.
        me.page.screenshot(path=str(Path(folder) / f"{name}.png"), caret="initial")


def main(chromium, origin, scenario, folder=None):
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=QUIET)
        print(json.dumps(globals()[scenario](browser, origin, folder)))
        browser.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
