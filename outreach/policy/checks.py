"""What each shape of rule (windows apart) has against a candidate contact, worked out from its past.

Every count-like rule comes down to one sentence: a counted contact goes on counting until an instant that depends only
on the contact, so "at most n alive" passes once the n-th latest has ceased to count. That makes "until" exact.
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from outreach.policy import localtime
from outreach.policy.counting import filter_of, gone, mark
from outreach.policy.facts import Consent, Facts, Suppression
from outreach.policy.finding import Finding, Values, View, from_on, text_of
from outreach.policy.floor import confirmation
from outreach.policy.localtime import LAST, NEVER, Spans
from outreach.policy.rules import (
    NONE,
    Bar,
    Cap,
    DistinctChannels,
    Duty,
    Events,
    Gap,
    Limit,
    NeedsConsent,
    PersonalTimes,
    Prerequisite,
    Refusal,
    Rest,
    Rule,
    RuleHead,
    Scope,
    Span,
    Window,
    Wording,
)

Check = Callable[[View], Finding | None]
"""None: passes from now on, whatever the hour."""

Ends = Callable[[datetime], datetime]
"""From a contact's instant to the instant it ceases to count."""

_WEEKEND = frozenset({6, 0})  # ordinals modulo 7 of Saturdays and Sundays
_SLACK = timedelta(hours=3)  # local days are up to an hour longer than a day
_REACH = {Span.DAY: timedelta(days=1), Span.WEEK: timedelta(days=7), Span.MONTH: timedelta(days=31)}


class Ground(NamedTuple):
    """What the checks of one rule stand on for one kind of contact: whose clocks, and which days are worked."""

    clocks: tuple[str, ...]
    holiday: Callable[[int], bool | None]
    """Whether a local date is a public holiday; None when that is not known."""


def checks_of(rule: Rule, ground: Ground) -> tuple[Check, ...]:
    """Return the checks a rule consists of (windows have none here: see windows.py; duties are never asked)."""
    match rule:
        case Cap():
            return tuple(_cap(rule, limit, ground) for limit in rule.limits)
        case Gap():
            return (_gap(rule, ground),)
        case DistinctChannels():
            return (_distinct(rule, ground),)
        case Prerequisite():
            return (_prerequisite(rule, ground),)
        case Rest():
            return (_rest(rule),)
        case NeedsConsent():
            return (_consent(rule),)
        case Bar():
            return (_bar(rule),)
        case Refusal():
            return (_refusal(rule),)
        case Wording():
            return (_wording(rule),)
        case Window() | PersonalTimes() | Duty():
            return ()


def ends(limit: Limit, ground: Ground) -> Ends:
    """Return when a contact ceases to count; with several candidate clocks, the last of them decides.

    LAST where business days are counted on a calendar that does not know them.
    """
    if limit.span is Span.ROLLING:
        return lambda at: at + limit.length
    clocks = ground.clocks or ("UTC",)

    def end(at: datetime) -> datetime:
        latest = at
        for name in clocks:
            day = _end_date(limit, localtime.local_date(name, at), ground)
            if day is None:
                return LAST
            latest = max(latest, localtime.day_start(name, day))
        return latest

    return end


def _end_date(limit: Limit, day: int, ground: Ground) -> int | None:
    match limit.span:
        case Span.WEEK:
            return localtime.week_end(day)
        case Span.MONTH:
            return localtime.month_end(day)
        case Span.ROLLING_DAYS:
            return day + limit.length.days
        case Span.FULL_DAYS:
            return day + limit.length.days + 1
        case Span.BUSINESS_DAYS:
            return _after_business_days(day, limit.length.days, ground)
        case _:
            return day + 1


def _after_business_days(day: int, count: int, ground: Ground) -> int | None:
    """Return the date after the ``count``-th business day that follows ``day``; None when a holiday is not known."""
    while count:
        day += 1
        if day % 7 in _WEEKEND:
            continue
        holiday = ground.holiday(day)
        if holiday is None:
            return None
        count -= not holiday
    return day + 1


def _reach(limit: Limit) -> timedelta:
    """Return a span no contact counts longer than."""
    match limit.span:
        case Span.ROLLING:
            return limit.length
        case Span.FULL_DAYS:
            return limit.length + _REACH[Span.DAY] + _SLACK
        case Span.BUSINESS_DAYS:
            return limit.length * 4 + timedelta(days=60)
        case span:
            return _REACH.get(span, limit.length) + _SLACK


def _one_way_only(head: RuleHead, events: Events | None = None) -> bool:
    """Tell whether another channel or contact point could still pass."""
    select = head.select
    narrow = bool(select.channels or select.labels or select.point_types)
    return narrow or (events is not None and events.scope is Scope.NUMBER)


def _until(free: datetime, code: str, unknown: str) -> tuple[str, Spans]:
    """Return the code of a refusal that lasts until ``free``, and when it does not; LAST: no calendar tells when."""
    return (unknown, NEVER) if free == LAST else (code, from_on(free))


def _cap(rule: Cap, limit: Limit, ground: Ground) -> Check:
    latest = filter_of(rule.events, rule.head.select.channels).nth_latest
    end, reach, most = ends(limit, ground), _reach(limit), limit.most
    head, alone = rule.head, _one_way_only(rule.head, rule.events)
    values = _limit_values(rule.events, limit)

    def check(view: View) -> Finding | None:
        binding = latest(view, most, view.at - reach)
        if binding is None:
            return None
        free = end(binding)
        if free <= view.at:
            return None
        code, spans = _until(free, "frequency_cap.reached", "frequency_cap.no_calendar")
        return Finding(head.id, code, head.citation, spans, alone, values)

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


def _gap(rule: Gap, ground: Ground) -> Check:
    latest = filter_of(rule.events, rule.head.select.channels).nth_latest
    end, reach = ends(rule.limit, ground), _reach(rule.limit)
    head, alone = rule.head, _one_way_only(rule.head, rule.events)

    def check(view: View) -> Finding | None:
        last = latest(view, 1, view.at - reach)
        if last is None:
            return None
        free = end(last)
        if free <= view.at:
            return None
        code, spans = _until(free, "cooldown.running", "cooldown.no_calendar")
        values = (("after", rule.events.counted.value), ("latest_at", text_of(last)))
        return Finding(head.id, code, head.citation, spans, alone, values)

    return check


def _distinct(rule: DistinctChannels, ground: Ground) -> Check:
    counts, most = filter_of(rule.events, NONE).counts, rule.limit.most
    end, head = ends(rule.limit, ground), rule.head

    def check(view: View) -> Finding | None:
        facts = view.facts
        latest: dict[str, datetime] = {}
        for contact in facts.history:
            if contact.channel != facts.channel and counts(mark(contact, facts, view.point_id)):
                latest[contact.channel] = max(latest.get(contact.channel, contact.at), contact.at)
        alive = sorted((end(at) for at in latest.values()), reverse=True)
        if len(alive) < most or alive[most - 1] <= view.at:
            return None
        code, spans = _until(alive[most - 1], "frequency_cap.too_many_channels", "frequency_cap.no_calendar")
        values = (("most", str(most)), ("used", ",".join(sorted(latest))))
        return Finding(head.id, code, head.citation, spans, True, values)

    return check


def _prerequisite(rule: Prerequisite, ground: Ground) -> Check:
    end, head, alone = ends(rule.limit, ground), rule.head, _one_way_only(rule.head)
    wanted: Values = (("notices", ",".join(sorted(rule.notices))),) if rule.notices else ()

    def check(view: View) -> Finding | None:
        first = gone(rule, view.facts, view.point_id)
        if first is None:
            return Finding(head.id, "prerequisite.missing", head.citation, NEVER, alone, wanted)
        free = end(first)
        if free <= view.at:
            return None
        code, spans = _until(free, "prerequisite.waiting", "prerequisite.no_calendar")
        return Finding(head.id, code, head.citation, spans, alone, (("sent_at", text_of(first)),))

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
        if point is None and head.select.labels:
            return None  # nothing is there to be at work; that there is nothing is refused by the floor
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
    newest = max(entries, key=_order, default=None)
    if newest is None:
        return "missing", NEVER
    if newest.state != "given":
        return "revoked", NEVER
    end = newest.expires_at or LAST
    if rule.fresh:
        end = min(end, _last_said(view, newest.at) + rule.fresh)
    return ("expired" if end <= view.at else "missing"), ((newest.at, end),) if newest.at < end else NEVER


def _order(entry: Consent) -> tuple[datetime, bool]:
    return entry.at, entry.state != "given"


def _last_said(view: View, at: datetime) -> datetime:
    """Return when the person last wrote or spoke from this point on this channel, or ``at`` if that is later."""
    facts, last = view.facts, at
    for contact in facts.history:
        mine = contact.direction == "in" and contact.channel == facts.channel and contact.point_id == view.point_id
        if mine and contact.at > last:
            last = contact.at
    return last


def _refusal(rule: Refusal) -> Check:
    head = rule.head

    def check(view: View) -> Finding | None:
        facts = view.facts
        if rule.covers and facts.channel not in rule.covers:
            return None
        if not facts.suppressions and all(entry.state == "given" for entry in facts.consents):
            return None
        spans: Spans = localtime.ALWAYS
        for said in refusals(facts, rule.heard_on):
            free = confirmation(view, said.since)
            if said.until is not None:
                free = localtime.union(free, from_on(said.until))
            spans = localtime.intersection(spans, free)
        if spans == localtime.ALWAYS:
            return None
        return Finding(head.id, "suppression.heard_elsewhere", head.citation, spans, bool(rule.covers))

    return check


# Reasons of suppressions that are the person's own refusal, not somebody else's number or a dead mailbox.
_OWN_WORDS = ("opt_out", "consent", "caller_pressed_stop", "one_click_unsubscribe")


def refusals(facts: Facts, heard_on: frozenset[str]) -> list[Suppression]:
    """Return what the person refused on these channels (none named: on any), also by taking a consent back."""
    said = [
        one
        for one in facts.suppressions
        if one.reason.startswith(_OWN_WORDS) and one.case_id in {None, facts.case_id} and _heard(one.channel, heard_on)
    ]
    taken_back = [
        Suppression(entry.channel, "opt_out", entry.at)
        for entry in facts.consents
        if entry.state != "given" and _heard(entry.channel, heard_on) and not _given_again(entry, facts.consents)
    ]
    return said + taken_back


def _heard(channel: str, heard_on: frozenset[str]) -> bool:
    return not heard_on or channel == "any" or channel in heard_on


def _given_again(taken: Consent, consents: Iterable[Consent]) -> bool:
    return any(
        entry.state == "given"
        and entry.kind == taken.kind
        and entry.at > taken.at
        and entry.channel in {"any", taken.channel}
        and entry.point_id in {None, taken.point_id}
        for entry in consents
    )


def _wording(rule: Wording) -> Check:
    head = rule.head

    def check(view: View) -> Finding | None:
        content = view.facts.content
        if content is None or (rule.media and content.media and content.media not in rule.media):
            return None
        missing, found = rule.requires - set(content.disclosures), rule.forbids & set(content.families)
        values: Values = tuple(
            (name, ",".join(sorted(words))) for name, words in (("missing", missing), ("found", found)) if words
        )
        if not values:
            return None
        code = "content.forbidden" if found else "content.missing"
        return Finding(head.id, code, head.citation, NEVER, True, values)

    return check
