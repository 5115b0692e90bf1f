"""How many hours of a week a person has barred, and whether the law of the place lets them bar more."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from outreach.policy.facts import Facts, PersonalWindow
from outreach.policy.floor import candidate_jurisdictions, candidate_zones
from outreach.policy.policy import Policy
from outreach.policy.rules import PersonalTimes
from outreach.policy.selecting import kind_of, out_of_force, selects
from outreach.policy.windows import MINUTES, read_personal

_MONDAY = 1  # ordinal 1 was a Monday


class Named(NamedTuple):
    """The answer to a person who names another time. ``most`` None: no rule of the place sets a limit."""

    permitted: bool
    hours: float
    most: int | None = None
    rule_id: str = ""
    citation: str = ""


def hours_barred(named: Iterable[PersonalWindow]) -> float:
    """Return how many hours of an ordinary week these barred times leave closed, overlaps counted once."""
    reads = [read_personal(one) for one in named if one.effect != "allow"]
    closed = 0
    for day in range(_MONDAY, _MONDAY + 7):
        still_open = set(range(MINUTES))
        for read in reads:
            still_open &= {minute for start, end in (read(day) or () if read else ()) for minute in range(start, end)}
        closed += MINUTES - len(still_open)
    return closed / 60


def may_name(facts: Facts, policy: Policy, at: datetime, *more: PersonalWindow) -> Named:
    """Tell whether a person may bar more times, beside those in force on the same channels.

    The gate honours whatever is recorded, also beyond what the law gives a right to: this is asked before recording.
    """
    alike = [
        one
        for one in facts.personal_windows
        if any({one.channel, each.channel} & {"any"} or one.channel == each.channel for each in more)
    ]
    hours = hours_barred([*(one for one in alike if one.until is None or one.until > at), *more])
    asked = policy.rules_of(candidate_jurisdictions(facts))
    limits = [rule for rule in asked if isinstance(rule, PersonalTimes) and _speaks(rule, facts, at)]
    if not limits:
        return Named(True, hours)
    strictest = min(limits, key=lambda rule: rule.most_hours_per_week)
    most, head = strictest.most_hours_per_week, strictest.head
    return Named(hours <= most, hours, most, head.id, head.citation)


def _speaks(rule: PersonalTimes, facts: Facts, at: datetime) -> bool:
    zones = candidate_zones(facts)
    kind = kind_of(facts, zones, candidate_jurisdictions(facts), facts.days_past_due)
    free = out_of_force(rule.head, zones)
    return selects(rule.head.select, kind) and not any(start <= at < end for start, end in free)
