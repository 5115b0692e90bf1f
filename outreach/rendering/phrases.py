"""Phrases looked for in words that were made alike first: case, width, accents and invisible characters hide nothing.

A phrase is written as people read it: words with spaces between them; ``arrest*`` for every word that begins so;
``court/courts`` for one word or the other; ``...`` for up to three words (six characters where words are not parted)
inside one sentence. Punctuation and apostrophes do not count.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

_CJK = "\u3400-\u9fff"
_APOSTROPHES = re.compile("['\u2018\u2019\u02bc`]")
_ENDS = re.compile(r"[.!?;:\n\u3002\u2026]+")
_APART = re.compile(r"[^\w|]+|_+")
_SPACED_CJK = re.compile(rf"(?<=[{_CJK}]) (?=[{_CJK}])")
_STARTS = re.compile(rf"[a-z0-9]+|[{_CJK}]")
_WORD = re.compile(r"[a-z0-9]+\*?")
_LEAST_PREFIX = 3
_SENTENCES = 2048
"""How many sentences a book, and lines a process, are remembered."""


@lru_cache(maxsize=_SENTENCES)
def normal(text: str) -> str:
    """Return ``text`` as phrases are compared: full-width folded, case folded, no accents, words one space apart.

    ``|`` stands where a sentence ends. Chinese characters stand together however they were spaced.
    """
    plain = text.lower() if text.isascii() else _folded(text)
    plain = _APART.sub(" ", _ENDS.sub(" | ", _APOSTROPHES.sub("", plain))).strip()
    return plain if plain.isascii() else _SPACED_CJK.sub("", plain)


def _folded(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text).casefold()
    return "".join(c for c in decomposed if c.isascii() or unicodedata.category(c) not in {"Mn", "Cf"})


@dataclass(frozen=True, slots=True)
class Phrase:
    """One phrase of one family. ``id`` names it: its language and the phrase as it is written in the data."""

    family: str
    id: str
    pattern: re.Pattern[str]
    keys: frozenset[str]


class Found(NamedTuple):
    """A phrase that was found: its family, its id, and the words that it was found in, as they compare."""

    family: str
    phrase: str
    words: str


def read_phrase(family: str, language: str, text: str) -> Phrase:
    """Return a phrase ready to look for. Raises ValueError saying what is wrong with how it is written."""
    pieces = text.split("...")
    if not all(piece.strip() for piece in pieces):
        raise ValueError(f"{text!r} begins or ends with ...")
    if re.search(rf"[{_CJK}]", text):
        compact = [normal(piece).replace(" ", "") for piece in pieces]
        return Phrase(family, f"{language}: {text}", _joined(compact, "[^|]{0,6}"), frozenset(compact[0][0]))
    words = [[_alternatives(token, text) for token in piece.split()] for piece in pieces]
    written = [" ".join(_any_of(each) for each in piece) for piece in words]
    keys = frozenset(word.removesuffix("*")[:2] for word in words[0][0])
    return Phrase(family, f"{language}: {text}", _joined(written, "(?: [^| ]+){0,3} ", "(?![a-z0-9])"), keys)


def _alternatives(token: str, text: str) -> list[str]:
    words = [normal(word) + ("*" if word.endswith("*") else "") for word in token.split("/")]
    for word in words:
        if not _WORD.fullmatch(word):
            raise ValueError(f"{text!r} holds {token!r}, which is no word")
        if word.endswith("*") and len(word) <= _LEAST_PREFIX:
            raise ValueError(f"{text!r}: the beginning before * needs {_LEAST_PREFIX} letters")
    return words


def _any_of(words: list[str]) -> str:
    written = "|".join(word.replace("*", "[a-z0-9]*") for word in words)
    return f"(?:{written})"


def _joined(pieces: list[str], gap: str, end: str = "") -> re.Pattern[str]:
    return re.compile(gap.join(pieces) + end)


class PhraseBook:
    """Phrases of one or several languages, found by how they begin: the cost grows with the text, not the book."""

    def __init__(self, phrases: Iterable[Phrase]) -> None:
        # No phrase goes on past the end of a sentence, and what is written to people repeats most of its sentences.
        self._in_sentence = lru_cache(maxsize=_SENTENCES)(self._search)
        self._by_start: dict[str, list[Phrase]] = {}
        for phrase in phrases:
            for key in phrase.keys:
                self._by_start.setdefault(key, []).append(phrase)

    def find(self, text: str) -> tuple[Found, ...]:
        """Return every phrase that stands in ``text``, each once, in the order they stand."""
        found: dict[str, Found] = {}
        for line in text.split("\n"):
            for sentence in normal(line).split("|"):
                for one in self._in_sentence(sentence):
                    found[one.phrase] = one
        return tuple(found.values())

    def _search(self, sentence: str) -> tuple[Found, ...]:
        return tuple(
            Found(phrase.family, phrase.id, match[0])
            for start in _STARTS.finditer(sentence)
            for phrase in self._by_start.get(start[0][:2], ())
            if (match := phrase.pattern.match(sentence, start.start()))
        )
