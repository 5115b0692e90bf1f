"""A policy version: its rules, its calendars, its name; and the rules picked out for one kind of candidate contact."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from outreach.policy import localtime, windows
from outreach.policy.checks import Check, checks_of
from outreach.policy.floor import FLOOR_IDS
from outreach.policy.localtime import Spans
from outreach.policy.rules import (
    ANYWHERE,
    LANDLINE_CLOCK,
    NUMBER_CLOCK,
    UNLISTED,
    Binds,
    Calendar,
    Duty,
    PersonalTimes,
    Rule,
    RuleHead,
    Selector,
    Window,
    Wording,
)
from outreach.policy.windows import DayCache, DaySpans, Minutes

_KEPT_PLANS = 8192


class Kind(NamedTuple):
    """Everything rules select by. Candidate contacts of one kind are asked the same rules."""

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


class WindowCheck(NamedTuple):
    """One window for one kind: ``days`` with its dates in force, ``minutes`` by local date, the ``clocks`` asked."""

    head: RuleHead
    days: DaySpans
    minutes: Minutes
    clocks: tuple[str, ...]


class TimedCheck(NamedTuple):
    """One check for one kind. ``free`` are the instants at which its rule is not in force."""

    head: RuleHead
    free: Spans
    check: Check


class Picked(NamedTuple):
    """The rules one kind of candidate contact is asked. ``open_days`` merges all windows."""

    ids: tuple[str, ...]
    windows: tuple[WindowCheck, ...]
    checks: tuple[TimedCheck, ...]
    open_days: DayCache
    all_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Policy:
    """All rules in the order they are asked, under a version that is the hash of their content.

    ``content`` is the canonical JSON a version is stored as. Equal versions decide equally.
    """

    version: str
    rules: tuple[Rule, ...]
    calendars: Mapping[str, Calendar]
    packs: frozenset[str]
    content: bytes
    _picked: dict[Kind, Picked] = field(default_factory=dict, repr=False)
    _days: dict[tuple[str, tuple[str, ...], tuple[str, ...]], tuple[DayCache, Minutes]] = field(
        default_factory=dict, repr=False
    )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Policy) and self.version == other.version

    def __hash__(self) -> int:
        return hash(self.version)

    def to_json(self) -> bytes:
        """Return the canonical content, from which outreach.policy.load.from_json makes the same policy again."""
        return self.content

    @classmethod
    def from_json(cls, content: bytes) -> "Policy":
        """Make a stored version again. Raises PolicyError when the content is not a policy."""
        from outreach.policy.load import from_json  # noqa: PLC0415 - loading builds policies, so it imports this module

        return from_json(content)

    def rule(self, rule_id: str) -> Rule | None:
        """Return the rule of an id, for an explanation."""
        return next((rule for rule in self.rules if rule.head.id == rule_id), None)

    def pick(self, kind: Kind) -> Picked:
        """Return the rules that a kind of candidate contact is asked. Remembered; the answer never changes."""
        picked = self._picked.get(kind)
        if picked is None:
            if len(self._picked) >= _KEPT_PLANS:
                self._picked.clear()
            picked = self._picked[kind] = self._pick(kind)
        return picked

    def _pick(self, kind: Kind) -> Picked:
        chosen = [
            rule
            for rule in self.rules
            if not isinstance(rule, Duty | PersonalTimes | Wording) and selects(rule.head.select, kind, self.packs)
        ]
        found = tuple(self._window(rule, kind) for rule in chosen if isinstance(rule, Window)) if kind.zones else ()
        checks = tuple(
            TimedCheck(rule.head, out_of_force(rule.head, _clocks(rule, kind.zones)), check)
            for rule in chosen
            for check in checks_of(rule, kind.zones)
        )
        ids = tuple(rule.head.id for rule in chosen)
        return Picked(ids, found, checks, DayCache(windows.all_of(one.days for one in found)), (*FLOOR_IDS, *ids))

    def _window(self, rule: Window, kind: Kind) -> WindowCheck:
        clocks = _clocks(rule, kind.zones)
        wanted = holiday_places(rule.head.select.jurisdiction, kind.jurisdictions, self.packs)
        key = (rule.head.id, clocks, wanted)
        known = self._days.get(key)
        if known is None:
            minutes = windows.window_minutes(rule, self.calendars, wanted)
            inside = DayCache(lambda ordinal: windows.wall_spans(clocks, ordinal, minutes))
            free = out_of_force(rule.head, clocks)
            known = (DayCache(windows.widened(inside, free)) if free else inside, minutes)
            if len(self._days) >= _KEPT_PLANS:
                self._days.clear()
            self._days[key] = known
        return WindowCheck(rule.head, known[0], known[1], clocks)


def _clocks(rule: Rule, zones: tuple[str, ...]) -> tuple[str, ...]:
    """Return whose clocks a rule goes by: its own, or every candidate zone."""
    clock = getattr(rule, "clock", None)
    return zones if clock in {None, NUMBER_CLOCK, LANDLINE_CLOCK} else (clock,)


def out_of_force(head: RuleHead, zones: tuple[str, ...]) -> Spans:
    """Return when a rule is not in force anywhere the borrower may be: its dates are local dates, strictest reading."""
    clocks = zones or ("UTC",)
    begins = min(localtime.day_start(name, head.from_on.toordinal()) for name in clocks)
    spans: Spans = ((localtime.FIRST, begins),)
    if head.until_on is not None:
        ended: datetime = max(localtime.day_start(name, head.until_on.toordinal()) for name in clocks)
        spans = localtime.union(spans, ((ended, localtime.LAST),))
    return spans


def selects(select: Selector, kind: Kind, packs: frozenset[str]) -> bool:
    """Tell whether a rule is asked about a kind of candidate contact. What is unknown about it never excuses it."""
    return (
        _place(select.jurisdiction, kind.jurisdictions, packs)
        and _binds(select.binds, kind.role)
        and kind.purpose not in select.except_purposes
        and _fits(select.channels, kind.channel)
        and _fits(select.actors, kind.actor)
        and _fits(select.products, kind.product)
        and _fits(select.recipients, kind.recipient)
        and _fits(select.purposes, kind.purpose)
        and _fits(select.stages, kind.stage)
        and _fits(select.labels, kind.label)
        and _fits(select.point_types, kind.point_type)
    )


def _fits(wanted: frozenset[str], value: str) -> bool:
    return not wanted or value in wanted or value in {"", "unknown"}


def _binds(binds: Binds, role: str) -> bool:
    if role == "first_party":
        return binds is not Binds.THIRD_PARTY
    return binds is not Binds.FIRST_PARTY or role not in {"agency", "debt_buyer"}


def _place(jurisdiction: str, candidates: tuple[str, ...], packs: frozenset[str]) -> bool:
    if jurisdiction == ANYWHERE:
        return True
    if jurisdiction == UNLISTED:
        return not candidates or any(packs.isdisjoint(windows.ancestry(place)) for place in candidates)
    return any(jurisdiction in windows.ancestry(place) for place in candidates)


def holiday_places(jurisdiction: str, candidates: tuple[str, ...], packs: frozenset[str]) -> tuple[str, ...]:
    """Return the candidates whose public holidays matter to a rule of a jurisdiction."""
    return tuple(place for place in candidates if _place(jurisdiction, (place,), packs))
