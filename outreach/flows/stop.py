"""Stop: a refusal takes effect in the transaction that stores the reply, before the provider hears that we have it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from channels.contract import Reply
from outreach.domain.ids import new_id
from outreach.domain.timeline import Entry
from outreach.domain.words import ConsentState, StopCondition
from outreach.flows.house import House
from outreach.flows.ports import Row, Tx
from outreach.replies.reader import read

EVERY_CHANNEL = frozenset({"sms", "email", "voice", "ivr"})


async def stop_at_once(house: House, tx: Tx, reply: Reply, now: datetime) -> bool:
    """Read a reply for a refusal and, if it may be one, put it in force; returns whether it did.

    Opt-out wins (promise 5): unclear words that might be a stop are treated as one.
    """
    channels = refused_channels(reply)
    if not channels:
        return False
    owners = await owners_of(tx, reply)
    if not owners:
        await tx.open_alert("stop.unknown_sender", reply.medium, "a stop from an address that no borrower has", now)
        return False
    await tx.lock_borrowers(sorted({borrower for borrower, _ in owners}))
    for place, (borrower, point) in enumerate(owners):
        # The person we wrote to last means it for themselves; others at the same number only lose the number.
        whose = None if place == 0 else point
        await stop_channels(house, tx, borrower, channels, point=whose, reason="opt_out.said", now=now)
    return True


async def stop_channels(
    house: House, tx: Tx, borrower: UUID, channels: Sequence[str], *, point: UUID | None, reason: str, now: datetime
) -> None:
    """Put a refusal in force for a locked borrower and pull back what has not started; without ``point`` for all."""
    await refuse(tx, borrower, point, channels, reason, now)
    await pull_back(house, tx, borrower, channels, now)


def refused_channels(reply: Reply) -> tuple[str, ...]:
    """Return the channels that a reply refuses; the one it came by when only the provider saw a stop word."""
    if (reply.provider_keyword or "").upper() == "STOP":
        return (reply.medium.value,)
    if not reply.text:
        return ()
    reading = read(reply.text, channel=reply.medium.value)
    return tuple(reading.stop_channels or (reply.medium.value,)) if reading.must_stop else ()


async def owners_of(tx: Tx, reply: Reply) -> list[tuple[UUID, UUID]]:
    """Return (borrower, contact point) of everyone at the address a reply came from, the last one we wrote to first."""
    return await owners_of_address(tx, reply.token, reply.address)


async def owners_of_address(tx: Tx, token: str | None, address: str | None) -> list[tuple[UUID, UUID]]:
    """Return (borrower, contact point) of the attempt a token names, else of everyone at an address, latest first."""
    if token:
        attempt = await tx.attempt_by_token(token)
        if attempt is not None:
            return [(attempt[3], attempt[4])]
    if not address:
        return []
    return [(row[0], row[1]) for row in await tx.owners_of_address(address)]


async def refuse(
    tx: Tx, borrower: UUID, point: UUID | None, channels: Sequence[str], reason: str, now: datetime
) -> None:
    """Record a refusal and take the consents back that it covers."""
    await tx.insert_suppressions([_suppression(borrower, point, channel, reason, now) for channel in channels])
    await tx.insert_consents([_revoked(borrower, point, channel, reason, now) for channel in channels])
    told = {"channels": list(channels), "contact_point_id": point, "reasons": [reason]}
    await tx.append([Entry(case, now, "suppression.set", told) for case in await tx.open_cases_of(borrower)])


async def pull_back(house: House, tx: Tx, borrower: UUID, channels: Sequence[str], now: datetime) -> None:
    """Cancel what has not started; end plans that stop on an opt-out once no channel is left."""
    from outreach.flows.events import stop_for  # noqa: PLC0415 - events needs refuse() from here

    gone = await tx.cancel_open_touches(
        [borrower],
        channels=None if "any" in channels else channels,
        case_id=None,
        keep=[],
        reason="stopped.opt_out",
        at=now,
    )
    await tx.append(called_off(gone, "stopped.opt_out", now))
    if set(channels) >= EVERY_CHANNEL or "any" in channels:
        cases = await tx.open_cases_of(borrower)
        await stop_for(tx, house, cases, StopCondition.OPT_OUT, "opt_out", now)


def called_off(gone: Sequence[Row], reason: str, now: datetime) -> list[Entry]:
    """Return what the timelines say of touches (touch, case, step, channel) that were called off for ``reason``."""
    return [
        Entry(case, now, "touch.cancelled", {"touch_id": touch, "step": step, "channel": channel, "reasons": [reason]})
        for touch, case, step, channel in gone
    ]


def _suppression(borrower: UUID, point: UUID | None, channel: str, reason: str, now: datetime) -> dict[str, Any]:
    return {
        "suppression_id": new_id(now),
        "borrower_id": borrower,
        "contact_point_id": point,
        "channel": channel,
        "reason": reason,
        "since_at": now,
    }


def _revoked(borrower: UUID, point: UUID | None, channel: str, reason: str, now: datetime) -> dict[str, Any]:
    return {
        "consent_id": new_id(now),
        "borrower_id": borrower,
        "contact_point_id": point,
        "kind": "contact",
        "channel": channel,
        "state": ConsentState.REVOKED,
        "at": now,
        "source": reason,
    }
