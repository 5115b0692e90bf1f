"""Whole calls through the sandbox carrier: signed requests, real TwiML, keys and words, down to the arrangement."""

import asyncio
from typing import Any

import orjson
import pytest

from channels.sandbox.client import Entry, Sandbox
from outreach.flows.aftercare import FIRST, look_after
from tests.support.book import Someone
from tests.support.calls import dial
from tests.support.carrier import carried
from tests.support.house import clock_of, rows, run_lanes

HEARD = "select trips::text from exchange where trips->0->>'what' = 'turn' order by at, exchange_id"


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
    async with carried(database, one, profile) as (house, sandbox):
        end = await lived_through(database, house, sandbox, one)
        clock_of(house).instant += FIRST
        await look_after(house)
    assert end["status"] == "completed"
    assert end["digits"] == keys
    assert end["spoken"] == [words for words in speech if words]
    assert done in end["said"][-1]
    assert "240" not in " ".join(end["said"][:1])
    assert rows(database, "select state, total_minor, source from arrangement") == [("active", 24_000, "ivr")]
    assert rows(database, "select template from attempt where channel = 'sms'") == [("installments_done",)]
    assert rows(database, "select outcome from attempt where channel = 'ivr'") == [("conversation",)]
    cost = rows(database, "select price_micros, currency from attempt where channel = 'ivr'")
    assert cost == [(14_000 * max(1, -(-end["duration"] // 60)), "USD")]
    turns = [row[0] for row in rows(database, HEARD)]
    assert len(turns) == rows(database, "select count(*) from call_turn")[0][0] > 4
    assert [word for word in ("1980", one.phone, one.given_name, *filter(None, speech)) if word in "".join(turns)] == []
    fields = sorted((orjson.loads(turn)[0] for turn in turns), key=lambda turn: turn["request"]["fields"].get("n", ""))
    assert fields[0]["answer"]["fields"]["Gather.numDigits"] == "4", "the frame of the question is evidence"
    assert fields[1]["request"]["fields"]["Digits"] == {"is": "keys", "length": 4}, "no digest: it could be guessed"
