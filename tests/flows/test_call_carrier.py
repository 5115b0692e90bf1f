"""Whole calls through the sandbox carrier: signed requests, real TwiML, keys and words, down to the arrangement."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn

from channels.contract import ChannelConfig
from channels.registry import make_channel
from channels.sandbox.client import Entry, Sandbox
from outreach.settings import load_settings
from outreach.web.app import create_app
from tests.support.book import START, Someone, put
from tests.support.calls import dial
from tests.support.house import a_house, rows, run_lanes

SENDER = "+12025550143"


@asynccontextmanager
async def calling(database: str, one: Someone, profile: dict[str, Any]) -> AsyncIterator[tuple[Any, Sandbox]]:
    """Serve a house whose calls and texts go to a sandbox of their own, in which ``one`` behaves as ``profile``."""
    put(database, one)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        script = {"profiles": {one.phone: profile}, "numbers": [SENDER]}
        with Sandbox(callback_base=url, script=script, start=START) as sandbox:
            options = {"account_sid": sandbox.account_sid, "auth_token": sandbox.auth_token,
                       "base_url": sandbox.http_url, "sender": SENDER}  # fmt: skip
            channels = {
                name: make_channel(ChannelConfig(name, adapter, url, options), lambda: START)
                for name, adapter in (("ivr", "twilio_ivr"), ("sms", "twilio_sms"))
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


async def lived_through(database: str, house: Any, sandbox: Sandbox, one: Someone) -> Entry:
    """Place the call, let the carrier walk it to its end, send what follows; returns the end of the call."""
    dial(database, house.clock.now(), one)
    assert await run_lanes(house) == {"sent": 1}, rows(database, "select reasons from decision")
    await asyncio.to_thread(sandbox.client.wait_idle)
    await run_lanes(house)
    log = await asyncio.to_thread(lambda: list(sandbox.client.log()))
    assert not [entry for entry in log if entry["kind"] == "call_error"], log
    return next(entry for entry in log if entry["kind"] == "call_ended")


@pytest.mark.parametrize(
    ("locale", "keys", "speech", "done"),
    [
        ("en-US", ["1980", "2", "2", "1"], [], "is set up"),
        ("es-US", ["1980"], ["", "quiero pagar a plazos", "la segunda", "sí"], "queda confirmado"),
        ("zh-CN", ["1980"], ["", "我想分期还款", "第二个", "好的，确认"], "办理成功"),
    ],
)
async def test_installments_are_set_up_on_a_call(
    database: str, locale: str, keys: list[str], speech: list[str], done: str
) -> None:
    one = Someone(locale=locale, amount_due_minor=24_000)
    profile = {"temperament": "human", "keys": keys, "speech": speech}
    async with calling(database, one, profile) as (house, sandbox):
        end = await lived_through(database, house, sandbox, one)
    assert end["status"] == "completed"
    assert end["digits"] == keys
    assert end["spoken"] == [words for words in speech if words]
    assert done in end["said"][-1]
    assert "240" not in " ".join(end["said"][:1])
    assert rows(database, "select state, total_minor, source from arrangement") == [("active", 24_000, "ivr")]
    assert rows(database, "select template from attempt where channel = 'sms'") == [("installments_done",)]
    assert rows(database, "select outcome from attempt where channel = 'ivr'") == [("conversation",)]
