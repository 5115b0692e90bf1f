"""Makes the weights of the statistical reader from the labelled replies. Development time only; nothing to install."""

import gzip
import hashlib
import math
import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from channels.email.quoted import words_of
from outreach.replies.matching import load_lexicon
from outreach.replies.reading import Awaiting, Intent
from outreach.replies.voter import features, load_concepts, softmax

_ROUNDS = 8
_STEP = 0.5
_DECAY = 2e-5
_SEEN_AT_LEAST = 2
_STEPS = 127
"""Weights are stored as whole numbers from -127 to 127."""

_KEPT = 3
"""Weights nearer to zero than this many steps are left out of the file."""


@dataclass(frozen=True, slots=True)
class Example:
    """One labelled reply, ready to learn from."""

    found: tuple[str, ...]
    intent: Intent


@dataclass(frozen=True, slots=True)
class Fitted:
    """Weights as learnt: for each word its places among ``intents``, each with a weight."""

    trained_on: str
    intents: tuple[Intent, ...]
    weights: Mapping[str, tuple[tuple[int, float], ...]]
    bias: tuple[float, ...]


_CORPUS = Path("tests/corpus")
_LEARNT_FROM = (
    "replies",
    "replies_mended",
    "replies_second_sight",
    "replies_third_sight",
    "replies_fourth_sight",
    "replies_fifth_sight",
    "replies_sixth_sight",
    "replies_seventh_sight",
)


def learnt_from(corpus: Path = _CORPUS) -> tuple[Path, ...]:
    """Return the files of labelled replies that the shipped weights are made from; never the held-out one."""
    return tuple(corpus / f"{name}.jsonl" for name in _LEARNT_FROM)


def fingerprint(rows: Iterable[Mapping[str, Any]]) -> str:
    """Return a hash of what is learnt from: texts and labels, whatever their order."""
    lines = sorted(orjson.dumps([row["text"], row["expect"].get("intent"), row.get("context")]) for row in rows)
    return hashlib.sha256(b"\n".join(lines)).hexdigest()


def examples(rows: Iterable[Mapping[str, Any]]) -> list[Example]:
    """Turn labelled replies into examples; of several acceptable labels the first counts, without one there is none.

    An answer to an open question teaches what it means to that question, see ``features``.
    """
    lexicon, concepts = load_lexicon(), load_concepts()
    learnt = []
    for row in rows:
        labelled = row["expect"].get("intent")
        intent = labelled[0] if isinstance(labelled, list) else labelled
        if intent:
            words = lexicon.words(words_of(row["text"]))
            awaiting = (row.get("context") or {}).get("awaiting")
            found = features(words.padded, concepts, Awaiting(awaiting) if awaiting else None)
            learnt.append(Example(tuple(sorted(found)), Intent(intent)))
    return learnt


def train(learnt: Sequence[Example], *, trained_on: str = "", seed: int = 7) -> Fitted:
    """Fit a multinomial logistic model by stochastic gradient steps (AdaGrad). Same input, same weights."""
    intents = tuple(sorted({example.intent for example in learnt}))
    return _Fit(learnt, intents, seed).fitted(trained_on)


class _Fit:
    """One training run."""

    def __init__(self, learnt: Sequence[Example], intents: tuple[Intent, ...], seed: int) -> None:
        counts = Counter(name for example in learnt for name in example.found)
        kept = sorted(name for name, seen in counts.items() if seen >= _SEEN_AT_LEAST)
        self._names = {name: place for place, name in enumerate(kept)}
        self._intents = intents
        self._width = len(intents)
        self._weights = [[0.0] * self._width for _ in kept]
        self._squares = [[1e-3] * self._width for _ in kept]
        self._bias = [0.0] * self._width
        places = {intent: place for place, intent in enumerate(intents)}
        self._rows = [
            ([self._names[name] for name in example.found if name in self._names], places[example.intent])
            for example in learnt
        ]
        self._random = random.Random(seed)  # noqa: S311 - shuffling, no secret

    def fitted(self, trained_on: str) -> Fitted:
        for _ in range(_ROUNDS):
            self._random.shuffle(self._rows)
            for found, meant in self._rows:
                self._learn(found, meant)
        return Fitted(
            trained_on=trained_on,
            intents=self._intents,
            weights={name: self._kept(place) for name, place in self._names.items()},
            bias=tuple(self._bias),
        )

    def _kept(self, place: int) -> tuple[tuple[int, float], ...]:
        return tuple((column, weight) for column, weight in enumerate(self._weights[place]) if weight)

    def _learn(self, found: list[int], meant: int) -> None:
        scale = 1.0 / math.sqrt(len(found)) if found else 0.0
        totals = list(self._bias)
        for place in found:
            for column, weight in enumerate(self._weights[place]):
                totals[column] += weight * scale
        for column, share in enumerate(softmax(totals)):
            slope = share - (column == meant)
            if -1e-3 < slope < 1e-3:
                continue
            self._bias[column] -= 0.02 * slope
            change = slope * scale
            for place in found:
                weights, squares = self._weights[place], self._squares[place]
                squares[column] += change * change
                weights[column] -= _STEP * (change / math.sqrt(squares[column]) + _DECAY * weights[column])


def stored(fitted: Fitted) -> bytes:
    """Return the weights file: JSON, compressed, the same bytes for the same weights."""
    largest = max((abs(weight) for known in fitted.weights.values() for _, weight in known), default=1.0)
    scale = largest / _STEPS
    weights = {}
    for name, known in sorted(fitted.weights.items()):
        steps = [(column, round(weight / scale)) for column, weight in known]
        flat = [part for column, step in steps if abs(step) >= _KEPT for part in (column, step)]
        if flat:
            weights[name] = flat
    document = {
        "trained_on": fitted.trained_on,
        "intents": [intent.value for intent in fitted.intents],
        "scale": scale,
        "bias": [round(each / scale, 2) for each in fitted.bias],
        "weights": weights,
    }
    return gzip.compress(orjson.dumps(document), 9, mtime=0)
