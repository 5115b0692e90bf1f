"""From raw words to comparable tokens: width, case, accents, emoji, spelled-out letters, typos."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from rapidfuzz.distance import OSA

LIMIT = 4000
"""Characters of a reply that are read. What a person wants is said long before."""

CJK = "\u3400-\u9fff\uf900-\ufaff"
_HAS_CJK = re.compile(f"[{CJK}]")
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufe00-\ufe0f\ufeff\U0001f3fb-\U0001f3ff]"
)
_SPELLED = re.compile(r"(?<![a-z0-9'])[a-z](?:[\s.\-_*]{1,2}[a-z]){2,}(?![a-z0-9'])")
_STRETCHED = re.compile(r"([a-z])\1{2,}")
_CLAUSE = re.compile(r"[!！;；:：。…]+|\.(?!\d)|\n+")
_STACCATO = re.compile(r"\s*(?:[^\W\d_]+['\u2019]?[^\W\d_]*[.!…]+\s*){3,}\Z")
_TOKEN = re.compile(rf"[{CJK}]|[a-z0-9_]+|[.?,#]")
_LEET = str.maketrans("013457$@", "oleasts" + "a")


@dataclass(frozen=True, slots=True)
class Folding:
    """What writing is folded to before rules see it: signs to words, dialect words and traditional characters."""

    emoji: Mapping[str, str]
    dialect: Mapping[str, str]
    traditional: Mapping[int, str]
    _signs: re.Pattern[str] | None = field(init=False, repr=False)
    _words: re.Pattern[str] | None = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_signs", _any_of(self.emoji))
        object.__setattr__(self, "_words", _any_of(self.dialect))

    def clean(self, text: str) -> str:
        """Fold width, case, invisible characters, emoji, dialect and traditional characters.

        Digits, symbols and accents stay.
        """
        if text.isascii():
            return text.casefold()
        if self._signs:
            text = self._signs.sub(lambda sign: f" {self.emoji[sign[0]]} ", text)
        folded = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text)).casefold()
        if not _HAS_CJK.search(folded):
            return folded
        if self._words:
            folded = self._words.sub(lambda word: self.dialect[word[0]], folded)
        return folded.translate(self.traditional)


def _any_of(words: Iterable[str]) -> re.Pattern[str] | None:
    """Return a pattern that finds any of ``words``, the longest first."""
    listed = sorted(words, key=len, reverse=True)
    return re.compile("|".join(re.escape(word) for word in listed)) if listed else None


def tokenise(cleaned: str) -> list[str]:
    """Cut cleaned text into words, single Chinese characters and the clause marks ``.`` ``,`` ``?`` ``#``.

    Accents go, apostrophes close up (``don't`` -> ``dont``), letters spelled apart join, stretched words shrink; a
    full stop after each word ("Leave. Me. Alone.") parts nothing.
    """
    text = unaccented(cleaned)
    text = text.replace("'", "").replace("\u2019", "").replace("`", "").replace("\u2018", "").replace("\u00b4", "")
    text = _SPELLED.sub(lambda found: re.sub(r"[^a-z]", "", found[0]), text)
    text = _STRETCHED.sub(r"\1\1", text)
    text = _CLAUSE.sub(" " if _STACCATO.match(text) else " . ", text)
    text = text.replace("、", ",").replace("¿", " ").replace("¡", " ")
    return [_unleet(token) for token in _TOKEN.findall(text)]


def unaccented(text: str) -> str:
    """Drop accents: ``mañana`` becomes ``manana``."""
    if text.isascii():
        return text
    return "".join(mark for mark in unicodedata.normalize("NFD", text) if not unicodedata.combining(mark))


_MIXED = re.compile(r"(?=.*[a-z]{2})(?=.*[0-9])[a-z0-9]+\Z")
_ORDINAL = re.compile(r"\d+(?:st|nd|rd|th|k|am|pm|hrs?|days?|wks?|mo|usd|mxn|rmb|cny|eur|gbp|x|er|ra|o|a|pmts?)\Z")


def _unleet(token: str) -> str:
    """Read ``st0p`` as ``stop``; leave ``15th`` and ``40usd`` alone."""
    if token.isalpha() or not _MIXED.match(token) or _ORDINAL.match(token) or token[0].isdigit():
        return token
    return token.translate(_LEET)


class Speller:
    """Mends typos in words that rules care about. ``known`` words are never touched."""

    def __init__(self, wanted: frozenset[str], known: frozenset[str]) -> None:
        self._by_initial: dict[int, list[str]] = {}
        for word in sorted(wanted):
            if len(word) >= 5 and word.isascii():
                self._by_initial.setdefault(len(word), []).append(word)
        self._known = known | wanted
        self.mend = lru_cache(maxsize=20_000)(self._mend)

    def _mend(self, token: str) -> str:
        if len(token) < 5 or not token.isascii() or not token.isalpha() or token in self._known:
            return token
        if token.endswith("in") and f"{token}g" in self._known:
            return f"{token}g"
        best, found = 3, token
        for length in range(len(token) - 2, len(token) + 3):
            for word in self._by_initial.get(length, ()):
                allowed = 2 if len(word) >= 9 else 1
                distance = OSA.distance(token, word, score_cutoff=min(allowed, best))
                if distance <= allowed and distance < best and word[0] == token[0]:
                    best, found = distance, word
        return found
