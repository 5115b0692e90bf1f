"""Consents: what a borrower allowed or refused somewhere else, who heard it, how, in which words, and the proof."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID

from outreach.domain.events import ConsentGiven, ConsentRevoked, Event
from outreach.domain.words import ConsentState
from outreach.flows.stop import EVERY_CHANNEL, Said, consent, pull_back, reopen, stop_channels, suppression

if TYPE_CHECKING:
    from outreach.flows.events import Desk

UNKNOWN_POINT = "unknown_point"
"""What becomes of an event about a number or mailbox that the borrower does not have."""


async def allow(desk: Desk, event: Event, borrower: UUID, data: ConsentGiven) -> dict[str, object]:
    """Write a consent to the ledger; returns what the timeline says of it.

    The lender's bare word undoes only what the lender itself took back. A consent with route, wording and evidence is a
    new one: it opens its channel again.
    """
    point = await _point(desk, borrower, data.value)
    if data.value and point is None:
        return {"result": UNKNOWN_POINT}
    said = _said(desk, event, data, "consent", data.topic, point)
    if data.proven and data.channel != "any":
        await reopen(desk.tx, borrower, [data.channel], said, desk.now, data.expires_at)
    else:
        row = consent(borrower, data.channel, said, ConsentState.GIVEN, desk.now, expires_at=data.expires_at)
        await desk.tx.insert_consents([row])
    if data.topic is None and point is None:
        await desk.tx.lift_suppressions(
            borrower, [data.channel], reason="consent_revoked", before=said.since, at=desk.now
        )
    return _told(data, [data.channel]) | ({"contact_point_id": point} if point else {})


async def revoke(
    desk: Desk, event: Event, borrower: UUID, case_id: UUID | None, data: ConsentRevoked
) -> dict[str, object]:
    """Put a refusal in force at once; returns what the timeline says of it.

    What was said to somebody (an agent, a branch, a complaint) reaches every channel of every programme unless the
    lender says that the person meant less.
    """
    if data.clarifies:
        return await _clarify(desk, event, borrower, case_id, data)
    scope = data.scope or ("all" if data.route else "channel")
    channels: list[str] = [data.channel] if scope == "channel" else ["any"]
    topic = _topic(desk, case_id, data) if scope == "topic" else data.topic
    if scope == "topic" and topic is None:
        return {"result": "no_topic"}
    point = await _point(desk, borrower, data.value) if scope == "channel" else None
    reason = "opt_out.told" if data.route else "consent_revoked"
    said = _said(desk, event, data, reason, topic, point)
    await stop_channels(desk.house, desk.tx, borrower, channels, said, desk.now)
    return _told(data, channels) | {"scope": scope} | ({"creditor_id": topic} if topic else {})


async def _clarify(
    desk: Desk, event: Event, borrower: UUID, case_id: UUID | None, data: ConsentRevoked
) -> dict[str, object]:
    """Narrow what was refused to the programme the person says they meant; the other programmes are open again."""
    topic = _topic(desk, case_id, data)
    if topic is None:
        return {"result": "no_topic"}
    lifted = await desk.tx.lift_broad_refusals(borrower, desk.now)
    if not lifted:
        return {"result": "nothing_refused"}
    meant = [
        (channel, Said(reason, since, topic, point, data.route, evidence=data.evidence))
        for channel, reason, since, point, _ in lifted
    ]
    await desk.tx.insert_suppressions([suppression(borrower, channel, said, desk.now) for channel, said in meant])
    said = _said(desk, event, data, "clarified", topic, None)
    channels = sorted({each for channel, _ in meant for each in (EVERY_CHANNEL if channel == "any" else {channel})})
    others = [other for other in await desk.tx.creditors_of(borrower) if other != topic]
    await desk.tx.insert_consents(
        [consent(borrower, each, said, ConsentState.REVOKED, desk.now) for each in channels]
        + [
            consent(borrower, each, replace(said, creditor_id=other), ConsentState.GIVEN, desk.now, reopens=True)
            for each in channels
            for other in others
        ]
    )
    await pull_back(desk.house, desk.tx, borrower, channels, desk.now, topic)
    return _told(data, channels) | {"scope": "topic", "creditor_id": topic, "clarifies": True}


def _topic(desk: Desk, case_id: UUID | None, data: ConsentRevoked) -> str | None:
    """Return the programme that was meant: the one named, else that of the account the event is about."""
    if data.topic is not None:
        return data.topic
    return desk.cases[case_id].creditor_id if case_id is not None else None


async def _point(desk: Desk, borrower: UUID, value: str | None) -> UUID | None:
    rows = await desk.tx.points_at(value) if value else []
    return next((row[0] for row in rows if row[1] == borrower), None)


def _said(
    desk: Desk, event: Event, data: ConsentGiven | ConsentRevoked, reason: str, topic: str | None, point: UUID | None
) -> Said:
    return Said(
        reason=reason,
        since=min(event.occurred_at, desk.now),  # a lender's clock that runs ahead must not put a refusal off
        creditor_id=topic,
        point=point,
        route=data.route,
        kind=data.kind,
        told_by=data.obtained_by,
        wording=data.wording,
        evidence=data.evidence,
    )


def _told(data: ConsentGiven | ConsentRevoked, channels: list[str]) -> dict[str, object]:
    told: dict[str, object] = {"channel": data.channel, "channels": channels, "kind": data.kind}
    told |= {"creditor_id": data.topic} if data.topic else {}
    return told | ({"route": data.route} if data.route else {})
