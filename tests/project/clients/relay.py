"""A relay that writes down what a client sends.

It stands between a client and a lesson, passes every byte on as it is, in both directions, and
keeps what came from the client. So a test sees what really travelled, not what a library's
documentation says.
"""

import http.client
import io
import re
import socket
import threading
from dataclasses import dataclass
from email.message import Message


@dataclass(frozen=True)
class Sent:
    """One request of a client: method, target, headers (by name in any case) and body."""

    method: str
    target: str
    headers: Message
    body: bytes


class Relay:
    """Listens on a free port of 127.0.0.1 and passes on to `port`."""

    def __init__(self, port: int):
        self._to = port
        self._streams: list[bytearray] = []  # of each connection, what the client sent
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._listen, daemon=True).start()

    def take(self) -> list[Sent]:
        """Return the requests so far, connection by connection, and forget them."""
        streams, self._streams = self._streams, []
        return [sent for stream in streams for sent in read(bytes(stream))]

    def stop(self):
        """Take no more connections."""
        self._listener.close()

    def _listen(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self._to))
            except OSError:  # a browser connects ahead of need, even after its test, server gone
                client.close()
                continue
            stream = bytearray()
            self._streams.append(stream)
            for source, target, kept in ((client, server, stream), (server, client, None)):
                threading.Thread(target=_pass_on, args=(source, target, kept), daemon=True).start()


def _pass_on(source, target, kept):
    try:
        while piece := source.recv(65536):
            if kept is not None:
                kept += piece
            target.sendall(piece)
        target.shutdown(socket.SHUT_WR)
    except OSError:  # one of the two has gone
        for end in (source, target):
            end.close()


def read(stream: bytes) -> list[Sent]:
    """Read the requests that a connection carried, one after the other."""
    found = []
    while stream:
        line, _, rest = stream.partition(b"\r\n")
        source = io.BytesIO(rest)
        headers = http.client.parse_headers(source)
        rest = rest[source.tell() :]
        length = int(headers.get("Content-Length", 0))
        if "chunked" in headers.get("Transfer-Encoding", ""):
            end = re.search(rb"(?:^|\r\n)0\r\n\r\n", rest)
            length = end.end() if end else len(rest)
        method, target, _ = line.decode("latin-1").split(" ", 2)
        found.append(Sent(method, target, headers, rest[:length]))
        stream = rest[length:]
    return found
