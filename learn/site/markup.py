"""Markdown and code as HTML, with classes in place of styles: the pages' policy allows none inline.

What a cell shows when it runs in the page is drawn by `ui/markup.js`, which gives the same.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable

from markdown_it import MarkdownIt
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name, get_lexer_for_filename
from pygments.util import ClassNotFound

from ..explain import is_auth_header
from . import sequence

Link = Callable[[str], str]  # from a link as it is written to the link in the page


class Markup:
    """A page's Markdown. `link` turns links, `names` gives addresses to names of files in code.

    `headings` holds (level, anchor, text) of what was rendered so far, in its order.
    """

    def __init__(self, link: Link = lambda href: href, names: dict[str, str] | None = None):
        self.link, self.names = link, dict(names or {})
        self.headings: list[tuple[int, str, str]] = []
        self._anchors: dict[str, int] = {}
        self._parser = MarkdownIt("commonmark", {"html": False}).enable("table")
        rules = self._parser.renderer.rules
        rules["fence"] = self._fence
        rules["table_open"] = lambda *_: _REGION.format("Table", "table") + "<table>\n"
        rules["table_close"] = lambda *_: "</table></div>\n"

    def render(self, text: str, headings: bool = True) -> str:
        """Return Markdown as HTML. With `headings`, they get anchors, by GitHub's rules."""
        tokens = self._parser.parse(text)
        linked = set()  # each file is linked once
        for at, token in enumerate(tokens):
            if style := token.attrs.pop("style", None):  # a column's alignment
                token.attrSet("class", str(style).rpartition(":")[2])
            if token.type == "heading_open" and headings:
                plain = "".join(
                    t.content for t in tokens[at + 1].children if t.type in ("text", "code_inline")
                )
                token.attrSet("id", self._anchor(plain))
                self.headings.append((int(token.tag[1]), str(token.attrs["id"]), plain))
            if token.type == "inline":
                self._inline(token, linked)
        return self._parser.renderer.render(tokens, self._parser.options, {})

    def _anchor(self, text: str) -> str:
        slug = re.sub(r"[^\w\- ]", "", text.lower().strip()).replace(" ", "-")
        count = self._anchors.get(slug, -1) + 1
        self._anchors[slug] = count
        return f"{slug}-{count}" if count else slug

    def _inline(self, token, linked) -> None:
        out, depth = [], 0
        for child in token.children:
            if child.type == "link_open":
                depth += 1
                child.attrSet("href", self.link(str(child.attrs["href"])))
            elif child.type == "link_close":
                depth -= 1
            elif child.type == "image":
                child.attrSet("src", self.link(str(child.attrs["src"])))
            target = self.names.get(child.content) if child.type == "code_inline" else None
            if target and not depth and child.content not in linked:
                linked.add(child.content)
                opening = type(child)("html_inline", "", 0, content=f'<a href="{target}">')
                out += [opening, child, type(child)("html_inline", "", 0, content="</a>")]
            else:
                out.append(child)
        token.children = out

    def _fence(self, tokens, at, options, env) -> str:
        token = tokens[at]
        language = token.info.strip().split(" ")[0]
        if language == "mermaid":
            return sequence.draw(token.content)
        if language == "http":
            return message(token.content)
        return code(token.content, language)


_REGION = '<div class="{1}" tabindex="0" role="region" aria-label="{0}">'


def message(text: str) -> str:
    """Return an HTTP message as HTML: its first line, and the headers that have to do with auth."""
    head, blank, body = text.rstrip("\n").partition("\n\n")
    first, *headers = head.split("\n")
    status = re.match(r"HTTP/\S+ (\d)", first)
    kind = f"answer s{status[1]}" if status else "request"
    lines = [f'<span class="first">{html.escape(first, quote=False)}</span>']
    for line in headers:
        name, colon, value = line.partition(":")
        shown = html.escape(line, quote=False)
        if colon and is_auth_header(name):
            name, value = (html.escape(part, quote=False) for part in (name, value))
            shown = f'<span class="auth"><b>{name}</b>:{value}</span>'
        lines.append(shown)
    if blank:
        lines += ["", f'<span class="body">{html.escape(body, quote=False)}</span>']
    label = "Response" if status else "Request"
    return f'<pre class="http {kind}" role="group" aria-label="{label}"><code>' + (
        "\n".join(lines) + "</code></pre>\n"
    )


def code(text: str, language: str = "", file: str = "", lines: bool = False) -> str:
    """Return code as HTML, coloured for its language or its file's name; with anchors for lines."""
    lexer = None
    if language or file:
        try:
            lexer = get_lexer_by_name(language) if language else get_lexer_for_filename(file)
        except ClassNotFound:
            lexer = None
    if lexer is None:
        shown = html.escape(text.rstrip("\n"), quote=False)
    else:
        lexer.stripnl = False
        shown = highlight(text, lexer, HtmlFormatter(nowrap=True)).rstrip("\n")
    kind = f"code {html.escape(language)}".strip()
    if lines:
        numbered = [
            f'<span class="line" id="L{number}"><a href="#L{number}" class="lineno"'
            f' aria-hidden="true" tabindex="-1" data-no="{number}"></a>{line}</span>'
            for number, line in enumerate(shown.split("\n"), 1)
        ]
        shown = "\n".join(numbered)
    begin = f'<pre class="{kind}" tabindex="0" role="group" aria-label="Code">'
    return f"{begin}<code>{shown}</code></pre>\n"


def difference(lines: list[str]) -> str:
    """Return lines of a difference, which begin with +, - or a blank, as HTML."""
    kinds = {"+": "ins", "-": "del"}
    out = []
    for line in lines:
        tag = kinds.get(line[:1])
        shown = html.escape(line, quote=False)
        out.append(f"<{tag}>{shown}</{tag}>" if tag else shown)
    return '<pre class="code diff" tabindex="0" role="group" aria-label="Difference"><code>' + (
        "\n".join(out).rstrip("\n") + "</code></pre>\n"
    )
