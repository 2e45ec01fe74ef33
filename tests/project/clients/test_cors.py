"""Chromium and lesson 04, asked by a page of another origin: what its README says about CORS."""

import http.server
import json
import re
import threading

import pytest
from relay import Relay
from test_browser import BASIC, browser  # noqa: F401 (a fixture)

from learn import Lesson
from learn.layout import LESSONS

pytestmark = pytest.mark.rest  # a browser and several servers take their time

README = LESSONS / "04_jwt" / "README.md"
# In a page: send one request after the other; what came back, or the error's name, for each.
FETCH = """async (given) => {
    const results = [];
    for (const [url, how] of JSON.parse(given)) {
        try {
            const answer = await fetch(url, how);
            results.push([answer.status, await answer.text()]);
        } catch (error) {
            results.push([0, error.name]);
        }
    }
    return JSON.stringify(results);
}"""
HELD_BACK = [0, "TypeError"]


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>a page</title>")

    def log_message(self, *_):
        pass


@pytest.fixture
def origins():
    """Two origins that each serve an empty page: the front end's, and a stranger's."""
    servers = [http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page) for _ in range(2)]
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    yield [f"http://127.0.0.1:{server.server_port}" for server in servers]
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def serve(tmp_path):
    """Start lesson 04 with a piece of code more, behind a relay: serve(code)."""
    running = []

    def serve(code=""):
        for path in (LESSONS / "04_jwt").glob("*.py"):
            (tmp_path / path.name).write_bytes(path.read_bytes())
        app = tmp_path / "app.py"
        before, mark, after = app.read_text("utf-8").partition("\nstore.set_up(")
        assert mark
        app.write_text(f"{before}\n{code}\n{mark}{after}", "utf-8")
        lesson = Lesson("04", app)
        relay = Relay(lesson.port)
        running.extend([relay, lesson])
        return relay

    yield serve
    for one in running:
        one.stop()


def section(origin):
    """Return the code of the README's section, with this origin in the place of its example."""
    text = README.read_text("utf-8").split("(CORS)\n")[1].split("\n## ")[0]
    code = re.search(r"^```python\n(.*?)^```", text, re.M | re.S)[1]
    assert code.count("http://127.0.0.1:8000") == 1
    return code.replace("http://127.0.0.1:8000", origin)


def fetch(browser, page, *requests):  # noqa: F811
    """Let the page's script send (URL, how to send it), one after the other."""
    given = json.dumps([[url, how] for url, how in requests])
    return json.loads(browser.ask(do="script", url=page, script=FETCH, argument=given)["result"])


def sent(relay):
    return [f"{one.method} {one.target}" for one in relay.take()]


def test_without_the_section(browser, serve, origins):  # noqa: F811
    """Another origin's page reads nothing; what has a header of its own is not even sent."""
    relay = serve()
    page, bearer = f"{origins[0]}/", {"headers": {"Authorization": "Bearer x"}}
    assert fetch(browser, page, (f"{relay.url}/insecured", {})) == [HELD_BACK]
    assert sent(relay) == ["GET /insecured"]  # sent and answered, and kept from the script
    assert fetch(browser, page, (f"{relay.url}/secured", bearer)) == [HELD_BACK]
    assert sent(relay) == ["OPTIONS /secured"]


def test_with_the_section(browser, serve, origins):  # noqa: F811
    """The page logs in, uses the token, reads a refusal, logs out; a stranger's page can't."""
    relay = serve(section(origins[0]))
    page, stranger = (f"{origin}/" for origin in origins)
    log_in = f"{relay.url}/login", {"method": "POST", "headers": BASIC}
    [[status, body]] = fetch(browser, page, log_in)
    assert status == 200 and sent(relay) == ["OPTIONS /login", "POST /login"]
    bearer = {"headers": {"Authorization": f"Bearer {json.loads(body)['access_token']}"}}
    use = f"{relay.url}/secured", bearer
    public, refused = (f"{relay.url}/insecured", {}), (f"{relay.url}/secured", {})
    log_out = f"{relay.url}/logout", {"method": "POST", **bearer}
    came = fetch(browser, page, public, use, refused, log_out, use)
    assert [status for status, _ in came] == [200, 200, 401, 204, 401]
    assert came[1][1] == "Hello, user1!\n" and "/login" in came[2][1] and "logged out" in came[4][1]
    relay.take()
    assert fetch(browser, stranger, public, use, log_in) == [HELD_BACK] * 3
    assert sent(relay) == ["GET /insecured", "OPTIONS /secured", "OPTIONS /login"]


def test_a_form_is_sent_whatever_is_allowed(browser, serve, origins):  # noqa: F811
    """CORS holds answers back, not forms: without a token this one comes to nothing."""
    relay = serve(section(origins[0]))
    form = {"method": "POST", "body": "a=b", "mode": "no-cors"}
    form["headers"] = {"Content-Type": "application/x-www-form-urlencoded"}
    assert fetch(browser, f"{origins[1]}/", (f"{relay.url}/logout", form)) == [[0, ""]]
    [one] = relay.take()
    assert (one.method, one.target, one.body) == ("POST", "/logout", b"a=b")
    assert "Authorization" not in one.headers


STAR = """
@app.after_request
def share(response):
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Access-Control-Allow-Credentials"] = "true"
    response.headers["Access-Control-Allow-Headers"] = "*"
    response.headers["Set-Cookie"] = "who=user1; SameSite=Lax"
    return response


@app.get("/cookie")
def cookie():
    return request.cookies.get("who", "nobody")
"""


def test_star_and_credentials(browser, serve, origins):  # noqa: F811
    """With `*` any page reads what is public, none what comes with what the browser remembers."""
    relay = serve(STAR)
    page = f"{origins[1]}/"
    remembered = f"{relay.url}/cookie", {"credentials": "include"}
    public = f"{relay.url}/insecured", {}
    assert fetch(browser, page, remembered, remembered) == [HELD_BACK] * 2
    assert [one.headers.get("Cookie") for one in relay.take()] == [None, "who=user1"]
    assert fetch(browser, page, public) == [[200, "Hello, whoever you are!\n"]]


def test_any_origin_copied(browser, serve, origins):  # noqa: F811
    """The same with any origin copied into the answer: a stranger's page reads who is there."""
    relay = serve(STAR.replace('"*"', 'request.headers.get("Origin", "*")', 1))
    remembered = f"{relay.url}/cookie", {"credentials": "include"}
    came = fetch(browser, f"{origins[1]}/", remembered, remembered)
    assert came == [[200, "nobody"], [200, "user1"]]


def test_star_among_the_headers(browser, serve, origins):  # noqa: F811
    """`Access-Control-Allow-Headers: *` lets Authorization through, against the Fetch standard.

    When Chromium changes that, the README's last point about it has to change as well.
    """
    relay = serve(STAR)
    use = f"{relay.url}/secured", {"headers": {"Authorization": "Bearer x"}}
    assert [status for status, _ in fetch(browser, f"{origins[0]}/", use)] == [401]
