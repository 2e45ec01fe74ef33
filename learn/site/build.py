"""Build the pages: one folder of static files, with relative links, for any static server."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import jinja2
from markupsafe import Markup as Safe

from ..explain.fields import known
from ..layout import NOTEBOOKS, ROOT, LessonError, notebooks
from ..practice import exercise
from ..practice.steps import number_of, read_steps
from . import cells, npm
from .markup import Markup, code, difference
from .pages import (
    DOCUMENTS,
    ELSEWHERE,
    FIRST,
    Map,
    about,
    beyond,
    given,
    lessons,
    relative,
    sources,
)

HERE = Path(__file__).resolve().parent
MADE = '<meta name="generator" content="python3 -m learn site">'
# No script, style or request but to where the pages themselves come from; Python needs wasm.
POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self';"
    " img-src 'self' data:; connect-src 'self'; worker-src 'self'; base-uri 'none';"
    " form-action 'none'"
)
UI = ["notebook", "practice", "explain"]
ALL_FILES = "all-files"  # where the lesson's page lists its files


def build(out: Path, run: bool = True, say: Callable[[str], None] = print) -> None:
    """Write all pages into the folder `out`, which is emptied first if it holds pages of before.

    Without `run`, the pages are for reading only, and npm isn't needed. Raises LessonError when
    something is missing, or when the folder holds what is not ours.
    """
    if run:
        npm.packages()  # before anything is thrown away
    _empty(out)
    say("Pages to read …")
    Builder(out, run).write()
    if run:
        say("Pages in which lessons run …")
        write_scripts(out / "assets")
        from .bundle import make_runtime

        make_runtime(out / "run", npm.packages())
    size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    count = len(list(out.rglob("*.html")))
    say(f"{count} pages, {size / 1e6:.1f} MB, in {out}")


def write_scripts(out: Path) -> None:
    """Write what the pages' buttons do, with the libraries that it uses, into a folder."""
    scripts = {name: HERE / "ui" / f"{name}.js" for name in UI}
    npm.bundle(scripts, out, {"AUTH_HEADERS": known()})


def _empty(out: Path) -> None:
    if out.is_dir() and any(out.iterdir()):
        index = out / "index.html"
        if not index.is_file() or MADE not in index.read_text("utf-8", "replace"):
            raise LessonError(
                f"{out} holds files that are no pages of ours. Choose another folder."
            )
        shutil.rmtree(out)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LessonError(f"{out} can't be made: {error.strerror}.") from None


class Builder:
    """Writes pages. What they hold is read from the repository; nothing is written there."""

    def __init__(self, out: Path, run: bool):
        self.out, self.run = out, run
        self.map = Map.of_repository()
        loader = jinja2.FileSystemLoader(HERE / "templates")
        self.env = jinja2.Environment(
            loader=loader, autoescape=True, undefined=jinja2.StrictUndefined
        )
        self.env.filters["first_upper"] = lambda text: text[:1].upper() + text[1:]
        self.env.trim_blocks = self.env.lstrip_blocks = True
        self.titles = {folder.name: heading(folder / "README.md") for folder in lessons()}
        self.rows = rows_of_lessons()

    def write(self) -> None:
        """Write every page that needs no Python in the browser, and what they are drawn with."""
        shutil.copytree(HERE / "static", self.out / "assets")
        self.front()
        for folder in lessons():
            self.lesson(folder)
            self.changes(folder)
            for path in sources(folder):
                self.source(path, folder)
            if self.run:
                self.practice(folder)
        for path in notebooks():
            self.notebook(path)
        for file in self.map.pages:
            if file.endswith(".md") and not file.startswith("lessons/"):
                self.document(file)
        if self.run:
            self.page("explain.html", "explain.html", "Explain a header, a token, a cookie")
        for file in list(self.map.files):
            self.source(ROOT / file, None)
        for file in self.map.copies:
            (self.out / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / file, self.out / file)

    def page(self, template: str, page: str, title: str, **more) -> None:
        """Write one page from its template."""
        up = "../" * page.count("/")
        at = more.pop("folder", None)
        text = self.env.get_template(template).render(
            title=title,
            up=up,
            here=page,
            policy=POLICY,
            made=Safe(MADE),
            run=self.run,
            elsewhere=ELSEWHERE,
            lessons=self.titles,
            folder=at.name if at else "",
            parts=self.parts(page, at) if at else [],
            **more,
        )
        path = self.out / page
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8", newline="\n")

    def parts(self, page: str, folder: Path) -> list[tuple[str, str, str, bool]]:
        """Return what a lesson consists of: (kind, name, link, whether it is this page).

        Of its files, those that are read first, and this one; the lesson's page lists all.
        """
        base = f"lessons/{folder.name}"
        found = [("", "Read", f"{base}/index.html")]
        if (NOTEBOOKS / f"{folder.name}.ipynb").is_file():
            runs = self.run and folder.name not in ELSEWHERE
            name = "Run" if runs else "Walk through"
            found.append(("", name, f"notebooks/{folder.name}.html"))
        if self.run:
            found.append(("", "Practise", f"{base}/practice.html"))
        found.append(("", "naive → app", f"{base}/changes.html"))
        for path in sources(folder):
            name = path.relative_to(folder).as_posix()
            if name in FIRST or page == f"{base}/{name}.html":
                found.append(("file", name, f"{base}/{name}.html"))
        here = [(kind, name, relative(page, at), at == page) for kind, name, at in found]
        return [*here, ("", "All files", relative(page, f"{base}/index.html#{ALL_FILES}"), False)]

    def markup(self, file: str, folder: Path | None = None) -> Markup:
        """Return what renders the Markdown of a file of the repository."""
        page = self.map.pages[file]
        names = {}
        for path in sources(folder) if folder else ():
            target = relative(page, self.map.pages[path.relative_to(ROOT).as_posix()])
            names[path.relative_to(folder).as_posix()] = target
            names[path.relative_to(ROOT).as_posix()] = target
        return Markup(lambda href: self.map.link(file, href), names)

    def front(self) -> None:
        """Write the first page."""
        notebook = NOTEBOOKS / "02_basic.ipynb"
        exchange = Markup().render(cells.first_exchange(notebook), headings=False)
        documents = [
            (self.map.pages[f"docs/{name}.md"], heading(ROOT / "docs" / f"{name}.md"), sentence)
            for name, sentence in DOCUMENTS.items()
        ]
        self.page(
            "front.html",
            "index.html",
            "Learn Flask authentication, header by header",
            exchange=Safe(exchange),
            rows=self.rows,
            documents=documents,
        )

    def lesson(self, folder: Path) -> None:
        """Write a lesson's README."""
        file = f"lessons/{folder.name}/README.md"
        markup = self.markup(file, folder)
        body = markup.render((ROOT / file).read_text("utf-8"))
        self.page(
            "text.html",
            self.map.pages[file],
            self.titles[folder.name],
            body=Safe(body),
            headings=[*markup.headings, (2, ALL_FILES, "All files")],
            folder=folder,
            files=self.files(folder),
            around=self.around(file),
        )

    def files(self, folder: Path) -> list[tuple[str, str, str]]:
        """Return a lesson's files: (name, link from its page, what the file says of itself)."""
        names = [(path.relative_to(folder).as_posix(), path) for path in sources(folder)]
        return [(name, f"{name}.html", about(path)) for name, path in names]

    def document(self, file: str) -> None:
        """Write a page of docs."""
        markup = self.markup(file)
        body = markup.render((ROOT / file).read_text("utf-8"))
        self.page(
            "text.html",
            self.map.pages[file],
            heading(ROOT / file),
            body=Safe(body),
            headings=markup.headings,
            files=[],
            around=[],
        )

    def notebook(self, path: Path) -> None:
        """Write a notebook with its outputs."""
        file = f"notebooks/{path.name}"
        folder = next((f for f in lessons() if f.name == path.stem), None)
        markup = self.markup(file, folder)
        place = self.out / "notebooks"
        place.mkdir(parents=True, exist_ok=True)
        body = cells.as_html(path, markup, place, self.run and path.stem not in ELSEWHERE)
        self.page(
            "notebook.html",
            self.map.pages[file],
            f"{heading_of(markup, path.stem)}, walked through",
            body=Safe(body),
            headings=markup.headings,
            folder=folder,
            name=path.stem,
            around=self.around(file),
        )

    def around(self, file: str) -> list[tuple[str, str, str]]:
        """Return the pages before and after one, in the order of reading: (rel, title, link)."""
        order = []
        for folder in lessons():
            order += [f"lessons/{folder.name}/README.md", f"notebooks/{folder.name}.ipynb"]
        order += [f"notebooks/{p.name}" for p in notebooks()]
        order = [name for name in dict.fromkeys(order) if name in self.map.pages]
        at, here = order.index(file), self.map.pages[file]
        found = []
        for rel, place in (("prev", at - 1), ("next", at + 1)):
            if 0 <= place < len(order):
                other = order[place]
                title = self.titles.get(other.split("/")[1]) or self.name_of(other)
                found.append((rel, title, relative(here, self.map.pages[other])))
        return found

    def name_of(self, file: str) -> str:
        """Return what a link to a notebook says."""
        stem = Path(file).stem
        if stem in self.titles:
            return f"Walk through lesson {stem[:2]}"
        return "All of them, side by side"

    def source(self, path: Path, folder: Path | None) -> None:
        """Write a file of the repository as a page."""
        file = path.relative_to(ROOT).as_posix()
        try:
            text = path.read_text("utf-8")
        except UnicodeDecodeError:
            raise LessonError(f"{file} is linked to and is no text, so it has no page.") from None
        self.page(
            "source.html",
            self.map.page(file),
            file,
            body=Safe(code(text, file=path.name, lines=True)),
            folder=folder,
        )

    def changes(self, folder: Path) -> None:
        """Write how naive.py becomes app.py, step by step."""
        texts = [(folder / f"{name}.py").read_text("utf-8") for name in ("naive", "app")]
        markup = Markup()
        pieces = [
            (title, Safe(markup.render(step.why) if step else ""), Safe(difference(lines)))
            for step, title, lines in exercise.differences(folder, *texts)
            if lines
        ]
        title = f"{self.titles[folder.name]}: how naive.py becomes app.py"
        page = f"lessons/{folder.name}/changes.html"
        self.page("changes.html", page, title, pieces=pieces, folder=folder)

    def practice(self, folder: Path) -> None:
        """Write the page on which a lesson is rebuilt."""
        steps = read_steps(folder)
        markup = Markup()
        told = [(step, number_of(step, steps), Safe(markup.render(step.why))) for step in steps]
        tabs = [("naive.py", [folder / "naive.py"]), ("given", given(folder))]
        tabs += [(path.name, [path]) for path in [*beyond(folder), folder / "app.py"]]
        files = [
            (
                label,
                [
                    (
                        path.relative_to(folder).as_posix(),
                        about(path),
                        Safe(code(path.read_text("utf-8"), file=path.name)),
                    )
                    for path in paths
                ],
            )
            for label, paths in tabs
        ]
        self.page(
            "practice.html",
            f"lessons/{folder.name}/practice.html",
            f"Practise: {self.titles[folder.name]}",
            steps=told,
            files=files,
            first=exercise.first_text(folder),
            folder=folder,
        )


def heading_of(markup: Markup, otherwise: str) -> str:
    """Return the first heading of what was rendered."""
    return markup.headings[0][2] if markup.headings else otherwise


def heading(path: Path) -> str:
    """Return a Markdown file's first line as a title."""
    return path.read_text("utf-8").split("\n", 1)[0].lstrip("# ").replace("`", "")


def rows_of_lessons() -> dict[str, dict[str, str]]:
    """Return the README's table of lessons: for each number, its cells by their columns."""
    found = {}
    for line in (ROOT / "README.md").read_text("utf-8").split("\n"):
        row = [
            re.sub(r"\[([^]]*)\]\([^)]*\)|`", r"\1", c.strip())
            for c in line.strip("| ").split(" | ")
        ]
        if len(row) == 5 and re.fullmatch(r"\d\d", row[0]):
            found[row[0]] = dict(
                zip(("technique", "build", "headers", "time"), row[1:], strict=True)
            )
    return found
