"""Puts one touch in a lane, plays the provider's side of it, and reads back what became of it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
from psycopg.types.json import Jsonb

from channels.fake import FakeChannel
from outreach.flows.callbacks import take_callback
from outreach.flows.house import House
from outreach.flows.receipts import apply_receipts
from outreach.flows.replies import take_replies

from .book import START, Someone
from .house import MemoryQueue, clock_of, rows, run_lanes

_INSERT = """
insert into touch (touch_id, case_id, borrower_id, channel, fallback, template, purpose, context, priority, state,
  due_at, not_before, expires_at, created_at, plan, step_id)
values (%s,%s,%s,%s,%s,%s,%s,%s,%s,'planned',%s,%s,%s,%s,%s,'step')"""


def plan_touch(
    dsn: str,
    one: Someone,
    *,
    channel: str = "sms",
    fallback: tuple[str, ...] = (),
    template: str = "missed_payment",
    purpose: str = "reminder",
    at: datetime = START,
    expires_at: datetime | None = None,
    case_id: UUID | None = None,
    context: dict[str, Any] | None = None,
    priority: int = 50,
    plan: str | None = None,
) -> UUID:
    """Store a touch that is due at ``at``; returns its id."""
    key = uuid4()
    with psycopg.connect(dsn) as connection:
        connection.execute(
            _INSERT,
            (key, case_id or one.case_id, one.borrower_id, channel, list(fallback), template, purpose,
             Jsonb(context or {}), priority, at, at, expires_at or at + timedelta(days=3), at, plan),
        )  # fmt: skip
    return key


def plan_crowd(dsn: str, wanted: Sequence[tuple[Someone, UUID]]) -> list[UUID]:
    """Store one text each for somebody and one of their cases, all due at START; returns their ids in order."""
    keys = [uuid4() for _ in wanted]
    with psycopg.connect(dsn) as connection:
        connection.cursor().executemany(
            _INSERT,
            [
                (key, case, one.borrower_id, "sms", [], "missed_payment", "reminder", Jsonb({}), 50, START, START,
                 START + timedelta(days=3), START, None)
                for key, (one, case) in zip(keys, wanted, strict=True)
            ],
        )  # fmt: skip
    return keys


def fake(house: House, channel: str = "sms") -> FakeChannel:
    """Return the fake that a house's channel is."""
    found = house.channels[channel]
    assert isinstance(found, FakeChannel)
    return found


def touch(dsn: str, key: UUID) -> dict[str, Any]:
    """Return a touch as stored."""
    return dict(rows(dsn, "select row_to_json(t) from touch t where touch_id = %s", key)[0][0])


def attempts(dsn: str) -> list[dict[str, Any]]:
    """Return every attempt as stored, oldest first."""
    return [row[0] for row in rows(dsn, "select row_to_json(a) from attempt a order by started_at, attempt_id")]


def told(dsn: str, kind: str) -> list[dict[str, Any]]:
    """Return what the timelines say under one kind, in order."""
    return [row[0] for row in rows(dsn, "select data from timeline where kind = %s order by case_id, seq", kind)]


async def run_intake(house: House) -> int:
    """Apply the news that waits in the intake lane, as its worker would; returns how many entries."""
    queue = house.queue
    assert isinstance(queue, MemoryQueue)
    done = 0
    while queue.news:
        news, queue.news = queue.news, []
        for kind, ids in news:
            done += len(ids)
            await (apply_receipts if kind == "receipt" else take_replies)(house, ids)
    return done


async def run_all(house: House) -> dict[str, int]:
    """Run lanes and intake until both are empty."""
    tally: dict[str, int] = {}
    while True:
        for what, count in (await run_lanes(house)).items():
            tally[what] = tally.get(what, 0) + count
        if not await run_intake(house):
            return tally


async def receive(house: House, channel: str, **fields: Any) -> int:
    """Post one callback of the fake provider; returns how much of it was new."""
    return await take_callback(house, channel, fake(house, channel).callback(**fields))


async def say(house: House, one: Someone, text: str, *, key: str, channel: str = "sms") -> None:
    """Let somebody answer, and take the answer in: what follows from it has left when this returns."""
    address = one.email if channel == "email" else one.phone
    await receive(house, channel, dedupe_key=key, text=text, address=address, medium=channel)
    await run_intake(house)
    await run_lanes(house)


async def step_to(house: House, instant: datetime) -> dict[str, int]:
    """Move the clock and run what is due then."""
    clock_of(house).instant = instant
    return await run_all(house)
