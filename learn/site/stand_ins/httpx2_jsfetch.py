"""In a web page, httpx2 takes its transports from here: the usual ones, as sockets are stood in for."""

from httpx2._transports.default import AsyncHTTPTransport as AsyncJavascriptFetchTransport
from httpx2._transports.default import HTTPTransport as JavascriptFetchTransport

__all__ = ["AsyncJavascriptFetchTransport", "JavascriptFetchTransport"]
