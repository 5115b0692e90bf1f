"""What is agreed with a borrower lives its whole life on the real store: kept, broken, reversed, changed, cancelled."""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from channels.contract import Mail
from outreach.flows.arrangement_desk import cancel_on, load_agreed
from outreach.flows.events import take_events
from outreach.flows.house import House
from outreach.flows.watch import Watcher
from tests.flows.test_dialogues import arranged, body, event, reminded
from tests.support.book import Someone
from tests.support.house import START, a_house, clock_of, rows, run_lanes
from tests.support.terms import with_terms
from tests.support.touching import fake, say, step_to, told


async def pay(house: House, minor: int, key: str) -> None:
    payment = {"payment_id": key, "amount_minor": minor, "currency": "USD"}
    await take_events(house, [event("payment.received", payment, key, clock_of(house).instant)])


async def take_back(house: House, key: str) -> None:
    await take_events(house, [event("payment.reversed", {"payment_id": key}, f"r-{key}", clock_of(house).instant)])


def noon(day: date, later: int = 0) -> datetime:
    """Return noon in New York, ``later`` days after a date."""
    return datetime.combine(day + timedelta(days=later), datetime.min.time(), tzinfo=START.tzinfo) + timedelta(hours=17)


async def look(house: House) -> None:
    await Watcher().look(house)
    await run_lanes(house)


def states(database: str) -> list[str]:
    return [row[0] for row in rows(database, "select state from arrangement order by proposed_at, arrangement_id")]


def paid(database: str) -> list[int]:
    return [row[0] for row in rows(database, "select paid_minor from installment order by arrangement_id, no")]


def texts_of(database: str, template: str) -> list[tuple[Any, ...]]:
    return rows(database, "select channel, state from attempt where template = %s order by started_at", template)


async def test_a_kept_plan_is_thanked_for_once_and_then_there_is_silence(database: str) -> None:
    async with a_house(database) as house:
        parts = await arranged(database, house, Someone())
        clock_of(house).instant = noon(parts[0][1])
        for no, _, minor in parts:
            await pay(house, minor, f"p{no}")
        await run_lanes(house)
        assert states(database) == ["kept"]
        assert "Your plan is complete" in body(house)
        sent = len(fake(house).sent)
        await pay(house, 500, "more")
        for day in range(1, 40):
            await step_to(house, noon(parts[0][1], day))
            await Watcher().look(house)
        assert len(fake(house).sent) == sent
    assert len(told(database, "arrangement.kept")) == 1


async def test_a_broken_plan_ends_once_and_starts_its_own_follow_up_once(database: str) -> None:
    async with a_house(database) as house:
        parts = await arranged(database, house, Someone())
        for day in range(4, 9):
            clock_of(house).instant = noon(parts[0][1], day)
            await look(house)
    assert states(database) == ["broken"]
    assert len(told(database, "arrangement.broken")) == 1
    assert rows(database, "select count(*) from enrollment where plan = 'broken_arrangement'") == [(1,)]
    assert len(texts_of(database, "broken_arrangement")) >= 1


async def test_part_payments_fill_the_oldest_and_made_good_within_grace_nothing_breaks(database: str) -> None:
    async with a_house(database) as house:
        parts = await arranged(database, house, Someone())
        first, second = parts[0][2], parts[1][2]
        clock_of(house).instant = noon(parts[0][1], 1)
        await pay(house, first - 100, "short")
        assert paid(database)[:2] == [first - 100, 0]
        await pay(house, 100 + 50, "rest")
        assert paid(database)[:2] == [first, 50]
        clock_of(house).instant = noon(parts[0][1], 9)
        await look(house)
        assert states(database) == ["active"]
        await pay(house, second - 50, "second")
        assert paid(database)[:2] == [first, second]


async def test_a_payment_taken_back_unkeeps_a_plan_and_gives_a_new_grace(database: str) -> None:
    async with a_house(database) as house:
        parts = await arranged(database, house, Someone())
        total = sum(part[2] for part in parts)
        late = noon(parts[-1][1], 1)
        clock_of(house).instant = noon(parts[0][1])
        await pay(house, total + 700, "all")
        assert told(database, "arrangement.kept")[0]["over_minor"] == 700
        clock_of(house).instant = late
        await take_back(house, "all")
        assert states(database) == ["active"]
        assert set(paid(database)) == {0}
        await look(house)
        assert states(database) == ["active"], "it does not break on the spot"
        again = rows(database, "select count(*) from enrollment where trigger_key like %s", "%:again-%")
        assert again == [(len(parts),)]
        await pay(house, total, "again")
        await run_lanes(house)
        assert states(database) == ["kept"]
        assert len(texts_of(database, "arrangement_kept")) <= 1, "thanks once"


async def test_a_payment_from_before_the_plan_that_is_taken_back_leaves_its_installments_alone(database: str) -> None:
    one = Someone()
    async with a_house(database) as house:
        await reminded(database, house, one)
        await pay(house, 1000, "before")
        for key, words in enumerate(["PLAN", "2", "YES"]):
            await say(house, one, words, key=f"a{key}")
        await pay(house, 3000, "after")
        before = paid(database)
        await take_back(house, "before")
        assert paid(database) == before
        assert rows(database, "select amount_due_minor from account") == [(one.amount_due_minor - 3000,)]


async def test_a_plan_is_changed_by_asking_and_confirming(database: str) -> None:
    one = Someone()
    async with a_house(database) as house:
        parts = await arranged(database, house, one)
        await pay(house, parts[0][2], "p1")
        await say(house, one, "change my plan", key="c1")
        assert "1)" in body(house)
        await say(house, one, "1", key="c2")
        assert states(database) == ["active"], "nothing changes before it is confirmed"
        await say(house, one, "YES", key="c3")
    assert sorted(states(database)) == ["active", "cancelled"]
    left = rows(database, "select total_minor from arrangement where state = 'active'")
    assert left == [(one.amount_due_minor - parts[0][2],)]
    assert told(database, "arrangement.cancelled")[0]["by"] == "change"
    live = rows(database, """select count(*) from enrollment e
        join arrangement a on e.trigger_key like 'installment:' || a.arrangement_id || %s
        where a.state = 'cancelled' and e.state = 'active'""", "%")  # fmt: skip
    assert live == [(0,)]


async def test_a_plan_is_cancelled_only_after_an_explicit_yes(database: str) -> None:
    one = Someone()
    async with a_house(database) as house:
        await arranged(database, house, one)
        await say(house, one, "I want to cancel my payment plan", key="x1")
        assert "end your plan" in body(house)
        assert states(database) == ["active"]
        await say(house, one, "NO", key="x2")
        assert "You have a plan" in body(house)
        await say(house, one, "2", key="x3")
        await say(house, one, "YES", key="x4")
        assert states(database) == ["cancelled"]
        assert "Your plan has ended" in body(house)
    assert rows(database, "select count(*) from suppression") == [(0,)], "ending a plan refuses no contact"
    live = rows(database, "select count(*) from enrollment where plan = 'arrangement_reminders' and state = 'active'")
    assert live == [(0,)]


async def test_an_operator_shows_and_cancels_a_plan(database: str) -> None:
    async with a_house(database) as house:
        await arranged(database, house, Someone())
        shown = await load_agreed(house, "B1-A1")
        assert shown is not None
        assert (shown[0].state, shown[0].left, len(shown[0].parts)) == ("active", "120.00 USD", 3)
        sent = len(fake(house).sent)
        assert await cancel_on(house, "B1-A1", "kim", "agreed on the phone") is True
        assert await cancel_on(house, "B1-A1", "kim", "again") is False
        assert await cancel_on(house, "nobody", "kim", "again") is None
        await run_lanes(house)
        assert len(fake(house).sent) == sent
    assert states(database) == ["cancelled"]
    assert told(database, "arrangement.cancelled")[0]["by"] == "kim"


async def test_an_extension_is_read_back_confirmed_and_moves_the_due_date(database: str) -> None:
    one = Someone()
    async with a_house(database) as house:
        await reminded(database, house, one)
        await say(house, one, "can I have until March 12?", key="e1")
        assert "New due date for $120.00" in body(house)
        assert rows(database, "select due_on from account") == [(date(2027, 2, 28),)], "nothing before a yes"
        await say(house, one, "YES", key="e2")
        assert rows(database, "select due_on from account") == [(date(2027, 3, 12),)]
        assert rows(database, "select state, stop_reason from enrollment") == [("stopped", "extension")]
        missed = {"amount_due_minor": 12000, "due_on": "2027-02-28"}
        await take_events(house, [event("payment.missed", missed, "missed-2", clock_of(house).instant)])
        assert rows(database, "select due_on from account") == [(date(2027, 3, 12),)], "the later date goes first"
        assert told(database, "enrollment.rested")[0]["reason"] == "extension"
        await say(house, one, "I need an extension until March 20", key="e3")
        assert "A person will call you" in body(house), "once in so many days"
    assert rows(database, "select count(*) from extension") == [(1,)]
    assert told(database, "extension.granted")[0]["to_on"] == "2027-03-12"
    assert rows(database, "select kind from task") == [("extension_out_of_bounds",)]


async def test_a_day_read_back_is_granted_only_while_it_lies_ahead(database: str) -> None:
    one = Someone()
    async with a_house(database) as house:
        await reminded(database, house, one)
        await say(house, one, "can I have until March 2?", key="e1")
        assert "New due date" in body(house)
        clock_of(house).instant = noon(date(2027, 3, 2))
        await say(house, one, "YES", key="e2")
    assert rows(database, "select count(*) from extension") == [(0,)]


@pytest.mark.parametrize("words", ["can I have until May 30?", "I need an extension until June 1"])
async def test_an_extension_out_of_bounds_goes_to_a_person(database: str, words: str) -> None:
    one = Someone()
    async with a_house(database) as house:
        await reminded(database, house, one)
        await say(house, one, words, key="e1")
        await say(house, one, "YES", key="e2")
    assert rows(database, "select count(*) from extension") == [(0,)]
    assert rows(database, "select kind from task order by opened_at limit 1") == [("extension_out_of_bounds",)]


async def test_two_confirmations_on_two_surfaces_make_one_plan(database: str) -> None:
    one = Someone()
    async with a_house(database) as house:
        await reminded(database, house, one)
        for key, (text, mail) in enumerate([("PLAN", "PLAN"), ("2", "1")]):
            await say(house, one, text, key=f"s{key}")
            await say(house, one, mail, key=f"m{key}", channel="email")
        await say(house, one, "YES", key="s9")
        await say(house, one, "YES", key="m9", channel="email")
        answer = fake(house, "email").sent[-1].content
        assert isinstance(answer, Mail)
        assert "plan of 3 installments: $120.00 is left" in answer.text, "it is told of the plan that stands"
    assert states(database) == ["active"]
    assert len(told(database, "arrangement.confirmed")) == 1


async def test_a_payment_in_the_middle_changes_what_is_offered_and_read_back(database: str) -> None:
    one = Someone()
    async with a_house(database) as house:
        await reminded(database, house, one)
        await say(house, one, "PLAN", key="1")
        await pay(house, 3000, "p1")
        await say(house, one, "2", key="2")
        assert "Total $90.00" in body(house)
        await pay(house, 1500, "p2")
        await say(house, one, "YES", key="3")
        assert "Total $75.00" in body(house)
        assert states(database) == [], "read back anew before anything is set up"
        await say(house, one, "YES", key="4")
    assert rows(database, "select total_minor from arrangement") == [(7500,)]


async def test_paying_everything_in_the_middle_leaves_nothing_to_confirm(database: str) -> None:
    one = Someone()
    async with a_house(database) as house:
        await reminded(database, house, one)
        for key, words in enumerate(["PLAN", "2"]):
            await say(house, one, words, key=f"a{key}")
        await pay(house, one.amount_due_minor, "all")
        await say(house, one, "YES", key="a9")
    assert states(database) == []


async def test_offers_move_to_the_day_the_borrower_gets_paid(database: str) -> None:
    one = Someone()
    async with a_house(database) as house:
        await reminded(database, house, one)
        await say(house, one, "PLAN", key="1")
        await say(house, one, "I get paid on the 15th", key="2")
        assert "from Mar 15" in body(house)
        await say(house, one, "2", key="3")
        await say(house, one, "YES", key="4")
    assert rows(database, "select count(*) from promise") == [(0,)], "a payday is no promise of it all"
    assert rows(database, "select min(due_on) from installment") == [(date(2027, 3, 15),)]


async def test_other_plans_rest_while_a_plan_is_in_good_standing(database: str) -> None:
    async with a_house(database) as house:
        await arranged(database, house, Someone())
        missed = {"amount_due_minor": 12000, "due_on": "2027-03-01"}
        await take_events(house, [event("payment.missed", missed, "missed-2", clock_of(house).instant)])
    live = rows(database, "select count(*) from enrollment where plan = 'missed_payment' and state = 'active'")
    assert live == [(0,)]
    assert [each["reason"] for each in told(database, "enrollment.rested")] == ["arrangement"]


async def test_a_plan_takes_the_place_of_an_open_promise(database: str) -> None:
    one = Someone()
    async with a_house(database) as house:
        await reminded(database, house, one)
        await say(house, one, "I will pay on March 5", key="p")
        for key, words in enumerate(["PLAN", "2", "YES"]):
            await say(house, one, words, key=f"a{key}")
        clock_of(house).instant = noon(date(2027, 3, 8))
        await Watcher().look(house)
    assert rows(database, "select state from promise") == [("cancelled",)]
    assert rows(database, "select count(*) from enrollment where plan = 'broken_promise'") == [(0,)]


async def test_a_promise_is_thanked_for_and_a_payment_taken_back_opens_it_again(database: str) -> None:
    one = Someone()
    async with a_house(database) as house:
        await reminded(database, house, one)
        await say(house, one, "I will pay on March 5", key="1")
        clock_of(house).instant = noon(date(2027, 3, 5))
        await pay(house, one.amount_due_minor, "p")
        await run_lanes(house)
        assert "We received the $120.00" in body(house)
        clock_of(house).instant = noon(date(2027, 3, 9))
        await take_back(house, "p")
        assert rows(database, "select state, paid_minor from promise") == [("open", 0)]
        await Watcher().look(house)
        assert rows(database, "select state from promise") == [("open",)]
        clock_of(house).instant = noon(date(2027, 3, 11))
        await Watcher().look(house)
    assert rows(database, "select state from promise") == [("broken",)]
    assert rows(database, "select count(*) from enrollment where plan = 'broken_promise'") == [(1,)]


async def test_a_fee_is_read_back_owed_once_and_gone_with_the_plan(database: str) -> None:
    one = Someone()
    async with a_house(database) as plain:
        house = with_terms(plain, fee_minor=600, down_payment_percent=25)
        await reminded(database, house, one)
        for key, words in enumerate(["PLAN", "2"]):
            await say(house, one, words, key=f"a{key}")
        assert "Total $126.00, with a fee of $6.00" in body(house)
        assert "First $30.00" in body(house)
        await say(house, one, "YES", key="yes")
        assert states(database) == ["confirmed"], "the down payment is still to come"
        assert rows(database, "select amount_due_minor from account") == [(12600,)]
        await pay(house, 3000, "down")
        assert states(database) == ["active"]
        await say(house, one, "cancel my plan", key="x1")
        assert "$90.00 is left and would be due" in body(house)
        await say(house, one, "YES", key="x2")
        assert "$90.00 is left and due as before" in body(house)
    assert states(database) == ["cancelled"]
    assert rows(database, "select amount_due_minor from account") == [(9000,)]


async def test_who_broke_plans_before_is_handed_to_a_person(database: str) -> None:
    one = Someone()
    async with a_house(database) as house:
        await reminded(database, house, one)
        for days in (300, 100):
            rows(database, """insert into arrangement (arrangement_id, case_id, borrower_id, state, frequency,
                   total_minor, currency, proposed_at, ended_at, source)
                 values (%s, %s, %s, 'broken', 'weekly', 1, 'USD', %s, %s, 'sms') returning 1""",
                 uuid4(), one.case_id, one.borrower_id, START, START - timedelta(days=days))  # fmt: skip
        await say(house, one, "PLAN", key="1")
    assert rows(database, "select kind from task") == [("no_offer_fits",)]


async def test_the_schedule_follows_by_email_with_a_calendar_file(database: str) -> None:
    async with a_house(database) as house:
        parts = await arranged(database, house, Someone())
        for later in range(1, 3):
            await step_to(house, START + timedelta(days=later, hours=2))
        mails = [each.content for each in fake(house, "email").sent if isinstance(each.content, Mail)]
    written = [mail for mail in mails if mail.attachments]
    assert len(written) == 1
    calendar = written[0].attachments[0]
    assert calendar.media_type.startswith("text/calendar")
    assert calendar.text.count("BEGIN:VEVENT") == len(parts)
    assert all(f"DTSTART;VALUE=DATE:{due_on:%Y%m%d}" in calendar.text for _, due_on, _ in parts)


async def test_without_consent_to_email_the_gate_keeps_the_schedule(database: str) -> None:
    one = Someone(consents=("sms",), email="ada@example.com")
    async with a_house(database) as house:
        await arranged(database, house, one)
        await step_to(house, START + timedelta(days=1, hours=2))
        assert fake(house, "email").sent == []
