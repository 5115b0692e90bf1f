"""The audit: a clean ledger is found clean, and every way to falsify one is found out."""

import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from channels.errors import Unavailable
from channels.fake import FakeChannel
from outreach.flows.audit import CHUNK, KINDS, Audit, audit, count_audited
from tests.support.book import Someone, put
from tests.support.house import START, a_house, rows
from tests.support.source import docs
from tests.support.touching import plan_touch, step_to

DAY = timedelta(days=1)


async def audited(database: str, **options: Any) -> Audit:
    async with a_house(database) as house:
        return await audit(house.store, **options)


async def two_sends(database: str) -> None:
    """Ada gets a text on Monday and one on Wednesday; Thursday's is too early in the morning and waits."""
    put(database, ada := Someone())
    plan_touch(database, ada)
    plan_touch(database, ada, at=START + 2 * DAY)
    plan_touch(database, ada, at=START + 3 * DAY - timedelta(hours=4))
    async with a_house(database) as house:
        for at in (START, START + 2 * DAY, START + 3 * DAY - timedelta(hours=4)):
            await step_to(house, at)


def spoil(database: str, statement: str, *values: object) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        assert connection.execute(statement.encode(), values).rowcount == 1


async def test_a_clean_ledger_is_decided_and_counted_again(database: str) -> None:
    await two_sends(database)
    found = await audited(database, everything=True)
    assert found.clean
    assert (found.decided, found.recounted) == ({"send": 2, "defer": 1}, 2)
    ((version,),) = rows(database, "select distinct policy_version from decision")
    assert found.policies.keys() == {version}
    assert found.policies[version] > 50


async def test_without_everything_only_sends_are_decided_again(database: str) -> None:
    await two_sends(database)
    found = await audited(database)
    assert found.decided == {"send": 2}


async def test_only_the_asked_stretch_is_audited(database: str) -> None:
    await two_sends(database)
    async with a_house(database) as house:
        assert await count_audited(house.store, None, None, everything=True) == 3
        assert await count_audited(house.store, START + DAY, START + 3 * DAY, everything=False) == 1
        found = await audit(house.store, START, START + DAY)
        assert (found.decided, found.recounted) == ({"send": 1}, 1)


async def test_progress_adds_up_to_what_was_counted(database: str) -> None:
    await two_sends(database)
    seen: list[int] = []
    async with a_house(database) as house:
        await audit(house.store, everything=True, progress=seen.append)
        assert sum(seen) == await count_audited(house.store, None, None, everything=True)


async def test_an_empty_ledger_is_clean(database: str) -> None:
    found = await audited(database, everything=True)
    assert (found.clean, found.recounted) == (True, 0)


async def test_what_never_left_uses_no_slot_and_is_not_counted(database: str) -> None:
    put(database, ada := Someone())
    plan_touch(database, ada)
    fake = FakeChannel(Unavailable("down"))
    async with a_house(database, channels={"sms": fake}) as house:
        await step_to(house, START)
        fake.error = None
        await step_to(house, START + timedelta(hours=1))
    states = rows(database, "select state from attempt order by started_at")
    assert states[0] == ("released",)
    found = await audited(database)
    assert found.clean
    assert found.recounted == len(states) - 1 == 1


async def test_the_parts_of_an_audit_see_everything_once(database: str) -> None:
    people = [Someone(ref=f"B{n}", phone=f"+1212555010{n}", email=f"b{n}@example.com") for n in range(8)]
    put(database, *people)
    for one in people:
        plan_touch(database, one)
        plan_touch(database, one, at=START + timedelta(hours=1))
    async with a_house(database) as house:
        await step_to(house, START)
        await step_to(house, START + timedelta(hours=1))
    whole, parts = await audited(database, everything=True), Audit()
    seen = []
    for number in range(3):
        part = await audited(database, everything=True, part=(number, 3))
        seen.append(part.recounted)
        parts.add(part)
    assert (parts.decided, parts.recounted, parts.policies) == (whole.decided, whole.recounted, whole.policies)
    assert len(seen) - seen.count(0) > 1


async def test_more_borrowers_than_a_chunk_holds_are_all_audited(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("outreach.flows.audit.CHUNK", 2)
    people = [Someone(ref=f"B{n}", phone=f"+1212555010{n}", email=f"b{n}@example.com") for n in range(5)]
    put(database, *people)
    for one in people:
        plan_touch(database, one)
        plan_touch(database, one, at=START + 2 * DAY)
    async with a_house(database) as house:
        await step_to(house, START)
        await step_to(house, START + 2 * DAY)
    found = await audited(database)
    assert (found.clean, found.recounted) == (True, 10)
    assert CHUNK > 2


@pytest.mark.parametrize("purposes", [("reminder", "reply"), ("reply", "reminder")])
async def test_an_answer_and_a_reminder_of_one_instant_are_counted_as_what_they_are(
    purposes: tuple[str, str], database: str
) -> None:
    put(database, ada := Someone())
    for purpose in purposes:
        plan_touch(database, ada, purpose=purpose)
    async with a_house(database) as house:
        await step_to(house, START)
        for days in (1, 2, 3):
            plan_touch(database, ada, at=START + days * DAY)
            await step_to(house, START + days * DAY)
    found = await audited(database)
    assert found.recounted == 5
    assert found.clean, found.violated


async def test_who_shares_a_number_shares_its_caps_in_the_recount_too(database: str) -> None:
    put(database, ada := Someone(), ben := Someone(ref="B2", given_name="Ben", email=None))
    plan_touch(database, ada)
    async with a_house(database) as house:
        await step_to(house, START)
    plan_touch(database, ben, at=START + 2 * DAY)
    async with a_house(database) as house:
        await step_to(house, START + 2 * DAY)
    assert (await audited(database)).clean
    spoil(
        database,
        "update attempt set started_at = %s where borrower_id = %s",
        START + timedelta(hours=1),
        ben.borrower_id,
    )
    found = await audited(database)
    assert "house.shared_point" in found.violated


FALSIFIED = {
    "no_decision": "delete from decision where verdict = 'send' and at = (select min(at) from decision)",
    "not_permitted": "update decision set verdict = 'defer' where at = (select min(at) from decision)",
    "another_decision": "update attempt set touch_id = (select touch_id from touch order by due_at desc limit 1) "
    "where started_at = (select min(started_at) from attempt)",
    "decision_used_twice": "update attempt set decision_id = (select decision_id from decision order by at limit 1) "
    "where started_at = (select max(started_at) from attempt)",
    "left_twice": "update attempt set touch_id = (select touch_id from touch order by due_at limit 1) "
    "where started_at = (select max(started_at) from attempt)",
    "decided_later": "update attempt set started_at = started_at - interval '1 minute' "
    "where started_at = (select min(started_at) from attempt)",
    "left_late": "update attempt set started_at = started_at + interval '13 hours' "
    "where started_at = (select min(started_at) from attempt)",
    "decides_otherwise": 'update decision set facts = replace(facts::text, \'"state":"given"\', '
    '\'"state":"revoked"\')::json where at = (select min(at) from decision)',
    "contact_left_out": "update decision set facts = (facts::jsonb || '{\"history\": []}')::json "
    "where at = (select max(at) from decision where verdict = 'send')",
    "policy_changed": "update policy_version set body = replace(body, '20:50', '23:50')",
    "policy_unreadable": "update policy_version set body = '{}'",
    "unreadable": "update decision set facts = '{}' where at = (select min(at) from decision)",
}


@pytest.mark.parametrize("kind", sorted(FALSIFIED))
async def test_a_falsified_record_is_found_out(kind: str, database: str) -> None:
    await two_sends(database)
    spoil(database, FALSIFIED[kind])
    found = await audited(database)
    assert kind in found.differing, found.differing
    assert not found.clean
    assert all(one.kind in KINDS for one in found.differences)


async def test_a_decision_by_a_policy_nobody_stored_is_found_out(database: str) -> None:
    await two_sends(database)
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("update decision set policy_version = 'lost'")
        connection.execute("update attempt set policy_version = 'lost'")
    found = await audited(database)
    assert found.differing == {"policy_missing": 2}
    assert found.recounted == 0


async def test_a_refusal_that_the_decision_was_not_told_of_is_found_out(database: str) -> None:
    await two_sends(database)
    ((owner,),) = rows(database, "select distinct borrower_id from attempt")
    spoil(
        database,
        """insert into suppression (suppression_id, borrower_id, channel, reason, since_at)
           values (%s, %s, 'sms', %s, %s)""",
        uuid4(), owner, "opt_out.said", START + DAY,
    )  # fmt: skip
    found = await audited(database)
    assert found.differing == {"refusal_left_out": 1}
    assert found.differences[0].detail == "suppression opt_out.said"


@pytest.mark.parametrize(("told_after", "kinds"), [(timedelta(0), {"contact_left_out"}), (DAY * 30, set())])
async def test_what_another_system_did_must_be_known_to_later_decisions(
    told_after: timedelta, kinds: set[str], database: str
) -> None:
    await two_sends(database)
    ((owner,),) = rows(database, "select distinct borrower_id from attempt")
    at = START + DAY
    spoil(
        database,
        """insert into recorded_contact (recorded_contact_id, made_by, external_id, borrower_id, channel, direction,
             purpose, outcome, rank, at, recorded_at) values (%s, 'agency', '1', %s, 'voice', 'out', 'reminder',
             'no_answer', 31, %s, %s)""",
        uuid4(), owner, at, at + told_after,
    )  # fmt: skip
    assert (await audited(database)).differing.keys() == kinds


async def test_a_refusal_that_ended_before_is_no_difference(database: str) -> None:
    await two_sends(database)
    ((owner,),) = rows(database, "select distinct borrower_id from attempt")
    spoil(
        database,
        """insert into hold (hold_id, borrower_id, kind, since_at, lifted_at, source)
           values (%s, %s, 'dispute', %s, %s, 't')""",
        uuid4(), owner, START + timedelta(hours=1), START + DAY,
    )  # fmt: skip
    assert (await audited(database)).clean


async def test_a_send_too_early_too_often_or_too_soon_is_counted_by_rule(database: str) -> None:
    await two_sends(database)
    spoil(database, "update attempt set started_at = %s where started_at = %s", START + DAY / 24, START + 2 * DAY)
    found = await audited(database)
    assert {"house.touches", "house.gap"} <= found.violated.keys()
    assert {one.kind for one in found.violations} >= {"cap", "gap"}
    spoil(database, "update attempt set started_at = %s where started_at = %s", START - DAY / 2, START + DAY / 24)
    assert "house.hours" in (await audited(database)).violated


async def test_deferred_decisions_are_decided_again_only_when_asked(database: str) -> None:
    await two_sends(database)
    spoil(database, "update decision set until_at = until_at + interval '1 minute' where verdict = 'defer'")
    assert (await audited(database)).clean
    found = await audited(database, everything=True)
    assert found.differing == {"decides_otherwise": 1}
    assert found.differences[0].detail.startswith("until ")


async def test_nothing_personal_is_in_an_audit(database: str) -> None:
    await two_sends(database)
    for statement in (FALSIFIED["decides_otherwise"], FALSIFIED["contact_left_out"]):
        spoil(database, statement)
    found = await audited(database, everything=True)
    told = json.dumps([repr(one) for one in (*found.differences, *found.violations)])
    assert not found.clean
    for personal in ("Ada", "Example", "+1212", "@example"):
        assert personal not in told


def test_every_kind_of_difference_is_documented_in_the_same_words() -> None:
    page = docs("audit.md")
    assert [kind for kind, words in KINDS.items() if f"| `{kind}` | {words} |" not in page] == []
