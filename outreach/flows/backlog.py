"""Backpressure: steps of campaigns become touches no faster than their lane can take them."""

import math
from datetime import datetime, timedelta
from uuid import UUID

from outreach.domain.words import Channel
from outreach.flows.house import House
from outreach.flows.ports import Tx

BACKLOG_SECONDS = 60.0
"""How much due bulk, at the sender's pace, may wait for a lane in the store before campaigns slow down."""

SOONEST = timedelta(seconds=30)
"""How soon a step that a long lane held back is looked at again."""

CROWD = 20_000
"""How many due steps are counted at most: beyond that a crowd is spread as if it were this large."""


class Backlog:
    """How much more due bulk may be made for each lane that has a pace, and when the rest has its turn."""

    def __init__(self, rates: dict[str, float], left: dict[str, int], crowd: int) -> None:
        self._rates, self._left, self._crowd = rates, left, crowd

    @classmethod
    async def look(cls, house: House, tx: Tx, now: datetime, claimed: int, *, more: bool) -> "Backlog":
        """Count what waits for each lane. ``more``: beside the ``claimed`` steps there may be others that are due."""
        paces = {str(channel): house.pacer.per_second(channel) for channel in Channel}
        rates = {channel: rate for channel, rate in paces.items() if rate is not None}
        most = {channel: max(1, math.ceil(rate * BACKLOG_SECONDS)) for channel, rate in rates.items()}
        waiting = await tx.due_bulk([{"channel": name, "most": many} for name, many in most.items()], now)
        left = {channel: most[channel] - count for channel, count in waiting}
        return cls(rates, left, await tx.count_due(now, CROWD) if more else claimed)

    def take(self, channel: str) -> bool:
        """Take a place among the due bulk of a channel; False when there is enough of it for now."""
        if channel not in self._left:
            return True
        self._left[channel] -= 1
        return self._left[channel] >= 0

    def turn(self, channel: str, who: UUID, now: datetime, expires_at: datetime) -> datetime | None:
        """Return when a step that found no place is looked at again; None when its time would be over.

        A crowd is spread over the time its lane needs for it, so that it comes back as the lane can take it.
        """
        if now + SOONEST >= expires_at:
            return None
        spread = timedelta(seconds=self._crowd / self._rates[channel] * (who.int % 9973) / 9973)
        return min(now + SOONEST + spread, now + max(SOONEST, (expires_at - now) / 2))
