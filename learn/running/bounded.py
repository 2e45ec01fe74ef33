"""Read no more of an answer, and for no longer, than an answer may be.

httpx2's own time-outs count from one byte to the next, so a server that sends a byte every few
seconds is waited for without end, and an endless body is read without end. Here the clock and the
count begin with the request, and hold for all that comes back: status line, headers and body.
"""

from __future__ import annotations

import time

import httpcore2
import httpx2

BODY_BYTES = 1_000_000  # no lesson answers with a tenth of it


class BoundedTransport(httpx2.HTTPTransport):
    """A transport for http that ends an answer after so many seconds, or BODY_BYTES.

    Its requests raise httpx2.ReadTimeout or httpx2.ReadError then.
    """

    def __init__(self, seconds: float):
        super().__init__(verify=False)  # http only: no certificates to load
        self._pool = httpcore2.ConnectionPool(
            max_connections=100,
            max_keepalive_connections=20,
            keepalive_expiry=5,
            network_backend=_Backend(seconds),
        )


def read(response: httpx2.Response) -> bytes:
    """Return the body of a response, unpacked, and close it.

    Raises httpx2.ReadError for one of more than BODY_BYTES, which may have been small when packed.
    """
    body = bytearray()
    try:
        for piece in response.iter_bytes():
            body += piece
            if len(body) > BODY_BYTES:
                raise httpx2.ReadError(f"an answer of more than {BODY_BYTES:,} bytes")
    finally:
        response.close()
    return bytes(body)


class _Backend(httpcore2.SyncBackend):
    def __init__(self, seconds):
        self.seconds = seconds

    def connect_tcp(self, *arguments, **how):
        return _Stream(super().connect_tcp(*arguments, **how), self.seconds)


class _Stream(httpcore2.NetworkStream):
    """A connection on which each request begins a new answer."""

    def __init__(self, stream, seconds):
        self.stream, self.seconds = stream, seconds
        self.reading = True

    def write(self, buffer, timeout=None):
        if self.reading:  # the last answer is over
            self.reading, self.end, self.left = False, time.monotonic() + self.seconds, BODY_BYTES
        self.stream.write(buffer, timeout)

    def read(self, max_bytes, timeout=None):
        self.reading = True
        left = self.end - time.monotonic()
        if left <= 0:
            raise httpcore2.ReadTimeout(f"no end within {self.seconds:g} seconds")
        data = self.stream.read(max_bytes, left if timeout is None else min(left, timeout))
        self.left -= len(data)
        if self.left < 0:
            raise httpcore2.ReadError(f"an answer of more than {BODY_BYTES:,} bytes")
        return data

    def close(self):
        self.stream.close()

    def start_tls(self, *arguments, **how):
        return self.stream.start_tls(*arguments, **how)

    def get_extra_info(self, info):
        return self.stream.get_extra_info(info)
