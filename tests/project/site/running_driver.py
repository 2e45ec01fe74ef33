"""Chromium with a page that has an Engine (learn/site/engine.js), driven by Playwright, headless.

Usage: running_driver.py CHROMIUM ADDRESS. Each line on standard input is a JSON list: a method of
the engine and its arguments; "loop", which runs an endless cell and stops it after a second; "at",
which starts another engine with this base; "progress", for that property; or "asked", for the
addresses that were asked for. Each line on standard output is the answer, a JSON object: outputs,
answer, error.
"""

import json
import sys
import time

from playwright.sync_api import sync_playwright

CALL = """async ([name, ...given]) => {
    const outputs = [];
    try {
        if (name === "run") given.push((output) => outputs.push(output));
        if (name === "loop") {
            const looping = engine.run("while True: pass").catch((error) => error);
            await new Promise((resolve) => setTimeout(resolve, 1000));
            engine.stop();
            return { outputs, answer: (await looping).stopped };
        }
        if (name === "at") return { answer: await new Engine({ base: given[0] }).start() };
        if (name === "progress") return { answer: engine.progress };
        return { outputs, answer: await engine[name](...given) };
    } catch (error) {
        return { outputs, error: error.message };
    }
}"""
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
ARGUMENTS += ["--disable-component-update", "--disable-sync"]
ARGUMENTS += ["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]


def main():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=sys.argv[1], args=ARGUMENTS)
        page = browser.new_page()
        asked, wrong = [], []
        page.context.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: wrong.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.goto(sys.argv[2])
        for _ in range(200):  # not wait_for_function, which the page's policy forbids
            if page.evaluate("Boolean(window.engine)"):
                break
            time.sleep(0.1)
        print(json.dumps({"answer": browser.version}), flush=True)
        for line in sys.stdin:
            task = json.loads(line)
            if task[0] == "asked":
                done = {"answer": asked, "wrong": wrong}
            else:
                done = page.evaluate(CALL, task)
            print(json.dumps(done), flush=True)
        browser.close()


if __name__ == "__main__":
    main()
