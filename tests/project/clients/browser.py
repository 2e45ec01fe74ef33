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
"""

import sys
from urllib.parse import parse_qs, urlencode

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


def main():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=sys.argv[1], args=QUIET)
        print(urlencode({"version": browser.version}), flush=True)
        for line in sys.stdin:
            task = parse_qs(line.rstrip("\n"), keep_blank_values=True)
            done = {"visit": visit, "script": script}[task["do"][0]](browser, task)
            print(urlencode(done), flush=True)
        browser.close()


if __name__ == "__main__":
    main()
