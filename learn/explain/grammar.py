"""The grammar that challenges and credentials share (RFC 9110, 11.2 to 11.4).

A scheme, then a token or a list of parameters. It is our own because a reader must see what
Werkzeug's classes rightly drop: the spelling on the wire, a parameter sent twice, a second
challenge in one value, a blank where a comma belongs. Werkzeug unquotes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from .note import MOST, Note, Wrong, code, limited, shown

TOKEN = r"[!#$%&'*+.^_|~0-9A-Za-z\x60-]+"
TOKEN68 = re.compile(r"[A-Za-z0-9._~+/-]+=*")
_START = re.compile(rf"({TOKEN})(?:[ \t]+(?![ \t=])|$)")
_PARAM = re.compile(rf"({TOKEN})[ \t]*=[ \t]*(.*)", re.DOTALL)
_PIECE = re.compile(r'(?:"(?:\\.|[^"\\])*"?|[^,"])+', re.DOTALL)  # commas in quotes don't count
_QUOTED = re.compile(r'"(?:\\.|[^"\\])*"', re.DOTALL)
_NEXT = re.compile(r"[ \t;]+(?=(?:Basic|Digest|Bearer|DPoP|Negotiate|NTLM)(?:[ \t]|$))", re.I)
_RUN = re.compile(  # one of several parameters that no comma parts
    rf"({TOKEN}[ \t]*=[ \t]*(?:\"(?:\\.|[^\"\\])*\"|[^\s;\"]*(?:;(?![\s;])[^\s;\"]*)*))([\s;]*)"
)


class Param(NamedTuple):
    """One parameter of a challenge or of credentials, `name=value` (RFC 9110 11.2)."""

    name: str  # in lower case; "" if the piece is no parameter at all
    value: str  # unquoted
    sent: str  # as it stands in the header
    problem: str = ""  # why it can't be read
    quoted: bool = False
    wrong: tuple[Wrong, ...] = ()


@dataclass
class Offer:
    """One challenge or one set of credentials: they share a grammar."""

    scheme: str
    token: str = ""
    params: list[Param] = field(default_factory=list)

    def get(self, name: str) -> str | None:
        return next((param.value for param in self.params if param.name == name), None)


def pieces(value: str) -> list[str]:
    """Split a list at its commas (RFC 9110 5.6.1), those in quotes excepted."""
    return [found for piece in _PIECE.findall(value) if (found := piece.strip(" \t\r\n"))]


def _run_together(piece: str) -> list[str]:
    """Part challenges between which the comma is missing: `Basic realm="a" Digest realm="b"`."""
    parts, begin, at = [], 0, piece.find('"')
    while at >= 0 and (quoted := _QUOTED.match(piece, at)):
        if found := _NEXT.match(piece, quoted.end()):
            parts.append(piece[begin : quoted.end()])
            begin = found.end()
        at = piece.find('"', quoted.end())
    return [*parts, piece[begin:]]


def offers(value: str, many: bool) -> list[Offer]:
    """Split a value into its challenges; with `many` false, a scheme can only stand first."""
    found: list[Offer] = []
    parts = [(part, at) for piece in pieces(value) for at, part in enumerate(_run_together(piece))]
    for piece, after in parts if many else [(piece, 0) for piece in pieces(value)]:
        start = _START.match(piece)
        if after and found and found[-1].params:
            last = found[-1].params.pop()
            wrong = Wrong("A comma is missing between two challenges (RFC 9110 11.6.1).")
            found[-1].params.append(last._replace(wrong=(*last.wrong, wrong)))
        if start and found and _rest_of_qop(piece, found[-1]):
            last = found[-1].params.pop()
            found[-1].params.append(_with_rest(last, piece))
            continue
        if start and (many or not found):
            found.append(Offer(start[1]))
            piece = piece[start.end() :].strip(" \t")
            if TOKEN68.fullmatch(piece) and not _empty_param(start[1], piece):
                found[-1].token = piece
                continue
        if not found:
            found.append(Offer(""))
        if piece and len(found[-1].params) > 25 * MOST:
            found[-1].params.append(Param("", "", piece))  # counted, no more
        elif piece:
            found[-1].params += _params(piece)
    return found or [Offer("")]


def _empty_param(scheme: str, piece: str) -> bool:
    """`realm=` is a token68 by its letters; these schemes have none, so it is a parameter."""
    known = scheme.lower() in ("basic", "digest", "bearer", "dpop")
    return known and re.fullmatch(r"[A-Za-z_]+=", piece) is not None


def _rest_of_qop(piece: str, offer: Offer) -> bool:
    last = offer.params[-1] if offer.params else None
    return bool(last) and last.name == "qop" and piece.lower() in ("auth", "auth-int")


def _with_rest(param: Param, rest: str) -> Param:
    wrong = Wrong("The list in `qop` needs quotation marks: a comma ends a value that has none.")
    sent = f"{param.sent}, {rest}"
    return replace_param(param, value=f"{param.value},{rest}", sent=sent, wrong=(wrong,))


def replace_param(param: Param, **changes) -> Param:
    """Return the parameter with changes."""
    return param._replace(**changes)


def _params(piece: str) -> list[Param]:
    """Read one piece; where blanks or semicolons stand for commas, the several in it."""
    found, at = [], 0
    while (match := _RUN.match(piece, at)) and (match[2] or match.end() == len(piece)):
        found.append((match[1], match[2]))
        at = match.end()
    if at < len(piece) or len(found) < 2:
        return [read_param(piece)]
    params = [read_param(sent.strip()) for sent, _ in found]
    for number, (_, between) in enumerate(found[:-1]):
        stands = "a semicolon stands" if ";" in between else "only a blank stands"
        after = f"After `{shown(params[number].name)}` {stands} where a comma belongs"
        wrong = Wrong(f"{after} (RFC 9110 11.2), so programs read what follows in different ways.")
        params[number] = params[number]._replace(wrong=(*params[number].wrong, wrong))
    return params


def read_param(piece: str) -> Param:
    """Read one parameter as it stands in a header; what is wrong with it becomes its `problem`."""
    from werkzeug.http import parse_dict_header, unquote_header_value

    match = _PARAM.fullmatch(piece)
    if match is None:
        problem = "this is no `name=value` pair, so it can't be read."
        return Param("", "", piece, problem)
    name, raw = match[1].lower(), match[2].strip(" \t")
    quoted = raw.startswith('"')
    if quoted and _QUOTED.fullmatch(raw) is None:
        closed = _QUOTED.match(raw)
        problem = "the quotation marks are not in pairs."
        if closed:
            problem = f"{code(raw[closed.end() :])} stands after the closing quotation mark."
        return Param(name, raw.strip('"'), piece, problem, True)
    if name.endswith("*"):  # RFC 8187, for Digest's username*
        return Param(name, (parse_dict_header(f"{name}={raw}").get(name[:-1])) or "", piece)
    return Param(name, unquote_header_value(raw), piece, "", quoted, _value_wrong(name, raw))


def _value_wrong(name: str, raw: str) -> tuple[Wrong, ...]:
    name = shown(name)
    if not raw:
        return (Wrong(f'`{name}=` has no value; an empty one is written `{name}=""`.'),)
    if len(raw) > 1 and raw[0] == raw[-1] == "'":
        said = f'The apostrophes around `{name}` are part of its value: HTTP quotes with `"` alone.'
        return (Wrong(said, False),)
    if raw[0] == '"' or re.fullmatch(TOKEN, raw):
        return ()
    if raw[0] in "“”‘’„«":
        return (Wrong(f'The quotation marks of `{name}` are typographic; HTTP knows only `"`.'),)
    bad = re.sub(TOKEN, "", raw)[0]
    what = "a blank" if bad in " \t" else "a character beyond ASCII" if bad > "~" else code(bad)
    text = (
        f"The value of `{name}` needs quotation marks, since it has {what} in it (RFC 9110 5.6.4)."
    )
    return (Wrong(text),)


def param_notes(
    header: str,
    offer: Offer,
    depth: int,
    say: Callable[[Param], str | list[Note]],
    full: bool = False,
    secret: bool = False,
    strict: Container[str] | None = None,
) -> list[Note]:
    """One note per parameter: what `say` knows about it, and whether it was sent twice.

    strict: names of those whose values must have the form that RFC 9110 demands; None: all.
    """
    notes: list[Note] = []
    seen: set[str] = set()
    most = 400 if full else 60
    for param in offer.params[:MOST]:
        wrong = param.wrong if strict is None or param.name in strict else ()
        if param.problem or param.name in seen:
            text = param.problem or (
                f"`{shown(param.name)}` a second time, which RFC 9110 11.2 forbids. "
                "Which one counts depends on the server, so don't rely on either."
            )
            first = f"`{shown(param.name)}` stands twice, which RFC 9110 11.2 forbids."
            if param.problem:
                first = f"{code(param.sent, 60)}: {param.problem}"
            first = "A part is no `name=value` pair." if secret and param.problem else first
            wrong = (*wrong, Wrong(first))
            notes.append(Note(header, shown(param.sent, most), text, secret, depth, wrong))
        else:
            said = say(param)
            if isinstance(said, str):
                said = [Note(header, shown(param.sent, most), said, secret, depth)]
            said[0] = replace(said[0], wrong=said[0].wrong + wrong)
            notes += said
        seen.add(param.name or param.sent)
    return limited(header, notes, depth, len(offer.params))


def missing(header: str, offer: Offer, names: tuple[str, ...], depth: int) -> list[Note]:
    """Name the parameters that a scheme asks for and that are not there."""
    lost = [f"`{name}`" for name in names if offer.get(name) is None]
    if not lost or len(offer.params) > MOST:
        return []
    text = f"Missing, though the scheme asks for it: {', '.join(lost)}."
    if "`qop`" in lost:
        text += " Without `qop` the response is that of RFC 2069, with no cnonce and no nc."
    needed = [name for name in lost if name not in ("`qop`",)]
    wrong = (Wrong(f"Missing, though the scheme asks for it: {', '.join(needed)}."),)
    return [Note(header, "", text, False, depth, wrong if needed else ())]
