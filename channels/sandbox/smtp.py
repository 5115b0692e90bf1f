"""A small, fast SMTP server on a raw asyncio protocol: ESMTP with pipelining, envelope identifiers and 8-bit bodies."""

import asyncio
import re
from dataclasses import dataclass, field
from typing import Final, Protocol, cast

MAX_MAIL: Final = 10 * 1024 * 1024
_LONGEST_LINE: Final = 4096
_MOST_RECIPIENTS: Final = 100
_END: Final = b"\r\n.\r\n"
_PATH: Final = re.compile(rb"(?:FROM|TO):\s*<([^<>\s]*)>\s*(.*)$", re.IGNORECASE)
_EHLO: Final = (
    b"250-sandbox.test\r\n250-PIPELINING\r\n250-SIZE %d\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-DSN\r\n"
    b"250 ENHANCEDSTATUSCODES\r\n" % MAX_MAIL
)


@dataclass(slots=True)
class Envelope:
    """Who a mail is from and to, and the DSN parameters that came with it."""

    sender: str
    envid: str | None = None
    recipients: list[str] = field(default_factory=list)
    originals: dict[str, str] = field(default_factory=dict)  # recipient -> ORCPT


class Mailroom(Protocol):
    """Who decides about mail. Answers are whole reply lines; ``None`` drops the connection."""

    @property
    def latency_seconds(self) -> float:
        """How long the final dot waits for its answer."""
        ...

    def sender(self, sender: str) -> bytes:
        """Answer MAIL."""
        ...

    def recipient(self, envelope: Envelope, recipient: str) -> bytes:
        """Answer RCPT; the recipient is on the envelope when this is a 250."""
        ...

    def take(self, envelope: Envelope, raw: bytes) -> bytes | None:
        """Answer the final dot."""
        ...


class SmtpProtocol(asyncio.Protocol):
    """One connection."""

    def __init__(self, mailroom: Mailroom, connections: set["SmtpProtocol"]) -> None:
        self._mailroom = mailroom
        self._connections = connections
        self._buffer = bytearray()
        self._scanned = 0
        self._in_data = False
        self._waiting = False
        self._envelope: Envelope | None = None
        self._out: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet."""
        self._transport = cast("asyncio.Transport", transport)
        self._connections.add(self)
        self._transport.write(b"220 sandbox.test ESMTP\r\n")

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """Forget the connection."""
        self._connections.discard(self)

    def data_received(self, data: bytes) -> None:
        """Take bytes from the wire; everything complete is answered in one write."""
        self._buffer += data
        self._work()

    def close(self) -> None:
        """Close the connection from the carrier's side."""
        self._transport.close()

    def _work(self) -> None:
        while not self._waiting and not self._transport.is_closing():
            if not (self._end_of_data() if self._in_data else self._line()):
                break
        if self._out:
            if not self._transport.is_closing():
                self._transport.write(b"".join(self._out))
            self._out.clear()

    def _line(self) -> bool:
        """Do one command line; False when there is no whole one."""
        end = self._buffer.find(b"\n")
        if end < 0 and len(self._buffer) <= _LONGEST_LINE:
            return False
        if end < 0 or end > _LONGEST_LINE:
            self._transport.write(b"500 5.5.2 Line too long\r\n")
            self._transport.close()
            return False
        line = bytes(self._buffer[:end]).rstrip(b"\r")
        del self._buffer[: end + 1]
        verb, _, rest = line.partition(b" ")
        self._command(verb.upper(), rest.strip())
        return True

    def _command(self, verb: bytes, rest: bytes) -> None:
        if verb == b"MAIL":
            self._mail(rest)
        elif verb == b"RCPT":
            self._rcpt(rest)
        elif verb == b"DATA":
            self._data()
        elif verb in {b"EHLO", b"HELO", b"RSET"}:
            self._envelope = None
            self._out.append(_EHLO if verb == b"EHLO" else b"250 2.0.0 OK\r\n")
        elif verb == b"QUIT":
            self._transport.write(b"".join(self._out) + b"221 2.0.0 Bye\r\n")
            self._out.clear()
            self._transport.close()
        else:
            self._out.append(_OTHER.get(verb, b"502 5.5.1 Command not implemented\r\n"))

    def _mail(self, rest: bytes) -> None:
        found = _PATH.match(rest)
        if found is None:
            self._out.append(b"501 5.5.4 Syntax: MAIL FROM:<address>\r\n")
            return
        parameters = _parameters(found.group(2))
        answer = self._mailroom.sender(found.group(1).decode("utf-8", "replace"))
        if answer.startswith(b"250"):
            self._envelope = Envelope(found.group(1).decode("utf-8", "replace"), parameters.get("ENVID"))
        self._out.append(answer)
        if answer.startswith(b"421"):
            self._transport.write(b"".join(self._out))
            self._out.clear()
            self._transport.close()

    def _rcpt(self, rest: bytes) -> None:
        found = _PATH.match(rest)
        if self._envelope is None:
            self._out.append(b"503 5.5.1 MAIL first\r\n")
        elif found is None or b"@" not in found.group(1):
            self._out.append(b"501 5.1.3 Syntax: RCPT TO:<address>\r\n")
        elif len(self._envelope.recipients) >= _MOST_RECIPIENTS:
            self._out.append(b"452 4.5.3 Too many recipients\r\n")
        else:
            recipient = found.group(1).decode("utf-8", "replace")
            answer = self._mailroom.recipient(self._envelope, recipient)
            if answer.startswith(b"250"):
                self._envelope.recipients.append(recipient)
                original = _parameters(found.group(2)).get("ORCPT")
                if original:
                    self._envelope.originals[recipient] = original
            self._out.append(answer)

    def _data(self) -> None:
        if self._envelope is None or not self._envelope.recipients:
            self._out.append(b"503 5.5.1 RCPT first\r\n")
            return
        self._out.append(b"354 End data with <CR><LF>.<CR><LF>\r\n")
        self._in_data, self._scanned = True, 0
        self._buffer[:0] = b"\r\n"  # so that a dot on the very first line is found like any other

    def _end_of_data(self) -> bool:
        """Take the mail when its final dot is there; False when it is not."""
        end = self._buffer.find(_END, self._scanned)
        if end < 0:
            self._scanned = max(0, len(self._buffer) - len(_END))
            if len(self._buffer) > MAX_MAIL:
                self._transport.write(b"552 5.3.4 Too big\r\n")
                self._transport.close()
            return False
        raw = bytes(self._buffer[2 : end + 2])
        del self._buffer[: end + len(_END)]
        if b"\r\n." in raw or raw[:1] == b".":
            raw = (b"\r\n" + raw).replace(b"\r\n..", b"\r\n.")[2:]
        self._in_data = False
        envelope, self._envelope = self._envelope, None
        if envelope is not None:
            self._settle(self._mailroom.take(envelope, raw))
        return True

    def _settle(self, answer: bytes | None) -> None:
        if answer is None:
            self._out.clear()
            self._transport.abort()
        elif self._mailroom.latency_seconds:
            self._waiting = True
            asyncio.get_running_loop().call_later(self._mailroom.latency_seconds, self._resume, answer)
        else:
            self._out.append(answer)

    def _resume(self, answer: bytes) -> None:
        self._waiting = False
        self._out.append(answer)
        self._work()


_OTHER: Final = {b"NOOP": b"250 2.0.0 OK\r\n", b"VRFY": b"252 2.5.0 Cannot verify\r\n"}


def _parameters(text: bytes) -> dict[str, str]:
    pairs = (word.partition("=") for word in text.decode("utf-8", "replace").split())
    return {name.upper(): value for name, _, value in pairs}
