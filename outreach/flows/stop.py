"""Stop: a refusal takes effect in the transaction that stores the reply, before the provider hears that we have it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from channels.contract import Reply
from outreach.domain.ids import new_id
from outreach.domain.refusal_config import ChannelReach, RefusalRules, TopicReach
from outreach.domain.timeline import Entry
from outreach.domain.words import WHATSAPP_CONSENT, Channel, ConsentState, StopCondition
from outreach.flows.address import MEMORY, owners_of_address, said_by
from outreach.flows.enroll import stop_for
from outreach.flows.house import House
from outreach.flows.ports import Row, Tx
from outreach.replies.reader import read
from outreach.replies.reading import Reading

EVERY_CHANNEL = frozenset(str(channel) for channel in Channel)
_TEXTS = frozenset({str(Channel.SMS), "any"})


@dataclass(frozen=True, slots=True)
class Said:
    """A refusal: its reason, when it was said, how far it reaches and what proves it.

    ``creditor_id`` narrows it to one programme, ``point`` to one number or mailbox. ``since`` is when it was said,
    which may be earlier than when we hear of it.
    """

    reason: str
    since: datetime
    creditor_id: str | None = None
    point: UUID | None = None
    route: str | None = None
    kind: str = "contact"
    told_by: str | None = None
    wording: str | None = None
    evidence: str | None = None


async def stop_at_once(house: House, tx: Tx, reply: Reply, now: datetime) -> bool:
    """Read a reply for a refusal and, if it may be one, put it in force; returns whether it did.

    Opt-out wins (promise 5): unclear words that might be a stop are treated as one. Of several people at one number all
    are stopped: whoever it was means it for themselves, and whoever it was not loses the number.
    """
    channels = refused_channels(reply, house.refusals)
    if not channels:
        return False
    owners = await owners_of_address(tx, reply.token, reply.address, reply.provider_ref)
    if not owners:
        await tx.open_alert("stop.unknown_sender", reply.medium, "a stop from an address that no borrower has", now)
        return False
    await tx.lock_borrowers(sorted({owner.borrower_id for owner in owners}))
    speaker = said_by(owners, now - MEMORY)
    for owner in owners:
        theirs = owner.live and speaker in {None, owner}
        said = Said("opt_out.said", now, point=None if theirs else owner.contact_point_id, route=reply.medium.value)
        if theirs and house.refusals.topics is TopicReach.TOPIC:
            last = await tx.last_attempt(owner.borrower_id, reply.medium.value, now - MEMORY)
            said = replace(said, creditor_id=last[1] if last else None)
        await stop_channels(house, tx, owner.borrower_id, channels, said, now)
    return True


async def stop_channels(
    house: House, tx: Tx, borrower: UUID, channels: Sequence[str], said: Said, now: datetime
) -> None:
    """Put a refusal in force for a locked borrower and pull back what has not started."""
    await refuse(tx, borrower, channels, said, now)
    await pull_back(house, tx, borrower, channels, now, said.creditor_id)


def refused_channels(reply: Reply, rules: RefusalRules) -> tuple[str, ...]:
    """Return the channels that a reply refuses; a stop word that only the provider saw names none."""
    medium = reply.medium.value
    reading = read(reply.text, channel=medium) if reply.text else None
    if reading is not None and reading.must_stop:
        return reached(reading, medium, rules).stop_channels or (medium,)
    if (reply.provider_keyword or "").upper() == "STOP":
        return (medium,) if rules.unnamed_channel is ChannelReach.CHANNEL else tuple(sorted(EVERY_CHANNEL))
    return ()


def reached(reading: Reading, medium: str, rules: RefusalRules) -> Reading:
    """Return a reading whose refusal, if it names no channel, reaches as far as the house lets it."""
    if not reading.must_stop or reading.names_channel or rules.unnamed_channel is ChannelReach.ALL:
        return reading
    return replace(reading, stop_channels=(medium,) if medium in EVERY_CHANNEL else reading.stop_channels)


async def refuse(tx: Tx, borrower: UUID, channels: Sequence[str], said: Said, now: datetime) -> None:
    """Record a refusal and take the consents back that it covers: that of texts covers WhatsApp as well."""
    await tx.insert_suppressions([suppression(borrower, channel, said, now) for channel in channels])
    covered = list(channels)
    if _TEXTS & set(channels) and await tx.has_consents(borrower, WHATSAPP_CONSENT):
        covered.append(WHATSAPP_CONSENT)
    await tx.insert_consents(
        [consent(borrower, each, said, ConsentState.REVOKED, now) for each in dict.fromkeys(covered)]
    )
    told: dict[str, Any] = {"channels": list(channels), "contact_point_id": said.point, "reasons": [said.reason]}
    if said.creditor_id is not None:
        told["creditor_id"] = said.creditor_id
    await tx.append([Entry(case, now, "suppression.set", told) for case in await tx.open_cases_of(borrower)])


async def pull_back(
    house: House, tx: Tx, borrower: UUID, channels: Sequence[str], now: datetime, creditor_id: str | None = None
) -> None:
    """Cancel what has not started; end plans that stop on an opt-out once no channel is left."""
    cases = await tx.open_cases_of(borrower)
    if creditor_id is not None:
        known = await tx.cases(cases)
        cases = [case for case in cases if known[case].creditor_id == creditor_id]
    gone: list[Row] = []
    for about in [None] if creditor_id is None else cases:
        gone += await tx.cancel_open_touches(
            [borrower],
            channels=None if "any" in channels else channels,
            case_id=about,
            keep=[],
            reason="stopped.opt_out",
            at=now,
        )
    await tx.append(called_off(gone, "stopped.opt_out", now))
    if set(channels) >= EVERY_CHANNEL or "any" in channels:
        await stop_for(tx, house, cases, StopCondition.OPT_OUT, "opt_out", now)


async def reopen(
    tx: Tx,
    borrower: UUID,
    channels: Sequence[str],
    said: Said,
    now: datetime,
    expires_at: datetime | None = None,
) -> None:
    """Undo what the person refused, on ``channels`` at one contact point about one programme, and nothing else.

    Refusals end only as suppressions. In the ledger they stay, so that every other number, mailbox and programme stays
    refused: there the refusal is still the newest word.
    """
    lifted = await tx.lift_refusals(borrower, channels, said.point, said.creditor_id, said.since, now)
    rest, ledger = [], []
    for channel, reason, since, point, creditor in lifted:
        was = Said(reason, since, creditor, point)
        ledger.append(consent(borrower, channel, was, ConsentState.REVOKED, now))
        if channel == "any":
            rest += [suppression(borrower, each, was, now) for each in sorted(EVERY_CHANNEL - set(channels))]
    await tx.insert_suppressions(rest)
    await tx.insert_consents(
        ledger
        + [
            consent(borrower, each, said, ConsentState.GIVEN, now, expires_at=expires_at, reopens=True)
            for each in channels
        ]
    )


def called_off(gone: Iterable[Row], reason: str, now: datetime) -> list[Entry]:
    """Return what the timelines say of touches (touch, case, step, channel) that were called off for ``reason``."""
    return [
        Entry(case, now, "touch.cancelled", {"touch_id": touch, "step": step, "channel": channel, "reasons": [reason]})
        for touch, case, step, channel in gone
    ]


def suppression(borrower: UUID, channel: str, said: Said, now: datetime) -> dict[str, Any]:
    """Return the row of a refusal on one channel."""
    return {
        "suppression_id": new_id(now),
        "borrower_id": borrower,
        "contact_point_id": said.point,
        "channel": channel,
        "reason": said.reason,
        "since_at": said.since,
        "creditor_id": said.creditor_id,
        "route": said.route,
        "evidence": said.evidence,
    }


def consent(
    borrower: UUID,
    channel: str,
    said: Said,
    state: ConsentState,
    now: datetime,
    *,
    expires_at: datetime | None = None,
    reopens: bool = False,
) -> dict[str, Any]:
    """Return the row of one entry of the consent ledger."""
    return {
        "consent_id": new_id(now),
        "borrower_id": borrower,
        "contact_point_id": said.point,
        "kind": said.kind,
        "channel": channel,
        "state": state,
        "at": said.since,
        "expires_at": expires_at,
        "source": said.told_by or said.reason,
        "wording": said.wording,
        "evidence": said.evidence,
        "creditor_id": said.creditor_id,
        "route": said.route,
        "reopens": reopens,
        "recorded_at": now,
    }
