"""Find headers in lines of text: of curl -v, a browser, Wireshark, a log, a whole message.

A line is a field if it begins with a name that is of interest; what is neither that nor part of a
field before it is passed over.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from . import addresses, alone, containers
from .fields import is_of_interest
from .found import Found, clear_name, tidy, unquoted
from .note import Wrong

_MARK = re.compile(
    r"^(?:[<>|]+\s+|\*\s+\[HTTP/\d(?:\.\d)?\]\s+\[\d+\]\s+|[-•*]\s+(?=[\"'A-Za-z]))+"
)
_FIELD = re.compile(
    r"[\"'`“]?(?P<name>[A-Za-z][A-Za-z0-9_-]{1,60})[\"'`”]?"
    r"(?:[ \t]*(?::|→|=>|⇒|\t)[ \t]*|[ \t]{2,}|[ \t]*=[ \t]*(?=[\"'b])|(?<=[A-Z])=)(?P<value>.*)",
    re.DOTALL,
)
_INSIDE = re.compile(
    r"(?:^|[\s\[({\"'<>|,;@])(?P<name>(?:proxy-)?authorization|(?:www|proxy)-authenticate"
    r"|set-cookie|cookie|authentication-info|HTTP_AUTHORIZATION|HTTP_COOKIE|x-api-key"
    r"|x-access-token|x-auth-token)[\"'`]?(?: header)?"
    r"\s*(?::|=>|→|=(?![=>])|,(?=B))\s*(?P<value>(?![$%][\d{])\S.*)",
    re.IGNORECASE,
)
_REQUEST = re.compile(r"([A-Z]{3,10})\s+(\S+)\s+HTTP/[\d.]+\s*$")
_STATUS = re.compile(r"HTTP/[\d.]+\s+(\d{3})\b")
_OTHER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_|~-]+\s*:(?:\s|$)")
_PAIR = re.compile(
    r"(?P<q>[\"'])(?P<name>[A-Za-z][\w-]{1,60})(?P=q)\]?\s*(?::|=>|=|,|value\s*=)\s*"
    r"(?P<prefix>[fbrFBR]{0,2})(?P<value>\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'|`[^`]*`)"
    r"(?P<after>\s*[+.]\s*[A-Za-z_$][\w.$]*|\s*%\s*\w+|\.format\()?"
)
_BARE_PAIR = re.compile(  # { Authorization: "Bearer …" }, without quotes around the name
    r"(?:^|[\s{,(.:])(?P<name>(?:proxy-)?authorization|(?:www|proxy)-authenticate"
    r"|(?:set-)?cookie)(?:\s*(?:[:=]|=>)\s*|[ \t]+)(?P<prefix>[fb]?)"
    r"(?P<value>\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'|`[^`]*`)(?P<after>\s*\+\s*[A-Za-z_$][\w.$]*)?",
    re.IGNORECASE,
)
_CODE = re.compile(r"\s*(?:[fb]?[\"'`]|[\[{(])")
_SPACED = re.compile(  # one blank where the colon should be
    r"((?:proxy-)?authorization|(?:www|proxy)-authenticate)[ \t]+"
    r"((?:basic|bearer|digest|token|dpop|jwt)[ \t]+(?=.*[\d=\".]).*|negotiate|ntlm)",
    re.IGNORECASE,
)
_QUOTED = ("clear-site-data",)  # headers whose words stand in quotation marks of their own
_MOST_JOINED = 200  # lines of one header
_SEPARATORS = re.compile(r"[\s,;\"'`|<>(){}\[\]]+")
_OPTION = re.compile(r"(?:-H|--header)(?:[ =]|(?=['\"]))\s*")
_ROW = re.compile(r"\|?\s*[*_]*([\w-]+)[*_]*\s*\|\s*([^|]+?)\s*\|?\s*")
_LISTED = re.compile(
    r"\[(?:\]\s*string\s*\{)?\s*[\"']?([A-Za-z]+ [^\]\"'{}]+)[\"']?\s*[\]}].*", re.DOTALL
)
_WORDS = re.compile(r"[\w+/=.~-]+")


@dataclass
class Lines:
    """What a text says, line by line."""

    fields: list[Found] = field(default_factory=list)
    passed: list[tuple[int, str]] = field(default_factory=list)  # lines that are not explained


def read(text: str, now: float) -> Lines:
    """Return the headers in a text, and the lines that are none."""
    reader = _Reader([_plain(line) for line in text.split("\n")], now)
    while reader.at < len(reader.lines):
        reader.step()
    return reader.out


def starts_field(line: str) -> bool:
    """Say whether a line begins with the name of a header that is of interest."""
    match = _FIELD.match(_Reader._bare(line))
    return bool(match) and is_of_interest(clear_name(match["name"]))


def _plain(line: str) -> str:
    return re.sub(r"\\r\\n\s*$", "", line.rstrip("\r\n"))  # as Wireshark shows a line's end


class _Reader:
    def __init__(self, lines: list[str], now: float):
        self.now = now
        self.lines, self.at, self.out = lines, 0, Lines()
        self.method: str | None = None
        self.target: str | None = None
        self.status: int | None = None
        self.open = False  # the line before was a field, which this one may continue
        self.tried_json = self.joined = 0

    def step(self) -> None:
        raw, number = self.lines[self.at], self.at + 1
        self.at += 1
        line = self._bare(raw)
        if not line:
            self.open = False
            return
        if self._message_line(line):
            self.open = False
            return
        found = self._json(line, number) if line[0] in "{[" else []
        found = found or self._pairs(line, number)
        coded = bool(found)
        found = found or self._field(line, number)
        if not found and self.open and self._continues(raw, line):
            return
        if not found:
            found = addresses.read(line, number) or self._tokens(line, number)
        if not found:
            self.open = False
            self.out.passed.append((number, line))
            return
        self.joined = 0
        self.out.fields += found
        self.open = found[-1].kind == "header" and not coded

    @staticmethod
    def _bare(raw: str) -> str:
        line = _MARK.sub("", raw.strip()).strip()
        if not line.strip("<>|*"):
            return ""
        if line[:1] == "[" and line[-1:] == "]" and _OTHER.match(line[1:]):
            line = line[1:-1]
        quoted = len(line) > 1 and line[0] + line[-1] in ('""', "''", "``", "“”", "‘’")
        inner = _MARK.sub("", line[1:-1].strip())
        if quoted and _FIELD.match(inner) and line[0] not in inner.replace("\\", ""):
            line = inner
        option = _OPTION.match(line)
        if option:
            line = re.sub(r"\s*\\$", "", line[option.end() :]).replace("\\ ", " ").strip()
            line = line[1:-1] if line[:1] in "'\"" and line[:1] == line[-1:] else line
        row = _ROW.fullmatch(line) if "|" in line[:200] else None
        if row and is_of_interest(row[1]):
            line = f"{row[1]}: {row[2]}"
        return re.sub(r"^\*\*([\w-]+)(?::\*\*|\*\*:)", r"\1:", line.strip())

    def _message_line(self, line: str) -> bool:
        request, status = _REQUEST.search(line[:8000]), _STATUS.match(line)
        if request and not status and not _FIELD.match(line):
            self.method, self.target, self.status = request[1], request[2], None
            return True
        if status:
            self.status = int(status[1])
        return bool(status)

    def _made(self, name: str, raw: str, number: int, **more) -> Found:
        listed = _LISTED.fullmatch(raw.strip())
        if clear_name(name).lower() in _QUOTED:
            listed, value, stripped = None, raw.strip(), ""
        else:
            value, stripped = unquoted(listed[1] if listed else raw)
        value, wrong = tidy(value)
        response = re.match(r"(?i)(?:www|proxy)-authenticate|set-cookie|.*-info", name)
        if stripped and more.get("remark") is None:
            more["remark"] = "Read without the quotation marks, or comma, that stand around it."
        more["remark"] = more.get("remark") or ""
        return Found(
            clear_name(name), value, number, wrong=wrong, method=self.method,
            target=self.target, status=self.status if response else None, **more,
        )  # fmt: skip

    def _pairs(self, line: str, number: int) -> list[Found]:
        """`"Authorization": "Bearer …"`, in whatever language."""
        found = []
        plain = _FIELD.match(line)
        name = clear_name(plain["name"]) if plain else ""
        if is_of_interest(name) and (name.lower() in _QUOTED or not _CODE.match(plain["value"])):
            return []
        for match in _PAIR.finditer(line):
            name = clear_name(match["name"])
            if not is_of_interest(name) and name.lower() not in containers.TOKENS:
                continue
            value = match["value"][1:-1]
            filled = "f" in match["prefix"].lower() or match["after"] or match["value"][0] == "`"
            if match["after"]:
                value = f"{value}{{{match['after'].strip(' +.%')[:40]}}}"
            kind = "header" if is_of_interest(name) else "token"
            value = value.replace('\\"', '"').replace("\\'", "'")
            made = self._made(name, value, number, kind=kind, remark="")
            if "b" in match["prefix"].lower():
                made = made  # bytes in a program are as good as text
            found.append(_filled(made, "the program" if filled else ""))
        bare = _BARE_PAIR.search(line) if not found else None
        if bare:
            filled = bare["value"][0] == "`" or "f" in bare["prefix"] or bare["after"]
            value = bare["value"][1:-1] + (
                f"{{{bare['after'].strip(' +')[:40]}}}" if bare["after"] else ""
            )
            made = self._made(bare["name"], value, number, remark="")
            found.append(_filled(made, "the program" if filled else ""))
        return found

    def _field(self, line: str, number: int, more: int = 20) -> list[Found]:
        match = _FIELD.match(line)
        if match and is_of_interest(clear_name(match["name"])):
            name, value = match["name"], match["value"]
            if not value.strip().strip(":"):
                return self._next_line(name, number)
            if not (match["value"].startswith("=") or _is_prose(clear_name(name), value)):
                return [self._made(name, value, number)]
        if is_of_interest(clear_name(line.rstrip(":"))) and re.fullmatch(r"[\w-]+:?", line):
            return self._next_line(line.rstrip(":"), number)
        spaced = _SPACED.fullmatch(line)
        if spaced:
            return [self._made(spaced[1], spaced[2], number)]
        inside = _INSIDE.search(line)
        if inside and not (match and _OTHER.match(line) and match["name"].lower() in _NEVER):
            value = inside["value"]
            if not _is_prose(inside["name"], value) and (
                "=" in value or "cookie" not in inside["name"].lower()
            ):
                before = line[: inside.start("name")]
                if before.endswith(("'", '"')) and value.count(before[-1]) % 2:
                    value = value.partition(before[-1])[0]
                value = re.split(r"\\r\\n|\\n", value)[0]
                rest = line[inside.start("value") + len(value) :].lstrip("\\rn")
                found = [self._made(inside["name"], value, number, remark="")]
                if more and rest and _INSIDE.search(rest):  # a whole request on one line
                    found += self._field(rest, number, more - 1)
                return found
        return []

    def _next_line(self, name: str, number: int) -> list[Found]:
        """A browser's table: the name on a line, the value on the next."""
        if self.at < len(self.lines):
            following = self._bare(self.lines[self.at])
            match = _FIELD.match(following)
            known = match and is_of_interest(clear_name(match["name"]))
            if following and not known and not is_of_interest(clear_name(following.rstrip(":"))):
                self.at += 1
                return [self._made(name, following, number)]
        return [Found(clear_name(name), "", number)]

    def _continues(self, raw: str, line: str) -> bool:
        """Join a line that is no field of its own to the field before it, if it belongs there."""
        last = self.out.fields[-1]
        self.joined += 1
        if self.joined > _MOST_JOINED or len(last.value) > 100_000:
            return False
        joined, remark, wrong = None, last.remark, last.wrong
        token = last.value.rpartition(" ")[2]
        if last.value.count('"') % 2 and not _OTHER.match(line):
            joined, remark = last.value + line, "A line break in it was taken out."
        elif _is_rest_of(token, line):
            joined, remark = last.value + line, "The line breaks in it were taken out."
            if last.value.lower().startswith("basic ") and len(token) in (64, 76):
                remark = ""
                said = (
                    "The base64 stands in several lines, and must be one: `base64 -w0` and "
                    "Python's `b64encode` make it so, `encodestring` and `base64` break it."
                )
                wrong = (*wrong, Wrong(said))
        elif raw[:1] in " \t" and not _OTHER.match(line) and line[0] not in "{}[]":
            joined = f"{last.value} {line}"
        elif last.value.rstrip().endswith(",") and re.match(r"[a-z_]+\s*=", line):
            joined = f"{last.value} {line}"
        if joined is None:
            return False
        value, stripped = unquoted(joined)
        self.out.fields[-1] = Found(
            **{**last.__dict__, "value": value, "remark": remark, "wrong": wrong}
        )
        return True

    def _tokens(self, line: str, number: int) -> list[Found]:
        """A token somewhere in a sentence or table, if it is one that anyone can read."""
        words = _SEPARATORS.split(line)[:200]
        whole = [word.strip(".:") for word in words if 20 < len(word) < 20_000 and "." in word]
        signed = [word for word in whole if word.count(".") > 1 and not word.startswith("http")]
        return [one for word in signed for one in alone.read(word, number, self.now)]

    def _json(self, line: str, number: int) -> list[Found]:
        """A body in JSON, on one line or down to the end of the text."""
        if line[0] not in "{[" or self.tried_json > 20:
            return []
        self.tried_json += 1
        found = containers.read(line)
        if found is None and len(line) < 3:
            rest = "\n".join(self.lines[self.at - 1 :])
            found = containers.read(rest)
            if found is not None:
                self.at = len(self.lines)
        if not found:
            return []
        return [Found(**{**one.__dict__, "line": number}) for one in found.fields]


def _is_rest_of(token: str, line: str) -> bool:
    """A long token that a terminal, or base64, has broken into lines."""
    if not (_WORDS.fullmatch(token) and _WORDS.fullmatch(line)):
        return False
    return len(token) > 40 or (len(token) > 19 and len(line) > 19)


_NEVER = {
    "access-control-allow-headers", "access-control-expose-headers", "vary",
    "access-control-request-headers", "content-security-policy", "user-agent", "referer",
}  # fmt: skip


def _filled(found: Found, who: str) -> Found:
    if not who or not re.search(r"\{.*\}|\$\w+", found.value):
        return found
    return Found(**{**found.__dict__, "filled": who})


def _is_prose(name: str, value: str) -> bool:
    """`Cookie: the browser sends …` is a sentence, no header."""
    low, words = name.lower(), value.split()
    if "cookie" in low:
        return "=" not in value and len(words) > 3
    if low in ("auth", "authentication", "token", "session", "secret", "password"):
        return len(words) > 3 or len(words) == 1 and len(value) < 6
    return len(words) > 5 and not re.search(r"[=\"]", value) and value.rstrip().endswith(".")
