"""What flows need of the store to look after attempts that are over."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

Row = tuple[Any, ...]


class AftercareTx(Protocol):
    """The part of a transaction that is about aftercare. Meanings: outreach.store.caring."""

    async def aftercare_page(self, channel: str, since: datetime, until: datetime, limit: int) -> list[Row]:
        """Take the watch of a channel and return what ended next: (attempt, settled at, whether it is cared for)."""
        ...

    async def list_aftercare(self, channel: str, attempts: Sequence[UUID], last: Row, at: datetime) -> None:
        """Put attempts on the list and move the watch behind the ``last`` row of its page."""
        ...

    async def due_aftercare(self, channel: str, now: datetime, limit: int) -> list[Row]:
        """Lock the attempts the provider is to be asked about: (attempt, provider's reference, times asked)."""
        ...

    async def postpone_aftercare(self, rows: Sequence[dict[str, Any]]) -> None:
        """Say when each is asked about next, should this time bring nothing; None: never."""
        ...

    async def record_aftercare(self, rows: Sequence[dict[str, Any]], at: datetime) -> None:
        """Record what the provider said: segments, price, currency, words off, whether that was all."""
        ...
