"""Pacing: how fast a lane may hand touches to its provider. The only check that may fail open."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Pace:
    """A sender's limits: touches per second (with a burst), and how many at the same time."""

    per_second: float
    burst: int
    concurrency: int


class NoPacing:
    """No limit but concurrency: for tests and lanes without a configured pace."""

    def __init__(self, concurrency: int = 50) -> None:
        self._concurrency = concurrency

    async def take(self, channel: str, wanted: int) -> int:  # noqa: ARG002 - the port's shape
        """Grant everything."""
        await asyncio.sleep(0)
        return wanted

    def concurrency(self, channel: str) -> int:  # noqa: ARG002 - the port's shape
        """Return how many sends may run at once."""
        return self._concurrency

    def per_second(self, channel: str) -> float | None:  # noqa: ARG002 - the port's shape
        """Return None: as many as come."""
        return None

    async def close(self) -> None:
        """Nothing is open."""


Paces = Mapping[str, Pace]


@dataclass(frozen=True, slots=True)
class Line:
    """Where calls leave: at most ``at_once`` of all ``channels`` in progress, and ``own`` of this one (None: no more).

    A call holds its place until final news of it, or for ``longest``.
    """

    name: str
    channels: tuple[str, ...]
    at_once: int
    longest: timedelta
    own: int | None = None
