"""Contact plans: the steps of a plan, when each is due on the borrower's clock, and which one comes next."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum

from outreach.domain.calendar import WEEKENDS_ONLY, BusinessCalendar, at_local
from outreach.domain.condition import Condition
from outreach.domain.words import Channel, EnrollmentState, Purpose, StopCondition

DEFAULT_LOCAL_TIME = time(10, 0)
"""When, on the borrower's clock, a step in days is due if neither it nor its plan names a time."""

MAX_AMOUNT = 3660
"""Largest number in an offset: ten years in days."""

PRIORITIES = range(101)
"""Priorities a plan may have. When a cap leaves room for one touch, the higher priority goes."""

OUR_EVENTS = ("promise.made", "promise.broken", "arrangement.confirmed", "arrangement.broken")
"""Events of our own that a plan may start from, besides those a lender sends (events.DATA)."""


class Anchor(StrEnum):
    """What a plan's offsets count from."""

    DUE_DATE = "due_date"
    EVENT = "event"


class DueDateOf(StrEnum):
    """Whose date anchors a plan: the account's, each installment's (one enrollment each), or a promised day."""

    ACCOUNT = "account"
    INSTALLMENT = "installment"
    PROMISE = "promise"


class ReEntry(StrEnum):
    """What becomes of a case that is still on the plan when something starts the plan again."""

    SKIP = "skip"
    RESTART = "restart"


class Entry(StrEnum):
    """What to do with a case a campaign or event would put on a plan."""

    START = "start"
    SKIP = "skip"
    RESTART = "restart"


class Unit(StrEnum):
    """What an offset counts in."""

    DAYS = "d"
    BUSINESS_DAYS = "bd"
    HOURS = "h"
    MINUTES = "m"


_OFFSET = re.compile(r"(?P<amount>[-+]?\d+)(?P<unit>bd|d|h|m)(?: +at +(?P<at>\d{1,2}:\d{2}))?", re.ASCII)
_TIME = re.compile(r"(\d{1,2}):(\d{2})", re.ASCII)
_DURATION = re.compile(r"(?P<amount>-?\d+)(?P<unit>d|h|m)", re.ASCII)
_SPAN = {"d": timedelta(days=1), "bd": timedelta(days=1), "h": timedelta(hours=1), "m": timedelta(minutes=1)}


@dataclass(frozen=True, slots=True)
class Offset:
    """How far from the anchor a step is due. ``at`` (days only) is a time on the borrower's clock."""

    amount: int
    unit: Unit
    at: time | None = None

    @property
    def in_days(self) -> bool:
        """Whether it counts local days rather than elapsed time."""
        return self.unit in {Unit.DAYS, Unit.BUSINESS_DAYS}

    def __str__(self) -> str:
        """Write the form plans are written in: ``3bd at 10:00``."""
        return f"{self.amount}{self.unit}" + (f" at {self.at:%H:%M}" if self.at else "")


def parse_time(text: object) -> time:
    """Read ``9:30`` as a time of day. Raises ValueError with what would be valid."""
    match = _TIME.fullmatch(text) if isinstance(text, str) else None
    if match is None or int(match[1]) > 23 or int(match[2]) > 59:
        raise ValueError(f"{text!r} is not a time of day; write 09:30")
    return time(int(match[1]), int(match[2]))


def parse_offset(text: object) -> Offset:
    """Read ``-5d``, ``3bd``, ``2h`` or ``0d at 10:00``. Raises ValueError with what would be valid."""
    match = _OFFSET.fullmatch(text.strip()) if isinstance(text, str) else None
    if match is None:
        raise ValueError(f"{text!r} is not an offset; write -5d, 3bd (business days), 2h, 45m or 0d at 10:00")
    amount, unit = int(match["amount"]), Unit(match["unit"])
    if abs(amount) > MAX_AMOUNT:
        raise ValueError(f"{text!r} is too far away; at most {MAX_AMOUNT} either way")
    at = parse_time(match["at"]) if match["at"] else None
    if at is not None and unit in {Unit.HOURS, Unit.MINUTES}:
        raise ValueError(f"{text!r}: a time of day goes with days, not with hours or minutes")
    return Offset(amount, unit, at)


def parse_duration(text: object) -> timedelta:
    """Read ``90m``, ``12h`` or ``2d`` (24 hours each). Raises ValueError with what would be valid."""
    match = _DURATION.fullmatch(text.strip()) if isinstance(text, str) else None
    if match is None or abs(int(match["amount"])) > MAX_AMOUNT * 24:
        raise ValueError(f"{text!r} is not a duration; write 90m, 12h or 2d")
    return int(match["amount"]) * _SPAN[match["unit"]]


def duration_text(span: timedelta) -> str:
    """Write a duration the way plans do, in the largest unit that is exact."""
    minutes = span // timedelta(minutes=1)
    if minutes % 1440 == 0:
        return f"{minutes // 1440}d"
    return f"{minutes // 60}h" if minutes % 60 == 0 else f"{minutes}m"


@dataclass(frozen=True, slots=True)
class Step:
    """One planned contact.

    ``channels`` is the order of preference: the next is tried when the gate bars this one alone. ``when`` None always
    holds. ``expires_after`` counts from the instant it is due; a later step is dropped, not sent late.
    """

    id: str
    offset: Offset
    channels: tuple[Channel, ...]
    template: str
    expires_after: timedelta
    when: Condition | None = None
    purpose: Purpose = Purpose.REMINDER


@dataclass(frozen=True, slots=True)
class Plan:
    """A contact plan. ``version`` is its name and the hash of its content, so that a running enrollment can stay on it.

    ``trigger`` is the event that starts it (event plans only). ``stop_on`` ends an enrollment early.
    """

    name: str
    anchor: Anchor
    steps: tuple[Step, ...]
    version: str
    about: str = ""
    due_date_of: DueDateOf = DueDateOf.ACCOUNT
    trigger: str | None = None
    stop_on: frozenset[StopCondition] = frozenset(StopCondition)
    re_entry: ReEntry = ReEntry.SKIP
    priority: int = 50


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """A step with its instants for one case. ``index`` counts from 0; at ``expires_at`` it is already too late."""

    index: int
    step: Step
    due_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Upcoming:
    """What comes next: a step (None: the plan is over), and those dropped on the way because their time had passed."""

    planned: PlannedStep | None
    dropped: tuple[PlannedStep, ...] = ()


def due_at(
    step: Step, anchor: date | datetime, zone: tzinfo, *, calendar: BusinessCalendar = WEEKENDS_ONLY
) -> datetime:
    """Return the UTC instant at which ``step`` is due.

    ``anchor`` is a due date, or the aware instant of an event. Days are counted on the borrower's clock (``zone``),
    with the step's own time of day, else the event's, else 10:00; hours and minutes are elapsed time from the event,
    or from the first instant of the due date. Daylight saving: see ``calendar.at_local``. Raises ValueError for a naive
    instant.
    """
    local = _local_anchor(anchor, zone)
    offset = step.offset
    if not offset.in_days:
        return local.astimezone(UTC) + offset.amount * _SPAN[offset.unit]
    wall = offset.at or (local.time() if isinstance(anchor, datetime) else DEFAULT_LOCAL_TIME)
    if offset.unit is Unit.BUSINESS_DAYS:
        return at_local(calendar.shift(local.date(), offset.amount), wall, zone)
    return at_local(local.date() + timedelta(days=offset.amount), wall, zone)


def _local_anchor(anchor: date | datetime, zone: tzinfo) -> datetime:
    """Return the anchor on the borrower's clock."""
    if not isinstance(anchor, datetime):
        return at_local(anchor, time(0), zone).astimezone(zone)
    if anchor.tzinfo is None:
        raise ValueError("an event's instant must carry its zone")
    return anchor.astimezone(zone)


def plan_step(
    plan: Plan, index: int, anchor: date | datetime, zone: tzinfo, *, calendar: BusinessCalendar = WEEKENDS_ONLY
) -> PlannedStep:
    """Return step ``index`` with its instants."""
    step = plan.steps[index]
    due = due_at(step, anchor, zone, calendar=calendar)
    return PlannedStep(index, step, due, due + step.expires_after)


def next_step(
    plan: Plan,
    after_index: int,
    anchor: date | datetime,
    zone: tzinfo,
    now: datetime,
    *,
    calendar: BusinessCalendar = WEEKENDS_ONLY,
) -> Upcoming:
    """Return the first step after ``after_index`` (-1: from the start) that is not yet too late at ``now``.

    A step that is due but not expired is returned with its own due instant, in the past: it may go at once.
    """
    dropped: list[PlannedStep] = []
    for index in range(after_index + 1, len(plan.steps)):
        planned = plan_step(plan, index, anchor, zone, calendar=calendar)
        if now < planned.expires_at:
            return Upcoming(planned, tuple(dropped))
        dropped.append(planned)
    return Upcoming(None, tuple(dropped))


def decide_entry(plan: Plan, state: EnrollmentState | None, *, same_cause: bool) -> Entry:
    """Decide what to do with a case that a campaign or event would put on ``plan``.

    ``state`` is that of its latest enrollment on the plan (None: never on it); ``same_cause`` tells that it came from
    the same due date, installment or event. The same cause never starts a plan twice, whatever the re-entry rule.
    """
    if state is None:
        return Entry.START
    if same_cause:
        return Entry.SKIP
    if state not in {EnrollmentState.ACTIVE, EnrollmentState.PAUSED}:
        return Entry.START
    return Entry.RESTART if plan.re_entry is ReEntry.RESTART else Entry.SKIP


def plan_content(plan: Plan) -> dict[str, object]:
    """Return the plan as plain JSON values in canonical form: what is hashed, stored, and read back later."""
    content: dict[str, object] = {
        "name": plan.name,
        "anchor": plan.anchor.value,
        "priority": plan.priority,
        "re_entry": plan.re_entry.value,
        "stop_on": sorted(plan.stop_on),
        "steps": [_step_content(step) for step in plan.steps],
    }
    if plan.trigger:
        content["trigger"] = plan.trigger
    if plan.due_date_of is not DueDateOf.ACCOUNT:
        content["due_date_of"] = plan.due_date_of.value
    return content


def _step_content(step: Step) -> dict[str, object]:
    content: dict[str, object] = {
        "id": step.id,
        "offset": str(step.offset),
        "channels": [channel.value for channel in step.channels],
        "template": step.template,
        "expires_after": duration_text(step.expires_after),
        "purpose": step.purpose.value,
    }
    if step.when:
        content["when"] = step.when.text
    return content


def version_of(content: Mapping[str, object]) -> str:
    """Return ``name@`` and the first 16 hex digits of the SHA-256 of the canonical content of a plan or campaign."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return f"{content['name']}@{hashlib.sha256(text.encode()).hexdigest()[:16]}"
