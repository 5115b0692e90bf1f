"""A borrower answers, and it ends on the case: installments in three languages, promises, disputes, strangers."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from outreach.domain.events import Event, read_event
from outreach.flows.events import take_events
from outreach.flows.house import House
from outreach.flows.watch import Watcher
from tests.support.book import Someone, put
from tests.support.house import START, a_house, clock_of, rows, run_lanes
from tests.support.touching import fake, plan_touch, receive, run_all, run_intake, say, step_to, told

IN_SHANGHAI: dict[str, Any] = {
    "country": "CN",
    "subdivision": None,
    "locale": "zh-CN",
    "jurisdictions": ["CN"],
    "zones": ["Asia/Shanghai"],
    "creditor": "qinghe",
    "currency": "CNY",
    "amount_due_minor": 120_000,
    "phone": "+8613800000001",
}
NOON_IN_SHANGHAI = datetime.fromisoformat("2027-03-01T04:00:00Z")

SPEAKERS = [
    pytest.param(Someone(locale="en-US"), START, ["PLAN", "2", "YES"], id="en"),
    pytest.param(Someone(locale="es-US"), START, ["quiero pagar a plazos", "2", "sí"], id="es"),
    pytest.param(Someone(**IN_SHANGHAI), NOON_IN_SHANGHAI, ["我想分期", "2", "是"], id="zh"),
]


def event(kind: str, data: dict[str, Any], key: str, at: datetime) -> Event:
    raw = {"specversion": "1.0", "id": key, "source": "core", "type": kind, "subject": "account/B1-A1", "data": data}
    read = read_event(raw, at)
    assert isinstance(read, Event), read
    return read


def body(house: House, number: int = -1) -> str:
    return str(fake(house).sent[number].content.body)  # type: ignore[union-attr]


async def reminded(database: str, house: House, one: Someone) -> None:
    """Send one reminder under a running plan, so that there is something to answer and something to stop."""
    put(database, one)
    at = clock_of(house).instant
    missed = {"amount_due_minor": one.amount_due_minor, "due_on": "2027-02-28"}
    await take_events(house, [event("payment.missed", missed, "missed", at)])
    assert await step_to(house, at + timedelta(hours=1)) == {"sent": 1}


@pytest.mark.parametrize(("someone", "at", "words"), SPEAKERS)
async def test_installments_are_set_up_by_replying(
    database: str, someone: Someone, at: datetime, words: list[str]
) -> None:
    one = Someone(**{name: getattr(someone, name) for name in Someone.__dataclass_fields__})
    async with a_house(database, at=at) as house:
        await reminded(database, house, one)
        ask, choose, confirm = words
        await say(house, one, ask, key="1")
        assert len(fake(house).sent) == 2, "the offers"
        assert "1" in body(house)
        assert "2" in body(house)
        await say(house, one, choose, key="2")
        assert len(fake(house).sent) == 3, "the read-back"
        assert rows(database, "select count(*) from arrangement") == [(0,)], "nothing before it is confirmed"
        await say(house, one, confirm, key="3")
        assert len(fake(house).sent) == 4, "the confirmation"
    ((arrangement, state, total),) = rows(database, "select arrangement_id, state, total_minor from arrangement")
    assert (state, total) == ("active", one.amount_due_minor)
    parts = rows(
        database, "select no, due_on, amount_minor from installment where arrangement_id = %s order by no", arrangement
    )
    assert sum(part[2] for part in parts) == total
    assert [part[0] for part in parts] == list(range(1, len(parts) + 1))
    assert all(isinstance(part[1], date) and part[1] > at.date() for part in parts)
    assert [part[1] for part in parts] == sorted({part[1] for part in parts})
    assert rows(database, "select state, stop_reason from enrollment where plan = 'missed_payment'") == [
        ("stopped", "arrangement")
    ]
    reminders = rows(database, "select trigger_key from enrollment where plan = 'arrangement_reminders'")
    assert len(reminders) == len(parts)
    assert told(database, "arrangement.confirmed")[0]["count"] == len(parts)


async def arranged(database: str, house: House, one: Someone) -> list[tuple[Any, ...]]:
    """Set up three installments; returns (no, due_on, amount_minor)."""
    await reminded(database, house, one)
    for key, words in enumerate(["PLAN", "2", "YES"]):
        await say(house, one, words, key=f"a{key}")
    return rows(database, "select no, due_on, amount_minor from installment order by no")


async def test_each_installment_is_reminded_of_until_it_is_paid(database: str) -> None:
    async with a_house(database) as house:
        parts = await arranged(database, house, Someone())
        before = len(fake(house).sent)
        first = parts[0]
        due = datetime.combine(first[1], datetime.min.time(), tzinfo=START.tzinfo)
        await step_to(house, due + timedelta(hours=20))
        assert len(fake(house).sent) == before + 1, "reminded by its day, once a day at most"
        assert "$" in body(house)
        payment = {"payment_id": "p1", "amount_minor": first[2], "currency": "USD"}
        await take_events(house, [event("payment.received", payment, "p1", clock_of(house).instant)])
        assert rows(database, "select paid_minor from installment order by no")[0] == (first[2],)
        sent = len(fake(house).sent)
        for day in range(1, 5):
            await step_to(house, due + timedelta(days=day, hours=20))
        assert len(fake(house).sent) == sent, "nothing about what is paid, and the next is not near"


async def test_who_keeps_to_installments_is_not_told_of_the_payment_they_settled(database: str) -> None:
    async with a_house(database) as house:
        await arranged(database, house, Someone())
        missed = {"due_on": "2027-02-20", "amount_due_minor": 12_000}
        await take_events(house, [event("payment.missed", missed, "m", clock_of(house).instant)])
        assert rows(database, "select state from enrollment where plan = 'missed_payment'") == [("stopped",)]
        (said,) = told(database, "enrollment.rested")
        assert (said["plan"], said["reason"]) == ("missed_payment", "arrangement")


async def test_an_arrangement_that_is_paid_is_kept(database: str) -> None:
    async with a_house(database) as house:
        parts = await arranged(database, house, Someone())
        for no, _, amount in parts:
            payment = {"payment_id": f"p{no}", "amount_minor": amount, "currency": "USD"}
            await take_events(house, [event("payment.received", payment, f"p{no}", clock_of(house).instant)])
        sent = len(fake(house).sent)
        await step_to(house, START + timedelta(days=60))
        assert len(fake(house).sent) == sent
    assert rows(database, "select state from arrangement") == [("kept",)]
    assert rows(database, "select paid_minor - amount_minor from installment group by 1") == [(0,)]


async def test_an_arrangement_that_is_not_paid_breaks_after_its_grace(database: str) -> None:
    async with a_house(database) as house:
        parts = await arranged(database, house, Someone())
        due = datetime.combine(parts[0][1], datetime.min.time(), tzinfo=START.tzinfo)
        clock_of(house).instant = due + timedelta(days=4, hours=1)  # still the third day of grace in New York
        await Watcher().look(house)
        assert rows(database, "select state from arrangement") == [("active",)]
        clock_of(house).instant = due + timedelta(days=4, hours=6)
        await Watcher().look(house)
    assert rows(database, "select state from arrangement") == [("broken",)]
    live = rows(
        database,
        "select count(*) from enrollment where plan = 'arrangement_reminders' and state in ('active', 'paused')",
    )
    assert live == [(0,)]


async def test_no_to_the_read_back_sets_nothing_up(database: str) -> None:
    one = Someone()
    async with a_house(database) as house:
        await reminded(database, house, one)
        for key, words in enumerate(["PLAN", "2", "NO"]):
            await say(house, one, words, key=f"n{key}")
    assert rows(database, "select count(*) from arrangement") == [(0,)]


async def test_the_same_yes_delivered_twice_sets_one_arrangement_up(database: str) -> None:
    one = Someone()
    async with a_house(database) as house:
        await arranged(database, house, one)
        await say(house, one, "YES", key="a2")
        await say(house, one, "YES", key="other")
    assert rows(database, "select count(*) from arrangement") == [(1,)]


async def test_a_promise_rests_the_plan_and_a_broken_one_is_followed_up(database: str) -> None:
    one = Someone()
    async with a_house(database) as house:
        await reminded(database, house, one)
        await say(house, one, "I will pay on March 5", key="1")
        assert rows(database, "select state, due_on from promise") == [("open", date(2027, 3, 5))]
        stopped = "select state, stop_reason from enrollment where plan = 'missed_payment'"
        assert rows(database, stopped) == [("stopped", "promise")]
        await step_to(house, datetime.fromisoformat("2027-03-05T18:00:00Z"))
        assert "You planned to pay $120.00 today" in body(house)
        sent = len(fake(house).sent)
        await step_to(house, datetime.fromisoformat("2027-03-06T18:00:00Z"))
        await Watcher().look(house)
        assert rows(database, "select state from promise") == [("open",)], "payments take a night to be booked"
        await step_to(house, datetime.fromisoformat("2027-03-08T15:00:00Z"))
        await Watcher().look(house)
        assert rows(database, "select state from promise") == [("broken",)]
        await step_to(house, datetime.fromisoformat("2027-03-08T18:00:00Z"))
        assert len(fake(house).sent) == sent + 1
    assert ("broken_promise",) in rows(database, "select plan from enrollment")


async def test_a_promise_that_is_paid_is_kept(database: str) -> None:
    one = Someone()
    async with a_house(database) as house:
        await reminded(database, house, one)
        await say(house, one, "I will pay on March 5", key="1")
        payment = {"payment_id": "p1", "amount_minor": one.amount_due_minor, "currency": "USD"}
        await take_events(house, [event("payment.received", payment, "p1", clock_of(house).instant)])
        sent = len(fake(house).sent)
        await step_to(house, START + timedelta(days=20))
        await Watcher().look(house)
        await run_lanes(house)
        assert len(fake(house).sent) == sent
    assert rows(database, "select state from promise") == [("kept",)]


async def test_a_dispute_places_a_hold_stops_the_plan_and_goes_to_a_person(database: str) -> None:
    one = Someone()
    async with a_house(database) as house:
        await reminded(database, house, one)
        await say(house, one, "I dispute this debt, it is not mine to pay", key="1")
        later = plan_touch(database, one, at=START + timedelta(days=3))
        await step_to(house, START + timedelta(days=3))
        state = rows(database, "select state, reason from touch where touch_id = %s", later)
    assert rows(database, "select kind from hold") == [("dispute",)]
    assert rows(database, "select state, stop_reason from enrollment") == [("stopped", "hold.dispute")]
    assert state == [("blocked", "hold.dispute")]


async def test_a_wrong_person_kills_the_number_for_that_borrower_at_once(database: str) -> None:
    one = Someone()
    async with a_house(database) as house:
        await reminded(database, house, one)
        await say(house, one, "Wrong number", key="1")
        assert rows(database, "select state from contact_point where kind = 'phone'") == [("wrong_party",)]
        sent = len(fake(house).sent)
        plan_touch(database, one, at=START + timedelta(days=3))
        assert (await step_to(house, START + timedelta(days=3))).get("sent") is None
        assert len(fake(house).sent) == sent
        for text in (str(outbound.content) for outbound in fake(house).sent[1:]):
            assert "$" not in text, "nothing of the debt to a stranger"
        assert "not write to this number again" in body(house), "told once"
        await receive(house, "sms", dedupe_key="2", text="Wrong number!!", address=one.phone, medium="sms")
        await run_all(house)
        assert len(fake(house).sent) == sent
    assert rows(database, "select kind from task") == [("check_number",)], "a person looks for another number"


async def test_what_was_about_to_be_said_to_the_borrower_is_not_said_to_a_stranger(database: str) -> None:
    one = Someone()
    async with a_house(database) as house:
        await reminded(database, house, one)
        for key, words in (("1", "PLAN"), ("2", "wrong number, who is this")):
            await receive(house, "sms", dedupe_key=key, text=words, address=one.phone, medium="sms")
            await run_intake(house)
        await run_all(house)
        assert [str(outbound.content) for outbound in fake(house).sent[1:] if "$" in str(outbound.content)] == []


async def test_a_reply_from_nobody_is_kept_and_alerts(database: str) -> None:
    async with a_house(database) as house:
        await receive(house, "sms", dedupe_key="1", text="who is this", address="+12125550199")
        await run_all(house)
    assert rows(database, "select state, note from inbox") == [("parked", "nobody has this address")]
    assert rows(database, "select kind from alert") == [("reply.unknown_sender",)]


async def test_an_answer_at_night_goes_back_in_the_thread_but_reminders_do_not(database: str) -> None:
    one = Someone()
    async with a_house(database) as house:
        await reminded(database, house, one)
        clock_of(house).instant = datetime.fromisoformat("2027-03-02T04:00:00Z")  # 23:00 in New York
        await say(house, one, "HELP", key="1")
        assert len(fake(house).sent) == 2
        reminder = plan_touch(database, one, at=clock_of(house).instant)
        await run_lanes(house)
        assert rows(database, "select state from touch where touch_id = %s", reminder) == [("deferred",)]


async def test_a_yes_that_comes_after_the_plan_was_set_up_is_told_of_it(database: str) -> None:
    one = Someone()
    async with a_house(database) as house:
        await arranged(database, house, one)
        await say(house, one, "YES", key="late")
        assert "You have a plan" in body(house)
    assert rows(database, "select count(*) from arrangement") == [(1,)]


async def test_word_that_the_borrower_died_does_not_confirm_the_number_as_theirs(database: str) -> None:
    one = Someone()
    async with a_house(database) as house:
        await reminded(database, house, one)
        await say(house, one, "my mother passed away in january", key="1")
    assert rows(database, "select confirmed from contact_point where kind = 'phone'") == [(False,)]
    assert told(database, "contact_point.confirmed") == []
