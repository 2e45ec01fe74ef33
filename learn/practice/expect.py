"""Say what is expected of an answer: the words in which the checks are written.

Each check of a lesson is a sentence; in it, `expect` compares one answer with what it should be.
What differs is raised as `Unexpected`, which keeps the exchange and the telling header, so that
whoever reports it (pytest, the command `check`, a notebook) can show both.
"""

from __future__ import annotations

import contextlib
import functools
import html
import re
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from ..layout import INSIDE

if TYPE_CHECKING:
    from ..running.client import Client, Exchange


class Unexpected(AssertionError):
    """What was expected did not come.

    expected, came: a phrase each; answer: the exchange, or None where there is none; mark: which
    part of the response tells: "status", "body", a header's name, or "" for none.
    """

    def __init__(self, expected: str, came: str, answer: Exchange | None = None, mark: str = ""):
        self.expected, self.came, self.answer, self.mark = expected, came, answer, mark
        super().__init__(expected, came)

    def __str__(self):
        from ..showing.exchange import as_text

        shown = f"\n\n{as_text(self.answer, self.mark)}" if self.answer else ""
        return f"expected {self.expected}\n    came {self.came}{shown}"


def expect(
    answer: Exchange,
    status: int | None = None,
    *,
    text: str | None = None,
    says: str | None = None,
    challenge: str | None = None,
    headers: Mapping[str, str] | None = None,
    **parameters: Any,
) -> Exchange:
    """Return the answer if it is as expected; raise Unexpected if not.

    status: its status code; text: its whole body, space around it apart; says: what its body must
    contain, be it plain text, a page or JSON; headers: names with what their value must contain;
    challenge: the scheme of a challenge, before which others may stand (RFC 9110 11.6.1);
    parameters: that challenge's parameters, `...` for any value but an empty one, None for none at
    all.
    """
    if status is not None and answer.status != status:
        raise Unexpected(f"status {status}", _came(answer), answer, "status")
    if text is not None and answer.text.strip() != text:
        raise Unexpected(f"the text {text!r}", f"the text {_short(answer)}", answer, "body")
    if says is not None and says not in html.unescape(answer.text):
        raise Unexpected(f"the text {says!r} in the answer", _short(answer), answer, "body")
    for name, part in (headers or {}).items():
        value = answer.header(name)
        if value is None:
            raise Unexpected(
                f"a header {name}: {part}".rstrip(": "), f"no header {name}", answer, "status"
            )
        if part not in value:
            raise Unexpected(f"{part} in the header {name}", f"{name}: {value}", answer, name)
    if challenge is not None:
        _expect_challenge(answer, challenge, parameters)
    return answer


def _expect_challenge(answer, scheme, parameters):
    name = "WWW-Authenticate"
    came = ", ".join(answer.headers(name))
    if not came:
        raise Unexpected(
            f"a challenge, {name}: {scheme.title()} …", f"no header {name}", answer, "status"
        )
    found = answer.challenge(scheme=scheme)
    if found is None:
        raise Unexpected(f"a challenge of the scheme {scheme}", came, answer, name)
    for parameter, wanted in parameters.items():
        value = found.get(parameter)
        if wanted is None and value is not None:
            raise Unexpected(f"no {parameter} in the challenge", came, answer, name)
        if wanted is ... and not value:
            raise Unexpected(f"{parameter} in the challenge", came, answer, name)
        same = value == wanted
        if parameter == "charset" and value:  # its value may be in any case (RFC 7617 2.1)
            same = value.lower() == wanted.lower()
        if wanted not in (None, ...) and not same:
            raise Unexpected(f'{parameter}="{wanted}" in the challenge', came, answer, name)


def expect_that(
    holds: object, expected: str, came: str, answer: Exchange | None = None, mark: str = ""
) -> None:
    """Raise Unexpected, with these phrases, unless `holds`."""
    if not holds:
        raise Unexpected(expected, came, answer, mark)


def expect_no_markup(answer: Exchange, tag: str) -> None:
    """Raise Unexpected if an HTML page has this tag, which came in a user's name, as a tag."""
    kind = answer.header("Content-Type") or "text/html"
    runs = kind.lower().startswith(("text/html", "application/xhtml", "image/svg"))
    wanted = f"{tag} as text: answer with text/plain, or escape it"
    expect_that(not runs or tag not in answer.text, wanted, "a tag in HTML", answer, "body")


def seconds_of(
    *actions: Callable[[], object], rounds: int = 5, until: Callable[..., bool] | None = None
) -> list[float]:
    """Return the median time of each action in seconds, measured in turn (A B A B …).

    until: what should hold of these times. If it doesn't, they are measured again, up to three
    times: a busy machine may slow down one of them, and hardly four times in a row.
    """
    for _ in range(4 if until else 1):
        times: list[list[float]] = [[] for _ in actions]
        for _ in range(rounds):
            for kept, action in zip(times, actions, strict=True):
                begin = time.perf_counter()
                action()
                kept.append(time.perf_counter() - begin)
        medians = [statistics.median(kept) for kept in times]
        if until and until(*medians):
            break
    return medians


def steady(answer: Exchange, name: str = "") -> str:
    """Return the body without what two answers that say the same may differ in.

    That is each word of eight letters or more with a digit among them, which could be the number of
    a request, such as a UUID; every other digit, of a time or of the seconds that are left; and the
    name that was sent, which stands in a form that is shown again.
    """
    text = re.sub(rf"\b{re.escape(name)}\b", "", answer.text) if name else answer.text
    text = re.sub(r"\b(?=[\w-]*\d)[\w-]{8,}", "", text)
    return re.sub(r"\d+", "", text).strip()


def expect_same_answer(
    wrong: Exchange,
    unknown: Exchange,
    again: Exchange | None = None,
    names: tuple[str, str] = ("", ""),
) -> None:
    """Raise Unexpected unless both have the same status, steady text and headers, by their names.

    wrong: what a wrong password got; unknown: what a user got that there isn't; again: what the
    wrong password got another time. With it headers are compared by their values too, those apart
    that differ from one time to the next, such as a date or a cookie. names: whom the two asked
    for, which an answer may repeat.
    """
    expect(unknown, wrong.status)
    expect_that(
        steady(wrong, names[0]) == steady(unknown, names[1]),
        f"for an unknown user the text of a wrong password, {_short(wrong)}",
        f"the text {_short(unknown)}",
        unknown,
        "body",
    )
    one, other = ({n.lower() for n, _ in each.response_headers} for each in (wrong, unknown))
    expect_that(
        one == other,
        "for an unknown user the headers of a wrong password",
        f"a difference, {', '.join(sorted(one ^ other))}",
        unknown,
    )
    always = set(wrong.response_headers) & set(again.response_headers if again else ())
    for name, value in always - set(unknown.response_headers):
        if name.lower() != "date":
            wanted = f"for an unknown user what a wrong password gets, {name}: {value}"
            came = f"{name}: {unknown.header(name)}"
            raise Unexpected(wanted, came, unknown, name)


def expect_same_time(
    app: Client,
    wrong: Callable[[], object],
    *unknown: Callable[[], object],
    rounds: int = 5,
) -> None:
    """Raise Unexpected unless these take about the same time.

    wrong: sends a wrong password to the app; unknown: each sends that of a user that there isn't.
    """
    one, *others = seconds_of(wrong, *unknown, rounds=rounds, until=_alike)
    other = next((other for other in others if not _alike(one, other)), one)
    expect_that(
        other == one,
        "the same time for an unknown user as for a wrong password",
        f"an answer in {other / one:.2f} of the time",
        app.exchanges[-1],
    )


def expect_hashed(app: Client, page: Callable[[], object], login: Callable[[], object]) -> None:
    """Raise Unexpected unless a login takes at least four times as long as a page.

    page: asks for what needs no password; login: sends a wrong password, as a right one may be
    remembered. A hash such as Argon2id takes ten times as long, a comparison with a password that
    stands in the code hardly longer.
    """
    for _ in range(3):  # on a busy machine the quickest of five tells more than the median
        turns = [seconds_of(page, login, rounds=1) for _ in range(5)]
        one, other = (min(times) for times in zip(*turns, strict=True))
        if other > 4 * one:
            return
    raise Unexpected(
        "a login that computes Argon2id, and takes its time for that",
        f"one in {other / one:.1f} of the time of a page that needs no password",
        app.exchanges[-1],
    )


def _alike(one, *others):
    return all(0.5 < other / one < 2 for other in others)


def at_once(action: Callable, given: Sequence) -> list:
    """Do this with each of the given at the same time; return what came out, in their order."""
    with ThreadPoolExecutor(len(given)) as pool:
        return list(pool.map(action, given))


def expect_statuses(answers: Sequence[Exchange], *wanted: int, when: str) -> None:
    """Raise Unexpected unless the answers have these statuses, in any order.

    when: for what they came. The first answer that has another status is shown.
    """
    left, odd = list(wanted), []
    for answer in answers:
        if answer.status in left:
            left.remove(answer.status)
        else:
            odd.append(answer)
    expect_that(
        not odd,
        f"status {', '.join(map(str, sorted(wanted)))} {when}",
        f"status {', '.join(map(str, sorted(answer.status for answer in answers)))}",
        *odd[:1],
        mark="status",
    )


def expect_not_mixed_up(send: Callable[[str], Exchange], *names: str, times: int = 4) -> None:
    """Raise Unexpected unless each of these users is greeted by their own name, all at once.

    send: sends a request as the user of that name, and returns the answer that greets them. The
    slower the request (a password that is hashed), the surer a mix-up shows; times: how often each.
    """
    asked = names * times
    for name, answer in zip(asked, at_once(send, asked), strict=True):
        if f"Hello, {name}!" not in html.unescape(answer.text):
            came = f"status {answer.status} and {_short(answer)}"
            wanted = f"'Hello, {name}!' for {name}, while others log in"
            raise Unexpected(wanted, came, answer, "body")


@contextlib.contextmanager
def meanwhile(action: Callable, *given) -> Iterator[Callable[[], Any]]:
    """Do something while other checks run, for the length of a with.

    Gives a function that waits for it and returns what came out. In a web page, where nothing goes
    on meanwhile, it is done when it is waited for.
    """
    if INSIDE:
        yield functools.cache(lambda: action(*given))
        return
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(action, *given).result


def _came(answer: Exchange) -> str:
    return f"status {answer.status} {answer.reason}".strip()


def _short(answer: Exchange) -> str:
    text = answer.text.strip()
    return repr(text if len(text) <= 80 else text[:79] + "…")
