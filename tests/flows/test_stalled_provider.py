"""A provider that answers nothing slows nobody else: neither the scheduler nor look-ups at another provider."""

import asyncio
from contextlib import suppress
from typing import Any

from channels.contract import Found, LookupKey, ReceiptStatus
from channels.errors import OutcomeUnknown
from channels.fake import FakeChannel
from outreach.clock import FixedClock
from outreach.flows.house import House
from outreach.flows.sweeps import look_up_unknown
from outreach.settings import load_settings
from outreach.workers.scheduler import Scheduler
from tests.support.book import START, Someone, put
from tests.support.house import MemoryQueue, a_house, rows, run_lanes
from tests.support.touching import plan_touch


class Stalled(FakeChannel):
    """Loses every answer, and does not answer when it is asked."""

    def __init__(self, *outcomes: Any) -> None:
        super().__init__(*outcomes)
        self.asked = asyncio.Event()

    async def look_up(self, key: LookupKey) -> Found | None:
        self.asked.set()
        await asyncio.Event().wait()
        raise AssertionError


async def test_the_scheduler_goes_on_while_a_provider_does_not_answer_its_look_ups(database: str) -> None:
    lost, due = Someone(ref="B1"), Someone(ref="B2", phone="+12125550102", email="bo@example.com")
    put(database, lost, due)
    plan_touch(database, lost)
    stalled = Stalled(OutcomeUnknown("lost"))
    async with a_house(database, channels={"sms": stalled}) as house:
        await run_lanes(house)
        rows(database, "update attempt set lookup_real_at = started_real_at - interval '1 hour' returning 1")
        async with scheduling(house, database):
            async with asyncio.timeout(30):
                await stalled.asked.wait()
                plan_touch(database, due, channel="email")
                queue = house.queue
                assert isinstance(queue, MemoryQueue)
                while not queue.touches:  # noqa: ASYNC110 - the queue is a plain list
                    await asyncio.sleep(0.01)
        assert [channel for channel, _ in queue.touches] == ["email"]


class scheduling:  # noqa: N801 - reads as a context
    def __init__(self, house: House, dsn: str) -> None:
        self._scheduler = Scheduler(house, load_settings({"OUTREACH_DATABASE_URL": dsn}))

    async def __aenter__(self) -> None:
        self._task = asyncio.create_task(self._scheduler.run())

    async def __aexit__(self, *_: object) -> None:
        self._scheduler.stop()
        await self._task


async def test_a_look_up_that_hangs_holds_up_no_look_up_at_another_provider(database: str) -> None:
    one, other = Someone(ref="B1"), Someone(ref="B2", phone="+12125550102", email="bo@example.com")
    put(database, one, other)
    plan_touch(database, one)
    plan_touch(database, other, channel="voice")
    stalled, sound = Stalled(OutcomeUnknown("lost")), FakeChannel(OutcomeUnknown("lost"))
    async with a_house(database, channels={"sms": stalled, "voice": sound}, clock=FixedClock(START)) as house:
        await run_lanes(house)
        rows(database, "update attempt set lookup_real_at = started_real_at - interval '1 hour' returning 1")
        for (attempt,) in rows(database, "select attempt_id::text from attempt where channel = 'voice'"):
            sound.found[attempt] = Found("CA1", ReceiptStatus.COMPLETED)
        asking = asyncio.create_task(look_up_unknown(house))
        async with asyncio.timeout(30):
            while not rows(database, "select 1 from inbox"):  # noqa: ASYNC110 - another task writes it
                await asyncio.sleep(0.01)
        asking.cancel()
        with suppress(asyncio.CancelledError):
            await asking
