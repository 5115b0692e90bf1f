"""Priority: which of one borrower's due touches gets a scarce slot, and what is said of those that did not.

Four rules. In a batch the higher priority is decided first. A touch that may leave now, but whose leaving would use up
what a higher one needs that is due now as well, lets it go first and is decided again a minute later. What is written
aside from any plan about an agreement (a confirmation, a thank-you) does so too for a higher step that falls due within
a day and could not leave in time after it. A touch that what left since it fell due keeps from ever leaving in time is
superseded by it.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from outreach.domain.enrollment import ConditionRow, DueEnrollment
from outreach.domain.plan import Plan, plan_step
from outreach.domain.touch import Touch
from outreach.domain.words import Outcome, Purpose
from outreach.flows.house import House
from outreach.flows.outage import TOO_LATE
from outreach.flows.plan_versions import plan_of_version
from outreach.flows.ports import Row, Tx
from outreach.flows.schedule import calendar_of
from outreach.policy.decision import Decision, Verdict
from outreach.policy.facts import Contact, Facts

LETS_GO_FIRST = timedelta(minutes=1)
"""How long a touch lets a higher one go first before it is decided again."""

RIVAL_FOR = timedelta(minutes=10)
"""A higher touch that has not left this long after its time holds up nobody any more: its lane may be down."""

LOOKS_AHEAD = timedelta(days=1)
"""How far ahead what is written aside from a plan looks for a reminder that it would keep from leaving."""

GAVE_WAY = "priority.gave_way"
SUPERSEDED = "priority.superseded"

_COUNTS = frozenset({"frequency_cap", "cooldown"})


@dataclass(frozen=True, slots=True)
class Contest:
    """A touch that only counts refused, and that cannot leave in time any more."""

    touch: Touch
    decision: Decision
    decision_id: UUID
    facts: Facts


@dataclass(frozen=True, slots=True)
class Coming:
    """A touch that wants to leave ``at`` an instant; not ``stored`` when it is a step that nobody has planned yet."""

    touch: Touch
    at: datetime
    stored: bool = True


async def load_rivals(
    tx: Tx, queued: Sequence[Touch], borrowers: Sequence[UUID], now: datetime
) -> dict[UUID, list[Touch]]:
    """Return, per borrower, what is due on other lanes and matters more than the least of the batch, best first."""
    above = min(touch.priority for touch in queued)
    known = [touch.touch_id for touch in queued]
    found: dict[UUID, list[Touch]] = defaultdict(list)
    for rival in await tx.rivals(borrowers, known, above, now - RIVAL_FOR, now):
        found[rival.borrower_id].append(rival)
    return found


def is_aside(touch: Touch) -> bool:
    """Tell whether a touch is no step of a plan, but what is written once about an agreement."""
    return touch.plan is None and touch.purpose == Purpose.ARRANGEMENT


async def load_coming(house: House, tx: Tx, queued: Sequence[Touch], now: datetime) -> dict[UUID, list[Coming]]:
    """Return, per borrower who is written to aside from a plan, what matters more and falls due within a day."""
    aside = [touch for touch in queued if is_aside(touch)]
    if not aside:
        return {}
    people, above = sorted({touch.borrower_id for touch in aside}), min(touch.priority for touch in aside)
    found: dict[UUID, list[Coming]] = defaultdict(list)
    for at, touch in await tx.coming_touches(people, above, now, now + LOOKS_AHEAD):
        found[touch.borrower_id].append(Coming(touch, at))
    due = await tx.coming_steps(people, above, now, now + LOOKS_AHEAD)
    rows = await tx.condition_rows({each.case_id for each in due}) if due else {}
    for each in due:
        plan = await plan_of_version(house, tx, each.plan, each.plan_version)
        touch = _step_of(plan, each, rows[each.case_id])
        found[touch.borrower_id].append(Coming(touch, each.next_due_at, stored=False))
    return found


def _step_of(plan: Plan, due: DueEnrollment, row: ConditionRow) -> Touch:
    """Return the touch that a step is going to be; it has no id yet, and is named by its enrollment."""
    planned = plan_step(plan, due.next_step, due.anchor, row.zone, calendar=calendar_of(row))
    step = planned.step
    return Touch(
        touch_id=due.enrollment_id,
        enrollment_id=due.enrollment_id,
        campaign_id=due.campaign_id,
        case_id=due.case_id,
        borrower_id=due.borrower_id,
        plan=plan.name,
        plan_version=plan.version,
        step_id=step.id,
        channel=step.channels[0],
        fallback=tuple(step.channels[1:]),
        template=step.template,
        purpose=step.purpose,
        context=due.context,
        priority=due.priority,
        due_at=planned.due_at,
        expires_at=planned.expires_at,
        tries=0,
    )


def counted_out(decision: Decision) -> bool:
    """Tell whether nothing but counts of other contacts speaks against it."""
    codes = [reason.code for reason in decision.reasons]
    counts = [code for code in codes if code.partition(".")[0] in _COUNTS]
    return bool(counts) and len(counts) + sum(code in TOO_LATE for code in codes) == len(codes)


def contact_of(facts: Facts, now: datetime) -> Contact:
    """Return the contact that a touch with these facts would be if it left now."""
    point = facts.point.id if facts.point else ""
    return Contact(
        now, facts.channel, Outcome.PENDING, (facts.case_id,), facts.creditor_id, point, "out", facts.purpose
    )


def uses_up(house: House, lower: Facts, now: datetime, higher: Facts, at: datetime) -> bool:
    """Tell whether the lower one's leaving now would refuse the higher one, which may leave ``at`` its time.

    Of two that are due together the higher one waits for nothing; one that comes later may be put off within its time.
    """
    after = house.decide(replace(higher, history=(*higher.history, contact_of(lower, now))), at)
    return counted_out(after) and (at == now or after.verdict is Verdict.BLOCK)


async def find_winners(
    tx: Tx, house: House, contests: Sequence[Contest], in_batch: Mapping[UUID, UUID], now: datetime
) -> list[UUID | None]:
    """Return for each contest the touch that used the slot; None when none did since the touch fell due.

    ``in_batch`` names the touch that the same batch sends to a borrower.
    """
    lost = [_lost_since_due(house, each, now) for each in contests]
    asked = [
        each.touch
        for each, was_lost in zip(contests, lost, strict=True)
        if was_lost and each.touch.borrower_id not in in_batch
    ]
    left: dict[UUID, list[Row]] = defaultdict(list)
    if asked:
        since = min(touch.due_at for touch in asked)
        for row in await tx.left_since({touch.borrower_id for touch in asked}, since, now):
            left[row[0]].append(row)
    return [
        (in_batch.get(each.touch.borrower_id) or _winner(each.touch, left)) if was_lost else None
        for each, was_lost in zip(contests, lost, strict=True)
    ]


def _lost_since_due(house: House, contest: Contest, now: datetime) -> bool:
    """Tell whether it could still leave in time but for what left since it fell due."""
    before = tuple(
        each
        for each in contest.facts.history
        if each.direction == "in" or not each.same_borrower or each.at < contest.touch.due_at
    )
    if len(before) == len(contest.facts.history):
        return False
    return house.decide(replace(contest.facts, history=before), now).verdict is not Verdict.BLOCK


def _winner(touch: Touch, left: Mapping[UUID, Sequence[Row]]) -> UUID | None:
    return next(
        (
            key
            for _, key, priority, at in left.get(touch.borrower_id, ())
            if at >= touch.due_at and priority >= touch.priority and key != touch.touch_id
        ),
        None,
    )
