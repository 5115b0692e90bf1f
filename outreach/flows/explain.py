"""Explain: what the gate says about a case now or at another instant, channel by channel, and when it would say yes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from outreach.domain.case import ContactPoint
from outreach.domain.ids import new_id
from outreach.domain.words import SPOKEN, Channel, Purpose
from outreach.flows.dispatch import HISTORY
from outreach.flows.house import House
from outreach.policy.decision import Decision
from outreach.policy.dossier import facts_for
from outreach.policy.gate import next_permitted


@dataclass(frozen=True, slots=True)
class Explained:
    """The gate's answer for one channel and contact point. ``next_at`` None: not within the gate's horizon."""

    channel: str
    point_id: UUID | None
    point_type: str | None
    decision: Decision
    next_at: datetime | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """The gate's answers for one case at one instant. Amounts and address are today's; the rest is as it stood then."""

    case_id: UUID
    account_ref: str
    at: datetime
    zones: tuple[str, ...]
    jurisdictions: tuple[str, ...]
    answers: tuple[Explained, ...]


async def explain(
    house: House, ref: str, at: datetime | None = None, channels: tuple[str, ...] = (), purpose: str = Purpose.REMINDER
) -> Explanation | None:
    """Ask the gate about a case without sending anything; None when no case has that reference."""
    instant = at or house.clock.now()
    async with house.store.transaction() as tx:
        case_id = await tx.find_case(ref)
        if case_id is None:
            return None
        case = (await tx.cases([case_id]))[case_id]
        people = await tx.dossiers([case.borrower_id], at=instant, since=instant - HISTORY)
        switches = await tx.switches()
    dossier = people[case.borrower_id]
    answers = []
    for channel in channels or tuple(Channel):
        points: Sequence[ContactPoint | None] = dossier.points_for(channel) or [None]
        for point in points:
            facts = facts_for(
                dossier,
                case,
                touch_id=new_id(instant),
                channel=channel,
                purpose=purpose,
                role=house.creditor(case.creditor_id).role,
                actor="prerecorded" if channel in SPOKEN else "automated",
                at=instant,
                expires_at=None,
                point=point,
                paused=tuple(sorted(f"{scope}:{key}" for scope, key in switches if key in {channel, "everything"})),
            )
            answers.append(
                Explained(
                    channel,
                    point.contact_point_id if point else None,
                    point.type if point else None,
                    house.decide(facts, instant),
                    next_permitted(facts, house.policy, instant),
                )
            )
    borrower = dossier.borrower
    return Explanation(case_id, case.account_ref, instant, borrower.zones, borrower.jurisdictions, tuple(answers))
