"""The fields that every rule of a policy file has, and the kinds of values that fields can hold."""

import re
from datetime import date, timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, field_validator, model_validator

from outreach.domain.words import Channel, PointLabel, PointType, Purpose
from outreach.policy import rules
from outreach.policy.localtime import zone
from outreach.policy.rules import ANYWHERE, LANDLINE_CLOCK, NUMBER_CLOCK, UNLISTED, Binds, Effect
from outreach.policy.windows import clock_minute

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun", "public_holiday"]
Actor = Literal["human", "automated", "prerecorded", "ai_voice"]
OverrideKind = Literal[
    "agreed_time",
    "requested_callback",
    "reply_in_thread",
    "consent_to_extra",
    "agreed_place",
    "debtor_unreachable",
    "attorney_silent",
    "verification_sent",
]
DebtState = Literal["charged_off", "time_barred", "accelerated", "not_accelerated"]
Recipient = Literal[
    "debtor", "co_debtor", "guarantor", "spouse", "household", "employer", "contact_person", "attorney", "wrong_party"
]
_PLACE = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,8})*\Z")
_LENGTH = re.compile(r"([1-9][0-9]{0,4})([dhm])\Z")
_UNIT = {"d": timedelta(days=1), "h": timedelta(hours=1), "m": timedelta(minutes=1)}


def place(value: str) -> str:
    """Return the place of a pack or rule, or raise ValueError saying what would be one."""
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
Slug = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]


class Strict(BaseModel):
    """A block of a policy file. Keys it does not know are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class DaysIn(Strict):
    """Days past due, from the first up to but without the second. Below zero: before the due date."""

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True, serialize_by_alias=True)

    first: int | None = Field(default=None, alias="from", ge=-3650, le=36500)
    until: int | None = Field(default=None, ge=-3650, le=36500)

    @model_validator(mode="after")
    def _in_order(self) -> "DaysIn":
        if self.first is None and self.until is None:
            raise ValueError("needs from, until or both")
        if self.first is not None and self.until is not None and self.first >= self.until:
            raise ValueError("from must be before until, which is the first day no longer meant")
        return self


class RuleIn(Strict):
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
    creditor_kinds: tuple[Slug, ...] = ()
    debt_states: tuple[DebtState, ...] = ()
    days_past_due: DaysIn | None = None
    citation: Text
    source: Text
    confidence: Literal["high", "medium", "low"]
    effect: Effect = Effect.MUST
    in_force_from: date
    in_force_until: date | None = None
    status: Literal["in_force", "draft", "future", "superseded"] = "in_force"
    lifted_by: tuple[OverrideKind, ...] = ()
    summary: Text
    note: str = ""

    @field_validator("jurisdiction")
    @classmethod
    def _known_place(cls, value: str | None) -> str | None:
        return None if value is None else place(value)

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
        return rules.RuleHead(
            id=self.id,
            select=self.select(),
            citation=self.citation,
            source=self.source,
            confidence=self.confidence,
            effect=self.effect,
            from_on=self.in_force_from,
            until_on=self.in_force_until,
            lifted_by=words(self.lifted_by),
            summary=self.summary,
            status=self.status,
            note=self.note,
        )

    def select(self) -> rules.Selector:
        """Return which candidate contacts the rule is asked about."""
        days = self.days_past_due
        return rules.Selector(
            jurisdiction=self.jurisdiction or ANYWHERE,
            binds=self.binds,
            channels=words(self.channels),
            actors=words(self.actors),
            products=words(self.products),
            recipients=words(self.recipients),
            purposes=words(self.purposes),
            except_purposes=words(self.except_purposes),
            stages=words(self.stages),
            labels=words(self.labels),
            point_types=words(self.point_types),
            creditor_kinds=words(self.creditor_kinds),
            debt_states=words(self.debt_states),
            days_from=days.first if days else None,
            days_until=days.until if days else None,
        )


def words(values: tuple[str, ...]) -> frozenset[str]:
    """Return the words of a list as the set a typed rule holds."""
    return frozenset(str(value) for value in values)


class Clocked(Strict):
    """A rule on one named clock instead of the borrower's."""

    clock: str | None = None

    @field_validator("clock")
    @classmethod
    def _known_zone(cls, value: str | None) -> str | None:
        if value not in {None, NUMBER_CLOCK, LANDLINE_CLOCK} and zone(value or "") is None:
            raise ValueError(
                f"must be an IANA time zone such as Asia/Shanghai, or {NUMBER_CLOCK}, or {LANDLINE_CLOCK}; "
                "leave it out for the borrower's own clock"
            )
        return value
