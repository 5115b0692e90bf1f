"""Posts webhooks over HTTP: strict time limits, no redirects, no address inside the house unless that is permitted."""

import socket
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import DefaultResolver
from yarl import URL

from channels.http_pool import retry_after_seconds
from outreach.domain.addresses import is_public
from outreach.domain.webhook import Answer, Endpoint

CONNECT_SECONDS = 5.0
MEDIA = "application/cloudevents+json; charset=utf-8"
_ANSWER_BYTES = 4096
"""How much of an answer is read to keep its connection; nothing of it is looked at."""


class NotPublicError(OSError):
    """A name stands for an address that is not on the public internet."""


class PublicResolver(AbstractResolver):
    """Finds addresses and drops those inside the house.

    What is connected to is what was looked at, no matter what the name stands for a moment later.
    """

    def __init__(self) -> None:
        self._resolver = DefaultResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the public addresses of a host. Raises NotPublicError when it has none."""
        found = await self._resolver.resolve(host, port, family)
        public = [each for each in found if is_public(each["host"])]
        if not public:
            raise NotPublicError("no public address")
        return public

    async def close(self) -> None:
        """Give back what the resolver holds."""
        await self._resolver.close()


class HttpPoster:
    """One session for public addresses, one for those inside. Use it as an async context manager."""

    def __init__(self) -> None:
        self._sessions: dict[bool, aiohttp.ClientSession] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for session in self._sessions.values():
            await session.close()

    async def post(self, endpoint: Endpoint, headers: dict[str, str], body: bytes) -> Answer:
        """Post once; whatever goes wrong becomes an answer without status, named by a code."""
        url = URL(endpoint.url)
        if not endpoint.private and _is_literal(url.host) and not is_public(url.host or ""):
            return Answer(None, "address_not_public")
        limits = aiohttp.ClientTimeout(total=endpoint.timeout, sock_connect=CONNECT_SECONDS, ceil_threshold=60)
        try:
            async with self._session(private=endpoint.private).post(
                url,
                data=body,
                headers={**headers, "content-type": MEDIA, "user-agent": "outreach-webhooks/1"},
                allow_redirects=False,
                timeout=limits,
            ) as response:
                await response.content.read(_ANSWER_BYTES)
                wait = retry_after_seconds(response.headers.get("retry-after"))
                return Answer(response.status, f"http_{response.status}", wait)
        except NotPublicError:
            return Answer(None, "address_not_public")
        except TimeoutError:
            return Answer(None, "time_out")
        except aiohttp.InvalidURL:
            return Answer(None, "bad_url")
        except aiohttp.ClientConnectorError as error:
            hidden = isinstance(error.os_error, NotPublicError)
            return Answer(None, "address_not_public" if hidden else _code(error))
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return Answer(None, _code(error))

    def _session(self, *, private: bool) -> aiohttp.ClientSession:
        if private not in self._sessions:
            resolver = None if private else PublicResolver()
            self._sessions[private] = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(resolver=resolver, limit=100, keepalive_timeout=15, use_dns_cache=False),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                trust_env=False,
            )
        return self._sessions[private]


def _is_literal(host: str | None) -> bool:
    """Tell whether a host is an address already: those never come to the resolver."""
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, (host or "").partition("%")[0])
        except OSError:
            continue
        return True
    return False


def _code(error: Exception) -> str:
    return {
        aiohttp.ClientConnectorCertificateError: "bad_certificate",
        aiohttp.ClientConnectorSSLError: "bad_tls",
        aiohttp.ClientConnectorDNSError: "unknown_host",
        aiohttp.ClientConnectorError: "no_connection",
    }.get(type(error), "connection_lost")
