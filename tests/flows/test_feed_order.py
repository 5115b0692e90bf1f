"""The cursor never skips: whatever order transactions commit in, each event is read once, a case's in order."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from outreach.domain.outbound_types import Type
from outreach.domain.timeline import Entry
from outreach.flows.outgoing import STRETCH, Slice, read_events
from outreach.store.pg import PgStore, PgTx
from tests.support.book import START, Someone, put
from tests.support.house import rows

ADA = Someone()
BEN = Someone(ref="B2", phone="+12125550102", email="ben@example.com")


@pytest.fixture
async def store(database: str) -> AsyncIterator[PgStore]:
    put(database, ADA, BEN)
    found = PgStore(database)
    await found.open()
    yield found
    await found.close()


def promise(case: UUID, number: int) -> Entry:
    return Entry(
        case, START + timedelta(minutes=number), "promise.made", {"promise_id": f"p{number}", "amount_minor": 1}
    )


def told(found: Slice) -> list[str]:
    return [str(each.data["promise_id"]) for each in found.events]


async def feed(store: PgStore, after: int = 0, limit: int = 100, **more: Any) -> Slice:
    async with store.transaction() as tx:
        return await read_events(tx, after, limit, **more)


@asynccontextmanager
async def written(store: PgStore, *entries: Entry) -> AsyncIterator[PgTx]:
    """Hold a transaction open that has taken its places and not committed yet."""
    async with store.transaction() as tx:
        await tx.append(entries)
        await tx.write_told()
        yield tx


async def write(store: PgStore, *entries: Entry) -> None:
    async with store.transaction() as tx:
        await tx.append(entries)


async def test_what_commits_late_is_not_skipped(store: PgStore) -> None:
    async with written(store, promise(ADA.case_id, 1)):
        await write(store, promise(BEN.case_id, 2))
        early = await feed(store)
        assert told(early) == [], "2 can be seen, but 1 comes before it"
    late = await feed(store, early.position)
    assert told(late) == ["p1", "p2"]
    assert told(await feed(store, late.position)) == []


async def test_what_was_rolled_back_holds_nothing_up(store: PgStore) -> None:
    async def change_ones_mind() -> None:
        async with written(store, promise(ADA.case_id, 1)):
            await write(store, promise(BEN.case_id, 2))
            raise RuntimeError("changed its mind")

    with pytest.raises(RuntimeError, match="changed its mind"):
        await change_ones_mind()
    assert told(await feed(store)) == ["p2"]


async def test_a_transaction_that_writes_no_timeline_holds_nothing_up(store: PgStore) -> None:
    async with store.transaction() as tx:
        await tx.lock_borrowers([ADA.borrower_id])
        await write(store, promise(BEN.case_id, 2))
        assert told(await feed(store)) == ["p2"]


async def test_a_case_is_told_in_its_own_order_whoever_began_first(store: PgStore) -> None:
    async with store.transaction() as first:
        await first.lock_borrowers([BEN.borrower_id])  # it has its transaction id before the other
        await write(store, promise(ADA.case_id, 1))
        await first.append([promise(ADA.case_id, 2)])
    events = (await feed(store)).events
    assert [(each.told.seq, each.data["promise_id"]) for each in events] == [(1, "p1"), (2, "p2")]


async def test_many_writers_and_a_reader_lose_and_repeat_nothing(store: PgStore) -> None:
    total, position, seen = 60, 0, list[str]()

    async def one(number: int) -> None:
        case = (ADA, BEN)[number % 2].case_id
        async with written(store, promise(case, number)) as tx:
            for _ in range(number % 5):
                await tx.server_clock()

    writing = asyncio.gather(*(one(number) for number in range(total)))
    async with asyncio.timeout(30):
        while len(seen) < total:
            found = await feed(store, position, limit=3)
            position, seen = found.position, seen + told(found)
            await asyncio.sleep(0)
    await writing
    assert sorted(seen) == sorted(f"p{number}" for number in range(total))


async def test_a_small_limit_reads_the_same_as_a_large_one(store: PgStore) -> None:
    await write(store, *(promise(ADA.case_id, number) for number in range(7)))
    seen, position, more = list[str](), 0, True
    while more:
        found = await feed(store, position, limit=2)
        seen, position, more = seen + told(found), found.position, found.more
    assert seen == told(await feed(store)) == [f"p{number}" for number in range(7)]


async def test_types_that_are_not_wanted_move_the_cursor_on(store: PgStore, database: str) -> None:
    await write(store, promise(ADA.case_id, 1))
    gap = STRETCH * 3
    rows(database, f"select setval('timeline_position_seq', {gap})")
    await write(store, Entry(ADA.case_id, START, "hold.placed", {"kind": "dispute"}))
    found = await feed(store, types=frozenset({Type.HOLD_PLACED}))
    assert [each.type for each in found.events] == [Type.HOLD_PLACED]
    nothing = await feed(store, types=frozenset({Type.CASE_ESCALATED}))
    assert (nothing.events, nothing.position, nothing.more) == ((), gap + 1, False)


def test_every_insert_into_the_timeline_says_where_it_is(database: str) -> None:
    """Also one past the store: the trigger is the table's own."""
    with psycopg.connect(database) as line:
        line.execute(
            "insert into timeline (case_id, seq, at, kind, data, prev_hash, hash) "
            "values (gen_random_uuid(), 1, %s, 'event', '{}', '', '')",
            (START,),
        )
        assert rows(database, "select timeline_settled()") == [(0,)]
    assert rows(database, "select timeline_settled()") == [(1,)]
