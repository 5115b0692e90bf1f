"""Recorded contacts: what other systems did counts beside our own, and what they learned of a number holds here too."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from outreach.domain.contacts import WRITTEN, purpose_of
from outreach.domain.events import BorrowerLocated, ContactRecorded, Event, PointReassigned, PointUpdated
from outreach.domain.ids import new_id
from outreach.domain.touch import RANK
from outreach.domain.words import Outcome, PointState
from outreach.flows.address import end_consents_of, take_out_of_use
from outreach.flows.consents import UNKNOWN_POINT

if TYPE_CHECKING:
    from outreach.flows.events import Desk


async def record(desk: Desk, event: Event, borrower: UUID, data: ContactRecorded) -> dict[str, object]:
    """Store a contact somebody else made; returns what the timeline says of it."""
    refs = [event.ref, *data.accounts] if event.kind == "account" else list(data.accounts)
    known = await desk.tx.accounts_of(refs)
    about = [known[ref] for ref in refs if ref in known and known[ref][2] == borrower]
    if len(about) < len(refs):
        return {"result": "unknown_account"}
    creditors = {row[3] for row in about}
    at = data.at or event.occurred_at
    row = {
        "recorded_contact_id": new_id(desk.now),
        "made_by": data.by,
        "external_id": data.contact_id or event.id,
        "borrower_id": borrower,
        "account_ids": [row[1] for row in about],
        "creditor_id": creditors.pop() if len(creditors) == 1 else "",
        "channel": data.channel,
        "direction": data.direction,
        "purpose": purpose_of(data.purpose, data.notice),
        "outcome": data.outcome,
        "rank": RANK[data.outcome],
        "notice": data.notice or "",
        "value": data.value,
        "at": at,
        "recorded_at": desk.now,
    }
    fresh = await desk.tx.insert_recorded([row])
    if fresh and data.value:
        await learn(desk, borrower, data.value, row)
    return told(row) | ({} if fresh else {"result": "known"})


def told(row: Mapping[str, Any]) -> dict[str, object]:
    """Return what a timeline says of a recorded contact: nothing personal, not even by whom."""
    return {
        "contact_id": row["recorded_contact_id"], "channel": row["channel"], "outcome": row["outcome"],
        "direction": row["direction"], "purpose": row["purpose"], "notice": row["notice"], "at": row["at"],
    }  # fmt: skip


async def learn(desk: Desk, borrower: UUID, value: str, row: Mapping[str, Any]) -> None:
    """Act on what a contact says of the number: somebody else's, or used by the person themselves."""
    if row["outcome"] == Outcome.WRONG_PARTY:
        await take_out_of_use(desk.tx, value, PointState.WRONG_PARTY, reason="said_so", now=desk.now)
    elif row["direction"] == "in" and row["channel"] in WRITTEN:
        await desk.tx.confirm_points(borrower, value, desk.now)


async def reassigned(desk: Desk, borrower: UUID, data: PointReassigned) -> dict[str, object]:
    """Take a number with a new owner out of use for everyone we had it of before, with what they permitted for it.

    Consent belongs to the person, not to the number. Who gave it to us later may be the new owner.
    """
    since: datetime | None = data.since
    if not any(row[1] == borrower for row in await desk.tx.points_at(data.value)):
        return {"result": UNKNOWN_POINT}
    gone = await take_out_of_use(
        desk.tx, data.value, PointState.REASSIGNED, reason="reassigned", now=desk.now, known_before=since
    )
    await end_consents_of(desk.tx, data.value, gone, desk.now, desk.now)
    return {"borrowers": len(gone)}


async def updated(desk: Desk, borrower: UUID, data: PointUpdated) -> dict[str, object]:
    """Change what is known of one of the borrower's own numbers or mailboxes."""
    mine = [row for row in await desk.tx.points_at(data.value) if row[1] == borrower]
    if not mine:
        return {"result": UNKNOWN_POINT}
    if data.state == PointState.WRONG_PARTY:
        await take_out_of_use(desk.tx, data.value, PointState.WRONG_PARTY, reason="told", now=desk.now)
    change = {"contact_point_id": mine[0][0], "label": data.label, "state": data.state, "reason": "told",
              "confirmed": data.confirmed}  # fmt: skip
    await desk.tx.update_points([change], desk.now)
    return {name: value for name, value in change.items() if value is not None}


async def located(desk: Desk, event: Event, borrower: UUID, data: BorrowerLocated) -> dict[str, object]:
    """Keep where the borrower said to be, unless they said something else later."""
    place = data.place
    fresh = await desk.tx.locate_borrower(borrower, place.jurisdictions, place.zones, event.occurred_at)
    found: dict[str, object] = {"jurisdictions": list(place.jurisdictions), "zones": list(place.zones)}
    return found if fresh else {"result": "older"}
