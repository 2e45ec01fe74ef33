"""A browser as far as sessions need one: it keeps cookies and fills in forms.

It sends what a browser sends with a form: the hidden fields, the cookies that belong to the path,
and the headers that say where the form comes from. It runs no scripts and follows no redirect
unless asked, so that each answer can be looked at.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

from ..showing.exchange import Exchange
from .client import Client

AGENT = "Mozilla/5.0 (learn)"


@dataclass
class Form:
    """A form of a page. action: the path and query that it is sent to; fields: what it sends."""

    method: str
    action: str
    fields: dict[str, str] = field(default_factory=dict)


class Browser:
    """One browser's visit to a running lesson; a second one is another person, or another device.

    app: the Lesson, or any Client; agent: the name it sends as User-Agent. `cookies` maps the
    names of its cookies to (value, path), and may be changed.
    """

    def __init__(self, app: Client, agent: str = AGENT):
        self.app, self.agent = app, agent
        self.cookies: dict[str, tuple[str, str]] = {}
        self.lasting: set[str] = set()  # the names of those that outlive `close`

    @property
    def origin(self) -> str:
        """Scheme, host and port of the lesson, as the browser sees it."""
        return f"http://127.0.0.1:{self.app.port}"

    def get(self, target="/", **headers) -> Exchange:
        """Open a page; headers: more of them, `_` for `-`, None for none."""
        return self.send("GET", target, None, headers)

    def post(self, target="/", form=None, **headers) -> Exchange:
        """Send a form's fields as a page of this site would: with cookies and its own origin."""
        own = {"Origin": self.origin, "Sec_Fetch_Site": "same-origin"}
        return self.send("POST", target, form or {}, own | headers)

    def send(self, method, target, form, headers) -> Exchange:
        """Send one request with the cookies that belong to it, and keep what cookies come back."""
        path = urlsplit(target).path
        sent = [f"{n}={v}" for n, (v, where) in self.cookies.items() if _belongs(path, where)]
        more = {"User-Agent": self.agent, **({"Cookie": "; ".join(sent)} if sent else {})}
        more |= {name.replace("_", "-"): value for name, value in headers.items() if value}
        answer = self.app.send(method, target, form=form, headers=more)
        for value in answer.headers("Set-Cookie"):
            self._keep(value, path)
        return answer

    def follow(self, answer: Exchange) -> Exchange:
        """Go where an answer's Location points. Raises LookupError if that is no path of this site.

        An answer without one is returned as it is.
        """
        where = answer.header("Location")
        if where is None:
            return answer
        there = urlsplit(urljoin(self.origin + answer.target, where))
        if f"{there.scheme}://{there.netloc}" != self.origin:
            raise LookupError(f"{where} is not on this site")
        return self.get(there.path + (f"?{there.query}" if there.query else ""))

    def fill(self, page: Exchange, action: str = "", **fields) -> Exchange:
        """Fill a page's form in and send it.

        action: the path of the form's address, "" for the first form. fields: what is typed; all
        others go as they stand in the page. Raises LookupError if there is no such form or field.
        """
        form = find_form(page, action)
        if form is None:
            raise LookupError(f"no form for {action}" if action else "no form")
        if missing := [name for name in fields if name not in form.fields]:
            raise LookupError(f"no field {missing[0]} in the form")
        filled = form.fields | fields
        return self.post(form.action, filled) if form.method == "post" else self.get(form.action)

    def copy(self) -> Browser:
        """Return another browser with a copy of the cookies: a thief's."""
        other = Browser(self.app, self.agent)
        other.cookies, other.lasting = dict(self.cookies), set(self.lasting)
        return other

    def close(self):
        """Close the browser and open it again: cookies without Max-Age or Expires are gone."""
        self.cookies = {name: self.cookies[name] for name in self.lasting}

    def _keep(self, header, path):
        """Keep a cookie, or forget it, as RFC 6265 section 5.2 says."""
        pair, *rest = header.split(";")
        name, _, value = pair.strip().partition("=")
        how = {n.strip().lower(): v.strip() for n, _, v in (part.partition("=") for part in rest)}
        where = how.get("path", "")
        if not where.startswith("/"):
            where = path.rpartition("/")[0] or "/"
        self.cookies.pop(name, None)
        self.lasting.discard(name)
        if not _is_over(how):
            self.cookies[name] = (value, where)
            if "max-age" in how or "expires" in how:
                self.lasting.add(name)


def find_form(page: Exchange, action: str = "") -> Form | None:
    """Return the form of a page whose address has the path `action`, or the first one."""
    reader = _Forms(page.target)
    reader.feed(page.text)
    found = [f for f in reader.forms if not action or urlsplit(f.action).path == action]
    return found[0] if found else None


class _Forms(HTMLParser):
    """Collects the forms of a page, with what a browser would send of each."""

    def __init__(self, target):
        super().__init__()
        self.target, self.forms = target, []
        self.form, self.text, self.select = None, None, None  # what is open, by name

    def handle_starttag(self, tag, attributes):
        given = {name: value or "" for name, value in attributes}
        name, value, kind = given.get("name"), given.get("value", ""), given.get("type", "").lower()
        if tag == "form":
            action = urljoin(self.target, given.get("action") or self.target)
            self.form = Form(given.get("method", "get").lower(), action)
            self.forms.append(self.form)
        elif self.form is None or "disabled" in given:
            return
        elif tag == "option" and self.select and ("selected" in given or not self.chosen):
            self.form.fields[self.select], self.chosen = value, True
        elif not name:
            return
        elif tag == "select":
            self.select, self.chosen = name, False
        elif tag == "textarea":
            self.text, self.form.fields[name] = name, ""
        elif tag == "button" or kind == "submit":  # the first is the one that is pressed
            if kind in ("", "submit"):
                self.form.fields.setdefault(name, value)
        elif tag == "input" and kind in ("checkbox", "radio"):
            if "checked" in given:
                self.form.fields[name] = given.get("value", "on")
        elif tag == "input" and kind not in ("button", "image", "reset", "file"):
            self.form.fields[name] = value

    def handle_data(self, data):
        if self.form and self.text:
            self.form.fields[self.text] += data

    def handle_endtag(self, tag):
        if tag == "form":
            self.form = None
        if tag in ("textarea", "form"):
            self.text = None
        if tag in ("select", "form"):
            self.select = None


def _belongs(path, where):
    """Tell whether a cookie of this path goes along with a request (RFC 6265 5.1.4)."""
    return path == where or path.startswith(where if where.endswith("/") else where + "/")


def _is_over(how):
    """Tell whether a cookie with these attributes has ended; Max-Age goes before Expires."""
    if "max-age" in how:
        return how["max-age"].startswith("-") or how["max-age"] == "0"
    try:
        return parsedate_to_datetime(how["expires"]).timestamp() <= time.time()
    except (KeyError, ValueError):
        return False
