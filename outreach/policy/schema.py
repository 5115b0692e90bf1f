"""The form of a policy file, shape by shape, and how each entry becomes a typed rule. Only load.py uses it."""

from datetime import date, timedelta
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from outreach.domain.words import Channel, HoldKind, Purpose
from outreach.policy import rules
from outreach.policy.form import (
    Clocked,
    ClockTime,
    Day,
    Length,
    NotEmpty,
    RuleIn,
    Slug,
    Strict,
    Text,
    place,
    words,
)
from outreach.policy.rules import Counted, Scope, Span
from outreach.policy.windows import WEEKDAYS, clock_minute

CountedChannel = Literal["sms", "email", "voice", "ivr", "mail", "visit", "whatsapp", "other"]
Medium = Literal["sms", "email", "voice", "ivr", "voicemail"]
DutyKind = Literal[
    "record_keeping",
    "disclosure",
    "identity",
    "notice",
    "conduct",
    "standard",
    "refusal_deadline",
    "hold_procedure",
]


class CalendarIn(Strict):
    """Years for which the public holidays of a jurisdiction are to be known.

    ``also`` adds days, ``sundays`` every Sunday, where the law counts them as holidays.
    """

    jurisdiction: Text
    first_year: int = Field(ge=2000, le=2100)
    last_year: int = Field(ge=2000, le=2100)
    also: tuple[date, ...] = ()
    sundays: bool = False

    @model_validator(mode="after")
    def _in_order(self) -> "CalendarIn":
        if self.last_year < self.first_year:
            raise ValueError("last_year must not be before first_year")
        if any(day.year not in self.years() for day in self.also):
            raise ValueError("also names a day outside the years from first_year to last_year")
        return self

    def years(self) -> range:
        """Return the years, both ends included."""
        return range(self.first_year, self.last_year + 1)


class HoursIn(Strict):
    """One stretch of permitted hours."""

    days: Annotated[tuple[Day, ...], NotEmpty]
    start: ClockTime
    end: ClockTime

    @model_validator(mode="after")
    def _forwards(self) -> "HoursIn":
        if self.minutes[0] >= self.minutes[1]:
            raise ValueError("start must be before end; hours past midnight are written as two stretches")
        return self

    @property
    def minutes(self) -> tuple[int, int]:
        """Start and end as minutes of the day."""
        return clock_minute(self.start) or 0, clock_minute(self.end) or 0


class WindowIn(RuleIn, Clocked):
    """Permitted hours."""

    shape: Literal["window"]
    hours: Annotated[tuple[HoursIn, ...], NotEmpty]
    holidays: Literal["as_listed", "like_any_day"] = "as_listed"

    def rule(self) -> rules.Rule:
        """Return the typed rule."""
        return rules.Window(
            self.head(), tuple(_hours(part) for part in self.hours), self.clock, self.holidays == "as_listed"
        )


def _hours(part: HoursIn) -> rules.Hours:
    weekdays = frozenset(WEEKDAYS.index(day) for day in part.days if day != "public_holiday")
    return rules.Hours(weekdays, *part.minutes, on_holidays="public_holiday" in part.days)


class _Counting(RuleIn, Clocked):
    """A rule that looks at past contacts."""

    counts: Counted
    scope: Scope
    counted_channels: tuple[CountedChannel, ...] = ()
    directions: Annotated[tuple[Literal["out", "in"], ...], NotEmpty] = ("out",)
    counted_purposes: tuple[Purpose, ...] = ()
    except_counted_purposes: tuple[Purpose, ...] = ()

    def events(self) -> rules.Events:
        """Return which past contacts are looked at."""
        return rules.Events(
            counted=self.counts,
            scope=self.scope,
            channels=words(self.counted_channels),
            directions=words(self.directions),
            purposes=words(self.counted_purposes),
            except_purposes=words(self.except_counted_purposes),
        )


class _Period(Strict):
    per: Span
    length: Length | None = None

    @model_validator(mode="after")
    def _length_fits(self) -> "_Period":
        if self.per in {Span.ROLLING, Span.ROLLING_DAYS, Span.FULL_DAYS, Span.BUSINESS_DAYS}:
            if self.length is None:
                raise ValueError(f"per {self.per} needs a length such as 7d")
            if self.per is not Span.ROLLING and self.length % timedelta(days=1):
                raise ValueError(f"per {self.per} counts local dates: length must be whole days such as 7d")
        elif self.length is not None:
            raise ValueError(f"per {self.per} is the local calendar's own; leave length out")
        return self


class LimitIn(_Period):
    """At most so many per so long."""

    most: int = Field(ge=1, le=10_000)

    def limit(self) -> rules.Limit:
        """Return the typed limit."""
        return rules.Limit(self.most, self.per, self.length or timedelta())


class CapIn(_Counting):
    """Frequency caps."""

    shape: Literal["cap"]
    limits: Annotated[tuple[LimitIn, ...], NotEmpty]

    def rule(self) -> rules.Rule:
        """Return the typed rule."""
        return rules.Cap(self.head(), self.events(), tuple(one.limit() for one in self.limits), self.clock)


class DistinctIn(_Counting):
    """A cap on the number of different channels."""

    shape: Literal["distinct_channels"]
    limit: LimitIn

    def rule(self) -> rules.Rule:
        """Return the typed rule."""
        return rules.DistinctChannels(self.head(), self.events(), self.limit.limit(), self.clock)


class WaitIn(_Period):
    """A time to wait."""

    def limit(self) -> rules.Limit:
        """Return the wait as a limit of one."""
        return rules.Limit(1, self.per, self.length or timedelta())


class GapIn(_Counting):
    """Rest after a past contact."""

    shape: Literal["gap"]
    wait: WaitIn

    def rule(self) -> rules.Rule:
        """Return the typed rule."""
        return rules.Gap(self.head(), self.events(), self.wait.limit(), self.clock)


class PrerequisiteIn(_Counting):
    """Something that must have gone before, and how long ago."""

    shape: Literal["prerequisite"]
    counts: Counted = Counted.COMMUNICATIONS
    scope: Scope = Scope.CASE
    notices: tuple[Slug, ...] = ()
    wait: WaitIn

    @model_validator(mode="after")
    def _names_what_must_have_gone(self) -> "PrerequisiteIn":
        if not self.notices and not self.counted_purposes:
            raise ValueError("needs notices or counted_purposes: what must have gone before")
        return self

    def rule(self) -> rules.Rule:
        """Return the typed rule."""
        return rules.Prerequisite(self.head(), self.events(), self.wait.limit(), self.clock, words(self.notices))


class RestIn(RuleIn):
    """Holds that stop contact."""

    shape: Literal["hold"]
    kinds: Annotated[tuple[HoldKind, ...], NotEmpty]
    at_least: Length | None = None

    def rule(self) -> rules.Rule:
        """Return the typed rule."""
        return rules.Rest(self.head(), words(self.kinds), self.at_least or timedelta())


class ConsentIn(RuleIn):
    """Consent that is needed."""

    shape: Literal["consent"]
    kinds: tuple[Text, ...] = ()
    fresh: Length | None = None
    unless_confirmed: bool = False

    def rule(self) -> rules.Rule:
        """Return the typed rule."""
        return rules.NeedsConsent(self.head(), words(self.kinds), self.fresh or timedelta(), self.unless_confirmed)


class BarIn(RuleIn):
    """What is barred outright."""

    shape: Literal["bar"]
    code: Annotated[str, Field(pattern=r"^[a-z_]+\.[a-z_]+$")]
    unless_confirmed: bool = False

    @model_validator(mode="after")
    def _picks_something(self) -> "BarIn":
        named = (self.channels, self.actors, self.products, self.recipients, self.purposes, self.labels, self.stages)
        if not any((*named, self.point_types, self.creditor_kinds, self.debt_states, self.days_past_due)):
            raise ValueError("a bar must pick something: a channel, an actor, a recipient, a label, a purpose ...")
        return self

    def rule(self) -> rules.Rule:
        """Return the typed rule."""
        return rules.Bar(self.head(), self.code, self.unless_confirmed)


class RefusalIn(RuleIn):
    """How far a refusal reaches."""

    shape: Literal["refusal"]
    heard_on: tuple[Channel, ...] = ()
    covers: tuple[Channel, ...] = ()

    def rule(self) -> rules.Rule:
        """Return the typed rule."""
        return rules.Refusal(self.head(), words(self.heard_on), words(self.covers))


class WordingIn(RuleIn):
    """What the words must and must not contain."""

    shape: Literal["content"]
    requires: tuple[Slug, ...] = ()
    forbids: tuple[Slug, ...] = ()
    media: tuple[Medium, ...] = ()

    @model_validator(mode="after")
    def _asks_something(self) -> "WordingIn":
        if not self.requires and not self.forbids:
            raise ValueError("needs requires, forbids or both")
        return self

    def rule(self) -> rules.Rule:
        """Return the typed rule."""
        return rules.Wording(self.head(), words(self.requires), words(self.forbids), words(self.media))


class PersonalTimesIn(RuleIn):
    """How many hours a person may bar."""

    shape: Literal["personal_times"]
    most_hours_per_week: int = Field(ge=1, le=168)

    def rule(self) -> rules.Rule:
        """Return the typed rule."""
        return rules.PersonalTimes(self.head(), self.most_hours_per_week)


class DutyIn(RuleIn):
    """What no machine decides at the moment of sending."""

    shape: Literal["duty"]
    duty: DutyKind
    retain: Annotated[str, Field(pattern=r"^[1-9][0-9]*[ymd]$")] | None = None
    honour_within: Annotated[str, Field(pattern=r"^[1-9][0-9]*(bd|[dhm])$")] | None = None

    def rule(self) -> rules.Rule:
        """Return the typed rule."""
        return rules.Duty(self.head(), self.duty, self.retain or "", self.honour_within or "")


RULES_BY_SHAPE: dict[str, type[RuleIn]] = {
    "window": WindowIn,
    "cap": CapIn,
    "distinct_channels": DistinctIn,
    "gap": GapIn,
    "prerequisite": PrerequisiteIn,
    "hold": RestIn,
    "consent": ConsentIn,
    "bar": BarIn,
    "refusal": RefusalIn,
    "content": WordingIn,
    "personal_times": PersonalTimesIn,
    "duty": DutyIn,
}
"""The form of each shape."""

AnyRuleIn = Annotated[
    WindowIn
    | CapIn
    | DistinctIn
    | GapIn
    | PrerequisiteIn
    | RestIn
    | ConsentIn
    | BarIn
    | RefusalIn
    | WordingIn
    | PersonalTimesIn
    | DutyIn,
    Field(discriminator="shape"),
]


class FileHead(Strict):
    """The top of a policy file. Rules and calendars are validated one by one, so that each error finds its line."""

    pack: str
    calendars: tuple[Any, ...] = ()
    rules: tuple[Any, ...]

    @field_validator("pack")
    @classmethod
    def _known_place(cls, value: str) -> str:
        return place(value)
