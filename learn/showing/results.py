"""Draw a verdict: what holds, what doesn't, the exchange that shows it, and what to do next.

A verdict and its results are those of learn/practice/results.py, which comes after this room.
"""

from __future__ import annotations

import re

from ..layout import LESSONS
from .exchange import as_markdown as exchange_markdown
from .exchange import as_rich as exchange_rich

BAR = 24  # characters
ELSEWHERE = "Checked on your machine only, since a web page has one process and no threads:"


def bar(done: int, of: int) -> str:
    """Return a progress bar as text."""
    filled = BAR * done // of if of else 0
    return "█" * filled + "░" * (BAR - filled) + f" {done} of {of} steps"


def as_rich(verdict):
    """Return the verdict for rich; as plain text it says the same."""
    from rich.console import Group
    from rich.padding import Padding
    from rich.text import Text

    parts = [Text(f"{verdict.folder.name}, {verdict.path.name}", "bold")]
    colour = "green" if verdict.passed else "magenta"
    parts += [Text(bar(verdict.done, len(verdict.steps)), colour), Text("")]
    if verdict.broken:
        parts.append(Text("It can't be checked yet.", "bold red"))
        return Group(*parts, Padding(Text(verdict.broken), (1, 0, 0, 0)))
    if verdict.passed:
        parts += [_title_and_rest(*_praise(verdict)), Text("")]
    failed = verdict.failed
    if failed:
        step, failure = failed.step, failed.failure
        title = f"{verdict.name_of(step)}: {step.title}"
        parts += [Text(title, "bold"), Text(_one_line(step.why)), Text("")]
        parts.append(Text(f"✗ {step.checks[failure.check]}", "bold red"))
        lines = Text("  expected  ").append(failure.expected, "green")
        parts.append(lines.append("\n  came      ").append(failure.came, "red"))
        if failure.said:
            parts.append(Padding(Text(failure.said), (1, 0, 0, 2)))
        if failure.answer:
            parts += [Text(""), exchange_rich(failure.answer, failure.mark)]
        else:
            parts.append(Text(""))
        parts += [Text("A question: ", "bold").append(step.ask, "not bold"), Text("")]
        parts.append(Text(f"A hint: python3 -m learn hint {verdict.folder.name[:2]}", "dim"))
    if verdict.elsewhere:
        lines = [f"\n- {sentence}" for sentence in verdict.elsewhere]
        parts += [Text(""), Text(ELSEWHERE, "bold").append("".join(lines), "not bold")]
    return Group(*parts)


def _title_and_rest(title: str, rest: str):
    from rich.text import Text

    return Text(f"✓ {title}\n", "bold green").append(rest, "not bold default")


def as_text(verdict) -> str:
    """Return the verdict as plain text, at 80 columns."""
    import io

    from rich.console import Console

    out = io.StringIO()
    Console(file=out, width=80, highlight=False, emoji=False).print(as_rich(verdict))
    return "\n".join(line.rstrip() for line in out.getvalue().split("\n")).strip("\n")


def as_markdown(verdict) -> str:
    """Return the verdict as Markdown, for a notebook."""
    parts = [f"**{verdict.folder.name}, {verdict.path.name}**"]
    parts.append(f"`{bar(verdict.done, len(verdict.steps))}`")
    if verdict.broken:
        return "\n\n".join([*parts, "**It can't be checked yet.**", _fenced(verdict.broken)])
    if verdict.passed:
        title, rest = _praise(verdict)
        parts += [f"✓ **{title}**", rest]
    failed = verdict.failed
    if failed:
        step, failure = failed.step, failed.failure
        parts.append(f"### {verdict.name_of(step)}: {step.title}\n\n{step.why}")
        parts.append(f"✗ **{step.checks[failure.check]}**")
        parts.append(f"- expected {failure.expected}\n- came {failure.came}")
        if failure.said:
            parts.append(_fenced(failure.said))
        if failure.answer:
            parts.append(exchange_markdown(failure.answer))
        parts.append(f"**A question:** {step.ask}")
        parts.append(f"A hint: `python3 -m learn hint {verdict.folder.name[:2]}`")
    if verdict.elsewhere:
        parts += [f"**{ELSEWHERE}**", "\n".join(f"- {one}" for one in verdict.elsewhere)]
    return "\n\n".join(parts)


def _praise(verdict) -> tuple[str, str]:
    """Return a headline for all steps passed, and what comes next."""
    lines = ["You can now"]
    lines += [f"- {line}" for line in can_do(verdict.folder)]
    beyond = [result for result in verdict.results if result.step.beyond]
    if beyond and all(result.state == "passed" for result in beyond):
        lines += ["", "You went beyond app.py as well."]
    lines += ["", *([] if next_lesson(verdict.folder) else ["That was the last lesson."])]
    lines.append(f"Next: python3 -m learn {verdict.following}")
    if verdict.failed:  # only what is optional can have failed
        lines += ["", "If you want to go further, there is one more, optional:"]
    return f"All {len(verdict.steps)} steps are done.", "\n".join(lines)


def can_do(folder) -> list[str]:
    """Return what the lesson's README promises: its list "After this lesson you can"."""
    text = (folder / "README.md").read_text("utf-8")
    found = re.search(r"After this lesson you can\n\n((?:- .*\n(?:  .*\n)*)+)", text)
    items = re.findall(r"- (.*\n(?:  .*\n)*)", found.group(1)) if found else []
    return [_one_line(item).rstrip(";.") for item in items]


def next_lesson(folder) -> str | None:
    """Return the name of the lesson after this one, or None."""
    names = sorted(p.name for p in LESSONS.iterdir() if (p / "app.py").is_file())
    later = [name for name in names if name > folder.name]
    return later[0] if later else None


def overview_row(results) -> str:
    """Return the steps as a row of marks: ✓ passed, ✗ failed, · not tried."""
    marks = {"passed": "✓", "failed": "✗"}
    return "".join(marks.get(result.state, "·") for result in results)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _fenced(text: str) -> str:
    return f"```text\n{text}\n```"
