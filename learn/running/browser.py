"""What a browser does beside sending: it keeps cookies, fills in forms, says which page it is on.

    browser = Browser(app)
    browser.submit("/login", username="user1", password="pass1")
    browser.get("/")                                   # with the cookie that came

It shows no page and runs no script, and it follows no redirect, so that you see each answer.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin, urlsplit

from ..showing.exchange import Exchange
from .client import Client

FIELDS = ("input", "select", "textarea", "button")


@dataclass
class Form:
    """A form of a page: where it goes, by which method, and its fields with what is in them."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    buttons: set[str] = field(default_factory=set)  # names; only the one that is pressed is sent


class Browser:
    """Send requests with the cookies of the answers before, as one user's browser.

    app: a running lesson, or any Client; origin: where it visits it, as the headers Host and Origin
    say; by name if None, as a reader would; agent: the name it gives itself in User-Agent. Two
    browsers share nothing.
    """

    def __init__(self, app: Client, origin: str | None = None, agent: str | None = None):
        self.app = app
        self.origin = origin or getattr(app, "origin", f"http://127.0.0.1:{app.port}")
        self.host = urlsplit(self.origin).netloc
        self.agent = agent
        self.cookies: dict[str, str] = {}
        self.lasting: set[str] = set()  # the names of those that outlive `close`

    def get(self, target: str = "/", **how) -> Exchange:
        """Send a GET; see `send`."""
        return self.send("GET", target, **how)

    def post(self, target: str = "/", **how) -> Exchange:
        """Send a POST; see `send`."""
        return self.send("POST", target, **how)

    def send(
        self,
        method: str,
        target: str = "/",
        *,
        json_body: Any = None,
        headers: Mapping[str, Any] | None = None,
        **how,
    ) -> Exchange:
        """Send one request with this browser's cookies, keep those that come, return the exchange.

        target: a path, or a whole address of the app's, as a Location has it; json_body: a value
        that is sent as JSON. A request that changes something says that it comes from a page of
        the app, as browsers do; `headers` can say otherwise. For all else see Client.send.
        """
        target = target.removeprefix(self.origin) or "/"
        sent: dict[str, Any] = {"Host": self.host}
        if self.agent:
            sent["User-Agent"] = self.agent
        if method not in ("GET", "HEAD"):
            sent |= {"Origin": self.origin, "Sec-Fetch-Site": "same-origin"}
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if json_body is not None:
            sent["Content-Type"] = "application/json"
            how["body"] = json.dumps(json_body)
        given = {name: value for name, value in {**sent, **(headers or {})}.items() if value}
        answer = self.app.send(method, target, headers=given, **how)
        for cookie in answer.headers("Set-Cookie"):
            self._keep(cookie)
        return answer

    def submit(self, page: str, /, to: str | None = None, **values: str) -> Exchange:
        """Open a page, fill in a form of it as a user would, send it, and return the last exchange.

        page: its target; to: the path that the form goes to, if the page has several; values: what
        is typed, by field, and the button that is pressed, by name. Hidden fields go along as they
        are. Raises LookupError, with a sentence, if there is no such form or field.
        """
        forms = forms_of(self.get(page))
        for form in forms:
            known = form.fields.keys() | form.buttons
            if to in (None, form.action.split("?")[0]) and values.keys() <= known:
                break
        else:
            wanted = f"to {to} " if to else ""
            names = ", ".join(values) or "no field"
            raise LookupError(f"The page {page} has no form {wanted}with the fields: {names}.")
        return self.send(form.method, form.action, form={**form.fields, **values})

    def copy(self) -> Browser:
        """Return another browser with a copy of this one's cookies, as a thief has them."""
        other = Browser(self.app, self.origin, self.agent)
        other.cookies, other.lasting = dict(self.cookies), set(self.lasting)
        return other

    def close(self):
        """Close the browser and open it again: cookies without Max-Age and Expires are gone."""
        self.cookies = {n: value for n, value in self.cookies.items() if n in self.lasting}

    def _keep(self, cookie: str):
        """Keep, replace or forget a cookie (RFC 6265, 5.3); there is one host and one path here."""
        pair, *attributes = [part.strip() for part in cookie.split(";")]
        name, _, value = (part.strip() for part in pair.partition("="))
        given = {key.lower(): what for key, _, what in (part.partition("=") for part in attributes)}
        self.cookies.pop(name, None)
        self.lasting.discard(name)
        if re.fullmatch(r"0+|-\d+", given.get("max-age", "")) or _is_past(given.get("expires", "")):
            return
        self.cookies[name] = value
        if "max-age" in given or "expires" in given:
            self.lasting.add(name)


def forms_of(page: Exchange) -> list[Form]:
    """Return the forms of an HTML page, their targets as paths of the app."""
    reader = _Forms(page.target)
    reader.feed(page.text)
    return reader.forms


class _Forms(HTMLParser):
    def __init__(self, target: str):
        super().__init__()
        self.target, self.forms, self.inside = target, [], False

    def handle_starttag(self, tag, attributes):
        given = {name: value or "" for name, value in attributes}
        if tag == "form":
            action = urljoin(self.target, given.get("action") or self.target)
            action = re.sub(r"^https?://[^/]+", "", action)
            self.forms.append(Form(action, given.get("method", "get").upper()))
            self.inside = True
        elif self.inside and tag in FIELDS and "name" in given:
            kind = given.get("type", "submit" if tag == "button" else "text").lower()
            if kind in ("submit", "image"):
                self.forms[-1].buttons.add(given["name"])
            elif kind in ("checkbox", "radio") and "checked" not in given:
                return
            elif kind not in ("button", "reset", "file"):
                self.forms[-1].fields[given["name"]] = given.get("value", "")

    def handle_endtag(self, tag):
        self.inside = self.inside and tag != "form"


def _is_past(date: str) -> bool:
    try:
        return parsedate_to_datetime(date.replace("-", " ")).year < 2000
    except ValueError:
        return False
