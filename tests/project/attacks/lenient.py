"""A server that forgives too much, to see that the attacks on HTTP itself are attacks.

It lets user1 in by Basic. It keeps connections open, goes by the first Content-Length and nothing
else, takes a folded line for a header of its own, and forgives blanks around a header's name.
"""

import socket
import threading
from contextlib import suppress
from pathlib import Path

from attack import USER1, basic

from learn.layout import LESSONS

RIGHT = basic(*USER1).encode()


class Lenient:
    """Looks to an attack like lesson 02, running."""

    folder = next(LESSONS.glob("02_*"))
    path = Path("lenient.py")

    def __init__(self):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                with connection, suppress(OSError, ValueError):
                    self._talk(connection.makefile("rwb"))

    def _talk(self, stream):
        while (first := stream.readline()).strip():
            headers = {}
            while (line := stream.readline()).strip():
                name, _, value = line.partition(b":")
                headers.setdefault(name.strip(b" \t\0\v").lower(), value.strip())
            stream.read(int(headers.get(b"content-length", 0)))
            let_in = headers.get(b"authorization") == RIGHT and first.split()[1] == b"/"
            body = b"Hello, user1!\n" if let_in else b"No.\n"
            status = b"200 OK" if let_in else b"401 Unauthorized"
            stream.write(b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body))
            stream.flush()
            if headers.get(b"connection", b"").lower() == b"close":
                return

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self._listener.close()
