"""Callbacks: what a provider tells us is stored first, what cannot wait takes effect with it, the rest is queued."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog

from channels.contract import Callback, Receipt, Reply
from channels.errors import MalformedCallback
from outreach.domain.ids import new_id
from outreach.flows.exchanges import Heard, heard_of, rows_of_news
from outreach.flows.house import House
from outreach.flows.ports import Tx
from outreach.flows.stop import stop_at_once

WAKE_UP = timedelta(seconds=15)
"""How long (real time) a stored row waits for its wake-up before the sweep sends another."""

_NAMES = {kind: tuple(each.name for each in fields(kind)) for kind in (Receipt, Reply)}

_log = structlog.get_logger(__name__)


async def take_callback(house: House, channel: str, callback: Callback) -> int:
    """Verify, store and queue one callback; returns how many news it held that were not known yet.

    Raises BadSignature (nothing stored). What cannot be parsed is stored raw with an alert, so that nothing is lost.
    A stop is in force when this returns (promise 5).
    """
    adapter = house.channels[channel]
    adapter.verify(callback)
    try:
        news = list(adapter.parse(callback))
    except MalformedCallback as error:
        await _store_malformed(house, channel, callback, str(error))
        return 0
    return await take_news(house, channel, news, heard_of(house, channel, callback, news))


async def take_news(house: House, channel: str, news: Sequence[Receipt | Reply], heard: Heard | None = None) -> int:
    """Store verified news and queue it; a reply that must stop is acted on in the same transaction.

    ``heard`` is what brought it, redacted, for the exchange log.
    """
    if not news:
        return 0
    async with house.store.transaction() as tx:
        stored = await store_news(house, tx, channel, news, heard)
    return await queue_stored(house, stored)


Stored = dict[str, list[UUID]]
"""What a transaction stored: kind -> inbox ids."""


async def store_news(
    house: House, tx: Tx, channel: str, news: Sequence[Receipt | Reply], heard: Heard | None = None
) -> Stored:
    """Store verified news in the caller's transaction, stops included; what was known already is left out."""
    now, real = house.clock.now(), house.clock.real()
    rows = {each.dedupe_key: _row(channel, each, now, real) for each in news}
    fresh = await tx.insert_inbox(list(rows.values()))
    if heard:
        await tx.insert_exchanges(rows_of_news(channel, news, heard, fresh, now))
    for each in news:
        if isinstance(each, Reply) and each.dedupe_key in fresh:
            await stop_at_once(house, tx, each, now)
    stored: Stored = {}
    for key, inbox_id in fresh.items():
        stored.setdefault(str(rows[key]["kind"]), []).append(inbox_id)
    return stored


async def queue_stored(house: House, stored: Stored) -> int:
    """Wake the intake lane for what was committed; returns how much it is. A lost wake-up is swept up."""
    for kind, inbox in stored.items():
        await house.queue.intake(kind, inbox)
    return sum(map(len, stored.values()))


def _row(channel: str, each: Receipt | Reply, now: datetime, real: datetime) -> dict[str, Any]:
    return {
        "inbox_id": new_id(now),
        "channel": channel,
        "dedupe_key": each.dedupe_key,
        "kind": "receipt" if isinstance(each, Receipt) else "reply",
        "received_at": now,
        "payload": storable({name: getattr(each, name) for name in _NAMES[type(each)]}),
        "retry_real_at": real + WAKE_UP,
    }


def storable(payload: dict[str, Any]) -> dict[str, Any]:
    """Return a payload that Postgres can hold: its JSON knows no NUL, and news must not be lost over one."""
    return {
        name: value.replace("\x00", "\ufffd") if isinstance(value, str) else value for name, value in payload.items()
    }


async def _store_malformed(house: House, channel: str, callback: Callback, problem: str) -> None:
    payload = {"query": callback.query, "body": callback.body.decode("utf-8", "replace")}
    async with house.store.transaction() as tx:
        await store_malformed(house, tx, channel, payload, problem)


async def store_malformed(
    house: House, tx: Tx, channel: str, payload: dict[str, Any], problem: str, key: str | None = None
) -> None:
    """Keep what is genuine and cannot be read, parked, and tell an operator. ``key`` is the same for a repetition."""
    now = house.clock.now()
    inbox_id = new_id(now)
    row = {
        "inbox_id": inbox_id,
        "channel": channel,
        "dedupe_key": f"malformed:{key or inbox_id}",
        "kind": "malformed",
        "received_at": now,
        "payload": storable(payload),
        "retry_real_at": None,
    }
    if not await tx.insert_inbox([row]):
        return
    await tx.close_inbox([{"inbox_id": inbox_id, "state": "parked", "note": problem}])
    await tx.open_alert("callback.malformed", channel, "a verified callback could not be read; it is kept", now)


async def sweep_inbox(house: House, limit: int = 500) -> int:
    """Queue stored news whose wake-up was lost or whose retry is due; returns how many."""
    async with house.store.transaction() as tx:
        rows = await tx.due_inbox(house.clock.real(), limit)
        await tx.lease_inbox([row[0] for row in rows], house.clock.real() + WAKE_UP)
    for kind in {row[1] for row in rows}:
        await house.queue.intake(kind, [row[0] for row in rows if row[1] == kind])
    return len(rows)


def retry_at(house: House, tries: int) -> datetime:
    """Return when (real time) news of an unknown attempt is tried again: the callback may have outrun our commit."""
    return house.clock.real() + timedelta(seconds=min(2**tries, 300))


MAX_TRIES = 10
"""Tries before news of an unknown reference is parked and listed for a person."""


def ids(rows: Sequence[Any]) -> list[UUID]:
    """Return the inbox ids of claimed rows."""
    return [row.inbox_id for row in rows]
