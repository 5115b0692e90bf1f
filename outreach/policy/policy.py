"""A policy version: its rules, its calendars, its name; and the rules picked out for one kind of candidate contact."""

from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from outreach.policy import windows
from outreach.policy.checks import Check, Ground, checks_of
from outreach.policy.floor import FLOOR_IDS
from outreach.policy.localtime import LAST, Spans
from outreach.policy.rules import Calendar, Duty, PersonalTimes, Rest, Rule, RuleHead, Window, Wording
from outreach.policy.selecting import Kind, clocks_of, governs, holiday_places, out_of_force, selects
from outreach.policy.windows import DayCache, DaySpans, Minutes

_KEPT_PLANS = 8192
_LONG_BEFORE = -1_000_000  # days past due: earlier than any rule names


class WindowCheck(NamedTuple):
    """One window for one kind: ``days`` with its dates in force, ``minutes`` by local date, the ``clocks`` asked.

    ``begun`` and ``ended`` as in TimedCheck.
    """

    head: RuleHead
    days: DaySpans
    minutes: Minutes
    clocks: tuple[str, ...]
    begun: datetime
    ended: datetime


class TimedCheck(NamedTuple):
    """One check for one kind. ``free`` are the instants at which its rule is not in force.

    From ``begun`` on it is in force, from ``ended`` on never again.
    """

    head: RuleHead
    check: Check
    free: Spans
    begun: datetime
    ended: datetime


class Picked(NamedTuple):
    """The rules one kind of candidate contact is asked. ``open_days`` merges all windows.

    ``hold_lifts`` names for each kind of hold the overrides with which the law that speaks of it lets the hold go.
    """

    windows: tuple[WindowCheck, ...]
    checks: tuple[TimedCheck, ...]
    open_days: DayCache
    all_ids: tuple[str, ...]
    effects: Mapping[str, str]
    hold_lifts: Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True, eq=False)
class Policy:
    """All rules in the order they are asked, under a version that is the hash of their content.

    ``content`` is the canonical JSON a version is stored as. Equal versions decide equally. ``drafts`` are kept to be
    listed and never applied.
    """

    version: str
    rules: tuple[Rule, ...]
    calendars: Mapping[str, Calendar]
    packs: frozenset[str]
    content: bytes
    drafts: tuple[Rule, ...] = ()
    _picked: dict[Kind, Picked] = field(default_factory=dict, repr=False)
    _days: dict[tuple[str, tuple[str, ...], tuple[str, ...]], tuple[DayCache, Minutes]] = field(
        default_factory=dict, repr=False
    )
    _edges: list[int] = field(default_factory=list, repr=False)
    _governing: dict[tuple[str, ...], tuple[Rule, ...]] = field(default_factory=dict, repr=False)

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
        return next((rule for rule in (*self.rules, *self.drafts) if rule.head.id == rule_id), None)

    def pick(self, kind: Kind) -> Picked:
        """Return the rules that a kind of candidate contact is asked. Remembered; the answer never changes."""
        picked = self._picked.get(kind)
        if picked is None:
            if len(self._picked) >= _KEPT_PLANS:
                self._picked.clear()
            picked = self._picked[kind] = self._pick(kind)
        return picked

    def days_alike(self, days_past_due: int) -> int:
        """Return a day past due that no rule tells from the given one, the same for all of them."""
        edges = self._edges or self._find_edges()
        return edges[max(0, bisect_right(edges, days_past_due) - 1)]

    def _find_edges(self) -> list[int]:
        heads = [rule.head.select for rule in self.rules]
        named = {edge for select in heads for edge in (select.days_from, select.days_until) if edge is not None}
        self._edges[:] = [_LONG_BEFORE, *sorted(named)]
        return self._edges

    def _pick(self, kind: Kind) -> Picked:
        silent = (PersonalTimes,) if kind.judged else (PersonalTimes, Wording)
        asked = (rule for rule in self.rules_of(kind.jurisdictions) if not isinstance(rule, silent))
        chosen = [rule for rule in asked if selects(rule.head.select, kind)]
        found = tuple(self._window(rule, kind) for rule in chosen if isinstance(rule, Window)) if kind.zones else ()
        grounds = [(rule, Ground(clocks_of(rule, kind), self._holiday(rule, kind))) for rule in chosen]
        checks = tuple(
            _timed(rule.head, ground, check) for rule, ground in grounds for check in checks_of(rule, ground)
        )
        ids = tuple(rule.head.id for rule in chosen)
        days = DayCache(windows.all_of(one.days for one in found))
        effects = {rule.head.id: rule.head.effect.value for rule in chosen}
        return Picked(found, checks, days, (*FLOOR_IDS, *ids), effects, _hold_lifts(chosen))

    def rules_of(self, places: tuple[str, ...]) -> tuple[Rule, ...]:
        """Return the rules, duties left out, that may apply to somebody of these candidate places.

        Remembered apart from the kinds: there are far fewer places.
        """
        known = self._governing.get(places)
        if known is None:
            if len(self._governing) >= _KEPT_PLANS:
                self._governing.clear()
            known = self._governing[places] = tuple(
                rule
                for rule in self.rules
                if not isinstance(rule, Duty) and governs(rule.head.select.jurisdiction, places, self.packs)
            )
        return known

    def _holiday(self, rule: Rule, kind: Kind) -> Callable[[int], bool | None]:
        """Return what tells the public holidays that matter to a rule: None where they are not known."""
        wanted = holiday_places(rule.head.select.jurisdiction, kind.jurisdictions, self.packs)
        return lambda day: windows.is_holiday(self.calendars, wanted, day)

    def _window(self, rule: Window, kind: Kind) -> WindowCheck:
        clocks = clocks_of(rule, kind)
        wanted = holiday_places(rule.head.select.jurisdiction, kind.jurisdictions, self.packs)
        key = (rule.head.id, clocks, wanted)
        known = self._days.get(key)
        if known is None:
            minutes = windows.window_minutes(rule, self._holiday(rule, kind))
            inside = DayCache(lambda ordinal: windows.wall_spans(clocks, ordinal, minutes))
            free = out_of_force(rule.head, clocks)
            known = (DayCache(windows.widened(inside, free)) if free else inside, minutes)
            if len(self._days) >= _KEPT_PLANS:
                self._days.clear()
            self._days[key] = known
        return WindowCheck(rule.head, known[0], known[1], clocks, *_dates(rule.head, out_of_force(rule.head, clocks)))


def _timed(head: RuleHead, ground: Ground, check: Check) -> TimedCheck:
    free = out_of_force(head, ground.clocks)
    return TimedCheck(head, check, free, *_dates(head, free))


def _dates(head: RuleHead, free: Spans) -> tuple[datetime, datetime]:
    return free[0][1], LAST if head.until_on is None else free[-1][0]


def _hold_lifts(chosen: list[Rule]) -> dict[str, frozenset[str]]:
    lifts: dict[str, frozenset[str]] = {}
    for rule in chosen:
        if isinstance(rule, Rest) and rule.head.lifted_by:
            for kind in rule.kinds:
                lifts[kind] = lifts.get(kind, frozenset()) | rule.head.lifted_by
    return lifts
