"""The people a benchmark is made with: fictional, distinct, and due exactly when it says."""

from datetime import timedelta
from itertools import pairwise

import pytest

from outreach.benchmark.people import NUMBERS, People, number_of
from outreach.benchmark.scan import CLAIM
from outreach.benchmark.stage import START
from outreach.flows.schedule import plan_due
from tests.support.house import a_house, clock_of, rows, run_lanes


async def test_the_touches_of_a_benchmark_all_leave_through_the_real_gate(database: str) -> None:
    people = People(database)
    people.plan_touches(people.add(7, START), "sms", START, START)
    people.plan_touches(people.add(5, START), "email", START, START)
    people.close()
    async with a_house(database, START) as house:
        assert await run_lanes(house) == {"sent": 12}, rows(database, "select verdict, reasons from decision")


def test_numbers_are_fictional_distinct_and_those_of_the_raw_loop(database: str) -> None:
    people = People(database)
    who = people.add(1_000, START)
    people.close()
    found = {value for (value,) in rows(database, "select value from contact_point where kind = 'phone'")}
    assert found == {number_of(each) for each in who}
    assert len(found) == 1_000
    assert all(value[5:10] == "55501" and len(value) == 12 for value in found)


def test_more_people_than_there_are_fictional_numbers_are_refused(database: str) -> None:
    people = People(database)
    with pytest.raises(ValueError, match="fictional"):
        people.add(NUMBERS + 1, START)
    people.close()


def test_touches_of_a_campaign_fall_due_one_after_the_other(database: str) -> None:
    people = People(database)
    people.plan_touches(people.add(5, START), "sms", START, START, apart=timedelta(seconds=2))
    people.close()
    due = [at for (at,) in rows(database, "select not_before from touch order by touch_id")]
    assert due[0] == START
    assert {after - before for before, after in pairwise(due)} == {timedelta(seconds=2)}


async def test_a_scan_claims_steps_that_are_due_and_leaves_the_others(database: str) -> None:
    people = People(database)
    async with a_house(database, START) as house:
        people.enroll(people.add(30, START, reachable=False), house.plans["early_stage"].version, START, due=10)
        people.close()
        clock_of(house).instant = START + timedelta(hours=1)
        assert await plan_due(house, CLAIM) == 10
        assert await plan_due(house, CLAIM) == 0
    assert rows(database, "select count(*) from touch where state = 'queued'") == [(10,)]
