"""A confirmation counts only if what it answers really left: else nobody agreed to anything, and a person is told."""

from datetime import datetime, timedelta

import pytest

from outreach.flows.house import House
from outreach.flows.replies import take_replies
from tests.support.book import Someone, put
from tests.support.house import START, MemoryQueue, a_house, clock_of, rows, run_lanes, sweep_inbox
from tests.support.touching import receive, run_all, run_intake, say, told

NEWEST = "select touch_id from touch where purpose = 'reply' order by created_at desc, touch_id desc limit 1"
BECOMES = "update touch set state = %s, reason = %s, lease_until = %s where touch_id = %s returning 1"


async def read_back(database: str, house: House, one: Someone) -> None:
    """Bring a dialogue to its read-back, which has left."""
    put(database, one)
    await say(house, one, "PLAN", key="1")
    clock_of(house).instant += timedelta(minutes=1)
    await say(house, one, "2", key="2")
    clock_of(house).instant += timedelta(minutes=1)
    ((newest,),) = rows(database, NEWEST)
    read = rows(database, "select template, state from touch where touch_id = %s", newest)
    assert read == [("installments_readback", "sent")]


def becomes(database: str, state: str, reason: str | None = None, lease_until: datetime | None = None) -> None:
    """Let the newest answer be in another state than it is."""
    ((newest,),) = rows(database, NEWEST)
    rows(database, BECOMES, state, reason, lease_until, newest)


@pytest.mark.parametrize("state", ["blocked", "expired", "superseded", "failed", "paused"])
async def test_a_yes_to_what_never_left_agrees_to_nothing(database: str, state: str) -> None:
    one = Someone()
    async with a_house(database) as house:
        await read_back(database, house, one)
        becomes(database, state, reason="consent.missing")
        await say(house, one, "YES", key="3")
        await run_all(house)
    assert rows(database, "select count(*) from arrangement") == [(0,)]
    assert rows(database, "select kind, detail ->> 'template' from task") == [
        ("question_unsaid", "installments_readback")
    ]
    assert rows(database, "select kind from hold where lifted_at is null") == [("review",)]
    assert rows(database, "select state from dialogue where closed_at is null") == []
    assert rows(database, "select count(*) from touch where state in ('planned', 'queued', 'paused')") == [(0,)]
    (aside,) = told(database, "reply.set_aside")
    assert (aside["template"], aside["reasons"]) == ("installments_readback", ["consent.missing"])


@pytest.mark.parametrize("state", ["sent", "unknown", "started"])
async def test_a_yes_to_what_may_have_left_is_taken(database: str, state: str) -> None:
    one = Someone()
    async with a_house(database) as house:
        await read_back(database, house, one)
        becomes(database, state)
        await say(house, one, "YES", key="3")
    assert rows(database, "select count(*) from arrangement") == [(1,)]
    assert rows(database, "select count(*) from task") == [(0,)]


async def test_a_yes_that_outran_the_read_back_waits_for_it(database: str) -> None:
    one = Someone()
    async with a_house(database) as house:
        put(database, one)
        await say(house, one, "PLAN", key="1")
        await receive(house, "sms", dedupe_key="2", text="2", address=one.phone, medium="sms")
        await run_intake(house)
        await receive(house, "sms", dedupe_key="3", text="YES", address=one.phone, medium="sms")
        await run_intake(house)  # the read-back is still in its lane
        assert rows(database, "select count(*) from reply") == [(2,)], "the yes waits, unread"
        assert rows(database, "select state, tries from inbox where state = 'new'") == [("new", 1)]
        await run_lanes(house)
        clock_of(house).instant += timedelta(seconds=5)
        assert await sweep_inbox(house) == 1
        await run_all(house)
    assert rows(database, "select count(*) from arrangement") == [(1,)]
    assert rows(database, "select count(*) from task") == [(0,)]


async def test_a_read_back_that_stays_on_its_way_is_not_waited_for_without_end(database: str) -> None:
    one = Someone()
    async with a_house(database) as house:
        await read_back(database, house, one)
        becomes(database, "queued", lease_until=START + timedelta(days=1))
        await receive(house, "sms", dedupe_key="3", text="YES", address=one.phone, medium="sms")
        rows(database, "update inbox set tries = 10 where state = 'new' returning 1")
        queue = house.queue
        assert isinstance(queue, MemoryQueue)
        assert await take_replies(house, queue.news.pop()[1]) == 1
    assert rows(database, "select kind from task") == [("question_unsaid",)]
    assert rows(database, "select count(*) from arrangement") == [(0,)]


async def test_a_stop_is_taken_whatever_became_of_the_question(database: str) -> None:
    one = Someone()
    async with a_house(database) as house:
        await read_back(database, house, one)
        becomes(database, "blocked", reason="consent.missing")
        await say(house, one, "STOP", key="3")
    assert told(database, "reply.set_aside") == []
    assert len(told(database, "suppression.set")) == 1


async def test_an_answer_that_cannot_leave_is_a_persons_at_once_and_only_once(database: str) -> None:
    one = Someone(jurisdictions=["US", "US-NY", "US-NY-NYC"], zones=["America/New_York"])
    async with a_house(database) as house:
        put(database, one)
        await say(house, one, "PLAN", key="1")
        opened = "select kind, detail ->> 'template', detail -> 'reasons' ->> 0, detail ->> 'evidence' <> '' from task"
        assert rows(database, opened) == [("answer_unsaid", "installments_offer", "consent.missing", True)]
        clock_of(house).instant += timedelta(minutes=1)
        await say(house, one, "what?", key="2")
    assert rows(database, "select count(*) from task") == [(1,)], "a person has it on their list"
