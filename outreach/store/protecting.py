"""Protection in the store: missing news, surges, outages, contact points that stay silent, and the hygiene report."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from outreach.domain.protection import Run, Tally
from outreach.store.base import Queries, Row


class Protecting(Queries):
    """Every read looks at a bounded number of the latest attempts, over an index."""

    async def watch_page(self, channel: str, since: datetime, until: datetime, limit: int) -> list[Row]:
        """Take the watch of a channel and return what to look at next: (attempt, settled at, whether it waits).

        A channel that was never watched begins at ``since``. Nothing when another process holds its watch.
        """
        await self._run("protection", "begin_watch", channel=channel, since=since)
        return await self._rows("protection", "watch_page", channel=channel, until=until, limit=limit)

    async def move_watch(self, channel: str, seen_until: datetime, seen_id: UUID) -> None:
        """Remember how far the watch has come."""
        await self._run("protection", "move_watch", channel=channel, seen_until=seen_until, seen_id=seen_id)

    async def mark_overdue(self, attempts: Sequence[UUID], at: datetime, real: datetime) -> list[Row]:
        """Mark attempts whose news never came; returns (attempt, touch, case, contact point, channel) of each."""
        return await self._rows("protection", "mark_overdue", attempts=list(attempts), at=at, real=real)

    async def news_tallies(self, rows: Sequence[dict[str, Any]], sample: int) -> list[Row]:
        """Return (what, channel, taken, still without news) of each stretch asked for."""
        return await self._bulk("protection", "news_tallies", rows, sample=sample)

    async def closed_since(self, since: datetime) -> dict[tuple[str, str], datetime]:
        """Return when alerts of each kind and subject were last closed."""
        return {(row[0], row[1]): row[2] for row in await self._rows("protection", "closed_since", since=since)}

    async def lane_tallies(self, channels: Iterable[str], since: datetime, at: datetime, sample: int) -> list[Tally]:
        """Return how the latest attempts of each lane ended, by campaign."""
        rows = await self._rows(
            "protection", "lane_tallies", channels=list(channels), since=since, at=at, sample=sample
        )
        return [Tally(*row) for row in rows]

    async def refusal_tallies(self, rows: Sequence[dict[str, Any]], at: datetime, sample: int) -> list[Row]:
        """Return (channel, ended, refused on the borrower's side) of the latest attempts of each lane."""
        return await self._bulk("protection", "refusal_tallies", rows, at=at, sample=sample)

    async def paused_before(self, names: Iterable[str], since: datetime) -> dict[str, int]:
        """Return how often the system has paused each ``scope:key`` since."""
        rows = await self._rows("protection", "paused_before", names=list(names), since=since)
        return {row[0]: row[1] for row in rows}

    async def outages(self, at: datetime) -> set[str]:
        """Return the channels that the system itself has paused."""
        return {row[0] for row in await self._rows("protection", "outages", at=at)}

    async def claim_reconsidered(self, at: datetime, limit: int) -> int:
        """Put back to planned what an outage holds and another channel may carry by now; returns how many."""
        return len(await self._rows("protection", "claim_reconsidered", at=at, limit=limit))

    async def worn_points(self, points: Iterable[UUID], channels: Iterable[str]) -> list[Run]:
        """Return what has gone to contact points in use since something last arrived there."""
        rows = await self._rows("protection", "worn_points", points=list(points), channels=list(channels))
        return [Run(*row) for row in rows]

    async def promote_reached(self, attempts: Iterable[UUID], reasons: Iterable[str], at: datetime) -> list[Row]:
        """Put contact points back into use at which attempts arrived; returns (contact point, case)."""
        return await self._rows(
            "protection", "promote_reached", attempts=list(attempts), reasons=list(reasons), at=at
        )  # fmt: skip

    async def promote_heard(self, point: UUID, reasons: Iterable[str], at: datetime) -> bool:
        """Put a contact point back into use from which its owner wrote; False when it was in use, or is not theirs."""
        row = await self._row("protection", "promote_heard", point=point, reasons=list(reasons), at=at)
        return row is not None

    async def overdue_count(self, channels: Iterable[str], since: datetime) -> dict[str, int]:
        """Return per channel how many attempts of late have had no final news."""
        rows = await self._rows("protection", "overdue_count", channels=list(channels), since=since)
        return {row[0]: row[1] for row in rows}

    async def points_by_state(self) -> list[Row]:
        """Return (kind, type, state, reason, contact points)."""
        return await self._rows("protection", "points_by_state")

    async def delivery_shares(self, channels: Iterable[str], since: datetime, at: datetime) -> list[Row]:
        """Return what became of what ended since.

        (channel, country, sender, ended, delivered, not delivered, without news, unknown, no address or opted out)
        """
        return await self._rows("protection", "delivery_shares", channels=list(channels), since=since, at=at)
