"""The keys and the voice of a person at the page, in one call that is going on."""

import asyncio
from typing import Final

from channels.sandbox.listener import Given

PATIENCE_SECONDS: Final = 180.0
"""How long a question waits for a person: far longer than a telephone would, since a page is slower than a thumb."""
_MOST_WAITING: Final = 50


class Hand:
    """Hands what the person gives to the question that is being asked. Made when the call is answered."""

    def __init__(self, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self._patience = patience_seconds
        self._given: asyncio.Queue[Given | None] = asyncio.Queue(_MOST_WAITING)
        self.over = False

    def give(self, given: Given) -> bool:
        """Press or speak; False when too much is waiting already."""
        try:
            self._given.put_nowait(given)
        except asyncio.QueueFull:
            return False
        return True

    def interrupt(self, *, over: bool) -> None:
        """Wake whatever waits: the call is ``over``, or goes on with other instructions."""
        self.over = self.over or over
        while self._given.full():
            self._given.get_nowait()
        self._given.put_nowait(None)

    async def next(self, *, digits: bool, speech: bool, limit: int | None, finish: str, pause: float) -> Given | None:
        """Wait for an answer to a question: words, or keys until there are enough, ``finish``, or a ``pause``."""
        while not self._given.empty():
            if self._given.get_nowait() is None and self.over:
                return None
        pressed = ""
        while True:
            given = await self._one(pause if pressed else self._patience)
            if given is None:
                return Given(digits=pressed) if pressed and not self.over else None
            if given.speech is not None and speech:
                return given
            if given.digits is not None and digits:
                pressed += given.digits
                if (limit is not None and len(pressed) >= limit) or (finish and finish in pressed):
                    return Given(digits=pressed)

    async def _one(self, seconds: float) -> Given | None:
        try:
            return await asyncio.wait_for(self._given.get(), seconds)
        except TimeoutError:
            return None
