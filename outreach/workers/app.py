"""What `dramatiq outreach.workers.app:build` runs: the broker and its actors, each three lines around a flow."""

import asyncio
import gc
from uuid import UUID

import dramatiq
import structlog
import uvloop
from dramatiq.asyncio import EventLoopThread, get_event_loop_thread, set_event_loop_thread
from dramatiq.brokers.redis import RedisBroker
from dramatiq.middleware import AgeLimit, AsyncIO, Middleware, ShutdownNotifications, TimeLimit

from outreach.bootstrap import serve_house
from outreach.domain.words import Channel, Level
from outreach.flows.dispatch import dispatch
from outreach.flows.house import House
from outreach.flows.receipts import apply_receipts
from outreach.flows.replies import take_replies
from outreach.logging import configure_logging
from outreach.settings import Settings, load_settings
from outreach.workers.broker import BellBroker, connect
from outreach.workers.lanes import INTAKE, MAX_AGE_MS, DramatiqQueue, lane_of

TIME_LIMIT_MS = 5 * 60 * 1000

_log = structlog.get_logger(__name__)

_BEFORE = {Level.URGENT: -2, Level.PROMPT: -1, Level.BULK: 0}
"""What a process has already fetched is worked on in this order; the least goes first."""


class FastAsyncIO(AsyncIO):
    """dramatiq's event loop thread on uvloop."""

    def before_worker_boot(self, broker: dramatiq.Broker, worker: dramatiq.Worker) -> None:  # noqa: ARG002 - dramatiq's
        """Start the thread that every actor of this process runs in."""
        thread = EventLoopThread(self.logger)
        thread.loop.close()
        thread.loop = uvloop.new_event_loop()
        thread.start(timeout=1.0)
        set_event_loop_thread(thread)


class OneHouse(Middleware):
    """One house per worker process, opened in the event loop when it starts, closed before the process ends."""

    def __init__(self, settings: Settings, broker: dramatiq.Broker) -> None:
        self._settings, self._broker = settings, broker
        self._opening: asyncio.Task[House] | None = None

    def after_worker_boot(self, broker: dramatiq.Broker, worker: dramatiq.Worker) -> None:  # noqa: ARG002 - dramatiq's
        """Begin to open the house, so that the first task finds it open. What fails is tried again by a task."""
        thread = get_event_loop_thread()
        if thread is not None:
            asyncio.run_coroutine_threadsafe(self._begin(), thread.loop)

    async def _begin(self) -> None:
        try:
            await self.house()
        except Exception as error:  # noqa: BLE001 - the process lives on; each task tries again and says what is wrong
            _log.warning("the house could not be opened yet; the first task tries again", error=type(error).__name__)

    async def house(self) -> House:
        """Return the house; the first caller opens it, the others wait for the same opening."""
        if self._opening is None:
            queue = DramatiqQueue(self._broker, self._settings.batch)
            self._opening = asyncio.ensure_future(self._open(queue))
        try:
            return await asyncio.shield(self._opening)
        except Exception:
            self._opening = None
            raise

    async def _open(self, queue: DramatiqQueue) -> House:
        house = await serve_house(self._settings, queue)
        spare_the_collector()
        return house


def spare_the_collector() -> None:
    """Take what lives as long as the process (policy, templates, libraries) out of the garbage collector's rounds.

    A batch makes many short-lived objects without cycles; walking everything for them costs a tenth of a lane's time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


def make_broker(redis_url: str) -> RedisBroker:
    """Return a broker without blind retries: one lost reply of Redis must not make an entry twice.

    Only broken connections are retried, never time-outs; dead workers' entries come back within seconds, not minutes.
    """
    broker = BellBroker(connect(redis_url))
    for middleware in (
        AgeLimit(max_age=MAX_AGE_MS),
        TimeLimit(time_limit=TIME_LIMIT_MS),
        ShutdownNotifications(),
        FastAsyncIO(),
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
        for level in Level:
            _declare_lane(broker, owner, lane_of(channel, level), _BEFORE[level])

    @dramatiq.actor(broker=broker, queue_name=INTAKE)
    async def take_receipt(inbox: list[str]) -> None:
        await apply_receipts(await owner.house(), [UUID(each) for each in inbox])

    @dramatiq.actor(broker=broker, queue_name=INTAKE, priority=-1)
    async def take_reply(inbox: list[str]) -> None:
        await take_replies(await owner.house(), [UUID(each) for each in inbox])

    dramatiq.set_broker(broker)
    return broker


def _declare_lane(broker: RedisBroker, owner: OneHouse, lane: str, before: int) -> None:
    @dramatiq.actor(broker=broker, queue_name=lane, actor_name="dispatch_" + lane.replace(".", "_"), priority=before)
    async def send_batch(channel: str, touches: list[str]) -> None:
        await dispatch(await owner.house(), channel, [UUID(touch) for touch in touches])
