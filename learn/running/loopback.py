"""A network inside of this process, where there is no other: in a web page.

`begin` puts `connect` in the place of `socket.create_connection`, through which httpx2, smtplib,
http.client and urllib all go, so that none of them notices. Whoever connects to a port that is
served here talks to a function instead of a socket: what was sent is handed to it when an answer is
wanted, and it returns what comes back. Nobody waits for anybody, and nothing leaves the process.
"""

from __future__ import annotations

import io
import itertools
import os
import socket
import weakref
from collections.abc import Callable

from ..layout import MachineOnly

# Called with the address of who connects, it returns what is called with the bytes that were sent
# since the last time, and returns the bytes that come back, b"" at the end.
Server = Callable[[tuple[str, int]], Callable[[bytes], bytes]]

_served: dict[int, Server] = {}
_open: weakref.WeakSet = weakref.WeakSet()
_ports = itertools.count(49152)  # the first that is nobody's in particular (RFC 6335, section 6)
_ended = None  # the number of an open file that is at its end, for who asks whether it can be read


def begin():
    """From now on, this process connects to nothing but itself."""
    global _ended
    socket.create_connection = connect
    socket.create_server = socket.socket.connect = _no_socket
    if _ended is None:
        _ended, other = os.pipe()
        os.close(other)


def _no_socket(*_, **__):
    raise MachineOnly("A web page has no sockets of its own.")


def free_port() -> int:
    """Return a port that nobody had yet."""
    return next(_ports)


def serve(port: int, server: Server) -> None:
    """Let whoever connects to a port reach this server, until `end`."""
    _served[port] = server


def end(port: int) -> None:
    """Let a port refuse connections."""
    _served.pop(port, None)


def end_all() -> None:
    """Let every port refuse connections, and forget who served them."""
    _served.clear()


def connect(address, timeout=None, source_address=None, **_) -> Connection:
    """Return a connection to a port of this machine, as socket.create_connection does.

    Raises ConnectionRefusedError where nobody serves.
    """
    host, port = address[:2]
    if host not in ("127.0.0.1", "localhost", "::1") or port not in _served:
        raise ConnectionRefusedError(111, "Connection refused")
    source = (source_address or ("127.0.0.1", 0))[0]
    return Connection((source, free_port()), port, _served[port])


class Connection:
    """The client's end of a connection, with the methods of a socket."""

    def __init__(self, mine, port, server):
        self.mine, self.port = mine, port
        self.talk = server(mine)
        self.sent, self.came = bytearray(), bytearray()
        self.talking = False
        _open.add(self)

    def send(self, data, flags=0) -> int:
        if any(other.sent and not other.talking for other in _open if other is not self):
            raise MachineOnly("A web page can't send several requests at the same time.")
        self.sent += data
        return len(data)

    def sendall(self, data, flags=0):
        self.send(data)

    def recv(self, size, flags=0) -> bytes:
        if not self.came:
            self._hand_over()
        piece = bytes(self.came[:size])
        del self.came[:size]
        return piece

    def recv_into(self, buffer, size=0, flags=0) -> int:
        piece = self.recv(size or len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)

    def _hand_over(self):
        sent, self.sent = bytes(self.sent), bytearray()
        self.talking = True
        try:
            self.came += self.talk(sent)
        finally:
            self.talking = False

    def makefile(self, mode="r", buffering=None, **_):
        raw = socket.SocketIO(self, "".join(c for c in mode if c in "rw"))
        self.users = getattr(self, "users", 0) + 1
        if buffering == 0:
            return raw
        return io.BufferedReader(raw) if "r" in mode else io.BufferedWriter(raw)

    def _decref_socketios(self):
        """What SocketIO calls when it is closed."""

    def close(self):
        if self in _open:
            _open.discard(self)
            if self.sent and not self.talking:  # it arrives all the same
                self._hand_over()

    def shutdown(self, how):
        pass

    def settimeout(self, seconds):
        pass

    def gettimeout(self):
        return None

    def setblocking(self, flag):
        pass

    def setsockopt(self, *option):
        pass

    def getsockname(self):
        return self.mine

    def getpeername(self):
        return ("127.0.0.1", self.port)

    def fileno(self):
        return _ended

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()


class Far:
    """The server's end of a connection on which all has come, for a handler of http.server."""

    def __init__(self, received: bytes):
        self.received, self.answer = received, bytearray()

    def makefile(self, mode, *_):
        return io.BytesIO(self.received)

    def sendall(self, data):
        self.answer += data

    def fileno(self):
        return _ended

    def settimeout(self, seconds):
        pass

    def setsockopt(self, *option):
        pass


def http(handle: Callable[[Far, tuple[str, int]], None]) -> Server:
    """Return a server that answers one request on each connection.

    handle: a handler of http.server, or a function that makes one.
    """

    def accept(address):
        answered = False

        def talk(data):
            nonlocal answered
            if answered:
                return b""
            if not data:
                raise TimeoutError("timed out")
            answered = True
            far = Far(data)
            handle(far, address)
            return bytes(far.answer)

        return talk

    return accept
