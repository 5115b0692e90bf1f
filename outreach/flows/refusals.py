"""What delivery news says about an address or a person, and what follows from it, in the same transaction."""

from datetime import datetime
from typing import Any
from uuid import UUID

from outreach.domain.ids import new_id
from outreach.domain.intake import KnownAttempt
from outreach.domain.timeline import Entry
from outreach.flows.contactability import BAD_ADDRESS, demoted
from outreach.flows.ports import Tx
from outreach.flows.stop import called_off


class Refusals:
    """Collects demotions and suppressions over a batch of receipts."""

    def __init__(self) -> None:
        self._points: dict[UUID, dict[str, Any]] = {}
        self._suppressions: dict[tuple[UUID, str], dict[str, Any]] = {}
        self._entries: list[Entry] = []

    def note(self, attempt: KnownAttempt, payload: dict[str, Any], now: datetime) -> None:
        """Remember what one receipt says."""
        error = payload.get("error_class")
        if error == "bad_address":
            self._points[attempt.contact_point_id] = {
                "contact_point_id": attempt.contact_point_id,
                "state": "invalid",
                "reason": BAD_ADDRESS,
            }
            self._entries.append(demoted(attempt.case_id, attempt.contact_point_id, now))
        elif error == "opted_out":
            key = (attempt.borrower_id, attempt.channel)
            self._suppressions[key] = {
                "suppression_id": new_id(now),
                "borrower_id": attempt.borrower_id,
                "channel": attempt.channel,
                "reason": "opt_out.at_provider",
                "since_at": now,
            }
            told = {"channels": [attempt.channel], "reasons": ["opt_out.at_provider"]}
            self._entries.append(Entry(attempt.case_id, now, "suppression.set", told))

    async def write(self, tx: Tx, now: datetime) -> None:
        """Write everything that was remembered, and pull back what it stops."""
        await tx.mark_points(list(self._points.values()), now)
        await tx.insert_suppressions(list(self._suppressions.values()))
        for borrower, channel in self._suppressions:
            gone = await tx.cancel_open_touches(
                [borrower], channels=[channel], case_id=None, keep=[], reason="stopped.opt_out", at=now
            )
            self._entries += called_off(gone, "stopped.opt_out", now)
        await tx.append(self._entries)
