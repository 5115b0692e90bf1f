"""Due steps become touches once; campaigns reach what is already queued; a plan's old version lives on."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

import psycopg
import pytest

from outreach.bootstrap import serve_house
from outreach.domain.campaign_config import campaign_from_content
from outreach.domain.plan import Plan, plan_content
from outreach.domain.plan_config import plan_from_content
from outreach.flows.campaigns import CampaignError, cancel, pause, preview, resume, run_due, start
from outreach.flows.enroll import Cause, enrol
from outreach.flows.house import House
from outreach.flows.schedule import load_versions, plan_due, queue_ready
from outreach.settings import load_settings
from tests.support.book import Someone, put
from tests.support.house import START, MemoryQueue, a_house, clock_of, rows, run_lanes
from tests.support.touching import fake, step_to, told

DUE = date(2027, 2, 28)
"""Everybody's due date here: one day before START."""


def someone(number: int, **more: Any) -> Someone:
    return Someone(ref=f"B{number}", phone=f"+1212555{number:04}", email=f"b{number}@example.com", due_on=DUE, **more)


def a_plan(*steps: dict[str, Any], name: str = "early_stage", **more: Any) -> Plan:
    """Make a plan counting from the due date; its steps text unless they say otherwise."""
    filled = [
        {"id": f"s{n}", "channels": ["sms"], "template": "early_friendly", **step} for n, step in enumerate(steps)
    ]
    top = {
        "name": name,
        "anchor": "due_date",
        "at": "10:00",
        "expires_after": "6h",
        "priority": 50,
        "stop_on": ["paid", "closed"],
    }
    return plan_from_content({**top, **more, "steps": filled})


async def with_plan(house: House, plan: Plan) -> House:
    """Return the house as it is with another plan file, as a process that starts with it finds it."""
    changed = replace(house, plans={**house.plans, plan.name: plan})
    async with house.store.transaction() as tx:
        await load_versions(changed, tx)
    return changed


async def on_plan(house: House, plan: Plan, people: Sequence[Someone], key: str = "due") -> None:
    async with house.store.transaction() as tx:
        found = await tx.condition_rows({one.case_id for one in people})
        await enrol(tx, plan, [Cause(found[one.case_id], key, DUE) for one in people], clock_of(house).instant)


def a_campaign(**more: Any) -> Any:
    base = {"name": "spring", "plan": "early_stage", "audience": "case.amount_due > 0", "holdout": 0}
    schedule = {"daily": "10:00", "zone": "America/New_York", "late_after": "2h"}
    return campaign_from_content({**base, "schedule": schedule, "throughput": {"per_minute": 6000}, **more})


CARRIER = {
    "OUTREACH_TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
    "OUTREACH_TWILIO_AUTH_TOKEN": "token",
    "OUTREACH_SMS_SENDER": "+12025550100",
    "OUTREACH_SMTP_TLS": "none",
}

TODAY = {"offset": "1d"}
"""A step that is due at START exactly: 10:00 in New York, one day after the due date."""


async def test_who_claims_waits_for_nobody(database: str) -> None:
    put(database, ada := someone(1), ben := someone(2))
    async with a_house(database) as opened:
        house = await with_plan(opened, plan := a_plan(TODAY))
        await on_plan(house, plan, [ada, ben])
        with psycopg.connect(database) as busy:
            busy.execute("update cases set state = state where case_id = %s", (ada.case_id,))
            assert await asyncio.wait_for(plan_due(house), 5) == 1
        assert await plan_due(house) == 1
        assert rows(database, "select count(distinct case_id) from touch") == [(2,)]


async def test_a_due_step_is_claimed_once_however_many_schedulers_run(database: str) -> None:
    people = [someone(n) for n in range(40)]
    put(database, *people)
    async with a_house(database) as first, a_house(database) as second:
        plan = a_plan(TODAY)
        one, other = await with_plan(first, plan), await with_plan(second, plan)
        await on_plan(one, plan, people)
        claimed = await asyncio.gather(*(plan_due(house, 7) for house in (one, other) * 6))
        assert sum(claimed) == len(people)
        assert await plan_due(one) == 0
    assert rows(database, "select count(*), count(distinct case_id) from touch") == [(40, 40)]


async def test_a_step_whose_condition_does_not_hold_is_left_out_and_said(database: str) -> None:
    put(database, ada := someone(1))
    async with a_house(database) as opened:
        plan = a_plan({**TODAY, "when": "case.amount_due > 1000"}, {"offset": "2d"})
        house = await with_plan(opened, plan)
        await on_plan(house, plan, [ada])
        assert await run_lanes(house) == {}
        assert [(entry["step"], entry["condition"]) for entry in told(database, "step.not_needed")] == [
            ("s0", "case.amount_due > 1000")
        ]
        assert await step_to(house, START + timedelta(days=1)) == {"sent": 1}


async def test_a_step_that_is_too_late_is_dropped_and_said_and_the_next_one_comes(database: str) -> None:
    put(database, ada := someone(1))
    async with a_house(database) as opened:
        plan = a_plan(TODAY, {"offset": "2d"}, {"offset": "3d"})
        house = await with_plan(opened, plan)
        await on_plan(house, plan, [ada])
        # The system was down for a day and a half: the first two are past their time, the third is not.
        assert await step_to(house, START + timedelta(days=1, hours=12)) == {}
        assert await step_to(house, START + timedelta(days=2)) == {"sent": 1}
    assert [entry["step"] for entry in told(database, "step.dropped")] == ["s0", "s1"]
    assert rows(database, "select step_id, state from touch") == [("s2", "sent")]
    assert rows(database, "select state from enrollment") == [("completed",)]


async def test_whoever_joins_late_starts_where_the_plan_stands(database: str) -> None:
    put(database, ada := someone(1))
    async with a_house(database) as opened:
        plan = a_plan({"offset": "-10d"}, {"offset": "-5d"}, TODAY)
        house = await with_plan(opened, plan)
        await on_plan(house, plan, [ada])
        assert await run_lanes(house) == {"sent": 1}
    assert rows(database, "select step_id from touch") == [("s2",)]


async def test_a_running_enrollment_stays_on_its_version_when_the_file_changes(database: str) -> None:
    put(database, ada := someone(1), ben := someone(2))
    async with a_house(database) as house:
        old = a_plan(TODAY, {"offset": "3d", "template": "early_follow_up"})
        new = a_plan(TODAY, {"offset": "3d", "channels": ["email"], "template": "early_offer_help"})
        assert old.version != new.version
        before = await with_plan(house, old)
        await on_plan(before, old, [ada])
        after = await with_plan(house, new)
        await on_plan(after, new, [ben])
        await run_lanes(after)
        assert await step_to(after, START + timedelta(days=2)) == {"sent": 2}
    ran = rows(
        database, "select borrower_id, channel, template, plan_version from touch where step_id = 's1' order by channel"
    )
    assert ran == [
        (ben.borrower_id, "email", "early_offer_help", new.version),
        (ada.borrower_id, "sms", "early_follow_up", old.version),
    ]


def test_what_is_stored_of_a_plan_reads_back_as_the_same_version() -> None:
    plan = a_plan({**TODAY, "when": "case.days_past_due > 0", "expires_after": "2h"}, {"offset": "3bd at 11:00"})
    again = plan_from_content(plan_content(plan))
    assert (again.version, len(again.steps)) == (plan.version, 2)


async def test_the_same_cause_enrols_a_case_once(database: str) -> None:
    put(database, ada := someone(1))
    async with a_house(database) as opened:
        plan = a_plan(TODAY)
        house = await with_plan(opened, plan)
        for _ in range(3):
            await on_plan(house, plan, [ada])
    assert rows(database, "select count(*) from enrollment") == [(1,)]
    assert len(told(database, "enrollment.started")) == 1


async def test_a_campaigns_touches_leave_no_faster_than_it_says(database: str) -> None:
    people = [someone(n) for n in range(10)]
    put(database, *people)
    async with a_house(database) as opened:
        house = await with_plan(opened, a_plan(TODAY))
        await start(house, a_campaign(throughput={"per_minute": 2}))
        assert [run.entered for run in await run_due(house)] == [10]
        assert await run_lanes(house) == {"sent": 1}
        for minute in range(1, 4):
            tally = await step_to(house, START + timedelta(minutes=minute))
            assert tally == {"sent": 2}, "two a minute: one every thirty seconds"
        at = [row[0] for row in rows(database, "select not_before from touch order by not_before")]
        assert {later - earlier for earlier, later in pairwise(at)} == {timedelta(seconds=30)}


async def test_a_campaigns_touches_leave_no_more_a_day_than_it_says(database: str) -> None:
    people = [someone(n) for n in range(5)]
    put(database, *people)
    async with a_house(database) as opened:
        house = await with_plan(opened, a_plan({**TODAY, "expires_after": "3d"}))
        await start(house, a_campaign(throughput={"per_minute": 600, "per_day": 2}))
        await run_due(house)
        await plan_due(house)
        assert await step_to(house, START + timedelta(minutes=1)) == {"sent": 2}
        later = rows(database, "select not_before::date, count(*) from touch group by 1 order by 1")
        assert [count for _, count in later] == [2, 2, 1]
        assert (await step_to(house, START + timedelta(days=1)))["sent"] == 2


async def test_a_preview_counts_what_the_run_then_does(database: str) -> None:
    people = [someone(n) for n in range(30)]
    people += [
        someone(100, amount_due_minor=0),
        someone(101),
        someone(102),
        someone(103),
    ]
    put(database, *people)
    stopped, held = people[-3], people[-2]
    rows(
        database,
        "insert into suppression (suppression_id, borrower_id, channel, reason, since_at) "
        "values (gen_random_uuid(), %s, 'any', 'opt_out.said', %s) returning 1",
        stopped.borrower_id,
        START,
    )
    rows(
        database,
        "insert into hold (hold_id, borrower_id, kind, since_at, source) "
        "values (gen_random_uuid(), %s, 'dispute', %s, 'test') returning 1",
        held.borrower_id,
        START,
    )
    rows(
        database,
        "update contact_point set state = 'invalid' where borrower_id = %s returning 1",
        people[-1].borrower_id,
    )
    async with a_house(database) as house:
        campaign = a_campaign(audience="case.days_past_due >= 0", holdout=20)
        told_before = await preview(house, campaign)
        assert rows(database, "select count(*) from enrollment") == [(0,)], "a preview changes nothing"
        await start(house, campaign)
        (run,) = await run_due(house)
    assert (run.entered, dict(run.exclusions)) == (told_before.entering, dict(told_before.exclusions))
    counted = dict(rows(database, "select state = 'holdout', count(*) from enrollment group by 1"))
    assert counted[False] == told_before.entering
    assert counted[True] == run.held_out == told_before.exclusions.get("campaign.holdout", 0) > 0  # type: ignore[call-overload]
    assert told_before.matched == told_before.entering + sum(told_before.exclusions.values()) == len(people)


async def test_whoever_is_held_out_is_never_touched_and_stays_held_out(database: str) -> None:
    people = [someone(n) for n in range(20)]
    put(database, *people)
    async with a_house(database) as opened:
        house = await with_plan(opened, a_plan(TODAY, {"offset": "4d"}))
        await start(house, a_campaign(holdout=50))
        (first,) = await run_due(house)
        await run_lanes(house)
        clock_of(house).instant = START + timedelta(days=1)
        (second,) = await run_due(house)
        assert second.entered == second.held_out == 0
        await step_to(house, START + timedelta(days=10))
    assert 0 < first.held_out < 20
    held = {row[0] for row in rows(database, "select case_id from enrollment where state = 'holdout'")}
    touched = {row[0] for row in rows(database, "select case_id from touch")}
    assert not held & touched
    assert len(touched) == first.entered


async def started(database: str, house: House, count: int = 3) -> list[UUID]:
    """Start a campaign whose touches are already in their lane; returns them."""
    put(database, *[someone(n) for n in range(count)])
    await start(house, a_campaign())
    await run_due(house)
    await plan_due(house)
    clock_of(house).instant += timedelta(seconds=1)
    await queue_ready(house)
    return [row[0] for row in rows(database, "select touch_id from touch where state = 'queued'")]


async def test_pause_reaches_what_is_queued_and_resume_lets_it_go(database: str) -> None:
    async with a_house(database) as opened:
        house = await with_plan(opened, a_plan(TODAY, {"offset": "2d"}))
        keys = await started(database, house)
        assert await pause(house, "spring") == len(keys) == 3
        assert await run_lanes(house) == {}
        assert fake(house).sent == []
        assert await step_to(house, START + timedelta(hours=1)) == {}
        assert await resume(house, "spring") == 3
        assert await run_lanes(house) == {"sent": 3}
        await step_to(house, START + timedelta(days=1))
        await step_to(house, START + timedelta(days=1, minutes=1))
    assert rows(database, "select step_id, state, count(*) from touch group by 1, 2 order by 1") == [
        ("s0", "sent", 3),
        ("s1", "sent", 3),
    ]


async def test_what_is_too_late_when_a_campaign_resumes_is_dropped(database: str) -> None:
    async with a_house(database) as opened:
        house = await with_plan(opened, a_plan(TODAY, {"offset": "2d"}))
        await started(database, house)
        await pause(house, "spring")
        await step_to(house, START + timedelta(days=3))
        await resume(house, "spring")
        assert (await run_lanes(house)).get("sent") is None
        assert fake(house).sent == []
    assert rows(database, "select distinct state from touch") == [("expired",)]
    assert {entry["step"] for entry in told(database, "step.dropped")} == {"s1"}


async def test_cancel_reaches_what_is_queued_for_good(database: str) -> None:
    async with a_house(database) as opened:
        house = await with_plan(opened, a_plan(TODAY, {"offset": "2d"}))
        keys = await started(database, house)
        assert await cancel(house, "spring") == 3
        assert isinstance(house.queue, MemoryQueue)
        assert house.queue.touches, "their entries are still in the lane"
        assert await run_lanes(house) == {}
        assert await step_to(house, START + timedelta(days=2)) == {}
        assert fake(house).sent == []
        with pytest.raises(CampaignError, match="no campaign spring"):
            await resume(house, "spring")
    assert {entry["touch_id"] for entry in told(database, "touch.cancelled")} == {str(key) for key in keys}


async def test_a_campaign_that_is_paused_does_not_run(database: str) -> None:
    async with a_house(database) as house:
        put(database, someone(1))
        await start(house, a_campaign())
        await pause(house, "spring")
        assert await run_due(house) == []


async def test_a_run_that_comes_too_late_is_left_out_and_alerted_never_made_up_for(database: str) -> None:
    async with a_house(database) as house:
        put(database, someone(1))
        await start(house, a_campaign())
        clock_of(house).instant = START + timedelta(hours=5)
        (run,) = await run_due(house)
        assert run.late
        assert run.entered == 0
        assert await run_due(house) == []
    assert rows(database, "select kind, subject from alert") == [("campaign.late", "spring")]


async def test_a_run_that_fell_due_while_its_campaign_was_paused_is_left_out_without_an_alert(database: str) -> None:
    async with a_house(database) as house:
        put(database, someone(1))
        await start(house, a_campaign())
        await pause(house, "spring")
        clock_of(house).instant = START + timedelta(hours=5)
        await resume(house, "spring")
        (run,) = await run_due(house)
        assert (run.late, run.entered) == (True, 0)
    assert rows(database, "select kind, subject from alert") == []


async def test_two_campaigns_of_one_name_do_not_live_at_once(database: str) -> None:
    async with a_house(database) as house:
        await start(house, a_campaign())
        with pytest.raises(CampaignError, match="already running"):
            await start(house, a_campaign())
        await cancel(house, "spring")
        await start(house, a_campaign())


async def test_an_unreadable_zone_of_one_borrower_does_not_stop_the_others(database: str) -> None:
    people = [someone(1, zones=["Mars/Olympus"]), someone(2)]
    put(database, *people)
    rows(database, "update contact_point set zones = '{}' where borrower_id = %s returning 1", people[0].borrower_id)
    async with a_house(database) as opened:
        plan = a_plan({"offset": "1d at 15:00"})
        house = await with_plan(opened, plan)
        await on_plan(house, plan, people)
        tally = await step_to(house, datetime.fromisoformat("2027-03-01T20:00:00Z"))
    assert tally == {"blocked": 1, "sent": 1}


async def test_every_process_can_name_the_plans_and_the_policy_it_runs(database: str, valkey_url: str) -> None:
    settings = load_settings({"OUTREACH_DATABASE_URL": database, "OUTREACH_REDIS_URL": valkey_url, **CARRIER})
    house = await serve_house(settings, MemoryQueue())
    try:
        stored = {row[0] for row in rows(database, "select version from plan_version")}
        assert stored == {plan.version for plan in house.plans.values()}
        assert rows(database, "select version from policy_version") == [(house.policy.version,)]
    finally:
        await house.close()
