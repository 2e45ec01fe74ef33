"""The web pages for reading: what they link to, what they load, and how they are served."""

import gzip
import http.client
import json
import re
import subprocess
import sys
import threading
from collections import Counter
from contextlib import contextmanager
from html.parser import HTMLParser
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

import pytest
from pygments.token import STANDARD_TYPES

from learn.layout import ROOT, LessonError, notebooks
from learn.practice import report
from learn.practice.grades import Grade
from learn.practice.grading import Outcome
from learn.practice.results import Verdict
from learn.practice.submissions import Submission
from learn.site import build, npm, sequence, serving
from learn.site.markup import Markup
from learn.site.pages import DOCUMENTS, ELSEWHERE, Map, about, given, sources
from learn.site.pages import lessons as all_lessons

LIMIT = 300_000  # bytes of a page with all that it loads, packed
WIRE = 12_000_000  # bytes that a browser gets until the first cell has run
AGAIN = 10_000  # bytes that it gets at its second visit, when all is to be asked after


class Page(HTMLParser):
    """What a page holds: ids, links, what it loads, and each element's attributes."""

    def __init__(self, path):
        super().__init__()
        self.ids, self.links, self.loads, self.attributes = Counter(), [], [], []
        self.texts, self.within, self.tags = [], [], Counter()
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.tags[tag] += 1
        self.attributes.append((tag, found))
        self.within.append(tag)
        if found.get("id"):
            self.ids[found["id"]] += 1
        if tag == "a" and "href" in found:
            self.links.append(found["href"])
        elif "src" in found or tag == "link":
            self.loads.append(found.get("src") or found["href"])

    def handle_data(self, data):
        if self.within[-1:] in (["script"], ["style"]):
            self.texts.append(data)

    def handle_endtag(self, tag):
        if tag in self.within:
            while self.within.pop() != tag:
                pass


@pytest.fixture(scope="module")
def read(reading):
    """All pages, by their paths from the top."""
    return {path.relative_to(reading).as_posix(): Page(path) for path in reading.rglob("*.html")}


def test_every_readme_notebook_document_and_file_has_a_page(read):
    """Nothing of the tutorial is left out."""
    lessons = [folder.name for folder in all_lessons()]
    wanted = {
        f"lessons/{name}/{part}"
        for name in lessons
        for part in ("index.html", "app.py.html", "naive.py.html", "store.py.html", "changes.html")
    }
    wanted |= {f"notebooks/{path.stem}.html" for path in notebooks()}
    wanted |= {f"docs/{path.stem}.html" for path in (ROOT / "docs").glob("*.md")}
    assert len(lessons) >= 8 and wanted <= set(read)


def test_every_link_and_anchor_leads_somewhere(reading, read):
    """Links are relative, to a page that is there, and to an id that is there once."""
    broken, count = [], 0
    for name, page in read.items():
        for href in [*page.links, *page.loads]:
            if urlsplit(href).scheme:
                assert href.startswith(("https://", "http://localhost:")), (name, href)
                continue
            count += 1
            target, anchor = urldefrag(urljoin(f"//site/{name}", href))
            target = unquote(target.removeprefix("//site/"))
            if href.startswith("/") or not (reading / target).is_file():
                broken.append((name, href))
            elif anchor and read[target].ids[unquote(anchor)] != 1:
                broken.append((name, href))
    assert not broken and count > 2000


def test_every_page_can_be_reached(reading, read):
    """From the first page by links, and each file of a lesson from the lesson's own page."""
    ways = {}
    for name, page in read.items():
        places = (urljoin(f"//site/{name}", urldefrag(href)[0]) for href in page.links if href)
        ways[name] = {unquote(place.removeprefix("//site/")) for place in places}
    seen, new = set(), {"index.html"}
    while new:
        seen |= new
        new = set().union(*(ways[name] for name in new)) & set(read) - seen
    assert seen == set(read)
    for folder in all_lessons():
        base = f"lessons/{folder.name}"
        files = {f"{base}/{path.relative_to(folder).as_posix()}.html" for path in sources(folder)}
        assert files <= ways[f"{base}/index.html"], folder.name


def test_what_a_lesson_gives_is_no_solution():
    """Its store, its templates, what only it has; a line on each file that says one of itself."""
    names = {
        folder.name[:2]: [path.relative_to(folder).as_posix() for path in given(folder)]
        for folder in all_lessons()
    }
    assert all(files[0] == "store.py" and "groundwork.py" in files for files in names.values())
    solutions = {"app.py", "naive.py", "beyond.py", "api_keys.py", "steps.toml"}
    assert not [name for files in names.values() for name in files if name in solutions]
    assert "templates/login.html" in names["06"] and "static/page.js" in names["07"]
    assert {"client.py", "sessions.py", "templates/hello.html"} <= set(names["08"])
    lesson = ROOT / "lessons" / "07_passkeys"
    assert about(lesson / "static" / "page.js") == "The page of lesson 07."
    assert about(lesson / "static" / "page.html") == ""
    assert all(about(path) for path in lesson.glob("*.py"))


def test_every_document_has_a_line_on_the_first_page(reading):
    """A sentence of its own, which says what one finds there."""
    assert set(DOCUMENTS) == {path.stem for path in (ROOT / "docs").glob("*.md")}
    assert all(re.fullmatch(r"[A-Z].*\.", line) for line in DOCUMENTS.values())
    shown = (reading / "index.html").read_text("utf-8")
    assert shown.count('<li><a href="docs/') == len(DOCUMENTS)


def test_colours_of_code_are_for_code():
    """Pygments' classes are short, and mean something else on other elements (`answer s2`)."""
    sheet = (build.HERE / "static" / "style.css").read_text("utf-8")
    sheet = re.sub(r"/\*.*?\*/|:is\([^)]*\)", "", sheet, flags=re.S)
    selectors = [one for found in re.findall(r"([^{}]+)\{", sheet) for one in found.split(",")]
    short = set(STANDARD_TYPES.values()) - {""}
    assert len(selectors) > 200
    alone = [
        one
        for one in selectors
        if (names := re.findall(r"\.([\w-]+)", one)) and set(names) <= short
    ]
    assert not alone


def test_a_page_loads_nothing_from_elsewhere_and_holds_no_style_or_script(read):
    """The policy stands first in each page, and nothing in it needs an exception from it."""
    for name, page in read.items():
        policy = [found for tag, found in page.attributes if found.get("http-equiv")]
        assert [found["content"] for found in policy] == [build.POLICY], name
        assert not [href for href in page.loads if urlsplit(href).scheme], name
        inline = [
            (tag, key)
            for tag, found in page.attributes
            for key in found
            if key == "style" or key.startswith("on")
        ]
        assert not inline and not page.tags["style"] and not page.tags["script"], (name, inline)
        assert not page.texts
    assert "unsafe-inline" not in build.POLICY and "unsafe-eval'" not in build.POLICY.replace(
        "wasm-unsafe-eval'", ""
    )


def test_a_page_says_what_it_is(read):
    """One main heading, landmarks, a title of its own, words for each picture, unique ids."""
    for name, page in read.items():
        assert (page.tags["h1"], page.tags["main"], page.tags["header"]) == (1, 1, 1), name
        assert ("html", {"lang": "en"}) in page.attributes, name
        assert all(found.get("alt") for tag, found in page.attributes if tag == "img"), name
        assert not [one for one, count in page.ids.items() if count > 1], name


def test_a_page_is_light(reading, read):
    """Packed, with all that it loads, no page is near the limit."""
    heavy = {}
    for name, page in read.items():
        files = {(reading / name).parent / href for href in page.loads} | {reading / name}
        heavy[name] = sum(len(gzip.compress(path.read_bytes())) for path in files)
    assert max(heavy.values()) < LIMIT, max(heavy, key=heavy.get)


def test_outputs_of_notebooks_are_there(reading):
    """What a notebook has shown stands in its page: exchanges, tables, charts, a QR code."""
    text = (reading / "notebooks" / "02_basic.html").read_text("utf-8")
    assert '<pre class="http answer s4"' in text and "<b>WWW-Authenticate</b>" in text
    assert len(list((reading / "notebooks").glob("05_otp-*.svg"))) == 1
    assert len(list((reading / "notebooks").glob("99_compare-*.png"))) == 3


def test_code_is_the_files_own(reading):
    """A file's page shows the file, and nothing else."""
    for path in sources(ROOT / "lessons" / "02_basic"):
        page = (reading / "lessons" / "02_basic" / f"{path.name}.html").read_text("utf-8")
        shown = re.search(r"<pre[^>]*><code>(.*?)</code></pre>", page, re.S)[1]
        plain = re.sub(r"<[^>]+>", "", shown).replace("&lt;", "<").replace("&gt;", ">")
        plain = plain.replace("&quot;", '"').replace("&#39;", "'").replace("&amp;", "&")
        assert plain == path.read_text("utf-8").rstrip("\n")


def test_a_learners_own_work_is_not_published(tmp_path):
    """Exercises, copies of them and databases are no files of a lesson."""
    for name in ("app.py", "exercise.py", "exercise_1.py", "instance/lesson.db", "instance/x.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    assert [path.name for path in sources(tmp_path)] == ["app.py"]


def test_a_link_to_nothing_is_said():
    """A broken link in a README stops the building, with the file and the link."""
    here = Map.of_repository()
    with pytest.raises(LessonError, match=r"02_basic/README.md links to gone.md, which"):
        here.link("lessons/02_basic/README.md", "gone.md")
    with pytest.raises(LessonError, match="isn't there"):
        here.link("README.md", "../../etc/hostname")
    assert here.link("lessons/02_basic/README.md", "../../docs/serving.md#a") == (
        "../../docs/serving.html#a"
    )
    assert here.link("README.md", "https://example.org/a.md") == "https://example.org/a.md"


def test_what_a_readme_writes_is_text():
    """HTML and addresses that run code are shown, not followed."""
    drawn = Markup().render(
        "# A *b* `c`!\n\n# A b c\n\n<b onclick=x> [l](javascript:x)\n\n|a|\n|--:|\n|1|\n"
    )
    assert 'id="a-b-c"' in drawn and 'id="a-b-c-1"' in drawn
    assert "&lt;b onclick" in drawn and "href" not in drawn
    assert 'class="right"' in drawn and "style" not in drawn


def test_a_diagram_is_a_list():
    """Each message is a line, with who says it to whom; what is not known is said."""
    drawn = sequence.draw(
        "sequenceDiagram\n  participant C as client\n  participant S\n"
        "  C->>S: GET /<br/>A: <b>#59;\n  Note over C,S: later\n  S->>C: 200\n"
    )
    assert drawn.count("<li") == 3 and "From client to S:" in drawn and "At client and S:" in drawn
    assert "<span>A: &lt;b&gt;;</span>" in drawn and 'class="left lane-1 to-2"' in drawn
    for wrong in (
        "graph TD\n A-->B",
        "sequenceDiagram\n participant A\n loop x",
        "sequenceDiagram\nA->>B: x",
        "sequenceDiagram\n participant A",
    ):
        with pytest.raises(LessonError, match="diagram"):
            sequence.draw(wrong)


def ask(port, path, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    return answer, answer.read()


@pytest.fixture
def port(reading):
    server = serving.make(reading, 0)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


def test_it_is_served_as_github_pages_serves(port, reading):
    """Types, gzip, ten minutes, and a 304 for who has it already."""
    answer, body = ask(port, "/", **{"Accept-Encoding": "gzip"})
    assert (answer.status, answer.headers["Content-Encoding"]) == (200, "gzip")
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.headers["Cache-Control"] == "max-age=600"
    assert gzip.decompress(body) == (reading / "index.html").read_bytes()
    again, body = ask(port, "/", **{"If-None-Match": answer.headers["ETag"]})
    assert (again.status, body) == (304, b"")
    for path, kind in (("assets/style.css", "text/css"), ("assets/icon.svg", "image/svg+xml")):
        assert ask(port, f"/{path}")[0].headers["Content-Type"].startswith(kind)
    assert ask(port, "/lessons/02_basic")[0].headers["Location"] == "/lessons/02_basic/"


def test_nothing_else_is_served(port):
    """Paths that lead out of the folder, or that no file can have, are 404."""
    paths = [
        "/../pyproject.toml",
        "/%2e%2e/%2e%2e/etc/hostname",
        "/a%00b",
        "//etc/hostname",
        "/gone",
    ]
    assert [ask(port, path)[0].status for path in paths] == [404] * len(paths)
    assert ask(port, "//example.org/..")[0].headers["Location"] in (None, "/example.org/../")


def learn(*arguments, **more):
    command = [sys.executable, "-m", "learn", "site", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, **more)


def test_bad_days_get_a_sentence(tmp_path, reading):
    """A port that is taken, a folder of somebody else's, no pages: status 1, and what to do."""
    server = serving.make(reading, 0)
    taken = learn(reading, "--serve", "--no-build", "--port", server.server_port)
    server.server_close()
    assert taken.returncode == 1 and "is taken. Choose another with --port" in taken.stderr
    (tmp_path / "thesis.txt").write_text("mine")
    foreign = learn(tmp_path, "--no-run")
    assert foreign.returncode == 1 and "no pages of ours" in foreign.stderr
    assert (tmp_path / "thesis.txt").read_text() == "mine"
    none = learn(tmp_path / "none", "--serve", "--no-build", "--port", "0")
    assert none.returncode == 1 and "Make them with" in none.stderr
    assert "Traceback" not in taken.stderr + foreign.stderr + none.stderr


def test_without_npm_it_says_what_to_install(tmp_path, monkeypatch):
    """Nothing is thrown away, and pages to read are offered."""
    monkeypatch.setattr(npm, "PLACE", tmp_path / "npm")
    monkeypatch.setenv("PATH", "")
    old = tmp_path / "site"
    old.mkdir()
    (old / "index.html").write_text(build.MADE)
    with pytest.raises(LessonError, match=r"Install Node.js 20 or newer.*--no-run"):
        build.build(old)
    assert (old / "index.html").read_text() == build.MADE


def test_the_lock_names_each_package_with_its_hash():
    """And no registry: everyone's own npm knows where to ask."""
    lock = json.loads((npm.HERE / "package-lock.json").read_text("utf-8"))
    wanted = json.loads((npm.HERE / "package.json").read_text("utf-8"))
    assert lock["packages"][""]["dependencies"] == wanted["dependencies"]
    assert all(
        one["integrity"].startswith("sha512-") for name, one in lock["packages"].items() if name
    )
    assert not [name for name, one in lock["packages"].items() if "resolved" in one]
    assert all(re.fullmatch(r"[\d.]+", version) for version in wanted["dependencies"].values())


@pytest.mark.rest
def test_a_telephone_shows_every_page_without_scrolling_sideways(drive, pages):
    """At 360 pixels each page fits; none asks another server, or needs more than the policy."""
    wanted = [path.relative_to(pages).as_posix() for path in sorted(pages.rglob("*.html"))]
    found = drive("widths", [name for name in wanted if ".py." not in name or "02_" in name])
    assert {page: one for page, one in found.items() if one != [360, []]} == {}
    assert len(found) > 50


@pytest.mark.rest
def test_a_telephone_shows_what_explain_answers(drive):
    """Each example of the page, a token and a cookie among them, fits; so does what is pasted."""
    found = drive("explained_on_a_telephone", "Authorization: Bearer " + 60 * "eyJhbGciOi")
    assert len(found["widths"]) == 5 and set(found["widths"]) == {360}
    assert found["wrong"] == []


@pytest.mark.rest
def test_a_telephone_shows_a_report_of_grades(drive, pages):
    """The teacher's table scrolls in its own box; a learner's page fits."""
    folder = ROOT / "lessons" / "02_basic"
    said = "exercise.py has no `app`. Name your Flask application `app`: app = Flask(__name__)"
    broken = Verdict(folder, folder / "app.py", [], broken=said)
    submission = Submission("anna." + 30 * "long", folder / "app.py")
    report.write_pages(
        [Grade(submission, Outcome("failed", broken))], pages.parent / "report", "Lesson 02"
    )
    names = [path.name for path in (pages.parent / "report").iterdir()]
    found = drive("widths", [f"../report/{name}" for name in names])
    assert [width for width, _ in found.values()] == [360, 360]


@pytest.mark.rest
def test_axe_finds_nothing_serious(drive, axe):
    """In light and in dark, on one page of each kind."""
    lesson = "lessons/03_digest"
    wanted = ["index.html", "explain.html", "readme.html", "docs/mistakes.html"]
    wanted += [f"{lesson}/{name}.html" for name in ("index", "app.py", "changes", "practice")]
    wanted += ["notebooks/05_otp.html", "notebooks/99_compare.html"]
    assert drive("accessible", wanted, axe) == {}


@pytest.mark.rest
def test_a_keyboard_is_enough(drive):
    """Skip to the text, reach every button, change tabs, write, and get out of the editor again."""
    found = drive("keyboard")
    assert (found["first"], found["skipped to"]) == ("Skip to the text", "#main")
    assert found["offer"].startswith("Practise") and found["tab"] == "exercise.py"
    assert (found["next tab"], found["shown"]) == ("naive.py", "tab-1")
    assert found["typed"][0] == "# by hand" and found["typed"][1].startswith("    pass")
    assert found["left to"] == "Check" and found["wrong"] == []


@pytest.mark.rest
def test_a_learners_work_is_never_lost(drive):
    """It survives a reload, a reset, a file put in its place, and a second tab."""
    found = drive("work_is_kept")
    begun = "# /// script"
    assert found["first"].startswith(begun)
    for when in ("reloaded", "not reset", "back", "download"):
        assert found[when].startswith("# my work"), when
    assert found["reset"].startswith(begun) and found["reset, reloaded"].startswith(begun)
    assert "Your old file is kept" in found["said"]
    assert found["uploaded"].startswith("# from a file") and found["no file"] == found["uploaded"]
    assert found["download name"] == "exercise.py"
    assert found["both"] == ["# here", "# elsewhere"] and found["wrong"] == []
    # All of it, in a file and back.
    assert found["saved as"] == "flask-authentication-progress.json"
    assert found["cleared"][0].startswith(begun) and found["cleared"][1] == {}
    text, same, count = found["loaded"]
    assert text.startswith("# here") and (same, count) == (True, 6) and found["step"] == "passed"
    assert "other work on lessons 02 and 03" in found["asked"]
    assert found["no"] == ["# newer", True]
    assert [same for _, same in found["refused"]] == [True] * 5
    assert all(
        re.fullmatch(r"[\w.]+ holds no progress: [^.]+\.", said) for said, _ in found["refused"]
    )
    assert found["yes"] == ["# here", "# lesson 03"] and found["yes, reloaded"] == "# here"
    assert found["copied"] == ["# newer", "# newer 03"]


@pytest.mark.rest
def test_a_browser_that_keeps_nothing_says_so(drive):
    """With a full or forbidden storage, work stays in the editor, and a reset is refused."""
    for said, refused, line, saved, after, wrong in drive("nothing_can_be_kept").values():
        assert "Download your file before you leave" in said
        assert refused.startswith("Nothing was changed") and (line, wrong) == ("# mine", [])
        assert saved == after == "# mine"


@pytest.mark.rest
def test_reading_needs_no_script(drive):
    """Without JavaScript there are text, code and outputs, and a sentence where there can't be."""
    found = drive("without_scripts")
    assert "WWW-Authenticate: Basic" in found["notebooks/02_basic.html"]
    assert "Run all" not in found["notebooks/02_basic.html"]
    assert "needs JavaScript" in found["lessons/02_basic/practice.html"]


@pytest.mark.rest
@pytest.mark.parametrize(
    "slower",
    [pytest.param(4, id="telephone"), pytest.param(1, id="this machine", marks=pytest.mark.long)],
)
def test_pages_come_at_once_and_stand_still(drive, capsys, slower):
    """On a slow telephone and here: few bytes, and nothing moves once it is painted."""
    reading = ["index.html", "lessons/02_basic/index.html", "notebooks/02_basic.html"]
    reading += ["notebooks/99_compare.html", "docs/mistakes.html"]
    found = drive("measure", [*reading, "lessons/02_basic/practice.html", "explain.html"], slower)
    with capsys.disabled():
        for page, one in found.items():
            print(
                f"\n{page}: " + ", ".join(f"{name} {value}" for name, value in one.items()), end=""
            )
    assert all(one["bytes"] < LIMIT for one in found.values())
    assert all(one["layout shift"] < 0.1 for one in found.values())


@pytest.mark.rest
def test_cells_run_change_break_and_stop(drive):
    """A cell runs with those above it, can be changed, fails with a sentence, can be stopped."""
    found = drive("cells")
    assert found["asked before"] == []  # nothing of Python is loaded to read
    assert "WWW-Authenticate: Basic" in found["ran"] and "127.0.0.1:36091" not in found["ran"]
    assert found["first ran too"] == "ran just now"
    assert "Hello, whoever you are!" in found["changed"] and "401" not in found["changed"]
    assert "ZeroDivisionError" in found["broken"] and "Hello" not in found["broken"]
    assert found["stopped"] == "It was stopped." and "starts anew" in found["bar"]
    assert found["kept"] == "while True: pass"
    assert "WWW-Authenticate: Basic" in found["again"] and found["wrong"] == []


@contextmanager
def counted(folder):
    """Serve a folder; give the address, and a list of the bytes of each answer, heads included."""
    server, sizes = serving.make(folder.parent, 0), []

    class Counting(server.RequestHandlerClass):
        def setup(self):
            super().setup()
            write = self.wfile.write
            self.wfile.write = lambda data: sizes.append(len(data)) or write(data)

    server.RequestHandlerClass = Counting
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/{folder.name}/", sizes
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    "kept, most",
    [
        pytest.param(serving.KEPT, 0, marks=pytest.mark.rest),
        pytest.param("max-age=0", AGAIN, marks=pytest.mark.long),
    ],
    ids=["at once", "when it is old"],
)
def test_a_second_visit_comes_from_the_cache(
    drive, pages, tmp_path, monkeypatch, capsys, kept, most
):
    """Within ten minutes, nothing is fetched again; after that, each file is only asked after."""
    monkeypatch.setattr(serving, "KEPT", kept)
    came = {}
    with counted(pages) as (address, sizes):
        for visit in ("cold", "warm"):
            sizes.clear()
            found = drive(
                "notebooks/02_basic.html",
                str(tmp_path / "profile"),
                driver="visiting_driver.py",
                at=address,
            )
            assert "WWW-Authenticate: Basic" in found.pop("shown")
            came[visit] = sum(sizes)
            with capsys.disabled():
                seconds = ", ".join(f"{name} {value} s" for name, value in found.items())
                print(f"\n{visit}, {kept}: {seconds}, bytes {came[visit]}", end="")
    assert LIMIT < came["cold"] < WIRE and came["warm"] <= most


@pytest.mark.rest
def test_an_exercise_is_checked_in_the_page(drive):
    """As in the terminal: the step, the exchange, the question; hints go on after a reload."""
    found = drive("checked")
    assert "charset" in found["check"] and "< HTTP/1.1 401 UNAUTHORIZED" in found["check"]
    assert found["states"][:3] == ["passed", "failed", "untried"]
    assert found["states, reloaded"] == found["states"]
    assert "Hint 1 of 3" in found["hint"] and "Hint 2 of 3" in found["another"]
    assert found["asked"].startswith("0 of 9 steps are done.") and found["wrong"] == []


@pytest.mark.rest
def test_what_is_pasted_stays_in_the_page(drive):
    """What is typed while Python starts is read; then nothing is asked of any server, nor kept."""
    found = drive("explained")
    assert found["kept"] == "Authorization: Basic dXNlcjE6cGFzczE="
    assert found["asked before"] == found["then asked"] == found["wrong"] == []
    assert found["stored"] == ["{}", "{}"]


@pytest.mark.rest
def test_what_no_page_can_run_has_no_buttons_for_it(pages):
    """Such a walk-through says why, and where it runs; all others can be run."""
    for path in notebooks():
        text = (pages / "notebooks" / f"{path.stem}.html").read_text("utf-8")
        runs = path.stem not in ELSEWHERE
        assert ('data-do="run"' in text, "Run all" in text) == (runs, runs), path.stem
        assert (f"python3 -m learn lab {path.stem[:2]}" in text) or runs
    for folder in all_lessons():
        text = (pages / "lessons" / folder.name / "practice.html").read_text("utf-8")
        assert ('data-do="check"' in text) == (folder.name not in ELSEWHERE)


@pytest.mark.rest
def test_practice_shows_what_the_lesson_gives(pages):
    """Each file that an exercise may use stands in one tab; the solution is the last of them."""
    for folder in all_lessons():
        text = (pages / "lessons" / folder.name / "practice.html").read_text("utf-8")
        tabs = re.findall(r'role="tab" [^>]*>([^<]+)<', text)
        assert tabs[:3] == ["exercise.py", "naive.py", "given"] and tabs[-1] == "app.py"
        names = [path.relative_to(folder).as_posix() for path in given(folder)]
        assert re.findall(r"<summary><code>([^<]+)</code>", text) == names
