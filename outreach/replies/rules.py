"""Intent rules of one language, read from config/intents/<lang>.yaml and compiled; what is wrong is located."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from outreach.domain.located_yaml import ConfigError, Located, Problem, load_located
from outreach.replies.normalise import tokenise
from outreach.replies.phrases import Compiled, PhraseError, compile_phrase
from outreach.replies.reading import ALL_CHANNELS, Intent

CONFIG = Path(__file__).resolve().parents[2] / "config" / "intents"
LANGUAGES = ("en", "es", "zh")

_TOP = {"language", "normalise", "sets", "answers", "channels", "intents"}
_NORMALISE = {"fillers", "emoji", "dialect", "known_words", "typos"}
_ANSWERS = {"yes", "no", "ok"}
_KINDS = {"whole": 0.99, "phrases": 0.92, "weak": 0.5}
"""Confidence that a match of each kind carries."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One compiled phrase of one intent. ``name`` stands in explanations; ``guards`` void a match they overlap."""

    name: str
    intent: Intent
    kind: str
    confidence: float
    phrase: Compiled
    guards: tuple[Compiled, ...]


@dataclass(frozen=True, slots=True)
class Language:
    """Everything one file says."""

    code: str
    rules: tuple[Rule, ...]
    answers: Mapping[str, frozenset[str]]
    channels: tuple[tuple[Compiled, tuple[str, ...]], ...]
    fillers: frozenset[str]
    emoji: Mapping[str, str]
    dialect: Mapping[str, str]
    known_words: frozenset[str]
    typos: Mapping[str, str]


def load_language(path: Path) -> Language:
    """Read one file of rules. Raises ConfigError with everything that is wrong with it."""
    located = load_located(path)
    if located.data is None:
        raise ConfigError(located.problems)
    return _Linter(located).language()


@lru_cache(maxsize=4)
def load_languages(directory: Path = CONFIG) -> tuple[Language, ...]:
    """Read every shipped language. Raises ConfigError with the problems of all files together."""
    problems: list[Problem] = []
    languages: list[Language] = []
    for code in LANGUAGES:
        try:
            languages.append(load_language(directory / f"{code}.yaml"))
        except ConfigError as error:
            problems.extend(error.problems)
    if problems:
        raise ConfigError(problems)
    return tuple(languages)


def load_traditional(directory: Path = CONFIG) -> dict[int, str]:
    """Read traditional.txt: a traditional character and its simplified one. Raises ConfigError with line and pair."""
    path = directory / "traditional.txt"
    table: dict[int, str] = {}
    problems: list[Problem] = []
    for place, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        for pair in () if line.startswith("#") else line.split():
            if len(pair) == 2:
                table[ord(pair[0])] = pair[1]
            else:
                wanted = "must be two characters, traditional then simplified"
                problems.append(Problem(str(path), place, 1, "", f"{pair!r} {wanted}"))
    if problems:
        raise ConfigError(problems)
    return table


class _Linter:
    """Checks shape and compiles on one pass, gathering problems instead of stopping at the first."""

    def __init__(self, located: Located) -> None:
        self._located = located
        self._problems: list[Problem] = list(located.problems)
        self._sets: dict[str, str] = {}

    def language(self) -> Language:
        data = self._mapping((), self._located.data, _TOP)
        self._sets = {name: " | ".join(self._texts(("sets", name), words)) for name, words in self._named(data, "sets")}
        normalise = self._mapping(("normalise",), data.get("normalise", {}), _NORMALISE)
        answers = self._mapping(("answers",), data.get("answers", {}), _ANSWERS)
        rules = [
            rule
            for name, body in self._named(data, "intents")
            for rule in self._intent(name, body, str(data.get("language")))
        ]
        channels = [entry for name, body in self._named(data, "channels") for entry in self._channel(name, body)]
        language = Language(
            code=self._code(data),
            rules=tuple(rules),
            answers={name: self._folded(("answers", name), body) for name, body in answers.items()},
            channels=tuple(channels),
            fillers=self._folded(("normalise", "fillers"), normalise.get("fillers", [])),
            emoji=self._pairs(("normalise", "emoji"), normalise.get("emoji", {})),
            dialect=self._pairs(("normalise", "dialect"), normalise.get("dialect", {})),
            known_words=self._folded(("normalise", "known_words"), normalise.get("known_words", [])),
            typos=self._pairs(("normalise", "typos"), normalise.get("typos", {})),
        )
        if self._problems:
            raise ConfigError(self._problems)
        return language

    def _complain(self, where: tuple[str | int, ...], text: str) -> None:
        self._problems.append(self._located.problem(where, text))

    def _mapping(self, where: tuple[str | int, ...], value: Any, allowed: Iterable[str]) -> dict[str, Any]:  # noqa: ANN401
        """Return ``value`` if it is a mapping with allowed keys only; say what is wrong otherwise."""
        if not isinstance(value, dict):
            self._complain(where, "must be a mapping")
            return {}
        for key in value.keys() - set(allowed):
            self._complain((*where, key), f"unknown key; allowed are {', '.join(sorted(allowed))}")
        return value

    def _named(self, data: Mapping[str, Any], section: str) -> list[tuple[str, Any]]:
        body = data.get(section, {})
        if isinstance(body, dict):
            return list(body.items())
        self._complain((section,), "must be a mapping")
        return []

    def _texts(self, where: tuple[str | int, ...], value: Any) -> list[str]:  # noqa: ANN401
        if not isinstance(value, list):
            self._complain(where, "must be a list of texts")
            return []
        return [str(item) for item in value]

    def _pairs(self, where: tuple[str | int, ...], value: Any) -> dict[str, str]:  # noqa: ANN401
        if not isinstance(value, dict):
            self._complain(where, "must be a mapping from text to text")
            return {}
        return {str(key): str(item) for key, item in value.items()}

    def _folded(self, where: tuple[str | int, ...], value: Any) -> frozenset[str]:  # noqa: ANN401
        return frozenset(" ".join(tokenise(text.casefold())) for text in self._texts(where, value))

    def _code(self, data: Mapping[str, Any]) -> str:
        code = str(data.get("language", ""))
        if code not in LANGUAGES:
            self._complain(("language",), f"must be one of {', '.join(LANGUAGES)}")
        return code

    def _intent(self, name: str, body: Any, code: str) -> list[Rule]:  # noqa: ANN401
        where = ("intents", name)
        if name not in set(Intent):
            self._complain(where, f"unknown intent; allowed are {', '.join(Intent)}")
            return []
        parts = self._mapping(where, body, {*_KINDS, "not"})
        guards = tuple(phrase for _, phrase in self._phrases((*where, "not"), parts.get("not", [])))
        return [
            Rule(f"{code}.{name}.{kind}[{place}]", Intent(name), kind, confidence, phrase, guards)
            for kind, confidence in _KINDS.items()
            for place, phrase in self._phrases((*where, kind), parts.get(kind, []))
        ]

    def _channel(self, name: str, body: Any) -> list[tuple[Compiled, tuple[str, ...]]]:  # noqa: ANN401
        if name not in ("sms", "email", "call", "all", "instead"):
            self._complain(("channels", name), "unknown channel; allowed are sms, email, call, all, instead")
            return []
        covered = {"call": ("voice", "ivr"), "all": ALL_CHANNELS, "instead": ()}.get(name, (name,))
        return [(phrase, covered) for _, phrase in self._phrases(("channels", name), body)]

    def _phrases(self, where: tuple[str | int, ...], value: Any) -> list[tuple[int, Compiled]]:  # noqa: ANN401
        compiled: list[tuple[int, Compiled]] = []
        for place, text in enumerate(self._texts(where, value)):
            try:
                compiled.append((place, compile_phrase(text, self._sets)))
            except PhraseError as error:
                self._complain((*where, place), str(error))
        return compiled
