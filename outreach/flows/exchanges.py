"""The exchange log: what went over the wire for an attempt, redacted, as evidence; kept for a while, then dropped."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from channels.contract import Accepted, Answer, Callback, Outbound, Receipt, Reply
from channels.errors import SendError
from channels.exchange import HttpTrip, Known, MailTrip, Tape, Told, tell, tell_asked
from channels.exchange_in import tell_callback, tell_mail, tell_turn
from outreach.domain.ids import new_id
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


def heard_of_mail(house: House, channel: str, raw: bytes, news: Sequence[News]) -> Heard:
    """Return a mail, redacted, for every news in it that names an attempt. Pure."""
    named = [each for each in news if each.token or each.provider_ref]
    if house.evidence.keep is None or not named:
        return {}
    told = tell_mail(house.channels[channel].name, raw, house.evidence.key)
    return {each.dedupe_key: told for each in named}


@dataclass(frozen=True, slots=True)
class Asked:
    """What a provider was asked about an attempt that it has: a look-up, a recall, a redaction.

    ``ref`` names the attempt as ``ref_of`` does; ``known`` is personal and may stand nowhere.
    """

    what: str
    channel: str
    ref: str | None
    known: Sequence[Known] = ()


def row_of_asking(
    house: House,
    asked: Asked,
    trips: Sequence[HttpTrip | MailTrip],
    ended: str,
    now: datetime,
    *,
    once: str | None = None,
) -> dict[str, Any] | None:
    """Return what is stored of it; None when nothing went over the wire, or nothing is kept.

    Of what has the same name in ``once`` one a minute is stored: who is asked again every second fills no table.
    """
    if house.evidence.keep is None:
        return None
    told = tell_asked(asked.what, trips, house.evidence.key, asked.known)
    if not told:
        return None
    key = _id_of_minute(once, now) if once else new_id(now)
    return {"exchange_id": key, "way": "out", "at": now, "channel": asked.channel, "ref": asked.ref, "ended": ended,
            "trips": told}  # fmt: skip


def row_of_turn(
    house: House, channel: str, token: str, callback: Callback, answer: Answer | SendError, what: str, now: datetime
) -> dict[str, Any] | None:
    """Return what is stored of one turn of a call: a verified request, and the frame of the words that went back."""
    if house.evidence.keep is None:
        return None
    said = None if isinstance(answer, SendError) else answer
    told = tell_turn(house.channels[channel].name, callback, said, house.evidence.key, [("token", token)])
    ended = answer.code if isinstance(answer, SendError) else what
    return {"exchange_id": new_id(now), "way": "in", "at": now, "channel": channel, "ref": ref_of(token, None),
            "ended": ended, "trips": [told]}  # fmt: skip


async def keep(house: House, rows: Iterable[dict[str, Any] | None]) -> None:
    """Store what providers were asked, in one statement."""
    kept = [row for row in rows if row is not None]
    if kept:
        async with house.store.transaction() as tx:
            await tx.insert_exchanges(kept)


def _id_of_minute(name: str, now: datetime) -> UUID:
    """Return an id that is the same for a name all through a minute, and time-ordered as the others are."""
    digest = hashlib.sha256(name.encode()).digest()[:10]
    return UUID(int=_first_id(now.replace(second=0, microsecond=0)).int | int.from_bytes(digest))


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
        found[by_ref.get(ref, key)].append(line)
    return [Exchanged(row[0], row[1], row[2], row[3], row[4], row[5], row[6], tuple(found[row[0]])) for row in attempts]
