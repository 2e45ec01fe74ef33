"""What an attack is, and the words in which the attacks are written.

An attack is a function of a running lesson. It returns what it got hold of, in a few words, or
None when it got nothing. It may know all that an outsider can know, and what its name says.
"""

import base64
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass

import on_oidc
from wire import Answer, NoAnswer, ask, request

from learn import Browser, digest_answer
from learn.running.browser import forms_of

WORKS, FAILS, NOT_THERE = "succeeds", "fails", "n/a"
USER1, USER2 = ("user1", "pass1"), ("user2", "pass2")
PROTECTED = {
    "01": "/login",
    "02": "/",
    "03": "/",
    "04": "/secured",
    "05": "/",
    "06": "/",
    "07": "/secured",
    "08": "/",
}


@dataclass(frozen=True)
class Attack:
    """A row of the table.

    naive: what becomes of it on naive.py: "succeeds", "fails", or "n/a" where naive.py lacks what
    is attacked. On `file`, which is app.py, one that goes beyond it, or the provider of lesson 08,
    it always fails. without: changes to the lesson's files, each text and replacement, with which
    the attack succeeds there as well: the proof that it is one, and of what stops it. settings:
    what the lesson is started with. servers: also try gunicorn, since the server below has a say
    in it. long: only in the thorough run.
    """

    lesson: str
    name: str
    reference: str
    run: Callable
    naive: str
    without: tuple[tuple[str, str], ...] = ()
    settings: tuple[tuple[str, object], ...] = ()
    servers: bool = False
    long: bool = False
    file: str = "app"

    @property
    def started(self) -> dict:
        """What the lesson is started with. Lesson 08 gets a provider that lies when it is told."""
        return {**dict(self.settings), **(on_oidc.settings() if self.lesson == "08" else {})}

    @property
    def tried(self) -> str:
        """What is tried, in a sentence: the function's own."""
        return " ".join((self.run.__doc__ or "").split("\n\n")[0].split())


@dataclass(frozen=True)
class StillWorks:
    """A row of the table of what app.py does not stop. remedy: what would, in a sentence."""

    lesson: str
    name: str
    reference: str
    run: Callable
    remedy: str
    settings: tuple[tuple[str, object], ...] = ()
    servers: bool = False
    long: bool = False
    tried = Attack.tried
    started = Attack.started


def is_naive(target) -> bool:
    """Tell whether the lesson runs its naive.py."""
    return target.path.stem == "naive"


def without(attack, folder) -> dict[str, str]:
    """Return the lesson's files, name and text, with the attack's changes in them.

    Each text that is replaced stands in exactly one of the files, once. folder: the lesson's.
    Its templates and static files are among them, as "templates/login.html".
    """
    names = ["groundwork.py", "store.py", "sessions.py", "client.py", "bounded.py", "app.py"]
    names += [f"{attack.file}.py", f"{attack.file}_store.py"]
    names = dict.fromkeys(name for name in names if (folder / name).is_file())
    for kind in ("templates", "static"):
        names |= dict.fromkeys(f"{kind}/{file.name}" for file in folder.glob(f"{kind}/*"))
    texts = {name: (folder / name).read_text("utf-8") for name in names}
    for old, new in attack.without:
        found = [name for name, text in texts.items() for _ in range(text.count(old))]
        assert len(found) == 1, f"{len(found)} times in {', '.join(texts)}: {old}"
        texts[found[0]] = texts[found[0]].replace(old, new)
    return texts


def number(target) -> str:
    """Return the number of a running lesson: "02"."""
    return target.folder.name[:2]


def basic(name, password) -> str:
    """Return the value of an Authorization header for Basic."""
    return f"Basic {base64.b64encode(f'{name}:{password}'.encode()).decode()}"


def is_in(answer) -> bool:
    """Tell whether this is a page that only a known user may see."""
    body = answer.body if isinstance(answer, Answer) else answer.text.encode()
    greeted = re.search(rb"(?:^|>)Hello, (?!whoever)", body)
    return answer.status == 200 and bool(greeted or body.startswith(b"Only with a token"))


def first(target, tries):
    """Send each of these, bytes each; return the first that let somebody in, or None."""
    for data in tries:
        try:
            if is_in(ask(target.port, data)):
                return f"let in by {data!r}"
        except NoAnswer:
            pass
    return None


def header_in(target, *values, path=None, more=()):
    """Return the first value of Authorization that lets somebody in, or None."""
    path = (path or PROTECTED[number(target)]).encode()
    lines = [b"Authorization: " + (v if isinstance(v, bytes) else v.encode()) for v in values]
    return first(target, [request(b"GET", path, line, *more) for line in lines])


def credentials(target, user=USER1, path=None) -> list[bytes]:
    """Return the header lines with which this user gets in, once."""
    which, path = number(target), path or PROTECTED[number(target)]
    if which == "02":
        return [b"Authorization: " + basic(*user).encode()]
    if which == "03":
        asked = target.get(path)
        answer = digest_answer(asked.challenge(), *user, path)
        cookie = (asked.header("Set-Cookie") or "").partition(";")[0]
        return [b"Authorization: " + answer.encode()] + [b"Cookie: " + cookie.encode()] * bool(
            cookie
        )
    if which == "04":
        return [b"Authorization: Bearer " + token(target, user).encode()]
    if which == "06":
        ((name, value),) = visit(target, user).cookies.items()
        return [f"Cookie: {name}={value}".encode()]
    return [b"Authorization: " + basic(*user).encode(), b"OTP: " + pin(target, user).encode()]


def visit(target, user=USER1, agent="learn") -> Browser:
    """Log in to lesson 06 by its form, and return the browser."""
    browser = Browser(target)
    form = forms_of(browser.get("/login"))[0].fields
    form |= {"username": user[0], "password": user[1]}
    browser.post("/login", form=form, headers={"User-Agent": agent})
    return browser


def token(target, user=USER1) -> str:
    """Log in and return the token."""
    if is_naive(target):
        return target.get("/login", basic=(user[0], "secret")).json()["token"]
    return target.post("/login", basic=user).json()["access_token"]


def log_of(target) -> str:
    """Return all that the server printed up to now; its line on one more request is the end."""
    target.get("/the-end-of-the-log")
    assert target.printed("/the-end-of-the-log"), "the server doesn't log its requests"
    return target.log


def pin(target, user=USER1) -> str:
    """Ask for a PIN and return it: from the answer, or where no mail server is, from the log."""
    said = f"For {user[0]}: Your PIN is "
    before = target.log.count(said)
    answer = target.post("/pin", basic=user)
    if is_naive(target):
        return answer.json()["pin"]
    pins = target.printed(said + r"(\d{6})", before + 1)
    assert len(pins) > before, f"no PIN in the log:\n{target.log}"
    return pins[-1]


def forget(target, used=True):
    """Take back what an attack on lesson 05 left behind: phones, PINs, tries, and used codes."""
    with closing(sqlite3.connect(target.settings["DATABASE"], isolation_level=None)) as db:
        if used:
            db.execute("DELETE FROM used")
        db.execute("UPDATE users SET secret = NULL, pending = NULL, pin = NULL, tries = 0")


def gets_in(target, user=USER2) -> bool:
    """Tell whether an honest user gets in: an attack that breaks the lesson proves nothing."""
    which = number(target)
    if which == "01":
        form = {"username": "user1", "password": "pass1"}  # user2's old hash is to stay
        return is_in(target.post("/login", form=form))
    if which == "07":
        from on_passkeys import honest  # which imports this file

        return honest(target)
    if which == "08":
        return on_oidc.honest(target)
    if which == "04" and is_naive(target):
        return is_in(target.get(f"/secured?token={token(target, user)}"))
    path = PROTECTED[which].encode()
    return is_in(ask(target.port, request(b"GET", path, *credentials(target, user))))
