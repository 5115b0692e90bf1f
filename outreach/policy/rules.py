"""The shapes a rule can have, as typed data. What they mean at an instant is worked out in checks.py and windows.py.

Every rule denies by default, whatever its effect: a ``must`` of a statute, a ``should`` of a recommended standard and a
``presumption`` are refused alike, and only a named override lifts one. The effect is kept so that an explanation can
say which it was.
"""

from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum


class Effect(StrEnum):
    """How strongly the source speaks. All three deny by default."""

    MUST = "must"
    SHOULD = "should"
    PRESUMPTION = "presumption"


class Binds(StrEnum):
    """Whom a rule binds: the creditor itself, those who collect for or after it, or both."""

    FIRST_PARTY = "first_party"
    THIRD_PARTY = "third_party"
    BOTH = "both"


class Counted(StrEnum):
    """Which past contacts a rule counts. The table from raw outcomes is in counting.py."""

    TOUCHES = "touches"  # everything that may have left
    ATTEMPTS = "attempts"  # calls placed that reached a line; texts and emails that left
    ATTEMPTS_UNANSWERED = "attempts_unanswered"
    CONVERSATIONS = "conversations"
    COMMUNICATIONS = "communications"  # words reached, or were left for, somebody


class Scope(StrEnum):
    """Over what past contacts are added up."""

    CASE = "case"
    CREDITOR = "creditor"
    BORROWER = "borrower"
    NUMBER = "number"  # one contact point, whoever of its owners was contacted


class Span(StrEnum):
    """How long a counted contact goes on counting.

    ``rolling``: ``length`` after its instant. ``rolling_days``: until ``length`` days of local dates are over, its own
    date being the first. ``full_days``: as rolling_days, but its own date is not counted. The rest: to the end of the
    local day, week (from Monday) or month it fell in.
    """

    ROLLING = "rolling"
    ROLLING_DAYS = "rolling_days"
    FULL_DAYS = "full_days"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


ANYWHERE = "any"
"""Jurisdiction of a house rule: applies to every candidate."""
UNLISTED = "unlisted"
"""Jurisdiction of the default pack: applies to every candidate that has no pack of its own."""

NONE: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Selector:
    """Which candidate contacts a rule is asked about. An empty set restricts nothing; an unknown fact matches all."""

    jurisdiction: str
    binds: Binds = Binds.BOTH
    channels: frozenset[str] = NONE
    actors: frozenset[str] = NONE
    products: frozenset[str] = NONE
    recipients: frozenset[str] = NONE
    purposes: frozenset[str] = NONE
    except_purposes: frozenset[str] = NONE
    stages: frozenset[str] = NONE
    labels: frozenset[str] = NONE
    point_types: frozenset[str] = NONE


@dataclass(frozen=True, slots=True)
class RuleHead:
    """What every rule carries, whatever its shape. ``until_on`` is the first local date it is no longer in force."""

    id: str
    select: Selector
    citation: str
    source: str
    confidence: str
    effect: Effect
    from_on: date
    until_on: date | None = None
    lifted_by: frozenset[str] = NONE
    summary: str = ""


@dataclass(frozen=True, slots=True)
class Hours:
    """Minutes of the local day, start permitted, end barred, on some weekdays (0 = Monday).

    On a public holiday only the hours with ``on_holidays`` count, whatever weekday it is.
    """

    days: frozenset[int]
    start: int
    end: int
    on_holidays: bool


@dataclass(frozen=True, slots=True)
class Window:
    """Permitted hours: outside their union it is refused. ``clock`` None: every candidate zone of the borrower.

    Without ``holidays`` a public holiday is like any other day of its weekday, and no calendar is needed.
    """

    head: RuleHead
    hours: tuple[Hours, ...]
    clock: str | None = None
    holidays: bool = True


@dataclass(frozen=True, slots=True)
class Limit:
    """At most ``most`` counted contacts alive at a time. ``length`` is unused for calendar spans."""

    most: int
    span: Span
    length: timedelta = timedelta()


@dataclass(frozen=True, slots=True)
class Events:
    """Which past contacts are looked at. Empty ``channels`` means the channels the rule selects, or all."""

    counted: Counted
    scope: Scope
    channels: frozenset[str] = NONE
    directions: frozenset[str] = frozenset({"out"})
    purposes: frozenset[str] = NONE
    except_purposes: frozenset[str] = NONE


@dataclass(frozen=True, slots=True)
class Cap:
    """Frequency caps on one stream of contacts; every limit must pass. ``clock`` as for Window."""

    head: RuleHead
    events: Events
    limits: tuple[Limit, ...]
    clock: str | None = None


@dataclass(frozen=True, slots=True)
class DistinctChannels:
    """At most ``limit.most`` different channels among the counted contacts and this one."""

    head: RuleHead
    events: Events
    limit: Limit
    clock: str | None = None


@dataclass(frozen=True, slots=True)
class Gap:
    """Rest after the latest counted contact, for as long as ``limit`` lets it count."""

    head: RuleHead
    events: Events
    limit: Limit
    clock: str | None = None


@dataclass(frozen=True, slots=True)
class Prerequisite:
    """Something must have been sent before, and ``limit`` long ago (its ``most`` is unused)."""

    head: RuleHead
    events: Events
    limit: Limit
    clock: str | None = None


@dataclass(frozen=True, slots=True)
class Rest:
    """Holds that stop contact: while one of ``kinds`` is in force, and at least ``at_least`` from its start."""

    head: RuleHead
    kinds: frozenset[str]
    at_least: timedelta = timedelta()


@dataclass(frozen=True, slots=True)
class NeedsConsent:
    """A live consent for this channel and point is needed; empty ``kinds`` takes any kind.

    ``fresh`` (zero: for ever) is how long it lasts, counted anew from each thing the person says on the same channel
    and point. With ``unless_confirmed`` a point the borrower confirmed needs none.
    """

    head: RuleHead
    kinds: frozenset[str] = NONE
    fresh: timedelta = timedelta()
    unless_confirmed: bool = False


@dataclass(frozen=True, slots=True)
class Bar:
    """What the selector picks is barred: a place, a recipient, a purpose, a kind of line."""

    head: RuleHead
    code: str
    unless_confirmed: bool = False


Rule = Window | Cap | DistinctChannels | Gap | Prerequisite | Rest | NeedsConsent | Bar


@dataclass(frozen=True, slots=True)
class Calendar:
    """Public holidays of one jurisdiction. A year outside ``years`` is unknown, which is never a working day."""

    jurisdiction: str
    years: frozenset[int]
    holidays: frozenset[int] = field(default=frozenset())  # proleptic ordinals of dates
