"""A lender's system: a real HTTP server that verifies webhooks by an implementation of its own and answers as told."""

import asyncio
import base64
import hashlib
import hmac
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
from aiohttp import web

SECRET = "whsec_" + base64.b64encode(b"first-secret-of-24-bytes").decode()
OLD_SECRET = "whsec_" + base64.b64encode(b"older-secret-of-24-bytes").decode()

Reply = Callable[["Got"], "Awaitable[web.Response] | web.Response"]


@dataclass
class Got:
    """One request as it came in."""

    key: str
    headers: dict[str, str]
    body: bytes
    event: dict[str, Any]

    @property
    def case(self) -> str:
        return str(self.event["data"]["case_id"])


@dataclass
class Receiver:
    """Keeps everything it got; ``taken`` are those it answered with 2xx."""

    url: str = ""
    secret: str = SECRET
    got: list[Got] = field(default_factory=list)
    taken: list[Got] = field(default_factory=list)
    refused: int = 0
    answer: Reply = lambda _got: web.Response(status=204)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        if not is_genuine(self.secret, headers, body):
            self.refused += 1
            return web.Response(status=401)
        got = Got(headers["webhook-id"], headers, body, orjson.loads(body))
        self.got.append(got)
        answer = self.answer(got)
        response = answer if isinstance(answer, web.Response) else await answer
        if response.status < 300:
            self.taken.append(got)
        return response

    @property
    def keys(self) -> list[str]:
        return [each.key for each in self.taken]


def is_genuine(secret: str, headers: dict[str, str], body: bytes) -> bool:
    """Verify by the published scheme, written apart from the code under test."""
    parts = secret.split("_", 1)
    mac = hmac.new(base64.b64decode(parts[1]), digestmod=hashlib.sha256)
    for piece in (headers["webhook-id"].encode(), b".", headers["webhook-timestamp"].encode(), b".", body):
        mac.update(piece)
    expected = base64.b64encode(mac.digest()).decode()
    marks = [mark.split(",", 1) for mark in headers["webhook-signature"].split(" ")]
    return any(version == "v1" and hmac.compare_digest(mark, expected) for version, mark in marks)


@asynccontextmanager
async def a_receiver() -> AsyncIterator[Receiver]:
    """Serve on a free port of the loopback."""
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/outreach", receiver.handle)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    receiver.url = f"http://127.0.0.1:{port}/outreach"
    try:
        yield receiver
    finally:
        await runner.cleanup()


async def until(what: Callable[[], Any], patience: float = 20.0) -> None:
    """Wait for a condition."""
    async with asyncio.timeout(patience):
        while not what():  # noqa: ASYNC110 - what is waited for happens in a database or another process
            await asyncio.sleep(0.01)
