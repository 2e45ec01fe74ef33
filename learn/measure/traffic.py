"""How many bytes a technique adds to what travels, in headers and in bodies."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from ..explain import is_auth_header
from ..showing.exchange import Exchange


class Traffic(NamedTuple):
    """What some exchanges add up to: their number, and the bytes sent and received."""

    requests: int
    sent: int
    received: int


def traffic(*exchanges: Exchange) -> Traffic:
    """Return what authentication adds to these exchanges.

    Counted are the headers that have to do with it, each with its line's end, the bodies of
    requests, and those of responses that are JSON, as in lesson 04 the token is.
    """
    sent = sum(_bytes(one.request_headers, one.request_body) for one in exchanges)
    received = sum(_bytes(one.response_headers, _json(one)) for one in exchanges)
    return Traffic(len(exchanges), sent, received)


def _bytes(headers: Iterable[tuple[str, str]], body: str) -> int:
    own = [f"{name}: {value}\r\n" for name, value in headers if is_auth_header(name)]
    return len("".join([*own, body]).encode())


def _json(exchange: Exchange) -> str:
    kind = exchange.header("Content-Type") or ""
    return exchange.text if kind.startswith("application/json") else ""
