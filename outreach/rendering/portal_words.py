"""The words of the borrower portal (templates/portal/<language>.yaml): read, and held to the rules about words."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from outreach.domain.located_yaml import ConfigError, Located, Problem, load_located
from outreach.rendering.forbidden import Lists

FIRST = "en"
"""The language the others are compared with."""
BEFORE_IDENTITY = ("gone.", "door.", "frame.")
"""Sections that anybody who has a link may read: no word in them may hint at money owed."""

_PLACE = re.compile(r"\{(\w*)\}")


@dataclass(frozen=True, slots=True)
class PortalWords:
    """Words by language and key (``plan.title``)."""

    by_language: Mapping[str, Mapping[str, str]]

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages there are, the first one first."""
        return tuple(self.by_language)

    def name(self, language: str) -> str:
        """Return a language's own name."""
        return self.by_language[language]["language"]

    def say(self, language: str, key: str, **places: object) -> str:
        """Return the words under ``key`` with their places filled. Raises KeyError for a key or place unknown."""
        return self.by_language[language][key].format(**places)


def load_portal_words(folder: Path) -> PortalWords:
    """Read every language. Raises ConfigError when there is none, or a key is missing in one."""
    words, problems = read_portal_words(folder)
    if problems:
        raise ConfigError(problems)
    return words


def read_portal_words(folder: Path, lists: Lists | None = None) -> tuple[PortalWords, list[Problem]]:
    """Read every language with what is wrong: keys or places that differ, and words that must not be said."""
    files = {path.stem: load_located(path) for path in sorted(folder.glob("*.yaml"))}
    if FIRST not in files:
        return PortalWords({}), [Problem(str(folder / f"{FIRST}.yaml"), 1, 1, "", "is missing")]
    problems = [problem for one in files.values() for problem in one.problems]
    read = {language: dict(_flat(one)) for language, one in files.items()}
    ordered = {FIRST: read[FIRST]} | read
    for language, located in files.items():
        problems += _differing(located, read[language], read[FIRST])
        if lists is not None:
            problems += _unsayable(located, read[language], lists, language)
    return PortalWords(ordered), problems


def _flat(located: Located) -> Iterator[tuple[str, str]]:
    """Yield (``section.key``, words)."""
    data = located.data if isinstance(located.data, dict) else {}
    for section, inner in data.items():
        if isinstance(inner, dict):
            yield from ((f"{section}.{key}", text) for key, text in inner.items() if isinstance(text, str) and text)
        elif isinstance(inner, str):
            yield section, inner


def _differing(located: Located, mine: Mapping[str, str], first: Mapping[str, str]) -> Iterator[Problem]:
    for key in sorted(first.keys() - mine.keys()):
        yield located.problem(tuple(key.split(".")), f"has no words; {FIRST}.yaml has {first[key]!r}")
    for key, text in mine.items():
        if key not in first:
            yield located.problem(tuple(key.split(".")), f"is not a key of {FIRST}.yaml")
        elif set(_PLACE.findall(text)) != set(_PLACE.findall(first[key])):
            wanted = ", ".join(sorted({f"{{{name}}}" for name in _PLACE.findall(first[key])})) or "no places"
            yield located.problem(tuple(key.split(".")), f"must have {wanted}, as {FIRST}.yaml does")


def _unsayable(located: Located, mine: Mapping[str, str], lists: Lists, language: str) -> Iterator[Problem]:
    for key, text in mine.items():
        plain = _PLACE.sub("", text)
        for found in lists.find(plain, language):
            yield located.problem(tuple(key.split(".")), f"“{found.words}” {lists.why(found.family)}")
        hint = lists.hint(plain, language) if key.startswith(BEFORE_IDENTITY) else None
        if hint:
            yield located.problem(tuple(key.split(".")), f"“{hint}” hints at money owed before anybody is identified")
