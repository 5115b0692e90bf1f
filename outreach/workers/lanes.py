"""The lanes: queue names, and the queue port on top of dramatiq. Entries carry ids only."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

import dramatiq
import structlog
from dramatiq import Message
from redis.exceptions import RedisError

from outreach.domain.words import Channel, Level

INTAKE = "intake"
MAX_AGE_MS = 10 * 60 * 1000
"""An entry older than this is dropped: its touch's lease ran out long ago and the sweep has queued it again."""

_log = structlog.get_logger(__name__)


def lane_of(channel: str, level: Level = Level.BULK) -> str:
    """Return the queue of a channel and level: three queues a channel, so that bulk never stands before the others."""
    return channel if level is Level.BULK else f"{channel}.{level}"


def queues() -> list[str]:
    """Return every queue name, for the Procfile and its test."""
    return [*(lane_of(channel, level) for channel in Channel for level in Level), INTAKE]


class DramatiqQueue:
    """Puts ids into lanes. A Redis that is away is logged and forgotten: leases bring the work back (promise 4)."""

    def __init__(self, broker: dramatiq.Broker, batch: int = 200) -> None:
        self._broker = broker
        self._batch = batch

    async def dispatch(self, channel: str, touches: Sequence[UUID], *, level: Level = Level.BULK) -> None:
        """Put touches into the lane of a channel, in batches."""
        lane = lane_of(channel, level)
        for at in range(0, len(touches), self._batch):
            ids = [str(touch) for touch in touches[at : at + self._batch]]
            await self._enqueue(lane, "dispatch_" + lane.replace(".", "_"), (channel, ids))

    async def intake(self, kind: str, inbox: Sequence[UUID]) -> None:
        """Put stored news into the intake lane."""
        for at in range(0, len(inbox), self._batch):
            ids = [str(each) for each in inbox[at : at + self._batch]]
            await self._enqueue(INTAKE, f"take_{kind}", (ids,))

    async def _enqueue(self, lane: str, actor: str, args: tuple[object, ...]) -> None:
        entry: Message[None] = Message(queue_name=lane, actor_name=actor, args=args, kwargs={}, options={})
        try:
            await asyncio.to_thread(self._broker.enqueue, entry)
        except (RedisError, OSError) as error:
            _log.warning("queue is away; the sweep will bring this back", lane=lane, error=type(error).__name__)
