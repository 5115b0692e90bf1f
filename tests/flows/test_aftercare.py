"""What is done once a text is over: its price is read, its words are taken off the provider, with patience."""

import asyncio
from datetime import timedelta
from typing import Any

import orjson
import pytest

from channels.codes import codes_of
from channels.contract import Accepted, Aftermath, LookupKey
from channels.fake import FakeChannel
from outreach.flows.aftercare import AGAIN, FIRST, look_after
from outreach.flows.ledger import ledger_lines
from tests.support.book import START, Someone, put
from tests.support.carrier import carried
from tests.support.house import a_house, clock_of, rows, run_lanes
from tests.support.pacing import OneByOne
from tests.support.touching import attempts, plan_touch, run_all

SMS = (("sms", "twilio_sms"),)


async def settled(house: Any, sandbox: Any) -> None:
    """Let the carrier finish, and take its news in."""
    await asyncio.to_thread(sandbox.client.wait_idle)
    await run_all(house)


async def looked_after(house: Any, wait: timedelta = FIRST) -> int:
    clock_of(house).instant += wait
    return await look_after(house)


@pytest.mark.parametrize("redact", [True, False])
async def test_a_delivered_text_is_priced_afterwards_and_redacted_where_the_sender_says_so(
    database: str, redact: bool
) -> None:
    one = Someone()
    async with carried(database, one, {"temperament": "silent"}, SMS, redact=redact) as (house, sandbox):
        plan_touch(database, one)
        assert await run_lanes(house) == {"sent": 1}
        (attempt,) = attempts(database)
        assert (attempt["price_micros"], attempt["currency"]) == (None, None), "a price comes late"
        await settled(house, sandbox)
        assert await looked_after(house, FIRST - timedelta(seconds=1)) == 0
        assert await looked_after(house, timedelta(seconds=1)) == 1
        assert await looked_after(house) == 0, "nothing is asked twice"
        lines = [orjson.loads(line) async for line in ledger_lines(house)]
        key = LookupKey(attempt["attempt_id"], "", one.phone or "", attempt["body"], START.timestamp())
        found = await house.channels["sms"].look_up(key)
    (attempt,) = attempts(database)
    assert (attempt["price_micros"], attempt["currency"], attempt["segments"]) == (
        7_900 * attempt["segments"],
        "USD",
        2,
    )
    assert attempt["outcome"] == "delivered"
    assert (lines[0]["price_micros"], lines[0]["currency"]) == (attempt["price_micros"], "USD")
    assert (attempt["words_off_at"] is not None, lines[0]["words_off_at"] is not None) == (redact, redact)
    assert (found is None) == redact, "what was redacted cannot be found by its words"
    assert attempt["body"], "our own copy stays"
    kept = rows(database, "select ended, trips->0->'request'->'fields'->>'Body', trips::text from exchange where "
                "trips->0->>'what' = 'redaction'")  # fmt: skip
    assert [row[:2] for row in kept] == ([("words_off", "")] if redact else []), "evidence of what was changed there"
    assert one.phone not in str(kept)


async def test_a_text_held_beyond_its_window_expires_at_the_carrier_and_the_case_says_why(database: str) -> None:
    one = Someone()
    async with carried(database, one, {"temperament": "slow:3600"}, SMS) as (house, sandbox):
        plan_touch(database, one, expires_at=START + timedelta(minutes=30))
        assert await run_lanes(house) == {"sent": 1}
        taken = [entry for entry in sandbox.client.log() if entry["kind"] == "text_taken"]
        assert taken[0]["validity"] == 1800
        await asyncio.to_thread(sandbox.client.set_clock, START + timedelta(minutes=31))
        await settled(house, sandbox)
    (attempt,) = attempts(database)
    assert (attempt["outcome"], attempt["provider_code"]) == ("failed", "30036")
    assert attempt["decided_by"] == codes_of("twilio").decided_by


async def test_what_a_refusal_meant_and_by_which_data_is_kept(database: str) -> None:
    one = Someone()
    async with carried(database, one, {"temperament": "reject:21610"}, SMS) as (house, _):
        plan_touch(database, one)
        await run_lanes(house)
    (attempt,) = attempts(database)
    assert (attempt["state"], attempt["provider_code"], attempt["error_code"]) == ("rejected", "21610", "opted_out")
    assert attempt["decided_by"] == codes_of("twilio").decided_by
    assert rows(database, "select reason from suppression") == [("opt_out.at_provider",)]


@pytest.mark.parametrize("temper", ["reject:29999", "fail:29999"])
async def test_a_code_nobody_knows_ends_the_attempt_for_good_and_tells_an_operator(database: str, temper: str) -> None:
    one = Someone()
    async with carried(database, one, {"temperament": temper}, SMS) as (house, sandbox):
        plan_touch(database, one)
        await run_lanes(house)
        await settled(house, sandbox)
    (attempt,) = attempts(database)
    assert (attempt["provider_code"], attempt["error_code"]) == ("29999", "rejected")
    assert rows(database, "select state, state_reason from contact_point where kind = 'phone'") == [("active", None)]
    ((kind, subject, detail),) = rows(database, "select kind, subject, detail from alert")
    assert (kind, subject) == ("codes.unlisted", "sms")
    assert "29999" in detail


class Told(FakeChannel):
    """A channel that is looked after, and counts how often it was asked about how many."""

    def __init__(self, *, takes_words_off: bool = False) -> None:
        super().__init__(script=lambda outbound: Accepted(f"ref-{outbound.attempt_id}"))
        self.cares, self.takes_words_off = True, takes_words_off
        self.asked: list[int] = []
        self.says: dict[str, Any] = {"complete": False}
        self.breaks = False

    async def look_after(self, provider_refs: Any) -> list[Aftermath]:
        self.asked.append(len(provider_refs))
        if self.breaks:
            raise RuntimeError("a bug in an adapter")
        return [Aftermath(ref, **self.says) for ref in provider_refs]


async def with_texts(database: str, house: Any, count: int) -> None:
    people = [Someone(ref=f"B{n}", phone=f"+1212555{n:04d}", email=None) for n in range(100, 100 + count)]
    put(database, *people)
    for one in people:
        plan_touch(database, one)
    assert await run_lanes(house) == {"sent": count}


async def test_many_are_asked_about_in_one_go_and_what_is_not_complete_waits_longer_each_time(database: str) -> None:
    sms = Told()
    async with a_house(database, channels={"sms": sms}) as house:
        await with_texts(database, house, 3)
        for wait in (FIRST, *AGAIN):
            assert await looked_after(house, wait - timedelta(seconds=1)) == 0
            assert await looked_after(house, timedelta(seconds=1)) == 0
        assert sms.asked == [3] * (1 + len(AGAIN))
        await looked_after(house, timedelta(days=9))
        assert sms.asked == [3] * (1 + len(AGAIN)), "given up in the end"
    assert rows(database, "select kind from alert") == []


async def test_words_that_stay_at_the_provider_in_the_end_are_told_to_an_operator(database: str) -> None:
    sms = Told(takes_words_off=True)
    sms.says = {"complete": False, "price_micros": 7900, "currency": "USD", "words_off": False}
    async with a_house(database, channels={"sms": sms}) as house:
        await with_texts(database, house, 1)
        for wait in (FIRST, *AGAIN):
            assert rows(database, "select kind from alert") == []
            await looked_after(house, wait)
    assert rows(database, "select kind, subject from alert") == [("aftercare.words_left", "sms")]
    (attempt,) = attempts(database)
    assert (attempt["price_micros"], attempt["words_off_at"], attempt["aftercare_at"]) == (7900, None, None)


async def test_an_adapter_that_breaks_is_asked_again_and_changes_nothing(database: str) -> None:
    sms = Told()
    sms.breaks = True
    async with a_house(database, channels={"sms": sms}) as house:
        await with_texts(database, house, 1)
        assert await looked_after(house) == 0
        sms.breaks, sms.says = False, {"complete": True, "segments": 2, "price_micros": 15_800, "currency": "USD"}
        assert await looked_after(house, AGAIN[0]) == 1
    (attempt,) = attempts(database)
    assert (attempt["outcome"], attempt["segments"], attempt["price_micros"]) == ("accepted", 2, 15_800)


async def test_a_channel_that_does_not_care_is_never_asked(database: str) -> None:
    sms = Told()
    sms.cares = False
    async with a_house(database, channels={"sms": sms}) as house:
        await with_texts(database, house, 1)
        assert await looked_after(house, timedelta(days=1)) == 0
        assert sms.asked == []
        sms.cares = True
        await looked_after(house, timedelta(days=2))
        assert sms.asked == [], "what ended long before is left alone"


async def test_what_waited_for_its_turn_leaves_with_what_is_left_of_its_window_or_not_at_all(database: str) -> None:
    class Slow(FakeChannel):
        """Time passes while the first is handed over."""

        async def send(self, outbound: Any) -> Accepted:
            clock_of(house).instant += timedelta(minutes=20)
            return await super().send(outbound)

    sms = Slow()
    async with a_house(database, channels={"sms": sms}, pacer=OneByOne()) as house:
        people = [Someone(ref=f"B{n}", phone=f"+1212555{n:04d}", email=None) for n in range(100, 103)]
        put(database, *people)
        for one in people:
            plan_touch(database, one, expires_at=START + timedelta(minutes=30))
        await run_lanes(house)
    assert [sent.validity for sent in sms.sent] == [timedelta(minutes=30), timedelta(minutes=10)]
    assert sorted(attempt["state"] for attempt in attempts(database)) == ["accepted", "accepted", "released"]
    assert ("released", "unavailable") in rows(database, "select state, error_code from attempt")
