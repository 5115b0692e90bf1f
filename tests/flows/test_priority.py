"""Who gets a scarce slot, who goes first, and how a crowd that is due at one instant arrives at its sender."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from outreach.domain.words import Level
from outreach.flows.dispatch import dispatch
from outreach.flows.house import House
from outreach.flows.schedule import level_of, plan_due, queue_ready
from outreach.workers.lanes import lane_of
from tests.support.book import Someone, add_account, put
from tests.support.house import START, MemoryQueue, a_house, clock_of, rows, run_lanes
from tests.support.touching import fake, plan_touch, step_to, told, touch

SOON = START + timedelta(hours=6)
"""An expiry before the next day, when the daily limit of one contact is free again."""

SOON_AFTER = timedelta(hours=5)


def someone(number: int, **more: Any) -> Someone:
    return Someone(ref=f"B{number}", phone=f"+1212555{number:04}", email=f"b{number}@example.com", **more)


def second_case(database: str, one: Someone) -> UUID:
    """Open another case for the same borrower."""
    case = uuid4()
    with psycopg.connect(database) as connection:
        add_account(connection, one, f"{one.ref}-A2", uuid4(), case, START)
    return case


async def test_of_two_cases_of_one_borrower_the_higher_priority_gets_the_slot(database: str) -> None:
    put(database, ada := Someone())
    other = second_case(database, ada)
    low = plan_touch(database, ada, priority=50, expires_at=SOON)
    high = plan_touch(database, ada, priority=55, case_id=other, expires_at=SOON)
    async with a_house(database) as house:
        assert await run_lanes(house) == {"sent": 1, "superseded": 1}
    assert touch(database, high)["state"] == "sent"
    stored = touch(database, low)
    assert (stored["state"], stored["reason"]) == ("superseded", "priority.superseded")
    (entry,) = told(database, "touch.superseded")
    assert (entry["touch_id"], entry["winner"]) == (str(low), str(high))
    assert entry["reasons"][0] == "priority.superseded"
    assert {"frequency_cap.reached", "expiry.before_permitted"} <= set(entry["reasons"])


async def test_what_can_still_leave_in_time_is_put_off_to_the_exact_instant(database: str) -> None:
    put(database, ada := Someone())
    low = plan_touch(database, ada, priority=50)
    plan_touch(database, ada, priority=70, case_id=second_case(database, ada))
    async with a_house(database) as house:
        assert await run_lanes(house) == {"sent": 1, "deferred": 1}
        until = rows(database, "select until_at from decision where verdict = 'defer'")[0][0]
        assert datetime.fromisoformat(touch(database, low)["not_before"]) == until
        assert await step_to(house, until) == {"sent": 1}


async def test_a_lower_touch_on_another_lane_lets_the_higher_one_go_first(database: str) -> None:
    put(database, ada := Someone())
    low = plan_touch(database, ada, priority=50, expires_at=SOON)
    high = plan_touch(database, ada, channel="email", priority=70, case_id=second_case(database, ada), expires_at=SOON)
    async with a_house(database) as house:
        await queue_ready(house)
        assert await dispatch(house, "sms", [low]) == {"gave_way": 1}
        assert fake(house).sent == []
        assert rows(database, "select count(*) from decision where verdict = 'send'") == [(0,)]
        (entry,) = told(database, "touch.gave_way")
        assert entry["winner"] == str(high)
        assert await dispatch(house, "email", [high]) == {"sent": 1}
        assert await step_to(house, START + timedelta(minutes=1)) == {"superseded": 1}
    assert told(database, "touch.superseded")[0]["winner"] == str(high)


async def test_nobody_gives_way_to_what_may_not_leave_itself(database: str) -> None:
    put(database, ada := Someone(consents=("sms",)))
    low = plan_touch(database, ada, priority=50)
    plan_touch(database, ada, channel="email", priority=70, case_id=second_case(database, ada))
    rows(
        database,
        "insert into suppression (suppression_id, borrower_id, channel, reason, since_at) "
        "values (gen_random_uuid(), %s, 'email', 'opt_out.said', %s) returning 1",
        ada.borrower_id,
        START,
    )
    async with a_house(database) as house:
        await queue_ready(house)
        assert await dispatch(house, "sms", [low]) == {"sent": 1}


async def test_nobody_waits_for_a_lane_that_is_down(database: str) -> None:
    put(database, ada := Someone())
    low = plan_touch(database, ada, priority=50)
    plan_touch(database, ada, channel="email", priority=70, case_id=second_case(database, ada))
    async with a_house(database) as house:
        await queue_ready(house)
        clock_of(house).instant = START + timedelta(minutes=10)
        assert await dispatch(house, "sms", [low]) == {"sent": 1}


async def test_other_borrowers_rivals_change_nothing(database: str) -> None:
    put(database, ada := someone(1), ben := someone(2))
    low = plan_touch(database, ada, priority=50)
    plan_touch(database, ben, channel="email", priority=70)
    async with a_house(database) as house:
        await queue_ready(house)
        assert await dispatch(house, "sms", [low]) == {"sent": 1}


async def test_what_an_old_contact_refuses_is_blocked_not_superseded(database: str) -> None:
    put(database, ada := Someone())
    plan_touch(database, ada)
    async with a_house(database) as house:
        await run_lanes(house)
        late = plan_touch(database, ada, at=START + timedelta(hours=1), expires_at=SOON)
        assert await step_to(house, START + timedelta(hours=1)) == {"blocked": 1}
    assert touch(database, late)["state"] == "blocked"
    assert told(database, "touch.superseded") == []


@pytest.mark.parametrize(
    ("priority", "level", "queue"),
    [
        (0, Level.BULK, "sms"),
        (59, Level.BULK, "sms"),
        (60, Level.PROMPT, "sms.prompt"),
        (99, Level.PROMPT, "sms.prompt"),
        (100, Level.URGENT, "sms.urgent"),
    ],
)
def test_a_lane_has_three_levels(database: str, priority: int, level: Level, queue: str) -> None:
    assert level_of(priority) is level
    assert lane_of("sms", level) == queue
    rank = {Level.URGENT: 2, Level.PROMPT: 1, Level.BULK: 0}[level]
    assert rows(database, "select lane_level(%s::smallint)", priority) == [(rank,)]


class PerSecond:
    """A sender's pace, and everything granted."""

    def __init__(self, rate: float) -> None:
        self.rate = rate

    async def take(self, channel: str, wanted: int) -> int:
        return wanted

    def concurrency(self, channel: str) -> int:
        return 5

    def per_second(self, channel: str) -> float:
        return self.rate


def standing(house: House) -> int:
    queue = house.queue
    assert isinstance(queue, MemoryQueue)
    return sum(len(ids) for _, ids in queue.touches)


async def test_a_crowd_due_at_one_instant_enters_its_lane_no_faster_than_its_sender_takes_it(database: str) -> None:
    people = [someone(n) for n in range(40)]
    put(database, *people)
    opens = datetime(2027, 3, 2, 13, 5, tzinfo=UTC)
    for one in people:
        plan_touch(database, one, at=opens)
    async with a_house(database, at=opens, pacer=PerSecond(3.0)) as house:
        assert await queue_ready(house) == 9, "three seconds of work"
        assert await queue_ready(house) == 0
        assert standing(house) == 9
        lanes, house.queue.touches = house.queue.touches, []  # type: ignore[attr-defined]
        for channel, ids in lanes:
            await dispatch(house, channel, ids)
        assert await queue_ready(house) == 9
        assert await run_lanes(house) == {"sent": 31}
    assert rows(database, "select count(*), count(distinct not_before) from touch") == [(40, 1)]


async def test_what_just_happened_and_answers_pass_a_crowd(database: str) -> None:
    people = [someone(n) for n in range(30)]
    put(database, *people)
    for one in people[:20]:
        plan_touch(database, one, at=START - timedelta(minutes=1), priority=50)
    prompt = [plan_touch(database, one, priority=70) for one in people[20:25]]
    urgent = [plan_touch(database, one, priority=100) for one in people[25:]]
    async with a_house(database, pacer=PerSecond(2.0)) as house:
        assert await queue_ready(house) == 16, "six of the crowd, five events, five answers"
        queue = house.queue
        assert isinstance(queue, MemoryQueue)
        assert [set(ids) for _, ids in queue.touches[:2]] == [set(urgent), set(prompt)]


async def test_steps_that_fall_due_together_wait_in_the_store_when_their_lane_is_full(database: str) -> None:
    people = [someone(n) for n in range(10)]
    put(database, *people)
    async with a_house(database, pacer=PerSecond(1.0)) as house:
        plan = house.plans["early_stage"]
        for one in people:
            rows(
                database,
                """insert into enrollment (enrollment_id, case_id, borrower_id, plan, plan_version, trigger_key, state,
                     anchor_on, next_step, next_due_at, created_at, priority)
                   values (%s, %s, %s, %s, %s, 't', 'active', %s, %s, %s, %s, 50) returning 1""",
                uuid4(), one.case_id, one.borrower_id, plan.name, plan.version,
                START.date() - timedelta(days=1), 0,
                START - timedelta(minutes=1), START - timedelta(days=1),
            )  # fmt: skip
        assert await plan_due(house) == 10
        assert dict(rows(database, "select state, count(*) from touch group by 1")) == {"queued": 3, "planned": 7}


async def test_an_events_step_is_planned_before_a_campaigns_thousands(database: str) -> None:
    people = [someone(n) for n in range(8)]
    put(database, *people)
    async with a_house(database) as house:
        plan = house.plans["early_stage"]
        for number, one in enumerate(people):
            rows(
                database,
                """insert into enrollment (enrollment_id, case_id, borrower_id, plan, plan_version, trigger_key, state,
                     anchor_on, next_step, next_due_at, created_at, priority)
                   values (%s, %s, %s, %s, %s, 't', 'active', %s, 0, %s, %s, %s) returning 1""",
                uuid4(), one.case_id, one.borrower_id, plan.name, plan.version, START.date(),
                START - timedelta(minutes=8 - number), START, 70 if number == 7 else 50,
            )  # fmt: skip
        assert await plan_due(house, 5) == 1
        assert rows(database, "select borrower_id from touch") == [(people[7].borrower_id,)]
        assert await plan_due(house, 5) == 5


async def test_giving_back_what_a_lane_cannot_take_waits_for_nobody(database: str) -> None:
    """Whoever holds a touch that is given back may be waiting for a borrower of the same batch."""
    put(database, ada := someone(1), ben := someone(2))
    first, second = plan_touch(database, ada), plan_touch(database, ben)

    class TakesOne(PerSecond):
        async def take(self, channel: str, wanted: int) -> int:
            return 1

    async with a_house(database, pacer=TakesOne(1.0)) as house:
        rows(database, "update touch set state = 'queued', lease_until = %s returning 1", START)
        async with await psycopg.AsyncConnection.connect(database) as other:
            await other.execute("select from touch where touch_id = %s for update", [second])
            async with asyncio.timeout(8):  # less than the store waits for a lock
                assert await dispatch(house, "sms", [first, second]) == {"sent": 1}
    assert touch(database, second)["state"] == "queued", "its lease brings it back"


async def call(database: str, house: House, one: Someone) -> datetime:
    """Place a call, after which the telephone rests for a week; returns an instant two days later."""
    plan_touch(database, one, channel="voice")
    assert await step_to(house, START) == {"sent": 1}
    return START + timedelta(days=2)


async def test_what_a_rest_of_the_telephone_keeps_too_long_goes_to_the_next_channel_of_its_step(database: str) -> None:
    put(database, ada := Someone(consents=("sms", "email", "voice")))
    async with a_house(database) as house:
        at = await call(database, house, ada)
        key = plan_touch(database, ada, channel="voice", fallback=("sms", "email"), at=at, expires_at=at + SOON_AFTER)
        assert await step_to(house, at) == {"fell_back": 1, "sent": 1}
    stored = touch(database, key)
    assert (stored["state"], stored["channel"], stored["fallback"]) == ("sent", "sms", ["email"])
    (entry,) = told(database, "touch.fell_back")
    assert entry["next"] == "sms"
    assert {"cooldown.running", "expiry.before_permitted"} <= set(entry["reasons"])
    assert len(entry["reasons"]) == len(set(entry["reasons"]))


async def test_what_a_limit_over_all_channels_keeps_too_long_goes_nowhere(database: str) -> None:
    put(database, ada := Someone(consents=("sms", "email", "voice")))
    async with a_house(database) as house:
        at = await call(database, house, ada)
        plan_touch(database, ada, at=at)
        assert await step_to(house, at) == {"sent": 1}
        later = at + timedelta(hours=1)
        key = plan_touch(database, ada, channel="voice", fallback=("sms",), at=later, expires_at=later + SOON_AFTER)
        assert await step_to(house, later) == {"blocked": 1}
    assert (touch(database, key)["state"], touch(database, key)["channel"]) == ("blocked", "voice")


async def test_what_can_still_be_called_in_time_does_not_become_a_text(database: str) -> None:
    put(database, ada := Someone(consents=("sms", "email", "voice")))
    async with a_house(database) as house:
        at = await call(database, house, ada)
        key = plan_touch(database, ada, channel="voice", fallback=("sms",), at=at, expires_at=at + timedelta(days=6))
        assert await step_to(house, at) == {"deferred": 1}
    assert touch(database, key)["channel"] == "voice"


async def test_what_is_written_aside_leaves_the_slot_to_a_reminder_later_that_day(database: str) -> None:
    put(database, ada := Someone())
    aside = plan_touch(database, ada, channel="email", purpose="arrangement", priority=80)
    later = START + timedelta(minutes=30)
    high = plan_touch(database, ada, purpose="arrangement", priority=90, at=later, expires_at=SOON, plan="reminders")
    async with a_house(database) as house:
        assert await step_to(house, START) == {"gave_way": 1}
        (entry,) = told(database, "touch.gave_way")
        assert (entry["winner"], entry["reasons"]) == (str(high), ["priority.gave_way"])
        assert await step_to(house, later) == {"sent": 1}
        assert await step_to(house, later + timedelta(minutes=1)) == {"deferred": 1}
    assert touch(database, aside)["state"] == "deferred"


@pytest.mark.parametrize(
    ("hours", "expires", "plan"),
    [(0.5, timedelta(days=3), None), (25, timedelta(days=3), None), (0.5, SOON - START, "friendly")],
    ids=["the reminder can leave later", "the reminder comes another day", "it is a step of a plan itself"],
)
async def test_what_is_written_aside_waits_for_nobody_it_does_not_stand_in_the_way_of(
    database: str, hours: float, expires: timedelta, plan: str | None
) -> None:
    put(database, ada := Someone())
    plan_touch(database, ada, channel="email", purpose="arrangement", priority=80, plan=plan)
    at = START + timedelta(hours=hours)
    plan_touch(database, ada, purpose="arrangement", priority=90, at=at, expires_at=at + expires, plan="reminders")
    async with a_house(database) as house:
        assert await step_to(house, START) == {"sent": 1}
