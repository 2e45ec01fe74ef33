"""Send requests and keep every exchange: one way to send.

The transport records what goes out and what comes back, so a handshake's 401 and its retry are
both kept, as they were sent, each as an `Exchange`.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

import httpx2

from ..showing.exchange import Exchange
from .bounded import BoundedTransport, read

# Seconds to wait for a whole answer; a password hash takes a twentieth of one. On a very slow
# machine, LEARN_PATIENCE can be raised.
TIMEOUT = float(os.environ.get("LEARN_PATIENCE") or 10)
# A stranger's file is asked by one of these, lest it be good to the workbench alone.
AGENTS = [
    "curl/8.14.1",
    "python-requests/2.32.5",
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
]


class Client:
    """Send requests to 127.0.0.1:port.

    passwords: what the notes may use to recompute a Digest response; keys: HMAC keys they may try
    on a token's signature; agent: what it calls itself in the header User-Agent.
    """

    def __init__(
        self,
        port: int,
        passwords: Mapping[str, str] = {},
        keys: Sequence[str] = (),
        agent: str = "learn",
    ):
        self.port = port
        self.agent = agent
        self.passwords = dict(passwords)
        self.keys = list(keys)
        self.exchanges: list[Exchange] = []  # every one, in the order of sending
        self.transport = BoundedTransport(TIMEOUT)

    def get(self, target="/", **how) -> Exchange:
        """Send a GET; see `send`."""
        return self.send("GET", target, **how)

    def post(self, target="/", **how) -> Exchange:
        """Send a POST; see `send`."""
        return self.send("POST", target, **how)

    def send(
        self,
        method: str,
        target: str = "/",
        *,
        basic: tuple[str, str] | None = None,
        digest: tuple[str, str] | None = None,
        bearer: str | None = None,
        authorization: str | bytes | None = None,
        form: Mapping[str, str] | None = None,
        body: str | None = None,
        headers: Mapping[str, Any] | None = None,
        cookies: bool = False,
    ) -> Exchange:
        """Send one request, follow its handshake if any, and return the last exchange.

        basic, digest: user name and password; Digest first asks for a challenge and answers the
        first one. bearer: a token. authorization: the header's value as it stands. form: sent as
        application/x-www-form-urlencoded. body: sent as it stands. cookies: whether a cookie from
        the challenge comes along in the answer, as in a browser. Raises httpx2.HTTPError when no
        response comes, or one without an end.
        """
        sent = {"Accept": "*/*", "User-Agent": self.agent, **(headers or {})}
        if bearer is not None:
            sent["Authorization"] = f"Bearer {bearer}"
        if authorization is not None:
            sent["Authorization"] = authorization
        auth = None
        if basic:
            auth = httpx2.BasicAuth(*basic)
            self.passwords.setdefault(*basic)
        elif digest:
            auth = (httpx2.DigestAuth if cookies else CookielessDigest)(*digest)
            self.passwords.setdefault(*digest)
        seen: list[Exchange] = []
        client = httpx2.Client(transport=_Recorder(seen, self), timeout=TIMEOUT, trust_env=False)
        client.headers = httpx2.Headers(sent)  # these and no others
        address = f"http://127.0.0.1:{self.port}{target}"
        client.request(method, address, data=form, content=body, auth=auth)
        last = seen[-1]
        result = Exchange(**{**last.__dict__, "before": tuple(seen[:-1])})
        self.exchanges.append(result)
        return result

    def replay(self, exchange: Exchange) -> Exchange:
        """Send an exchange's request once more, as it was, and return the new exchange.

        The method, the target, all headers and the body are the same; only Host and
        Content-Length are written anew. A handshake before it is not repeated. Raises
        httpx2.HTTPError when no response comes.
        """
        anew = ("host", "content-length")
        headers = {n: v for n, v in exchange.request_headers if n.lower() not in anew}
        body = exchange.request_body or None
        return self.send(exchange.method, exchange.target, headers=headers, body=body)


class CookielessDigest(httpx2.DigestAuth):
    """Digest as curl does it: cookies that came with the challenge are not sent back."""

    def auth_flow(self, request):
        flow = super().auth_flow(request)
        request = next(flow)
        while True:
            request.headers.pop("Cookie", None)
            response = yield request
            try:
                request = flow.send(response)
            except StopIteration:
                return


class _Recorder(httpx2.BaseTransport):
    """Pass requests on to the client's transport and note each with its response."""

    def __init__(self, seen: list[Exchange], client: Client):
        self.seen, self.client = seen, client

    def handle_request(self, request):
        body = request.read()
        response = self.client.transport.handle_request(request)
        received, content = _readable(response.headers.raw), read(response)
        response = httpx2.Response(
            response.status_code,
            headers=[(n, v) for n, v in response.headers.raw if n.lower() not in _OF_TRANSFER],
            content=content,
            extensions=response.extensions,
        )
        self.seen.append(
            Exchange(
                method=request.method,
                target=request.url.raw_path.decode("ascii"),
                request_headers=_readable(request.headers.raw),
                request_body=body.decode("utf-8", "replace"),
                status=response.status_code,
                reason=response.reason_phrase,
                response_headers=received,
                text=content.decode("utf-8", "replace"),
                passwords=dict(self.client.passwords),
                keys=tuple(self.client.keys),
            )
        )
        return response


_OF_TRANSFER = (b"content-encoding", b"content-length", b"transfer-encoding")


def _readable(raw):
    return tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in raw)


def digest_answer(
    challenge,
    user: str,
    password: str | None = None,
    target: str = "/",
    *,
    ha1: str | None = None,
    method: str = "GET",
    nc: int = 1,
    cnonce: str | None = None,
    **changes: str | None,
) -> str:
    """Return the Authorization header's value that answers a Digest challenge (RFC 7616 3.4).

    challenge: Werkzeug's WWWAuthenticate, as `Exchange.challenge()` returns it. ha1: what a server
    keeps of a password (3.4.2), as hex; it takes the password's place. changes replace parameters
    after the response was computed; None leaves one out. `qop=None` computes the response without
    qop, as RFC 2069 did.
    """
    from werkzeug.http import quote_header_value

    algorithm = challenge.get("algorithm") or "MD5"
    hash_name = {"MD5": "md5", "SHA-256": "sha256"}[algorithm.upper()]

    def H(*parts):
        return hashlib.new(hash_name, ":".join(parts).encode()).hexdigest()

    cnonce = secrets.token_hex(8) if cnonce is None else cnonce
    count = f"{nc:08x}"
    ha1 = ha1 or H(user, challenge.get("realm"), password or "")
    ha2 = H(method, target)
    with_qop = "qop" not in changes or changes["qop"] is not None
    middle = [count, cnonce, "auth"] if with_qop else []
    parameters = {
        "username": user,
        "realm": challenge.get("realm"),
        "nonce": challenge.get("nonce"),
        "uri": target,
        "algorithm": algorithm,
        "response": H(ha1, challenge.get("nonce"), *middle, ha2),
        "opaque": challenge.get("opaque"),
        **({"qop": "auth", "nc": count, "cnonce": cnonce} if with_qop else {}),
        **changes,
    }
    plain = {"algorithm", "qop", "nc"}
    return "Digest " + ", ".join(
        f"{k}={v if k in plain else quote_header_value(v, allow_token=False)}"
        for k, v in parameters.items()
        if v is not None
    )
