"""The pages in Chromium: python reading_driver.py CHROMIUM ADDRESS SCENARIO GIVEN

plays one scenario, a function below, with what is given as JSON, and prints what came of it.
"""

import json
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

QUIET = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
QUIET += ["--disable-component-update", "--disable-sync", "--disable-quic"]
PHONE, DESK = {"width": 360, "height": 740}, {"width": 1280, "height": 900}
# What is wrong with the policy is written down from the first moment on.
LISTEN = """addEventListener("securitypolicyviolation", (event) => {
    (window.refused ??= []).push(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`);
});"""
# What Lighthouse measures: first paint, shifts of the layout, tasks above 50 ms.
MEASURE = """window.seen = { shift: 0, blocked: 0 };
new PerformanceObserver((list) => {
    for (const one of list.getEntries()) if (!one.hadRecentInput) seen.shift += one.value;
}).observe({ type: "layout-shift", buffered: true });
new PerformanceObserver((list) => {
    for (const one of list.getEntries()) seen.blocked += Math.max(0, one.duration - 50);
}).observe({ type: "longtask", buffered: true });"""


class Reader:
    """Somebody with a browser of their own. `faults` and `elsewhere` are what must not happen."""

    def __init__(self, browser, address, viewport=DESK, scheme="light", **more):
        self.context = browser.new_context(viewport=viewport, color_scheme=scheme, **more)
        self.context.add_init_script(LISTEN)
        self.address, self.faults, self.elsewhere, self.asked = address, [], [], []
        self.context.on("request", self._asked)
        self.page = self.new_page()

    def new_page(self):
        page = self.context.new_page()
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        return page

    def _said(self, message):
        if message.type in ("error", "warning"):
            self.faults.append(message.text)

    def _asked(self, request):
        self.asked.append(request.url)
        if not request.url.startswith((self.address, "data:", "blob:")):
            self.elsewhere.append(request.url)

    def open(self, page):
        self.page.goto(self.address + page)
        self.page.wait_for_load_state("networkidle")

    def refused(self):
        return self.page.evaluate("window.refused ?? []")

    def wrong(self):
        return [*self.faults, *self.elsewhere, *self.refused()]


def wait_for_words(page, words):
    """Wait until the line below the editor says something (no eval: the policy forbids it)."""
    page.locator("#kept").filter(has_text=words).wait_for(timeout=10_000)


def widths(browser, address, pages):
    """Open each page on a telephone; return how wide each is, and what went wrong."""
    found = {}
    reader = Reader(browser, address, PHONE)
    for page in pages:
        reader.open(page)
        width = reader.page.evaluate("document.documentElement.scrollWidth")
        found[page] = [width, reader.wrong()]
    return found


def accessible(browser, address, pages, axe):
    """Return what axe finds, serious or critical, on each page, in light and dark."""
    script, found = Path(axe).read_text("utf-8"), {}
    for scheme in ("light", "dark"):
        reader = Reader(browser, address, scheme=scheme)
        for page in pages:
            reader.open(page)
            reader.page.evaluate(script)
            result = reader.page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
            wrong = [
                f"{one['id']}: {one['nodes'][0]['target']} {one['nodes'][0]['failureSummary']}"
                for one in result["violations"]
                if one["impact"] in ("serious", "critical")
            ]
            if wrong or not result["passes"]:
                found[f"{page}, {scheme}"] = wrong
    return found


def keyboard(browser, address):
    """Go from the first page to a lesson's practice with Tab and Enter; return where one was."""
    reader = Reader(browser, address)
    page, said = reader.page, {}
    reader.open("index.html")
    page.keyboard.press("Tab")
    said["first"] = page.evaluate("document.activeElement.textContent")
    page.keyboard.press("Enter")
    said["skipped to"] = page.evaluate("location.hash")

    def tab_to(text, most=80):
        for _ in range(most):
            page.keyboard.press("Tab")
            at = page.evaluate("document.activeElement.textContent.trim().replace(/\\s+/g, ' ')")
            if at.startswith(text):
                return at
        return None

    said["offer"] = tab_to("Practise")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    page.wait_for_selector(".cm-content")
    said["tab"] = tab_to("exercise.py")
    page.keyboard.press("ArrowRight")
    said["next tab"] = page.evaluate("document.activeElement.textContent")
    said["shown"] = page.locator("[role=tabpanel]:visible").get_attribute("aria-labelledby")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Tab")
    page.keyboard.press("Control+Home")
    page.keyboard.type("# by hand")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")  # indents
    page.keyboard.type("pass")
    said["typed"] = page.locator(".cm-line").all_inner_texts()[:2]
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    said["left to"] = page.evaluate("document.activeElement.textContent")
    said["wrong"] = reader.wrong()
    return said


def work_is_kept(browser, address):
    """Write, reload, reset, put back, upload, download: what is in the editor each time."""
    reader = Reader(browser, address, accept_downloads=True)
    page, found = reader.page, {}

    def text():
        page.wait_for_selector(".cm-content")
        return "\n".join(page.locator(".cm-line").all_inner_texts()[:3])

    def write(line):
        page.locator(".cm-content").focus()
        page.keyboard.press("Control+Home")
        page.keyboard.type(line + "\n")

    def press(name):
        page.get_by_role("button", name=name).first.click()

    def says():
        return page.locator("#kept").inner_text()

    reader.open("lessons/02_basic/practice.html")
    found["first"] = text()
    write("# my work")
    page.reload()  # at once, within the pause before it is kept
    found["reloaded"] = text()
    press("Reset")
    press("No")
    found["not reset"] = text()
    press("Reset")
    press("Yes")
    found["reset"], found["said"] = text(), says()
    page.reload()
    found["reset, reloaded"] = text()
    page.locator("#copies").get_by_role("button", name="Put back").first.click()
    found["back"] = text()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download", exact=True).click()
    found["download"] = Path(download.value.path()).read_text("utf-8").split("\n")[0]
    found["download name"] = download.value.suggested_filename
    put = {"name": "mine.py", "mimeType": "text/x-python", "buffer": b"# from a file\n"}
    page.locator("#file").set_input_files(put)
    wait_for_words(page, "mine.py")
    found["uploaded"] = text()
    page.locator("#file").set_input_files({**put, "buffer": b"\0" * 10})
    wait_for_words(page, "no Python")
    found["no file"] = text()
    other = reader.new_page()
    other.goto(page.url)
    other.wait_for_selector(".cm-content")
    other.locator(".cm-content").focus()
    other.keyboard.press("Control+Home")
    other.keyboard.type("# elsewhere\n")
    wait_for_words(other, "Kept in this browser")
    write("# here")
    wait_for_words(page, "Kept in this browser")
    copies = page.evaluate(
        "JSON.parse(localStorage['learn-flask-authentication:exercise:02:copies'])"
    )
    found["both"] = [text().split("\n")[0], copies[0]["text"].split("\n")[0]]
    other.close()
    found |= progress_is_carried(page, text, write)
    found["wrong"] = reader.wrong()
    return found


def progress_is_carried(page, text, write):
    """By keyboard: save all progress, clear the storage, load it; load it over other work."""
    found, said = {}, page.locator("#kept")
    page.on("filechooser", lambda _: None)  # listen from now on: at the key's press it is too late
    known = {
        "progress": '{"02_basic": {"hints": {"TestCredentials": 2}}}',
        "steps:02": '{"steps": [{"name": "TestCredentials", "state": "passed"}]}',
        "exercise:03": "# lesson 03",
        "cell:03:2": "app.get('/')",
    }
    page.evaluate(
        "all => { for (const [name, text] of all) localStorage[name] = text }",
        [[f"learn-flask-authentication:{name}", text] for name, text in known.items()],
    )

    def kept():
        return page.evaluate("({ ...localStorage })")

    def load(name, content):
        page.get_by_role("button", name="Load progress").focus()
        with page.expect_file_chooser() as chooser:
            page.keyboard.press("Enter")
        file = {"name": name, "mimeType": "application/json", "buffer": content}
        chooser.value.set_files(file)

    page.get_by_role("button", name="Save progress").focus()
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    found["saved as"] = download.value.suggested_filename
    saved, before = Path(download.value.path()).read_bytes(), kept()
    page.evaluate("localStorage.clear()")
    page.reload()
    found["cleared"] = [text(), kept()]
    load("mine.json", saved)
    wait_for_words(page, "mine.json is loaded")
    found["loaded"] = [text(), kept() == before, len(before)]
    found["step"] = page.locator("[data-step=TestCredentials]").get_attribute("data-state")
    # Other work is asked about; exercises become copies, of other lessons as well.
    write("# newer")
    wait_for_words(page, "Kept in this browser")
    page.evaluate("localStorage['learn-flask-authentication:exercise:03'] = '# newer 03'")
    before = kept()
    load("mine.json", saved)
    found["asked"] = page.locator("#ask-text").inner_text()
    page.keyboard.press("Enter")  # No, which has the focus
    wait_for_words(page, "Nothing was changed")
    found["no"] = [text().split("\n")[0], kept() == before]
    broken = json.loads(saved)
    broken["kept"]["steps:02"] = '{"steps": 1}'
    for name, content in {
        "mine.py": b"print()",
        "half.json": saved[:-9],
        "other.json": b'{"kept": {"exercise:02": "x"}}',
        "broken.json": json.dumps(broken).encode(),
        "picture.json": b"\x89PNG\0",
    }.items():
        load(name, content)
        wait_for_words(page, f"{name} holds no progress")
        found.setdefault("refused", []).append([said.inner_text(), kept() == before])
    load("mine.json", saved)
    page.locator("#ask[open]").wait_for()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")  # Yes
    wait_for_words(page, "mine.json is loaded")
    after = {name.split(":", 1)[1]: text for name, text in kept().items()}
    copies = [json.loads(after[f"exercise:{number}:copies"])[0]["text"] for number in ("02", "03")]
    found["yes"] = [text().split("\n")[0], after["exercise:03"]]
    found["copied"] = [one.split("\n")[0] for one in copies]
    page.reload()
    found["yes, reloaded"] = text().split("\n")[0]
    return found


def nothing_can_be_kept(browser, address):
    """localStorage that is full, or forbidden: what is said, and that nothing is lost.

    Progress can be saved all the same, and loading another changes nothing.
    """
    found = {}
    full = "Storage.prototype.setItem = () => { throw new DOMException('', 'QuotaExceededError') }"
    none = """Object.defineProperty(window, 'localStorage',
        { get() { throw new DOMException('', 'SecurityError') } })"""
    for name, script in (("full", full), ("forbidden", none)):
        reader = Reader(browser, address)
        reader.context.add_init_script(script)
        page = reader.page
        reader.open("lessons/02_basic/practice.html")
        page.wait_for_selector(".cm-content")
        page.locator(".cm-content").focus()
        page.keyboard.press("Control+Home")
        page.keyboard.type("# mine\n")
        wait_for_words(page, "Download your file")
        said = [page.locator("#kept").inner_text()]
        page.get_by_role("button", name="Reset").click()
        page.get_by_role("button", name="Yes").click()
        wait_for_words(page, "Nothing was changed")
        said += [page.locator("#kept").inner_text(), page.locator(".cm-line").first.inner_text()]
        with page.expect_download() as download:
            page.get_by_role("button", name="Save progress").click()
        saved = Path(download.value.path()).read_bytes()
        said.append(json.loads(saved)["kept"]["exercise:02"].split("\n")[0])
        put = {"name": "mine.json", "mimeType": "application/json"}
        page.locator("#progress").set_input_files(
            {**put, "buffer": saved.replace(b"# mine", b"# other")}
        )
        page.get_by_role("button", name="Yes").click()
        wait_for_words(page, "Nothing was changed")
        said.append(page.locator(".cm-line").first.inner_text())
        found[name] = [*said, reader.wrong()]
    return found


def without_scripts(browser, address):
    """Read without JavaScript: text, code and outputs are there."""
    reader = Reader(browser, address, java_script_enabled=False)
    found = {}
    for page in ("index.html", "notebooks/02_basic.html", "lessons/02_basic/practice.html"):
        reader.page.goto(address + page)
        found[page] = reader.page.locator("main").inner_text()
    return found


def cells(browser, address):
    """Run a cell (those above come first), change it, break it, let it loop, stop it, go on."""
    reader = Reader(browser, address)
    page, found = reader.page, {}

    def cell(number):
        return page.locator(f"#cell-{number}")

    def state(number, words):
        cell(number).get_by_role("status").filter(has_text=words).wait_for(timeout=90_000)
        return cell(number).locator(".outputs").inner_text()

    def write(code):
        page.keyboard.press("Control+A")
        page.keyboard.type(code)
        page.keyboard.press("Control+Enter")

    reader.open("notebooks/02_basic.html")
    found["asked before"] = [url for url in reader.asked if "/run/" in url]
    cell(2).get_by_role("button", name="Run").click()
    found["ran"] = state(2, "ran just now")
    found["first ran too"] = cell(1).get_by_role("status").inner_text()
    cell(2).get_by_role("button", name="Edit").click()
    cell(2).locator(".cm-content").wait_for()
    write("app.get('/public')")
    found["changed"] = state(2, "ran just now")
    write("1 / 0")
    found["broken"] = state(2, "failed")
    write("while True: pass")
    page.get_by_role("button", name="Stop").click()
    found["stopped"] = cell(2).locator(".outputs").inner_text()
    found["bar"] = page.locator("#engine p").inner_text()
    page.reload()
    cell(2).locator(".cm-content").wait_for()
    found["kept"] = cell(2).locator(".cm-content").inner_text()
    cell(2).get_by_role("button", name="As it was").click()
    cell(2).get_by_role("button", name="Run").click()
    found["again"] = state(2, "ran just now")
    found["wrong"] = reader.wrong()
    return found


def checked(browser, address):
    """Check an exercise and ask for a hint; return what is shown, and again after a reload."""
    reader = Reader(browser, address)
    page, found = reader.page, {}

    def ask(name, words):
        page.get_by_role("button", name=name, exact=True).click()
        page.locator("#answer").filter(has_text=words).wait_for(timeout=120_000)
        return page.locator("#answer").inner_text()

    def states():
        return page.locator(".steps > li").evaluate_all("all => all.map(e => e.dataset.state)")

    reader.open("lessons/02_basic/practice.html")
    page.locator(".cm-content").wait_for()
    found["check"] = ask("Check", "Step 1")
    found["states"] = states()
    found["hint"] = ask("Hint", "Hint 1")
    page.reload()
    page.locator(".cm-content").wait_for()
    found["states, reloaded"] = states()
    found["another"] = ask("Hint", "Hint")
    page.get_by_role("button", name="Solution", exact=True).click()
    found["asked"] = page.locator("#ask-text").inner_text()
    page.get_by_role("button", name="No", exact=True).click()
    found["wrong"] = reader.wrong()
    return found


def explained(browser, address):
    """Type while Python starts; then go offline, and type on. What was asked of the network?"""
    reader = Reader(browser, address)
    page, found = reader.page, {}
    answer = page.locator("#answer")
    reader.open("explain.html")
    found["asked before"] = [url for url in reader.asked if "/run/" in url]
    page.locator("#paste").focus()
    page.keyboard.type("Authorization: Basic dXNlcjE6cGFzczE=")
    found["kept"] = page.locator("#paste").input_value()
    answer.filter(has_text="pass1").wait_for(timeout=90_000)
    before = len(reader.asked)
    reader.context.set_offline(True)
    page.locator("#paste").fill("Authorization: Basic dXNlcjI6cGFzczI=")
    answer.filter(has_text="pass2").wait_for(timeout=30_000)
    page.locator("#paste").fill("")
    answer.filter(has_not_text="pass2").wait_for(state="attached", timeout=30_000)
    found["then asked"] = reader.asked[before:]
    found["stored"] = page.evaluate(
        "[JSON.stringify(localStorage), JSON.stringify(sessionStorage)]"
    )
    found["wrong"] = reader.wrong()
    return found


def explained_on_a_telephone(browser, address, pasted):
    """Press each example's button, and paste a text; return how wide the page is each time."""
    reader = Reader(browser, address, PHONE)
    page, found = reader.page, {"widths": []}
    reader.open("explain.html")

    def answered():
        page.locator("#answer > *").first.wait_for(timeout=90_000)
        found["widths"].append(page.evaluate("document.documentElement.scrollWidth"))
        page.locator("#paste").fill("")
        page.locator("#answer").filter(has_not=page.locator("*")).wait_for(state="attached")

    for button in page.locator("#samples button").all():
        button.click()
        answered()
    page.locator("#paste").fill(pasted)
    answered()
    found["wrong"] = reader.wrong()
    return found


def measure(browser, address, pages, slower):
    """Return for each page: requests, bytes on the wire, first paint, shifts, blocking (ms).

    `slower` says how many times as slow the processor is made; Lighthouse's telephone has 4.
    """
    found = {}
    for page in pages:
        reader = Reader(browser, address, PHONE)
        session = reader.context.new_cdp_session(reader.page)
        session.send("Network.enable")
        session.send("Emulation.setCPUThrottlingRate", {"rate": slower})
        sizes = []
        session.on("Network.loadingFinished", lambda e, s=sizes: s.append(e["encodedDataLength"]))
        reader.context.add_init_script(MEASURE)
        reader.open(page)
        painted = "performance.getEntriesByName('first-contentful-paint').length"
        reader.page.wait_for_function(painted, timeout=60_000)
        reader.page.wait_for_timeout(500)
        paint, loaded, seen = reader.page.evaluate("""[
            performance.getEntriesByName("first-contentful-paint")[0]?.startTime,
            performance.getEntriesByType("navigation")[0].responseEnd, seen]""")
        found[page] = {
            "requests": len(sizes),
            "bytes": round(sum(sizes)),
            "first paint ms": round(paint),
            "after its bytes ms": round(paint - loaded),
            "layout shift": round(seen["shift"], 4),
            "blocked ms": round(seen["blocked"]),
        }
        reader.context.close()
    return found


def main():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=sys.argv[1], args=QUIET)
        given = json.loads(sys.argv[4])
        print(json.dumps(globals()[sys.argv[3]](browser, sys.argv[2], *given)))
        browser.close()


if __name__ == "__main__":
    main()
