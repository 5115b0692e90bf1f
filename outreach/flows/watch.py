"""The watcher: promises and arrangements that were not kept, dialogues nobody finished, cases to escalate."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from outreach.domain.timeline import Entry
from outreach.domain.words import ArrangementState, PromiseState
from outreach.flows.enroll import Cause, enrol, stop
from outreach.flows.escalate import escalate
from outreach.flows.house import House
from outreach.flows.ports import Tx

EVERY = timedelta(minutes=30)
PROMISE_GRACE_DAYS = 1
"""Days after the promised date before a promise counts as broken: payments take a night to be booked."""
INSTALLMENT_GRACE_DAYS = 3
"""Days after an installment's date before its arrangement counts as broken; the reminder two days after comes first."""


ESCALATE_EVERY = timedelta(hours=6)


class Watcher:
    """Looks every half hour of business time; every six hours also at what goes to the lender's next stage."""

    def __init__(self) -> None:
        self._looked_at: datetime | None = None
        self._escalated_at: datetime | None = None

    async def look(self, house: House, limit: int = 500) -> int:
        """Find what was not kept or not finished; returns how many changed."""
        now = house.clock.now()
        if self._looked_at is not None and now - self._looked_at < EVERY:
            return 0
        found = await _time_out_dialogues(house, limit)
        found += await _break_promises(house, limit)
        found += await _break_arrangements(house, limit)
        if found < limit:
            self._looked_at = now
        if self._escalated_at is None or now - self._escalated_at >= ESCALATE_EVERY:
            found += await escalate(house)
            self._escalated_at = now
        return found


async def _time_out_dialogues(house: House, limit: int) -> int:
    async with house.store.transaction() as tx:
        now = house.clock.now()
        rows = await tx.expire_dialogues(now, limit)
        await tx.append(
            [
                Entry(case, now, "dialogue.timed_out", {"dialogue_id": key, "kind": kind, "state": state})
                for key, case, kind, state in rows
            ]
        )
    return len(rows)


async def _break_promises(house: House, limit: int) -> int:
    async with house.store.transaction() as tx:
        now = house.clock.now()
        rows = await tx.due_promises(now.date() - timedelta(days=PROMISE_GRACE_DAYS), limit)
        await tx.lock_borrowers(sorted({row[2] for row in rows}))
        live = await tx.live_promises({row[1] for row in rows})
        broken = [row for row in rows if row[1] in live]
        for promise_id, case_id, _ in broken:
            _, _, promised, _, due_on, paid = live[case_id]
            await tx.move_promise(promise_id, PromiseState.BROKEN, paid, now)
            told = {"promise_id": promise_id, "due_on": due_on, "paid_minor": paid, "promised_minor": promised}
            await tx.append([Entry(case_id, now, "promise.broken", told)])
        contexts = {
            row[1]: {"promise": {"amount_minor": live[row[1]][2], "due_on": live[row[1]][4].isoformat()}}
            for row in broken
        }
        await start_on(tx, house, "promise.broken", {row[1]: f"promise:{row[0]}" for row in broken}, now, contexts)
    return len(broken)


async def _break_arrangements(house: House, limit: int) -> int:
    async with house.store.transaction() as tx:
        now = house.clock.now()
        rows = await tx.due_arrangements(now.date() - timedelta(days=INSTALLMENT_GRACE_DAYS), limit)
        await tx.lock_borrowers(sorted({row[2] for row in rows}))
        for arrangement_id, case_id, _ in rows:
            await tx.move_arrangement(arrangement_id, ArrangementState.BROKEN, now)
            await tx.append([Entry(case_id, now, "arrangement.broken", {"arrangement_id": arrangement_id})])
            await stop(tx, [case_id], ["arrangement_reminders"], "arrangement.broken", now)
        await start_on(tx, house, "arrangement.broken", {row[1]: f"arrangement:{row[0]}" for row in rows}, now, {})
    return len(rows)


async def start_on(
    tx: Tx, house: House, trigger: str, causes: dict[UUID, str], now: datetime, contexts: dict[UUID, dict[str, Any]]
) -> None:
    """Start the plans that one of our own events triggers, for cases that still owe something."""
    if not causes:
        return
    rows = await tx.condition_rows(causes)
    for plan in house.plans.values():
        if plan.trigger == trigger:
            wanted = [
                Cause(rows[case], key, now, context=contexts.get(case, {}) | {"trigger": {"type": trigger}})
                for case, key in causes.items()
                if rows[case].amount_due_minor > 0
            ]
            await enrol(tx, plan, wanted, now)
