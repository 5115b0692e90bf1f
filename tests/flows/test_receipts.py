"""Delivery news merges forward only: in any order, any number of times, before or after we know of the attempt."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from channels.contract import Receipt, ReceiptStatus
from channels.errors import BadSignature
from outreach.flows.callbacks import MAX_TRIES, take_callback, take_news
from outreach.flows.house import House
from outreach.flows.sweeps import sweep
from tests.support.book import Someone, put
from tests.support.house import START, a_house, clock_of, rows, run_lanes
from tests.support.touching import attempts, fake, plan_touch, receive, run_intake, told, touch


async def one_sent(database: str, house: House, channel: str = "sms") -> tuple[str, str]:
    """Send one touch; returns its token and reference."""
    put(database, ada := Someone())
    plan_touch(database, ada, channel=channel)
    assert await run_lanes(house) == {"sent": 1}
    (attempt,) = attempts(database)
    return attempt["token"], attempt["provider_ref"]


async def give(house: House, token: str, *statuses: str, channel: str = "sms", **more: Any) -> None:
    """Take receipts one by one, each applied before the next comes."""
    for number, status in enumerate(statuses):
        key = f"{token}:{number}:{status}:{len(more)}"
        await receive(house, channel, dedupe_key=key, status=status, token=token, **more)
        await run_intake(house)


SIX = [
    ("sms", ("sent", "sent", "delivered", "delivered", "undelivered", "read"), "read", "delivered_and_failed"),
    ("sms", ("accepted", "sending", "sent", "sent", "delivered", "delivered"), "delivered", None),
    ("sms", ("accepted", "sent", "sent", "failed", "undelivered"), "failed", None),
    ("voice", ("accepted", "ringing", "answered", "completed", "busy"), "answered_unverified", None),
    ("email", ("sent", "delivered", "failed", "failed"), "delivered", "delivered_and_failed"),
]


@pytest.mark.parametrize("at_once", [False, True], ids=["one_by_one", "in_one_batch"])
@pytest.mark.parametrize(("channel", "statuses", "ends", "anomaly"), SIX, ids=[str(n) for n in range(len(SIX))])
async def test_every_order_of_the_same_callbacks_ends_the_same(
    database: str, channel: str, statuses: Sequence[str], ends: str, anomaly: str | None, at_once: bool
) -> None:
    orders = sorted(set(permutations(statuses)))
    people = [
        Someone(ref=f"B{n}", phone=f"+1212555{n:04}", email=f"b{n}@example.com", phone_type="mobile")
        for n in range(len(orders))
    ]
    put(database, *people)
    for one in people:
        plan_touch(
            database, one, channel=channel, template="missed_payment" if channel != "voice" else "early_follow_up"
        )
    async with a_house(database) as house:
        assert await run_lanes(house) == {"sent": len(orders)}
        tokens = [attempt["token"] for attempt in attempts(database)]
        for turn in range(len(statuses)):
            news = [
                Receipt(f"{token}:{turn}", ReceiptStatus(order[turn]), token=token)
                for token, order in zip(tokens, orders, strict=True)
            ]
            assert await take_news(house, channel, news) == len(orders)
            if not at_once:
                await run_intake(house)
        await run_intake(house)
    final = rows(database, "select outcome, anomaly, state, count(*) from attempt group by 1, 2, 3")
    assert final == [(ends, anomaly, "accepted", len(orders))]
    assert rows(database, "select state, count(*) from inbox group by 1") == [("applied", len(orders) * len(statuses))]


MACHINE = (("ringing", None), ("answered", None), ("completed", "machine"), ("completed", "machine"))


async def test_who_answered_a_call_is_known_whichever_receipt_says_so_first(database: str) -> None:
    orders = sorted(set(permutations(MACHINE)), key=str)
    people = [Someone(ref=f"B{n}", phone=f"+1212555{n:04}", email=None) for n in range(len(orders))]
    put(database, *people)
    for one in people:
        plan_touch(database, one, channel="voice", template="early_follow_up")
    async with a_house(database) as house:
        assert await run_lanes(house) == {"sent": len(orders)}
        tokens = [attempt["token"] for attempt in attempts(database)]
        for turn in range(len(MACHINE)):
            news = [
                Receipt(f"{token}:{turn}", ReceiptStatus(order[turn][0]), token=token, answered_by=order[turn][1])
                for token, order in zip(tokens, orders, strict=True)
            ]
            await take_news(house, "voice", news)
            await run_intake(house)
    final = rows(database, "select outcome, answered_by, count(*) from attempt group by 1, 2")
    assert final == [("voicemail_possible", "machine", len(orders))]


async def test_the_same_callback_again_is_not_even_stored(database: str) -> None:
    async with a_house(database) as house:
        token, _ = await one_sent(database, house)
        news = {"dedupe_key": "k", "status": "delivered", "token": token}
        assert await receive(house, "sms", **news) == 1
        assert await receive(house, "sms", **news) == 0
        await run_intake(house)
        assert await receive(house, "sms", **news) == 0
        assert await run_intake(house) == 0
    assert len(told(database, "receipt")) == 1


async def test_a_late_sent_never_overwrites_delivered(database: str) -> None:
    async with a_house(database) as house:
        token, _ = await one_sent(database, house)
        await give(house, token, "delivered", "sent", "sending", "accepted")
    assert attempts(database)[0]["outcome"] == "delivered"
    assert len(told(database, "receipt")) == 1


async def test_delivered_after_undelivered_counts_and_is_marked(database: str) -> None:
    async with a_house(database) as house:
        token, _ = await one_sent(database, house)
        await give(house, token, "undelivered", "delivered")
    (attempt,) = attempts(database)
    assert (attempt["outcome"], attempt["anomaly"]) == ("delivered", "delivered_and_failed")
    assert [entry["outcome"] for entry in told(database, "receipt")] == ["failed", "delivered"]


async def test_news_of_an_attempt_nobody_knows_is_tried_again_then_parked_and_counted(database: str) -> None:
    async with a_house(database) as house:
        await receive(house, "sms", dedupe_key="k", status="delivered", token="nobody's")
        tries = 0
        while rows(database, "select state from inbox") == [("new",)]:
            await run_intake(house)
            tries += 1
            clock_of(house).instant += timedelta(seconds=301)
            await sweep(house)
            assert tries <= MAX_TRIES
        assert tries == MAX_TRIES
        assert rows(database, "select state, note from inbox") == [("parked", "unknown reference")]
        async with house.store.transaction() as tx:
            assert (await tx.health())[5] == 1


async def test_news_that_waited_for_its_attempt_is_applied_when_the_attempt_is_there(database: str) -> None:
    async with a_house(database) as house:
        await receive(house, "sms", dedupe_key="k", status="delivered", provider_ref="SM-early")
        await run_intake(house)
        _, ref = await one_sent(database, house)
        rows(database, "update attempt set provider_ref = 'SM-early' where provider_ref = %s returning 1", ref)
        clock_of(house).instant += timedelta(seconds=2)
        await sweep(house)
        await run_intake(house)
    assert attempts(database)[0]["outcome"] == "delivered"


async def test_a_wake_up_that_was_lost_is_sent_again(database: str) -> None:
    async with a_house(database) as house:
        token, _ = await one_sent(database, house)
        await receive(house, "sms", dedupe_key="k", status="delivered", token=token)
        house.queue.news.clear()  # type: ignore[attr-defined]
        assert (await sweep(house))["inbox"] == 0
        clock_of(house).instant += timedelta(seconds=16)
        assert (await sweep(house))["inbox"] == 1
        await run_intake(house)
    assert attempts(database)[0]["outcome"] == "delivered"


async def test_a_forged_callback_stores_nothing(database: str) -> None:
    async with a_house(database) as house:
        token, _ = await one_sent(database, house)
        callback = fake(house).callback(dedupe_key="k", status="delivered", token=token)
        forged = type(callback)(callback.path, callback.query, {"x-fake-signature": "guess"}, callback.body)
        with pytest.raises(BadSignature):
            await take_callback(house, "sms", forged)
    assert rows(database, "select count(*) from inbox") == [(0,)]


async def test_a_callback_that_cannot_be_read_is_kept_with_an_alert(database: str) -> None:
    async with a_house(database) as house:
        callback = fake(house).callback(status="teleported")
        assert await take_callback(house, "sms", callback) == 0
    assert rows(database, "select kind, state from inbox") == [("malformed", "parked")]
    assert rows(database, "select kind from alert") == [("callback.malformed",)]


async def test_a_dead_number_learned_later_is_marked(database: str) -> None:
    async with a_house(database) as house:
        token, _ = await one_sent(database, house)
        await give(house, token, "undelivered", error_class="bad_address", provider_code="30005")
    assert rows(database, "select state, state_reason from contact_point where kind = 'phone'") == [
        ("invalid", "provider.bad_address")
    ]
    assert attempts(database)[0]["provider_code"] == "30005"


async def test_an_opt_out_learned_from_a_receipt_calls_off_what_waits_and_says_so(database: str) -> None:
    async with a_house(database) as house:
        token, _ = await one_sent(database, house)
        ((case, borrower),) = rows(database, "select case_id, borrower_id from cases")
        waiting = plan_touch(database, Someone(case_id=case, borrower_id=borrower), at=START + timedelta(days=2))
        await give(house, token, "undelivered", error_class="opted_out", provider_code="21610")
    assert touch(database, waiting)["state"] == "cancelled"
    assert rows(database, "select channel, reason from suppression") == [("sms", "opt_out.at_provider")]
    assert [entry["touch_id"] for entry in told(database, "touch.cancelled")] == [str(waiting)]


async def test_a_receipt_for_an_attempt_whose_process_died_settles_its_touch(database: str) -> None:
    async with a_house(database) as house:
        token, _ = await one_sent(database, house)
        # As a process leaves it that dies between the provider's answer and the settlement.
        rows(database, "update attempt set state = 'started', outcome = 'pending', rank = 0 returning 1")
        rows(database, "update touch set state = 'started' returning 1")
        await give(house, token, "sent")
        clock_of(house).instant += timedelta(minutes=10)
        await sweep(house)
    assert rows(database, "select state from touch") == [("sent",)]
    assert rows(database, "select state, outcome from attempt") == [("accepted", "sent")]
