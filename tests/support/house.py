"""A real house on a test's database: real policy, plans and templates; fake channels; a clock that stands still."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg

from channels.contract import Channel, Medium
from channels.fake import FakeChannel
from outreach.bootstrap import wire_house
from outreach.clock import FixedClock
from outreach.domain.words import Level
from outreach.flows.callbacks import sweep_inbox
from outreach.flows.dispatch import dispatch
from outreach.flows.house import House
from outreach.flows.pacing import NoPacing
from outreach.flows.ports import Pacer
from outreach.flows.schedule import load_versions, plan_due, queue_ready
from outreach.settings import load_settings
from outreach.store.pg import PgStore

from .book import START


class MemoryQueue:
    """Holds ids until a test runs the lanes."""

    def __init__(self) -> None:
        self.touches: list[tuple[str, list[UUID]]] = []
        self.news: list[tuple[str, list[UUID]]] = []

    async def dispatch(self, channel: str, touches: Sequence[UUID], *, level: Level = Level.BULK) -> None:
        self.touches.append((channel, list(touches)))

    async def intake(self, kind: str, inbox: Sequence[UUID]) -> None:
        self.news.append((kind, list(inbox)))


_houses: dict[tuple[tuple[str, str], ...], House] = {}


def _wired(env: tuple[tuple[str, str], ...]) -> House:
    """Read the configuration through the real composition root, once for each environment of a session."""
    if env not in _houses:
        settings = load_settings({"OUTREACH_MODE": "sandbox", **dict(env)})
        _houses[env], _ = wire_house(settings, MemoryQueue(), channels={}, pacer=NoPacing())
    return _houses[env]


@asynccontextmanager
async def a_house(
    dsn: str,
    at: datetime = START,
    channels: dict[str, Channel] | None = None,
    *,
    clock: FixedClock | None = None,
    pacer: Pacer | None = None,
    **env: str,
) -> AsyncIterator[House]:
    """Open a house on ``dsn`` and close it again: its clock stands at ``at``, its channels are fakes."""
    fakes: dict[str, Channel] = {medium.value: FakeChannel() for medium in Medium}
    store = PgStore(dsn)
    house = replace(
        _wired(tuple(sorted(env.items()))),
        store=store,
        queue=MemoryQueue(),
        clock=clock or FixedClock(at),
        channels=fakes | (channels or {}),
        pacer=pacer or NoPacing(),
        close=store.close,
    )
    await store.open()
    try:
        async with house.store.transaction() as tx:
            await load_versions(house, tx)
        yield house
    finally:
        await house.close()


def clock_of(house: House) -> FixedClock:
    """Return the clock of a test's house."""
    assert isinstance(house.clock, FixedClock)
    return house.clock


async def run_lanes(house: House) -> dict[str, int]:
    """Run everything that is due now, as the scheduler and the workers would, until nothing is left."""
    queue = house.queue
    assert isinstance(queue, MemoryQueue)
    tally: dict[str, int] = {}
    while True:
        await plan_due(house)
        await queue_ready(house)
        if not queue.touches:
            return tally
        lanes, queue.touches = queue.touches, []
        for channel, ids in lanes:
            for what, count in (await dispatch(house, channel, ids)).items():
                tally[what] = tally.get(what, 0) + count


def rows(dsn: str, query: str, *values: Any) -> list[tuple[Any, ...]]:
    """Run a query and return everything."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        return connection.execute(query, values).fetchall()  # type: ignore[arg-type]


__all__ = ["START", "MemoryQueue", "a_house", "clock_of", "rows", "run_lanes", "sweep_inbox"]
