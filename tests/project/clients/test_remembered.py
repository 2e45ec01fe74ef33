"""What Chromium does with a Basic password that it remembers: forms of others, and a way out.

The servers are reached as `lesson.test` and `other.test`, over plain http, where Chromium sends no
Sec-Fetch-Site.
"""

import http.server
import threading

import pytest
from test_browser import browser  # noqa: F401 (a fixture)

from learn import Lesson
from learn.layout import LESSONS

pytestmark = pytest.mark.rest  # a browser's start costs more than most tests
ADDRESS = "http://{}.test:{}{}"
FORM = """<form method="post" action="{}"><input name="password" value="theirs"></form>
<script>document.forms[0].submit()</script>"""
WAY_OUT = """

@app.get("/out")
def out():
    return "Forgotten.", {"Clear-Site-Data": '"cookies"'}
"""


@pytest.fixture
def forms():
    """A server of somebody else's, whose pages send a form to the address in their query."""

    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = FORM.format(self.path.partition("?")[2]).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def changed_lesson(folder, old, new):
    """Write lesson 02 into a folder, with a change; return its app.py."""
    for name in ("app.py", "store.py", "groundwork.py"):
        text = (LESSONS / "02_basic" / name).read_text("utf-8")
        if name == "app.py":
            assert text.count(old) == 1
            text = text.replace(old, new)
        (folder / name).write_text(text, "utf-8")
    return folder / "app.py"


@pytest.mark.parametrize("is_checked", [True, False])
@pytest.mark.parametrize("site", ["other", "evil.lesson"])
def test_a_form_of_another_site(browser, forms, tmp_path, site, is_checked):  # noqa: F811
    """Chromium adds the password to another site's form; app.py refuses it, and says why."""
    check = "@app.before_request\n" if is_checked else ""
    path = changed_lesson(tmp_path, "@app.before_request\n", check)
    with Lesson("02", path) as app:
        form = ADDRESS.format(site, forms, "/sends-a-form?")
        form += ADDRESS.format("lesson", app.port, "/password")
        page = ADDRESS.format("lesson", app.port, "/")
        status, _, asked = browser.visit(page, "pass1", then=form)
        assert (status, asked) == ((403, 1) if is_checked else (204, 1))
        old = app.get("/", basic=("user1", "pass1")).status
        assert old == (200 if is_checked else 401)


@pytest.mark.parametrize("has_way_out", [True, False])
def test_clear_site_data_forgets_the_password(browser, tmp_path, has_way_out):  # noqa: F811
    """On 127.0.0.1, Clear-Site-Data: "cookies" makes Chromium ask for the password again."""
    path = changed_lesson(tmp_path, "\n\nstore.set_up(", f"{WAY_OUT}\n\nstore.set_up(")
    with Lesson("02", path) as app:
        page = f"http://127.0.0.1:{app.port}"
        way = f"{page}/{'out' if has_way_out else 'public'}"
        status, _, asked = browser.visit(f"{page}/", "pass1", then=[way, f"{page}/"])
        assert (status, asked) == ((401, 2) if has_way_out else (200, 1))
