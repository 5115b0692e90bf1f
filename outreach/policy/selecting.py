"""Which rules a candidate contact is asked: what rules select by, and what is unknown, which never excuses."""

from datetime import datetime
from typing import NamedTuple

from outreach.domain.places import memberships
from outreach.domain.words import PointType
from outreach.policy import localtime
from outreach.policy.facts import Facts
from outreach.policy.localtime import Spans
from outreach.policy.rules import (
    ANYWHERE,
    LANDLINE_CLOCK,
    NUMBER_CLOCK,
    UNLISTED,
    Binds,
    Rule,
    RuleHead,
    Selector,
)

_UNKNOWN = frozenset({"", "unknown"})
_UNION = "EU"  # law above the states' own: having its pack is not having a pack of one's own
_EITHER_LINE = frozenset({PointType.FIXED_LINE_OR_MOBILE, PointType.UNKNOWN, ""})


class Kind(NamedTuple):
    """Everything rules select by. Candidate contacts of one kind are asked the same rules.

    ``zones`` are all candidates; ``residence``, ``located`` and ``numbered`` say which come from the address, from the
    person and from the number. ``days_past_due`` may be any day that the policy's rules do not tell from the true one.
    ``judged``: the words are there to be judged.
    """

    channel: str
    purpose: str
    role: str
    actor: str
    product: str
    recipient: str
    stage: str
    label: str
    point_type: str
    jurisdictions: tuple[str, ...]
    zones: tuple[str, ...]
    residence: tuple[str, ...] = ()
    located: tuple[str, ...] = ()
    numbered: tuple[str, ...] = ()
    creditor_kind: str = ""
    charged_off: bool | None = None
    time_barred: bool | None = None
    accelerated: bool | None = None
    days_past_due: int = 0
    judged: bool = False


def kind_of(facts: Facts, zones: tuple[str, ...], places: tuple[str, ...], days_past_due: int) -> Kind:
    """Return the kind of a candidate contact, of these candidate zones and jurisdictions."""
    point = facts.point
    label, point_type, numbered = (point.label, point.type, point.zones) if point is not None else ("", "", ())
    return Kind(
        facts.channel,
        facts.purpose,
        facts.role,
        facts.actor,
        facts.product,
        facts.recipient,
        facts.stage,
        label,
        point_type,
        places,
        zones,
        facts.zones,
        facts.located_zones,
        numbered,
        facts.creditor_kind,
        facts.charged_off,
        facts.time_barred,
        facts.accelerated,
        days_past_due,
        facts.content is not None,
    )


def selects(select: Selector, kind: Kind) -> bool:
    """Tell whether a rule that governs there is asked about a kind of contact. What is unknown never excuses it."""
    return (
        _binds(select.binds, kind.role)
        and kind.purpose not in select.except_purposes
        and _fits(select.channels, kind.channel)
        and _fits(select.actors, kind.actor)
        and _fits(select.products, kind.product)
        and _fits(select.recipients, kind.recipient)
        and _fits(select.purposes, kind.purpose)
        and _fits(select.stages, kind.stage)
        and _fits(select.labels, kind.label)
        and _fits(select.point_types, kind.point_type)
        and _fits(select.creditor_kinds, kind.creditor_kind)
        and (not select.debt_states or any(_may_be(state, kind) for state in select.debt_states))
        and (select.days_from is None or kind.days_past_due >= select.days_from)
        and (select.days_until is None or kind.days_past_due < select.days_until)
    )


def _fits(wanted: frozenset[str], value: str) -> bool:
    return not wanted or value in wanted or value in _UNKNOWN


def _may_be(state: str, kind: Kind) -> bool:
    known = {
        "charged_off": kind.charged_off,
        "time_barred": kind.time_barred,
        "accelerated": kind.accelerated,
        "not_accelerated": None if kind.accelerated is None else not kind.accelerated,
    }
    return known[state] is not False


def _binds(binds: Binds, role: str) -> bool:
    if role == "first_party":
        return binds is not Binds.THIRD_PARTY
    return binds is not Binds.FIRST_PARTY or role not in {"agency", "debt_buyer"}


def governs(jurisdiction: str, candidates: tuple[str, ...], packs: frozenset[str]) -> bool:
    """Tell whether the law of a jurisdiction may apply to somebody of these candidate places.

    It applies to whatever lies in it. Of somebody of whom only the country is known, all law of the country's parts
    may apply; another candidate inside the country answers which part it is.
    """
    if jurisdiction == ANYWHERE:
        return True
    if jurisdiction == UNLISTED:
        return not candidates or any(packs.isdisjoint(set(memberships(place)) - {_UNION}) for place in candidates)
    if any(jurisdiction in memberships(place) for place in candidates):
        return True
    return any(place in memberships(jurisdiction) for place in candidates if _whole_country(place, candidates))


def _whole_country(place: str, candidates: tuple[str, ...]) -> bool:
    inside = any(place in memberships(other) for other in candidates if other != place)
    return "-" not in place and not inside


def holiday_places(jurisdiction: str, candidates: tuple[str, ...], packs: frozenset[str]) -> tuple[str, ...]:
    """Return the places whose public holidays matter to a rule of a jurisdiction: candidates in it, or itself."""
    found = [place for place in candidates if governs(jurisdiction, (place,), packs)]
    return tuple(jurisdiction if place in memberships(jurisdiction) else place for place in found)


def clocks_of(rule: Rule, kind: Kind) -> tuple[str, ...]:
    """Return whose clocks a rule goes by: its own, those the number hints at, or every candidate zone."""
    clock: str | None = getattr(rule, "clock", None)
    match clock:
        case None:
            return kind.zones
        case "number" | "landline_number":
            return (kind.located or _hinted(clock, kind) or kind.zones) if kind.zones else ()
        case _:
            return (clock,)


def _hinted(clock: str, kind: Kind) -> tuple[str, ...]:
    if clock == NUMBER_CLOCK or kind.point_type == PointType.FIXED_LINE:
        return kind.numbered
    if clock == LANDLINE_CLOCK and kind.point_type in _EITHER_LINE:
        return tuple(sorted({*kind.numbered, *kind.residence}))
    return kind.residence


def out_of_force(head: RuleHead, zones: tuple[str, ...]) -> Spans:
    """Return when a rule is not in force anywhere the borrower may be: its dates are local dates, strictest reading."""
    clocks = zones or ("UTC",)
    begins = min(localtime.day_start(name, head.from_on.toordinal()) for name in clocks)
    spans: Spans = ((localtime.FIRST, begins),)
    if head.until_on is not None:
        ended: datetime = max(localtime.day_start(name, head.until_on.toordinal()) for name in clocks)
        spans = localtime.union(spans, ((ended, localtime.LAST),))
    return spans
