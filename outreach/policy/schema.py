"""The form of a policy file, field by field, and how each entry becomes a typed rule. Only load.py uses it."""

import re
from datetime import date, timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, field_validator, model_validator

from outreach.domain.words import Channel, HoldKind, PointLabel, PointType, Purpose
from outreach.policy import rules
from outreach.policy.localtime import zone
from outreach.policy.rules import ANYWHERE, UNLISTED, Binds, Counted, Effect, Scope, Span
from outreach.policy.windows import WEEKDAYS, clock_minute

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun", "public_holiday"]
Actor = Literal["human", "automated", "prerecorded", "ai_voice"]
OverrideKind = Literal["agreed_time", "requested_callback", "reply_in_thread", "consent_to_extra"]
Recipient = Literal[
    "debtor", "co_debtor", "guarantor", "spouse", "household", "employer", "contact_person", "attorney", "wrong_party"
]
_PLACE = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,8})*\Z")
_LENGTH = re.compile(r"([1-9][0-9]{0,4})([dhm])\Z")
_UNIT = {"d": timedelta(days=1), "h": timedelta(hours=1), "m": timedelta(minutes=1)}


def _place(value: str) -> str:
    if value in {ANYWHERE, UNLISTED} or _PLACE.match(value):
        return value
    raise ValueError(f"must be an ISO 3166 code such as US or US-CA, or {ANYWHERE}, or {UNLISTED}")


def _read_length(value: object) -> object:
    if isinstance(value, timedelta):
        return value
    match = _LENGTH.match(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError("must be a length such as 7d, 24h or 30m")
    return int(match[1]) * _UNIT[match[2]]


def _write_length(value: timedelta) -> str:
    minutes = int(value.total_seconds()) // 60
    return f"{minutes // 1440}d" if minutes % 1440 == 0 else f"{minutes}m"


def _minute(value: object) -> object:
    minute = clock_minute(value) if isinstance(value, str) else None
    if minute is None:
        raise ValueError("must be a time of day such as 08:00, at most 24:00, in 24-hour form with two digits each")
    return value


def _not_empty(value: object) -> object:
    if isinstance(value, list | tuple) and not value:
        raise ValueError("must not be empty")
    return value


# Not Field(min_length=1): that adds a second, misleading fault to a list whose items are faulty.
NotEmpty = BeforeValidator(_not_empty)
Length = Annotated[timedelta, BeforeValidator(_read_length), PlainSerializer(_write_length, return_type=str)]
ClockTime = Annotated[str, BeforeValidator(_minute)]
Text = Annotated[str, Field(min_length=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class CalendarIn(_Strict):
    """Years for which the public holidays of a jurisdiction are to be known."""

    jurisdiction: Text
    first_year: int = Field(ge=2000, le=2100)
    last_year: int = Field(ge=2000, le=2100)

    @model_validator(mode="after")
    def _in_order(self) -> "CalendarIn":
        if self.last_year < self.first_year:
            raise ValueError("last_year must not be before first_year")
        return self

    def years(self) -> range:
        """Return the years, both ends included."""
        return range(self.first_year, self.last_year + 1)


class RuleIn(_Strict):
    """The fields every rule has."""

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=80)]
    jurisdiction: str | None = None
    binds: Binds = Binds.BOTH
    channels: tuple[Channel, ...] = ()
    actors: tuple[Actor, ...] = ()
    products: tuple[Text, ...] = ()
    recipients: tuple[Recipient, ...] = ()
    purposes: tuple[Purpose, ...] = ()
    except_purposes: tuple[Purpose, ...] = ()
    stages: tuple[Text, ...] = ()
    labels: tuple[PointLabel, ...] = ()
    point_types: tuple[PointType, ...] = ()
    citation: Text
    source: Text
    confidence: Literal["high", "medium", "low"]
    effect: Effect = Effect.MUST
    in_force_from: date
    in_force_until: date | None = None
    status: Literal["in_force", "draft", "superseded"] = "in_force"
    lifted_by: tuple[OverrideKind, ...] = ()
    summary: Text

    @field_validator("jurisdiction")
    @classmethod
    def _known_place(cls, value: str | None) -> str | None:
        return None if value is None else _place(value)

    @field_validator("citation", "source")
    @classmethod
    def _says_something(cls, value: str) -> str:
        if not value.strip():
            raise ValueError('must name where the rule stands; a rule of the lender\'s own cites "house policy"')
        return value

    @field_validator("in_force_until")
    @classmethod
    def _ends_later(cls, value: date | None, info: Any) -> date | None:  # noqa: ANN401 - pydantic's own type is not public
        begins = info.data.get("in_force_from")
        if value is not None and begins is not None and value <= begins:
            raise ValueError("must be after in_force_from")
        return value

    def head(self) -> rules.RuleHead:
        """Return the part every typed rule carries."""
        select = rules.Selector(
            jurisdiction=self.jurisdiction or ANYWHERE,
            binds=self.binds,
            channels=_words(self.channels),
            actors=_words(self.actors),
            products=_words(self.products),
            recipients=_words(self.recipients),
            purposes=_words(self.purposes),
            except_purposes=_words(self.except_purposes),
            stages=_words(self.stages),
            labels=_words(self.labels),
            point_types=_words(self.point_types),
        )
        return rules.RuleHead(
            id=self.id,
            select=select,
            citation=self.citation,
            source=self.source,
            confidence=self.confidence,
            effect=self.effect,
            from_on=self.in_force_from,
            until_on=self.in_force_until,
            lifted_by=_words(self.lifted_by),
            summary=self.summary,
        )


def _words(values: tuple[str, ...]) -> frozenset[str]:
    return frozenset(str(value) for value in values)


class _Clocked(_Strict):
    """A rule on one named clock instead of the borrower's."""

    clock: str | None = None

    @field_validator("clock")
    @classmethod
    def _known_zone(cls, value: str | None) -> str | None:
        if value is not None and zone(value) is None:
            raise ValueError(
                "must be an IANA time zone such as Asia/Shanghai; leave it out for the borrower's own clock"
            )
        return value


class HoursIn(_Strict):
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


class WindowIn(RuleIn, _Clocked):
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


class _Counting(RuleIn, _Clocked):
    """A rule that looks at past contacts."""

    counts: Counted
    scope: Scope
    counted_channels: tuple[Channel, ...] = ()
    directions: Annotated[tuple[Literal["out", "in"], ...], NotEmpty] = ("out",)
    counted_purposes: tuple[Purpose, ...] = ()
    except_counted_purposes: tuple[Purpose, ...] = ()

    def events(self) -> rules.Events:
        """Return which past contacts are looked at."""
        return rules.Events(
            counted=self.counts,
            scope=self.scope,
            channels=_words(self.counted_channels),
            directions=_words(self.directions),
            purposes=_words(self.counted_purposes),
            except_purposes=_words(self.except_counted_purposes),
        )


class _Period(_Strict):
    per: Span
    length: Length | None = None

    @model_validator(mode="after")
    def _length_fits(self) -> "_Period":
        if self.per in {Span.ROLLING, Span.ROLLING_DAYS, Span.FULL_DAYS}:
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
    wait: WaitIn

    def rule(self) -> rules.Rule:
        """Return the typed rule."""
        return rules.Prerequisite(self.head(), self.events(), self.wait.limit(), self.clock)


class RestIn(RuleIn):
    """Holds that stop contact."""

    shape: Literal["hold"]
    kinds: Annotated[tuple[HoldKind, ...], NotEmpty]
    at_least: Length | None = None

    def rule(self) -> rules.Rule:
        """Return the typed rule."""
        return rules.Rest(self.head(), _words(self.kinds), self.at_least or timedelta())


class ConsentIn(RuleIn):
    """Consent that is needed."""

    shape: Literal["consent"]
    kinds: tuple[Text, ...] = ()
    fresh: Length | None = None
    unless_confirmed: bool = False

    def rule(self) -> rules.Rule:
        """Return the typed rule."""
        return rules.NeedsConsent(self.head(), _words(self.kinds), self.fresh or timedelta(), self.unless_confirmed)


class BarIn(RuleIn):
    """What is barred outright."""

    shape: Literal["bar"]
    code: Annotated[str, Field(pattern=r"^[a-z_]+\.[a-z_]+$")]
    unless_confirmed: bool = False

    @model_validator(mode="after")
    def _picks_something(self) -> "BarIn":
        named = (self.channels, self.actors, self.products, self.recipients, self.purposes, self.labels)
        if not any((*named, self.stages, self.point_types)):
            raise ValueError("a bar must pick something: a channel, an actor, a recipient, a label, a purpose ...")
        return self

    def rule(self) -> rules.Rule:
        """Return the typed rule."""
        return rules.Bar(self.head(), self.code, self.unless_confirmed)


AnyRuleIn = Annotated[
    WindowIn | CapIn | DistinctIn | GapIn | PrerequisiteIn | RestIn | ConsentIn | BarIn, Field(discriminator="shape")
]


RULES_BY_SHAPE = {
    "window": WindowIn,
    "cap": CapIn,
    "distinct_channels": DistinctIn,
    "gap": GapIn,
    "prerequisite": PrerequisiteIn,
    "hold": RestIn,
    "consent": ConsentIn,
    "bar": BarIn,
}
"""The form of each shape, for the reference pages and their tests."""


class FileHead(_Strict):
    """The top of a policy file. Rules and calendars are validated one by one, so that each error finds its line."""

    pack: str
    calendars: tuple[Any, ...] = ()
    rules: tuple[Any, ...]

    @field_validator("pack")
    @classmethod
    def _known_place(cls, value: str) -> str:
        return _place(value)
