"""Pooled SMTP connections: one transaction at a time each, probed when idle, retired after enough sends."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

import aiosmtplib

from channels.errors import Misconfigured, SendError, Unavailable

Tls = Literal["starttls", "implicit", "none"]
TEMPORARY = range(400, 500)
AUTH_REFUSED = range(500, 600)


@dataclass(frozen=True, slots=True)
class Relay:
    """Where mail is handed over and how. ``wait_seconds`` is the longest wait for a free connection."""

    host: str
    port: int
    tls: Tls
    username: str | None
    password: str | None
    tls_context: ssl.SSLContext | None
    command_seconds: float
    connections: int
    sends_per_connection: int
    idle_seconds: float
    wait_seconds: float
    local_hostname: str

    def __repr__(self) -> str:
        """Name the relay without its password."""
        return f"Relay({self.host}:{self.port}, tls={self.tls})"


class Connection:
    """One open, signed-in SMTP connection and what it has been used for."""

    __slots__ = ("dsn", "last_used", "sends", "smtp")

    def __init__(self, smtp: aiosmtplib.SMTP) -> None:
        self.smtp = smtp
        self.dsn = smtp.supports_extension("dsn")
        self.sends = 0
        self.last_used = asyncio.get_running_loop().time()


class Pool:
    """The connections of one event loop. ``take`` gives one out, ``give_back`` or ``drop`` ends its use."""

    def __init__(self, relay: Relay) -> None:
        self._relay = relay
        self._free: list[Connection] = []
        self._slots = asyncio.Semaphore(relay.connections)
        self._quits: set[asyncio.Task[None]] = set()

    async def take(self) -> Connection:
        """Return a live connection. Raises Unavailable or Misconfigured; nothing has left then."""
        if self._slots.locked():
            await self._wait()
        else:  # does not wait, so it needs no time limit and no task of its own
            await self._slots.acquire()
        try:
            return await self._reuse() or await self._open()
        except BaseException:
            self._slots.release()
            raise

    async def _wait(self) -> None:
        try:
            await asyncio.wait_for(self._slots.acquire(), self._relay.wait_seconds)
        except TimeoutError:
            raise Unavailable("no free connection") from None

    async def _reuse(self) -> Connection | None:
        """Return a free connection that is still there, newest first."""
        while self._free:
            connection = self._free.pop()
            idle = asyncio.get_running_loop().time() - connection.last_used
            if not connection.smtp.is_connected:
                continue
            if idle < self._relay.idle_seconds or await _answers(connection.smtp):
                return connection
        return None

    async def _open(self) -> Connection:
        relay = self._relay
        smtp = aiosmtplib.SMTP(
            hostname=relay.host,
            port=relay.port,
            username=relay.username,
            password=relay.password,
            use_tls=relay.tls == "implicit",
            start_tls=relay.tls == "starttls",
            tls_context=relay.tls_context,
            timeout=relay.command_seconds,
            local_hostname=relay.local_hostname,
        )
        await _until_ready(smtp)
        return Connection(smtp)

    def give_back(self, connection: Connection) -> None:
        """Keep a connection for the next email, or retire it when it has carried enough."""
        self._slots.release()
        if not connection.smtp.is_connected:
            return
        connection.last_used = asyncio.get_running_loop().time()
        if connection.sends < self._relay.sends_per_connection:
            self._free.append(connection)
        else:
            self._retire(connection)

    def drop(self, connection: Connection) -> None:
        """Throw away a connection whose state is not known."""
        self._slots.release()
        connection.smtp.close()

    def _retire(self, connection: Connection) -> None:
        task = asyncio.ensure_future(_quit(connection.smtp))
        self._quits.add(task)
        task.add_done_callback(self._quits.discard)

    async def close(self) -> None:
        """Say goodbye on every free connection."""
        while self._free:
            self._retire(self._free.pop())
        await asyncio.gather(*self._quits)


async def _until_ready(smtp: aiosmtplib.SMTP) -> None:
    """Connect, secure, sign in and greet. Whatever fails here, nothing has left."""
    try:
        await _closing_on_failure(smtp, smtp.connect)
        if smtp.is_ehlo_or_helo_needed:
            await _closing_on_failure(smtp, smtp.ehlo)
    except aiosmtplib.SMTPAuthenticationError as error:
        raise _lane(error.code, "sign-in refused") from None
    except aiosmtplib.SMTPResponseException as error:
        raise _lane(error.code, "greeting refused", final=Unavailable) from None
    except ssl.SSLError as error:
        raise Misconfigured(f"the relay's certificate is not trusted: {type(error).__name__}") from None
    except (aiosmtplib.SMTPConnectError, aiosmtplib.SMTPTimeoutError, aiosmtplib.SMTPServerDisconnected) as error:
        if isinstance(error.__cause__, ssl.SSLError):
            raise Misconfigured("the relay's certificate is not trusted, or it speaks no TLS on this port") from None
        raise Unavailable(f"no connection: {type(error).__name__}") from None
    except aiosmtplib.SMTPException:
        raise Misconfigured("the relay does not offer the TLS or the sign-in that the settings require") from None
    except OSError as error:
        raise Unavailable(f"no connection: {type(error).__name__}") from None


async def _closing_on_failure(smtp: aiosmtplib.SMTP, step: Callable[[], Awaitable[object]]) -> None:
    try:
        await step()
    except BaseException:
        smtp.close()
        raise


def _lane(code: int, what: str, *, final: type[SendError] = Misconfigured) -> SendError:
    """Name a refusal before any recipient was named: temporary ones wait, final ones need a person (or ``final``)."""
    error = Unavailable if code in TEMPORARY else final
    return error(what, provider_code=str(code))


async def _answers(smtp: aiosmtplib.SMTP) -> bool:
    """Probe an idle connection; a dead one is closed."""
    try:
        return (await smtp.noop()).code == aiosmtplib.SMTPStatus.completed
    except (aiosmtplib.SMTPException, OSError):
        smtp.close()
        return False


async def _quit(smtp: aiosmtplib.SMTP) -> None:
    with suppress(aiosmtplib.SMTPException, OSError):
        await smtp.quit(timeout=2)
    smtp.close()
