"""Explain: what the gate says about a case now or at another instant, channel by channel, and when it would say yes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import orjson

from outreach.domain.calendar import first_zone
from outreach.domain.case import Case, ContactPoint
from outreach.domain.ids import new_id
from outreach.domain.words import SPOKEN, Channel, Purpose
from outreach.flows.dispatch import HISTORY
from outreach.flows.house import House
from outreach.flows.lookout import places_of, scopes_of
from outreach.flows.ports import Tx
from outreach.flows.recount import Past, Recount, Send
from outreach.flows.rule_words import Told, channel_words, override_words, summary_of, tell_reason
from outreach.flows.sentences import Tongue
from outreach.policy.codec import facts_to_json
from outreach.policy.decision import Decision, Reason
from outreach.policy.dossier import Dossier, facts_for
from outreach.policy.facts import Facts
from outreach.policy.gate import next_permitted

_SHOWN = 6  # contacts that fill a limit and are listed


@dataclass(frozen=True, slots=True)
class Lifted:
    """A rule that would have refused but for something the borrower said."""

    rule_id: str
    override: str
    words: str
    summary: str


@dataclass(frozen=True, slots=True)
class Explained:
    """The gate's answer for one channel and contact point at the instant that was asked about.

    ``now`` is the verdict of this moment. ``next_at`` is the first instant, from the one asked about on, at which every
    rule passes, kill switches left aside; None: not within the gate's horizon. ``passed`` pairs rules that had nothing
    against it with what they ask.
    """

    channel: str
    point_id: UUID | None
    point_type: str | None
    point_label: str | None
    now: str
    decision: Decision
    next_at: datetime | None
    next_local: str | None
    reasons: tuple[Told, ...]
    lifted: tuple[Lifted, ...]
    passed: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """The gate's answers for one case at one instant. Amounts and address are today's; the rest is as it stood then.

    ``zone`` is the clock on which local times are told; with several candidates the first of ``zones``.
    """

    case_id: UUID
    account_ref: str
    at: datetime
    at_local: str
    now: datetime
    zone: str
    zones: tuple[str, ...]
    jurisdictions: tuple[str, ...]
    purpose: str
    role: str
    policy_version: str
    switches: tuple[str, ...]
    answers: tuple[Explained, ...]


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is the same for all contact points of a case.

    ``dossier`` is of the instant asked about, ``present`` of now; ``paused`` are (scope, key) of switches that are off.
    """

    house: House
    dossier: Dossier
    present: Dossier
    case: Case
    role: str
    purpose: str
    now: datetime
    at: datetime
    paused: frozenset[tuple[str, str]]
    tongue: Tongue
    recount: Recount


async def explain(
    house: House, ref: str, at: datetime | None = None, channels: tuple[str, ...] = (), purpose: str = Purpose.REMINDER
) -> Explanation | None:
    """Ask the gate about a case without sending anything; None when no case has that reference."""
    now = house.clock.now()
    instant = at or now
    async with house.store.transaction() as tx:
        case_id = await tx.find_case(ref)
        if case_id is None:
            return None
        case = (await tx.cases([case_id]))[case_id]
        dossier = await _dossier(tx, case, instant)
        present = dossier if instant == now else await _dossier(tx, case, now)
        paused = frozenset(await tx.switches(instant)) & _switches_of(dossier, await tx.live_plans(case_id))
    borrower = dossier.borrower
    zone = str(first_zone(borrower.zones))
    creditor = house.creditors.get(case.creditor_id)
    role = creditor.role if creditor else "platform"  # not configured: bound by every rule, and never written to
    tongue = Tongue(zone, case.currency)
    recount = Recount(house.policy.to_json())
    asked = _Asked(house, dossier, present, case, role, purpose, now, instant, paused, tongue, recount)
    return Explanation(
        case_id=case_id,
        account_ref=case.account_ref,
        at=instant,
        at_local=tongue.moment(instant),
        now=now,
        zone=zone,
        zones=borrower.zones,
        jurisdictions=borrower.jurisdictions,
        purpose=purpose,
        role=role,
        policy_version=house.policy.version,
        switches=tuple(sorted(f"{scope}:{key}" for scope, key in paused)),
        answers=tuple(
            _explained(asked, channel, point)
            for channel in channels or tuple(Channel)
            for point in _points(dossier, channel)
        ),
    )


async def _dossier(tx: Tx, case: Case, at: datetime) -> Dossier:
    return (await tx.dossiers([case.borrower_id], at=at, since=at - HISTORY))[case.borrower_id]


def _points(dossier: Dossier, channel: str) -> Sequence[ContactPoint | None]:
    return dossier.points_for(channel) or [None]


def _switches_of(dossier: Dossier, plans: Sequence[tuple[str, UUID | None]]) -> frozenset[tuple[str, str]]:
    """Return every switch that could stop a touch of this case: also those of the plans and campaigns it is on."""
    places = places_of(dossier)
    return frozenset(
        scope for plan, campaign in (*plans, ("", None)) for channel in Channel
        for scope in scopes_of(channel, plan, campaign, places)
    )  # fmt: skip


def _explained(asked: _Asked, channel: str, point: ContactPoint | None) -> Explained:
    facts = _facts(asked, asked.dossier, channel, point, asked.at)
    present = _facts(asked, asked.present, channel, point, asked.now)
    decision = asked.house.decide(facts, asked.at)
    next_at = next_permitted(facts, asked.house.policy, asked.at)
    policy = asked.house.policy
    return Explained(
        channel=channel,
        point_id=point.contact_point_id if point else None,
        point_type=point.type if point else None,
        point_label=point.label if point else None,
        now=str(asked.house.decide(present, asked.now).verdict),
        decision=decision,
        next_at=next_at,
        next_local=asked.tongue.moment(next_at) if next_at else None,
        reasons=tuple(tell_reason(one, policy, asked.tongue, _used(one, facts, asked)) for one in decision.reasons),
        lifted=tuple(
            Lifted(rule_id, kind, override_words(kind), summary_of(rule_id, policy))
            for rule_id, kind in decision.lifted
        ),
        passed=tuple((rule_id, summary_of(rule_id, policy)) for rule_id in decision.passed),
    )


def _facts(asked: _Asked, dossier: Dossier, channel: str, point: ContactPoint | None, at: datetime) -> Facts:
    paused = [one for one in asked.paused if one[0] != "channel" or one[1] == channel]
    return facts_for(
        dossier,
        asked.case,
        touch_id=new_id(at),
        channel=channel,
        purpose=asked.purpose,
        role=asked.role,
        actor="prerecorded" if channel in SPOKEN else "automated",
        at=at,
        expires_at=None,
        point=point,
        employers=asked.house.refusals.employers,
        paused=tuple(sorted(f"{scope}:{key}" for scope, key in paused)),
    )


def _used(reason: Reason, facts: Facts, asked: _Asked) -> list[str]:
    """Return the contacts that fill the limit a reason speaks of, in words, the latest few."""
    values = dict(reason.facts)
    if "period" not in values:
        return []
    past = [
        Past(
            one.at, one.channel, one.outcome, one.case_ids, one.creditor_id, one.point_id, one.direction, one.purpose,
            one.same_borrower,
        )
        for one in facts.history
    ]  # fmt: skip
    send = Send(
        "", asked.at, facts.channel, facts.purpose, facts.case_id, facts.creditor_id,
        facts.point.id if facts.point else "", orjson.loads(facts_to_json(facts)),
    )  # fmt: skip
    found = asked.recount.used(reason.rule_id, (int(values["most"]), values["period"].partition(" ")[0]), send, past)
    words = [_past_words(one, asked.tongue) for one in found[-_SHOWN:]]
    return [f"{len(found) - _SHOWN} earlier", *words] if len(found) > _SHOWN else words


def _past_words(one: Past, tongue: Tongue) -> str:
    if not one.same_borrower:  # who else has this number, and when they were contacted, is nobody's business here
        return "one to somebody else there"
    return f"the {channel_words(one.channel)} of {tongue.moment(one.at)}"
