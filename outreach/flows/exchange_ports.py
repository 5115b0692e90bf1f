"""What the exchange log needs from a transaction."""

from collections.abc import Sequence
from typing import Any, Protocol
from uuid import UUID


class ExchangeTx(Protocol):
    """The part of a transaction that knows what went over the wire. Meanings: outreach.store.exchanges."""

    async def insert_exchanges(self, rows: Sequence[dict[str, Any]]) -> None:
        """Store exchanges; one that is stored already stays as it is."""
        ...

    async def purge_exchanges(self, before: UUID, limit: int) -> int:
        """Drop exchanges whose time-ordered id is below ``before``; returns how many."""
        ...

    async def attempts_named(self, name: str, case_id: UUID | None) -> list[tuple[Any, ...]]:
        """Return (attempt, touch, channel, state, outcome, started at, reference, token) of what a name stands for."""
        ...

    async def exchanges_of(self, attempts: Sequence[UUID], refs: Sequence[str]) -> list[tuple[Any, ...]]:
        """Return (id, way, at, channel, ref, ended, trips) of attempts, and of callbacks about them, in order."""
        ...
