"""What changes while a touch is on its way to the provider still counts when it comes back."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg.types.json import Jsonb

from channels.contract import Accepted, Outbound, Receipt, ReceiptStatus
from channels.errors import BadAddress, OutcomeUnknown, SendError, Throttled, Unavailable
from channels.fake import FakeChannel
from outreach.flows.callbacks import take_news
from outreach.flows.campaigns import cancel, pause, resume
from outreach.flows.dispatch import dispatch
from outreach.flows.enroll import stop
from outreach.flows.house import House
from outreach.flows.schedule import queue_ready
from outreach.flows.sweeps import sweep
from tests.support.book import Someone, put
from tests.support.house import START, a_house, clock_of, rows, run_lanes
from tests.support.touching import attempts, plan_touch, run_intake, step_to, told, touch

Meanwhile = Callable[[House, Outbound], Awaitable[None]]


class Meddled(FakeChannel):
    """A channel during whose first send something else happens, before it ends as it is told."""

    def __init__(self, ending: SendError | None) -> None:
        super().__init__()
        self.ending = ending
        self.meanwhile: Meanwhile | None = None
        self.house: House | None = None

    async def send(self, outbound: Outbound) -> Accepted:
        self.sent.append(outbound)
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None and self.house is not None:
            await meanwhile(self.house, outbound)
            if self.ending is not None:
                raise self.ending
        return Accepted(f"fake-{outbound.attempt_id}")


def on_a_campaign(dsn: str, one: Someone, key: Any, state: str = "active") -> None:
    """Make a touch look as if a running campaign had planned it."""
    campaign, enrollment = uuid4(), uuid4()
    with psycopg.connect(dsn) as connection:
        (version,) = connection.execute("select version from plan_version where name = 'early_stage'").fetchone() or (
            "",
        )
        connection.execute(
            """insert into campaign (campaign_id, name, plan, spec, state, created_at, updated_at)
               values (%s, 'spring', 'early_stage', %s, 'running', %s, %s)""",
            (campaign, Jsonb({}), START, START),
        )
        connection.execute(
            """insert into enrollment (enrollment_id, case_id, borrower_id, plan, plan_version, campaign_id,
                 trigger_key, anchor_on, state, next_step, created_at)
               values (%s, %s, %s, 'early_stage', %s, %s, 'due', '2027-02-20', %s, 1, %s)""",
            (enrollment, one.case_id, one.borrower_id, version, campaign, state, START),
        )
        connection.execute(
            "update touch set campaign_id = %s, enrollment_id = %s, plan = 'early_stage' where touch_id = %s",
            (campaign, enrollment, key),
        )


COMES_BACK = [Throttled("later", retry_after=30.0), BadAddress("gone")]


@pytest.mark.parametrize("ending", COMES_BACK, ids=["released", "rejected"])
async def test_a_campaign_cancelled_during_a_send_does_not_send_again(database: str, ending: SendError) -> None:
    put(database, ada := Someone())
    key = plan_touch(database, ada, fallback=("email",))
    sms = Meddled(ending)

    async def meanwhile(house: House, _: Outbound) -> None:
        await cancel(house, "spring")

    async with a_house(database, channels={"sms": sms}) as house:
        on_a_campaign(database, ada, key)
        sms.house, sms.meanwhile = house, meanwhile
        await run_lanes(house)
        assert await step_to(house, START + timedelta(hours=3)) == {}
    assert len(attempts(database)) == 1
    assert touch(database, key)["state"] == "cancelled"
    assert told(database, "touch.cancelled")[0]["touch_id"] == str(key)


@pytest.mark.parametrize("ending", COMES_BACK, ids=["released", "rejected"])
async def test_a_campaign_paused_during_a_send_waits_until_it_is_resumed(database: str, ending: SendError) -> None:
    put(database, ada := Someone())
    key = plan_touch(database, ada, fallback=("email",))
    sms = Meddled(ending)

    async def meanwhile(house: House, _: Outbound) -> None:
        await pause(house, "spring")

    async with a_house(database, channels={"sms": sms}) as house:
        on_a_campaign(database, ada, key)
        sms.house, sms.meanwhile = house, meanwhile
        await run_lanes(house)
        assert await step_to(house, START + timedelta(hours=3)) == {}
        assert touch(database, key)["state"] == "paused"
        assert await resume(house, "spring") == 1
        assert await step_to(house, START + timedelta(hours=4)) == {"sent": 1}


@pytest.mark.parametrize("state", ["active", "completed"])
async def test_a_plan_stopped_during_a_send_does_not_send_again(database: str, state: str) -> None:
    put(database, ada := Someone())
    key = plan_touch(database, ada)
    sms = Meddled(Unavailable("refused"))

    async def meanwhile(house: House, _: Outbound) -> None:
        async with house.store.transaction() as tx:
            assert await stop(tx, [ada.case_id], ["early_stage"], "promise", START) == 1

    async with a_house(database, channels={"sms": sms}) as house:
        on_a_campaign(database, ada, key, state)
        sms.house, sms.meanwhile = house, meanwhile
        await run_lanes(house)
        assert await step_to(house, START + timedelta(hours=3)) == {}
    assert touch(database, key)["state"] == "cancelled"
    assert len(attempts(database)) == 1


@pytest.mark.parametrize("waiting", ["planned", "deferred", "queued", "paused"])
async def test_stopping_a_plan_whose_last_step_still_waits_calls_it_off(database: str, waiting: str) -> None:
    put(database, ada := Someone())
    key = plan_touch(database, ada)
    async with a_house(database) as house:
        on_a_campaign(database, ada, key, "completed")
        rows(database, "update touch set state = %s returning 1", waiting)
        async with house.store.transaction() as tx:
            assert await stop(tx, [ada.case_id], ["early_stage"], "promise", START) == 1
            assert await stop(tx, [ada.case_id], ["early_stage"], "promise", START) == 0
    assert (touch(database, key)["state"], touch(database, key)["reason"]) == ("cancelled", "stopped.promise")


@pytest.mark.parametrize(
    "ending",
    [None, Unavailable("refused"), OutcomeUnknown("reset"), Throttled("later"), RuntimeError("a bug")],
    ids=["accepted", "released", "unknown", "throttled", "bug"],
)
@pytest.mark.parametrize("status", ["sent", "delivered"])
async def test_a_receipt_that_overtakes_its_own_send_is_believed(
    database: str, ending: SendError | None, status: str
) -> None:
    put(database, ada := Someone())
    key = plan_touch(database, ada)
    sms = Meddled(ending)

    async def meanwhile(house: House, outbound: Outbound) -> None:
        news = Receipt("r1", ReceiptStatus(status), token=outbound.token, provider_ref="SM1")
        assert await take_news(house, "sms", [news]) == 1
        await run_intake(house)

    async with a_house(database, channels={"sms": sms}) as house:
        sms.house, sms.meanwhile = house, meanwhile
        await run_lanes(house)
        await step_to(house, START + timedelta(days=2))
        await sweep(house)
        await step_to(house, START + timedelta(days=4))
    assert len(sms.sent) == 1, "it had left"
    assert touch(database, key)["state"] == "sent"
    (attempt,) = attempts(database)
    assert (attempt["state"], attempt["outcome"]) == ("accepted", status)
    assert len(told(database, "touch.sent")) == 1


async def test_a_receipt_by_reference_that_comes_before_the_reference_is_known_waits_for_it(database: str) -> None:
    put(database, ada := Someone())
    plan_touch(database, ada)
    sms = Meddled(None)

    async def meanwhile(house: House, outbound: Outbound) -> None:
        news = Receipt("r1", ReceiptStatus.DELIVERED, provider_ref=f"fake-{outbound.attempt_id}")
        await take_news(house, "sms", [news])
        await run_intake(house)

    async with a_house(database, channels={"sms": sms}) as house:
        sms.house, sms.meanwhile = house, meanwhile
        await run_lanes(house)
        assert rows(database, "select state, tries, note from inbox") == [("new", 1, "unknown reference")]
        clock_of(house).instant += timedelta(seconds=5)
        await sweep(house)
        await run_intake(house)
    assert rows(database, "select state from inbox") == [("applied",)]
    assert attempts(database)[0]["outcome"] == "delivered"


async def test_a_slow_send_that_the_sweep_gave_up_on_settles_when_it_ends(database: str) -> None:
    put(database, ada := Someone())
    key = plan_touch(database, ada)
    sms = Meddled(None)

    async def meanwhile(house: House, _: Outbound) -> None:
        clock_of(house).instant += house.stranded_after + timedelta(seconds=1)
        assert (await sweep(house))["stranded"] == 1
        assert touch(database, key)["state"] == "unknown"

    async with a_house(database, channels={"sms": sms}) as house:
        sms.house, sms.meanwhile = house, meanwhile
        await run_lanes(house)
    assert touch(database, key)["state"] == "sent"
    assert attempts(database)[0]["state"] == "accepted"


async def test_a_touch_that_is_queued_while_its_batch_is_being_locked_is_left_to_its_own_entry(database: str) -> None:
    put(database, ada := Someone(), ben := Someone(ref="B2", phone="+12125550102", email="ben@example.com"))
    keys = [plan_touch(database, ada), plan_touch(database, ben)]
    async with a_house(database) as house:
        await queue_ready(house)
        rows(database, "update touch set state = 'planned' where touch_id = %s returning 1", keys[1])
        blocker = await psycopg.AsyncConnection.connect(database)
        await blocker.execute("select 1 from borrower where borrower_id = %s for update", (ada.borrower_id,))
        running = asyncio.create_task(dispatch(house, "sms", keys))
        waits = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
        while rows(database, waits) == [(0,)]:  # noqa: ASYNC110 - the event is another process's
            await asyncio.sleep(0.01)
        rows(database, "update touch set state = 'queued' where touch_id = %s returning 1", keys[1])
        await blocker.rollback()
        assert await running == {"sent": 1}
        await blocker.close()
        assert await dispatch(house, "sms", keys) == {"sent": 1}
