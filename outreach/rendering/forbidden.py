"""templates/forbidden.yaml: what no words to a borrower may say, and the words that hint at money owed, by language."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator

from outreach.domain.located_yaml import Located, Problem, load_located
from outreach.rendering.phrases import Found, Phrase, PhraseBook, read_phrase

LISTS: Mapping[str, tuple[str, ...]] = MappingProxyType({"en": ("en",), "es": ("es",), "zh": ("zh", "zh-Hant")})
"""The lists that words of a language are held against. Words of any other language are held against all of them."""

DEBT_IN_SUBJECT, DEBT_BEFORE_IDENTITY, DEBT_MENTION = "debt_in_subject", "debt_before_identity", "debt_mention"
PLACES = (DEBT_IN_SUBJECT, DEBT_BEFORE_IDENTITY, DEBT_MENTION)
"""Families that are found by where a hint at money owed stands."""

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]


class Phrases(BaseModel):
    """Lists of phrases by language, each written as phrases are."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_by_name=True, validate_by_alias=True)

    en: tuple[str, ...] = ()
    es: tuple[str, ...] = ()
    zh: tuple[str, ...] = ()
    zh_hant: tuple[str, ...] = Field(default=(), alias="zh-Hant")

    @field_validator("en", "es", "zh", "zh_hant")
    @classmethod
    def _can_be_read(cls, phrases: tuple[str, ...]) -> tuple[str, ...]:
        for phrase in phrases:
            read_phrase("", "", phrase)
        return phrases

    def read(self, family: str) -> Mapping[str, tuple[Phrase, ...]]:
        """Return the phrases of each list, ready to look for."""
        lists = {"en": self.en, "es": self.es, "zh": self.zh, "zh-Hant": self.zh_hant}
        return {key: tuple(read_phrase(family, key, one) for one in phrases) for key, phrases in lists.items()}


class _Family(Phrases):
    says: Annotated[str, StringConstraints(min_length=3)]
    sources: Annotated[tuple[Annotated[str, StringConstraints(min_length=3)], ...], Field(min_length=1)]


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    families: dict[Name, _Family]
    hints: Phrases

    @field_validator("families")
    @classmethod
    def _not_a_place(cls, families: dict[str, _Family]) -> dict[str, _Family]:
        for name in PLACES:
            if name in families:
                raise ValueError(f"{name} is found by the place of a hint and has no phrases of its own")
        return families


@dataclass(frozen=True, slots=True)
class Family:
    """One kind of words that are not said. ``says`` is what such words do, ``sources`` where they are barred."""

    name: str
    says: str
    sources: tuple[str, ...]


class Books:
    """Phrase books by language, and one of every language for words whose language is not known."""

    def __init__(self, lists: Iterable[Mapping[str, tuple[Phrase, ...]]]) -> None:
        every = list(lists)
        self._all = PhraseBook(phrase for one in every for phrases in one.values() for phrase in phrases)
        self._by_language = {
            language: PhraseBook(phrase for one in every for name in names for phrase in one.get(name, ()))
            for language, names in LISTS.items()
        }

    def of(self, language: str) -> PhraseBook:
        """Return the book of a language (``zh``, ``zh-TW``); of one that has no lists, the book of all."""
        return self._by_language.get(language.partition("-")[0].lower(), self._all)


@dataclass(frozen=True, slots=True)
class Lists:
    """The forbidden families, and the words that hint at money owed."""

    families: Mapping[str, Family] = field(default_factory=dict)
    barred: Books = field(default_factory=lambda: Books(()))
    hinting: Books = field(default_factory=lambda: Books(()))
    problems: tuple[Problem, ...] = ()

    def find(self, text: str, language: str) -> tuple[Found, ...]:
        """Return every forbidden phrase in words of a language, whoever wrote them."""
        return self.barred.of(language).find(text)

    def hint(self, text: str, language: str) -> str | None:
        """Return the first words that hint at money owed, as they compare; None when there are none."""
        found = self.hinting.of(language).find(text)
        return found[0].words if found else None

    def why(self, family: str) -> str:
        """Return what a family says and where that is barred, for people who write templates."""
        known = self.families.get(family)
        return f"{family}: {known.says} ({'; '.join(known.sources)})" if known else family


def families(lists: Lists, text: str, language: str) -> frozenset[tuple[str, str]]:
    """Return the (family, phrase id) of everything forbidden in words, whoever or whatever wrote them."""
    return frozenset((found.family, found.phrase) for found in lists.find(text, language))


def load_lists(path: Path) -> Lists:
    """Read forbidden.yaml. Never raises for what is in the file: see ``Lists.problems``."""
    located = load_located(path)
    if located.problems:
        return Lists(problems=located.problems)
    try:
        parsed = _File.model_validate(located.data)
    except ValidationError as error:
        return Lists(problems=tuple(located.problems_of(error.errors())))
    return Lists(
        families={name: Family(name, one.says, one.sources) for name, one in parsed.families.items()},
        barred=Books(one.read(name) for name, one in parsed.families.items()),
        hinting=Books([parsed.hints.read("hint")]),
        problems=tuple(_empty(located, parsed)),
    )


def _empty(located: Located, parsed: _File) -> list[Problem]:
    """Name the languages without hints, in which anything could stand in a subject line."""
    read = parsed.hints.read("hint")
    return [located.problem(("hints",), f"has no words for {name}") for name, phrases in read.items() if not phrases]
