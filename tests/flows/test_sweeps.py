"""What was lost on the way is found again; what may have left is looked up and never sent again."""

import asyncio
from datetime import timedelta

import pytest

from channels.contract import Accepted, Found, Outbound, ReceiptStatus
from channels.errors import Unavailable
from channels.fake import FakeChannel
from outreach.flows.dispatch import dispatch
from outreach.flows.house import House
from outreach.flows.schedule import queue_ready
from outreach.flows.sweeps import LOOKUPS, sweep
from tests.support.book import Someone, put
from tests.support.house import START, MemoryQueue, a_house, clock_of, rows, run_lanes
from tests.support.touching import attempts, fake, plan_touch, run_intake, told, touch


class Dies(FakeChannel):
    """A channel whose process ends in the middle of a send, once the provider has it."""

    async def send(self, outbound: Outbound) -> Accepted:
        self.sent.append(outbound)
        raise asyncio.CancelledError


async def strand(database: str, house: House) -> None:
    """Leave one attempt behind as a killed worker does."""
    put(database, ada := Someone())
    key = plan_touch(database, ada)
    await queue_ready(house)
    with pytest.raises(asyncio.CancelledError):
        await dispatch(house, "sms", [key])
    assert rows(database, "select state from attempt") == [("started",)]


async def sweep_after(house: House, seconds: float) -> dict[str, int]:
    clock_of(house).instant += timedelta(seconds=seconds)
    found = await sweep(house)
    await run_intake(house)
    return found


async def test_a_wake_up_that_was_lost_comes_again_when_its_lease_ends(database: str) -> None:
    put(database, ada := Someone())
    key = plan_touch(database, ada)
    async with a_house(database) as house:
        assert isinstance(house.queue, MemoryQueue)
        await queue_ready(house)
        first, house.queue.touches = house.queue.touches, []
        assert (await sweep_after(house, 59))["requeued"] == 0
        assert (await sweep_after(house, 2))["requeued"] == 1
        assert house.queue.touches == first
        assert await dispatch(house, "sms", [key]) == {"sent": 1}
        assert await dispatch(house, "sms", [key]) == {}, "the lost entry turned up after all"
        assert (await sweep_after(house, 600))["requeued"] == 0


async def test_an_attempt_whose_process_died_is_found_at_the_provider_and_not_sent_again(database: str) -> None:
    sms = Dies()
    async with a_house(database, channels={"sms": sms}) as house:
        await strand(database, house)
        assert (await sweep_after(house, 119))["stranded"] == 0
        (attempt,) = attempts(database)
        sms.found[attempt["attempt_id"]] = Found("SM9", ReceiptStatus.DELIVERED)
        found = await sweep_after(house, 2)
        assert (found["stranded"], found["looked_up"]) == (1, 1)
        await run_lanes(house)
    (attempt,) = attempts(database)
    assert (attempt["state"], attempt["outcome"], attempt["provider_ref"]) == ("accepted", "delivered", "SM9")
    assert rows(database, "select state from touch") == [("sent",)]
    assert len(sms.sent) == 1
    assert [entry["reasons"] for entry in told(database, "touch.unknown")] == [["process.died"]]


async def test_an_attempt_the_provider_does_not_know_is_listed_and_never_sent_again(database: str) -> None:
    sms = Dies()
    async with a_house(database, channels={"sms": sms}) as house:
        await strand(database, house)
        for _ in range(LOOKUPS + 4):
            await sweep_after(house, 3600)
            await run_lanes(house)
        async with house.store.transaction() as tx:
            listed = await tx.unknown_attempts()
        assert [(row[2], row[4], row[5]) for row in listed] == [("sms", LOOKUPS, None)]
        assert len(sms.sent) == 1
        # It keeps its slot, too.
        ((case, borrower),) = rows(database, "select case_id, borrower_id from cases")
        clock_of(house).instant = START + timedelta(hours=6)
        second = plan_touch(database, Someone(case_id=case, borrower_id=borrower), at=START + timedelta(hours=6))
        await run_lanes(house)
        assert touch(database, second)["state"] == "deferred"


async def test_a_look_up_that_cannot_be_asked_is_asked_again(database: str) -> None:
    class Away(Dies):
        asked = 0

        async def look_up(self, key: object) -> Found | None:
            self.asked += 1
            if self.asked < 3:
                raise Unavailable("the provider is away")
            return Found("SM9", ReceiptStatus.SENT)

    sms = Away()
    async with a_house(database, channels={"sms": sms}) as house:
        await strand(database, house)
        for _ in range(6):
            await sweep_after(house, 3600)
    assert sms.asked == 3
    assert attempts(database)[0]["state"] == "accepted"


async def test_one_look_up_that_breaks_does_not_hold_up_the_others(database: str) -> None:
    class Breaks(Dies):
        async def look_up(self, key: object) -> Found | None:
            raise RuntimeError("a bug in an adapter")

    email = Dies()
    async with a_house(database, channels={"sms": Breaks(), "email": email}) as house:
        await strand(database, house)
        put(database, ben := Someone(ref="B2", phone="+12125550102", email="ben@example.com"))
        key = plan_touch(database, ben, channel="email")
        await queue_ready(house)
        with pytest.raises(asyncio.CancelledError):
            await dispatch(house, "email", [key])
        mail = next(each for each in attempts(database) if each["channel"] == "email")
        email.found[mail["attempt_id"]] = Found("M1", ReceiptStatus.SENT)
        found = await sweep_after(house, 3600)
        assert found["looked_up"] == 1
    assert {each["channel"]: each["state"] for each in attempts(database)} == {"sms": "unknown", "email": "accepted"}


async def test_a_touch_that_expires_while_it_waits_is_closed_and_told(database: str) -> None:
    put(database, ada := Someone())
    key = plan_touch(database, ada, at=START, expires_at=START + timedelta(minutes=5))
    async with a_house(database) as house:
        assert (await sweep_after(house, 400))["expired"] == 1
        await run_lanes(house)
        assert fake(house).sent == []
    assert touch(database, key)["state"] == "expired"
    assert told(database, "touch.expired")[0]["touch_id"] == str(key)


async def test_two_sweepers_find_the_same_thing_once(database: str) -> None:
    async with a_house(database, channels={"sms": Dies()}) as house, a_house(database) as other:
        await strand(database, house)
        for each in (house, other):
            clock_of(each).instant += timedelta(hours=1)
        found = await asyncio.gather(sweep(house), sweep(other))
        assert sum(each["stranded"] for each in found) == 1
    assert len(told(database, "touch.unknown")) == 1
