"""The lessons' pages, as a browser gets them, before a validator that nobody here wrote.

html-validate (npm) is told to hold what the HTML standard says (`html-validate:standard`), what
people with a screen reader need, labels above all (`html-validate:a11y`), and what a whole page has
(`html-validate:document`). One rule is off, in node/.htmlvalidate.json: `require-sri` wants a hash
for each script and style sheet, which is for those of other hosts. Ours come from the lesson.
"""

import json
import shutil
import subprocess

import pytest

from learn import Browser, Lesson
from learn.layout import ROOT

NODE = ROOT / "tests" / "project" / "servers" / "node"
VALIDATOR = NODE / "node_modules" / "html-validate" / "bin" / "html-validate.mjs"
pytestmark = [
    pytest.mark.rest,
    pytest.mark.skipif(
        not shutil.which("node") or not VALIDATOR.exists(),
        reason="html-validate is not installed; docs/clients.md says how to",
    ),
]


@pytest.fixture(autouse=True, scope="module")
def validator():
    """Skip where Node.js is too old for it."""
    if subprocess.run(["node", VALIDATOR, "--version"], capture_output=True).returncode:
        pytest.skip("html-validate does not run on this Node.js; it wants 20.19 or newer")


def faults(folder, pages):
    """Return what the validator says of pages, given by name: (name, rule, message) each."""
    for name, text in pages.items():
        (folder / f"{name}.html").write_text(text, "utf-8")
    command = ["node", VALIDATOR, "-c", NODE / ".htmlvalidate.json", "-f", "json"]
    command += [folder / f"{name}.html" for name in pages]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=120)
    assert done.returncode in (0, 1) and not done.stderr, done.stderr
    found = [
        (one["filePath"].rpartition(".")[0].replace("\\", "/").rpartition("/")[2], said)
        for one in json.loads(done.stdout)
        for said in one["messages"]
    ]
    assert bool(found) == bool(done.returncode)
    return [(name, said["ruleId"], f"{said['line']}: {said['message']}") for name, said in found]


def html(answer, status=200):
    """Return the text of an answer that is a page."""
    assert answer.status == status, answer
    assert answer.header("Content-Type") == "text/html; charset=utf-8"
    return answer.text


def pages_06(file):
    with Lesson("06", file) as app:
        browser, odd = Browser(app, agent="<script>alert(1)</script>"), Browser(app)
        pages = {"login": html(browser.get("/login"))}
        pages["wrong"] = html(odd.submit("/login", username='<i>"&', password="x"), 403)
        browser.submit("/login", username="user2", password="pass2")
        pages["index"] = html(browser.get("/"))
        pages["sessions"] = html(browser.get("/sessions"))  # the form for the password as well
        for target, status in [("/public", 200), ("/admin", 403), ("/nothing", 404)]:
            answer = browser.get(target)  # these are text, and nothing to validate
            assert answer.status == status
            assert answer.header("Content-Type") == "text/plain; charset=utf-8"
    return pages


def pages_07(file):
    with Lesson("07", file) as app:
        return {"index": html(Browser(app).get("/"))}


def pages_08(file):
    with Lesson("08", file) as app:
        browser, there = Browser(app), Browser(app.provider)
        address = browser.get("/login").header("Location")
        pages = {"login": html(there.get(address))}
        pages["wrong"] = html(there.submit(address, username='<i>"&', password="x"), 403)
        pages["consent"] = html(there.submit(address, username="user1", password="pass1"))
        back = there.submit(address, decision="yes").header("Location")
        browser.get(back.removeprefix(app.origin))
        pages["hello"] = html(browser.get("/"))
        pages["logout"] = html(there.get("/end_session"))
        pages["out"] = html(there.submit("/end_session"))
    return pages


@pytest.mark.parametrize(
    "pages, file",
    [(pages_06, "app"), (pages_06, "beyond"), (pages_07, "app"), (pages_08, "app")],
)
def test_pages_are_valid(pages, file, tmp_path):
    """The validator finds nothing in any page of the lesson."""
    found = faults(tmp_path, pages(file))
    assert found == []


PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>A page</title></head>
<body><main><h1>A page</h1><form method="post">
<p><label for="name">Name</label> <input id="name" name="name" autocomplete="username"></p>
</form></main></body>
</html>
"""


@pytest.mark.parametrize(
    "old, new, rule",
    [
        ("</form>", "", "close-order"),
        ("<main><h1>A page</h1>", "<main><h1>A <em>page</h1></em>", "close-order"),
        ("<h1>A page</h1>", "<p><h1>A page</h1></p>", "close-order"),
        ('<label for="name">Name</label>', "Name", "input-missing-label"),
        ('for="name"', 'for="nobody"', "input-missing-label"),
        ('id="name" name', 'id="name" id="name" name', "no-dup-attr"),
        ("<h1>", '<h1 id="name">', "no-dup-id"),
        ("</p>", "<ul><li>one</ul></p>", "close-order"),
        ('autocomplete="username"', 'autocomplete="user-name"', "valid-autocomplete"),
        ("<!doctype html>\n", "", "missing-doctype"),
        ("<title>A page</title>", "", "element-required-content"),
        (' lang="en"', "", "element-required-attributes"),
    ],
)
def test_the_validator_sees(old, new, rule, tmp_path):
    """It finds nothing in a right page, and each of these in the same page with one fault."""
    assert PAGE.count(old) == 1
    found = faults(tmp_path, {"right": PAGE, "wrong": PAGE.replace(old, new)})
    assert {name for name, *_ in found} == {"wrong"}
    assert rule in {rule for _, rule, _ in found}, found
