"""The lanes on a real Valkey, worked off in this process: the entries that workers take, in turn or at once."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from uuid import UUID

from dramatiq import Message

from outreach.flows.dispatch import dispatch
from outreach.flows.house import House
from outreach.flows.receipts import apply_receipts
from outreach.flows.replies import take_replies
from outreach.workers.app import make_broker
from outreach.workers.broker import BellBroker
from outreach.workers.lanes import INTAKE, DramatiqQueue, queues

Work = Callable[[], Awaitable[object]]


class ValkeyLanes:
    """What the worker processes do, without the processes: fetch an entry, do what its actor does, take it off."""

    def __init__(self, broker: BellBroker) -> None:
        self.broker = broker
        self.queue = DramatiqQueue(broker)

    async def work_off(self, house: House, *, at_once: bool = False) -> int:
        """Do everything that stands in the lanes now; returns how many entries.

        ``at_once``: what came in is taken side by side, as by several workers. What goes out keeps its order, so that a
        story is told the same way every time.
        """
        done = 0
        for lane in self._busy():
            works = [self._work(house, *entry) for entry in self._fetch(lane)]
            done += len(works)
            if at_once and lane == INTAKE:
                await asyncio.gather(*(work() for work in works))
            else:
                for work in works:
                    await work()
        return done

    def _busy(self) -> list[str]:
        # Intake goes first, then what somebody waits for: the order in which separate workers would be done.
        names = [INTAKE, *sorted((name for name in queues() if name != INTAKE), key=lambda name: "." not in name)]
        pipe = self.broker.client.pipeline()
        for name in names:
            pipe.llen(f"dramatiq:{name}")
        return [name for name, count in zip(names, pipe.execute(), strict=True) if count]

    def _fetch(self, lane: str) -> list[tuple[str, Message[object]]]:
        return [(lane, Message.decode(each)) for each in self.broker.do_fetch(lane, 1000)]

    def _work(self, house: House, lane: str, entry: Message[object]) -> Work:
        async def work() -> None:
            match entry.actor_name, entry.args:
                case "take_receipt", (ids,):
                    await apply_receipts(house, [UUID(each) for each in ids])
                case "take_reply", (ids,):
                    await take_replies(house, [UUID(each) for each in ids])
                case _, (channel, ids):
                    await dispatch(house, channel, [UUID(each) for each in ids])
            self.broker.do_ack(lane, entry.options["redis_message_id"])

        return work


@asynccontextmanager
async def valkey_lanes(url: str) -> AsyncIterator[ValkeyLanes]:
    """Open empty lanes, in a database of Valkey that nothing else here uses."""
    broker = make_broker(f"{url.rpartition('/')[0]}/7")
    assert isinstance(broker, BellBroker)
    broker.client.flushdb()
    try:
        yield ValkeyLanes(broker)
    finally:
        broker.client.connection_pool.disconnect()
