"""Pacing on Redis, shared by every process of a lane: a leaky bucket per sender (GCRA, from the throttled library)."""

import asyncio
from collections.abc import Mapping
from typing import Any

import structlog
from redis.exceptions import RedisError
from throttled.asyncio import RateLimiterType, RedisStore, Throttled, rate_limiter

from outreach.flows.pacing import Pace

PATIENCE = 2.0
"""Seconds a batch waits for its share before the rest of it goes back to be queued again."""

SIP = 0.1
"""Seconds of the sender's pace that are asked for at a time: a batch that wants much does not keep others waiting."""

_log = structlog.get_logger(__name__)


class RedisPacer:
    """The one check that fails open: a lost limiter may cost a provider's 429, never a person's evening."""

    def __init__(
        self, redis_url: str, paces: Mapping[str, Pace], lines: Mapping[str, tuple[str, float]] | None = None
    ) -> None:
        """``lines``: by channel, the name of the line it shares with others and how many a second that takes."""
        self._paces = paces
        self._lines = dict(lines or {})
        store = self._store = RedisStore(server=redis_url)
        self._buckets = {
            name: _bucket(f"pace:{name}", pace.per_second, pace.burst, store) for name, pace in paces.items()
        }
        self._shared = {name: _bucket(f"line:{name}", rate, 1, store) for name, rate in set(self._lines.values())}

    async def take(self, channel: str, wanted: int) -> int:
        """Return how many of ``wanted`` may leave now; waits up to two seconds for the first of them."""
        bucket = self._buckets.get(channel)
        if bucket is None:
            return wanted
        pace = self._paces[channel]
        step = max(1, min(pace.burst, wanted, round(pace.per_second * SIP)))
        granted = await self._granted(bucket, channel, wanted, step)
        if channel not in self._lines:
            return granted
        return await self._granted(self._shared[self._lines[channel][0]], channel, granted, 1)

    async def _granted(self, bucket: Throttled, channel: str, wanted: int, step: int) -> int:
        granted, waited = 0, 0.0
        while granted < wanted:
            cost = min(step, wanted - granted)
            try:
                answer = await bucket.limit(cost=cost)
            except (RedisError, OSError) as error:
                _log.warning("pacing is away; going on without", channel=channel, error=type(error).__name__)
                return wanted
            if not answer.limited:
                granted += cost
                continue
            pause = max(0.01, answer.state.retry_after)
            if waited + pause > PATIENCE:
                break
            await asyncio.sleep(pause)
            waited += pause
        return granted

    def concurrency(self, channel: str) -> int:
        """Return how many sends may run at once."""
        pace = self._paces.get(channel)
        return pace.concurrency if pace else 50

    def per_second(self, channel: str) -> float | None:
        """Return the sender's rate; None for a lane without one."""
        pace = self._paces.get(channel)
        if pace is None:
            return None
        shared = self._lines.get(channel)
        return min(pace.per_second, shared[1]) if shared else pace.per_second

    async def close(self) -> None:
        """Hang up on Redis. The library has no word for it, so its client is asked directly."""
        client: Any = self._store._backend.get_client()  # noqa: SLF001
        await client.aclose(close_connection_pool=True)


def _bucket(key: str, per_second: float, burst: int, store: RedisStore) -> Throttled:
    quota = rate_limiter.per_sec(max(1, round(per_second)), burst=burst)
    return Throttled(key=key, using=RateLimiterType.GCRA.value, quota=quota, store=store)
