"""Facts and decisions as JSON and back, exactly: what was decided once can be decided again."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import MISSING, fields
from datetime import UTC, date, datetime
from functools import lru_cache
from itertools import cycle
from types import NoneType, UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import orjson

from outreach.policy.decision import Decision, Verdict
from outreach.policy.facts import Facts

T = TypeVar("T")
_OPTIONS = orjson.OPT_UTC_Z

Reader = Callable[[object], Any]


class FieldError(ValueError):
    """One field of a JSON value that cannot be read. ``text`` says what would be valid and never repeats the value."""

    def __init__(self, field: str, text: str) -> None:
        self.field = field
        self.text = text
        super().__init__(f"{field}: {text}" if field else text)

    def under(self, name: str) -> "FieldError":
        """Return the same fault as seen from one level up."""
        gap = "" if not self.field or self.field.startswith("[") else "."
        return FieldError(f"{name}{gap}{self.field}", self.text)


def facts_to_json(facts: Facts) -> bytes:
    """Write facts with every field. Instants come out in UTC, to the microsecond."""
    return orjson.dumps(facts, option=_OPTIONS)


def facts_from_json(text: bytes) -> Facts:
    """Read facts; the inverse of facts_to_json. Raises FieldError naming the first wrong field."""
    return read(Facts, loads(text))


def decision_to_json(decision: Decision) -> bytes:
    """Write a decision with every field."""
    return orjson.dumps(decision, option=_OPTIONS)


def decision_from_json(text: bytes) -> Decision:
    """Read a decision; the inverse of decision_to_json. Raises FieldError naming the first wrong field."""
    return read(Decision, loads(text))


def loads(text: bytes) -> object:
    """Parse JSON. Raises FieldError without repeating the input."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise FieldError("", f"is not valid JSON (line {error.lineno}, column {error.colno})") from error


def read(kind: type[T], value: object, defaults: Mapping[str, Any] | None = None) -> T:
    """Read a plain JSON value as a dataclass. ``defaults`` fill fields that the dataclass itself requires."""
    if not isinstance(value, dict):
        raise FieldError("", "must be an object")
    readers, required = _form(kind)  # type: ignore[arg-type]
    known: dict[str, Any] = {}
    name = ""
    try:
        for name, item in value.items():
            known[name] = readers[name](item)
    except FieldError as error:
        raise error.under(name) from None
    except KeyError:
        raise FieldError(name, f"is not a field; the fields are {', '.join(readers)}") from None
    for need in required:
        if need not in known:
            if defaults is None or need not in defaults:
                raise FieldError(need, "is missing")
            known[need] = defaults[need]
    return kind(**known)


@lru_cache(maxsize=64)
def _form(kind: Hashable) -> tuple[dict[str, Reader], tuple[str, ...]]:
    hints = get_type_hints(kind)
    listed = fields(kind)  # type: ignore[arg-type]
    required = tuple(f.name for f in listed if f.default is MISSING and f.default_factory is MISSING)
    return {f.name: _reader(hints[f.name]) for f in listed}, required


def _reader(hint: Any) -> Reader:  # noqa: ANN401 - a type expression has no type of its own
    if get_origin(hint) is UnionType:
        inner = _reader(next(part for part in get_args(hint) if part is not NoneType))
        return lambda value: None if value is None else inner(value)
    if get_origin(hint) is tuple:
        return _tuple_reader(get_args(hint))
    if hint in _PLAIN:
        return _PLAIN[hint]
    return lambda value: read(hint, value)


def _tuple_reader(parts: tuple[Any, ...]) -> Reader:
    readers = [_reader(part) for part in parts if part is not Ellipsis]
    open_ended = parts[-1] is Ellipsis

    def listed(value: object) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise FieldError("", "must be a list")
        if not open_ended and len(value) != len(readers):
            raise FieldError("", f"must be a list of {len(readers)}")
        found: list[Any] = []
        try:
            for one, item in zip(cycle(readers), value, strict=False):
                found.append(one(item))
        except FieldError as error:
            raise error.under(f"[{len(found)}]") from None
        return tuple(found)

    return listed


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise FieldError("", "must be text")
    return value


def _whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise FieldError("", "must be a whole number")
    return value


def _truth(value: object) -> bool:
    if not isinstance(value, bool):
        raise FieldError("", "must be true or false")
    return value


def read_instant(value: object) -> datetime:
    """Read an ISO 8601 instant with an offset, as UTC."""
    try:
        instant = datetime.fromisoformat(_text(value))
        if instant.tzinfo is UTC:
            return instant
        if instant.tzinfo is not None:
            return instant.astimezone(UTC)
    except (ValueError, OverflowError):
        raise FieldError("", "must be an instant such as 2026-11-22T09:30:00Z") from None
    raise FieldError("", "needs an offset from UTC, such as Z or -05:00")


def _local_date(value: object) -> date:
    try:
        return date.fromisoformat(_text(value))
    except ValueError:
        raise FieldError("", "must be a date such as 2026-11-22") from None


def _verdict(value: object) -> Verdict:
    try:
        return Verdict(_text(value))
    except ValueError:
        raise FieldError("", f"must be one of {', '.join(Verdict)}") from None


_PLAIN: dict[Any, Reader] = {
    str: _text,
    int: _whole,
    bool: _truth,
    datetime: read_instant,
    date: _local_date,
    Verdict: _verdict,
}
