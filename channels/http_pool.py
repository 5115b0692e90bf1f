"""HTTP to providers: real time limits, one pool per event loop, nothing sent twice, nothing logged.

What may have left is told apart from what certainly did not by where the exchange stopped: everything up to an open
connection (name, socket, TLS, a place in the pool) is ``Unavailable``; everything after it is ``OutcomeUnknown``.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Final

import aiohttp
from yarl import URL

from channels.errors import Misconfigured, OutcomeUnknown, SendError, Unavailable
from channels.exchange import Form, Vocabulary, begin_http


@dataclass(frozen=True, slots=True)
class Limits:
    """How long to wait and how wide to fan out.

    ``connect_seconds`` covers a place in the pool, name look-up, socket and TLS; ``total_seconds`` the whole exchange.
    ``idle_seconds`` must stay below the provider's own keep-alive: writing into a connection the other side is
    closing ends as an unknown outcome.
    """

    connect_seconds: float = 5.0
    total_seconds: float = 15.0
    idle_seconds: float = 15.0
    connections: int = 100

    def __post_init__(self) -> None:
        if not 0 < self.connect_seconds < self.total_seconds:
            raise ValueError("connect_seconds must be above 0 and below total_seconds")


class _LostError(aiohttp.ClientError):
    """A lost answer under a name that aiohttp does not try again."""


async def _once(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Keep aiohttp from repeating a GET, PUT or DELETE whose connection broke: it may have been a send."""
    try:
        return await handler(request)
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise _LostError(type(error).__name__) from None


_ONCE: Final = (_once,)


class HttpPool:
    """One keep-alive session per event loop, opened on first use. No redirects, no cookies, no second try.

    ``words`` says what of an exchange may be kept as evidence while somebody records it.
    """

    def __init__(self, limits: Limits, words: Vocabulary) -> None:
        self._limits = limits
        self._words = words
        self._sessions: dict[asyncio.AbstractEventLoop, aiohttp.ClientSession] = {}
        self._timeout = aiohttp.ClientTimeout(
            total=limits.total_seconds, connect=limits.connect_seconds, ceil_threshold=60
        )

    async def exchange(
        self, method: str, url: URL, body: bytes | None, headers: Mapping[str, str], form: Form | None = None
    ) -> tuple[int, bytes, Mapping[str, str]]:
        """Send once and read everything. Raises Unavailable, Misconfigured (no URL) or OutcomeUnknown.

        ``form``: the fields that ``body`` holds, for the record.
        """
        trip = begin_http(self._words, method, url, body, headers, form)
        try:
            status, answer, answer_headers = await self._exchange(method, url, body, headers)
        except SendError as error:
            if trip is not None:
                trip.failed(error.detail)
            raise
        if trip is not None:
            trip.answered(status, answer, answer_headers)
        return status, answer, answer_headers

    async def _exchange(
        self, method: str, url: URL, body: bytes | None, headers: Mapping[str, str]
    ) -> tuple[int, bytes, Mapping[str, str]]:
        try:
            # Reading to the end gives the connection back, failing closes it: no context manager is needed.
            response = await self._session().request(
                method,
                url,
                data=body,
                headers=headers,
                allow_redirects=False,
                middlewares=None if method == "POST" else _ONCE,  # aiohttp never repeats a POST
            )
            return response.status, await response.read(), response.headers
        except (
            aiohttp.ClientConnectorError,
            aiohttp.ConnectionTimeoutError,
            aiohttp.ServerFingerprintMismatch,
        ) as error:
            raise Unavailable(f"no connection: {type(error).__name__}") from None
        except aiohttp.InvalidURL:
            raise Misconfigured("the base URL is not one") from None
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise OutcomeUnknown(f"the answer was lost: {type(error).__name__}") from None

    def _session(self) -> aiohttp.ClientSession:
        """Return this loop's session; a session must never cross loops."""
        loop = asyncio.get_running_loop()
        session = self._sessions.get(loop)
        if session is None or session.closed:
            self._forget_dead_loops()
            session = self._sessions[loop] = self._open()
        return session

    def _open(self) -> aiohttp.ClientSession:
        limits = self._limits
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=limits.connections, keepalive_timeout=limits.idle_seconds),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=self._timeout,
            auto_decompress=False,
        )

    def _forget_dead_loops(self) -> None:
        for loop in [loop for loop in self._sessions if loop.is_closed()]:
            # A polite close would need the loop, whose sockets died with it.
            self._sessions.pop(loop).detach()

    async def close(self) -> None:
        """Close this loop's session. Sending afterwards opens a new one."""
        session = self._sessions.pop(asyncio.get_running_loop(), None)
        if session is not None:
            await session.close()


def retry_after_seconds(header: str | None, date: str | None = None) -> float | None:
    """Read Retry-After in seconds. A date is read against the answer's own ``Date``, never against our clock."""
    text = "" if header is None else header.strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        left = (parsedate_to_datetime(text) - parsedate_to_datetime(date or "")).total_seconds()
    except (ValueError, TypeError, IndexError):
        return None
    return left if left >= 0 else None
