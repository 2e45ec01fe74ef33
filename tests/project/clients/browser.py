"""A real browser, driven by Playwright, headless.

A line on standard input is a task, as a form, and a line on standard output what came of it:

do=visit: open `url`. Whenever the browser would show its dialog for user name and password, answer
with the next of the fields `user` and `password`, of which there may be several; when they are used
up, press Cancel. `header` (name: value) goes along. Then open each `then`, in the same browser: a
page that sends itself away by a form is followed. Out come status and body of the last (no body
after a form), and asked, how often the dialog came; the page is kept as a picture in the file
`picture`, if that is given.
Every host under `.test` is this machine.
do=script: open `url`, run the function `script` in the page with `argument`; out comes `result`.
do=play: `steps`, a JSON list of [window, action, argument...], in their order; out come their
`results`, as a JSON list, or an `error`. A window is opened when it is first named. Of its name,
the first word is the user: windows of one user share cookies, and no others. For the actions see
`Window`.
"""

import json
import sys
from urllib.parse import parse_qs, urlencode

from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import sync_playwright

QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP *.test 127.0.0.1",
]


def visit(browser, task):
    headers = dict(line.split(": ", 1) for line in task.get("header", []))
    context = browser.new_context(extra_http_headers=headers)
    page = context.new_page()
    session = context.new_cdp_session(page)
    pairs = list(zip(task.get("user", []), task.get("password", []), strict=True))
    asked = []

    def answer_dialog(event):
        asked.append(event)
        answer = {"response": "CancelAuth"}
        if pairs:
            user, password = pairs.pop(0)
            answer = {"response": "ProvideCredentials", "username": user, "password": password}
        session.send(
            "Fetch.continueWithAuth",
            {"requestId": event["requestId"], "authChallengeResponse": answer},
        )

    def go_on(event):
        session.send("Fetch.continueRequest", {"requestId": event["requestId"]})

    session.on("Fetch.authRequired", answer_dialog)
    session.on("Fetch.requestPaused", go_on)
    session.send("Fetch.enable", {"handleAuthRequests": True})
    response = page.goto(task["url"][0], timeout=20_000)
    for url in task.get("then", []):
        if "sends-a-form" in url:
            with page.expect_response(lambda got: got.request.method == "POST") as sent:
                page.goto(url, timeout=20_000, wait_until="commit")
            response = sent.value
        else:
            response = page.goto(url, timeout=20_000)
    if "picture" in task:
        page.screenshot(path=task["picture"][0])
    unseen = response.request.method == "POST" or "image" in response.headers.get(
        "content-type", ""
    )
    body = "" if unseen else page.inner_text("body")
    context.close()
    return {"status": response.status, "body": body, "asked": len(asked)}


def script(browser, task):
    context = browser.new_context()
    page = context.new_page()
    page.goto(task["url"][0], timeout=20_000)
    result = page.evaluate(task["script"][0], task.get("argument", [""])[0])
    context.close()
    return {"result": result}


class Window:
    """What a user does in a window. Each method is an action, and returns its result."""

    def __init__(self, context):
        self.context, self.page = context, context.new_page()

    def open(self, url):
        """Type an address in; return the status of the page, which may be another one's."""
        return self._status(self.page.goto(url, timeout=20_000))

    def type(self, selector, text):
        """Click into a field and type, key by key."""
        self.page.click(selector)
        self.page.keyboard.type(text)

    def keys(self, *keys):
        """Press keys, such as Tab."""
        for key in keys:
            self.page.keyboard.press(key)

    def click(self, selector):
        """Click what leads to a page; return its status."""
        with self.page.expect_navigation(timeout=20_000) as going:
            self.page.click(selector)
        return self._status(going.value)

    def enter(self):
        """Press Enter where it sends a form; return the status of the page that comes."""
        with self.page.expect_navigation(timeout=20_000) as going:
            self.page.keyboard.press("Enter")
        return self._status(going.value)

    def back(self):
        """Press the back button, and wait until another address is shown."""
        session = self.context.new_cdp_session(self.page)
        history = session.send("Page.getNavigationHistory")
        entry = history["entries"][history["currentIndex"] - 1]
        before = self.page.url
        # Playwright's own go_back waits for a load, which a page out of the cache has none of.
        session.send("Page.navigateToHistoryEntry", {"entryId": entry["id"]})
        for _ in range(200):
            if self.page.url != before:
                break
            self.wait(0.1)
        self.wait(0.3)

    def wait(self, seconds):
        self.page.wait_for_timeout(seconds * 1000)

    def text(self):
        return self.page.inner_text("body")

    def address(self):
        return self.page.url

    def run(self, script, argument=None):
        """Run a function of JavaScript in the page."""
        return self.page.evaluate(script, argument)

    def frames(self):
        """Return the texts of the frames in the page; "" for one that the browser left empty."""
        return [frame.inner_text("body") for frame in self.page.frames[1:]]

    def cookies(self):
        return self.context.cookies()

    @staticmethod
    def _status(response):
        return response.status if response else None


def play(browser, task):
    contexts, windows, results = {}, {}, []
    try:
        for name, action, *given in json.loads(task["steps"][0]):
            who = name.split()[0]
            if who not in contexts:
                contexts[who] = browser.new_context(ignore_https_errors=True)
            if name not in windows:
                windows[name] = Window(contexts[who])
            results.append(getattr(windows[name], action)(*given))
    except PlaywrightError as error:
        return {"error": f"step {len(results)}, {name} {action} {given}: {error}"}
    finally:
        for context in contexts.values():
            context.close()
    return {"results": json.dumps(results)}


def main():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=sys.argv[1],
            args=QUIET,
            ignore_default_args=["--disable-back-forward-cache"],  # people's browsers have one
        )
        print(urlencode({"version": browser.version}), flush=True)
        for line in sys.stdin:
            task = parse_qs(line.rstrip("\n"), keep_blank_values=True)
            does = {"visit": visit, "script": script, "play": play}[task["do"][0]]
            done = does(browser, task)
            print(urlencode(done), flush=True)
        browser.close()


if __name__ == "__main__":
    main()
