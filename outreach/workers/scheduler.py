"""The scheduler process: claims what is due, wakes on notice, sweeps up what was lost. Any number may run."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime

import psycopg
import structlog

from outreach.bootstrap import serve_house
from outreach.clock import monotonic
from outreach.flows.aftercare import look_after
from outreach.flows.campaigns import run_due
from outreach.flows.house import House
from outreach.flows.outage import reconsider
from outreach.flows.protect import Protector
from outreach.flows.schedule import plan_due, queue_ready
from outreach.flows.sweeps import ask_providers, sweep_store
from outreach.flows.switches import tend_switches
from outreach.flows.watch import Watcher
from outreach.logging import configure_logging
from outreach.settings import Settings, load_settings
from outreach.workers.app import make_broker
from outreach.workers.lanes import DramatiqQueue

SWEEP_EVERY = 2.0
AFTERCARE_EVERY = 10.0
ASK_EVERY = 1.0
"""Seconds between two rounds of asking providers; one that takes longer delays the next round and nothing else."""
REST = 0.5
"""Seconds between two rounds when nothing was due and nobody said that something is."""
LOOKS = 10
"""How often in that time a stepped clock is looked at: it costs a read of memory, a round costs the store."""
CLAIM = 1000

_log = structlog.get_logger(__name__)


class Scheduler:
    """One loop: switches, due steps, ready touches, campaigns; every two seconds also the sweeps and the protection.

    What waits for a provider (look-ups, calls taken back) goes on beside it: a provider that stalls slows no lane.
    """

    def __init__(self, house: House, settings: Settings) -> None:
        self._house = house
        self._settings = settings
        self._watcher = Watcher()
        self._protector = Protector()
        self._wake = asyncio.Event()
        self._stop = asyncio.Event()

    def stop(self) -> None:
        """End after the current round."""
        self._stop.set()
        self._wake.set()

    async def run(self) -> None:
        """Run until stopped. A store that is away is waited for: what is due stays due."""
        beside = [
            asyncio.create_task(self._listen()),
            asyncio.create_task(self._repeat(self._ask, ASK_EVERY)),
            asyncio.create_task(self._repeat(self._look_after, AFTERCARE_EVERY)),
        ]
        swept = -SWEEP_EVERY
        try:
            while not self._stop.is_set():
                if monotonic() - swept >= SWEEP_EVERY:
                    await self._guard(self._sweep)
                    swept = monotonic()
                since = self._house.clock.now()
                if not await self._guard(self._round):
                    await self._rest(since)
        finally:
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)

    async def _repeat(self, work: Callable[[], Awaitable[int]], every: float) -> None:
        while True:
            await self._guard(work)
            await asyncio.sleep(every)

    async def _ask(self) -> int:
        return sum((await ask_providers(self._house)).values())

    async def _look_after(self) -> int:
        return await look_after(self._house)

    async def _rest(self, since: datetime) -> None:
        """Wait until somebody wakes us, half a second has passed, or a stepped clock no longer shows ``since``."""
        clock = self._house.clock
        for _ in range(LOOKS if clock.stepped else 1):
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), REST / LOOKS if clock.stepped else REST)
            if self._wake.is_set() or (clock.stepped and clock.now() != since):
                break
        self._wake.clear()

    async def _round(self) -> int:
        done = await tend_switches(self._house, recalling=False)
        done += await self._watcher.look(self._house)
        done += await plan_due(self._house, CLAIM)
        done += await queue_ready(self._house)
        # Last: a campaign looks through the whole book, and what is due already is with the lanes meanwhile.
        return done + len(await run_due(self._house))

    async def _sweep(self) -> int:
        done = sum((await sweep_store(self._house)).values()) + await reconsider(self._house)
        return done + await self._protector.look(self._house)

    async def _guard(self, work: Callable[[], Awaitable[int]]) -> int:
        try:
            return await work()
        except Exception as error:  # noqa: BLE001 - one bad round must not end the scheduler; what is due stays due
            if not self._house.is_store_away(error):
                _log.exception("a round of the scheduler failed; what was due stays due", work=work.__name__)
            else:
                _log.warning("the store is away; waiting for it", error=type(error).__name__)
            await asyncio.sleep(1)
            return 0

    async def _listen(self) -> None:
        """Wake the loop when some process says that work is due."""
        while True:
            with suppress(psycopg.Error, OSError):
                async with await psycopg.AsyncConnection.connect(self._settings.database_url, autocommit=True) as line:
                    await line.execute("listen outreach_due")
                    async for _ in line.notifies():
                        self._wake.set()
            await asyncio.sleep(1)


async def _main() -> None:
    settings = load_settings()
    configure_logging(settings.log_level)
    queue = DramatiqQueue(make_broker(settings.redis_url), settings.batch)
    house = await serve_house(settings, queue)
    scheduler = Scheduler(house, settings)
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, scheduler.stop)
    await scheduler.run()
    await house.close()


def main() -> None:
    """Run the scheduler until SIGTERM."""
    asyncio.run(_main())


if __name__ == "__main__":
    main()
