"""Campaigns as files: ``config/campaigns/*.yaml`` and stored specs become Campaign values, or problems with places."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, PlainValidator, StrictInt, model_validator

from outreach.domain.campaign import (
    LATEST_START,
    WEEKDAYS,
    Campaign,
    Daily,
    Once,
    Schedule,
    Throughput,
    campaign_content,
)
from outreach.domain.condition import Condition
from outreach.domain.condition_facts import AUDIENCE_FACTS
from outreach.domain.config_edge import Shape, read_shape, yaml_files
from outreach.domain.located_yaml import ConfigError, Located, Problem
from outreach.domain.near import unknown_word
from outreach.domain.plan import version_of
from outreach.domain.plan_config import DURATION, NAME, TIME, ZONE

_LOCAL = "%Y-%m-%dT%H:%M"


def _read_audience(value: object) -> Condition:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is not a condition; write an expression such as case.days_past_due > 3")  # noqa: TRY004
    return Condition.compile(value, AUDIENCE_FACTS)


def _read_once(value: object) -> datetime:
    try:
        return datetime.strptime(str(value), _LOCAL)  # noqa: DTZ007 - a local time; its zone stands beside it
    except ValueError:
        raise ValueError(f"{value!r} is not a local date and time; write 2026-11-30T09:00") from None


def _read_day(value: object) -> date:
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise ValueError(f"{value!r} is not a date; write 2026-11-30") from None


def _read_weekday(value: object) -> str:
    if value not in WEEKDAYS:
        raise ValueError(unknown_word("day", value, WEEKDAYS))
    return str(value)


def _read_percentage(value: object) -> Decimal:
    percent = Decimal(str(value)) if isinstance(value, int | float) and not isinstance(value, bool) else None
    if percent is None or not 0 <= percent <= 100 or percent != round(percent, 2):
        raise ValueError(f"{value!r} is not a percentage; write a number from 0 to 100 with at most two decimals")
    return percent


DAY = Annotated[date, PlainValidator(_read_day)]
LIMIT = Annotated[StrictInt, Field(ge=1)]


class ScheduleShape(Shape):
    """When a campaign runs: ``once`` or ``daily``."""

    zone: ZONE
    once: Annotated[datetime, PlainValidator(_read_once)] | None = None
    daily: TIME | None = None
    days: Annotated[tuple[Annotated[str, PlainValidator(_read_weekday)], ...], Field(strict=False, min_length=1)] = (
        WEEKDAYS
    )
    starts_on: DAY | None = None
    ends_on: DAY | None = None
    late_after: DURATION = LATEST_START

    @model_validator(mode="after")
    def _one_kind(self) -> "ScheduleShape":
        if (self.once is None) == (self.daily is None):
            raise ValueError("give either once (a local date and time) or daily (a local time)")
        if self.once is not None and self.model_fields_set & {"days", "starts_on", "ends_on"}:
            raise ValueError("days, starts_on and ends_on go with daily")
        if self.starts_on and self.ends_on and self.ends_on < self.starts_on:
            raise ValueError("ends_on is before starts_on, so the campaign never runs")
        return self


class ThroughputShape(Shape):
    """How fast cases go onto the plan."""

    per_minute: LIMIT
    per_day: LIMIT | None = None


class CampaignShape(Shape):
    """One campaign file."""

    name: NAME
    about: str = ""
    plan: NAME
    audience: Annotated[Condition, PlainValidator(_read_audience)]
    schedule: ScheduleShape
    throughput: ThroughputShape
    holdout: Annotated[Decimal, PlainValidator(_read_percentage)] = Decimal(0)


@dataclass(frozen=True, slots=True)
class CampaignFile:
    """A campaign and the file it stands in."""

    campaign: Campaign
    located: Located


@dataclass(frozen=True, slots=True)
class CampaignsRead:
    """What a folder of campaigns held: those that could be read, the problems of the others."""

    files: tuple[CampaignFile, ...]
    problems: tuple[Problem, ...]


def read_campaigns(folder: Path) -> CampaignsRead:
    """Read every campaign of ``folder``. Never raises for what is in the files."""
    return read_located_campaigns(yaml_files(folder))


def read_located_campaigns(sources: Iterable[Located]) -> CampaignsRead:
    """Read campaigns from parsed files."""
    files: list[CampaignFile] = []
    problems: list[Problem] = []
    for located in sources:
        problems += located.problems
        if located.data is None:
            continue
        shape, found = read_shape(CampaignShape, located)
        problems += found
        if shape is not None:
            files.append(CampaignFile(_campaign(shape), located))
    return CampaignsRead(tuple(files), tuple(problems))


def load_campaigns(folder: Path) -> dict[str, Campaign]:
    """Return the campaigns of ``folder`` by name. Raises ConfigError with every problem of every file."""
    read = read_campaigns(folder)
    if read.problems:
        raise ConfigError(read.problems)
    return {file.campaign.name: file.campaign for file in read.files}


def campaign_from_content(content: Mapping[str, Any]) -> Campaign:
    """Return a stored campaign (``campaign_content``). Raises pydantic's ValidationError when it is not one."""
    return _campaign(CampaignShape.model_validate(content))


def _campaign(shape: CampaignShape) -> Campaign:
    throughput = Throughput(shape.throughput.per_minute, shape.throughput.per_day)
    campaign = Campaign(
        name=shape.name,
        plan=shape.plan,
        audience=shape.audience,
        schedule=_schedule(shape.schedule),
        throughput=throughput,
        version="",
        holdout=shape.holdout,
        about=shape.about.strip(),
    )
    return replace(campaign, version=version_of(campaign_content(campaign)))


def _schedule(shape: ScheduleShape) -> Schedule:
    if shape.once is not None:
        return Once(shape.once, shape.zone, shape.late_after)
    assert shape.daily is not None  # noqa: S101 - ScheduleShape refuses neither
    return Daily(shape.daily, shape.zone, frozenset(shape.days), shape.starts_on, shape.ends_on, shape.late_after)
