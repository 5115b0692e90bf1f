"""The real application over HTTP: on a house with fake channels, or on a free port with everything real."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import uvicorn
from starlette.types import ASGIApp

from channels.contract import Channel
from channels.fake import SIGNATURE_HEADER, FakeChannel
from outreach.flows.house import House
from outreach.settings import load_settings
from outreach.web.app import create_app

from .book import START
from .house import a_house

KEY = "key-one-0123456789"
BEARER = {"Authorization": f"Bearer {KEY}"}


@asynccontextmanager
async def served(
    dsn: str, channels: dict[str, Channel] | None = None, **env: str
) -> AsyncIterator[tuple[httpx.AsyncClient, House]]:
    """Serve the application on a test's database; gives a client and the house behind it."""
    settings = load_settings(
        {"OUTREACH_DATABASE_URL": dsn, "OUTREACH_MODE": "sandbox", "OUTREACH_API_KEYS": f"{KEY},key-two", **env}
    )
    async with a_house(dsn, START, channels) as house:
        transport = httpx.ASGITransport(app=create_app(settings, house))
        async with httpx.AsyncClient(transport=transport, base_url="http://outreach.test") as client:
            yield client, house


def signed(house: House, channel: str, **fields: Any) -> dict[str, Any]:
    """Return the arguments of a POST that the fake provider of a channel signed."""
    fake = house.channels[channel]
    assert isinstance(fake, FakeChannel)
    callback = fake.callback(**fields)
    return {"content": callback.body, "headers": {SIGNATURE_HEADER: callback.headers[SIGNATURE_HEADER]}}


@asynccontextmanager
async def on_a_port(environ: dict[str, str]) -> AsyncIterator[str]:
    """Run the real server on a free port with the house that it opens by itself; gives its address."""
    async with listening(lambda url: create_app(load_settings({"OUTREACH_PUBLIC_URL": url, **environ}))) as url:
        yield url


@asynccontextmanager
async def listening(make: Callable[[str], ASGIApp]) -> AsyncIterator[str]:
    """Serve the application made for an address on a free port; gives the address."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        server = uvicorn.Server(uvicorn.Config(make(url), log_config=None, lifespan="on"))
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        while not server.started:
            assert not serving.done(), serving.exception()
            await asyncio.sleep(0.01)
        try:
            yield url
        finally:
            server.should_exit = True
            await serving
