"""Lines in the store: how many calls are in progress, and when each is over."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from outreach.store.base import Queries, Row


class Lines(Queries):
    """Reads and writes about calls in progress."""

    async def lock_line(self, line: str) -> None:
        """Hold a line until the transaction ends: what is counted on it changes for nobody else meanwhile."""
        await self._run("line", "lock_line", line=line)

    async def calls_in_progress(self, channels: Sequence[str], since: datetime) -> dict[str, int]:
        """Return per channel the calls begun after ``since`` of which no final news came."""
        rows = await self._rows("line", "calls_in_progress", channels=list(channels), since=since)
        return {row[0]: row[1] for row in rows}

    async def end_calls(self, attempts: Sequence[UUID], at: datetime) -> None:
        """Say that calls are over; one that is known to be stays as it is."""
        self._write("line", "end_calls", attempts=list(attempts), at=at)

    async def let_go_of_calls(self, channels: Sequence[str], before: datetime, at: datetime, limit: int) -> list[Row]:
        """End calls begun before an instant; returns (attempt, case, channel) of those that had left."""
        rows = await self._rows("line", "let_go_of_calls", channels=list(channels), before=before, at=at, limit=limit)
        return [row[:3] for row in rows if row[3] in {"accepted", "unknown"}]
