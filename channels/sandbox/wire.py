"""A small, fast HTTP/1.1 client for callbacks: keep-alive connections, one request at a time on each."""

import asyncio
import ssl
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast
from urllib.parse import urlsplit

import httptools


class WireError(OSError):
    """No answer: could not connect, or the connection ended first."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What the other side answered."""

    status: int
    body: bytes
    location: str = ""
    cookies: tuple[str, ...] = ()


Origin = tuple[str, str, int]


class _Connection(asyncio.Protocol):
    """One connection and the answer it waits for."""

    def __init__(self) -> None:
        self.open = False
        self._answer: asyncio.Future[Answered] | None = None
        self._body: list[bytes] = []
        self._location = ""
        self._cookies: list[str] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self.open = True

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self.open = False
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(WireError("connection ended before an answer"))

    def data_received(self, data: bytes) -> None:
        if self._answer is None or self._answer.done():
            self.close()
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            if not self._answer.done():  # what follows a whole answer in the same packet is no part of it
                self._answer.set_exception(WireError("not HTTP"))
            self.close()

    def on_header(self, name: bytes, value: bytes) -> None:
        match name.lower():
            case b"location":
                self._location = value.decode("latin-1")
            case b"set-cookie":
                self._cookies.append(value.decode("latin-1"))

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        status = self._parser.get_status_code()
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(Answered(status, b"".join(self._body), self._location, tuple(self._cookies)))
        if not self._parser.should_keep_alive():
            self.close()

    async def ask(self, request: bytes, timeout_seconds: float) -> Answered:
        self._parser = httptools.HttpResponseParser(self)
        self._body, self._location, self._cookies = [], "", []
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        try:
            return await asyncio.wait_for(self._answer, timeout_seconds)
        except BaseException:
            self.close()
            raise
        finally:
            self._answer = None

    def close(self) -> None:
        self.open = False
        self._transport.close()


class Wire:
    """Posts to any number of origins, reusing connections."""

    def __init__(self, *, connect_seconds: float = 5.0, answer_seconds: float = 15.0) -> None:
        self._connect_seconds = connect_seconds
        self._answer_seconds = answer_seconds
        self._idle: defaultdict[Origin, list[_Connection]] = defaultdict(list)

    async def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Answered:
        """Make one request. Raises OSError when it could not connect or got no answer, TimeoutError when too late."""
        parts = urlsplit(url)
        origin = parts.scheme, parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        lines = [f"{method} {target} HTTP/1.1", f"Host: {parts.netloc.rpartition('@')[2]}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        request = ("\r\n".join(lines) + f"\r\nContent-Length: {len(body)}\r\n\r\n").encode("latin-1") + body
        connection, reused = await self._take(origin)
        try:
            answer = await connection.ask(request, self._answer_seconds)
        except WireError:
            if not reused:
                raise
            # The other side may close an idle connection just as it is reused: that says nothing about the request.
            connection = await self._connect(origin)
            answer = await connection.ask(request, self._answer_seconds)
        if connection.open:
            self._idle[origin].append(connection)
        return answer

    def close(self) -> None:
        """Close idle connections."""
        for connections in self._idle.values():
            for connection in connections:
                connection.close()
        self._idle.clear()

    async def _take(self, origin: Origin) -> tuple[_Connection, bool]:
        idle = self._idle[origin]
        while idle:
            connection = idle.pop()
            if connection.open:
                return connection, True
        return await self._connect(origin), False

    async def _connect(self, origin: Origin) -> _Connection:
        scheme, host, port = origin
        loop = asyncio.get_running_loop()
        context = ssl.create_default_context() if scheme == "https" else None
        connecting = loop.create_connection(_Connection, host, port, ssl=context)
        _, connection = await asyncio.wait_for(connecting, self._connect_seconds)
        return connection
