"""The session with which client.py asks the provider: no answer is endless, none leads elsewhere.

The time-outs of requests are for silence: they begin anew with each byte that comes. A provider
that sends one now and then would hold a worker for as long as it likes.
"""

import io
import socket
import time
from threading import Timer

from authlib.integrations.requests_client import OAuth2Session
from flask import g
from requests import RequestException
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError

SECONDS = 5  # for all that is asked during one request to us, after each connection is made
BYTES = 2**20  # of one answer


class Session(OAuth2Session):
    def get_adapter(self, url):
        return Bounded()


class Bounded(HTTPAdapter):
    """How requests sends a request, with an end to the answer. Raises RequestException there."""

    def get_connection_with_tls_context(self, *asked, **how):
        pool = super().get_connection_with_tls_context(*asked, **how)
        pool.ConnectionCls = type("Connection", (Timed, pool.ConnectionCls), {})
        return pool

    def send(self, *asked, **how):
        try:
            with super().send(*asked, **how) as answer:
                body = answer.raw.read(BYTES + 1, decode_content=True)
        except HTTPError as error:
            raise RequestException("the answer broke off") from error
        finally:
            if timer := g.pop("timer", None):
                timer.cancel()
        # To follow a redirect would be to carry the code, or a token, to wherever it says.
        if answer.is_redirect or len(body) > BYTES:
            raise RequestException("the answer is a redirect, or too long")
        answer.raw = io.BytesIO(body)
        return answer


class Timed:
    """What is set before a connection of urllib3's: it is cut when the time is over."""

    def connect(self):
        super().connect()
        left = g.setdefault("until", time.monotonic() + SECONDS) - time.monotonic()
        g.timer = Timer(left, self.sock.shutdown, [socket.SHUT_RDWR])
        g.timer.start()
