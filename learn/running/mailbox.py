"""A real mail server on loopback, for the lesson that sends mail.

It takes every message for everybody, keeps it in memory and passes nothing on. aiosmtpd speaks the
protocol; here it gets a free port and a thread. In a web page, which has neither, postman.py takes
its place.
"""

from __future__ import annotations

import asyncio
import email
import email.policy
import socket
import threading
from email.message import EmailMessage

from ..layout import INSIDE, LessonError, MachineOnly
from . import loopback
from .client import TIMEOUT
from .postman import postman


class Mailbox:
    """A running mail server; `address` is its host:port, as FLASK_MAIL_SERVER wants it.

    It ends with `stop`, at the end of a `with`, or with the process.
    """

    def __init__(self):
        self.messages: list[EmailMessage] = []  # oldest first
        self._came = threading.Condition()
        self._thread = None
        if INSIDE:
            self.port = loopback.free_port()
            self.address = f"127.0.0.1:{self.port}"
            loopback.serve(self.port, postman(self._keep))
            return
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def message(self, number: int = -1) -> EmailMessage:
        """Return the message of this number, the last one by default; wait for it if need be.

        Raises LessonError when it does not come within ten seconds.
        """
        least = number + 1 if number >= 0 else -number
        with self._came:
            patience = 0 if INSIDE else TIMEOUT
            if not self._came.wait_for(lambda: len(self.messages) >= least, patience):
                raise LessonError(f"No mail came within {TIMEOUT:g} seconds.")
            return self.messages[number]

    async def handle_DATA(self, server, session, envelope) -> str:
        """Keep a message and tell the client so; aiosmtpd calls this."""
        with self._came:
            self.messages.append(email.message_from_bytes(envelope.content, policy=_POLICY))
            self._came.notify_all()
        return "250 Kept"

    def stop(self):
        """End the server, so that its port refuses connections. A second call does nothing."""
        if self._thread is None:
            loopback.end(self.port)
        elif self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()

    def _keep(self, envelope):
        """Keep a message that came in this process, and return the reply."""
        handling = self.handle_DATA(self, None, envelope)
        try:
            handling.send(None)
        except StopIteration as done:
            return done.value
        except RuntimeError:  # there is no loop in which it could wait
            pass
        handling.close()
        raise MachineOnly("In a web page, a mail server can't take its time while others go on.")

    def _run(self):
        from aiosmtpd.smtp import SMTP

        def protocol():
            return SMTP(self, hostname="localhost", loop=self._loop)

        server = self._loop.run_until_complete(
            self._loop.create_server(protocol, sock=self._listener)
        )
        try:
            self._loop.run_forever()
        finally:
            server.close()
            for task in asyncio.all_tasks(self._loop):
                task.cancel()
            self._loop.run_until_complete(asyncio.sleep(0))
            self._loop.close()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.stop()


_POLICY = email.policy.default
