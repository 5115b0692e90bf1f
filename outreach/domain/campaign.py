"""Campaigns: who is in the audience, who is held out, when a run is due, and how fast cases go onto the plan."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from zoneinfo import ZoneInfo

from outreach.domain.calendar import at_local
from outreach.domain.condition import Condition
from outreach.domain.condition_facts import ConditionFacts
from outreach.domain.plan import duration_text
from outreach.domain.words import StopCondition

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LATEST_START = timedelta(hours=2)
"""How late a run may start when the campaign does not say. A later one is left out, never made up for."""


@dataclass(frozen=True, slots=True)
class Once:
    """One run, at a local date and time of ``zone`` (IANA)."""

    at: datetime  # naive: what clocks in the zone show
    zone: str
    late_after: timedelta = LATEST_START


@dataclass(frozen=True, slots=True)
class Daily:
    """A run on each of ``days`` at a local time of ``zone``, from ``starts_on`` to ``ends_on`` inclusive."""

    at: time
    zone: str
    days: frozenset[str] = frozenset(WEEKDAYS)
    starts_on: date | None = None
    ends_on: date | None = None
    late_after: timedelta = LATEST_START

    def runs_on(self, day: date) -> bool:
        """Tell whether there is a run on local ``day``."""
        return (
            WEEKDAYS[day.weekday()] in self.days
            and (self.starts_on is None or day >= self.starts_on)
            and (self.ends_on is None or day <= self.ends_on)
        )


Schedule = Once | Daily


@dataclass(frozen=True, slots=True)
class Throughput:
    """How many touches of a campaign may leave: per minute, and (None: no limit) per UTC day."""

    per_minute: int
    per_day: int | None = None


@dataclass(frozen=True, slots=True)
class Campaign:
    """A campaign. ``holdout`` is a percentage (0 to 100, two places) of matching cases that are left alone."""

    name: str
    plan: str
    audience: Condition
    schedule: Schedule
    throughput: Throughput
    version: str
    holdout: Decimal = Decimal(0)
    about: str = ""


class Exclusion(StrEnum):
    """Why a case that matches the audience is not put on the plan. The first that applies, in this order, counts."""

    CLOSED = "case.closed"
    HOLD = "case.hold"
    OPT_OUT = "borrower.opt_out"
    PROMISE = "case.promise"
    ARRANGEMENT = "case.arrangement"
    PAID = "case.paid"
    UNREACHABLE = "borrower.no_contact_point"
    ON_PLAN = "enrollment.on_plan"
    HOLDOUT = "campaign.holdout"


_STOPPED_BY: Mapping[StopCondition, Exclusion] = {
    StopCondition.CLOSED: Exclusion.CLOSED,
    StopCondition.HOLD: Exclusion.HOLD,
    StopCondition.OPT_OUT: Exclusion.OPT_OUT,
    StopCondition.PROMISE: Exclusion.PROMISE,
    StopCondition.ARRANGEMENT: Exclusion.ARRANGEMENT,
    StopCondition.PAID: Exclusion.PAID,
}


@dataclass(frozen=True, slots=True)
class Candidate:
    """One case a campaign looks at.

    ``stopped_by`` are the plan's stop conditions that already apply to it; ``reachable`` tells that some channel of the
    plan has a usable contact point; ``on_plan`` that the plan's re-entry rule keeps it out (``plan.decide_entry``).
    """

    case_id: str
    facts: ConditionFacts
    stopped_by: frozenset[StopCondition] = frozenset()
    reachable: bool = True
    on_plan: bool = False


@dataclass(frozen=True, slots=True)
class Selected:
    """What was decided for one candidate: whether it ``matches`` the audience, and if so what excludes it (or None).

    ``error`` says why the audience could not be asked about this case; it then does not match.
    """

    case_id: str
    matches: bool
    exclusion: Exclusion | None = None
    error: str | None = None

    @property
    def enters(self) -> bool:
        """Whether the case goes onto the plan."""
        return self.matches and self.exclusion is None


@dataclass(frozen=True, slots=True)
class Preview:
    """What starting the campaign now would do, in cases.

    ``considered`` = not matching + ``errors`` + ``matched``; ``matched`` = ``entering`` + the sum of ``exclusions``.
    ``first_error`` is one example of why the audience could not be asked.
    """

    considered: int = 0
    matched: int = 0
    entering: int = 0
    errors: int = 0
    exclusions: Mapping[Exclusion, int] = field(default_factory=lambda: MappingProxyType({}))
    first_error: str | None = None


def select_audience(campaign: Campaign, candidates: Iterable[Candidate]) -> Iterator[Selected]:
    """Decide each candidate in turn; nothing is held in memory."""
    for each in candidates:
        answer = campaign.audience.ask(each.facts)
        exclusion = _exclusion(campaign, each) if answer.holds else None
        yield Selected(each.case_id, answer.holds, exclusion, answer.error)


def decide_audience(campaign: Campaign, candidates: Iterable[Candidate]) -> Preview:
    """Count what ``select_audience`` decides."""
    considered = matched = entering = errors = 0
    exclusions: Counter[Exclusion] = Counter()
    first_error: str | None = None
    for one in select_audience(campaign, candidates):
        considered += 1
        matched += one.matches
        entering += one.enters
        if one.exclusion is not None:
            exclusions[one.exclusion] += 1
        if one.error is not None:
            errors += 1
            first_error = first_error or one.error
    ordered = {reason: exclusions[reason] for reason in Exclusion if exclusions[reason]}
    return Preview(considered, matched, entering, errors, MappingProxyType(ordered), first_error)


def _exclusion(campaign: Campaign, candidate: Candidate) -> Exclusion | None:
    for condition, exclusion in _STOPPED_BY.items():
        if condition in candidate.stopped_by:
            return exclusion
    if not candidate.reachable:
        return Exclusion.UNREACHABLE
    if candidate.on_plan:
        return Exclusion.ON_PLAN
    return Exclusion.HOLDOUT if in_holdout(campaign, candidate.case_id) else None


def in_holdout(campaign: Campaign, case_id: str) -> bool:
    """Tell whether a case is left alone for comparison.

    The same campaign name and case id always give the same answer, on every run and after every edit; raising the
    percentage only adds cases. Different campaigns hold out independent cases.
    """
    digest = hashlib.sha256(f"{campaign.name}\0{case_id}".encode()).digest()
    return int.from_bytes(digest[:8], "big") * 10_000 < int(campaign.holdout * 100) << 64


def next_run(schedule: Schedule, after: datetime) -> datetime | None:
    """Return the first instant strictly after ``after`` at which a run is due, or None when there is none left."""
    zone = ZoneInfo(schedule.zone)
    if isinstance(schedule, Once):
        due = at_local(schedule.at.date(), schedule.at.time(), zone)
        return due if due > after else None
    day = after.astimezone(zone).date() - timedelta(days=1)
    if schedule.starts_on is not None:
        day = max(day, schedule.starts_on)
    for ahead in range(len(WEEKDAYS) + 3):
        due = at_local(day + timedelta(days=ahead), schedule.at, zone)
        if due > after and schedule.runs_on(day + timedelta(days=ahead)):
            return due
    return None


def is_too_late(schedule: Schedule, due: datetime, now: datetime) -> bool:
    """Tell whether a run due at ``due`` must be left out because the system was down or paused for too long."""
    return now - due > schedule.late_after


def allowance(throughput: Throughput, *, last_minute: int, today: int) -> int:
    """Return how many more cases may go onto the plan now, given how many did in the last minute and today."""
    left = throughput.per_minute - last_minute
    if throughput.per_day is not None:
        left = min(left, throughput.per_day - today)
    return max(0, left)


def local_day_began_at(schedule: Schedule, now: datetime) -> datetime:
    """Return when the campaign's local day began: the start of what ``Throughput.per_day`` counts."""
    zone = ZoneInfo(schedule.zone)
    return at_local(now.astimezone(zone).date(), time(0), zone).astimezone(UTC)


def campaign_content(campaign: Campaign) -> dict[str, object]:
    """Return the campaign as plain JSON values in canonical form: what is hashed, stored, and read back later."""
    throughput: dict[str, object] = {"per_minute": campaign.throughput.per_minute}
    if campaign.throughput.per_day is not None:
        throughput["per_day"] = campaign.throughput.per_day
    return {
        "name": campaign.name,
        "plan": campaign.plan,
        "audience": campaign.audience.text,
        "schedule": _schedule_content(campaign.schedule),
        "throughput": throughput,
        "holdout": float(campaign.holdout),
    }


def _schedule_content(schedule: Schedule) -> dict[str, object]:
    content: dict[str, object] = {"zone": schedule.zone, "late_after": duration_text(schedule.late_after)}
    if isinstance(schedule, Once):
        return content | {"once": f"{schedule.at:%Y-%m-%dT%H:%M}"}
    content |= {"daily": f"{schedule.at:%H:%M}", "days": [day for day in WEEKDAYS if day in schedule.days]}
    edges = {"starts_on": schedule.starts_on, "ends_on": schedule.ends_on}
    return content | {key: day.isoformat() for key, day in edges.items() if day is not None}
