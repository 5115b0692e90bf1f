"""When a case goes to the lender's next stage: config/escalations.yaml."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import Field

from outreach.domain.config_edge import SLUG, Shape, read_shape, word
from outreach.domain.located_yaml import ConfigError, Problem, load_located


class When(StrEnum):
    """What a case must have come to."""

    SILENT = "silent"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class EscalationRule:
    """One way to the next stage. ``creditors`` and ``products`` limit it; empty: all."""

    id: str
    when: When
    days_past_due: int
    after_days: int
    contacts: int
    stage: str
    creditors: tuple[str, ...] = ()
    products: tuple[str, ...] = ()


_Names = Annotated[tuple[Annotated[str, SLUG], ...], Field(strict=False)]


class RuleShape(Shape):
    """One rule as it is written."""

    id: Annotated[str, SLUG]
    when: Annotated[When, word(When, "reason")]
    days_past_due: Annotated[int, Field(ge=1)]
    after_days: Annotated[int, Field(ge=1)]
    contacts: Annotated[int, Field(ge=1)] = 1
    stage: Annotated[str, SLUG]
    creditors: _Names = ()
    products: _Names = ()


class FileShape(Shape):
    """The file as it is written."""

    rules: Annotated[tuple[RuleShape, ...], Field(strict=False)] = ()


def load_escalations(path: Path) -> tuple[EscalationRule, ...]:
    """Return the rules of a file, in order; none where there is no file. Raises ConfigError with every problem."""
    if not path.exists():
        return ()
    located = load_located(path)
    problems: list[Problem] = list(located.problems)
    shape, found = read_shape(FileShape, located) if located.data is not None else (None, [])
    problems += found
    rules = shape.rules if shape else ()
    for place, rule in enumerate(rules):
        if rule.id in [each.id for each in rules[:place]]:
            problems.append(located.problem(("rules", place, "id"), f"{rule.id} is used twice"))
    if problems:
        raise ConfigError(problems)
    return tuple(EscalationRule(**rule.model_dump()) for rule in rules)
