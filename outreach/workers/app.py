"""What `dramatiq outreach.workers.app:build` runs: the broker and its actors, each three lines around a flow."""

import asyncio
from uuid import UUID

import dramatiq
import redis
from dramatiq.brokers.redis import RedisBroker
from dramatiq.middleware import AgeLimit, AsyncIO, Middleware, ShutdownNotifications, TimeLimit
from redis.backoff import ExponentialBackoff
from redis.retry import Retry

from outreach.bootstrap import open_house
from outreach.domain.words import Channel
from outreach.flows.dispatch import dispatch
from outreach.flows.house import House
from outreach.flows.receipts import apply_receipts
from outreach.flows.replies import take_replies
from outreach.logging import configure_logging
from outreach.settings import Settings, load_settings
from outreach.workers.lanes import INTAKE, MAX_AGE_MS, DramatiqQueue, lane_of

TIME_LIMIT_MS = 5 * 60 * 1000


class OneHouse(Middleware):
    """One house per worker process, opened in the event loop at the first task, closed before the process ends."""

    def __init__(self, settings: Settings, broker: dramatiq.Broker) -> None:
        self._settings, self._broker = settings, broker
        self._opening: asyncio.Task[House] | None = None

    async def house(self) -> House:
        """Return the house; the first caller opens it, the others wait for the same opening."""
        if self._opening is None:
            queue = DramatiqQueue(self._broker, self._settings.batch)
            self._opening = asyncio.ensure_future(open_house(self._settings, queue))
        try:
            return await asyncio.shield(self._opening)
        except Exception:
            self._opening = None
            raise


def make_broker(redis_url: str) -> RedisBroker:
    """Return a broker without blind retries: one lost reply of Redis must not make an entry twice.

    Only broken connections are retried, never time-outs; dead workers' entries come back within seconds, not minutes.
    """
    client = redis.Redis.from_url(
        redis_url,
        socket_timeout=30,
        socket_connect_timeout=3,
        retry=Retry(ExponentialBackoff(cap=1, base=0.05), 10, supported_errors=(redis.ConnectionError,)),
    )
    broker = RedisBroker(client=client, middleware=[], heartbeat_timeout=15_000, maintenance_chance=100_000)
    for middleware in (
        AgeLimit(max_age=MAX_AGE_MS),
        TimeLimit(time_limit=TIME_LIMIT_MS),
        ShutdownNotifications(),
        AsyncIO(),
    ):
        broker.add_middleware(middleware)
    return broker


def build() -> RedisBroker:
    """Build the broker of a worker process: a callable for dramatiq's command line."""
    settings = load_settings()
    configure_logging(settings.log_level)
    broker = make_broker(settings.redis_url)
    owner = OneHouse(settings, broker)
    broker.add_middleware(owner)
    for channel in Channel:
        for urgent in (False, True):
            _declare_lane(broker, owner, lane_of(channel, urgent=urgent))

    async def take_receipt(inbox: list[str]) -> None:
        await apply_receipts(await owner.house(), [UUID(each) for each in inbox])

    async def take_reply(inbox: list[str]) -> None:
        await take_replies(await owner.house(), [UUID(each) for each in inbox])

    dramatiq.actor(take_receipt, broker=broker, queue_name=INTAKE)
    dramatiq.actor(take_reply, broker=broker, queue_name=INTAKE, priority=-1)
    dramatiq.set_broker(broker)
    return broker


def _declare_lane(broker: RedisBroker, owner: OneHouse, lane: str) -> None:
    async def send_batch(channel: str, touches: list[str]) -> None:
        await dispatch(await owner.house(), channel, [UUID(touch) for touch in touches])

    dramatiq.actor(send_batch, broker=broker, queue_name=lane, actor_name="dispatch_" + lane.replace(".", "_"))
