"""Schedule: due steps become touches in their lanes; enrollments move on to what comes next."""

import math
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog

from outreach.domain.calendar import BusinessCalendar
from outreach.domain.condition_facts import PlanFacts
from outreach.domain.enrollment import ConditionRow, DueEnrollment
from outreach.domain.ids import new_id
from outreach.domain.plan import Plan, PlannedStep, next_step, plan_step
from outreach.domain.timeline import Entry
from outreach.domain.touch import NewTouch
from outreach.domain.words import Channel, EnrollmentState, Level, TouchState
from outreach.flows.backlog import Backlog
from outreach.flows.house import House
from outreach.flows.plan_versions import plan_of_version
from outreach.flows.ports import Tx
from outreach.flows.throughput import Slots

REPLY_PRIORITY = 100
"""From this priority up a touch stands on the urgent level of its lane: someone is waiting for an answer."""

PROMPT_PRIORITY = 60
"""From this priority up a touch stands on the prompt level: something just happened."""

LANE_SECONDS = 3.0
"""How much work, at the sender's pace, a lane may hold. The rest stays in the store and comes when there is room."""

CLAIM = 2000
"""Touches that one claim takes for a lane at most."""

_RANK = {Level.URGENT: 2, Level.PROMPT: 1, Level.BULK: 0}

_log = structlog.get_logger(__name__)


async def plan_due(house: House, limit: int = 1000) -> int:
    """Claim enrollments whose step is due, insert their touches and queue those that may go now; returns how many.

    Bulk for a lane that has enough to do for a while stays an enrollment and is looked at again a little later. Zero
    means there was nothing left to claim.
    """
    async with house.store.transaction() as tx:
        now = house.clock.now()
        due = await tx.claim_enrollments(now, limit)
        if not due:
            return 0
        rows = await tx.condition_rows({each.case_id for each in due})
        plans = {each.plan_version: await plan_of_version(house, tx, each.plan, each.plan_version) for each in due}
        slots = await Slots.load(tx, {each.campaign_id for each in due if each.campaign_id})
        room = await Room.look(house, tx)
        backlog = await Backlog.look(house, tx, now, len(due), more=len(due) == limit)
        touches: list[NewTouch] = []
        advances: list[dict[str, Any]] = []
        entries: list[Entry] = []
        for each in due:
            if turn := _put_off(plans[each.plan_version], each, rows[each.case_id], backlog, now):
                advances.append(_again(each, turn))
                continue
            touch = _touch_of(plans[each.plan_version], each, rows[each.case_id], slots, room, now, house, entries)
            if touch is not None:
                touches.append(touch)
            advances.append(_advance(plans[each.plan_version], each, rows[each.case_id], now, entries))
        await tx.insert_touches(touches)
        await tx.advance_enrollments(advances)
        await slots.save(tx)
        await tx.append(entries)
    await enqueue(house, [(touch.touch_id, touch.channel, touch.priority) for touch in touches if touch.lease_until])
    _log.info("planned", enrollments=len(due), touches=len(touches))
    return len(due)


def _touch_of(
    plan: Plan,
    due: DueEnrollment,
    row: ConditionRow,
    slots: Slots,
    room: "Room",
    now: datetime,
    house: House,
    entries: list[Entry],
) -> NewTouch | None:
    """Return the touch of a due step, or None when it is too late or its condition does not hold; both are recorded."""
    planned = plan_step(plan, due.next_step, due.anchor, row.zone, calendar=calendar_of(row))
    step = planned.step
    if now >= planned.expires_at:
        entries.append(_dropped(due, planned, now))
        return None
    if step.when is not None:
        facts = row.facts(now, plan=PlanFacts(plan.name, step.id, due.next_step + 1), context=due.context)
        answer = step.when.ask(facts)
        if not answer.holds:
            told = {"plan": plan.name, "step": step.id, "condition": step.when.text, "error": answer.error}
            entries.append(Entry(due.case_id, now, "step.not_needed", told))
            return None
    at = slots.take(due.campaign_id, now)
    ready = at <= now and room.take(step.channels[0], due.priority)
    return NewTouch(
        touch_id=new_id(now),
        case_id=due.case_id,
        borrower_id=due.borrower_id,
        channel=step.channels[0],
        fallback=tuple(step.channels[1:]),
        template=step.template,
        purpose=step.purpose,
        state=TouchState.QUEUED if ready else TouchState.PLANNED,
        due_at=planned.due_at,
        not_before=at,
        expires_at=planned.expires_at,
        created_at=now,
        enrollment_id=due.enrollment_id,
        campaign_id=due.campaign_id,
        plan=plan.name,
        plan_version=plan.version,
        step_id=step.id,
        context=due.context,
        priority=due.priority,
        lease_until=house.clock.real() + house.lease if ready else None,
    )


def _put_off(plan: Plan, due: DueEnrollment, row: ConditionRow, backlog: Backlog, now: datetime) -> datetime | None:
    """Return when a campaign's step has its turn whose lane is long; None when it has it now."""
    if due.campaign_id is None or level_of(due.priority) is not Level.BULK:
        return None
    channel = plan.steps[due.next_step].channels[0]
    if backlog.take(channel):
        return None
    planned = plan_step(plan, due.next_step, due.anchor, row.zone, calendar=calendar_of(row))
    return backlog.turn(channel, due.enrollment_id, now, planned.expires_at)


def _again(due: DueEnrollment, at: datetime) -> dict[str, Any]:
    state = EnrollmentState.ACTIVE
    return {"enrollment_id": due.enrollment_id, "next_step": due.next_step, "next_due_at": at, "state": state}


def _advance(plan: Plan, due: DueEnrollment, row: ConditionRow, now: datetime, entries: list[Entry]) -> dict[str, Any]:
    upcoming = next_step(plan, due.next_step, due.anchor, row.zone, now, calendar=calendar_of(row))
    entries += [_dropped(due, planned, now) for planned in upcoming.dropped]
    if upcoming.planned is None:
        return {
            "enrollment_id": due.enrollment_id,
            "next_step": len(plan.steps),
            "next_due_at": None,
            "state": EnrollmentState.COMPLETED,
            "ended_at": now,
        }
    return {
        "enrollment_id": due.enrollment_id,
        "next_step": upcoming.planned.index,
        "next_due_at": upcoming.planned.due_at,
        "state": EnrollmentState.ACTIVE,
    }


def _dropped(due: DueEnrollment, planned: PlannedStep, now: datetime) -> Entry:
    told = {"plan": due.plan, "step": planned.step.id, "due_at": planned.due_at, "expired_at": planned.expires_at}
    return Entry(due.case_id, now, "step.dropped", told)


def calendar_of(row: ConditionRow) -> BusinessCalendar:
    """Return the business calendar of the place a borrower lives in."""
    return BusinessCalendar(row.country, row.subdivision or "")


def level_of(priority: int) -> Level:
    """Return the level of its lane that a touch stands on."""
    if priority >= REPLY_PRIORITY:
        return Level.URGENT
    return Level.PROMPT if priority >= PROMPT_PRIORITY else Level.BULK


class Room:
    """How many more touches each lane may hold, so that a crowd due at one instant arrives as its sender can take it.

    Answers to borrowers always find room. What is prompt only looks at what is prompt; bulk looks at everything.
    """

    def __init__(self, full: dict[str, int], standing: dict[tuple[str, Level], int]) -> None:
        self._left: dict[tuple[str, Level], int] = {}
        for channel, most in full.items():
            prompt = most - standing.get((channel, Level.PROMPT), 0)
            bulk = prompt - standing.get((channel, Level.BULK), 0)
            self._left[channel, Level.URGENT] = CLAIM
            self._left[channel, Level.PROMPT] = min(CLAIM, max(0, prompt))
            self._left[channel, Level.BULK] = min(CLAIM, max(0, bulk))

    @classmethod
    async def look(cls, house: House, tx: Tx) -> "Room":
        """Count what stands in the lanes; those so fast that one claim cannot fill them are not counted."""
        full = {str(channel): _full(house, channel) for channel in Channel}
        slow = any(most < CLAIM for most in full.values())
        levels = {rank: level for level, rank in _RANK.items()}
        rows = await tx.in_lanes() if slow else []
        return cls(full, {(row[0], levels[row[1]]): row[2] for row in rows if full.get(row[0], CLAIM) < CLAIM})

    def take(self, channel: str, priority: int) -> bool:
        """Take a place in a lane; False when it is full."""
        lane = (channel, level_of(priority))
        self._left[lane] -= 1
        return self._left[lane] >= 0

    def lanes(self) -> list[dict[str, Any]]:
        """Return the room of each lane and level as the store reads it."""
        return [
            {"channel": channel, "level": _RANK[level], "room": left}
            for (channel, level), left in self._left.items()
            if left > 0
        ]


def _full(house: House, channel: str) -> int:
    rate = house.pacer.per_second(channel)
    return CLAIM if rate is None else min(CLAIM, max(1, math.ceil(rate * LANE_SECONDS)))


async def queue_ready(house: House) -> int:
    """Lease touches whose time has come (deferred, fallen back, paced) and queue them; returns how many."""
    async with house.store.transaction() as tx:
        room = await Room.look(house, tx)
        claimed = await tx.claim_ready(house.clock.now(), house.clock.real() + house.lease, room.lanes())
    await enqueue(house, [(each.touch_id, each.channel, each.priority) for each in claimed])
    return len(claimed)


async def enqueue(house: House, touches: Sequence[tuple[UUID, str, int]]) -> None:
    """Put touches into their lanes in batches of ids. Losing this costs time, not work: the lease runs out."""
    lanes: dict[tuple[Level, str], list[UUID]] = defaultdict(list)
    for touch_id, channel, priority in touches:
        lanes[level_of(priority), channel].append(touch_id)
    for level in Level:
        for channel in Channel:
            if ids := lanes.get((level, channel)):
                await house.queue.dispatch(channel, ids, level=level)


async def load_versions(house: House, tx: Tx) -> None:
    """Store the versions of plans and policy this process runs, so that enrollments and decisions can name them."""
    now = house.clock.now()
    for plan in house.plans.values():
        await tx.keep_plan_version(plan.version, plan.name, house.plan_body(plan), now)
    await tx.keep_policy_version(house.policy.version, house.policy.to_json().decode(), now)
