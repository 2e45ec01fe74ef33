"""The body of `python3 -m learn explain`: where the text comes from, and how the answer looks."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from ..explain import curl, keys
from ..explain.note import Context, Note, PublicKey, Wrong, all_wrong, shown
from ..explain.paste import MOST_TEXT, Reading, read

WITHOUT = (
    "Paste a header after `explain`, in quotes, or pipe text into it (pbpaste | python3 -m learn"
    " explain), or name a file: explain --file headers.txt"
)


def source(words: Sequence[str], headers: Sequence[str], file: str | None) -> str:
    """Return the text to read: from the arguments, a file, or a pipe.

    Raises ValueError, with a sentence, if there is none or it can't be read.
    """
    if file is not None and (words or headers):
        raise ValueError("--file names the text to read: leave out the other arguments.")
    if file is not None:
        return _from_pipe() if file == "-" else _from_file(Path(file))
    if headers:
        return "\n".join([*headers, " ".join(words)] if words else headers)
    if not words:
        if sys.stdin is None or sys.stdin.isatty():
            raise ValueError(WITHOUT)
        return _from_pipe()
    if len(words) == 1:
        if words[0] == "-":
            return _from_pipe()
        if re.fullmatch(r"@[^\s=\"']+", words[0]):
            return _from_file(Path(words[0][1:]))
        if len(words[0]) < 400 and "\n" not in words[0] and _is_file(words[0]):
            return _from_file(Path(words[0]))
    if curl.find(f"{words[0]} x") and len(words) > 1:
        import shlex

        return shlex.join(words)
    return " ".join(words)


def _is_file(name: str) -> bool:
    try:
        return Path(name).is_file()
    except (OSError, ValueError):
        return False


def _from_file(path: Path) -> str:
    try:
        with path.open("rb") as file:
            octets = file.read(4 * MOST_TEXT + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "there is none of that name"
        raise ValueError(f"The file {shown(str(path), 200)} can't be read: {reason}.") from None
    return _text(octets)


def _from_pipe() -> str:
    stream = getattr(sys.stdin, "buffer", None)
    return _text(stream.read(4 * MOST_TEXT + 1)) if stream else sys.stdin.read(MOST_TEXT + 1)


def _text(octets: bytes) -> str:
    """PowerShell writes UTF-16, Windows latin-1; everything else UTF-8."""
    if octets[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return octets.decode("utf-16", "replace")
    try:
        return octets.decode("utf-8-sig")
    except UnicodeDecodeError:
        return octets.decode("latin-1")


def known_keys(given: Iterable[str]) -> list[str | bytes | PublicKey]:
    """Return the keys that `--key` named. Raises ValueError with a sentence."""
    return [key for one in given for key in keys.read_key(one)]


def answer(text: str, context: Context) -> Reading:
    """Explain a text with what the reader knows; what they gave is never shown whole."""
    reading = read(text, context, usual_method="GET")
    secrets = [*context.passwords.values(), *(k for k in context.keys if isinstance(k, str))]
    secrets = sorted((s for s in secrets if s), key=len, reverse=True)
    if secrets:
        for number, one in enumerate(reading.fields):
            notes = [_without(note, secrets) for note in one.notes]
            reading.fields[number] = replace(one, notes=notes)
    return reading


def _without(note: Note, secrets: list[str]) -> Note:
    """Return a note in which no secret that was given on the command line stands whole."""

    def covered(text: str) -> str:
        pieces = text.split("`")
        for at in range(1, len(pieces), 2):
            pieces[at] = _covered(pieces[at], secrets)
        return "`".join(pieces)

    wrong = tuple(Wrong(covered(one.text), one.refused) for one in note.wrong)
    part = _covered(note.part, secrets)
    return replace(note, part=part, text=covered(note.text), wrong=wrong)


def _covered(text: str, secrets: list[str]) -> str:
    for secret in secrets:
        quoted = shown(secret, 10_000)
        if text.strip('"') == quoted or (len(quoted) > 7 and quoted in text):
            kept = quoted[: max(0, min(3, len(quoted) - 3))]
            text = text.replace(quoted, f"{kept}…")
    return text


def status(reading: Reading) -> int:
    """Return the exit status: 0 nothing wrong was seen, 1 something was."""
    return 1 if reading.wrong else 0


def headlines(reading: Reading) -> list[tuple[str, str]]:
    """Return what is wrong, as a label and a sentence; what is refused comes first."""
    many = len({one.found.name.lower() for one in reading.fields}) > 1 or len(reading.fields) > 1
    found = []
    for one in reading.fields:
        for wrong in all_wrong(one.notes):
            where = f"`{shown(one.found.name)}`" + (f", line {one.found.line}" if many else "")
            found.append((not wrong.refused, where if many else "", wrong.text))
    found.sort(key=lambda item: item[0])
    lines = dict.fromkeys(
        ("Note" if minor else "Wrong", f"{where}: {text}" if where else text)
        for minor, where, text in found
    )
    return list(lines)


def as_json(reading: Reading, more: str = "") -> str:
    """Return the same for a program."""
    fields = [
        {
            "name": shown(one.found.name),
            "line": one.found.line,
            "wrong": [_wrong(wrong) for wrong in all_wrong(one.notes)],
            "notes": [
                {
                    "header": note.header,
                    "part": note.part,
                    "text": note.text,
                    "secret": note.secret,
                    "depth": note.depth,
                    "wrong": [_wrong(wrong) for wrong in note.wrong],
                }
                for note in one.notes
            ],
        }
        for one in reading.fields
    ]
    whole = {
        "wrong": [_wrong(wrong) for wrong in reading.wrong],
        "headers": fields,
        "passed_over": reading.passed,
        "left_out": reading.left,
        "unread": reading.unread,
    }
    if more:
        whole["guess"] = more
    return json.dumps(whole, ensure_ascii=False, indent=1)


def _wrong(wrong: Wrong) -> dict:
    return {"text": wrong.text, "refused": wrong.refused}


def drawn(reading: Reading) -> Iterator:
    """Return the answer for rich: what is wrong, then each header, then what was passed over."""
    from rich.text import Text

    from ..showing.exchange import add_spans, rich_note

    lines = headlines(reading)
    for label, text in lines[:12]:
        line = Text()
        line.append(f"{label}: ", "bold red" if label == "Wrong" else "bold magenta")
        add_spans(line, text)
        yield line
    if len(lines) > 12:
        yield Text(f"… and {len(lines) - 12} more of the kind.")
    for number, one in enumerate(reading.fields):
        if number or lines:
            yield Text("")
        yield from (rich_note(note) for note in one.notes)
    if reading.left:
        yield Text(f"\n{reading.left} more headers were left out.")
    if reading.unread:
        yield Text(
            f"\nThe last {reading.unread:,} characters were not read: paste less.", "magenta"
        )
    if reading.passed:
        what = "line or member has" if reading.passed == 1 else "lines or members have"
        yield Text(f"\n{reading.passed} {what} nothing to do with authentication.", "dim")


def show(
    reading: Reading, context: Context, json_wanted: bool, words: str | None, seconds: float
) -> int:
    """Print the answer, search a list of words if one is named, and return the exit status."""
    from ..showing.console import make_console

    said, found = _searched(reading, context, words, seconds) if words else ("", False)
    if json_wanted:
        print(as_json(reading, said.replace("`", "")))
    else:
        console = make_console()
        for piece in drawn(reading):
            console.print(piece)
        if said:
            console.print(f"\n{said.replace('`', '')}", markup=False)
    return 1 if found else status(reading)


def _searched(reading: Reading, context: Context, words: str, seconds: float) -> tuple[str, bool]:
    """Try a list of words, with a progress bar; return a sentence, and whether one fits."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    from ..explain import guess
    from ..showing.console import make_error_console

    wanted = guess.targets(reading, context.time(), tuple(context.salts))
    if not wanted:
        return (
            "No word was tried: nothing here was signed with HS256, HS384 or HS512, or by Flask or "
            "itsdangerous."
        ), False
    columns = [BarColumn(), TextColumn("{task.percentage:.0f} %"), TimeRemainingColumn()]
    columns.append(TextColumn("{task.description}", markup=False))
    with Progress(*columns, console=make_error_console(), transient=True) as progress:
        task = progress.add_task("words tried: 0", total=1.0)

        def advance(share: float, tried: int) -> None:
            progress.update(task, description=f"words tried: {tried:,}", completed=share)

        try:
            result = guess.search(Path(words), wanted, seconds, advance)
        except OSError as error:
            return f"The list can't be read: {error.strerror}.", False
    return guess.sentence(result, seconds), result.key is not None
