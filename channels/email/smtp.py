"""Email through an SMTP relay, stage by stage, so that what may have left is told apart from what did not.

``aiosmtplib.sendmail`` raises the same errors before and after the words were handed over; here every command is its
own step. Up to the relay's go-ahead for the words (354) nothing can have left; a reply other than 2xx to the words is
a refusal; no reply to them is an unknown outcome, which keeps its Message-ID and is never sent again blindly.
"""

import asyncio
import ipaddress
import re
import ssl
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, ClassVar, Self

import aiosmtplib
from pydantic import Field, SecretStr, model_validator

from channels.adapter import Adapter
from channels.contract import Accepted, Callback, Capability, ChannelConfig, Mail, Medium, Outbound, Receipt, Reply
from channels.email.inbound import InboundMail
from channels.email.mime import Letterhead, mailbox, tagged
from channels.email.pool import TEMPORARY, Connection, Pool, Relay, Tls
from channels.errors import (
    BadAddress,
    ContentRefused,
    Misconfigured,
    OutcomeUnknown,
    Rejected,
    SendError,
    Throttled,
    Unavailable,
    Unsupported,
)
from channels.exchange import MailTrip, begin_mail
from channels.options import Connections, Options, Seconds, read_options

if TYPE_CHECKING:
    from channels.email.dkim import Signer

GREYLIST_SECONDS = 300.0
"""How long to leave a recipient alone after a temporary refusal that names no time."""
FULL_MAILBOX_SECONDS = 14_400.0

_ENHANCED = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")
_BAD_MAILBOX = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"})
_UNSIGNED = frozenset({"5.7.23", "5.7.25", "5.7.26", "5.7.27", "5.7.29"})
"""SPF, reverse DNS, DMARC and ARC failures (RFC 7372, RFC 8601 registries): our set-up, not the words."""
_GO_AHEAD = 354
_TAKEN = frozenset({250, 251})


class SmtpOptions(Options):
    """Where mail goes and under whose name. ``tls: none`` is accepted for a loopback host only."""

    host: Annotated[str, Field(min_length=1, max_length=253)]
    port: Annotated[int, Field(ge=1, le=65535)]
    tls: Tls = "starttls"
    ca_file: str | None = None
    username: str | None = None
    password: SecretStr | None = None
    from_address: str
    from_name: str | None = None
    reply_to: str | None = None
    bounce_to: str | None = None
    feedback_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{0,40}(:[A-Za-z0-9._-]{0,40}){3}$")] | None = None
    dkim_domain: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$")] | None = None
    dkim_selector: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*$")] | None = None
    dkim_private_key: SecretStr | None = None
    inbound_secret: SecretStr | None = None
    inbound_max_age_seconds: Annotated[int, Field(ge=60, le=604_800)] = 86_400
    command_seconds: Seconds = 30.0
    final_reply_seconds: Seconds = 600.0
    wait_seconds: Seconds = 30.0
    idle_seconds: Seconds = 20.0
    connections: Connections = 10
    sends_per_connection: Annotated[int, Field(ge=1, le=100_000)] = 200

    @model_validator(mode="after")
    def _safe(self) -> Self:
        if self.tls == "none" and not _is_loopback(self.host):
            raise ValueError("tls: none is for a loopback host only; use starttls or implicit")
        if (self.username is None) != (self.password is None):
            raise ValueError("username and password go together: give both or neither")
        if self.dkim_private_key is not None and self.dkim_selector is None:
            raise ValueError("dkim_private_key needs dkim_selector, the name under which DNS has the public key")
        self.signer()
        return self

    def signer(self) -> "Signer | None":
        """Return what signs outgoing mail; None leaves signing to the relay. Raises ValueError for a bad key."""
        if self.dkim_private_key is None or self.dkim_selector is None:
            return None
        from channels.email.dkim import KeyProblemError, Signer  # noqa: PLC0415 - only who signs pays for the cryptography

        domain = self.dkim_domain or self.from_address.rpartition("@")[2]
        try:
            return Signer.of(domain, self.dkim_selector, self.dkim_private_key.get_secret_value())
        except KeyProblemError as problem:
            raise ValueError(f"dkim_private_key: {problem}") from None

    def relay(self) -> Relay:
        """Return the relay with its TLS context made once."""
        context = None if self.tls == "none" else ssl.create_default_context(cafile=self.ca_file)
        return Relay(
            host=self.host,
            port=self.port,
            tls=self.tls,
            username=self.username,
            password=self.password.get_secret_value() if self.password else None,
            tls_context=context,
            command_seconds=self.command_seconds,
            connections=self.connections,
            sends_per_connection=self.sends_per_connection,
            idle_seconds=self.idle_seconds,
            wait_seconds=self.wait_seconds,
            local_hostname=self.from_address.rpartition("@")[2],
        )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class SmtpEmail:
    """``channels.contract.Channel`` for email. SMTP cannot be asked afterwards, so there is no look-up.

    Bounces, complaints and answers come in as raw mail: posted by the receiving host, delivered to the listener, or
    fetched from a mailbox. ``channels.email.inbound`` reads all three.
    """

    name: ClassVar[str] = "smtp"
    medium: ClassVar[Medium] = Medium.EMAIL
    capabilities: ClassVar[frozenset[Capability]] = frozenset({Capability.RECEIPTS, Capability.REPLIES})

    def __init__(self, config: ChannelConfig, now: Callable[[], datetime]) -> None:
        options = read_options(SmtpOptions, config)
        sender = options.from_address
        self._letterhead = Letterhead.of(
            options.from_name,
            sender,
            options.reply_to or sender,
            options.bounce_to or sender,
            config.public_url,
            options.feedback_id,
        )
        self._signer = options.signer()
        self._relay = options.relay()
        self._final_reply_seconds = options.final_reply_seconds
        self._now = now
        self._pools: dict[asyncio.AbstractEventLoop, Pool] = {}
        secret = options.inbound_secret.get_secret_value() if options.inbound_secret else ""
        boxes = (self._letterhead.reply_to, self._letterhead.bounce_to, self._letterhead.from_address)
        self._inbound = InboundMail(secret, options.inbound_max_age_seconds, self._letterhead.domain, now, boxes)

    async def send(self, outbound: Outbound) -> Accepted:
        """Hand one email to the relay. Raises SendError."""
        mail = outbound.content
        if not isinstance(mail, Mail):
            raise Unsupported("this channel carries email only")
        to = mailbox(outbound.address)
        now = self._now()
        raw = self._letterhead.build(mail, to, outbound.attempt_id, outbound.token, now)
        if self._signer is not None:
            raw = self._signer.sign(raw, now)
        envelope_from = tagged(self._letterhead.bounce_to, mail.reply_token)
        await self._hand_over(envelope_from, to, raw, outbound.attempt_id)
        return Accepted(self._letterhead.message_id(outbound.attempt_id))

    async def _hand_over(self, envelope_from: str, to: str, raw: bytes, envelope_id: str) -> None:
        """Go through the stages on one pooled connection, which comes back only in a known state."""
        pool = self._pool()
        trip = begin_mail(
            f"{self._relay.host}:{self._relay.port}", self._letterhead.from_address, len(raw),
            signed=self._signer is not None,
        )  # fmt: skip
        connection = await self._started(pool, envelope_from, envelope_id, trip)
        connection.sends += 1
        try:
            await _name_recipient(connection, to, trip)
            await self._hand_words(connection, raw, trip)
        except OutcomeUnknown:
            pool.drop(connection)
            raise
        except SendError:
            await _reset(connection)
            pool.give_back(connection)
            raise
        except BaseException:
            pool.drop(connection)
            raise
        pool.give_back(connection)

    async def _started(self, pool: Pool, envelope_from: str, envelope_id: str, trip: MailTrip) -> Connection:
        """Return a connection that took MAIL FROM. A kept connection that died meanwhile is replaced, once per try."""
        while True:
            try:
                connection = await pool.take()
            except SendError as error:
                trip.heard("connect", int(error.provider_code) if error.provider_code else None)
                raise
            fresh = connection.sends == 0
            try:
                await _name_sender(connection, envelope_from, envelope_id, trip)
            except (aiosmtplib.SMTPServerDisconnected, aiosmtplib.SMTPTimeoutError, OSError) as error:
                trip.heard("MAIL", None)
                pool.drop(connection)
                if fresh:
                    raise Unavailable(f"lost at MAIL: {type(error).__name__}") from None
            except SendError:
                await _reset(connection)
                pool.give_back(connection)
                raise
            except BaseException:
                pool.drop(connection)
                raise
            else:
                return connection

    async def _hand_words(self, connection: Connection, raw: bytes, trip: MailTrip) -> None:
        """Ask for the go-ahead, hand over the words, read the final reply."""
        smtp = connection.smtp
        reply = await _before_words(smtp.execute_command(b"DATA"), "DATA", trip)
        if reply.code != _GO_AHEAD:
            raise _words_refused(reply.code, reply.message)
        protocol = smtp.protocol
        if protocol is None:
            raise Unavailable("lost before the words were handed over")
        try:
            protocol.write(raw.replace(b"\r\n.", b"\r\n..") + b"\r\n.\r\n")
            reply = await protocol.read_response(self._final_reply_seconds)
        except (aiosmtplib.SMTPException, OSError) as error:
            trip.heard("words", None)
            raise OutcomeUnknown(f"no reply to the words: {type(error).__name__}") from None
        _note(trip, "words", reply)
        if not 200 <= reply.code < 300:
            raise _words_refused(reply.code, reply.message)

    def _pool(self) -> Pool:
        loop = asyncio.get_running_loop()
        pool = self._pools.get(loop)
        if pool is None:
            for dead in [known for known in self._pools if known.is_closed()]:
                del self._pools[dead]
            pool = self._pools[loop] = Pool(self._relay)
        return pool

    def verify(self, callback: Callback) -> None:
        """Check that a posted mail comes from our own receiving host. Raises BadSignature."""
        self._inbound.verify(callback)

    def parse(self, callback: Callback) -> Iterable[Receipt | Reply]:
        """Turn a bounce, a complaint or an answer into news. Raises MalformedCallback."""
        return self._inbound.parse(callback)

    def is_ours(self, recipient: str) -> bool:
        """Tell whether mail to this mailbox is an answer to us or a bounce of ours."""
        return self._inbound.is_ours(recipient)

    def read_mail(self, raw: bytes) -> Iterable[Receipt | Reply]:
        """Turn a mail that came in by a way of our own into news. Raises MalformedCallback."""
        return self._inbound.read(raw)

    async def close(self) -> None:
        """Give back this loop's connections."""
        pool = self._pools.pop(asyncio.get_running_loop(), None)
        if pool is not None:
            await pool.close()


def _note(trip: MailTrip, stage: str, reply: aiosmtplib.SMTPResponse | aiosmtplib.SMTPResponseException) -> None:
    trip.heard(stage, reply.code, _enhanced(reply.message))


async def _name_sender(connection: Connection, envelope_from: str, envelope_id: str, trip: MailTrip) -> None:
    # Addresses were checked when they were made, so the library's parsing and quoting of them is left out.
    options = (b"ENVID=" + envelope_id.encode("ascii"), b"RET=HDRS") if connection.dsn else ()
    try:
        reply = await connection.smtp.execute_command(b"MAIL", f"FROM:<{envelope_from}>".encode("ascii"), *options)
    except aiosmtplib.SMTPResponseException as error:
        _note(trip, "MAIL", error)
        raise _sender_refused(error.code, error.message) from None
    _note(trip, "MAIL", reply)
    if reply.code != aiosmtplib.SMTPStatus.completed:
        raise _sender_refused(reply.code, reply.message)


async def _name_recipient(connection: Connection, to: str, trip: MailTrip) -> None:
    options = (b"NOTIFY=FAILURE,DELAY", f"ORCPT=rfc822;{_xtext(to)}".encode("ascii")) if connection.dsn else ()
    step = connection.smtp.execute_command(b"RCPT", f"TO:<{to}>".encode("ascii"), *options)
    try:
        reply = await _before_words(step, "RCPT", trip)
    except aiosmtplib.SMTPResponseException as error:
        raise _recipient_refused(error.code, error.message) from None
    if reply.code not in _TAKEN:
        raise _recipient_refused(reply.code, reply.message)


async def _before_words(
    step: Awaitable[aiosmtplib.SMTPResponse], stage: str, trip: MailTrip
) -> aiosmtplib.SMTPResponse:
    """Await a step at which nothing can have left; a lost connection is Unavailable."""
    try:
        reply = await step
    except aiosmtplib.SMTPResponseException as error:
        _note(trip, stage, error)
        raise
    except (aiosmtplib.SMTPException, OSError) as error:
        trip.heard(stage, None)
        raise Unavailable(f"lost at {stage}: {type(error).__name__}") from None
    _note(trip, stage, reply)
    return reply


async def _reset(connection: Connection) -> None:
    """Clear the half-made transaction; a connection that cannot is closed, which ``give_back`` sees."""
    try:
        if connection.smtp.is_connected:
            await connection.smtp.rset()
    except (aiosmtplib.SMTPException, OSError):
        connection.smtp.close()


def _enhanced(message: str) -> str | None:
    """Return the enhanced status code (RFC 3463) of a reply: the only part that is kept, replies quote addresses."""
    found = _ENHANCED.search(message)
    return found.group(0) if found else None


def _sender_refused(code: int, message: str) -> SendError:
    status = _enhanced(message)
    shown = status or str(code)
    if code in TEMPORARY:
        return Throttled("the relay wants us to wait", provider_code=shown)
    if code < 0:
        return Unavailable("an unreadable reply to MAIL")
    return Misconfigured("the relay refuses our sender", provider_code=shown)


def _recipient_refused(code: int, message: str) -> SendError:
    """Tell a bad mailbox from a full one, from greylisting, and from a relay that refuses us."""
    status = _enhanced(message)
    shown = status or str(code)
    if code < 0:
        return Unavailable("an unreadable reply to RCPT")
    if status == "5.2.2" or code == 552:
        return Throttled("the mailbox is full", provider_code=shown, retry_after=FULL_MAILBOX_SECONDS)
    if code in TEMPORARY:
        return Throttled("the recipient's host wants us to wait", provider_code=shown, retry_after=GREYLIST_SECONDS)
    if status in _BAD_MAILBOX or (status is None and code in {550, 551, 553}):
        return BadAddress("no such mailbox", provider_code=shown)
    if code == 530 or (status is not None and status.startswith(("5.7.", "5.5."))):
        return Misconfigured("the relay refuses to carry for us", provider_code=shown)
    return Rejected("the recipient was refused", provider_code=shown)


def _words_refused(code: int, message: str) -> SendError:
    """Name a reply other than 2xx to DATA or to the words: certainly not taken, unless it makes no sense."""
    status = _enhanced(message)
    shown = status or str(code)
    if code in TEMPORARY:
        return Throttled("the relay did not take the words now", provider_code=shown, retry_after=GREYLIST_SECONDS)
    if not 500 <= code < 600:
        return OutcomeUnknown("an unreadable reply to the words", provider_code=shown)
    if status in _UNSIGNED:
        return Misconfigured("our mail is not authenticated well enough", provider_code=shown)
    return ContentRefused("the words were refused", provider_code=shown)


def _xtext(address: str) -> str:
    """Encode for ORCPT (RFC 3461 section 4)."""
    return "".join(c if "!" <= c <= "~" and c not in "+=" else f"+{ord(c):02X}" for c in address)


ADAPTER = Adapter(SmtpEmail, SmtpOptions, SmtpEmail)
