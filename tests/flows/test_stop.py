"""A stop is in force before the provider hears that we have it, for every touch not yet started."""

from datetime import timedelta

import pytest

from outreach.flows.dispatch import dispatch
from outreach.flows.schedule import queue_ready
from tests.support.book import Someone, put
from tests.support.house import START, a_house, clock_of, rows, run_lanes
from tests.support.touching import fake, plan_touch, receive, run_all, run_intake, say, step_to, told, touch


@pytest.mark.parametrize(
    "words",
    [
        *("STOP", "stop.", "Please stop texting me", "UNSUBSCRIBE", "opt out", "REVOKE"),
        *("ALTO", "Ya no me manden mensajes", "退订", "别再给我发短信了"),
    ],
)
async def test_a_stop_is_in_force_when_the_callback_returns(database: str, words: str) -> None:
    put(database, ada := Someone())
    key = plan_touch(database, ada)
    async with a_house(database) as house:
        await queue_ready(house)
        await receive(house, "sms", dedupe_key="1", text=words, address=ada.phone)
        # No worker has run: this is the state at the moment of the 2xx.
        assert rows(database, "select channel, reason from suppression where channel = 'sms'") == [
            ("sms", "opt_out.said")
        ]
        assert (touch(database, key)["state"], touch(database, key)["reason"]) == ("cancelled", "stopped.opt_out")
        assert await dispatch(house, "sms", [key]) == {}
        assert fake(house).sent == []
    assert told(database, "suppression.set")
    assert [entry["touch_id"] for entry in told(database, "touch.cancelled")] == [str(key)]


@pytest.mark.parametrize("words", ["Thanks, I paid yesterday", "Can we stop by the branch?", "yes", "2", "gracias"])
async def test_ordinary_words_stop_nothing_at_the_door(database: str, words: str) -> None:
    put(database, ada := Someone())
    async with a_house(database) as house:
        await receive(house, "sms", dedupe_key="1", text=words, address=ada.phone)
    assert rows(database, "select count(*) from suppression") == [(0,)]


async def test_a_stop_at_a_shared_number_silences_that_number_for_everyone_there(database: str) -> None:
    put(database, ada := Someone(), ben := Someone(ref="B2", given_name="Ben", email="ben@example.com"))
    plan_touch(database, ada)
    async with a_house(database) as house:
        assert await run_lanes(house) == {"sent": 1}
        key = plan_touch(database, ben, at=START + timedelta(days=2))
        await receive(house, "sms", dedupe_key="1", text="STOP", address=ada.phone)
        assert touch(database, key)["state"] == "cancelled"
        later = plan_touch(database, ben, at=START + timedelta(days=3))
        await step_to(house, START + timedelta(days=3))
        assert (touch(database, later)["state"], len(fake(house).sent)) == ("blocked", 1)
    whose = rows(database, "select borrower_id, contact_point_id from suppression where channel = 'sms'")
    assert (ada.borrower_id, None) in whose, "who answered means it for themselves"
    assert (ben.borrower_id, ben.phone_id) in whose, "the other one only loses the number"


async def test_a_stop_from_nobody_we_know_alerts(database: str) -> None:
    async with a_house(database) as house:
        await receive(house, "sms", dedupe_key="1", text="STOP", address="+12125550199")
    assert rows(database, "select kind from alert") == [("stop.unknown_sender",)]


async def test_the_same_stop_twice_is_one_stop(database: str) -> None:
    put(database, ada := Someone())
    async with a_house(database) as house:
        for _ in range(2):
            await receive(house, "sms", dedupe_key="1", text="STOP", address=ada.phone)
        await run_all(house)
    assert rows(database, "select count(*) from suppression where channel = 'sms'") == [(1,)]


async def test_a_stop_is_confirmed_once_and_only_within_five_minutes(database: str) -> None:
    put(database, ada := Someone())
    plan_touch(database, ada)
    async with a_house(database) as house:
        await run_lanes(house)
        await say(house, ada, "STOP", key="1")
        assert len(fake(house).sent) == 2
        confirmed = rows(database, "select template from attempt where purpose = 'confirmation'")
        assert confirmed == [("stop_confirmation",)]
        await say(house, ada, "STOP", key="2")
        await step_to(house, START + timedelta(days=1))
        assert len(fake(house).sent) == 2, "one confirmation, whatever else they write"


async def test_a_stop_taken_in_late_is_not_confirmed(database: str) -> None:
    put(database, ada := Someone())
    plan_touch(database, ada)
    async with a_house(database) as house:
        await run_lanes(house)
        await receive(house, "sms", dedupe_key="1", text="STOP", address=ada.phone)
        clock_of(house).instant += timedelta(minutes=6)
        await run_intake(house)
        await run_lanes(house)
        assert len(fake(house).sent) == 1
    assert rows(database, "select count(*) from suppression where channel = 'sms'") == [(1,)]


async def test_start_opens_that_channel_again_and_no_other(database: str) -> None:
    put(database, ada := Someone())
    plan_touch(database, ada)
    async with a_house(database) as house:
        await run_lanes(house)
        await say(house, ada, "STOP ALL", key="1")
        stopped = {row[0] for row in rows(database, "select channel from suppression where lifted_at is null")}
        assert stopped >= {"sms"}
        rows(
            database,
            """insert into suppression (suppression_id, borrower_id, channel, reason, since_at)
               values (gen_random_uuid(), %s, 'email', 'opt_out.said', %s) returning 1""",
            ada.borrower_id,
            START,
        )
        clock_of(house).instant += timedelta(hours=1)
        await say(house, ada, "START", key="2")
        left = {row[0] for row in rows(database, "select channel from suppression where lifted_at is null")}
        assert "sms" not in left
        assert "email" in left
        plan_touch(database, ada, at=START + timedelta(days=2), channel="email")
        plan_touch(database, ada, at=START + timedelta(days=2), channel="sms")
        tally = await step_to(house, START + timedelta(days=2))
    assert tally == {"sent": 1, "blocked": 1}


async def test_yes_to_a_question_about_money_is_no_consent(database: str) -> None:
    put(database, ada := Someone())
    plan_touch(database, ada)
    async with a_house(database) as house:
        await run_lanes(house)
        await say(house, ada, "PLAN", key="1")
        await say(house, ada, "STOP", key="2")
        consents = rows(database, "select count(*) from consent where state = 'given'")
        await say(house, ada, "yes", key="3")
        await say(house, ada, "1", key="4")
    assert rows(database, "select count(*) from consent where state = 'given'") == consents
    assert rows(database, "select count(*) from suppression where channel = 'sms' and lifted_at is null") == [(1,)]
    assert rows(database, "select count(*) from arrangement") == [(0,)]
