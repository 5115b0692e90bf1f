"""Every language's rules in one index: which phrases of which intents occur in a text, guards respected."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from outreach.replies.normalise import Folding, Speller, tokenise
from outreach.replies.phrases import Compiled
from outreach.replies.reading import ALL_CHANNELS, Intent
from outreach.replies.rules import CONFIG, Language, Rule, load_languages, load_traditional

_MARKS = frozenset(".,?#")
_CLAUSES = re.compile(r" [.,?](?= )")
_LEADS = frozenset({"wait", "hold on", "hold up", "actually", "espera", "espere", "a ver", "oh", "um", "uh"})
"""What an answer may begin with that is none."""

_LONGEST_ANSWER = 9
"""Words of an answer that is put together from several."""


@dataclass(frozen=True, slots=True)
class Words:
    """One reply, cut up. ``padded`` is ``" stop texting me "``; ``whole`` lacks clause marks, ``core`` courtesy too."""

    cleaned: str
    padded: str
    core: str
    whole: str
    vocabulary: frozenset[str]
    mended: bool


@dataclass(frozen=True, slots=True)
class Found:
    """One rule that matched."""

    intent: Intent
    confidence: float
    name: str


@dataclass(frozen=True, slots=True)
class _Anchored:
    """Places of phrases in a list, by the words a phrase cannot do without: a text meets only those it could hold."""

    by_word: Mapping[str, tuple[int, ...]]
    always: tuple[int, ...]
    needs: Mapping[int, tuple[frozenset[str], ...]]

    @classmethod
    def of(cls, phrases: Iterable[tuple[int, Compiled]]) -> "_Anchored":
        """Index ``phrases``, each with its place."""
        by_word: dict[str, list[int]] = {}
        always: list[int] = []
        needs: dict[int, tuple[frozenset[str], ...]] = {}
        for place, phrase in phrases:
            for anchor in phrase.anchors:
                by_word.setdefault(anchor, []).append(place)
            if not phrase.anchors:
                always.append(place)
            needs[place] = phrase.needs
        return cls({word: tuple(places) for word, places in by_word.items()}, tuple(always), needs)

    def places(self, vocabulary: frozenset[str]) -> list[int]:
        """Return the places of the phrases that a text of these words could hold, in order."""
        met = set(self.always)
        for places in filter(None, map(self.by_word.get, vocabulary)):
            met.update(places)
        return [place for place in sorted(met) if not any(map(vocabulary.isdisjoint, self.needs[place]))]


@dataclass(frozen=True, slots=True)
class Lexicon:
    """All languages, indexed by the words a phrase cannot do without; whole replies without choices by wording."""

    anchored: _Anchored
    exact: Mapping[str, tuple[int, ...]]
    rules: tuple[Rule, ...]
    guards: Mapping[Intent, tuple[Compiled, ...]]
    guarded: Mapping[Intent, _Anchored]
    answers: Mapping[str, frozenset[str]]
    answer_words: Mapping[str, frozenset[str]]
    channels: tuple[tuple[Compiled, tuple[str, ...]], ...]
    named: _Anchored
    fillers: frozenset[str]
    longest_filler: int
    folding: Folding
    typos: dict[str, str]
    speller: Speller

    def words(self, text: str) -> Words:
        """Cut ``text`` up: fold, mend typos, drop courtesy."""
        cleaned = self.folding.clean(text)
        tokens: list[str] = []
        mended = False
        for token in tokenise(cleaned):
            known = self.typos.get(token)
            word = known or self.speller.mend(token)
            mended = mended or word != token
            tokens.extend(word.split())
        padded = f" {' '.join(tokens)} "
        bare = [token for token in tokens if token not in _MARKS]
        return Words(cleaned, padded, self._core(bare), " ".join(bare), frozenset(tokens), mended)

    def _core(self, tokens: list[str]) -> str:
        """Drop courtesy at both ends, unless nothing else would remain."""
        left = tokens
        while left:
            shorter = self._trim(left)
            if shorter is left:
                break
            left = shorter
        return " ".join(left or tokens)

    def _trim(self, tokens: list[str]) -> list[str]:
        for size in range(min(self.longest_filler, len(tokens)), 0, -1):
            if " ".join(tokens[:size]) in self.fillers:
                return tokens[size:]
            if " ".join(tokens[-size:]) in self.fillers:
                return tokens[:-size]
        return tokens

    def matches(self, words: Words) -> list[Found]:
        """Return every rule that matches and that no guard voids, in the order of the files."""
        exact = {*self.exact.get(words.core, ()), *self.exact.get(words.whole, ())}
        voided: dict[Intent, list[tuple[int, int]]] = {}
        holding = [
            place for place in self.anchored.places(words.vocabulary) if self._holds(self.rules[place], words, voided)
        ]
        held = (self.rules[place] for place in (sorted({*holding, *exact}) if exact else holding))
        return [Found(rule.intent, rule.confidence, rule.name) for rule in held]

    def excuses(self, intent: Intent, words: Words) -> bool:
        """Say whether words occur that a guard of ``intent`` knows to mean something else ("bus stop")."""
        return next(self._guarded(intent, words), None) is not None

    def _holds(self, rule: Rule, words: Words, voided: dict[Intent, list[tuple[int, int]]]) -> bool:
        pattern = rule.phrase.pattern
        if rule.kind == "whole":
            return any(
                pattern.fullmatch(f" {said} ", 0, len(said) + 1) is not None for said in {words.core, words.whole}
            )
        spans = [match.span() for match in pattern.finditer(words.padded)]
        if not spans:
            return False
        if rule.intent not in voided:
            voided[rule.intent] = [match.span() for match in self._guarded(rule.intent, words)]
        return any(not any(start < to and since < end for since, to in voided[rule.intent]) for start, end in spans)

    def _guarded(self, intent: Intent, words: Words) -> Iterator[re.Match[str]]:
        guards = self.guards[intent]
        for place in self.guarded[intent].places(words.vocabulary):
            yield from guards[place].pattern.finditer(words.padded)

    def is_answer(self, kind: str, words: Words) -> bool:
        """Say whether the reply is nothing but a ``yes``, ``no`` or ``ok``."""
        if " ?" in words.padded:
            return False
        known = self.answers[kind]
        return words.core in known or words.whole in known or self._composed(kind, words.core.split())

    def _composed(self, kind: str, tokens: list[str]) -> bool:
        """Say whether short answers of one kind follow one another: "hold on, not yet", "yes, that is correct"."""
        known = self.answers[kind]
        if not 2 <= len(tokens) <= _LONGEST_ANSWER or not self.answer_words[kind].issuperset(tokens):
            return False
        reached: dict[int, bool] = {0: False}  # how far, and whether an answer was among it
        for start in range(len(tokens)):
            for end in range(start + 1, len(tokens) + 1) if start in reached else ():
                said = " ".join(tokens[start:end])
                if said in known:
                    reached[end] = True
                elif said in self.fillers or said in _LEADS or (kind == "yes" and said in self.answers["ok"]):
                    reached[end] = reached.get(end, False) or reached[start]
        return reached.get(len(tokens), False)

    def opens_with(self, kind: str, words: Words) -> bool:
        """Say whether the reply's first clause is nothing but such an answer: "yes, and thanks for your patience"."""
        clauses = (clause.strip(" #") for clause in _CLAUSES.split(words.padded))
        first = next((clause for clause in clauses if clause and clause not in _LEADS), "")
        return first in self.answers[kind]

    def named_channels(self, words: Words) -> tuple[str, ...]:
        """Return the channels a refusal names: none when it names none, all when it names both texts and calls.

        A channel the borrower would rather have ("email me instead") limits nothing.
        """
        found = [
            (match.span(), covered)
            for phrase, covered in (self.channels[place] for place in self.named.places(words.vocabulary))
            for match in phrase.pattern.finditer(words.padded)
        ]
        rather = [span for span, covered in found if not covered]
        named = {
            name
            for (start, end), covered in found
            if not any(start < to and since < end for since, to in rather)
            for name in covered
        }
        if {"sms", "voice"} <= named:
            return ALL_CHANNELS
        return tuple(channel for channel in ALL_CHANNELS if channel in named)


def _is_exact(rule: Rule) -> bool:
    return rule.kind == "whole" and rule.phrase.exact is not None


def _guarded(rules: list[Rule]) -> tuple[Rule, ...]:
    """Give every rule the guards of its intent in all languages: people mix them ("bus stop" in a Spanish text)."""
    guards: dict[Intent, dict[str, Compiled]] = {}
    for rule in rules:
        guards.setdefault(rule.intent, {}).update({guard.source: guard for guard in rule.guards})
    return tuple(replace(rule, guards=tuple(guards[rule.intent].values())) for rule in rules)


@lru_cache(maxsize=4)
def load_lexicon(directory: Path = CONFIG) -> Lexicon:
    """Load and index every language. Raises ConfigError with all problems of the files."""
    return _index(load_languages(directory), load_traditional(directory))


def _index(languages: Iterable[Language], traditional: Mapping[int, str]) -> Lexicon:
    languages = tuple(languages)
    rules = _guarded([rule for language in languages for rule in language.rules])
    exact: dict[str, list[int]] = {}
    for place, rule in enumerate(rules):
        if _is_exact(rule) and rule.phrase.exact is not None:
            exact.setdefault(rule.phrase.exact, []).append(place)
    guards = {rule.intent: rule.guards for rule in rules}
    channels = tuple(entry for language in languages for entry in language.channels)
    wanted = frozenset(word for rule in rules for word in rule.phrase.words if rule.kind != "weak")
    fillers = frozenset(filler for language in languages for filler in language.fillers)
    answers = {
        kind: frozenset(word for language in languages for word in language.answers.get(kind, ()))
        for kind in ("yes", "no", "ok")
    }
    said = (word for short in answers.values() for answer in short for word in answer.split())
    known = frozenset([*said, *(word for language in languages for word in language.known_words)])
    return Lexicon(
        anchored=_Anchored.of((place, rule.phrase) for place, rule in enumerate(rules) if not _is_exact(rule)),
        exact={wording: tuple(places) for wording, places in exact.items()},
        rules=rules,
        guards=guards,
        guarded={intent: _Anchored.of(enumerate(phrases)) for intent, phrases in guards.items()},
        answers=answers,
        answer_words={
            kind: frozenset(word for said in {*known, *fillers, *_LEADS, *answers["ok"]} for word in said.split())
            for kind, known in answers.items()
        },
        channels=channels,
        named=_Anchored.of((place, phrase) for place, (phrase, _) in enumerate(channels)),
        fillers=fillers,
        longest_filler=max((len(filler.split()) for filler in fillers), default=0),
        folding=Folding(
            emoji={sign: word for language in languages for sign, word in language.emoji.items()},
            dialect={word: said for language in languages for word, said in language.dialect.items()},
            traditional=traditional,
        ),
        typos={word: fixed for language in languages for word, fixed in language.typos.items()},
        speller=Speller(wanted, known),
    )
