"""A house whose Twilio channels talk to a sandbox carrier of their own, over real HTTP both ways."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn

from channels.contract import ChannelConfig
from channels.registry import make_channel
from channels.sandbox.client import Sandbox
from outreach.settings import load_settings
from outreach.web.app import create_app

from .book import START, Someone, put
from .house import a_house

SENDER = "+12025550143"
CALLS_AND_TEXTS = (("ivr", "twilio_ivr"), ("sms", "twilio_sms"))


@asynccontextmanager
async def carried(
    database: str,
    one: Someone,
    profile: dict[str, Any],
    adapters: tuple[tuple[str, str], ...] = CALLS_AND_TEXTS,
    **more: object,
) -> AsyncIterator[tuple[Any, Sandbox]]:
    """Serve a house whose calls and texts go to a sandbox of their own, in which ``one`` behaves as ``profile``."""
    put(database, one)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        script = {"profiles": {one.phone: profile}, "numbers": [SENDER]}
        with Sandbox(callback_base=url, script=script, start=START) as sandbox:
            options = {"account_sid": sandbox.account_sid, "auth_token": sandbox.auth_token,
                       "base_url": sandbox.http_url, "sender": SENDER, **more}  # fmt: skip
            channels = {
                name: make_channel(ChannelConfig(name, adapter, url, options), lambda: START)
                for name, adapter in adapters
            }
            async with a_house(database, START, channels) as house:
                settings = load_settings({"OUTREACH_DATABASE_URL": database, "OUTREACH_MODE": "sandbox"})
                server = uvicorn.Server(uvicorn.Config(create_app(settings, house), log_config=None, lifespan="off"))
                serving = asyncio.create_task(server.serve(sockets=[listener]))
                try:
                    while not server.started:
                        assert not serving.done(), serving.exception()
                        await asyncio.sleep(0.01)
                    yield house, sandbox
                finally:
                    server.should_exit = True
                    await serving
                    for channel in channels.values():
                        await channel.close()
