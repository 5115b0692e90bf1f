"""Priority: which of one borrower's due touches gets a scarce slot, and what is said of those that did not.

Three rules. In a batch the higher priority is decided first. A touch that may leave now, but whose leaving would use up
what a higher one needs that is due now as well, lets it go first and is decided again a minute later. A touch that
what left since it fell due keeps from ever leaving in time is superseded by it.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from outreach.domain.touch import Touch
from outreach.domain.words import Outcome
from outreach.flows.house import House
from outreach.flows.ports import Row, Tx
from outreach.policy.decision import Decision, Verdict
from outreach.policy.facts import Contact, Facts

LETS_GO_FIRST = timedelta(minutes=1)
"""How long a touch lets a higher one go first before it is decided again."""

RIVAL_FOR = timedelta(minutes=10)
"""A higher touch that has not left this long after its time holds up nobody any more: its lane may be down."""

GAVE_WAY = "priority.gave_way"
SUPERSEDED = "priority.superseded"

_COUNTS = frozenset({"frequency_cap", "cooldown"})
_TOO_LATE = frozenset({"expiry.before_permitted", "horizon.no_instant"})


@dataclass(frozen=True, slots=True)
class Contest:
    """A touch that only counts refused, and that cannot leave in time any more."""

    touch: Touch
    decision: Decision
    decision_id: UUID
    facts: Facts


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


def counted_out(decision: Decision) -> bool:
    """Tell whether nothing but counts of other contacts speaks against it."""
    codes = [reason.code for reason in decision.reasons]
    counts = [code for code in codes if code.partition(".")[0] in _COUNTS]
    return bool(counts) and len(counts) + sum(code in _TOO_LATE for code in codes) == len(codes)


def contact_of(facts: Facts, now: datetime) -> Contact:
    """Return the contact that a touch with these facts would be if it left now."""
    point = facts.point.id if facts.point else ""
    return Contact(
        now, facts.channel, Outcome.PENDING, (facts.case_id,), facts.creditor_id, point, "out", facts.purpose
    )


def uses_up(house: House, lower: Facts, higher: Facts, now: datetime) -> bool:
    """Tell whether the lower one's leaving would refuse the higher one, which may leave now."""
    after = replace(higher, history=(*higher.history, contact_of(lower, now)))
    return counted_out(house.decide(after, now))


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
