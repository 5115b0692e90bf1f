"""Twenty dispatchers race for one person's last slot: one of them gets it, a hundred times out of a hundred."""

import asyncio
import json
import shutil
import subprocess
import sys
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Self
from uuid import UUID, uuid4

import psycopg
import pytest

from channels.fake import FakeChannel
from outreach.flows.dispatch import dispatch
from outreach.flows.house import House
from outreach.flows.schedule import queue_ready
from outreach.policy.load import load_policy
from outreach.policy.policy import Policy
from tests.support.book import START, Someone, add_account, put
from tests.support.house import a_house, rows
from tests.support.touching import plan_crowd, plan_touch

RACERS = 20
ROUNDS = 100

pytestmark = pytest.mark.timeout(600)


class Race:
    """Twenty dispatchers, each with a connection of its own, and one fake carrier."""

    def __init__(self, database: str, policy: Policy | None = None) -> None:
        self.database, self.policy = database, policy
        self.sms = FakeChannel()
        self._stack = AsyncExitStack()
        self.houses: list[House] = []

    async def __aenter__(self) -> Self:
        for _ in range(RACERS):
            house = await self._stack.enter_async_context(a_house(self.database, channels={"sms": self.sms}))
            self.houses.append(house if self.policy is None else replace(house, policy=self.policy))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def run(self, keys: list[UUID]) -> tuple[Counter[str], int]:
        """Give every touch to a dispatcher of its own, all at the same time; returns what became of them."""
        before = len(self.sms.sent)
        await queue_ready(self.houses[0])
        start = asyncio.Barrier(len(keys))

        async def one(house: House, key: UUID) -> dict[str, int]:
            await start.wait()
            return await dispatch(house, "sms", [key])

        tallies = await asyncio.gather(*(one(house, key) for house, key in zip(self.houses, keys, strict=True)))
        total: Counter[str] = Counter()
        for tally in tallies:
            total.update(tally)
        return total, len(self.sms.sent) - before


def someone(number: int, phone: str) -> Someone:
    return Someone(ref=f"B{number}", phone=phone, email=f"b{number}@example.com")


def by_the_debt(folder: Path) -> Policy:
    """Return the shipped policy with caps that count each debt by itself."""
    shutil.copytree("config/policies", folder, dirs_exist_ok=True)
    house = (folder / "house.yaml").read_text(encoding="utf-8")
    for rule in ("house.touches", "house.gap"):
        head, tail = house.split(f"- id: {rule}\n")
        house = f"{head}- id: {rule}\n" + tail.replace("scope: borrower", "scope: case", 1)
    head, tail = house.split("- id: house.shared_point\n")
    house = f"{head}- id: house.shared_point\n" + tail.replace("{most: 1, per: day}", "{most: 100, per: day}", 1)
    (folder / "house.yaml").write_text(house, encoding="utf-8")
    return load_policy(folder)


async def test_one_borrowers_last_slot_is_given_away_once(database: str) -> None:
    async with Race(database) as race:
        for number in range(ROUNDS):
            put(database, ada := someone(number, f"+1212555{number:04}"))
            total, left = await race.run(plan_crowd(database, [(ada, ada.case_id)] * RACERS))
            assert (left, total) == (1, Counter(sent=1, deferred=RACERS - 1)), number
    assert rows(database, "select count(*), count(distinct borrower_id) from attempt") == [(ROUNDS, ROUNDS)]
    assert rows(database, "select verdict, count(*) from decision group by 1 order by 1") == [
        ("defer", ROUNDS * (RACERS - 1)),
        ("send", ROUNDS),
    ]


async def test_the_last_slot_of_each_debt_is_given_away_once(database: str, tmp_path: Path) -> None:
    async with Race(database, by_the_debt(tmp_path)) as race:
        for number in range(ROUNDS):
            put(database, ada := someone(number, f"+1212555{number:04}"))
            second = uuid4()
            with psycopg.connect(database) as connection:
                add_account(connection, ada, f"B{number}-A2", uuid4(), second, START)
            total, left = await race.run(plan_crowd(database, [(ada, ada.case_id), (ada, second)] * (RACERS // 2)))
            assert (left, total) == (2, Counter(sent=2, deferred=RACERS - 2)), number
    assert rows(database, "select count(*), count(distinct case_id) from attempt") == [(2 * ROUNDS, 2 * ROUNDS)]


async def test_the_last_slot_of_a_number_twenty_people_share_is_given_away_once(database: str) -> None:
    async with Race(database) as race:
        for number in range(ROUNDS):
            people = [someone(100 * number + each, f"+1212555{number:04}") for each in range(RACERS)]
            put(database, *people)
            total, left = await race.run(plan_crowd(database, [(one, one.case_id) for one in people]))
            assert (left, total) == (1, Counter(sent=1, deferred=RACERS - 1)), number


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
    async with Race(database) as race:
        total, left = await race.run([plan_touch(database, one) for one in people])
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
