"""Addresses: whose a number or mailbox is, who may have spoken from it, and what ends its use."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from outreach.domain.ids import new_id
from outreach.domain.timeline import Entry
from outreach.domain.words import ConsentState, PointKind, PointState
from outreach.flows.ports import Tx

MEMORY = timedelta(days=90)
"""How far back a reply may refer to something we sent."""

_MESSAGE_ID = re.compile(r"(?:[\w-]+:)?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})@", re.IGNORECASE)
_DEAD = frozenset({PointState.WRONG_PARTY, PointState.REASSIGNED})
_CHANNELS = {PointKind.PHONE: ("sms", "voice", "ivr"), PointKind.EMAIL: ("email",)}


@dataclass(frozen=True, slots=True)
class Owner:
    """Somebody whose number or mailbox it is, or was. ``last_at`` is when we last wrote to them there."""

    borrower_id: UUID
    contact_point_id: UUID
    last_at: datetime | None
    state: str

    @property
    def live(self) -> bool:
        """Whether it is still theirs, as far as anybody knows."""
        return self.state not in _DEAD


async def owners_of_address(
    tx: Tx, token: str | None, address: str | None, reference: str | None = None
) -> list[Owner]:
    """Return the owner that an attempt names, else everyone who has or had an address, latest first.

    The attempt is that of the token, else that of the provider's reference (for mail: our Message-ID).
    """
    attempt = await tx.attempt_by_token(token) if token else None
    if attempt is None and reference:
        attempt = await tx.attempt_by_reference(reference, _attempt_id_in(reference))
    if attempt is not None:
        return [Owner(attempt[3], attempt[4], attempt[12], PointState.ACTIVE)]
    if not address:
        return []
    return [Owner(*row) for row in await tx.owners_of_address(address)]


def _attempt_id_in(reference: str) -> UUID | None:
    """Read the id of an attempt out of our own Message-ID: one whose outcome is unknown has no reference yet."""
    found = _MESSAGE_ID.match(reference)
    return UUID(found[1]) if found else None


def said_by(owners: Sequence[Owner], since: datetime) -> Owner | None:
    """Return who must have spoken: the only one, or the only one we wrote to after ``since``. None: it is not clear."""
    live = [owner for owner in owners if owner.live]
    if len(live) == 1:
        return live[0]
    spoken_to = [owner for owner in live if owner.last_at is not None and owner.last_at > since]
    return spoken_to[0] if len(spoken_to) == 1 else None


async def take_out_of_use(
    tx: Tx, value: str, state: PointState, *, reason: str, now: datetime, known_before: datetime | None = None
) -> list[UUID]:
    """Mark a number or mailbox as dead for everyone who has it, on all their debts; returns their ids.

    With ``known_before`` only for those of whom we had it before then: who gave it later may be its new owner. All of
    them are locked by the caller.
    """
    found = [
        row
        for row in await tx.points_at(value)
        if row[3] not in {state, PointState.WRONG_PARTY} and (known_before is None or row[4] <= known_before)
    ]
    await tx.mark_points([{"contact_point_id": row[0], "state": state, "reason": reason} for row in found], now)
    entries = []
    for point, borrower, *_ in found:
        told = {"contact_point_id": point, "state": state, "reasons": [reason]}
        entries += [Entry(case, now, "contact_point.demoted", told) for case in await tx.open_cases_of(borrower)]
    await tx.append(entries)
    return [row[1] for row in found]


async def end_consents_of(tx: Tx, value: str, borrowers: Sequence[UUID], since: datetime, now: datetime) -> None:
    """Take back what was permitted for a number with another owner now: consent is the person's, not the number's."""
    rows = [
        {
            "consent_id": new_id(now),
            "borrower_id": borrower,
            "contact_point_id": point,
            "kind": "contact",
            "channel": channel,
            "state": ConsentState.REVOKED,
            "at": since,
            "source": PointState.REASSIGNED,
            "route": "carrier",
            "recorded_at": now,
        }
        for point, borrower, kind, *_ in await tx.points_at(value)
        if borrower in borrowers
        for channel in _CHANNELS[PointKind(kind)]
    ]
    await tx.insert_consents(rows)
