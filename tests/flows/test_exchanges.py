"""The exchange log on the real path: written with the settlement, found by name, redacted, and dropped in time."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import orjson
from yarl import URL

from channels.contract import Accepted, Found, LookupKey, Outbound, ReceiptStatus
from channels.errors import OutcomeUnknown, Unavailable
from channels.exchange import begin_http, begin_mail
from channels.fake import FakeChannel
from channels.twilio_http import WORDS as TWILIO
from outreach.flows.exchanges import load_exchanges
from outreach.flows.house import Evidence
from outreach.flows.sweeps import look_up_unknown, sweep
from outreach.flows.switches import recall_late_calls
from tests.support.book import START, Someone, put
from tests.support.calls import place_call
from tests.support.house import a_house, clock_of, rows, run_lanes
from tests.support.touching import attempts, plan_touch, receive, run_intake


class Wired(FakeChannel):
    """A fake that has something to record."""

    async def send(self, outbound: Outbound) -> Accepted:
        trip = begin_mail("relay.test:25", "payments@mail.example.com", 321, signed=False)
        trip.heard("MAIL", 250, "2.1.0")
        return await super().send(outbound)


def stored(database: str) -> list[tuple[str, str, str]]:
    return rows(database, "select way, ended, trips::text from exchange order by at, way desc")


async def test_a_send_and_its_receipt_are_kept_redacted_and_found_by_every_name(database: str) -> None:
    one = Someone()
    put(database, one)
    plan_touch(database, one)
    async with a_house(database, channels={"sms": Wired()}) as house:
        assert await run_lanes(house) == {"sent": 1}
        (attempt,) = attempts(database)
        for key in ("k1", "k1"):
            await receive(house, "sms", status="delivered", dedupe_key=key, token=attempt["token"])
        await run_intake(house)
        for name in (attempt["attempt_id"], attempt["provider_ref"], "B1", "B1-A1", str(one.case_id)):
            (found,) = await load_exchanges(house, name)
            assert [(line["way"], line["ended"]) for line in found.lines] == [("out", "accepted"), ("in", None)]
        assert await load_exchanges(house, "nobody") == []
    sent, heard = stored(database)
    assert orjson.loads(sent[2])[0]["dialogue"] == [{"stage": "MAIL", "code": 250, "enhanced": "2.1.0"}]
    text = sent[2] + heard[2]
    private = (attempt["token"], attempt["body"], one.phone, "2125550101", one.given_name)
    assert [each for each in private if each and each in text] == []


async def test_what_ended_badly_or_was_called_off_is_kept_as_well(database: str) -> None:
    put(database, one := Someone())
    plan_touch(database, one)
    async with a_house(database, channels={"sms": Wired(OutcomeUnknown("lost"))}) as house:
        await run_lanes(house)
    assert [row[:2] for row in stored(database)] == [("out", "outcome_unknown")]


async def test_a_batch_is_written_in_the_transaction_that_settles_it(database: str) -> None:
    people = [Someone(ref=f"B{n}", phone=f"+12125550{n:03}", email=None) for n in range(100, 120)]
    put(database, *people)
    for one in people:
        plan_touch(database, one)
    async with a_house(database, channels={"sms": Wired()}) as house:
        await run_lanes(house)
    assert len(stored(database)) == len(people)
    written = rows(database, "select distinct e.xmin::text, a.xmin::text from exchange e, attempt a")
    assert len(written) == 1
    assert written[0][0] == written[0][1]


class Askable(FakeChannel):
    """A fake whose look-ups and recalls go over the wire."""

    async def look_up(self, key: LookupKey) -> Found | None:
        trip = begin_http(TWILIO, "GET", URL("https://api.test/Messages.json").with_query(To=key.address), None, {})
        assert trip
        trip.answered(200, orjson.dumps({"messages": [{"body": key.body, "to": key.address}]}), {})
        return await super().look_up(key)

    async def cancel(self, provider_ref: str) -> bool:
        trip = begin_http(TWILIO, "POST", URL("https://api.test/Calls.json"), b"Status=canceled", {})
        assert trip
        trip.failed("no connection")
        raise Unavailable("away")


async def test_look_ups_are_kept_found_or_not(database: str) -> None:
    put(database, one := Someone())
    plan_touch(database, one)
    sms = Askable(OutcomeUnknown("lost"))
    async with a_house(database, channels={"sms": sms}) as house:
        await run_lanes(house)
        (attempt,) = attempts(database)
        for _ in range(2):
            clock_of(house).instant += timedelta(minutes=10)
            await look_up_unknown(house)
            sms.found[attempt["attempt_id"]] = Found("SM9", ReceiptStatus.DELIVERED)
        (found,) = await load_exchanges(house, "B1")
    assert [(line["way"], line["ended"]) for line in found.lines] == [("out", "no_trace"), ("out", "delivered")]
    assert {trip["what"] for line in found.lines for trip in line["trips"]} == {"look_up"}
    told = str(found.lines)
    assert [each for each in (attempt["token"], attempt["body"], one.phone, "2125550101") if each in told] == []


async def test_a_recall_that_cannot_be_made_is_kept_once_a_minute_however_often_it_is_tried(database: str) -> None:
    put(database, one := Someone())
    async with a_house(database, channels={"ivr": Askable()}) as house:
        await place_call(database, house, one, hours=2)
        clock_of(house).instant += timedelta(hours=2)
        for _ in range(4):
            await recall_late_calls(house)
            clock_of(house).instant += timedelta(seconds=30)
        (found,) = await load_exchanges(house, "B1")
    assert [(line["ended"], line["trips"][0]["lost"]) for line in found.lines] == [("unavailable", "no connection")] * 2


async def test_exchanges_are_dropped_when_their_time_is_over(database: str) -> None:
    put(database, one := Someone())
    plan_touch(database, one)
    async with a_house(database, channels={"sms": Wired()}) as house:
        await run_lanes(house)
        clock_of(house).instant = START + timedelta(days=89)
        assert (await sweep(house))["purged"] == 0
        clock_of(house).instant = START + timedelta(days=90, seconds=1)
        assert (await sweep(house))["purged"] == 1
        assert stored(database) == []
        (found,) = await load_exchanges(house, "B1")
        assert found.lines == ()


async def test_nothing_is_kept_where_nothing_is_to_be_kept(database: str) -> None:
    put(database, one := Someone())
    plan_touch(database, one)
    async with a_house(database, channels={"sms": Wired()}) as house:
        silent = replace(house, evidence=Evidence(None))
        await run_lanes(silent)
        (attempt,) = attempts(database)
        await receive(silent, "sms", status="delivered", dedupe_key="k1", token=attempt["token"])
    assert stored(database) == []


async def test_sends_beside_each_other_keep_their_own_tapes(database: str) -> None:
    class Slow(Wired):
        async def send(self, outbound: Outbound) -> Accepted:
            trip = begin_mail(outbound.attempt_id, "payments@mail.example.com", 1, signed=False)
            await asyncio.sleep(0)
            trip.heard("MAIL", 250)
            return Accepted(f"ref-{outbound.attempt_id}")

    people = [Someone(ref=f"B{n}", phone=f"+12125550{n:03}", email=None) for n in range(100, 110)]
    put(database, *people)
    for one in people:
        plan_touch(database, one)
    async with a_house(database, channels={"sms": Slow()}) as house:
        await run_lanes(house)
    told = rows(database, "select exchange_id::text, trips->0->>'host', json_array_length(trips) from exchange")
    assert [row for row in told if row[0] != row[1] or row[2] != 1] == []
    assert len(told) == 10
