"""Cases of contact law that only the whole house can prove: what waits, what rings, and what is said meanwhile."""

from datetime import datetime, timedelta
from uuid import UUID, uuid4

import psycopg

from outreach.flows.house import House
from outreach.flows.schedule import queue_ready
from tests.flows.test_calls import assert_says_nothing_of_the_debt
from tests.flows.test_consents import take
from tests.support.book import START, Someone, add_account, put
from tests.support.calls import Caller, place_call
from tests.support.house import a_house, rows, run_lanes
from tests.support.touching import fake, plan_touch, receive, run_all, say, step_to, told, touch

DAY = timedelta(days=1)
EVERY_LANE = ("sms", "email", "voice", "ivr")


def of_a_campaign(database: str, one: Someone) -> UUID:
    """Store a running campaign's touch to somebody; returns its id."""
    campaign, key = uuid4(), plan_touch(database, one)
    rows(
        database,
        "insert into campaign (campaign_id, name, plan, spec, state, created_at, updated_at) "
        "values (%s, 'spring', 'early_stage', '{}', 'running', %s, %s) returning 1",
        campaign, START, START,
    )  # fmt: skip
    rows(database, "update touch set campaign_id = %s where touch_id = %s returning 1", campaign, key)
    return key


def sent_in(house: House) -> int:
    return sum(len(fake(house, lane).sent) for lane in EVERY_LANE)


def second_debt(database: str, one: Someone) -> UUID:
    """Give somebody a second account with its case; returns the case."""
    account, case = uuid4(), uuid4()
    with psycopg.connect(database) as connection:
        add_account(connection, one, f"{one.ref}-A2", account, case, START)
    return case


async def test_one_stop_pulls_back_the_text_the_campaign_and_the_call_and_is_confirmed_once(database: str) -> None:
    put(database, ada := Someone())
    waiting = [plan_touch(database, ada, channel=lane) for lane in EVERY_LANE]
    waiting.append(of_a_campaign(database, ada))
    async with a_house(database) as house:
        await queue_ready(house)
        assert {touch(database, key)["state"] for key in waiting} == {"queued"}
        await receive(house, "sms", dedupe_key="1", text="STOP", address=ada.phone)
        # No worker has run, and the clock has not moved: this is the second in which it was said.
        assert {touch(database, key)["state"] for key in waiting} == {"cancelled"}
        assert {entry["reasons"][0] for entry in told(database, "touch.cancelled")} == {"stopped.opt_out"}
        await run_all(house)
        await receive(house, "sms", dedupe_key="2", text="STOP", address=ada.phone)
        await run_all(house)
        assert (sent_in(house), len(fake(house).sent)) == (1, 1), "one confirmation, and nothing else"
    assert rows(database, "select purpose, template from attempt") == [("confirmation", "stop_confirmation")]


async def test_words_that_may_be_a_stop_send_nothing_more(database: str) -> None:
    put(database, ada := Someone())
    plan_touch(database, ada)
    later = plan_touch(database, ada, at=START + 2 * DAY)
    async with a_house(database) as house:
        assert await run_lanes(house) == {"sent": 1}
        await say(house, ada, "I'll stop by Friday", key="1")
        assert touch(database, later)["state"] == "cancelled"
        plan_touch(database, ada, at=START + 3 * DAY)
        assert (await step_to(house, START + 3 * DAY)).get("sent") is None
    assert rows(database, "select purpose from attempt order by started_at offset 1") == [("confirmation",)]
    assert rows(database, "select kind from task") == [("possible_stop",)]
    (reading,) = rows(database, "select must_stop, confidence <= 0.6 from reply")
    assert reading == (True, True)


async def test_a_stop_at_the_last_minute_of_a_friday_is_in_force_in_that_minute(database: str) -> None:
    friday = datetime.fromisoformat("2027-07-02T23:59:00-04:00")  # Monday the 5th is a holiday
    put(database, ada := Someone())
    key = plan_touch(database, ada, at=friday, expires_at=friday + 5 * DAY)
    async with a_house(database, at=friday) as house:
        await receive(house, "sms", dedupe_key="1", text="STOP", address=ada.phone)
        assert touch(database, key)["state"] == "cancelled"
        since = rows(database, "select distinct since_at, lifted_at from suppression")
        assert since == [(friday, None)]
        await run_all(house)
        for days in (4, 14, 30):
            noon = friday + days * DAY - timedelta(hours=12)
            plan_touch(database, ada, at=noon)
            await step_to(house, noon)
        assert rows(database, "select purpose from attempt") == [("confirmation",)]


async def test_an_attorney_noted_while_a_call_rings_lets_it_end_politely_and_stops_the_rest(database: str) -> None:
    put(database, ada := Someone())
    waiting = plan_touch(database, ada, at=START + 2 * DAY, channel="sms")
    async with a_house(database) as house:
        caller = Caller(house, await place_call(database, house, ada))
        await take(house, "hold.placed", {"kind": "attorney", "evidence": "letter 4"}, "h1")
        greeting = await caller.pick_up()
        assert greeting.say, "who has picked up is not left in silence"
        assert not greeting.gather
        assert_says_nothing_of_the_debt(greeting.say)
        again = plan_touch(database, ada, at=START + 2 * DAY, channel="ivr")
        await step_to(house, START + 2 * DAY)
        assert sent_in(house) == 1
    assert {touch(database, key)["reason"] for key in (waiting, again)} == {"hold.attorney"}


async def test_what_comes_to_rest_while_they_prove_who_they_are_ends_the_call(database: str) -> None:
    put(database, ada := Someone())
    async with a_house(database) as house:
        caller = Caller(house, await place_call(database, house, ada))
        assert (await caller.pick_up()).gather
        await take(house, "hold.placed", {"kind": "bankruptcy", "evidence": "court notice"}, "h1")
        goodbye = await caller.press("1980")
        assert not goodbye.gather
        assert_says_nothing_of_the_debt(goodbye.say)
    assert rows(database, "select outcome from attempt") == [("conversation",)], "they did talk"


async def test_a_refusal_by_text_while_the_telephone_rings_reaches_the_call(database: str) -> None:
    put(database, ada := Someone())
    async with a_house(database) as house:
        caller = Caller(house, await place_call(database, house, ada))
        await receive(house, "sms", dedupe_key="1", text="STOP", address=ada.phone)
        heard = await caller.pick_up()
        assert not heard.gather
        assert_says_nothing_of_the_debt(heard.say)


async def test_a_call_about_another_debt_goes_on(database: str) -> None:
    put(database, ada := Someone())
    second_debt(database, ada)
    async with a_house(database) as house:
        caller = Caller(house, await place_call(database, house, ada))
        held = {"kind": "dispute", "evidence": "letter 5"}
        await take(house, "hold.placed", held, "h1", subject=f"account/{ada.ref}-A2")
        assert (await caller.pick_up()).gather
        assert "120" in (await caller.press("1980")).say


async def test_nothing_is_left_on_a_machine_once_the_case_rests(database: str) -> None:
    put(database, ada := Someone())
    async with a_house(database) as house:
        caller = Caller(house, await place_call(database, house, ada))
        await take(house, "hold.placed", {"kind": "attorney", "evidence": "letter 4"}, "h1")
        assert (await caller.pick_up("machine")).say == ""


async def test_a_bankruptcy_pulls_back_everything_that_waits_on_every_debt(database: str) -> None:
    put(database, ada := Someone())
    other = second_debt(database, ada)
    waiting = [
        plan_touch(database, ada),
        plan_touch(database, ada, channel="email"),
        plan_touch(database, ada, case_id=other),
    ]
    async with a_house(database) as house:
        await queue_ready(house)
        await take(house, "hold.placed", {"kind": "bankruptcy", "evidence": "court notice"}, "h1")
        await run_all(house)
        assert {touch(database, key)["reason"] for key in waiting} == {"hold.bankruptcy"}
        assert sent_in(house) == 0
        late = plan_touch(database, ada, at=START + 400 * DAY, case_id=other)
        await step_to(house, START + 400 * DAY)
        assert touch(database, late)["reason"] == "hold.bankruptcy"
        assert sent_in(house) == 0, "discharge bars what the stay stopped"
