"""Where httpx2 looks for its transports in a web page: the usual ones, over loopback.py."""

from httpx2._transports.default import AsyncHTTPTransport as AsyncJavascriptFetchTransport
from httpx2._transports.default import HTTPTransport as JavascriptFetchTransport

__all__ = ["AsyncJavascriptFetchTransport", "JavascriptFetchTransport"]
