"""Backpressure: a campaign becomes touches no faster than its lane takes them, and what just happened never waits."""

from dataclasses import replace
from datetime import timedelta

from outreach.domain.plan import Plan
from outreach.flows.enroll import Cause, enrol
from outreach.flows.house import House
from outreach.flows.pacing import NoPacing
from outreach.flows.schedule import load_versions, plan_due
from tests.flows.test_protect import people
from tests.flows.test_schedule import DUE, TODAY, a_plan
from tests.support.book import Someone, put
from tests.support.house import START, a_house, clock_of, rows, run_lanes


class OneASecond(NoPacing):
    """A sender that takes a touch a second: a minute of work is sixty touches."""

    def per_second(self, channel: str) -> float | None:
        return 1.0


async def enrolled(house: House, plan: Plan, crowd: list[Someone], campaign: bool = True) -> House:
    changed = replace(house, plans={**house.plans, plan.name: plan})
    key = None
    if campaign:
        ((key,),) = rows(
            _dsn(crowd),
            "insert into campaign (campaign_id, name, plan, spec, state, created_at, updated_at) "
            "values (gen_random_uuid(), 'spring', %s, '{}', 'running', %s, %s) returning campaign_id",
            plan.name, START, START,
        )  # fmt: skip
    async with changed.store.transaction() as tx:
        await load_versions(changed, tx)
        found = await tx.condition_rows({one.case_id for one in crowd})
        await enrol(tx, plan, [Cause(found[one.case_id], "due", DUE, key) for one in crowd], START)
    return changed


_dsns: dict[int, str] = {}


def _dsn(crowd: list[Someone]) -> str:
    return _dsns[id(crowd)]


def a_crowd(database: str, count: int) -> list[Someone]:
    crowd = [replace(one, due_on=DUE) for one in people(count)]
    put(database, *crowd)
    _dsns[id(crowd)] = database
    return crowd


async def plan_all(house: House) -> None:
    while await plan_due(house):
        pass


async def test_a_campaign_is_planned_as_its_lane_can_take_it(database: str) -> None:
    crowd = a_crowd(database, 150)
    async with a_house(database, pacer=OneASecond()) as opened:
        house = await enrolled(opened, a_plan(TODAY), crowd)
        await plan_all(house)
        ((queued, planned),) = rows(
            database,
            "select count(*) filter (where state = 'queued'), count(*) filter (where state = 'planned') from touch",
        )
        assert (queued, queued + planned) == (3, 60), "a lane's room, and a minute of work behind it"
        ((waiting, first, last),) = rows(
            database, "select count(*), min(next_due_at), max(next_due_at) from enrollment where state = 'active'"
        )
        assert waiting == 90
        assert START + timedelta(seconds=30) <= first < last <= START + timedelta(seconds=30 + 150)


async def test_all_of_a_campaign_leaves_in_the_end(database: str) -> None:
    crowd = a_crowd(database, 150)
    async with a_house(database, pacer=OneASecond()) as opened:
        house = await enrolled(opened, a_plan(TODAY), crowd)
        sent = (await run_lanes(house)).get("sent", 0)
        assert 60 <= sent < 150
        for _ in range(8):
            clock_of(house).instant += timedelta(seconds=30)
            sent += (await run_lanes(house)).get("sent", 0)
    assert sent == 150
    assert rows(database, "select count(distinct case_id), count(*) from touch") == [(150, 150)]
    assert rows(database, "select distinct due_at from touch") == [(START,)], "it is still due when its plan says"


async def test_what_an_event_started_and_what_is_prompt_waits_for_no_campaign(database: str) -> None:
    crowd = a_crowd(database, 100)
    async with a_house(database, pacer=OneASecond()) as opened:
        house = await enrolled(opened, a_plan(TODAY), crowd, campaign=False)
        await plan_all(house)
    assert rows(database, "select count(*) from touch") == [(100,)]


async def test_what_would_be_too_late_is_not_put_off(database: str) -> None:
    crowd = a_crowd(database, 100)
    async with a_house(database, pacer=OneASecond()) as opened:
        house = await enrolled(opened, a_plan({**TODAY, "expires_after": "1m"}), crowd)
        clock_of(house).instant = START + timedelta(seconds=31)
        await plan_all(house)
    assert rows(database, "select count(*) from touch") == [(100,)]


async def test_a_lane_without_a_pace_takes_a_campaign_at_once(database: str) -> None:
    crowd = a_crowd(database, 100)
    async with a_house(database) as opened:
        house = await enrolled(opened, a_plan(TODAY), crowd)
        await plan_all(house)
    assert rows(database, "select count(*) from touch") == [(100,)]
