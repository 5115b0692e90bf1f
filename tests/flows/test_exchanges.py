"""The exchange log on the real path: written with the settlement, found by name, redacted, and dropped in time."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import orjson

from channels.contract import Accepted, Outbound
from channels.errors import OutcomeUnknown
from channels.exchange import begin_mail
from channels.fake import FakeChannel
from outreach.flows.exchanges import load_exchanges
from outreach.flows.house import Evidence
from outreach.flows.sweeps import sweep
from tests.support.book import START, Someone, put
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
