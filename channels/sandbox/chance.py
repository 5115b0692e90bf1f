"""Reproducible chance: the same seed and the same words always draw the same number."""

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import TypeVar

T = TypeVar("T")
_SPAN = float(1 << 64)


def draw(*words: object) -> float:
    """Return a number from 0 up to but not including 1 that depends only on ``words``."""
    digest = blake2b("|".join(map(str, words)).encode(), digest_size=8).digest()
    return int.from_bytes(digest) / _SPAN


def choose(options: Sequence[T], *words: object) -> T:
    """Return one of ``options``, each as likely as the others."""
    return options[int(draw(*words) * len(options))]


def weigh(weights: Mapping[str, float], *words: object) -> str:
    """Return one of the names, each as likely as its weight beside the sum of all."""
    mark = draw(*words) * sum(weights.values())
    for name, weight in weights.items():
        mark -= weight
        if mark < 0:
            return name
    return list(weights)[-1]
