"""Contact plans as files: ``config/plans/*.yaml`` and stored versions become Plan values, or problems with places."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import time, timedelta
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, PlainValidator, StrictInt, model_validator

from outreach.domain.condition import Condition
from outreach.domain.config_edge import SLUG, Shape, read_shape, read_zone, word, yaml_files
from outreach.domain.events import DATA
from outreach.domain.located_yaml import ConfigError, Located, Problem
from outreach.domain.near import unknown_word
from outreach.domain.plan import (
    OUR_EVENTS,
    Anchor,
    DueDateOf,
    Offset,
    Plan,
    ReEntry,
    Step,
    parse_duration,
    parse_offset,
    parse_time,
    plan_content,
    version_of,
)
from outreach.domain.words import Channel, Purpose, StopCondition

EVENT_TYPES = (*DATA, *OUR_EVENTS)
"""Events a plan may start from."""


def _read_event(value: object) -> str:
    if value not in EVENT_TYPES:
        raise ValueError(unknown_word("event", value, EVENT_TYPES))
    return str(value)


def _read_condition(value: object) -> Condition:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is not a condition; write an expression such as case.days_past_due > 3")  # noqa: TRY004
    return Condition.compile(value)


CHANNEL = Annotated[Channel, word(Channel, "channel")]
CONDITION = Annotated[Condition, PlainValidator(_read_condition)]
OFFSET = Annotated[Offset, PlainValidator(parse_offset)]
DURATION = Annotated[timedelta, PlainValidator(parse_duration)]
TIME = Annotated[time, PlainValidator(parse_time)]
NAME = Annotated[str, SLUG]
ZONE = Annotated[str, PlainValidator(read_zone)]


class StepShape(Shape):
    """One entry of ``steps``."""

    id: NAME
    offset: OFFSET
    channels: Annotated[tuple[CHANNEL, ...], Field(strict=False, min_length=1)]
    template: NAME
    expires_after: DURATION | None = None
    when: CONDITION | None = None
    purpose: Annotated[Purpose, word(Purpose, "purpose")] = Purpose.REMINDER


class PlanShape(Shape):
    """One plan file. ``at`` and ``expires_after`` fill in for steps that do not give their own."""

    name: NAME
    about: str = ""
    anchor: Annotated[Anchor, word(Anchor, "anchor")]
    due_date_of: Annotated[DueDateOf, word(DueDateOf, "due date")] = DueDateOf.ACCOUNT
    trigger: Annotated[str, PlainValidator(_read_event)] | None = None
    stop_on: Annotated[tuple[Annotated[StopCondition, word(StopCondition, "stop condition")], ...], Field(strict=False)]
    re_entry: Annotated[ReEntry, word(ReEntry, "re-entry rule")] = ReEntry.SKIP
    priority: StrictInt
    at: TIME | None = None
    expires_after: DURATION | None = None
    steps: Annotated[tuple[StepShape, ...], Field(strict=False, min_length=1)]

    @model_validator(mode="after")
    def _trigger_fits_anchor(self) -> "PlanShape":
        if self.anchor is Anchor.EVENT and self.trigger is None:
            raise ValueError("anchor: event needs a trigger, the event that starts the plan")
        if self.anchor is Anchor.DUE_DATE and self.trigger is not None:
            raise ValueError("a trigger goes with anchor: event; this plan counts from a due date")
        if self.anchor is Anchor.EVENT and self.due_date_of is not DueDateOf.ACCOUNT:
            raise ValueError("due_date_of goes with anchor: due_date")
        return self

    @model_validator(mode="after")
    def _every_step_expires(self) -> "PlanShape":
        endless = [step.id for step in self.steps if step.expires_after is None]
        if endless and self.expires_after is None:
            raise ValueError(f"expires_after is missing, for the plan or for its steps {', '.join(endless)}")
        return self


@dataclass(frozen=True, slots=True)
class PlanFile:
    """A plan and the file it stands in, so that later findings can name line and column."""

    plan: Plan
    located: Located


@dataclass(frozen=True, slots=True)
class PlansRead:
    """What a folder of plans held: those that could be read, the problems of the others."""

    files: tuple[PlanFile, ...]
    problems: tuple[Problem, ...]


def read_plans(folder: Path) -> PlansRead:
    """Read every plan of ``folder``. Never raises for what is in the files."""
    return read_located_plans(yaml_files(folder))


def read_located_plans(sources: Iterable[Located]) -> PlansRead:
    """Read plans from parsed files."""
    files: list[PlanFile] = []
    problems: list[Problem] = []
    for located in sources:
        problems += located.problems
        if located.data is None:
            continue
        shape, found = read_shape(PlanShape, located)
        problems += found
        if shape is not None:
            files.append(PlanFile(_plan(shape), located))
    return PlansRead(tuple(files), tuple(problems))


def load_plans(folder: Path) -> dict[str, Plan]:
    """Return the plans of ``folder`` by name. Raises ConfigError with every problem that keeps a file from being read.

    What reads well may still make no sense: ``lint.lint_plans`` finds that.
    """
    read = read_plans(folder)
    if read.problems:
        raise ConfigError(read.problems)
    return {file.plan.name: file.plan for file in read.files}


def plan_from_content(content: Mapping[str, Any]) -> Plan:
    """Return a stored plan version (``plan.plan_content``). Raises pydantic's ValidationError when it is not one."""
    return _plan(PlanShape.model_validate(content))


def _plan(shape: PlanShape) -> Plan:
    plan = Plan(
        name=shape.name,
        anchor=shape.anchor,
        steps=tuple(_step(each, shape) for each in shape.steps),
        version="",
        about=shape.about.strip(),
        due_date_of=shape.due_date_of,
        trigger=shape.trigger,
        stop_on=frozenset(shape.stop_on),
        re_entry=shape.re_entry,
        priority=shape.priority,
    )
    return replace(plan, version=version_of(plan_content(plan)))


def _step(shape: StepShape, plan: PlanShape) -> Step:
    offset = shape.offset
    if offset.in_days and offset.at is None and plan.at is not None:
        offset = replace(offset, at=plan.at)
    expires_after = shape.expires_after if shape.expires_after is not None else plan.expires_after
    assert expires_after is not None  # noqa: S101 - PlanShape refuses a step without one
    return Step(shape.id, offset, shape.channels, shape.template, expires_after, shape.when, shape.purpose)
