"""The statistical reader: a small linear model over words and letters whose vote backs the rules up. Pure Python."""

import gzip
import itertools
import math
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path

import orjson

from outreach.domain.located_yaml import ConfigError, load_located
from outreach.replies.normalise import tokenise
from outreach.replies.reading import Awaiting, Intent

WEIGHTS = Path(__file__).resolve().parents[2] / "config" / "intents" / "weights.json.gz"
CONCEPTS = WEIGHTS.with_name("concepts.yaml")
_LONGEST = 60
"""Words of a reply that are looked at; what a person wants is said early."""


_MARKS = frozenset(".,#")


@dataclass(frozen=True, slots=True)
class Vote:
    """What the model makes of one reply: a share for each intent it knows, together 1, and the concepts it saw."""

    shares: Mapping[Intent, float]
    concepts: frozenset[str] = frozenset()

    @property
    def winner(self) -> tuple[Intent, float]:
        """The likeliest intent and its share."""
        return max(self.shares.items(), key=lambda item: item[1])

    def share(self, intent: Intent) -> float:
        """Return the share of one intent, 0 when the model never saw it."""
        return self.shares.get(intent, 0.0)

    def without(self, intent: Intent) -> "Vote":
        """Return the vote among the other intents, their shares together 1."""
        rest = {each: share for each, share in self.shares.items() if each is not intent}
        whole = sum(rest.values()) or 1.0
        return Vote({each: share / whole for each, share in rest.items()}, self.concepts)


@dataclass(frozen=True, slots=True)
class Voter:
    """Weights as stored. ``trained_on`` is the fingerprint of the labelled replies they were made from.

    The weights of a word stand side by side in one whole number, ``_LANE`` bits for each intent, in steps of ``step``:
    adding the numbers of all words adds up every intent at once.
    """

    trained_on: str
    intents: tuple[Intent, ...]
    weights: Mapping[str, int]
    bias: tuple[float, ...]
    step: float
    concepts: "Concepts"

    def vote(self, padded: str, asked: Awaiting | None = None) -> Vote:
        """Weigh one reply, cut up as ``Words.padded``. ``asked``: the question that is open, if one is."""
        looked_at, named = _looked_at(padded, self.concepts, asked)
        seen = [known for known in map(self.weights.get, looked_at) if known is not None]
        scale = self.step / math.sqrt(len(seen)) if seen else 0.0
        sums = _unpacked(sum(seen), len(self.bias))
        totals = [bias + steps * scale for bias, steps in zip(self.bias, sums, strict=True)]
        return Vote(dict(zip(self.intents, softmax(totals), strict=True)), frozenset(named))


_LANE = 32
_MIDDLE = 1 << (_LANE - 1)


def packed(steps: Iterable[tuple[int, int]]) -> int:
    """Put whole numbers, each with its place, side by side in one."""
    return sum(step << (_LANE * place) for place, step in steps)


@cache
def _raise(count: int) -> int:
    return packed((place, _MIDDLE) for place in range(count))


def _unpacked(lanes: int, count: int) -> list[int]:
    """Take ``count`` whole numbers apart again; each was raised by half a lane, so that none borrows from the next."""
    raised = lanes + _raise(count)
    return [each - _MIDDLE for each in struct.unpack(f"<{count}I", raised.to_bytes(count * _LANE // 8, "little"))]


def softmax(totals: Iterable[float]) -> list[float]:
    """Return shares that sum to 1, larger for larger totals."""
    totals = list(totals)
    highest = max(totals)
    raised = [math.exp(total - highest) for total in totals]
    whole = sum(raised)
    return [each / whole for each in raised]


def features(padded: str, concepts: "Concepts", asked: Awaiting | None = None) -> set[str]:
    """Return what the model looks at: words, their neighbours, stretches of letters, and concepts in their order.

    While a question is open words and neighbours count once more, as an answer to it: "fine" means little, and a yes.
    """
    return _looked_at(padded, concepts, asked)[0]


def _looked_at(padded: str, concepts: "Concepts", asked: Awaiting | None) -> tuple[set[str], list[str]]:
    words = [_plain(word) for word in padded.split()[:_LONGEST] if word not in _MARKS]
    found = set(words)
    found.update(_neighbours(words))
    if asked is not None:
        found.update([f"{asked}:{each}" for each in found])
    named = concepts.named(words)
    found.update(_pairs(named))
    for word in set(words):
        if word.isascii() and word.isalpha() and len(word) > 3:
            found.update(_letters(word))
    return found, named


def _pairs(named: list[str]) -> Iterator[str]:
    yield from named
    for first, second in itertools.pairwise(named):
        yield first + second
    for first, second in zip(named, named[2:], strict=False):
        yield first + "*" + second


@dataclass(frozen=True, slots=True)
class Concepts:
    """Words that mean much the same. ``whole`` holds words and runs of words, ``beginnings`` how words begin."""

    whole: Mapping[str, str]
    beginnings: Mapping[str, str]
    _openers: frozenset[str] = field(init=False, repr=False)
    _begun: Callable[[str], str | None] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_openers", frozenset(wording.split(" ", 1)[0] for wording in self.whole))
        object.__setattr__(self, "_begun", lru_cache(maxsize=20_000)(self._beginning))

    def named(self, words: list[str]) -> list[str]:
        """Return the concepts of ``words`` in their order, the longest run of words first, each named as ``@name``."""
        found: list[str] = []
        place = 0
        while place < len(words):
            name, size = self._at(words, place)
            if name and (not found or found[-1] != name):
                found.append(name)
            place += size
        return found

    def _at(self, words: list[str], place: int) -> tuple[str | None, int]:
        word = words[place]
        for size in (3, 2, 1) if word in self._openers else ():
            name = self.whole.get(" ".join(words[place : place + size]))
            if name:
                return name, size
        return self._begun(word), 1

    def _beginning(self, word: str) -> str | None:
        for length in range(min(len(word), 9), 2, -1):
            name = self.beginnings.get(word[:length])
            if name:
                return name
        return None


@lru_cache(maxsize=2)
def load_concepts(path: Path = CONCEPTS) -> Concepts:
    """Read concepts.yaml. Raises ConfigError with everything that is wrong with it."""
    located = load_located(path)
    problems = list(located.problems)
    whole: dict[str, str] = {}
    beginnings: dict[str, str] = {}
    for name, listed in (located.data or {}).items() if not problems else ():
        if not isinstance(listed, list):
            problems.append(located.problem((name,), "must be a list of words"))
            continue
        for word in map(str, listed):
            folded = " ".join(tokenise(word.removesuffix("-").casefold()))
            (beginnings if word.endswith("-") else whole).setdefault(folded, f"@{name}")
    if problems:
        raise ConfigError(problems)
    return Concepts(whole, beginnings)


def _plain(word: str) -> str:
    """Let every figure count as the same word: what a borrower owes says nothing about what they want."""
    return "0" if word[0].isdigit() else word


def _neighbours(words: list[str]) -> list[str]:
    edged = ["<", *words, ">"]
    pairs = [f"{first} {second}" for first, second in itertools.pairwise(edged)]
    return pairs + [f"{pair} {third}" for pair, third in zip(pairs, edged[2:], strict=False)]


@lru_cache(maxsize=20_000)
def _letters(word: str) -> tuple[str, ...]:
    edged = f"_{word}_"
    return tuple("'" + edged[start : start + size] for size in (4, 5) for start in range(len(edged) - size + 1))


@lru_cache(maxsize=2)
def load_voter(path: Path = WEIGHTS) -> Voter:
    """Read the shipped weights. Raises OSError or ValueError when the file is missing or damaged."""
    stored = orjson.loads(gzip.decompress(path.read_bytes()))
    scale = stored["scale"]
    return Voter(
        trained_on=stored["trained_on"],
        intents=tuple(Intent(name) for name in stored["intents"]),
        weights={name: packed(zip(pairs[::2], pairs[1::2], strict=True)) for name, pairs in stored["weights"].items()},
        bias=tuple(each * scale for each in stored["bias"]),
        step=scale,
        concepts=load_concepts(),
    )
