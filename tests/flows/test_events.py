"""What the lender tells us takes effect once, at once, and reaches what is already queued."""

from datetime import timedelta
from typing import Any

import psycopg
import pytest

from outreach.domain.events import Event, EventProblem, read_event
from outreach.flows.dispatch import dispatch
from outreach.flows.events import take_events
from outreach.flows.house import House
from outreach.flows.schedule import plan_due, queue_ready
from tests.support.book import Someone, add_account, put
from tests.support.house import START, a_house, rows, run_lanes
from tests.support.touching import fake, plan_touch, step_to, told, touch

MISSED = {"amount_due_minor": 12_000, "due_on": "2027-03-01"}


def event(kind: str, data: dict[str, Any], subject: str = "account/B1-A1", key: str = "e1") -> Event:
    raw = {"specversion": "1.0", "id": key, "source": "core", "type": kind, "subject": subject, "data": data}
    read = read_event(raw, START)
    assert isinstance(read, Event), read
    return read


def paid(minor: int, payment: str = "p1", key: str = "paid-1", currency: str = "USD") -> Event:
    return event("payment.received", {"payment_id": payment, "amount_minor": minor, "currency": currency}, key=key)


async def take(house: House, *events: Event) -> list[str]:
    return [taken.result for taken in await take_events(house, events)]


def owed(database: str) -> int:
    return int(rows(database, "select amount_due_minor from account")[0][0])


async def test_a_missed_payment_starts_its_plan_which_speaks_an_hour_later(database: str) -> None:
    put(database, Someone())
    async with a_house(database) as house:
        assert await take(house, event("payment.missed", MISSED)) == ["applied"]
        assert rows(database, "select plan, state from enrollment") == [("missed_payment", "active")]
        assert await run_lanes(house) == {}
        assert await step_to(house, START + timedelta(hours=1)) == {"sent": 1}
        assert "$120.00" in fake(house).sent[0].content.body  # type: ignore[union-attr]
    assert [entry["event_id"] for entry in told(database, "event")] == ["e1"]


async def test_the_same_event_again_changes_nothing(database: str) -> None:
    put(database, Someone())
    async with a_house(database) as house:
        one = event("payment.missed", MISSED)
        assert await take(house, one, one) == ["applied", "known"]
        assert await take(house, one) == ["known"]
    assert rows(database, "select count(*) from enrollment") == [(1,)]
    assert len(told(database, "event")) == 1


@pytest.mark.parametrize("waiting", ["planned", "queued", "deferred"])
async def test_a_payment_that_clears_calls_off_everything_not_started(database: str, waiting: str) -> None:
    put(database, Someone())
    async with a_house(database) as house:
        await take(house, event("payment.missed", MISSED))
        house.clock.instant += timedelta(hours=1)  # type: ignore[attr-defined]
        await plan_due(house)
        rows(database, "update touch set state = %s returning 1", waiting)
        ((key,),) = rows(database, "select touch_id from touch")
        assert await take(house, paid(12_000)) == ["applied"]
        assert (touch(database, key)["state"], touch(database, key)["reason"]) == ("cancelled", "stopped.paid")
        assert await dispatch(house, "sms", [key]) == {}
        assert await step_to(house, START + timedelta(days=20)) == {}
        assert fake(house).sent == []
    assert rows(database, "select state, stop_reason from enrollment") == [("stopped", "paid")]
    assert [entry["reasons"] for entry in told(database, "touch.cancelled")] == [["stopped.paid"]]


async def test_a_part_payment_lowers_what_is_owed_and_stops_nothing(database: str) -> None:
    put(database, Someone())
    async with a_house(database) as house:
        await take(house, event("payment.missed", MISSED), paid(5_000))
        assert owed(database) == 7_000
        assert await step_to(house, START + timedelta(hours=1)) == {"sent": 1}
        assert "$70.00" in fake(house).sent[0].content.body  # type: ignore[union-attr]


async def test_the_same_payment_under_another_event_counts_once(database: str) -> None:
    put(database, Someone())
    async with a_house(database) as house:
        assert await take(house, paid(5_000, key="a"), paid(5_000, key="b")) == ["applied", "applied"]
    assert owed(database) == 7_000


async def test_a_payment_taken_back_is_owed_again_once(database: str) -> None:
    put(database, Someone())
    async with a_house(database) as house:
        await take(house, paid(12_000))
        assert owed(database) == 0
        back = event("payment.reversed", {"payment_id": "p1"}, key="r1")
        again = event("payment.reversed", {"payment_id": "p1"}, key="r2")
        unknown = event("payment.reversed", {"payment_id": "p9"}, key="r3")
        assert await take(house, back, again, unknown) == ["applied"] * 3
    assert owed(database) == 12_000


async def test_a_payment_in_another_currency_is_not_counted_and_alerts(database: str) -> None:
    put(database, Someone())
    async with a_house(database) as house:
        await take(house, paid(12_000, currency="EUR"))
    assert owed(database) == 12_000
    assert rows(database, "select kind from alert") == [("payment.currency",)]


async def test_a_batch_that_settles_a_case_does_not_start_a_plan_for_it(database: str) -> None:
    put(database, Someone())
    async with a_house(database) as house:
        await take(house, event("payment.missed", MISSED), paid(12_000))
        assert await step_to(house, START + timedelta(days=5)) == {}


async def test_an_unknown_subject_is_said_and_the_others_are_taken(database: str) -> None:
    put(database, Someone())
    async with a_house(database) as house:
        stranger = event("payment.missed", MISSED, subject="account/nobody", key="x")
        assert await take(house, stranger, paid(100)) == ["unknown_subject", "applied"]
        assert await take(house, stranger) == ["unknown_subject"], "it may be known later: nothing is remembered"


async def test_a_case_that_closes_stops_its_plans(database: str) -> None:
    put(database, Someone())
    async with a_house(database) as house:
        await take(house, event("payment.missed", MISSED), event("case.updated", {"state": "closed"}, key="c"))
        assert rows(database, "select state, stop_reason from enrollment") in ([("stopped", "closed")], [])
        assert await step_to(house, START + timedelta(days=5)) == {}
    assert rows(database, "select state from cases") == [("closed",)]


async def test_a_closed_case_opens_again(database: str) -> None:
    put(database, Someone())
    async with a_house(database) as house:
        await take(house, event("case.updated", {"state": "closed"}, key="c"))
        assert await take(house, event("case.opened", {}, key="o")) == ["applied"]
    assert sorted(rows(database, "select state from cases")) == [("closed",), ("open",)]


@pytest.mark.parametrize("kind", ["attorney", "bankruptcy", "deceased", "cease", "dispute"])
async def test_a_hold_calls_off_what_waits_and_blocks_what_comes(database: str, kind: str) -> None:
    put(database, ada := Someone())
    async with a_house(database) as house:
        await take(house, event("payment.missed", MISSED))
        key = plan_touch(database, ada)
        assert await take(house, event("hold.placed", {"kind": kind}, subject="borrower/B1", key="h")) == ["applied"]
        assert rows(database, "select state, stop_reason from enrollment") == [("stopped", f"hold.{kind}")]
        assert await run_lanes(house) == {"blocked": 1}
        assert touch(database, key)["reason"] == f"hold.{kind}"
        assert await take(house, event("hold.lifted", {"kind": kind}, subject="borrower/B1", key="l")) == ["applied"]
        plan_touch(database, ada)
        assert await run_lanes(house) == {"sent": 1}


async def test_a_revoked_consent_is_in_force_at_once_on_every_case_and_said_on_each(database: str) -> None:
    put(database, ada := Someone())
    other = Someone()
    with psycopg.connect(database) as connection:
        add_account(connection, ada, "B1-A2", other.account_id, other.case_id, START)
    keys = [plan_touch(database, ada), plan_touch(database, ada, case_id=other.case_id)]
    async with a_house(database) as house:
        await queue_ready(house)
        revoked = event("consent.revoked", {"channel": "sms"}, subject="borrower/B1", key="c")
        assert await take(house, revoked) == ["applied"]
        assert await run_lanes(house) == {}
        assert {touch(database, key)["state"] for key in keys} == {"cancelled"}
        assert {entry["touch_id"] for entry in told(database, "touch.cancelled")} == {str(key) for key in keys}
        given = event("consent.given", {"channel": "sms"}, subject="borrower/B1", key="g")
        house.clock.instant += timedelta(minutes=1)  # type: ignore[attr-defined]
        given = Event(given.source, given.id, given.type, given.kind, given.ref, house.clock.now(), given.data)
        assert await take(house, given) == ["applied"]
        plan_touch(database, ada)
        assert await run_lanes(house) == {"sent": 1}


async def test_the_lenders_word_does_not_undo_what_the_borrower_refused(database: str) -> None:
    put(database, ada := Someone())
    rows(
        database,
        """insert into suppression (suppression_id, borrower_id, channel, reason, since_at)
           values (gen_random_uuid(), %s, 'sms', 'opt_out.said', %s) returning 1""",
        ada.borrower_id,
        START - timedelta(days=1),
    )
    async with a_house(database) as house:
        await take(house, event("consent.given", {"channel": "sms"}, subject="borrower/B1", key="g"))
        plan_touch(database, ada)
        assert await run_lanes(house) == {"blocked": 1}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"type": "payment.mised"}, "type"),
        ({"subject": "B1"}, "subject"),
        ({"subject": "borrower/B1"}, "subject"),
        ({"specversion": "0.3"}, "specversion"),
        ({"id": ""}, "id"),
        ({"data": {"amount_due_minor": -1, "due_on": "2027-03-01"}}, "data.amount_due_minor"),
        ({"data": {"amount_due_minor": 1, "due_on": "2027-02-30"}}, "data.due_on"),
        ({"data": {"amount_due_minor": 1, "due_on": "2027-03-01", "ammount": 1}}, "data.ammount"),
        ({"time": "2027-03-09T00:00:00Z"}, "time"),
        ({"time": "yesterday"}, "time"),
    ],
)
def test_a_bad_event_names_its_field_and_never_its_value(change: dict[str, Any], field: str) -> None:
    raw = {"specversion": "1.0", "id": "e", "source": "s", "type": "payment.missed", "subject": "account/B1-A1"}
    found = read_event({**raw, "data": MISSED, **change}, START)
    assert isinstance(found, list)
    assert field in {problem.field for problem in found}
    assert all(isinstance(problem, EventProblem) for problem in found)
    assert "2027-02-30" not in str(found)
