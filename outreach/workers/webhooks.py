"""The webhooks process: tells the lender's systems what happened. Any number may run, one at a time an endpoint."""

import asyncio
import signal
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any
from uuid import uuid4

import structlog

from outreach.clock import clock_named
from outreach.domain.webhook import Endpoint
from outreach.domain.webhook_config import load_webhooks
from outreach.flows.webhooks import Desk, begin, send_due
from outreach.logging import configure_logging
from outreach.settings import load_settings
from outreach.store.pg import PgStore, is_store_away
from outreach.workers.poster import HttpPoster

IDLE_SECONDS = 0.5

_log = structlog.get_logger(__name__)


class Sender:
    """A loop for each endpoint, so that none waits for another."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._stop = asyncio.Event()

    def stop(self) -> None:
        """End when what is under way has been recorded."""
        self._stop.set()

    async def run(self) -> None:
        """Run until stopped. A store that is away is waited for: what is due stays due."""
        while not self._stop.is_set() and not await self._guarded(begin(self._desk)):
            await self._pause(1.0)
        await asyncio.gather(self._stop.wait(), *(self._tell(each) for each in self._desk.webhooks.endpoints))

    async def _tell(self, endpoint: Endpoint) -> None:
        while not self._stop.is_set():
            if not await self._guarded(self._round(endpoint)):
                await self._pause(1.0)

    async def _round(self, endpoint: Endpoint) -> None:
        if not await send_due(self._desk, endpoint):
            await self._pause(IDLE_SECONDS)

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> bool:
        try:
            await work
        except Exception as error:  # noqa: BLE001 - one bad round must not end the process; what is due stays due
            if is_store_away(error):
                _log.warning("the store is away; waiting for it", error=type(error).__name__)
            else:
                _log.error("a round failed; what was due stays due", error=type(error).__name__)
            return False
        return True

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), seconds)


async def _main() -> None:
    settings = load_settings()
    configure_logging(settings.log_level)
    webhooks = load_webhooks(settings.config / "webhooks.yaml", settings.environ)
    store = PgStore(settings.database_url, settings.database_pool)
    await store.open()
    async with HttpPoster() as poster:
        sender = Sender(Desk(store, clock_named(settings.clock), poster, webhooks, uuid4()))
        for name in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(name, sender.stop)
        await sender.run()
    await store.close()


def main() -> None:
    """Run until SIGTERM."""
    asyncio.run(_main())


if __name__ == "__main__":
    main()
