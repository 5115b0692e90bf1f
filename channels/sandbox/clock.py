"""The carrier's own clock, real or stepped, and the agenda of what it will do next."""

import asyncio
import heapq
import itertools
import time
from collections.abc import Callable
from datetime import UTC, datetime

Action = Callable[[], object]


class CarrierClock:
    """What time the carrier believes it is. A carrier is an outside party, so it keeps a clock of its own.

    With ``start`` the clock is stepped: it stands still until ``set`` moves it. Without, it is the machine's.
    """

    def __init__(self, start: datetime | None = None) -> None:
        self.stepped = start is not None
        self._epoch = start.timestamp() if start is not None else 0.0

    def epoch(self) -> float:
        """Return seconds since 1970, UTC."""
        return self._epoch if self.stepped else time.time()  # noqa: TID251 - the outside party's own clock

    def now(self) -> datetime:
        """Return the aware UTC instant."""
        return datetime.fromtimestamp(self.epoch(), UTC)

    def set(self, epoch: float) -> None:
        """Move a stepped clock forward; going back is ignored."""
        self._epoch = max(self._epoch, epoch)


class Agenda:
    """Everything the carrier will do later, in order of time and then of asking."""

    def __init__(self, clock: CarrierClock) -> None:
        self._clock = clock
        self._heap: list[tuple[float, int, Action]] = []
        self._order = itertools.count()
        self._timer: asyncio.Handle | None = None
        self._firing = False

    def after(self, seconds: float, action: Action) -> None:
        """Do ``action`` when ``seconds`` of carrier time have passed (0: at once, but not before returning)."""
        self.at(self._clock.epoch() + seconds, action)

    def at(self, epoch: float, action: Action) -> None:
        """Do ``action`` at an instant given as seconds since 1970."""
        heapq.heappush(self._heap, (epoch, next(self._order), action))
        self._arm()

    def next_at(self) -> datetime | None:
        """Return the instant of the first thing still to be done."""
        return datetime.fromtimestamp(self._heap[0][0], UTC) if self._heap else None

    def fire_due(self) -> None:
        """Do everything whose time has come by the clock."""
        self.advance(self._clock.epoch())

    def advance(self, target: float) -> int:
        """Do everything due up to ``target`` in order, moving a stepped clock along; return how many were done."""
        if self._firing:
            return 0
        fired = 0
        self._firing = True
        try:
            while self._heap and self._heap[0][0] <= target:
                epoch, _, action = heapq.heappop(self._heap)
                self._clock.set(epoch)
                fired += 1
                action()
        finally:
            self._firing = False
            self._clock.set(target)
            self._arm()
        return fired

    def clear(self) -> None:
        """Forget everything planned."""
        self._heap.clear()
        self._disarm()

    def _arm(self) -> None:
        if self._firing:
            return
        self._disarm()
        if not self._heap:
            return
        wait = self._heap[0][0] - self._clock.epoch()
        loop = asyncio.get_running_loop()
        if wait <= 0:
            self._timer = loop.call_soon(self.fire_due)
        elif not self._clock.stepped:
            self._timer = loop.call_later(wait, self.fire_due)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
