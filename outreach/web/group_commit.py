"""Group commit: callbacks that arrive together share one transaction, and each waits until it is committed."""

import asyncio
from collections.abc import Sequence

import tenacity

from channels.contract import Receipt, Reply
from outreach.flows.callbacks import take_news
from outreach.flows.exchanges import Heard
from outreach.flows.house import House

MOST = 500
"""Callbacks in one transaction at most."""
GATHER_SECONDS = 0.015
"""How long the first of a group waits for company; while a group commits, the next one gathers by itself."""
GIVE_UP_SECONDS = 8.0
"""How long a callback may wait for a store that is away; providers hang up after 10 to 15 s."""

News = Sequence[Receipt | Reply]
Waiting = tuple[News, Heard, asyncio.Future[None]]


class GroupCommit:
    """Takes verified news of one channel. ``add`` returns when it is in the store and every stop in it is in force."""

    def __init__(self, house: House, channel: str) -> None:
        self._house = house
        self._channel = channel
        self._waiting: list[Waiting] = []
        self._running: asyncio.Task[None] | None = None

    async def add(self, news: News, heard: Heard | None = None) -> None:
        """Store news and what brought it. Raises TimeoutError when the store stays away, or what made it fail."""
        if not news:
            return
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((news, heard or {}, done))
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._run())
        await done

    async def _run(self) -> None:
        await asyncio.sleep(GATHER_SECONDS)
        while self._waiting:
            group, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
            await self._commit([each for each in group if not each[2].done()])

    async def _commit(self, group: Sequence[Waiting]) -> None:
        try:
            async with asyncio.timeout(GIVE_UP_SECONDS):
                heard = {key: told for _, mine, _ in group for key, told in mine.items()}
                await self._take([each for news, _, _ in group for each in news], heard)
        except Exception as error:  # noqa: BLE001 - whatever it is, it belongs to the callbacks that wait
            away = isinstance(error, TimeoutError) or self._house.is_store_away(error)
            if len(group) > 1 and not away:
                # One of them cannot be taken: alone, it fails alone.
                for one in group:
                    await self._commit([one])
                return
            _settle(group, error)
        else:
            _settle(group, None)

    async def _take(self, news: News, heard: Heard) -> None:
        # Repeating is safe: what was stored already is known by its key. Twilio does not repeat a text it brought us,
        # so a deadlock or a fail-over must not cost a stop.
        retrying = tenacity.AsyncRetrying(
            retry=tenacity.retry_if_exception(self._house.is_store_away),
            wait=tenacity.wait_random_exponential(multiplier=0.05, max=1),
            stop=tenacity.stop_after_delay(GIVE_UP_SECONDS),
            reraise=True,
        )
        async for attempt in retrying:
            with attempt:
                await take_news(self._house, self._channel, news, heard)


def _settle(group: Sequence[Waiting], error: Exception | None) -> None:
    for _, _, done in group:
        if done.done():
            continue
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)
