"""Find headers and tokens in JSON, HAR, and what Python prints: dicts, lists of pairs.

`json` reads JSON, `ast.literal_eval` reads Python.
"""

from __future__ import annotations

import ast
import json
import re
import warnings
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from . import addresses, oidc, passkeys
from .fields import is_of_interest
from .found import Found, clear_name, tidy

TOKENS = {
    "access_token", "refresh_token", "id_token", "token", "accesstoken", "refreshtoken", "idtoken",
    "jwt", "auth_token", "authtoken", "session_token", "sessiontoken", "api_key", "apikey",
    "client_secret", "logout_token", "csrf_token", "jwt_token", "bearer_token", "bearer",
    "access", "refresh",
}  # fmt: skip
_ANSWER = {"token_type", "expires_in", "scope", "error", "error_description", "msg", "detail"}
_OF_HTTP = {"method", "httpVersion", "statusText", "version", "startedDateTime", "creator"}
_CLAIMS = {"iss", "sub", "aud", "exp", "iat", "nbf", "jti"}
_WRAPPED = re.compile(r"<?[A-Za-z_][\w.]*\s*\(?\s*([\[{(].*[\]})])\s*\)?>?", re.DOTALL)
_DEEPEST, _MOST_PYTHON = 80, 200_000


@dataclass
class Inside:
    """What a container holds."""

    fields: list[Found] = field(default_factory=list)
    passed: int = 0  # headers and members that are not explained


def read(text: str) -> Inside | None:
    """Return what a container holds, or None if the text is none."""
    text = text.strip()
    if text[:1] not in ("{", "[", "("):
        match = _WRAPPED.fullmatch(text) if re.match(r"<?\w[\w.]*\s*\(", text) else None
        if match is None:
            return None
        text = match[1]
    value = _parsed(text.rstrip(",;"))
    if not isinstance(value, (dict, list, tuple)):
        return None
    walker = _Walker()
    walker.walk(value, Found("", ""), 0)
    return walker.inside


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    if len(text) > _MOST_PYTHON:
        return None
    depth = deepest = 0
    for letter in text:
        depth += (letter in "([{") - (letter in ")]}")
        deepest = max(deepest, depth)
    if deepest > _DEEPEST:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None


def _text(value: Any) -> str | None:
    if isinstance(value, bytes):
        return value.decode("latin-1")
    return value if isinstance(value, str) else None


class _Walker:
    def __init__(self) -> None:
        self.inside = Inside()
        self.left = 200_000  # members to look at

    def walk(self, value: Any, at: Found, depth: int) -> None:
        if depth > _DEEPEST or self.left < 0:
            return
        self.left -= 1
        if isinstance(value, dict):
            self._object(value, at, depth)
        elif isinstance(value, (list, tuple)):
            pair = [_text(item) for item in value] if len(value) == 2 else [None]
            if None not in pair and self._named(pair[0], pair[1], at):
                return
            for item in value:
                self.walk(item, at, depth + 1)
        elif isinstance(value, str):
            self._body(value, at, depth)

    def _object(self, value: dict, at: Found, depth: int) -> None:
        if oidc.is_discovery(value):
            self.inside.fields.append(replace(at, name="discovery", kind="oidc", content=value))
            return
        if passkeys.kind_of(value):
            found = replace(at, name="passkey", kind="passkey", content=value)
            self.inside.fields.append(found)
            return
        if isinstance(value.get("type"), str) and value["type"].startswith("webauthn."):
            text = json.dumps(value) if "challenge" in value else ""
            if passkeys.part_of(text):
                found = replace(at, name="clientDataJSON", kind="passkey", content=text)
                self.inside.fields.append(found)
                return
        at = self._message(value, at)
        name = _text(value.get("name", value.get("key")))
        content = _text(value.get("value"))
        if name and content is not None and is_of_interest(clear_name(name)):
            self._named(name, content, at)
            return
        if name and content is not None:
            self.inside.passed += 1
            return
        numbers = [k for k in ("exp", "iat", "nbf") if isinstance(value.get(k), (int, float))]
        if len(_CLAIMS & set(value)) >= 2 and numbers:
            self.inside.fields.append(replace(at, name="claims", kind="claims", content=value))
            return
        keys = value.get("keys") if isinstance(value.get("keys"), list) else [value]
        if keys and all(isinstance(one, dict) and isinstance(one.get("kty"), str) for one in keys):
            self.inside.fields.append(replace(at, name="keys", kind="keys", content=keys))
            return
        answer = bool({"access_token", "id_token", "error", "msg"} & set(value))
        heads = {str(k).lower() for k in value}
        for key, item in value.items():
            key, content = _text(key) or str(key), _text(item)
            if key == "cookies" and "headers" in heads:
                continue  # HAR says again what the header Cookie said
            if key == "url" and content:
                self.inside.fields += addresses.read(content, 1)
            elif content is not None and self._named(key, content, at):
                pass
            elif answer and key in _ANSWER and isinstance(item, (str, int)):
                found = replace(at, name=key, value=str(item), kind="answer", content=item)
                self.inside.fields.append(found)
            elif isinstance(item, list) and is_of_interest(clear_name(key)):
                for one in item:
                    self._named(key, _text(one) or "", at)
            elif isinstance(item, (dict, list, tuple, str)) and key not in _OF_HTTP:
                self.walk(item, at, depth + 1)

    def _named(self, name: str, value: str, at: Found) -> bool:
        """Keep a pair if its name is of interest."""
        name = clear_name(name)
        kind = "header" if is_of_interest(name) else "token"
        if name.lower() in TOKENS:
            kind = "token"
        elif kind == "token":
            return False
        if name.lower() in ("access", "refresh", "bearer") and len(value) < 20:
            return False
        if name.lower() in ("auth", "session", "secret", "authentication") and len(value) < 12:
            return False
        value, wrong = tidy(value)
        status = (
            at.status if re.match(r"(?i)www-auth|proxy-authenticate|set-cookie", name) else None
        )
        self.inside.fields.append(
            replace(at, name=name, value=value, kind=kind, wrong=wrong, status=status)
        )
        return True

    def _message(self, value: dict, at: Found) -> Found:
        """A request or response in HAR, or in a log in JSON."""
        method, url, status = value.get("method"), value.get("url"), value.get("status")
        if isinstance(method, str) and isinstance(url, str) and re.fullmatch("[A-Z]{3,10}", method):
            try:
                parts = urlsplit(url)
            except ValueError:
                return at
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            at = replace(at, method=method, target=target)
        elif isinstance(status, int) and 100 <= status < 600 and "headers" in value:
            at = replace(at, status=status)
        return at

    def _body(self, text: str, at: Found, depth: int) -> None:
        start = text[:1]
        if start in "{[" and len(text) < 100_000:
            try:
                self.walk(json.loads(text), at, depth + 1)
                return
            except (ValueError, RecursionError):
                pass
        if len(text) < 10_000 and (found := addresses.read(text, 1)):
            self.inside.fields += found
        else:
            self.inside.passed += 1
