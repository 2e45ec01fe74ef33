"""The least of a mail server (RFC 5321), for the network inside of this process (loopback.py)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from .loopback import Server


@dataclass
class Envelope:
    """A message on its way: from whom, for whom, and its bytes, as aiosmtpd has them."""

    mail_from: str = ""
    rcpt_tos: list[str] = field(default_factory=list)
    content: bytes = b""


def postman(keep: Callable[[Envelope], str]) -> Server:
    """Return a server that hands each message to `keep`, which returns the reply to it."""
    return lambda address: _Session(keep).talk


class _Session:
    def __init__(self, keep):
        self.keep, self.envelope = keep, Envelope()
        self.begun = self.over = self.reading = False
        self.text = b""

    def talk(self, data: bytes) -> bytes:
        """Return what is replied to what came: one or several commands, or a message."""
        replies = [] if self.begun else ["220 localhost"]
        self.begun = True
        self.text += data
        while not self.over and b"\r\n" in self.text:
            if self.reading:
                content, end, rest = (b"\r\n" + self.text).partition(b"\r\n.\r\n")
                if not end:
                    break
                self.text, self.reading = rest, False
                self.envelope.content = content[2:].replace(b"\r\n..", b"\r\n.") + b"\r\n"
                replies.append(self.keep(self.envelope))
                self.envelope = Envelope()
                continue
            line, _, self.text = self.text.partition(b"\r\n")
            replies.append(self._reply(line.decode("utf-8", "replace")))
        return "".join(f"{reply}\r\n" for reply in replies).encode()

    def _reply(self, line):
        verb, address = line.upper(), line.partition(":")[2].split(">")[0].lstrip(" <")
        if verb.startswith("EHLO"):
            return "250-localhost\r\n250-SIZE 33554432\r\n250 8BITMIME"
        if verb.startswith("MAIL FROM:"):
            self.envelope = Envelope(address)
        elif verb.startswith("RCPT TO:"):
            self.envelope.rcpt_tos.append(address)
        elif verb == "DATA":
            if not self.envelope.rcpt_tos:
                return "503 For whom is it?"
            self.reading = True
            return "354 End it with a line that is a dot"
        elif verb == "QUIT":
            self.over = True
            return "221 Goodbye"
        elif not verb.startswith(("HELO", "RSET", "NOOP")):
            return "500 This is no command of ours"
        return "250 OK"
