"""What each shape of rule (windows apart) has against a candidate contact, worked out from its past.

Every count-like rule comes down to one sentence: a counted contact goes on counting until an instant that depends only
on the contact, so "at most n alive" passes once the n-th latest has ceased to count. That makes "until" exact.
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from outreach.policy import localtime
from outreach.policy.counting import filters, mark
from outreach.policy.facts import Consent
from outreach.policy.finding import Finding, Values, View, from_on, text_of
from outreach.policy.localtime import LAST, NEVER, Spans
from outreach.policy.rules import (
    Bar,
    Cap,
    DistinctChannels,
    Events,
    Gap,
    Limit,
    NeedsConsent,
    Prerequisite,
    Rest,
    Rule,
    RuleHead,
    Scope,
    Span,
    Window,
)

Check = Callable[[View], Finding | None]
"""None: passes from now on, whatever the hour."""

Ends = Callable[[datetime], datetime]
"""From a contact's instant to the instant it ceases to count."""

_SLACK = timedelta(days=2)  # local dates may end up to two days after the instant's own UTC date
_REACH = {Span.DAY: timedelta(days=1), Span.WEEK: timedelta(days=7), Span.MONTH: timedelta(days=31)}


def checks_of(rule: Rule, zones: tuple[str, ...]) -> tuple[Check, ...]:
    """Return the checks a rule consists of (windows have none here: see windows.py)."""
    match rule:
        case Window():
            return ()
        case Cap():
            return tuple(_cap(rule, limit, zones) for limit in rule.limits)
        case Gap():
            return (_gap(rule, zones),)
        case DistinctChannels():
            return (_distinct(rule, zones),)
        case Prerequisite():
            return (_prerequisite(rule, zones),)
        case Rest():
            return (_rest(rule),)
        case NeedsConsent():
            return (_consent(rule),)
        case Bar():
            return (_bar(rule),)
        case _:
            return ()


def ends(limit: Limit, clock: str | None, zones: tuple[str, ...]) -> Ends:
    """Return when a contact ceases to count; with several candidate clocks, the last of them decides."""
    if limit.span is Span.ROLLING:
        return lambda at: at + limit.length
    clocks = (clock,) if clock else zones or ("UTC",)

    def end(at: datetime) -> datetime:
        return max(localtime.day_start(name, _end_date(limit, localtime.local_date(name, at))) for name in clocks)

    return end


def _end_date(limit: Limit, day: int) -> int:
    match limit.span:
        case Span.WEEK:
            return localtime.week_end(day)
        case Span.MONTH:
            return localtime.month_end(day)
        case Span.ROLLING_DAYS:
            return day + limit.length.days
        case Span.FULL_DAYS:
            return day + limit.length.days + 1
        case _:
            return day + 1


def _reach(limit: Limit) -> timedelta:
    """Return a span no contact counts longer than."""
    return _REACH.get(limit.span, limit.length) + _SLACK


Latest = Callable[[View, int], datetime | None]


def _nth_latest(events: Events, head: RuleHead, reach: timedelta) -> Latest:
    """Return a search for the n-th latest contact that counts and is not older than ``reach``."""
    need, channels, directions, purposes = filters(events, head.select.channels)

    def find(view: View, nth: int) -> datetime | None:
        oldest = view.at - reach
        for at, bits in view.events:
            if at < oldest:
                return None
            if bits & need == need and bits & channels and bits & directions and bits & purposes:
                nth -= 1
                if nth == 0:
                    return at
        return None

    return find


def _one_way_only(head: RuleHead, events: Events | None = None) -> bool:
    """Tell whether another channel or contact point could still pass."""
    select = head.select
    narrow = bool(select.channels or select.labels or select.point_types)
    return narrow or (events is not None and events.scope is Scope.NUMBER)


def _cap(rule: Cap, limit: Limit, zones: tuple[str, ...]) -> Check:
    find = _nth_latest(rule.events, rule.head, _reach(limit))
    end = ends(limit, rule.clock, zones)
    head, alone = rule.head, _one_way_only(rule.head, rule.events)
    values = _limit_values(rule.events, limit)

    def check(view: View) -> Finding | None:
        binding = find(view, limit.most)
        if binding is None:
            return None
        free = end(binding)
        if free <= view.at:
            return None
        return Finding(head.id, "frequency_cap.reached", head.citation, from_on(free), alone, values)

    return check


def _limit_values(events: Events, limit: Limit) -> Values:
    length = f"{limit.length.total_seconds() / 3600:g}h" if limit.length else ""
    period = " ".join(part for part in (limit.span.value, length) if part)
    return (
        ("most", str(limit.most)),
        ("period", period),
        ("counted", events.counted.value),
        ("per", events.scope.value),
    )


def _gap(rule: Gap, zones: tuple[str, ...]) -> Check:
    find = _nth_latest(rule.events, rule.head, _reach(rule.limit))
    end = ends(rule.limit, rule.clock, zones)
    head, alone = rule.head, _one_way_only(rule.head, rule.events)

    def check(view: View) -> Finding | None:
        latest = find(view, 1)
        if latest is None:
            return None
        free = end(latest)
        if free <= view.at:
            return None
        values = (("after", rule.events.counted.value), ("latest_at", text_of(latest)))
        return Finding(head.id, "cooldown.running", head.citation, from_on(free), alone, values)

    return check


def _distinct(rule: DistinctChannels, zones: tuple[str, ...]) -> Check:
    need, channels, directions, purposes = filters(rule.events, rule.events.channels)
    end, head = ends(rule.limit, rule.clock, zones), rule.head

    def check(view: View) -> Finding | None:
        latest: dict[str, datetime] = {}
        for contact in view.facts.history:
            bits = mark(contact, view.facts, view.point_id)
            counted = bits & need == need and bits & channels and bits & directions and bits & purposes
            if counted and contact.channel != view.facts.channel:
                latest[contact.channel] = max(latest.get(contact.channel, contact.at), contact.at)
        alive = sorted((end(at) for at in latest.values()), reverse=True)
        if len(alive) < rule.limit.most or alive[rule.limit.most - 1] <= view.at:
            return None
        free = alive[rule.limit.most - 1]
        values = (("most", str(rule.limit.most)), ("used", ",".join(sorted(latest))))
        return Finding(head.id, "frequency_cap.too_many_channels", head.citation, from_on(free), True, values)

    return check


def _prerequisite(rule: Prerequisite, zones: tuple[str, ...]) -> Check:
    need, channels, directions, purposes = filters(rule.events, rule.events.channels)
    end, head = ends(rule.limit, rule.clock, zones), rule.head

    def check(view: View) -> Finding | None:
        first: datetime | None = None
        for at, bits in view.events:  # newest first: the last that fits is the earliest
            if bits & need == need and bits & channels and bits & directions and bits & purposes:
                first = at
        if first is None:
            return Finding(head.id, "prerequisite.missing", head.citation, NEVER, _one_way_only(head))
        free = end(first)
        if free <= view.at:
            return None
        values = (("sent_at", text_of(first)),)
        return Finding(head.id, "prerequisite.waiting", head.citation, from_on(free), _one_way_only(head), values)

    return check


def _rest(rule: Rest) -> Check:
    head = rule.head

    def check(view: View) -> Finding | None:
        spans: Spans = localtime.ALWAYS
        kind = ""
        for hold in view.facts.holds:
            if hold.kind in rule.kinds and hold.case_id in {None, view.facts.case_id}:
                free = LAST if hold.until is None else max(hold.until, hold.since + rule.at_least)
                spans = localtime.intersection(spans, from_on(free))
                kind = kind or (hold.kind if free > view.at else "")
        if localtime.next_in(spans, view.at) == view.at:
            return None
        return Finding(head.id, f"hold.{kind}", head.citation, spans, False, (("kind", kind),))

    return check


def _bar(rule: Bar) -> Check:
    head = rule.head

    def check(view: View) -> Finding | None:
        point = view.facts.point
        if rule.unless_confirmed and point is not None and point.confirmed:
            return None
        return Finding(head.id, rule.code, head.citation, NEVER, _one_way_only(head))

    return check


def consents_for(view: View, kinds: frozenset[str]) -> list[Consent]:
    """Return the entries of the consent ledger that speak about this channel and point."""
    return [
        entry
        for entry in view.facts.consents
        if (not kinds or entry.kind in kinds)
        and entry.channel in {"any", view.facts.channel}
        and entry.point_id in {None, view.point_id}
    ]


def _consent(rule: NeedsConsent) -> Check:
    head = rule.head

    def check(view: View) -> Finding | None:
        point = view.facts.point
        if rule.unless_confirmed and point is not None and point.confirmed:
            return None
        code, spans = _consent_spans(rule, view, consents_for(view, rule.kinds))
        if spans and spans[0][0] <= view.at and spans[0][1] == LAST:
            return None
        return Finding(head.id, f"consent.{code}", head.citation, spans, True)

    return check


def _consent_spans(rule: NeedsConsent, view: View, entries: Iterable[Consent]) -> tuple[str, Spans]:
    """Return why consent is lacking (should it be) and when there is one. At one instant a revocation wins."""
    ranked = sorted(entries, key=lambda entry: (entry.at, entry.state != "given"))
    if not ranked:
        return "missing", NEVER
    newest = ranked[-1]
    if newest.state != "given":
        return "revoked", NEVER
    end = newest.expires_at or LAST
    if rule.fresh:
        end = min(end, _last_said(view, newest.at) + rule.fresh)
    return ("expired" if end <= view.at else "missing"), ((newest.at, end),) if newest.at < end else NEVER


def _last_said(view: View, at: datetime) -> datetime:
    """Return when the person last wrote or spoke from this point on this channel, or ``at`` if that is later."""
    facts = view.facts
    said = (
        contact.at
        for contact in facts.history
        if contact.direction == "in" and contact.channel == facts.channel and contact.point_id == view.point_id
    )
    return max((at, *said))
