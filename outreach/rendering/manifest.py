"""templates/catalog.yaml: which templates there must be, what is asked of each, and the keys of the spoken menu."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator

from outreach.domain.located_yaml import Problem, load_located
from outreach.domain.words import Channel
from outreach.rendering.locales import Terms

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
Statement = Literal["opt_out", "ref"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Medium(_Strict):
    file: Name | None = None
    segments: Annotated[int, Field(ge=1, le=10)] | None = None


class _Entry(_Strict):
    sms: _Medium | None = None
    email: _Medium | None = None
    voice: _Medium | None = None
    ivr: _Medium | None = None
    limited: bool = False
    without: tuple[Statement, ...] = ()


class Menu(_Strict):
    """Keys of the spoken menu."""

    pay: Annotated[int, Field(ge=0, le=9)]
    installments: Annotated[int, Field(ge=0, le=9)]
    paid: Annotated[int, Field(ge=0, le=9)]
    dispute: Annotated[int, Field(ge=0, le=9)]
    promise: Annotated[int, Field(ge=0, le=9)]
    callback: Annotated[int, Field(ge=0, le=9)]
    more_time: Annotated[int, Field(ge=0, le=9)]
    repeat: Annotated[int, Field(ge=0, le=9)]
    person: Annotated[int, Field(ge=0, le=9)]
    stop_calls: Annotated[int, Field(ge=0, le=9)]
    language: Literal["*"] = "*"  # the digits are given away; every provider knows the star


class _File(_Strict):
    segments: Annotated[int, Field(ge=1, le=10)]
    menu: Menu
    templates: dict[Name, _Entry]

    @field_validator("menu")
    @classmethod
    def _distinct(cls, menu: Menu) -> Menu:
        keys = menu.model_dump().values()
        if len(set(keys)) != len(keys):
            raise ValueError("every choice needs a key of its own")
        return menu


@dataclass(frozen=True, slots=True)
class Entry:
    """One template in one medium: where it stands and what is asked of it."""

    name: str
    channel: Channel
    file: str
    limited: bool
    without: frozenset[str]
    segments: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """Every template there must be, and the keys of the spoken menu as text."""

    entries: tuple[Entry, ...] = ()
    menu: Terms = field(default_factory=Terms)
    problems: tuple[Problem, ...] = ()


def load_manifest(path: Path) -> Manifest:
    """Read catalog.yaml. Never raises for what is in the file: see ``Manifest.problems``."""
    located = load_located(path)
    if located.problems:
        return Manifest(problems=located.problems)
    try:
        parsed = _File.model_validate(located.data)
    except ValidationError as error:
        return Manifest(problems=tuple(located.problems_of(error.errors())))
    entries = [
        Entry(
            name=name,
            channel=channel,
            file=medium.file or name,
            limited=one.limited,
            without=frozenset(one.without),
            segments=medium.segments or parsed.segments,
        )
        for name, one in parsed.templates.items()
        for channel in Channel
        if (medium := getattr(one, channel.value)) is not None
    ]
    return Manifest(tuple(entries), Terms({key: str(digit) for key, digit in parsed.menu.model_dump().items()}))
