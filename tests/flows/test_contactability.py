"""Numbers and mailboxes that nothing reaches are given up with a reason, and come back when something does."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from channels.errors import BadAddress
from channels.fake import FakeChannel
from outreach.domain.protection import Band, Protection, Streak, Threshold
from outreach.flows.house import House
from outreach.flows.protect import protect
from tests.support.book import Someone, put
from tests.support.house import START, a_house, clock_of, rows, run_lanes
from tests.support.touching import attempts, fake, plan_touch, receive, run_intake, say, told, touch

DAY = timedelta(days=1)
NEVER = Threshold(DAY, 100_000, 1.0)
RULES = Protection(
    bands={"sms": Band(timedelta(minutes=10), timedelta(hours=24))}, late=NEVER, missing=NEVER, surge=NEVER,
    hygiene=NEVER, silent=Streak(3, 4), undelivered=Streak(3, 4),
)  # fmt: skip


def careful(house: House) -> House:
    return replace(house, protection=RULES)


async def text(database: str, house: House, one: Someone, day: int, status: str | None = None, **more: Any) -> None:
    """Send a text on a day, and let the provider say what became of it, or nothing."""
    clock_of(house).instant = at = START + day * DAY
    plan_touch(database, one, at=at)
    assert (await run_lanes(house)).get("sent") == 1
    if status:
        token = attempts(database)[-1]["token"]
        await receive(house, "sms", dedupe_key=f"{day}:{status}", status=status, token=token, **more)
        await run_intake(house)


def state(database: str, one: Someone) -> tuple[str, str | None]:
    ((found, why),) = rows(
        database, "select state, state_reason from contact_point where contact_point_id = %s", one.phone_id
    )
    return found, why


async def test_a_number_where_nothing_was_delivered_for_days_is_given_up(database: str) -> None:
    put(database, ada := Someone())
    async with a_house(database) as opened:
        house = careful(opened)
        await text(database, house, ada, 0, "undelivered")
        await text(database, house, ada, 2, "undelivered")
        assert state(database, ada) == ("active", None)
        await text(database, house, ada, 4, "failed")
        assert state(database, ada) == ("silent", "silent.undelivered")
        (entry,) = told(database, "contact_point.demoted")
        assert (entry["contact_point_id"], entry["reasons"]) == (str(ada.phone_id), ["silent.undelivered"])


async def test_a_given_up_number_is_refused_with_the_reason_and_the_plan_goes_on_by_email(database: str) -> None:
    put(database, ada := Someone())
    rows(database, "update contact_point set state = 'silent' where kind = 'phone' returning 1")
    alone = plan_touch(database, ada)
    async with a_house(database) as house:
        assert await run_lanes(house) == {"blocked": 1}
        assert touch(database, alone)["reason"] == "point.silent"
        both = plan_touch(database, ada, fallback=("email",))
        assert await run_lanes(house) == {"fell_back": 1, "sent": 1}
        assert touch(database, both)["channel"] == "email"


@pytest.mark.parametrize("type_", ["fixed_line", "toll_free"])
async def test_a_number_that_takes_no_texts_is_refused_with_the_reason(database: str, type_: str) -> None:
    put(database, ada := Someone(phone_type=type_))
    key = plan_touch(database, ada)
    async with a_house(database) as house:
        assert await run_lanes(house) == {"blocked": 1}
    assert touch(database, key)["reason"] == "point.takes_no_texts"


async def test_failures_close_together_give_up_nothing(database: str) -> None:
    put(database, ada := Someone())
    async with a_house(database) as opened:
        house = careful(opened)
        for day in range(4):
            await text(database, house, ada, day, "undelivered")
        assert state(database, ada) == ("active", None)


async def test_a_delivery_between_begins_the_count_anew(database: str) -> None:
    put(database, ada := Someone())
    async with a_house(database) as opened:
        house = careful(opened)
        for day, status in ((0, "undelivered"), (2, "undelivered"), (3, "delivered"), (5, "undelivered")):
            await text(database, house, ada, day, status)
        assert state(database, ada) == ("active", None)


async def test_a_number_nobody_sends_news_of_is_given_up(database: str) -> None:
    put(database, ada := Someone())
    async with a_house(database) as opened:
        house = careful(opened)
        for day in (0, 2, 4):
            await text(database, house, ada, day)
            await protect(house)
        assert state(database, ada) == ("active", None)
        clock_of(house).instant = START + 5 * DAY
        await protect(house)
        assert state(database, ada) == ("silent", "silent.no_receipt")


@pytest.mark.parametrize("kind", ["channel.error_surge", "receipts.missing", "receipts.late", "channel.down"])
async def test_while_a_lane_is_in_doubt_no_number_is_given_up_for_it(database: str, kind: str) -> None:
    put(database, ada := Someone())
    async with a_house(database) as opened:
        house = careful(opened)
        async with house.store.transaction() as tx:
            await tx.open_alert(kind, "sms", "", START)
        for day in (0, 2, 4):
            await text(database, house, ada, day, "undelivered")
        assert state(database, ada) == ("active", None)


async def test_a_late_delivery_puts_a_number_back_into_use(database: str) -> None:
    put(database, ada := Someone())
    async with a_house(database) as opened:
        house = careful(opened)
        for day in (0, 2, 4):
            await text(database, house, ada, day, "undelivered")
        assert state(database, ada)[0] == "silent"
        token = attempts(database)[-1]["token"]
        await receive(house, "sms", dedupe_key="late", status="delivered", token=token)
        await run_intake(house)
        assert state(database, ada) == ("active", None)
        assert told(database, "contact_point.promoted")[0]["reasons"] == ["reached.delivered"]
        await text(database, house, ada, 8, "undelivered")
        assert state(database, ada) == ("active", None), "what failed before is past"


async def test_a_reply_puts_a_number_back_into_use(database: str) -> None:
    put(database, ada := Someone())
    async with a_house(database) as opened:
        house = careful(opened)
        for day in (0, 2, 4):
            await text(database, house, ada, day, "undelivered")
        await say(house, ada, "I can pay on friday", key="r1")
        assert state(database, ada) == ("active", None)
        assert told(database, "contact_point.promoted")[0]["reasons"] == ["reached.replied"]
        assert len(fake(house).sent) == 4, "the answer went back to it"


async def test_a_number_that_a_person_disowned_is_not_put_back_by_a_delivery(database: str) -> None:
    put(database, ada := Someone())
    async with a_house(database) as opened:
        house = careful(opened)
        await text(database, house, ada, 0)
        rows(database, "update contact_point set state = 'wrong_party', state_reason = 'said_so' returning 1")
        token = attempts(database)[-1]["token"]
        await receive(house, "sms", dedupe_key="late", status="delivered", token=token)
        await run_intake(house)
        assert state(database, ada) == ("wrong_party", "said_so")


async def test_an_older_delivery_does_not_outdo_a_later_refusal_of_the_number(database: str) -> None:
    put(database, ada := Someone())
    async with a_house(database) as opened:
        house = careful(opened)
        await text(database, house, ada, 0)
        await text(database, house, ada, 2, "undelivered", error_class="bad_address")
        assert state(database, ada) == ("invalid", "provider.bad_address")
        token = attempts(database)[0]["token"]
        await receive(house, "sms", dedupe_key="late", status="delivered", token=token)
        await run_intake(house)
        assert state(database, ada) == ("invalid", "provider.bad_address")


async def test_a_number_the_provider_refuses_at_once_is_told_on_the_case(database: str) -> None:
    put(database, ada := Someone())
    plan_touch(database, ada)
    async with a_house(database, channels={"sms": FakeChannel(BadAddress("none"))}) as house:
        await run_lanes(house)
    assert state(database, ada) == ("invalid", "provider.bad_address")
    (entry,) = told(database, "contact_point.demoted")
    assert (entry["state"], entry["reasons"]) == ("invalid", ["provider.bad_address"])
