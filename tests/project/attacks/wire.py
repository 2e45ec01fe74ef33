"""Bytes to a lesson and back, as they are.

No client library will send a folded header or two lengths for one body, so the attacks and the
fuzzing write to the socket themselves.
"""

import socket
from dataclasses import dataclass

PATIENCE = 10  # seconds without an answer, after which a request counts as hanging


@dataclass(frozen=True)
class Answer:
    """One response: status code, headers in their order, body."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes

    def all(self, name: bytes) -> list[bytes]:
        """Return all values of a header."""
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def header(self, name: bytes) -> bytes:
        """Return a header's first value, or b""."""
        return next(iter(self.all(name)), b"")


class NoAnswer(AssertionError):
    """The server sent no whole response: it hung, or closed the connection."""


def request(method: bytes, target: bytes, *lines: bytes, body: bytes | None = None) -> bytes:
    """Return a request's bytes; lines: its headers, each without a line end."""
    length = [] if body is None else [b"Content-Length: %d" % len(body)]
    head = [b"%s %s HTTP/1.1" % (method, target), b"Host: 127.0.0.1", b"Connection: close"]
    head += [*lines, *length]
    return b"\r\n".join([*head, b"", body or b""])


def talk(port: int, data: bytes, patience: float = PATIENCE) -> bytes:
    """Send the bytes on a connection of their own; return all that comes until it is closed."""
    received = bytearray()
    with socket.create_connection(("127.0.0.1", port), timeout=patience) as connection:
        try:
            connection.sendall(data)
            while piece := connection.recv(65536):
                received += piece
        except TimeoutError:
            raise NoAnswer(
                f"nothing for {patience} seconds after {bytes(received)!r}, to {data!r}"
            ) from None
        except ConnectionError:  # it was closed before all was read; what came before counts
            pass
    return bytes(received)


def send(port: int, data: bytes, patience: float = PATIENCE) -> list[Answer]:
    """Send the bytes and return the answers, of which there may be none."""
    return answers(talk(port, data, patience), data)


def ask(port: int, data: bytes, patience: float = PATIENCE) -> Answer:
    """Send one request and return its answer; NoAnswer if there is none."""
    found = send(port, data, patience)
    if not found:
        raise NoAnswer(f"the connection was closed without an answer, to {data!r}")
    return found[0]


def answers(received: bytes, sent: bytes = b"") -> list[Answer]:
    """Read the responses that follow each other in these bytes."""
    found = []
    bodiless = sent.startswith(b"HEAD ")
    while received:
        head, end, rest = received.partition(b"\r\n\r\n")
        first, *lines = head.split(b"\r\n")
        if not end or not first.startswith(b"HTTP/1.") or not first[9:12].isdigit():
            if not found:
                raise NoAnswer(f"no HTTP response but {received!r}, to {sent!r}")
            break
        headers = tuple((n, v.strip()) for n, _, v in (line.partition(b":") for line in lines))
        length = next((int(v) for n, v in headers if n.lower() == b"content-length"), len(rest))
        length = 0 if bodiless else length
        found.append(Answer(int(first[9:12]), headers, rest[:length]))
        received = rest[length:]
    return found
