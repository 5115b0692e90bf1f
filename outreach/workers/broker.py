"""The Redis broker with a bell: an idle lane sleeps until something is put into it instead of looking all the time."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import redis
import structlog
from dramatiq import Message, MessageProxy
from dramatiq.brokers.redis import RedisBroker, _RedisConsumer
from redis.backoff import ExponentialBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from outreach.clock import pause

LOOK_ANYWAY = 1.0
"""Seconds after which an idle lane looks by itself: a bell may be lost with its connection, an entry may not."""

_log = structlog.get_logger(__name__)


class Bell(threading.Thread):
    """One thread a process that hears which lanes have something new (Redis publish/subscribe)."""

    def __init__(self, client: "redis.Redis") -> None:
        super().__init__(name="bell", daemon=True)
        self._client = client
        self._rung: dict[str, threading.Event] = {}
        self._changed = threading.Event()

    def event(self, queue: str) -> threading.Event:
        """Return the event that is set when ``queue`` has something new; listening to it starts with the first call."""
        if queue not in self._rung:
            self._rung[queue] = threading.Event()
            self._changed.set()
        return self._rung[queue]

    def run(self) -> None:
        """Listen for as long as the process lives; after every break each lane looks once."""
        while True:
            with suppress(RedisError, OSError), self._subscribed() as channel:
                while not self._changed.is_set():
                    heard = channel.get_message(timeout=LOOK_ANYWAY)
                    if heard is not None and (event := self._rung.get(heard["channel"].decode().removeprefix("bell."))):
                        event.set()
                continue
            pause(LOOK_ANYWAY)

    @contextmanager
    def _subscribed(self) -> Iterator["redis.client.PubSub"]:
        self._changed.clear()
        names = list(self._rung)
        channel = self._client.pubsub(ignore_subscribe_messages=True)  # type: ignore[no-untyped-call]
        try:
            channel.subscribe(*(f"bell.{name}" for name in names))
            for name in names:
                self._rung[name].set()
            yield channel
        finally:
            with suppress(RedisError, OSError):
                channel.close()


class BellConsumer(_RedisConsumer):
    """Fetches at once when its lane's bell rings, and once a second anyway."""

    _idle = False

    def __next__(self) -> MessageProxy | None:
        """Return the next entry, or None when there was none."""
        rung = self.broker.bell.event(self.queue_name)
        if self._idle and not self.message_cache:
            rung.wait(LOOK_ANYWAY)
        rung.clear()  # before the fetch: what is put in after it rings again
        free = self.outstanding_message_count < self.prefetch
        self.misses = 0  # keeps the library's own sleep after a miss at its least
        message: MessageProxy | None = super().__next__()  # type: ignore[no-untyped-call]
        self._idle = message is None and free
        return message


class BellBroker(RedisBroker):
    """Rings after every entry. A bell that cannot be rung costs a second, never an entry."""

    def __init__(self, client: "redis.Redis") -> None:
        super().__init__(  # type: ignore[no-untyped-call]
            client=client, middleware=[], heartbeat_timeout=15_000, maintenance_chance=100_000
        )
        self._bell: Bell | None = None
        self._making = threading.Lock()

    @property
    def bell(self) -> Bell:
        """The process's bell; made by the first consumer, so that processes that only put in have none."""
        with self._making:
            if self._bell is None:
                self._bell = Bell(self.client)
                self._bell.start()
            return self._bell

    @property
    def consumer_class(self) -> type[BellConsumer]:
        """What reads the lanes."""
        return BellConsumer

    def enqueue(self, message: Message[object], *, delay: int | None = None) -> Message[object]:
        """Put an entry into its lane, then ring."""
        taken: Message[object] = super().enqueue(message, delay=delay)
        with suppress(RedisError, OSError):
            self.client.publish(f"bell.{message.queue_name}", b"")
        return taken


def connect(redis_url: str) -> "redis.Redis":
    """Return a client that retries broken connections, never time-outs: a lost reply must not make an entry twice."""
    return redis.Redis.from_url(
        redis_url,
        socket_timeout=30,
        socket_connect_timeout=3,
        retry=Retry(ExponentialBackoff(cap=1, base=0.05), 10, supported_errors=(redis.ConnectionError,)),
    )
