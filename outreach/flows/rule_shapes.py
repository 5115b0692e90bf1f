"""What a rule of a pack says, in plain words: whom and what it is about, and what it asks."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from outreach.flows.rule_words import (
    channel_words,
    counted_words,
    limit_words,
    override_words,
    period_words,
    scope_words,
)
from outreach.flows.sentences import length_words, listed
from outreach.policy.rules import (
    Bar,
    Binds,
    Cap,
    DistinctChannels,
    Duty,
    Events,
    Gap,
    Hours,
    Limit,
    NeedsConsent,
    PersonalTimes,
    Prerequisite,
    Refusal,
    Rest,
    Rule,
    Selector,
    Span,
    Window,
    Wording,
)

SHAPES: Final[dict[type, str]] = {
    Window: "window",
    Cap: "cap",
    DistinctChannels: "distinct_channels",
    Gap: "gap",
    Prerequisite: "prerequisite",
    Rest: "hold",
    NeedsConsent: "consent",
    Bar: "bar",
    Refusal: "refusal",
    Wording: "content",
    PersonalTimes: "personal_times",
    Duty: "duty",
}
"""The word of the policy files for each shape."""

_BINDS: Final = {
    Binds.FIRST_PARTY: "the creditor itself",
    Binds.THIRD_PARTY: "those who collect for the creditor, or bought the debt",
    Binds.BOTH: "everybody who collects",
}
_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_CLOCKS: Final = {
    None: "on every clock the borrower may live by",
    "number": "on the clocks the number hints at, unless it is known where the borrower is",
    "landline_number": "for landlines on the clocks the number hints at, otherwise on those of the residence",
}
_UNITS: Final = {"y": "years", "m": "months", "d": "days", "h": "hours", "bd": "business days"}


def shape_of(rule: Rule) -> str:
    """Return the shape of a rule, as the policy files write it."""
    return SHAPES[type(rule)]


def about(rule: Rule) -> list[str]:
    """Return whom and what a rule is about, a line for each selector that narrows it."""
    select = rule.head.select
    lines = [f"Binds {_BINDS[select.binds]}."]
    named = [
        ("Channels", [channel_words(one) for one in sorted(select.channels)]),
        ("Callers", _words(select.actors)),
        ("Products", _words(select.products)),
        ("Creditors", _words(select.creditor_kinds)),
        ("Debts that are", _words(select.debt_states)),
        ("Stages", _words(select.stages)),
        ("Recipients", _words(select.recipients)),
        ("Numbers and mailboxes at", _words(select.labels)),
        ("Kinds of number or mailbox", _words(select.point_types)),
        ("Purposes", _words(select.purposes)),
        ("Not for", _words(select.except_purposes)),
    ]
    lines += [f"{name}: {listed(words)}." for name, words in named if words]
    lines += _late(select)
    if rule.head.lifted_by:
        lines.append(f"Lifted when {listed([override_words(one) for one in sorted(rule.head.lifted_by)], 'or')}.")
    return lines


def asks(rule: Rule) -> list[str]:
    """Return what a rule asks, a line for each thing."""
    match rule:
        case Window():
            return [*(_hours(part) for part in rule.hours), *_window_notes(rule)]
        case Cap():
            return [_limit(limit, rule.events) for limit in rule.limits]
        case DistinctChannels():
            most, length = rule.limit.most, period_words(rule.limit.span, _short(rule.limit.length))
            channels = "channel" if most == 1 else "different channels"
            return [f"At most {most} {channels} {scope_words(rule.events.scope)} {length}."]
        case Gap():
            counted, scope = counted_words(rule.events.counted, 1), scope_words(rule.events.scope)
            return [f"After one {counted} {scope}: {_rest(rule.limit)}."]
        case Prerequisite():
            return _prerequisite(rule)
        case _:
            return [text for text in _rest_of_shapes(rule) if text]


def _rest_of_shapes(rule: Rule) -> Iterable[str]:
    match rule:
        case Rest():
            yield f"No contact while there is: {listed(_words(rule.kinds), 'or')}."
            yield f"At least {_length(rule.at_least)} from its start." if rule.at_least else ""
        case NeedsConsent():
            kinds = listed(_words(rule.kinds), "or") or "any"
            yield f"Needs {kinds} consent for the channel and the number or mailbox."
            yield f"It lasts {_length(rule.fresh)} from the last word of the borrower." if rule.fresh else ""
            yield "Not where the borrower has confirmed the number or mailbox." if rule.unless_confirmed else ""
        case Bar():
            yield "Never, for what it is about."
            yield "Except where the borrower has confirmed the number or mailbox." if rule.unless_confirmed else ""
        case Refusal():
            heard = listed([channel_words(one) for one in sorted(rule.heard_on)], "or") or "any channel"
            covers = listed([channel_words(one) for one in sorted(rule.covers)]) or "every channel"
            yield f"A refusal by {heard} covers {covers}."
        case Wording():
            yield f"Must say: {listed(_words(rule.requires))}." if rule.requires else ""
            yield f"Must not hold: {listed(_words(rule.forbids), 'or')}." if rule.forbids else ""
            yield f"In: {listed(_words(rule.media))}." if rule.media else ""
        case PersonalTimes():
            yield f"The borrower may bar at most {rule.most_hours_per_week} hours of a week."
        case Duty():
            yield f"A duty that no machine decides at the moment of sending: {rule.duty.replace('_', ' ')}."
            yield f"Records are kept {_count(rule.retain)}." if rule.retain else ""
            yield f"A refusal is honoured within {_count(rule.honour_within)}." if rule.honour_within else ""
        case _:
            return


def _hours(part: Hours) -> str:
    days = _day_words(part.days)
    if part.on_holidays:
        days = f"{days} and public holidays" if days else "Public holidays"
    return f"{days}: {_clock(part.start)} to {_clock(part.end)}."


def _day_words(days: frozenset[int]) -> str:
    """Return weekdays in words: runs as Mon to Fri."""
    if len(days) == 7:
        return "Every day"
    runs: list[list[int]] = []
    for day in sorted(days):
        if runs and runs[-1][-1] == day - 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    return listed([_DAYS[run[0]] if len(run) == 1 else f"{_DAYS[run[0]]} to {_DAYS[run[-1]]}" for run in runs])


def _window_notes(rule: Window) -> Iterable[str]:
    yield f"Read {_CLOCKS.get(rule.clock, f'on the clock of {rule.clock}')}; outside these hours it is refused."
    if not rule.holidays:
        yield "A public holiday is like any other day."
    elif not any(part.on_holidays for part in rule.hours):
        yield "Never on a public holiday."


def _limit(limit: Limit, events: Events) -> str:
    words = limit_words(limit.most, events.counted, events.scope, limit.span, _short(limit.length))
    return f"At most {words}."


def _rest(limit: Limit) -> str:
    match limit.span:
        case Span.ROLLING:
            return f"{_length(limit.length)} of rest"
        case Span.ROLLING_DAYS:
            return f"rest until {_length(limit.length)} of local dates are over, its own the first"
        case Span.FULL_DAYS:
            return f"rest for {_length(limit.length)} that follow its own date"
        case Span.BUSINESS_DAYS:
            return f"rest for {_length(limit.length).replace('day', 'business day')} that follow its own date"
        case _:
            return f"rest to the end of its local {limit.span}"


def _prerequisite(rule: Prerequisite) -> list[str]:
    wanted = _words(rule.notices) or _words(rule.events.purposes)
    by = listed([channel_words(one) for one in sorted(rule.events.channels)], "or")
    gone = f"First must have gone: {listed(wanted, 'or')}"
    return [f"{gone}, by {by}." if by else f"{gone}.", f"Then {_rest(rule.limit)}."]


def _late(select: Selector) -> list[str]:
    first, until = select.days_from, select.days_until
    if first is None and until is None:
        return []
    if until is None:
        return [f"From day {first} past due on."]
    if first is None:
        return [f"Until day {until - 1} past due."]
    return [f"From day {first} to day {until - 1} past due."]


def _words(values: Iterable[str]) -> list[str]:
    return [value.replace("_", " ") for value in sorted(values)]


def _short(length: timedelta) -> str:
    return f"{int(length.total_seconds()) // 60}m" if length else ""


def _length(length: timedelta) -> str:
    return length_words(_short(length))


def _count(text: str) -> str:
    """Return ``3y`` or ``10bd`` in words."""
    number = text.rstrip("abcdefghijklmnopqrstuvwxyz")
    unit = _UNITS[text[len(number) :]]
    return f"{number} {unit[:-1] if number == '1' else unit}"


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"
