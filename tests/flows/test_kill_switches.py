"""Kill switches: nothing they name leaves a second later, on any process; and what they hold goes on as chosen."""

import asyncio
import json
import subprocess
import sys
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from channels.contract import Accepted, Outbound
from channels.fake import FakeChannel
from outreach.clock import SystemClock
from outreach.domain.words import StopCondition
from outreach.flows import campaigns
from outreach.flows.dispatch import dispatch
from outreach.flows.enroll import stop_for
from outreach.flows.house import House
from outreach.flows.lookout import LOOK_EVERY
from outreach.flows.schedule import queue_ready
from outreach.flows.sweeps import sweep
from outreach.flows.switches import CatchUp, pause, preview, release, resume, tend_switches
from tests.support.book import Someone, add_account, put
from tests.support.calls import Caller, place_call
from tests.support.house import START, a_house, clock_of, rows, run_lanes
from tests.support.pacing import OneByOne
from tests.support.touching import attempts, fake, plan_touch, run_intake, say, step_to, told, touch

SMS = ("channel", "sms")


def someone(number: int, **more: Any) -> Someone:
    return Someone(ref=f"B{number}", phone=f"+1212555{number:04}", email=f"b{number}@example.com", **more)


def a_campaign(database: str, one: Someone, key: UUID, state: str = "running") -> UUID:
    """Put a touch on a campaign."""
    campaign = uuid4()
    rows(
        database,
        "insert into campaign (campaign_id, name, plan, spec, state, created_at, updated_at) "
        "values (%s, 'spring', 'early_stage', '{}', %s, %s, %s) returning 1",
        campaign, state, START, START,
    )  # fmt: skip
    rows(database, "update touch set campaign_id = %s where touch_id = %s returning 1", campaign, key)
    return campaign


@pytest.mark.parametrize(
    ("scope", "key"),
    [
        ("everything", "everything"),
        ("channel", "sms"),
        ("plan", "early_stage"),
        ("jurisdiction", "US-NY"),
        ("jurisdiction", "US"),
        ("jurisdiction", "US-NJ"),  # what the number hints at
        ("jurisdiction", "US-CT"),  # where the borrower said to be
    ],
)
async def test_a_switch_holds_back_what_it_names_and_says_so(database: str, scope: str, key: str) -> None:
    put(database, ada := Someone())
    rows(database, "update contact_point set regions = '{US-NY,US-NJ}' where kind = 'phone' returning 1")
    rows(database, "update borrower set located_jurisdictions = '{US-CT}' returning 1")
    one = plan_touch(database, ada, plan="early_stage")
    async with a_house(database) as house:
        await pause(house, (scope, key), "wrong words", "Ola")
        assert await run_lanes(house) == {"paused": 1}
        assert fake(house).sent == []
        stored = touch(database, one)
        assert (stored["state"], stored["reason"], stored["paused_by"]) == (
            "paused",
            "paused.switch",
            [f"{scope}:{key}"],
        )
        (entry,) = told(database, "touch.paused")
        assert (entry["switches"], entry["reasons"]) == ([f"{scope}:{key}"], ["paused.switch"])
        assert rows(database, "select verdict from decision") == [("defer",)]
        assert await step_to(house, START + timedelta(hours=1)) == {}, "it is not asked again and again"
        assert await resume(house, (scope, key), CatchUp.RE_DECIDE, "Ola") == {"planned": 1}
        assert await run_lanes(house) == {"sent": 1}


@pytest.mark.parametrize(
    ("scope", "key"), [("channel", "email"), ("plan", "pre_due"), ("jurisdiction", "US-N"), ("jurisdiction", "CA")]
)
async def test_a_switch_leaves_alone_what_it_does_not_name(database: str, scope: str, key: str) -> None:
    put(database, ada := Someone())
    plan_touch(database, ada, plan="early_stage")
    async with a_house(database) as house:
        await pause(house, (scope, key), "x", "Ola")
        assert await run_lanes(house) == {"sent": 1}


async def test_a_campaign_is_held_back_alone(database: str) -> None:
    put(database, ada := someone(1), ben := someone(2))
    key = plan_touch(database, ada)
    plan_touch(database, ben)
    async with a_house(database) as house:
        await pause(house, ("campaign", str(a_campaign(database, ada, key))), "x", "Ola")
        assert await run_lanes(house) == {"paused": 1, "sent": 1}
        assert [each.address for each in fake(house).sent] == [ben.phone]


async def test_answers_to_borrowers_stop_too_but_their_stop_is_in_force_at_once(database: str) -> None:
    put(database, ada := Someone())
    key = plan_touch(database, ada, at=START + timedelta(hours=3))
    async with a_house(database) as house:
        await pause(house, ("everything", "everything"), "wrong sender", "Ola")
        await say(house, ada, "STOP", key="m1")
        assert fake(house).sent == []
    assert touch(database, key)["state"] == "cancelled"
    assert rows(database, "select distinct reason from suppression") == [("opt_out.said",)]
    (answer,) = rows(database, "select state from touch where purpose = 'confirmation'")
    assert answer == ("blocked",), "a confirmation that cannot leave within its five minutes never does"


async def test_a_pause_ends_by_itself(database: str) -> None:
    put(database, ada := Someone())
    plan_touch(database, ada)
    async with a_house(database) as house:
        await pause(house, SMS, "maintenance", "Ola", START + timedelta(hours=1))
        assert await run_lanes(house) == {"paused": 1}
        clock_of(house).instant = START + timedelta(minutes=59)
        assert await tend_switches(house) == 0
        clock_of(house).instant = START + timedelta(hours=1)
        assert await tend_switches(house) == 2, "one switch, one touch"
        assert await run_lanes(house) == {"sent": 1}
    log = rows(database, "select action, by from switch_log order by at")
    assert log == [("paused", "Ola"), ("ended", "system")]


async def test_dropping_cancels_what_fell_due_and_says_so_and_leaves_what_is_to_come(database: str) -> None:
    people = [someone(n) for n in range(3)]
    put(database, *people)
    due, unseen, later = (plan_touch(database, one) for one in people)
    rows(
        database, "update touch set not_before = %s where touch_id = %s returning 1", START + timedelta(hours=5), later
    )
    rows(
        database, "update touch set not_before = %s where touch_id = %s returning 1", START + timedelta(hours=1), unseen
    )
    async with a_house(database) as house:
        await pause(house, SMS, "x", "Ola")
        await run_lanes(house)
        clock_of(house).instant = START + timedelta(hours=2)  # the lanes were down meanwhile
        assert await resume(house, SMS, CatchUp.DROP, "Ida") == {"cancelled": 2}
        assert await step_to(house, START + timedelta(hours=5)) == {"sent": 1}
    assert [touch(database, key)["reason"] for key in (due, unseen)] == ["paused.dropped"] * 2
    assert {entry["touch_id"] for entry in told(database, "touch.cancelled")} == {str(due), str(unseen)}
    assert rows(database, "select by, catch_up from switch_log where action = 'resumed'") == [("Ida", "drop")]


async def test_what_expires_while_it_is_held_back_is_closed_and_never_sent(database: str) -> None:
    put(database, ada := Someone())
    key = plan_touch(database, ada, expires_at=START + timedelta(hours=2))
    async with a_house(database) as house:
        await pause(house, SMS, "x", "Ola")
        await run_lanes(house)
        clock_of(house).instant = START + timedelta(hours=2)
        assert (await sweep(house))["expired"] == 1
        assert await resume(house, SMS, CatchUp.RE_DECIDE, "Ola") == {}
        assert await run_lanes(house) == {}
    assert touch(database, key)["state"] == "expired"


async def test_what_was_held_back_a_moment_too_late_is_found(database: str) -> None:
    """A dispatcher that saw the switch and commits after it was lifted must not leave its touches behind."""
    put(database, ada := someone(1), ben := someone(2))
    keys = {CatchUp.RE_DECIDE: plan_touch(database, ada), CatchUp.DROP: plan_touch(database, ben)}
    late = "update touch set state = 'paused', paused_by = '{channel:sms}' where touch_id = %s returning 1"
    async with a_house(database) as house:
        for choice, key in keys.items():
            await pause(house, SMS, "x", "Ola")
            clock_of(house).instant += timedelta(seconds=1)
            async with house.store.transaction() as tx:
                await tx.clear_switch(*SMS, clock_of(house).instant, by="Ola", catch_up=choice)
            rows(database, late, key)
            await release(house)
    assert [touch(database, key)["state"] for key in keys.values()] == ["planned", "cancelled"]


async def test_a_payment_ends_what_is_held_back(database: str) -> None:
    put(database, ada := Someone())
    key = plan_touch(database, ada, plan="early_stage")
    async with a_house(database) as house:
        await pause(house, SMS, "x", "Ola")
        await run_lanes(house)
        rows(
            database,
            """insert into plan_version (version, name, body, created_at)
               values ('v', 'early_stage', '{}', %s) returning 1""",
            START,
        )
        enrollment = uuid4()
        rows(
            database,
            """insert into enrollment (enrollment_id, case_id, borrower_id, plan, plan_version, trigger_key, state,
                 created_at) values (%s, %s, %s, 'early_stage', 'v', 't', 'active', %s) returning 1""",
            enrollment, ada.case_id, ada.borrower_id, START,
        )  # fmt: skip
        rows(database, "update touch set enrollment_id = %s returning 1", enrollment)
        async with house.store.transaction() as tx:
            await stop_for(tx, house, [ada.case_id], StopCondition.PAID, "paid", START)
        await resume(house, SMS, CatchUp.RE_DECIDE, "Ola")
        assert await run_lanes(house) == {}
    assert touch(database, key)["reason"] == "stopped.paid"


async def test_a_paused_campaign_keeps_what_a_lifted_switch_lets_go(database: str) -> None:
    put(database, ada := Someone())
    key = plan_touch(database, ada)
    a_campaign(database, ada, key)
    async with a_house(database) as house:
        await pause(house, SMS, "x", "Ola")
        await run_lanes(house)
        await campaigns.pause(house, "spring")
        assert await resume(house, SMS, CatchUp.RE_DECIDE, "Ola") == {"paused": 1}
        assert await run_lanes(house) == {}
        assert await campaigns.resume(house, "spring") == 1
        assert await run_lanes(house) == {"sent": 1}


class Slow(FakeChannel):
    """A provider that answers only when it is let, one send after another."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.may_end = asyncio.Event(), asyncio.Event()

    async def send(self, outbound: Outbound) -> Accepted:
        self.sent.append(outbound)
        self.begun.set()
        await self.may_end.wait()
        return Accepted(f"fake-{outbound.attempt_id}")


async def seen(house: House) -> None:
    """Wait until whoever is sending must have looked at the switches."""
    for _ in range(3):
        await asyncio.sleep(LOOK_EVERY)


async def test_what_was_decided_and_waits_for_its_turn_at_the_provider_does_not_leave(database: str) -> None:
    people = [someone(n) for n in range(4)]
    put(database, *people)
    keys = [plan_touch(database, one) for one in people]
    sms = Slow()
    async with a_house(database, channels={"sms": sms}, pacer=OneByOne()) as house:
        await queue_ready(house)
        batch = asyncio.create_task(dispatch(house, "sms", keys))
        await sms.begun.wait()
        await pause(house, SMS, "wrong words", "Ola")
        await seen(house)
        sms.may_end.set()
        assert await batch == {"sent": 1, "paused": 3}
        assert len(sms.sent) == 1
        assert sorted(each["state"] for each in attempts(database)) == ["accepted", "released", "released", "released"]
        assert {each["error_code"] for each in attempts(database)} == {None, "paused.switch"}
        await resume(house, SMS, CatchUp.RE_DECIDE, "Ola")
        assert await run_lanes(house) == {"sent": 3}, "what never left holds no slot"
    assert {touch(database, key)["tries"] for key in keys} == {1}


async def test_when_nobody_can_say_what_is_switched_off_the_rest_of_a_batch_stays(database: str) -> None:
    people = [someone(n) for n in range(3)]
    put(database, *people)
    keys = [plan_touch(database, one) for one in people]
    sms = Slow()
    async with a_house(database, channels={"sms": sms}, pacer=OneByOne()) as house:
        await queue_ready(house)
        batch = asyncio.create_task(dispatch(house, "sms", keys))
        await sms.begun.wait()
        with psycopg.connect(database, autocommit=True) as line:
            line.execute("alter table switch rename to gone")
            await seen(house)
            line.execute("alter table gone rename to switch")
        sms.may_end.set()
        assert await batch == {"sent": 1, "released": 2}
        assert {entry["reasons"][0] for entry in told(database, "touch.released")} == {"store.away"}
        assert await run_lanes(house) == {"sent": 2}


def test_every_process_stops_what_it_has_not_handed_over(database: str) -> None:
    """Four dispatchers are in the middle of their batches; a switch is set; what has not left by then stays."""
    people = [someone(n) for n in range(40)]
    put(database, *people)
    keys = [plan_touch(database, one) for one in people]
    rows(database, "update touch set state = 'queued' returning 1")
    command = [sys.executable, "-m", "tests.support.slow_dispatcher", database]
    running = [subprocess.Popen([*command, *map(str, keys[n::4])], stdout=subprocess.PIPE, text=True) for n in range(4)]
    try:
        for each in running:  # every one of them has begun to send
            assert each.stdout is not None
            assert each.stdout.readline().strip() == "sending"
        before = SystemClock().now()
        with psycopg.connect(database, autocommit=True) as line:
            line.execute(
                "insert into switch (scope, key, since_at, reason) values ('everything', 'everything', %s, 'x')",
                [before],
            )
        instants = [
            datetime.fromisoformat(at)
            for each in running
            for at in json.loads(each.communicate(timeout=60)[0].splitlines()[-1])
        ]
    finally:
        for each in running:
            with suppress(ProcessLookupError):
                each.kill()
            each.wait()
    assert 4 <= len(instants) < 40
    states = dict(rows(database, "select state, count(*) from touch group by 1"))
    assert states == {"sent": len(instants), "paused": 40 - len(instants)}


async def test_calls_that_ring_are_taken_back_and_those_in_a_talk_are_not(database: str) -> None:
    put(database, ada := someone(1), ben := someone(2), cyd := someone(3))
    ivr = FakeChannel()
    async with a_house(database, channels={"ivr": ivr}) as house:
        await place_call(database, house, ada)
        rings = str(rows(database, "select provider_ref from attempt where borrower_id = %s", ada.borrower_id)[0][0])
        clock_of(house).instant += timedelta(seconds=1)
        talks = Caller(house, await place_call(database, house, ben))
        await talks.pick_up()
        clock_of(house).instant += timedelta(seconds=1)
        late = Caller(house, await place_call(database, house, cyd))
        ivr.cancellable.add(rings)
        assert (await preview(house, ("channel", "ivr"))).total["calls"] == 3
        await pause(house, ("channel", "ivr"), "wrong greeting", "Ola")
        assert await tend_switches(house) == 1
        assert rings in ivr.cancelled
        assert len(ivr.cancelled) == 2, "the talk is left alone"
        assert await tend_switches(house) == 0
        assert len(ivr.cancelled) == 2, "nobody asks twice"
        await run_intake(house)
        assert rows(database, "select outcome from attempt where provider_ref = %s", rings) == [("not_connected",)]
        assert [entry["reasons"] for entry in told(database, "touch.recalled")] == [["paused.switch"]]
        prompt = await late.pick_up()
        assert (prompt.say, prompt.gather) == ("", False)
        assert (await talks.post(0, "1980")).gather, "whoever talks to us is not cut off"


async def test_a_preview_counts_steps_that_are_not_touches_yet(database: str) -> None:
    put(database, ada := Someone())
    with psycopg.connect(database, autocommit=True) as line:
        add_account(line, ada, "B1-A2", uuid4(), uuid4(), START)
    async with a_house(database) as house:
        plan = house.plans["early_stage"]
        rows(
            database,
            """insert into enrollment (enrollment_id, case_id, borrower_id, plan, plan_version, trigger_key, state,
                 next_step, next_due_at, created_at)
               values (%s, %s, %s, %s, %s, 't', 'active', 0, %s, %s) returning 1""",
            uuid4(), ada.case_id, ada.borrower_id, plan.name, plan.version, START + timedelta(hours=23), START,
        )  # fmt: skip
        first = str(plan.steps[0].channels[0])
        found = await preview(house, ("plan", "early_stage"))
        assert (found.total["due"], found.by["channel"][first]["due"]) == (1, 1)
        assert (await preview(house, ("plan", "pre_due"))).total.total() == 0
