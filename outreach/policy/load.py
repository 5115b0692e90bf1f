"""Reads policy files into a Policy, or says everything that is wrong with them at once."""

import hashlib
from collections.abc import Iterable
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

import holidays
import orjson
from pydantic import BaseModel, TypeAdapter, ValidationError

from outreach.domain.located_yaml import ConfigError, Located, Problem, Where, load_located
from outreach.domain.near import did_you_mean
from outreach.domain.places import memberships
from outreach.policy.policy import Policy
from outreach.policy.rules import ANYWHERE, UNLISTED, Calendar, Effect
from outreach.policy.schema import RULES_BY_SHAPE, AnyRuleIn, CalendarIn, DutyIn, FileHead, WindowIn

# Whose holidays the library knows, for places it has no name for.
_HOLIDAYS_OF = {"GB-EAW": "GB-ENG", "US-NY-NYC": "US-NY"}
RULES: TypeAdapter[AnyRuleIn] = TypeAdapter(AnyRuleIn)


class PolicyError(ConfigError):
    """Policy files that must not be decided by. ``problems`` names file, line, column and field of each fault."""


def load_policy(folder: Path, on: date | None = None) -> Policy:
    """Read every ``*.yaml`` of a folder as one policy.

    With ``on``, a rule whose last day has passed by then must say that it is superseded. Raises PolicyError with all
    problems; a policy is loaded whole or not at all.
    """
    reading = _Reading(on)
    paths = sorted(folder.glob("*.yaml"))
    if not paths:
        raise PolicyError([Problem(str(folder), 1, 1, "", "holds no policy file (*.yaml)")])
    for path in paths:
        reading.read(load_located(path))
    reading.problems += [
        Problem(str(path), 1, 1, "", "would be passed over: policy files end in .yaml") for path in folder.glob("*.yml")
    ]
    if not reading.problems:
        reading.problems += _absent(folder, reading.packs)
    if reading.problems:
        raise PolicyError(sorted(reading.problems, key=lambda one: (one.file, one.line, one.column)))
    return _build(reading.content())


def _absent(folder: Path, packs: set[str]) -> list[Problem]:
    """Report a lost house or default file: without it the policy would permit what nobody meant to permit."""
    needed = {ANYWHERE: "the lender's own rules", UNLISTED: "places that have no pack"}
    return [
        Problem(str(folder), 1, 1, "pack", f"a file with pack: {name} is needed, for {purpose}")
        for name, purpose in needed.items()
        if name not in packs
    ]


def from_json(content: bytes) -> Policy:
    """Make a stored policy version again. Raises PolicyError when the content is not one."""
    try:
        return _build(orjson.loads(content))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise PolicyError([Problem("policy.json", 1, 1, "", "is not the stored content of a policy")]) from error


def _build(content: dict[str, Any]) -> Policy:
    canonical = orjson.dumps(content, option=orjson.OPT_SORT_KEYS)
    entries = [RULES.validate_python(entry) for entry in content["rules"]]
    listed = tuple(entry.rule() for entry in entries)
    return Policy(
        version=hashlib.sha256(canonical).hexdigest()[:16],
        rules=tuple(rule for rule in listed if rule.head.status != "draft"),
        calendars={name: _calendar(name, years) for name, years in content["calendars"].items()},
        packs=frozenset(content["packs"]),
        content=canonical,
        drafts=tuple(rule for rule in listed if rule.head.status == "draft"),
    )


def _calendar(name: str, years: dict[str, list[str]]) -> Calendar:
    days = frozenset(date.fromisoformat(day).toordinal() for listed in years.values() for day in listed)
    return Calendar(name, frozenset(int(year) for year in years), days)


class _Reading:
    """Collects entries and problems over all files of one policy."""

    def __init__(self, on: date | None) -> None:
        self.on = on
        self.problems: list[Problem] = []
        self.packs: set[str] = set()
        self.entries: dict[str, AnyRuleIn] = {}
        self.calendars: dict[str, dict[str, list[str]]] = {}
        self._seen: dict[str, str] = {}

    def content(self) -> dict[str, Any]:
        """Return the canonical content: rules by id, words in order, defaults left out, holidays spelled out."""
        listed = [self.entries[name] for name in sorted(self.entries)]
        rules = [entry.model_dump(mode="json", exclude_defaults=True) for entry in listed]
        return {"rules": rules, "calendars": self.calendars, "packs": sorted(self.packs)}

    def read(self, located: Located) -> None:
        """Take in one file."""
        self.problems += located.problems
        if located.data is None:
            return
        try:
            head = FileHead.model_validate(located.data)
        except ValidationError as error:
            self.problems += _problems(located, (), error, FileHead)
            return
        self.packs.add(head.pack)
        for index, data in enumerate(head.calendars):
            self._calendar(located, ("calendars", index), data)
        for index, data in enumerate(head.rules):
            self._rule(located, ("rules", index), data, head.pack)

    def _calendar(self, located: Located, where: Where, data: object) -> None:
        try:
            entry = CalendarIn.model_validate(data)
        except ValidationError as error:
            self.problems += _problems(located, where, error, CalendarIn)
            return
        years = {str(year): _days_off(entry, year) for year in entry.years()}
        empty = [year for year, days in years.items() if not days]
        if empty:
            text = f"no public holidays are known for this jurisdiction in {', '.join(empty)}; use an ISO 3166 code, "
            text += "or list the days under also"
            self.problems.append(located.problem((*where, "jurisdiction"), text))
            return
        known = self.calendars.setdefault(entry.jurisdiction, {})
        for year, days in years.items():  # two files may know one calendar: a holiday of either is one
            known[year] = sorted({*known.get(year, ()), *days})

    def _rule(self, located: Located, where: Where, data: object, pack: str) -> None:
        shape = data.get("shape") if isinstance(data, dict) else None
        if shape not in RULES_BY_SHAPE:
            self.problems.append(_no_shape(located, where, data))
            return
        try:
            entry = RULES.validate_python(data)
        except ValidationError as error:
            self.problems += _problems(located, where, error, RULES_BY_SHAPE[shape])
            return
        self.problems += [located.problem((*where, *part), text) for part, text in self._faults(entry, pack)]
        line, _ = located.mark((*where, "id"))
        if entry.id in self._seen:
            text = f"is used twice; the first is at {self._seen[entry.id]}"
            self.problems.append(located.problem((*where, "id"), text))
        self._seen[entry.id] = f"{located.file}:{line}"
        self.entries[entry.id] = entry.model_copy(update={"jurisdiction": entry.jurisdiction or pack})

    def _faults(self, entry: AnyRuleIn, pack: str) -> Iterable[tuple[Where, str]]:
        """Yield what is wrong between the fields of a rule that are each right by themselves."""
        place = entry.jurisdiction or pack
        if pack not in {ANYWHERE, UNLISTED} and pack not in memberships(place):
            yield ("jurisdiction",), f"must be {pack} or lie in it, as the file is the pack of {pack}"
        ended = self.on is not None and entry.in_force_until is not None and entry.in_force_until <= self.on
        if ended and entry.status == "in_force":
            yield ("in_force_until",), "has passed; set status: superseded to keep the rule for replay, or remove it"
        if entry.status == "superseded" and entry.in_force_until is None:
            yield ("status",), "a superseded rule needs in_force_until"
        if entry.status == "future" and self.on is not None and entry.in_force_from <= self.on:
            yield ("status",), "has begun by in_force_from; set status: in_force, or draft while it is not certain"
        if entry.effect is Effect.STANDARD and not isinstance(entry, DutyIn):
            yield ("effect",), "a standard names no number, so only shape: duty can have this effect"
        if isinstance(entry, WindowIn):
            yield from _overlaps(entry)


def _no_shape(located: Located, where: Where, data: object) -> Problem:
    shapes = list(RULES_BY_SHAPE)
    if not isinstance(data, dict):
        return located.problem(where, "must be a rule: a block of keys and values")
    if "shape" not in data:
        return located.problem((*where, "shape"), f"is missing; must be one of {', '.join(shapes)}")
    near = did_you_mean(data["shape"], shapes)
    return located.problem((*where, "shape"), f"must be one of {', '.join(shapes)}{near}")


def _problems(located: Located, where: Where, error: ValidationError, form: type[BaseModel]) -> list[Problem]:
    """Return what is wrong with one block, in words of the file."""
    return [
        located.problem((*where, *each["loc"]), text) if (text := _said(each, form)) else one
        for each, one in zip(error.errors(), located.problems_of(error.errors(), where), strict=True)
    ]


def _said(error: Any, form: type[BaseModel]) -> str | None:  # noqa: ANN401 - pydantic's own type is not public
    """Return a complaint that names what would be right, or None where pydantic's own words do."""
    way = [part for part in error["loc"] if isinstance(part, str) and part not in RULES_BY_SHAPE]
    if error["type"] == "extra_forbidden":
        known = sorted(_keys(form)) if len(way) == 1 else []
        near = did_you_mean(way[-1], known)
        return f"unknown key; remove it or correct its spelling{near}{_known(known)}"
    if error["type"] in {"literal_error", "enum"}:
        allowed = str(error["ctx"]["expected"]).replace("'", "").replace(" or ", ", ")
        near = did_you_mean(error["input"], allowed.split(", "))
        return f"must be one of {allowed}{near}"
    return None


def _keys(form: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in form.model_fields.items()]


def _known(keys: list[str]) -> str:
    return f" (known: {', '.join(keys)})" if keys else ""


def _overlaps(entry: WindowIn) -> Iterable[tuple[Where, str]]:
    for later, second in enumerate(entry.hours):
        for earlier, first in enumerate(entry.hours[:later]):
            days = sorted(set(first.days) & set(second.days))
            (start, end), (other_start, other_end) = first.minutes, second.minutes
            if days and start < other_end and other_start < end:
                yield (
                    ("hours", later, "start"),
                    f"overlaps hours[{earlier}] on {', '.join(days)}; join the two stretches",
                )


def _days_off(entry: CalendarIn, year: int) -> list[str]:
    """Return the holidays of a year with what the entry adds."""
    public = _public_holidays(entry.jurisdiction, tuple(entry.years()))
    days = {
        *(day for day in public if day.startswith(f"{year}-")),
        *(day.isoformat() for day in entry.also if day.year == year),
    }
    if entry.sundays:
        first = date(year, 1, 1).toordinal()
        sundays = (date.fromordinal(day) for day in range(first, date(year, 12, 31).toordinal() + 1) if day % 7 == 0)
        days |= {day.isoformat() for day in sundays}
    return sorted(days)


@lru_cache(maxsize=256)
def _public_holidays(jurisdiction: str, years: tuple[int, ...]) -> list[str]:
    """Return the public holidays of some years as dates, none when the jurisdiction is not known."""
    country, _, subdivision = _HOLIDAYS_OF.get(jurisdiction, jurisdiction).partition("-")
    try:
        found = holidays.country_holidays(country, subdiv=subdivision or None, years=years)
    except NotImplementedError:
        return []
    return sorted(day.isoformat() for day in found)
