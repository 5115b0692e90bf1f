"""Twenty dispatchers race for one person's last slot: one of them gets it, on every try."""

import asyncio
import json
import subprocess
import sys
from collections import Counter
from contextlib import AsyncExitStack
from uuid import UUID

import pytest

from channels.fake import FakeChannel
from outreach.flows.dispatch import dispatch
from outreach.flows.schedule import queue_ready
from tests.support.book import Someone, put
from tests.support.house import a_house, rows
from tests.support.touching import plan_touch

RACERS = 20
ROUNDS = 3


async def race(database: str, keys: list[UUID]) -> tuple[Counter[str], int]:
    """Give every touch to a dispatcher of its own, with a connection of its own, all at the same time."""
    sms = FakeChannel()
    async with AsyncExitStack() as stack:
        houses = [await stack.enter_async_context(a_house(database, channels={"sms": sms})) for _ in keys]
        await queue_ready(houses[0])
        start = asyncio.Barrier(len(keys))

        async def one(number: int) -> dict[str, int]:
            await start.wait()
            return await dispatch(houses[number], "sms", [keys[number]])

        tallies = await asyncio.gather(*(one(number) for number in range(len(keys))))
    total: Counter[str] = Counter()
    for tally in tallies:
        total.update(tally)
    return total, len(sms.sent)


def someone(number: int, phone: str) -> Someone:
    return Someone(ref=f"B{number}", phone=phone, email=f"b{number}@example.com")


@pytest.mark.parametrize("number", range(ROUNDS))
async def test_one_borrowers_last_slot_is_given_away_once(database: str, number: int) -> None:
    put(database, ada := someone(number, "+12125550101"))
    total, left = await race(database, [plan_touch(database, ada) for _ in range(RACERS)])
    assert (left, total) == (1, Counter(sent=1, deferred=RACERS - 1))
    assert rows(database, "select count(*) from attempt") == [(1,)]
    assert rows(database, "select verdict, count(*) from decision group by 1 order by 1") == [
        ("defer", RACERS - 1),
        ("send", 1),
    ]


@pytest.mark.parametrize("number", range(ROUNDS))
async def test_the_last_slot_of_a_number_twenty_people_share_is_given_away_once(database: str, number: int) -> None:
    people = [someone(100 * number + each, "+12125550101") for each in range(RACERS)]
    put(database, *people)
    total, left = await race(database, [plan_touch(database, one) for one in people])
    assert (left, total) == (1, Counter(sent=1, deferred=RACERS - 1))


async def test_sharers_in_a_chain_of_numbers_do_not_wait_for_each_other_for_ever(database: str) -> None:
    # Each shares a number with the next: everyone's lock set overlaps two others', in a ring.
    people = [someone(each, f"+121255501{each:02}") for each in range(RACERS)]
    put(database, *people)
    rows(
        database,
        """insert into contact_point (contact_point_id, borrower_id, kind, value, type, regions, zones, created_at,
             updated_at, priority)
           select gen_random_uuid(), b.borrower_id, 'phone',
             '+121255501' || lpad(mod(substr(b.external_id, 2)::int + 1, 20)::text, 2, '0'),
             p.type, p.regions, p.zones, p.created_at, p.updated_at, 1
           from borrower b join contact_point p on p.borrower_id = b.borrower_id and p.kind = 'phone' returning 1""",
    )
    total, left = await race(database, [plan_touch(database, one) for one in people])
    assert total["sent"] == left
    assert sum(total.values()) == RACERS
    most = rows(database, "select max(n) from (select count(*) as n from attempt group by contact_point_id) t")
    assert most == [(1,)]
    shared = rows(
        database,
        """select p.value, count(*) from attempt a join contact_point p using (contact_point_id)
           group by 1 having count(*) > 1""",
    )
    assert shared == []


def test_processes_race_as_harmlessly_as_tasks(database: str) -> None:
    put(database, ada := someone(1, "+12125550101"))
    keys = [plan_touch(database, ada) for _ in range(RACERS)]
    rows(database, "update touch set state = 'queued' returning 1")
    command = [sys.executable, "-m", "tests.support.dispatcher", database]
    racers = [
        subprocess.Popen(
            [*command, *map(str, keys[number::4])], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for number in range(4)
    ]
    try:
        for racer in racers:
            assert racer.stdout is not None
            while racer.stdout.readline().strip() != "ready":
                assert racer.poll() is None
        for racer in racers:
            assert racer.stdin is not None
            racer.stdin.write("go\n")
            racer.stdin.flush()
        told = [racer.communicate(timeout=60)[0].splitlines()[-1] for racer in racers]
    finally:
        for racer in racers:
            racer.kill()
            racer.wait()
    assert sum(len(json.loads(line)["sent"]) for line in told) == 1
    assert rows(database, "select count(*) from attempt") == [(1,)]
