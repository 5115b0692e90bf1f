"""templates/statements.yaml: how it is known that words say what a rule asks for: who collects, how to stop."""

import html
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError, field_validator

from outreach.domain.located_yaml import Problem, load_located
from outreach.rendering.fields import TouchFields
from outreach.rendering.forbidden import Books, Name, Phrases
from outreach.rendering.locales import Words

if TYPE_CHECKING:
    from outreach.rendering.catalog import Template

COLLECTOR, CREDITOR, NEUTRAL_NAME = "collector_name", "creditor_name", "neutral_business_name"

_TAG = re.compile(r"<[^>]*>")


def plain(text: str) -> str:
    """Return the words of a text without the markup of a call."""
    return html.unescape(_TAG.sub(" ", text))


_Shown = Callable[["Template", TouchFields], str | None]


def _text(path: str) -> _Shown:
    group, name = path.split(".")
    return lambda template, fields: getattr(getattr(fields, group), name)  # noqa: ARG005 - one form for all


def _through(filter_name: str, path: str) -> _Shown:
    """Return how a field looks once the template's own filter has written it."""
    group, name = path.split(".")

    def shown(template: "Template", fields: TouchFields) -> str | None:
        value = getattr(getattr(fields, group), name, None)
        return None if value is None else plain(str(template.environment.filters[filter_name](value)))

    return shown


SHOWN: Mapping[str, _Shown] = MappingProxyType(
    {path: _text(path) for path in ("creditor.name", "creditor.agent_name", "creditor.email")}
    | {"creditor.phone": _through("phone", "creditor.phone"), "case.product": _through("product", "case.product")}
    | {
        path: _through("money", path)
        for path in ("case.amount_due", "case.balance", "promise.amount", "installment.amount", "arrangement.total")
    }
)
"""Fields by which a statement can be known, with how they look in the words of a template."""


class _Statement(Phrases):
    says: Annotated[str, StringConstraints(min_length=3)]
    fields: tuple[str, ...] = ()
    words: tuple[str, ...] = ()

    @field_validator("fields")
    @classmethod
    def _known_fields(cls, fields: tuple[str, ...]) -> tuple[str, ...]:
        return _known(fields, SHOWN)

    @field_validator("words")
    @classmethod
    def _known_words(cls, words: tuple[str, ...]) -> tuple[str, ...]:
        return _known(words, Words.model_fields)


def _known(names: tuple[str, ...], allowed: Mapping[str, object]) -> tuple[str, ...]:
    for name in names:
        if name not in allowed:
            raise ValueError(f"{name} must be one of {', '.join(allowed)}")
    return names


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    statements: dict[Name, _Statement]


@dataclass(frozen=True, slots=True)
class Statement:
    """One thing that words can say. ``says`` is for people; ``fields`` and ``words`` are where it may come from."""

    name: str
    says: str
    fields: tuple[str, ...]
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Statements:
    """Everything that can be asked for, by name."""

    by_name: Mapping[str, Statement] = field(default_factory=dict)
    books: Books = field(default_factory=lambda: Books(()))
    problems: tuple[Problem, ...] = ()

    def said(self, template: "Template", fields: TouchFields, text: str) -> frozenset[str]:
        """Return what finished words of a template say. ``text`` is plain: no markup."""
        locale = template.locale
        found = {one.family for one in self.books.of(locale.language).find(text)}
        for one in self.by_name.values():
            values = [SHOWN[path](template, fields) for path in one.fields]
            values += [locale.words[word] for word in one.words]
            if any(value and value in text for value in values):
                found.add(one.name)
        return frozenset(found | {code for code in fields.notices if locale.notices.get(code, "\0") in text})


def load_statements(path: Path) -> Statements:
    """Read statements.yaml. Never raises for what is in the file: see ``Statements.problems``."""
    located = load_located(path)
    if located.problems:
        return Statements(problems=located.problems)
    try:
        parsed = _File.model_validate(located.data)
    except ValidationError as error:
        return Statements(problems=tuple(located.problems_of(error.errors())))
    return Statements(
        by_name={name: Statement(name, one.says, one.fields, one.words) for name, one in parsed.statements.items()},
        books=Books(one.read(name) for name, one in parsed.statements.items()),
    )
