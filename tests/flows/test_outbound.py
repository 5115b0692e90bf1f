"""What the lender hears of a life: each thing once, in order, with your references and nothing personal."""

from datetime import timedelta
from typing import Any

import orjson
import pytest

from outreach.domain.events import Event, read_event
from outreach.domain.outbound import Public, kinds_of
from outreach.domain.outbound_types import ALWAYS, FIELDS, Type
from outreach.flows import sentences
from outreach.flows.events import take_events
from outreach.flows.house import House
from outreach.flows.outgoing import read_events
from outreach.flows.watch import Watcher
from tests.support.book import START, Someone, put
from tests.support.house import a_house, clock_of, rows
from tests.support.touching import fake, plan_touch, receive, run_all, say, step_to

ADA = Someone()
DAY = timedelta(days=1)
_PYTHON = {"string": str, "integer": int, "number": (int, float), "array of strings": list, "array of objects": list}


async def take(house: House, kind: str, data: dict[str, Any], key: str, subject: str = "account/B1-A1") -> None:
    now = clock_of(house).instant
    raw = {"specversion": "1.0", "id": key, "source": "core", "type": kind, "subject": subject, "data": data,
           "time": now.isoformat()}  # fmt: skip
    read = read_event(raw, now)
    assert isinstance(read, Event), read
    await take_events(house, [read])


async def heard(house: House) -> list[Public]:
    """Return every event, checked against what is documented."""
    async with house.store.transaction() as tx:
        found = (await read_events(tx, 0, 1000)).events
    for each in found:
        document = orjson.loads(orjson.dumps(each.to_json("/outreach")))
        data = document["data"]
        assert set(ALWAYS) <= set(data) <= set(ALWAYS) | set(FIELDS[each.type])
        for name, value in data.items():
            assert isinstance(value, _PYTHON[(ALWAYS | FIELDS[each.type])[name].kind]), (each.type, name)
        text = orjson.dumps(document).decode()
        assert not [word for word in (ADA.given_name, ADA.family_name, ADA.phone, ADA.email) if str(word) in text]
    assert len({each.id for each in found}) == len(found)
    return list(found)


def types(events: list[Public]) -> list[str]:
    return [each.type.value for each in events]


async def arranged(database: str, house: House) -> None:
    put(database, ADA)
    await take(house, "payment.missed", {"amount_due_minor": 12_000, "due_on": "2027-02-28"}, "missed")
    await step_to(house, START + timedelta(hours=1))
    token = fake(house).sent[0].token
    await receive(house, "sms", dedupe_key="d1", status="delivered", token=token)
    await run_all(house)
    for key, words in enumerate(["PLAN", "2", "YES"]):
        await say(house, ADA, words, key=f"a{key}")


async def test_an_arrangement_is_handed_over_whole_and_then_followed(database: str) -> None:
    async with a_house(database) as house:
        await arranged(database, house)
        events = await heard(house)
        assert types(events)[:3] == ["contact.attempted", "contact.delivered", "reply.received"]
        (confirmed,) = [each for each in events if each.type is Type.ARRANGEMENT_CONFIRMED]
        ((key, total, currency),) = rows(database, "select arrangement_id, total_minor, currency from arrangement")
        parts = rows(database, "select no, due_on::text, amount_minor from installment order by no")
        assert (confirmed.data["arrangement_id"], confirmed.data["currency"]) == (str(key), currency)
        shown = [(part["no"], part["due_on"], part["amount_minor"]) for part in confirmed.data["schedule"]]
        assert shown == parts
        assert (
            sum(part["amount_minor"] for part in confirmed.data["schedule"]) == total == confirmed.data["total_minor"]
        )
        for no, _, amount in parts:
            await take(house, "payment.received", {"payment_id": f"p{no}", "amount_minor": amount, "currency": "USD"},
                       f"p{no}")  # fmt: skip
        followed = (await heard(house))[len(events) :]
        kept = [each for each in followed if each.type.value.startswith("arrangement.")]
        assert types(kept) == ["arrangement.changed"] * (len(parts) - 1) + ["arrangement.completed"]
        assert [each.data["paid_minor"] for each in kept][-1] == total


async def test_a_broken_arrangement_is_told(database: str) -> None:
    async with a_house(database) as house:
        await arranged(database, house)
        clock_of(house).instant = START + 300 * DAY
        await Watcher().look(house)
        assert types(await heard(house)).count("arrangement.broken") == 1


async def test_a_plan_that_is_replaced_and_then_cancelled_is_told(database: str) -> None:
    async with a_house(database) as house:
        await arranged(database, house)
        before = len(await heard(house))
        for key, words in enumerate(["change my plan", "1", "YES", "cancel my plan", "YES"]):
            await say(house, ADA, words, key=f"c{key}")
        told = [each for each in (await heard(house))[before:] if each.type.value.startswith("arrangement.")]
        assert types(told) == ["arrangement.proposed", "arrangement.changed", "arrangement.confirmed",
                               "arrangement.changed"]  # fmt: skip
        _, replaced, confirmed, cancelled = told
        assert (replaced.data["change"], cancelled.data["change"]) == ("replaced", "cancelled")
        assert "by" not in replaced.data
        assert cancelled.data["by"] == "borrower"
        assert cancelled.data["arrangement_id"] == confirmed.data["arrangement_id"] != replaced.data["arrangement_id"]
        assert cancelled.data["left_minor"] == 12_000


async def test_more_time_and_what_it_takes_the_place_of_are_told(database: str) -> None:
    async with a_house(database) as house:
        put(database, ADA)
        plan_touch(database, ADA)
        await run_all(house)
        for key, words in enumerate(["I will pay on March 5", "can I have until March 12?", "YES"]):
            await say(house, ADA, words, key=f"e{key}")
        granted, changed = [each for each in await heard(house)
                            if each.type in (Type.EXTENSION_GRANTED, Type.PROMISE_CHANGED)]  # fmt: skip
        assert (granted.data["from_on"], granted.data["to_on"]) == ("2027-02-20", "2027-03-12")
        assert (changed.data["change"], changed.data["by"]) == ("cancelled", "extension")


async def test_a_promise_is_told_when_made_and_when_broken(database: str) -> None:
    async with a_house(database) as house:
        put(database, ADA)
        plan_touch(database, ADA)
        await run_all(house)
        await say(house, ADA, "I will pay on March 5", key="1")
        clock_of(house).instant = START + 10 * DAY
        await Watcher().look(house)
        made, broken = [each for each in await heard(house) if each.type.value.startswith("promise.")]
        assert (made.type, broken.type) == (Type.PROMISE_MADE, Type.PROMISE_BROKEN)
        assert made.data["promise_id"] == broken.data["promise_id"]
        assert (made.data["due_on"], made.data["currency"]) == ("2027-03-05", "USD")


async def test_a_dispute_is_a_reply_a_hold_and_a_hand_over(database: str) -> None:
    async with a_house(database) as house:
        put(database, ADA)
        plan_touch(database, ADA)
        await run_all(house)
        await say(house, ADA, "I dispute this debt, it is not mine to pay", key="1")
        events = await heard(house)
        assert {"reply.received", "hold.placed", "case.handed_off"} <= set(types(events))
        (hold,) = [each for each in events if each.type is Type.HOLD_PLACED]
        assert hold.data == {"hold": "dispute"}


@pytest.mark.parametrize("words", ["STOP", "please stop texting me"])
async def test_a_stop_is_told_once(database: str, words: str) -> None:
    async with a_house(database) as house:
        put(database, ADA)
        plan_touch(database, ADA)
        await run_all(house)
        await say(house, ADA, words, key="1")
        changed = [each for each in await heard(house) if each.type is Type.CONSENT_CHANGED]
        assert [each.data["state"] for each in changed] == ["revoked"]
        assert set(changed[0].data["channels"]) & {"any", "sms"}


async def test_what_one_of_your_systems_told_us_is_told_to_the_others_once(database: str) -> None:
    put(database, ADA)
    async with a_house(database) as house:
        await take(house, "hold.placed", {"kind": "dispute"}, "h1")
        await take(house, "hold.lifted", {"kind": "dispute"}, "h2")
        await take(house, "consent.given", {"channel": "sms", "topic": "harbour"}, "c1")
        await take(house, "consent.revoked", {"channel": "sms"}, "c2")
        await take(house, "contact_point.updated", {"value": ADA.phone, "state": "invalid"}, "u1")
        await take(house, "consent.revoked", {"channel": "email", "value": "nobody@example.com"}, "c3")
        events = await heard(house)
    assert types(events) == [
        "hold.placed", "hold.lifted", "consent.changed", "consent.changed", "contact_point.demoted", "consent.changed",
    ]  # fmt: skip
    placed, lifted, given, revoked, demoted, _ = events
    assert placed.data == {"hold": "dispute", "told_by": "core", "event_id": "h1"}
    assert lifted.data["event_id"] == "h2"
    assert (given.data["state"], given.data["topic"], given.data["channels"]) == ("given", "harbour", ["sms"])
    assert (revoked.data["state"], revoked.data["channels"]) == ("revoked", ["sms"])
    assert (demoted.data["state"], demoted.data["contact_point_id"]) == ("invalid", str(ADA.phone_id))


async def test_what_is_not_sent_is_told_with_the_reason(database: str) -> None:
    someone = Someone(ref="B9", consents=(), phone="+12125550109", email=None)
    put(database, someone)
    rows(
        database,
        "insert into suppression (suppression_id, borrower_id, channel, reason, since_at) "
        "values (gen_random_uuid(), %s, 'any', 'opt_out.said', %s) returning 1",
        someone.borrower_id, START - DAY,
    )  # fmt: skip
    plan_touch(database, someone)
    async with a_house(database) as house:
        await run_all(house)
        (blocked,) = await heard(house)
    assert (blocked.type, blocked.data["state"]) == (Type.CONTACT_BLOCKED, "blocked")
    assert blocked.data["reasons"]


def test_only_kinds_that_are_written_are_read() -> None:
    """Three are read as soon as something writes them."""
    later = {"arrangement.changed", "arrangement.cancelled", "hold.lifted"}
    assert set(kinds_of(None)) - set(sentences._KINDS) <= later


def test_every_type_comes_from_some_entry() -> None:
    assert [kind for kind in Type if not kinds_of(frozenset({kind}))] == []
