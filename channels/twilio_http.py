"""The HTTP client under the twilio SDK: real time limits, one pool per event loop, nothing sent twice, nothing logged.

The SDK's own asynchronous client has no time limit (twilio-python#925), repeats a POST when asked to retry, loses
``Retry-After`` and logs addresses. This one takes its place through the SDK's documented seam. It raises our own
errors (``channels.errors``) instead of handing the SDK an answer it would turn into an exception that quotes the
recipient.

What may have left is told apart from what certainly did not by where the exchange stopped: everything up to an open
connection (name, socket, TLS, a place in the pool) is ``Unavailable``; everything after it is ``OutcomeUnknown``.
"""

import asyncio
import logging
import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import aiohttp
from multidict import CIMultiDict
from twilio import __version__ as sdk_version
from twilio.http import AsyncHttpClient
from twilio.rest import Client
from yarl import URL

from channels.errors import Misconfigured, OutcomeUnknown, SendError, Unavailable

# The SDK writes whole URLs at INFO, with telephone numbers in list filters; its validator quotes headers in warnings.
_SDK_LOGGER = logging.getLogger("twilio")
for _logger in (_SDK_LOGGER, logging.getLogger("twilio.async_http_client"), logging.getLogger("twilio.http_client")):
    _logger.setLevel(logging.ERROR)

Refusal = Callable[[int, bytes, float | None], SendError]
"""Makes our error of a status >= 300, the body and Retry-After in seconds."""


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


class TwilioAnswer:
    """What the SDK reads of an HTTP answer. ``text`` is JSON already known to be an object."""

    __slots__ = ("headers", "status_code", "text")

    def __init__(self, status_code: int, text: str, headers: Mapping[str, str]) -> None:
        self.status_code = status_code
        self.text = text
        self.headers = headers


class TwilioHttp(AsyncHttpClient):  # type: ignore[misc]  # the SDK is not typed
    """One pooled keep-alive session per event loop, opened on first use.

    Raises Unavailable, OutcomeUnknown, or whatever ``refusal`` makes of a status that is not 2xx.
    """

    def __init__(
        self, auth: tuple[str, str], refusal: Refusal, *, base_url: str | None = None, limits: Limits | None = None
    ) -> None:
        super().__init__(_SDK_LOGGER, is_async=True)
        self._refusal = refusal
        self._limits = limits or Limits()
        self._url = lru_cache(maxsize=64)(_Rebase(base_url))
        self._headers = _fixed_headers(auth)
        self._sessions: dict[asyncio.AbstractEventLoop, aiohttp.ClientSession] = {}
        self._timeout = aiohttp.ClientTimeout(
            total=self._limits.total_seconds, connect=self._limits.connect_seconds, ceil_threshold=60
        )

    async def request(  # the SDK's signature
        self,
        method: str,
        uri: str,
        params: Mapping[str, object] | None = None,
        data: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,  # noqa: ARG002 - ours are fixed
        auth: tuple[str, str] | None = None,  # noqa: ARG002 - as above
        timeout: float | None = None,  # noqa: ARG002, ASYNC109 - the SDK's signature; ours are in Limits
        allow_redirects: bool = False,  # noqa: ARG002 - the SDK's signature; a redirect drops the form
    ) -> TwilioAnswer:
        """Make one exchange, exactly once. See the class for what it raises."""
        url = self._url(uri)
        if params:
            url = url.update_query([(name, str(value)) for name, value in params.items()])
        status, raw, answer_headers = await self._exchange(method, url, _form(data))
        if 200 <= status < 300:
            return TwilioAnswer(status, _json_text(raw), answer_headers)
        raise self._refusal(status, raw, retry_after_seconds(answer_headers.get("Retry-After")))

    async def _exchange(self, method: str, url: URL, body: bytes | None) -> tuple[int, bytes, Mapping[str, str]]:
        """Send and read everything; say by the type of the error whether it may have left."""
        try:
            # Reading to the end gives the connection back, failing closes it: no context manager is needed.
            response = await self._session().request(
                method, url, data=body, headers=self._headers, allow_redirects=False
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


class TwilioClient(Client):  # type: ignore[misc]  # the SDK is not typed
    """The SDK's client with the per-request header and environment work taken out: the HTTP client has it fixed.

    Edge and region are deliberately not read from the environment: the base URL says where requests go.
    """

    def __init__(self, http: TwilioHttp, auth: tuple[str, str], account_sid: str) -> None:
        super().__init__(*auth, account_sid=account_sid, http_client=http, environment={"TWILIO": ""})

    async def request_async(self, method: str, uri: str, **kwargs: Any) -> TwilioAnswer:  # noqa: ANN401 - the SDK's
        """Pass the request straight on."""
        answer: TwilioAnswer = await self.http_client.request(method, uri, kwargs.get("params"), kwargs.get("data"))
        return answer


class _Rebase:
    """Moves the SDK's absolute URLs to another scheme and host."""

    def __init__(self, base_url: str | None) -> None:
        self._base = urlsplit(base_url.rstrip("/")) if base_url else None

    def __call__(self, uri: str) -> URL:
        if self._base is None:
            return URL(uri)
        asked = urlsplit(uri)
        return URL(
            urlunsplit((self._base.scheme, self._base.netloc, self._base.path + asked.path, asked.query, "")),
            encoded=True,
        )


def _fixed_headers(auth: tuple[str, str]) -> "CIMultiDict[str]":
    """Everything aiohttp or the SDK would otherwise work out for each request."""
    agent = f"twilio-python/{sdk_version} ({platform.system()} {platform.machine()}) Python/{platform.python_version()}"
    return CIMultiDict(
        {
            "Authorization": aiohttp.encode_basic_auth(*auth),
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "Content-Type": "application/x-www-form-urlencoded",
            "User-Agent": agent,
            "X-Twilio-Client": f"python-{sdk_version}",
        }
    )


def _form(data: Mapping[str, object] | None) -> bytes | None:
    """Encode a form; lists become repeated fields. yarl's quoting is C, a fifth of urlencode's time."""
    if not data:
        return None
    fields = {name: value if isinstance(value, list) else str(value) for name, value in data.items()}
    return URL.build(query=fields).raw_query_string.encode("ascii")


def _json_text(raw: bytes) -> str:
    """Return the body, or say that what happened is unknown when a 2xx does not hold a JSON object."""
    if raw[:1] != b"{":
        if not raw:
            return ""
        raise OutcomeUnknown("a 2xx answer that is not JSON")
    return raw.decode("utf-8", "replace")


def retry_after_seconds(header: str | None) -> float | None:
    """Read Retry-After in seconds. The date form needs a clock, so it reads as not said."""
    if header is None or not header.strip().isascii() or not header.strip().isdigit():
        return None
    return float(header.strip())
