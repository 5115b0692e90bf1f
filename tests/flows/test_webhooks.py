"""Webhooks against a real receiver: signed, in order for each case, repeated under the same id."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from aiohttp import web

from outreach.clock import FixedClock
from outreach.domain.outbound_types import Type
from outreach.domain.timeline import Entry
from outreach.domain.webhook import Endpoint, Webhooks, read_secret
from outreach.flows.webhooks import REST_AFTER, Desk, begin, send_due
from outreach.store.pg import PgStore
from outreach.workers.poster import HttpPoster
from outreach.workers.webhooks import Sender
from tests.support.book import START, Someone, put
from tests.support.house import rows
from tests.support.receiver import OLD_SECRET, SECRET, Got, Receiver, a_receiver, until

ADA = Someone()
BEN = Someone(ref="B2", phone="+12125550102", email="ben@example.com")
CAT = Someone(ref="B3", phone="+12125550103", email="cat@example.com")
LATER = timedelta(days=1)


class House:
    """A store with three cases, one receiver called ledger, and a process that sends."""

    def __init__(self, store: PgStore, receiver: Receiver, poster: HttpPoster, database: str) -> None:
        self.store, self.receiver, self.database = store, receiver, database
        self.clock = FixedClock(START)
        self.ledger = Endpoint("ledger", receiver.url, (read_secret(SECRET),), private=True)
        self.desk = Desk(store, self.clock, poster, Webhooks(endpoints=(self.ledger,)), uuid4())

    async def tell(self, one: Someone, *numbers: int, kind: str = "promise.made", **more: Any) -> None:
        async with self.store.transaction() as tx:
            await tx.append([Entry(one.case_id, START, kind, {"promise_id": str(each), **more}) for each in numbers])

    async def run(self, endpoint: Endpoint | None = None, desk: Desk | None = None) -> None:
        """Send until nothing is due."""
        while await send_due(desk or self.desk, endpoint or self.ledger):
            pass

    async def step(self, span: timedelta) -> None:
        self.clock.instant += span
        await self.run()

    def taken(self, one: Someone | None = None) -> list[str]:
        """Return the promises the receiver took, in its order."""
        got = [each for each in self.receiver.taken if one is None or each.case == str(one.case_id)]
        return [each.event["data"]["promise_id"] for each in got]

    def endpoint(self) -> dict[str, Any]:
        return dict(rows(self.database, "select row_to_json(e) from webhook_endpoint e where name = 'ledger'")[0][0])

    def alerts(self) -> list[str]:
        return [row[0] for row in rows(self.database, "select kind from alert where closed_at is null order by 1")]


@pytest.fixture
async def house(database: str) -> AsyncIterator[House]:
    put(database, ADA, BEN, CAT)
    store = PgStore(database)
    await store.open()
    async with a_receiver() as receiver, HttpPoster() as poster:
        found = House(store, receiver, poster, database)
        await begin(found.desk)
        yield found
    await store.close()


def refusing(wanted: Callable[[Got], bool], status: int = 500) -> Callable[[Got], web.Response]:
    return lambda got: web.Response(status=status if wanted(got) else 204)


async def test_an_event_arrives_once_signed_and_whole(house: House) -> None:
    await house.tell(ADA, 1, amount_minor=4_000, currency="USD", due_on="2027-03-12", evidence="inbox:1")
    await house.run()
    (got,) = house.receiver.taken
    assert house.receiver.refused == 0
    assert got.headers["content-type"].startswith("application/cloudevents+json")
    assert got.headers["webhook-timestamp"] == str(int(START.timestamp()))
    assert got.key == got.event["id"] == f"{ADA.case_id}-1"
    assert (got.event["type"], got.event["subject"], got.event["caseseq"]) == ("promise.made", "account/B1-A1", 1)
    assert got.event["data"] == {
        "case_id": str(ADA.case_id), "account_id": "B1-A1", "borrower_id": "B1", "creditor_id": "harbour",
        "promise_id": "1", "amount_minor": 4_000, "currency": "USD", "due_on": "2027-03-12",
    }  # fmt: skip
    await house.step(LATER)
    assert len(house.receiver.got) == 1


async def test_after_a_500_the_same_id_comes_again_and_is_taken_once(house: House) -> None:
    house.receiver.answer = refusing(lambda _: len(house.receiver.got) == 1)
    await house.tell(ADA, 1)
    await house.run()
    assert house.taken() == []
    await house.step(timedelta(seconds=1))
    assert len(house.receiver.got) == 1, "patience has not run out"
    await house.step(timedelta(seconds=5))
    assert [each.key for each in house.receiver.got] == [f"{ADA.case_id}-1"] * 2
    first, second = house.receiver.got
    assert second.headers["webhook-timestamp"] > first.headers["webhook-timestamp"], "each try is signed anew"
    await house.step(LATER)
    assert house.taken() == ["1"]
    assert rows(house.database, "select * from webhook_delivery") == []


async def test_a_failed_event_holds_its_case_back_and_no_other(house: House) -> None:
    bad = {"1"}
    house.receiver.answer = refusing(lambda got: got.event["data"]["promise_id"] in bad)
    await house.tell(ADA, 1, 2)
    await house.tell(BEN, 10, 11)
    await house.run()
    await house.tell(ADA, 3)
    await house.tell(BEN, 12)
    await house.run()
    assert (house.taken(ADA), house.taken(BEN)) == ([], ["10", "11", "12"])
    bad.clear()
    await house.step(LATER)
    assert house.taken(ADA) == ["1", "2", "3"]
    assert rows(house.database, "select * from webhook_delivery") == []


async def test_the_events_of_a_case_never_overtake_each_other(house: House) -> None:
    tries: dict[str, int] = {}

    def flaky(got: Got) -> web.Response:
        tries[got.key] = tries.get(got.key, 0) + 1
        return web.Response(status=503 if (tries[got.key] + hash(got.key)) % 3 else 200)

    house.receiver.answer = flaky
    for number in range(12):
        await house.tell((ADA, BEN, CAT)[number % 3], number)
        await house.run()
    for _ in range(30):
        await house.step(timedelta(hours=4))
    for one, start in ((ADA, 0), (BEN, 1), (CAT, 2)):
        assert house.taken(one) == [str(number) for number in range(start, 12, 3)]
    assert len(house.receiver.keys) == len(set(house.receiver.keys)) == 12


async def test_a_dead_endpoint_is_tried_patiently_and_loses_nothing(house: House) -> None:
    house.receiver.answer = refusing(lambda _: True, 502)
    for one in (ADA, BEN, CAT):
        await house.tell(one, *range(50))
    await house.run()
    assert REST_AFTER <= len(house.receiver.got) < 20, "it was not hammered"
    before = len(house.receiver.got)
    for _ in range(24):
        await house.step(timedelta(hours=1))
    assert len(house.receiver.got) - before <= 24
    assert house.alerts() == ["webhook.failing"]
    house.receiver.answer = refusing(lambda _: False)
    for _ in range(6):
        await house.step(timedelta(hours=1))
    for one in (ADA, BEN, CAT):
        assert house.taken(one) == [str(number) for number in range(50)]
    assert house.endpoint()["failures"] == 0


async def test_one_event_nobody_can_read_is_given_up_after_three_days(house: House) -> None:
    house.receiver.answer = refusing(lambda got: got.event["data"]["promise_id"] == "1", 400)
    await house.tell(ADA, 1, 2)
    await house.run()
    for day in range(4):
        for _ in range(6):
            await house.step(timedelta(hours=4))
        await house.tell(BEN, 10 + day)
        await house.run()
    assert house.taken(BEN) == ["10", "11", "12", "13"]
    assert house.taken(ADA) == ["2"]
    assert "webhook.gave_up" in house.alerts()
    assert house.endpoint()["state"] == "active"
    assert rows(house.database, "select state, note from webhook_delivery") == [("given_up", "http_400")]


async def test_an_endpoint_that_takes_nothing_for_three_days_is_disabled_where_it_stands(house: House) -> None:
    house.receiver.answer = refusing(lambda _: True)
    await house.tell(ADA, *range(5))
    await house.tell(BEN, *range(5, 8))
    await house.tell(CAT, 8)
    await house.run()
    for _ in range(30):
        await house.step(timedelta(hours=4))
    assert house.endpoint()["state"] == "disabled"
    assert "webhook.disabled" in house.alerts()
    assert "webhook.gave_up" not in house.alerts()
    house.receiver.answer = refusing(lambda _: False)
    async with house.store.transaction() as tx:
        await tx.enable_endpoint("ledger")
    for _ in range(6):
        await house.step(timedelta(hours=4))
    assert sorted(house.taken(), key=int) == [str(number) for number in range(9)]


async def test_410_disables_at_once_and_nothing_more_is_sent(house: House) -> None:
    house.receiver.answer = refusing(lambda _: True, 410)
    await house.tell(ADA, 1, 2)
    await house.run()
    await house.tell(BEN, 3)
    await house.step(LATER)
    assert len(house.receiver.got) == 1
    assert (house.endpoint()["state"], house.alerts()) == ("disabled", ["webhook.disabled"])


async def test_a_redirect_is_a_failure_and_is_not_followed(house: House) -> None:
    async with a_receiver() as elsewhere:
        house.receiver.answer = lambda _: web.Response(status=307, headers={"Location": elsewhere.url})
        await house.tell(ADA, 1)
        await house.run()
        assert (elsewhere.got, elsewhere.refused, house.taken()) == ([], 0, [])
    assert rows(house.database, "select note from webhook_delivery") == [("http_307",)]


async def test_retry_after_is_heeded(house: House) -> None:
    house.receiver.answer = lambda _: web.Response(status=429, headers={"Retry-After": "3600"})
    await house.tell(ADA, 1)
    await house.run()
    house.receiver.answer = refusing(lambda _: False)
    await house.step(timedelta(minutes=59))
    assert house.taken() == []
    await house.step(timedelta(minutes=2))
    assert house.taken() == ["1"]


@pytest.mark.parametrize("knows", [SECRET, OLD_SECRET], ids=["the new secret", "the old secret"])
async def test_while_secrets_are_rotated_each_of_both_verifies(house: House, knows: str) -> None:
    house.receiver.secret = knows
    await house.tell(ADA, 1)
    await house.run(replace(house.ledger, secrets=(read_secret(SECRET), read_secret(OLD_SECRET))))
    assert (house.taken(), house.receiver.refused) == (["1"], 0)


async def test_a_wrong_secret_is_refused_by_the_receiver(house: House) -> None:
    await house.tell(ADA, 1)
    await house.run(replace(house.ledger, secrets=(read_secret(OLD_SECRET),)))
    assert (house.taken(), house.receiver.refused) == ([], 1)


async def test_replay_sends_the_same_events_under_the_same_ids(house: House) -> None:
    await house.tell(ADA, 1, 2, 3)
    await house.run()
    cursor = int(house.receiver.taken[0].event["cursor"])
    async with house.store.transaction() as tx:
        assert await tx.replay_endpoint("ledger", cursor) == "active"
    await house.run()
    assert house.taken() == ["1", "2", "3", "2", "3"]
    assert house.receiver.taken[3].body == house.receiver.taken[1].body


async def test_a_replay_while_events_are_under_way_is_not_undone(house: House) -> None:
    async def replayed(_: Got) -> web.Response:
        house.receiver.answer = refusing(lambda _: False)
        async with house.store.transaction() as tx:
            await tx.replay_endpoint("ledger", 0)
        return web.Response(status=204)

    await house.tell(ADA, 1)
    await house.run()
    house.receiver.answer = replayed
    await house.tell(ADA, 2)
    await house.run()
    assert house.taken() == ["1", "2", "1", "2"]


async def test_only_the_wanted_types_are_sent_and_words_only_where_permitted(house: House, database: str) -> None:
    reply = uuid4()
    rows(
        database,
        "insert into reply (reply_id, inbox_id, borrower_id, case_id, channel, body, received_at, intent, confidence, "
        "must_stop, reading) values (%s, %s, %s, %s, 'sms', 'in 3 parts please', %s, 'installments', 1, false, '{}') "
        "returning 1",
        reply, uuid4(), ADA.borrower_id, ADA.case_id, START,
    )  # fmt: skip
    await house.tell(ADA, 1, kind="reply", reply_id=reply, intent="installments", channel="sms")
    await house.tell(ADA, 2)
    only = replace(house.ledger, types=frozenset({Type.REPLY_RECEIVED}))
    await house.run(only)
    async with house.store.transaction() as tx:
        await tx.replay_endpoint("ledger", 0)
    await house.run(replace(only, words=True))
    shy, open_ = (each.event["data"] for each in house.receiver.taken)
    assert "words" not in shy
    assert open_["words"] == "in 3 parts please"
    assert shy["intent"] == "installments"


async def test_two_processes_send_nothing_twice(house: House) -> None:
    other = replace(house.desk, holder=uuid4())
    for number in range(20):
        await house.tell((ADA, BEN)[number % 2], number)
    await asyncio.gather(house.run(), house.run(desk=other))
    await house.run()
    assert sorted(house.taken(), key=int) == [str(number) for number in range(20)]


async def test_a_sender_killed_in_the_middle_repeats_under_the_same_ids(house: House) -> None:
    never = asyncio.Event()

    async def stuck(got: Got) -> web.Response:
        if got.event["data"]["promise_id"] == "2":
            await never.wait()
        return web.Response(status=204)

    house.receiver.answer = stuck
    await house.tell(ADA, 1, 2, 3)
    killed = asyncio.create_task(send_due(house.desk, house.ledger))
    await until(lambda: len(house.receiver.got) == 2)
    killed.cancel()
    with pytest.raises(asyncio.CancelledError):
        await killed
    house.receiver.answer = refusing(lambda _: False)
    other = replace(house.desk, holder=uuid4())
    await house.run(desk=other)
    assert house.taken() == ["1"], "the lease of the dead one still holds"
    house.clock.instant += timedelta(minutes=2)
    await house.run(desk=other)
    assert house.taken() == ["1", "1", "2", "3"]
    assert list(dict.fromkeys(house.receiver.keys)) == [f"{ADA.case_id}-{seq}" for seq in (1, 2, 3)]


async def test_an_endpoint_that_hangs_is_in_nobodys_way(house: House) -> None:
    never = asyncio.Event()

    async def hang(_: Got) -> web.Response:
        await never.wait()
        return web.Response()

    async with a_receiver() as slow:
        slow.answer = hang
        both = Webhooks(endpoints=(replace(house.ledger, name="slow", url=slow.url), house.ledger))
        sender = Sender(replace(house.desk, webhooks=both))
        running = asyncio.create_task(sender.run())
        await until(lambda: len(rows(house.database, "select 1 from webhook_endpoint")) == 2)
        for number in range(5):
            await house.tell(ADA, number)
        await until(lambda: len(house.taken()) == 5)
        await until(lambda: slow.got)
        assert slow.taken == []
        never.set()
        sender.stop()
        await running


async def test_a_new_endpoint_hears_what_comes_from_now_on(house: House) -> None:
    await house.tell(ADA, 1)
    fresh = replace(house.ledger, name="fresh")
    desk = replace(house.desk, webhooks=Webhooks(endpoints=(fresh,)))
    await begin(desk)
    await house.tell(ADA, 2)
    await house.run(fresh, desk)
    assert house.taken() == ["2"]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "[::ffff:127.0.0.1]", "0.0.0.0"])  # noqa: S104
async def test_addresses_inside_the_house_are_not_called_unless_permitted(house: House, host: str) -> None:
    inside = replace(house.ledger, url=house.receiver.url.replace("127.0.0.1", host), private=False)
    await house.tell(ADA, 1)
    await house.run(inside)
    assert (house.receiver.got, house.receiver.refused) == ([], 0)
    assert rows(house.database, "select note from webhook_delivery") in ([("address_not_public",)], [("bad_url",)])


async def test_nothing_of_an_event_is_in_the_logs(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    house.receiver.answer = refusing(lambda got: got.event["data"]["promise_id"] == "1")
    await house.tell(ADA, 1)
    await house.tell(BEN, 77_031)
    await house.run()
    said = "".join(capsys.readouterr())
    assert not [secret for secret in ("77031", "B1", "B2", str(ADA.case_id), house.receiver.url) if secret in said]
