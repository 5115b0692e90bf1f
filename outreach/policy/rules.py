"""The shapes a rule can have, as typed data. What they mean at an instant is worked out in checks.py and windows.py.

Every rule denies by default, whatever its effect: a ``must`` of a statute, a ``should`` of a recommended standard and a
``presumption`` are refused alike, and only a named override lifts one. The effect is kept so that an explanation can
say which it was.
"""

from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum


class Effect(StrEnum):
    """How strongly the source speaks. The first three deny by default; a standard has no number and is a duty."""

    MUST = "must"
    SHOULD = "should"
    PRESUMPTION = "presumption"
    STANDARD = "standard"


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
    ATTEMPTS_WITH_CONNECTION_OR_MESSAGE = "attempts_with_connection_or_message"  # somebody, or a voicemail, answered
    CONVERSATIONS = "conversations"
    COMMUNICATIONS = "communications"  # words reached, or were left for, somebody
    INITIATED_COMMUNICATIONS = "initiated_communications"  # begun by the lender; a voicemail not used counts
    MESSAGES_SENT = "messages_sent"  # texts, emails, letters
    SUCCESSFUL_CONTACTS = "successful_contacts"  # a conversation, or words that went to the person
    VISITS = "visits"


class Scope(StrEnum):
    """Over what past contacts are added up."""

    CASE = "case"
    CREDITOR = "creditor"
    BORROWER = "borrower"
    NUMBER = "number"  # one contact point, whoever of its owners was contacted


class Span(StrEnum):
    """How long a counted contact goes on counting.

    ``rolling``: ``length`` after its instant. ``rolling_days``: until ``length`` days of local dates are over, its own
    date being the first. ``full_days``: as rolling_days, but its own date is not counted. ``business_days``: as
    full_days, but only dates from Monday to Friday that are no public holiday. The rest: to the end of the local day,
    week (from Monday) or month it fell in.
    """

    ROLLING = "rolling"
    ROLLING_DAYS = "rolling_days"
    FULL_DAYS = "full_days"
    BUSINESS_DAYS = "business_days"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


ANYWHERE = "any"
"""Jurisdiction of a house rule: applies to every candidate."""
UNLISTED = "unlisted"
"""Jurisdiction of the default pack: applies to every candidate that has no pack of its own."""

NUMBER_CLOCK = "number"
"""Clock of a rule: the zones the number hints at, unless the person told us where they are."""
LANDLINE_CLOCK = "landline_number"
"""Clock of a rule: as ``number`` for landlines; the residence for everything else."""

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
    creditor_kinds: frozenset[str] = NONE
    debt_states: frozenset[str] = NONE
    days_from: int | None = None
    days_until: int | None = None  # the first day past due that is no longer meant


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
    status: str = "in_force"
    note: str = ""


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
    """Permitted hours: outside their union it is refused.

    ``clock`` None: every candidate zone of the borrower; else a zone, NUMBER_CLOCK or LANDLINE_CLOCK.

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
    """Something must have been sent before, and ``limit`` long ago (its ``most`` is unused).

    With ``notices`` it must be known to have been one of these.
    """

    head: RuleHead
    events: Events
    limit: Limit
    clock: str | None = None
    notices: frozenset[str] = NONE


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


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a person refused on one channel stops others too: heard on any of ``heard_on``, it covers ``covers``.

    Both empty mean every channel.
    """

    head: RuleHead
    heard_on: frozenset[str] = NONE
    covers: frozenset[str] = NONE


@dataclass(frozen=True, slots=True)
class Wording:
    """What the words of a contact must contain and must not, on ``media`` (empty: all)."""

    head: RuleHead
    requires: frozenset[str] = NONE
    forbids: frozenset[str] = NONE
    media: frozenset[str] = NONE


@dataclass(frozen=True, slots=True)
class PersonalTimes:
    """How many hours of a week a person may bar. Never asked by the gate, which honours whatever is recorded."""

    head: RuleHead
    most_hours_per_week: int


@dataclass(frozen=True, slots=True)
class Duty:
    """What no machine can decide at the moment of sending, kept so that people can see it. Never asked.

    ``retain`` is how long records are kept (``3y``, ``6m``, ``30d``); ``honour_within`` how soon a refusal must be
    honoured (``10bd`` are business days, ``30d``, ``24h``).
    """

    head: RuleHead
    duty: str
    retain: str = ""
    honour_within: str = ""


Rule = (
    Window
    | Cap
    | DistinctChannels
    | Gap
    | Prerequisite
    | Rest
    | NeedsConsent
    | Bar
    | Refusal
    | Wording
    | PersonalTimes
    | Duty
)


@dataclass(frozen=True, slots=True)
class Calendar:
    """Public holidays of one jurisdiction. A year outside ``years`` is unknown, which is never a working day."""

    jurisdiction: str
    years: frozenset[int]
    holidays: frozenset[int] = field(default=frozenset())  # proleptic ordinals of dates
