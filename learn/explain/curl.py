"""Find headers in a command: of curl, HTTPie or wget. `shlex` reads it as a shell does."""

from __future__ import annotations

import base64
import re
import shlex
from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import urlsplit

from . import addresses, containers
from .fields import is_of_interest
from .found import Found, clear_name, tidy
from .note import Wrong, shown

_START = re.compile(
    r"^[ \t]*(?:[$%>#][ \t]+)?(?:sudo[ \t]+)?(curl(?:\.exe)?|https?|wget)[ \t]+(?=\S)", re.MULTILINE
)
_LONGEST = 100_000  # characters of a command
_HEADER, _USER, _COOKIE = ("-H", "--header"), ("-u", "--user"), ("-b", "--cookie")
_DATA = ("-d", "--data", "--data-raw", "--data-binary", "--data-urlencode", "--json")
_WITH_VALUE = (
    *_HEADER, *_USER, *_COOKIE, *_DATA, "-X", "--request", "-A", "--user-agent", "-e", "--referer",
    "-o", "--output", "-x", "--proxy", "-U", "--proxy-user", "-m", "--max-time", "--url", "-F",
    "--form", "--oauth2-bearer", "-w", "--write-out", "-c", "--cookie-jar", "-E", "--cert", "--key",
    "--cacert", "--resolve", "--connect-timeout", "-a", "--auth", "--auth-type", "--aws-sigv4",
    "-D", "--dump-header", "-T", "--upload-file", "--retry", "--password",
)  # fmt: skip


def find(text: str) -> re.Match | None:
    """Return where a command begins in a text."""
    for match in _START.finditer(text):
        line = text[match.end() :].partition("\n")[0]
        if match[1] in ("curl", "curl.exe", "wget") or re.search(r"https?://|localhost|:\d", line):
            return match
    return None


def words_of(command: str) -> tuple[list[str], str] | None:
    """Return a command's words and what follows the command in the text, or None."""
    end = _end(command)
    joined = re.sub(r"[ \t]*[\\^`][ \t]*\n", " ", command[:end])
    joined = joined.replace("$'", "'").replace('^"', '"')
    try:
        return (shlex.split(joined), command[end:]) if end < _LONGEST else None
    except ValueError:
        return None


def _end(command: str) -> int:
    """Return where a command ends: at a line break that is neither quoted nor escaped."""
    quote, escaped = "", False
    for at, letter in enumerate(command[:_LONGEST]):
        if escaped:
            escaped = False
        elif letter == "\\" and quote != "'":
            escaped = True
        elif quote:
            quote = "" if letter == quote else quote
        elif letter in "'\"":
            quote = letter
        elif letter == "\n" and command[max(0, at - 9) : at].rstrip(" \t")[-1:] not in (
            "\\",
            "^",
            "`",
        ):
            return at
    return min(len(command), _LONGEST)


def read(words: Sequence[str], line: int, raw: str) -> list[Found]:
    """Return the headers that a command sends; `raw` is the command as it stands."""
    program = re.sub(r"\.exe$", "", words[0])
    found, target, method, schemes = [], None, None, set()
    user, kind = None, "basic"
    queue = list(words[1:])
    while queue:
        word = queue.pop(0)
        if word in ("|", "||", "&&", ";", ">", "2>&1"):
            break
        option, value = _option(word, queue)
        if option in _HEADER:
            name, _, content = (value or "").partition(":")
            found += _header(name, content, line)
        elif option in _COOKIE and "=" in (value or ""):
            found += _header("Cookie", value, line)
        elif option in _USER or option in ("-a", "--auth"):
            user = value
        elif option == "--password" and user is not None:
            user = f"{user}:{value}"
        elif option in ("--digest", "--ntlm", "--negotiate", "--anyauth", "--aws-sigv4"):
            schemes.add(option)
        elif option in ("-A", "--auth-type") and program.startswith("http"):
            kind = (value or "").lower()
        elif option == "--oauth2-bearer":
            found.append(Found("Authorization", f"Bearer {value}", line))
        elif option in ("-U", "--proxy-user"):
            found += _basic("Proxy-Authorization", value, option, line)
        elif option in ("-X", "--request"):
            method = value
        elif option in ("-I", "--head"):
            method = method or "HEAD"
        elif option in ("-d", "--json") or option.startswith("--data"):
            method = method or "POST"
            found += _body(value or "", line)
        elif option == "--url" or not option:
            word = value if option else word
            if program.startswith("http") and re.fullmatch("[A-Z]{3,8}", word):
                method = word
            elif item := re.fullmatch(r"([A-Za-z][\w-]*):(?!//)(.*)", word, re.DOTALL):
                found += _header(item[1], item[2], line) if program.startswith("http") else []
            elif target is None:
                target = _target(word)
            found += addresses.read(word, line)
    if user is not None and not schemes:
        if kind == "bearer":
            found.append(Found("Authorization", f"Bearer {user}", line))
        elif kind == "basic":
            found += _basic("Authorization", user, "-u" if program == "curl" else "--auth", line)
    found = [replace(one, method=method or "GET", target=target) for one in found]
    return [_by_shell(one, raw) for one in found]


def _option(word: str, queue: list[str]) -> tuple[str, str | None]:
    """Return an option and its value, which may stand in the same word or in the next."""
    if not word.startswith("-") or word == "-":
        return "", None
    name, equals, value = word.partition("=")
    if word.startswith("--"):
        if equals:
            return name, value
        return word, queue.pop(0) if word in _WITH_VALUE and queue else None
    for at in range(1, len(word)):  # -sSH 'name: value', -Hname:value
        if f"-{word[at]}" in _WITH_VALUE:
            rest = word[at + 1 :]
            return f"-{word[at]}", rest if rest else queue.pop(0) if queue else None
    return ("-I", None) if "I" in word else (word, None)


def _header(name: str, value: str, line: int) -> list[Found]:
    name = clear_name(name)
    if not is_of_interest(name):
        return []
    value, wrong = tidy(value)
    return [Found(name, value, line, wrong=wrong)]


def _basic(name: str, user: str | None, option: str, line: int) -> list[Found]:
    if not user or ":" not in user:
        return []
    octets = base64.b64encode(user.encode("utf-8", "surrogatepass"))
    remark = f"This is what `{option}` makes of the name and password after it."
    return [Found(name, f"Basic {octets.decode()}", line, remark=remark)]


def _body(text: str, line: int) -> list[Found]:
    inside = containers.read(text)
    if inside is not None:
        return [replace(one, line=line) for one in inside.fields]
    return addresses.read(text, line) or addresses.read(f"?{text}", line)


def _target(word: str) -> str | None:
    word = word if "://" in word else f"http://{word.lstrip(':')}"
    try:
        parts = urlsplit(word)
    except ValueError:
        return None
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _by_shell(found: Found, raw: str) -> Found:
    """The shell fills in `$TOKEN` in double quotes and in none, and leaves it in single ones."""
    variable = re.search(r"\$\{?\w+\}?", found.value)
    if not variable or found.kind != "header":
        return found
    if re.search(rf"'[^']*{re.escape(variable[0])}[^']*'", raw):
        said = (
            f"`{shown(variable[0])}` stands in single quotes, in which the shell fills nothing in: "
            "use double ones."
        )
        return replace(found, wrong=(*found.wrong, Wrong(said)))
    return replace(found, filled="the shell")
