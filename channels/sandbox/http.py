"""A small, fast HTTP/1.1 server on a raw asyncio protocol: keep-alive, pipelining in order, faults on demand."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import Enum
from http import HTTPStatus
from typing import Final, cast
from urllib.parse import unquote_plus

import httptools

_MAX_BODY = 1 << 20
JSON: Final = b"application/json"


class Outcome(Enum):
    """Ways not to answer."""

    HANG = "hang"
    RESET = "reset"


class Request:
    """One request as it came over the wire."""

    __slots__ = ("_body", "_headers", "authorization", "method", "path", "peer", "query")

    def __init__(
        self,
        method: str,
        url: bytes,
        authorization: bytes,
        body: list[bytes],
        headers: list[tuple[bytes, bytes]],
        peer: str = "",
    ) -> None:
        path, _, query = url.decode("latin-1").partition("?")
        self.method = method
        self.path = path
        self.query = query
        self.peer = peer
        self.authorization = authorization
        self._body = body
        self._headers = headers

    @property
    def headers(self) -> dict[str, str]:
        """Every header by its name in lower case; made when asked for, since most answers need none."""
        return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in self._headers}

    @property
    def body(self) -> bytes:
        """The whole body."""
        return b"".join(self._body)

    def form(self) -> dict[str, str]:
        """Return the fields of a form body; a repeated field is joined by commas."""
        return parse_form(self.body.decode("latin-1"))

    def args(self) -> dict[str, str]:
        """Return the fields of the query string."""
        return parse_form(self.query)


def parse_form(text: str) -> dict[str, str]:
    """Parse ``a=b&c=d``. Much quicker than urllib's for the few short fields a carrier gets."""
    fields: dict[str, str] = {}
    for pair in text.split("&"):
        name, _, value = pair.partition("=")
        if not name:
            continue
        if "%" in value or "+" in value:
            value = _unquote(value)
        if "%" in name or "+" in name:
            name = _unquote(name)
        fields[name] = f"{fields[name]},{value}" if name in fields else value
    return fields


def _unquote(text: str) -> str:
    """Undo form quoting. No common replacement makes a percent sign, so what then holds none is done."""
    plain = text
    for quoted, letter in _COMMON:
        plain = plain.replace(quoted, letter)
    return unquote_plus(text) if "%" in plain else plain


_COMMON: Final = (("+", " "), *((f"%{ord(letter):02X}", letter) for letter in "+,/:?=$ '!()\n&"))


@dataclass(frozen=True, slots=True)
class Response:
    """An answer. ``headers`` are extra lines, without the ones every answer has."""

    status: int
    body: bytes = b""
    content_type: bytes = JSON
    headers: tuple[tuple[str, str], ...] = field(default=())

    def wire(self, *, keep_alive: bool) -> bytes:
        """Return the bytes to write."""
        extra = "".join(f"{name}: {value}\r\n" for name, value in self.headers).encode("latin-1")
        return b"%b%bContent-Type: %b\r\nContent-Length: %d\r\n%b\r\n%b" % (
            _STATUS_LINES[self.status],
            b"" if keep_alive else b"Connection: close\r\n",
            self.content_type,
            len(self.body),
            extra,
            self.body,
        )


_STATUS_LINES = {s.value: f"HTTP/1.1 {s.value} {s.phrase}\r\n".encode() for s in HTTPStatus}

Answer = Response | Outcome
Handler = Callable[[Request], Answer | Awaitable[Answer]]


class HttpProtocol(asyncio.Protocol):
    """One connection. Requests that are answered at once never touch a task; others queue behind their predecessor."""

    def __init__(self, handler: Handler, connections: set["HttpProtocol"]) -> None:
        self._handler = handler
        self._connections = connections
        self._parser = httptools.HttpRequestParser(self)
        self._waiting: deque[tuple[Request, bool]] = deque()
        self._running: asyncio.Task[None] | None = None
        self._url = b""
        self._authorization = b""
        self._body: list[bytes] = []
        self._headers: list[tuple[bytes, bytes]] = []
        self._size = 0
        self._hung = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember the connection."""
        self._transport = cast("asyncio.Transport", transport)
        peer = self._transport.get_extra_info("peername")
        self._peer = str(peer[0]) if isinstance(peer, tuple) and peer else ""
        self._connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """Forget the connection and whatever it still waited for."""
        self._connections.discard(self)
        if self._running is not None:
            self._running.cancel()

    def data_received(self, data: bytes) -> None:
        """Take bytes from the wire."""
        if self._hung:
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._transport.write(Response(400).wire(keep_alive=False))
            self._transport.close()

    def on_message_begin(self) -> None:
        """Start a request (httptools)."""
        self._url, self._authorization, self._body, self._size = b"", b"", [], 0
        self._headers = []

    def on_url(self, url: bytes) -> None:
        """Take a part of the request target (httptools)."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header (httptools)."""
        self._headers.append((name, value))
        if len(name) == 13 and name.lower() == b"authorization":
            self._authorization = value
        elif len(name) == 6 and name.lower() == b"expect":
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        """Take a part of the body (httptools)."""
        self._size += len(body)
        if self._size <= _MAX_BODY:
            self._body.append(body)

    def on_message_complete(self) -> None:
        """Answer, or queue behind the request before (httptools)."""
        request = Request(
            self._parser.get_method().decode(), self._url, self._authorization, self._body, self._headers, self._peer
        )
        keep_alive = self._parser.should_keep_alive()
        if self._size > _MAX_BODY:
            self._finish(Response(413), keep_alive=False)
        elif self._running is not None:
            self._waiting.append((request, keep_alive))
        else:
            self._start(request, keep_alive=keep_alive)

    def close(self) -> None:
        """Close the connection from the carrier's side."""
        self._transport.close()

    def _start(self, request: Request, *, keep_alive: bool) -> None:
        try:
            answer = self._handler(request)
        except Exception as error:  # noqa: BLE001 - a bug in one answer must not take the carrier down
            answer = _broken(error)
        if isinstance(answer, Response | Outcome):
            self._finish(answer, keep_alive=keep_alive)
        else:
            self._running = asyncio.ensure_future(self._wait(answer, keep_alive=keep_alive))

    async def _wait(self, answer: Awaitable[Answer], *, keep_alive: bool) -> None:
        try:
            settled = await answer
        except Exception as error:  # noqa: BLE001 - as in _start
            settled = _broken(error)
        self._finish(settled, keep_alive=keep_alive)
        self._running = None
        while self._waiting and self._running is None and not self._transport.is_closing():
            request, keep = self._waiting.popleft()
            self._start(request, keep_alive=keep)

    def _finish(self, answer: Answer, *, keep_alive: bool) -> None:
        if answer is Outcome.RESET:
            self._transport.abort()
        elif answer is Outcome.HANG:
            self._hung = True
        elif isinstance(answer, Response) and not self._transport.is_closing():
            self._transport.write(answer.wire(keep_alive=keep_alive))
            if not keep_alive:
                self._transport.close()


def _broken(error: Exception) -> Response:
    asyncio.get_running_loop().call_exception_handler({"message": "sandbox answer failed", "exception": error})
    return Response(500, b'{"code":20500,"message":"Internal Server Error","status":500}')
