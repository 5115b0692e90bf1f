"""The watcher: promises and arrangements that were not kept, dialogues nobody finished, cases to escalate."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from outreach.domain.calendar import load_zone
from outreach.domain.timeline import Entry
from outreach.domain.words import ArrangementState, PromiseState
from outreach.flows.agreements import end_reminders, forgive_fee, promise_cause
from outreach.flows.enroll import start_on, stop_causes
from outreach.flows.escalate import escalate
from outreach.flows.house import House
from outreach.flows.ports import Row, Tx
from outreach.flows.speaker import load_plan

EVERY = timedelta(minutes=30)


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


def overdue(rows: Sequence[Row], now: datetime) -> list[Row]:
    """Return the rows whose grace is over on the borrower's own clock: the day after it, in the latest of their zones.

    A row ends in (grace days, due_on, spared until, zones). A payment taken back gives a new grace of its own.
    """
    return [row for row in rows if _is_over(now, *row[3:7])]


def _is_over(now: datetime, grace_days: int, due_on: date, spared_until: date | None, zones: Sequence[str]) -> bool:
    last = max(due_on + timedelta(days=grace_days), spared_until or due_on)
    days = [now.astimezone(zone).date() for name in zones if (zone := load_zone(name)) is not None]
    return min(days, default=now.date()) > last


async def _break_promises(house: House, limit: int) -> int:
    async with house.store.transaction() as tx:
        now = house.clock.now()
        rows = overdue(await tx.late_promises(_latest_day(now), limit), now)
        await tx.lock_borrowers(sorted({row[2] for row in rows}))
        live = await tx.live_promises({row[1] for row in rows})
        broken = [row for row in rows if row[1] in live]
        for promise_id, case_id, *_ in broken:
            _, _, promised, _, due_on, paid = live[case_id]
            await tx.move_promise(promise_id, PromiseState.BROKEN, paid, now)
            told = {"promise_id": promise_id, "due_on": due_on, "paid_minor": paid, "promised_minor": promised}
            await tx.append([Entry(case_id, now, "promise.broken", told)])
            await stop_causes(tx, case_id, [promise_cause(promise_id, due_on)], "promise.broken", now)
        contexts = {
            row[1]: {"promise": {"amount_minor": live[row[1]][2], "due_on": live[row[1]][4].isoformat()}}
            for row in broken
        }
        await start_on(tx, house, "promise.broken", {row[1]: f"promise:{row[0]}" for row in broken}, now, contexts)
    return len(broken)


async def _break_arrangements(house: House, limit: int) -> int:
    async with house.store.transaction() as tx:
        now = house.clock.now()
        rows = overdue(await tx.late_arrangements(_latest_day(now), limit), now)
        await tx.lock_borrowers(sorted({row[2] for row in rows}))
        broken = [row for row in rows if await _break(tx, row, now)]
        causes = {row[1]: f"arrangement:{row[0]}" for row in broken}
        await start_on(tx, house, "arrangement.broken", causes, now, {})
    return len(broken)


async def _break(tx: Tx, row: Row, now: datetime) -> bool:
    """Break one arrangement, unless a payment or a person was faster."""
    arrangement_id, case_id, *_ = row
    plan = await load_plan(tx, arrangement_id)
    if plan is None or plan.state not in (ArrangementState.CONFIRMED, ArrangementState.ACTIVE):
        return False
    missing = plan.following
    if missing is None or missing.installment.due_on > row[4]:
        return False
    await tx.move_arrangement(arrangement_id, ArrangementState.BROKEN, now)
    told = {
        "arrangement_id": arrangement_id,
        "no": missing.installment.number,
        "due_on": missing.installment.due_on,
        "paid_minor": (plan.total - plan.left).minor,
        "total_minor": plan.total.minor,
    }
    await tx.append([Entry(case_id, now, "arrangement.broken", told)])
    await end_reminders(tx, case_id, plan, "arrangement.broken", now)
    await forgive_fee(tx, case_id, plan, now)
    return True


def _latest_day(now: datetime) -> date:
    """Return the latest calendar day anywhere: what is not over there is over nowhere."""
    return (now + timedelta(hours=14)).date()
