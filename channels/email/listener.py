"""Takes the mail that the lender's own mail system delivers to us, over LMTP or SMTP; answers only once it is stored.

It says yes, no or later, and never writes a mail: no reply, no bounce, no forwarding, so that no loop can begin here.
"""

import asyncio
import logging
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_address
from pathlib import Path
from typing import Any, Final, Protocol

from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope, Session

MOST_RECIPIENTS: Final = 50
"""Recipients of one delivery; the mail system sends the rest in another."""
MOST_AT_ONCE: Final = 16
"""Mails that are received at one time; what comes beyond is asked to come later, so that memory stays bounded."""
LONGEST_LINE: Final = 1024 * 1024
"""Some mail programs write a whole HTML body as one line; the thousand octets of RFC 5321 would refuse their words."""
IDLE_SECONDS: Final = 300.0
LAST_SECONDS: Final = 10.0
"""How long mails under way get when the process ends. What is broken off was not answered, so it comes again."""

_LATER = "451 4.3.0 not stored, try again later"
_REFUSED_ONCE = ("354", "500", "501", "503", "530")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ListenerOptions:
    """Where to listen and for whom. ``port`` 0 takes a free one; TLS is asked of every peer once a key is given."""

    host: str
    port: int
    lmtp: bool
    peers: tuple[IPv4Network | IPv6Network, ...]
    max_bytes: int
    certificate: Path | None = None
    key: Path | None = None

    @property
    def place(self) -> str:
        """Where it listens, as it was configured."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'lmtp' if self.lmtp else 'smtp'}://{host}:{self.port}"

    def tls_context(self) -> ssl.SSLContext | None:
        """Return the TLS of the listener. Raises OSError (ssl.SSLError is one) for files that do not fit."""
        if self.certificate is None:
            return None
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.certificate, self.key)
        return context

    def admits(self, peer: str) -> bool:
        """Tell whether a host may deliver to us."""
        try:
            address = ip_address(peer.partition("%")[0])
        except ValueError:
            return False
        mapped = getattr(address, "ipv4_mapped", None) or address
        return any(mapped in network for network in self.peers)


@dataclass(frozen=True, slots=True)
class Arrived:
    """One mail for one recipient: as it came, with the trace headers of a last hop on top (RFC 5321 section 4.4)."""

    recipient: str = field(repr=False)
    raw: bytes = field(repr=False)


class Desk(Protocol):
    """Who decides about mail."""

    def is_ours(self, recipient: str) -> bool:
        """Tell whether mail to this mailbox is taken."""
        ...

    async def take(self, mails: Sequence[Arrived]) -> None:
        """Store mails, all or none. Whatever is raised, the mail system is told to come again."""
        ...


class Listener:
    """A server on the caller's event loop."""

    def __init__(self, options: ListenerOptions, desk: Desk) -> None:
        self._options = options
        self._rules = _Rules(options, desk)
        self._context = options.tls_context()
        self._open: set[asyncio.BaseTransport] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> int:
        """Begin to listen; returns the port. Raises OSError."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._protocol, self._options.host, self._options.port)
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Take nobody new, let the mails under way be answered, then hang up."""
        if self._server is None:
            return
        self._server.close()
        try:
            async with asyncio.timeout(LAST_SECONDS):
                await self._rules.idle.wait()
        except TimeoutError:
            _log.warning("mails under way were broken off; they come again")
        for transport in list(self._open):
            transport.close()
        await self._server.wait_closed()

    def _protocol(self) -> "SMTP":
        kind = _Lmtp if self._options.lmtp else _Smtp
        made = kind(
            self._rules,
            data_size_limit=self._options.max_bytes,
            enable_SMTPUTF8=True,
            hostname="outreach",
            ident="mail intake",
            tls_context=self._context,
            require_starttls=self._context is not None,
            timeout=IDLE_SECONDS,
            auth_exclude_mechanism=["LOGIN", "PLAIN"],
            loop=asyncio.get_running_loop(),
        )
        made.connections = self._open
        return made


class _Delivery:
    """What both protocols share: bounded memory, long lines, and one answer for each recipient where LMTP wants it."""

    line_length_limit = LONGEST_LINE
    event_handler: "_Rules"
    envelope: Envelope
    transport: asyncio.BaseTransport | None
    connections: set[asyncio.BaseTransport]
    answers_each = False
    _owed = 1

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Note the connection, so that it can be closed when the process ends."""
        self.connections.add(transport)
        super().connection_made(transport)  # type: ignore[misc]

    def connection_lost(self, error: Exception | None) -> None:
        """Forget the connection."""
        self.connections -= {each for each in self.connections if each.is_closing()}
        super().connection_lost(error)  # type: ignore[misc]

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802 - aiosmtpd's name
        """Receive one mail, if there is room for it."""
        rules = self.event_handler
        if not rules.begin():
            await self.push("451 4.3.2 too many mails at once, try again later")
            return
        try:
            self._owed = len(self.envelope.rcpt_tos) if self.answers_each else 1
            await super().smtp_DATA(arg)  # type: ignore[misc]
        finally:
            self._owed = 1
            rules.end()

    async def push(self, status: str) -> None:
        """Say something; after the words LMTP hears a refusal of the whole mail once for each recipient."""
        if self._owed > 1 and "\r\n" not in status and not status.startswith(_REFUSED_ONCE):
            status = "\r\n".join([status] * self._owed)
        await super().push(status)  # type: ignore[misc]


class _Smtp(_Delivery, SMTP):  # type: ignore[misc]
    """SMTP: one answer for all recipients, so they are stored together or not at all."""


class _Lmtp(_Delivery, LMTP):  # type: ignore[misc]
    """LMTP (RFC 2033): an answer for each recipient."""

    answers_each = True


class _Rules:
    """What is taken: aiosmtpd's hooks."""

    def __init__(self, options: ListenerOptions, desk: Desk) -> None:
        self._options = options
        self._desk = desk
        self._under_way = 0
        self.idle = asyncio.Event()
        self.idle.set()

    def begin(self) -> bool:
        """Take a place among the mails under way; False when there is none."""
        if self._under_way >= MOST_AT_ONCE:
            return False
        self._under_way += 1
        self.idle.clear()
        return True

    def end(self) -> None:
        """Give the place back."""
        self._under_way -= 1
        if not self._under_way:
            self.idle.set()

    async def handle_EHLO(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, session: Session, _envelope: Envelope, hostname: str, offers: list[str]
    ) -> list[str]:
        """Offer no login: who may deliver is told by the network."""
        session.host_name = hostname
        return [offer for offer in offers if not offer.startswith(("250-AUTH", "250 AUTH"))]

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take any sender, also none, from a host that may deliver."""
        if not session.peer or not self._options.admits(session.peer[0]):
            return "554 5.7.1 this host may not deliver here"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 OK"

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Take our own mailboxes only: nothing is relayed."""
        if not self._desk.is_ours(address):
            return "550 5.1.1 no such mailbox here"
        if len(envelope.rcpt_tos) >= MOST_RECIPIENTS:
            return "452 4.5.3 too many recipients, send the rest in another"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, server: _Delivery, _session: Session, envelope: Envelope
    ) -> str:
        """Store the mail; only then say that we have it."""
        mails = [_arrived(envelope, recipient) for recipient in envelope.rcpt_tos]
        if server.answers_each:
            return "\r\n".join([await self._take([mail]) for mail in mails])
        return await self._take(mails)

    async def handle_exception(self, error: Exception) -> str:
        """Answer what went wrong in the exchange itself."""
        _log.error("an exchange with the mail system broke: %s", type(error).__name__)
        return _LATER

    async def _take(self, mails: Sequence[Arrived]) -> str:
        try:
            await self._desk.take(mails)
        except Exception as error:  # noqa: BLE001 - whatever it is, the mail is not stored and must come again
            _log.warning("a mail was not stored and will come again: %s", type(error).__name__)
            return _LATER
        return "250 2.0.0 stored"


def _arrived(envelope: Envelope, recipient: str) -> Arrived:
    """Put the envelope on top, where the reader looks first: whom it was for, and whether anybody sent it."""
    sender = (envelope.mail_from or "").strip("<>")
    trace = f"Return-Path: <{sender}>\r\nDelivered-To: {recipient}\r\n"
    content: Any = envelope.content
    return Arrived(recipient, trace.encode("utf-8", "surrogateescape") + content)
