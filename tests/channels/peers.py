"""Peers on real sockets that misbehave on request: an HTTP provider and a scripted SMTP relay."""

import asyncio
import base64
import hashlib
import hmac
import json
import re
import socket
import ssl
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import parse_qs, parse_qsl, urlsplit

ACCOUNT = "AC" + "0123456789abcdef" * 2
AUTH_TOKEN = "12345"
SECOND_TOKEN = "67890"
PUBLIC_URL = "https://outreach.example.com"
PERSON = "+12025550143"
SENDER = "+12025550100"


@dataclass(frozen=True)
class Say:
    """Answer with a status and a body."""

    status: int
    body: str | dict[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"


@dataclass(frozen=True)
class ResetBefore:
    """Reset the connection as soon as it opens, before anything is read."""


@dataclass(frozen=True)
class ResetAfter:
    """Read the whole request, then reset instead of answering: it may have been carried out."""


@dataclass(frozen=True)
class Hang:
    """Read the whole request and never answer."""


@dataclass(frozen=True)
class Truncate:
    """Promise more than is sent, then close."""


Behaviour = Say | ResetBefore | ResetAfter | Hang | Truncate


def patience(*said: object) -> dict[str, float]:
    """Return how long a channel waits: briefly for what never answers, else as long as a busy machine may need."""
    return {"connect_seconds": 0.9, "total_seconds": 1.0} if Hang() in said else {}


@dataclass(frozen=True)
class Seen:
    """One request as it came."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    form: dict[str, list[str]]
    body: bytes = b""

    def one(self, name: str) -> str:
        values = self.form[name]
        assert len(values) == 1, values
        return values[0]


def message(**fields: Any) -> dict[str, Any]:
    """A Message resource as Twilio returns it."""
    base = {
        "sid": "SM" + "a" * 32, "status": "queued", "body": "hello", "to": PERSON, "from": SENDER, "num_segments": "1",
        "direction": "outbound-api", "error_code": None, "error_message": None, "price": None, "price_unit": "USD",
        "date_created": "Sun, 22 Nov 2026 15:00:00 +0000", "date_sent": None, "date_updated": None,
        "account_sid": ACCOUNT, "api_version": "2010-04-01", "num_media": "0", "uri": "/x.json",
    }  # fmt: skip
    return base | fields


def call(**fields: Any) -> dict[str, Any]:
    """A Call resource as Twilio returns it."""
    base = {
        "sid": "CA" + "a" * 32, "status": "queued", "to": PERSON, "from": SENDER, "direction": "outbound-api",
        "date_created": "Sun, 22 Nov 2026 15:00:00 +0000", "date_updated": None, "start_time": None, "end_time": None,
        "duration": None, "price": None, "price_unit": "USD", "account_sid": ACCOUNT, "answered_by": None,
    }  # fmt: skip
    return base | fields


def listing(kind: str, *records: dict[str, Any]) -> dict[str, Any]:
    """One page of a list."""
    return {kind: list(records), "page": 0, "page_size": 50, "next_page_uri": None, "first_page_uri": "/x", "uri": "/x"}


def refused(code: int, *, text: str = f"The number {PERSON} is refused") -> dict[str, Any]:
    """A Twilio error body; real ones quote the recipient."""
    return {"code": code, "message": text, "more_info": "https://www.twilio.com/docs/errors", "status": 400}


class Provider:
    """An HTTP/1.1 server that keeps connections open and does the next thing in its script."""

    def __init__(self) -> None:
        self.script: deque[Behaviour] = deque()
        self.default: Behaviour = Say(201, message())
        self.seen: list[Seen] = []
        self.connections = 0
        self.url = ""
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self.closed = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        return self

    async def __aexit__(self, *exc: object) -> None:
        assert self._server is not None
        self.closed.set()
        for writer in list(self._writers):
            writer.transport.abort()
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.add(writer)
        try:
            if self.script and isinstance(self.script[0], ResetBefore):
                self.script.popleft()
                _reset(writer)
                return
            while await self._exchange(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        method, target, _ = head[0].split(" ")
        parts = urlsplit(target)
        is_form = headers.get("content-type") == "application/x-www-form-urlencoded"
        form = parse_qs(body.decode(), keep_blank_values=True, strict_parsing=bool(body)) if is_form else {}
        self.seen.append(Seen(method, parts.path, parse_qs(parts.query), headers, form, body))
        match self.script.popleft() if self.script else self.default:
            case Say(status, answer, extra, content_type):
                _answer(writer, status, answer, extra, content_type)
                await writer.drain()
                return True
            case Truncate():
                writer.write(b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{")
                await writer.drain()
            case Hang():
                await self.closed.wait()
            case _:
                _reset(writer)
        return False


def _answer(
    writer: asyncio.StreamWriter, status: int, answer: str | dict[str, Any], extra: Mapping[str, str], kind: str
) -> None:
    raw = (answer if isinstance(answer, str) else json.dumps(answer)).encode()
    lines = [f"HTTP/1.1 {status} Something", f"Content-Type: {kind}", f"Content-Length: {len(raw)}"]
    lines += [f"{name}: {value}" for name, value in extra.items()]
    writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + raw)


def _reset(writer: asyncio.StreamWriter) -> None:
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
    writer.transport.abort()


def closed_port() -> int:
    """A loopback port on which nothing listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def signature(url: str, body: bytes, token: str = AUTH_TOKEN) -> str:
    """Twilio's signature, computed apart from the SDK: URL, then sorted unique names and values."""
    pairs = sorted(set(parse_qsl(body.decode(), keep_blank_values=True)))
    text = url + "".join(name + value for name, value in pairs)
    return base64.b64encode(hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()).decode()


# --- SMTP -------------------------------------------------------------------------------------------------------------

DROP = "drop"
SILENCE = "silence"
GARBLE = "garble"


class Relay:
    """An SMTP server whose answer at each stage is scripted.

    ``at`` maps a stage (connect, ehlo, mail, rcpt, data, words, noop, auth) to answers used up in order: reply text,
    DROP, SILENCE or GARBLE. ``mails`` holds what was taken.
    """

    def __init__(
        self, *, extensions: tuple[str, ...] = ("8BITMIME", "ENHANCEDSTATUSCODES", "DSN"), tls: bool = False
    ) -> None:
        self.at: dict[str, list[str]] = {}
        self.extensions = extensions
        self.mails: list[tuple[str, str, bytes]] = []
        self.commands: list[str] = []
        self.heard: asyncio.Queue[str] = asyncio.Queue()
        self.connections = 0
        self.port = 0
        self.context: ssl.SSLContext | None = None
        self.implicit = tls
        self._server: asyncio.Server | None = None
        self._closed = asyncio.Event()
        self._writers: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> Self:
        context = self.context if self.implicit else None
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=context)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *exc: object) -> None:
        assert self._server is not None
        self._closed.set()
        self.drop_all()
        self._server.close()
        await self._server.wait_closed()

    def drop_all(self) -> None:
        """Cut every open connection, as a relay that restarts does."""
        for writer in list(self._writers):
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.add(writer)
        try:
            if await self._say(writer, "connect", "220 relay.example.com ESMTP"):
                await self._session(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _session(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sender = to = ""
        while line := await reader.readline():
            text = line.decode().rstrip("\r\n")
            self.commands.append(text)
            self.heard.put_nowait(text)
            verb = text.split(" ")[0].upper()
            going = True
            match verb:
                case "EHLO":
                    going = await self._say(writer, "ehlo", self._hello())
                case "MAIL":
                    sender = _path(text)
                    going = await self._say(writer, "mail", "250 2.1.0 ok")
                case "RCPT":
                    to = _path(text)
                    going = await self._say(writer, "rcpt", "250 2.1.5 ok")
                case "DATA":
                    going = await self._data(reader, writer, sender, to)
                case "AUTH":
                    going = await self._say(writer, "auth", "235 2.7.0 ok")
                case "STARTTLS":
                    await self._say(writer, "starttls", "220 go ahead")
                    await writer.start_tls(self.context)
                case "QUIT":
                    await self._say(writer, "quit", "221 bye")
                    return
                case _:
                    going = await self._say(writer, verb.lower(), "250 ok")
            if not going:
                return

    def _hello(self) -> str:
        return "\r\n".join(f"250-{word}" for word in ("relay.example.com", *self.extensions)) + "\r\n250 HELP"

    async def _data(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, sender: str, to: str) -> bool:
        script = self.at.get("data")
        if script and not script[0].startswith("354"):
            return await self._say(writer, "data", "")
        await self._say(writer, "data", "354 go on")
        raw = (await reader.readuntil(b"\r\n.\r\n"))[:-5]
        raw = raw.replace(b"\r\n..", b"\r\n.")
        words = self.at.get("words")
        if not words or words[0].startswith("2") or words[0] in {DROP, SILENCE, GARBLE}:
            self.mails.append((sender, to, raw))
        return await self._say(writer, "words", "250 2.0.0 queued as 4F1A")

    async def _say(self, writer: asyncio.StreamWriter, stage: str, usual: str) -> bool:
        script = self.at.get(stage)
        reply = script.pop(0) if script else usual
        if reply == DROP:
            _reset(writer)
            return False
        if reply == SILENCE:
            await self._closed.wait()
            return False
        writer.write((b"what?\r\n") if reply == GARBLE else f"{reply}\r\n".encode())
        await writer.drain()
        return not reply.startswith("421")


def _path(command: str) -> str:
    found = re.search(r"<([^>]*)>", command)
    return found.group(1) if found else ""
