"""What flows need of the store about calls in progress."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID


class LineTx(Protocol):
    """The part of a transaction that counts calls in progress. Meanings: outreach.store.lines."""

    async def lock_line(self, line: str) -> None:
        """Hold a line until the transaction ends: what is counted on it changes for nobody else meanwhile."""
        ...

    async def calls_in_progress(self, channels: Sequence[str], since: datetime) -> dict[str, int]:
        """Return per channel the calls begun after ``since`` of which no final news came."""
        ...

    async def end_calls(self, attempts: Sequence[UUID], at: datetime) -> None:
        """Say that calls are over; one that is known to be stays as it is."""
        ...

    async def let_go_of_calls(
        self, channels: Sequence[str], before: datetime, at: datetime, limit: int
    ) -> list[tuple[Any, ...]]:
        """End calls begun before an instant; returns (attempt, case, channel) of those that had left."""
        ...
