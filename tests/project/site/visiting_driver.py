"""A visit by a browser with a profile: python visiting_driver.py CHROMIUM ADDRESS PAGE GIVEN

GIVEN is a JSON list with the profile's folder. The page, a notebook's, is opened, and its second
cell is run, before which the first runs: they start a lesson and show an exchange. Prints as JSON
the seconds from the click until each has run. The browser starts anew for each visit, so what it
has from the one before comes from its cache on disk.
"""

import json
import sys
import time

from playwright.sync_api import sync_playwright
from reading_driver import QUIET


def main():
    chromium, address, name, given = sys.argv[1:]
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            json.loads(given)[0], executable_path=chromium, args=QUIET
        )
        page = context.new_page()
        page.goto(address + name)
        page.wait_for_load_state("networkidle")
        begun, found = time.perf_counter(), {}
        page.locator("#cell-2").get_by_role("button", name="Run").click()
        for number, what in ((1, "first cell"), (2, "first exchange")):
            status = page.locator(f"#cell-{number}").get_by_role("status")
            status.filter(has_text="ran just now").wait_for(timeout=120_000)
            found[what] = round(time.perf_counter() - begun, 2)
        found["shown"] = page.locator("#cell-2 .outputs").inner_text()
        print(json.dumps(found))
        context.close()


if __name__ == "__main__":
    main()
