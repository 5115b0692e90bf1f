"""What went before a send: what the ledger holds, held against what the facts of its decision told."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson

from outreach.flows.ports import Row, Tx
from outreach.flows.recount import Past, Send

NEVER_LEFT: Final = frozenset({"released", "rejected"})
"""States of attempts that certainly did not leave."""
SEND: Final = (
    "attempt_id", "touch_id", "decision_id", "case_id", "borrower_id", "creditor_id", "contact_point_id", "channel",
    "purpose", "state", "policy_version", "started_at",
)  # fmt: skip
"""The first columns of the query of sends."""

Key = tuple[datetime, str, str, str, tuple[str, ...], bool]
"""What ledger and facts have in common about a contact.

Instant, channel, contact point, purpose, cases, whether it was to them: an answer and a reminder may share an instant.
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """One attempt of the ledger, seen from a borrower."""

    attempt_id: UUID
    state: str
    past: Past

    @property
    def key(self) -> Key:
        """What facts and ledger have in common about it."""
        return _key_of(self.past)


async def load_entries(tx: Tx, borrowers: Sequence[UUID], since: datetime, until: datetime) -> dict[UUID, list[Entry]]:
    """Load what left to borrowers, and to their numbers and mailboxes, after ``since`` up to ``until``."""
    ledger: dict[UUID, list[Entry]] = defaultdict(list)
    for row in await tx.contacts_before(borrowers, since, until):
        owner, attempt_id, _, at, channel, outcome, state, case, creditor, point, purpose, own = row
        cases = (str(case),) if own else ()
        past = Past(at, channel, outcome, cases, creditor, str(point), "out", purpose, same_borrower=own)
        ledger[owner].append(Entry(attempt_id, state, past))
    return ledger


@dataclass(frozen=True, slots=True)
class Page:
    """One send with what its facts knew of the past."""

    attempt_id: UUID
    send: Send
    told: Mapping[Key, Past]

    def before(self, entries: Sequence[Entry], pages: Mapping[UUID, "Page"]) -> list[Past]:
        """Return all that went before the send: what the ledger holds, and what only the facts know of.

        The ledger knows how each ended; the decision could only go by what was known then, so that outcome counts.
        """
        found = []
        for entry in entries:
            if entry.state not in NEVER_LEFT and self._precedes(entry, pages):
                past = self.told.get(entry.key)
                found.append(past if past is not None and past.outcome not in NEVER_LEFT else entry.past)
        ours = {entry.key for entry in entries}
        return found + [past for key, past in self.told.items() if key not in ours]

    def _precedes(self, entry: Entry, pages: Mapping[UUID, "Page"]) -> bool:
        """Tell whether an attempt went before this send. Of two at one instant, that of which the other knew did."""
        if entry.attempt_id == self.attempt_id or entry.past.at != self.send.at:
            return entry.past.at < self.send.at
        if entry.key in self.told:
            return True
        other = pages.get(entry.attempt_id)
        send = self.send
        mine = (send.at, send.channel, send.point_id, send.purpose, (send.case_id,), True)
        return other is not None and mine not in other.told and entry.attempt_id < self.attempt_id


def pages_of(rows: Sequence[Row]) -> dict[UUID, Page]:
    """Return each send of a chunk, by attempt, with what its facts tell of the past."""
    found = {}
    for row in rows:
        send = dict(zip(SEND, row, strict=False))
        facts = orjson.loads(row[20]) if row[20] else {}
        found[send["attempt_id"]] = Page(
            send["attempt_id"],
            Send(
                str(send["attempt_id"]), send["started_at"], send["channel"], send["purpose"], str(send["case_id"]),
                send["creditor_id"], str(send["contact_point_id"]), facts,
            ),
            {_key_of(past): past for past in map(_told, facts.get("history", ()))},
        )  # fmt: skip
    return found


def _told(one: Mapping[str, Any]) -> Past:
    values = {name: one[name] for name in _PAST_FIELDS if name in one}
    return Past(at=datetime.fromisoformat(one["at"]), case_ids=tuple(one.get("case_ids", ())), **values)


_PAST_FIELDS = ("channel", "outcome", "creditor_id", "point_id", "direction", "purpose", "same_borrower")


def _key_of(past: Past) -> Key:
    return past.at, past.channel, past.point_id, past.purpose, past.case_ids, past.same_borrower
