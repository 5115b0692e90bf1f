"""Explain: what the gate says about a case, in words that need no help, now or then, and when it says yes."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import psycopg
import pytest

from outreach.flows.explain import Explained, Explanation, explain
from outreach.flows.house import House
from outreach.flows.story import load_story
from tests.support.book import Someone, put
from tests.support.house import START, a_house, run_lanes
from tests.support.touching import plan_touch, step_to

LATE = datetime(2027, 3, 2, 2, 30, tzinfo=UTC)  # Monday 21:30 in New York
OPENS = datetime(2027, 3, 2, 13, 5, tzinfo=UTC)


async def asked(house: House, ref: str = "B1", at: datetime | None = None, channel: str = "sms") -> Explained:
    found = await explain(house, ref, at, (channel,))
    assert found is not None
    (answer,) = found.answers
    return answer


async def about(house: House, at: datetime | None = None) -> Explanation:
    found = await explain(house, "B1", at)
    assert found is not None
    return found


def switch(dsn: str, scope: str, key: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(
            "insert into switch (scope, key, since_at, reason) values (%s, %s, %s, 'drill')", (scope, key, START)
        )


async def test_a_case_that_may_be_contacted_says_so_on_every_channel_it_has(database: str) -> None:
    put(database, Someone())
    async with a_house(database) as house:
        found = await about(house)
    assert (found.at, found.now, found.zone) == (START, START, "America/New_York")
    assert found.at_local == "Mon 1 Mar 2027, 10:00"
    verdicts = {one.channel: (one.now, one.decision.verdict, one.next_at) for one in found.answers}
    assert verdicts["sms"] == ("send", "send", START)
    assert len({rule_id for rule_id, _ in found.answers[0].passed}) == len(found.answers[0].passed)
    assert all(summary for one in found.answers for _, summary in one.passed)


async def test_an_instant_is_judged_by_itself_beside_now(database: str) -> None:
    put(database, Someone())
    async with a_house(database) as house:
        answer = await asked(house, at=LATE)
    assert (answer.now, answer.decision.verdict) == ("send", "defer")
    assert (answer.next_at, answer.next_local) == (OPENS, "Tue 2 Mar 2027, 08:05")
    told = {one.rule_id: one for one in answer.reasons}["house.hours"]
    assert told.sentence == ("contact hours are over: it is Mon 21:30 in America/New_York, permitted is 08:05 to 20:50")
    assert told.until_local == "Tue 2 Mar 2027, 08:05"
    assert told.summary.startswith("A margin inside")


async def test_a_limit_names_its_number_and_the_contacts_that_fill_it(database: str) -> None:
    put(database, ada := Someone())
    plan_touch(database, ada)
    async with a_house(database) as house:
        await run_lanes(house)
        answer = await asked(house, at=START + timedelta(hours=3))
    told = {one.rule_id: one for one in answer.reasons}
    assert told["house.touches"].sentence == (
        "the limit of 1 contact a day to this borrower is used up (it was the text of Mon 1 Mar 2027, 10:00)"
    )
    assert told["house.touches"].until_local == "Tue 2 Mar 2027, 00:00"
    assert told["house.gap"].sentence == "it is too soon after the last contact, Mon 1 Mar 2027, 10:00"
    assert told["house.gap"].until_local == "Tue 2 Mar 2027, 04:00"


async def test_who_else_has_the_number_is_not_told(database: str) -> None:
    put(database, ada := Someone(), Someone(ref="B2", given_name="Ben", email=None))
    plan_touch(database, ada)
    async with a_house(database) as house:
        await run_lanes(house)
        answer = await asked(house, "B2", START + timedelta(hours=3))
    told = {one.rule_id: one.sentence for one in answer.reasons}["house.shared_point"]
    assert told.endswith("(it was one to somebody else there)")
    assert "10:00" not in told


async def test_what_the_borrower_said_is_named_as_what_lifted_a_rule(database: str) -> None:
    put(database, ada := Someone())
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(
            """insert into permission (permission_id, borrower_id, kind, since_at, until_at, evidence)
               values (%s, %s, 'reply_in_thread', %s, %s, 'reply 1')""",
            (uuid4(), ada.borrower_id, LATE - timedelta(hours=1), LATE + timedelta(hours=1)),
        )
    async with a_house(database, at=LATE) as house:
        found = await explain(house, "B1", None, ("sms",), "reply")
    assert found is not None
    (answer,) = found.answers
    assert {one.rule_id: one.words for one in answer.lifted}["house.hours"] == "it answers what the borrower wrote"
    assert "house.hours" not in {one.rule_id for one in answer.reasons}


@pytest.mark.parametrize(
    ("scope", "key", "channels"),
    [
        ("everything", "everything", {"sms", "email", "voice", "ivr"}),
        ("channel", "sms", {"sms"}),
        ("jurisdiction", "US-NY", {"sms", "email", "voice", "ivr"}),
        ("plan", "early_stage", {"sms", "email", "voice", "ivr"}),
        ("jurisdiction", "US-TX", set()),
        ("plan", "pre_due", set()),
    ],
)
async def test_every_switch_that_stops_the_case_is_named(
    scope: str, key: str, channels: set[str], database: str
) -> None:
    put(database, ada := Someone())
    plan_touch(database, ada, at=START + timedelta(days=1), plan="early_stage")
    switch(database, scope, key)
    async with a_house(database) as house:
        found = await about(house)
    assert found.switches == ((f"{scope}:{key}",) if channels else ())
    stopped = {one.channel for one in found.answers if any(each.code == "paused.switch" for each in one.reasons)}
    assert stopped == channels


async def test_a_switched_off_campaign_stops_the_cases_it_enrolled(database: str) -> None:
    put(database, ada := Someone())
    key: UUID = uuid4()
    plan_touch(database, ada, at=START + timedelta(days=1), plan="early_stage")
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("update touch set campaign_id = %s", (key,))
    switch(database, "campaign", str(key))
    async with a_house(database) as house:
        answer = await asked(house)
    assert [one.code for one in answer.reasons] == ["paused.switch"]
    assert answer.reasons[0].sentence == f"it is switched off (campaign {key})"


async def test_a_creditor_nobody_configured_is_explained_too(database: str) -> None:
    put(database, Someone(creditor="nobody"))
    async with a_house(database) as house:
        found = await about(house)
    assert found.role == "platform"


async def test_an_unknown_reference_is_nothing(database: str) -> None:
    async with a_house(database) as house:
        assert await explain(house, "nobody") is None


async def test_a_story_tells_each_reason_with_its_rule_and_until(database: str) -> None:
    put(database, ada := Someone())
    plan_touch(database, ada, at=LATE)
    async with a_house(database, at=LATE) as house:
        await step_to(house, LATE)
        story = await load_story(house, "B1")
    assert story is not None
    (line,) = [one for one in story.lines if one.kind == "touch.deferred"]
    assert line.sentence.count("contact hours are over") == 1
    assert {one.rule_id for one in line.told} >= {"house.hours"}
    assert all(one.summary and one.until_local for one in line.told)


async def test_a_story_is_told_by_the_policy_of_its_day(database: str) -> None:
    """Rules change; what an old decision said is still told with the rule it was made by."""
    put(database, ada := Someone())
    plan_touch(database, ada, at=LATE)
    async with a_house(database, at=LATE) as house:
        await step_to(house, LATE)
        with psycopg.connect(database, autocommit=True) as connection:
            connection.execute("update decision set policy_version = 'of another day'")
            connection.execute(
                """insert into policy_version (version, body, created_at)
                   select 'of another day', replace(body, 'A margin inside', 'An older margin inside'), created_at
                   from policy_version limit 1"""
            )
        story = await load_story(house, "B1")
    assert story is not None
    (line,) = [one for one in story.lines if one.kind == "touch.deferred"]
    assert {one.rule_id: one.summary for one in line.told}["house.hours"].startswith("An older margin")
