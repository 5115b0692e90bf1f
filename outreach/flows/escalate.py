"""Escalation: a case that stays silent, or broken, goes to the lender's next stage once, as an event and no more."""

from datetime import datetime, timedelta
from uuid import UUID

from outreach.domain.escalation import EscalationRule
from outreach.domain.timeline import Entry
from outreach.flows.house import House
from outreach.flows.ports import Row

BATCH = 500
_NOBODY = UUID(int=0)


async def escalate(house: House) -> int:
    """Look at every case under every rule; returns how many were escalated. Nothing is said to a borrower."""
    found = 0
    for rule in house.escalations:
        after: UUID | None = _NOBODY
        while after is not None:
            count, after = await _escalate(house, rule, after)
            found += count
    return found


async def _escalate(house: House, rule: EscalationRule, after: UUID) -> tuple[int, UUID | None]:
    """Escalate one batch; returns how many, and where the next batch begins (None: there is none)."""
    async with house.store.transaction() as tx:
        now = house.clock.now()
        since = now - timedelta(days=rule.after_days)
        seen = await tx.escalation_candidates(rule, since=since, now=now, after=after, limit=BATCH)
        await tx.lock_borrowers(sorted({row[1] for row in seen}))
        # An answer or a payment may have come in before the lock was ours: only what still holds is escalated.
        only = [row[0] for row in seen]
        rows = await tx.escalation_candidates(rule, since=since, now=now, after=_NOBODY, limit=BATCH, only=only)
        fresh = await tx.insert_escalations([row[0] for row in rows], rule.id, now)
        await tx.append([_entry(rule, row, now) for row in rows if row[0] in fresh])
    return len(fresh), only[-1] if len(only) == BATCH else None


def _entry(rule: EscalationRule, row: Row, now: datetime) -> Entry:
    case_id, _, days, contacts = row
    told = {
        "rule": rule.id,
        "because": rule.when,
        "stage": rule.stage,
        "days_past_due": days,
        "contacts": contacts,
    }
    return Entry(case_id, now, "case.escalated", told)
