"""The table of a class as CSV, JSON, JUnit's XML, and as pages in HTML to hand back.

Whatever comes from a submission is text here: escaped in the pages, which run no script and load
nothing, and kept from being a formula in the CSV.
"""

from __future__ import annotations

import csv
import html
import io
import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

from ..layout import LessonError
from ..showing.exchange import as_text
from .grades import Grade
from .results import PASSED, xml_text

COLUMNS = ["name", "state", "steps", "fails first", "seconds", "alike"]
_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem;
  color: #1c1c1c; background: #fff }
.table { overflow-x: auto } table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #ddd;
  vertical-align: top }
h1, h2, p, dd { overflow-wrap: anywhere } td { overflow-wrap: break-word }
code { font: .9em ui-monospace, Menlo, Consolas, monospace; background: #efefec }
pre code { font: inherit }
pre { background: #f6f6f4; padding: .8rem; overflow-x: auto; white-space: pre-wrap;
  overflow-wrap: anywhere }
.passed { color: #14692f } .failed { color: #a3160c } .not { color: #6b5200 }
mark { background: #ffe9a8 } .note { color: #47566b } dt { font-weight: 600 }
@media print { pre { white-space: pre-wrap } }
"""


def row(grade: Grade) -> list[str]:
    """Return a grade's cells, as COLUMNS names them."""
    seconds = f"{grade.outcome.seconds:.1f}" if grade.outcome else ""
    cells = [grade.submission.name, grade.state, grade.steps, grade.reason, seconds, grade.alike]
    return cells


def as_csv(grades: list[Grade]) -> str:
    """Return the table as CSV, for a spreadsheet."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for grade in grades:
        cells = [" ".join(cell.split()) for cell in row(grade)]
        writer.writerow(
            [f"'{cell}" if cell[:1] in ("=", "+", "-", "@") else cell for cell in cells]
        )
    return out.getvalue()


def as_json(grades: list[Grade]) -> str:
    """Return the table as JSON, with every check of every step."""
    return json.dumps([grade.as_dict() for grade in grades], indent=2) + "\n"


def as_junit(grades: list[Grade]) -> str:
    """Return one <testsuite> for each learner, with one <testcase> for each step."""
    root = ET.Element("testsuites")
    for grade in grades:
        if grade.outcome:
            suite = grade.outcome.verdict.as_junit()
        else:
            suite = ET.Element("testsuite", tests="0", failures="0", errors="0", skipped="0")
        name = xml_text(grade.submission.name)
        suite.set("name", name)
        for case in suite:
            case.set("classname", name)
        if grade.state != PASSED and (not grade.failed and not suite.findall("testcase/error")):
            case = ET.SubElement(suite, "testcase", classname=name, name="It can be judged")
            ET.SubElement(case, "error", message=xml_text(grade.reason))
            suite.set("errors", "1")
            suite.set("tests", str(int(suite.get("tests")) + 1))
        root.append(suite)
    return ET.tostring(root, "unicode", xml_declaration=True) + "\n"


def write(path: Path, text: str) -> None:
    """Write a report. Raises LessonError when that can't be done."""
    try:
        path.write_text(text, "utf-8", newline="")
    except OSError as error:
        raise LessonError(f"{path} can't be written: {error.strerror}.") from None


def write_pages(grades: list[Grade], place: Path, title: str) -> None:
    """Write index.html, which is the teacher's, and a page for each learner into a folder.

    Raises LessonError when that can't be done.
    """
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LessonError(f"{place} can't be made: {error.strerror}.") from None
    rows = []
    for number, grade in enumerate(grades, 1):
        slug = re.sub(r"[^A-Za-z0-9]+", "-", grade.submission.name).strip("-").lower()[:40]
        name = f"{number:03d}-{slug or 'learner'}.html"
        write(place / name, _page(f"{grade.submission.name}: {title}", _learner(grade, title)))
        cells = [_prose(cell) for cell in row(grade)]
        cells[0] = f'<a href="{name}">{_text(grade.submission.name)}</a>'
        cells[1] = f'<span class="{grade.state.split()[0]}">{cells[1]}</span>'
        rows.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
    head = "".join(f"<th>{_text(name)}</th>" for name in COLUMNS)
    table = f"<table><tr>{head}</tr>{''.join(rows)}</table>"
    box = f'<div class=table tabindex=0 role=region aria-label="All learners">{table}</div>'
    note = "<p class=note>A verdict shows what a file did. It does not show who wrote it.</p>"
    write(place / "index.html", _page(title, f"<h1>{_text(title)}</h1>{box}{note}"))


def _page(title: str, body: str) -> str:
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    return (
        '<!doctype html>\n<html lang="en"><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{_text(title)}</title><style>{_STYLE}</style>\n<body>{body}</body></html>\n"
    )


def _learner(grade: Grade, title: str) -> str:
    """Return a learner's page: the steps, and the first that fails with its exchange."""
    parts = [f"<h1>{_text(grade.submission.name)}</h1><p>{_text(title)}</p>"]
    if not grade.outcome:
        return parts[0] + f"<p class=not>Not judged: {_prose(grade.reason)}</p>"
    verdict = grade.outcome.verdict
    state = grade.state.split()[0]
    parts.append(f'<p class="{state}"><b>{_text(grade.state)}</b>, {grade.steps} steps</p>')
    if grade.outcome.why:
        parts.append(f"<p class=not>{_prose(grade.outcome.why)}</p>")
    if verdict.broken:
        parts.append(f"<h2>It can't be checked yet</h2><pre>{_prose(verdict.broken)}</pre>")
    rows = []
    for result in verdict.results:
        if result.step.beyond and result.state != PASSED:
            continue
        sign = {"passed": "✓", "failed": "✗"}.get(result.state, "·")
        name = _prose(f"{verdict.name_of(result.step)}: {result.step.title}")
        kind = result.state if sign != "·" else "note"
        rows.append(f'<tr><td class="{kind}">{sign}</td><td>{name}</td></tr>')
    parts.append(f"<table>{''.join(rows)}</table>")
    if grade.failed:
        parts.append(_failure(grade, grade.failed))
    return "".join(parts)


def _failure(grade: Grade, result) -> str:
    failure, step = result.failure, result.step
    sentence = step.checks.get(failure.check, failure.check)
    parts = [
        f"<h2>{_text(grade.outcome.verdict.name_of(step))}: {_prose(step.title)}</h2>",
        f"<p>{_prose(step.why)}</p><p class=failed><b>✗ {_prose(sentence)}</b></p>",
        f"<dl><dt>expected<dd>{_prose(failure.expected)}<dt>came<dd>{_text(failure.came)}</dl>",
    ]
    if failure.said:
        parts.append(f"<pre>{_text(failure.said)}</pre>")
    if failure.answer:
        lines = []
        for line in as_text(failure.answer, failure.mark).split("\n"):
            shown = _text(line)
            if line.startswith("→"):
                shown = f"<mark>{shown}</mark>"
            elif line.startswith("#"):
                shown = f"<span class=note>{shown}</span>"
            lines.append(shown)
        parts.append("<pre>" + "\n".join(lines) + "</pre>")
    if step.ask:
        parts.append(f"<p><b>A question:</b> {_prose(step.ask)}</p>")
    return "".join(parts)


def _text(text: str) -> str:
    return html.escape(text)


def _prose(text: str) -> str:
    """Return a sentence as HTML, with what stands between backticks as code."""
    return re.sub(r"`([^`\n]+)`", r"<code>\1</code>", html.escape(text))
