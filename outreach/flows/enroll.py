"""Enrol: put cases on a plan for a cause (a campaign's run, an event, an installment), once per cause."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from outreach.domain.enrollment import ConditionRow, NewEnrollment
from outreach.domain.ids import new_id
from outreach.domain.plan import DueDateOf, Plan, decide_entry, next_step
from outreach.domain.plan import Entry as PlanEntry
from outreach.domain.timeline import Entry
from outreach.domain.words import EnrollmentState, StopCondition
from outreach.flows.house import House
from outreach.flows.ports import Row, Tx
from outreach.flows.schedule import calendar_of

_RESTS = frozenset({StopCondition.ARRANGEMENT, StopCondition.PROMISE, StopCondition.HOLD})
_BEGIN_WITH = frozenset({"promise.made", "arrangement.confirmed"})
"""Events that begin the very thing other plans rest for."""

_Rest = tuple[bool, bool, date | None, str | None]
_NO_REST: _Rest = (False, False, None, None)


@dataclass(frozen=True, slots=True)
class Cause:
    """Why one case goes on a plan. ``key`` is the same for the same cause; exactly one anchor is set."""

    row: ConditionRow
    key: str
    anchor: date | datetime
    campaign_id: UUID | None = None
    context: dict[str, Any] = field(default_factory=dict)
    holdout: bool = False


async def enrol(tx: Tx, plan: Plan, causes: Sequence[Cause], now: datetime) -> int:
    """Enrol cases on ``plan``; returns how many started. The plan's re-entry rule decides about cases already on it."""
    causes = await _not_resting(tx, plan, causes, now)
    if not causes:
        return 0
    latest = await tx.latest_enrollments({cause.row.case_id for cause in causes}, plan.name)
    fresh: list[NewEnrollment] = []
    late: dict[UUID, list[str]] = {}
    restarting: list[Cause] = []
    for cause in causes:
        known = latest.get(cause.row.case_id)
        state = EnrollmentState(known[2]) if known and known[2] != "holdout" else None
        same = known is not None and known[3] == cause.key
        entry = decide_entry(plan, state, same_cause=same)
        if entry is PlanEntry.SKIP or (same and known):
            continue
        if entry is PlanEntry.RESTART:
            restarting.append(cause)
        enrollment, dropped = _enrollment(plan, cause, now)
        fresh.append(enrollment)
        late[enrollment.enrollment_id] = dropped
    if restarting:
        await stop(tx, [cause.row.case_id for cause in restarting], [plan.name], "restarted", now)
    started = await tx.insert_enrollments(fresh)
    await tx.append([_entry(each, late[each.enrollment_id], now) for each in fresh if each.case_id in started])
    return len(started)


async def _not_resting(tx: Tx, plan: Plan, causes: Sequence[Cause], now: datetime) -> list[Cause]:
    """Leave out the cases that rest: on hold, an arrangement or a promise in good standing, or a new due date ahead.

    What these end does not begin while they last, whoever starts it: a campaign, an event or we ourselves. Reminders of
    what was agreed begin all the same: the agreement may outlast a hold, and while it lasts nothing leaves.
    """
    if not causes or not plan.stop_on & _RESTS or plan.trigger in _BEGIN_WITH:
        return list(causes)
    resting = await tx.at_rest({cause.row.case_id for cause in causes}, now)
    going, entries = [], []
    for cause in causes:
        why = _rests(plan, cause, resting.get(cause.row.case_id, _NO_REST), now)
        if why is None:
            going.append(cause)
        else:
            told = {"plan": plan.name, "cause": cause.key, "reason": why}
            entries.append(Entry(cause.row.case_id, now, "enrollment.rested", told))
    await tx.append(entries)
    return going


def _rests(plan: Plan, cause: Cause, rest: _Rest, now: datetime) -> str | None:
    arrangement, promise, extended_to, hold = rest
    if hold and StopCondition.HOLD in plan.stop_on and plan.due_date_of is DueDateOf.ACCOUNT:
        return f"hold.{hold}"
    if arrangement and StopCondition.ARRANGEMENT in plan.stop_on:
        return "arrangement"
    if promise and StopCondition.PROMISE in plan.stop_on:
        return "promise"
    ahead = extended_to is not None and now.astimezone(cause.row.zone).date() <= extended_to
    if not ahead or extended_to is None or StopCondition.PROMISE not in plan.stop_on:
        return None
    counts_from = None if isinstance(cause.anchor, datetime) else cause.anchor
    return None if counts_from and counts_from >= extended_to else "extension"


async def stop_for(
    tx: Tx, house: House, cases: Sequence[UUID], condition: StopCondition, reason: str, now: datetime
) -> None:
    """Stop the plans that end on ``condition`` for ``cases``, and what they had not started."""
    plans = [plan.name for plan in house.plans.values() if condition in plan.stop_on]
    await stop(tx, cases, plans, reason, now)


async def start_on(
    tx: Tx, house: House, trigger: str, causes: dict[UUID, str], now: datetime, contexts: dict[UUID, dict[str, Any]]
) -> None:
    """Start the plans that one of our own events triggers, for cases that still owe something."""
    plans = [plan for plan in house.plans.values() if plan.trigger == trigger]
    if not causes or not plans:
        return
    rows = await tx.condition_rows(causes)
    for plan in plans:
        wanted = [
            Cause(rows[case], key, now, context=contexts.get(case, {}) | {"trigger": {"type": trigger}})
            for case, key in causes.items()
            if rows[case].amount_due_minor > 0
        ]
        await enrol(tx, plan, wanted, now)


async def stop(tx: Tx, cases: Sequence[UUID], plans: Sequence[str], reason: str, now: datetime) -> int:
    """Stop live enrollments of ``cases`` on ``plans`` and cancel what has not started; returns how many stopped."""
    return await _ended(tx, await tx.stop_enrollments(cases, plans, reason, now), reason, now)


async def stop_causes(tx: Tx, case_id: UUID, causes: Sequence[str], reason: str, now: datetime) -> int:
    """Stop what a case was enrolled for by these causes (an installment that is paid); returns how many stopped."""
    return await _ended(tx, await tx.stop_enrollments_of_causes(case_id, causes, reason, now), reason, now)


async def _ended(tx: Tx, stopped: Sequence[Row], reason: str, now: datetime) -> int:
    """Cancel what stopped enrollments had not started, and tell the cases."""
    if not stopped:
        return 0
    cancelled = await tx.cancel_touches_of_enrollments(
        await tx.borrowers_of_cases({row[1] for row in stopped}), [row[0] for row in stopped], f"stopped.{reason}", now
    )
    entries = [
        Entry(
            row[1], now, "enrollment.stopped",
            {"enrollment_id": row[0], "plan": row[2], "cause": row[3], "reason": reason},
        )
        for row in stopped
    ]  # fmt: skip
    entries += [
        Entry(row[1], now, "touch.cancelled",
              {"touch_id": row[0], "step": row[2], "channel": row[3], "reasons": [f"stopped.{reason}"]})
        for row in cancelled
    ]  # fmt: skip
    await tx.append(entries)
    return len(stopped)


def _enrollment(plan: Plan, cause: Cause, now: datetime) -> tuple[NewEnrollment, list[str]]:
    """Return the enrollment, and the steps that are too late for a case that joins now."""
    upcoming = next_step(plan, -1, cause.anchor, cause.row.zone, now, calendar=calendar_of(cause.row))
    planned = upcoming.planned
    state = EnrollmentState.COMPLETED if planned is None else EnrollmentState.ACTIVE
    enrollment = NewEnrollment(
        enrollment_id=new_id(now),
        case_id=cause.row.case_id,
        borrower_id=cause.row.borrower_id,
        plan=plan.name,
        plan_version=plan.version,
        trigger_key=cause.key,
        state="holdout" if cause.holdout else state,
        next_step=planned.index if planned else len(plan.steps),
        next_due_at=None if cause.holdout or planned is None else planned.due_at,
        created_at=now,
        campaign_id=cause.campaign_id,
        anchor_on=None if isinstance(cause.anchor, datetime) else cause.anchor,
        anchor_at=cause.anchor if isinstance(cause.anchor, datetime) else None,
        context=cause.context,
        priority=plan.priority,
    )
    return enrollment, [dropped.step.id for dropped in upcoming.dropped]


def _entry(one: NewEnrollment, dropped: list[str], now: datetime) -> Entry:
    kind = "enrollment.held_out" if one.state == "holdout" else "enrollment.started"
    told = {
        "enrollment_id": one.enrollment_id,
        "plan": one.plan,
        "plan_version": one.plan_version,
        "cause": one.trigger_key,
    }
    if dropped:
        told["dropped"] = dropped
    if part := (one.context or {}).get("installment"):
        told |= {"no": part["no"], "count": part["count"], "due_on": part["due_on"]}
    return Entry(one.case_id, now, kind, told)
