"""Tasks for people: what one is, and what it can be closed with (config/tasks.yaml)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Final
from uuid import UUID

from pydantic import Field

from outreach.domain.config_edge import SLUG, Shape, read_shape, word
from outreach.domain.located_yaml import ConfigError, Problem, load_located
from outreach.domain.words import HoldKind

LIFTABLE: Final = frozenset({HoldKind.REVIEW, HoldKind.DISPUTE, HoldKind.HARDSHIP, HoldKind.COMPLAINT})
"""Holds that a person may end with their task. All others rest on facts that only the lender can take back."""

TASK_DUE: Final = timedelta(hours=24)
"""How long a person has who gets a task."""

_ALWAYS_THERE: Final = "dealt_with"


@dataclass(frozen=True, slots=True)
class Disposition:
    """What a task can be closed with. ``kinds`` None: every kind; ``lifts``: holds placed with it that then end."""

    id: str
    says: str
    kinds: frozenset[str] | None = None
    suggested_for: frozenset[str] = frozenset()
    lifts: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class TaskRules:
    """Everything tasks can be closed with, in the order of the file."""

    dispositions: tuple[Disposition, ...] = (Disposition(_ALWAYS_THERE, "Dealt with; nothing changes for the case"),)

    def offered(self, kind: str) -> tuple[Disposition, ...]:
        """Return what a task of a kind can be closed with, the suggested one first."""
        fitting = (
            one for one in self.dispositions if one.kinds is None or kind in one.kinds or kind in one.suggested_for
        )
        return tuple(sorted(fitting, key=lambda one: (kind not in one.suggested_for, one.kinds is None)))

    def suggested(self, kind: str) -> Disposition | None:
        """Return what is suggested for a kind; None: nothing is."""
        return next((one for one in self.dispositions if kind in one.suggested_for), None)

    def named(self, kind: str, disposition: str) -> Disposition | None:
        """Return a disposition by its name, if it is offered for the kind."""
        return next((one for one in self.offered(kind) if one.id == disposition), None)


@dataclass(frozen=True, slots=True)
class Task:
    """One thing handed to a person. ``evidence`` is what led to it: ``inbox:<id>`` or ``call:<attempt>``.

    ``detail`` holds what else they need to know: the hour of a call, the answer that never left and why.
    """

    task_id: UUID
    case_id: UUID
    borrower_id: UUID
    kind: str
    opened_at: datetime
    due_at: datetime
    surface: str
    evidence: str
    assigned_to: str | None
    assigned_at: datetime | None
    closed_at: datetime | None
    closed_by: str | None
    disposition: str | None
    note: str | None
    detail: Mapping[str, Any] = field(default_factory=dict)


_Names = Annotated[tuple[Annotated[str, SLUG], ...], Field(strict=False)]
_Holds = Annotated[tuple[Annotated[HoldKind, word(HoldKind, "hold")], ...], Field(strict=False)]


class DispositionShape(Shape):
    """One disposition as it is written."""

    id: Annotated[str, SLUG]
    says: Annotated[str, Field(min_length=1, max_length=200)]
    for_: Annotated[_Names | None, Field(alias="for")] = None
    suggested_for: _Names = ()
    lifts: _Holds = ()


class FileShape(Shape):
    """The file as it is written."""

    dispositions: Annotated[tuple[DispositionShape, ...], Field(strict=False, min_length=1)]


def load_task_rules(path: Path) -> TaskRules:
    """Return the rules of a file; where there is none, tasks are closed as dealt with. Raises ConfigError."""
    if not path.exists():
        return TaskRules()
    located = load_located(path)
    problems: list[Problem] = list(located.problems)
    shape, found = read_shape(FileShape, located) if located.data is not None else (None, [])
    problems += found
    suggested: set[str] = set()
    seen: set[str] = set()
    for place, one in enumerate(shape.dispositions if shape else ()):
        where = ("dispositions", place)
        if one.id in seen:
            problems.append(located.problem((*where, "id"), f"{one.id} is used twice"))
        twice = sorted(suggested & set(one.suggested_for))
        if twice:
            text = f"something else is suggested for {', '.join(twice)} already"
            problems.append(located.problem((*where, "suggested_for"), text))
        barred = sorted(set(one.lifts) - LIFTABLE)
        if barred:
            text = f"{', '.join(barred)} cannot be lifted with a task (can be: {', '.join(sorted(LIFTABLE))})"
            problems.append(located.problem((*where, "lifts"), text))
        seen.add(one.id)
        suggested |= set(one.suggested_for)
    if problems or shape is None:
        raise ConfigError(problems)
    return TaskRules(tuple(_disposition(one) for one in shape.dispositions))


def _disposition(one: DispositionShape) -> Disposition:
    kinds = None if one.for_ is None else frozenset(one.for_)
    return Disposition(one.id, one.says, kinds, frozenset(one.suggested_for), frozenset(one.lifts))
