"""The exchange log: what went over the wire for an attempt, redacted, as evidence; kept for a while, then dropped."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from channels.contract import Accepted, Callback, Outbound, Receipt, Reply
from channels.errors import SendError
from channels.exchange import Tape, Told, tell, tell_callback
from outreach.flows.house import House
from outreach.flows.ports import Tx

PURGED_AT_ONCE = 5_000
"""Rows that one sweep drops at most, so that it holds no lock for long."""

News = Receipt | Reply
Heard = dict[str, Told]
"""What came in, redacted, by the key of the news that it brought."""


def row_of_send(
    house: House,
    attempt_id: UUID,
    channel: str,
    outbound: Outbound,
    tape: Tape,
    ending: Accepted | SendError | None,
    now: datetime,
) -> dict[str, Any] | None:
    """Return what is stored of one send; None when nothing went over the wire, or nothing is kept."""
    if house.evidence.keep is None or not tape.trips:
        return None
    ended = "accepted" if isinstance(ending, Accepted) else ending.code if ending else None
    trips = tell(tape, house.evidence.key, outbound)
    return {"exchange_id": attempt_id, "way": "out", "at": now, "channel": channel, "ended": ended, "trips": trips}


def heard_of(house: House, channel: str, callback: Callback, news: Sequence[News]) -> Heard:
    """Return a verified callback, redacted, for every news in it. Pure."""
    if house.evidence.keep is None:
        return {}
    adapter = house.channels[channel]
    told = tell_callback(adapter.name, channel, callback, house.evidence.key)
    return {each.dedupe_key: told for each in news}


def rows_of_news(
    channel: str, news: Iterable[News], heard: Heard, fresh: dict[str, UUID], now: datetime
) -> list[dict[str, Any]]:
    """Return what is stored of callbacks: of a repeated one nothing more."""
    base = {"way": "in", "at": now, "channel": channel}
    return [
        base | {"exchange_id": fresh[key], "ref": ref_of(each.token, each.provider_ref), "trips": [heard[key]]}
        for key, each in {each.dedupe_key: each for each in news}.items()
        if key in fresh and key in heard
    ]


def ref_of(token: str | None, provider_ref: str | None) -> str | None:
    """Return how news names its attempt: our token as a digest (it opens doors), else the provider's reference."""
    return "t:" + hashlib.sha256(token.encode()).hexdigest()[:32] if token else provider_ref


async def purge(house: House) -> int:
    """Drop what is older than it is kept; returns how many. What is no longer kept at all goes, too."""
    before = house.clock.now() - (house.evidence.keep or timedelta(0))
    async with house.store.transaction() as tx:
        return await tx.purge_exchanges(_first_id(before), PURGED_AT_ONCE)


def _first_id(at: datetime) -> UUID:
    """Return the smallest time-ordered id of an instant."""
    return UUID(int=int(at.timestamp() * 1000) << 80)


@dataclass(frozen=True, slots=True)
class Exchanged:
    """One attempt and what went over the wire for it: ``lines`` are (way, at, ended, trips) in order."""

    attempt_id: UUID
    touch_id: UUID
    channel: str
    state: str
    outcome: str
    started_at: datetime
    provider_ref: str | None
    lines: tuple[dict[str, Any], ...]


async def load_exchanges(house: House, name: str) -> list[Exchanged]:
    """Load the attempts that a name (attempt, provider's reference, case, account, borrower) stands for."""
    async with house.store.transaction() as tx:
        return await _load(tx, name)


async def _load(tx: Tx, name: str) -> list[Exchanged]:
    attempts = await tx.attempts_named(name, await tx.find_case(name))
    by_ref = {ref: row[0] for row in attempts for ref in (ref_of(row[7], None), row[6]) if ref}
    found: dict[UUID, list[dict[str, Any]]] = {row[0]: [] for row in attempts}
    for key, way, at, _, ref, ended, trips in await tx.exchanges_of(list(found), list(by_ref)):
        line = {"way": way, "at": at, "ended": ended, "trips": trips}
        found[key if way == "out" else by_ref[ref]].append(line)
    return [Exchanged(row[0], row[1], row[2], row[3], row[4], row[5], row[6], tuple(found[row[0]])) for row in attempts]
