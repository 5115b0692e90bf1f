"""The edge where settings files become values: strict pydantic shapes, and complaints that name what was meant."""

from collections.abc import Callable, Iterable
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar, get_args
from zoneinfo import available_timezones

from pydantic import BaseModel, ConfigDict, PlainValidator, ValidationError

from outreach.domain.calendar import is_zone
from outreach.domain.located_yaml import Located, Problem, Where, load_located
from outreach.domain.near import did_you_mean, unknown_word


class Shape(BaseModel):
    """A mapping of a settings file. Keys it does not know are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, arbitrary_types_allowed=True)


_PLAIN = {
    "model_type": "must be a block of keys and values",
    "dict_type": "must be a block of keys and values",
    "tuple_type": "must be a list",
    "too_short": "must have at least {min_length} entry",
    "string_type": "must be text",
    "int_type": "must be a whole number",
    "greater_than_equal": "must be at least {ge}",
}
"""What pydantic's complaints mean to someone who writes a settings file."""

ShapeT = TypeVar("ShapeT", bound=Shape)
WordT = TypeVar("WordT", bound=StrEnum)


def word(kind: type[WordT], named: str) -> PlainValidator:
    """Return a validator for one word of a closed set; ``named`` is what complaints call it."""

    def read(value: object) -> WordT:
        known = [member.value for member in kind]
        if value not in known:
            raise ValueError(unknown_word(named, value, known))
        return kind(value)

    return PlainValidator(read)


def text_matching(fits: Callable[[str], bool], wanted: str) -> PlainValidator:
    """Return a validator for text that ``fits``; ``wanted`` ends the complaint: what would be right."""

    def read(value: object) -> str:
        if not isinstance(value, str) or not fits(value):
            raise ValueError(f"{value!r} {wanted}")
        return value

    return PlainValidator(read)


def is_slug(text: str) -> bool:
    """Tell whether ``text`` can name a plan, step, template, campaign or creditor."""
    return (
        bool(text) and len(text) <= 60 and text.isascii() and text.replace("_", "a").isalnum() and text == text.lower()
    )


SLUG = text_matching(is_slug, "is no name; write lower-case letters, digits and _")


def read_zone(value: object) -> str:
    """Read an IANA time zone. Raises ValueError with the nearest one."""
    if not isinstance(value, str) or not is_zone(value):
        near = did_you_mean(value, sorted(available_timezones()))
        raise ValueError(f"{value!r} is not an IANA time zone such as America/New_York{near}")
    return value


def read_shape(shape: type[ShapeT], located: Located, where: Where = ()) -> tuple[ShapeT | None, list[Problem]]:
    """Validate the part of a file at ``where``; the problems say where each wrong value stands."""
    data = located.data
    for part in where:
        data = data[part]
    try:
        return shape.model_validate(data), []
    except ValidationError as error:
        return None, [_problem(shape, located, where, each) for each in _first_causes(error)]


def _first_causes(error: ValidationError) -> list[dict[str, Any]]:
    """Return what is wrong, without the lists that are only too short because an entry of theirs was refused."""
    found: list[dict[str, Any]] = [dict(each) for each in error.errors(include_url=False)]
    within = {each["loc"][:depth] for each in found for depth in range(len(each["loc"]))}
    return [each for each in found if not (each["type"] == "too_short" and each["loc"] in within)]


def _problem(shape: type[Shape], located: Located, where: Where, error: dict[str, Any]) -> Problem:
    place: Where = (*where, *error["loc"])
    if error["type"] == "extra_forbidden":
        keys = sorted(_keys_at(shape, error["loc"][:-1]))
        return located.problem(place, f"unknown key{did_you_mean(error['loc'][-1], keys)} (known: {', '.join(keys)})")
    if error["type"] in _PLAIN:
        return located.problem(place, _PLAIN[error["type"]].format(**error.get("ctx", {})))
    return located.problems_of([error], where)[0]


def _keys_at(shape: type[Shape], loc: Iterable[str | int]) -> Iterable[str]:
    """Return the keys a nested block may have, following the shapes of the fields that lead to it."""
    for part in loc:
        field = shape.model_fields.get(part) if isinstance(part, str) else None
        if field is not None:
            shape = _shape_within(field.annotation) or shape
    return shape.model_fields


def _shape_within(annotation: object) -> type[Shape] | None:
    """Return the shape inside ``tuple[Shape, ...]``, ``Shape | None`` or ``Shape`` itself."""
    if isinstance(annotation, type) and issubclass(annotation, Shape):
        return annotation
    return next(filter(None, map(_shape_within, get_args(annotation))), None)


def yaml_files(folder: Path) -> list[Located]:
    """Read every ``*.yaml`` of a folder, in the order of their names."""
    return [load_located(path) for path in sorted(folder.glob("*.yaml"))]
