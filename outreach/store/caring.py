"""Aftercare in the store: which attempts a provider is asked about once they are over, and what it said."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from outreach.store.base import Queries, Row


class Caring(Queries):
    """Every read is of a bounded number of attempts, over an index."""

    async def aftercare_page(self, channel: str, since: datetime, until: datetime, limit: int) -> list[Row]:
        """Take the watch of a channel and return what ended next: (attempt, settled at, whether it is cared for).

        Nothing when another process holds the watch. It never starts before ``since``.
        """
        self._write("aftercare", "begin_aftercare", channel=channel, since=since)
        return await self._rows("aftercare", "aftercare_page", channel=channel, until=until, limit=limit)

    async def list_aftercare(self, channel: str, attempts: Sequence[UUID], last: Row, at: datetime) -> None:
        """Put attempts on the list and move the watch behind the ``last`` row of its page."""
        if attempts:
            self._write("aftercare", "list_aftercare", attempts=list(attempts), at=at)
        self._write("aftercare", "move_aftercare", channel=channel, seen_until=last[1], seen_id=last[0])

    async def due_aftercare(self, channel: str, now: datetime, limit: int) -> list[Row]:
        """Lock the attempts the provider is to be asked about: (attempt, provider's reference, times asked)."""
        return await self._rows("aftercare", "due_aftercare", channel=channel, now=now, limit=limit)

    async def postpone_aftercare(self, rows: Sequence[dict[str, Any]]) -> None:
        """Say when each is asked about next, should this time bring nothing; None: never."""
        self._put("aftercare", "postpone_aftercare", rows)

    async def record_aftercare(self, rows: Sequence[dict[str, Any]], at: datetime) -> None:
        """Record what the provider said: segments, price, currency, words off, whether that was all."""
        self._put("aftercare", "record_aftercare", rows, at=at)
