"""For every deciding rule of the shipped packs: one candidate contact that it lets pass, and one that it refuses.

Made from the rule itself: facts that its selector picks, an instant inside its dates, and then whatever its shape looks
at. Judged rule by rule, by whether its id stands among the reasons: other rules may say what they like.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

from policy_samples import NOON, POINT, facts

from outreach.domain.places import place_of
from outreach.domain.words import POINT_KIND, Channel, Purpose
from outreach.policy.counting import counts_as
from outreach.policy.decision import Decision
from outreach.policy.facts import Consent, Contact, Content, Facts, Hold, Suppression
from outreach.policy.gate import decide
from outreach.policy.policy import Policy
from outreach.policy.rules import (
    Bar,
    Cap,
    DistinctChannels,
    Duty,
    Events,
    Gap,
    NeedsConsent,
    PersonalTimes,
    Prerequisite,
    Refusal,
    Rest,
    Rule,
    RuleHead,
    Window,
    Wording,
)

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
STANDS_FOR = {"any": "US-TX", "unlisted": "NO", "EU": "PL", "GB-EAW": "GB-ENG"}
CHANNELS = ["sms", "email", "voice", "ivr", "mail", "whatsapp", "visit", "other"]
OUTCOMES = ["delivered", "conversation", "no_answer", "voicemail_left"]


class Example(NamedTuple):
    """A candidate contact and the instant at which the gate is asked about it."""

    facts: Facts
    at: datetime

    def decided(self, policy: Policy) -> Decision:
        return decide(self.facts, policy, self.at)


def deciding(policy: Policy) -> list[Rule]:
    """Return the rules that the gate asks."""
    return [rule for rule in policy.rules if not isinstance(rule, Duty | PersonalTimes)]


def examples(rule: Rule, policy: Policy) -> tuple[Example | None, Example | None]:
    """Return a contact that the rule lets pass and one that it refuses; None where none was found."""
    passed = refused = None
    for example in _candidates(rule, policy):
        decision = example.decided(policy)
        against = rule.head.id in {reason.rule_id for reason in decision.reasons}
        if against:
            refused = refused or example
        elif rule.head.id in decision.passed or isinstance(rule, Bar):
            passed = passed or example
        if passed and refused:
            break
    return passed, refused


def _candidates(rule: Rule, policy: Policy) -> Iterator[Example]:
    base, at = _base(rule.head), _instant(rule.head)
    match rule:
        case Window():
            yield from (Example(base, when) for when in _hours(rule, policy, at))
        case Cap():
            yield Example(base, at)
            for limit in rule.limits:
                yield Example(_with(base, [_counted(rule.events, rule.head, at - MINUTE)] * limit.most), at)
        case Gap():
            yield Example(base, at)
            yield Example(_with(base, [_counted(rule.events, rule.head, at - MINUTE)]), at)
        case DistinctChannels():
            yield Example(base, at)
            yield Example(_with(base, _elsewhere(rule, base.channel, at)), at)
        case Prerequisite():
            yield Example(_with(base, []), at)
            yield Example(_with(base, [_notice(rule, at - 400 * DAY)]), at)
        case Rest():
            yield Example(base, at)
            yield from (Example(replace(base, holds=(Hold(kind, at - DAY),)), at) for kind in sorted(rule.kinds))
        case NeedsConsent():
            kinds = sorted(rule.kinds) or ["contact"]
            yield Example(replace(base, consents=()), at)
            yield Example(replace(base, consents=(Consent(kinds[0], "any", "given", at - DAY),)), at)
        case Bar():
            yield Example(base, at)
            yield Example(replace(base, point=replace(base.point or POINT, confirmed=True)), at)
            yield Example(_unpicked(base, rule.head), at)
        case Refusal():
            yield Example(base, at)
            heard = sorted(rule.heard_on) or ["email"]
            said = (Suppression(heard[0], "opt_out.said", at - HOUR, "p9"),)
            yield Example(replace(base, channel=min(rule.covers, default="sms"), suppressions=said), at)
        case Wording():
            medium = min(rule.media, default="")
            right = Content(tuple(rule.requires), (), medium)
            yield Example(replace(base, content=right), at)
            yield Example(replace(base, content=Content((), tuple(rule.forbids), medium)), at)


def _base(head: RuleHead) -> Facts:
    """Return facts that the rule's selector picks and that nothing else about it objects to."""
    select = head.select
    place = STANDS_FOR.get(select.jurisdiction, select.jurisdiction)
    channel = min(select.channels, default="sms")
    purposes = sorted(select.purposes or set(Purpose) - select.except_purposes)
    states = select.debt_states
    point = replace(
        POINT,
        kind=str(POINT_KIND[Channel(channel)]),
        type=min(select.point_types, default="mobile"),
        label=min(select.labels, default="mobile"),
    )
    return facts(
        channel=channel,
        purpose="reminder" if "reminder" in purposes else purposes[0],
        role="agency" if select.binds == "third_party" else "first_party",
        actor=min(select.actors, default="automated"),
        product=min(select.products, default="card"),
        recipient=min(select.recipients, default="debtor"),
        stage=min(select.stages, default="early"),
        creditor_kind=min(select.creditor_kinds, default="bank"),
        charged_off="charged_off" in states,
        time_barred="time_barred" in states,
        accelerated="accelerated" in states,
        days_past_due=_days(select.days_from, select.days_until),
        jurisdictions=(place,),
        zones=place_of(place[:2], place[:5] if "-" in place else None, None).zones[:1],
        point=point,
        history=(),
        consents=(Consent("contact", "any", "given", datetime(2020, 1, 1, tzinfo=UTC)),),
    )


def _days(first: int | None, until: int | None) -> int:
    if first is not None:
        return first
    return 5 if until is None else until - 1


def _instant(head: RuleHead) -> datetime:
    """Return a midday on which the rule is in force: today's, or the nearest inside its dates."""
    day = NOON.date()
    if head.until_on is not None and day >= head.until_on:
        day = head.until_on - 10 * DAY
    if day < head.from_on:
        day = head.from_on + 2 * DAY
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


def _hours(rule: Window, policy: Policy, at: datetime) -> Iterator[datetime]:
    """Yield hours of an ordinary week, and of some holidays of the rule's country."""
    for step in range(7 * 24):
        yield at + step * HOUR
    country = rule.head.select.jurisdiction[:2]
    known = [calendar for name, calendar in policy.calendars.items() if name[:2] == country]
    for day in sorted({day for calendar in known for day in calendar.holidays if day >= at.toordinal()})[:12]:
        midnight = datetime.combine(date.fromordinal(day), datetime.min.time(), tzinfo=UTC)
        yield from (midnight + step * HOUR for step in range(0, 36, 3))


def _with(base: Facts, history: list[Contact]) -> Facts:
    return replace(base, history=tuple(history))


def _counted(events: Events, head: RuleHead, at: datetime, barring: str = "") -> Contact:
    """Return a past contact that the rule counts."""
    allowed = events.channels or head.select.channels or set(CHANNELS)
    channel, outcome = next(
        (channel, outcome)
        for channel in CHANNELS
        for outcome in OUTCOMES
        if channel in allowed and channel != barring and events.counted in counts_as(channel, outcome)
    )
    purposes = sorted((events.purposes or set(Purpose)) - events.except_purposes)
    purpose = "reminder" if "reminder" in purposes else purposes[0]
    return Contact(
        at, channel, outcome, ("c1",), "k1", "p1", min(events.directions, key=lambda one: one != "out"), purpose
    )


def _elsewhere(rule: DistinctChannels, channel: str, at: datetime) -> list[Contact]:
    """Return as many counted contacts on channels of their own as the rule permits altogether."""
    wide = replace(rule.events, channels=rule.events.channels or frozenset(CHANNELS))
    made = []
    for other in (one for one in CHANNELS if one != channel and one in wide.channels):
        outcome = next((one for one in OUTCOMES if wide.counted in counts_as(other, one)), None)
        if outcome:
            made.append(Contact(at - MINUTE, other, outcome, ("c1",), "k1", "p1"))
    return made[: rule.limit.most]


def _notice(rule: Prerequisite, at: datetime) -> Contact:
    channel = min(rule.events.channels, default="mail")
    purpose = min(rule.events.purposes, default="statutory_notice")
    direction = min(rule.events.directions, key=lambda one: one != "out")
    outcome = next(one for one in ("delivered", "conversation") if rule.events.counted in counts_as(channel, one))
    return Contact(at, channel, outcome, ("c1",), "k1", "p1", direction, purpose, notice=min(rule.notices, default=""))


def _unpicked(base: Facts, head: RuleHead) -> Facts:
    """Return facts that a bar no longer picks, by the first thing it picks by."""
    select = head.select
    others: dict[str, Any] = {}
    if select.recipients:
        others["recipient"] = "debtor"
    elif select.labels:
        others["point"] = replace(base.point or POINT, label="home")
    elif select.point_types:
        others["point"] = replace(base.point or POINT, type="mobile")
    elif select.channels:
        others["channel"] = next(str(one) for one in Channel if one not in select.channels)
    elif select.actors:
        others["actor"] = "human"
    elif select.purposes:
        others["purpose"] = next(str(one) for one in Purpose if one not in select.purposes)
    elif select.products:
        others["product"] = "another"
    elif select.creditor_kinds:
        others["creditor_kind"] = "another"
    elif select.debt_states:
        others |= {"charged_off": False, "time_barred": False, "accelerated": "not_accelerated" in select.debt_states}
    else:
        others["days_past_due"] = select.days_until if select.days_until is not None else (select.days_from or 0) - 1
    return replace(base, **others)
