"""What flows need of the store to protect lanes, borrowers and the people at the numbers."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from outreach.domain.protection import Run, Tally

Row = tuple[Any, ...]


class ProtectionTx(Protocol):
    """The part of a transaction that is about protection. Meanings: outreach.store.protecting."""

    async def watch_page(self, channel: str, since: datetime, until: datetime, limit: int) -> list[Row]:
        """Take the watch of a channel and return what to look at next: (attempt, settled at, whether it waits)."""
        ...

    async def move_watch(self, channel: str, seen_until: datetime, seen_id: UUID) -> None:
        """Remember how far the watch has come."""
        ...

    async def mark_overdue(self, attempts: Sequence[UUID], at: datetime, real: datetime) -> list[Row]:
        """Mark attempts whose news never came; returns (attempt, touch, case, contact point, channel) of each."""
        ...

    async def news_tallies(self, rows: Sequence[dict[str, Any]], sample: int) -> list[Row]:
        """Return (what, channel, taken, still without news) of each stretch asked for."""
        ...

    async def closed_since(self, since: datetime) -> dict[tuple[str, str], datetime]:
        """Return when alerts of each kind and subject were last closed."""
        ...

    async def lane_tallies(self, channels: Iterable[str], since: datetime, at: datetime, sample: int) -> list[Tally]:
        """Return how the latest attempts of each lane ended, by campaign."""
        ...

    async def refusal_tallies(self, rows: Sequence[dict[str, Any]], at: datetime, sample: int) -> list[Row]:
        """Return (channel, ended, refused on the borrower's side) of the latest attempts of each lane."""
        ...

    async def paused_before(self, names: Iterable[str], since: datetime) -> dict[str, int]:
        """Return how often the system has paused each ``scope:key`` since."""
        ...

    async def outages(self, at: datetime) -> set[str]:
        """Return the channels that the system itself has paused."""
        ...

    async def claim_reconsidered(self, at: datetime, limit: int) -> int:
        """Put back to planned what an outage holds and another channel may carry by now; returns how many."""
        ...

    async def worn_points(self, points: Iterable[UUID], channels: Iterable[str]) -> list[Run]:
        """Return what has gone to contact points in use since something last arrived there."""
        ...

    async def promote_reached(self, attempts: Iterable[UUID], reasons: Iterable[str], at: datetime) -> list[Row]:
        """Put contact points back into use at which attempts arrived; returns (contact point, case)."""
        ...

    async def promote_heard(self, point: UUID, reasons: Iterable[str], at: datetime) -> bool:
        """Put a contact point back into use from which its owner wrote; False when it was in use, or is not theirs."""
        ...

    async def overdue_count(self, channels: Iterable[str], since: datetime) -> dict[str, int]:
        """Return per channel how many attempts of late have had no final news."""
        ...

    async def points_by_state(self) -> list[Row]:
        """Return (kind, type, state, reason, contact points)."""
        ...

    async def delivery_shares(self, channels: Iterable[str], since: datetime, at: datetime) -> list[Row]:
        """Return what became of what ended since.

        (channel, country, sender, ended, delivered, not delivered, without news, unknown, no address or opted out)
        """
        ...
